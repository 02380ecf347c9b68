"""Settings of the flow family and their presets."""

from __future__ import annotations

from pydantic import Field

from pushforward.core.preset import OF_28, Aim, Preset, Reached
from pushforward.core.spec import DEEPEST, Config


class FlowConfig(Config):
    """Size of a flow."""

    architecture: str | None = Field(None, description="None = the default one of the space")
    layers: int = Field(6, le=DEEPEST, ge=1, description="couplings (per scale on images)")
    width: int = Field(64, ge=4, description="width of the conditioners")
    depth: int = Field(2, le=DEEPEST, ge=0, description="residual blocks of a conditioner")
    bins: int = Field(12, ge=2, description="bins of the splines")
    bound: float = Field(
        4.0, gt=0, description="splines act on [-bound, bound], the identity outside"
    )
    cells: int = Field(
        64, ge=1, description="subset: units for each value that a finer picture adds to a cell"
    )
    coarse: int = Field(
        256, ge=1, description="subset: most values of the coarsest picture, mapped in turn"
    )
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="subset: share of hidden units of the coarsest picture left out",
    )
    context: int = Field(32, ge=1, description="width of the label embedding")


RQ_NSF = {
    "learning_rate": 5e-4,
    "final_learning_rate": 0.0,
    "warmup": 0.0,
    "beta2": 0.999,
    "weight_decay": 0.0,
    "clip": 5.0,
    "ema": 0.999,
    "precision": "auto",
}

PRESETS: dict[tuple[str, str], Preset] = {
    ("smoke", "points"): Preset(
        model={"layers": 2, "width": 16, "depth": 1, "bins": 6, "context": 8},
        train={},
    ),
    ("smoke", "image"): Preset(
        model={"layers": 1, "width": 16, "depth": 1, "bins": 4, "context": 8},
        train={},
    ),
    ("smoke", "image:subset"): Preset(
        model={"width": 16, "depth": 1, "bins": 4, "cells": 8, "coarse": 2, "context": 8},
        train={},
    ),
    ("cpu", "points"): Preset(
        model={"layers": 6, "width": 64, "depth": 2, "bins": 16},
        train={"batch_size": 512, "learning_rate": 2e-3, "ema": 0.995, "weight_decay": 0.0},
        reached=Reached(
            "gaussians-8",
            2_500,
            "-log p 2.866 nats/point (exact; 2.821 to 2.911); "
            "classifier two-sample accuracy 0.497 (real data: 0.50; 0.475 to 0.519)",
        ),
    ),
    ("minute", "image"): Preset(
        model={
            "architecture": "subset",
            "width": 512,
            "depth": 1,
            "bins": 16,
            "cells": 64,
        },
        train={
            "batch_size": 128,
            "learning_rate": 7e-3,
            "ema": 0.999,
            "precision": "auto",
        },
        numbers=OF_28,
    ),
    ("cpu", "image"): Preset(
        model={"layers": 4, "width": 48, "depth": 1, "bins": 8},
        train={"batch_size": 64, "learning_rate": 2e-3, "ema": 0.995, "weight_decay": 0.05},
        reached=Reached(
            "digits",
            300,
            "-log p 1.964 bits/dim (lower bound; 1.939 to 1.988); "
            "classifier two-sample accuracy 0.623 (real data: 0.50; 0.572 to 0.672)",
        ),
    ),
    # of Durkan et al.'s POWER: ten steps, two blocks of 256, 400,000 steps of 512 rows
    ("gpu", "points"): Preset(
        model={"layers": 10, "width": 256, "depth": 2, "bins": 8, "bound": 3.0},
        train={
            **RQ_NSF,
            "examples": 204_800_000,
            "batch_size": 512,
        },
        aim=Aim(
            "POWER (six columns)",
            "log p 0.64 nats/row",
            "Durkan et al. 2019 (RQ-NSF, C), table 1",
        ),
    ),
    # of experiments/images.py with cifar-10-8bit.json: seven steps a level, three blocks of 96
    # channels, 200,000 steps of 512 pictures
    ("gpu", "image"): Preset(
        model={"layers": 7, "width": 96, "depth": 3, "bins": 4, "bound": 3.0},
        train={
            **RQ_NSF,
            "examples": 102_400_000,
            "batch_size": 512,
            "channels_last": True,
        },
        aim=Aim(
            "CIFAR-10 (32 x 32)",
            "3.38 bits/dim (an upper bound)",
            "Durkan et al. 2019 (RQ-NSF, C), the table of images; cifar-10-8bit.json of "
            "bayesiains/nsf",
            "half of the channels leave at every scale, where theirs stay; group norms and no "
            "dropout. Glow, with affine couplings, was published with 3.35, TarFlow is another "
            "model",
        ),
    ),
    ("gpu", "image@64"): Preset(
        model={"layers": 7, "width": 96, "depth": 3, "bins": 8, "bound": 3.0},
        train={
            **RQ_NSF,
            "examples": 51_200_000,
            "batch_size": 256,
            "accumulate": 2,
            "channels_last": True,
        },
        aim=Aim(
            "ImageNet at 64 x 64",
            "3.82 bits/dim (an upper bound)",
            "Durkan et al. 2019 (RQ-NSF, C), the table of images; imagenet-64-8bit.json of "
            "bayesiains/nsf",
            "three scales of their four, and group norms",
        ),
    ),
}
