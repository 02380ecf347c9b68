"""Which format a path has: by its name, else by what lies there; and the words for what can be read
and written.

One idea: whoever asks walks through `FORMATS`, so that a new format is opened, written and named
everywhere at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pushforward.core.errors import BadInput
from pushforward.data.formats.file_formats import FORMATS, IDX, PICTURE
from pushforward.data.formats.format import Format, Samples, is_folder
from pushforward.data.formats.packing import PACKED, unpacked_name


def format_of(path: Path, kind: str | None = None) -> Format | None:
    """Return the format of a file or a folder, None if nothing here reads it.

    Args:
        kind: of data that it must hold, None = any.

    Example:
        >>> format_of(Path("a.csv.gz")).name, format_of(Path("a.csv"), "text"), format_of(Path("a.mp4"))
        ('csv', None, None)
    """
    able = [one for one in FORMATS if one.holds and kind in (None, *one.holds)]
    named = None if path.is_dir() else named_format(path, able)  # a folder may be called anything
    return named or next((one for one in able if one.sniff(path)), None)


def named_format(path: Path, among: Iterable[Format] | None = None) -> Format | None:
    """Return the format that the name of a file says it has, None if it says nothing.

    Example:
        >>> named_format(Path("a.txt")).name, named_format(Path("README"))
        ('text', None)
    """
    formats = FORMATS if among is None else among
    # as `is_named`, for folders of very many files
    outer, inner = path.suffix.lower(), unpacked_name(path).suffix.lower()
    return next(
        (
            one
            for one in formats
            if one.holds and (inner if one.reads_packed else outer) in one.suffixes
        ),
        None,
    )


def suffixes_of(kind: str) -> tuple[str, ...]:
    """Return what names of files of one kind of data end in, if they are read as that unless
    something else is asked for.

    Example:
        >>> suffixes_of("text")
        ('.txt', '.jsonl', '.ndjson')
    """
    return tuple(suffix for one in FORMATS if one.holds[:1] == (kind,) for suffix in one.suffixes)


def readable() -> str:
    """Return what can be read, in words, for whoever brought something else."""
    files = [one for one in FORMATS if one.holds and not one.folder and one not in (IDX, PICTURE)]
    known = dict.fromkeys(suffix for one in files for suffix in one.suffixes)
    packed = f"tables and texts also in {', '.join(PACKED)}"
    return f"{', '.join(known)} ({packed}), an IDX file, any plain text, or a folder of images or texts"


def readable_as(kind: str) -> str:
    """Return the endings of files that can hold a kind of data, for whoever asked for it of another
    one.

    Example:
        >>> ".csv" in readable_as("table"), ".png" in readable_as("table")
        (True, False)
    """
    return " ".join(suffix for one in FORMATS if kind in one.holds for suffix in one.suffixes)


def output_format(path: str | Path, samples: Samples) -> Format:
    """Return the format that samples are written to a name in.

    Raises:
        BadInput: another ending; says which there are.
    """
    able = [one for one in FORMATS if one.can_write(samples)]
    found = next((one for one in able if one.is_output(path, samples.ending)), None)
    if found is not None:
        return found
    files = [one for one in able if not one.folder]
    own = [samples.ending] if samples.ending and any(one.any_ending for one in files) else []
    fix = ""
    if len(files) < len(able) and not is_folder(path):
        name = Path(path)
        fix = f"a name that ends in a slash, {name.stem}/, makes a folder of files, and so does {name.name}/"
    raise BadInput(f"-o {path}", f"a name that ends in {_endings(files, own)}", fix)


def written(form: str) -> str:
    """Return the endings of names that samples of one form can be written to.

    Example:
        >>> written("texts")
        '.txt or .jsonl'
    """
    return _endings([one for one in FORMATS if form in one.writes and not one.folder])


def input_help() -> str:
    """Return the endings of files that are data, for help."""
    files = [one for one in FORMATS if one.holds and one.suffixes and one is not PICTURE]
    return ", ".join(one.suffixes[0] for one in files)


def output_help() -> str:
    """Return what samples can be written to, for help.

    Example:
        >>> output_help().split(" Text")[1]
        ': .txt or .jsonl, or a folder.'
    """
    folder = ", or a folder of images (its name may end in /)"
    packed = next(one.suffixes[0] for one in FORMATS if one.writes_packed) + PACKED[0]
    rows, texts = _plainly("rows"), _plainly("texts")
    return (
        f"Images and points: {_plainly('arrays')}{folder}. Tables: {rows}, also packed ({packed}). "
        f"Text: {texts}, or a folder."
    )


def table_of_formats() -> list[tuple[str, ...]]:
    """Return the rows of the table of formats in `docs/data.md`, its head first."""
    rows = [("format", "endings", "what it is", "read as", "written of")]
    for one in FORMATS:
        packed = "; packed" if one.reads_packed else ""
        endings = " ".join(f"`{suffix}`" for suffix in one.suffixes) + packed
        rows.append(
            (one.name, endings, one.says, ", ".join(one.holds) or "-", ", ".join(one.writes) or "-")
        )
    return rows


def _plainly(form: str) -> str:
    return _listed(
        [one.suffixes[0] for one in FORMATS if form in one.writes and one.suffixes], "or"
    )


def _endings(files: Sequence[Format], own: Sequence[str] = ()) -> str:
    files = [one for one in files if one.suffixes]
    usual = [one.suffixes[0] for one in files]
    place = next((i + 1 for i, one in enumerate(files) if one.any_ending), len(usual))
    known = list(dict.fromkeys([*usual[:place], *own, *usual[place:]]))
    packed = [one.suffixes[0] for one in files if one.writes_packed]
    return _listed(known, "or") + (
        f" ({_listed(packed, 'and')} also packed: {_packings(packed[0])})" if packed else ""
    )


def _packings(suffix: str) -> str:
    return ", ".join([suffix + PACKED[0], *PACKED[1:]])


def _listed(words: Sequence[str], last: str) -> str:
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
