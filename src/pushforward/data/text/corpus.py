"""Read text: files, folders, JSON lines and Python strings become documents.

Two ideas: a document is what a boundary token will separate, and the policy says where one ends; nothing of a document is changed,
so whatever looks odd (a byte order mark, Windows line ends) is kept and said.
"""

from __future__ import annotations

import gzip
import importlib.resources
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pushforward.core.errors import BadInput, a_json_type, nearest
from pushforward.core.reading import read_bytes
from pushforward.core.spec import Config
from pushforward.data.folders import Listing, few, list_files, places_of, role_of
from pushforward.data.idx import is_idx_folder
from pushforward.data.images.folder import image_files

SUFFIXES = (".txt", ".jsonl")
TEXTS = ("shakespeare",)
GIVEN = "the given text"
LONGEST_NAME, LONGEST_PATH = 255, 4000
# a paragraph ends at one or more blank lines
_SEPARATORS = {"lines": re.compile(r"\r?\n"), "paragraphs": re.compile(r"\r?\n(?:[ \t]*\r?\n)+")}


class Policy(Config):
    """How text becomes documents; travels with a run, so that other files are read the same way.

    Attributes:
        documents: where a document ends: with its file (or string, or JSON line), at blank lines, or at every line end.
        text_field: the field of a JSON line that holds the text.
        context_field: the field that holds what the text is about, None if there is nothing.
        errors: `replace` puts U+FFFD where bytes are no UTF-8, and counts; `strict` refuses them.
    """

    documents: Literal["file", "paragraphs", "lines"] = "file"
    text_field: str = "text"
    context_field: str | None = None
    errors: Literal["strict", "replace"] = "strict"


@dataclass(frozen=True)
class Corpus:
    """Documents, none of them empty, where they came from, and a sentence for every decision.

    Attributes:
        contexts: what each document is about, if the policy names a field for it; else empty.
        roles: the split (0 training, 1 validation, 2 test) that the source puts each document in; empty if it has no splits.
        lost: what of the source is in no document, a sentence each.

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


@dataclass
class _Found:
    """Texts as they lie in the source, before the policy cuts them, with what was noticed on the way."""

    texts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    replaced: int = 0
    contexts: list[str] = field(default_factory=list)
    roles: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def is_text(source: Any) -> bool:
    """Return whether `source` is text: a built-in text, a `.txt` or `.jsonl`, a folder with more `.txt` than pictures, or strings.

    A string is the text itself if it has a line break or is too long for a file's name, else it names a file.

    Example:
        >>> is_text("a.txt"), is_text("To be,\\nor not"), is_text(["one", "two"]), is_text("digits")
        (True, True, True, False)
    """
    if isinstance(source, list):
        return bool(source) and all(isinstance(item, str) for item in source)
    if not isinstance(source, str | Path):
        return False
    if isinstance(source, str) and (source in TEXTS or _is_literal(source)):
        return True
    path = Path(source)
    if path.is_dir():
        if is_idx_folder(path):
            return False
        # a folder of pictures may well have a readme.txt, one of texts a logo
        listing = list_files(path)
        return len(_text_files(listing)) > len(image_files(listing))
    return path.suffix.lower() in SUFFIXES


def read_corpus(source: Any, policy: Policy | None = None) -> Corpus:
    """Return the documents of a path, a string or a list of strings.

    Raises:
        BadInput: no such file, no text in it, bytes that are no UTF-8 (offset named), or a bad JSON line (number named).

    Example:
        >>> read_corpus(["To be", "or not"]).documents
        ('To be', 'or not')
    """
    policy = policy or Policy()
    if policy.context_field is not None and policy.documents != "file":
        raise BadInput("a context for lines or paragraphs", "one for each JSON line", "leave `documents` out")
    name, origin, found = _read(source, policy)
    if policy.context_field is not None and not found.contexts:
        came = f"contexts from {origin}"
        raise BadInput(came, f"a .jsonl with a field '{policy.context_field}'", "no other kind of text has them")
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
        notes.append(f"as asked, U+FFFD replaces bytes that are no UTF-8: {count(found.replaced, 'time')}")
        found.lost.append(f"bytes that are no UTF-8, in {count(found.replaced, 'place')}: U+FFFD stands for them")
    documents, owner, said = _cut(found.texts, policy)
    contexts = tuple(found.contexts[i] for i in owner) if found.contexts else ()
    roles = tuple(found.roles[i] for i in owner) if found.roles else ()
    notes += [*said, *_oddities(documents)]
    return Corpus(documents, name, origin, tuple(notes), contexts, roles, tuple(found.lost))


def builtin_text(name: str) -> str:
    """Return a text that comes with the package.

    Example:
        >>> len(builtin_text("shakespeare"))
        1115394
    """
    packed = importlib.resources.files("pushforward.data.text").joinpath(f"{name}.txt.gz").read_bytes()
    return gzip.decompress(packed).decode()


def _is_literal(source: str) -> bool:
    """Return whether a string cannot be the name of a file, or hardly: it is empty, has a line break or is too long."""
    if not source or "\n" in source or "\0" in source or len(source) > LONGEST_PATH:
        return True
    return max(len(part.encode("utf-8", "replace")) for part in source.split("/")) > LONGEST_NAME


def _read(source: Any, policy: Policy) -> tuple[str, str, _Found]:
    if isinstance(source, str) and _is_literal(source):
        return "text", GIVEN, _Found([_encodable(source, GIVEN)])
    if isinstance(source, list | tuple) and all(isinstance(item, str) for item in source):
        texts = [_encodable(text, f"string {i} of {GIVEN}") for i, text in enumerate(source)]
        return "text", GIVEN, _Found(texts, [f"{count(len(texts), 'string')}, a document each"])
    if not isinstance(source, str | Path):
        raise BadInput(f"text of type {type(source).__name__}", "a path, a string or a list of strings")
    path, origin, found = Path(source), str(source), _Found()
    if path.is_dir():
        _read_folder(path, policy, found)
    elif path.suffix.lower() == ".jsonl":
        others: dict[str, None] = {}
        for texts in _json_lines(_decoded(path, policy, found), origin, policy, others):
            found.texts.append(texts[0])
            found.contexts += texts[1:]
        if others:
            found.lost.append(f"the other fields of its lines: {few(list(others))}")
        about = "" if policy.context_field is None else f", the field '{policy.context_field}' what it is about"
        found.notes.append(
            f"{count(len(found.texts), 'JSON line')}, the field '{policy.text_field}' of each a document{about}"
        )
    else:
        found.texts = [_decoded(path, policy, found)]
    return path.stem or origin, origin, found


def _text_files(listing: Listing) -> list[Path]:
    return [path for path in listing.files if path.suffix.lower() == ".txt"]


def _read_folder(folder: Path, policy: Policy, found: _Found) -> None:
    listing = list_files(folder)
    files = _text_files(listing)
    if not files:
        raise BadInput(f"the folder {folder}", "files that end in .txt", "it holds none")
    places = places_of([path.relative_to(folder).parts[:-1] for path in files], "text")
    if places.roles is None and all(role is not None for role in map(_role_of_file, files)):
        # train.txt, valid.txt and test.txt beside each other
        places = places_of([(*path.relative_to(folder).parts[:-1], _split_in(path)) for path in files], "text")
    found.texts = [_decoded(files[i], policy, found) for i in places.kept]
    found.roles = list(places.roles or ())
    said = f"a folder of {count(len(found.texts), 'text file')}, a document each, in order of their names"
    found.notes += [said, *places.notes, *listing.notes]
    found.lost += places.lost
    read = set(files)
    others = [str(path.relative_to(folder)) for path in listing.files if path not in read]
    if others:
        found.lost.append(f"what is in no .txt file, in {count(len(others), 'file')}: {few(others)}")


def _role_of_file(path: Path) -> int | None:
    return role_of(_split_in(path))


def _split_in(path: Path) -> str:
    """Return the part of a file's name that names a split, as in `wiki.valid.txt`, or its stem."""
    return next((part for part in re.split(r"[._ -]", path.stem) if role_of(part) is not None), path.stem)


def _decoded(path: Path, policy: Policy, found: _Found) -> str:
    if not path.exists():
        raise BadInput(f"no text at '{path}'", "an existing file or folder", "pass text itself as a list: [text]")
    data = read_bytes(path, "a readable file")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if policy.errors == "strict":
            utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
            fix = "it begins like UTF-16; " if utf16 else ""
            came = f"{path} is not UTF-8 at byte {error.start} (0x{data[error.start]:02x})"
            raise BadInput(came, "UTF-8 text", f"{fix}convert it, or train with `--errors replace`") from None
    text = data.decode("utf-8", "replace")
    # what the file itself spells as U+FFFD was not replaced by us
    found.replaced += text.count("\ufffd") - data.count(b"\xef\xbf\xbd")
    return text


def _encodable(text: str, where: str) -> str:
    """Return `text` if it can be written as UTF-8: Python strings may hold half of a surrogate pair, which no file can."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        came = f"half a surrogate pair (U+{ord(text[error.start]):04X}) at character {error.start} of {where}"
        raise BadInput(came, "text that UTF-8 can hold", "repair it where it was made") from None
    return text


def _json_lines(content: str, origin: str, policy: Policy, others: dict[str, None]) -> Iterator[list[str]]:
    """Yield the text of every line and, if the policy names a field for it, what it is about; collect the names of others."""
    names = [policy.text_field] if policy.context_field is None else [policy.text_field, policy.context_field]
    # only a line feed ends a line: JSON strings may hold U+2028 and other line breaks of Python's splitlines
    for number, line in enumerate(content.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        where = f"line {number} of {origin}"
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            raise BadInput(f"{where} is no JSON ({said})", "one JSON object a line", "repair that line") from None
        if not isinstance(record, dict):
            raise BadInput(f"{where} is {a_json_type(record)}", "a JSON object with a text", "repair that line")
        others |= dict.fromkeys(name for name in record if name not in names)
        yield [_string(record, name, where, "text" if name == policy.text_field else "context") for name in names]


def _string(record: dict[str, Any], name: str, where: str, what: str) -> str:
    if name not in record:
        hint = nearest(name, record) if record else "it has no fields"
        option = "text_field" if what == "text" else "context"
        expected = f"{what} in it, or the name of another field by `-s data.{option}=...`"
        if what == "text" and len(record) > 1:
            hint = f"{hint}; records of several fields are a table: `-s data.kind=table`"
        raise BadInput(f"{where} has no field '{name}'", expected, hint)
    if not isinstance(record[name], str):
        raise BadInput(f"'{name}' in {where} is {a_json_type(record[name])}", "a string", "repair that line")
    return _encodable(record[name], where)


def _cut(texts: list[str], policy: Policy) -> tuple[tuple[str, ...], list[int], list[str]]:
    """Return documents, which text each is a part of, and what was decided."""
    notes = []
    parts = list(enumerate(texts))
    if policy.documents != "file":
        parts = [(i, part) for i, text in parts for part in _SEPARATORS[policy.documents].split(text)]
        what = "line" if policy.documents == "lines" else "paragraph"
        notes.append(f"every {what} is a document; what separates them belongs to none and counts no bytes")
    kept = [(i, part) for i, part in parts if part]
    if policy.documents == "file" and len(kept) < len(parts):
        notes.append(f"{count(len(parts) - len(kept), 'empty document')} left out")
    return tuple(part for _, part in kept), [i for i, _ in kept], notes


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
