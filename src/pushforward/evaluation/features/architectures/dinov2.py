"""DINOv2 as features of images, from a file of its weights.

One idea: positions were learned on a grid of 37 x 37 patches and are resampled to the 16 x 16 of a
224-pixel image; how that is done belongs to the model, and it differs between the models with
registers and those without.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pushforward.core.errors import BadInput
from pushforward.evaluation.features.architectures.vision_transformer import (
    VisionTransformer,
    Weights,
    renamed,
)
from pushforward.evaluation.features.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing

SIZE = 224
OFFSET = 0.1  # added to the new grid's side, as in the released code without registers
# the layout that the transformers library writes, beside the release's own
LAYOUT = [
    (r"(?:dinov2\.|model\.)?embeddings\.cls_token", "cls_token"),
    (r"(?:dinov2\.|model\.)?embeddings\.position_embeddings", "pos_embed"),
    (r"(?:dinov2\.|model\.)?embeddings\.register_tokens", "register_tokens"),
    (
        r"(?:dinov2\.|model\.)?embeddings\.patch_embeddings\.projection\.(\w+)",
        r"patch_embed.proj.\1",
    ),
    (
        r"(?:dinov2\.|model\.)?encoder\.layer\.(\d+)\.attention\.attention\.(query|key|value)\.(\w+)",
        r"blocks.\1.attn.\2.\3",
    ),
    (
        r"(?:dinov2\.|model\.)?encoder\.layer\.(\d+)\.attention\.output\.dense\.(\w+)",
        r"blocks.\1.attn.proj.\2",
    ),
    (
        r"(?:dinov2\.|model\.)?encoder\.layer\.(\d+)\.layer_scale(\d)\.lambda1",
        r"blocks.\1.ls\2.gamma",
    ),
    (
        r"(?:dinov2\.|model\.)?encoder\.layer\.(\d+)\.mlp\.weights_in\.(\w+)",
        r"blocks.\1.mlp.w12.\2",
    ),
    (
        r"(?:dinov2\.|model\.)?encoder\.layer\.(\d+)\.mlp\.weights_out\.(\w+)",
        r"blocks.\1.mlp.w3.\2",
    ),
    (r"(?:dinov2\.|model\.)?encoder\.layer\.(\d+)\.(norm\d|mlp\.fc\d)\.(\w+)", r"blocks.\1.\2.\3"),
    (r"(?:dinov2\.|model\.)?layernorm\.(\w+)", r"norm.\1"),
]


class DinoV2:
    """The normalised class token of DINOv2 (Oquab et al. 2024), with or without registers (Darcet
    et al. 2024).

    Args:
        weights: in the release's layout (`blocks.0.attn.qkv.weight`) or the transformers library's
            (`encoder.layer.0...`).
        size: height and width of the input in pixels, a multiple of the patch's 14.
        offset: added to the side of the new grid of positions where there are no registers: 0.1 in
            the release, 0 in transformers.

    Raises:
        BadInput: weights of another network, or a size that patches do not divide.

    Example:
        >>> DinoV2({"cls_token": torch.zeros(1, 1, 64)})
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: weights without pos_embed, patch_embed.proj.weight, norm.weight, blocks.0.attn.qkv.weight:
        expected a vision transformer's, in a layout that is known
    """

    def __init__(self, weights: Weights, size: int = SIZE, offset: float = OFFSET) -> None:
        named = renamed(weights, LAYOUT)
        self.encoder = VisionTransformer(named, epsilon=1e-6)
        if size % self.encoder.patch:
            raise BadInput(
                f"inputs of {size} pixels",
                f"a multiple of {self.encoder.patch}, the side of a patch",
            )
        registers = "register_tokens" in named
        side = size // self.encoder.patch
        self.size = size
        self.positions = resampled(
            self.encoder.positions, side, 0.0 if registers else offset, antialias=registers
        )

    @property
    def preprocessing(self) -> Preprocessing:
        """Bicubic to the input's size, ImageNet's mean and standard deviation."""
        return Preprocessing(size=self.size, mean=IMAGENET_MEAN, std=IMAGENET_STD)

    def __call__(self, x: Tensor) -> Tensor:
        """Return features (n, width) of inputs (n, 3, size, size)."""
        return self.encoder(x, self.positions)


def resampled(positions: Tensor, side: int, offset: float = 0.0, antialias: bool = False) -> Tensor:
    """Return position embeddings (1, 1 + side^2, width) made from (1, 1 + grid^2, width) by bicubic
    interpolation.

    With an offset, places are computed for a grid of `side + offset`, as the release does to avoid
    a rounding error.

    Example:
        >>> resampled(torch.zeros(1, 1 + 9, 4), 2).shape
        torch.Size([1, 5, 4])
    """
    grid = round((positions.shape[1] - 1) ** 0.5)
    if grid == side:
        return positions
    plane = positions[:, 1:].transpose(1, 2).reshape(1, -1, grid, grid)
    if offset:
        scale = (side + offset) / grid
        plane = functional.interpolate(plane, scale_factor=(scale, scale), mode="bicubic")
    else:
        plane = functional.interpolate(
            plane, size=(side, side), mode="bicubic", antialias=antialias
        )
    return torch.cat([positions[:, :1], plane.flatten(2).transpose(1, 2)], dim=1)
