"""Copies, items that vary more than the model says, and what auto does one after another."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, t

import seqbio
from seqbio.core import Hypothesis, Layout, copies_of, equal, fit, sample_size_of, untied
from seqbio.hypothesis_testing import compare, criteria
from seqbio.sequences.copies import copy_numbers
from tests.hypothesis_testing.simulating import PoissonItems, equal_against_free

TRUTH = {"open_x": 0.05, "open_y": 0.05, "extend_x": 0.3, "extend_y": 0.3, "end": 0.01}
JC = {"substitution": "jc69"}
NULL = seqbio.PairHMM(tie=("open", "extend"), **JC)
ALTERNATIVE = seqbio.PairHMM(tie=("extend",), **JC)


def pairs_of(n, columns=100, seed=1, **changes):
    hmm = seqbio.PairHMM(**JC).set_parameters({**TRUTH, "distance": 0.1, **changes})
    return hmm.simulate(n, columns=columns, seed=seed)


def codes(result):
    return [check.code for check in result.warnings]


class TestCopies:
    def test_a_test_of_copies_is_that_of_one_of_each(self):
        pairs = pairs_of(12)
        once = compare(NULL, ALTERNATIVE, pairs, seed=1)
        again = compare(NULL, ALTERNATIVE, pairs + pairs[2:4] + pairs[2:3], seed=1)
        assert again.log_pvalue == once.log_pvalue
        assert again.null_fit.data_fingerprint == once.null_fit.data_fingerprint
        assert "3 of 15 items are copies of others" in again.warnings[0].message
        assert "--keep-copies" in again.warnings[0].message

    def test_frequencies_are_those_of_one_of_each(self):
        pairs = pairs_of(6)
        null, alternative = seqbio.PairHMM(tie=("open",)), seqbio.PairHMM(tie=())
        once = compare(null, alternative, pairs, seed=1)
        again = compare(null, alternative, [*pairs, pairs[0]], seed=1)
        assert again.statistic == once.statistic

    def test_chi_squared_asked_for_by_name_says_so_too(self):
        pairs = pairs_of(8)
        result = compare(NULL, ALTERNATIVE, [*pairs, pairs[0]], calibration="chi2")
        assert "copies_left_out" in codes(result)
        assert result.pvalue == compare(NULL, ALTERNATIVE, pairs, calibration="chi2").pvalue

    def test_copies_that_are_real_count(self):
        pairs = pairs_of(8)
        kept = compare(NULL, ALTERNATIVE, pairs + pairs, calibration="chi2", keep_copies=True)
        once = compare(NULL, ALTERNATIVE, pairs, calibration="chi2")
        assert kept.statistic == pytest.approx(2 * once.statistic, rel=1e-4)
        assert kept.pvalue is not None

    def test_labels_of_clusters_leave_all_items(self):
        pairs = pairs_of(3)
        result = compare(NULL, ALTERNATIVE, pairs + pairs, clusters=[0, 1, 2, 0, 1, 2], seed=1)
        assert "copies_left_out" not in codes(result)

    def test_pairs_in_two_groups_are_copies_within_each(self):
        pairs = pairs_of(4)
        grouped = seqbio.GroupedPairs([*pairs, pairs[0], pairs[0]], [0, 0, 1, 1, 0, 1])
        _, data = seqbio.PairHMM().hypothesis(grouped)
        numbers = copies_of(None, data)
        assert len(set(numbers)) == 5
        assert numbers[4] == numbers[0] != numbers[5]

    def test_one_sequence_in_two_classes_is_no_copy(self):
        detector = seqbio.MotifDetector(n_motifs=1, width=3, pooling="sum")
        sequences = ["ACGTACGTACGTACGT", "ACGTACGTACGTACGT", "TTGACATTGACATTGA"] * 2
        _, data = detector.hypothesis((sequences, [0, 1, 0, 0, 1, 1]))
        assert len(set(copies_of(None, data))) == 4

    def test_short_sequences_are_equal_by_chance(self):
        letters = np.full(4, 100.0)
        short, long = ["ACGT"] * 10, ["ACGTACGTACGTACGTACGT"] * 2
        assert len(set(copy_numbers(short, np.full(10, 4), letters))) == 10
        assert len(set(copy_numbers(long, np.array([20, 20]), letters))) == 1


class TestOneWayAfterAnother:
    class Flat(PoissonItems):
        """Has a third parameter that the likelihood does not know, and does not say so."""

        layout = Layout({"log_rate": (2,), "idle": ()})
        boundary = np.zeros(3, dtype=bool)

        def start(self, data):
            return np.zeros(3)

        def log_likelihood(self, full, data):
            return super().log_likelihood(full[:2], data)

        def log_likelihood_and_gradient(self, full, data):
            value, gradient = super().log_likelihood_and_gradient(full[:2], data)
            return value, np.append(gradient, 0.0)

        def curvature(self, full, data):
            return np.append(super().curvature(full[:2], data), 1.0)

        def simulate(self, full, data, generator):
            return super().simulate(full[:2], data, generator)

    def test_auto_goes_on_where_the_robust_law_cannot_be_worked_out(self):
        data = np.random.default_rng(3).poisson(4.0, (45, 2)).astype(float)
        model = self.Flat()
        pair = Hypothesis(model, equal(3, [0, 1]), "equal"), Hypothesis(model, untied(3), "free")
        asked = compare(*pair, data, calibration="chi2", seed=1)
        assert asked.pvalue is None
        assert "'bootstrap' would be a valid calibration" in asked.warnings[-1].message
        result = compare(*pair, data, n_replicates=99, seed=1)
        assert result.calibration == "bootstrap"
        assert "asked for" not in result.null_law
        plain = compare(*equal_against_free(PoissonItems()), data)
        lower, upper = result.evidence.interval
        assert lower - 0.05 < plain.pvalue < upper + 0.05


class TestItemsThatVary:
    generator = np.random.default_rng(6)
    DATA = generator.poisson(generator.gamma(2.0, 2.0, (60, 2))).astype(float)

    class WithEffect(PoissonItems):
        def effects(self, full):
            gradient = np.array([-1.0, 1.0])
            return {"ratio": seqbio.core.Effect("ratio", full @ gradient, gradient, True)}

    @pytest.mark.parametrize("name", ["auto", "flip"])
    def test_the_law_and_the_interval_are_the_robust_ones(self, name):
        result = compare(*equal_against_free(self.WithEffect()), self.DATA, calibration=name)
        assert result.calibration == ("robust" if name == "auto" else "flip")
        assert "overdispersed" in codes(result)
        assert name == "flip" or "varies" in result.null_law
        # The sandwich by hand: log means, whose variances are var / (n mean**2).
        mean = self.DATA.mean(axis=0)
        slopes = self.DATA / mean - 1
        error = np.sqrt((slopes[:, 1] - slopes[:, 0]).var(ddof=1) / 60)
        half = t.isf(0.025, 59) * error
        (effect,) = result.effects
        ratio = mean[1] / mean[0]
        assert effect.estimate == pytest.approx(ratio, rel=1e-5)
        assert effect.lower == pytest.approx(ratio * np.exp(-half), rel=1e-3)
        assert effect.upper == pytest.approx(ratio * np.exp(half), rel=1e-3)
        assert result.to_dict()["interval_method"] == "robust"
        assert "robust intervals of 95 %" in str(result)

    def test_few_items_that_vary_have_their_signs_flipped(self):
        result = compare(*equal_against_free(self.WithEffect()), self.DATA[:30])
        assert result.calibration == "flip"
        assert not result.evidence.exact

    def test_asked_for_chi_squared_there_is_a_warning_and_the_interval_is_robust(self):
        result = compare(*equal_against_free(self.WithEffect()), self.DATA, calibration="chi2")
        assert result.pvalue == pytest.approx(chi2.sf(result.statistic, 1))
        assert [c.severity for c in result.warnings if c.code == "overdispersed"] == ["warning"]
        assert result.robust_intervals

    def test_items_that_obey_one_rate_have_the_usual_law_and_interval(self):
        data = np.random.default_rng(8).poisson(4.0, (60, 2)).astype(float)
        result = compare(*equal_against_free(self.WithEffect()), data)
        assert result.calibration == "chi-squared"
        half = 1.959964 * np.sqrt((1 / data.sum(axis=0)).sum())
        (effect,) = result.effects
        assert effect.upper == pytest.approx(effect.estimate * np.exp(half), rel=1e-4)
        assert result.to_dict()["interval_method"] == "wald"

    def test_all_weights_are_shown(self):
        class Many(PoissonItems):
            layout = Layout({"log_rate": (10,)})
            boundary = np.ones(10, dtype=bool)

            def start(self, data):
                return np.zeros(10)

        data = np.random.default_rng(9).poisson(4.0, (50, 10)).astype(float)
        result = compare(*equal_against_free(Many()), data, calibration="robust")
        assert len(dict(result.evidence.rows())["weights (1 if all is regular)"].split(",")) == 9


class TestOneSidedIntervals:
    def test_no_gap_in_one_sequence_bounds_the_ratio(self):
        pairs = pairs_of(6, open_y=0.0, seed=2)
        result = compare(NULL, ALTERNATIVE, pairs, calibration="chi2")
        effect = result.effects[0]
        assert effect.name == "open_y / open_x"
        assert (effect.estimate, effect.lower) == (0.0, 0.0)
        assert 0.0 < effect.upper < 1.0
        assert effect.direction == "below"

    def test_an_estimate_of_0_is_bounded_by_the_profile(self):
        pair = [("ACGTTGCAACGTTGCATCGA" * 3, "ACGTTGCAACGTTGCATCGA" * 3)]
        hmm = seqbio.PairHMM(tie=("open", "extend"), **JC).fit(pair)
        lower, upper = hmm.confidence_intervals(method="profile")["open_x"]
        assert lower == 0.0
        # 59 steps from letter to letter and one end, without a gap in 60 columns: (1 - 2 o)**60.
        assert upper == pytest.approx((1 - np.exp(-chi2.isf(0.05, 1) / 2 / 60)) / 2, rel=0.01)
        assert "open_x" not in hmm.confidence_intervals()


class TestNames:
    def test_settings_that_differ_are_named(self):
        pairs = pairs_of(4)
        off, on = (seqbio.PairHMM(tie=("open", "extend"), switch=s, **JC) for s in ("off", "tied"))
        result = compare(off, on, pairs, calibration="boundary")
        assert result.null_name == "open and extend tied, switch off"
        assert result.alternative_name == "open and extend tied, switch tied"
        k80 = seqbio.PairHMM(tie=("open", "extend"), substitution="k80")
        result = compare(NULL, k80, pairs, calibration="chi2")
        assert result.null_name.endswith("substitution jc69")
        assert result.alternative_name.endswith("substitution k80")

    def test_what_all_share_is_not_in_the_name(self):
        result = compare(NULL, ALTERNATIVE, pairs_of(4), calibration="chi2")
        assert result.null_name == "open and extend tied"


class TestSampleSize:
    def test_letters_count_for_pairs_and_sequences(self):
        pairs = pairs_of(2)
        _, data = NULL.hypothesis(pairs)
        letters = sum(len(record.seq) for pair in pairs for record in pair)
        assert sample_size_of(None, data, 2) == (letters, "letters")
        hypothesis, data = seqbio.MarkovModel(0).hypothesis(["ACGTAC", "ACG"])
        one = fit(hypothesis.model, hypothesis.tying, data)
        table = criteria({"one": one}, data)
        assert (table.n, table.what) == (9, "letters")
        assert table.rows[0].bic == pytest.approx(one.n_free * np.log(9) - 2 * one.log_likelihood)

    def test_one_item_has_no_bic_until_n_is_given(self):
        data = np.array([[2.0, 3.0]])
        one = fit(PoissonItems(), untied(2), data)
        table = criteria({"one": one}, data)
        assert np.isnan([table.rows[0].bic, table.rows[0].aicc]).all()
        assert table.to_dict()["rows"][0]["bic"] is None
        given = criteria({"one": one}, data, n=50).rows[0]
        assert given.bic == pytest.approx(2 * np.log(50) - 2 * one.log_likelihood)
