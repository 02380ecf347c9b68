"""Conditions, and examples that carry them.

Two ideas: `Given` is spelled the same in every verb of every family; `Examples` is a batch together with its condition.
Later issues add fields (known columns, observed pixels, a text prefix); `None` always means unconditional.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.errors import BadInput


@dataclass(frozen=True)
class Given:
    """A condition for a batch: one class index per example.

    Example:
        >>> Given.of_label(3, n=2).label
        tensor([3, 3])
    """

    label: Tensor

    def __post_init__(self) -> None:
        if self.label.dim() != 1 or self.label.is_floating_point():
            raise BadInput(
                f"labels of shape {tuple(self.label.shape)} and dtype {self.label.dtype}", "integers of shape (n,)"
            )

    def __len__(self) -> int:
        return int(self.label.shape[0])

    def __getitem__(self, rows: slice | Tensor) -> Given:
        return Given(self.label[rows])

    def to(self, device: torch.device) -> Given:
        """Return the condition on another device."""
        return Given(self.label.to(device))

    @staticmethod
    def of_label(label: int, n: int) -> Given:
        """Return the same class for n examples."""
        return Given(torch.full((n,), label, dtype=torch.long))


@dataclass(frozen=True)
class Examples:
    """N examples in data units (`uint8` images, `float32` points) and their condition, if they have one.

    Example:
        >>> len(Examples(torch.zeros(5, 2)))
        5
    """

    x: Tensor
    given: Given | None = None

    def __post_init__(self) -> None:
        if self.given is not None and len(self.given) != self.x.shape[0]:
            raise BadInput(f"{self.x.shape[0]} examples with {len(self.given)} labels", "one label per example")

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def __getitem__(self, rows: slice | Tensor) -> Examples:
        return Examples(self.x[rows], None if self.given is None else self.given[rows])

    def to(self, device: torch.device) -> Examples:
        """Return the examples on another device."""
        return Examples(self.x.to(device), None if self.given is None else self.given.to(device))


def parse_label(name: str, classes: tuple[str, ...]) -> int:
    """Return the index of the class called `name`.

    Raises:
        BadInput: the model has no classes, or no class of that name (the sentence lists them).

    Example:
        >>> parse_label("cat", ("cat", "dog"))
        0
    """
    if not classes:
        raise BadInput(f"the condition '{name}'", "none", "this model was trained without labels; leave --given out")
    if name in classes:
        return classes.index(name)
    shown = f"{classes[0]} to {classes[-1]}" if all(c.isdigit() for c in classes) else ", ".join(classes[:20])
    raise BadInput(f"the condition '{name}'", f"one of the {len(classes)} classes ({shown})", "choose one of them")
