"""Scoring stops once the mean is known well enough, and says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import pushforward as pf
from pushforward.app.measuring.cases import copies_as_cases
from pushforward.app.measuring.scoring import score_summary
from pushforward.app.measuring.until import FIRST, RELATIVE, Enough, said, scored_until
from pushforward.core.given import Examples
from pushforward.core.logprob import LogProb
from pushforward.core.space import Points
from pushforward.faces.cli.main import main

UNIT = Points(1).unit


def ask_of(calls: float):
    """A model that knows every example's number: the example itself."""
    asked: list[torch.Tensor] = []

    def ask(part: Examples, seed: int, told) -> LogProb:
        asked.append(part.x[:, 0])
        if told is not None:
            told(len(part), len(part))
        return LogProb(-part.x[:, 0], "exact", "lebesgue", UNIT, "known", calls=calls)

    return ask, asked


def test_portions_double_until_the_error_is_small_and_hold_no_example_twice() -> None:
    x = torch.linspace(9.0, 11.0, 5000).unsqueeze(1)
    ask, asked = ask_of(1.0)
    told: list[tuple[int, int]] = []
    lp = scored_until(ask, Examples(x), Enough(0.02), 3, lambda i, n: told.append((i, n)))
    sizes = [len(part) for part in asked]
    assert sizes == [FIRST, FIRST, 2 * FIRST]
    seen = torch.cat(asked)
    assert len(seen.unique()) == len(seen) == len(lp)
    assert lp.standard_error <= 0.02
    before = seen[: sum(sizes[:-1])]
    assert before.std() / len(before) ** 0.5 > 0.02  # one portion less was not enough
    assert abs(lp.value - 10.0) < 5 * 0.02
    assert told == [(FIRST, 5000), (2 * FIRST, 5000), (4 * FIRST, 5000)]


def test_all_are_scored_where_they_are_cheap_or_never_enough() -> None:
    x = torch.linspace(9.0, 11.0, 700).unsqueeze(1)
    for enough, calls, scored in (
        (Enough(), 1.0, 700),
        (Enough(), 64.0, FIRST),  # sd 0.58: the error is 0.36 % of the mean
        (Enough(1e-9), 64.0, 700),
    ):
        ask, _ = ask_of(calls)
        assert len(scored_until(ask, Examples(x), enough, 0)) == scored
    assert FIRST**-0.5 * 0.58 < RELATIVE * 10.0


def test_cheap_examples_are_scored_once() -> None:
    x = torch.linspace(9.0, 11.0, 700).unsqueeze(1)
    ask, asked = ask_of(1.0)
    told: list[tuple[int, int]] = []
    scored_until(ask, Examples(x), Enough(), 0, lambda i, n: told.append((i, n)))
    assert sum(len(part) for part in asked) == 700 + 2
    assert torch.equal(asked[-1], x[:, 0])  # in order
    assert told == [(700, 700)]


def test_a_run_is_scored_until_it_is_enough(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    pf.fit("diffusion", "gaussians-8", path=run, steps=30, preset="smoke", progress=False)

    def told(*words: str) -> dict:
        with pytest.raises(SystemExit) as stop:
            main(["score", str(run), "gaussians-8", *words])
        assert not stop.value.code
        return json.loads(capsys.readouterr().out)

    loose, tight = told("--json", "--stderr", "0.2"), told("--json", "--stderr", "0.006")
    assert loose["n"] < tight["n"] <= loose["of"] == 5000
    assert loose["stderr"] <= 0.2
    assert tight["stderr"] <= 0.006
    assert f"{loose['n']:,} of 5,000" in loose["notes"][-1]
    assert abs(loose["value"] - tight["value"]) < 5 * 0.21
    few = told("--json", "-n", "300")
    assert (few["n"], few.get("notes")) == (300, None)
    main_exit(["score", str(run), "gaussians-8", "-n", "9", "--stderr", "1"])
    assert "--stderr" in capsys.readouterr().err


def main_exit(words: list[str], code: int = 2) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert (stop.value.code or 0) == code


def test_copies_of_examples_are_one_case_for_the_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nine copies say no more than one; counts repeat by their law, and each is a case."""
    rows = np.random.default_rng(0).normal(size=(400, 2))
    np.savetxt(tmp_path / "a.csv", rows, delimiter=",", header="x,y", comments="")
    run, one, nine = tmp_path / "run", tmp_path / "one.csv", tmp_path / "nine.csv"
    np.savetxt(one, rows[:60], delimiter=",", header="x,y", comments="")
    np.savetxt(nine, np.tile(rows[:60], (9, 1)), delimiter=",", header="x,y", comments="")
    asked = ["train", "flow", str(tmp_path / "a.csv"), "--preset", "smoke", "--steps", "5"]
    main_exit([*asked, "-o", str(run)], 0)
    capsys.readouterr()
    found = {}
    for path in (one, nine):
        main_exit(["score", str(run), str(path), "--json"], 0)
        out, err = capsys.readouterr()
        found[path] = json.loads(out)
        assert "run did 5 steps only" in err
    assert found[nine]["value"] == pytest.approx(found[one]["value"], rel=1e-6)
    assert found[nine]["stderr"] == pytest.approx(found[one]["stderr"], rel=1e-6)
    assert "480 of 540 examples are copies" in " ".join(found[nine]["notes"])
    assert "copies of others" not in " ".join(found[one].get("notes", ()))
    main_exit(["sample", str(run), "-n", "4", "-o", str(tmp_path / "s.csv")], 0)
    assert "run did 5 steps only" in capsys.readouterr().err


def test_copies_of_one_example_have_no_standard_error() -> None:
    x = torch.full((9, 2), 0.25)
    examples, notes = copies_as_cases(Examples(x), Points(2))
    assert notes == (
        "8 of 9 examples are copies of others: the standard error of one example is not known",
    )
    alike = LogProb(-torch.ones(9), "lower_bound", "lebesgue", UNIT, "elbo", cases=examples.cases)
    summary = score_summary(alike, "all")
    assert (summary["value"], summary["stderr"], summary["stderr_nats"]) == (1.0, None, None)
    assert not Enough(1e9).reached(alike)
    assert not Enough(1e9).reached(replace(alike, calls=64.0))


def test_an_error_that_was_asked_for_and_not_reached_is_said() -> None:
    lp = LogProb(torch.tensor([-1.0, -3.0]), "exact", "lebesgue", UNIT, "exact")
    assert said(lp, 2, Enough(1.0)) == said(lp, 2, Enough()) == ()
    assert "is 1 nats/point, not the 0.9 that was asked for" in said(lp, 2, Enough(0.9))[0]


def test_repeats_of_a_law_are_cases_each() -> None:
    counts = np.random.default_rng(0).binomial(3, 0.5, (500, 2)).astype(np.float32)
    examples, notes = copies_as_cases(Examples(torch.from_numpy(counts)), Points(2))
    assert examples.cases is None
    assert notes == ()
