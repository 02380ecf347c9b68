"""Which examples of some data a run may be judged on.

Two ideas: a run knows its own data by their content, whatever the file is called, and of those only
the part that it was not trained on says how good it is; of any other data the rows that it was
trained on are counted, and the count is said.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pushforward.app.measuring.measured_kind import measured_as
from pushforward.app.runs.opening import (
    SPLITS,
    comes_split,
    encoding_of,
    is_builtin,
    is_same,
    open_as,
    reopen,
)
from pushforward.core.errors import BadInput, nearest
from pushforward.core.given import Examples, Given, label_of
from pushforward.data.dataset import Dataset
from pushforward.data.encoding import Encoding
from pushforward.data.in_memory import opening
from pushforward.data.text.description import joined_streams
from pushforward.data.text.encoding import TextEncoding
from pushforward.provenance.run_directory import RunRecord

ALL = "all"


@dataclass(frozen=True)
class Selection:
    """What of a source is meant.

    Attributes:
        name: `train`, `validation` or `test` of data that are split, `all` of anything else.
        dataset: the data where they are split, None where a source is taken whole.
        own: whether they are what the run was trained on.
        notes: what the choice means for the number, a sentence each.
    """

    name: str
    dataset: Dataset | None
    own: bool = False
    notes: tuple[str, ...] = ()

    @property
    def examples(self) -> Examples:
        """The examples of one split."""
        assert self.dataset is not None
        assert self.name in SPLITS
        return split_of(self.dataset, self.name)


def split_of(dataset: Dataset, name: str) -> Examples:
    """Return one split of a dataset by its name."""
    return dataset.part(name)


def part_of(record: RunRecord, source: Any, split: str | None = None) -> Selection:
    """Choose what of a source is scored: the test rows of the run's own data and of built-in data,
    all of anything else.

    Raises:
        BadInput: an unknown split, or a split of what the run was not trained on.
    """
    if split is not None and split not in (*SPLITS, ALL):
        raise BadInput(
            f"the split '{split}'", ", ".join((*SPLITS, ALL)), nearest(split, (*SPLITS, ALL))
        )
    own = own_data(record, source)
    if own is not None:
        return Selection(
            split or "test", own, True, _said(source, split or "test", own, named=split is not None)
        )
    if comes_split(source):
        found = open_as(record, source)
        if found.space != record.space:
            raise BadInput(
                f"'{source}' is {found.space}", f"the run's {record.space}", "score its own data"
            )
        return Selection(split or "test", found)
    if split in SPLITS:
        raise BadInput(
            f"the {split} split of {source}",
            "a split of built-in data, or of what the run was trained on",
            "leave it out: all of it is scored",
        )
    return Selection(ALL, None)


def own_data(record: RunRecord, source: Any) -> Dataset | None:
    """Return the data that a run was trained on if that is what a source holds, whatever it is
    called; else None."""
    try:
        found = open_as(record, source)
    except BadInput:  # a single example, say, which can be scored and not split
        return None
    return found if is_same(found, record.manifest["data"]["fingerprint"]) else None


def _said(source: Any, name: str, own: Dataset, *, named: bool) -> tuple[str, ...]:
    sizes = f"{len(own.train):,} training, {len(own.validation):,} validation and {len(own.test):,} test examples"
    if name == ALL:
        return (
            f"{source} is what this run was trained on: all of it mixes {sizes}, so this is no held-out score",
        )
    if name == "train":
        return ("the run was trained on these examples, so this is no held-out score",)
    if name == "validation":
        return ("these examples chose among the weights of the run; the test examples did not",)
    if is_builtin(source) or named:
        return ()
    return (
        f"{source} is what this run was trained on ({sizes}): its test examples are scored, which training never saw; "
        "`--split all` scores all of it",
    )


def examples_of(
    record: RunRecord, source: Any, part: Selection, *, labelled: bool
) -> tuple[Examples, tuple[str, ...]]:
    """Return the examples of a part, and what has to be said of them.

    Args:
        record: of the run.
        source: where they come from.
        part: from `part_of`.
        labelled: whether the run is conditioned on labels.

    Raises:
        BadInput: data of another space, or without the labels that the run knows.
    """
    if part.dataset is not None and (part.name != ALL or comes_split(source)):
        data, classes = part.dataset, tuple(record.manifest["classes"])
        if data.space != record.space or (labelled and data.classes != classes):
            came, expected = (
                f"'{source}' is {data.space}",
                f"the run's {record.space} with the same classes",
            )
            raise BadInput(came, expected, "score its own data")
        found = part.examples if part.name != ALL else _joined(data)
        return (found if labelled else found.without_labels()), said_of(record, found, source, part)
    found = whole(record, source, labelled=labelled)
    return found, said_of(record, found, source, part)


def said_of(record: RunRecord, examples: Examples, source: Any, part: Selection) -> tuple[str, ...]:
    """Return what has to be said of the examples of a part."""
    return part.notes if part.own else trained_on(record, examples, str(source))


def stream_of(
    record: RunRecord, encoding: TextEncoding, source: Any, part: Selection
) -> tuple[Tensor, tuple[str, ...]]:
    """Return the tokens of a part of a text, and what has to be said of them."""
    if part.dataset is None:
        read = named(source, encoding)
        found = encoding.windows(read).examples
        return encoding.stream(read), trained_on(record, found, str(source))
    streams = part.dataset.streams
    if part.name == ALL:
        return joined_streams(streams, encoding.tokeniser.boundary), part.notes
    return streams[SPLITS.index(part.name)], said_of(record, part.examples, source, part)


def whole(record: RunRecord, source: Any, *, labelled: bool) -> Examples:
    """Return everything in a source, in its order."""
    encoding = encoding_of(record)
    return encoding.read(named(source, encoding), labelled)


def named(source: Any, encoding: Encoding) -> Any:
    """Return a source as a dictionary reads it: a path, words, or what a program holds."""
    if isinstance(source, str) and Path(source).exists():
        return Path(source)
    return opening(source, encoding.reads_rows)


def _joined(data: Dataset) -> Examples:
    """Return all splits of built-in data, which have labels or nothing beside their examples."""
    parts = (data.train, data.validation, data.test)
    labels = [label for part in parts if (label := label_of(part.given)) is not None]
    given = Given(torch.cat(labels)) if len(labels) == len(parts) else None
    return Examples(torch.cat([part.x for part in parts]), given)


def trained_on(
    record: RunRecord, asked: Examples, name: str, own: Dataset | None = None
) -> tuple[str, ...]:
    """Say how many of some examples a run was trained on, as a sentence; nothing if it was on none
    of them.

    Rows are the same if all of their values are. Where the run's own test rows repeat training rows
    too, as values of few kinds do by chance, their share is said beside it.

    Args:
        own: what the run was trained on; None: opened where it was.
    """
    try:
        own = own or reopen(record)
    except BadInput:
        return (
            f"whether this run was trained on rows of {name} is not known: its data cannot be opened any more",
        )
    train = own.train.x
    seen = int(occurs(asked.x, train).sum())
    if seen == 0:
        return ()
    usual = int(occurs(own.test.x, train).sum())
    beside = f"; of its own test rows, {usual:,} of {len(own.test):,} do" if usual else ""
    what = measured_as(record.space).examples
    return (
        f"{seen:,} of {len(asked):,} {what} of {name} occur among the {len(train):,} that this run was trained on{beside}: "
        "on those it is not judged on unseen data",
    )


def occurs(asked: Tensor, among: Tensor) -> np.ndarray:
    """Return which rows of `asked` occur among other rows, all values being equal; shape (n,).

    Example:
        >>> occurs(torch.tensor([[1.0], [2.0]]), torch.tensor([[2.0], [3.0]])).tolist()
        [False, True]
    """
    if asked.shape[1:] != among.shape[1:]:
        return np.zeros(len(asked), dtype=bool)
    wanted = _marks(asked, among.dtype)
    left = set(wanted)
    found = set()
    for start in range(0, len(among), 10_000):
        found |= left.intersection(_marks(among[start : start + 10_000], among.dtype))
    return np.array([mark in found for mark in wanted], dtype=bool)


def places_of(asked: Tensor, among: Tensor) -> Tensor:
    """Return places among rows at which others stand, each as often as it is asked for; one that is
    not there has none.

    Example:
        >>> places_of(torch.tensor([[3.0], [1.0]]), torch.tensor([[1.0], [2.0], [3.0], [3.0]])).tolist()
        [0, 2]
    """
    left = Counter(_marks(asked, among.dtype))
    found = []
    for place, mark in enumerate(_marks(among, among.dtype)):
        if left[mark] > 0:
            left[mark] -= 1
            found.append(place)
    return torch.tensor(found, dtype=torch.long)


def _marks(x: Tensor, dtype: torch.dtype) -> list[bytes]:
    """Return a hash of every row; zero has no sign, and a missing value is one value."""
    rows = x.to(dtype).reshape(len(x), -1)
    if rows.is_floating_point():
        rows = torch.where(torch.isnan(rows), torch.nan, rows + 0.0)
    array = np.ascontiguousarray(rows.numpy())
    return [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in array]
