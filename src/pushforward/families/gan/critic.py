"""Networks from examples to a score."""

from __future__ import annotations

from torch import nn

from pushforward.core.space import Image, Space
from pushforward.families.gan.config import GANConfig
from pushforward.nets.bottleneck import BottleneckEncoder
from pushforward.nets.convolution import ConvEncoder
from pushforward.nets.mlp import WaveMLP


def mlp_critic(space: Space, config: GANConfig, context: int) -> nn.Module:
    """Return a residual MLP that also sees sine features of the point, without which neighbouring
    modes look alike."""
    return WaveMLP(space.dimensions, 1, config.critic_octaves, config.width, config.depth, context)


def convolutional_critic(space: Image, config: GANConfig, context: int) -> nn.Module:
    """Return residual convolutions down to about 4 x 4."""
    side, size = (space.height, space.width), (config.width, config.depth, context)
    return ConvEncoder(space.channels, *side, 1, *size)


def bottleneck_critic(space: Image, config: GANConfig, context: int) -> nn.Module:
    """Return bottlenecks down to about 4 x 4, whose features are matched with the label."""
    return BottleneckEncoder(space.event_shape, 1, config.width, config.depth, context)
