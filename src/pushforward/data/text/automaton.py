"""Which tokens may come next, if the whole text must match a pattern.

Two ideas: a regular expression is a finite automaton over characters, so what may follow depends on
the automaton's state and is computed once for each; a token may be taken only if the text can still
be completed in the tokens that are left.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.limits import require_below
from pushforward.data.text.regular import Positions
from pushforward.data.text.tokeniser import Tokeniser

MOST_STEPS = 20_000_000
State = int | None


class TokenAutomaton:
    """The automaton of a pattern, walked token by token.

    Tokens that are no whole characters (single bytes of longer ones) are never allowed. The pattern
    must match the whole text, which the boundary ends. States are sets of positions of the pattern,
    numbered as texts reach them.

    Args:
        pattern: a regular expression without look-around or back-references.

    Raises:
        BadInput: no regular expression, one that matches no text of these tokens, or one beyond the
            limits.

    Example:
        >>> from pushforward.data.text.tokeniser import CharacterTokeniser
        >>> automaton = TokenAutomaton("(yes|no)", CharacterTokeniser("enosy"))
        >>> automaton.allowed(automaton.initial, left=4).nonzero().flatten().tolist()
        [1, 4]
    """

    def __init__(self, pattern: str, tokeniser: Tokeniser) -> None:
        self._machine = Positions(pattern)
        self.pattern = self._machine.pattern
        self._boundary, self._vocabulary = tokeniser.boundary, tokeniser.vocabulary
        self._trie = _Trie()
        for token in range(tokeniser.vocabulary):
            text = _text(tokeniser, token)
            if text:
                self._trie.add(text, token)
        size = len(self._machine.follow)
        came = f"a pattern of {size:,} letters for {tokeniser.vocabulary:,} tokens"
        require_below(size * tokeniser.vocabulary, MOST_STEPS, came, "letters times tokens")
        self._left = self._tokens_to_accept()
        self._sets: list[frozenset[int]] = []
        self._numbers: dict[frozenset[int], int] = {}
        self._next: dict[int, dict[int, int]] = {}
        if 0 not in self._left:
            raise BadInput(
                f"the pattern '{pattern}'", "one that some text of this run's tokens matches"
            )
        self.initial: State = self._number(self._machine.start)

    def allowed(self, state: State, left: int) -> Tensor:
        """Return booleans (V,): the tokens after which the text can be completed in `left - 1`
        more, boundary included.

        Raises:
            BadInput: no token is allowed, because too few are left.
        """
        mask = torch.zeros(self._vocabulary, dtype=torch.bool)
        if state is None:
            # the text has ended, and what follows is padding
            mask[self._boundary] = True
            return mask
        for token, after in self._row(state).items():
            mask[token] = self._needed(after) + 1 <= left - 1
        mask[self._boundary] = self._machine.ends(self._sets[state])
        if not bool(mask.any()):
            came = f"the pattern '{self.pattern}' with {left} tokens left"
            raise BadInput(
                came,
                f"at least {self._needed(state) + 1}, the end included",
                "generate more tokens",
            )
        return mask

    def after(self, state: State, token: int) -> State:
        """Return the state after a token; None once the text has ended."""
        return None if state is None or token == self._boundary else self._row(state).get(token)

    def _number(self, here: frozenset[int]) -> int:
        if here not in self._numbers:
            self._numbers[here] = len(self._sets)
            self._sets.append(here)
        return self._numbers[here]

    def _row(self, state: int) -> dict[int, int]:
        """Return the state after every token that leads to one from which the pattern can still be
        completed."""
        if state not in self._next:
            after = self._trie.walk(self._machine, self._sets[state])
            live = {token: here for token, here in after if not self._left.keys().isdisjoint(here)}
            self._next[state] = {token: self._number(here) for token, here in live.items()}
        return self._next[state]

    def _needed(self, state: int) -> int:
        """Return the fewest tokens after which the pattern matches: those of the nearest of a
        state's positions."""
        return min(self._left[p] for p in self._sets[state] if p in self._left)

    def _tokens_to_accept(self) -> dict[int, int]:
        """Return for every position the fewest tokens after which the pattern matches, by
        breadth-first search from the ends."""
        before: dict[int, set[int]] = {}
        for position in range(len(self._machine.follow)):
            for _, here in self._trie.walk(self._machine, frozenset((position,))):
                for after in here:
                    before.setdefault(after, set()).add(position)
        found = dict.fromkeys(self._machine.final, 0)
        queue = deque(found)
        while queue:
            position = queue.popleft()
            for earlier in before.get(position, ()):
                if earlier not in found:
                    found[earlier] = found[position] + 1
                    queue.append(earlier)
        return found


class _Trie:
    """The texts of all tokens by their letters, so that those with a common beginning are walked
    once."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.branches: dict[str, _Trie] = {}

    def add(self, text: str, token: int) -> None:
        node = self
        for letter in text:
            node = node.branches.setdefault(letter, _Trie())
        node.tokens.append(token)

    def walk(
        self, machine: Positions, here: frozenset[int]
    ) -> Iterator[tuple[int, frozenset[int]]]:
        """Yield every token that the pattern can read from here, and where it leads."""
        for letter, node in self.branches.items():
            after = machine.step(here, letter)
            if after:
                for token in node.tokens:
                    yield token, after
                yield from node.walk(machine, after)


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
