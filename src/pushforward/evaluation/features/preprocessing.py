"""What a network trained elsewhere is given of an image.

One idea: a network's input convention (channels, size, range, mean and standard deviation) is
written down and hashed, because no file of weights says it and every silent mistake in it changes
all distances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.space import Image
from pushforward.evaluation.features.resizing import Resizing

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """From integer pixels to a network's input: `(clip(resize(low + x (high - low) / (levels - 1)))
    - mean) / std`.

    An image that is not square is resized to a square whole: nothing is cropped away. Grey images
    are repeated for a network of three channels. Overshoot of the filter is clipped to the range.

    Attributes:
        channels: that the network takes.
        size: height and width that the network takes, None for images as they are.
        low, high: what the darkest and the brightest pixel become.
        mean, std: subtracted and divided by, one number for each channel or one for all.
        filter: how images are resized.

    Raises:
        BadInput: an unknown filter, means or deviations of another number than the channels,
            deviations that are not positive, or an empty range.

    Example:
        >>> convention = Preprocessing(channels=3, size=4, mean=(0.5,), std=(0.5,))
        >>> convention.name, convention(np.full((1, 1, 2, 2), 255), Image(1, 2, 2))[0, 2, 0, 0].item()
        ('resized 4x4 bicubic antialiased', 1.0)
    """

    channels: int = 3
    size: int | None = None
    low: float = 0.0
    high: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    filter: str = "bicubic"

    def __post_init__(self) -> None:
        self._resizing(1 if self.size is None else self.size)
        for word, given in (("mean", self.mean), ("std", self.std)):
            if len(given) not in (1, self.channels):
                raise BadInput(
                    f"{word} of {len(given)} numbers",
                    f"one, or one for each of the {self.channels} channels",
                )
        if min(self.std) <= 0 or not self.low < self.high:
            raise BadInput(
                f"std {self.std} and a range from {self.low} to {self.high}",
                "positive numbers, and low below high",
            )

    @property
    def name(self) -> str:
        """How images are resized; empty where they are not."""
        return "" if self.size is None else self._resizing(self.size).name

    def _resizing(self, size: int) -> Resizing:
        return Resizing(size, size, self.filter)

    def shape(self, space: Image) -> tuple[int, int, int]:
        """Return the shape of one input made from an image of this space.

        Raises:
            BadInput: images whose channels cannot become the network's.
        """
        if space.channels not in (1, self.channels):
            raise BadInput(
                f"images of {space.channels} channels for a network that takes {self.channels}",
                f"images of {self.channels} channels" + (" or one" if self.channels > 1 else ""),
                "say how many the network takes (channels=...), or convert the images first",
            )
        height, width = (space.height, space.width) if self.size is None else (self.size, self.size)
        return self.channels, height, width

    def __call__(self, x: np.ndarray, space: Image) -> Tensor:
        """Return the input (n, channels, size, size) of images (n, c, h, w) of a space as
        float32."""
        pixels = self.low + x.astype(np.float64) * ((self.high - self.low) / (space.levels - 1))
        if self.size is not None and x.shape[-2:] != (self.size, self.size):
            pixels = self._resizing(self.size)(pixels).clip(self.low, self.high)
        pixels = (pixels - np.reshape(self.mean, (-1, 1, 1))) / np.reshape(self.std, (-1, 1, 1))
        inputs = np.broadcast_to(pixels, (len(x), *self.shape(space))).astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(inputs))
