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
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from pushforward.core.noise import Counted
from pushforward.core.portions import out_of_memory
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
        blocks: how many are compiled, 0 for none.
        words: what is to be said of it, empty if nothing was tried.
    """

    blocks: int = 0
    words: str = ""

    def paused(self) -> AbstractContextManager[object]:
        """Return a context in which nothing is compiled, and what is does not run."""
        return torch.compiler.set_stance("force_eager") if self.blocks else nullcontext()


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
    if not active:
        yield outcome
        return
    import torch._dynamo as dynamo  # takes a second, which nobody else should wait for

    blocks, drawn = repeated(networks), Counted._drawn
    limits: dict[str, Any] = {"recompile_limit": KINDS, "accumulated_recompile_limit": 4 * KINDS}
    with warnings.catch_warnings(), dynamo.config.patch(**limits):
        warnings.filterwarnings("ignore", module=r"torch\.")  # of the compiler, about itself
        try:
            # a counter's words are of a type that compilers have not
            setattr(Counted, "_drawn", dynamo.disable(drawn))  # noqa: B010  (its type stays)
            for block in blocks:
                block.compile(backend=backend)
            _try(blocks, trial, outcome)
            yield outcome
        finally:
            _undone(blocks)
            Counted._drawn = drawn


def _try(blocks: list[nn.Module], trial: Callable[[], object], outcome: Compilation) -> None:
    """Run the trial, and leave compiled what it called; nothing if it fails."""
    called: set[int] = set()

    def noting(block: nn.Module) -> Callable[..., Any]:
        code = block._compiled_call_impl
        assert code is not None

        def run(*args: Any, **kwargs: Any) -> Any:
            called.add(id(block))
            return code(*args, **kwargs)

        run.code = code
        return run

    for block in blocks:
        block._compiled_call_impl = noting(block)
    started = time.perf_counter()
    try:
        trial()
    except Exception as error:
        if out_of_memory(error):
            raise
        _undone(blocks)
        outcome.words = f"not compiled: {_reason(error)}"
        return
    for block in blocks:
        noted: Any = block._compiled_call_impl
        block._compiled_call_impl = noted.code if id(block) in called else None
    outcome.blocks = len(called)
    blocks_said = "1 block" if len(called) == 1 else f"{len(called)} blocks"
    outcome.words = (
        f"compiled {blocks_said} in {time.perf_counter() - started:.0f} s"
        if called
        else "not compiled: this runs steps of its own in the place of a network's blocks"
    )


def _undone(blocks: list[nn.Module]) -> None:
    for block in blocks:
        block._compiled_call_impl = None


def _reason(error: BaseException) -> str:
    """Return why in a few words: those of the first cause."""
    while (cause := error.__cause__ or getattr(error, "inner_exception", None)) is not None:
        error = cause
    name, said = type(error).__name__, str(error).strip()
    if name == "InvalidCxxCompiler":
        return "this machine has no C++ compiler"
    if "riton" in name:
        return "Triton, which compiles for this device, is not installed"
    first = said.splitlines()[0] if said else name
    return first.split(". ")[0]
