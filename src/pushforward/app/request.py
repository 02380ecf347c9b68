"""A request: everything that can be asked of one verb, validated once, and the answer to it.

Two ideas: the fields of a request are the one declaration of a verb, from which commands, Python
functions and the JSON schema are computed; an answer knows itself as JSON, as lines for a person
and as the files it was asked to leave, whoever asked. Nothing heavy is imported before a request is
answered, so that help is instant.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args

from pydantic import ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

from pushforward.core.errors import BadInput
from pushforward.core.plugins import calling, of_plugin
from pushforward.core.spec import Config, parse

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch

WIDTH = 100


class Answer(ABC):
    """What a verb found or made.

    Attributes:
        status: exit status of a command that ends with it; an answer may be that something is
            wrong.
    """

    status: int = 0

    @abstractmethod
    def json(self) -> Any:
        """Return it as values that JSON has."""

    @abstractmethod
    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield it as lines for a person, folded to a width where they are prose."""

    def leave(self, watch: Watch) -> None:  # noqa: B027 (most answers leave nothing)
        """Write the files that were asked for beside the answer; the default was asked for none."""

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return str(self)


class Said(Answer):
    """An answer that is known at once: a record, and what a person reads of it."""

    def __init__(self, record: Any, *lines: str) -> None:
        self.record, self.text = record, lines

    def json(self) -> Any:
        """Return the record."""
        return self.record

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield the lines."""
        yield from self.text


class Request(Config, ABC):
    """All that can be asked of a verb; its docstring is the help, its fields are the arguments and
    options.

    To add a verb, write a subclass with annotated fields and `answer`, and name it in a catalogue
    (`app/verbs/catalogue.py`).

    Attributes:
        verb: the name on the command line; two words for one of a group, as in `data list`.
        other_names: hidden names that do the same.
        python_name: of the function, where the verb's own is taken by a part of the package.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)
    verb: ClassVar[str]
    other_names: ClassVar[tuple[str, ...]] = ()
    python_name: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, values: Any) -> Any:
        """Take numbers of NumPy and torch for numbers, and nothing empty for a path."""
        if not isinstance(values, Mapping):
            return values
        for name, field in cls.model_fields.items():
            value = values.get(name)
            several = value if isinstance(value, list | tuple) else (value,)
            if any(one == "" for one in several if isinstance(one, str)) and _names(name, field):
                raise BadInput(
                    f"an empty text for {_spelled(name, field)}",
                    "a path" if _is_path(field.annotation) or name == "output" else "a name",
                    "`.` is the current folder; is a variable of your shell not set?",
                )
        return {name: _number(value) for name, value in values.items()}

    @classmethod
    def of(cls, values: Mapping[str, Any], where: str = "") -> Self:
        """Return the request with these fields.

        Args:
            where: how the verb is called in a refusal, by default by its own name.

        Raises:
            BadInput: an unknown field (with the nearest known one), a missing one, or a value of
                another type or out of range.
        """
        return parse(cls, values, where or cls.verb)

    @classmethod
    def complete(cls) -> type[Request]:
        """Return the request with the fields that other choices give it; most verbs have all of
        theirs."""
        return cls

    @classmethod
    def fields(cls) -> dict[str, FieldInfo]:
        """Return the fields in the order in which a person should read them."""
        return cls.model_fields

    @classmethod
    def function(cls) -> str:
        """Return the name of the verb's function in Python."""
        return cls.python_name or cls.verb.replace("-", "_").replace(" ", "_")

    @classmethod
    def says(cls) -> str:
        """Return the help: the docstring's first paragraph on one line."""
        return " ".join((cls.__doc__ or "").strip().split("\n\n")[0].split())

    @property
    def without_json(self) -> str:
        """The option whose answer has no JSON, empty where every answer has."""
        return ""

    def placed(self, watch: Watch) -> AbstractContextManager[None]:
        """Return a block in which the request is answered; see `app/verbs/computing.py`."""
        return nullcontext()

    @abstractmethod
    def answer(self, watch: Watch) -> Answer:
        """Do what is asked and return the answer.

        Args:
            watch: where progress is shown and things are said to a person.
        """


def carry_out(request: Request, watch: Watch, show: Any) -> Answer:
    """Answer a request, show the answer, and leave its files: a disk that fails, or a reader that
    left, costs one of the two."""
    verb = type(request)
    with calling(verb), request.placed(watch):
        answer = request.answer(watch)
        if not isinstance(answer, Answer):
            raise of_plugin(verb, "answer", answer, "an Answer, such as Said(record, *lines)")
        try:
            show(answer)
        finally:
            answer.leave(watch)
    return answer


def argument(says: str, *, completes: str = "", metavar: str = "", **bounds: Any) -> Any:
    """Return the annotation of a field that stands without a name on the command line.

    Args:
        says: the help.
        completes: what its values are names of, for the shell: `families`, `runs`, `data`, ...
            (`faces/cli/completing.py`).
        metavar: how the help calls it, by default the name of the field.
        bounds: as pydantic has them, `ge`, `le`, `min_length`.
    """
    extra = {"positional": True, "completes": completes, "metavar": metavar}
    return Field(
        description=says,
        json_schema_extra={key: value for key, value in extra.items() if value},
        **bounds,
    )


def option(
    says: str, *flags: str, completes: str = "", alone: str = "", metavar: str = "", **bounds: Any
) -> Any:
    """Return the annotation of a field with a name on the command line; see `argument`.

    Args:
        flags: its spellings, `--name-of-the-field` if there are none.
        alone: the value that it has where nothing stands behind it; empty if something must.
    """
    extra: dict[str, Any] = {"flags": list(flags), "completes": completes}
    extra |= {"alone": alone, "metavar": metavar}
    return Field(
        description=says,
        json_schema_extra={key: value for key, value in extra.items() if value},
        **bounds,
    )


def _spelled(name: str, field: FieldInfo) -> str:
    """Return how a field is written on the command line."""
    extra = _extra(field)
    flags = extra.get("flags") or ["--" + name.replace("_", "-")]
    return name if extra.get("positional") or not isinstance(flags, list) else str(flags[-1])


def _names(name: str, field: FieldInfo) -> bool:
    """Return whether a field names something: a path, a place to write to, or what stands without a
    name of its own."""
    return _is_path(field.annotation) or name == "output" or bool(_extra(field).get("positional"))


def _extra(field: FieldInfo) -> dict[str, Any]:
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _is_path(annotation: Any) -> bool:
    return annotation is Path or any(_is_path(part) for part in get_args(annotation))


def _number(value: Any) -> Any:
    if (
        type(value).__module__.partition(".")[0] in ("numpy", "torch")
        and getattr(value, "ndim", 1) == 0
    ):
        return value.item()
    return value
