"""What is said of the words for a missing value in a column, and how one is written again."""

from __future__ import annotations

from collections import Counter

from pushforward.data.folders import few

_SHOWN = 5


def usual(gaps: set[str], counts: Counter[str]) -> str:
    """Return the commonest of the words for a missing value, empty if there is none."""
    return max(gaps, key=lambda cell: (counts[cell], cell)).strip() if gaps else ""


def gaps_lost(gaps: set[str], counts: Counter[str]) -> tuple[str, ...]:
    """Return that several words for a missing value come back as one of them."""
    shown = sorted({cell.strip() for cell in gaps})
    if len(shown) < 2:
        return ()
    return (
        f"which word says that a value is missing ({few([repr(one) for one in shown])}): written as {usual(gaps, counts)!r}",
    )


def gap_words(gaps: set[str]) -> list[str]:
    """Return which words count as missing."""
    shown = sorted({cell.strip() for cell in gaps} - {""})
    more = ", ..." if len(shown) > 2 * _SHOWN else ""
    verb = "counts" if len(shown) == 1 else "count"
    return [f"{', '.join(map(repr, shown[: 2 * _SHOWN]))}{more} {verb} as missing"] if shown else []
