"""Where a family's objective is spent: one named series with what it must be read against.

One idea: the objective decides what to look at, so every family draws its own curve (loss by
position, error by noise level, nats per latent dimension), and each curve carries the reference
that gives it a meaning.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from pushforward.core.errors import BadInput


@dataclass(frozen=True)
class Curve:
    """A series of a trained model on held-out examples.

    Attributes:
        title: what is drawn, such as `denoising error by noise level`.
        x_name, y_name: the axes, units included.
        x, y: the series.
        stderr: standard error of every y over the examples, empty if y is no mean.
        reference: what y would be for the model named by `reference_name`, empty if there is none.
        says: how to read it, in one sentence.
        log_x: True where x spans decades.
        name: what the series is called beside others, empty for the model's own name.
        other, other_stderr, other_name: a second measured series, empty if there is none.
        flag: what is wrong with the model if the series say so, empty if they do not.

    Example:
        >>> Curve("loss by position", "position", "nats", (0.0, 1.0), (2.0, 1.5), says="falls with context").n
        2
    """

    title: str
    x_name: str
    y_name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    says: str
    stderr: tuple[float, ...] = ()
    reference: tuple[float, ...] = ()
    reference_name: str = ""
    log_x: bool = False
    name: str = ""
    other: tuple[float, ...] = ()
    other_stderr: tuple[float, ...] = ()
    other_name: str = ""
    flag: str = ""

    def __post_init__(self) -> None:
        for name in ("y", "stderr", "reference", "other", "other_stderr"):
            series = getattr(self, name)
            if len(series) not in ((len(self.x),) if name == "y" else (0, len(self.x))):
                raise BadInput(
                    f"{len(series)} values of {name} for {len(self.x)} of x", "series of one length"
                )

    @property
    def n(self) -> int:
        """Number of points."""
        return len(self.x)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary."""
        return asdict(self)

    @staticmethod
    def from_json(record: dict[str, Any]) -> Curve:
        """Rebuild a curve from `to_json`."""
        series = {
            k: tuple(_number(e) for e in v)
            for k, v in record.items()
            if isinstance(v, list | tuple)
        }
        return Curve(**{**record, **series})


def _number(value: float | int | None) -> float:
    # standard JSON has no NaN, so records hold null
    return math.nan if value is None else float(value)


def mean_curve(values: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean over the first axis and its standard error, from values of shape (n examples,
    points).

    Example:
        >>> import torch
        >>> mean_curve(torch.tensor([[0.0, 1.0], [2.0, 1.0]]))
        ((1.0, 1.0), (1.0, 0.0))
    """
    rows = values.detach().double().cpu()
    error = rows.std(0) / len(rows) ** 0.5 if len(rows) > 1 else rows[0] * 0.0
    return tuple(rows.mean(0).tolist()), tuple(error.tolist())
