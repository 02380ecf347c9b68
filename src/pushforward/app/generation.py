"""What changes a generation of text from outside: stop strings and patterns, as walks around the walk over tokens.

Two ideas: both look at the state between steps and never into the network; a row that has ended goes on with the boundary, which
decoding cuts, so that rows of one batch may end at different times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.model import GenerativeModel
from pushforward.core.rng import generator
from pushforward.core.walk import Walk, run, states
from pushforward.data.text.automaton import TokenAutomaton, any_of
from pushforward.data.text.encoding import TextEncoding
from pushforward.families.autoregressive.beam import beam_search
from pushforward.families.autoregressive.generate import TokenState, TokenWalk
from pushforward.families.autoregressive.speculative import Speculated, speculate


class Stopping(Walk[TokenState]):
    """A walk whose rows end at the first of some strings, which is kept, or at the end of the document.

    Attributes:
        stopped: for each row, whether one of the strings came.
    """

    def __init__(self, walk: TokenWalk | Matching, encoding: TextEncoding, stops: Sequence[str]) -> None:
        if not stops or not all(stops):
            raise BadInput("an empty stop string", "one or more characters")
        self.walk, self.encoding, self.stops = walk, encoding, tuple(stops)
        self.length, self.calls = walk.length, walk.calls
        self.boundary = encoding.tokeniser.boundary
        self.reach = max(len(stop.encode()) for stop in self.stops)

    def start(self) -> TokenState:
        """Start the inner walk."""
        state = self.walk.start()
        self.first = state.filled
        self.ended = torch.zeros(len(state.tokens), dtype=torch.bool)
        self.stopped = torch.zeros(len(state.tokens), dtype=torch.bool)
        return state

    def step(self, state: TokenState, index: int) -> TokenState:
        """Take the inner step; rows that ended before it keep the boundary."""
        state = self.walk.step(state, index)
        place = state.filled - 1
        state.tokens[self.ended, place] = self.boundary
        for row in (~self.ended).nonzero().flatten().tolist():
            if int(state.tokens[row, place]) == self.boundary:
                self.ended[row] = True
                continue
            # a stop string has at most as many tokens as bytes
            tail = state.tokens[row, max(self.first, place + 1 - self.reach) : place + 1]
            text = self.encoding.tokeniser.decode_bytes(tail).decode("utf-8", "ignore")
            if text.endswith(self.stops):
                self.ended[row] = self.stopped[row] = True
        return state

    def finish(self, state: TokenState) -> Tensor:
        """Finish the inner walk."""
        return self.walk.finish(state)

    def finished(self, state: TokenState) -> bool:
        """True once every row has ended."""
        return bool(self.ended.all()) or self.walk.finished(state)


class Matching(Walk[TokenState]):
    """A walk whose rows match a pattern as a whole: tokens that cannot lead to a match have probability zero.

    What is drawn is the model's distribution of the next token restricted to what is allowed, token by token, which is not the
    model's distribution of texts given that they match.
    """

    def __init__(self, walk: TokenWalk, automaton: TokenAutomaton) -> None:
        self.walk, self.automaton = walk, automaton
        self.length, self.calls = walk.length, walk.calls

    def start(self) -> TokenState:
        """Start the inner walk, every row at the automaton's start."""
        state = self.walk.start()
        self.places: list[Any] = [self.automaton.initial] * len(state.tokens)
        return state

    def step(self, state: TokenState, index: int) -> TokenState:
        """Mask what is not allowed, then take the inner step."""
        left = self.length - index
        # the last token of a row that is not over need not be the boundary
        masks = {place: self.automaton.allowed(place, left + 1) for place in set(self.places)}
        allowed = torch.stack([masks[place] for place in self.places]).to(state.logits.device)
        state.logits = state.logits.masked_fill(~allowed, -math.inf)
        state = self.walk.step(state, index)
        chosen = state.tokens[:, state.filled - 1].tolist()
        self.places = [self.automaton.after(place, token) for place, token in zip(self.places, chosen, strict=True)]
        return state

    def finish(self, state: TokenState) -> Tensor:
        """Finish the inner walk."""
        return self.walk.finish(state)

    def finished(self, state: TokenState) -> bool:
        """True once every row has ended."""
        return all(place is None for place in self.places)


@dataclass(frozen=True)
class TextRules:
    """What a generated text must do: end at one of `stops`, match `match`, or be `one_of` some strings."""

    stops: tuple[str, ...] = ()
    match: str | None = None
    one_of: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.stops or self.match or self.one_of)


def text_walk(
    model: GenerativeModel,
    encoding: TextEncoding,
    n: int,
    given: str | None,
    seed: int,
    rules: TextRules,
    first: int = 0,
    **options: Any,
) -> Walk[TokenState]:
    """Return the walk of n texts after a prompt, under some rules.

    Raises:
        BadInput: a pattern and a set of strings at once, or what either of them refuses.
    """
    condition = None if given is None else encoding.parse_given(given, n)
    walk: Any = model.walk(n, condition, seed, first, **options)
    if rules.match is not None and rules.one_of:
        raise BadInput("a pattern and a set of strings", "one of them")
    pattern = any_of(list(rules.one_of)) if rules.one_of else rules.match
    if pattern is not None:
        walk = Matching(walk, TokenAutomaton(pattern, encoding.tokeniser))
    return Stopping(walk, encoding, rules.stops) if rules.stops else walk


def generate(
    model: GenerativeModel,
    encoding: TextEncoding,
    n: int,
    given: str | None,
    seed: int,
    rules: TextRules,
    on_step: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Tensor:
    """Return the tokens of n texts (n, at most length), in batches of `model.chunk`; text i depends on the seed and i only."""
    parts = []
    for start in range(0, n, model.chunk):
        size = min(model.chunk, n - start)
        parts.append(run(text_walk(model, encoding, size, given, seed, rules, start, **options), on_step))
    return torch.cat(parts)


def stream(
    model: GenerativeModel,
    encoding: TextEncoding,
    given: str | None,
    seed: int,
    rules: TextRules,
    write: Callable[[str], None],
    **options: Any,
) -> None:
    """Call `write` with each new piece of one text as soon as its characters are complete."""
    walk = text_walk(model, encoding, 1, given, seed, rules, **options)
    start, pending = 0, b""
    for index, state in enumerate(states(walk)):
        if index == 0:
            start = state.filled
            continue
        token = state.tokens[0, start + index - 1 : start + index]
        if int(token) == encoding.tokeniser.boundary:
            return
        pending += encoding.tokeniser.decode_bytes(token)
        try:
            text = pending.decode("utf-8")
        except UnicodeDecodeError:
            continue  # a character whose last byte has not come
        pending = b""
        write(text)


def best_texts(
    model: GenerativeModel, encoding: TextEncoding, given: str | None, beams: int, length: int | None = None
) -> list[tuple[str, float]]:
    """Return the texts that beam search finds after a prompt, best first, with their log-probabilities in nats.

    Raises:
        BadInput: a prompt and a length that do not fit into the context.
    """
    condition = None if given is None else encoding.parse_given(given, 1)
    prompt = 1 if condition is None or condition.prefix is None else condition.prefix.tokens.shape[1]
    walk = model.walk(1, condition, 0, length=length or encoding.length + 1 - prompt)
    assert isinstance(walk, TokenWalk)
    texts, scores = beam_search(walk, beams)
    return list(zip(encoding.decode(texts), scores.tolist(), strict=True))


def speculative(
    model: GenerativeModel,
    draft: GenerativeModel,
    encoding: TextEncoding,
    given: str | None,
    seed: int,
    length: int | None = None,
    **options: Any,
) -> tuple[str, Speculated]:
    """Return one text of `model`, proposed by a smaller model of the same dictionary, and what it cost."""
    condition = None if given is None else encoding.parse_given(given, 1)
    walks = [m.walk(1, condition, seed, **options) for m in (model, draft)]
    assert isinstance(walks[0], TokenWalk)
    assert isinstance(walks[1], TokenWalk)
    prompt = walks[0].prompt
    count = length or encoding.length - prompt.shape[1]
    rng = generator(seed, "speculate")
    found = speculate(walks[0].model, walks[1].model, prompt, count, rng, options=walks[0].options)
    return encoding.decode(found.tokens)[0], found
