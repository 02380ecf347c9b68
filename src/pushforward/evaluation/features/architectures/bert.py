"""A BERT encoder run from a dictionary of weights, for vectors of sentences.

One idea: sizes are read off the weights' shapes; the number of attention heads is not among them
and is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from pushforward.core.errors import BadInput


class SentenceEncoder:
    """Token vectors of BERT (Devlin et al. 2019), averaged over a sentence (Reimers & Gurevych
    2019, section 3) and of unit norm.

    Args:
        weights: in the transformers library's layout
            (`encoder.layer.0.attention.self.query.weight`).
        heads: number of attention heads.
        epsilon: of the normalisations.

    Raises:
        BadInput: weights of another network.

    Example:
        >>> SentenceEncoder({}, heads=12)
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: weights without embeddings.word_embeddings.weight: expected those of a BERT encoder
    """

    def __init__(self, weights: Mapping[str, Tensor], heads: int, epsilon: float = 1e-12) -> None:
        if "embeddings.word_embeddings.weight" not in weights:
            raise BadInput(
                "weights without embeddings.word_embeddings.weight", "those of a BERT encoder"
            )
        self._weights, self._heads, self._epsilon = weights, heads, epsilon
        self.width = weights["embeddings.word_embeddings.weight"].shape[1]
        self.depth = 1 + max(
            int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer.")
        )

    @torch.no_grad()
    def __call__(self, tokens: Tensor, real: Tensor) -> Tensor:
        """Return unit vectors (n, width) of tokens (n, length), of which `real` (n, length) are not
        padding."""
        words = functional.embedding(tokens, self._weights["embeddings.word_embeddings.weight"])
        places = self._weights["embeddings.position_embeddings.weight"][: tokens.shape[1]]
        x = words + places + self._weights["embeddings.token_type_embeddings.weight"][0]
        x = self._normalised(x, "embeddings.LayerNorm")
        for index in range(self.depth):
            x = self._layer(x, real, f"encoder.layer.{index}")
        share = real.to(x.dtype).unsqueeze(-1)
        return functional.normalize((x * share).sum(dim=1) / share.sum(dim=1), dim=1)

    def _normalised(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return functional.layer_norm(x, (self.width,), weight, bias, self._epsilon)

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return functional.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _layer(self, x: Tensor, real: Tensor, name: str) -> Tensor:
        n, length, _ = x.shape
        parts = (
            self._linear(x, f"{name}.attention.self.{part}") for part in ("query", "key", "value")
        )
        query, key, value = (
            part.reshape(n, length, self._heads, -1).transpose(1, 2) for part in parts
        )
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=real[:, None, None, :]
        )
        mixed = self._linear(
            mixed.transpose(1, 2).reshape(n, length, -1), f"{name}.attention.output.dense"
        )
        x = self._normalised(x + mixed, f"{name}.attention.output.LayerNorm")
        inner = functional.gelu(self._linear(x, f"{name}.intermediate.dense"))
        return self._normalised(
            x + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm"
        )
