"""What is given of an example, as the vector that networks take in beside their input.

One idea: a model without conditions has an embedding without weights, so that no family asks
whether there is one.
"""

from __future__ import annotations

from torch import Tensor, nn

from pushforward.core.given import Given, label_of
from pushforward.nets.mlp import class_rows, class_table


class GivenEmbedding(nn.Module):
    """A vector per class, with one more for "no condition"; nothing where there are no classes.

    Attributes:
        width: numbers of the vector, 0 without classes; what networks are made for.

    Example:
        >>> import torch
        >>> GivenEmbedding(3, 8)(Given(torch.tensor([0, 2])), 2).shape, GivenEmbedding(0, 8)(None, 2)
        (torch.Size([2, 8]), None)
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.width = width if classes else 0
        self.table = class_table(classes, width) if classes else None

    def forward(self, given: Given | None, n: int) -> Tensor | None:
        """Return shape (n, width), None where nothing can be given."""
        return None if self.table is None else class_rows(self.table, label_of(given), n)
