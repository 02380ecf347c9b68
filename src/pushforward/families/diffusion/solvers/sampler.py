"""Solvers of the probability-flow ODE, and the sampler that walks them.

Three ideas: a solver is a Butcher tableau and the coordinates it is applied in (Euler in `x/alpha`
against `sigma/alpha` is DDIM); coordinates are a time, a way in, a way out and a velocity; the last
step goes from the smallest noise to the denoised mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from pushforward.core.choice import Choice
from pushforward.core.errors import BadInput
from pushforward.core.options import SampleOptions
from pushforward.core.registry import Registry
from pushforward.core.walk import Walk
from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.solvers.adaptive import (
    BOGACKI_SHAMPINE,
    AdaptiveSampler,
    EmbeddedPair,
)
from pushforward.families.diffusion.solvers.langevin import CorrectedSampler, ReverseDiffusion, Stay
from pushforward.families.diffusion.solvers.ode_coordinates import (
    Coordinates,
    Field,
    PathTime,
    ScaledByNoise,
)
from pushforward.families.diffusion.solvers.schemes import (
    Ancestral,
    Cost,
    Denoise,
    Descent,
    Draw,
    LargeAncestral,
    LearnedAncestral,
    Origin,
    PredictorCorrector,
    Scheme,
    SchemeSampler,
    SecondOrderMultistep,
)
from pushforward.families.diffusion.solvers.variance import Reverse


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method: stage times `c`, stage weights `a`, final weights `b`."""

    c: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    order: int

    def step(self, field: Field, x: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """Return the state at `end` from the state at `start`; calls `field` once per stage."""
        width = end - start
        slopes: list[Tensor] = []
        for c, row in zip(self.c, self.a, strict=True):
            moved = x
            for weight, slope in zip(row, slopes, strict=True):
                moved = moved + (width * weight) * slope
            # the end of the interval exactly, not start + width, so that no path is left by
            # rounding
            slopes.append(field(moved, end if c == 1.0 else start + c * width))
        for weight, slope in zip(self.b, slopes, strict=True):
            x = x + (width * weight) * slope
        return x


EULER = Tableau((0.0,), ((),), (1.0,), order=1)
HEUN = Tableau((0.0, 1.0), ((), (1.0,)), (0.5, 0.5), order=2)
RK4 = Tableau(
    (0.0, 0.5, 0.5, 1.0),
    ((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)),
    (1 / 6, 1 / 3, 1 / 3, 1 / 6),
    order=4,
)


@dataclass(frozen=True)
class RungeKutta:
    """A tableau and the coordinates that it is applied in."""

    tableau: Tableau
    coordinates: type[Coordinates]


@dataclass(frozen=True)
class Denoised:
    """A point of a reverse path: the noisy example and the latest estimate of the clean one."""

    noisy: Tensor
    clean: Tensor

    def moved(self, noisy: Tensor) -> Denoised:
        """Return another point with the same estimate."""
        return Denoised(noisy, self.clean)


class _Observed:
    """A denoiser whose last answer is kept."""

    last: Tensor

    def __init__(self, denoise: Denoise) -> None:
        self._denoise = denoise

    def __call__(self, y: Tensor, noise_level: Tensor) -> Tensor:
        self.last = self._denoise(y, noise_level)
        return self.last


class OdeSampler(Walk[Denoised]):
    """From noise to data along the probability-flow ODE.

    `length` = steps: all but the last move between positive noise levels, the last one replaces y
    by D(y, sigma_min), which is the Euler step to noise zero. `calls` = (steps - 1) stages + 1
    network calls, times what the denoiser costs.
    """

    def __init__(self, descent: Descent, method: RungeKutta) -> None:
        self.descent, self.levels = descent, descent.levels
        self.length = len(self.levels)
        self.tableau, self.coordinates = method.tableau, method.coordinates(descent.path)
        self.calls = sum(self.cost(index) for index in range(self.length))

    def cost(self, index: int) -> float:
        """Return the network calls of one step: a stage each, one for the last."""
        here = self.levels[index]
        if index == self.length - 1:
            return self.descent.cost([here])
        start, end = self.coordinates.time(here), self.coordinates.time(self.levels[index + 1])
        between = (
            self.coordinates.noise_level(start + c * (end - start))
            for c in self.tableau.c
            if 0.0 < c < 1.0
        )
        ends = [
            here if c == 0.0 else self.levels[index + 1] for c in self.tableau.c if c in (0.0, 1.0)
        ]
        return self.descent.cost([*ends, *between])

    def start(self) -> Denoised:
        """Begin; nothing is known yet, so the clean estimate is zero."""
        y = self.descent.begin()
        return Denoised(y, y * 0.0)

    def step(self, state: Denoised, index: int) -> Denoised:
        """Move from noise level `index` to the next one, the last of which is zero."""
        levels = self.levels.to(state.noisy.device)
        if index == self.length - 1:
            clean = self.descent.denoise(state.noisy, levels[index].to(state.noisy))
            return Denoised(clean, clean)
        where, observed = self.coordinates, _Observed(self.descent.denoise)
        here, there = levels[index].to(state.noisy), levels[index + 1].to(state.noisy)
        moved = self.tableau.step(
            where.field(observed),
            where.enter(state.noisy, here),
            where.time(here),
            where.time(there),
        )
        return Denoised(where.leave(moved, there), observed.last)

    def finish(self, state: Denoised) -> Tensor:
        """Return what the last step denoised."""
        return state.noisy

    def peek(self, state: Denoised) -> Tensor:
        """Return the current estimate of the clean data: blurry at first, never noisy."""
        return state.clean


@dataclass(frozen=True)
class Solver(Choice):
    """A way from noise to data and the number of steps it takes by default.

    Attributes:
        method: what a step is; a class of schemes is made with a share eta of fresh noise, a pair
            chooses its steps itself.
        steps: by default; of a pair, the most that it may try.
        eta: the default of that share, None if the method has none.
        tolerance: the default error of a step, None if the method does not choose its steps.
        corrections, ratio: Langevin steps after each step, and their size; see `CorrectedSampler`.
    """

    method: RungeKutta | Scheme | EmbeddedPair | type[Ancestral] | type[SecondOrderMultistep]
    steps: int
    eta: float | None = None
    tolerance: float | None = None
    corrections: int = 0
    ratio: float = 0.16

    @property
    def follows_flow(self) -> bool:
        """True if it solves the ODE and draws no noise on the way, at its default eta."""
        if isinstance(self.method, RungeKutta | EmbeddedPair | PredictorCorrector):
            return True
        return self.eta == 0.0

    def walk(
        self,
        path: Path,
        denoise: Denoise,
        draw: Draw,
        steps: int | None,
        calls: Cost,
        options: SampleOptions | None = None,
        reverse: Reverse | None = None,
        origin: Origin | None = None,
    ) -> Walk[Any]:
        """Return the sampler; see `Descent`, `OdeSampler` and `SchemeSampler`.

        Args:
            calls: network calls per denoising, or a function of the noise level.
            options: `eta`, `grid` and `tolerance` are read; the defaults are those of the method.
            reverse: what a method with a learned variance asks in place of `denoise`.
            origin: where to begin, None = at the prior.

        Raises:
            BadInput: an unknown grid, or a grid of a method that chooses its steps, or a tolerance
                of one that does not.
        """
        chosen = options or SampleOptions()
        self._require_spacing(chosen.grid, chosen.tolerance)
        if origin is not None and isinstance(self.method, EmbeddedPair):
            raise BadInput(
                "an example to begin at with a solver that chooses its steps",
                "a solver of fixed steps",
            )
        descent = Descent(
            path,
            denoise,
            draw,
            steps or self.steps,
            calls,
            chosen.grid or "karras",
            reverse,
            origin,
        )
        method = self.method
        if isinstance(method, RungeKutta):
            return OdeSampler(descent, method)
        if isinstance(method, EmbeddedPair):
            assert self.tolerance is not None
            return AdaptiveSampler(descent, method, chosen.tolerance or self.tolerance)
        if not isinstance(method, Scheme):
            assert self.eta is not None
            method = method(self.eta if chosen.eta is None else chosen.eta)
        if self.corrections:
            return CorrectedSampler(descent, method, self.corrections, self.ratio)
        return SchemeSampler(descent, method)

    def _require_spacing(self, grid: str | None, tolerance: float | None) -> None:
        if self.tolerance is None and tolerance is not None:
            adaptive = ", ".join(solver.name for solver in SOLVERS if solver.tolerance is not None)
            raise BadInput(
                f"tolerance={tolerance} of steps on a grid",
                f"the solver {adaptive}",
                "leave it out",
            )
        if self.tolerance is not None and grid is not None:
            raise BadInput(
                f"grid='{grid}' with a solver that chooses its steps",
                "a tolerance",
                "leave the grid out",
            )


SOLVERS: Registry[Solver] = Registry(
    "solver",
    of="pushforward.families.diffusion.solvers.sampler:Solver",
    choices=(
        # algorithm 1 of Karras et al. 2022; without fresh noise, ancestral steps are DDIM and Euler
        # in (y, s)
        Solver("heun", "second-order solver of the flow", RungeKutta(HEUN, ScaledByNoise), 18),
        Solver(
            "ddim", "first-order solver of the flow, which may add noise", Ancestral, 36, eta=0.0
        ),
        Solver(
            "euler",
            "first-order solver of the flow in the path's own time",
            RungeKutta(EULER, PathTime),
            64,
        ),
        Solver(
            "dpmpp-2m",
            "DPM-Solver++, which remembers the last estimate",
            SecondOrderMultistep,
            36,
            eta=0.0,
        ),
        Solver("dpmpp-2m-sde", "DPM-Solver++ with fresh noise", SecondOrderMultistep, 36, eta=1.0),
        Solver(
            "unipc",
            "DPM-Solver++ whose every step the next estimate corrects",
            PredictorCorrector(),
            36,
        ),
        Solver("ddpm", "ancestral steps with the smaller variance", Ancestral, 64, eta=1.0),
        Solver("ddpm-large", "ancestral steps with the larger variance", LargeAncestral(), 64),
        Solver(
            "ddpm-learned", "ancestral steps with the run's own variance", LearnedAncestral(), 64
        ),
        Solver(
            "reverse-diffusion", "Euler-Maruyama steps of the reverse SDE", ReverseDiffusion(), 128
        ),
        Solver(
            "pc",
            "reverse diffusion, each step followed by a Langevin step",
            ReverseDiffusion(),
            64,
            corrections=1,
        ),
        Solver(
            "ode",
            "solver of the flow that chooses its steps",
            BOGACKI_SHAMPINE,
            200,
            tolerance=3e-3,
        ),
        Solver(
            "langevin",
            "Langevin steps down a ladder of noise levels",
            Stay(),
            64,
            corrections=10,
            ratio=0.35,
        ),
    ),
)


def solver_of(options: SampleOptions, default: Solver | None = None) -> Solver:
    """Return the solver that options name; for none the default, and without one the first of
    `SOLVERS`.

    Raises:
        BadInput: a share of fresh noise for a solver that takes none.
    """
    fallback = default if default is not None else SOLVERS.load(SOLVERS.names()[0])
    solver = fallback if options.solver is None else SOLVERS.load(options.solver)
    if options.eta is not None and solver.eta is None:
        noisy = ", ".join(solver.name for solver in SOLVERS if solver.eta is not None)
        came = f"eta={options.eta} with the solver '{solver.name}'"
        raise BadInput(came, f"one of {noisy}", "leave eta out")
    return solver
