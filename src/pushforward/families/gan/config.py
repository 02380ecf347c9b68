"""Settings of the GAN family and their presets."""

from __future__ import annotations

from pydantic import Field

from pushforward.core.preset import Preset, Reached
from pushforward.core.spec import Config


class GANConfig(Config):
    """Size of a GAN and strength of its penalties."""

    architecture: str | None = Field(None, description="None = the default one of the space")
    latent: int | None = Field(
        None, ge=1, description="dimensions of the generator's noise; None = those of the data"
    )
    width: int = Field(32, ge=4)
    depth: int = Field(
        1, ge=1, description="residual blocks per resolution, which also take in the label"
    )
    context: int = Field(32, ge=1, description="width of the label embeddings")
    gamma: float = Field(1.0, ge=0, description="weight of R1 and R2")
    critic_octaves: int = Field(
        0, ge=0, description="octaves of sine features that the critic of points sees"
    )
    generator_octaves: int = Field(0, ge=0, description="the same of the generator's noise")


PRESETS: dict[tuple[str, str], Preset] = {
    ("smoke", "points"): Preset(
        model={
            "latent": 4,
            "width": 16,
            "depth": 1,
            "context": 8,
            "critic_octaves": 2,
            "generator_octaves": 1,
        },
        train={"beta1": 0.0},
    ),
    ("smoke", "image"): Preset(
        model={"latent": 8, "width": 8, "depth": 1, "context": 8},
        train={"beta1": 0.0},
    ),
    ("cpu", "points"): Preset(
        model={
            "width": 64,
            "depth": 2,
            "gamma": 0.02,
            "critic_octaves": 3,
            "generator_octaves": 3,
        },
        train={
            "batch_size": 256,
            "learning_rate": 1e-3,
            "beta1": 0.0,
            "ema": 0.998,
            "weight_decay": 0.0,
            "clip": 10.0,
        },
        reached=Reached(
            "gaussians-8",
            2_500,
            "classifier two-sample accuracy 0.498 (real data: 0.50; 0.476 to 0.520)",
        ),
    ),
    ("cpu", "image"): Preset(
        model={"latent": 32, "width": 32, "depth": 1, "gamma": 1.0},
        train={
            "batch_size": 64,
            "learning_rate": 1e-3,
            "beta1": 0.0,
            "ema": 0.99,
            "weight_decay": 0.0,
            "clip": 10.0,
        },
        reached=Reached(
            "digits",
            750,
            "classifier two-sample accuracy 0.587 (real data: 0.50; 0.535 to 0.636)",
        ),
    ),
    ("gpu", "points"): Preset(
        model={
            "width": 256,
            "depth": 3,
            "gamma": 0.02,
            "critic_octaves": 3,
            "generator_octaves": 3,
        },
        train={"batch_size": 512, "beta1": 0.0},
    ),
    ("gpu", "image"): Preset(
        model={"latent": 64, "width": 96, "depth": 2, "context": 64, "gamma": 2.0},
        train={
            "batch_size": 256,
            "learning_rate": 2e-4,
            "beta1": 0.0,
            "channels_last": True,
            "clip": 10.0,
        },
    ),
}
