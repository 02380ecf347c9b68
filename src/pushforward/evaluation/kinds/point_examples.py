"""Points to measures: a box of numbers, and a Gaussian for each coordinate."""

from __future__ import annotations

import numpy as np
import torch

from pushforward.core.errors import BadInput
from pushforward.core.moments import location_and_scale
from pushforward.core.space import Points
from pushforward.evaluation.kinds.example_kind import ExampleKind


class PointExamples(ExampleKind):
    """Real vectors."""

    def even(self, space: Points, rows: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return points of the box that the training rows span."""
        return rng.uniform(rows.min(axis=0), rows.max(axis=0), size=(n, rows.shape[1]))

    def log_marginals(self, space: Points, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return log-densities of Gaussians with the training means and variances.

        Raises:
            BadInput: a constant coordinate, whose density is infinite.
        """
        constant = np.flatnonzero(np.ptp(train, axis=0) == 0).tolist()
        if constant:
            raise BadInput(
                f"constant training columns {constant}",
                "columns that vary",
                "drop them from the data",
            )
        mean, scale = (part.numpy() for part in location_and_scale(torch.from_numpy(train)))
        return -0.5 * (np.log(2 * np.pi) + 2 * np.log(scale) + ((test - mean) / scale) ** 2).sum(
            axis=1
        )

    def marginals(self, space: Points) -> str:
        """Return what the marginals are, in words."""
        return "independent Gaussians fitted on train"


POINTS = PointExamples()
