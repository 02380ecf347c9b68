"""Which noise goes with which example: independently, or as the cheapest assignment within a batch.

Two ideas: an assignment shortens and straightens the paths of a flow, so that few Euler steps do
(Pooladian et al. 2023; Tong et al. 2024); within each label apart, or noise would tell the label
and sampling from all of it would skew every conditional.
"""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

SPREAD = (
    400.0  # largest noise where noise goes with data: what x and eps share must vanish in x + s eps
)


def assigned(x: Tensor, eps: Tensor, label: Tensor | None = None) -> Tensor:
    """Return the rows of `eps` in the order that makes `sum_i |x_i - eps_i|^2` least, among orders
    that keep labels apart.

    The law of eps given a label stays that of independent noise, because each label's rows are only
    exchanged among themselves.

    Shapes: x and eps (n, ...), label (n,).

    Example:
        >>> assigned(torch.tensor([[0.0], [5.0]]), torch.tensor([[1.0], [-1.0]])).tolist()
        [[-1.0], [1.0]]
    """
    flat, noise = x.detach().flatten(1).cpu(), eps.detach().flatten(1).cpu()
    order = torch.arange(len(x))
    groups = (
        [order]
        if label is None
        else [(label.cpu() == one).nonzero().flatten() for one in label.unique().cpu()]
    )
    for rows in groups:
        # |x - eps|^2 = |x|^2 + |eps|^2 - 2 <x, eps>, and only the last depends on the order
        cost = -(flat[rows] @ noise[rows].T).double()
        first, second = linear_sum_assignment(cost.numpy())
        order[rows[torch.from_numpy(first)]] = rows[torch.from_numpy(second)]
    return eps[order.to(eps.device)]
