"""Agreement with torchmetrics where it computes the same thing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.inception import InceptionScore
from torchmetrics.image.kid import KernelInceptionDistance

from pushforward.evaluation.distribution.frechet import frechet
from pushforward.evaluation.distribution.kernel_distance import kernel_distance
from pushforward.evaluation.diversity.classes import inception_value

# what is kept in memory here is six numbers an example
pytestmark = pytest.mark.filterwarnings("ignore:Metric `", "ignore:std.*degrees of freedom")
WIDTH = 6


class Flat(nn.Module):
    """Features that are the numbers themselves."""

    num_features = WIDTH

    def forward(self, x: Tensor) -> Tensor:
        """Return rows of (n, 1, 1, width) as (n, width)."""
        return x.reshape(len(x), -1).double()


def sides() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, WIDTH)) @ rng.normal(size=(WIDTH, WIDTH))
    return x, rng.normal(size=(300, WIDTH)) + 0.5


def as_pictures(rows: np.ndarray) -> Tensor:
    return torch.from_numpy(rows).reshape(len(rows), 1, 1, WIDTH)


def test_the_frechet_distance_agrees() -> None:
    x, y = sides()
    peer = FrechetInceptionDistance(feature=Flat()).set_dtype(torch.float64)
    peer.update(as_pictures(y), real=True)
    peer.update(as_pictures(x), real=False)
    assert frechet(x, y) == pytest.approx(float(peer.compute()), rel=1e-8)


def test_the_kernel_distance_agrees_on_one_subset_of_everything() -> None:
    x, y = (side[:300] for side in sides())
    peer = KernelInceptionDistance(feature=Flat(), subsets=1, subset_size=300)
    peer.update(as_pictures(y), real=True)
    peer.update(as_pictures(x), real=False)
    mean, spread = peer.compute()
    score = kernel_distance(x, y, "identity")
    assert score.value == pytest.approx(float(mean), rel=1e-6)
    # its spread is that of subsets, which of all rows is none; ours is the error of the value
    assert float(spread) == 0.0
    assert score.stderr is not None
    assert score.stderr > 0


def test_the_inception_style_score_agrees_on_one_split() -> None:
    logits = np.random.default_rng(1).normal(size=(200, WIDTH)) * 2.0
    peer = InceptionScore(feature=Flat(), splits=1)
    peer.update(as_pictures(logits))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert inception_value(p) == pytest.approx(float(peer.compute()[0]), rel=1e-6)
