"""From the words of `pushforward sample` to what a sample is given, guided by and begun at.

One idea: files are read for the space of the run, so that a wrong shape is said before anything is
drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pushforward.app.runs.classifying import open_classifier
from pushforward.app.runs.training import open_model
from pushforward.core.conditions import Condition, resolve
from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.core.model import GenerativeModel
from pushforward.core.observed import Observed
from pushforward.core.operators import Identity, Operator, parse_operator
from pushforward.data.masks import read_mask
from pushforward.data.observed import read_values


@dataclass(frozen=True)
class Sight:
    """What was seen of the samples to draw, in words.

    Attributes:
        observed, mask: files of values and of which of them are known; see `read_values` and
            `read_mask`.
        operator: a linear map from a sample to the values (`mask`, `downsample:2`, `blur:1.0`),
            None: they are the sample's own.
        noise: standard deviation of the values around what the operator makes of a sample, in data
            units.
        start: a file of examples to begin at.
    """

    observed: Path | None = None
    mask: Path | None = None
    operator: str | None = None
    noise: float | None = None
    start: Path | None = None

    def __bool__(self) -> bool:
        return any(value is not None for value in vars(self).values())

    def condition(
        self, model: GenerativeModel, given: Condition, n: int, classes: tuple[str, ...]
    ) -> Given:
        """Return the condition of n samples: what is given besides, and what was seen.

        Raises:
            BadInput: words that do not go together, files that do not fit the space, or another
                number of examples than n.
        """
        parts: dict[str, Any] = {}
        if self.start is not None:
            parts["start"] = _many(self._examples(self.start, model), n, self.start)
        if self.observed is not None:
            parts["observed"] = self._observed(self.observed, model, n)
        else:
            for name in ("mask", "operator", "noise"):
                if getattr(self, name) is not None:
                    raise BadInput(f"--{name} without --observed", "the file of what was observed")
        found = resolve(given, n, classes)
        return Given(**parts) if found is None else replace(found, **parts)

    def _observed(self, path: Path, model: GenerativeModel, n: int) -> Observed:
        space, operator, shape = model.space, None, model.space.event_shape
        if self.operator is not None:
            operator = parse_operator(self.operator, space)
            shape = _measured(operator, shape)
        plain = operator is None or isinstance(operator, Identity)
        if plain and self.mask is None:
            raise BadInput(
                "--observed without --mask",
                "the file of what is known of it",
                "a picture with holes may be both; or name an --operator that saw all of it",
            )
        if operator is None and self.noise:
            raise BadInput(
                f"--noise {self.noise:g} of values that are known exactly",
                "an --operator",
                "`--operator mask` is the plain one",
            )
        # pictures hold the levels of samples; what an operator made of them lies between and needs
        # an array
        values = _many(read_values(path, shape, space), n, path)
        mask = torch.ones_like(values, dtype=torch.bool)
        if self.mask is not None:
            mask = _many(read_mask(self.mask, shape), n, self.mask)
        return Observed(values, mask, operator, self.noise or 0.0)

    @staticmethod
    def _examples(path: Path, model: GenerativeModel) -> Tensor:
        values = read_values(path, model.space.event_shape, model.space)
        if not model.space.dtype.is_floating_point and bool((values != values.round()).any()):
            raise BadInput(f"values between levels in {path}", "whole numbers")
        # real values keep the precision that they were read in
        whole = not model.space.dtype.is_floating_point and bool((values >= 0).all())
        return values.to(model.space.dtype) if whole else values


BLIND = Sight()


def companions(options: dict[str, Any]) -> dict[str, Any]:
    """Return sampling options with the guide and the classifier that paths name opened; a fitted
    model stands for its own.

    Raises:
        BadInput: no run, or no classifier, at a path.
    """
    found = dict(options)
    guide, classifier = found.get("guide"), found.get("classifier")
    if isinstance(guide, str | Path):
        found["guide"] = open_model(Path(guide))[0]
    elif guide is not None:
        found["guide"] = getattr(guide, "model", guide)
    if isinstance(classifier, str | Path):
        found["classifier"] = open_classifier(Path(classifier))
    return found


def _measured(operator: Operator, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(operator.apply(torch.zeros(1, *shape)).shape[1:])


def _many(values: Tensor, n: int, path: Path) -> Tensor:
    if len(values) not in (1, n):
        raise BadInput(
            f"{len(values)} examples in {path} for {n} samples",
            f"one, or {n}",
            f"-n {len(values)} draws one for each",
        )
    return values.expand(n, *values.shape[1:])
