"""Numbers mean something beside their own dictionary only: other columns, tokens or classes are read again, or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pushforward as pf
from pushforward.core.errors import BadInput
from pushforward.faces.python.fitted import Fitted

RNG = np.random.default_rng(0)
TINY: dict[str, Any] = {"preset": "smoke", "progress": False}
P = pd.DataFrame({"a": RNG.normal(0, 1, 300), "b": RNG.normal(100, 10, 300)})
Y = RNG.integers(0, 2, 300)
L = pd.DataFrame({"a": RNG.normal(0, 1, 300) + 6 * Y, "b": RNG.normal(100, 10, 300)})
L["label"] = np.where(Y, "hi", "lo")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other")
    P.to_csv(folder / "p.csv", index=False)
    P[["b", "a"]].to_csv(folder / "swapped.csv", index=False)
    L.to_csv(folder / "l.csv", index=False)
    L[["b", "a", "label"]].to_csv(folder / "l_swapped.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def teacher(place: Path) -> Fitted:
    return pf.fit("diffusion", place / "p.csv", steps=60, path=place / "teacher", **TINY)


@pytest.mark.parametrize("form", ["file", "frame", "data set"])
def test_a_student_has_its_teachers_columns(teacher: Fitted, place: Path, form: str) -> None:
    path = place / "swapped.csv"
    data = {"file": path, "frame": P[["b", "a"]], "data set": pf.load(path)}[form]
    made = pf.distil(teacher, data, steps=4, progress=False).sample(64, seed=0)
    assert list(made) == ["a", "b"]
    assert abs(made["a"].mean()) < 5
    assert 50 < made["b"].mean() < 150


def test_a_classifier_reads_columns_by_name(teacher: Fitted, place: Path) -> None:
    labelled = pf.fit("diffusion", place / "l.csv", steps=4, path=place / "labelled", **TINY)
    for run, name in ((labelled, "with"), (teacher, "without")):
        how = {"steps": 120, "output": place / name}
        record = pf.train_classifier(run, place / "l_swapped.csv", **how).json()
        # a and b in each other's place: half of the labels
        assert max(record["accuracy"].values()) > 0.9


def test_a_data_set_is_read_as_its_file_is(teacher: Fitted, place: Path) -> None:
    own = pf.score(teacher, place / "p.csv").json()["mean_nats"]
    path = place / "swapped.csv"
    assert pf.score(teacher, path).json()["mean_nats"] == pytest.approx(own)
    assert pf.score(teacher, pf.load(path)).json()["mean_nats"] == pytest.approx(own)
    seen = teacher.log_prob(pf.load(path), seed=0).mean_nats
    assert float(seen) == pytest.approx(own, abs=1e-6)
    given = pf.load(P[["b", "a"]])
    for verb in (pf.score, pf.anomalies, Fitted.log_prob):
        with pytest.raises(BadInput, match="with a dictionary of its own"):
            verb(teacher, given)


def test_texts_of_other_letters_are_no_texts_of_the_model(tmp_path: Path) -> None:
    words = "\n".join(" ".join(RNG.choice(["abc", "bca", "cab"], 12)) for _ in range(200))
    (tmp_path / "a.txt").write_text(words)
    (tmp_path / "b.txt").write_text(words.translate(str.maketrans("abc", "xyz")))
    run = tmp_path / "run"
    pf.fit("autoregressive", tmp_path / "a.txt", steps=3, path=run, **TINY)
    with pytest.raises(BadInput, match="the character"):
        pf.score(run, pf.load(tmp_path / "b.txt"), split="train")
    assert pf.score(run, pf.load(tmp_path / "a.txt")).json()["split"] == "test"


def test_classes_are_known_by_name() -> None:
    x, y = RNG.normal(size=(200, 2)), RNG.integers(0, 2, 200)
    x[:, 0] += 8 * y
    model = pf.fit("flow", pf.load(x, labels=np.array(["a", "b"])[y]), steps=200, **TINY)
    usual = float(model.log_prob((x, np.array(["a", "b"])[y])).mean_nats)
    # the same rows, whose data set begins with the other class
    turned = pf.load(x, labels=np.array(["b", "c"])[y])
    with pytest.raises(BadInput, match="it does not know c"):
        model.log_prob(turned)
    again = pf.load(x, labels=np.array(["a", "b"])[y])
    assert again.classes == model.model.classes
    assert float(model.log_prob(again).mean_nats) == pytest.approx(usual, abs=1.0)


def test_a_model_is_judged_by_what_it_did_not_see(teacher: Fitted, place: Path) -> None:
    own = pf.evaluate(teacher)
    for data in (place / "p.csv", P, pf.load(place / "p.csv")):
        assert pf.evaluate(teacher, data)[0].value == own[0].value
    x = RNG.normal(size=(300, 2))
    held = pf.fit("flow", x, steps=3, **TINY)
    assert pf.evaluate(held, x)[0].n == pf.evaluate(held)[0].n == 60
    run = place / "memory"
    pf.fit("flow", x, steps=3, path=run, **TINY)
    assert pf.evaluate(run, x)[0].n == 60  # its data are gone, and come along


def test_other_data_than_training_prove_no_copying() -> None:
    x = RNG.normal(size=(600, 2))
    model = pf.fit("flow", x, steps=100, **TINY)
    for shift in (1.0, 2.0):
        scores = pf.evaluate(model, RNG.normal(size=(200, 2)) + shift)
        assert "training data" not in scores.verdict
        assert "do not take" not in scores.verdict
        assert not [s for s in scores if s.measure.aspect.name in ("memorisation", "privacy")]


def test_nothing_is_asked_twice_or_dropped(teacher: Fitted, place: Path) -> None:
    with pytest.raises(BadInput, match="data of anomalies twice"):
        pf.anomalies(teacher, P[:5], data=P)
    with pytest.raises(BadInput, match="run of score twice"):
        pf.score("nowhere", place / "p.csv", run=teacher)
    with pytest.raises(BadInput, match="a data set as samples"):
        pf.evaluate(samples=pf.load(place / "p.csv"), reference=place / "p.csv")
    with pytest.raises(BadInput, match="a model and reference: expected one of them"):
        pf.evaluate(teacher, reference=place / "p.csv")
    found = pf.evaluate(teacher, sampling={"steps": 3}, output=place / "card.json")
    assert (place / "card.json").is_file()
    assert "steps=3" in str(found)


def test_the_layout_of_a_file_is_no_other_dictionary(tmp_path: Path) -> None:
    x, y = RNG.integers(0, 256, (80, 8, 8), dtype="u1"), RNG.integers(0, 3, 80)
    np.savez(tmp_path / "n.npz", images=x, labels=y)
    run = tmp_path / "run"
    model = pf.fit("vae", tmp_path / "n.npz", steps=2, path=run, **TINY)
    held = pf.load(x, labels=y)
    usual = pf.score(run, tmp_path / "n.npz").json()["mean_nats"]
    assert pf.score(run, held).json()["mean_nats"] == usual
    assert float(model.log_prob(held, seed=0).mean_nats) == pytest.approx(usual, abs=1e-3)
