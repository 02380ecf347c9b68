"""Text statistics whose value depends on how much text they see.

One idea: a share of distinct n-grams falls with every further window, so it is computed inside
twenty disjoint blocks of one size and averaged; the size belongs to the definition, and independent
blocks have a plain t interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pushforward.core.measure import Measure
from pushforward.evaluation.checks import same_width
from pushforward.evaluation.intervals import mean_interval
from pushforward.evaluation.measuring.real import against_real
from pushforward.evaluation.measuring.statistic import Measured, MeasuredOn, Terms
from pushforward.evaluation.text.ngrams import as_tokens

BLOCKS = 20


@dataclass(frozen=True)
class BlockStatistic:
    """A statistic of a block of windows and how its score is called.

    Attributes:
        measure: what the score is of.
        beyond: the warning where samples are clearly better than real text.
        of: the statistic of tokens (windows, length).
        shortest: tokens that a window needs.
        most: windows in a block at most.
    """

    measure: Measure
    beyond: str
    of: Callable[[np.ndarray], float]
    shortest: int
    most: int | None = None


def measure_blocks(
    samples: np.ndarray,
    reference: np.ndarray,
    statistic: BlockStatistic,
    reference_name: str = "test",
    seed: int = 0,
) -> Measured:
    """Return the mean of a statistic over twenty blocks of samples, with that over equal blocks of
    real windows as its null.

    Args:
        samples: windows of the model's tokens, shape (n, length).
        reference: real windows, shape (m, length).
        statistic: what is computed in each block.
        reference_name: which split `reference` is.
        seed: seed of which windows fall into which block.

    Raises:
        BadInput: fewer than 40 windows on a side, windows of different or too small length, or no
            tokens.

    Example:
        >>> tokens = Measure("tokens", better="higher")
        >>> few = BlockStatistic(tokens, "more than real", lambda block: float(len(np.unique(block))), shortest=1)
        >>> measure_blocks(np.zeros((40, 3)), np.tile(np.arange(3), (40, 1)), few).score.null
        3.0
    """
    x = as_tokens(samples, "samples", 2 * BLOCKS, statistic.shortest)
    y = as_tokens(reference, "reference examples", 2 * BLOCKS, statistic.shortest)
    same_width(x, y)
    size = min(len(x), len(y)) // BLOCKS
    if statistic.most is not None:
        size = min(size, statistic.most)
    own, real = (np.array([statistic.of(b) for b in _blocks(rows, size, seed)]) for rows in (x, y))
    value, low, high, stderr = mean_interval(own)
    on = MeasuredOn(f"{BLOCKS} blocks of {size} windows", reference=reference_name)
    score = on.score(statistic.measure, value, BLOCKS * size, low=low, high=high, stderr=stderr)
    expected, _, _, real_stderr = mean_interval(real)
    return Measured(
        against_real(score, expected, real_stderr, statistic.beyond),
        Terms.of_mean(np.arange(BLOCKS), own),
    )


def _blocks(rows: np.ndarray, size: int, seed: int) -> list[np.ndarray]:
    # neighbouring windows may be of one document, and a block of one document is not a block of the
    # text
    order = np.random.default_rng(seed).permutation(len(rows))[: BLOCKS * size]
    return list(rows[order].reshape(BLOCKS, size, -1))
