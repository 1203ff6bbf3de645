import numpy as np
import pytest
from scipy.optimize import rosen, rosen_der

from seqbio.core.optimizers import minimize_lbfgs


class Counted:
    def __init__(self, function):
        self.function, self.points = function, []

    def __call__(self, x):
        self.points.append(x.copy())
        return self.function(x)


def rosenbrock(x):
    return rosen(x), rosen_der(x)


def is_flat(x, value, gradient):
    return np.abs(gradient).max() < 1e-6


def test_rosenbrock_with_every_evaluation_counted():
    function = Counted(rosenbrock)
    minimum = minimize_lbfgs(function, np.array([-1.2, 1.0, 0.5]), stop=is_flat)
    np.testing.assert_allclose(minimum.x, 1, atol=1e-5)
    assert minimum.n_evaluations == len(function.points)
    assert minimum.n_iterations < minimum.n_evaluations < 100
    assert minimum.value == rosen(minimum.x)
    np.testing.assert_array_equal(minimum.gradient, rosen_der(minimum.x))


def test_stop_sees_every_accepted_point_right_after_its_evaluation():
    function, seen = Counted(rosenbrock), []

    def stop(x, value, gradient):
        np.testing.assert_array_equal(x, function.points[-1])
        np.testing.assert_array_equal(gradient, rosen_der(x))
        assert value == rosen(x)
        seen.append(x)
        return len(seen) == 7

    minimum = minimize_lbfgs(function, np.array([-1.2, 1.0]), stop=stop)
    assert minimum.n_iterations == 7
    np.testing.assert_array_equal(minimum.x, seen[-1])


def test_the_number_of_iterations_is_limited():
    minimum = minimize_lbfgs(rosenbrock, np.array([-1.2, 1.0]), max_iterations=3)
    assert minimum.n_iterations == 3
    assert "LIMIT" in minimum.message


def test_the_first_step_is_the_negative_gradient_of_norm_1():
    function = Counted(lambda x: (float(x @ x) / 2, x.copy()))
    minimum = minimize_lbfgs(function, np.array([0.6, -0.8]), stop=is_flat)
    np.testing.assert_allclose(function.points[1], 0, atol=1e-15)
    assert minimum.n_evaluations == 2


def test_lower_bounds_hold():
    function = Counted(lambda x: (float(((x + 2) ** 2).sum()), 2 * (x + 2)))
    lower = np.array([-1.0, -np.inf])
    minimum = minimize_lbfgs(function, np.array([1.0, 1.0]), lower=lower)
    np.testing.assert_allclose(minimum.x, [-1, -2], atol=1e-6)
    assert (np.array(function.points) >= lower).all()


@pytest.mark.parametrize("outside", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", ["value", "gradient"])
def test_steps_to_where_the_function_is_not_finite_are_taken_back(outside, part):
    def hill_by_the_cliff(x):
        value, gradient = float(np.sum(x - np.log(np.abs(x)))), 1 - 1 / x
        if (x <= 0).any():
            return (outside, gradient) if part == "value" else (value, np.full(x.size, outside))
        return value, gradient

    minimum = minimize_lbfgs(hill_by_the_cliff, np.array([1.2, 0.02]), stop=is_flat)
    np.testing.assert_allclose(minimum.x, 1, atol=1e-5)


def test_a_start_at_the_minimum_is_returned():
    minimum = minimize_lbfgs(rosenbrock, np.ones(2))
    np.testing.assert_array_equal(minimum.x, 1)
    assert (minimum.n_iterations, minimum.n_evaluations, minimum.value) == (0, 1, 0)
