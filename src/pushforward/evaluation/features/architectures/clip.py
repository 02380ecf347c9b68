"""The image encoder of CLIP as features of images, from a file of its weights.

One idea: a file of weights does not say which activation it was trained with, so that is an
argument and part of the fingerprint.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.evaluation.features.architectures.vision_transformer import (
    VisionTransformer,
    Weights,
    gelu,
    quick_gelu,
    renamed,
)
from pushforward.evaluation.features.preprocessing import Preprocessing

Activation = Literal["quick-gelu", "gelu"]
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
# the first release's layout, which OpenCLIP shares, and that of the transformers library
LAYOUT = [
    (r"visual\.class_embedding", "cls_token"),
    (r"visual\.positional_embedding", "pos_embed"),
    (r"visual\.conv1\.(\w+)", r"patch_embed.proj.\1"),
    (r"visual\.ln_pre\.(\w+)", r"norm_pre.\1"),
    (r"visual\.ln_post\.(\w+)", r"norm.\1"),
    (r"visual\.proj", "projection"),
    (r"visual\.transformer\.resblocks\.(\d+)\.ln_(\d)\.(\w+)", r"blocks.\1.norm\2.\3"),
    (r"visual\.transformer\.resblocks\.(\d+)\.attn\.in_proj_(\w+)", r"blocks.\1.attn.qkv.\2"),
    (r"visual\.transformer\.resblocks\.(\d+)\.attn\.out_proj\.(\w+)", r"blocks.\1.attn.proj.\2"),
    (r"visual\.transformer\.resblocks\.(\d+)\.mlp\.c_fc\.(\w+)", r"blocks.\1.mlp.fc1.\2"),
    (r"visual\.transformer\.resblocks\.(\d+)\.mlp\.c_proj\.(\w+)", r"blocks.\1.mlp.fc2.\2"),
    (r"(?:vision_model\.)?embeddings\.class_embedding", "cls_token"),
    (r"(?:vision_model\.)?embeddings\.position_embedding\.weight", "pos_embed"),
    (r"(?:vision_model\.)?embeddings\.patch_embedding\.(\w+)", r"patch_embed.proj.\1"),
    (r"(?:vision_model\.)?pre_layrnorm\.(\w+)", r"norm_pre.\1"),
    (r"(?:vision_model\.)?post_layernorm\.(\w+)", r"norm.\1"),
    (r"(?:vision_model\.)?encoder\.layers\.(\d+)\.layer_norm(\d)\.(\w+)", r"blocks.\1.norm\2.\3"),
    (
        r"(?:vision_model\.)?encoder\.layers\.(\d+)\.self_attn\.q_proj\.(\w+)",
        r"blocks.\1.attn.query.\2",
    ),
    (
        r"(?:vision_model\.)?encoder\.layers\.(\d+)\.self_attn\.k_proj\.(\w+)",
        r"blocks.\1.attn.key.\2",
    ),
    (
        r"(?:vision_model\.)?encoder\.layers\.(\d+)\.self_attn\.v_proj\.(\w+)",
        r"blocks.\1.attn.value.\2",
    ),
    (
        r"(?:vision_model\.)?encoder\.layers\.(\d+)\.self_attn\.out_proj\.(\w+)",
        r"blocks.\1.attn.proj.\2",
    ),
    (r"(?:vision_model\.)?encoder\.layers\.(\d+)\.mlp\.(fc\d)\.(\w+)", r"blocks.\1.mlp.\2.\3"),
]


class ClipImage:
    """The class token of CLIP's image encoder (Radford et al. 2021, section 2.4), projected if the
    file has a projection.

    Args:
        weights: in the first release's layout (`visual.conv1.weight`) or the transformers library's
            (`vision_model...`).
        activation: `quick-gelu` for the first release, `gelu` for most of OpenCLIP.

    Raises:
        BadInput: weights of another network.

    Example:
        >>> import torch
        >>> ClipImage({"visual.layer1.0.conv1.weight": torch.zeros(1)})
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: CLIP with a residual network: expected CLIP with a vision transformer, such as ViT-B/32
    """

    def __init__(self, weights: Weights, activation: Activation = "quick-gelu") -> None:
        if "visual.layer1.0.conv1.weight" in weights:
            raise BadInput(
                "CLIP with a residual network", "CLIP with a vision transformer, such as ViT-B/32"
            )
        # a whole CLIP holds a text encoder too, whose names would be taken for the image encoder's
        ours = {
            name: values
            for name, values in weights.items()
            if not name.startswith(("text_model", "transformer."))
        }
        if "visual_projection.weight" in ours:
            ours["visual.proj"] = ours.pop("visual_projection.weight").T
        named = renamed(ours, LAYOUT)
        self.encoder = VisionTransformer(
            named, 1e-5, quick_gelu if activation == "quick-gelu" else gelu
        )
        self._projection = named.get("projection")

    @property
    def preprocessing(self) -> Preprocessing:
        """Bicubic to the size whose patches have positions, with the mean and standard deviation of
        CLIP's training images."""
        return Preprocessing(size=self.encoder.grid * self.encoder.patch, mean=MEAN, std=STD)

    def __call__(self, x: Tensor) -> Tensor:
        """Return features (n, width of the projection) of inputs (n, 3, size, size)."""
        tokens = self.encoder(x, self.encoder.positions)
        return tokens if self._projection is None else tokens @ self._projection
