"""Images to measures: levels of grey or of colours, whose pixels have neighbours."""

from __future__ import annotations

import math

import numpy as np

from pushforward.core.space import Image
from pushforward.evaluation.kinds.example_kind import ExampleKind


class ImageExamples(ExampleKind):
    """Pictures of whole levels."""

    neighbouring = True

    def even(self, space: Image, rows: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return pictures of even noise."""
        return rng.integers(0, space.levels, size=(n, *space.event_shape))

    def log_marginals(self, space: Image, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return log-probabilities of each pixel's histogram, half a count added to every level
        (Krichevsky & Trofimov 1981)."""
        counts = np.stack([(train == level).sum(axis=0) for level in range(space.levels)])
        log_p = np.log((counts + 0.5) / (len(train) + 0.5 * space.levels))
        return np.take_along_axis(log_p, test.astype(np.int64), axis=0).sum(axis=1)

    def marginals(self, space: Image) -> str:
        """Return what the marginals are, and the code length of knowing nothing at all,
        `log2(levels)`."""
        uniform = f"a uniform code over {space.levels} levels needs {math.log2(space.levels):.4f} bits/dim"
        return f"independent pixel histograms fitted on train; {uniform}"

    def on_grid(self, space: Image, rows: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        """Return the nearest levels."""
        return np.round(noisy).clip(0, space.levels - 1)


IMAGES = ImageExamples()
