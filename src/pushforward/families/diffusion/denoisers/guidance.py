"""Guidance: a denoiser that wraps a denoiser and leans away from a weaker estimate.

Two ideas: every kind extrapolates from a weak estimate through a strong one, `D = D_weak + w
(D_strong - D_weak)`, and they differ in which two; where guidance does nothing (w = 1, or outside
an interval of noise levels) the weak one is not asked for.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from pushforward.core.given import Given, label_of
from pushforward.families.diffusion.denoisers.denoiser import Denoiser


@dataclass(frozen=True)
class Lean:
    """How far guidance leans, where, and how much of the spread of the estimate it gives back.

    Attributes:
        weight: w; 0 is the weak estimate, 1 the strong one, above 1 exaggerates their difference.
        low, high: noise levels between which it acts, `low <= s <= high` (Kynkaanniemi et al.
            2024); elsewhere w = 1.
        rescale: phi of Lin et al. 2023: the share in which an example's standard deviation is set
            back to the strong estimate's.

    Example:
        >>> Lean(3.0, 0.3, 5.0).at(torch.tensor([0.1, 1.0])).tolist()
        [1.0, 3.0]
    """

    weight: float = 1.0
    low: float = 0.0
    high: float = math.inf
    rescale: float = 0.0

    def at(self, noise_level: Tensor) -> Tensor:
        """Return w at noise levels of any shape."""
        inside = (noise_level >= self.low) & (noise_level <= self.high)
        return torch.where(
            inside, torch.full_like(noise_level, self.weight), torch.ones_like(noise_level)
        )

    def rescaled(self, moved: Tensor, strong: Tensor) -> Tensor:
        """Return `phi moved std(strong)/std(moved) + (1 - phi) moved`, standard deviations over
        each example's own numbers."""
        if not self.rescale:
            return moved
        wanted, came = (t.flatten(1).std(1, correction=0) for t in (strong, moved))
        ratio = (wanted / came.clamp(min=1e-12)).reshape(-1, *(1 for _ in moved.shape[1:]))
        return self.rescale * ratio * moved + (1.0 - self.rescale) * moved


class Extrapolating(Denoiser, ABC):
    """`D_weak + w (D_strong - D_weak)`, rescaled; no longer a denoiser of any distribution, so its
    samples have no likelihood.

    Attributes:
        weak_calls, strong_calls, both_calls: what one denoising costs if only the one, only the
            other, or both are asked for.
    """

    weak_calls: float
    strong_calls: float
    both_calls: float

    def __init__(self, lean: Lean) -> None:
        self.lean = lean

    @abstractmethod
    def _weak(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        """Return the estimate to lean away from."""

    @abstractmethod
    def _strong(
        self, y: Tensor, noise_level: Tensor, given: Given | None, weak: Tensor | None
    ) -> Tensor:
        """Return the estimate to lean towards; `weak` is the other one where it is known."""

    @property
    def calls(self) -> float:  # type: ignore[override]
        """Network calls where guidance acts."""
        return self._price(self.lean.weight)

    def cost(self, noise_level: float) -> float:
        """Network calls at one noise level: fewer outside the interval."""
        return self._price(float(self.lean.at(torch.tensor(noise_level, dtype=torch.float64))))

    def _price(self, weight: float) -> float:
        return {0.0: self.weak_calls, 1.0: self.strong_calls}.get(weight, self.both_calls)

    def denoise(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        """Shapes: y (n, ...), noise_level () or (n,) -> (n, ...)."""
        weight = self.lean.at(noise_level.to(y))
        if bool((weight == 1.0).all()):
            return self._strong(y, noise_level, given, None)
        weak = self._weak(y, noise_level, given)
        if bool((weight == 0.0).all()):
            return weak
        strong = self._strong(y, noise_level, given, weak)
        moved = weak + weight.reshape(-1, *(1 for _ in y.shape[1:])) * (strong - weak)
        return self.lean.rescaled(moved, strong)


class Guided(Extrapolating):
    """Classifier-free: from the estimate without the label through the one with it (Ho and Salimans
    2022, equation 6, w from zero).

    w = 0 is unconditional, w = 1 conditional and free of extra calls, w > 1 sharpens. Without a
    label nothing is leaned on.
    """

    def __init__(self, denoiser: Denoiser, weight: float | Lean) -> None:
        super().__init__(weight if isinstance(weight, Lean) else Lean(weight))
        self.denoiser = denoiser
        self.weak_calls = self.strong_calls = denoiser.calls
        self.both_calls = 2.0 * denoiser.calls

    def _weak(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        return self.denoiser.denoise(y, noise_level, None)

    def _strong(
        self, y: Tensor, noise_level: Tensor, given: Given | None, weak: Tensor | None
    ) -> Tensor:
        if label_of(given) is None and weak is not None:
            return weak
        return self.denoiser.denoise(y, noise_level, given)


class Autoguided(Extrapolating):
    """From a weaker model through this one, both with the same label or both without (Karras et al.
    2024, arXiv:2406.02507).

    The weaker one (smaller, or trained for less time) errs in the same way but more, so that their
    difference points to good samples rather than to typical ones of a class.
    """

    def __init__(self, denoiser: Denoiser, weaker: Denoiser, lean: Lean) -> None:
        super().__init__(lean)
        self.denoiser, self.weaker = denoiser, weaker
        self.weak_calls, self.strong_calls = weaker.calls, denoiser.calls
        self.both_calls = weaker.calls + denoiser.calls

    def _weak(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        return self.weaker.denoise(y, noise_level, given)

    def _strong(
        self, y: Tensor, noise_level: Tensor, given: Given | None, weak: Tensor | None
    ) -> Tensor:
        return self.denoiser.denoise(y, noise_level, given)


@runtime_checkable
class NoisyClassifier(Protocol):
    """A classifier that knows how noisy its input is."""

    def log_prob(self, y: Tensor, noise_level: Tensor) -> Tensor:
        """Return `log p(label | y)` for every class: y (n, ...), noise_level () or (n,) -> (n,
        classes), differentiable in y."""
        ...


class ClassifierGuided(Extrapolating):
    """`D_null + w s^2 grad log p(label | y, s)`: the score of a class by Bayes' rule (Dhariwal and
    Nichol 2021; Song et al. 2020).

    With w = 1 and the exact classifier it is the denoiser of that class, of an unconditional model.
    The gradient counts as two calls, one forwards and one backwards, though a classifier may be far
    smaller than the denoiser.
    """

    def __init__(self, denoiser: Denoiser, classifier: NoisyClassifier, lean: Lean) -> None:
        super().__init__(lean)
        self.denoiser, self.classifier = denoiser, classifier
        self.weak_calls = denoiser.calls
        self.strong_calls = self.both_calls = denoiser.calls + 2.0

    def _weak(self, y: Tensor, noise_level: Tensor, given: Given | None) -> Tensor:
        return self.denoiser.denoise(y, noise_level, None)

    def _strong(
        self, y: Tensor, noise_level: Tensor, given: Given | None, weak: Tensor | None
    ) -> Tensor:
        null = self._weak(y, noise_level, None) if weak is None else weak
        label = label_of(given)
        if label is None:
            return null
        # whoever differentiates this estimate once more needs the graph of the gradient
        outer = y.requires_grad and torch.is_grad_enabled()
        with torch.enable_grad():
            leaf = y if outer else y.detach().requires_grad_()
            chosen = self.classifier.log_prob(leaf, noise_level).gather(1, label.unsqueeze(1)).sum()
            (gradient,) = torch.autograd.grad(chosen, leaf, create_graph=outer)
        s = noise_level.to(y).reshape(-1, *(1 for _ in y.shape[1:]))
        return null + s**2 * gradient
