"""Small networks in the files that other tools save them in."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from pushforward.core.space import Image
from pushforward.evaluation.features.preprocessing import Preprocessing

SPACE = Image(3, 8, 8, levels=17)
PLAIN = Preprocessing(3)


class Small(nn.Module):
    """A convolution that keeps its picture, so that pooling and flattening differ."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.convolution(x))


def exported(
    net: nn.Module, shape: tuple[int, ...] = (2, 3, 8, 8), any_batch: bool = True
) -> bytes:
    dynamic = ({0: torch.export.Dim("n")},) if any_batch else None
    program = torch.export.export(net.eval(), (torch.zeros(shape),), dynamic_shapes=dynamic)
    stream = io.BytesIO()
    torch.export.save(program, stream)
    return stream.getvalue()


def scripted(net: nn.Module) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.trace(net.eval(), torch.zeros(2, 3, 8, 8)), stream)
    return stream.getvalue()


def in_onnx(weight: np.ndarray, batch: str | int) -> bytes:
    """A convolution as ONNX, written by hand: the fields of the format's protocol buffers, in order of their numbers."""

    def varint(n: int) -> bytes:
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)

    def field(number: int, value: bytes | str | int) -> bytes:
        if isinstance(value, int):
            return varint(number << 3) + varint(value)
        raw = value.encode() if isinstance(value, str) else value
        return varint(number << 3 | 2) + varint(len(raw)) + raw

    def value_info(name: str, sizes: tuple[str | int, ...]) -> bytes:
        shape = b"".join(
            field(1, field(1, s) if isinstance(s, int) else field(2, s)) for s in sizes
        )
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))

    tensor = b"".join(field(1, n) for n in weight.shape) + field(2, 1) + field(8, "w")
    tensor += field(9, weight.astype("<f4").tobytes())
    node = field(1, "x") + field(1, "w") + field(2, "y") + field(4, "Conv")
    graph = (
        field(1, node)
        + field(2, "g")
        + field(5, tensor)
        + field(11, value_info("x", (batch, 3, 8, 8)))
    )
    graph += field(12, value_info("y", (batch, len(weight), 6, 6)))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def rewritten(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """A zip archive of which every entry went through `change(name, bytes)`."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()
