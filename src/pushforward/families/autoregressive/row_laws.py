"""The law of one column of a row given the others, from the network's own conditional.

Two ideas: a row's known columns come first, so that one pass gives `p(x_c | known)`, exact where
nothing unknown stands before c; what does is drawn, and the laws given the draws are averaged,
because the network was trained on columns in the order of the table behind those that are known.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from pushforward.core.column_law import LEVELS, POINTS, CategoryLaw, ColumnLaw, NumberLaw
from pushforward.core.conditionals import Conditional, Sampling, repeated
from pushforward.core.finite import require_law
from pushforward.core.given import Known
from pushforward.families.autoregressive.cell_moments import cell_moments
from pushforward.families.autoregressive.rows import RowBackbone

AT_ONCE = 4096  # rows in one pass


def law_of_column(model: Any, known: Known, place: int, sampling: Sampling) -> ColumnLaw:
    """Return `p(x_c | known, x_c is there)`.

    With u the unknown columns before c, `E[p(x_c, there | known, u)] / E[p(there | known, u)]` over
    draws of u given what is known, where there are any.
    """
    net = model.part
    assert isinstance(net, RowBackbone)
    unsure = (~known.mask[:, :place]).any(1)
    found, _ = _direct(net, known, place)
    if not bool(unsure.any()):
        return found
    rows = unsure.nonzero().flatten()
    part = known.each(lambda t: t[rows])
    x = repeated(model, part, sampling[rows])
    n, draws = x.shape[:2]
    mask = part.mask.clone()
    mask[:, :place] = True
    given = Known(x.flatten(0, 1), mask.repeat_interleave(draws, dim=0))
    parts = [
        _direct(net, given.each(lambda t, i=i: t[i : i + AT_ONCE]), place)
        for i in range(0, n * draws, AT_ONCE)
    ]
    laws = ColumnLaw.joined([law for law, _ in parts])
    return found.put(rows, _mixture(laws, torch.cat([there for _, there in parts]).view(n, draws)))


def _mixture(laws: ColumnLaw, there: Tensor) -> ColumnLaw:
    if isinstance(laws, CategoryLaw):
        return CategoryLaw.mixed(laws.p.unflatten(0, there.shape), there)
    assert isinstance(laws, NumberLaw)
    return NumberLaw.mixed(laws, there)


@torch.no_grad()
def _direct(net: RowBackbone, known: Known, place: int) -> tuple[ColumnLaw, Tensor]:
    """Return the conditional of a column, whatever is unknown standing behind it, and how probable
    it is (n,) that it is not missing."""
    where = net.live.device
    known = known.each(lambda t: t.to(where))
    mask = known.mask.clone()
    mask[:, place] = False
    # what is unknown is read by no column that is asked for
    seen = torch.where(mask, known.values.double(), 0.0)
    cells, order = net.locate(seen), net.order(replace(known, mask=mask), len(seen), None)
    features = None
    if len(net.number_of):
        features = net.numbers.features(seen[:, net.is_number], cells[:, net.is_number])
    logits = net(cells, features, order, None)[:, net.slices[place]]
    cut = net.cell_counts[place]
    there = require_law(logits.double().softmax(1))[:, :cut].sum(1).cpu()
    p = require_law(logits[:, :cut].double().softmax(1)).cpu()
    if place not in net.number_of:
        return CategoryLaw.sure(p), there
    return _numbers(net, p, net.number_of[place]), there


def _numbers(net: RowBackbone, p: Tensor, k: int) -> NumberLaw:
    """Return moments and quantiles of numbers whose cells have probabilities p (n, cells)."""
    numbers = net.numbers
    mean, spread = (part.cpu() for part in cell_moments(numbers, k))
    live = p > 0.0
    middle = (p * torch.where(live, mean, 0.0)).sum(1)
    away = torch.where(live, mean, 0.0) - middle.unsqueeze(1)
    variance = (p * (torch.where(live, spread, 0.0) + away.square())).sum(1)
    even = (torch.arange(POINTS, dtype=torch.float64) + 0.5) / POINTS
    levels = torch.cat([torch.tensor(LEVELS, dtype=torch.float64), even])
    mass = p.cumsum(1)
    wanted = (levels * mass[:, -1:]).contiguous()
    cell = torch.searchsorted(mass.contiguous(), wanted, right=True).clamp(max=p.shape[1] - 1)
    below = mass.gather(1, cell) - p.gather(1, cell)
    within = ((wanted - below) / p.gather(1, cell)).clamp(0.0, 1.0 - 2.0**-53)
    places = torch.full((len(levels),), k, device=numbers.used.device)
    where = numbers.used.device
    found = numbers.rise(cell.to(where), within.to(where), places).cpu()
    exact = torch.ones(len(p), dtype=torch.bool)
    return NumberLaw(
        exact, middle, variance.sqrt(), found[:, : len(LEVELS)], found[:, len(LEVELS) :]
    )


EXACT = Conditional(
    "exact",
    "the network's own conditional; columns that are not known and stand before are drawn",
    "exact",
    law_of_column,
)
