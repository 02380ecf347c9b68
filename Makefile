# demo: install and compare the five families on digits.  test: everything CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench format clean course

$(VENV)/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

demo: $(VENV)/.installed
	$(BIN)/pushforward compare digits --budget 20s -o runs/demo --overwrite

lint: $(VENV)/.installed-test
	$(BIN)/ruff format --check src tests benchmarks course docs
	$(BIN)/ruff check src tests benchmarks course docs
	$(BIN)/basedpyright --warnings
	$(BIN)/lint-imports --no-cache

# what is compiled is kept, wherever that is switched off: every second run begins ten seconds earlier
test: lint
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist worksteal

bench: $(VENV)/.installed-test
	@for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

course: $(VENV)/.installed-test
	$(BIN)/python course/build.py
	$(BIN)/python course/build.py --run theory exercises solutions

format: $(VENV)/.installed-test
	$(BIN)/ruff format src tests benchmarks course docs
	$(BIN)/ruff check --fix src tests benchmarks course docs

clean:
	rm -rf runs .ruff_cache
