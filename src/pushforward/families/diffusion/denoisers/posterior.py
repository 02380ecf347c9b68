"""Linear measurements: a denoiser of the posterior that wraps a denoiser of the prior.

Two ideas: `E[x0 | y, m] = D(y, s) + s^2 grad log p(m | y)`, and with `x0 | y` taken as Gaussian of
mean D and covariance C a measurement `m = A x0 + noise` has `p(m | y) = N(A D, A C A^T + noise^2)`;
the methods differ in C alone, and the one that asks the denoiser for it is exact for every Gaussian
prior.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from pushforward.core.choice import Choice
from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.core.observed import Observed
from pushforward.core.operators import Identity, Operator
from pushforward.core.registry import Registry
from pushforward.families.diffusion.denoisers.denoiser import Denoiser

TOLERANCE = 1e-6

# from x, the noise level, the scale of the data, and the product of a vector with the denoiser's
# Jacobian, to C x
Covariance = Callable[[Tensor, Tensor, float, Callable[[Tensor], Tensor]], Tensor]


@dataclass(frozen=True)
class PosteriorMethod(Choice):
    """Which covariance `x0 | y` is taken to have.

    Attributes:
        covariance: C; None is zero, which needs a measurement with noise.
        iterations: of conjugate gradients.
        backward: passes backwards through the denoiser: one for the gradient, one for each product
            with C that needs it.
    """

    covariance: Covariance | None
    iterations: int = 0
    backward: int = 1


POSTERIORS: Registry[PosteriorMethod] = Registry(
    "posterior",
    of="pushforward.families.diffusion.denoisers.posterior:PosteriorMethod",
    choices=(
        PosteriorMethod(
            "pigdm",
            "`s^2 d^2/(s^2 + d^2) I`, exact for a Gaussian prior of one scale",
            lambda x, s, scale, carried: s**2 * scale**2 / (s**2 + scale**2) * x,
            iterations=100,
        ),
        PosteriorMethod(
            "moment",
            "Tweedie's covariance, exact for every Gaussian prior; it asks much of a denoiser",
            lambda x, s, scale, carried: s**2 * carried(x),
            iterations=3,
            backward=4,
        ),
        PosteriorMethod(
            "dps", "none, which pulls too hard wherever the noisy example says little", None
        ),
    ),
)


def conjugate_gradients(
    product: Callable[[Tensor], Tensor], right: Tensor, iterations: int
) -> Tensor:
    """Return x with `K x = right`, example by example, for a positive matrix K that is known by its
    product.

    An example whose residual is `TOLERANCE` of what it was, or in whose direction K is not
    positive, is left alone from then on, so that none depends on its neighbours.

    Args:
        right: shape (n, ...).

    Example:
        >>> conjugate_gradients(lambda x: torch.tensor([2.0, 4.0]) * x, torch.tensor([[1.0, 1.0]]), 2).tolist()
        [[0.5, 0.25]]
    """

    def dot(a: Tensor, b: Tensor) -> Tensor:
        return (a * b).flatten(1).sum(1).reshape(-1, *(1 for _ in a.shape[1:]))

    x, left = torch.zeros_like(right), right
    direction, size = left, dot(left, left)
    enough = size * TOLERANCE**2
    for _ in range(iterations):
        image = product(direction)
        curvature = dot(direction, image)
        active = (size > enough) & (curvature > 0)
        if not bool(active.any()):
            break
        step = torch.where(active, size / torch.where(active, curvature, 1.0), 0.0)
        x, left = x + step * direction, left - step * image
        after = dot(left, left)
        direction = torch.where(active, left + after / size.clamp(min=1e-38) * direction, direction)
        size = torch.where(active, after, 0.0)
    return x


class LinearPosterior(Denoiser):
    """`D + s^2 J^T A^T (A C A^T + noise^2)^-1 (m - A D)` with `J = dD/dy`.

    - `dps`: C = 0 (Chung et al. 2022, theorem 1): pulls too hard wherever y says little about x0,
      and needs noise.
    - `pigdm`: `C = s^2 d^2/(s^2 + d^2) I` (Song et al. 2023), exact for a Gaussian prior of
      covariance `d^2 I`.
    - `moment`: `C = s^2 J`, Tweedie's covariance (Rozet et al. 2024), exact for every Gaussian
      prior. It asks much of a denoiser: at large s an error e of the Jacobian is one of `s^2 e` of
      the covariance, and a poorly trained network diverges.

    Args:
        observed: a measurement in the coordinates of the denoiser.
        method: a name in `POSTERIORS`.
        scale: d, the standard deviation of the data.

    Raises:
        BadInput: an unknown method, or `dps` without noise.
    """

    def __init__(self, denoiser: Denoiser, observed: Observed, method: str, scale: float) -> None:
        self.method = POSTERIORS[method]
        if self.method.covariance is None and not observed.noise:
            came = f"posterior='{method}' of a measurement without noise"
            raise BadInput(came, "a noise above 0", "`pigdm` needs none")
        self.denoiser, self.observed, self.scale = denoiser, observed, scale
        self.operator: Operator = observed.operator or Identity()
        self.calls = denoiser.calls * (1.0 + self.method.backward)

    def cost(self, noise_level: float) -> float:
        """Network calls at one noise level, a pass backwards through the denoiser counted like one
        forwards."""
        return self.denoiser.cost(noise_level) * (1.0 + self.method.backward)

    def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        """Shapes: y (n, ...), noise_level () or (n,) -> (n, ...)."""
        s = noise_level.to(y).reshape(-1, *(1 for _ in y.shape[1:]))
        with torch.enable_grad():
            leaf = y.detach().requires_grad_()
            clean = self.denoiser.denoise(leaf, noise_level, given)
        carried = partial(_carried, clean, leaf)
        measured = torch.where(self.observed.mask, self.observed.values.to(y), 0.0)
        missed = measured - self._seen(clean.detach())
        pull = carried(self.operator.adjoint(self._solved(missed, s, carried)))
        return clean.detach() + s**2 * pull

    def _seen(self, x: Tensor) -> Tensor:
        return torch.where(self.observed.mask, self.operator.apply(x), 0.0)

    def _solved(self, missed: Tensor, s: Tensor, carried: Callable[[Tensor], Tensor]) -> Tensor:
        variance, covariance = self.observed.noise**2, self.method.covariance
        if covariance is None:
            return missed / variance
        return conjugate_gradients(
            lambda v: (
                self._seen(covariance(self.operator.adjoint(v), s, self.scale, carried))
                + variance * v
            ),
            missed,
            self.method.iterations,
        )


def _carried(clean: Tensor, leaf: Tensor, x: Tensor) -> Tensor:
    """Return `J^T x` of the denoised `clean` by what it was denoised from."""
    (image,) = torch.autograd.grad(clean, leaf, x, retain_graph=True)
    return image
