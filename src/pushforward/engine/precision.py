"""In which arithmetic networks are trained; never that of likelihoods.

Two ideas: a precision is one object, which says where it is any good; weights stay in single
precision, and what comes out of a network is in it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core.errors import BadInput
from pushforward.core.placement import products_in

AUTO = "auto"


def _anywhere(device: str) -> bool:
    return True


def computes_in_bfloat16(device: str) -> bool:
    """Return whether a device has bfloat16 arithmetic; a processor that has not emulates it, about
    forty times slower."""
    if device == "cpu":
        return any(there for name, there in torch.cpu.get_capabilities().items() if "bf16" in name)
    return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def _has_float16(device: str) -> bool:
    return device != "cpu"


@dataclass(frozen=True)
class Precision:
    """An arithmetic of networks.

    Attributes:
        dtype: of their products, None for the one that weights have.
        wanted: whether `auto` takes it on a device of that kind.
        scaled: whether losses are scaled so that small gradients do not vanish.
    """

    name: str
    dtype: torch.dtype | None
    wanted: Callable[[str], bool]
    scaled: bool = False


# the first that a device wants is what `auto` stands for
PRECISIONS = {
    one.name: one
    for one in (
        Precision("bfloat16", torch.bfloat16, computes_in_bfloat16),
        Precision("float16", torch.float16, lambda device: device == "cuda", scaled=True),
        Precision("float32", None, _anywhere),
    )
}


def resolved(precision: str, device: str, twice: bool = False) -> Precision:
    """Return what a configured precision stands for on a device.

    Args:
        twice: whether a loss differentiates gradients, which are not scaled: `auto` then takes no
            precision in which they may vanish.

    Raises:
        BadInput: float16 on a processor, where nothing is gained by it.

    Example:
        >>> resolved("float32", "cpu").name, resolved("bfloat16", "cpu").name
        ('float32', 'bfloat16')
    """
    if precision == AUTO:
        safe = (one for one in PRECISIONS.values() if not (twice and one.scaled))
        return next(one for one in safe if one.wanted(device))
    if precision == "float16" and not _has_float16(device):
        raise BadInput(
            "train.precision=float16 on a processor",
            "auto, float32 or bfloat16, which processors compute in",
            "float16 is for GPUs; auto takes what the device is best at",
        )
    return PRECISIONS[precision]


def drawback(precision: str, device: str) -> str:
    """Return what is to be said of a precision on a device, in a sentence; empty if nothing is."""
    if precision == "bfloat16" and not computes_in_bfloat16(device):
        return f"this {device} emulates bfloat16, which can be forty times slower: take `-s train.precision=auto`"
    chosen = resolved(precision, device)
    if device == "cuda" and chosen.dtype is not None:
        return f"networks train in {chosen.name}, other products in TF32; sampling and scoring in full float32"
    return ""


def _to_float(output: Any, dtype: torch.dtype) -> Any:
    if isinstance(output, Tensor):
        return output.float() if output.dtype == dtype else output
    if isinstance(output, tuple | list):
        return type(output)(_to_float(part, dtype) for part in output)
    return output


class PreparedNetworks:
    """Whether networks compute as they were prepared to.

    Example:
        >>> prepared = PreparedNetworks()
        >>> with prepared.paused():
        ...     prepared.active
        False
    """

    def __init__(self) -> None:
        self.active = True

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Compute in single precision as long as the block runs: what is measured is no training."""
        self.active = False
        try:
            with products_in("ieee"):
                yield
        finally:
            self.active = True

    def autocast(
        self, forward: Callable[..., Any], device: str, dtype: torch.dtype
    ) -> Callable[..., Any]:
        """Return what computes products in a precision while nothing is paused."""

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if not self.active:
                return forward(*args, **kwargs)
            with torch.autocast(device, dtype=dtype):
                return _to_float(forward(*args, **kwargs), dtype)

        return wrapped


@contextmanager
def prepared_networks(
    networks: dict[str, nn.Module], precision: Precision, channels_last: bool
) -> Iterator[PreparedNetworks]:
    """Run a block with networks in autocast to a precision and/or channels-last layout; weights
    stay float32, and what is left in it may multiply in TF32.

    Which of the two pays is a measurement, so presets decide; see LOG.md for the numbers.
    """
    prepared = PreparedNetworks()
    if channels_last:
        for net in networks.values():
            net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if precision.dtype is not None:
        for net in networks.values():
            device = next((p.device.type for p in net.parameters()), "cpu")
            net.forward = prepared.autocast(net.forward, device, precision.dtype)
    try:
        with products_in("ieee" if precision.dtype is None else "tf32"):
            yield prepared
    finally:
        for net in networks.values():
            net.__dict__.pop("forward", None)
            if channels_last:
                net.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
