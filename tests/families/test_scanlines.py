"""Scanlines: a scan is the whole picture, and a head with weights for both ends of the scale."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from oracles import perturb
from pushforward.core.given import Given
from pushforward.core.rng import generator
from pushforward.core.space import Image
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.ends import EndsHead, head_with_ends
from pushforward.families.autoregressive.heads import BernoulliHead, HeadWalk, LogisticHead
from pushforward.families.autoregressive.model import Autoregressive
from pushforward.families.autoregressive.scanlines import ScanlineBackbone
from pushforward.nets.scanlines import Scan

CONFIG = AutoregressiveConfig(
    architecture="scanlines", components=3, context=6, width=16, depth=2, heads=2
)


def net_of(space: Image, classes: int = 2) -> ScanlineBackbone:
    net = ScanlineBackbone(space, CONFIG, classes)
    perturb(net, 0.3)  # type: ignore[arg-type]
    return net


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (6, 1), (5, 9), (9, 4)])
def test_a_scan_is_the_whole_picture_pixel_by_pixel(size: tuple[int, int]) -> None:
    backbone = net_of(Image(3, *size, levels=4)).double()
    x = torch.randn(4, 3, *size, generator=generator(0), dtype=torch.float64)
    context = backbone.embedding(Given(torch.tensor([0, 1, 1, 0])), 4)
    with torch.no_grad():
        whole = backbone.net(x, context).flatten(1, 2)
        scan = Scan(backbone.net, context, 4, 3)
        for _ in range(2):  # a second picture starts afresh
            for index in range(size[0] * size[1]):
                found = scan.at(x.flatten(2)[:, :, max(0, index - 1)], index)
                torch.testing.assert_close(found, whole[:, index], rtol=1e-10, atol=1e-10)


def test_far_pixels_are_seen_through_lines_and_near_ones_by_themselves() -> None:
    net = net_of(Image(1, 9, 12, levels=2), classes=0).double().net
    x = torch.randn(2, 1, 9, 12, generator=generator(1), dtype=torch.float64).requires_grad_(True)
    told = torch.zeros_like(net.spread.bias).view(12, net.fine)
    with torch.no_grad():
        net.spread.weight.zero_()  # nothing is told of lines: what is left is near
        net.spread.bias.copy_(told.flatten())
    (grad,) = torch.autograd.grad(net(x)[:, 5, 6].square().sum(), x)
    expected = torch.zeros(9, 12, dtype=torch.bool)
    expected[2:5, 3:10] = True
    expected[5, 1:6] = True
    assert torch.equal(grad.abs().sum((0, 1)) > 0, expected)


def test_a_pixel_costs_one_call_whatever_its_channels_and_few_levels_have_no_ends() -> None:
    model = Autoregressive(Image(3, 2, 3, levels=9), CONFIG)
    walk = model.walk(2)
    assert isinstance(walk, HeadWalk)
    assert (walk.length, type(walk.head)) == (6, EndsHead)
    kinds = {levels: type(head_with_ends(1, levels, 2)) for levels in (2, 3, 7, 8, 256)}
    assert kinds == {2: BernoulliHead, 3: LogisticHead, 7: LogisticHead, 8: EndsHead, 256: EndsHead}


@pytest.mark.parametrize("stretch", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("levels", [8, 17, 256])
@pytest.mark.parametrize("rest", [(0, 0), (3, 0), (7, 7), (4, 5)], ids=str)
def test_levels_of_a_channel_with_ends_sum_to_one(
    levels: int, stretch: float, rest: tuple[int, int]
) -> None:
    """Whatever the channels before are: at an end, or between."""
    head = EndsHead(3, levels, components=5)
    raw = (stretch * torch.randn(4, 1, head.size, generator=generator(1))).requires_grad_(True)
    for channel in range(3):
        x = torch.tensor([*rest, *rest[:1]]).expand(4, levels, 3).clone()
        x[..., channel] = torch.arange(levels)
        log_p = head.log_prob(raw.expand(-1, levels, -1), x)
        assert bool(torch.isfinite(log_p).all())
        mass = log_p[..., channel].double().exp().sum(1)
        # a term is a difference of sums that reach a hundred nats, in float32
        torch.testing.assert_close(mass, torch.ones_like(mass), rtol=0, atol=1e-3)
        (grad,) = torch.autograd.grad(log_p.sum(), raw)
        assert bool(torch.isfinite(grad).all())


def test_a_pixel_with_ends_is_drawn_as_scored() -> None:
    head, n = EndsHead(channels=2, levels=8, components=2), 40_000
    raw = 0.7 * torch.randn(1, head.size, generator=generator(8))
    pixels = torch.cartesian_prod(torch.arange(8), torch.arange(8))
    p = head.log_prob(raw.expand(64, -1), pixels).sum(1).double().exp()
    assert float(p.sum()) == pytest.approx(1.0, abs=1e-5)
    u = torch.rand(n, head.uniforms, generator=generator(0), dtype=torch.float64)
    drawn = head.draw(raw.expand(n, -1), u, 1.0)
    seen = torch.bincount(8 * drawn[:, 0] + drawn[:, 1], minlength=64)
    common = n * p > 5
    assert int(common.sum()) > 25
    groups = [torch.cat([c[common], c[~common].sum()[None]]) for c in (seen.double(), n * p)]
    # once in a thousand with another seed
    assert stats.chisquare(groups[0].numpy(), groups[1].numpy()).pvalue > 1e-3


def test_the_component_of_a_pixel_is_one_for_all_its_channels() -> None:
    """What the first channel is tells which component, and so what the second is."""
    head = EndsHead(channels=2, levels=256, components=2)
    raw = torch.zeros(head.size)
    raw[2], raw[5] = 20.0, 20.0  # both channels between the ends
    each = raw[head.kinds + 2 :].view(-1, 2)
    each[2:4] = -4.0  # narrow; means -0.5 and 0.5
    far = head.log_prob(raw.expand(2, -1), torch.tensor([[64, 64], [64, 191]]))[:, 1]
    assert float(far[0]) > float(far[1]) + 20.0
    u = torch.rand(500, head.uniforms, generator=generator(0), dtype=torch.float64)
    drawn = head.draw(raw.expand(500, -1), u, 1.0).float()
    assert float(torch.corrcoef(drawn.T)[0, 1]) > 0.95


def test_ends_tie_channels() -> None:
    """A channel may be white because the one before is."""
    head = EndsHead(channels=2, levels=16, components=1)
    raw = torch.zeros(head.size)
    raw[6 + 5] = 8.0  # logit of the second one's high end, when the first one is there
    p = head.log_prob(raw.expand(2, -1), torch.tensor([[15, 15], [0, 15]]))[:, 1].exp()
    assert float(p[0]) > 0.99
    assert float(p[1]) == pytest.approx(1 / 3, abs=1e-5)
