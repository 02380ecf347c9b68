"""What a request refuses, whoever asks: unknown fields, values out of range, options that exclude each other."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import model_validator

import pushforward as pf
from pushforward.app.progress.watch import Watch
from pushforward.app.request import Request, Said, carry_out
from pushforward.app.verbs.average import AverageRequest
from pushforward.app.verbs.config import origins_of, settings_of
from pushforward.app.verbs.probe import ProbeRequest
from pushforward.app.verbs.shared import allowance, with_own_options
from pushforward.app.verbs.train import TrainRequest
from pushforward.core.errors import BadInput
from pushforward.core.spec import Config, TrainConfig, parse
from pushforward.faces.cli.main import main
from pushforward.faces.python.stub import stub
from pushforward.faces.verbs import every_verb


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ('{"run": "r", "sede": 3}', r"unknown key 'probe.sede'.*did you mean 'seed'"),
        ('{"run": "r", "seed": -1}', r"'probe.seed=-1': expected at least 0"),
        ('{"run": "r", "n": 2.5}', r"'probe.n=2.5': expected a whole number"),
        ('{"run": "r", "n": "many"}', r"'probe.n=many': expected a whole number"),
        ('{"seed": 1}', r"probe without run: expected a value"),
        ('{"run": ["r"]}', r"probe.run"),
    ],
)
def test_a_request_from_json_is_refused_in_a_sentence(values: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        ProbeRequest.of(json.loads(values))
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("verb", "name"),
    [
        (verb, name)
        for verb in every_verb()
        for name, field in verb.fields().items()
        if "Path" in str(field.annotation)
    ],
    ids=lambda part: part if isinstance(part, str) else part.verb,
)
def test_nothing_is_no_path(verb: type[Request], name: str) -> None:
    """A shell makes `""` of a variable that is not set, and `Path("")` is the current folder."""
    with pytest.raises(BadInput, match=r"an empty text for .*expected a path"):
        verb.of({name: ""})


@pytest.mark.parametrize(
    "words",
    [
        "sample run -n 2 -o ''",
        "report ''",
        "report run '' -o page.html",
        "score run ''",
        "anomalies run ''",
        "evaluate run ''",
        "train flow ''",
        "data describe ''",
        "explain ''",
        "cite ''",
        "config ''",
    ],
)
def test_what_stands_alone_has_a_name(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(shlex.split(words))
    assert left.value.code == 2
    assert "an empty text for" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_values_that_do_not_fit_together_are_refused_in_a_sentence() -> None:
    class Pair(Config):
        low: int = 0
        high: int = 1

        @model_validator(mode="after")
        def _ordered(self) -> Pair:
            if self.low > self.high:
                raise ValueError("low is above high")
            return self

    with pytest.raises(BadInput, match=r"pair: expected values that fit together.*low is above"):
        parse(Pair, {"low": 2}, "pair")


def test_a_run_without_a_name_is_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["train", "flow", "two-moons", "--steps", "2", "--preset", "smoke", "-o", ""])
    assert left.value.code == 2
    assert "an empty text for --output" in capsys.readouterr().err
    for asked in ({"path": ""}, {"from_run": ""}):
        with pytest.raises(BadInput, match="an empty text"):
            pf.fit("flow", "two-moons", steps=2, preset="smoke", progress=False, **asked)
    assert not list(tmp_path.iterdir())


def test_numbers_of_numpy_are_numbers() -> None:
    asked = ProbeRequest.of({"run": "r", "n": np.int64(30), "seed": np.float64(2.0)})
    assert (asked.n, asked.seed) == (30, 2)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"width": 0.1, "best": True}, "both --width and --best"),
        ({}, "no width"),
        ({"width": 0.1, "widths": "0.1,0.2"}, "--widths without --best"),
    ],
)
def test_options_that_exclude_each_other(asked: dict[str, Any], says: str) -> None:
    request = AverageRequest.of({"run": "nowhere", "output": "o", **asked})
    with pytest.raises(BadInput, match=says):
        request.answer(Watch())


def test_one_budget() -> None:
    assert allowance(None, None, None) == {"seconds": 40.0}
    assert allowance("2m", None, None) == {"seconds": 120.0}
    assert allowance(None, 7, None) == {"steps": 7}
    assert allowance(None, None, 9) == {"examples": 9}
    with pytest.raises(BadInput, match="--steps and --examples: expected one budget"):
        allowance(None, 1, 1)
    with pytest.raises(BadInput, match="--steps 0: expected at least 1"):
        allowance(None, 0, None)


def test_settings_are_words_or_mappings() -> None:
    words = TrainRequest.of(
        {"family": "flow", "data": "digits", "settings": ["model.width=8", "data.labels=false"]}
    )
    mapped = TrainRequest.of(
        {
            "family": "flow",
            "data": "digits",
            "settings": {"model": {"width": 8}, "data": {"labels": False}},
        }
    )
    assert words.settings == mapped.settings == {"model": {"width": 8}, "data": {"labels": False}}
    assert with_own_options(words.settings, ("id",), None)["data"] == {
        "labels": False,
        "keep": "id",
    }
    assert words.settings["data"] == {"labels": False}  # a request is never changed
    with pytest.raises(BadInput, match="settings: a str: expected a mapping"):
        TrainRequest.of({"family": "flow", "data": "digits", "settings": "model.width=8"})


def test_files_are_left_although_nobody_reads_the_answer(tmp_path: Path) -> None:
    left: list[str] = []

    class Kept(Said):
        def leave(self, watch: Watch) -> None:
            left.append("left")

    class Asked(ProbeRequest):
        def answer(self, watch: Watch) -> Any:
            return Kept({}, "text")

    def broken(answer: Any) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        carry_out(Asked(run=tmp_path), Watch(), broken)
    assert left == ["left"]


def test_every_schema_is_json_and_says_what_the_help_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for request in every_verb():
        schema = json.loads(json.dumps(request.model_json_schema()))
        assert schema["additionalProperties"] is False
        assert (
            set(schema["properties"]) == set(request.model_fields) if request.model_fields else True
        )
    with pytest.raises(SystemExit) as stop:
        main(["schema", "trian"])
    assert stop.value.code == 2
    assert "did you mean 'train'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("written", "ema", "width"),
    [
        # a run says what was asked for, whatever presets are today
        ({"asked": ["train.ema"]}, "asked for", "preset"),
        # an older one does not
        ({}, "asked for, or the preset of then", "asked for, or the preset of then"),
    ],
)
def test_a_setting_says_where_it_came_from(written: dict[str, Any], ema: str, width: str) -> None:
    preset = {"batch_size": 64, "ema": 0.99}
    values = {
        "batch_size": 64,
        "ema": 0.5,
        "steps": 7,
        "seed": 3,
        "precision": "bfloat16",
        "learning_rate": 0.5,
    }
    config = {"train": values, "fitted": {"train": {"precision": "bfloat16"}}, **written}
    origins = origins_of("train", config, preset)
    found = {s.name: s for s in settings_of("train", TrainConfig, values, origins)}
    assert found["train.batch_size"].origin == "preset"
    assert found["train.ema"].origin == ema
    assert found["train.learning_rate"].origin == width
    assert found["train.precision"].origin == "fitted to the machine"
    assert found["train.clip"].origin == "default"
    assert (found["train.steps"].origin, found["train.seed"].origin) == ("budget", "asked for")
    assert found["train.ema"].says.startswith("decay of the weight average")


def test_config_of_a_run_names_every_setting(tmp_path: Path) -> None:
    run = tmp_path / "run"
    pf.fit(
        "flow",
        "two-moons",
        steps=2,
        preset="smoke",
        settings={"train": {"ema": 0.5}},
        path=run,
        progress=False,
    )
    record = pf.config(run).json()  # type: ignore[attr-defined]
    known = {setting["name"]: setting for setting in record["settings"]}
    assert known["train.ema"]["value"] == 0.5
    assert known["train.ema"]["origin"] == "asked for"
    assert known["train.steps"]["origin"] == "budget"
    assert {name for name in known if name.startswith("train.")} == {
        f"train.{name}" for name in TrainConfig.model_fields
    }
    text = str(pf.config(run))  # type: ignore[attr-defined]
    assert "train.ema = 0.5 (asked for): decay of the weight average" in text
    assert "family = flow" in text


def test_the_types_of_the_python_functions_are_the_requests() -> None:
    written = Path(pf.__file__).with_name("__init__.pyi").read_text()
    # `python -m pushforward.faces.python.stub > src/pushforward/__init__.pyi` brings it up to date
    assert written == stub()


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert not stop.value.code
    assert capsys.readouterr().out == f"pushforward {pf.__version__}\n"
