"""From requests to commands: every field becomes an argument or an option, and nothing is written
twice.

One idea: typer reads a function's signature, so each command is a function whose signature is made
from a request's fields.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from pushforward.app.request import Request, carry_out
from pushforward.faces.cli.completing import completer

OF_ALL = {"json": "Print JSON.", "debug": "Show tracebacks."}


def command_of(request: type[Request]) -> Callable[..., None]:
    """Return the function that typer makes a command of.

    Example:
        >>> from pushforward.app.verbs.probe import ProbeRequest
        >>> list(inspect.signature(command_of(ProbeRequest)).parameters)
        ['run', 'data', 'n', 'seed', 'device', 'json', 'debug']
    """

    def command(**words: Any) -> None:
        as_json, _ = words.pop("json"), words.pop("debug")
        _perform(request, words, as_json)

    declared = [parameter(name, field) for name, field in request.fields().items()]
    declared += [_flag(name, says) for name, says in OF_ALL.items()]
    command.__name__, command.__doc__ = request.function(), _plain(request.says())
    command.__signature__ = inspect.Signature(declared)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in declared}
    return command


def _perform(request: type[Request], words: dict[str, Any], as_json: bool) -> None:
    from pushforward.app.verbs.shared import refuse_ignored
    from pushforward.faces.cli.output import show, terminal
    from pushforward.faces.outputs import refuse_inputs

    refuse_inputs(words)
    asked = request.of({name: value for name, value in words.items() if value is not None})
    if as_json and asked.without_json:
        refuse_ignored(asked.without_json, {"--json": True})
    answer = carry_out(asked, terminal(), lambda found: show(found, as_json))
    if answer.status:
        raise typer.Exit(answer.status)


def parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    """Return a field as the parameter of a command."""
    extra: dict[str, Any] = (
        field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    )
    kind = word_type(field.annotation)
    bounds = {
        word: getattr(bound, key)
        for bound in field.metadata
        for at, word, key in ((Ge, "min", "ge"), (Le, "max", "le"))
        if isinstance(bound, at)
    }
    told = {"help": _plain(field.description), "metavar": extra.get("metavar"), **bounds}
    if Path in (kind, *get_args(kind)):
        told |= {"parser": a_path, "metavar": told["metavar"] or "PATH"}
    if known := completer(extra.get("completes", "")):
        told["autocompletion"] = known
    if extra.get("positional"):
        info = typer.Argument(**told)
    else:
        info = typer.Option(*extra.get("flags", ("--" + name.replace("_", "-"),)), **told)
    default = inspect.Parameter.empty if field.is_required() else field.default
    if get_origin(kind) is list and default is not inspect.Parameter.empty:
        default = None
    if default is None:
        kind = kind | None
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info]
    )


def with_values(given: Sequence[str], verbs: Iterable[type[Request]]) -> list[str]:
    """Return the words of a command line with the values of options that stand alone: behind which
    nothing follows, or another option.

    Example:
        >>> from pushforward.app.verbs.data import DataDescribeRequest
        >>> with_values(["data", "describe", "a.csv", "--schema"], [DataDescribeRequest])
        ['data', 'describe', 'a.csv', '--schema', '-']
    """
    alone: dict[str, str] = {}
    for name, field in ((n, f) for verb in verbs for n, f in verb.fields().items()):
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        if value := str(extra.get("alone", "")):
            flags = extra.get("flags") or ["--" + name.replace("_", "-")]
            alone |= dict.fromkeys(map(str, flags if isinstance(flags, list) else []), value)
    words: list[str] = []
    for place, word in enumerate(given):
        words.append(word)
        follows = given[place + 1] if place + 1 < len(given) else "--"
        if word in alone and follows.startswith("-") and follows != alone[word]:
            words.append(alone[word])
    return words


def _plain(says: str | None) -> str:
    """Return a help of which nothing is markup: what is in brackets is meant."""
    return re.sub(r"(\[[a-z#/@])", r"\\\1", says or "")


def word_type(annotation: Any) -> Any:
    """Return what typer makes of the words for a field: a number, a flag, a path, or text, which
    the request takes apart itself.

    Example:
        >>> word_type(int | None), word_type(tuple[Path, ...]), word_type(dict[str, int])
        (<class 'int'>, list[pathlib.Path], list[str])
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        return word_type(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return word_type(next(part for part in get_args(annotation) if part is not type(None)))
    if origin in (tuple, list):
        return list[word_type(get_args(annotation)[0])]
    if origin is dict:
        return list[str]
    return annotation if annotation in (int, float, bool, str, Path) else str


def a_path(word: str) -> Path | str:
    """Return a path; an empty word, which a shell makes of a variable that is not set, stays one,
    because `Path("")` is the current folder, and the request refuses it.

    Example:
        >>> a_path("runs/a"), a_path("")
        (PosixPath('runs/a'), '')
    """
    return Path(word) if word else word


def _flag(name: str, says: str) -> inspect.Parameter:
    kind = Annotated[bool, typer.Option(f"--{name}", help=says)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
