"""What changes a generation of text from outside: stop strings and patterns, as walks around the
walk over tokens.

Two ideas: both look at the state between steps and never into the network; a row that has ended
goes on with the boundary, which decoding cuts, so that rows of one batch may end at different
times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.walk import Walk, WalkWrapper
from pushforward.data.text.automaton import TokenAutomaton, any_of
from pushforward.data.text.encoding import TextEncoding
from pushforward.families.autoregressive.generate import TokenState, TokenWalk


def stop_in(tokens: Tensor, encoding: TextEncoding, stops: tuple[str, ...]) -> bool:
    """Return whether some tokens end with one of some strings."""
    # a stop string has at most as many tokens as bytes
    tail = tokens[max(0, len(tokens) - max(len(stop.encode()) for stop in stops)) :]
    return encoding.tokeniser.decode_bytes(tail).decode("utf-8", "ignore").endswith(stops)


class Stopping(WalkWrapper[TokenState]):
    """A walk whose rows end at the first of some strings, which is kept, or at the end of the
    document.

    Attributes:
        stopped: for each row, whether one of the strings came.
    """

    def __init__(
        self, walk: TokenWalk | Matching, encoding: TextEncoding, stops: Sequence[str]
    ) -> None:
        super().__init__(walk)
        self.encoding, self.stops, self.boundary = (
            encoding,
            tuple(stops),
            encoding.tokeniser.boundary,
        )

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
            if stop_in(state.tokens[row, self.first : place + 1], self.encoding, self.stops):
                self.ended[row] = self.stopped[row] = True
        return state

    def finished(self, state: TokenState) -> bool:
        """True once every row has ended."""
        return bool(self.ended.all()) or self.walk.finished(state)


class Cutting(WalkWrapper[Tensor]):
    """A walk whose texts are cut behind the first of some strings once they are written, in
    whatever order that was."""

    def __init__(self, walk: Walk[Tensor], encoding: TextEncoding, stops: Sequence[str]) -> None:
        super().__init__(walk)
        self.encoding, self.stops = encoding, tuple(stops)

    def finish(self, state: Tensor) -> Tensor:
        """Finish the inner walk and put the boundary wherever a text has ended."""
        tokens, boundary = self.walk.finish(state).clone(), self.encoding.tokeniser.boundary
        for row in tokens:
            for end in range(1, len(row) + 1):
                if int(row[end - 1]) == boundary or stop_in(row[:end], self.encoding, self.stops):
                    row[end:] = boundary
                    break
        return tokens


class Matching(WalkWrapper[TokenState]):
    """A walk whose rows match a pattern as a whole: tokens that cannot lead to a match have
    probability zero.

    What is drawn is the model's distribution of the next token restricted to what is allowed, token
    by token, which is not the model's distribution of texts given that they match.
    """

    def __init__(self, walk: TokenWalk, automaton: TokenAutomaton) -> None:
        super().__init__(walk)
        self.automaton = automaton

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
        self.places = [
            self.automaton.after(place, token)
            for place, token in zip(self.places, chosen, strict=True)
        ]
        return state

    def finished(self, state: TokenState) -> bool:
        """True once every row has ended."""
        return all(place is None for place in self.places)


@dataclass(frozen=True)
class TextRules:
    """What a generated text must do: end at one of `stops`, match `match`, or be `one_of` some
    strings.

    Raises:
        BadInput: a pattern and a set of strings at once, or an empty stop string.
    """

    stops: tuple[str, ...] = ()
    match: str | None = None
    one_of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.match is not None and self.one_of:
            raise BadInput("a pattern and a set of strings", "one of them")
        if not all(self.stops):
            raise BadInput("an empty stop string", "one or more characters")

    def __bool__(self) -> bool:
        return bool(self.stops or self.pattern is not None)

    @property
    def pattern(self) -> str | None:
        """The regular expression that a whole text must match, None if any may come."""
        return any_of(list(self.one_of)) if self.one_of else self.match


FREE = TextRules()
