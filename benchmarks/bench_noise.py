"""Numbers of a counter against one generator of torch an example, and what they cost a step of training.

Steps are the smallest that presets take, against the same step with `torch.randn` of one generator a batch.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from paired import paired
from torch import Tensor

from pushforward.core import model as models
from pushforward.core.given import Examples
from pushforward.core.noise import BatchNoise, Streams
from pushforward.core.rng import derive_seed, generator
from pushforward.core.space import Image, Points, Space
from pushforward.families.build import build, settings


class OneEach:
    """A generator for every example, as it was before."""

    def __init__(self, seed: int, n: int) -> None:
        self.n, self._all = n, [generator(seed, "example", i) for i in range(n)]

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers of shape (n, *shape)."""
        out = torch.empty(self.n, *shape)
        for row, rng in zip(out, self._all, strict=True):
            row.normal_(generator=rng)
        return out


class OfTorch(BatchNoise):
    """One generator for a batch, as it was before."""

    def __init__(self, rng: torch.Generator, n: int, device: torch.device | None = None) -> None:
        super().__init__(rng, n, device)
        self._rng = torch.Generator().manual_seed(derive_seed(n, "torch"))

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return standard normal numbers of shape (n, *shape)."""
        return torch.randn(self.n, *shape, generator=self._rng, dtype=dtype)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return numbers uniform on [0, 1) of shape (n, *shape)."""
        return torch.rand(self.n, *shape, generator=self._rng, dtype=dtype)


def step_of(family: str, space: Space, batch: int, noise: type[BatchNoise]):
    """Return one step of training without its optimiser."""
    model = build(family, space, values=settings(family, space, "cpu")["model"])
    rng = generator(0, "data")
    x = torch.randn(batch, *space.event_shape, generator=rng)
    if isinstance(space, Image):
        x = (x.abs() * 4).clamp(0, space.levels - 1).to(torch.uint8)
    data = Examples(x)
    model.prepare(data)
    groups = model.parameter_groups()

    def step() -> None:
        before, models.BatchNoise = models.BatchNoise, noise
        try:
            for number in range(5):
                for loss in model.losses(data, generator(0, "step", number)):
                    loss.value.backward(inputs=groups[loss.parameters])
        finally:
            models.BatchNoise = before

    return step


def main() -> None:
    """Print the ratios."""
    for n, each in ((4096, 2), (256, 784), (64, 3072)):
        paired(
            f"normal numbers, {n} x {each}",
            lambda n=n, each=each: Streams(0, n).normal(each),
            "a generator an example",
            lambda n=n, each=each: OneEach(0, n).normal(each),
        )
    for family in ("flow", "vae", "gan", "autoregressive", "diffusion"):
        for space, batch in ((Points(2), 128), (Image(1, 8, 8, levels=17), 32)):
            paired(
                f"five steps of {family} on {space.kind}",
                step_of(family, space, batch, BatchNoise),
                "a generator a batch",
                step_of(family, space, batch, OfTorch),
                turns=21,
            )


if __name__ == "__main__":
    main()
