"""Ways to damage bytes, JSON records and words, each a function of a seeded random generator."""

from __future__ import annotations

import json
import random
from typing import Any

ODD_NUMBERS = (
    0,
    -1,
    1,
    2**31,
    2**63,
    10**400,
    -(10**30),
    1e308,
    -1e308,
    1e-320,
    0.5,
    float("nan"),
    float("inf"),
)
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    "",
    "x",
    "../x",
    "/abs",
    "\x00",
    "a" * 5000,
    [],
    {},
    [[]],
    [None],
    {"a": {"b": []}},
    *ODD_NUMBERS,
)


def bytes_of(content: bytes, draw: random.Random) -> bytes:
    """Return a file with bytes flipped, cut, doubled, inserted or replaced."""
    if not content:
        return draw.randbytes(draw.randrange(40))
    damaged = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 5, 30))):
        at = draw.randrange(len(damaged)) if damaged else 0
        # headers decide most
        at = min(at, draw.choice((4, 16, 64, 128, at)))
        kind = draw.randrange(7)
        if kind == 0 and damaged:
            damaged[at] ^= 1 << draw.randrange(8)
        elif kind == 1 and damaged:
            damaged[at] = draw.choice((0, 255, 10, 44, 34, 128, 48))
        elif kind == 2:
            del damaged[draw.randrange(len(damaged) + 1) :]
        elif kind == 3:
            damaged[at:at] = draw.randbytes(draw.randrange(1, 9))
        elif kind == 4:
            damaged[at : at + draw.randrange(1, 9)] = b""
        elif kind == 5:
            damaged[at:at] = damaged[at : at + 64]
        else:
            damaged[at : at + 4] = draw.choice(
                (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff")
            )
    return bytes(damaged)


def record_of(record: Any, draw: random.Random) -> Any:
    """Return a JSON record in which a few places hold something else, are gone, or are nested deeply."""
    changed = json.loads(json.dumps(record))
    for _ in range(draw.choice((1, 1, 2, 4))):
        changed = _change(changed, draw)
    return changed


def _change(record: Any, draw: random.Random) -> Any:
    if isinstance(record, dict) and record and draw.random() < 0.85:
        key = draw.choice(list(record))
        if draw.random() < 0.15:
            del record[key]
        elif draw.random() < 0.1:
            record[key + "x"] = record.pop(key)
        else:
            record[key] = _change(record[key], draw)
        return record
    if isinstance(record, list) and record and draw.random() < 0.85:
        at = draw.randrange(len(record))
        if draw.random() < 0.15:
            del record[at]
        elif draw.random() < 0.15:
            record.append(record[at])
        else:
            record[at] = _change(record[at], draw)
        return record
    if draw.random() < 0.05:
        deep: Any = record
        for _ in range(400):
            deep = [deep]
        return deep
    return draw.choice(ODD_VALUES)


def text_of(record: Any, draw: random.Random) -> str:
    """Return the text of a damaged record; rarely of one that is no JSON."""
    text = json.dumps(record_of(record, draw))
    if draw.random() < 0.1:
        return bytes_of(text.encode(), draw).decode("latin-1")
    if draw.random() < 0.05:
        return "[" * 20_000 + "]" * 20_000
    return text


def lines_of(text: str, draw: random.Random) -> str:
    """Return a text of lines with cells and lines damaged."""
    lines = text.split("\n")
    for _ in range(draw.choice((1, 2, 5))):
        at, kind = draw.randrange(len(lines)), draw.randrange(8)
        cells = lines[at].split(",")
        if kind == 0:
            cells[draw.randrange(len(cells))] = str(draw.choice(ODD_VALUES))[:300]
        elif kind == 1:
            cells.append("9")
        elif kind == 2:
            cells = cells[:-1]
        elif kind == 3:
            cells[draw.randrange(len(cells))] = '"'
        elif kind == 4:
            cells = ["9" * draw.choice((20, 400, 5000))]
        elif kind == 5:
            cells = []
        elif kind == 6:
            cells = [
                cell + draw.choice(("\r", "\x00", "\ufeff", "\u2028", "é", "\udcff"))
                for cell in cells
            ]
        else:
            cells = [cell[::-1] for cell in cells]
        lines[at] = ",".join(cells)
    return "\n".join(lines)


def word(draw: random.Random) -> str:
    """Return a word as somebody might type it where a number or a name was expected."""
    return str(
        draw.choice(
            (
                "",
                "0",
                "-1",
                "1e-320",
                "1e21",
                "1e999",
                "nan",
                "inf",
                "-inf",
                "1_000",
                "٣",
                "²",
                "--1",
                "0x10",
                "1,5",
                "9" * 400,
                "None",
                "true",
                "[1]",
                "{}",
                "a" * 3000,
                "../x",
                "x\x00y",
                "é",
                "💥",
                "3.7",
                "1/0",
                " ",
                "\n",
                "%s",
                "*",
                "~",
            )
        )
    )
