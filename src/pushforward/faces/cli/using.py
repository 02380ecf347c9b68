"""The commands that put a model to use: more training data, strange examples, and what its codes know.

One idea: nothing heavy is imported before one of them runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pushforward.faces.cli.options import (
    Budget,
    Debug,
    Examples,
    JsonFlag,
    Seed,
    Settings,
    Steps,
    budget_from,
    numbers_in,
    refuse_ignored,
)

Seeds = Annotated[
    int, typer.Option(min=2, help="Draws of real examples, generator and predictor; of --samples, of the predictor.")
]


def augment(
    data: Annotated[str, typer.Argument(help="Real data with labels, or a table with --target.")],
    family: Annotated[str | None, typer.Option(help="Generator to train on every real set, such as vae.")] = None,
    samples: Annotated[Path | None, typer.Option(help="Or: samples made by any tool from all of train.")] = None,
    target: Annotated[str | None, typer.Option(help="Table: the column to predict.")] = None,
    sizes: Annotated[
        str | None, typer.Option(help="Real training examples, with commas, as in 200,50%,all; default: 10%,33%,all.")
    ] = None,
    ratios: Annotated[str | None, typer.Option(help="Synthetic for each real one, with commas; default: 1,4.")] = None,
    seeds: Seeds = 3,
    budget: Budget = None,
    steps: Steps = None,
    examples: Examples = None,
    settings: Settings = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Also write .md or .json.")] = None,
    seed: Seed = 0,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Say whether synthetic examples help to train a predictor: on real, synthetic and both, tested on real."""
    from pushforward.core.errors import BadInput
    from pushforward.faces.cli.output import out, out_json, say, show_and_write

    if (family is None) == (samples is None):
        raise BadInput("--family and --samples" if family else "no generator", "--family NAME or --samples FILE")
    if samples is not None:
        refuse_ignored("--samples", {"--sizes": sizes, "--budget": budget, "--steps": steps, "--examples": examples})
    if output is not None and output.suffix.lower() not in (".md", ".json"):
        raise BadInput(f"-o {output}", "a file that ends in .md or .json")
    table, record = _augmented(
        data,
        family,
        samples,
        {"target": target, "seeds": seeds, "seed": seed},
        [] if sizes is None else sizes.split(","),
        [] if ratios is None else numbers_in(ratios, "--ratios", "1,4"),
        budget_from(budget, steps, examples),
        settings or [],
    )
    for note in record["notes"]:
        say(f"beware: {note}")

    def write(path: Path) -> None:
        from pushforward.core.files import write_json, write_text

        if path.suffix.lower() == ".json":
            write_json(path, record)
        else:
            write_text(path, table)

    show_and_write(lambda: out_json(record) if json else out(table), write, output, "written")


def _augmented(
    data: str,
    family: str | None,
    samples: Path | None,
    options: dict[str, Any],
    sizes: list[str],
    ratios: list[float],
    budget: dict[str, float],
    settings: list[str],
) -> tuple[str, dict[str, Any]]:
    from pushforward.app.measuring.augmenting import augment_family, augment_samples
    from pushforward.core.spec import parse_settings
    from pushforward.faces.cli.progress import sampling_bar
    from pushforward.report.page.usefulness import to_json, to_markdown

    nested = parse_settings(settings)
    of_data = nested.pop("data", {})
    if samples is not None:
        refuse_ignored("--samples", {f"-s {section}...": values for section, values in nested.items()})
    with sampling_bar(f"{family or samples}: generators and predictors") as step:
        if family is not None:
            found = augment_family(
                family,
                data,
                budget=budget,
                sizes=sizes,
                ratios=ratios or (1.0, 4.0),
                settings=of_data,
                overrides=nested,
                step=step,
                **options,
            )
        else:
            assert samples is not None
            found = augment_samples(samples, data, ratios=ratios, settings=of_data, step=step, **options)
    title = f"{found.generator} on {found.data}, predicting {found.task.name}"
    record = {
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
    table = to_markdown(title, found.task.unit, found.seeds, found.test, found.found, trained=family is not None)
    beware = "".join(f"**Beware: {note}.**\n\n" for note in found.notes)
    how = f"{found.task.why}.\n\n" if found.task.why else ""
    return beware + how + table, record


def anomalies(
    run: Annotated[Path, typer.Argument(help="Run directory of a family with a likelihood.")],
    data: Annotated[str, typer.Argument(help="Examples in question: built-in name (its test split), file or folder.")],
    estimator: Annotated[str | None, typer.Option(help="Default: the family's first.")] = None,
    n: Annotated[int, typer.Option("-n", min=40, help="Most held-out examples to compare with.")] = 1000,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Every example's scores as .csv or .json.")
    ] = None,
    own: Annotated[
        str | None, typer.Option("--data", help="Where the run's own data are; default: where they were.")
    ] = None,
    seed: Seed = 0,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Say which examples are strange to a run, and what to doubt about that."""
    import csv
    import io

    from pushforward.app.measuring.detecting import detect
    from pushforward.core.errors import BadInput
    from pushforward.core.files import write_json, write_text
    from pushforward.faces.cli.output import show_and_write
    from pushforward.faces.cli.progress import busy

    if output is not None and output.suffix.lower() not in (".csv", ".json"):
        raise BadInput(f"-o {output}", "a file that ends in .csv or .json")
    with busy(f"scoring {data} and held-out examples"):
        found = detect(run, data, estimator=estimator, n=n, seed=seed, own=own)

    def write(path: Path) -> None:
        table = found.table()
        if path.suffix.lower() == ".json":
            write_json(path, table)
        else:
            buffer = io.StringIO()
            writer = csv.DictWriter(buffer, list(table[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(table)
            write_text(path, buffer.getvalue())

    show_and_write(lambda: _show_anomalies(found, json), write, output, "written")


def _show_anomalies(found: Any, json: bool) -> None:
    from pushforward.app.measuring.detecting import FLAG
    from pushforward.faces.cli.output import out, out_json
    from pushforward.faces.cli.score_table import score_line

    table = found.table()
    shares = {name: float((p <= FLAG).mean()) for name, p in found.found.p_values.items()}
    if json:
        told = [score.to_json() for score in found.told]
        facts = {"heldout": found.heldout, "auc": told, "shares": shares, "warning": found.found.warning}
        out_json({**facts, "notes": list(found.notes), "examples": table})
        return
    for note in found.notes:
        out(f"note: {note}")
    for score in found.told:
        out(score_line(score))
    for name, share in shares.items():
        out(f"{name}: {share:.1%} of {len(table)} examples have p <= {FLAG:g}; {FLAG:.0%} of held-out ones do")
    out(f"flagged by all: {int(found.flagged().sum())} of {len(table)}")
    strangest = sorted(table, key=lambda entry: max(v for k, v in entry.items() if k.startswith("p, ")))[:5]
    out("strangest: " + ", ".join(str(entry["example"]) for entry in strangest))
    out(f"warning: {found.found.warning}")


def probe(
    run: Annotated[Path, typer.Argument(help="Run directory of a family with codes.")],
    data: Annotated[str | None, typer.Argument(help="Labelled data; default: the run's own.")] = None,
    n: Annotated[int, typer.Option("-n", min=20, help="Most examples to encode of train and of test.")] = 2000,
    seed: Seed = 0,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Say what a linear classifier reads off a run's codes, beside what it reads without them."""
    import math

    from pushforward.app.measuring.probing import probe_run
    from pushforward.faces.cli.output import out, out_json
    from pushforward.faces.cli.progress import busy

    with busy(f"encoding with {run}"):
        found = probe_run(run, data, n, seed)
    if json:
        records = [
            {**p.accuracy.to_json(), "width": p.width, "p_value": None if math.isnan(p.p_value) else p.p_value}
            for p in found.probes
        ]
        out_json({"codes": found.kind, "conditional": found.conditional, "notes": list(found.notes), "probes": records})
        return
    for note in found.notes:
        out(f"note: {note}")
    for p in found.probes:
        s = p.accuracy
        against = "" if math.isnan(p.p_value) else f"; p of being as good as the codes {p.p_value:.2g}"
        out(f"{p.name}, {p.width} dimensions: {s.value:.3f} [{s.low:.3f}, {s.high:.3f}] right (n = {s.n}){against}")
    out(f"the commonest class alone: {found.probes[0].accuracy.null:.3f}")
    if found.conditional:
        out(
            "note: the run is given the label, so its codes need not hold it; train with `-s data.labels=false` to ask that"
        )


COMMANDS = (augment, anomalies, probe)
