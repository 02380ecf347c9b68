"""The scorecard as a table of cells, the same for the page, Markdown and the terminal.

Two ideas: one column is one measure and one row is one model or control; each cell carries where its value lies between the
floor (0) and the ceiling (1), drawn as a bar. Likelihoods have no such bar: their kinds share no axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from pushforward.core.score import Score
from pushforward.evaluation.cards.aspects import ASPECTS, OTHER, aspect_of, is_check
from pushforward.report.axes import path, tag
from pushforward.report.numbers import interval_text, number, relation, seconds, split_name, value_text
from pushforward.report.records import ROLES, Comparison, Key, Number, Role, Row, metric_keys
from pushforward.report.standing import blind, control, standing

NOTHING = Markup("")
BADGES = {"exact": "exact", "lower_bound": "lower bound", "upper_bound": "upper bound", "estimate": "estimate"}
GROUPS: dict[Role, str] = {
    "model": "Models",
    "ceiling": "Ceiling: real data against real data",
    "floor": "Floor: a deliberately bad model",
    "copycat": "Copycat: training data replayed",
}


@dataclass(frozen=True)
class Cell:
    """One entry: the value, its interval, its badge, its bar, its footnote numbers, and whether it is a decided best."""

    value: str
    interval: str = ""
    badge: str = ""
    bar: Markup = NOTHING
    notes: tuple[int, ...] = ()
    best: bool = False
    said: str = ""


@dataclass(frozen=True)
class Column:
    """One heading: the measure, what it was measured with, and its unit or direction."""

    title: str
    detail: str = ""
    better: str = ""


@dataclass(frozen=True)
class Table:
    """Columns, and groups of `(heading, [(row name, cells)])`."""

    columns: tuple[Column, ...]
    groups: tuple[tuple[str, tuple[tuple[str, tuple[Cell, ...]], ...]], ...]


@dataclass(frozen=True)
class Scorecard:
    """A table for each aspect, and the footnotes of all in order of their numbers."""

    tables: tuple[tuple[str, Table], ...]
    footnotes: tuple[str, ...]


def scorecard(comparison: Comparison) -> Scorecard:
    """Return likelihoods and sample measures, a table for each aspect; the likelihood stands first in the first one."""
    keys = metric_keys(comparison.rows)
    notes = _footnotes(comparison, keys)
    # no star for distance to the training data, which is a check, nor where the controls show that the measure sees nothing
    starred = [key for key in keys if not is_check(key[0]) and not _blind(comparison, key)]
    orders = {key: standing(comparison.models, key, comparison.between) for key in starred}
    decided = {key: place.leader for key, place in orders.items() if place and place.decided}

    def table(wanted: list[Key], with_likelihood: bool) -> Table:
        columns = [Column(*split_name(key[0]), f"{key[4]} is better") for key in wanted]
        if with_likelihood:
            columns.insert(0, Column("Held-out likelihood", comparison.data.unit, "lower is better"))

        def cells(row: Row) -> tuple[Cell, ...]:
            scores = [_metric(comparison, row, row.score(key), notes, decided.get(key) == row.name) for key in wanted]
            return (_likelihood(row, notes), *scores) if with_likelihood else tuple(scores)

        return Table(tuple(columns), _grouped(comparison, cells))

    aspects = [aspect for aspect in (OTHER, *ASPECTS) if any(aspect_of(key[0]) == aspect for key in keys)]
    found = [
        (aspect, table([key for key in keys if aspect_of(key[0]) == aspect], with_likelihood=not i))
        for i, aspect in enumerate(aspects)
    ]
    return Scorecard(tuple(found or [("likelihood", table([], with_likelihood=True))]), tuple(notes))


def costs(comparison: Comparison) -> Table:
    """Return the table of size and cost of the models."""

    def cells(row: Row) -> tuple[Cell, ...]:
        texts = (number(row.parameters, 0), number(row.steps, 0), seconds(row.train_seconds))
        calls = number(row.calls_per_sample, 0 if row.calls_per_sample == round(row.calls_per_sample or 0.5) else 1)
        return tuple(Cell(text) for text in (*texts, calls, seconds(row.seconds_per_1000), row.stopped_because))

    titles = ("Parameters", "Steps", "Training", "Network calls", "Sampling", "Stopped because")
    details = ("", "", "", "per sample", "per 1\N{NARROW NO-BREAK SPACE}000 samples", "")
    columns = tuple(Column(title, detail) for title, detail in zip(titles, details))
    return Table(columns, tuple(g for g in _grouped(comparison, cells) if g[0] == GROUPS["model"]))


def repeats(comparison: Comparison) -> Table:
    """Return the table of single training runs behind rows that are means over seeds; no groups if there are none."""
    rows = [row for row in comparison.models if row.repeats]
    names = list(dict.fromkeys(key for row in rows for run in row.repeats for key in run if key != "seed"))

    def cells(run: Mapping[str, Number]) -> tuple[Cell, ...]:
        whole = ("steps",)
        return tuple(Cell(number(run.get(name), 0 if name in whole else None)) for name in names)

    groups = tuple((row.name, tuple((f"seed {run['seed']}", cells(run)) for run in row.repeats)) for row in rows)
    return Table(tuple(Column(*split_name(name)) for name in names), groups)


def position(value: float, floor: float, ceiling: float) -> float:
    """Return where a value lies between the floor (0) and the ceiling (1), cut to [0, 1]; NaN if the two are equal.

    Example:
        >>> position(2.0, floor=10.0, ceiling=0.0)
        0.8
    """
    if not math.isfinite(value + floor + ceiling) or floor == ceiling:
        return math.nan
    return min(1.0, max(0.0, (value - floor) / (ceiling - floor)))


def bar(score: Score, floor: float | None, ceiling: float | None) -> Markup:
    """Return a tiny drawing of value and interval between floor (left) and ceiling (right); empty if one is unknown."""
    if floor is None or ceiling is None or math.isnan(at := position(score.value, floor, ceiling)):
        return Markup("")
    inset, width, middle = 4.0, 88.0, 6.0
    x = lambda part: inset + part * (width - 2 * inset)  # noqa: E731
    parts = [tag("path", d=path([(x(0), middle), (x(1), middle)]), class_="rail")]
    parts += [tag("path", d=path([(x(end), middle - 4), (x(end), middle + 4)]), class_="rail") for end in (0, 1)]
    if score.low is not None and score.high is not None:
        ends = [position(end, floor, ceiling) for end in (score.low, score.high)]
        if all(math.isfinite(end) for end in ends):
            parts.append(tag("path", d=path([(x(end), middle) for end in ends]), class_="reach"))
    parts.append(tag("circle", cx=x(at), cy=middle, r=3.0, class_="at"))
    said = f"{round(100 * at)} % of the way from floor to ceiling"
    return tag("svg", Markup("").join(parts), viewBox="0 0 88 12", role="img", class_="bar", aria_label=said)


def _metric(comparison: Comparison, row: Row, score: Score | None, notes: dict[str, int], best: bool) -> Cell:
    if score is None:
        return Cell("not measured")
    marks = [control(comparison.rows, score, role) for role in ("floor", "ceiling")]
    floor, ceiling = (mark.value if isinstance(mark, Score) else mark for mark in marks)
    numbers = tuple(notes[text] for text in score.warnings)
    drawn = NOTHING if blind(comparison.rows, score) else bar(score, floor, ceiling)
    said = (
        f"{round(100 * position(score.value, floor, ceiling))} %"
        if drawn and floor is not None and ceiling is not None
        else ""
    )
    return Cell(value_text(score), interval_text(score), "", drawn, numbers, best, said)


def _blind(comparison: Comparison, key: Key) -> bool:
    return any(blind(comparison.rows, score) for row in comparison.models if (score := row.score(key)) is not None)


def _likelihood(row: Row, notes: dict[str, int]) -> Cell:
    score = row.likelihood
    if score is None and row.role != "model":
        return Cell("unknown" if row.role == "ceiling" else "not measured")
    if score is None:
        numbers = (notes[row.no_likelihood],) if row.no_likelihood else ()
        return Cell("", "", "none", notes=numbers)
    sign = relation(score)
    value = f"{sign}\N{NARROW NO-BREAK SPACE}{value_text(score)}" if sign else value_text(score)
    numbers = tuple(notes[text] for text in score.warnings)
    return Cell(value, interval_text(score), BADGES.get(score.kind, score.kind), notes=numbers)


def _footnotes(comparison: Comparison, keys: tuple[Key, ...]) -> dict[str, int]:
    texts: dict[str, int] = {}
    ordered = [row for role in ROLES for row in comparison.of_role(role)]
    for row in ordered:
        unexplained = row.likelihood is None and row.no_likelihood and row.role == "model"
        found = [row.no_likelihood] if unexplained else []
        scores = ([row.likelihood] if row.likelihood else []) + [s for key in keys if (s := row.score(key))]
        for text in found + [warning for score in scores for warning in score.warnings]:
            texts.setdefault(text, len(texts) + 1)
    return texts


def _grouped(
    comparison: Comparison, cells: Callable[[Row], tuple[Cell, ...]]
) -> tuple[tuple[str, tuple[tuple[str, tuple[Cell, ...]], ...]], ...]:
    pairs = [(GROUPS[role], tuple((row.name, cells(row)) for row in comparison.of_role(role))) for role in ROLES]
    return tuple((heading, rows) for heading, rows in pairs if rows)
