"""A file of many short lines that are examples each, such as names, read as one running text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

FEWEST, LONGEST, FULL = 50, 40, 0.95


def short_lines_note(documents: Sequence[str]) -> str | None:
    """Return the question whether lines are examples, None where they do not look so: many of them,
    short, hardly any empty or alike.

    Example:
        >>> short_lines_note(["\\n".join(f"name{n}" for n in range(60))])[:14]
        '60 short lines'
        >>> short_lines_note(["one line"])
    """
    if len(documents) > 3:
        return None
    lines = [line.strip() for text in documents for line in text.splitlines()]
    full = [line for line in lines if line]
    if len(full) < FEWEST or len(full) < FULL * len(lines) or len(set(full)) < 0.5 * len(full):
        return None
    if float(np.quantile([len(line) for line in full], FULL)) > LONGEST:
        return None
    return (
        f"{len(full):,} short lines are read as one running text: where each of them is an example, such as a name, "
        "`-s data.documents=lines` makes them so"
    )
