"""How often the 95 % intervals of the distances hold the value that their sample sizes give on average, at several shifts.

Run with `bench_coverage.py [DRAWS] [squares]`, 1,000 by default; `squares` is Fréchet and sliced Wasserstein alone. The true
value is the mean over all draws, so that the biased distances are asked about what they promise; of the Fréchet distance with its
bias removed it is the distance of the laws. Where tails are heavy the mean over draws is carried by a few of them, so the median
is asked for as well. A share of 1,000 draws is known to 0.7 points.
"""

from __future__ import annotations

import sys
from collections import defaultdict

import numpy as np

from pushforward.evaluation.distribution.alpha_precision import AlphaPrecision
from pushforward.evaluation.distribution.energy import EnergyDistance
from pushforward.evaluation.distribution.frechet import measure_moments
from pushforward.evaluation.distribution.kernel_distance import KernelDistance
from pushforward.evaluation.distribution.mmd import MaximumMeanDiscrepancy
from pushforward.evaluation.distribution.neighbours import NeighbourScores
from pushforward.evaluation.distribution.sliced_wasserstein import SlicedWasserstein
from pushforward.evaluation.measuring.batch import Batch
from pushforward.evaluation.measuring.statistic import DATA, Measured, MeasuredOn
from pushforward.evaluation.measuring.summaries import BlockedMoments

LAWS = {
    "gaussian": lambda rng, shape: rng.normal(size=shape),
    "exponential": lambda rng, shape: rng.exponential(size=shape),
    "t3": lambda rng, shape: rng.standard_t(3, size=shape),
}
KERNELS = (KernelDistance(DATA), MaximumMeanDiscrepancy(DATA, bandwidth=1.5), EnergyDistance(DATA))


def main(draws: int = 1000, only: str = "all") -> None:
    """Print a line for each law, size, shift and measure."""
    for law in LAWS:
        for n in (100, 500):
            for shift in (0.0, 0.15, 0.3, 1.0):
                found = defaultdict(list)
                rng = np.random.default_rng(0)
                for draw in range(draws if n == 100 else draws // 2):
                    x, y = LAWS[law](rng, (n, 2)) + shift, LAWS[law](rng, (n, 2))
                    for one in measured(
                        x, y, slow=draw < draws * (0.4 if n == 100 else 0.2), rest=only == "all"
                    ):
                        s = one.score
                        if s.low is not None and s.high is not None:
                            found[s.name.split(" [")[0]].append((s.value, s.low, s.high))
                truths = {k: 2.0 * shift**2 if "bias removed" in k else None for k in found}
                shares = ", ".join(
                    f"{k} {covered(v, truths[k], law == 't3')}" for k, v in found.items()
                )
                print(f"{law} n={n} shift={shift}: {shares}", flush=True)


def measured(x: np.ndarray, y: np.ndarray, *, slow: bool, rest: bool) -> list[Measured]:
    """Return the distances of two samples; of the slow ones and of those that are no squares, where they are asked for."""
    ids = np.arange(len(x))
    found = [m for metric in KERNELS * rest for m in metric.measure(x, y, ids, ids)]
    blocked = [BlockedMoments().add(Batch.of(rows), rows) for rows in (x, y)]
    found += measure_moments(blocked[0], blocked[1], MeasuredOn("data"))
    if slow and rest:
        found += AlphaPrecision(DATA).measure(x, y, ids, ids) + NeighbourScores(DATA).measure(
            x, y, ids, ids
        )
    if slow:
        found += SlicedWasserstein(DATA).measure(x, y, ids, ids)
    return found


def covered(found: list[tuple[float, float, float]], truth: float | None, heavy: bool) -> str:
    """Return the share of intervals that hold the truth or the mean, in percent, or the median of heavy tails, and the draws."""
    value, low, high = np.array(found).T
    aims = [value.mean() if truth is None else truth] + [np.median(value)] * (
        heavy and truth is None
    )
    return (
        " / ".join(f"{100 * np.mean((low <= aim) & (aim <= high)):.1f}" for aim in aims)
        + f" ({len(found)})"
    )


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:2]), *sys.argv[2:3])
