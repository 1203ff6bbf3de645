"""Sign flips and refits to transformed data: symmetries of items tested on the data themselves."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import seqbio
from seqbio.core import Hypothesis, equal, scores_of, symmetries_of, untied
from seqbio.errors import ParameterError
from seqbio.hypothesis_testing import Comparison, compare
from seqbio.hypothesis_testing.calibrations.exchange import EXCHANGE
from seqbio.hypothesis_testing.calibrations.flip import sign_flip_test
from seqbio.hypothesis_testing.symmetry import questioned_symmetry
from tests.hypothesis_testing.simulating import PoissonItems, equal_against_free

TRUTH = {"open_x": 0.05, "open_y": 0.05, "extend_x": 0.3, "extend_y": 0.3, "end": 0.01}
JC = {"substitution": "jc69", "frequencies": "equal"}
BOTH, EXTEND, OPEN, NONE = (
    seqbio.PairHMM(tie=tie, **JC) for tie in (("open", "extend"), ("extend",), ("open",), ())
)


def pairs_of(n, seed=1, columns=60, **changes):
    hmm = seqbio.PairHMM(**JC).set_parameters({**TRUTH, "distance": 0.1, **changes})
    return hmm.simulate(n, columns=columns, seed=seed)


def comparison_of(null, alternative, pairs, df, clusters=None):
    hypothesis, data = null.hypothesis(pairs)
    wider, _ = alternative.hypothesis(pairs)
    null_fit = seqbio.core.fit(hypothesis.model, hypothesis.tying, data)
    wide = seqbio.core.fit(wider.model, wider.tying, data, start=null_fit.full)
    return Comparison(null_fit, wide, data, df, clusters)


class TestTheSymmetry:
    def test_likelihoods_of_exchanged_pairs_are_those_with_exchanged_parameters(self):
        hmm = seqbio.PairHMM(switch="untied", gap_lengths=2, ends="free", tie=())
        hypothesis, data = hmm.hypothesis(pairs_of(3))
        model = hypothesis.model
        full = hypothesis.tying.expand(
            np.random.default_rng(1).normal(-1.0, 0.5, hypothesis.tying.n_free)
        )
        (symmetry,) = symmetries_of(model)
        exchanged = symmetry.transform(data, np.array([True, True, True]))
        np.testing.assert_allclose(
            model.log_likelihood(full, exchanged),
            model.log_likelihood(full[symmetry.permutation], data),
            rtol=1e-10,
        )
        twice = symmetry.transform(exchanged, np.array([True, True, True]))
        assert twice.fingerprint() == data.fingerprint()

    @pytest.mark.parametrize("groups", [None, [0, 1] * 5])
    def test_pairs_that_share_a_reference_cannot_be_exchanged_one_by_one(self, groups):
        pairs = pairs_of(10)
        shared = [(pairs[0][0], y) for _, y in pairs]
        models = [
            seqbio.PairHMM(tie=tie, reference="x", **JC)
            for tie in (("open", "extend"), ("extend",))
        ]
        for data, exact in ((pairs, True), (shared, False)):
            given = data if groups is None else seqbio.GroupedPairs(data, groups)
            comparison = comparison_of(*models, given, 1)
            assert questioned_symmetry(comparison).exact == exact
            assert sign_flip_test(comparison).exact == exact
            needs = EXCHANGE.needs(comparison)
            assert ("not where pairs share a reference" in needs) == (not exact)

    def test_it_is_found_where_x_and_y_are_tied_and_nothing_else_is_tested(self):
        pairs = pairs_of(3)
        for null, alternative, df, exact in (
            (BOTH, EXTEND, 1, True),
            (BOTH, NONE, 2, True),
            (OPEN, NONE, 1, False),
        ):
            tested = questioned_symmetry(comparison_of(null, alternative, pairs, df))
            assert tested.symmetry.name == "exchange"
            assert (tested.directions.shape[1], tested.exact) == (df, exact)
        k80 = seqbio.PairHMM(tie=(), substitution="k80", frequencies="equal")
        assert questioned_symmetry(comparison_of(BOTH, k80, pairs, 3)) is None

    def test_it_holds_within_groups(self):
        pairs = seqbio.GroupedPairs(pairs_of(4), ["a", "b", "a", "b"])
        tested = questioned_symmetry(comparison_of(BOTH, EXTEND, pairs, 2))
        assert tested.exact
        assert tested.directions.shape[1] == 2
        over = seqbio.PairHMM(tie=("open", "extend", "group.open"), **JC)
        assert questioned_symmetry(comparison_of(over, BOTH, pairs, 1)) is None

    def test_scores_of_exchanged_pairs_have_the_other_sign_and_the_fit_stays(self):
        comparison = comparison_of(BOTH, NONE, pairs_of(5), 2)
        tested = questioned_symmetry(comparison)
        mask = np.array([True, False, True, False, False])
        exchanged = tested.symmetry.transform(comparison.data, mask)
        null = comparison.null_fit
        again = seqbio.core.fit(null.model, null.tying, exchanged)
        assert again.log_likelihood == pytest.approx(null.log_likelihood, abs=1e-6)
        before, after = (
            scores_of(null.model, untied(null.full.size), null.full, data) @ tested.directions
            for data in (comparison.data, exchanged)
        )
        signs = np.where(mask, -1.0, 1.0)[:, None]
        np.testing.assert_allclose(after, signs * before, atol=1e-9)


class TestFlips:
    def test_all_patterns_of_few_pairs_are_counted(self):
        comparison = comparison_of(BOTH, NONE, pairs_of(7, open_y=0.12), 2)
        result = sign_flip_test(comparison)
        scores = result.scores
        inverse = np.linalg.inv(scores.T @ scores)
        sums = [np.array(signs) @ scores for signs in product((1, -1), repeat=7)]
        values = np.array([each @ inverse @ each for each in sums])
        assert result.n_flips == 128
        assert np.exp(result.log_pvalue) == pytest.approx(np.mean(values >= values[0] - 1e-9))

    def test_drawn_patterns_agree_with_all(self):
        comparison = comparison_of(BOTH, EXTEND, pairs_of(20), 1)
        exact = sign_flip_test(comparison)
        scores = exact.scores[:, 0]
        signs = np.random.default_rng(2).choice([-1.0, 1.0], (20_000, 20))
        share = np.mean(np.abs(signs @ scores) >= abs(scores.sum()) - 1e-9)
        assert np.exp(exact.log_pvalue) == pytest.approx(share, abs=0.02)
        assert exact.n_exceeding is None

    def test_auto_takes_them_and_says_what_was_transformed(self):
        result = compare(BOTH, EXTEND, pairs_of(12), seed=1)
        assert result.calibration == "flip"
        assert "x and y change places in a pair" in result.null_law
        assert "exact for any number of items" in result.null_law
        assert result.robust_intervals
        evidence = result.to_dict()["evidence"]
        assert evidence["transformation"] == "x and y change places in a pair"
        assert evidence["exact"]

    def test_a_cluster_is_flipped_as_one(self):
        pairs = pairs_of(8, open_y=0.12)
        twice = [pair for pair in pairs for _ in range(2)]
        once = compare(BOTH, EXTEND, pairs, calibration="flip", seed=1)
        clustered = compare(
            BOTH, EXTEND, twice, calibration="flip", clusters=np.repeat(np.arange(8), 2), seed=1
        )
        assert clustered.pvalue == pytest.approx(once.pvalue)
        assert clustered.evidence.n_clusters == 8

    def test_few_items_have_no_p_value_that_cannot_be_small(self):
        result = compare(BOTH, EXTEND, pairs_of(4), calibration="flip")
        assert result.pvalue is None
        assert "no p-value below 0.125" in result.null_law
        assert compare(BOTH, EXTEND, pairs_of(4), seed=1, n_replicates=9).calibration != "flip"

    @pytest.mark.parametrize("clusters", [None, [0, 0, 0, 0]])
    def test_few_items_are_not_exchanged_either(self, clusters):
        pairs = pairs_of(4)
        result = compare(BOTH, EXTEND, pairs, calibration="exchange", clusters=clusters, seed=1)
        assert result.pvalue is None
        least = 0.125 if clusters is None else 1
        assert f"no p-value is below {least}; add independent ones" in result.to_json()

    def test_signs_of_effective_scores_hold_without_a_transformation(self):
        generator = np.random.default_rng(5)
        rejected = 0
        for _ in range(60):
            data = generator.poisson(generator.gamma(1.0, 4.0, (30, 2))).astype(float)
            result = compare(*equal_against_free(PoissonItems()), data, calibration="flip", seed=1)
            assert not result.evidence.exact
            rejected += result.pvalue <= 0.1
        assert rejected <= 13  # 99.5 % of counts at 10 %

    def test_effective_scores_take_off_what_others_explain(self):
        """Half of the counts have twice the rate of the other half, in both columns."""

        class Halves(PoissonItems):
            layout = seqbio.core.Layout({"log_rate": (2,), "level": ()})
            boundary = np.zeros(3, dtype=bool)

            def start(self, data):
                return np.zeros(3)

            def _log_rates(self, full, data):
                return full[:2] + full[2] * data[:, 2:]

            def log_likelihood(self, full, data):
                log_rate = self._log_rates(full, data)
                return (data[:, :2] * log_rate - np.exp(log_rate)).sum(axis=1)

            def log_likelihood_and_gradient(self, full, data):
                left = data[:, :2] - np.exp(self._log_rates(full, data))
                gradient = np.append(left.sum(axis=0), (left * data[:, 2:]).sum())
                return self.log_likelihood(full, data).sum(), gradient

            def curvature(self, full, data):
                return np.full(3, 1.0 + data[:, :2].sum())

        generator = np.random.default_rng(6)
        half = (np.arange(40) < 20).astype(float)[:, None]
        data = np.hstack([generator.poisson(3.0 * 2**half, (40, 2)), half])
        pair = Hypothesis(Halves(), equal(3, [0, 1])), Hypothesis(Halves(), untied(3))
        result = compare(*pair, data, calibration="flip")
        # Difference of columns, which does not depend on the level: the score is (b - a) / 2 root.
        differences = data[:, 1] - data[:, 0]
        scores = result.evidence.scores[:, 0]
        assert abs(np.corrcoef(scores, differences)[0, 1]) == pytest.approx(1.0, abs=1e-6)


class TestExchange:
    def test_refits_agree_with_flips(self):
        pairs = pairs_of(10, open_y=0.1)
        flips = compare(BOTH, EXTEND, pairs, calibration="flip")
        refits = compare(
            BOTH, EXTEND, pairs, calibration="exchange", n_replicates=99, stop_early=False, seed=2
        )
        assert refits.calibration == "exchange"
        assert refits.pvalue == pytest.approx(flips.pvalue, abs=0.12)
        assert refits.evidence.n_failed == 0
        assert "x and y change places" in refits.null_law

    def test_what_is_no_symmetry_is_refused(self):
        result = compare(OPEN, NONE, pairs_of(8), calibration="exchange")
        assert result.pvalue is None
        assert "'flip' would be a valid calibration" in result.warnings[-1].message
        with pytest.raises(ParameterError, match="symmetry of items"):
            seqbio.hypothesis_testing.exchange_test(comparison_of(OPEN, NONE, pairs_of(3), 1))


def test_every_calibration_says_what_it_takes_for_granted_and_the_help_names_it():
    import sys

    from seqbio.cli.calibration import CalibrationOption
    from seqbio.hypothesis_testing.calibrations import AUTOMATIC, CALIBRATIONS

    (option,) = CalibrationOption.__metadata__
    for name, calibration in CALIBRATIONS.items():
        assert name in option.help
        page = sys.modules[calibration.run.__module__].__doc__
        assert "takes for granted\n------" in page, name
    assert set(AUTOMATIC) < set(CALIBRATIONS.values())
