"""Every verb of Python takes data in memory, and says the same of them as of the file that holds them."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import pushforward as pf
from pushforward.app.verbs.report import ReportRequest
from pushforward.core.errors import BadInput
from pushforward.faces.cli.main import main
from pushforward.faces.python.fitted import Fitted

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 2))
Y = (X[:, 0] > 0).astype(int)
ROWS = pd.DataFrame(
    {"a": RNG.normal(size=300).round(3), "b": RNG.choice(list("xyz"), 300), "c": np.arange(300) % 9}
)
TEXTS = [f"what text number {i} says of {i % 7} things" for i in range(200)]
TINY: dict[str, Any] = {"steps": 3, "preset": "smoke", "progress": False}


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    return pf.fit("diffusion", (X, Y), path=tmp_path_factory.mktemp("points") / "run", **TINY)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    return pf.fit("autoregressive", ROWS, path=tmp_path_factory.mktemp("table") / "run", **TINY)


def test_points_score_as_their_file_does(points: Fitted, tmp_path: Path) -> None:
    some, labels = X[:20] + 0.5, Y[:20]
    np.savez(tmp_path / "some.npz", x=some, y=labels)
    of_file = pf.score(points, tmp_path / "some.npz").json()
    for held in ((some, labels), (torch.from_numpy(some), torch.from_numpy(labels))):
        found = pf.score(points, held).json()
        assert {k: v for k, v in found.items() if k != "notes"} == {
            k: v for k, v in of_file.items() if k != "notes"
        }
    alone = float(points.log_prob((some, labels), seed=0).mean_nats)
    assert of_file["mean_nats"] == pytest.approx(alone, rel=1e-6)


def test_rows_score_as_their_file_does(table: Fitted, tmp_path: Path) -> None:
    ROWS[:40].to_csv(tmp_path / "some.csv", index=False)
    of_file, found = (
        pf.score(table, tmp_path / "some.csv").json(),
        pf.score(table, ROWS[:40]).json(),
    )
    assert found["mean_nats"] == of_file["mean_nats"]
    assert (found["n"], found["split"]) == (40, "all")


def test_a_run_knows_its_own_data_in_memory(points: Fitted, table: Fitted) -> None:
    assert pf.score(points, (X, Y)).json()["split"] == "test"
    own = pf.score(table, ROWS).json()
    assert (own["split"], own["n"]) == ("test", 60)
    assert not pf.probe(points, (X, Y)).json()["notes"]


def test_a_data_set_stands_for_its_test_split(points: Fitted) -> None:
    other = pf.load(X + 3.0, labels=Y)
    found = pf.score(points, other).json()
    assert (found["split"], found["n"]) == ("test", len(other.test))
    assert found["mean_nats"] < pf.score(points, (X, Y)).json()["mean_nats"]


def test_texts_score_as_documents(tmp_path: Path) -> None:
    run = tmp_path / "run"
    pf.fit("autoregressive", TEXTS, path=run, settings={"data": {"length": 16}}, **TINY)
    found = pf.score(run, TEXTS[:4]).json()
    assert (found["n"], found["split"]) == (4, "all")
    assert pf.score(run, TEXTS).json()["split"] == "test"


def test_the_other_verbs_take_them_too(points: Fitted, table: Fitted, tmp_path: Path) -> None:
    strange = pf.anomalies(points, (X[:5] * 9, Y[:5]), own=(X, Y)).json()
    assert len(strange["examples"]) == 5
    swept = pf.sweep(points, (X, Y), calls="2", solver=["euler"])
    assert "euler" in str(swept)
    assert "gain" in str(pf.augment((X, Y), family="flow", steps=2, seeds=2))
    record = pf.train_classifier(points, (X, Y), output=tmp_path / "classifier", steps=2)
    assert "held-out examples" in str(record)
    made = table.sample(120, seed=0)
    held = pf.evaluate(samples=made, reference=ROWS)
    assert "the data in memory" in str(held)
    made.to_csv(tmp_path / "made.csv", index=False)
    of_file = pf.evaluate(samples=tmp_path / "made.csv", reference=ROWS).json()["scores"]
    assert held.json()["scores"] == of_file
    helped = pf.augment(ROWS, samples=made, target="b", seeds=2)
    assert "the data in memory" in str(helped)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (np.zeros((5, 3)), "Points(dim=3): expected Points(dim=2)"),
        (3, "data of type int: expected an array, a DataFrame"),
        (None, "'score.data=None': expected text"),
        (b"ab", "2 bytes"),
    ],
)
def test_what_cannot_be_scored_is_said_in_a_sentence(points: Fitted, data: Any, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        pf.score(points, data)
    assert says in str(refused.value)
    assert len(str(refused.value)) < 400


def test_a_model_stands_for_its_run(points: Fitted, table: Fitted) -> None:
    assert points.path is not None
    assert ReportRequest.of({"runs": points}).runs == (points.path,)
    assert ReportRequest.of({"runs": [points, str(table.path)]}).runs == (points.path, table.path)
    with pytest.raises(BadInput, match="a model without a run"):
        pf.report(pf.fit("flow", X, **TINY))


def test_a_place_is_called_path_or_output_and_never_ignored(tmp_path: Path) -> None:
    for how in (
        {"path": tmp_path / "a"},
        {"output": tmp_path / "b"},
        {"output": str(tmp_path / "c")},
    ):
        model = pf.fit("flow", X, **how, **TINY)
        assert model.path is not None
        assert (model.path / "manifest.json").is_file()
    with pytest.raises(BadInput, match="path and output of fit: expected one of them"):
        pf.fit("flow", X, path=tmp_path / "d", output=tmp_path / "e", **TINY)
    with pytest.raises(BadInput, match="pushforward train --dry-run"):
        pf.fit("flow", X, dry_run=True, **TINY)
    taught = pf.distil(
        pf.fit("diffusion", X, **TINY), X, steps=2, output=tmp_path / "f", progress=False
    )
    assert taught.path == tmp_path / "f"
    with pytest.raises(BadInput, match="unknown key"):
        pf.compare(X, outptu=tmp_path / "g", progress=False)


def test_a_directory_that_is_taken_is_refused_before_data_are_read(points: Fitted) -> None:
    with pytest.raises(BadInput, match="it holds another run"):
        pf.train("flow", "no/such/data", output=points.path, progress=False)  # type: ignore[attr-defined]


def test_what_python_says_is_taken_for_what_it_means(points: Fitted) -> None:
    assert pf.explain(points).json()["family"] == "diffusion"
    assert pf.cite(pf.fit("flow", X, **TINY)).json()["family"] == "flow"
    model = pf.fit("flow", X, settings={"model.width": 24, "train": {"ema": 0.5}}, **TINY)
    assert model.model.config.model_dump()["width"] == 24
    assert len(pf.sample(points, n=2, given=1).json()) == 2
    with pytest.raises(BadInput, match=r"given: a dict.*pf.open\(run\).sample"):
        pf.sample(points, n=2, given={"label": 1})


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: pf.score(), "score without run: expected a value for it"),
        (lambda: pf.config(3), "'config.run=3': expected a path"),
        (lambda: pf.report([]), "'report.runs=[]': expected at least 1 of them"),
        (lambda: pf.sweep("r", calls=[2]), "'sweep.calls=[2]': expected text"),
        (lambda: pf.probe("r", n=1), "'probe.n=1': expected at least 20"),
        (lambda: pf.probe("r", n="many"), "'probe.n=many': expected a whole number"),
        (lambda: pf.train("flow", X, settings=3), "settings: an int: expected a mapping"),
    ],
)
def test_refusals_are_in_our_words(call: Any, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        call()
    assert says in str(refused.value)


def test_functions_show_what_they_take() -> None:
    written = str(inspect.signature(pf.report))
    assert "runs: 'Any'" in written
    assert "output: 'str | Path' = 'report.html'" in written
    assert "progress: 'bool | None' = None" in written
    assert {"score", "report", "fit", "capabilities"} <= set(dir(pf))
    assert "annotations" not in dir(pf)
    scores = pf.evaluate(pf.fit("flow", "two-moons", **TINY), n=60)
    assert [one["name"] for one in scores.json()["scores"]] == [s.name for s in scores]


def test_samples_without_a_class_of_a_model_that_knows_some_are_told_of(
    points: Fitted, table: Fitted, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "no class was asked for, so samples have none: --given, one of 0, 1, gives them one"
    for run, words, told in (
        (points.path, [], True),
        (points.path, ["--given", "1"], False),
        (table.path, [], False),
    ):
        with pytest.raises(SystemExit) as stop:
            main(["sample", str(run), "-n", "2", *words])
        assert not stop.value.code
        assert (said in capsys.readouterr().err) == told
