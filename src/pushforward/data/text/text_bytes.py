"""Sampled texts as files: in the form of the files that a run was trained on.

Two ideas: documents that were lines are written a line each, others a paragraph each; what was
written is cut again as it would be read, so that whoever loses the ends of texts in it is told.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pushforward.core.files import fill, new_folder
from pushforward.data.formats.format import Samples
from pushforward.data.tables.charsets import MARKS
from pushforward.data.text.corpus import pieces_of
from pushforward.data.text.encoding import TextEncoding, plain_ending
from pushforward.data.text.policy import Form, Policy


def write_text_folder(samples: Samples, path: Path) -> list[Path]:
    """Write each text to a file of its own, named like those of the run, and return the files."""
    form, written = samples.encoding.form, []
    ending = plain_ending(form)
    with new_folder(path) as beside:
        for i, text in enumerate(samples.shown):
            fill(beside / f"{i:05d}{ending}", _bytes_of(_ended(text, form), form))
            written.append(path / f"{i:05d}{ending}")
    return written


def text_bytes(samples: Samples, path: Path) -> bytes:
    """Return texts as one file of plain text, in the form of the run's own files."""
    form = samples.encoding.form
    return _bytes_of(joined(samples.shown, samples.encoding.policy, form), form)


def json_texts_bytes(samples: Samples, path: Path) -> bytes:
    """Return texts as a JSON object a line, under the name of the run's field."""
    field = samples.encoding.policy.text_field
    return "".join(
        json.dumps({field: text}, ensure_ascii=False) + "\n" for text in samples.shown
    ).encode()


def joined(texts: Sequence[str], policy: Policy, form: Form) -> str:
    """Return texts as the content of one file: a line each where documents are lines, else with an
    empty line between them.

    Example:
        >>> joined(["one", "two"], Policy(documents="lines"), Form(line_end="\\r\\n"))
        'one\\r\\ntwo\\r\\n'
        >>> joined(["one", "two"], Policy(), Form())
        'one\\n\\ntwo\\n'
    """
    between = form.line_end if policy.documents == "lines" else 2 * form.line_end
    return _ended(between.join(texts), form)


def run_together(texts: Sequence[str], encoding: TextEncoding) -> str:
    """Return what in texts hides where each of them ends in a file of plain text, empty if nothing
    does.

    Example:
        >>> from pushforward.data.text.tokeniser import ByteTokeniser
        >>> run_together(["one", "two\\n\\nthree"], TextEncoding(ByteTokeniser(), 4))
        'empty lines'
    """
    by_line = encoding.policy.documents == "lines"
    if len(texts) < 2 and not by_line:
        return ""
    documents = "lines" if by_line else "paragraphs"
    found = pieces_of(joined(texts, encoding.policy, encoding.form), documents)
    if [one.strip("\r\n") for one in found if one] == [
        text.strip("\r\n") for text in texts if text.strip("\r\n")
    ]:
        return ""
    return "line ends" if by_line else "empty lines"


def _ended(text: str, form: Form) -> str:
    return text if text.endswith("\n") or not text else text + form.line_end


def _bytes_of(text: str, form: Form) -> bytes:
    mark = (
        next((mark for mark, name, _ in MARKS if name == form.charset), b"") if form.marked else b""
    )
    return mark + text.encode(form.charset)
