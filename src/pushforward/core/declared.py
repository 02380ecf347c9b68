"""What a choice of a stranger declares is looked at once, when it is registered.

One idea: the annotations of a choice say what each of its fields is, so that one function finds a
string in the place of a tuple, or a number in the place of a function, in choices of every kind.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import re
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pushforward.core.choice import Choice
from pushforward.core.errors import BadInput, a_type

NAME = re.compile(r"[A-Za-z0-9][\w .+-]*")
LONGEST = 60


def require_name(name: Any) -> None:
    """Refuse what cannot be typed as a name, or would be taken apart where names are listed.

    Raises:
        BadInput: no letters, digits, dots, hyphens, underscores or single spaces.

    Example:
        >>> require_name("kernel distance")
        >>> try:
        ...     require_name("a:b")
        ... except BadInput as error:
        ...     print(error)
        the name 'a:b': expected letters, digits and -_.+ with single spaces between, at most 60
    """
    fine = isinstance(name, str) and NAME.fullmatch(name) and len(name) <= LONGEST
    if not fine or name != " ".join(name.split()):
        raise BadInput(
            f"the name {name!r}",
            f"letters, digits and -_.+ with single spaces between, at most {LONGEST}",
        )


def require_fields(choice: Any) -> None:
    """Refuse a choice of which a field is not what its class says that it is.

    Raises:
        BadInput: names the field.

    Example:
        >>> try:
        ...     require_fields(Choice("good", ""))
        ... except BadInput as error:
        ...     print(error)
        says='': expected a sentence on one line
    """
    if not dataclasses.is_dataclass(choice) or isinstance(choice, type):
        return
    if isinstance(choice, Choice):
        says = choice.says
        if not isinstance(says, str) or not says.strip() or "\n" in says:
            raise BadInput(f"says={says!r}"[:80], "a sentence on one line")
    try:
        hints = get_type_hints(type(choice))
    except Exception:  # a class that only a type checker knows
        return
    for field in dataclasses.fields(choice):
        value = getattr(choice, field.name)
        hint = hints.get(field.name, Any)
        if not fits(value, hint):
            came = value if isinstance(value, str | int | float | None) else a_type(value)
            raise BadInput(f"{field.name}={came!r}"[:100], _in_words(hint))


def fits(value: Any, hint: Any) -> bool:
    """Say whether a value is what an annotation says; what cannot be told is.

    Example:
        >>> fits(("a",), tuple[str, ...]), fits("a", tuple[str, ...]), fits(3, float), fits("m:f", int | str)
        (True, False, True, True)
    """
    base, parts = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if base in (Union, types.UnionType):
        return any(fits(value, part) for part in parts)
    if base is Literal:
        return value in parts
    if base is tuple:
        if not isinstance(value, tuple):
            return False
        each = parts[:1] * len(value) if parts[1:] == (Ellipsis,) else parts
        return len(each) == len(value) and all(map(fits, value, each))
    if base is collections.abc.Callable:
        return callable(value)
    if base is type:
        return isinstance(value, type)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    known = base or hint
    if not isinstance(known, type) or getattr(known, "_is_protocol", False):
        return True
    return isinstance(value, known)


def require_target(target: Any, field: str) -> None:
    """Refuse a text that should name a function as `"module:attribute"` and does not.

    Example:
        >>> require_target("package.module:function", "reader")
    """
    if isinstance(target, str) and not re.fullmatch(r"[\w.]+:\w+", target):
        raise BadInput(f"{field}={target!r}", "'module:attribute'")


def _in_words(hint: Any) -> str:
    if hint is None or hint is type(None):
        return "None"
    base, parts = get_origin(hint), get_args(hint)
    if base in (Union, types.UnionType):
        return " or ".join(map(_in_words, parts))
    if base is collections.abc.Callable:
        return "a function"
    if base is tuple:
        return "a tuple" + (f" of {parts[0].__name__}" if isinstance(parts[0], type) else "")
    if base is Literal:
        return " or ".join(map(repr, parts))
    if hint is Path:
        return "a path"
    return f"{getattr(base or hint, '__name__', hint)}"
