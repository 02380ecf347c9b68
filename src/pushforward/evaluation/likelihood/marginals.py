"""The independent-marginals model: every part of an example by itself, the floor of every
likelihood."""

from __future__ import annotations

import numpy as np
import torch

from pushforward.core.logprob import LogProb
from pushforward.core.space import Space
from pushforward.evaluation.checks import as_rows
from pushforward.evaluation.kinds.example_kind import examples_of


def marginal_log_prob(train: np.ndarray, test: np.ndarray, space: Space) -> LogProb:
    """Return the exact log-probability of `test` under independent marginals fitted on `train`.

    Histograms of what is counted, Gaussians of real numbers: see `log_marginals` of each kind in
    `evaluation/kinds`. Rows of tables are filled (see `data.tables.marks`).

    Raises:
        BadInput: a constant coordinate (its density is infinite).
    """
    fitted, held_out = (
        as_rows(train, "training examples", at_least=2),
        as_rows(test, "test examples", at_least=1),
    )
    nats = examples_of(space).log_marginals(space, fitted, held_out)
    return LogProb(
        torch.from_numpy(nats),
        "exact",
        space.measure,
        space.unit,
        "independent marginals",
        calls=0.0,
    )
