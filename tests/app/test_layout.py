"""What commands print fits the terminal: families, the lines of `evaluate`, and every line can be found by its beginning."""

from __future__ import annotations

import pytest

from pushforward.app.using import capability_table
from pushforward.cli.evaluating import score_line
from pushforward.cli.layout import hanging, records, width
from pushforward.core.score import Score


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


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_score_is_folded_at_words(columns: int) -> None:
    score = Score("precision of neighbours [random convolution, 192 features] vs test", 0.91234, n=500, better="higher")
    score = Score(**{**vars(score), "low": 0.89, "high": 0.93, "ceiling": 0.95, "floor": 0.01, "null": 0.95})
    text = hanging("  " + score_line(score), columns, 6)
    first, *others = text.splitlines()
    assert first.startswith("  precision of neighbours")
    assert all(line.startswith("      ") for line in others)
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
