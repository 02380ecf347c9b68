"""Train families under one budget, score them, and report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pushforward.app.request import WIDTH, Answer, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import (
    Budget,
    Data,
    Errors,
    Examples,
    Keep,
    OfTables,
    Overwrite,
    Preset,
    Rule,
    Rules,
    Seed,
    Settings,
    SkipBad,
    Steps,
    allowance,
    called,
    of_data,
    rules_in,
    with_own_options,
)
from pushforward.core.preset import AUTO

if TYPE_CHECKING:
    from pushforward.app.measuring.comparing import Compared
    from pushforward.app.progress.watch import Watch


class CompareRequest(OfTables, ComputingRequest):
    """Train families under one budget, score them, and write an HTML report."""

    verb = "compare"
    data: Data
    families: Annotated[
        str | tuple[str, ...] | None,
        option("Comma-separated families; default: all five.", completes="families"),
    ] = None
    budget: Budget = None
    steps: Steps = None
    examples: Examples = None
    preset: Preset = AUTO
    settings: Settings = {}
    keep: Keep = ()
    rule: Rule = ()
    rules: Rules = None
    errors: Errors = None
    seeds: Annotated[int, option("Repeat with this many seeds.", ge=1)] = 1
    seed: Seed = 0
    output: Annotated[Path, option("Directory for the runs and the report.", "-o", "--output")] = (
        Path("runs/compare")
    )
    overwrite: Overwrite = False
    resume: Annotated[bool, option("Go on with the interrupted comparison in -o.")] = False
    skip_bad: SkipBad = False
    target: Annotated[
        str | None,
        option("Table: the column that TSTR predicts; default: the last one of classes."),
    ] = None
    measure: Annotated[
        str | None,
        option(
            "Time for all measuring: 2m, or full. Default: as long as training.", "--measure-budget"
        ),
    ] = None

    def answer(self, watch: Watch) -> ComparedModels:
        """Train, measure, report."""
        result = self.compared(watch)
        watch.say_all(result.left_out)
        return ComparedModels(result)

    def compared(self, watch: Watch) -> Compared:
        """Return the comparison with the models themselves."""
        from pushforward.app.measuring import comparing
        from pushforward.app.runs.loading import opened

        settings = of_data(
            with_own_options(
                self.settings, self.keep, self.errors, self.schema, rules_in(self.rule, self.rules)
            )
        )
        allowed = allowance(self.budget, self.steps, self.examples)
        with watch.busy(f"reading {called(self.data)}"):
            dataset = opened(self.data, settings, skip_bad=self.skip_bad)
        watch.of_data(dataset)
        with watch.meter("choosing sizes") as shown:
            plan = comparing.ComparisonPlan(
                budget=allowed,
                families=_named(self.families),
                preset=self.preset,
                settings=settings,
                seed=self.seed,
                seeds=self.seeds,
                measure=self.measure,
                target=self.target,
                command=watch.command,
            )
            tell = comparing.Callbacks(shown.note, shown.watch, shown.stage)
            return comparing.compare(dataset, plan, self.output, self.overwrite, self.resume, tell)


def _named(families: str | tuple[str, ...] | None) -> list[str] | None:
    return (
        families.split(",")
        if isinstance(families, str) and families
        else list(families)
        if families
        else None
    )


class ComparedModels(Answer):
    """Models beside each other, and the report of them."""

    def __init__(self, result: Compared) -> None:
        self.result = result

    def json(self) -> dict[str, Any]:
        """Return the comparison's whole record."""
        return self.result.comparison.to_json()

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield the verdict and the scorecard."""
        from pushforward.reports.page.plain import to_verdict

        yield to_verdict(self.result.comparison)

    def leave(self, watch: Watch) -> None:
        """Say where the report is, which was written with the runs."""
        from pushforward.app.measuring.kept import REPORT

        if self.result.path is not None:
            watch.say(f"report: {self.result.path / REPORT}")
