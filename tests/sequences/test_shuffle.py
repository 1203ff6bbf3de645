"""Shuffles keep neighbours, and reach every arrangement equally often."""

from __future__ import annotations

import itertools
import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from seqbio.errors import ParameterError
from seqbio.sequences import SingleArrangementWarning, shuffle_dinucleotides
from seqbio.sequences.shuffle import log_arrangements, shuffle_codes

words = st.lists(st.integers(0, 3), min_size=1, max_size=60)


def neighbours(codes):
    return Counter(itertools.pairwise(codes.tolist()))


@given(word=words, seed=st.integers(0, 99))
def test_neighbours_first_and_last_letter_are_kept(word, seed):
    codes = np.array(word, dtype=np.uint8)
    shuffled = shuffle_codes(codes, np.random.default_rng(seed))
    assert neighbours(shuffled) == neighbours(codes)
    assert (shuffled[0], shuffled[-1]) == (codes[0], codes[-1])


@given(word=st.lists(st.integers(0, 2), min_size=1, max_size=7))
def test_the_number_of_arrangements_is_that_of_all_words(word):
    codes = np.array(word)
    same = sum(
        other[0] == word[0] and neighbours(np.array(other)) == neighbours(codes)
        for other in itertools.product(range(3), repeat=len(word))
    )
    assert np.exp(log_arrangements(codes)) == pytest.approx(same)


@pytest.mark.parametrize(("word", "n_arrangements"), [("ACCCACGATGATG", 27), ("AATAAGATAT", None)])
def test_arrangements_are_equally_frequent(word, n_arrangements):
    codes = np.frombuffer(word.encode(), dtype=np.uint8) % 32
    expected = round(np.exp(log_arrangements(codes)))
    assert n_arrangements in (None, expected)
    generator = np.random.default_rng(1)
    counts = Counter(
        shuffle_codes(codes, generator).tobytes() for _ in range(100 * expected)
    ).values()
    assert len(counts) == expected
    assert chisquare(list(counts)).pvalue > 0.001


def test_records_keep_their_names_and_ambiguity_codes():
    with pytest.warns(SingleArrangementWarning):
        first, second, *rest = shuffle_dinucleotides(["acgtNNacgtNac", "AAAC"], copies=2, seed=0)
    assert (first.id, second.id) == ("sequence1_shuffled1", "sequence1_shuffled2")
    assert Counter(str(first.seq)) == Counter("ACGTNNACGTNAC")
    assert [str(record.seq) for record in rest] == ["AAAC", "AAAC"]


def test_same_seed_same_shuffles():
    one, other, third = (
        str(shuffle_dinucleotides(["ACGGTCAACGTTGCA" * 3], seed=seed)[0].seq) for seed in (1, 1, 2)
    )
    assert one == other != third


def test_a_sequence_that_cannot_be_shuffled_is_a_warning():
    with pytest.warns(SingleArrangementWarning, match="'sequence2'"):
        shuffle_dinucleotides(["ACCCACGATGATG", "AAAAA"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shuffle_dinucleotides(["ACCCACGATGATG"])
    with pytest.raises(ParameterError, match="copies is 0"):
        shuffle_dinucleotides(["ACGT"], copies=0)
