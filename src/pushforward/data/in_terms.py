"""A data set of a program, in terms of the dictionary that a model was trained with.

One idea: the numbers of a data set mean something beside its own dictionary only; another order of
columns, other categories or other tokens are other numbers, which no shape tells apart.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given, label_of
from pushforward.data.dataset import Dataset
from pushforward.data.encoding import Encoding
from pushforward.data.folders import few
from pushforward.data.open import open_data

THEMSELVES = "pass the file, the rows or the texts themselves: they are read as the model's own"


def in_terms_of(dataset: Dataset, encoding: Encoding, classes: tuple[str, ...] = ()) -> Dataset:
    """Return a data set as a dictionary has its examples, and as some classes number its labels.

    One with another dictionary is read again from its file, if it came from one.

    Args:
        classes: of the model, none if it knows none.

    Raises:
        BadInput: another dictionary and no file, what the dictionary does not know, or other
            classes.

    Example:
        >>> toy = open_data("two-moons")
        >>> in_terms_of(toy, toy.encoding) is toy
        True
    """
    if _written(dataset.encoding) != _written(encoding):
        if not dataset.source or not Path(dataset.source).exists():
            raise BadInput(
                f"'{dataset.name}' with a dictionary of its own", "the model's", THEMSELVES
            )
        dataset = open_data(
            dataset.source, encoding=encoding, context=encoding.array, kind=encoding.asked
        )
    if not classes or not dataset.classes or dataset.classes == classes:
        return dataset
    strangers = [name for name in dataset.classes if name not in classes]
    if strangers:
        raise BadInput(
            f"'{dataset.name}' with the classes {few(dataset.classes)}",
            f"the model's: {few(classes)}",
            f"it does not know {few(strangers)}",
        )
    numbers = torch.tensor([classes.index(name) for name in dataset.classes])
    parts = {
        part: _renumbered(getattr(dataset, part), numbers)
        for part in ("train", "validation", "test")
    }
    return replace(dataset, classes=classes, **parts)


def _renumbered(examples: Examples, numbers: Tensor) -> Examples:
    label = label_of(examples.given)
    if label is None or examples.given is None:
        return examples
    given: Given = replace(examples.given, label=numbers[label])
    return replace(examples, given=given)


def _written(encoding: Encoding) -> Any:
    return json.loads(json.dumps(encoding.meaning(), default=str))
