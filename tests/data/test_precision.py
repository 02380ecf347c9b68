"""Points of any size: what is far from zero, tiny or huge is read, modelled and given back to the precision that it came in."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from pushforward.core.codec import Codec, Standardise
from pushforward.core.errors import BadInput
from pushforward.core.moments import location_and_scale
from pushforward.core.space import Points
from pushforward.data.dataset import in_single_precision
from pushforward.data.open import open_data
from pushforward.evaluation.likelihood.marginals import marginal_log_prob
from pushforward.evaluation.measuring.summaries import content
from pushforward.faces.python.verbs import fit, load
from pushforward.faces.python.verbs import open as open_run

# offset and unit of columns: seconds since 1970, UTM coordinates, a large offset, tiny and huge units, both
FAR = {
    "seconds": ([1.7e9, 1.7e9], [60.0, 3600.0]),
    "UTM": ([448_251.8, 5_411_932.7], [25.0, 40.0]),
    "1e7": ([1e7, -1e7], [1.0, 1.0]),
    "tiny": ([0.0, 3e-30], [1e-30, 1e-31]),
    "huge": ([0.0, 2e300], [1e300, 1e299]),
    "mixed": ([5e-20, 1e12], [1e-21, 1e5]),
}


def standard(n: int = 200) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 2))


def moved(name: str, n: int = 200) -> np.ndarray:
    offset, unit = FAR[name]
    return standard(n) * np.array(unit) + np.array(offset)


@pytest.mark.parametrize("name", sorted(FAR))
def test_points_keep_their_values(name: str) -> None:
    x = moved(name)
    data = open_data(x)
    held = torch.cat([data.train.x, data.validation.x, data.test.x])
    assert sorted(held.double().tolist()) == sorted(x.tolist())
    assert data.lost == ()
    codec = Codec(Points(2), [Standardise(2)])
    codec.fit(data.train.x)
    y = codec.encode(held)
    assert y.value.dtype == torch.float32
    assert float(y.value.abs().max()) < 6
    back, scale = codec.decode(y.value), location_and_scale(data.train.x)[1]
    # single precision of the standardised value, 2^-24 relative, and double precision of the value itself
    bound = 6 * 2.0**-24 * scale + 4 * torch.finfo(torch.float64).eps * held.double().abs()
    assert bool(((back - held).abs() <= bound).all())
    torch.testing.assert_close(y.log_det, -scale.log().sum().expand(len(held)))


def test_whole_seconds_come_back_exactly() -> None:
    x = np.stack(
        [1_700_000_000 + np.arange(200) ** 2, np.random.default_rng(1).permutation(200)], 1
    )
    data = open_data(x)
    codec = Codec(Points(2), [Standardise(2)])
    codec.fit(data.train.x)
    assert bool((codec.decode(codec.encode(data.test.x).value).round() == data.test.x).all())
    assert any("whole numbers only" in note and "no density" in note for note in data.notes)


@pytest.mark.parametrize("name", sorted(FAR))
def test_log_densities_are_shifted_by_the_scale_and_nothing_else(name: str) -> None:
    """`log p(a x + b) = log p(x) - log|a|`, for a trained flow and for the closed form of independent Gaussians."""
    unit = math.fsum(math.log(u) for u in FAR[name][1])
    near, far = load(standard()), load(moved(name))
    models = [fit("flow", data, steps=3, preset="smoke") for data in (near, far)]
    scores = [
        model.log_prob(data.test).nats.double()
        for model, data in zip(models, (near, far), strict=True)
    ]
    # three steps on inputs that differ by roundings of single precision, 2^-24
    torch.testing.assert_close(scores[1], scores[0] - unit, rtol=1e-4, atol=2e-3)
    gauss = [
        marginal_log_prob(d.train.x.double().numpy(), d.test.x.double().numpy(), Points(2)).nats
        for d in (near, far)
    ]
    torch.testing.assert_close(gauss[1], gauss[0] - unit, rtol=1e-6, atol=1e-4)
    drawn = [model.sample(64, seed=1).double() for model in models]
    offset, scale = (torch.tensor(part, dtype=torch.float64) for part in FAR[name])
    torch.testing.assert_close((drawn[1] - offset) / scale, drawn[0], rtol=1e-3, atol=5e-3)
    assert len(torch.unique(drawn[1][:, 0])) == 64


def test_rows_that_only_double_precision_tells_apart_are_different_rows() -> None:
    x = 1.7e9 + np.arange(40.0)[:, None] / 8
    assert len(np.unique(content(x))) == 40
    assert len(np.unique(content(x.astype(np.float32)))) < 40
    near = np.random.default_rng(0).normal(size=(20, 2))
    assert bool((content(near) == content(near.astype(np.float32))).all())


def test_overflow_is_named_and_rounding_is_no_variation() -> None:
    with pytest.raises(BadInput, match=r"column 1 of .* reaches 3e\+305.*1e\+304"):
        open_data(np.stack([np.arange(20.0), np.linspace(1e305, 3e305, 20)], 1))
    rounding = 1e16 + 2.0 * (np.arange(20) % 2)
    with pytest.raises(BadInput, match=r"constant columns .*columns 1"):
        open_data(np.stack([np.arange(20.0), rounding], 1))
    spread = np.concatenate([1e-9 * np.arange(1, 20), [1e9]])
    (lost,) = open_data(np.stack([np.arange(20.0) / 7, spread], 1)).lost
    assert lost.startswith("precision: column 1 has 20 different values, of which ")


def test_single_precision_stays_and_double_reads_what_earlier_versions_kept(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60, 2))
    assert open_data(x.astype(np.float32)).train.x.dtype == torch.float32
    data = open_data(x)
    assert data.train.x.dtype == torch.float64
    assert in_single_precision(data) == open_data(x.astype(np.float32)).fingerprint
    np.save(tmp_path / "x.npy", x)
    fit("flow", load(str(tmp_path / "x.npy")), steps=2, preset="smoke", path=tmp_path / "run")
    run = open_run(tmp_path / "run")
    weights = {
        key: value.float() if "codec" in key else value
        for key, value in run.model.state_dict().items()
    }
    run.model.load_state_dict(weights)  # as earlier versions saved them
    assert run.sample(3).dtype == torch.float32
    assert open_run(tmp_path / "run").sample(3).dtype == torch.float64
    far = (1e7 + np.arange(60.0)[:, None]).astype(np.float32)
    assert open_data(far).train.x.dtype == torch.float64


def test_a_csv_of_seconds_is_read_and_scored_in_double_precision(tmp_path: Path) -> None:
    x = 1.7e9 + np.random.default_rng(0).integers(0, 9000, (80, 2)) / 8
    path = tmp_path / "seconds.csv"
    path.write_text("start,stop\n" + "\n".join(f"{a},{b}" for a, b in x))
    data = load(str(path), kind="points")
    held = torch.cat([data.train.x, data.validation.x, data.test.x])
    assert sorted(held.tolist()) == sorted(x.tolist())
    assert data.encoding is not None
    assert sorted(data.encoding.read(path).x.tolist()) == sorted(x.tolist())
