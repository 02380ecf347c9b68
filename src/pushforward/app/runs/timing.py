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
from pushforward.engine.sizing import PART, STEPS, Cost


@dataclass(frozen=True)
class Timed:
    """What some steps of a plan took.

    Attributes:
        cost: of a step, as a line in the batch.
        held_out: seconds of one held-out example, 0 if nothing is held out.
        spent: seconds that measuring took after the first step, before which a process may import
            for seconds what a step needs and no later plan pays for again.
    """

    cost: Cost
    held_out: float = 0.0
    spent: float = 0.0


Timer = Callable[[Plan], Timed]
# an eighth of the batch is timed first, so that timing what is far too slow stays short; then as much of
# it as takes a small share of the budget: a line through one example and four says little of 32
FIRST, SHARE = 128, 0.05
UNHURRIED = 10.0  # seconds that timing may take where steps are the budget
MOST_STEPS, HELD_OUT = 16, 16  # that are timed at most


def timed(plan: Plan, now: Callable[[], float] = time.perf_counter) -> Timed:
    """Return what a step of a plan takes, through two batches in the real training loop."""
    model = plan.build()
    batch, budget = plan.train_config.batch_size, budget_of(plan.train_config)
    values = plan.train_config.model_dump(exclude_none=True)
    for key in ("seconds", "steps", "examples", "ema_snapshots", "checkpoint_every", "patience"):
        values.pop(key, None)
    small = max(1, min(batch // PART, FIRST))
    first, _, began = _steps(model, plan, {**values, "batch_size": small}, now)
    most = budget.amount if budget.measure == "seconds" else UNHURRIED
    if PART * STEPS * first > most:
        # a few examples say already that it is far too slow
        return Timed(Cost(0.0, first / small), 0.0, now() - began)
    affordable = int(SHARE * most * small / max(STEPS * first, 1e-6))
    large = max(2 * small, min(batch, affordable))
    # short steps scatter: as many as are over soon
    count = max(STEPS, min(MOST_STEPS, int(SHARE * most * small / max(first * large, 1e-6))))
    second, held_out, _ = _steps(model, plan, {**values, "batch_size": large, "steps": count}, now)
    return Timed(Cost.through(small, first, large, second), held_out, now() - began)


def _steps(
    model: GenerativeModel, plan: Plan, values: dict[str, Any], now: Callable[[], float]
) -> tuple[float, float, float]:
    """Return the seconds of a step, the lower quartile of those after one that warms up, those of one
    held-out example, and when the first step was over.

    Another program makes steps longer and none shorter; and a network that is too small for a minute
    because of a busy second loses more than one that makes fewer steps than were foreseen.
    """
    few_steps = {"evaluate_every": 1_000_000, "compile": False}
    config = parse(TrainConfig, {"steps": STEPS, **values, **few_steps}, "train")
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
    usual = sorted(steps)[(len(steps) - 1) // 4]
    return usual, last[0].evaluating / max(1, len(few)), seen[0]
