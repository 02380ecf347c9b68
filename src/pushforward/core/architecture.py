"""An architecture: a network, or an arrangement of networks, that a family can be made of.

One idea: a family names for each kind of data which architectures it knows, as a registry whose
first entry is the default; what `FAMILY:NAME` and `-s model.architecture=NAME` take, and what the
conformance suite runs over, is read off these registries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pushforward.core.choice import Choice
from pushforward.core.codec import Codec
from pushforward.core.options import SamplingOption
from pushforward.core.registry import Registry


@dataclass(frozen=True)
class Architecture(Choice):
    """One way to arrange the networks of a family.

    Attributes:
        build: makes it; each family says with which arguments it calls this
            (`families/FAMILY/...`).
        codec: from a space to what it models; None leaves that to the family.
        options: sampling options that it reads, of those that the family declares.
        contexts: True if it can be made for a space of contexts.
        beyond: the architecture of examples of more dimensions than this, where nobody names one;
            infinite: of none.
        settings: keys of the configuration that no other architecture reads; whoever sets one wants
            this architecture.

    Example:
        >>> from torch import nn
        >>> Architecture("linear", "one matrix", lambda width: nn.Linear(2, width)).build(3).out_features
        3
    """

    build: Callable[..., Any]
    codec: Callable[[Any], Codec] | None = None
    options: tuple[SamplingOption, ...] = ()
    contexts: bool = False
    beyond: float = math.inf
    settings: tuple[str, ...] = ()


def architectures(
    family: str, kind: str, entries: Mapping[str, str] | None = None
) -> Registry[Architecture]:
    """Return the registry of a family's architectures on one kind of space; the first entry is the
    default.

    An installed package adds one by the entry point `architecture-of-FAMILY-on-KIND.NAME`.

    Args:
        entries: `"module:attribute"` of each name.

    Example:
        >>> architectures("flow", "points").noun
        'architecture of flow on points'
    """
    return Registry(
        f"architecture of {family} on {kind}",
        entries,
        of="pushforward.core.architecture:Architecture",
    )
