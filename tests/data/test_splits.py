"""Splits: repeats that a law makes fall on both sides, copies do not; every class is trained on; levels are few."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from pushforward.core.given import label_of
from pushforward.core.space import Image
from pushforward.data.dataset import Dataset
from pushforward.data.open import open_data
from pushforward.data.split import split_examples


def poisson(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x = rng.poisson([2.0, 3.0], size=(3000, 2))
    log_p = x * np.log([2.0, 3.0]) - np.array([2.0, 3.0]) - np.vectorize(math.lgamma)(x + 1.0)
    return x, log_p.sum(1)


def binary(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    p = np.linspace(0.2, 0.8, 6).reshape(2, 3)
    x = (rng.random((3000, 2, 3)) < p).astype(np.uint8)
    return x, np.where(x == 1, np.log(p), np.log1p(-p)).reshape(len(x), -1).sum(1)


def dice(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x = rng.integers(1, 7, (3000, 3)) / 2
    return x, np.full(len(x), -3 * math.log(6))


def bars(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Bars or stripes on 5 x 5 pixels with three greys: few of 3^25 pictures, the more probable the fewer bars they have."""
    on = (rng.random((3000, 5)) < 0.2).astype(np.uint8) * 2
    upright = rng.random(3000) < 0.5
    x = np.where(upright[:, None, None], on[:, :, None], on[:, None, :]) * np.ones((5, 5), np.uint8)
    one = (on == 2).sum(1)
    log_p = (
        one * math.log(0.2)
        + (5 - one) * math.log(0.8)
        + np.where((one == 0) | (one == 5), 0.0, math.log(0.5))
    )
    return x, log_p


@pytest.mark.parametrize("law", [poisson, binary, dice, bars])
def test_train_and_test_share_a_law_where_repeats_are_natural(law: object) -> None:
    """The true model's held-out code length is its entropy, within five standard errors (a false alarm in 1.7 million)."""
    x, log_p = law(np.random.default_rng(0))  # type: ignore[operator]
    data = open_data(x)
    table = {
        tuple(np.asarray(row, dtype=float).ravel()): float(value)
        for row, value in zip(x, log_p, strict=True)
    }
    for part in (data.train, data.validation, data.test):
        nats = np.array(
            [table[tuple(row)] for row in part.x.reshape(len(part), -1).double().numpy().tolist()]
        )
        entropy, stderr = -log_p.mean(), log_p.std() / math.sqrt(len(nats))
        assert abs(-nats.mean() - entropy) <= 5 * stderr + 1e-12
    seen = {row.numpy().tobytes() for row in data.train.x}
    assert sum(row.numpy().tobytes() in seen for row in data.test.x) > 0.9 * len(data.test)
    assert any("row by row" in note for note in data.notes)


@pytest.mark.parametrize("times", [2, 3, 20])
@pytest.mark.parametrize("kind", ["photographs", "digits", "measurements"])
def test_copies_stay_on_one_side(times: int, kind: str) -> None:
    rng = np.random.default_rng(0)
    one = {
        "photographs": rng.integers(0, 256, (60, 4, 4), dtype=np.uint8),
        "digits": rng.integers(0, 2, (60, 8, 8), dtype=np.uint8),
        "measurements": rng.normal(size=(60, 3)),
    }[kind]
    data = open_data(rng.permutation(np.repeat(one, times, axis=0)))
    seen = [
        {row.numpy().tobytes() for row in part.x}
        for part in (data.train, data.validation, data.test)
    ]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]
    assert any("duplicates kept together" in note for note in data.notes)


def test_oversampled_photographs_are_copies() -> None:
    rng = np.random.default_rng(0)
    photos = rng.integers(0, 256, (40, 5, 5), dtype=np.uint8)
    data = open_data(photos[rng.integers(0, 40, 2000)])
    seen = {row.numpy().tobytes() for row in data.train.x}
    assert not any(row.numpy().tobytes() in seen for row in data.test.x)


def classes_of(data: Dataset) -> list[set[int]]:
    found = []
    for part in (data.train, data.validation, data.test):
        label = label_of(part.given)
        assert label is not None
        found.append(set(label.tolist()))
    return found


@pytest.mark.parametrize("sizes", [(30, 1), (30, 1, 1, 1, 1), (20, 2, 2), (5, 1), (7, 3, 1)])
def test_every_class_is_trained_on(sizes: tuple[int, ...]) -> None:
    y = np.repeat(np.arange(len(sizes)), sizes)
    x = np.random.default_rng(0).normal(size=(len(y), 2))
    for seed in range(8):
        data = open_data((x, y), seed=seed)
        assert classes_of(data)[0] == set(range(len(sizes)))
        assert all(classes_of(data))
    rare = [str(i) for i, size in enumerate(sizes) if size == 1]
    assert all(
        any(f"no validation or test examples of {len(rare)} class" in note for note in data.notes)
        for _ in rare
    )


def test_a_class_that_repeats_another_is_trained_on() -> None:
    x = np.random.default_rng(0).normal(size=(20, 2))
    x[19] = x[0]  # the only example of its class is a copy of another class's
    for seed in range(8):
        data = open_data((x, np.array(["a"] * 19 + ["b"])), seed=seed)
        assert classes_of(data)[0] == {0, 1}


def test_few_examples_are_split_if_they_can_be() -> None:
    for n in range(5, 12):
        for seed in range(4):
            data = open_data(np.random.default_rng(n).normal(size=(n, 2)), seed=seed)
            assert min(len(data.train), len(data.validation), len(data.test)) >= 1


def test_a_drawn_part_beside_one_of_the_source_is_drawn_from_training() -> None:
    x = np.random.default_rng(0).normal(size=(100, 2))
    roles = np.repeat([0, 2], [80, 20])
    split = split_examples(x, None, 0, roles)
    assert sorted(split.rows[2].tolist()) == list(range(80, 100))
    assert len(split.rows[1]) == 8
    other = split_examples(x, None, 0, np.repeat([0, 1], [80, 20]))
    assert sorted(other.rows[1].tolist()) == list(range(80, 100))
    assert len(other.rows[2]) == 16
    both = split_examples(x, None, 0, np.repeat([0, 1, 2], [80, 9, 11]))
    assert [len(rows) for rows in both.rows] == [80, 9, 11]


@pytest.mark.parametrize(
    ("top", "levels"),
    [
        (1, 2),
        (2, 3),
        (4, 5),
        (15, 16),
        (16, 17),
        (40, 41),
        (63, 64),
        (200, 256),
        (255, 256),
        (999, 1024),
        (4095, 4096),
        (299, 300),
    ],
)
def test_arrays_have_as_many_levels_as_they_need(top: int, levels: int, tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, top + 1, (60, 6, 6))
    x[0, 0, 0] = top
    np.save(tmp_path / "x.npy", x)
    assert open_data(tmp_path / "x.npy").space == Image(1, 6, 6, levels=levels)
    assert open_data(tmp_path / "x.npy", images={"levels": levels + 3}).space == Image(
        1, 6, 6, levels=levels + 3
    )


def test_digits_keep_their_levels() -> None:
    data = open_data("digits")
    assert data.space == Image(1, 8, 8, levels=17)
    assert torch.equal(data.train.x, open_data("digits").train.x)


def test_rows_of_few_things_are_asked_about() -> None:
    rng = np.random.default_rng(0)
    sensor = rng.permutation(np.arange(2000) % 40)
    level = rng.normal(size=(40, 2))[sensor] + 0.3 * rng.normal(size=(2000, 2))
    asked = {
        "balanced": np.column_stack([sensor, level]),
        "last column": np.column_stack([level, 1000 + 17 * sensor]),
        "far": np.column_stack([1.7e9 + 60 * np.arange(2000), sensor, level[:, 0]]),
    }
    for x in asked.values():
        assert any("which flatters a model" in note for note in open_data(x).notes)
    count = rng.poisson(20, 2000)
    dose = rng.integers(0, 30, 2000)
    plain = {
        "counts": np.column_stack([count, 0.2 * count + rng.normal(size=2000)]),
        "a smooth response": np.column_stack(
            [dose, (dose / 30) ** 2 - dose / 10 + 0.3 * rng.normal(size=2000)]
        ),
        "names without effect": np.column_stack([sensor, rng.normal(size=2000)]),
        "measurements": rng.normal(size=(2000, 3)),
    }
    for x in plain.values():
        assert not any("flatters" in note for note in open_data(x).notes)
