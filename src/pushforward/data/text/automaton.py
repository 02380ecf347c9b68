"""Which tokens may come next, if the whole text must match a pattern.

Two ideas: a regular expression is a finite automaton over characters, so what may follow depends on the automaton's state and is
computed once for each; a token may be taken only if the text can still be completed in the tokens that are left.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.data.text.tokeniser import Tokeniser

State = int | None


class TokenAutomaton:
    """The automaton of a pattern, walked token by token.

    Tokens that are no whole characters (single bytes of longer ones) are never allowed. The pattern must match the whole text,
    which the boundary ends.

    Args:
        pattern: a regular expression without look-around or back-references.

    Raises:
        BadInput: no regular expression, or one that matches no text of these tokens.

    Example:
        >>> from pushforward.data.text.tokeniser import CharacterTokeniser
        >>> automaton = TokenAutomaton("(yes|no)", CharacterTokeniser("enosy"))
        >>> automaton.allowed(automaton.initial, left=4).nonzero().flatten().tolist()
        [1, 4]
    """

    def __init__(self, pattern: str, tokeniser: Tokeniser) -> None:
        import interegular

        try:
            re.compile(pattern)
            self._machine: Any = interegular.parse_pattern(pattern).to_fsm()
        except Exception as error:  # the library raises its own kinds and plain exceptions alike
            came = f"the pattern '{pattern}' ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
            raise BadInput(came, "a regular expression without look-around and back-references") from None
        self.initial: State = self._machine.initial
        self._boundary = tokeniser.boundary
        self._texts = [_text(tokeniser, token) for token in range(tokeniser.vocabulary)]
        self._next: dict[int, list[State]] = {}
        self._left = self._tokens_to_accept()
        if self.initial not in self._left:
            raise BadInput(f"the pattern '{pattern}'", "one that some text of this run's tokens matches")
        self.pattern = pattern

    def allowed(self, state: State, left: int) -> Tensor:
        """Return booleans (V,): the tokens after which the text can be completed in `left - 1` more, boundary included.

        Raises:
            BadInput: no token is allowed, because too few are left.
        """
        mask = torch.zeros(len(self._texts), dtype=torch.bool)
        if state is None:
            # the text has ended, and what follows is padding
            mask[self._boundary] = True
            return mask
        for token, after in enumerate(self._row(state)):
            mask[token] = after is not None and self._left.get(after, left) + 1 <= left - 1
        mask[self._boundary] = state in self._machine.finals
        if not bool(mask.any()):
            came = f"the pattern '{self.pattern}' with {left} tokens left"
            raise BadInput(came, f"at least {self._left.get(state, 0) + 1}, the end included", "generate more tokens")
        return mask

    def after(self, state: State, token: int) -> State:
        """Return the state after a token; None once the text has ended."""
        return None if state is None or token == self._boundary else self._row(state)[token]

    def _row(self, state: int) -> list[State]:
        if state not in self._next:
            self._next[state] = [self._walk(state, text) for text in self._texts]
        return self._next[state]

    def _walk(self, state: int, text: str | None) -> State:
        if not text:
            return None
        place: State = state
        for character in text:
            moves = self._machine.map.get(place, {})
            place = moves.get(self._machine.alphabet[character])
            if place is None:
                return None
        return place

    def _tokens_to_accept(self) -> dict[int, int]:
        """Return for every state the fewest tokens after which the pattern matches, by breadth-first search from the ends."""
        before: dict[int, set[int]] = {}
        for state in self._machine.states:
            for after in self._row(state):
                if after is not None:
                    before.setdefault(after, set()).add(state)
        found = dict.fromkeys(self._machine.finals, 0)
        queue = deque(found)
        while queue:
            state = queue.popleft()
            for earlier in before.get(state, ()):
                if earlier not in found:
                    found[earlier] = found[state] + 1
                    queue.append(earlier)
        return found


def _text(tokeniser: Tokeniser, token: int) -> str | None:
    if token == tokeniser.boundary:
        return None
    try:
        return tokeniser.decode_bytes(torch.tensor([token])).decode("utf-8")
    except UnicodeDecodeError:
        return None


def any_of(texts: list[str]) -> str:
    """Return the pattern that matches exactly one of some texts.

    Example:
        >>> any_of(["a+b", "c"])
        '(a\\\\+b|c)'
    """
    return "(" + "|".join(re.escape(text) for text in texts) + ")"
