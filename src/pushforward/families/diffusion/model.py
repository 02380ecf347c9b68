"""The diffusion family: noise the data, learn to undo it.

One idea: the family joins a process, which depends on the kind of data, to the public verbs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from pushforward.core.codec import Codec
from pushforward.core.curve import Curve
from pushforward.core.errors import BadInput
from pushforward.core.given import Examples, Given
from pushforward.core.logprob import LogProb
from pushforward.core.loss import Loss
from pushforward.core.model import GenerativeModel
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.walk import Walk
from pushforward.families.diffusion.card import CAPABILITIES, CARD, COUPLED
from pushforward.families.diffusion.conditioning import encoded, labels_only, same_coordinates
from pushforward.families.diffusion.config import PRESETS, DiffusionConfig
from pushforward.families.diffusion.denoisers.classifier import Classifier
from pushforward.families.diffusion.gaussian import Gaussian
from pushforward.families.diffusion.process import Process
from pushforward.families.diffusion.rows.table_process import TableDiffusion
from pushforward.families.diffusion.symbols.masked_text import MaskedText

PROCESSES: dict[str, type[Process]] = {
    "points": Gaussian,
    "image": Gaussian,
    "table": TableDiffusion,
    "text": MaskedText,
}


class Diffusion(GenerativeModel):
    """Gaussian diffusion of points and images, masked diffusion of text, both for tables.

    Example:
        >>> from pushforward.core.space import Points
        >>> model = Diffusion(Points(2), DiffusionConfig(width=16, depth=1))
        >>> model.walk(3, steps=18).calls
        35.0
    """

    family = "diffusion"
    capabilities, card, config_type, presets = CAPABILITIES, CARD, DiffusionConfig, PRESETS

    def __init__(self, space: Space, config: DiffusionConfig, classes: tuple[str, ...] = ()) -> None:
        super().__init__(space, config, classes)
        self.process = PROCESSES[space.kind](space, config, len(classes))
        if config.coupling != "independent":
            self.capabilities = COUPLED

    @property
    def glance(self) -> int:
        """As many training examples as the process asks for."""
        return self.process.glance

    def _codec(self) -> Codec:
        return PROCESSES[self.space.kind].codec(self.space)

    def networks(self) -> dict[str, nn.Module]:
        """Return what may run in lower precision."""
        return self.process.networks()

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """Return the groups that the process's losses name."""
        return self.process.parameter_groups()

    def hidden_matrices(self) -> list[nn.Parameter]:
        """Return those of the process."""
        return self.process.hidden_matrices()

    def _prepare(self, x: Tensor, given: Given | None) -> None:
        self.process.prepare(x, given)

    def _losses(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Loss]:
        return self.process.losses(x, given, noise)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        if options.classifier is not None:
            require_classifier(self, options.classifier)
        if options.guide is not None:
            options = replace(options, guide=guide_of(self, options.guide))
        return self.process.walk(noise, encoded(given, self.codec), options, self.capabilities)

    def _curves(self, x: Tensor, given: Given | None, noise: Noise) -> Iterator[Curve]:
        return self.process.curves(x, given, noise)

    def _learned_curves(
        self, x: Tensor, given: Given | None, noise: Noise, training: Callable[[], Examples]
    ) -> Iterator[Curve]:
        return self.process.learned_curves(x, given, noise, training)

    def _held_out(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return self.process.held_out(x, given, noise)

    def _log_prob(
        self, x: Tensor, given: Given | None, noise: Noise, estimator: str, samples: int, steps: int | None = None
    ) -> LogProb:
        return self.process.log_prob(x, labels_only(given, "log_prob"), noise, estimator, samples, steps)

    def _vouch(self, lp: LogProb, steps: int | None) -> None:
        self.process.vouch(lp, steps)

    def _encode(self, x: Tensor, given: Given | None, noise: Noise) -> Tensor:
        return self.process.encode(x, labels_only(given, "encode"), noise)

    def _decode(self, z: Tensor, given: Given | None) -> Tensor:
        return self.process.decode(z, labels_only(given, "decode"))


def guide_of(model: Diffusion, guide: Any) -> Gaussian:
    """Return the process of a weaker model that guidance leans away from.

    Raises:
        BadInput: no diffusion model of images or points, or one of another space, other classes or other noise levels.
    """
    process = guide.process if isinstance(guide, Diffusion) else None
    if not isinstance(process, Gaussian) or not isinstance(model.process, Gaussian):
        raise BadInput(
            f"the guide {type(guide).__name__} on {model.space.kind}", "a diffusion model of images or points"
        )
    if guide.space == model.space and guide.classes != model.classes:
        came = f"a guide with {len(guide.classes)} classes for a model with {len(model.classes)}"
        raise BadInput(came, "the same classes", "train both on the same labels")
    low, high = process.path.sigma_min, process.path.sigma_max
    same_coordinates(model.codec, model.process.path, guide.codec, low, high, "a guide")
    return process


def require_classifier(model: Diffusion, classifier: Any) -> None:
    """Refuse a classifier that does not fit.

    Raises:
        BadInput: no noise-aware classifier, or one of another space, other classes or other noise levels.
    """
    if not isinstance(classifier, Classifier) or not isinstance(model.process, Gaussian):
        came = f"the classifier {type(classifier).__name__} on {model.space.kind}"
        raise BadInput(came, "a noise-aware classifier of images or points", "see `pushforward train-classifier`")
    if model.classes and classifier.codec.space == model.space and classifier.classes != model.classes:
        came = f"a classifier of {len(classifier.classes)} classes for a model with {len(model.classes)}"
        raise BadInput(came, "the same classes", "train both on the same labels")
    same_coordinates(model.codec, model.process.path, classifier.codec, *classifier.levels, "a classifier")
