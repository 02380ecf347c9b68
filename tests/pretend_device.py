"""A pretend accelerator: a device with memory of its own, whose tensors compute by the processor's kernels and refuse to meet the
processor's, as those of a real one would.

It finds a forgotten `.to(device)`, a `.numpy()` without `.cpu()` and a generator of the wrong device. A tensor of it wraps one of
the processor; torch hands every operation over (`__torch_dispatch__`), which opens the wrappers, computes, and wraps again.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch.utils._pytree import tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME = "pretend"
DEVICE_COUNT = 2
# what carries numbers from one device to another
CARRIERS = {
    "aten::copy_",
    "aten::_to_copy",
    "aten::_copy_from",
    "aten::_copy_from_and_resize",
    "aten::_local_scalar_dense",
}
# what takes places in a tensor, its second argument, from the processor as well, as a real accelerator does
PLACES = {"aten::index", "aten::index_put_", "aten::index_put", "aten::_index_put_impl_"}
# what autocast computes in a lower precision, of what the networks here are made of
LOWERED = ("linear", "conv1d", "conv2d", "convolution", "matmul", "bmm", "addmm", "mm")
aten = torch.ops.aten
_LISTENING: list[Counter[str]] = []


@contextmanager
def computed() -> Iterator[Counter[str]]:
    """What was computed on the device while the block ran: operators by name, such as `aten::convolution`."""
    found: Counter[str] = Counter()
    _LISTENING.append(found)
    try:
        yield found
    finally:
        _LISTENING.remove(found)


# what torch asks of a tensor's shape is answered by that of the numbers inside
SHAPES = {
    aten.sym_size.default: lambda held: held.size(),
    aten.size.default: lambda held: held.size(),
    aten.sym_stride.default: lambda held: held.stride(),
    aten.stride.default: lambda held: held.stride(),
    aten.sym_numel.default: lambda held: held.numel(),
    aten.numel.default: lambda held: held.numel(),
    aten.dim.default: lambda held: held.dim(),
    aten.sym_storage_offset.default: lambda held: held.storage_offset(),
    aten.storage_offset.default: lambda held: held.storage_offset(),
    aten.is_contiguous.default: lambda held: held.is_contiguous(),
}


class OnPretend(torch.Tensor):
    """A tensor that says it is on the pretend device; `held` has its numbers."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor, index: int = 0) -> OnPretend:
        return torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            layout=held.layout,
            device=torch.device(NAME, index),
            requires_grad=False,
            dispatch_sizes_strides_policy="sizes",  # some operations change a shape in place
        )

    def __init__(self, held: torch.Tensor, index: int = 0) -> None:
        self.held = held

    def __repr__(self, **_: Any) -> str:
        return f"OnPretend({self.held!r})"

    def tolist(self) -> Any:
        """Bring the numbers over, as a real device does by itself."""
        return self.cpu().tolist()

    def numpy(self, *, force: bool = False) -> Any:
        """Refuse, as a real device does, unless it is told to bring them over."""
        if force:
            return self.detach().cpu().numpy()
        raise TypeError(
            f"can't convert {NAME}:0 device type tensor to numpy: use Tensor.cpu() first"
        )

    def record_stream(self, stream: Any) -> None:
        """Note which stream computes with it."""
        stream.used.append(self)

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.numpy()

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return _computed(func, args, kwargs or {})


def _computed(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Compute on the numbers inside; a tensor of the processor is refused, unless it is one number."""
    if func in SHAPES:
        return SHAPES[func](args[0].held)
    name = func._schema.name
    for listener in _LISTENING:
        listener[name] += 1
    target = kwargs.get("device")
    leaves = target is not None and torch.device(target).type == "cpu"
    if target is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    strangers: list[tuple[int, ...]] = []

    def opened(value: Any) -> Any:
        if isinstance(value, OnPretend):
            return value.held
        if isinstance(value, torch.Tensor) and value.dim() > 0:
            strangers.append(tuple(value.shape))
        if isinstance(value, torch.Generator):
            raise RuntimeError(
                f"{name}: expected a '{NAME}' device type for generator, found 'cpu'"
            )
        if isinstance(value, torch.device) and value.type == NAME:
            return torch.device("cpu")
        return value

    raw_args, raw_kwargs = tree_map(opened, args), tree_map(opened, kwargs)
    if name in PLACES:
        strangers.clear()
        tree_map(opened, (args[0], args[2:]))
    if strangers and name not in CARRIERS:
        raise RuntimeError(
            f"{name}: expected all tensors to be on {NAME}:0, found one of shape {strangers[0]} on cpu"
        )
    beside = getattr(_RUNNING, "stream", None)
    if beside is not None and name == "aten::copy_" and True in raw_args[2:]:  # without blocking
        raw_args[0].fill_(77)  # what nobody should see
        beside.copies.append(lambda: func(*raw_args, **raw_kwargs))
        return args[0]
    out = func(*raw_args, **raw_kwargs)
    if name == "aten::_local_scalar_dense" or leaves:
        return out
    if _writes_to_its_first(func):
        return args[0]
    if kwargs.get("out") is not None:
        return kwargs["out"]

    def closed(value: Any) -> Any:
        plain = isinstance(value, torch.Tensor) and not isinstance(value, OnPretend)
        return OnPretend(value) if plain else value

    return tree_map(closed, out)


@cache
def _writes_to_its_first(func: Any) -> bool:
    """Return whether an operation works in place, and returns what it was given."""
    first = next(iter(func._schema.arguments), None)
    changed = first is not None and first.alias_info is not None and first.alias_info.is_write
    return changed and len(func._schema.returns) == 1


def _lowered(op: Any) -> Any:
    """Return an operation on single precision that computes in what autocast asks for."""
    autocast = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastPrivateUse1)

    def run(*args: Any, **kwargs: Any) -> Any:
        wanted = torch.get_autocast_dtype(NAME)

        def lowered(value: Any) -> Any:
            single = isinstance(value, torch.Tensor) and value.dtype == torch.float32
            return value.to(wanted) if single else value

        with torch._C._ExcludeDispatchKeyGuard(autocast):
            return op(*tree_map(lowered, args), **tree_map(lowered, kwargs))

    return run


def _empty(size: Any, *, dtype: Any = None, **_: Any) -> OnPretend:
    return OnPretend(torch.empty(size, dtype=dtype))


def _empty_strided(size: Any, stride: Any, *, dtype: Any = None, **_: Any) -> OnPretend:
    return OnPretend(torch.empty_strided(size, stride, dtype=dtype))


def _copy_from(source: torch.Tensor, target: torch.Tensor, non_blocking: bool = False) -> Any:
    held = source.held if isinstance(source, OnPretend) else source
    (target.held if isinstance(target, OnPretend) else target).copy_(held)
    return target


class Stream:
    """A stream of copies that arrive no sooner than somebody waits for them."""

    def __init__(self, device: Any = None) -> None:
        self.device, self.copies, self.used = device, [], []

    def record_event(self) -> list[Any]:
        """What has to be done until this event."""
        copies, self.copies = self.copies, []
        return copies

    def wait_event(self, event: list[Any]) -> None:
        """Do it."""
        for copy in event:
            copy()


_RUNNING = threading.local()


@contextmanager
def _within(stream: Stream) -> Iterator[None]:
    _RUNNING.stream = stream
    try:
        yield
    finally:
        del _RUNNING.stream


@contextmanager
def streams() -> Iterator[Stream]:
    """Let the device copy beside what it computes as long as the block runs; gives the stream in which it computes."""
    module, computing = getattr(torch, NAME), Stream()
    module.Stream, module.stream = Stream, _within
    module.current_stream = lambda device=None: computing
    try:
        yield computing
    finally:
        del module.Stream, module.stream, module.current_stream


@cache
def install() -> tuple[torch.library.Library, ...]:
    """Register the device with torch, once in a process; what is returned keeps it registered."""
    _setup_privateuseone_for_python_backend(NAME)
    module = getattr(torch, NAME)  # whoever keeps the state of every generator asks this one too
    module.get_rng_state = lambda device=None: torch.empty(0, dtype=torch.uint8)
    module.set_rng_state = lambda state, device=None: None
    module.get_amp_supported_dtype = lambda: [torch.float16, torch.bfloat16]
    every = torch.library.Library("_", "IMPL")
    every.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    library = torch.library.Library("aten", "IMPL")
    for name in LOWERED:
        library.impl(name, _lowered(getattr(aten, name).default), "AutocastPrivateUse1")
    library.impl("_copy_from", _copy_from, "PrivateUse1")
    library.impl("empty.memory_format", _empty, "PrivateUse1")
    library.impl("empty_strided", _empty_strided, "PrivateUse1")
    return every, library
