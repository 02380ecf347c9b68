"""Who plays which part when samples are compared: the reference, the training examples, the
controls drawn from them.

One idea: nobody meets himself; what a control drew is in no reference, and of one case only one
example is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pushforward.app.measuring.cases import FEWEST, cases_to_compare, count_of
from pushforward.app.measuring.examples import (
    array,
    drawn_places,
    labels_of,
    training_array,
    training_examples,
)
from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.data.dataset import Dataset
from pushforward.evaluation.cards.controls import REAL, Control
from pushforward.evaluation.cards.controls import controls as control_samples
from pushforward.evaluation.measuring.batch import Role


@dataclass(frozen=True)
class Setting:
    """Who plays which part: training examples, controls drawn from them, and the pool of which
    `places` are the reference."""

    train: np.ndarray
    drawn: dict[str, Control]
    pool: np.ndarray
    labels: np.ndarray | None
    given: Given | None
    places: np.ndarray
    of: torch.Tensor | None

    @property
    def cases(self) -> torch.Tensor | None:
        """The cases of the reference examples."""
        return None if self.of is None else self.of[torch.from_numpy(self.places)]

    def real_cases(self, dataset: Dataset) -> dict[Role, np.ndarray]:
        """Return what the real examples of each role belong to, of roles where that is known."""
        found: dict[Role, torch.Tensor | None] = {
            "reference": self.cases,
            "train": training_examples(dataset).cases,
            "heldout": dataset.test.cases,
        }
        return {role: cases.numpy() for role, cases in found.items() if cases is not None}

    @property
    def reference(self) -> np.ndarray:
        """The reference examples."""
        return self.pool[self.places]

    @property
    def seen(self) -> np.ndarray | None:
        """Their classes, if there are any."""
        return None if self.labels is None else self.labels[self.places]


def require_enough(dataset: Dataset, split: str = "test") -> None:
    """Refuse data of which too few are held out, or too few trained on, to tell a model from them.

    Raises:
        BadInput: too few examples, with what still works.
    """
    examples = training_examples(dataset) if split == "train" else dataset.part(split)
    own, cases = cases_to_compare(training_examples(dataset), examples)
    there, trained = count_of(len(examples), cases), count_of(len(dataset.train), own)
    if there >= FEWEST * (2 if split == "train" else 1) and trained >= 2 * FEWEST:
        return
    raise BadInput(
        f"{len(examples)} {split} and {len(dataset.train)} training examples",
        f"at least {FEWEST} {split} and {2 * FEWEST} training examples, since with fewer a difference is hardly told "
        "from chance",
        "bring more data; `sample` and `score` need no reference",
    )


def setting_of(dataset: Dataset, seed: int, most: int, split: str) -> Setting:
    """Return who plays which part where a split of a dataset is the reference.

    Args:
        most: most examples on a side.

    Raises:
        BadInput: too few examples.
    """
    train, space, of_train, examples = (
        training_array(dataset),
        dataset.space,
        split == "train",
        dataset.part(split),
    )
    whole = train if of_train else array(examples, space)
    own, cases = cases_to_compare(training_examples(dataset), examples)
    n = min(
        count_of(len(whole), cases) // (2 if of_train else 1), count_of(len(train), own) // 2, most
    )
    if n < FEWEST:
        require_enough(dataset, split)
        raise BadInput(f"at most {most} samples to compare", f"at least {FEWEST}", "raise -n")
    parts = None if own is None else own.numpy()
    drawn = control_samples(train, space, n, seed, labels_of(dataset.train, dataset), parts)
    real = drawn[REAL]
    # a control must not meet itself in the reference
    pool, labels = (
        (real.train, real.train_labels) if of_train else (whole, labels_of(examples, dataset))
    )
    given, cases, of = (None, None, None) if of_train else (examples.given, cases, examples.cases)
    return Setting(train, drawn, pool, labels, given, drawn_places(len(pool), n, seed, cases), of)
