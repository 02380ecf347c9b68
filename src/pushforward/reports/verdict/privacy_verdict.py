"""What the samples give away about the training data, in words.

Two ideas: copying and leaking are checks, judged against what data that the model never saw would
give; an attack that does no better than guessing, and a check that a copycat passes, say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import stats

from pushforward.core.measure import PRIVACY
from pushforward.core.score import Score
from pushforward.evaluation.intervals import normal_quantile
from pushforward.reports.numbers import listed, number
from pushforward.reports.records import Row

LEVEL = 0.01  # of all checks of a model together: an honest one is accused once in a hundred pages
USELESS = "no better than guessing"


def privacy_checks(row: Row) -> list[tuple[Score, float]]:
    """Return a table's privacy checks that can convict, each with its one-sided p-value that
    training rows are more exposed.

    What an attack that does no better than guessing says is left out, as is a check without an
    interval.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> linkability = Measure("linkability", aspect=PRIVACY, role="check")
        >>> score = Score(linkability, 0.2, n=500, low=0.1, high=0.3, null=0.0)
        >>> [round(p, 5) for _, p in privacy_checks(Row("vae", scores=(score,)))]
        [4e-05]
    """
    found = []
    for s in row.scores:
        if s.measure.aspect != PRIVACY or s.null is None or s.low is None or s.high is None:
            continue
        if not math.isfinite(s.value) or any(USELESS in text for text in s.warnings):
            continue
        error = math.hypot((s.high - s.low) / (2 * normal_quantile()), s.null_stderr or 0.0)
        gap = (s.value - s.null) * (1.0 if s.better == "lower" else -1.0)
        found.append(
            (s, float(stats.norm.sf(gap / error)) if error > 0 else 0.0 if gap > 0 else 1.0)
        )
    return found


def leaks(row: Row) -> list[Score]:
    """Return the checks that convict at a level that they share (Holm)."""
    checks, found = sorted(privacy_checks(row), key=lambda pair: pair[1]), []
    for rank, (score, p) in enumerate(checks):
        if not p < LEVEL / (len(checks) - rank):
            break
        found.append(score)
    return found


def privacy_in_short(models: Sequence[Row]) -> str:
    """Return whether training rows leak, in a sentence; empty where no model is a table's."""
    checked = [row for row in models if any(s.measure.aspect == PRIVACY for s in row.scores)]
    if not checked:
        return ""
    leaky = [row.name for row in checked if leaks(row)]
    if leaky:
        return (
            "Do not share its rows: training rows leak."
            if len(models) == 1
            else f"Training rows leak: {listed(leaky)}."
        )
    if not any(privacy_checks(row) for row in checked):
        return "Privacy: not known."
    return "No privacy check finds a leak."


def privacy_sentences(rows: Sequence[Row], models: Sequence[Row]) -> list[str]:
    """Return which checks convict which model, what the others found, and whether the copycat shows
    that they work."""
    found = []
    for row in models:
        every = [s for s in row.scores if s.measure.aspect == PRIVACY]
        if not every:
            continue
        checks, leaking = privacy_checks(row), leaks(row)
        if leaking:
            parts = [
                f"{s.title.lower()} ({number(s.value)}; fair: {number(s.null)})" for s in leaking
            ]
            text = f"{row.name} exposes its training rows: {listed(parts)}. Do not share its samples as anonymous"
        else:
            text = f"{row.name}: none of {len(checks)} checks finds training rows more exposed than rows it never saw"
        silent = len(every) - len(checks)
        found.append(
            text
            + (
                f"; {silent} more {'says' if silent == 1 else 'say'} nothing here."
                if silent
                else "."
            )
        )
    return found + (_proved(rows) if found else [])


def memorisation_sentences(rows: Sequence[Row], models: Sequence[Row]) -> list[str]:
    """Return who copies, who shows no sign of it, and whether the copycat shows that the check
    works."""
    found = []
    tripped = [row.name for row in models if row.memorised]
    passed = [row.name for row in models if row.memorised is False]
    if tripped:
        found.append(
            f"{listed(tripped)} may be copying training examples: look at the nearest neighbours below."
        )
    if passed:
        found.append(f"No sign of copying in {listed(passed)}.")
    unsure = [row for row in models if row.memorised is None and row.memorisation]
    found += [f"{row.name}: copying is {row.memorisation}." for row in unsure]
    if not tripped and not passed and not unsure:
        return ["The memorisation check was not run."]
    checked = [row for row in rows if row.role == "copycat" and row.memorised is not None]
    missed = [row.name for row in checked if not row.memorised]
    if not checked:
        found.append(
            "No copycat control was run, so a pass is not backed by a check that is known to work here."
        )
    elif missed:
        found.append(
            f"The copycat control ({listed(missed)}) did NOT trip the check, so it cannot be trusted here."
        )
    else:
        found.append(
            "The copycat control, which replays training data, tripped the check, so the check works here."
        )
    return found


def _proved(rows: Sequence[Row]) -> list[str]:
    copies = [row for row in rows if row.role == "copycat" and privacy_checks(row)]
    if not copies:
        return ["No copycat control was run, so it is not known what these checks would see here."]
    caught = {s.name for row in copies for s in leaks(row)}
    every = {s.name: s for row in copies for s, _ in privacy_checks(row)}
    if caught == every.keys():
        return [f"Replayed training rows trip all {len(every)} checks, so they work here."]
    missed = sorted(s.title.lower() for name, s in every.items() if name not in caught)
    return [
        f"Replayed training rows trip {len(caught)} of {len(every)} checks; not {listed(missed)}."
    ]
