"""Average the weights of a run over another share of its training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pushforward.app.request import WIDTH, Answer, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import OfRun, Overwrite, numbers_in
from pushforward.core.errors import BadInput

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch
    from pushforward.app.runs.averaging import Averaged, WidthTrial


class AverageRequest(ComputingRequest):
    """Average the weights of a run over another share of its training, chosen afterwards."""

    verb = "average"
    run: Annotated[OfRun, argument("Run trained with -s train.ema_snapshots=16.", completes="runs")]
    output: Annotated[Path, option("The new run directory.", "-o", "--output")]
    width: Annotated[
        float | None, option("Standard deviation as a share of training, such as 0.1.")
    ] = None
    best: Annotated[bool, option("Take the width that is best on validation data.")] = False
    widths: Annotated[str | None, option("Comma-separated widths for --best to choose from.")] = (
        None
    )
    step: Annotated[int | None, option("As if training had ended at this step.")] = None
    overwrite: Overwrite = False

    def answer(self, watch: Watch) -> AveragedRun:
        """Average, and leave the new run."""
        from pushforward.app.runs.averaging import average

        if (self.width is not None) == self.best:
            raise BadInput(
                "both --width and --best" if self.best else "no width", "--width W or --best"
            )
        if self.widths is not None and not self.best:
            raise BadInput("--widths without --best", "--best", "leave --widths out")
        widths = None if self.widths is None else numbers_in(self.widths, "--widths")
        with watch.busy(f"averaging {self.run}"):
            done = average(
                self.run,
                self.output,
                self.width,
                widths=widths,
                step=self.step,
                overwrite=self.overwrite,
            )
        return AveragedRun(done)


class AveragedRun(Answer):
    """A run of averaged weights, and the widths that were tried."""

    def __init__(self, done: Averaged) -> None:
        self.done = done

    def json(self) -> dict[str, Any]:
        """Return the run, its width and what the others would have been."""
        return self.done.to_json()

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield the trials as a table, and where the run is."""
        from pushforward.reports.terminal.layout import markdown_table

        if self.done.best is not None:
            yield markdown_table([trial_row(t) for t in self.done.trials])
        yield str(self.done.path)

    def leave(self, watch: Watch) -> None:
        """Say what was chosen."""
        done = self.done
        if done.best is not None:
            watch.say(f"{done.held_out_name}: best at width {done.width:g}")
        watch.say(
            f"width {done.width:g} at step {done.step}: relative residual {done.residual:.1e}"
        )


def trial_row(t: WidthTrial) -> dict[str, str]:
    """Return one width and its held-out value as a row of a table."""
    return {
        "width": "kept by training" if t.width is None else f"{t.width:g}",
        "residual": "" if t.residual is None else f"{t.residual:.4f}",
        "held out": f"{t.held_out:.4f} +- {t.stderr:.4f}",
        "behind the best": f"{t.behind:.4f} +- {t.behind_stderr:.4f}",
    }
