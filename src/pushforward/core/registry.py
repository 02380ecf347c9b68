"""Names to classes, loaded when asked for.

One idea: a registry maps a name to `"module:attribute"`, so that listing costs no import, and refuses duplicates.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from pushforward.core.errors import BadInput, unknown


class Registry:
    """A lazy mapping from names to objects.

    Example:
        >>> r = Registry("family", {"flow": "collections:OrderedDict"}, aliases={"nf": "flow"})
        >>> r.load("nf").__name__, r.names()
        ('OrderedDict', ('flow',))
    """

    def __init__(
        self, noun: str, entries: Mapping[str, str] | None = None, aliases: Mapping[str, str] | None = None
    ) -> None:
        self.noun = noun
        self._entries: dict[str, str] = {}
        self._aliases = dict(aliases or {})
        for name, target in (entries or {}).items():
            self.register(name, target)

    def register(self, name: str, target: str) -> None:
        """Add `name`; a name can be taken once."""
        if name in self._entries or name in self._aliases:
            raise BadInput(f"{self.noun} '{name}' is registered twice", "a new name")
        if target.count(":") != 1:
            raise BadInput(f"target '{target}'", "'module:attribute'")
        self._entries[name] = target

    def names(self) -> tuple[str, ...]:
        """Return the registered names in order of registration."""
        return tuple(self._entries)

    def resolve(self, name: str) -> str:
        """Return the canonical name of `name` or an alias.

        Raises:
            BadInput: unknown name; the nearest known one is suggested.
        """
        canonical = self._aliases.get(name, name)
        if canonical not in self._entries:
            raise BadInput(*unknown(self.noun, name, self._entries))
        return canonical

    def load(self, name: str) -> Any:
        """Import and return the registered object."""
        module, attribute = self._entries[self.resolve(name)].split(":")
        return getattr(importlib.import_module(module), attribute)
