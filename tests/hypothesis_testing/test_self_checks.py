"""Calibration and power on a design of one's own, and goodness of fit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.stats import kstest, norm

import seqbio
from seqbio.core import fit, untied
from seqbio.errors import ParameterError
from seqbio.hypothesis_testing import calibrate, compare, goodness_of_fit, power
from tests.hypothesis_testing.simulating import (
    NormalMeans,
    PoissonItems,
    equal_against_free,
    zero_against_free,
)

DESIGN = np.zeros((10, 1))


def test_p_values_of_a_true_null_are_uniform():
    check = calibrate(*zero_against_free(NormalMeans()), DESIGN, 150, seed=1)
    # Where chance makes items vary more than usual, the law is the robust one.
    assert set(check.calibrations) <= {"chi-squared", "robust", "flip"}
    assert check.calibrations["chi-squared"] >= 130
    assert kstest(check.pvalues, "uniform").pvalue > 0.01
    assert all(rate.is_in_order for rate in check.rejections())
    expected, observed = check.quantiles()
    assert np.abs(expected - observed).max() < 0.15
    assert "150 data sets" in str(check)
    assert check.to_dict()["n"] == 150


def test_workers_and_the_number_of_data_sets_change_no_trial():
    pair = zero_against_free(NormalMeans())
    few = calibrate(*pair, DESIGN, 5, seed=2)
    with ThreadPoolExecutor(2) as executor:
        many = calibrate(*pair, DESIGN, 12, seed=2, executor=executor)
    assert many.trials[:5] == few.trials


class FailsAtTimes(NormalMeans):
    def log_likelihood_and_gradient(self, full, data):
        value, gradient = super().log_likelihood_and_gradient(full, data)
        return (np.nan if data[0, 0] > 1 else value), gradient

    def log_likelihood(self, full, data):
        return super().log_likelihood(full, data) * (np.nan if data[0, 0] > 1 else 1.0)


def test_data_sets_without_a_p_value_are_counted():
    check = calibrate(*zero_against_free(FailsAtTimes()), DESIGN, 60, seed=1)
    assert 2 <= check.n_missing <= 22  # P(z > 1) = 16 %
    assert check.rejections()[0].n_tests == 60 - check.n_missing
    assert "without a p-value" in str(check)


def test_parameters_must_obey_the_null():
    with pytest.raises(ParameterError, match="do not obey the null"):
        calibrate(*zero_against_free(NormalMeans()), DESIGN, 5, parameters=[1.0])


def test_parameters_that_are_set_need_not_know_the_frequencies_of_the_design():
    pairs = [("ACGTTGCAACGAATA" * 3, "ACGTTGCACGAATAT" * 3)] * 3
    hmm = seqbio.PairHMM(tie=("open", "extend"))
    truth = {"open_x": 0.05, "open_y": 0.05, "extend_x": 0.3, "extend_y": 0.3, "end": 0.02}
    truth |= {"distance": 0.1, "kappa": 2.0}
    wide = seqbio.PairHMM(tie=("extend",))
    full = seqbio.PairHMM().set_parameters(truth).full_
    assert len(calibrate(hmm, wide, pairs, 2, parameters=full, seed=1).trials) == 2
    unequal = seqbio.PairHMM().set_parameters({**truth, "open_y": 0.09}).full_
    with pytest.raises(ParameterError, match="differs here: open_x = "):
        calibrate(hmm, wide, pairs, 2, parameters=unequal)
    assert power(hmm, wide, pairs, unequal, n=0, seed=1).by_law > 0.05


def test_power_by_simulation_and_by_law():
    found = power(*zero_against_free(NormalMeans()), np.zeros((16, 1)), [0.6], n=150, seed=1)
    z = norm.ppf(0.975)
    exact = norm.sf(z - 2.4) + norm.cdf(-z - 2.4)
    assert found.noncentrality == pytest.approx(16 * 0.36, rel=1e-4)
    assert found.by_law == pytest.approx(exact, abs=1e-6)
    lower, upper = found.interval
    assert lower - 0.05 < exact < upper + 0.05


def test_power_with_a_nuisance_parameter():
    truth = np.log([3.0, 4.5])
    found = power(*equal_against_free(PoissonItems()), np.ones((30, 2)), truth, n=0, seed=1)
    assert found.by_simulation is None
    assert found.interval is None
    # 1 / (1 / 90 + 1 / 135) is the information about the log ratio.
    assert found.noncentrality == pytest.approx(54 * np.log(1.5) ** 2, rel=0.05)


def test_power_refuses_what_cannot_be():
    pair = equal_against_free(PoissonItems())
    with pytest.raises(ParameterError, match="level is 5"):
        power(*pair, np.ones((3, 2)), [0.0, 0.0], level=5)
    with pytest.raises(ParameterError, match="does not obey the alternative"):
        power(pair[0], pair[0], np.ones((3, 2)), [0.0, 1.0])


class Probing(NormalMeans):
    def probes(self, full, data):
        residuals = (data - full)[:, 0]
        return {"spread": residuals**2, "asymmetry": np.stack([residuals**3, residuals], axis=1)}


def misfits_of(data):
    return {
        misfit.name: misfit
        for misfit in goodness_of_fit(fit(Probing(), untied(1), data), data, seed=3)
    }


def test_what_is_wrong_is_named():
    generator = np.random.default_rng(7)
    wide = misfits_of(1.6 * generator.standard_normal((80, 1)))
    assert wide["spread"].pvalue < 0.001
    assert wide["spread"].deviations[0] > 3
    skewed = misfits_of(generator.exponential(1.0, (80, 1)))
    assert skewed["asymmetry"].pvalue < 0.01


def test_a_true_model_raises_alarms_as_often_as_it_says():
    generator = np.random.default_rng(8)
    pvalues = [
        misfit.pvalue
        for _ in range(60)
        for misfit in misfits_of(generator.standard_normal((40, 1)) + 2.0).values()
    ]
    assert sum(p <= 0.05 for p in pvalues) <= 16  # of 120, 99.9 % limit with pairs dependent


def test_the_warning_stands_beside_the_p_value_and_does_not_forbid_it():
    data = 1.7 * np.random.default_rng(9).standard_normal((60, 1))
    result = compare(*zero_against_free(Probing()), data)
    assert result.pvalue is not None
    assert "misfit_spread" in [check.code for check in result.warnings]
    assert "neither hypothesis describes the spread" in result.warnings[0].message
    quiet = compare(*zero_against_free(Probing()), data, check_fit=False)
    assert [check.code for check in quiet.warnings] == ["overdispersed"]


def test_a_model_without_probes_says_so():
    data = np.ones((5, 1))
    with pytest.raises(ParameterError, match="offers no probes"):
        goodness_of_fit(fit(NormalMeans(), untied(1), data), data)


def test_a_draw_that_fails_is_no_surprise():
    class Broken(NormalMeans):
        def log_likelihood(self, full, data):
            return super().log_likelihood(full, data) + np.where(data[:, 0] == 0, 0, np.inf)

        def log_likelihood_and_gradient(self, full, data):
            value, gradient = super().log_likelihood_and_gradient(full, data)
            return value + (0 if not data.any() else np.inf), gradient

    check = calibrate(*zero_against_free(Broken()), DESIGN, 3, seed=1, parameters=[0.0])
    assert check.n_missing == 3
