"""Sequences in memory: every usual type, the same rules as files, errors that name the record."""

from __future__ import annotations

import numpy as np
import pytest
from Bio.Seq import MutableSeq, Seq
from Bio.SeqRecord import SeqRecord

from seqbio.errors import AlphabetError, ParameterError, SequenceFormatError
from seqbio.sequences import DNA, as_records, encode_records


def test_all_usual_types_give_records():
    record = SeqRecord(Seq("GGG"), id="z")
    found = as_records(["ACgt", Seq("nn"), MutableSeq("TT"), record])
    assert [str(each.seq) for each in found] == ["ACgt", "nn", "TT", "GGG"]
    assert all(type(each.seq) is Seq for each in found)
    assert found[3] is record


def test_a_stop_at_the_end_is_dropped_and_the_input_is_left_alone():
    record = SeqRecord(Seq("MK*"), id="x", description="x first")
    found = as_records([record, "MK*"], "protein")
    assert [str(each.seq) for each in found] == ["MK", "MK"]
    assert (found[0].id, found[0].description, str(record.seq)) == ("x", "x first", "MK*")


@pytest.mark.parametrize(
    ("item", "error", "message"),
    [
        ("ACJ", AlphabetError, r"^the sequence at index 1: position 3 is 'J', which is not in the"),
        ("AC-", AlphabetError, r"^the sequence at index 1: position 3 is '-', which is a gap; rem"),
        ("A*C", AlphabetError, r"^the sequence at index 1: position 2 is '\*', which is a stop"),
        ("ACé", AlphabetError, r"^the sequence at index 1: position 3 is 'é'"),
        ("AC\n", AlphabetError, r"^the sequence at index 1: position 3 is '\\n'"),
        (
            SeqRecord(Seq("ACU"), id="x"),
            AlphabetError,
            r"^the sequence at index 1 \('x'\): position 3 is 'U', which belongs to RNA",
        ),
        (SeqRecord(Seq("J")), AlphabetError, r"^the sequence at index 1: position 1 is 'J'"),
        ("", SequenceFormatError, "^the sequence at index 1 is empty; give it letters or leave it"),
        ("*", SequenceFormatError, "^the sequence at index 1 is empty"),
        (
            SeqRecord(None, id="x"),
            SequenceFormatError,
            r"^the sequence at index 1 \('x'\) is empty",
        ),
        (SeqRecord(Seq(None, 9), id="x"), SequenceFormatError, r"\('x'\) has a length but no lett"),
        (b"ACGT", ParameterError, "^the sequence at index 1 is of type bytes; give a str, a Seq"),
        (None, ParameterError, "^the sequence at index 1 is of type NoneType"),
    ],
)
@pytest.mark.parametrize("function", [as_records, encode_records])
def test_refusals_name_the_sequence(function, item, error, message):
    with pytest.raises(error, match=message) as caught:
        function(["ACGT", item])
    assert type(caught.value) is error


@pytest.mark.parametrize("items", ["ACGT", Seq("ACGT"), SeqRecord(Seq("ACGT"))])
def test_one_sequence_instead_of_several_is_refused(items):
    message = f"a list of sequences, found a single {type(items).__name__}; put it in a list, or re"
    with pytest.raises(ParameterError, match=message):
        as_records(items)


@pytest.mark.parametrize("alphabet", ["dna", DNA])
def test_codes_of_records(alphabet):
    first, second = encode_records(iter(["acgtR*", SeqRecord(Seq("TT"), id="x")]), alphabet)
    assert first.dtype == second.dtype == np.uint8
    assert (first.tolist(), second.tolist()) == ([0, 1, 2, 3, 4], [3, 3])


def test_no_sequences_are_no_records():
    assert as_records([]) == []
    assert encode_records([]) == []
