"""Copies, and sequences that are nearly the same."""

from __future__ import annotations

import numpy as np

import seqbio
from seqbio.core import clusters_of, near_copies_of
from seqbio.sequences import DNA
from seqbio.sequences.copies import near_copies

GENERATOR = np.random.default_rng(2)
GENOME = GENERATOR.integers(0, 4, 3000)


def numbers_of(*sequences):
    return near_copies([[codes] for codes in sequences], 4, DNA.complement).tolist()


def changed(codes, n):
    places = GENERATOR.choice(len(codes), n, replace=False)
    result = codes.copy()
    result[places] = (result[places] + 1 + GENERATOR.integers(0, 3, n)) % 4
    return result


def test_what_is_nearly_the_same_is_found_on_either_strand():
    one, other = GENOME[:300], GENOME[1000:1300]
    turned = DNA.reverse_complement(changed(one, 2).astype(np.uint8))
    overlapping = GENOME[60:360]
    assert numbers_of(one, other, changed(one, 3), turned, overlapping) == [0, 1, 0, 0, 0]


def test_relatives_and_what_overlaps_little_are_left_apart():
    one = GENOME[:300]
    assert numbers_of(one, changed(one, 45), GENOME[200:500]) == [0, 1, 2]


def test_sequences_without_many_words_are_left_apart():
    repeat = np.tile([0, 1], 200)
    short = GENOME[:20]
    assert numbers_of(repeat, repeat.copy(), short, short.copy()) == [0, 1, 2, 3]


def test_pairs_are_near_copies_where_both_sequences_are():
    hmm = seqbio.PairHMM(substitution="jc69").set_parameters(
        {"open_x": 0.05, "open_y": 0.05, "extend_x": 0.3, "extend_y": 0.3, "end": 0.01}
        | {"distance": 0.15}
    )
    pairs = hmm.simulate(4, columns=200, seed=1)
    turned = [tuple(r.seq.reverse_complement() for r in pair) for pair in pairs]
    _, data = hmm.hypothesis(pairs + turned)
    assert near_copies_of(data).tolist() == [0, 1, 2, 3] * 2
    # The same x with another y is no copy of the pair.
    mixed = [(pairs[0][0], pairs[1][1]), *pairs]
    _, data = hmm.hypothesis(mixed)
    assert len(set(near_copies_of(data))) == 5


def test_near_copies_are_one_cluster_and_told():
    hmm = seqbio.PairHMM(substitution="jc69").set_parameters(
        {"open_x": 0.05, "open_y": 0.05, "extend_x": 0.3, "extend_y": 0.3, "end": 0.01}
        | {"distance": 0.1}
    )
    pairs = hmm.simulate(10, columns=150, seed=2)
    turned = [tuple(r.seq.reverse_complement() for r in pair) for pair in pairs]
    null, alternative = (
        seqbio.PairHMM(tie=tie, substitution="jc69") for tie in (("open", "extend"), ("extend",))
    )
    result = seqbio.compare(null, alternative, pairs + turned, seed=1)
    assert result.calibration == "flip"
    assert result.evidence.n_clusters == 10
    assert "20 of 20 items are nearly the same as others, such as number 1 and 11" in str(
        [check.message for check in result.warnings]
    )
    asked = seqbio.compare(null, alternative, pairs + turned, calibration="chi2")
    assert asked.pvalue is None
    once = seqbio.compare(null, alternative, pairs, seed=1)
    assert 0.2 < result.pvalue / once.pvalue < 5


def test_clusters_and_near_copies_are_joined():
    class Data:
        def clusters(self):
            return [0, 0, 1, 2, 3]

        def near_copies(self):
            return [0, 1, 1, 2, 3]

    assert clusters_of(None, Data(), 5).tolist() == [0, 0, 0, 1, 2]
