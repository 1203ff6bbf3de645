import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln, log_ndtr, logsumexp

from seqbio.hypothesis_testing.laws import log_chi_squared_tail


@given(st.floats(0, 1e7))
def test_one_degree_of_freedom_is_the_square_of_a_normal_variable(statistic):
    expected = math.log(2) + log_ndtr(-math.sqrt(statistic))
    assert log_chi_squared_tail(statistic, 1) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.floats(0, 1e7), st.integers(1, 200))
def test_even_degrees_of_freedom_are_a_sum_of_poisson_terms(statistic, half):
    x, k = statistic / 2, np.arange(half)
    with np.errstate(divide="ignore", invalid="ignore"):
        powers = np.where(k == 0, 0.0, k * np.log(x))
    expected = logsumexp(powers - x - gammaln(k + 1))
    assert log_chi_squared_tail(statistic, 2 * half) == pytest.approx(expected, rel=1e-8, abs=1e-9)


@pytest.mark.parametrize("df", [1, 2, 3, 10, 501, 2000])
def test_it_goes_on_smoothly_where_the_probability_underflows(df):
    statistics = df + np.linspace(1000, 3000, 400)
    tails = np.array([log_chi_squared_tail(statistic, df) for statistic in statistics])
    # Convexity is lost by any jump or change of slope.
    assert (np.diff(tails) < 0).all()
    assert np.abs(np.diff(tails, 2)).max() < 1e-2


def test_a_ratio_of_0_or_less_has_probability_1():
    assert log_chi_squared_tail(0.0, 3) == log_chi_squared_tail(-1e-7, 1) == 0
