"""Write text with a model: samples under rules, one text as it comes, the best ones, or one that a
smaller model proposes.

One idea: what to continue, from which seed and under which rules is said once; the ways of writing
differ in nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from pushforward.app.writing.generation import FREE, Cutting, Matching, Stopping, TextRules
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Given
from pushforward.core.model import GenerativeModel
from pushforward.core.placement import memory_of
from pushforward.core.portions import in_portions
from pushforward.core.rng import generator
from pushforward.core.walk import Walk, of_all, run, states
from pushforward.data.text.automaton import TokenAutomaton
from pushforward.data.text.encoding import TextEncoding
from pushforward.families.autoregressive.beam import beam_search
from pushforward.families.autoregressive.generate import TokenWalk
from pushforward.families.autoregressive.speculative import Speculated, speculate


@dataclass(frozen=True)
class Writer:
    """A model of text with what it shall write.

    Attributes:
        given: the prompt that every text goes on from.
        context: what every text is about, for models with contexts.
        options: of sampling, as `model.walk` takes them; None is the family's default.

    Raises:
        BadInput: from its methods: a prompt that does not fit, options that a way of writing cannot
            keep, a pattern of no text.
        Unsupported: what only a model that writes from left to right can do, of another one.
    """

    model: GenerativeModel
    encoding: TextEncoding
    given: str | None = None
    seed: int = 0
    rules: TextRules = FREE
    options: Mapping[str, Any] = field(default_factory=dict)
    context: str | None = None

    def walk(self, n: int, first: int = 0) -> Walk[Any]:
        """Return the walk of texts `first` to `first + n`; without an order from left to right,
        stop strings cut it afterwards."""
        walk: Any = self._walk(self.model, n, first)
        if not isinstance(walk, TokenWalk):
            if self.rules.pattern is not None:
                raise self._unordered("a pattern", self.model)
            return Cutting(walk, self.encoding, self.rules.stops) if self.rules.stops else walk
        if self._automaton is not None:
            walk = Matching(walk, self._automaton)
        return Stopping(walk, self.encoding, self.rules.stops) if self.rules.stops else walk

    def tokens(self, n: int, on_step: Callable[[int, int], None] | None = None) -> Tensor:
        """Return n texts (n, at most length), as many at once as the memory takes; text i depends
        on the seed and i only."""
        size = self.model.chunk

        def written(first: int, count: int) -> Tensor:
            report = None if on_step is None else of_all(on_step, first, count, n, -(-n // size))
            return run(self.walk(count, first), report).cpu()

        return torch.cat(in_portions(n, size, written, memory=memory_of(self.model.device)))

    def require_streamable(self) -> None:
        """Refuse, before anything is written, what `stream` would.

        Raises:
            Unsupported: a model that does not write from left to right.
        """
        self._tokens("streaming", self.model, 1)
        self.walk(1)

    def stream(self, write: Callable[[str], None]) -> None:
        """Call `write` with each new piece of one text as soon as its characters are complete."""
        self.require_streamable()
        start, pending = 0, b""
        for index, state in enumerate(states(self.walk(1))):
            if index == 0:
                start = state.filled
                continue
            token = state.tokens[0, start + index - 1 : start + index]
            if int(token) == self.encoding.tokeniser.boundary:
                return
            pending += self.encoding.tokeniser.decode_bytes(token)
            try:
                text = pending.decode("utf-8")
            except UnicodeDecodeError:
                continue  # a character whose last byte has not come
            pending = b""
            write(text)

    def best(self, beams: int) -> list[tuple[str, float]]:
        """Return the texts that beam search finds, best first, with their log-probabilities in
        nats."""
        self._require_free("beam search")
        options = {"length": self._room + 1, **self._chosen}
        walk = self.model.walk(1, self._condition(1), self.seed, **options)
        if not isinstance(walk, TokenWalk):
            raise self._unordered("beam search", self.model)
        texts, scores = beam_search(walk, beams)
        return list(zip(self.encoding.decode(texts), scores.tolist(), strict=True))

    def speculate(self, draft: GenerativeModel) -> tuple[str, Speculated]:
        """Return one text of the model, proposed by a smaller one of the same dictionary, and what
        it cost."""
        self._require_free("speculative decoding")
        target, small = (
            self._tokens("speculative decoding", one, 1) for one in (self.model, draft)
        )
        length = self._chosen.get("length") or self._room
        rng = generator(self.seed, "speculate")
        found = speculate(
            target.model,
            small.model,
            target.prompt,
            length,
            rng,
            options=target.options,
            given=target.given,
        )
        return self.encoding.decode(found.tokens)[0], found

    @property
    def _chosen(self) -> dict[str, Any]:
        return {key: value for key, value in self.options.items() if value is not None}

    @cached_property
    def _automaton(self) -> TokenAutomaton | None:
        pattern = self.rules.pattern
        return None if pattern is None else TokenAutomaton(pattern, self.encoding.tokeniser)

    @property
    def _room(self) -> int:
        """How many tokens of one window the prompt leaves."""
        condition = self._condition(1)
        prompt = (
            1 if condition is None or condition.prefix is None else condition.prefix.tokens.shape[1]
        )
        return self.encoding.length - prompt

    def _condition(self, n: int) -> Given | None:
        return self.encoding.condition(self.given, n, self.context)

    def _walk(self, model: GenerativeModel, n: int, first: int = 0) -> Walk[Any]:
        return model.walk(n, self._condition(n), self.seed, first, **self._chosen)

    def _tokens(self, how: str, model: GenerativeModel, n: int) -> TokenWalk:
        walk = self._walk(model, n)
        if not isinstance(walk, TokenWalk):
            raise self._unordered(how, model)
        return walk

    @staticmethod
    def _unordered(how: str, model: GenerativeModel) -> Unsupported:
        came = f"{how} with {model.family}, which writes in random order"
        return Unsupported(
            came,
            "a model that writes from left to right, such as autoregressive",
            "sample whole texts",
        )

    def _require_free(self, how: str) -> None:
        if self.rules:
            raise BadInput(
                f"{how} under rules", "no stop string, pattern or set of strings", "sample instead"
            )
