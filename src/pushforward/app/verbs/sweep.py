"""Quality against network calls, for every solver of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pushforward.app.request import WIDTH, Answer, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import OfRun, Seed, Source, Words
from pushforward.core.errors import BadInput

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch
    from pushforward.reports.page.sweep_page import Sweep as Swept


class SweepRequest(ComputingRequest):
    """Measure quality against network calls, for every solver of a run."""

    verb = "sweep"
    run: Annotated[
        OfRun, argument("Run directory of a model that samples step by step.", completes="runs")
    ]
    data: Annotated[
        Source | None,
        argument("Reference data; default: the run's own test split.", completes="data"),
    ] = None
    calls: Annotated[str, option("Network calls per sample, with commas.")] = "4,8,16,32,64"
    solver: Annotated[
        Words, option("A solver; may be repeated. Default: all.", completes="solvers")
    ] = ()
    n: Annotated[
        int | None, option("Samples for each; default: as many as the reference.", "-n", ge=2)
    ] = None
    output: Annotated[
        Path | None, option("An HTML page with picture and table.", "-o", "--output")
    ] = None
    seed: Seed = 0

    def answer(self, watch: Watch) -> SweptSolvers:
        """Measure every solver at every number of calls."""
        from pushforward.app.measuring.sweeping import sweep

        if self.output is not None and self.output.suffix.lower() not in (".html", ".htm"):
            raise BadInput(f"-o {self.output}", "a file that ends in .html")
        try:
            budgets = [int(part) for part in self.calls.split(",")]
        except ValueError:
            raise BadInput(
                f"--calls {self.calls}", "numbers with commas between them, such as 4,8,16"
            ) from None
        with watch.meter(f"reading {self.run}") as shown:
            told = shown.stage(f"sampling {self.run.name}")
            found = sweep(self.run, budgets, list(self.solver), self.data, self.n, self.seed, told)
        return SweptSolvers(found, self.output)


class SweptSolvers(Answer):
    """How good samples are for so many network calls."""

    def __init__(self, found: Swept, output: Path | None = None) -> None:
        self.found, self.output = found, output

    def json(self) -> dict[str, Any]:
        """Return every solver's scores."""
        return self.found.to_json()

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield the table."""
        from pushforward.reports.page.sweep_page import to_markdown

        yield to_markdown(self.found)

    def leave(self, watch: Watch) -> None:
        """Write the page."""
        from pushforward.reports.page.render import write_report
        from pushforward.reports.page.sweep_page import render

        if self.output is not None:
            write_report(self.output, render(self.found))
            watch.say(f"picture and table: {self.output}")
