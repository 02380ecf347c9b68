"""Rows that belong together stay together: in splits, in intervals, and in what counts as shared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pushforward as pf
from pushforward.core.errors import BadInput
from pushforward.data.tables.encoding import TableEncoding


def visits(people: int = 60, each: int = 7) -> pd.DataFrame:
    """Return visits of patients, who each have a level of their own."""
    r = np.random.default_rng(0)
    owner = np.repeat(np.arange(people), each)
    return pd.DataFrame(
        {
            "patient": [f"P{n:04d}" for n in owner],
            "pressure": (120 + 15 * r.normal(size=people)[owner] + r.normal(size=len(owner))).round(
                1
            ),
            "ward": r.choice(["a", "b"], len(owner)),
        }
    )


def test_no_group_is_in_two_splits(tmp_path: Path) -> None:
    frame = visits()
    frame.to_csv(tmp_path / "visits.csv", index=False)
    for source in (frame, tmp_path / "visits.csv"):
        data = pf.load(source, group="patient")
        assert isinstance(data.encoding, TableEncoding)
        parts = [data.train, data.validation, data.test]
        cases = [set(part.cases.tolist()) for part in parts]
        assert sum(map(len, cases)) == len(set.union(*cases)) == 60
        assert [len(one) for one in cases] == [42, 6, 12]
        assert sum(map(len, parts)) == len(frame)
        assert [c.name for c in data.space.columns] == ["pressure", "ward"]
        assert any(
            "by 'patient': the rows of each of 60 groups kept together" in n for n in data.notes
        )
        # the column comes back in its place, with groups that are none of the real
        back = data.encoding.decode(data.test.x)
        assert list(back.columns) == list(frame.columns)
        assert not set(back["patient"]) & set(frame["patient"])
        again = TableEncoding.from_json(data.encoding.to_json())
        assert again.group == "patient"
        read = again.read(frame)
        assert read.cases is not None
        assert len(read.cases.unique()) == 60


def test_a_likely_group_is_asked_about() -> None:
    frame = visits().assign(patient=np.repeat(np.arange(60), 7) + 3)
    assert any("-s data.group=patient" in note for note in pf.load(frame, kind="table").notes)


def test_intervals_rest_on_groups(tmp_path: Path) -> None:
    """A patient's seven visits say little more than one: standard errors are those of 12 cases."""
    frame = visits()
    fitted = pf.fit(
        "autoregressive",
        frame,
        steps=60,
        preset="smoke",
        seed=0,
        progress=False,
        settings={"data": {"group": "patient"}},
    )
    data = fitted.plan.dataset
    assert data.test.cases is not None
    found = fitted.model.log_prob(data.test)
    each = found.nats.double()
    cases = data.test.cases
    sums = pd.Series(each.tolist()).groupby(cases.tolist()).sum()
    n, mean = len(each), float(each.mean())
    sizes = pd.Series(1, index=range(n)).groupby(cases.tolist()).sum()
    # ratio estimator of a mean over clusters (Cochran 1977, eq. 6.13 with n / (n - 1))
    clusters = len(sums)
    spread = float(((sums - mean * sizes) ** 2).sum()) * clusters / (clusters - 1)
    expected = np.sqrt(spread) / n
    assert found.standard_error == pytest.approx(expected, rel=1e-6)
    assert expected > 1.5 * float(each.std()) / np.sqrt(n)


def test_what_one_person_repeats_is_rare() -> None:
    frame = visits()
    frame.loc[:6, "ward"] = "isolation"  # seven rows, one patient
    frame.loc[:6, "pressure"] = 300.0
    alone, grouped = pf.load(frame, kind="table"), pf.load(frame, group="patient")
    for data, shown in ((alone, True), (grouped, False)):
        assert isinstance(data.encoding, TableEncoding)
        back = data.encoding.decode(data.encoding.encode(frame))
        assert ("isolation" in set(back["ward"])) == shown
        assert (back["pressure"].max() == 300.0) == shown
    high = grouped.encoding.decode(grouped.encoding.encode(frame))["pressure"].max()
    assert frame.loc[frame["pressure"] >= high, "patient"].nunique() >= 5


def test_bad_groups() -> None:
    frame = visits()
    frame.loc[3, "patient"] = None
    with pytest.raises(
        BadInput, match=r"no value in column 'patient', by which rows are grouped, at row 3"
    ):
        pf.load(frame, group="patient")
    with pytest.raises(BadInput, match=r"column 'ward' of 2 groups: expected at least 5"):
        pf.load(visits(), group="ward")
    with pytest.raises(BadInput, match=r"column 'patiant'.*did you mean 'patient'"):
        pf.load(visits(), group="patiant")
