"""From whatever a user passes as `given` to one class index per example.

One idea: a class name, a class index, a tensor of indices and `None` are spelled alike in every verb and read in one place.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.given import Given, parse_label
from pushforward.core.noise import Noise

Condition = Given | Tensor | int | str | None


def resolve(condition: Condition, n: int, classes: tuple[str, ...]) -> Given | None:
    """Return the labels of `n` examples, None for None.

    Args:
        condition: a class name, a class index, n class indices, or None.
        classes: names of the model's classes, empty for a model without labels.

    Raises:
        BadInput: a condition for a model without labels, an unknown class, or another number of conditions.

    Example:
        >>> resolve("dog", 2, ("cat", "dog")).label.tolist()
        [1, 1]
    """
    if condition is None:
        return None
    if isinstance(condition, Given | Tensor):
        label = condition.label if isinstance(condition, Given) else condition
    else:
        index = condition if isinstance(condition, int) else parse_label(condition, classes)
        label = torch.full((n,), index, dtype=torch.long)
    if not classes:
        raise BadInput("a condition", "none", "this model was trained without labels; leave `given` out")
    if len(label) != n:
        raise BadInput(f"{len(label)} conditions for n={n}", "one condition per example")
    wrong = label[(label < 0) | (label >= len(classes))]
    if len(wrong):
        raise BadInput(f"class index {int(wrong[0])}", f"0 to {len(classes) - 1}", "the model knows no other class")
    return Given(label.long())


def draw_labels(frequency: Tensor, noise: Noise) -> Given:
    """Return one label per example from the training frequencies, by inverting their CDF at one uniform each."""
    u = noise.uniform(dtype=torch.float64)
    label = torch.searchsorted(frequency.cumsum(0).to(u.device), u)
    return Given(label.clamp(max=len(frequency) - 1))
