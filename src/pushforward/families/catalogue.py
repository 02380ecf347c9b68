"""The registered families: one line each; the conformance suite runs over this list."""

from __future__ import annotations

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
)

# made from a trained model and not from data alone: listed with the families, never trained as one
# of them
STUDENTS = Registry(
    "student",
    {"distilled": "pushforward.families.diffusion.students.distilled:Distilled"},
    of="type[pushforward.core.model:GenerativeModel]",
    named="family",
)


def registry_of(name: str) -> Registry:
    """Return the registry that knows a name, that of the families if none does.

    Example:
        >>> registry_of("distilled").noun, registry_of("ar").noun, registry_of("nobody").noun
        ('student', 'family', 'family')
    """
    return STUDENTS if name in STUDENTS.names() else FAMILIES
