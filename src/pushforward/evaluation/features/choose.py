"""Features by the name that a user types.

Two ideas: a name is `word` or `word:PATH` with `,key=value` behind it, so that one string says
everything; a name that does not exist or does not fit the data is refused with those that do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pushforward.core.errors import BadInput, closest, unknown
from pushforward.core.space import Space
from pushforward.evaluation.features.checkpoints import (
    clip_features,
    dinov2_features,
    inception_features,
)
from pushforward.evaluation.features.columns import ColumnFeatures
from pushforward.evaluation.features.efficientnet import efficientnet_features
from pushforward.evaluation.features.named import (
    Features,
    Pixels,
    PrincipalComponents,
    Standardised,
)
from pushforward.evaluation.features.network_file import network_features
from pushforward.evaluation.features.own_network import OwnNetwork
from pushforward.evaluation.features.preprocessing import Preprocessing
from pushforward.evaluation.features.random_convolution import RandomConvolution
from pushforward.evaluation.features.sentences import SentenceFeatures
from pushforward.evaluation.features.tokens import TokenFeatures

Decode = Callable[[Sequence[int]], str]


@dataclass(frozen=True)
class _Asked:
    """What was asked for: the data, and the parts of the name behind its word."""

    space: Any
    train: np.ndarray
    labels: np.ndarray | None
    seed: int
    decode: Decode | None
    number: int | None
    path: Path
    options: Mapping[str, Any]


def features_by_name(
    name: str,
    space: Space,
    train: np.ndarray,
    labels: np.ndarray | None = None,
    seed: int = 0,
    decode: Decode | None = None,
) -> Features:
    """Return the features that a name stands for, fitted on train where they are fitted at all.

    Images: `pixels`, `pca-32` (any number), `random-conv`, `own`, `efficientnet` (extra `images`),
    `file:PATH`, `inception:PATH`, `dinov2:PATH`, `clip:PATH`. Points: `coordinates`, `pca-32`,
    `own`. Tables: `columns`, `own`. Text: `tokens`, `sentences` (extra `text`).

    Options follow after commas: `file:net.pt2,channels=1,size=32,mean=0.5,std=0.5` (also `low`,
    `high`, `filter`, `pooled`; numbers for each channel are separated by slashes),
    `dinov2:PATH,size=518`, `clip:PATH,activation=gelu`, `own,steps=600`. A file of TorchScript is
    code, and opened with `,trust=true` only.

    Args:
        name: as above.
        space: what one example is.
        train: training examples in data units (a table's filled).
        labels: whole numbers (n,) of the training examples; used by `own` only.
        seed: of `random-conv` and `own`.
        decode: from the tokens of one window to its text; used by `sentences` only.

    Raises:
        BadInput: a name or an option that is not known (names the nearest), or that does not fit
            the space; whatever the features refuse.

    Example:
        >>> from pushforward.core.space import Image
        >>> features_by_name("pca-4", Image(1, 4, 4, 9), np.random.default_rng(0).integers(0, 9, size=(50, 1, 4, 4))).name
        'pca-4'
    """
    word, number, path, options = parsed(name)
    known = known_names(space)
    if word not in known:
        others = sorted({other for names in _BY_KIND.values() for other in names})
        if word not in others:
            raise BadInput(*unknown("features", word, known))
        raise BadInput(f"features '{word}' of {space.kind}", "one of " + ", ".join(known))
    makes, legal, takes_path = _names(space)[word]
    if takes_path != (path is not None):
        expected = f"{word}:PATH" if takes_path else f"'{word}' without a path"
        raise BadInput(f"features '{name}'", expected)
    for key in options:
        if key not in legal:
            raise BadInput(
                f"option '{key}' of features '{word}'", _words(legal), closest(key, legal)
            )
    return makes(_Asked(space, train, labels, seed, decode, number, path or Path(), options))


def known_names(space: Space) -> list[str]:
    """Return the words that features of a space begin with.

    Example:
        >>> from pushforward.core.text import Text
        >>> known_names(Text(10, 4, 9))
        ['tokens', 'sentences']
    """
    return list(_names(space))


def parsed(name: str) -> tuple[str, int | None, Path | None, dict[str, Any]]:
    """Return word, number, path and options of a name.

    Raises:
        BadInput: an option that is not `key=value`, or a value of the wrong kind.

    Example:
        >>> parsed("pca-16"), parsed("dinov2:a,b.pth,size=98")
        (('pca', 16, None, {}), ('dinov2', None, PosixPath('a,b.pth'), {'size': 98}))
    """
    parts = name.split(",")
    options: dict[str, Any] = {}
    while len(parts) > 1 and parts[-1].partition("=")[0] in _OPTIONS:
        key, _, value = parts.pop().partition("=")
        options[key] = _value(key, value)
    word, colon, path = ",".join(parts).partition(":")
    head, _, digits = word.rpartition("-")
    if head == "pca" and digits.isdigit():
        return head, int(digits), Path(path) if colon else None, options
    return word, None, Path(path) if colon else None, options


def _value(key: str, value: str) -> Any:
    kind, expected = _OPTIONS[key]
    try:
        return kind(value)
    except ValueError:
        raise BadInput(f"option '{key}={value}'", expected) from None


def _numbers(value: str) -> tuple[float, ...]:
    return tuple(float(part) for part in value.split("/"))


def _truth(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError(value)
    return value == "true"


_OPTIONS: dict[str, tuple[Callable[[str], Any], str]] = {
    "channels": (int, "a whole number"),
    "size": (int, "a whole number of pixels"),
    "steps": (int, "a whole number"),
    "low": (float, "a number"),
    "high": (float, "a number"),
    "mean": (_numbers, "numbers separated by slashes, such as 0.485/0.456/0.406"),
    "std": (_numbers, "numbers separated by slashes, such as 0.229/0.224/0.225"),
    "filter": (str, "a filter's name"),
    "pooled": (_truth, "true or false"),
    "trust": (_truth, "true or false"),
    "activation": (str, "quick-gelu or gelu"),
}


def _file(asked: _Asked) -> Features:
    options = dict(asked.options)
    pooled, trust = options.pop("pooled", False), options.pop("trust", False)
    return network_features(asked.path, asked.space, Preprocessing(**options), pooled, trust)


def _clip(asked: _Asked) -> Features:
    activation = asked.options.get("activation", "quick-gelu")
    if activation not in ("quick-gelu", "gelu"):
        raise BadInput(*unknown("activation", activation, ("quick-gelu", "gelu")))
    return clip_features(asked.path, asked.space, activation, asked.options.get("trust", False))


def _sentences(asked: _Asked) -> Features:
    if asked.decode is None:
        raise BadInput(
            "features 'sentences' of tokens",
            "a decoder from tokens to text",
            "pass decode=tokeniser.decode",
        )
    return SentenceFeatures(asked.space, asked.decode)


def _own(asked: _Asked) -> Features:
    return OwnNetwork(asked.space, asked.train, asked.labels, asked.seed, **asked.options)


def _components(asked: _Asked) -> Features:
    if asked.number == 0:
        raise BadInput("features 'pca-0'", "one component or more, such as pca-32")
    return PrincipalComponents(asked.train, 32 if asked.number is None else asked.number)


_Maker = tuple[Callable[[_Asked], Features], tuple[str, ...], bool]


_CONVENTION = ("channels", "size", "low", "high", "mean", "std", "filter", "pooled", "trust")
_IMAGE: dict[str, _Maker] = {
    "pixels": (lambda asked: Pixels(asked.train), (), False),
    "pca": (_components, (), False),
    "random-conv": (
        lambda asked: RandomConvolution(asked.space, asked.train, asked.seed),
        (),
        False,
    ),
    "own": (_own, ("steps",), False),
    "efficientnet": (lambda asked: efficientnet_features(asked.space), (), False),
    "file": (_file, _CONVENTION, True),
    "inception": (
        lambda asked: inception_features(asked.path, asked.space, **asked.options),
        ("trust",),
        True,
    ),
    "dinov2": (
        lambda asked: dinov2_features(asked.path, asked.space, **asked.options),
        ("size", "trust"),
        True,
    ),
    "clip": (_clip, ("activation", "trust"), True),
}
# features of each kind of data by their words: maker, legal options and whether a path follows
_BY_KIND: dict[str, Mapping[str, _Maker]] = {
    "image": _IMAGE,
    "table": {
        "columns": (lambda asked: ColumnFeatures(asked.space, asked.train), (), False),
        "own": (_own, ("steps",), False),
    },
    "text": {
        "tokens": (lambda asked: TokenFeatures(asked.space, asked.train), (), False),
        "sentences": (_sentences, (), False),
    },
    "points": {
        "coordinates": (lambda asked: Standardised(asked.train), (), False),
        "pca": (_components, (), False),
        "own": (_own, ("steps",), False),
    },
}


def _names(space: Space) -> Mapping[str, _Maker]:
    return _BY_KIND.get(space.kind, _BY_KIND["points"])


def _words(legal: Sequence[str]) -> str:
    return "one of " + ", ".join(legal) if legal else "no options"
