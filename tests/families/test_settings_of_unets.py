"""What only the U-Nets of diffusion read: dropout and multipliers."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from pushforward.core.errors import BadInput
from pushforward.core.given import Examples
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import BatchNoise
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points, Space
from pushforward.families.build import build

SPACE = Image(1, 8, 8, 4)
X = torch.randint(0, 4, (4, 1, 8, 8), generator=generator(0))


def made(space: Space = SPACE, **settings: Any) -> GenerativeModel:
    model = build("diffusion", space, values={"width": 8, "depth": 1, "context": 8, **settings})
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator(1)))
    return model


@pytest.mark.parametrize("architecture", ["unet", "edm"])
def test_features_are_dropped_in_training_alone(architecture: str) -> None:
    plain, dropping = (made(architecture=architecture, dropout=rate) for rate in (0.0, 0.5))

    def loss(model: GenerativeModel) -> float:
        return float(next(model.losses(Examples(X), BatchNoise(generator(2), 4))).value.detach())

    for model in (plain, dropping):
        model.prepare(Examples(X))
    assert loss(plain) != loss(dropping)
    draws = [model.sample(3, seed=4, steps=3) for model in (plain, dropping)]
    assert torch.equal(*draws)
    scores = [model.log_prob(X, seed=5).nats for model in (plain, dropping)]
    torch.testing.assert_close(*scores)


@pytest.mark.parametrize("architecture", ["unet", "edm"])
def test_multipliers_are_channels_of_scales(architecture: str) -> None:
    of = made(Image(3, 16, 16), architecture=architecture, multipliers=(1, 3))
    body = of.process.denoiser.network.body  # type: ignore[attr-defined]
    assert [blocks[0].conv1.out_channels for blocks in body.down] == [8, 24, 24]


@pytest.mark.parametrize(
    ("space", "settings"),
    [
        (SPACE, {"architecture": "dit", "dropout": 0.1}),
        (SPACE, {"architecture": "dit", "multipliers": (1, 2)}),
        (Points(2), {"dropout": 0.1}),
        (Points(2), {"multipliers": (2,)}),
    ],
)
def test_networks_that_would_not_read_them_refuse(space: Space, settings: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="it would change nothing"):
        made(space, **settings)
