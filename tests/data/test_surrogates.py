"""Identifiers and personal data come back made anew: written alike, unique, and never real."""

from __future__ import annotations

import json
import random
import re
import string
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import pushforward as pf
from people import people
from pushforward.core.errors import BadInput
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.surrogates.bloom_filter import BloomFilter
from pushforward.data.tables.surrogates.key import KeySurrogate
from pushforward.data.tables.surrogates.kinds import is_card, is_iban
from pushforward.data.tables.surrogates.names import name_form
from pushforward.data.tables.surrogates.records import surrogate_from_json, surrogate_to_json

R = random.Random(0)
N = 600
TWO = [a + b for a in string.ascii_uppercase for b in string.ascii_uppercase]


def _token(letters: str, n: int) -> str:
    return "".join(R.choices(letters, k=n))


KEYS: dict[str, tuple[list[str] | list[int], str]] = {
    "padded": ([f"AB-{n:05d}" for n in range(1, N)], r"AB-\d{5}"),
    "counter": (list(range(1, N)), r"\d+"),
    "counter in words": ([f"user{n}" for n in range(N)], r"user\d+"),
    "sparse": (R.sample(range(10**9, 10**10), N), r"[1-9]\d{9}"),
    "uuid": (
        [str(uuid.UUID(int=R.getrandbits(128), version=4)) for _ in range(N)],
        r"[0-9a-f-]{36}",
    ),
    "UUID": (
        [str(uuid.UUID(int=R.getrandbits(128), version=4)).upper() for _ in range(N)],
        r"[0-9A-F-]{36}",
    ),
    "hash": ([_token("0123456789abcdef", 32) for _ in range(N)], r"[0-9a-f]{32}"),
    "token": (
        ["usr_" + _token(string.ascii_lowercase + string.digits, 10) for _ in range(N)],
        r"usr_[0-9a-z]{10}",
    ),
    "two prefixes": (
        [f"{R.choice(['INV', 'CR'])}/2024/{n:04d}" for n in range(N)],
        r"(INV|CR)/2024/\d{4,5}",
    ),
    "plate": (
        [f"{_token('ABCDEFGH', 2)}-{n:03d}-{_token('ABCDEFGH', 2)}" for n in range(N)],
        r"[A-Z]{2}-\d{3}-[A-Z]{2}",
    ),
    "few letters": (
        [f"{a}{b}7" for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"][
            :N
        ],
        r"[A-Z]{2}7(-\d+)?",
    ),
}


@pytest.mark.parametrize(("values", "mark"), KEYS.values(), ids=KEYS.keys())
def test_keys_are_written_alike_unique_and_never_real(
    values: list[str] | list[int], mark: str
) -> None:
    surrogate = KeySurrogate.of(values)
    assert surrogate is not None
    made = surrogate.made(2 * N, seed=3, label="id")
    assert len(set(made)) == len(made)
    assert not set(made) & set(values)
    assert {type(value) for value in made} == {type(values[0])}
    assert all(re.fullmatch(mark, str(value)) for value in made)
    # the first are the same however many are drawn; another seed makes others, where there are any
    assert surrogate.made(50, seed=3, label="id") == made[:50]
    assert surrogate_from_json(json.loads(json.dumps(surrogate_to_json(surrogate)))) == surrogate


def test_made_uuids_are_of_the_version_of_the_real() -> None:
    surrogate = KeySurrogate.of(KEYS["uuid"][0])
    assert surrogate is not None
    made = [uuid.UUID(str(value)) for value in surrogate.made(1000, 0, "id")]
    assert {(one.version, one.variant) for one in made} == {(4, uuid.RFC_4122)}


@pytest.mark.parametrize("name", ["padded", "sparse", "token", "plate"])
def test_none_of_a_hundred_thousand_keys_is_real(name: str) -> None:
    values = KEYS[name][0]
    surrogate = KeySurrogate.of(values)
    assert surrogate is not None
    made = surrogate.made(100_000, seed=0, label="id")
    assert len(set(made)) == 100_000
    assert not set(made) & set(values)


def test_a_filter_forgets_nothing_and_mistakes_few() -> None:
    values = [f"{n:x}" for n in range(20_000)]
    seen = BloomFilter.of(values)
    assert seen.among(values).all()
    others = [f"other {n}" for n in range(100_000)]
    # (1 - exp(-1/2))^8 = 5.7e-4: 57 of 100,000, of standard deviation 7.6; false alarm 1e-9
    assert 57 - 46 < seen.among(others).sum() < 57 + 46


@pytest.mark.parametrize(
    "values",
    [
        ["Mary Jones", "John Smith", "Ann Brown"],
        ["red", "green", "blue"],
        [f"{_token(string.ascii_lowercase, R.randrange(4, 9))}" for _ in range(N)],
        ["1a", "22", "x-3"],
    ],
    ids=["names", "colours", "words", "mixed"],
)
def test_words_are_no_pattern(values: list[str]) -> None:
    assert KeySurrogate.of(values) is None


def test_every_column_comes_back_in_order_with_its_dtype(tmp_path: Path) -> None:
    frame = people(300)
    frame["account"] = pd.array(
        [None if n % 5 == 0 else 10**6 + 7 * n for n in range(300)], dtype="Int64"
    )
    frame["thing"] = [f"Thing {_token('abcdefghij', R.randrange(5, 9))}" for _ in range(300)]
    frame["note"] = [
        f"She said that number {n} was not the one she had in mind." for n in range(300)
    ]
    frame.to_parquet(tmp_path / "people.parquet")
    fitted = pf.fit("autoregressive", tmp_path / "people.parquet", steps=20, seed=0, progress=False)
    drawn = fitted.sample(200, seed=1)
    assert list(drawn.columns) == list(frame.columns)
    assert drawn.dtypes.to_dict() == frame.dtypes.to_dict()
    for name in (
        "customer_id",
        "first_name",
        "last_name",
        "email",
        "iban",
        "thing",
        "note",
        "account",
    ):
        counts = frame[name].value_counts()
        assert not set(drawn[name].dropna()) & set(counts[counts < 5].index), name
    # a fifth is missing: of 200 rows 40, of standard deviation 5.7; false alarm 1e-9
    assert 6 < drawn["account"].isna().sum() < 75
    assert drawn["customer_id"].is_unique
    assert drawn["email"].str.fullmatch(r"[a-z.]+\d+@example\.(com|org|net)").all()
    assert drawn["iban"].map(is_iban).all()
    # columns of one row are of one person
    assert all(
        mail.startswith(re.sub("[^a-z]", "", _ascii(first))[:3])
        for mail, first in zip(drawn["email"], drawn["first_name"], strict=True)
    )
    assert fitted.sample(200, seed=1).equals(drawn)
    assert not (fitted.sample(200, seed=2)["email"] == drawn["email"]).any()


def _ascii(word: str) -> str:
    import unicodedata

    spelled = word.replace("ß", "ss").lower()
    return unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()


def test_an_encoding_with_surrogates_is_kept_with_its_run() -> None:
    frame = people(200)
    encoding = TableEncoding.of(frame)
    again = TableEncoding.from_json(json.loads(json.dumps(encoding.to_json())))
    assert again == encoding
    x = encoding.encode(frame)
    assert torch.equal(again.encode(frame.drop(columns=["email"])), x)  # nothing of it is read
    assert again.seeded(5).decode(x).equals(encoding.seeded(5).decode(x))
    assert not again.seeded(6).decode(x)["email"].equals(encoding.seeded(5).decode(x)["email"])
    assert again.decode(x)["age"].equals(frame["age"])


def test_what_is_kept_or_declared_is_modelled() -> None:
    frame = people(200)
    columns = {one.name for one in TableEncoding.of(frame, keep=["email"]).space.columns}
    assert "email" in columns
    assert "first_name" not in columns
    declared = TableEncoding.of(frame, {"first_name": "categorical"})
    assert "first_name" in {one.name for one in declared.space.columns}


def test_a_column_is_a_key_or_personal_data_because_somebody_says_so() -> None:
    frame = people(200).rename(columns={"first_name": "who"})
    frame["who"] = [frame["who"][n % 40] for n in range(200)]  # as few as categories are
    frame["score"] = np.arange(200) * 37 + 11
    plain = {one.label: one.role for one in TableEncoding.of(frame).stored}
    assert (plain["who"], plain["score"]) == ("modelled", "modelled")
    told = TableEncoding.of(frame, {"who": "name", "score": "key"})
    roles = {one.label: one.role for one in told.stored}
    assert (roles["who"], roles["score"]) == ("surrogate", "surrogate")
    made = told.decode(told.encode(frame))
    assert made["score"].dtype == frame["score"].dtype
    assert not set(made["score"]) & set(frame["score"])


def test_bad_declarations() -> None:
    frame = pd.DataFrame({"id": [f"A{n:03d}" for n in range(40)] + ["A007"], "x": range(41)})
    with pytest.raises(
        BadInput, match=r"'A007' in column 'id' declared a key, at row 7 .* and row 40"
    ):
        TableEncoding.of(frame, {"id": "key"})
    with pytest.raises(BadInput, match=r"column 'x' of dtype int64 declared email"):
        TableEncoding.of(frame, {"x": "email"})
    with pytest.raises(
        BadInput, match=r"kind 'emial' of column 'id': expected one of .*key, .*name, email"
    ):
        TableEncoding.of(frame, {"id": "emial"})


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("product_name", ["Rose", "Paris", "Florence"]),
        ("city", ["Florence", "Austin", "Victoria", "Charlotte"]),
        ("state", ["Virginia", "Georgia", "Carolina"]),
        ("name", ["Widget A", "Gear 7", "Sprocket"]),
        ("name", ["Toyota Corolla", "Audi Quattro", "Fiat Panda"]),
        ("file_name", ["anna.txt", "peter.txt"]),
    ],
)
def test_other_names_are_no_persons(label: str, values: list[str]) -> None:
    assert name_form(label, values) is None


@pytest.mark.parametrize(
    ("label", "values", "form"),
    [
        ("name", ["Jones, Mary", "Smith, John"], ("reversed", "", "en_US")),
        ("Vorname", ["Jörg", "Heike", "Uwe", "Annegret"], ("first", "", "de_DE")),
        ("NAME", ["MARY JONES", "JOHN SMITH"], ("full", "upper", "en_US")),
        ("patientName", ["Mary Jones", "John Smith"], ("full", "", "en_US")),
    ],
)
def test_names_are_written_as_the_real_ones(
    label: str, values: list[str], form: tuple[str, str, str]
) -> None:
    found = name_form(label, values)
    assert found is not None
    assert (found.parts, found.case, found.locale) == form


def test_cards_and_accounts_have_their_check_digits() -> None:
    # published test numbers; a wrong digit is told
    assert is_card("4242424242424242")
    assert is_card("378282246310005")
    assert not is_card("4242424242424241")
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE88370400440532013000")


def test_single_things_are_numbered_past_the_real() -> None:
    values = ["thing 2", *(_token("abcdefgh", 3 + n % 5) + " x" * (n % 3) for n in range(60))]
    frame = pd.DataFrame({"thing": values, "x": range(61)})
    encoding = TableEncoding.of(frame)
    back = encoding.decode(encoding.encode(frame))["thing"]
    assert back.is_unique
    assert not set(back) & set(values)
    assert back[:2].tolist() == ["thing 1", "thing 3"]
