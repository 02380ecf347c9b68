"""What a file of text is if it is no table: HTML, XML, JSON or a document under the name of a
table.

One idea: the first characters say what wrote a file, whatever its name says.
"""

from __future__ import annotations

import re

from pushforward.core.errors import BadInput

_KINDS = (
    (
        r"<!doctype html|<html|<(head|body|table|div|script|meta|title|p|!--)\b",
        "HTML",
        "a web page was saved in its place",
    ),
    (r"<\?xml|<\w+[\s>]", "XML", "export it as .csv, or read it with pandas.read_xml"),
    (r"%pdf-", "a PDF document", "export the table as .csv"),
    (r"\{\\rtf", "a document in RTF", "export the table as .csv"),
    (r"\[\s*[\[{]|\{\s*\"", "JSON", "rename it to .json, or to .jsonl if every line is an object"),
)


def require_table_text(text: str, origin: str, json: bool = False) -> None:
    """Refuse text that is plainly something else than rows of cells.

    Args:
        json: True where JSON is expected.

    Raises:
        BadInput: HTML, XML, JSON, PDF or RTF, with what to do.

    Example:
        >>> require_table_text("a,b\\n1,2\\n", "a.csv")
    """
    head = text[:4096].lstrip("\ufeff \t\r\n")[:200].lower()
    for expression, name, hint in _KINDS[:-1] if json else _KINDS:
        if re.match(expression, head):
            raise BadInput(f"{origin} is {name}", "a table of text", hint)
