"""Train the classifier of noisy examples that guides a diffusion run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pushforward.app.request import Said, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import OfRun, Seed, Source

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch


class TrainClassifierRequest(ComputingRequest):
    """Train a classifier of noisy examples, for `sample RUN --given CLASS --classifier
    DIRECTORY`."""

    verb = "train-classifier"
    run: Annotated[OfRun, argument("Diffusion run on images or points.", completes="runs")]
    data: Annotated[Source, argument("Labelled data of its space.", completes="data")]
    output: Annotated[Path, option("Directory for the classifier.", "-o", "--output")]
    steps: Annotated[int, option("Optimiser steps.", ge=1)] = 1000
    width: Annotated[
        int, option("Channels (images) or features (points) of its network.", ge=4)
    ] = 32
    seed: Seed = 0

    def answer(self, watch: Watch) -> Said:
        """Train it, and say what it can tell apart at which noise."""
        from pushforward.app.runs.classifying import train_classifier

        with watch.steps(f"training a classifier for {self.run.name}") as on_step:
            found = train_classifier(
                self.run,
                self.data,
                self.output,
                steps=self.steps,
                width=self.width,
                seed=self.seed,
                on_step=on_step,
            )
        shown = ", ".join(
            f"{100 * share:.0f} % at noise {level}" for level, share in found["accuracy"].items()
        )
        return Said(found, f"{self.output}: right about {found['n']} held-out examples: {shown}")
