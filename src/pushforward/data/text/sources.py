"""The texts of a source as they lie there, before a policy cuts them: strings, a file, JSON lines,
the files of a folder.

Two ideas: whatever is not read is said; a folder's files are texts if their bytes are, and the
ending that most of them have says which of them were meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pushforward.core.errors import BadInput
from pushforward.data.class_folders import labels_of
from pushforward.data.folders import Listing, Places, counted, few, list_files, places_of, role_of
from pushforward.data.formats.choosing import named_format
from pushforward.data.formats.file_formats import FORMATS, JSON_LINES, TEXT
from pushforward.data.formats.file_formats import TEXTS as FOLDER
from pushforward.data.formats.format import ReadOptions
from pushforward.data.formats.packing import unpacked_name
from pushforward.data.plain import ending_of
from pushforward.data.text.decoding_text import DecodedText, read_text
from pushforward.data.text.json_lines import encodable, json_texts
from pushforward.data.text.policy import LABEL, Form, Policy
from pushforward.data.text.recognising import Chosen, choose, is_literal, is_text
from pushforward.data.text.rows_of_numbers import numbers_in

GIVEN = "the given text"


@dataclass
class Texts:
    """Texts as they lie in the source, with what was noticed on the way.

    Attributes:
        texts: one a file, a string or a JSON line.
        contexts: what each of them is about, if the policy asks for it.
        roles: the split of each, if the source has splits.
        replaced: how many times U+FFFD stands for bytes.
        forms: the forms of files, and how many have each.
    """

    texts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    replaced: int = 0
    contexts: list[str] = field(default_factory=list)
    roles: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    forms: Counter[tuple[str, str, bool, str]] = field(default_factory=Counter)

    @property
    def form(self) -> Form:
        """The form that most files have."""
        if not self.forms:
            return Form()
        ending, charset, marked, line_end = self.forms.most_common(1)[0][0]
        return Form(
            ending=ending,
            charset=charset,
            marked=marked,
            line_end="\r\n" if line_end == "\r\n" else "\n",
        )


def read_source(source: Any, policy: Policy) -> tuple[str, str, Texts]:
    """Return the name of a source, the words for it in messages, and its texts.

    Raises:
        BadInput: nothing there, no text, or bytes that are none.
    """
    if isinstance(source, str) and is_literal(source):
        return "text", GIVEN, Texts([encodable(source, GIVEN)])
    if isinstance(source, list | tuple) and all(isinstance(item, str) for item in source):
        texts = [encodable(text, f"string {i} of {GIVEN}") for i, text in enumerate(source)]
        return "text", GIVEN, Texts(texts, [f"{counted(len(texts), 'string')}, a document each"])
    if isinstance(source, tuple) and is_text(source):
        name, origin, found = read_source(source[0], policy)
        _labelled(found, source[1], policy)
        return name, origin, found
    if not isinstance(source, str | Path):
        raise BadInput(
            f"text of type {type(source).__name__}", "a path, a string or a list of strings"
        )
    path, origin = Path(source), str(source)
    if not path.exists():
        raise BadInput(
            f"no text at '{path}'",
            "an existing file or folder",
            "pass text itself as a list: [text]",
        )
    # whatever is asked for as text is read as such
    others = [one for one in FORMATS if "text" in one.holds and one is not FOLDER]
    known = None if path.is_dir() else named_format(path, others)
    known = known or next(
        (one for one in others if one.sniff(path)), FOLDER if path.is_dir() else TEXT
    )
    found = _texts(known.read(path, ReadOptions(kind="text", text=policy)), path)
    return unpacked_name(path).stem or origin, origin, found


def read_plain(path: Path, how: ReadOptions) -> Texts:
    """Return the text of a file."""
    found = Texts()
    found.texts = [_text_of(path, how.text or Policy(), found)]
    ending = ending_of(path)
    if ending not in TEXT.suffixes:
        what = f"a file that ends in '{ending}'" if ending else "a file without an ending"
        found.notes.append(f"{what}, and holds plain text, so it is read as text")
    if columns := numbers_in(found.texts[0]):
        row = "one number" if columns == 1 else f"{columns} numbers"
        found.notes.append(
            f"each line holds {row}: -s data.kind=points reads rows of numbers, data.kind=table a table"
        )
    return found


def read_json_lines(path: Path, how: ReadOptions) -> Texts:
    """Return the texts of JSON lines."""
    found = Texts()
    _read_json([path], how.text or Policy(), found)
    return found


def read_text_folder(path: Path, how: ReadOptions) -> Texts:
    """Return the texts of a folder."""
    found = Texts()
    _read_folder(path, how.text or Policy(), found)
    return found


def _texts(found: Any, path: Path) -> Texts:
    if isinstance(found, list | tuple) and all(isinstance(one, str) for one in found):
        return Texts([encodable(one, f"text {i} of {path}") for i, one in enumerate(found)])
    if isinstance(found, Texts):
        return found
    raise BadInput(f"{path} as text", "a file or a folder of texts")


def _labelled(found: Texts, labels: Any, policy: Policy) -> None:
    """Take labels beside strings as what they are about, if the policy says so, else say that they
    are left out."""
    told = [str(one) for one in (labels.tolist() if hasattr(labels, "tolist") else labels)]
    if len(told) != len(found.texts):
        raise BadInput(
            f"{counted(len(told), 'label')} for {counted(len(found.texts), 'text')}",
            "one label per text",
        )
    if policy.context_field == LABEL:
        found.contexts = told
        found.notes.append(f"each text is about its label: {few(list(dict.fromkeys(told)))}")
        return
    found.notes.append("texts have no labels: all are modelled as one kind")
    how = "context='label' models each text given its own"
    found.lost.append(f"the labels of the texts ({few(list(dict.fromkeys(told)))}): {how}")


def _text_of(path: Path, policy: Policy, found: Texts) -> str:
    read = read_text(path, policy.errors == "replace")
    found.replaced += read.replaced
    found.notes += [note for note in read.notes if note not in found.notes]
    found.forms[_form(path, read)] += 1
    return read.text


def _form(path: Path, read: DecodedText) -> tuple[str, str, bool, str]:
    windows = 2 * read.text.count("\r\n") > read.text.count("\n")
    return ending_of(path), read.charset, read.marked, "\r\n" if windows else "\n"


def _read_json(files: Sequence[Path], policy: Policy, found: Texts) -> list[int]:
    """Read JSON lines, and return how many texts each file has."""
    others: dict[str, None] = {}
    sizes = []
    for path in files:
        before = len(found.texts)
        for texts in json_texts(
            _text_of(path, policy, found),
            str(path),
            policy.text_field,
            policy.context_field,
            others,
        ):
            found.texts.append(texts[0])
            found.contexts += texts[1:]
        sizes.append(len(found.texts) - before)
    if others:
        found.lost.append(f"the other fields of its lines: {few(list(others))}")
    about = (
        ""
        if policy.context_field is None
        else f", the field '{policy.context_field}' what it is about"
    )
    said = f"{counted(len(found.texts), 'JSON line')}, the field '{policy.text_field}' of each a document{about}"
    found.notes.append(said)
    return sizes


def _read_folder(folder: Path, policy: Policy, found: Texts) -> None:
    listing = list_files(folder)
    endings = [
        f".{one.strip().lstrip('.').lower()}"
        for one in policy.endings.split(",")
        if one.strip(" .")
    ]
    chosen = choose(listing, endings)
    files = chosen.files
    if not files:
        wanted = f"files that end in {' or '.join(endings) or '.txt'}{'' if endings else ', or others of plain text'}"
        raise BadInput(f"the folder {folder}", wanted, "it holds none")
    parts = [path.relative_to(folder).parts[:-1] for path in files]
    places, by_name = places_of(parts, "text"), False
    if places.roles is None and all(role is not None for role in map(_role_of_file, files)):
        # train.txt, valid.txt and test.txt beside each other
        named = places_of(
            [(*part, _split_in(path)) for part, path in zip(parts, files, strict=True)], "text"
        )
        by_name = named.roles is not None
        places = named if by_name else places
    kept = [files[i] for i in places.kept]
    if endings:
        kind = " and ".join(endings)
    else:
        kind = "text" if chosen.ending in TEXT.suffixes else chosen.ending or "plain"
    notes = [
        f"a folder of {counted(len(kept), f'{kind} file')}, a document each, in order of their names"
    ]
    if chosen.ending in JSON_LINES.suffixes:
        sizes = _read_json(kept, policy, found)
        notes = [
            f"a folder of {counted(len(kept), f'{kind} file')}, in order of their names",
            *found.notes,
        ]
    else:
        found.texts = [_text_of(path, policy, found) for path in kept]
        sizes = [1] * len(kept)
        _about(found, folder, kept, places, policy, by_name)
        notes += found.notes
    found.roles = [
        role for role, size in zip(places.roles or (), sizes, strict=False) for _ in range(size)
    ]
    split = (
        [f"the names of the files define the split: {few([path.name for path in kept])}"]
        if by_name
        else places.notes
    )
    found.notes = [*notes, *split, *listing.notes]
    found.lost += [*places.lost, *_left_out(listing, chosen, endings)]


def _about(
    found: Texts, folder: Path, files: Sequence[Path], places: Places, policy: Policy, by_name: bool
) -> None:
    """Take the names of sub-folders as what texts are about, if the policy says so, else say that
    they are left out."""
    rest = places.rest if not by_name else tuple(one[:-1] for one in places.rest)
    names = dict.fromkeys(one[0] for one in rest if one)
    if policy.context_field == LABEL:
        if names and not all(rest):
            came = f"{counted(sum(not one for one in rest), 'text')} of {folder} in no sub-folder"
            raise BadInput(
                came,
                "every text in a sub-folder named like its label",
                "move them, or leave context out",
            )
        if names or places.around:
            found.contexts = labels_of(
                files, [one[0] if one else places.around[-1] for one in rest]
            )
            found.notes.append(
                f"each text is about the name of its sub-folder: {few(list(dict.fromkeys(found.contexts)))}"
            )
    elif names:
        which = f"{counted(len(names), 'sub-folder')} ({few(list(names))})"
        if all(rest):
            found.notes.append(f"{which}, and texts have no labels: all are modelled as one kind")
        how = (
            "-s data.context=label models each text given the name of its own"
            if all(rest)
            else "some lie in none"
        )
        found.lost.append(f"in which of {which} a text lies: {how}")


def _left_out(listing: Listing, chosen: Chosen, endings: Sequence[str]) -> list[str]:
    rest = [path.relative_to(listing.folder) for path in (*chosen.texts, *chosen.others)]
    if not rest:
        return []
    more = sorted({ending_of(path) for path in chosen.texts} - {""})
    if endings:
        return [
            f"what is in files of other endings, {len(rest):,}: {few([str(path) for path in sorted(rest)])}"
        ]
    kind = f"no {chosen.ending} file" if chosen.ending else "files that have an ending"
    read = ",".join(one.removeprefix(".") for one in (chosen.ending, *more))
    hint = (
        f" (-s data.endings={read} reads texts of these endings too)"
        if more and chosen.ending
        else ""
    )
    return [
        f"what is in {kind}, in {counted(len(rest), 'file')}: {few([str(path) for path in sorted(rest)])}{hint}"
    ]


def _role_of_file(path: Path) -> int | None:
    return role_of(_split_in(path))


def _split_in(path: Path) -> str:
    """Return the part of a file's name that names a split, as in `wiki.valid.txt`, or its stem."""
    return next(
        (part for part in re.split(r"[._ -]", path.stem) if role_of(part) is not None), path.stem
    )
