"""Teach a few-step student with a trained diffusion run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pushforward.app.request import WIDTH, Answer, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import (
    Budget,
    Examples,
    OfRun,
    Overwrite,
    Seed,
    Settings,
    Steps,
    allowance,
)
from pushforward.core.errors import BadInput

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch
    from pushforward.app.runs.training import Trained


class DistilRequest(ComputingRequest):
    """Distil a diffusion run into a student that samples in 1 to 4 network calls."""

    verb, other_names = "distil", ("distill",)
    run: Annotated[
        OfRun,
        argument("Finished diffusion run on images or points: the teacher.", completes="runs"),
    ]
    output: Annotated[Path | None, option("Run directory of the student.", "-o", "--output")] = None
    budget: Budget = None
    steps: Steps = None
    examples: Examples = None
    method: Annotated[str, option("consistency or progressive.")] = "consistency"
    calls: Annotated[int | None, option("Network calls of a sample; default: 2.", ge=1)] = None
    guidance: Annotated[
        float, option("Guidance of the teacher, fixed in the student; 1 is off.")
    ] = 1.0
    data: Annotated[
        str | None,
        option("Where the teacher's data are; default: where they were.", completes="data"),
    ] = None
    settings: Settings = {}
    seed: Seed = 0
    resume: Annotated[bool, option("Continue the student in -o.")] = False
    overwrite: Overwrite = False

    def answer(self, watch: Watch) -> DistilledRun:
        """Plan the student's lessons and train it."""
        from pushforward.app.runs.distilling import distil_run
        from pushforward.app.runs.fitting import too_short
        from pushforward.app.runs.training import train

        allowed = allowance(self.budget, self.steps, self.examples)
        if self.resume and self.output is None:
            raise BadInput(
                "--resume without -o", "the run directory to continue", "name it with -o"
            )
        if "data" in self.settings:
            raise BadInput(
                "'-s data...'",
                "model.key=value or train.key=value",
                "a student reads the data of its teacher",
            )
        with watch.busy(f"reading {self.run}"):
            plan = distil_run(
                self.run,
                budget=allowed,
                method=self.method,
                calls=self.calls,
                guidance=self.guidance,
                data=self.data,
                overrides=self.settings,
                seed=self.seed,
            )
        path = self.output or Path("runs") / f"distilled-{self.run.resolve().name}"
        with watch.training(f"distilling {self.run.name}") as observe:
            trained = train(
                plan,
                path,
                resume=self.resume,
                overwrite=self.overwrite,
                observer=observe,
                announce=watch.say,
            )
        answer = DistilledRun(self, trained)
        watch.say_all((too_short(trained.record.steps, "the student"), answer.summary()))
        return answer


class DistilledRun(Answer):
    """A student that was taught."""

    def __init__(self, asked: DistilRequest, trained: Trained) -> None:
        self.asked, self.trained = asked, trained

    def json(self) -> dict[str, Any]:
        """Return where the student is, of whom, and how its training went."""
        r, asked = self.trained.record, self.asked
        fields = ("steps", "examples", "seconds", "budget", "stopped", "parameters")
        return {
            "run": str(self.trained.path),
            "teacher": str(asked.run),
            **{name: getattr(asked, name) for name in ("method", "calls", "guidance")},
            **{name: getattr(r, name) for name in fields},
            "held_out": r.held_out_name,
            "best_held_out": r.best_held_out,
            "held_out_rows": r.held_out_rows,
            "best_step": r.best_step,
        }

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield where the student is."""
        yield str(self.trained.path)

    def summary(self) -> str:
        """Return what is said of the training."""
        r = self.trained.record
        return f"distilled: {r.steps} steps in {r.seconds:.1f} s ({r.budget}, stopped by {r.stopped}){r.best}"
