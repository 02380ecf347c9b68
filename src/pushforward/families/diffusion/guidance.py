"""Classifier-free guidance: a denoiser that wraps a denoiser.

One idea: extrapolate from the unconditional denoised estimate through the conditional one; weight 1 is off.
"""

from __future__ import annotations

from torch import Tensor

from pushforward.core.given import Given
from pushforward.families.diffusion.denoiser import Denoiser


class Guided(Denoiser):
    """`D = D_null + w (D_given - D_null)` (Ho and Salimans 2022, equation 6 with w counted from zero).

    w = 0 is unconditional, w = 1 conditional (and free of extra calls), w > 1 sharpens; the result is no longer a denoiser of
    any distribution, so a guided sample has no likelihood.
    """

    def __init__(self, denoiser: Denoiser, weight: float) -> None:
        self.denoiser, self.weight = denoiser, weight
        self.calls = denoiser.calls * (1 if weight in (0.0, 1.0) else 2)

    def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        """Shapes: y (n, ...), noise_level () or (n,) -> (n, ...)."""
        if self.weight == 1.0 or given is None:
            return self.denoiser.denoise(y, noise_level, given)
        null = self.denoiser.denoise(y, noise_level, None)
        if self.weight == 0.0:
            return null
        return null + self.weight * (self.denoiser.denoise(y, noise_level, given) - null)
