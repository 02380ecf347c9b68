"""Laws of single columns, and rows whose gaps are drawn: against enumeration of every row."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import integrate, stats

from conformance.cases import SPACES, examples, train
from oracles import enumerate_rows, identical, perturb
from pushforward.core import conditionals
from pushforward.core.column_law import LEVELS, POINTS, CategoryLaw, NumberLaw
from pushforward.core.conditionals import column_law, completed, conditional_of, drawn
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Examples, Given, Known
from pushforward.core.noise import Streams
from pushforward.core.rng import generator
from pushforward.core.table import Column, Table
from pushforward.families.autoregressive.cell_moments import cell_moments
from pushforward.families.autoregressive.cells import NumberCells
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.model import Autoregressive
from pushforward.families.build import build, settings

SMALL = AutoregressiveConfig(width=16, depth=2, heads=2, components=6)
(TINY,) = SPACES["table"]
assert isinstance(TINY, Table)
# two columns that are often missing, so that a draw leaves gaps, around one that never is
GAPPY = Table(
    (
        Column("a", "categorical", ("x", "y"), missing=True),
        Column("b", "boolean", ("False", "True")),
        Column("c", "categorical", ("p", "q", "r"), missing=True),
    )
)


def rows_of(space: Table, n: int) -> torch.Tensor:
    every = enumerate_rows(space)
    weights = torch.rand(len(every), generator=generator(3, "rows"), dtype=torch.float64) ** 3
    return every[torch.multinomial(weights, n, replacement=True, generator=generator(3))]


def model_of(space: Table, family: str = "autoregressive") -> Autoregressive:
    if family == "autoregressive":
        model = Autoregressive(space, SMALL)
    else:
        model = build(family, space, values=settings(family, space, "smoke")["model"], seed=0)
    model.prepare(Examples(rows_of(space, 400)))
    perturb(model, 0.15)
    return model


def key_of(x: torch.Tensor) -> torch.Tensor:
    """A number for each row, a missing value being one of its own."""
    return torch.nan_to_num(x, nan=4.0) @ torch.tensor([25.0, 5.0, 1.0], dtype=torch.float64)


def p_value(x: torch.Tensor, rows: torch.Tensor, p: torch.Tensor) -> float:
    """The chi-square p-value of samples under probabilities of enumerated rows, rare ones pooled."""
    observed = (key_of(x).unsqueeze(1) == key_of(rows)).double().sum(0)
    assert int(observed.sum()) == len(x)
    expected = len(x) * p / p.sum()
    rare = expected < 5
    groups = [
        torch.cat([counts[~rare], counts[rare].sum()[None]]) for counts in (observed, expected)
    ]
    used = [group[groups[1] > 0].numpy() for group in groups]
    return float(stats.chisquare(*used).pvalue)


def test_the_law_of_the_last_column_is_bayes_rule_over_whole_rows() -> None:
    """`p(c | rest) = p(row) / sum_c p(row)` where the order is the table's; missing is left out."""
    model, rows = model_of(GAPPY), enumerate_rows(GAPPY)
    p = model.log_prob(rows).nats.exp()
    law = column_law(model, Known(rows, torch.ones_like(rows, dtype=torch.bool)), 2)
    assert isinstance(law, CategoryLaw)
    assert bool(law.exact.all())
    torch.testing.assert_close(law.p.sum(1), torch.ones(len(rows), dtype=torch.float64))
    for i, row in enumerate(rows):
        alike = key_of(rows * torch.tensor([1, 1, 0])) == key_of(row * torch.tensor([1, 1, 0]))
        alike &= ~rows[:, 2].isnan()
        if row[2].isnan():
            continue
        expected = p[alike & (rows[:, 2] == row[2])].sum() / p[alike].sum()
        assert float(law.p[i, int(row[2])]) == pytest.approx(float(expected), rel=1e-5)


def test_the_law_of_any_column_is_the_models_own_conditional() -> None:
    """Given all others, `exp log_prob(x | others)` renormalised over what is there."""
    model, rows = model_of(GAPPY), enumerate_rows(GAPPY)
    for place in range(3):
        mask = torch.ones_like(rows, dtype=torch.bool)
        mask[:, place] = False
        p = model.log_prob(rows, given=Given(known=Known(rows, mask))).nats.exp()
        law = column_law(model, Known(rows, mask), place)
        assert isinstance(law, CategoryLaw)
        there = ~rows[:, place].isnan()
        others = torch.where(mask, torch.nan_to_num(rows, nan=4.0), 0.0)
        for i in there.nonzero().flatten().tolist():
            alike = (others == others[i]).all(1) & there
            expected = float(p[i] / p[alike].sum())
            found = float(law.p[i, int(rows[i, place])])
            assert found == pytest.approx(expected, rel=1e-4), (place, i)


def test_moments_and_quantiles_of_numbers_are_those_of_enumerated_rows() -> None:
    model, rows = model_of(TINY), enumerate_rows(TINY)
    p = model.log_prob(rows).nats.exp()
    law = column_law(model, Known(rows, torch.ones_like(rows, dtype=torch.bool)), 2)
    assert isinstance(law, NumberLaw)
    for i in range(len(rows)):
        alike = key_of(rows * torch.tensor([1, 1, 0])) == key_of(rows[i] * torch.tensor([1, 1, 0]))
        values, q = rows[alike, 2], p[alike] / p[alike].sum()
        mean = (q * values).sum()
        assert float(law.mean[i]) == pytest.approx(float(mean), rel=1e-5)
        spread = (q * (values - mean) ** 2).sum().sqrt()
        assert float(law.sd[i]) == pytest.approx(float(spread), rel=1e-5)
        below = q[values.argsort()].cumsum(0)
        ordered = values.sort().values
        for level, found in zip(LEVELS, law.quantiles[i].tolist(), strict=True):
            if float((below - level).abs().min()) > 1e-4:  # not on a step
                assert found == float(ordered[int((below < level).sum())])
        shares = torch.stack([(law.points[i] == v).double().mean() for v in ordered])
        assert float((shares - q[values.argsort()]).abs().max()) <= 1.0 / POINTS


def test_what_is_not_known_before_the_column_is_averaged_over() -> None:
    """`p(c | b) = sum_a p(a | b) p(c | a, b)` over c that are there, enumerated: within the draws'
    error."""
    model, rows = model_of(GAPPY), enumerate_rows(GAPPY)
    alone, both = (
        torch.tensor([m]).expand(len(rows), 3) for m in ((False, True, False), (True, True, False))
    )
    joint = model.log_prob(rows, given=Given(known=Known(rows, alone))).nats.exp()
    last = model.log_prob(rows, given=Given(known=Known(rows, both))).nats.exp()
    law = column_law(model, Known(rows, alone), 2, seed=1, draws=4000)
    assert isinstance(law, CategoryLaw)
    assert not bool(law.exact.any())
    for b in (0.0, 1.0):
        expected = torch.zeros(3, dtype=torch.float64)
        for a in (0.0, 1.0, math.nan):
            same = (rows[:, 1] == b) & ((rows[:, 0] == a) | (rows[:, 0].isnan() & math.isnan(a)))
            there = same & ~rows[:, 2].isnan()
            expected += joint[same].sum() * last[there]
        i = int((rows[:, 1] == b).nonzero()[0])
        error = (law.p[i] - expected / expected.sum()).abs() / law.stderr[i]
        assert float(error.max()) < 4.0  # fails for one in 2,600 seeds of a right law
        assert float(law.stderr[i].max()) < 0.01


def test_a_law_of_numbers_is_averaged_over_what_is_not_known() -> None:
    """Mean, spread and quantiles of the count given nothing but the colour, enumerated."""
    model, rows = model_of(TINY), enumerate_rows(TINY)
    alone, both = (
        torch.tensor([m]).expand(len(rows), 3) for m in ((True, False, False), (True, True, False))
    )
    joint = model.log_prob(rows, given=Given(known=Known(rows, alone))).nats.exp()
    last = model.log_prob(rows, given=Given(known=Known(rows, both))).nats.exp()
    law = column_law(model, Known(rows, alone), 2, seed=1, draws=4000)
    assert isinstance(law, NumberLaw)
    same = rows[:, 0] == 1.0
    p = torch.zeros(4, dtype=torch.float64)
    for flag in (0.0, 1.0):
        at = same & (rows[:, 1] == flag)
        p += joint[at].sum() * last[at]
    values = torch.arange(4, dtype=torch.float64)
    mean = float((p * values).sum())
    i = int(same.nonzero()[0])
    # 4,000 draws of one of two flags: the mean is off by 0.0079 of the distance between two laws
    assert float(law.mean[i]) == pytest.approx(mean, abs=0.03)
    assert float(law.sd[i]) == pytest.approx(
        float((p * (values - mean) ** 2).sum().sqrt()), abs=0.03
    )
    shares = torch.stack([(law.points[i] == v).double().mean() for v in values])
    assert float((shares - p).abs().max()) < 0.03
    assert law.quantiles[i].tolist() == sorted(law.quantiles[i].tolist())


@pytest.mark.parametrize(
    "known", [(False, False, False), (False, True, False), (True, False, False)]
)
def test_completed_rows_follow_the_conditional_of_rows_that_are_whole(
    known: tuple[bool, ...],
) -> None:
    """`p(rest | known) 1[all there]`, enumerated and renormalised."""
    model, rows, n = model_of(GAPPY), enumerate_rows(GAPPY), 6000
    here = torch.tensor([[1.0, 1.0, 2.0]], dtype=torch.float64)
    mask = torch.tensor([known])
    found = completed(model, Known(here.expand(n, 3), mask.expand(n, 3)), seed=5)
    assert not bool(found.x.isnan().any())
    assert not bool(found.bent.any())
    assert float(found.tries.double().mean()) > 1.05  # draws with gaps were drawn anew
    same = ((rows == here) | ~mask).all(1) & ~rows.isnan().any(1)
    chosen = rows[same]
    given = Given(known=Known(chosen, mask.expand(len(chosen), 3)))
    p = model.log_prob(chosen, given=given).nats.exp()
    assert p_value(found.x, chosen, p) > 1e-3  # the seed is fixed; another fails once in 1,000


def test_rows_that_never_come_whole_are_filled_one_gap_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conditionals, "ROUNDS", 0)
    model = model_of(GAPPY)
    empty = Known(torch.zeros(500, 3), torch.zeros(500, 3, dtype=torch.bool))
    found = completed(model, empty)
    assert not bool(found.x.isnan().any())
    assert bool(found.bent.all())


@pytest.mark.parametrize("family", ["autoregressive", "diffusion"])
def test_a_row_depends_on_its_number_and_nothing_else(family: str) -> None:
    model = model_of(GAPPY, family)
    n = 60
    values = rows_of(GAPPY, n).nan_to_num(0.0)
    mask = torch.rand(n, 3, generator=generator(8)) < 0.4
    known = Known(values, mask)
    whole = completed(model, known, seed=2)
    assert identical(torch.where(mask, values, whole.x), whole.x)
    # the same rows cut in pieces of seven
    again = torch.cat(
        [
            _numbered(
                model, known.each(lambda t, i=i: t[i : i + 7]), torch.arange(i, min(n, i + 7))
            )
            for i in range(0, n, 7)
        ]
    )
    first = _numbered(model, known, torch.arange(n))
    assert identical(first, again)
    assert identical(completed(model, known, seed=2).x, whole.x)
    assert not identical(completed(model, known, seed=3).x, whole.x)


def _numbered(model: Autoregressive, known: Known, rows: torch.Tensor) -> torch.Tensor:
    return drawn(model, known, 2, rows)


@pytest.mark.parametrize("family", ["autoregressive", "diffusion"])
def test_completed_rows_are_those_draws_that_are_whole(family: str) -> None:
    """Against the draws of the unconditional sampler in which nothing is missing."""
    model, n = model_of(GAPPY, family), 20_000
    nothing = torch.zeros(n, 3, dtype=torch.bool)
    found = completed(model, Known(torch.zeros(n, 3), nothing), seed=1)
    assert not bool(found.bent.any())
    plain = model.sample(2 * n, seed=2)
    kept = plain[~plain.isnan().any(1)]
    assert 0.2 < len(kept) / (2 * n) < 0.9
    whole = enumerate_rows(GAPPY)
    whole = whole[~whole.isnan().any(1)]
    counts = [(key_of(x).unsqueeze(1) == key_of(whole)).sum(0).numpy() for x in (found.x, kept)]
    # the seeds are fixed; equal laws fail once in 1,000
    assert stats.chi2_contingency(counts).pvalue > 1e-3


def test_a_number_that_is_there_is_no_gap_with_diffusion() -> None:
    space = Table(
        (
            Column("x", "continuous", low=-1.0, high=1.0, missing=True),
            Column("c", "categorical", ("a", "b")),
        )
    )
    model = build("diffusion", space, values=settings("diffusion", space, "smoke")["model"], seed=0)
    x = torch.rand(300, 2, generator=generator(1), dtype=torch.float64)
    x[:, 1] = (x[:, 1] > 0.5).double()
    x[:150, 0] = math.nan
    model.prepare(Examples(x))
    nothing = torch.zeros(200, 2, dtype=torch.bool)
    assert bool(model.sample(200, seed=1)[:, 0].isnan().any())
    assert not bool(completed(model, Known(torch.zeros(200, 2), nothing), seed=1).x.isnan().any())


def test_draws_speak_for_the_law_that_they_are_of() -> None:
    """Diffusion's shares against those of its own samples, in standard errors."""
    model = model_of(GAPPY, "diffusion")
    row = torch.tensor([[1.0, 1.0, 0.0]], dtype=torch.float64)
    mask = torch.tensor([[True, True, False]])
    law = column_law(model, Known(row, mask), 2, draws=4000, seed=3)
    assert isinstance(law, CategoryLaw)
    assert not bool(law.exact.any())
    many = model.sample(
        20_000, given=Given(known=Known(row.expand(20_000, 3), mask.expand(20_000, 3))), seed=9
    )
    kept = many[~many[:, 2].isnan(), 2]
    shares = torch.stack([(kept == c).double().mean() for c in range(3)])
    assert float(((law.p[0] - shares).abs() / law.stderr[0]).max()) < 4.5


@pytest.mark.parametrize("bounded", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("step", [None, 1.0, 0.25])
def test_moments_of_cells_are_sums_and_integrals_of_their_laws(
    bounded: tuple[bool, bool], step: float | None
) -> None:
    values = torch.randn(300, generator=generator(2), dtype=torch.float64) ** 2 * 9.0
    values = values if step is None else (values / step).round() * step
    low, high = -3.0, float(values.max().ceil()) + 5.0
    column = Column(
        "n",
        "continuous",
        step=step,
        low=low,
        high=high,
        bounded_below=bounded[0],
        bounded_above=bounded[1],
    )
    net = NumberCells([column], 5)
    net.fit(values[:, None])
    mean, variance = cell_moments(net, 0)
    live = net.live()[0]
    first, last = float(net.edges[0, 0]), float(net.edges[0, int(net.used[0])])
    for cell in live.nonzero().flatten().tolist():
        if cell == 0:
            a, b = first - 400.0, first
        elif cell == net.cells + 1:
            a, b = last, last + 400.0
        else:
            a, b = float(net.edges[0, cell - 1]), float(net.edges[0, cell])
        if step is not None:
            grid = torch.arange(math.ceil(a), math.floor(b) + 1, dtype=torch.float64) * step
            x = grid[net.locate(grid[:, None])[:, 0] == cell]
            law = net.log_law(x[:, None], torch.full((len(x), 1), cell)).exp()[:, 0]
            total, m = float(law.sum()), float((law * x).sum())
            v = float((law * (x - m) ** 2).sum())
        else:

            def density(y: float, cell: int = cell) -> float:
                at = torch.tensor([[y]], dtype=torch.float64)
                return float(net.log_law(at, torch.tensor([[cell]])).exp())

            ends = max(a, low) if bounded[0] else a, min(b, high) if bounded[1] else b
            total = integrate.quad(density, *ends, limit=200)[0]
            m = integrate.quad(lambda y: y * density(y), *ends, limit=200)[0]
            v = integrate.quad(lambda y, m=m: (y - m) ** 2 * density(y), *ends, limit=200)[0]
        assert total == pytest.approx(1.0, abs=1e-4)
        assert float(mean[cell]) == pytest.approx(m, rel=1e-3, abs=1e-3)
        assert float(variance[cell]) == pytest.approx(v, rel=5e-3, abs=1e-3)


def test_numbers_of_examples_may_come_in_any_order() -> None:
    places = torch.tensor([5, 0, 3])
    found = Streams(4, 3, first=places).uniform(2)
    assert torch.equal(found, Streams(4, 6).uniform(2)[places])


def test_a_law_has_no_probability_of_what_steers_samples() -> None:
    model = model_of(GAPPY)
    x = rows_of(GAPPY, 4)
    there = Known(
        x, torch.zeros(4, 3, dtype=torch.bool), present=torch.ones(4, 3, dtype=torch.bool)
    )
    with pytest.raises(BadInput, match="given that values are there"):
        model.log_prob(x, given=Given(known=there))
    with pytest.raises(BadInput, match="two or more"):
        column_law(model, Known(x, torch.zeros(4, 3, dtype=torch.bool)), 0, draws=1)


def test_who_has_no_law_of_a_column_is_refused_by_the_declaration() -> None:
    (space,) = SPACES["points"]
    flow = build("flow", space, values=settings("flow", space, "smoke")["model"], seed=0)
    with pytest.raises(Unsupported, match="the law of a column with flow on points"):
        conditional_of(flow)
    labelled = Autoregressive(TINY, SMALL, ("u", "v"))
    with pytest.raises(Unsupported, match="given a label"):
        conditional_of(labelled)


def test_training_changes_nothing_of_all_this() -> None:
    model = Autoregressive(TINY, SMALL)
    model.prepare(examples(TINY, False))
    train(model, examples(TINY, False), 10)
    rows = enumerate_rows(TINY)
    law = column_law(model, Known(rows, torch.ones_like(rows, dtype=torch.bool)), 0)
    assert isinstance(law, CategoryLaw)
    torch.testing.assert_close(law.p.sum(1), torch.ones(len(rows), dtype=torch.float64))
