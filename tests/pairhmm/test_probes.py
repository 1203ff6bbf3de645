"""Scores, clusters and parts of pairs, and the probes for goodness of fit."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from seqbio.core import fit, scores_of
from seqbio.hypothesis_testing import goodness_of_fit
from seqbio.pairhmm import PairHMM
from seqbio.pairhmm.dp import expected_counts
from seqbio.pairhmm.probes import gap_length_dispersion, overhangs

TRUTH = {
    "open_x": 0.04,
    "open_y": 0.06,
    "extend_x": 0.5,
    "extend_y": 0.4,
    "end": 0.03,
    "distance": 0.2,
    "kappa": 2.0,
}


@pytest.fixture(scope="module")
def hmm():
    return PairHMM().set_parameters(TRUTH)


@pytest.fixture(scope="module")
def pairs(hmm):
    return [(str(x.seq), str(y.seq)) for x, y in hmm.simulate(12, columns=30, seed=1)]


@pytest.fixture(scope="module")
def data(hmm, pairs):
    return hmm.hypothesis(pairs)[1]


def test_scores_are_the_gradients_of_single_pairs(hmm, data):
    scores = hmm.model.scores(hmm.full_, data)
    assert scores.shape == (12, hmm.model.layout.size)
    for i in (0, 5, 11):
        gradient = hmm.model.log_likelihood_and_gradient(hmm.full_, data.subset(np.array([i])))[1]
        np.testing.assert_allclose(scores[i], gradient, rtol=1e-9, atol=1e-9)


def test_scores_of_ambiguous_letters_are_gradients_too(hmm):
    _, data = hmm.hypothesis([("ACGTNACGT", "ACGRACGT"), ("ACCA", "ANCA")])
    total = hmm.model.log_likelihood_and_gradient(hmm.full_, data)[1]
    np.testing.assert_allclose(hmm.model.scores(hmm.full_, data).sum(axis=0), total, atol=1e-9)


def test_scores_agree_with_differences(hmm, data):
    hypothesis, _ = PairHMM(tie=(), frequencies="equal").hypothesis([("ACGT", "ACT")])
    own = scores_of(hypothesis.model, hypothesis.tying, hmm.full_, data)

    class Without:
        layout = hypothesis.model.layout

        def log_likelihood(self, full, data):
            return hypothesis.model.log_likelihood(full, data)

    other = scores_of(Without(), hypothesis.tying, hmm.full_, data)
    np.testing.assert_allclose(own, other, atol=1e-5)


def test_parts_keep_their_likelihood(hmm, data):
    chosen = np.array([3, 3, 0])
    whole = hmm.model.log_likelihood(hmm.full_, data)
    part = hmm.model.log_likelihood(hmm.full_, data.subset(chosen))
    np.testing.assert_allclose(part, whole[chosen], rtol=1e-12)


def test_pairs_travel_without_what_can_be_computed_again(hmm, data):
    hmm.model.scores(hmm.full_, data)
    again = pickle.loads(pickle.dumps(data))
    assert again.fingerprint() == data.fingerprint()
    assert again.latest is None


def test_pairs_that_share_sequences_are_in_one_cluster(hmm):
    pairs = [("ACGT", "ACG"), ("TTTT", "ACGT"), ("CCC", "CC"), ("GGGG", "TTTT"), ("CCC", "CC")]
    labels = hmm.hypothesis(pairs)[1].clusters()
    groups = {frozenset(np.flatnonzero(labels == label)) for label in labels}
    assert groups == {frozenset({0, 1, 3}), frozenset({2, 4})}


def test_dispersion_is_above_0_for_a_gap_longer_than_expected_and_below_for_a_usual_one(hmm):
    left, right = "ACGTTGCAAGCTTACGGATC", "CATGGCTAATCCGTAGCTAG"
    long, usual = "CCGGACCGGACC", "CC"
    _, data = hmm.hypothesis([(left + gap + right, left + right) for gap in (long, usual)])
    machine, _ = hmm.model.machine(hmm.full_, data)
    counts = expected_counts(machine, data.coded)
    in_x, in_y = gap_length_dispersion(machine, data, counts.log_likelihood).T
    # One gap of n letters, with extension probabilities of 0.5 plus and minus 0.05; other
    # alignments have some share, too.
    for found, n in zip(in_x, (12, 2), strict=True):
        mixed = (0.45 * 0.55 ** (n - 1) + 0.55 * 0.45 ** (n - 1)) / 2
        assert found == pytest.approx(2 / 0.05**2 * np.log(mixed / 0.5**n), rel=0.15)
    assert np.abs(in_y).max() < 1.0


def test_overhangs_are_seen_at_either_end(hmm):
    core = "ACGTTGCAAGCTTACGGATCCATG"
    pairs = [(f"CCGGA{core}", core), (f"{core}CCGGA", core), (core, core)]
    _, data = hmm.hypothesis(pairs)
    machine, _ = hmm.model.machine(hmm.full_, data)
    found = overhangs(machine, expected_counts(machine, data.coded))
    begins_x, _, ends_x, _ = found.T
    assert begins_x[0] > 0.8
    assert ends_x[1] > 0.8
    assert found[2].max() < 0.05
    assert begins_x[1] < 0.05
    assert ends_x[0] < 0.05


@pytest.mark.parametrize("cut", [slice(5, None), slice(None, -5)])
def test_trimmed_sequences_do_not_fit(hmm, pairs, cut):
    trimmed = [(x, y[cut]) for x, y in pairs]
    hypothesis, data = PairHMM(tie=()).hypothesis(trimmed)
    fitted = fit(hypothesis.model, hypothesis.tying, data)
    ends = next(misfit for misfit in goodness_of_fit(fitted, data) if misfit.name == "ends")
    assert ends.pvalue < 0.005


def test_what_the_model_has_made_fits(hmm, pairs):
    hypothesis, data = PairHMM(tie=()).hypothesis(pairs)
    fitted = fit(hypothesis.model, hypothesis.tying, data)
    assert all(misfit.pvalue > 0.01 for misfit in goodness_of_fit(fitted, data))
