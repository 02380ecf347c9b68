"""Which weights of a picture's denoiser Muon may take: what turns features into features."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pushforward.core.given import Examples, Given
from pushforward.core.space import Image
from pushforward.core.spec import TrainConfig
from pushforward.engine.fit import fit
from pushforward.families.build import build
from pushforward.nets.hidden import SeesAll, hidden_weights

CLASSES = tuple("abcdefghijklmnopqrst")


@pytest.mark.parametrize("architecture", ["unet", "dit", "lean", "mlp", "experts"])
def test_neither_ends_nor_embeddings_nor_what_sees_all_are_hidden(architecture: str) -> None:
    model = build(
        "diffusion",
        Image(3, 8, 8, levels=256),
        CLASSES,
        {"architecture": architecture, "width": 64, "depth": 1},
    )
    hidden = {id(weight) for weight in model.hidden_matrices()}
    assert hidden
    for name, part in model.named_modules():
        weight = getattr(part, "weight", None)
        if not isinstance(weight, nn.Parameter):
            continue
        if isinstance(part, nn.Embedding) or weight.dim() < 2 or 3 in weight.shape[:2]:
            assert id(weight) not in hidden, name
        elif isinstance(part, nn.Conv2d) and name.endswith(("conv1", "conv2")):
            assert id(weight) in hidden, name
    for part in model.modules():
        if isinstance(part, SeesAll):
            assert not hidden & {id(weight) for weight in part.parameters()}


def test_few_channels_are_no_features() -> None:
    net = nn.ModuleDict(
        {"one": nn.Linear(15, 64), "two": nn.Linear(64, 15), "it": nn.Linear(16, 16)}
    )
    assert [tuple(weight.shape) for weight in hidden_weights(net)] == [(16, 16)]


def test_training_with_muon_is_the_same_twice_and_moves_filters_alike() -> None:
    """An update of a filter has singular values of about its rate, whatever its gradient was."""
    x = torch.randint(0, 256, (24, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    data = Examples(x, Given(torch.arange(24) % 2))
    config = TrainConfig(
        steps=2,  # a new network says zero, so that filters have no gradient at first
        batch_size=8,
        optimiser="muon",
        matrix_learning_rate=0.05,
        warmup=0.0,
        weight_decay=0.0,
        final_learning_rate=1.0,
        ema=0.0,
    )
    values = {"architecture": "experts", "width": 64, "depth": 1}

    def trained() -> dict[str, torch.Tensor]:
        model = build("diffusion", Image(1, 8, 8, levels=256), ("a", "b"), values)
        fit(model, data, data[:4], config)
        return model.state_dict()

    before = build("diffusion", Image(1, 8, 8, levels=256), ("a", "b"), values).state_dict()
    once, again = trained(), trained()
    assert all(torch.equal(once[name], again[name]) for name in once)
    name = next(
        n for n in once if n.endswith("conv2.weight") and not torch.equal(once[n], before[n])
    )
    moved = torch.linalg.svdvals((once[name] - before[name]).flatten(1).double())
    assert 0.05 * 0.6 < float(moved.max()) < 0.05 * 1.3
