"""Surrogates as records, and back."""

from __future__ import annotations

from typing import Any

from pushforward.data.tables.surrogates.key import KeySurrogate
from pushforward.data.tables.surrogates.made_texts import TextSurrogate
from pushforward.data.tables.surrogates.numbered import NumberedSurrogate
from pushforward.data.tables.surrogates.personal import PersonalSurrogate
from pushforward.data.tables.surrogates.surrogate import Surrogate

SURROGATES: tuple[type[Surrogate], ...] = (
    KeySurrogate,
    PersonalSurrogate,
    NumberedSurrogate,
    TextSurrogate,
)


def surrogate_to_json(surrogate: Surrogate | None) -> dict[str, Any] | None:
    """Return what `surrogate_from_json` turns back."""
    return None if surrogate is None else {"kind": surrogate.kind, **surrogate.to_json()}


def surrogate_from_json(record: dict[str, Any] | None) -> Surrogate | None:
    """Rebuild the surrogate of `surrogate_to_json`."""
    if record is None:
        return None
    fields = {key: value for key, value in record.items() if key != "kind"}
    return {one.kind: one for one in SURROGATES}[record["kind"]].of_json(fields)
