"""Numbers that begin again: told, kept on their circle, and without an edge where a turn ends."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from data.odd_tables import written
from pushforward.app.runs.loading import load
from pushforward.core.errors import BadInput
from pushforward.core.table import Column, Table
from pushforward.data.dataset import Dataset
from pushforward.data.tables.schema import infer
from pushforward.evaluation.features.columns import ColumnFeatures
from pushforward.families.autoregressive.cells import NumberCells
from pushforward.families.diffusion.rows.number_line import NumberLine, emptiest

N = 400
RNG = np.random.default_rng(0)
ENDS = {"bounded_below": True, "bounded_above": True}
WIND = Column("wind", "integer", step=1.0, low=0.0, high=359.0, period=360.0, **ENDS)
TURN = Column("turn", "continuous", low=0.0, high=2 * math.pi, period=2 * math.pi, **ENDS)


def kinds(frame: pd.DataFrame, columns: dict[str, object] | None = None) -> dict[str, str]:
    return {one.label: one.kind for one in infer(frame, columns).findings}


def column(data: Dataset, name: str) -> Column:
    return next(one for one in data.space.columns if one.name == name)


def test_names_and_ranges_tell_circles_and_places() -> None:
    word = ["a", "b"] * (N // 2)
    degrees, hours = RNG.integers(0, 360, N), np.arange(N) % 24
    frame = pd.DataFrame({"windDir": degrees, "Aspect": degrees / 1.0, "turns": degrees})
    frame["hour_of_day"], frame["HOUR"], frame["hours"] = hours, hours + 1, hours
    frame["bearing"], frame["word"] = RNG.uniform(-math.pi, math.pi, N), word
    frame["lat"], frame["lng"] = RNG.uniform(-60, 60, N), RNG.uniform(-180, 180, N)
    found = kinds(frame)
    assert {label for label, kind in found.items() if kind == "angle"} == {
        "windDir",
        "Aspect",
        "bearing",
    }
    assert {label for label, kind in found.items() if kind == "hour"} == {"hour_of_day", "HOUR"}
    assert (found["lat"], found["lng"]) == ("latitude", "longitude")
    schema = infer(frame)
    by_name = {one.name: one for one in schema.table.columns}
    assert (by_name["HOUR"].low, by_name["HOUR"].high) == (1.0, 24.0)
    assert by_name["bearing"].period == pytest.approx(2 * math.pi)
    assert (by_name["lat"].low, by_name["lat"].high) == (-90.0, 90.0)
    assert {one.label: one.partner for one in schema.findings if one.partner} == {
        "lat": "lng",
        "lng": "lat",
    }
    # a latitude without a longitude, lengths, and what goes beyond a turn are only numbers
    plain = pd.DataFrame(
        {"lat": frame["lat"], "length": RNG.uniform(0, 900, N), "angle": degrees * 2}
    )
    assert set(kinds(plain).values()) == {"continuous", "integer"}


def test_what_lies_beyond_a_turn_is_brought_into_it() -> None:
    frame = pd.DataFrame({"d": [*range(0, 360, 3), 350], "w": ["a"] * 60 + ["b"] * 61})
    data = load(frame, columns={"d": "angle"}, protect=0)
    other = pd.DataFrame({"d": [-10, 370, 360, 5], "w": ["a"] * 4})
    assert data.encoding.encode(other)[:, 0].tolist() == [350.0, 10.0, 0.0, 5.0]
    given = data.encoding.parse_given("d=-10", 1)
    assert given.known is not None
    assert given.known.values[0, 0] == 350.0
    with pytest.raises(BadInput, match=r"'d=350..10', which goes over the end of the turn"):
        data.encoding.parse_given("d=350..10", 1)
    both = infer(pd.DataFrame({"d": [*range(0, 361, 3)]}), {"d": "angle"})
    assert both.lost == ("column 'd': 360 comes back as 0, which is the same",)
    with pytest.raises(BadInput, match=r"700 in column 'd', angle, at row 1 .*one turn of 360"):
        infer(pd.DataFrame({"d": [0, 700, 3]}), {"d": "angle"})
    week = infer(pd.DataFrame({"d": [0, 6, 3, 4]}), {"d": {"kind": "angle", "period": 7}})
    assert (week.table.columns[0].period, week.table.columns[0].high) == (7.0, 6.0)


def test_a_circle_is_cut_where_the_fewest_rows_lie() -> None:
    assert emptiest(torch.tensor([350.0, 10.0]), 360.0) == 180.0
    # equal gaps: between those that the fewest rows have
    y = torch.tensor([0.0] * 9 + [1.0] * 9 + [2.0] * 1 + [3.0] * 2)
    assert emptiest(y, 4.0) == 2.5


@pytest.mark.parametrize("of", [WIND, TURN])
@pytest.mark.parametrize("shift", [45.0, 137.0, 200.0])
def test_a_line_does_not_know_where_its_turn_ends(of: Column, shift: float) -> None:
    """Turning all data turns nothing else: a false edge would move with the numbers, not with the data."""
    unit = of.high / 359.0 if of.step else of.high / 360.0
    x = (
        torch.from_numpy(RNG.normal(350.0, 30.0, N)).round()
        if of.step
        else RNG.normal(350.0, 30.0, N)
    )
    x = torch.as_tensor(x) * unit
    assert of.period is not None
    here, there = (torch.remainder(x + s * unit, of.period)[:, None] for s in (0.0, shift))
    lines = []
    for rows in (here, there):
        line = NumberLine([of], 32)
        line.fit(rows)
        torch.testing.assert_close(line.from_line(line.to_line(rows)), rows, rtol=0, atol=1e-9)
        lines.append(line)
    torch.testing.assert_close(lines[0].to_line(here), lines[1].to_line(there), rtol=0, atol=1e-6)
    # neighbours across the end of the turn are neighbours on the line
    z = lines[0].to_line(torch.tensor([[of.high], [of.low]], dtype=torch.float64))
    assert float((z[0] - z[1]).abs()) < 0.2


def test_a_line_of_a_circle_is_a_law() -> None:
    x = torch.from_numpy(RNG.normal(350.0, 30.0, (N, 1))).round().remainder(360.0)
    line = NumberLine([WIND], 32)
    line.fit(x)
    every = torch.arange(360.0, dtype=torch.float64)[:, None]
    low, high = line.interval(every)
    mass = torch.special.ndtr(high) - torch.special.ndtr(low)
    assert float(mass.sum()) == pytest.approx(1.0, abs=1e-12)
    assert bool(line.possible(every).all())
    far = line.from_line(torch.linspace(-12, 12, 999, dtype=torch.float64)[:, None])
    assert (float(far.min()), float(far.max())) == (0.0, 359.0)


def test_a_networks_view_of_a_circle_has_no_seam() -> None:
    x = torch.from_numpy(RNG.uniform(0.0, 360.0, (4000, 1))).floor()
    cells = NumberCells([WIND], 64)
    cells.fit(x)
    places = torch.tensor([[359.0], [0.0], [20.0]], dtype=torch.float64)
    seen = cells.features(places, cells.locate(places))[:, 0]
    across, apart = (seen[0] - seen[1]).norm(), (seen[1] - seen[2]).norm()
    assert across < 0.3 * apart


def test_features_of_metrics_have_no_seam() -> None:
    rows = RNG.uniform(0.0, 360.0, (N, 1)).round() % 360
    features = ColumnFeatures(Table((WIND,)), rows)
    a, b, c = features(np.array([[359.0], [0.0], [180.0]]))
    # a chord of one degree and one of half a turn; components scale both alike, as rows lie evenly
    chords = math.sin(math.pi / 360.0)
    assert np.linalg.norm(a - b) / np.linalg.norm(b - c) == pytest.approx(chords, rel=0.2)


def test_places_that_are_drawn_lie_on_the_globe(tmp_path: Path) -> None:
    data = load(written("places", tmp_path), protect=0)
    north, east = column(data, "lat"), column(data, "lon")
    assert (north.low, north.high, east.period) == (-90.0, 90.0, 360.0)
    x = data.train.x.clone()
    places = [one.name for one in data.space.columns]
    for column_of, place in ((north, places.index("lat")), (east, places.index("lon"))):
        line = NumberLine([column_of], 32)
        line.fit(x[:, place : place + 1])
        far = line.from_line(torch.linspace(-30, 30, 999, dtype=torch.float64)[:, None])
        assert float(far.min()) >= column_of.low
        assert float(far.max()) <= column_of.high
    # two rows of 179 and -179 degrees are two degrees apart
    line.fit(torch.tensor([[179.0], [-179.0], [178.0], [-178.5]], dtype=torch.float64))
    z = line.to_line(torch.tensor([[179.9], [-179.9], [0.0]], dtype=torch.float64))
    assert float((z[0] - z[1]).abs()) < float((z[0] - z[2]).abs())


def test_points_are_told_that_they_have_no_ends(tmp_path: Path) -> None:
    frame = pd.DataFrame({"lat": RNG.uniform(-60, 60, N), "lon": RNG.uniform(-180, 180, N)})
    frame.to_csv(tmp_path / "p.csv", index=False)
    notes = " ".join(load(tmp_path / "p.csv").notes)
    assert "as points 'lat' (latitude) and 'lon' (longitude) have no ends" in notes
