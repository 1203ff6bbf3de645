import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from seqbio.core import Positive, Probability, Simplex
from seqbio.errors import ParameterError

ELEMENTWISE = [Positive(), Probability()]
elementwise = pytest.mark.parametrize("constraint", ELEMENTWISE, ids=["positive", "probability"])

TINY = np.finfo(float).smallest_normal
or_never = st.one_of(st.floats(-30, 30), st.just(-np.inf))
references = st.integers(-2, 1)  # each is an entry of a simplex of two or more


def batches(elements, min_dims=0):
    return arrays(float, array_shapes(min_dims=min_dims, max_dims=3, max_side=3), elements=elements)


def differences(function, at, step=1e-6):
    """Differentiate each output with respect to each coordinate, centrally: (outputs, inputs)."""
    columns = [
        (function(at + step * e) - function(at - step * e)) / (2 * step) for e in np.eye(len(at))
    ]
    return np.stack(columns, axis=-1)


@elementwise
@given(coordinates=batches(or_never))
def test_elementwise_round_trip_from_coordinates(constraint, coordinates):
    values = constraint.to_constrained(coordinates)
    again = constraint.to_unconstrained(values)
    assert np.shape(values) == coordinates.shape
    np.testing.assert_array_equal(values == 0, np.isneginf(coordinates))
    # Near 1, a probability holds its log odds to 1e-16 / p(1-p), which is 1e-3 at 30.
    exact = coordinates < 10
    np.testing.assert_allclose(again[exact], coordinates[exact], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(again, coordinates, atol=1e-2)


@elementwise
@given(values=batches(st.floats(0, 1, allow_subnormal=False) | st.sampled_from([0.0, 1.0, TINY])))
def test_elementwise_round_trip_from_values(constraint, values):
    coordinates = constraint.to_unconstrained(values)
    np.testing.assert_array_equal(np.isneginf(coordinates), values == 0)
    again = constraint.to_constrained(coordinates)
    # exp(x) carries the rounding of x, up to 745 * 1e-16 in relative terms.
    np.testing.assert_allclose(again, values, rtol=1e-12)
    np.testing.assert_array_equal(again == 0, values == 0)


@elementwise
@given(coordinates=arrays(float, 3, elements=st.floats(-8, 8)))
def test_elementwise_jacobian(constraint, coordinates):
    expected = differences(constraint.to_constrained, coordinates)
    np.testing.assert_allclose(
        np.diag(constraint.jacobian(coordinates)), expected, rtol=1e-6, atol=1e-8
    )


def test_jacobians_in_the_tails():
    # p (1 - p) keeps all its digits on both sides, though 1 - p itself would not.
    np.testing.assert_allclose(
        Probability().jacobian([-700.0, -40.0, 40.0, 700.0]),
        np.exp([-700.0, -40.0, -40.0, -700.0]),
        rtol=1e-12,
    )
    np.testing.assert_array_equal(Probability().jacobian([-np.inf, np.inf]), [0.0, 0.0])
    np.testing.assert_array_equal(Positive().jacobian([-np.inf]), [0.0])


@given(batches(or_never, min_dims=1), references)
def test_simplex_round_trip_from_coordinates(coordinates, reference):
    simplex = Simplex(reference)
    values = simplex.to_constrained(coordinates)
    assert values.shape == (*coordinates.shape[:-1], coordinates.shape[-1] + 1)
    assert np.all(values >= 0)
    np.testing.assert_allclose(values.sum(axis=-1), 1.0, rtol=1e-14)
    again = simplex.to_unconstrained(values)
    np.testing.assert_array_equal(np.isneginf(again), np.isneginf(coordinates))
    np.testing.assert_allclose(again, coordinates, rtol=1e-9, atol=1e-9)


@given(
    arrays(float, (3, 4), elements=st.one_of(st.floats(1e-6, 1), st.just(0.0))),
    st.integers(-4, 3),
)
def test_simplex_round_trip_from_values(weights, reference):
    weights[:, reference] += 0.5
    values = weights / weights.sum(axis=-1, keepdims=True)
    simplex = Simplex(reference)
    coordinates = simplex.to_unconstrained(values)
    others = np.delete(values, reference, axis=-1)
    np.testing.assert_array_equal(np.isneginf(coordinates), others == 0)
    again = simplex.to_constrained(coordinates)
    np.testing.assert_allclose(again, values, rtol=1e-13)
    np.testing.assert_array_equal(again == 0, values == 0)


@given(arrays(float, st.integers(1, 4), elements=st.floats(-8, 8)), references)
def test_simplex_jacobian(coordinates, reference):
    simplex = Simplex(reference)
    matrix = simplex.jacobian(coordinates)
    expected = differences(simplex.to_constrained, coordinates)
    np.testing.assert_allclose(matrix, expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(simplex.jacobian([coordinates, coordinates]), [matrix, matrix])


def test_simplex_jacobian_on_the_boundary():
    np.testing.assert_array_equal(
        Simplex().jacobian([-np.inf, 0.0]), [[0.0, 0.0], [0.0, 0.25], [0.0, -0.25]]
    )


@given(arrays(float, 3, elements=st.floats(-600, 600)))
def test_simplex_coordinates_are_log_odds(coordinates):
    with np.errstate(divide="ignore"):
        logarithms = np.log(Simplex(1).to_constrained(coordinates))
    expected = coordinates - np.max([*coordinates, 0.0])
    shown = expected > -600
    others = np.delete(logarithms, 1) - np.max(logarithms)
    np.testing.assert_allclose(others[shown], expected[shown], rtol=1e-9, atol=1e-9)


@given(st.floats(-30, 30))
def test_a_simplex_of_two_is_a_probability(coordinate):
    one = Probability().to_constrained(coordinate)
    np.testing.assert_allclose(Simplex().to_constrained([coordinate])[0], one, rtol=1e-13)


def test_a_simplex_of_one_has_no_coordinates():
    np.testing.assert_array_equal(Simplex().to_constrained([]), [1.0])
    assert Simplex().to_unconstrained([1.0]).shape == (0,)


def test_probability_one_is_plus_infinity():
    assert Probability().to_unconstrained(1.0) == np.inf
    assert Probability().to_constrained(np.inf) == 1.0


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: Positive().to_unconstrained([1.0, -2.0]), r"values\[1\] is -2.0; .* at least 0"),
        (lambda: Positive().to_unconstrained(np.nan), r"values is nan; .* at least 0"),
        (lambda: Probability().to_unconstrained([[1.5]]), r"values\[0,0\] is 1.5; .* from 0 to 1"),
        (lambda: Simplex().to_unconstrained([1.5, -0.5]), r"values\[1\] is -0.5; give a prob"),
        (lambda: Simplex().to_unconstrained([0.5, 0.4]), r"the sum of values is 0.9; make"),
        (lambda: Simplex().to_unconstrained([1.0, 0.0]), r"the reference values\[1\] is 0.0; choo"),
        (lambda: Simplex().to_constrained([0.0, np.inf]), r"coordinates\[1\] is inf; .* below"),
        (lambda: Simplex().to_constrained([np.nan]), r"coordinates\[0\] is nan; .* below"),
        (lambda: Simplex(3).to_constrained([0.0]), "entry 3 of a simplex of 2 .* from -2 to 1"),
    ],
)
def test_wrong_input_is_refused(use, message):
    with pytest.raises(ParameterError, match=message):
        use()
