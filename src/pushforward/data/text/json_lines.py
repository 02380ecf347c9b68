"""JSON lines as texts: one object a line, a field of each is a document, another may say what it is
about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pushforward.core.errors import BadInput, a_json_type, nearest


def encodable(text: str, where: str) -> str:
    """Return `text` if it can be written as UTF-8: Python strings may hold half of a surrogate
    pair, which no file can."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        came = f"half a surrogate pair (U+{ord(text[error.start]):04X}) at character {error.start} of {where}"
        raise BadInput(came, "text that UTF-8 can hold", "repair it where it was made") from None
    return text


def json_texts(
    content: str, origin: str, text_field: str, context_field: str | None, others: dict[str, None]
) -> Iterator[list[str]]:
    """Yield the text of every line and, if a field is named for it, what it is about.

    Args:
        others: collects the names of other fields.

    Raises:
        BadInput: a line that is no object, or lacks a field.

    Example:
        >>> others = {}
        >>> list(json_texts('{"text": "to be", "n": 2}', "a.jsonl", "text", None, others)), list(others)
        ([['to be']], ['n'])
    """
    names = [text_field] if context_field is None else [text_field, context_field]
    # only a line feed ends a line: JSON strings may hold U+2028 and other line breaks of Python's
    # splitlines
    for number, line in enumerate(content.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        where = f"line {number} of {origin}"
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            raise BadInput(
                f"{where} is no JSON ({said})", "one JSON object a line", "repair that line"
            ) from None
        if not isinstance(record, dict):
            raise BadInput(
                f"{where} is {a_json_type(record)}", "a JSON object with a text", "repair that line"
            )
        others |= dict.fromkeys(name for name in record if name not in names)
        yield [
            _string(record, name, where, "text" if name == text_field else "context")
            for name in names
        ]


def _string(record: dict[str, Any], name: str, where: str, what: str) -> str:
    if name not in record:
        hint = nearest(name, record) if record else "it has no fields"
        option = "text_field" if what == "text" else "context"
        expected = f"{what} in it, or the name of another field by `-s data.{option}=...`"
        if what == "text" and len(record) > 1:
            hint = f"{hint}; records of several fields are a table: `-s data.kind=table`"
        raise BadInput(f"{where} has no field '{name}'", expected, hint)
    if what == "context" and isinstance(record[name], bool | int | float):
        return json.dumps(record[name])  # a label that is a number says as much as a word
    if not isinstance(record[name], str):
        raise BadInput(
            f"'{name}' in {where} is {a_json_type(record[name])}", "a string", "repair that line"
        )
    return encodable(record[name], where)
