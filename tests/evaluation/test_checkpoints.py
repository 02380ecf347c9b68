"""Standard networks from files of weights: against independent implementations, with random weights in the real layouts."""

import io
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from pushforward.core.errors import BadInput
from pushforward.core.space import Image
from pushforward.evaluation.features.architectures.clip import ClipImage
from pushforward.evaluation.features.architectures.dinov2 import DinoV2, resampled
from pushforward.evaluation.features.architectures.inception import BLOCKS, Inception
from pushforward.evaluation.features.checkpoints import (
    clip_features,
    dinov2_features,
    inception_features,
)

SPACE = Image(3, 16, 16)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, size=(3, 3, 16, 16))


def random_weights(model: nn.Module, seed: int = 0) -> nn.Module:
    """Weights far from their initial values, so that no scale, bias or normalisation can be left out unseen."""
    generator = torch.Generator().manual_seed(seed)
    for values in [*model.parameters()]:
        values.data = torch.randn(values.shape, generator=generator) * (
            0.3 if values.dim() == 1 else values.shape[-1] ** -0.5
        )
    return model.eval()


# --- DINOv2 and CLIP against the transformers library


def dinov2(**changes):
    from transformers import (
        Dinov2Config,
        Dinov2Model,
        Dinov2WithRegistersConfig,
        Dinov2WithRegistersModel,
    )

    config = {
        "hidden_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 70,
        "patch_size": 14,
    }
    if "num_register_tokens" in changes:
        return random_weights(
            Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**config, **changes))
        )
    return random_weights(Dinov2Model(Dinov2Config(**config, **changes)))


@pytest.mark.parametrize("changes", [{}, {"use_swiglu_ffn": True}, {"num_register_tokens": 3}])
@pytest.mark.parametrize("size", [70, 42, 98])
def test_dinov2_is_that_of_transformers(changes, size, tmp_path):
    theirs = dinov2(**changes)
    theirs.save_pretrained(tmp_path)
    ours = DinoV2(load_file(tmp_path / "model.safetensors"), size, offset=0.0)
    x = torch.randn(2, 3, size, size)
    with torch.no_grad():
        np.testing.assert_allclose(ours(x), theirs(x).pooler_output, atol=1e-4)


def as_released(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same DINOv2 in the layout of its release, renamed here word by word."""
    out, width = {}, 128
    out["cls_token"], out["pos_embed"] = (
        weights["embeddings.cls_token"],
        weights["embeddings.position_embeddings"],
    )
    for part in ("weight", "bias"):
        out[f"patch_embed.proj.{part}"] = weights[f"embeddings.patch_embeddings.projection.{part}"]
        out[f"norm.{part}"] = weights[f"layernorm.{part}"]
        for i in range(2):
            old, new = f"encoder.layer.{i}", f"blocks.{i}"
            qkv = [
                weights[f"{old}.attention.attention.{word}.{part}"]
                for word in ("query", "key", "value")
            ]
            out[f"{new}.attn.qkv.{part}"] = torch.cat(qkv)
            assert len(out[f"{new}.attn.qkv.{part}"]) == 3 * width
            out[f"{new}.attn.proj.{part}"] = weights[f"{old}.attention.output.dense.{part}"]
            for name in ("norm1", "norm2", "mlp.fc1", "mlp.fc2"):
                out[f"{new}.{name}.{part}"] = weights[f"{old}.{name}.{part}"]
    for i in range(2):
        for k in (1, 2):
            out[f"blocks.{i}.ls{k}.gamma"] = weights[f"encoder.layer.{i}.layer_scale{k}.lambda1"]
    return out


def test_dinov2_from_both_layouts_and_both_formats(images, tmp_path):
    dinov2().save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    torch.save({"model": as_released(weights)}, tmp_path / "released.pth")
    one = dinov2_features(tmp_path / "model.safetensors", SPACE, size=42)
    other = dinov2_features(tmp_path / "released.pth", SPACE, size=42)
    np.testing.assert_allclose(one(images), other(images), atol=1e-5)
    assert one(images).shape == (3, 128)
    assert one.name.startswith("dinov2 vit-128/14 weights ")
    assert one.name.endswith(", resized 42x42 bicubic antialiased")
    assert one.fingerprint != other.fingerprint  # another file, so another claim
    assert (
        one.fingerprint
        != dinov2_features(tmp_path / "model.safetensors", SPACE, size=56).fingerprint
    )


def test_positions_are_resampled_as_in_the_release():
    positions = torch.randn(1, 1 + 25, 4, generator=torch.Generator().manual_seed(1))
    assert resampled(positions, 5, 0.1) is positions
    assert resampled(positions, 3, 0.1).shape == (1, 10, 4)
    torch.testing.assert_close(resampled(positions, 3, 0.1)[:, 0], positions[:, 0])
    # the offset of the release moves the places by a little, and antialias by much
    plain, moved, smooth = (resampled(positions, 3, *how) for how in ((0.0,), (0.1,), (0.0, True)))
    assert 0 < (plain - moved).abs().max() < (plain - smooth).abs().max()
    # a ramp: Keys' kernel with a = -3/4 at the middle cell's centre, in a grid of 3.1 cells instead of 3
    ramp = torch.cat([torch.zeros(1, 1, 1), torch.arange(5.0).repeat(5)[None, :, None]], dim=1)
    t = np.abs((1 + 0.5) * 5 / 3.1 - 0.5 - np.arange(5))
    weights = np.where(
        t < 1, 1.25 * t**3 - 2.25 * t**2 + 1, -0.75 * t**3 + 3.75 * t**2 - 6 * t + 3
    ) * (t < 2)
    assert resampled(ramp, 3, 0.1)[0, 1 + 3 + 1, 0].item() == pytest.approx(
        weights @ np.arange(5), abs=1e-5
    )


def clip_model():
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    sizes = {
        "hidden_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 96,
    }
    config = CLIPVisionConfig(**sizes, image_size=32, patch_size=8, projection_dim=20)
    assert config.hidden_act == "quick_gelu"
    return random_weights(CLIPVisionModelWithProjection(config))


def test_clip_is_that_of_transformers(tmp_path):
    from transformers import CLIPVisionModel

    theirs = clip_model()
    theirs.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        outputs = theirs(x)
        np.testing.assert_allclose(ClipImage(weights)(x), outputs.image_embeds, atol=1e-4)
        assert (ClipImage(weights, "gelu")(x) - outputs.image_embeds).abs().max() > 1e-3
        # a whole CLIP holds a text encoder with layers of the same names
        text = {
            name.replace("vision_model", "text_model"): values * 3
            for name, values in weights.items()
        }
        np.testing.assert_allclose(
            ClipImage({**text, **weights})(x), outputs.image_embeds, atol=1e-4
        )
    # without a projection: the pooled output
    bare = CLIPVisionModel(theirs.config)
    random_weights(bare).save_pretrained(tmp_path / "bare")
    with torch.no_grad():
        ours = ClipImage(load_file(tmp_path / "bare" / "model.safetensors"))(x)
        np.testing.assert_allclose(ours, bare(x).pooler_output, atol=1e-4)


def test_clip_from_the_layout_of_its_first_release(images, tmp_path):
    theirs = clip_model()
    theirs.save_pretrained(tmp_path)
    old = load_file(tmp_path / "model.safetensors")
    new = {"visual.class_embedding": old["vision_model.embeddings.class_embedding"]}
    new["visual.positional_embedding"] = old["vision_model.embeddings.position_embedding.weight"]
    new["visual.conv1.weight"] = old["vision_model.embeddings.patch_embedding.weight"]
    new["visual.proj"] = old["visual_projection.weight"].T.contiguous()
    new["transformer.resblocks.0.ln_1.weight"] = torch.full((64,), torch.nan)  # the text encoder's
    for part in ("weight", "bias"):
        new[f"visual.ln_pre.{part}"] = old[f"vision_model.pre_layrnorm.{part}"]
        new[f"visual.ln_post.{part}"] = old[f"vision_model.post_layernorm.{part}"]
        for i in range(2):
            a, b = f"vision_model.encoder.layers.{i}", f"visual.transformer.resblocks.{i}"
            new[f"{b}.attn.in_proj_{part}"] = torch.cat(
                [old[f"{a}.self_attn.{word}_proj.{part}"] for word in "qkv"]
            )
            new[f"{b}.attn.out_proj.{part}"] = old[f"{a}.self_attn.out_proj.{part}"]
            for ours, name in (
                ("ln_1", "layer_norm1"),
                ("ln_2", "layer_norm2"),
                ("mlp.c_fc", "mlp.fc1"),
                ("mlp.c_proj", "mlp.fc2"),
            ):
                new[f"{b}.{ours}.{part}"] = old[f"{a}.{name}.{part}"]
    save_file(new, tmp_path / "first.safetensors")
    one = clip_features(tmp_path / "model.safetensors", SPACE)
    other = clip_features(tmp_path / "first.safetensors", SPACE)
    np.testing.assert_allclose(one(images), other(images), atol=1e-5)
    assert one(images).shape == (3, 20)
    assert one.name.startswith("clip vit-128/8 quick-gelu weights ")
    gelu = clip_features(tmp_path / "model.safetensors", SPACE, activation="gelu")
    assert gelu.fingerprint != one.fingerprint
    assert gelu.name != one.name


# --- Inception-v3 against its blocks, written out with torch's layers


class Convolution(nn.Module):
    """Convolution, normalisation with epsilon 0.001, rectification."""

    def __init__(
        self,
        old: int,
        new: int,
        kernel: tuple[int, int],
        stride: int = 1,
        padding: tuple[int, int] = (0, 0),
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(old, new, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(new, eps=0.001)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.bn(self.conv(x)))


def small_inception() -> nn.Module:
    """Every convolution of Inception-v3 under its published name, with its kernel and few channels."""
    one, three, five = ((1, 1), 1, (0, 0)), ((3, 3), 1, (1, 1)), ((5, 5), 1, (2, 2))
    wide, tall = ((1, 7), 1, (0, 3)), ((7, 1), 1, (3, 0))
    a, b, halve = ((1, 3), 1, (0, 1)), ((3, 1), 1, (1, 0)), ((3, 3), 2, (0, 0))
    pool = ["branch_pool"]
    names = {
        "A": (["branch1x1", "branch5x5_1", "branch5x5_2", "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3", *pool],
              [one, one, five, one, three, three, one], [[0], [1, 2], [3, 4, 5], [6]]),
        "B": (["branch3x3", "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"], [halve, one, three, halve], [[0], [1, 2, 3]]),
        "C": (["branch1x1", *(f"branch7x7_{i}" for i in (1, 2, 3)), *(f"branch7x7dbl_{i}" for i in (1, 2, 3, 4, 5)), *pool],
              [one, one, wide, tall, one, tall, wide, tall, wide, one], [[0], [1, 2, 3], [4, 5, 6, 7, 8], [9]]),
        "D": (["branch3x3_1", "branch3x3_2", *(f"branch7x7x3_{i}" for i in (1, 2, 3, 4))], [one, halve, one, wide, tall, halve],
              [[0, 1], [2, 3, 4, 5]]),
        "E": (["branch1x1", "branch3x3_1", "branch3x3_2a", "branch3x3_2b", "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3a",
               "branch3x3dbl_3b", *pool], [one, one, a, b, one, three, a, b, one], None),
    }  # fmt: skip
    net, channels = nn.Module(), 3
    for name, new, (kernel, stride, padding) in (
        ("Conv2d_1a_3x3", 4, halve),
        ("Conv2d_2a_3x3", 3, ((3, 3), 1, (0, 0))),
        ("Conv2d_2b_3x3", 5, three),
        ("Conv2d_3b_1x1", 6, one),
        ("Conv2d_4a_3x3", 7, ((3, 3), 1, (0, 0))),
    ):
        net.add_module(name, Convolution(channels, new, kernel, stride, padding))
        channels = new
    kinds = dict(zip(BLOCKS, "AAABCCCCDEE", strict=True))
    for block, kind in kinds.items():
        module, (convolutions, shapes, branches) = nn.Module(), names[kind]
        inner = {}  # channels after each convolution
        for place, (name, shape) in enumerate(zip(convolutions, shapes, strict=True)):
            first = name.endswith("_1") or "_" not in name or name in pool
            before = channels if first else inner[place - 1]
            if name.endswith("b"):
                before = inner[place - 2]
            inner[place] = 3 + place % 3
            module.add_module(name, Convolution(before, inner[place], *shape))
        net.add_module(block, module)
        if kind == "E":
            channels = sum(inner[i] for i in (0, 2, 3, 6, 7, 8))
        else:
            channels = sum(inner[branch[-1]] for branch in branches) + (
                channels if kind in "BD" else 0
            )
    net.fc = nn.Linear(channels, 1008)
    generator = torch.Generator().manual_seed(5)
    for buffer_name, values in net.named_buffers():
        if values.is_floating_point():
            values.copy_(
                torch.rand(values.shape, generator=generator)
                + (0.5 if "var" in buffer_name else -0.5)
            )
    for values in net.parameters():
        values.data = (
            torch.randn(values.shape, generator=generator) * (2 / max(1, values[0].numel())) ** 0.5
        )
    return net.eval()


@pytest.fixture(scope="module")
def net():
    return small_inception()


def averaged_without_padding(x: torch.Tensor) -> torch.Tensor:
    """The mean over the pixels of a 3x3 neighbourhood that exist, pixel by pixel."""
    out = torch.zeros_like(x)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            out[:, :, i, j] = x[:, :, max(0, i - 1) : i + 2, max(0, j - 1) : j + 2].mean(dim=(2, 3))
    return out


def slow_block(net: nn.Module, block: str, x: torch.Tensor) -> torch.Tensor:
    """A block as its paper draws it."""
    m, maximum = getattr(net, block), nn.MaxPool2d(3, 1, 1)
    if block[-2] == "5":
        double = m.branch3x3dbl_3(m.branch3x3dbl_2(m.branch3x3dbl_1(x)))
        return torch.cat(
            [
                m.branch1x1(x),
                m.branch5x5_2(m.branch5x5_1(x)),
                double,
                m.branch_pool(averaged_without_padding(x)),
            ],
            1,
        )
    if block == "Mixed_6a":
        return torch.cat(
            [
                m.branch3x3(x),
                m.branch3x3dbl_3(m.branch3x3dbl_2(m.branch3x3dbl_1(x))),
                nn.MaxPool2d(3, 2)(x),
            ],
            1,
        )
    if block[-2] == "6":
        single = m.branch7x7_3(m.branch7x7_2(m.branch7x7_1(x)))
        double = m.branch7x7dbl_3(m.branch7x7dbl_2(m.branch7x7dbl_1(x)))
        double = m.branch7x7dbl_5(m.branch7x7dbl_4(double))
        return torch.cat(
            [m.branch1x1(x), single, double, m.branch_pool(averaged_without_padding(x))], 1
        )
    if block == "Mixed_7a":
        seven = m.branch7x7x3_4(m.branch7x7x3_3(m.branch7x7x3_2(m.branch7x7x3_1(x))))
        return torch.cat([m.branch3x3_2(m.branch3x3_1(x)), seven, nn.MaxPool2d(3, 2)(x)], 1)
    single, double = m.branch3x3_1(x), m.branch3x3dbl_2(m.branch3x3dbl_1(x))
    pooled = averaged_without_padding(x) if block == "Mixed_7b" else maximum(x)
    sides = [
        m.branch3x3_2a(single),
        m.branch3x3_2b(single),
        m.branch3x3dbl_3a(double),
        m.branch3x3dbl_3b(double),
    ]
    return torch.cat([m.branch1x1(x), *sides, m.branch_pool(pooled)], 1)


def test_every_block_of_inception_is_its_papers(net):
    ours = Inception(net.state_dict())
    with torch.no_grad():
        x = torch.randn(2, 3, 139, 139)
        expected = net.Conv2d_2b_3x3(net.Conv2d_2a_3x3(net.Conv2d_1a_3x3(x)))
        expected = nn.MaxPool2d(3, 2)(expected)
        expected = nn.MaxPool2d(3, 2)(net.Conv2d_4a_3x3(net.Conv2d_3b_1x1(expected)))
        assert expected.shape[2:] == (15, 15)
        for block in BLOCKS:
            y = slow_block(net, block, expected)
            scale = y.abs().max()
            np.testing.assert_allclose(
                ours.block(expected, block) / scale, y / scale, atol=1e-5, err_msg=block
            )
            expected = y / scale  # random blocks let the scale grow
        assert expected.shape[2:] == (3, 3)


def test_inception_whole_is_its_parts_and_has_the_published_sizes(net):
    ours = Inception(net.state_dict())
    sizes = []
    x = ours.preprocessing(np.full((1, 3, 8, 8), 255), Image(3, 8, 8))
    assert x.shape == (1, 3, 299, 299)
    assert x.unique().tolist() == [127 / 128]
    block = ours.block

    def recorded(y: torch.Tensor, name: str) -> torch.Tensor:
        sizes.append(y.shape[2])
        return block(y, name)

    ours.block = recorded
    features = ours(torch.randn(1, 3, 299, 299))
    assert sizes == [
        35,
        35,
        35,
        35,
        17,
        17,
        17,
        17,
        17,
        8,
        8,
    ]  # what enters each block, as published for 299 pixels
    assert features.shape == (1, net.fc.in_features)


def test_inception_features_are_named_by_what_their_file_proves(net, images, tmp_path, monkeypatch):
    torch.save(net.state_dict(), tmp_path / "pt_inception-2015-12-05-6726825d.pth")
    features = inception_features(tmp_path / "pt_inception-2015-12-05-6726825d.pth", SPACE)
    assert features.name.startswith("inception-v3 weights ")  # the name of the file proves nothing
    assert features.name.endswith(", resized 299x299 bilinear of TensorFlow 1")
    assert "fid" not in features.name
    assert features(images[:1]).shape == (1, net.fc.in_features)
    module = sys.modules[inception_features.__module__]
    monkeypatch.setattr(module, "PUBLISHED_INCEPTION", features.name.split()[2][:8])
    again = inception_features(tmp_path / "pt_inception-2015-12-05-6726825d.pth", SPACE)
    assert again.name.startswith("inception-v3-fid-2048 ")


# --- refusals


class Bomb:
    """Unpickling it would run what it names."""

    def __reduce__(self):
        return (sys.exit, ("unpickled",))


def test_refusals(net, tmp_path):
    def written(content: object) -> Path:
        torch.save(content, tmp_path / "w.pth")
        return tmp_path / "w.pth"

    with pytest.raises(
        BadInput,
        match=r"other pickles run code when they are opened: save the network's state_dict\(\)",
    ):
        inception_features(written({"a": Bomb()}), SPACE)
    with pytest.raises(BadInput, match="not a file of tensors only"):
        dinov2_features(written(net), SPACE)
    with pytest.raises(BadInput, match="holds a list"):
        clip_features(written([torch.zeros(2)]), SPACE)
    with pytest.raises(BadInput, match="holds no tensors"):
        clip_features(written({"a": 3}), SPACE)
    with pytest.raises(
        BadInput, match="Inception-v3 of 1000 classes: expected the network of 1008 classes"
    ):
        inception_features(written({**net.state_dict(), "fc.weight": torch.zeros(1000, 9)}), SPACE)
    with pytest.raises(BadInput, match=r"without Mixed_7c.branch_pool.bn.bias"):
        inception_features(
            written(
                {k: v for k, v in net.state_dict().items() if k != "Mixed_7c.branch_pool.bn.bias"}
            ),
            SPACE,
        )
    with pytest.raises(BadInput, match="without cls_token, pos_embed"):
        dinov2_features(written(net.state_dict()), SPACE)
    with pytest.raises(BadInput, match="expected CLIP with a vision transformer"):
        clip_features(written({"visual.layer1.0.conv1.weight": torch.zeros(1)}), SPACE)
    with pytest.raises(BadInput, match="images of 2 channels"):
        inception_features(written(net.state_dict()), Image(2, 8, 8))
    (tmp_path / "broken.safetensors").write_bytes(b"\x02\0\0\0\0\0\0\0{]")
    with pytest.raises(BadInput, match="is not safetensors"):
        clip_features(tmp_path / "broken.safetensors", SPACE)
    with pytest.raises(BadInput, match="cannot be read"):
        clip_features(tmp_path / "absent", SPACE)
    torch.save(as_released_tiny(), tmp_path / "tiny.pth")
    with pytest.raises(BadInput, match="inputs of 30 pixels: expected a multiple of 14"):
        dinov2_features(tmp_path / "tiny.pth", SPACE, size=30)


def as_released_tiny() -> dict[str, torch.Tensor]:
    return {
        "cls_token": torch.zeros(1, 1, 64),
        "pos_embed": torch.zeros(1, 5, 64),
        "patch_embed.proj.weight": torch.zeros(64, 3, 14, 14),
        "norm.weight": torch.ones(64),
        "blocks.0.attn.qkv.weight": torch.zeros(192, 64),
    }


def test_weights_in_a_torchscript_archive_are_read(net, tmp_path):
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.trace(net.Mixed_5b.branch1x1, torch.zeros(1, 7, 4, 4)), stream)
    (tmp_path / "script.pt").write_bytes(stream.getvalue())
    with pytest.raises(BadInput, match="Inception-v3 of 0 classes"):
        inception_features(tmp_path / "script.pt", SPACE, trust=True)
