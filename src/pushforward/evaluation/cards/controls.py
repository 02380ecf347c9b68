"""Control samples, which make a score readable: real data, two bad models, and a copycat.

Three ideas: every metric is read between a ceiling (real data scored as if a model had drawn it)
and a floor (independent marginals); the copycat shows that the memorisation checks work here; skill
is where a model lies between floor and ceiling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pushforward.core.errors import BadInput
from pushforward.core.rng import derive_seed
from pushforward.core.score import Score
from pushforward.core.space import Space
from pushforward.evaluation.checks import as_rows, require
from pushforward.evaluation.kinds.example_kind import examples_of

REAL, NOISE, SHUFFLED, COPYCAT = "real", "noise", "shuffled marginals", "copycat"


@dataclass(frozen=True)
class Control:
    """One control sample and the training set it must be judged against.

    Attributes:
        samples: examples in data units, scored exactly as a model's.
        train: for `real`, the training examples that were not drawn, because drawn ones must not
            meet themselves; else all.
        labels: the class that each sample was drawn for, shape (n,), if train has classes.
        train_labels: class of each of `train`.
        train_cases: what each of `train` belongs to, None where each is a case by itself.
    """

    samples: np.ndarray
    train: np.ndarray
    labels: np.ndarray | None = None
    train_labels: np.ndarray | None = None
    train_cases: np.ndarray | None = None


def controls(
    train: np.ndarray,
    space: Space,
    n: int,
    seed: int = 0,
    labels: np.ndarray | None = None,
    cases: np.ndarray | None = None,
) -> dict[str, Control]:
    """Return the control samples `real`, `noise`, `shuffled marginals` and `copycat`, about n
    examples each.

    `real` takes n training examples out of train (at most half of it): disjoint from every held-out
    reference, and held out from the training examples that remain, so that the memorisation checks
    see them as a perfect model's. `noise` is uniform over the levels, or over the box that train
    spans. `shuffled marginals` draws every coordinate independently from its training values: the
    independent-marginals model. `copycat` replays training examples.

    Args:
        train: training examples in data units.
        space: what one example is.
        n: number of examples; use the model's.
        seed: seed of all draws.
        labels: class of each training example; the two bad models are asked for classes in train's
            shares, and do not listen.

        cases: the case of each training example (the document of a window); `real` then takes one
            of a case, and nothing else of that case remains.

    Raises:
        BadInput: fewer than 4 training examples, or n < 1.
    """
    rows = as_rows(train, "training examples", at_least=4)
    require(n, 1, "samples")
    rng = np.random.default_rng(derive_seed(seed, "controls"))
    order = rng.permutation(len(train))
    own, rest = _parted(order, n, cases)
    shape = (n, *space.event_shape)
    noise = examples_of(space).even(space, rows, n, rng).reshape(shape)
    picks = rng.integers(0, len(train), size=(n, rows.shape[1]))
    shuffled = np.take_along_axis(train.reshape(len(train), -1), picks, axis=0).reshape(shape)
    copied = rng.integers(0, len(train), size=n)
    asked = rng.integers(0, len(train), size=n)

    def of(places: np.ndarray) -> np.ndarray | None:
        return None if labels is None else labels[places]

    among = None if cases is None else cases[rest]
    return {
        REAL: Control(train[own], train[rest], of(own), of(rest), among),
        NOISE: Control(noise.astype(train.dtype), train, of(asked), labels),
        SHUFFLED: Control(shuffled, train, of(asked), labels),
        COPYCAT: Control(train[copied], train, of(copied), labels),
    }


def _parted(order: np.ndarray, n: int, cases: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of n examples, at most half of all, and of those that are nothing of
    theirs."""
    if cases is None:
        drawn = min(n, len(order) // 2)
        return order[:drawn], order[drawn:]
    found, first = np.unique(cases[order], return_index=True)
    own = order[np.sort(first)[: min(n, len(found) // 2)]]
    return own, order[~np.isin(cases[order], cases[own])]


def floor_card(cards: Mapping[str, Sequence[Score]]) -> list[Score]:
    """Return the floor of every metric: the copycat's memorisation and privacy checks, the shuffled
    marginals' everything else.

    Args:
        cards: from `control_cards`.
    """
    replayed = [score for score in cards[COPYCAT] if score.measure.role == "check"]
    return [score for score in cards[SHUFFLED] if score.measure.role != "check"] + replayed


def with_controls(
    model: Sequence[Score], ceiling: Sequence[Score], floor: Sequence[Score]
) -> list[Score]:
    """Return the model's scores with `ceiling` and `floor` filled in where a control has the same
    name.

    Use the `real` card as ceiling and `floor_card` as floor.

    Raises:
        BadInput: scores of one name whose features differ.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> score = lambda value: [Score(Measure("coverage", better="higher"), value, n=9)]
        >>> skill(with_controls(score(0.5), score(0.9), score(0.1))[0])
        0.5
    """
    return [
        replace(
            score,
            ceiling=_matching(score, ceiling),
            floor=_matching(score, floor),
            warnings=_notes(score, ceiling),
        )
        for score in model
    ]


def _find(score: Score, others: Sequence[Score]) -> Score | None:
    for other in others:
        if other.name == score.name:
            if other.features != score.features:
                raise BadInput(
                    f"'{score.name}' measured on two different features",
                    "one fingerprint",
                    "measure both again",
                )
            return other
    return None


def _matching(score: Score, others: Sequence[Score]) -> float | None:
    found = _find(score, others)
    return None if found is None else found.value


def _notes(score: Score, ceiling: Sequence[Score]) -> tuple[str, ...]:
    found = _find(score, ceiling)
    notes = (
        ()
        if found is None
        else tuple(w for w in found.warnings if w.startswith("ceiling measured"))
    )
    return (*score.warnings, *notes)


def skill(score: Score) -> float | None:
    """Return `(value - floor) / (ceiling - floor)`: 0 is the floor, 1 the ceiling; None if a
    control is missing or both are equal.

    Example:
        >>> from pushforward.core.measure import Measure
        >>> skill(Score(Measure("coverage", better="higher"), 0.5, n=9, ceiling=1.0, floor=0.0))
        0.5
    """
    if score.ceiling is None or score.floor is None or score.ceiling == score.floor:
        return None
    return (score.value - score.floor) / (score.ceiling - score.floor)
