"""Refusals in the words of a program: the flags of the command line by the names of their arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from pushforward.app.request import Request
from pushforward.core.errors import PushforwardError

FLAG = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
COMMAND = re.compile(r"(`[^`]* [^`]*`)")  # is meant for a terminal, whoever reads of it


def words_of(request: type[Request], others: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what a program writes for each flag of a verb.

    Args:
        others: fields that a function of Python calls otherwise.

    Example:
        >>> from pushforward.app.verbs.train import TrainRequest
        >>> words = words_of(TrainRequest, {"output": "path"})
        >>> words["--resume"], words["--budget"], words["-o"]
        ('resume=True', 'budget', 'path')
    """
    words = {}
    for field, info in request.fields().items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        name = (others or {}).get(field, field)
        flags = extra.get("flags") or ["--" + field.replace("_", "-")]
        for flag in flags if isinstance(flags, list) else []:
            words[str(flag)] = f"{name}=True" if info.annotation is bool else name
    return words


def worded(text: str, words: Mapping[str, str]) -> str:
    """Return a sentence with words in the place of flags, but for those of a whole command.

    Example:
        >>> worded("add --resume, or `train --resume` in a terminal", {"--resume": "resume=True"})
        'add resume=True, or `train --resume` in a terminal'
    """
    parts = COMMAND.split(text)
    parts[::2] = [FLAG.sub(lambda flag: words.get(flag[0], flag[0]), part) for part in parts[::2]]
    return "".join(parts)


def in_words_of(request: type[Request], **others: str) -> Callable[..., Any]:
    """Return a decorator: what a function of Python refuses is said with the names of its
    arguments."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def calling(*arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            except PushforwardError as error:
                words = words_of(request, others)
                error.reword(lambda part: worded(part, words))
                raise

        return calling

    return decorate
