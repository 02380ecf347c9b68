"""What stands for a missing value.

Two ideas: a few words are missing wherever they stand; many more are so only among numbers or
dates, where a word or a dash can be nothing else (`None` is a kind of garage, but no price).
"""

from __future__ import annotations

import re

MISSING = ("", "?", "NA", "N/A", "nan", "NaN", "null", "NULL")
_COUNTS = re.compile("[1-9]")
# compared without regard to case and without spaces, points, brackets and signs around and within
_WORDS = """
na nan nat null nil none missing void empty blank unknown unavailable notavailable notapplicable notrecorded nodata novalue
nr nd ns tbd tba div0 value ref name num error fehlend keine
"""
_AMONG_NUMBERS = frozenset(_WORDS.split())


def is_missing_among_numbers(cell: str) -> bool:
    """Return whether a cell in a column of numbers or dates says that there is none: known words,
    or no letter and digit at all.

    Example:
        >>> [is_missing_among_numbers(cell) for cell in ("-", "#N/A", "None", "n.d.", "0000-00-00", "12", "oops")]
        [True, True, True, True, True, False, False]
    """
    if _COUNTS.search(cell):
        return False
    bare = "".join(c for c in cell.casefold() if c.isalnum())
    if not bare or bare in _AMONG_NUMBERS:
        return True
    # dates of databases that hold none
    return (
        len(cell.strip()) > 7
        and set(cell.strip()) <= set("0-/: T")
        and "0" in cell
        and not cell.strip().isdigit()
    )
