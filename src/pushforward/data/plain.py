"""Which files hold plain text, whatever their names end in.

Two ideas: an ending is a custom and bytes are a fact, so a file of an unknown ending is looked at;
what packs a file is taken off before its ending is read.
"""

from __future__ import annotations

import codecs
import re
import zipfile
from pathlib import Path

from pushforward.data.folders import is_hidden
from pushforward.data.formats.packing import head_of, unpacked_name
from pushforward.data.tables.charsets import MARKS, unmarked_wide

HEAD = 1 << 14
# what programs write into plain text beside printed characters: line ends, tabs, pages, backspaces
# and the colours of a terminal
_CONTROLS = frozenset("\t\n\v\f\r\b\a\x1b")
# formats that begin like text and are none
_NOT_TEXT = (b"%PDF-", b"%!PS", b"{\\rtf")
# encodings that no reader here knows, by the mark that they begin with
FOREIGN = (
    (b"\xdd\x73\x66\x73", "UTF-EBCDIC"),
    (b"\x0e\xfe\xff", "SCSU"),
    (b"\xfb\xee\x28", "BOCU-1"),
    (b"\xf7\x64\x4c", "UTF-1"),
)


def ending_of(path: Path) -> str:
    """Return what a file's name says about its kind: its ending in small letters, without that of
    its packing.

    Numbers and words behind a full stop are part of a name, not an ending.

    Example:
        >>> [ending_of(Path(name)) for name in ("A.TXT", "a.log.gz", "article.0012", "1. The beginning", "README")]
        ['.txt', '.log', '', '', '']
    """
    ending = unpacked_name(path).suffix.lower()
    return (
        ending
        if re.fullmatch(r"\.[a-z][a-z0-9_+-]{0,9}|\.[a-z0-9_+-]{0,3}[a-z][a-z0-9_+-]{0,3}", ending)
        else ""
    )


def is_plain(path: Path) -> bool:
    """Return whether a file, packed or not, begins like text, in UTF-8, behind a mark, or of one
    byte a letter.

    Example:
        >>> is_plain(Path("absent"))
        False
    """
    try:
        head = head_of(path, HEAD) if path.is_file() and not is_hidden(path.name) else b"\0"
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return False
    except (
        Exception
    ) as error:  # what an unpacker raises has no common base: zlib.error, lzma.LZMAError
        if type(error).__module__ not in ("zlib", "_lzma", "lzma"):
            raise
        return False
    return begins_like_text(head)


def begins_like_text(head: bytes) -> bool:
    """Return whether the first bytes of a file are text.

    Example:
        >>> [begins_like_text(head) for head in ("né".encode(), "né".encode("utf-16"), b"\\x89PNG\\r\\n\\x1a\\n")]
        [True, True, False]
    """
    if head.startswith(_NOT_TEXT):
        return False
    mark, charset = next(
        (one[:2] for one in MARKS if head.startswith(one[0])), (b"", unmarked_wide(head))
    )
    if charset:
        # the last character may be cut
        return _is_clean(codecs.getincrementaldecoder(charset)("replace").decode(head[len(mark) :]))
    if not _is_clean(head.decode("latin-1")):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        # of one byte a letter: few letters with accents among others, or words of another alphabet
        # between blanks
        high = sum(byte >= 128 for byte in head)
        return 2 * high <= len(head) or bool(re.search(rb"[\x80-\xff][ \r\n]", head))
    return True


def _is_clean(text: str) -> bool:
    return not any((c < " " and c not in _CONTROLS) or c in "\x7f\ufffd" for c in text)
