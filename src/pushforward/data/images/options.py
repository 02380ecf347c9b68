"""What a user may say about pictures: `-s data.KEY=VALUE`, kept with a run, which reads other
pictures in the same way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from pushforward.core.errors import BadInput
from pushforward.core.spec import Config, parse

LARGEST_SIDE = 4096
_SIZE = re.compile(r"\s*(\d{1,6})\s*(?:[xX×*,]\s*(\d{1,6})\s*)?")
_SPELLINGS = {
    "gray": "grey",
    "l": "grey",
    "1": "grey",
    "color": "colour",
    "rgb": "colour",
    "3": "colour",
}


class ImageOptions(Config):
    """How pictures are read.

    Attributes:
        alpha: what see-through pictures lie on, `white` or `black`; `keep` makes alpha a channel.
        frames: of an animated or paged file, the `first` or `all`, each an example.
        resize: side in pixels, or `WIDTHxHEIGHT`; None = as they are, which must then be one size.
        fit: where a resized picture has another shape: the middle is cut out (`crop`), its border
            is continued (`pad`), or it is distorted (`stretch`).
        channels: `grey` or `colour` for all; None = as they are, which must then be one of them.
        levels: of grey, or of each colour; None = inferred and said.
        max_pixels: most pixels of one file, all its frames together.
    """

    alpha: Literal["white", "black", "keep"] = "white"
    frames: Literal["first", "all"] = "first"
    resize: int | str | None = None
    fit: Literal["crop", "pad", "stretch"] = "crop"
    channels: Literal["grey", "colour"] | None = None
    levels: int | None = Field(None, ge=2, le=65536)
    max_pixels: int = Field(2**26, ge=1)

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height that pictures are resized to."""
        return None if self.resize is None else _size(self.resize)


def image_options(values: Mapping[str, Any] | None) -> ImageOptions:
    """Return options that a user typed.

    Raises:
        BadInput: an unknown key, another value, or a `fit` of what is not resized.

    Example:
        >>> image_options({"resize": "32x48", "channels": "gray"}).size
        (32, 48)
    """
    given = dict(values or {})
    spelt = str(given.get("channels")).lower()
    given.update({"channels": _SPELLINGS[spelt]} if spelt in _SPELLINGS else {})
    options = parse(ImageOptions, given, "data")
    if options.size is None and "fit" in given:
        raise BadInput(
            f"'data.fit={options.fit}' without data.resize",
            "both or neither",
            "say -s data.resize=32",
        )
    return options


def _size(resize: int | str) -> tuple[int, int]:
    found = _SIZE.fullmatch(str(resize))
    size = (
        (int(found[1]), int(found[2] or found[1]))
        if found and not isinstance(resize, bool)
        else (0, 0)
    )
    if not all(1 <= side <= LARGEST_SIDE for side in size):
        raise BadInput(
            f"'data.resize={resize}'",
            f"a side from 1 to {LARGEST_SIDE}, or WIDTHxHEIGHT such as 32x48",
        )
    return size


def pictures_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the settings of data that say how pictures are read.

    Example:
        >>> pictures_of({"alpha": "black", "labels": True})
        {'alpha': 'black'}
    """
    return {key: value for key, value in settings.items() if key in ImageOptions.model_fields}
