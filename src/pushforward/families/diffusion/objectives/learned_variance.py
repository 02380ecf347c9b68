"""Training the variance of ancestral steps beside the mean.

One idea: the mean keeps its own objective and the variance gets the bound's, in which the mean
stands still, so that a noisy gradient never moves it (Nichol and Dhariwal 2021, section 3.1).
"""

from __future__ import annotations

import math

from torch import Tensor

from pushforward.families.diffusion.paths.noise_law import NoiseLaw
from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.solvers.variance import step_divergence

# lambda of the hybrid objective (Nichol and Dhariwal 2021, section 3.1)
BOUND_SHARE = 0.001


def variance_loss(
    path: Path,
    law: NoiseLaw,
    steps: int,
    x: Tensor,
    clean: Tensor,
    share: Tensor,
    noise_level: Tensor,
) -> Tensor:
    """Return an unbiased draw of `sum_t L_(t-1)` of a chain of `steps` even steps of log noise
    level, per dimension, shape (n,).

    With `s' = s e^-h` and s drawn by a law of density p in log s, a sum over the chain's levels is
    the mean of `L(s)/(h p(log s))`.

    Args:
        clean: the denoised mean, which gets no gradient.
        share: the network's, of the shape of x.
        noise_level: s, shape (n,).
    """
    h = 0.5 * path.log_snr_range / (steps - 1)
    nats = step_divergence(x, clean.detach(), share, noise_level, noise_level * math.exp(-h))
    return nats / (x[0].numel() * h * law.density(noise_level))
