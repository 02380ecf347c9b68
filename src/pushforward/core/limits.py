"""What is too much to begin with, said before the work begins.

Two ideas: a limit is a number that its sentence states; whoever means it lifts all of them for one
command (`pushforward --no-limits ...`) or one block (`with unlimited():`), and then the machine
decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pushforward.core.errors import BadInput

MOST_BYTES = 4 * 1024**3
LARGEST_NUMBER = 1e304  # of data: sums and squares beyond it overflow
LIFT = "lift the limits with `pushforward --no-limits ...` (in Python: `with pf.unlimited():`) if you mean it"

_lifted: ContextVar[bool] = ContextVar("lifted", default=False)


@contextmanager
def unlimited() -> Iterator[None]:
    """Lift every limit inside the block.

    Example:
        >>> with unlimited():
        ...     require_below(10, 5, "ten of five", "things")
    """
    token = _lifted.set(True)
    try:
        yield
    finally:
        _lifted.reset(token)


def lift() -> None:
    """Lift every limit from here on; for a command that was asked to."""
    _lifted.set(True)


def limited() -> bool:
    """Return whether limits hold."""
    return not _lifted.get()


def require_below(value: float, most: float, came: str, unit: str, fix: str = "") -> None:
    """Refuse what is more than a limit.

    Raises:
        BadInput: says what came, the limit, and how to lift it.

    Example:
        >>> require_below(5, 10, "five", "things")
    """
    if value > most and limited():
        raise BadInput(came, f"at most {most:,.0f} {unit}", f"{fix}, or {LIFT}" if fix else LIFT)


def require_bytes(size: float, came: str, fix: str = "") -> None:
    """Refuse work that would need more memory than the limit.

    Raises:
        BadInput: says how much it would need.

    Example:
        >>> require_bytes(1000, "a little")
    """
    if size > MOST_BYTES and limited():
        needed, most = size / 1024**3, MOST_BYTES / 1024**3
        raise BadInput(
            f"{came}, which needs about {needed:,.3g} GiB",
            f"at most {most:g} GiB",
            f"{fix}, or {LIFT}" if fix else LIFT,
        )
