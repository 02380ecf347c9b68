"""Networks from codes to examples."""

from __future__ import annotations

from torch import nn

from pushforward.core.space import Image, Space
from pushforward.families.gan.config import GANConfig
from pushforward.nets.bottleneck import BottleneckDecoder
from pushforward.nets.convolution import ConvDecoder
from pushforward.nets.mlp import WaveMLP


def mlp_generator(space: Space, config: GANConfig, latent: int, context: int) -> nn.Module:
    """Return a residual MLP that also sees sine features of the code."""
    octaves = config.generator_octaves
    return WaveMLP(latent, space.dimensions, octaves, config.width, config.depth, context)


def convolutional_generator(
    space: Image, config: GANConfig, latent: int, context: int
) -> nn.Module:
    """Return residual convolutions from about 4 x 4 up to the image."""
    side, size = (space.height, space.width), (config.width, config.depth, context)
    return ConvDecoder(latent, space.channels, *side, *size)


def bottleneck_generator(space: Image, config: GANConfig, latent: int, context: int) -> nn.Module:
    """Return bottlenecks from about 4 x 4 up to the image, the label beside the code."""
    return BottleneckDecoder(latent, space.event_shape, config.width, config.depth, context)
