"""What a run's codes know about the labels, beside what the data show without a model.

One idea: an accuracy of a linear classifier on codes means something only beside the same
classifier on the raw examples and on features that no model learnt.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pushforward.app.measuring.examples import array, drawn_places, labels_of
from pushforward.app.measuring.parts import trained_on
from pushforward.app.runs.opening import is_same, reopen
from pushforward.app.runs.training import open_model
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples
from pushforward.core.in_memory import InMemory
from pushforward.core.model import GenerativeModel
from pushforward.data.dataset import Dataset
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.features.default import default_features
from pushforward.evaluation.features.named import Features
from pushforward.evaluation.usefulness.probe import Probed, probe

MOST = 2000


@dataclass(frozen=True)
class Codes:
    """What was found.

    Attributes:
        kind: of the codes, such as `posterior`.
        conditional: whether the run was given the label, so that its codes need not hold it.
        probes: the codes first, then what there is without a model.
        notes: what has to be said of the data, such as how many of the test examples the run was
            trained on.
    """

    kind: str
    conditional: bool
    probes: tuple[Probed, ...]
    notes: tuple[str, ...] = ()


def probe_run(run: Path, data: str | InMemory | None = None, n: int = MOST, seed: int = 0) -> Codes:
    """Fit linear classifiers to a run's codes of labelled examples.

    Args:
        run: its directory.
        data: labelled data of its space; the run's own by default.
        n: most examples to encode of train and of test.
        seed: seed of which examples, of posterior draws and of the classifiers.

    Raises:
        Unsupported: a family without codes.
        BadInput: data without labels.
    """
    model, record = open_model(run)
    dataset = reopen(record, data)
    if labels_of(dataset.train, dataset) is None:
        raise BadInput(
            f"{dataset.name} without labels",
            "labels of two classes or more",
            "name labelled data as DATA",
        )
    sides = [_some(examples, n, seed) for examples in (dataset.train, dataset.part("test"))]
    targets = [_required(labels_of(side, dataset)) for side in sides]
    kind = model.capabilities.encode.get(model.space.kind)
    codes = [_codes(model, side, seed) for side in sides]  # refuses where there are none
    raw = [as_rows(array(side, dataset.space)) for side in sides]
    views = {f"codes ({kind})": codes, "the examples themselves": raw}
    for features in _baselines(dataset, sides[0], seed):
        views[features.name] = [features(array(side, dataset.space)) for side in sides]
    found = probe(views, targets[0], targets[1], seed)
    own = is_same(dataset, record.manifest["data"]["fingerprint"])
    notes = () if own else trained_on(record, sides[1], f"the test split of {data}")
    return Codes(str(kind), bool(model.classes), tuple(found), notes)


def _some(examples: Examples, n: int, seed: int) -> Examples:
    return examples[torch.from_numpy(drawn_places(len(examples), min(n, len(examples)), seed))]


def _codes(model: GenerativeModel, examples: Examples, seed: int) -> np.ndarray:
    # a code of a conditional model leaves out what the label says; it is asked for all the same
    given = examples.given if model.classes else None
    return as_rows(model.encode(examples.x, given=given, seed=seed).value.double().cpu().numpy())


def _baselines(dataset: Dataset, train: Examples, seed: int) -> list[Features]:
    return default_features(dataset.space, array(train, dataset.space), seed)


def _required(labels: np.ndarray | None) -> np.ndarray:
    assert labels is not None
    return labels
