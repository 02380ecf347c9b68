"""The types of the Python functions, for editors and type checkers, computed from the requests.

One idea: `pushforward.__getattr__` makes functions when they are asked for, which no type checker
sees; this writes down what it would make. Run `python -m pushforward.faces.python.stub >
src/pushforward/__init__.pyi` after a verb has changed; a test compares.
"""

from __future__ import annotations

import types
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from pushforward.app.request import Request
from pushforward.core.in_memory import InMemory
from pushforward.faces.verbs import every_verb

OWN = ("train", "distil", "compare", "evaluate")  # verbs whose functions are written by hand
HEAD = '''"""Types of the public names; made by `python -m pushforward.faces.python.stub`, not by hand."""

from pathlib import Path
from typing import Any

from pushforward.app.request import Answer
from pushforward.core.limits import unlimited as unlimited
from pushforward.faces.python.fitted import Fitted
from pushforward.faces.python.verbs import compare as compare
from pushforward.faces.python.verbs import distil as distil
from pushforward.faces.python.verbs import evaluate as evaluate
from pushforward.faces.python.verbs import fit as fit
from pushforward.faces.python.verbs import load as load
from pushforward.faces.python.verbs import open as open

__version__: str
'''


def stub() -> str:
    """Return the text of `pushforward/__init__.pyi`."""
    return HEAD + "".join(
        f"\n{_function(request)}" for request in every_verb() if request.verb not in OWN
    )


def _function(request: type[Request]) -> str:
    fields = request.fields()
    places = [name for name, field in fields.items() if _extra(field).get("positional")]
    first = [_parameter(name, fields[name]) for name in places]
    rest = [_parameter(name, field) for name, field in fields.items() if name not in places]
    words = [*first, "*", *rest, "progress: bool | None = None"]
    listed = "".join(f"    {word},\n" for word in words)
    return f'def {request.function()}(\n{listed}) -> Answer:\n    """{request.says()}"""\n'


def _extra(field: FieldInfo) -> dict[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _parameter(name: str, field: FieldInfo) -> str:
    kind = _type(field.annotation)
    if _extra(field).get("completes") == "runs" and "Any" not in kind:
        kind = f"Fitted | {kind}"  # a model stands for its run
    return f"{name}: {kind}" + ("" if field.is_required() else " = ...")


def _type(annotation: Any) -> str:
    """Return a type as it is written; a path may be written as text, and a request takes apart what
    it is given."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _type(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        parts = dict.fromkeys(_type(part) for part in get_args(annotation))
        return "Any" if "Any" in parts else " | ".join(parts)
    if origin in (tuple, list, dict):
        return "Any"
    if annotation is Path:
        return "str | Path"
    if annotation in (Any, InMemory):  # whatever `load` takes
        return "Any"
    return "None" if annotation is type(None) else annotation.__name__


if __name__ == "__main__":
    print(stub(), end="")  # noqa: T201
