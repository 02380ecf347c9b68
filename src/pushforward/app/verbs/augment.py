"""Whether synthetic examples help to train a predictor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pushforward.app.request import WIDTH, Answer, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import (
    Budget,
    Examples,
    OfTables,
    SampleSource,
    Seed,
    Settings,
    Source,
    Steps,
    allowance,
    numbers_in,
    refuse_ignored,
    with_own_options,
)
from pushforward.core.errors import BadInput

if TYPE_CHECKING:
    from pushforward.app.measuring.augmenting import Augmented
    from pushforward.app.progress.watch import Watch


class AugmentRequest(OfTables, ComputingRequest):
    """Say whether synthetic examples help to train a predictor: on real, synthetic and both, tested
    on real."""

    verb = "augment"
    data: Annotated[
        Source, argument("Real data with labels, or a table with --target.", completes="data")
    ]
    family: Annotated[
        str | None,
        option("Generator to train on every real set, such as vae.", completes="families"),
    ] = None
    samples: Annotated[
        SampleSource | None, option("Or: samples made by any tool from all of train.")
    ] = None
    target: Annotated[str | None, option("Table: the column to predict.")] = None
    sizes: Annotated[
        str | None,
        option("Real training examples, with commas, as in 200,50%,all; default: 10%,33%,all."),
    ] = None
    ratios: Annotated[
        str | None, option("Synthetic for each real one, with commas; default: 1,4.")
    ] = None
    seeds: Annotated[
        int,
        option(
            "Draws of real examples, generator and predictor; of --samples, of the predictor.", ge=2
        ),
    ] = 3
    budget: Budget = None
    steps: Steps = None
    examples: Examples = None
    settings: Settings = {}
    output: Annotated[Path | None, option("Also write .md or .json.", "-o", "--output")] = None
    seed: Seed = 0

    def answer(self, watch: Watch) -> AugmentedTraining:
        """Train generators and predictors, or predictors alone."""
        if (self.family is None) == (self.samples is None):
            came = "--family and --samples" if self.family else "no generator"
            raise BadInput(came, "--family NAME or --samples FILE")
        if self.samples is not None:
            ignored = {"--sizes": self.sizes, "--budget": self.budget}
            refuse_ignored(
                "--samples", {**ignored, "--steps": self.steps, "--examples": self.examples}
            )
        if self.output is not None and self.output.suffix.lower() not in (".md", ".json"):
            raise BadInput(f"-o {self.output}", "a file that ends in .md or .json")
        found = AugmentedTraining(
            self._found(watch), trained=self.family is not None, output=self.output
        )
        watch.say_all(f"beware: {note}" for note in found.found.notes)
        return found

    def _found(self, watch: Watch) -> Augmented:
        from pushforward.app.measuring.augmenting import augment_family, augment_samples

        ratios = None if self.ratios is None else numbers_in(self.ratios, "--ratios", "1,4")
        allowed = allowance(self.budget, self.steps, self.examples)
        nested = with_own_options(self.settings, (), None, self.schema)
        settings = nested.pop("data", {})
        asked = {
            "target": self.target,
            "seeds": self.seeds,
            "seed": self.seed,
            "settings": settings,
        }
        if self.samples is not None:
            refuse_ignored(
                "--samples", {f"-s {section}...": values for section, values in nested.items()}
            )
        with watch.steps(f"{self.family or self.samples}: generators and predictors") as step:
            if self.samples is not None:
                return augment_samples(
                    self.samples, self.data, ratios=ratios or [], step=step, **asked
                )
            assert self.family is not None
            return augment_family(
                self.family,
                self.data,
                budget=allowed,
                sizes=[] if self.sizes is None else self.sizes.split(","),
                ratios=ratios or (1.0, 4.0),
                overrides=nested,
                step=step,
                **asked,
            )


class AugmentedTraining(Answer):
    """What synthetic examples are worth beside real ones."""

    def __init__(self, found: Augmented, trained: bool, output: Path | None = None) -> None:
        self.found, self.trained, self.output = found, trained, output

    def json(self) -> dict[str, Any]:
        """Return what was predicted, from what, how well."""
        from pushforward.reports.page.usefulness import to_json

        found = self.found
        return {
            "data": found.data,
            "generator": found.generator,
            "target": found.task.name,
            "unit": found.task.unit,
            "task": found.task.why,
            "test": found.test,
            "seeds": found.seeds,
            "found": to_json(found.found),
            "notes": list(found.notes),
        }

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield what to beware of, the task, and the table."""
        from pushforward.reports.page.usefulness import to_markdown

        found = self.found
        title = f"{found.generator} on {found.data}, predicting {found.task.name}"
        table = to_markdown(
            title, found.task.unit, found.seeds, found.test, found.found, trained=self.trained
        )
        beware = "".join(f"**Beware: {note}.**\n\n" for note in found.notes)
        how = f"{found.task.why}.\n\n" if found.task.why else ""
        yield beware + how + table

    def leave(self, watch: Watch) -> None:
        """Write the record or the table."""
        from pushforward.core.files import write_json, write_text

        if self.output is None:
            return
        if self.output.suffix.lower() == ".json":
            write_json(self.output, self.json())
        else:
            write_text(self.output, "\n".join(self.lines()))
        watch.say(f"written: {self.output}")
