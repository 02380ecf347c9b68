"""A column in digits of another script, read in ASCII: what it was, and what of its spelling is
lost.

One idea: how a column is read does not depend on its script; only how it is written does, and that
is tried as everything else is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pushforward.data.tables.notations.respelled import lost_spelling
from pushforward.data.tables.notations.script import script_of
from pushforward.data.tables.spelling import AGAIN, as_most_are
from pushforward.data.tables.typed_values import Typed


def in_its_digits(found: Typed, cells: Sequence[str], foreign: Mapping[str, str]) -> Typed:
    """Return a column that was read in ASCII as one of its own digits, with what of them is lost.

    Args:
        foreign: the cells in digits of other scripts, and as what they were read.
    """
    assert found.notation is not None
    counts = Counter(cells)
    notation = script_of(found.notation, counts)
    changed = {
        cell: notation.spelled(plain)
        for cell in counts
        if any(map(str.isdecimal, cell))
        and notation.spelled(plain := foreign.get(cell, cell).strip()) != cell.strip()
    }
    said, lost = f"{notation.said.rpartition('; ')[2]}{AGAIN}", found.lost
    if changed:
        kind = {"number": "numbers", "magnitude": "numbers", "clock": "times"}.get(
            found.notation.kind, "dates"
        )
        said, lost = as_most_are(said), (*lost, lost_spelling(changed, counts, kind))
    return replace(found, notation=notation, said=(*found.said, said), lost=lost)
