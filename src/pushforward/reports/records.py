"""What a report is made of: frozen records, filled by `app`, and arrays kept beside them.

Three ideas: a `Row` is anything that was measured (a model, or the ceiling, floor and copycat that
make its numbers readable); a `Comparison` is its rows and what they share; records travel as
standard JSON and arrays as named numpy arrays, never mixed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from pushforward.core.capabilities import Card
from pushforward.core.curve import Curve
from pushforward.core.errors import BadInput
from pushforward.core.measure import Measure
from pushforward.core.score import Score, Verdict
from pushforward.evaluation.cards.comparison import Difference
from pushforward.evaluation.cards.metrics import declared
from pushforward.evaluation.measuring.statistic import Measured
from pushforward.reports.columns import Bins

Role = Literal["model", "ceiling", "floor", "copycat"]
Number = float | int | None
ROLES: tuple[Role, ...] = ("model", "ceiling", "floor", "copycat")


@dataclass(frozen=True)
class Statement:
    """One sentence of the verdict and what it is about.

    Example:
        >>> Statement("Cost", "vae samples fastest.").topic
        'Cost'
    """

    topic: str
    text: str


@dataclass(frozen=True)
class Data:
    """The data every row was measured on.

    Attributes:
        kind: `image` (integers `0 .. levels-1`, shape (n, c, h, w)), `points` (real numbers, shape
            (n, d)), `text` or `table`.
        header, shown: for text and tables, names of columns and a few real examples as rows of
            cells.
        lost: a sentence for everything of the user's data that no model saw.
        crowded: what to doubt because the held-out examples are parts of a few cases, empty
            otherwise.
        columns: how a table's columns are cut, with the `shares` (columns, bins) and the `links`
            (columns, columns) of real rows.
        space: the space in words, such as `1 x 8 x 8 images with 17 levels`.
        unit: unit of a held-out likelihood in this space, `nats_per_unit` of them each.
        counts: examples in each split.
        fingerprint: hash of the data.
        real: held-out examples to show beside the samples, with `real_labels` (n,) if labelled.
        density: the true density on a grid of shape (rows, columns), first row at the largest y,
            over `extent`.
        extent: `(left, right, bottom, top)` of the grid.
    """

    name: str
    kind: str
    space: str
    unit: str
    counts: Mapping[str, int]
    nats_per_unit: float = 1.0
    fingerprint: str = ""
    levels: int | None = None
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    extent: tuple[float, float, float, float] | None = None
    header: tuple[str, ...] = ()
    shown: tuple[tuple[str, ...], ...] = ()
    lost: tuple[str, ...] = ()
    crowded: str = ""
    columns: tuple[Bins, ...] = ()
    shares: np.ndarray | None = field(default=None, compare=False, repr=False)
    links: np.ndarray | None = field(default=None, compare=False, repr=False)
    real: np.ndarray | None = field(default=None, compare=False, repr=False)
    real_labels: np.ndarray | None = field(default=None, compare=False, repr=False)
    density: np.ndarray | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Row:
    """One line of the scorecard.

    Attributes:
        name: unique name, such as `flow` or `real vs real`.
        role: `model`, or the control it is: `ceiling` (real data), `floor` (a bad model), `copycat`
            (training data replayed).
        family: name of the family, empty for controls.
        likelihood: held-out likelihood, or None with the reason in `no_likelihood`.
        memorisation: what the nearest-training-neighbour check says, in a sentence; empty if it was
            not run.
        memorised: True if the check tripped, None if it was not run.
        history: one dictionary per logged step: `step`, `seconds`, `loss`, `held_out`,
            `learning_rate` and other named numbers.
        loss_name: what the training loss is; `held_out_name` the quantity `held_out` holds, empty
            if it is the loss itself.
        curves: where the objective is spent, as the family declares it.
        shown: a few samples of text or tables, as rows of cells.
        samples: generated examples in data units with `labels` (n,) if conditional; of a table
            `shares` and `links`, as in `Data`.
        walk: snapshots of one sampling run, each of shape (k, *event), first to last.
        suspicious: samples closest to the training data, with `neighbours`, the training examples
            closest to them.
        crowd: how many of its or the reference's examples are parts of one case, where one of each
            would be too few to compare; tests then rest on so many times fewer.
        nats: log-probability of every held-out case, shape (runs, n); what paired orders rest on.
        measured: scores with what every example contributed, while they are in memory; they are not
            written.
        repeats: one dictionary per training run, `seed` and every number by name, if the row is a
            mean over runs.
    """

    name: str
    role: Role = "model"
    family: str = ""
    parameters: int | None = None
    steps: int | None = None
    train_seconds: float | None = None
    stopped_because: str = ""
    calls_per_sample: float | None = None
    seconds_per_1000: float | None = None
    crowd: float = 1.0
    likelihood: Score | None = None
    no_likelihood: str = ""
    scores: tuple[Score, ...] = ()
    memorisation: str = ""
    memorised: bool | None = None
    history: tuple[Mapping[str, Number], ...] = ()
    loss_name: str = "training loss"
    held_out_name: str = ""
    card: Card | None = None
    curves: tuple[Curve, ...] = ()
    shown: tuple[tuple[str, ...], ...] = ()
    shares: np.ndarray | None = field(default=None, compare=False, repr=False)
    links: np.ndarray | None = field(default=None, compare=False, repr=False)
    samples: np.ndarray | None = field(default=None, compare=False, repr=False)
    labels: np.ndarray | None = field(default=None, compare=False, repr=False)
    walk: tuple[np.ndarray, ...] = field(default=(), compare=False, repr=False)
    suspicious: np.ndarray | None = field(default=None, compare=False, repr=False)
    neighbours: np.ndarray | None = field(default=None, compare=False, repr=False)
    nats: np.ndarray | None = field(default=None, compare=False, repr=False)
    repeats: tuple[Mapping[str, Number], ...] = ()
    measured: tuple[Measured, ...] = field(default=(), compare=False, repr=False)

    @property
    def all_scores(self) -> tuple[Score, ...]:
        """The likelihood, if there is one, and every other score."""
        return (*(() if self.likelihood is None else (self.likelihood,)), *self.scores)

    def score(self, key: Key) -> Score | None:
        """Return the score that `key` names, or None if this row was not measured on it."""
        return self._by_key.get(key)

    @cached_property
    def _by_key(self) -> dict[Key, Score]:
        """The scores by what names them, the first where several have one name."""
        return {key_of(score): score for score in reversed(self.scores)}


@dataclass(frozen=True)
class Comparison:
    """Everything one report shows; a single run is a comparison with one model row.

    Attributes:
        budget: the budget in a sentence, such as `60 s of wall clock for every family`.
        created: when, as text, passed in so that a page is a function of its inputs.
        verdict: statements in words; composed from the rows when empty.
        commands: shell commands that reproduce the comparison.
        versions: software and machine, in the order to show.
        differences: every pair of models on every measure, tested over the reference they share.
        headline: name of the score for the quality-against-cost picture; empty takes the first
            where lower is better.

    Raises:
        BadInput: two rows of one name.
    """

    title: str
    data: Data
    budget: str
    preset: str
    seed: int
    created: str
    rows: tuple[Row, ...]
    verdict: tuple[Statement, ...] = ()
    commands: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    headline: str = ""
    differences: tuple[Difference, ...] = ()

    def __post_init__(self) -> None:
        names = [row.name for row in self.rows]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise BadInput(
                f"two rows called '{twice}'", "unique names", "add the run's name to one of them"
            )

    def of_role(self, role: Role) -> tuple[Row, ...]:
        """Return the rows of one role, in order."""
        return tuple(row for row in self.rows if row.role == role)

    def between(self, key: Key, first: str, second: str) -> Verdict | None:
        """Return what the test of two models on a measure decided, None where they were not
        tested."""
        for found in self.differences:
            if found.metric == key.name and {found.first, found.second} == {first, second}:
                turned = {"first": "second", "second": "first", "undecided": "undecided"}
                return found.verdict if found.first == first else turned[found.verdict]  # type: ignore[return-value]
        return None

    @property
    def models(self) -> tuple[Row, ...]:
        """Rows that are models."""
        return self.of_role("model")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary without the arrays; scores keep infinity as text, other
        numbers become None."""
        record = asdict(replace(self, rows=tuple(replace(row, measured=()) for row in self.rows)))
        for part in (record["data"], *record["rows"]):
            for name in _ARRAYS:
                part.pop(name, None)
        for part, row in zip(record["rows"], self.rows, strict=True):
            part["scores"] = [score.to_json() for score in row.scores]
            part["likelihood"] = None if row.likelihood is None else row.likelihood.to_json()
        measures = {
            score.metric: score.measure.to_json() for row in self.rows for score in row.all_scores
        }
        return _standard({**record, "measures": measures})

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name, `data/real` or `row/<index>/samples`, ready for one `.npz`."""
        named: dict[str, np.ndarray] = {}
        parts = [("data", self.data)] + [(f"row/{i}", row) for i, row in enumerate(self.rows)]
        for prefix, part in parts:
            for entry in fields(part):
                value = getattr(part, entry.name)
                if isinstance(value, np.ndarray):
                    named[f"{prefix}/{entry.name}"] = value
            for i, picture in enumerate(getattr(part, "walk", ())):
                named[f"{prefix}/walk/{i:03d}"] = picture
        return named

    @staticmethod
    def from_json(
        record: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None
    ) -> Comparison:
        """Rebuild a comparison from `to_json` and `arrays`."""
        arrays = arrays or {}
        fresh = dict(record)
        known = fresh.pop("measures", None)
        # a page of an old record, or of a metric whose package is gone, needs nothing that is
        # installed but what it says itself
        measures = (
            declared()
            if known is None
            else {name: Measure.from_json(entry) for name, entry in known.items()}
        )
        data = dict(fresh["data"])
        data.update(
            classes=tuple(data["classes"]), notes=tuple(data["notes"]), **_under(arrays, "data/")
        )
        data["header"] = tuple(data.get("header", ()))
        data["shown"] = tuple(tuple(cells) for cells in data.get("shown", ()))
        data["lost"] = tuple(data.get("lost", ()))
        data["columns"] = tuple(_bins(entry) for entry in data.get("columns", ()))
        data["extent"] = None if data["extent"] is None else tuple(data["extent"])
        fresh["data"] = Data(**data)
        rows = enumerate(fresh["rows"])
        fresh["rows"] = tuple(
            _row(entry, _under(arrays, f"row/{i}/"), measures) for i, entry in rows
        )
        fresh["verdict"] = tuple(Statement(**entry) for entry in fresh["verdict"])
        fresh["differences"] = tuple(_difference(entry) for entry in fresh.get("differences", ()))
        fresh["commands"] = tuple(fresh["commands"])
        return Comparison(**fresh)


@dataclass(frozen=True)
class Key:
    """What must agree before two scores have an order.

    Attributes:
        name, unit, kind, features, better: as of the score.
        score: one score of it, for its words.
    """

    name: str
    unit: str
    kind: str
    features: str
    better: str
    score: Score = field(compare=False, repr=False)

    @property
    def measure(self) -> Measure:
        """What the scores are of."""
        return self.score.measure


_ARRAYS = (
    "shares",
    "links",
    "real",
    "real_labels",
    "density",
    "samples",
    "labels",
    "walk",
    "suspicious",
    "neighbours",
    "nats",
    "measured",
)


def key_of(score: Score) -> Key:
    """Return what must agree before two scores have an order: name, unit, kind, features and
    direction."""
    return Key(score.name, score.unit, score.kind, score.features, score.better, score)


def metric_keys(rows: Iterable[Row]) -> tuple[Key, ...]:
    """Return every measure of the rows, in order of first appearance."""
    return tuple(dict.fromkeys(key_of(score) for row in rows for score in row.scores))


def _row(record: Mapping[str, Any], arrays: dict[str, Any], measures: Mapping[str, Measure]) -> Row:
    fresh = dict(record)
    fresh["likelihood"] = (
        None if fresh["likelihood"] is None else Score.from_json(fresh["likelihood"], measures)
    )
    fresh["scores"] = tuple(Score.from_json(entry, measures) for entry in fresh["scores"])
    fresh["curves"] = tuple(Curve.from_json(entry) for entry in fresh.get("curves", ()))
    fresh["shown"] = tuple(tuple(cells) for cells in fresh.get("shown", ()))
    fresh["history"], fresh["repeats"] = tuple(fresh["history"]), tuple(fresh.get("repeats", ()))
    if fresh["card"] is not None:
        card = dict(fresh["card"])
        for name in ("look_at", "may_go_wrong"):
            card[name] = tuple(card[name])
        card["references"] = tuple((key, text) for key, text in card["references"])
        fresh["card"] = Card(**card)
    return Row(**fresh, **arrays)


def _bins(record: Mapping[str, Any]) -> Bins:
    return Bins(record["name"], *(tuple(record[key]) for key in ("labels", "edges", "kept")))


def _difference(record: Mapping[str, Any]) -> Difference:
    fresh = {**record, **{key: math.nan for key in _NUMBERS if record[key] is None}}
    return Difference(**fresh)


_NUMBERS = ("value", "stderr", "low", "high", "p_value", "adjusted")


def _under(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, Any]:
    mine = {name[len(prefix) :]: value for name, value in arrays.items() if name.startswith(prefix)}
    walk = tuple(mine[name] for name in sorted(mine) if name.startswith("walk/"))
    named: dict[str, Any] = {name: value for name, value in mine.items() if "/" not in name}
    return {**named, "walk": walk} if walk else named


def _standard(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _standard(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_standard(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
