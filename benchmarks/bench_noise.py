"""Numbers of a counter against one generator of torch an example, and what they cost a step of training.

Steps are whole ones of the `cpu` presets (losses, gradients, clipping, optimiser, average), against the same step with
`torch.randn` of one generator a batch.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from paired import paired
from torch import Tensor

from pushforward.core.given import Examples
from pushforward.core.noise import Noise, StepNoise, Streams
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points, Space
from pushforward.core.spec import TrainConfig
from pushforward.engine.average import WeightAverage
from pushforward.engine.gradients import gradients
from pushforward.engine.optimiser import build_optimisers, take_step
from pushforward.engine.order import DataOrder
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


class OfTorch(Noise):
    """Numbers of one generator."""

    def __init__(self, rng: torch.Generator, n: int) -> None:
        self.n, self._rng = n, rng

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return standard normal numbers of shape (n, *shape)."""
        return torch.randn(self.n, *shape, generator=self._rng, dtype=dtype)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return numbers uniform on [0, 1) of shape (n, *shape)."""
        return torch.rand(self.n, *shape, generator=self._rng, dtype=dtype)


class StepsOfTorch(StepNoise):
    """One generator for each step's batch, as it was before."""

    def of(self, step: int, n: int) -> Noise:
        """Return the noise of a batch of n examples at a step."""
        return OfTorch(generator(0, "step", step), n)


def step_of(family: str, space: Space, noise: StepNoise):
    """Return five steps of training as the engine takes them, with the `cpu` preset's batch."""
    chosen = settings(family, space, "cpu")
    config = TrainConfig(**chosen["train"])
    model = build(family, space, values=chosen["model"])
    x = torch.randn(4 * config.batch_size, *space.event_shape, generator=generator(0, "data"))
    if isinstance(space, Image):
        x = (x.abs() * 4).clamp(0, space.levels - 1).to(torch.uint8)
    data = Examples(x)
    model.prepare(data)
    groups = model.parameter_groups()
    optimisers = build_optimisers(groups, config, model.hidden_matrices())
    order = DataOrder(len(data), config.batch_size, 0)
    average = WeightAverage(model, config.ema)

    steps = iter(range(10**9))

    def step() -> None:
        for _ in range(5):
            number = next(steps)
            for loss, _ in gradients(model, groups, data[order.batch(number)], [noise], number):
                torch.nn.utils.clip_grad_norm_(groups[loss.parameters], config.clip)
                take_step(optimisers[loss.parameters])
            average.update(model, number)

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
        for space in (Points(2), Image(1, 8, 8, levels=17)):
            paired(
                f"five steps of {family} on {space.kind}",
                step_of(family, space, StepNoise(0, "step")),
                "a generator a batch",
                step_of(family, space, StepsOfTorch(0, "step")),
                turns=41,
            )


if __name__ == "__main__":
    main()
