"""The types of a request's fields as a person would write them: in signatures, and in the stub."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from pushforward.core.in_memory import InMemory


def of_choice(field: FieldInfo) -> dict[str, Any]:
    """Return what `argument` and `option` said of a field."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def written_type(field: FieldInfo) -> str:
    """Return the type of a field in the words of Python.

    Example:
        >>> from pushforward.app.verbs.probe import ProbeRequest
        >>> [written_type(ProbeRequest.model_fields[name]) for name in ("run", "data", "n")]
        ['Fitted | str | Path', 'Any', 'int']
    """
    kind = _written(field.annotation)
    if of_choice(field).get("completes") == "runs" and "Any" not in kind:
        return f"Fitted | {kind}"  # a model stands for its run
    return kind


def _written(annotation: Any) -> str:
    """Return a type as it is written; a path may be written as text, and a request takes apart what
    it is given."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _written(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        parts = dict.fromkeys(_written(part) for part in get_args(annotation))
        return "Any" if "Any" in parts else " | ".join(parts)
    if origin in (tuple, list, dict):
        return "Any"
    if origin is Literal:
        return "str"
    if annotation is Path:
        return "str | Path"
    if annotation in (Any, InMemory):  # whatever `load` takes
        return "Any"
    return "None" if annotation is type(None) else annotation.__name__
