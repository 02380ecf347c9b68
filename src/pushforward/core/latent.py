"""A code, and how it was found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True, repr=False)
class Latent:
    """What `encode` returns: a code per example and how it was obtained (`exact`, `posterior`,
    `ode`).

    It has a length, rows and a shape, and numpy takes it as an array.

    Attributes:
        value: the codes, shape (n, ...).
        kind: how they were obtained.

    Example:
        >>> import torch
        >>> z = Latent(torch.zeros(3, 2), "exact")
        >>> len(z), z[0].tolist(), z
        (3, [0.0, 0.0], Latent(3 codes of shape (2,), exact))
    """

    value: Tensor
    kind: str

    def __len__(self) -> int:
        return int(self.value.shape[0])

    def __getitem__(self, rows: Any) -> Tensor:
        return self.value[rows]

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.value)

    def __repr__(self) -> str:
        return f"Latent({len(self)} codes of shape {self.shape[1:]}, {self.kind})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.value.detach().cpu().numpy()
        array = array if dtype is None else array.astype(dtype)
        return array.copy() if copy else array

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the codes, examples first."""
        return tuple(self.value.shape)
