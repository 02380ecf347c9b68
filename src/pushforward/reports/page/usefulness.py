"""What synthetic data are worth, as a table and a sentence.

One idea: the first number of a line is what the real examples alone reach, so that a gain is read
against it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pushforward.evaluation.usefulness.augmentation import Usefulness
from pushforward.reports.numbers import number


def to_markdown(
    title: str,
    unit: str,
    seeds: int,
    test: int,
    found: Sequence[Usefulness],
    *,
    trained: bool = True,
) -> str:
    """Return one line for each training set, and what is decided.

    Args:
        title: generator, data and target.
        unit: of the scores.
        seeds: draws of each set.
        test: real test examples.
        found: from `usefulness`.
        trained: whether every draw has a generator of its own, or the samples were there already.

    Example:
        >>> cell = Usefulness("real", 40, 0, 0.81, 0.78, 0.84)
        >>> print(to_markdown("vae", "share right", 3, 500, [cell]).splitlines()[4])
        | real | 40 | 0 | 0.810 (0.780 to 0.840) |  |  |
    """
    lines = [f"# Do samples help? {title}", ""]
    lines += [
        f"| trained on | real | synthetic | {unit} on {test} real test examples | gain over real alone | verdict |"
    ]
    lines += ["|---|---:|---:|---:|---:|---|"]
    for u in found:
        worth = f"{number(u.value, 3)} ({number(u.low, 3)} to {number(u.high, 3)})"
        gain = ""
        if not math.isnan(u.gain):
            gain = f"{number(u.gain, 3)} ({number(u.gain_low, 3)} to {number(u.gain_high, 3)})"
        lines.append(
            f"| {u.trained_on} | {u.real} | {u.synthetic} | {worth} | {gain} | {u.verdict} |"
        )
    lines += ["", sentence(found), "", *_taken(found)]
    own = (
        "each with its own real examples, generator and predictor; 95 % intervals cover seeds and test examples"
        if trained
        else "each with its own order of the samples and its own predictor; the samples are those of one generator, whose own luck "
        "the 95 % intervals leave out"
    )
    lines.append(
        f"Means over {seeds} seeds, {own}. Verdicts hold at 5 % for the whole table (Holm)."
    )
    return "\n".join(lines) + "\n"


def _taken(found: Sequence[Usefulness]) -> list[str]:
    """Say which sets are larger than what the predictor takes."""
    cut = [u for u in found if 0 < u.used < _held(u)]
    if not cut:
        return []
    sets = ", ".join(f"{u.trained_on} {_held(u):,}" for u in cut)
    return [
        f"The predictor takes at most {cut[0].used:,} examples, drawn at random: of larger sets ({sets}) the others were not used.",
        "",
    ]


def _held(u: Usefulness) -> int:
    return u.synthetic + (u.real if u.trained_on != "synthetic" else 0)


def sentence(found: Sequence[Usefulness]) -> str:
    """Return what the table decides about synthetic examples beside real ones.

    Example:
        >>> sentence([Usefulness("both", 40, 160, 0.8, 0.7, 0.9, 0.05, 0.01, 0.09, 0.01, "helps")])
        'Beside 40 real examples, 160 synthetic ones help by 0.050.'
    """
    if any(u.verdict == "leaked" for u in found):
        return "Whether these samples help is not known: they hold examples of the test set."
    decided = [u for u in found if u.trained_on == "both" and u.verdict in ("helps", "hurts")]
    if not decided:
        return "Whether synthetic examples help beside real ones is undecided: more seeds or more test examples would tell."
    parts = []
    for size in sorted({u.real for u in decided}):
        mine = [u for u in decided if u.real == size]
        best = max(mine, key=lambda u: abs(u.gain))
        verb = "help" if best.verdict == "helps" else "hurt"
        parts.append(
            f"beside {size} real examples, {best.synthetic} synthetic ones {verb} by {number(abs(best.gain), 3)}"
        )
    text = "; ".join(parts) + "."
    return text[0].upper() + text[1:]


def to_json(found: Sequence[Usefulness]) -> list[dict[str, Any]]:
    """Return the cells as JSON-ready records; what is not known is None."""
    return [
        {
            k: None if isinstance(v, float) and not math.isfinite(v) else v
            for k, v in asdict(u).items()
        }
        for u in found
    ]
