"""The regions of networks that repeat: blocks, which are recomputed or compiled one by one.

Two ideas: blocks are what a network keeps in lists; a block that is computed again in the backward
pass must draw the numbers that it drew, so its noise is put back to where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from pushforward.core.hooks import Hooks
from pushforward.core.noise import Counted


def repeated(networks: Iterable[nn.Module]) -> list[nn.Module]:
    """Return the blocks of networks: what has parts of its own and lies in a list, the outermost of
    each; a network without any is one block.

    Example:
        >>> from pushforward.nets.transformer import Transformer
        >>> [type(block).__name__ for block in repeated([Transformer(8, 2, 2), nn.Linear(2, 2)])]
        ['Block', 'Block', 'Linear']
    """
    found: list[nn.Module] = []
    for net in networks:
        blocks = list(_blocks(net))
        found += blocks or [net]
    return list({id(block): block for block in found}.values())


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    listed = isinstance(module, nn.ModuleList)
    for child in module.children():
        leaf = isinstance(child, nn.ModuleList) or next(child.children(), None) is None
        if listed and not leaf:
            yield child
        else:
            yield from _blocks(child)


def once_differentiated(hooks: Hooks) -> list[nn.Module]:
    """Return the networks whose gradients no loss differentiates: what is computed again or
    compiled has no second derivatives, or keeps more for them than it saves."""
    twice = hooks.differentiated_twice
    return [net for name, net in hooks.networks().items() if name not in twice]


@contextmanager
def recomputed(networks: Iterable[nn.Module], active: bool) -> Iterator[None]:
    """Keep only what goes into each block, and compute the rest again where its gradient is wanted:
    less memory for a third more time (Chen et al. 2016, arXiv:1604.06174).

    Args:
        active: False leaves everything as it is.
    """
    blocks = repeated(networks) if active else []
    for block in blocks:
        block.forward = _recomputed(block.forward)
    try:
        yield
    finally:
        for block in blocks:
            block.__dict__.pop("forward", None)


def _recomputed(forward: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return forward(*args, **kwargs)
        drawn = [one for one in (*args, *kwargs.values()) if isinstance(one, Counted)]
        places = [one.place for one in drawn]

        def again(*args: Any, **kwargs: Any) -> Any:
            later = [one.place for one in drawn]
            for one, place in zip(drawn, places, strict=True):
                one.place = place
            try:
                return forward(*args, **kwargs)
            finally:
                for one, place in zip(drawn, later, strict=True):
                    one.place = max(place, one.place)

        # every random number comes from the noise, so torch's own generators have no state to keep
        return checkpoint(again, *args, use_reentrant=False, preserve_rng_state=False, **kwargs)

    return wrapped
