"""Solvers that call the network once a step and may remember what it said: ancestral, DDIM with
noise, DPM-Solver++.

Two ideas: in `y = x/alpha` the forward process only adds noise, `y_s = x0 + s eps`, so every
published update is a mix of y, of the clean estimate and of fresh noise with weights that are
functions of two noise levels; the last step goes to noise zero, where all of them return the
estimate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pushforward.core.walk import Walk
from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.solvers.noise_grids import grid_levels, remaining_levels
from pushforward.families.diffusion.solvers.variance import (
    Reverse,
    between,
    large_variance,
    small_variance,
)

Denoise = Callable[[Tensor, Tensor], Tensor]
Draw = Callable[[], Tensor]
Cost = float | Callable[[float], float]


@dataclass(frozen=True)
class Seen:
    """A noise level, the example there, and what the network made of it: the clean one, and the
    share of `variance.between`."""

    level: Tensor
    noisy: Tensor
    clean: Tensor
    share: Tensor | None = None


class Scheme(ABC):
    """Steps from one positive noise level to the next; `past` is what was seen at earlier ones, the
    latest first."""

    def correct(self, now: Seen, past: tuple[Seen, ...]) -> Tensor:
        """Return y at the level of `now` once the network has been asked there; most schemes leave
        it alone."""
        return now.noisy

    @abstractmethod
    def step(self, now: Seen, then: Tensor, past: tuple[Seen, ...], draw: Draw) -> Tensor:
        """Return y at the level `then`.

        Args:
            draw: returns standard normal noise of the shape of the batch.
        """


class Ancestral(Scheme):
    """`y' = D + sqrt(s'^2 - u^2) (y - D)/s + u z`, `u^2 = eta^2 s'^2 (s^2 - s'^2)/s^2` (Song, Meng
    and Ermon 2020, equation 16).

    With eta = 0 it is DDIM; with eta = 1 it draws from the forward process's posterior given x0 =
    D, which is DDPM with its smaller variance (Ho et al. 2020, equations 6 and 7).
    """

    def __init__(self, eta: float) -> None:
        self.eta = eta

    def step(self, now: Seen, then: Tensor, past: tuple[Seen, ...], draw: Draw) -> Tensor:
        """Keep part of the noise that y has, and replace the rest."""
        y, s = now.noisy, now.level
        fresh = self.eta**2 * small_variance(s, then)
        kept = now.clean + (then**2 - fresh).clamp(min=0.0).sqrt() * (y - now.clean) / s
        return kept if self.eta == 0.0 else kept + fresh.sqrt() * draw()


class LargeAncestral(Scheme):
    """The mean of `Ancestral(1)` with the larger variance, `beta` in x where `alpha^2 + sigma^2 =
    1` (Ho et al. 2020, section 3.2).

    In y it is `(1 + s'^2) (s^2 - s'^2)/(1 + s^2)`: right for data of variance one, where the other
    is right for a single point.
    """

    def step(self, now: Seen, then: Tensor, past: tuple[Seen, ...], draw: Draw) -> Tensor:
        """The posterior's mean, and more noise than its own."""
        y, s = now.noisy, now.level
        return (
            now.clean + (then / s) ** 2 * (y - now.clean) + large_variance(s, then).sqrt() * draw()
        )


class LearnedAncestral(Scheme):
    """The mean of `Ancestral(1)` with a variance of its own for every dimension (Nichol and
    Dhariwal 2021, equation 15)."""

    def step(self, now: Seen, then: Tensor, past: tuple[Seen, ...], draw: Draw) -> Tensor:
        """The posterior's mean, and as much noise as the network says."""
        y, s = now.noisy, now.level
        assert now.share is not None
        return (
            now.clean
            + (then / s) ** 2 * (y - now.clean)
            + between(now.share, s, then).sqrt() * draw()
        )


class SecondOrderMultistep(Scheme):
    """DPM-Solver++(2M) and its stochastic form: the estimate is carried on along a line through the
    last two.

    With `h = log(s/s')`, `r = h_before/h` and `E = D + (D - D_before)/(2 r)`, `y' = (s'/s) e^(-eta
    h) y + (1 - e^(-(1 + eta) h)) E + s' sqrt(1 - e^(-2 eta h)) z` (Lu et al. 2022b, algorithm 2 for
    eta = 0; its SDE solver for eta = 1). The first step knows one estimate only and is of first
    order.
    """

    def __init__(self, eta: float) -> None:
        self.eta = eta

    def step(self, now: Seen, then: Tensor, past: tuple[Seen, ...], draw: Draw) -> Tensor:
        """Integrate a line through two estimates exactly."""
        h = torch.log(now.level / then)
        ahead = now.clean
        if past:
            ratio = torch.log(past[0].level / now.level) / h
            ahead = ahead + (now.clean - past[0].clean) / (2.0 * ratio)
        kept = torch.exp(-(1.0 + self.eta) * h)
        moved = kept * now.noisy - torch.expm1(-(1.0 + self.eta) * h) * ahead
        if self.eta == 0.0:
            return moved
        return moved + then * (-torch.expm1(-2.0 * self.eta * h)).sqrt() * draw()


class PredictorCorrector(SecondOrderMultistep):
    """UniPC of order two with `B(h) = e^h - 1`: its predictor is DPM-Solver++(2M), and every new
    estimate corrects the step to it.

    The corrector solves `sum_k rho_k r_k^(m-1) = m! phi_(m+1)(-h)/phi_1(-h)` for m = 1, 2, where r
    are the places of the estimates before and after in units of the step (Zhao et al. 2023, theorem
    3.1). It costs no call: the estimate that corrects a step also begins the next one.
    """

    def __init__(self) -> None:
        super().__init__(0.0)

    def correct(self, now: Seen, past: tuple[Seen, ...]) -> Tensor:
        """Take the last step again, now that its end is known."""
        if not past:
            return now.noisy
        start = past[0]
        h = torch.log(start.level / now.level)
        whole = torch.expm1(-h)
        change = now.clean - start.clean
        if len(past) == 1:
            bend = 0.5 * change
        else:
            place = -torch.log(past[1].level / start.level) / h
            first = -whole / h - 1.0
            second = 2.0 * (-first / h - 0.5)
            earlier = (first - second) / whole / (1.0 - place)
            bend = (
                earlier * (past[1].clean - start.clean) / place + (first / whole - earlier) * change
            )
        return torch.exp(-h) * start.noisy - whole * (start.clean + bend)


@dataclass(frozen=True)
class Origin:
    """Examples to begin at, noised to where a share of the steps remains (Meng et al. 2022); a
    share of 1 begins at the prior."""

    x: Tensor
    strength: float


@dataclass(frozen=True)
class Descent:
    """What every sampler needs: a denoiser, where to begin and the noise levels to come down over.

    Attributes:
        path: gives the levels their ends, and noise its first size.
        denoise: `(y, noise_level) -> x0`.
        draw: returns standard normal noise of the shape of the batch.
        steps: number of levels of the whole grid, the last of which is followed by noise zero.
        calls: network calls per denoising, or a function of the noise level.
        grid: a name in `GRIDS`.
        reverse: `(y, noise_level) -> (x0, share)` in place of `denoise`, for a scheme with a
            learned variance.
        origin: where to begin, None = at the prior.
    """

    path: Path
    denoise: Denoise
    draw: Draw
    steps: int
    calls: Cost = 1.0
    grid: str = "karras"
    reverse: Reverse | None = None
    origin: Origin | None = None

    @property
    def levels(self) -> Tensor:
        """The noise levels to come down over, decreasing, in float64."""
        levels = grid_levels(self.grid, self.steps, self.path)
        return levels if self.origin is None else remaining_levels(levels, self.origin.strength)

    def begin(self) -> Tensor:
        """Return y at the first level, drawn from the prior or from around the origin."""
        if self.origin is None or self.origin.strength == 1.0:
            return self.path.spread * self.draw()
        z = self.draw()
        return self.origin.x.to(z) + self.levels[0].to(z) * z

    def cost(self, levels: Iterable[Tensor]) -> float:
        """Return the network calls of denoising at some levels."""
        calls = self.calls
        return sum(calls(float(level)) if callable(calls) else calls for level in levels)

    def look(self, noisy: Tensor, level: Tensor) -> Seen:
        """Ask the network once."""
        if self.reverse is None:
            return Seen(level, noisy, self.denoise(noisy, level))
        return Seen(level, noisy, *self.reverse(noisy, level))


@dataclass(frozen=True)
class Remembered:
    """A point of a reverse path, with what the network said at the last two levels, the latest
    first."""

    noisy: Tensor
    past: tuple[Seen, ...]
    said: Tensor | None = None

    def moved(self, noisy: Tensor) -> Remembered:
        """Return another point, of which nothing is remembered but the latest estimate."""
        return Remembered(noisy, (), self.past[0].clean if self.past else self.said)


class SchemeSampler(Walk[Remembered]):
    """From noise to data over the levels of a descent, one network call a step, and more where
    `corrections` follow it."""

    corrections: int = 0

    def __init__(self, descent: Descent, scheme: Scheme) -> None:
        self.descent, self.scheme, self.levels = descent, scheme, descent.levels
        self.length = len(self.levels)
        self.calls = sum(self.cost(index) for index in range(self.length))

    def cost(self, index: int) -> float:
        """Return the network calls of one step."""
        corrected = self.levels[index + 1 : index + 2]
        return self.descent.cost(
            [self.levels[index], *(level for level in corrected for _ in range(self.corrections))]
        )

    def start(self) -> Remembered:
        """Begin; nothing was said yet."""
        return Remembered(self.descent.begin(), ())

    def step(self, state: Remembered, index: int) -> Remembered:
        """Denoise, and move to the next level, the last of which is zero."""
        levels = self.levels.to(state.noisy)
        now = self.descent.look(state.noisy, levels[index])
        now = replace(now, noisy=self.scheme.correct(now, state.past))
        past = (now, *state.past)[:2]
        if index == self.length - 1:
            return Remembered(now.clean, past)
        return Remembered(
            self.scheme.step(now, levels[index + 1], state.past, self.descent.draw), past
        )

    def finish(self, state: Remembered) -> Tensor:
        """Return what the last step denoised."""
        return state.noisy

    def peek(self, state: Remembered) -> Tensor:
        """Return the current estimate of the clean data, zero before the first."""
        if state.past:
            return state.past[0].clean
        return state.noisy * 0.0 if state.said is None else state.said
