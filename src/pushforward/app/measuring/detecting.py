"""Say which examples are strange to a run, on the one scale that can be read: how many held-out
examples are as strange.

One idea: the known failure of likelihoods out of distribution is printed beside every number, with
two scores that mend part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pushforward.app.measuring.examples import array, for_model
from pushforward.app.measuring.measured_kind import measured_as
from pushforward.app.measuring.parts import part_of, trained_on, whole
from pushforward.app.runs.opening import comes_split, reopen
from pushforward.app.runs.training import open_model
from pushforward.core.given import Examples
from pushforward.core.in_memory import InMemory
from pushforward.core.measure import Measure
from pushforward.core.score import Score
from pushforward.evaluation.areas import area_interval, area_under_curve
from pushforward.evaluation.likelihood.anomaly import Anomalies, anomalies

MOST_HELD_OUT = 1000
FLAG = 0.05


@dataclass(frozen=True)
class Detected:
    """Scores of every example in question, and how well each score tells them from held-out ones.

    Attributes:
        found: scores and p-values.
        told: by score, the area under the curve of these examples against held-out ones; one half
            if they are alike.
        heldout: number of held-out examples that the p-values rest on.
        notes: what has to be said of the examples, such as how many of them the run was trained on.
    """

    found: Anomalies
    told: tuple[Score, ...]
    heldout: int
    notes: tuple[str, ...] = ()

    def flagged(self, level: float = FLAG) -> np.ndarray:
        """Return which examples all scores call strange, shape (n,)."""
        return np.logical_and.reduce([p <= level for p in self.found.p_values.values()])

    def table(self) -> list[dict[str, Any]]:
        """Return one record for each example, with its number, code length in nats, and
        p-values."""
        p_values = self.found.p_values
        return [
            {
                "example": i,
                "code length [nats]": float(self.found.code_length[i]),
                **{f"p, {name}": float(p[i]) for name, p in p_values.items()},
                "flagged": bool(flag),
            }
            for i, flag in enumerate(self.flagged())
        ]


def detect(
    run: Path,
    data: Any,
    *,
    estimator: str | None = None,
    n: int = MOST_HELD_OUT,
    seed: int = 0,
    own: str | InMemory | None = None,
) -> Detected:
    """Score examples as anomalies of what a run was trained on.

    Args:
        run: its directory.
        data: the examples in question: a built-in's test split, a file or a folder, labelled if the
            run is conditioned on labels.
        estimator: of the likelihood; the family's first by default.
        n: most held-out examples of the run's own test split to compare with.
        seed: seed of the estimator and of which held-out examples are taken.
        own: where the run's own data are now; None: where they were.

    Raises:
        Unsupported: a family without a likelihood.
        BadInput: data of another space, or fewer than 40 held-out examples.
    """
    model, record = open_model(run)
    # every row of a file is in question, in its order, whether or not the run was trained on it
    if comes_split(data):
        asked = for_model(model, part_of(record, data).examples)
    else:
        asked = whole(record, data, labelled=bool(model.classes))
    mine = reopen(record, own)
    notes = trained_on(record, asked, str(data), None if own is None else mine)
    held_out = for_model(model, mine.part("test"))
    # in random order, because one half sets the usual code length and the other the p-values
    known: Examples = held_out[
        torch.from_numpy(np.random.default_rng(seed).permutation(len(held_out))[:n])
    ]
    options: dict[str, Any] = {} if estimator is None else {"estimator": estimator}
    lp, held = (model.log_prob(x, seed=seed, **options) for x in (for_model(model, asked), known))
    x = known_x = None
    if measured_as(model.space).compressible:
        x, known_x = array(asked, model.space), array(known, model.space)
    found = anomalies(lp, held, x, known_x)
    scores = {
        "code length": found.code_length,
        "typicality": found.atypicality,
        "complexity-corrected": found.corrected,
    }
    told = [
        _told(name, mine, found.heldout[name]) for name, mine in scores.items() if mine is not None
    ]
    return Detected(found, tuple(told), len(held), notes)


def _told(name: str, mine: np.ndarray, theirs: np.ndarray) -> Score:
    measure = Measure(f"AUC of {name}", better="higher")
    if len(mine) < 2:
        return Score(measure, float("nan"), len(mine), warnings=("one example has no curve",))
    area, stderr = area_under_curve(mine, theirs)
    ends = area_interval(area, stderr, len(mine), len(theirs))
    return Score(measure, area, len(mine), *ends, stderr, null=0.5)
