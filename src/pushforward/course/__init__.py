"""The companion course: exercises, a checker that knows why an answer is wrong, and answers that
train the real models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pushforward.course.catalogue import hint
    from pushforward.course.checking import check
    from pushforward.course.swapping import train_with

__all__ = ["check", "hint", "train_with"]
_HOMES = {"check": "checking", "hint": "catalogue", "train_with": "swapping"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'pushforward.course' has no attribute '{name}'")
    return getattr(importlib.import_module(f"pushforward.course.{_HOMES[name]}"), name)
