"""Information criteria by hand; Vuong's test on models that differ, and on ones that do not."""

from __future__ import annotations

import numpy as np
import pytest

from seqbio.core import Layout, fit, fixed, untied
from seqbio.errors import DataMismatchError, ParameterError
from seqbio.hypothesis_testing import adjust, criteria, vuong_test
from tests.hypothesis_testing.simulating import NormalMeans


class Poisson:
    layout = Layout({"log_rate": ()})

    def start(self, data):
        return np.zeros(1)

    def log_likelihood(self, full, data):
        from scipy.special import gammaln

        return data * full[0] - np.exp(full[0]) - gammaln(data + 1)

    def log_likelihood_and_gradient(self, full, data):
        return self.log_likelihood(full, data).sum(), np.array([(data - np.exp(full[0])).sum()])


class Geometric:
    layout = Layout({"logit": ()})

    def start(self, data):
        return np.zeros(1)

    def log_likelihood(self, full, data):
        return data * -np.logaddexp(0, -full[0]) - np.logaddexp(0, full[0])

    def log_likelihood_and_gradient(self, full, data):
        p = 1 / (1 + np.exp(-full[0]))
        return self.log_likelihood(full, data).sum(), np.array([(data * (1 - p) - p).sum()])


def fitted(model, data):
    return fit(model, untied(1), data)


def test_criteria_are_those_of_the_textbook():
    data = np.array([[1.0], [2.0], [0.0], [1.5], [3.0]])
    model = NormalMeans()
    fits = {
        "zero": fit(model, fixed(1, 0, 0.0), data),
        "free": fit(model, untied(1), data),
    }
    table = criteria(fits, data)
    free = next(row for row in table.rows if row.name == "free")
    top = -((data - data.mean()) ** 2).sum() / 2
    assert free.aic == pytest.approx(2 - 2 * top, abs=1e-5)
    assert free.aicc == pytest.approx(2 - 2 * top + 4 / 3, abs=1e-5)
    assert free.bic == pytest.approx(np.log(5) - 2 * top, abs=1e-5)
    assert sum(row.weight for row in table.rows) == pytest.approx(1.0)
    assert table.rows[0].weight >= table.rows[1].weight
    assert "AICc" in str(table)


def test_vuong_prefers_the_true_family():
    data = np.random.default_rng(1).poisson(3.0, 400).astype(float)
    test = vuong_test(fitted(Poisson(), data), fitted(Geometric(), data), data)
    assert test.log_pvalue_distinguishable < np.log(1e-6)
    assert test.preferred == "first"
    assert test.pvalue < 1e-3
    other = vuong_test(fitted(Geometric(), data), fitted(Poisson(), data), data)
    assert other.statistic == pytest.approx(-test.statistic, rel=1e-6)
    assert other.preferred == "second"


def test_vuong_does_not_choose_between_what_cannot_be_told_apart():
    """A zero that is free and a zero that is held: only one is true, and it is in both."""
    rejected = 0
    for seed in range(100):
        data = np.random.default_rng(seed).standard_normal((60, 1))
        model = NormalMeans()
        test = vuong_test(fit(model, untied(1), data), fit(model, fixed(1, 0, 0.0), data), data)
        rejected += test.log_pvalue_distinguishable <= np.log(0.05)
        if test.log_pvalue_distinguishable > np.log(0.05):
            assert test.pvalue is None
            assert test.preferred == ""
    assert rejected <= 13  # 99.9 % limit at 5 %


def test_other_data_and_irregular_models_are_refused():
    data = np.arange(10.0)
    one = fitted(Poisson(), data)
    with pytest.raises(DataMismatchError, match="made on other data"):
        criteria({"a": one}, data + 1)
    with pytest.raises(ParameterError, match="no fits"):
        criteria({}, data)

    class Network(Poisson):
        regular = False

    with pytest.raises(ParameterError, match="not regular"):
        vuong_test(fitted(Network(), data), one, data)


class TestAdjusting:
    def test_holm_by_hand(self):
        assert adjust([0.01, 0.04, None, 0.03]) == pytest.approx([0.03, 0.06, None, 0.06])

    def test_benjamini_hochberg_by_hand(self):
        adjusted = adjust([0.01, 0.04, 0.03, 0.5], "benjamini-hochberg")
        assert adjusted == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])

    def test_nothing_is_nothing(self):
        assert adjust([None]) == [None]
        assert adjust([]) == []

    def test_wrong_values(self):
        with pytest.raises(ParameterError, match="between 0 and 1"):
            adjust([1.2])
        with pytest.raises(ParameterError, match="choose 'holm'"):
            adjust([0.1], "bonferroni")
