"""Quality against network calls, for every solver: one picture and one table.

One idea: whoever pays for calls reads along a column, whoever wants quality reads along a row, and
both see the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from pushforward.core.score import Score
from pushforward.reports.drawing.charts import Line, line_chart
from pushforward.reports.numbers import interval_text, value_text
from pushforward.reports.page.templating import environment, stylesheet

COLOURS = 8
FEWER = 0.9  # of the calls of a column: what took less says so


@dataclass(frozen=True)
class SweepPoint:
    """One solver at one number of network calls.

    Attributes:
        budget: calls that were allowed.
        steps: how many the solver was allowed for that.
        calls: how many were made for a sample; a solver that chooses its steps may need fewer than
            it is allowed.
        score: the Fréchet distance of its samples to the test split.
    """

    solver: str
    budget: int
    steps: int
    calls: float
    score: Score


@dataclass(frozen=True)
class Sweep:
    """Every place of a sweep, and real data against real data at the same size."""

    run: str
    data: str
    features: str
    n: int
    seed: int
    places: tuple[SweepPoint, ...]
    ceiling: Score
    left_out: tuple[str, ...] = ()

    @property
    def solvers(self) -> tuple[str, ...]:
        """Names in the order they were run."""
        return tuple(dict.fromkeys(place.solver for place in self.places))

    @property
    def budgets(self) -> tuple[int, ...]:
        """Numbers of calls, increasing."""
        return tuple(sorted({place.budget for place in self.places}))

    def at(self, solver: str, budget: int) -> SweepPoint | None:
        """Return one place, None if the solver cannot take a step for so few calls."""
        return next((p for p in self.places if (p.solver, p.budget) == (solver, budget)), None)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        rows = [
            {
                "solver": p.solver,
                "budget": p.budget,
                "steps": p.steps,
                "calls": p.calls,
                **p.score.to_json(),
            }
            for p in self.places
        ]
        return {
            "run": self.run,
            "data": self.data,
            "features": self.features,
            "n": self.n,
            "seed": self.seed,
            "places": rows,
            "ceiling": self.ceiling.to_json(),
            "left_out": list(self.left_out),
        }


def best_of(sweep: Sweep, budget: int) -> tuple[str, ...]:
    """Return the solver with the smallest distance at so many calls, and those whose intervals
    overlap with its own."""
    places = [place for place in sweep.places if place.budget == budget]
    least = min(places, key=lambda place: place.score.value, default=None)
    if least is None or least.score.low is None:
        return ()

    def open_to_doubt(place: SweepPoint) -> bool:
        low, high = place.score.low, least.score.high
        return place is least or (low is not None and high is not None and low <= high)

    return tuple(place.solver for place in places if open_to_doubt(place))


def to_markdown(sweep: Sweep) -> str:
    """Return the table: a row for every solver, a column for every number of calls."""
    heads = [f"{budget} calls" for budget in sweep.budgets]
    lines = ["| solver | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    best = {budget: best_of(sweep, budget) for budget in sweep.budgets}
    for solver in sweep.solvers:
        cells = []
        for budget in sweep.budgets:
            place = sweep.at(solver, budget)
            value = (
                ""
                if place is None
                else value_text(place.score) + _bracketed(interval_text(place.score), _fewer(place))
            )
            cells.append(f"**{value}**" if solver in best[budget] else value)
        lines.append(f"| {solver} | " + " | ".join(cells) + " |")
    return "\n".join([said(sweep), "", *lines, *(f"\n{text}." for text in sweep.left_out)])


def _fewer(place: SweepPoint) -> str:
    """Return what a place took of the calls of its column, where that is clearly less."""
    few = f"{place.calls:.4g}"
    return f"{few} call{'' if few == '1' else 's'}" if place.calls < FEWER * place.budget else ""


def _bracketed(*parts: str) -> str:
    """Return what there is of some parts in brackets, nothing if there is nothing."""
    found = "; ".join(part for part in parts if part)
    return f" ({found})" if found else ""


def said(sweep: Sweep) -> str:
    """Say what the numbers are."""
    real = value_text(sweep.ceiling) + _bracketed(interval_text(sweep.ceiling))
    known = any(interval_text(place.score) for place in sweep.places)
    intervals = (
        "In brackets 95 % intervals over examples, which compare at equal n only; marked are the "
        "best of a column and whatever is not clearly worse."
        if known
        else "So few examples give no interval, so nothing is marked as best: raise -n."
    )
    return (
        f"Fréchet distance [{sweep.features}] of {sweep.n} samples of {sweep.run} to the test split of {sweep.data}; lower is "
        f"better. Real training data against it: {real}. {intervals}"
    )


def picture(sweep: Sweep) -> Markup:
    """Return every solver's distance against the calls it spent, both on logarithmic axes."""
    lines = []
    for i, solver in enumerate(sweep.solvers):
        places = [place for place in sweep.places if place.solver == solver]
        x, y = [place.calls for place in places], [place.score.value for place in places]
        lines.append(Line(x, y, solver, i % COLOURS, dashed=i >= COLOURS))
    if sweep.places:
        ends = [
            min(place.calls for place in sweep.places),
            max(place.calls for place in sweep.places),
        ]
        lines.append(Line(ends, [sweep.ceiling.value] * 2, "real data", COLOURS - 1, dashed=True))
    return line_chart(
        lines, "network calls per sample", said(sweep), log_x=True, log_y=True, named_first=True
    )


def render(sweep: Sweep) -> str:
    """Return one offline HTML page with the picture and the table."""
    templates = environment()
    best = {budget: best_of(sweep, budget) for budget in sweep.budgets}
    return templates.get_template("sweep.html").render(
        sweep=sweep,
        css=stylesheet(templates),
        said=said(sweep),
        picture=picture(sweep),
        best=best,
        value_text=value_text,
        interval_text=interval_text,
    )
