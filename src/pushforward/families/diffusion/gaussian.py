"""Gaussian noise on numbers: a preconditioned denoiser on a path from data to noise.

Three ideas: everything that has a formula (path, objective, solvers, guidance, likelihoods) takes a function
`(y, noise level) -> clean data` and never a model; the process only joins them to its network; conditions are hidden from
a share of the training examples, so that `given=None` is an unconditional model and guidance can lean on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core.codec import Codec, Scale, Standardise
from pushforward.core.conditions import forgotten
from pushforward.core.curve import Curve, mean_curve
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Given
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Image, Space
from pushforward.core.walk import Walk
from pushforward.families.diffusion.bound import FIXED_SHARES, chain_levels, default_draws, terms_curve, vlb
from pushforward.families.diffusion.config import DiffusionConfig
from pushforward.families.diffusion.denoiser import Denoiser, NetworkDenoiser
from pushforward.families.diffusion.flow_density import FlowDensity, flow, ode_estimate
from pushforward.families.diffusion.grids import log_levels
from pushforward.families.diffusion.guidance import Guided
from pushforward.families.diffusion.learned_variance import BOUND_SHARE, variance_loss
from pushforward.families.diffusion.levels import Decoder, GaussianDecoder, LevelDecoder
from pushforward.families.diffusion.likelihood import Estimate, GaussianControl, elbo
from pushforward.families.diffusion.noise_law import LAWS, Knee
from pushforward.families.diffusion.objective import Objective, objective_of
from pushforward.families.diffusion.paths import PATHS
from pushforward.families.diffusion.process import Process
from pushforward.families.diffusion.schemes import Denoise, LearnedAncestral
from pushforward.families.diffusion.solvers import NOISY, SOLVERS
from pushforward.families.diffusion.trust import require_meaning
from pushforward.families.diffusion.variance import Reverse, fixed
from pushforward.nets.conditional import ScalarConditioned
from pushforward.nets.mlp import ResidualMLP
from pushforward.nets.unet import UNet

ELBO_LEVELS = 64
CHAIN_STEPS = 64
# with one draw of noisy pixels and probes their spread is unknown
ODE_DRAWS = 4
HELD_OUT_LEVELS = 8
CURVE_LEVELS = 25
LARGEST_NOISE = 40.0
EXACT_TRACE_DIMENSIONS = 16


class Gaussian(Process):
    """Images and points, noised along a path."""

    options = ("guidance", "steps", "solver", "eta", "grid", "tolerance")
    solvers = tuple(SOLVERS)

    def __init__(self, space: Space, config: DiffusionConfig, classes: int) -> None:
        super().__init__(space, config, classes)
        shape, levels = space.event_shape, space.levels if isinstance(space, Image) else 0
        learned = config.variance == "learned"
        heads = 2 if learned else 1
        body: nn.Module
        if isinstance(space, Image):
            # the network sees the scaled image and the levels near it
            size = (space.height, space.width)
            body = UNet(2 * space.channels, heads * space.channels, size, config.width, config.depth, config.context)
        else:
            body = ResidualMLP(shape[0], heads * shape[0], config.width, config.depth, config.context, zero_output=True)
        network = ScalarConditioned(body, config.context, classes)
        self.denoiser = NetworkDenoiser(network, shape, levels, config.prediction, learned)
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
        clean, share = self.denoiser.reverse(y, s, given)
        error = (x - clean).square().flatten(1).mean(1)
        loss, name = (objective.weight(s) * error).mean(), objective.name
        if self.denoiser.learns_variance:
            steps = self.config.variance_steps
            bound = variance_loss(self.path, objective.law, steps, x, clean, share, s).mean()
            loss, name = loss + BOUND_SHARE * bound, f"{name} + {BOUND_SHARE} of the bound in {steps} steps"
        yield Loss(loss, "model", name)

    def _bind(self, given: Given | None, denoiser: Denoiser | None = None) -> Denoise:
        chosen = denoiser or self.denoiser
        return lambda y, noise_level: chosen.denoise(y, noise_level, _followed(given, len(y)))

    def _reverse(self, given: Given | None) -> Reverse:
        return lambda y, noise_level: self.denoiser.reverse(y, noise_level, _followed(given, len(y)))

    def sampler(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        """Walk down the noise levels with a solver."""
        name = options.solver or self.solvers[0]
        solver = SOLVERS[name]
        if options.eta is not None and solver.eta is None:
            raise BadInput(f"eta={options.eta} with the solver '{name}'", "one of " + ", ".join(NOISY), "leave eta out")
        reverse = None
        if isinstance(solver.method, LearnedAncestral):
            self._require_variance(name, options.guidance)
            reverse = self._reverse(given)
        guided = self.denoiser if given is None else Guided(self.denoiser, options.guidance)
        draw = lambda: noise.normal(*self.space.event_shape)  # noqa: E731
        return solver.walk(
            self.path,
            self._bind(given, guided),
            draw,
            options.steps,
            guided.calls,
            options.eta,
            options.grid,
            reverse,
            options.tolerance,
        )

    def _require_variance(self, solver: str, guidance: float) -> None:
        if not self.denoiser.learns_variance:
            raise Unsupported(
                f"the solver '{solver}' on a run with fixed variances",
                "a run trained with -s model.variance=learned",
                "`ddpm` and `ddpm-large` take the two fixed ones",
            )
        if guidance != 1.0:
            raise Unsupported(
                f"guidance={guidance} with the solver '{solver}'",
                "guidance 1",
                "the variance was learned about the unguided mean; `ddpm` has one that fits any",
            )

    @property
    def _control(self) -> GaussianControl | None:
        # pixels are known exactly at small noise, where a Gaussian control would add the noise it should cancel
        if isinstance(self.space, Image):
            return None
        condition = self.denoiser.preconditioner
        return GaussianControl(condition.centre, float(condition.sigma_data))

    def _elbo(self, x: Tensor, given: Given | None, noise: Noise, samples: int) -> Estimate:
        law = Knee(self.path, self.denoiser.preconditioner.sigma_data)
        return elbo(self.path, self._bind(given), self.decoder, law, x, noise, samples, self._control)

    def _chain(self, estimator: str, given: Given | None) -> Reverse:
        if estimator == "vlb":
            return self._reverse(given)
        return fixed(self._bind(given), FIXED_SHARES[estimator])

    def curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        """The denoising error at every noise level, and what the steps of a chain pay."""
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
        chain = self._reverse(given)
        yield terms_curve(self.path, chain, self.decoder, CURVE_LEVELS, x, noise, self.space.unit, math.sqrt(d2))

    def held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Minus the bound, from eight noise levels."""
        return -self._elbo(x, given, noise, HELD_OUT_LEVELS)[0]

    def log_prob(
        self, x: Tensor, given: Given | None, noise: Noise, estimator: str, samples: int, steps: int | None = None
    ) -> LogProb:
        """A bound over all noise levels or over those of a chain, or the density along the flow."""
        measure, unit = self.space.measure, self.space.unit
        if estimator == "ode":
            flowed = self._ode(x, given, noise, samples or ODE_DRAWS, steps or self.config.ode_steps)
            nats, stderr, errors = flowed.nats, flowed.stderr, flowed.errors
            return LogProb(nats, "estimate", measure, unit, estimator, stderr, flowed.calls, errors=errors)
        if estimator == "elbo":
            samples = samples or ELBO_LEVELS
            nats, stderr = self._elbo(x, given, noise, samples)
        else:
            levels = chain_levels(steps or CHAIN_STEPS, self.path)
            samples = samples or default_draws(len(levels) - 1)
            chain = self._chain(estimator, given)
            nats, stderr = vlb(self.path, chain, self.decoder, levels, x, noise, samples, self._control)
        return LogProb(nats, "lower_bound", measure, unit, estimator, stderr, float(samples))

    def vouch(self, lp: LogProb, steps: int | None) -> None:
        """Refuse what is no number, and an ODE that few steps did not solve."""
        require_meaning(lp, self.space.dimensions, steps or self.config.ode_steps, "diffusion")

    def _ode(self, x: Tensor, given: Given | None, noise: Noise, samples: int, steps: int) -> FlowDensity:
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
        found = ode_estimate(self.path, self._bind(given), draws, steps, probes)
        return replace(found, nats=found.nats + correction)

    def encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        """Carry data to noise along the flow, in units of the prior."""
        y = flow(self.path, self._bind(given), x, self.config.ode_steps)
        return y / self.path.spread

    def decode(self, z: Tensor, given: Given | None) -> Tensor:
        """Carry noise to data along the flow."""
        return flow(self.path, self._bind(given), z * self.path.spread, self.config.ode_steps, reverse=True)


def _followed(given: Given | None, n: int) -> Given | None:
    # likelihoods denoise several noise levels per example, example by example: labels follow
    if given is None or given.label is None or len(given) == n:
        return given
    return Given(given.label.repeat_interleave(n // len(given)))
