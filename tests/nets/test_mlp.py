"""Residual perceptrons start as what they claim; sine features have their periods; label vectors are the right ones."""

from __future__ import annotations

import math

import pytest
import torch

from oracles import perturb
from pushforward.core.rng import generator
from pushforward.nets.mlp import LabelEmbedding, MLPBlock, ResidualMLP, WaveMLP


def test_a_new_block_is_the_identity_and_a_zero_output_is_zero() -> None:
    h, context = (
        torch.randn(5, 8, generator=generator(0)),
        torch.randn(5, 3, generator=generator(1)),
    )
    assert torch.equal(MLPBlock(8, 3)(h, context), h)
    assert not ResidualMLP(8, 2, 16, 2, 3, zero_output=True)(h, context).any()


def test_context_changes_the_output() -> None:
    net = ResidualMLP(2, 2, 16, 2, context=3)
    perturb(net, 0.3)
    x = torch.randn(4, 2, generator=generator(0))
    a, b = (net(x, torch.full((4, 3), value)) for value in (0.0, 1.0))
    assert float((a - b).detach().abs().min()) > 1e-4


@pytest.mark.parametrize("octaves", [0, 1, 3])
def test_sine_features_are_those_of_the_formula(octaves: int) -> None:
    net = WaveMLP(2, 3, octaves, width=8, depth=1)
    perturb(net, 0.3)
    x = torch.randn(6, 2, generator=generator(0))
    rows = []
    for point in x.tolist():
        waves = [
            f(math.pi / 2 * 2**k * v)
            for f in (math.sin, math.cos)
            for v in point
            for k in range(octaves)
        ]
        rows.append(point + waves)
    torch.testing.assert_close(net(x), net.net(torch.tensor(rows)))


def test_a_critic_of_sines_alone_has_the_longest_period() -> None:
    net = WaveMLP(1, 1, 3, width=8, depth=1)
    perturb(net, 0.3)
    with torch.no_grad():
        net.net.inputs.weight[:, 0] = 0.0
    x = torch.randn(6, 1, generator=generator(0))
    torch.testing.assert_close(net(x), net(x + 4.0), rtol=0, atol=1e-4)
    assert float((net(x) - net(x + 2.0)).detach().abs().max()) > 1e-2


def test_no_label_is_a_vector_of_its_own() -> None:
    table = LabelEmbedding(3, 4)
    found = table(torch.tensor([0, 2, -1]), 3)
    assert torch.equal(found, table.table.weight[[0, 2, 3]])
    assert torch.equal(table(None, 2), table.table.weight[[3, 3]])
