"""Which preset a budget of seconds is spent on: the one whose learning curve is lowest after as many
steps as this machine makes in it.

Two ideas: a few timed steps of each candidate say how many steps there will be, a table of curves
that were measured once says what they are worth; what was passed over is told beside what was
taken, and both are in the run's configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from pushforward.app.runs.planning import Plan
from pushforward.app.runs.resizing import resized
from pushforward.app.runs.timing import Timed, Timer
from pushforward.core.errors import BadInput
from pushforward.core.preset import NAMES
from pushforward.engine.budget import budget_of
from pushforward.engine.sizing import FEWEST, KEPT, TIMING, Rung, SizeChoice, ladder, steps_in
from pushforward.families.learning_curves import LearningCurve, curves_near


@dataclass(frozen=True)
class Outlook:
    """What a candidate would come to in a budget.

    Attributes:
        width: share of the preset's.
        batch: examples of a step.
        steps: that fit.
        seconds: of one.
        expected: the held-out quantity of its learning curve there, of the data of the curve; None
            for a width that none was measured of.
    """

    preset: str
    width: float
    batch: int
    steps: int
    seconds: float
    expected: float | None

    def __str__(self) -> str:
        narrower = "" if self.width == 1.0 else f" of {self.width:g} times the width"
        worth = "" if self.expected is None else f", for which the curve says {self.expected:.4g}"
        return f"preset {self.preset}{narrower} (about {self.steps:,} steps of {self.batch}{worth})"


@dataclass(frozen=True)
class BestCandidate:
    """The plan of the best candidate.

    Attributes:
        plan: of its preset, with a record of the choice.
        size: its rung, and the seconds of a step.
        measured: what timing it came to.
        enough: whether so many steps fit that they teach something.
    """

    plan: Plan
    size: SizeChoice
    measured: Timed
    enough: bool

    def narrowed(self, choice: SizeChoice) -> Plan:
        """Return the plan with a record of a rung further down."""
        steps = steps_in(budget_of(self.plan.train_config).amount, choice.seconds)
        taken = {**self.plan.choice["taken"], **asdict(choice.rung)}
        taken |= {"steps": steps, "seconds": choice.seconds}
        if choice.rung.width != self.size.rung.width:
            taken["expected"] = None
        return replace(self.plan, choice={**self.plan.choice, "taken": taken})


def chosen(plan: Plan, timer: Timer) -> BestCandidate | None:
    """Return the best candidate for a plan whose preset nobody chose, the quickest where none gets
    steps enough; None where there are no curves to go by.

    Candidates are timed from the cheapest body to the deepest, as long as that takes a small share
    of the budget.

    Args:
        timer: measures a plan; called once for each preset and width.
    """
    near = curves_near(plan.family, plan.dataset.space, len(plan.dataset.train))
    if plan.with_preset is None or near is None:
        return None
    reference, curves = near
    seconds, spent = budget_of(plan.train_config).amount, 0.0
    seen: dict[tuple[str, float], tuple[Plan, Timed]] = {}
    outlooks: list[Outlook] = []
    for curve in sorted(curves, key=lambda curve: (NAMES.index(curve.preset), curve.width)):
        key = (curve.preset, curve.width)
        if curve.width != 1.0 and not plan.free("model.width"):
            continue  # somebody said the width
        if key not in seen:
            if spent > TIMING * seconds:
                continue
            try:
                whole = plan.with_preset(curve.preset)
                measured = timer(resized(whole, curve.width, whole.train_config.batch_size))
            except BadInput:  # of what was asked for it cannot do something: another one may
                continue
            seen[key], spent = (whole, measured), spent + measured.spent
        outlooks.append(_outlook(curve, *seen[key], seconds))
    if not outlooks:
        return None
    few = all(found.steps < FEWEST for found in outlooks)
    outlooks.sort(
        key=lambda found: (
            found.steps < FEWEST,
            0.0 if few else found.expected or 0.0,
            found.seconds,
        )
    )
    best, others = outlooks[0], outlooks[1:]
    whole, measured = seen[best.preset, best.width]
    quantity = curves[0].quantity
    record: dict[str, Any] = {"curves": reference.name, "quantity": quantity, "taken": asdict(best)}
    record["candidates"] = len(curves)
    if others:
        record["runner_up"] = asdict(others[0])
    size = SizeChoice(Rung(best.width, best.batch), best.seconds)
    return BestCandidate(replace(whole, choice=record), size, measured, not few)


def _outlook(curve: LearningCurve, plan: Plan, measured: Timed, seconds: float) -> Outlook:
    """Return what a candidate comes to: in the batch of its curve, but for large examples, or in a
    smaller one where too few steps fit; what those teach is said by as many examples."""

    def sized(batch: int) -> Outlook:
        step = measured.cost.seconds(batch)
        steps = steps_in(seconds, step)
        worth = min(steps, steps * batch // curve.batch)  # steps of the curve's batch
        return Outlook(curve.preset, curve.width, batch, steps, step, curve.at(max(1, worth)))

    own = plan.train_config.batch_size
    if not plan.free("train.batch_size"):
        return sized(own)
    whole, *smaller = (
        sized(rung.batch) for rung in ladder(min(curve.batch, own), width_free=False)
    )
    if whole.steps >= FEWEST or not smaller:
        return whole
    return next((found for found in smaller if found.steps >= KEPT), smaller[-1])


def told(plan: Plan) -> Iterator[str]:
    """Yield what a person should know of a choice: what was taken, what came second, and by which
    curves."""
    if not plan.choice:
        if plan.with_preset is not None:
            yield (
                f"{plan.family} takes the preset {plan.preset}: no other was measured on such data with such "
                "settings; `--preset NAME` takes another"
            )
        return
    body = plan.model_values.get("architecture")
    of = f", which is {plan.family}:{body}" if body else ""
    choice = choice_in_words(plan.choice, of)
    yield f"{plan.family} takes the {choice}; `--preset NAME` takes another"


def choice_in_words(choice: Mapping[str, Any], of: str = "") -> str:
    """Return a recorded choice as a person reads it.

    Args:
        of: what its preset is, in words.
    """
    # a record of an earlier version does not say how many there were
    alone = "ever measured on such data" if choice.get("candidates") == 1 else "tried"
    taken, other = Outlook(**choice["taken"]), choice.get("runner_up")
    rather = f", rather than {Outlook(**other)}" if other else f"; no other was {alone}"
    curves = f"learning curves of {choice.get('quantity') or 'held-out examples'}"
    why = "" if taken.expected is None else f": {curves} on {choice['curves']}, lower is better"
    return f"{taken}{of}{rather}{why}"
