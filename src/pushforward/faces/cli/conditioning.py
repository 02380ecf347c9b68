"""Options of `sample` that condition a diffusion on what is known, and the command that trains a classifier for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Guide = Annotated[Path | None, typer.Option(help="Diffusion: a weaker run that --guidance leans away from.")]
Interval = Annotated[
    str | None,
    typer.Option("--guidance-interval", help="Diffusion: LOW:HIGH, noise levels that guidance acts between."),
]
Rescale = Annotated[
    float | None, typer.Option("--guidance-rescale", help="Diffusion: share of the unguided contrast to restore.")
]
ClassifierPath = Annotated[
    Path | None, typer.Option("--classifier", help="Diffusion: a directory of train-classifier that knows --given.")
]
Observed = Annotated[Path | None, typer.Option(help="Diffusion: known values, as a picture, .npy or .npz.")]
Mask = Annotated[Path | None, typer.Option(help="... and which of them are known: 1, white, or opaque.")]
Operator = Annotated[str | None, typer.Option(help="... measured through mask, downsample:2 or blur:1.0.")]
NoiseLevel = Annotated[float | None, typer.Option("--noise", help="... with noise of this deviation, in data units.")]
Posterior = Annotated[str | None, typer.Option(help="How a measurement conditions: pigdm, moment or dps.")]
Paint = Annotated[str | None, typer.Option("--inpainting", help="How known values do: repaint or replacement.")]
Repeats = Annotated[int | None, typer.Option(help="How often repaint takes each step.")]
Start = Annotated[Path | None, typer.Option(help="Diffusion: begin at these examples, noised.")]
Strength = Annotated[float | None, typer.Option(help="... so far that this share of the steps remains.")]

SIGHT = ("observed", "mask", "operator", "noise", "start")


def train_classifier(run: Path, data: str, output: Path, steps: int, width: int, seed: int, json: bool) -> None:
    """Train a classifier of noisy examples and print what it can tell apart at which noise."""
    from pushforward.app.runs.classifying import train_classifier as train
    from pushforward.faces.cli.output import out, out_json
    from pushforward.faces.cli.progress import sampling_bar

    with sampling_bar(f"training a classifier for {run.name}") as on_step:
        record: dict[str, Any] = train(run, data, output, steps=steps, width=width, seed=seed, on_step=on_step)  # type: ignore[arg-type]
    if json:
        out_json(record)
        return
    shown = ", ".join(f"{100 * share:.0f} % at noise {level}" for level, share in record["accuracy"].items())
    out(f"{output}: right about {record['n']} held-out examples: {shown}")
