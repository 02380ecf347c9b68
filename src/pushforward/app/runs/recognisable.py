"""Whether a person will recognise anything in the pictures of a model, said before it is trained.

One idea: what counts is how many examples a network sees for each value of a picture; from which
number on samples were recognised was measured here, family by family, and a budget is held against
it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pushforward.app.runs.fitting import SizedPlan, in_words
from pushforward.app.runs.planning import Plan
from pushforward.app.runs.smaller import smaller_pictures
from pushforward.engine.budget import budget_of

# examples seen for each value of a picture (`pushforward compare DATA --budget ...`, 28 x 28 grey
# digits and 32 x 32 shapes in colour, LOG.md, 2026-11-29): with so many most samples of the deep
# bodies were what they should be, with half as many they were not
SEEN: Mapping[str, float] = {"gan": 7.0, "diffusion": 15.0, "vae": 19.0}
# and the most that were tried where they never were: half of an autoregressive model's digits,
# strokes of a flow
NOT_ENOUGH: Mapping[str, float] = {"autoregressive": 18.0, "flow": 13.0}
NEEDED = {**SEEN, **NOT_ENOUGH}
# the same of bodies for a short time (LOG.md, 2026-11-30)
IN_A_MINUTE: Mapping[str, float] = {
    "autoregressive": 12.0,
    "flow": 13.0,
    "vae": 14.0,
    "gan": 11.0,
    "diffusion": 9.0,
}
QUICK = "minute"  # the preset with such bodies


def needed(plan: Plan) -> float:
    """Return how many examples for each value of a picture a family has to see; 0 where nobody knows."""
    return (IN_A_MINUTE if plan.preset == QUICK else NEEDED).get(plan.family, 0.0)


def shortfall(fits: SizedPlan) -> float:
    """Return how many times the budget a family needs before its pictures are recognised; 1 or less
    where it may do.

    Zero where nothing is known: no pictures, a family of somebody else's, steps that were not
    foreseen, or a budget that is warned of anyway.
    """
    plan = fits.plan
    known = plan.dataset.space.levels is not None and needed(plan) and plan.teaching is None
    if not known or not fits.steps or fits.warning:
        return 0.0
    seen = fits.steps * plan.train_config.batch_size / plan.dataset.space.dimensions
    return needed(plan) / seen


def foresight(fits: Sequence[SizedPlan]) -> str:
    """Return which families will hardly show anything that a person recognises, and what would
    help; empty if none."""
    short = {one.plan.family: one for one in fits if shortfall(one) > 1.0}
    if not short:
        return ""
    named = ", ".join(f"{family} ({_needed(one)})" for family, one in short.items())
    space: Any = next(
        one.plan.dataset.space for one in fits if one.plan.family in short
    )  # of pictures: others fall not short
    size = smaller_pictures(space)
    hint = f"smaller pictures help most, such as `{size}`" if size else "only a longer budget helps"
    return (
        f"pictures of {space.width} x {space.height} are much for this budget: handwritten digits would not be recognised "
        f"yet in samples of {named}, simple shapes may be; {hint}"
    )


def _needed(fits: SizedPlan) -> str:
    """Return what budget would do: in seconds where that is what somebody gives."""
    factor, budget = shortfall(fits), budget_of(fits.plan.train_config)
    unknown = fits.plan.family in NOT_ENOUGH and fits.plan.preset != QUICK
    about = "more than" if unknown else "about"
    if budget.measure == "seconds":
        return f"{about} `--budget {in_words(factor * budget.amount)}`"
    times = f"{factor:.1f}" if factor < 3 else f"{factor:.0f}"
    return f"{about} {times} times the {budget.measure}"
