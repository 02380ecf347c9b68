"""Whole numbers and words that only name something: codes, and keys of other tables.

One idea: the name of a column says what its numbers do not, so that its owner is asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pushforward.data.tables.doubts import Doubt
from pushforward.data.tables.found import FoundColumn
from pushforward.data.tables.surrogates.kinds import hints, words_of_label

FEWEST = 5  # different values, below which they are no things of a table
KEYS = hints("id ids key pk fk ref reference uuid guid nr")
CODES = hints(
    "code codes class type category zip zipcode plz postcode postal status cluster region district kind label"
)
# `id` at the end of a word that is no word of its own: customerid
_RUN_TOGETHER = re.compile(
    r"(?:customer|client|user|product|order|store|shop|patient|account)(?:id|nr|no|key)"
)
_ONE_TABLE = (
    "one table at a time is modelled, so join what its values stand for into this one first, or "
    "keep the rows of each together"
)


def asked_about(found: Sequence[FoundColumn]) -> list[FoundColumn]:
    """Return columns with the question whether those that are called so are keys of another table,
    or codes."""
    return [_asked(one) for one in found]


def _asked(found: FoundColumn) -> FoundColumn:
    column, label = found.column, found.stored.label
    plain = column is not None and not found.stored.carrier and not found.kind
    if column is None or not plain or column.kind not in ("integer", "categorical"):
        return found
    words = words_of_label(label)
    several = len(column.categories) or int(column.high - column.low) + 1
    if several < FEWEST:
        return found
    if KEYS & words or any(map(_RUN_TOGETHER.fullmatch, words)):
        why = f"it is called like a key and its values recur: a key of another table? {_ONE_TABLE}"
        doubt, said = Doubt(why, "group"), f"{found.said}; {why}"
        return replace(found, doubts=(*found.doubts, doubt), said=said)
    if column.kind == "integer" and CODES & words and found.stored.notation_is_plain:
        doubt = Doubt("whole numbers of such a name may be codes", "categorical")
        return replace(found, doubts=(*found.doubts, doubt))
    return found
