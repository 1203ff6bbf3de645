"""Held-out comparison: closed forms, folds that keep copies together, exact signs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from seqbio.core import fit, subset_of
from seqbio.hypothesis_testing import Comparison, compare
from seqbio.hypothesis_testing.calibrations.held_out import (
    HeldOutComparison,
    _sign_flip,
    held_out_comparison,
)
from seqbio.hypothesis_testing.folds import grouped_folds
from tests.hypothesis_testing.simulating import NormalMeans, zero_against_free


def compared(data, clusters=None, **options):
    null, alternative = (
        fit(one.model, one.tying, data) for one in zero_against_free(NormalMeans())
    )
    return held_out_comparison(Comparison(null, alternative, data, 1, clusters), **options)


def test_differences_are_those_of_fits_without_the_fold():
    data = np.random.default_rng(1).normal(0.5, 1.0, (12, 1))
    comparison = compared(data, n_folds=3, seed=5)
    folds = grouped_folds(np.arange(12), 3, np.random.default_rng(5).spawn(3)[0])
    for fold in folds:
        mean = np.delete(data, fold).mean()
        expected = (data[fold, 0] ** 2 - (data[fold, 0] - mean) ** 2) / 2
        np.testing.assert_allclose(comparison.differences[fold], expected, atol=1e-4)


def test_few_clusters_have_all_their_signs_tried():
    data = np.random.default_rng(2).normal(0.7, 1.0, (8, 1))
    comparison = compared(data, n_folds=4, seed=1)
    sums = comparison.differences
    totals = [abs(np.dot(signs, sums)) for signs in product([1, -1], repeat=8)]
    expected = np.mean(np.array(totals) >= abs(sums.sum()) * (1 - 1e-12))
    assert comparison.pvalue == pytest.approx(expected)
    assert (comparison.exhaustive, comparison.n_flips) == (True, 256)


def test_many_clusters_have_their_signs_drawn():
    data = np.random.default_rng(2).normal(1.0, 1.0, (40, 1))
    comparison = compared(data, seed=1)
    assert (comparison.exhaustive, comparison.n_flips) == (False, 9999)
    assert 1 / 10_000 <= comparison.pvalue < 0.01
    lower, upper = comparison.interval
    assert lower < comparison.mean < upper


class Watching(NormalMeans):
    """Remembers what it was asked to subset."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def subset(self, data, indices):
        self.parts.append(np.asarray(data)[indices])
        return self.parts[-1]


def test_duplicates_never_sit_on_both_sides():
    once = np.random.default_rng(3).normal(0.5, 1.0, (15, 1))
    data = np.repeat(once, 2, axis=0)
    model = Watching()
    result = compare(*zero_against_free(model), data, calibration="held-out", seed=1)
    parts = [part for part in model.parts if len(part) > 1]
    for learning, testing in zip(parts[::2], parts[1::2], strict=True):
        assert not set(learning.ravel()) & set(testing.ravel())
    assert result.evidence.to_dict()["n_groups"] == 15


def test_it_is_labelled_as_what_it_is():
    data = np.random.default_rng(4).standard_normal((30, 1))
    result = compare(*zero_against_free(NormalMeans()), data, calibration="held-out", seed=1)
    assert "not a test of parameters" in result.null_law
    assert "comparison_of_predictions" in [check.code for check in result.warnings]
    assert "predicts unseen items" in result.conclusion
    assert "nats an item" in str(result)


@pytest.mark.parametrize("difference", [-np.inf, np.nan])
def test_an_impossible_item_leaves_no_p_value(difference):
    comparison = HeldOutComparison(np.array([1.0, difference]), np.arange(2), 2, 0, False, None)
    assert comparison.log_pvalue is None
    assert comparison.checks[0].severity == "invalid"
    assert not [cell for row in comparison.rows() for cell in row if "nan" in cell or "inf" in cell]
    assert comparison.to_dict()["lower"] is None


def test_the_size_is_right_when_no_hypothesis_predicts_better():
    """Differences that are symmetric about 0 are rejected at the nominal rate."""
    generator = np.random.default_rng(6)
    rejected = 0
    for _ in range(300):
        rejected += _sign_flip(generator.standard_normal(10), generator)[0] <= 0.1
    assert 14 <= rejected <= 48  # 99.9 % limits


def test_items_of_an_array_come_by_its_first_axis():
    assert subset_of(NormalMeans(), np.arange(6.0).reshape(3, 2), [1]).tolist() == [[2.0, 3.0]]
