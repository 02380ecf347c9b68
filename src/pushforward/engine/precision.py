"""Lower precision and memory formats, applied to networks and never to likelihood arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


def computes_in_bfloat16(device: str) -> bool:
    """Return whether a device has bfloat16 arithmetic; a processor that has not emulates it, about
    forty times slower."""
    if device == "cpu":
        return any(there for name, there in torch.cpu.get_capabilities().items() if "bf16" in name)
    return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def resolved(precision: str, device: str) -> str:
    """Return `float32` or `bfloat16` for a configured precision.

    Example:
        >>> resolved("float32", "cpu"), resolved("bfloat16", "cpu")
        ('float32', 'bfloat16')
    """
    if precision != "auto":
        return precision
    return "bfloat16" if computes_in_bfloat16(device) else "float32"


def drawback(precision: str, device: str) -> str:
    """Return what is wrong with a precision on a device, in a sentence; empty if nothing is."""
    if precision != "bfloat16" or computes_in_bfloat16(device):
        return ""
    return f"this {device} emulates bfloat16, which can be forty times slower: take `-s train.precision=auto`"


def _to_float(output: Any) -> Any:
    if isinstance(output, Tensor):
        return output.float() if output.dtype == torch.bfloat16 else output
    if isinstance(output, tuple | list):
        return type(output)(_to_float(part) for part in output)
    return output


def _autocast(forward: Callable[..., Any], device: str) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast(device, dtype=torch.bfloat16):
            return _to_float(forward(*args, **kwargs))

    return wrapped


@contextmanager
def prepared_networks(
    networks: dict[str, nn.Module], bfloat16: bool, channels_last: bool
) -> Iterator[None]:
    """Run a block with networks in bfloat16 autocast and/or channels-last layout; weights stay
    float32.

    Which of the two pays is a measurement, so presets decide; see LOG.md for the numbers.
    """
    if channels_last:
        for net in networks.values():
            net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if bfloat16:
        for net in networks.values():
            device = next((p.device.type for p in net.parameters()), "cpu")
            net.forward = _autocast(net.forward, device)
    try:
        yield
    finally:
        for net in networks.values():
            net.__dict__.pop("forward", None)
            if channels_last:
                net.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
