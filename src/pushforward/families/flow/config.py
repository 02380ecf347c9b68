"""Settings of the flow family and their presets."""

from __future__ import annotations

from pydantic import Field

from pushforward.core.preset import Preset, Reached
from pushforward.core.spec import Config


class FlowConfig(Config):
    """Size of a flow."""

    architecture: str | None = Field(None, description="None = the default one of the space")
    layers: int = Field(6, ge=1, description="couplings (per scale on images)")
    width: int = Field(64, ge=4, description="width of the conditioners")
    depth: int = Field(2, ge=0, description="residual blocks of a conditioner")
    bins: int = Field(12, ge=2, description="bins of the splines")
    bound: float = Field(
        4.0, gt=0, description="splines act on [-bound, bound], the identity outside"
    )
    context: int = Field(32, ge=1, description="width of the label embedding")


PRESETS: dict[tuple[str, str], Preset] = {
    ("smoke", "points"): Preset(
        model={"layers": 2, "width": 16, "depth": 1, "bins": 6, "context": 8},
        train={},
    ),
    ("smoke", "image"): Preset(
        model={"layers": 1, "width": 16, "depth": 1, "bins": 4, "context": 8},
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
    ("gpu", "points"): Preset(
        model={"layers": 10, "width": 256, "depth": 2, "bins": 16},
        train={"batch_size": 1024},
    ),
    ("gpu", "image"): Preset(
        model={"layers": 8, "width": 192, "depth": 2, "bins": 8},
        train={"batch_size": 128, "precision": "auto", "channels_last": True},
    ),
}
