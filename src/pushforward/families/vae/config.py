"""Settings of the VAE family and their presets."""

from __future__ import annotations

from pydantic import Field

from pushforward.core.preset import Preset, Reached
from pushforward.core.spec import Config


class VAEConfig(Config):
    """Size of a VAE."""

    architecture: str | None = Field(None, description="None = the default one of the space")
    latent: int | None = Field(None, ge=1, description="dimensions of z; None = those of the data")
    width: int = Field(32, ge=4)
    depth: int = Field(
        1, ge=1, description="residual blocks per resolution, which also take in the label"
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
    ("gpu", "points"): Preset(
        model={"width": 256, "depth": 4, "encoder_octaves": 3, "kl_warmup": 500},
        train={"batch_size": 1024},
    ),
    ("gpu", "image"): Preset(
        model={"latent": 64, "width": 96, "depth": 2, "context": 64},
        train={"batch_size": 256, "precision": "auto", "channels_last": True},
    ),
}
