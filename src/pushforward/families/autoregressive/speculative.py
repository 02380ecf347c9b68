"""Speculative decoding: a small model proposes, a large one checks several tokens in one pass, and
its distribution is kept.

One idea: a proposal x from q is kept with probability min(1, p(x)/q(x)), and otherwise replaced by
a draw from what p has more than q; whatever q is, the token then has distribution p (Leviathan et
al. 2023, theorem 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.core.options import SampleOptions
from pushforward.families.autoregressive.generate import TokenModel
from pushforward.families.autoregressive.options import REPETITION_PENALTY
from pushforward.families.shared.next_token import draw, filtered
from pushforward.families.shared.options import GUIDANCE


@dataclass(frozen=True)
class Speculated:
    """A text and what it cost: passes of the large model, proposals made and kept."""

    tokens: Tensor
    passes: int
    proposed: int
    kept: int


@torch.no_grad()
def speculate(
    target: TokenModel,
    draft: TokenModel,
    prompt: Tensor,
    length: int,
    rng: torch.Generator,
    ahead: int = 4,
    options: SampleOptions | None = None,
    given: Given | None = None,
) -> Speculated:
    """Return `length` tokens after a prompt (1, P), distributed as the target's under `options`.

    Args:
        target, draft: models of the same vocabulary.
        ahead: proposals between two passes of the target.
        given: label and context of the text, for both models.
        options: temperature and filters, applied to both models alike.

    Raises:
        BadInput: different vocabularies, several prompts, a text that is empty or does not fit into
            both contexts, or options that look at more than the next token's distribution.
    """
    chosen = options or SampleOptions()
    _require_fit(target, draft, prompt, length, ahead)
    _require_local(chosen)
    text, end = prompt.clone(), prompt.shape[1] + length
    first, cache = target.begin(text, given, None)
    guess, notes = draft.begin(text, given, None)
    passes, proposed, kept = 1, 0, 0
    uniform = lambda: torch.rand(1, generator=rng, dtype=torch.float64).to(prompt.device)  # noqa: E731
    while text.shape[1] < end:
        count = min(ahead, end - text.shape[1])
        proposals, laws = [], []
        for index in range(count):
            law = filtered(guess, chosen)
            token = draw(law, uniform())
            proposals.append(token)
            laws.append(law[0])
            # the last guess is looked at too, so that the draft is ready if all are kept
            guess = draft.step(token, notes, text.shape[1] + index)
        block = torch.stack(proposals, dim=1)
        seen = target.extend(block, cache, text.shape[1])
        passes, proposed = passes + 1, proposed + count
        truth = filtered(torch.cat([first, seen[0]]), chosen)
        taken = 0
        while taken < count and _keep(truth[taken], laws[taken], int(block[0, taken]), uniform()):
            taken += 1
        kept += taken
        text = torch.cat([text, block[:, :taken]], dim=1)
        if taken == count:
            first = seen[:, -1]
            continue
        token = draw(_rest(truth[taken], laws[taken])[None], uniform())
        place = text.shape[1]
        text = torch.cat([text, token[:, None]], dim=1)
        # both caches go on from here and overwrite what was rejected
        first, guess = target.step(token, cache, place), draft.step(token, notes, place)
        passes += 1
    return Speculated(text[:, prompt.shape[1] :], passes, proposed, kept)


def _require_fit(
    target: TokenModel, draft: TokenModel, prompt: Tensor, length: int, ahead: int
) -> None:
    if target.text.vocabulary != draft.text.vocabulary:
        came = f"models of {target.text.vocabulary} and {draft.text.vocabulary} tokens"
        raise BadInput(
            came, "one vocabulary", "train the small model with the large one's tokeniser"
        )
    room = min(target.context, draft.context)
    if prompt.shape[0] != 1 or length < 1 or prompt.shape[1] + length > room or ahead < 1:
        came = f"{prompt.shape[0]} prompts of {prompt.shape[1]} tokens and {length} to propose, {ahead} ahead"
        raise BadInput(
            came,
            f"one prompt and something to propose, at most {room} tokens in all, one or more ahead",
        )


def _require_local(options: SampleOptions) -> None:
    for option in (GUIDANCE, REPETITION_PENALTY):
        if getattr(options, option.name) != option.default:
            raise BadInput(
                f"{option.name} with speculative decoding",
                "1, which is off",
                "leave the draft model out",
            )


def _keep(truth: Tensor, law: Tensor, token: int, u: Tensor) -> bool:
    return bool(u.log() < truth[token] - law[token])


def _rest(truth: Tensor, law: Tensor) -> Tensor:
    """Return `log norm(max(p - q, 0))`; where rounding leaves nothing, p itself."""
    surplus = (truth.exp() - law.exp()).clamp(min=0.0)
    return surplus.log() - surplus.sum().log() if float(surplus.sum()) > 0 else truth
