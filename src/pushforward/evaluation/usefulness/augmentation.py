"""Does synthetic data help somebody who trains a predictor?

Three ideas: the only test is real data that nothing was trained on; the generator may see no more
real examples than the predictor does, or its samples smuggle the others in; a gain counts when it
exceeds the luck of seeds and of the test examples together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pushforward.core.errors import BadInput
from pushforward.core.rng import derive_seed
from pushforward.evaluation.checks import require
from pushforward.evaluation.intervals import normal_quantile, t_quantile, wilson
from pushforward.evaluation.usefulness.learners import Task

LEVEL = 0.05
FEWEST_SEEDS = 2


@dataclass(frozen=True)
class Drawn:
    """Real training examples with their targets, and synthetic ones of a generator that saw no
    other real ones."""

    real: np.ndarray
    real_target: np.ndarray
    synthetic: np.ndarray
    synthetic_target: np.ndarray


@dataclass(frozen=True)
class Usefulness:
    """One training set and what it is worth on real test examples.

    Attributes:
        trained_on: `real`, `synthetic` or `both`.
        real: how many real examples there were, for the generator as well.
        synthetic: how many synthetic examples it holds.
        used: how many of them all the predictor took, at random, where it takes no more; 0 where it
            is not known.
        value, low, high: mean score over seeds and test examples, with a 95 % interval for both.
        gain, gain_low, gain_high: what it is better than the real examples alone by, in pairs; NaN
            for those.
        p_value: of no gain, two-sided, after Holm\'s correction for all sets that were tried.
        verdict: `helps`, `hurts` or `undecided`, at 5 % for all together; `leaked` where the
            samples hold the test examples.
    """

    trained_on: str
    real: int
    synthetic: int
    value: float
    low: float
    high: float
    gain: float = math.nan
    gain_low: float = math.nan
    gain_high: float = math.nan
    p_value: float = math.nan
    verdict: str = ""
    used: int = 0


def two_way_mean(scores: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of scores (seeds, examples), its standard error, and its degrees of freedom.

    Seeds and examples are both drawn: `Var = s_seeds^2 / R + s_examples^2 / n` with s_seeds the
    spread of the seeds\' means and s_examples that of the examples\' means. Each holds a part of
    what is left over, so the sum is a little too large and not too small. Degrees of freedom by
    Satterthwaite (1946).

    Example:
        >>> mean, stderr, freedom = two_way_mean(np.array([[1.0, 0.0], [1.0, 1.0]]))
        >>> mean, round(stderr, 4), round(freedom, 1)
        (0.75, 0.3536, 2.0)
    """
    parts = [float(scores.mean(axis=1 - axis).var(ddof=1)) / scores.shape[axis] for axis in (0, 1)]
    total = sum(parts)
    below = sum(part**2 / (size - 1) for part, size in zip(parts, scores.shape, strict=True))
    return float(scores.mean()), math.sqrt(total), total**2 / below if below > 0 else math.inf


def share_interval(value: float, reach: float, n: int) -> tuple[float, float]:
    """Return Wilson's interval of a share, of as many trials as give its normal interval that
    reach, n examples at most.

    Inside [0, 1], and of some width where all examples are right.

    Example:
        >>> [round(end, 3) for end in share_interval(1.0, 0.0, 100)], [round(end, 3) for end in share_interval(0.5, 0.1, 500)]
        ([0.963, 1.0], [0.402, 0.598])
    """
    trials = (
        min(float(n), value * (1 - value) * (normal_quantile() / reach) ** 2)
        if reach > 0
        else float(n)
    )
    return wilson(value * trials, trials)


def usefulness(
    draw: Callable[[int, int], Drawn],
    task: Task,
    test: np.ndarray,
    target: np.ndarray,
    sizes: Sequence[int],
    ratios: Sequence[float],
    seeds: int,
    seed: int = 0,
) -> list[Usefulness]:
    """Train on real, synthetic and both, for sizes of the real set and ratios of synthetic to real;
    test on real.

    Args:
        draw: from a number of real examples and a seed to a draw with at least `max(ratios)` times
            as many synthetic ones.
        task: what is predicted.
        test: real examples that nobody was trained on, in data units, with `target` (n,).
        sizes: of the real training set.
        ratios: synthetic examples for each real one.
        seeds: independent draws, generators and predictors, at least two.
        seed: where they start.

    Raises:
        BadInput: fewer than two seeds, no ratio above zero, or fewer than 20 test examples.
    """
    require(seeds, FEWEST_SEEDS, "seeds")
    require(len(test), 20, "test examples")
    if not ratios or min(ratios) <= 0:
        raise BadInput(f"ratios {list(ratios)}", "numbers above zero")
    scores: dict[tuple[str, int, int], list[np.ndarray]] = {}
    for size, k in [(size, k) for size in sizes for k in range(seeds)]:
        own = derive_seed(seed, f"augment {size} {k}")
        drawn = draw(size, own)
        for (kind, extra), (x, y) in _sets(drawn, ratios).items():
            predict = task.learn(x, y, own)
            scores.setdefault((kind, size, extra), []).append(task.scored(predict, test, target))
    cells = [
        _cell(key, np.stack(found), scores, shares=task.kind == "classes")
        for key, found in scores.items()
    ]
    return _corrected([replace(cell, used=task.takes(_rows(cell))) for cell in cells])


def _rows(cell: Usefulness) -> int:
    return cell.synthetic + (cell.real if cell.trained_on != "synthetic" else 0)


def _sets(
    drawn: Drawn, ratios: Sequence[float]
) -> dict[tuple[str, int], tuple[np.ndarray, np.ndarray]]:
    found = {("real", 0): (drawn.real, drawn.real_target)}
    for ratio in sorted(set(ratios)):
        extra = max(1, round(ratio * len(drawn.real)))
        if extra > len(drawn.synthetic):
            raise BadInput(
                f"{len(drawn.synthetic)} synthetic examples", f"{extra} for a ratio of {ratio:g}"
            )
        x, y = drawn.synthetic[:extra], drawn.synthetic_target[:extra]
        found["synthetic", extra] = x, y
        both = np.concatenate([drawn.real, x]), np.concatenate([drawn.real_target, y])
        found["both", extra] = both
    return found


def _cell(
    key: tuple[str, int, int],
    found: np.ndarray,
    scores: dict[tuple[str, int, int], list[np.ndarray]],
    shares: bool,
) -> Usefulness:
    kind, size, extra = key
    value, stderr, freedom = two_way_mean(found)
    reach = t_quantile(freedom) * stderr
    ends = (
        share_interval(value, reach, found.shape[1]) if shares else (value - reach, value + reach)
    )
    cell = Usefulness(kind, size, extra, value, *ends)
    if kind == "real":
        return cell
    gain, stderr, freedom = two_way_mean(found - np.stack(scores["real", size, 0]))
    reach = t_quantile(freedom) * stderr
    # without any spread there is still the chance that all seeds agree in the sign of the gain
    p = (
        2 * float(stats.t.sf(abs(gain) / stderr, freedom))
        if stderr > 0
        else 2.0 ** (1 - len(found))
        if gain
        else 1.0
    )
    return replace(cell, gain=gain, gain_low=gain - reach, gain_high=gain + reach, p_value=p)


def _corrected(cells: list[Usefulness]) -> list[Usefulness]:
    """Holm (1979) over every set that was compared with the real examples alone."""
    order = sorted(
        (i for i, c in enumerate(cells) if not math.isnan(c.p_value)),
        key=lambda i: cells[i].p_value,
    )
    found, largest = list(cells), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, cells[i].p_value * (len(order) - rank)))
        decided = "helps" if cells[i].gain > 0 else "hurts"
        found[i] = replace(
            cells[i], p_value=largest, verdict=decided if largest < LEVEL else "undecided"
        )
    return found
