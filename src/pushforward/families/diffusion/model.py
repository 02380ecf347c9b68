"""The diffusion family: noise the data, learn to undo it.

One idea: the family joins a process, which depends on the kind of data, to the public verbs.
"""

from __future__ import annotations

from typing import Any, final

from pushforward.core.codec import Codec
from pushforward.core.composed import Composed
from pushforward.core.errors import BadInput
from pushforward.core.given import Given
from pushforward.core.noise import Noise
from pushforward.core.options import SampleOptions
from pushforward.core.space import Space
from pushforward.core.walk import Walk
from pushforward.families.diffusion.card import CAPABILITIES, CARD, COUPLED, PROCESSES
from pushforward.families.diffusion.conditioning import encoded, same_coordinates
from pushforward.families.diffusion.config import PRESETS, DiffusionConfig
from pushforward.families.diffusion.denoisers.classifier import NoiseAwareClassifier
from pushforward.families.diffusion.gaussian import Gaussian
from pushforward.families.diffusion.process import Process


@final
class Diffusion(Composed):
    """Gaussian diffusion of points and images, masked diffusion of text, both for tables.

    Example:
        >>> from pushforward.core.space import Points
        >>> model = Diffusion(Points(2), DiffusionConfig(width=16, depth=1))
        >>> model.walk(3, steps=18).calls
        35.0
    """

    family = "diffusion"
    capabilities, card, config_type, presets = CAPABILITIES, CARD, DiffusionConfig, PRESETS

    def __init__(
        self, space: Space, config: DiffusionConfig, classes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(space, config, classes)
        self.process = PROCESSES[space.kind](space, config, len(classes))
        if config.coupling != "independent":
            self.capabilities = COUPLED

    @property
    def part(self) -> Process:
        """The process that suits the kind of data."""
        return self.process

    def _codec(self) -> Codec:
        return PROCESSES[self.space.kind].codec(self.space)

    def _walk(self, noise: Noise, given: Given | None, options: SampleOptions) -> Walk[Any]:
        if options.classifier is not None:
            require_classifier(self, options.classifier)
        if options.guide is not None:
            options = options.but(guide=guide_of(self, options.guide))
        return super()._walk(noise, encoded(given, self.codec), options)


def guide_of(model: Diffusion, guide: Any) -> Gaussian:
    """Return the process of a weaker model that guidance leans away from.

    Raises:
        BadInput: no diffusion model of images or points, or one of another space, other classes or
            other noise levels.
    """
    process = guide.process if isinstance(guide, Diffusion) else None
    if not isinstance(process, Gaussian) or not isinstance(model.process, Gaussian):
        raise BadInput(
            f"the guide {type(guide).__name__} on {model.space.kind}",
            "a diffusion model of images or points",
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
        BadInput: no noise-aware classifier, or one of another space, other classes or other noise
            levels.
    """
    if not isinstance(classifier, NoiseAwareClassifier) or not isinstance(model.process, Gaussian):
        came = f"the classifier {type(classifier).__name__} on {model.space.kind}"
        raise BadInput(
            came,
            "a noise-aware classifier of images or points",
            "see `pushforward train-classifier`",
        )
    if (
        model.classes
        and classifier.codec.space == model.space
        and classifier.classes != model.classes
    ):
        came = f"a classifier of {len(classifier.classes)} classes for a model with {len(model.classes)}"
        raise BadInput(came, "the same classes", "train both on the same labels")
    same_coordinates(
        model.codec, model.process.path, classifier.codec, *classifier.levels, "a classifier"
    )
