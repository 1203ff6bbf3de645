import numpy as np
import pytest
from scipy.special import softmax

from seqbio.core import (
    Check,
    Effect,
    Hypothesis,
    Tying,
    apart_of,
    as_hypothesis,
    boundary_of,
    can_simulate,
    checks_of,
    curvature_of,
    effects_of,
    equal,
    estimates_of,
    identifiable_rank,
    identified_of,
    irregular_reason,
    is_regular,
    simulate_from,
    untied,
)
from seqbio.errors import ParameterError, TyingError
from tests.core.models import CurvedBinomial, Gaussian

PLAIN = Gaussian([1.0, 2.0])
FULL = np.array([3.0, 4.0])


class Talkative(Gaussian):
    """A model with every optional capability."""

    boundary = np.array([True, False])
    regular = False
    irregular_reason = "it talks too much"

    def curvature(self, full, data):
        return [5, 6]

    def identified(self, full, data):
        return np.array([[full.sum()]])

    def checks(self, full, data, tying):
        return (Check(f"{tying.n_free} is few", "warning", "few"),)

    def simulate(self, full, data, generator):
        return full + generator.normal(size=np.shape(data))

    def effects(self, full):
        return {"sum": Effect("sum", full.sum(), np.ones(2))}

    def estimates(self, full):
        return {"first": full[0]}


RICH = Talkative([1.0, 2.0])


def test_defaults_of_a_model_that_offers_nothing_more():
    assert curvature_of(PLAIN, FULL, None) is None
    np.testing.assert_array_equal(boundary_of(PLAIN), [False, False])
    np.testing.assert_array_equal(apart_of(PLAIN), [False, False])
    np.testing.assert_array_equal(identified_of(PLAIN, FULL, None), FULL)
    assert is_regular(PLAIN)
    assert irregular_reason(PLAIN) == ""
    assert checks_of(PLAIN, FULL, None, untied(2)) == []
    assert effects_of(PLAIN, FULL) == {}
    assert estimates_of(PLAIN, FULL) == {"mean[0]": 3.0, "mean[1]": 4.0}
    assert not can_simulate(PLAIN)


def test_capabilities_of_a_model_that_offers_all():
    np.testing.assert_array_equal(curvature_of(RICH, FULL, None), [5.0, 6.0])
    np.testing.assert_array_equal(boundary_of(RICH), [True, False])
    np.testing.assert_array_equal(identified_of(RICH, FULL, None), [7.0])
    assert not is_regular(RICH)
    assert irregular_reason(RICH) == "it talks too much"
    assert checks_of(RICH, FULL, None, untied(2)) == [Check("2 is few", "warning", "few")]
    assert effects_of(RICH, FULL)["sum"].value == 7
    assert estimates_of(RICH, FULL) == {"first": 3.0}
    assert can_simulate(RICH)
    drawn = simulate_from(RICH, FULL, np.zeros(2), np.random.default_rng(1))
    np.testing.assert_array_equal(drawn, FULL + np.random.default_rng(1).normal(size=2))


def test_an_irregular_model_without_a_reason_gets_one():
    class Network(Gaussian):
        regular = False

    assert irregular_reason(Network([1.0])) == "Network is not a regular model"


def test_a_model_that_cannot_simulate_says_so():
    with pytest.raises(ParameterError, match="Gaussian cannot draw data; add a method simulate"):
        simulate_from(PLAIN, FULL, None, np.random.default_rng(1))


def test_a_boundary_of_another_size_raises():
    class Wrong(Gaussian):
        boundary = True

    with pytest.raises(ParameterError, match=r"boundary of Wrong has shape \(\); make it \(2,\)"):
        boundary_of(Wrong([1.0, 2.0]))


def test_a_hypothesis_needs_a_tying_of_its_size():
    with pytest.raises(TyingError, match="1 full parameters and the model has 2"):
        Hypothesis(PLAIN, untied(1))


def test_as_hypothesis():
    class Estimator:
        def hypothesis(self, data):
            return Hypothesis(PLAIN, untied(2), "free"), data * 2

    own = Hypothesis(PLAIN, equal(2, [0, 1]))
    assert as_hypothesis(own, "data") == (own, "data")
    hypothesis, prepared = as_hypothesis(Estimator(), "ab")
    assert (hypothesis.name, prepared) == ("free", "abab")
    for wrong in (Estimator, PLAIN, None):
        with pytest.raises(ParameterError, match="is no hypothesis; give a Hypothesis"):
            as_hypothesis(wrong, "data")


def test_a_model_without_the_methods_that_all_need_is_told_which():
    class Half:
        layout = PLAIN.layout

        def start(self, data):
            return np.zeros(1)

    message = "Half has no log_likelihood, no log_likelihood_and_gradient, which every model needs"
    with pytest.raises(ParameterError, match=message):
        as_hypothesis(Hypothesis(Half(), untied(2)), None)


# Counting identifiable parameters


class Identified(Gaussian):
    """A model that is nothing but a function from parameters to what is identified."""

    def __init__(self, n, function):
        super().__init__(np.ones(n))
        self.function = function

    def identified(self, full, data):
        return self.function(full)


def rank(n, function, tying=None, **options):
    return identifiable_rank(Identified(n, function), tying or untied(n), None, seed=1, **options)


def with_hidden_layer(full):
    """Two rates per hidden class of a mixture that is seen only through three probabilities."""
    weights, first, second = softmax(full[:2]), softmax(full[2:5]), softmax(full[5:])
    return np.log(weights[0] * first + weights[1] * second)


@pytest.mark.parametrize(
    ("n", "function", "expected"),
    [
        (3, lambda x: x, 3),
        (3, lambda x: x[:2], 2),
        (3, lambda x: x[:1] + x[1:], 2),
        (3, lambda x: np.array([x.sum()]), 1),
        (2, lambda x: np.array([np.exp(x[0]) * np.exp(x[1])]), 1),  # rate times time
        (4, softmax, 3),
        (8, with_hidden_layer, 2),
        (4, lambda x: np.outer(np.exp(x[:2]), np.exp(x[2:])), 3),  # products of two factors
        (2, lambda x: np.zeros(0), 0),
        (2, lambda x: np.ones(3), 0),
        (2, lambda x: np.array([x[0] ** 2 * x[1], x[0]]), 2),  # rank 1 at 0, but only there
    ],
)
def test_rank_of_redundant_parametrisations(n, function, expected):
    assert rank(n, function, full=np.zeros(n)) == expected


@pytest.mark.parametrize("units", [1e-9, 1e9])
def test_rank_does_not_depend_on_units(units):
    def mixed(x):
        return np.array([x[0] + x[1], units * (x[0] + x[1]), units * x[2]])

    assert rank(3, mixed) == 2
    assert rank(3, lambda x: 1e6 + units * softmax(x)) == (2 if units > 1 else 0)


def test_rank_is_not_fooled_by_nearly_equal_effects():
    assert rank(2, lambda x: np.array([x.sum(), x[0] + (1 + 1e-4) * x[1]])) == 2


def test_rank_counts_free_parameters():
    n = 4
    tied = equal(n, [0, 1])
    assert rank(n, softmax, tied) == 2
    assert rank(n, softmax, equal(n, range(n))) == 0
    assert rank(n, softmax, Tying([-1, 0, 1, 2])) == 3
    assert rank(n, lambda x: x, tied) == 3
    assert rank(n, lambda x: x, Tying([-1] * n)) == 0


def test_rank_with_a_probability_fixed_at_0():
    tying = Tying([-1, 0, 1], offset=[-np.inf, 0, 0])
    with np.errstate(divide="ignore"):
        assert rank(3, lambda x: np.log(softmax(x)), tying) == 1


def test_rank_near_a_boundary_is_that_of_the_interior():
    assert rank(3, softmax, full=np.array([-np.inf, 0.0, 1.0])) == 2


def test_rank_of_a_model_that_says_nothing_is_the_number_of_free_parameters():
    assert identifiable_rank(PLAIN, equal(2, [0, 1]), None) == 1
    assert identifiable_rank(CurvedBinomial(2), untied(2), None) == 2


def test_rank_starts_from_the_models_own_start():
    model = Identified(2, lambda x: np.array([x[0], np.maximum(x[1], 10.0)]))
    assert identifiable_rank(model, untied(2), None, seed=0) == 1
    assert identifiable_rank(model, untied(2), None, full=[0.0, 20.0], seed=0) == 2


def test_quantities_that_are_not_numbers_raise():
    with pytest.raises(ParameterError, match="not finite in entry 1"):
        rank(2, lambda x: np.array([x[0], np.nan]))


def test_rank_of_a_model_that_identifies_its_parameters_takes_no_derivative():
    model = Identified(2000, lambda x: x)
    model.calls = 0

    def identified(full, data):
        model.calls += 1
        return full

    model.identified = identified
    assert identifiable_rank(model, equal(2000, [0, 1]), None, full=np.zeros(2000)) == 1999
    assert model.calls == 1
