"""Coordinates that are known exactly: walks whose every point is set right where it is known.

Two ideas: at noise level s a known coordinate is its value plus s times fresh noise, and whatever
the solver made of it is replaced; replaced coordinates and drawn ones do not know of each other,
and steps that are taken back and again (RePaint) let them agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pushforward.core.choice import Choice
from pushforward.core.errors import BadInput
from pushforward.core.observed import Observed
from pushforward.core.registry import Registry
from pushforward.core.walk import WalkWrapper
from pushforward.families.diffusion.solvers.sampler import Denoised, OdeSampler
from pushforward.families.diffusion.solvers.schemes import Draw, Remembered, SchemeSampler

Sampler = OdeSampler | SchemeSampler
State = Denoised | Remembered


class Inpainting(WalkWrapper[Any]):
    """A sampler that takes every step but the last `repeats` times and keeps what is known; solvers
    forget what they remember.

    One repeat is replacement (Song et al. 2020, its section on imputation): what is drawn has only
    met noisy known values, and its samples are wrong unless the coordinates are independent. More
    are RePaint (Lugmayr et al. 2022, algorithm 1): a step down, the noise of that step again, and
    down once more.

    Args:
        walk: a sampler over decreasing noise levels.
        observed: values and mask, in the coordinates of the walk.
        draw: returns standard normal noise of the shape of the batch.
    """

    walk: Sampler

    def __init__(self, walk: Sampler, observed: Observed, draw: Draw, repeats: int = 1) -> None:
        super().__init__(walk)
        self.observed, self.draw, self.repeats = observed, draw, repeats
        self.length = (walk.length - 1) * repeats + 1
        self.calls = sum(walk.cost(self._place(index)) for index in range(self.length))

    def start(self) -> State:
        """Start the inner walk, known coordinates at the first level."""
        state: State = self.walk.start()  # type: ignore[assignment]
        return self._kept(state, 0)

    def step(self, state: State, index: int) -> State:
        """Take the inner step, set known coordinates right, and put the noise back unless it was
        the last time."""
        place = self._place(index)
        moved = self._kept(self.walk.step(state, place), place + 1)  # type: ignore[arg-type]
        if place == self.walk.length - 1 or index % self.repeats == self.repeats - 1:
            return moved
        here, there = self.walk.levels.to(moved.noisy)[place : place + 2]
        return moved.moved(moved.noisy + (here**2 - there**2).sqrt() * self.draw())

    def peek(self, state: State) -> Tensor:
        """Return the current estimate, known coordinates as they are."""
        return self._exact(self.walk.peek(state))  # type: ignore[arg-type]

    def spent(self, state: State, steps: int) -> float:
        """Return the calls of its own steps, which are more than those of the inner walk."""
        return self.calls * steps / self.length

    def _place(self, index: int) -> int:
        return min(index // self.repeats, self.walk.length - 1)

    def _exact(self, y: Tensor) -> Tensor:
        return torch.where(self.observed.mask, self.observed.values.to(y), y)

    def _kept(self, state: State, place: int) -> State:
        if place == self.walk.length:
            return state.moved(self._exact(state.noisy))
        known = (
            self.observed.values.to(state.noisy)
            + self.walk.levels.to(state.noisy)[place] * self.draw()
        )
        return state.moved(torch.where(self.observed.mask, known, state.noisy))


@dataclass(frozen=True)
class InpaintingMethod(Choice):
    """How known coordinates are kept.

    Attributes:
        repeats: how often each step is taken where nobody says; the only number if `once`.
        once: steps are never taken again.
    """

    repeats: int
    once: bool = False


METHODS: Registry[InpaintingMethod] = Registry(
    "inpainting",
    of="pushforward.families.diffusion.solvers.inpainting:InpaintingMethod",
    choices=(
        InpaintingMethod(
            "repaint",
            "steps are taken back and again, so that what is drawn agrees with what is known",
            10,
        ),
        InpaintingMethod("replacement", "what is known replaces what was drawn", 1, once=True),
    ),
)


def inpainted(
    walk: Sampler, observed: Observed, draw: Draw, method: str | None, repeats: int | None
) -> Inpainting:
    """Return the walk that keeps what is known, by a method's name; the first of `METHODS` is the
    default.

    Raises:
        BadInput: an unknown method, or repeats of one that has none.
    """
    chosen = METHODS[method or METHODS.names()[0]]
    if chosen.once and repeats not in (None, 1):
        others = ", ".join(each.name for each in METHODS if not each.once)
        raise BadInput(
            f"repeats={repeats} with {chosen.name}", others, f"{chosen.name} takes every step once"
        )
    return Inpainting(walk, observed, draw, repeats or chosen.repeats)
