"""The snapshots of averages that a run keeps, so that the width of its average can be chosen after
training.

Two ideas: a snapshot is one complete file named by its step, and a resumed run forgets those after
the checkpoint it starts from; reading combines them one file at a time, in float64, and holds one
of them in memory.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.files import remove_file
from pushforward.core.model import GenerativeModel
from pushforward.engine.checkpoint import Sections, load_counters, load_state, save_state
from pushforward.engine.post_hoc import Combination, combination
from pushforward.engine.power_average import TRACKED, WIDEST, PowerAverages, exponent_of

FOLDER = "ema"  # in the folder `state` of a run
LARGEST_RESIDUAL = 0.1
OTHERS = "others"  # what of a model is no parameter: the section of its buffers
TRIED = tuple(round(0.005 * k, 3) for k in range(1, math.ceil(WIDEST / 0.005)))


def bytes_of(count: int, model: torch.nn.Module) -> int:
    """Return the disk that `count` snapshots of a model take, but for some kB of names."""
    state = {name: value.nbytes for name, value in model.state_dict().items()}
    parameters = sum(value.nbytes for value in model.parameters())
    return count * (sum(state.values()) + (len(TRACKED) - 1) * parameters)


class EmaBank:
    """Follows a training run and keeps its snapshots, at even shares of its budget and where it
    stops."""

    def __init__(self, model: GenerativeModel, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count
        self.averages = PowerAverages(model, [exponent_of(width) for width in TRACKED])

    def update(self, model: GenerativeModel, step: int) -> None:
        """Take in the weights after update `step` = 1, 2, ..."""
        self.averages.update(model, step)

    def keep(
        self, model: GenerativeModel, step: int, before: float, now: float, stopped: bool
    ) -> None:
        """Write a snapshot if the last step, which took the budget from `before` to `now`, crossed
        one of its shares."""
        if stopped or math.floor(now * self.count) > math.floor(before * self.count):
            parameters = dict(model.named_parameters())
            others = {
                name: value for name, value in model.state_dict().items() if name not in parameters
            }
            sections = {**self.averages.sections(), OTHERS: others}
            counters = {"step": step, "widths": list(TRACKED)}
            save_state(self.folder / f"{step:09d}.safetensors", sections, counters)

    def rewind(self, step: int) -> None:
        """Forget snapshots after `step`, which a killed run wrote after its last checkpoint."""
        for path in snapshot_files(self.folder):
            if int(path.stem) > step:
                remove_file(path)


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of a finished run.

    Attributes:
        steps: when each was taken, increasing.
        widths: of the averages that each of them holds.
    """

    folder: Path
    steps: tuple[int, ...]
    widths: tuple[float, ...]

    def combination(self, width: float, step: int | None = None) -> Combination:
        """Return how the average of a width at a step (None = the last) is combined from the
        snapshots.

        Raises:
            BadInput: a width out of range, a step without training before it, or a pair that the
                snapshots cannot represent.
        """
        exponent, at = exponent_of(width), self._at(step)
        found = self._combination(exponent, at)
        if found.residual > LARGEST_RESIDUAL:
            raise BadInput(
                f"the width {width:g} at step {at}, of which the {len(self.steps)} snapshots miss {found.residual:.0%} "
                f"(relative residual)",
                f"at most {LARGEST_RESIDUAL:.0%}",
                self._nearby(at),
            )
        return found

    def residual(self, width: float, step: int | None = None) -> float:
        """Return the share of a profile, by norm, that no combination of the snapshots has."""
        return self._combination(exponent_of(width), self._at(step)).residual

    def representable(self, step: int | None = None) -> tuple[float, float] | None:
        """Return the narrowest and the widest average (to 0.005) that the snapshots represent at a
        step, None if none."""
        good = [width for width in TRIED if self.residual(width, step) <= LARGEST_RESIDUAL]
        return (good[0], good[-1]) if good else None

    def weights(self, width: float, step: int | None = None) -> dict[str, Tensor]:
        """Return the state of a model whose parameters are averaged over a width.

        Raises:
            BadInput: as `combination`, or a damaged snapshot.
        """
        found = self.combination(width, step)
        sums: dict[str, Tensor] = {}
        types: dict[str, torch.dtype] = {}
        others: dict[str, Tensor] = {}
        nearest = bisect_left(self.steps, self._at(step))
        for place, sections in enumerate(self._read()):
            if place == nearest:
                others = sections.get(OTHERS, {})
            for row in range(len(self.widths)):
                for name, value in sections[f"average {row}"].items():
                    types[name] = value.dtype
                    total = sums.setdefault(name, torch.zeros(value.shape, dtype=torch.float64))
                    total.add_(value.double(), alpha=float(found.coefficients[row, place]))
        return {**{name: total.to(types[name]) for name, total in sums.items()}, **others}

    def _at(self, step: int | None) -> int:
        at = self.steps[-1] if step is None else step
        if not 1 <= at <= self.steps[-1]:
            raise BadInput(f"the step {at}", f"1 to {self.steps[-1]}, the last snapshot")
        return at

    def _combination(self, exponent: float, at: int) -> Combination:
        return combination(self.steps, [exponent_of(width) for width in self.widths], exponent, at)

    def _nearby(self, at: int) -> str:
        if at not in self.steps:
            near = self.steps[max(0, bisect_left(self.steps, at) - 1) :][:2]
            return "choose the step of a snapshot: " + " or ".join(map(str, near))
        found = self.representable(at)
        if found is None:
            return "choose a later step"
        return f"choose one from {found[0]:g} to {found[1]:g}, or train with more `-s train.ema_snapshots`"

    def _read(self) -> Iterator[Sections]:
        for step in self.steps:
            yield load_state(self.folder / f"{step:09d}.safetensors")[0]


def open_snapshots(folder: Path) -> Snapshots | None:
    """Return the snapshots in a folder, None if there are none.

    Raises:
        BadInput: a damaged snapshot, or snapshots of different widths.
    """
    counters = [load_counters(path) for path in snapshot_files(folder)]
    if not counters:
        return None
    widths = {tuple(c["widths"]) for c in counters}
    if len(widths) > 1:
        raise BadInput(f"snapshots of different widths in {folder}", "those of one run")
    return Snapshots(folder, tuple(c["step"] for c in counters), widths.pop())


def snapshot_files(folder: Path) -> list[Path]:
    """Return the files of the snapshots in a folder, in the order of their steps."""
    return sorted(folder.glob("[0-9]*.safetensors"))
