"""One class of data for every model of sequences: names, parts, copies, and what is derived."""

from __future__ import annotations

import numpy as np
import pytest
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

from seqbio.core import fingerprint
from seqbio.errors import AlphabetError, ParameterError
from seqbio.sequences import DNA, PROTEIN, CharacterAlphabet
from seqbio.sequences.sequence_data import SequenceData


@pytest.fixture
def texts():
    rows = np.random.default_rng(4).choice(list("ACGT"), (3, 40))
    return ["".join(row) for row in rows]


def test_sequences_are_encoded_and_named():
    data = SequenceData.of(["ACG", SeqRecord(Seq("TTN"), id="x")], DNA, labels=[1, 0])
    assert [codes.tolist() for codes in data.codes] == [[0, 1, 2], [3, 3, 14]]
    assert [data.name(item) for item in range(2)] == [
        "the sequence at index 0",
        "the sequence at index 1 ('x')",
    ]
    assert (data.lengths.tolist(), data.common_length, data.classes.tolist()) == ([3, 3], 3, [1, 0])
    assert data.letter_counts.tolist() == [1.25, 1.25, 1.25, 2.25]
    text = SequenceData.of(["to be", "or"], CharacterAlphabet(" beort"))
    assert text.codes[1].tolist() == [3, 4]


def test_what_is_no_data_is_refused():
    with pytest.raises(ParameterError, match="no sequences"):
        SequenceData.of([], DNA)
    with pytest.raises(ParameterError, match="put it in a list"):
        SequenceData.of("ACGT", DNA)
    with pytest.raises(AlphabetError, match=r"index 1 .'x'.: position 3 is 'J'"):
        SequenceData.of(["ACG", SeqRecord(Seq("TTJ"), id="x")], DNA)
    with pytest.raises(ParameterError, match="no labels"):
        _ = SequenceData.of(["ACG"], DNA).classes
    with pytest.raises(ParameterError, match="protein alphabet has no complement"):
        SequenceData.of(["WYW"], PROTEIN).reverse_complements()


def test_data_are_named_by_content_and_cut_by_item(texts):
    data = SequenceData.of([texts[0], texts[0], "AC", "AC"], DNA, labels=[0, 1, 0, 0])
    assert data.clusters()[0] == data.clusters()[1]
    assert len(set(data.clusters())) == 3, "two letters are equal by chance"
    assert len(set(data.copies())) == 4, "copies are of one class"
    part = data.subset([2, 0])
    assert [len(codes) for codes in part.codes] == [2, 40]
    assert part.classes.tolist() == [0, 0]
    assert part.name(0) == "the sequence at index 2"
    assert fingerprint(part) != fingerprint(data)
    assert fingerprint(data.subset(np.arange(4))) == fingerprint(data)
    assert fingerprint(data.with_labels([1, 1, 0, 0])) != fingerprint(data)
    assert fingerprint(data.subset([0]).with_more(data.subset([1, 2, 3]))) == fingerprint(data)


def test_what_comes_of_the_other_strand_is_a_near_copy(texts):
    changed = "".join(reversed(texts[0])).translate(str.maketrans("ACGT", "TGCA"))
    data = SequenceData.of([*texts, changed], DNA)
    assert data.near_copies()[3] == data.near_copies()[0]
    assert len(set(data.near_copies())) == 3
    np.testing.assert_array_equal(data.reverse_complements()[0], data.codes[3])


def test_what_is_derived_of_the_letters_is_made_once(texts):
    data, made = SequenceData.of(texts, DNA, labels=[0, 1, 0]), []

    def lengths_of(some):
        return some.derived("lengths", lambda: made.append(1) or some.lengths.tolist())

    assert lengths_of(data) == lengths_of(data) == [40, 40, 40]
    assert lengths_of(data.with_labels([1, 1, 0])) == [40, 40, 40]
    assert len(made) == 1
    assert lengths_of(data.subset([1])) == [40]
    assert lengths_of(data.with_more(data)) == [40] * 6
    assert len(made) == 3
