"""Walk, Loss, LogProb and Codec proved on toys whose truth is known."""

from __future__ import annotations

import math

import pytest
import torch

from oracles import enumerate_images, perturb, total_mass
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Examples, Given
from pushforward.core.logprob import LogProb
from pushforward.core.noise import BatchNoise
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.walk import WalkWrapper, run, states, trajectory
from toys import Gauss, Liar, PixelState, Pixelwise

TINY = Image(1, 2, 2, levels=3)


def labelled() -> Pixelwise:
    model = Pixelwise(TINY, classes=("a", "b", "c"))
    perturb(model, 1.0)
    model.label_frequency.copy_(torch.tensor([0.5, 0.3, 0.2]))
    return model


def test_exact_counts_to_one_given_each_label_and_in_the_mixture() -> None:
    model = labelled()
    for given in (0, 1, 2, None):
        assert total_mass(model, given, "exact", None) == pytest.approx(1.0, abs=1e-5)


def test_mixture_is_the_law_of_total_probability() -> None:
    model = labelled()
    x = enumerate_images(TINY)
    per_label = torch.stack([model.log_prob(x, given=k).nats.exp() for k in range(3)])
    mixture = torch.tensor([0.5, 0.3, 0.2]) @ per_label
    lp = model.log_prob(x)
    torch.testing.assert_close(lp.nats.exp(), mixture)
    assert lp.given == "marginal"
    assert lp.calls == 3


def test_unconditional_samples_follow_the_mixture() -> None:
    # chi-square on 81 cells, 80 degrees of freedom, 20,000 draws: 99.99 % quantile is 135 (false alarm 1e-4, seed fixed)
    model = labelled()
    x = enumerate_images(TINY)
    p = model.log_prob(x).nats.exp()
    code = (model.sample(20_000, seed=1).flatten(1).long() * torch.tensor([27, 9, 3, 1])).sum(1)
    observed = torch.bincount(code, minlength=81).double()
    chi2 = float(((observed - 20_000 * p) ** 2 / (20_000 * p)).sum())
    assert 40 < chi2 < 135


def test_density_in_data_units_integrates_to_one_and_a_liar_is_caught() -> None:
    # data with location 3 and scales 2 and 0.5: a forgotten log-determinant would give 1.0 instead of 1
    data = torch.randn(4000, 2, generator=generator(0, "data")) * torch.tensor([2.0, 0.5]) + 3.0
    for cls, truth in ((Gauss, 1.0), (Liar, math.exp(0.25))):
        model = cls(Points(2))
        model.prepare(Examples(data))
        assert total_mass(model, None, "exact", None) == pytest.approx(truth, rel=1e-4)
    entropy = math.log(2 * math.pi * math.e) + math.log(2.0 * 0.5)
    model = Gauss(Points(2))
    model.prepare(Examples(data))
    assert model.log_prob(data).value == pytest.approx(
        entropy, abs=4 * model.log_prob(data).standard_error + 0.01
    )


def test_dequantised_density_is_a_lower_bound() -> None:
    model = Gauss(TINY)
    perturb(model, 0.3)
    model.requires_grad_(False)
    x = enumerate_images(TINY)
    draws = torch.stack([model.log_prob(x, seed=s).nats for s in range(200)])
    assert model.log_prob(x).kind == "lower_bound"
    bound = draws.mean(0).double().exp()
    mass = draws.double().exp().mean(0)  # exp is unbiased for the probability
    assert bool((bound <= mass).all())
    # the Gaussian also covers reals outside [0, 1): its mass on the cube is the true sum
    z = torch.distributions.Normal(model.mean[0].double(), model.log_scale.double().exp())
    cube = float((z.cdf(torch.ones(())) - z.cdf(torch.zeros(()))).prod())
    assert float(mass.sum()) == pytest.approx(cube, rel=0.02)


def test_uniform_density_over_the_cube_is_log_levels_bits() -> None:
    # p(y) = 1 on [0,1)^D gives exactly log2 L bits/dim: +8 for 256 levels, never 255
    from pushforward.core.codec import Codec, Dequantise
    from pushforward.core.noise import Streams

    space = Image(3, 4, 4, levels=256)
    encoded = Codec(space, [Dequantise(256)]).encode(
        torch.zeros(2, 3, 4, 4, dtype=torch.uint8), Streams(0, 2)
    )
    lp = LogProb(encoded.log_det, "lower_bound", "counting", space.unit, "uniform")
    assert lp.bits_per_dim == pytest.approx(8.0, abs=1e-6)


def test_walk_streams_and_is_independent_of_its_batch() -> None:
    model = labelled()
    assert len(list(states(model.walk(4, given=1)))) == 5
    views = trajectory(model.walk(4, given=1), 3)
    assert torch.equal(model.codec.decode(views[-1]), model.sample(4, given=1))
    assert torch.equal(model.sample(50, seed=3)[:7], model.sample(7, seed=3))
    assert torch.equal(model.sample(50, seed=3, batch=8), model.sample(50, seed=3, batch=50))


def test_a_wrapper_changes_a_step_of_any_walk() -> None:
    model = labelled()

    class FirstPixelKept(WalkWrapper[PixelState]):
        def step(self, state: PixelState, index: int) -> PixelState:
            state = self.walk.step(state, index)
            state.x[:, 0] = 2
            return state

    x = run(FirstPixelKept(model.walk(32)))
    assert bool((x[:, 0, 0, 0] == 2).all())
    assert len(x[:, 0, 0, 1].unique()) > 1


def test_kinds_and_measures_do_not_mix() -> None:
    unit = TINY.unit
    exact = LogProb(torch.zeros(3), "exact", "counting", unit, "exact")
    bound = LogProb(torch.zeros(3), "lower_bound", "counting", unit, "elbo")
    points = LogProb(torch.zeros(3), "exact", "lebesgue", Points(2).unit, "exact")
    with pytest.raises(BadInput, match=r"kind differ \(exact and lower_bound\).*keep them apart"):
        LogProb.concatenate([exact, bound])
    with pytest.raises(BadInput, match=r"measure differ"):
        _ = exact + points
    with pytest.raises(BadInput, match=r"image space"):
        _ = points.bits_per_dim
    with pytest.raises(BadInput, match=r"lower bound added to an upper bound"):
        LogProb(torch.zeros(3), "upper_bound", "counting", unit, "x").add(
            torch.zeros(3), bound=True
        )
    assert exact.add(torch.ones(3), bound=True).kind == "lower_bound"


def test_chain_rule_averages_bits_over_both_halves() -> None:
    half = Image(1, 1, 2, levels=4)
    a = LogProb(torch.tensor([-2.0]), "exact", "counting", half.unit, "exact")
    whole = a + a
    assert whole.bits_per_dim == pytest.approx(4.0 / (4 * math.log(2)))


def test_refusals_name_the_reason_and_the_alternative() -> None:
    model = labelled()
    with pytest.raises(
        Unsupported, match=r"pixelwise.encode: discrete pixels have no code; use a flow"
    ):
        model.encode(enumerate_images(TINY))
    with pytest.raises(Unsupported, match=r"no sampling option 'temperature'"):
        model.sample(2, temperature=0.5)
    with pytest.raises(BadInput, match=r"unknown sampling option 'temprature'.*temperature"):
        model.sample(2, temprature=0.5)
    with pytest.raises(Unsupported, match=r"no estimator 'iwae'"):
        model.log_prob(enumerate_images(TINY), estimator="iwae")
    with pytest.raises(BadInput, match=r"the condition '11'.*a, b, c"):
        model.sample(2, given="11")
    with pytest.raises(BadInput, match=r"0 to 2"):
        model.sample(2, given=torch.tensor([0, 9]))
    with pytest.raises(BadInput, match=r"trained without labels"):
        Gauss(Points(2)).sample(2, given="cat")


def test_nothing_touches_the_global_generator() -> None:
    model = labelled()
    before = torch.get_rng_state()
    model.sample(3)
    list(
        model.losses(
            Examples(enumerate_images(TINY)[:4], Given.of_label(0, 4)), BatchNoise(generator(0), 4)
        )
    )
    assert torch.equal(before, torch.get_rng_state())
