"""Lean U-Nets and perceptrons of pictures: any size, every pixel sees all others, layouts change nothing."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from oracles import perturb
from pushforward.core.rng import generator
from pushforward.nets.experts import LocalNet
from pushforward.nets.lean import LeanUNet, WholeNorm, halved
from pushforward.nets.pictures import OnAverage, OnPatches, PictureMLP


def lean(channels: tuple[int, int], size: tuple[int, int]) -> LeanUNet:
    return LeanUNet(channels, size, 16, 1, 6)


def flat(channels: tuple[int, int], size: tuple[int, int]) -> PictureMLP:
    return PictureMLP(channels, size, 16, 1, 6)


def folded(channels: tuple[int, int], size: tuple[int, int]) -> OnPatches:
    return OnPatches(channels, size, 2, lean)


def local(channels: tuple[int, int], size: tuple[int, int]) -> LocalNet:
    return LocalNet(channels, 8, 2, 6)


def made(body: type, size: tuple[int, int]) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    net = body((2, 3), size)
    perturb(net, 0.1)
    x = torch.randn(2, 2, *size, generator=generator(1))
    return net, x, torch.randn(2, 6, generator=generator(2))


BODIES = pytest.mark.parametrize("body", [lean, flat, folded])


@pytest.mark.parametrize("body", [lean, flat, folded, local])
@pytest.mark.parametrize("size", [(1, 1), (3, 1), (9, 17), (20, 5), (33, 12)])
def test_any_size_comes_out_as_it_went_in(body: type, size: tuple[int, int]) -> None:
    net, x, context = made(body, size)
    assert net(x, context).shape == (2, 3, *size)


@BODIES
def test_every_output_depends_on_every_pixel_and_on_the_context(body: type) -> None:
    net, x, context = made(body, (18, 19))
    x.requires_grad_()
    context.requires_grad_()
    out = net(x, context)
    for corner in (out[0, 0, 0, 0], out[0, 2, -1, -1], out[0, 1, 7, 4]):
        to_x, to_context = torch.autograd.grad(corner, (x, context), retain_graph=True)
        assert bool((to_x[0].abs() > 0).all())
        assert not to_x[1].any()  # examples do not mix
        assert bool((to_context[0].abs() > 0).all())


@BODIES
def test_a_new_network_is_zero(body: type) -> None:
    x, context = torch.randn(2, 2, 9, 9), torch.randn(2, 6)
    assert not body((2, 1), (9, 9))(x, context).any()


def test_channels_last_change_nothing() -> None:
    net, x, context = made(lean, (20, 20))
    expected = net(x, context)
    last = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    found = last(x.contiguous(memory_format=torch.channels_last), context)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_a_picture_is_normalised_as_a_whole() -> None:
    x = 3.0 + 5.0 * torch.randn(2, 4, 6, 5, generator=generator(3))
    for h in (x, x.contiguous(memory_format=torch.channels_last)):
        y = WholeNorm()(h)
        mean, spread = x.mean((1, 2, 3), keepdim=True), x.std((1, 2, 3), keepdim=True, correction=0)
        torch.testing.assert_close(y, (x - mean) / spread)


def test_scales_halve_down_to_eight() -> None:
    assert halved((32, 64)) == [(32, 64), (16, 32), (8, 16)]
    assert [len(lean((1, 1), (side, side)).up) for side in (8, 9, 16, 17)] == [1, 2, 2, 3]


def test_folding_gives_a_patch_to_one_place_and_puts_it_back() -> None:
    class Seen(nn.Module):
        def forward(self, x: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
            self.x = x
            return x

    net = OnPatches((1, 1), (3, 4), 2, lambda channels, size: Seen())
    x = torch.arange(12.0).reshape(1, 1, 3, 4)
    assert torch.equal(net(x, torch.zeros(1, 1)), x)
    assert net.body.x.shape == (1, 4, 2, 2)  # type: ignore[union-attr]
    assert net.body.x[0, :, 0, 1].tolist() == [2, 3, 6, 7]  # type: ignore[union-attr]
    assert net.body.x[0, :, 1, 0].tolist() == [8, 9, 8, 9]  # type: ignore[union-attr]


@pytest.mark.parametrize("coarse", [1, 2])
def test_a_context_adds_its_picture_to_the_image_alone(coarse: int) -> None:
    class Seen(nn.Module):
        def forward(self, x: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
            return x

    net = OnAverage(Seen(), 2, (3, 5), context=2, coarse=coarse)
    x, context = torch.randn(2, 5, 3, 5), torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    assert torch.equal(net(x, context), x)  # zero in a new one
    with torch.no_grad():
        net.average.weight.copy_(torch.randn(net.average.weight.shape))
    added = net(x, context) - x
    assert not added[:, 2:].any()
    rows, columns = -(-3 // coarse), -(-5 // coarse)
    for example, scale in ((0, 1.0), (1, 2.0)):
        picture = scale * net.average.weight[:, example].reshape(2, rows, columns)
        for row, column in ((0, 0), (1, 1), (2, 4), (1, 3)):
            torch.testing.assert_close(
                added[example, :2, row, column], picture[:, row // coarse, column // coarse]
            )


def test_a_local_net_sees_so_far_and_no_further() -> None:
    """But for the normalisation of a whole picture, which sees all of it a little."""
    net, x, context = made(local, (21, 21))
    for module in net.modules():
        if isinstance(module, WholeNorm):
            module.forward = lambda h: h  # type: ignore[method-assign]
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(net(x, context)[0, 0, 10, 10], x)
    seen = gradient[0].abs().sum(0).nonzero()
    assert seen.min(0).values.tolist() == [4, 4]
    assert seen.max(0).values.tolist() == [16, 16]
