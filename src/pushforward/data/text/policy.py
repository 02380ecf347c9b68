"""How a source becomes documents, and what form its files had: the two things about files that
travel with a run on text."""

from __future__ import annotations

from typing import Literal

from pushforward.core.spec import Config

LABEL = "label"


class Policy(Config):
    """How text becomes documents; travels with a run, so that other files are read the same way.

    Attributes:
        documents: where a document ends: with its file (or string, or JSON line), at blank lines,
            or at every line end.
        text_field: the field of a JSON line that holds the text.
        context_field: the field that holds what the text is about, None if there is nothing. Where
            texts have no fields, `label` is the name of the sub-folder that a text lies in, or the
            label beside it.
        errors: `replace` puts U+FFFD where bytes are no UTF-8, and counts; `strict` refuses them.
        endings: those of the files of a folder to read, separated by commas; empty = the one that
            most of its texts have.
    """

    documents: Literal["file", "paragraphs", "lines"] = "file"
    text_field: str = "text"
    context_field: str | None = None
    errors: Literal["strict", "replace"] = "strict"
    endings: str = ""


class Form(Config):
    """What encloses texts in the files that a run was trained on; samples are written in the same
    form.

    Attributes:
        ending: of the files' names.
        charset: how characters are encoded.
        marked: True if a byte order mark begins a file.
        line_end: what ends a line.
    """

    ending: str = ".txt"
    charset: str = "utf-8"
    marked: bool = False
    line_end: Literal["\n", "\r\n"] = "\n"
