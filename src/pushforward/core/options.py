"""Sampling options: one spelling for every family, each checked against what the family declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pushforward.core.capabilities import Capabilities
from pushforward.core.errors import BadInput, Unsupported, unknown


@dataclass(frozen=True)
class SampleOptions:
    """How to sample; the defaults of a family draw from its own distribution.

    Attributes:
        guidance: classifier-free guidance weight; 1 is off.
        steps: steps of an iterative sampler, None = the family's default.
        solver: name of the solver, None = the family's default.
        temperature: 1 is the model's distribution.
    """

    guidance: float = 1.0
    steps: int | None = None
    solver: str | None = None
    temperature: float = 1.0


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
    chosen = SampleOptions(**options)
    if chosen.steps is not None and chosen.steps < 1:
        raise BadInput(f"steps={chosen.steps}", "at least one step")
    if not chosen.temperature > 0:
        raise BadInput(f"temperature={chosen.temperature}", "a positive number", "1 is the model's distribution")
    solvers = capabilities.solvers
    if chosen.solver is not None and chosen.solver not in solvers:
        raise BadInput(*unknown("solver", chosen.solver, solvers))
    if chosen.guidance != 1.0 and not conditional:
        raise Unsupported(
            "guidance on a model without conditions", "a model trained with labels", "leave --guidance out"
        )
    return chosen
