"""The law of sums with random signs, against enumeration and known laws."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import binom

from seqbio.hypothesis_testing.sign_flips import log_flip_pvalue


def enumerated(scores):
    signs = np.array(list(product([-1, 1], repeat=len(scores))))
    return np.mean(np.abs(signs @ scores) >= abs(scores.sum()))


@given(st.lists(st.integers(-200, 200), min_size=1, max_size=10))
def test_the_law_is_that_of_all_flips(values):
    scores = np.array([*values, 200])  # so that nothing is rounded
    assert np.exp(log_flip_pvalue(scores)) == pytest.approx(enumerated(scores), rel=1e-10)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=8))
def test_scores_are_rounded_to_a_200th_of_the_largest(values):
    scores = np.array([*values, 5.0])
    rounded = np.rint(scores * 40).astype(int)
    assert np.exp(log_flip_pvalue(scores)) == pytest.approx(enumerated(rounded), rel=1e-10)


@pytest.mark.parametrize(("n", "plus"), [(30, 22), (400, 330), (3000, 2990), (3000, 3000)])
def test_equal_scores_are_coins_however_far_out(n, plus):
    scores = np.r_[np.ones(plus), -np.ones(n - plus)]
    expected = np.log(2) + logsumexp(binom.logpmf(np.arange(plus, n + 1), n, 0.5))
    assert log_flip_pvalue(scores) == pytest.approx(expected, rel=1e-9)


def test_no_score_says_nothing():
    assert log_flip_pvalue([]) == log_flip_pvalue([0.0, 0.0]) == log_flip_pvalue([2.0, -2.0]) == 0.0


def test_pvalues_are_uniform_where_signs_are_coins():
    generator = np.random.default_rng(3)
    pvalues = [
        np.exp(log_flip_pvalue(generator.gamma(0.5, size=15) * generator.choice([-1, 1], 15)))
        for _ in range(1000)
    ]
    for level in (0.5, 0.1, 0.05, 0.01):
        assert binom.sf(np.sum(np.array(pvalues) <= level) - 1, 1000, level) > 1e-3
        assert binom.cdf(np.sum(np.array(pvalues) <= level), 1000, level) > 1e-3
