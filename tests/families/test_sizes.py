"""Networks that no machine here holds are refused by their size before any of them is allocated, of every family and kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from pushforward.core.errors import BadInput
from pushforward.core.space import Image, Points, Space
from pushforward.core.table import Column, Table
from pushforward.core.text import Text
from pushforward.families.build import build, family_class, model_config, settings
from pushforward.families.catalogue import FAMILIES

NUMBER = Column("x", "continuous", low=-1, high=1, missing=True, bounded_below=True)
LARGE_NUMBER = Column("n", "integer", step=1.0, low=2.0**52, high=2.0**52 + 9)
NAMES = Column("c", "categorical", ("a", "b"))
SPACES: dict[str, Space] = {
    "points": Points(2),
    "point of one number": Points(1),
    "digits": Image(1, 8, 8),
    "pictures": Image(3, 16, 16),
    "text": Text(40, 16, 0),
    "mixed table": Table((NUMBER, LARGE_NUMBER, NAMES)),
    "names": Table((NAMES,)),
    "numbers": Table((NUMBER,)),
}


def built() -> Iterator[tuple[str, str, str]]:
    for family in FAMILIES.names():
        capabilities = family_class(family).capabilities
        for name, space in SPACES.items():
            if space.kind in capabilities.spaces:
                for architecture in ("", *capabilities.architecture_names(space.kind)):
                    yield family, name, architecture


@pytest.mark.parametrize(("family", "name", "architecture"), list(built()))
def test_a_network_too_large_is_refused_with_its_size(
    family: str, name: str, architecture: str
) -> None:
    space = SPACES[name]
    small = settings(family, space, "smoke", architecture)["model"]
    with pytest.raises(BadInput, match=r"a model of [\d,]+ parameters, which needs about"):
        build(family, space, ("u", "v"), {**small, "width": 200_000})
    # the shapes without memory are those with memory
    cls = family_class(family)
    with torch.device("meta"):
        shapes = cls(space, model_config(family, small), ("u", "v"))
    real = build(family, space, ("u", "v"), small)
    assert {k: t.shape for k, t in shapes.state_dict().items()} == {
        k: t.shape for k, t in real.state_dict().items()
    }
