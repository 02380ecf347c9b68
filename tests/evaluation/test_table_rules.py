"""Valid cells, rules that are found, rules that are given, and the samples that break them."""

from __future__ import annotations

import numpy as np
import pytest

from pushforward.core.errors import BadInput
from pushforward.core.table import Column, Table
from pushforward.data.open import open_data
from pushforward.data.tables.marks import filled, missing_mark
from pushforward.data.tables.rules.arithmetic import orders
from pushforward.data.tables.rules.discovery import CHANCE, dependencies, discover, implied_gaps
from pushforward.data.tables.rules.expression import Expression
from pushforward.evaluation.intervals import wilson
from pushforward.evaluation.measuring.evaluation import Evaluation
from pushforward.evaluation.table.constraints import Constraints, breaks, constraint_violations
from pushforward.evaluation.table.validity import (
    OFF_GRID,
    OUTSIDE,
    UNKNOWN,
    Validity,
    faults,
    valid_rows,
    validity,
)

SPACE = Table(
    (
        Column("city", "categorical", ("a", "b", "c", "d", "e", "f")),
        Column("state", "categorical", ("x", "y", "z")),
        Column("opened", "integer", step=1.0, low=0, high=50),
        Column("closed", "integer", step=1.0, low=0, high=99, missing=True),
        Column("status", "ordinal", ("new", "running", "ended")),
        Column("price-paid", "continuous", step=0.01, low=0.5, high=99.99),
    )
)
GONE = missing_mark(SPACE.columns[3])


def shops(n: int, seed: int = 0) -> np.ndarray:
    """City decides state, a shop closes after it opened, and only ended shops have closed."""
    rng = np.random.default_rng(seed)
    city = rng.integers(0, 6, n)
    status = rng.integers(0, 3, n)
    opened = rng.integers(0, 51, n)
    closed = np.where(status == 2, opened + rng.integers(0, 49, n), np.nan)
    price = np.round(rng.uniform(0.5, 99.99, n), 2)
    return filled(
        np.stack([city, city // 2, opened, closed, status, price], axis=1).astype(float), SPACE
    )


def test_cells_are_judged_one_by_one() -> None:
    price, closed, city = SPACE.columns[5], SPACE.columns[3], SPACE.columns[0]
    found = faults(np.array([0.1 + 0.7, 0.58, 12.345, 100.0, 0.4]), price)
    assert found[OFF_GRID].tolist() == [False, False, True, False, False]
    assert found[OUTSIDE].tolist() == [False, False, False, True, True]
    assert not any(bad.any() for bad in faults(np.array([GONE, 0.0, 99.0]), closed).values())
    assert faults(np.array([GONE + 1, 99.5]), closed)[OUTSIDE].tolist() == [True, True]
    assert faults(np.array([0.0, 5.0, 6.0, -1.0, 2.5]), city)[UNKNOWN].tolist() == [
        False,
        False,
        True,
        True,
        True,
    ]
    with_gap = Column("city", "categorical", ("a", "b"), missing=True)
    assert faults(np.array([-1.0, -2.0]), with_gap)[UNKNOWN].tolist() == [False, True]


def test_the_microsecond_grid_of_dates_is_met_by_every_double() -> None:
    moment = Column("when", "datetime", step=1e-6, low=0.0, high=4e9)
    assert not faults(np.array([1.7e9 + 0.123456, 3.1e9 + 0.000001]), moment)[OFF_GRID].any()


def test_validity_is_a_rate_with_wilsons_interval_and_real_rows_as_null() -> None:
    x, y = shops(200), shops(100, seed=1)
    y[0, 2] = 51.0
    x[:30, 0], x[10:40, 5] = 6.0, 200.0
    score = validity(x, y, SPACE)
    assert score.value == 0.8
    assert (score.low, score.high) == wilson(160, 200)
    assert score.null == 0.99
    assert score.warnings[0].startswith(
        "invalid cells: 'city' unknown category in 15.0%, 'price-paid' outside"
    )
    assert validity(y[1:], y, SPACE).warnings == ()


def test_validity_of_the_engine_has_the_terms_of_its_mean() -> None:
    x, y = shops(200), shops(100, seed=1)
    x[:50, 1] = 0.5
    evaluation = Evaluation([Validity(SPACE)])
    (found,) = evaluation.compute(
        evaluation.take(evaluation.take(evaluation.init(), "samples", x), "reference", y),
    )
    assert found.score == validity(x, y, SPACE)
    assert found.samples is not None
    assert len(found.samples.terms) == 200
    assert np.sqrt(found.samples.variance) == pytest.approx(found.score.stderr, rel=0.01)
    assert valid_rows(x, SPACE).sum() == 150


def test_what_holds_is_found_and_what_does_not_is_not() -> None:
    assert [str(rule) for rule in discover(shops(400), SPACE)] == [
        "opened <= closed",
        "city decides state",
        "if status in ('new', 'running') then closed is missing",
        "if status == 'ended' then closed is known",
    ]
    broken = shops(400)
    broken[7, 1] = (broken[7, 1] + 1) % 3
    ended = np.flatnonzero(broken[:, 3] != GONE)[0]
    broken[ended, 2] = broken[ended, 3] + 1
    # every other city goes on deciding its state
    assert [str(rule) for rule in discover(broken, SPACE)] == [
        *(f"if city {cities} then state == '{state}'" for cities, state in _whole(broken)),
        *(str(rule) for rule in implied_gaps(broken, SPACE)),
    ]


def _whole(rows: np.ndarray) -> list[tuple[str, str]]:
    """Each state, with the cities of one state only that it alone has."""
    seen = {city: set(rows[rows[:, 0] == city, 1].astype(int).tolist()) for city in range(6)}
    found = []
    for state in range(3):
        words = [repr("abcdef"[city]) for city, states in seen.items() if states == {state}]
        said = f"== {words[0]}" if len(words) == 1 else f"in ({', '.join(words)})"
        found.append((said, "xyz"[state]))
    return found


def test_independent_columns_give_no_rules() -> None:
    # chance is a billionth for each of 96 candidates
    rng = np.random.default_rng(0)
    for seed in range(20):
        x = shops(150, seed)
        for place in range(6):
            x[:, place] = rng.permutation(x[:, place])
        assert discover(x, SPACE) == ()


def test_too_little_support_and_what_ranges_imply_are_not_rules() -> None:
    x = shops(400)
    assert dependencies(x[:20], SPACE) == []
    assert [str(rule) for rule in dependencies(x[:60], SPACE)] == ["city decides state"]
    x[:, 5] = x[:, 5] + 1000.0
    assert [str(rule) for rule in orders(x, SPACE, 30, CHANCE)] == ["opened <= closed"]
    rare = np.zeros((300, 2))
    rare[0] = 1.0
    space = Table((Column("a", "boolean", ("no", "yes")), Column("b", "boolean", ("no", "yes"))))
    # one row of 300 has both: chance keeps such a rule too often
    assert dependencies(rare, space) == []


def test_broken_rules_are_counted_once_a_row_and_unknown_is_not_broken() -> None:
    train, x = shops(400), shops(100, seed=3)
    rules = discover(train, SPACE)
    assert not breaks(x, SPACE, rules).any()
    x[:10, 1] = (x[:10, 1] + 1) % 3
    swapped = np.flatnonzero(x[:, 3] != GONE)[:12]
    x[swapped, 2], x[swapped, 3] = x[swapped, 3] + 1, x[swapped, 2]
    guilty = set(range(10)) | set(swapped.tolist())
    assert breaks(x, SPACE, rules).any(axis=1).nonzero()[0].tolist() == sorted(guilty)
    score = constraint_violations(x, shops(100, seed=4), train, SPACE)
    assert score.value == pytest.approx(len(guilty) / 100)
    assert (score.low, score.high) == wilson(len(guilty), 100)
    assert score.null == 0.0
    assert score.warnings[0].startswith(
        "4 rules, broken most: opened <= closed by 12.0% of the samples (0.0% of test)"
    )
    # a city that training never had says nothing of its state
    x[:, 0] = 17.0
    assert not breaks(x, SPACE, rules[1:2]).any()


def test_accidents_of_training_show_in_the_null() -> None:
    rng = np.random.default_rng(5)
    space = Table(
        (
            Column("id", "categorical", tuple(f"{i}" for i in range(60))),
            Column("b", "categorical", ("u", "v")),
        )
    )

    def draw(n: int, noise: float) -> np.ndarray:
        first = rng.integers(0, 60, n)
        return np.stack(
            [first, np.where(rng.random(n) < noise, 1 - first % 2, first % 2)], axis=1
        ).astype(float)

    score = constraint_violations(draw(200, 0.1), draw(2000, 0.1), draw(120, 0.0), space)
    assert score.low <= score.null <= score.high
    assert score.null == pytest.approx(0.09, abs=0.03)


def test_no_rule_is_said_to_be_none() -> None:
    x = shops(100)[:, [5]]
    score = constraint_violations(x, x, x, Table(SPACE.columns[5:]))
    assert np.isnan(score.value)
    assert score.warnings[0].startswith("no rule was given and none holds without exception")


def test_constraints_of_the_engine() -> None:
    train, x, y = shops(400), shops(100, seed=3), shops(80, seed=4)
    x[:20, 2] = 60.0
    evaluation = Evaluation([Constraints(SPACE, ["opened <= 50"])])
    state = evaluation.init()
    for role, rows in (("samples", x), ("reference", y), ("train", train)):
        state = evaluation.take(state, role, rows)
    (found,) = evaluation.compute(state)
    assert found.score.value >= 0.2
    assert found.samples is not None
    assert np.sqrt(found.samples.variance) == pytest.approx(found.score.stderr, rel=0.02)


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("opened <= closed", [0, 1, 0, 0]),
        ("closed - opened >= 5", [0, 1, 0, 1]),
        ("2 * opened + 1 != 21", [1, 0, 0, 0]),
        ("city == 'a' or city == 'c'", [0, 1, 0, 1]),
        ("city in ('a', 'c')", [0, 1, 0, 1]),
        ("city not in ('a', 'c')", [1, 0, 1, 0]),
        ("missing(closed)", [1, 1, 0, 1]),
        ("not missing(closed) or status != 'ended'", [0, 0, 1, 0]),
        ("status >= 'running'", [0, 1, 0, 0]),
        ("10 <= opened < 30", [0, 0, 1, 1]),
        ("`price-paid` == 0.3", [0, 1, 1, 1]),
        ("-opened <= -10", [0, 0, 0, 1]),
        ("closed > 1000 and opened > 1000", [1, 1, 1, 1]),
        ("closed > 1000 or opened < 1000", [0, 0, 0, 0]),
        ("not (closed > 10)", [1, 1, 0, 0]),
    ],
)
def test_expressions(text: str, broken: list[int]) -> None:
    rows = np.array(
        [
            [0.0, 0.0, 10.0, 20.0, 2.0, 0.1 + 0.2],
            [1.0, 0.0, 20.0, 15.0, 0.0, 2.0],
            [2.0, 1.0, 30.0, GONE, 2.0, 2.0],
            [5.0, 1.0, 5.0, 9.0, 1.0, 2.0],
        ]
    )
    rule = Expression(text, SPACE)
    assert rule.broken(rows, SPACE).astype(int).tolist() == broken
    assert str(rule) == text


def test_dates_are_compared_with_dates() -> None:
    space = Table((Column("when", "datetime", step=86400.0, low=0.0, high=2e9),))
    rule = Expression("'2020-01-01' <= when", space)
    assert rule.broken(np.array([[1577836800.0], [1577836799.0]]), space).tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("opened <", "the rule 'opened <': expected a rule such as"),
        ("opend < 3", "unknown column 'opend': expected one of .* did you mean 'opened'"),
        ("city == 'q'", "unknown category of 'city' 'q'"),
        ("city < 'b'", "expected == or != for categories without an order"),
        ("city == opened", "expected two categories or two numbers"),
        ("city == state", "expected columns of the same categories"),
        ("opened == 'a'", "expected a number"),
        ("opened", "expected a comparison"),
        ("opened + city > 3", "'city' in the rule .*: expected a column of numbers"),
        ("__import__('os').system('x') == 1", "expected a column, a number"),
        ("'a' == 'b'", "expected a column on one side"),
        ("opened is 3", "expected ==, !="),
        ("city in 'abc'", "expected a list such as"),
        ("opened // 2 == 1", "expected a column, a number, or"),
        ("missing(opened, closed)", "expected a comparison"),
        ("`price-payed` > 1", "unknown column 'price-payed'"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Expression(text, SPACE)


def test_the_census_table() -> None:
    data = open_data("adult-mini")
    assert isinstance(data.space, Table)
    train, test = (filled(part.x.numpy(), data.space) for part in (data.train, data.test))
    names = [str(rule) for rule in discover(train, data.space)]
    assert "education decides `education-num`" in names
    assert "if workclass is missing then occupation is missing" in names
    score = constraint_violations(test, test, train, data.space)
    assert score.value < 0.01
    shuffled = np.stack(
        [np.random.default_rng(p).permutation(test[:, p]) for p in range(test.shape[1])], axis=1
    )
    assert constraint_violations(shuffled, test, train, data.space).low > 0.8
    assert validity(test, test, data.space).value > 0.99
