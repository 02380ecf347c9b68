"""Codes of examples and examples of codes, some at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pushforward.core.given import Examples, Given
from pushforward.core.noise import Streams
from pushforward.core.portions import in_portions
from pushforward.core.scoring import of_chunks


def _of_one(condition: Given | None) -> Given | None:
    """Return a condition of one example, for one of none."""
    label = None if condition is None else condition.label
    return None if label is None else Given(label=label.new_zeros(1))


def codes_of(model: Any, x: Tensor, condition: Given | None, seed: int) -> Tensor:
    """Return the code of each example, on the processor; that of example i depends on the seed and
    i, never on its chunk.

    Shapes: x (n, *event) -> (n, *code).
    """

    def codes(chunk: Examples, first: int) -> Tensor:
        noise = Streams(seed, len(chunk), first, model.device)
        encoded = model.codec.encode(chunk.x, noise).value
        return model._encode(encoded, chunk.given, noise).cpu()

    if not len(x):  # a network need not be able to take none
        return codes_of(model, x.new_zeros(1, *x.shape[1:]), _of_one(condition), seed)[:0]
    return torch.cat(of_chunks(model, Examples(x, condition), codes))


def examples_of(model: Any, z: Tensor, condition: Given | None) -> Tensor:
    """Return the example of each code, in data units, on the processor.

    Shapes: z (n, *code) -> (n, *event).
    """

    def examples(first: int, count: int) -> Tensor:
        own = None if condition is None else condition[first : first + count]
        decoded = model._decode(z[first : first + count].to(model.device), own)
        return model.codec.decode(decoded).cpu()

    if not len(z):
        return examples_of(model, z.new_zeros(1, *z.shape[1:]), _of_one(condition))[:0]
    return torch.cat(in_portions(len(z), model.chunk, examples))
