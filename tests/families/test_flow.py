"""Splines and layers against autograd, closed forms and zuko."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import pytest
import torch
from torch import Tensor
from zuko.transforms import MonotonicRQSTransform

from oracles import perturb
from pushforward.core.given import Examples
from pushforward.core.noise import BatchNoise, Noise
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.families.flow.architectures import multiscale_spline_flow, spline_flow
from pushforward.families.flow.chains.chain import Chain
from pushforward.families.flow.config import FlowConfig
from pushforward.families.flow.model import Flow
from pushforward.families.flow.transforms.actnorm import ActNorm
from pushforward.families.flow.transforms.bijection import Bijection, Elementwise
from pushforward.families.flow.transforms.coupling import ImageCoupling, VectorCoupling
from pushforward.families.flow.transforms.lu_linear import LULinear
from pushforward.families.flow.transforms.spline import (
    RationalQuadratic,
    knots,
    parameters_per_input,
    spline,
)
from pushforward.families.shared.base import Base
from pushforward.nets.convolution import ResidualConv
from pushforward.nets.mlp import ResidualMLP

BINS, BOUND = 6, 3.0


def raw(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(n, parameters_per_input(BINS), generator=generator(seed), dtype=dtype) * 1.5


def test_spline_inverts_and_its_slope_is_the_derivative() -> None:
    x = (torch.randn(400, generator=generator(1), dtype=torch.float64) * 2.0).requires_grad_(True)
    y, log_slope = spline(x, raw(400), BINS, BOUND)
    (derivative,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(log_slope, derivative.log(), rtol=1e-8, atol=1e-8)
    back, log_inverse = spline(y, raw(400), BINS, BOUND, inverse=True)
    torch.testing.assert_close(back, x, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(log_inverse, -log_slope, rtol=1e-6, atol=1e-6)


def test_spline_agrees_with_zuko() -> None:
    """zuko normalises without a floor, so it is given our bins and slopes."""
    xs, ys, ds = knots(raw(50), BINS, BOUND)
    widths = ((xs[:, 1:] - xs[:, :-1]) / (2 * BOUND)).log()
    heights = ((ys[:, 1:] - ys[:, :-1]) / (2 * BOUND)).log()
    theirs = MonotonicRQSTransform(widths, heights, ds[:, 1:-1].log(), bound=BOUND, slope=1e-30)
    # replace its derived knots by the exact ones: what is compared is the curve
    theirs.horizontal, theirs.vertical, theirs.derivatives = xs, ys, ds
    x = torch.rand(50, generator=generator(2), dtype=torch.float64) * 2 * BOUND - BOUND
    y, log_slope = spline(x, raw(50), BINS, BOUND)
    torch.testing.assert_close(theirs(x), y, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(theirs.log_abs_det_jacobian(x, y), log_slope, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_spline_is_the_identity_at_the_bound(dtype: torch.dtype) -> None:
    r = raw(20, dtype=dtype)
    for edge in (-BOUND, BOUND):
        x = torch.full((20,), edge, dtype=dtype)
        y, log_slope = spline(x, r, BINS, BOUND)
        torch.testing.assert_close(y, x, rtol=1e-6, atol=1e-6)
        assert float(log_slope.abs().max()) < (1e-4 if dtype is torch.float32 else 1e-10)
        outside, log_outside = spline(x * 1.0001, r, BINS, BOUND)
        assert torch.equal(outside, x * 1.0001)
        assert bool((log_outside == 0).all())


def test_log_slope_is_continuous_across_the_bound() -> None:
    """A boundary derivative other than one would leave a jump of its logarithm, however close one looks."""
    r = raw(20)
    for edge in (-BOUND, BOUND):
        x = torch.full((20,), edge, dtype=torch.float64)
        distances = (1e-6, 1e-7, 1e-8, 1e-9)
        jumps = [float(spline(x * (1 - d), r, BINS, BOUND)[1].abs().max()) for d in distances]
        # Lipschitz inside the last bin: ten times closer, ten times smaller
        for wide, near in pairwise(jumps):
            assert near == pytest.approx(wide / 10, rel=0.2)


def test_all_tail_batches_are_the_identity_with_finite_gradients() -> None:
    x = torch.tensor([-50.0, 90.0, 1e6]).requires_grad_(True)
    r = raw(3, dtype=torch.float32).requires_grad_(True)
    for inverse in (False, True):
        y, log_slope = spline(x, r, BINS, BOUND, inverse=inverse)
        assert torch.equal(y, x)
        assert bool((log_slope == 0).all())
        grads = torch.autograd.grad(y.sum() + log_slope.sum(), (x, r))
        assert all(bool(torch.isfinite(g).all()) for g in grads)


def test_zero_parameters_are_the_identity() -> None:
    x = torch.linspace(-4, 4, 41, dtype=torch.float64)
    y, log_slope = spline(
        x, torch.zeros(41, parameters_per_input(BINS), dtype=torch.float64), BINS, BOUND
    )
    torch.testing.assert_close(y, x, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(log_slope, torch.zeros_like(x), rtol=1e-9, atol=1e-9)


SPLINE = RationalQuadratic(bins=4, bound=3.0)


def mlp(inputs: int, outputs: int) -> ResidualMLP:
    return ResidualMLP(inputs, outputs, 8, 1, zero_output=True)


def convolutions(inputs: int, outputs: int) -> ResidualConv:
    return ResidualConv(inputs, outputs, 8, 1, zero_output=True)


class Affine(Elementwise):
    """`y = x e^a + b`."""

    @property
    def parameters(self) -> int:
        return 2

    def forward(self, x: Tensor, raw: Tensor) -> tuple[Tensor, Tensor]:
        return x * raw[..., 0].exp() + raw[..., 1], raw[..., 0]

    def inverse(self, y: Tensor, raw: Tensor) -> Tensor:
        return (y - raw[..., 1]) * (-raw[..., 0]).exp()


LAYERS = {
    "coupling": (lambda: VectorCoupling(torch.tensor([True, False, True]), SPLINE, mlp), (3,)),
    "affine coupling": (
        lambda: VectorCoupling(torch.tensor([True, False, True]), Affine(), mlp),
        (3,),
    ),
    "affine image coupling": (lambda: ImageCoupling(3, Affine(), convolutions), (3, 2, 2)),
    "image coupling": (lambda: ImageCoupling(4, SPLINE, convolutions), (4, 2, 2)),
    "actnorm": (lambda: ActNorm(3), (3, 2, 2)),
    "matrix": (lambda: LULinear(3), (3, 2, 2)),
    "matrix of vectors": (lambda: LULinear(5), (5,)),
}


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_log_determinant_is_the_jacobians(name: str) -> None:
    make, shape = LAYERS[name]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        layer: Bijection = make().double()
    perturb(layer, 0.2)  # type: ignore[arg-type]
    x = torch.randn(2, *shape, generator=generator(4), dtype=torch.float64)
    with torch.no_grad():
        y, log_det = layer(x, None)
        torch.testing.assert_close(layer.inverse(y, None), x, rtol=1e-8, atol=1e-8)
    for i in range(2):
        jacobian = torch.autograd.functional.jacobian(
            lambda v: layer(v[None], None)[0].flatten(), x[i]
        )
        assert isinstance(jacobian, Tensor)
        size = math.prod(shape)
        expected = torch.linalg.slogdet(jacobian.reshape(size, size)).logabsdet
        torch.testing.assert_close(log_det[i], expected, rtol=1e-7, atol=1e-7)


SMALL = FlowConfig(layers=2, width=8, depth=1, bins=4, bound=3.0)


@pytest.mark.parametrize(
    "chain",
    [
        spline_flow(Points(3), SMALL, 0),
        multiscale_spline_flow(Image(1, 4, 4), SMALL.model_copy(update={"layers": 1}), 0),
        multiscale_spline_flow(Image(3, 2, 2), SMALL, 0),
        multiscale_spline_flow(Image(1, 3, 2), SMALL, 0),
    ],
    ids=["vector", "two scales", "colour", "odd side"],
)
def test_log_determinant_of_a_chain_is_the_jacobians(chain: Chain) -> None:
    chain = chain.double()
    perturb(chain, 0.1)  # type: ignore[arg-type]
    x = torch.randn(1, *chain.shape, generator=generator(5), dtype=torch.float64)
    z, log_det = chain(x, None)
    jacobian = torch.autograd.functional.jacobian(lambda v: chain(v, None)[0].flatten(), x)
    assert isinstance(jacobian, Tensor)
    expected = torch.linalg.slogdet(jacobian.reshape(z.numel(), -1)).logabsdet
    torch.testing.assert_close(log_det[0], expected, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(chain.inverse(z, None), x, rtol=1e-7, atol=1e-7)


def test_chain_density_is_base_plus_jacobian() -> None:
    model = Flow(Points(3), SMALL).double()
    perturb(model, 0.1)
    x = torch.randn(1, 3, generator=generator(5), dtype=torch.float64)
    z, log_det = model.chain(x, None)
    normal = torch.distributions.Normal(torch.zeros_like(z), 1.0)
    torch.testing.assert_close(
        model.nats(x, None), normal.log_prob(z).sum(1) + log_det, rtol=1e-9, atol=1e-9
    )
    torch.testing.assert_close(
        model.base.log_prob(z), normal.log_prob(z).sum(1), rtol=1e-9, atol=1e-9
    )


def test_actnorm_initialises_once_and_remembers() -> None:
    layer = ActNorm(3)
    x = torch.randn(64, 3, 2, 2, generator=generator(6)) * 5 + 2
    layer.initialise(x)
    y, _ = layer(x, None)
    flat = y.detach().movedim(1, -1).reshape(-1, 3)
    torch.testing.assert_close(flat.mean(0), torch.zeros(3), rtol=0, atol=1e-4)
    torch.testing.assert_close(flat.std(0, correction=0), torch.ones(3), rtol=1e-4, atol=1e-4)
    again = ActNorm(3)
    again.load_state_dict(layer.state_dict())
    again.initialise(x * 100)
    assert torch.equal(again.bias, layer.bias)


def test_float32_round_trip_budget_by_depth() -> None:
    for layers, budget in ((2, 1e-4), (8, 1e-3)):
        chain = spline_flow(Points(6), FlowConfig(layers=layers, width=16, depth=1, bins=8), 0)
        perturb(chain, 0.05)  # type: ignore[arg-type]
        x = torch.randn(200, 6, generator=generator(7))
        with torch.no_grad():
            error = (chain.inverse(chain(x, None)[0], None) - x).abs().max()
        assert float(error) < budget


def test_one_dimension_integrates_to_one() -> None:
    model = Flow(Points(1), FlowConfig(layers=2, width=8, depth=1, bins=4))
    perturb(model, 0.3)
    model.prepare(Examples(torch.randn(300, 1, generator=generator(8)) * 2 - 1))
    x = torch.linspace(-30, 30, 60_001)[:, None]
    mass = float(model.log_prob(x).nats.double().exp().sum() * 1e-3)
    assert mass == pytest.approx(1.0, abs=1e-3)


@dataclass(frozen=True)
class Laplace(Base):
    """`e^-|z| / 2` in every dimension."""

    dimensions: int

    def log_prob(self, z: Tensor) -> Tensor:
        return -z.abs().sum(1) - self.dimensions * math.log(2.0)

    def sample(self, noise: Noise, temperature: float = 1.0) -> Tensor:
        u = noise.uniform(self.dimensions) - 0.5
        return -temperature * u.sign() * torch.log1p(-2.0 * u.abs())


def test_another_base_is_one_object() -> None:
    """Its density integrates to one, its samples follow it, and the flow learns with it."""
    model = Flow(Points(1), FlowConfig(layers=2, width=8, depth=1, bins=4))
    model.base = Laplace(1)
    perturb(model, 0.3)
    data = Examples(torch.randn(300, 1, generator=generator(8)) * 2 - 1)
    model.prepare(data)
    x = torch.linspace(-40, 40, 80_001)[:, None]
    p = model.log_prob(x).nats.double().exp()
    assert float(p.sum() * 1e-3) == pytest.approx(1.0, abs=1e-3)
    drawn, below = model.sample(20_000, seed=1), p.cumsum(0) * 1e-3
    # the distribution function at draws from it is uniform: 4 standard errors of its mean
    found = below[((drawn.flatten().double() + 40.0) / 1e-3).round().long().clamp(0, 80_000)]
    assert float(found.mean()) == pytest.approx(0.5, abs=4 / math.sqrt(12 * 20_000))
    (loss,) = model.losses(data, BatchNoise(generator(0), len(data)))
    assert all(
        bool(g.isfinite().all())
        for g in torch.autograd.grad(loss.value, list(model.chain.parameters()))
    )


def test_importance_weights_tighten_the_dequantised_bound() -> None:
    space = Image(1, 2, 2, levels=3)
    model = Flow(space, FlowConfig(layers=1, width=8, depth=1, bins=4))
    perturb(model, 0.3)
    x = torch.randint(0, 3, (64, 1, 2, 2), generator=generator(9)).to(torch.uint8)
    plain = model.log_prob(x, estimator="dequantised", samples=64)
    weighted = [model.log_prob(x, estimator="iwae", samples=k).mean_nats for k in (1, 8, 64)]
    assert plain.stderr is not None
    assert weighted[0] - 0.1 < weighted[1] < weighted[2]
    assert weighted[2] > plain.mean_nats
    default, sixteen = (
        model.log_prob(x, estimator="iwae"),
        model.log_prob(x, estimator="iwae", samples=16),
    )
    assert torch.equal(
        default.nats, sixteen.nats
    )  # one draw, which says no more than the plain bound, is nobody's default
