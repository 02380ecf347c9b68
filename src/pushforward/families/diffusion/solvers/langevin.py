"""Langevin dynamics: from any score, along a ladder of noise levels, and as the corrector of a
solver.

Two ideas: `x' = x + eps/2 grad log p(x) + sqrt(eps) z` has p for its stationary law up to its step,
and exactly so if a proposal may be refused; at noise level s a step of `(r s)^2` moves every
example as far, measured in the noise it has, whatever its batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.walk import Walk
from pushforward.families.diffusion.solvers.schemes import (
    Descent,
    Draw,
    Remembered,
    Scheme,
    SchemeSampler,
    Seen,
)

Score = Callable[[Tensor], Tensor]


def langevin_step(x: Tensor, score: Tensor, step: float | Tensor, z: Tensor) -> Tensor:
    """Return `x + eps/2 score + sqrt(eps) z` (Welling and Teh 2011, equation 4, without a
    minibatch).

    Example:
        >>> langevin_step(torch.ones(2), -torch.ones(2), 0.5, torch.zeros(2)).tolist()
        [0.75, 0.75]
    """
    return x + 0.5 * step * score + torch.as_tensor(step).sqrt().to(x) * z


@dataclass(frozen=True)
class Visited:
    """Where the chains are, and what share of the last proposals was taken; one where none can be
    refused."""

    x: Tensor
    score: Tensor
    log_density: Tensor | None
    accepted: float = 1.0


class Langevin(Walk[Visited]):
    """Chains from given starting points; with a log-density the proposals are accepted or refused,
    and the law is exact.

    `min(1, p(x') q(x|x') / (p(x) q(x'|x)))` with `q(x'|x) = N(x + eps/2 score(x), eps)` (Roberts
    and Tweedie 1996, section 1.4).

    Args:
        score: `grad log p` of x (n, ...).
        x: starting points.
        step: eps.
        draw: returns standard normal noise of the shape of x.
        uniform: returns uniform numbers (n,); needed with a log-density.
        log_density: `log p` of x, shape (n,), up to a constant; None takes every proposal.

    Raises:
        BadInput: a step or a number of steps that is not positive, or a log-density without
            uniforms.

    Example:
        >>> from pushforward.core.walk import run
        >>> rng = torch.Generator().manual_seed(0)
        >>> chains = Langevin(lambda x: -x, torch.zeros(2000, 1), 0.1, 100, lambda: torch.randn(2000, 1, generator=rng))
        >>> 0.9 < float(run(chains).var()) < 1.15
        True
    """

    def __init__(
        self,
        score: Score,
        x: Tensor,
        step: float,
        steps: int,
        draw: Draw,
        uniform: Callable[[], Tensor] | None = None,
        log_density: Score | None = None,
    ) -> None:
        if not step > 0 or steps < 1:
            raise BadInput(f"{steps} Langevin steps of {step}", "one or more, of a positive size")
        if log_density is not None and uniform is None:
            raise BadInput(
                "a log-density without uniform numbers", "both", "a proposal is refused by a coin"
            )
        self.score, self.x, self.eps, self.draw = score, x, step, draw
        self.uniform, self.log_density = uniform, log_density
        self.length, self.calls = steps, float(steps)

    def start(self) -> Visited:
        """Look at the starting points."""
        return self._look(self.x)

    def step(self, state: Visited, index: int) -> Visited:
        """Propose; take it, or toss a coin."""
        proposal = self._look(langevin_step(state.x, state.score, self.eps, self.draw()))
        if self.uniform is None or state.log_density is None or proposal.log_density is None:
            return proposal
        gain = (
            proposal.log_density
            - state.log_density
            + self._log_kernel(proposal, state)
            - self._log_kernel(state, proposal)
        )
        taken = self.uniform().log() < gain
        shaped = taken.reshape(-1, *(1 for _ in state.x.shape[1:]))
        return Visited(
            torch.where(shaped, proposal.x, state.x),
            torch.where(shaped, proposal.score, state.score),
            torch.where(taken, proposal.log_density, state.log_density),
            float(taken.double().mean()),
        )

    def finish(self, state: Visited) -> Tensor:
        """Return where the chains are."""
        return state.x

    def _look(self, x: Tensor) -> Visited:
        return Visited(x, self.score(x), None if self.log_density is None else self.log_density(x))

    def _log_kernel(self, start: Visited, end: Visited) -> Tensor:
        moved = end.x - start.x - 0.5 * self.eps * start.score
        return -moved.square().flatten(1).sum(1) / (2.0 * self.eps)


class ReverseDiffusion(Scheme):
    """`y' = y + (s^2 - s'^2) (D - y)/s^2 + sqrt(s^2 - s'^2) z`: Euler-Maruyama, backwards (Song et
    al. 2020, algorithm 2)."""

    def step(self, now: Seen, then: Tensor, past: tuple[Seen, ...], draw: Draw) -> Tensor:
        """Follow the whole score, and add what it removed too much."""
        gap = now.level**2 - then**2
        return now.noisy + gap * (now.clean - now.noisy) / now.level**2 + gap.sqrt() * draw()


class Stay(Scheme):
    """`y' = y`: the next level begins where this one ended, as in annealed Langevin dynamics (Song
    and Ermon 2019, algorithm 1)."""

    def step(self, now: Seen, then: Tensor, past: tuple[Seen, ...], draw: Draw) -> Tensor:
        """Move nothing."""
        return now.noisy


class CorrectedSampler(SchemeSampler):
    """A scheme whose every step is followed by Langevin steps at the level it came to (Song et al.
    2020, algorithms 2 and 4).

    The step is `2 (r s)^2`. Published code sets it from norms that are averaged over a batch, which
    makes an example depend on its neighbours; for noise that fills the space both are the same.

    Args:
        corrections: Langevin steps after each step.
        ratio: r, the signal-to-noise ratio of one of them.
    """

    def __init__(
        self, descent: Descent, scheme: Scheme, corrections: int = 1, ratio: float = 0.16
    ) -> None:
        self.corrections, self.ratio = corrections, ratio
        super().__init__(descent, scheme)

    def step(self, state: Remembered, index: int) -> Remembered:
        """Step, then stir."""
        moved = super().step(state, index)
        if index == self.length - 1:
            return moved
        level, y = self.levels.to(state.noisy)[index + 1], moved.noisy
        for _ in range(self.corrections):
            score = (self.descent.denoise(y, level) - y) / level**2
            y = langevin_step(y, score, 2.0 * (self.ratio * level) ** 2, self.descent.draw())
        return Remembered(y, moved.past)
