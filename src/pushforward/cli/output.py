"""Where words go: data to stdout, everything said to a person to stderr."""

from __future__ import annotations

import json as json_module
from typing import Any

from pushforward.cli.progress import console


def out(text: str) -> None:
    """Print data to stdout."""
    print(text)  # noqa: T201


def out_json(record: Any) -> None:
    """Print JSON to stdout."""
    out(json_module.dumps(record, indent=2, allow_nan=False))


def say(text: str) -> None:
    """Print a line for a person to stderr; folded at words on a terminal, one line elsewhere, so that a log can be searched."""
    where = console()
    if where.is_terminal:
        where.file.write("\r\x1b[K")  # over a line of progress, which draws itself again below
    where.print(text, markup=False, soft_wrap=not where.is_terminal)
