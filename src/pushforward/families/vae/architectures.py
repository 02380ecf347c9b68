"""Which networks encode and decode, for each kind of data, and what the decoder's numbers mean.

One idea: an architecture makes two networks and names the law of data given codes; posterior, prior
and objective do not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from torch import nn

from pushforward.core.architecture import Architecture, architectures
from pushforward.core.space import Image, Space
from pushforward.families.shared.codecs import scaled, standardised
from pushforward.families.vae.config import VAEConfig
from pushforward.families.vae.decoder import (
    GaussianObservation,
    LocationScale,
    LogisticMixtures,
    LogisticObservation,
    ObservationModel,
)
from pushforward.nets.convolution import ConvDecoder, ConvEncoder
from pushforward.nets.folding import FoldedDecoder, FoldedEncoder
from pushforward.nets.mlp import FlatMLP, ResidualMLP, WaveMLP


@dataclass(frozen=True)
class Autoencoder:
    """What an architecture is made of.

    Attributes:
        encoder: `(x, context) -> (n, codes)`, the posterior's numbers.
        decoder: `(z, context) -> (n, outputs * channels, ...)`, the observation's numbers.
        observation: what the decoder's numbers mean.
    """

    encoder: nn.Module
    decoder: nn.Module
    observation: ObservationModel


@dataclass(frozen=True)
class CodeWidths:
    """What networks are made for: codes of `latent` numbers, of which the encoder says `codes`,
    beside a condition of `context`."""

    latent: int
    codes: int
    context: int


def pixel_law(space: Image, config: VAEConfig) -> ObservationModel:
    """Return a discretised logistic in every pixel, or a mixture of some."""
    if config.components == 1:
        return LocationScale(partial(LogisticObservation, levels=space.levels), "counting")
    return LogisticMixtures(config.components, space.levels)


def residual_mlps(space: Space, config: VAEConfig, sizes: CodeWidths) -> Autoencoder:
    """Return residual MLPs, the encoder with sine features, and a Gaussian in every coordinate."""
    d, size = space.dimensions, (config.width, config.depth, sizes.context)
    observation = LocationScale(GaussianObservation, "lebesgue")
    encoder = WaveMLP(d, sizes.codes, config.encoder_octaves, *size)
    return Autoencoder(
        encoder, ResidualMLP(sizes.latent, observation.outputs * d, *size), observation
    )


def convolutions(space: Image, config: VAEConfig, sizes: CodeWidths) -> Autoencoder:
    """Return residual convolutions down to about 4 x 4 and up again, and a discretised logistic in
    every pixel."""
    side, size = (space.height, space.width), (config.width, config.depth, sizes.context)
    observation = pixel_law(space, config)
    encoder = ConvEncoder(space.channels, *side, sizes.codes, *size)
    decoder = ConvDecoder(sizes.latent, observation.outputs * space.channels, *side, *size)
    return Autoencoder(encoder, decoder, observation)


def flat_pixels(space: Image, config: VAEConfig, sizes: CodeWidths) -> Autoencoder:
    """Return residual MLPs over all pixels at once, and a discretised logistic in every pixel.

    A step of these is much shorter than one of convolutions over a picture of 28 x 28.
    """
    d, size = space.dimensions, (config.width, config.depth, sizes.context)
    observation = pixel_law(space, config)
    return Autoencoder(
        FlatMLP(d, sizes.codes, *size),
        ResidualMLP(sizes.latent, observation.outputs * d, *size),
        observation,
    )


def patches(space: Image, config: VAEConfig, sizes: CodeWidths) -> Autoencoder:
    """Return residual convolutions over patches of up to 4 x 4 pixels, and a discretised logistic
    in every pixel."""
    channels, *side = space.event_shape
    observation = pixel_law(space, config)
    size, numbers = (config.width, config.depth, sizes.context), observation.outputs * channels
    return Autoencoder(
        FoldedEncoder(space.event_shape, sizes.codes, *size),
        FoldedDecoder(sizes.latent, (numbers, *side), *size),
        observation,
    )


POINTS = Architecture("mlp", "residual MLPs with a Gaussian decoder", residual_mlps, standardised)
IMAGES = Architecture(
    "convolutional",
    "residual convolutions with a discretised-logistic decoder",
    convolutions,
    scaled,
)
FLAT = Architecture(
    "mlp",
    "residual MLPs over all pixels with a discretised-logistic decoder",
    flat_pixels,
    scaled,
)
PATCHES = Architecture(
    "patches",
    "residual convolutions over patches with a discretised-logistic decoder",
    patches,
    scaled,
)

# of each kind of space, the default first
ARCHITECTURES = {
    "points": architectures("vae", "points", {"mlp": f"{__name__}:POINTS"}),
    "image": architectures(
        "vae",
        "image",
        {
            "convolutional": f"{__name__}:IMAGES",
            "mlp": f"{__name__}:FLAT",
            "patches": f"{__name__}:PATCHES",
        },
    ),
}
