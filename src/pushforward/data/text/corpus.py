"""Read text: files, folders, JSON lines and Python strings become documents.

Two ideas: a document is what a boundary token will separate, and the policy says where one ends;
nothing of a document is changed, so whatever looks odd (a byte order mark, Windows line ends) is
kept and said.
"""

from __future__ import annotations

import gzip
import importlib.resources
import re
from dataclasses import dataclass, field
from typing import Any

from pushforward.core.errors import BadInput
from pushforward.data.text.policy import LABEL, Form, Policy
from pushforward.data.text.recognising import TEXTS, is_text
from pushforward.data.text.sources import GIVEN, read_source

__all__ = ["GIVEN", "TEXTS", "Corpus", "Policy", "builtin_text", "count", "is_text", "read_corpus"]

# a paragraph ends at one or more blank lines
_SEPARATORS = {"lines": re.compile(r"\r?\n"), "paragraphs": re.compile(r"\r?\n(?:[ \t]*\r?\n)+")}


@dataclass(frozen=True)
class Corpus:
    """Documents, none of them empty, where they came from, and a sentence for every decision.

    Attributes:
        contexts: what each document is about, if the policy names a field for it; else empty.
        roles: the split (0 training, 1 validation, 2 test) that the source puts each document in;
            empty if it has no splits.
        lost: what of the source is in no document, a sentence each.
        form: what encloses texts in the source's files.

    Example:
        >>> read_corpus("one\\ntwo\\n", Policy(documents="lines")).documents
        ('one', 'two')
    """

    documents: tuple[str, ...]
    name: str
    origin: str
    notes: tuple[str, ...]
    contexts: tuple[str, ...] = ()
    roles: tuple[int, ...] = ()
    lost: tuple[str, ...] = ()
    form: Form = field(default_factory=Form)


def read_corpus(source: Any, policy: Policy | None = None) -> Corpus:
    """Return the documents of a path, a string or a list of strings.

    Raises:
        BadInput: no such file, no text in it, bytes that are no UTF-8 (offset named), or a bad JSON
            line (number named).

    Example:
        >>> read_corpus(["To be", "or not"]).documents
        ('To be', 'or not')
    """
    policy = policy or Policy()
    if policy.context_field is not None and policy.documents != "file":
        raise BadInput(
            "a context for lines or paragraphs", "one for each JSON line", "leave `documents` out"
        )
    name, origin, found = read_source(source, policy)
    if policy.context_field is not None and not found.contexts:
        came = f"contexts from {origin}"
        wanted = f"a .jsonl with a field '{policy.context_field}'"
        if policy.context_field == LABEL:
            wanted += ", a folder of texts with a sub-folder for each label, or texts with labels"
        raise BadInput(came, wanted, "no other kind of text has them")
    if not any(found.texts):
        whole = (
            f"{origin} is empty"
            if len(found.texts) < 2
            else f"every one of the {len(found.texts)} texts in {origin} is empty"
        )
        raise BadInput(whole, "some text")
    if not any(text.strip() for text in found.texts):
        raise BadInput(f"{origin} holds nothing but white space", "some text")
    notes = [*found.notes]
    if found.replaced:
        notes.append(
            f"as asked, U+FFFD replaces bytes that are no UTF-8: {count(found.replaced, 'time')}"
        )
        found.lost.append(
            f"bytes that are no UTF-8, in {count(found.replaced, 'place')}: U+FFFD stands for them"
        )
    documents, owner, said, empty = _cut(found.texts, policy)
    contexts = tuple(found.contexts[i] for i in owner) if found.contexts else ()
    roles = tuple(found.roles[i] for i in owner) if found.roles else ()
    notes += [*said, *_oddities(documents)]
    lost = (*found.lost, *([count(empty, "empty document")] if empty else ()))
    return Corpus(documents, name, origin, tuple(notes), contexts, roles, lost, found.form)


def builtin_text(name: str) -> str:
    """Return a text that comes with the package.

    Example:
        >>> len(builtin_text("shakespeare"))
        1115394
    """
    packed = (
        importlib.resources.files("pushforward.data.text").joinpath(f"{name}.txt.gz").read_bytes()
    )
    return gzip.decompress(packed).decode()


def pieces_of(text: str, documents: str) -> list[str]:
    """Return what lies between the line ends of a text, or between its empty lines.

    Example:
        >>> pieces_of("one\\ntwo\\n\\nthree", "paragraphs")
        ['one\\ntwo', 'three']
    """
    return _SEPARATORS[documents].split(text)


def _cut(texts: list[str], policy: Policy) -> tuple[tuple[str, ...], list[int], list[str], int]:
    """Return documents, which text each is a part of, what was decided, and how many texts are
    left out because they are empty."""
    notes, empty = [], 0
    parts = list(enumerate(texts))
    if policy.documents != "file":
        parts = [(i, part) for i, text in parts for part in pieces_of(text, policy.documents)]
        what = "line" if policy.documents == "lines" else "paragraph"
        notes.append(
            f"every {what} is a document; what separates them belongs to none and counts no bytes"
        )
    kept = [(i, part) for i, part in parts if part]
    if policy.documents == "file" and (empty := len(parts) - len(kept)):
        notes.append(f"{count(empty, 'empty document')} left out")
    return tuple(part for _, part in kept), [i for i, _ in kept], notes, empty


def _oddities(documents: tuple[str, ...]) -> list[str]:
    notes = []
    if marks := sum(document.startswith("\ufeff") for document in documents):
        notes.append(f"a byte order mark begins {count(marks, 'document')}; it is kept (3 bytes)")
    if windows := sum("\r\n" in document for document in documents):
        notes.append(f"Windows line ends in {count(windows, 'document')} are kept (2 bytes each)")
    return notes


def count(n: int, noun: str) -> str:
    """Return a number with its noun.

    Example:
        >>> count(1, "document"), count(2000, "document")
        ('1 document', '2,000 documents')
    """
    return f"{n:,} {noun}" + ("" if n == 1 else "s")
