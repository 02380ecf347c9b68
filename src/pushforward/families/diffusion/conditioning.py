"""From what a user asks of a sampler to the denoiser and the walk that do it.

Two ideas: what changes the distribution at every noise level (guidance, a measurement) wraps the
denoiser, what changes points (known coordinates) wraps the walk; an option that nothing would come
of is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from pushforward.core.codec import Codec
from pushforward.core.errors import BadInput, Unsupported
from pushforward.core.given import Given, label_of
from pushforward.core.operators import Operator
from pushforward.core.options import SampleOptions
from pushforward.core.walk import Walk
from pushforward.families.diffusion.denoisers.denoiser import Denoiser
from pushforward.families.diffusion.denoisers.guidance import (
    Autoguided,
    ClassifierGuided,
    Guided,
    Lean,
)
from pushforward.families.diffusion.denoisers.posterior import POSTERIORS, LinearPosterior
from pushforward.families.diffusion.options import INPAINTING, REPEATS, parse_interval
from pushforward.families.diffusion.paths.path import Path
from pushforward.families.diffusion.solvers.inpainting import inpainted
from pushforward.families.diffusion.solvers.sampler import OdeSampler
from pushforward.families.diffusion.solvers.schemes import Draw, Origin, SchemeSampler

CONDITIONS = ("label", "observed", "start")


class EncodedOperator(Operator):
    """`A x` of encoded examples, up to what a shift of the code adds: `A (x' / scale)`.

    Args:
        scale: `x' = scale x + shift` is what the codec does.
    """

    def __init__(self, operator: Operator, scale: Tensor) -> None:
        self.operator, self.scale = operator, scale

    def apply(self, x: Tensor) -> Tensor:
        """Undo the scale, then measure."""
        return self.operator.apply(x / self.scale.to(x))

    def adjoint(self, y: Tensor) -> Tensor:
        """The adjoint of measuring, then the scale."""
        return self.operator.adjoint(y) / self.scale.to(y)


def encoded(given: Given | None, codec: Codec) -> Given | None:
    """Return a condition in the coordinates of the model: observed values, their operator and the
    example to begin at.

    A codec of images or points shifts and scales, hence `A x = A (x'/scale) - A (shift/scale)`: a
    measurement stays in its own units, and so does its noise.
    """
    if given is None:
        return None
    if given.start is not None:
        given = replace(given, start=codec.encode(given.start).value)
    seen = given.observed
    if seen is None:
        return given
    values = torch.where(seen.mask, seen.values, 0.0)
    if seen.operator is None:
        return replace(given, observed=replace(seen, values=codec.encode(values).value))
    scale, shift = (
        part.to(values.device).expand(1, *codec.space.event_shape) for part in codec.affine()
    )
    # in double precision: what is seen may be large, and the difference is what counts
    moved = (values.double() + seen.operator.apply(shift / scale)).to(torch.float32)
    return replace(
        given, observed=replace(seen, values=moved, operator=EncodedOperator(seen.operator, scale))
    )


def same_coordinates(
    codec: Codec, path: Path, other_codec: Codec, low: float, high: float, what: str
) -> None:
    """Refuse a network that was trained in other coordinates or for fewer noise levels.

    Raises:
        BadInput: another space, another fitted codec, or noise levels that are not covered.
    """
    if codec.space != other_codec.space:
        raise BadInput(f"{what} for {other_codec.space}", f"one for the run's {codec.space}")
    mine, other = codec.state_dict(), other_codec.state_dict()
    if any(not torch.equal(mine[key].cpu(), other[key].cpu()) for key in mine):
        raise BadInput(
            f"{what} that encodes data otherwise",
            "one trained on the same data",
            "train it on the run's",
        )
    if low > path.sigma_min * 1.001 or high < path.sigma_max * 0.999:
        came = f"{what} for noise levels from {low:.4g} to {high:.4g}"
        raise BadInput(came, f"{path.sigma_min:.4g} to {path.sigma_max:.4g}, those of the run")


def lean_of(options: SampleOptions, given: Given | None, images: bool) -> Lean:
    """Return how guidance leans, refusing what would change nothing.

    Raises:
        BadInput: guidance, a classifier or an interval without anything to act on.
        Unsupported: a rescaling of what is no image.
    """
    lean = Lean(
        options.guidance, *parse_interval(options.guidance_interval), options.guidance_rescale
    )
    if options.guide is not None and options.classifier is not None:
        raise BadInput("a guide and a classifier", "one of them", "leave one out")
    if options.guide is None and label_of(given) is None:
        if options.classifier is not None:
            raise BadInput("a classifier without a condition", "a class", "name one with --given")
        if options.guidance != 1.0:
            raise BadInput(
                f"guidance={options.guidance} without a condition",
                "a class to lean towards",
                "name one with --given",
            )
    if options.guide is not None and options.guidance == 1.0:
        raise BadInput(
            "a guide with guidance=1",
            "a weight above 1",
            "at 1 it is not asked for; try --guidance 2",
        )
    idle = options.guidance == 1.0 and options.classifier is None
    if idle and (options.guidance_interval is not None or options.guidance_rescale):
        raise BadInput(
            "an interval or a rescaling of guidance=1", "a guidance weight other than 1", "1 is off"
        )
    if options.guidance_rescale and not images:
        came = "sampling option 'guidance_rescale' on points"
        raise Unsupported(came, "images", "it restores the contrast of an image; a point has none")
    return lean


def steered(
    denoiser: Denoiser,
    weaker: Denoiser | None,
    scale: float,
    given: Given | None,
    options: SampleOptions,
    images: bool,
) -> Denoiser:
    """Return the denoiser with all that conditions it: guidance first, then a measurement.

    Args:
        weaker: the denoiser of the guide, if there is one.
        scale: standard deviation of the data.

    Raises:
        BadInput: options that nothing would come of.
    """
    lean = lean_of(options, given, images)
    found = denoiser
    if weaker is not None:
        found = Autoguided(denoiser, weaker, lean)
    elif options.classifier is not None:
        found = ClassifierGuided(denoiser, options.classifier, lean)
    elif label_of(given) is not None:
        found = Guided(denoiser, lean)
    seen = None if given is None else given.observed
    if seen is None or seen.operator is None:
        if options.posterior is not None:
            raise BadInput(
                f"posterior={options.posterior} without a measurement",
                "one through an operator",
                "leave it out",
            )
        return found
    return LinearPosterior(found, seen, options.posterior or POSTERIORS.names()[0], scale)


def origin_of(given: Given | None, options: SampleOptions) -> Origin | None:
    """Return where a walk begins, None for the prior.

    Raises:
        BadInput: an example to begin at without a strength, or the other way round.
    """
    start = None if given is None else given.start
    if (start is None) != (options.strength is None):
        came = (
            "a strength without an example to begin at"
            if start is None
            else "an example to begin at without a strength"
        )
        raise BadInput(came, "both", "name them with --start FILE --strength 0.6")
    return None if start is None or options.strength is None else Origin(start, options.strength)


def kept(walk: Walk[Any], given: Given | None, options: SampleOptions, draw: Draw) -> Walk[Any]:
    """Return the walk, around it one that keeps what is known exactly, if anything is.

    Raises:
        BadInput: options of inpainting with nothing to keep.
    """
    seen = None if given is None else given.observed
    if seen is None or seen.operator is not None:
        for option in (INPAINTING, REPEATS):
            if (value := getattr(options, option.name)) is not None:
                raise BadInput(
                    f"{option.name}={value} without known values",
                    "values that are known exactly",
                    "leave it out",
                )
        return walk
    if not isinstance(walk, OdeSampler | SchemeSampler):
        raise BadInput(
            f"known values with the solver '{options.solver}'",
            "a solver of fixed steps",
            "try heun or ddim",
        )
    return inpainted(walk, seen, draw, options.inpainting, options.repeats)
