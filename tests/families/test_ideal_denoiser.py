"""The minimum of the training loss in closed form, and a flag for models that went there."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from conformance.cases import train as fit
from pushforward.core.given import Examples, Given
from pushforward.core.noise import Streams
from pushforward.core.rng import generator
from pushforward.core.space import Points
from pushforward.families.build import build
from pushforward.families.diffusion.denoisers.denoiser import Denoiser
from pushforward.families.diffusion.objectives.ideal import (
    IdealDenoiser,
    errors,
    measure,
    memorisation_curve,
)
from pushforward.families.diffusion.solvers.noise_grids import log_levels

LEVELS = log_levels(12, 0.01, 40.0).tolist()


class GaussianOracle(Denoiser):
    """The exact denoiser of independent standard normal numbers: `y/(1 + s^2)`."""

    def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        return y / (1.0 + noise_level**2)


def normal(n: int, seed: int, dim: int = 6) -> Tensor:
    return torch.randn(n, dim, generator=generator(seed, "data"))


def test_it_is_the_posterior_mean_over_the_training_set() -> None:
    """By a sum over all examples in double precision, with blocks that do not divide their number."""
    x, y = normal(37, 0), 2.0 * normal(9, 1)
    ideal = IdealDenoiser(x, block=8)
    for s in (0.05, 0.7, 5.0):
        logits = -((y.double().unsqueeze(1) - x.double()) ** 2).sum(2) / (2 * s**2)
        expected = logits.softmax(1) @ x.double()
        torch.testing.assert_close(
            ideal.denoise(y, torch.tensor(s), None), expected.float(), rtol=1e-5, atol=1e-6
        )
    far = ideal.denoise(y, torch.tensor(1e4), None)
    torch.testing.assert_close(far, x.mean(0).expand_as(far), rtol=1e-3, atol=1e-4)


def test_at_small_noise_it_returns_the_example_itself_whatever_the_dimension() -> None:
    """Norms are 800 and distances 1e-4: single precision would pick at random."""
    x = torch.randn(500, 784, generator=generator(3)).sign() + 0.01 * torch.randn(
        500, 784, generator=generator(4)
    )
    y = x[:50] + 1e-3 * torch.randn(50, 784, generator=generator(5))
    assert torch.equal(IdealDenoiser(x).denoise(y, torch.tensor(1e-3), None), x[:50])


def test_labels_restrict_the_sum_and_a_hidden_one_does_not() -> None:
    x, label = normal(20, 0), torch.arange(20) % 3
    ideal, y = IdealDenoiser(x, label, block=5), normal(4, 2)
    one = ideal.denoise(y, torch.tensor(0.8), Given(torch.full((4,), 1)))
    torch.testing.assert_close(
        one, IdealDenoiser(x[label == 1]).denoise(y, torch.tensor(0.8), None)
    )
    hidden = ideal.denoise(y, torch.tensor(0.8), Given(torch.full((4,), -1)))
    torch.testing.assert_close(hidden, ideal.denoise(y, torch.tensor(0.8), None))


def test_no_denoiser_has_a_smaller_loss_on_the_training_set() -> None:
    """At every level, over all examples and many draws: also less than the denoiser of the distribution they came from."""
    x = normal(24, 0, dim=2)
    many = Examples(x.repeat(200, 1))
    noise = [Streams(0, len(many)) for _ in range(2)]
    best = errors(IdealDenoiser(x), many, LEVELS, noise[0]).mean(0)
    truth = errors(GaussianOracle(), many, LEVELS, noise[1]).mean(0)
    assert bool((best <= truth + 1e-6).all())
    assert float(best[0]) < 1e-3
    # far below the distance between examples nothing is lost, far above it everything is known to be their mean
    assert float(best[-1]) == pytest.approx(float(x.var(0, correction=0).mean()) / 40.0**2, rel=0.1)


def test_the_memoriser_is_flagged_and_the_truth_is_not() -> None:
    train, test = normal(128, 0), normal(128, 1)
    ideal = IdealDenoiser(train)

    def look(denoiser: Denoiser):
        return memorisation_curve(
            denoiser, Examples(train), Examples(test), ideal, LEVELS, Streams(3, 128)
        )

    copied, true = look(ideal), look(GaussianOracle())
    assert copied.flag == "memorises its training set"
    assert "100 %" in copied.says
    assert true.flag == ""
    assert "equally well" in true.says
    assert copied.other[2] < 0.5 * copied.y[2]


def test_the_gap_is_the_area_between_the_errors() -> None:
    """Constant errors over four units of log noise level: gap 4 (0.5 - 0.3), of 4 (0.5 - 0.1) that there are."""
    levels = torch.logspace(-2, 2, 9, base=math.e, dtype=torch.float64).tolist()
    flat = [
        torch.full((50, 9), value) + 1e-3 * torch.randn(50, 1, generator=generator(k))
        for k, value in enumerate((0.3, 0.5))
    ]
    found = measure(flat[0], flat[1], torch.full((50, 9), 0.1), levels)
    assert found.gap == pytest.approx(0.8, abs=4e-3)
    assert found.share == pytest.approx(0.5, abs=4e-3)
    assert found.tripped
    assert not measure(flat[1], flat[1], flat[0], levels).tripped


def test_a_model_trained_on_few_examples_is_caught() -> None:
    """Eight points, 400 steps: the network memorises, and its curves say so; 128 points out of 2,000 do not show yet."""
    flags = []
    for n in (8, 2000):
        data, held = normal(n, 0, 2), Examples(normal(256, 9, 2))
        model = build("diffusion", Points(2), values={"width": 32, "depth": 2, "context": 16})
        model.prepare(Examples(data))
        fit(model, Examples(data.repeat(16, 1)[:128]), 400, learning_rate=1e-2)
        flags.append([c.flag for c in model.curves(held, train=Examples(data))][-1])
    assert flags == ["memorises its training set", ""]
