"""An architecture: a network, or an arrangement of networks, that a family can be made of.

One idea: a family names for each kind of data which architectures it knows, as a registry whose
first entry is the default; what `FAMILY:NAME` and `-s model.architecture=NAME` take, and what the
conformance suite runs over, is read off these registries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from pushforward.core.choice import Choice
from pushforward.core.codec import Codec
from pushforward.core.errors import BadInput
from pushforward.core.options import SampleOptions, SamplingOption
from pushforward.core.plugins import calling, of_plugin
from pushforward.core.registry import Registry
from pushforward.core.space import Space
from pushforward.core.walk import Walk

T = TypeVar("T")


@dataclass(frozen=True)
class Architecture(Choice):
    """One way to arrange the networks of a family.

    Attributes:
        build: makes it; each family says with which arguments it calls this
            (`families/FAMILY/...`).
        codec: from a space to what it models; None leaves that to the family, which takes that of
            its default architecture.
        options: sampling options that it reads: of those that the family declares, and its own.
        contexts: True if it can be made for a space of contexts.
        beyond: the architecture of examples of more dimensions than this, where nobody names one;
            infinite: of none.
        settings: keys of the configuration for which this architecture is taken where somebody sets
            one and names none.
        unread: keys that others of the family read and this one does not; whoever sets one is
            refused.
        sampler: from a model, the family's own walk and what was chosen to the walk that draws with
            this architecture; what reads options of its own. None = the family's own.

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
    unread: tuple[str, ...] = ()
    sampler: Callable[[Any, Walk[Any], SampleOptions], Walk[Any]] | None = None

    def codec_of(self, space: Space, default: Architecture) -> Codec:
        """Return the codec from a space to what this models: its own, or that of the family's
        default architecture; data as they are where neither has one.

        Raises:
            RunFailed: a plug-in's that fails, or answers something else; names its package.
        """
        codec = self.codec or default.codec
        if codec is None:
            return Codec(space, [])
        with calling(self):
            found = codec(space)
        if not isinstance(found, Codec):
            raise of_plugin(self, "codec", found, "a Codec")
        return found

    def drawn(self, model: Any, walk: Walk[Any], options: SampleOptions) -> Walk[Any]:
        """Return the walk that draws: the family's own, or what `sampler` makes of it.

        Raises:
            RunFailed: as `codec_of`.
        """
        if self.sampler is None:
            return walk
        with calling(self):
            found = self.sampler(model, walk, options)
        if not isinstance(found, Walk):
            raise of_plugin(self, "sampler", found, "a Walk")
        return found

    def refuse_unread(self, config: BaseModel) -> None:
        """Refuse a setting that this does not read.

        Raises:
            BadInput: one is not its default.
        """
        refuse_unread(config, f"with {self.name}", self.unread)

    def make(self, expected: type[T], *arguments: Any) -> T:
        """Return what `build` makes.

        Raises:
            RunFailed: a plug-in's that fails, or makes something else; names its package.
        """
        with calling(self):
            made = self.build(*arguments)
        if not isinstance(made, expected):
            raise of_plugin(self, "build", made, f"a {expected.__name__}")
        return made


def refuse_unread(config: BaseModel, of: str, names: Iterable[str]) -> None:
    """Refuse settings that a network does not read.

    Args:
        of: what the network is, in words.
        names: of the settings.

    Raises:
        BadInput: one of them is not its default.
    """
    for name in names:
        value = getattr(config, name)
        if value != type(config).model_fields[name].default:
            raise BadInput(
                f"'model.{name}={value}' {of}",
                f"a network that reads {name}",
                "it would change nothing here; leave it out",
            )


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
        check="pushforward.core.architecture:require_usable",
    )


def require_usable(architecture: Architecture, registry: Registry[Architecture]) -> None:
    """Refuse an architecture of another package that nobody could name in `FAMILY:NAME`.

    Raises:
        BadInput: a name with spaces or a comma.
    """
    if " " in architecture.name:
        raise BadInput(f"the name '{architecture.name}'", "one word, as in flow:nsf")
