"""How often real data are called told apart from real data, and a shifted law is: `python benchmarks/bench_told_apart.py [PAGES]`.

Each page is what `evaluate` measures of points: 500 pages a law take 4 minutes on one core.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

from pushforward.core.space import Points
from pushforward.evaluation.cards.controls import controls
from pushforward.evaluation.cards.scorecard import Scorecard
from pushforward.evaluation.features.named import Standardised
from pushforward.evaluation.intervals import wilson
from pushforward.evaluation.measuring.metric import CardSetting
from pushforward.reports.records import Row
from pushforward.reports.verdict.told_apart import told_apart

MIX = np.array([[1.0, 0.7], [0.0, 0.5]])
LAWS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda rng, n: rng.normal(size=(n, 2)) @ MIX,
    "skewed": lambda rng, n: rng.gamma(2.0, size=(n, 2)) @ MIX,
    "heavy": lambda rng, n: rng.standard_t(3, size=(n, 2)) @ MIX,
}


def page(law: str, n: int, shift: float, seed: int) -> bool | None:
    """Return whether n samples of a law moved by `shift` are told apart from n real ones."""
    rng = np.random.default_rng([seed, n])
    train, test, samples = (LAWS[law](rng, size) for size in (4 * n, n, n))
    drawn = controls(train, Points(2), n, seed)
    setting = CardSetting(Points(2), [Standardised(drawn["real"].train)], seed=seed)
    card = Scorecard(test, train, setting)
    cards = card.of_controls(drawn, n)
    rows = [
        Row(name, role, scores=tuple(cards[key]))
        for name, role, key in (
            ("real", "ceiling", "real"),
            ("shuffled", "floor", "shuffled marginals"),
        )
    ]
    return told_apart(Row("model", scores=tuple(card.scores(samples + shift))), rows).told


def main() -> None:
    """Print a table: share of pages told apart, with Wilson's interval."""
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print("| law | n | shift | told apart | 95 % |\n|---|---|---|---|---|")
    for law in LAWS:
        for n, shift in ((100, 0.0), (300, 0.0), (100, 0.5)):
            told = sum(page(law, n, shift, seed) is True for seed in range(pages))
            low, high = wilson(told, pages)
            print(
                f"| {law} | {n} | {shift} | {told / pages:.3f} | {low:.3f} to {high:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
