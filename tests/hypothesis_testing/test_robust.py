"""Dependence: duplicated items, the sandwich, the cluster bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import f

from seqbio.core import Check, Hypothesis, Layout, fixed, untied
from seqbio.hypothesis_testing import compare
from tests.hypothesis_testing.simulating import (
    NormalMeans,
    PoissonItems,
    equal_against_free,
    zero_against_free,
)

ONCE = np.random.default_rng(4).normal(0.2, 1.0, (200, 1))
TWICE, LABELS = np.repeat(ONCE, 2, axis=0), np.repeat(np.arange(200), 2)


def test_duplicated_items_count_once():
    pair = zero_against_free(NormalMeans())
    once = compare(*pair, ONCE)
    twice = compare(*pair, TWICE, clusters=LABELS)
    assert (once.calibration, twice.calibration) == ("chi-squared", "robust")
    assert twice.statistic == pytest.approx(2 * once.statistic, rel=1e-4)
    weight = 2 * ONCE.var() * 200 / 199
    assert twice.evidence.weights == pytest.approx([weight], rel=1e-3)
    # Of a mean, a variance over n - 1: Student's t.
    assert twice.evidence.degrees_of_freedom == pytest.approx(199, rel=1e-3)
    assert twice.pvalue == pytest.approx(f.sf(twice.statistic / weight, 1, 199), rel=1e-3)
    assert "400 items make only 200 independent clusters" in twice.null_law


SIZES = np.array([2, 3, 4, 6, 10] + [1] * 15)


def test_unequal_clusters_have_few_degrees_of_freedom():
    labels = np.repeat(np.arange(20), SIZES)
    data = np.random.default_rng(9).standard_normal((20, 1))[labels]
    result = compare(*zero_against_free(NormalMeans()), data, clusters=labels, calibration="robust")
    share = SIZES / SIZES.sum()
    # Bell and McCaffrey's adjustment of a mean, written out.
    residuals = SIZES * (data[np.unique(labels, return_index=True)[1], 0] - data.mean())
    adjusted = residuals / np.sqrt(1 - share)
    assert result.evidence.weights == pytest.approx([(adjusted**2).sum() / SIZES.sum()], rel=1e-3)
    covariance = np.diag(share) - np.outer(share, share)
    covariance /= np.sqrt(np.outer(1 - share, 1 - share))
    degrees = covariance.trace() ** 2 / (covariance**2).sum()
    assert result.evidence.degrees_of_freedom == pytest.approx(degrees, rel=1e-3)
    assert degrees < 10


@pytest.mark.slow
def test_unequal_clusters_keep_the_level():
    labels = np.repeat(np.arange(20), SIZES)
    generator, pvalues = np.random.default_rng(10), []
    for _ in range(300):
        data = generator.standard_normal((20, 1))[labels]
        pair = zero_against_free(NormalMeans())
        pvalues.append(compare(*pair, data, clusters=labels, calibration="robust").pvalue)
    # 99 % of such counts are between 6 and 25; without the adjustments it is 12 %.
    assert 6 <= np.sum(np.array(pvalues) <= 0.05) <= 25


def test_one_cluster_that_holds_most_gives_no_p_value():
    labels = np.repeat(np.arange(20), [100] + [1] * 19)
    data = np.random.default_rng(9).standard_normal((20, 1))[labels]
    result = compare(*zero_against_free(NormalMeans()), data, clusters=labels, calibration="robust")
    assert result.pvalue is None
    assert "hold most of what the data say" in result.null_law


def test_labels_may_be_words():
    words = np.array([f"family {label}" for label in LABELS])
    result = compare(*zero_against_free(NormalMeans()), TWICE, clusters=words)
    assert result.calibration == "robust"
    assert result.evidence.n_clusters == 200


def test_equal_counts_are_no_copies_unless_somebody_says_so():
    data = np.random.default_rng(7).poisson(4.0, (400, 2)).astype(float)
    result = compare(*equal_against_free(PoissonItems()), data)
    assert result.calibration == "chi-squared"


def test_independent_items_of_a_true_model_have_weights_near_one():
    data = np.random.default_rng(5).poisson(4.0, (2000, 2)).astype(float)
    result = compare(
        *equal_against_free(PoissonItems()), data, calibration="robust", clusters=np.arange(2000)
    )
    assert result.evidence.weights == pytest.approx([1.0], abs=0.12)


def test_overdispersed_counts_have_larger_weights():
    generator = np.random.default_rng(6)
    rates = generator.gamma(2.0, 2.0, (1000, 2))
    data = generator.poisson(rates).astype(float)
    result = compare(
        *equal_against_free(PoissonItems()), data, calibration="robust", clusters=np.arange(1000)
    )
    # A negative binomial count has the variance m + m**2 / 2 at a mean of m = 4.
    assert result.evidence.weights == pytest.approx([3.0], rel=0.15)


def test_the_cluster_bootstrap_agrees_with_the_sandwich():
    pair = zero_against_free(NormalMeans())
    options = {"clusters": LABELS, "seed": 1}
    robust = compare(*pair, TWICE, **options)
    result = compare(*pair, TWICE, calibration="cluster-bootstrap", n_replicates=200, **options)
    lower, upper = result.evidence.interval
    assert lower - 0.03 < robust.pvalue < upper + 0.03
    assert result.evidence.mean == pytest.approx(robust.evidence.weights[0], rel=0.4)
    assert "clusters with replacement" in result.null_law


def test_few_clusters_give_no_p_value():
    for method in ("robust", "cluster-bootstrap"):
        result = compare(
            *zero_against_free(NormalMeans()),
            TWICE[:20],
            clusters=LABELS[:20],
            calibration=method,
            n_replicates=5,
            seed=1,
        )
        assert result.pvalue is None
        assert "10 clusters" in result.null_law


def test_dependence_in_few_clusters_leaves_the_split_test():
    labels = np.repeat(np.arange(10), 40)
    pair = zero_against_free(NormalMeans())
    result = compare(*pair, TWICE, clusters=labels, seed=1)
    assert result.calibration == "split"
    assert "400 items belong to 10 clusters" in result.null_law
    # One item of each cluster counts, so no half can hold more than five of them.
    largest = np.abs(TWICE).max()
    assert result.evidence.log_ratios.max() <= 5 * largest**2 / 2
    for method in ("chi2", "bootstrap"):
        asked = compare(*pair, TWICE, clusters=labels, seed=1, calibration=method)
        assert asked.pvalue is None


def test_items_that_all_depend_on_each_other_give_no_p_value():
    result = compare(*zero_against_free(NormalMeans()), TWICE, clusters=np.zeros(400), seed=1)
    assert result.pvalue is None
    assert "all items belong to one" in result.to_json()


def test_few_events_in_many_clusters_choose_the_cluster_bootstrap():
    once = np.random.default_rng(8).poisson(0.2, (30, 2)).astype(float)
    result = compare(
        *equal_against_free(FewCounts()),
        np.repeat(once, 2, axis=0),
        clusters=np.repeat(np.arange(30), 2),
        n_replicates=40,
        seed=1,
    )
    assert result.calibration == "cluster-bootstrap"


class FewCounts(PoissonItems):
    def checks(self, full, data, tying):
        return [Check("few counts", "invalid", "few_events")]


class TwoSteps(NormalMeans):
    """The mean is the sum of two numbers, which the data cannot tell apart."""

    def __init__(self):
        self.layout = Layout({"step": (2,)})

    def start(self, data):
        return np.zeros(2)

    def identified(self, full, data):
        return full.sum(keepdims=True)

    def log_likelihood(self, full, data):
        return super().log_likelihood(full.sum(keepdims=True), data)

    def log_likelihood_and_gradient(self, full, data):
        value, slope = super().log_likelihood_and_gradient(full.sum(keepdims=True), data)
        return value, np.repeat(slope, 2)


def test_redundant_parameters_leave_the_robust_law_as_it_is():
    plain = compare(*zero_against_free(NormalMeans()), TWICE, clusters=LABELS)
    model = TwoSteps()
    pair = (Hypothesis(model, fixed(2, [0, 1], [0.0, 0.0])), Hypothesis(model, untied(2)))
    redundant = compare(*pair, TWICE, clusters=LABELS)
    assert (redundant.calibration, redundant.df) == ("robust", 1)
    assert redundant.pvalue == pytest.approx(plain.pvalue, rel=1e-3)


def test_curvatures_that_memory_cannot_hold_are_not_worked_out():
    """The next way is taken by default."""
    data = np.random.default_rng(5).normal(size=(1500, 200))
    labels = np.arange(1500) // 2
    pair = zero_against_free(NormalMeans(200))
    result = compare(*pair, data, clusters=labels, calibration="robust")
    assert result.pvalue is None
    assert "the curvature of each of 1500 items, 200 by 200 numbers" in result.null_law
    assert compare(*pair, data, clusters=labels, n_replicates=19).calibration != "robust"
