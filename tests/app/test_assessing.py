"""The reference of a scorecard is a fair draw of the test split, and everything drawn beside it belongs to the same examples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pushforward.app.measuring.assessing import measure_controls
from pushforward.app.measuring.evaluating import EvaluationSetting, evaluate_samples
from pushforward.app.measuring.examples import draw_like_reference, drawn_places
from pushforward.core.errors import BadInput
from pushforward.data.dataset import Dataset
from pushforward.data.open import open_data
from pushforward.evaluation.cards.controls import controls
from pushforward.faces.cli.main import main
from pushforward.families.build import build


def sorted_points(path: Path) -> Dataset:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 2)).astype(np.float32)
    train, test = x[:1500], x[1500:]
    order = np.argsort(test[:, 0])
    kind = (test[order][:, 0] > 0).astype(int)
    np.savez(
        path, x_train=train, x_test=test[order], y_train=(train[:, 0] > 0).astype(int), y_test=kind
    )
    return open_data(path)


def test_a_sorted_test_split_is_no_worse_a_reference(tmp_path: Path) -> None:
    data = sorted_points(tmp_path / "d.npz")
    found = measure_controls(data, most=300)
    assert found.n == 300
    assert np.array_equal(found.reference, data.test.x[found.places].numpy())
    # real data beside real data: the first 300 test points all lie left, and would be told from the others at once
    (accuracy,) = [s for s in found.ceiling if s.name.startswith("classifier")]
    assert accuracy.low is not None
    # a 97.5 % bound; the seed is fixed. Below one half is chance as well
    assert accuracy.low <= 0.5
    assert abs(float(found.reference[:, 0].mean())) < 4 / 300**0.5


def test_samples_are_drawn_with_the_labels_of_the_reference(tmp_path: Path) -> None:
    data = sorted_points(tmp_path / "d.npz")
    model = build("vae", data.space, data.classes, values={"width": 16, "depth": 1, "latent": 2})
    model.prepare(data.train)
    places = torch.from_numpy(drawn_places(len(data.test), 40, seed=3))
    samples, given, *_ = draw_like_reference(model, data, places, 0, {})
    assert len(samples) == 40
    assert given is not None
    assert torch.equal(given.label, (data.test.x[places][:, 0] > 0).long())  # type: ignore[arg-type]
    assert 0 < int(given.label.sum()) < 40  # type: ignore[union-attr]


def test_sorted_samples_of_another_tool_are_thinned_fairly(tmp_path: Path) -> None:
    sorted_points(tmp_path / "d.npz")
    drawn = np.random.default_rng(1).normal(size=(2000, 2)).astype(np.float32)
    np.save(tmp_path / "s.npy", drawn[np.argsort(drawn[:, 1])])
    record = evaluate_samples(
        tmp_path / "s.npy", str(tmp_path / "d.npz"), EvaluationSetting(n=200)
    ).record
    (accuracy,) = [s for s in record["scores"] if s["name"].startswith("classifier")]
    assert accuracy["low"] <= 0.5 <= accuracy["high"]
    with pytest.raises(BadInput, match="-n 2001: expected at most 2000"):
        evaluate_samples(tmp_path / "s.npy", str(tmp_path / "d.npz"), EvaluationSetting(n=2001))


def test_places_are_distinct_in_order_and_all_equally_likely() -> None:
    counts = np.zeros(10)
    for seed in range(2000):
        places = drawn_places(10, 3, seed)
        assert places.tolist() == sorted(set(places.tolist()))
        counts[places] += 1
    # each 600 times in expectation; five standard errors, once in 170,000 sets of seeds
    assert np.abs(counts - 600).max() < 5 * (2000 * 0.3 * 0.7) ** 0.5


def test_a_model_that_memorises_is_flagged_where_it_is_evaluated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A few hundred points in eight dimensions and a network that learns them by heart: the words say so, with an error."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "few.npz", x=rng.normal(size=(200, 8)).astype(np.float32))
    run = tmp_path / "run"
    settings = [
        "model.width=128",
        "model.depth=2",
        "train.learning_rate=0.01",
        "train.ema=0.9",
        "train.evaluate_every=100000",
    ]
    arguments = [
        "train",
        "diffusion",
        tmp_path / "few.npz",
        "--steps",
        400,
        "-o",
        run,
        *(p for s in settings for p in ("-s", s)),
    ]
    for words in (arguments, ["evaluate", run]):
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        assert not stop.value.code
    said = capsys.readouterr().out
    assert "flag: it memorises its training set: Training examples are denoised better" in said
    assert "+-" in said.split("flag:")[1]


def test_features_learn_without_the_real_examples_that_are_the_ceiling(tmp_path: Path) -> None:
    # components of noise spread out what they were fitted on, 1.3 times as wide as other noise: real data would score worse than
    # a model of the same law. The ratio of two total variances is known to 3.5 %
    x = np.random.default_rng(3).integers(0, 16, size=(560, 1, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "d.npz", x_train=x[:400], x_test=x[400:])
    data = open_data(tmp_path / "d.npz")
    found = measure_controls(data, most=100)
    real = controls(found.train, data.space, 100, 0)["real"]
    seen, fresh = (
        found.features[-1](rows).var(axis=0).sum() for rows in (real.samples, found.reference)
    )
    assert seen / fresh == pytest.approx(1.0, abs=0.12)
    (shown,) = [row.samples for row in found.rows if row.role == "ceiling"]
    assert shown is not None
    assert {one.tobytes() for one in shown} <= {one.tobytes() for one in real.samples}
