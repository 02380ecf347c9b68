"""All verbs that a face offers: those of the library, of the course, and the one that describes
them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pushforward.app.request import Request, Said, argument
from pushforward.app.verbs.catalogue import VERBS
from pushforward.core.errors import BadInput, unknown
from pushforward.core.plugins import calling, origin, refuse
from pushforward.course.verbs import COURSE

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch

COMMAND = re.compile(r"[a-z][a-z0-9-]*")
OF_ALL_FIELDS = ("json", "debug", "help", "progress")
OF_ALL_FLAGS = ("--json", "--debug", "--help", "--no-limits")


class SchemaRequest(Request):
    """Print the JSON schema of a verb's request: every field with its type, range, default and
    meaning."""

    verb = "schema"
    name: Annotated[
        str, argument("A verb, such as train; a verb of a group as 'data list'.", completes="verbs")
    ]

    def answer(self, watch: Watch) -> Said:
        """Compute the schema."""
        import json

        known = {request.verb: request for request in every_verb()}
        if self.name not in known:
            raise BadInput(*unknown("verb", self.name, known))
        with calling(known[self.name]):
            found = known[self.name].model_json_schema()
        return Said(found, json.dumps(found, indent=2))


def every_verb() -> tuple[type[Request], ...]:
    """Return the request of every verb, in the order that help lists them.

    Example:
        >>> [request.verb for request in every_verb()][:3]
        ['compare', 'train', 'average']
    """
    known = (*VERBS, SchemaRequest, *COURSE)
    house = [request for request in known if origin(request) is None]
    if len(house) == len(known):
        return tuple(request.complete() for request in known)
    kept = []
    for request in known:
        if (plugin := origin(request)) is None:
            kept.append(request)
            continue
        with refuse(plugin):
            require_usable(request, [*house, *(one for one in kept if one not in house)])
            kept.append(request)
    return tuple(request.complete() for request in kept)


def require_usable(request: type[Request], others: Sequence[type[Request]]) -> None:
    """Refuse a verb of another package that could be no command or no function of Python, or would
    stand in the place of something else.

    Raises:
        BadInput: says which name is taken, or what is wrong with it.
    """
    group, _, last = request.verb.rpartition(" ")
    groups = {other.verb.rpartition(" ")[0] for other in others} - {""}
    names = (last, *request.other_names)
    if not all(isinstance(name, str) and COMMAND.fullmatch(name) for name in names):
        raise BadInput(
            f"the verb {', '.join(map(repr, names))}", "small letters, digits and hyphens"
        )
    if group and group not in groups:
        raise BadInput(f"the group '{group}'", f"one of {', '.join(sorted(groups))}, or none")
    there = {(other.verb.rpartition(" ")[0], name) for other in others for name in _names(other)}
    for name in names:
        if (group, name) in there or (not group and name in groups):
            raise BadInput(f"the command '{request.verb}', which is taken", "a new name")
    _require_function(request, others)
    _require_words(request.complete())


def _names(request: type[Request]) -> tuple[str, ...]:
    return (request.verb.rpartition(" ")[2], *request.other_names)


def _require_function(request: type[Request], others: Sequence[type[Request]]) -> None:
    import pkgutil

    import pushforward

    name = request.function()
    taken = {other.function(): f"the verb '{other.verb}'" for other in others}
    taken |= dict.fromkeys(vars(pushforward)["__all__"], "a function of Python")
    taken |= {
        part.name: "a part of the package" for part in pkgutil.iter_modules(pushforward.__path__)
    }
    if name in taken:
        fix = "give it another `python_name`"
        raise BadInput(
            f"the function pushforward.{name}, which is {taken[name]}", "a new name", fix
        )
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise BadInput(f"the function '{name}'", "a name of Python", "set `python_name`")


def _require_words(request: type[Request]) -> None:
    """Refuse fields that would be no words of a command line, or others' words."""
    taken: set[str] = set(OF_ALL_FLAGS)
    for name, field in request.fields().items():
        if name in OF_ALL_FIELDS:
            raise BadInput(f"the field '{name}', which every verb has", "a new name")
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        if extra.get("positional"):
            continue
        for flag in extra.get("flags") or ("--" + name.replace("_", "-"),):  # type: ignore[union-attr]
            if not re.fullmatch(r"-\w|--[\w-]+", str(flag)) or flag in taken:
                raise BadInput(f"the flag '{flag}' of '{name}'", "a new one, such as --word or -w")
            taken.add(str(flag))
