"""Files of weights: named tensors, read by formats that hold numbers only.

One idea: a file that could run code when it is opened is refused, so weights from anywhere can be
read.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from pushforward.core.errors import BadInput, a_type
from pushforward.core.placement import here

NESTED = ("state_dict", "model", "teacher")


def read_weights(content: bytes, path: Path, trust: bool = False) -> dict[str, Tensor]:
    """Return the named tensors in a file's bytes, on the device where networks are put now.

    Args:
        trust: open TorchScript too, which runs the code in it.

    Raises:
        BadInput: TorchScript that is not trusted, a file that is neither safetensors nor a torch
            file of tensors only, or one that holds no named tensors.

    Example:
        >>> from safetensors.torch import save
        >>> read_weights(save({"bias": torch.ones(1)}), Path("w.safetensors"))
        {'bias': tensor([1.])}
    """
    device = here()
    return {name: tensor.to(device) for name, tensor in _read(content, path, trust).items()}


def _read(content: bytes, path: Path, trust: bool) -> dict[str, Tensor]:
    if content[8:9] == b"{":
        try:
            return load_safetensors(content)
        except SafetensorError as error:
            raise BadInput(
                f"{path}, which is not safetensors ({error})", "a file of weights"
            ) from None
    if is_script(content):
        if not trust:
            raise BadInput(
                f"{path}, which is TorchScript: code that runs when it is opened",
                "weights as .safetensors, or a torch file that opens with weights_only=True",
                "save its state_dict() instead; or, if you know who made it, say --trust",
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return dict(torch.jit.load(io.BytesIO(content), map_location="cpu").state_dict())
    try:
        found = plain(content)
    except ValueError as error:
        raise BadInput(
            f"{path}, which is not a file of tensors only ({error})",
            "weights as .safetensors, or a torch file that opens with weights_only=True",
            "other pickles run code when they are opened: save the network's state_dict() instead",
        ) from None
    return _tensors(found, path)


def plain(content: bytes) -> Any:
    """Return what a torch file of tensors and plain containers holds; nothing else in it is
    unpickled.

    Raises:
        ValueError: a file that is none.

    Example:
        >>> stream = io.BytesIO()
        >>> torch.save({"bias": torch.ones(1)}, stream)
        >>> plain(stream.getvalue())
        {'bias': tensor([1.])}
    """
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (
        UnpicklingError,
        RuntimeError,
        EOFError,
        ValueError,
        KeyError,
        AttributeError,
        IndexError,
    ) as error:
        raise ValueError((str(error).strip().splitlines() or [type(error).__name__])[0]) from None


def _tensors(found: Any, path: Path) -> dict[str, Tensor]:
    while (
        isinstance(found, Mapping)
        and (inner := next((key for key in NESTED if key in found), None)) is not None
    ):
        found = found[inner]
    if not isinstance(found, Mapping):
        raise BadInput(
            f"{path}, which holds {a_type(found)}", "named tensors, such as a state_dict()"
        )
    named = {
        str(key).removeprefix("module."): value
        for key, value in found.items()
        if isinstance(value, Tensor)
    }
    if not named:
        raise BadInput(f"{path}, which holds no tensors", "named tensors, such as a state_dict()")
    return named


def is_script(content: bytes) -> bool:
    """Return whether a file's bytes are a TorchScript archive: a zip with `code/` and
    `constants.pkl`.

    Example:
        >>> is_script(b"no zip")
        False
    """
    return any(name.endswith("/constants.pkl") for name in zip_names(content))


def zip_names(content: bytes) -> list[str]:
    """Return the names in a zip archive, none for other files.

    Example:
        >>> zip_names(b"no zip")
        []
    """
    if not content.startswith(b"PK"):
        return []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:
        return []
