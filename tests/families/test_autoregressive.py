"""The chain rule, causality, the cache and ancestral sampling."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from oracles import enumerate_images, perturb
from pushforward.core.given import Examples, Given
from pushforward.core.noise import BatchNoise, Streams
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.coordinates import CoordinateBackbone
from pushforward.families.autoregressive.model import Autoregressive
from pushforward.families.autoregressive.pixels import PixelBackbone
from pushforward.nets.transformer import Transformer, causal_attention

SMALL = AutoregressiveConfig(width=16, depth=2, heads=2, components=5)
TINY = Image(1, 2, 2, levels=3)


def image_model() -> Autoregressive:
    model = Autoregressive(TINY, SMALL, ("a", "b"))
    perturb(model, 0.1)
    return model


def test_no_pixel_sees_itself_or_its_future() -> None:
    net = Transformer(width=16, depth=2, heads=2).double()
    h = torch.randn(1, 6, 16, generator=generator(0), dtype=torch.float64, requires_grad=True)
    for t in range(6):
        (grad,) = torch.autograd.grad(net(h)[0, t].square().sum(), h)
        reached = grad[0].abs().sum(1)
        assert bool((reached[t + 1 :] == 0).all())
        assert bool((reached[: t + 1] > 0).all())


def test_plain_attention_in_bfloat16_is_the_fused_kernel_and_causal() -> None:
    q, k, v = torch.randn(3, 4, 2, 33, 8, generator=generator(0)).unbind(0)
    half = causal_attention(*(x.bfloat16() for x in (q, k, v)))
    fused = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    # bfloat16 has 8 bits: three roundings of numbers of order one
    torch.testing.assert_close(half.float(), fused, rtol=0.03, atol=0.03)
    later = causal_attention(
        q.bfloat16(), k.bfloat16(), torch.cat([v[:, :, :20], v[:, :, 20:] + 9], 2).bfloat16()
    )
    assert torch.equal(later[:, :, :20], half[:, :, :20])
    assert not torch.equal(later[:, :, 20], half[:, :, 20])


def test_logits_of_a_pixel_ignore_it_and_what_follows() -> None:
    net = image_model().net
    assert isinstance(net, PixelBackbone)
    flat = net.flatten(enumerate_images(TINY))
    logits = net(flat, Given.of_label(0, len(flat)))
    for t in range(4):
        changed = flat.clone()
        changed[:, t:] = (changed[:, t:] + 1) % 3
        other = net(changed, Given.of_label(0, len(flat)))
        torch.testing.assert_close(other[:, : t + 1], logits[:, : t + 1])
        if t < 3:
            assert not torch.allclose(other[:, t + 1], logits[:, t + 1])


def test_cache_equals_no_cache_in_float64() -> None:
    net = PixelBackbone(Image(3, 3, 2, levels=5), SMALL, 0).double()
    perturb(net, 0.2)  # type: ignore[arg-type]
    flat = torch.randint(0, 5, (4, 18), generator=generator(1))
    with torch.no_grad():
        whole = net(flat, None)
        cache, last = net.transformer.cache(4, 18), net.start(None, 4)
        for t in range(18):
            torch.testing.assert_close(
                net.step(last, cache, t), whole[:, t], rtol=1e-10, atol=1e-10
            )
            last = net._embed(flat[:, t])


def test_raster_order_round_trip() -> None:
    net = PixelBackbone(Image(3, 4, 5, levels=7), SMALL, 0)
    x = torch.randint(0, 7, (2, 3, 4, 5), generator=generator(0))
    assert torch.equal(net.unflatten(net.flatten(x)), x)


def chi_square(model: Autoregressive, temperature: float = 1.0, n: int = 20_000) -> float:
    """Return the p-value of n samples under the model's own probabilities, cells of fewer than 5 expected pooled."""
    p = model.log_prob(enumerate_images(TINY), given=1).nats.double().exp()
    x = model.sample(n, given=1, seed=4, batch=2000, temperature=temperature)
    code = (x.flatten(1).long() * torch.tensor([27, 9, 3, 1])).sum(1)
    observed, expected = torch.bincount(code, minlength=81).double(), n * p / p.sum()
    rare = expected < 5
    assert int((~rare).sum()) > 20
    groups = [
        torch.cat([counts[~rare], counts[rare].sum()[None]]).numpy()
        for counts in (observed, expected)
    ]
    return float(stats.chisquare(*groups).pvalue)


def test_ancestral_sampling_is_the_model() -> None:
    # the seed is fixed; a correct sampler with another seed would fail once in a thousand
    assert chi_square(image_model()) > 1e-3


def test_a_temperature_other_than_one_is_another_distribution() -> None:
    assert chi_square(image_model(), temperature=0.9) < 1e-9


def test_temperature_near_zero_is_the_greedy_path() -> None:
    model = image_model()
    cold = model.sample(20, given=0, temperature=1e-4)
    assert len(cold.unique(dim=0)) == 1
    net = model.net
    assert isinstance(net, PixelBackbone)
    logits = net(net.flatten(cold[:1]), Given.of_label(0, 1))
    assert torch.equal(logits.argmax(-1), net.flatten(cold[:1]))


def test_dropout_is_drawn_from_the_passed_noise_and_unbiased() -> None:
    from pushforward.nets.transformer import dropped

    x = torch.ones(400, 50)
    y = dropped(x, 0.25, BatchNoise(generator(0), 400))
    # 20,000 entries of standard deviation sqrt(1/3): four standard errors
    assert float(y.mean()) == pytest.approx(1.0, abs=4 * (1 / 3) ** 0.5 / 20_000**0.5)
    assert torch.equal(y, dropped(x, 0.25, BatchNoise(generator(0), 400)))
    assert dropped(x, 0.25, None) is x


def test_coordinates_code_round_trip_and_uniformity() -> None:
    net = CoordinateBackbone(Points(2), SMALL, 0)
    perturb(net, 0.2)  # type: ignore[arg-type]
    model = Autoregressive(Points(2), SMALL)
    model.net = net
    model.prepare(Examples(torch.randn(300, 2, generator=generator(0)) * 2 + 1))
    x = model.sample(2000, seed=1)
    u = model.encode(x).value
    for d in range(2):
        # Kolmogorov-Smirnov; a false alarm once in a thousand, the seed is fixed
        assert stats.kstest(u[:, d].numpy(), "uniform").pvalue > 1e-3
    assert abs(float(torch.corrcoef(u.T)[0, 1])) < 4 / 2000**0.5
    with torch.no_grad():
        encoded = model.codec.encode(x).value
        torch.testing.assert_close(net._decode(u, None), encoded, rtol=1e-4, atol=1e-4)


def test_density_is_the_jacobian_of_the_code() -> None:
    # log p(x) = sum_d log dF(x_d | x_<d)/dx_d: the Jacobian of the conditional CDFs is triangular
    net = CoordinateBackbone(Points(3), SMALL, 0)
    perturb(net, 0.2)  # type: ignore[arg-type]
    x = torch.randn(5, 3, generator=generator(2))
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
