"""Examples that are parts of one case, such as windows of one document: measures want one of each.

One idea: windows of one document are alike, and tests that take them for independent see
differences where there are none; so as many are compared as there are documents, and where these
are too few, that is said. Copies of an example are one case, too: ten of them say no more than one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from pushforward.app.measuring.measured_kind import measured_as
from pushforward.core.given import Examples
from pushforward.core.logprob import LogProb
from pushforward.core.space import Space
from pushforward.data.repeats import groups_of

FEWEST = 40  # examples on a side of a comparison

Cases = torch.Tensor | None


def one_of_each(order: np.ndarray, cases: Cases) -> np.ndarray:
    """Return the first place of every case in an order of places; all places where each is a case
    by itself.

    Example:
        >>> one_of_each(np.array([3, 0, 2, 1]), torch.tensor([7, 7, 8, 8])).tolist()
        [3, 0]
    """
    if cases is None:
        return order
    _, first = np.unique(cases.numpy()[order], return_index=True)
    return order[np.sort(first)]


def count_of(total: int, cases: Cases) -> int:
    """Return how many places `one_of_each` leaves of so many.

    Example:
        >>> count_of(4, None), count_of(4, torch.tensor([7, 7, 8, 8]))
        (4, 2)
    """
    return total if cases is None else len(cases.unique())


def cases_to_compare(train: Examples, others: Examples) -> tuple[Cases, Cases]:
    """Return the cases of training examples and of others, None for both where one of each case
    would be too few to compare.

    Example:
        >>> few = Examples(torch.zeros(4, 2), cases=torch.tensor([7, 7, 8, 8]))
        >>> cases_to_compare(few, few)
        (None, None)
    """
    enough = (
        count_of(len(train), train.cases) >= 2 * FEWEST
        and count_of(len(others), others.cases) >= FEWEST
    )
    return (train.cases, others.cases) if enough else (None, None)


def crowd_of(cases: Cases) -> float:
    """Return how many of some examples share a case, 1 where each is one.

    Example:
        >>> crowd_of(torch.tensor([7, 7, 8, 8, 8, 8])), crowd_of(None)
        (3.0, 1.0)
    """
    return 1.0 if cases is None else len(cases) / len(cases.unique())


def crowded(train: Examples, others: Examples, split: str = "test") -> str:
    """Return what to doubt where examples are parts of a few cases, empty otherwise.

    Example:
        >>> crowded(Examples(torch.zeros(4, 2)), Examples(torch.zeros(4, 2)))
        ''
    """
    if others.cases is None or cases_to_compare(train, others)[1] is not None:
        return ""
    count = count_of(len(others), others.cases)
    return f"The {len(others):,} {split} windows are of {count} documents: others may differ by more than the intervals say."


def copies_of_one(lp: LogProb) -> bool:
    """Return whether all log-probabilities are of one example, which says nothing of how others
    scatter; windows of one document have sizes, and do."""
    return lp.cases is not None and lp.sizes is None and len(lp.cases.unique()) == 1


def copies_as_cases(examples: Examples, space: Space) -> tuple[Examples, tuple[str, ...]]:
    """Return examples of which equal ones are one case, unless their law repeats by itself, and what
    has to be said of them.

    A standard error that takes a hundred copies of an example for a hundred examples is a tenth of
    what it should be.

    Example:
        >>> from pushforward.core.space import Points
        >>> x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
        >>> copies_as_cases(Examples(torch.cat([x, x])), Points(2))[1]
        ('50 of 100 examples are copies of others: the standard error takes equal ones for one',)
    """
    x = examples.x.numpy()
    if examples.cases is not None or not len(x):
        return examples, ()
    groups = groups_of(x)
    count = int(groups.max()) + 1
    if count == len(x) or (count > 1 and measured_as(space).repeats(x, space)):
        return examples, ()
    rest = "takes equal ones for one" if count > 1 else "of one example is not known"
    return replace(examples, cases=torch.from_numpy(groups)), (
        f"{len(x) - count:,} of {len(x):,} examples are copies of others: the standard error {rest}",
    )
