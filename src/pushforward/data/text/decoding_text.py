"""From the bytes of a file to its text, and back to a file of the same form.

Two ideas: a byte order mark, or zero bytes at every other place, says how text is encoded; what
encloses texts in their file (its encoding, its line ends, the field of a JSON line) is remembered,
so that samples are written as the file was.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pushforward.core.errors import BadInput
from pushforward.core.reading import read_bytes
from pushforward.data.formats.packing import PACKED, unpack
from pushforward.data.plain import FOREIGN
from pushforward.data.tables.charsets import MARKS, unmarked_wide, wide_note

UTF8_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class DecodedText:
    """The text of a file, how it was encoded, how many of its bytes U+FFFD stands for, and what was
    decided."""

    text: str
    charset: str = "utf-8"
    marked: bool = False
    replaced: int = 0
    notes: tuple[str, ...] = ()


def read_text(path: Path, replace: bool = False) -> DecodedText:
    """Return the text of a file, packed or not.

    Args:
        replace: put U+FFFD where bytes are none of its encoding, and count.

    Raises:
        BadInput: a file that cannot be read, or bytes that are no text, with the first place that
            shows it.
    """
    packed = path.suffix.lower() in PACKED
    return decoded(
        unpack(path)[0] if packed else read_bytes(path, "a readable file"), str(path), replace
    )


def decoded(raw: bytes, where: str, replace: bool = False) -> DecodedText:
    """Return bytes as text; a mark of UTF-8 is kept, because it has always been a part of the text.

    Raises:
        BadInput: bytes that are no text.

    Example:
        >>> decoded("né".encode("utf-32"), "a.txt").notes
        ('the file is UTF-32, and texts count as UTF-8',)
    """
    for mark, name in FOREIGN:
        if raw.startswith(mark):
            raise BadInput(f"{where} begins like {name}", "UTF-8 text", "convert it to UTF-8")
    mark, charset, word = next(
        (one for one in MARKS if raw.startswith(one[0]) and one[0] != UTF8_MARK), (b"", "", "")
    )
    note = f"the file is {word}, and texts count as UTF-8"
    if not charset and (wide := unmarked_wide(raw)):
        charset, word, note = wide, wide.upper(), f"{wide_note(wide)}, and texts count as UTF-8"
    body = raw[len(mark) :]
    try:
        text, replaced = body.decode(charset or "utf-8"), 0
    except UnicodeDecodeError as error:
        if not replace:
            raise _refused(raw, where, word, error.start + len(mark)) from None
        text = body.decode(charset or "utf-8", "replace")
        # what the file itself spells as U+FFFD was not replaced by us
        replaced = text.count("\ufffd") - body.decode(charset or "utf-8", "ignore").count("\ufffd")
    notes = [note] if charset else []
    if zeros := text.count("\0"):
        notes.append(
            f"zero characters (U+0000) are kept: {zeros:,}; a file that has them is rarely plain text"
        )
    return DecodedText(text, charset or "utf-8", bool(mark), replaced, tuple(notes))


def _refused(raw: bytes, where: str, word: str, place: int) -> BadInput:
    came = f"{where} is not {word or 'UTF-8'} at byte {place} (0x{raw[place]:02x})"
    if word:
        return BadInput(
            came, f"{word} throughout, as it begins", "repair it, or train with `--errors replace`"
        )
    if b"\0" in raw:
        # every zero byte would stay a character of the text
        return BadInput(
            came, "UTF-8 text", "it holds zero bytes: convert it if it is text of another encoding"
        )
    return BadInput(came, "UTF-8 text", "convert it, or train with `--errors replace`")
