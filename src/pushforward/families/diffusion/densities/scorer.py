"""From a denoiser to log-probabilities: a bound over all noise levels, one over those of a chain, a
density along the flow.

One idea: every number comes from the same denoiser and path; they differ in the process whose
probability they bound or estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pushforward.core.estimator import Draws, Estimator
from pushforward.core.given import Given
from pushforward.core.logprob import LogProb
from pushforward.core.noise import Noise
from pushforward.core.space import Space
from pushforward.families.diffusion.denoisers.denoiser import Denoiser, NetworkDenoiser
from pushforward.families.diffusion.denoisers.known_levels import DataDecoder
from pushforward.families.diffusion.densities.chain_bound import chain_levels, default_draws, vlb
from pushforward.families.diffusion.densities.continuous_bound import (
    Estimate,
    GaussianControl,
    elbo,
)
from pushforward.families.diffusion.densities.flow_density import FlowDensity, ode_estimate
from pushforward.families.diffusion.paths.noise_law import NoiseLaw
from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.solvers.schemes import Denoise
from pushforward.families.diffusion.solvers.variance import Reverse, fixed

ELBO_LEVELS = 64
CHAIN_STEPS = 64
# with one draw of noisy pixels and probes their spread is unknown
ODE_DRAWS = 4
EXACT_TRACE_DIMENSIONS = 16


def bound(denoiser: Denoiser, given: Given | None) -> Denoise:
    """Return `(y, noise level) -> x0` of a denoiser under a condition."""
    return lambda y, noise_level: denoiser.denoise(y, noise_level, _followed(given, len(y)))


def reversed_by(denoiser: NetworkDenoiser, given: Given | None) -> Reverse:
    """Return `(y, noise level) -> (x0, share of the variance)` of a network under a condition."""
    return lambda y, noise_level: denoiser.reverse(y, noise_level, _followed(given, len(y)))


def _followed(given: Given | None, n: int) -> Given | None:
    # likelihoods denoise several noise levels per example, example by example: labels follow
    if given is None or given.label is None or len(given) == n:
        return given
    return Given(given.label.repeat_interleave(n // len(given)))


@dataclass(frozen=True)
class Scorer:
    """Estimators of log p(x) of encoded examples.

    Attributes:
        law: where the bound looks; it changes the variance only.
        ode_steps: steps of the flow where none are asked for.
    """

    space: Space
    denoiser: NetworkDenoiser
    path: Path
    decoder: DataDecoder
    law: NoiseLaw
    ode_steps: int

    def elbo(self, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
        """Return the continuous-time bound."""
        drawn = replace(draws, samples=draws.samples or ELBO_LEVELS)
        return self._below(*self.bound(x, given, drawn), drawn.samples)

    def bound(self, x: Tensor, given: Given | None, draws: Draws) -> Estimate:
        """Return the continuous-time bound from as many noise levels as there are samples, and its
        standard error."""
        return elbo(
            self.path, bound(self.denoiser, given), self.decoder, self.law, x, draws, self._control
        )

    def chain(
        self, x: Tensor, given: Given | None, draws: Draws, share: float | None = None
    ) -> LogProb:
        """Return the bound of ancestral sampling.

        Args:
            share: of the variance between the small one, 0, and the large one, 1; None is the run's
                own.
        """
        levels = chain_levels(draws.steps or CHAIN_STEPS, self.path)
        drawn = replace(draws, samples=draws.samples or default_draws(len(levels) - 1))
        reverse = (
            reversed_by(self.denoiser, given)
            if share is None
            else fixed(bound(self.denoiser, given), share)
        )
        found = vlb(self.path, reverse, self.decoder, levels, x, drawn, self._control)
        return self._below(*found, drawn.samples)

    def _below(self, nats: Tensor, stderr: Tensor | None, samples: int) -> LogProb:
        return LogProb(
            nats, "lower_bound", self.space.measure, self.space.unit, "", stderr, float(samples)
        )

    def ode(self, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
        """Return the density along the probability-flow ODE."""
        found = self.flow(
            x, given, draws.noise, draws.samples or ODE_DRAWS, draws.steps or self.ode_steps
        )
        measure, unit = self.space.measure, self.space.unit
        return LogProb(
            found.nats,
            "estimate",
            measure,
            unit,
            "",
            found.stderr,
            found.calls,
            errors=found.errors,
        )

    def flow(
        self, x: Tensor, given: Given | None, noise: Noise, samples: int, steps: int
    ) -> FlowDensity:
        """Return the density along the probability-flow ODE; of pixels, that of noisy ones and
        their decoder."""
        shape = self.space.event_shape
        hutchinson = self.space.dimensions > EXACT_TRACE_DIMENSIONS
        if self.space.levels is not None:
            # log P(x) >= E log p(y) + E log P(x|y) + entropy of y|x, for y = x + sigma_min eps: the
            # model never saw noise-free pixels, nor pixels spread evenly over a cell
            s = self.path.sigma_min
            draws = x.unsqueeze(1) + s * noise.normal(samples, *shape)
            entropy = 0.5 * self.space.dimensions * math.log(2.0 * math.pi * math.e * s**2)
            correction = self.decoder.expected(x) + entropy
        else:
            # nothing is random in an exact trace, so that one draw says all
            draws = x.unsqueeze(1).repeat_interleave(samples if hutchinson else 1, dim=1)
            correction = torch.zeros_like(x[:, 0])
        probes = noise.uniform(*draws.shape[1:]).round() * 2.0 - 1.0 if hutchinson else None
        found = ode_estimate(self.path, bound(self.denoiser, given), draws, steps, probes)
        return replace(found, nats=found.nats + correction)

    @property
    def _control(self) -> GaussianControl | None:
        # pixels are known exactly at small noise, where a Gaussian control would add the noise it
        # should cancel
        if self.space.levels is not None:
            return None
        condition = self.denoiser.preconditioner
        return GaussianControl(condition.centre, float(condition.sigma_data))


Scored = Callable[[Scorer, Tensor, Given | None, Draws], LogProb]


def _of_scorer(score: Scored) -> Callable[[Any, Tensor, Given | None, Draws], LogProb]:
    """Return what a model's scorer makes of an encoded batch; the model's `process` is one of
    Gaussian noise."""
    return lambda model, x, given, draws: score(model.process.scorer, x, given, draws)


ELBO = Estimator(
    "elbo",
    "continuous-time variational bound, Monte Carlo over log-SNR",
    "lower_bound",
    _of_scorer(Scorer.elbo),
)
VLB = Estimator(
    "vlb",
    "bound of ancestral sampling in so many steps, with the run's own variance",
    "lower_bound",
    _of_scorer(Scorer.chain),
    takes_steps=True,
)
VLB_SMALL = Estimator(
    "vlb-small",
    "bound of ancestral sampling with the small variance",
    "lower_bound",
    _of_scorer(partial(Scorer.chain, share=0.0)),
    takes_steps=True,
)
VLB_LARGE = Estimator(
    "vlb-large",
    "bound of ancestral sampling with the large variance",
    "lower_bound",
    _of_scorer(partial(Scorer.chain, share=1.0)),
    takes_steps=True,
)
ODE = Estimator(
    "ode",
    "density along the probability-flow ODE, finite steps",
    "estimate",
    _of_scorer(Scorer.ode),
    takes_steps=True,
)
ODE_OF_PIXELS = replace(ODE, says="density along the ODE of noisy pixels, plus their decoder")
