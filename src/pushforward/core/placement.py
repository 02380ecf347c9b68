"""Where computing happens: the only module that knows devices by name.

Two ideas: a device is asked for in a word and chosen once, for as long as one request is answered;
whoever builds or opens a model in that time puts it there, and whoever reads its numbers finds them
on the processor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch

from pushforward.core.errors import BadInput, nearest
from pushforward.core.given import Examples

AUTO, PROCESSOR = "auto", "cpu"
AUTOMATIC = ("cuda",)  # what `auto` may take
ACCELERATORS = ("cuda", "mps", "xpu")
SINGLE = ("mps",)  # have no double precision, in which models keep statistics and densities
SHARE = 0.2  # of the free memory that data may take
ONNX_PROVIDERS = {"cuda": ("CUDAExecutionProvider", "ROCMExecutionProvider")}


@dataclass
class _Choice:
    """A device, and who is told of it when the first model is put there."""

    device: torch.device
    tell: Callable[[torch.device], None] | None = None


_CHOSEN: ContextVar[_Choice | None] = ContextVar("device", default=None)


@dataclass(frozen=True)
class Placement:
    """A device, as a record tells it.

    Attributes:
        device: such as `cuda:0`.
        name: of the hardware.
        memory: bytes of its own, 0 where it has none.
    """

    device: str
    name: str
    memory: int = 0

    @staticmethod
    def of(device: torch.device) -> Placement:
        """Return what is known of a device.

        Example:
            >>> Placement.of(torch.device("cpu")).device
            'cpu'
        """
        if device.type == "cuda":
            found = torch.cuda.get_device_properties(device)
            return Placement(str(device), found.name, found.total_memory)
        return Placement(str(device), device.type)

    def words(self) -> str:
        """Return it in words.

        Example:
            >>> Placement("cuda:0", "NVIDIA T4", 15 * 2**30).words()
            'cuda:0 (NVIDIA T4, 15 GiB)'
        """
        told = f"{self.name}, {self.memory / 2**30:.0f} GiB" if self.memory else self.name
        return self.device if told == self.device else f"{self.device} ({told})"


def chosen(asked: Any = AUTO) -> torch.device:
    """Return the device that a word stands for, or a device of torch.

    Raises:
        BadInput: no device of that name, none of it here, or an index beyond those that are.

    Example:
        >>> chosen("cpu")
        device(type='cpu')
    """
    here = available()
    if not isinstance(asked, str | torch.device):
        raise BadInput(f"--device {asked!r}", "a word", "such as auto, cpu, cuda or cuda:1")
    asked = str(asked)
    if asked == AUTO:
        kind = next((kind for kind in AUTOMATIC if kind in here), PROCESSOR)
        return _indexed(kind, 0)
    kind, colon, number = asked.partition(":")
    counts = {PROCESSOR: 1, **here}
    if kind not in {*ACCELERATORS, *counts} or (
        colon and not (number.isascii() and number.isdigit() and len(number) < 10)
    ):
        raise _unknown(asked, kind, {*ACCELERATORS, *counts})
    if kind not in counts:
        raise BadInput(
            f"--device {asked}",
            f"a device of this machine, which has {_listed(here)}",
            "leave --device out to take the best of them",
        )
    if kind in SINGLE:
        raise BadInput(
            f"--device {asked}",
            "a device with double precision, in which densities are computed",
            f"this machine has {_listed({k: n for k, n in here.items() if k not in SINGLE})}",
        )
    if int(number or 0) >= counts[kind]:
        many = f"{kind}:0 to {kind}:{counts[kind] - 1}"
        raise BadInput(
            f"--device {asked}",
            many if counts[kind] > 1 else f"{kind}:0, the only one",
            "they are counted from 0",
        )
    return _indexed(kind, int(number or 0))


def _unknown(asked: str, kind: str, kinds: set[str]) -> BadInput:
    """Return what to say of a word that stands for no device."""
    known = [AUTO, PROCESSOR, *(kind for kind in ACCELERATORS if kind not in SINGLE)]
    meant = asked.strip().lower()
    if any(brand in meant for brand in ("gpu", "nvidia", "rocm", "amd")):
        hint = "a GPU is called cuda"
    elif meant != asked and (meant in known or meant.partition(":")[0] in kinds):
        hint = f"did you mean '{meant}'?"
    elif kind in kinds:
        hint = "they are counted from 0, such as cuda:0"
    else:
        hint = nearest(kind, known)
    shown = asked if asked and asked == asked.strip() else repr(asked)
    return BadInput(
        f"--device {shown}", f"{', '.join(known)}, or one of several, such as cuda:1", hint
    )


def available() -> dict[str, int]:
    """Return the accelerators of this machine and how many there are of each.

    Example:
        >>> all(count > 0 for count in available().values())
        True
    """
    found = {}
    if torch.cuda.is_available():
        found["cuda"] = torch.cuda.device_count()
    if torch.backends.mps.is_available():
        found["mps"] = 1
    if torch.xpu.is_available():
        found["xpu"] = torch.xpu.device_count()
    # what a program has registered with torch under a name of its own
    own = torch._C._get_privateuse1_backend_name()
    if hasattr(torch, own):
        found[own] = getattr(torch, own).device_count()
    return found


def _indexed(kind: str, number: int) -> torch.device:
    return torch.device(kind) if kind in (PROCESSOR, "mps") else torch.device(kind, number)


def _listed(here: dict[str, int]) -> str:
    each = [f"{kind}:{number}" for kind, count in here.items() for number in range(count)]
    return ", ".join([PROCESSOR, *each])


@contextmanager
def computing_on(
    asked: Any = AUTO, tell: Callable[[torch.device], None] | None = None
) -> Iterator[torch.device]:
    """Choose where models are put for as long as the block runs.

    Args:
        tell: called once, with the device, when the first model is put there.

    Raises:
        BadInput: as `chosen`.

    Example:
        >>> with computing_on("cpu") as device:
        ...     here() == device
        True
    """
    device = chosen(asked)
    token = _CHOSEN.set(_Choice(device, tell))
    try:
        with products_in("ieee"):  # what samples and densities are computed of
            yield device
    finally:
        _CHOSEN.reset(token)


def here() -> torch.device:
    """Return where models are put now: what was chosen, by itself the best that there is."""
    choice = _CHOSEN.get()
    if choice is None:
        return chosen()
    tell, choice.tell = choice.tell, None
    if tell is not None:
        tell(choice.device)
    return choice.device


def room(device: torch.device) -> int:
    """Return the bytes that are free on a device; a gigabyte where nobody can tell.

    Example:
        >>> room(torch.device("cpu")) > 0
        True
    """
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 2**30


class DeviceMemory:
    """The memory of an accelerator, as its allocator tells it: a `WatchedMemory` of portions."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._module = device, torch.get_device_module(device)
        self._before = 0

    def watch(self) -> None:
        """Begin to look at what is taken."""
        self._module.reset_peak_memory_stats(self._device)
        self._before = self._module.memory_allocated(self._device)

    def peak(self) -> int:
        """Return the most bytes that were taken at once since `watch`, beyond those before."""
        return self._module.max_memory_allocated(self._device) - self._before

    def free(self) -> int:
        """Return the bytes that can be taken now, those that the allocator keeps for later too."""
        kept = self._module.memory_reserved(self._device)
        kept -= self._module.memory_allocated(self._device)
        return self._module.mem_get_info(self._device)[0] + kept


TELLING = (
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "max_memory_allocated",
    "reset_peak_memory_stats",
)


def memory_of(device: torch.device) -> DeviceMemory | None:
    """Return the memory of a device that tells what is taken of it; None for the processor, which
    all share, and for others.

    Example:
        >>> memory_of(torch.device("cpu")) is None
        True
    """
    if device.type == PROCESSOR:
        return None
    module = torch.get_device_module(device)
    return DeviceMemory(device) if all(hasattr(module, name) for name in TELLING) else None


@contextmanager
def products_in(precision: str) -> Iterator[None]:
    """Multiply matrices and convolve on CUDA devices in `tf32` (10 bits of mantissa) or in `ieee`
    (23) as long as the block runs; by itself torch convolves in TF32.

    Example:
        >>> with products_in("ieee"):
        ...     torch.backends.cudnn.conv.fp32_precision
        'ieee'
    """
    cudnn: Any = torch.backends.cudnn
    kinds: tuple[Any, ...] = (torch.backends.cuda.matmul, cudnn.conv, cudnn.rnn)

    def put(precisions: Sequence[str]) -> None:
        # torch keeps an older flag of each beside, and refuses to be asked for one that says otherwise
        torch.backends.cuda.matmul.allow_tf32 = precisions[0] == "tf32"
        cudnn.allow_tf32 = precisions[1] == "tf32"
        for kind, known in zip(kinds, precisions, strict=True):
            kind.fp32_precision = known

    before = [kind.fp32_precision for kind in kinds]
    put([precision] * len(kinds))
    try:
        yield
    finally:
        put(before)


def providers(device: torch.device, installed: list[str]) -> list[str | tuple[str, dict[str, int]]]:
    """Return where ONNX Runtime is to compute: on a GPU if what is installed can, else on the
    processor.

    Args:
        installed: names of what can compute.

    Example:
        >>> providers(torch.device("cuda", 1), ["CUDAExecutionProvider", "CPUExecutionProvider"])
        [('CUDAExecutionProvider', {'device_id': 1}), 'CPUExecutionProvider']
    """
    ours = [name for name in ONNX_PROVIDERS.get(device.type, ()) if name in installed]
    return [*((name, {"device_id": device.index or 0}) for name in ours), "CPUExecutionProvider"]


def whole_where_it_fits(examples: Examples, device: torch.device) -> Examples:
    """Return examples on a device if they take little of what is free there, else where they are:
    small data then wait for no bus, and large ones go over in batches.

    Example:
        >>> data = Examples(torch.zeros(4, 2))
        >>> whole_where_it_fits(data, torch.device("cpu")) is data
        True
    """
    small = examples.nbytes <= room(device) * SHARE
    return examples.to(device) if device.type != PROCESSOR and small else examples
