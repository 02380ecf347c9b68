"""A metric's result, which never is a bare float.

Two ideas: a `Score` carries its interval, its null, its ceiling, its floor and the fingerprint of what it was measured on;
two scores are compared by their intervals and by nothing else.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pushforward.core.errors import BadInput

Better = Literal["lower", "higher"]


@dataclass(frozen=True)
class Score:
    """One measured number with everything needed to read it.

    Attributes:
        name: metric with its features and reference, such as `frechet distance [pca-16] vs test`.
        value: the point value; NaN only together with a warning that says why.
        low, high: a 95 % interval, or None where no valid interval is known.
        stderr: standard error, or None.
        n: number of model examples the value rests on.
        null: expected value if the model were the data distribution, when known.
        null_stderr: standard error of the null where it was measured on real examples; None where it is known.
        ceiling: value of real-versus-real at the same size (the best that can be expected).
        floor: value of a deliberately bad model.
        better: direction.
        unit: unit of value.
        kind: `exact`, `lower_bound`, `upper_bound`, `estimate` for likelihoods, else `estimate`.
        features: fingerprint of the features, empty if the metric uses none.
        warnings: sentences a reader must see with the value.

    Example:
        >>> s = Score("coverage [pixels]", 0.9, n=100, better="higher", low=0.85, high=0.94)
        >>> s.to_json()["low"]
        0.85
    """

    name: str
    value: float
    n: int
    better: Better
    low: float | None = None
    high: float | None = None
    stderr: float | None = None
    null: float | None = None
    null_stderr: float | None = None
    ceiling: float | None = None
    floor: float | None = None
    unit: str = ""
    kind: str = "estimate"
    features: str = ""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # numbers of other libraries compare to booleans that are none
        for field in ("value", "low", "high", "stderr", "null", "null_stderr", "ceiling", "floor"):
            number = getattr(self, field)
            if number is not None and type(number) is not float:
                object.__setattr__(self, field, float(number))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary; numbers that standard JSON lacks become the strings `inf`, `-inf` and `nan`."""
        record = asdict(self)
        record["warnings"] = list(self.warnings)
        for key, entry in record.items():
            if isinstance(entry, float) and not math.isfinite(entry):
                record[key] = str(entry)
        return record

    @staticmethod
    def from_json(record: dict[str, Any]) -> Score:
        """Rebuild a score from `to_json`."""
        fields: dict[str, Any] = {
            key: float(v) if v in ("inf", "-inf", "nan") else v for key, v in record.items() if key != "warnings"
        }
        return Score(**fields, warnings=tuple(record.get("warnings", ())))


Verdict = Literal["first", "second", "undecided"]


def require_comparable(first: Score, second: Score) -> None:
    """Refuse two scores that have no order.

    Raises:
        BadInput: the scores have different names, units, kinds, features or directions.
    """
    for field in ("name", "unit", "kind", "features", "better"):
        left, right = getattr(first, field), getattr(second, field)
        if left != right:
            raise BadInput(
                f"two scores whose {field} differ ('{left}' and '{right}')",
                f"equal {field}",
                "scores of different kinds or features have no order; measure both the same way",
            )


def better_of(first: Score, second: Score) -> Verdict:
    """Return which of two scores is better, `undecided` if their intervals overlap or are missing.

    Overlap of two 95 % intervals is conservative: for equal standard errors it decides at |z| > 2.77, a false-alarm
    rate of 0.6 % and not 5 %. Undecided is the honest default; a paired test is the sharper tool.

    Raises:
        BadInput: the scores have different names, units, kinds or features, so that no order exists.

    Example:
        >>> a = Score("nll", 1.0, n=9, better="lower", low=0.9, high=1.1)
        >>> b = Score("nll", 2.0, n=9, better="lower", low=1.9, high=2.1)
        >>> better_of(a, b)
        'first'
    """
    require_comparable(first, second)
    if None in (first.low, first.high, second.low, second.high):
        return "undecided"
    assert first.low is not None
    assert first.high is not None
    assert second.low is not None
    assert second.high is not None
    if first.high < second.low:
        return "first" if first.better == "lower" else "second"
    if second.high < first.low:
        return "second" if first.better == "lower" else "first"
    return "undecided"
