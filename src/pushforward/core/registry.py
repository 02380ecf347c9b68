"""Names to choices: those of the house, loaded when asked for, and those that installed packages
announce.

Two ideas: a registry maps a name to an object or to `"module:attribute"`, so that listing costs no
import, and refuses duplicates; what a package announces through the entry-point group `pushforward`
is in it too, or is left out with a reason (`core/plugins.py`).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from pushforward.core.declared import require_fields, require_name
from pushforward.core.errors import BadInput, unknown
from pushforward.core.plugins import amid_imports, announced, came_from, refuse, word_of

C = TypeVar("C")
_EVERY: WeakSet[Registry[Any]] = WeakSet()


class Registry(Generic[C]):
    """A lazy mapping from names to choices.

    Args:
        noun: what one of them is called, in messages and, with hyphens, before the names of entry
            points: `family.mine`.
        entries: `"module:attribute"` of each name.
        aliases: other names of some.
        of: the class of a choice, as `"module:attribute"`, or as `"type[module:attribute]"` where
            choices are classes; a plug-in of another class is left out. Empty: anything may be
            added.
        named: the attribute that holds a choice's name; a plug-in without it is called by the word
            of its entry point.
        modules: those whose every choice of that class is in it, under its own name; imported when
            names are asked for.
        choices: those that need no import, under their own names.
        check: looks at what a plug-in declares, `check(choice, this registry)`, and raises for what
            cannot be, as `"module:attribute"`.

    Example:
        >>> r = Registry("thing", {"flow": "collections:OrderedDict"}, aliases={"nf": "flow"})
        >>> r.load("nf").__name__, r.names()
        ('OrderedDict', ('flow',))
    """

    def __init__(
        self,
        noun: str,
        entries: Mapping[str, str] | None = None,
        aliases: Mapping[str, str] | None = None,
        of: str = "",
        named: str = "name",
        modules: tuple[str, ...] = (),
        choices: Iterable[C] = (),
        check: str = "",
    ) -> None:
        _EVERY.add(self)
        self.noun, self._named, self._modules, self._check = noun, named, modules, check
        self._of, self._classes = of.removeprefix("type[").removesuffix("]"), of.startswith("type[")
        self._entries: dict[str, Any] = {}
        self._aliases = dict(aliases or {})
        self._complete, self._waiting = False, list[EntryPoint]()
        for name, target in (entries or {}).items():
            self.register(name, target)
        for choice in choices:
            self.add(choice)

    def register(self, name: str, target: str) -> None:
        """Add what `target` names, `"module:attribute"`, without loading it; a name can be taken
        once."""
        if target.count(":") != 1:
            raise BadInput(f"target '{target}'", "'module:attribute'")
        self._take(name, target)

    def add(self, choice: C, name: str = "") -> C:
        """Add a choice under its own name, and return it; a name can be taken once."""
        self._take(name or getattr(choice, self._named, ""), choice)
        return choice

    @contextmanager
    def with_one_more(self, choice: C, name: str = "") -> Iterator[C]:
        """Have one more choice inside the block."""
        taken = name or getattr(choice, self._named, "")
        self.add(choice, taken)
        try:
            yield choice
        finally:
            del self._entries[taken]

    def names(self) -> tuple[str, ...]:
        """Return the names in order of registration, those of plug-ins last."""
        return tuple(self._all())

    def __iter__(self) -> Iterator[C]:
        """Load and yield every choice."""
        return iter([self.load(name) for name in self.names()])

    def __getitem__(self, name: str) -> C:
        """Return the choice of a name or an alias."""
        return self.load(name)

    def __contains__(self, name: object) -> bool:
        """Say whether a name or an alias is known."""
        return name in self._all() or name in self._aliases

    def __len__(self) -> int:
        """Return how many choices there are."""
        return len(self._all())

    def resolve(self, name: str) -> str:
        """Return the canonical name of `name` or an alias.

        Raises:
            BadInput: unknown name; the nearest known one is suggested.
        """
        canonical = self._aliases.get(name, name)
        if canonical not in self._all():
            raise BadInput(*unknown(self.noun, name, self._entries))
        return canonical

    def load(self, name: str) -> C:
        """Import if need be, and return the choice of that name."""
        canonical = self.resolve(name)
        found = self._entries[canonical]
        if isinstance(found, str):
            found = self._entries[canonical] = _imported(found)
        return found

    def _take(self, name: str, entry: Any) -> None:
        if not name or not isinstance(name, str):
            raise BadInput(f"a {self.noun} without a name", "a name")
        if name in self._entries or name in self._aliases:
            raise BadInput(f"{self.noun} '{name}' is registered twice", "a new name")
        self._entries[name] = entry

    def _all(self) -> dict[str, Any]:
        if not self._complete:
            self._complete = (
                True  # first: a plug-in may ask this registry for names while it is imported
            )
            for module in self._modules:
                for choice in vars(importlib.import_module(module)).values():
                    # what a module has from another one that is listed is there already
                    if (
                        isinstance(choice, _imported(self._of))
                        and choice not in self._entries.values()
                    ):
                        self.add(choice)
            self._waiting = list(announced(self.noun))
        waiting, self._waiting = self._waiting, []
        again = [plugin for plugin in waiting if not self._tried(plugin)]
        self._waiting += again
        return self._entries

    def _tried(self, plugin: EntryPoint) -> bool:
        """Admit a plug-in or leave it out; return False if it has to be tried again, because this
        registry was asked while modules that the plug-in needs were being imported."""
        with refuse(plugin):
            try:
                self._admit(plugin)
            except (ImportError, AttributeError):
                if amid_imports(plugin):
                    return False
                raise
        return True

    def _admit(self, plugin: EntryPoint) -> None:
        """Add what a plug-in announces, if it is a choice of this kind that can be used."""
        choice = plugin.load()
        if self._of:
            self._require(choice, _imported(self._of))
        name = getattr(choice, self._named, word_of(plugin))
        if name:
            require_name(name)
        require_fields(choice)
        if self._check:
            _imported(self._check)(choice, self)
        self.add(choice, name)
        came_from(choice, plugin)

    def _require(self, choice: Any, kind: type) -> None:
        if isinstance(choice, type) and not self._classes:
            raise BadInput(f"the class {choice.__name__}", f"a {kind.__name__}, made of it")
        if not (issubclass(choice, kind) if isinstance(choice, type) else isinstance(choice, kind)):
            called = choice.__name__ if isinstance(choice, type) else type(choice).__name__
            raise BadInput(f"a {called}", f"a {kind.__name__}")
        if self._classes and not isinstance(choice, type):
            raise BadInput(f"an object of {type(choice).__name__}", "the class itself")
        missing = sorted(getattr(choice, "__abstractmethods__", ()))
        if missing:
            raise BadInput(
                f"{choice.__name__} does not define {', '.join(missing)}", "a definition"
            )


def registries() -> list[Registry[Any]]:
    """Return the registries whose modules have been imported, by noun.

    Example:
        >>> known = Registry("thing of an example")
        >>> known in registries()
        True
    """
    return sorted(_EVERY, key=lambda one: one.noun)


def _imported(target: str) -> Any:
    module, attribute = target.split(":")
    return getattr(importlib.import_module(module), attribute)
