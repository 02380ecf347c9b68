"""Work on many examples, some at a time: as many as the memory takes.

One idea: what is computed of an example does not depend on those beside it, so a portion that does
not fit is halved and done again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from pushforward.core.errors import RunFailed

T = TypeVar("T")


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error is that of a device, or of the processor, without memory.

    Example:
        >>> out_of_memory(torch.OutOfMemoryError("no")), out_of_memory(ValueError("no"))
        (True, False)
    """
    # an allocation that the processor refuses has no class of its own
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )


def in_portions(
    n: int,
    size: int,
    work: Callable[[int, int], T],
    told: Callable[[int, int], None] | None = None,
) -> list[T]:
    """Return what `work(first, count)` gives for portions that cover 0 to n, in order.

    Args:
        size: of a portion, halved from where one does not fit into memory.
        told: called with how many are done, and of how many.

    Raises:
        RunFailed: one example alone does not fit.

    Example:
        >>> in_portions(5, 2, lambda first, count: list(range(first, first + count)))
        [[0, 1], [2, 3], [4]]
    """
    parts: list[T] = []
    first = 0
    while first < n:
        count = min(size, n - first)
        try:
            parts.append(work(first, count))
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            if count == 1:
                raise RunFailed(
                    "one example at a time, for which the memory is not enough",
                    "",
                    "choose another --device, or a smaller model",
                ) from None
            size = count // 2
            continue
        first += count
        if told is not None:
            told(first, n)
    return parts
