"""Networks saved with their computation: exported programs of torch and ONNX, which are read as
data, and TorchScript.

Two ideas: a file's kind is told from its bytes, never from its name; what is read as data may come
from anywhere, because its operators are on a list; TorchScript is code that can write files, and is
run only for who says that it is to be trusted.
"""

from __future__ import annotations

import importlib
import io
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pushforward.core.errors import BadInput, a_type
from pushforward.core.placement import PROCESSOR, here, providers
from pushforward.core.portions import out_of_memory
from pushforward.evaluation.features.exported import Exported
from pushforward.evaluation.features.operators import check_onnx
from pushforward.evaluation.features.weights_file import is_script, zip_names

KINDS = "an exported program (torch.export.save, .pt2), ONNX, or with --trust TorchScript (torch.jit.save)"
TRUST = "export it with torch.export.save; or, if you know who made it, say --trust (in Python: `,trust=true` behind its name)"


@dataclass(frozen=True)
class ExportedProgram:
    """A network that was opened from a file.

    Attributes:
        run: from inputs (n, ...), on the device where networks were put when it was opened, to one
            tensor of outputs (n, ...) on any.
        batch: the only n that it takes, None if it takes any.

    Example:
        >>> ExportedProgram(torch.neg).run(torch.ones(1))
        tensor([-1.])
    """

    run: Callable[[Tensor], Tensor]
    batch: int | None = None


def open_program(content: bytes, path: Path, trust: bool = False) -> ExportedProgram:
    """Return the network in a file's bytes.

    Args:
        trust: TorchScript may run too.

    Raises:
        BadInput: a file of none of the three kinds, TorchScript that is not trusted, operators that
            are not on the list, or a file that holds weights without a network.

    Example:
        >>> open_program(b"hello", Path("net.txt"))
        Traceback (most recent call last):
        pushforward.core.errors.BadInput: net.txt, which is no network that is known here: expected an exported program
        (torch.export.save, .pt2), ONNX, or with --trust TorchScript (torch.jit.save)
    """
    names = zip_names(content)
    if is_script(content):
        if not trust:
            raise BadInput(
                f"{path}, which is TorchScript: code that may do anything, such as write files",
                "data",
                TRUST,
            )
        return _script(content, path)
    if any(name.endswith("/archive_format") for name in names):
        return _exported(content, path)
    if (
        content[:1] == b"\x08"
    ):  # a protobuf whose first field is a number, as ONNX writes its version
        return _onnx(content, path)
    if (
        content[8:9] == b"{"
        or any(name.endswith("/data.pkl") for name in names)
        or content[:1] == b"\x80"
    ):
        raise BadInput(
            f"{path}, which holds weights or a pickled object, not a network",
            KINDS,
            "a pickle runs code when it is opened, so it is not; export the network, or name its architecture "
            "(inception:PATH, dinov2:PATH, clip:PATH)",
        )
    raise BadInput(f"{path}, which is no network that is known here", KINDS)


def _script(content: bytes, path: Path) -> ExportedProgram:
    module, fallen = _loaded(content, path, here()), False

    def run(x: Tensor) -> Tensor:
        nonlocal module, fallen
        try:
            return _only(module(x.cpu() if fallen else x), path)
        except RuntimeError as error:
            if fallen or x.device.type == PROCESSOR or out_of_memory(error):
                raise
        # a trace may have written down on which device its tensors are made: there it computes
        module, fallen = _loaded(content, path, torch.device(PROCESSOR)), True
        return run(x)

    return ExportedProgram(run)


def _loaded(content: bytes, path: Path, device: torch.device) -> Any:
    try:
        with warnings.catch_warnings():
            # torch advises torch.export; the format stays in use
            warnings.simplefilter("ignore", DeprecationWarning)
            return torch.jit.load(io.BytesIO(content), map_location=device).eval()
    except RuntimeError as error:
        raise BadInput(
            f"{path}, which torch cannot open ({_last_line(error)})", "TorchScript"
        ) from None


def _exported(content: bytes, path: Path) -> ExportedProgram:
    try:
        program = Exported(content, path, here())
    except (
        RuntimeError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        zipfile.BadZipFile,
        OverflowError,
    ) as error:
        if isinstance(error, BadInput):
            raise
        raise BadInput(
            f"{path}, which cannot be read ({_last_line(error)})", "an exported program"
        ) from None
    return ExportedProgram(program, program.batch)


def _onnx(content: bytes, path: Path) -> ExportedProgram:
    try:
        check_onnx(content, path)
    except ValueError as error:
        raise BadInput(
            f"{path}, which cannot be read ({error})", "one ONNX file with its weights inside"
        ) from None
    try:
        runtime: Any = importlib.import_module("onnxruntime")
    except ImportError:
        raise BadInput(
            f"{path}, a network in ONNX",
            "the package onnxruntime",
            "install it: pip install pushforward[onnx]",
        ) from None
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    try:
        found = providers(here(), runtime.get_available_providers())
        session = runtime.InferenceSession(content, options, providers=found)
    except Exception as error:  # its exceptions share no base but this
        raise BadInput(
            f"{path}, which ONNX Runtime cannot open ({_last_line(error)})",
            "one ONNX file with its weights inside",
        ) from None
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        raise BadInput(
            f"{path}, with inputs {[(i.name, i.type) for i in inputs]}",
            "one input of single precision",
        )

    def run(x: Tensor) -> Tensor:
        try:
            found = session.run([outputs[0].name], {inputs[0].name: x.cpu().numpy()})
        except Exception as error:
            raise ValueError(_last_line(error)) from None
        return torch.from_numpy(np.asarray(found[0], dtype=np.float32))

    first = inputs[0].shape[0] if inputs[0].shape else None
    return ExportedProgram(run, first if isinstance(first, int) and first > 0 else None)


def _only(outputs: Any, path: Path) -> Tensor:
    while isinstance(outputs, tuple | list) and len(outputs) == 1:
        outputs = outputs[0]
    if not isinstance(outputs, Tensor):
        raise BadInput(
            f"{path}, which returns {a_type(outputs)}", "a network that returns one tensor"
        )
    return outputs


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
