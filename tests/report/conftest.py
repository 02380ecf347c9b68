"""A five-family comparison on scikit-learn's digits: real pictures, samples made by disturbing them, invented scores.

The numbers are inputs for the page and claims about nothing; the tests check what the page does with them.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pushforward.core.capabilities import Card
from pushforward.core.score import Score
from pushforward.reports.records import Comparison, Data, Row
from scored import called

FAMILIES = ("autoregressive", "flow", "vae", "gan", "diffusion")
NO_DENSITY = "no density; a GAN maps noise to samples and never says how probable an example is"
LOSSES = {
    "autoregressive": ("negative log-likelihood (bits/dim)", ""),
    "flow": ("negative log-likelihood with dequantisation (bits/dim)", ""),
    "vae": ("negative evidence lower bound (bits/dim)", ""),
    "gan": ("relativistic generator loss", "Fréchet distance [pca-16]"),
    "diffusion": ("weighted denoising error", ""),
}
#           Fréchet  kernel   precision recall coverage c2st
SCORES = {
    "autoregressive": (3.9, 0.021, 0.62, 0.71, 0.74, 0.71),
    "flow": (6.8, 0.043, 0.51, 0.66, 0.61, 0.80),
    "vae": (9.4, 0.071, 0.66, 0.38, 0.52, 0.87),
    "gan": (4.2, 0.022, 0.71, 0.49, 0.63, 0.76),
    "diffusion": (1.9, 0.008, 0.72, 0.74, 0.85, 0.60),
    "real vs real": (0.42, 0.0003, 0.76, 0.77, 0.95, 0.50),
    "per-pixel noise": (88.0, 0.91, 0.00, 0.02, 0.03, 1.00),
    "copycat": (0.61, 0.001, 0.79, 0.75, 0.93, 0.52),
}
MEASURES = (
    ("frechet distance [pca-16] vs test", "lower", 0.08, 0.4),
    ("kernel distance [pca-16] vs test", "lower", 0.12, 0.0),
    ("precision [pca-16, k=5] vs test", "higher", 0.03, None),
    ("recall [pca-16, k=5] vs test", "higher", 0.03, None),
    ("coverage [pca-16, k=5] vs test", "higher", 0.025, 0.955),
    ("classifier two-sample accuracy [pixels] vs test", "lower", 0.02, 0.5),
)


def scores_of(name: str) -> tuple[Score, ...]:
    """Return invented scores with intervals in proportion to the value."""
    found = []
    for (measure, better, part, null), value in zip(MEASURES, SCORES[name]):
        half = part * value + 0.002 if better == "lower" else part
        few = (
            ("500 samples: the distance is biased upwards at this size.",)
            if measure.startswith("frechet")
            else ()
        )
        features = "pca-16 of train, sha256 4be1c07a" if "pca" in measure else ""
        entry: dict[str, Any] = {
            "low": value - half,
            "high": min(value + half, 1.0 if value <= 1 else 1e9),
            "null": null,
            "features": features,
            "warnings": few,
        }
        found.append(
            called(measure, value, 500, "lower" if better == "lower" else "higher", **entry)
        )
    return tuple(found)


def likelihood(value: float, kind: str, half: float = 0.012) -> Score:
    """Return a held-out code length."""
    entry: dict[str, Any] = {
        "low": value - half,
        "high": value + half,
        "stderr": half / 1.96,
        "unit": "bits/dim",
        "kind": kind,
    }
    return called("held-out likelihood vs test", value, 360, "lower", **entry)


LIKELIHOODS = {
    "autoregressive": likelihood(1.713, "exact"),
    "flow": likelihood(2.041, "lower_bound"),
    "vae": likelihood(1.936, "lower_bound"),
    "diffusion": likelihood(1.902, "lower_bound"),
    "per-pixel noise": likelihood(2.914, "exact"),
}
COSTS = {  # parameters, steps, calls per sample, seconds per 1,000
    "autoregressive": (412_000, 1840, 64.0, 7.4),
    "flow": (688_000, 960, 1.0, 0.21),
    "vae": (355_000, 5210, 1.0, 0.032),
    "gan": (520_000, 2480, 1.0, 0.041),
    "diffusion": (610_000, 1710, 63.0, 11.8),
}


def card(name: str) -> Card:
    """Return a card of realistic length."""
    return Card(
        title=f"{name}: one way to push noise into data",
        optimises="The probability that the model gives to the training data, one pixel after another.",
        objective="maximise  sum_i log p(x_i | x_1, ..., x_{i-1}, label)",
        number_means="An exact code length: with a perfect entropy coder a held-out image would take this many bits a pixel.",
        look_at=(
            "held-out likelihood with its interval",
            "sample sheets, column by column",
            "recall, for missing modes",
        ),
        may_go_wrong=(
            "likelihood can be good while samples look poor",
            "slow sampling: one network call per pixel",
        ),
        cost="Trains in parallel over pixels; samples one pixel at a time.",
        references=(
            (
                f"{name}2013",
                "Kingma and Welling (2013), Auto-Encoding Variational Bayes, https://arxiv.org/abs/1312.6114",
            ),
        ),
    )


def disturbed(images: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Return pictures with Gaussian noise on their levels, rounded back to 0 .. 16."""
    return np.clip(np.round(images + rng.normal(0, amount, images.shape)), 0, 16).astype(np.uint8)


def history_of(name: str, rng: np.random.Generator) -> tuple[dict[str, float | int | None], ...]:
    """Return a falling, noisy loss; held-out values are logged every tenth time."""
    found = []
    for i in range(120):
        fall = 1.8 + 3.0 * np.exp(-i / 12)
        entry: dict[str, float | int | None] = {
            "step": i * 15,
            "seconds": i / 2,
            "loss": float(fall + rng.normal(0, 0.05)),
        }
        entry["held_out"] = float(fall * 1.05) if i % 10 == 9 else None
        entry["learning_rate"] = 1e-3
        if name == "gan":
            entry["discriminator_loss"] = float(0.6 + rng.normal(0, 0.05))
        found.append(entry)
    return tuple(found)


def build() -> Comparison:
    """Return the comparison; the same one each time."""
    digits = load_digits()
    images, labels = digits.images.astype(np.uint8)[:, None], digits.target.astype(np.int64)
    train, test, rng = slice(0, 1078), slice(1437, 1797), np.random.default_rng(0)
    data = Data(
        "digits", "image", "1 × 8 × 8 images with 17 levels", "bits/dim", {"train": 1078, "validation": 359, "test": 360},
        fingerprint="sha256 91f0a3c2e5d8", levels=17, classes=tuple("0123456789"),
        notes=("Handwritten digits of scikit-learn, split by a fixed permutation.",), real=images[test], real_labels=labels[test],
    )  # fmt: skip
    rows = []
    for name, noise in zip(FAMILIES, (1.4, 2.4, 2.0, 1.2, 0.6)):
        parameters, steps, calls, per_1000 = COSTS[name]
        walk = (
            [disturbed(images[:4], amount, rng) for amount in (12, 9, 7, 5, 3.5, 2, 1, 0.5)]
            if calls > 1
            else []
        )
        samples = disturbed(images[train], noise, rng)
        rows.append(
            Row(
                name,
                "model",
                name,
                parameters,
                steps,
                60.1,
                "the budget of 60 s was spent",
                calls,
                per_1000,
                likelihood=LIKELIHOODS.get(name),
                no_likelihood=NO_DENSITY if name == "gan" else "",
                scores=scores_of(name),
                memorisation="Samples are as far from training data as held-out data is (ratio 1.02, 0.97 to 1.07).",
                memorised=False,
                history=history_of(name, rng),
                loss_name=LOSSES[name][0],
                held_out_name=LOSSES[name][1],
                card=card(name),
                samples=samples,
                labels=labels[train],
                walk=tuple(walk),
                suspicious=samples[:10],
                neighbours=images[:10],
            )
        )
    real = Row(
        "real vs real",
        "ceiling",
        scores=scores_of("real vs real"),
        samples=images[1078:1437],
        labels=labels[1078:1437],
    )
    noise = rng.integers(0, 17, images[:300].shape).astype(np.uint8)
    floor = Row(
        "per-pixel noise",
        "floor",
        scores=scores_of("per-pixel noise"),
        samples=noise,
        likelihood=LIKELIHOODS["per-pixel noise"],
    )
    copy = Row(
        "copycat", "copycat", scores=scores_of("copycat"), memorised=True, samples=images[train], labels=labels[train],
        memorisation="Every sample is a training example.", suspicious=images[:10], neighbours=images[:10],
    )  # fmt: skip
    return Comparison(
        "Five families on digits", data, "60 s of wall clock for every family", "cpu", 0, "24 November 2026, 00:28 UTC",
        (*rows, real, floor, copy), commands=("make demo", "pushforward compare digits --budget 60s --preset cpu --seed 0"),
        versions={"pushforward": "0.1.0", "torch": "2.13.0", "python": "3.11.2", "cores": "2"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def digits() -> Comparison:
    """The five-family comparison."""
    return build()


@pytest.fixture(scope="session")
def moons() -> Comparison:
    """One flow on two-dimensional points with a known density."""
    rng = np.random.default_rng(1)
    angle = rng.uniform(0, np.pi, 800)
    upper = rng.random(800) < 0.5
    moon = np.where(
        upper[:, None],
        np.c_[np.cos(angle), np.sin(angle)],
        np.c_[1 - np.cos(angle), 0.5 - np.sin(angle)],
    )
    points = (moon + rng.normal(0, 0.1, moon.shape)).astype(np.float32)
    x, y = np.meshgrid(np.linspace(-1.6, 2.6, 80), np.linspace(1.7, -1.2, 60))
    near = ((x[..., None] - moon[:200, 0]) ** 2 + (y[..., None] - moon[:200, 1]) ** 2) / 0.02
    data = Data(
        "two-moons", "points", "points in 2 dimensions", "nats/point", {"train": 3000, "test": 800},
        real=points, density=np.exp(-near).mean(axis=-1), extent=(-1.6, 2.6, -1.2, 1.7),
    )  # fmt: skip
    kl = called(
        "KL to the truth",
        0.031,
        800,
        "lower",
        low=0.022,
        high=0.040,
        null=0.0,
        ceiling=0.0,
        floor=1.4,
        unit="nats",
    )
    entry = {"low": 0.69, "high": 0.73, "unit": "nats/point", "kind": "exact"}
    row = Row(
        "flow", "model", "flow", 52_000, 400, 12.2, "400 steps were taken", 1.0, 0.01,
        likelihood=dataclasses.replace(likelihood(0.71, "exact"), **entry), scores=(kl,),
        history=history_of("flow", rng), card=card("flow"), samples=points + rng.normal(0, 0.15, points.shape).astype(np.float32),
        walk=tuple(
            (points * part + rng.normal(0, 1.0 - part, points.shape)).astype(np.float32) for part in (0.0, 0.4, 0.7, 0.9, 1.0)),
    )  # fmt: skip
    return Comparison(
        "A flow on two-moons",
        data,
        "400 steps",
        "cpu",
        3,
        "24 November 2026",
        (row,),
        commands=("pushforward train flow two-moons --steps 400",),
    )
