"""Sequences in memory: every usual type, the same rules as files, errors that name the record."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from Bio.Seq import MutableSeq, Seq
from Bio.SeqRecord import SeqRecord

from seqbio.errors import AlphabetError, AlphabetWarning, ParameterError, SequenceFormatError
from seqbio.sequences import (
    DNA,
    PROTEIN,
    Alphabet,
    as_records,
    encode_pairs,
    encode_records,
    get_alphabet,
)


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


def told(letters, alphabet="protein"):
    """Give what is said of the alphabet when sequences are encoded."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        encode_records(letters, alphabet)
    return [str(each.message) for each in caught if each.category is AlphabetWarning]


@pytest.mark.parametrize(
    ("letters", "name"),
    [
        (["ACGTTGCATGCA", "GGCAT"], "DNA"),
        (["acgttgcatgca", "GGCAT"], "DNA"),
        (["ACGNNNNNNNNNNNNNNNNNNNNTTGCATGCA", "GGCAT"], "DNA"),
        (["ACGTTGCATGCARGGCATACGTTGCATGCARGGCATAAGCT"], "DNA"),
        (["ACGUUGCAUGCA", "GGCAU"], "RNA"),
        (["T" * 70 + "AC" + "AAAATTTTTGCA" * 20], "DNA"),
    ],
)
def test_nucleotides_are_told_from_proteins(letters, name):
    [message] = told(letters)
    assert f"the letters are those of {name}; if that is what they are, choose alphabet" in message
    assert f" {name.lower()!r}, or a model of {name}" in message


@pytest.mark.parametrize(
    "letters",
    [
        ["ACGT"],  # too few to tell
        ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAA"],  # of polyalanine
        ["GAGAGSGAGAGSGAGAGTGAGAGTGAGAG"],  # of silk
        ["TAATAATAATAATAATAATAATAAT", "ATATATATATATATATA"],  # of an antifreeze
        ["NNNNNNNNNNNNNNNNNNNNNNNNNNN"],
        ["MAGTCAGALVKAGTGATCAGTCCAGTDAGT"],
        [],
    ],
)
def test_proteins_of_few_letters_are_proteins(letters):
    assert told(letters) == []


def test_nucleotides_in_their_alphabet_are_no_mistake():
    assert told(["ACGTTGCATGCATTGA"], DNA) == []
    assert told(["ACGUUGCAUGCAUUGA"], "rna") == []
    assert told(["ACGTTGCATGCATTGA"], Alphabet("of my own", "TGCA", {})) == []


def test_the_warning_points_at_the_line_of_the_user():
    with pytest.warns(AlphabetWarning) as caught:
        encode_pairs([("ACGTTGCATGCATTGA", "ACGT")], "protein")
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", ["dna", "rna", "protein"])
def test_sequences_encoded_together_are_those_encoded_alone(name):
    alphabet = get_alphabet(name)
    texts = [
        alphabet.symbols,
        alphabet.letters.lower(),
        alphabet.letters[::-1],
        alphabet.letters[0],
    ]
    items = [texts[0], Seq(texts[1]), SeqRecord(Seq(texts[2]), id="x"), MutableSeq(texts[3])]
    for codes, text in zip(encode_records(items, name), texts, strict=True):
        np.testing.assert_array_equal(codes, alphabet.encode(text))
        assert codes.dtype == np.uint8
        codes[:] = 0  # an array of its own
    np.testing.assert_array_equal(encode_records([texts[0], "ACG*"], PROTEIN)[1], [0, 1, 5])


@pytest.mark.parametrize(
    ("pairs", "error", "message"),
    [
        (
            [("AC", "AC"), ("AC", "AJ")],
            AlphabetError,
            "second sequence of the pair at index 1: pos",
        ),
        ([("AC", "")], SequenceFormatError, "the second sequence of the pair at index 0 is empty"),
        ([("AC", 5)], ParameterError, "the second sequence of the pair at index 0 is of type int"),
        ([("AC", "AC"), "AC"], ParameterError, "the item at index 1 is a str; give pairs"),
        ([("AC", "AC", "AC")], ParameterError, "the item at index 0 is a tuple of length 3"),
    ],
)
def test_pairs_that_cannot_be_encoded_are_named(pairs, error, message):
    with pytest.raises(error, match=message):
        encode_pairs(pairs)


def test_pairs_are_called_by_their_ids_or_their_index():
    records = [SeqRecord(Seq("ACG"), id=name) for name in "ab"]
    x, y, names = encode_pairs([tuple(records), ("AC", "G"), (records[0], "GG")])
    assert names == ["a and b", "index 1", "index 2"]
    assert [codes.tolist() for codes in (*x, *y)] == [
        [0, 1, 2], [0, 1], [0, 1, 2], [0, 1, 2], [2], [2, 2]
    ]  # fmt: skip
    assert encode_pairs([]) == ([], [], [])
    assert encode_pairs([("MK*", "MK")], "protein")[0][0].tolist() == [10, 8]
