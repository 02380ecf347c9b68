"""The game by hand, the penalties in closed form, players that keep to their own weights, and modes that are found."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from oracles import perturb
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given
from pushforward.core.loss import Loss
from pushforward.core.noise import BatchNoise, Noise
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.spec import TrainConfig
from pushforward.data.open import open_data
from pushforward.engine.fit import fit
from pushforward.families.gan.config import GANConfig
from pushforward.families.gan.game import Game, relativistic
from pushforward.families.gan.model import GAN
from pushforward.families.gan.penalties import Round, gradient_penalty

SMALL = GANConfig(latent=3, width=8, depth=1, context=4, gamma=0.7)


class Quadratic(nn.Module):
    """A critic `a . x + x^T B x / 2`, or a generator `x -> C x` with context ignored."""

    def __init__(self, a: Tensor, b: Tensor) -> None:
        super().__init__()
        self.a, self.b = nn.Parameter(a), nn.Parameter(b)

    def forward(self, x: Tensor, context: Tensor | None) -> Tensor:
        return (x @ self.a + 0.5 * ((x @ self.b) * x).sum(1)).unsqueeze(1)


class Linear(nn.Module):
    def __init__(self, c: Tensor) -> None:
        super().__init__()
        self.c = nn.Parameter(c)

    def forward(self, z: Tensor, context: Tensor | None) -> Tensor:
        return z @ self.c.T


def by_hand() -> GAN:
    model = GAN(Points(2), SMALL)
    model.critic = Quadratic(torch.tensor([1.0, -2.0]), torch.tensor([[0.5, 0.2], [0.2, -1.0]]))
    model.generator = Linear(torch.tensor([[1.0, 0.0, 0.5], [0.0, -1.0, 0.3]]))
    return model


def test_both_batches_are_judged_under_their_labels() -> None:
    model = GAN(Image(1, 4, 4, 5), SMALL, ("a", "b", "c"))
    perturb(model, 0.5)
    draws = (torch.randn(3, 1, 4, 4, generator=generator(seed)) for seed in (0, 1))
    given = Given(label=torch.tensor([2, 0, 1]))
    (real, fake), together = (pair := tuple(draws)), None
    together = model._judged(real, fake, given)
    for found, x in zip(together, pair, strict=True):
        torch.testing.assert_close(found, model.judge(x, given))
        other = model.judge(x, Given(label=torch.tensor([0, 1, 2])))
        assert bool((found - other).abs().gt(1e-3).all())


def test_pictures_that_end_in_tanh_are_the_squashed_ones_of_the_same_weights() -> None:
    """A background that is meant to be black is black, however far beyond it a network goes."""
    space, z = Image(1, 4, 4, levels=256), 9.0 * torch.randn(64, 3, generator=generator(0))
    plain, squashed = (GAN(space, SMALL.model_copy(update={"tanh": on})) for on in (False, True))
    perturb(plain, 0.5)
    squashed.load_state_dict(plain.state_dict())
    there, here = plain.generate(z, None), squashed.generate(z, None)
    torch.testing.assert_close(here, there.tanh())
    drawn = squashed.codec.decode(here)
    assert bool((drawn[there < -4.0] == 0).all())
    assert bool((drawn[there > 4.0] == 255).all())
    assert int((there.abs() > 4.0).sum()) > 20


def test_points_do_not_end_in_tanh() -> None:
    with pytest.raises(BadInput, match=r"'model.tanh=True' with mlp"):
        GAN(Points(2), SMALL.model_copy(update={"tanh": True}))


def softplus(v: Tensor) -> float:
    """A second implementation, `max(v, 0) + log(1 + exp(-|v|))`, in float64."""
    v = v.double()
    return float((v.clamp(min=0) + torch.log1p(torch.exp(-v.abs()))).mean())


def test_relativistic_loss_by_hand_at_any_size() -> None:
    real, fake = (
        torch.tensor([3.0, -1.0, 1000.0, -1000.0]),
        torch.tensor([1.0, 2.0, -1000.0, 1000.0]),
    )
    expected = (math.log1p(math.exp(-2)) + math.log1p(math.exp(3)) + 0.0 + 2000.0) / 4
    assert float(relativistic(real, fake)) == pytest.approx(expected)
    # the first argument is the one that should win
    assert float(relativistic(real[:1], fake[:1])) < float(relativistic(fake[:1], real[:1]))


def test_gradient_penalty_is_half_the_squared_gradient_of_each_example() -> None:
    model = by_hand()
    x = torch.randn(6, 2, generator=generator(0)).requires_grad_(True)
    assert isinstance(model.critic, Quadratic)
    gradient = model.critic.a + x.detach() @ model.critic.b
    expected = 0.5 * gradient.square().sum(1).mean()
    fake = torch.randn(6, 2, generator=generator(9)).requires_grad_(True)
    seen = Round(x, fake, model.judge(x, None), model.judge(fake, None))
    torch.testing.assert_close(seen.gradients[0], gradient)
    torch.testing.assert_close(seen.gradients[1], model.critic.a + fake.detach() @ model.critic.b)
    penalty = gradient_penalty(seen.gradients[0])
    torch.testing.assert_close(penalty, expected)
    # and it can be differentiated once more: d/da is the mean gradient
    (slope,) = torch.autograd.grad(penalty, model.critic.a)
    torch.testing.assert_close(slope, gradient.mean(0).detach())


def test_both_losses_are_the_game_by_hand() -> None:
    model, n = by_hand(), 64
    assert isinstance(model.critic, Quadratic)
    x = torch.randn(n, 2, generator=generator(1)) + 1.0
    # the same noise in the same order: the critic's fakes first, then the generator's
    replay = BatchNoise(generator(2), n)
    first, second = (model.generator(replay.normal(3), None).detach() for _ in range(2))
    critic, player = model._losses(x, None, BatchNoise(generator(2), n))
    judge = lambda v: model.judge(v, None).detach()  # noqa: E731

    def penalty(v: torch.Tensor) -> float:
        return 0.5 * float((model.critic.a + v @ model.critic.b).detach().square().sum(1).mean())

    expected = softplus(judge(first) - judge(x)) + 0.7 * (penalty(x) + penalty(first))
    assert critic.parameters == "critic"
    assert float(critic.value.detach()) == pytest.approx(expected, rel=1e-5)
    assert critic.record["R1"] == pytest.approx(penalty(x), rel=1e-5)
    assert critic.record["R2"] == pytest.approx(penalty(first), rel=1e-5)
    assert player.parameters == "generator"
    assert float(player.value.detach()) == pytest.approx(
        softplus(judge(x) - judge(second)), rel=1e-5
    )


def test_another_game_without_penalties_is_two_assignments() -> None:
    model, n = by_hand(), 64
    model.game = Game(
        "hinge",
        "scores beyond one are good enough",
        critic=lambda real, fake: (1.0 - real).relu().mean() + (1.0 + fake).relu().mean(),
        generator=lambda real, fake: -fake.mean(),
    )
    model.penalties = ()
    x = torch.randn(n, 2, generator=generator(1)) + 1.0
    replay = BatchNoise(generator(2), n)
    first, second = (
        model.judge(model.generator(replay.normal(3), None), None).detach() for _ in range(2)
    )
    real = model.judge(x, None).detach()
    critic, player = model._losses(x, None, BatchNoise(generator(2), n))
    expected = float((1.0 - real).clamp(min=0).mean() + (1.0 + first).clamp(min=0).mean())
    assert float(critic.value.detach()) == pytest.approx(expected, rel=1e-5)
    assert critic.name == "critic's game loss (no measure of quality)"
    assert set(critic.record) == {"D(real) - D(fake)"}
    assert float(player.value.detach()) == pytest.approx(-float(second.mean()), rel=1e-5)


def test_descending_its_loss_each_player_does_what_it_should() -> None:
    model = by_hand()
    x = torch.randn(256, 2, generator=generator(3)) + 2.0
    noise = lambda: BatchNoise(generator(4), 256)  # noqa: E731

    def gap() -> float:
        replay = noise()
        replay.normal(3)
        fake = model.generator(replay.normal(3), None)
        return float((model.judge(x, None) - model.judge(fake, None)).mean().detach())

    model.gamma = 0.0
    before = gap()
    for index, network, sign in ((0, model.critic, 1.0), (1, model.generator, -1.0)):
        loss = list(model._losses(x, None, noise()))[index]
        parameters = list(network.parameters())
        saved = [p.detach().clone() for p in parameters]
        with torch.no_grad():
            for p, g in zip(parameters, torch.autograd.grad(loss.value, parameters), strict=True):
                p.sub_(0.01 * g)
        assert sign * (gap() - before) > 0
        with torch.no_grad():
            for p, old in zip(parameters, saved, strict=True):
                p.copy_(old)


def weights(model: GAN) -> tuple[list[Tensor], list[Tensor]]:
    groups = model.parameter_groups()
    return tuple([p.detach().clone() for p in groups[k]] for k in ("critic", "generator"))  # type: ignore[return-value]


def watched(model: GAN, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Tensor], list[Tensor]]]:
    """The players' weights around every update that the engine will make."""
    seen: list[tuple[list[Tensor], list[Tensor]]] = []
    losses = model._losses

    def observed(x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        seen.append(weights(model))
        for loss in losses(x, given, noise):
            yield loss
            seen.append(weights(model))

    monkeypatch.setattr(model, "_losses", observed)
    return seen


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a, b, strict=True))


def test_an_update_of_one_player_leaves_the_other_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = GAN(Points(2), SMALL, ("a", "b"))
    seen = watched(model, monkeypatch)
    x = torch.randn(64, 2, generator=generator(5))
    examples = Examples(x, Given(torch.arange(64) % 2))
    fit(model, examples, examples, TrainConfig(steps=2, batch_size=16))
    assert len(seen) == 6
    for start, after_critic, after_both in (seen[:3], seen[3:]):
        assert not same(start[0], after_critic[0])
        assert same(start[1], after_critic[1])
        assert same(after_critic[0], after_both[0])
        assert not same(after_critic[1], after_both[1])


@pytest.mark.parametrize("space", [Points(2), Image(1, 4, 4, levels=4)])
def test_both_players_look_at_the_label(space: Points | Image) -> None:
    model = GAN(space, SMALL, ("a", "b"))
    perturb(model, 0.2)
    a, b = (Given(torch.full((5,), i)) for i in (0, 1))
    z = torch.randn(5, 3, generator=generator(6))
    assert not torch.allclose(model.generate(z, a), model.generate(z, b))
    x = torch.randn(5, *space.event_shape, generator=generator(7))
    assert not torch.allclose(model.judge(x, a), model.judge(x, b))


def modes_found(x: Tensor, modes: Tensor, sigma: float, share: float = 1 / 3) -> tuple[int, float]:
    """Count the modes with at least `share` of their fair share of samples within three sigma, and the samples near any."""
    distance, nearest = torch.cdist(x, modes).min(1)
    near = distance < 3 * sigma
    counts = torch.bincount(nearest[near], minlength=len(modes))
    return int((counts >= share * len(x) / len(modes)).sum()), float(near.float().mean())


def test_modes_are_counted_as_a_person_would() -> None:
    angle = torch.arange(8) * math.pi / 4
    modes = 4 / 1.414 * torch.stack([angle.cos(), angle.sin()], 1)
    collapsed = modes[:1].repeat(800, 1)
    assert modes_found(collapsed, modes, 0.35) == (1, 1.0)
    assert modes_found(modes.repeat(100, 1), modes, 0.35) == (8, 1.0)
    assert modes_found(torch.zeros(800, 2), modes, 0.35) == (0, 0.0)


def test_a_short_training_finds_every_mode_of_eight() -> None:
    model = GAN(Points(2), GANConfig(latent=8, width=64, depth=2, gamma=0.1))
    data = open_data("gaussians-8")
    settings = {**GAN.presets[("cpu", "points")].train, "steps": 400, "seed": 0}
    fit(model, data.train, data.validation[:500], TrainConfig(**settings))
    angle = torch.arange(8) * math.pi / 4
    modes = 4 / 1.414 * torch.stack([angle.cos(), angle.sin()], 1)
    found, near = modes_found(model.sample(2000, seed=1), modes, 0.5 / 1.414)
    assert found == 8
    assert near > 0.7
