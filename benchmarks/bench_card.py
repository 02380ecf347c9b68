"""A whole image scorecard: every measure of 10,000 samples against 10,000 real pictures of 28 x 28, and what each one takes.

Run with `bench_card.py IMAGES [N]`, IMAGES being anything that `pushforward data describe` reads as labelled pictures. The samples
are training pictures that the card does not count as training data, so that nothing is easy.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

from pushforward.app.measuring.examples import labels_of
from pushforward.core.space import Image
from pushforward.data.open import open_data
from pushforward.evaluation.cards.scorecard import Scorecard
from pushforward.evaluation.diversity.judge import Named
from pushforward.evaluation.features.default import default_features
from pushforward.evaluation.features.own_network import OwnNetwork
from pushforward.evaluation.measuring.metric import CardSetting
from pushforward.evaluation.measuring.statistic import Kept


def main(source: str, n: int = 10_000) -> None:
    """Print seconds of each part and the peak memory."""
    data = open_data(source)
    assert isinstance(data.space, Image)
    train, test = data.train.x.numpy(), data.test.x.numpy()[:n]
    labels, test_labels = labels_of(data.train, data), labels_of(data.test, data)
    samples, rest = train[:n], train[n:]
    clock = _Clock()
    features = default_features(data.space, rest)
    clock.told("features fitted")
    judge = None
    if labels is not None:
        judge = Named(OwnNetwork(data.space, rest, labels[n:]), data.classes)
        clock.told("judge of classes trained")
    known = None if test_labels is None else test_labels[:n]
    card = Scorecard(test, rest, CardSetting(data.space, features, judge=judge), labels=known)
    clock.told(f"reference ({len(test)}) and training pictures ({len(rest)}) counted")
    state = card.counted(samples, None if labels is None else labels[:n])
    clock.told(f"samples ({len(samples)}) counted")
    kept, scores = Kept(state.kept), 0
    for metric in card.evaluation.metrics:
        scores += len(metric.compute(kept))
        clock.told(f"  {type(metric).__name__}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 2**10
    )
    print(
        f"{scores} scores of {n} against {n} in {clock.total:.1f} s; {peak:.0f} MiB resident at most"
    )


class _Clock:
    """Seconds since it was last asked."""

    def __init__(self) -> None:
        self.last, self.total = time.perf_counter(), 0.0

    def told(self, what: str) -> None:
        spent = time.perf_counter() - self.last
        self.total += spent
        print(f"{spent:7.2f} s  {what}", flush=True)
        self.last = time.perf_counter()


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main(sys.argv[1], *(int(size) for size in sys.argv[2:]))
