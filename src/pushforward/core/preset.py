"""A preset: sizes and a recipe that somebody tuned, what they were measured to reach, and what they
aim at.

Two ideas: a figure says whose it is, measured here (`Reached`, with the command that anybody can
repeat) or published by others (`Aim`, with its source and what of theirs is different here); a
preset has a place, which says what data and architecture it is for, and the most special place
wins.

A place is written `kind`, `kind:architecture`, or either with the size of picture from which on it
holds: `image`, `image:edm`, `image@64` (64 x 64, or as many pixels of another shape, and more),
`image:edm@64`. Tables of presets have `(name, place)` for keys; a family from another package
writes its own the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pushforward.core.errors import BadInput

OF_28 = 784  # numbers in a picture of 28 x 28, on which presets for a short time were tuned
SMALLEST_BATCH = 8  # examples of a step, where a time is short or an example large


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
class Aim:
    """A published figure that a preset follows the recipe of; nobody measured it here.

    Attributes:
        data: on which it was published.
        figure: as published, with its unit.
        source: paper and table, or configuration, where it stands.
        differs: what of the published model or training is different here; empty if nothing that
            matters is.

    Raises:
        BadInput: one of the first three is empty.

    Example:
        >>> str(Aim("CIFAR-10", "2.92 bits/dim", "Salimans et al. 2017, table 1", "no flips"))
        '2.92 bits/dim on CIFAR-10, published in Salimans et al. 2017, table 1; here: no flips'
    """

    data: str
    figure: str
    source: str
    differs: str = ""

    def __post_init__(self) -> None:
        if not (self.data.strip() and self.figure.strip() and self.source.strip()):
            raise BadInput(f"the aim {self.figure!r}", "data, a figure, and where it was published")

    def __str__(self) -> str:
        told = f"{self.figure} on {self.data}, published in {self.source}"
        return f"{told}; here: {self.differs}" if self.differs else told


def half_life(examples: float, batch: int) -> float:
    """Return the decay of a weight average that forgets half in so many examples, as `train.ema`
    takes it: `2^(-batch / examples)` a step.

    Example:
        >>> round(half_life(500_000, 512), 5)
        0.99929
    """
    return 0.5 ** (batch / examples)


@dataclass(frozen=True)
class Preset:
    """Settings of a model and of its training.

    Attributes:
        model: values of the family's configuration that differ from its defaults.
        train: values of `TrainConfig` that do; `examples` among them is the length of training
            where nobody gives a budget.
        reached: a measurement; None if there is none.
        aim: a published figure; None if there is none that this model could aim at.
        numbers: in an example of the data that batch and learning rate were tuned on; None where
            they are kept whatever an example is.

    Example:
        >>> tuned = Preset({}, {"batch_size": 64, "learning_rate": 8e-3}, numbers=784)
        >>> tuned.train_for(784), tuned.train_for(4 * 784)
        ({'batch_size': 64, 'learning_rate': 0.008}, {'batch_size': 16, 'learning_rate': 0.004})
    """

    model: Mapping[str, Any]
    train: Mapping[str, Any]
    reached: Reached | None = None
    aim: Aim | None = None
    numbers: int | None = None

    def train_for(self, numbers: int) -> dict[str, Any]:
        """Return the settings of training on examples of so many numbers: where they are larger than
        those it was tuned on, a step has about as many numbers rather than as many examples, in
        eights.

        A time that is short for small pictures would have too few steps on large ones; the learning
        rate falls with the root of the batch, because a gradient of fewer examples has more noise.
        """
        train = dict(self.train)
        if self.numbers is not None and numbers > self.numbers:
            before = train["batch_size"]
            parts = round(before * self.numbers / numbers / SMALLEST_BATCH)
            batch = max(min(SMALLEST_BATCH, before), parts * SMALLEST_BATCH)
            train |= {"batch_size": batch, **rates_for(train, batch / before)}
        return train


def rates_for(train: Mapping[str, Any], share: float) -> dict[str, float]:
    """Return the learning rates of settings for this share of their batch, by its root.

    Example:
        >>> rates_for({"learning_rate": 8e-3}, 0.25)
        {'learning_rate': 0.004}
        >>> rates_for({"learning_rate": 8e-3, "optimiser": "muon", "matrix_learning_rate": 0.02}, 0.25)
        {'learning_rate': 0.004, 'matrix_learning_rate': 0.01}
    """
    muon = train.get("optimiser") == "muon"
    names = ("learning_rate", "matrix_learning_rate") if muon else ("learning_rate",)
    return {name: float(f"{train[name] * share**0.5:.2g}") for name in names if name in train}


Presets = Mapping[tuple[str, str], Preset]
# of every kind of data that a family knows: in seconds, on a processor, on a GPU
REQUIRED = ("smoke", "cpu", "gpu")
# from what is over in seconds to what takes a GPU; cheap bodies for about a minute of a processor
# are there where they learn more in such a time than the deep ones
NAMES = ("smoke", "minute", "cpu", "gpu")
AUTO = "auto"  # the name of none: the best for a budget of seconds, cpu for one of steps
_PLACE = re.compile(r"(?P<kind>[^:@]+)(?::(?P<architecture>[^:@]+))?(?:@(?P<side>[1-9]\d*))?")


@dataclass(frozen=True)
class PresetPlace:
    """What data and which architecture a preset is for.

    Attributes:
        kind: of data.
        architecture: empty: any that has no place of its own.
        side: of the smallest square picture; 0: any size.

    Example:
        >>> PresetPlace.of("image:edm@64")
        PresetPlace(kind='image', architecture='edm', side=64)
        >>> PresetPlace.of("image@64").data, PresetPlace.of("text").data
        ('image, 64 x 64 and larger', 'text')
    """

    kind: str
    architecture: str = ""
    side: int = 0

    @classmethod
    def of(cls, text: str) -> PresetPlace:
        """Read a place as tables of presets have it.

        Raises:
            BadInput: anything else.
        """
        found = _PLACE.fullmatch(text)
        if found is None:
            raise BadInput(f"the place '{text}' of a preset", "kind[:architecture][@side]")
        kind, architecture, side = found.groups()
        return cls(kind, architecture or "", int(side or 0))

    def holds(self, kind: str, architecture: str, side: int) -> bool:
        """Return whether data of a kind and size, and an architecture, are of this place."""
        return self.kind == kind and self.architecture in ("", architecture) and self.side <= side

    @property
    def data(self) -> str:
        """The kind of data, and their size where it matters."""
        if not self.side:
            return self.kind
        return f"{self.kind}, {self.side} x {self.side} and larger"


def places(presets: Presets, name: str, kind: str, architecture: str, side: int) -> list[str]:
    """Return the places of a preset that hold, from the most special to the most general: that of
    an architecture before that of all, and that of larger pictures before that of smaller ones. A
    preset that names an architecture itself is for that one only.

    Args:
        presets: a family's.
        name: of the preset.
        architecture: empty for the default.
        side: see `Space.side`.

    Example:
        >>> empty = Preset({}, {})
        >>> table = {("gpu", place): empty for place in ("image", "image@64", "image:dit", "text")}
        >>> places(table, "gpu", "image", "dit", 128), places(table, "gpu", "image", "", 32)
        (['image:dit', 'image@64', 'image'], ['image'])
    """
    found = {text: PresetPlace.of(text) for of, text in presets if of == name}
    hold = [
        text
        for text, place in found.items()
        if place.holds(kind, architecture, side)
        and (
            not architecture
            or presets[name, text].model.get("architecture") in (None, architecture)
        )
    ]
    return sorted(hold, key=lambda text: (not found[text].architecture, -found[text].side))


def named(presets: Presets, kind: str) -> list[str]:
    """Return the names of the presets that there are for a kind of data, smallest first.

    Example:
        >>> empty = Preset({}, {})
        >>> named({("gpu", "text"): empty, ("minute", "text"): empty, ("cpu", "image"): empty}, "text")
        ['minute', 'gpu']
    """
    found = {name for name, place in presets if PresetPlace.of(place).kind == kind}
    return [name for name in NAMES if name in found]


def own_architecture(presets: Presets, name: str, kind: str, side: int) -> str:
    """Return the architecture that a preset names itself; empty where that is left to the space.

    Example:
        >>> own_architecture({("minute", "image"): Preset({"architecture": "mlp"}, {})}, "minute", "image", 28)
        'mlp'
    """
    found = places(presets, name, kind, "", side)
    return str(presets[name, found[0]].model.get("architecture") or "") if found else ""
