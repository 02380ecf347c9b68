"""Classes that are called by numbers: a number means the same class in every verb, and never another one silently."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import pushforward as pf
from oracles import perturb
from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.core.model import GenerativeModel
from pushforward.core.space import Points
from pushforward.data.classes import label_key
from pushforward.faces.cli.main import main
from pushforward.faces.python.fitted import Fitted
from pushforward.families.build import build

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 2)).astype(np.float32)


def made(names: list[Any], path: Path | None = None) -> Fitted:
    """A flow that says something different about every class."""
    y = np.array([names[i % len(names)] for i in range(len(X))])
    fitted = pf.fit(
        "flow", pf.load(X, labels=y), steps=1, preset="smoke", path=path, progress=False
    )
    perturb(fitted.model, 0.3)
    return fitted


def untrained(names: list[str]) -> GenerativeModel:
    """The same without training, its classes in the order of their names."""
    model = build("flow", Points(2), tuple(sorted(names, key=label_key)), {"width": 16, "depth": 2})
    perturb(model, 0.3)
    return model


@pytest.fixture(scope="module")
def numbered() -> Fitted:
    """Classes called 1, 2 and 3, so that 1 and 2 are places too."""
    return made([1, 2, 3])


def everywhere(one: Any) -> list[Any]:
    """One class said in every way that Python has."""
    several = [one] * 4
    found: list[Any] = [
        one,
        several,
        tuple(several),
        np.array(several),
        pd.Series(several),
        (v for v in several),
    ]
    if not isinstance(one, str):
        found += [
            np.asarray(one)[()],
            np.asarray(one),
            float(one),
            torch.tensor(one),
            torch.tensor(several),
            map(int, several),
        ]
    return found


@pytest.mark.parametrize("one", [1, 3, "1"])
def test_a_number_that_is_a_name_means_it_in_every_verb(numbered: Fitted, one: Any) -> None:
    place = int(one) - 1
    sure, x = Given(torch.full((4,), place)), X[:4]
    drawn, nats = numbered.sample(4, given=sure), numbered.log_prob(x, given=sure).nats
    codes = numbered.encode(x, given=sure)
    others = [
        numbered.log_prob(x, given=Given(torch.full((4,), i))).nats for i in range(3) if i != place
    ]
    assert not any(torch.equal(nats, other) for other in others)
    for said in everywhere(one):
        kept = list(said) if hasattr(said, "__next__") else said
        assert torch.equal(
            numbered.sample(4, given=iter(kept) if kept is not said else said), drawn
        ), said
        assert torch.equal(numbered.log_prob(x, given=kept).nats, nats), said
        assert torch.equal(numbered.encode(x, given=kept).value, codes.value)
        assert torch.equal(numbered.decode(codes, given=kept), numbered.decode(codes, given=sure))
        if type(kept) in (str, int, float):
            assert torch.equal(numbered.model.sample(4, given=kept), drawn)
    for labels in (
        [one] * 4,
        np.array([one] * 4),
        np.array([float(one)] * 4),
        torch.full((4,), int(one)),
    ):
        assert torch.equal(numbered.log_prob((x, labels)).nats, nats)


def test_the_command_line_means_the_same(tmp_path: Path) -> None:
    fitted = made([1, 2, 3], tmp_path / "run")
    opened = pf.open(fitted.path or "")
    with pytest.raises(SystemExit):
        main(
            [
                "sample",
                str(tmp_path / "run"),
                "-n",
                "4",
                "--given",
                "1",
                "-o",
                str(tmp_path / "x.npy"),
            ]
        )
    for said in (1, "1", 1.0):
        assert np.array_equal(np.load(tmp_path / "x.npy"), opened.sample(4, given=said).numpy())


@pytest.mark.parametrize(
    ("names", "said", "means"),
    [
        (["cat", "dog"], 1, "dog"),
        (["cat", "dog"], 0.0, "cat"),
        (["0", "1", "2"], 2, "2"),
        (["5", "7", "11"], 7, "7"),
        (["-1", "1"], -1, "-1"),
        (["-1", "1"], 1, "1"),
        (["01", "02", "03"], 2, "02"),
        (["1.0", "2.0"], 2, "2.0"),
        (["0.5", "2.5"], 0.5, "0.5"),
        (["cat", "7"], 7, "7"),
        (["1", "cat"], 0, "1"),
        (["False", "True"], False, "False"),
        (["0", "1"], True, "1"),
    ],
)
def test_what_a_number_means(names: list[str], said: Any, means: str) -> None:
    model = untrained(names)
    assert torch.equal(model.sample(3, given=said), model.sample(3, given=means))
    assert torch.equal(Fitted(model).sample(3, given=[said] * 3), model.sample(3, given=means))


@pytest.mark.parametrize(
    ("names", "said", "says"),
    [
        (["1", "2", "3"], 0, r"the class 0: expected one of the 3 classes \(1 to 3\)"),
        (["1", "2", "3"], 4, r"the class 4: expected one of the 3 classes \(1 to 3\)"),
        (["5", "7", "11"], 1, r"the class 1: expected one of the 3 classes \(5, 7, 11\)"),
        (
            ["1", "cat", "dog"],
            1,
            "the name of one class and the place of another .*as text: '1' or 'cat'",
        ),
        (["7", "07"], 7.0, "'7' or '07'|'07' or '7'"),
        (["cat", "dog"], 2, "class index 2: expected 0 to 1"),
        (["cat", "dog"], -1, "class index -1"),
        (["cat", "dog"], 0.5, "class index 0.5"),
        (["cat", "dog"], float("nan"), "class index nan"),
        (["cat", "dog"], 10**400, "class index 1000"),
        (["cat", "dog"], True, "the class True: expected one of the 2 classes"),
    ],
)
def test_what_could_mean_two_classes_or_none_is_refused(
    names: list[str], said: Any, says: str
) -> None:
    fitted = Fitted(untrained(names))
    for given in (said, [said] * 2):
        with pytest.raises(BadInput, match=says):
            fitted.sample(2, given=given)
        with pytest.raises(BadInput, match=says):
            fitted.log_prob(X[:2], given=given)


def test_numbers_beside_examples_are_read_as_conditions_are() -> None:
    fitted = made(["cat", "dog"])
    nats = fitted.log_prob(X[:3], given=["dog", "cat", "dog"]).nats
    for labels in (
        [1, 0, 1],
        np.array([1.0, 0.0, 1.0]),
        torch.tensor([1, 0, 1]),
        ["dog", "cat", "dog"],
    ):
        assert torch.equal(fitted.log_prob((X[:3], labels)).nats, nats)
    with pytest.raises(BadInput, match="class index 2"):
        fitted.log_prob((X[:3], [1, 0, 2]))
    with pytest.raises(BadInput, match="the name of one class and the place of another"):
        made(["1", "cat", "dog"]).log_prob((X[:3], [1, 1, 1]))


def test_what_is_no_condition_is_said() -> None:
    fitted = made(["cat", "dog"])
    for said in ({"cat"}, b"cat", object(), [["cat"]], [None, None], np.zeros((2, 2))):
        with pytest.raises(BadInput):
            fitted.sample(2, given=said)
