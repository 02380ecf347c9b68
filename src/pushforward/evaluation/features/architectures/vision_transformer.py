"""The encoder that DINOv2 and CLIP share: a vision transformer run from a dictionary of weights.

Two ideas: every size (width, depth, patch, grid of positions) is read off the shapes of the
weights, so nothing is configured that could contradict the file; published layouts differ in names
only, so a table of patterns brings them to one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from pushforward.core.errors import BadInput

HEAD = 64  # width of an attention head in every published size of both
SIZES = {384: "s", 768: "b", 1024: "l", 1280: "h", 1536: "g"}

Weights = Mapping[str, Tensor]


def renamed(weights: Weights, table: Sequence[tuple[str, str]]) -> dict[str, Tensor]:
    """Return weights under the names that patterns turn theirs into; a name that no pattern matches
    whole keeps its own.

    Example:
        >>> list(renamed({"layers.3.ln": torch.zeros(1)}, [(r"layers\\.(\\d+)\\.ln", r"blocks.\\1.norm")]))
        ['blocks.3.norm']
    """
    out = {}
    for name, values in weights.items():
        found = next(
            ((match, new) for old, new in table if (match := re.fullmatch(old, name))), None
        )
        out[found[0].expand(found[1]) if found else name] = values.float()
    return _joined(out)


def _joined(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Stack queries, keys and values that a layout keeps apart."""
    for name in [name for name in weights if ".attn.query." in name]:
        parts = [
            weights.pop(name.replace(".query.", f".{part}."), None)
            for part in ("query", "key", "value")
        ]
        weights[name.replace(".query.", ".qkv.")] = torch.cat(
            [part for part in parts if part is not None]
        )
    return weights


def gelu(x: Tensor) -> Tensor:
    """Return `x Phi(x)` (Hendrycks & Gimpel 2016, section 2).

    Example:
        >>> gelu(torch.tensor(0.0)).item()
        0.0
    """
    return functional.gelu(x)


def quick_gelu(x: Tensor) -> Tensor:
    """Return `x sigmoid(1.702 x)` (Hendrycks & Gimpel 2016, section 2), which CLIP was first
    trained with.

    Example:
        >>> quick_gelu(torch.tensor(0.0)).item()
        0.0
    """
    return x * torch.sigmoid(1.702 * x)


class VisionTransformer:
    """A pre-normalised vision transformer (Dosovitskiy et al. 2021, equations 1 to 4) that returns
    its class token.

    Args:
        weights: `cls_token`, `pos_embed`, `patch_embed.proj.*`, `norm.*`,
            `blocks.i.{norm1,attn.qkv,attn.proj,norm2}.*` and `blocks.i.mlp.{fc1,fc2}.*` or, where
            the layer is gated, `blocks.i.mlp.{w12,w3}.*`; used where present: `norm_pre.*`,
            `register_tokens`, `blocks.i.{ls1,ls2}.gamma`.
        epsilon: of the normalisations.
        activation: of the feed-forward layers.

    Raises:
        BadInput: weights that are missing, or a width that is no multiple of 64.

    Example:
        >>> VisionTransformer({"cls_token": torch.zeros(1, 1, 64)}, 1e-6)
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: weights without pos_embed, patch_embed.proj.weight, norm.weight, blocks.0.attn.qkv.weight:
        expected a vision transformer's, in a layout that is known
    """

    def __init__(
        self, weights: Weights, epsilon: float, activation: Callable[[Tensor], Tensor] = gelu
    ) -> None:
        self._weights, self._epsilon, self._activation = weights, epsilon, activation
        needed = [
            "cls_token",
            "pos_embed",
            "patch_embed.proj.weight",
            "norm.weight",
            "blocks.0.attn.qkv.weight",
        ]
        absent = [name for name in needed if name not in weights]
        if absent:
            raise BadInput(
                f"weights without {', '.join(absent)}",
                "a vision transformer's, in a layout that is known",
            )
        self.width, _, _, self.patch = weights["patch_embed.proj.weight"].shape
        self.depth = 1 + max(
            int(name.split(".")[1]) for name in weights if name.startswith("blocks.")
        )
        self.grid = math.isqrt(weights["pos_embed"].shape[-2] - 1)
        if self.width % HEAD:
            raise BadInput(
                f"weights of width {self.width}",
                f"a multiple of {HEAD}, the width of one attention head",
            )

    @property
    def size(self) -> str:
        """The published name of the size, such as `vit-b/14`."""
        return f"vit-{SIZES.get(self.width, self.width)}/{self.patch}"

    @property
    def positions(self) -> Tensor:
        """Position embeddings (1, 1 + grid^2, width) that the weights hold."""
        return self._weights["pos_embed"].reshape(1, -1, self.width)

    def __call__(self, x: Tensor, positions: Tensor) -> Tensor:
        """Return class tokens (n, width) of inputs (n, 3, height, width) with position embeddings
        of as many patches."""
        patches = functional.conv2d(
            x,
            self._weights["patch_embed.proj.weight"],
            self._weights.get("patch_embed.proj.bias"),
            stride=self.patch,
        )
        tokens = (
            torch.cat(
                [self._repeated("cls_token", len(x)), patches.flatten(2).transpose(1, 2)], dim=1
            )
            + positions
        )
        if "register_tokens" in self._weights:
            tokens = torch.cat(
                [tokens[:, :1], self._repeated("register_tokens", len(x)), tokens[:, 1:]], dim=1
            )
        if "norm_pre.weight" in self._weights:
            tokens = self._normalised(tokens, "norm_pre")
        for index in range(self.depth):
            tokens = self._block(tokens, f"blocks.{index}")
        return self._normalised(tokens[:, 0], "norm")

    def _repeated(self, name: str, n: int) -> Tensor:
        return self._weights[name].reshape(1, -1, self.width).expand(n, -1, -1)

    def _normalised(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return functional.layer_norm(x, (self.width,), weight, bias, self._epsilon)

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return functional.linear(
            x, self._weights[f"{name}.weight"], self._weights.get(f"{name}.bias")
        )

    def _block(self, x: Tensor, name: str) -> Tensor:
        attended = self._attention(self._normalised(x, f"{name}.norm1"), f"{name}.attn")
        x = x + self._weights.get(f"{name}.ls1.gamma", 1.0) * attended
        changed = self._feed_forward(self._normalised(x, f"{name}.norm2"), f"{name}.mlp")
        return x + self._weights.get(f"{name}.ls2.gamma", 1.0) * changed

    def _attention(self, x: Tensor, name: str) -> Tensor:
        n, length, _ = x.shape
        qkv = self._linear(x, f"{name}.qkv").reshape(n, length, 3, -1, HEAD).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
        return self._linear(mixed.transpose(1, 2).reshape(n, length, -1), f"{name}.proj")

    def _feed_forward(self, x: Tensor, name: str) -> Tensor:
        if f"{name}.w12.weight" in self._weights:
            gate, value = self._linear(x, f"{name}.w12").chunk(2, dim=-1)
            return self._linear(functional.silu(gate) * value, f"{name}.w3")
        return self._linear(self._activation(self._linear(x, f"{name}.fc1")), f"{name}.fc2")
