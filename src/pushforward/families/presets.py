"""Every preset: what it was measured to reach here, and what others published of its recipe."""

from __future__ import annotations

from pushforward.core.preset import NAMES, Preset, PresetPlace
from pushforward.families.build import family_class
from pushforward.families.catalogue import FAMILIES
from pushforward.families.learning_curves import longest_curve

UNMEASURED = {
    "smoke": "nothing is claimed: it shows in seconds that everything runs",
    "minute": "not measured yet",
    "gpu": "not measured yet",
}


def preset_table() -> list[dict[str, str]]:
    """Return a row for each preset of each family, kind of data and architecture, those of a
    processor first.

    Example:
        >>> preset_table()[0]["preset"]
        'cpu'
    """
    order = sorted(NAMES, key=lambda name: (name in UNMEASURED, NAMES.index(name)))
    return [
        _row(name, family, kind, preset)
        for name in order
        for family in FAMILIES.names()
        for (of, kind), preset in family_class(family).presets.items()
        if of == name
    ]


def _row(name: str, family: str, place: str, preset: Preset) -> dict[str, str]:
    of = PresetPlace.of(place)
    called = f"{family}:{of.architecture}" if of.architecture else family
    reached = preset.reached
    figures = reached.figures if reached else UNMEASURED.get(name, "not measured yet")
    command = reached.command(called, name) if reached else ""
    if reached is None and (found := longest_curve(family, of.data, name)) is not None:
        figures, command = found.figures, found.command(family)
    return {
        "preset": name,
        "family": called,
        "kind of data": of.data,
        "reaches": figures,
        "by": command,
        "aims at": str(preset.aim) if preset.aim else "",
    }
