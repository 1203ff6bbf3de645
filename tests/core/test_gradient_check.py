import numpy as np
import pytest

from seqbio.core import Layout, check_gradient
from seqbio.errors import ParameterError
from tests.core.models import CurvedBinomial, Gaussian

N = 300


class Regression:
    """A Poisson regression with a planted error."""

    layout = Layout({"slope": (N,)})

    def __init__(self, wrong_entry=None, factor=1.0, shift=0.0):
        self.wrong_entry, self.factor, self.shift = wrong_entry, factor, shift
        self.design = np.random.default_rng(0).normal(size=(20, N)) / np.sqrt(N)

    def log_likelihood(self, full, data):
        linear = self.design @ full
        return data * linear - np.exp(linear)

    def log_likelihood_and_gradient(self, full, data):
        gradient = self.design.T @ (data - np.exp(self.design @ full))
        if self.wrong_entry is not None:
            gradient[self.wrong_entry] = gradient[self.wrong_entry] * self.factor + self.shift
        return self.log_likelihood(full, data).sum(), gradient


DATA = np.random.default_rng(1).poisson(3, 20)
FULL = np.random.default_rng(2).normal(size=N)
ways = pytest.mark.parametrize("n_directions", [None, 5], ids=["entries", "directions"])


@ways
def test_a_right_gradient_passes(n_directions):
    check = check_gradient(Regression(), FULL, DATA, seed=3, n_directions=n_directions)
    assert check.passed
    assert check.max_relative_error < 1e-8
    assert check.value_error < 1e-12


@ways
@pytest.mark.parametrize("wrong_entry", [0, 123, N - 1])
@pytest.mark.parametrize("error", [{"factor": 1.001}, {"shift": 1e-3}])
def test_an_error_of_a_thousandth_in_one_entry_of_hundreds_is_found(
    n_directions, wrong_entry, error
):
    model = Regression(wrong_entry, **error)
    check = check_gradient(model, FULL, DATA, seed=3, n_directions=n_directions)
    _, right = Regression().log_likelihood_and_gradient(FULL, DATA)
    _, wrong = model.log_likelihood_and_gradient(FULL, DATA)
    assert not check.passed
    assert check.worst_entry == f"slope[{wrong_entry}]"
    assert check.analytic == pytest.approx(wrong[wrong_entry], rel=1e-12)
    assert check.numeric == pytest.approx(right[wrong_entry], rel=1e-6)


def test_directions_take_few_evaluations():
    check = check_gradient(Regression(7, 2.0), FULL, DATA, n_directions=5, seed=1)
    assert check.n_evaluations < 150


def test_a_value_that_is_not_the_sum_over_the_items_fails():
    class Forgetful(Gaussian):
        def log_likelihood_and_gradient(self, full, data):
            value, gradient = super().log_likelihood_and_gradient(full, data)
            return value + 1e-3, gradient

    check = check_gradient(Forgetful([1.0]), [0.3], np.array([[1.0], [2.0]]))
    assert check.max_relative_error < 1e-8
    assert check.value_error > 1e-4
    assert not check.passed


@ways
def test_a_gradient_of_nan_fails(n_directions):
    check = check_gradient(Regression(9, np.nan), FULL, DATA, seed=2, n_directions=n_directions)
    assert not check.passed
    assert check.worst_entry == "slope[9]"


@ways
def test_entries_at_infinity_are_left_out(n_directions):
    data = np.array([0.0, 3.0]), np.array([10.0, 10.0])
    full = np.array([-np.inf, 0.4])
    check = check_gradient(CurvedBinomial(2), full, data, seed=0, n_directions=n_directions)
    assert check.passed
    assert check.worst_entry == "logit[1]"


@ways
def test_an_optimum_passes(n_directions):
    data = np.random.default_rng(3).normal(size=(50, 2))
    model = Gaussian([1.0, 1e-2])
    assert check_gradient(model, data.mean(axis=0), data, seed=0, n_directions=n_directions).passed


@pytest.mark.parametrize(
    ("full", "options", "message"),
    [
        (np.zeros(3), {}, r"must be \(300,\)"),
        (np.full(N, np.inf), {}, "0 finite entries"),
        (FULL, {"n_directions": 0}, "n_directions is 0"),
    ],
)
def test_wrong_arguments_raise(full, options, message):
    class Free(Regression):
        def log_likelihood_and_gradient(self, full, data):
            return 0.0, np.zeros_like(full)

    with pytest.raises(ParameterError, match=message):
        check_gradient(Free(), full, DATA, **options)
