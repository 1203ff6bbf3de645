"""The simulations of gap symmetry with fewer data sets than their scripts use."""

from __future__ import annotations

import pytest

from tests.statistical.goodness_of_fit import CASES, n_warned
from tests.statistical.limits import binomial_limits
from tests.statistical.pair_hmm_tests import boundary, chi_squared_power, regular, sparse, split


@pytest.mark.slow
@pytest.mark.parametrize(("check", "n"), [(regular, 300), (boundary, 200)])
def test_true_nulls_are_rejected_as_often_as_the_level_says(check, n):
    found = check(n)
    assert found.n_missing == 0
    assert all(rate.is_in_order for rate in found.rejections()), str(found)


@pytest.mark.slow
@pytest.mark.parametrize(("check", "n"), [(sparse, 12), (split, 40)])
def test_bounds_are_kept(check, n):
    found = check(n)
    assert all(rate.n_rejected <= rate.highest for rate in found.rejections()), str(found)


@pytest.mark.slow
def test_power_follows_the_noncentral_law():
    found = chi_squared_power(200)
    lower, upper = found.interval
    assert lower - 0.03 < found.by_law < upper + 0.03


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_misspecified_models_are_warned_of_and_true_ones_are_not(name):
    n = 10
    warned = n_warned(name, n)
    if name == "true":
        assert warned <= binomial_limits(n, 0.01, 0.999)[1]
    else:
        assert warned >= 9
