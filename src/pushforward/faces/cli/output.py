"""Where words go: data to stdout, everything said to a person to stderr."""

from __future__ import annotations

import json as json_module
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pushforward.faces.cli.progress import console

MOST_LINES = 24


def out(text: str) -> None:
    """Print data to stdout."""
    print(text)  # noqa: T201


def show_and_write(
    show: Callable[[], None], write: Callable[[Path], object], path: Path | None, named: str = ""
) -> None:
    """Print what was found and, if there is a path, write it there: a disk that fails, or a reader that left, costs one of the two.

    Args:
        named: what is said of the path, such as `written`; empty says nothing.
    """
    try:
        show()
    finally:
        if path is not None:
            write(path)
            if named:
                say(f"{named}: {path}")


def shortened(lines: Sequence[str], most: int = MOST_LINES) -> list[str]:
    """Return lines for a person to read: the first of many, and how many more there are.

    Example:
        >>> shortened(["a", "b", "c"], most=2)
        ['a', 'b', '... and 1 more (--json lists all)']
    """
    left = len(lines) - most
    return list(lines) if left <= 0 else [*lines[:most], f"... and {left:,} more (--json lists all)"]


def out_json(record: Any) -> None:
    """Print JSON to stdout."""
    out(json_module.dumps(record, indent=2, allow_nan=False))


def say(text: str) -> None:
    """Print a line for a person to stderr; folded at words on a terminal, one line elsewhere, so that a log can be searched."""
    where = console()
    if where.is_terminal:
        where.file.write("\r\x1b[K")  # over a line of progress, which draws itself again below
    where.print(text, markup=False, soft_wrap=not where.is_terminal)
