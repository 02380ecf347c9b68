"""Verbs that compute with models, and where they do.

One idea: where to compute is a field like another, and holds for as long as the request is
answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, model_validator
from pydantic.fields import FieldInfo

from pushforward.app.request import Request, option
from pushforward.core.errors import BadInput

if TYPE_CHECKING:
    import torch

    from pushforward.app.progress.watch import Watch

AUTO = "auto"


def _word(value: Any) -> Any:
    """Take a device of torch for its name."""
    return str(value) if type(value).__name__ == "device" else value


Device = Annotated[
    str, BeforeValidator(_word), option("Where to compute: auto, cpu, cuda, cuda:1.")
]


class ComputingRequest(Request):
    """A request that is answered by computing with models."""

    device: Device = AUTO

    @model_validator(mode="after")
    def _of_training(self) -> Self:
        """Take `train.device` among the settings for the device: no run depends on it."""
        settings = getattr(self, "settings", None) or {}
        training = settings.get("train", {})
        if "device" not in training:
            return self
        asked = str(training["device"])
        if self.device not in (AUTO, asked):
            raise BadInput(
                f"--device {self.device} with train.device={asked}",
                "one of them",
                "they mean the same",
            )
        rest = {key: value for key, value in training.items() if key != "device"}
        object.__setattr__(self, "device", asked)
        object.__setattr__(self, "settings", {**settings, "train": rest})
        return self

    @classmethod
    def fields(cls) -> dict[str, FieldInfo]:
        """Return the fields, the device last."""
        rest = {name: field for name, field in cls.model_fields.items() if name != "device"}
        return {**rest, "device": cls.model_fields["device"]}

    @contextmanager
    def placed(self, watch: Watch) -> Iterator[None]:
        """Put models where they were asked for as long as the block runs, and say where that is.

        Raises:
            RunFailed: the memory or the device fails, and nobody knows better what to say.
        """
        from pushforward.core.placement import PROCESSOR, Placement, computing_on
        from pushforward.core.portions import failure_of

        def tell(device: torch.device) -> None:
            if device.type != PROCESSOR:
                watch.say(f"computing on {Placement.of(device).words()}")

        with computing_on(self.device, tell) as device:
            try:
                yield
            except (RuntimeError, MemoryError) as error:
                failed = failure_of(error, device)
                if failed is None:
                    raise
                raise failed from None
