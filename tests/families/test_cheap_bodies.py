"""Bodies of diffusion for little time: what a new one says, and what it costs to show it the levels."""

from __future__ import annotations

import math

import pytest
import torch

from oracles import perturb
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples
from pushforward.core.rng import generator
from pushforward.core.space import Image
from pushforward.families.build import build
from pushforward.families.diffusion.denoisers.known_levels import level_frequencies, level_mean
from pushforward.families.diffusion.paths.noise_law import LAWS, LogLogistic
from pushforward.families.diffusion.paths.path import VariancePreserving

SPACE = Image(1, 9, 12, 256)
SIZES = {"width": 8, "depth": 1, "context": 8}


@pytest.mark.parametrize("architecture", ["lean", "mlp", "experts"])
@pytest.mark.parametrize(
    ("variance", "prediction"),
    [
        ("fixed", "preconditioned"),
        ("learned", "preconditioned"),
        ("fixed", "noise"),
        ("fixed", "velocity"),
    ],
)
def test_a_new_network_says_what_a_pixel_tells_alone(
    architecture: str, variance: str, prediction: str
) -> None:
    """Below the scale of the data the denoised pixel is its mean given its noisy value, exactly up to the squared noise."""
    settings = {
        **SIZES,
        "architecture": architecture,
        "variance": variance,
        "prediction": prediction,
    }
    model = build("diffusion", SPACE, values=settings)
    x = torch.randint(0, 60, (40, 1, 9, 12), generator=generator(0))
    model.prepare(Examples(x))
    denoiser = model.process.denoiser  # type: ignore[attr-defined]
    encoded = model.codec.encode(x).value
    for noise in (0.002, 0.008, 0.03):
        s = torch.tensor(noise)
        y = encoded + s * torch.randn(encoded.shape, generator=generator(1))
        alone = level_mean(y, s, level_frequencies(encoded, 256))
        found = denoiser.denoise(y, s, None).detach()
        error = (found - alone).abs().max() / s
        assert float(error) < 10 * noise / float(denoiser.preconditioner.sigma_data)
        assert float((y - alone).abs().max() / s) > 0.5


@pytest.mark.parametrize(
    ("architecture", "name"),
    [
        *((a, n) for a in ("lean", "mlp", "experts") for n in ("dropout", "multipliers")),
        ("mlp", "patch"),
    ],
)
def test_cheap_bodies_refuse_what_they_do_not_read(architecture: str, name: str) -> None:
    value = {"dropout": 0.1, "multipliers": (1, 2), "patch": 2}[name]
    with pytest.raises(BadInput, match="it would change nothing"):
        build("diffusion", SPACE, values={**SIZES, "architecture": architecture, name: value})


def test_large_pictures_are_folded() -> None:
    def folds(side: int, **settings: int) -> int:
        values = {**SIZES, "architecture": "lean", **settings}
        model = build("diffusion", Image(1, side, side, 4), values=values)
        return model.process.denoiser.network.body.body.patch  # type: ignore[attr-defined]

    assert [folds(side) for side in (8, 32, 33, 64)] == [1, 1, 2, 2]
    assert folds(32, patch=4) == 4


@pytest.mark.parametrize("background", [0.0, 0.7])
def test_examples_of_many_noise_levels_are_seen_as_each_alone(background: float) -> None:
    shares = torch.full((256,), (1.0 - background) / 256)
    shares[0] += background
    s = torch.logspace(-3, 1.6, 29)[torch.randperm(29, generator=generator(2))]
    x = 2.0 * torch.rand(29, 2, 5, generator=generator(3)) - 1.0
    y = x + s[:, None, None] * torch.randn(x.shape, generator=generator(4))
    together = level_mean(y, s[:, None, None], shares)
    each = [level_mean(one, noise, shares) for one, noise in zip(y, s, strict=True)]
    torch.testing.assert_close(together, torch.stack(each), rtol=1e-5, atol=1e-6)
    spread = level_mean(y, s[:, None, None].expand_as(y).clone(), shares)
    torch.testing.assert_close(together, spread, rtol=1e-5, atol=1e-6)


def test_the_log_logistic_law_is_uniform_time_on_a_straight_line() -> None:
    """`s = t/(1 - t)` for uniform t, about half the scale of the data."""
    path = VariancePreserving(0.01, 50.0)
    law = LAWS["log-logistic"](path, torch.tensor(0.8))
    assert isinstance(law, LogLogistic)
    low, high = 0.01 / 0.41, 50.0 / 50.4
    u = torch.linspace(0.0, 1.0, 11, dtype=torch.float64)
    t = low + u * (high - low)
    torch.testing.assert_close(law.quantile(u), 0.4 * t / (1.0 - t))
    s = torch.logspace(-2, math.log10(50.0), 4001, dtype=torch.float64)
    mass = torch.cumulative_trapezoid(law.density(s), s.log())
    torch.testing.assert_close(law.quantile(mass), s[1:], rtol=1e-3, atol=0.0)


@pytest.mark.parametrize("architecture", ["lean", "mlp"])
def test_the_link_of_levels_is_learned_by_noise_level(architecture: str) -> None:
    model = build("diffusion", SPACE, values={**SIZES, "architecture": architecture})
    linked = model.process.denoiser.network.body  # type: ignore[attr-defined]
    perturb(linked.kept, 0.3)
    x, context = torch.randn(1, 2, 9, 12), torch.randn(1, 8)
    of_image, of_level = linked.kept(context)[0].tolist()
    expected = of_image * x[:, :1] + (1.0 + of_level) * x[:, 1:]
    torch.testing.assert_close(linked(x, context) - linked.body(x, context), expected)


def test_each_expert_is_asked_about_its_own_noise_alone() -> None:
    """Weights of the other one have no gradient; a batch of both is answered as its examples are alone."""
    model = build("diffusion", SPACE, values={**SIZES, "architecture": "experts"})
    model.prepare(Examples(torch.randint(0, 256, (40, 1, 9, 12), generator=generator(0))))
    perturb(model, 0.3)
    denoiser = model.process.denoiser  # type: ignore[attr-defined]
    both = denoiser.network.body.body
    y = torch.randn(3, 1, 9, 12, generator=generator(1))
    edge = math.exp(4.0 * float(both.edge))
    for noise, used, idle in (
        (0.99 * edge, both.low, both.high),
        (1.01 * edge, both.high, both.low),
    ):
        model.zero_grad()
        denoiser.denoise(y, torch.tensor(noise), None).sum().backward()
        assert all(p.grad is None for p in idle.parameters())
        assert any(p.grad is not None and float(p.grad.abs().sum()) > 0 for p in used.parameters())
    noises = torch.tensor([5.0, 0.01, 1.001 * edge])
    together = denoiser.denoise(y, noises, None)
    for i in range(3):
        alone = denoiser.denoise(y[i : i + 1], noises[i], None)
        assert torch.allclose(together[i : i + 1], alone, atol=1e-5)


def test_the_edge_between_experts_is_half_the_scale_of_the_data() -> None:
    for levels in (8, 200):
        model = build("diffusion", SPACE, values={**SIZES, "architecture": "experts"})
        x = torch.randint(0, levels, (40, 1, 9, 12), generator=generator(0))
        model.prepare(Examples(x))
        scale = float(model.codec.encode(x).value.double().std(correction=0))
        edge = float(model.process.denoiser.network.body.body.edge)  # type: ignore[attr-defined]
        assert math.exp(4.0 * edge) == pytest.approx(0.5 * scale, rel=1e-4)


def test_experts_of_large_pictures_are_folded_and_small_ones_are_not() -> None:
    def patches(height: int, width: int) -> tuple[int, int]:
        values = {**SIZES, "architecture": "experts"}
        model = build("diffusion", Image(1, height, width, 4), values=values)
        both = model.process.denoiser.network.body.body  # type: ignore[attr-defined]
        return both.low.patch, both.high.body.patch

    assert [patches(*size) for size in ((1, 1), (28, 28), (32, 32), (33, 32), (64, 64))] == [
        (1, 2),
        (1, 2),
        (1, 2),
        (2, 4),
        (2, 4),
    ]
