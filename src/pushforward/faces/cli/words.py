"""What is said to a person must not stop the work: a full disk behind `2> train.log`, or a closed
terminal, costs words only.

One idea: stderr is wrapped for as long as a command runs; stdout is not, because it carries data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class Unstoppable:
    """A stream that drops what cannot be written, and is otherwise the one that it was made of;
    None is a closed one.

    Example:
        >>> Unstoppable(None).write("nobody hears")
        12
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write, or drop, text and return its length."""
        if self.stream is not None:
            with suppress(OSError):
                self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush if that is possible."""
        if self.stream is not None:
            with suppress(OSError):
                self.stream.flush()

    def isatty(self) -> bool:
        """Return whether a person looks at it."""
        return self.stream is not None and bool(self.stream.isatty())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def unstoppable_words() -> Iterator[None]:
    """Let nothing that is said on stderr raise inside of the block."""
    before = sys.stderr
    sys.stderr = Unstoppable(before)  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.stderr = before
