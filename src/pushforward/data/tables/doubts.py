"""How sure a reading of a column is, and what else it could be.

One idea: a reading is certain where no other fits, likely where something in the data decides
between several, and doubtful where nothing does or where not all cells fit; only the last asks for
its owner's eyes.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Confidence = Literal["declared", "certain", "likely", "doubtful"]
CONFIDENCES: Mapping[Confidence, str] = {
    "declared": "its owner said so",
    "certain": "all cells fit, and no other reading does",
    "likely": "another reading fits too, and the data speak for this one",
    "doubtful": "nothing in the data decides between two readings, or some cells do not fit",
}


@dataclass(frozen=True)
class Doubt:
    """Another way to take a column.

    Attributes:
        why: what speaks for it.
        kind: what `-s data.columns.NAME=` would be: a kind, a reading, levels, or the fields of an
            entry of a schema file.
        open: True where nothing in the data decides.

    Example:
        >>> Doubt("few whole numbers may be codes", "categorical").option("zip code")
        "`-s 'data.columns.zip code=categorical'`"
    """

    why: str
    kind: str | tuple[Any, ...] | Mapping[str, Any]
    open: bool = True

    @property
    def word(self) -> str:
        """The declaration as it is typed."""
        if isinstance(self.kind, str):
            return self.kind
        value = dict(self.kind) if isinstance(self.kind, Mapping) else list(self.kind)
        return json.dumps(value, ensure_ascii=False)

    def option(self, label: str) -> str:
        """Return the option that takes a column so."""
        return f"`-s {shlex.quote(f'data.columns.{label}={self.word}')}`"


def confidence_of(declared: bool, share: float, doubts: Sequence[Doubt]) -> Confidence:
    """Return how sure a reading is.

    Args:
        share: of the cells with a value, those that fit it.

    Example:
        >>> confidence_of(False, 1.0, ()), confidence_of(False, 0.98, ())
        ('certain', 'doubtful')
        >>> confidence_of(False, 1.0, (Doubt("it is a word", "categorical", open=False),))
        'likely'
    """
    if declared:
        return "declared"
    if share < 1.0 or any(doubt.open for doubt in doubts):
        return "doubtful"
    return "likely" if doubts else "certain"
