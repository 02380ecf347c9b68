"""What was measured of an example: a linear map, which is all that conditioning on a measurement
needs to know.

Two ideas: a linear operator is a map and its adjoint, nothing else; blurring and shrinking act on
rows and columns apart, so that both are two small matrices and their adjoints are exact.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from pushforward.core.errors import BadInput, unknown
from pushforward.core.rng import generator
from pushforward.core.space import Image, Space

OPERATORS = ("mask", "downsample:FACTOR", "blur:PIXELS")


class Operator(ABC):
    """A linear map `A` from examples to what is measured of them, batch by batch, with its
    adjoint."""

    @abstractmethod
    def apply(self, x: Tensor) -> Tensor:
        """Return `A x`: (n, *event) -> (n, *measured)."""

    @abstractmethod
    def adjoint(self, y: Tensor) -> Tensor:
        """Return `A^T y`: (n, *measured) -> (n, *event)."""


class Identity(Operator):
    """Everything is measured; with a mask, everything that it shows."""

    def apply(self, x: Tensor) -> Tensor:
        """Return x."""
        return x

    def adjoint(self, y: Tensor) -> Tensor:
        """Return y."""
        return y


class Separable(Operator):
    """`A x = R x C^T` for every channel of an image.

    Args:
        rows: R, shape (measured height, height).
        columns: C, shape (measured width, width).

    Example:
        >>> Separable(block_means(4, 2), block_means(2, 2)).apply(torch.arange(8.0).reshape(1, 1, 4, 2)).flatten().tolist()
        [1.5, 5.5]
    """

    def __init__(self, rows: Tensor, columns: Tensor) -> None:
        self.rows, self.columns = rows, columns

    def apply(self, x: Tensor) -> Tensor:
        """Mix rows and columns."""
        return self.rows.to(x) @ x @ self.columns.to(x).T

    def adjoint(self, y: Tensor) -> Tensor:
        """`R^T y C`."""
        return self.rows.to(y).T @ y @ self.columns.to(y)


class Matrix(Operator):
    """`A x` for points, A of shape (measured, dimensions).

    Example:
        >>> Matrix(torch.tensor([[1.0, -1.0]])).apply(torch.tensor([[3.0, 1.0]])).tolist()
        [[2.0]]
    """

    def __init__(self, matrix: Tensor) -> None:
        self.matrix = matrix

    def apply(self, x: Tensor) -> Tensor:
        """`x A^T` of rows x."""
        return x @ self.matrix.to(x).T

    def adjoint(self, y: Tensor) -> Tensor:
        """`y A` of rows y."""
        return y @ self.matrix.to(y)


class Linear(Operator):
    """Any linear map that comes with its adjoint, as two functions of batches.

    Example:
        >>> difference = Linear(lambda x: x[:, 1:] - x[:, :-1], lambda y: torch.cat([-y[:, :1], y[:, :1]], 1))
        >>> check_adjoint(difference, torch.zeros(1, 2))
    """

    def __init__(
        self, apply: Callable[[Tensor], Tensor], adjoint: Callable[[Tensor], Tensor]
    ) -> None:
        self._apply, self._adjoint = apply, adjoint

    def apply(self, x: Tensor) -> Tensor:
        """Call the map."""
        return self._apply(x)

    def adjoint(self, y: Tensor) -> Tensor:
        """Call its adjoint."""
        return self._adjoint(y)


def block_means(size: int, factor: int) -> Tensor:
    """Return the matrix (size/factor, size) that averages blocks of `factor` neighbours, in
    float64.

    Example:
        >>> block_means(4, 2).tolist()
        [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    return torch.eye(size // factor, dtype=torch.float64).repeat_interleave(factor, 1) / factor


def smoothing(size: int, width: float) -> Tensor:
    """Return the matrix (size, size) of Gaussian weights of standard deviation `width` cells, rows
    summing to one, in float64.

    Example:
        >>> smoothing(2, 1.0).round(decimals=3).tolist()
        [[0.622, 0.378], [0.378, 0.622]]
    """
    place = torch.arange(size, dtype=torch.float64)
    return torch.softmax(-0.5 * ((place.unsqueeze(1) - place) / width) ** 2, dim=1)


def parse_operator(text: str, space: Space) -> Operator:
    """Return the operator that a word names: `mask`, `downsample:2` (means of blocks) or `blur:1.0`
    (a Gaussian, in pixels).

    Raises:
        BadInput: an unknown name, a number that is missing or does not fit, or an image operator
            for what is no image.

    Example:
        >>> parse_operator("downsample:4", Image(1, 8, 8)).apply(torch.ones(1, 1, 8, 8)).shape
        torch.Size([1, 1, 2, 2])
    """
    name, _, word = text.partition(":")
    if name == "mask" and not word:
        return Identity()
    if name not in ("downsample", "blur"):
        came, _, fix = unknown("operator", text, ("mask", "downsample", "blur"))
        raise BadInput(
            came, f"one of {', '.join(OPERATORS)}", fix and f"{fix} (spelled with its number)"
        )
    if not isinstance(space, Image):
        raise BadInput(
            f"the operator '{text}' on {space.kind}", "mask", "only images have neighbouring pixels"
        )
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if name == "blur":
        if not 0.0 < number < math.inf:
            raise BadInput(f"the operator '{text}'", "a width above 0 in pixels, such as blur:1.0")
        return Separable(smoothing(space.height, number), smoothing(space.width, number))
    factor = int(number) if number == number and number < math.inf else 0
    if factor != number or factor < 2 or space.height % factor or space.width % factor:
        came = f"the operator '{text}' on images of {space.width} x {space.height} pixels"
        raise BadInput(came, "a factor of 2 or more that divides both sides, such as downsample:2")
    return Separable(block_means(space.height, factor), block_means(space.width, factor))


def check_adjoint(operator: Operator, example: Tensor) -> None:
    """Compare `<A x, y>` with `<x, A^T y>` on random numbers.

    Args:
        example: one example, shape (1, *event).

    Raises:
        BadInput: they differ by more than rounding, so that one is not the adjoint of the other.
    """
    rng = generator(0, "adjoint")
    x = torch.randn(example.shape, generator=rng).to(example)
    forward = operator.apply(x)
    y = torch.randn(forward.shape, generator=rng).to(forward)
    backward = operator.adjoint(y)
    if backward.shape != x.shape:
        raise BadInput(
            f"an adjoint that returns {tuple(backward.shape)}",
            f"{tuple(x.shape)}, the shape of examples",
        )
    left, right = float((forward * y).sum()), float((x * backward).sum())
    size = float(forward.norm() * y.norm()) + float(x.norm() * backward.norm())
    if abs(left - right) > 1e-4 * size:
        raise BadInput(
            f"<A x, y> = {left:.4g} but <x, A^T y> = {right:.4g}", "a linear map and its adjoint"
        )
