"""How much a sampler's windows resemble one another.

One idea: BLEU asks which of a text's n-grams its references have; with the other samples as
references it measures how little variety there is among them.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.measure import DIVERSITY, Measure
from pushforward.core.score import Score
from pushforward.evaluation.measuring.metric import Metric
from pushforward.evaluation.measuring.statistic import DATA, Measured, TwoSample
from pushforward.evaluation.text.blocks import BlockStatistic, measure_blocks
from pushforward.evaluation.text.ngrams import ngrams

SELF_BLEU = Measure(
    "self-BLEU-4",
    "How much of one sample's wording occurs in the others.",
    "Samples resemble each other",
    "0 to 1",
    DIVERSITY,
)
ORDER = 4
UNMATCHED = 0.1  # matches that an order without any counts for (Chen & Cherry 2014, technique 1)
WINDOWS = 50


def self_bleu(tokens: np.ndarray) -> float:
    """Return the mean BLEU-4 of each window with all other windows as references (Zhu et al. 2018,
    self-BLEU).

    Args:
        tokens: windows (n, length), n at least 2 and length at least 4; of equal length, so that
            there is no brevity penalty.

    Example:
        >>> self_bleu(np.array([[1, 2, 3, 4], [1, 2, 3, 4]]))
        1.0
    """
    rows, length = tokens.shape
    logs = np.zeros(rows)
    for n in range(1, ORDER + 1):
        matched = _matched(ngrams(tokens, n))
        logs += np.log(np.where(matched > 0, matched, UNMATCHED) / (length - n + 1)) / ORDER
    return float(np.exp(logs).mean())


def _matched(codes: np.ndarray) -> np.ndarray:
    """Return how many n-grams of each row the other rows have, clipped at the most that one other
    row has it; shape (rows,)."""
    kinds = int(codes.max()) + 1
    pairs, counts = np.unique(np.arange(len(codes))[:, None] * kinds + codes, return_counts=True)
    row, code = pairs // kinds, pairs % kinds
    order = np.lexsort((-counts, code))
    row, code, counts = row[order], code[order], counts[order]
    first = np.concatenate([[True], code[1:] != code[:-1]])
    leader = np.maximum.accumulate(np.where(first, np.arange(len(code)), 0))
    # the most that another row has: the leader's count, and for the leader itself that of the next
    # in line
    second = np.append(np.where(first[1:], 0, counts[1:]), 0)
    clipped = np.minimum(counts, np.where(first, second, counts[leader]))
    return np.bincount(row, weights=clipped, minlength=len(codes))


def self_bleu_score(
    samples: np.ndarray, reference: np.ndarray, reference_name: str = "test", seed: int = 0
) -> Score:
    """Score self-BLEU-4 inside twenty disjoint blocks of at most fifty windows, averaged; null:
    that of real windows.

    More references match more, so the block's size is part of the name. The interval is Student's
    over blocks.

    Args:
        samples: windows of the model's tokens, shape (n, length).
        reference: real windows, shape (m, length).
        reference_name: which split `reference` is.
        seed: seed of the blocks.

    Raises:
        BadInput: fewer than 40 windows on a side, fewer than 4 tokens in a window, or different
            lengths.

    Example:
        >>> draw = np.random.default_rng(0).integers
        >>> s = self_bleu_score(draw(0, 3, (80, 16)), draw(0, 20, (80, 16)))
        >>> s.name, s.low > s.null
        ('self-BLEU-4 [20 blocks of 4 windows] vs test', True)
    """
    return measure_blocks(samples, reference, _STATISTIC, reference_name, seed).score


_STATISTIC = BlockStatistic(
    SELF_BLEU,
    "less alike than real texts: noise is, so lower is not better beyond real text's value",
    self_bleu,
    shortest=ORDER,
    most=WINDOWS,
)


class SelfBleu(TwoSample):
    """`self_bleu_score` of the windows kept."""

    def measure(
        self, x: np.ndarray, y: np.ndarray, x_ids: np.ndarray, y_ids: np.ndarray
    ) -> list[Measured]:
        """Return one score."""
        return [measure_blocks(x, y, _STATISTIC, self.reference_name, self.seed)]


METRIC = Metric.of(SELF_BLEU, lambda card: [SelfBleu(DATA, card.reference_name)], spaces=("text",))
