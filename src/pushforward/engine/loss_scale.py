"""Losses scaled up so that gradients in half precision do not vanish.

One idea: float16 holds nothing below 6e-8, where many gradients lie; a loss times S has gradients
times S, which are divided by S before anybody reads them, and S is halved whenever they overflow
(Micikevicius et al. 2018, section 3.2).
"""

from __future__ import annotations

import torch
from torch import nn

FIRST, LEAST = 2.0**16, 1.0
PATIENCE = 2000  # updates without overflow after which the scale is doubled


class LossScales:
    """The scale of each parameter group's loss.

    Args:
        active: whether losses are scaled at all.
        kept: what a checkpoint holds: scale and updates since it changed, by group; written to.

    Example:
        >>> scales = LossScales(True, {})
        >>> scales.of("all"), scales.overflowed("all"), scales.of("all")
        (65536.0, True, 32768.0)
        >>> LossScales(False, {}).of("all")
        1.0
    """

    def __init__(self, active: bool, kept: dict[str, list[float]]) -> None:
        self.active, self._kept = active, kept

    def of(self, group: str) -> float:
        """Return the factor of a group's loss."""
        return self._kept.setdefault(group, [FIRST, 0])[0] if self.active else 1.0

    def unscale(self, group: str, parameters: list[nn.Parameter]) -> None:
        """Divide a group's gradients by its factor."""
        if self.active:
            grads = [p.grad for p in parameters if p.grad is not None]
            torch._foreach_mul_(grads, 1.0 / self.of(group))  # type: ignore[reportPrivateImportUsage]

    def fitted(self, group: str) -> None:
        """Note an update whose gradients were finite; after many of them the factor is doubled."""
        if self.active:
            scale, good = self._kept[group]
            grows = good + 1 >= PATIENCE
            self._kept[group] = [2.0 * scale, 0] if grows else [scale, good + 1]

    def overflowed(self, group: str) -> bool:
        """Halve the factor of a group whose gradients are not finite; False where that is as low as
        it goes, and something else is wrong."""
        if self.of(group) <= LEAST:
            return False
        self._kept[group] = [self.of(group) / 2.0, 0]
        return True
