"""Gaussian noise on numbers: a preconditioned denoiser on a path from data to noise.

Three ideas: everything that has a formula (path, objective, solvers, guidance, likelihoods) takes a function
`(y, noise level) -> clean data` and never a model; the process only joins them to its network; conditions are hidden from
a share of the training examples, so that `given=None` is an unconditional model and guidance can lean on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core.codec import Codec, Scale, Standardise
from pushforward.core.conditions import forgotten
from pushforward.core.curve import Curve, mean_curve
from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Image, Space
from pushforward.core.walk import Walk
from pushforward.families.diffusion.conditioning import CONDITIONING, kept, origin_of, steered
from pushforward.families.diffusion.config import DiffusionConfig
from pushforward.families.diffusion.denoiser import Denoiser, NetworkDenoiser
from pushforward.families.diffusion.grids import log_levels
from pushforward.families.diffusion.levels import Decoder, GaussianDecoder, LevelDecoder
from pushforward.families.diffusion.likelihood import GaussianControl, elbo, flow, ode_estimate
from pushforward.families.diffusion.noise_law import LAWS, Knee
from pushforward.families.diffusion.objective import Objective, objective_of
from pushforward.families.diffusion.paths import PATHS
from pushforward.families.diffusion.process import Process
from pushforward.families.diffusion.schemes import Denoise
from pushforward.families.diffusion.solvers import NOISY, SOLVERS
from pushforward.nets.conditional import ScalarConditioned
from pushforward.nets.mlp import ResidualMLP
from pushforward.nets.unet import UNet

ELBO_LEVELS = 64
HELD_OUT_LEVELS = 8
CURVE_LEVELS = 25
LARGEST_NOISE = 40.0
EXACT_TRACE_DIMENSIONS = 16


class Gaussian(Process):
    """Images and points, noised along a path."""

    options = (*CONDITIONING, "steps", "solver", "eta", "grid")
    solvers = tuple(SOLVERS)

    def __init__(self, space: Space, config: DiffusionConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        shape, levels = space.event_shape, space.levels if isinstance(space, Image) else 0
        body: nn.Module
        if isinstance(space, Image):
            # the network sees the scaled image and the levels near it
            size = (space.height, space.width)
            body = UNet(2 * space.channels, space.channels, size, config.width, config.depth, config.context)
        else:
            body = ResidualMLP(shape[0], shape[0], config.width, config.depth, config.context, zero_output=True)
        network = ScalarConditioned(body, config.context, classes)
        self.denoiser = NetworkDenoiser(network, shape, levels, config.prediction)
        smallest = config.sigma_min or (0.25 / (levels - 1) if levels else 0.01)
        kind = PATHS[config.path]
        self.path = kind(smallest, config.sigma_max or min(LARGEST_NOISE, kind.reach))
        self.decoder: Decoder = LevelDecoder(levels, smallest) if levels else GaussianDecoder(smallest)

    @property
    def objective(self) -> Objective:
        """The law and the weight of noise levels in training; both know the scale of the data, hence not before `prepare`."""
        config, scale = self.config, self.denoiser.preconditioner.sigma_data
        return objective_of(LAWS[config.law](self.path, scale), config.weight, scale)

    @staticmethod
    def codec(space: Space) -> Codec:
        """Pixels on [-1, 1], points of unit variance."""
        if isinstance(space, Image):
            return Codec(space, [Scale(space.levels)])
        return Codec(space, [Standardise(space.dimensions)])

    def networks(self) -> dict[str, nn.Module]:
        """The denoiser's network; its preconditioner stays in float32."""
        return {"denoiser": self.denoiser.network}

    def prepare(self, x: Tensor, given: Given | None) -> None:
        """Fit the centre and the scale of the data."""
        self.denoiser.preconditioner.fit(x)

    def losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        """The weighted squared error of the denoised data, at levels drawn by the law."""
        objective = self.objective
        s = objective.stratified(noise.uniform())
        y = x + s.reshape(-1, *(1 for _ in x.shape[1:])) * noise.normal(*x.shape[1:])
        if given is not None:
            given = forgotten(given, self.config.drop_condition, noise.uniform())
        error = (x - self.denoiser.denoise(y, s, given)).square().flatten(1).mean(1)
        yield Loss((objective.weight(s) * error).mean(), "model", objective.name)

    def _bind(self, given: Given | None, denoiser: Denoiser | None = None) -> Denoise:
        # likelihoods denoise several noise levels per example, example by example: labels follow
        chosen = denoiser or self.denoiser

        def denoise(y: Tensor, noise_level: Tensor) -> Tensor:
            if given is None or given.label is None or len(given) == len(y):
                return chosen.denoise(y, noise_level, given)
            return chosen.denoise(y, noise_level, Given(given.label.repeat_interleave(len(y) // len(given))))

        return denoise

    def sampler(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Walk down the noise levels with a solver."""
        name = options.solver or self.solvers[0]
        solver = SOLVERS[name]
        if options.eta is not None and solver.eta is None:
            raise BadInput(f"eta={options.eta} with the solver '{name}'", "one of " + ", ".join(NOISY), "leave eta out")
        weaker = None if options.guide is None else options.guide.denoiser
        scale, images = float(self.denoiser.preconditioner.sigma_data), isinstance(self.space, Image)
        denoiser = steered(self.denoiser, weaker, scale, given, options, images)
        draw, origin = (lambda: noise.normal(*self.space.event_shape)), origin_of(given, options)
        bound, steps = self._bind(given, denoiser), options.steps
        walk = solver.walk(self.path, bound, draw, steps, denoiser.cost, options.eta, options.grid, origin)
        return kept(walk, given, options, draw)

    def _elbo(self, x: Tensor, given: Given | None, noise: Noise, samples: int) -> tuple[Tensor, Tensor | None]:
        condition = self.denoiser.preconditioner
        control = None
        if not isinstance(self.space, Image):
            # pixels are known exactly at small noise, where a Gaussian control would add the noise it should cancel
            control = GaussianControl(condition.centre, float(condition.sigma_data))
        law = Knee(self.path, condition.sigma_data)
        return elbo(self.path, self._bind(given), self.decoder, law, x, noise, samples, control)

    def curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        """The denoising error at every noise level."""
        levels = log_levels(CURVE_LEVELS - 1, self.path.sigma_min, self.path.sigma_max)
        d2, denoise, errors = float(self.denoiser.preconditioner.sigma_data) ** 2, self._bind(given), []
        for s in levels.to(x):
            clean = denoise(x + s * noise.normal(*self.space.event_shape), s)
            errors.append((x - clean).square().flatten(1).mean(1) / s**2)
        y, stderr = mean_curve(torch.stack(errors, dim=1))
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

    def held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Minus the bound, from eight noise levels."""
        return -self._elbo(x, given, noise, HELD_OUT_LEVELS)[0]

    def log_prob(self, x: Tensor, given: Given | None, noise: Noise, estimator: str, samples: int) -> LogProb:
        """A bound over all noise levels, or the density along the flow."""
        measure, unit = self.space.measure, self.space.unit
        if estimator == "elbo":
            samples = samples or ELBO_LEVELS
            nats, stderr = self._elbo(x, given, noise, samples)
            return LogProb(nats, "lower_bound", measure, unit, estimator, stderr, float(samples))
        nats, stderr, calls = self._ode(x, given, noise, max(1, samples))
        return LogProb(nats, "estimate", measure, unit, estimator, stderr, calls)

    def _ode(self, x: Tensor, given: Given | None, noise: Noise, samples: int) -> tuple[Tensor, Tensor | None, float]:
        shape = self.space.event_shape
        hutchinson = self.space.dimensions > EXACT_TRACE_DIMENSIONS
        if isinstance(self.space, Image):
            # log P(x) >= E log p(y) + E log P(x|y) + entropy of y|x, for y = x + sigma_min eps: the model never saw
            # noise-free pixels, nor pixels spread evenly over a cell
            s = self.path.sigma_min
            draws = x.unsqueeze(1) + s * noise.normal(samples, *shape)
            entropy = 0.5 * self.space.dimensions * math.log(2.0 * math.pi * math.e * s**2)
            correction = self.decoder.expected(x) + entropy
        else:
            # nothing is random in an exact trace, so that one draw says all
            draws = x.unsqueeze(1).repeat_interleave(samples if hutchinson else 1, dim=1)
            correction = torch.zeros_like(x[:, 0])
        probes = noise.uniform(*draws.shape[1:]).round() * 2.0 - 1.0 if hutchinson else None
        steps = self.config.ode_steps
        nats, stderr = ode_estimate(self.path, self._bind(given), draws, steps, probes)
        return nats + correction, stderr, 4.0 * draws.shape[1] * (steps + max(1, steps // 2))

    def encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Carry data to noise along the flow, in units of the prior."""
        y = flow(self.path, self._bind(given), x, self.config.ode_steps)
        return y / self.path.spread

    def decode(self, z: Tensor, given: Given | None) -> Tensor:
        """Carry noise to data along the flow."""
        return flow(self.path, self._bind(given), z * self.path.spread, self.config.ode_steps, reverse=True)
