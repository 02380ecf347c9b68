"""Quality against network calls: equal calls, equal references, and what cannot take a step is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pushforward.app.measuring.sweeping import sweep
from pushforward.core.errors import Unsupported
from pushforward.faces.cli.main import main
from pushforward.reports.page.sweep_page import Sweep, SweepPoint, best_of, render, to_markdown
from scored import called


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sweep") / "run"
    with pytest.raises(SystemExit):
        main(
            [
                "train",
                "diffusion",
                "two-moons",
                "--steps",
                "150",
                "-s",
                "model.width=32",
                "-o",
                str(path),
            ]
        )
    return path


def call(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    return int(stop.value.code or 0)


def test_places_cost_what_they_were_allowed(run: Path) -> None:
    found = sweep(run, (9, 3), ("heun", "ddim", "langevin"), n=300)
    assert found.budgets == (3, 9)
    assert [(p.solver, p.budget, p.steps, p.calls) for p in found.places] == [
        ("heun", 3, 2, 3.0),
        ("heun", 9, 5, 9.0),
        ("ddim", 3, 3, 3.0),
        ("ddim", 9, 9, 9.0),
        # ten corrections after every step but the last: nine calls leave no room for a second step
        ("langevin", 3, 1, 1.0),
        ("langevin", 9, 1, 1.0),
    ]
    # three calls cannot do what nine do: the intervals do not meet
    few, many = (found.at("heun", budget) for budget in (3, 9))
    assert few is not None
    assert many is not None
    assert few.score.low is not None
    assert many.score.high is not None
    assert many.score.high < few.score.low
    # real data against real data: within its own interval of the O(1/n) bias, far below any sampler here
    assert found.ceiling.value < 0.1 < many.score.value
    again = sweep(run, (9,), ("heun",), n=300)
    assert again.places[0].score.value == many.score.value


def test_table_and_page_show_the_same_numbers() -> None:
    def place(solver: str, budget: int, value: float) -> SweepPoint:
        score = called("d", value, n=50, better="lower", low=0.9 * value, high=1.1 * value)
        return SweepPoint(solver, budget, budget, float(budget), score)

    found = Sweep(
        "r<un", "toy", "pixels", 50, 0, (place("a", 4, 8.0), place("a", 8, 2.0), place("b", 8, 1.0)),
        called("d", 0.2, n=50, better="lower", low=0.1, high=0.3), ("b: one step costs 5 calls, more than 4",),
    )  # fmt: skip
    assert [best_of(found, budget) for budget in found.budgets] == [("a",), ("b",)]
    near = replace(found, places=(place("a", 8, 1.15), place("b", 8, 1.0), place("c", 8, 1.3)))
    # 0.9 to 1.1 and 1.035 to 1.265 overlap; 1.17 to 1.43 is clearly worse
    assert best_of(near, 8) == ("a", "b")
    table, page = to_markdown(found), render(found)
    rows = [line for line in table.splitlines() if line.startswith(("| a", "| b"))]
    assert rows == [
        "| a | **8.0 (7.2 to 8.8)** | 2.00 (1.80 to 2.20) |",
        "| b |  | **1.00 (0.90 to 1.10)** |",
    ]
    bare = replace(found.places[0], score=called("d", 8.0, n=9, better="lower"), calls=1.0)
    few = replace(found, places=(bare,), ceiling=bare.score)
    assert best_of(few, 4) == ()
    assert "8.00 (1 call) |" in to_markdown(few)
    assert "against it: 8.00. So few examples give no interval" in to_markdown(few)
    assert "()" not in to_markdown(few) + render(few)
    assert "r&lt;un" in page
    assert "r<un" not in page
    assert "<script" not in page
    for text in ("no step", "8.0", "one step costs 5 calls", "real data"):
        assert text in page


def test_the_command_writes_a_page_and_json(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "sweep.html"
    status = call(
        "sweep", run, "--calls", "4,8", "--solver", "ddim", "-n", 200, "-o", page, "--json"
    )
    captured = capsys.readouterr()
    assert status == 0, captured.err
    record = json.loads(captured.out)
    assert [p["steps"] for p in record["places"]] == [4, 8]
    assert np.isfinite([p["value"] for p in record["places"]]).all()
    assert page.read_text().count("<svg") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--calls", "4,x"), "--calls 4,x: expected numbers with commas"),
        (("--calls", "0"), "calls 0: expected numbers of network calls, 1 or more"),
        (("--solver", "heum"), "heun"),
        (("-o", "page.txt"), "a file that ends in .html"),
    ],
)
def test_bad_input_is_one_sentence(
    run: Path, arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("sweep", run, *arguments) == 2
    assert sentence in capsys.readouterr().err


def test_a_family_without_solvers_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        call("train", "gan", "two-moons", "--preset", "smoke", "--steps", 3, "-o", tmp_path / "gan")
        == 0
    )
    assert call("sweep", tmp_path / "gan") == 2
    assert "a run that samples step by step" in capsys.readouterr().err


def test_solvers_that_a_run_cannot_walk_are_left_out_with_the_reason(run: Path) -> None:
    """All solvers: the learned variance is missing, and one that chooses its steps does not arrive in two calls."""
    found = sweep(run, (4,), n=60)
    assert "ddpm-learned" not in found.solvers
    assert any("ddpm-learned" in text and "variance=learned" in text for text in found.left_out)
    assert any(text.startswith("4 calls: the solver 'ode' left") for text in found.left_out)
    assert {"heun", "ddim", "unipc", "langevin"} <= set(found.solvers)
    with pytest.raises(Unsupported, match="ddpm-learned"):
        sweep(run, (4,), ("ddpm-learned",), n=60)


def test_tables_are_swept_and_text_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The solvers of a table's numbers, without the one whose variance nobody learns there; text has steps and no solvers."""
    rng = np.random.default_rng(0)
    rows = "\n".join(f"{a:.3f},{'x' if a > b else 'y'}" for a, b in rng.normal(size=(400, 2)))
    (tmp_path / "rows.csv").write_text("size,kind\n" + rows + "\n")
    (tmp_path / "text.txt").write_text("to be or not to be, that is the question. " * 1600)
    for name in ("rows.csv", "text.txt"):
        assert (
            call(
                "train",
                "diffusion",
                tmp_path / name,
                "--preset",
                "smoke",
                "--steps",
                5,
                "-o",
                tmp_path / name[:4],
            )
            == 0
        )
    found = sweep(tmp_path / "rows", (6,))
    assert set(found.solvers) >= {"heun", "ddim", "ddpm", "unipc"}
    assert any("ddpm-learned" in text for text in found.left_out)
    capsys.readouterr()
    assert call("sample", tmp_path / "rows", "-n", 2, "--solver", "ddpm-learned") == 2
    assert "the solver 'ddpm-learned' on table: expected one of heun" in capsys.readouterr().err
    assert call("sweep", tmp_path / "text") == 2
    assert "a sweep of" in capsys.readouterr().err
