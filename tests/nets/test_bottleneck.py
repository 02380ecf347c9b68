"""Networks of bottlenecks: every size of picture, every parameter, and what they begin as."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pushforward.core.rng import generator
from pushforward.nets.bottleneck import Bottleneck, BottleneckDecoder, BottleneckEncoder


def moved(net: torch.nn.Module) -> torch.nn.Module:
    """Away from the zeros that blocks begin with."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator(1)))
    return net


@pytest.mark.parametrize("context", [0, 6])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 7), (9, 20), (33, 64)])
def test_any_size_and_every_parameter_learns(size: tuple[int, int], context: int) -> None:
    there = moved(BottleneckDecoder(5, (2, *size), width=8, depth=1, context=context))
    back = moved(BottleneckEncoder((2, *size), 3, width=8, depth=1, context=context))
    rng = generator(0)
    condition = torch.randn(4, context, generator=rng) if context else None
    pictures = there(torch.randn(4, 5, generator=rng), condition)
    seen = back(pictures, condition)
    assert (pictures.shape, seen.shape) == ((4, 2, *size), (4, 3))
    parameters = [*there.parameters(), *back.parameters()]
    gradients = torch.autograd.grad(seen.square().sum(), parameters)
    assert all(float(g.abs().sum()) > 0 for g in gradients)


def test_a_condition_changes_what_is_made_and_how_it_is_judged() -> None:
    there = BottleneckDecoder(5, (1, 8, 8), width=8, depth=1, context=4)
    back = BottleneckEncoder((1, 8, 8), 1, width=8, depth=1, context=4)
    z, first, second = (torch.randn(2, n, generator=generator(0)) for n in (5, 4, 4))
    second = second + 1.0
    assert not torch.allclose(there(z, first), there(z, second))
    pictures = there(z, first)
    assert not torch.allclose(back(pictures, first), back(pictures, second))


def test_blocks_begin_as_the_identity_however_many() -> None:
    h = torch.randn(2, 8, 5, 5, generator=generator(0))
    assert torch.equal(Bottleneck(8, 100)(h), h)
    spread = [float(made(depth).detach().std()) for depth in (1, 16)]
    assert spread[0] == pytest.approx(spread[1], rel=0.5)


def made(depth: int) -> Tensor:
    net = BottleneckDecoder(16, (1, 8, 8), width=32, depth=depth)
    return net(torch.randn(64, 16, generator=generator(2)))


def test_gradients_of_the_critic_can_be_differentiated() -> None:
    """R1: the gradient of a squared gradient, against finite differences in double precision."""
    net = moved(BottleneckEncoder((1, 4, 4), 1, width=8, depth=1)).double()
    x = torch.randn(1, 1, 4, 4, generator=generator(0), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: net(x).square(), (x,), atol=1e-4)


def test_filters_look_at_sixteen_channels() -> None:
    assert Bottleneck(768, 8).look.groups == 96
    assert Bottleneck(4, 8).look.groups == 1
