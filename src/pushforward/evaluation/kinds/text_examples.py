"""Texts to measures: windows of tokens, which are no numbers but change places."""

from __future__ import annotations

import numpy as np

from pushforward.core.text import Text
from pushforward.evaluation.kinds.example_kind import ExampleKind


class TextExamples(ExampleKind):
    """Windows of tokens."""

    noisy = False
    fewest_shuffled = 2  # one token alone has nowhere to go

    def even(self, space: Text, rows: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return windows of tokens drawn evenly from the vocabulary."""
        return rng.integers(0, space.vocabulary, size=(n, *space.event_shape))

    def log_marginals(self, space: Text, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return log-probabilities of tokens by their training frequencies, half a count added to
        every token."""
        counts = np.bincount(train.astype(np.int64).ravel(), minlength=space.vocabulary)
        log_p = np.log((counts + 0.5) / (train.size + 0.5 * space.vocabulary))
        return log_p[test.astype(np.int64)].sum(axis=1)

    def marginals(self, space: Text) -> str:
        """Return what the marginals are, in words."""
        return "independent tokens with the frequencies of train"

    def shuffle(self, rows: np.ndarray, chosen: np.ndarray, rng: np.random.Generator) -> None:
        """Let the tokens at the chosen places of each window change places, in place."""
        for row in rows:
            row[chosen] = row[rng.permutation(chosen)]


TEXTS = TextExamples()
