"""Settings of the VAE family and their presets."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pushforward.core.preset import OF_28, Aim, Preset, Reached
from pushforward.core.spec import DEEPEST, Config, OneOf
from pushforward.families.vae.priors import PRIORS


class VAEConfig(Config):
    """Size of a VAE."""

    architecture: str | None = Field(None, description="None = the default one of the space")
    latent: int | None = Field(None, ge=1, description="dimensions of z; None = those of the data")
    prior: Annotated[str, OneOf(PRIORS)] = Field(
        "normal", description="of codes; chain: learned with the networks, and of the label"
    )
    width: int = Field(32, ge=4)
    depth: int = Field(
        1,
        le=DEEPEST,
        ge=1,
        description="residual blocks per resolution, which also take in the label",
    )
    components: int = Field(
        1, ge=1, le=16, description="logistics in the mixture of a pixel's levels"
    )
    context: int = Field(32, ge=1, description="width of the label embedding")
    encoder_octaves: int = Field(
        0, ge=0, description="octaves of sine features that the encoder of points sees"
    )
    kl_warmup: int = Field(
        0, ge=0, description="training steps over which the weight of the KL rises to one"
    )


PRESETS: dict[tuple[str, str], Preset] = {
    ("smoke", "points"): Preset(
        model={
            "latent": 2,
            "width": 16,
            "depth": 1,
            "context": 8,
            "encoder_octaves": 1,
            "kl_warmup": 10,
        },
        train={},
    ),
    ("smoke", "image"): Preset(model={"latent": 4, "width": 8, "depth": 1, "context": 8}, train={}),
    ("cpu", "points"): Preset(
        model={"width": 64, "depth": 3, "encoder_octaves": 3, "kl_warmup": 500},
        train={"batch_size": 512, "learning_rate": 4e-3, "ema": 0.998, "weight_decay": 0.0},
        reached=Reached(
            "gaussians-8",
            4_000,
            "-log p 3.021 nats/point (lower bound; 2.982 to 3.061); "
            "classifier two-sample accuracy 0.506 (real data: 0.50; 0.484 to 0.528)",
        ),
    ),
    ("cpu", "image"): Preset(
        model={"latent": 16, "width": 32, "depth": 1},
        train={"batch_size": 128, "learning_rate": 2e-3, "ema": 0.995, "weight_decay": 0.05},
        reached=Reached(
            "digits",
            2_500,
            "-log p 1.775 bits/dim (lower bound; 1.749 to 1.802); "
            "classifier two-sample accuracy 0.570 (real data: 0.50; 0.518 to 0.620)",
        ),
    ),
    # convolutions at full resolution do 2,300 steps of 16 pictures of 28 x 28 in a minute of two
    # cores; over patches 4,500 of 64, to better figures
    ("minute", "image"): Preset(
        model={
            "architecture": "patches",
            "latent": 32,
            "width": 32,
            "depth": 1,
            "prior": "chain",
            "components": 2,
        },
        train={"batch_size": 32, "learning_rate": 4e-3, "ema": 0.998, "weight_decay": 0.05},
        numbers=OF_28,
    ),
    ("gpu", "points"): Preset(
        model={"width": 256, "depth": 4, "encoder_octaves": 3, "kl_warmup": 500},
        train={"examples": 20_000_000, "batch_size": 1024, "precision": "auto"},
    ),
    # the VAE that a VQ-VAE was compared with: one level of continuous codes, 250,000 steps of 128
    # pictures
    ("gpu", "image"): Preset(
        model={"latent": 256, "width": 128, "depth": 2, "context": 64},
        train={
            "examples": 32_000_000,
            "batch_size": 128,
            "learning_rate": 2e-4,
            "beta2": 0.999,
            "weight_decay": 0.0,
            "ema": 0.999,
            "precision": "auto",
            "channels_last": True,
        },
        aim=Aim(
            "CIFAR-10 (32 x 32)",
            "4.51 bits/dim (an upper bound)",
            "van den Oord et al. 2017 (VQ-VAE), section 4.1, the VAE with continuous codes",
            "codes are vectors, not maps; sizes are ours. Very deep VAEs (Child 2021: 2.87) have 45 "
            "levels of codes, this one has one",
        ),
    ),
    ("gpu", "image@64"): Preset(
        model={"latent": 64, "width": 128, "depth": 2, "context": 64},
        train={
            "examples": 16_000_000,
            "batch_size": 128,
            "learning_rate": 2e-4,
            "beta2": 0.999,
            "weight_decay": 0.0,
            "ema": 0.999,
            "precision": "auto",
            "channels_last": True,
        },
        aim=Aim(
            "CelebA at 64 x 64",
            "FID 48.12",
            "Ghosh et al. 2020 (RAE), table 1, the VAE with 64 codes",
            "a discretised logistic in every pixel, where theirs has a fixed variance; sizes and "
            "training are ours",
        ),
    ),
}
