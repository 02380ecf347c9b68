"""Conditional generation from observations, against the closed forms of a correlated Gaussian."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from conformance.cases import examples, train
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Given
from pushforward.core.noise import Streams
from pushforward.core.observed import Observed
from pushforward.core.operators import (
    Identity,
    Linear,
    Matrix,
    Operator,
    Separable,
    block_means,
    check_adjoint,
    parse_operator,
    smoothing,
)
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.walk import run, states
from pushforward.families.build import build
from pushforward.families.diffusion.denoisers.denoiser import Denoiser
from pushforward.families.diffusion.denoisers.posterior import (
    POSTERIORS,
    LinearPosterior,
    conjugate_gradients,
)
from pushforward.families.diffusion.options import INPAINTING, POSTERIOR
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.solvers.inpainting import METHODS, Inpainting
from pushforward.families.diffusion.solvers.noise_grids import karras_levels, remaining_levels
from pushforward.families.diffusion.solvers.sampler import SOLVERS
from pushforward.families.diffusion.solvers.schemes import Ancestral, Descent, Origin, SchemeSampler

PATH = VariancePreserving(0.002, 80.0)
# the prior knows no mean: at its end the data must be far below the noise
LONG = VariancePreserving(0.002, 500.0)
MEAN = torch.tensor([0.7, -1.1, 0.4]).double()
ROOT = torch.tensor([[1.1, 0.0, 0.0], [-0.9, 0.5, 0.0], [0.3, 0.6, 0.8]]).double()
COVARIANCE = ROOT @ ROOT.T
# asymmetric, more unknowns than measurements
FORWARD = torch.tensor([[1.0, 0.5, -0.3], [0.0, 2.0, 0.4]]).double()


class Correlated(Denoiser):
    """The exact denoiser of one Gaussian; counts its calls."""

    def __init__(self, mean: Tensor = MEAN, covariance: Tensor = COVARIANCE) -> None:
        self.mean, self.covariance, self.seen = mean, covariance, 0

    def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        self.seen += 1
        eye = torch.eye(len(self.mean)).to(y)
        gain = torch.linalg.solve(self.covariance + noise_level.to(y) ** 2 * eye, self.covariance)
        return self.mean + (y - self.mean) @ gain


def posterior(
    measured: Tensor,
    forward: Tensor,
    noise: float,
    mean: Tensor = MEAN,
    covariance: Tensor = COVARIANCE,
):  # type: ignore[no-untyped-def]
    """Mean and covariance of x given `forward x + noise eps = measured`."""
    gain = (
        covariance
        @ forward.T
        @ torch.linalg.inv(
            forward @ covariance @ forward.T + noise**2 * torch.eye(len(forward)).double()
        )
    )
    return mean + gain @ (measured - forward @ mean), covariance - gain @ forward @ covariance


def affine_law(denoiser: Denoiser, steps: int = 60, solver: str = "heun") -> tuple[Tensor, Tensor]:
    """The exact law of a deterministic sampler whose denoiser is affine: push zero and the unit vectors through it."""
    basis = torch.cat([torch.zeros(1, 3), torch.eye(3)]).double()
    walk = SOLVERS[solver].walk(
        LONG, lambda y, s: denoiser.denoise(y, s, None), lambda: basis, steps, denoiser.cost
    )
    x = run(walk)
    rows = x[1:] - x[:1]
    return x[0], rows.T @ rows


MEASURED = torch.tensor([0.2, -1.3]).double()


def measured(noise: float, operator: Operator | None = None, n: int = 4) -> Observed:
    values = MEASURED.expand(n, -1)
    return Observed(
        values, torch.ones_like(values, dtype=torch.bool), operator or Matrix(FORWARD), noise
    )


@pytest.mark.parametrize("noise", [0.0, 0.6])
def test_moment_matching_is_exact_for_every_gaussian(noise: float) -> None:
    """Mean and covariance of what Heun's method makes of it against the posterior: what 60 steps leave, no Monte Carlo error."""
    mean, covariance = affine_law(LinearPosterior(Correlated(), measured(noise), "moment", 1.0))
    wanted_mean, wanted = posterior(MEASURED, FORWARD, noise)
    torch.testing.assert_close(mean, wanted_mean, rtol=0, atol=4e-3)
    torch.testing.assert_close(covariance, wanted, rtol=0, atol=0.015)


def test_the_corrected_denoiser_is_the_posteriors_own() -> None:
    """At every level: the denoiser of the prior, corrected, is the denoiser of the closed-form posterior."""
    y = 3.0 * torch.randn(4, 3, generator=generator(0), dtype=torch.float64)
    exact = Correlated(*posterior(MEASURED, FORWARD, 0.3))
    for level in (0.01, 0.4, 2.0, 30.0):
        s = torch.tensor(level).double()
        found = LinearPosterior(Correlated(), measured(0.3), "moment", 1.0).denoise(y, s, None)
        torch.testing.assert_close(found, exact.denoise(y, s, None), rtol=1e-6, atol=1e-6)


def test_pigdm_is_exact_for_white_data_and_biased_by_what_it_takes_for_white() -> None:
    white = Correlated(MEAN, 0.49 * torch.eye(3).double())
    mean, covariance = affine_law(LinearPosterior(white, measured(0.3), "pigdm", 0.7))
    wanted_mean, wanted = posterior(MEASURED, FORWARD, 0.3, MEAN, 0.49 * torch.eye(3).double())
    torch.testing.assert_close(mean, wanted_mean, rtol=0, atol=4e-3)
    torch.testing.assert_close(covariance, wanted, rtol=0, atol=0.01)
    # correlated data: the mean is off by a tenth of a standard deviation or more, and still far nearer than the prior's
    scale = float(COVARIANCE.trace() / 3) ** 0.5
    mean, covariance = affine_law(LinearPosterior(Correlated(), measured(0.3), "pigdm", scale), 30)
    wanted_mean, wanted = posterior(MEASURED, FORWARD, 0.3)
    off = float((mean - wanted_mean).norm())
    assert 0.1 * float(wanted.trace()) ** 0.5 < off < 0.6 * float((MEAN - wanted_mean).norm())


def test_dps_pulls_too_hard_by_a_known_amount() -> None:
    """In one dimension all is a number: C = 0 puts `1/noise^2` in place of `1/(C + noise^2)` at every level."""
    v, noise, m = 0.8, 0.5, 1.4
    one = Correlated(torch.zeros(1).double(), torch.full((1, 1), v).double())
    seen = Observed(
        torch.full((1, 1), m).double(), torch.ones(1, 1, dtype=torch.bool), Identity(), noise
    )
    y, s = torch.tensor([[0.9]]).double(), 1.3
    shrink = v / (v + s**2)
    found = LinearPosterior(one, seen, "dps", 1.0).denoise(y, torch.tensor(s).double(), None)
    assert float(found) == pytest.approx(
        shrink * 0.9 + s**2 * shrink * (m - shrink * 0.9) / noise**2
    )
    exact = shrink * 0.9 + s**2 * shrink * (m - shrink * 0.9) / (s**2 * shrink + noise**2)
    for method in ("pigdm", "moment"):
        right = LinearPosterior(one, seen, method, v**0.5).denoise(
            y, torch.tensor(s).double(), None
        )
        assert float(right) == pytest.approx(exact)
    # pulled beyond: the posterior's mean lies between the prior's and what was measured, and its variance is that of neither
    with pytest.raises(BadInput, match="posterior='dps' of a measurement without noise"):
        LinearPosterior(one, dataclasses.replace(seen, noise=0.0), "dps", 1.0)
    with pytest.raises(
        BadInput, match="unknown posterior 'dsp': expected one of pigdm, moment, dps"
    ):
        LinearPosterior(one, seen, "dsp", 1.0)


def test_the_calls_of_a_posterior_are_counted_forwards_and_backwards() -> None:
    inner = Correlated()
    for method in POSTERIORS:
        backward, wrapped = method.backward, LinearPosterior(inner, measured(0.3), method.name, 1.0)
        assert wrapped.calls == wrapped.cost(1.0) == 1 + backward
    assert SOLVERS["ddim"].walk(PATH, lambda y, s: y, lambda: MEAN, 10, wrapped.cost).calls == 20


def test_a_masked_measurement_is_a_smaller_one() -> None:
    """Hiding the second of two measurements is having made one."""
    half = torch.tensor([[True, False]]).expand(4, -1)
    hidden = Observed(
        torch.tensor([[0.2, torch.nan]]).double().expand(4, -1), half, Matrix(FORWARD), 0.1
    )
    single = Observed(MEASURED[:1].expand(4, -1), half[:, :1], Matrix(FORWARD[:1]), 0.1)
    y, s = torch.randn(4, 3, generator=generator(2)).double(), torch.tensor(0.7).double()
    for method in POSTERIORS.names():
        a, b = (
            LinearPosterior(Correlated(), seen, method, 1.0).denoise(y, s, None)
            for seen in (hidden, single)
        )
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_conjugate_gradients_solve_each_example_for_itself() -> None:
    root = torch.randn(6, 5, 5, generator=generator(3), dtype=torch.float64)
    matrices = root @ root.transpose(1, 2) + 0.1 * torch.eye(5).double()
    right = torch.randn(6, 5, generator=generator(4), dtype=torch.float64)
    right[2] = 0.0
    product = lambda k: lambda x: (k @ x.unsqueeze(-1)).squeeze(-1)  # noqa: E731
    found = conjugate_gradients(product(matrices), right, 20)
    torch.testing.assert_close(found, torch.linalg.solve(matrices, right), rtol=1e-4, atol=1e-4)
    alone = conjugate_gradients(product(matrices[4:5]), right[4:5], 20)
    torch.testing.assert_close(found[4:5], alone, rtol=1e-9, atol=1e-9)


KNOWN = torch.tensor([True, False, True])
VALUES = torch.tensor([1.6, 0.0, -0.5]).double()


def inpaint(repeats: int, n: int, steps: int = 40) -> tuple[Tensor, float]:
    rng = generator(repeats, "inpaint")
    draw = lambda: torch.randn(n, 3, generator=rng, dtype=torch.float64)  # noqa: E731
    inner = Correlated()
    descent = Descent(PATH, lambda y, s: inner.denoise(y, s, None), draw, steps)
    seen = Observed(VALUES.expand(n, -1), KNOWN.expand(n, -1))
    walk = Inpainting(SchemeSampler(descent, Ancestral(1.0)), seen, draw, repeats)
    x = run(walk)
    assert walk.calls == inner.seen == (steps - 1) * repeats + 1
    return x, float(walk.calls)


def test_repaint_improves_on_replacement_in_a_correlated_gaussian() -> None:
    """The unknown coordinate has a normal law given the two known ones; replacement misses it by many standard errors."""
    n, forward = 8_000, torch.eye(3).double()[KNOWN]
    mean, covariance = posterior(VALUES[KNOWN], forward, 0.0)
    off, spread = [], []
    for repeats in (1, 10):
        x, _ = inpaint(repeats, n)
        assert torch.equal(x[:, KNOWN], VALUES[KNOWN].expand(n, -1))
        off.append(float((x[:, 1].mean() - mean[1]).abs() / (covariance[1, 1] / n).sqrt()))
        spread.append(float((x[:, 1].var() / covariance[1, 1] - 1).abs() / (2 / n) ** 0.5))
    print("standard errors of mean and variance", off, spread)
    assert off[0] > 10 or spread[0] > 10
    assert max(off[1], spread[1]) < 0.5 * max(off[0], spread[0])


def test_independent_coordinates_need_no_repeats() -> None:
    """Without correlations replacement is exact: mean and variance of the unknown one within 5 standard errors."""
    n = 20_000
    rng = generator(1)
    draw = lambda: torch.randn(n, 3, generator=rng, dtype=torch.float64)  # noqa: E731
    inner = Correlated(MEAN, torch.diag(torch.tensor([1.2, 0.3, 0.7]).double()))
    walk = SOLVERS["heun"].walk(PATH, lambda y, s: inner.denoise(y, s, None), draw, 40, 1.0)
    x = run(Inpainting(walk, Observed(VALUES.expand(n, -1), KNOWN.expand(n, -1)), draw))  # type: ignore[arg-type]
    assert abs(float(x[:, 1].mean() - MEAN[1])) < 5 * (0.3 / n) ** 0.5
    assert abs(float(x[:, 1].var() / 0.3 - 1)) < 5 * (2 / n) ** 0.5 + 2e-3


def test_a_walk_may_begin_anywhere_between_the_data_and_the_prior() -> None:
    levels = karras_levels(10, 0.01, 40.0)
    assert torch.equal(remaining_levels(levels, 1.0), levels)
    assert torch.equal(remaining_levels(levels, 0.5), levels[5:])
    fine = [remaining_levels(levels, k / 1000) for k in range(1, 1001)]
    first = torch.stack([f[0] for f in fine])
    assert bool((first.diff() > 0).all())
    assert float(first[0]) < 2e-4
    # continuous: no jump where a step joins, and none of length zero
    assert float((first[1:].log() - first[:-1].log())[110:].max()) < 0.03
    assert all(bool((f.diff() < 0).all()) for f in fine)


@pytest.mark.parametrize("solver", ["heun", "ddim", "unipc", "ddpm", "dpmpp-2m-sde", "pc"])
def test_strength_goes_from_the_input_to_the_prior(solver: str) -> None:
    n, inner = 64, Correlated()
    start = MEAN + 0.5 * torch.randn(n, 3, generator=generator(0), dtype=torch.float64)

    def from_start(strength: float) -> Tensor:
        rng = generator(7)
        draw = lambda: torch.randn(n, 3, generator=rng, dtype=torch.float64)  # noqa: E731
        origin = Origin(start, strength)
        walk = SOLVERS[solver].walk(
            PATH, lambda y, s: inner.denoise(y, s, None), draw, 20, 1.0, origin=origin
        )
        before = inner.seen
        x = run(walk)
        assert walk.calls == inner.seen - before
        return x

    rng = generator(7)
    draw = lambda: torch.randn(n, 3, generator=rng, dtype=torch.float64)  # noqa: E731
    plain = run(SOLVERS[solver].walk(PATH, lambda y, s: inner.denoise(y, s, None), draw, 20, 1.0))
    assert torch.equal(from_start(1.0), plain)
    away = [
        float((from_start(strength) - start).abs().mean()) for strength in (1e-6, 0.2, 0.5, 0.99)
    ]
    assert away[0] < 1e-6
    assert away[0] < away[1] < min(away[2], away[3])


def test_noising_a_gaussian_to_a_level_and_back_keeps_it() -> None:
    """Examples of the law itself, whatever the strength: mean and variances within 5 standard errors."""
    n = 20_000
    rng = generator(3)
    draw = lambda: torch.randn(n, 3, generator=rng, dtype=torch.float64)  # noqa: E731
    inner = Correlated()
    x = run(
        SOLVERS["heun"].walk(
            PATH,
            lambda y, s: inner.denoise(y, s, None),
            draw,
            40,
            1.0,
            origin=Origin(MEAN + draw() @ ROOT.T, 0.55),
        )
    )
    variance = COVARIANCE.diagonal()
    assert bool(((x.mean(0) - MEAN).abs() < 5 * (variance / n).sqrt()).all())
    assert bool(((x.var(0) / variance - 1).abs() < 5 * (2 / n) ** 0.5 + 5e-3).all())


OPERATORS = [
    Identity(),
    Separable(block_means(6, 3), block_means(4, 2)),
    Separable(smoothing(6, 1.3), smoothing(4, 0.6)),
    Linear(
        lambda x: x.flatten(1).cumsum(1), lambda y: y.flip(1).cumsum(1).flip(1).reshape(-1, 2, 6, 4)
    ),
]


@pytest.mark.parametrize("operator", OPERATORS)
def test_operators_are_linear_and_have_their_adjoints(operator: Operator) -> None:
    example = torch.zeros(1, 2, 6, 4, dtype=torch.float64)
    check_adjoint(operator, example)
    a, b = torch.randn(2, 3, 2, 6, 4, generator=generator(1), dtype=torch.float64).unbind(0)
    torch.testing.assert_close(
        operator.apply(2.0 * a - b), 2.0 * operator.apply(a) - operator.apply(b)
    )
    # the adjoint is the derivative's
    y = operator.apply(a)
    (gradient,) = torch.autograd.grad(
        (operator.apply(leaf := a.clone().requires_grad_()) * y).sum(), leaf
    )
    torch.testing.assert_close(operator.adjoint(y), gradient)


def test_means_and_blurs_keep_constants() -> None:
    flat = torch.full((1, 1, 8, 8), 3.0)
    for word in ("mask", "downsample:2", "downsample:4", "blur:0.3", "blur:2"):
        assert torch.allclose(parse_operator(word, Image(1, 8, 8)).apply(flat), torch.tensor(3.0))


@pytest.mark.parametrize(
    ("word", "pattern"),
    [
        (
            "blurr:1",
            "unknown operator 'blurr:1': expected one of mask, downsample:FACTOR, blur:PIXELS",
        ),
        ("downsample", "the operator 'downsample' on images of 8 x 6 pixels: expected a factor"),
        ("downsample:4", "a factor of 2 or more that divides both sides"),
        ("downsample:1.5", "a factor of 2 or more"),
        ("blur:-1", "a width above 0 in pixels"),
        ("blur:soft", "a width above 0 in pixels"),
    ],
)
def test_unknown_operators_are_refused(word: str, pattern: str) -> None:
    with pytest.raises(BadInput, match=pattern):
        parse_operator(word, Image(1, 6, 8))
    with pytest.raises(BadInput, match="the operator 'blur:1' on points: expected mask"):
        parse_operator("blur:1", Points(2))


@pytest.fixture(scope="module")
def models():  # type: ignore[no-untyped-def]
    found = {}
    for space in (Points(2), Image(1, 3, 3, levels=2), Image(1, 4, 4, levels=17)):
        values = {"width": 24 if isinstance(space, Points) else 8, "depth": 1, "context": 16}
        model = build("diffusion", space, (), values)
        model.prepare(examples(space, False))
        train(model, examples(space, False), 100 if isinstance(space, Points) else 10, 6e-3)
        found[space] = model.eval()
    return found


def observed(space: Points | Image, n: int) -> Given:
    x = examples(space, False, n=n, seed=5).x
    mask = torch.zeros(n, space.dimensions, dtype=torch.bool)
    mask[:, : max(1, space.dimensions // 2)] = True
    return Given(observed=Observed(x.float(), mask.reshape(x.shape)))


def test_known_coordinates_are_exact_and_batches_change_nothing(models) -> None:  # type: ignore[no-untyped-def]
    for space, model in models.items():
        given = observed(space, 6)
        seen = given.observed
        assert seen is not None
        for options in (
            {"repeats": 2},
            {"inpainting": "replacement", "solver": "ddpm"},
            {"solver": "unipc", "repeats": 1},
        ):
            settings = {"steps": 6, "seed": 3, **options}
            x = model.sample(6, given, **settings)
            space.check(x)
            # points: up to the rounding of their codec
            torch.testing.assert_close(
                x[seen.mask].float(), seen.values[seen.mask], rtol=1e-5, atol=1e-5
            )
            alone = model.sample(2, given[:2], **settings)
            assert float(((x[:2].float() - alone.float()).abs() > 1e-3).float().mean()) < 0.05
        assert model.walk(6, given, steps=8, solver="ddim", repeats=3).calls == 7 * 3 + 1
        assert model.walk(6, given, steps=8, inpainting="replacement").calls == 15
        walk = model.walk(6, given, steps=4, seed=1)
        assert all(
            torch.equal(walk.peek(s)[seen.mask], walk.observed.values[seen.mask])
            for s in states(walk)
        )


def test_measurements_are_in_data_units_and_batches_change_nothing(models) -> None:  # type: ignore[no-untyped-def]
    """A precise measurement of everything leaves nothing to draw: the sample is what was measured."""
    for space, model in models.items():
        x = examples(space, False, n=5, seed=6).x
        everything = Observed(x.float(), torch.ones(x.shape, dtype=torch.bool), Identity(), 0.01)
        found = model.sample(5, Given(observed=everything), steps=12).float()
        # an image whose network has hardly been trained may round to a neighbouring level now and then
        assert float(((found - x.float()).abs() > 0.05).float().mean()) < (
            0.1 if isinstance(space, Image) else 1e-9
        )
        alone = model.sample(2, Given(observed=everything)[:2], steps=12).float()
        torch.testing.assert_close(found[:2], alone, rtol=1e-3, atol=1e-3)
    space = Image(1, 4, 4, levels=17)
    x = examples(space, False, n=8, seed=6).x.float()
    small = parse_operator("downsample:2", space)
    means = small.apply(x)
    given = Given(observed=Observed(means, torch.ones_like(means, dtype=torch.bool), small, 0.2))
    drawn = models[space].sample(8, given, steps=12).float()
    # levels round by up to half, a mean of four such by 0.14 in standard deviation
    assert float((small.apply(drawn) - means).square().mean().sqrt()) < 0.6
    assert models[space].walk(8, given, steps=9, solver="ddim").calls == 18


def test_examples_to_begin_at_are_in_data_units(models) -> None:  # type: ignore[no-untyped-def]
    for space, model in models.items():
        x = examples(space, False, n=5, seed=6).x
        found = model.sample(5, Given(start=x), strength=1e-4)
        torch.testing.assert_close(found.float(), x.float(), rtol=0, atol=0.02)
        torch.testing.assert_close(
            model.sample(5, Given(start=x), strength=1.0, seed=2), model.sample(5, seed=2)
        )


def test_observations_that_cannot_be_are_refused(models) -> None:  # type: ignore[no-untyped-def]
    model, picture = models[Points(2)], models[Image(1, 3, 3, levels=2)]
    yes = torch.ones(2, 2, dtype=torch.bool)
    with pytest.raises(BadInput, match=r"a mask of dtype torch\.float32: expected booleans"):
        Observed(torch.zeros(2, 2), torch.zeros(2, 2))
    with pytest.raises(BadInput, match=r"a mask of shape \(2, 3\): expected \(2, 2\)"):
        Observed(torch.zeros(2, 2), torch.zeros(2, 3, dtype=torch.bool))
    with pytest.raises(BadInput, match=r"an observation noise of -1\.0"):
        Observed(torch.zeros(2, 2), yes, Identity(), -1.0)
    with pytest.raises(BadInput, match="known exactly, and a noise"):
        Observed(torch.zeros(2, 2), yes, None, 0.1)
    three = torch.ones(2, 3, dtype=torch.bool)
    refused = [
        (
            model,
            Observed(torch.zeros(2, 3), three),
            r"mask of shape \(3,\): expected \(2,\) for Points",
        ),
        (
            model,
            Observed(torch.zeros(2, 3), three, Matrix(torch.eye(2))),
            r"\(2,\) for Points\(dim=2\) through that operator",
        ),
        (model, Observed(torch.zeros(2, 2), ~yes), "a mask that hides everything"),
        (model, Observed(torch.full((2, 2), torch.nan), yes), "NaN or infinity"),
        (
            model,
            Observed(torch.zeros(2, 2), yes, Linear(lambda x: x, lambda y: 2 * y)),
            "a linear map and its adjoint",
        ),
        (
            picture,
            Observed(torch.full((2, 1, 3, 3), 5.0), torch.ones(2, 1, 3, 3, dtype=torch.bool)),
            "from 5 to 5: expected levels from 0 to 1",
        ),
        (
            picture,
            Observed(torch.full((2, 1, 3, 3), 0.5), torch.ones(2, 1, 3, 3, dtype=torch.bool)),
            "between levels",
        ),
    ]
    for one, seen, pattern in refused:
        with pytest.raises(BadInput, match=pattern):
            one.sample(2, Given(observed=seen))
    known, exact = (
        Given(observed=Observed(torch.zeros(2, 2), yes, Identity(), 0.1)),
        Given(observed=Observed(torch.zeros(2, 2), yes)),
    )
    start = Given(start=torch.zeros(2, 2))
    for given, options, pattern in (
        (None, {"strength": 0.5}, "a strength without an example to begin at"),
        (start, {}, "an example to begin at without a strength"),
        (start, {"strength": 0.0}, "strength=0.0: expected a share above 0 and at most 1"),
        (start, {"strength": 1.2}, "strength=1.2: expected a share"),
        (known, {"repeats": 3}, "repeats=3 without known values"),
        (known, {"inpainting": "repaint"}, "inpainting=repaint without known values"),
        (exact, {"posterior": "pigdm"}, "posterior=pigdm without a measurement"),
        (
            exact,
            {"inpainting": "paint"},
            "unknown inpainting 'paint': expected one of repaint, replacement",
        ),
        (exact, {"inpainting": "replacement", "repeats": 4}, "repeats=4 with replacement"),
        (exact, {"repeats": 0}, "repeats=0: expected at least one"),
        (Given(start=torch.zeros(2, 3)), {"strength": 0.5}, r"\(2, 3\): expected \(n, 2\)"),
    ):
        with pytest.raises(BadInput, match=pattern):
            model.sample(2, given, **options)
    for verb in (
        lambda: model.log_prob(torch.zeros(2, 2), exact),
        lambda: model.encode(torch.zeros(2, 2), exact),
        lambda: model.decode(torch.zeros(2, 2), start),
    ):
        with pytest.raises(
            Unsupported, match=r"given '(observed|start)': expected a label or nothing"
        ):
            verb()


def test_families_without_observations_say_so() -> None:
    for family in ("flow", "vae", "gan", "autoregressive"):
        model = build(family, Points(2), (), {})
        model.prepare(examples(Points(2), False))
        with pytest.raises(Unsupported, match=f"{family} on points given 'observed'"):
            model.sample(2, observed(Points(2), 2))
        with pytest.raises(Unsupported, match="no sampling option 'strength'"):
            model.sample(2, strength=0.5)


def test_the_help_names_every_method() -> None:
    # the registries live beside their mathematics, which help must not import
    for option, methods in ((POSTERIOR, POSTERIORS), (INPAINTING, METHODS)):
        assert set(methods.names()) <= set(option.says.replace(",", " ").split()), option.name


def test_a_condition_carries_its_observations_along() -> None:
    given = observed(Points(2), 6)
    assert given.parts == ("observed",)
    assert len(given[2:4]) == 2
    whole = dataclasses.replace(given, label=torch.arange(6), start=torch.zeros(6, 2))
    assert whole.parts == ("label", "observed", "start")
    assert whole[torch.tensor([5, 0])].label.tolist() == [5, 0]  # type: ignore[union-attr]
    with pytest.raises(BadInput, match=r"a condition of \[5, 6\] examples"):
        dataclasses.replace(given, start=torch.zeros(5, 2))
    assert Streams(0, 2).normal(2).shape == whole[:2].start.shape  # type: ignore[union-attr]
