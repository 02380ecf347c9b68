"""Sampling options that several families read: temperature, guidance, and filters of the next
token.

One idea: the defaults draw from the model's own distribution, and every other value leaves it.
"""

from __future__ import annotations

from pushforward.core.errors import Unsupported
from pushforward.core.options import (
    COUNT,
    SHARE,
    OptionReader,
    Range,
    SampleOptions,
    SamplingOption,
)

LEAST_TEMPERATURE, MOST_TEMPERATURE = 1e-6, 1e6  # beyond, float32 holds no probabilities
MOST_TOKENS = 1_000_000


def require_condition(options: SampleOptions, reader: OptionReader) -> None:
    """Refuse guidance where there is nothing to lean on.

    Raises:
        Unsupported: a model without conditions, and neither a guide nor a classifier.
    """
    if (
        options.guidance != 1.0
        and not reader.conditional
        and options.guide is None
        and options.classifier is None
    ):
        raise Unsupported(
            "guidance on a model without conditions",
            "a model trained with labels",
            "leave --guidance out",
        )


GUIDANCE = SamplingOption(
    "guidance",
    "Classifier-free guidance weight; 1 is off",
    default=1.0,
    fits=require_condition,
)
TEMPERATURE = SamplingOption(
    "temperature",
    "1 is the model's distribution",
    default=1.0,
    within=Range(
        f"a positive number from {LEAST_TEMPERATURE:g} to {MOST_TEMPERATURE:g}",
        LEAST_TEMPERATURE,
        MOST_TEMPERATURE,
        fix="1 is the model's distribution",
    ),
)
LENGTH = SamplingOption(
    "length",
    "Tokens of text to generate; default: one window",
    int,
    within=COUNT,
    most=MOST_TOKENS,
    unit="tokens",
)
TOP_K = SamplingOption("top_k", "Draw among the k most probable tokens only", int, within=COUNT)
TOP_P = SamplingOption("top_p", "... among the fewest that reach this share", within=SHARE)
MIN_P = SamplingOption("min_p", "... among those of this share of the best", within=SHARE)
TYPICAL = SamplingOption(
    "typical", "... among the most typical that reach this share", within=SHARE
)

FILTERS = (TEMPERATURE, TOP_K, TOP_P, MIN_P, TYPICAL)
NEXT_TOKEN = (TEMPERATURE, LENGTH, TOP_K, TOP_P, MIN_P, TYPICAL)
