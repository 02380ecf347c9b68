"""Tables: what is inferred, what comes back, what is refused and with which sentence."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from pandas.testing import assert_frame_equal

from pushforward.core.errors import BadInput
from pushforward.core.space import Points
from pushforward.core.table import Column, Table
from pushforward.data.dataset import describe
from pushforward.data.encoding import encoding_from_json
from pushforward.data.open import open_data
from pushforward.data.tables.delimited import delimiter_of, read_text
from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.schema import infer

ADULT = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "tables" / "adult.data"
FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def round_trip(frame: pd.DataFrame, **arguments: Any) -> TableEncoding:
    """Encode, save as JSON, load, decode, compare in everything; return the encoding."""
    keep = [str(name) for name in frame.columns]
    encoding = TableEncoding.of(frame, keep=keep, **arguments)
    loaded = encoding_from_json(json.loads(json.dumps(encoding.to_json())))
    assert loaded == encoding
    assert isinstance(loaded, TableEncoding)
    x = encoding.encode(frame)
    assert x.dtype == torch.float64
    back, plain = loaded.decode(x), frame.reset_index(drop=True)
    for stored, kept in encoding.modelled:
        if stored.rounded:
            # only columns that a note declares rounded may differ, by half a step
            assert kept.step is not None
            assert back[stored.name].dtype == plain[stored.name].dtype
            assert (
                (back[stored.name] - plain[stored.name]).abs().fillna(0) <= 0.5001 * kept.step
            ).all()
            back[stored.name] = plain[stored.name]
    assert_frame_equal(back, plain, rtol=0, atol=0)
    return encoding


def column(values: Any, dtype: Any = None, **arguments: Any) -> Column:
    """The inferred column of values that vary."""
    return infer(pd.DataFrame({"c": pd.Series(values, dtype=dtype)}), **arguments).table.columns[0]


# ---- round trip -------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)


def a_series(draw: Any, n: int) -> pd.Series:
    plain = [
        "int64",
        "Int64",
        "uint8",
        "float64",
        "Float64",
        "float32",
        "bool",
        "boolean",
        "object",
        "string",
        "str",
    ]
    kind = draw(
        st.sampled_from([*plain, "category", "ordered", "datetime", "zoned", "cents", "huge"])
    )
    gaps = draw(st.booleans()) and kind in (
        "Int64",
        "float64",
        "Float64",
        "boolean",
        "object",
        "string",
        "str",
        "category",
    )

    def cells(strategy: Any) -> list[Any]:
        drawn = draw(st.lists(strategy, min_size=n, max_size=n))
        return [None if gaps and draw(st.booleans()) else value for value in drawn]

    if kind in ("int64", "Int64"):
        return pd.Series(cells(st.integers(-(2**52), 2**52)), dtype=kind)
    if kind == "uint8":
        return pd.Series(cells(st.integers(0, 255)), dtype=kind)
    if kind in ("float64", "Float64", "float32"):
        strategy = (
            NUMBERS
            if kind != "float32"
            else st.floats(allow_nan=False, allow_infinity=False, width=32)
        )
        return pd.Series(
            cells(st.one_of(strategy, st.just(-0.0), st.integers(-9, 9).map(float))), dtype=kind
        )
    if kind in ("bool", "boolean"):
        return pd.Series(cells(st.booleans()), dtype=kind)
    if kind in ("object", "string", "str"):
        values = cells(
            st.one_of(
                TEXT, st.sampled_from(["", "?", "NA", "a,b", "x=1", "Ja", "ja", "naïve", "\n"])
            )
        )
        return pd.Series(values, dtype=kind)
    if kind in ("category", "ordered"):
        levels = draw(st.lists(TEXT, min_size=1, max_size=5, unique=True))
        values = cells(st.sampled_from(levels))
        return pd.Series(
            pd.Categorical(values, categories=[*levels, "unused level"], ordered=kind == "ordered")
        )
    if kind in ("datetime", "zoned"):
        moments = draw(
            st.lists(
                st.datetimes(pd.Timestamp(1900, 1, 1), pd.Timestamp(2100, 1, 1)),
                min_size=n,
                max_size=n,
            )
        )
        series = pd.Series(pd.to_datetime(moments)).astype(
            draw(st.sampled_from(["datetime64[us]", "datetime64[ns]"]))
        )
        if draw(st.booleans()):
            series = series.dt.floor("D")
        if gaps or draw(st.booleans()):
            series[draw(st.integers(0, n - 1))] = pd.NaT
        return (
            series.dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")
            if kind == "zoned"
            else series
        )
    if kind == "cents":
        return pd.Series([value / 100 for value in cells(st.integers(-(10**8), 10**8))])
    return pd.Series(cells(st.sampled_from([2**53 + 1, 2**60, -(2**61) - 1, 3])), dtype="int64")


@st.composite
def frames(draw: Any) -> pd.DataFrame:
    n = draw(st.integers(1, 9))
    names = draw(
        st.lists(
            st.one_of(TEXT, st.sampled_from(["a,b", "a=b", "a\nb", "A", "a"])),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    return pd.DataFrame({name: a_series(draw, n) for name in names})


@FEW
@given(frames())
def test_a_frame_comes_back_as_it_was(frame: pd.DataFrame) -> None:
    try:
        round_trip(frame)
    except BadInput as error:
        # nothing varies: there is nothing to model, and the sentence says so
        assert "no column to model" in str(error)  # noqa: PT017


def test_a_frame_of_everything_comes_back() -> None:
    frame = pd.DataFrame(
        {
            "int": [3, -1, 2**52 - 1],
            "Int": pd.array([1, None, 300], dtype="Int16"),
            "uint8": np.array([0, 255, 7], dtype="uint8"),
            "float": [0.1, -0.0, math.pi],
            "gap": [1.5, np.nan, 2.25],
            "float32": np.array([0.1, 1e-30, -7.0], dtype="float32"),
            "bool": [True, False, True],
            "boolean": pd.array([True, None, False], dtype="boolean"),
            "str": ["", "née", "?"],
            "object": pd.Series(["b", None, "a"], dtype=object),
            "string": pd.array(["x", pd.NA, "y"], dtype="string"),
            "mixed": pd.Series([1, "b", "c"], dtype=object),
            "flags": pd.Series([True, None, False], dtype=object),
            "category": pd.Categorical(
                ["lo", None, "hi"], categories=["lo", "mid", "hi"], ordered=True
            ),
            "codes": pd.Categorical([30, 10, 30], categories=[30, 20, 10]),
            "ns": pd.to_datetime(
                ["2024-01-31", None, "1999-12-31 23:59:59.000001"], format="ISO8601"
            ),
            "zone": pd.to_datetime(
                ["2024-01-31", "2024-03-31 01:30", "2024-10-27 00:30"], format="ISO8601"
            ).tz_localize("Asia/Tokyo"),
            "offset": pd.Series(
                pd.to_datetime(
                    ["2024-01-31T00:00+05:30", "2024-01-31T07:00+05:30", None], format="ISO8601"
                )
            ),
            "same": ["always"] * 3,
            "same time": pd.to_datetime(["2020-02-02"] * 3),
            "never": [np.nan] * 3,
            "never any": pd.Series([None] * 3, dtype=object),
            "never cat": pd.Categorical([None] * 3, categories=["a"]),
            "huge": [2**60 + 1, -(2**61) - 1, 2**60 + 1],
            7: [1, 2, 3],
        }
    )
    encoding = round_trip(frame)
    roles = {stored.label: stored.role for stored in encoding.stored}
    assert [name for name, role in roles.items() if role == "constant"] == ["same", "same time"]
    assert [name for name, role in roles.items() if role == "absent"] == [
        "never",
        "never any",
        "never cat",
    ]
    kinds = {c.name: c.kind for c in encoding.space.columns}
    assert kinds["category"] == "ordinal"
    assert kinds["codes"] == kinds["mixed"] == kinds["huge"] == "categorical"
    assert kinds["flags"] == kinds["boolean"] == "boolean"


def test_index_is_reset_and_column_order_kept() -> None:
    frame = pd.DataFrame({"b": [1, 2, 4], "a": ["x", "y", "x"]}, index=[9, 4, 7])
    encoding = round_trip(frame)
    assert list(encoding.decode(encoding.encode(frame[["a", "b"]])).columns) == ["b", "a"]


def test_samples_wider_than_the_dtype_widen_it() -> None:
    encoding = TableEncoding.of(
        pd.DataFrame({"n": np.array([0, 200, 7], dtype="uint8"), "m": [0, 1, 5]})
    )
    out = encoding.decode(torch.tensor([[300.0, 1.0], [5.0, 1e19]], dtype=torch.float64))
    assert out["n"].tolist() == [300, 5]
    assert out["n"].dtype == np.int64
    assert out["m"].tolist() == [1.0, 1e19]


# ---- inference ----------------------------------------------------------------------------------------------------------


def test_kinds_grids_and_bounds() -> None:
    ages = column([17, 90, 33])
    assert (ages.kind, ages.step, ages.low, ages.high) == ("integer", 1.0, 0.0, 90.0)
    assert (ages.bounded_below, ages.bounded_above) == (True, False)
    grades = column([1, 2, 3, 4] * 5)
    assert (grades.low, grades.high, grades.bounded_below, grades.bounded_above) == (
        1.0,
        4.0,
        True,
        True,
    )
    assert not column([-3, 2, 50]).bounded_below
    prices = column([0.99, 12.5, 3.0])
    assert (prices.kind, prices.step, prices.measure) == ("continuous", 0.01, "counting")
    assert column([0.123456, 2.0]).step == 1e-6
    real = column([0.1 + 0.2, math.pi, 1e-9])
    assert (real.step, real.measure, real.bounded_below) == (None, "lebesgue", True)
    assert column([1.0, 2.0, None]).kind == "integer"
    assert column([1.0, 2.0, None]).missing
    assert column(["a", "b"]).categories == ("a", "b")
    assert column([True, False]).categories == ("False", "True")
    assert column([5, 9], bounds="observed").low == 5
    assert column([5, 9], bounds="observed").bounded_above
    assert not column([5, 9], bounds="none").bounded_below
    days = column(pd.to_datetime(["2024-01-31", "2024-02-29"]))
    assert (days.kind, days.step, days.high) == ("datetime", 86400.0, 1709164800.0)
    assert column(pd.to_datetime(["2024-01-31 10:00", "2024-02-29 12:00"])).step == 3600.0


def test_a_spike_among_real_numbers_is_put_on_a_fine_grid() -> None:
    values = np.where(np.arange(200) % 3 == 0, 0.0, np.random.default_rng(0).gamma(1.0, 5.0, 200))
    schema = infer(pd.DataFrame({"rain": values}))
    assert schema.table.columns[0].measure == "counting"
    assert "recur too often for a density" in schema.notes[0]
    encoding = TableEncoding.of_schema(schema)
    back = encoding.decode(encoding.encode(pd.DataFrame({"rain": values})))["rain"]
    assert np.abs(back - values).max() <= schema.table.columns[0].step / 2  # type: ignore[operator]
    assert int((back == 0).sum()) == int((values == 0).sum())


def test_what_double_precision_cannot_hold_is_said() -> None:
    frame = pd.DataFrame(
        {"t": pd.to_datetime(["2024-01-31 10:00:00.123456789", "2150-01-31"], format="ISO8601")}
    )
    frame["late"] = pd.to_datetime(["2150-01-31 10:00:00.123456", "2024-01-31"], format="ISO8601")
    frame["n"] = [2**52, 1]
    schema = infer(frame)
    assert (
        "nanoseconds, kept to the m" in schema.notes[0]
        or "kept to the millisecond" in schema.notes[0]
    )
    assert "beyond the year 2112, kept to the millisecond" in schema.notes[1]
    assert "beyond 2^52" in schema.notes[2]
    encoding = TableEncoding.of_schema(schema)
    back = encoding.decode(encoding.encode(frame))
    for name in ("t", "late"):
        assert (back[name] - frame[name]).abs().max() <= pd.Timedelta("500us")
    assert back["n"].tolist() == [2**52, 1]


def test_every_decision_is_a_sentence() -> None:
    frame = pd.DataFrame(
        {"age": [*range(17, 57), 30, None], "name": [f"n{i}" for i in range(42)], "row": range(42)}
    )
    frame["country"] = "NL"
    notes = infer(frame).notes
    assert (
        notes[0] == "column 'age': 40 distinct integers from 17 to 56, so integer, never below 0; "
        "1 of 42 values are missing, and missing is modelled"
    )
    assert "42 distinct values in 42 rows, written as n##, so a key" in notes[1]
    assert "counts the rows" in notes[2]
    assert "one value only" in notes[3]
    kept = infer(frame, keep={"name", "row"})
    assert [c.name for c in kept.table.columns] == ["age", "name", "row"]
    # identifiers come back as others, everything else as it was
    encoding = TableEncoding.of(frame)
    back = encoding.decode(encoding.encode(frame))
    assert list(back.columns) == list(frame.columns)
    assert_frame_equal(back[["age", "country"]], frame[["age", "country"]])
    for name in ("name", "row"):
        assert not set(back[name]) & set(frame[name])
        assert back[name].dtype == frame[name].dtype


def test_declarations_override_inference() -> None:
    frame = pd.DataFrame(
        {
            "zip": [1011, 2022, 1011],
            "size": ["S", "L", "M"],
            "n": [1, 5, 9],
            "day": ["2024-01-31"] * 2 + ["2024-02-01"],
        }
    )
    columns = {"zip": "categorical", "size": ["S", "M", "L"], "n": "ordinal", "day": "datetime"}
    encoding = TableEncoding.of(frame, columns)
    kinds = [c.kind for c in encoding.space.columns]
    assert kinds == ["categorical", "ordinal", "ordinal", "datetime"]
    assert encoding.space.columns[1].categories == ("S", "M", "L")
    assert encoding.encode(frame)[:, 1].tolist() == [0.0, 2.0, 1.0]
    out = encoding.decode(encoding.encode(frame))
    assert_frame_equal(out[["zip", "size", "n"]], frame[["zip", "size", "n"]])
    assert out["day"].dtype.kind == "M"
    real = TableEncoding.of(frame[["n"]], {"n": "continuous"})
    assert real.space.measure == "lebesgue"
    assert real.decode(real.encode(frame[["n"]]))["n"].dtype == np.float64


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"n": "catgorical"}, r"kind 'catgorical' of column 'n': expected one of"),
        ({"m": "integer"}, r"a declaration of column 'm': expected a column of the table"),
        (
            {"word": "integer"},
            r"'a' in column 'word' declared integer, at row 0 .*: expected numbers",
        ),
        (
            {"half": "integer"},
            r"0.5 in column 'half' declared integer, at row 0 .*: expected whole numbers",
        ),
        ({"n": "boolean"}, r"column 'n' of 3 values: expected two for a boolean"),
        ({"word": ["a", "b"]}, r"'c' in column 'word', row 2 .*: expected a level among"),
        ({"word": "datetime"}, r"column 'word' declared datetime .*ISO 8601"),
    ],
)
def test_declarations_that_do_not_fit(columns: dict[str, Any], said: str) -> None:
    frame = pd.DataFrame({"n": [1, 2, 3], "word": ["a", "b", "c"], "half": [0.5, 1.0, 2.0]})
    with pytest.raises(BadInput, match=said):
        infer(frame, columns)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"a": []}), r"a table of 0 rows and 1 columns"),
        (pd.DataFrame([[1, 2], [2, 3]], columns=["a", "a"]), r"two columns named 'a'"),
        (pd.DataFrame([[1, 2], [2, 3]], columns=[1, "1"]), r"two columns named '1'"),
        (pd.DataFrame({("a", "b"): [1, 2]}), r"a column named \('a', 'b'\)"),
        (pd.DataFrame({"a": [1.0, np.inf, 2.0]}), r"infinity in column 'a', row 1"),
        (pd.DataFrame({"a": [1j, 2j]}), r"column 'a' of dtype complex128"),
        (pd.DataFrame({"a": pd.Series([[1], [2]], dtype=object)}), r"list"),
        (pd.DataFrame({"a": pd.Series([1, 2, 3, "x"], dtype=object)}), r"'x' in column 'a', row 3"),
        (pd.DataFrame({"a": [7, 7, 7], "b": [None] * 3}), r"no column to model .*one value only"),
    ],
)
def test_frames_that_cannot_be_used(frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        infer(frame)


def test_a_column_of_many_names_is_an_identifier_and_a_bad_cell_is_named_by_its_place() -> None:
    # comparing every value with every name would take minutes here
    frame = pd.DataFrame({"id": [f"user-{i}" for i in range(60_000)], "v": np.arange(60_000) % 7})
    found = infer(frame)
    assert [column.name for column in found.table.columns] == ["v"]
    assert "60000 distinct values in 60000 rows, written as user-#####, so a key" in found.notes[0]
    assert "`--keep id`" in found.notes[0]
    assert len(infer(frame, keep=["id"]).table.columns[0].categories) == 60_000
    odd = pd.DataFrame(
        {"a": pd.Series([None, "x", "y", None, (1,)], dtype=object, index=list("pqrst"))}
    )
    with pytest.raises(BadInput, match=r"a tuple in column 'a', row 4"):
        infer(odd)


# ---- other data through the same schema -------------------------------------------------------------------------------------


def people() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [39, 50, 17] * 9,
            "edu,cation": ["Bachelors", "HS-grad", "Masters"] * 9,
            "job=now": ["a", None, "b=c,d"] * 9,
            "price": [1.25, 2.5, 1.0] * 9,
            "born": pd.to_datetime(["2000-01-31", "1990-05-01", "2001-02-02"] * 9),
            "const": [1] * 27,
        }
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"edu,cation": ["Bachelor", "HS-grad", "Masters"] * 9},
            r"unknown category 'Bachelor' in column 'edu,cation', row 0.*'Bachelors'",
        ),
        (
            {"age": [39, -50, 17] * 9},
            r"-50 in column 'age', row 1 .*expected 17 to 50.*bounds='none'",
        ),
        ({"age": [39, 40.5, 17] * 9}, r"40.5 in column 'age', row 1 .*multiples of 1"),
        ({"age": [39, None, 17] * 9}, r"a missing value in column 'age', row 1"),
        ({"price": [1.25, 2.555, 1.0] * 9}, r"2.555 in column 'price', row 1 .*multiples of 0.01"),
        ({"price": [1.25, np.inf, 1.0] * 9}, r"infinity in column 'price', row 1"),
        ({"price": ["1.25", "x", "1"] * 9}, r"'x' in column 'price', row 1 .*a number"),
        ({"born": ["x"] * 27}, r"column 'born' .*ISO 8601"),
        ({"const": [1] * 26 + [2]}, r"2.* in column 'const', row 26 .*1.* only"),
        ({"agee": [1] * 27}, r"a column 'agee' that the training table does not have.*'age'"),
    ],
)
def test_other_tables_must_fit(changes: dict[str, Any], said: str) -> None:
    encoding = TableEncoding.of(people())
    with pytest.raises(BadInput, match=said):
        encoding.encode(people().assign(**changes))
    with pytest.raises(BadInput, match=r"a table without the column 'age'.*'agee'"):
        encoding.encode(people().rename(columns={"age": "agee"}))
    assert len(encoding.read(people())) == 27


def test_given_as_text() -> None:
    encoding = TableEncoding.of(people())
    known = encoding.parse_given("edu,cation=Masters,age=37,job=now=b=c,d", 3).known
    assert known is not None
    assert known.mask.tolist() == [[True, True, True, False, False]] * 3
    assert known.values[0, :3].tolist() == [37.0, 2.0, 1.0]
    moment = encoding.parse_given("born=1990-05-01,price=1.25,const=1", 1).known
    assert moment is not None
    assert moment.values[0, 3:].tolist() == [1.25, 641520000.0]
    gone = encoding.parse_given("job=now=?", 1).known
    assert gone is not None
    assert math.isnan(float(gone.values[0, 2]))
    for text, said in (
        ("ages=3", r"unknown column 'ages': expected one of age.*did you mean 'age'"),
        ("age=37,agee=3", r"unknown column 'agee'.*did you mean 'age'"),
        (
            "edu,cation=Bachelor",
            r"unknown category 'Bachelor' of column 'edu,cation'.*did you mean 'Bachelors'",
        ),
        ("age=young", r"'age=young': expected a number"),
        ("age=37.5", r"'age=37.5': expected a multiple of 1"),
        ("age=-1", r"'age=-1': expected 17 to 50"),
        ("price=-1", r"'price=-1': expected 0 or more"),
        ("age=", r"'age=': expected a number"),
        ("born=soon", r"'born=soon': expected a date"),
        ("age=37,age=38", r"'age' given twice"),
        ("const=2", r"'const=2': expected 1, the only value"),
        ("Masters", r"the condition 'Masters': expected column=value"),
    ):
        with pytest.raises(BadInput, match=said):
            encoding.parse_given(text, 1)


# ---- files ------------------------------------------------------------------------------------------------------------------


def test_delimiters_headers_and_missing_words(tmp_path: Path) -> None:
    for delimiter in (",", ";", "\t", "|"):
        assert delimiter_of(f"a{delimiter}b\n1.5{delimiter}x\n2.5{delimiter}y\n") == delimiter
    sheet = read_text(
        '39, State-gov, 77516\n50, ?, 83311\n38, "Pri,vate", 215646\n', "adult", "adult"
    )
    assert list(sheet.frame.columns) == ["x0", "x1", "x2"]
    assert sheet.frame["x1"].tolist()[0::2] == ["State-gov", "Pri,vate"]
    assert bool(sheet.frame["x1"].isna()[1])
    words = read_text("colour,shape\nred,round\nblue,square\nred,square\n", "w", "w")
    assert list(words.frame.columns) == ["colour", "shape"]
    data = read_text("red,round\nblue,square\nred,round\n", "w", "w")
    assert len(data.frame) == 3
    typed = read_text(
        "n,m,p,flag,day,zip,id\n1,,1.5,True,2024-01-31,01234,12345678901234567890\n2,7,NA,False,2024-02-01,99999,1\n",
        "t",
        "t",
    ).frame
    assert [str(d) for d in typed.dtypes][:4] == ["int64", "Int64", "float64", "bool"]
    assert typed["day"].dtype.kind == "M"
    assert typed["zip"].tolist() == ["01234", "99999"]
    assert typed["id"].tolist()[0] == "12345678901234567890"
    times = read_text(
        "a,b,c\n2024-01-31 10:00,2024-01-31T10:00-05:00,2024-01-31\n2024-02-01 10:00,2024-02-01T10:00Z,2024-02-01T10:00Z\n"
        "2024-02-01 10:00,,2024-02-01\n",
        "t",
        "t",
    ).frame
    assert times["a"].dt.tz is None
    # offsets that differ are kept, and what a frame cannot hold stays the cell that it is
    assert times["b"].tolist()[:2] == ["2024-01-31T10:00-05:00", "2024-02-01T10:00Z"]
    # local and zoned times in one column stay text
    assert times["c"][0] == "2024-01-31"
    single = read_text("word\na\n\nb\n", "s", "s").frame
    assert single["word"].tolist() == ["a", "b"]
    # blank lines are no rows; a row without values is one
    assert read_text("u,v\n1,a\n,\n\n2,b\n", "g", "g").frame["v"].isna().tolist() == [
        False,
        True,
        False,
    ]


def body(n: int = 30) -> str:
    return "".join(f"{i % 7},{'ab'[i % 2]},{i * i % 11}\n" for i in range(n))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", r"is empty"),
        (b"\n\n", r"is empty"),
        (b"u,v,w\n", r"has a header and no rows"),
        (b"u,u,w\n1,a,2\n", r"two columns named 'u'"),
        (b"u,v,w\n1,a,2\n1,a\n", r"line 3 of .* has 2 fields: expected 3 as in line 1"),
        (b"u,v\n1,\x00\xff\n", r"not UTF-8 at byte 7"),
        (
            ("u,v,w\n" + body() + "oops,a,3\n").encode(),
            r"'oops' in line 32, field 1 of .*expected a number",
        ),
        (("u,v,w\n" + body() + "inf,a,3\n").encode(), r"infinity in column 'u', line 32"),
        (b'u,v\n1,"a\n', r"is no CSV"),
    ],
)
def test_files_that_cannot_be_used(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=said):
        open_data(path)


def test_points_or_table_and_why(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("u,v\n" + "".join(f"{i},{i * i % 11}\n" for i in range(30)))
    assert open_data(path).space == Points(2)
    forced = open_data(path, kind="table")
    assert isinstance(forced.space, Table)
    path.write_text("u;v\n" + "".join(f"{i};{i * i % 11}\n" for i in range(30)))
    assert open_data(path).space == Points(2)
    path.write_text("u,v\n" + "".join(f"{i % 9},{i * i % 11 or 'nan'}\n" for i in range(30)))
    table = open_data(path)
    assert any("column 'v' has missing values, so a table" in note for note in table.notes)
    path.write_text("u,v,w\n" + body())
    mixed = open_data(path)
    assert any(
        "column 'v' holds str" in note or "column 'v' holds object" in note for note in mixed.notes
    )
    assert any("split 70/10/20" in note for note in mixed.notes)
    numeric = pd.DataFrame(np.random.default_rng(0).normal(size=(30, 2)), columns=["a", "b"])
    assert open_data(numeric).space == Points(2)
    assert isinstance(open_data(numeric, kind="table").space, Table)
    assert isinstance(open_data(numeric.round().astype(int)).space, Table)
    assert open_data(numeric.round().astype(int), kind="points").space == Points(2)
    numeric.round(1).to_parquet(tmp_path / "p.parquet")
    parquet = open_data(tmp_path / "p.parquet")
    assert isinstance(parquet.space, Table)
    assert parquet.source == str(tmp_path / "p.parquet")
    assert open_data(tmp_path / "p.parquet", kind="points").space == Points(2)
    (tmp_path / "p.parquet").write_bytes(b"PAR1 broken")
    with pytest.raises(BadInput, match=r"cannot be read .*complete Parquet file"):
        open_data(tmp_path / "p.parquet")
    with pytest.raises(BadInput, match=r"kind='rows': expected table, points or text"):
        open_data(path, kind="rows")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"'digits' as a table"):
        open_data("digits", kind="table")
    with pytest.raises(
        BadInput, match=r"no file at .*gone\.csv: expected the table; a relative path starts from"
    ):
        open_data(tmp_path / "gone.csv", kind="table")


def test_a_file_is_read_by_the_schema_of_another(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text(
        "code,size,n\n" + "".join(f"{'ab1'[i % 3]},{'SML'[i % 3]},{i % 5}\n" for i in range(30))
    )
    encoding = open_data(path, columns={"code": "categorical"}).encoding
    assert isinstance(encoding, TableEncoding)
    other = tmp_path / "other.csv"
    # all codes look like numbers here, and nothing but the schema says that the first line is a header
    other.write_text("n,code,size\n3,1,S\n0,1,S\n")
    # sizes are ordered: S, M, L
    assert encoding.read(other).x.tolist() == [[0.0, 0.0, 3.0], [0.0, 0.0, 0.0]]
    other.write_text("n,code,size\n3,1,S\n0,1,XL\n")
    with pytest.raises(BadInput, match=r"unknown category 'XL' in column 'size', line 3"):
        encoding.read(other)
    with pytest.raises(BadInput, match=r"as a table: expected a .csv"):
        encoding.read(tmp_path / "nothing.csv")


def test_duplicates_with_gaps_stay_in_one_split() -> None:
    rng = np.random.default_rng(0)
    gaps = rng.random(400) < 0.5
    frame = pd.DataFrame(
        {"a": rng.normal(size=400), "b": np.where(gaps, np.nan, rng.normal(size=400)), "c": gaps}
    )
    frame = pd.concat([frame, frame[:200]], ignore_index=True)
    data = open_data(frame, kind="table")
    rows = [
        {tuple(row) for row in torch.nan_to_num(part.x, nan=-1.0).tolist()}
        for part in (data.train, data.validation, data.test)
    ]
    assert not rows[0] & rows[1]
    assert not rows[0] & rows[2]
    assert any("duplicates kept together" in note for note in data.notes)


def test_a_table_of_few_different_rows_is_split_row_by_row() -> None:
    rng = np.random.default_rng(0)
    data = open_data(
        pd.DataFrame({"a": rng.choice(["x", "y"], 400), "b": rng.choice(["u", "v"], 400)})
    )
    assert any("(400 rows, 4 different ones)" in note for note in data.notes)
    assert (len(data.train), len(data.validation), len(data.test)) == (280, 40, 80)
    assert len(data.train.x.unique(dim=0)) == len(data.test.x.unique(dim=0)) == 4


def test_adult_mini() -> None:
    data = open_data("adult-mini", protect=0)
    assert isinstance(data.space, Table)
    assert isinstance(data.encoding, TableEncoding)
    assert len(data.space.columns) == 15
    assert [c.kind for c in data.space.columns].count("categorical") == 9
    assert [c.name for c in data.space.columns if c.missing] == [
        "workclass",
        "occupation",
        "native-country",
    ]
    assert len(data.train) + len(data.validation) + len(data.test) == 6000
    record = describe(data)
    assert record["columns"][0].startswith("age: integer, 17 to 90")
    assert "% missing" in record["columns"][1]
    json.dumps(record, allow_nan=False)
    decoded = data.encoding.decode(data.test.x)
    assert torch.equal(
        torch.nan_to_num(data.encoding.encode(decoded), nan=-1),
        torch.nan_to_num(data.test.x, nan=-1),
    )
    share = float((decoded["income"] == ">50K").mean())
    # 24.08 % of all rows; 1,200 draws have a standard error of 1.2 points
    assert share == pytest.approx(0.2408, abs=0.05)


def test_the_whole_of_adult_opens() -> None:
    if not ADULT.is_file():
        pytest.skip("`adult.data` of UCI in ../shared/data/tables ends this")
    data = open_data(ADULT)
    assert isinstance(data.space, Table)
    assert len(data.train) + len(data.validation) + len(data.test) == 32561
