"""The card of a table: trees first, then a predictor beside its ceiling, and rows of a group once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pushforward.app.measuring.evaluating import EvaluationSetting, evaluate_samples
from pushforward.core.score import Score

Run = Callable[..., tuple[int, str, str]]
ORDER = [
    "tree two-sample score",
    "tree two-sample score on train",
    "tree score excess",
    "TSTR",
    "column shapes",
    "normalised wasserstein distance",
    "pair shapes",
]


def people(n: int, rng: np.random.Generator, slope: float = 1.3) -> list[str]:
    """Rows of colour, size, weight and whether somebody is heavy, which follows from the others."""
    size, colour = rng.normal(50, 10, n), rng.choice(["red", "blue", "green"], n)
    weight = 60 + slope * size + rng.normal(0, 5, n)
    rows = zip(colour, size, weight, strict=True)
    return [f"{c},{s:.1f},{w:.2f},{'yes' if w > 125 else 'no'}" for c, s, w in rows]


HEADER = "colour,size,weight,heavy"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 people, others of the same law, of another one, and training rows again."""
    path, rng = tmp_path_factory.mktemp("cards"), np.random.default_rng(0)
    files = {"people": people(600, rng), "same": people(300, rng), "odd": people(300, rng, 0.2)}
    for name, rows in files.items():
        (path / f"{name}.csv").write_text("\n".join([HEADER, *rows]))
    return path


def scores(folder: Path, name: str, **more: object) -> dict[str, Score]:
    how = EvaluationSetting(**more)
    found = evaluate_samples(folder / f"{name}.csv", str(folder / "people.csv"), how)
    return {score.metric: score for score in found.scores}


def test_trees_stand_first_and_the_predictor_beside_real_rows(folder: Path, run: Run) -> None:
    words = ("evaluate", "--samples", folder / "odd.csv", "--reference", folder / "people.csv")
    status, out, _ = run(*words, "--json")
    assert status == 0
    record = json.loads(out)
    assert [score["metric"] for score in record["scores"][:7]] == ORDER
    (mine,) = record["verdict"]["models"].values()
    assert mine["tree_score"] == record["scores"][0]["value"]
    heading = next(line for line in run(*words)[1].splitlines() if line.isupper())
    assert heading == "IN PLACE OF REAL DATA"
    odd, same = scores(folder, "odd"), scores(folder, "same")
    assert odd[ORDER[0]].value < 0.5 < same[ORDER[0]].value
    assert same[ORDER[0]].ceiling is not None
    assert same[ORDER[0]].ceiling > 0.7
    assert same[ORDER[0]].floor is not None
    assert same[ORDER[0]].floor < same[ORDER[0]].value
    # samples of the law teach what as many real rows teach, those of another do not
    assert same["TSTR"].short_name == "TSTR, heavy"
    assert same["TSTR"].ceiling is not None
    assert abs(same["TSTR"].value - same["TSTR"].ceiling) < 0.05
    assert odd["TSTR"].value < same["TSTR"].value


def test_the_target_is_an_option(folder: Path, run: Run) -> None:
    found = scores(folder, "same", target="weight")
    assert found["TSTR"].short_name == "TSTR, weight"
    assert found["TSTR"].unit == "share of variance"
    words = ("evaluate", "--samples", folder / "same.csv", "--reference", folder / "people.csv")
    status, out, _ = run(*words, "--target", "colour")
    assert (status, "TSTR, colour [data], AUC" in out) == (0, True)
    status, _, told = run(*words, "--target", "wieght")
    assert status == 2
    assert "column 'wieght'" in told
    assert "weight" in told
    status, _, told = run(
        "evaluate", "--power", "--reference", folder / "people.csv", "--target", "size"
    )
    assert (status, "--target" in told) == (2, True)
    status, _, told = run(
        "compare", "digits", "--steps", "1", "--target", "size", "-o", folder / "no"
    )
    assert status == 2
    assert "--target size of image: expected a table" in told
    assert not (folder / "no").exists()


def test_rows_of_one_group_are_compared_once(tmp_path: Path) -> None:
    # 900 visits of 300 customers, each of which has its own size: 60 of them are held out
    rng = np.random.default_rng(1)
    of = np.repeat(np.arange(300), 3)
    size = rng.normal(50, 10, 300)[of]
    rows = [f"K{c},{s:.3f},{rng.normal():.3f}" for c, s in zip(of, size, strict=True)]
    (tmp_path / "visits.csv").write_text("\n".join(["customer,size,pay", *rows]))
    fresh = [f"{rng.normal(50, 10):.3f},{rng.normal():.3f}" for _ in range(200)]
    (tmp_path / "made.csv").write_text("\n".join(["size,pay", *fresh]))
    found = evaluate_samples(
        tmp_path / "made.csv",
        str(tmp_path / "visits.csv"),
        settings={"group": "customer"},
    )
    known = {score.metric: score for score in found.scores}
    n = known[ORDER[0]].n
    assert 40 <= n <= 75
    assert known[ORDER[1]].n == n
    # training rows of one customer would give each other away, were they not taken one of each
    assert known[ORDER[2]].low < 0.0 < known[ORDER[2]].high
