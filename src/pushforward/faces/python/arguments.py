"""Arguments of the Python face, looked at before anything is done with them.

One idea: what a program passes is refused by its kind in a sentence that names the argument, as a
word on the command line is.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pushforward.core.errors import BadInput, a_type
from pushforward.core.whole import whole


def perhaps(value: Any, name: str, least: int = 0) -> int | None:
    """Return a whole number, or None for None."""
    return None if value is None else whole(value, name, least)


def word(value: Any, name: str, expected: str) -> str:
    """Return a string.

    Raises:
        BadInput: another kind of thing.
    """
    if not isinstance(value, str):
        raise BadInput(f"{name}: {a_type(value)}", expected)
    return value


def place(value: Any, name: str = "path") -> Path:
    """Return a path.

    Raises:
        BadInput: what is no path.
    """
    if not isinstance(value, str | os.PathLike) or isinstance(value, bytes):
        raise BadInput(f"{name}: {a_type(value)}", "a path, as text or a pathlib.Path")
    if not value:
        raise BadInput(f"{name}: an empty text", "a path", "'.' is the current folder")
    return Path(value)
