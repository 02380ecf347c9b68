"""The scorecard as a table of cells, the same for the page, Markdown and the terminal.

Two ideas: one column is one measure and one row is one model or control; each cell carries where
its value lies between the floor (0) and the ceiling (1), drawn as a bar. Likelihoods have no such
bar: their kinds share no axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from markupsafe import Markup

from pushforward.core.measure import in_order
from pushforward.core.score import Score
from pushforward.evaluation.likelihood.code_length import CODE_LENGTH
from pushforward.reports.drawing.axes import path, tag
from pushforward.reports.numbers import interval_text, listed, number, relation, seconds, value_text
from pushforward.reports.records import ROLES, Comparison, Key, Number, Role, Row, metric_keys
from pushforward.reports.verdict.standing import blind, control, standing

NOTHING = Markup("")
BADGES = {
    "exact": "exact",
    "lower_bound": "lower bound",
    "upper_bound": "upper bound",
    "estimate": "estimate",
}
GROUPS: dict[Role, str] = {
    "model": "Models",
    "ceiling": "Ceiling: real data against real data",
    "floor": "Floor: a deliberately bad model",
    "copycat": "Copycat: training data replayed",
}


@dataclass(frozen=True)
class Cell:
    """One entry: the value, its interval, its badge, its bar, and whether it is a decided best."""

    value: str
    interval: str = ""
    badge: str = ""
    bar: Markup = NOTHING
    best: bool = False
    said: str = ""


@dataclass(frozen=True)
class Heading:
    """One heading: the measure in plain words, its name and what it was measured with, its unit and
    direction, and what it asks.

    `aside` is what it was measured with where two headings of a table are the same.
    """

    title: str
    detail: str = ""
    better: str = ""
    says: str = ""
    aside: str = ""


@dataclass(frozen=True)
class ScoreTable:
    """Columns, and groups of `(heading, [(row name, cells)])`."""

    columns: tuple[Heading, ...]
    groups: tuple[tuple[str, tuple[tuple[str, tuple[Cell, ...]], ...]], ...]


@dataclass(frozen=True)
class Note:
    """How to read one column: its heading, what it asks, and what is to be known of its numbers,
    each thing said once.

    `names` are the measures' own names, with what they were measured with.
    """

    title: str
    says: str
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScoreTables:
    """A table for each aspect, and how to read it."""

    tables: tuple[tuple[str, ScoreTable, tuple[Note, ...]], ...]


def scorecard(comparison: Comparison) -> ScoreTables:
    """Return likelihoods and sample measures, a table for each aspect; the likelihood stands first
    in the first one."""
    keys = metric_keys(comparison.rows)
    # no star for distance to the training data, which is a check, nor where the controls show that
    # the measure sees nothing
    starred = [key for key in keys if key.measure.role != "check" and not _blind(comparison, key)]
    orders = {key: standing(comparison.models, key, comparison.between) for key in starred}
    decided = {key: place.leader for key, place in orders.items() if place and place.decided}

    def table(wanted: list[Key], with_likelihood: bool) -> ScoreTable:
        columns = _apart([_column(key) for key in wanted], wanted)
        if with_likelihood:
            columns.insert(
                0,
                Heading(
                    CODE_LENGTH.title,
                    "",
                    f"{comparison.data.unit}; lower is better",
                    CODE_LENGTH.says,
                ),
            )

        def cells(row: Row) -> tuple[Cell, ...]:
            scores = [
                _metric(comparison, row, row.score(key), decided.get(key) == row.name)
                for key in wanted
            ]
            return (_likelihood(row), *scores) if with_likelihood else tuple(scores)

        return ScoreTable(tuple(columns), _grouped(comparison, cells))

    found = []
    for i, aspect in enumerate(in_order(key.measure.aspect for key in keys)):
        mine = [key for key in keys if key.measure.aspect == aspect]
        found.append((aspect.name, table(mine, not i), _reading(comparison, mine, not i)))
    alone = ("likelihood", table([], with_likelihood=True), _reading(comparison, [], True))
    return ScoreTables(tuple(found or [alone]))


def costs(comparison: Comparison) -> ScoreTable:
    """Return the table of size and cost of the models."""

    def cells(row: Row) -> tuple[Cell, ...]:
        texts = (number(row.parameters, 0), number(row.steps, 0), seconds(row.train_seconds))
        calls = number(
            row.calls_per_sample,
            0 if row.calls_per_sample == round(row.calls_per_sample or 0.5) else 1,
        )
        return tuple(
            Cell(text)
            for text in (*texts, calls, seconds(row.seconds_per_1000), row.stopped_because)
        )

    titles = ("Parameters", "Steps", "Training", "Network calls", "Sampling", "Stopped because")
    details = ("", "", "", "per sample", "per 1\N{NARROW NO-BREAK SPACE}000 samples", "")
    columns = tuple(Heading(title, detail) for title, detail in zip(titles, details))
    return ScoreTable(
        columns, tuple(g for g in _grouped(comparison, cells) if g[0] == GROUPS["model"])
    )


def repeats(comparison: Comparison) -> ScoreTable:
    """Return the table of single training runs behind rows that are means over seeds; no groups if
    there are none."""
    rows = [row for row in comparison.models if row.repeats]
    names = list(
        dict.fromkeys(key for row in rows for run in row.repeats for key in run if key != "seed")
    )

    def cells(run: Mapping[str, Number]) -> tuple[Cell, ...]:
        whole = ("steps",)
        return tuple(Cell(number(run.get(name), 0 if name in whole else None)) for name in names)

    groups = tuple(
        (row.name, tuple((f"seed {run['seed']}", cells(run)) for run in row.repeats))
        for row in rows
    )
    parts = {score.name: (score.short_name, score.details) for row in rows for score in row.scores}
    return ScoreTable(tuple(Heading(*parts.get(name, (name, ""))) for name in names), groups)


def position(value: float, floor: float, ceiling: float) -> float:
    """Return where a value lies between the floor (0) and the ceiling (1), cut to [0, 1]; NaN if
    the two are equal.

    Example:
        >>> position(2.0, floor=10.0, ceiling=0.0)
        0.8
    """
    if not math.isfinite(value + floor + ceiling) or floor == ceiling:
        return math.nan
    return min(1.0, max(0.0, (value - floor) / (ceiling - floor)))


def bar(score: Score, floor: float | None, ceiling: float | None) -> Markup:
    """Return a tiny drawing of value and interval between floor (left) and ceiling (right); empty
    if one is unknown."""
    if floor is None or ceiling is None or math.isnan(at := position(score.value, floor, ceiling)):
        return Markup("")
    inset, width, middle = 4.0, 88.0, 6.0
    x = lambda part: inset + part * (width - 2 * inset)  # noqa: E731
    parts = [tag("path", d=path([(x(0), middle), (x(1), middle)]), class_="rail")]
    parts += [
        tag("path", d=path([(x(end), middle - 4), (x(end), middle + 4)]), class_="rail")
        for end in (0, 1)
    ]
    if score.low is not None and score.high is not None:
        ends = [position(end, floor, ceiling) for end in (score.low, score.high)]
        if all(math.isfinite(end) for end in ends):
            parts.append(tag("path", d=path([(x(end), middle) for end in ends]), class_="reach"))
    parts.append(tag("circle", cx=x(at), cy=middle, r=3.0, class_="at"))
    said = f"{round(100 * at)} % of the way from floor to ceiling"
    return tag(
        "svg",
        Markup("").join(parts),
        viewBox="0 0 88 12",
        role="img",
        class_="bar",
        aria_label=said,
    )


def _metric(comparison: Comparison, row: Row, score: Score | None, best: bool) -> Cell:
    if score is None:
        return Cell("not measured")
    marks = [control(comparison.rows, score, role) for role in ("floor", "ceiling")]
    floor, ceiling = (mark.value if isinstance(mark, Score) else mark for mark in marks)
    drawn = NOTHING if blind(comparison.rows, score) else bar(score, floor, ceiling)
    said = (
        f"{round(100 * position(score.value, floor, ceiling))} %"
        if drawn and floor is not None and ceiling is not None
        else ""
    )
    return Cell(value_text(score), interval_text(score), "", drawn, best, said)


def _blind(comparison: Comparison, key: Key) -> bool:
    return any(
        blind(comparison.rows, score)
        for row in comparison.models
        if (score := row.score(key)) is not None
    )


def _likelihood(row: Row) -> Cell:
    score = row.likelihood
    if score is None:
        return Cell(
            "none"
            if row.role == "model"
            else "unknown"
            if row.role == "ceiling"
            else "not measured"
        )
    sign = relation(score)
    value = f"{sign}\N{NARROW NO-BREAK SPACE}{value_text(score)}" if sign else value_text(score)
    return Cell(value, interval_text(score), BADGES.get(score.kind, score.kind))


def _apart(columns: list[Heading], keys: list[Key]) -> list[Heading]:
    titles = [column.title for column in columns]
    asides = [
        key.score.details if titles.count(title) > 1 else ""
        for title, key in zip(titles, keys, strict=True)
    ]
    return [replace(column, aside=aside) for column, aside in zip(columns, asides, strict=True)]


def _column(key: Key) -> Heading:
    score, says = key.score, key.measure.says
    unit = key.unit or key.measure.counts
    title = score.title[:1].upper() + score.title[1:]
    technical = ", ".join(
        part for part in (score.short_name if says else "", score.details) if part
    )
    return Heading(
        title,
        technical,
        "; ".join(part for part in (unit, f"{key.better} is better") if part),
        says,
    )


def _reading(comparison: Comparison, keys: list[Key], with_likelihood: bool) -> tuple[Note, ...]:
    """Return a note for every measure of a table; what is true of all rows is said once, what is
    true of some names them."""
    rows = [row for role in ROLES for row in comparison.of_role(role)]
    found: dict[str, tuple[str, dict[str, list[str]], int]] = {}
    if with_likelihood:
        reasons: dict[str, list[str]] = {}
        for row in rows:
            missing = (
                [row.no_likelihood]
                if row.likelihood is None and row.role == "model" and row.no_likelihood
                else []
            )
            for text in (*missing, *(row.likelihood.warnings if row.likelihood else ())):
                reasons.setdefault(text, []).append(row.name)
        found[CODE_LENGTH.title] = (CODE_LENGTH.says, reasons, len(rows))
    for key in keys:
        column = _column(key)
        says, texts, _ = found.setdefault(column.title, (column.says, {}, 0))
        scored = [(row.name, score) for row in rows if (score := row.score(key)) is not None]
        for name, score in scored:
            for text in score.warnings:
                names = texts.setdefault(text, [])
                names += [] if name in names else [name]
        found[column.title] = (says, texts, max(found[column.title][2], len(scored)))
    return tuple(
        Note(
            title,
            says,
            tuple(
                text if len(names) >= of else f"{listed(names)}: {text}"
                for text, names in texts.items()
            ),
            tuple(column.detail for key in keys if (column := _column(key)).title == title),
        )
        for title, (says, texts, of) in found.items()
    )


def _grouped(
    comparison: Comparison, cells: Callable[[Row], tuple[Cell, ...]]
) -> tuple[tuple[str, tuple[tuple[str, tuple[Cell, ...]], ...]], ...]:
    pairs = [
        (GROUPS[role], tuple((row.name, cells(row)) for row in comparison.of_role(role)))
        for role in ROLES
    ]
    return tuple((heading, rows) for heading, rows in pairs if rows)
