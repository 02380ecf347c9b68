"""Far values that decide how points are scaled: said where they are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

import pushforward as pf

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(2000, 2))


def far(notes: list[str]) -> list[str]:
    return [note for note in notes if note.startswith("far values")]


@pytest.mark.parametrize(
    "x",
    [
        NORMAL,
        RNG.exponential(size=(2000, 2)),
        np.exp(NORMAL),
        RNG.standard_t(3, size=(2000, 2)),
        np.concatenate([NORMAL, NORMAL + 30.0]),
        NORMAL * 1e200,
    ],
    ids=["normal", "exponential", "log-normal", "t3", "two far modes", "huge"],
)
def test_usual_columns_have_none(x: np.ndarray) -> None:
    assert not far(pf.load(x).notes)


def test_a_few_far_rows_are_named() -> None:
    x = NORMAL.copy()
    x[:8, 1] += 400.0
    x[5, 1] = -700.0
    (note,) = far(pf.load(x).notes)
    assert "column 1 is" in note
    assert "-700 in row 5" in note
    assert "also" not in note
    # the number in it: standard deviation over what the middle half of a normal column has
    half = np.subtract(*np.quantile(x[:, 1], (0.75, 0.25))) / 1.349
    assert f"is {x[:, 1].std() / half:.0f} times" in note


def test_a_long_tail_is_told_to_take_logarithms() -> None:
    (note,) = far(pf.load(np.exp(3.0 * NORMAL)).notes)
    assert "take logarithms" in note
    assert "(also " in note
