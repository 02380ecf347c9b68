"""Windows of one document are alike: errors, intervals and comparisons are over documents."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pushforward.app.measuring.assessing import measure_controls
from pushforward.app.measuring.cases import FEWEST, cases_to_compare, crowded
from pushforward.app.measuring.evaluating import evaluate_samples
from pushforward.app.measuring.likelihoods import likelihood_checks
from pushforward.core.given import Examples
from pushforward.core.logprob import LogProb
from pushforward.core.space import Points
from pushforward.core.text import Text
from pushforward.data.text.text_dataset import open_text
from pushforward.data.text.windows import windows
from pushforward.evaluation.cards.controls import REAL, controls
from pushforward.evaluation.likelihood.code_length import likelihood_score
from pushforward.evaluation.likelihood.gap import likelihood_gap
from pushforward.families.build import build, settings
from pushforward.reports.records import Row
from pushforward.reports.verdict.told_apart import told_apart
from scored import called, paired

POINT = LogProb(torch.zeros(1), "exact", "lebesgue", Points(1).unit, "exact")


def of_cases(seed: int, cases: int, parts: int, shift: float = 0.0) -> LogProb:
    """Log-probabilities that scatter by 1 between cases and by 0.1 within."""
    rng = np.random.default_rng(seed)
    nats = shift + rng.normal(size=(cases, 1)) + 0.1 * rng.normal(size=(cases, parts))
    case = torch.arange(cases).repeat_interleave(parts)
    return replace(POINT, nats=torch.from_numpy(nats.reshape(-1)), cases=case)


def test_the_error_of_equal_cases_is_that_of_their_means() -> None:
    lp = of_cases(0, cases=12, parts=5)
    means = lp.nats.reshape(12, 5).mean(1)
    expected = float(means.std() / math.sqrt(12))
    assert lp.standard_error == pytest.approx(expected)
    assert float(lp.per_case().std() / math.sqrt(12)) == pytest.approx(expected)
    assert float(lp.per_case().mean()) == pytest.approx(lp.mean_nats)
    assert likelihood_score(lp).stderr == pytest.approx(expected, rel=1e-6)
    alone = replace(lp, cases=None)
    assert alone.standard_error < 0.6 * expected
    # parts of a single case are all that there is
    assert replace(lp, cases=torch.zeros(60)).standard_error == alone.standard_error


def test_the_error_of_uneven_cases_is_the_cluster_robust_one() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 9, 15)
    case = np.repeat(np.arange(15), counts)
    nats = rng.normal(size=15)[case] + rng.normal(size=len(case))
    mean, n = nats.mean(), len(nats)
    sums = np.array([(nats[case == k] - mean).sum() for k in range(15)])
    expected = math.sqrt(15 / 14 * (sums**2).sum()) / n
    lp = replace(POINT, nats=torch.from_numpy(nats), cases=torch.from_numpy(case))
    assert float(lp.per_case().std() / math.sqrt(15)) == pytest.approx(expected)
    assert lp.standard_error == pytest.approx(expected)
    assert lp.by_case().value == pytest.approx(lp.value)


def test_intervals_and_paired_tests_over_cases_hold_their_level() -> None:
    # 400 of each; 5 % of 400 is 20, and more than 34 has a chance below 0.1 %
    missed = [
        s
        for s in (likelihood_score(of_cases(k, 15, 6)) for k in range(400))
        if not s.low <= 0.0 <= s.high
    ]  # type: ignore[operator]
    assert len(missed) <= 34
    decided = 0
    for k in range(400):
        first, second = of_cases(2 * k, 15, 6), of_cases(2 * k + 1, 15, 6)
        decided += paired(first, second).verdict != "undecided"
    assert decided <= 34
    gaps = [likelihood_gap(of_cases(2 * k, 15, 6), of_cases(2 * k + 1, 15, 6)) for k in range(400)]
    assert sum(not g.low <= 0.0 <= g.high for g in gaps) <= 34  # type: ignore[operator]


def test_cases_with_an_impossible_part_are_impossible_and_nothing_is_no_number() -> None:
    cases = torch.tensor([0, 0, 1, 1, 2, 2])
    some = replace(POINT, nats=torch.tensor([-1.0, -math.inf, -2.0, -3.0, -4.0, -1.0]), cases=cases)
    every = replace(POINT, nats=torch.full((6,), -math.inf), cases=cases)
    assert some.per_case().isinf().tolist() == [True, False, False]
    assert not some.per_case().isnan().any()
    assert every.per_case().tolist() == [-math.inf] * 3
    # the other one has no infinite code, so it is better
    assert paired(every, replace(some, nats=torch.full((6,), -9.0))).verdict == "second"


def test_windows_know_the_document_in_their_middle() -> None:
    boundary = 9
    stream = torch.tensor([9, 1, 1, 1, 1, 1, 9, 2, 2, 2, 9, 3, 9, 4, 4, 4, 4])
    token_bytes = torch.ones(10, dtype=torch.int64)
    for length, step in ((3, 3), (4, 4), (3, 1), (5, 2)):
        cut = windows(stream, length, step, token_bytes, boundary).examples
        assert cut.cases is not None
        ends = torch.tensor([6, 10, 12])
        for row, case in enumerate(cut.cases.tolist()):
            middle = 1 + row * step + (length - 1) // 2
            assert case == 1 + int((ends < middle).sum())
    assert windows(stream[:6], 2, 2, token_bytes, boundary).examples.cases is None
    assert windows(stream, 3, 3, token_bytes).examples.cases is None


def test_real_text_is_drawn_one_window_a_document_and_nothing_of_it_remains() -> None:
    cases = np.repeat(np.arange(30), 4)
    train = np.arange(120)[:, None] % 7
    real = controls(np.concatenate([train, cases[:, None]], 1), Text(31, 2, 30), 10, cases=cases)[
        REAL
    ]
    assert len(set(real.samples[:, 1])) == len(real.samples) == 10
    assert not set(real.samples[:, 1]) & set(real.train[:, 1])
    assert len(real.train) == 80


def document(number: int, length: int = 400) -> str:
    """A text whose style is its own: how predictable it is differs from document to document."""
    rng = np.random.default_rng(number)
    odd = rng.choice([0.02, 0.5, 0.98])
    places = np.where(rng.random(length) < odd, rng.integers(0, 9, length), 1)
    return "".join("abcdefgh "[int(place)] for place in np.cumsum(places) % 9)


def corpus(path: Path, numbers: range) -> Path:
    path.write_text("".join(json.dumps({"text": document(number)}) + "\n" for number in numbers))
    return path


def test_equal_laws_of_long_documents_are_not_told_apart(tmp_path: Path) -> None:
    reference = corpus(tmp_path / "real.jsonl", range(5000, 5430))
    told = []
    # with windows counted as independent 5 of 6 such pages were told apart; of 4 at 5 % more than one has a chance of 1.4 %
    for k, documents in enumerate((60, 60, 15, 15)):
        samples = corpus(
            tmp_path / f"s{k}.jsonl", range(7000 + 100 * k, 7000 + 100 * k + documents)
        )
        page = evaluate_samples(samples, str(reference), settings={"length": 32}).comparison
        row = page.models[0]
        assert FEWEST <= row.scores[0].n <= 60
        assert row.crowd == 1.0 if documents == 60 else row.crowd > 2.0
        told.append(bool(told_apart(row, page.rows).told))
    assert sum(told) <= 1


def test_where_windows_share_documents_as_many_fewer_convict() -> None:
    coin = called(
        "classifier two-sample accuracy [x] vs test",
        0.61,
        n=469,
        better="lower",
        low=0.58,
        high=0.64,
        null=0.5,
    )
    far = called(
        "energy distance [x] vs test",
        0.3,
        n=469,
        better="lower",
        low=0.26,
        high=0.34,
        stderr=0.02,
        null=0.2,
    )
    for crowd, convicted in ((1.0, 2), (4.0, 2), (9.0, 1), (23.0, 0)):
        found = told_apart(Row("s", scores=(coin, far), crowd=crowd), ())
        assert (len(found.found), found.n) == (convicted, round(469 / crowd))


def test_members_are_documents(tmp_path: Path) -> None:
    data = open_text(str(corpus(tmp_path / "some.jsonl", range(40))), {"length": 16})
    model = build(
        "autoregressive",
        data.space,
        values=settings("autoregressive", data.space, "smoke")["model"],
    )
    model.prepare(data.train)
    few = model.log_prob(data.test)
    assert likelihood_checks(model, data, few, seed=0, most=200) == []
    many = replace(few, cases=torch.arange(len(few)) // 2)
    area = likelihood_checks(model, data, many, seed=0, most=200)[1]
    # a hundred windows are of at most as many documents
    assert 20 <= area.n <= 32
    assert area.name.startswith("membership AUC")


def test_few_documents_are_a_reason_to_doubt(tmp_path: Path) -> None:
    data = open_text(str(corpus(tmp_path / "few.jsonl", range(40))), {"length": 16})
    assert data.test.cases is not None
    assert len(data.test.cases.unique()) < FEWEST
    assert cases_to_compare(data.train, data.test) == (None, None)
    assert "windows are of 4 documents" in crowded(data.train, data.test)
    assert measure_controls(data, most=60).n == 60
    assert crowded(Examples(torch.zeros(9, 2)), Examples(torch.zeros(9, 2))) == ""
