"""Profile intervals of functions of several parameters; those of one stand in test_fit.py."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, xlogy
from scipy.stats import norm

from seqbio.core import Effect, fit, profile_interval, profile_likelihood, untied
from seqbio.errors import ParameterError
from tests.core.models import Binomial, CurvedBinomial, CurvedParabola, Parabola

HESSIAN = np.array([[2.0, 0.8, 0.1], [0.8, 1.5, -0.3], [0.1, -0.3, 1.0]])
TOP = np.array([0.3, -0.5, 1.0])
ERROR = norm.ppf(0.975)


@pytest.mark.parametrize("model_class", [Parabola, CurvedParabola])
@pytest.mark.parametrize("weights", [[1.0, -1.0, 0.0], [0.2, 0.5, -2.0], [0.0, 0.0, 1.0]])
def test_a_linear_function_of_a_parabola_is_known(model_class, weights):
    weights = np.array(weights)
    result = fit(model_class(HESSIAN, TOP), untied(3), None)
    interval = profile_interval(
        result, None, lambda full: Effect("sum", float(weights @ full), weights)
    )
    half = ERROR * np.sqrt(weights @ np.linalg.inv(HESSIAN) @ weights)
    assert interval == pytest.approx(weights @ TOP + half * np.array([-1, 1]), abs=2e-3)


def test_an_increasing_function_has_the_transformed_interval():
    result = fit(CurvedParabola(HESSIAN, TOP), untied(3), None)
    weights = np.array([1.0, -1.0, 0.5])

    def linear(full):
        return Effect("sum", float(weights @ full), weights)

    def bent(full):
        return Effect("sinh", float(np.sinh(weights @ full)), weights * np.cosh(weights @ full))

    expected = np.sinh(profile_interval(result, None, linear))
    assert profile_interval(result, None, bent) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("model_class", [Binomial, CurvedBinomial])
def test_an_odds_ratio_drops_by_as_much_as_it_should(model_class):
    data = np.array([7, 12]), np.array([20, 25])
    result = fit(model_class(2), untied(2), data)
    weights = np.array([-1.0, 1.0])
    interval = profile_interval(
        result, data, lambda full: Effect("odds ratio", float(weights @ full), weights, True)
    )
    top = (
        xlogy(data[0], data[0] / data[1]) + xlogy(data[1] - data[0], 1 - data[0] / data[1])
    ).sum()
    for end in interval:
        # The score equation of the common logit: fitted successes add up to those observed.
        logit = brentq(lambda u, end=end: (data[1] * expit([u, u + np.log(end)])).sum() - 19, -9, 9)
        held = model_class(2).log_likelihood(np.array([logit, logit + np.log(end)]), data).sum()
        assert 2 * (top - held) == pytest.approx(ERROR**2, abs=2e-3)


def test_a_ratio_with_a_count_of_0_has_one_end():
    data = np.array([0, 12]), np.array([20, 25])
    result = fit(CurvedBinomial(2), untied(2), data)
    weights = np.array([-1.0, 1.0])
    lower, upper = profile_interval(
        result, data, lambda full: Effect("log odds ratio", float(weights @ full), weights)
    )
    assert upper == np.inf
    assert lower > 0


def test_a_function_of_nothing_that_is_free_is_refused():
    result = fit(CurvedParabola(HESSIAN, TOP), untied(3), None)
    with pytest.raises(ParameterError, match="constant does not depend on the free parameters"):
        profile_interval(result, None, lambda full: Effect("constant", 1.0, np.zeros(3)))


@pytest.mark.parametrize("model_class", [Parabola, CurvedParabola])
def test_the_profile_of_a_parabola_is_a_parabola(model_class):
    result = fit(model_class(HESSIAN, TOP), untied(3), None)
    weights = np.array([1.0, -1.0, 0.5])
    centre = weights @ TOP
    values = centre + np.array([1.5, 0.0, -2.0, 0.4])
    heights = profile_likelihood(
        result, None, lambda full: Effect("sum", float(weights @ full), weights), values
    )
    variance = weights @ np.linalg.inv(HESSIAN) @ weights
    expected = result.log_likelihood - (values - centre) ** 2 / variance / 2
    assert heights == pytest.approx(expected, abs=1e-4)
