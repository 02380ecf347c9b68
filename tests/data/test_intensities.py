"""Pictures of real numbers keep their scale: with the run, in other files, and in samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pushforward as pf
from pushforward.core.errors import BadInput
from pushforward.data.images.intensities import Intensities, rounded

R = np.random.default_rng(0)
BYTES = R.integers(0, 256, (60, 6, 7), dtype=np.uint8)
BYTES[0, 0, :2] = 0, 255


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 65535),
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
    st.sampled_from(["float32", "float64"]),
)
def test_levels_and_values_are_inverse(steps: int, black: float, range_: float, dtype: str) -> None:
    if dtype == "float32" and abs(black) + range_ > range_ / steps * 2**20:
        dtype = "float64"  # steps that single precision does not tell apart
    scale = Intensities(black, black + range_, steps, dtype, rounded=True)
    levels = np.unique(R.integers(0, steps + 1, 50))
    if abs(black) + range_ > range_ / steps * 2**48:
        return
    back = scale.levels(scale.values(levels).clip(black, black + range_))
    assert back is not None
    assert (back == levels).all()


@pytest.mark.parametrize(
    "made",
    [lambda x: x / 255, lambda x: x / 127.5 - 1, lambda x: x / 255 * 96.0 - 94.6],
    ids=["0 to 1", "-1 to 1", "decibels"],
)
def test_samples_are_written_as_the_numbers_that_came(made: object, tmp_path: Path) -> None:
    assert callable(made)
    x = made(BYTES.astype(np.float64)).astype(np.float32)
    np.savez(tmp_path / "x.npz", images=x, labels=np.arange(60) % 2)
    plain = x.min() >= -1.001 and x.max() <= 1.001
    wanted = {} if plain else {"levels": 256}
    data = pf.load(tmp_path / "x.npz", **wanted)
    assert data.space.levels == 256
    assert bool(data.lost) != plain
    fitted = pf.fit(
        "vae", data, steps=5, preset="smoke", seed=0, progress=False, path=tmp_path / "r"
    )
    again = pf.open(tmp_path / "r")
    drawn = pf.sample(tmp_path / "r", n=6, output=str(tmp_path / "s.npz"))
    assert drawn is not None
    found = np.load(tmp_path / "s.npz")
    assert found["images"].dtype == np.float32
    levels = fitted.sample(6, seed=0)
    np.testing.assert_allclose(
        found["images"], made(torch.as_tensor(levels)[:, 0].double().numpy()), atol=2e-5
    )
    # other files are read on the scale of the run, whatever they reach
    bright = x[(BYTES > 20).all(axis=(1, 2)) | (np.arange(60) < 30)].clip(made(np.float32(128)))
    np.savez(tmp_path / "bright.npz", images=bright, labels=np.zeros(len(bright), dtype=int))
    read = again.encoding.read(tmp_path / "bright.npz")
    assert int(read.x.min()) == 128
    x[3, 3, 3] = x.max() * 3 + 5
    np.savez(tmp_path / "far.npz", images=x, labels=np.arange(60) % 2)
    with pytest.raises(BadInput, match=r"expected intensities from .* as the run was trained on"):
        again.encoding.read(tmp_path / "far.npz")


def test_rounding_is_to_the_nearest_and_its_loss_is_said() -> None:
    x = R.normal(size=(40, 5, 5)) * 20 - 40
    found = rounded(x, 17)
    assert found is not None
    step = (x.max() - x.min()) / 16
    assert np.abs(found.scale.values(found.x) - x).max() <= step / 2 + 1e-9
    assert set(np.unique(found.x)) <= set(range(17))
    assert {0, 16} <= set(np.unique(found.x))
    data = pf.load(x, levels=17)
    assert any("rounded to 17 levels, by up to 0.5 of a level" in lost for lost in data.lost)
    assert rounded(np.full((3, 2, 2), 7.5), 17) is None
