"""Numbers as a person reads them.

Two ideas: a value shows the digits its interval supports and no more; a relation sign says what
kind of likelihood it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from pushforward.core.score import Score

MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"


def decimals(value: float | int, resolution: float | None = None) -> int:
    """Return how many decimals to show, 0 to 4.

    They reach the first digit of `resolution`, the second if the first is 1 or 2; without it, three
    digits of `value`.

    Example:
        >>> decimals(12.3456, 0.05), decimals(12.3456, 0.15), decimals(0.1234), decimals(250.0)
        (2, 2, 3, 0)
    """
    scale = resolution or abs(value)
    if not math.isfinite(scale) or scale == 0:
        return 2
    power = math.floor(math.log10(scale))
    digits = 3 if not resolution else (2 if scale / 10**power < 3 else 1)
    return min(4, max(0, digits - 1 - power))


def number(value: float | int | None, places: int | None = None) -> str:
    """Return a value with a true minus sign; `n/a` if it is missing.

    Example:
        >>> number(1234567.0), number(0.98765), number(None), number(2e-7)
        ('1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567', '0.988', 'n/a', '2.0e\N{MINUS SIGN}7')
    """
    if value is None or not math.isfinite(value):
        return "n/a"
    if places is None:
        if value != 0 and abs(value) < 1e-3:
            return f"{value:.1e}".replace("e-0", "e-").replace("-", MINUS)
        places = decimals(value)
    text = f"{value:,.{places}f}"
    if text.startswith("-") and not text.strip("-0.,"):
        text = text[1:]  # a value that rounds to zero has no sign
    return text.replace(",", THIN).replace("-", MINUS)


def value_text(score: Score) -> str:
    """Return the value with the digits its interval supports.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> value_text(Score(Measure("d"), 1.23456, n=9, low=1.1, high=1.4))
        '1.23'
    """
    return number(score.value, _places(score))


def interval_text(score: Score) -> str:
    """Return `low to high` with the digits of the value, empty if there is no interval."""
    if score.low is None or score.high is None or not math.isfinite(score.low + score.high):
        return ""
    places = _places(score)
    return f"{number(score.low, places)} to {number(score.high, places)}"


def relation(score: Score) -> str:
    """Return how the true number relates to the one shown: a lower bound of log p is an upper bound
    of code length.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> relation(Score(Measure("nll"), 1.0, n=9, kind="lower_bound"))
        '≤'
    """
    if score.kind == "exact":
        return ""
    if score.kind == "estimate":
        return "≈"
    below = (score.kind == "lower_bound") == (score.better == "lower")
    return "≤" if below else "≥"


def seconds(value: float | None) -> str:
    """Return a duration.

    Example:
        >>> seconds(0.0123), seconds(4.56), seconds(125.0), seconds(None)
        ('12 ms', '4.6 s', '2 min 5 s', 'n/a')
    """
    if value is None or not math.isfinite(value):
        return "n/a"
    if value < 1:
        return f"{number(value * 1000, 0 if value >= 0.01 else 1)} ms"
    if value < 119.5:
        return f"{number(value, 1 if value < 10 else 0)} s"
    whole = round(value)
    if whole < 7200:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def listed(names: list[str], last: str = "and") -> str:
    """Return names as a phrase.

    Example:
        >>> listed(["a", "b", "c"])
        'a, b and c'
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def named(parts: list[str], what: str, most: int = 4) -> str:
    """Return a short list as a phrase, a longer one as a count; the scorecard has it in full.

    Example:
        >>> named(["a", "b"], "measures"), named(["a"] * 5, "measures")
        ('a and b', '5 measures')
    """
    return listed(parts) if len(parts) <= most else f"{len(parts)} {what}"


def short_names(scores: Iterable[Score]) -> dict[str, str]:
    """Return for each score by its name the measure without what it was measured with, where that
    stays unique.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> recall, density = Measure("recall"), Measure("density")
        >>> short_names([Score(recall, 1, 9, view="pca"), Score(density, 1, 9, view="pca"), Score(density, 1, 9, view="raw")])
        {'recall [pca]': 'recall', 'density [pca]': 'density [pca]', 'density [raw]': 'density [raw]'}
    """
    heads = {score.name: score.short_name for score in scores}
    return {
        name: head if list(heads.values()).count(head) == 1 else name
        for name, head in heads.items()
    }


def _places(score: Score) -> int | None:
    if score.low is None or score.high is None:
        half = score.stderr
    else:
        half = (score.high - score.low) / 2
    if half is None or not math.isfinite(half) or half <= 0:
        return None
    if 0 < abs(score.value) < 1e-3 and half < 1e-3:
        return None
    return decimals(score.value, half)
