"""Networks saved with their computation: TorchScript, `torch.export` and ONNX.

Two ideas: a file's kind is told from its bytes, never from its name; nothing is unpickled, so an exported program that carries
pickles is refused. A program is still code: open only files that you trust.
"""

from __future__ import annotations

import importlib
import io
import json
import re
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.evaluation.features.weights_file import is_script, plain, zip_names

# what torch.export.save writes of a program of plain tensors; whatever else an archive holds is not opened
_EXPORTED = re.compile(
    r"[^/]+/(archive_format|archive_version|byteorder|version|\.data/(version|serialization_id)|extra/[^/]+|models/[^/]+\.json"
    r"|data/(weights/(weight_\d+|[^/]+_weights_config\.json)|constants/(tensor_\d+|[^/]+_constants_config\.json)"
    r"|sample_inputs/[^/]+\.pt))"
)
KINDS = "TorchScript (torch.jit.save), an exported program (torch.export.save, .pt2) or ONNX"


@dataclass(frozen=True)
class Program:
    """A network that was opened from a file.

    Attributes:
        run: from inputs (n, ...) to one tensor of outputs (n, ...).
        batch: the only n that it takes, None if it takes any.

    Example:
        >>> Program(torch.neg).run(torch.ones(1))
        tensor([-1.])
    """

    run: Callable[[Tensor], Tensor]
    batch: int | None = None


def open_program(content: bytes, path: Path) -> Program:
    """Return the network in a file's bytes.

    Raises:
        BadInput: a file of none of the three kinds, one that holds weights without a network, or one that must be unpickled.

    Example:
        >>> open_program(b"hello", Path("net.txt"))
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: net.txt, which is no network that is known here: expected TorchScript (torch.jit.save), an
        exported program (torch.export.save, .pt2) or ONNX
    """
    names = zip_names(content)
    if is_script(content):
        return _script(content, path)
    if any(name.endswith("/archive_format") for name in names):
        return _exported(content, path)
    if content[:1] == b"\x08":  # a protobuf whose first field is a number, as ONNX writes its version
        return _onnx(content, path)
    if content[8:9] == b"{" or any(name.endswith("/data.pkl") for name in names) or content[:1] == b"\x80":
        raise BadInput(
            f"{path}, which holds weights or a pickled object, not a network",
            KINDS,
            "a pickle runs code when it is opened, so it is not; export the network, or name its architecture "
            "(inception:PATH, dinov2:PATH, clip:PATH)",
        )
    raise BadInput(f"{path}, which is no network that is known here", KINDS)


def _script(content: bytes, path: Path) -> Program:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch advises torch.export; the format stays in use
            module = torch.jit.load(io.BytesIO(content), map_location="cpu").eval()
    except RuntimeError as error:
        raise BadInput(f"{path}, which torch cannot open ({_last_line(error)})", "TorchScript") from None
    return Program(lambda x: _only(module(x), path))


def _exported(content: bytes, path: Path) -> Program:
    try:
        _refuse_pickles(content, path)
        program = torch.export.load(io.BytesIO(content))
    except (
        RuntimeError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        AssertionError,
        zipfile.BadZipFile,
    ) as error:
        raise BadInput(f"{path}, which torch cannot open ({_last_line(error)})", "an exported program") from None
    inputs = list(program.graph_signature.user_inputs)
    if len(inputs) != 1:
        raise BadInput(f"{path}, a program of {len(inputs)} inputs", "one input, the images")
    first = next(node for node in program.graph.nodes if node.name == inputs[0])
    module = program.module()
    return Program(lambda x: _only(module(x), path), _fixed(first.meta["val"]))


def _fixed(example: Any) -> int | None:
    """Return the number of rows that an input was exported for, None if any; a symbol stands for any."""
    return example.shape[0] if isinstance(example.shape[0], int) else None


def _refuse_pickles(content: bytes, path: Path) -> None:
    """Refuse an archive of which `torch.export.load` would unpickle more than plain tensors, or run machine code."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        found = [name for name in names if not _EXPORTED.fullmatch(name)]
        for name in names:
            if name.endswith("_config.json"):
                found += [name for entry in json.loads(archive.read(name))["config"].values() if _pickled(entry)]
            if "/sample_inputs/" in name and not _plain(archive.read(name)):
                found.append(name)
    # readers differ in which of two entries of one name they take
    if len({name.lower() for name in names}) < len(names) or len({name.partition("/")[0] for name in names}) > 1:
        found.append("two entries of one name")
    if found:
        raise BadInput(
            f"{path}, a program with parts that may run code when they are opened ({found[0]})",
            "a program of plain tensors",
            "export it again without custom objects and compiled code",
        )


def _pickled(entry: dict[str, Any]) -> bool:
    return bool(entry.get("use_pickle")) or not str(entry.get("path_name", "")).startswith(("weight_", "tensor_"))


def _plain(content: bytes) -> bool:
    if not content:
        return True
    try:
        plain(content)
    except ValueError:
        return False
    return True


def _onnx(content: bytes, path: Path) -> Program:
    try:
        runtime: Any = importlib.import_module("onnxruntime")
    except ImportError:
        raise BadInput(
            f"{path}, a network in ONNX", "the package onnxruntime", "install it: pip install pushforward[onnx]"
        ) from None
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no base but this
        raise BadInput(
            f"{path}, which ONNX Runtime cannot open ({_last_line(error)})", "one ONNX file with its weights inside"
        ) from None
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        raise BadInput(f"{path}, with inputs {[(i.name, i.type) for i in inputs]}", "one input of single precision")

    def run(x: Tensor) -> Tensor:
        try:
            found = session.run([outputs[0].name], {inputs[0].name: x.numpy()})
        except Exception as error:
            raise ValueError(_last_line(error)) from None
        return torch.from_numpy(np.asarray(found[0], dtype=np.float32))

    first = inputs[0].shape[0] if inputs[0].shape else None
    return Program(run, first if isinstance(first, int) and first > 0 else None)


def _only(outputs: Any, path: Path) -> Tensor:
    while isinstance(outputs, tuple | list) and len(outputs) == 1:
        outputs = outputs[0]
    if not isinstance(outputs, Tensor):
        raise BadInput(f"{path}, which returns a {type(outputs).__name__}", "a network that returns one tensor")
    return outputs


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
