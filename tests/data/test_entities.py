"""Rows of few things are asked about, rows of many people are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pushforward.data.open import open_data

RNG = np.random.default_rng(0)
N = 2000


def asked(frame: pd.DataFrame) -> bool:
    return any(
        "rows of one are in training and in test" in note
        for note in open_data(frame, kind="table").notes
    )


def things(count: int, share: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """The thing of each row, and a number of which things explain a share."""
    owner = RNG.integers(0, count, N)
    return owner, np.sqrt(share) * RNG.normal(size=count)[owner] + np.sqrt(1 - share) * RNG.normal(
        size=N
    )


@pytest.mark.parametrize(
    "name", ["sensor", "sensor_id", "patient", "Subject ID", "userId", "machine no", "store"]
)
@pytest.mark.parametrize("words", [True, False])
def test_columns_that_are_called_like_things_are_asked_about(name: str, words: bool) -> None:
    owner, _ = things(40)
    named = [f"s{i}" for i in owner] if words else owner
    assert asked(pd.DataFrame({name: named, "v": RNG.normal(size=N)}))


@pytest.mark.parametrize("count", [12, 40, 300])
def test_names_that_tell_most_of_a_number_are_asked_about(count: int) -> None:
    owner, value = things(count)
    assert asked(pd.DataFrame({"where": [f"p{i}" for i in owner], "v": value}))


def test_ordinary_categories_are_not() -> None:
    colour = RNG.choice(["red", "green", "blue"], N)
    owner, weak = things(30, share=0.1)
    assert not asked(
        pd.DataFrame({"colour": colour, "v": (colour == "red") * 5 + RNG.normal(size=N)})
    )
    assert not asked(pd.DataFrame({"job": [f"j{i}" for i in owner], "v": weak}))
    # mostly one value, and a thing a row
    assert not asked(
        pd.DataFrame(
            {"country": np.where(RNG.random(N) < 0.9, "NL", [f"c{i}" for i in owner]), "v": weak}
        )
    )
    assert not asked(pd.DataFrame({"age": RNG.integers(17, 90, N), "v": weak}))
    assert not any("in training and in test" in note for note in open_data("adult-mini").notes)
