"""Programs of `torch.export`, read as data and run by a list of operators.

Two ideas: torch's own reader unpickles, evaluates expressions and looks names up in modules, so the
archive is read here: a graph in JSON and weights as bytes; an operator that is not on the list is
refused, and those on it compute and do nothing else.
"""

from __future__ import annotations

import io
import json
import operator
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pushforward.core.errors import BadInput, a_type
from pushforward.core.reading import require_members
from pushforward.evaluation.features.operators import ATEN

# what torch.export.save writes of a program of plain tensors; whatever else an archive holds is not
# opened
_EXPORTED = re.compile(
    r"[^/]+/(archive_format|archive_version|byteorder|version|\.data/(version|serialization_id)|extra/[^/]+|models/[^/]+\.json"
    r"|data/(weights/(weight_\d+|[^/]+_weights_config\.json)|constants/(tensor_\d+|[^/]+_constants_config\.json)"
    r"|sample_inputs/[^/]+\.pt))"
)
# numbers that the format has for types, memory formats and layouts (torch._export.serde.schema)
_TYPES = {
    1: torch.uint8,
    2: torch.int8,
    3: torch.int16,
    4: torch.int32,
    5: torch.int64,
    6: torch.float16,
    7: torch.float32,
    8: torch.float64,
    12: torch.bool,
    13: torch.bfloat16,
}
_FORMATS = {
    1: torch.contiguous_format,
    2: torch.channels_last,
    3: torch.channels_last_3d,
    4: torch.preserve_format,
}
_STRIDED = 7
CPU = torch.device("cpu")
_POSITIONAL = (None, 0, 1)
# what sizes are computed with
_ARITHMETIC: dict[str, Callable[..., Any]] = {
    **{
        f"_operator.{f.__name__}": f
        for f in (operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod)
    },
    **{
        f"_operator.{f.__name__}": f
        for f in (operator.neg, operator.truediv, operator.pow, operator.ge, operator.gt)
    },
    **{f"_operator.{f.__name__}": f for f in (operator.le, operator.lt, operator.eq, operator.ne)},
    "torch.sym_max": max,
    "torch.sym_min": min,
    "torch.sym_not": operator.not_,
    "math.trunc": int,
}
_CHECKS = re.compile(
    r"torch\.ops\.aten\.(_assert_\w+|sym_constrain_range\w*|_assert_scalar)\.\w+|torch\.sym_constrain\w*"
)
_PLAIN = {
    "as_int": int,
    "as_ints": list,
    "as_float": float,
    "as_floats": list,
    "as_bool": bool,
    "as_bools": list,
}
_PLAIN |= {"as_string": str, "as_int_lists": list}


class Exported:
    """A program that was read from the bytes of an archive.

    Attributes:
        batch: the only number of rows that its input may have, None if any.

    Raises:
        BadInput: an archive that holds more than a program of plain tensors, or a program of other
            operators, inputs or outputs.
        ValueError, TypeError, LookupError, RuntimeError: a damaged one.
    """

    def __init__(self, content: bytes, path: Path, device: torch.device = CPU) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _refuse_others(archive, path)
            require_members(archive, path, archive.namelist())
            self._path = path
            model = json.loads(_only_entry(archive, r"/models/[^/]+\.json"))["graph_module"]
            weights = _tensors(archive, "weights", path) | _tensors(archive, "constants", path)
            weights = {name: tensor.to(device) for name, tensor in weights.items()}
        signature, graph = model["signature"], model["graph"]
        self._nodes = [_Node(node, path, device) for node in graph["nodes"]]
        self._fixed, inputs = _bound(signature["input_specs"], weights, path)
        outputs = [_only_key(spec) for spec in signature["output_specs"]]
        if any(kind != "user_output" for kind, _ in outputs) or len(outputs) != 1:
            what = "several tensors, or changes what it is given" if outputs else "nothing"
            raise BadInput(f"{path}, which returns {what}", "a network that returns one tensor")
        if len(inputs) != 1:
            raise BadInput(f"{path}, a program of {len(inputs)} inputs", "one input, the images")
        self._input, self._output = inputs[0], outputs[0][1]["arg"]["as_tensor"]["name"]
        self._sizes: list[int | None] = [
            size.get("as_int") for size in graph["tensor_values"][self._input]["sizes"]
        ]
        self.batch = self._sizes[0]

    def __call__(self, x: Tensor) -> Tensor:
        """Return the output of the program.

        Raises:
            ValueError: an input of another shape than it was exported for, or a program that does
                not fit together.
        """
        if len(x.shape) != len(self._sizes) or any(
            n not in (m, None) for m, n in zip(x.shape, self._sizes, strict=True)
        ):
            raise ValueError(
                f"it was exported for {['any' if n is None else n for n in self._sizes]}"
            )
        values: dict[str, Any] = {**self._fixed, self._input: x}
        try:
            for node in self._nodes:
                node.run(values)
            found = values[self._output]
        except (TypeError, LookupError, AttributeError) as error:
            raise ValueError(f"it does not fit together ({error})") from None
        if not isinstance(found, Tensor):
            raise BadInput(
                f"{self._path}, which returns {a_type(found)}", "a network that returns one tensor"
            )
        return found


class _Node:
    """One call of one operator of the list."""

    def __init__(self, record: Any, path: Path, device: torch.device) -> None:
        self.target, self.inputs = str(record["target"]), record["inputs"]
        self.function, self.device = _operator(self.target, path), device
        self.creates = _creates(self.function)
        self.outputs = [_only_key(one) for one in record["outputs"]]

    def run(self, values: dict[str, Any]) -> None:
        if self.function is None:  # a check of what the sizes are
            return
        given = [
            (one["name"], one.get("kind"), _value(one["arg"], values, self.device))
            for one in self.inputs
            if not (self.creates and one["name"] == "device")
        ]
        found = self.function(
            *(value for _, kind, value in given if kind in _POSITIONAL),
            **{name: value for name, kind, value in given if kind not in _POSITIONAL},
            **({"device": self.device} if self.creates else {}),
        )
        if len(self.outputs) == 1:
            kind, named = self.outputs[0]
            if kind == "as_tensors":
                values.update({one["name"]: value for one, value in zip(named, found, strict=True)})
            else:
                values[named.get("name", named.get("as_name"))] = found
            return
        for (_, named), value in zip(self.outputs, found, strict=True):
            if "name" in named:
                values[named["name"]] = value


def _creates(function: Callable[..., Any] | None) -> bool:
    """Return whether an operator makes a tensor of none, on a device that it is told."""
    if not isinstance(function, torch._ops.OpOverload):
        return False
    arguments = function._schema.arguments
    given = any(isinstance(one.type, torch.TensorType) for one in arguments)
    return not given and any(one.name == "device" for one in arguments)


def _operator(target: str, path: Path) -> Callable[..., Any] | None:
    """Return what a target stands for, None for a check.

    Raises:
        BadInput: one that is not on the list.
    """
    if target in _ARITHMETIC:
        return _ARITHMETIC[target]
    if _CHECKS.fullmatch(target):
        return None
    match = re.fullmatch(r"torch\.ops\.aten\.(\w+)\.(\w+)", target)
    if match is None or match[1] not in ATEN:
        raise BadInput(
            f"{path}, a program with the operator '{target[:80]}'",
            "operators that compute and do nothing else",
            "export the part of the network that makes features, in evaluation mode",
        )
    packet = getattr(torch.ops.aten, match[1], None)
    found = getattr(packet, match[2], None) if packet is not None else None
    if not isinstance(found, torch._ops.OpOverload):
        raise BadInput(
            f"{path}, with the operator '{target}'",
            "one of this version of torch",
            "export it again",
        )
    if any(
        one.alias_info is not None and one.alias_info.is_write for one in found._schema.arguments
    ):
        raise BadInput(
            f"{path}, with the operator '{target}', which changes what it is given",
            "one that returns",
        )
    return found


def _value(argument: Any, values: dict[str, Any], device: torch.device) -> Any:
    kind, found = _only_key(argument)
    if kind == "as_none":
        return None
    if kind in ("as_tensor", "as_optional_tensor"):
        return values[found["name"]] if "name" in found else _value(found, values, device)
    if kind in ("as_tensors", "as_optional_tensors"):
        return [
            _value({"as_tensor": one} if "name" in one else one, values, device) for one in found
        ]
    if kind in ("as_sym_int", "as_sym_float", "as_sym_bool"):
        return _size(found, values)
    if kind in ("as_sym_ints", "as_sym_floats", "as_sym_bools"):
        return [_size(one, values) for one in found]
    if kind == "as_scalar_type":
        return _TYPES[found]
    if kind == "as_memory_format":
        return _FORMATS[found]
    if kind == "as_layout" and found == _STRIDED:
        return torch.strided
    if kind == "as_device":
        return device  # whichever it was exported on
    if kind in _PLAIN:
        return _PLAIN[kind](found)
    raise ValueError(f"an argument of the kind {kind}")


def _size(record: Any, values: dict[str, Any]) -> Any:
    kind, found = _only_key(record)
    return values[found] if kind == "as_name" else found


def _only_key(record: Any) -> tuple[str, Any]:
    """Return the one key of a record with its value; the format writes a union as a record of one
    key."""
    if not isinstance(record, dict):
        raise TypeError(f"{a_type(record)} where a record belongs")
    ((key, value),) = record.items()
    return key, value


def _bound(specs: Any, weights: dict[str, Tensor], path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the values of inputs that are weights or constants, and the names of the user's
    inputs."""
    fixed: dict[str, Any] = {}
    inputs: list[str] = []
    names = {
        "parameter": "parameter_name",
        "buffer": "buffer_name",
        "tensor_constant": "tensor_constant_name",
    }
    for kind, spec in map(_only_key, specs):
        if kind in names:
            fixed[spec["arg"]["name"]] = weights[spec[names[kind]]]
        elif kind == "user_input" and "as_tensor" in spec["arg"]:
            inputs.append(spec["arg"]["as_tensor"]["name"])
        elif kind not in ("user_input", "constant_input"):
            raise BadInput(
                f"{path}, a program with an input of the kind {kind}",
                "tensors",
                "export it without objects",
            )
    return fixed, inputs


def _tensors(archive: zipfile.ZipFile, folder: str, path: Path) -> dict[str, Tensor]:
    """Return the tensors of a folder of the archive by their names in the program."""
    found: dict[str, Tensor] = {}
    for place in [n for n in archive.namelist() if n.endswith(f"_{folder}_config.json")]:
        for name, entry in json.loads(archive.read(place))["config"].items():
            file = str(entry["path_name"])
            if entry["use_pickle"] or not re.fullmatch(r"(weight|tensor)_\d+", file):
                raise _unsafe(path, name)
            meta = entry["tensor_meta"]
            sizes, strides = (
                [size["as_int"] for size in meta[key]] for key in ("sizes", "strides")
            )
            content, kind = (
                archive.read(f"{place.rpartition('/')[0]}/{file}"),
                _TYPES[meta["dtype"]],
            )
            whole = (
                torch.frombuffer(bytearray(content), dtype=kind)
                if content
                else torch.empty(0, dtype=kind)
            )
            found[name] = whole.as_strided(sizes, strides, meta["storage_offset"]["as_int"])
    return found


def _only_entry(archive: zipfile.ZipFile, pattern: str) -> bytes:
    names = [name for name in archive.namelist() if re.search(pattern + "$", name)]
    if len(names) != 1:
        raise ValueError(f"{len(names)} programs")
    return archive.read(names[0])


def _refuse_others(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse an archive with entries that a program of plain tensors does not have, or of which
    readers may take either."""
    names = archive.namelist()
    others = [name for name in names if not _EXPORTED.fullmatch(name)]
    if others:
        raise _unsafe(path, others[0])
    if (
        len({name.lower() for name in names}) < len(names)
        or len({name.partition("/")[0] for name in names}) > 1
    ):
        raise _unsafe(path, "two entries of one name")
    order = [archive.read(name).strip() for name in names if name.endswith("/byteorder")]
    if order not in ([], [b"little"]):
        raise ValueError("bytes in another order")


def _unsafe(path: Path, what: str) -> BadInput:
    return BadInput(
        f"{path}, a program with parts that may run code when they are opened ({what})",
        "a program of plain tensors",
        "export it again without custom objects and compiled code",
    )
