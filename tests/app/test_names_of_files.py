"""Words of people and of their data never become a way to a file that they did not name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pushforward.data.class_folders import classes_of


@pytest.mark.parametrize("label", ["../victim", "/abs/x", "n/a"])
def test_a_label_of_the_data_cannot_lead_sample_out_of_its_folder(
    run, tmp_path: Path, label: str
) -> None:
    rng = np.random.default_rng(0)
    names = np.array(["plain", label.replace("/abs", str(tmp_path / "abs"))])[
        rng.integers(0, 2, 100)
    ]
    np.savez(
        tmp_path / "data.npz", x=rng.integers(0, 4, size=(100, 1, 4, 4)).astype(np.uint8), y=names
    )
    train = [
        "train",
        "vae",
        tmp_path / "data.npz",
        "--preset",
        "smoke",
        "--steps",
        2,
        "-o",
        tmp_path / "run",
    ]
    assert run(*train)[0] == 0
    given = label.replace("/abs", str(tmp_path / "abs"))
    before = set(tmp_path.rglob("*"))
    assert (
        run(
            "sample", tmp_path / "run", "-n", 6, "--given", given, "-o", tmp_path / "drawn" / "out"
        )[0]
        == 0
    )
    made = {
        p.relative_to(tmp_path).parts[:2]
        for p in tmp_path.rglob("*")
        if p.is_file() and p not in before
    }
    assert made == {("drawn", "out")}
    assert classes_of(tmp_path / "drawn" / "out") == {"class-0000": given}


@pytest.mark.parametrize(
    "words", [["train", "../x"], ["compare", "--families", "a/../b"], ["train", "flow:../../x"]]
)
def test_names_of_families_are_no_paths(run, tmp_path: Path, monkeypatch, words: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    command = (
        [words[0], "two-moons", *words[1:]] if words[0] == "compare" else [*words, "two-moons"]
    )
    status, out, err = run(*command, "--steps", 2)
    assert (status, out) == (2, ""), err
    assert list(tmp_path.iterdir()) == []


def test_a_run_in_the_current_folder_names_its_samples(run, tmp_path: Path, monkeypatch) -> None:
    assert (
        run("train", "vae", "digits", "--preset", "smoke", "--steps", 2, "-o", tmp_path / "mine")[0]
        == 0
    )
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert run("sample", "../mine/state/..", "-n", 2)[1].strip() == "mine-samples.png"


PLACES = {
    ".": "a run",
    "..": "a run",
    "file": "this is a file",
    "link": "a link",
    "others": "holds other files",
}


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("verb", ["train", "compare"])
def test_an_output_that_may_not_be_replaced_is_one_sentence(
    run, tmp_path: Path, monkeypatch, where: str, verb: str
) -> None:
    """The current folder, one above it, a file, a link to elsewhere, a folder of another tool's runs."""
    assert (
        run(
            "train", "flow", "two-moons", "--preset", "smoke", "--steps", 2, "-o", tmp_path / "here"
        )[0]
        == 0
    )
    monkeypatch.chdir(tmp_path / {".": "here", "..": "here/state"}.get(where, "."))
    target = Path(where) if where[0] == "." else tmp_path / where
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "here")
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "manifest.json").write_text(
        '{"manifest_version": 3, "name": "an extension"}'
    )
    (tmp_path / "others" / "run1").mkdir()
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    words = (
        ["train", "flow", "two-moons"]
        if verb == "train"
        else ["compare", "two-moons", "--families", "flow"]
    )
    status, out, err = run(*words, "--preset", "smoke", "--steps", 2, "-o", target, "--overwrite")
    assert (status, out) == (2, "")
    if verb == "train" and where in (".", ".."):
        assert "the current directory" in err
    else:
        assert PLACES[where] in err or "a run" in err, err
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
