"""Rules of rows: their words, what they put in, what is found in data, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pushforward.app.runs.admitting import until_kept
from pushforward.core.errors import BadInput
from pushforward.core.given import Known
from pushforward.core.table import Column, Table
from pushforward.data.encoding import encoding_from_json
from pushforward.data.open import open_data
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.marks import missing_mark
from pushforward.data.tables.rules.discovery import discover
from pushforward.data.tables.rules.parsing import parse_rule
from pushforward.data.tables.rules.ruleset import RuleSet, asked_rules

N = 600
NOTHING = np.zeros((0, 6))
SPACE = Table(
    (
        Column("country", "categorical", ("FR", "GB", "CH")),
        Column("currency", "categorical", ("EUR", "GBP", "CHF")),
        Column("in-use", "boolean", ("False", "True")),
        Column("price", "continuous", step=0.01, low=0.0, high=99.0, bounded_below=True),
        Column("qty", "integer", step=1.0, low=1.0, high=9.0, bounded_below=True),
        Column("total", "continuous", step=0.01, low=0.0, high=891.0, missing=True),
    )
)
GONE = missing_mark(SPACE.columns[5])


def orders(seed: int = 0) -> pd.DataFrame:
    """Orders of a shop: nine facts that hold in every row, and two columns about nothing."""
    rng = np.random.default_rng(seed)
    country = rng.choice(["FR", "DE", "CH", "GB"], N, p=[0.4, 0.3, 0.2, 0.1])
    swiss = np.where(rng.random(N) < 0.8, "CHF", "EUR")
    currency = np.where(country == "GB", "GBP", np.where(country == "CH", swiss, "EUR"))
    start = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 700, N), unit="D")
    nights, price = rng.integers(1, 15, N), np.round(rng.lognormal(3, 0.5, N), 2)
    ship, tip = np.round(rng.exponential(5, N), 2), np.round(rng.exponential(2, N), 2)
    seen = start + pd.to_timedelta(rng.exponential(90, N).astype(int), unit="D")
    closed = rng.random(N) < 0.6
    amount = np.round(price * nights, 2)
    return pd.DataFrame(
        {
            "country": country,
            "currency": currency,
            "checkin": start,
            "nights": nights,
            "checkout": start + pd.to_timedelta(nights, unit="D"),
            "seen": seen,
            "price": price,
            "amount": amount,
            "ship": ship,
            "tip": tip,
            "total": np.round(amount + ship + tip, 2),
            "state": np.where(closed, "closed", "open"),
            "days": np.where(closed, rng.integers(1, 90, N), np.nan),
            "celsius": np.round(rng.normal(15, 8, N), 1),
            "luck": rng.normal(size=N),
        }
    ).assign(fahrenheit=lambda rows: np.round(rows.celsius * 1.8 + 32, 2))


def row(**values: float) -> np.ndarray:
    """One filled row."""
    usual = {"country": 0, "currency": 0, "in-use": 0, "price": 2.5, "qty": 3, "total": 7.5}
    return np.array([list({**usual, **values}.values())], dtype=np.float64)


@pytest.mark.parametrize(
    ("text", "kept", "broken"),
    [
        ("if country = 'GB' then currency = 'GBP'", row(), row(country=1)),
        ("IF country == 'GB' THEN currency = 'GBP'", row(country=1, currency=1), row(country=1)),
        ("total = price * qty", row(), row(total=7.52)),
        ("total / qty = price", row(), row(price=2.6)),
        ("qty between 2 and 5", row(), row(qty=6)),
        ("not qty BETWEEN 2 AND 5", row(qty=6), row()),
        ("total is known", row(), row(total=GONE)),
        ("total IS NOT NULL", row(), row(total=GONE)),
        ("total is missing or price <= total", row(total=GONE), row(price=8.0)),
        ("in-use = false", row(), row(**{"in-use": 1})),
        ("`in-use` = 'True' or qty ≤ 3", row(), row(qty=4)),
        ("price <> 3 && qty ≥ 1", row(), row(price=3)),
        ("country != 'CH' || currency in ('CHF', 'EUR')", row(), row(country=2, currency=1)),
        ("qty=3", row(), row(qty=2)),
    ],
)
def test_rules_are_read_as_people_write_them(
    text: str, kept: np.ndarray, broken: np.ndarray
) -> None:
    rule = parse_rule(text, SPACE, NOTHING)
    assert not rule.broken(kept, SPACE)[0]
    assert rule.broken(broken, SPACE)[0]
    assert str(rule) == text


def test_a_sum_is_one_to_half_of_the_step_of_its_column() -> None:
    # 3 * 0.333 would be 0.999, which a column of cents shows as 1.00
    rule = parse_rule("total = 0.333 * qty", SPACE, NOTHING)
    found = [bool(rule.broken(row(total=t), SPACE)[0]) for t in (0.98, 0.99, 1.0, 1.01)]
    assert found == [True, True, False, True]
    # an inequality has no such slack
    assert parse_rule("total <= 0.333 * qty", SPACE, NOTHING).broken(row(total=1.0), SPACE)[0]


def test_dates_are_words_and_units_are_seconds() -> None:
    space = Table(tuple(Column(n, "datetime", step=86400.0, low=0, high=2e9) for n in ("a", "b")))
    empty, days = np.zeros((0, 2)), 86400.0 * np.array([[10.0, 40.0], [10.0, 41.0]])
    assert parse_rule("b - a <= 30 days", space, empty).broken(days, space).tolist() == [
        False,
        True,
    ]
    assert parse_rule("a = '1970-01-11'", space, empty).broken(days, space).tolist() == [False] * 2
    assert parse_rule("b = a + 31 * day", space, empty).broken(days, space).tolist() == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "free", "becomes"),
    [
        ("total = price * qty", "price qty total", row(qty=4, total=10.0)),
        # what is known stays, and the equation is solved for another column
        ("total = price * qty", "price qty", row()),
        ("price = 2 * qty + 1", "price", row(qty=4, price=9.0)),
        # of several that are free the last to be named
        ("20 = price + qty + total", "price qty total", row(qty=4, total=13.5)),
        ("20 = total + qty + price", "price qty total", row(qty=4, price=8.5)),
        ("price = 2 * qty + 1", "qty", row(qty=4)),  # 0.75 is no whole number
        ("if qty = 4 then currency = 'CHF'", "currency", row(qty=4, currency=2)),
        ("if qty = 4 then total is missing", "total", row(qty=4, total=GONE)),
        ("qty <= 3", "qty", row(qty=4)),  # says nothing of which number instead
        ("price = -qty", "price", row(qty=4)),  # a price is not below zero
    ],
)
def test_what_a_rule_says_is_put_in_where_it_may_be(
    text: str, free: str, becomes: np.ndarray
) -> None:
    rule, came = parse_rule(text, SPACE, NOTHING), row(qty=4)
    assert rule.broken(came, SPACE)[0]
    mask = np.array([[column.name in free.split() for column in SPACE.columns]])
    assert rule.repaired(came, SPACE, mask)[0] == pytest.approx(becomes[0])
    assert rule.repaired(came, SPACE, np.zeros_like(mask))[0].tolist() == came[0].tolist()


def test_rules_that_need_each_other_are_kept_together() -> None:
    texts = ["total = price * qty", "price = 2 * qty"]
    rules = RuleSet((*(parse_rule(text, SPACE, NOTHING) for text in texts),))
    rows, broken = rules.kept(row(qty=4), SPACE, np.ones((1, 6), dtype=bool))
    assert rows[0, 3:].tolist() == [8.0, 4.0, 32.0]
    assert not broken.any()
    # where the total is known the price has to be its share, and no rule takes that back
    texts = ["total = 2 * price", "price = 2 * qty"]
    rules = RuleSet((*(parse_rule(text, SPACE, NOTHING) for text in texts),))
    free = np.array([[True] * 5 + [False]])
    rows, broken = rules.kept(row(qty=4, total=12.0), SPACE, free)
    assert rows[0, 3:].tolist() == [6.0, 3.0, 12.0]
    assert not broken.any()
    # rules that are asked of samples alone change no row: it would be no draw given that they hold
    asked = RuleSet(asked=rules.rules)
    same, broken = asked.kept(row(qty=4), SPACE, np.ones((1, 6), dtype=bool))
    assert same.tolist() == row(qty=4).tolist()
    assert broken.all()


def test_what_holds_in_a_shop_is_found_and_nothing_else() -> None:
    data = open_data(orders(), protect=0)
    assert isinstance(data.encoding, TableEncoding)
    assert {str(rule) for rule in data.encoding.rules.rules} == {
        "fahrenheit == 1.8 * celsius + 32",
        "total == amount + ship + tip",
        "amount == nights * price",
        "checkout == checkin + nights * 1 day",
        "checkin <= seen",
        "checkin <= checkout",
        "price <= amount",
        "amount <= total",
        "if country in ('DE', 'FR') then currency == 'EUR'",
        "if country == 'GB' then currency == 'GBP'",
        "if currency == 'CHF' then country == 'CH'",
        "if currency == 'GBP' then country == 'GB'",
        "if state == 'open' then days is missing",
        "if state == 'closed' then days is known",
    }


def test_shuffled_columns_have_no_rules() -> None:
    # a rule must beat chance by a billion; some two hundred candidates in ten tables
    for seed in range(10):
        rows, rng = orders(seed), np.random.default_rng(seed)
        mixed = pd.DataFrame({name: rng.permutation(rows[name].to_numpy()) for name in rows})
        data = open_data(mixed, protect=0)
        assert isinstance(data.encoding, TableEncoding)
        assert data.encoding.rules.rules == ()


def test_rules_hold_in_rows_that_are_let_through() -> None:
    data = open_data(orders())
    encoding = data.encoding
    assert isinstance(encoding, TableEncoding)
    rng = np.random.default_rng(3)
    x = data.train.x
    mixed = torch.stack([x[torch.from_numpy(rng.permutation(len(x))), c] for c in range(16)], dim=1)
    shown, reasons = encoding.admitted(mixed)
    wrong = torch.stack([*reasons.values()]).any(dim=0)
    assert 0 < int(wrong.sum()) < len(x)
    frame = encoding.decode(shown[~wrong])
    assert (frame.checkout == frame.checkin + pd.to_timedelta(frame.nights, unit="D")).all()
    assert np.allclose(frame.total, frame.amount + frame.ship + frame.tip, atol=0.0051)
    assert np.allclose(frame.amount, frame.price * frame.nights, atol=0.0051)
    assert (frame.seen >= frame.checkin).all()
    assert (frame.days.isna() == (frame.state == "open")).all()
    assert set(zip(frame.country, frame.currency, strict=True)) <= set(
        zip(orders().country, orders().currency, strict=True)
    )
    # nothing that too few rows hold is put in by a rule
    assert encoding.hidden(shown[~wrong]) == {}


def test_what_is_known_stays_and_what_it_rules_out_is_said() -> None:
    data = open_data(orders())
    encoding = data.encoding
    assert isinstance(encoding, TableEncoding)
    given = encoding.conditions([{"country": "GB"}, {"country": "GB", "currency": "EUR"}], None)
    assert encoding.impossible(given.known) == {1: "if country == 'GB' then currency == 'GBP'"}
    first = given[:1].known
    assert isinstance(first, Known)
    x = data.train.x[(data.train.x[:, 0] != first.values[0, 0]).nonzero()[:1, 0]]
    x = torch.where(first.mask, first.values, x)
    shown, reasons = encoding.admitted(x, first)
    assert encoding.decode(shown).country.tolist() == ["GB"]
    assert encoding.decode(shown).currency.tolist() == ["GBP"]
    assert not any(bool(which.any()) for which in reasons.values())


def test_unique_rows_and_fixed_combinations() -> None:
    space = Table(tuple(Column(n, "integer", step=1.0, low=0, high=9) for n in ("a", "b")))
    rows = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 2.0]])
    rules = asked_rules(["unique(a, b)", "fixed(a, b)"], space, rows)
    found = rules.broken(np.array([[1.0, 1.0], [2.0, 1.0], [1.0, 1.0], [2.0, 2.0]]), space)
    assert found.tolist() == [[False, False], [False, True], [True, False], [False, False]]
    again = RuleSet.of_json(rules.to_json(), space)
    assert again.broken(rows[[0, 0]], space).tolist() == [[False, False], [True, False]]


def test_a_run_keeps_its_rules() -> None:
    data = open_data(orders(), rules=("seen - checkin <= 5000 days", "fixed(country, currency)"))
    again = encoding_from_json(data.encoding.to_json())
    assert isinstance(data.encoding, TableEncoding)
    assert isinstance(again, TableEncoding)
    texts = [str(rule) for rule in data.encoding.rules.rules]
    assert texts[:2] == ["seen - checkin <= 5000 days", "fixed(country, currency)"]
    assert [str(rule) for rule in again.rules.rules] == texts
    x = torch.flip(data.train.x, dims=(0,))
    mixed = torch.cat([x[:, :1], data.train.x[:, 1:]], dim=1)
    for one, other in zip(data.encoding.admitted(mixed), again.admitted(mixed), strict=True):
        if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
            assert torch.equal(one.nan_to_num(-1.0), other.nan_to_num(-1.0))
    plain = open_data(orders(), discover=False).encoding
    assert isinstance(plain, TableEncoding)
    assert plain.rules.rules == ()


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            ["nights > 3"],
            r"which \d+ of 600 rows break \(rows \d+, \d+, \d+, ...\): expected a rule",
        ),
        (
            ["nights > 7", "nights <= 7"],
            "expected rules that a row can keep together; each of the 600",
        ),
        (["nigths > 3"], "unknown column 'nigths': expected .*did you mean 'nights'"),
        (["country = 'US'"], "unknown category of 'country' 'US'"),
        (["fixed(country)"], "expected two columns or more"),
        (["unique(country, country)"], "expected different columns"),
        (["country decides nation"], "unknown column 'nation'"),
        (["country decides currency"], "'country decides currency', which "),
        (["checkin > 'tomorrow'"], "'checkin=tomorrow': expected a date"),
        (["drop table"], "names of columns with blanks or signs stand in backticks"),
        (["total = " + "1 + " * 3000 + "1"], "a rule of 12,009 characters"),
    ],
)
def test_rules_that_cannot_hold_are_refused(rules: list[str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        open_data(orders(), rules=tuple(rules))


def test_rules_are_found_in_wide_and_in_long_tables_or_not_looked_for() -> None:
    wide = Table(tuple(Column(f"c{i}", "boolean", ("n", "y")) for i in range(400)))
    assert discover(np.zeros((50, 400)), wide) == ()
    space = Table(tuple(Column(n, "integer", step=1.0, low=0, high=9) for n in ("a", "b")))
    a = np.arange(120_000.0) % 7
    rows = np.stack([a, a + 2.0], axis=1)
    assert [str(rule) for rule in discover(rows, space)] == ["b == a + 2"]
    # one row of many breaks it, though not among those in which it was looked for
    rows[1] = [3.0, 9.0]
    assert "b == a + 2" not in [str(rule) for rule in discover(rows, space)]


def test_words_that_a_rule_is_not_about_are_left_alone() -> None:
    space = Table((Column("said", "categorical", ("a = b", "if x then y", "null")),))
    rule = parse_rule("said in ('a = b', \"if x then y\")", space, np.zeros((0, 1)))
    assert rule.broken(np.array([[0.0], [1.0], [2.0]]), space).tolist() == [False, False, True]
    assert math.isclose(len(rule.places), 1)


def test_a_file_of_rules(tmp_path: Path) -> None:
    from pushforward.app.verbs.shared import rules_in

    path = tmp_path / "rules.txt"
    path.write_text("# of the shop\n\n  checkin <= checkout \nnights >= 1\n", encoding="utf-8")
    assert rules_in(("a > 1",), path) == ("a > 1", "checkin <= checkout", "nights >= 1")
    path.write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(BadInput, match="without a rule"):
        rules_in((), path)
    with pytest.raises(BadInput, match="a file of text"):
        rules_in((), tmp_path)


def test_rows_are_drawn_until_no_two_share_what_is_unique() -> None:
    """Every row of ten seats has one of its own, also where it was drawn in a later round."""
    frame = pd.DataFrame({"seat": np.arange(10) % 10, "who": list("ab") * 5})
    data = open_data(
        pd.concat([frame] * 4).assign(day=np.repeat(np.arange(4), 10)),
        rules=("unique(seat, day)",),
        discover=False,
        protect=0,
        columns={"day": "integer", "seat": "integer"},
    )
    space, rng = data.space, np.random.default_rng(0)

    def again(places: torch.Tensor, turn: int) -> torch.Tensor:
        seats = [rng.integers(0, 10, len(places)), rng.integers(0, 2, len(places))]
        return torch.from_numpy(np.stack([*seats, np.zeros(len(places))], axis=1).astype(float))

    raw = again(torch.arange(10), 0)
    assert len(raw[:, 0].unique()) < 10
    x, wrong, found = until_kept(data.encoding, raw, None, again)
    assert not wrong.any()
    assert sorted(x[:, 0].tolist()) == list(range(10))
    assert found.first == 10 < found.drawn
    assert found.kept == len(raw[:, 0].unique())
    assert data.encoding.decode(space.check(x)).seat.is_unique
