"""Settings of the autoregressive family and their presets.

One idea: a preset belongs to a kind of space; an architecture that needs other numbers has its own
entry, `kind:architecture`.
"""

from __future__ import annotations

from pydantic import Field

from pushforward.core.preset import Preset, Reached
from pushforward.core.spec import Config


class AutoregressiveConfig(Config):
    """Size of an autoregressive model."""

    architecture: str | None = Field(None, description="None = the default one of the space")
    width: int = Field(
        64, ge=4, description="features of a position or pixel; units of a layer of `made`"
    )
    depth: int = Field(
        2,
        ge=1,
        description="residual blocks: of attention, of gated convolutions, of (masked) layers",
    )
    heads: int = Field(4, ge=1, description="attention heads (transformer)")
    dropout: float = Field(
        0.0, ge=0, lt=1, description="share of features dropped while training (all but mixture)"
    )
    components: int = Field(
        16,
        ge=1,
        description="Gaussians in a conditional mixture (points), logistics (pixelcnn, made), most cells of a number (tables)",
    )
    context: int = Field(32, ge=1, description="width of the label embedding (all but transformer)")
    context_depth: int = Field(
        2, ge=0, description="blocks that read a context before it is looked at (transformer)"
    )
    condition_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of training rows without label and context, which guidance needs (transformer)",
    )


PRESETS: dict[tuple[str, str], Preset] = {
    ("smoke", "points"): Preset(
        model={"width": 16, "depth": 1, "components": 4, "context": 8},
        train={},
    ),
    ("smoke", "image"): Preset(model={"width": 16, "depth": 1, "heads": 2}, train={}),
    ("smoke", "table"): Preset(
        model={"width": 16, "depth": 1, "heads": 2, "components": 8},
        train={},
    ),
    ("smoke", "points:made"): Preset(
        model={"width": 32, "depth": 1, "components": 4, "context": 8},
        train={},
    ),
    ("smoke", "image:pixelcnn"): Preset(
        model={"width": 8, "depth": 2, "components": 3, "context": 8},
        train={},
    ),
    ("smoke", "image:made"): Preset(
        model={"width": 32, "depth": 1, "components": 3, "context": 8},
        train={},
    ),
    ("cpu", "points"): Preset(
        model={"width": 128, "depth": 3, "components": 24},
        train={"batch_size": 512, "learning_rate": 2e-3, "ema": 0.998, "weight_decay": 0.0},
        reached=Reached(
            "gaussians-8",
            12_000,
            "-log p 2.853 nats/point (exact; 2.807 to 2.899); "
            "classifier two-sample accuracy 0.509 (real data: 0.50; 0.487 to 0.531)",
        ),
    ),
    ("cpu", "image"): Preset(
        model={"width": 96, "depth": 3, "heads": 4, "dropout": 0.2},
        train={
            "batch_size": 32,
            "learning_rate": 2e-3,
            "ema": 0.995,
            "weight_decay": 0.1,
            "precision": "auto",
        },
        reached=Reached(
            "digits",
            1_200,
            "-log p 1.729 bits/dim (exact; 1.704 to 1.755); "
            "classifier two-sample accuracy 0.601 (real data: 0.50; 0.549 to 0.650)",
        ),
    ),
    ("smoke", "text"): Preset(
        model={"width": 16, "depth": 1, "heads": 2},
        train={"batch_size": 16, "optimiser": "muon"},
    ),
    ("cpu", "text"): Preset(
        model={"width": 128, "depth": 4, "heads": 4},
        train={
            "batch_size": 32,
            "learning_rate": 3e-3,
            "optimiser": "muon",
            "ema": 0.99,
            "weight_decay": 0.1,
            "precision": "auto",
        },
        reached=Reached(
            "shakespeare",
            800,
            "-log p 2.428 bits/byte (exact; 2.397 to 2.459); "
            "classifier two-sample accuracy 0.584 (real data: 0.50; 0.551 to 0.616)",
        ),
    ),
    ("gpu", "text"): Preset(
        model={"width": 384, "depth": 6, "heads": 6, "dropout": 0.2},
        train={
            "batch_size": 64,
            "learning_rate": 3e-3,
            "optimiser": "muon",
            "ema": 0.995,
            "weight_decay": 0.1,
            "precision": "auto",
        },
    ),
    ("cpu", "table"): Preset(
        model={"width": 64, "depth": 2, "heads": 4, "components": 96, "dropout": 0.05},
        train={"batch_size": 256, "learning_rate": 5e-3, "ema": 0.998, "weight_decay": 0.05},
        reached=Reached(
            "adult-mini",
            1_800,
            "-log p 28.376 nats/row (exact; 28.091 to 28.661); "
            "classifier two-sample accuracy 0.532 (real data: 0.50; 0.503 to 0.560)",
        ),
    ),
    ("cpu", "points:made"): Preset(
        model={"width": 256, "depth": 3, "components": 24},
        train={"batch_size": 512, "learning_rate": 2e-3, "ema": 0.998, "weight_decay": 0.0},
        reached=Reached(
            "gaussians-8",
            8_000,
            "-log p 2.856 nats/point (exact; 2.810 to 2.902); "
            "classifier two-sample accuracy 0.501 (real data: 0.50; 0.479 to 0.523)",
        ),
    ),
    ("cpu", "image:pixelcnn"): Preset(
        model={"width": 24, "depth": 4, "components": 8, "dropout": 0.2},
        train={
            "batch_size": 32,
            "learning_rate": 4e-3,
            "ema": 0.995,
            "precision": "auto",
            "channels_last": True,
        },
        reached=Reached(
            "digits",
            600,
            "-log p 1.657 bits/dim (exact; 1.632 to 1.681); "
            "classifier two-sample accuracy 0.525 (real data: 0.50; 0.473 to 0.576)",
        ),
    ),
    ("cpu", "image:made"): Preset(
        model={"width": 512, "depth": 2, "components": 8, "dropout": 0.4},
        train={
            "batch_size": 64,
            "learning_rate": 2e-3,
            "ema": 0.995,
            "weight_decay": 0.1,
            "precision": "auto",
        },
        reached=Reached(
            "digits",
            4_000,
            "-log p 1.794 bits/dim (exact; 1.768 to 1.820); "
            "classifier two-sample accuracy 0.592 (real data: 0.50; 0.541 to 0.642)",
        ),
    ),
    ("gpu", "points:made"): Preset(
        model={"width": 1024, "depth": 4, "components": 48},
        train={"batch_size": 1024},
    ),
    ("gpu", "image:pixelcnn"): Preset(
        model={"width": 128, "depth": 8, "components": 10, "dropout": 0.3},
        train={"batch_size": 64, "precision": "auto", "channels_last": True, "ema": 0.9995},
    ),
    ("gpu", "image:made"): Preset(
        model={"width": 4096, "depth": 4, "dropout": 0.2},
        train={"batch_size": 256, "precision": "auto", "weight_decay": 0.1},
    ),
    ("gpu", "points"): Preset(
        model={"width": 256, "depth": 4, "components": 48},
        train={"batch_size": 1024},
    ),
    ("gpu", "image"): Preset(
        model={"width": 384, "depth": 8, "heads": 8, "dropout": 0.1},
        train={
            "batch_size": 64,
            "precision": "auto",
            "learning_rate": 6e-4,
            "weight_decay": 0.1,
        },
    ),
    ("gpu", "table"): Preset(
        model={"width": 192, "depth": 4, "heads": 8, "components": 128, "dropout": 0.1},
        train={"batch_size": 512, "learning_rate": 1e-3, "weight_decay": 0.05},
    ),
}
