"""Examples as measures want them: arrays in data units, a fair draw of places, labels, and a few to
show.

One idea: whatever is measured sees the same examples, chosen by a seed and by nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

import numpy as np
import torch

from pushforward.app.measuring.cases import one_of_each
from pushforward.app.measuring.measured_kind import measured_as
from pushforward.app.runs.admitting import admitted
from pushforward.core.given import Examples, Given, label_of
from pushforward.core.model import GenerativeModel
from pushforward.core.rng import derive_seed
from pushforward.core.space import Space
from pushforward.core.walk import spending
from pushforward.data.dataset import Dataset
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.distances import nearest


def array(examples: Examples | torch.Tensor, space: Space) -> np.ndarray:
    """Return examples as an array in data units, in which missing values of a table are marked by
    numbers."""
    x = (examples.x if isinstance(examples, Examples) else examples).numpy()
    return measured_as(space).array(x, space)


def training_array(dataset: Dataset) -> np.ndarray:
    """Return the training examples; of overlapping windows of text only those that do not
    overlap."""
    return array(training_examples(dataset), dataset.space)


def training_examples(dataset: Dataset) -> Examples:
    """Return what `training_array` holds, with conditions and cases."""
    return measured_as(dataset.space).training(dataset)


def labels_of(examples: Examples, dataset: Dataset) -> np.ndarray | None:
    """Return the class of each example, None where the data have no classes."""
    label = label_of(examples.given) if dataset.classes else None
    return None if label is None else label.numpy()


def drawn_places(total: int, n: int, seed: int, cases: torch.Tensor | None = None) -> np.ndarray:
    """Return n of the places 0 to total - 1, drawn without replacement and in order: data often lie
    sorted.

    Args:
        cases: of the examples, for `one_of_each`.

    Example:
        >>> drawn_places(3, 3, seed=5).tolist()
        [0, 1, 2]
    """
    rng = np.random.default_rng(derive_seed(seed, "reference"))
    return np.sort(one_of_each(rng.permutation(total), cases)[:n])


def for_model(model: GenerativeModel, examples: Examples) -> Examples:
    """Return examples with labels for a model that is conditioned on them, without for others."""
    return examples if model.classes else examples.without_labels()


def held_out(model: GenerativeModel, dataset: Dataset) -> Examples:
    """Return the test split, with labels for a model that is conditioned on them."""
    return for_model(model, dataset.part("test"))


def shown(
    samples: np.ndarray, dataset: Dataset, given: Given | None = None, most: int = 6
) -> tuple[tuple[str, ...], ...]:
    """Return a few samples of text or tables as rows of cells, nothing of images and points; texts
    after what they are about."""
    return measured_as(dataset.space).cells(samples[:most], dataset, given)


class DataSummary(TypedDict, total=False):
    """What a record holds of texts or of a table's rows."""

    shown: tuple[tuple[str, ...], ...]
    shares: np.ndarray
    links: np.ndarray


def summarised(
    samples: np.ndarray, dataset: Dataset, reference: np.ndarray, given: Given | None = None
) -> DataSummary:
    """Return what a page shows of texts and tables: a few examples, and of a table shares of values
    and links between columns.

    Args:
        samples: whose they are, in data units.
        dataset: what they are like.
        reference: the rows by which columns are cut, for tables.
        given: what each sample is about.
    """
    more: Any = measured_as(dataset.space).summary(samples, dataset.space, reference)
    return DataSummary(shown=shown(samples, dataset, given), **more)


def draw_like_reference(
    model: GenerativeModel,
    dataset: Dataset,
    places: torch.Tensor,
    seed: int,
    options: Mapping[str, Any],
    on_step: Callable[[int, int], None] | None = None,
) -> tuple[np.ndarray, Given | None, float, float]:
    """Draw a sample for each of some test examples, given what it is given; returns them, that,
    seconds, and calls a sample."""
    test = held_out(model, dataset)
    given, n = None if test.given is None else test.given[places], len(places)
    first = None if given is None else given[:2]
    model.sample(2, given=first, seed=seed, **options)  # the first call pays for lazy set-up
    started = time.perf_counter()
    with spending() as spent:
        x, _ = admitted(model, n, given, seed, dataset.encoding.seeded(seed), options, on_step)
    seconds = time.perf_counter() - started
    return array(x, dataset.space), given, seconds, spent.per_example


def nearest_training(
    samples: np.ndarray, train: np.ndarray, most: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples that lie closest to a training example, and those examples."""
    index, best = nearest(as_rows(samples), as_rows(train))
    order = np.argsort(best, kind="stable")[:most]
    return samples[order], train[index[order]]
