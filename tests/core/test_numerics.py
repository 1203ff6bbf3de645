"""References are computed with Python's decimal numbers, to 400 digits."""

from decimal import Context, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from seqbio.core import numerics

# So many digits that 1 + exp(-745) is not yet 1.
exact = Context(prec=400, Emin=-(10**9), Emax=10**9)
TINY = np.finfo(float).smallest_normal
extreme = st.one_of(
    st.floats(-5, 5), st.floats(-2000, 2000), st.sampled_from([-1e6, -745.2, -36.8, 709.9, 1e6])
)
logarithms = st.one_of(extreme, st.just(-np.inf))


def vectors(elements):
    return arrays(float, st.integers(1, 5), elements=elements)


def exponentials(values):
    return [exact.exp(Decimal(float(value))) for value in values]


def decimal_sum(numbers):
    total = Decimal(0)
    for number in numbers:
        total = exact.add(total, number)
    return total


def as_floats(numbers):
    return np.array([float(number) for number in numbers])


@given(vectors(logarithms))
def test_logsumexp(values):
    total = decimal_sum(exponentials(values))
    expected = float(exact.ln(total)) if total else -np.inf
    np.testing.assert_allclose(numerics.logsumexp(values), expected, rtol=1e-15, atol=5e-16)


@given(vectors(logarithms).filter(lambda values: np.any(values > -np.inf)))
def test_softmax(values):
    numbers = exponentials(values)
    total = decimal_sum(numbers)
    shares = [exact.divide(number, total) for number in numbers]
    # A share carries the rounding of the difference of two values, 1e-16 of up to 745.
    np.testing.assert_allclose(numerics.softmax(values), as_floats(shares), rtol=1e-12, atol=TINY)
    expected = [float(exact.ln(share)) if share else -np.inf for share in shares]
    np.testing.assert_allclose(numerics.log_softmax(values), expected, rtol=1e-14, atol=1e-15)


@given(st.one_of(extreme, st.floats(-760, -690)))
def test_sigmoid(value):
    number = exact.exp(Decimal(value))
    share = exact.divide(number, exact.add(number, 1))
    # Below the smallest number with all its digits, either rounds to 0.
    np.testing.assert_allclose(numerics.sigmoid(value), float(share), rtol=1e-12, atol=TINY)


@given(st.one_of(st.floats(0, 1, exclude_min=True, exclude_max=True), st.just(5e-324)))
def test_logit(probability):
    number = Decimal(probability)
    odds = exact.divide(number, exact.subtract(1, number))
    expected = float(exact.ln(odds))
    np.testing.assert_allclose(numerics.logit(probability), expected, rtol=1e-14, atol=1e-16)


@given(st.floats(-700, 30))
def test_logit_inverts_sigmoid(value):
    # Near 1, a probability holds its log odds to 1e-16 / p(1-p).
    tolerance = 1e-13 + 4e-16 * np.exp(value)
    np.testing.assert_allclose(
        numerics.logit(numerics.sigmoid(value)), value, rtol=1e-13, atol=tolerance
    )


def test_exact_at_infinity():
    never = np.full(3, -np.inf)
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        assert numerics.logsumexp(never) == -np.inf
        assert numerics.logsumexp([]) == -np.inf
        assert numerics.logsumexp([np.inf, 0.0]) == np.inf
        assert numerics.logsumexp([-1e300, 1e300]) == 1e300
        np.testing.assert_array_equal(numerics.softmax([-np.inf, 3.0]), [0.0, 1.0])
        np.testing.assert_array_equal(numerics.log_softmax([-np.inf, 3.0]), [-np.inf, 0.0])
        assert np.isnan(numerics.softmax(never)).all()
        assert np.isnan(numerics.log_softmax(never)).all()
    np.testing.assert_array_equal(numerics.sigmoid([-np.inf, np.inf]), [0.0, 1.0])
    np.testing.assert_array_equal(numerics.logit([0.0, 1.0]), [-np.inf, np.inf])


@pytest.mark.parametrize("function", [numerics.logsumexp, numerics.softmax, numerics.log_softmax])
@given(values=arrays(float, array_shapes(min_dims=2, max_dims=3, max_side=3), elements=extreme))
def test_axes(function, values):
    reduces = function is numerics.logsumexp
    rows = np.apply_along_axis(function, 0, values)
    np.testing.assert_allclose(function(values, axis=0), rows, rtol=1e-13)
    np.testing.assert_array_equal(function(values), function(values, axis=-1))
    every = function(values.ravel())
    everything = function(values, axis=None)
    assert np.shape(everything) == (() if reduces else values.shape)
    np.testing.assert_allclose(np.ravel(everything), np.ravel(every), rtol=1e-13)
    both = function(values, axis=(0, 1))
    assert np.shape(both) == (values.shape[2:] if reduces else values.shape)


@given(values=arrays(float, 4, elements=st.floats(-6, 6)))
def test_softmax_is_the_gradient(values):
    step = 1e-6 * np.eye(4)
    slope = (numerics.logsumexp(values + step) - numerics.logsumexp(values - step)) / 2e-6
    np.testing.assert_allclose(numerics.softmax(values), slope, rtol=1e-6, atol=1e-8)


@given(arrays(float, 4, elements=st.floats(-6, 6)))
def test_derivatives_that_the_docstrings_state(values):
    def slope(function):
        return (function(values + 1e-6) - function(values - 1e-6)) / 2e-6

    sigmoid = numerics.sigmoid
    np.testing.assert_allclose(
        sigmoid(values) * sigmoid(-values), slope(sigmoid), rtol=1e-6, atol=1e-8
    )
