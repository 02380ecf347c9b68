"""Which size of a network and which batch fit a budget.

One idea: a preset is the top of a ladder of smaller sizes; the first rung whose steps fit into the
budget is taken. The decision is a function of a few measured seconds, so that it can be tested
without a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pushforward.core.preset import SMALLEST_BATCH

# steps: with which a preset is kept as it was tuned; which a smaller size should have, because
# where a budget is short more steps of fewer examples teach more (LOG.md); below which what is
# learnt looks like noise
KEPT, WANTED, FEWEST = 500, 1500, 100
TRAINING = 0.85  # share of a wall-clock budget that steps have: the rest goes to held-out evaluations and other programs
TIMING = 0.1  # share of a budget after which no further size is timed
PART, STEPS = 8, 4  # that part of a batch is timed first, in so many steps: the first warms up
FEWEST_ROWS = 64  # held-out examples that steer, where there are as many
HELD_OUT = 0.01  # share of a budget that one held-out evaluation may take


@dataclass(frozen=True)
class Cost:
    """Seconds of a training step as a line in the size of its batch: `fixed + each * batch`.

    Example:
        >>> Cost.through(2, 0.5, 6, 1.0)
        Cost(fixed=0.25, each=0.125)
    """

    fixed: float
    each: float

    def seconds(self, batch: int) -> float:
        """Return the seconds of a step."""
        return self.fixed + self.each * batch

    @staticmethod
    def through(small: int, small_seconds: float, large: int, large_seconds: float) -> Cost:
        """Return the line through two measurements; a batch costs no less than nothing, and neither
        does an example."""
        each = max(0.0, (large_seconds - small_seconds) / max(1, large - small))
        fixed = small_seconds - each * small
        return Cost(fixed, each) if fixed >= 0.0 else Cost(0.0, large_seconds / large)


@dataclass(frozen=True)
class Rung:
    """A share of the preset's width, and a batch."""

    width: float
    batch: int


@dataclass(frozen=True)
class SizeChoice:
    """The rung that was taken, and what a step of it costs in seconds."""

    rung: Rung
    seconds: float


def ladder(batch: int, width_free: bool = True, batch_free: bool = True) -> list[Rung]:
    """Return the rungs from the preset down.

    Batches fall before widths do: fewer examples a step cost nothing but noise, which many steps
    average out.

    Args:
        batch: the preset's.
        width_free: False keeps the width, because somebody chose it.
        batch_free: False keeps the batch.

    Example:
        >>> [(rung.width, rung.batch) for rung in ladder(64)][:3]
        [(1.0, 64), (1.0, 32), (1.0, 16)]
    """
    shares = (
        (1, 1),
        (1, 0.5),
        (1, 0.25),
        (0.75, 0.25),
        (0.75, 0.125),
        (0.5, 0.125),
        (0.375, 0.125),
        (0.25, 0.125),
    )
    rungs = [
        Rung(
            float(w) if width_free else 1.0,
            max(min(SMALLEST_BATCH, batch), round(b * batch)) if batch_free else batch,
        )
        for w, b in shares
    ]
    return list(dict.fromkeys(rungs))


def choose(
    rungs: list[Rung],
    seconds: float,
    timed: Callable[[float], tuple[Cost, float]],
    kept: int = KEPT,
) -> SizeChoice:
    """Return the preset if `kept` steps of it fit, else the first rung with `WANTED` steps, with
    `KEPT` steps, or the fastest.

    The smallest width is timed first, because a network far too large for the machine must never be
    run. A larger one costs at least as much as a smaller one: rungs that cannot fit are passed over
    untimed, and so are those that timing would take too long.

    Args:
        rungs: from `ladder`.
        seconds: the budget.
        timed: measures a share of the width; returns the cost of a step and the seconds that
            measuring took. Called once for each.
        kept: steps with which a preset stays as it was tuned.
    """
    smallest = min(rungs, key=lambda rung: (rung.width, rung.batch))
    cost, spent = timed(smallest.width)
    costs = {smallest.width: cost}
    # of the seconds of a step a part grows with the square of the width, and a part does not grow
    first = STEPS * cost.seconds(max(1, rungs[0].batch // PART)) / smallest.width**1.5
    tiers = [
        (rungs[0], kept),
        *((rung, WANTED) for rung in rungs),
        *((rung, KEPT) for rung in rungs),
    ]
    for rung, steps in tiers:
        allowed = TRAINING * seconds / steps
        if rung.width not in costs:
            least = max(c.seconds(rung.batch) for width, c in costs.items() if width < rung.width)
            if least > allowed or spent + first * rung.width**1.5 > TIMING * seconds:
                continue
            costs[rung.width], more = timed(rung.width)
            spent += more
        step = costs[rung.width].seconds(rung.batch)
        if step <= allowed:
            return SizeChoice(rung, step)
    return _fastest(rungs, costs)


def _fastest(rungs: list[Rung], costs: Mapping[float, Cost]) -> SizeChoice:
    found = [
        SizeChoice(rung, costs[rung.width].seconds(rung.batch))
        for rung in rungs
        if rung.width in costs
    ]
    return min(found, key=lambda choice: choice.seconds)


def steps_in(seconds: float, step: float) -> int:
    """Return how many steps fit into a wall-clock budget.

    Example:
        >>> steps_in(40.0, 0.1)
        340
    """
    return max(1, int(TRAINING * seconds / max(step, 1e-9)))


def held_out_rows(seconds: float, each: float, most: int) -> int | None:
    """Return how many validation examples steer a run so that one evaluation is a small share of
    it; None for all of `most`.

    Fewer than `FEWEST_ROWS` choose the best step by chance.

    Example:
        >>> held_out_rows(40.0, 0.004, 512), held_out_rows(40.0, 0.0001, 512), held_out_rows(40.0, 10.0, 512)
        (100, None, 64)
    """
    rows = max(FEWEST_ROWS, int(HELD_OUT * seconds / each)) if each > 0.0 else most
    return None if rows >= most else rows
