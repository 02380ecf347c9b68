"""What `sweep` does: measure, then print the table and write the page."""

from __future__ import annotations

from pathlib import Path

from pushforward.app.measuring import sweeping
from pushforward.core.errors import BadInput
from pushforward.faces.cli.output import out, out_json, show_and_write
from pushforward.faces.cli.progress import meter
from pushforward.report.page.render import write_report
from pushforward.report.page.sweep_page import render, to_markdown


def sweep(
    run: Path,
    calls: str,
    solvers: list[str],
    data: str | None,
    n: int | None,
    output: Path | None,
    seed: int,
    json: bool,
) -> None:
    """Measure every solver at every number of calls."""
    if output is not None and output.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"-o {output}", "a file that ends in .html")
    try:
        budgets = [int(part) for part in calls.split(",")]
    except ValueError:
        raise BadInput(f"--calls {calls}", "numbers with commas between them, such as 4,8,16") from None
    with meter(f"reading {run}") as shown:
        found = sweeping.sweep(run, budgets, solvers, data, n, seed, shown.stage(f"sampling {run.name}"))

    def show() -> None:
        if json:
            out_json(found.to_json())
        else:
            out(to_markdown(found))

    show_and_write(show, lambda path: write_report(path, render(found)), output, "picture and table")
