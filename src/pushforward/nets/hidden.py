"""Which weights of a network are matrices or filters between hidden layers.

One idea: what reads data or is read off is told by its few channels or by its name, whatever lies
between turns features into features.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

FEWEST = 16  # features on either side; fewer channels are data, or as good as a scale
ENDS = ("inputs", "outputs", "input", "output")


class SeesAll(nn.Module):
    """A part that looks at a whole picture as one place.

    What an orthogonalised update costs goes by the shorter side of a matrix, what a step does with
    the matrix by the places that it is applied to: here one, so that its updates would cost many times
    the step.
    """


def hidden_weights(network: nn.Module) -> list[nn.Parameter]:
    """Return the matrices and filters between hidden layers: no embeddings, no ends, and nothing
    that sees all places at once.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 16, 3), nn.Conv2d(16, 32, 3), nn.Linear(32, 10))
        >>> [tuple(weight.shape) for weight in hidden_weights(net)]
        [(32, 16, 3, 3)]
    """
    return list(_hidden(network, ""))


def _hidden(part: nn.Module, name: str) -> Iterator[nn.Parameter]:
    if isinstance(part, SeesAll) or name in ENDS:
        return
    if isinstance(part, nn.Conv2d | nn.Linear):
        weight = part.weight
        if isinstance(weight, nn.Parameter) and min(weight.shape[:2]) >= FEWEST:
            yield weight
        return
    for below, inside in part.named_children():
        yield from _hidden(inside, below)
