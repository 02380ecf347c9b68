"""From the data of a kind of space to what most families model, and back.

One idea: points are standardised; pixels stay levels on [-1, 1] where a family gives levels
probabilities, and are spread over cells where it has a density. An architecture names the one it
wants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pushforward.core.codec import Codec, Dequantise, Logit, Scale, Standardise
from pushforward.core.space import Image, Space

LOGIT_MARGIN = 0.05  # how far from 0 and 1 dequantised pixels stay


def standardised(space: Space) -> Codec:
    """Return the codec to numbers of mean 0 and variance 1 in every coordinate."""
    return Codec(space, [Standardise(space.dimensions)])


def scaled(space: Image) -> Codec:
    """Return the codec to levels on [-1, 1]; a relabelling, so that probabilities stay
    probabilities."""
    return Codec(space, [Scale(space.levels)])


def dequantised(space: Image) -> Codec:
    """Return the codec to the real line by way of uniform noise in cells; likelihoods become lower
    bounds."""
    return Codec(space, [Dequantise(space.levels), Logit(LOGIT_MARGIN)])


def on_unit_interval(space: Image) -> Codec:
    """Return the codec to [0, 1) by way of uniform noise in cells; likelihoods become lower
    bounds."""
    return Codec(space, [Dequantise(space.levels)])


# of each kind of space, the codec that leaves probabilities of levels what they are
CODECS: dict[str, Callable[[Any], Codec]] = {"points": standardised, "image": scaled}
