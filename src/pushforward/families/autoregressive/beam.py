"""Beam search: the most probable continuations that a narrow breadth-first search finds.

One idea: the b best prefixes are kept at every step, with their caches; what is returned are modes
and no samples, so their probabilities say nothing about typical text.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.families.autoregressive.generate import TokenWalk


@torch.no_grad()
def beam_search(walk: TokenWalk, beams: int) -> tuple[Tensor, Tensor]:
    """Return the best `beams` texts (beams, length), best first, and their log-probabilities
    (beams,) given the prompt.

    A text that has met the boundary is over: it is followed by boundaries at no cost and competes
    by what it has.

    Args:
        walk: of one prompt, with default options.

    Raises:
        BadInput: several prompts, other options, fewer than one beam, or a text that does not fit
            into the context.
    """
    model, boundary = walk.model, walk.model.text.boundary
    if beams < 1 or len(walk.prompt) != 1 or not walk.plain or walk.guided:
        came = (
            f"{beams} beams for {len(walk.prompt)} prompts"
            if walk.plain
            else "beam search with sampling options"
        )
        raise BadInput(
            came,
            "one or more beams for one prompt, and no other option",
            "beam search draws nothing",
        )
    if walk.prompt.shape[1] + walk.length - 1 > model.context:
        came = f"{walk.prompt.shape[1]} tokens of prompt and {walk.length} to find"
        raise BadInput(came, f"at most {model.context + 1} together", "choose a smaller length")
    logits, cache = model.begin(walk.prompt, walk.given, None)
    texts = walk.prompt.new_zeros(1, 0)
    scores = torch.zeros(1, dtype=torch.float64, device=logits.device)
    over = torch.zeros(1, dtype=torch.bool, device=logits.device)
    for index in range(walk.length):
        log_p = logits.double().log_softmax(-1)
        stay = torch.full_like(log_p[0], -math.inf)
        stay[boundary] = 0.0
        log_p = torch.where(over.unsqueeze(1), stay, log_p)
        total = (scores.unsqueeze(1) + log_p).flatten()
        kept = min(beams, int(torch.isfinite(total).sum()))
        scores, place = total.topk(kept)
        parent, token = place // log_p.shape[1], place % log_p.shape[1]
        texts = torch.cat([texts[parent], token.unsqueeze(1)], dim=1)
        over = over[parent] | (token == boundary)
        if index + 1 < walk.length and not bool(over.all()):
            cache = cache.rows(parent)
            logits = model.step(token, cache, walk.prompt.shape[1] + index)
        else:
            logits = logits[parent]
    return texts, scores
