"""Settings of the autoregressive family and their presets.

One idea: a preset belongs to a kind of space; an architecture that needs other numbers has its own entry, `kind:architecture`.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from pushforward.core.spec import Config


class AutoregressiveConfig(Config):
    """Size of an autoregressive model."""

    architecture: str | None = Field(None, description="None = the default one of the space")
    width: int = Field(64, ge=4)
    depth: int = Field(2, ge=1, description="transformer blocks, or residual blocks of a coordinate's network")
    heads: int = Field(4, ge=1, description="attention heads")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of features dropped while training")
    components: int = Field(16, ge=1, description="Gaussians in a mixture (points), most cells of a number (tables)")
    context: int = Field(32, ge=1, description="width of the label embedding (points)")


PRESETS: dict[tuple[str, str], dict[str, dict[str, Any]]] = {
    ("smoke", "points"): {"model": {"width": 16, "depth": 1, "components": 4, "context": 8}, "train": {}},
    ("smoke", "image"): {"model": {"width": 16, "depth": 1, "heads": 2}, "train": {}},
    ("smoke", "table"): {"model": {"width": 16, "depth": 1, "heads": 2, "components": 8}, "train": {}},
    ("cpu", "points"): {
        "model": {"width": 128, "depth": 3, "components": 24},
        "train": {"batch_size": 512, "learning_rate": 2e-3, "ema": 0.998, "weight_decay": 0.0},
    },
    ("cpu", "image"): {
        "model": {"width": 96, "depth": 3, "heads": 4, "dropout": 0.2},
        "train": {
            "batch_size": 32,
            "learning_rate": 2e-3,
            "ema": 0.995,
            "weight_decay": 0.1,
            "precision": "bfloat16",
        },
    },
    ("smoke", "text"): {
        "model": {"width": 16, "depth": 1, "heads": 2},
        "train": {"batch_size": 16, "optimiser": "muon"},
    },
    ("cpu", "text"): {
        "model": {"width": 128, "depth": 4, "heads": 4},
        "train": {
            "batch_size": 32,
            "learning_rate": 3e-3,
            "optimiser": "muon",
            "ema": 0.99,
            "weight_decay": 0.1,
            "precision": "bfloat16",
        },
    },
    ("gpu", "text"): {
        "model": {"width": 384, "depth": 6, "heads": 6, "dropout": 0.2},
        "train": {
            "batch_size": 64,
            "learning_rate": 3e-3,
            "optimiser": "muon",
            "ema": 0.995,
            "weight_decay": 0.1,
            "precision": "bfloat16",
        },
    },
    ("cpu", "table"): {
        "model": {"width": 64, "depth": 2, "heads": 4, "components": 96, "dropout": 0.05},
        "train": {"batch_size": 256, "learning_rate": 5e-3, "ema": 0.998, "weight_decay": 0.05},
    },
    ("gpu", "points"): {"model": {"width": 256, "depth": 4, "components": 48}, "train": {"batch_size": 1024}},
    ("gpu", "image"): {
        "model": {"width": 384, "depth": 8, "heads": 8, "dropout": 0.1},
        "train": {"batch_size": 64, "precision": "bfloat16", "learning_rate": 6e-4, "weight_decay": 0.1},
    },
    ("gpu", "table"): {
        "model": {"width": 192, "depth": 4, "heads": 8, "components": 128, "dropout": 0.1},
        "train": {"batch_size": 512, "learning_rate": 1e-3, "weight_decay": 0.05},
    },
}
