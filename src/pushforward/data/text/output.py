"""Sampled texts as files: in the form of the files that a run was trained on.

Two ideas: documents that were lines are written a line each, others a paragraph each; what was written is cut again as it would be
read, so that whoever loses the ends of texts in it is told.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pushforward.core.errors import BadInput
from pushforward.core.files import fill, new_folder, write_bytes
from pushforward.data.plain import ending_of
from pushforward.data.tables.unpacking import MARKS
from pushforward.data.text.corpus import pieces_of
from pushforward.data.text.encoding import TextEncoding
from pushforward.data.text.json_lines import ENDINGS as JSON_LINES
from pushforward.data.text.policy import Form, Policy


def write_texts(path: Path, texts: Sequence[str], encoding: TextEncoding | None, folder: bool) -> list[Path]:
    """Write texts as `.txt`, in files named like those of the run, as JSON lines, or a file each into a folder.

    Args:
        encoding: that of the run, which knows the form of its files; None = plain `.txt` and JSON lines.

    Raises:
        BadInput: another ending.
    """
    form = Form() if encoding is None else encoding.form
    policy = Policy() if encoding is None else encoding.policy
    own = ".txt" if form.ending in JSON_LINES else form.ending
    if folder:
        written = []
        with new_folder(path) as beside:
            for i, text in enumerate(texts):
                fill(beside / f"{i:05d}{own}", _bytes_of(_ended(text, form), form))
                written.append(path / f"{i:05d}{own}")
        return written
    if path.suffix.lower() in JSON_LINES:
        lines = [json.dumps({policy.text_field: text}, ensure_ascii=False) + "\n" for text in texts]
        content = "".join(lines).encode()
    elif ending_of(path) in (".txt", own) and ending_of(path) == path.suffix.lower():
        content = _bytes_of(joined(texts, policy, form), form)
    else:
        kinds = ", ".join(dict.fromkeys((".txt", own or ".txt", ".jsonl")))
        expected = f"a name that ends in {' or '.join(kinds.rsplit(', ', 1))}"
        raise BadInput(f"-o {path}", expected, f"a name that ends in a slash, {path.stem}/, makes a folder of files")
    write_bytes(path, content)
    return [path]


def joined(texts: Sequence[str], policy: Policy, form: Form) -> str:
    """Return texts as the content of one file: a line each where documents are lines, else with an empty line between them.

    Example:
        >>> joined(["one", "two"], Policy(documents="lines"), Form(line_end="\\r\\n"))
        'one\\r\\ntwo\\r\\n'
        >>> joined(["one", "two"], Policy(), Form())
        'one\\n\\ntwo\\n'
    """
    between = form.line_end if policy.documents == "lines" else 2 * form.line_end
    return _ended(between.join(texts), form)


def run_together(texts: Sequence[str], encoding: TextEncoding) -> str:
    """Return what in texts hides where each of them ends in a file of plain text, empty if nothing does.

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
    if [one.strip("\r\n") for one in found if one] == [text.strip("\r\n") for text in texts if text.strip("\r\n")]:
        return ""
    return "line ends" if by_line else "empty lines"


def _ended(text: str, form: Form) -> str:
    return text if text.endswith("\n") or not text else text + form.line_end


def _bytes_of(text: str, form: Form) -> bytes:
    mark = next((mark for mark, name, _ in MARKS if name == form.charset), b"") if form.marked else b""
    return mark + text.encode(form.charset)
