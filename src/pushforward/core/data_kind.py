"""Kinds of data: what one example can be, as one object each.

One idea: this floor declares what a kind is called and which space it lives in; what a higher floor
knows of a kind (how it is described, drawn, damaged, measured) is one object a kind at that floor,
found by the same name.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from pushforward.core.choice import Choice
from pushforward.core.declared import require_target
from pushforward.core.errors import BadInput
from pushforward.core.registry import Registry


@dataclass(frozen=True)
class DataKind(Choice):
    """A kind of data.

    Attributes:
        space: its class, as `"module:attribute"`.
        example, examples: what one of them is called, and several.
        parts: what an example has several of.
        in_a_space: whether an example is a point of a vector space with one scale for all of its
            numbers: then it is drawn as a picture or a dot, observed in part through an operator,
            and compared by its distance as it is.
        forms: what can be written of its tensors: `arrays`, `pictures`.

    Example:
        >>> DATA_KINDS.load("image").parts, DATA_KINDS.names()
        ('pixels', ('points', 'image', 'table', 'text'))
    """

    space: str = ""
    example: str = "example"
    examples: str = "examples"
    parts: str = "columns"
    in_a_space: bool = False
    forms: tuple[str, ...] = ("arrays",)

    @property
    def space_class(self) -> Any:
        """The class of its spaces."""
        module, name = self.space.split(":")
        return getattr(importlib.import_module(module), name)


def require_usable(kind: DataKind, registry: Registry[DataKind]) -> None:
    """Refuse a kind of data of another package whose space is nowhere, or is of another kind.

    Raises:
        BadInput: names the space.
    """
    require_target(kind.space or "nothing", "space")
    found = getattr(kind.space_class, "kind", None)
    if found != kind.name:
        raise BadInput(f"the space {kind.space}, of kind {found!r}", f"one of kind '{kind.name}'")


DATA_KINDS: Registry[DataKind] = Registry(
    "kind of data",
    of="pushforward.core.data_kind:DataKind",
    check="pushforward.core.data_kind:require_usable",
)
DATA_KINDS.add(
    DataKind(
        "points",
        "rows of real numbers",
        "pushforward.core.space:Points",
        "point",
        "points",
        in_a_space=True,
    )
)
DATA_KINDS.add(
    DataKind(
        "image",
        "pictures of whole levels",
        "pushforward.core.space:Image",
        "image",
        "images",
        "pixels",
        True,
        ("arrays", "pictures"),
    )
)
DATA_KINDS.add(
    DataKind(
        "table",
        "rows of columns of different kinds",
        "pushforward.core.table:Table",
        "row",
        "rows",
        "columns",
    )
)
DATA_KINDS.add(
    DataKind(
        "text", "windows of tokens", "pushforward.core.text:Text", "window", "windows", "tokens"
    )
)


def kind_of(space: Any) -> DataKind:
    """Return the kind of data that a space is of."""
    return DATA_KINDS.load(space.kind)


def names_in_a_space() -> str:
    """Return the kinds whose examples are points of a vector space, in words.

    Example:
        >>> names_in_a_space()
        'images or points'
    """
    return " or ".join(reversed([kind.examples for kind in DATA_KINDS if kind.in_a_space]))
