"""Patterns as automata: the language is that of `re`, and no pattern takes long."""

from __future__ import annotations

import itertools
import random
import re

import pytest

from pushforward.core.errors import BadInput
from pushforward.core.limits import unlimited
from pushforward.data.text.automaton import TokenAutomaton
from pushforward.data.text.regular import Positions
from pushforward.data.text.tokeniser import ByteTokeniser, CharacterTokeniser

PATTERNS = (
    "",
    "a",
    "a*",
    "(ab)*",
    "a|b",
    "(a|b)*a(a|b)",
    "a?b+c{2}",
    "a{0}",
    "(a?){3}",
    "(a*)*b",
    "(|a)b",
    "a{1,3}?",
    "[^a]b*",
    "[a-b]c",
    ".*b",
    r"\w+",
    r"\d*a",
    "(?i)A[B-C]",
    "(?:ab|a)(?:c|bc)",
    "^ab$",
    "((a|b)(c|))*",
    "(a+|b)*?c?",
    "[ab][^ab]?",
    "(?s:.)b",
)


def words(alphabet: str, longest: int) -> list[str]:
    return ["".join(w) for n in range(longest + 1) for w in itertools.product(alphabet, repeat=n)]


def accepts(machine: Positions, text: str) -> bool:
    here = machine.start
    for letter in text:
        here = machine.step(here, letter)
    return machine.ends(here)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_language_is_that_of_re(pattern: str) -> None:
    machine, known = Positions(pattern), re.compile(pattern)
    for text in [*words("abc", 5), *words("aB1\n", 3)]:
        assert accepts(machine, text) == (known.fullmatch(text) is not None), text


def test_random_patterns_have_the_language_of_re() -> None:
    draw = random.Random(0)

    def some(depth: int) -> str:
        if depth == 0:
            return draw.choice(["a", "b", "[ab]", ".", "[^a]", "c"])
        inner = some(depth - 1)
        return draw.choice(
            [
                f"({inner}|{some(depth - 1)})",
                f"{inner}{some(depth - 1)}",
                f"({inner})*",
                f"({inner})?",
                f"({inner}){{1,2}}",
            ]
        )

    texts = words("abc", 4)
    for _ in range(60):
        pattern = some(3)
        machine, known = Positions(pattern), re.compile(pattern)
        assert [t for t in texts if accepts(machine, t)] == [
            t for t in texts if known.fullmatch(t)
        ], pattern


def test_a_pattern_whose_determinised_automaton_explodes_is_walked_all_the_same() -> None:
    automaton = TokenAutomaton("(a|b)*a(a|b){18}", CharacterTokeniser("ab"))
    state, text = automaton.initial, "abba" * 3 + "a" + "ba" * 9
    for left, letter in zip(range(40, 0, -1), text, strict=False):
        assert automaton.allowed(state, left)["ab".index(letter)]
        state = automaton.after(state, "ab".index(letter))
    assert bool(automaton.allowed(state, 2)[2])  # the whole text matches, so it may end


def test_a_token_is_allowed_if_and_only_if_the_text_can_be_completed() -> None:
    """By enumeration: of all texts of at most n tokens that match, the next tokens are the allowed ones."""
    tokeniser = CharacterTokeniser("abc")
    for pattern in ("(ab|b)*c", "a{2,4}(b|c)?", "(a|b)*a(a|b){2}", "c?(ab)+"):
        automaton, known = TokenAutomaton(pattern, tokeniser), re.compile(pattern)
        for left in (3, 5, 6):
            matching = [t for t in words("abc", left - 1) if known.fullmatch(t)]
            if not matching:
                continue
            for prefix in {t[:k] for t in matching for k in range(len(t) + 1)}:
                state = automaton.initial
                for letter in prefix:
                    state = automaton.after(state, "abc".index(letter))
                expected = {
                    "abc".index(t[len(prefix)])
                    for t in matching
                    if t.startswith(prefix) and len(t) > len(prefix)
                }
                expected |= {3} if prefix in matching else set()
                allowed = automaton.allowed(state, left - len(prefix)).nonzero().flatten().tolist()
                assert set(allowed) == expected, (pattern, prefix, left)


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        (
            "a{100000}",
            "a pattern of 100,000 letters, its repeats written out: expected at most 5,000 letters",
        ),
        ("(a{300}){300}", "90,000 letters"),
        ("(a?){4000}", "may follow each other in"),
        ("x" * 50_000, "50,000 letters"),
        ("(a", r"the pattern '\(a'"),
        ("a(?=b)", "which has 'assert'"),
        (r"(a)\1", "which has 'groupref'"),
        (r"a\b", "which has 'at'"),
        ("a++", "possessive"),
        ("(?>a)b", "atomic"),
        ("(" * 3000 + ")" * 3000, "the pattern"),
        ("a{99999999999}", "the pattern"),
    ],
)
def test_what_is_too_much_or_not_regular_is_refused_at_once(pattern: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        TokenAutomaton(pattern, CharacterTokeniser("ab"))


def test_limits_can_be_lifted() -> None:
    with unlimited():
        automaton = TokenAutomaton("a{6000}", CharacterTokeniser("ab"))
    assert automaton.allowed(automaton.initial, 6001)[0]
    with pytest.raises(BadInput, match="with 6000 tokens left: expected at least 6001"):
        automaton.allowed(automaton.initial, 6000)


def test_whole_characters_of_bytes() -> None:
    automaton = TokenAutomaton("(é|a)b", ByteTokeniser())
    assert automaton.allowed(automaton.initial, 4).nonzero().flatten().tolist() == [97]
