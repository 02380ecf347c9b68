"""The runs of the rogues' gallery: how each is trained and what is broken in it.

One idea: every rogue is a healthy run with a fault put in by hand: in a setting, in the data or in
one hook of the model.
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
from pushforward.course.rogue_facts import DRAWN, NOTHING, measured, rounded
from pushforward.data.dataset import Dataset
from pushforward.data.open import open_data
from pushforward.engine.fit import fit
from pushforward.engine.history import read_history
from pushforward.evaluation.distribution.energy import energy_distance
from pushforward.families.build import build, settings
from pushforward.families.shared.base import Base
from pushforward.families.vae.objective import ELBO, KLSchedule

KEPT = ("step", "loss", "held_out", "KL [nats]", "D(real) - D(fake)", "gradient norm, generator")
ENTRIES = 20
# how often a run is measured: a history says how it went, and short trainings measure seldom by themselves
EVALUATED = 25
TRAIN = {"batch_size": 128, "learning_rate": 5e-3, "ema": 0.95, "weight_decay": 0.0}
GAME = {**TRAIN, "learning_rate": 2e-3, "beta1": 0.0, "clip": 10.0, "ema": 0.99}
PLAYERS = {
    "latent": 2,
    "width": 32,
    "depth": 1,
    "gamma": 0.1,
    "critic_octaves": 2,
    "generator_octaves": 1,
}
SHARP = {"width": 64, "depth": 3, "encoder_octaves": 3, "latent": 2}


@dataclass(frozen=True)
class Run:
    """A tiny run.

    Attributes:
        name: what it is called among the others.
        family, data, steps: what is trained on what and for how long.
        suspicions: what is wrong with it.
        broken: what was done to it, in words; empty for a healthy run.
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
        """Train and return what the run says about itself: a history, and facts that are None where
        there is no such number."""
        whole = open_data(self.data, labels=False)
        data = whole
        if self.few is not None:
            data = replace(whole, train=whole.train[: self.few[0]], test=whole.test[: self.few[1]])
        given = settings(self.family, data.space, "smoke")
        model = build(self.family, data.space, (), {**given["model"], **self.model})
        if self.breaks is not None:
            self.breaks(model)
        history, skipped, finished = self._train(model, data)
        facts = (
            measured(model, data, whole.validation.x[:DRAWN], self.feeds(data))
            if finished
            else NOTHING
        )
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

    def _train(
        self, model: GenerativeModel, data: Dataset
    ) -> tuple[list[dict[str, Any]], int, bool]:
        """Return the thinned history, how many updates were skipped, and whether the run came to
        its end."""
        often = {"evaluate_every": max(1, self.steps // EVALUATED)}
        config = parse(TrainConfig, {**often, **self.train, "steps": self.steps}, "train")
        watched = self.watches(data)
        reference = watched.x[:256].flatten(1).double().numpy()
        spread = reference.std(axis=0) + 1e-9

        def probe(model: GenerativeModel) -> float:
            drawn = model.sample(len(reference)).flatten(1).double().numpy()
            return float(energy_distance(drawn / spread, reference / spread))

        with tempfile.TemporaryDirectory() as folder:
            try:
                found = fit(
                    model,
                    self.feeds(data),
                    watched,
                    config,
                    directory=Path(folder),
                    probe=("energy distance", probe),
                )
            except RunFailed:
                records = read_history(Path(folder) / "history.jsonl")
                return [_kept(r) for r in records], sum(None in r.values() for r in records), False
        evaluated = [r for r in found.history if "held_out" in r]
        last = len(evaluated) - 1
        places = sorted({round(i * last / (ENTRIES - 1)) for i in range(ENTRIES)})
        return [_kept(evaluated[i]) for i in places], found.skipped_steps, True


def _kept(record: dict[str, Any]) -> dict[str, Any]:
    return {key: rounded(record[key]) for key in KEPT if key in record}


# ---- what is broken
# ------------------------------------------------------------------------------------------------------


def dear_codes(model: Any) -> None:
    """Let every nat of the KL of a VAE count fifty times."""
    model.objective = ELBO(KLSchedule(lambda step: 50.0))


def wrong_sign(model: Any) -> None:
    """Subtract the log-determinant of a flow."""

    def log_prob(x: Tensor, context: Tensor | None, base: Base) -> Tensor:
        code, log_det = model.chain(x, context)
        return base.log_prob(code) - log_det

    model.chain.log_prob = log_prob


def no_constant(model: Any) -> None:
    """Leave `-d/2 log 2 pi` out of the density of a flow."""
    whole = model.chain.log_prob

    def log_prob(x: Tensor, context: Tensor | None, base: Base) -> Tensor:
        return whole(x, context, base) + 0.5 * x.shape[1] * math.log(2 * math.pi)

    model.chain.log_prob = log_prob


def old_game(
    model: Any, critic_steps: int = 1, generator_steps: int = 1, saturating: bool = False
) -> None:
    """Let a GAN play the game of 2014: each example judged by itself, several steps of one player
    to one of the other's."""

    def losses(x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        for _ in range(critic_steps):
            with torch.no_grad():
                fake = model.generate(noise.normal(model.latent), given)
            real, drawn = model.judge(x, given), model.judge(fake, given)
            record = {"D(real) - D(fake)": float((real - drawn).detach().mean())}
            yield Loss(
                F.softplus(-real).mean() + F.softplus(drawn).mean(), "critic", "critic", record
            )
        for _ in range(generator_steps):
            drawn = model.judge(model.generate(noise.normal(model.latent), given), given)
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
        200,
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
