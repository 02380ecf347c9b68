"""What a text dataset holds, in numbers that are read off its streams."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pushforward.data.dataset import Dataset
from pushforward.data.text.encoding import TextEncoding


def joined_streams(streams: tuple[Tensor, ...], boundary: int) -> Tensor:
    """Return consecutive streams as one: a first token that is no boundary repeats the last token
    before, and is left out.

    Example:
        >>> joined_streams((torch.tensor([9, 1, 2]), torch.tensor([2, 3]), torch.tensor([9, 4])), boundary=9).tolist()
        [9, 1, 2, 3, 9, 4]
    """
    rest = [stream if int(stream[0]) == boundary else stream[1:] for stream in streams[1:]]
    return torch.cat([streams[0], *rest])


def of_text(dataset: Dataset) -> dict[str, Any]:
    """Return what a dataset of text holds, which is not about windows: they overlap."""
    return describe_text(dataset.streams, dataset.encoding.as_text("documents"))


def describe_text(streams: tuple[Tensor, ...], encoding: TextEncoding) -> dict[str, Any]:
    """Return documents, characters, bytes and tokens of all splits together; boundaries are no
    tokens here.

    Example:
        >>> from pushforward.data.text.tokeniser import ByteTokeniser
        >>> encoding = TextEncoding(ByteTokeniser(), 4)
        >>> describe_text((encoding.stream(["né", "old"]),), encoding)["bytes"]
        6
    """
    tokeniser = encoding.tokeniser
    whole = joined_streams(streams, tokeniser.boundary)
    # in the order of the stream, so each part after the first starts a document
    texts = encoding.decode_documents(whole[1:])
    tokens, size = int((whole != tokeniser.boundary).sum()), int(tokeniser.token_bytes[whole].sum())
    return {
        "documents": len(texts),
        "characters": sum(map(len, texts)),
        "bytes": size,
        "tokens": tokens,
        "bytes per token": round(size / tokens, 4),
        "tokeniser": tokeniser.kind,
        "vocabulary": tokeniser.vocabulary,
        "distinct characters": len(set().union(*texts)),
        "longest document": max(map(len, texts)),
    }
