"""The U-Net on sizes that do not divide by two."""

from __future__ import annotations

import pytest
import torch

from pushforward.core.noise import BatchNoise
from pushforward.core.rng import generator
from pushforward.core.space import Image
from pushforward.families.build import settings
from pushforward.nets.conditional import ScalarConditioned
from pushforward.nets.unet import Scales, UNet, halvings


@pytest.mark.parametrize("size", [(2, 2), (3, 3), (7, 7), (8, 8), (5, 12), (28, 28), (33, 64)])
def test_any_size_and_every_parameter_learns(size: tuple[int, int]) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = ScalarConditioned(
            UNet((2, 3), size, width=8, depth=1, context=8), context=8, classes=4
        )
    rng = generator(0)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=rng))
    x, s = torch.randn(3, 2, *size, generator=rng), torch.randn(3, generator=rng)
    y = net(x, s, torch.tensor([0, -1, 3]))
    assert y.shape == (3, 3, *size)
    gradients = torch.autograd.grad(y.square().sum(), list(net.parameters()))
    assert all(float(g.abs().sum()) > 0 for g in gradients)
    torch.testing.assert_close(net(x[1:2], s[1:2], None), y[1:2], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(net(x[:1], s[:1], torch.tensor([1])), y[:1])


def test_halving_stops_at_four_pixels() -> None:
    assert [halvings(n, n) for n in (2, 4, 6, 7, 8, 14, 16, 64)] == [0, 0, 0, 1, 1, 2, 2, 4]


def test_attention_and_multipliers_are_where_they_were_asked_for() -> None:
    """32 x 32 with attention from 16 on: two blocks of one width a scale, each followed by attention on all but the first."""
    net = UNet((3, 3), (32, 32), width=16, depth=2, context=4, scales=Scales((1, 2), attention=16))
    kinds = [[type(block).__name__ for block in blocks] for blocks in net.down]  # type: ignore[union-attr]
    assert kinds == [["ConvBlock"] * 2, *[["ConvBlock", "Attention"] * 2] * 3]
    assert [blocks[0].conv1.out_channels for blocks in net.down] == [16, 32, 32, 32]  # type: ignore[index, union-attr]
    assert net(torch.zeros(2, 3, 32, 32), torch.zeros(2, 4)).shape == (2, 3, 32, 32)


def test_the_gpu_preset_for_32x32_is_of_the_published_size() -> None:
    """EDM's network for CIFAR-10 has 55.7 million parameters; no numbers are allocated to count them."""
    model = settings("diffusion", Image(3, 32, 32), "gpu", "edm")["model"]
    with torch.device("meta"):
        net = UNet(
            (6, 3),
            (32, 32),
            model["width"],
            model["depth"],
            model["context"],
            Scales((2,), attention=16),
        )
    assert 45e6 < sum(p.numel() for p in net.parameters()) < 65e6


def test_features_are_dropped_where_noise_is_drawn_and_nowhere_else() -> None:
    plain, dropping = (
        UNet((1, 1), (8, 8), width=8, depth=1, context=4, dropout=rate) for rate in (0.0, 0.5)
    )
    rng = generator(0)
    with torch.no_grad():
        for parameter in plain.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=rng))
    dropping.load_state_dict(plain.state_dict())
    x, context = torch.randn(3, 1, 8, 8, generator=rng), torch.randn(3, 4, generator=rng)
    torch.testing.assert_close(dropping(x, context), plain(x, context))
    torch.testing.assert_close(plain(x, context, BatchNoise(generator(0), 3)), plain(x, context))
    first, again, other = (
        dropping(x, context, BatchNoise(generator(seed), 3)) for seed in (0, 0, 1)
    )
    torch.testing.assert_close(first, again, rtol=0.0, atol=0.0)
    assert not torch.allclose(first, other)
    assert not torch.allclose(first, plain(x, context))
