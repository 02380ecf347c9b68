"""The user's own network from a file: the three formats, what defines it, and what is refused without being opened."""

import io
import json
import pickle
import sys
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from networks import PLAIN, SPACE, Small, exported, in_onnx, rewritten, scripted
from pushforward.core.errors import BadInput
from pushforward.core.score import better_of
from pushforward.core.space import Image
from pushforward.evaluation.distribution.kernel_distance import kernel_distance
from pushforward.evaluation.features.network_file import network_features
from pushforward.evaluation.features.preprocessing import Preprocessing


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 17, size=(7, 3, 8, 8))


def written(tmp_path, content: bytes, name: str = "net"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("saved", [exported, scripted])
def test_features_are_the_networks_outputs(saved, images, tmp_path):
    net, convention = (
        Small(),
        Preprocessing(3, low=-1.0, high=1.0, mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7)),
    )
    path = written(tmp_path, saved(net))
    inputs = (
        torch.from_numpy(images).float() / 8 - 1 - torch.tensor([0.1, 0.2, 0.3])[:, None, None]
    ) / torch.tensor([0.5, 0.6, 0.7])[:, None, None]
    with torch.no_grad():
        outputs = net(inputs)
    flat, pooled = (
        network_features(path, SPACE, convention, pooled=p, trust=saved is scripted)
        for p in (False, True)
    )
    np.testing.assert_allclose(flat(images), outputs.flatten(1), atol=1e-6)
    np.testing.assert_allclose(pooled(images), outputs.mean(dim=(2, 3)), atol=1e-6)
    assert pooled.name == flat.name + " pooled"


def test_a_program_of_one_batch_size_is_fed_batches_of_that_size(images, tmp_path):
    net = Small()
    fixed = network_features(
        written(tmp_path, exported(net, (3, 3, 8, 8), any_batch=False)), SPACE, PLAIN
    )
    free = network_features(written(tmp_path, exported(net), "other"), SPACE, PLAIN)
    np.testing.assert_allclose(
        fixed(images), free(images), atol=1e-6
    )  # seven images: two batches of three and one


@pytest.mark.parametrize("batch", ["n", 2])
def test_onnx(batch, images, tmp_path):
    weight = np.random.default_rng(1).normal(size=(4, 3, 3, 3))
    path = written(tmp_path, in_onnx(weight, batch), "net.onnx")
    pytest.importorskip("onnxruntime", reason="`pip install 'pushforward[onnx]'` ends this")
    features = network_features(path, SPACE, PLAIN)
    expected = torch.nn.functional.conv2d(
        torch.from_numpy(images / 16.0), torch.from_numpy(weight)
    ).flatten(1)
    np.testing.assert_allclose(features(images), expected, atol=1e-5)
    with pytest.raises(BadInput, match="does not take inputs of shape"):
        network_features(path, Image(3, 4, 4), PLAIN)
    with pytest.raises(BadInput, match="cannot be read"):
        network_features(written(tmp_path, in_onnx(weight, batch)[:-60], "cut"), SPACE, PLAIN)


def test_onnx_without_its_extra_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(BadInput, match=r"pip install pushforward\[onnx\]"):
        network_features(written(tmp_path, in_onnx(np.zeros((4, 3, 3, 3)), 1)), SPACE, PLAIN)


def test_the_fingerprint_is_of_bytes_and_convention_and_not_of_the_files_name(images, tmp_path):
    content, other = exported(Small()), exported(Small())
    path = written(tmp_path, content)
    same = network_features(written(tmp_path, content, "renamed"), SPACE, PLAIN)
    assert network_features(path, SPACE, PLAIN).fingerprint == same.fingerprint
    prints = {
        same.fingerprint,
        network_features(written(tmp_path, other, "b"), SPACE, PLAIN).fingerprint,
        network_features(path, SPACE, Preprocessing(3, mean=(0.5,))).fingerprint,
        network_features(path, SPACE, Preprocessing(3, high=255.0)).fingerprint,
        network_features(path, SPACE, Preprocessing(3, size=8)).fingerprint,
        network_features(path, SPACE, Preprocessing(3, size=8, filter="bilinear")).fingerprint,
        network_features(path, SPACE, PLAIN, pooled=True).fingerprint,
        network_features(path, Image(3, 8, 8, levels=18), PLAIN).fingerprint,
    }
    assert len(prints) == 8


def test_scores_on_two_fingerprints_have_no_order(images, tmp_path):
    path = written(tmp_path, exported(Small()))
    scores = []
    for convention in (PLAIN, Preprocessing(3, mean=(0.5,))):
        f = network_features(path, SPACE, convention, pooled=True)
        x = np.random.default_rng(3).integers(0, 17, size=(60, 3, 8, 8))
        scores.append(kernel_distance(f(x[:30]), f(x[30:]), f.name, f.fingerprint))
    assert scores[0].name == scores[1].name
    with pytest.raises(BadInput, match="features differ"):
        better_of(*scores)


def test_a_network_that_does_not_take_the_images_is_refused_at_once(tmp_path):
    path = written(tmp_path, exported(Small()))
    with pytest.raises(BadInput, match="images of 2 channels for a network that takes 3"):
        network_features(path, Image(2, 8, 8), PLAIN)
    with pytest.raises(BadInput, match=r"does not take inputs of shape \(1, 1, 8, 8\)"):
        network_features(path, Image(1, 8, 8), Preprocessing(1))
    with pytest.raises(BadInput, match="does not take inputs"):
        network_features(
            written(tmp_path, exported(Small(), any_batch=False), "b"), Image(3, 9, 9), PLAIN
        )
    # grey images are repeated for three channels
    assert network_features(path, Image(1, 8, 8), PLAIN)(
        np.zeros((2, 1, 8, 8), dtype=int)
    ).shape == (2, 4 * 36)


def test_outputs_that_are_not_finite_are_refused(tmp_path):
    class Logarithm(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.log().flatten(1)

    with pytest.raises(BadInput, match="check the range, mean and std"):
        network_features(written(tmp_path, exported(Logarithm())), SPACE, PLAIN)


class Bomb:
    """Unpickling it would run what it names."""

    def __reduce__(self):
        return (sys.exit, ("unpickled",))


@pytest.mark.parametrize("legacy", [True, False])
def test_pickles_are_refused_in_words_and_never_opened(legacy, tmp_path):
    stream = io.BytesIO()
    torch.save(
        {"weights": torch.zeros(2), "bomb": Bomb()},
        stream,
        _use_new_zipfile_serialization=not legacy,
    )
    with pytest.raises(BadInput, match="weights or a pickled object, not a network"):
        network_features(written(tmp_path, stream.getvalue()), SPACE, PLAIN)


def test_exported_programs_with_pickles_inside_are_refused(tmp_path):
    bomb = io.BytesIO()
    torch.save(Bomb(), bomb)

    def pickled_weight(name: str, content: bytes) -> bytes:
        if name.endswith("weights_config.json"):
            config = json.loads(content)
            for entry in config["config"].values():
                entry["use_pickle"] = True
            return json.dumps(config).encode()
        return bomb.getvalue() if "/weights/weight_" in name else content

    def pickled_input(name: str, content: bytes) -> bytes:
        return bomb.getvalue() if "/sample_inputs/" in name else content

    def opaque(name: str, content: bytes) -> bytes:
        entry = {
            "path_name": "opaque_obj_0",
            "is_param": False,
            "use_pickle": True,
            "tensor_meta": None,
        }
        return (
            json.dumps({"config": {"a": entry}}).encode()
            if name.endswith("constants_config.json")
            else content
        )

    program = exported(Small())
    # inputs that were kept as an example are not read at all
    network_features(written(tmp_path, rewritten(program, pickled_input)), SPACE, PLAIN)
    for change in (pickled_weight, opaque):
        with pytest.raises(BadInput, match="parts that may run code when they are opened"):
            network_features(written(tmp_path, rewritten(program, change)), SPACE, PLAIN)
    for extra in (
        "archive/data/aotinductor/model/a.so",
        "serialized_state_dict.pt",
        "archive/data/weights/model.pt",
    ):
        longer = io.BytesIO(program)
        with zipfile.ZipFile(longer, "a") as archive:
            archive.writestr(extra, bomb.getvalue())
        with pytest.raises(BadInput, match=extra.replace(".", r"\.")):
            network_features(written(tmp_path, longer.getvalue()), SPACE, PLAIN)
    doubled = io.BytesIO(program)
    with zipfile.ZipFile(doubled, "a") as archive:
        archive.writestr("archive/models/MODEL.json", b"{}")
    with pytest.raises(BadInput, match="two entries of one name"):
        network_features(written(tmp_path, doubled.getvalue()), SPACE, PLAIN)
    for broken in (b"not json", b"{}", b'{"config": {"a": {"path_name": "weight_0"}}}'):

        def change(name: str, content: bytes, b: bytes = broken) -> bytes:
            return b if name.endswith("weights_config.json") else content

        with pytest.raises(BadInput, match="cannot be read"):
            network_features(written(tmp_path, rewritten(program, change)), SPACE, PLAIN)
    # the same rewriting without a change opens
    network_features(
        written(tmp_path, rewritten(program, lambda name, content: content)), SPACE, PLAIN
    )


def test_files_of_no_network_are_refused(tmp_path):
    for content in (b"", b"hello", pickle.dumps([1]), b"PK\x03\x04broken"):
        with pytest.raises(BadInput, match=r"an exported program .* ONNX"):
            network_features(written(tmp_path, content), SPACE, PLAIN)
    with pytest.raises(BadInput, match="cannot be read"):
        network_features(tmp_path / "absent", SPACE, PLAIN)
    two = torch.export.export(Two(), (torch.zeros(2, 3), torch.zeros(2, 3)))
    stream = io.BytesIO()
    torch.export.save(two, stream)
    with pytest.raises(BadInput, match="a program of 2 inputs"):
        network_features(written(tmp_path, stream.getvalue()), SPACE, PLAIN)


class Two(nn.Module):
    """A network of two inputs."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x + y
