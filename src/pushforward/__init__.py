"""Pushforward: families are trained by the engine on data, evaluated and reported.

    import pushforward as pf
    data = pf.load("digits")
    model = pf.fit("flow", data, budget="60s", seed=0)

Every verb of the command line is a function of this module: `pf.score(run, data)`, `pf.probe(run)`,
`pf.report([run])`. Importing costs nothing: the public names load what they need when they are
first used.
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
    if name.startswith("_"):  # what Python and its tools ask every module for is no verb
        raise AttributeError(f"module 'pushforward' has no attribute '{name}'")
    from importlib import import_module

    try:
        return getattr(import_module(_HOMES.get(name, "pushforward.faces.python.verbs")), name)
    except AttributeError:
        raise AttributeError(f"module 'pushforward' has no attribute '{name}'") from None


def __dir__() -> list[str]:
    from pushforward.faces.verbs import every_verb

    return sorted({*__all__, "__version__", *(request.function() for request in every_verb())})
