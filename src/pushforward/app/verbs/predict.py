"""Predict a column of rows from the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pushforward.app.request import WIDTH, Answer, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import Run, Seed, Source

if TYPE_CHECKING:
    import pandas as pd

    from pushforward.app.measuring.predicting import ColumnPrediction
    from pushforward.app.progress.watch import Watch

UNCALIBRATED = 0.05  # p-value below which predictions are said not to be as sure as they claim


class PredictRequest(ComputingRequest):
    """Predict one column of a table from the others, with probabilities or quantiles."""

    verb = "predict"
    run: Run
    data: Annotated[
        Source,
        argument("File of rows; with the target in it, predictions are scored.", completes="data"),
    ]
    target: Annotated[str, option("Name of the column to predict.")]
    draws: Annotated[
        int, option("Draws of what is not known, where the law is not exact.", ge=2)
    ] = 64
    seed: Seed = 0
    output: Annotated[
        Path | None,
        option(
            "File of the rows with columns TARGET=... behind them: .csv, .parquet, ...",
            "-o",
            "--output",
        ),
    ] = None

    def answer(self, watch: Watch) -> PredictedColumn:
        """Compute the law of the target for every row, and score it where the truth is there."""
        from pushforward.app.measuring.predicting import predict
        from pushforward.app.runs.fitting import hardly_trained
        from pushforward.app.runs.rows_with_gaps import table_run

        run = table_run(self.run, self.verb)
        with watch.steps(f"predicting '{self.target}'") as told:
            found = predict(run, self.data, self.target, self.draws, self.seed, told)
        watch.say_all([*found.notes, hardly_trained(run.record)])
        answer = PredictedColumn(self, found)
        if self.output is None and found.scores:
            # rows go to stdout, so what a person reads goes where persons are told
            watch.say_all(answer.scored())
        return answer


class PredictedColumn(Answer):
    """The law of a column for every row, and how right it was."""

    def __init__(self, asked: PredictRequest, found: ColumnPrediction) -> None:
        self.asked, self.found = asked, found
        if asked.output is not None:
            from pushforward.core.files import write_bytes

            write_bytes(asked.output, found.table.file(asked.output))

    @property
    def frame(self) -> pd.DataFrame:
        """The rows, with the law of the target behind them."""
        return self.found.table.frame

    def json(self) -> dict[str, Any]:
        """Return how right the predictions were, and the file that holds them or the rows."""
        import json

        from pushforward.data.tables.table_bytes import json_bytes

        found, calibrated = self.found, self.found.calibrated
        facts: dict[str, Any] = {
            "target": self.asked.target,
            "rows": len(found.law),
            "exact": int(found.law.exact.sum()),
            "judged": found.judged,
            "scores": [score.to_json() for score in found.scores],
            "order_gap": found.order_gap,
            "notes": list(found.notes),
        }
        if calibrated is not None:
            facts["calibration"] = {
                "score": calibrated.score.to_json(),
                "p_value": calibrated.p_value,
                "bins": [asdict(one) for one in calibrated.bins],
            }
        if self.asked.output is not None:
            return {**facts, "files": [str(self.asked.output)]}
        return {**facts, "records": json.loads(json_bytes(self.frame))}

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield the rows as the file was written; or how right they are, and where they went."""
        if self.asked.output is None:
            yield self.found.table.text().rstrip("\r\n")
            return
        yield from self.scored(width)
        yield str(self.asked.output)

    def scored(self, width: int = WIDTH) -> Iterator[str]:
        """Yield how right the predictions were, beside what the training frequencies alone get."""
        from pushforward.reports.terminal.score_lines import score_table

        found, calibrated = self.found, self.found.calibrated
        if found.scores:
            marks = [] if calibrated is None else [calibrated.score]
            yield score_table([*found.scores, *marks], width)
            yield "real data: a perfectly calibrated model; bad model: the training frequencies alone"
        else:
            yield "no row has the target, so nothing says how right this is"
        if calibrated is not None:
            yield from _calibrated(calibrated.p_value)
            for one in calibrated.bins:
                yield (
                    f"  says {one.confidence:.1%}: true {one.true:.1%} "
                    f"({one.low:.1%} to {one.high:.1%}, n = {one.n:,})"
                )
        if found.order_gap is not None:
            yield (
                f"order of columns: probabilities differ by {found.order_gap:.4f} (mean total variation) from those of "
                "whole rows by Bayes' rule; 0 for a target that stands last, or a perfect network"
            )


def _calibrated(p_value: float) -> Iterator[str]:
    off = p_value < UNCALIBRATED
    found = "are not as sure as they say" if off else "cannot be told from calibrated ones"
    yield f"calibration: predictions {found} (p = {p_value:.3f})"
