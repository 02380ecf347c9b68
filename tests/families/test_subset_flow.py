"""Subset flows: bijections of every shape, densities that are those of levels, and draws in order."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from oracles import perturb
from pushforward.core.given import Examples, Given
from pushforward.core.noise import BatchNoise
from pushforward.core.rng import generator
from pushforward.core.space import Image
from pushforward.families.build import build, settings
from pushforward.families.flow.chains.coarse_to_fine import CoarseToFineChain
from pushforward.families.flow.config import FlowConfig
from pushforward.families.flow.model import Flow
from pushforward.families.flow.transforms.level_bins import LevelBins, laid
from pushforward.nets.cells import CellMLP, CellSteps
from pushforward.nets.masked import MaskedMLP
from pushforward.nets.masked_steps import MaskedSteps

SMALL = FlowConfig(architecture="subset", width=16, depth=1, bins=4, cells=6, coarse=4, context=8)
SHAPES = [(1, 1, 1), (1, 1, 5), (1, 5, 2), (2, 3, 3), (1, 4, 4), (3, 4, 6), (4, 3, 5)]


def levels_of(space: Image, n: int) -> Tensor:
    return torch.randint(0, space.levels, (n, *space.event_shape), generator=generator(1)).to(
        space.dtype
    )


@pytest.mark.parametrize("classes", [(), ("a", "b")], ids=["plain", "labelled"])
@pytest.mark.parametrize("levels", [2, 5, 256])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_codes_lead_back_and_samples_follow_the_same_order(
    shape: tuple[int, int, int], levels: int, classes: tuple[str, ...]
) -> None:
    space = Image(*shape, levels=levels)
    model = Flow(space, SMALL, classes)
    x = levels_of(space, 40)
    given = Given(torch.arange(40) % 2) if classes else None
    model.prepare(Examples(x, given))
    perturb(model, 0.2)
    back = model.decode(model.encode(x, given).value, given)
    # a code that lies on the edge of a level may be rounded beyond it
    assert float((back == x).float().mean()) > 0.998
    space.check(model.sample(3, seed=1))


@pytest.mark.parametrize("shape", [(1, 3, 3), (2, 2, 2), (1, 4, 2)], ids=str)
def test_log_determinant_is_the_jacobians(shape: tuple[int, int, int]) -> None:
    space = Image(*shape, levels=6)
    model = Flow(space, SMALL).double()
    model.prepare(Examples(levels_of(space, 64)))
    perturb(model, 0.3)
    x = torch.rand(1, *shape, generator=generator(5), dtype=torch.float64)
    z, log_det = model.chain(x, None)
    jacobian = torch.autograd.functional.jacobian(lambda v: model.chain(v, None)[0].flatten(), x)
    assert isinstance(jacobian, Tensor)
    expected = torch.linalg.slogdet(jacobian.reshape(z.numel(), -1)).logabsdet
    torch.testing.assert_close(log_det[0], expected, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(model.chain.inverse(z, None), x, rtol=1e-7, atol=1e-7)
    # the short way to the density is the long one
    torch.testing.assert_close(model.nats(x, None), log_det + model.base.log_prob(z))


def test_dequantisation_costs_nothing() -> None:
    """One draw says what many do, and 81 pictures have probabilities that sum to one."""
    space = Image(1, 2, 2, levels=3)
    model = Flow(space, SMALL.model_copy(update={"coarse": 1}))
    perturb(model, 0.4)
    grid = torch.cartesian_prod(*[torch.arange(3)] * 4).reshape(-1, 1, 2, 2).to(torch.uint8)
    found = model.log_prob(grid, samples=1)
    torch.testing.assert_close(found.nats, model.log_prob(grid, samples=8, seed=3).nats)
    assert float(found.nats.double().exp().sum()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("side", "n"), [(4, 160), (56, 12)])
def test_what_is_learnt_from_is_an_unbiased_part(side: int, n: int) -> None:
    """The mean over 200 draws of a quarter of a batch, or of 8 of 12 large pictures: five standard
    errors from that over all."""
    space = Image(1, side, side, levels=9)
    model = Flow(space, SMALL)
    perturb(model, 0.3)
    x = (levels_of(space, n).float() + 0.5) / 9
    with torch.no_grad():
        whole = float(model.nats(x, None).mean())
        found = torch.stack(
            [
                model.chain.mean_log_prob(x, None, model.base, BatchNoise(generator(seed), n))
                for seed in range(200)
            ]
        )
    assert float(found.std()) > 1e-3
    assert abs(float(found.mean()) - whole) < 5 * float(found.std()) / math.sqrt(200)


def test_pictures_with_many_cells_are_fewer_to_learn_them_from() -> None:
    shapes = {(1, 8, 8): 32, (1, 28, 28): 32, (3, 32, 32): 9, (1, 56, 56): 8, (3, 512, 512): 1}
    for shape, fewest in shapes.items():
        assert CoarseToFineChain(Image(*shape, levels=4), SMALL, 0).fewest == fewest


def test_every_value_waits_for_those_before_it() -> None:
    space = Image(2, 5, 4, levels=7)
    chain = CoarseToFineChain(space, SMALL, 0)
    perturb(chain, 0.3)  # type: ignore[arg-type]
    x = torch.rand(1, *space.event_shape, generator=generator(2))
    z = chain(x, None)[0][0]
    moves = []
    for place in range(40):
        other = x.clone().flatten()
        other[place] = (other[place] + 0.5) % 1.0
        moves.append(chain(other.reshape(x.shape), None)[0][0] != z)
    depends = torch.stack(moves, 1)  # code by value
    # there is always a code that waits for one value more than those known, till all are
    known = torch.zeros(40, dtype=torch.bool)
    for _ in range(40):
        next_code = ((depends & ~known).sum(1) == 1).nonzero().flatten()
        assert len(next_code)
        known |= depends[next_code[0]]
    assert bool(known.all())
    assert int(depends.sum()) > 400


def test_bins_are_laid_over_the_data() -> None:
    frequency = [0.6] + [0.02] * 20
    first = laid(frequency, 5)
    assert first[:2] == [0, 1]
    assert len(first) == len(set(first)) == 5
    assert laid([1.0, 1.0, 1.0], 3) == [0, 1, 2]
    assert len(laid([1.0] + [1e-9] * 255, 16)) == 16
    bins = LevelBins(256, 8)
    y = torch.rand(4000, generator=generator(3)) ** 4
    said = bins.initialise(y)
    assert said.exp().sum() == pytest.approx(1.0, abs=1e-6)
    assert float(said.exp().max() / said.exp().min()) < 4
    kept = bins.first.clone()
    bins.initialise(1 - y)
    assert torch.equal(bins.first, kept)
    # numbers of frequencies are the density of data that are independent
    found = bins.log_density(y, said.expand(4000, -1)).mean()
    assert float(found) > 0.5


def test_draws_have_the_probabilities_of_levels() -> None:
    """20,000 draws of one pixel of five levels: five standard errors."""
    space = Image(1, 1, 1, levels=5)
    model = Flow(space, SMALL)
    perturb(model, 0.8)
    p = model.log_prob(torch.arange(5).reshape(5, 1, 1, 1).to(torch.uint8)).nats.exp()
    drawn = model.sample(20_000, seed=4).flatten().long()
    share = torch.bincount(drawn, minlength=5) / 20_000
    assert bool(((share - p).abs() < 5 * (p * (1 - p) / 20_000).sqrt()).all())


@pytest.mark.parametrize(("width", "positions"), [(16, 5), (3, 7), (8, 1)])
def test_steps_of_masked_networks_are_their_passes(width: int, positions: int) -> None:
    net = MaskedMLP(positions, 1, 3, width, 2, context=4)
    perturb(net, 0.4)  # type: ignore[arg-type]
    x, context = torch.randn(6, positions, 1, generator=generator(1)), torch.randn(6, 4)
    with torch.no_grad():
        steps = MaskedSteps(net, 6, context)
        said = torch.stack([steps.next(x[:, :i, 0]) for i in range(positions)], 1)
        torch.testing.assert_close(said, net(x, context), rtol=1e-5, atol=1e-5)
        cells = CellMLP(2, 2, 3, outputs=3, units=5, depth=2, context=4)
        perturb(cells, 0.4)  # type: ignore[arg-type]
        picture = torch.randn(6, 2, 4, 6, generator=generator(2))
        one = CellSteps(cells, context)
        told = torch.stack([one.next(picture) for _ in range(6)], 2)
        torch.testing.assert_close(told, cells(picture, context), rtol=1e-5, atol=1e-5)


def test_a_preset_of_a_minute_takes_it() -> None:
    space = Image(1, 28, 28)
    chosen = settings("flow", space, "minute")["model"]
    model = build("flow", space, ("a", "b"), chosen)
    assert isinstance(model, Flow)
    assert isinstance(model.chain, CoarseToFineChain)
    assert [cells.shape for cells in model.chain.finer] == [(1, 28, 28)]
    assert math.prod(model.chain.coarsest) == 196
