"""Networks compiled block by block, where that pays and works.

Three ideas: blocks repeat, so compiling one serves its like and costs little; what is compiled is
tried once, before training or sampling begins, so that whatever compiling cannot do is known, and
said, while nothing has changed; and held-out measurements in a training are not compiled, as they
come too seldom to earn it back.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import torch
from torch import nn

from pushforward.core.errors import PushforwardError
from pushforward.core.noise import Counted
from pushforward.core.portions import failure_of
from pushforward.core.spec import TrainConfig
from pushforward.engine.regions import repeated

# `auto` compiles on these devices only: on processors compiled blocks were slower (LOG.md)
PAYING = ("cuda",)
LONG = {"seconds": 1200.0, "steps": 5000.0}  # of a budget, below which compiling is not earned back
KINDS = 64  # of shapes for which one piece of code is compiled: blocks of many widths share it


@dataclass
class Compilation:
    """What came of compiling.

    Attributes:
        blocks: that are compiled.
        words: what is to be said of it, empty if nothing was tried.
    """

    blocks: tuple[nn.Module, ...] = ()
    words: str = ""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Run blocks as they were written as long as the block lasts."""
        codes = [block._compiled_call_impl for block in self.blocks]
        _undone(self.blocks)
        try:
            yield
        finally:
            for block, code in zip(self.blocks, codes, strict=True):
                block._compiled_call_impl = code


def wanted(config: TrainConfig, device: str) -> bool:
    """Return whether to compile: what was asked for; `auto` where a device is known to gain by it
    and the training is long.

    Example:
        >>> wanted(TrainConfig(steps=10**6), "cpu"), wanted(TrainConfig(steps=10**6), "cuda")
        (False, True)
    """
    if config.compile != "auto":
        return config.compile
    steps = config.steps or (config.examples or 0) / config.batch_size
    long = (config.seconds or 0.0) >= LONG["seconds"] or steps >= LONG["steps"]
    return device in PAYING and long and not config.activation_checkpointing


@contextmanager
def compiled(
    networks: Iterable[nn.Module],
    trial: Callable[[], object],
    active: bool,
    backend: str = "inductor",
) -> Iterator[Compilation]:
    """Run a block with compiled networks; as they are where that cannot be done.

    Args:
        trial: runs what will be run again and again, and leaves everything as it was.
        active: False leaves networks as they are.
        backend: of `torch.compile`.
    """
    outcome = Compilation()
    blocks = tuple(repeated(networks))
    # what another thread has compiled is its own to undo
    if not active or any(block._compiled_call_impl is not None for block in blocks):
        yield outcome
        return
    graphs: list[int] = []
    with _opaque_noise():
        try:
            _try(blocks, trial, outcome, _counting(backend, graphs), graphs)
            yield outcome
        finally:
            _undone(blocks)


_OPAQUE = Lock()
_OPAQUE_FOR: list[Any] = []  # the draws as they were written, once for each who compiles now


@contextmanager
def _opaque_noise() -> Iterator[None]:
    """Let compilers pass random numbers by, whose words are of a type that they have not, and say
    nothing of themselves; for as long as anybody compiles."""
    import torch._dynamo as dynamo  # takes a second, which nobody else should wait for

    with _OPAQUE:
        drawn = _OPAQUE_FOR[0] if _OPAQUE_FOR else Counted._drawn
        _OPAQUE_FOR.append(drawn)
        setattr(Counted, "_drawn", dynamo.disable(drawn))  # noqa: B010  (its type stays)
    limits: dict[str, Any] = {"recompile_limit": KINDS, "accumulated_recompile_limit": 4 * KINDS}
    try:
        with warnings.catch_warnings(), dynamo.config.patch(**limits):
            warnings.filterwarnings("ignore", module=r"torch\.")
            yield
    finally:
        with _OPAQUE:
            _OPAQUE_FOR.pop()
            if not _OPAQUE_FOR:
                setattr(Counted, "_drawn", drawn)  # noqa: B010


def _counting(backend: str, graphs: list[int]) -> Callable[..., Any]:
    """Return a backend that notes each graph which it is given; being new, it finds no code that
    somebody compiled before."""
    from torch._dynamo.backends.registry import lookup_backend

    real = lookup_backend(backend)

    def noting(graph: Any, inputs: Any) -> Any:
        code = real(graph, inputs)
        graphs.append(len(inputs))
        return code

    return noting


def _try(
    blocks: tuple[nn.Module, ...],
    trial: Callable[[], object],
    outcome: Compilation,
    backend: Callable[..., Any],
    graphs: list[int],
) -> None:
    """Compile, run the trial, and leave compiled what it called; nothing if it fails."""
    called: set[int] = set()

    def noting(block: nn.Module, code: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            called.add(id(block))
            return code(*args, **kwargs)

        return run

    codes: list[Any] = []
    for block in blocks:
        block.compile(backend=backend)
        codes.append(block._compiled_call_impl)
        block._compiled_call_impl = noting(block, codes[-1])
    started = time.perf_counter()
    try:
        trial()
    except Exception as error:
        if isinstance(error, PushforwardError) or failure_of(error, torch.device("cpu")):
            raise  # it would happen without compiling too
        _undone(blocks)
        outcome.words = f"not compiled: {_reason(error)}"
        return
    for block, code in zip(blocks, codes, strict=True):
        block._compiled_call_impl = code if id(block) in called and graphs else None
    if not called:
        outcome.words = (
            "not compiled: this runs steps of its own in the place of a network's blocks"
        )
    elif not graphs:
        outcome.words = "not compiled: what these blocks do cannot be traced"
    else:
        outcome.blocks = tuple(block for block in blocks if id(block) in called)
        many = "1 block" if len(called) == 1 else f"{len(called)} blocks"
        outcome.words = f"compiled {many} in {time.perf_counter() - started:.0f} s"


def _undone(blocks: Iterable[nn.Module]) -> None:
    for block in blocks:
        block._compiled_call_impl = None


def _reason(error: BaseException) -> str:
    """Return why in a few words: those of the first cause."""
    while (cause := error.__cause__ or getattr(error, "inner_exception", None)) is not None:
        error = cause
    name, said = type(error).__name__, str(error).strip()
    if name == "InvalidCxxCompiler":
        from torch._inductor import config

        names = config.cpp.cxx if isinstance(config.cpp.cxx, tuple) else (config.cpp.cxx,)
        return f"no C++ compiler was found ({', '.join(str(one) for one in names if one)})"
    if "riton" in name:
        return "Triton, which compiles for this device, is not installed"
    first = said.splitlines()[0] if said else name
    return first.split(". ")[0]
