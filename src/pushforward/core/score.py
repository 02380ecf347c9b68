"""A metric's result, which never is a bare float.

Three ideas: a `Score` carries its interval, its null, its ceiling, its floor and the fingerprint of
what it was measured on; what it is of, what it was measured with and against are fields, and its
name is made from them; two scores are compared by their intervals and by nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pushforward.core.errors import BadInput
from pushforward.core.measure import Better, Measure, aspect_called

_NUMBERS = ("value", "low", "high", "stderr", "null", "null_stderr", "ceiling", "floor")
_WORDS = ("setting", "given", "view", "subject", "reference")
_NONE: Mapping[str, Measure] = {}


@dataclass(frozen=True)
class Score:
    """One measured number with everything needed to read it.

    Attributes:
        measure: what it is of.
        value: the point value; NaN only together with a warning that says why.
        n: number of model examples the value rests on.
        low, high: a 95 % interval, or None where no valid interval is known.
        stderr: standard error, or None.
        null: expected value if the model were the data distribution, when known.
        null_stderr: standard error of the null where it was measured on real examples; None where
            it is known.
        ceiling: value of real-versus-real at the same size (the best that can be expected).
        floor: value of a deliberately bad model.
        unit: unit of value.
        kind: `exact`, `lower_bound`, `upper_bound`, `estimate` for likelihoods, else `estimate`.
        features: fingerprint of the features, empty if the measure uses none.
        warnings: sentences a reader must see with the value.
        setting: what else defines the measure, such as `order 2`.
        given: what a likelihood is conditioned on.
        view: name of what was looked at: the features, the cells, the kind of a likelihood.
        subject: what is held against the reference where it is no sample: `train`.
        reference: the split that it was measured against.

    Example:
        >>> s = Score(Measure("coverage", better="higher"), 0.9, n=100, low=0.85, high=0.94, view="pixels", reference="test")
        >>> s.name, s.to_json()["low"]
        ('coverage [pixels] vs test', 0.85)
    """

    measure: Measure
    value: float
    n: int
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
    setting: str = ""
    given: str = ""
    view: str = ""
    subject: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        # numbers of other libraries compare to booleans that are none
        for field in _NUMBERS:
            number = getattr(self, field)
            if number is not None and type(number) is not float:
                object.__setattr__(self, field, float(number))

    @property
    def metric(self) -> str:
        """The measure's name."""
        return self.measure.name

    @property
    def better(self) -> Better:
        """Direction."""
        return self.measure.better

    @property
    def short_name(self) -> str:
        """What it is of, without what it was measured with: `frechet distance`."""
        setting = f", {self.setting}" if self.setting else ""
        return self.metric + setting + (f" given {self.given}" if self.given else "")

    @property
    def details(self) -> str:
        """What it was measured with: `pca-16, vs test`."""
        return ", ".join(part for part in (self.view, self._sides) if part)

    @property
    def name(self) -> str:
        """The measure with its features and reference, such as `frechet distance [pca-16] vs
        test`."""
        view = f"[{self.view}]" if self.view else ""
        return " ".join(part for part in (self.short_name, view, self._sides) if part)

    @property
    def title(self) -> str:
        """What a heading calls it."""
        return self.measure.title or self.short_name

    @property
    def _sides(self) -> str:
        return " ".join(
            part
            for part in (self.subject, f"vs {self.reference}" if self.reference else "")
            if part
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary; numbers that standard JSON lacks become the strings
        `inf`, `-inf` and `nan`."""
        record: dict[str, Any] = {
            "name": self.name,
            "metric": self.metric,
            "aspect": self.measure.aspect.name,
        }
        record |= {"role": self.measure.role, "better": self.better, "n": self.n}
        for field in _NUMBERS:
            number = getattr(self, field)
            record[field] = number if number is None or math.isfinite(number) else str(number)
        record |= {field: getattr(self, field) for field in ("unit", "kind", "features", *_WORDS)}
        return {**record, "warnings": list(self.warnings)}

    @staticmethod
    def from_json(record: Mapping[str, Any], declared: Mapping[str, Measure] = _NONE) -> Score:
        """Rebuild a score from `to_json`.

        Args:
            record: whatever else it holds is left out.
            declared: measures by name; of another one the record says what is needed, but its
                words.
        """
        known = (
            dict(record) if "metric" in record else {**record, **_parted(record["name"], declared)}
        )
        measure = declared.get(known["metric"]) or Measure(
            known["metric"],
            aspect=aspect_called(known.get("aspect", "other measures")),
            role=known.get("role", "merit"),
            better=known["better"],
        )
        fields = {
            field: known[field]
            for field in ("n", "unit", "kind", "features", *_WORDS)
            if field in known
        }
        fields |= {field: _number(known[field]) for field in _NUMBERS if field in known}
        return Score(measure, **fields, warnings=tuple(known.get("warnings", ())))


def _number(entry: Any) -> Any:
    return float(entry) if entry in ("inf", "-inf", "nan") else entry


def _parted(name: str, declared: Mapping[str, Measure]) -> dict[str, str]:
    """Return the fields of a score from its name, for records that are older than the fields."""
    head, bracket, rest = name.partition("[")
    if not bracket:
        return {"metric": name}
    view, _, sides = rest.partition("]")
    subject, _, reference = sides.partition("vs ")
    head = head.strip()
    metric, key, more = head, "setting", ""
    for known in sorted(declared, key=len):
        for between, field in ((", ", "setting"), (" given ", "given")):
            if head == known or head.startswith(known + between):
                metric, key, more = known, field, head.removeprefix(known).removeprefix(between)
    words = {"metric": metric, key: more, "view": view, "subject": subject, "reference": reference}
    return {field: word.strip() for field, word in words.items()}


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

    Overlap of two 95 % intervals is conservative: for equal standard errors it decides at |z| >
    2.77, a false-alarm rate of 0.6 % and not 5 %. Undecided is the honest default; a paired test is
    the sharper tool.

    Raises:
        BadInput: the scores have different names, units, kinds or features, so that no order
            exists.

    Example:
        >>> a = Score(Measure("nll"), 1.0, n=9, low=0.9, high=1.1)
        >>> b = Score(Measure("nll"), 2.0, n=9, low=1.9, high=2.1)
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
