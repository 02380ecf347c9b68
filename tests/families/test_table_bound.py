"""The bound of a table: what is known costs no noise, what is drawn is not biased, and a row's number says how well it is known."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from pushforward.core.given import Examples
from pushforward.core.noise import BatchNoise, Streams
from pushforward.core.rng import generator
from pushforward.core.table import Column, Table
from pushforward.families.diffusion.config import DiffusionConfig
from pushforward.families.diffusion.model import Diffusion
from pushforward.families.diffusion.rows.row_layout import HIDDEN
from pushforward.families.diffusion.rows.symbol_bound import calls_of, symbol_bound

COUNTS = Table(
    (
        Column("kind", "categorical", ("low", "high", "odd")),
        Column("n", "integer", step=1.0, low=0, high=5, bounded_below=True, bounded_above=True),
        Column("m", "integer", step=1.0, low=0, high=3, bounded_below=True, bounded_above=True),
    )
)
SPACE = torch.tensor(list(itertools.product(range(3), range(6), range(4))), dtype=torch.float64)
SIZES = [2, 3, 2, 2, 3, 2, 2]


def count_rows(n: int) -> Tensor:
    """The kind decides the numbers, and they go along with each other."""
    rng = generator(0, "counts")
    kind = torch.multinomial(torch.tensor([0.5, 0.3, 0.2]), n, replacement=True, generator=rng)
    hidden = torch.tensor([1.0, 2.5, 4.0])[kind] + 0.8 * torch.randn(n, generator=rng)
    other = 0.6 * hidden + 0.5 * torch.randn(n, generator=rng)
    return torch.stack(
        [kind, hidden.round().clamp(0, 5), other.round().clamp(0, 3)], dim=1
    ).double()


@pytest.fixture(scope="module")
def counts() -> Diffusion:
    torch.manual_seed(0)
    model = Diffusion(COUNTS, DiffusionConfig(width=32, depth=1, context=16, places=8))
    rows = count_rows(2048)
    model.prepare(Examples(rows))
    optimiser = torch.optim.Adam(model.parameters(), lr=4e-3)
    for step in range(240):
        batch = Examples(rows[torch.randint(0, 2048, (256,), generator=generator(1, "rows", step))])
        for loss in model.losses(batch, BatchNoise(generator(1, "step", step), len(batch))):
            optimiser.zero_grad()
            loss.value.backward()
            optimiser.step()
    return model.eval()


def test_the_default_draws_sum_to_one_within_their_error_and_say_what_a_row_is_known_to(
    counts: Diffusion,
):
    """72 rows are all there are. With 64 independent draws the noise of a row was half a nat and more."""
    found = [counts.log_prob(SPACE, seed=seed) for seed in range(6)]
    nats = torch.stack([lp.nats for lp in found])
    exact = counts.log_prob(SPACE, samples=4096, seed=9).nats
    share = exact.softmax(0)
    spread = float((share * nats.var(0)).sum().sqrt())
    assert spread < 0.3
    assert float(exact.exp().sum()) < 1.003
    for lp in found:
        assert lp.stderr is not None
        mass = lp.nats.exp()
        # what a sum of exponentials of numbers with an error is off by, and what Jensen's inequality adds to it
        error = float(
            (mass * lp.stderr).square().sum().sqrt() + (mass * lp.stderr.square() / 2).sum()
        )
        assert float(mass.sum()) < 1.0 + 3.0 * error
        stated = float((share * lp.stderr.square()).sum().sqrt())
        assert 0.8 * spread < stated < 4.0 * spread
    # no bias: six draws of 72 rows against very many
    assert float((share * (nats.mean(0) - exact)).sum()) == pytest.approx(
        0.0, abs=4 * spread / math.sqrt(6 * 20)
    )


def test_columns_that_know_nothing_of_each_other_cost_no_noise():
    model = Diffusion(COUNTS, DiffusionConfig(width=16, depth=1, context=8, places=8))
    rows = count_rows(500)
    model.prepare(Examples(rows))
    # untrained, the network is the exact denoiser of every column by itself
    first, second = (model.log_prob(SPACE, samples=8, seed=seed) for seed in (0, 1))
    torch.testing.assert_close(first.nats, second.nats, atol=2e-3, rtol=0)
    assert first.stderr is not None
    assert float(first.stderr.max()) < 2e-3
    assert 0.97 < float(first.nats.exp().sum()) < 1.001
    # the probability of a row is the product of its columns' frequencies, up to half a row in every cell
    frequencies = [(rows[:, k] == SPACE[:, k : k + 1]).double().mean(1) for k in range(3)]
    often = torch.stack(frequencies).min(0).values > 0.05
    expected = torch.stack(frequencies).log().sum(0)
    assert float((first.nats - expected)[often].abs().max()) < 0.1


def _conditionals(sizes: list[int]):
    """Some conditionals that agree with no joint law, as a network's: they depend on what is seen, nonlinearly."""
    weight = torch.randn(
        len(sizes), 4, sum(sizes), generator=generator(3, "weights"), dtype=torch.float64
    )

    def logits(shown: Tensor, times: int) -> Tensor:
        seen = (shown + 1).clamp(max=3)  # hidden is zero
        return torch.sin(sum(weight[i, seen[:, i]] for i in range(len(sizes)))) * 2.0

    return logits


def _by_orders(logits, row: Tensor, unknown: list[int], sizes: list[int]) -> float:
    """The mean over all orders of revealing of the log-probability of the row."""
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    total, orders = 0.0, list(itertools.permutations(unknown))
    for order in orders:
        shown = row.clone()
        shown[unknown] = HIDDEN
        for i in order:
            part = logits(shown.unsqueeze(0), 1)[0, starts[i] : starts[i] + sizes[i]]
            total += float(part.log_softmax(0)[row[i]])
            shown[i] = row[i]
    return total / len(orders)


def test_few_symbols_are_summed_over_all_subsets():
    sizes, logits = SIZES[:4], _conditionals(SIZES[:4])
    rows = torch.tensor([[0, 2, 1, 0], [1, 1, 0, 1]])
    for unknown in ([0, 1, 2, 3], [0, 2], [3], []):
        mask = torch.zeros(2, 4, dtype=torch.bool)
        mask[:, unknown] = True
        nats, stderr = symbol_bound(logits, rows, mask, sizes, Streams(0, 2), 15)
        assert stderr is not None
        assert float(stderr.max()) == 0.0
        expected = [_by_orders(logits, row, unknown, sizes) for row in rows]
        torch.testing.assert_close(nats, torch.tensor(expected, dtype=torch.float64))
    assert (calls_of(4, 64), calls_of(7, 64)) == (15, 64)


@pytest.mark.parametrize("samples", [2, 7, 12, 64])
def test_many_symbols_are_drawn_without_bias(samples: int):
    """Copies of a row against the sum over all subsets, within four standard errors: 1 in 16,000 fails by chance."""
    logits, row, copies = (
        _conditionals(SIZES),
        torch.tensor([1, 2, 0, 1, 0, 1, 1]),
        1500 if samples < 64 else 300,
    )
    known = torch.tensor([True, True, False, True, True, True, True])
    for mask in (torch.ones(7, dtype=torch.bool), known):
        exact, _ = symbol_bound(
            logits, row.unsqueeze(0), mask.unsqueeze(0), SIZES, Streams(0, 1), 127
        )
        many = row.expand(copies, -1), mask.expand(copies, -1)
        nats, stderr = symbol_bound(logits, *many, SIZES, Streams(1, copies), samples)
        spread = float(nats.std())
        assert float(nats.mean()) == pytest.approx(float(exact), abs=4 * spread / math.sqrt(copies))
        if samples == 64:
            assert stderr is not None
            # 0.62 of draws without the two ends
            assert spread < 0.42
            assert 0.7 * spread < float(stderr.square().mean().sqrt()) < 2.0 * spread
