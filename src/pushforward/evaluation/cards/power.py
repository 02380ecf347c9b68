"""What can be seen at this sample size: every metric against known damage to the user's own held-out data.

Three ideas: a metric that does not react to damage says nothing about its absence; damaged and undamaged examples meet the same
reference in every repetition, so the spread that hides the damage is the metric's own; the distance between the two, in spreads,
says at once how often the damage is found here and how many examples would find it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pushforward.core.rng import derive_seed
from pushforward.core.score import Score
from pushforward.evaluation.cards.damage import Damage, named
from pushforward.evaluation.checks import require

LEVEL, ENOUGH = 0.05, 0.8
FEWEST = 4
Card = Callable[[np.ndarray, np.ndarray], Sequence[Score]]


@dataclass(frozen=True)
class Detection:
    """One metric and one damage.

    Attributes:
        metric: name of the score.
        damage: name of the damage.
        clean, damaged: mean scores.
        shift: how many standard deviations worse the damaged examples score; negative where the metric likes the damage.
        low, high: 95 % interval of the shift, from the finite number of repetitions.
        power: chance of a one-sided 5 % test to see the damage at this sample size.
        enough: examples at which that chance is 80 %; None where the shift is not clearly positive.
        n: examples on either side.
    """

    metric: str
    damage: str
    clean: float
    damaged: float
    shift: float
    low: float
    high: float
    power: float
    enough: int | None
    n: int


def power(
    pool: np.ndarray,
    damages: Sequence[Damage],
    card: Card,
    n: int,
    repeats: int = 10,
    seed: int = 0,
    step: Callable[[], None] | None = None,
) -> list[Detection]:
    """Measure every metric on clean and damaged held-out examples.

    In each repetition the pool is cut at random into n examples that play the model and n that are the reference. With clean scores
    c_r and damaged scores d_r, `shift = (mean(d) - mean(c)) / s` in the bad direction, s the standard deviation of the c_r;
    `power = Phi(shift s / s_d - 1.645 s / s_d)`, s_d that of the d_r. The number of examples at which the power is 80 % scales
    both with `1 / sqrt(n)` and holds the difference of the means, which for a metric that is biased at small n is a rough guide.

    Args:
        pool: held-out examples in data units, at least 2n.
        damages: what to do to them, each of another name.
        card: scores of samples against a reference, same names every time; NaN for one that cannot be computed.
        n: examples on either side.
        repeats: random cuts.
        seed: seed of the cuts and of the damage.
        step: called after every scored sample; there are `repeats * (1 + len(damages))`.

    Raises:
        BadInput: fewer than 2n examples, fewer than four repetitions, or two damages of one name.

    Example:
        >>> from pushforward.core.space import Points
        >>> from pushforward.evaluation.cards.damage import Noise
        >>> x = np.random.default_rng(0).normal(size=(400, 1))
        >>> mean = lambda a, b: [Score("second moment", float((a**2).mean()), n=len(a), better="lower")]
        >>> found = power(x, [Noise(2.0, Points(1), x)], mean, n=100)
        >>> found[0].power > 0.99, found[0].enough < 100
        (True, True)
    """
    by_name = named(damages)
    require(len(pool), 2 * n, "held-out examples")
    require(repeats, FEWEST, "repetitions")
    found: dict[tuple[str, str], list[float]] = {}
    better: dict[str, str] = {}
    for repeat in range(repeats):
        rng = np.random.default_rng(derive_seed(seed, f"power {repeat}"))
        order = rng.permutation(len(pool))
        played, reference = pool[order[:n]], pool[order[n : 2 * n]]
        for name, damage in (("", None), *by_name.items()):
            for score in card(played if damage is None else damage.apply(played, rng), reference):
                found.setdefault((score.name, name), []).append(score.value)
                better[score.name] = score.better
            if step is not None:
                step()
    return [
        _detection(metric, damage, np.array(found[metric, ""]), np.array(values), better[metric] == "lower", n)
        for (metric, damage), values in found.items()
        if damage and (metric, "") in found
    ]


def _detection(metric: str, damage: str, clean: np.ndarray, hurt: np.ndarray, lower: bool, n: int) -> Detection:
    means = float(clean.mean()), float(hurt.mean())
    spread, spread_hurt = float(clean.std(ddof=1)), float(hurt.std(ddof=1))
    worse = (hurt - clean) if lower else (clean - hurt)
    gap, r = float(worse.mean()), len(clean)
    if not math.isfinite(gap):
        nan = math.nan
        return Detection(metric, damage, *means, nan, nan, nan, nan, None, n)
    if spread == 0:
        # a metric that never varies on clean data sees whatever moves it, and nothing else
        seen = 1.0 if gap > 0 else 0.0
        shift = math.copysign(math.inf, gap) if gap else 0.0
        return Detection(metric, damage, *means, shift, shift, shift, seen, 2 if gap > 0 else None, n)
    shift = gap / spread
    # the ratio's error: the mean gap's own, and the standard deviation's, known to 1 / sqrt(2 (r - 1))
    error = math.hypot(float(worse.std(ddof=1)) / math.sqrt(r) / spread, shift / math.sqrt(2 * (r - 1)))
    reach = float(stats.t.ppf(0.975, r - 1)) * error
    critical = float(stats.norm.ppf(1 - LEVEL))
    width = max(spread_hurt, 1e-12 * spread)
    seen = float(stats.norm.cdf((gap - critical * spread) / width))
    enough = None
    if shift - reach > 0:
        enough = max(2, math.ceil(n * ((critical * spread + float(stats.norm.ppf(ENOUGH)) * width) / gap) ** 2))
    return Detection(metric, damage, *means, shift, shift - reach, shift + reach, seen, enough, n)
