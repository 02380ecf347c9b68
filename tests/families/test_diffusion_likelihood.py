"""The bound and the ODE estimate against exact log-densities; the family end to end."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from conformance.cases import examples
from families.diffusion_oracles import MixtureDenoiser, gaussian, gaussian_flow, mixture
from oracles import enumerate_images
from pushforward.core.estimator import Draws
from pushforward.core.given import Given
from pushforward.core.noise import Streams
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.spec import TrainConfig
from pushforward.engine.fit import fit
from pushforward.families.build import build
from pushforward.families.diffusion.denoisers.known_levels import (
    GaussianDecoder,
    LevelDecoder,
    level_values,
)
from pushforward.families.diffusion.densities.continuous_bound import GaussianControl, elbo
from pushforward.families.diffusion.densities.flow_density import (
    flow,
    ode_estimate,
    ode_log_density,
    with_divergence,
)
from pushforward.families.diffusion.paths.noise_law import Knee, LogUniform
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.solvers.ode_coordinates import ScaledByLogNoise

PATH = VariancePreserving(0.01, 60.0)
KNEE = Knee(PATH, torch.tensor(1.0))


def mean_bound(
    oracle: MixtureDenoiser, sigma_min: float, x: Tensor, samples: int
) -> tuple[Tensor, Tensor]:
    path = VariancePreserving(sigma_min, 60.0)
    control = GaussianControl(torch.zeros(2, dtype=torch.float64), 1.0)
    law = Knee(path, torch.tensor(1.0))
    nats, stderr = elbo(
        path,
        oracle,
        GaussianDecoder(sigma_min),
        law,
        x,
        Draws(Streams(0, len(x)), samples),
        control,
    )
    assert stderr is not None
    return nats, stderr


def test_bound_of_the_exact_denoiser_closes_with_the_smallest_noise() -> None:
    """E[log p - ELBO] >= 0; for a Gaussian it tends to `1/2 sum log(1 + s^2/v)`, which tends to zero (5 s.e.)."""
    oracle = gaussian()
    x = oracle.draw(400, generator(0))
    for sigma_min in (0.3, 0.1, 0.02):
        nats, stderr = mean_bound(oracle, sigma_min, x, 128)
        gap = oracle.log_density(x) - nats
        tolerance = 5 * float(gap.std() / math.sqrt(len(x)))
        v = oracle.variances[0]
        # E_x of log p minus the bound, in closed form: decoder, prior and integral of a Gaussian
        expected = float(0.5 * torch.log1p(sigma_min**2 / v).sum())
        assert abs(float(gap.mean()) - expected) < tolerance, sigma_min
        assert float(stderr.mean()) < 1.0


def test_bound_of_a_mixture_is_below_its_log_density() -> None:
    oracle = mixture()
    x = oracle.draw(400, generator(1))
    nats, _ = mean_bound(oracle, 0.01, x, 256)
    gap = oracle.log_density(x) - nats
    error = float(gap.std() / math.sqrt(len(x)))
    assert -5 * error < float(gap.mean()) < 0.02 + 5 * error


def test_a_worse_denoiser_has_a_lower_bound() -> None:
    oracle = mixture()
    x = oracle.draw(300, generator(2))
    good, _ = mean_bound(oracle, 0.02, x, 64)
    law = Knee(VariancePreserving(0.02, 60.0), torch.tensor(1.0))
    path = VariancePreserving(0.02, 60.0)
    bad, _ = elbo(
        path,
        lambda y, s: oracle(y, s) + 0.1,
        GaussianDecoder(0.02),
        law,
        x,
        Draws(Streams(0, len(x)), 64),
        None,
    )
    # a constant offset d costs int |d|^2/s^2 dlog s = |d|^2/2 (1/s_min^2 - 1/s_max^2) in expectation: 0.02/2/0.0004 = 25
    assert 20.0 < float((good - bad).mean()) < 30.0


def test_stderr_of_the_bound_is_its_spread() -> None:
    """Over 200 seeds the reported standard error is the standard deviation, up to 40 %, on average over examples."""
    oracle = mixture()
    x = oracle.draw(20, generator(3))
    wide = x.repeat(200, 1)
    law = LogUniform(PATH)
    nats, stderr = elbo(
        PATH,
        oracle,
        GaussianDecoder(PATH.sigma_min),
        law,
        wide,
        Draws(Streams(7, len(wide)), 64),
        None,
    )
    assert stderr is not None
    spread = nats.reshape(200, 20).std(0).mean()
    assert 0.7 < float(stderr.mean() / spread) < 1.4


def test_control_and_law_change_the_variance_only() -> None:
    oracle, rng = mixture(), generator(4)
    x = oracle.draw(2, rng).repeat(1500, 1)
    decoder = GaussianDecoder(PATH.sigma_min)
    control = GaussianControl(torch.zeros(2, dtype=torch.float64), 1.0)
    runs = [
        elbo(PATH, oracle, decoder, law, x, Draws(Streams(i, len(x)), 16), c)[0].reshape(1500, 2)
        for i, (law, c) in enumerate([(LogUniform(PATH), None), (KNEE, None), (KNEE, control)])
    ]
    for a in runs[1:]:
        error = (a.var(0) / 1500 + runs[0].var(0) / 1500).sqrt()
        assert bool(((a - runs[0]).mean(0).abs() < 5 * error).all())
    assert float(runs[2].var(0).sum()) < 0.5 * float(runs[1].var(0).sum())


class PixelDenoiser(MixtureDenoiser):
    """Independent discrete pixels with known probabilities, the exact posterior mean of the levels."""

    def __init__(self, probabilities: Tensor) -> None:
        self.p, self.values = probabilities, level_values(probabilities.shape[1]).double()

    def __call__(self, y: Tensor, noise_level: Tensor) -> Tensor:
        s = noise_level.to(y).expand(len(y)).reshape(-1, 1, 1)
        logits = self.p.log() - 0.5 * ((y.unsqueeze(-1) - self.values) / s) ** 2
        return (logits.softmax(-1) * self.values).sum(-1)


def test_discrete_bound_and_ode_estimate_reach_known_pixel_probabilities() -> None:
    """Two pixels, three levels: the nine bounds sum to at most one and come within 2 % of the true probabilities."""
    p = torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.1, 0.7]], dtype=torch.float64)
    path = VariancePreserving(0.1, 60.0)
    decoder, denoise = LevelDecoder(3, path.sigma_min), PixelDenoiser(p)
    x = torch.cartesian_prod(torch.arange(3), torch.arange(3))
    truth = p[0, x[:, 0]].log() + p[1, x[:, 1]].log()
    y = level_values(3).double()[x].repeat_interleave(200, dim=0)
    law = Knee(path, torch.tensor(1.0))
    nats, _ = elbo(path, denoise, decoder, law, y, Draws(Streams(0, len(y)), 200), None)
    bound = nats.reshape(9, 200).mean(1)
    error = nats.reshape(9, 200).std(1) / math.sqrt(200)
    assert bool((bound < truth + 5 * error).all())
    assert 0.95 < float(bound.exp().sum()) <= 1.0 + 5 * float((bound.exp() * error).norm())
    # the ODE: log P(x) >= E log p(y0) + E log P(x|y0) + entropy
    rows = level_values(3).double()[x]
    draws = rows.unsqueeze(1) + path.sigma_min * Streams(1, 9).normal(64, 2, dtype=torch.float64)
    found = ode_estimate(path, denoise, draws, 64, None)
    value, stderr = found.nats, found.stderr
    value = value + decoder.expected(rows) + math.log(2 * math.pi * math.e * path.sigma_min**2)
    assert bool(((value - truth).abs() < 5 * stderr + 0.02).all())


def test_ode_density_converges_to_the_density_of_the_smallest_noise() -> None:
    oracle = mixture()
    y = oracle.draw(24, generator(5))
    # the prior N(0, 1) at t = 1 ignores the mean m of the data: at most 4 |m|/sigma_max = 0.004 in log-density
    path = VariancePreserving(0.01, 1000.0)
    exact = oracle.log_density(y, path.sigma_min)
    errors = [
        float((ode_log_density(path, oracle, y, steps) - exact).abs().max())
        for steps in (20, 40, 160)
    ]
    assert errors[1] < 0.3 * errors[0]
    assert errors[2] < 4e-3
    smoothing = (oracle.log_density(y) - exact).abs().max()
    assert float(smoothing) < 0.05


def test_few_steps_are_not_trusted() -> None:
    """Four steps are wrong, and step halving says so: the error lies within three reported standard errors for most."""
    oracle = mixture()
    y = oracle.draw(64, generator(6))
    exact = oracle.log_density(y, PATH.sigma_min)
    found = ode_estimate(PATH, oracle, y.unsqueeze(1), 4, None)
    stderr, error = found.stderr, (found.nats - exact).abs()
    assert float(error.mean()) > 0.1
    assert float((error < 3 * stderr).double().mean()) > 0.8
    fine = ode_estimate(PATH, oracle, y.unsqueeze(1), 64, None).stderr
    assert float(fine.mean()) < 0.05 * float(stderr.mean())


def test_traces_against_the_autograd_jacobian() -> None:
    oracle, u = mixture(), torch.tensor(-1.0, dtype=torch.float64)
    field = ScaledByLogNoise(PATH).field(oracle)
    y = oracle.draw(5, generator(7))
    velocity, trace = with_divergence(field, y, u, None)
    torch.testing.assert_close(velocity, field(y, u))
    for row, value in zip(y, trace, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda r: field(r.unsqueeze(0), u)[0], row)
        torch.testing.assert_close(value, torch.trace(torch.as_tensor(jacobian)))
    # two dimensions have four Rademacher probes: their mean is the trace exactly
    signs = torch.cartesian_prod(torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0])).double()
    probed = torch.stack([with_divergence(field, y, u, s.expand_as(y))[1] for s in signs])
    torch.testing.assert_close(probed.mean(0), trace)
    assert float((probed - trace).abs().max()) > 1e-3


def test_flow_is_invertible_and_exact_on_a_gaussian() -> None:
    oracle = gaussian()
    y = oracle.draw(32, generator(8))
    code = flow(PATH, oracle, y, 64)
    torch.testing.assert_close(
        code, gaussian_flow(oracle, y, PATH.sigma_min, PATH.sigma_max), rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(flow(PATH, oracle, code, 64, reverse=True), y, rtol=1e-4, atol=1e-4)


def trained(space: Points | Image, classes: tuple[str, ...] = (), steps: int = 400):  # type: ignore[no-untyped-def]
    values = {
        "width": 32 if isinstance(space, Points) else 8,
        "depth": 1,
        "context": 16,
        "ode_steps": 16,
    }
    model = build("diffusion", space, classes, values)
    data = examples(space, bool(classes), n=2048)
    budget = TrainConfig(
        steps=steps, batch_size=256, learning_rate=6e-3, ema=0.98, evaluate_every=10**6
    )
    fit(model, data, data[:256], budget)
    return model, data[:512]


def test_trained_points_bound_approaches_the_entropy_and_agrees_with_the_ode() -> None:
    """A correlated Gaussian: within 0.1 nats of its entropy in 400 steps; ODE and bound within 0.1 of each other."""
    model, data = trained(Points(2))
    covariance = torch.cov(data.x.double().T)
    # the log-density of the fitted Gaussian, averaged over the very rows that are scored
    entropy = 0.5 * float(torch.logdet(2 * math.pi * math.e * covariance))
    bound, ode = (model.log_prob(data, estimator=e, samples=64) for e in ("elbo", "ode"))
    assert bound.value == pytest.approx(entropy, abs=0.1)
    assert ode.value == pytest.approx(bound.value, abs=0.1)
    assert ode.stderr is not None
    assert float(ode.stderr.mean()) < 0.05


def test_trained_bound_sums_to_at_most_one_over_every_image() -> None:
    """The sum of exponentials of noisy bounds is inflated by at most exp(stderr^2/2), here a few percent."""
    model, _ = trained(Image(1, 2, 2, levels=3), steps=120)
    x = enumerate_images(Image(1, 2, 2, levels=3))
    lp = model.log_prob(x, samples=512)
    assert lp.stderr is not None
    inflation = math.exp(0.5 * float(lp.stderr.max()) ** 2)
    assert 0.3 < float(lp.nats.double().exp().sum()) < inflation
    ode = model.log_prob(x, estimator="ode", samples=16)
    assert 0.3 < float(ode.nats.double().exp().sum()) < 1.05


def test_guided_samples_move_towards_their_class() -> None:
    """Labels shift the mean along (0.6, 0.24): more guidance, further from the unconditional mean."""
    model, _ = trained(Points(2), ("a", "b", "c"))
    means = [model.sample(256, given="c", guidance=w, seed=1)[:, 0].mean() for w in (0.0, 1.0, 2.5)]
    assert float(means[0]) < float(means[1]) < float(means[2])
    torch.testing.assert_close(
        model.sample(8, given="c", guidance=0.0, seed=2),
        model.sample(8, seed=2),
        rtol=1e-5,
        atol=1e-5,
    )
    assert model.walk(2, given="c", guidance=2.0, steps=18).calls == 70
    assert model.walk(2, given="c", steps=18).calls == 35
    assert model.walk(2, steps=18, solver="ddim").calls == 18


def test_labels_follow_their_examples_through_the_bound() -> None:
    """A batch of mixed labels scores as its rows do alone, also when noise levels are denoised in several groups."""
    model, data = trained(Points(2), ("a", "b", "c"), steps=40)
    x, label = data.x[:3], torch.tensor([0, 2, 1])
    whole = model.log_prob(x, Given(label), samples=8).nats
    for i in range(3):
        # streams belong to positions: the row is scored at its own position among copies
        alone = model.log_prob(x[i].expand(3, 2), Given(label[i].repeat(3)), samples=8).nats[i]
        torch.testing.assert_close(whole[i], alone, rtol=1e-4, atol=1e-4)
    inner = model.process._bind(Given(label))
    encoded = model.codec.encode(x).value
    law = Knee(model.process.path, torch.tensor(1.0))
    one, many = (
        elbo(
            model.process.path,
            inner,
            model.process.decoder,
            law,
            encoded,
            Draws(Streams(0, 3), 8),
            None,
            scalars=k,
        )[0]
        for k in (6, 10**6)
    )
    torch.testing.assert_close(one, many, rtol=1e-4, atol=1e-4)
