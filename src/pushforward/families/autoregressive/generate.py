"""Generation of text: a walk over tokens with a cache, past the window if need be.

Two ideas: rows of unequal prompts walk together, padded on the left; when the window is full, the walk starts again from the latter
half of what it holds, exactly as a model without a cache would that is shown that half.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.given import Given, label_of
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.text import Text
from pushforward.core.walk import Walk
from pushforward.families.autoregressive.choice import draw, draw_plainly, filtered
from pushforward.nets.transformer import Cache


@runtime_checkable
class TokenModel(Protocol):
    """What a walk needs of a model of tokens."""

    @property
    def context(self) -> int:
        """How many tokens the network can look at."""
        ...

    @property
    def text(self) -> Text:
        """The space."""
        ...

    def started(self, given: Given | None, n: int) -> tuple[Tensor, Tensor | None]:
        """Return what comes before, (n, P >= 1), and the padding of each row, None if none has any."""
        ...

    def begin(self, tokens: Tensor, label: Tensor | None, padding: Tensor | None) -> tuple[Tensor, Cache]:
        """Return the logits (n, V) after the tokens (n, T), and the cache that holds them."""
        ...

    def step(self, token: Tensor, label: Tensor | None, cache: Cache, position: int) -> Tensor:
        """Return the logits (n, V) after the token (n,) that stands at `position`."""
        ...

    def extend(self, tokens: Tensor, label: Tensor | None, cache: Cache, position: int) -> Tensor:
        """Return the logits (n, few, V) after each of the tokens (n, few) that stand from `position` on."""
        ...


@dataclass
class TokenState:
    """What was generated so far.

    Attributes:
        tokens: prompts, right-aligned, and what follows them, shape (n, P + length).
        filled: columns of `tokens` that are decided.
        logits: of the next token, (n, V).
        caches: of the network, and of the one without the condition if there is guidance.
        held: positions that the caches hold.
    """

    tokens: Tensor
    filled: int
    logits: Tensor
    caches: list[Cache]
    held: int


class TokenWalk(Walk[TokenState]):
    """Ancestral sampling of `length` tokens after each prompt; with default options it is the model's distribution.

    Guidance `log p_null + w (log p_given - log p_null)` (Ho & Salimans 2022, equation 6, on logits) compares the prompt with
    the bare start of a document; 1 is off.
    """

    def __init__(self, model: TokenModel, noise: Noise, given: Given | None, options: SampleOptions) -> None:
        self.model, self.noise, self.options, self.label = model, noise, options, label_of(given)
        self.length = options.length or model.text.length
        self.prompt, self.padding = model.started(given, noise.n)
        if self.prompt.shape[1] > model.context:
            raise BadInput(
                f"a prompt of {self.prompt.shape[1]} tokens",
                f"at most {model.context}, the context of this model",
                "cut it",
            )
        self.guided = options.guidance != 1.0
        self.plain = replace(options, length=None, guidance=1.0) == SampleOptions()
        self.calls = float(self.length) * (2 if self.guided else 1)

    @torch.no_grad()
    def start(self) -> TokenState:
        """Read the prompts and draw every uniform."""
        n, width = self.prompt.shape
        self.uniforms = self.noise.uniform(self.length, dtype=torch.float64)
        tokens = self.prompt.new_full((n, width + self.length), self.model.text.boundary)
        tokens[:, :width] = self.prompt
        self.seen = self._occurred() if self.options.repetition_penalty != 1.0 else None
        logits, caches = self._begin(self.prompt, self.padding, self._null_prompt())
        return TokenState(tokens, width, logits, caches, width)

    @torch.no_grad()
    def step(self, state: TokenState, index: int) -> TokenState:
        """Draw token `index`, and look at it unless it is the last."""
        if self.plain:
            chosen = draw_plainly(state.logits, self.uniforms[:, index])
        else:
            chosen = draw(filtered(state.logits, self.options, self.seen), self.uniforms[:, index])
        if self.seen is not None:
            self.seen.scatter_(1, chosen.unsqueeze(1), True)
        state.tokens[:, state.filled] = chosen
        state.filled += 1
        if index + 1 < self.length:
            self._advance(state, chosen)
        return state

    def finish(self, state: TokenState) -> Tensor:
        """Return the generated tokens, (n, length), without the prompts; what was not reached is the boundary."""
        return state.tokens[:, self.prompt.shape[1] :]

    def _advance(self, state: TokenState, chosen: Tensor) -> None:
        if state.held == self.model.context:
            kept = state.tokens[:, state.filled - max(1, self.model.context // 2) : state.filled]
            # rows that began with padding may still hold some of it
            padding = None if self.padding is None else (self.padding - (state.filled - kept.shape[1])).clamp(min=0)
            state.logits, state.caches = self._begin(kept, padding, kept if self.guided else None)
            state.held = kept.shape[1]
            return
        # without its prompt the null model has seen fewer tokens, so each cache has its own place
        steps = [self.model.step(chosen, label, cache, place) for cache, label, place in self._places(state)]
        state.logits, state.held = self._guide(steps), state.held + 1

    def _places(self, state: TokenState) -> list[tuple[Cache, Tensor | None, int]]:
        found = [(state.caches[0], self.label, state.held)]
        if self.guided:
            found.append((state.caches[1], None, state.held - self.ahead))
        return found

    def _begin(self, tokens: Tensor, padding: Tensor | None, null: Tensor | None) -> tuple[Tensor, list[Cache]]:
        first, cache = self.model.begin(tokens, self.label, padding)
        if null is None:
            return first, [cache]
        self.ahead = tokens.shape[1] - null.shape[1]
        second, other = self.model.begin(null, None, None)
        return self._guide([first, second]), [cache, other]

    def _guide(self, logits: list[Tensor]) -> Tensor:
        if not self.guided:
            return logits[0]
        with_condition, without = (x.log_softmax(-1) for x in logits)
        return without + self.options.guidance * (with_condition - without)

    def _null_prompt(self) -> Tensor | None:
        return self.prompt.new_full((len(self.prompt), 1), self.model.text.boundary) if self.guided else None

    def _occurred(self) -> Tensor:
        n, width = self.prompt.shape
        seen = torch.zeros(n, self.model.text.vocabulary, dtype=torch.bool, device=self.prompt.device)
        real = torch.ones_like(self.prompt, dtype=torch.bool)
        if self.padding is not None:
            real = torch.arange(width, device=self.prompt.device) >= self.padding.unsqueeze(1)
        rows, columns = real.nonzero(as_tuple=True)
        seen[rows, self.prompt[rows, columns]] = True
        return seen
