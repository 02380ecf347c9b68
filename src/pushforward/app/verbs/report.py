"""Write one offline page for one or several runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pushforward.app.request import Said, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import Runs, Seed
from pushforward.core.errors import BadInput

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch
    from pushforward.reports.records import Comparison


class ReportRequest(ComputingRequest):
    """Write one offline HTML page for one or several runs."""

    verb = "report"
    runs: Annotated[
        Runs,
        argument("Run directories, or one comparison directory.", completes="runs", min_length=1),
    ]
    output: Annotated[Path, option("The page (.html) or the tables (.md).", "-o", "--output")] = (
        Path("report.html")
    )
    seed: Seed = 0

    def answer(self, watch: Watch) -> Said:
        """Compare the runs, where nobody has, and write the page."""
        from pushforward.reports.page.plain import to_markdown
        from pushforward.reports.page.render import render, write_report

        suffix = self.output.suffix.lower()
        if suffix not in (".html", ".htm", ".md"):
            raise BadInput(f"-o {self.output}", "a file that ends in .html or .md")
        comparison = self._comparison(watch)
        write_report(
            self.output, to_markdown(comparison) if suffix == ".md" else render(comparison)
        )
        found = {"report": str(self.output), "models": [row.name for row in comparison.models]}
        return Said(found, str(self.output))

    def _comparison(self, watch: Watch) -> Comparison:
        from pushforward.app.measuring import kept
        from pushforward.app.measuring.comparing import compare_runs

        if len(self.runs) == 1 and (self.runs[0] / kept.COMPARISON).is_file():
            return kept.load_comparison(self.runs[0])
        with watch.meter("reading " + ", ".join(map(str, self.runs))) as shown:
            return compare_runs(list(self.runs), self.seed, stage=shown.stage, announce=shown.note)
