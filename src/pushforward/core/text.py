"""Text as a space: windows of tokens, measured in bits per byte.

One idea: what a token is belongs to the tokeniser, so models are compared by the bytes that tokens
stand for, never by tokens.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.core.space import Measure, Space, Unit


@dataclass(frozen=True)
class Text(Space):
    """Windows of `length` integers from 0 to `vocabulary - 1`; unit bits/byte.

    An example's probability is that of its tokens given what comes before it (`Given.prefix`), or
    given the start of a document. The unit counts bytes, which differ from example to example:
    `Examples.sizes` holds them.

    Attributes:
        vocabulary: number of tokens, the document boundary included.
        length: tokens in one window.
        boundary: the token that separates documents; every document starts after one.

    Example:
        >>> Text(vocabulary=66, length=64, boundary=65).unit.name
        'bits/byte'
    """

    vocabulary: int
    length: int
    boundary: int
    kind = "text"
    prompted = True

    def __post_init__(self) -> None:
        if self.vocabulary < 2 or self.length < 1 or not 0 <= self.boundary < self.vocabulary:
            raise BadInput(
                f"{self}",
                "at least two tokens, a length of one or more and a boundary among the tokens",
            )

    @property
    def event_shape(self) -> tuple[int, ...]:
        """`(length,)`."""
        return (self.length,)

    @property
    def measure(self) -> Measure:
        """Counting: tokens are integers."""
        return "counting"

    @property
    def unit(self) -> Unit:
        """bits/byte: `-log2 p / bytes`; an example counts for its number of bytes."""
        return Unit("bits/byte", math.log(2.0))

    @property
    def described(self) -> str:
        """The window and the vocabulary."""
        given = f"text in windows of {self.length} tokens, each given the one before it"
        return f"{given}; {self.vocabulary} different tokens"

    def _fields(self) -> dict[str, Any]:
        return asdict(self)

    def check(self, x: Tensor) -> Tensor:
        """Accept integer tensors (n, length) of tokens; shorter windows are legal, longer ones are
        not."""
        if x.is_floating_point() or x.dim() != 2:
            raise BadInput(
                f"text of shape {tuple(x.shape)} and dtype {x.dtype}",
                "integer tokens of shape (n, length)",
            )
        if x.shape[1] > self.length:
            raise BadInput(
                f"windows of {x.shape[1]} tokens",
                f"at most {self.length}",
                "score it in strided windows",
            )
        seen = _distinct(x)
        if seen.numel() and (int(seen.min()) < 0 or int(seen.max()) >= self.vocabulary):
            raise BadInput(
                f"tokens from {int(seen.min())} to {int(seen.max())}",
                f"0 to {self.vocabulary - 1}",
                "the text was encoded with another tokeniser",
            )
        return x


def _distinct(x: Tensor) -> Tensor:
    """Return the elements that windows show, each once where the windows are overlapping views of
    one stream.

    A reduction over such views would copy them: 64 times the stream for windows of 64 tokens.
    """
    step, inner = x.stride()
    if len(x) > 1 and inner == 1 and 0 < step < x.shape[1]:
        return x.as_strided(((len(x) - 1) * step + x.shape[1],), (1,))
    return x


def tokens_before(
    space: Text, given: Given | None, n: int, device: torch.device | None = None
) -> tuple[Tensor, Tensor | None]:
    """Return the tokens that come before each of n examples, (n, P >= 1), and the padding of each
    row, None if none has any.

    No prefix, or one of no tokens, is the start of a document: the boundary token.

    Example:
        >>> tokens_before(Text(vocabulary=3, length=4, boundary=2), None, n=1)
        (tensor([[2]]), None)
    """
    if given is None or given.prefix is None or given.prefix.tokens.shape[1] == 0:
        return torch.full((n, 1), space.boundary, dtype=torch.long, device=device), None
    tokens, length = given.prefix.tokens.long(), given.prefix.length
    if bool((length == 0).any()):
        tokens = torch.where((length == 0).unsqueeze(1), space.boundary, tokens)
        length = length.clamp(min=1)
    padding = tokens.shape[1] - length
    return tokens, padding if bool((padding > 0).any()) else None
