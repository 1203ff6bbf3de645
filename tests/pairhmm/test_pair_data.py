"""Encoded pairs: what is counted in them, which belong together, how they travel."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from seqbio.core.fingerprint import fingerprint
from tests.pairhmm.examples import encoded

PAIRS = [("ACGT", "ACT"), ("NNA", "A"), ("GG", "GRRG")]


def texts(data):
    return [
        tuple(data.alphabet.decode(codes) for codes in pair)
        for pair in zip(data.x, data.y, strict=True)
    ]


def test_only_symbols_that_occur_are_told_apart():
    data = encoded(PAIRS)
    symbols = [data.alphabet.symbols[code] for code in data.symbols]
    assert set(symbols) == set("ACGTNR")
    np.testing.assert_array_equal(data.membership, data.alphabet.membership[data.symbols])
    for side, counts in enumerate((data.counts_x, data.counts_y)):
        expected = [[pair[side].count(symbol) for symbol in symbols] for pair in PAIRS]
        np.testing.assert_array_equal(counts, expected)


def test_letters_are_counted_with_equal_shares_of_codes():
    # R is A or G, N anything: ACGT twice in part, A, G.
    counts = encoded(PAIRS).letter_counts
    np.testing.assert_allclose(counts, [4 + 2 / 4 + 2 / 2, 2 + 2 / 4, 5 + 2 / 4 + 2 / 2, 2 + 2 / 4])


def test_lengths():
    np.testing.assert_array_equal(encoded(PAIRS).lengths, [(4, 3), (3, 1), (2, 4)])


@pytest.mark.parametrize(
    ("cells", "n_pairs"), [(0, 1), (11, 1), (13, 1), (16, 2), (24, 3), (99, 3)]
)
def test_a_part_has_at_most_so_many_cells_or_one_pair(cells, n_pairs):
    assert texts(encoded(PAIRS).part(cells)) == PAIRS[:n_pairs]


def test_a_subset_is_in_the_order_asked_for():
    data = encoded(PAIRS)
    assert texts(data.subset(np.array([2, 0, 2]))) == [PAIRS[2], PAIRS[0], PAIRS[2]]


def test_fingerprint_knows_letters_order_and_sides():
    names = {
        encoded(pairs).fingerprint()
        for pairs in (PAIRS, PAIRS[::-1], PAIRS[:2], [(y, x) for x, y in PAIRS])
    }
    assert len(names) == 4
    assert fingerprint(encoded(PAIRS)) == fingerprint(encoded(PAIRS))
    dna, rna = encoded([("AC", "AC")]), encoded([("AC", "AC")], "rna")
    assert dna.fingerprint() != rna.fingerprint()


def test_data_travel_without_what_was_computed():
    data = encoded(PAIRS)
    small = len(pickle.dumps(data))
    assert data.coded
    assert data.letter_counts.any()
    data.latest = "something", np.zeros(1000)
    assert len(pickle.dumps(data)) == small
    again = pickle.loads(pickle.dumps(data))
    assert again.fingerprint() == data.fingerprint()
    assert again.latest is None


@pytest.mark.parametrize(
    ("pairs", "clusters"),
    [
        (["AA CC", "GG TT", "AC CA"], [{0}, {1}, {2}]),
        (["AA CC", "AA TT", "AC CA"], [{0, 1}, {2}]),
        (["AA CC", "GG AA", "GG TT", "AC CA"], [{0, 1, 2}, {3}]),
        (["AA CC", "GG TT", "CC GG"], [{0, 1, 2}]),
        (["AA AA", "CC CC", "AA AA"], [{0, 2}, {1}]),
    ],
    ids=["apart", "one in x", "a chain over both sides", "linked last", "copies"],
)
def test_pairs_are_linked_by_the_sequences_they_share(pairs, clusters):
    labels = encoded([tuple(pair.split()) for pair in pairs]).clusters()
    found = [set(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)]
    assert sorted(found, key=min) == clusters


@pytest.mark.parametrize(
    ("pairs", "copies", "sharing", "side"),
    [
        (["AA CC", "GG TT"], 0, 0, ""),
        (["AA CC", "AA CC", "AA CC"], 3, 0, ""),
        (["AA CC", "AA TT", "GG GG"], 0, 2, "x"),
        (["CC AA", "TT AA", "GG GG"], 0, 2, "y"),
        (["AA CC", "CC AA"], 0, 2, ""),
        (["AA CC", "CC TT"], 0, 2, ""),
        (["AA CC", "AA TT", "GG TT"], 0, 3, ""),
        (["AA CC", "AA CC", "AA TT"], 2, 1, "x"),
    ],
)
def test_copies_and_shared_sequences_are_counted(pairs, copies, sharing, side):
    found = encoded([tuple(pair.split()) for pair in pairs]).shared
    assert found == (copies, sharing, side)


@pytest.mark.parametrize(
    ("pairs", "reference", "clusters", "shared"),
    [
        (["AA CC", "AA TT", "AA GG"], "x", [0, 1, 2], (0, 0, "")),
        (["AA CC", "AA TT", "AA GG"], "y", [0, 0, 0], (0, 3, "x")),
        (["CC AA", "TT AA"], "y", [0, 1], (0, 0, "")),
        (["AA CC", "AA TT", "GG TT"], "x", [0, 1, 1], (0, 2, "y")),
        # An ancestor may have an ancestor, and a read may be without errors.
        (["AA CC", "CC TT"], "x", [0, 1], (0, 0, "")),
        (["AA AA", "AA CC"], "x", [0, 1], (0, 0, "")),
        (["AA CC", "AA CC", "AA GG"], "x", [0, 0, 1], (2, 0, "")),
        (["AA AA", "AA CC", "AA AA"], "x", [0, 1, 2], (0, 0, "")),
    ],
)
def test_pairs_are_independent_given_the_reference(pairs, reference, clusters, shared):
    data = replace(encoded([tuple(pair.split()) for pair in pairs]), reference=reference)
    assert data.clusters().tolist() == clusters
    assert data.shared == shared
    parts = data.subset(np.array([0])), data.part(1), data.joined([data])
    assert {part.reference for part in (*parts, pickle.loads(pickle.dumps(data)))} == {reference}


def test_what_is_of_one_reference_is_no_copy_for_being_like_it():
    genome = "ACGGTTACAGCATTGCAACGTCAGGATTACCAGTCGATCTTAGCGA" * 4
    reads = [genome, genome, genome[:90] + "T" + genome[91:], genome[:30] + genome[32:]]
    data = encoded([(genome, read) for read in reads])
    assert np.unique(data.near_copies()).tolist() == [0]
    assert data.copies().tolist() == [0, 0, 2, 3]
    declared = replace(data, reference="x")
    for labels in (declared.near_copies(), declared.copies(), declared.clusters()):
        assert len(np.unique(labels)) == 4
    twice = replace(encoded([(genome, read) for read in reads[2:] * 2]), reference="x")
    assert len(np.unique(twice.copies())) == len(np.unique(twice.clusters())) == 2


def test_fingerprint_knows_the_reference():
    data = encoded(PAIRS)
    names = {replace(data, reference=side).fingerprint() for side in (None, "x", "y")}
    assert len(names) == 3
