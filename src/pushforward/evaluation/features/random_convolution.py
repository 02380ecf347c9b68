"""Features of a random convolution network.

Two ideas: random zero-mean filters with rectification see edges and textures without any training,
so nothing the user's model was trained on leaks into the judge; the filters come from a frozen
random stream, so that a seed means the same network everywhere.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pushforward.core.errors import BadInput
from pushforward.core.placement import here, memory_of
from pushforward.core.portions import in_portions
from pushforward.core.space import Image
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.features.named import Features

WIDTHS = (12, 16)
BATCH = 512


class RandomConvolution(Features):
    """Pooled responses of two seeded random 3x3 convolution layers, standardised on train.

    Layer 1: 12 zero-mean filters, rectified, averaged over a 2x2 grid of regions (48 numbers);
    layer 2 on its 2x2-averaged output: 16 filters, rectified, averaged over the whole picture (16
    numbers). Sixty-four features for images of any size.

    Args:
        space: the image space.
        train: training examples, which set mean and standard deviation of every feature.
        seed: seed of the filters.

    Raises:
        BadInput: images smaller than 4x4.

    Example:
        >>> x = np.random.default_rng(0).integers(0, 17, size=(20, 1, 8, 8))
        >>> f = RandomConvolution(Image(1, 8, 8, 17), x, seed=0)
        >>> f.name, f(x).shape
        ('random-conv-64 seed 0', (20, 64))
    """

    def __init__(self, space: Image, train: np.ndarray, seed: int = 0) -> None:
        if min(space.height, space.width) < 4:
            raise BadInput(
                f"images of {space.height}x{space.width}",
                "at least 4x4",
                "use principal components",
            )
        self._space, self._device = space, here()
        # RandomState's stream is frozen by NumPy's compatibility policy; a Generator's is not
        stream = np.random.RandomState(seed)
        self._filters: list[Tensor] = []
        channels = space.channels
        for width in WIDTHS:
            weight = (
                stream.standard_normal((width, channels, 3, 3))
                .astype(np.float32)
                .astype(np.float64)
            )
            if channels == space.channels:
                weight -= weight.mean(axis=(1, 2, 3), keepdims=True)
            weight /= np.sqrt((weight**2).sum(axis=(1, 2, 3), keepdims=True))
            self._filters.append(torch.from_numpy(weight))
            channels = width
        rows = as_rows(train, "training examples", at_least=2)
        super().__init__(
            f"random-conv-{4 * WIDTHS[0] + WIDTHS[1]} seed {seed}",
            np.array([space.levels]),
            *(f.numpy().round(6) for f in self._filters),
            rows,
        )
        self._filters = [weight.to(self._device) for weight in self._filters]
        raw = self._responses(train)
        spread = raw.std(axis=0)
        self._mean, self._scale = raw.mean(axis=0), np.where(spread > 1e-12, spread, 1.0)

    def _map(self, x: np.ndarray) -> np.ndarray:
        return (self._responses(x) - self._mean) / self._scale

    def _responses(self, x: np.ndarray) -> np.ndarray:
        if x.shape[1:] != self._space.event_shape:
            raise BadInput(f"images of shape {x.shape[1:]}", f"{self._space.event_shape}")

        def pooled(first: int, count: int) -> np.ndarray:
            return self._pooled(x[first : first + count])

        return np.concatenate(in_portions(len(x), BATCH, pooled, memory=memory_of(self._device)))

    @torch.no_grad()
    def _pooled(self, x: np.ndarray) -> np.ndarray:
        numbers = torch.from_numpy(x.astype(np.float64)).to(self._device)
        pixels = numbers * (2.0 / (self._space.levels - 1)) - 1.0
        first = functional.relu(
            functional.conv2d(functional.pad(pixels, (1, 1, 1, 1), "replicate"), self._filters[0])
        )
        second = functional.relu(
            functional.conv2d(functional.avg_pool2d(first, 2), self._filters[1], padding=1)
        )
        parts = [
            functional.adaptive_avg_pool2d(first, 2),
            functional.adaptive_avg_pool2d(second, 1),
        ]
        return torch.cat([part.flatten(1) for part in parts], dim=1).cpu().numpy()
