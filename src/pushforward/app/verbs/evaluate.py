"""Score samples against held-out data, or say what could be seen at this size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pushforward.app.request import WIDTH, Answer, argument, option
from pushforward.app.verbs.computing import ComputingRequest
from pushforward.app.verbs.shared import (
    OfRun,
    OfTables,
    Pairs,
    Rule,
    Rules,
    SampleSource,
    Seed,
    Settings,
    SkipBad,
    Source,
    Words,
    of_data,
    refuse_ignored,
    require_suffix,
    rules_in,
    with_own_options,
)
from pushforward.core.errors import BadInput

if TYPE_CHECKING:
    from pushforward.app.measuring.evaluating import Evaluated, EvaluationSetting
    from pushforward.app.progress.watch import Watch
    from pushforward.evaluation.cards.power import Detection

FORMATS = (".json", ".csv", ".md", ".html", ".htm")
TOPICS = (
    "Beside real data",
    "Too good",
    "Privacy",
    "Floor",
    "Blind",
)  # what a terminal says of a verdict, in this order


class EvaluateRequest(OfTables, ComputingRequest):
    """Score the samples of a run, or of any other tool, against held-out data."""

    verb = "evaluate"
    run: Annotated[OfRun | None, argument("Run directory.", completes="runs")] = None
    data: Annotated[
        Source | None,
        argument("Reference data; default: the run's own test split.", completes="data"),
    ] = None
    samples: Annotated[
        SampleSource | None, option("Samples made by any other tool: a file or a folder.")
    ] = None
    reference: Annotated[
        Source | None, option("Reference data for --samples or --power.", completes="data")
    ] = None
    n: Annotated[
        int | None, option("Samples to compare; default: as many as the reference.", "-n", ge=2)
    ] = None
    settings: Settings = {}
    features: Annotated[
        Words,
        option("Features by name, such as pixels, pca-32, own, inception:FILE; may be repeated."),
    ] = ()
    trust: Annotated[
        bool, option("Run TorchScript in a file of --features: code that may do anything.")
    ] = False
    rule: Rule = ()
    rules: Rules = None
    target: Annotated[
        str | None,
        option("Table: the column that TSTR predicts; default: the last one of classes."),
    ] = None
    sampling: Annotated[
        Pairs, option("With a RUN: key=value of sampling, such as guidance=3.", "--with")
    ] = {}
    split: Annotated[str | None, option("With --samples: test (default), validation or train.")] = (
        None
    )
    power: Annotated[bool, option("Say which damage to DATA would be seen, by what.")] = False
    output: Annotated[
        Path | None, option("Also write .json, .csv, .md or .html.", "-o", "--output")
    ] = None
    skip_bad: SkipBad = False
    parzen: Annotated[bool, option("Also the historical Parzen window, which misleads.")] = False
    seed: Seed = 0

    def answer(self, watch: Watch) -> EvaluatedSamples | DetectionPower:
        """Measure the samples of a run or of a file, or damage real data and see."""
        require_suffix(self.output, FORMATS)
        features = trusting(self.features, self.trust)
        of_samples = {"--split": self.split, "--skip-bad": self.skip_bad, "--parzen": self.parzen}
        of_run = {"--with": self.sampling or None}
        if self.power:
            ignored = {
                "--samples": self.samples,
                "--rule": self.rule or None,
                "--rules": self.rules,
                "DATA": self.data,
            }
            ignored |= {"--target": self.target}
            refuse_ignored("--power", {**of_samples, **of_run, **ignored})
            return self._power(features, watch)
        if self.samples is not None:
            if self.reference is None or self.run is not None:
                raise BadInput(
                    "--samples",
                    "--reference DATA and no RUN",
                    "name the data the samples should look like",
                )
            refuse_ignored("--samples", of_run)
            return EvaluatedSamples(self._of_samples(features, watch), self.output)
        if self.run is None:
            raise BadInput("nothing to evaluate", "a RUN, or --samples FILE --reference DATA")
        ignored = {"-s": self.settings or None, "--reference": self.reference}
        ignored["--schema"] = self.schema
        refuse_ignored("a RUN", {**of_samples, **ignored}, "--samples FILE")
        return EvaluatedSamples(self._of_run(self.run, features, watch), self.output)

    def _how(self, features: list[str], watch: Watch) -> EvaluationSetting:
        from pushforward.app.measuring.evaluating import EvaluationSetting

        return EvaluationSetting(
            self.n,
            self.seed,
            features,
            list(rules_in(self.rule, self.rules)),
            self.target,
            watch.command,
        )

    def _of_samples(self, features: list[str], watch: Watch) -> Evaluated:
        from pushforward.app.measuring.evaluating import evaluate_samples

        assert self.samples is not None
        assert self.reference is not None
        settings = of_data(with_own_options(self.settings, (), None, self.schema))
        with watch.meter(f"reading {self.reference}") as shown:
            return evaluate_samples(
                self.samples,
                self.reference,
                self._how(features, watch),
                settings,
                self.split,
                self.skip_bad,
                self.parzen,
                shown.stage,
            )

    def _of_run(self, run: Path, features: list[str], watch: Watch) -> Evaluated:
        from pushforward.app.measuring.evaluating import evaluate_run

        with watch.meter(f"reading {run}") as shown:
            return evaluate_run(
                run, self.data, self._how(features, watch), self.sampling, shown.stage
            )

    def _power(self, features: list[str], watch: Watch) -> DetectionPower:
        from pushforward.app.measuring.evaluating import detection_power

        source = self.reference if self.run is None else str(self.run)
        if source is None or (self.run is not None and self.reference is not None):
            raise BadInput(
                "--power",
                "the data alone: `evaluate --power --reference DATA`",
                "damage needs no samples",
            )
        settings = of_data(with_own_options(self.settings, (), None, self.schema))
        with watch.steps(f"damaging held-out examples of {source}") as step:
            dataset, found = detection_power(
                source, self.n, self.seed, features, settings, step=step
            )
        return DetectionPower(dataset.name, found, self.output, watch.command)


def trusting(features: Sequence[str], trust: bool) -> list[str]:
    """Return names of features of which the files may be code, if they are trusted.

    Raises:
        BadInput: trust, and nothing from a file.

    Example:
        >>> trusting(["pixels", "file:net.pt"], True)
        ['pixels', 'file:net.pt,trust=true']
    """
    if trust and not any(":" in name for name in features):
        raise BadInput("--trust", "--features from a file, such as file:net.pt", "leave it out")
    return [f"{name},trust=true" if trust and ":" in name else name for name in features]


class EvaluatedSamples(Answer):
    """Samples beside real data and beside bad models, with a verdict."""

    def __init__(self, found: Evaluated, output: Path | None = None) -> None:
        self.found, self.output = found, output

    def json(self) -> dict[str, Any]:
        """Return the whole record."""
        return self.found.record

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield the verdict, what was compared, and the scores by aspect."""
        from pushforward.core.measure import LIKELIHOOD, OTHER, in_order
        from pushforward.reports.page.plain import called
        from pushforward.reports.terminal.layout import hanging
        from pushforward.reports.terminal.score_lines import score_table

        record, compared = self.found.record, self.found.record["compared"]["sentence"]
        yield hanging(record["verdict"]["sentence"], width, 0)
        yield hanging(compared[0].upper() + compared[1:] + ".", width, 0)
        for text in record.get("notes", ()):
            yield hanging(f"note: {text}", width)
        for topic in TOPICS:
            for statement in record["verdict"]["statements"]:
                if statement["topic"] == topic:
                    yield hanging(f"{called(topic).lower()}: {statement['text']}", width)
        yield ""
        scores = self.found.scores
        # a distance to a known truth and a historical number stand beside the likelihood
        aspects = [
            LIKELIHOOD if score.measure.aspect == OTHER else score.measure.aspect
            for score in scores
        ]
        for aspect in in_order(aspects):
            mine = [score for score, of in zip(scores, aspects, strict=True) if of == aspect]
            yield f"{aspect.name.upper()}\n{score_table(mine, width)}\n"
        for key in ("no_likelihood", "memorisation"):
            if key in record:
                text = record[key]["sentence"] if isinstance(record[key], dict) else record[key]
                yield hanging(f"{key.replace('_', ' ')}: {text}", width)
        for key, word in (("flags", "flag"), ("left_out", "note")):
            for text in record.get(key, ()):
                yield hanging(f"{word}: {text}", width)

    def leave(self, watch: Watch) -> None:
        """Write what the name of the file asks for."""
        from pushforward.core.files import write_json, write_text
        from pushforward.reports.page.flat import to_csv
        from pushforward.reports.page.plain import to_markdown
        from pushforward.reports.page.render import render, write_report

        if self.output is None:
            return
        suffix, comparison = self.output.suffix.lower(), self.found.comparison
        if suffix == ".json":
            write_json(self.output, self.found.record)
        elif suffix == ".csv":
            write_text(self.output, to_csv(comparison))
        elif suffix == ".md":
            write_text(self.output, to_markdown(comparison))
        else:
            write_report(self.output, render(comparison))
        watch.say(f"written: {self.output}")


class DetectionPower(Answer):
    """Which damage to real data would be seen at this size, and by what."""

    def __init__(
        self, name: str, found: Sequence[Detection], output: Path | None, command: str
    ) -> None:
        self.name, self.found, self.output, self.command = name, found, output, command

    def json(self) -> dict[str, Any]:
        """Return the share of damaged samples that each measure sees."""
        from pushforward.reports.page.power_page import to_json

        return to_json(self.name, self.found)

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield the shares as a table."""
        from pushforward.reports.page.power_page import to_markdown

        yield to_markdown(self.name, self.found)

    def leave(self, watch: Watch) -> None:
        """Write what the name of the file asks for."""
        from pushforward.core.files import write_json, write_text
        from pushforward.reports.page import power_page

        if self.output is None:
            return
        suffix = self.output.suffix.lower()
        if suffix == ".json":
            write_json(self.output, self.json())
        elif suffix == ".csv":
            write_text(self.output, power_page.to_csv(self.found))
        elif suffix == ".md":
            write_text(self.output, power_page.to_markdown(self.name, self.found))
        else:
            write_text(self.output, power_page.to_html(self.name, self.found, self.command))
        watch.say(f"written: {self.output}")
