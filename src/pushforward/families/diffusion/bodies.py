"""Networks of images between noisy and clean data: the architectures of Gaussian diffusion.

One idea: whatever an architecture is, it maps a scaled image and the levels near it, `2 channels`,
to `channels` numbers for each number that the denoiser asks for, given an embedding of noise level
and label.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pushforward.core.architecture import Architecture
from pushforward.core.space import Image
from pushforward.families.diffusion.config import DiffusionConfig
from pushforward.families.diffusion.denoisers.denoiser import FORMS, ReadsScale
from pushforward.nets.convolution import zeroed
from pushforward.nets.dit import DiT, patch_size
from pushforward.nets.experts import Experts, LocalNet
from pushforward.nets.lean import LeanUNet
from pushforward.nets.pictures import OnAverage, OnPatches, PictureMLP
from pushforward.nets.unet import Scales, UNet

# share of the data's scale that noise has below which a pixel's neighbours say what there is to say
# of it
SHARP = 0.5
LARGEST_LEAN = 1024  # places that a lean U-Net works on: more are folded


def outputs_each(config: DiffusionConfig) -> int:
    """Return how many numbers the network says of each number: what the denoiser asks for, and its
    variance if that is learned."""
    return 2 if config.variance == "learned" else 1


def _ends(space: Image, config: DiffusionConfig) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return channels in and out, and the size."""
    channels = (2 * space.channels, outputs_each(config) * space.channels)
    return channels, (space.height, space.width)


def unet(space: Image, config: DiffusionConfig) -> nn.Module:
    """Return convolutions on several scales with links between equal ones (Ho et al. 2020)."""
    size = (config.width, config.depth, config.context)
    scales = Scales(config.multipliers or None)
    return UNet(*_ends(space, config), *size, scales, config.dropout)


def dit(space: Image, config: DiffusionConfig) -> nn.Module:
    """Return a transformer over patches (Peebles and Xie 2022)."""
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


class Linked(nn.Module):
    """A body beside a link from the levels near each number to what is said of it.

    At small noise s the mean of a pixel given its noisy value alone is `D = y + s F` with F the
    level that the network is shown, `(m - y)/s` (`NetworkDenoiser`): a new network that says just
    this begins with what pixels alone tell, and only has to learn what they tell of each other. How
    much of it is kept at larger noise is learned.

    Args:
        body: of `2 channels` to `channels` times the numbers that the denoiser asks for.
        channels: of the image.
        prediction: what the network is to say: another multiple of the level for another one.
    """

    def __init__(self, body: nn.Module, channels: int, context: int, prediction: str) -> None:
        super().__init__()
        self.body, self.channels, self.of_level = body, channels, FORMS[prediction].of_level
        self.kept = zeroed(nn.Linear(context, 2 * channels))

    @property
    def reads_value(self) -> bool:
        """Whether the body wants the number itself beside the context."""
        return getattr(self.body, "reads_value", False)

    def forward(self, x: Tensor, context: Tensor, *value: Tensor) -> Tensor:
        """Shapes: x (n, 2 channels, h, w), context (n, context) -> (n, outputs, h, w)."""
        found = self.body(x, context, *value)
        image, level = x.chunk(2, dim=1)
        of_image, of_level = self.kept(context).float()[..., None, None].chunk(2, dim=1)
        linked = of_image * image + (self.of_level + of_level) * level
        said = found[:, : self.channels] + linked
        return torch.cat([said, found[:, self.channels :]], dim=1)


def lean(space: Image, config: DiffusionConfig) -> nn.Module:
    """Return a few convolutions around a perceptron of the whole picture; of large ones, on patches
    that are folded into channels."""
    channels, size = _ends(space, config)
    sizes = (config.width, config.depth, config.context)
    patch = config.patch or patch_size(*size, LARGEST_LEAN)
    body = OnPatches(channels, size, patch, lambda ends, grid: LeanUNet(ends, grid, *sizes))
    return Linked(body, space.channels, config.context, config.prediction)


def mlp(space: Image, config: DiffusionConfig) -> nn.Module:
    """Return a residual perceptron on all pixels."""
    body = PictureMLP(*_ends(space, config), config.width, config.depth, config.context)
    return Linked(body, space.channels, config.context, config.prediction)


class ExpertsByNoise(Experts, ReadsScale):
    """Experts for noise below and above `SHARP` of the data's scale; networks are told a quarter of
    the logarithm of the noise."""

    def __init__(self, low: nn.Module, high: nn.Module) -> None:
        super().__init__(low, high, 0.25 * math.log(SHARP))

    def read_scale(self, scale: Tensor) -> None:
        """Put the edge where it is for data of this scale."""
        self.edge.copy_(0.25 * (SHARP * scale).log())


def experts(space: Image, config: DiffusionConfig) -> nn.Module:
    """Return convolutions at full size for small noise, where what is asked for is local, and a lean
    U-Net on patches for the rest, where it is of the whole picture (Balaji et al. 2022)."""
    channels, size = _ends(space, config)
    sizes = (config.width, config.depth, config.context)
    patch = config.patch or max(2, patch_size(*size, LARGEST_LEAN // 4))
    narrow = max(8, 8 * round(config.width / 32))
    fine = max(1, patch // 2)  # places at full size are many: of large pictures they are folded too
    local = OnPatches(
        channels, size, fine, lambda ends, grid: LocalNet(ends, narrow * fine, 3, config.context)
    )
    whole = OnPatches(channels, size, patch, lambda ends, grid: LeanUNet(ends, grid, *sizes))
    # the average picture of a class tells nothing where noise is small
    seen = OnAverage(whole, space.channels, size, config.context, patch_size(*size, LARGEST_LEAN))
    by_noise = ExpertsByNoise(local, seen)
    return Linked(by_noise, space.channels, config.context, config.prediction)


UNET = Architecture(
    "unet", "convolutions on several scales, linked where the scales are equal", unet
)
UNET_ONLY = ("multipliers", "dropout")
DIT = Architecture("dit", "attention over patches", dit, unread=UNET_ONLY)
EDM = Architecture("edm", "the U-Net of Karras et al. 2022, attention at 16 x 16", edm_unet)
LEAN = Architecture(
    "lean", "few convolutions around a perceptron, cheap on a CPU", lean, unread=UNET_ONLY
)
MLP = Architecture(
    "mlp",
    "a residual perceptron on all pixels, the cheapest",
    mlp,
    unread=(*UNET_ONLY, "patch"),
)
EXPERTS = Architecture(
    "experts",
    "local convolutions for small noise, a lean U-Net for the rest: cheap on a CPU",
    experts,
    unread=UNET_ONLY,
)
