"""How long a comparison takes, said before it begins, and how much of it may be measuring.

One idea: training is what was asked for, so measuring takes at most as long, unless
`--measure-budget` says otherwise; what is measured on fewer examples for that says how many they
were.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pushforward.app.measuring.assessing import Settle
from pushforward.app.measuring.extent import FULL, Extent, Settling, Use, by_size, use_of
from pushforward.app.progress.line import clock
from pushforward.app.runs.fitting import SizedPlan
from pushforward.core.errors import BadInput
from pushforward.data.dataset import Dataset
from pushforward.engine.budget import budget_of, parse_seconds

WHOLE = "full"


@dataclass(frozen=True)
class Limit:
    """What measuring may take: `seconds`, or None where an extent is fixed and the clock decides
    nothing."""

    seconds: float | None
    extent: Extent = FULL


def limit_of(wanted: str | None, fits: Sequence[SizedPlan], dataset: Dataset) -> Limit:
    """Return what measuring may take.

    Args:
        wanted: `full`, a time such as `2m`, or None: as long as training under a wall-clock budget,
            and under a budget of steps what follows from the size of an example, so that equal
            commands give equal numbers.
        fits: the plan of every run.
        dataset: what is measured on.

    Raises:
        BadInput: neither.
    """
    if wanted == WHOLE:
        return Limit(None)
    if wanted is not None:
        try:
            return Limit(parse_seconds(wanted))
        except BadInput:
            raise BadInput(
                f"--measure-budget {wanted}", f"a time such as 2m, or '{WHOLE}'"
            ) from None
    budgets = [budget_of(fit.plan.train_config) for fit in fits]
    if budgets[0].measure != "seconds":
        return Limit(None, by_size(dataset.space))
    return Limit(sum(budget.amount for budget in budgets))


class Measuring:
    """The measuring of one comparison: its limit, and the extent that was decided.

    Args:
        limit: from `limit_of`.
        fits: the plan of every run.
        dataset: what is measured on.
        use: times what using a plan's model costs; a test brings its own.
        now: the clock.
    """

    def __init__(
        self,
        limit: Limit,
        fits: Sequence[SizedPlan],
        dataset: Dataset,
        use: Callable[..., Use] = use_of,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.limit, self.dataset = limit, dataset
        there = Extent(min(FULL.samples, len(dataset.test)), min(FULL.rows, len(dataset.test)))
        self.most = there
        self.extent = Extent(
            min(there.samples, limit.extent.samples), min(there.rows, limit.extent.rows)
        )
        self.settling: Settling | None = None
        if limit.seconds is not None:
            began = now()  # timing is part of measuring
            families = {fit.plan.family: fit.plan for fit in fits}
            timed = {name: use(plan) for name, plan in families.items()}
            uses = [timed[fit.plan.family] for fit in fits]
            self.settling = Settling(limit.seconds, uses, dataset.space, began, now)

    @property
    def settle(self) -> Settle | None:
        """What `measure_controls` asks how many examples are measured; None where that is fixed."""
        settling = self.settling
        if settling is None:
            return None

        def decide(card: Callable[[int], float]) -> int:
            samples = settling.settle(self.most, card)
            self.extent = settling.extent
            return samples

        return decide

    def says(self) -> str:
        """Return on what was measured, where that is less than there is and than is measured by
        default; empty otherwise."""
        if self.extent == self.most:
            return ""
        total = len(self.dataset.test)
        why = "by the size of an example"
        if self.settling is not None:
            over = self.settling.predicted > self.settling.seconds
            why = (
                "as few as still say something"
                if over
                else "so that measuring takes no longer than it may"
            )
        return (
            f"measured on {self.extent.samples:,} of {total:,} test examples, likelihoods on {self.extent.rows:,}, {why}: "
            f"intervals are wider; `--measure-budget {WHOLE}` takes {self.most.samples:,}"
        )

    def takes(self) -> str:
        """Return how long measuring will take, once that was decided; empty where nothing was
        timed."""
        settling = self.settling
        if settling is None or settling.predicted == 0.0:
            return ""
        over = settling.predicted > settling.seconds
        more = (
            f", longer than the {clock(settling.seconds)} there are: less would say nothing"
            if over
            else ""
        )
        return f"measuring takes about {clock(settling.predicted)}{more}"


def announced(fits: Sequence[SizedPlan], limit: Limit) -> str:
    """Return what a comparison will take, in a sentence, before it begins."""
    budget = budget_of(fits[0].plan.train_config)
    if budget.measure != "seconds":
        bound = (
            "" if limit.seconds is None else f", then measuring of at most {clock(limit.seconds)}"
        )
        return f"{len(fits)} trainings of {budget}{bound}"
    training = sum(budget_of(fit.plan.train_config).amount for fit in fits)
    if limit.seconds is None:
        return f"{clock(training)} of training ({len(fits)} of {clock(budget.amount)}), then measuring without a limit"
    return (
        f"about {clock(training + limit.seconds)}: {clock(training)} of training ({len(fits)} of {clock(budget.amount)}) "
        f"and about {clock(limit.seconds)} of measuring (controls, likelihoods, samples)"
    )
