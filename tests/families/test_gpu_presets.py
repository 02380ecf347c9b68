"""Presets for a GPU follow published recipes: each is of the size that it says, names what it aims at, and runs.

At full size networks are built without memory (`torch.device("meta")`); made narrow by one rule, each is really
built, trained for two steps by the engine and sampled from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from conformance.cases import SPACES, examples
from pushforward.app.runs.planning import MOST_VALUES
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples
from pushforward.core.preset import Preset, PresetPlace
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points, Space
from pushforward.core.spec import TrainConfig, parse
from pushforward.core.text import Text
from pushforward.engine.fit import fit
from pushforward.families.build import build, family_class, model_config, settings
from pushforward.families.catalogue import FAMILIES
from pushforward.families.presets import preset_table

# parameters at full size, of pictures in colour, of a table of three columns, of 65 characters, of six coordinates
MILLIONS = {
    "autoregressive points": 6.57,
    "autoregressive points:made": 9.31,
    "autoregressive text": 10.6,
    "autoregressive table": 1.83,
    "autoregressive image": 38.1,
    "autoregressive image@64": 151,
    "autoregressive image:pixelcnn": 24.9,
    "autoregressive image:pixelcnn@64": 22.1,
    "autoregressive image:made": 115,
    "flow points": 5.46,
    "flow image": 13.6,
    "flow image@64": 16.6,
    "vae points": 2.13,
    "vae image": 50.8,
    "vae image@64": 65.6,
    "gan points": 1.61,
    "gan image": 45.1,
    "gan image@64": 64.5,
    "gan image:r3gan": 41.4,
    "gan image:r3gan@64": 44.8,
    "diffusion points": 1.35,
    "diffusion text": 89.1,
    "diffusion table": 19,
    "diffusion image": 28.8,
    "diffusion image@64": 91,
    "diffusion image:edm": 52.2,
    "diffusion image:edm@64": 55.4,
    "diffusion image:dit": 57.9,
    "diffusion image:dit@64": 173,
}
# of published networks that ours are meant to be: DDPM++ of EDM, U-ViT-M, nanoGPT, the 152M of the Sparse Transformer
PUBLISHED = {
    "diffusion image:edm": 55.7,
    "autoregressive text": 10.7,
    "autoregressive image@64": 152.0,
    "diffusion text": 90.0,
}
# what one narrow network of any family is made of
NARROW = {
    "width": 16,
    "depth": 2,
    "layers": 1,
    "heads": 2,
    "context": 8,
    "latent": 4,
    "components": 2,
    "places": 8,
}
# every value of a picture attends to all before it, or is asked for by a pass of its own
SLOW = ("autoregressive image", "autoregressive image@64", "autoregressive image:made")


@dataclass(frozen=True)
class Entry:
    """A preset of a family in its place."""

    family: str
    place: str
    preset: Preset

    def __str__(self) -> str:
        return f"{self.family} {self.place}"

    @property
    def at(self) -> PresetPlace:
        return PresetPlace.of(self.place)

    def space(self, channels: int = 3) -> Space:
        """The smallest data that it is for."""
        side = self.at.side or 32
        known: dict[str, Space] = {
            "image": Image(channels, side, side),
            "text": Text(vocabulary=66, length=256, boundary=65),
            "points": Points(6),
        }
        return known.get(self.at.kind, SPACES[self.at.kind][0])

    def model(self) -> dict[str, Any]:
        """Its settings of the model, as a user gets them."""
        return settings(self.family, self.space(), "gpu", self.at.architecture)["model"]


def entries(name: str | None = None) -> list[Entry]:
    return [
        Entry(family, place, preset)
        for family in FAMILIES.names()
        for (of, place), preset in family_class(family).presets.items()
        if of == name or name is None
    ]


GPU = entries("gpu")


def narrowed(model: dict[str, Any]) -> dict[str, Any]:
    """The same model with small sizes, of which the heads still divide the width."""
    return {
        key: min(value, NARROW.get(key, value)) if type(value) is int else value
        for key, value in model.items()
    }


@pytest.mark.parametrize("entry", GPU, ids=str)
def test_it_is_of_the_size_that_it_says(entry: Entry) -> None:
    assert entry.preset.model.items() <= entry.model().items(), "another place is taken"
    cls = family_class(entry.family)
    with torch.device("meta"):
        model = cls(entry.space(), model_config(entry.family, entry.model()), ())
    millions = sum(p.numel() for p in model.parameters()) / 1e6
    assert millions == pytest.approx(MILLIONS[str(entry)], rel=0.01)
    published = PUBLISHED.get(str(entry))
    assert published is None or millions == pytest.approx(published, rel=0.1)
    # weights, gradients, two moments and two averages, each of four bytes
    assert 24 * millions * 1e6 < 0.5 * 80e9


def test_every_size_is_written_down() -> None:
    assert {str(entry) for entry in GPU} == set(MILLIONS)


@pytest.mark.parametrize("entry", GPU, ids=str)
def test_narrow_it_trains_and_samples(entry: Entry) -> None:
    space, n = entry.space(1 if str(entry) in SLOW else 3), 4
    if str(entry) == "autoregressive image:made":
        space = Image(1, 16, 16)
    data = examples_of(space, n)
    model = build(entry.family, space, values=narrowed(entry.model()))
    before = [p.detach().clone() for p in model.parameters()]
    train = {**settings(entry.family, entry.space(), "gpu", entry.at.architecture)["train"]}
    parts = min(2, train.get("accumulate", 1))
    short = {"steps": 2, "batch_size": n, "accumulate": parts, "held_out_rows": 1, "warmup": 0.0}
    del train["examples"]
    record = fit(model, data, data[:2], parse(TrainConfig, {**train, **short}, "train"))
    assert (record.steps, record.skipped_steps) == (2, 0)
    after = list(model.parameters())
    assert all(bool(p.isfinite().all()) for p in after)
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
    drawn = model.sample(2, seed=0)
    assert space.check(drawn).shape == (2, *space.event_shape)


def examples_of(space: Space, n: int) -> Examples:
    """A few examples of any space, none of them constant."""
    if isinstance(space, Text):
        return Examples(torch.randint(0, 65, (n, *space.event_shape), generator=generator(0)))
    if isinstance(space, Image):
        shape = (n, *space.event_shape)
        return Examples(torch.randint(0, 256, shape, generator=generator(0)).to(torch.uint8))
    if isinstance(space, Points):
        return Examples(torch.randn(n, space.dim, generator=generator(0)))
    return examples(space, labelled=False, n=n)


@pytest.mark.parametrize("entry", entries(), ids=str)
def test_its_keys_are_known(entry: Entry) -> None:
    cls = family_class(entry.family)
    parse(cls.config_type, entry.preset.model, "model")
    parse(TrainConfig, {"steps": 1, **without_length(entry.preset)}, "train")
    with pytest.raises(BadInput, match=r"unknown key 'model\.widht'"):
        parse(cls.config_type, {**entry.preset.model, "widht": 3}, "model")


def without_length(preset: Preset) -> dict[str, Any]:
    return {key: value for key, value in preset.train.items() if key != "examples"}


@pytest.mark.parametrize("entry", GPU, ids=str)
def test_its_recipe_is_whole(entry: Entry) -> None:
    train = entry.preset.train
    assert train["precision"] == "auto"
    assert train["examples"] / train["batch_size"] >= 1000
    assert train["batch_size"] * entry.space().dimensions <= MOST_VALUES["gpu"], "it would be cut"
    assert train["batch_size"] % train.get("accumulate", 1) == 0
    places = [e.place for e in GPU if e.family == entry.family]
    if entry.at.kind == "image" and entry.place != "image:made":
        assert entry.at.side or f"{entry.place}@64" in places


@pytest.mark.parametrize("entry", GPU, ids=str)
def test_what_it_aims_at_is_a_figure_with_a_source(entry: Entry) -> None:
    aim = entry.preset.aim
    if aim is None:
        assert entry.at.kind == "points"
        return
    assert re.search(r"\d\.\d", aim.figure)
    assert re.search(r"(19|20)\d\d|nanoGPT", aim.source), "no paper and no configuration"
    assert entry.preset.reached is None


def test_no_published_figure_looks_like_one_of_ours() -> None:
    for row in preset_table():
        aim = row["aims at"]
        if aim:
            assert "published in" in aim
            assert row["reaches"] == "not measured yet"
            assert row["by"] == ""
        assert "published" not in row["reaches"]
