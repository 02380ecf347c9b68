"""Text, token by token: causality, the cache, prompts of unequal length, filters, the window's end, and GPT-2 itself."""

from __future__ import annotations

import itertools
import math
import os

import pytest
import torch
from scipy import stats
from torch import Tensor

from oracles import enumerate_strings, perturb
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Given, Prefix
from pushforward.core.noise import Streams
from pushforward.core.options import SampleOptions
from pushforward.core.rng import generator
from pushforward.core.text import Text
from pushforward.core.walk import run, states
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.generate import TokenWalk
from pushforward.families.autoregressive.gpt2 import from_gpt2
from pushforward.families.autoregressive.model import Autoregressive
from pushforward.families.autoregressive.tokens import GPT2Backbone, TokenBackbone
from pushforward.families.shared.next_token import (
    draw,
    filtered,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    keep_typical,
)
from pushforward.nets.attention import causal_attention, rotary_table, rotate

SMALL = AutoregressiveConfig(width=16, depth=2, heads=2)
SPACE = Text(vocabulary=11, length=12, boundary=10)
TINY = Text(vocabulary=3, length=3, boundary=2)


def backbone(kind: type[TokenBackbone] = TokenBackbone, space: Text = SPACE) -> TokenBackbone:
    net = kind(space, SMALL, 0).double()
    perturb(net, 0.2)  # type: ignore[arg-type]
    return net.eval()


def tokens(n: int, length: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 11, (n, length), generator=generator(seed, "tokens"))


def prefixes(*lengths: int) -> Given:
    return Given(prefix=Prefix.of([tokens(1, k, seed=k)[0].tolist() for k in lengths]))


def test_rotated_products_depend_on_the_distance_only() -> None:
    cosines, sines = (t.double() for t in rotary_table(40, 8))
    q, k = torch.randn(2, 8, generator=generator(0), dtype=torch.float64)
    product = lambda s, t: float(rotate(q, cosines[s], sines[s]) @ rotate(k, cosines[t], sines[t]))  # noqa: E731
    assert product(3, 7) == pytest.approx(product(20, 24), rel=1e-6)
    assert product(3, 7) != pytest.approx(product(7, 3), rel=1e-2)
    assert product(0, 0) == pytest.approx(float(q @ k), rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_padded_attention_is_that_of_the_unpadded_rows(dtype: torch.dtype) -> None:
    q, k, v = (
        torch.randn(3, 2, 2, 6, 4, generator=generator(0), dtype=torch.float64).to(dtype).unbind(0)
    )
    both = causal_attention(q, k, v, torch.tensor([0, 4]))
    alone = causal_attention(*(x[1:, :, 4:] for x in (q, k, v)))
    tolerance = 1e-9 if dtype is torch.float64 else 0.03
    torch.testing.assert_close(both[1:, :, 4:], alone, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(
        both[:1], causal_attention(q[:1], k[:1], v[:1]), rtol=tolerance, atol=tolerance
    )
    assert bool(torch.isfinite(both).all())


@pytest.mark.parametrize("kind", [TokenBackbone, GPT2Backbone])
def test_no_term_looks_ahead(kind: type[TokenBackbone]) -> None:
    net, x = backbone(kind), tokens(3, 12)
    before = net.terms(x, None)
    for t in range(12):
        changed = x.clone()
        changed[:, t] = (changed[:, t] + 1) % 11
        after = net.terms(changed, None)
        torch.testing.assert_close(after[:, :t], before[:, :t], rtol=0, atol=1e-12)
        assert bool((after[:, t:] != before[:, t:]).any(1).all())
        if t < 11:
            assert not torch.allclose(after[:, t + 1], before[:, t + 1])


@pytest.mark.parametrize("kind", [TokenBackbone, GPT2Backbone])
def test_a_text_is_as_probable_in_two_parts_as_whole(kind: type[TokenBackbone]) -> None:
    net, x = backbone(kind), tokens(4, 12)
    whole = net.terms(x, None)
    start = torch.full((4, 1), SPACE.boundary)
    for cut in (1, 5, 11):
        before = torch.cat([start, x[:, :cut]], 1)
        given = Given(prefix=Prefix(before, torch.full((4,), before.shape[1])))
        torch.testing.assert_close(
            net.terms(x[:, cut:], given), whole[:, cut:], rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("kind", [TokenBackbone, GPT2Backbone])
def test_prefixes_of_unequal_length_are_each_alone(kind: type[TokenBackbone]) -> None:
    net, x, lengths = backbone(kind), tokens(4, 5, seed=9), (1, 7, 3, 0)
    together = net.terms(x, prefixes(*lengths))
    for i, length in enumerate(lengths):
        alone = net.terms(x[i : i + 1], prefixes(length) if length else None)
        # rotations are tabulated in single precision, and padding moves a row along the table
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-5, atol=1e-5)


def shown(net: TokenBackbone, visible: Tensor) -> Tensor:
    """Logits after the visible tokens, computed without a cache."""
    return net(visible, None, None, None, 1)[:, -1]


@pytest.mark.parametrize("kind", [TokenBackbone, GPT2Backbone])
@pytest.mark.parametrize("prompt", [1, 5, 12])
def test_the_cache_is_no_cache_also_past_the_window(kind: type[TokenBackbone], prompt: int) -> None:
    net = backbone(kind)
    walk = TokenWalk(net, Streams(1, 2), prefixes(prompt, prompt), SampleOptions(length=40))
    held = prompt
    for index, state in enumerate(itertools.islice(states(walk), 40)):
        if index:
            # a full window is left for the latter half of what it held and the token that did not fit
            held = SPACE.length // 2 if held == SPACE.length else held + 1
        visible = state.tokens[:, state.filled - held : state.filled]
        torch.testing.assert_close(state.logits, shown(net, visible), rtol=1e-8, atol=1e-8)


def test_unequal_prompts_generate_what_each_alone_would() -> None:
    net = backbone()
    lengths = (2, 9, 5)
    options = SampleOptions(length=30, top_k=4, repetition_penalty=1.3)
    together = run(TokenWalk(net, Streams(3, 3), prefixes(*lengths), options))
    for i, length in enumerate(lengths):
        alone = run(TokenWalk(net, Streams(3, 1, first=i), prefixes(length), options))
        # up to the first end of a window, which rows reach together but alone at another time
        same = SPACE.length - max(lengths)
        assert torch.equal(together[i, :same], alone[0, :same])


def test_ancestral_samples_are_the_model_given_a_prefix() -> None:
    model = Autoregressive(TINY, SMALL)
    perturb(model, 0.3)
    n = 20_000
    every = enumerate_strings(TINY)[:, :2]
    every = every.unique(dim=0)

    def given(k: int) -> Given:
        return Given(prefix=Prefix(torch.tensor([[2, 0]]).expand(k, -1), torch.full((k,), 2)))

    p = model.log_prob(every, given=given(len(every))).nats.double().exp()
    assert float(p.sum()) == pytest.approx(1.0, abs=1e-5)
    x = model.sample(n, given=given(n), seed=5, length=2, batch=5000)
    observed = torch.bincount(x[:, 0] * 3 + x[:, 1], minlength=9).double()
    # the seed is fixed; a correct sampler with another seed would fail once in a thousand
    assert stats.chisquare(observed.numpy(), (n * p / p.sum()).numpy()).pvalue > 1e-3


@pytest.mark.parametrize(
    "options", [SampleOptions(top_k=2), SampleOptions(top_p=0.7), SampleOptions(temperature=0.5)]
)
def test_filtered_draws_have_the_filtered_probabilities(options: SampleOptions) -> None:
    logits = torch.tensor([[0.3, 1.0, -0.7, 0.9, 0.0]]).expand(20_000, -1)
    p = filtered(logits[:1], options)[0].exp()
    drawn = draw(
        filtered(logits, options), torch.rand(20_000, generator=generator(2), dtype=torch.float64)
    )
    observed = torch.bincount(drawn, minlength=5).double()
    assert bool((observed[p == 0] == 0).all())
    kept = p > 0
    # false alarm once in a thousand; the seed is fixed
    assert stats.chisquare(observed[kept].numpy(), (20_000 * p[kept]).numpy()).pvalue > 1e-3


def test_default_options_leave_the_distribution_alone() -> None:
    logits = torch.randn(4, 7, generator=generator(1))
    torch.testing.assert_close(filtered(logits, SampleOptions()), logits.double().log_softmax(-1))


def test_filters_by_hand() -> None:
    log_p = torch.tensor([[0.1, 0.4, 0.1, 0.4]]).log()
    assert keep_top_k(log_p, 1).exp().tolist() == [[0.0, 1.0, 0.0, 0.0]]
    assert keep_top_k(log_p, 3).exp().tolist()[0] == pytest.approx([1 / 9, 4 / 9, 0.0, 4 / 9])
    assert keep_top_k(log_p, 99).exp().tolist()[0] == pytest.approx([0.1, 0.4, 0.1, 0.4])
    assert keep_top_p(log_p, 0.4).exp().tolist()[0] == pytest.approx([0.0, 1.0, 0.0, 0.0])
    assert keep_top_p(log_p, 0.41).exp().tolist()[0] == pytest.approx([0.0, 0.5, 0.0, 0.5])
    assert keep_top_p(log_p, 1.0).exp().tolist()[0] == pytest.approx([0.1, 0.4, 0.1, 0.4])
    assert keep_min_p(log_p, 0.3).exp().tolist()[0] == pytest.approx([0.0, 0.5, 0.0, 0.5])
    assert keep_min_p(log_p, 0.2).exp().tolist()[0] == pytest.approx([0.1, 0.4, 0.1, 0.4])
    # entropy 0.94 nats: the surprise of 0.35 is 1.05, the nearest; of 0.5 it is 0.69, of 0.15 it is 1.90
    uneven = torch.tensor([[0.5, 0.35, 0.15]]).log()
    assert keep_typical(uneven, 0.3).exp().tolist()[0] == pytest.approx([0.0, 1.0, 0.0])
    assert keep_typical(uneven, 0.36).exp().tolist()[0] == pytest.approx(
        [0.5 / 0.85, 0.35 / 0.85, 0.0]
    )


def test_a_draw_never_takes_what_has_no_probability() -> None:
    log_p = torch.tensor(
        [[-math.inf, 0.5, 0.5 - 1e-12, -math.inf]], dtype=torch.float64
    ).log_softmax(-1)
    for u in (0.0, 1e-300, 0.25, 0.999999, 1.0 - 2**-53):
        assert int(draw(log_p, torch.tensor([u], dtype=torch.float64))) in (1, 2)


def test_repetition_penalty_lowers_what_occurred() -> None:
    logits, seen = torch.tensor([[2.0, -1.0, 0.5]]), torch.tensor([[True, True, False]])
    expected = torch.tensor([[1.0, -2.0, 0.5]]).double().log_softmax(-1)
    torch.testing.assert_close(
        filtered(logits, SampleOptions(repetition_penalty=2.0), seen), expected
    )


def test_guidance_is_linear_in_the_two_distributions() -> None:
    net, given = backbone(), prefixes(5)
    plain, none = (shown(net, net.started(g, 1)[0]).log_softmax(-1) for g in (given, None))
    for weight in (0.0, 2.5):
        walk = TokenWalk(net, Streams(0, 1), given, SampleOptions(guidance=weight, length=9))
        first = next(states(walk))
        torch.testing.assert_close(
            first.logits, none + weight * (plain - none), rtol=1e-9, atol=1e-9
        )
        assert walk.calls == 18
    # after a few tokens each of the two has seen its own past
    walk = TokenWalk(net, Streams(0, 1), given, SampleOptions(guidance=2.5, length=6))
    # a walk fills its state in place, so it is looked at on the way
    last = next(itertools.islice(states(walk), 4, None))
    with_prompt = shown(net, last.tokens[:, : last.filled]).log_softmax(-1)
    bare = torch.cat([torch.tensor([[SPACE.boundary]]), last.tokens[:, 5 : last.filled]], 1)
    without = shown(net, bare).log_softmax(-1)
    torch.testing.assert_close(
        last.logits, without + 2.5 * (with_prompt - without), rtol=1e-8, atol=1e-8
    )


def test_too_long_a_prompt_is_refused() -> None:
    net = backbone()
    with pytest.raises(BadInput, match=r"a prompt of 13 tokens: expected at most 12"):
        TokenWalk(net, Streams(0, 1), prefixes(13), SampleOptions())
    with pytest.raises(BadInput, match=r"6 tokens before 9 to score: expected at most 13"):
        net.terms(tokens(1, 9), prefixes(6))


def test_a_labelled_model_wants_the_label_beside_a_prefix() -> None:
    model = Autoregressive(TINY, SMALL, ("a", "b"))
    prefix = Prefix(torch.tensor([[2, 0]]), torch.tensor([2]))
    assert model.sample(1, given=Given(torch.tensor([1]), prefix), length=2).shape == (1, 2)
    for call in (
        lambda: model.sample(1, given=Given(prefix=prefix), length=2),
        lambda: model.log_prob(torch.tensor([[1, 1]]), given=Given(prefix=prefix)),
    ):
        with pytest.raises(BadInput, match="a condition without the label"):
            call()


def test_options_of_text_are_refused_elsewhere() -> None:
    from pushforward.core.space import Points

    with pytest.raises(Unsupported, match=r"'top_k' on points: expected one of temperature"):
        Autoregressive(Points(2), SMALL).sample(2, top_k=3)
    model = Autoregressive(TINY, SMALL)
    for option, value, pattern in (
        ("top_k", 0, "top_k=0"),
        ("top_p", 1.5, "top_p=1.5"),
        ("length", 0, "length=0"),
    ):
        with pytest.raises(BadInput, match=pattern):
            model.sample(1, **{option: value})


@pytest.fixture(scope="module")
def gpt2():
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from transformers import GPT2Config, GPT2LMHeadModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        size = {"n_positions": 12, "n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 11}
        theirs = (
            GPT2LMHeadModel(GPT2Config(**size, bos_token_id=10, eos_token_id=10)).double().eval()
        )
    ours = GPT2Backbone(SPACE, SMALL, 0).double()
    state = from_gpt2(theirs.state_dict())
    missing = ours.load_state_dict(state, strict=False)
    assert not missing.unexpected_keys
    assert set(missing.missing_keys) <= {"transformer.cosines", "transformer.sines"}
    return theirs, ours


def test_logits_are_those_of_transformers(gpt2) -> None:
    theirs, ours = gpt2
    x = tokens(3, 12)
    with torch.no_grad():
        torch.testing.assert_close(
            ours(x, None, None, None, 12), theirs(x).logits, rtol=1e-9, atol=1e-9
        )


def test_greedy_generation_is_that_of_transformers(gpt2) -> None:
    theirs, ours = gpt2
    prompt = torch.tensor([[10, 3, 5], [10, 1, 7]])
    expected = theirs.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=9,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    given = Given(prefix=Prefix(prompt, torch.tensor([3, 3])))
    found = run(TokenWalk(ours, Streams(0, 2), given, SampleOptions(length=9, top_k=1)))
    assert torch.equal(found, expected[:, 3:])


def test_a_foreign_weight_is_named() -> None:
    with pytest.raises(BadInput, match=r"'h\.0\.attn\.rope\.weight'"):
        from_gpt2({"h.0.attn.rope.weight": torch.zeros(2)})
