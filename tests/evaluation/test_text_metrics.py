"""Metrics of text against hand-counted cases, brute force, and models that loop, copy or babble."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from pushforward.core.errors import BadInput
from pushforward.evaluation.intervals import mean_interval
from pushforward.evaluation.measuring.evaluation import Evaluation
from pushforward.evaluation.measuring.statistic import DATA
from pushforward.evaluation.text.distinct import Distinct, distinct_scores, distinct_share
from pushforward.evaluation.text.mauve import (
    Mauve,
    area_terms,
    expected_area,
    frontier_area,
    mauve_score,
)
from pushforward.evaluation.text.ngrams import distinct_in_rows, ngrams
from pushforward.evaluation.text.repetition import Repetition, repeated_share, repetition_score
from pushforward.evaluation.text.self_bleu import (
    ORDER,
    UNMATCHED,
    SelfBleu,
    self_bleu,
    self_bleu_score,
)
from pushforward.evaluation.text.verbatim import Verbatim, _share, longest_runs, verbatim_scores


def words(row, n):
    return [tuple(row[k : k + n]) for k in range(len(row) - n + 1)]


def zipf(rng, shape, vocabulary=50, cold=1.0):
    p = np.arange(1, vocabulary + 1.0) ** -cold
    return rng.choice(vocabulary, size=shape, p=p / p.sum())


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_ngrams_have_equal_numbers_exactly_if_they_are_equal(n):
    tokens = np.random.default_rng(n).integers(7, 10, size=(6, 9))
    codes = ngrams(tokens, n)
    seen: dict[tuple[int, ...], int] = {}
    for row, numbers in zip(tokens.tolist(), codes.tolist(), strict=True):
        for gram, number in zip(words(row, n), numbers, strict=True):
            assert seen.setdefault(gram, number) == number
    assert len(set(seen.values())) == len(seen) == codes.max() + 1
    assert distinct_in_rows(codes).tolist() == [len(set(words(row, n))) for row in tokens.tolist()]
    assert distinct_share(tokens, n) == len(seen) / (6 * (10 - n))


def test_repetition_counts_by_hand():
    # 1 2 3 4 1 2 3 4 has the 4-grams 1234 2341 3412 4123 1234: one of five repeats
    rows = np.array([[1, 2, 3, 4, 1, 2, 3, 4], [9, 9, 9, 9, 9, 9, 9, 9]])
    np.testing.assert_allclose(repeated_share(rows), [1 / 5, 4 / 5])
    np.testing.assert_allclose(repeated_share(rows, 1), [1 / 2, 7 / 8])


def bleu(text: Sequence[int], references: Sequence[Sequence[int]]) -> float:
    """Return BLEU-4 of one text: `BP exp(1/4 sum_{n=1..4} log p_n)` (Papineni et al. 2002, section 2.3).

    `p_n` is the share of the text's n-grams that references have, each counted at most as often as the one reference that has it
    most; an order without a match counts 0.1 matches. `BP = min(1, exp(1 - r / c))` with c the text's length and r that
    of the reference nearest in length, the shorter one of two equally near.

    Args:
        text: tokens, at least four.
        references: tokens of each reference.

    Raises:
        BadInput: fewer than four tokens, or no reference.

    Example:
        >>> bleu([1, 2, 3, 4, 5], [[1, 2, 3, 4, 5]])
        1.0
    """
    if len(text) < ORDER or not references:
        raise BadInput(
            f"{len(text)} tokens and {len(references)} references",
            "at least four tokens and one reference",
        )
    logs = 0.0
    for n in range(1, ORDER + 1):
        own, most = _counts(text, n), Counter()
        for reference in references:
            most |= _counts(reference, n)
        matched = sum((own & most).values())
        logs += math.log((matched or UNMATCHED) / (len(text) - n + 1)) / ORDER
    nearest = min((len(r) for r in references), key=lambda r: (abs(r - len(text)), r))
    return min(1.0, math.exp(1.0 - nearest / len(text))) * math.exp(logs)


def _counts(tokens: Sequence[int], n: int) -> Counter[tuple[int, ...]]:
    return Counter(tuple(tokens[k : k + n]) for k in range(len(tokens) - n + 1))


def test_bleu_by_hand():
    # 'the the the the the the the' has clipped unigram precision 2/7 (Papineni et al. 2002, section 2.1.1), nothing longer
    the, references = [0] * 7, [[0, 1, 2, 3, 0, 4], [5, 6, 7, 1, 3, 0, 4]]
    expected = (2 / 7 * 0.1 / 6 * 0.1 / 5 * 0.1 / 4) ** 0.25
    assert bleu(the, references) == pytest.approx(
        expected
    )  # a reference of 7 tokens: no brevity penalty
    assert bleu(the, references[:1]) == pytest.approx(
        expected
    )  # longer than its reference: none either
    # 4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2; c = 5, r = 7
    found = bleu([1, 2, 3, 4, 9], [[1, 2, 3, 4, 5, 6, 7]])
    assert found == pytest.approx(math.exp(1 - 7 / 5) * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)
    # references of 4 and 6 tokens are equally near to 5: the shorter one counts
    assert bleu([1, 2, 3, 4, 9], [[1, 2, 3, 4, 5, 6], [8, 8, 8, 8]]) == pytest.approx(
        (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    )
    with pytest.raises(BadInput, match="3 tokens and 1 references"):
        bleu([1, 2, 3], [[1, 2, 3]])


def test_self_bleu_is_the_mean_of_bleus():
    tokens = np.random.default_rng(0).integers(0, 3, size=(9, 11))
    tokens[4] = tokens[2]
    rows = tokens.tolist()
    expected = np.mean([bleu(row, rows[:k] + rows[k + 1 :]) for k, row in enumerate(rows)])
    assert self_bleu(tokens) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("statistic", [lambda b: distinct_share(b, 2), self_bleu])
def test_intervals_over_blocks_cover(statistic):
    # 1000 blocks are the population, 300 times 20 of them the samples: 95 % +- 3 x 1.26 %
    rng = np.random.default_rng(1)
    values = np.array([statistic(block) for block in zipf(rng, (1000, 4, 12), vocabulary=10)])
    intervals = [mean_interval(rng.choice(values, 20))[1:3] for _ in range(300)]
    assert 0.92 <= np.mean([low <= values.mean() <= high for low, high in intervals]) <= 0.98


def test_the_interval_over_windows_covers_and_the_null_warns_one_time_in_forty():
    rng, found = np.random.default_rng(2), []
    for _ in range(300):
        found.append(repetition_score(*zipf(rng, (2, 100, 12), vocabulary=4)))
    truth = np.mean([s.value for s in found])
    assert 0.92 <= np.mean([s.low <= truth <= s.high for s in found]) <= 0.98
    assert np.mean([len(s.warnings) for s in found]) <= 0.055
    # real text as a sample lies within 1.96 standard errors of the difference of its null
    assert np.mean(
        [abs(s.value - s.null) < 1.96 * 2**0.5 * s.stderr for s in found]
    ) == pytest.approx(0.95, abs=0.04)


def test_samplers_that_loop_or_babble_are_told_from_real_text():
    rng = np.random.default_rng(2)
    real, noise = zipf(rng, (200, 16)), rng.integers(0, 50, (200, 16))
    cold = zipf(rng, (200, 16), cold=2.0)
    for score in distinct_scores(cold, real):
        assert score.high < score.null
        assert not score.warnings
    assert self_bleu_score(cold, real).low > self_bleu_score(cold, real).null
    assert repetition_score(cold, real).low > repetition_score(cold, real).null
    assert "noise is" in distinct_scores(noise, real)[0].warnings[0]
    assert "noise is" in self_bleu_score(noise, real).warnings[0]
    # equal sizes: more real windows than samples do not change the block
    assert "[20 blocks of 3 windows]" in distinct_scores(cold[:70], real)[0].name


def test_text_metrics_in_the_engine_and_refusals():
    rng = np.random.default_rng(3)
    x, y = zipf(rng, (60, 8), cold=1.5), zipf(rng, (90, 8))
    e = Evaluation([Distinct(DATA), SelfBleu(DATA), Repetition(DATA)])
    found = e.compute(e.take(e.take(e.init(), "samples", x), "reference", y))
    assert [m.score.name.split(" [")[0] for m in found] == [
        "distinct-1",
        "distinct-2",
        "distinct-3",
        "self-BLEU-4",
        "repeated 4-grams",
    ]
    for m in found:
        assert m.samples is not None
        assert m.samples.variance == pytest.approx(m.score.stderr**2)
    expected = np.mean([1 - len(set(words(r, 4))) / 5 for r in x.tolist()])
    assert found[-1].score.value == pytest.approx(expected)
    assert Counter(len(m.samples.ids) for m in found) == {20: 4, 60: 1}
    with pytest.raises(BadInput, match="39 samples: expected at least 40"):
        distinct_scores(x[:39], y)
    with pytest.raises(BadInput, match="samples of 3 tokens: expected at least 4"):
        self_bleu_score(x[:, :3], y[:, :3])
    with pytest.raises(BadInput, match="whole numbers"):
        repetition_score(x + 0.5, y)


def test_longest_runs_are_brute_force_also_where_training_windows_overlap():
    rng = np.random.default_rng(4)
    text = rng.integers(0, 3, size=60)
    train = np.lib.stride_tricks.sliding_window_view(text, 12)[::5]
    windows = rng.integers(0, 4, size=(25, 10))
    windows[3] = train[2, 1:11]
    windows[7, 4:] = train[0, :6]
    pieces = [{g for row in train.tolist() for g in words(row, n)} for n in range(1, 11)]
    expected = [
        max([n for n in range(1, 11) if any(g in pieces[n - 1] for g in words(row, n))], default=0)
        for row in windows.tolist()
    ]
    assert longest_runs(windows, train).tolist() == expected
    assert expected[3] == 10
    # a run never crosses from one training window to the next
    assert longest_runs(np.array([[1, 2, 3, 4]]), np.array([[1, 2], [3, 4]])).tolist() == [2]
    assert longest_runs(np.array([[5, 5]]), np.array([[1, 2]])).tolist() == [0]


def test_a_copycat_is_found_and_an_honest_sampler_is_not():
    rng = np.random.default_rng(5)
    train, heldout, honest = (zipf(rng, (300, 20)) for _ in range(3))
    mean, share = verbatim_scores(honest, train, heldout)
    assert abs(mean.value - mean.null) < 3 * 2**0.5 * mean.stderr
    assert abs(share.value - share.null) < 4 * share.stderr  # a skewed count: 0.5 % beyond
    assert not share.warnings
    copied = honest.copy()
    copied[:60, 5:] = train[rng.permutation(300)[:60], 3:18]
    base = share.value
    mean, share = verbatim_scores(copied, train, heldout)
    assert mean.low > mean.null
    assert share.value == pytest.approx(0.2 + 0.8 * base, abs=0.03)
    assert share.low > share.null
    short = verbatim_scores(honest[:, :3], train, heldout[:, :3])[1]
    assert "use longer windows" in short.warnings[0]


def test_an_honest_share_has_its_null_and_an_honest_mean_its_interval():
    # 300 draws of samples and held-out windows; 5 % false alarms at 1.96 standard errors, heavier for a skewed count
    rng = np.random.default_rng(6)
    train = zipf(rng, (60, 10), vocabulary=300)
    runs = longest_runs(zipf(rng, (20_000, 10), vocabulary=300), train)
    truth = runs.mean()
    inside, away, values = 0, 0, []
    for _ in range(300):
        own, natural = (rng.choice(runs, 150).astype(float) for _ in range(2))
        _, low, high, _ = mean_interval(own)
        inside += low <= truth <= high
        score = _share(own, natural, "test")
        values.append(score.value - score.null)
        away += values[-1] > 1.96 * score.stderr
    assert 0.92 <= inside / 300 <= 0.98
    assert away / 300 <= 0.06
    assert abs(np.mean(values)) < 4 * np.std(values) / 300**0.5


def test_mauve_pins():
    half = np.array([0.5, 0.5])
    assert frontier_area(half, np.array([0.9, 0.1])) == pytest.approx(0.6710958, abs=5e-8)
    assert frontier_area(np.array([0.9, 0.1]), half) == pytest.approx(0.6710958, abs=5e-8)
    assert frontier_area(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(
        0.0040721, abs=5e-8
    )
    assert frontier_area(half, half) == pytest.approx(1.0, abs=1e-12)
    # clusters of ten texts a side: equal laws have about 0.965, not 1
    assert expected_area(np.full(15, 10), np.full(15, 10))[0] == pytest.approx(0.965, abs=0.01)


def test_mauves_interval_covers_the_average_at_its_size():
    rng, k, n, m = np.random.default_rng(7), 12, 120, 100
    q = np.exp(0.7 * rng.normal(size=k))
    values, inside = [], []
    for _ in range(300):
        x, y = rng.multinomial(n, np.full(k, 1 / k)), rng.multinomial(m, q / q.sum())
        a, b = area_terms(x, y)
        values.append((frontier_area(x / n, y / m), math.sqrt((x * a**2).sum() + (y * b**2).sum())))
    mean = np.mean([v for v, _ in values])
    inside = [abs(v - mean) < 1.96 * e for v, e in values]
    assert 0.91 <= np.mean(inside) <= 0.98
    # the jackknife counts the second-order part of the variance twice, so it is never too small and less than twice too large
    assert 0.9 < np.mean([e**2 for _, e in values]) / np.var([v for v, _ in values]) < 2.0


def test_mauve_of_features():
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(2, 200, 3))
    same, far = mauve_score(x, y, "identity"), mauve_score(x + 2.0, y, "identity", "abc")
    assert same.low <= same.null <= same.high
    assert far.high < far.null
    assert far.name == "mauve [identity] vs test"
    assert far.features == "abc"
    e = Evaluation([Mauve(DATA)])
    (m,) = e.compute(e.take(e.take(e.init(), "samples", x + 2.0), "reference", y))
    assert m.samples.variance + m.reference.variance == pytest.approx(m.score.stderr**2)
    assert m.score.value == pytest.approx(far.value, abs=0.1)
    # three different rows are three clusters
    assert mauve_score(
        np.repeat(np.eye(3), 30, 0), np.repeat(np.eye(3), 20, 0), "data"
    ).value == pytest.approx(1.0)
    with pytest.raises(BadInput, match="49 samples: expected at least 50"):
        mauve_score(x[:49], y, "identity")


def test_verbatim_in_the_engine_and_refusals():
    rng = np.random.default_rng(9)
    train, heldout = zipf(rng, (80, 12)), zipf(rng, (120, 12))
    e = Evaluation([Verbatim()])
    state = e.take(
        e.take(e.take(e.init(), "samples", train[:40]), "train", train), "reference", heldout
    )
    mean, share = e.compute(state)
    assert (mean.score.value, share.score.value) == (12.0, 1.0)
    assert mean.score.name == "longest verbatim run [tokens] train vs test"
    with pytest.raises(BadInput, match="99 held-out examples: expected at least 100"):
        verbatim_scores(train, train, heldout[:99])
    with pytest.raises(BadInput, match="equal features"):
        verbatim_scores(train[:, :5], train, heldout)
