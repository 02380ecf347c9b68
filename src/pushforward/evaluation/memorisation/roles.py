"""What every memorisation check sees: samples, training examples, and held-out examples as its
null.

Two ideas: real examples lie near training examples too, so a check means nothing without held-out
data; training and held-out examples are exchangeable for an honest model, whatever its quality.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import numpy as np

from pushforward.core.score import Score
from pushforward.evaluation.checks import as_rows, same_width
from pushforward.evaluation.measuring.batch import Role
from pushforward.evaluation.measuring.metric import CardSetting
from pushforward.evaluation.measuring.statistic import Kept, Measured, Need, Statistic, View


def three_roles(
    samples: np.ndarray, train: np.ndarray, heldout: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the three as float64 rows, refusing fewer than two, NaN and different widths."""
    rows = as_rows(samples, "samples", at_least=2)
    fitted = as_rows(train, "training examples", at_least=2)
    fresh = as_rows(heldout, "held-out examples", at_least=2)
    same_width(rows, fitted)
    same_width(rows, fresh)
    return rows, fitted, fresh


class MemorisationCheck(Statistic):
    """A check of samples and training examples against held-out ones, in one view.

    Args:
        view: what it looks at.
        heldout: which role the held-out examples have; `reference` where the reference is itself
            held out.
        heldout_name: which split they are, for names that say so.
    """

    def __init__(self, view: View, heldout: Role = "reference", heldout_name: str = "test") -> None:
        self.view, self.heldout_name = view, heldout_name
        self.heldout: Role = heldout

    @property
    def needs(self) -> tuple[Need, ...]:
        """Rows of all three roles."""
        roles: tuple[Role, ...] = ("samples", "train", self.heldout)
        return tuple(Need(role, self.view, "rows") for role in roles)

    def compute(self, kept: Kept) -> list[Measured]:
        """Return the scores of the rows kept."""
        x, t = kept.rows("samples", self.view), kept.rows("train", self.view)
        found = self.check(x, t, kept.rows(self.heldout, self.view))
        return [Measured(score) for score in found]

    @abstractmethod
    def check(self, samples: np.ndarray, train: np.ndarray, heldout: np.ndarray) -> list[Score]:
        """Return the scores of samples (n, d) given train (m, d) and held-out (h, d) examples."""


def on_last(kind: type[MemorisationCheck]) -> Callable[[CardSetting], list[Statistic]]:
    """Return what puts a check on cards: on the last features, against the held-out examples."""
    return lambda card: [kind(card.features[-1], card.null_role, card.heldout_name)]
