"""What a step of a plan takes here, from a few of them in the real training loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pushforward.app.runs.planning import Plan
from pushforward.core.model import GenerativeModel
from pushforward.core.spec import TrainConfig, parse
from pushforward.engine.budget import budget_of
from pushforward.engine.fit import fit
from pushforward.engine.fit_records import Progress
from pushforward.engine.sizing import Cost


@dataclass(frozen=True)
class Timed:
    """What some steps of a plan took.

    Attributes:
        cost: of a step, as a line in the batch.
        held_out: seconds of one held-out example, 0 if nothing is held out.
        spent: seconds that measuring took, with building the network.
    """

    cost: Cost
    held_out: float = 0.0
    spent: float = 0.0


Timer = Callable[[Plan], Timed]
# a quarter of so large a part of the batch is timed first, so that timing what is far too slow stays
# short; then the part, or the batch itself where its steps take a small share of the budget
PART, WHOLE, UNTIMED = 8, 0.01, 0.5
FIRST, UNHURRIED = (
    128,
    10.0,
)  # examples of the first step at most; seconds that timing may take where steps are the budget
STEPS, HELD_OUT = 4, 16  # that are timed: the first warms up


def timed(plan: Plan, now: Callable[[], float] = time.perf_counter) -> Timed:
    """Return what a step of a plan takes, through two batches in the real training loop."""
    began, model = now(), plan.build()
    batch, budget = plan.train_config.batch_size, budget_of(plan.train_config)
    values = plan.train_config.model_dump(exclude_none=True)
    for key in ("seconds", "examples", "ema_snapshots", "checkpoint_every", "patience"):
        values.pop(key, None)
    large = max(2, batch // PART)
    small = max(1, min(large // 4, FIRST))
    first, _ = _steps(model, plan, {**values, "batch_size": small}, now)
    most = budget.amount if budget.measure == "seconds" else UNHURRIED
    if STEPS * first * large / small > most:
        # a few examples say already that it is far too slow
        return Timed(Cost(0.0, first / small), 0.0, now() - began)
    most = WHOLE * budget.amount if budget.measure == "seconds" else UNTIMED
    if STEPS * first * batch / small < most:
        large = max(2, batch)
    second, held_out = _steps(model, plan, {**values, "batch_size": large}, now)
    return Timed(Cost.through(small, first, large, second), held_out, now() - began)


def _steps(
    model: GenerativeModel, plan: Plan, values: dict[str, Any], now: Callable[[], float]
) -> tuple[float, float]:
    """Return the seconds of a step, the shorter of two after one that warms up, and those of one
    held-out example."""
    few_steps = {"steps": STEPS, "evaluate_every": 1_000_000, "compile": False}
    config = parse(TrainConfig, {**values, **few_steps}, "train")
    seen: list[float] = []
    last: list[Progress] = []

    def watch(p: Progress) -> None:
        seen.append(now())
        last[:] = [p]

    rows, few = (
        plan.dataset.train[: max(config.batch_size, 512)],
        plan.dataset.validation[:HELD_OUT],
    )
    if not plan.labelled:
        rows, few = rows.without_labels(), few.without_labels()
    fit(model, rows, few, config, observer=watch)
    steps = [b - a for a, b in pairwise(seen[:-1])]  # the last one also evaluates
    return min(steps), last[0].evaluating / max(1, len(few))
