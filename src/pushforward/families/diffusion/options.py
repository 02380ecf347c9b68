"""Sampling options that only diffusion reads: what guidance leans on, what a measurement does, and
how a solver steps.

One idea: what asks the score of the data apart from the flow is listed by itself, because coupled
noise has no score.
"""

from __future__ import annotations

import math
from pathlib import Path

from pushforward.core.errors import BadInput, unknown
from pushforward.core.options import (
    COUNT,
    MOST_STEPS,
    SHARE,
    OptionReader,
    Range,
    SampleOptions,
    SamplingOption,
)
from pushforward.families.shared.options import GUIDANCE


def parse_interval(text: str | None) -> tuple[float, float]:
    """Return the ends of an interval of noise levels, all of them for None.

    Raises:
        BadInput: no two numbers, or an interval that is empty.

    Example:
        >>> parse_interval("0.3:5"), parse_interval(None)
        ((0.3, 5.0), (0.0, inf))
    """
    if text is None:
        return 0.0, math.inf
    low, _, high = text.partition(":")
    try:
        ends = float(low), float(high)
    except ValueError:
        ends = math.nan, math.nan
    if not 0.0 <= ends[0] < ends[1]:
        raise BadInput(
            f"the guidance interval '{text}'", "LOW:HIGH, two noise levels with 0 <= LOW < HIGH"
        )
    return ends


def require_solver(options: SampleOptions, reader: OptionReader) -> None:
    """Refuse a solver that the model does not have.

    Raises:
        BadInput: names those that it has.
    """
    if options.solver not in reader.solvers:
        raise BadInput(*unknown("solver", options.solver, reader.solvers))


STEPS = SamplingOption(
    "steps",
    "Steps of an iterative sampler",
    int,
    within=Range("at least one step", 1),
    most=MOST_STEPS,
    unit="steps",
)
SOLVER = SamplingOption(
    "solver", "Name of the solver", str, completes="solvers", fits=require_solver
)
ETA = SamplingOption(
    "eta",
    "Share of fresh noise, for solvers that have some",
    within=Range("a share from 0 to 1", 0, 1, fix="0 draws no fresh noise"),
)
GRID = SamplingOption(
    "grid", "Spacing of its steps: karras, log-snr, time, ddpm-1000 and others", str
)
PATH = SamplingOption("path", "Walk another path than that of training, such as cosine", str)
TOLERANCE = SamplingOption(
    "tolerance",
    "Error of a step, for a solver that chooses its own",
    within=Range("a number above 0 and below 1, in units of noisy data", 0, 1, open="both"),
)
GUIDE = SamplingOption(
    "guide", "Diffusion: a weaker run that --guidance leans away from", Path, completes="runs"
)
GUIDANCE_INTERVAL = SamplingOption(
    "guidance_interval",
    "Diffusion: LOW:HIGH, noise levels that guidance acts between",
    str,
    check=parse_interval,
)
GUIDANCE_RESCALE = SamplingOption(
    "guidance_rescale",
    "Diffusion: share of the unguided contrast to restore",
    default=0.0,
    within=Range("a share from 0 to 1", 0, 1, fix="0 is off"),
)
CLASSIFIER = SamplingOption(
    "classifier", "Diffusion: a directory of train-classifier that knows --given", Path
)
POSTERIOR = SamplingOption("posterior", "How a measurement conditions: pigdm, moment or dps", str)
INPAINTING = SamplingOption("inpainting", "How known values do: repaint or replacement", str)
REPEATS = SamplingOption(
    "repeats", "How often repaint takes each step", int, within=COUNT, most=MOST_STEPS, unit="steps"
)
STRENGTH = SamplingOption(
    "strength", "With --start: noise it so far that this share of the steps remains", within=SHARE
)

GUIDING = (GUIDANCE, GUIDANCE_INTERVAL, GUIDANCE_RESCALE, GUIDE)
SCORING = (CLASSIFIER, POSTERIOR, INPAINTING, REPEATS, STRENGTH)
STEPPING = (STEPS, SOLVER, ETA, GRID, PATH, TOLERANCE)
