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
    assert "column 1 (counted from 0) is" in note
    assert "-700 in row 5" in note
    assert "also" not in note
    # the number in it: over the standard deviation without the furthest fiftieth
    train = np.sort(pf.load(x).train.x[:, 1].double().numpy())
    away = np.abs(train - np.median(train))
    near = train[np.argsort(away)[: 1 + int(0.98 * (len(train) - 1))]]
    assert f"is {train.std() / near.std():.0f} times" in note


def test_a_long_tail_is_told_to_take_logarithms() -> None:
    (note,) = far(pf.load(np.exp(3.0 * NORMAL)).notes)
    assert "take logarithms" in note
    assert "(also of " in note


def test_a_far_row_that_is_held_out_squeezes_nothing_and_is_said() -> None:
    for place in range(12):
        x = NORMAL[:300].copy()
        x[place] = 1e6
        data = pf.load(x)
        (note,) = far(data.notes)
        trained = bool((data.train.x > 1e5).any())
        assert note.startswith("far values: the") == trained
        assert note.startswith("far values among the rows that are held out") != trained
        assert f"row {place}" in note


def test_a_column_that_is_mostly_one_value_is_checked_too() -> None:
    x = NORMAL[:400].copy()
    x[:320, 0] = 0.0
    assert not far(pf.load(x).notes)
    x[350, 0] = 1e9
    (note,) = far(pf.load(x).notes)
    assert "row 350" in note
