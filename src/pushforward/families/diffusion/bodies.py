"""Networks of images between noisy and clean data: the architectures of Gaussian diffusion.

One idea: whatever an architecture is, it maps a scaled image and the levels near it, `2 channels`,
to `channels` numbers for each number that the denoiser asks for, given an embedding of noise level
and label.
"""

from __future__ import annotations

from torch import nn

from pushforward.core.architecture import Architecture
from pushforward.core.errors import BadInput
from pushforward.core.space import Image
from pushforward.families.diffusion.config import DiffusionConfig
from pushforward.nets.dit import DiT
from pushforward.nets.unet import Scales, UNet


def outputs_each(config: DiffusionConfig) -> int:
    """Return how many numbers the network says of each number: what the denoiser asks for, and its
    variance if that is learned."""
    return 2 if config.variance == "learned" else 1


def _ends(space: Image, config: DiffusionConfig) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return channels in and out, and the size."""
    channels = (2 * space.channels, outputs_each(config) * space.channels)
    return channels, (space.height, space.width)


def refuse_unread(config: DiffusionConfig, of: str, *names: str) -> None:
    """Refuse settings that a network does not read.

    Args:
        of: what the network is, in words.
        names: of the settings.

    Raises:
        BadInput: one of them is not its default.
    """
    for name in names:
        value = getattr(config, name)
        if value != type(config).model_fields[name].default:
            came = f"'model.{name}={value}' {of}"
            wanted = f"a network that reads {name}, as unet and edm on images do"
            raise BadInput(came, wanted, "it would change nothing here; leave it out")


def unet(space: Image, config: DiffusionConfig) -> nn.Module:
    """Return convolutions on several scales with links between equal ones (Ho et al. 2020)."""
    size = (config.width, config.depth, config.context)
    scales = Scales(config.multipliers or None)
    return UNet(*_ends(space, config), *size, scales, config.dropout)


def dit(space: Image, config: DiffusionConfig) -> nn.Module:
    """Return a transformer over patches (Peebles and Xie 2022)."""
    refuse_unread(config, "with a dit", "multipliers", "dropout")
    return DiT(
        *_ends(space, config),
        config.width,
        config.depth,
        config.context,
        config.heads,
        config.patch,
    )


def edm_unet(space: Image, config: DiffusionConfig) -> nn.Module:
    """Return the U-Net of CIFAR-10 in Karras et al. 2022: twice the width on every scale, attention
    at 16 x 16."""
    size = (config.width, config.depth, config.context)
    scales = Scales(config.multipliers or (2,), attention=16)
    return UNet(*_ends(space, config), *size, scales, config.dropout)


UNET = Architecture(
    "unet", "convolutions on several scales, linked where the scales are equal", unet
)
DIT = Architecture("dit", "attention over patches", dit)
EDM = Architecture("edm", "the U-Net of Karras et al. 2022, attention at 16 x 16", edm_unet)
