"""What was drawn of one class can be scored, and an output's name says whether it is a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pushforward.app.measuring.detecting import detect
from pushforward.app.measuring.scoring import score
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, label_of
from pushforward.data.formats.format import Samples
from pushforward.data.open import open_data
from pushforward.data.open_in_space import open_like
from pushforward.data.write import write_samples
from pushforward.faces.python.verbs import fit, load

CALL = Callable[..., tuple[int, str, str]]


def _fill(folder: Path, n: int, seed: int = 0) -> Path:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for i in range(n):
        Image.fromarray(rng.integers(0, 256, (4, 4), dtype=np.uint8)).save(folder / f"{i}.png")
    return folder


def _labels(examples: Examples) -> list[int]:
    label = label_of(examples.given)
    assert label is not None
    return label.tolist()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on folders of two classes, one of which has a name that is no folder's everywhere."""
    there = tmp_path_factory.mktemp("two")
    for i, name in enumerate(("a", "b")):
        _fill(there / "data" / name, 120, i)
    fit("vae", load(there / "data"), steps=2, preset="smoke", path=there / "run")
    return there / "run"


@pytest.mark.parametrize("output", ["only", "only.v1/", "only.npz", "deep/only.v1.2/"])
def test_samples_of_one_class_are_scored(
    trained: Path, output: str, tmp_path: Path, run: CALL
) -> None:
    into = f"{tmp_path}/{output}"
    assert run("sample", trained, "-n", 8, "--given", "b", "-o", into)[0] == 0
    status, _, told = run("score", trained, into)
    assert status == 0, told
    assert len(detect(trained, into).table()) == 8
    found = open_like(into, load(trained.parent / "data").space, ("a", "b"))
    assert _labels(found) == [1] * 8


def test_the_class_decides_the_score(trained: Path, tmp_path: Path) -> None:
    """One picture set under either class: the two means differ as those of two folders of both classes do."""
    _fill(tmp_path / "one" / "a", 6, 9)
    _fill(tmp_path / "other" / "b", 6, 9)
    _fill(tmp_path / "both" / "a", 6, 9)
    _fill(tmp_path / "both" / "b", 6, 9)
    nats = {
        name: score(trained, str(tmp_path / name)).log_prob.nats
        for name in ("one", "other", "both")
    }
    assert not np.allclose(nats["one"], nats["other"])
    np.testing.assert_allclose(nats["both"][:6], nats["one"], rtol=1e-2)


@pytest.mark.parametrize("around", ["wrap/b", "b/2024/jan", "test/b", "b/test"])
def test_a_folder_around_all_pictures_names_the_class(
    around: str, trained: Path, tmp_path: Path
) -> None:
    _fill(tmp_path / "x" / around, 6)
    space = open_data(trained.parent / "data").space
    assert _labels(open_like(tmp_path / "x", space, ("a", "b"))) == [1] * 6


def test_a_class_that_no_folder_can_be_called_is_read_back(trained: Path, tmp_path: Path) -> None:
    data = open_data(trained.parent / "data")
    write_samples(tmp_path / "out", Samples(data.train.x[:6], data.space, labels=["x/y"] * 6))
    assert _labels(open_like(tmp_path / "out", data.space, ("x/y", "z"))) == [0] * 6


def test_other_folders_still_have_no_labels(trained: Path, tmp_path: Path) -> None:
    _fill(tmp_path / "x" / "c", 6)
    with pytest.raises(
        BadInput, match=r"has no labels: expected labels among a, b; .*none of its folders \(c\)"
    ):
        score(trained, str(tmp_path / "x"))
    assert (
        open_like(
            tmp_path / "x", load(trained.parent / "data").space, ("a", "b"), labels=None
        ).given
        is None
    )
    notes = open_data(tmp_path / "x").notes
    assert "all pictures lie in one folder (c), so no labels" in notes


def test_an_ending_that_says_nothing_is_refused_with_what_would_do(
    trained: Path, tmp_path: Path, run: CALL
) -> None:
    status, _, told = run("sample", trained, "-n", 4, "-o", tmp_path / "out.v1")
    assert status == 2
    assert "a name that ends in a slash, out/, makes a folder of files" in told
    assert "out.v1/" in told
    assert not (tmp_path / "out.v1").exists()
    (tmp_path / "out.v1").mkdir()
    assert run("sample", trained, "-n", 4, "-o", tmp_path / "out.v1")[0] == 0
    assert len(list((tmp_path / "out.v1").rglob("*.png"))) == 4
    status, _, told = run("sample", trained, "-n", 4, "-o", f"{trained}/more.v1/")
    assert status == 2
    assert "directory of a run" in told
