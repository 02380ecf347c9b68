"""From the bytes of a file to text: character sets, with a sentence for each that is not UTF-8.

Two ideas: a file says how it is encoded by its first bytes; what only fits one byte a character is
read as Windows-1252 and said to be, because a wrong guess there is visible and a refusal is not
better.
"""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass

from pushforward.core.errors import BadInput

_AROUND = 15
_CELL_ENDS = re.compile(r"[;,|\t\r\n]")
# the mark, the codec, and its name where that is worth a note; the longer marks before those that
# they begin with
MARKS = (
    (codecs.BOM_UTF8, "utf-8", ""),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
    (b"\x84\x31\x95\x33", "gb18030", "GB18030"),
)
# codecs without a mark, the bytes of a character, and which of them is the letter of plain English
_WIDE = (("utf-32-le", 4, 0), ("utf-32-be", 4, 3), ("utf-16-le", 2, 0), ("utf-16-be", 2, 1))


# the first bytes of packed files, what these are called, and how their names end
_PACKED = (
    (b"\x1f\x8b", ("gzip", ".gz")),
    (b"BZh", ("bzip2", ".bz2")),
    (b"\xfd7zXZ\0", ("xz", ".xz")),
    (b"PK\x03\x04", ("zip", ".zip")),
)


@dataclass(frozen=True)
class Decoded:
    """The text of a file, what was decided, the encoding, and whether it began with a byte order
    mark."""

    text: str
    notes: tuple[str, ...] = ()
    charset: str = "utf-8"
    mark: bool = False

    @property
    def line_end(self) -> str:
        """What ends most lines of the text."""
        both = self.text.count("\r\n")
        ends = {
            "\n": self.text.count("\n") - both,
            "\r\n": both,
            "\r": self.text.count("\r") - both,
        }
        return max(ends, key=lambda end: ends[end])


def decode(raw: bytes, where: str) -> Decoded:
    """Return bytes as text, and what was decided if they are not plain UTF-8.

    Raises:
        BadInput: bytes that are no text, with the first place that shows it.

    Example:
        >>> decode("né".encode("latin-1"), "a.csv").text
        'né'
    """
    for mark, name, word in MARKS:
        if raw.startswith(mark):
            try:
                text = raw[len(mark) :].decode(name)
                return Decoded(text, (f"the file is {word}",) if word else (), name, mark=True)
            except UnicodeDecodeError as error:
                raise BadInput(
                    f"{where} is not {word or 'UTF-8'} at byte {error.start}",
                    "one encoding throughout",
                ) from None
    wide = unmarked_wide(raw)
    if wide:
        with suppress(UnicodeDecodeError):
            text = raw.decode(wide)
            if "\0" not in text:
                return Decoded(text, (wide_note(wide),), wide)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return _one_byte(raw, where, error.start)
    if "\0" in text:
        raise BadInput(
            f"{where} holds a zero byte at {text.index(chr(0))}",
            "a text file",
            "it is of another kind, or damaged",
        )
    return Decoded(text)


def unmarked_wide(raw: bytes) -> str:
    """Return the codec of text in UTF-16 or UTF-32 that has no mark, seen by its zero bytes; empty
    for other text.

    Example:
        >>> [unmarked_wide("plain text".encode(name)) for name in ("utf-16-le", "utf-32-be", "utf-8")]
        ['utf-16-le', 'utf-32-be', '']
    """
    for name, width, place in _WIDE:
        # the first bytes of a file may end within a character
        head = raw[: min(len(raw), 4096) // width * width]
        letters = head[place::width]
        others = bytes(byte for i, byte in enumerate(head) if i % width != place)
        if (
            len(letters) < 2
            or others.count(0) <= 0.9 * len(others)
            or letters.count(0) >= 0.5 * len(letters)
        ):
            continue
        try:
            head.decode(name)
        except UnicodeDecodeError as error:
            if error.end < len(head):
                return ""
        return name
    return ""


def wide_note(name: str) -> str:
    """Return the sentence for text whose zero bytes tell its codec."""
    which = "every other byte is" if name.startswith("utf-16") else "three of four bytes are"
    return f"{which} 0, so the file is {name.upper()}"


def _one_byte(raw: bytes, where: str, start: int) -> Decoded:
    high = [byte for byte in raw if byte >= 128]
    control = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in raw[:65536])
    # text is mostly letters without accents; packed data are not
    if control or (len(raw) >= 16 and len(high) > 0.5 * len(raw)):
        packed = next((kind for magic, kind in _PACKED if raw.startswith(magic)), None)
        if packed is not None:
            word, ending = packed
            raise BadInput(
                f"{where} is packed ({word}), which its name does not say",
                "a text file in UTF-8",
                f"add {ending} to its name, or unpack it",
            )
        raise BadInput(
            f"{where} is not UTF-8 at byte {start}",
            "a text file in UTF-8",
            "it is of another kind, or damaged",
        )
    try:
        text, charset, name = raw.decode("cp1252"), "cp1252", "Windows-1252"
    except UnicodeDecodeError:
        text, charset, name = raw.decode("latin-1"), "latin-1", "Latin-1"
    note = f"the file is not UTF-8 (byte {start}), so it is read as {name}: '{_telling(text)}' should look right"
    return Decoded(text, (note,), charset)


def _telling(text: str) -> str:
    """Return the first cell that holds a letter beyond ASCII, or what stands around that letter in
    a long one."""
    place = next(i for i, c in enumerate(text) if ord(c) > 127)
    before, after = text[max(0, place - _AROUND) : place], text[place : place + _AROUND]
    return (_CELL_ENDS.split(before)[-1] + _CELL_ENDS.split(after)[0]).strip(" \"'")
