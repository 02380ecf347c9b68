"""What a user asks of the measures: by which features, under which rules, for which column.

One idea: whatever is asked is refused before anything is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pushforward.core.errors import BadInput
from pushforward.core.space import Space
from pushforward.data.dataset import Dataset
from pushforward.evaluation.cards.controls import Control
from pushforward.evaluation.features.choose import features_by_name
from pushforward.evaluation.features.default import default_features
from pushforward.evaluation.features.named import Features
from pushforward.evaluation.usefulness.target import target_of


@dataclass(frozen=True)
class Inquiry:
    """What is asked of the measures.

    Attributes:
        features: by name (see `features_by_name`); those of the kind of data if there are none.
        rules: expressions that every row of a table must fulfil.
        target: the column of a table that is predicted; None for the last one of classes.
    """

    features: Sequence[str] = ()
    rules: Sequence[str] = ()
    target: str | None = None

    @property
    def anything(self) -> bool:
        """Whether anything but the usual is asked."""
        return bool(self.features or self.rules or self.target)

    def require(self, space: Space) -> None:
        """Refuse rules and a target of what is no table.

        Raises:
            BadInput: names what was asked, or a column that the table does not have.

        Example:
            >>> from pushforward.core.space import Points
            >>> Inquiry(target="pay").require(Points(2))
            Traceback (most recent call last):
            pushforward.core.errors.BadInput: --target pay of points: expected a table; a column of a table is predicted
        """
        if self.rules and not space.columns:
            raise BadInput(
                f"--rule '{self.rules[0]}' of {space.kind}", "a table", "rules are about columns"
            )
        if self.target is None:
            return
        if not space.columns:
            raise BadInput(
                f"--target {self.target} of {space.kind}",
                "a table",
                "a column of a table is predicted",
            )
        target_of(space.columns, self.target)

    def features_of(self, dataset: Dataset, real: Control, seed: int) -> list[Features]:
        """Return the features that were asked for by name, or those of the kind of data.

        All of them, principal components too, learn on the training examples that no control drew:
        components spread out what they were fitted on, so that real data drawn from there would
        score worse than other real data, and models better than real.
        """
        if not self.features:
            return default_features(dataset.space, real.train, seed)
        decode = dataset.encoding.detokenise
        return [
            features_by_name(name, dataset.space, real.train, real.train_labels, seed, decode)
            for name in self.features
        ]


NOTHING = Inquiry()
