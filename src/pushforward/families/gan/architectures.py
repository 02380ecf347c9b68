"""Which networks play, for each kind of data.

One idea: an architecture is a pair of networks; game and penalties do not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pushforward.core.architecture import Architecture, architectures
from pushforward.core.space import Image, Space
from pushforward.families.gan.config import GANConfig
from pushforward.families.gan.critic import bottleneck_critic, convolutional_critic, mlp_critic
from pushforward.families.gan.generator import (
    bottleneck_generator,
    convolutional_generator,
    mlp_generator,
)
from pushforward.families.shared.codecs import scaled, standardised
from pushforward.nets.folding import FoldedDecoder, FoldedEncoder


def as_it_is(x: Tensor) -> Tensor:
    """Return x."""
    return x


@dataclass(frozen=True)
class Players:
    """What an architecture is made of.

    Attributes:
        generator: `(z, context) -> examples`, of as many numbers as an example has.
        critic: `(x, context) -> (n, 1)`.
        squash: what becomes of the generator's numbers.
    """

    generator: nn.Module
    critic: nn.Module
    squash: Callable[[Tensor], Tensor] = as_it_is


def mlps(space: Space, config: GANConfig, latent: int, context: int) -> Players:
    """Return two residual MLPs."""
    return Players(
        mlp_generator(space, config, latent, context), mlp_critic(space, config, context)
    )


def convolutions(space: Image, config: GANConfig, latent: int, context: int) -> Players:
    """Return two residual convolutional networks."""
    generator = convolutional_generator(space, config, latent, context)
    return Players(generator, convolutional_critic(space, config, context), squash_of(config))


def bottlenecks(space: Image, config: GANConfig, latent: int, context: int) -> Players:
    """Return two residual networks of bottlenecks without normalisation."""
    generator = bottleneck_generator(space, config, latent, context)
    return Players(generator, bottleneck_critic(space, config, context))


def patches(space: Image, config: GANConfig, latent: int, context: int) -> Players:
    """Return two residual convolutional networks over patches of up to 4 x 4 pixels."""
    size = (config.width, config.depth, context)
    return Players(
        FoldedDecoder(latent, space.event_shape, *size),
        FoldedEncoder(space.event_shape, 1, *size),
        squash_of(config),
    )


def squash_of(config: GANConfig) -> Callable[[Tensor], Tensor]:
    """Return what brings a generator's numbers to those of levels, on [-1, 1]: a network that has to
    say -1 for black says -1 and a little, and a critic sees nothing else (LOG.md)."""
    return torch.tanh if config.tanh else as_it_is


POINTS = Architecture(
    "mlp", "residual MLPs with sine features", mlps, standardised, unread=("tanh",)
)
IMAGES = Architecture("convolutional", "residual convolutions", convolutions, scaled)
R3GAN = Architecture(
    "r3gan",
    "bottlenecks with grouped filters, nothing normalised: R3GAN",
    bottlenecks,
    scaled,
    unread=("tanh",),
)
PATCHES = Architecture("patches", "residual convolutions over patches", patches, scaled)

# of each kind of space, the default first
ARCHITECTURES = {
    "points": architectures("gan", "points", {"mlp": f"{__name__}:POINTS"}),
    "image": architectures(
        "gan",
        "image",
        {
            "convolutional": f"{__name__}:IMAGES",
            "r3gan": f"{__name__}:R3GAN",
            "patches": f"{__name__}:PATCHES",
        },
    ),
}
