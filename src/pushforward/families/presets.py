"""Every preset, and what it was measured to reach."""

from __future__ import annotations

from pushforward.core.preset import Preset
from pushforward.families.build import PRESETS, family_class
from pushforward.families.catalogue import FAMILIES

UNMEASURED = {
    "smoke": "nothing is claimed: it shows in seconds that everything runs",
    "gpu": "not measured yet",
}


def preset_table() -> list[dict[str, str]]:
    """Return a row for each preset of each family, kind of data and architecture, those of a
    processor first.

    Example:
        >>> preset_table()[0]["preset"]
        'cpu'
    """
    order = sorted(PRESETS, key=lambda name: (name in UNMEASURED, PRESETS.index(name)))
    return [
        _row(name, family, kind, preset)
        for name in order
        for family in FAMILIES.names()
        for (of, kind), preset in family_class(family).presets.items()
        if of == name
    ]


def _row(name: str, family: str, place: str, preset: Preset) -> dict[str, str]:
    kind, _, architecture = place.partition(":")
    called = f"{family}:{architecture}" if architecture else family
    reached = preset.reached
    return {
        "preset": name,
        "family": called,
        "kind of data": kind,
        "reaches": reached.figures if reached else UNMEASURED.get(name, "not measured yet"),
        "by": reached.command(called, name) if reached else "",
    }
