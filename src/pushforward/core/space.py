"""What one example *is*: its event shape, its measure, and therefore its unit.

Three ideas: a `Space` owns shape and measure; the unit of a likelihood is computed from the space
and never configured; a space checks the tensors that claim to live in it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from pushforward.core.data_kind import DATA_KINDS
from pushforward.core.errors import BadInput, refusing
from pushforward.core.moments import location_and_scale

Measure = Literal["counting", "lebesgue", "mixed"]


@dataclass(frozen=True)
class Unit:
    """A unit of information: `value = -nats / nats_per_unit` when it is a code length, `nats`
    otherwise.

    Example:
        >>> Unit("bits/dim", nats_per_unit=64 * math.log(2)).from_nats(-64 * math.log(2))
        1.0
    """

    name: str
    nats_per_unit: float

    def from_nats(self, log_probability: float) -> float:
        """Return the code length of a log-probability in nats (lower is better)."""
        return -log_probability / self.nats_per_unit


class Space(ABC):
    """The set an example lives in. Concrete spaces are frozen values; two equal spaces are
    interchangeable.

    Attributes:
        kind: the name of its kind of data, see `core/data_kind.py`.
        levels: how many values each number of an example may have, 0 to levels - 1; None where they
            differ, or are real.
        columns: of different kinds, if an example is a row of them; none where all of its numbers
            are of one kind.
        gaps: whether NaN is a value that is missing.
        prompted: whether an example may go on from a beginning that is given.
    """

    kind: str
    levels: int | None = None
    columns: tuple[Any, ...] = ()
    gaps: bool = False
    prompted: bool = False

    @property
    @abstractmethod
    def event_shape(self) -> tuple[int, ...]:
        """Shape of one example."""

    @property
    @abstractmethod
    def measure(self) -> Measure:
        """What a density is relative to: `counting` for discrete data, `lebesgue` for continuous
        data, `mixed` for both."""

    @property
    @abstractmethod
    def unit(self) -> Unit:
        """The unit a held-out likelihood is printed in."""

    @abstractmethod
    def check(self, x: Tensor) -> Tensor:
        """Return `x` if it is a batch of this space, else raise `BadInput`."""

    @property
    def dtype(self) -> torch.dtype:
        """Type of a tensor of examples."""
        return torch.int64

    def typed(self, x: Tensor) -> Tensor:
        """Return numbers in the type of the space."""
        return x.to(self.dtype)

    def fits(self, x: Tensor) -> bool:
        """Return whether a tensor has the shape of examples, and numbers of their type.

        Example:
            >>> Points(2).fits(torch.zeros(3, 2)), Points(2).fits(torch.zeros(3, 2, dtype=torch.int64))
            (True, False)
        """
        whole = not self.dtype.is_floating_point
        return tuple(x.shape[1:]) == self.event_shape and x.is_floating_point() != whole

    def scale(self, x: Tensor) -> Tensor:
        """Return what a distance between examples is counted in, float64: one number where all numbers
        of an example are of one kind, so that a pixel that hardly varies counts for as little as it
        shows.

        Example:
            >>> round(float(Image(1, 1, 2).scale(torch.tensor([[[[0, 100]]], [[[0, 104]]]]))), 2)
            58.91
            >>> Points(2).scale(torch.tensor([[0.0, 10.0], [2.0, 50.0]])).tolist()
            [1.0, 20.0]
        """
        spread = x.double().std(correction=min(1, x.numel() - 1))
        return torch.where(spread > 0.0, spread, torch.ones_like(spread))

    @property
    def dimensions(self) -> int:
        """Number of scalars in one example."""
        return math.prod(self.event_shape)

    @property
    def side(self) -> int:
        """Side of a square picture of as many pixels, rounded down; 0 where there are no pixels."""
        return 0

    @property
    @abstractmethod
    def described(self) -> str:
        """What examples are, in words."""

    @property
    def brief(self) -> str:
        """The space in one line, whatever it holds."""
        return str(self)

    def facts(self) -> dict[str, Any]:
        """Return a JSON description for people, which need not say everything."""
        return self.to_json()

    def outline(self) -> dict[str, Any]:
        """Return a JSON description that names what an example has several of."""
        return self.to_json()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON description that `space_from_json` turns back into an equal space."""
        return {"kind": self.kind, **self._fields()}

    @abstractmethod
    def _fields(self) -> dict[str, Any]:
        """Return the constructor's arguments."""

    @classmethod
    def of_fields(cls, **fields: Any) -> Space:
        """Rebuild a space from the fields of `to_json`."""
        return cls(**fields)

    def _check_shape(self, x: Tensor) -> None:
        if tuple(x.shape[1:]) != self.event_shape:
            raise BadInput(
                f"a batch of shape {tuple(x.shape)}",
                f"(n, {', '.join(map(str, self.event_shape))}) for {self}",
                "reshape the data, or open it again with pushforward.load",
            )


@dataclass(frozen=True)
class Points(Space):
    """Real vectors of `dim` numbers, relative to Lebesgue measure; unit nats/point.

    Example:
        >>> Points(2).unit.name
        'nats/point'
    """

    dim: int
    kind = "points"

    def __post_init__(self) -> None:
        if self.dim < 1:
            raise BadInput(f"points with {self.dim} columns", "at least one numeric column")

    @property
    def event_shape(self) -> tuple[int, ...]:
        """`(dim,)`."""
        return (self.dim,)

    @property
    def measure(self) -> Measure:
        """Lebesgue."""
        return "lebesgue"

    @property
    def dtype(self) -> torch.dtype:
        """Single precision; double where data need it, as those far from zero do."""
        return torch.float32

    @property
    def unit(self) -> Unit:
        """nats/point: a differential code length, which may be negative."""
        return Unit("nats/point", 1.0)

    def typed(self, x: Tensor) -> Tensor:
        """Return numbers as they are, in the precision of the data."""
        return x

    def scale(self, x: Tensor) -> Tensor:
        """Return the standard deviation of each column, which has a unit of its own."""
        return location_and_scale(x)[1]

    @property
    def described(self) -> str:
        """The number of coordinates."""
        return f"points with {self.dim} coordinates"

    def _fields(self) -> dict[str, Any]:
        return asdict(self)

    def check(self, x: Tensor) -> Tensor:
        """Accept floating tensors of shape (n, dim) without NaN or infinity."""
        if not x.is_floating_point():
            raise BadInput(
                f"points of dtype {x.dtype}", "floating-point numbers", "convert them with .float()"
            )
        self._check_shape(x)
        if not torch.isfinite(x).all():
            rows = (~torch.isfinite(x).all(dim=1)).nonzero().flatten().tolist()
            raise BadInput(
                f"NaN or infinity in rows {rows[:10]}",
                "finite numbers",
                "drop or repair those rows",
            )
        return x


@dataclass(frozen=True)
class Image(Space):
    """Images of integers `0 .. levels-1` with shape (channels, height, width); unit bits/dim.

    Example:
        >>> Image(1, 8, 8, levels=17).dimensions
        64
    """

    channels: int
    height: int
    width: int
    levels: int = 256
    kind = "image"

    def __post_init__(self) -> None:
        if min(self.channels, self.height, self.width) < 1 or self.levels < 2:
            raise BadInput(
                f"{self}", "positive channels, height and width, and at least two levels"
            )

    @property
    def event_shape(self) -> tuple[int, ...]:
        """`(channels, height, width)`."""
        return (self.channels, self.height, self.width)

    @property
    def side(self) -> int:
        """`floor(sqrt(height * width))`."""
        return math.isqrt(self.height * self.width)

    @property
    def measure(self) -> Measure:
        """Counting: pixels are integers, and their probabilities sum to one."""
        return "counting"

    @property
    def dtype(self) -> torch.dtype:
        """Bytes where levels fit into one."""
        return torch.uint8 if self.levels <= 256 else torch.int64

    @property
    def unit(self) -> Unit:
        """bits/dim: `-log2 p(x) / (channels * height * width)`."""
        return Unit("bits/dim", self.dimensions * math.log(2.0))

    @property
    def described(self) -> str:
        """The size and the levels."""
        return f"{self.channels} x {self.height} x {self.width} images with {self.levels} levels"

    def _fields(self) -> dict[str, Any]:
        return asdict(self)

    def check(self, x: Tensor) -> Tensor:
        """Accept integer tensors of shape (n, channels, height, width) with values in `0 ..
        levels-1`."""
        if x.is_floating_point() or x.dtype == torch.bool:
            raise BadInput(
                f"an image of dtype {x.dtype}",
                f"integers from 0 to {self.levels - 1}",
                "round to levels first: x.mul(levels - 1).round().to(torch.uint8)",
            )
        self._check_shape(x)
        if x.numel() and (int(x.min()) < 0 or int(x.max()) >= self.levels):
            raise BadInput(
                f"pixel values from {int(x.min())} to {int(x.max())}",
                f"values from 0 to {self.levels - 1}",
                "the data was opened with another number of levels",
            )
        return x


def space_from_json(record: dict[str, Any]) -> Space:
    """Rebuild a space from `Space.to_json`.

    Example:
        >>> space_from_json(Points(2).to_json())
        Points(dim=2)
    """
    fields = dict(record)
    kind = str(fields.pop("kind", ""))
    if kind not in DATA_KINDS:
        raise BadInput(
            f"a space of kind '{kind}'", "one of " + ", ".join(sorted(DATA_KINDS.names()))
        )
    with refusing(
        f"the space {str(record)[:80]}", "what training wrote", "restore it or train again"
    ):
        return DATA_KINDS.load(kind).space_class.of_fields(**fields)
