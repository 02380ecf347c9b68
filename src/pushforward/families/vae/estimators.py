"""Lower bounds on `log p(x)` by drawing codes.

One idea: one set of draws, averaged before the logarithm or after it; the first is tighter, and
equal to the likelihood in the limit.
"""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from pushforward.core.estimator import Draws, Estimator
from pushforward.core.given import Given
from pushforward.core.logprob import LogProb
from pushforward.core.noise import Noise
from pushforward.core.space import Space
from pushforward.families.vae.inference import Inference

ELBO_DRAWS, IWAE_DRAWS = 16, 64  # where nobody asks for a number


@runtime_checkable
class HasInference(Protocol):
    """What the estimators need of a VAE."""

    space: Space

    def inference(self, x: Tensor, given: Given | None, noise: Noise) -> Inference:
        """Return what it says of an encoded batch."""
        ...


def evidence_bound(model: HasInference, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
    """Return `E_q[log p(x | z)] - KL(q(z | x) || p(z))`, averaged over draws of z, with the error
    of that average."""
    batch, count = model.inference(x, given, draws.noise), draws.samples or ELBO_DRAWS
    codes = (batch.draw()[0] for _ in range(count))
    w = torch.stack([batch.fit(z) - batch.divergence(z) for z in codes])
    stderr = w.std(0) / math.sqrt(count) if count > 1 else None
    return _bound(model.space, w.mean(0), "elbo", count, stderr)


def importance_bound(model: HasInference, x: Tensor, given: Given | None, draws: Draws) -> LogProb:
    """Return `log 1/K sum_k p(x, z_k) / q(z_k | x)`, a bound that tightens with K (Burda et al.
    2016, equation 8)."""
    batch, count = model.inference(x, given, draws.noise), draws.samples or IWAE_DRAWS
    w = torch.stack([batch.log_weight() for _ in range(count)])
    return _bound(model.space, torch.logsumexp(w, 0) - math.log(count), f"iwae-{count}", count)


def _bound(
    space: Space, nats: Tensor, name: str, draws: int, stderr: Tensor | None = None
) -> LogProb:
    return LogProb(nats, "lower_bound", space.measure, space.unit, name, stderr, calls=1.0 + draws)


EVIDENCE = Estimator(
    "elbo", "evidence lower bound, averaged over draws of z", "lower_bound", evidence_bound
)
IMPORTANCE = Estimator(
    "iwae", "importance-weighted bound; tightens with samples", "lower_bound", importance_bound
)
