"""Generation of text: a walk over tokens with a cache, past the window if need be.

Two ideas: rows of unequal prompts walk together, padded on the left; when the window is full, the
walk starts again from the latter half of what it holds, exactly as a model without a cache would
that is shown that half.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.text import Text
from pushforward.core.walk import Walk
from pushforward.families.shared.next_token import draw, draw_plainly, filtered
from pushforward.families.shared.options import GUIDANCE, LENGTH
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
        """Return what comes before, (n, P >= 1), and the padding of each row, None if none has
        any."""
        ...

    @property
    def ends(self) -> bool:
        """True if nothing but boundaries follows a boundary."""
        ...

    def begin(
        self, tokens: Tensor, given: Given | None, padding: Tensor | None
    ) -> tuple[Tensor, Cache]:
        """Return the logits (n, V) after the tokens (n, T), and the cache that holds them, given
        label and context."""
        ...

    def step(self, token: Tensor, cache: Cache, position: int) -> Tensor:
        """Return the logits (n, V) after the token (n,) that stands at `position`."""
        ...

    def extend(self, tokens: Tensor, cache: Cache, position: int) -> Tensor:
        """Return the logits (n, few, V) after each of the tokens (n, few) that stand from
        `position` on."""
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
    """Ancestral sampling of `length` tokens after each prompt; with default options it is the
    model's distribution.

    Guidance `log p_null + w (log p_given - log p_null)` (Ho & Salimans 2022, equation 6, on logits)
    compares with what the model says without label and context or, where there are none, with the
    bare start of a document in place of the prompt; 1 is off.
    """

    def __init__(
        self, model: TokenModel, noise: Noise, given: Given | None, options: SampleOptions
    ) -> None:
        self.model, self.noise, self.options, self.given = model, noise, options, given
        self.length = options.length or model.text.length
        self.prompt, self.padding = model.started(given, noise.n)
        if self.prompt.shape[1] > model.context:
            raise BadInput(
                f"a prompt of {self.prompt.shape[1]} tokens",
                f"at most {model.context}, the context of this model",
                "cut it",
            )
        self.guided = options.guidance != 1.0
        self.about = given is not None and (given.label is not None or given.context is not None)
        self.plain = not set(options.nondefault()) - {LENGTH.name, GUIDANCE.name}
        self.calls = float(self.length) * (2 if self.guided else 1)

    @torch.no_grad()
    def start(self) -> TokenState:
        """Read the prompts and draw every uniform."""
        n, width = self.prompt.shape
        self.uniforms = self.noise.uniform(self.length, dtype=torch.float64)
        tokens = self.prompt.new_full((n, width + self.length), self.model.text.boundary)
        tokens[:, :width] = self.prompt
        self.over = torch.zeros(n, dtype=torch.bool, device=tokens.device)
        self.seen = self._occurred() if self.options.repetition_penalty != 1.0 else None
        bare = None if self.about else self.prompt.new_full((n, 1), self.model.text.boundary)
        logits, caches = self._begin(self.prompt, self.padding, bare)
        return TokenState(tokens, width, logits, caches, width)

    @torch.no_grad()
    def step(self, state: TokenState, index: int) -> TokenState:
        """Draw token `index`, and look at it unless it is the last."""
        if self.plain:
            chosen = draw_plainly(state.logits, self.uniforms[:, index])
        else:
            chosen = draw(filtered(state.logits, self.options, self.seen), self.uniforms[:, index])
        if self.model.ends:
            chosen = chosen.masked_fill(self.over, self.model.text.boundary)
            self.over |= chosen == self.model.text.boundary
        if self.seen is not None:
            self.seen.scatter_(1, chosen.unsqueeze(1), True)
        state.tokens[:, state.filled] = chosen
        state.filled += 1
        if index + 1 < self.length:
            self._advance(state, chosen)
        return state

    def finished(self, state: TokenState) -> bool:
        """True once no row can go on."""
        return self.model.ends and bool(self.over.all())

    def spent(self, state: TokenState, steps: int) -> float:
        """The prompt is read once, and every token but the last of all is looked at."""
        return float(min(self.length, steps + 1)) * (2 if self.guided else 1)

    def finish(self, state: TokenState) -> Tensor:
        """Return the generated tokens, (n, length), without the prompts; what was not reached is
        the boundary."""
        return state.tokens[:, self.prompt.shape[1] :]

    def _advance(self, state: TokenState, chosen: Tensor) -> None:
        if state.held == self.model.context:
            kept = state.tokens[:, state.filled - max(1, self.model.context // 2) : state.filled]
            # rows that began with padding may still hold some of it
            padding = (
                None
                if self.padding is None
                else (self.padding - (state.filled - kept.shape[1])).clamp(min=0)
            )
            state.logits, state.caches = self._begin(kept, padding)
            state.held = kept.shape[1]
            return
        # without its prompt the null model has seen fewer tokens, so each cache has its own place
        places = (state.held, state.held - self.ahead)
        steps = [
            self.model.step(chosen, cache, place)
            for cache, place in zip(state.caches, places, strict=False)
        ]
        state.logits, state.held = self._guide(steps), state.held + 1

    def _begin(
        self, tokens: Tensor, padding: Tensor | None, bare: Tensor | None = None
    ) -> tuple[Tensor, list[Cache]]:
        """Read some tokens and, for guidance, the same without label and context, or the `bare`
        start in their place."""
        first, cache = self.model.begin(tokens, self.given, padding)
        self.ahead = 0 if bare is None else tokens.shape[1] - bare.shape[1]
        if not self.guided:
            return first, [cache]
        second, other = (
            self.model.begin(tokens, None, padding)
            if bare is None
            else self.model.begin(bare, None, None)
        )
        return self._guide([first, second]), [cache, other]

    def _guide(self, logits: list[Tensor]) -> Tensor:
        if not self.guided:
            return logits[0]
        with_condition, without = (x.log_softmax(-1) for x in logits)
        return without + self.options.guidance * (with_condition - without)

    def _occurred(self) -> Tensor:
        n, width = self.prompt.shape
        seen = torch.zeros(
            n, self.model.text.vocabulary, dtype=torch.bool, device=self.prompt.device
        )
        real = torch.ones_like(self.prompt, dtype=torch.bool)
        if self.padding is not None:
            real = torch.arange(width, device=self.prompt.device) >= self.padding.unsqueeze(1)
        rows, columns = real.nonzero(as_tuple=True)
        seen[rows, self.prompt[rows, columns]] = True
        return seen
