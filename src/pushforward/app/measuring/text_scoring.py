"""The log-likelihood of a text of any length, in windows that overlap: exact by token, or a bound
by window.

Three ideas: every token is scored once, given at least `context - stride` tokens before it, so the
terms add up to one code length of the text; documents are the clusters of its standard error, and
blocks of the text where there is but one; a bound by windows is of the model that writes so many
tokens at a time, whatever their order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from pushforward.core.context import Context
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given, Prefix
from pushforward.core.logprob import LogProb
from pushforward.core.model import GenerativeModel
from pushforward.core.rng import derive_seed
from pushforward.core.text import Text
from pushforward.data.text.windows import document_windows

BLOCKS, ROWS = 100, 64


@dataclass(frozen=True)
class TextScore:
    """Scores of a text.

    Attributes:
        tokens, nats: every token and its log-probability given those before it, shape (T,); no nats
            where tokens have none.
        log_prob: the same by cluster, with bytes as sizes.
        clusters: what the clusters are.
        facts: units beside bits/byte, with what they rest on.
    """

    tokens: Tensor
    nats: Tensor | None
    log_prob: LogProb
    clusters: str
    facts: dict[str, Any]


def text_of(model: GenerativeModel) -> Text:
    """Return the space of a model of text."""
    assert isinstance(model.space, Text), "only text is scored by its tokens"
    return model.space


def token_terms(
    model: GenerativeModel, stream: Tensor, stride: int, about: Context | None = None
) -> Tensor:
    """Return `log p(t_i | t_<i)` for all tokens of a stream but the first, which comes before,
    shape (T - 1,).

    The first window scores as many tokens as the context holds; every later one scores `stride`
    more, given the `context - stride + 1` tokens before them.

    Args:
        about: the one context of the whole stream.

    Raises:
        BadInput: a stride longer than the context, or a stream of one token.
    """
    space = text_of(model)
    parts = []
    for starts, width in _plan(len(stream), space.length, stride):
        for begin in range(0, len(starts), ROWS):
            windows = _windows(space, stream, starts[begin : begin + ROWS], width, about)
            parts.append(model.terms(windows).flatten())
    return torch.cat(parts)


def _plan(length: int, context: int, stride: int) -> Iterator[tuple[list[int], int]]:
    """Yield starts of windows and how many tokens each of them scores, in the order of the text."""
    _require_stride(stride, context)
    if length < 2:
        raise BadInput("a text without tokens", "at least one")
    first = min(context, length - 1)
    yield [1], first
    starts = list(range(1 + first, length, stride))
    whole = [start for start in starts if start + stride <= length]
    if whole:
        yield whole, stride
    for start in starts[len(whole) :]:
        yield [start], length - start


def document_terms(
    model: GenerativeModel, documents: Sequence[Tensor], contexts: Sequence[Tensor], stride: int
) -> list[Tensor]:
    """Return `log p(t_i | t_<i, context)` for all tokens of every document and the boundary after
    it.

    Documents that fit into a window are scored many at once, the others one after another as
    `token_terms` does.
    """
    space = text_of(model)
    length, boundary = space.length, torch.tensor([space.boundary])
    _require_stride(stride, length)
    found: dict[int, Tensor] = {}
    short = [i for i, document in enumerate(documents) if len(document) < length]
    for first in range(0, len(short), ROWS):
        rows = short[first : first + ROWS]
        texts, about = [documents[i] for i in rows], [contexts[i] for i in rows]
        windows = document_windows(
            texts, about, length, int(boundary), torch.zeros(space.vocabulary).long()
        )
        for i, terms in zip(rows, model.terms(windows), strict=True):
            found[i] = terms[: len(documents[i]) + 1]
    for i, document in enumerate(documents):
        if i not in found:
            found[i] = token_terms(
                model, torch.cat([boundary, document, boundary]), stride, Context.of([contexts[i]])
            )
    return [found[i] for i in range(len(documents))]


def _require_stride(stride: int, context: int) -> None:
    if not 1 <= stride <= context:
        raise BadInput(f"a stride of {stride}", f"1 to {context}, the context of this run")


def _windows(
    space: Text, stream: Tensor, starts: list[int], width: int, about: Context | None
) -> Examples:
    before = min(space.length - width + 1, starts[0])
    rows = torch.stack([stream[start - before : start + width] for start in starts])
    prefix = Prefix(rows[:, :before], torch.full((len(rows),), before))
    repeated = None if about is None else about[torch.zeros(len(rows), dtype=torch.int64)]
    return Examples(rows[:, before:], Given(prefix=prefix, context=repeated))


def score_text(
    model: GenerativeModel,
    stream: Tensor,
    token_bytes: Tensor,
    characters: int,
    stride: int | None = None,
) -> TextScore:
    """Score a stream of which the first token comes before.

    Args:
        token_bytes: bytes that each token stands for, shape (V,).
        characters: characters of the text, for bits/char.
        stride: tokens scored by each window, None = half of the context.
    """
    chosen = _stride(model, stride)
    return _summed(
        model, stream[1:], token_terms(model, stream, chosen), token_bytes, characters, chosen
    )


def bound_text(
    model: GenerativeModel,
    stream: Tensor,
    token_bytes: Tensor,
    characters: int,
    stride: int | None = None,
    estimator: str | None = None,
    samples: int | None = None,
    seed: int = 0,
) -> TextScore:
    """Score a stream by windows, under a model that bounds or estimates the probability of each as
    a whole.

    Arguments as for `score_text` and `GenerativeModel.log_prob`. What is bounded is the code length
    of writing `stride` tokens at a time, each time given those before; with a stride of one nothing
    is left to order, and the number is the true one.
    """
    space = text_of(model)
    chosen, name = _stride(model, stride), model.estimator(estimator).name
    parts, widths = [], []
    for place, (starts, width) in enumerate(_plan(len(stream), space.length, chosen)):
        windows = _windows(space, stream, starts, width, None)
        of_part = derive_seed(seed, "windows", place)
        parts.append(model.log_prob(windows, estimator=name, samples=samples, seed=of_part))
        widths += [width] * len(starts)
    found = LogProb.concatenate([replace(part, calls=0.0) for part in parts])
    place = torch.arange(len(widths)).repeat_interleave(torch.tensor(widths))
    cluster, named = _clusters_of_windows(stream[1:], torch.tensor(widths), space.boundary)
    blocks = int(cluster.max()) + 1
    lp = _clustered(found, cluster, token_bytes[stream[1:]].double(), cluster[place])
    calls = sum(part.calls * len(part) for part in parts) / blocks
    lp = replace(lp, estimator=f"{name}, stride {chosen}", calls=calls)
    facts = _facts(model, stream[1:], float(lp.nats.sum()), token_bytes, characters, chosen)
    return TextScore(stream[1:], None, lp, named, {**facts, "clusters": f"{blocks} {named}"})


def _clustered(found: LogProb, cluster: Tensor, sizes: Tensor, cluster_of_size: Tensor) -> LogProb:
    """Return sums of log-probabilities and sizes by cluster; errors add in quadrature."""
    total = torch.zeros(int(cluster.max()) + 1, dtype=torch.float64)
    squares = (
        None
        if found.stderr is None
        else total.index_add(0, cluster, found.stderr.double().square())
    )
    return replace(
        found,
        nats=total.index_add(0, cluster, found.nats.double()),
        stderr=None if squares is None else squares.sqrt(),
        sizes=total.index_add(0, cluster_of_size, sizes),
        given="",
    )


def score_documents(
    model: GenerativeModel,
    documents: Sequence[Tensor],
    contexts: Sequence[Tensor],
    token_bytes: Tensor,
    characters: int,
    stride: int | None = None,
) -> TextScore:
    """Score documents given what each is about, every one with the boundary after it; arguments as
    for `score_text`."""
    space = text_of(model)
    chosen, boundary = _stride(model, stride), torch.tensor([space.boundary])
    nats = torch.cat(document_terms(model, documents, contexts, chosen))
    tokens = torch.cat([part for document in documents for part in (document, boundary)])
    found = _summed(model, tokens, nats, token_bytes, characters, chosen)
    return replace(found, log_prob=replace(found.log_prob, given="context"))


def _stride(model: GenerativeModel, stride: int | None) -> int:
    space = text_of(model)
    return max(1, space.length // 2) if stride is None else stride


def _summed(
    model: GenerativeModel,
    tokens: Tensor,
    nats: Tensor,
    token_bytes: Tensor,
    characters: int,
    chosen: int,
) -> TextScore:
    space = text_of(model)
    boundary = space.boundary
    clusters, name = _clusters(tokens, boundary)
    each = LogProb(nats, "exact", "counting", space.unit, f"exact, stride {chosen}")
    lp = _clustered(each, clusters, token_bytes[tokens].double(), clusters)
    facts = {
        **_facts(model, tokens, float(nats.double().sum()), token_bytes, characters, chosen),
        "boundary_nats": -float(nats[tokens == boundary].double().sum()),
        "clusters": f"{len(lp)} {name}",
    }
    return TextScore(tokens, nats, lp, name, facts)


def _facts(
    model: GenerativeModel,
    tokens: Tensor,
    nats: float,
    token_bytes: Tensor,
    characters: int,
    chosen: int,
) -> dict[str, Any]:
    """Return the units of a text's log-probability, with what they rest on."""
    space = text_of(model)
    return {
        "bits_per_char": -nats / math.log(2.0) / max(1, characters),
        "nats_per_token": -nats / len(tokens),
        "perplexity": math.exp(-nats / len(tokens)),
        "tokens": len(tokens),
        "bytes": int(token_bytes[tokens].sum()),
        "characters": characters,
        "context": space.length,
        "stride": chosen,
        "boundaries": int((tokens == space.boundary).sum()),
    }


def _clusters(tokens: Tensor, boundary: int) -> tuple[Tensor, str]:
    """Return the cluster of each token: its document, or its block of the text."""
    document = _documents(tokens, boundary)
    if bool(document.any()):
        return document, "documents"
    blocks = min(BLOCKS, max(2, len(tokens) // 50))
    return (torch.arange(len(tokens)) * blocks // len(tokens)).clamp(
        max=blocks - 1
    ), "blocks of the text"


def _clusters_of_windows(tokens: Tensor, widths: Tensor, boundary: int) -> tuple[Tensor, str]:
    """Return the cluster of each window: the document of the token in its middle, or its block of
    the text."""
    ends = widths.cumsum(0)
    of = _documents(tokens, boundary)[ends - widths + (widths - 1) // 2].unique(
        return_inverse=True
    )[1]
    if bool(of.any()):
        return of, "documents"
    blocks = min(BLOCKS, len(widths))
    return torch.arange(len(widths)) * blocks // len(widths), "blocks of windows"


def _documents(tokens: Tensor, boundary: int) -> Tensor:
    ends = (tokens == boundary).long()
    # a boundary ends the document before it
    return ends.cumsum(0) - ends
