"""What commands print fits the terminal: families, the lines of `evaluate`, and every line can be found by its beginning."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pushforward.app.writing.using import capability_table
from pushforward.reports.terminal.layout import hanging, records, width
from pushforward.reports.terminal.score_lines import score_line, score_table
from scored import called


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
def test_families_fit_the_terminal(run, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    status, out, _ = run("families")
    assert status == 0
    assert max(map(len, out.splitlines())) <= columns
    assert "|" not in out
    flat = " ".join(out.split())
    for row in capability_table():
        assert f"\n{row['family']}\n" in "\n" + out
        for value in row.values():
            assert " ".join(value.split()) in flat  # folded, and nothing is lost


@pytest.mark.parametrize("columns", [80, 120])
def test_scores_stand_in_columns_that_fit(columns: int) -> None:
    score = called(
        "precision of neighbours [random convolution, 192 features] vs test",
        0.91234,
        n=500,
        better="higher",
    )
    score = replace(score, low=0.89, high=0.93, ceiling=0.95, floor=0.01, null=0.95)
    few = called("gap [x] vs test", 0.5, n=90, better="lower", unit="nats")
    lost = called(
        "density [x] vs test",
        float("nan"),
        n=500,
        better="higher",
        warnings=("no interval from 20 examples",),
    )
    text = score_table([score, few, lost], columns)
    assert max(map(len, text.splitlines())) <= columns
    head, first, *_ = text.splitlines()
    assert head.split()[:3] == ["n", "=", "500"]
    assert first.split()[-6:] == ["0.89", "..", "0.93", "0.95", "0.01", "high"]
    assert head.index("value") + len("value") == first.index("0.912") + len("0.912")
    flat = " ".join(text.split())
    assert "gap [x], nats (n = 90) 0.5 low" in flat
    assert "density [x]: no interval from 20 examples" in flat
    assert score_table([], columns) == ""
    assert max(map(len, score_table([score, few, lost], 60).splitlines())) <= 60


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_score_is_folded_at_words(columns: int) -> None:
    score = called(
        "precision of neighbours [random convolution, 192 features] vs test",
        0.91234,
        n=500,
        better="higher",
    )
    text = hanging("  " + score_line(score), columns, 6)
    assert all(line.startswith("      ") for line in text.splitlines()[1:])
    assert max(map(len, text.splitlines())) <= columns
    assert text.split() == score_line(score).split()


def test_a_path_is_not_broken() -> None:
    path = "/a/" + "very-long-name/" * 8
    assert path in hanging(f"written: {path}", 40)


def test_width_is_kept_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, expected in (("20", 40), ("72", 72), ("300", 120)):
        monkeypatch.setenv("COLUMNS", columns)
        assert width() == expected
    monkeypatch.delenv("COLUMNS")
    assert 40 <= width() <= 120


def test_records_of_nothing() -> None:
    assert records([], "family", 80) == ""
