"""Features: fitted on train, fingerprinted by what defines them, the same for a row whatever batch it comes in."""

import re

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from pushforward.core.errors import BadInput
from pushforward.core.space import Image, Points
from pushforward.evaluation.distribution.frechet import frechet
from pushforward.evaluation.features.default import default_features
from pushforward.evaluation.features.named import PrincipalComponents, Standardised
from pushforward.evaluation.features.random_convolution import RandomConvolution

SPACE = Image(1, 8, 8, levels=17)


@pytest.fixture(scope="module")
def digits():
    images = load_digits().images.astype(np.int64)[:, None]
    return images[np.random.default_rng(0).permutation(len(images))]


def test_standardised_is_sklearns_scaler_and_survives_constants():
    x = np.random.default_rng(0).normal(3.0, 5.0, size=(40, 3))
    np.testing.assert_allclose(Standardised(x)(x), StandardScaler().fit_transform(x), atol=1e-8)
    x[:, 1] = 2.0
    assert Standardised(x)(x)[:, 1].tolist() == [0.0] * 40


def test_components_are_sklearns_up_to_sign_and_one_scale(digits):
    train, test = digits[:300], digits[300:350]
    ours = PrincipalComponents(train, 10)(test)
    theirs = PCA(10, svd_solver="full").fit(train.reshape(300, -1)).transform(test.reshape(50, -1))
    scale = theirs[0, 0] / ours[0, 0]
    np.testing.assert_allclose(np.abs(ours * scale), np.abs(theirs), atol=1e-6)
    assert PrincipalComponents(train, 10)(train).var(axis=0, ddof=1).mean() == pytest.approx(1.0)


def test_components_stop_at_the_rank():
    train = np.random.default_rng(1).integers(0, 9, size=(6, 1, 4, 4))
    assert PrincipalComponents(train, 32).name == "pca-5"
    with pytest.raises(BadInput, match="all equal"):
        PrincipalComponents(np.ones((5, 1, 2, 2)), 3)


def test_fingerprints_change_with_everything_that_defines_the_map(digits):
    train, other = digits[:100], digits[100:200]
    prints = {
        f.fingerprint
        for f in (
            PrincipalComponents(train, 8),
            PrincipalComponents(train, 9),
            PrincipalComponents(other, 8),
            RandomConvolution(SPACE, train, 0),
            RandomConvolution(SPACE, train, 1),
            RandomConvolution(SPACE, other, 0),
            RandomConvolution(Image(1, 8, 8, levels=18), train, 0),
            Standardised(train),
        )
    }
    assert len(prints) == 8
    assert all(re.fullmatch("[0-9a-f]{64}", p) for p in prints)
    assert (
        RandomConvolution(SPACE, train, 0).fingerprint
        == RandomConvolution(SPACE, train, 0).fingerprint
    )


def test_the_filters_come_from_a_frozen_stream():
    # the first filter of seed 0, zero mean and unit norm, from RandomState's published first numbers
    raw = np.array(
        [
            1.76405235,
            0.40015721,
            0.97873798,
            2.2408932,
            1.86755799,
            -0.97727788,
            0.95008842,
            -0.15135721,
            -0.10321885,
        ]
    )
    raw -= raw.mean()
    first = (
        RandomConvolution(SPACE, np.zeros((2, 1, 8, 8), dtype=np.int64))
        ._filters[0][0]
        .numpy()
        .ravel()
    )
    np.testing.assert_allclose(first, raw / np.linalg.norm(raw), atol=1e-6)


def test_equal_rows_have_equal_features_in_any_batch(digits):
    for f in default_features(SPACE, digits[:200]):
        whole = f(digits[:700])
        assert whole.dtype == np.float64
        for index in (0, 13, 600):
            np.testing.assert_array_equal(f(digits[index : index + 1])[0], whole[index])


def test_random_convolutions_see_a_blur_that_components_hardly_do(digits):
    train, reference, other = digits[:700], digits[700:1060], digits[1060:1420]
    blurred = np.rint(gaussian_filter(other.astype(float), (0, 0, 0.5, 0.5))).astype(np.int64)
    seen = {}
    for f in default_features(SPACE, train):
        y = f(reference)
        seen[f.name[:4]] = frechet(f(blurred), y) / frechet(f(other), y)
    assert seen["rand"] > 5
    assert seen["rand"] > 2 * seen["pca-"]


def test_defaults_by_space(digits):
    assert [f.name for f in default_features(SPACE, digits[:50])] == [
        "random-conv-64 seed 0",
        "pca-32",
    ]
    assert [f.name for f in default_features(Points(2), np.eye(2))] == ["identity, standardised"]
    tiny = np.random.default_rng(2).integers(0, 2, size=(30, 1, 3, 3))
    assert [f.name for f in default_features(Image(1, 3, 3, levels=2), tiny)] == ["pca-9"]


def test_refusals(digits):
    f = RandomConvolution(SPACE, digits[:20])
    with pytest.raises(BadInput, match=r"images of shape \(1, 4, 4\)"):
        f(np.zeros((2, 1, 4, 4)))
    with pytest.raises(BadInput, match="at least 4x4"):
        RandomConvolution(Image(1, 3, 8), digits[:20])
    with pytest.raises(BadInput, match=r"rows \[1\]"):
        Standardised(np.eye(2))(np.array([[0.0, 1.0], [np.nan, 1.0]]))
    with pytest.raises(BadInput, match="examples of 3 numbers"):
        PrincipalComponents(np.eye(2), 1)(np.eye(3))
