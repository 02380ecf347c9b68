"""What an attack with the samples gains over the same attack on rows that the model never saw.

Two ideas: an attack that guesses well because the world is predictable succeeds on held-out rows
just as often, and only its excess on training rows is a leak; an attack that does no better than
guessing says nothing, however small its excess.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pushforward.core.measure import Measure
from pushforward.core.score import Score
from pushforward.core.table import Table
from pushforward.evaluation.intervals import normal_quantile, wilson
from pushforward.evaluation.measuring.batch import Role
from pushforward.evaluation.measuring.metric import CardSetting
from pushforward.evaluation.measuring.statistic import DATA, Kept, MeasuredOn, Need, Statistic
from pushforward.evaluation.table.items import rows_of

ATTACKS = 1000
AT_LEAST = 20


@dataclass(frozen=True)
class Rate:
    """How often an attack succeeded.

    Attributes:
        successes: number of successful attacks.
        attacks: number of attacks.
        design: how many attacks are worth one independent attack; more than 1 where attacks share
            the rows that they hit.

    Example:
        >>> rate = Rate(850, 1000)
        >>> round(rate.centre, 3), round(rate.reach, 3)
        (0.849, 0.022)
    """

    successes: int
    attacks: int
    design: float = 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of as many attacks as these are worth."""
        worth = max(1, round(self.attacks / self.design))
        return wilson(worth * self.successes / self.attacks, worth)

    @property
    def centre(self) -> float:
        """Centre of Wilson's interval: the rate drawn towards one half, which is never 0 or 1."""
        return sum(self.interval) / 2.0

    @property
    def reach(self) -> float:
        """Half-width of Wilson's 95 % interval."""
        low, high = self.interval
        return (high - low) / 2.0


def excess(train: Rate, control: Rate) -> tuple[float, float]:
    """Return the risk and the half-width of its 95 % interval.

    `R = (r_train - r_control) / (1 - r_control)` of the centres of Wilson's intervals, and by
    propagation of their half-widths d `d_R^2 = (d_train / (1 - r_control))^2 + (d_control (1 -
    r_train) / (1 - r_control)^2)^2` (Giomi et al. 2023). R is the success on rows that the attack
    would miss if the model had not seen them; it is not cut at zero, so that its interval can hold
    zero.

    Example:
        >>> risk, reach = excess(Rate(900, 1000), Rate(500, 1000))
        >>> round(risk, 3), round(reach, 3)
        (0.797, 0.039)
    """
    room = 1.0 - control.centre
    risk = (train.centre - control.centre) / room
    return risk, math.hypot(train.reach / room, control.reach * (1.0 - train.centre) / room**2)


def risk_score(
    attack: tuple[Measure, str],
    train: Rate,
    control: Rate,
    baseline: float,
    reference_name: str,
    kept: float = 1.0,
) -> Score:
    """Return the risk of an attack as a score; null 0, and possibly negative.

    Args:
        attack: what its score is of, and what it attacks.
        train: successes on training rows.
        control: successes on as many held-out rows.
        baseline: success rate of guessing.
        reference_name: which split the held-out rows are.
        kept: chance that the row behind an attack was among those attacked; the excess is divided
            by it, so that an attack that finds every row has risk 1.

    Example:
        >>> score = risk_score((Measure("linkability"), "data"), Rate(20, 100), Rate(20, 100), 0.15, "test")
        >>> score.value, score.low < 0 < score.high
        (0.0, True)
        >>> score.warnings[1]
        'the attack does no better than guessing, so it says nothing about this risk'
    """
    risk, reach = (part / kept for part in excess(train, control))
    rates = [rate.successes / rate.attacks for rate in (train, control)]
    words = (
        f"{train.attacks} attacks: successful on {rates[0]:.1%} of training rows, {rates[1]:.1%} of {reference_name} rows, "
        f"{baseline:.1%} by guessing"
    )
    useless = "the attack does no better than guessing, so it says nothing about this risk"
    beaten = train.interval[0] > baseline
    measure, view = attack
    return MeasuredOn(view, reference=reference_name, subject="train").score(
        measure,
        risk,
        train.attacks,
        low=risk - reach,
        high=min(1.0, risk + reach),
        stderr=reach / normal_quantile(),
        null=0.0,
        warnings=(words,) if beaten else (words, useless),
    )


def targets(
    samples: np.ndarray, train: np.ndarray, heldout: np.ndarray, space: Table, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return samples in random order, and equally many training and held-out rows, drawn at random.

    The order is random so that of samples that fit equally well any one may come first.

    Raises:
        BadInput: fewer than 20 rows of any kind, NaN, or another width than the table's.
    """
    rng = np.random.default_rng(seed)
    x = rows_of(samples, space, "samples", AT_LEAST)
    y = rows_of(train, space, "training rows", AT_LEAST)
    z = rows_of(heldout, space, "held-out rows", AT_LEAST)
    size = min(len(y), len(z))
    x, y, z = (rows[rng.permutation(len(rows))] for rows in (x, y, z))
    return x, y[:size], z[:size]


@dataclass(frozen=True)
class AttackSetting:
    """How attacks are made and judged.

    Attributes:
        reference_name: which split the held-out rows are.
        seed: seed of targets, guesses, descriptions and of the order among equals.
        attacks: most rows attacked on either side, or most descriptions tried.
        heldout: which role the held-out rows have; `reference` where the reference is itself held
            out.
    """

    reference_name: str = "test"
    seed: int = 0
    attacks: int = ATTACKS
    heldout: Role = "heldout"


USUAL = AttackSetting()


class Attack(Statistic):
    """An attack on training rows, with held-out rows as its control.

    Args:
        space: the table's columns.
        how: how it is made and judged.
    """

    def __init__(self, space: Table, how: AttackSetting = USUAL) -> None:
        self.space, self.how = space, how

    @property
    def needs(self) -> tuple[Need, ...]:
        """Rows of samples, training and held-out rows."""
        return (
            Need("samples", DATA, "rows"),
            Need("train", DATA, "rows"),
            Need(self.how.heldout, DATA, "rows"),
        )

    def rows(self, kept: Kept) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return samples, training and held-out rows."""
        return (
            kept.rows("samples", DATA),
            kept.rows("train", DATA),
            kept.rows(self.how.heldout, DATA),
        )


def on_table(kind: Callable[..., Attack]) -> Callable[[CardSetting], list[Statistic]]:
    """Return what puts an attack on cards of tables."""

    def on(card: CardSetting) -> list[Statistic]:
        return [
            kind(
                card.space, how=AttackSetting(card.heldout_name, card.seed, heldout=card.null_role)
            )
        ]

    return on
