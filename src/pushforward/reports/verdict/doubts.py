"""What to doubt: a few short sentences beside the first pictures.

One idea: what was lost of the user's data comes first, then what makes a number mean less than it
seems.
"""

from __future__ import annotations

from collections.abc import Sequence

from pushforward.reports.numbers import listed, number
from pushforward.reports.records import Comparison, Row
from pushforward.reports.verdict.privacy_verdict import leaks
from pushforward.reports.verdict.standing import blind
from pushforward.reports.verdict.told_apart import told_apart

MOST, MOST_LOST, FEW = 6, 3, 200


def doubts(comparison: Comparison) -> tuple[str, ...]:
    """Return at most six sentences, what matters most first.

    Example:
        >>> from pushforward.reports.records import Data
        >>> data = Data("t", "table", "rows", "nats/row", {"test": 100}, lost=("column 'id' is an identifier and was left out",))
        >>> doubts(Comparison("A run", data, "", "cpu", 0, "today", (Row("vae", family="vae"),)))[0]
        "Column 'id' is an identifier and was left out."
    """
    models, lost = comparison.models, comparison.data.lost
    found = [_sentence(text) for text in lost[:MOST_LOST]]
    if len(lost) > MOST_LOST:
        found.append(
            f"{len(lost) - MOST_LOST} more things of your data did not reach the models; all are listed below."
        )
    found += _danger(models)
    found += [comparison.data.crowded] if comparison.data.crowded else []
    found += _size(comparison)
    found += _unseeing(comparison)
    found += _kinds(models)
    if any(row.family for row in models) and all(len(row.repeats) < 2 for row in models):
        found.append(
            "Trained once: another seed may rank otherwise."
            if len(models) > 1
            else "Trained once, by one seed."
        )
    if comparison.budget.startswith("different budgets"):
        found.append("The models had different budgets.")
    return tuple(found[: MOST + min(len(lost), MOST_LOST)])


def _danger(models: Sequence[Row]) -> list[str]:
    copying = [row.name for row in models if row.memorised]
    leaking = [row.name for row in models if leaks(row)]
    found = [f"{listed(copying)}: samples copy training data."] if copying else []
    return found + (
        [f"{listed(leaking)}: training rows leak; do not share the samples."] if leaking else []
    )


def _size(comparison: Comparison) -> list[str]:
    found = [told_apart(row, comparison.rows) for row in comparison.models]
    n = max((apart.n for apart in found), default=0)
    if 0 < n < FEW:
        return [f"Only {number(n, 0)} samples were compared: what differs a little is not seen."]
    if any(apart.told is False for apart in found):
        return [f"Not told apart means: not by these measures, at {number(n, 0)} samples."]
    return []


def _unseeing(comparison: Comparison) -> list[str]:
    rows = comparison.rows
    names = dict.fromkeys(
        s.title.lower()
        for row in comparison.models
        for s in row.scores
        if s.measure.role == "merit" and blind(rows, s)
    )
    if not names:
        return []
    what = listed(list(names)) if len(names) <= 3 else f"{len(names)} measures"
    return [f"Not counted: {what}. A deliberately bad model scores as well as real data there."]


def _kinds(models: Sequence[Row]) -> list[str]:
    kinds = {row.likelihood.kind for row in models if row.likelihood is not None}
    return ["Exact likelihoods and bounds are not ranked together."] if len(kinds) > 1 else []


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
