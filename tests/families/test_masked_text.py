"""Masked diffusion of text against a joint distribution whose conditionals are known: its bound, its sampler, its conditions."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from scipy import integrate, stats
from torch import Tensor

from oracles import enumerate_strings, identical, perturb, total_mass
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Examples, Given, Prefix
from pushforward.core.noise import BatchNoise, Streams
from pushforward.core.options import SampleOptions
from pushforward.core.rng import generator
from pushforward.core.space import Points
from pushforward.core.text import Text
from pushforward.core.walk import run, states
from pushforward.families.diffusion.config import DiffusionConfig
from pushforward.families.diffusion.model import Diffusion
from pushforward.families.diffusion.symbols.masked_text import MaskedText
from pushforward.families.diffusion.symbols.masking import hidden_count
from pushforward.families.diffusion.symbols.orders import all_masks, bound, stratified_counts
from pushforward.families.diffusion.symbols.unmasking import (
    Mask,
    Predict,
    RevealedBlock,
    UnmaskingWalk,
    blocks,
    revealed_counts,
)

V, L, MASK = 3, 4, 3
SPACE = Text(vocabulary=V, length=L, boundary=2)
SMALL = DiffusionConfig(width=16, depth=1, heads=2)
# rows are not symmetric, so that time reversal, a swapped axis or a uniform start would show
CHAIN = torch.tensor([[0.7, 0.2, 0.1], [0.05, 0.15, 0.8], [0.5, 0.1, 0.4]], dtype=torch.float64)
START = torch.tensor([0.6, 0.3, 0.1], dtype=torch.float64)


def chain_log_p(x: Tensor) -> Tensor:
    """Log-probabilities of strings of any length under the Markov chain."""
    return START.log()[x[:, 0]] + CHAIN.log()[x[:, :-1], x[:, 1:]].sum(1)


def conditionals(tokens: Tensor) -> Tensor:
    """Exact `log p(x_i = v | what is not hidden)`, (n, T, V), by summing over all strings of the chain."""
    strings = torch.tensor(list(itertools.product(range(V), repeat=tokens.shape[1])))
    fits = ((tokens.unsqueeze(1) == strings) | (tokens.unsqueeze(1) == MASK)).all(2).double()
    weight = fits * chain_log_p(strings).exp()
    mass = torch.einsum("ns,stv->ntv", weight, torch.nn.functional.one_hot(strings, V).double())
    return (mass / mass.sum(-1, keepdim=True)).log()


def whimsical(tokens: Tensor) -> Tensor:
    """Conditionals that are those of no joint distribution: a different draw for every pattern of what is seen."""
    digits = (tokens * (MASK + 1) ** torch.arange(tokens.shape[1])).sum(1)
    place = torch.arange(tokens.shape[1] * V).reshape(1, -1, V)
    return torch.sin(1.7 * digits[:, None, None] + 2.3 * place**1.5).double().log_softmax(-1)


def terms_of(predict, x: Tensor):
    """What `bound` asks for, from a function of tokens."""

    def terms(rows: Tensor, hidden: Tensor) -> Tensor:
        log_p = predict(x[rows].masked_fill(hidden, MASK))
        return log_p.gather(-1, x[rows].unsqueeze(-1)).squeeze(-1)

    return terms


def model(classes: tuple[str, ...] = (), space: Text = SPACE) -> Diffusion:
    found = Diffusion(space, SMALL, classes)
    perturb(found, 0.3)
    return found.eval()


def test_the_bound_of_exact_conditionals_is_the_log_probability() -> None:
    x = enumerate_strings(SPACE)
    nats, stderr, calls = bound(terms_of(conditionals, x), len(x), L, Streams(0, len(x)), 2**L - 1)
    assert stderr is None
    assert calls == 15
    torch.testing.assert_close(nats, chain_log_p(x), rtol=0, atol=1e-10)


def test_the_bound_is_the_mean_over_all_orders() -> None:
    x = enumerate_strings(SPACE)
    expected = torch.zeros(len(x), dtype=torch.float64)
    for order in itertools.permutations(range(L)):
        seen = torch.full_like(x, MASK)
        for i in order:
            log_p = whimsical(seen)[:, i]
            expected += log_p.gather(1, x[:, i : i + 1])[:, 0] / math.factorial(L)
            seen[:, i] = x[:, i]
    nats, _, _ = bound(terms_of(whimsical, x), len(x), L, Streams(0, len(x)), 99)
    torch.testing.assert_close(nats, expected, rtol=0, atol=1e-10)
    assert float(nats.exp().sum()) < 1.0


@pytest.mark.parametrize("samples", [3, 8, 14])
def test_drawn_masks_agree_with_all_masks_and_know_their_error(samples: int) -> None:
    x = enumerate_strings(SPACE).repeat(40, 1)
    whole, _, _ = bound(terms_of(whimsical, x), len(x), L, Streams(0, len(x)), 15)
    nats, stderr, calls = bound(
        terms_of(whimsical, x), len(x), L, BatchNoise(generator(1), len(x)), samples
    )
    assert stderr is not None
    assert calls == samples
    error = nats - whole
    # four standard errors of 3,240 estimates: a correct estimator fails with another seed once in 16,000
    assert abs(float(error.mean())) < 4.0 * float(error.std()) / len(x) ** 0.5
    # successive differences count the slope too, so they may only be too large
    assert 0.9 < float(stderr.square().mean().sqrt() / error.square().mean().sqrt()) < 1.8


def test_every_number_of_hidden_symbols_is_equally_likely_and_none_is_left_out() -> None:
    u = torch.rand(50, 12, generator=generator(0, "u"))
    counts = stratified_counts(u, 4)
    # 12 strata of 4 numbers: three each, whatever the uniforms
    assert all(row.bincount(minlength=5).tolist() == [0, 3, 3, 3, 3] for row in counts)
    few = (
        stratified_counts(torch.rand(4000, 3, generator=generator(1, "u")), 4)
        .flatten()
        .bincount(minlength=5)
    )
    assert few[0] == 0
    # the seed is fixed; a correct draw fails with another one once in a thousand
    assert stats.chisquare(few[1:].tolist()).pvalue > 1e-3
    hidden = hidden_count(torch.tensor([1, 4]), torch.rand(2, 4, generator=generator(2)))
    assert hidden.sum(1).tolist() == [1, 4]


@pytest.mark.parametrize("length", [1, 2, 5, 9])
def test_a_weight_of_one_over_k_is_the_integral_of_one_over_t(length: int) -> None:
    for k in range(1, length + 1):
        weight, _ = integrate.quad(lambda t, k=k: stats.binom.pmf(k, length, t) / t, 0.0, 1.0)
        assert weight == pytest.approx(1.0 / k, rel=1e-6)
    masks, weights = all_masks(length)
    # every size k has total weight 1/k, and every symbol is hidden in k/L of its masks
    for k in range(1, length + 1):
        assert float(weights[masks.sum(1) == k].sum()) == pytest.approx(1.0 / k)


def test_training_held_out_and_scoring_are_one_bound() -> None:
    found, n = model(), 6000
    x = torch.tensor([[0, 2, 1, 1]])
    (whole,) = found.log_prob(x, samples=15).nats.double().tolist()
    many = Examples(x.expand(n, L))
    drawn = found.log_prob(many, samples=7)
    held_out = found.held_out(many)
    assert held_out is not None
    assert drawn.stderr is not None
    for estimates in (drawn.nats.double(), -held_out.double()):
        # four standard errors, fixed seeds: once in 16,000
        assert abs(float(estimates.mean()) - whole) < 4.0 * float(estimates.std()) / n**0.5
    losses = [
        -L
        * next(
            iter(found.losses(many[:200], BatchNoise(generator(s), len(many[:200]))))
        ).value.item()
        for s in range(60)
    ]
    spread = torch.tensor(losses, dtype=torch.float64)
    assert abs(float(spread.mean()) - whole) < 4.0 * float(spread.std()) / 60**0.5


def test_the_mass_under_a_prompt_and_under_a_label_is_at_most_one() -> None:
    found = model(("a", "b"))
    for label in (None, 0, 1):
        assert 0.2 < total_mass(found, label, "elbo", 15) < 1.0
    x = enumerate_strings(Text(V, 2, 2))
    prefix = Prefix(torch.tensor([[1, 0]]).expand(len(x), 2), torch.full((len(x),), 2))
    lp = found.log_prob(
        Examples(x, Given(label=torch.ones(len(x), dtype=torch.long), prefix=prefix)), samples=3
    )
    assert 0.2 < float(lp.nats.exp().sum()) < 1.0
    assert lp.given == "label and prefix"


# ---- sampling ------------------------------------------------------------------------------------------------------------


def exact(tokens: Tensor, places: Tensor, padding: Tensor | None) -> Tensor:
    assert padding is None
    return conditionals(tokens).gather(1, places.unsqueeze(-1).expand(-1, -1, V))


def drawn(
    predict: Predict, n: int, calls: int | None, seed: int = 0, grid: str = "uniform"
) -> Tensor:
    """Strings of the whole window, after nothing at all."""
    plan = [RevealedBlock(0, 0, L, revealed_counts(L, calls or L, grid))]
    prompt = torch.zeros(n, 0, dtype=torch.long)
    noise = BatchNoise(generator(seed, "walk"), n)
    return run(UnmaskingWalk(predict, noise, prompt, None, plan, SampleOptions(), Mask(MASK, 2)))


def goodness(x: Tensor, p: Tensor) -> float:
    """The p value of counts of strings against their probabilities."""
    index = (x * V ** torch.arange(L - 1, -1, -1)).sum(1)
    observed = index.bincount(minlength=V**L).double()
    common = p * len(x) >= 5.0
    pairs = [
        (observed[common], p[common] * len(x)),
        (observed[~common].sum()[None], (p[~common].sum() * len(x))[None]),
    ]
    seen, expected = (
        torch.cat([pair[i] for pair in pairs if float(pair[1].sum()) > 0]) for i in (0, 1)
    )
    return float(
        stats.chisquare(seen.numpy(), (expected * seen.sum() / expected.sum()).numpy()).pvalue
    )


def test_one_symbol_a_call_from_exact_conditionals_draws_the_joint() -> None:
    x = drawn(exact, 20_000, None)
    # the seed is fixed; a correct sampler fails with another one once in a thousand
    assert goodness(x, chain_log_p(enumerate_strings(SPACE)).exp()) > 1e-3


@pytest.mark.parametrize(("calls", "counts"), [(1, [4]), (2, [2, 2]), (3, [1, 2, 1])])
def test_few_calls_draw_what_is_revealed_together_as_if_independent(
    calls: int, counts: list[int]
) -> None:
    strings = enumerate_strings(SPACE)
    p, orders = (
        torch.zeros(len(strings), dtype=torch.float64),
        list(itertools.permutations(range(L))),
    )
    assert revealed_counts(L, calls) == counts
    for order in orders:
        seen, log_p, done = (
            torch.full_like(strings, MASK),
            torch.zeros(len(strings), dtype=torch.float64),
            0,
        )
        for count in counts:
            here = list(order[done : done + count])
            now = conditionals(seen)[:, here]
            log_p += now.gather(-1, strings[:, here].unsqueeze(-1)).squeeze(-1).sum(1)
            seen[:, here] = strings[:, here]
            done += count
        p += log_p.exp() / len(orders)
    assert float(p.sum()) == pytest.approx(1.0)
    x = drawn(exact, 20_000, calls)
    # false alarm: once in a thousand; and the joint is plainly missed
    assert goodness(x, p) > 1e-3
    assert goodness(x, chain_log_p(strings).exp()) < 1e-9


def test_texts_longer_than_the_window_go_on_from_what_is_there() -> None:
    window, length, n = 6, 17, 3000
    plan = blocks(2, length, window, None, "uniform")
    prompt = torch.tensor([[0, 1]]).expand(n, 2)
    walk = UnmaskingWalk(
        exact, BatchNoise(generator(3), n), prompt, None, plan, SampleOptions(), Mask(MASK, 2)
    )
    x = torch.cat([prompt[:, 1:], run(walk)], dim=1)
    assert x.shape == (n, 1 + length)
    assert walk.calls == length
    # every transition follows the chain, also across blocks: 17 tests of 6 degrees of freedom, once in a thousand together
    for place in range(length):
        counts = torch.zeros(V, V, dtype=torch.float64)
        counts.index_put_(
            (x[:, place], x[:, place + 1]), torch.ones(n, dtype=torch.float64), accumulate=True
        )
        expected = counts.sum(1, keepdim=True) * CHAIN
        rows = counts.sum(1) > 0
        statistic = float(((counts - expected).square() / expected)[rows].sum())
        assert stats.chi2.sf(statistic, 2 * int(rows.sum())) > 1e-3 / length


def test_a_model_draws_what_it_scores() -> None:
    found, strings = model(("a", "b"), Text(V, 5, 2)), enumerate_strings(SPACE)
    process, orders = found.process, list(itertools.permutations(range(L)))
    assert isinstance(process, MaskedText)
    given = Given(torch.ones(len(strings), dtype=torch.long), Prefix.of([[1, 0]] * len(strings)))
    steps: dict[frozenset[int], Tensor] = {}
    with torch.no_grad():
        for size in range(1, L + 1):
            for hidden in itertools.combinations(range(L), size):
                mask = torch.tensor([i in hidden for i in range(L)]).expand(len(strings), L)
                steps[frozenset(hidden)] = process._terms(strings, mask, given).double()
    p = torch.zeros(len(strings), dtype=torch.float64)
    for order in orders:
        p += sum(steps[frozenset(order[i:])][:, order[i]] for i in range(L)).exp() / len(orders)  # type: ignore[union-attr]
    assert float(p.sum()) == pytest.approx(1.0, abs=1e-5)
    n = 8000
    condition = Given(torch.ones(n, dtype=torch.long), Prefix.of([[1, 0]] * n))
    # false alarm: once in a thousand
    assert goodness(found.sample(n, condition, seed=0, length=L), p) > 1e-3
    # and the bound of the same lies below it
    bounds = found.log_prob(Examples(strings, given), samples=15).nats.double()
    assert bool((bounds <= p.log() + 1e-5).all())
    assert float((p.log() - bounds).max()) > 0.01


@pytest.mark.parametrize(
    ("before", "length", "window"), [(1, 4, 5), (1, 50, 5), (4, 9, 5), (3, 1, 9), (1, 7, 2)]
)
@pytest.mark.parametrize("calls", [None, 1, 3, 99])
def test_a_plan_writes_every_place_once_and_sees_no_more_than_the_window(
    before: int, length: int, window: int, calls: int | None
) -> None:
    for grid in ("uniform", "cosine"):
        plan, place = blocks(before, length, window, calls, grid), before
        for block in plan:
            assert block.start == place
            assert 0 <= block.seen < block.start
            assert block.start + block.size - block.seen <= window
            assert sum(block.counts) == block.size
            assert min(block.counts) >= 1
            place += block.size
        assert place == before + length
    assert revealed_counts(9, 3, "cosine") == [1, 3, 5]


def test_a_prompt_is_never_hidden_and_decides_what_follows() -> None:
    found = model()
    prefix = Prefix.of([[1, 0]] * 3)
    for state in states(found.walk(3, Given(prefix=prefix), seed=1)):
        assert identical(state[:, :2], prefix.tokens)
    other = found.sample(400, Given(prefix=Prefix.of([[1, 1]] * 400)), seed=1)
    assert not identical(found.sample(400, Given(prefix=Prefix.of([[1, 0]] * 400)), seed=1), other)
    # padding is never seen: the same prompt beside a longer one of another row
    x = torch.tensor([[0, 2], [0, 2]])
    alone = found.log_prob(Examples(x[:1], Given(prefix=Prefix.of([[1]]))), samples=3).nats
    beside = found.log_prob(Examples(x, Given(prefix=Prefix.of([[1], [0, 1, 2]]))), samples=3).nats
    torch.testing.assert_close(beside[:1], alone, rtol=0, atol=1e-5)
    assert float((beside[1] - alone).abs()) > 1e-3


def test_guidance_of_one_is_conditional_and_of_zero_is_not() -> None:
    found = model(("a", "b"))
    process = found.process
    assert isinstance(process, MaskedText)
    tokens, places = torch.tensor([[2, MASK, 1, MASK, MASK]]), torch.tensor([[1, 4]])
    label = torch.tensor([1])
    given, null, guided = (
        process._predict(*case)(tokens, places, None)
        for case in ((label, 1.0), (None, 1.0), (label, 2.5))
    )
    assert given.shape == (1, 2, V)
    expected = null.log_softmax(-1) + 2.5 * (given.log_softmax(-1) - null.log_softmax(-1))
    torch.testing.assert_close(guided, expected)
    plain = found.sample(64, given="b", seed=4)
    assert identical(found.sample(64, given="b", seed=4, guidance=1.0), plain)
    assert identical(found.sample(64, given="b", seed=4, guidance=0.0), found.sample(64, seed=4))
    assert not identical(found.sample(64, given="b", seed=4, guidance=3.0), plain)
    assert [found.walk(2, given="b", guidance=w).calls for w in (0.0, 1.0, 3.0)] == [4.0, 4.0, 8.0]


def test_calls_are_counted_and_filters_hold() -> None:
    found = model(space=Text(V, 12, 2))
    assert [found.walk(2, steps=s).calls for s in (1, 5, 12, 500)] == [1.0, 5.0, 12.0, 12.0]
    assert found.walk(2, steps=4, length=30).calls == 4 + 2 * 3
    assert found.sample(2, length=30).shape == (2, 30)
    cold, warm = (found.sample(200, temperature=t, seed=0) for t in (1e-6, 1.0))
    assert identical(cold, found.sample(200, top_k=1, seed=0))
    assert not identical(cold, warm)


def test_what_cannot_be_done_is_refused_in_words() -> None:
    found = model()
    for options, error, said in (
        ({"grid": "karras"}, BadInput, r"grid on text 'karras': expected one of uniform, cosine"),
        ({"solver": "heun"}, Unsupported, r"'solver' on text"),
        ({"guidance": 2.0}, Unsupported, r"guidance 2.0 of diffusion on text without a label"),
        (
            {"given": Given(prefix=Prefix.of([[0] * 5] * 2))},
            BadInput,
            r"a prompt of 5 tokens: expected at most 4",
        ),
    ):
        with pytest.raises(error, match=said):
            found.sample(2, **options)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"4 tokens before 3 to score: expected at most 5"):
        found.log_prob(
            Examples(torch.zeros(1, 3, dtype=torch.long), Given(prefix=Prefix.of([[0, 1, 0, 1]])))
        )
    with pytest.raises(Unsupported, match=r"diffusion.terms: symbols are revealed in any order"):
        found.terms(Examples(torch.zeros(1, 3, dtype=torch.long)))
    with pytest.raises(Unsupported, match=r"sampling option 'temperature' on points"):
        Diffusion(Points(2), DiffusionConfig(width=8, depth=1)).sample(2, temperature=0.5)
