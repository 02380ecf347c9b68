"""What a training step minimises, and which parameters it may move.

One idea: a model yields one or several losses per step; the engine updates the named group after
each, so that one loop trains a likelihood model and a two-player game alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """One scalar to minimise over one parameter group.

    Attributes:
        value: scalar tensor with a graph.
        parameters: a key of the model's `parameter_groups()`.
        name: what the number is, in words a reader can check (`-log p(x) [nats/dim]`).
        record: detached extra numbers for the history.
    """

    value: Tensor
    parameters: str
    name: str
    record: dict[str, float] = field(default_factory=dict)
