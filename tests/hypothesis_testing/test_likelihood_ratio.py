import numpy as np
import pytest
from scipy.special import xlogy
from scipy.stats import chi2, kstest

from seqbio.core import Effect, Hypothesis, Layout, Tying, equal, fit, fit_at, fixed, untied
from seqbio.errors import (
    DataMismatchError,
    NestingError,
    NotFittedError,
    ParameterError,
)
from seqbio.hypothesis_testing import compare, likelihood_ratio_test
from tests.hypothesis_testing.toy_models import (
    Binomial,
    Normal,
    Poisson,
    Redundant,
    Rescaled,
    one_against_many,
)

COUNTS = np.array([10, 30]), np.array([4.0, 5.0])


def codes(result):
    return [check.code for check in result.warnings]


def poisson_ratio(counts, times):
    """Closed form of the ratio for one rate against many."""
    expected = times * counts.sum() / times.sum()
    return 2 * xlogy(counts, counts / expected).sum()


class TestKnownAnswers:
    def test_binomial(self):
        successes, trials = np.array([12, 30, 25]), np.array([40, 60, 70])
        result = compare(*one_against_many(Binomial(3)), (successes, trials))
        failures, pooled = trials - successes, successes.sum() / trials.sum()
        expected = 2 * (
            xlogy(successes, successes / (trials * pooled))
            + xlogy(failures, failures / (trials * (1 - pooled)))
        )
        assert result.statistic == pytest.approx(expected.sum(), abs=1e-6)
        assert result.df == 2
        assert result.pvalue == pytest.approx(chi2.sf(expected.sum(), 2), abs=1e-6)
        assert result.calibration == "chi-squared"
        assert "2 degrees of freedom" in result.null_law
        assert result.converged
        assert result.warnings == ()

    def test_normal_means(self):
        data = np.random.default_rng(3).normal(size=(20, 2)) * 2 + [0.0, 1.0]
        result = compare(*one_against_many(Normal(sd=2.0)), data)
        difference = data[:, 1].mean() - data[:, 0].mean()
        z = difference / (2 * np.sqrt(2 / 20))
        assert result.statistic == pytest.approx(z**2, abs=1e-6)
        assert result.df == 1
        effect = result.effects[0]
        assert effect.estimate == pytest.approx(difference, abs=1e-5)
        half = 1.959964 * 2 * np.sqrt(2 / 20)
        assert (effect.lower, effect.upper) == pytest.approx(
            (difference - half, difference + half), abs=1e-4
        )
        assert effect.null_value == 0
        assert result.effects[1].null_value is None  # the null does not say where the means are

    def test_fixed_value(self):
        null = Hypothesis(Normal(), fixed(2, [0, 1], [0.0, 0.0]))
        alternative = Hypothesis(Normal(), untied(2))
        data = np.array([[1.0, 2.0], [3.0, 0.0]])
        result = compare(null, alternative, data)
        assert result.statistic == pytest.approx(2 * (2.0**2 + 1.0**2), abs=1e-6)
        assert result.df == 2
        assert [effect.null_value for effect in result.effects] == [0, 0]

    def test_poisson(self):
        result = compare(*one_against_many(Poisson()), COUNTS)
        assert result.statistic == pytest.approx(poisson_ratio(*COUNTS), abs=1e-6)
        (effect,) = result.effects
        assert effect.estimate == pytest.approx(2.4, abs=1e-4)
        half = 1.959964 * np.sqrt(1 / 10 + 1 / 30)
        expected = 2.4 * np.exp(-half), 2.4 * np.exp(half)
        assert (effect.lower, effect.upper) == pytest.approx(expected, rel=1e-4)

    def test_other_coordinates_leave_the_ratio_as_it_is(self):
        one = compare(*one_against_many(Poisson()), COUNTS)
        other = compare(*one_against_many(Rescaled()), COUNTS)
        assert other.statistic == pytest.approx(one.statistic, abs=1e-6)
        assert other.df == one.df

    def test_a_redundant_parameter_adds_no_degree_of_freedom(self):
        null = Hypothesis(Redundant(), equal(3, [0, 1]).intersect(fixed(3, 2, 0.0)))
        alternative = Hypothesis(Redundant(), untied(3))
        result = compare(null, alternative, COUNTS)
        assert (null.tying.n_free, alternative.tying.n_free) == (1, 3)
        assert (result.null_rank, result.alternative_rank, result.df) == (1, 2, 1)
        assert result.statistic == pytest.approx(poisson_ratio(*COUNTS), abs=1e-6)
        assert result.pvalue == pytest.approx(chi2.sf(poisson_ratio(*COUNTS), 1), rel=1e-4)
        assert codes(result) == ["no_intervals"]

    def test_a_p_value_that_underflows_keeps_its_logarithm(self):
        data = np.array([10_000, 300_000]), np.array([4.0, 5.0])
        result = compare(*one_against_many(Poisson()), data)
        assert result.pvalue == 0
        # The leading term of the tail: half of the ratio and the logarithm of its root.
        x = result.statistic
        assert result.log_pvalue == pytest.approx(-x / 2 - np.log(np.pi * x / 2) / 2, abs=1e-4)
        assert "p < 1e-300, log p = -1402" in " ".join(str(result).split())

    def test_more_starts_change_nothing_here(self):
        one = compare(*one_against_many(Poisson()), COUNTS)
        many = compare(*one_against_many(Poisson()), COUNTS, n_starts=3, seed=1)
        assert many.statistic == pytest.approx(one.statistic, abs=1e-6)
        assert len(many.null_fit.optima) == len(many.alternative_fit.optima) == 3
        again = compare(*one_against_many(Poisson()), COUNTS, n_starts=3, seed=1)
        assert again.to_json() == many.to_json()


@pytest.mark.parametrize(
    ("model", "draw"),
    [
        (Poisson(), lambda g: (g.poisson([60, 90]), np.array([2.0, 3.0]))),
        (Binomial(), lambda g: (g.binomial([200, 300], 0.3), np.array([200, 300]))),
    ],
    ids=["poisson", "binomial"],
)
def test_p_values_are_uniform_under_the_null(model, draw):
    generator = np.random.default_rng(11)
    hypotheses = one_against_many(model)
    pvalues = [compare(*hypotheses, draw(generator)).pvalue for _ in range(300)]
    assert kstest(pvalues, "uniform").pvalue > 0.01


class TestNesting:
    model = Poisson(3)

    def compared(self, null, alternative):
        data = np.array([3, 5, 9]), np.ones(3)
        return compare(Hypothesis(self.model, null), Hypothesis(self.model, alternative), data)

    def test_wrong_way_round(self):
        with pytest.raises(NestingError, match="wrong way round"):
            self.compared(untied(3), equal(3, [0, 1]))

    def test_equal(self):
        with pytest.raises(NestingError, match=r"tie the same \(log_rate\[0\] = log_rate\[1\]\)"):
            self.compared(equal(3, [0, 1]), Tying([0, 0, 1], offset=[1, 1, 0]))

    def test_not_nested(self):
        message = r"no special case .* which ties log_rate\[2\] to log_rate\[1\]; the null must"
        with pytest.raises(NestingError, match=message):
            self.compared(equal(3, [0, 1]), equal(3, [1, 2]))

    def test_not_nested_by_what_is_fixed(self):
        message = r"which fixes log_rate\[0\] and ties log_rate\[2\] to log_rate\[1\]; the null"
        with pytest.raises(NestingError, match=message):
            self.compared(equal(3, [0, 1]), Tying([-1, 0, 0]))

    def test_hypotheses_with_names_are_called_by_them(self):
        named = Hypothesis(self.model, equal(3, [0, 1]), "early = middle")
        other = Hypothesis(self.model, equal(3, [1, 2]), "middle = late")
        data = np.array([3, 5, 9]), np.ones(3)
        message = r"the null \(early = middle\) is no special case of .* \(middle = late\)"
        with pytest.raises(NestingError, match=message):
            compare(named, other, data)

    def test_the_same_distributions(self):
        null = Hypothesis(Redundant(), fixed(3, 2, 0.0))
        with pytest.raises(NestingError, match="same distributions: 2 and 3 free parameters"):
            compare(null, Hypothesis(Redundant(), untied(3)), COUNTS)


class TestSameModel:
    def test_another_class(self):
        null, alternative = one_against_many(Poisson())[0], one_against_many(Binomial())[1]
        with pytest.raises(NestingError, match=r"class \('.*Poisson' and '.*Binomial'\), layout"):
            compare(null, alternative, COUNTS)

    def test_another_size(self):
        null, alternative = one_against_many(Poisson(2))[0], one_against_many(Poisson(3))[1]
        with pytest.raises(NestingError, match=r"layout \(\[\('log_rate', \(2,\)\)\]"):
            compare(null, alternative, COUNTS)

    def test_another_setting_that_the_model_declares(self):
        null, alternative = one_against_many(Normal(sd=1))[0], one_against_many(Normal(sd=2))[1]
        with pytest.raises(NestingError, match=r"differ in sd \(1 and 2\)"):
            compare(null, alternative, np.ones((3, 2)))

    def test_another_setting_that_the_model_does_not_declare(self):
        class Silent(Normal):
            key = {}  # noqa: RUF012

        null, alternative = one_against_many(Silent(sd=1))[0], one_against_many(Silent(sd=2))[1]
        with pytest.raises(NestingError, match="not the same model"):
            compare(null, alternative, np.arange(6.0).reshape(3, 2))

    def test_another_object_with_the_same_settings_will_do(self):
        null, alternative = one_against_many(Normal(sd=2))[0], one_against_many(Normal(sd=2))[1]
        assert alternative.model is not null.model
        assert compare(null, alternative, np.arange(6.0).reshape(3, 2)).pvalue < 1


BEST = {1: np.log([40 / 9, 40 / 9]), 2: np.log([10 / 4, 30 / 5])}  # by number of parameters


class Scripted(Poisson):
    """Its fits end where the script says, and it remembers how they were asked for."""

    def __init__(self, *script):
        super().__init__()
        self.script, self.asked = list(script), []

    def maximise(self, tying, data, *, start, n_starts, seed):
        self.asked.append((tying.n_free, start, n_starts))
        full, converged = self.script.pop(0)
        return fit_at(self, tying, data, full, converged=converged, message="so it was written")


class TestOrderOfFits:
    good_null, good_alternative = (BEST[1], True), (BEST[2], True)
    bad_alternative = [0.0, 1.0], True
    worse_alternative = [-1.0, 1.0], True

    def test_the_alternative_starts_from_the_null(self):
        model = Scripted(self.good_null, self.good_alternative)
        result = compare(*one_against_many(model), COUNTS, n_starts=3)
        assert [(n_free, n_starts) for n_free, _, n_starts in model.asked] == [(1, 3), (2, 3)]
        assert model.asked[0][1] is None
        assert np.array_equal(model.asked[1][1], BEST[1])
        assert result.statistic == pytest.approx(poisson_ratio(*COUNTS), abs=1e-6)
        assert result.converged
        assert result.to_dict()["null"]["gradient_norm"] is None  # it is not known

    @pytest.mark.parametrize("where", ["from the null", "fresh"])
    def test_a_negative_ratio_makes_for_further_starts(self, where):
        again = [self.good_alternative, self.worse_alternative]
        model = Scripted(
            self.good_null,
            self.bad_alternative,
            self.good_null,
            *(again if where == "from the null" else again[::-1]),
        )
        result = compare(*one_against_many(model), COUNTS)
        assert result.statistic == pytest.approx(poisson_ratio(*COUNTS), abs=1e-6)
        (_, projected, _), (_, from_null, _), (_, fresh, n_starts) = model.asked[2:]
        assert np.array_equal(projected, self.bad_alternative[0])
        assert np.array_equal(from_null, BEST[1])
        assert fresh is None
        assert n_starts > 1

    def test_the_null_may_be_bettered_by_the_alternative(self):
        model = Scripted(
            ([1.3, 1.3], True),
            self.bad_alternative,
            self.good_null,
            self.good_alternative,
            self.good_alternative,
        )
        result = compare(*one_against_many(model), COUNTS)
        assert result.statistic == pytest.approx(poisson_ratio(*COUNTS), abs=1e-6)

    def test_of_equally_high_fits_the_one_that_converged_counts(self):
        model = Scripted(
            (BEST[1], False),
            self.bad_alternative,
            (BEST[1] + 1e-6, True),  # lower by less than a nat in a million
            self.good_alternative,
            (BEST[2], False),
        )
        result = compare(*one_against_many(model), COUNTS)
        assert result.null_fit.converged
        assert result.alternative_fit.converged
        assert result.pvalue is not None


class Estimator:
    """As much of an estimator as tests ask for."""

    def __init__(self, tie, scale=1.0):
        self.tie, self.scale = tie, scale

    def get_params(self):
        return {"tie": self.tie, "scale": self.scale}

    def hypothesis(self, data):
        tying = equal(2, [0, 1]) if self.tie else untied(2)
        return Hypothesis(Normal(), tying, f"tie={self.tie}"), np.asarray(data) * self.scale

    def fit(self, data):
        hypothesis, prepared = self.hypothesis(data)
        self.fit_ = fit(hypothesis.model, hypothesis.tying, prepared)
        return self


class TestEstimators:
    data = [[0.0, 1.0], [2.0, 2.0], [1.0, 3.0]]  # noqa: RUF012

    def test_unfitted_ones_are_compared(self):
        result = compare(Estimator(True), Estimator(False), self.data)
        assert result.statistic == pytest.approx(1.5, abs=1e-6)
        assert (result.null_name, result.alternative_name) == ("tie=True", "tie=False")

    def test_fitted_ones_are_tested(self):
        null, alternative = (Estimator(tie).fit(self.data) for tie in (True, False))
        result = likelihood_ratio_test(null, alternative, self.data)
        assert result.statistic == pytest.approx(1.5, abs=1e-6)
        assert result.null_fit is null.fit_
        assert result.null_name == "tie=True"

    def test_fits_and_estimators_mix(self):
        null, alternative = (Estimator(tie, 2.0).fit(self.data) for tie in (True, False))
        for pair in ((null.fit_, alternative), (null, alternative.fit_)):
            assert likelihood_ratio_test(*pair, self.data).statistic == pytest.approx(6, abs=1e-6)

    def test_an_estimator_may_prepare_nothing(self):
        class OnlyFitted:
            pass

        data = np.array(self.data)
        null, alternative = OnlyFitted(), OnlyFitted()
        null.fit_, alternative.fit_ = (Estimator(tie).fit(data).fit_ for tie in (True, False))
        assert likelihood_ratio_test(null, alternative, data).df == 1

    def test_unfitted_ones_cannot_be_tested(self):
        with pytest.raises(NotFittedError, match="is not fitted; call its method fit"):
            likelihood_ratio_test(Estimator(True), Estimator(False), self.data)

    def test_other_objects_cannot_be_tested(self):
        with pytest.raises(ParameterError, match="'null' is no fit"):
            likelihood_ratio_test("null", "alternative", self.data)

    def test_a_setting_that_changes_the_data_is_named(self):
        with pytest.raises(DataMismatchError, match=r"settings scale \(1\.0 and 2\.0\)"):
            compare(Estimator(True), Estimator(False, scale=2.0), self.data)


class TestSameData:
    def test_fits_to_different_data(self):
        null, alternative = one_against_many(Normal())
        one, other = np.ones((3, 2)), np.zeros((3, 2))
        with pytest.raises(DataMismatchError, match="see different data"):
            likelihood_ratio_test(
                fit(null.model, null.tying, one),
                fit(alternative.model, alternative.tying, other),
                one,
            )

    def test_other_data_given_than_fitted(self):
        null, alternative = one_against_many(Normal())
        fits = [fit(one.model, one.tying, np.ones((3, 2))) for one in (null, alternative)]
        with pytest.raises(DataMismatchError, match="not those of the two fits"):
            likelihood_ratio_test(*fits, np.zeros((3, 2)))

    def test_calibration_must_be_known(self):
        with pytest.raises(ParameterError, match="calibration is 'f-test'; give one of 'auto'"):
            compare(*one_against_many(Poisson()), COUNTS, calibration="f-test")


class Noisy(Poisson):
    """Its log-likelihood is off by up to a nat, by a fixed rule."""

    def log_likelihood(self, full, data):
        return super().log_likelihood(full, data) + np.sin(1e9 * full + 1)


class WrongGradient(Poisson):
    """A sign is wrong, which shows only where the rates may differ."""

    def log_likelihood_and_gradient(self, full, data):
        value, gradient = super().log_likelihood_and_gradient(full, data)
        return value, gradient * [-1, 1] + 20


class Forgetful(Poisson):
    """Each evaluation comes out a tenth of a nat lower than the one before."""

    n_evaluations = 0

    def log_likelihood(self, full, data):
        self.n_evaluations += 1
        return super().log_likelihood(full, data) - 0.05 * self.n_evaluations


class TestFailedFits:
    @pytest.mark.parametrize("model", [Noisy(), WrongGradient()])
    def test_no_p_value_from_a_bad_model(self, model):
        result = compare(*one_against_many(model), COUNTS, seed=0)
        assert not result.converged
        assert result.pvalue is None
        assert result.log_pvalue is None
        assert result.calibration == "none"
        assert {"not_converged", "negative_ratio"} & set(codes(result))
        assert result.conclusion.startswith("No conclusion: ")
        assert all(effect.lower is None for effect in result.effects)

    def test_a_negative_ratio_is_mended_by_fitting_again(self):
        model = Poisson()
        null, alternative = one_against_many(model)
        good = fit(model, null.tying, COUNTS)
        poor = fit(model, alternative.tying, COUNTS, start=[-5.0, 3.0], max_iterations=1)
        assert poor.log_likelihood < good.log_likelihood
        result = likelihood_ratio_test(good, poor, COUNTS, seed=0)
        assert result.statistic == pytest.approx(poisson_ratio(*COUNTS), abs=1e-6)
        assert result.converged
        assert result.alternative_fit is not poor

    def test_a_ratio_that_stays_negative_is_not_clipped(self):
        counts = np.array([40, 50]), np.array([4.0, 5.0])  # a true ratio of 0
        result = compare(*one_against_many(Forgetful()), counts, seed=0)
        assert result.statistic < -0.1
        assert not result.converged
        assert result.pvalue is None
        assert "negative_ratio" in codes(result)
        assert "nats worse than the null" in result.null_law

    def test_a_ratio_below_0_by_rounding_is_0(self):
        data = np.array([[1.0, 1.0], [2.0, 2.0]]) + 1e7
        null, alternative = (
            fit(Normal(), one.tying, data, start=[1e7 + shift, 1e7 + shift])
            for one, shift in zip(one_against_many(Normal()), (1.5, 1.5 + 1e-5), strict=True)
        )
        assert alternative.log_likelihood < null.log_likelihood
        result = likelihood_ratio_test(null, alternative, data)
        assert result.statistic == 0
        assert result.pvalue == 1
        assert result.converged

    def test_a_fit_that_ran_out_of_iterations_gives_no_p_value(self):
        model = Poisson()
        null, alternative = one_against_many(model)
        stopped = fit(model, null.tying, COUNTS, start=[-3.0, -3.0], max_iterations=1)
        free = fit(model, alternative.tying, COUNTS)
        result = likelihood_ratio_test(stopped, free, COUNTS)
        assert result.statistic > 0
        assert result.pvalue is None
        assert codes(result) == ["not_converged"]
        assert "the fit of the null did not converge" in result.null_law


class TestValidity:
    def test_an_irregular_model(self):
        class Network(Poisson):
            regular = False
            irregular_reason = "hidden units can be exchanged"

        result = compare(*one_against_many(Network()), COUNTS)
        assert result.pvalue is None
        assert result.converged
        assert result.calibration == "none"
        assert "hidden units can be exchanged" in result.null_law
        assert result.statistic == pytest.approx(poisson_ratio(*COUNTS), abs=1e-6)
        assert result.effects[0].lower is None

    @pytest.mark.parametrize(("fewest", "has_pvalue"), [(1, False), (3, True), (5, True)])
    def test_the_model_may_object(self, fewest, has_pvalue):
        data = np.array([fewest, 30]), np.array([50, 60])
        result = compare(*one_against_many(Binomial()), data)
        assert (result.pvalue is not None) == has_pvalue
        # Both fits object, in the same words; nothing else can be done with this model.
        assert codes(result) == ["few"] * (fewest < 5) + ["no_method"] * (fewest < 2)
        assert ("mind the warnings" in result.conclusion) == (fewest == 3)

    def test_the_null_holds_a_parameter_on_the_boundary(self):
        null = Hypothesis(Poisson(), fixed(2, 0, -np.inf))
        alternative = Hypothesis(Poisson(), untied(2))
        result = compare(null, alternative, (np.array([0, 30]), np.array([4.0, 5.0])))
        assert result.statistic == 0
        assert result.pvalue is None
        assert "tested_on_boundary" in codes(result)
        assert "the null holds log_rate[0] on the boundary" in result.null_law
        assert "chi-bar-squared" in result.null_law

    def test_held_on_the_boundary_by_both_is_no_matter(self):
        held = fixed(3, 2, -np.inf)
        null = Hypothesis(Poisson(3), held.intersect(equal(3, [0, 1])))
        alternative = Hypothesis(Poisson(3), held)
        counts, times = COUNTS
        result = compare(null, alternative, (np.append(counts, 0), np.append(times, 1.0)))
        assert result.statistic == pytest.approx(poisson_ratio(*COUNTS), abs=1e-6)
        assert result.pvalue == pytest.approx(chi2.sf(result.statistic, 1))

    def test_a_nuisance_of_the_null_on_the_boundary(self):
        null = Hypothesis(Poisson(3), equal(3, [0, 1]))
        alternative = Hypothesis(Poisson(3), untied(3))
        counts, times = COUNTS
        result = compare(null, alternative, (np.append(counts, 0), np.append(times, 1.0)))
        assert result.statistic == pytest.approx(poisson_ratio(*COUNTS), abs=1e-6)
        assert result.pvalue is None
        assert codes(result) == ["null_on_boundary", "no_method"]
        assert "log_rate[2]" in result.null_law

    def test_a_nuisance_on_the_boundary_that_stands_apart_is_no_matter(self):
        class Apart(Poisson):
            apart = np.array([False, False, True])

        counts, times = COUNTS
        data = (np.append(counts, 0), np.append(times, 1.0))
        null = Hypothesis(Apart(3), equal(3, [0, 1]))
        result = compare(null, Hypothesis(Apart(3), untied(3)), data)
        assert result.pvalue == pytest.approx(chi2.sf(result.statistic, 1))
        assert result.warnings == ()
        # It does matter where it is tested itself.
        null = Hypothesis(Apart(3), equal(3, [0, 2]))
        counts = np.array([0, 30, 0])
        assert compare(null, Hypothesis(Apart(3), untied(3)), (counts, data[1])).pvalue is None

    def test_only_the_alternative_on_the_boundary(self):
        data = np.array([0, 30]), np.array([4.0, 5.0])
        result = compare(*one_against_many(Poisson()), data)
        assert result.statistic == pytest.approx(poisson_ratio(*data), abs=1e-6)
        assert result.pvalue == pytest.approx(chi2.sf(result.statistic, 1))
        assert codes(result) == ["alternative_on_boundary"]
        (effect,) = result.effects
        assert effect.estimate == np.inf
        # All 30 events are in the second, whose share p is 5 r / (5 r + 4) for a ratio r: p**30 has
        # dropped by 1.92 nats at the limit.
        share = np.exp(-chi2.isf(0.05, 1) / 2 / 30)
        assert effect.upper == np.inf
        assert effect.lower == pytest.approx(4 * share / (5 * (1 - share)), rel=1e-4)

    def test_effects_of_a_rate_of_0_have_no_interval_and_others_have(self):
        class MoreEffects(Poisson):
            def effects(self, full):
                rates = np.exp(full)
                difference = np.array([-1.0, 1.0, 0.0]) * rates
                ratio = np.array([0.0, -1.0, 1.0])
                return {
                    "difference": Effect("difference", float(rates[1] - rates[0]), difference),
                    "ratio": Effect("ratio", float(full[2] - full[1]), ratio, log_scale=True),
                }

        data = np.array([0, 30, 60]), np.ones(3)
        difference, ratio = compare(*one_against_many(MoreEffects(3)), data).effects
        assert difference.estimate == pytest.approx(30, abs=1e-3)
        assert (difference.lower, difference.upper) == (None, None)
        half = 1.959964 * np.sqrt(1 / 30 + 1 / 60)
        assert ratio.lower == pytest.approx(2 * np.exp(-half), rel=1e-4)

    def test_a_parameter_that_the_data_do_not_reach(self):
        # The second mean has no data, so that freeing it gains nothing, ever.
        data = np.arange(4.0)[:, None]
        model = FirstMeanOnly()
        null, alternative = Hypothesis(model, fixed(2, 1, 0.0)), Hypothesis(model, untied(2))
        result = compare(null, alternative, data, calibration="chi2")
        assert result.statistic == 0
        assert result.pvalue is None
        assert "flat_likelihood" in codes(result)
        assert "not positive definite" in result.null_law


class FirstMeanOnly:
    layout = Layout({"mean": (2,)})

    def start(self, data):
        return np.zeros(2)

    def log_likelihood(self, full, data):
        return -((data[:, 0] - full[0]) ** 2) / 2

    def log_likelihood_and_gradient(self, full, data):
        return self.log_likelihood(full, data).sum(), np.array([(data[:, 0] - full[0]).sum(), 0.0])
