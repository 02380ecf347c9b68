"""On how many examples a comparison measures, so that measuring takes no longer than training.

Two ideas: what a use of a model costs is timed on a few examples of the untrained network, which
costs what the trained one will; under a budget of steps or examples the clock decides nothing, and
the number follows from the size of an example alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pushforward.app.measuring.assessing import MOST_SAMPLES
from pushforward.app.measuring.examples import for_model
from pushforward.app.measuring.likelihoods import MOST_SCORED, curve_rows, trained_rows
from pushforward.app.measuring.measured_kind import measured_as
from pushforward.app.runs.planning import Plan
from pushforward.core.errors import Unsupported
from pushforward.core.model import GenerativeModel
from pushforward.core.space import Space
from pushforward.engine.sizing import Cost

FEWEST_ROWS = 64  # below that intervals say nothing
PICTURED = 8  # samples whose way is drawn
SPARE = 0.9  # share of the budget that is planned: machines have other things to do
CONTROLS = 4


@dataclass(frozen=True)
class Extent:
    """How many samples and reference examples are compared, and how many test examples are asked
    for their likelihood."""

    samples: int = MOST_SAMPLES
    rows: int = MOST_SCORED


FULL = Extent()


def by_size(space: Space) -> Extent:
    """Return the extent of a comparison under a budget of steps: 2,000 of small examples, fewer of
    large.

    Example:
        >>> from pushforward.core.space import Image
        >>> by_size(Image(1, 8, 8, 17)), by_size(Image(3, 32, 32, 256))
        (Extent(samples=2000, rows=2000), Extent(samples=341, rows=170))
    """
    samples = max(200, min(MOST_SAMPLES, 2**20 // space.dimensions))
    return Extent(samples, max(FEWEST_ROWS, min(MOST_SCORED, 2**19 // space.dimensions)))


@dataclass(frozen=True)
class Use:
    """What using one model costs, in seconds.

    Attributes:
        chunk: samples that are drawn at once.
        each_chunk: of drawing, for every chunk.
        each_sample: of drawing, for every sample.
        each_row: of a log-probability; 0 where there is none.
        curves: of the family's curves, whatever they are drawn from; `each_curve` for every example
            behind them.
    """

    chunk: int
    each_chunk: float
    each_sample: float
    each_row: float
    curves: float = 0.0
    each_curve: float = 0.0

    def sampling(self, n: int) -> float:
        """Return the seconds of drawing n samples and the few whose way is drawn."""
        chunks = math.ceil(n / self.chunk) + 1
        return chunks * self.each_chunk + (n + PICTURED) * self.each_sample

    def scoring(self, rows: int) -> float:
        """Return the seconds of the likelihoods of test and training examples, and of the
        curves."""
        drawn = min(self.chunk, curve_rows(rows))
        return (rows + trained_rows(rows)) * self.each_row + self.curves + drawn * self.each_curve


def seconds_of(extent: Extent, uses: Sequence[Use], card: Callable[[int], float]) -> float:
    """Return what measuring takes: a card for every control and model, then each model's samples
    and likelihoods."""
    cards = (CONTROLS + len(uses)) * card(extent.samples)
    return cards + sum(use.sampling(extent.samples) + use.scoring(extent.rows) for use in uses)


def within(
    seconds: float, most: Extent, fewest: Extent, uses: Sequence[Use], card: Callable[[int], float]
) -> Extent:
    """Return the largest extent that fits into some seconds: halved where it costs most, until it
    fits or nothing is left to halve.

    Args:
        seconds: what there is.
        most: what there is to measure.
        fewest: where halving ends.
        uses: of every model that will be measured.
        card: seconds of one card of so many samples.
    """
    found = most
    while seconds_of(found, uses, card) > seconds:
        samples = Extent(max(min(fewest.samples, found.samples), found.samples // 2), found.rows)
        rows = Extent(found.samples, max(min(fewest.rows, found.rows), found.rows // 2))
        better = min((samples, rows), key=lambda extent: seconds_of(extent, uses, card))
        if better == found:
            better = samples if samples != found else rows
        if better == found:
            return found
        found = better
    return found


def fewest_of(space: Space) -> Extent:
    """Return the extent below which measures of a kind of data say nothing."""
    return Extent(measured_as(space).fewest_samples, FEWEST_ROWS)


def use_of(plan: Plan, now: Callable[[], float] = time.perf_counter) -> Use:
    """Return what using the model of a plan costs, timed on a few examples of the untrained
    network.

    Of a walk a few steps are taken and the others counted; of likelihoods two rows, of curves two
    and eight examples.
    """
    model, data = plan.build(), plan.dataset
    train = for_model(model, data.train)
    model.prepare(train[:512])
    model.eval()
    few, more = (_drawing(model, plan, n, now) for n in (2, 16))
    each = max(0.0, (more - few) / 14)
    rows = for_model(model, data.test)[:2]
    try:
        began = now()
        model.log_prob(rows)
        first = now() - began
        if first < 1.0:  # the first call also sets up
            began = now()
            model.log_prob(rows)
            first = min(first, now() - began)
    except Unsupported:
        first = 0.0
    curves = Cost.through(2, _curving(model, plan, 2, now), 8, _curving(model, plan, 8, now))
    return Use(
        model.chunk, max(0.0, few - 2 * each), each, first / len(rows), curves.fixed, curves.each
    )


def _curving(model: GenerativeModel, plan: Plan, n: int, now: Callable[[], float]) -> float:
    began, data = now(), plan.dataset
    model.curves(for_model(model, data.test)[:n], 0, for_model(model, data.train))
    return now() - began


def _drawing(model: GenerativeModel, plan: Plan, n: int, now: Callable[[], float]) -> float:
    given = for_model(model, plan.dataset.test).given
    condition = None if given is None or len(plan.dataset.test) < n else given[:n]
    n = n if condition is None else len(condition)
    walk = model.walk(n, given=condition)
    if walk.length <= 4:
        model.sample(n, given=condition)
        began = now()
        model.sample(n, given=condition)
        return now() - began
    state = walk.start()
    state = walk.step(state, 0)  # sets up
    steps, began = min(5, walk.length - 1), now()
    for index in range(1, 1 + steps):
        state = walk.step(state, index)
    return (now() - began) / steps * walk.length


@dataclass
class Settling:
    """Decides, while controls are measured, how far a comparison measures; `extent` is what it
    decided.

    Args:
        seconds: for all measuring.
        uses: of every model that will be measured.
        space: what an example is.
        began: when measuring began, on the clock `now`.
    """

    seconds: float
    uses: Sequence[Use]
    space: Space
    began: float
    now: Callable[[], float] = time.perf_counter
    extent: Extent = FULL
    predicted: float = 0.0

    def settle(self, most: Extent, card: Callable[[int], float]) -> int:
        """Return how many samples are compared, once it is known what a card takes; see
        `within`."""
        spent = self.now() - self.began
        self.extent = within(
            SPARE * self.seconds - spent, most, fewest_of(self.space), self.uses, card
        )
        self.predicted = spent + seconds_of(self.extent, self.uses, card)
        return self.extent.samples
