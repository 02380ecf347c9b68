"""Presets of the cheap bodies, for pictures and little time on a processor.

One idea: noise is drawn where pictures take shape, and every error of the network counts alike; in
a minute that gives the better samples (LOG.md).
"""

from __future__ import annotations

from pushforward.core.preset import OF_28, Preset

OF_A_MINUTE: dict[tuple[str, str], Preset] = {
    # a new network already separates levels, which takes more steps of an ODE
    **{
        ("smoke", f"image:{name}"): Preset(
            model={"width": 8, "depth": 1, "context": 16, "ode_steps": 32},
            train={"batch_size": 32},
        )
        for name in ("lean", "mlp", "experts")
    },
    ("minute", "image"): Preset(
        model={
            "architecture": "experts",
            "width": 64,
            "depth": 1,
            "law": "log-logistic",
            "weight": "edm",
            "drop_condition": 0.05,
        },
        train={
            "batch_size": 64,
            "optimiser": "muon",
            "matrix_learning_rate": 0.02,
            "learning_rate": 7e-3,
            "ema": 0.99,
            "precision": "auto",
            "channels_last": True,
        },
        numbers=OF_28,
    ),
}
