"""MADE and PixelCNN++: causality, normalisation, sampling, and the channels of a pixel."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy import stats

from oracles import enumerate_images, perturb
from pushforward.core.given import Examples, Given
from pushforward.core.noise import BatchNoise, Streams
from pushforward.core.options import SampleOptions
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.walk import run
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.heads import BernoulliHead, HeadWalk, LogisticHead, head_of
from pushforward.families.autoregressive.made import MaskedCoordinates, MaskedPixels
from pushforward.families.autoregressive.model import Autoregressive
from pushforward.families.autoregressive.pixelcnn import ConvolutionBackbone
from pushforward.families.autoregressive.scanlines import ScanlineBackbone
from pushforward.nets.causal_convolution import Strips

SIZES = {
    "pixelcnn": {"width": 8, "depth": 3},
    "made": {"width": 24, "depth": 2},
    "scanlines": {"width": 16, "depth": 2, "heads": 2},
}
SPACES = [
    Image(1, 2, 2, levels=3),
    Image(1, 3, 3, levels=2),
    Image(3, 1, 2, levels=3),
    Image(3, 2, 1, levels=2),
]
ARCHITECTURES = sorted(SIZES)


def image_model(
    name: str, space: Image, classes: tuple[str, ...] = (), scale: float = 0.15
) -> Autoregressive:
    config = AutoregressiveConfig(architecture=name, components=3, context=6, **SIZES[name])
    model = Autoregressive(space, config, classes)
    perturb(model, scale)
    return model


def shape(space: Image) -> str:
    return "x".join(map(str, (*space.event_shape, space.levels)))


@pytest.mark.parametrize("space", SPACES, ids=shape)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_all_images_sum_to_one(name: str, space: Image) -> None:
    x = enumerate_images(space)
    for given in (None, Given.of_label(1, len(x))):
        model = image_model(name, space, () if given is None else ("a", "b"), scale=0.4)
        mass = float(model.net.terms(x, given).detach().double().sum(1).exp().sum())
        # float32 terms of up to 9 dimensions
        assert mass == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("space", SPACES, ids=shape)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_ancestral_samples_have_the_scored_probabilities(name: str, space: Image) -> None:
    n = 8000
    model = image_model(name, space, ("a", "b"), scale=0.3)
    p = model.log_prob(enumerate_images(space), given=1).nats.double().exp()
    place = space.levels ** torch.arange(space.dimensions - 1, -1, -1)
    code = (model.sample(n, given=1, seed=4, batch=2000).flatten(1).long() * place).sum(1)
    observed, expected = torch.bincount(code, minlength=len(p)).double(), n * p / p.sum()
    rare = expected < 5
    assert int((~rare).sum()) > 10
    groups = [torch.cat([c[~rare], c[rare].sum()[None]]).numpy() for c in (observed, expected)]
    # the seed is fixed; each of eight correct samplers would fail with another seed once in a thousand
    assert stats.chisquare(*groups).pvalue > 1e-3


def dependence(model: Autoregressive, x: torch.Tensor) -> torch.Tensor:
    """Return |d raw_place / d input_pixel| summed over channels, (h w, h w), by automatic differentiation in float64."""
    net = model.net.double()
    assert isinstance(net, ConvolutionBackbone | MaskedPixels | ScanlineBackbone)
    values = x.double().requires_grad_(True)
    if isinstance(net, MaskedPixels):
        raw = net.net(values.permute(0, 2, 3, 1).flatten(1).unsqueeze(-1))
    elif isinstance(net, ScanlineBackbone):
        raw = net.net(values).flatten(1, 2)
    else:
        raw = net.net(values).flatten(2).transpose(1, 2)
    rows = []
    for place in range(raw.shape[1]):
        (grad,) = torch.autograd.grad(raw[:, place].square().sum(), values, retain_graph=True)
        if isinstance(net, MaskedPixels):
            rows.append(grad.permute(0, 2, 3, 1).flatten(1).abs().sum(0))
        else:
            rows.append(grad.flatten(2).abs().sum((0, 1)))
    return torch.stack(rows)


@pytest.mark.parametrize(
    "space", [Image(1, 5, 4), Image(3, 3, 5, levels=2), Image(1, 6, 1), Image(1, 1, 6)], ids=shape
)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_earlier_place_is_seen_and_no_later_one(name: str, space: Image) -> None:
    model = image_model(name, space, scale=0.3)
    x = torch.randn(2, *space.event_shape, generator=generator(3))
    reached = dependence(model, x)
    before = torch.ones_like(reached).tril(-1).bool()
    assert bool((reached[~before] == 0).all())
    # three blocks of two convolutions reach seven rows up and as many columns, and a pixel sees five
    # to its left: the whole of these images
    assert bool((reached[before] > 0).all())


@pytest.mark.parametrize("depth", [1, 2])
def test_the_receptive_field_has_the_size_of_the_formula_and_no_blind_spot(depth: int) -> None:
    h, w, row, column = 9, 13, 6, 6
    config = AutoregressiveConfig(architecture="pixelcnn", width=8, depth=depth)
    model = Autoregressive(Image(1, h, w, levels=2), config)
    perturb(model, 0.3)
    seen = (
        dependence(model, torch.randn(2, 1, h, w, generator=generator(1)))[
            row * w + column
        ].reshape(h, w)
        > 0
    )
    # the streams start with two rows above and two columns to the left; each of the 2 depth convolutions of the first adds a
    # row and a column on either side, and the last one of the second stream a row and a column to the left
    reach = 2 * depth
    expected = torch.zeros(h, w, dtype=torch.bool)
    expected[max(0, row - 3 - reach) : row, max(0, column - 2 - reach) : column + 2 + reach] = True
    expected[row, max(0, column - 2 - reach) : column] = True
    assert not bool(expected.all())
    assert torch.equal(seen, expected)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_terms_of_a_place_are_blind_to_later_values(name: str) -> None:
    space = Image(3, 2, 2, levels=3)
    model = image_model(name, space, scale=0.25)
    x = torch.randint(0, 3, (6, 3, 2, 2), generator=generator(0)).to(torch.uint8)
    order = x.permute(0, 2, 3, 1).flatten(1)
    terms = model.net.terms(x, None)
    for t in range(12):
        changed = order.clone()
        changed[:, t] = (changed[:, t] + 1) % 3
        other = model.net.terms(changed.reshape(6, 2, 2, 3).permute(0, 3, 1, 2), None)
        torch.testing.assert_close(other[:, :t], terms[:, :t], rtol=1e-5, atol=1e-5)
        # the value itself and the next one notice: the order of the terms is raster, channels innermost
        assert not torch.allclose(other[:, t], terms[:, t], atol=1e-4)
        if t < 11:
            assert not torch.allclose(other[:, t + 1], terms[:, t + 1], atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (5, 1), (4, 3), (3, 4)])
def test_strips_are_the_whole_image_pixel_by_pixel(size: tuple[int, int]) -> None:
    space = Image(3, *size, levels=4)
    net = image_model("pixelcnn", space, ("a", "b"), scale=0.3).net.double()
    assert isinstance(net, ConvolutionBackbone)
    x = torch.randn(4, *space.event_shape, generator=generator(0), dtype=torch.float64)
    context = net.embedding(Given(torch.tensor([0, 1, 1, 0])), 4)
    with torch.no_grad():
        whole = net.net(x, context).flatten(2)
        strips = Strips(net.net, context)
        for _ in range(2):  # a second image starts afresh
            for index in range(size[0] * size[1]):
                future = x.flatten(2).clone()
                future[:, :, index:] = 99.0
                found = strips.at(future.reshape(x.shape), index)
                torch.testing.assert_close(found, whole[..., index], rtol=1e-10, atol=1e-10)


def test_a_pixel_costs_one_call_whatever_its_channels() -> None:
    model = image_model("pixelcnn", Image(3, 2, 3, levels=4))
    walk = model.walk(2)
    assert isinstance(walk, HeadWalk)
    assert (walk.length, walk.calls) == (6, 6.0)
    assert model.net.terms(model.sample(2), None).shape == (2, 18)
    assert image_model("made", Image(3, 2, 3, levels=4)).walk(2).length == 18


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_cold_sample_is_the_likeliest_choice_at_every_place(name: str) -> None:
    model = image_model(name, Image(1, 3, 3, levels=2), scale=0.3)
    cold = model.sample(20, temperature=1e-4)
    assert len(cold.unique(dim=0)) == 1
    assert float(model.net.terms(cold[:1], None).detach().max()) <= 0.0
    # a binary choice is the likelier one if its probability is above a half
    assert float(model.net.terms(cold[:1], None).detach().min()) > np.log(0.5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_dropout_comes_from_the_passed_noise(name: str) -> None:
    config = AutoregressiveConfig(architecture=name, dropout=0.5, components=2, **SIZES[name])
    model = Autoregressive(Image(1, 4, 4, levels=5), config)
    perturb(model, 0.2)
    x = torch.randint(0, 5, (4, 1, 4, 4), generator=generator(0)).to(torch.uint8)
    a, b, c = (model.net.terms(x, None, BatchNoise(generator(s), 4)) for s in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
    assert torch.equal(model.net.terms(x, None), model.net.terms(x, None))


def loop_log_prob(head: LogisticHead, raw: np.ndarray, x: list[int]) -> list[float]:
    """Equation 3 of Salimans et al. written out with scipy for one pixel: log p(x_c | x_<c)."""
    k, c = head.components, head.channels
    weights = np.exp(raw[:k]) / np.exp(raw[:k]).sum()
    each = raw[k:].reshape(k, 2 * c + c * (c - 1) // 2)
    softplus = lambda v: np.logaddexp(0.0, v)  # noqa: E731
    joint, totals = weights.copy(), [1.0]
    value = [2.0 * v / (head.levels - 1) - 1.0 for v in x]
    for channel in range(c):
        for i in range(k):
            mean = each[i, channel] + (2.0 * i + 1.0) / k - 1.0
            pair = {1: [0], 2: [1, 2]}.get(channel, [])
            mean += sum(np.tanh(each[i, 2 * c + p]) * value[b] for b, p in enumerate(pair))
            low, high = -7.0, 3.0
            raised = each[i, c + channel] - np.log(k + 1.0)
            scale = np.exp(high - softplus(high - low - softplus(raised - low)))
            law, half = stats.logistic(mean, scale), 1.0 / (head.levels - 1)
            upper = 1.0 if x[channel] == head.levels - 1 else law.cdf(value[channel] + half)
            lower = 0.0 if x[channel] == 0 else law.cdf(value[channel] - half)
            joint[i] *= upper - lower
        totals.append(joint.sum())
    return [float(np.log(b / a)) for a, b in itertools.pairwise(totals)]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("levels", [3, 17, 256])
def test_the_mixture_head_is_equation_three(channels: int, levels: int) -> None:
    head, rng = LogisticHead(channels, levels, components=4), generator(2)
    raw = torch.randn(6, head.size, generator=rng, dtype=torch.float64)
    x = torch.randint(0, levels, (6, channels), generator=rng)
    x[0], x[1] = 0, levels - 1
    found = head.log_prob(raw, x)
    for row in range(6):
        expected = loop_log_prob(head, raw[row].numpy(), x[row].tolist())
        torch.testing.assert_close(
            found[row], torch.tensor(expected, dtype=torch.float64), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("stretch", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("levels", [2, 17, 256])
def test_levels_of_a_channel_sum_to_one_at_extreme_scales_with_finite_gradients(
    levels: int, stretch: float
) -> None:
    head = head_of(3, levels, components=5)
    raw = (stretch * torch.randn(4, 1, head.size, generator=generator(1))).requires_grad_(True)
    for channel, rest in ((0, 0), (1, 1), (2, levels - 1)):
        x = torch.full((4, levels, 3), rest)
        x[..., channel] = torch.arange(levels)
        log_p = head.log_prob(raw.expand(-1, levels, -1), x)
        assert bool(torch.isfinite(log_p).all())
        mass = log_p[..., channel].double().exp().sum(1)
        # a term is a difference of sums that reach a hundred nats, in float32
        torch.testing.assert_close(mass, torch.ones_like(mass), rtol=0, atol=1e-3)
        (grad,) = torch.autograd.grad(log_p.sum(), raw)
        assert bool(torch.isfinite(grad).all())


def test_channels_of_a_binary_pixel_may_depend_on_each_other() -> None:
    head, n = BernoulliHead(channels=2), 20_000
    raw = torch.tensor([[0.4, -0.3, 1.5]], dtype=torch.float64)
    pixels = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
    p = head.log_prob(raw.expand(4, -1), pixels).sum(1).exp()
    # logit p(x_1 = 1 | x_0) = -0.3 + 1.5 (2 x_0 - 1)
    torch.testing.assert_close(
        p[3] / (p[2] + p[3]),
        torch.sigmoid(torch.tensor(1.2, dtype=torch.float64)),
        rtol=1e-6,
        atol=0,
    )
    torch.testing.assert_close(
        p[1] / (p[0] + p[1]),
        torch.sigmoid(torch.tensor(-1.8, dtype=torch.float64)),
        rtol=1e-6,
        atol=0,
    )
    drawn = head.draw(
        raw.expand(n, -1), torch.rand(n, 2, generator=generator(0), dtype=torch.float64), 1.0
    )
    counts = torch.bincount(2 * drawn[:, 0] + drawn[:, 1], minlength=4).numpy()
    # once in a thousand with another seed
    assert stats.chisquare(counts, n * p.numpy()).pvalue > 1e-3


@pytest.mark.parametrize("dim", [1, 3])
def test_density_of_masked_points_is_the_jacobian_of_their_code(dim: int) -> None:
    net = MaskedCoordinates(Points(dim), AutoregressiveConfig(width=24, depth=2, components=4), 0)
    perturb(net, 0.2)  # type: ignore[arg-type]
    x = torch.randn(5, dim, generator=generator(2))
    for row in x:
        jacobian = torch.autograd.functional.jacobian(
            lambda v: net._encode(v[None], None, Streams(0, 1))[0], row
        )
        assert isinstance(jacobian, torch.Tensor)
        assert float(jacobian.triu(1).abs().max()) == 0.0
        expected = jacobian.diagonal().log().sum()
        torch.testing.assert_close(
            net.terms(row[None], None).sum().double(), expected.double(), rtol=1e-4, atol=1e-4
        )
    with torch.no_grad():
        # probable points, because a CDF is flat where there is no mass
        drawn = run(net._walk(Streams(3, 50), None, SampleOptions()))
        torch.testing.assert_close(
            net._decode(net._encode(drawn, None, Streams(0, 1)), None), drawn, rtol=1e-4, atol=1e-4
        )
        for d in range(dim):
            whole = [part[:, d] for part in net.mixtures(x, None)]
            for a, b in zip(net.mixture(d, x[:, :d], None), whole, strict=True):
                torch.testing.assert_close(a, b)


def test_masked_points_are_sampled_as_scored() -> None:
    model = Autoregressive(
        Points(2), AutoregressiveConfig(architecture="made", width=24, depth=2, components=4)
    )
    perturb(model, 0.2)
    model.prepare(Examples(torch.randn(300, 2, generator=generator(0)) * 2 + 1))
    u = model.encode(model.sample(2000, seed=1)).value
    for d in range(2):
        # Kolmogorov-Smirnov; a false alarm once in a thousand, the seed is fixed
        assert stats.kstest(u[:, d].numpy(), "uniform").pvalue > 1e-3
    assert abs(float(torch.corrcoef(u.T)[0, 1])) < 4 / 2000**0.5


def test_masks_change_no_weight_and_are_not_saved() -> None:
    model = image_model("made", Image(1, 3, 3, levels=5))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert not any("mask" in name for name in before)
    x = torch.randint(0, 5, (8, 1, 3, 3), generator=generator(0)).to(torch.uint8)
    (loss,) = model.losses(Examples(x), BatchNoise(generator(1), len(x)))
    loss.value.backward()
    model.sample(2)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    net = model.net
    assert isinstance(net, MaskedPixels)
    for layer in (net.net.first, net.net.last, net.net.direct):
        assert layer.weight.grad is not None
        assert not bool(layer.weight.grad[layer.mask == 0].any())
