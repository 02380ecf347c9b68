"""Samples that another program made: read like the data that they should look like, with a count of
what such data cannot hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pushforward.app.measuring.cases import FEWEST
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples
from pushforward.core.in_memory import InMemory
from pushforward.data.dataset import Dataset
from pushforward.data.in_memory import opening


def read_foreign(
    samples: Path | InMemory, dataset: Dataset, skip_bad: bool = False, labels: bool | None = None
) -> tuple[Examples, dict[int, str]]:
    """Return samples as examples of a dataset's space, and for tables which rows are none of these
    data and why.

    Args:
        samples: a file or folder.
        dataset: the data that they should look like.
        skip_bad: leave unreadable files out.
        labels: whether labels are read; None reads those that there are.

    Raises:
        BadInput: samples of another space.
    """
    space = dataset.space
    encoding = dataset.encoding
    if isinstance(opening(samples), Dataset):
        raise BadInput(
            f"a data set as samples ({samples})",
            "the rows, texts or arrays themselves",
            "such as `model.sample(200)`",
        )
    found, odd = encoding.read_foreign(opening(samples, encoding.reads_rows), labels, skip_bad)
    if found.x.shape[1:] != space.event_shape:  # a text shorter than a window
        raise BadInput(
            f"{samples} holds {found.x.shape[1]} tokens",
            f"{FEWEST} windows of {space.dimensions} or more",
            "bring more text, or choose shorter windows with `-s data.length=...`",
        )
    return found, odd


def title_of(samples: Path | InMemory) -> str:
    """Return what samples are called as a model: their file's name without its ending."""
    return samples.stem or str(samples) if isinstance(samples, Path) else str(samples)


def impossible(odd: Mapping[int, str], fit: int, samples: Path | InMemory) -> tuple[str, ...]:
    """Return a sentence about rows that cannot be rows of the data, none if all can.

    Args:
        odd: their places and reasons.
        fit: how many rows can.
        samples: where they are.

    Example:
        >>> impossible({3: "infinity in column 'x', line 5"}, 99, Path("s.csv"))[0][:51]
        '1 of 100 rows of s.csv (1.00%) cannot be rows of th'
    """
    if not odd:
        return ()
    n = len(odd) + fit
    reasons = "; ".join([odd[row] for row in sorted(odd)][:3]) + ("; ..." if len(odd) > 3 else "")
    share = f"{len(odd):,} of {n:,} rows of {samples} ({len(odd) / n:.2%})"
    why = "cannot be rows of these data, so every one of them gives its maker away"
    return (f"{share} {why}; the scores are those of the others ({reasons})",)
