"""EfficientNet-Lite0 run from a dictionary of weights.

One idea: the network is a row of inverted bottlenecks whose widths and kernels are the weights'
shapes; the strides are the published ones.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from pushforward.core.errors import BadInput
from pushforward.evaluation.features.preprocessing import Preprocessing

EPSILON = 1e-3
HALVING = (
    1,
    3,
    5,
    11,
)  # blocks of stride 2: the first of stages 2, 3, 4 and 6 (Tan & Le 2019, table 1)


class EfficientNetLite:
    """The pooled features of EfficientNet-Lite0: 1280 numbers in the published weights.

    EfficientNet-B0 (Tan & Le 2019) without squeeze-and-excitation and with activations cut at 6.

    Args:
        weights: `_conv_stem.weight`, `_bn0.*`,
            `_blocks.i.{_expand_conv,_depthwise_conv,_project_conv,_bn0,_bn1,_bn2}.*`,
            `_conv_head.weight`, `_bn1.*`.

    Raises:
        BadInput: weights that are missing.

    Example:
        >>> EfficientNetLite({"_conv_stem.weight": torch.zeros(8, 3, 3, 3)})
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: weights without _bn0.weight, _bn0.bias, _bn0.running_mean, _bn0.running_var: expected
        those of EfficientNet-Lite0
    """

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        pairs = [("_conv_stem", "_bn0"), ("_conv_head", "_bn1")]
        self._blocks = 1 + max(
            (int(n.split(".")[1]) for n in weights if n.startswith("_blocks.")), default=-1
        )
        for block in range(self._blocks):
            layers = [
                ("_expand_conv", "_bn0"),
                ("_depthwise_conv", "_bn1"),
                ("_project_conv", "_bn2"),
            ]
            pairs += [
                (f"_blocks.{block}.{convolution}", f"_blocks.{block}.{norm}")
                for convolution, norm in layers
                if convolution != "_expand_conv"
                or f"_blocks.{block}._expand_conv.weight" in weights
            ]
        self._convolutions = {pair[0]: _folded(weights, *pair) for pair in pairs}

    @property
    def preprocessing(self) -> Preprocessing:
        """Bicubic to 224, pixels from 0 to 255 minus 127, over 128."""
        return Preprocessing(size=224, low=0.0, high=255.0, mean=(127.0,), std=(128.0,))

    def __call__(self, x: Tensor) -> Tensor:
        """Return features (n, 1280) of inputs (n, 3, 224, 224)."""
        x = self._convolved(x, "_conv_stem", stride=2).clamp(0.0, 6.0)
        for block in range(self._blocks):
            x = self._bottleneck(x, block)
        return self._convolved(x, "_conv_head").clamp(0.0, 6.0).mean(dim=(2, 3))

    def _bottleneck(self, x: Tensor, block: int) -> Tensor:
        stride, y = 2 if block in HALVING else 1, x
        if f"_blocks.{block}._expand_conv" in self._convolutions:
            y = self._convolved(y, f"_blocks.{block}._expand_conv").clamp(0.0, 6.0)
        y = self._convolved(y, f"_blocks.{block}._depthwise_conv", stride, groups=y.shape[1]).clamp(
            0.0, 6.0
        )
        y = self._convolved(y, f"_blocks.{block}._project_conv")
        return x + y if x.shape == y.shape else y

    def _convolved(self, x: Tensor, name: str, stride: int = 1, groups: int = 1) -> Tensor:
        weight, bias = self._convolutions[name]
        return functional.conv2d(
            same(x, weight.shape[-1], stride), weight, bias, stride, groups=groups
        )


def same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Pad so that a convolution returns `ceil(size / stride)` pixels, the odd one at the far end,
    as TensorFlow does.

    Example:
        >>> same(torch.ones(1, 1, 4, 4), 3, 2)[0, 0, 0].tolist()
        [1.0, 1.0, 1.0, 1.0, 0.0]
    """
    margins = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        margins += [total // 2, total - total // 2]
    return functional.pad(x, margins) if any(margins) else x


def _folded(weights: Mapping[str, Tensor], convolution: str, norm: str) -> tuple[Tensor, Tensor]:
    parts = [
        f"{convolution}.weight",
        *(f"{norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var")),
    ]
    absent = [part for part in parts if part not in weights]
    if absent:
        raise BadInput(f"weights without {', '.join(absent)}", "those of EfficientNet-Lite0")
    kernel, gain, shift, mean, variance = (weights[part].double() for part in parts)
    scale = gain / torch.sqrt(variance + EPSILON)
    return (kernel * scale[:, None, None, None]).float(), (shift - mean * scale).float()
