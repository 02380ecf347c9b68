"""What `evaluate` does: measure, print, and write what the name of the file asks for."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from pushforward.app.measuring import evaluating
from pushforward.app.measuring.evaluating import Evaluated
from pushforward.core.errors import BadInput
from pushforward.core.files import write_json, write_text
from pushforward.evaluation.cards.aspects import ASPECTS, OTHER, aspect_of
from pushforward.evaluation.cards.power import Detection
from pushforward.faces.cli.commands import data_settings
from pushforward.faces.cli.layout import hanging, width
from pushforward.faces.cli.options import option_values, refuse_ignored
from pushforward.faces.cli.output import out, out_json, show_and_write
from pushforward.faces.cli.progress import meter, sampling_bar
from pushforward.faces.cli.score_table import score_table
from pushforward.report.page import power_page as powers
from pushforward.report.page.flat import to_csv
from pushforward.report.page.plain import called, to_markdown
from pushforward.report.page.render import render, write_report

FORMATS = (".json", ".csv", ".md", ".html", ".htm")


def evaluate(
    run: Path | None,
    data: str | None,
    samples: Path | None,
    reference: str | None,
    n: int | None,
    settings: list[str],
    features: list[str],
    rules: list[str],
    sampling: list[str],
    split: str | None,
    power: bool,
    output: Path | None,
    skip_bad: bool,
    parzen: bool,
    seed: int,
    json: bool,
) -> None:
    """Score samples against held-out data, or say what could be seen at this size."""
    if output is not None and output.suffix.lower() not in FORMATS:
        raise BadInput(f"-o {output}", "a file that ends in " + ", ".join(FORMATS))
    of_samples = {"--split": split, "--skip-bad": skip_bad, "--parzen": parzen}
    of_run = {"--with": sampling or None}
    if power:
        refuse_ignored("--power", {**of_samples, **of_run, "--samples": samples, "--rule": rules or None, "DATA": data})
        _power(run, reference, n, settings, features, output, seed, json)
        return
    command = _command()
    if samples is not None:
        if reference is None or run is not None:
            raise BadInput("--samples", "--reference DATA and no RUN", "name the data the samples should look like")
        refuse_ignored("--samples", of_run)
        read = data_settings(settings)
        with meter(f"reading {reference}") as shown:
            found = evaluating.evaluate_samples(
                samples, reference, seed, n, read, features, split, skip_bad, parzen, rules, command, shown.stage
            )
    elif run is None:
        raise BadInput("nothing to evaluate", "a RUN, or --samples FILE --reference DATA")
    else:
        refuse_ignored("a RUN", {**of_samples, "-s": settings or None, "--reference": reference}, "--samples FILE")
        options = option_values(sampling, "--with")
        with meter(f"reading {run}") as shown:
            found = evaluating.evaluate_run(run, data, n, seed, features, rules, options, command, shown.stage)
    show_and_write(lambda: _print(found, json), lambda path: _write(path, found), output, "written")


def _write(path: Path, found: Evaluated) -> None:
    suffix = path.suffix.lower()
    if suffix == ".json":
        write_json(path, found.record)
    elif suffix == ".csv":
        write_text(path, to_csv(found.comparison))
    elif suffix == ".md":
        write_text(path, to_markdown(found.comparison))
    else:
        write_report(path, render(found.comparison))


def _print(found: Evaluated, json: bool) -> None:
    record = found.record
    if json:
        out_json(record)
        return
    out(hanging(record["verdict"]["sentence"], width(), 0))
    out(hanging(record["compared"]["sentence"][0].upper() + record["compared"]["sentence"][1:] + ".", width(), 0))
    for text in record.get("notes", ()):
        out(hanging(f"note: {text}", width()))
    for topic in ("Beside real data", "Too good", "Privacy", "Floor", "Blind"):
        for statement in record["verdict"]["statements"]:
            if statement["topic"] == topic:
                out(hanging(f"{called(topic).lower()}: {statement['text']}", width()))
    out("")
    scores = found.scores
    for aspect in (OTHER, *ASPECTS):
        mine = [score for score in scores if aspect_of(score.name) == aspect]
        if mine:
            out(f"{(aspect if aspect != OTHER else 'likelihood').upper()}\n{score_table(mine, width())}\n")
    for key in ("no_likelihood", "memorisation"):
        if key in record:
            text = record[key]["sentence"] if isinstance(record[key], dict) else record[key]
            out(hanging(f"{key.replace('_', ' ')}: {text}", width()))
    for key, word in (("flags", "flag"), ("left_out", "note")):
        for text in record.get(key, ()):
            out(hanging(f"{word}: {text}", width()))


def _power(
    run: Path | None,
    reference: str | None,
    n: int | None,
    settings: list[str],
    features: list[str],
    output: Path | None,
    seed: int,
    json: bool,
) -> None:
    source = reference if run is None else str(run)
    if source is None or (run is not None and reference is not None):
        raise BadInput("--power", "the data alone: `evaluate --power --reference DATA`", "damage needs no samples")
    with sampling_bar(f"damaging held-out examples of {source}") as step:
        dataset, found = evaluating.detection_power(source, n, seed, features, data_settings(settings), step=step)

    def show() -> None:
        if json:
            out_json(powers.to_json(dataset.name, found))
        else:
            out(powers.to_markdown(dataset.name, found))

    show_and_write(show, lambda path: _write_power(path, dataset.name, found), output, "written")


def _write_power(path: Path, name: str, found: Sequence[Detection]) -> None:
    suffix = path.suffix.lower()
    if suffix == ".json":
        write_json(path, powers.to_json(name, found))
    elif suffix == ".csv":
        write_text(path, powers.to_csv(found))
    elif suffix == ".md":
        write_text(path, powers.to_markdown(name, found))
    else:
        write_text(path, powers.to_html(name, found, _command()))


def _command() -> str:
    return "pushforward " + shlex.join(sys.argv[1:])
