"""A plan with other settings, which the machine chose: a share of the width, another batch."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from pushforward.app.runs.planning import Plan
from pushforward.core.preset import rates_for
from pushforward.core.spec import TrainConfig, parse
from pushforward.families.build import family_class

NARROWEST = 8  # a network of fewer features is none


def resized(plan: Plan, share: float, batch: int) -> Plan:
    """Return a plan with a share of its width and another batch, whose learning rate falls with the
    root of the batch.

    A gradient of fewer examples has more noise, of standard deviation `1 / sqrt(batch)`; Adam's
    steps are scaled by it.
    """
    model, train = {}, {}
    if share < 1.0:
        fields = family_class(plan.family).config_type.model_fields
        width = int(plan.model_values.get("width", fields["width"].default))
        # every attention head has an even number of features
        unit = (
            2 * int(plan.model_values.get("heads", fields["heads"].default))
            if "heads" in fields
            else NARROWEST
        )
        model["width"] = min(width, max(NARROWEST, unit, unit * round(share * width / unit)))
    before = plan.train_config.batch_size
    if batch != before:
        train["batch_size"] = batch
        parts = plan.train_config.accumulate
        if parts > 1 and plan.free("train.accumulate"):  # parts stay as large as they are
            train["accumulate"] = max(1, math.ceil(parts * batch / before))
        rates = rates_for(plan.train_config.model_dump(), batch / before)
        train |= {name: rate for name, rate in rates.items() if plan.free(f"train.{name}")}
    return with_settings(plan, train, model)


def with_settings(plan: Plan, train: dict[str, Any], model: dict[str, Any] | None = None) -> Plan:
    """Return a plan with other settings, remembered as chosen by the machine."""
    model = model or {}
    kept = {section: dict(plan.fitted.get(section, {})) for section in ("model", "train")}
    kept["model"] |= model
    kept["train"] |= train
    config = {**plan.train_config.model_dump(exclude_none=True), **train}
    return replace(
        plan,
        model_values={**plan.model_values, **model},
        train_config=parse(TrainConfig, config, "train"),
        fitted={section: values for section, values in kept.items() if values},
    )
