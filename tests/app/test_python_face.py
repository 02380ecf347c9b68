"""The Python face takes what people hold in a notebook, and shows itself there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image as Picture
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset, TensorDataset

import pushforward as pf
from pushforward.core.errors import BadInput
from pushforward.core.latent import Latent
from pushforward.faces.python.fitted import Fitted

BUNCH: Any = load_digits()
X, Y = BUNCH.images.astype(np.uint8), BUNCH.target
CLASSES = tuple("0123456789")


@pytest.fixture(scope="module")
def digits() -> Fitted:
    return pf.fit("flow", pf.load(X, labels=Y), steps=2, preset="smoke")


@pytest.fixture(scope="module")
def table() -> Fitted:
    rows = pd.DataFrame(
        {"age": np.arange(200) % 50, "country": list("ABCD") * 50, "rate": np.arange(200) % 7 / 4}
    )
    return pf.fit("ar", rows, steps=2, preset="smoke")


class Items(Dataset[tuple[torch.Tensor, int]]):
    """A data set as torchvision's: an item is a picture in [0, 1] and a label."""

    def __len__(self) -> int:
        return 120

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(X[i])[None].float() * 15 / 255, int(Y[i])


SAME: dict[str, Callable[[], Any]] = {
    "array and labels": lambda: (X[:120], Y[:120]),
    "tensors": lambda: (torch.from_numpy(X[:120]), torch.from_numpy(Y[:120])),
    "TensorDataset": lambda: TensorDataset(torch.from_numpy(X[:120]), torch.from_numpy(Y[:120])),
    "loader": lambda: DataLoader(
        TensorDataset(torch.from_numpy(X[:120]), torch.from_numpy(Y[:120])), batch_size=7
    ),
    "list of pairs": lambda: [(X[i], int(Y[i])) for i in range(120)],
    "pairs of tensors": lambda: [(torch.from_numpy(X[i]), torch.tensor(Y[i])) for i in range(120)],
    "mapping": lambda: {"x": X[:120], "y": Y[:120]},
    "mapping of images": lambda: {"images": X[:120], "target": Y[:120]},
    "records of pictures": lambda: [
        {"image": Picture.fromarray(X[i]), "label": int(Y[i])} for i in range(120)
    ],
    "frame of pictures": lambda: pd.DataFrame(
        {"image": [X[i] for i in range(120)], "label": Y[:120]}
    ),
    "generator": lambda: ((X[i], str(Y[i])) for i in range(120)),
}


@pytest.mark.parametrize("source", SAME.values(), ids=SAME.keys())
def test_every_way_to_hold_labelled_pictures_opens_as_the_same_data(
    source: Callable[[], Any],
) -> None:
    expected, data = pf.load(X[:120], labels=Y[:120]), pf.load(source())
    assert (data.space, data.classes, data.fingerprint) == (
        expected.space,
        CLASSES,
        expected.fingerprint,
    )


def test_intensities_in_whole_255ths_are_the_levels_they_came_from() -> None:
    data = pf.load(Items())
    assert data.classes == CLASSES
    assert torch.equal(
        data.train.x.unique() % 15, torch.zeros(len(data.train.x.unique()), dtype=torch.uint8)
    )
    assert any("255" in note for note in data.notes)
    # every level survives the division in float32 and in float64
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    pictures = np.concatenate([levels.reshape(1, 16, 16) // k for k in range(1, 7)])
    for dtype in (np.float16, np.float32, np.float64):
        for made in (
            pictures.astype(dtype) / dtype(255),
            pictures.astype(dtype) / dtype(127.5) - dtype(1),
        ):
            data = pf.load(made)
            whole = torch.cat([data.train.x, data.validation.x, data.test.x])[:, 0].long()
            assert data.space.levels == 256
            assert sorted(whole.flatten(1).tolist()) == sorted(pictures.reshape(6, -1).tolist())
    # other scales: the fewest levels that will do, or those asked for
    assert (
        pf.load(
            np.stack([np.roll(np.eye(4), r, 0) * k / 4 for k in range(1, 5) for r in (0, 1)])
        ).space.levels
        == 5
    )
    noise = np.random.default_rng(0).random((9, 4, 4))
    with pytest.raises(BadInput, match=r"real numbers.*levels=256 rounds"):
        pf.load(noise)
    rounded = pf.load(noise, levels=256)
    assert rounded.space.levels == 256
    assert any("rounded to 256 levels" in lost for lost in rounded.lost)


def test_points_columns_and_texts() -> None:
    assert pf.load([[0.5 * i, 1.0 / (i + 1)] for i in range(40)]).space.kind == "points"
    assert (
        pf.load([(0.5 * i, 1.0 / (i + 1)) for i in range(40)]).space.kind == "points"
    )  # pairs of numbers are points
    assert (
        pf.load(
            TensorDataset(torch.randn(50, 3, generator=torch.Generator().manual_seed(0)))
        ).space.dimensions
        == 3
    )
    assert pf.load({"a": list(range(40)), "b": list("xy") * 20}).space.kind == "table"
    assert pf.load([{"a": i, "b": "xy"[i % 2]} for i in range(40)]).space.kind == "table"
    assert (
        pf.load(np.array(["to be or not to be, that is the question"] * 60), length=8).space.kind
        == "text"
    )


BAD: dict[str, tuple[Callable[[], Any], str]] = {
    "a number": (lambda: pf.load(3), "data of type int"),
    "nothing": (lambda: pf.load(None), "data of type NoneType"),
    "an empty list": (lambda: pf.load([]), "an empty list"),
    "ragged": (
        lambda: pf.load([np.zeros((2, 2)), np.zeros((3, 3))]),
        r"different shapes \(\(2, 2\) and \(3, 3\)\)",
    ),
    "too few labels": (lambda: pf.load(X, labels=Y[:4]), "4 labels for 1797 examples"),
    "labels of a path": (lambda: pf.load("digits", labels=Y), "labels beside the path digits"),
    "labels twice": (lambda: pf.load((X, Y), labels=Y), "labels beside them"),
    "columns of two lengths": (lambda: pf.load({"a": [1, 2], "b": [1]}), "a mapping of columns"),
}


@pytest.mark.parametrize(("call", "says"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_opened_is_said_in_a_sentence(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        call()


def test_log_prob_takes_what_fit_takes(digits: Fitted) -> None:
    expected = digits.model.log_prob(pf.load(X, labels=Y).test)
    assert torch.equal(
        digits.log_prob(pf.load(X, labels=Y)).nats, expected.nats
    )  # a data set stands for its test split
    given = digits.log_prob((X[:6], Y[:6]))
    assert given.given == "label"
    for same in ([(X[i], int(Y[i])) for i in range(6)], {"x": X[:6], "y": Y[:6]}):
        assert torch.equal(digits.log_prob(same).nats, given.nats)
    assert torch.equal(digits.log_prob(X[:6], given=Y[:6].tolist()).nats, given.nats)
    assert torch.equal(digits.log_prob(X[:6], given=[str(y) for y in Y[:6]]).nats, given.nats)
    assert digits.log_prob(X[:6]).given == "marginal"
    with pytest.raises(BadInput, match="height=9"):
        digits.log_prob(np.zeros((5, 9, 9), np.uint8))


def test_codes_have_a_length_and_lead_back(digits: Fitted) -> None:
    z = digits.encode((X[:6], Y[:6]))
    assert (len(z), z.shape, np.asarray(z).shape, len(list(z)), z[2].shape) == (
        6,
        (6, 64),
        (6, 64),
        6,
        (64,),
    )
    assert repr(z) == "Latent(6 codes of shape (64,), exact)"
    for codes in (z, z.value, np.asarray(z)):
        assert torch.equal(digits.decode(codes, given=Y[:6]), torch.from_numpy(X[:6])[:, None])
    assert isinstance(digits.encode(X[:6], given=list(Y[:6])), Latent)


def test_classes_may_be_a_list_and_say_how_many(digits: Fitted) -> None:
    several = digits.sample(given=[1, 2, 3], seed=5)
    assert torch.equal(several, digits.sample(3, given=torch.tensor([1, 2, 3]), seed=5))
    assert torch.equal(several, digits.sample(3, given=["1", "2", "3"], seed=5))
    assert torch.equal(several, digits.sample(given=np.array([1, 2, 3]), seed=5))
    for given, says in (
        ([1, 2], "2 conditions for n=3"),
        ({"country": "DE"}, "a condition on country for a model of image"),
        ([1.5, 2, 3], "the class 1.5"),
        (["1", "2", "ten"], "the condition 'ten'"),
        ([1, 2, 30], "the class 30"),
    ):
        with pytest.raises(BadInput, match=says):
            digits.sample(3, given=given)


def test_columns_condition_as_mappings_and_frames(table: Fitted) -> None:
    rows = table.sample(20, given={"country": "B", "age": (30, 40)})
    assert set(rows["country"]) == {"B"}
    assert rows["age"].between(30, 40).all()
    words = table.sample(20, given="country=B,age=30..40")
    pd.testing.assert_frame_equal(rows, words)
    each = table.sample(given=[{"country": "A"}, {"age": 7}, {"rate": 0.25, "country": "D"}])
    assert (each["country"][0], each["age"][1], each["rate"][2], each["country"][2]) == (
        "A",
        7,
        0.25,
        "D",
    )
    assert table.sample(given=pd.DataFrame({"country": list("ABCD")}))["country"].tolist() == list(
        "ABCD"
    )
    with pytest.raises(BadInput, match=r"unknown column 'contry'.*country"):
        table.sample(2, given={"contry": "A"})
    with pytest.raises(BadInput, match="a list of int as the condition of a table"):
        table.sample(2, given=[1, 2])
    with pytest.raises(BadInput, match="2 conditions for n=3"):
        table.sample(3, given=[{"country": "A"}, {"country": "B"}])


def test_rows_may_be_columns_or_records(table: Fitted) -> None:
    frame = pd.DataFrame({"age": [1, 2], "country": ["A", "B"], "rate": [0.25, 0.5]})
    expected = table.log_prob(frame).nats
    assert torch.equal(table.log_prob(frame.to_dict("list")).nats, expected)
    assert torch.equal(table.log_prob(frame.to_dict("records")).nats, expected)


def test_scores_print_as_a_table_and_hold_what_they_held(digits: Fitted) -> None:
    scores = pf.evaluate(digits, (X[:90], Y[:90]), n=60)
    assert isinstance(scores, list)
    said, *shown = str(scores).splitlines()
    assert said == scores.verdict
    assert said.startswith("flow")
    assert shown[0].split()[:2] == ["measure", "value"]
    assert len({line.split("  ")[0] for line in shown[1 : 1 + len(scores)]}) == len(
        scores
    )  # no two rows are called alike
    assert scores.to_frame()["value"].tolist() == [score.value for score in scores]
    assert scores["coverage"].value == next(
        s.value for s in scores if s.name.startswith("coverage")
    )
    assert scores._repr_html_().count("<tr>") == len(scores) + 1
    assert len(scores[:3]) == 3
    with pytest.raises(BadInput, match=r"covrage.*coverage"):
        scores["covrage"]
    with pytest.raises(BadInput, match="90 examples without labels"):
        pf.evaluate(digits, X[:90])


def test_things_say_what_they_are(digits: Fitted, table: Fitted) -> None:
    assert "flow model of array" in repr(digits)
    assert "10 classes" in repr(digits)
    assert "0x" not in repr(digits)
    data = pf.load(X, labels=Y)
    assert len(repr(data)) < 200
    assert f"{len(data.train)} training" in repr(data)
    assert "tensor" not in repr(digits.log_prob((X[:4], Y[:4])))
    assert "3 columns" in repr(table.plan.dataset if table.plan else None)


def test_refusals_name_arguments_and_not_flags(tmp_path: Path) -> None:
    """Nobody types a flag in Python; a whole command stays one."""
    place = tmp_path / "run"
    asked: dict[str, Any] = {"steps": 2, "preset": "smoke"}
    pf.fit("flow", "two-moons", path=place, **asked)
    with pytest.raises(BadInput) as refused:
        pf.fit("flow", "two-moons", path=place, **asked)
    assert str(refused.value).endswith(
        "continue that one with resume=True, replace it with overwrite=True, or choose another path"
    )
    with pytest.raises(BadInput, match=r"^resume=True with other settings \(seed\)"):
        pf.fit("flow", "two-moons", path=place, resume=True, seed=5, **asked)
    with pytest.raises(BadInput, match=r"^resume=True without path"):
        pf.fit("flow", "two-moons", resume=True, **asked)
    with pytest.raises(BadInput, match=r"^n 10000000: .*leave n out") as refused:
        pf.score(place, "two-moons", n=10_000_000)
    assert " -" not in str(refused.value)
    with pytest.raises(BadInput, match="use the command: `pushforward train --dry-run`"):
        pf.fit("flow", "two-moons", dry_run=True, **asked)
