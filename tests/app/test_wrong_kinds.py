"""Public verbs of Python that are given something of a wrong kind, and runs whose data only Python held: sentences, or it works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.core.errors import BadInput, Unsupported
from pushforward.faces.cli.main import main
from pushforward.faces.python.fitted import Fitted

X = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """A run whose data came from Python."""
    folder = tmp_path_factory.mktemp("held")
    fitted = pf.fit("flow", X, steps=2, preset="smoke", progress=False)
    fitted.save(folder / "run")
    np.save(folder / "x.npy", X)
    return pf.open(folder / "run")


NUMBERS = (3.0, np.int64(3), np.float64(3), torch.tensor(3), np.array(3))


@pytest.mark.parametrize("n", NUMBERS, ids=repr)
def test_a_whole_number_may_be_written_in_any_way(points: Fitted, n: Any) -> None:
    assert torch.equal(points.sample(n, seed=n), points.sample(3, seed=3))
    assert torch.equal(points.sample(3, temperature=None), points.sample(3))
    assert pf.fit("flow", X, steps=n, seed=n, preset="smoke", progress=False).facts["steps"] == 3


WRONG: dict[str, Callable[[Fitted], Any]] = {
    "n is a fraction": lambda m: m.sample(2.5),
    "n is text": lambda m: m.sample("3"),
    "n is true": lambda m: m.sample(True),
    "n is none of all": lambda m: m.sample(0),
    "n is NaN": lambda m: m.sample(float("nan")),
    "n is infinite": lambda m: m.sample(float("inf")),
    "n is data": lambda m: m.sample(X),
    "seed is text": lambda m: m.sample(2, seed="a"),
    "seed is negative": lambda m: m.sample(2, seed=-1),
    "an option is text": lambda m: m.sample(2, temperature="hot"),
    "an option is a list": lambda m: m.sample(2, temperature=[1.0]),
    "an option is a fraction": lambda m: m.sample(2, steps=2.5),
    "a word is a number": lambda m: m.sample(2, solver=3),
    "given is data": lambda m: m.sample(2, given=X),
    "given is a class": lambda m: m.sample(2, given=3),
    "codes are text": lambda m: m.decode("abc"),
    "codes are nothing": lambda m: m.decode(None),
    "codes are a number": lambda m: m.decode(3.0),
    "examples are nothing": lambda m: m.log_prob(None),
    "examples are a number": lambda m: m.log_prob(3),
    "examples are words": lambda m: m.encode(["a", "b"]),
    "a path is a number": lambda m: m.save(3),
    "a path is nothing": lambda m: m.average(None),
    "open a number": lambda m: pf.open(3),
    "open a model": lambda m: pf.open(m),
    "load a number": lambda m: pf.load(3),
    "load nothing": lambda m: pf.load(None),
    "load with a seed of text": lambda m: pf.load(X, seed="a"),
    "fit swapped": lambda m: pf.fit(X, "flow"),
    "fit no family": lambda m: pf.fit(None, X),
    "fit steps of text": lambda m: pf.fit("flow", X, steps="many"),
    "fit steps below one": lambda m: pf.fit("flow", X, steps=0),
    "fit a budget of a list": lambda m: pf.fit("flow", X, budget=[1]),
    "fit settings of text": lambda m: pf.fit("flow", X, steps=1, settings="model.width=3"),
    "fit settings of numbers": lambda m: pf.fit("flow", X, steps=1, settings={"model": 3}),
    "fit a preset of numbers": lambda m: pf.fit("flow", X, steps=1, preset="3"),
    "evaluate swapped": lambda m: pf.evaluate(X, m),
    "evaluate nothing": lambda m: pf.evaluate(None),
    "evaluate n of text": lambda m: pf.evaluate(m, X, n="many"),
    "distil data": lambda m: pf.distil(X, steps=1),
    "distil nothing": lambda m: pf.distil(None, steps=1),
    "compare a number": lambda m: pf.compare(3, steps=1),
    "compare seeds of text": lambda m: pf.compare(X, steps=1, seeds="a"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_kind_is_a_sentence(points: Fitted, wrong: Callable[[Fitted], Any]) -> None:
    with pytest.raises((BadInput, Unsupported)) as refused:
        wrong(points)
    assert len(str(refused.value).splitlines()) == 1


def test_a_run_may_be_named_by_its_path(points: Fitted) -> None:
    assert len(pf.evaluate(str(points.path), pf.load(X), n=40, progress=False)) > 0


def test_a_run_whose_data_python_held_says_what_to_bring(
    points: Fitted, capsys: pytest.CaptureFixture[str]
) -> None:
    assert points.path is not None
    run, x = points.path, Path(points.path).parent / "x.npy"

    def call(*words: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(one) for one in words])
        return int(stop.value.code or 0), capsys.readouterr().err

    for words in (("anomalies", run, x), ("evaluate", run), ("probe", run)):
        status, err = call(*words)
        assert status == 2, err
        assert "the data of the run, which came from Python as the given" in err
        assert "name it as DATA, or with --data" in err
    for words in (
        ("anomalies", run, x, "--data", x, "-n", 40),
        ("score", run, x),
        ("sample", run, "-n", 2),
    ):
        status, err = call(*words)
        assert status == 0, err
    with pytest.raises(BadInput, match="came from Python"):
        pf.evaluate(points)
