"""The types of the Python functions, for editors and type checkers, computed from the requests.

One idea: `pushforward.__getattr__` makes functions when they are asked for, which no type checker
sees; this writes down what it would make. Run `python -m pushforward.faces.python.stub >
src/pushforward/__init__.pyi` after a verb has changed; a test compares.
"""

from __future__ import annotations

from pydantic.fields import FieldInfo

from pushforward.app.request import Request
from pushforward.faces.python.written_types import of_choice, written_type
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
    places = [name for name, field in fields.items() if of_choice(field).get("positional")]
    first = [_parameter(name, fields[name]) for name in places]
    rest = [_parameter(name, field) for name, field in fields.items() if name not in places]
    words = [*first, "*", *rest, "progress: bool | None = None"]
    listed = "".join(f"    {word},\n" for word in words)
    return f'def {request.function()}(\n{listed}) -> Answer:\n    """{request.says()}"""\n'


def _parameter(name: str, field: FieldInfo) -> str:
    return f"{name}: {written_type(field)}" + ("" if field.is_required() else " = ...")


if __name__ == "__main__":
    print(stub(), end="")  # noqa: T201
