"""The exact log-likelihood of a text of any length, in windows that overlap.

Two ideas: every token is scored once, given at least `context - stride` tokens before it, so the terms add up to one code length
of the text; documents are the clusters of its standard error, and where there are too few of them, blocks of the text are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from pushforward.core.context import Context
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given, Prefix
from pushforward.core.logprob import LogProb
from pushforward.core.model import GenerativeModel
from pushforward.core.text import Text
from pushforward.data.text.windows import document_windows

ENOUGH_DOCUMENTS, BLOCKS, ROWS = 20, 100, 64


@dataclass(frozen=True)
class TextScore:
    """Scores of a text.

    Attributes:
        tokens, nats: every token and its log-probability given those before it, shape (T,).
        log_prob: the same by cluster, with bytes as sizes.
        clusters: what the clusters are.
        facts: units beside bits/byte, with what they rest on.
    """

    tokens: Tensor
    nats: Tensor
    log_prob: LogProb
    clusters: str
    facts: dict[str, Any]


def token_terms(model: GenerativeModel, stream: Tensor, stride: int, about: Context | None = None) -> Tensor:
    """Return `log p(t_i | t_<i)` for all tokens of a stream but the first, which comes before, shape (T - 1,).

    The first window scores as many tokens as the context holds; every later one scores `stride` more, given the
    `context - stride + 1` tokens before them.

    Args:
        about: the one context of the whole stream.

    Raises:
        BadInput: a stride longer than the context, or a stream of one token.
    """
    assert isinstance(model.space, Text)
    context = model.space.length
    _require_stride(stride, context)
    if len(stream) < 2:
        raise BadInput("a text without tokens", "at least one")
    first = min(context, len(stream) - 1)
    parts = [_window(model, stream, [1], first, about)]
    starts = list(range(1 + first, len(stream), stride))
    whole = [start for start in starts if start + stride <= len(stream)]
    for begin in range(0, len(whole), ROWS):
        parts.append(_window(model, stream, whole[begin : begin + ROWS], stride, about))
    for start in starts[len(whole) :]:
        parts.append(_window(model, stream, [start], len(stream) - start, about))
    return torch.cat(parts)


def document_terms(
    model: GenerativeModel, documents: Sequence[Tensor], contexts: Sequence[Tensor], stride: int
) -> list[Tensor]:
    """Return `log p(t_i | t_<i, context)` for all tokens of every document and the boundary after it.

    Documents that fit into a window are scored many at once, the others one after another as `token_terms` does.
    """
    assert isinstance(model.space, Text)
    length, boundary = model.space.length, torch.tensor([model.space.boundary])
    _require_stride(stride, length)
    found: dict[int, Tensor] = {}
    short = [i for i, document in enumerate(documents) if len(document) < length]
    for first in range(0, len(short), ROWS):
        rows = short[first : first + ROWS]
        texts, about = [documents[i] for i in rows], [contexts[i] for i in rows]
        windows = document_windows(texts, about, length, int(boundary), torch.zeros(model.space.vocabulary).long())
        for i, terms in zip(rows, model.terms(windows), strict=True):
            found[i] = terms[: len(documents[i]) + 1]
    for i, document in enumerate(documents):
        if i not in found:
            found[i] = token_terms(model, torch.cat([boundary, document, boundary]), stride, Context.of([contexts[i]]))
    return [found[i] for i in range(len(documents))]


def _require_stride(stride: int, context: int) -> None:
    if not 1 <= stride <= context:
        raise BadInput(f"a stride of {stride}", f"1 to {context}, the context of this run")


def _window(model: GenerativeModel, stream: Tensor, starts: list[int], width: int, about: Context | None) -> Tensor:
    assert isinstance(model.space, Text)
    before = min(model.space.length - width + 1, starts[0])
    rows = torch.stack([stream[start - before : start + width] for start in starts])
    prefix = Prefix(rows[:, :before], torch.full((len(rows),), before))
    repeated = None if about is None else about[torch.zeros(len(rows), dtype=torch.int64)]
    return model.terms(Examples(rows[:, before:], Given(prefix=prefix, context=repeated))).flatten()


def score_text(
    model: GenerativeModel, stream: Tensor, token_bytes: Tensor, characters: int, stride: int | None = None
) -> TextScore:
    """Score a stream of which the first token comes before.

    Args:
        token_bytes: bytes that each token stands for, shape (V,).
        characters: characters of the text, for bits/char.
        stride: tokens scored by each window, None = half of the context.
    """
    chosen = _stride(model, stride)
    return _summed(model, stream[1:], token_terms(model, stream, chosen), token_bytes, characters, chosen)


def score_documents(
    model: GenerativeModel,
    documents: Sequence[Tensor],
    contexts: Sequence[Tensor],
    token_bytes: Tensor,
    characters: int,
    stride: int | None = None,
) -> TextScore:
    """Score documents given what each is about, every one with the boundary after it; arguments as for `score_text`."""
    assert isinstance(model.space, Text)
    chosen, boundary = _stride(model, stride), torch.tensor([model.space.boundary])
    nats = torch.cat(document_terms(model, documents, contexts, chosen))
    tokens = torch.cat([part for document in documents for part in (document, boundary)])
    found = _summed(model, tokens, nats, token_bytes, characters, chosen)
    return replace(found, log_prob=replace(found.log_prob, given="context"))


def _stride(model: GenerativeModel, stride: int | None) -> int:
    assert isinstance(model.space, Text)
    return max(1, model.space.length // 2) if stride is None else stride


def _summed(
    model: GenerativeModel, tokens: Tensor, nats: Tensor, token_bytes: Tensor, characters: int, chosen: int
) -> TextScore:
    assert isinstance(model.space, Text)
    boundary = model.space.boundary
    sizes = token_bytes[tokens].double()
    clusters, name = _clusters(tokens, boundary)
    total = torch.zeros(int(clusters.max()) + 1, dtype=torch.float64).index_add_(0, clusters, nats.double())
    counted = torch.zeros_like(total).index_add_(0, clusters, sizes)
    unit = model.space.unit
    lp = LogProb(total, "exact", "counting", unit, f"exact, stride {chosen}", sizes=counted)
    n, text_bytes = len(tokens), float(sizes.sum())
    facts = {
        "bits_per_char": -float(nats.double().sum()) / math.log(2.0) / max(1, characters),
        "nats_per_token": -float(nats.double().mean()),
        "perplexity": math.exp(-float(nats.double().mean())),
        "tokens": n,
        "bytes": int(text_bytes),
        "characters": characters,
        "context": model.space.length,
        "stride": chosen,
        "boundaries": int((tokens == boundary).sum()),
        "boundary_nats": -float(nats[tokens == boundary].double().sum()),
        "clusters": f"{len(total)} {name}",
    }
    return TextScore(tokens, nats, lp, name, facts)


def _clusters(tokens: Tensor, boundary: int) -> tuple[Tensor, str]:
    """Return the cluster of each token: its document, or its block of the text."""
    ends = tokens == boundary
    # a boundary ends the document before it
    document = ends.long().cumsum(0) - ends.long()
    if int(document.max()) + 1 >= ENOUGH_DOCUMENTS:
        return document, "documents"
    blocks = min(BLOCKS, max(2, len(tokens) // 50))
    return (torch.arange(len(tokens)) * blocks // len(tokens)).clamp(max=blocks - 1), "blocks of the text"
