"""Folds: what is equal is tried together, groups are whole, and chance deals the rest."""

import numpy as np
import pytest

from pushforward.core.errors import BadInput
from pushforward.evaluation.table.folds import FOLDS, beside_equals, dealt


def test_folds_are_of_equal_size_and_any_two_rows_meet_by_chance():
    # of 12 rows dealt 3,000 times, two share a fold with the chance 3/11; a share is known to 0.8 %
    found = np.array([dealt(12, seed) for seed in range(3000)])
    assert (np.sort(np.apply_along_axis(np.bincount, 1, found)) == 4).all()
    for a, b in ((0, 1), (3, 7), (10, 11)):
        assert abs((found[:, a] == found[:, b]).mean() - 3 / 11) < 4 * 0.0081
    assert (dealt(12, 5) == dealt(12, 5)).all()


def test_rows_of_one_case_are_in_one_fold():
    rng = np.random.default_rng(0)
    cases = rng.permutation(np.repeat(np.arange(30) + 100, rng.integers(1, 9, 30)))
    folds = dealt(len(cases), 3, cases)
    for case in np.unique(cases):
        assert len(np.unique(folds[cases == case])) == 1
    # the fullest fold exceeds the emptiest by one case at most
    assert np.ptp(np.bincount(folds, minlength=FOLDS)) <= 8
    with pytest.raises(BadInput, match="2 groups of rows: expected 3"):
        dealt(6, 0, np.array([1, 1, 1, 2, 2, 2]))


def test_each_reference_row_takes_one_equal_sample():
    x = np.array([[1.0], [2.0], [1.0], [1.0], [3.0], [2.0]])
    y = np.array([[2.0], [1.0], [1.0], [4.0]])
    came, folds_y = np.array([0, 0, 0, 0, 1, 1]), np.array([2, 1, 2, 0])
    moved, copies = beside_equals(came, x, y, folds_y)
    assert copies == 3
    # two of three ones and one of two twos lie where their rows are; the others are where they were
    assert sorted(moved[[0, 2, 3]].tolist()) == [0, 1, 2]
    assert sorted(moved[[1, 5]].tolist()) in ([1, 2], [0, 2], [2, 2])
    assert moved[4] == 1
    assert came.tolist() == [0, 0, 0, 0, 1, 1]


def test_nothing_moves_where_nothing_is_equal():
    rng = np.random.default_rng(1)
    folds = dealt(50, 0)
    moved, copies = beside_equals(
        folds, rng.normal(size=(50, 2)), rng.normal(size=(40, 2)), dealt(40, 1)
    )
    assert copies == 0
    assert (moved == folds).all()
