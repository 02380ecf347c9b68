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
)
