"""All verbs that a face offers: those of the library, of the course, and the one that describes
them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pushforward.app.request import Request, Said, argument
from pushforward.app.verbs.catalogue import VERBS
from pushforward.core.errors import BadInput, unknown
from pushforward.course.verbs import COURSE

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch


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
        found = known[self.name].model_json_schema()
        return Said(found, json.dumps(found, indent=2))


def every_verb() -> tuple[type[Request], ...]:
    """Return the request of every verb, in the order that help lists them.

    Example:
        >>> [request.verb for request in every_verb()][:3]
        ['compare', 'train', 'average']
    """
    return tuple(request.complete() for request in (*VERBS, SchemaRequest, *COURSE))
