"""Paths, predictions, preconditioning, laws of noise levels, guidance: identities."""

from __future__ import annotations

import math

import pytest
import torch

from families.diffusion_oracles import gaussian, mixture
from pushforward.core.conditions import forgotten
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given
from pushforward.core.rng import generator
from pushforward.core.space import Points
from pushforward.core.spec import TrainConfig
from pushforward.engine.fit import fit
from pushforward.families.build import build
from pushforward.families.diffusion.denoisers.denoiser import (
    FORMS,
    Denoiser,
    NetworkDenoiser,
    Preconditioner,
)
from pushforward.families.diffusion.denoisers.guidance import Guided
from pushforward.families.diffusion.denoisers.known_levels import (
    LevelDecoder,
    level_frequencies,
    level_mean,
    level_values,
)
from pushforward.families.diffusion.denoisers.prediction import (
    FLOW,
    NOISE,
    PREDICTIONS,
    SCORE,
    VELOCITY,
    Prediction,
)
from pushforward.families.diffusion.densities.flow_density import with_divergence
from pushforward.families.diffusion.objectives.objective import WEIGHTS, Objective, objective_of
from pushforward.families.diffusion.paths.noise_law import (
    LAWS,
    Knee,
    LogLogistic,
    LogNormal,
    LogUniform,
    NoiseLaw,
    UniformTime,
)
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.paths.published import PATHS
from pushforward.families.diffusion.solvers.noise_grids import karras_levels, log_levels
from pushforward.nets.unet import UNet

PATH = VariancePreserving(0.005, 50.0)


def test_path_is_variance_preserving_and_linear_in_log_snr() -> None:
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    alpha, sigma = PATH.scales(t)
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones_like(t), rtol=0, atol=1e-14)
    log_snr = 2 * (alpha / sigma).log()
    torch.testing.assert_close(
        log_snr.diff(), torch.full_like(t[1:], -PATH.log_snr_range / 10), rtol=1e-9, atol=0
    )
    assert float(PATH.noise_level(t[0])) == pytest.approx(0.005, rel=1e-12)
    assert float(PATH.noise_level(t[-1])) == pytest.approx(50.0, rel=1e-12)
    torch.testing.assert_close(PATH.time(PATH.noise_level(t)), t, rtol=0, atol=1e-12)


def test_rates_are_the_derivatives() -> None:
    t = torch.linspace(0.01, 0.99, 7, dtype=torch.float64).requires_grad_()
    for value, rate in zip(PATH.scales(t), PATH.rates(t), strict=True):
        (slope,) = torch.autograd.grad(value.sum(), t, retain_graph=True)
        torch.testing.assert_close(rate, slope, rtol=1e-10, atol=1e-12)


def test_bad_levels_are_refused() -> None:
    with pytest.raises(
        BadInput, match=r"noise levels from 1.0 to 0.5: expected 0 < sigma_min < sigma_max"
    ):
        VariancePreserving(1.0, 0.5)


def test_karras_grid() -> None:
    """The published 18-step grid; rho = 7."""
    grid = karras_levels(18, 0.002, 80.0)
    expected = torch.tensor([80.0, 57.586, 40.786], dtype=torch.float64)
    torch.testing.assert_close(grid[:3], expected, rtol=1e-4, atol=0)
    assert float(grid[-1]) == 0.002
    root = grid ** (1 / 7)
    torch.testing.assert_close(root.diff(), root.diff()[:1].expand(17), rtol=1e-10, atol=0)


@pytest.mark.parametrize("steps", [1, 2, 3, 18, 200])
def test_grids_have_no_duplicates_and_no_empty_step(steps: int) -> None:
    for grid in (karras_levels(steps, 0.002, 80.0).flip(0), log_levels(steps, 0.002, 80.0)):
        assert bool((grid.diff() > 0).all())
        assert bool((grid > 0).all())
        assert float(grid[-1]) == 80.0
        assert bool((grid.float().diff() > 0).all())


@pytest.mark.parametrize("prediction", PREDICTIONS, ids=lambda p: p.name)
def test_predictions_round_trip(prediction: Prediction) -> None:
    rng = generator(0, "predictions")
    x0, eps = (torch.randn(64, dtype=torch.float64, generator=rng) for _ in range(2))
    alpha, sigma = PATH.scales(torch.linspace(0, 1, 64, dtype=torch.float64))
    x = alpha * x0 + sigma * eps
    value = prediction.from_data(x0, x, alpha, sigma)
    torch.testing.assert_close(value, prediction.of(x0, eps, alpha, sigma), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(prediction.to_data(value, x, alpha, sigma), x0, rtol=1e-9, atol=1e-9)


def test_score_is_the_gradient_of_the_noisy_density() -> None:
    """The exact denoiser of a mixture, turned into a score, is the autograd gradient of its log-density."""
    oracle, s = mixture(), 0.4
    y = oracle.draw(16, generator(1)).requires_grad_()
    (gradient,) = torch.autograd.grad(oracle.log_density(y, s).sum(), y)
    level = torch.tensor(s, dtype=torch.float64)
    score = SCORE.from_data(oracle(y.detach(), level), y.detach(), torch.ones_like(level), level)
    torch.testing.assert_close(score, gradient, rtol=1e-9, atol=1e-9)


def test_preconditioner_identities() -> None:
    """EDM: weight c_out^2 = 1, unit-variance input and target; at sigma_data = 1 the target F is -v."""
    p = Preconditioner((2,))
    p.sigma_data.fill_(0.5)
    s = torch.logspace(-3, 2, 40, dtype=torch.float64)
    (skip, out), (c_in, c_noise) = FORMS["preconditioned"](s, p.sigma_data.double()), p.inputs(s)
    weight = objective_of(LogNormal(PATH), "edm", p.sigma_data).weight(s)
    torch.testing.assert_close(weight * out**2, torch.ones_like(s), rtol=1e-12, atol=0)
    torch.testing.assert_close(c_in**2 * (0.25 + s**2), torch.ones_like(s), rtol=1e-12, atol=0)
    torch.testing.assert_close((1 - skip) ** 2 * 0.25 + skip**2 * s**2, out**2, rtol=1e-9, atol=0)
    torch.testing.assert_close(c_noise, s.log() / 4, rtol=1e-12, atol=0)

    p.sigma_data.fill_(1.0)
    skip, out = FORMS["preconditioned"](s, p.sigma_data.double())
    rng = generator(0)
    x0, eps = (torch.randn(40, dtype=torch.float64, generator=rng) for _ in range(2))
    target = (x0 - skip * (x0 + s * eps)) / out
    alpha, sigma = PATH.scales(PATH.time(s))
    torch.testing.assert_close(target, -VELOCITY.of(x0, eps, alpha, sigma), rtol=1e-8, atol=1e-8)


class Silent(torch.nn.Module):
    """F = 0."""

    def forward(
        self, x: torch.Tensor, value: torch.Tensor, label: torch.Tensor | None
    ) -> torch.Tensor:
        return torch.zeros_like(x)


def test_silent_network_is_the_denoiser_of_a_fitted_gaussian() -> None:
    x = torch.randn(4000, 1, 3, 3, generator=generator(2)) * 0.3 + 0.8
    denoiser = NetworkDenoiser(Silent(), (1, 3, 3))
    denoiser.preconditioner.fit(x)
    mean, variance = x.mean(), x.var(correction=0)
    s = torch.tensor([0.1, 2.0])
    expected = mean + (variance / (variance + s**2)).reshape(-1, 1, 1, 1) * (x[:2] - mean)
    torch.testing.assert_close(denoiser.denoise(x[:2], s, None), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "law",
    [
        LogUniform(PATH),
        LogNormal(PATH),
        Knee(PATH, torch.tensor(0.6, dtype=torch.float64)),
        LogLogistic(PATH, torch.tensor(0.6, dtype=torch.float64)),
        *(
            UniformTime(PATHS[name](0.005, 50.0))
            for name in PATHS.names()
            if name != "ddpm-scaled-linear"
        ),
    ],
    ids=[
        "u",
        "n",
        "k",
        "l",
        *(f"time-{name}" for name in PATHS.names() if name != "ddpm-scaled-linear"),
    ],
)
def test_law_quantile_and_density_agree(law: NoiseLaw) -> None:
    """`d log Q(u)/du = 1/density`, the density integrates to one, and the ends are the path's."""
    u = torch.linspace(0.01, 0.99, 50, dtype=torch.float64).requires_grad_()
    s = law.quantile(u)
    (slope,) = torch.autograd.grad(s.log().sum(), u)
    torch.testing.assert_close(slope * law.density(s), torch.ones_like(slope), rtol=1e-8, atol=0)
    grid = torch.linspace(math.log(0.005), math.log(50.0), 20001, dtype=torch.float64)
    assert float(torch.trapezoid(law.density(grid.exp()), grid)) == pytest.approx(1.0, abs=1e-6)
    ends = law.quantile(torch.tensor([0.0, 1.0], dtype=torch.float64))
    torch.testing.assert_close(
        ends, torch.tensor([0.005, 50.0], dtype=torch.float64), rtol=1e-4, atol=0
    )


def test_likelihood_objective_does_not_depend_on_its_law() -> None:
    """The weighted loss of an exact denoiser is one integral, whichever law draws the levels (200,000 draws, 4 s.e.)."""
    oracle, rng = gaussian(), generator(5)
    x = oracle.draw(200_000, rng)
    values = []
    for law in (LAWS[name](PATH, torch.tensor(0.6)) for name in ("log-uniform", "time", "knee")):
        objective: Objective = objective_of(law, "likelihood", torch.tensor(0.6))
        s = objective.stratified(torch.rand(len(x), generator=rng, dtype=torch.float64))
        y = x + s.unsqueeze(1) * torch.randn(x.shape, generator=rng, dtype=torch.float64)
        terms = objective.weight(s) * (x - oracle(y, s)).square().sum(1)
        values.append((terms.mean(), terms.std() / math.sqrt(len(x))))
    (a, sa), _, (b, sb) = values
    assert abs(float(a - b)) < 4 * math.hypot(float(sa), float(sb))
    # closed form per coordinate: int v/(v + s^2) dlog s = 1/2 log((v/s^2 + 1)) between the ends
    v = oracle.variances[0]
    exact = 0.5 * (torch.log1p(v / PATH.sigma_min**2) - torch.log1p(v / PATH.sigma_max**2)).sum()
    assert abs(float(b - exact)) < 4 * float(sb)


def test_weights_turn_the_error_of_the_data_into_what_they_are_called() -> None:
    rng = generator(6)
    x0, guess, eps = (torch.randn(30, dtype=torch.float64, generator=rng) for _ in range(3))
    s = torch.logspace(-2, 1.5, 30, dtype=torch.float64)
    y, alpha, sigma = x0 + s * eps, 1 / (1 + s**2).sqrt(), s / (1 + s**2).sqrt()
    guessed = (y - guess) / s
    noise, velocity = eps - guessed, (alpha * eps - sigma * x0) - (alpha * guessed - sigma * guess)
    straight = (eps - x0) - (guessed - guess)
    error = (x0 - guess).square()
    expected = {
        "noise": noise.square(),
        "data": error,
        "velocity": velocity.square(),
        "flow": straight.square(),
        "truncated-snr": torch.maximum(noise.square(), error),
        "min-snr": torch.minimum(noise.square(), 5 * error),
    }
    law = LogUniform(PATH)
    for name, value in expected.items():
        weight = objective_of(law, name, torch.tensor(0.7)).weight(s)
        torch.testing.assert_close(weight * error, value, rtol=1e-9, atol=1e-12)
    assert set(WEIGHTS.names()) == {*expected, "likelihood", "edm"}
    # uniform in log-SNR is importance sampling of time by g^2/sigma^2, on every path
    for name in ("cosine", "ve", "sub-vp"):
        path = PATHS[name](0.005, 50.0)
        t = torch.linspace(*path.ends, 9, dtype=torch.float64)[1:-1]
        _, g2 = path.diffusion(t)
        ratio = (
            LogUniform(path).density(path.noise_level(t))
            * -0.5
            * path.log_snr_rate(t)
            / (g2 / path.scales(t)[1] ** 2)
        )
        torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio), rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", FORMS.names())
def test_what_a_network_predicts_is_what_the_algebra_says(name: str) -> None:
    """The output that makes the denoiser exact is the prediction of its name, in coordinates of unit variance."""
    rng, d = generator(7), torch.tensor(0.6, dtype=torch.float64)
    x0, eps = (torch.randn(40, dtype=torch.float64, generator=rng) for _ in range(2))
    s = torch.logspace(-2, 1.5, 40, dtype=torch.float64)
    y, one = x0 + s * eps, torch.ones_like(s)
    skip, out = FORMS[name](s, d)
    found = (x0 - skip * y) / out
    alpha, sigma = PATH.scales(PATH.time(s))
    expected = {
        "preconditioned": (x0 - d**2 / (s**2 + d**2) * y) * (s**2 + d**2).sqrt() / (s * d),
        "noise": NOISE.from_data(x0, y, one, s),
        "data": x0 / d,
        "velocity": VELOCITY.from_data(x0, alpha * y, alpha, sigma),
        "flow": FLOW.from_data(x0, y, one, s),
        "score": SCORE.from_data(x0, y, one, s),
    }[name]
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", FORMS.names())
def test_every_prediction_and_weight_can_be_trained(name: str) -> None:
    # four clusters, because a Gaussian is what a preconditioned denoiser knows before it has seen anything
    rng = generator(8)
    x = (
        torch.randint(0, 2, (600, 2), generator=rng) * 2.0
        - 1.0
        + 0.15 * torch.randn(600, 2, generator=rng)
    )
    data = Examples(x)
    weight = {
        "preconditioned": "edm",
        "noise": "noise",
        "data": "truncated-snr",
        "flow": "flow",
    }.get(name, "velocity")
    model = build(
        "diffusion",
        Points(2),
        values={"width": 32, "depth": 1, "prediction": name, "weight": weight},
    )
    model.prepare(data)
    before = float(model.held_out(data).mean())  # type: ignore[union-attr]
    fit(
        model,
        data[:500],
        data[500:],
        TrainConfig(steps=300, batch_size=64, learning_rate=3e-3, seed=0),
    )
    after = float(model.held_out(data).mean())  # type: ignore[union-attr]
    # the clusters' own entropy is log 4 + 2 (log 0.15 + 1.42) = 0.43 nats, that of a Gaussian of their covariance 2.86;
    # data and score are hopeless targets at small noise, where the one is y itself and the other has variance 1/s^2
    assert 0.3 < after < (before / 2 if name in ("data", "score") else 2.6)


def test_stratified_levels_fill_every_bin() -> None:
    law = LogUniform(PATH)
    s = Objective(law, torch.ones_like, "x").stratified(torch.rand(16, generator=generator(0)))
    bins = ((s.log() - math.log(0.005)) / math.log(50 / 0.005) * 16).floor()
    assert bins.tolist() == list(range(16))


def test_conditions_are_dropped_per_example() -> None:
    """10,000 decisions at 15 %: within 5 standard errors, and independent of their neighbour."""
    u = torch.rand(10_000, generator=generator(0))
    dropped = forgotten(Given(torch.full((10_000,), 2)), 0.15, u).label == -1
    assert isinstance(dropped, torch.Tensor)
    assert abs(float(dropped.float().mean()) - 0.15) < 5 * math.sqrt(0.15 * 0.85 / 10_000)
    both = float((dropped[1:] & dropped[:-1]).float().mean())
    assert abs(both - 0.15**2) < 5 * math.sqrt(0.0225 / 10_000)


class Labelled(Denoiser):
    """Knows two answers: with and without a condition."""

    def denoise(
        self, y: torch.Tensor, noise_level: torch.Tensor, given: Given | None
    ) -> torch.Tensor:
        return y * 0.5 if given is None else y * 0.5 + given.label.unsqueeze(1)


def test_guidance_is_linear_and_off_at_one() -> None:
    y, s, given = torch.tensor([[1.0], [2.0]]), torch.tensor(1.0), Given(torch.tensor([1, 3]))
    inner = Labelled()
    null, full = inner.denoise(y, s, None), inner.denoise(y, s, given)
    for w, calls in ((0.0, 1), (0.5, 2), (1.0, 1), (3.0, 2)):
        guided = Guided(inner, w)
        torch.testing.assert_close(guided.denoise(y, s, given), null + w * (full - null))
        assert guided.calls == calls
    assert torch.equal(Guided(inner, 1.0).denoise(y, s, given), full)
    assert torch.equal(Guided(inner, 0.0).denoise(y, s, given), null)
    assert torch.equal(Guided(inner, 3.0).denoise(y, s, None), null)


@pytest.mark.parametrize("sigma", [0.02, 0.3, 3.0])
def test_level_decoder_is_a_distribution_and_its_table_its_mean(sigma: float) -> None:
    """Expected log-probabilities against 200,000 draws of eps (5 standard errors)."""
    decoder, values = LevelDecoder(5, sigma), level_values(5).double()
    eps = torch.randn(200_000, generator=generator(0), dtype=torch.float64)
    for index, value in enumerate(values):
        logits = -0.5 * ((value + sigma * eps).unsqueeze(1) - values) ** 2 / sigma**2
        log_p = logits.log_softmax(1)[:, index]
        error = 5 * float(log_p.std()) / math.sqrt(len(eps)) + 1e-9
        assert abs(float(decoder.table[index] - log_p.mean())) < error
    assert bool((decoder.table <= 0).all())


@pytest.mark.parametrize("levels", [2, 3, 4, 5, 16, 33, 64])
@pytest.mark.parametrize("spacings", [0.05, 0.25, 0.5, 1.0, 3.0, 40.0])
def test_level_decoder_knows_by_few_levels_what_all_would_say(levels: int, spacings: float) -> None:
    """Every level against every other, at 257 points of eps each."""
    sigma = 2.0 * spacings / (levels - 1)
    values = torch.linspace(-1.0, 1.0, levels, dtype=torch.float64)
    eps = torch.linspace(-8.0, 8.0, 257, dtype=torch.float64)
    weight = torch.softmax(-0.5 * eps**2, 0)
    logits = -0.5 * ((values[:, None] + sigma * eps)[..., None] - values) ** 2 / sigma**2
    own = logits.log_softmax(2).diagonal(dim1=0, dim2=2)  # (eps, level)
    expected = (weight[:, None] * own).sum(0)
    torch.testing.assert_close(LevelDecoder(levels, sigma).table, expected, rtol=0.0, atol=1e-9)


def test_a_table_of_all_levels_of_16_bits_takes_no_longer_than_one_of_eight() -> None:
    few, many = (LevelDecoder(n, 0.5 / (n - 1)).table for n in (256, 65536))
    torch.testing.assert_close(few[:20], many[:20], rtol=0.0, atol=1e-9)
    torch.testing.assert_close(few[-20:], many[-20:], rtol=0.0, atol=1e-9)
    assert bool((many[20:-20] - few[128]).abs().max() < 1e-9)


def shares_of(levels: int, background: float) -> torch.Tensor:
    """Even shares, or a background of that share at the lowest level and a tenth of it at the highest."""
    shares = torch.full((levels,), 1.0, dtype=torch.float64) / levels
    if background:
        shares = shares * (1.0 - 1.1 * background)
        shares[0] += background
        shares[-1] += 0.1 * background
    return shares


def exact_posterior(
    y: torch.Tensor, s: torch.Tensor, shares: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance of the levels given y, by the sum over all of them."""
    values = level_values(len(shares)).double()
    weight = (shares.log() - 0.5 * ((y.unsqueeze(1) - values) / s) ** 2).softmax(1)
    mean = (weight * values).sum(1)
    return mean, (weight * (values - mean.unsqueeze(1)) ** 2).sum(1)


@pytest.mark.parametrize("background", [0.0, 0.8])
@pytest.mark.parametrize("levels", [2, 17, 40, 256])
@pytest.mark.parametrize("noise", [0.1, 0.4, 1.0, 2.99, 3.01, 8.0, 30.0, 5000.0])
def test_the_mean_of_the_levels_is_the_sum_over_all_of_them(
    levels: int, noise: float, background: float
) -> None:
    # noise in spacings; the integral that replaces the sum of many levels is within 0.03 of the noise,
    s, shares = (
        torch.tensor(noise * 2.0 / (levels - 1), dtype=torch.float64),
        shares_of(levels, background),
    )
    y = torch.linspace(-1.0 - 3 * float(s), 1.0 + 3 * float(s), 4001, dtype=torch.float64)
    exact, _ = exact_posterior(y, s, shares)
    wide = (5e-2 if background else 3e-2) * float(s)
    close = 3e-6 * (1 + float(s)) if levels <= 33 or (noise < 3 and not background) else wide
    torch.testing.assert_close(level_mean(y, s, shares), exact, rtol=0, atol=close)
    single = level_mean(y.float(), s.float(), shares).double()
    assert float((single - exact).abs().max()) < close + 1e-5 * (1 + float(s))


@pytest.mark.parametrize("background", [0.0, 0.8])
@pytest.mark.parametrize("levels", [17, 256])
@pytest.mark.parametrize("noise", [0.3, 0.8, 2.9, 3.1, 20.0, 2000.0])
def test_the_mean_of_the_levels_is_smooth_and_its_slope_is_the_posterior_variance(
    levels: int, noise: float, background: float
) -> None:
    # d m/dy = Var[v | y]/s^2: what a jump would hide from automatic differentiation
    s, shares = (
        torch.tensor(noise * 2.0 / (levels - 1), dtype=torch.float64),
        shares_of(levels, background),
    )
    y = torch.linspace(-1.2, 1.21, 3000, dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(level_mean(y, s, shares).sum(), y)
    y = y.detach()
    _, variance = exact_posterior(y, s, shares)
    torch.testing.assert_close(
        slope, variance / s**2, rtol=5e-2 if background else 2e-2, atol=5e-2 if background else 1e-2
    )
    # no jumps: the change over a long way is the integral of the slope
    m = level_mean(y, s, shares)
    step = float(y[1] - y[0])
    assert float((m[-1] - m[0]) - torch.trapezoid(slope, dx=step)) == pytest.approx(0.0, abs=2e-3)


def test_a_background_is_known_far_above_the_noise_that_separates_two_levels() -> None:
    """At ten spacings of noise, a value near the background is it; even levels would say that anything nearby may be."""
    s = torch.tensor(10 * 2.0 / 255)
    y = torch.tensor([-1.0 + 0.5 * float(s)])
    seen, even = (float((level_mean(y, s, shares_of(256, b)) - y) / s) for b in (0.8, 0.0))
    assert seen == pytest.approx(-0.5, abs=0.05)
    assert even > 0.3


def test_frequencies_count_every_pixel_once_and_no_level_is_impossible() -> None:
    x = level_values(5)[torch.tensor([[0, 0, 0, 4], [2, 0, 0, 4]])]
    assert level_frequencies(x, 5).tolist() == pytest.approx(
        [6 / 13, 1 / 13, 2 / 13, 1 / 13, 3 / 13]
    )


def test_the_mean_of_the_levels_far_outside_is_near_the_last_one_with_a_slope() -> None:
    y = torch.tensor([1e4, -1e4, 1.2, -1.2], requires_grad=True)
    noise = torch.tensor([40.0, 40.0, 1e-3, 1e-3])
    mean = level_mean(y, noise, shares_of(256, 0.0))
    (slope,) = torch.autograd.grad(mean.sum(), y)
    assert bool(((mean.detach() - y.detach().sign()).abs() < 0.1 * noise).all())
    assert bool(torch.isfinite(slope).all())


@pytest.mark.parametrize("levels", [17, 256])
@pytest.mark.parametrize("noise", [0.5, 2.0, 5.0, 40.0, 400.0])
def test_the_divergence_of_a_network_of_pixels_is_what_differences_say(
    levels: int, noise: float
) -> None:
    # a feature that jumps passes every test of its value and none of its slope
    network = UNet((2, 1), (4, 4), width=8, depth=1, context=8)
    rng = generator(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=rng))
    denoiser = NetworkDenoiser(Seen(network), (1, 4, 4), levels=levels).double()
    denoiser.preconditioner.sigma_data.fill_(0.5)
    s = torch.tensor(noise * 2.0 / (levels - 1), dtype=torch.float64)
    x = level_values(levels)[torch.randint(0, levels, (3, 1, 4, 4), generator=rng)].double()
    y = x + s * torch.randn(x.shape, generator=rng, dtype=torch.float64)
    probe = torch.randint(0, 2, x.shape, generator=rng).double() * 2 - 1
    _, trace = with_divergence(lambda y, s: denoiser.denoise(y, s, None), y, s, probe)
    for step in (1e-5, 3e-3):  # the longer way crosses many midpoints of fine levels
        h = step * s
        with torch.no_grad():
            ahead, behind = (denoiser.denoise(y + k * h * probe, s, None) for k in (1, -1))
        slope = ((ahead - behind) * probe).flatten(1).sum(1) / (2 * h)
        torch.testing.assert_close(trace, slope, rtol=2e-2, atol=2e-2)


class Seen(torch.nn.Module):
    """Give a U-Net the context that a denoiser calls it with."""

    def __init__(self, network: UNet) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, x: torch.Tensor, noise: torch.Tensor, label: torch.Tensor | None
    ) -> torch.Tensor:
        return self.network(x, noise.unsqueeze(1).cos() * torch.arange(1, 9, dtype=noise.dtype))
