"""Independent truths that every model is held against."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from pushforward.core.model import GenerativeModel
from pushforward.core.rng import generator
from pushforward.core.space import Image
from pushforward.core.table import Table
from pushforward.core.text import Text


def enumerate_images(space: Image) -> Tensor:
    """Every image of a tiny space."""
    values = itertools.product(range(space.levels), repeat=space.dimensions)
    return torch.tensor(list(values), dtype=torch.uint8).reshape(-1, *space.event_shape)


def enumerate_strings(space: Text) -> Tensor:
    """Every string of a tiny space."""
    return torch.tensor(list(itertools.product(range(space.vocabulary), repeat=space.length)))


def enumerate_rows(space: Table) -> Tensor:
    """Every row of a table of categories and of numbers that are bounded on both sides; NaN where missing."""
    values = []
    for column in space.columns:
        if column.discrete:
            legal = [float(i) for i in range(len(column.categories))]
        else:
            assert column.step is not None
            assert column.bounded_below
            assert column.bounded_above
            points = round((column.high - column.low) / column.step) + 1
            legal = [column.low + i * column.step for i in range(points)]
        values.append(legal + [float("nan")] * column.missing)
    return torch.tensor(list(itertools.product(*values)), dtype=torch.float64)


def identical(a: Tensor, b: Tensor) -> bool:
    """Equal in every entry, NaN (a missing value) equal to NaN."""
    return (
        a.shape == b.shape
        and a.dtype == b.dtype
        and bool(((a == b) | (a.isnan() & b.isnan())).all())
    )


def grid(low: float, high: float, points: int) -> tuple[Tensor, float]:
    """Midpoints of a square grid in the plane and the area of a cell."""
    step = (high - low) / points
    axis = torch.arange(points, dtype=torch.float64) * step + low + step / 2
    x, y = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1).float(), step * step


def total_mass(
    model: GenerativeModel, given: int | None, estimator: str, samples: int | None, seed: int = 0
) -> float:
    """Sum over an enumerable space, or integral over a wide grid, of exp(log p)."""
    if isinstance(model.space, Image):
        x, cell = enumerate_images(model.space), 1.0
    elif isinstance(model.space, Text):
        x, cell = enumerate_strings(model.space), 1.0
    elif isinstance(model.space, Table):
        x, cell = enumerate_rows(model.space), 1.0
    else:
        # an exact density is smooth but may be sharp; a Monte Carlo bound needs fewer cells than draws
        x, cell = grid(-14.0, 14.0, 240) if samples is None else grid(-10.0, 10.0, 40)
    lp = model.log_prob(x, given=given, estimator=estimator, samples=samples, seed=seed)
    return float(lp.nats.double().exp().sum() * cell)


def perturb(model: GenerativeModel, scale: float, seed: int = 0) -> None:
    """Move every parameter a little, so that zero-initialised layers cannot hide a wrong formula."""
    rng = generator(seed, "perturb")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=rng).to(parameter) * scale)


def small_memory(monkeypatch: pytest.MonkeyPatch, room: int, *names: str) -> list[int]:
    """Let models run out of memory with more than so many examples at once; returns the sizes that were tried."""
    tried: list[int] = []
    for name in names:
        real: Any = getattr(GenerativeModel, name)

        def cramped(self, what, *words, real=real, **named):
            tried.append(size := what if isinstance(what, int) else len(what))
            if size > room:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
            return real(self, what, *words, **named)

        monkeypatch.setattr(GenerativeModel, name, cramped)
    return tried
