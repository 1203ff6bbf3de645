import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, xlogy
from scipy.stats import binomtest, chi2, norm

from seqbio.core import (
    Effect,
    Hypothesis,
    Layout,
    Tying,
    covariance,
    equal,
    fingerprint,
    fit,
    information,
    not_fitted,
    profile_interval,
    untied,
    wald_interval,
)
from seqbio.errors import (
    ConvergenceError,
    ConvergenceWarning,
    DataMismatchError,
    ParameterError,
    TyingError,
)
from tests.core.models import (
    Binomial,
    BoundedCurvatureBinomial,
    CurvedBinomial,
    CurvedGaussian,
    CurvedParabola,
    Gaussian,
    Parabola,
    TwoHills,
)

BINOMIALS = [Binomial, CurvedBinomial, BoundedCurvatureBinomial]
each_binomial = pytest.mark.parametrize("model_class", BINOMIALS)


def counts(successes, trials):
    return np.array(successes, dtype=float), np.array(trials, dtype=float)


def fit_binomial(model_class, successes, trials, tying=None, **options):
    n = len(successes)
    return fit(model_class(n), tying or untied(n), counts(successes, trials), **options)


def highest(successes, trials):
    """Log-likelihood of binomial samples at their own rates."""
    k, n = counts(successes, trials)
    return (xlogy(k, k / n) + xlogy(n - k, 1 - k / n)).sum()


# Known answers


@each_binomial
def test_binomial_equality_has_the_closed_form_answers(model_class):
    successes, trials = [12, 35], [60, 90]
    null = fit_binomial(model_class, successes, trials, equal(2, [0, 1]))
    alternative = fit_binomial(model_class, successes, trials)
    np.testing.assert_allclose(expit(null.full), [47 / 150] * 2, rtol=1e-4)
    np.testing.assert_allclose(expit(alternative.full), [12 / 60, 35 / 90], rtol=1e-4)
    ratio = 2 * (alternative.log_likelihood - null.log_likelihood)
    assert ratio == pytest.approx(2 * (highest(successes, trials) - highest([47], [150])), abs=1e-6)
    assert (null.n_free, alternative.n_free) == (1, 2)
    assert null.converged
    assert alternative.converged


@pytest.mark.parametrize("model_class", [Gaussian, CurvedGaussian])
@pytest.mark.parametrize("mean", [0.0, 3.0, -1e6])
def test_normal_mean(model_class, mean):
    data = mean + np.array([[-1.0], [0.5], [2.0]])
    result = fit(model_class([2.0]), untied(1), data)
    assert result.full == pytest.approx(data.mean(), abs=1e-3)
    assert result.converged
    assert result.gradient_norm < 1e-4


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.integers(1, 10_000)).filter(
            lambda pair: pair[0] < pair[1]
        ),
        min_size=1,
        max_size=3,
    )
)
@each_binomial
def test_every_fit_reaches_the_optimum_and_says_so(model_class, samples):
    successes, trials = zip(*samples, strict=True)
    result = fit_binomial(model_class, successes, trials)
    assert result.converged
    assert highest(successes, trials) - result.log_likelihood == pytest.approx(0, abs=1e-6)
    zero = np.array(successes) == 0
    np.testing.assert_array_equal(np.isneginf(result.free), zero)
    assert result.at_boundary == tuple(f"logit[{i}]" for i in np.flatnonzero(zero))


# Cost and scale


def test_a_badly_scaled_model_with_curvature_needs_few_evaluations():
    deviations = np.array([1e-3, 1.0, 1e3, 30.0])
    data = deviations * np.random.default_rng(1).normal(5, 1, (20, 4))
    result = fit(CurvedGaussian(deviations), untied(4), data)
    np.testing.assert_allclose(result.full, data.mean(axis=0), rtol=1e-4)
    assert result.converged
    assert result.n_evaluations <= 5


def test_a_correlated_parabola_whose_scales_differ_by_a_million():
    scale = np.array([1.0, 1e3, 1e-3])
    hessian = (0.5 + 0.5 * np.eye(3)) * np.outer(scale, scale)
    top = np.array([3.0, -0.02, 4000.0])
    result = fit(CurvedParabola(hessian, top), untied(3), None)
    np.testing.assert_allclose(result.full, top, rtol=1e-3)
    assert result.n_evaluations <= 10


@each_binomial
@pytest.mark.parametrize(("successes", "trials"), [([3, 70], [10, 100]), ([2], [9])])
def test_ordinary_fits_are_cheap(model_class, successes, trials):
    limit = 14 if model_class is Binomial else 6
    assert fit_binomial(model_class, successes, trials).n_evaluations <= limit


@each_binomial
@pytest.mark.parametrize("options", [{}, {"n_starts": 3, "seed": 1}, {"start": [-np.inf, 1.0]}])
@pytest.mark.parametrize("successes", [[3, 70], [0, 70]])
def test_every_evaluation_is_counted(model_class, options, successes):
    model = model_class(2)
    result = fit(model, untied(2), counts(successes, [1000, 100]), **options)
    assert result.n_evaluations == model.n_calls


def test_a_flat_direction_is_found_without_curvature():
    # At the start the flat direction has a gradient of 1e-4, and 5e-3 nats to gain.
    result = fit(Parabola(np.diag([1.0, 1e-6]), [10.0, 100.0]), untied(2), None)
    assert result.converged
    assert result.log_likelihood > -1e-6


def test_scales_that_differ_by_a_million_without_curvature():
    generator = np.random.default_rng(2)
    scale = 10.0 ** np.array([-3, -1, 0, 2, 3])
    root = (generator.normal(size=(9, 5)) + 1) * scale
    result = fit(Parabola(root.T @ root, generator.normal(size=5) / scale), untied(5), None)
    assert result.converged
    assert result.log_likelihood > -1e-6


@pytest.mark.parametrize("model_class", [Parabola, CurvedParabola])
def test_many_parameters(model_class):
    generator = np.random.default_rng(2)
    root = generator.normal(size=(200, 50)) + 1
    result = fit(model_class(root.T @ root, generator.normal(size=50)), untied(50), None)
    assert result.converged
    assert result.log_likelihood > -1e-6
    assert result.n_evaluations < 80


def test_curvature_that_is_far_too_large_does_not_end_the_fit_early():
    result = fit_binomial(BoundedCurvatureBinomial, [1], [10**7])
    assert highest([1], [10**7]) - result.log_likelihood < 1e-6


# Boundary


@each_binomial
def test_a_probability_of_exactly_0_is_reached(model_class):
    successes, trials = [0, 0, 30], [50, 2000, 90]
    result = fit_binomial(model_class, successes, trials)
    assert np.isneginf(result.full[:2]).all()
    assert result.at_boundary == ("logit[0]", "logit[1]")
    assert result.log_likelihood == pytest.approx(highest(successes, trials), abs=1e-8)


@each_binomial
def test_the_likelihood_ratio_is_not_negative_at_the_boundary(model_class):
    null = fit_binomial(model_class, [0, 0], [50, 2000], equal(2, [0, 1]))
    alternative = fit_binomial(model_class, [0, 0], [50, 2000])
    assert null.log_likelihood == alternative.log_likelihood == 0
    assert null.at_boundary == ("logit[0] = logit[1]",)
    assert alternative.at_boundary == ("logit[0]", "logit[1]")


@each_binomial
@pytest.mark.parametrize("trials", [10**5, 10**7, 10**9])
def test_a_tiny_probability_that_is_not_0_stays(model_class, trials):
    result = fit_binomial(model_class, [1, 50], [trials, 100])
    assert result.at_boundary == ()
    assert result.converged
    assert result.full[0] == pytest.approx(logit(1 / trials), abs=1e-3)


class Leaky(Binomial):
    """Every sample sees a false success now and then, so that no observation rules out 0."""

    leak = 1e-6

    def log_likelihood(self, full, data):
        successes, trials = data
        p = self.leak + (1 - self.leak) * expit(full)
        return successes * np.log(p) + (trials - successes) * np.log1p(-p)

    def log_likelihood_and_gradient(self, full, data):
        self.n_calls += 1
        successes, trials = data
        p = self.leak + (1 - self.leak) * expit(full)
        slope = successes / p - (trials - successes) / (1 - p)
        inner = (1 - self.leak) * expit(full) * expit(-full)
        return self.log_likelihood(full, data).sum(), slope * inner


@pytest.mark.parametrize(
    ("successes", "is_zero"), [(0, True), (9, True), (30, False), (400, False)]
)
def test_zero_is_kept_where_the_slope_there_is_negative(successes, is_zero):
    # With ten million trials the leak explains ten successes.
    free = fit_binomial(Leaky, [successes], [10**7])
    from_zero = fit_binomial(Leaky, [successes], [10**7], start=[-np.inf])
    assert free.converged
    assert from_zero.converged
    assert bool(free.at_boundary) == bool(from_zero.at_boundary) == is_zero
    assert free.log_likelihood == pytest.approx(from_zero.log_likelihood, abs=1e-6)


@each_binomial
def test_a_start_at_the_boundary_stays_there_if_that_is_best(model_class):
    result = fit_binomial(model_class, [0, 30], [50, 90], start=[-np.inf, 0.0])
    assert result.at_boundary == ("logit[0]",)
    assert result.n_evaluations <= 14


@each_binomial
def test_a_start_at_the_boundary_is_moved_inside_if_it_must(model_class):
    result = fit_binomial(model_class, [0, 30], [50, 90], start=[-np.inf, -np.inf])
    assert result.at_boundary == ("logit[0]",)
    assert expit(result.full[1]) == pytest.approx(1 / 3, rel=1e-4)


def test_a_tied_start_from_copies_of_which_one_is_at_the_boundary():
    result = fit_binomial(
        CurvedBinomial, [0, 30], [50, 90], equal(2, [0, 1]), start=[-np.inf, logit(1 / 3)]
    )
    np.testing.assert_allclose(expit(result.full), 30 / 140, rtol=1e-4)


def test_minus_infinity_is_moved_inside_where_the_model_gives_it_no_meaning():
    result = fit(Gaussian([1.0]), untied(1), np.array([[1.0], [2.0]]), start=[-np.inf])
    assert result.full == pytest.approx(1.5, abs=1e-4)


def test_a_copy_with_a_minus_sign_is_never_put_to_the_boundary():
    # One probability and its complement: no failures among the second, no successes in the first.
    tying = Tying([0, 0], sign=[1, -1])
    result = fit_binomial(CurvedBinomial, [0, 30], [50, 30], tying)
    assert result.at_boundary == ()
    assert np.isfinite(result.full).all()


def test_a_fixed_probability_of_0_is_no_boundary():
    tying = Tying([-1, 0], offset=[-np.inf, 0])
    result = fit_binomial(CurvedBinomial, [0, 30], [50, 90], tying)
    assert result.at_boundary == ()
    assert result.log_likelihood == pytest.approx(highest([30], [90]), abs=1e-8)


# Starts


def test_several_starts_report_the_best_and_the_second_best():
    result = fit(TwoHills(), untied(1), None, n_starts=12, seed=4, start=[-0.3])
    assert result.converged
    assert result.optima == tuple(sorted(result.optima, reverse=True))
    assert result.log_likelihood == result.optima[0] == pytest.approx(2, abs=1e-6)
    assert result.optima[-1] == pytest.approx(1, abs=1e-6)
    assert result.full == pytest.approx(3, abs=1e-3)
    assert len(result.optima) == len(result.optima_converged) == 12
    assert "best of 12 starts" in result.summary()


def test_a_seed_makes_starts_reproducible_and_more_starts_keep_the_first():
    first, again = (fit(TwoHills(), untied(1), None, n_starts=5, seed=9) for _ in range(2))
    assert first.optima == again.optima
    np.testing.assert_array_equal(first.free, again.free)
    more = fit(TwoHills(), untied(1), None, n_starts=6, seed=9)
    assert set(first.optima) <= set(more.optima)


def test_starts_are_full_vectors_projected_by_the_tying():
    result = fit(Parabola(np.eye(2), [1.0, 1.0]), equal(2, [0, 1]), None, start=[0.0, 2.0])
    assert result.n_iterations == 0  # the mean of the copies is the optimum
    assert result.log_likelihood == 0


# Honesty


@pytest.mark.parametrize("model_class", [Binomial, CurvedBinomial])
def test_too_few_iterations_are_admitted(model_class):
    result = fit_binomial(model_class, [3, 0], [40, 90], max_iterations=1)
    assert not result.converged
    assert result.n_iterations == 1
    assert "limit of iterations" in result.message
    assert "NOT CONVERGED" in result.summary()


def test_other_optima_are_honest_too():
    result = fit_binomial(CurvedBinomial, [3, 9], [40, 90], max_iterations=3, n_starts=6, seed=3)
    best = highest([3, 9], [40, 90])
    is_best = [best - optimum < 1e-6 for optimum in result.optima]
    assert all(good for good, said in zip(is_best, result.optima_converged, strict=True) if said)
    assert not all(result.optima_converged)


def test_a_wrong_gradient_is_noticed():
    class Backwards(CurvedBinomial):
        def log_likelihood_and_gradient(self, full, data):
            value, gradient = super().log_likelihood_and_gradient(full, data)
            return value, -gradient

    result = fit_binomial(Backwards, [3], [40])
    assert not result.converged
    assert "check_gradient" in result.message


def test_steps_out_of_the_domain_are_taken_back():
    class Exponential:
        """Waiting times in terms of the rate itself, which must stay positive."""

        layout = Layout({"rate": ()})

        def start(self, data):
            return np.array([3.0])

        def log_likelihood(self, full, data):
            with np.errstate(invalid="ignore"):
                return np.log(full) - full * data

        def log_likelihood_and_gradient(self, full, data):
            return self.log_likelihood(full, data).sum(), (1 / full - data).sum(keepdims=True)

        def curvature(self, full, data):
            return np.full(1, 1.0)  # so small that the first step ends at a negative rate

    data = np.array([2.0, 3.0, 4.0])
    result = fit(Exponential(), untied(1), data)
    assert result.converged
    assert result.full == pytest.approx(1 / 3, rel=1e-3)


def test_a_start_without_likelihood_raises_and_names_the_item():
    class Refusing(Binomial):
        def log_likelihood(self, full, data):
            return super().log_likelihood(full, data) + np.array([0.0, -np.inf])

    with pytest.raises(ConvergenceError, match=r"at the start is -inf \(items 1, counted from 0\)"):
        fit_binomial(Refusing, [3, 5], [10, 10])


def test_a_gradient_that_is_not_a_number_raises_and_names_the_parameter():
    class NoSlope(Parabola):
        def log_likelihood_and_gradient(self, full, data):
            return 0.0, np.array([0.0, np.nan])

    with pytest.raises(ConvergenceError, match=r"gradient at the start is nan for x\[1\] = 0"):
        fit(NoSlope(np.eye(2), [1, 1]), untied(2), None)


def test_a_curvature_that_is_not_a_number_raises():
    class NoCurvature(Parabola):
        def curvature(self, full, data):
            return np.array([1.0, np.nan])

    with pytest.raises(ParameterError, match=r"curvature of NoCurvature is not finite for x\[1\]"):
        fit(NoCurvature(np.eye(2), [1, 1]), untied(2), None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_starts": 0}, "n_starts is 0"),
        ({"max_iterations": 0}, "max_iterations 0"),
        ({"tolerance": 0}, "tolerance 0"),
        ({"start": [0.0]}, "give 2 full parameters"),
        ({"start": [0.0, np.nan]}, "none of them nan"),
        ({"seed": "x", "n_starts": 2}, "seed is 'x'"),
    ],
)
def test_wrong_arguments_raise(options, message):
    with pytest.raises(ParameterError, match=message):
        fit_binomial(Binomial, [3, 4], [10, 10], **options)


def test_a_tying_of_another_size_raises():
    with pytest.raises(TyingError, match="3 full parameters and the model has 2"):
        fit_binomial(Binomial, [3, 4], [10, 10], untied(3))


# What a fit carries


def test_a_fit_without_free_parameters():
    result = fit_binomial(CurvedBinomial, [3], [10], Tying([-1], offset=[0.0]))
    assert result.converged
    assert (result.n_free, result.n_evaluations) == (0, 1)
    assert result.log_likelihood == pytest.approx(10 * np.log(0.5))
    assert covariance(result, counts([3], [10])).shape == (0, 0)


def test_a_fit_is_read_only_and_pickles():
    data = counts([3, 4], [10, 10])
    result = fit(CurvedBinomial(2), equal(2, [0, 1]), data)
    assert result.data_fingerprint == fingerprint(data)
    with pytest.raises(ValueError, match="read-only"):
        result.full[0] = 1
    again = pickle.loads(pickle.dumps(result))
    assert again.summary() == result.summary()
    assert again.tying == result.tying


def test_a_fit_that_was_not_made_has_no_numbers_to_show():
    nothing = not_fitted(Hypothesis(Binomial(2), untied(2)), counts([0, 4], [10, 10]))
    assert nothing.summary() == (
        "Binomial, 2 free parameters of 2: not fitted: the test does not look at it"
    )


def test_the_summary_names_estimates_and_boundary():
    text = fit_binomial(CurvedBinomial, [0, 4], [10, 10]).summary()
    assert "2 free parameters of 2" in text
    assert "Estimated at the boundary\n  logit[0]" in text
    assert "  logit[1]  -0.4055" in text


# Intervals


def test_information_of_binomial_samples():
    data = counts([3, 40, 0], [10, 90, 20])
    result = fit(CurvedBinomial(3), untied(3), data, tolerance=1e-8)
    p = data[0] / data[1]
    np.testing.assert_allclose(
        information(result, data), np.diag(data[1] * p * (1 - p)), rtol=1e-5, atol=1e-6
    )
    expected = np.diag([1 / 2.1, 1 / (90 * 4 / 9 * 5 / 9), 0.0])
    np.testing.assert_allclose(covariance(result, data), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("model_class", [Parabola, CurvedParabola])
def test_information_of_a_parabola_is_its_hessian_pulled_back(model_class):
    generator = np.random.default_rng(0)
    root = generator.normal(size=(3, 3)) * [1.0, 100.0, 0.01]
    hessian = root.T @ root
    tying = Tying([0, 1, 0], sign=[1, 1, -1])
    result = fit(model_class(hessian, [0.0, 0.0, 0.0]), tying, None)
    expected = tying.jacobian().T @ hessian @ tying.jacobian()
    np.testing.assert_allclose(information(result, None), expected, rtol=1e-6)
    np.testing.assert_allclose(covariance(result, None), np.linalg.inv(expected), rtol=1e-5)


def test_parameters_that_the_data_do_not_tell_apart_have_no_covariance():
    result = fit(Parabola(np.ones((2, 2)), [1.0, 2.0]), untied(2), None)
    with pytest.raises(ConvergenceError, match="not positive definite"):
        covariance(result, None)


def test_wald_interval_of_a_log_odds_ratio():
    successes, trials = np.array([12.0, 35.0]), np.array([60.0, 90.0])
    data = successes, trials
    result = fit(CurvedBinomial(2), untied(2), data, tolerance=1e-8)
    ratio = Effect("odds ratio", result.full[1] - result.full[0], np.array([-1.0, 1.0]), True)
    table = np.concatenate([successes, trials - successes])  # Woolf's interval
    middle = np.log(35 * 48 / (55 * 12))
    half = norm.ppf(0.95) * np.sqrt((1 / table).sum())
    assert wald_interval(result, ratio, covariance(result, data), level=0.9) == pytest.approx(
        np.exp([middle - half, middle + half]), rel=1e-5
    )


@pytest.mark.parametrize("model_class", [Gaussian, CurvedGaussian])
def test_profile_and_wald_intervals_of_a_normal_mean_agree(model_class):
    data = np.random.default_rng(5).normal([3.0, -1.0], [2.0, 0.1], (12, 2))
    result = fit(model_class([2.0, 0.1]), untied(2), data)
    half = norm.ppf(0.975) * np.array([2.0, 0.1]) / np.sqrt(12)
    effect = Effect("mean", result.full[1], np.array([0.0, 1.0]))
    expected = data.mean(axis=0)[1] + half[1] * np.array([-1, 1])
    assert profile_interval(result, data, "mean[1]") == pytest.approx(expected, abs=1e-4)
    wald = wald_interval(result, effect, covariance(result, data))
    assert wald == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("model_class", [Parabola, CurvedParabola])
def test_profile_interval_with_a_nuisance_parameter(model_class):
    # A parabola's profile is known: the variance is an entry of the inverse Hessian.
    hessian = np.array([[2.0, 1.2], [1.2, 1.0]])
    top = np.array([0.5, -0.5])
    half = norm.ppf(0.975) * np.sqrt(np.linalg.inv(hessian)[0, 0])
    result = fit(model_class(hessian, top), untied(2), None)
    interval = profile_interval(result, None, "x[0]")
    assert interval == pytest.approx([0.5 - half, 0.5 + half], abs=1e-3)


@each_binomial
def test_profile_interval_of_a_probability(model_class):
    data = counts([7], [20])
    result = fit(model_class(1), untied(1), data)
    lower, upper = profile_interval(result, data, "logit[0]")
    for end in (lower, upper):
        drop = 2 * (highest([7], [20]) - model_class(1).log_likelihood(np.array([end]), data).sum())
        assert drop == pytest.approx(chi2.ppf(0.95, 1), abs=1e-3)
    exact = binomtest(7, 20).proportion_ci()
    assert exact.low < expit(lower) < 7 / 20 < expit(upper) < exact.high


@each_binomial
def test_profile_interval_of_a_probability_of_0(model_class):
    data = counts([0, 5], [20, 10])
    result = fit(model_class(2), untied(2), data)
    lower, upper = profile_interval(result, data, "logit[0]")
    assert lower == -np.inf
    # 20 log(1 - p) = -1.92
    assert expit(upper) == pytest.approx(-np.expm1(-chi2.ppf(0.95, 1) / 40), rel=1e-4)


def test_profile_interval_of_a_copy_with_sign_and_offset():
    tying = Tying([0, 0], sign=[1, -1], offset=[0.0, 1.0])
    result = fit(Parabola(np.eye(2) / 2, [2.0, -1.0]), tying, None)
    assert profile_interval(result, None, "x[0]") == pytest.approx([0.04, 3.96], abs=1e-3)
    assert profile_interval(result, None, "x[1]") == pytest.approx([-2.96, 0.96], abs=1e-3)


def test_profile_interval_without_an_end():
    class Saturating(Parabola):
        """One success in one trial: no large logit is unlikely."""

        def log_likelihood_and_gradient(self, full, data):
            return -np.logaddexp(0, -full[0]), expit(-full)

    result = fit(Saturating(np.eye(1), [0.0]), untied(1), None, start=[20.0])
    lower, upper = profile_interval(result, None, "x[0]")
    assert -np.log(expit(lower)) == pytest.approx(chi2.ppf(0.95, 1) / 2, abs=1e-3)
    assert upper == np.inf


def test_profile_interval_says_that_the_fit_is_at_no_optimum():
    data = counts([3, 30], [40, 90])
    poor = fit(CurvedBinomial(2), untied(2), data, max_iterations=1)
    with pytest.raises(ConvergenceError, match="not at its optimum"):
        profile_interval(poor, data, "logit[0]")


def test_profile_interval_warns_of_fits_that_do_not_converge():
    class HalfBackwards(CurvedParabola):
        def log_likelihood_and_gradient(self, full, data):
            value, gradient = super().log_likelihood_and_gradient(full, data)
            return value, gradient * [1, -1]

    model = HalfBackwards([[1.0, 0.5], [0.5, 1.0]], [0.0, 0.0])
    with pytest.warns(ConvergenceWarning, match="on the way to an interval"):
        profile_interval(fit(model, untied(2), None), None, "x[0]")


@pytest.mark.parametrize(
    ("entry", "message"), [("logit[0]", "is fixed"), ("logit[7]", "is no parameter")]
)
def test_profile_interval_of_nothing_raises(entry, message):
    data = counts([3, 30], [40, 90])
    result = fit(CurvedBinomial(2), Tying([-1, 0]), data)
    with pytest.raises(ParameterError, match=message + r".*are logit\[1\]"):
        profile_interval(result, data, entry)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_is_between_0_and_1(level):
    data = counts([3], [40])
    result = fit(CurvedBinomial(1), untied(1), data)
    with pytest.raises(ParameterError, match=f"level is {level}"):
        profile_interval(result, data, "logit[0]", level=level)


@pytest.mark.parametrize("function", [information, covariance])
def test_other_data_are_refused(function):
    result = fit_binomial(CurvedBinomial, [3], [40])
    with pytest.raises(DataMismatchError, match="not the data that the fit was made on"):
        function(result, counts([4], [40]))
