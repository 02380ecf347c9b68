"""What a flow is made of: maps with an inverse and a determinant.

One idea: whoever declares a bijection gives its two directions and `log|det dy/dx|`; whatever
composes them (`chains/`) knows no more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import cast

from torch import Tensor, nn


class Bijection(nn.Module, ABC):
    """A bijection of batches that may depend on a context vector."""

    @abstractmethod
    def forward(self, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return y and log|det dy/dx| of shape (n,)."""

    @abstractmethod
    def inverse(self, y: Tensor, context: Tensor | None) -> Tensor:
        """Return x."""

    def initialise(self, x: Tensor) -> None:
        """Look once at data that reach this bijection; the default does not."""


class Elementwise(ABC):
    """A monotone map of single numbers, whose parameters a conditioner computes from others.

    Attributes:
        parameters: raw numbers that it takes for each input.
    """

    @property
    @abstractmethod
    def parameters(self) -> int:
        """How many."""

    @abstractmethod
    def forward(self, x: Tensor, raw: Tensor) -> tuple[Tensor, Tensor]:
        """Return y and log dy/dx, both of the shape of x; raw has one more axis, of
        `parameters`."""

    @abstractmethod
    def inverse(self, y: Tensor, raw: Tensor) -> Tensor:
        """Return x."""


def bijections(layers: nn.ModuleList) -> list[Bijection]:
    """Return the entries of a list of modules, all of which are bijections."""
    return cast("list[Bijection]", list(layers))


def compose(
    layers: Iterable[Bijection],
    x: Tensor,
    log_det: Tensor,
    context: Tensor | None,
    initialise: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return what the layers make of x one after another, and `log_det` with all of theirs added.

    Args:
        initialise: let every layer look first at the data that reach it.
    """
    for layer in layers:
        if initialise:
            layer.initialise(x)
        x, added = layer(x, context)
        log_det = log_det + added
    return x, log_det


def undo(layers: list[Bijection], y: Tensor, context: Tensor | None) -> Tensor:
    """Return x from y: the inverses, in the opposite order."""
    for layer in reversed(layers):
        y = layer.inverse(y, context)
    return y
