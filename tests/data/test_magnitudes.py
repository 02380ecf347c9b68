"""Numbers with multiples behind them are numbers, are written so again, and are told from codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pushforward.data.tables.encoding import TableEncoding
from pushforward.data.tables.notations.magnitudes import find_magnitudes
from pushforward.data.tables.notations.notation import notation_from_json
from pushforward.faces.python.verbs import load as load_guarded

# values are compared one by one with those that came: all are shown
load = partial(load_guarded, protect=0)

KINDS = {
    "views": (["1.2K", "15K", "980", "3.4M", "12"], [1200, 15000, 980, 3400000, 12]),
    "money": (["$1.2M", "$300K", "$45K", "-$2.5M", "$900K"], [1.2e6, 3e5, 4.5e4, -2.5e6, 9e5]),
    "brackets": (
        ["($1.2M)", "$300K", "$45K", "$2.5M", "($900K)"],
        [-1.2e6, 3e5, 4.5e4, 2.5e6, -9e5],
    ),
    "pounds": (["£1.2bn", "£300m", "£20m", "£12.5m", "£7m"], [1.2e9, 3e8, 2e7, 1.25e7, 7e6]),
    "sizes": (["512 KB", "1.50 MB", "2.00 GB", "12 KB", "700 B"], [512e3, 1.5e6, 2e9, 12e3, 700]),
    "binary": (
        ["12KiB", "1.5MiB", "512KiB", "2GiB", "3MiB"],
        [12 * 1024, 1.5 * 2**20, 2**19, 2**31, 3 * 2**20],
    ),
    "times": (["5 ms", "2.5 s", "100 ms", "40 \u00b5s", "3 s"], [0.005, 2.5, 0.1, 4e-5, 3]),
    "lengths": (["10 km", "1.2 m", "5.5 mm", "7 mm", "2 m"], [1e4, 1.2, 5.5e-3, 7e-3, 2]),
    "weights": (["1 kg", "20 g", "500 g", "2.5 kg", "7 g"], [1000, 20, 500, 2500, 7]),
    "german": (
        ["1,2 Mio", "300 Tsd", "45 Tsd", "2 Mrd", "3,5 Mio"],
        [1.2e6, 3e5, 4.5e4, 2e9, 3.5e6],
    ),
    "words": (
        ["15 thousand", "1.2 million", "3 million", "2.5 billion", "700 thousand"],
        [15e3, 1.2e6, 3e6, 2.5e9, 7e5],
    ),
    "lakh": (
        ["1.5 lakh", "2 crore", "30 lakh", "3.25 crore", "75 lakh"],
        [1.5e5, 2e7, 3e6, 3.25e7, 7.5e6],
    ),
    "three digits": (
        ["1.23K", "12.3K", "123K", "1.23M", "12.3M"],
        [1230, 12300, 123000, 1230000, 12300000],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_is_its_number_and_is_written_again(kind: str) -> None:
    cells, numbers = KINDS[kind]
    found = find_magnitudes(cells)
    assert found is not None
    notation, values = found
    assert [
        values[cell] for cell in cells
    ] == numbers  # as decimals, without the last bit of a product of doubles
    assert [notation.write(values[cell]) for cell in cells] == cells
    assert notation_from_json(json.loads(json.dumps(asdict(notation)))) == notation


@pytest.mark.parametrize("kind", KINDS)
def test_any_number_is_written_within_the_digits_of_the_file(kind: str) -> None:
    found = find_magnitudes(KINDS[kind][0])
    assert found is not None
    notation = found[0]
    rng = np.random.default_rng(0)
    low, high = (min(factor for _, factor in notation.suffixes), 1e12)
    for size in 10 ** rng.uniform(np.log10(low) + 0.01, np.log10(high), 2000):
        cell = notation.write(float(size))
        back = notation.value(cell)
        # half of the last digit: at most half of the unit before which it stands
        assert back is not None
        assert abs(back - size) <= 0.5 * max(
            factor for _, factor in notation.suffixes if factor <= size
        ) * (1 + 1e-9)
        assert notation.write(back) == cell


@pytest.mark.parametrize(
    "cells",
    [
        ["2B", "14K", "3B", "7K", "9B"],  # flats
        ["5G", "4G", "3G", "2G", "LTE"],
        ["12A", "13B", "14K", "15M", "2.5K"],
        ["12K", "15K", "20.5K", "31K", "7K"],  # one unit: a number with a tail
        ["5 m", "3 h", "2.5 h", "10 m", "4 s"],  # minutes and hours are no multiples
        ["1.5m", "3", "2.5", "4m", "7"],  # metres, minutes or millions
        ["1.2K", "15K", "3M", "nine", "12"],
    ],
)
def test_what_may_be_something_else_is_left_alone(cells: list[str]) -> None:
    assert find_magnitudes(cells) is None


def _views(v: float) -> str:
    for mark, factor in (("M", 1e6), ("K", 1e3)):
        if v >= factor:
            return (
                f"{v / factor:.1f}".removesuffix(".0") if v < 10 * factor else f"{v / factor:.0f}"
            ) + mark
    return str(round(v))


def _listed(v: float) -> str:
    return f"{v / 2**20:.1f} MiB" if v >= 2**20 else f"{v / 1024:.1f} KiB"


@pytest.mark.parametrize("write", [_views, _listed])
def test_a_file_of_them_opens_as_numbers_and_comes_back(
    write: Callable[[float], str], tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    cells = [write(v) for v in 10 ** rng.uniform(3.2, 6.9, 120)]
    cells[5] = ""
    path = tmp_path / "t.csv"
    path.write_text(
        "seen,kind\n" + "".join(f"{cell},{'ab'[i % 2]}\n" for i, cell in enumerate(cells))
    )
    data = load(path)
    assert isinstance(data.encoding, TableEncoding)
    column = data.encoding.table.columns[0]
    assert (column.kind in ("integer", "continuous"), column.missing) == (True, True)
    assert any("multiples behind them" in note for note in data.notes)
    frame = data.encoding._sheet(path).frame
    again = data.encoding.csv(data.encoding.decode(data.encoding.encode(frame))).splitlines()[1:]
    assert [line.split(",")[0] for line in again] == cells


def test_a_multiple_that_would_not_be_chosen_again_is_said(tmp_path: Path) -> None:
    cells = ["0.5M", "1.2K", "15K", "3.4M", "980"] * 20
    path = tmp_path / "t.csv"
    pd.DataFrame({"seen": cells, "kind": ["a", "b"] * 50}).to_csv(path, index=False)
    assert any("'0.5M', which comes back as '500K'" in line for line in load(path).lost)
