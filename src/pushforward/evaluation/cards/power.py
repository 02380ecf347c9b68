"""What can be seen at this sample size: every metric against known damage to the user's own
held-out data.

Three ideas: a metric that does not react to damage says nothing about its absence; damaged and
undamaged examples meet the same reference in every repetition, so the spread that hides the damage
is the metric's own; damage is seen where it scores worse than all but one in twenty undamaged cuts,
so that the test has the false alarms it claims whatever the law of the metric.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pushforward.core.rng import derive_seed
from pushforward.core.score import Score
from pushforward.evaluation.cards.damage import Damage, named
from pushforward.evaluation.checks import require
from pushforward.evaluation.intervals import wilson

LEVEL, ENOUGH = 0.05, 0.8
TWENTY = 20  # cuts of which one is beyond the threshold by chance
FEWEST = 4
Card = Callable[[np.ndarray, np.ndarray], Sequence[Score]]


@dataclass(frozen=True)
class Detection:
    """One metric and one damage.

    Attributes:
        score: a score of it, which says what the metric is.
        damage: name of the damage.
        clean, damaged: mean scores.
        shift: how many standard deviations worse the damaged examples score; negative where the
            metric likes the damage.
        low, high: 95 % interval of the shift, from the finite number of repetitions.
        power: chance of a one-sided 5 % test to see the damage at this sample size: the share of
            the repetitions that did.
        enough: examples at which that chance is 80 %; None where the shift is not clearly positive.
        n: examples on either side.
        power_low, power_high: 95 % interval of the power, from the finite number of repetitions.
    """

    score: Score
    damage: str
    clean: float
    damaged: float
    shift: float
    low: float
    high: float
    power: float
    enough: int | None
    n: int
    power_low: float = math.nan
    power_high: float = math.nan

    @property
    def metric(self) -> str:
        """Name of the score."""
        return self.score.name


def cards_of(repeats: int, damages: int) -> int:
    """Return how many samples `power` scores: all repetitions of all damages, and undamaged ones by
    the twenty.

    Example:
        >>> cards_of(repeats=20, damages=6)
        140
    """
    return TWENTY * max(1, math.ceil(repeats / TWENTY)) + repeats * damages


def power(
    pool: np.ndarray,
    damages: Sequence[Damage],
    card: Card,
    n: int,
    repeats: int = 20,
    seed: int = 0,
    step: Callable[[], None] | None = None,
) -> list[Detection]:
    """Measure every metric on clean and damaged held-out examples.

    In each repetition the pool is cut at random into n examples that play the model and n that are
    the reference. With clean scores c_r and damaged scores d_r, `shift = (mean(d) - mean(c)) / s`
    in the bad direction, s the standard deviation of the c_r. There are C clean scores, a multiple
    of 20. Damage is seen in repetition r where d_r is worse than all but C/20 - 1 of the other C -
    1 clean scores. Cuts of one pool are exchangeable, so an undamaged cut is that bad in at most
    C/20 of C cases, 5 %, whatever the metric's law; a quantile of a normal law is not, where a
    metric is skewed. The power is the share of repetitions, with Wilson's interval. The number of
    examples at which it is 80 % scales the threshold and the spread with `1 / sqrt(n)` and holds
    the difference of the means, which for a metric that is biased at small n is a rough guide.

    Args:
        pool: held-out examples in data units, at least 2n.
        damages: what to do to them, each of another name.
        card: scores of samples against a reference, same names every time; NaN for one that cannot
            be computed.
        n: examples on either side.
        repeats: random cuts of which the examples are damaged.
        seed: seed of the cuts and of the damage.
        step: called after every scored sample; `cards_of` counts them.

    Raises:
        BadInput: fewer than 2n examples, fewer than four repetitions, or two damages of one name.

    Example:
        >>> from pushforward.core.space import Points
        >>> from pushforward.evaluation.cards.damage import AddedNoise
        >>> x = np.random.default_rng(0).normal(size=(400, 1))
        >>> from pushforward.core.measure import Measure
        >>> mean = lambda a, b: [Score(Measure("second moment"), float((a**2).mean()), n=len(a))]
        >>> found = power(x, [AddedNoise(2.0, Points(1), x)], mean, n=100)
        >>> found[0].power > 0.99, found[0].enough < 100
        (True, True)
    """
    by_name = named(damages)
    require(len(pool), 2 * n, "held-out examples")
    require(repeats, FEWEST, "repetitions")
    found, scores = _scored(pool, by_name, card, (n, repeats, seed), step)
    return [
        _detection(scores[metric], damage, np.array(found[metric, ""]), np.array(values), n)
        for (metric, damage), values in found.items()
        if damage and (metric, "") in found
    ]


def _scored(
    pool: np.ndarray,
    damages: Mapping[str, Damage],
    card: Card,
    size: tuple[int, int, int],
    step: Callable[[], None] | None,
) -> tuple[dict[tuple[str, str], list[float]], dict[str, Score]]:
    """Return the values of every metric and damage, the empty name for none, and a score of each;
    size: n, repeats, seed."""
    n, repeats, seed = size
    found: dict[tuple[str, str], list[float]] = {}
    scores: dict[str, Score] = {}
    for repeat in range(cards_of(repeats, 0)):
        rng = np.random.default_rng(derive_seed(seed, f"power {repeat}"))
        order = rng.permutation(len(pool))
        played, reference = pool[order[:n]], pool[order[n : 2 * n]]
        hurt = damages if repeat < repeats else {}
        for name, damage in (("", None), *hurt.items()):
            for score in card(played if damage is None else damage.apply(played, rng), reference):
                found.setdefault((score.name, name), []).append(score.value)
                scores[score.name] = score
            if step is not None:
                step()
    return found, scores


def _detection(
    metric: Score, damage: str, clean: np.ndarray, hurt: np.ndarray, n: int
) -> Detection:
    means = float(clean.mean()), float(hurt.mean())
    bad, bad_hurt = (clean, hurt) if metric.better == "lower" else (-clean, -hurt)
    r = len(hurt)
    worse = bad_hurt - bad[:r]
    gap = float(worse.mean())
    if not (math.isfinite(gap) and np.isfinite(bad).all()):
        nan = math.nan
        return Detection(metric, damage, *means, nan, nan, nan, nan, None, n)
    seen = int((bad_hurt > _thresholds(bad)[:r]).sum())
    found = seen / r, *wilson(seen, r)
    spread, spread_hurt = float(clean.std(ddof=1)), float(hurt.std(ddof=1))
    if spread == 0:
        # a metric that never varies on clean data sees whatever moves it, and nothing else
        shift = math.copysign(math.inf, gap) if gap else 0.0
        enough = 2 if gap > 0 else None
        return Detection(
            metric, damage, *means, shift, shift, shift, found[0], enough, n, *found[1:]
        )
    shift = gap / spread
    # the ratio's error: the mean gap's own, and the standard deviation's, known to 1 / sqrt(2 (r -
    # 1))
    error = math.hypot(
        float(worse.std(ddof=1)) / math.sqrt(r) / spread, shift / math.sqrt(2 * (r - 1))
    )
    reach = float(stats.t.ppf(0.975, r - 1)) * error
    enough = None
    if shift - reach > 0:
        beyond = max(0.0, float(np.mean(_thresholds(bad))) - float(bad.mean()))
        missed = float(stats.norm.ppf(ENOUGH)) * max(spread_hurt, 1e-12 * spread)
        enough = max(2, math.ceil(n * ((beyond + missed) / gap) ** 2))
    return Detection(
        metric, damage, *means, shift, shift - reach, shift + reach, found[0], enough, n, *found[1:]
    )


def _thresholds(bad: np.ndarray) -> np.ndarray:
    """Return for each of C clean scores the (C/20)-th largest of the others: 5 % of C scores are
    beyond their own."""
    k = len(bad) // TWENTY
    descending = np.sort(bad)[::-1]
    # without a score that is among the k largest, the next one takes its place
    return np.where(bad >= descending[k - 1], descending[k], descending[k - 1])
