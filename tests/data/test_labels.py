"""Labels in arrays become classes or are left out with the reason; names of arrays mean nouns and splits in every spelling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pushforward.core.errors import BadInput
from pushforward.core.given import label_of
from pushforward.data.dataset import Dataset
from pushforward.data.npz import parsed
from pushforward.data.open import open_data

N = 60
Y = np.arange(N) % 3
X = np.random.default_rng(0).normal(size=(N, 2)) + Y[:, None]


def pairs(data: Dataset) -> set[tuple[float, str]]:
    """Return the first coordinate of every example beside its class."""
    found = set()
    for part in (data.train, data.validation, data.test):
        label = label_of(part.given)
        assert label is not None
        found |= set(
            zip(part.x[:, 0].tolist(), (data.classes[i] for i in label.tolist()), strict=True)
        )
    return found


CLASSES: dict[str, Any] = {
    "column": Y[:, None],
    "row": Y[None, :],
    "deeper column": Y[:, None, None],
    "float32": Y.astype(np.float32),
    "float column": Y[:, None].astype(float),
    "unsigned bytes": Y.astype(np.uint8),
    "one-hot": np.eye(3, dtype=np.int64)[Y],
    "one-hot floats": np.eye(3, dtype=np.float32)[Y],
    "one-hot booleans": np.eye(3, dtype=bool)[Y],
    "words": np.array([str(v) for v in Y]),
    "bytes": np.array([str(v).encode() for v in Y]),
    "words of Python": np.array([str(v) for v in Y], dtype=object),
}


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_labels_are_the_classes_that_they_mean(kind: str, tmp_path: Path) -> None:
    data = open_data((X, CLASSES[kind]))
    assert data.classes == ("0", "1", "2")
    assert pairs(data) == set(zip(X[:, 0].tolist(), map(str, Y.tolist()), strict=True))
    assert data.lost == ()
    if CLASSES[kind].dtype != object:
        np.savez(tmp_path / "d.npz", x=X, y=CLASSES[kind])
        assert open_data(tmp_path / "d.npz").fingerprint == data.fingerprint


def test_booleans_are_two_classes() -> None:
    assert open_data((X, Y == 1)).classes == ("False", "True")


rng = np.random.default_rng(1)
QUANTITIES: dict[str, tuple[Any, str]] = {
    "prices": (rng.normal(size=N), "real numbers"),
    "a column of prices": (rng.normal(size=(N, 1)), "real numbers"),
    "whole prices": (rng.integers(0, 10**6, N), "60 of 60 are different"),
    "whole prices as floats": (rng.integers(0, 10**6, N).astype(float), "are different"),
    "two quantities": (rng.normal(size=(N, 2)), "not one-hot"),
    "several classes": (rng.integers(0, 2, (N, 4)), "several classes or none"),
    "soft classes": (rng.dirichlet(np.ones(3), N), "not one-hot"),
    "captions": (np.array([f"a picture of {i}" for i in range(N)]), "identifiers"),
    "dates": (np.datetime64("2024-01-01") + np.arange(N), "type is datetime64"),
    "complex": (rng.normal(size=N) + 1j, "type is complex128"),
}


@pytest.mark.parametrize("kind", sorted(QUANTITIES))
def test_quantities_are_no_classes_and_said_so(kind: str, tmp_path: Path) -> None:
    y, why = QUANTITIES[kind]
    np.savez(tmp_path / "d.npz", x=X, y=y)
    data = open_data(tmp_path / "d.npz")
    assert data.classes == ()
    assert any("are left out" in note and why in note for note in data.notes)
    assert any(why in sentence for sentence in data.lost)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.array(3), "one label for 60 examples"),
        (Y[:7], "7 labels for 60 examples"),
        (np.eye(3)[Y][:7], "7 labels for 60 examples"),
        (np.where(Y == 1, np.nan, Y), r"NaN or infinity among the labels.*rows 1, 4, 7"),
        (np.array([None, 1, "a"] * 20, dtype=object), r"Python objects \(NoneType, int, str\)"),
        (np.array([b"\xff\xfe"] * N), "bytes that are no UTF-8"),
    ],
)
def test_what_is_wrong_with_labels_is_one_sentence(y: np.ndarray, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        open_data((X, y))
    assert "\n" not in str(refused.value)


def test_many_whole_numbers_are_asked_about() -> None:
    data = open_data((np.repeat(X, 10, axis=0) + np.arange(600)[:, None] / 7, np.arange(600) % 40))
    assert len(data.classes) == 40
    assert any(
        "40 different whole numbers" in note and "data.labels=false" in note for note in data.notes
    )


NAMES = [
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("X_train", "Y_train", "X_test", "Y_test"),
    ("xtrain", "ytrain", "xtest", "ytest"),
    ("images_train", "targets_train", "images_val", "targets_val"),
    ("Train_Data", "Train_Class", "Eval_Data", "Eval_Class"),
]


@pytest.mark.parametrize("names", NAMES)
def test_splits_of_arrays_in_every_spelling(
    names: tuple[str, str, str, str], tmp_path: Path
) -> None:
    arrays = {names[0]: X[:45], names[1]: Y[:45, None], names[2]: X[45:], names[3]: Y[45:, None]}
    np.savez(tmp_path / "d.npz", **arrays)
    data = open_data(tmp_path / "d.npz")
    held = data.validation if "val" in names[2].lower().split("_") else data.test
    assert sorted(held.x[:, 0].tolist()) == sorted(X[45:, 0].tolist())
    assert pairs(data) == set(zip(X[:, 0].tolist(), map(str, Y.tolist()), strict=True))
    assert data.lost == ()


def test_three_splits_of_arrays_are_kept(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (N, 5, 5, 3), dtype=np.uint8)
    cuts = {"train": slice(0, 40), "val": slice(40, 48), "test": slice(48, N)}
    arrays = {
        f"{name}_{noun}": part[cut]
        for name, cut in cuts.items()
        for noun, part in (("images", pictures), ("labels", Y[:, None]))
    }
    np.savez(tmp_path / "medmnist.npz", **arrays)
    data = open_data(tmp_path / "medmnist.npz")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [40, 8, 12]
    assert data.classes == ("0", "1", "2")
    np.testing.assert_array_equal(data.test.x.numpy(), np.moveaxis(pictures[48:], -1, 1))


def test_arrays_that_are_not_read_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", X, Y)
    assert open_data(tmp_path / "a.npz").classes == ("0", "1", "2")
    np.savez(tmp_path / "b.npz", Images=X, LABELS=Y, weights=np.ones(N))
    data = open_data(tmp_path / "b.npz")
    assert (data.classes, data.lost) == (("0", "1", "2"), ("the arrays weights",))
    np.savez(tmp_path / "c.npz", x_train=X[:40], x_test=X[40:], y_train=Y[:40])
    assert open_data(tmp_path / "c.npz").lost == ("the labels: there are none for test",)
    np.savez(tmp_path / "d.npz", anything=X)
    assert len(open_data(tmp_path / "d.npz").train) == 42
    np.savez(tmp_path / "e.npz", x_train=X[:40], x_test=X[40:, :1])
    with pytest.raises(BadInput, match=r"splits of examples of one shape"):
        open_data(tmp_path / "e.npz")
    assert [parsed(name) for name in ("trainX", "validation.data", "dev", "test_set", "other")] == [
        ("x", 0),
        ("data", 1),
        ("", 1),
        ("", 2),
        ("other", None),
    ]
