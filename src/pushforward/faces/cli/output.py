"""Where words go: data to stdout, everything said to a person to stderr."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from pushforward.app.progress.watch import Watch
    from pushforward.app.request import Answer


def out(text: str) -> None:
    """Print data to stdout."""
    print(text)  # noqa: T201


def show(answer: Answer, as_json: bool) -> None:
    """Print an answer to stdout, as JSON or as lines that fit the terminal."""
    if as_json:
        out(json.dumps(answer.json(), indent=2, allow_nan=False))
        return
    from pushforward.reports.terminal.layout import width

    for line in answer.lines(width()):
        out(line)


def console() -> Console:
    """Return a console on stderr, so that stdout stays data."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Print a line for a person to stderr; folded at words on a terminal, one line elsewhere, so
    that a log can be searched."""
    where = console()
    if where.is_terminal:
        where.file.write("\r\x1b[K")  # over a line of progress, which draws itself again below
    where.print(text, markup=False, soft_wrap=not where.is_terminal)


def write(text: str) -> None:
    """Print a piece of an answer as it comes."""
    print(text, end="", flush=True)  # noqa: T201


def terminal() -> Watch:
    """Return whoever looks on at a terminal: progress and words on stderr, pieces of an answer on
    stdout."""
    from pushforward.app.progress.meter import place
    from pushforward.app.progress.watch import Watch

    return Watch(lambda: place(console()), say, write, "pushforward " + shlex.join(sys.argv[1:]))
