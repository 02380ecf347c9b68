"""A code, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Latent:
    """What `encode` returns: a code per example and how it was obtained (`exact`, `posterior`, `ode`)."""

    value: Tensor
    kind: str
