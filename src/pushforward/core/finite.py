"""Where a sampler's numbers end: what is NaN or infinite is refused before it becomes a pixel, a
token or a missing value.

One idea: the clamp of a pixel, the comparison with a CDF and the hole in a table all turn NaN into
something that looks like data; so numbers are looked at right before one of these.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.core.errors import Unsupported

MILDER = (
    "take more steps, another solver, or a milder condition (guidance, posterior, noise, temperature); "
    "where it happens without any, train the model longer or at a lower learning rate"
)


class Astray(Unsupported):
    """A sampler that left the numbers."""


def require_finite(x: Tensor, where: Tensor | None = None) -> Tensor:
    """Return a batch of samples, shape (n, ...), as it came.

    Args:
        where: booleans of its shape, True where it has to be finite; None: everywhere.

    Raises:
        Astray: a sample with NaN or infinity; the sentence counts them.

    Example:
        >>> require_finite(torch.tensor([[1.0, 2.0]])).tolist()
        [[1.0, 2.0]]
        >>> try:
        ...     require_finite(torch.tensor([[1.0], [float("nan")]]))
        ... except Astray as error:
        ...     print(error.came)
        1 of 2 samples, which went off to NaN or infinity
    """
    if not x.is_floating_point():
        return x
    wrong = ~torch.isfinite(x)
    if where is not None:
        wrong = wrong & where
    if bool(wrong.any()):
        lost = int(wrong.flatten(1).any(1).sum()) if x.dim() > 1 else int(wrong.sum())
        raise Astray(
            f"{lost} of {len(x)} samples, which went off to NaN or infinity",
            "finite numbers",
            MILDER,
        )
    return x


def require_law(cdf: Tensor) -> Tensor:
    """Return cumulated probabilities, shape (..., k), as they came.

    Raises:
        Astray: a distribution whose probabilities are NaN.

    Example:
        >>> require_law(torch.tensor([[0.5, 1.0]])).tolist()
        [[0.5, 1.0]]
    """
    # a sum that has met NaN stays NaN, so the last one tells of all
    lost = int(torch.isnan(cdf[..., -1]).sum())
    if lost:
        drawn = cdf[..., -1].numel()
        raise Astray(
            f"{lost} of {drawn} draws, whose probabilities are NaN", "numbers from 0 to 1", MILDER
        )
    return cdf
