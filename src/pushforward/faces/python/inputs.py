"""What people hand to a trained model, as examples and conditions of its space.

Two ideas: every verb takes what `load` takes; a condition may be said as Python says it (a class, a
list of classes, a mapping of columns, a list of prompts), and it means the same as its words on the
command line.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pushforward.core.class_names import class_of
from pushforward.core.conditions import Condition
from pushforward.core.errors import BadInput, a_type
from pushforward.core.given import Examples, Given, label_of
from pushforward.core.model import GenerativeModel
from pushforward.data.dataset import Dataset
from pushforward.data.encoding import Encoding, require_number
from pushforward.data.in_memory import held
from pushforward.data.in_terms import in_terms_of

# silent unless a program asks for it: `logging.basicConfig(level="INFO")`
_LOG = logging.getLogger("pushforward")

Said = Any  # what `listed` understands: whatever comes is looked at, and refused in a sentence


def examples_of(
    model: GenerativeModel,
    encoding: Encoding,
    source: Any,
) -> Examples | Tensor:
    """Return what a person hands to `log_prob` or `encode` as examples of the model's space.

    Args:
        source: `Examples` and tensors of the space as they are; a `Dataset` stands for its test
            split; else whatever `load` takes.

    Raises:
        BadInput: another space, unknown labels, or what cannot be read.
    """
    if isinstance(source, Dataset):
        if source.space != model.space:
            raise BadInput(
                f"'{source.name}' is {source.space}",
                f"the model's {model.space}",
                "bring data of that space",
            )
        return in_terms_of(source, encoding, model.classes).test
    if isinstance(source, Examples) or (isinstance(source, Tensor) and model.space.fits(source)):
        return source
    found = _called(held(source, as_rows=encoding.reads_rows).source, model.classes)
    return encoding.read_held(found)


def listed(given: Any) -> Said:
    """Return a condition with whatever holds several, from a generator to a tensor of classes, as a
    list.

    Raises:
        BadInput: a set, which has no order, or bytes.
    """
    if isinstance(given, np.generic) or (
        isinstance(given, Tensor | np.ndarray) and given.ndim == 0
    ):
        return given.item()
    if given is None or isinstance(
        given, Given | str | bool | int | float | Mapping | pd.DataFrame
    ):
        return given
    if isinstance(given, Tensor | np.ndarray):
        return given.tolist()
    if isinstance(given, bytes | set | frozenset) or not hasattr(given, "__iter__"):
        raise BadInput(
            f"{a_type(given)} as a condition",
            "a class, a mapping of columns, a prompt, or a list of them",
        )
    return list(given)


def condition_of(
    model: GenerativeModel,
    encoding: Encoding,
    given: Said,
    n: int | None,
    classes: tuple[str, ...] | None = None,
) -> Condition:
    """Return a condition as the model takes it, from what Python calls one.

    Args:
        given: a class or n of them, each by its name or a number; for tables a mapping of columns
            to values and `(low, high)` ranges, or n rows of them (a DataFrame, records); for text n
            prompts. A ready `Given` or words are handed on.
        n: how many examples, None = as many as there are conditions.
        classes: names of the classes, None = those of the model.

    Raises:
        BadInput: what the model's classes or columns do not know, or another number of conditions.
    """
    given, classes = listed(given), model.classes if classes is None else classes
    if given is None or isinstance(given, Given | Tensor | str | int | float):
        return given
    if (found := encoding.conditions(given, n)) is not None:
        return found
    if isinstance(given, Mapping) and set(given) == {"label"}:
        return condition_of(model, encoding, given["label"], n, classes)
    if isinstance(given, Mapping):
        raise BadInput(
            f"a condition on {', '.join(map(str, given))} for a model of {model.space.kind}",
            "a class, or a list of n classes" if classes else "none",
            "columns condition tables only",
        )
    several = list(given)
    require_number(len(several), n)
    return Given(torch.tensor([_label(one, classes) for one in several], dtype=torch.long))


def number_of(given: Said) -> int | None:
    """Return how many conditions there are, None for one that serves any number of examples."""
    return len(given) if isinstance(given, Given | pd.DataFrame | list) else None


def _label(one: Any, classes: tuple[str, ...]) -> int:
    if isinstance(one, np.generic) or (isinstance(one, Tensor) and one.ndim == 0):
        one = one.item()
    if not isinstance(one, str | int | float):
        raise BadInput(f"the class {one!r}", "the name or the number of a class")
    return class_of(one, classes)


def _called(source: Any, classes: tuple[str, ...]) -> Any:
    """Return examples with their labels, numbers turned into the names of the classes that they
    mean."""
    if not isinstance(source, tuple) or not classes:
        return source
    x, y = source
    found = np.asarray(y)
    if (
        found.dtype.kind not in "iuf"
        or found.size != len(found)
        or not bool((found == np.round(found)).all())
    ):
        return source
    names = {value: classes[class_of(value, classes)] for value in np.unique(found).tolist()}
    return x, np.array([names[value] for value in found.reshape(-1).tolist()])


def with_test(
    dataset: Dataset,
    model: GenerativeModel,
    encoding: Encoding,
    source: Any,
) -> Dataset:
    """Return a model's data with held-out examples that a person brought in the place of the test
    split.

    Raises:
        BadInput: examples without labels for a model with classes, or what `examples_of` refuses.
    """
    found = examples_of(model, encoding, source)
    brought = found if isinstance(found, Examples) else Examples(found)
    if label_of(brought.given) is not None:
        return replace(dataset, test=brought)
    if model.classes:
        came = (
            f"{len(brought)} examples without labels for a model with {len(model.classes)} classes"
        )
        raise BadInput(came, "examples with their labels", "pass (x, y)")
    train, validation = dataset.train.without_labels(), dataset.validation.without_labels()
    return replace(dataset, train=train, validation=validation, test=brought, classes=())


def words_of(model: GenerativeModel, facts: Mapping[str, Any], data: str, path: Any) -> str:
    """Return what a trained model is, in one line."""
    parameters = sum(p.numel() for p in model.parameters())
    parts = [f"{model.family} model of {data or model.space.kind}", f"{parameters:,} parameters"]
    if facts.get("steps"):
        parts.append(f"{facts['steps']:,} steps in {facts.get('seconds', 0.0):.3g} s")
    if model.classes:
        parts.append(f"{len(model.classes)} classes")
    return "<" + ", ".join(parts) + (f"; in {path}>" if path is not None else ">")


def log_notes(dataset: Dataset) -> None:
    """Tell a program that asks for it what was decided about its data."""
    for note in dataset.notes:
        _LOG.info("data: %s", note)
    for sentence in dataset.lost:
        _LOG.info("lost: %s", sentence)
