"""The probability-flow ODE with steps as long as each example allows.

Three ideas: in `z = y/s` against `r = 1/s` the flow is `dz/dr = D(z/r, 1/r)`, which is nearly
constant where there is much noise and where there is little; two Runge-Kutta methods that share
their stages differ by an estimate of the error, which sets the next step; every example has its own
clock, so that a batch never changes a sample, and those that have arrived wait for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pushforward.core.errors import RunFailed
from pushforward.core.finite import require_finite
from pushforward.core.walk import Walk
from pushforward.families.diffusion.solvers.schemes import Denoise, Descent


@dataclass(frozen=True)
class EmbeddedPair:
    """A Runge-Kutta method whose last stage is the first of its next step, with an estimate of the
    error.

    Attributes:
        c, a: stage times and weights; the last row of weights is the method's result.
        error: stage weights of the difference from a method of one order less.
        order: of the result; the error of a step of the lesser method falls as its width to this
            power.
    """

    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    error: tuple[float, ...]
    order: int


# Bogacki and Shampine 1989
BOGACKI_SHAMPINE = EmbeddedPair(
    (0.0, 0.5, 0.75, 1.0),
    ((), (0.5,), (0.0, 0.75), (2 / 9, 1 / 3, 4 / 9)),
    (2 / 9 - 7 / 24, 1 / 3 - 1 / 4, 4 / 9 - 1 / 3, -1 / 8),
    order=3,
)


@dataclass(frozen=True)
class Clocked:
    """Where every example is, on its own clock.

    Attributes:
        state: z, shape (n, ...).
        slope: D at it, which is also the estimate of the clean data.
        clock, width: r and the step to try next, shape (n,).
        calls: network calls that each example needed, shape (n,).
        asked: network calls that were made for the batch, those for examples that waited for others
            among them.
    """

    state: Tensor
    slope: Tensor
    clock: Tensor
    width: Tensor
    calls: Tensor
    asked: float = 0.0


Velocity = Callable[[Tensor, Tensor], Tensor]


def attempt(
    pair: EmbeddedPair, velocity: Velocity, at: Clocked, end: Tensor, tolerance: float
) -> Clocked:
    """Try one step of every example; one that errs too much stays where it is and will try a
    shorter one.

    The error is the root mean square over an example, in units of `sqrt(1 + s^2)`, the size of
    noisy data of variance one.
    """
    left = end - at.clock
    last = at.width >= left
    width = torch.where(last, left, at.width)
    # the end exactly, not the clock plus the width
    arrival = torch.where(last, end, at.clock + width)
    wide, moved, slopes = _rows(width, at.state), at.state, [at.slope]
    for c, row in zip(pair.c[1:], pair.a[1:], strict=True):
        slope = torch.stack([weight * k for weight, k in zip(row, slopes, strict=True)]).sum(0)
        moved = at.state + wide * slope
        slopes.append(velocity(moved, arrival if c == 1.0 else at.clock + c * width))
    missed = torch.stack([weight * k for weight, k in zip(pair.error, slopes, strict=True)]).sum(0)
    # an error of z is s times as large in y, and sqrt(1 + s^2) is sqrt(1 + r^2)/r
    size = (wide * missed).flatten(1).square().mean(1).sqrt() / (arrival.square() + 1.0).sqrt()
    ratio = size / tolerance
    busy = left > 0
    go = busy & (ratio <= 1.0)
    factor = (0.9 * ratio.clamp(min=1e-6) ** (-1.0 / pair.order)).clamp(0.2, 10.0)
    shaped = _rows(go, at.state)
    return Clocked(
        torch.where(shaped, moved, at.state),
        torch.where(shaped, slopes[-1], at.slope),
        torch.where(go, arrival, at.clock),
        torch.where(busy, width * factor, at.width),
        at.calls + busy * (len(pair.c) - 1.0),
        at.asked,
    )


def _rows(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *(1 for _ in like.shape[1:]))


def flow_velocity(denoise: Denoise) -> Velocity:
    """`dz/dr = D(z/r, 1/r)`, from `dy/ds = (y - D)/s` (Karras et al. 2022, equation 3) with z =
    y/s, r = 1/s."""
    return lambda z, r: denoise(z / _rows(r, z), 1.0 / r)


class AdaptiveSampler(Walk[Clocked]):
    """From noise to data along the probability-flow ODE, to a tolerance.

    `calls` is the most that an example may need, `used` what it needed if guidance acts at all
    levels; the network is asked for the whole batch until the last example has arrived. The last
    slope is D at the smallest noise, so that denoising costs no call.

    Args:
        descent: its `steps` are the most that may be tried.
        tolerance: of the error of a step; see `attempt`.
    """

    def __init__(self, descent: Descent, pair: EmbeddedPair, tolerance: float) -> None:
        self.descent, self.pair, self.tolerance = descent, pair, tolerance
        self.length = descent.steps
        # guidance may cost more at some levels than at others
        prices = {descent.cost([level]) for level in descent.levels}
        self.most, self.even, self.asked = max(prices), len(prices) == 1, 0.0
        self.calls = self.most * (1.0 + (len(pair.c) - 1.0) * descent.steps)
        self.velocity, self.end = flow_velocity(self._denoise), 1.0 / descent.path.sigma_min

    def start(self) -> Clocked:
        """Begin; the first step to try halves the noise."""
        y, self.asked = self.descent.begin(), 0.0
        clock = torch.full(
            (len(y),), 1.0 / self.descent.path.sigma_max, dtype=y.dtype, device=y.device
        )
        z = y * _rows(clock, y)
        return Clocked(z, self.velocity(z, clock), clock, clock, torch.ones_like(clock), self.asked)

    def step(self, state: Clocked, index: int) -> Clocked:
        """Try a step of every example."""
        self.asked = state.asked
        tried = attempt(
            self.pair, self.velocity, state, state.clock.new_tensor(self.end), self.tolerance
        )
        return replace(tried, asked=self.asked)

    def finished(self, state: Clocked) -> bool:
        """Return True when every example has arrived, or has no step to try any more."""
        return bool(((state.clock >= state.clock.new_tensor(self.end)) | state.width.isnan()).all())

    def used(self, state: Clocked) -> Tensor:
        """Return the network calls that each example needed, shape (n,)."""
        return state.calls * self.most

    def spent(self, state: Clocked, steps: int) -> float:
        """Return the network calls that were made, for every example as many as for the one that
        took the most steps."""
        return state.asked

    def _denoise(self, y: Tensor, noise_level: Tensor) -> Tensor:
        """Ask the network, and count: of examples at different levels the dearest is paid for
        all."""
        levels = noise_level.unique() if not self.even else ()
        self.asked += (
            self.most if self.even else max(self.descent.cost([level]) for level in levels)
        )
        return self.descent.denoise(y, noise_level)

    def finish(self, state: Clocked) -> Tensor:
        """Return the denoised data.

        Raises:
            Astray: some have left the numbers.
            RunFailed: some have not arrived.
        """
        require_finite(state.width)
        late = int((state.clock < state.clock.new_tensor(self.end)).sum())
        if late:
            raise RunFailed(
                f"the solver 'ode' left {late} of {len(state.clock)} examples on their way after {self.length} steps",
                f"all to arrive with an error of {self.tolerance:g} a step",
                "allow more steps or a larger tolerance",
            )
        return state.slope

    def peek(self, state: Clocked) -> Tensor:
        """Return the current estimate of the clean data."""
        return state.slope
