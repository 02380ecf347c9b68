"""Progressive distillation: a student whose one step is two of its teacher's, which then teaches
the next.

Two ideas: steps are leaps, so that what two of them reach names the clean data of one; the number
of steps halves in stages of equal length, and what was learned in one stage is kept, frozen, as the
teacher of the next.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.core.noise import Noise
from pushforward.core.walk import Walk
from pushforward.families.diffusion.denoisers.denoiser import Denoiser, NetworkDenoiser
from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.solvers.noise_grids import karras_levels
from pushforward.families.diffusion.solvers.sampler import Denoised
from pushforward.families.diffusion.solvers.schemes import Denoise, Draw
from pushforward.families.diffusion.students.leap import heun, leap, level_at, named, noised
from pushforward.families.diffusion.students.lesson import Lesson, bound


def halvings(calls: int, most: int) -> tuple[int, ...]:
    """Return the numbers of steps of the stages: `calls` times powers of two up to `most`, the
    largest first.

    Example:
        >>> halvings(2, 16), halvings(3, 16)
        ((16, 8, 4, 2), (12, 6, 3))
    """
    found = [calls]
    while 2 * found[0] <= most:
        found.insert(0, 2 * found[0])
    return tuple(found)


@contextmanager
def lent(network: nn.Module, weights: Tensor) -> Iterator[None]:
    """Run a block with other weights in a network, given as one vector, then put its own back; not
    for gradients."""
    own = [p.data for p in network.parameters()]
    nn.utils.vector_to_parameters(weights, network.parameters())
    try:
        yield
    finally:
        for parameter, data in zip(network.parameters(), own, strict=True):
            parameter.data = data


class Progressive(Lesson):
    """`min E max(1/s^2, 1) |D* - D(y_s, s)|^2` per dimension, D* what two steps of the teacher name
    as clean data.

    Salimans and Ho 2022, algorithm 2 with the weight of their section 4. In the first stage the two
    steps are Heun's, of the teacher itself; later ones are leaps of the stage before. The grid of a
    stage of N steps is `level_at(i/N)`, i = N ... 0, so that the grids of all stages are nested.
    """

    name = (
        "error of the data named by two of the teacher's steps, weighted by max(SNR, 1) [per dim]"
    )
    stage: Tensor
    former: Tensor

    def __init__(
        self, path: Path, calls: int, intervals: int, student: NetworkDenoiser | None = None
    ) -> None:
        super().__init__(path, calls, intervals)
        assert student is not None
        self.stages = halvings(calls, intervals)
        self.register_buffer("stage", torch.tensor(0))
        # the weights of the stage before, in one vector: not parameters, since nothing trains them
        self.register_buffer(
            "former", torch.zeros(sum(p.numel() for p in student.network.parameters()))
        )

    @property
    def stages_needed(self) -> int:
        """As many as there are stages."""
        return len(self.stages)

    def advance(self, student: NetworkDenoiser, fraction: float) -> None:
        """Freeze what was learned when a stage ends."""
        stage = min(int(fraction * len(self.stages)), len(self.stages) - 1)
        if stage > int(self.stage):
            self.stage.fill_(stage)
            self.former.copy_(
                torch.cat([p.detach().reshape(-1) for p in student.network.parameters()])
            )

    @torch.no_grad()
    def two_steps(
        self,
        y: Tensor,
        levels: tuple[Tensor, Tensor, Tensor],
        teacher: Denoiser,
        student: NetworkDenoiser,
        given: Given | None,
    ) -> Tensor:
        """Return where two steps from the first of three levels through the second to the third
        lead, as this stage takes them."""
        start, middle, end = levels
        if int(self.stage) == 0:
            follow = bound(teacher, given)
            return heun(follow, heun(follow, y, start, middle), middle, end)
        with lent(student.network, self.former):
            y = leap(student.denoise(y, start, given), y, start, middle)
            return leap(student.denoise(y, middle, given), y, middle, end)

    def loss(
        self,
        x: Tensor,
        teacher: Denoiser,
        student: NetworkDenoiser,
        given: Given | None,
        noise: Noise,
    ) -> Tensor:
        """The weighted error of the named data, averaged over the steps of the stage."""
        steps, n = self.stages[int(self.stage)], len(x)
        place = ((torch.arange(n, device=x.device) + noise.uniform()) / n * steps).floor().clamp(
            max=steps - 1
        ) + 1.0
        start, middle, end = (
            level_at((place - share) / steps, self.path) for share in (0.0, 0.5, 1.0)
        )
        y = noised(x, start, noise)
        arrived = self.two_steps(y, (start, middle, end), teacher, student, given)
        error = named(arrived, y, start, end) - student.denoise(y, start, given)
        return ((1.0 / start**2).clamp(min=1.0) * error.square().flatten(1).mean(1)).mean()

    def steps(self, asked: int | None) -> int:
        """As many as the last stage has: the network knows no other grid.

        Raises:
            BadInput: another number.
        """
        if asked not in (None, self.calls):
            raise BadInput(
                f"steps={asked} of a progressive student",
                f"steps={self.calls}",
                "it was made for this grid; distil again with another --calls, or by consistency",
            )
        return self.calls

    def sampler(self, student: Denoise, draw: Draw, steps: int) -> Walk[Denoised]:
        """Leap from level to level."""
        return LeapSampler(self.path, student, draw, steps)

    def ends(self, student: Denoise, x: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        """The rest of a sample, from each of its levels."""
        levels = (
            karras_levels(self.calls + 1, self.path.sigma_min, self.path.sigma_max).flip(0).to(x)
        )
        found = []
        for first in range(len(levels)):
            y = noised(x, levels[first].expand(len(x)), noise)
            for start, end in itertools.pairwise(levels[: first + 1].flip(0)):
                y = leap(student(y, start), y, start, end)
            found.append(y)
        return levels, torch.stack(found)


class LeapSampler(Walk[Denoised]):
    """A leap from each of `steps + 1` levels to the next; nothing is random but the start."""

    def __init__(self, path: Path, student: Denoise, draw: Draw, steps: int) -> None:
        self.path, self.student, self.draw = path, student, draw
        self.length, self.calls = steps, float(steps)
        self.levels = karras_levels(steps + 1, path.sigma_min, path.sigma_max)

    def start(self) -> Denoised:
        """Begin at the prior; nothing is known yet."""
        y = self.path.spread * self.draw()
        return Denoised(y, y * 0.0)

    def step(self, state: Denoised, index: int) -> Denoised:
        """Leap to the next level."""
        levels = self.levels.to(state.noisy)
        clean = self.student(state.noisy, levels[index])
        return Denoised(leap(clean, state.noisy, levels[index], levels[index + 1]), clean)

    def finish(self, state: Denoised) -> Tensor:
        """Return where the last leap ended, at the smallest noise."""
        return state.noisy

    def peek(self, state: Denoised) -> Tensor:
        """Return the latest estimate of the clean data."""
        return state.clean
