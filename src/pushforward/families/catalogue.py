"""The registered families: one line each; the conformance suite runs over this list."""

from __future__ import annotations

from pushforward.core.registry import Registry

FAMILIES = Registry(
    "family",
    {"diffusion": "pushforward.families.diffusion.model:Diffusion"},
    aliases={"ar": "autoregressive", "normalizing-flow": "flow", "score": "diffusion"},
)
