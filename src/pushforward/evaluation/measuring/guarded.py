"""A statistic of another package, which costs only itself: if it fails, its scores are not there.

One idea: a card of forty measures is not lost to the one that a stranger wrote; what went wrong is
named with the package (`core/plugins.py`).
"""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any, final

from pushforward.core.errors import a_type
from pushforward.core.plugins import refuse
from pushforward.evaluation.measuring.statistic import Kept, Measured, Need, Statistic


@final
class Guarded(Statistic):
    """What a plug-in's statistic computes, nothing where it fails.

    Args:
        inner: the statistic.
        plugin: that it came from.
    """

    def __init__(self, inner: Statistic, plugin: EntryPoint) -> None:
        self.inner, self.plugin, self._needs = inner, plugin, inner.needs

    @property
    def needs(self) -> tuple[Need, ...]:
        """What the engine has to keep."""
        return self._needs

    def compute(self, kept: Kept) -> list[Measured]:
        """Return the scores, none if computing them raises or makes something else."""
        with refuse(self.plugin):
            found = self.inner.compute(kept)
            if not isinstance(found, list) or not all(isinstance(m, Measured) for m in found):
                raise TypeError(f"compute returned {a_type(found)}, expected a list of Measured")
            return found
        return []


def guarded(made: object, plugin: EntryPoint) -> list[Statistic]:
    """Return the statistics that a plug-in's metric has on a card.

    Raises:
        TypeError: something else.
    """
    found: list[Any] = list(made) if isinstance(made, list | tuple) else [made]
    for one in found:
        if not isinstance(one, Statistic):
            raise TypeError(f"`on` returned {a_type(one)}, expected a list of Statistic")
    return [*(Guarded(one, plugin) for one in found)]
