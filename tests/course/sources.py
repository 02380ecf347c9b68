"""The builder of the notebooks, which lies with the course and not in the package."""

from __future__ import annotations

import importlib.util
import math
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

COURSE = Path(__file__).parents[2] / "course"


def builder() -> ModuleType:
    """Return `course/build.py` as a module."""
    spec = importlib.util.spec_from_file_location("course_build", COURSE / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def solutions() -> dict[str, str]:
    """Return the published solutions by the exercise's name."""
    return builder().solutions()


def defined(source: str) -> Callable[..., Any]:
    """Return the last function that a piece of text defines."""
    names: dict[str, Any] = {"math": math, "torch": torch}
    exec(compile(source, "<answer>", "exec"), names)
    return names[re.findall(r"^def (\w+)\(", source, re.MULTILINE)[-1]]
