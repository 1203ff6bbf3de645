"""Chi-bar-squared: weights of known orthants, and means that cannot be negative."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2, norm

from seqbio.core import Hypothesis, equal, fixed, untied
from seqbio.hypothesis_testing import compare
from seqbio.hypothesis_testing.calibrations.boundary import chi_bar_squared_weights
from seqbio.hypothesis_testing.laws import log_chi_bar_squared_tail, log_weighted_chi_squared_tail
from tests.hypothesis_testing.simulating import PositiveMeans, at_boundary_against_free


def with_mean(means, n=16):
    """Numbers with exactly these means."""
    noise = np.random.default_rng(1).standard_normal((n, len(means)))
    return noise - noise.mean(axis=0) + np.array(means)


def test_a_mean_that_cannot_be_negative_is_half_and_half():
    data = with_mean([0.5])
    result = compare(*at_boundary_against_free(PositiveMeans()), data)
    assert result.calibration == "chi-bar-squared"
    assert result.statistic == pytest.approx(16 * 0.25, abs=1e-4)
    assert result.pvalue == pytest.approx(norm.sf(np.sqrt(16) * 0.5), rel=1e-3)
    assert "0.5 chi2(0) + 0.5 chi2(1)" in result.null_law


def test_an_estimate_at_the_boundary_has_p_one():
    result = compare(*at_boundary_against_free(PositiveMeans()), with_mean([-0.3]))
    assert (result.statistic, result.pvalue) == (0.0, 1.0)


def test_two_independent_means_are_a_quarter_half_quarter():
    result = compare(*at_boundary_against_free(PositiveMeans(2)), with_mean([0.5, 0.3]))
    statistic = 16 * (0.25 + 0.09)
    assert result.statistic == pytest.approx(statistic, abs=1e-3)
    expected = chi2.sf(statistic, 1) / 2 + chi2.sf(statistic, 2) / 4
    assert result.pvalue == pytest.approx(expected, rel=1e-2)
    np.testing.assert_allclose(result.evidence.weights, [0.25, 0.5, 0.25], atol=1e-3)


def test_a_parameter_inside_adds_a_degree_of_freedom():
    model = PositiveMeans(3)
    null = Hypothesis(model, fixed(3, 0, -np.inf).intersect(equal(3, [1, 2])))
    result = compare(null, Hypothesis(model, untied(3)), with_mean([0.2, 1.0, 1.3]))
    np.testing.assert_array_equal(result.evidence.df, [1, 2])
    statistic = 16 * (0.04 + 2 * 0.15**2)
    assert result.statistic == pytest.approx(statistic, abs=1e-3)
    expected = (chi2.sf(statistic, 1) + chi2.sf(statistic, 2)) / 2
    assert result.pvalue == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("correlation", [-0.8, 0.0, 0.6])
def test_weights_of_two_are_those_of_drawn_normal_vectors(correlation):
    covariance = np.array([[1.0, correlation], [correlation, 1.0]])
    weights = chi_bar_squared_weights(np.linalg.inv(covariance))
    drawn = np.random.default_rng(2).multivariate_normal([0, 0], covariance, 20_000)
    assert weights[2] == pytest.approx((drawn > 0).all(axis=1).mean(), abs=0.015)
    assert weights[1] == pytest.approx(0.5)
    assert weights.sum() == pytest.approx(1.0)


def test_weights_of_three_independent_ones_are_binomial():
    np.testing.assert_allclose(
        chi_bar_squared_weights(np.eye(3)), np.array([1, 3, 3, 1]) / 8, atol=0.015
    )


def test_the_mixture_is_a_mixture():
    expected = 0.5 * chi2.sf(3.0, 1) + 0.25 * chi2.sf(3.0, 2)
    found = np.exp(log_chi_bar_squared_tail(3.0, [0.25, 0.5, 0.25], [0, 1, 2]))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("weights", [[1.0, 2.0], [0.3, 1.0, 5.0], [2.0, 2.0]])
def test_weighted_sums_match_draws(weights):
    draws = np.random.default_rng(3).standard_normal((200_000, len(weights))) ** 2 @ weights
    for level in (0.5, 0.1, 0.02):
        threshold = np.quantile(draws, 1 - level)
        found = np.exp(log_weighted_chi_squared_tail(threshold, weights))
        assert found == pytest.approx(level, rel=0.05)


@pytest.mark.parametrize("weights", [(3.25, 1.49), (1.0, 49.0), (1.0, 1.05)])
@pytest.mark.parametrize("statistic", [0.5, 12.0, 192.6, 1437.0])
def test_weighted_sums_of_two_are_exact_far_out(weights, statistic):
    largest = max(weights)

    def along(angle):
        spread = weights[0] * np.cos(angle) ** 2 + weights[1] * np.sin(angle) ** 2
        return np.exp(statistic / 2 * (1 / largest - 1 / spread))

    # In polar coordinates the radius has the tail exp(-r**2 / 2); the rest is over the angle.
    inside, _ = quad(along, 0, np.pi / 2, epsabs=0, epsrel=1e-10, limit=500)
    expected = np.log(inside * 2 / np.pi) - statistic / (2 * largest)
    assert log_weighted_chi_squared_tail(statistic, weights) == pytest.approx(expected, abs=1e-8)


def test_the_tail_falls_however_far_out():
    tails = [log_weighted_chi_squared_tail(x, [3.25, 1.49]) for x in (1e3, 3e3, 1e4, 3e4, 1e5)]
    assert np.all(np.diff(tails) < 0)
    assert tails[-1] > -1e5 / (2 * 3.25)  # that of the larger weight alone is below it
