"""Tables that people look at: Markdown, the output of databases, grids of plus signs and boxes,
columns under a ruler of dashes.

One idea: a rule is no row but says where columns are, so the text is written anew as fields between
one separator, line by line, and every line keeps its number.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

_CORNERS = "┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬╒╕╘╛╞╡╤╧╪╟╢╫┏┓┗┛┣┫┳┻╋"
_BOXES = str.maketrans(
    dict.fromkeys("│┃║", "|") | dict.fromkeys("─━═", "-") | dict.fromkeys(_CORNERS, "+")
)
_RULE = re.compile(r"\s*[|+]?(\s*:?(-+|=+):?\s*[|+])*\s*:?(-+|=+):?\s*[|+]?\s*")
_RULER = re.compile(r"\s*(-{2,}|={2,})(\s+(-{2,}|={2,}))+\s*")
_COUNT = re.compile(r"\s*\(?\d[\d,.]* rows?\b.*")
_FIRST = 3  # the first rule of a table lies at its top or below its names
_TOP = 65536
_BETWEEN = {"|": "bars", "\t": "tabs"}


@dataclass(frozen=True)
class Unframed:
    """The text without what only frames its table, and what was left out."""

    text: str
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def unframed(text: str) -> Unframed:
    """Return a text whose table has rules as one whose fields stand between bars or tabs; any other
    text as it is.

    Example:
        >>> print(unframed("| name | qty |\\n|------|----:|\\n| New bolt | 4 |\\n").text)
        name|qty
        <BLANKLINE>
        New bolt|4
        >>> print(unframed("town      n\\n--------  ---\\nNew York    4\\n").text.replace("\\t", "|"))
        town|n
        <BLANKLINE>
        New York|4
    """
    top = [line for line in re.split(r"\r\n|\n|\r", text[:_TOP]) if line.strip()]
    head = [line.translate(_BOXES) for line in top[:_FIRST]]
    if not any(map(_is_rule, head)) and not any(map(_RULER.fullmatch, head)):
        return Unframed(text)
    lines = re.split(r"\r\n|\n|\r", text)
    filled = [place for place, line in enumerate(lines) if line.strip()]
    if any(_RULER.fullmatch(line) for line in head):
        return _ruled(text, lines, filled)
    lines = [line.translate(_BOXES) for line in lines]
    rules = [place for place in filled if _is_rule(lines[place])]
    after = [
        place
        for place in filled
        if _COUNT.fullmatch(lines[place]) and "|" not in lines[place] and place > rules[0]
    ]
    rows = [place for place in filled if place not in {*rules, *after}]
    if len(rows) < 2 or not all("|" in lines[place] for place in rows):
        return Unframed(text)
    bare = {place: lines[place].strip() for place in rows}
    if all(line.startswith("|") and line.endswith("|") and len(line) > 1 for line in bare.values()):
        bare = {place: line[1:-1] for place, line in bare.items()}
    cells = {
        place: [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        for place, line in bare.items()
    }
    cells = {place: [cell.replace("\\|", "|") for cell in row] for place, row in cells.items()}
    return _written(lines, cells, "|", [*rules, *after])


def _is_rule(line: str) -> bool:
    """Return whether a line is drawn: a row of single dashes between bars may be one of values that
    are not there."""
    return re.search(r"-{3}|={2}|\+-|^\s*\|", line) is not None and bool(
        re.search("[|+]", line) and _RULE.fullmatch(line)
    )


def _ruled(text: str, lines: Sequence[str], filled: Sequence[int]) -> Unframed:
    """Cut lines into columns where the ruler says that these begin and end."""
    rules = [place for place in filled if _RULER.fullmatch(lines[place].translate(_BOXES))]
    ruler = lines[rules[0]].translate(_BOXES)
    if any(lines[place].translate(_BOXES).rstrip() != ruler.rstrip() for place in rules):
        return Unframed(text)
    starts = [match.start() for match in re.finditer(r"(?<!\S)\S", ruler)]
    ends = [*(start for start in starts[1:]), None]
    after = [
        place
        for place in filled
        if _COUNT.fullmatch(lines[place]) and place > rules[0] and place >= filled[-1]
    ]
    rows = [place for place in filled if place not in {*rules, *after}]
    # what crosses a border belongs to no column
    crossed = any(lines[place][start - 1 : start].strip() for place in rows for start in starts[1:])
    if (
        len(rows) < 2
        or crossed
        or any(line.strip() for place in rows for line in [lines[place][: starts[0]]])
    ):
        return Unframed(text)
    cells = {
        place: [lines[place][a:b].strip() for a, b in zip(starts, ends, strict=True)]
        for place in rows
    }
    return _written(lines, cells, "\t", [*rules, *after])


def _written(
    lines: Sequence[str], cells: dict[int, list[str]], delimiter: str, gone: Sequence[int]
) -> Unframed:
    written = []
    for place in range(len(lines)):
        buffer = io.StringIO()
        if place in cells:
            csv.writer(buffer, delimiter=delimiter, lineterminator="").writerow(cells[place])
        written.append(buffer.getvalue())
    first = lines[min(gone)].strip()[:20]
    said = (
        f"'{first}' is no row but frames the table"
        if len(gone) == 1
        else f"{len(gone)} lines such as '{first}' frame the table"
    )
    lost = f"the rules and the alignment of the table do not come back: {_BETWEEN[delimiter]} stand between the fields"
    return Unframed("\n".join(written), (said,), (lost,))
