"""Guidance against closed forms: Bayes' rule for classifiers, intervals, rescaling, autoguidance, and what each costs."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from conformance.cases import examples, train
from families.diffusion_oracles import MixtureDenoiser, mixture
from pushforward.core.codec import Codec
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Given
from pushforward.core.noise import BatchNoise, Streams
from pushforward.core.rng import generator
from pushforward.core.space import Image, Points
from pushforward.core.walk import run
from pushforward.families.build import build
from pushforward.families.diffusion.denoisers.classifier import NoiseAwareClassifier
from pushforward.families.diffusion.denoisers.denoiser import Denoiser
from pushforward.families.diffusion.denoisers.guidance import (
    Autoguided,
    ClassifierGuided,
    Guided,
    Lean,
)
from pushforward.families.diffusion.paths.path import VariancePreserving
from pushforward.families.diffusion.solvers.sampler import SOLVERS

LEVELS = (0.05, 0.6, 4.0)


class Component(Denoiser):
    """The mixture and its components: label k is component k, no label is all of them. Counts what it is asked."""

    def __init__(self, mixed: MixtureDenoiser) -> None:
        self.mixed, self.seen = mixed, 0

    def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        self.seen += 1
        if given is None or given.label is None:
            return self.mixed.denoise(y, noise_level, None)
        s = noise_level.to(y)
        mean, variance = self.mixed.means[given.label], self.mixed.variances[given.label]
        return mean + variance / (variance + s**2) * (y - mean)


class Bayes:
    """The exact classifier of a mixture at any noise level."""

    def __init__(self, mixed: MixtureDenoiser) -> None:
        self.mixed = mixed

    def log_prob(self, y: Tensor, noise_level: Tensor) -> Tensor:
        return self.mixed._joint(y, noise_level.to(y).expand(len(y))).log_softmax(1)


def points(n: int = 40) -> tuple[Tensor, Given]:
    y = 2.0 * torch.randn(n, 2, generator=generator(0), dtype=torch.float64)
    return y, Given(torch.arange(n) % 3)


@pytest.mark.parametrize("level", LEVELS)
def test_an_exact_classifier_turns_the_unconditional_denoiser_into_that_of_the_class(
    level: float,
) -> None:
    """`E[x|y, k] = E[x|y] + s^2 grad log p(k|y)`: Bayes' rule and Tweedie's formula."""
    component, (y, given), s = Component(mixture()), points(), torch.tensor(level).double()
    guided = ClassifierGuided(component, Bayes(mixture()), Lean(1.0))
    torch.testing.assert_close(
        guided.denoise(y, s, given), component.denoise(y, s, given), rtol=1e-9, atol=1e-9
    )
    # the classifier inside a label-conditional pair is the same lean: weights agree as well
    for weight in (0.0, 2.5):
        one = ClassifierGuided(component, Bayes(mixture()), Lean(weight)).denoise(y, s, given)
        other = Guided(component, weight).denoise(y, s, given)
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def test_classifier_guided_samples_have_the_moments_of_the_class() -> None:
    """4,000 samples of the class that is farthest from the mean: both moments within 5 standard errors."""
    n, k = 4_000, 2
    oracle = mixture()
    guided = ClassifierGuided(Component(oracle), Bayes(oracle), Lean(1.0))
    rng = generator(5)
    draw = lambda: torch.randn(n, 2, generator=rng, dtype=torch.float64)  # noqa: E731
    given = Given(torch.full((n,), k))
    x = run(
        SOLVERS["heun"].walk(
            VariancePreserving(0.002, 80.0), lambda y, s: guided.denoise(y, s, given), draw, 40, 1.0
        )
    )
    mean, variance = oracle.means[k], oracle.variances[k]
    assert bool(((x.mean(0) - mean).abs() < 5 * (variance / n).sqrt()).all())
    assert bool(((x.var(0) / variance - 1).abs() < 5 * (2 / n) ** 0.5 + 2e-3).all())


def test_an_interval_leans_inside_and_asks_once_outside() -> None:
    component, (y, given) = Component(mixture()), points()
    guided = Guided(component, Lean(3.0, 0.3, 2.0))
    for level, calls in ((0.1, 1), (0.3, 2), (1.0, 2), (2.0, 2), (2.1, 1)):
        s, before = torch.tensor(level).double(), component.seen
        found = guided.denoise(y, s, given)
        assert component.seen - before == calls == guided.cost(level)
        strong = component.denoise(y, s, given)
        null = component.denoise(y, s, None)
        torch.testing.assert_close(
            found, null + (3.0 if calls == 2 else 1.0) * (strong - null), rtol=1e-12, atol=1e-12
        )
    # levels of their own for every example
    s = torch.linspace(0.05, 4.0, len(y), dtype=torch.float64)
    rows = [guided.denoise(y[i : i + 1], s[i], given[i : i + 1]) for i in range(len(y))]
    many = Component(mixture())

    class Rowwise(Denoiser):
        def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
            return torch.cat(
                [
                    many.denoise(
                        y[i : i + 1], noise_level[i], None if given is None else given[i : i + 1]
                    )
                    for i in range(len(y))
                ]
            )

    torch.testing.assert_close(
        Guided(Rowwise(), Lean(3.0, 0.3, 2.0)).denoise(y, s, given),
        torch.cat(rows),
        rtol=1e-12,
        atol=1e-12,
    )


@pytest.mark.parametrize(
    ("name", "steps"), [("heun", 9), ("ddim", 9), ("unipc", 9), ("pc", 9), ("langevin", 4)]
)
def test_the_calls_of_a_walk_are_counted_level_by_level(name: str, steps: int) -> None:
    component, given = Component(mixture()), Given(torch.tensor([0, 1, 2]))
    guided = Guided(component, Lean(2.0, 0.5, 3.0))
    rng = generator(0)
    draw = lambda: torch.randn(3, 2, generator=rng, dtype=torch.float64)  # noqa: E731
    path = VariancePreserving(0.05, 20.0)
    walk = SOLVERS[name].walk(
        path, lambda y, s: guided.denoise(y, s, given), draw, steps, guided.cost
    )
    run(walk)
    always = SOLVERS[name].walk(path, lambda y, s: y, draw, steps, 2.0)
    assert walk.calls == component.seen
    assert always.calls / 2 < walk.calls < always.calls


def test_rescaling_gives_each_example_back_its_own_spread() -> None:
    class Pair(Denoiser):
        def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
            return 0.5 * y if given is None else torch.tanh(y) + 0.1

    y = torch.randn(5, 1, 4, 4, generator=generator(1)) * torch.tensor(
        [0.2, 1.0, 1.0, 3.0, 5.0]
    ).reshape(-1, 1, 1, 1)
    given, s = Given(torch.zeros(5, dtype=torch.long)), torch.tensor(1.0)
    strong, plain = Pair().denoise(y, s, given), Guided(Pair(), 4.0).denoise(y, s, given)
    whole, half = (
        Guided(Pair(), Lean(4.0, rescale=phi)).denoise(y, s, given) for phi in (1.0, 0.5)
    )
    spread = lambda x: x.flatten(1).std(1, correction=0)  # noqa: E731
    torch.testing.assert_close(spread(whole), spread(strong))
    assert float((spread(plain) / spread(strong) - 1).abs().min()) > 0.05
    torch.testing.assert_close(half, 0.5 * (whole + plain))
    # an example alone is rescaled as among others
    torch.testing.assert_close(
        Guided(Pair(), Lean(4.0, rescale=1.0)).denoise(y[2:3], s, given[2:3]), whole[2:3]
    )


@pytest.mark.parametrize("level", LEVELS)
def test_autoguidance_undoes_a_known_error(level: float) -> None:
    """If the weak model errs by e and the strong one by e/3, leaning with w = 3/2 cancels both: D + e/3 + w' (2/3)(-e)."""

    class Erring(Denoiser):
        def __init__(self, share: float) -> None:
            self.share, self.inner = share, Component(mixture())

        def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
            return self.inner.denoise(y, noise_level, given) + self.share * (
                y.roll(1, 1) ** 2 + 0.3
            )

    y, given = points()
    s = torch.tensor(level).double()
    guided = Autoguided(Erring(1 / 3), Erring(1.0), Lean(1.5))
    for condition in (given, None):
        torch.testing.assert_close(
            guided.denoise(y, s, condition),
            Component(mixture()).denoise(y, s, condition),
            rtol=1e-9,
            atol=1e-9,
        )
    assert guided.calls == 2
    assert Autoguided(Erring(1 / 3), Erring(1.0), Lean(1.5, high=0.1)).cost(3.0) == 1


def model_of(
    space: Points | Image,
    classes: tuple[str, ...] = ("a", "b", "c"),
    seed: int = 0,
    steps: int = 60,
):  # type: ignore[no-untyped-def]
    values = {
        "width": 24 if isinstance(space, Points) else 8,
        "depth": 1,
        "context": 16,
        "ode_steps": 8,
    }
    model = build("diffusion", space, classes, values, seed)
    model.prepare(examples(space, bool(classes)))
    train(model, examples(space, bool(classes)), steps, 6e-3)
    return model.eval()


@pytest.fixture(scope="module")
def guided_points():  # type: ignore[no-untyped-def]
    """An unconditional model and a classifier of three classes that it does not know."""
    data = examples(Points(2), True, n=512)
    model = build("diffusion", Points(2), (), {"width": 24, "depth": 1, "context": 16})
    model.prepare(data.without_labels())
    train(model.eval(), data.without_labels(), 200, 6e-3)
    path = model.process.path  # type: ignore[union-attr]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # its weights would depend on which tests ran before
        classifier = NoiseAwareClassifier(
            model.codec, ("a", "b", "c"), (path.sigma_min, path.sigma_max), 16
        )
    x, label = model.codec.encode(data.x).value, data.given.label  # type: ignore[union-attr]
    classifier.preconditioner.fit(x)
    optimiser = torch.optim.Adam(classifier.network.parameters(), lr=5e-3)
    for step in range(450):
        optimiser.zero_grad()
        classifier.loss(x, label, BatchNoise(generator(0, "c", step), len(x))).backward()
        optimiser.step()
    return model, classifier.eval()


def test_a_trained_classifier_is_bayes_rule_of_known_classes(guided_points) -> None:  # type: ignore[no-untyped-def]
    """Classes shift the mean of a correlated Gaussian: held-out loss within 0.06 nats of the exact posterior's, at three levels."""
    model, classifier = guided_points
    held = examples(model.space, True, n=4000, seed=3)
    label, x = held.given.label, model.codec.encode(held.x).value  # type: ignore[union-attr]
    size, standard = torch.tensor([1.5, 0.6]), model.codec.transforms[0]
    root = (size / standard.std).unsqueeze(1) * torch.tensor([[1.7, 0.0], [0.7, 1.0]])
    mean = [
        (torch.tensor([1.0, -0.5]) + 0.4 * k * size - standard.mean) / standard.std
        for k in range(3)
    ]
    for level in (0.1, 0.7, 3.0):
        y = x + level * Streams(1, len(x)).normal(2)
        covariance = (root @ root.T + level**2 * torch.eye(2)).double()
        law = [torch.distributions.MultivariateNormal(m.double(), covariance) for m in mean]
        exact = torch.stack([one.log_prob(y.double()) for one in law], 1).log_softmax(1)
        with torch.no_grad():
            said = classifier.log_prob(y, torch.tensor(level)).double()
        excess = float(
            torch.nn.functional.nll_loss(said, label) - torch.nn.functional.nll_loss(exact, label)
        )
        assert -0.01 < excess < 0.06, level
        # at level 3 nobody can tell them apart
        assert (
            level > 1
            or classifier.accuracy(x, label, level, Streams(1, len(x)))
            > 1 / 3 + 5 * (2 / 9 / 4000) ** 0.5
        )


def test_an_unconditional_model_follows_a_classifier(guided_points) -> None:  # type: ignore[no-untyped-def]
    """Labels shift the mean along (0.6, 0.24): the classifier separates what the model alone does not know."""
    model, classifier = guided_points
    settings = {"solver": "ddim", "steps": 12}
    means = [
        float(model.sample(400, given=k, classifier=classifier, seed=1, **settings)[:, 0].mean())
        for k in "abc"
    ]
    assert means[0] < float(model.sample(400, seed=1, **settings)[:, 0].mean()) < means[2]
    assert means[0] + 0.4 < means[2]
    assert model.walk(2, given="a", classifier=classifier, steps=5, solver="ddim").calls == 15
    whole = model.sample(6, given="c", classifier=classifier, seed=2, **settings)
    alone = model.sample(2, given="c", classifier=classifier, seed=2, **settings)
    torch.testing.assert_close(whole[:2], alone, rtol=1e-4, atol=1e-4)


def test_guides_and_intervals_reach_the_sampler() -> None:
    model, weak = model_of(Points(2)), model_of(Points(2), seed=1, steps=10)
    assert model.walk(2, guide=weak, guidance=2.0, steps=18).calls == 70
    assert (
        35 < model.walk(2, given="a", guidance=2.0, guidance_interval="0.1:1", steps=18).calls < 70
    )
    assert not torch.allclose(model.sample(4, guide=weak, guidance=2.0), model.sample(4))
    torch.testing.assert_close(
        model.sample(5, guide=weak, guidance=2.0)[:2],
        model.sample(2, guide=weak, guidance=2.0),
        rtol=1e-4,
        atol=1e-4,
    )
    # leaning away from itself is no lean
    torch.testing.assert_close(
        model.sample(4, guide=model, guidance=3.0), model.sample(4), rtol=1e-3, atol=1e-3
    )
    pictures = model_of(Image(1, 3, 3, levels=2), steps=5)
    plain = pictures.walk(3, given="a", guidance=6.0, seed=4)
    rescaled = pictures.walk(3, given="a", guidance=6.0, guidance_rescale=1.0, seed=4)
    assert not torch.equal(run(plain), run(rescaled))


@pytest.mark.parametrize(
    ("options", "error", "pattern"),
    [
        ({"guidance": 2.0}, BadInput, "guidance=2.0 without a condition: expected a class"),
        (
            {"given": "a", "guidance": 2.0, "guidance_interval": "5:1"},
            BadInput,
            "interval '5:1': expected LOW:HIGH",
        ),
        (
            {"given": "a", "guidance": 2.0, "guidance_interval": "wide"},
            BadInput,
            "interval 'wide': expected LOW:HIGH",
        ),
        (
            {"given": "a", "guidance_interval": "1:5"},
            BadInput,
            "interval or a rescaling of guidance=1",
        ),
        (
            {"given": "a", "guidance": 2.0, "guidance_rescale": 1.5},
            BadInput,
            "guidance_rescale=1.5: expected a share",
        ),
        (
            {"given": "a", "guidance": 2.0, "guidance_rescale": 0.5},
            Unsupported,
            "'guidance_rescale' on points",
        ),
        (
            {"guidance": 2.0, "guide": "elsewhere"},
            BadInput,
            "the guide str on points: expected a diffusion model",
        ),
        (
            {"given": "a", "classifier": 3},
            BadInput,
            "the classifier int on points: expected a noise-aware classifier",
        ),
    ],
)
def test_what_would_change_nothing_or_cannot_be_is_refused(options, error, pattern: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=pattern):
        model_of(Points(2), steps=0).sample(2, **options)


def test_guides_and_classifiers_of_another_kind_are_refused() -> None:
    model = model_of(Points(2), steps=0)
    plain = model_of(Points(2), (), steps=0)
    with pytest.raises(Unsupported, match="guidance on a model without conditions"):
        plain.sample(2, guidance=2.0)
    with pytest.raises(BadInput, match="a guide with guidance=1: expected a weight above 1"):
        model.sample(2, guide=model)
    with pytest.raises(BadInput, match="a guide with 0 classes for a model with 3"):
        model.sample(2, guide=plain, guidance=2.0)
    with pytest.raises(
        BadInput, match=r"a guide for Points\(dim=3\): expected one for the run's Points\(dim=2\)"
    ):
        model.sample(
            2, guide=build("diffusion", Points(3), ("a", "b", "c"), {"width": 8}), guidance=2.0
        )
    with pytest.raises(BadInput, match="a guide that encodes data otherwise"):
        model.sample(
            2, guide=build("diffusion", Points(2), ("a", "b", "c"), {"width": 8}), guidance=2.0
        )
    narrow = build("diffusion", Points(2), ("a", "b", "c"), {"width": 8, "sigma_min": 0.5})
    narrow.prepare(examples(Points(2), True))
    with pytest.raises(BadInput, match=r"a guide for noise levels from 0\.5 to 40"):
        model.sample(2, guide=narrow, guidance=2.0)
    classifier = NoiseAwareClassifier(model.codec, ("a", "b"), (0.001, 100.0), 8)
    with pytest.raises(BadInput, match="a classifier of 2 classes for a model with 3"):
        model.sample(2, given="a", classifier=classifier)
    classifier = NoiseAwareClassifier(plain.codec, ("a", "b"), (0.001, 100.0), 8)
    with pytest.raises(BadInput, match="a classifier without a condition"):
        plain.sample(2, classifier=classifier)
    with pytest.raises(BadInput, match="'z': expected one of the 2 classes"):
        plain.sample(2, given="z", classifier=classifier)
    with pytest.raises(BadInput, match="a classifier of 1 classes"):
        NoiseAwareClassifier(Codec(Points(2), []), ("a",), (0.1, 1.0))
    assert math.isfinite(float(plain.sample(2, given="a", classifier=classifier).sum()))
