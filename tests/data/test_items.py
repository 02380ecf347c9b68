"""Items of a data set of any layout, and the names of its classes."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_iris
from torch.utils.data import ConcatDataset, DataLoader, Dataset, IterableDataset, Subset

import pushforward as pf
from pushforward.core.errors import BadInput

RNG = np.random.default_rng(6)
N = 30
X = RNG.integers(0, 256, (N, 6, 8), dtype=np.uint8)
Y = np.arange(N) % 3
MASKS = RNG.integers(0, 2, (N, 6, 8), dtype=np.uint8)
EXPECTED = pf.load(X, labels=Y)
Named = namedtuple("Named", ["image", "label", "path"])


@dataclass
class Sample:
    """An item as an object."""

    where: str
    pixels: np.ndarray
    species: int


class Items(Dataset[Any]):
    """A data set of torch: what an item is, a function says."""

    def __init__(self, item: Callable[[int], Any]) -> None:
        self.item = item

    def __len__(self) -> int:
        return N

    def __getitem__(self, i: int) -> Any:
        return self.item(i)


def _boxes(i: int) -> dict[str, Any]:
    return {"boxes": torch.zeros(i % 3, 4), "labels": torch.zeros(i % 3, dtype=torch.long)}


# what an item is, and words of what is lost (none: nothing is)
LAYOUTS: dict[str, tuple[Callable[[int], Any], str]] = {
    "index": (lambda i: (X[i], int(Y[i]), i), "the third part of each item (numbers)"),
    "index first": (lambda i: (i, X[i], int(Y[i])), "the first part of each item (numbers)"),
    "index between": (lambda i: (X[i], i, int(Y[i])), "the second part of each item (numbers)"),
    "name": (lambda i: (X[i], f"{i}.png", int(Y[i])), "the second part of each item (words)"),
    "label first": (lambda i: (int(Y[i]), X[i]), ""),
    "picture and index": (
        lambda i: (Image.fromarray(X[i]), int(Y[i]), i),
        "the third part of each item (numbers)",
    ),
    "tensor label of one": (lambda i: (torch.from_numpy(X[i]), torch.tensor([Y[i]])), ""),
    "one-hot": (lambda i: (X[i], np.eye(3)[Y[i]]), ""),
    "mask": (lambda i: (X[i], MASKS[i], int(Y[i])), "the second part of each item (arrays)"),
    "record of the target": (
        lambda i: (X[i], {"label": int(Y[i]), "boxes": [[0, 1]]}),
        "beside its label",
    ),
    "list": (lambda i: [X[i], int(Y[i]), f"{i}.png"], "the third part of each item (words)"),
    "record": (lambda i: {"image": X[i], "label": int(Y[i])}, ""),
    "record of other names": (lambda i: {"photo": Image.fromarray(X[i]), "species": int(Y[i])}, ""),
    "fine label": (
        lambda i: {"img": X[i], "coarse": 0, "fine_label": int(Y[i]), "id": i},
        "'coarse' of each item",
    ),
    "named tuple": (lambda i: Named(X[i], int(Y[i]), f"{i}.png"), "'path' of each item (words)"),
    "object": (lambda i: Sample(f"{i}.png", X[i], int(Y[i])), "'where' of each item (words)"),
    "without a label": (lambda i: (X[i], int(Y[i]), None), ""),
}


@pytest.mark.parametrize(("item", "lost"), LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("kind", ["data set", "list", "stream"])
def test_items_of_any_layout_open(kind: str, item: Callable[[int], Any], lost: str) -> None:
    items = [item(i) for i in range(N)]
    data = pf.load(Items(item) if kind == "data set" else items if kind == "list" else iter(items))
    if isinstance(item(0), Sample):  # two words beside the pixels: which is the class is not known
        assert (data.space, data.classes) == (EXPECTED.space, ())
    else:
        assert (data.space, data.fingerprint) == (EXPECTED.space, EXPECTED.fingerprint)
    assert (lost in " ".join(data.lost)) if lost else data.lost == ()


def test_parts_without_a_class_are_said() -> None:
    for item in (
        lambda i: (X[i], MASKS[i]),
        lambda i: (X[i], _boxes(i)),
        lambda i: (Image.fromarray(X[i]), _boxes(i)),
    ):
        data = pf.load(Items(item))
        assert (data.space.channels, data.space.width, data.classes) == (1, 8, ())
        assert "the second part of each item" in data.lost[0]


def test_streams_and_loaders_hold_items_too() -> None:
    class Stream(IterableDataset[Any]):
        def __iter__(self) -> Any:
            return iter([(X[i], int(Y[i]), i) for i in range(N)])

    assert pf.load(Stream()).fingerprint == EXPECTED.fingerprint
    assert (
        pf.load(DataLoader(Items(LAYOUTS["index"][0]), batch_size=4)).fingerprint
        == EXPECTED.fingerprint
    )


BAD: dict[str, tuple[Any, str]] = {
    "two layouts": (
        [(X[0], 1), (X[1], 1, 2), *[(X[i], 0) for i in range(5)]],
        "items of different layouts",
    ),
    "an array among pairs": ([*[(X[i], 0) for i in range(6)], X[6]], "in item 6"),
    "no example": ([({"a": 1}, "b")] * 6, "items of 2 parts"),
    "labels of two types": ([(X[i], [None, "a", 2.5][i % 3]) for i in range(9)], "labels"),
    "ragged numbers": ([[[1, 2], [3]]] * 6, "cannot be read"),
    "data sets": (
        {"train": Items(lambda i: (X[i], 0)), "test": Items(lambda i: (X[i], 0))},
        r"choose .*data\['train'\]",
    ),
}


@pytest.mark.parametrize(("source", "says"), BAD.values(), ids=BAD.keys())
def test_what_has_no_layout_is_refused_in_a_sentence(source: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        pf.load(source)
    assert "the given data cannot be read" not in str(caught.value)


def test_arrays_beside_the_examples_of_a_mapping_are_lost_aloud() -> None:
    data = pf.load({"images": X, "labels": Y, "masks": MASKS})
    assert data.lost == ("what lies beside the examples: masks",)
    frame = pd.DataFrame({"image": list(X), "label": Y, "source": ["web"] * N})
    assert pf.load(frame).lost == ("'source' of each item (words)",)


class Called(Items):
    """A data set that knows what its classes are called, as torchvision's do."""

    def __init__(self, **said: Any) -> None:
        super().__init__(lambda i: (Image.fromarray(X[i]), int(Y[i])))
        for name, value in said.items():
            setattr(self, name, value)


class Described:
    """A data set that describes its fields and turns into a frame, as those of the Hub do."""

    features = {
        "img": None,
        "fine_label": type("ClassLabel", (), {"names": ["wolf", "owl", "cat"]}),
    }

    def to_pandas(self) -> pd.DataFrame:
        return pd.DataFrame({"img": [{"bytes": _png(x), "path": None} for x in X], "fine_label": Y})


def _png(x: np.ndarray) -> bytes:
    from io import BytesIO

    file = BytesIO()
    Image.fromarray(x).save(file, "PNG")
    return file.getvalue()


OWN = ("wolf", "owl", "cat")
CALLED: dict[str, Callable[[], Any]] = {
    "classes": lambda: Called(classes=list(OWN)),
    "a tuple": lambda: Called(classes=OWN),
    "numbers by name": lambda: Called(class_to_idx={"cat": 2, "owl": 1, "wolf": 0}),
    "part": lambda: Subset(Called(classes=list(OWN)), range(N)),
    "part of a part": lambda: Subset(Subset(Called(classes=list(OWN)), range(N)), range(N)),
    "two parts": lambda: ConcatDataset(
        [Subset(Called(classes=OWN), range(9)), Subset(Called(classes=OWN), range(9, N))]
    ),
    "loader": lambda: DataLoader(Called(classes=list(OWN)), batch_size=4),
    "described fields": Described,
    "mapping": lambda: {"images": X, "target": Y, "target_names": np.array(OWN)},
    "ordered categories": lambda: (X, pd.Categorical.from_codes(Y, list(OWN), ordered=True)),
    "ordered series": lambda: (
        list(X),
        pd.Series(pd.Categorical.from_codes(Y, list(OWN), ordered=True)),
    ),
    "ordered column": lambda: pd.DataFrame(
        {"image": list(X), "label": pd.Categorical.from_codes(Y, list(OWN), ordered=True)}
    ),
}


@pytest.mark.parametrize("source", CALLED.values(), ids=CALLED.keys())
def test_classes_are_called_and_ordered_as_the_data_say(source: Callable[[], Any]) -> None:
    data = pf.load(source())
    assert data.classes == OWN
    assert data.lost == ()
    names = {x.numpy().tobytes(): OWN[y] for x, y in zip(torch.from_numpy(X), Y, strict=True)}
    for part in (data.train, data.validation, data.test):
        told = [data.classes[i] for i in part.given.label.tolist()]
        assert told == [names[x[0].numpy().tobytes()] for x in part.x]


def test_labels_argument_keeps_its_order_too() -> None:
    ordered = pd.Categorical(["low", "mid", "high"] * 10, ["low", "mid", "high"], ordered=True)
    assert pf.load(X, labels=ordered).classes == ("low", "mid", "high")
    assert pf.load(X, labels=pd.Series(ordered)).classes == ("low", "mid", "high")
    points = pd.DataFrame({"a": RNG.normal(size=N), "b": RNG.normal(size=N)})
    assert pf.load((points.to_numpy(), ordered)).classes == ("low", "mid", "high")
    assert pf.load(X, labels=pd.Categorical(list(ordered))).classes == ("high", "low", "mid")


def test_names_that_cannot_be_those_of_the_labels_are_not_used() -> None:
    few = pf.load(Called(classes=["cat", "dog"]))
    assert few.classes == ("0", "1", "2")
    assert any("names 2 classes" in note for note in few.notes)
    turned = pf.load(Called(classes=list(OWN), target_transform=lambda y: 2 - y))
    assert turned.classes == ("0", "1", "2")
    assert any("target_transform" in note for note in turned.notes)
    odd = pf.load(Called(classes=7))
    assert odd.classes == ("0", "1", "2")
    synonyms = pf.load(Called(classes=[("wolf", "Canis lupus"), ("crane",), ("crane",)]))
    assert synonyms.classes == ("wolf, Canis lupus", "crane (1)", "crane (2)")
    many = pf.load(Called(classes=[*OWN, "dog"]))
    assert (many.classes, any("without examples: dog" in note for note in many.notes)) == (
        OWN,
        True,
    )


def test_scikit_learn_s_names_are_used() -> None:
    bunch: Any = load_iris()
    data = pf.load({"data": bunch.data, "target": bunch.target, "target_names": bunch.target_names})
    assert data.classes == ("setosa", "versicolor", "virginica")


@pytest.mark.parametrize("kind", ["npz", "array", "tensor", "pairs", "four dimensions"])
def test_pixels_that_are_no_numbers_are_counted(kind: str, tmp_path: Path) -> None:
    x = RNG.random((N, 6, 8))
    x[3, 0, 0] = x[3, 1, 1] = x[7, 2, 2] = np.nan
    x[9, 0, 0] = -np.inf
    np.savez(tmp_path / "x.npz", x=x)
    sources: dict[str, Any] = {
        "npz": tmp_path / "x.npz",
        "array": x,
        "tensor": torch.from_numpy(x),
        "pairs": [(one, 0) for one in x],
        "four dimensions": x[:, None].astype(np.float16),
    }
    with pytest.raises(BadInput) as caught:
        pf.load(sources[kind])
    said = str(caught.value)
    assert "NaN in 3 and infinity in 1 of 1,440 pixels" in said
    assert "3 of 30 examples (3, 7, 9" in said
    assert "nan to nan" not in said
    assert "x.min()" not in said


@pytest.mark.parametrize("scale", [0.7, 36.5, 254.4, 1000.0])
@pytest.mark.parametrize("shift", [0.0, -0.3])
def test_the_advised_option_makes_levels(scale: float, shift: float) -> None:
    x = (RNG.random((N, 6, 8)) + shift) * scale
    with pytest.raises(BadInput, match=r"-s data.levels=256 rounds them"):
        pf.load(x)
    data = pf.load(x, levels=256)
    levels = torch.cat([data.train.x, data.validation.x, data.test.x]).flatten().double().sort()[0]
    assert levels.min() >= 0
    assert levels.max() <= 255
    assert len(levels.unique()) > 20
    # rounding to a grid keeps the order, so equally many lie below any level
    exact = torch.from_numpy(np.sort(x.ravel()))
    assert float(torch.corrcoef(torch.stack([levels, exact]))[0, 1]) > 0.99
