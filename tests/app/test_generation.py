"""Stop strings and patterns: every text obeys them, and what they leave of the model's distribution is what they say."""

from __future__ import annotations

import re

import pytest
import torch
from scipy import stats

from oracles import perturb
from pushforward.app.writing.generation import FREE, TextRules
from pushforward.app.writing.writer import Writer
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples
from pushforward.core.walk import states
from pushforward.data.text.automaton import TokenAutomaton, any_of
from pushforward.data.text.encoding import TextEncoding
from pushforward.data.text.tokeniser import ByteTokeniser, CharacterTokeniser
from pushforward.families.autoregressive.config import AutoregressiveConfig
from pushforward.families.autoregressive.model import Autoregressive

SMALL = AutoregressiveConfig(width=16, depth=1, heads=2)
ENCODING = TextEncoding(CharacterTokeniser(".0129ab"), length=12)


@pytest.fixture(scope="module")
def model() -> Autoregressive:
    found = Autoregressive(ENCODING.space, SMALL)
    perturb(found, 0.3)
    return found


@pytest.mark.parametrize(
    "pattern", [r"(a|b)+[0-9]{2}\.?", r"a{3,7}", r"[ab0129.]{0,4}9", r"(ab|ba)*"]
)
@pytest.mark.parametrize("length", [8, 20])
def test_every_text_matches_the_pattern(model: Autoregressive, pattern: str, length: int) -> None:
    x = Writer(model, ENCODING, "a", 3, TextRules(match=pattern), {"length": length}).tokens(60)
    texts = ENCODING.decode(x)
    assert all(re.fullmatch(pattern, text) for text in texts), texts
    assert len(set(texts)) > 1


def test_a_set_of_strings_is_drawn_as_the_model_would_choose_among_them(
    model: Autoregressive,
) -> None:
    words = ("ab", "a1", "b")
    n = 8000
    texts = ENCODING.decode(
        Writer(model, ENCODING, None, 1, TextRules(one_of=words), {"length": 4}).tokens(n)
    )
    observed = [texts.count(word) for word in words]
    assert sum(observed) == n
    # first a or b, then after an a either b or 1, each in the model's own proportions
    a, b, one = (ENCODING.tokeniser.encode(c, "x")[0] for c in "ab1")
    rows = torch.stack([torch.stack([a, b]), torch.stack([a, one]), torch.stack([b, b])])
    p = model.terms(Examples(rows)).double().exp()
    share = float(p[0, 0] / (p[0, 0] + p[2, 0]))
    inner = float(p[0, 1] / (p[0, 1] + p[1, 1]))
    expected = [n * share * inner, n * share * (1 - inner), n * (1 - share)]
    # the seed is fixed; a correct sampler with another one would fail once in a thousand
    assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_texts_end_at_the_first_stop_string_and_not_before(model: Autoregressive) -> None:
    free = ENCODING.decode(Writer(model, ENCODING, "a", 5, FREE, {"length": 30}).tokens(40))
    stopped = ENCODING.decode(
        Writer(model, ENCODING, "a", 5, TextRules(("b", "0.")), {"length": 30}).tokens(40)
    )
    ended = 0
    for before, after in zip(free, stopped, strict=True):
        cuts = [before.find(stop) + len(stop) for stop in ("b", "0.") if stop in before]
        ended += bool(cuts)
        assert after == (before[: min(cuts)] if cuts else before)
    assert ended > 10


def test_a_stop_string_that_never_comes_ends_at_the_length(model: Autoregressive) -> None:
    walk = Writer(model, ENCODING, "a", 0, TextRules(("a9.9.9.9a",)), {"length": 9}).walk(3)
    assert len(list(states(walk))) <= 10
    assert not bool(walk.stopped.any())  # type: ignore[attr-defined]


def test_a_batch_ends_when_its_last_text_does(model: Autoregressive) -> None:
    walk = Writer(model, ENCODING, "a", 5, TextRules(tuple(".0129ab")), {"length": 30}).walk(2)
    # every text ends with its first character, or with the boundary at once
    assert len(list(states(walk))) == 2


def test_streaming_writes_what_sampling_returns(model: Autoregressive) -> None:
    pieces: list[str] = []
    writer = Writer(model, ENCODING, "ab", 7, FREE, {"length": 25})
    writer.stream(pieces.append)
    (whole,) = ENCODING.decode(writer.tokens(1))
    assert "".join(pieces) == whole
    assert len(pieces) == len(whole)


def test_patterns_over_bytes_allow_whole_characters_only() -> None:
    automaton = TokenAutomaton("[a-c\u00e9]+", ByteTokeniser())
    assert automaton.allowed(automaton.initial, left=5).nonzero().flatten().tolist() == [97, 98, 99]


def test_bad_rules_are_named(model: Autoregressive) -> None:
    for rules, pattern in (
        ({"match": "(a"}, r"the pattern '\(a'"),
        ({"match": "z+"}, r"'z\+': expected one that some text of this run's tokens matches"),
        ({"match": "a{9}"}, r"with 5 tokens left: expected at least 10"),
        ({"match": "a", "one_of": ("b",)}, "one of them"),
        ({"stops": ("",)}, "an empty stop string"),
    ):
        with pytest.raises(BadInput, match=pattern):
            Writer(model, ENCODING, None, 0, TextRules(**rules), {"length": 4}).tokens(2)
    assert any_of(["a.b", "c"]) == r"(a\.b|c)"


def test_a_draft_equal_to_the_model_is_always_believed(model: Autoregressive) -> None:
    text, cost = Writer(
        model, ENCODING, "a", 3, options={"temperature": 0.7, "length": None}
    ).speculate(model)
    assert cost.kept == cost.proposed == cost.tokens.shape[1] == ENCODING.length - 2
    assert len(text) <= ENCODING.length - 2


def test_beams_are_scored_as_the_model_scores_them(model: Autoregressive) -> None:
    found = Writer(model, ENCODING, "ab", options={"length": 3}).best(4)
    assert [nats for _, nats in found] == sorted((nats for _, nats in found), reverse=True)
    for text, nats in found:
        tokens = ENCODING.tokeniser.encode(text, "x")
        if len(tokens) < 3:
            tokens = torch.cat([tokens, tokens.new_full((1,), ENCODING.tokeniser.boundary)])
        given = ENCODING.parse_given("ab", 1)
        assert nats == pytest.approx(
            float(model.terms(Examples(tokens[None], given)).sum()), abs=1e-4
        )


def test_what_a_way_of_writing_would_ignore_is_refused(model: Autoregressive) -> None:
    plain = {"length": 4}
    for writer, write, pattern in (
        (
            Writer(model, ENCODING, rules=TextRules(("b",)), options=plain),
            "best",
            "beam search under rules",
        ),
        (
            Writer(model, ENCODING, options={"top_k": 2}),
            "best",
            "beam search with sampling options",
        ),
        (
            Writer(model, ENCODING, rules=TextRules(match="a"), options=plain),
            "speculate",
            "speculative .* under rules",
        ),
        (
            Writer(model, ENCODING, "a", options={"repetition_penalty": 2.0}),
            "speculate",
            "repetition_penalty with",
        ),
        (
            Writer(model, ENCODING, "a" * (ENCODING.length - 1)),
            "speculate",
            "12 tokens and 0 to propose",
        ),
    ):
        with pytest.raises(BadInput, match=pattern):
            writer.best(2) if write == "best" else writer.speculate(model)
