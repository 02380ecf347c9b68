"""Work on many examples, some at a time: as many as the memory takes.

One idea: what is computed of an example does not depend on those beside it, so a portion that does
not fit is halved and done again, and one that leaves room is doubled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

import torch

from pushforward.core.errors import RunFailed

T = TypeVar("T")
SAID = ("can't allocate memory", "out of memory", "ALLOC_FAILED")
GROWN = 32  # times as many at once at most: what is done is told between portions
ROOM = 0.5  # of the free memory that a portion may take, which an allocator never fills evenly


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error is that of a device, or of the processor, without memory.

    Example:
        >>> out_of_memory(torch.OutOfMemoryError("no")), out_of_memory(ValueError("no"))
        (True, False)
    """
    # the processor, libraries of a device and interpreters on it have no class of their own for it
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in SAID)
    )


def failure_of(error: BaseException, device: torch.device) -> RunFailed | None:
    """Return what to say of a memory or a device that failed, None of any other error.

    Example:
        >>> print(failure_of(torch.AcceleratorError("lost"), torch.device("cpu")))
        cpu, which failed (lost); run it again, or elsewhere with --device cpu
        >>> failure_of(ValueError("no"), torch.device("cpu")) is None
        True
    """
    if out_of_memory(error):
        came = f"the memory of {device}, which is not enough for this"
        return RunFailed(came, "", "ask for fewer examples, or choose another --device")
    if isinstance(error, torch.AcceleratorError):
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        fix = "run it again, or elsewhere with --device cpu"
        return RunFailed(f"{device}, which failed ({said})", "", fix)
    return None


@runtime_checkable
class WatchedMemory(Protocol):
    """The memory of a device, which tells what work takes of it."""

    def watch(self) -> None:
        """Begin to look at what is taken."""
        ...

    def peak(self) -> int:
        """Return the most bytes that were taken at once since `watch`, beyond those before."""
        ...

    def free(self) -> int:
        """Return the bytes that can be taken now."""
        ...


class Portion:
    """How many examples are worked on at once: as many as the memory was seen to take.

    Args:
        size: at first.
        memory: of the device, None where nobody can tell; there portions never grow.

    Example:
        >>> portion = Portion(8)
        >>> portion.failed(8)
        >>> portion.size
        4
    """

    def __init__(self, size: int, memory: WatchedMemory | None = None) -> None:
        self.size, self._memory, self._most = size, memory, GROWN * size

    def watch(self) -> None:
        """Begin a portion."""
        if self._memory is not None:
            self._memory.watch()

    def done(self) -> None:
        """Double the next portion if twice of what this one took has room; it is at most
        proportional to the examples."""
        if self._memory is None or 2 * self.size > self._most:
            return
        if 2 * self._memory.peak() <= ROOM * self._memory.free():
            self.size *= 2

    def failed(self, count: int) -> None:
        """Halve the next portion, and never try so many again."""
        self.size, self._most = count // 2, count - 1


def in_portions(
    n: int,
    size: int,
    work: Callable[[int, int], T],
    told: Callable[[int, int], None] | None = None,
    memory: WatchedMemory | None = None,
) -> list[T]:
    """Return what `work(first, count)` gives for portions that cover 0 to n, in order.

    Args:
        size: of the first portion; halved from where one does not fit into memory.
        told: called with how many are done, and of how many.
        memory: in which portions grow, None leaves them as they are.

    Raises:
        RunFailed: one example alone does not fit.

    Example:
        >>> in_portions(5, 2, lambda first, count: list(range(first, first + count)))
        [[0, 1], [2, 3], [4]]
    """
    parts: list[T] = []
    first, portion = 0, Portion(size, memory)
    while first < n:
        count = min(portion.size, n - first)
        portion.watch()
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
            portion.failed(count)
            continue
        first += count
        portion.done()
        if told is not None:
            told(first, n)
    return parts
