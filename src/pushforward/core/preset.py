"""A preset: sizes and a recipe that somebody tuned, and what they were measured to reach.

One idea: numbers without the figure that they reach are a rumour. A preset says on which data, after
how many steps, which scores came out, and the command that anybody can repeat; or that nobody has
measured it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reached:
    """What one training with a preset, seed 0, came to on data that everybody has.

    Attributes:
        data: name of built-in data.
        steps: of training, no clock involved.
        figures: scores on the test split with their unit and 95 % interval.

    Example:
        >>> Reached("digits", 400, "1.84 bits/dim (exact)").command("flow", "cpu")
        'pushforward train flow digits --preset cpu --steps 400 -o RUN && pushforward evaluate RUN'
    """

    data: str
    steps: int
    figures: str

    def command(self, family: str, preset: str) -> str:
        """Return what to type to see the figures, for a family (with its architecture)."""
        train = f"pushforward train {family} {self.data} --preset {preset} --steps {self.steps}"
        return f"{train} -o RUN && pushforward evaluate RUN"


@dataclass(frozen=True)
class Preset:
    """Settings of a model and of its training.

    Attributes:
        model: values of the family's configuration that differ from its defaults.
        train: values of `TrainConfig` that do.
        reached: a measurement; None if there is none.

    Example:
        >>> Preset({"width": 64}, {}).train
        {}
    """

    model: Mapping[str, Any]
    train: Mapping[str, Any]
    reached: Reached | None = None
