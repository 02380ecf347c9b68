"""From data to the tensor that a family models, and back, with the change of measure accounted for.

Three ideas: a `Transform` knows its log-determinant under the measure it meets; a `Codec` is a
chain of them; a transform that spreads an integer over a cell (dequantisation) turns an exact
density into a lower bound on a probability.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core.finite import require_finite
from pushforward.core.moments import location_and_scale
from pushforward.core.noise import Noise
from pushforward.core.space import Measure, Space


@dataclass(frozen=True)
class Encoded:
    """A batch as a family sees it.

    Attributes:
        value: the tensor the family models.
        log_det: shape (N,), to be added to the family's log-probability to get data units.
        measure: the measure `value` has a density with respect to.
        bound: True if the correction is a lower bound and not an equality.
    """

    value: Tensor
    log_det: Tensor
    measure: Measure
    bound: bool


class Transform(nn.Module, ABC):
    """One step of a codec. Concrete transforms are final; fitted numbers are buffers and travel
    with the weights."""

    adds_noise = False

    def fit(self, x: Tensor) -> None:
        """Learn statistics from training data; the default learns nothing."""

    def measure_after(self, measure: Measure) -> Measure:
        """Return the measure of the output."""
        return measure

    @abstractmethod
    def encode(self, x: Tensor, noise: Noise | None) -> tuple[Tensor, Tensor]:
        """Return the transformed batch and log|det dy/dx| of shape (N,) relative to Lebesgue
        measure."""

    @abstractmethod
    def decode(self, y: Tensor) -> Tensor:
        """Invert `encode`; every output is legal data, whatever the network produced."""

    def affine(self) -> tuple[Tensor, Tensor]:
        """Return scale and shift, float64, of a transform that is `y = scale x + shift`."""
        raise NotImplementedError(f"{type(self).__name__} is not affine")


class Scale(Transform):
    """Integers 0..L-1 to evenly spaced reals: `y = 2x/(L-1) - 1` in [-1, 1]; decoding rounds to the
    nearest level.

    Meant for counting measure, where a relabelling has no determinant.

    Example:
        >>> s = Scale(levels=17)
        >>> s.encode(torch.tensor([[0, 16, 8]]), None)[0]
        tensor([[-1.,  1.,  0.]])
    """

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.levels = levels

    def encode(self, x: Tensor, noise: Noise | None) -> tuple[Tensor, Tensor]:
        """Map levels to [-1, 1]."""
        y = x.to(torch.float32) * (2.0 / (self.levels - 1)) - 1.0
        return y, torch.zeros(x.shape[0], device=x.device)

    def decode(self, y: Tensor) -> Tensor:
        """Round to the nearest level; truncation would darken every image by half a level."""
        return ((y + 1.0) * ((self.levels - 1) / 2.0)).round().clamp(0, self.levels - 1)

    def affine(self) -> tuple[Tensor, Tensor]:
        """`2 / (L - 1)` and -1."""
        return torch.tensor(2.0 / (self.levels - 1), dtype=torch.float64), torch.tensor(
            -1.0, dtype=torch.float64
        )


class Dequantise(Transform):
    """Uniform dequantisation `y = (x + u)/L` in [0, 1).

    `P(x) = L^-D E_u p(y)`, hence `log P(x) >= E_u log p(y) - D log L` (Theis et al. 2016, section
    3.1).

    Example:
        >>> from pushforward.core.noise import Streams
        >>> y, log_det = Dequantise(4).encode(torch.tensor([[3, 0]]), Streams(0, 1))
        >>> round(float(log_det), 4), Dequantise(4).decode(y).tolist()
        (-2.7726, [[3.0, 0.0]])
    """

    adds_noise = True

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.levels = levels

    def measure_after(self, measure: Measure) -> Measure:
        """Lebesgue."""
        return "lebesgue"

    def encode(self, x: Tensor, noise: Noise | None) -> tuple[Tensor, Tensor]:
        """Add uniform noise; without noise the centre of the cell is used (for plots, never for
        likelihoods)."""
        u = (
            torch.full_like(x, 0.5, dtype=torch.float32)
            if noise is None
            else noise.uniform(*x.shape[1:]).to(x.device)
        )
        cells = x[0].numel() if x.shape[0] else 0
        return (x.to(torch.float32) + u) / self.levels, torch.full(
            (x.shape[0],), -cells * math.log(self.levels), device=x.device
        )

    def decode(self, y: Tensor) -> Tensor:
        """Return the cell that `y` lies in."""
        return (y * self.levels).floor().clamp(0, self.levels - 1)


class Logit(Transform):
    """`z = logit(lambda + (1 - 2 lambda) y)` from [0, 1] to the real line (Dinh et al. 2017,
    section 4.1).

    `log|dz/dy| = sum log beta - log s - log(1 - s)` with `beta = 1 - 2 lambda`, `s = lambda + beta
    y`.

    Example:
        >>> z, _ = Logit(0.05).encode(torch.tensor([[0.5]]), None)
        >>> float(z)
        0.0
    """

    def __init__(self, margin: float = 0.05) -> None:
        super().__init__()
        self.margin = margin

    def encode(self, x: Tensor, noise: Noise | None) -> tuple[Tensor, Tensor]:
        """Squeeze into (margin, 1 - margin), then take the logit."""
        beta = 1.0 - 2.0 * self.margin
        s = self.margin + beta * x
        log_det = math.log(beta) - torch.log(s) - torch.log1p(-s)
        return torch.logit(s), log_det.flatten(1).sum(1)

    def decode(self, y: Tensor) -> Tensor:
        """Invert; values beyond the margin are clamped to [0, 1]."""
        return ((torch.sigmoid(y) - self.margin) / (1.0 - 2.0 * self.margin)).clamp(0.0, 1.0)


class Standardise(Transform):
    """`y = (x - mean) / std` per coordinate, fitted on training data; contributes `-sum log std`.

    Statistics have the precision of the data that they are of, and so has what is decoded: seconds
    since 1970 differ by far less than they are, so they come in double precision; only `y`, which a
    network sees, is single.

    Example:
        >>> s = Standardise(1); s.fit(torch.tensor([[0.0], [2.0]]))
        >>> s.encode(torch.tensor([[2.0]]), None)[0].item()
        1.0
    """

    mean: Tensor
    std: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("std", torch.ones(dim))

    def fit(self, x: Tensor) -> None:
        """Take mean and population standard deviation; a column that is constant up to rounding
        keeps scale 1."""
        mean, std = location_and_scale(x)
        precision = x.dtype if x.is_floating_point() else torch.float64
        self.mean = mean.to(self.mean.device, precision)
        self.std = std.to(self.std.device, precision)

    def encode(self, x: Tensor, noise: Noise | None) -> tuple[Tensor, Tensor]:
        """Standardise every row."""
        y = (x - self.mean) / self.std
        return y.to(torch.float32), -self.std.log().sum().expand(x.shape[0])

    def decode(self, y: Tensor) -> Tensor:
        """Restore location and scale."""
        return y * self.std + self.mean

    def affine(self) -> tuple[Tensor, Tensor]:
        """`1 / std` and `-mean / std`."""
        mean, std = self.mean.double(), self.std.double()
        return 1.0 / std, -mean / std

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *rest: Any) -> None:
        # statistics that were saved in double precision stay so; torch would round them to what is
        # here
        for name in ("mean", "std"):
            saved = state_dict.get(prefix + name)
            if saved is not None:
                setattr(self, name, getattr(self, name).to(saved.dtype))
        super()._load_from_state_dict(state_dict, prefix, *rest)


class Codec(nn.Module):
    """A chain of transforms from a space to what a family models.

    `log p_data(x) = log p_model(encode(x)) + log_det`, an equality unless a transform adds noise.

    Example:
        >>> from pushforward.core.space import Points
        >>> codec = Codec(Points(1), [Standardise(1)])
        >>> codec.fit(torch.tensor([[0.0], [4.0]]))
        >>> round(float(codec.encode(torch.tensor([[4.0]])).log_det), 4)
        -0.6931
    """

    def __init__(self, space: Space, transforms: list[Transform]) -> None:
        super().__init__()
        self.space = space
        self.transforms = nn.ModuleList(transforms)

    @property
    def adds_noise(self) -> bool:
        """True if encoding dequantises, so that likelihoods become lower bounds."""
        return any(t.adds_noise for t in self._chain())

    def fit(self, x: Tensor) -> None:
        """Fit every transform in turn on training data."""
        chain = self._chain()
        for index, transform in enumerate(chain):
            transform.fit(x)
            if any(type(later).fit is not Transform.fit for later in chain[index + 1 :]):
                x, _ = transform.encode(x, None)

    def encode(self, x: Tensor, noise: Noise | None = None) -> Encoded:
        """Encode a batch; contributions under counting measure are zero, because relabelling keeps
        probabilities."""
        measure: Measure = self.space.measure
        log_det, bound = torch.zeros(x.shape[0], device=x.device), False
        for transform in self._chain():
            x, contribution = transform.encode(x, noise)
            measure = transform.measure_after(measure)
            bound = bound or transform.adds_noise
            if measure == "lebesgue":
                log_det = log_det + contribution
        return Encoded(x, log_det, measure, bound)

    def affine(self) -> tuple[Tensor, Tensor]:
        """Return scale and shift, float64, of a codec that is `y = scale x + shift` in every
        coordinate."""
        scale, shift = torch.ones((), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
        for transform in self._chain():
            factor, added = transform.affine()
            scale, shift = factor * scale.to(factor), factor * shift.to(factor) + added
        return scale, shift

    def decode(self, y: Tensor) -> Tensor:
        """Decode to data units: integers in the type of the space, points in the precision of the
        data.

        Raises:
            Astray: NaN or infinity, which rounding would turn into a pixel; in rows NaN is a
                missing value.
        """
        if not self.space.gaps:
            require_finite(y)
        for transform in reversed(self._chain()):
            y = transform.decode(y)
        return self.space.typed(y)

    def _chain(self) -> list[Transform]:
        return [t for t in self.transforms if isinstance(t, Transform)]
