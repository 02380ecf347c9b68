"""Cells that are normalised, columns given any subset of columns, and sampling that is the model."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats

from conformance.cases import SPACES, examples, train
from oracles import enumerate_rows, identical, perturb
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given, Known
from pushforward.core.noise import BatchNoise
from pushforward.core.rng import generator
from pushforward.core.table import Column, Table
from pushforward.engine.precision import prepared_networks, resolved
from pushforward.families.autoregressive.cells import NumberCells, cell_edges
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.model import Autoregressive
from pushforward.families.autoregressive.rows import RowBackbone

SMALL = AutoregressiveConfig(width=16, depth=2, heads=2, components=6)
(TINY,) = SPACES["table"]
assert isinstance(TINY, Table)
REAL = Column("x", "continuous", low=-3.0, high=4.0)


def net_of(model: Autoregressive) -> RowBackbone:
    assert isinstance(model.net, RowBackbone)
    return model.net


def tiny(labels: tuple[str, ...] = ()) -> Autoregressive:
    model = Autoregressive(TINY, SMALL, labels)
    model.prepare(examples(TINY, bool(labels)))
    perturb(model, 0.15)
    return model


def cells_of(column: Column, values: torch.Tensor, cells: int = 9) -> NumberCells:
    net = NumberCells([column], cells)
    net.fit(values.double().reshape(-1, 1))
    return net


def gamma(n: int, scale: float) -> torch.Tensor:
    u = torch.rand(n, generator=generator(1), dtype=torch.float64)
    return torch.from_numpy(stats.gamma(0.7, scale=scale).ppf(u.numpy()))


@pytest.mark.parametrize("bounded", [(False, False), (True, False), (False, True), (True, True)])
def test_each_cell_of_a_grid_sums_to_one(bounded: tuple[bool, bool]) -> None:
    values = gamma(300, 12.0).round()
    low, high = -4.0, float(values.max()) + 7.0
    column = Column(
        "n",
        "integer",
        step=1.0,
        low=low,
        high=high,
        bounded_below=bounded[0],
        bounded_above=bounded[1],
    )
    net = cells_of(column, values)
    reach = 3000.0
    x = (
        torch.arange(low if bounded[0] else -reach, (high if bounded[1] else reach) + 1)
        .double()
        .unsqueeze(1)
    )
    cell = net.locate(x)
    mass = torch.zeros(net.cells + 2, dtype=torch.float64).index_add_(
        0, cell[:, 0], net.log_law(x, cell)[:, 0].exp()
    )
    live = net.live()[0]
    assert bool(live[0])
    assert bool(live[-1])
    torch.testing.assert_close(
        mass[live], torch.ones(int(live.sum()), dtype=torch.float64), rtol=1e-9, atol=1e-9
    )
    assert bool((mass[~live] == 0).all())
    assert int(net.used[0]) > 4


@pytest.mark.parametrize("bounded", [(False, False), (True, True)])
def test_each_cell_of_a_real_column_integrates_to_one(bounded: tuple[bool, bool]) -> None:
    values = gamma(500, 3.0)
    column = Column(
        "x", "continuous", low=-1.0, high=60.0, bounded_below=bounded[0], bounded_above=bounded[1]
    )
    net = cells_of(column, values)
    edges = [float(e) for e in net.edges[0, : int(net.used[0]) + 1]]
    ends = [-1.0 if bounded[0] else edges[0] - 60 * float(net.scales[0, 0]), *edges]
    ends.append(60.0 if bounded[1] else edges[-1] + 60 * float(net.scales[0, 1]))
    for a, b in itertools.pairwise(ends):
        # the midpoint rule is exact for a linear density and good to (width / 2 scale n)^2 in a tail
        x = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000 * (b - a) + a
        law = net.log_law(x.unsqueeze(1), net.locate(x.unsqueeze(1)))[:, 0]
        assert float(law.exp().mean() * (b - a)) == pytest.approx(1.0, abs=1e-5)
    assert float(net.slopes.abs().max()) > 0.05


def test_numbers_beyond_a_bound_have_no_probability() -> None:
    column = Column("n", "integer", step=1.0, low=0, high=9, bounded_below=True, bounded_above=True)
    net = cells_of(column, torch.tensor([2.0, 3, 3, 5]))
    x = torch.tensor([[-1.0], [0.0], [9.0], [10.0]], dtype=torch.float64)
    law = net.log_law(x, net.locate(x))[:, 0]
    assert law[0] == -math.inf
    assert law[3] == -math.inf
    assert bool(torch.isfinite(law[1:3]).all())


@pytest.mark.parametrize("step", [None, 1.0, 0.01, 86400.0])
def test_draws_within_cells_follow_their_law(step: float | None) -> None:
    unit = 1.0 if step is None else step
    values = gamma(400, 9.0) if step is None else (gamma(400, 9.0)).round() * unit
    net = cells_of(
        Column("x", "continuous", step=step, low=0.0, high=float(values.max()), bounded_below=True),
        values,
    )
    n, k = 4000, torch.tensor([0])
    uniform = torch.rand(n, 1, generator=generator(3), dtype=torch.float64)
    for c in net.live()[0].nonzero().flatten().tolist():
        cell = torch.full((n, 1), c)
        x = net.draw(cell, uniform, k)
        assert bool((net.locate(x) == cell).all())
        assert bool((x >= 0).all())
        if step is not None:
            assert bool(
                (x == (x / step).round() * step).all() | ((x * 100).round() / 100 == x).all()
            )
        found, counts = torch.unique(x, return_counts=True)
        if len(found) < 50:
            expected = (
                n * net.log_law(found.unsqueeze(1), torch.full((len(found), 1), c)).exp()[:, 0]
            )
            keep = expected > 5
            # the seed is fixed; with others a correct law would fail once in a thousand per cell
            ratio = (counts[keep] - expected[keep]).square() / expected[keep]
            assert stats.chi2.sf(float(ratio.sum()), max(1, int(keep.sum()) - 1)) > 1e-3
        else:
            grid = torch.linspace(float(x.min()), float(x.max()), 2001, dtype=torch.float64)
            density = net.log_law(grid.unsqueeze(1), torch.full((2001, 1), c)).exp()[:, 0]
            cdf = torch.cumulative_trapezoid(density, grid)
            if step is None:
                placed = np.interp(x[:, 0].numpy(), grid[1:].numpy(), (cdf / cdf[-1]).numpy())
                assert stats.kstest(placed, "uniform").pvalue > 1e-3


def test_frequent_values_have_cells_of_their_own() -> None:
    values = torch.cat([torch.zeros(900), torch.full((40,), 15024.0), torch.arange(1000, 1060)])
    edges = cell_edges(values.double().sort().values, 8, gridded=True).tolist()
    assert edges[:2] == [-0.5, 0.5]
    assert edges[-2:] == [15023.5, 15024.5]
    assert len(edges) <= 9


@pytest.mark.parametrize("cells", [1, 2, 5, 64])
@pytest.mark.parametrize("gridded", [True, False])
def test_edges_cover_the_data_within_the_budget(cells: int, gridded: bool) -> None:
    for seed, n in itertools.product(range(4), (1, 2, 7, 900)):
        rng = generator(seed, "edges")
        y = torch.randn(n, generator=rng, dtype=torch.float64) * 10.0 ** float(
            torch.randint(0, 7, (), generator=rng)
        )
        y = torch.where(torch.rand(n, generator=rng) < 0.4, 0.0, y)
        y = (y.round() if gridded else y).sort().values
        edges = cell_edges(y, cells, gridded)
        assert 2 <= len(edges) <= cells + 1
        assert bool((edges.diff() > 0).all())
        assert edges[0] <= y[0]
        assert edges[-1] >= y[-1]
        if gridded:
            assert bool(((edges - 0.5) == (edges - 0.5).round()).all())


def all_masks(columns: int) -> list[tuple[bool, ...]]:
    return list(itertools.product((False, True), repeat=columns))


def test_given_any_subset_the_conditional_sums_to_one() -> None:
    model, rows = tiny(), enumerate_rows(TINY)
    train(model, examples(TINY, False), 10)
    for mask in all_masks(3):
        known = torch.tensor(mask)
        key = torch.where(known, torch.nan_to_num(rows, nan=9.0), 0.0)
        for part in key.unique(dim=0):
            chosen = rows[(key == part).all(1)]
            given = Given(known=Known(chosen, known.expand(len(chosen), 3)))
            total = model.log_prob(chosen, given=given).nats.exp().sum()
            assert float(total) == pytest.approx(1.0, abs=1e-5), mask


def test_terms_in_an_order_are_its_chain_rule() -> None:
    # log p(rest | known) with all but one column known is one conditional; terms given {0} are two of them
    model, rows = tiny(), enumerate_rows(TINY)
    net = net_of(model)
    first = Given(known=Known(rows, torch.tensor([True, False, False]).expand(len(rows), 3)))
    terms = net.terms(rows, first)
    assert bool((terms[:, 0] == 0).all())
    both = Given(known=Known(rows, torch.tensor([True, True, False]).expand(len(rows), 3)))
    torch.testing.assert_close(net.terms(rows, both)[:, 2], terms[:, 2], rtol=1e-5, atol=1e-5)
    # the canonical order is the one of the table, in which no column sees a later one
    plain = net.terms(rows, None)
    torch.testing.assert_close(plain[:, 1:], terms[:, 1:], rtol=1e-5, atol=1e-5)
    changed = rows.clone()
    changed[:, 2] = (changed[:, 2] + 1) % 4
    torch.testing.assert_close(net.terms(changed, None)[:, :2], plain[:, :2], rtol=1e-6, atol=1e-6)
    last = Given(known=Known(rows, torch.tensor([False, False, True]).expand(len(rows), 3)))
    assert not torch.allclose(net.terms(rows, last)[:, 0], plain[:, 0])


def test_what_contradicts_a_known_value_is_impossible() -> None:
    model = tiny()
    x = torch.tensor([[0.0, 1.0, 2.0], [torch.nan, 1.0, 2.0]], dtype=torch.float64)
    known = Known(
        torch.tensor([[torch.nan, 0.0, 0.0]] * 2, dtype=torch.float64),
        torch.tensor([[True, False, False]] * 2),
    )
    nats = model.log_prob(x, given=Given(known=known)).nats
    assert nats[0] == -math.inf
    assert bool(torch.isfinite(nats[1]))


def p_value(x: torch.Tensor, rows: torch.Tensor, p: torch.Tensor) -> float:
    """Return the chi-square p-value of samples under probabilities of enumerated rows, rare ones pooled."""
    power = torch.tensor([8.0, 4.0, 1.0], dtype=torch.float64)
    code, place = (torch.nan_to_num(part, nan=3.0) @ power for part in (rows, x))
    observed = (place.unsqueeze(1) == code).double().sum(0)
    assert int(observed.sum()) == len(x)
    expected = len(x) * p / p.sum()
    rare = expected < 5
    groups = [
        torch.cat([counts[~rare], counts[rare].sum()[None]]) for counts in (observed, expected)
    ]
    used = [group[groups[1] > 0].numpy() for group in groups]
    return float(stats.chisquare(*used).pvalue)


@pytest.mark.parametrize(
    "mask", [(False, False, False), (True, False, False), (False, True, True), (False, False, True)]
)
def test_samples_given_known_columns_keep_them_and_follow_the_conditional(
    mask: tuple[bool, ...],
) -> None:
    model, rows, n = tiny(), enumerate_rows(TINY), 6000
    known, here = torch.tensor(mask), torch.tensor([torch.nan, 1.0, 2.0], dtype=torch.float64)
    given = Given(known=Known(here.expand(n, 3), known.expand(n, 3))) if any(mask) else None
    x = model.sample(n, given=given, seed=3)
    assert identical(x[:, known], here[known].expand(n, int(known.sum())))
    fits = torch.where(known, (rows == here) | (rows.isnan() & here.isnan()), True).all(1)
    chosen = rows[fits]
    same = None if given is None else Given(known=Known(chosen, known.expand(len(chosen), 3)))
    p = model.log_prob(chosen, given=same).nats.exp()
    # the seed is fixed; a correct sampler with another seed would fail once in a thousand
    assert p_value(x, chosen, p) > 1e-3
    if given is None:
        assert p_value(model.sample(n, seed=3, temperature=0.7), chosen, p) < 1e-9


def test_rows_of_one_batch_may_know_different_columns() -> None:
    model = tiny()
    values = torch.tensor([[1.0, 0.0, 3.0]] * 4, dtype=torch.float64)
    mask = torch.tensor(
        [[False, True, False], [True, False, True], [True, True, True], [False, False, True]]
    )
    x = model.sample(4, given=Given(known=Known(values, mask)), seed=6)
    assert bool((x == values)[mask].all())
    assert bool((x[2] == values[2]).all())
    rows = enumerate_rows(TINY)[[3, 9, 17, 30]]
    together = model.log_prob(rows, given=Given(known=Known(rows, mask))).nats
    for i in range(4):
        alone = model.log_prob(
            rows[i : i + 1], given=Given(known=Known(rows[i : i + 1], mask[i : i + 1]))
        ).nats
        torch.testing.assert_close(alone, together[i : i + 1], rtol=1e-5, atol=1e-5)


def test_the_cache_is_the_whole_pass_in_float64() -> None:
    net = net_of(tiny()).double()
    rows = enumerate_rows(TINY)
    cells, order = net.locate(rows), torch.tensor([[2, 0, 1]]).expand(len(rows), 3)
    numbers = rows[:, net.is_number]
    features = net.numbers.features(numbers, cells[:, net.is_number]).double()
    with torch.no_grad():
        whole = net(cells, features, order, None).split(net.sizes, dim=1)
        cache, last = net.transformer.cache(len(rows), 3), net.start(None, len(rows))
        for index, c in enumerate((2, 0, 1)):
            h = net.transformer.step(
                (last + net.query(order[:, index])).unsqueeze(1), cache, index
            ).squeeze(1)
            torch.testing.assert_close(net.head(h, c), whole[c], rtol=1e-9, atol=1e-9)
            k = torch.tensor([0])
            last = net.value(cells[:, c] + net.offsets[c])
            if c == 2:
                last = last + (
                    net.numbers.features(rows[:, 2:], cells[:, 2:], k).double().squeeze(1)
                    @ net.position[0]
                )


def test_a_mixed_table_integrates_to_one() -> None:
    space = Table(
        (
            Column("c", "categorical", ("a", "b", "c")),
            Column("x", "continuous", low=-3.0, high=4.0, missing=True),
        )
    )
    rng = generator(0, "mixed")
    c = torch.randint(0, 3, (300,), generator=rng).double()
    x = torch.randn(300, generator=rng, dtype=torch.float64) * 0.5 + c - 0.5
    x[::9] = torch.nan
    model = Autoregressive(space, SMALL)
    data = Examples(torch.stack([c, x], dim=1))
    model.prepare(data)
    train(model, data, 30)
    perturb(model, 0.05)
    points = (torch.arange(60_000, dtype=torch.float64) + 0.5) / 60_000 * 60.0 - 30.0
    total = 0.0
    for label in range(3):
        pair = torch.stack([torch.full_like(points, label), points], dim=1)
        total += float(model.log_prob(pair).nats.exp().sum()) * 60.0 / 60_000
        gone = torch.tensor([[float(label), math.nan]], dtype=torch.float64)
        total += float(model.log_prob(gone).nats.exp())
    # the midpoint rule across 16 jumps of a density below 5 errs by less than 16 * 5 * 0.001 / 2, in fact far less
    assert total == pytest.approx(1.0, abs=2e-3)
    assert space.measure == "mixed"
    drawn = model.sample(2000, seed=2)
    assert 0.02 < float(drawn[:, 1].isnan().double().mean()) < 0.3
    # what is conditioned on is a real number here: p(c | x) sums to one
    given = Given(
        known=Known(
            torch.stack([torch.zeros(3), torch.full((3,), 0.37)], 1).double(),
            torch.tensor([[False, True]] * 3),
        )
    )
    three = torch.tensor([[k, 0.37] for k in range(3)], dtype=torch.float64)
    three[:, 1] = given.known.values[:, 1]  # type: ignore[union-attr]
    assert float(model.log_prob(three, given=given).nats.exp().sum()) == pytest.approx(
        1.0, abs=1e-5
    )


def test_training_starts_from_the_frequencies_of_all_rows() -> None:
    data = examples(TINY, False, n=5000)
    model = Autoregressive(TINY, SMALL)
    model.prepare(data)
    net = net_of(model)
    counts = torch.bincount(data.x[:, 1].long(), minlength=2).float()
    torch.testing.assert_close(
        net.logits.bias[net.slices[1]].exp().detach(),
        (counts + 0.5) / (5000 + 1.0),
        rtol=1e-4,
        atol=1e-5,
    )


def test_half_precision_reaches_the_networks_and_not_the_laws() -> None:
    model, data = tiny(), examples(TINY, False)
    (full,) = (loss.value for loss in model.losses(data, BatchNoise(generator(0), len(data))))
    with prepared_networks(model.networks(), resolved("bfloat16", "cpu"), False):
        (half,) = (loss.value for loss in model.losses(data, BatchNoise(generator(0), len(data))))
        half.backward()
    assert half.dtype == torch.float64
    # logits of order one in eight bits
    assert float(half.detach()) == pytest.approx(float(full.detach()), abs=0.02)
    assert all(bool(torch.isfinite(p.grad).all()) for p in model.parameters() if p.grad is not None)


def test_orders_in_training_come_from_the_noise_and_put_a_subset_first() -> None:
    net = net_of(tiny())
    a = net.order(None, 4000, BatchNoise(generator(2), 4000))
    assert torch.equal(a, net.order(None, 4000, BatchNoise(generator(2), 4000)))
    assert bool((a.sort(1).values == torch.arange(3)).all())
    # subset first, each part as in the table: five orders of three columns; 2, 1, 0 is none of them
    seen = {tuple(row) for row in a.tolist()}
    assert seen == set(itertools.permutations(range(3))) - {(2, 1, 0)}
    assert torch.equal(net.order(None, 2, None), torch.arange(3).expand(2, 3))
    known = Known(torch.zeros(1, 3), torch.tensor([[False, True, True]]))
    assert net.order(known, 1, None).tolist() == [[1, 2, 0]]


def test_illegal_conditions_get_a_sentence() -> None:
    model = tiny()
    mask = torch.tensor([[True, False, False]])
    with pytest.raises(BadInput, match=r"category 7 of 'colour': expected 0 to 2"):
        model.sample(1, given=Given(known=Known(torch.tensor([[7.0, 0, 0]]), mask)))
    with pytest.raises(BadInput, match=r"missing values of 'flag'"):
        model.sample(
            1,
            given=Given(
                known=Known(torch.full((1, 3), math.nan), torch.tensor([[False, True, False]]))
            ),
        )
    with pytest.raises(BadInput, match=r"known values of shape \(1, 2\): expected \(1, 3\)"):
        model.sample(1, given=Given(known=Known(torch.zeros(1, 2), mask[:, :2])))


def test_a_fresh_model_takes_the_fitted_cells() -> None:
    space = Table((REAL, Column("n", "integer", step=1.0, low=0, high=90, bounded_below=True)))
    rng = generator(5)
    x = torch.stack(
        [torch.randn(200, generator=rng), (torch.randn(200, generator=rng) * 9).abs().round()], 1
    ).double()
    model, fresh = Autoregressive(space, SMALL), Autoregressive(space, SMALL)
    model.prepare(Examples(x))
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(fresh.log_prob(x).nats, model.log_prob(x).nats)
    assert identical(fresh.sample(50, seed=1), model.sample(50, seed=1))
    # untrained, but with the columns' own frequencies: within a tenth of a nat of the entropy of a histogram
    assert bool(torch.isfinite(model.log_prob(x * 50).nats[x[:, 1] >= 0]).all())


@pytest.mark.parametrize(
    "columns",
    [
        (Column("only", "categorical", ("a", "b"), missing=True),),
        (Column("size", "ordinal", ("S", "M", "L")), Column("one", "categorical", ("always",))),
        (Column("n", "integer", step=1.0, low=0, high=3, bounded_below=True, bounded_above=True),),
        (
            Column(
                "gap",
                "integer",
                step=1.0,
                low=0,
                high=2,
                bounded_below=True,
                bounded_above=True,
                missing=True,
            ),
            Column("day", "categorical", ("Mo", "Tu", "We")),
        ),
    ],
)
def test_tables_of_any_mixture_of_kinds(columns: tuple[Column, ...]) -> None:
    space = Table(columns)
    rows = enumerate_rows(space)
    model = Autoregressive(space, SMALL)
    perturb(model, 0.1)
    assert float(model.log_prob(rows).nats.exp().sum()) == pytest.approx(1.0, abs=1e-5)
    data = Examples(rows[torch.arange(60) * 7 % len(rows)])
    model.prepare(data)
    train(model, data, 5)
    assert float(model.log_prob(rows).nats.exp().sum()) == pytest.approx(1.0, abs=1e-5)
    space.check(model.sample(20, seed=1))


def test_a_column_without_any_number_in_training_keeps_its_declared_range() -> None:
    space = Table(
        (
            Column(
                "n",
                "integer",
                step=1.0,
                low=2,
                high=4,
                bounded_below=True,
                bounded_above=True,
                missing=True,
            ),
        )
    )
    model = Autoregressive(space, SMALL)
    model.prepare(Examples(torch.full((8, 1), math.nan, dtype=torch.float64)))
    assert float(model.log_prob(enumerate_rows(space)).nats.exp().sum()) == pytest.approx(
        1.0, abs=1e-6
    )
