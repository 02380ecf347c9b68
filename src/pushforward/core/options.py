"""Sampling options: one spelling for every family, each checked against what the family declares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pushforward.core.capabilities import Capabilities
from pushforward.core.errors import BadInput, Unsupported, a_type, unknown
from pushforward.core.limits import require_below

WORDS = ("guidance_interval", "posterior", "inpainting", "solver", "grid", "path")
WHOLE = ("steps", "length", "top_k", "repeats")
MOST_STEPS, MOST_TOKENS, LARGEST = 10_000, 1_000_000, 10**9
LEAST_TEMPERATURE, MOST_TEMPERATURE = 1e-6, 1e6  # beyond, float32 holds no probabilities


@dataclass(frozen=True)
class SampleOptions:
    """How to sample; the defaults of a family draw from its own distribution.

    Attributes:
        guidance: how far to lean towards the condition, or away from the guide; 1 is off.
        guidance_interval: `low:high`, the noise levels between which guidance acts, None = all.
        guidance_rescale: share of the spread of the unguided estimate that is restored; 0 is off.
        guide: a weaker model of the same space that guidance leans away from, None = the model without its condition.
        classifier: a noise-aware classifier whose gradient is the condition, None = the model's own knowledge of it.
        posterior: how a linear measurement conditions, None = the family's default.
        inpainting: how exactly known coordinates condition, None = the family's default.
        repeats: how often inpainting takes each step, None = the method's default.
        strength: share of the steps that remain when a walk begins at an example, None = all.
        steps: steps of an iterative sampler, None = the family's default.
        solver: name of the solver, None = the family's default.
        eta: share of fresh noise of a solver that has some, None = its default.
        grid: how a solver's steps are spaced, None = the family's default.
        path: from noise to data, None = the one of training; a denoiser serves them all.
        tolerance: error of a step of a solver that chooses its own steps, None = its default.
        temperature: 1 is the model's distribution.
        length: tokens to generate, None = one window.
        top_k, top_p, min_p, typical: filters of the next token, None = all tokens.
        repetition_penalty: above 1, tokens that have occurred become less probable.
    """

    guidance: float = 1.0
    guidance_interval: str | None = None
    guidance_rescale: float = 0.0
    guide: Any = None
    classifier: Any = None
    posterior: str | None = None
    inpainting: str | None = None
    repeats: int | None = None
    strength: float | None = None
    steps: int | None = None
    solver: str | None = None
    eta: float | None = None
    grid: str | None = None
    path: str | None = None
    tolerance: float | None = None
    temperature: float = 1.0
    length: int | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical: float | None = None
    repetition_penalty: float = 1.0


def parse_options(
    options: Mapping[str, Any], family: str, capabilities: Capabilities, *, conditional: bool
) -> SampleOptions:
    """Return the options of one sampling call, refusing those that would be ignored.

    An option the family does not declare may be passed at its default value, so that one call can serve all families.

    Raises:
        BadInput: an unknown option, or a value outside its range.
        Unsupported: an option the family does not declare, or guidance of a model without conditions.

    Example:
        >>> flow = Capabilities({"points": ()}, encode={}, sampling_cost="1", held_out="", options=("temperature",))
        >>> parse_options({"temperature": 0.5}, "flow", flow, conditional=False).temperature
        0.5
    """
    known = SampleOptions.__dataclass_fields__
    for key, value in options.items():
        if key not in known:
            raise BadInput(*unknown("sampling option", key, known))
        if key not in capabilities.options and value != getattr(SampleOptions, key):
            declared = ", ".join(capabilities.options) or "none"
            raise Unsupported(f"{family} has no sampling option '{key}'", f"one of {declared}", "leave it out")
    chosen = SampleOptions(**{name: _plain(name, value) for name, value in options.items() if value is not None})
    _require_finite(chosen)
    for name in WHOLE:
        value = getattr(chosen, name)
        if value is not None and value < 1:
            raise BadInput(f"{name}={value}", "at least one step" if name == "steps" else "at least one")
    for name in ("top_p", "min_p", "typical", "strength"):
        value = getattr(chosen, name)
        if value is not None and not 0 < value <= 1:
            raise BadInput(f"{name}={value}", "a share above 0 and at most 1")
    if chosen.eta is not None and not 0 <= chosen.eta <= 1:
        raise BadInput(f"eta={chosen.eta}", "a share from 0 to 1", "0 draws no fresh noise")
    if chosen.tolerance is not None and not 0 < chosen.tolerance < 1:
        raise BadInput(f"tolerance={chosen.tolerance}", "a number above 0 and below 1, in units of noisy data")
    if not 0 <= chosen.guidance_rescale <= 1:
        raise BadInput(f"guidance_rescale={chosen.guidance_rescale}", "a share from 0 to 1", "0 is off")
    parse_interval(chosen.guidance_interval)
    if not chosen.repetition_penalty > 0:
        raise BadInput(f"repetition_penalty={chosen.repetition_penalty}", "a positive number", "1 is off")
    if not LEAST_TEMPERATURE <= chosen.temperature <= MOST_TEMPERATURE:
        expected = f"a positive number from {LEAST_TEMPERATURE:g} to {MOST_TEMPERATURE:g}"
        raise BadInput(f"temperature={chosen.temperature}", expected, "1 is the model's distribution")
    solvers = capabilities.solvers
    if chosen.solver is not None and chosen.solver not in solvers:
        raise BadInput(*unknown("solver", chosen.solver, solvers))
    if chosen.guidance != 1.0 and not conditional and chosen.guide is None and chosen.classifier is None:
        raise Unsupported(
            "guidance on a model without conditions", "a model trained with labels", "leave --guidance out"
        )
    return chosen


def _plain(name: str, value: Any) -> Any:
    """Return the value of an option as a word or a plain number; NumPy's numbers are numbers too, and 3.0 steps are 3.

    Raises:
        BadInput: a value of another kind.
    """
    if name in ("guide", "classifier") or value is None:
        return value
    if hasattr(value, "dtype") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    kinds = str if name in WORDS else int | float
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise BadInput(f"{name}: {a_type(value)}", "a word" if name in WORDS else "a number")
    if name in WHOLE and isinstance(value, float) and math.isfinite(value):
        if value != int(value):
            raise BadInput(f"{name}={value}", "a whole number")
        return int(value)
    return value


def _require_finite(chosen: SampleOptions) -> None:
    """Refuse numbers that no sampler can use, and more steps or tokens than the limits."""
    for name in SampleOptions.__dataclass_fields__:
        value = getattr(chosen, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if not math.isfinite(value):
            raise BadInput(f"{name}={value}", "a finite number")
        if abs(value) > LARGEST:
            raise BadInput(f"{name}={value:g}", f"a number of at most {LARGEST:,}")
    for name, most in (("steps", MOST_STEPS), ("length", MOST_TOKENS), ("repeats", MOST_STEPS)):
        value = getattr(chosen, name)
        if value is not None:
            require_below(value, most, f"{name}={value:,}", "tokens" if name == "length" else "steps")


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
        raise BadInput(f"the guidance interval '{text}'", "LOW:HIGH, two noise levels with 0 <= LOW < HIGH")
    return ends
