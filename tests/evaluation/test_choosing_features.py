"""Features by name: what each name stands for, and what is refused with the nearest that exists."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pushforward.core.errors import BadInput
from pushforward.core.score import better_of
from pushforward.core.space import Image, Points
from pushforward.core.table import Column, Table
from pushforward.core.text import Text
from pushforward.evaluation.distribution.kernel_distance import kernel_distance
from pushforward.evaluation.features.choose import features_by_name, known_names, parsed
from pushforward.evaluation.features.named import Pixels, PrincipalComponents
from pushforward.evaluation.measuring.statistic import View

SPACE = Image(1, 8, 8, levels=17)
TABLE = Table((Column("a", "boolean", ("no", "yes")), Column("b", "continuous", low=0.0, high=9.0)))
TEXT = Text(6, 5, 5)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 17, size=(80, 1, 8, 8))


@pytest.fixture
def network(tmp_path):
    program = torch.export.export(
        torch.nn.Flatten(), (torch.zeros(2, 3, 4, 4),), dynamic_shapes=({0: torch.export.Dim("n")},)
    )
    torch.export.save(program, tmp_path / "a,b.pt2")
    return tmp_path / "a,b.pt2"


@pytest.mark.parametrize(
    ("name", "printed", "width"),
    [
        ("pixels", "pixels", 64),
        ("pca", "pca-32", 32),
        ("pca-5", "pca-5", 5),
        ("random-conv", "random-conv-64 seed 7", 64),
        ("own,steps=2", "own-64 by class, seed 7", 64),
    ],
)
def test_names_of_images(name, printed, width, images):
    features = features_by_name(name, SPACE, images, labels=np.arange(80) % 3, seed=7)
    assert features.name == printed
    assert features(images[:4]).shape == (4, width)
    assert isinstance(features, View)


def test_names_of_other_spaces():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50, 3))
    assert features_by_name("coordinates", Points(3), points).name == "identity, standardised"
    assert features_by_name("pca-2", Points(3), points).name == "pca-2"
    assert features_by_name("own,steps=1", Points(3), points, np.arange(50) % 2)(points).shape == (
        50,
        64,
    )
    rows = np.column_stack([np.arange(50) % 2, rng.uniform(0, 9, 50)])
    assert features_by_name("columns", TABLE, rows).name.startswith("columns, pca-")
    assert (
        features_by_name("own,steps=1", TABLE, rows, np.arange(50) % 2).name
        == "own-64 by class, seed 0"
    )
    windows = rng.integers(0, 5, size=(50, 5))
    assert features_by_name("tokens", TEXT, windows).name.startswith("tokens and pairs")
    assert known_names(TABLE) == ["columns", "own"]


def test_pixels_have_the_datas_distances_in_units_of_its_spread(images):
    f = Pixels(images)
    rows, spread = f(images), images.reshape(80, -1).std(axis=0)
    assert rows.var(axis=0).mean() == pytest.approx(1.0)
    gap = np.linalg.norm((images[0] - images[1]).ravel()) / np.sqrt((spread**2).mean())
    assert np.linalg.norm(rows[0] - rows[1]) == pytest.approx(gap)
    # all components are the pixels turned: equal distances up to the one scale
    turned = PrincipalComponents(images, 64)(images)
    ratio = np.linalg.norm(turned[0] - turned[1]) / gap
    assert np.linalg.norm(turned[5] - turned[9]) / np.linalg.norm(
        rows[5] - rows[9]
    ) == pytest.approx(ratio)
    with pytest.raises(BadInput, match="all equal"):
        Pixels(np.ones((3, 1, 2, 2)))
    with pytest.raises(BadInput, match="examples of 16 numbers"):
        f(np.zeros((2, 1, 4, 4)))


def test_a_network_file_takes_its_convention_from_the_name(network, images):
    name = f"file:{network},size=4,filter=bilinear,mean=0.5/0.25/0.125,std=0.5,high=2"
    features = features_by_name(name, SPACE, images)
    assert features.name.endswith(", resized 4x4 bilinear antialiased")
    white = features(np.full((1, 1, 8, 8), 16)).reshape(3, 4, 4)
    np.testing.assert_allclose(
        white[:, 0, 0], [(2 - 0.5) / 0.5, (2 - 0.25) / 0.5, (2 - 0.125) / 0.5]
    )
    one = features_by_name(f"file:{network},channels=3,size=4", SPACE, images)
    assert (
        one.fingerprint == features_by_name(f"file:{network},size=4", SPACE, images[:9]).fingerprint
    )  # not fitted on train
    with pytest.raises(BadInput, match=r"outputs of shape \(1, 48\) to be pooled"):
        features_by_name(f"file:{network},size=4,pooled=true", SPACE, images)


def test_names_are_taken_apart_from_the_right():
    assert parsed("file:a,b=c.pt,size=3,pooled=false") == (
        "file",
        None,
        Path("a,b=c.pt"),
        {"size": 3, "pooled": False},
    )
    assert parsed("clip:C:/x.pt") == ("clip", None, Path("C:/x.pt"), {})
    assert parsed("random-conv") == ("random-conv", None, None, {})
    for name, expected in (
        ("own,steps=many", "whole number"),
        ("file:x,mean=1;2", "separated by slashes"),
        ("file:x,pooled=1", "true"),
    ):
        with pytest.raises(BadInput, match=expected):
            parsed(name)


def test_unknown_names_name_the_nearest(images):
    for name, match in (
        (
            "randomconv",
            "unknown features 'randomconv': expected one of pixels, .*; did you mean 'random-conv'",
        ),
        ("inceptoin:x", "did you mean 'inception'"),
        ("tokens", "features 'tokens' of image: expected one of pixels, pca, random-conv"),
        ("clip", "expected clip:PATH"),
        ("pixels:x", "expected 'pixels' without a path"),
        ("pixels,size=4", "option 'size' of features 'pixels': expected no options"),
        ("dinov2:x,steps=4", "expected one of size"),
        ("clip:x,activation=relu", "unknown activation 'relu'"),
        ("file:x,filter=bicubc", "did you mean 'bicubic'"),
        ("pca-0", "pca-0': expected one component or more"),
        ("inception:absent.pth", "'absent.pth', which cannot be read"),
    ):
        with pytest.raises(BadInput, match=match):
            features_by_name(name, SPACE, images)
    with pytest.raises(BadInput, match="pass decode="):
        features_by_name("sentences", TEXT, np.zeros((3, 5), dtype=np.int64))
    with pytest.raises(BadInput, match="of points: expected one of coordinates, pca, own"):
        features_by_name("pixels", Points(2), np.eye(2))


def test_scores_on_features_of_two_names_or_two_fingerprints_have_no_order(images):
    def score(train: np.ndarray, name: str):
        f = features_by_name(name, SPACE, train)
        return kernel_distance(f(images[:40]), f(images[40:]), f.name, f.fingerprint)

    mine, yours = score(images[:40], "pca-4"), score(images[40:], "pca-4")
    assert mine.name == yours.name
    with pytest.raises(BadInput, match="whose features differ"):
        better_of(mine, yours)
    with pytest.raises(BadInput, match="whose name differ"):
        better_of(mine, score(images[:40], "pixels"))
    assert better_of(mine, score(images[:40], "pca-4")) == "undecided"
