"""Augmenting, detecting and probing through the command line, on data whose truth is known."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pushforward.faces.cli.main import main

Run = Callable[..., tuple[int, str, str]]


def clouds(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two normals, three standard deviations apart: the best rule is right in 93 % of cases."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, size=n)
    x = rng.normal(size=(n, 2))
    x[:, 0] += 3.0 * label
    return x.astype(np.float32), label


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, truly drawn samples, strange points, and a flow that was trained without labels."""
    path = tmp_path_factory.mktemp("clouds")
    (x, y), (more, told) = clouds(600, 0), clouds(2000, 1)
    np.savez(path / "data.npz", x=x, y=y)
    np.savez(path / "true.npz", x=more, y=told)
    np.save(path / "new.npy", clouds(300, 2)[0])
    np.save(path / "far.npy", clouds(300, 3)[0] + np.float32(8.0))
    with pytest.raises(SystemExit) as stop:
        main(
            [
                "train",
                "flow",
                str(path / "data.npz"),
                "--steps",
                "150",
                "--preset",
                "smoke",
                "-s",
                "data.labels=false",
                "-o",
                str(path / "flow"),
            ]
        )
    assert not stop.value.code
    return path


def test_strange_points_are_found_and_new_ones_are_not(
    folder: Path, run: Run, tmp_path: Path
) -> None:
    found = {}
    for name in ("new", "far"):
        status, out, _ = run(
            "anomalies",
            folder / "flow",
            folder / f"{name}.npy",
            "--json",
            "-o",
            tmp_path / f"{name}.csv",
        )
        assert status == 0
        found[name] = json.loads(out)
        assert "likelihood is no detector by itself" in found[name]["warning"]
        words = {2: "by both scores", 3: "by all three scores"}
        assert found[name]["warning"].endswith(words[len(found[name]["shares"])])
    code = {name: record["auc"][0] for name, record in found.items()}
    assert code["far"]["low"] > 0.9
    # 95 % intervals; the seeds are fixed
    assert code["new"]["low"] <= 0.5 <= code["new"]["high"]
    # conformal: at most 5 % at or below 0.05 in expectation, four standard errors of 300 above
    assert found["new"]["shares"]["code length"] < 0.05 + 4 * (0.05 * 0.95 / 300) ** 0.5
    lines = list(csv.DictReader((tmp_path / "far.csv").read_text().splitlines()))
    assert [int(line["example"]) for line in lines] == list(range(300))
    assert sum(line["flagged"] == "True" for line in lines) > 250


def test_codes_of_an_invertible_map_know_what_the_points_know(folder: Path, run: Run) -> None:
    status, out, _ = run("probe", folder / "flow", "--json")
    assert status == 0
    record = json.loads(out)
    codes, raw = record["probes"][:2]
    assert (record["codes"], record["conditional"]) == ("exact", False)
    assert (codes["width"], raw["width"]) == (2, 2)
    # the best rule is right in 93 % of cases; 120 test points
    assert 0.85 < raw["value"] < 1.0
    assert codes["value"] > 0.75


def test_true_samples_do_not_hurt_and_a_family_that_listens_is_trained_on_the_real_set(
    folder: Path, run: Run
) -> None:
    status, out, _ = run(
        "augment", folder / "data.npz", "--samples", folder / "true.npz", "--json", "--seeds", 3
    )
    assert status == 0
    record = json.loads(out)
    kinds = [(u["trained_on"], u["real"], u["synthetic"]) for u in record["found"]]
    assert kinds == [("real", 420, 0), ("synthetic", 420, 2000), ("both", 420, 2000)]
    assert all(u["verdict"] != "hurts" for u in record["found"])
    assert all(0.85 < u["value"] < 0.98 for u in record["found"])
    words = (
        "augment",
        folder / "data.npz",
        "--family",
        "vae",
        "--sizes",
        "40",
        "--ratios",
        "2",
        "--seeds",
        2,
        "--steps",
        30,
    )
    status, out, _ = run(*words)
    assert status == 0
    assert "| both | 40 | 80 |" in out
    assert run(*words)[1] == out


def test_a_column_of_a_table_is_augmented(run: Run) -> None:
    words = (
        "augment",
        "adult-mini",
        "--family",
        "ar",
        "--target",
        "age",
        "--sizes",
        "2%",
        "--ratios",
        1,
        "--seeds",
        2,
    )
    status, out, _ = run(*words, "--steps", 5, "--json")
    assert status == 0
    record = json.loads(out)
    assert (record["unit"], record["target"]) == ("share of variance", "age")
    assert "predicted as a number" in record["task"]
    assert {u["real"] for u in record["found"]} == {84}  # of 4,200 training rows


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("augment", "digits"), "--family NAME or --samples FILE"),
        (("augment", "two-moons", "--family", "vae"), "without labels"),
        (("augment", "digits", "--family", "vae", "--sizes", "10"), "20 to 1261"),
        (("augment", "digits", "--family", "vae", "--sizes", "50,1%"), "13 real examples (1%)"),
        (("augment", "digits", "--family", "vae", "--sizes", "half"), "such as 0.1 or 10%, or all"),
        (("augment", "digits", "--family", "vae", "--sizes", "1,all"), "20 to 1261"),
        (("augment", "digits", "--family", "vae", "--ratios", "a"), "such as 1,4"),
        (("augment", "digits", "--family", "vaee"), "did you mean 'vae'"),
        (("augment", "adult-mini", "--family", "ar", "--target", "agee"), "did you mean 'age'"),
        (("augment", "shakespeare", "--family", "ar"), "text has no target"),
        (("augment", "digits", "--samples", "DIR/new.npy"), "DIR/new.npy is Points"),
        (("anomalies", "DIR/flow", "digits"), "the run's"),
        (("anomalies", "DIR/nothing", "DIR/new.npy"), "no run"),
        (("anomalies", "DIR/flow", "DIR/new.npy", "-o", "x.txt"), ".csv or .json"),
        (("probe", "DIR/flow", "DIR/new.npy"), "without labels"),
    ],
)
def test_refusals(folder: Path, run: Run, words: tuple[str, ...], said: str) -> None:
    status, out, err = run(*(word.replace("DIR", str(folder)) for word in words))
    assert (status, out) == (2, "")
    assert said.replace("DIR", str(folder)) in err
