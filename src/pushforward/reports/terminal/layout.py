"""Text that fits the terminal: folded lines and records in blocks.

One idea: a line is folded at words and goes on under its beginning, so that what begins a line is
still found by eye and by `grep`.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence

WIDTH, NARROWEST, WIDEST, MOST_LINES = 100, 40, 120, 24


def width() -> int:
    """Return the characters of a line on stdout: the terminal's (or `COLUMNS`), 100 where there is
    none; 40 to 120 can be read."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((WIDTH, 24)).columns))


def hanging(text: str, columns: int, indent: int = 4) -> str:
    """Return text folded at words into lines of at most `columns` characters; all but the first are
    indented.

    A word that is longer than a line, such as a path, stays whole: it is there to be copied.

    Example:
        >>> print(hanging("coverage: 0.91 (higher is better; n = 500)", 24, 2))
        coverage: 0.91 (higher
          is better; n = 500)
    """
    lead = text[: len(text) - len(text.lstrip())]
    folded = textwrap.wrap(
        text.strip(),
        columns,
        initial_indent=lead,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(folded)


def columns(rows: Sequence[Sequence[str]], most: int) -> str:
    """Return rows of words in columns, the widest of which are folded at words until a line has at
    most `most` characters.

    Example:
        >>> print(columns([["", "points", "text"], ["gan", "none", "not yet"], ["flow", "exact", "not yet"]], 40))
              points  text
        gan   none    not yet
        flow  exact   not yet
    """
    places = range(len(rows[0]))
    wide = [max(len(row[k]) for row in rows) for k in places]
    least = [max(len(word) for row in rows for word in row[k].split() or [""]) for k in places]
    while sum(wide) + 2 * (len(wide) - 1) > most and wide != least:
        widest = max((k for k in places if wide[k] > least[k]), key=wide.__getitem__)
        wide[widest] -= 1
    lines = []
    for row in rows:
        cells = [textwrap.wrap(cell, width) or [""] for cell, width in zip(row, wide, strict=True)]
        for k in range(max(map(len, cells))):
            parts = (cell[k] if k < len(cell) else "" for cell in cells)
            lines.append(
                "  ".join(
                    f"{part:{width}}" for part, width in zip(parts, wide, strict=True)
                ).rstrip()
            )
    return "\n".join(lines)


def records(rows: Sequence[Mapping[str, str]], name: str, columns: int) -> str:
    """Return records as blocks: the field `name` as a heading, below it every other field in two
    columns, the second one folded.

    Example:
        >>> print(records([{"family": "gan", "encode": "no", "given": "label"}], "family", 40))
        gan
          encode  no
          given   label
    """
    fields = [key for row in rows for key in row if key != name]
    longest = max((len(key) for key in fields), default=0)
    beside = longest + 4 <= columns // 2
    blocks = []
    for row in rows:
        lines = [row[name]]
        for key, value in row.items():
            if key == name:
                continue
            if beside:
                lines.append(hanging(f"  {key:{longest}}  {value}", columns, longest + 4))
            else:
                lines += [f"  {key}:", hanging(f"    {value}", columns, 4)]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def shortened(lines: Sequence[str], most: int = MOST_LINES) -> list[str]:
    """Return lines for a person to read: the first of many, and how many more there are.

    Example:
        >>> shortened(["a", "b", "c"], most=2)
        ['a', 'b', '... and 1 more (--json lists all)']
    """
    left = len(lines) - most
    return (
        list(lines) if left <= 0 else [*lines[:most], f"... and {left:,} more (--json lists all)"]
    )


def markdown_table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows as a Markdown table.

    Example:
        >>> print(markdown_table([{"a": "1", "b": "2"}]))
        | a | b |
        |---|---|
        | 1 | 2 |
    """
    keys = list(rows[0])
    lines = ["| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    lines += ["| " + " | ".join(row[key] for key in keys) + " |" for row in rows]
    return "\n".join(lines)
