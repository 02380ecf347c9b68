"""What installed packages add, and why something of it cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pushforward.app.request import WIDTH, Answer, Request

if TYPE_CHECKING:
    from pushforward.app.progress.watch import Watch
    from pushforward.core.options import SamplingOption

# where registries are that no family brings (a test compares what is found with `KINDS`)
HOMES = (
    "pushforward.app.verbs.catalogue",
    "pushforward.app.measuring.measured_kind",
    "pushforward.data.dataset",
    "pushforward.data.encoding",
    "pushforward.data.formats.file_formats",
    "pushforward.data.text.tokenisers",
    "pushforward.evaluation.cards.metrics",
    "pushforward.evaluation.kinds.example_kind",
    "pushforward.reports.page.shown_kind",
)


class PluginsRequest(Request):
    """List what installed packages add, and why something of it was left out."""

    verb = "plugins"

    def answer(self, watch: Watch) -> Plugins:
        """Load every kind of choice, which is when it turns out what can be used."""
        from pushforward.core.plugins import all_told, every_plugin, package_of, refused

        if not every_plugin() and not refused():
            return Plugins([])
        known = _loaded()
        all_told()
        left = {one.name: one for one in refused()}
        rows = []
        for plugin in sorted(every_plugin(), key=lambda one: one.name):
            row = {"name": plugin.name, "package": package_of(plugin), "object": plugin.value}
            one = left.pop(plugin.name, None)
            reason = "" if one is None else one.reason
            rows.append({**row, "says": known.get(plugin.name, ""), "left out": reason})
        others = ({"name": one.name, "package": one.package} for one in left.values())
        rows += [
            {**row, "object": "", "says": "", "left out": left[row["name"]].reason}
            for row in others
        ]
        return Plugins(rows)


class Plugins(Answer):
    """Every plug-in with what it is, or with the reason why it was left out."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self.rows = rows

    def json(self) -> list[dict[str, str]]:
        """Return a record for each."""
        return self.rows

    def lines(self, width: int = WIDTH) -> Iterator[str]:
        """Yield a line for each."""
        if not self.rows:
            yield "no installed package adds anything; docs/plugins.md says how one does"
        for row in self.rows:
            state = f"LEFT OUT: {row['left out']}" if row["left out"] else row["says"]
            yield f"{row['name']} of {row['package']}: {state}"


def _loaded() -> dict[str, str]:
    """Load every registry that a package adds to; return what each plug-in says of itself."""
    from importlib import import_module

    from pushforward.core.plugins import origin
    from pushforward.core.registry import registries
    from pushforward.families.catalogue import FAMILIES, STUDENTS

    for module in HOMES:
        import_module(module)
    families = [*FAMILIES, *STUDENTS]  # which brings the registries of each
    read = {option for family in families for option in _options_of(family)}
    found: dict[str, str] = {}
    for registry in registries():
        for choice in registry:
            if (plugin := origin(choice)) is not None:
                unread = registry.noun == "sampling option" and choice not in read
                found[plugin.name] = _says(choice) + (
                    " (nothing reads it: no family, and no architecture has it in `options`)"
                    if unread
                    else ""
                )
    return found


def _options_of(family: Any) -> Iterator[SamplingOption]:
    yield from family.capabilities.options
    for registry in family.capabilities.architectures.values():
        for architecture in registry:
            yield from architecture.options


def _says(choice: Any) -> str:
    if isinstance(choice, type) and issubclass(choice, Request):
        return choice.says()
    return str(getattr(choice, "says", "") or "in use")
