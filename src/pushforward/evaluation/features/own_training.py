"""What the user's own network is trained to do, with labels and without.

One idea: a task is a loss on batches that it draws from the training split with the stream it is
given.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pushforward.evaluation.features.small_networks import WIDTH, FeatureEncoder, descend, initial

BATCH = 64
TURNS = 4


def fit_classifier(
    encoder: FeatureEncoder,
    stream: np.random.RandomState,
    train: np.ndarray,
    inputs: Callable[[np.ndarray], Tensor],
    target: Tensor,
    classes: int,
    steps: int,
) -> list[Tensor]:
    """Minimise the cross-entropy of the labels where the encoder is; return the last layer.

    Args:
        inputs: gives what the encoder is given, on its device.
        target: the class of every training example, on that device too.
    """
    head = _last_layer(encoder, stream, classes)

    def loss() -> Tensor:
        rows = stream.randint(0, len(train), BATCH)
        logits = functional.linear(
            functional.relu(encoder(inputs(train[rows]).float())), head[0], head[1]
        )
        return functional.cross_entropy(logits, target[torch.from_numpy(rows)])

    descend([*encoder.weights, *head], loss, steps)
    return head


def fit_turns(
    encoder: FeatureEncoder,
    stream: np.random.RandomState,
    train: np.ndarray,
    inputs: Callable[[np.ndarray], Tensor],
    steps: int,
) -> list[Tensor]:
    """Minimise the cross-entropy of which way a picture was turned (Gidaris et al. 2018, equation
    2); return the last layer."""
    head = _last_layer(encoder, stream, TURNS)
    target = torch.arange(TURNS, device=encoder.device).repeat_interleave(BATCH // TURNS)

    def loss() -> Tensor:
        pictures = inputs(train[stream.randint(0, len(train), BATCH)]).float()
        turned_pictures = torch.cat(
            [turned(part, way) for way, part in enumerate(pictures.chunk(TURNS))]
        )
        logits = functional.linear(functional.relu(encoder(turned_pictures)), head[0], head[1])
        return functional.cross_entropy(logits, target)

    descend([*encoder.weights, *head], loss, steps)
    return head


def _last_layer(
    encoder: FeatureEncoder, stream: np.random.RandomState, classes: int
) -> list[Tensor]:
    layer = (initial(stream, classes, WIDTH), torch.zeros(classes))
    return [part.to(encoder.device) for part in layer]


def turned(x: Tensor, way: int) -> Tensor:
    """Return pictures (n, c, h, w) turned by `way` quarters; where they are not square, mirrored in
    one of four ways.

    Example:
        >>> turned(torch.tensor([[[[1, 2], [3, 4]]]]), 1).tolist(), turned(torch.tensor([[[[1, 2]]]]), 1).tolist()
        ([[[[2, 4], [1, 3]]]], [[[[2, 1]]]])
    """
    if x.shape[2] == x.shape[3]:
        return torch.rot90(x, way, (2, 3))
    return x.flip([axis for bit, axis in ((1, 3), (2, 2)) if way & bit])
