"""Numbers drawn within a range: never outside, and with the model's own probabilities inside."""

from __future__ import annotations

import math

import pandas as pd
import pytest
import torch
from scipy import stats

from conformance.cases import SPACES, examples
from oracles import perturb
from pushforward.core.errors import BadInput
from pushforward.core.given import Given, Known
from pushforward.core.rng import generator
from pushforward.core.table import Column, Table
from pushforward.data.tables.encoding import TableEncoding
from pushforward.families.autoregressive.cells import NumberCells
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.model import Autoregressive
from pushforward.families.autoregressive.rows import RowBackbone

SMALL = AutoregressiveConfig(width=16, depth=1, heads=2, components=6)
COLUMNS = {
    "grid with tails": Column("n", "integer", step=1.0, low=-9, high=14),
    "real with tails": Column("x", "continuous", low=-3.0, high=4.0),
    "bounded grid": Column(
        "p", "continuous", step=0.25, low=0.0, high=5.0, bounded_below=True, bounded_above=True
    ),
}


@pytest.mark.parametrize("name", sorted(COLUMNS))
@pytest.mark.parametrize(
    "ends", [(-1.0, 2.5), (-math.inf, 1.0), (2.0, math.inf), (-40.0, -4.0), (3.0, 3.0)]
)
def test_shares_below_and_above_are_those_of_the_cells_own_draws(
    name: str, ends: tuple[float, float]
) -> None:
    column = COLUMNS[name]
    net = NumberCells([column], 5)
    values = torch.randn(400, generator=generator(0), dtype=torch.float64) * 3 + 1
    if column.step is not None:
        values = (values / column.step).round() * column.step
    if column.bounded_below:
        values = values.clamp(column.low, column.high)
    net.fit(values[:, None])
    first, last = net.quantiles_within(torch.tensor([ends[0]]), torch.tensor([ends[1]]), 0)
    u = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    for cell in net.live()[0].nonzero().flatten().tolist():
        drawn = net.draw(torch.full((len(u), 1), cell), u[:, None], torch.tensor([0]))[:, 0]
        below, above = (
            float((drawn < ends[0]).double().mean()),
            float((drawn > ends[1]).double().mean()),
        )
        assert float(last[0, cell] - first[0, cell]) == pytest.approx(
            max(0.0, 1.0 - below - above), abs=2e-4
        )
        assert (
            float(first[0, cell]) == pytest.approx(below, abs=2e-4)
            or float(last[0, cell] - first[0, cell]) == 0
        )
    inside = (first < last)[0]
    for cell in inside.nonzero().flatten().tolist():
        v = torch.linspace(0, 1 - 1e-9, 50, dtype=torch.float64)
        places = first[0, cell] + v * (last[0, cell] - first[0, cell])
        drawn = net.rise(torch.full((50, 1), cell), places[:, None], torch.tensor([0]))
        assert float(drawn.min()) >= ends[0]
        assert float(drawn.max()) <= ends[1]
        assert bool((drawn.diff(dim=0) >= 0).all())


@pytest.fixture(scope="module")
def model() -> Autoregressive:
    (space,) = SPACES["table"]
    found = Autoregressive(space, SMALL)
    found.prepare(examples(space, False))
    perturb(found, 0.3)
    return found


def ranged(n: int, low: float, high: float) -> Given:
    empty = torch.zeros(n, 3, dtype=torch.float64)
    ends = [torch.full((n, 3), end, dtype=torch.float64) for end in (-math.inf, math.inf)]
    ends[0][:, 2], ends[1][:, 2] = low, high
    return Given(known=Known(empty, torch.zeros(n, 3, dtype=torch.bool), *ends))


def test_a_range_restricts_the_models_own_distribution(model: Autoregressive) -> None:
    n = 6000
    x = model.sample(n, given=ranged(n, 1.0, 2.0), seed=1)
    counts = [int((x[:, 2] == value).sum()) for value in (1.0, 2.0)]
    assert sum(counts) == n
    net = model.net
    assert isinstance(net, RowBackbone)
    with torch.no_grad():
        # the ranged column comes first, so its law is the head's at the start of a row
        cache = net.transformer.cache(1, 3)
        h = net.transformer.step(
            (net.start(None, 1) + net.query(torch.tensor([2]))).unsqueeze(1), cache, 0
        )[:, 0]
        cells = net.locate(torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0]], dtype=torch.float64))[
            :, 2
        ]
        law = net.numbers.log_law(
            torch.tensor([[1.0], [2.0]], dtype=torch.float64), cells[:, None]
        )[:, 0]
        p = (net.head(h, 2).double().log_softmax(-1)[0, cells] + law).exp()
    expected = (n * p / p.sum()).tolist()
    # the seed is fixed; a correct sampler with another one would fail once in a thousand
    assert stats.chisquare(counts, expected).pvalue > 1e-3
    # the rest follows from the value that was drawn: the same rows as with that value known
    known = Given(known=Known(x, torch.tensor([False, False, True]).expand(n, 3)))
    again = model.sample(n, given=known, seed=1)
    assert torch.equal(torch.nan_to_num(again, -1.0), torch.nan_to_num(x, -1.0))


def test_an_infinite_range_changes_no_probability_and_an_empty_one_is_named(
    model: Autoregressive,
) -> None:
    assert len(model.sample(50, given=ranged(50, 0.0, math.inf), seed=2)) == 50
    with pytest.raises(BadInput, match="a range of 'count' without probability"):
        model.sample(3, given=ranged(3, 1.2, 1.8))
    with pytest.raises(BadInput, match="probability of rows given a range"):
        model.log_prob(examples(model.space, False, n=4).x, given=ranged(4, 0.0, 2.0))
    with pytest.raises(BadInput, match="low end lies above"):
        ranged(2, 3.0, 1.0)


def test_ranges_are_typed_with_two_dots() -> None:
    frame = pd.DataFrame(
        {
            "age": [18, 40, 77],
            "height": [1.5, 1.62, 1.9],
            "day": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]),
        }
    )
    encoding = TableEncoding.of(frame)
    known = encoding.parse_given("age=30..50,height=..1.7,day=2024-01-15..", 2).known
    assert known is not None
    assert known.low is not None
    assert known.high is not None
    assert not bool(known.mask.any())
    assert known.low[0].tolist()[:2] == [30.0, -math.inf]
    assert known.high[1].tolist()[:2] == [50.0, 1.7]
    assert known.low[0, 2] == pd.Timestamp("2024-01-15").timestamp()
    assert math.isinf(float(known.high[0, 2]))
    for text, pattern in (
        ("age=50..30", "a low end that is not above"),
        ("age=..", r"low\.\.high"),
        ("age=1..2..3", r"low\.\.high"),
        ("age=old..50", "a number"),
        ("age=30.5..50", "multiple of 1"),
    ):
        with pytest.raises(BadInput, match=pattern):
            encoding.parse_given(text, 1)
    assert isinstance(encoding.space, Table)
