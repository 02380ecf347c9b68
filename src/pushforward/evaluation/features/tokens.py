"""Windows of text as the metrics see them: which tokens and pairs of tokens occur.

Two ideas: a window's tokens and neighbouring pairs are counted in a fixed number of buckets, so
that any vocabulary has the same width; what they see is the choice and order of tokens at short
range, and nothing beyond.
"""

from __future__ import annotations

import numpy as np

from pushforward.core.text import Text
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.features.named import Features, PrincipalComponents

BUCKETS = 512


class TokenFeatures(Features):
    """The leading principal components of square-rooted counts of tokens and pairs of tokens in
    hashed buckets.

    Args:
        space: the space of windows.
        train: training windows (n, length).
        components: most components.

    Example:
        >>> windows = np.random.default_rng(0).integers(0, 5, size=(40, 8))
        >>> TokenFeatures(Text(6, 8, 5), windows)(windows[:3]).shape[0]
        3
    """

    def __init__(self, space: Text, train: np.ndarray, components: int = 32) -> None:
        rows = as_rows(train, "training windows", at_least=2)
        self._vocabulary = space.vocabulary
        self._inner = PrincipalComponents(self._counts(rows), components)
        super().__init__(f"tokens and pairs, {self._inner.name}", rows)

    def _map(self, x: np.ndarray) -> np.ndarray:
        return self._inner(self._counts(as_rows(x)))

    def _counts(self, rows: np.ndarray) -> np.ndarray:
        tokens = rows.astype(np.uint64)
        pairs = (
            tokens[:, :-1] * np.uint64(self._vocabulary)
            + tokens[:, 1:]
            + np.uint64(self._vocabulary)
        )
        # multiplicative hashing (Knuth 1998, section 6.4): the high bits of a product with 2^64
        # over the golden ratio
        places = (
            np.concatenate([tokens, pairs], axis=1) * np.uint64(0x9E3779B97F4A7C15)
        ) >> np.uint64(55)
        counts = np.zeros((len(rows), BUCKETS))
        np.add.at(counts, (np.arange(len(rows))[:, None], places.astype(np.int64)), 1.0)
        return np.sqrt(counts)
