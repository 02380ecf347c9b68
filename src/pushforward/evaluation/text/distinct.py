"""How many different words and phrases a sampler uses.

One idea: a sampler that draws colder than it says repeats itself, so the share of n-grams that are
distinct falls below that of as much real text; one that babbles rises above it.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.measure import DIVERSITY, Measure
from pushforward.core.score import Score
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import DATA, Measured, TwoSample
from pushforward.evaluation.text.blocks import BlockStatistic, measure_blocks
from pushforward.evaluation.text.ngrams import ngrams

ORDERS = (1, 2, 3)
DISTINCT = tuple(
    Measure(
        f"distinct-{n}",
        "How many of the words and phrases occur once only.",
        "Variety of words",
        "share distinct",
        DIVERSITY,
        better="higher",
    )
    for n in ORDERS
)


def distinct_share(tokens: np.ndarray, n: int) -> float:
    """Return the number of different n-grams over the number of n-grams in windows (rows, length)
    (Li et al. 2016, distinct-n).

    An n-gram lies within one window.

    Example:
        >>> distinct_share(np.array([[1, 1, 1], [1, 1, 2]]), 2)
        0.5
    """
    codes = ngrams(tokens, n)
    return (int(codes.max()) + 1) / codes.size


def distinct_scores(
    samples: np.ndarray, reference: np.ndarray, reference_name: str = "test", seed: int = 0
) -> list[Score]:
    """Score distinct-1, distinct-2 and distinct-3, each averaged over twenty disjoint blocks of
    windows.

    The share depends on how much text it is taken of, so the block's size is part of the name and
    the null is the mean over blocks of real windows of that size. The interval is Student's over
    blocks.

    Args:
        samples: windows of the model's tokens, shape (n, length).
        reference: real windows, shape (m, length).
        reference_name: which split `reference` is.
        seed: seed of the blocks.

    Raises:
        BadInput: fewer than 40 windows on a side, fewer than 3 tokens in a window, or different
            lengths.

    Example:
        >>> draw = np.random.default_rng(0).integers
        >>> first, *_ = distinct_scores(draw(0, 5, (80, 16)), draw(0, 20, (80, 16)))
        >>> first.name, first.value < first.null
        ('distinct-1 [20 blocks of 4 windows] vs test', True)
    """
    return [m.score for m in _measure(samples, reference, reference_name, seed)]


def _measure(
    samples: np.ndarray, reference: np.ndarray, reference_name: str, seed: int
) -> list[Measured]:
    return [
        measure_blocks(samples, reference, one, reference_name, seed)
        for one in map(_statistic, ORDERS, DISTINCT)
    ]


def _statistic(n: int, measure: Measure) -> BlockStatistic:
    return BlockStatistic(
        measure,
        "more distinct than real text: noise is, so higher is not better beyond real text's value",
        lambda block: distinct_share(block, n),
        shortest=max(ORDERS),
    )


class Distinct(TwoSample):
    """`distinct_scores` of the windows kept."""

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return distinct-1, distinct-2 and distinct-3."""
        return _measure(x, y, self.reference_name, self.seed)


METRIC = Metric(
    "distinct n-grams",
    "How many of the words and phrases occur once only",
    DISTINCT,
    lambda card: [Distinct(DATA, card.reference_name)],
    spaces=("text",),
)
