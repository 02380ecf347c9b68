"""Tensors of every kind that torch has, as ones that numpy takes.

One idea: numpy knows neither bfloat16 nor sparse layouts, and all of them have an exact dense
tensor of a type that it knows.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.limits import require_bytes

_KNOWN = {
    *(
        torch.float64,
        torch.float32,
        torch.float16,
        torch.bool,
        torch.uint8,
        torch.int8,
        torch.int16,
        torch.int32,
        torch.int64,
    ),
    *(torch.uint16, torch.uint32, torch.uint64, torch.complex64, torch.complex128),
}


def plain_tensor(x: Tensor) -> Tensor:
    """Return a dense tensor on the CPU without gradients; what is shorter than single precision
    becomes that, exactly.

    Raises:
        BadInput: a tensor without values, of a type that has no numbers, or too large once it is
            dense.

    Example:
        >>> plain_tensor(torch.eye(2, dtype=torch.bfloat16).to_sparse()).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    came = f"a tensor of {str(x.dtype).removeprefix('torch.')} and shape {tuple(x.shape)}"
    if x.device.type == "meta":
        raise BadInput(f"{came} on the device meta, which holds no values", "a tensor with values")
    try:
        x = x.detach()
        if x.is_quantized:
            x = x.dequantize()
        if x.layout != torch.strided:
            require_bytes(
                float(x.numel()) * x.element_size(),
                f"{came}, made dense,",
                "choose fewer columns or rows",
            )
            x = x.to_dense()
        x = x.cpu().resolve_conj().resolve_neg()
        return x if x.dtype in _KNOWN else x.float()
    except (RuntimeError, NotImplementedError, TypeError):
        raise BadInput(
            came, "a dense tensor of numbers", "convert it first, with .to_dense() or .float()"
        ) from None
