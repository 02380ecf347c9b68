"""An architecture of flow, VAE and GAN is one object: it appears where architectures are listed, trains and samples."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from conformance.cases import cases, tiny_model
from pushforward.core.architecture import Architecture
from pushforward.core.given import Examples
from pushforward.core.rng import generator
from pushforward.core.space import Points, Space
from pushforward.core.spec import Config, TrainConfig
from pushforward.engine.fit import fit
from pushforward.families.build import build, family_class, settings
from pushforward.families.flow.chains.chain import Chain, VectorChain
from pushforward.families.flow.transforms.actnorm import ActNorm
from pushforward.families.flow.transforms.lu_linear import LULinear
from pushforward.families.gan.architectures import Players
from pushforward.families.shared.codecs import standardised
from pushforward.families.vae.architectures import Autoencoder, CodeWidths
from pushforward.families.vae.decoder import GaussianObservation, LocationScale


class Matrix(nn.Module):
    """A linear map of whatever it is given, condition included."""

    def __init__(self, inputs: int, outputs: int, context: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs + context, outputs)

    def forward(self, x: Tensor, context: Tensor | None) -> Tensor:
        return self.linear(x if context is None else torch.cat([x, context], 1))


def linear_flow(space: Space, config: Config, context: int) -> Chain:
    return VectorChain(space.event_shape, [ActNorm(space.dimensions), LULinear(space.dimensions)])


def linear_autoencoder(space: Space, config: Config, widths: CodeWidths) -> Autoencoder:
    encoder = Matrix(space.dimensions, widths.codes, widths.context)
    decoder = Matrix(widths.latent, 2 * space.dimensions, widths.context)
    return Autoencoder(encoder, decoder, LocationScale(GaussianObservation, "lebesgue"))


def linear_players(space: Space, config: Config, latent: int, context: int) -> Players:
    return Players(Matrix(latent, space.dimensions, context), Matrix(space.dimensions, 1, context))


LINEAR = {
    "flow": Architecture("linear", "one matrix", linear_flow, standardised),
    "vae": Architecture("linear", "two matrices", linear_autoencoder, standardised),
    "gan": Architecture("linear", "two matrices that play", linear_players, standardised),
}


@pytest.mark.parametrize("family", sorted(LINEAR))
def test_an_architecture(family: str) -> None:
    capabilities = family_class(family).capabilities
    with capabilities.architectures["points"].with_one_more(LINEAR[family]):
        assert "linear" in capabilities.architecture_names("points")
        mine = [case for case in cases() if case.family == family and case.architecture == "linear"]
        assert {case.labelled for case in mine} == {False, True}
        for case in mine:
            assert tiny_model(case).sample(3, seed=1).shape == (3, 2)
        model = build(
            family, Points(2), values=settings(family, Points(2), "smoke", "linear")["model"]
        )
        x = Examples(torch.randn(64, 2, generator=generator(0)))
        record = fit(model, x, x, TrainConfig(steps=2, batch_size=16, seed=0))
        assert record.steps == 2
        assert all(
            math.isfinite(v)
            for entry in record.history
            for v in entry.values()
            if isinstance(v, float)
        )
        assert bool(model.sample(4, seed=0).isfinite().all())
        if capabilities.estimators["points"]:
            assert bool(model.log_prob(x).nats.isfinite().all())
    assert "linear" not in capabilities.architecture_names("points")
