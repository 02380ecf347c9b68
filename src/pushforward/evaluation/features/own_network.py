"""Features of a small network trained on the user's own training split.

Three ideas: a network that learnt this data sees what matters in it, which one that learnt
photographs may not; it learns on train only, so that nothing of test leaks into the judge; its
fingerprint hashes what defines it (rows, labels, seed, recipe) and not its weights, whose last
digits differ between processors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.measure import Measure
from pushforward.core.placement import here, memory_of
from pushforward.core.portions import in_portions
from pushforward.core.score import Score
from pushforward.core.space import Space
from pushforward.evaluation.checks import as_rows, require
from pushforward.evaluation.features.columns import ColumnFeatures
from pushforward.evaluation.features.named import Features, Standardised
from pushforward.evaluation.features.own_training import BATCH, fit_classifier, fit_turns
from pushforward.evaluation.features.resizing import Resizing
from pushforward.evaluation.features.small_networks import (
    WIDTH,
    Convolutional,
    FeatureEncoder,
    Perceptron,
)
from pushforward.evaluation.intervals import wilson
from pushforward.evaluation.kinds.example_kind import examples_of
from pushforward.evaluation.measuring.statistic import MeasuredOn

STEPS = 300
SIDE = 64  # larger pictures are resized, so that a step costs the same
CHUNK = 512  # rows in double precision at once
SUBSET = 4096  # training rows that set means and deviations
RECIPE = "v1, AdamW 2e-3, conv 16-32-64 or perceptron 128-128, 64 before rectification"


class OwnNetwork(Features):
    """Sixty-four features of a small network that learnt to tell train's classes or, without
    labels, how pictures are turned.

    Features are taken before the last rectification and standardised on train: rectified, many are
    zero for nearly all examples and a rare one decides the distance. Images: convolutions, also
    without labels. Points and tables: a perceptron, with labels only.

    Turns were chosen by measurement. In standard deviations of real-against-real the Fréchet
    distance of features learnt by turns, by reconstruction, and not at all sees, on 1000
    handwritten digits of 28x28, a blur of half a pixel at 44, 27 and 23, a shift by a pixel at 138,
    14 and 13, halves of different digits at 133, 25 and 35; on photographs a blur at 12, 0.3 and
    1.5. Noise on photographs `random-conv` sees better (26 against 1). A direction that data has
    nowhere cannot be learnt.

    Trained on one thread or two, features differ by 4e-6 at most and a Fréchet distance in its
    eighth digit, which is why the fingerprint need not depend on the processor.

    Args:
        space: what one example is.
        train: training examples in data units (a table's filled), all of which may be drawn.
        labels: whole numbers (n,), one for each training example, or None.
        seed: of the initial weights and of the batches.
        steps: of the training.

    Attributes:
        classes: the labels found in `labels`, sorted; the columns of `probabilities`. Empty without
            labels.

    Raises:
        BadInput: text, or points and tables without labels; labels of one class, or of another
            number than the examples.

    Example:
        >>> from pushforward.core.space import Image
        >>> x = np.random.default_rng(0).integers(0, 17, size=(40, 1, 8, 8))
        >>> f = OwnNetwork(Image(1, 8, 8, 17), x, labels=np.arange(40) % 2, steps=3)
        >>> f.name, f(x).shape, f.classes, f.probabilities(x).shape
        ('own-64 by class, seed 0', (40, 64), (0, 1), (40, 2))
    """

    def __init__(
        self,
        space: Space,
        train: np.ndarray,
        labels: np.ndarray | None = None,
        seed: int = 0,
        steps: int = STEPS,
    ) -> None:
        _check(space, train, labels)
        task = "by turns" if labels is None else "by class"
        target = np.zeros(0) if labels is None else labels
        levels = space.levels or 0
        defining = (np.array([levels]), train, target)
        super().__init__(
            f"own-{WIDTH} {task}, seed {seed}",
            *defining,
            recipe=f"{RECIPE}, {steps} steps of {BATCH}",
        )
        self._space, self._device = space, here()
        self._inputs = _inputs_of(space, train, self._device)
        self.classes: tuple[int, ...] = () if labels is None else tuple(np.unique(labels).tolist())
        stream = np.random.RandomState(seed)
        subset = train[np.sort(stream.permutation(len(train))[:SUBSET])]
        self._encoder, self._head = self._train(stream, train, labels, subset, steps)
        self._mean, self._scale = np.zeros(WIDTH), np.ones(WIDTH)
        raw = self._raw(subset)
        spread = raw.std(axis=0)
        self._mean, self._scale = raw.mean(axis=0), np.where(spread > 1e-12, spread, 1.0)

    def _train(
        self,
        stream: np.random.RandomState,
        train: np.ndarray,
        labels: np.ndarray | None,
        subset: np.ndarray,
        steps: int,
    ) -> tuple[FeatureEncoder, list[Tensor]]:
        example = self._inputs(subset[:1])
        encoder: FeatureEncoder = (
            Convolutional(stream, example.shape[1], max(example.shape[2:]))
            if example.dim() == 4
            else Perceptron(stream, example.shape[1])
        )
        encoder.to(self._device)
        if labels is None:
            head = fit_turns(encoder, stream, train, self._inputs, steps)
        else:
            target = torch.from_numpy(np.searchsorted(self.classes, labels)).to(self._device)
            head = fit_classifier(
                encoder, stream, train, self._inputs, target, len(self.classes), steps
            )
        encoder.freeze()
        return encoder, [weight.detach().double() for weight in head]

    def _map(self, x: np.ndarray) -> np.ndarray:
        return (self._raw(x) - self._mean) / self._scale

    def _raw(self, x: np.ndarray) -> np.ndarray:
        if x.shape[1:] != self._space.event_shape:
            raise BadInput(f"examples of shape {x.shape[1:]}", f"{self._space.event_shape}")

        @torch.no_grad()
        def encoded(first: int, count: int) -> Tensor:
            return self._encoder(self._inputs(x[first : first + count]).double()).cpu()

        parts = in_portions(len(x), CHUNK, encoded, memory=memory_of(self._device))
        return torch.cat(parts).numpy()

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of every class (n, classes) for examples in data units.

        Raises:
            Unsupported: a network that was trained without labels.
        """
        if not self.classes:
            raise Unsupported(
                f"class probabilities of '{self.name}'",
                "a network trained with labels",
                "pass labels",
            )
        rows = torch.from_numpy(self._raw(x)).to(self._device)
        with torch.no_grad():
            logits = functional.linear(functional.relu(rows), self._head[0], self._head[1])
            return logits.softmax(dim=1).cpu().numpy()

    def accuracy(self, x: np.ndarray, labels: np.ndarray, reference_name: str = "test") -> Score:
        """Return the share of examples whose most probable class is their label, with Wilson's
        interval.

        Args:
            x: held-out examples in data units.
            labels: their labels (n,).
            reference_name: which split they are.

        Raises:
            BadInput: labels that training did not have.
        """
        strange = sorted(set(np.unique(labels).tolist()) - set(self.classes))
        if self.classes and (strange or len(labels) != len(x)):
            raise BadInput(
                f"{len(labels)} labels, of which {strange} are unknown, for {len(x)} examples",
                "train's labels",
            )
        right = np.array(self.classes)[self.probabilities(x).argmax(axis=1)] == labels
        low, high = wilson(int(right.sum()), len(right))
        on = MeasuredOn(self.name, self.fingerprint, reference_name)
        return on.score(
            Measure("accuracy", better="higher"),
            float(right.mean()),
            len(right),
            low=low,
            high=high,
        )


def _check(space: Space, train: np.ndarray, labels: np.ndarray | None) -> None:
    if space.kind not in _INPUTS:
        raise BadInput(
            "text for a network of one's own",
            "images, points or a table",
            "use tokens or sentences",
        )
    if labels is None and not examples_of(space).neighbouring:
        raise BadInput(
            "rows without labels for a network of one's own",
            "labels",
            "use the standardised or ranked columns",
        )
    if train.shape[1:] != space.event_shape:
        raise BadInput(f"training examples of shape {train.shape[1:]}", f"{space.event_shape}")
    require(len(train), 2, "training examples")
    for first in range(0, len(train), CHUNK):
        as_rows(train[first : first + CHUNK], "training examples")
    if labels is not None and (labels.shape != (len(train),) or len(np.unique(labels)) < 2):
        raise BadInput(
            f"labels of shape {labels.shape} and {len(np.unique(labels))} classes",
            f"one whole number for each of {len(train)} training examples, of two classes or more",
        )


def _inputs_of(
    space: Space, train: np.ndarray, device: torch.device
) -> Callable[[np.ndarray], Tensor]:
    """Return the map from examples in data units to what the network is given, fitted on train."""
    inputs = _INPUTS[space.kind](space, train)
    return lambda x: inputs(x).to(device)


def _pixels(space: Any, train: np.ndarray) -> Callable[[np.ndarray], Tensor]:
    shrink = SIDE / max(space.height, space.width)
    size = (max(1, round(space.height * shrink)), max(1, round(space.width * shrink)))
    resizing = Resizing(*size, "bicubic") if shrink < 1 else None

    def pixels(x: np.ndarray) -> Tensor:
        scaled = x.astype(np.float64) * (2.0 / (space.levels - 1)) - 1.0
        return torch.from_numpy(resizing(scaled) if resizing else scaled)

    return pixels


def _features(known: Features) -> Callable[[np.ndarray], Tensor]:
    return lambda x: torch.from_numpy(known(x))


_INPUTS: dict[str, Callable[[Any, np.ndarray], Callable[[np.ndarray], Tensor]]] = {
    "points": lambda space, train: _features(Standardised(train)),
    "image": _pixels,
    "table": lambda space, train: _features(ColumnFeatures(space, train, components=128)),
}
