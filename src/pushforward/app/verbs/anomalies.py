"""Which examples are strange to a run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pushforward.app.request import WIDTH, Answer, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import OfRun, Seed, Source
from pushforward.core.errors import BadInput

if TYPE_CHECKING:
    from pushforward.app.measuring.detecting import Detected
    from pushforward.app.progress.watch import Watch


class AnomaliesRequest(ComputingRequest):
    """Say which examples are strange to a run, and what to doubt about that."""

    verb = "anomalies"
    run: Annotated[
        OfRun, argument("Run directory of a family with a likelihood.", completes="runs")
    ]
    data: Annotated[
        Source,
        argument(
            "Examples in question: built-in name (its test split), file or folder.",
            completes="data",
        ),
    ]
    estimator: Annotated[
        str | None, option("Default: the family's first.", completes="estimators")
    ] = None
    n: Annotated[int, option("Most held-out examples to compare with.", "-n", ge=40)] = 1000
    output: Annotated[
        Path | None, option("Every example's scores as .csv or .json.", "-o", "--output")
    ] = None
    own: Annotated[
        Source | None,
        option(
            "Where the run's own data are; default: where they were.", "--data", completes="data"
        ),
    ] = None
    seed: Seed = 0

    def answer(self, watch: Watch) -> StrangeExamples:
        """Score the examples in question, and held-out ones."""
        from pushforward.app.measuring.detecting import detect

        if self.output is not None and self.output.suffix.lower() not in (".csv", ".json"):
            raise BadInput(f"-o {self.output}", "a file that ends in .csv or .json")
        with watch.busy(f"scoring {self.data} and held-out examples"):
            found = detect(
                self.run,
                self.data,
                estimator=self.estimator,
                n=self.n,
                seed=self.seed,
                own=self.own,
            )
        return StrangeExamples(found, self.output)


class StrangeExamples(Answer):
    """Every example in question with the share of held-out ones that are as strange."""

    def __init__(self, found: Detected, output: Path | None = None) -> None:
        self.found, self.output = found, output
        self.table = found.table()

    def json(self) -> dict[str, Any]:
        """Return how well each score tells them from held-out ones, and every example's."""
        found = self.found
        facts = {
            "heldout": found.heldout,
            "auc": [score.to_json() for score in found.told],
            "shares": self.shares,
            "warning": found.found.warning,
        }
        return {**facts, "notes": list(found.notes), "examples": self.table}

    @property
    def shares(self) -> dict[str, float]:
        """The share of the examples that each score flags."""
        from pushforward.app.measuring.detecting import FLAG

        return {name: float((p <= FLAG).mean()) for name, p in self.found.found.p_values.items()}

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield notes, areas under the curve, shares, the strangest, and what to doubt."""
        from pushforward.app.measuring.detecting import FLAG
        from pushforward.reports.terminal.score_lines import score_line

        found, table = self.found, self.table
        for note in found.notes:
            yield f"note: {note}"
        for score in found.told:
            yield score_line(score)
        for name, share in self.shares.items():
            yield f"{name}: {share:.1%} of {len(table)} examples have p <= {FLAG:g}; {FLAG:.0%} of held-out ones do"
        yield f"flagged by all: {int(found.flagged().sum())} of {len(table)}"
        strangest = sorted(
            table, key=lambda entry: max(v for k, v in entry.items() if k.startswith("p, "))
        )[:5]
        yield "strangest: " + ", ".join(str(entry["example"]) for entry in strangest)
        yield f"warning: {found.found.warning}"

    def leave(self, watch: Watch) -> None:
        """Write every example's scores."""
        from pushforward.core.files import write_json, write_text

        if self.output is None:
            return
        if self.output.suffix.lower() == ".json":
            write_json(self.output, self.table)
        else:
            buffer = io.StringIO()
            writer = csv.DictWriter(buffer, list(self.table[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.table)
            write_text(self.output, buffer.getvalue())
        watch.say(f"written: {self.output}")
