"""The commands that measure: likelihoods, samples, whole runs, and quality against cost.

One idea: nothing heavy is imported before one of them runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pushforward.faces.cli.options import Debug, JsonFlag, Seed, Settings, trusting


def score(
    run: Annotated[Path, typer.Argument(help="Run directory.")],
    data: Annotated[str, typer.Argument(help="Built-in name, file or folder; of the run's own data the test split.")],
    estimator: Annotated[str | None, typer.Option(help="Default: the family's first.")] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="Monte Carlo samples of the estimator.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of an estimator that takes some.")] = None,
    split: Annotated[
        str | None,
        typer.Option(help="Of the run's own or built-in data: test (the default), validation, train or all."),
    ] = None,
    seed: Seed = 0,
    stride: Annotated[
        int | None, typer.Option(min=1, help="Text: tokens each window scores; default: half of it.")
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", min=1, help="Score so many of the examples (text: windows); default: all.")
    ] = None,
    per_token: Annotated[bool, typer.Option("--per-token", help="Text: print every token's log-probability.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Per-example nats as .csv, .npy or .json.")
    ] = None,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Log-likelihood of data under a run, with its kind and unit."""
    from pushforward.faces.cli import commands

    commands.score(run, data, estimator, samples, split, seed, stride, steps, n, per_token, output, json)


def evaluate(
    run: Annotated[Path | None, typer.Argument(help="Run directory.")] = None,
    data: Annotated[str | None, typer.Argument(help="Reference data; default: the run's own test split.")] = None,
    samples: Annotated[Path | None, typer.Option(help="Samples made by any other tool: a file or a folder.")] = None,
    reference: Annotated[str | None, typer.Option(help="Reference data for --samples or --power.")] = None,
    n: Annotated[
        int | None, typer.Option("-n", min=2, help="Samples to compare; default: as many as the reference.")
    ] = None,
    settings: Settings = None,
    features: Annotated[
        list[str] | None,
        typer.Option(help="Features by name, such as pixels, pca-32, own, inception:FILE; may be repeated."),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run TorchScript in a file of --features: code that may do anything.")
    ] = False,
    rule: Annotated[
        list[str] | None, typer.Option(help="Table: what every row must fulfil, such as 'age >= 17'; may be repeated.")
    ] = None,
    sampling: Annotated[
        list[str] | None, typer.Option("--with", help="With a RUN: key=value of sampling, such as guidance=3.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="With --samples: test (default), validation or train.")] = None,
    power: Annotated[bool, typer.Option("--power", help="Say which damage to DATA would be seen, by what.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Also write .json, .csv, .md or .html.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave unreadable files out and count them.")] = False,
    parzen: Annotated[
        bool, typer.Option("--parzen", help="Also the historical Parzen window, which misleads.")
    ] = False,
    seed: Seed = 0,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Score the samples of a run, or of any other tool, against held-out data."""
    from pushforward.faces.cli import evaluating

    evaluating.evaluate(
        run,
        data,
        samples,
        reference,
        n,
        settings or [],
        trusting(features or [], trust),
        rule or [],
        sampling or [],
        split,
        power,
        output,
        skip_bad,
        parzen,
        seed,
        json,
    )


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run directories, or one comparison directory.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The page (.html) or the tables (.md).")] = Path(
        "report.html"
    ),
    seed: Seed = 0,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Write one offline HTML page for one or several runs."""
    from pushforward.faces.cli import commands

    commands.report(runs, output, seed, json)


def sweep(
    run: Annotated[Path, typer.Argument(help="Run directory of a model that samples step by step.")],
    data: Annotated[str | None, typer.Argument(help="Reference data; default: the run's own test split.")] = None,
    calls: Annotated[str, typer.Option(help="Network calls per sample, with commas.")] = "4,8,16,32,64",
    solver: Annotated[list[str] | None, typer.Option(help="A solver; may be repeated. Default: all.")] = None,
    n: Annotated[
        int | None, typer.Option("-n", min=2, help="Samples for each; default: as many as the reference.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="An HTML page with picture and table.")] = None,
    seed: Seed = 0,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Measure quality against network calls, for every solver of a run."""
    from pushforward.faces.cli import sweeping

    sweeping.sweep(run, calls, solver or [], data, n, output, seed, json)


COMMANDS = (score, evaluate, report, sweep)
