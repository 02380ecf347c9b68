"""What a measure is given and a page shows of each kind of data.

One idea: everything that measuring does differently for points, images, tables and texts is a
method here, of one object a kind.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch

from pushforward.core.given import Examples, Given
from pushforward.core.registry import Registry
from pushforward.core.space import Space
from pushforward.data.dataset import Dataset
from pushforward.data.repeats import repeats_naturally, rows_repeat
from pushforward.data.tables.marks import filled, missing_mark
from pushforward.reports.columns import bins_of, links_of, shares_of

MOST_PICTURES = 200  # on a page
Cells = tuple[tuple[str, ...], ...]


class MeasuredKind:
    """Examples of a kind on their way to measures and pages; a kind that says nothing is measured
    as it is and not shown.

    Attributes:
        fewest_samples: below which measures of such data say nothing.
        compressible: whether an example has a size when it is compressed, by which its code length
            is corrected.
        has_target: whether something of an example can be predicted from the rest.
        examples: what several are called where they are told apart by their values.
    """

    fewest_samples = 200
    compressible = False
    has_target = True
    examples = "rows"

    def array(self, x: np.ndarray, space: Any) -> np.ndarray:
        """Return examples in data units as measures want them."""
        return x

    def repeats(self, x: np.ndarray, space: Any) -> bool:
        """Return whether equal examples are different cases, and not copies of one."""
        return repeats_naturally(x, space.levels)

    def training(self, dataset: Dataset) -> Examples:
        """Return the training examples, none of which overlap."""
        return dataset.train

    def pictured(self, samples: np.ndarray) -> np.ndarray | None:
        """Return the samples that a page draws, None where it draws none."""
        return None

    def cells(self, samples: np.ndarray, dataset: Dataset, given: Given | None) -> Cells:
        """Return samples as rows of words, nothing where they are drawn."""
        return ()

    def summary(
        self, samples: np.ndarray, space: Any, reference: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return what else a page shows of samples; columns are cut by the reference's rows."""
        return {}

    def bins(self, real: np.ndarray, dataset: Dataset) -> tuple[Any, ...]:
        """Return how a page cuts each column."""
        return ()

    def header(self, dataset: Dataset) -> tuple[str, ...]:
        """Return the names of columns."""
        return ()


class MeasuredPoints(MeasuredKind):
    """Dots on a page."""

    def pictured(self, samples: np.ndarray) -> np.ndarray | None:
        """Return all of them."""
        return samples

    def header(self, dataset: Dataset) -> tuple[str, ...]:
        """Return the names of coordinates, if a table had some."""
        return tuple(dataset.encoding.names)


class MeasuredImages(MeasuredKind):
    """Pictures on a page."""

    compressible = True

    def pictured(self, samples: np.ndarray) -> np.ndarray | None:
        """Return the first of them."""
        return samples[:MOST_PICTURES]


class MeasuredTables(MeasuredKind):
    """Rows: a few on a page, and the shares of values and links between columns of all."""

    def array(self, x: np.ndarray, space: Any) -> np.ndarray:
        """Return rows in which missing values are marked by numbers."""
        return filled(x, space)

    def repeats(self, x: np.ndarray, space: Any) -> bool:
        """Return whether columns say so."""
        return rows_repeat(self.array(x, space))

    def cells(self, samples: np.ndarray, dataset: Dataset, given: Given | None) -> Cells:
        """Return rows as their file has them."""
        head = torch.from_numpy(samples.copy())
        space: Any = dataset.space
        for place, column in enumerate(space.columns):
            marks = head[:, place] == missing_mark(column)
            head[:, place] = torch.where(marks & column.missing, torch.nan, head[:, place])
        decoded = dataset.encoding.decode(head).to_numpy(object).tolist()
        return tuple(tuple("" if pd.isna(v) else str(v) for v in row) for row in decoded)

    def summary(
        self, samples: np.ndarray, space: Any, reference: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return shares of values and links between columns."""
        return {
            "shares": shares_of(samples, space, bins_of(reference, space)),
            "links": links_of(samples, space),
        }

    def bins(self, real: np.ndarray, dataset: Dataset) -> tuple[Any, ...]:
        """Return the bins of the real rows."""
        space: Any = dataset.space
        return bins_of(real, space, dataset.encoding.words)

    def header(self, dataset: Dataset) -> tuple[str, ...]:
        """Return the names of the file's columns."""
        return tuple(map(str, dataset.encoding.decode(dataset.test.x[:1]).columns))


class MeasuredTexts(MeasuredKind):
    """Texts: a few on a page, after what they are about."""

    fewest_samples = 500  # windows that measures of text want
    compressible = True
    has_target = False
    examples = "windows"

    def training(self, dataset: Dataset) -> Examples:
        """Return windows that do not overlap: those of documents that are about something never
        do."""
        return (
            dataset.train
            if dataset.context is not None
            else dataset.train[:: dataset.space.dimensions]
        )

    def cells(self, samples: np.ndarray, dataset: Dataset, given: Given | None) -> Cells:
        """Return texts, a cell each."""
        encoding = dataset.encoding.as_text("texts on a page")
        texts, spell = encoding.decode(torch.from_numpy(samples.copy())), encoding.detokenise
        if given is not None and given.context is not None:
            n = len(samples)
            about = zip(given.context.values[:n], given.context.length[:n].tolist(), strict=True)
            contexts = [spell(values[:length]) for values, length in about]
            texts = [f"[{context}] {text}" for context, text in zip(contexts, texts, strict=True)]
        return tuple((text,) for text in texts)


MEASURED_KINDS: Registry[MeasuredKind] = Registry(
    "measured kind", of="pushforward.app.measuring.measured_kind:MeasuredKind"
)
MEASURED_KINDS.add(MeasuredPoints(), "points")
MEASURED_KINDS.add(MeasuredImages(), "image")
MEASURED_KINDS.add(MeasuredTables(), "table")
MEASURED_KINDS.add(MeasuredTexts(), "text")


def measured_as(space: Space) -> MeasuredKind:
    """Return how examples of a space are measured and shown.

    Example:
        >>> from pushforward.core.space import Points
        >>> measured_as(Points(2)).fewest_samples
        200
    """
    return MEASURED_KINDS.load(space.kind)
