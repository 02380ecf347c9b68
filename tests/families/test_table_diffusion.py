"""Diffusion of tables against a joint law whose denoiser is known, and the promises of a model that was trained for a moment."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from conformance.cases import SPACES, examples, train
from oracles import enumerate_rows, identical, perturb
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Examples, Given, Known
from pushforward.core.noise import BatchNoise, Streams
from pushforward.core.rng import generator
from pushforward.core.table import Column, Table
from pushforward.core.walk import run
from pushforward.families.diffusion.config import DiffusionConfig
from pushforward.families.diffusion.model import Diffusion
from pushforward.families.diffusion.paths.noise_law import Knee
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.rows.number_line import NumberLine
from pushforward.families.diffusion.rows.row_denoiser import RowModel, SeenRows
from pushforward.families.diffusion.rows.row_layout import HIDDEN, RowLayout
from pushforward.families.diffusion.rows.symbol_bound import symbol_bound
from pushforward.families.diffusion.rows.table_bound import PlacedNumbers, number_bound
from pushforward.families.diffusion.rows.table_process import TableDiffusion
from pushforward.families.diffusion.rows.table_walk import Reveals, TableWalk
from pushforward.families.diffusion.solvers.sampler import SOLVERS

SMALL = DiffusionConfig(width=32, depth=1, context=16, places=8)
(TINY,) = SPACES["table"]
assert isinstance(TINY, Table)
PATH = VariancePreserving(0.01, 40.0)
LAW = Knee(PATH, torch.tensor(1.0))
WEIGHT = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
CENTRE = torch.tensor([-0.8, 0.1, 1.5], dtype=torch.float64)
SPREAD = torch.tensor([0.5, 0.15, 0.4], dtype=torch.float64)


class ClassThenNumber(RowModel):
    """`c ~ WEIGHT`, `x | c ~ N(CENTRE_c, SPREAD_c^2)`: both answers in closed form, and Bayes' rule where x is known."""

    sizes = [3]

    def logits(self, seen: SeenRows) -> Tensor:
        x = seen.line.double()
        likelihood = -0.5 * ((x - CENTRE) / SPREAD).square() - SPREAD.log()
        return WEIGHT.log() + torch.where(seen.fixed, likelihood, 0.0)

    def denoise(self, y: Tensor, noise_level: Tensor, seen: SeenRows) -> Tensor:
        c, square = seen.symbols[:, 0], noise_level.double().expand(len(y)).square()
        k = SPREAD[c].square() / (square + SPREAD[c].square())
        clean = CENTRE[c] + k * (y[:, 0].double() - CENTRE[c])
        return torch.where(seen.fixed, seen.line, clean.unsqueeze(1).to(y))


def plain_line(column: Column, knots: list[float], scores: list[float]) -> NumberLine:
    """A line that was set and not fitted."""
    line = NumberLine([column], 4)
    line.used[0] = len(knots)
    line.knots[0], line.scores[0] = math.inf, 0.0
    line.knots[0, : len(knots)], line.scores[0, : len(knots)] = (
        torch.tensor(t, dtype=torch.float64) for t in (knots, scores)
    )
    return line


def mixture_draws(n: int) -> tuple[Tensor, Tensor]:
    c = torch.multinomial(WEIGHT, n, replacement=True, generator=generator(5))
    return c, CENTRE[c] + SPREAD[c] * torch.randn(n, generator=generator(6), dtype=torch.float64)


def test_the_bound_of_the_exact_denoiser_is_the_density() -> None:
    """Per row within five standard errors (400 rows), on average within four of the mean's and a gap of 0.003 nats."""
    c, x = mixture_draws(400)
    # z = 2 x + 1/2 is a line as good as any: the slope must come out of the density again
    line = plain_line(Column("x", "continuous", low=-2, high=3), [-1.0, 1.0], [-1.5, 2.5])
    z, exact = line.to_line(x.unsqueeze(1)), ClassThenNumber()

    def clean(y: Tensor, s: Tensor, times: int) -> Tensor:
        # N(m, t^2) in x is N(2 m + 1/2, 4 t^2) in z
        seen = SeenRows(c.unsqueeze(1), z.float(), torch.zeros_like(z, dtype=torch.bool)).repeat(
            times
        )
        return 2.0 * exact.denoise((y - 0.5) / 2.0, s / 2.0, seen) + 0.5

    numbers = PlacedNumbers(x.unsqueeze(1), z, torch.ones_like(z, dtype=torch.bool))
    nats, stderr = number_bound(PATH, line, LAW, clean, numbers, Streams(1, 400), 256)
    truth = (
        -0.5 * ((x - CENTRE[c]) / SPREAD[c]).square() - (SPREAD[c] * math.sqrt(2 * math.pi)).log()
    )
    assert stderr is not None
    # independent noises would scatter by 0.27
    assert float((nats - truth).std()) < 0.15
    assert bool(((nats - truth).abs() < 5.0 * stderr + 0.02).all())
    assert (
        abs(float((nats - truth).mean()))
        < 4.0 * float(stderr.square().mean().sqrt()) / 20.0 + 0.003
    )


def test_the_bound_of_a_grid_with_its_exact_denoiser_is_the_probability() -> None:
    """Values 0..3 at uneven places: the bound is tight, and its probabilities sum to at most one up to its noise."""
    p = torch.tensor([0.55, 0.05, 0.3, 0.1], dtype=torch.float64)
    column = Column("k", "integer", step=1.0, low=0, high=3, bounded_below=True, bounded_above=True)
    line = plain_line(column, [-0.5, 0.5, 1.5, 2.5, 3.5], [-2.0, 0.1, 0.3, 1.4, 2.2])
    copies = 200
    x = torch.arange(4.0, dtype=torch.float64).repeat(copies).unsqueeze(1)
    places = line.to_line(torch.arange(4.0, dtype=torch.float64).unsqueeze(1)).flatten()

    # the law of the column alone has the right places and wrong frequencies
    line.marginal.set(0, places, torch.zeros(4), torch.ones(4))

    def clean(y: Tensor, s: Tensor, times: int) -> Tensor:
        logit = p.log() - 0.5 * ((y.double() - places) / s.double().unsqueeze(1)).square()
        return (logit.softmax(1) * places).sum(1, keepdim=True)

    numbers = PlacedNumbers(x, line.to_line(x), torch.ones_like(x, dtype=torch.bool))
    nats, stderr = number_bound(PATH, line, LAW, clean, numbers, Streams(2, len(x)), 128)
    assert stderr is not None
    mean, error = (
        nats.reshape(copies, 4).mean(0),
        nats.reshape(copies, 4).std(0) / math.sqrt(copies),
    )
    assert bool(((mean - p.log()).abs() < 4.0 * error + 0.004).all()), (mean - p.log(), error)
    assert float(mean.exp().sum()) < 1.0 + 4.0 * float((error * p).norm()) + 0.001
    # the stated error of a row is not below the one that is seen
    assert float(stderr.mean()) > 0.8 * float(nats.reshape(copies, 4).std(0).mean())


def test_the_bound_of_symbols_with_exact_conditionals_is_the_joint_probability() -> None:
    joint = torch.tensor([[0.30, 0.02, 0.08], [0.05, 0.25, 0.30]], dtype=torch.float64)
    pairs = torch.tensor(list(itertools.product(range(2), range(3))))

    def logits(hidden: Tensor, times: int) -> Tensor:
        first = torch.where(
            hidden[:, 1:] == HIDDEN, joint.sum(1), joint.T[hidden[:, 1].clamp(min=0)]
        )
        second = torch.where(
            hidden[:, :1] == HIDDEN, joint.sum(0), joint[hidden[:, 0].clamp(min=0)]
        )
        return torch.cat([first, second], dim=1).log()

    unknown = torch.ones_like(pairs, dtype=torch.bool)
    nats, stderr = symbol_bound(logits, pairs, unknown, [2, 3], Streams(0, 6), 4000)
    assert stderr is not None
    # exact for every order of revealing, so that only the choice of order is random
    assert bool(((nats - joint.flatten().log()).abs() < 5.0 * stderr + 1e-9).all())
    assert float(stderr.max()) < 0.02
    # what is known is free, and what is left is a plain conditional
    unknown[:, 0] = False
    nats, stderr = symbol_bound(logits, pairs, unknown, [2, 3], Streams(0, 6), 3)
    torch.testing.assert_close(nats, (joint / joint.sum(1, keepdim=True)).log().flatten())
    assert stderr is not None
    assert float(stderr.max()) < 1e-12


def exact_walk(n: int, seen: SeenRows, solver: str = "heun", steps: int | None = None) -> Tensor:
    noise, model = Streams(3, n), ClassThenNumber()

    def descend(seen: SeenRows) -> object:
        draw = lambda: noise.normal(1)  # noqa: E731
        return SOLVERS[solver].walk(PATH, lambda y, s: model.denoise(y, s, seen), draw, steps, 1.0)

    layout = RowLayout(
        (Column("x", "continuous", low=0, high=1), Column("c", "categorical", ("a", "b", "c")))
    )
    walk = TableWalk(model, seen, noise, layout.there, descend, layout.join, Reveals(1))
    return run(walk)


@pytest.mark.parametrize("solver", ["heun", "dpmpp-2m"])
def test_rows_from_the_exact_denoiser_have_the_law(solver: str) -> None:
    """Frequencies and means within four standard errors: a correct sampler fails for one seed in a thousand."""
    n = 1500
    free = SeenRows(
        torch.full((n, 1), HIDDEN), torch.zeros(n, 1), torch.zeros(n, 1, dtype=torch.bool)
    )
    x = exact_walk(n, free, solver, 40)
    share = torch.bincount(x[:, 1].long(), minlength=3) / n
    assert bool(((share - WEIGHT).abs() < 4.0 * (WEIGHT * (1 - WEIGHT) / n).sqrt()).all())
    for c in range(3):
        mine = x[x[:, 1] == c, 0]
        assert (
            abs(float(mine.mean() - CENTRE[c]))
            < 4.0 * float(SPREAD[c]) / math.sqrt(len(mine)) + 0.01
        )
        assert float(mine.std() / SPREAD[c]) == pytest.approx(
            1.0, abs=4.0 / math.sqrt(2 * len(mine)) + 0.02
        )


def test_rows_given_a_number_follow_bayes() -> None:
    n = 2000
    known = SeenRows(
        torch.full((n, 1), HIDDEN), torch.full((n, 1), 0.3), torch.ones(n, 1, dtype=torch.bool)
    )
    x = exact_walk(n, known)
    assert bool((x[:, 0] == torch.tensor(0.3).double()).all())
    posterior = (WEIGHT * torch.exp(-0.5 * ((0.3 - CENTRE) / SPREAD).square()) / SPREAD).double()
    posterior = posterior / posterior.sum()
    share = torch.bincount(x[:, 1].long(), minlength=3) / n
    assert bool(((share - posterior).abs() < 4.0 * (posterior * (1 - posterior) / n).sqrt()).all())


MIXED = Table(
    (
        Column("kind", "categorical", ("low", "high", "odd")),
        Column("x", "continuous", low=-3.0, high=4.0, missing=True),
        Column("n", "integer", step=1.0, low=0, high=9, bounded_below=True),
    )
)


def mixed_rows(n: int, seed: int = 0) -> Tensor:
    """The kind decides where x lies and whether it is missing; n goes along with x, and is zero in six rows of ten."""
    rng = generator(seed, "mixed")
    c = torch.multinomial(WEIGHT, n, replacement=True, generator=rng)
    x = CENTRE[c] + SPREAD[c] * torch.randn(n, generator=rng, dtype=torch.float64)
    number = ((x + 1.0).clamp(min=0.0) * 2.0).round() * (torch.rand(n, generator=rng) < 0.4)
    gone = torch.rand(n, generator=rng) < torch.tensor([0.1, 0.0, 0.6])[c]
    return torch.stack([c.double(), torch.where(gone, math.nan, x), number], dim=1)


@pytest.fixture(scope="module")
def mixed() -> Diffusion:
    """Trained for a moment on batches in random order, because a row's place in its batch decides how noisy it gets."""
    model = Diffusion(MIXED, SMALL)
    rows = mixed_rows(2048)
    model.prepare(Examples(rows))
    optimiser = torch.optim.Adam(model.parameters(), lr=4e-3)
    for step in range(240):
        batch = Examples(rows[torch.randint(0, 2048, (256,), generator=generator(1, "rows", step))])
        for loss in model.losses(batch, BatchNoise(generator(1, "step", step), len(batch))):
            optimiser.zero_grad()
            loss.value.backward()
            optimiser.step()
    return model


def known(values: list[float], mask: list[bool], n: int = 1) -> Given:
    rows = torch.tensor([values], dtype=torch.float64).repeat(n, 1)
    return Given(known=Known(rows, torch.tensor([mask]).repeat(n, 1)))


def test_a_trained_model_finds_what_columns_know_of_each_other(mixed: Diffusion) -> None:
    test = Examples(mixed_rows(600, 1))
    lp = mixed.log_prob(test, samples=32)
    assert (lp.kind, lp.measure, lp.unit.name) == ("lower_bound", "mixed", "nats/row")
    fresh = Diffusion(MIXED, SMALL)
    fresh.prepare(Examples(mixed_rows(2048)))
    # an untrained model is the columns by themselves; their mutual information is over half a nat
    assert lp.mean_nats > fresh.log_prob(test, samples=32).mean_nats + 0.5
    rows = mixed.sample(1500, seed=1)
    MIXED.check(rows)
    true = mixed_rows(20_000, 2)
    for k in range(3):
        mine, theirs = rows[rows[:, 0] == k, 1], true[true[:, 0] == k, 1]
        assert len(mine) / 1500 == pytest.approx(float(WEIGHT[k]), abs=0.1)
        assert float(mine.isnan().double().mean()) == pytest.approx(
            float(theirs.isnan().double().mean()), abs=0.12
        )
        assert float(mine.nanmean()) == pytest.approx(float(theirs.nanmean()), abs=0.2)
    assert float((rows[:, 2] == 0).double().mean()) == pytest.approx(
        float((true[:, 2] == 0).double().mean()), abs=0.08
    )


def test_the_probability_of_a_row_is_that_of_its_parts(mixed: Diffusion) -> None:
    """`log p(row) = log p(symbols) + log p(numbers | symbols)`, exactly in this model, up to the Monte Carlo error."""
    x = mixed_rows(150, 3)
    whole = mixed.log_prob(x, samples=128)
    symbols = torch.tensor([[True, False, False]]).repeat(150, 1)
    flags = mixed.log_prob(Examples(x, Given(known=Known(x, symbols))), samples=128)
    assert flags.given == "known"
    process = mixed.process
    assert isinstance(process, TableDiffusion)
    with torch.no_grad():
        logits = process.denoiser.logits(
            SeenRows(torch.full((1, 2), HIDDEN), torch.zeros(1, 2), torch.zeros(1, 2).bool())
        )
    first = logits[:, :3].double().log_softmax(1)[0][x[:, 0].long()]
    # log p(kind) + log p(rest | kind) is one order of revealing, log p(row) the mean over both orders
    assert float((whole.nats - first - flags.nats).mean()) == pytest.approx(0.0, abs=0.1)
    everything = Given(known=Known(x, torch.ones_like(symbols)))
    assert torch.equal(
        mixed.log_prob(Examples(x, everything), samples=4).nats,
        torch.zeros(150, dtype=torch.float64),
    )
    changed = x.clone()
    changed[:, 2] += 1.0
    against = mixed.log_prob(
        Examples(
            changed, Given(known=Known(x, torch.tensor([[False, False, True]]).repeat(150, 1)))
        )
    )
    assert bool((against.nats == -math.inf).all())


def test_conditionals_given_a_number_are_those_of_bayes(mixed: Diffusion) -> None:
    """The network was shown numbers while symbols are hidden: p(kind | x) within 0.1 of the truth where x decides."""
    for x, likely in ((-1.3, 0), (0.1, 1), (1.7, 2)):
        rows = mixed.sample(300, given=known([0.0, x, 0.0], [False, True, False], 300), seed=4)
        assert bool((rows[:, 1] == x).all())
        p = (
            WEIGHT
            * torch.tensor([0.9, 1.0, 0.4])
            * torch.exp(-0.5 * ((x - CENTRE) / SPREAD).square())
            / SPREAD
        )
        truth = float(p[likely] / p.sum())
        assert float((rows[:, 0] == likely).double().mean()) == pytest.approx(truth, abs=0.15)


def test_a_number_known_to_be_missing_is_missing(mixed: Diffusion) -> None:
    rows = mixed.sample(200, given=known([0.0, math.nan, 0.0], [False, True, False], 200), seed=4)
    assert bool(rows[:, 1].isnan().all())
    # six in ten of "odd" are missing, and none of "high"
    assert float((rows[:, 0] == 1).double().mean()) < 0.1


def test_what_is_known_stays_and_no_batch_changes_a_row(mixed: Diffusion) -> None:
    values, mask = [2.0, 1.25, 4.0], [True, False, True]
    rows = mixed.sample(40, given=known(values, mask, 40), seed=7)
    assert bool((rows[:, 0] == 2.0).all() & (rows[:, 2] == 4.0).all())
    assert len(rows[:, 1].unique()) > 5
    head = mixed.sample(3, given=known(values, mask, 3), seed=7)
    torch.testing.assert_close(rows[:3], head, rtol=1e-3, atol=1e-3, equal_nan=True)
    # rows of different masks side by side draw what they would alone
    both = torch.tensor([mask, [False, True, False]])
    table = torch.tensor([values, values], dtype=torch.float64)
    side = mixed.sample(2, given=Given(known=Known(table, both)), seed=7)
    torch.testing.assert_close(side[:1], rows[:1], rtol=1e-3, atol=1e-3, equal_nan=True)
    assert float(side[1, 1]) == 1.25


def test_wrong_conditions_are_refused(mixed: Diffusion) -> None:
    with pytest.raises(BadInput, match=r"known values of shape \(1, 2\): expected \(1, 3\)"):
        mixed.sample(
            1, given=Given(known=Known(torch.zeros(1, 2), torch.ones(1, 2, dtype=torch.bool)))
        )
    with pytest.raises(BadInput, match=r"category 3 of 'kind': expected 0 to 2"):
        mixed.sample(1, given=known([3.0, 0.0, 0.0], [True, False, False]))
    with pytest.raises(BadInput, match=r"missing values of 'n'"):
        mixed.sample(1, given=known([0.0, 0.0, math.nan], [False, False, True]))
    low = torch.tensor([[-math.inf, 0.0, -math.inf]])
    high = torch.tensor([[math.inf, 1.0, math.inf]])
    ranged = Given(known=Known(torch.zeros(1, 3), torch.zeros(1, 3, dtype=torch.bool), low, high))
    with pytest.raises(Unsupported, match=r"a range of a column with diffusion.*autoregressive"):
        mixed.sample(1, given=ranged)
    with pytest.raises(BadInput, match=r"rows given a range"):
        mixed.log_prob(Examples(mixed_rows(1), ranged))
    with pytest.raises(BadInput, match=r"eta=0.5 with the solver 'heun'"):
        mixed.sample(1, solver="heun", eta=0.5)
    for values in ({"prediction": "noise"}, {"law": "learned"}, {"path": "learned"}):
        with pytest.raises(
            BadInput, match=r"'model\.\w+=\w+' for diffusion of tables: expected one of"
        ):
            Diffusion(MIXED, DiffusionConfig.model_validate(values))


def test_a_number_beyond_its_bound_has_no_probability(mixed: Diffusion) -> None:
    x = mixed_rows(4)
    x[:2, 2] = -1.0
    nats = mixed.log_prob(x, samples=4).nats
    assert bool((nats[:2] == -math.inf).all())
    assert bool(torch.isfinite(nats[2:]).all())


def test_steps_and_calls() -> None:
    model = Diffusion(MIXED, SMALL)
    model.prepare(Examples(mixed_rows(64)))
    # two symbols, one for "x missing"; Heun makes 2 N - 1 calls
    walk = model.walk(2, steps=9)
    assert (walk.length, walk.calls) == (2 + 9, 2 + 17)
    assert model.walk(2, steps=1, solver="ddim").length == 2
    labelled = Diffusion(MIXED, SMALL, ("a", "b"))
    assert labelled.walk(2, given=1, steps=9, solver="ddim", guidance=2.0).calls == 2 * (2 + 9)


def test_guidance_extrapolates_from_the_model_without_labels() -> None:
    model = Diffusion(TINY, SMALL, ("a", "b", "c"))
    data = examples(TINY, True, n=256)
    model.prepare(data)
    train(model, data, 30)
    perturb(model, 0.05)
    draw = lambda **options: model.sample(24, given=2, seed=3, **options)  # noqa: E731
    assert identical(draw(guidance=0.0), model.sample(24, seed=3))
    assert identical(draw(guidance=1.0), draw())
    assert not identical(draw(guidance=4.0), draw())


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
        ),
    ],
)
def test_tables_of_symbols_only_and_of_numbers_only(columns: tuple[Column, ...]) -> None:
    space = Table(columns)
    rows = enumerate_rows(space)
    model = Diffusion(space, SMALL)
    data = Examples(rows[torch.arange(60) * 7 % len(rows)])
    model.prepare(data)
    train(model, data, 5)
    # the noise of so many draws raises a sum of exponentials by less than this
    assert 0.5 < float(model.log_prob(rows, samples=4096).nats.exp().sum()) < 1.02
    space.check(model.sample(20, seed=1))
    assert len(model.log_prob(rows[:1], samples=1)) == 1
