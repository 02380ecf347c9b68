"""Equal rows and documents: what a law repeats is split case by case, copies stay on one side, old runs find their data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pushforward as pf
from pushforward.app.runs.opening import reopen
from pushforward.data.repeats import (
    RULES,
    copied_share,
    documents_repeat,
    groups_of,
    rows_repeat,
    rule_of,
)
from pushforward.data.text.document_split import split_documents
from pushforward.provenance.run_directory import open_record

Rows = Callable[[np.random.Generator, int], np.ndarray]

PEOPLE: dict[str, Rows] = {
    "independent": lambda r, n: np.stack(
        [r.integers(18, 60, n), r.integers(0, 9, n), r.integers(0, 2, n)], 1
    ),
    "dependent": lambda r, n: (
        lambda a: np.stack([a, a // 4 + r.integers(0, 3, n), a // 12 + r.integers(0, 2, n)], 1)
    )(r.integers(0, 60, n)),
    "prices": lambda r, n: np.stack(
        [np.round(r.lognormal(1, 0.3, n), 1), r.poisson(2, n), r.integers(0, 2, n)], 1
    ),
    "skewed": lambda r, n: np.stack(
        [r.geometric(0.08, n), r.geometric(0.2, n), r.geometric(0.3, n)], 1
    ),
}
SIZES: dict[str, Rows] = {
    "reals": lambda r, n: r.normal(size=(n, 3)),
    "real and binary": lambda r, n: np.stack([r.normal(size=n), r.integers(0, 2, n)], 1),
    "many columns": lambda r, n: r.integers(0, 20, size=(n, 12)),
}


@pytest.mark.parametrize("law", PEOPLE)
@pytest.mark.parametrize("n", [300, 1000])
def test_what_a_law_repeats_is_no_copy(law: str, n: int) -> None:
    x = PEOPLE[law](np.random.default_rng(n), n)
    assert rows_repeat(x)


@pytest.mark.parametrize("law", SIZES)
@pytest.mark.parametrize("share", [0.05, 0.3, 1.0])
def test_copies_are_copies(law: str, share: float) -> None:
    rng = np.random.default_rng(0)
    x = SIZES[law](rng, 600)
    x = np.concatenate([x, x[rng.permutation(600)[: int(600 * share)]]])
    assert copied_share(x) >= 0.45
    assert not rows_repeat(x)


def test_a_table_appended_to_itself_is_copied_whatever_its_law() -> None:
    x = PEOPLE["independent"](np.random.default_rng(0), 3000)
    assert len(np.unique(x, axis=0)) > 600
    x = np.unique(x, axis=0)
    assert not rows_repeat(np.concatenate([x, x]))


def test_test_examples_occur_in_training_as_often_as_fresh_ones_do() -> None:
    """At 4 standard errors, one false alarm in 16,000 for rows and for texts."""
    rng = np.random.default_rng(0)
    make = PEOPLE["independent"]
    data = pf.load(pd.DataFrame(make(rng, 1500), columns=["a", "b", "c"]).astype({"c": str}))
    train, test = (
        {tuple(row) for row in data.train.x.tolist()},
        [tuple(row) for row in data.test.x.tolist()],
    )
    require_alike(train, test, [tuple(row) for row in make(rng, 3000).astype(float).tolist()])
    syllables = ["ka", "mo", "ri", "ta", "su", "no", "be", "li"]
    names = ["".join(rng.choice(syllables, rng.integers(2, 4))) for _ in range(4000)]
    parts, how = split_documents(tuple(names[:2000]), 0)
    assert "repeats are natural" in how
    require_alike(set(parts[0].documents), list(parts[2].documents), names[2000:])


def require_alike(train: set[Any], test: list[Any], fresh: list[Any]) -> None:
    seen, usual = np.mean([one in train for one in test]), np.mean([one in train for one in fresh])
    assert 0.2 < usual < 0.98
    assert abs(seen - usual) < 4 * np.sqrt(usual * (1 - usual) * (1 / len(test) + 1 / len(fresh)))


def test_short_documents_repeat_and_long_ones_are_copies() -> None:
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghij"), 5)) for _ in range(400)]
    names = [words[i][:3] + words[j][:2] for i, j in rng.integers(0, 30, (1500, 2))]
    essays = [" ".join(rng.choice(words, 12)) for _ in range(300)]
    assert documents_repeat(names)
    assert not documents_repeat(essays)
    assert not documents_repeat(essays + essays[:40])


def test_runs_of_earlier_versions_find_their_data_again(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        PEOPLE["independent"](np.random.default_rng(0), 400), columns=["a", "b", "c"]
    ).astype({"c": str})
    frame.to_csv(tmp_path / "t.csv", index=False)
    prints = []
    for version in RULES:
        with rule_of(version):
            model = pf.fit(
                "autoregressive",
                pf.load(tmp_path / "t.csv", kind="table"),
                steps=2,
                preset="smoke",
                path=tmp_path / f"v{version}",
            )
        assert model.plan is not None
        prints.append(model.plan.dataset.fingerprint)
        found = reopen(open_record(tmp_path / f"v{version}"))
        assert found.fingerprint == prints[-1]
    assert prints[0] != prints[1]


@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "u2", "i2", "i8", "u8", "f2", "f4", "f8", "?", ">f4", ">i2"]
)
def test_groups_are_numbered_in_the_order_of_the_examples_as_tuples(dtype: str) -> None:
    # splits of old runs depend on the order that a sort by columns gives
    rng = np.random.default_rng(0)
    plain = np.dtype(dtype).newbyteorder("=")
    if plain.kind == "f":
        some = np.array([0.0, -0.0, 1.0, -1.0, 1e-3, -1e-3, 6e4, -np.inf, np.inf], dtype=plain)
    elif plain.kind == "b":
        some = np.array([False, True])
    else:
        info = np.iinfo(plain)
        some = np.array([info.min, info.max, 0, 1, 100, info.max - 1], dtype=plain)
    for width in (1, 2, 5):
        x = rng.choice(some, (40, width)).astype(dtype)
        for turned in (x, x[:, ::-1]):
            _, expected = np.unique(turned, axis=0, return_inverse=True)
            np.testing.assert_array_equal(groups_of(turned), expected.reshape(-1))
