"""The complete state of a run in one file, replaced atomically.

Two ideas: tensors and counters live in the same safetensors file (counters as JSON in its header),
so that no crash can pair an old half with a new one; nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.files import write_bytes

LAST = "last.safetensors"  # in the folder `state` of a run
Sections = dict[str, dict[str, Tensor]]


def save_state(path: Path, sections: Sections, counters: dict[str, Any]) -> None:
    """Write named sections of tensors and JSON counters atomically."""
    flat = {
        f"{section}|{name}": t.detach().cpu().contiguous()
        for section, ts in sections.items()
        for name, t in ts.items()
    }
    # safetensors refuses two names for one memory; clones cost little at this size and keep tied
    # weights legal
    flat = {name: t.clone() for name, t in flat.items()}
    write_bytes(path, save(flat, metadata={"counters": json.dumps(counters)}))


def load_state(path: Path) -> tuple[Sections, dict[str, Any]]:
    """Read what `save_state` wrote.

    Raises:
        BadInput: missing, truncated or foreign file.
    """
    sections: Sections = {}
    with _opened(path) as (file, counters):
        for key in file.keys():  # noqa: SIM118  (safe_open is no mapping)
            section, _, name = key.partition("|")
            sections.setdefault(section, {})[name] = file.get_tensor(key)
    return sections, counters


def load_counters(path: Path) -> dict[str, Any]:
    """Read the counters of what `save_state` wrote, and none of its tensors.

    Raises:
        BadInput: missing, truncated or foreign file.
    """
    with _opened(path) as (_, counters):
        return counters


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    if not path.is_file():
        raise BadInput(
            f"no checkpoint at {path}",
            "a run that was started before",
            "leave --resume out to start afresh",
        )
    try:
        with safe_open(str(path), framework="pt") as file:
            yield file, json.loads((file.metadata() or {})["counters"])
    except (SafetensorError, KeyError, ValueError, TypeError, OSError, RecursionError) as error:
        raise BadInput(
            f"the checkpoint {path} cannot be read ({error})",
            "a complete checkpoint",
            "it was truncated or edited; start the run again in a new folder",
        ) from None


def save_weights(path: Path, weights: dict[str, Tensor]) -> None:
    """Write what `sample` uses: the state of a model, names in sorted order so that equal weights
    are equal bytes."""
    write_bytes(
        path,
        save({name: weights[name].detach().cpu().contiguous().clone() for name in sorted(weights)}),
    )


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read `save_weights`' file.

    Raises:
        BadInput: missing or truncated file.
    """
    if not path.is_file():
        raise BadInput(
            f"no weights at {path}", "a finished or checkpointed run", "resume it with --resume"
        )
    try:
        with safe_open(str(path), framework="pt") as file:
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise BadInput(
            f"the weights {path} cannot be read ({error})",
            "a complete safetensors file",
            "the file was truncated or damaged; resume or retrain the run",
        ) from None
    for key, tensor in weights.items():
        if tensor.is_floating_point() and bool(torch.isnan(tensor).any()):
            came = f"the model has diverged: the weights {path} are not numbers in '{key}'"
            raise BadInput(
                came, "finite weights", "train it again: lower train.learning_rate or train.clip"
            )
    return weights
