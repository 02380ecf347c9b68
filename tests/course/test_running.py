"""Whatever an answer does to this process is undone, and nothing that it does ends the check."""

from __future__ import annotations

import random
import re
import sys
from typing import Any

import numpy as np
import pytest
import torch

from pushforward.course import check
from pushforward.course.checking import judge
from pushforward.course.running import PRINTED, RunningState, neutral


def loss(predicted: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    return ((predicted - noise) ** 2).mean()


def test_the_state_of_torch_is_what_it_was() -> None:
    def careless(predicted: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        torch.set_default_dtype(torch.float16)
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        sys.setrecursionlimit(5000)
        torch.use_deterministic_algorithms(True)
        torch.set_grad_enabled(False)
        return loss(predicted.detach(), noise)

    assert check(
        "diffusion.loss", loss
    )  # imports what is imported once, which may draw random numbers
    before = RunningState.now()
    outcome = check("diffusion.loss", careless)
    after = RunningState.now()
    assert not outcome
    assert "no gradient flows to predicted_noise" in outcome.says
    for name in ("gradients", "dtype", "device", "deterministic", "depth"):
        assert getattr(before, name) == getattr(after, name)
    assert torch.equal(before.random[0], after.random[0])
    assert before.random[2] == after.random[2]


def test_the_state_that_is_found_does_not_decide() -> None:
    torch.set_default_dtype(torch.float64)
    with torch.no_grad():
        outcome = check(
            "flow.log_prob",
            lambda x, m, s: -0.5 * ((x - m) / s.exp()) ** 2 - s - torch.tensor(0.9189385332046727),
        )
        assert torch.is_grad_enabled() is False
    torch.set_default_dtype(torch.float32)
    assert outcome
    assert "float32" not in outcome.says
    with neutral() as theirs:
        assert theirs.dtype == torch.float32


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit])
def test_an_answer_that_leaves_is_told_so(error: type[BaseException]) -> None:
    def leaves(*arguments: Any) -> None:
        raise error

    assert (
        f"raised {error.__name__}, which would end the program"
        in check("diffusion.loss", leaves).says
    )


def test_an_answer_that_never_ends_is_told_so_with_its_line() -> None:
    def hangs(predicted: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        while True:
            predicted = predicted + noise

    outcome = judge("diffusion.loss", hangs, seconds=0.2).outcome
    assert (outcome.passed, outcome.stage) == (False, "runs")
    assert "still running after 0.2 seconds" in outcome.says
    assert re.match(
        r"line \d+: (while True:|predicted = predicted \+ noise); its arguments", outcome.evidence
    )


def test_what_an_answer_prints_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    def loud(predicted: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        print("x" * 1_000_000)
        return loss(predicted, noise)

    assert judge("diffusion.loss", loud).outcome
    assert PRINTED <= len(capsys.readouterr().out) < 2 * PRINTED


def test_an_outcome_is_printed_only_where_nobody_shows_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check("diffusion.loss", loss)
    kept = check("diffusion.loss", loss)
    if not check("diffusion.loss", loss):
        raise AssertionError
    assert capsys.readouterr().out == 2 * f"{kept}\n"
    monkeypatch.setattr(sys, "ps1", "In : ", raising=False)
    check("diffusion.loss", loss)
    assert capsys.readouterr().out == ""
