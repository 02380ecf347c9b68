"""Settings of the GAN family and their presets."""

from __future__ import annotations

from pydantic import Field

from pushforward.core.preset import OF_28, Aim, Preset, Reached, half_life
from pushforward.core.spec import DEEPEST, Config


class GANConfig(Config):
    """Size of a GAN and strength of its penalties."""

    architecture: str | None = Field(None, description="None = the default one of the space")
    latent: int | None = Field(
        None, ge=1, description="dimensions of the generator's noise; None = those of the data"
    )
    width: int = Field(32, ge=4)
    depth: int = Field(
        1,
        le=DEEPEST,
        ge=1,
        description="residual blocks per resolution, which also take in the label",
    )
    context: int = Field(32, ge=1, description="width of the label embeddings")
    tanh: bool = Field(
        False, description="pictures of the generator end in tanh: black and white are exactly that"
    )
    gamma: float = Field(1.0, ge=0, description="weight of R1 and R2")
    critic_octaves: int = Field(
        0, ge=0, description="octaves of sine features that the critic of points sees"
    )
    generator_octaves: int = Field(0, ge=0, description="the same of the generator's noise")


# R3GAN lets gamma fall tenfold, raises beta2 from 0.9 and shows the critic altered pictures more and
# more; here gamma is what it begins with, beta2 what it ends with
FIXED = "gamma and beta2 fixed and no augmentation"
R3GAN = {
    "learning_rate": 2e-4,
    "final_learning_rate": 0.25,
    "warmup": 0.0,
    "beta1": 0.0,
    "beta2": 0.99,
    "weight_decay": 0.0,
    "clip": 10.0,
    "precision": "auto",
    "channels_last": True,
}
ON_CIFAR = {
    **R3GAN,
    "examples": 20_000_000,
    "batch_size": 512,
    "accumulate": 2,
    "ema": half_life(5_000_000, 512),
}
ON_FFHQ = {
    **R3GAN,
    "examples": 20_000_000,
    "batch_size": 256,
    "accumulate": 4,
    "ema": half_life(500_000, 256),
}

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
    # a step of full-resolution convolutions on 8 pictures of 28 x 28 takes three times as long as one
    # over patches on 64; twice the steps on half as many pictures are worth more than they cost
    ("minute", "image"): Preset(
        model={
            "architecture": "patches",
            "latent": 32,
            "width": 32,
            "depth": 1,
            "tanh": True,
            "gamma": 1.0,
        },
        train={
            "batch_size": 32,
            "learning_rate": 3e-3,
            "beta1": 0.0,
            "ema": 0.995,
            "weight_decay": 0.0,
            "clip": 10.0,
        },
        numbers=OF_28,
    ),
    ("gpu", "points"): Preset(
        model={
            "width": 256,
            "depth": 3,
            "gamma": 0.02,
            "critic_octaves": 3,
            "generator_octaves": 3,
        },
        train={"examples": 20_000_000, "batch_size": 512, "beta1": 0.0, "precision": "auto"},
    ),
    # game, penalties and training of R3GAN's configuration for CIFAR-10, on residual convolutions with
    # group norms
    ("gpu", "image"): Preset(
        model={"latent": 64, "width": 128, "depth": 2, "context": 64, "gamma": 0.05},
        train=ON_CIFAR,
        aim=Aim(
            "CIFAR-10 (32 x 32)",
            "FID 21.7",
            "Miyato et al. 2018 (SNGAN), table 2, the residual network",
            f"game, penalties and training of R3GAN, with {FIXED}; gan:r3gan has its networks too",
        ),
    ),
    ("gpu", "image@64"): Preset(
        model={"latent": 64, "width": 128, "depth": 2, "context": 64, "gamma": 2.0},
        train=ON_FFHQ,
        aim=Aim(
            "CelebA at 64 x 64",
            "FID 12.5",
            "Heusel et al. 2017 (two time-scale updates), table 1, DCGAN",
            f"game, penalties and training of R3GAN, with {FIXED}; gan:r3gan has its networks too",
        ),
    ),
    ("gpu", "image:r3gan"): Preset(
        model={"latent": 64, "width": 768, "depth": 2, "context": 64, "gamma": 0.05},
        train={**ON_CIFAR, "accumulate": 4},
        aim=Aim(
            "CIFAR-10 (32 x 32), with labels",
            "FID 1.96",
            "Huang et al. 2024 (R3GAN), the table of CIFAR-10; train.py of brownvc/R3GAN",
            f"{FIXED}; halved by means of squares and not by a wider filter",
        ),
    ),
    ("gpu", "image:r3gan@64"): Preset(
        model={"latent": 64, "width": 768, "depth": 2, "context": 64, "gamma": 2.0},
        train={**ON_FFHQ, "accumulate": 8},
        aim=Aim(
            "FFHQ at 64 x 64",
            "FID 1.95",
            "Huang et al. 2024 (R3GAN), the table of FFHQ at 64 x 64; train.py of brownvc/R3GAN",
            f"{FIXED}; halved by means of squares and not by a wider filter. ImageNet (FID 2.09) takes "
            "-s model.width=1536, batches of 4,096 and 200 million pictures",
        ),
    ),
}
