"""The split likelihood ratio: closed forms, evidence for its denominators, and its size."""

from __future__ import annotations

import numpy as np
import pytest

import seqbio
from seqbio.core import Hypothesis, fit, fit_at, fixed, untied
from seqbio.errors import ParameterError
from seqbio.hypothesis_testing import Comparison, compare
from seqbio.hypothesis_testing.calibrations.split import SplitTest, split_test
from seqbio.hypothesis_testing.folds import grouped_folds
from tests.hypothesis_testing.simulating import NormalMeans, zero_against_free


def codes(result):
    return [check.code for check in result.warnings]


def fits(pair, data):
    return [fit(one.model, one.tying, data) for one in pair]


def test_folds_keep_clusters_together_and_are_even():
    clusters = np.array([0, 1, 1, 2, 3, 3, 3, 4])
    for seed in range(20):
        folds = grouped_folds(clusters, 2, np.random.default_rng(seed))
        assert sorted(np.concatenate(folds)) == list(range(8))
        assert not set(clusters[folds[0]]) & set(clusters[folds[1]])
        assert sorted(map(len, folds)) == [4, 4]


def test_folds_need_enough_clusters():
    with pytest.raises(ParameterError, match=r"1 independent group of items, .* give more data$"):
        grouped_folds(np.zeros(5, dtype=int), 2, np.random.default_rng(0))


def predicted_in_two_pieces(known, judge, share, generator):
    """Log ratio of a mean learned as we go, times a share, against a mean of 0."""
    ratio = 0.0
    for piece in grouped_folds(np.arange(len(judge)), 2, generator):
        mean = share * known.mean()
        ratio += ((judge[piece] ** 2).sum() - ((judge[piece] - mean) ** 2).sum()) / 2
        known = np.concatenate([known, judge[piece]])
    return ratio


def test_the_ratio_is_that_of_the_textbook():
    data = np.random.default_rng(1).normal(0.5, 1.0, (10, 1))
    model = NormalMeans()
    null, alternative = fits(zero_against_free(model), data)
    test = split_test(Comparison(null, alternative, data, 1), n_splits=3, seed=4)

    generators = np.random.default_rng(4).spawn(3)
    for ratios, generator in zip(test.log_ratios, generators, strict=True):
        first, second = (data[fold] for fold in grouped_folds(np.arange(10), 2, generator))
        for ratio, known, judge in zip(ratios, (first, second), (second, first), strict=True):
            expected = predicted_in_two_pieces(known, judge, 1.0, generator)
            assert ratio == pytest.approx(expected, abs=1e-5)
    assert test.log_pvalue == pytest.approx(min(0, -np.log(np.exp(test.log_ratios).mean())))


def test_it_rejects_what_is_clearly_wrong_and_says_why_it_may():
    data = np.random.default_rng(2).normal(2.0, 1.0, (40, 1))
    result = compare(*zero_against_free(NormalMeans()), data, calibration="split", seed=1)
    assert result.pvalue < 1e-6
    assert result.calibration == "split"
    assert "expectation of at most 1" in result.null_law
    assert "all 20 of its fits converged" in result.null_law


def test_the_size_is_at_most_the_level_with_ten_items():
    generator = np.random.default_rng(3)
    rejected = 0
    for _ in range(60):
        data = generator.standard_normal((10, 1))
        null, alternative = fits(zero_against_free(NormalMeans()), data)
        test = split_test(
            Comparison(null, alternative, data, 1), n_splits=2, n_starts=1, seed=generator
        )
        rejected += test.log_pvalue <= np.log(0.1)
    assert rejected <= 12  # P(more) < 1 % at a size of 10 %


class Network(NormalMeans):
    """Says of itself that it is one, and is trained in its own way."""

    regular = False
    irregular_reason = "hidden units can be exchanged"
    converges = True

    def maximise(self, tying, data, *, start, n_starts, seed):
        full = tying.expand(tying.project(data.mean(axis=0)))
        return fit_at(
            self,
            tying,
            data,
            full,
            converged=self.converges,
            message="trained",
            optima=tuple(float(self.log_likelihood(full, data).sum()) for _ in range(n_starts)),
        )


def network_pair(model):
    return Hypothesis(model, fixed(1, 0, 0.0), "zero"), Hypothesis(model, untied(1), "free")


def test_a_network_gets_the_split_test_with_a_warning_about_the_maximum():
    data = np.random.default_rng(2).normal(2.0, 1.0, (40, 1))
    result = compare(*network_pair(Network()), data, seed=1)
    assert result.calibration == "split"
    assert result.pvalue < 1e-6
    assert codes(result) == ["denominator_evidence", "irregular"]
    assert "Used because hidden units can be exchanged" in result.null_law


def test_a_network_that_is_not_at_its_maximum_is_compared_by_predictions():
    model = Network()
    model.converges = False
    data = np.random.default_rng(2).normal(2.0, 1.0, (40, 1))
    result = compare(*network_pair(model), data, seed=1)
    assert result.calibration == "held-out"
    assert "comparison of predictions" in result.null_law
    assert result.conclusion.startswith('"free" predicts unseen items better than "zero"')
    asked = compare(*network_pair(model), data, seed=1, calibration="split")
    assert asked.pvalue is None
    assert codes(asked)[0] == "denominator_not_maximal"
    assert "did not converge" in asked.conclusion


def test_the_alternative_is_learned_and_the_null_maximised():
    class Cautious(Network):
        """Its maximum is the mean; what it learns is half of that."""

        def learn(self, tying, data, *, start, n_starts, seed):
            full = tying.expand(tying.project(data.mean(axis=0) / 2))
            return fit_at(self, tying, data, full, converged=False, message="learned")

    data = np.random.default_rng(1).normal(0.5, 1.0, (10, 1))
    null, alternative = network_pair(Cautious())
    fitted = [fit(one.model, one.tying, data) for one in (null, alternative)]
    test = split_test(Comparison(*fitted, data, 1), n_splits=1, seed=4)
    [generator] = np.random.default_rng(4).spawn(1)
    first, second = (data[fold] for fold in grouped_folds(np.arange(10), 2, generator))
    for ratio, known, judge in zip(
        test.log_ratios[0], (first, second), (second, first), strict=True
    ):
        assert ratio == pytest.approx(predicted_in_two_pieces(known, judge, 0.5, generator))
    assert test.null_converged.all()


def test_a_network_never_gets_chi_squared():
    data = np.random.default_rng(2).normal(2.0, 1.0, (40, 1))
    result = compare(*network_pair(Network()), data, calibration="chi2")
    assert result.pvalue is None
    assert "hidden units can be exchanged" in result.null_law


def test_undefined_and_unconverged_halves_give_no_p_value():
    both = np.array([[True, True]])
    undefined = SplitTest(np.array([[np.nan, 1.0]]), both, np.zeros((1, 2)), 1, True)
    assert undefined.log_pvalue is None
    assert undefined.checks[0].code == "impossible_half"
    spread = SplitTest(np.array([[2.0, 1.0]]), both, np.array([[0.0, 3.0]]), 2, True)
    assert spread.checks[0].severity == "warning"
    assert "in 1 of them" in spread.evidence


def test_an_impossible_alternative_is_no_evidence_against_the_null():
    test = SplitTest(
        np.array([[-np.inf, -np.inf]]), np.array([[True, True]]), np.zeros((1, 2)), 1, True
    )
    assert test.log_pvalue == 0.0


def test_items_must_be_divisible():
    class Whole(NormalMeans):
        regular = False

        def log_likelihood(self, full, data):
            return -((np.array(data) - full) ** 2) / 2

        def log_likelihood_and_gradient(self, full, data):
            return self.log_likelihood(full, data).sum(), (np.array(data) - full).sum(keepdims=True)

    result = compare(*zero_against_free(Whole()), [1.0, 2.0, 0.5])
    assert result.pvalue is None
    assert "no_method" in codes(result)
    assert (
        "items cannot be taken out"
        in compare(*zero_against_free(Whole()), [1.0, 2.0, 0.5], calibration="held-out").null_law
    )


@pytest.mark.parametrize("calibration", ["split", "held-out"])
def test_one_cluster_cannot_be_divided_and_nothing_is_advised_that_cannot_be_done(calibration):
    """Few events, for which a split makes up, are no reason why there is none."""
    pair = [("ACGTTGCAACGTTGCATCGA" * 3, "ACGTTGCAACGGCATCGA" + "ACGTTGCAACGTTGCATCGA" * 2)]
    null, alternative = (seqbio.PairHMM(tie=tie) for tie in (("open", "extend"), ()))
    result = compare(null, alternative, pair, calibration=calibration)
    assert result.pvalue is None
    assert "cannot be divided: all items are one, or belong to one cluster" in result.conclusion
    assert "more reason" not in result.conclusion
    assert "few_events" in {check.code for check in result.warnings}
    assert "folds" not in str(result)
