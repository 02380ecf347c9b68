"""Which rows samples may show: gates that every row passes before anyone sees it.

Two ideas: what too few rows of the data hold is replaced, and then what rules say is put in, so that
a row that is let through breaks no promise; a row that still does is drawn again by whoever drew it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pushforward.core.given import Known
from pushforward.core.table import Column, Table
from pushforward.data.tables.protection import Protection
from pushforward.data.tables.rules.ruleset import RuleSet

PROTECTED = "what data.protect lets samples show"
GIVEN = "a range that was given"


@dataclass(frozen=True)
class Gate:
    """What rows of a table have to pass.

    Attributes:
        space: its columns.
        protections: what each of them may show, None = all.
        rules: what rows keep.
        seed: of what replaces a value that may not be shown.
    """

    space: Table
    protections: tuple[Protection | None, ...]
    rules: RuleSet
    seed: int = 0

    def passed(self, x: Tensor, known: Known | None) -> tuple[Tensor, dict[str, Tensor]]:
        """Return rows as they may be shown, and by what reason which of them may not, each (n,).

        Args:
            x: rows in data units, (n, columns).
            known: what they were conditioned on, which stays as it is.
        """
        found = x.detach().cpu().double().numpy()
        free = np.ones(found.shape, dtype=bool) if known is None else ~known.mask.cpu().numpy()
        found = np.where(free, self._shown(found), found)
        if not self.rules.all:
            return torch.from_numpy(found), {}
        rows, broken = self.rules.kept(found, self.space, free)
        reasons = {
            str(rule): broken[:, place]
            for place, rule in enumerate(self.rules.all)
            if broken[:, place].any()
        }
        changed = (rows != found) & ~(np.isnan(rows) & np.isnan(found))
        if changed.any():
            reasons |= {PROTECTED: (changed & self._hidden(rows)).any(axis=1)}
            reasons |= {GIVEN: (changed & _outside(rows, known)).any(axis=1)}
        kept = {why: torch.from_numpy(which) for why, which in reasons.items() if which.any()}
        return torch.from_numpy(rows), kept

    def _shown(self, x: np.ndarray) -> np.ndarray:
        found = x.copy()
        for place, (column, protection) in enumerate(self._protected()):
            if protection is not None:
                shown = protection.shown(found[:, place], column, self.seed)
                # where nothing at all may be shown and nothing can be missing it is decoded so
                lost = np.isnan(shown) & (not column.missing)
                found[:, place] = np.where(lost, found[:, place], shown)
        return found

    def _hidden(self, x: np.ndarray) -> np.ndarray:
        found = np.zeros(x.shape, dtype=bool)
        for place, (column, protection) in enumerate(self._protected()):
            if protection is not None:
                found[:, place] = protection.hidden(x[:, place], column)
        return found

    def _protected(self) -> Sequence[tuple[Column, Protection | None]]:
        return tuple(zip(self.space.columns, self.protections, strict=True))


def _outside(x: np.ndarray, known: Known | None) -> np.ndarray:
    """Return which values lie outside the ranges that they were asked to lie in, (n, columns)."""
    if known is None or known.low is None or known.high is None:
        return np.zeros(x.shape, dtype=bool)
    return (x < known.low.cpu().numpy()) | (x > known.high.cpu().numpy())
