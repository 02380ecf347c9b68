"""What is known of an example before it is drawn: some of its coordinates, or a noisy linear
measurement of it.

One idea: both are spelled alike, as values and a mask in data units; without an operator the values
are the example's own and hold exactly, with one they are `A x` plus noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.operators import Operator, check_adjoint
from pushforward.core.space import Space


@dataclass(frozen=True)
class Observed:
    """Observations of n examples in data units: `values[i]` is known where `mask[i]` is True and
    never read elsewhere.

    Attributes:
        values: (n, *event), or (n, *measured) with an operator.
        mask: of the same shape, booleans.
        operator: `A`; None: the values are the example's own coordinates, known exactly.
        noise: standard deviation of what was added to `A x`, in the units of `values`.

    Example:
        >>> left = Observed(torch.tensor([[3.0, 0.0]]), torch.tensor([[True, False]]))
        >>> left.each(lambda tensor: tensor.expand(4, -1)).values.shape
        torch.Size([4, 2])
    """

    values: Tensor
    mask: Tensor
    operator: Operator | None = None
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.mask.dtype != torch.bool:
            raise BadInput(
                f"a mask of dtype {self.mask.dtype}", "booleans, True where a value is known"
            )
        if self.values.shape != self.mask.shape:
            came = f"a mask of shape {tuple(self.mask.shape)}"
            raise BadInput(came, f"{tuple(self.values.shape)}, the shape of the observed values")
        if not 0.0 <= self.noise < float("inf"):
            raise BadInput(
                f"an observation noise of {self.noise}", "a finite standard deviation, 0 or more"
            )
        if self.operator is None and self.noise:
            raise BadInput(
                "coordinates that are known exactly, and a noise",
                "an operator",
                "name one: `mask` is the plain one",
            )

    def each(self, change: Callable[[Tensor], Tensor]) -> Observed:
        """Return the same with every tensor changed: moved, indexed, repeated."""
        return replace(self, values=change(self.values), mask=change(self.mask))

    def check(self, space: Space) -> None:
        """Refuse what cannot have been observed of this space.

        Raises:
            BadInput: another shape (both are named), no known value, values that are no levels, or
                NaN where a value is known.
        """
        shape = space.event_shape
        if self.operator is not None:
            example = torch.zeros(1, *shape)
            check_adjoint(self.operator, example)
            shape = tuple(self.operator.apply(example).shape[1:])
        if tuple(self.values.shape[1:]) != shape:
            came = f"observed values and mask of shape {tuple(self.values.shape[1:])}"
            raise BadInput(
                came, f"{shape} for {space}" + (" through that operator" if self.operator else "")
            )
        if not bool(self.mask.flatten(1).any(1).all()):
            raise BadInput(
                "a mask that hides everything", "one known value or more in every example"
            )
        known = self.values[self.mask]
        if not bool(torch.isfinite(known).all()):
            raise BadInput(
                "observed values with NaN or infinity", "finite numbers where the mask is True"
            )
        if space.levels is not None and self.operator is None:
            top = space.levels - 1
            if bool((known < 0).any() or (known > top).any()):
                raise BadInput(
                    f"observed values from {float(known.min()):g} to {float(known.max()):g}",
                    f"levels from 0 to {top}",
                )
            if bool((known != known.round()).any()):
                raise BadInput("observed values between levels", f"whole numbers from 0 to {top}")
