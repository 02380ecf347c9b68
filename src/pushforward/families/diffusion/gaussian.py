"""Gaussian noise on numbers: a preconditioned denoiser on a path from data to noise.

Three ideas: everything that has a formula (path, objective, solvers, guidance, likelihoods) takes a
function `(y, noise level) -> clean data` and never a model; the process only joins them to its
network; conditions are hidden from a share of the training examples, so that `given=None` is an
unconditional model and guidance can lean on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, final

import torch
from torch import Tensor, nn

from pushforward.core.architecture import refuse_unread
from pushforward.core.codec import Codec
from pushforward.core.conditions import forgotten
from pushforward.core.curve import Curve, mean_curve
from pushforward.core.errors import BadInput, Unsupported, unknown
from pushforward.core.estimator import Draws
from pushforward.core.given import Examples, Given, label_of
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Image, Space
from pushforward.core.walk import Walk
from pushforward.families.diffusion.bodies import outputs_each
from pushforward.families.diffusion.conditioning import kept, origin_of, steered
from pushforward.families.diffusion.config import ARCHITECTURES, LEARNED, DiffusionConfig
from pushforward.families.diffusion.denoisers.denoiser import Denoiser, NetworkDenoiser
from pushforward.families.diffusion.denoisers.guidance import Guided
from pushforward.families.diffusion.denoisers.known_levels import (
    DataDecoder,
    GaussianDecoder,
    LevelDecoder,
)
from pushforward.families.diffusion.densities.chain_bound import terms_curve
from pushforward.families.diffusion.densities.flow_density import flow
from pushforward.families.diffusion.densities.scorer import Scorer, bound, reversed_by
from pushforward.families.diffusion.densities.trust import require_meaning
from pushforward.families.diffusion.objectives.coupling import SPREAD, assigned
from pushforward.families.diffusion.objectives.ideal import (
    IdealDenoiser,
    errors,
    memorisation_curve,
)
from pushforward.families.diffusion.objectives.learned_variance import BOUND_SHARE, variance_loss
from pushforward.families.diffusion.objectives.objective import Objective, objective_of
from pushforward.families.diffusion.options import GUIDING, SCORING, STEPPING
from pushforward.families.diffusion.paths.learned import LearnedPath, Schedule
from pushforward.families.diffusion.paths.noise_law import LAWS, NoiseLaw
from pushforward.families.diffusion.paths.path import Path, add_noise
from pushforward.families.diffusion.paths.published import PATHS
from pushforward.families.diffusion.process import Process
from pushforward.families.diffusion.solvers.noise_grids import log_levels
from pushforward.families.diffusion.solvers.sampler import Solver, solver_of
from pushforward.families.diffusion.solvers.schemes import Denoise, LearnedAncestral
from pushforward.families.diffusion.solvers.variance import Reverse
from pushforward.families.shared.codecs import CODECS
from pushforward.nets.conditional import ScalarConditioned
from pushforward.nets.hidden import hidden_weights
from pushforward.nets.mlp import ResidualMLP

HELD_OUT_LEVELS = 8
CURVE_LEVELS = 25
MEMORY_LEVELS = 13
LARGEST_NOISE = 40.0


def body_of(space: Space, config: DiffusionConfig) -> nn.Module:
    """Return the network between noisy and clean data that a space and a configuration ask for."""
    if isinstance(space, Image):
        chosen = ARCHITECTURES.load(config.architecture or ARCHITECTURES.names()[0])
        return chosen.make(nn.Module, space, config)
    refuse_unread(config, f"on {space.kind}", ("multipliers", "dropout"))
    if config.architecture:
        raise BadInput(
            f"the architecture '{config.architecture}' on {space.kind}", "none", "it is for images"
        )
    outputs = space.dimensions * outputs_each(config)
    return ResidualMLP(
        space.dimensions, outputs, config.width, config.depth, config.context, zero_output=True
    )


@final
class Gaussian(Process):
    """Images and points, noised along a path.

    Attributes:
        denoiser: what training fits.
        path: from data to noise.
        add_noise: `(x, s, eps) -> y`, the forward process in training.
        solver: what samples where no option names a solver; None = the family's default.
        decoder: from the smallest noise to data.
    """

    held_out_passes = HELD_OUT_LEVELS
    options = (*GUIDING, *SCORING, *STEPPING)
    settings = (
        "context",
        "architecture",
        "heads",
        "patch",
        "multipliers",
        "dropout",
        "sigma_min",
        "sigma_max",
        "path",
        "coupling",
        "law",
        "weight",
        "prediction",
        "variance",
        "variance_steps",
        "ode_steps",
    )

    def __init__(self, space: Space, config: DiffusionConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        shape, levels = space.event_shape, space.levels or 0
        learned = config.variance == "learned"
        network = ScalarConditioned(body_of(space, config), config.context, classes)
        self.denoiser = NetworkDenoiser(network, shape, levels, config.prediction, learned)
        smallest = config.sigma_min or (0.25 / (levels - 1) if levels else 0.01)
        self.schedule = self._schedule(config, smallest)
        self.path = self._path(config.path, smallest, config.sigma_max)
        self.decoder: DataDecoder = (
            LevelDecoder(levels, smallest) if levels else GaussianDecoder(smallest)
        )
        self.add_noise: Callable[[Tensor, Tensor, Tensor], Tensor] = add_noise
        self.solver: Solver | None = None

    @staticmethod
    def _schedule(config: DiffusionConfig, smallest: float) -> Schedule | None:
        if LEARNED not in (config.law, config.path):
            return None
        if config.law != LEARNED:
            came = f"the path 'learned' with the law '{config.law}'"
            raise BadInput(
                came, "the law 'learned'", "what the path follows is the law that training learns"
            )
        if config.weight != "likelihood":
            came = f"the law 'learned' with the weight '{config.weight}'"
            raise BadInput(
                came, "the weight 'likelihood'", "any other objective would change with the law"
            )
        return Schedule(smallest, config.sigma_max or LARGEST_NOISE)

    def _path(self, name: str, smallest: float, largest: float | None) -> Path:
        if name == LEARNED:
            if self.schedule is None:
                raise BadInput(
                    "the path 'learned'",
                    "a run with model.law=learned",
                    "this one learned no schedule",
                )
            return LearnedPath(self.schedule)
        if name not in PATHS:
            raise BadInput(*unknown("path", name, [*PATHS.names(), LEARNED]))
        kind = PATHS[name]
        furthest = LARGEST_NOISE if self.config.coupling == "independent" else SPREAD
        return kind(smallest, largest or min(furthest, kind.reach))

    def _walked(self, name: str | None) -> Path:
        """Return the path that a sampler walks, over the levels of training as far as it
        reaches."""
        if name is None:
            return self.path
        reach = PATHS[name].reach if name in PATHS else self.path.sigma_max
        return self._path(name, self.path.sigma_min, min(self.path.sigma_max, reach))

    def _law(self, name: str) -> NoiseLaw:
        if self.schedule is not None and name == LEARNED:
            return self.schedule
        return LAWS[name](self.path, self.denoiser.preconditioner.sigma_data)

    @property
    def objective(self) -> Objective:
        """The law and the weight of noise levels in training; both know the scale of the data,
        hence not before `prepare`."""
        return objective_of(
            self._law(self.config.law), self.config.weight, self.denoiser.preconditioner.sigma_data
        )

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The network, and the schedule where one is learned."""
        groups = {"model": list(self.denoiser.parameters())}
        return (
            groups
            if self.schedule is None
            else {**groups, "schedule": list(self.schedule.parameters())}
        )

    @staticmethod
    def codec(space: Space) -> Codec:
        """Pixels on [-1, 1], points of unit variance."""
        return CODECS[space.kind](space)

    def hidden_matrices(self) -> list[nn.Parameter]:
        """The matrices and filters between hidden layers."""
        return hidden_weights(self.denoiser.network)

    def networks(self) -> dict[str, nn.Module]:
        """The denoiser's network; its preconditioner stays in float32."""
        return {"denoiser": self.denoiser.network}

    def _prepare(self, x: Tensor, given: Given | None) -> None:
        """Fit the centre and the scale of the data, and the frequencies of levels."""
        self.denoiser.fit(x)

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        """The weighted squared error of the denoised data, at levels drawn by the law."""
        objective = self.objective
        s = objective.stratified(noise.uniform())
        weighted, chain = self._weighted(objective, x, s, given, noise, learning=True)
        loss, name = weighted.mean(), objective.name
        if chain is not None:
            loss = loss + BOUND_SHARE * chain.mean()
            name = f"{name} + {BOUND_SHARE} of the bound in {self.config.variance_steps} steps"
        yield Loss(loss, "model", name)
        if self.schedule is not None:
            yield Loss(
                self.schedule.spread(s, weighted),
                "schedule",
                "spread of the loss over noise levels",
            )

    def _weighted(
        self,
        objective: Objective,
        x: Tensor,
        s: Tensor,
        given: Given | None,
        noise: Noise,
        *,
        learning: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return what each example costs at its noise level, and the bound that a learned variance
        is trained by, both (n,); `learning` hides conditions and drops features."""
        config = self.config
        eps = noise.normal(*x.shape[1:])
        if config.coupling == "optimal-transport":
            eps = assigned(x, eps, label_of(given))
        if given is not None and learning and config.drop_condition:
            given = forgotten(given, config.drop_condition, noise.uniform())
        dropout = noise if learning and config.dropout else None
        clean, share = self.denoiser.reverse(self.add_noise(x, s, eps), s, given, dropout)
        weighted = objective.weight(s) * (x - clean).square().flatten(1).mean(1)
        if not self.denoiser.learns_variance:
            return weighted, None
        return weighted, variance_loss(
            self.path, objective.law, config.variance_steps, x, clean, share, s
        )

    def _bind(self, given: Given | None, denoiser: Denoiser | None = None) -> Denoise:
        return bound(denoiser or self.denoiser, given)

    def _reverse(self, given: Given | None) -> Reverse:
        return reversed_by(self.denoiser, given)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Walk down the noise levels with a solver."""
        solver = solver_of(options, self.solver)
        if options.eta and self.config.coupling != "independent":
            raise BadInput(
                f"eta={options.eta} on a run with coupled noise",
                "eta=0",
                "it has a flow, and no score",
            )
        weaker = None if options.guide is None else options.guide.denoiser
        scale, images = (
            float(self.denoiser.preconditioner.sigma_data),
            self.space.levels is not None,
        )
        denoiser = steered(self.denoiser, weaker, scale, given, options, images)
        reverse = None
        if isinstance(solver.method, LearnedAncestral):
            self._require_variance(denoiser)
            reverse = self._reverse(given)
        draw = lambda: noise.normal(*self.space.event_shape)  # noqa: E731
        walk = solver.walk(
            self._walked(options.path),
            self._bind(given, denoiser),
            draw,
            options.steps,
            denoiser.cost,
            options,
            reverse,
            origin_of(given, options),
        )
        return kept(walk, given, options, draw)

    def _require_variance(self, denoiser: Denoiser) -> None:
        if not self.denoiser.learns_variance:
            raise Unsupported(
                "the solver 'ddpm-learned' on a run with fixed variances",
                "a run trained with -s model.variance=learned",
                "`ddpm` and `ddpm-large` take the two fixed ones",
            )
        if not (
            denoiser is self.denoiser
            or (isinstance(denoiser, Guided) and denoiser.lean.weight == 1.0)
        ):
            raise Unsupported(
                "guidance or a measurement with the solver 'ddpm-learned'",
                "guidance 1 and nothing observed",
                "the variance was learned about the unguided mean; `ddpm` has one that fits any",
            )

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        """The denoising error at every noise level, and what the steps of a chain pay."""
        if self.config.coupling != "independent":
            return
        levels = log_levels(CURVE_LEVELS - 1, self.path.sigma_min, self.path.sigma_max)
        d2 = float(self.denoiser.preconditioner.sigma_data) ** 2
        y, stderr = mean_curve(errors(self.denoiser, Examples(x, given), levels.tolist(), noise))
        yield Curve(
            "denoising error by noise level",
            "noise level s",
            "E|x - D(x + s eps, s)|^2 / s^2, per dimension",
            tuple(levels.tolist()),
            y,
            "1 leaves the noise as it is, 0 removes it all; the area is the diffusion term of the bound in nats per dimension.",
            stderr,
            tuple(d2 / (float(s) ** 2 + d2) for s in levels),
            "Gaussian data",
            log_x=True,
        )
        chain = self._reverse(given)
        yield terms_curve(
            self.path, chain, self.decoder, CURVE_LEVELS, x, noise, self.space.unit, math.sqrt(d2)
        )

    def _learned_curves(
        self, x: Tensor, given: Given | None, noise: Noise, training: Callable[[], Examples]
    ) -> Iterator[Curve]:
        """The denoising error on both, against the best that a denoiser of the training set can
        do."""
        if self.config.coupling != "independent":
            return
        seen = training()
        ideal, few = IdealDenoiser(seen.x, label_of(seen.given)), seen[: noise.n]
        levels = log_levels(MEMORY_LEVELS - 1, self.path.sigma_min, self.path.sigma_max).tolist()
        yield memorisation_curve(self.denoiser, few, Examples(x, given), ideal, levels, noise)

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Minus the bound, from eight noise levels."""
        if self.config.coupling == "independent":
            return -self.scorer.bound(x, given, Draws(noise, HELD_OUT_LEVELS))[0]
        objective = self.objective
        levels = [objective.stratified(noise.uniform()) for _ in range(HELD_OUT_LEVELS)]
        return torch.stack([self._weighted(objective, x, s, given, noise)[0] for s in levels]).mean(
            0
        )

    @property
    def scorer(self) -> Scorer:
        """What turns the denoiser into log-probabilities."""
        law = self._law("knee" if self.schedule is None else LEARNED)
        return Scorer(
            self.space, self.denoiser, self.path, self.decoder, law, self.config.ode_steps
        )

    def _vouch(self, lp: LogProb, steps: int | None) -> None:
        """Refuse what is no number, and an ODE that few steps did not solve."""
        require_meaning(lp, self.space.dimensions, steps or self.config.ode_steps, "diffusion")

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Carry data to noise along the flow, in units of the prior."""
        y = flow(self.path, self._bind(given), x, self.config.ode_steps)
        return y / self.path.spread

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        """Carry noise to data along the flow."""
        return flow(
            self.path, self._bind(given), z * self.path.spread, self.config.ode_steps, reverse=True
        )
