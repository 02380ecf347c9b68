"""Small networks that are trained here, within seconds, to look at one data set.

Two ideas: initial weights and batches come from NumPy's frozen stream, so that a seed means the
same everywhere and no global state is touched; the budget is a number of steps, so that what is
trained does not depend on how busy the machine is.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

WIDTH = 64
WARM_UP = 20


class FeatureEncoder(ABC):
    """A network to `WIDTH` features, as a list of weights and a pure function of them."""

    weights: list[Tensor]

    @abstractmethod
    def __call__(self, x: Tensor) -> Tensor:
        """Return features (n, WIDTH) before any rectification."""

    def to(self, device: torch.device) -> None:
        """Put the weights on a device."""
        self.weights = [weight.to(device) for weight in self.weights]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.weights[0].device

    def freeze(self) -> None:
        """Turn the weights into double-precision constants, so that a row has equal features in any
        batch."""
        self.weights = [weight.detach().double() for weight in self.weights]


class Convolutional(FeatureEncoder):
    """Three rectified 3x3 convolutions of 16, 32 and 64 channels, averaged over a 2x2 grid, then a
    linear layer.

    The second and third halve the picture; so does the first for pictures of more than 32 pixels a
    side.
    """

    def __init__(self, stream: np.random.RandomState, channels: int, side: int) -> None:
        shapes = [(16, channels, 3, 3), (32, 16, 3, 3), (64, 32, 3, 3)]
        self._strides = (2 if side > 32 else 1, 2, 2)
        self.weights = [initial(stream, *shape) for shape in shapes] + [
            torch.zeros(s[0]) for s in shapes
        ]
        self.weights += [initial(stream, WIDTH, 4 * shapes[-1][0]), torch.zeros(WIDTH)]

    def __call__(self, x: Tensor) -> Tensor:
        """Return features (n, WIDTH) of images (n, channels, height, width)."""
        for kernel, bias, stride in zip(
            self.weights[:3], self.weights[3:6], self._strides, strict=True
        ):
            x = functional.relu(functional.conv2d(x, kernel, bias, stride, padding=1))
        return functional.linear(functional.adaptive_avg_pool2d(x, 2).flatten(1), *self.weights[6:])


class Perceptron(FeatureEncoder):
    """Two rectified layers of 128 and a linear one, for rows of numbers."""

    def __init__(self, stream: np.random.RandomState, inputs: int) -> None:
        widths = (inputs, 128, 128, WIDTH)
        self.weights = [initial(stream, new, old) for old, new in itertools.pairwise(widths)]
        self.weights += [torch.zeros(width) for width in widths[1:]]

    def __call__(self, x: Tensor) -> Tensor:
        """Return features (n, WIDTH) of rows (n, inputs)."""
        for weight, bias in zip(self.weights[:2], self.weights[3:5], strict=True):
            x = functional.relu(functional.linear(x, weight, bias))
        return functional.linear(x, self.weights[2], self.weights[5])


def initial(stream: np.random.RandomState, *shape: int) -> Tensor:
    """Return normal weights of variance `2 / fan-in` (He et al. 2015, equation 10).

    Example:
        >>> initial(np.random.RandomState(0), 2, 8).shape
        torch.Size([2, 8])
    """
    scale = math.sqrt(2.0 / math.prod(shape[1:]))
    return torch.from_numpy((stream.standard_normal(shape) * scale).astype(np.float32))


def descend(
    weights: Sequence[Tensor], loss: Callable[[], Tensor], steps: int, rate: float = 2e-3
) -> None:
    """Take AdamW steps on weights, in place; the rate rises over 20 steps and falls to zero along a
    cosine.

    Args:
        loss: of a batch that it draws itself.

    Example:
        >>> weight = torch.zeros(1)
        >>> descend([weight], lambda: (weight - 3.0).square().sum(), steps=200, rate=0.1)
        >>> round(weight.item(), 1)
        3.0
    """
    for weight in weights:
        weight.requires_grad_(True)
    optimiser = torch.optim.AdamW(weights, lr=rate, weight_decay=1e-4)
    with torch.enable_grad():
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = (
                    rate
                    * min(1.0, (step + 1) / WARM_UP)
                    * 0.5
                    * (1.0 + math.cos(math.pi * step / steps))
                )
            optimiser.zero_grad()
            loss().backward()
            optimiser.step()
