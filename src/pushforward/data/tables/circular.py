"""Numbers that begin again: directions, hours of the day, longitudes; and latitudes, which end at the
poles.

Two ideas: a circle is a range with a period, so that whoever compares two values can go the short
way round; the turn that values are written in (0 to 360, -180 to 180) is that of the data, and what
lies beyond it is brought there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pushforward.core.errors import BadInput
from pushforward.core.table import Column
from pushforward.data.folders import few
from pushforward.data.tables.doubts import Doubt
from pushforward.data.tables.found import FoundColumn, Rules, option, shown_at
from pushforward.data.tables.numeric import number
from pushforward.data.tables.stored import Stored, on_grid
from pushforward.data.tables.surrogates.kinds import hints, words_of_label

TURN, DAY, RADIANS = 360.0, 24.0, 2.0 * math.pi
FEWEST = 8  # different values of a direction
SLACK = 1e-9


@dataclass(frozen=True)
class Around:
    """A kind of numbers on a circle, or on a meridian.

    Attributes:
        kind: as it is declared.
        periods: after which its numbers may begin again, the likeliest first.
        names: words of a column's name that tell it.
        signed: whether half a turn on either side of 0 is likelier than a turn from 0.
        spread: what part of a turn values must span to be told.
    """

    kind: str
    periods: tuple[float, ...]
    names: frozenset[str]
    signed: bool = False
    spread: float = 0.5


ANGLE = Around(
    "angle",
    (TURN, RADIANS),
    hints(
        "angle angles azimuth azimut bearing heading direction dir aspect winddir wdir windrichtung "
        "richtung winkel kurs rumbo cap hue"
    ),
)
HOUR = Around("hour", (DAY,), hints("hour hr hh hod stunde heure hora ora"), spread=0.8)
LATITUDE = Around("latitude", (180.0,), hints("lat latitude breite breitengrad latitud"))
LONGITUDE = Around(
    "longitude",
    (TURN,),
    hints("lon long lng longitude laenge länge längengrad longitud"),
    signed=True,
)


def around(series: pd.Series, known: pd.Series, stored: Stored, rules: Rules) -> FoundColumn | None:
    """Return a column of numbers that is called like a direction, an hour or a place on the globe,
    and whose numbers are such; None for any other.

    Args:
        known: its values that are not missing.
    """
    values = known.to_numpy(dtype=np.float64)
    axis = getattr(stored.notation, "axis", "")
    if stored.carrier or rules.keep or not np.isfinite(values).all():
        return None
    of = _called(values, stored.label, rules.labels, axis)
    if of is None:
        return None
    make = globe if of is LATITUDE else turning
    found = make(series, known, stored, rules, of)
    plain = "continuous" if found.column is None else found.column.kind
    why = f"only its name and its range say that it is {of.kind}"
    doubts = () if axis else (Doubt(why, plain, open=False),)
    return replace(found, kind=of.kind, doubts=(*found.doubts, *doubts))


def note_of_points(columns: Sequence[tuple[str, np.ndarray]]) -> str | None:
    """Return what is said where columns that are opened as points are places, directions or hours,
    None where none is.

    Example:
        >>> ends = np.linspace(-80.0, 80.0, 40)
        >>> note_of_points([("lat", ends), ("lon", 2 * ends)])[:48]
        "as points 'lat' (latitude) and 'lon' (longitude)"
    """
    labels = [label for label, _ in columns]
    told = []
    for label, values in columns:
        known = values[np.isfinite(values)]
        of = _called(known, label, labels, "") if len(known) else None
        told += [] if of is None else [f"'{label}' ({of.kind})"]
    if not told:
        return None
    named = " and ".join(told[-2:]) if len(told) < 3 else few(told)
    return f"as points {named} have no ends and do not begin again: `-s data.kind=table` keeps that"


def _called(values: np.ndarray, label: str, labels: Collection[str], axis: str) -> Around | None:
    """Return what a column of numbers is called like and can be, None for neither.

    Args:
        labels: of all columns: a latitude has a longitude beside it.
        axis: what letters in its cells say.
    """
    words = words_of_label(label)
    for of, partner in ((LATITUDE, LONGITUDE), (LONGITUDE, LATITUDE)):
        called = bool(of.names & words) and any(
            partner.names & words_of_label(other) for other in labels if other != label
        )
        if (called or axis == of.kind) and _on_globe(values, of) and not _counts(values):
            return of
    for of in (ANGLE, HOUR):
        if of.names & words and _is_round(values, of):
            return of
    return None


def _on_globe(values: np.ndarray, of: Around) -> bool:
    low, high = float(values.min()), float(values.max())
    if of is LATITUDE:
        return -90.0 <= low <= high <= 90.0
    return high - low <= TURN and low >= -180.0 and high <= TURN


def _counts(values: np.ndarray) -> bool:
    """Return whether numbers are small and whole, as of lengths and lattices."""
    return bool((values == np.round(values)).all()) and len(np.unique(values)) <= 32


def _is_round(values: np.ndarray, of: Around) -> bool:
    distinct = len(np.unique(values))
    low, high = float(values.min()), float(values.max())
    if of is HOUR:
        whole = bool((values == np.round(values)).all())
        return (
            whole and 0.0 <= low <= 1.0 and high in (23.0, 24.0) and high - low >= of.spread * DAY
        )
    whole = bool((values == np.round(values)).all())
    period = RADIANS if high - low <= RADIANS + 1e-6 and not whole else TURN
    fits = _turn(low, high, period, of.signed) is not None
    return fits and high - low > of.spread * period and distinct >= FEWEST


def turning(
    series: pd.Series, known: pd.Series, stored: Stored, rules: Rules, of: Around
) -> FoundColumn:
    """Return a column of numbers on a circle.

    Raises:
        BadInput: numbers that span more than a turn, with the row of the one that is furthest out.
    """
    values = known.to_numpy(dtype=np.float64)
    found = number(series, known, stored, stored.label, replace(rules, kind=of.kind, keep=True))
    if found.column is None:
        return found
    low, high = float(values.min()), float(values.max())
    own = rules.own.period
    periods: tuple[float, ...] = of.periods if own is None else (own,)
    whole = bool((values == np.round(values)).all())
    if not whole and high - low <= RADIANS + 1e-6 and high <= RADIANS + 1e-6:
        periods = periods[::-1]
    period, turn = periods[0], None
    for longer in periods:
        if turn is None and (first := _turn(low, high, longer, of.signed)) is not None:
            period, turn = longer, first
    if turn is None:
        row = int(known.index[int(np.abs(values).argmax())])
        raise BadInput(
            f"{shown_at(series, row)} in column '{stored.label}', {of.kind}, at {rules.where(row)}",
            f"one turn of {period:g}: from 0, or half a turn on either side of 0",
            f"repair it, say another period, or declare it {option(stored.label, 'continuous')}",
        )
    column, lost = _closed(found.column, values, turn, period)
    said = f"{found.said.partition(', never below')[0].partition(', within that')[0]}"
    said += f", {of.kind}: {column.low:g} follows {column.high:g} after a turn of {period:g}"
    lost = "; ".join(one for one in (found.lost, lost) if one)
    return replace(found, column=column, said=said, lost=lost)


def _turn(low: float, high: float, period: float, signed: bool) -> float | None:
    """Return the lowest number of the turn that holds all numbers, None if there is none."""
    slack = SLACK * period
    ways = [(0.0, period), (-0.5 * period, 0.5 * period)]
    for first, last in ways[::-1] if signed else ways:
        if first - slack <= low and high <= last + slack:
            return first
    return None


def _closed(column: Column, values: np.ndarray, first: float, period: float) -> tuple[Column, str]:
    """Return the column with the ends of its turn, and what of its values is lost: the number at the
    end is that at the beginning, and the data say which of the two they write."""
    last, step, lost = first + period, column.step, ""
    ends = bool((np.abs(values - last) <= SLACK * period).any())
    begins = bool((np.abs(values - first) <= SLACK * period).any())
    if ends and begins:
        lost = f"{last:g} comes back as {first:g}, which is the same"
    if step is not None:
        above = ends and not begins
        grid = on_grid(np.array([first + step * above, last - step * (not above)]), step)
        first, last = float(grid[0]), float(grid[1])
    low, high = first, last
    column = replace(column, low=low, high=high, bounded_below=True, bounded_above=True)
    return replace(column, period=period), lost


def globe(
    series: pd.Series, known: pd.Series, stored: Stored, rules: Rules, of: Around
) -> FoundColumn:
    """Return a column of latitudes.

    Raises:
        BadInput: a number beyond a pole, with its row.
    """
    values = known.to_numpy(dtype=np.float64)
    wrong = np.abs(values) > 90.0
    if wrong.any():
        row = int(known.index[int(wrong.argmax())])
        raise BadInput(
            f"{shown_at(series, row)} in column '{stored.label}', a latitude, at {rules.where(row)}",
            "-90 to 90",
            f"repair it, or declare it {option(stored.label, 'continuous')}",
        )
    found = number(series, known, stored, stored.label, replace(rules, kind=of.kind, keep=True))
    if found.column is None:
        return found
    ends = {"low": -90.0, "high": 90.0, "bounded_below": True, "bounded_above": True}
    said = found.said.partition(", never below")[0].partition(", within that")[0]
    return replace(found, column=replace(found.column, **ends), said=f"{said}, latitude: -90 to 90")


def pairs(found: Collection[FoundColumn]) -> dict[str, str]:
    """Return the column that each latitude and longitude makes a place with, where each is one."""
    ends = {kind: [one for one in found if one.kind == kind] for kind in ("latitude", "longitude")}
    groups: dict[frozenset[str], dict[str, list[str]]] = {}
    for kind, columns in ends.items():
        names = (LATITUDE if kind == "latitude" else LONGITUDE).names
        for one in columns:
            words = re.split(r"[\W_0-9]+", one.stored.label.lower())
            rest = frozenset({*words} - names - {""})
            groups.setdefault(rest, {}).setdefault(kind, []).append(one.stored.label)
    partner: dict[str, str] = {}
    for both in groups.values():
        if [len(both.get(kind, ())) for kind in ("latitude", "longitude")] == [1, 1]:
            (north,), (east,) = both["latitude"], both["longitude"]
            partner |= {north: east, east: north}
    return partner
