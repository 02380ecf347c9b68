"""Where a preset holds, and which of several is taken."""

from __future__ import annotations

import re

import pytest

from pushforward.core.errors import BadInput
from pushforward.core.preset import Aim, Preset, PresetPlace, half_life, places
from pushforward.core.space import Image, Points, Space
from pushforward.core.spec import Config
from pushforward.families import build
from pushforward.families.build import settings

EMPTY = Preset({}, {})
TABLE = {
    ("gpu", place): EMPTY
    for place in (
        "image",
        "image@256",
        "image:edm@64",
        "image@64",
        "image:edm",
        "text",
        "image:a@9",
    )
} | {("cpu", "image:edm@48"): EMPTY}


@pytest.mark.parametrize(
    ("kind", "architecture", "side", "expected"),
    [
        ("image", "edm", 64, ["image:edm@64", "image:edm", "image@64", "image"]),
        ("image", "edm", 63, ["image:edm", "image"]),
        ("image", "", 300, ["image@256", "image@64", "image"]),
        ("image", "dit", 64, ["image@64", "image"]),
        ("image", "a", 8, ["image"]),
        ("text", "", 0, ["text"]),
        ("text", "gpt2", 0, ["text"]),
        ("table", "", 0, []),
    ],
)
def test_the_most_special_place_comes_first(
    kind: str, architecture: str, side: int, expected: list[str]
) -> None:
    assert places(TABLE, "gpu", kind, architecture, side) == expected


@pytest.mark.parametrize("text", ["", "image@", "image@64:edm", "image@big", "image:@64", "a:b:c"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=re.escape("kind[:architecture][@side]")):
        PresetPlace.of(text)


@pytest.mark.parametrize(
    ("space", "side"),
    [(Image(3, 32, 128), 64), (Image(1, 63, 64), 63), (Image(4, 64, 64), 64), (Points(9999), 0)],
)
def test_a_picture_is_as_large_as_a_square_of_as_many_pixels(space: Space, side: int) -> None:
    assert space.side == side


def test_settings_are_those_of_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a family of somebody else's, too: nothing but its table is looked at."""

    class Own(build.family_class("gan")):  # type: ignore[misc]
        presets = {
            ("gpu", "image"): Preset({"width": 8}, {"batch_size": 1}),
            ("gpu", "image@64"): Preset({"width": 16}, {"batch_size": 2}),
            ("gpu", "image:convolutional@128"): Preset({"width": 24}, {"batch_size": 3}),
        }

    monkeypatch.setattr(build, "family_class", lambda name: Own)

    def width(side: int, architecture: str = "") -> int:
        return settings("own", Image(3, side, side), "gpu", architecture)["model"]["width"]

    assert [width(32), width(64), width(128), width(128, "convolutional")] == [8, 16, 16, 24]
    assert settings("own", Image(3, 64, 64), "gpu")["train"] == {"batch_size": 2}


def test_an_aim_without_a_source_is_none() -> None:
    for without in ({"data": " "}, {"figure": ""}, {"source": ""}):
        given = {
            "data": "CIFAR-10",
            "figure": "FID 2",
            "source": "Somebody 2020, table 1",
            **without,
        }
        with pytest.raises(BadInput, match="where it was published"):
            Aim(**given)


def test_a_half_life_is_half_after_as_many_examples() -> None:
    assert half_life(5_000, 10) ** 500 == pytest.approx(0.5)


def test_the_config_of_settings_is_not_the_preset_itself() -> None:
    first = settings("diffusion", Image(3, 32, 32), "gpu", "edm")
    first["train"]["batch_size"] = first["model"]["width"] = -1
    assert settings("diffusion", Image(3, 32, 32), "gpu", "edm")["train"]["batch_size"] == 512
    assert issubclass(build.family_class("diffusion").config_type, Config)
