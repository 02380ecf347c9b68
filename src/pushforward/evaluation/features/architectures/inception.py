"""Inception-v3 in the layout of the published Fréchet distances, from a file of its weights.

Two ideas: the network of those distances is not the usual Inception-v3 (its average pooling leaves
padding out, its last block pools by the maximum, its classes are 1008), so weights of the usual one
are refused; normalisation is folded into the convolutions, after which the network is a list of
branches.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from pushforward.core.errors import BadInput
from pushforward.evaluation.features.preprocessing import Preprocessing

EPSILON = 1e-3
CLASSES = 1008
# name, stride, padding; no name is a maximum over 3x3
STEM = (
    ("Conv2d_1a_3x3", 2, 0),
    ("Conv2d_2a_3x3", 1, 0),
    ("Conv2d_2b_3x3", 1, 1),
    ("", 2, 0),
    ("Conv2d_3b_1x1", 1, 0),
    ("Conv2d_4a_3x3", 1, 0),
    ("", 2, 0),
)
# branches of each kind of block (Szegedy et al. 2016, figures 5 to 7 and 10); a name ending in + is
# two convolutions side by side
A = (
    ("branch1x1",),
    ("branch5x5_1", "branch5x5_2"),
    ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
)
B = (("branch3x3",), ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"))
C = (
    ("branch1x1",),
    tuple(f"branch7x7_{i}" for i in (1, 2, 3)),
    tuple(f"branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5)),
)
D = (("branch3x3_1", "branch3x3_2"), tuple(f"branch7x7x3_{i}" for i in (1, 2, 3, 4)))
E = (
    ("branch1x1",),
    ("branch3x3_1", "branch3x3_2+"),
    ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3+"),
)
BLOCKS = {
    **{f"Mixed_5{letter}": (A, "average") for letter in "bcd"},
    "Mixed_6a": (B, "reduce"),
    **{f"Mixed_6{letter}": (C, "average") for letter in "bcde"},
    "Mixed_7a": (D, "reduce"),
    "Mixed_7b": (E, "average"),
    "Mixed_7c": (E, "maximum"),
}


class Inception:
    """The pooled features of Inception-v3 as of 2015-12-05: 2048 numbers in the published weights.

    Args:
        weights: `Conv2d_1a_3x3.conv.weight`, `Conv2d_1a_3x3.bn.weight`, ...,
            `Mixed_7c.branch_pool.bn.running_var`, `fc.weight`.

    Raises:
        BadInput: weights that are missing, or of an Inception-v3 that is not of 1008 classes.

    Example:
        >>> Inception({"fc.weight": torch.zeros(1000, 2048)})
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: weights of an Inception-v3 of 1000 classes: expected the network of 1008 classes that
        published Fréchet distances use; its file is commonly called pt_inception-2015-12-05-6726825d.pth; for another network use
        file:PATH
    """

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        classes = len(weights["fc.weight"]) if "fc.weight" in weights else 0
        if classes != CLASSES:
            raise BadInput(
                f"weights of an Inception-v3 of {classes} classes",
                f"the network of {CLASSES} classes that published Fréchet distances use",
                "its file is commonly called pt_inception-2015-12-05-6726825d.pth; for another network use file:PATH",
            )
        self._convolutions = {name: _folded(weights, name) for name in _names()}

    @property
    def preprocessing(self) -> Preprocessing:
        """Pixels from 0 to 255, sampled to 299 as TensorFlow 1 does, minus 128, over 128."""
        return Preprocessing(
            size=299, low=0.0, high=255.0, mean=(128.0,), std=(128.0,), filter="tensorflow"
        )

    def __call__(self, x: Tensor) -> Tensor:
        """Return features (n, 2048) of inputs (n, 3, 299, 299)."""
        for name, stride, padding in STEM:
            x = (
                self._convolved(x, name, stride, padding)
                if name
                else functional.max_pool2d(x, 3, stride)
            )
        for name in BLOCKS:
            x = self.block(x, name)
        return x.mean(dim=(2, 3))

    def block(self, x: Tensor, name: str) -> Tensor:
        """Return the concatenated branches of one block, such as `Mixed_5b`."""
        branches, pooling = BLOCKS[name]
        reducing = pooling == "reduce"
        out = []
        for branch in branches:
            y = x
            for step in branch:
                last = reducing and step == branch[-1]
                if step.endswith("+"):
                    y = torch.cat(
                        [self._convolved(y, f"{name}.{step[:-1]}{side}", 1) for side in "ab"], dim=1
                    )
                else:
                    y = self._convolved(y, f"{name}.{step}", 2 if last else 1, 0 if last else None)
            out.append(y)
        if reducing:
            out.append(functional.max_pool2d(x, 3, 2))
        else:
            pooled = (
                functional.max_pool2d(x, 3, 1, 1)
                if pooling == "maximum"
                else functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
            )
            out.append(self._convolved(pooled, f"{name}.branch_pool", 1))
        return torch.cat(out, dim=1)

    def _convolved(self, x: Tensor, name: str, stride: int, padding: int | None = None) -> Tensor:
        weight, bias = self._convolutions[name]
        margin = (
            (weight.shape[2] // 2, weight.shape[3] // 2) if padding is None else (padding, padding)
        )
        return functional.relu(functional.conv2d(x, weight, bias, stride, margin))


def _names() -> list[str]:
    names = [name for name, _, _ in STEM if name]
    for block, (branches, pooling) in BLOCKS.items():
        for step in (step for branch in branches for step in branch):
            names += (
                [f"{block}.{step[:-1]}{side}" for side in "ab"]
                if step.endswith("+")
                else [f"{block}.{step}"]
            )
        if pooling != "reduce":
            names.append(f"{block}.branch_pool")
    return names


def _folded(weights: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """Return kernel and bias of a convolution followed by batch normalisation: `g (k * x - m) /
    sqrt(v + eps) + b`."""
    parts = ("conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")
    absent = [f"{name}.{part}" for part in parts if f"{name}.{part}" not in weights]
    if absent:
        raise BadInput(f"weights without {', '.join(absent)}", "those of Inception-v3")
    kernel, gain, shift, mean, variance = (weights[f"{name}.{part}"].double() for part in parts)
    scale = gain / torch.sqrt(variance + EPSILON)
    return (kernel * scale[:, None, None, None]).float(), (shift - mean * scale).float()
