"""Windows onto a stream of tokens.

One idea: a stream is stored once, and overlapping windows are views of it; every window is
conditioned on the one token before it, so a stream's first token is never predicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pushforward.core.context import Context
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given, Prefix


@dataclass(frozen=True)
class Windows:
    """Windows of one width, and how many tokens at the end of the stream (fewer than a step) lie in
    none.

    Example:
        >>> cut = windows(torch.arange(8), length=3, step=3, token_bytes=torch.ones(8, dtype=torch.int64))
        >>> cut.examples.x.tolist(), cut.left_out
        ([[1, 2, 3], [4, 5, 6]], 1)
    """

    examples: Examples
    left_out: int


def windows(
    stream: Tensor, length: int, step: int, token_bytes: Tensor, boundary: int | None = None
) -> Windows:
    """Return `x_i = s[i step + 1 .. i step + length]` given `s[i step]`, as views of the stream
    `s`.

    Windows with `step = length` do not overlap and cover `s[1:]` but for its last tokens; `step =
    1` gives all windows. A stream shorter than a window is one shorter window. Sizes are bytes,
    int32, one per window.

    Args:
        stream: int64, shape (tokens,); its first token is context.
        token_bytes: int64, shape (vocabulary,).
        boundary: the token that ends a document. Windows of several documents know theirs, that of
            the token in their middle.

    Raises:
        BadInput: a stream without a token to predict.

    Example:
        >>> every = windows(torch.arange(5), length=2, step=1, token_bytes=torch.ones(5, dtype=torch.int64)).examples
        >>> every.x.tolist(), every.given.prefix.tokens.flatten().tolist()
        ([[1, 2], [2, 3], [3, 4]], [0, 1, 2])
    """
    if len(stream) < 2:
        raise BadInput(
            f"a text of {max(len(stream) - 1, 0)} tokens",
            "at least one token to predict",
            "bring more text",
        )
    width = min(length, len(stream) - 1)
    x = stream[1:].unfold(0, width, step)
    before = stream[:-width].unfold(0, 1, step)
    # bytes of a window are differences of running sums: memory does not grow with the width
    running = torch.cat([torch.zeros(1, dtype=torch.int64), token_bytes[stream[1:]].cumsum(0)])
    sizes = (running[width::step] - running[:-width:step]).to(torch.int32)
    prefix = Prefix(before, torch.ones(1, dtype=torch.int64).expand(len(x)))
    left_out = len(stream) - 1 - ((len(x) - 1) * step + width)
    cases = (
        None
        if boundary is None
        else _documents(stream, boundary)[1 + (width - 1) // 2 :][: len(x) * step : step]
    )
    several = cases is not None and bool((cases != cases[0]).any())
    return Windows(Examples(x, Given(prefix=prefix), sizes, cases if several else None), left_out)


def _documents(stream: Tensor, boundary: int) -> Tensor:
    """Return the number of each token's document, int32; a boundary ends the document before it."""
    ends = (stream == boundary).to(torch.int32)
    return ends.cumsum(0, dtype=torch.int32) - ends


def document_windows(
    documents: Sequence[Tensor],
    contexts: Sequence[Tensor],
    length: int,
    boundary: int,
    token_bytes: Tensor,
) -> Examples:
    """Return windows that do not overlap, each within one document and given what that document is
    about.

    A document is its tokens and the boundary after them; a window that reaches past it is filled
    with boundaries, which cost nothing there: a model with contexts knows that nothing else follows
    one.

    Args:
        documents, contexts: int64, shape (tokens,) each.

    Example:
        >>> cut = document_windows([torch.tensor([1, 2, 3])], [torch.tensor([5])], 3, 9, torch.ones(10, dtype=torch.int64))
        >>> cut.x.tolist(), cut.given.prefix.tokens.flatten().tolist(), cut.given.context.values.tolist()
        ([[1, 2, 3], [9, 9, 9]], [9, 3], [[5], [5]])
    """
    starts = [
        (i, at)
        for i, document in enumerate(documents)
        for at in range(0, len(document) + 1, length)
    ]
    x = torch.full((len(starts), length), boundary, dtype=torch.int64)
    before = torch.full((len(starts), 1), boundary, dtype=torch.int64)
    for row, (i, at) in enumerate(starts):
        piece = documents[i][at : at + length]
        x[row, : len(piece)] = piece
        if at:
            before[row] = documents[i][at - 1]
    about = Context.of(contexts)[torch.tensor([i for i, _ in starts])]
    given = Given(prefix=Prefix(before, torch.ones(len(x), dtype=torch.int64)), context=about)
    of = torch.tensor([i for i, _ in starts], dtype=torch.int32)
    return Examples(
        x, given, token_bytes[x].sum(1).to(torch.int32), of if len(documents) > 1 else None
    )
