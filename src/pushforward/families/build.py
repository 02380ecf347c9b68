"""From a family's name and settings to an untrained model.

Two ideas: presets are data on the class, settings override them; initialisation draws from a forked
global generator, because torch's initialisers take none, and leaves the caller's state as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from pushforward.core.context import ContextSpace
from pushforward.core.errors import BadInput, RunFailed, Unsupported, unknown
from pushforward.core.limits import require_bytes
from pushforward.core.model import GenerativeModel
from pushforward.core.plugins import whose
from pushforward.core.preset import AUTO, NAMES, named, own_architecture, places
from pushforward.core.rng import derive_seed
from pushforward.core.space import Space
from pushforward.core.spec import Config, parse
from pushforward.families.catalogue import FAMILIES, STUDENTS, registry_of

# settings below the first, and of no more numbers in an example than the second allows beside them,
# build nothing that a machine of today cannot hold
LARGE, LARGE_PRODUCT = 2048, 2**24
SMALLER = "choose a smaller width or depth"


def family_class(name: str) -> type[GenerativeModel]:
    """Return the class registered under `name` or an alias, be it a family or a student."""
    return registry_of(name).load(name)


def settings(
    family: str, space: Space, preset: str, architecture: str = ""
) -> dict[str, dict[str, Any]]:
    """Return the preset's `{"model": {...}, "train": {...}}` for a family on a space.

    Args:
        architecture: name of one that the family declares for this space; empty for that of the
            preset, or the default.

    Raises:
        BadInput: unknown family, preset or architecture, or a preset that there is not for them.
        Unsupported: the family does not support this kind of space.
    """
    if family in STUDENTS.names():
        families = ", ".join(FAMILIES.names())
        raise BadInput(
            f"training '{family}' on data",
            f"one of {families}",
            "a student is made from a run: `pushforward distil RUN`",
        )
    cls = family_class(family)
    if preset not in NAMES:
        raise BadInput(*unknown("preset", preset, (AUTO, *NAMES)))
    if space.kind not in cls.capabilities.spaces:
        others = [
            name
            for name in FAMILIES.names()
            if space.kind in family_class(name).capabilities.spaces
        ]
        raise Unsupported(
            f"{cls.family} on {space.kind}",
            "one of " + ", ".join(cls.capabilities.spaces),
            f"{' and '.join(others)} take it" if others else "",
        )
    known = cls.capabilities.architecture_names(space.kind)
    if architecture and architecture not in known:
        if not known:
            raise BadInput(
                f"architecture '{architecture}' of {cls.family}",
                f"{cls.family} alone",
                "it has one",
            )
        raise BadInput(
            *unknown(f"architecture of {cls.family} on {space.kind}", architecture, known)
        )
    held = places(cls.presets, preset, space.kind, architecture, space.side)
    if not held:
        raise _without(cls, space, preset, architecture)
    chosen = cls.presets[preset, held[0]]
    model = {**chosen.model, **({"architecture": architecture} if architecture else {})}
    # a preset of a whole kind of data has settings that one of its architectures does not read
    if known:
        unread = cls.capabilities.architecture(space.kind, model.get("architecture")).unread
        model = {key: value for key, value in model.items() if key not in unread}
    return {"model": model, "train": chosen.train_for(space.dimensions)}


def _without(cls: type[GenerativeModel], space: Space, preset: str, architecture: str) -> BadInput:
    """Return the refusal of a preset that a family does not have for a kind of data, or not for an
    architecture."""
    own = own_architecture(cls.presets, preset, space.kind, space.side)
    if own:
        return BadInput(
            f"the preset '{preset}' with the architecture {architecture}",
            f"{cls.family}:{own}, which it is for",
            "leave the architecture out, or take the preset cpu",
        )
    names = named(cls.presets, space.kind)
    return BadInput(f"the preset '{preset}' of {cls.family} on {space.kind}", ", ".join(names))


def model_config(family: str, values: Mapping[str, Any]) -> Config:
    """Validate a family's model settings."""
    return parse(family_class(family).config_type, values, "model")


def build(
    family: str,
    space: Space,
    classes: tuple[str, ...] = (),
    values: Mapping[str, Any] | None = None,
    seed: int = 0,
    context: ContextSpace | None = None,
) -> GenerativeModel:
    """Return an untrained model; equal arguments give equal weights.

    Args:
        context: the space of what each example is about, None if there is nothing.

    Raises:
        Unsupported: a family, or an architecture, that reads no context.

    Example:
        >>> from pushforward.core.space import Points
        >>> build("flow", Points(2), values=settings("flow", Points(2), "smoke")["model"]).family
        'flow'
    """
    config, cls = model_config(family, values or {}), family_class(family)
    largest = max((v for v in config.model_dump().values() if type(v) is int), default=0)
    if largest >= LARGE or largest * space.dimensions >= LARGE_PRODUCT:
        _require_room(cls, space, config, classes, context)
    if context is not None and "context" not in cls.capabilities.conditions:
        raise Unsupported(f"contexts for {cls.family}", "autoregressive", "leave the context out")
    with torch.random.fork_rng(devices=[]):
        # of the fork alone: the caller's generator is as it was when this block ends
        torch.default_generator.manual_seed(derive_seed(seed, "initialise"))
        model = (
            cls(space, config, classes) if context is None else cls(space, config, classes, context)
        )
    if not any(parameter.requires_grad for parameter in model.parameters()):
        chosen = getattr(model, "architecture", None)
        raise RunFailed(
            f"{whose(chosen) or f'{family} on {space.kind}'}: what it builds has no parameters",
            "a network that learns",
        )
    return model


def _require_room(
    cls: type[GenerativeModel],
    space: Space,
    config: Config,
    classes: tuple[str, ...],
    context: ContextSpace | None,
) -> None:
    """Refuse a network that would not fit, before any of it is allocated: its shapes are built
    without memory."""
    try:
        with torch.device("meta"):
            model = (
                cls(space, config, classes)
                if context is None
                else cls(space, config, classes, context)
            )
    except (NotImplementedError, RuntimeError) as error:
        if "overflow" in str(error):  # of the bytes of one matrix, in 64 bits
            require_bytes(2.0**63, "a model of more than 10^18 parameters", SMALLER)
        return  # a constructor that looks at its own values; what it makes decides
    parameters = sum(p.numel() for p in model.parameters())
    # weights, gradients, two moments of Adam and an average
    require_bytes(
        20.0 * parameters,
        f"a model of {parameters:,} parameters",
        SMALLER,
    )
