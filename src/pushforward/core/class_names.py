"""Which class is meant, said by its name or by a number.

One idea: a number that is the name of a class means that class, whatever its place; only where no
class is called by a number is a number a place, counted from 0; where both could be meant, neither
is.
"""

from __future__ import annotations

import math

from pushforward.core.errors import BadInput

Called = str | int | float


def class_of(said: Called, classes: tuple[str, ...]) -> int:
    """Return the index of the class that a name or a number means.

    Raises:
        BadInput: no classes, no such class (the sentence lists them), or a number that names one
            class and is the place of another.

    Example:
        >>> class_of(1, ("1", "2", "3")), class_of("2", ("1", "2", "3")), class_of(1, ("cat", "dog"))
        (0, 1, 1)
        >>> class_of(7.0, ("007", "008"))
        0
    """
    if not classes:
        raise BadInput(
            f"the condition '{said}'",
            "none",
            "this model was trained without labels; leave --given out",
        )
    if str(said) in classes:
        named = [classes.index(str(said))]
    elif isinstance(said, str):
        raise _unknown(f"the condition '{said}'", classes)
    else:
        named = [i for i, name in enumerate(classes) if _number(name) == said]
    if isinstance(said, str):
        return named[0]
    if len(named) > 1:
        raise BadInput(
            f"the class {said}", " or ".join(f"'{classes[i]}'" for i in named), "say which as text"
        )
    if all(_number(name) is not None for name in classes) or str(said) in ("True", "False"):
        if not named:
            raise _unknown(f"the class {said}", classes)
        return named[0]
    return _named_or_placed(said, classes, named)


def _named_or_placed(said: int | float, classes: tuple[str, ...], named: list[int]) -> int:
    place = next((i for i in range(len(classes)) if i == said), None)
    if named and place is not None and place != named[0]:
        came = f"the class {said}, which is the name of one class and the place of another ('{classes[place]}')"
        raise BadInput(
            came, "a name", f"pass it as text: '{classes[named[0]]}' or '{classes[place]}'"
        )
    if named:
        return named[0]
    if place is None:
        raise BadInput(
            f"class index {said}", f"0 to {len(classes) - 1}", "the model knows no other class"
        )
    return place


def _number(name: str) -> float | None:
    """Return the number that a name is, None for a word."""
    try:
        value = float(name)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _unknown(came: str, classes: tuple[str, ...]) -> BadInput:
    shown = f"{classes[0]} to {classes[-1]}" if _every(classes) else ", ".join(classes[:20])
    return BadInput(came, f"one of the {len(classes)} classes ({shown})", "choose one of them")


def _every(classes: tuple[str, ...]) -> bool:
    """Return whether the names are all the whole numbers from the first to the last."""
    return (
        all(name.isdigit() for name in classes)
        and int(classes[-1]) - int(classes[0]) == len(classes) - 1
    )
