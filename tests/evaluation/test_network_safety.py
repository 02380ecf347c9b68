"""A network from anywhere: what is read as data runs only operators of a list; what is code is not run unless it is trusted."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from networks import PLAIN, SPACE, Small, exported, in_onnx, rewritten, scripted
from pushforward.core.errors import BadInput
from pushforward.core.space import Image
from pushforward.evaluation.features.choose import features_by_name
from pushforward.evaluation.features.exported import Exported, _operator
from pushforward.evaluation.features.network_file import network_features
from pushforward.evaluation.features.operators import ATEN, ONNX, check_onnx


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_torchscript_runs_only_if_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    net = written(tmp_path / "net.pt", scripted(Small()))
    with pytest.raises(
        BadInput, match=r"TorchScript: code that may do anything.*torch.export.save.*--trust"
    ):
        network_features(net, SPACE, PLAIN)
    assert network_features(net, SPACE, PLAIN, trust=True)(
        np.zeros((2, 3, 8, 8), dtype=int)
    ).shape == (2, 144)
    train = np.zeros((4, 3, 8, 8), dtype=int)
    with pytest.raises(BadInput, match="TorchScript"):
        features_by_name(f"file:{net}", SPACE, train)
    assert features_by_name(f"file:{net},trust=true", SPACE, train).name.startswith("network")
    for word in ("inception", "dinov2", "clip"):
        with pytest.raises(
            BadInput, match=r"TorchScript: code that runs when it is opened.*state_dict"
        ):
            features_by_name(f"{word}:{net}", SPACE, train)


OPERATORS = [
    *(
        "torch.save",
        "torch.load",
        "torch.ops.aten.from_file.default",
        "torch.ops.profiler._record_function_enter.default",
    ),
    *(
        "torch.os.system",
        "_operator.attrgetter",
        "torch.ops.aten._assert_async.msg; import os",
        "math.__loader__",
    ),
    *(
        "torch.ops.aten.copy_.default",
        "torch.ops.aten.save.default",
        "torch.ops.higher_order.cond",
        "os.system",
        "",
    ),
    *(
        "torch.ops.aten.__class__.default",
        "torch.ops.aten.relu.__class__",
        "torch.ops.quantized.linear.default",
    ),
]


@pytest.mark.parametrize("target", OPERATORS)
def test_an_operator_that_is_not_on_the_list_is_refused_before_anything_runs(
    tmp_path: Path, target: str
) -> None:
    def change(name: str, content: bytes) -> bytes:
        if not name.endswith("models/model.json"):
            return content
        record = json.loads(content)
        record["graph_module"]["graph"]["nodes"][-1]["target"] = target
        return json.dumps(record).encode()

    with pytest.raises(BadInput, match="operator"):
        Exported(rewritten(exported(Small()), change), tmp_path / "net.pt2")


def everywhere(record: Any, change: Callable[[Any], Any]) -> list[Any]:
    """Return copies of a record of which one value each is replaced."""
    found = [change(record)]
    if isinstance(record, dict):
        found += [
            {**record, key: new}
            for key, value in record.items()
            for new in everywhere(value, change)
        ]
    elif isinstance(record, list):
        found += [
            [*record[:i], new, *record[i + 1 :]]
            for i, v in enumerate(record)
            for new in everywhere(v, change)
        ]
    return found


@pytest.mark.parametrize(
    "word", ["__import__('os').mkdir('written-by-the-network')", "torch.os.getcwd"]
)
def test_words_in_a_program_are_never_evaluated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """Put code into every place of the graph: it is refused, or it is a name that nobody reads."""
    monkeypatch.chdir(tmp_path)
    content = exported(nn.Flatten())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = next(n for n in archive.namelist() if n.endswith("models/model.json"))
        record = json.loads(archive.read(name))
    opened = 0
    for changed in everywhere(record, lambda _: word):
        text = json.dumps(changed).encode()
        other = rewritten(content, lambda n, old, text=text: text if n == name else old)
        try:
            network_features(written(tmp_path / "net.pt2", other), SPACE, PLAIN)
            opened += 1
        except BadInput:
            pass
        assert os.listdir(tmp_path) == ["net.pt2"]
    assert opened > 3  # stack traces and the like


class Zoo(nn.Module):
    """A little of what feature networks are made of."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Hardswish(), nn.MaxPool2d(2)
        )
        self.block = nn.Sequential(
            nn.Conv2d(8, 8, 1), nn.GroupNorm(2, 8), nn.GELU(), nn.Dropout(0.5)
        )
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm, self.token = nn.LayerNorm(8), nn.Parameter(torch.zeros(1, 1, 8))
        self.register_buffer("scale", torch.arange(8.0).half().float())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.interpolate(x * 2 - 1, size=(12, 12), mode="bilinear", antialias=True)
        h = self.head(x)
        h = h + self.block(h)
        left, right = h.chunk(2, dim=1)
        h = torch.cat([left.sigmoid() * right, nn.functional.pad(left, (1, 0))[..., :-1]], 1)
        tokens = h.flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(x.shape[0], -1, -1), tokens], 1)
        seen, _ = self.attention(tokens, tokens, tokens, need_weights=False)
        out = self.norm(tokens + seen)[:, 0] * self.scale
        best, _ = tokens.max(dim=1)
        return torch.stack([out, best, h.mean((2, 3)), torch.where(out > 0, out, -out)], 1).reshape(
            x.shape[0], -1
        )


@pytest.mark.parametrize("any_batch", [True, False])
def test_programs_compute_what_torch_computes(tmp_path: Path, any_batch: bool) -> None:
    net = Zoo().eval()
    x = torch.rand(2, 3, 8, 8)
    program = Exported(exported(net, any_batch=any_batch), tmp_path / "net.pt2")
    with torch.no_grad():
        torch.testing.assert_close(program(x), net(x))
    assert program.batch == (None if any_batch else 2)
    with torch.no_grad():
        theirs = torch.export.load(written(tmp_path / "net.pt2", exported(net))).module()
        torch.testing.assert_close(program(x), theirs(x))


def test_every_operator_of_the_list_computes_and_changes_nothing(tmp_path: Path) -> None:
    taken = 0
    for name in sorted(ATEN):
        packet = getattr(torch.ops.aten, name)
        for overload in packet.overloads():
            arguments = getattr(packet, overload)._schema.arguments
            if any(one.alias_info is not None and one.alias_info.is_write for one in arguments):
                with pytest.raises(BadInput, match="changes what it is given"):
                    _operator(f"torch.ops.aten.{name}.{overload}", tmp_path)
            else:
                assert _operator(f"torch.ops.aten.{name}.{overload}", tmp_path) is not None
                taken += 1
    assert taken > 300
    assert not {
        name
        for name in ATEN
        if name.endswith("_") or "file" in name or "rand" in name or "bernoulli" in name
    }


def message(*parts: tuple[int, bytes | str | int]) -> bytes:
    """A message of protocol buffers."""

    def varint(n: int) -> bytes:
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)

    out = b""
    for number, value in parts:
        raw = value.encode() if isinstance(value, str) else value
        out += (
            varint(number << 3) + varint(raw)
            if isinstance(raw, int)
            else varint(number << 3 | 2) + varint(len(raw)) + raw
        )
    return out


def model(graph: bytes, *more: tuple[int, bytes | str | int]) -> bytes:
    return message((1, 8), (7, graph), *more)


RELU = message((1, "x"), (2, "y"), (4, "Relu"))
FOREIGN = {
    "an operator of another domain": model(message((1, message((4, "Relu"), (7, "com.evil"))))),
    "an operator that is not known": model(message((1, message((4, "PythonOp"))))),
    "random numbers": model(message((1, message((4, "RandomNormal"))))),
    "a function of its own": model(message((1, RELU)), (25, message((1, "f")))),
    "a hidden operator in a branch": model(
        message(
            (
                1,
                message(
                    (4, "If"),
                    (5, message((1, "then_branch"), (6, message((1, message((4, "PyOp"))))))),
                ),
            )
        ),
    ),
    "weights of another file": model(
        message((1, RELU), (5, message((13, message((1, "location"), (2, "/etc/passwd"))))))
    ),
    "weights elsewhere": model(message((1, RELU), (5, message((14, 1))))),
    "a constant of another file": model(
        message((1, message((4, "Constant"), (5, message((5, message((14, 1))))))))
    ),
    "a name in two halves": model(
        message((1, message((4, "Re"), (4, "lu"), (7, "com."), (7, "evil"))))
    ),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_onnx_of_other_operators_is_refused_before_a_runtime_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(BadInput, match="operators that compute and do nothing else"):
        network_features(written(tmp_path / "net.onnx", FOREIGN[what]), SPACE, PLAIN)


def test_onnx_that_is_plain_passes_and_damage_is_said(tmp_path: Path) -> None:
    plain = in_onnx(np.zeros((4, 3, 3, 3)), "n")
    check_onnx(plain, tmp_path)
    check_onnx(model(message((1, RELU))), tmp_path)
    assert "Conv" in ONNX
    deep = message((1, RELU))
    for _ in range(60):
        deep = message((1, message((4, "If"), (5, message((6, deep))))))
    with pytest.raises(BadInput, match="without end"):
        check_onnx(model(deep), tmp_path)
    for cut in range(1, len(plain), 7):
        try:
            check_onnx(plain[:cut], tmp_path)
        except (ValueError, BadInput):
            continue


@pytest.mark.parametrize("word", ["file", "inception", "dinov2", "clip"])
def test_devices_pipes_and_folders_are_no_files(tmp_path: Path, word: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    train = np.zeros((4, 3, 8, 8), dtype=int)
    for path, what in (
        ("/dev/zero", "device"),
        (tmp_path / "pipe", "pipe"),
        (tmp_path / "link", "device"),
        (tmp_path, "the folder"),
    ):
        with pytest.raises(BadInput, match=what):
            features_by_name(f"{word}:{path}", Image(3, 8, 8, 17), train)
