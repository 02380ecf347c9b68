"""The runs of the rogues' gallery: how each is trained and what is broken in it.

Two ideas: every run is a healthy one with one thing changed, a setting, the data or one hook of the model; what is measured
afterwards is measured by the library, the same for all.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pushforward.core.errors import RunFailed
from pushforward.core.given import Examples, Given
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.spec import TrainConfig, parse
from pushforward.data.dataset import Dataset
from pushforward.data.open import open_data
from pushforward.data.toys import GaussianMixture
from pushforward.engine.fit import fit
from pushforward.engine.history import read_history
from pushforward.evaluation.distances import nearest
from pushforward.evaluation.distribution.energy import energy_distance
from pushforward.evaluation.likelihood.gap import likelihood_gap
from pushforward.evaluation.memorisation.duplicates import duplicate_rate
from pushforward.evaluation.memorisation.membership import area_under_curve
from pushforward.evaluation.memorisation.near_duplicates import near_duplicate_rate
from pushforward.families.build import build, settings
from pushforward.families.flow.chains import standard_normal
from pushforward.families.vae.likelihoods import kl_to_standard_normal

KEPT = ("step", "loss", "held_out", "KL [nats]", "D(real) - D(fake)", "gradient norm, generator")
ENTRIES, DRAWN, LOOKED_AT, CELLS = 20, 1000, 2000, 140
NEAR_A_MODE = 3.0  # standard deviations
MODES = 8  # at most: more are not countable with so few samples
A_TENTH = 0.1  # of its fair share: what a mode must get to count as covered
TRAIN = {"batch_size": 128, "learning_rate": 5e-3, "ema": 0.95, "weight_decay": 0.0}
GAME = {**TRAIN, "learning_rate": 2e-3, "beta1": 0.0, "clip": 10.0, "ema": 0.99}
PLAYERS = {"latent": 2, "width": 32, "depth": 1, "gamma": 0.1, "critic_octaves": 2, "generator_octaves": 1}
SHARP = {"width": 64, "depth": 3, "encoder_octaves": 3, "latent": 2}


@dataclass(frozen=True)
class Run:
    """A tiny run.

    Attributes:
        name: what it is called among the others.
        family, data, steps: what is trained on what and for how long.
        suspicions: what is wrong with it.
        broken: which one thing was changed, a sentence; empty for a healthy run.
        model, train: settings over the smallest preset.
        few: training examples and test examples, None for all.
        feeds: what is really trained on, given the dataset.
        watches: what the held-out loss is really measured on.
        breaks: what is done to the model before it is trained.
    """

    name: str
    family: str
    data: str
    steps: int
    suspicions: tuple[str, ...] = ()
    broken: str = ""
    model: dict[str, Any] = field(default_factory=dict)
    train: dict[str, Any] = field(default_factory=lambda: TRAIN)
    few: tuple[int, int] | None = None
    feeds: Callable[[Dataset], Examples] = lambda data: data.train
    watches: Callable[[Dataset], Examples] = lambda data: data.validation
    breaks: Callable[[Any], None] | None = None

    def record(self) -> dict[str, Any]:
        """Train and return what the run says about itself: a history, and facts that are None where there is no such number."""
        whole = open_data(self.data, labels=False)
        data = whole
        if self.few is not None:
            data = replace(whole, train=whole.train[: self.few[0]], test=whole.test[: self.few[1]])
        given = settings(self.family, data.space, "smoke")
        model = build(self.family, data.space, (), {**given["model"], **self.model})
        if self.breaks is not None:
            self.breaks(model)
        history, skipped, finished = self._train(model, data)
        facts = measured(model, data, whole.validation.x[:DRAWN], self.feeds(data)) if finished else dict(NOTHING)
        return {
            "family": self.family,
            "data": self.data,
            "training_examples": len(data.train),
            "steps": self.steps,
            "finished": finished,
            "updates_skipped": skipped,
            "history": history,
            **facts,
        }

    def _train(self, model: GenerativeModel, data: Dataset) -> tuple[list[dict[str, Any]], int, bool]:
        """Return the thinned history, how many updates were skipped, and whether the run came to its end."""
        config = parse(TrainConfig, {**self.train, "steps": self.steps}, "train")
        watched = self.watches(data)
        reference = watched.x[:256].flatten(1).double().numpy()
        spread = reference.std(axis=0) + 1e-9

        def probe(model: GenerativeModel) -> float:
            drawn = model.sample(len(reference)).flatten(1).double().numpy()
            return float(energy_distance(drawn / spread, reference / spread))

        with tempfile.TemporaryDirectory() as folder:
            try:
                found = fit(
                    model, self.feeds(data), watched, config, directory=Path(folder), probe=("energy distance", probe)
                )
            except RunFailed:
                records = read_history(Path(folder) / "history.jsonl")
                return [_kept(r) for r in records], sum(None in r.values() for r in records), False
        evaluated = [r for r in found.history if "held_out" in r]
        last = len(evaluated) - 1
        places = sorted({round(i * last / (ENTRIES - 1)) for i in range(ENTRIES)})
        return [_kept(evaluated[i]) for i in places], found.skipped_steps, True


NOTHING = dict.fromkeys(
    (
        "kind",
        "train_nats",
        "test_nats",
        "gap_error",
        "mass",
        "kl",
        "modes",
        "near_duplicates",
        "near_duplicates_by_chance",
        "nearest",
        "nearest_held_out",
        "critic",
        "test_in_train",
    )
)


def measured(model: GenerativeModel, data: Dataset, fresh: Tensor, fed: Examples) -> dict[str, Any]:
    """Return the facts about a trained model; `rogues.FACTS` says what each is.

    Args:
        fresh: real examples that no run has seen.
        fed: what the model was really trained on.
    """
    samples = model.sample(DRAWN).flatten(1).double()
    train, held = data.train.x.flatten(1).double(), fresh.flatten(1).double()
    near = near_duplicate_rate(samples.numpy(), train.numpy(), held.numpy(), "data")
    facts = {**NOTHING, **_likelihoods(model, data)}
    facts["near_duplicates"], facts["near_duplicates_by_chance"] = near.value, near.null
    facts["nearest"] = float(torch.tensor(nearest(samples.numpy(), train.numpy())[1]).median())
    facts["nearest_held_out"] = float(torch.tensor(nearest(held.numpy(), train.numpy())[1]).median())
    facts["test_in_train"] = duplicate_rate(data.test.x.numpy(), fed.x.numpy(), fresh.numpy()).value
    if isinstance(data.density, GaussianMixture) and len(data.density.means) <= MODES:
        facts["modes"] = covered(samples, data.density)
    if model.family == "vae":
        facts["kl"] = _divergence(model, fresh)
    if model.family == "gan":
        facts["critic"] = _pairs_in_order(model, fresh)
    return {key: _short(value) for key, value in facts.items()}


def covered(samples: Tensor, density: GaussianMixture) -> float:
    """Return the share of modes that get a tenth of their fair share of samples, each within three standard deviations.

    Example:
        >>> covered(torch.zeros(9, 2), GaussianMixture(torch.tensor([[0.0, 0.0], [9.0, 0.0]]), sigma=0.1))
        0.5
    """
    place, distance = nearest(samples.numpy(), density.means.numpy())
    near = torch.tensor(place)[torch.tensor(distance) < NEAR_A_MODE * density.sigma]
    counts = near.bincount(minlength=len(density.means))
    return float((counts >= A_TENTH * len(samples) / len(density.means)).double().mean())


def mass(model: GenerativeModel, real: Tensor) -> float:
    """Return the integral of `exp(log_prob)` over a rectangle three units wider than the data on every side."""
    low, high = real.amin(0) - 3.0, real.amax(0) + 3.0
    steps = (high - low) / CELLS
    axes = [a + h * (torch.arange(CELLS) + 0.5) for a, h in zip(low, steps, strict=True)]
    log_p = model.log_prob(torch.cartesian_prod(*axes).float()).nats.double()
    return float(log_p.exp().sum() * steps.double().prod())


def _likelihoods(model: GenerativeModel, data: Dataset) -> dict[str, Any]:
    if not model.capabilities.estimators[data.space.kind]:
        return {}
    train, test = (model.log_prob(side.x[:LOOKED_AT]) for side in (data.train, data.test))
    gap = likelihood_gap(train, test)
    facts = {"kind": train.kind, "train_nats": train.mean_nats, "test_nats": test.mean_nats, "gap_error": gap.stderr}
    # the noise of an estimate would be taken for mass by the exponential
    return {**facts, "mass": mass(model, data.train.x)} if model.family in ("flow", "autoregressive", "vae") else facts


@torch.no_grad()
def _divergence(model: Any, fresh: Tensor) -> float:
    x = model.codec.encode(fresh).value
    return float(kl_to_standard_normal(*model._posterior(x, None)).sum(1).mean())


@torch.no_grad()
def _pairs_in_order(model: Any, fresh: Tensor) -> float:
    drawn = model.sample(len(fresh), seed=1)
    real, fake = (model._judge(model.codec.encode(x).value, None).double().numpy() for x in (fresh, drawn))
    return area_under_curve(real, fake)[0]


def _kept(record: dict[str, Any]) -> dict[str, Any]:
    return {key: _short(record[key]) for key in KEPT if key in record}


def _short(value: Any) -> Any:
    """Return a number with four digits, None if it is not finite."""
    if not isinstance(value, float):
        return value
    return float(f"{value:.4g}") if math.isfinite(value) else None


# ---- what is broken ------------------------------------------------------------------------------------------------------


def dear_codes(model: Any) -> None:
    """Let every nat of the KL of a VAE count fifty times."""
    model._kl_weight = lambda: 50.0


def wrong_sign(model: Any) -> None:
    """Subtract the log-determinant of a flow."""

    def nats(x: Tensor, given: Given | None) -> Tensor:
        code, log_p = model.chain(x, None)
        return 2.0 * standard_normal(code) - log_p

    model._nats = nats


def no_constant(model: Any) -> None:
    """Leave `-d/2 log 2 pi` out of the density of a flow."""
    whole = model._nats
    model._nats = lambda x, given: whole(x, given) + 0.5 * x.shape[1] * math.log(2 * math.pi)


def old_game(model: Any, critic_steps: int = 1, generator_steps: int = 1, saturating: bool = False) -> None:
    """Let a GAN play the game of 2014: each example judged by itself, several steps of one player to one of the other's."""

    def losses(x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        for _ in range(critic_steps):
            with torch.no_grad():
                fake = model._generate(noise.normal(model.latent), given)
            real, drawn = model._judge(x, given), model._judge(fake, given)
            record = {"D(real) - D(fake)": float((real - drawn).detach().mean())}
            yield Loss(F.softplus(-real).mean() + F.softplus(drawn).mean(), "critic", "critic", record)
        for _ in range(generator_steps):
            drawn = model._judge(model._generate(noise.normal(model.latent), given), given)
            value = -F.softplus(drawn).mean() if saturating else F.softplus(-drawn).mean()
            yield Loss(value, "generator", "generator")

    model._losses = losses


def leaked(data: Dataset) -> Examples:
    """Return the training examples with ten copies of every test example among them."""
    return Examples(torch.cat([data.train.x, data.test.x.repeat(10, 1)]))


RUNS = (
    Run("flow", "flow", "two-moons", 300),
    Run("autoregressive", "autoregressive", "two-moons", 250),
    Run("vae", "vae", "two-moons", 500, model={**SHARP, "kl_warmup": 100}),
    Run("diffusion", "diffusion", "two-moons", 800, model={"width": 64}),
    Run("gan", "gan", "gaussians-8", 500, model=PLAYERS, train=GAME),
    Run(
        "collapsed vae",
        "vae",
        "two-moons",
        300,
        ("posterior collapse",),
        "the KL counts fifty times",
        SHARP,
        breaks=dear_codes,
    ),
    Run(
        "collapsed gan",
        "gan",
        "gaussians-8",
        150,
        ("mode collapse",),
        "the game of 2014 with eight steps of the generator to each of the critic's",
        PLAYERS,
        GAME,
        breaks=partial(old_game, generator_steps=8),
    ),
    Run(
        "memoriser",
        "diffusion",
        "two-moons",
        1200,
        ("memorisation", "overfitting"),
        "16 training examples that are the validation set too, so that nothing stops it",
        {"width": 128, "depth": 2},
        few=(16, 2000),
        watches=lambda data: data.train,
    ),
    Run(
        "overfitted flow",
        "flow",
        "two-moons",
        400,
        ("overfitting",),
        "64 training examples",
        few=(64, 2000),
    ),
    Run(
        "diverged flow",
        "flow",
        "two-moons",
        100,
        ("divergence",),
        "a learning rate of 30",
        train={**TRAIN, "learning_rate": 30.0},
    ),
    Run(
        "exploded flow",
        "flow",
        "two-moons",
        100,
        ("divergence",),
        "a learning rate that climbs to 8",
        train={**TRAIN, "learning_rate": 8.0, "warmup": 1.0, "evaluate_every": 2},
    ),
    Run(
        "flat critic",
        "gan",
        "two-moons",
        300,
        ("dead discriminator",),
        "a penalty on the critic's gradient of 10,000",
        {**PLAYERS, "gamma": 1e4},
        GAME,
    ),
    Run(
        "winning critic",
        "gan",
        "gaussians-25",
        150,
        ("dead discriminator",),
        "the game of 2014 with a generator's loss that saturates, and eight steps of the critic to each of the generator's",
        {**PLAYERS, "critic_octaves": 3},
        GAME,
        breaks=partial(old_game, critic_steps=8, saturating=True),
    ),
    Run(
        "wrong sign",
        "flow",
        "two-moons",
        200,
        ("wrong density",),
        "the log-determinant is subtracted",
        breaks=wrong_sign,
    ),
    Run(
        "no constant",
        "flow",
        "two-moons",
        300,
        ("wrong density",),
        "the density of the code lacks -d/2 log 2 pi",
        breaks=no_constant,
    ),
    Run(
        "hasty autoregressive",
        "autoregressive",
        "two-moons",
        60,
        ("undertrained",),
        "a warm-up of the learning rate as long as the run, of 60 steps",
        train={**TRAIN, "learning_rate": 1e-3, "warmup": 1.0},
    ),
    Run(
        "leaky autoregressive",
        "autoregressive",
        "two-moons",
        600,
        ("test leak",),
        "copies of the test examples were made before the data were split, and lie in training and validation set",
        few=(100, 100),
        feeds=leaked,
        watches=lambda data: data.test,
    ),
)
