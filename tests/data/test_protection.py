"""No category, and no extreme number, that fewer than k rows hold is ever shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pushforward as pf
from pushforward.core.errors import BadInput
from pushforward.core.table import Column
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.protection import protection_of


def table(n: int = 400) -> pd.DataFrame:
    """Return rows of which a few are like no other."""
    r = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "job": r.choice(["nurse", "clerk", "cook"], n),
            "grade": pd.Categorical(
                r.choice(["a", "b", "c"], n), ["a", "b", "c", "z"], ordered=True
            ),
            "wage": r.normal(3000, 400, n).round(2),
            "kids": r.integers(0, 4, n),
            "born": pd.Timestamp("1980-01-01") + pd.to_timedelta(r.integers(0, 7000, n), unit="D"),
        }
    )
    frame.loc[:3, "job"] = "astronaut"
    frame.loc[4:7, "grade"] = "z"
    frame.loc[8, "wage"] = 987654.32
    frame.loc[9, "kids"] = 17
    frame.loc[10, "born"] = pd.Timestamp("1911-11-11")
    return frame


def test_what_few_rows_hold_is_not_shown_in_a_hundred_thousand_samples() -> None:
    frame = table()
    data = pf.load(frame)
    assert isinstance(data.encoding, TableEncoding)
    # as if a model drew nothing but training rows, the worst that it can do
    x = data.encoding.encode(frame)
    places = torch.randint(len(x), (100_000,), generator=torch.Generator().manual_seed(0))
    shown = data.encoding.seeded(1).decode(x[places])
    assert set(shown["job"]) == {"nurse", "clerk", "cook"}
    assert set(shown["grade"]) == {"a", "b", "c"}
    assert shown.dtypes.to_dict() == frame.dtypes.to_dict()
    for name in ("wage", "kids", "born"):
        low, high = shown[name].min(), shown[name].max()
        assert (frame[name] <= low).sum() >= 5
        assert (frame[name] >= high).sum() >= 5
    # what is common stays as it is, row by row
    rest = frame.iloc[places.numpy()].reset_index(drop=True)
    same = rest["job"] != "astronaut"
    assert (shown["job"][same] == rest["job"][same]).all()
    note = next(one for one in data.notes if "samples do not show" in one)
    assert "'job': 1 value that fewer than 5 rows hold" in note
    counts = data.encoding.hidden(x)
    assert counts["job"] == 4
    assert counts["grade"] == 4
    # redrawn as often as the others are: of ~1,000 astronauts a third each, within five deviations
    drawn = shown["job"][~same].value_counts(normalize=True)
    common = frame["job"][frame["job"] != "astronaut"].value_counts(normalize=True)
    assert ((drawn - common).abs() < 5 * 0.5 / np.sqrt((~same).sum())).all()


def test_zero_shows_everything_and_says_so() -> None:
    frame = table()
    data = pf.load(frame, protect=0)
    assert isinstance(data.encoding, TableEncoding)
    shown = data.encoding.decode(data.encoding.encode(frame))
    pd.testing.assert_frame_equal(shown, frame)
    assert any("protect=0" in note and "share them with nobody" in note for note in data.notes)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 12) | st.none(), min_size=1, max_size=60), st.integers(2, 9))
def test_whatever_is_shown_is_shared(values: list[int | None], k: int) -> None:
    x = np.array([np.nan if value is None else float(value) for value in values])
    known = x[~np.isnan(x)]
    for column in (
        Column("c", "categorical", tuple("abcdefghijklm")),
        Column("o", "ordinal", tuple("abcdefghijklm")),
        Column("n", "integer", step=1.0, low=0.0, high=12.0),
    ):
        protection = protection_of(column, x, k)
        shown = x if protection is None else protection.shown(x, column, seed=3)
        assert shown.shape == x.shape
        left = shown[~np.isnan(shown)]
        if column.discrete:
            assert all((known == value).sum() >= k for value in left)
        elif len(known) >= 2 * k:
            assert all((known <= v).sum() >= k and (known >= v).sum() >= k for v in left)
        else:
            assert len(known) < k or all(min(known) <= v <= max(known) for v in left)
        if protection is None and column.discrete and len(known):
            assert np.unique(known, return_counts=True)[1].min() >= k


def test_bad_protection(tmp_path: Path) -> None:
    frame = table()
    with pytest.raises(BadInput, match=r"data.protect=-1: expected 0 or more"):
        pf.load(frame, protect=-1)
    fitted = pf.fit("autoregressive", frame, steps=20, seed=0, progress=False)
    with pytest.raises(BadInput, match=r"'job=astronaut': expected a value that more rows"):
        fitted.sample(3, given={"job": "astronaut"})
    with pytest.raises(BadInput, match=r"'wage=987654.32'"):
        fitted.sample(3, given={"wage": 987654.32})
    assert (fitted.sample(30, given={"job": "cook"}, seed=0)["job"] == "cook").all()
