"""Scores as a person reads them: a table on the screen, in a notebook and as a DataFrame.

One idea: it stays the list that it always was; only its printing and its look-up are added.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

import pandas as pd

from pushforward.core.errors import BadInput, closest
from pushforward.core.score import Score

COLUMNS = ("measure", "value", "95 % interval", "unit", "n", "real against real", "floor", "better")


class Scores(list[Score]):
    """The scores of one model; prints as a table under its verdict, `to_frame()` has every field.

    Args:
        scores: of one model.
        verdict: one sentence about them all.

    Attributes:
        verdict: whether its samples are told apart from real data, in what and by how much; empty
            if nobody said.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> coverage = Measure("coverage", better="higher")
        >>> scores = Scores([Score(coverage, 0.9, n=100, low=0.85, high=0.94, view="pca-8", reference="test")])
        >>> print(scores)
        measure   value  95 % interval  unit  n    real against real  floor  better
        coverage  0.9    0.85 to 0.94         100                            higher
        >>> scores["coverage"].value
        0.9
    """

    def __init__(self, scores: Iterable[Score] = (), verdict: str = "") -> None:
        super().__init__(scores)
        self.verdict = verdict

    def json(self) -> dict[str, Any]:
        """Return the verdict and a record of each score, as values that JSON has."""
        return {"verdict": self.verdict, "scores": [score.to_json() for score in self]}

    def to_frame(self) -> pd.DataFrame:
        """Return one row per score with all of its fields."""
        return pd.DataFrame([score.to_json() for score in self])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return Scores(super().__getitem__(key), self.verdict)
        if not isinstance(key, str):
            return super().__getitem__(key)
        found = [score for score in self if key in (score.name, score.short_name)]
        if len(found) == 1:
            return found[0]
        if found:
            came = f"'{key}', which {len(found)} scores are called"
            raise BadInput(came, "a whole name, such as '" + found[0].name + "'")
        names = [score.short_name for score in self]
        raise BadInput(
            f"no score called '{key}'",
            "one of " + ", ".join(dict.fromkeys(names)),
            closest(key, names),
        )

    def __repr__(self) -> str:
        rows = [list(COLUMNS), *self._cells()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join(
            [
                *([self.verdict] if self.verdict else []),
                *lines,
                *(f"! {warning}" for warning in self._warnings()),
            ]
        )

    __str__ = __repr__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in self._cells()
        )
        warned = "".join(f"<p>{html.escape(warning)}</p>" for warning in self._warnings())
        said = f"<p><strong>{html.escape(self.verdict)}</strong></p>" if self.verdict else ""
        return f"{said}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{warned}"

    def _cells(self) -> list[list[str]]:
        # features are said where a measure was taken with several, the reference where it is not
        # the usual one
        heads = [score.short_name for score in self]
        rests = [score.details.removesuffix(", vs test") for score in self]
        whole = [
            f"{head} [{rest}]" if rest else head for head, rest in zip(heads, rests, strict=True)
        ]
        names = [h if heads.count(h) == 1 else w for h, w in zip(heads, whole, strict=True)]
        names = [
            score.name if names.count(name) > 1 else name
            for name, score in zip(names, self, strict=True)
        ]
        return [_cells_of(score, name) for score, name in zip(self, names, strict=True)]

    def _warnings(self) -> list[str]:
        return list(dict.fromkeys(warning for score in self for warning in score.warnings))


def _cells_of(score: Score, name: str) -> list[str]:
    interval = (
        ""
        if score.low is None or score.high is None
        else f"{_short(score.low)} to {_short(score.high)}"
    )
    kind = "" if score.kind in ("estimate", "exact") else f" ({score.kind.replace('_', ' ')})"
    marks = ["" if mark is None else _short(mark) for mark in (score.ceiling, score.floor)]
    return [
        name,
        _short(score.value) + kind,
        interval,
        score.unit,
        str(score.n),
        *marks,
        score.better,
    ]


def _short(value: float) -> str:
    return f"{value:.4g}"
