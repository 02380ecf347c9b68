"""Masked layers let degrees through and nothing else, at any width."""

from __future__ import annotations

import pytest
import torch

from oracles import perturb
from pushforward.core.rng import generator
from pushforward.nets.masked import MaskedLinear, MaskedMLP, spread_degrees


@pytest.mark.parametrize("units", [2, 7, 30])
@pytest.mark.parametrize("features", [1, 3])
def test_an_output_sees_all_earlier_inputs_and_no_other_however_few_units(
    units: int, features: int
) -> None:
    net = MaskedMLP(5, features, 4, units, depth=2).double()
    perturb(net, 0.3)  # type: ignore[arg-type]
    x = torch.randn(5, features, generator=generator(0), dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda v: net(v[None])[0], x)
    assert isinstance(jacobian, torch.Tensor)
    reached = jacobian.abs().sum((1, 3)) > 0
    assert torch.equal(reached, torch.ones(5, 5).tril(-1).bool())


def test_degrees_cover_every_position_evenly_and_start_at_none() -> None:
    degrees = spread_degrees(24, 7)
    counts = torch.bincount(degrees)
    assert len(counts) == 7
    assert int(counts.max() - counts.min()) <= 1
    assert int(degrees[0]) == 0


def test_rows_start_with_the_variance_of_their_own_connections() -> None:
    mask = torch.ones(2, 4000)
    mask[0, 100:] = 0
    layer = MaskedLinear(mask)
    x = torch.randn(2000, 4000, generator=generator(0))
    # the variance of an output given its weights is sum W^2 = 1 +- sqrt(2 / connections)
    for row, connections in ((0, 100), (1, 4000)):
        spread = float(layer(x).detach()[:, row].var())
        assert spread == pytest.approx(
            1.0, abs=4 * (2 / connections) ** 0.5 + 4 * (2 / 2000) ** 0.5
        )
