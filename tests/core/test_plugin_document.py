"""`docs/plugins.md` has an example of every kind of choice, and each of them works."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pushforward.core.plugins import KINDS
from strangers_package import command, install, python

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "plugins.md"
ENTRY = re.compile(r'^# "([\w.-]+)" = "(\w+):(\w+)"$', re.MULTILINE)
NOUNS = """
import importlib, json, pkgutil, pushforward
from pushforward.core.plugins import kind_of_entry
from pushforward.core.registry import registries
for module in pkgutil.walk_packages(pushforward.__path__, "pushforward."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(json.dumps([kind_of_entry(registry.noun) for registry in registries()]))
"""
USES = """
import json, sys
from pathlib import Path
import numpy as np
import pushforward as pf
Path("in.slashed").write_text("".join(f"{x}/{y}\\n" for x, y in np.random.default_rng(0).normal(size=(400, 2))))
found = {"count": pf.count("in.slashed").json()}
model = pf.fit("flow:moving", "in.slashed", steps=2, preset="smoke", path="run")
plain, moved = (model.sample(3, shift_all=by) for by in (0.0, 0.5))
found["moved"] = bool((plain != moved).all())
found["loose"] = model.model.log_prob(plain, estimator="loose").kind
found["metrics"] = [score.metric for score in pf.evaluate(model, n=60)]
pf.sample("run", n=40, output="out.slashed")
found["written"] = len(pf.load("out.slashed").train) + len(pf.load("out.slashed").test) > 0
found["bell"] = list(pf.fit("bell", "in.slashed", steps=2, preset="smoke").sample(3).shape)
diffusion = pf.fit("diffusion", "in.slashed", steps=2, preset="smoke", settings={"model": {
    "path": "straight", "law": "flat", "weight": "even", "prediction": "eps"}})
found["fast"] = list(diffusion.sample(2, solver="fast", grid="again").shape)
print(json.dumps(found))
"""


def family_of_kind(kind: str) -> str:
    return re.sub(r"-of-.+-on-.+", "-of-FAMILY-on-KIND", kind)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package that the examples of the document are."""
    modules: dict[str, str] = {}
    entries: dict[str, str] = {}
    for block in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL):
        announced = ENTRY.findall(block)
        (module,) = {module for _, module, _ in announced}
        modules[module] = modules.get(module, "") + block
        entries |= {point: f"{module}:{name}" for point, module, name in announced}
    return install(tmp_path_factory.mktemp("document"), modules, entries, "my-package")


def test_every_registry_has_a_kind_of_entry_point(tmp_path: Path) -> None:
    assert sorted(json.loads(python(tmp_path, "-c", NOUNS).stdout)) == sorted(KINDS)


def test_the_document_has_an_example_of_every_kind() -> None:
    text = DOCUMENT.read_text()
    examples = {family_of_kind(point.partition(".")[0]) for point, _, _ in ENTRY.findall(text)}
    assert examples == {family_of_kind(kind) for kind in KINDS}


def test_every_kind_is_looked_at_by_the_verb(tmp_path: Path) -> None:
    """Every registry is found, and says why it left a plug-in out."""
    install(tmp_path, {}, {f"{kind}.mine": "nowhere:MINE" for kind in KINDS})
    found = json.loads(command(tmp_path, "plugins", "--json").stdout)
    assert {row["name"].partition(".")[0] for row in found} == set(KINDS)
    assert all(row["left out"].startswith("ModuleNotFoundError") for row in found), found


def test_every_example_can_be_used(package: Path) -> None:
    listed = command(package, "plugins", "--json")
    found = json.loads(listed.stdout)
    assert {row["name"]: row["left out"] for row in found if row["left out"]} == {}
    assert all(row["says"] and "nothing reads it" not in row["says"] for row in found)
    assert listed.stderr == ""


def test_help_with_the_examples_imports_no_torch(package: Path) -> None:
    said = "import sys\nsys.modules['torch'] = None  # whoever imports it fails\n"
    said += "import pushforward.faces.cli.main as m\nm.main(['sample', '--help'])\n"
    ended = python(package, "-c", said)
    assert (ended.returncode, "--shift-all" in ended.stdout) == (0, True), ended.stderr


def test_the_examples_work(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ended = python(package, "-c", USES)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    assert "median gap" in found.pop("metrics")
    train = found.pop("count")["examples"]
    assert 0 < train < 400
    expected = {"moved": True, "loose": "lower_bound", "written": True}
    assert found == {**expected, "bell": [3, 2], "fast": [2, 2]}
