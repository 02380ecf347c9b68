"""What is known, said in every layout of arrays and every way of painting; what is unclear is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from data import odd_files as odd
from pushforward.core.errors import BadInput
from pushforward.core.space import Image, Points
from pushforward.data import observed

try:
    from pushforward.data.masks import read_mask
except ImportError:  # before, it had no file of its own
    from pushforward.data.observed import read_mask  # type: ignore[attr-defined,no-redef]

H, W = odd.HEIGHT, odd.WIDTH
TRUTH = odd.bytes_of(5) > 90


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_an_array_of_truths_holds_for_all_channels_or_for_each(
    channels: int, tmp_path: Path
) -> None:
    shape = (channels, H, W)
    each = np.stack([np.roll(TRUTH, c, 0) for c in range(channels)])
    whole = np.broadcast_to(TRUTH, shape)
    for came, wanted in (
        (TRUTH, whole[None]),
        (TRUTH[None], whole[None]),
        (TRUTH[..., None], whole[None]),
        (np.stack([TRUTH] * 5), np.stack([whole] * 5)),
        (np.stack([TRUTH, ~TRUTH])[:, None], np.stack([whole, ~whole])),
        (np.stack([TRUTH, ~TRUTH])[..., None], np.stack([whole, ~whole])),
        (each, each[None]),
        (np.moveaxis(each, 0, -1), each[None]),
        (np.moveaxis(np.stack([each, ~each]), 1, -1), np.stack([each, ~each])),
    ):
        for dtype in (bool, np.uint8, np.float64):
            np.save(tmp_path / "mask.npy", came.astype(dtype))
            found = read_mask(tmp_path / "mask.npy", shape)
            assert found.dtype == torch.bool
            assert np.array_equal(found.numpy(), wanted), (came.shape, dtype)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_values_come_with_their_channels_first_or_last(channels: int, tmp_path: Path) -> None:
    shape, space = (channels, H, W), Image(channels, H, W)
    x = np.random.default_rng(0).integers(0, 256, (7, *shape), dtype=np.uint8)
    for came, wanted in (
        (x, x),
        (x[0], x[:1]),
        (np.moveaxis(x, 1, -1), x),
        (np.moveaxis(x[0], 0, -1), x[:1]),
    ):
        np.save(tmp_path / "x.npy", came)
        assert np.array_equal(
            observed.read_values(tmp_path / "x.npy", shape, space).numpy(), wanted
        )
    np.save(tmp_path / "x.npy", x.reshape(7, channels, W, H))
    with pytest.raises(BadInput, match="channels first or last"):
        observed.read_values(tmp_path / "x.npy", shape, space)


def test_points_on_a_line_need_no_second_axis(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(5.0))
    assert observed.read_values(tmp_path / "x.npy", (1,), Points(1)).shape == (5, 1)


def painted(kind: str) -> np.ndarray:
    """A mask as people paint one: holes where something is to be filled."""
    alpha = (TRUTH * 255).astype(np.uint8)[..., None]
    photo = odd.bytes_of(9, 3) // 2 + 60  # neither black nor white
    white = np.full((H, W, 1), 255, np.uint8)
    return {
        "white with holes": np.concatenate([white, white, white, alpha], -1),
        "grey with holes": np.concatenate([white, alpha], -1),
        "photograph with holes": np.concatenate([photo, alpha], -1),
        "grey photograph with holes": np.concatenate([photo[..., :1], alpha], -1),
        "opaque black and white": np.concatenate([alpha, alpha, alpha, white], -1),
        "black and white": alpha[..., 0],
    }[kind]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "kind",
    [
        "white with holes",
        "grey with holes",
        "photograph with holes",
        "grey photograph with holes",
        "opaque black and white",
        "black and white",
    ],
)
def test_holes_are_to_be_filled(kind: str, channels: int, tmp_path: Path) -> None:
    path = odd.save(tmp_path / "mask.png", painted(kind))
    found = read_mask(path, (channels, H, W)).numpy()
    assert np.array_equal(found, np.broadcast_to(TRUTH, (1, channels, H, W)))


def test_holes_of_a_palette_are_holes(tmp_path: Path) -> None:
    picture = odd.Pillow.fromarray(TRUTH.astype(np.uint8)).convert("P")
    picture.putpalette([9, 9, 9, 200, 100, 50])
    for name in ("mask.gif", "mask.png"):
        picture.save(tmp_path / name, transparency=0)
        assert np.array_equal(read_mask(tmp_path / name, (3, H, W)).numpy()[0, 1], TRUTH)


def test_colours_of_a_mask_are_its_channels(tmp_path: Path) -> None:
    each = np.stack([TRUTH, ~TRUTH, TRUTH], -1)
    path = odd.save(tmp_path / "mask.png", (each * 255).astype(np.uint8))
    assert np.array_equal(read_mask(path, (3, H, W)).numpy()[0], np.moveaxis(each, -1, 0))
    with pytest.raises(BadInput, match="colours in the mask"):
        read_mask(path, (1, H, W))


def test_what_does_not_say_what_is_known_is_refused(tmp_path: Path) -> None:
    alpha, black = (TRUTH * 255).astype(np.uint8), np.zeros((H, W), np.uint8)
    half = np.where(TRUTH, 255, 128).astype(np.uint8)
    both = np.where(np.arange(W) < 3, 255, 0).astype(np.uint8) * np.ones((H, 1), np.uint8)
    for pixels, pattern in (
        (np.stack([black, alpha], -1), "black pixels and see-through ones"),
        (np.stack([both, alpha], -1), "black pixels and see-through ones"),
        (
            np.stack([alpha, half], -1),
            "the value 128 in the mask .*: expected an alpha of 0 or 255",
        ),
        (half, "the value 128 in the mask .*: expected 0 and 255 only"),
    ):
        with pytest.raises(BadInput, match=pattern):
            read_mask(odd.save(tmp_path / "mask.png", pixels), (3, H, W))
