"""Pushforward: families are trained by the engine on data, evaluated and reported.

    import pushforward as pf
    data = pf.load("digits")
    model = pf.fit("flow", data, budget="60s", seed=0)

Importing costs nothing: the public names below load what they need when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pushforward.core.limits import unlimited
    from pushforward.faces.python.verbs import compare, distil, evaluate, fit, load, open

__version__ = "0.1.0"
__all__ = ["compare", "distil", "evaluate", "fit", "load", "open", "unlimited"]
_HOMES = {"unlimited": "pushforward.core.limits"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'pushforward' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "pushforward.faces.python.verbs")), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
