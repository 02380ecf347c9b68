"""The command that teaches a few-step student; nothing heavy is imported before it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pushforward.faces.cli.options import (
    Budget,
    Debug,
    Examples,
    JsonFlag,
    Overwrite,
    Seed,
    Settings,
    Steps,
    budget_from,
)


def distil(
    run: Annotated[Path, typer.Argument(help="Finished diffusion run on images or points: the teacher.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Run directory of the student.")] = None,
    budget: Budget = None,
    steps: Steps = None,
    examples: Examples = None,
    method: Annotated[str, typer.Option(help="consistency or progressive.")] = "consistency",
    calls: Annotated[int | None, typer.Option(min=1, help="Network calls of a sample; default: 2.")] = None,
    guidance: Annotated[float, typer.Option(help="Guidance of the teacher, fixed in the student; 1 is off.")] = 1.0,
    data: Annotated[str | None, typer.Option(help="Where the teacher's data are; default: where they were.")] = None,
    settings: Settings = None,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the student in -o.")] = False,
    overwrite: Overwrite = False,
    json: JsonFlag = False,
    debug: Debug = False,
) -> None:
    """Distil a diffusion run into a student that samples in 1 to 4 network calls."""
    chosen = budget_from(budget, steps, examples)
    choices = {"method": method, "calls": calls, "guidance": guidance, "data": data}
    _distil(run, output, chosen, choices, settings or [], seed, resume, overwrite, json)


def _distil(
    run: Path,
    output: Path | None,
    budget: dict[str, float],
    choices: dict[str, Any],
    settings: list[str],
    seed: int,
    resume: bool,
    overwrite: bool,
    json: bool,
) -> None:
    from pushforward.app.runs.distilling import distil_run
    from pushforward.app.runs.fitting import too_short
    from pushforward.app.runs.training import train
    from pushforward.core.errors import BadInput
    from pushforward.core.spec import parse_settings
    from pushforward.faces.cli.output import out, out_json, say
    from pushforward.faces.cli.progress import busy, training_bar

    if resume and output is None:
        raise BadInput("--resume without -o", "the run directory to continue", "name it with -o")
    overrides = parse_settings(settings)
    if "data" in overrides:
        raise BadInput("'-s data...'", "model.key=value or train.key=value", "a student reads the data of its teacher")
    with busy(f"reading {run}"):
        plan = distil_run(run, budget=budget, overrides=overrides, seed=seed, **choices)
    path = output or Path("runs") / f"distilled-{run.resolve().name}"
    with training_bar(f"distilling {run.name}") as observe:
        r = train(plan, path, resume=resume, overwrite=overwrite, observer=observe, announce=say).record
    kept = "" if r.best_held_out is None else f"; best {r.held_out_name} {r.best_held_out:.4f} at step {r.best_step}"
    if few := too_short(r.steps, "the student"):
        say(few)
    if json:
        told = {key: value for key, value in choices.items() if key != "data"}
        record = {
            name: getattr(r, name) for name in ("steps", "examples", "seconds", "budget", "stopped", "parameters")
        }
        steered = {"held_out": r.held_out_name, "best_held_out": r.best_held_out, "best_step": r.best_step}
        out_json({"run": str(path), "teacher": str(run), **told, **record, **steered})
        return
    say(f"distilled: {r.steps} steps in {r.seconds:.1f} s ({r.budget}, stopped by {r.stopped}){kept}")
    out(str(path))
