"""Sampling options that only autoregressive models read, and which of all of them each of their
architectures does."""

from __future__ import annotations

from pushforward.core.options import Range, SamplingOption
from pushforward.families.shared.options import GUIDANCE, NEXT_TOKEN

REPETITION_PENALTY = SamplingOption(
    "repetition_penalty",
    "Above 1: what occurred gets less probable",
    default=1.0,
    within=Range("a positive number", 0, open="low", fix="1 is off"),
)

OF_TOKENS = (*NEXT_TOKEN, REPETITION_PENALTY, GUIDANCE)
