"""The command line: typer commands that call `app` and print.

Two ideas: nothing heavy is imported before a command runs, so that help is instant; data goes to stdout, everything else to stderr,
and bad input ends in one sentence and exit status 2.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from pushforward.faces.cli import measuring, using
from pushforward.faces.cli.conditioning import (
    ClassifierPath,
    Guide,
    Interval,
    Mask,
    NoiseLevel,
    Observed,
    Operator,
    Paint,
    Posterior,
    Repeats,
    Rescale,
    Start,
    Strength,
)
from pushforward.faces.cli.course import course_app
from pushforward.faces.cli.distilling import distil
from pushforward.faces.cli.options import (
    Budget,
    Debug,
    Errors,
    Examples,
    JsonFlag,
    Keep,
    Overwrite,
    Preset,
    Seed,
    Settings,
    Steps,
    budget_from,
    data_options,
)
from pushforward.faces.cli.outputs import guard
from pushforward.faces.cli.words import unstoppable_words

OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO)
app = typer.Typer(
    name="pushforward",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(
    help="List and describe data: built-in names, folders of pictures or texts, .npz, .npy, IDX, "
    ".csv, .tsv, .parquet, .feather, .json, .jsonl, .txt, and packed tables (docs/data.md).",
    no_args_is_help=True,
)
app.add_typer(data_app, name="data")
app.add_typer(course_app, name="course")


@app.callback()
def common(
    no_limits: Annotated[
        bool, typer.Option("--no-limits", help="Do what was asked even if it is larger than the stated limits.")
    ] = False,
) -> None:
    """Train, sample, score and honestly compare five families of generative models on your own data."""
    if no_limits:
        from pushforward.core.limits import lift

        lift()


@app.command()
def compare(
    data: Annotated[str, typer.Argument(help="Built-in name, file or folder.")],
    families: Annotated[str | None, typer.Option(help="Comma-separated families; default: all five.")] = None,
    budget: Budget = None,
    steps: Steps = None,
    examples: Examples = None,
    preset: Preset = "cpu",
    settings: Settings = None,
    keep: Keep = None,
    errors: Errors = None,
    seeds: Annotated[int, typer.Option(min=1, help="Repeat with this many seeds.")] = 1,
    seed: Seed = 0,
    output: Annotated[Path, typer.Option("-o", "--output", help="Directory for the runs and the report.")] = Path(
        "runs/compare"
    ),
    overwrite: Overwrite = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the interrupted comparison in -o.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave unreadable files out and count them.")] = False,
    measure: Annotated[
        str | None,
        typer.Option("--measure-budget", help="Time for all measuring: 2m, or full. Default: as long as training."),
    ] = None,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Train families under one budget, score them, and write an HTML report."""
    from pushforward.faces.cli import commands

    chosen = families.split(",") if families else None
    spent, of_data = budget_from(budget, steps, examples), data_options(settings, keep, errors)
    commands.compare(
        data, chosen, spent, preset, of_data, seed, seeds, output, overwrite, resume, skip_bad, measure, json
    )


@app.command()
def train(
    family: Annotated[str, typer.Argument(help="autoregressive, flow, vae, gan or diffusion.")],
    data: Annotated[str, typer.Argument(help="Built-in name, file or folder.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Run directory.")] = None,
    budget: Budget = None,
    steps: Steps = None,
    examples: Examples = None,
    preset: Preset = "cpu",
    settings: Settings = None,
    keep: Keep = None,
    errors: Errors = None,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in -o.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be trained and stop.")] = False,
    overwrite: Overwrite = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave unreadable files out and count them.")] = False,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Train one family into a run directory."""
    from pushforward.faces.cli import commands

    chosen, wanted = budget_from(budget, steps, examples), data_options(settings, keep, errors)
    commands.train(family, data, output, chosen, preset, wanted, seed, resume, dry_run, overwrite, skip_bad, json)


@app.command()
def average(
    run: Annotated[Path, typer.Argument(help="Run trained with -s train.ema_snapshots=16.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The new run directory.")],
    width: Annotated[float | None, typer.Option(help="Standard deviation as a share of training, such as 0.1.")] = None,
    best: Annotated[bool, typer.Option("--best", help="Take the width that is best on validation data.")] = False,
    widths: Annotated[str | None, typer.Option(help="Comma-separated widths for --best to choose from.")] = None,
    step: Annotated[int | None, typer.Option(help="As if training had ended at this step.")] = None,
    overwrite: Overwrite = False,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Average the weights of a run over another share of its training, chosen afterwards."""
    from pushforward.faces.cli import averaging

    averaging.average(run, output, width, best, widths, step, overwrite, json)


@app.command()
def sample(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="Run directory.")],
    n: Annotated[int | None, typer.Option("-n", help="How many; default: 64.")] = None,
    given: Annotated[str | None, typer.Option(help="Condition: a class, column=value,... or a prompt.")] = None,
    context: Annotated[
        str | None, typer.Option(help="What it is about: a text; numbers or an .npy for images.")
    ] = None,
    guidance: Annotated[float | None, typer.Option(help="Classifier-free guidance weight; 1 is off.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of an iterative sampler.")] = None,
    solver: Annotated[str | None, typer.Option(help="Name of the solver.")] = None,
    eta: Annotated[float | None, typer.Option(help="Share of fresh noise, for solvers that have some.")] = None,
    grid: Annotated[str | None, typer.Option(help="Spacing of its steps: karras, log-snr, time, ddpm-1000...")] = None,
    path: Annotated[str | None, typer.Option(help="Walk another path than that of training, such as cosine.")] = None,
    tolerance: Annotated[float | None, typer.Option(help="Error of a step, for a solver that chooses its own.")] = None,
    temperature: Annotated[float | None, typer.Option(help="1 is the model's distribution.")] = None,
    length: Annotated[int | None, typer.Option(help="Tokens of text to generate; default: one window.")] = None,
    top_k: Annotated[int | None, typer.Option("--top-k", help="Draw among the k most probable tokens only.")] = None,
    top_p: Annotated[float | None, typer.Option("--top-p", help="... among the fewest that reach this share.")] = None,
    min_p: Annotated[float | None, typer.Option("--min-p", help="... among those of this share of the best.")] = None,
    typical: Annotated[float | None, typer.Option(help="... among the most typical that reach this share.")] = None,
    repetition_penalty: Annotated[
        float | None, typer.Option("--repetition-penalty", help="Above 1: what occurred gets less probable.")
    ] = None,
    stop: Annotated[list[str] | None, typer.Option(help="Text: end at this string; may be repeated.")] = None,
    match: Annotated[str | None, typer.Option(help="Text: a regular expression for the whole text.")] = None,
    one_of: Annotated[list[str] | None, typer.Option("--one-of", help="Text: allow this string; repeat it.")] = None,
    beams: Annotated[int | None, typer.Option(min=1, help="Text: print the best texts of a beam search.")] = None,
    draft: Annotated[Path | None, typer.Option(help="Text: a smaller run that proposes tokens.")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Text: print one text as it comes.")] = False,
    guide: Guide = None,
    guidance_interval: Interval = None,
    guidance_rescale: Rescale = None,
    classifier: ClassifierPath = None,
    observed: Observed = None,
    mask: Mask = None,
    operator: Operator = None,
    noise: NoiseLevel = None,
    posterior: Posterior = None,
    inpainting: Paint = None,
    repeats: Repeats = None,
    start: Start = None,
    strength: Strength = None,
    seed: Seed = 0,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="Images and points: .png, .npz, .npy, .csv, or a folder of images (its name may end in /). Tables: .csv, .tsv, "
            ".json, .jsonl, .parquet, .feather, also packed (.csv.gz). Text: .txt, .jsonl.",
        ),
    ] = None,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Draw samples from a run."""
    from pushforward.faces.cli import drawing

    drawing.choose(ctx.params)


@app.command("train-classifier")
def train_classifier(
    run: Annotated[Path, typer.Argument(help="Diffusion run on images or points.")],
    data: Annotated[str, typer.Argument(help="Labelled data of its space.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Directory for the classifier.")],
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps.")] = 1000,
    width: Annotated[int, typer.Option(min=4, help="Channels (images) or features (points) of its network.")] = 32,
    seed: Seed = 0,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Train a classifier of noisy examples, for `sample RUN --given CLASS --classifier DIRECTORY`."""
    from pushforward.faces.cli import conditioning

    conditioning.train_classifier(run, data, output, steps, width, seed, json)


for command in (distil, *measuring.COMMANDS, *using.COMMANDS):
    app.command()(command)
app.command("distill", hidden=True)(distil)


@app.command()
def explain(
    target: Annotated[str, typer.Argument(help="A family or a run directory.")],
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Say what is optimised, what kind of likelihood there is, what to look at and what it costs."""
    from pushforward.faces.cli import commands

    commands.explain(target, json)


@app.command()
def families(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print one wide table in Markdown.")] = False,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Print what each family can honestly do."""
    from pushforward.faces.cli import commands

    commands.families(markdown, json)


@app.command()
def cite(
    target: Annotated[str, typer.Argument(help="A family or a run directory.")],
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Print the references of a family or run."""
    from pushforward.faces.cli import commands

    commands.cite(target, json)


@data_app.command("list")
def data_list(json: JsonFlag = False, debug: Debug = False) -> None:
    """List the built-in data."""
    from pushforward.faces.cli import commands

    commands.data_list(json)


@data_app.command("describe")
def data_describe(
    data: Annotated[str, typer.Argument(help="Built-in name, file or folder.")],
    settings: Settings = None,
    keep: Keep = None,
    errors: Errors = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave unreadable files out and count them.")] = False,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Say what the sniffer made of some data, and why."""
    from pushforward.faces.cli import commands

    commands.data_describe(data, data_options(settings, keep, errors), skip_bad, json)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; the entry point of `pushforward`."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    # it belongs to no verb, and is understood behind all of them
    given = ["--no-limits", *(word for word in given if word != "--no-limits")] if "--no-limits" in given else given
    # threads that spin long at barriers take 40 times as long when another process wants a core, threads that sleep at once
    # twice as long when none does (LOG.md); read when torch is loaded
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")
    with unstoppable_words():
        _run(given, debug)


def _run(given: list[str], debug: bool) -> None:
    try:
        command = guard(typer.main.get_command(app))
        status = command.main(args=given, prog_name="pushforward", standalone_mode=False) or 0
        if sys.stdout is not None:
            sys.stdout.flush()  # what was printed has arrived before the command counts as done
        sys.exit(status)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except BrokenPipeError:
        _silence()
        sys.exit(0)
    except Exception as error:
        if debug:
            raise
        sys.exit(_complain(error))


def _silence() -> None:
    """Send what is left of the output nowhere, or Python tries once more when it ends, and has the last word."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage(error: Any) -> int:
    """Say what was wrong with the words themselves; typer's own boxes are not one sentence."""
    if type(error).__name__ == "NoArgsIsHelpError":  # the help was printed before it was raised
        return 2
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "pushforward"
    print(f"pushforward: {' '.join(error.format_message().split()).rstrip('.')}; see `{where} --help`", file=sys.stderr)  # noqa: T201
    return 2


def _complain(error: Any) -> int:
    # typer's exceptions moved between its releases and click; all of them can format themselves
    if hasattr(error, "format_message"):
        return _usage(error)
    if type(error).__name__ == "Abort":
        return 130
    from pushforward.core.errors import PushforwardError

    if isinstance(error, PushforwardError):
        print(f"pushforward: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_status
    if isinstance(error, OSError) and error.errno in OF_THE_DISK:
        _silence()
        what = "standard output" if error.filename is None else f"'{str(error.filename)[:80]}'"
        said = f"could not write to {what} ({error.strerror}): expected a place with free space that can be written"
        print(f"pushforward: {said}", file=sys.stderr)  # noqa: T201
        return 1
    if isinstance(error, OSError) and error.filename is not None:
        # a path that no system call takes, or a folder that may not be read: somebody's words, not our fault
        name = str(error.filename)
        shown = name if len(name) <= 80 else name[:77] + "..."
        said = f"'{shown}' ({error.strerror}): expected a path that can be read and written"
        print(f"pushforward: {said}", file=sys.stderr)  # noqa: T201
        return 2
    sentence = str(error).splitlines()[0] if str(error) else ""
    print(  # noqa: T201
        f"pushforward: internal error {type(error).__name__}: {sentence}; run again with --debug for the traceback",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    main()
