"""The registered families: one line each; the conformance suite runs over this list."""

from __future__ import annotations

from typing import Any

from pushforward.core.errors import BadInput
from pushforward.core.registry import Registry

FAMILIES = Registry(
    "family",
    {
        "autoregressive": "pushforward.families.autoregressive.model:Autoregressive",
        "flow": "pushforward.families.flow.model:Flow",
        "vae": "pushforward.families.vae.model:VAE",
        "gan": "pushforward.families.gan.model:GAN",
        "diffusion": "pushforward.families.diffusion.model:Diffusion",
    },
    aliases={"ar": "autoregressive", "normalizing-flow": "flow", "score": "diffusion"},
    of="type[pushforward.core.model:GenerativeModel]",
    named="family",
    check="pushforward.families.catalogue:require_usable",
)

# made from a trained model and not from data alone: listed with the families, never trained as one
# of them
STUDENTS = Registry(
    "student",
    {"distilled": "pushforward.families.diffusion.students.distilled:Distilled"},
    of="type[pushforward.core.model:GenerativeModel]",
    named="family",
    check="pushforward.families.catalogue:require_usable",
)


def require_usable(family: Any, registry: Registry) -> None:
    """Refuse a family of another package that does not declare what every list of families shows.

    Raises:
        BadInput: names what is missing, or is something else.
    """
    from pushforward.core.capabilities import Capabilities, Card
    from pushforward.core.preset import REQUIRED, PresetPlace
    from pushforward.core.spec import Config

    for name, kind in (("capabilities", Capabilities), ("card", Card)):
        if not isinstance(getattr(family, name, None), kind):
            raise BadInput(f"{family.__name__} without `{name}`", f"a {kind.__name__}")
    settings = getattr(family, "config_type", None)
    if not (isinstance(settings, type) and issubclass(settings, Config)):
        raise BadInput(f"{family.__name__} without `config_type`", "a subclass of Config")
    presets = getattr(family, "presets", {})
    for _, place in presets:
        PresetPlace.of(place)
    for kind in family.capabilities.spaces if registry is FAMILIES else ():
        for preset in REQUIRED:
            if (preset, kind) not in presets:
                raise BadInput(f"{family.__name__} without the preset {preset} on {kind}", "one")


def registry_of(name: str) -> Registry:
    """Return the registry that knows a name, that of the families if none does.

    Example:
        >>> registry_of("distilled").noun, registry_of("ar").noun, registry_of("nobody").noun
        ('student', 'family', 'family')
    """
    return STUDENTS if name in STUDENTS.names() else FAMILIES
