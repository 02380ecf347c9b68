"""Resizing: Pillow's, to rounding, and the distances that a resizing without antialias moves."""

import numpy as np
import pytest
import torch
from PIL import Image as Picture
from sklearn.datasets import load_sample_images

from pushforward.core.errors import BadInput
from pushforward.core.space import Image
from pushforward.evaluation.distribution.frechet import frechet
from pushforward.evaluation.features.preprocessing import Preprocessing
from pushforward.evaluation.features.random_convolution import RandomConvolution
from pushforward.evaluation.features.resizing import Resizing, kernel, resizing_matrix

PILLOW = {
    "bilinear": Picture.Resampling.BILINEAR,
    "bicubic": Picture.Resampling.BICUBIC,
    "lanczos-3": Picture.Resampling.LANCZOS,
}


@pytest.mark.parametrize("filter", PILLOW)
@pytest.mark.parametrize(
    ("old", "new"),
    [((64, 48), (17, 31)), ((8, 8), (99, 120)), ((37, 23), (12, 31)), ((90, 3), (7, 9))],
)
def test_resizing_is_pillows(filter, old, new):
    x = np.random.default_rng(0).uniform(0, 255, (2, 3, *old)).astype(np.float32)
    theirs = [
        [np.asarray(Picture.fromarray(c).resize(new[::-1], PILLOW[filter])) for c in image]
        for image in x
    ]
    # Pillow stores single precision between its two passes
    np.testing.assert_allclose(Resizing(*new, filter)(x), theirs, atol=255 * 4e-7)


@pytest.mark.parametrize("filter", [*PILLOW, "tensorflow"])
def test_weights_sum_to_one_and_equal_sizes_are_left_alone(filter):
    np.testing.assert_allclose(resizing_matrix(50, 7, filter).sum(axis=1), 1.0)
    np.testing.assert_allclose(resizing_matrix(6, 6, filter), np.eye(6), atol=1e-15)


def test_bicubic_reproduces_quadratics_and_no_other_constant_would():
    # Keys (1981): a = -1/2 alone is exact for polynomials of degree two
    old, new = np.arange(12) + 0.5, (np.arange(60) + 0.5) / 5
    inside = (new > 2.5) & (new < 9.5)
    np.testing.assert_allclose(
        (resizing_matrix(12, 60, "bicubic") @ old**2)[inside], new[inside] ** 2, rtol=1e-12
    )
    assert (
        np.abs((resizing_matrix(12, 60, "bilinear") @ old**2)[inside] - new[inside] ** 2).max()
        > 0.1
    )


def test_tensorflow_samples_without_half_pixels():
    assert resizing_matrix(2, 4, "tensorflow").dot([0.0, 10.0]).tolist() == [0.0, 5.0, 10.0, 10.0]
    x = np.random.default_rng(1).normal(size=(5, 7))
    slow = np.zeros((11, 4))
    for i in range(11):
        for j in range(4):
            row, column = np.float32(i) * np.float32(5 / 11), np.float32(j) * np.float32(7 / 4)
            top, left = int(row), int(column)
            for a, down in ((top, 1 - (row - top)), (min(top + 1, 4), row - top)):
                for b, across in ((left, 1 - (column - left)), (min(left + 1, 6), column - left)):
                    slow[i, j] += down * across * x[a, b]
    np.testing.assert_allclose(Resizing(11, 4, "tensorflow")(x), slow, atol=1e-6)


def test_what_is_too_fine_for_the_new_grid_vanishes_unless_it_is_sampled():
    wave = np.cos(
        2 * np.pi * 0.27 * np.arange(200)
    )  # 0.27 cycles a pixel; the new grid holds 0.125
    for filter in PILLOW:
        assert np.abs(resizing_matrix(200, 50, filter) @ wave)[3:-3].max() < 0.1
    assert np.abs(resizing_matrix(200, 50, "tensorflow") @ wave).max() > 0.9


def test_resizing_without_antialias_moves_a_frechet_distance_on_real_photographs():
    """Why trust these numbers: the same photographs resized in two ways are further apart than two sets of photographs."""
    photographs = [
        image[top : top + 32, left : left + 32].transpose(2, 0, 1)
        for image in load_sample_images().images
        for top in range(0, 395, 16)
        for left in range(0, 608, 16)
    ]
    x = np.array(photographs)[np.random.default_rng(0).permutation(len(photographs))]
    smooth = np.rint(Resizing(8, 8, "bilinear")(x).clip(0, 255)).astype(np.int64)
    sampled = torch.nn.functional.interpolate(
        torch.from_numpy(x).double(), (8, 8), mode="bilinear", antialias=False
    )
    rough = sampled.round().long().numpy()
    half = len(x) // 2
    features = RandomConvolution(Image(3, 8, 8), smooth[:half])
    known = features(smooth[:half])
    null = frechet(features(smooth[half:]), known)
    assert frechet(features(rough[half:]), known) > 3 * null
    assert frechet(features(rough[:half]), known) > 3 * null


def test_preprocessing_is_its_formula():
    space = Image(1, 4, 4, levels=17)
    x = np.random.default_rng(2).integers(0, 17, size=(3, 1, 4, 4))
    out = Preprocessing(3, low=-1.0, high=3.0, mean=(1.0, 2.0, 3.0), std=(1.0, 2.0, 4.0))(
        x, space
    ).numpy()
    for channel, (mean, std) in enumerate([(1.0, 1.0), (2.0, 2.0), (3.0, 4.0)]):
        np.testing.assert_allclose(
            out[:, channel], (-1.0 + 4.0 * x[:, 0] / 16 - mean) / std, rtol=1e-6
        )
    # an edge makes bicubic overshoot: clipped to the range before mean and std
    edge = np.repeat(np.array([[0, 0, 16, 16]]), 4, axis=0)[None, None]
    large = Preprocessing(1, size=16, mean=(0.5,), std=(0.5,))(edge, space)
    assert (large.min(), large.max()) == (-1.0, 1.0)
    assert Resizing(16, 16)(edge / 16).max() > 1.01


def test_refusals():
    with pytest.raises(BadInput, match="did you mean 'bicubic'"):
        Resizing(4, 4, "bicubc")
    with pytest.raises(BadInput, match="0x4 pixels"):
        Resizing(0, 4)
    with pytest.raises(BadInput, match=r"shape \(3,\)"):
        Resizing(4, 4)(np.zeros(3))
    with pytest.raises(BadInput, match="mean of 2 numbers: expected one, or one for each of the 3"):
        Preprocessing(3, mean=(0.5, 0.5))
    with pytest.raises(BadInput, match="low below high"):
        Preprocessing(low=1.0, high=0.0)
    with pytest.raises(BadInput, match="images of 2 channels for a network that takes 3"):
        Preprocessing(3).shape(Image(2, 4, 4))
    assert kernel(np.array([3.0, -4.0]), "lanczos-3").tolist() == [0.0, 0.0]
