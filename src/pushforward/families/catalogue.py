"""The registered families: one line each; the conformance suite runs over this list."""

from __future__ import annotations

from pushforward.core.registry import Registry

FAMILIES = Registry(
    "family",
    {
        "flow": "pushforward.families.flow.model:Flow",
        "vae": "pushforward.families.vae.model:VAE",
        "gan": "pushforward.families.gan.model:GAN",
    },
    aliases={"ar": "autoregressive", "normalizing-flow": "flow", "score": "diffusion"},
)
