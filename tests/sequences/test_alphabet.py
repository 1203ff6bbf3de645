"""Alphabets: codes, what they stand for, complements, and refusals."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from Bio.Data import IUPACData
from Bio.Seq import Seq, reverse_complement, reverse_complement_rna
from hypothesis import given
from hypothesis import strategies as st

from seqbio.errors import AlphabetError, ParameterError
from seqbio.sequences import DNA, PROTEIN, RNA, Alphabet, get_alphabet

ALPHABETS = [DNA, RNA, PROTEIN]
each_alphabet = pytest.mark.parametrize("alphabet", ALPHABETS, ids=lambda a: a.name)


def mixed_case(alphabet: Alphabet) -> st.SearchStrategy[str]:
    return st.text(alphabet.symbols + alphabet.symbols.lower())


@pytest.mark.parametrize(
    ("alphabet", "letters"), [(DNA, "ACGT"), (RNA, "ACGU"), (PROTEIN, "ACDEFGHIKLMNPQRSTVWY")]
)
def test_concrete_letters_have_the_first_codes_in_order(alphabet, letters):
    assert alphabet.letters == letters
    assert alphabet.size == len(letters)
    codes = alphabet.encode(letters)
    assert codes.dtype == np.uint8
    assert codes.tolist() == list(range(len(letters)))


@pytest.mark.parametrize(
    ("alphabet", "iupac"),
    [
        (DNA, IUPACData.ambiguous_dna_values),
        (RNA, IUPACData.ambiguous_rna_values),
        (PROTEIN, IUPACData.extended_protein_values | {"U": PROTEIN.letters, "O": PROTEIN.letters}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_every_symbol_is_the_average_of_what_iupac_says_it_stands_for(alphabet, iupac):
    if alphabet is not PROTEIN:
        iupac = {code: members for code, members in iupac.items() if code != "X"}
    assert set(alphabet.symbols) == set(iupac)
    for symbol, row in zip(alphabet.symbols, alphabet.membership, strict=True):
        members = {alphabet.letters[i] for i in np.flatnonzero(row)}
        assert members == set(iupac[symbol])
        np.testing.assert_allclose(row[row > 0], 1 / len(members), rtol=1e-15)


@each_alphabet
def test_shared_tables_cannot_be_changed(alphabet):
    with pytest.raises(ValueError, match="read-only"):
        alphabet.membership[0, 0] = 0.5
    if alphabet.complement is not None:
        with pytest.raises(ValueError, match="read-only"):
            alphabet.complement[0] = 0


@each_alphabet
@given(data=st.data())
def test_decoding_gives_the_letters_back_in_upper_case(alphabet, data):
    text = data.draw(mixed_case(alphabet))
    codes = alphabet.encode(text)
    assert alphabet.decode(codes) == text.upper()
    for same in (text.upper(), text.encode(), Seq(text)):
        np.testing.assert_array_equal(alphabet.encode(same), codes)


def test_codes_are_an_array_of_their_own():
    codes = DNA.encode("ACGT")
    codes[0] = 3
    assert DNA.decode(codes) == "TCGT"
    assert DNA.encode("").shape == (0,)


@given(text=mixed_case(DNA))
def test_reverse_complement_of_dna_agrees_with_biopython(text):
    assert DNA.decode(DNA.reverse_complement(DNA.encode(text))) == reverse_complement(text.upper())


@given(text=mixed_case(RNA))
def test_reverse_complement_of_rna_agrees_with_biopython(text):
    expected = reverse_complement_rna(text.upper())
    assert RNA.decode(RNA.reverse_complement(RNA.encode(text))) == expected


def test_reverse_complement_turns_the_last_axis():
    batch = np.array([DNA.encode("AACGR"), DNA.encode("NTTTT")])
    expected = np.array([DNA.encode("YCGTT"), DNA.encode("AAAAN")])
    np.testing.assert_array_equal(DNA.reverse_complement(batch), expected)
    np.testing.assert_array_equal(DNA.reverse_complement(expected), batch)


def test_protein_has_no_complement():
    assert PROTEIN.complement is None
    with pytest.raises(AlphabetError, match="the protein alphabet has no complement; use 'dna'"):
        PROTEIN.reverse_complement([0, 1])


@pytest.mark.parametrize(
    ("alphabet", "text", "message"),
    [
        (DNA, "ACJGT", r"^position 3 is 'J', which is not in the dna alphabet \(ACGT, .*correct"),
        (
            DNA,
            "ACGu",
            r"'u', which belongs to RNA; write T, or .*'rna' .*motifs of RNA\)$",
        ),
        (
            RNA,
            "TACG",
            r"'T', which belongs to DNA; write U, or .*'dna' .*motifs of DNA\)$",
        ),
        (DNA, "A-C", "position 2 is '-', which is a gap; remove the gaps$"),
        (PROTEIN, "MK.L", r"position 3 is '\.', which is a gap"),
        (PROTEIN, "M*L", r"position 2 is '\*', which is a stop inside the sequence; .* cut it"),
        (DNA, "AC>y", r"position 3 is '>', which is the start of a header; put each header on"),
        (DNA, "AC;y", r"position 3 is ';', which is the start of a comment"),
        (DNA, "AC\x00", r"position 3 is '\\x00', which is not in the dna alphabet"),
        (DNA, "AC 1", r"position 3 is ' ', which is not in the dna alphabet"),
        (DNA, "ACé", r"position 3 is 'é', which is not in the dna alphabet"),
        (DNA, "AC\udcff", r"position 3 is '\?', which is not in the dna alphabet"),
    ],
)
def test_a_letter_outside_the_alphabet_is_refused(alphabet, text, message):
    with pytest.raises(AlphabetError, match=message):
        alphabet.encode(text)


@each_alphabet
@given(letters=st.binary())
def test_the_first_invalid_letter_is_found(alphabet, letters):
    accepted = (alphabet.symbols + alphabet.symbols.lower()).encode()
    invalid = [index for index, letter in enumerate(letters) if letter not in accepted]
    assert alphabet.find_invalid(letters) == (invalid[0] if invalid else -1)


@pytest.mark.parametrize("codes", [[15], [-1], [0.0, 1.0], [True]])
def test_numbers_that_are_no_codes_are_refused(codes):
    with pytest.raises(ParameterError, match="codes of the dna alphabet are integers from 0 to 14"):
        DNA.decode(codes)
    with pytest.raises(ParameterError, match="codes of the dna alphabet"):
        DNA.reverse_complement(codes)


def test_no_codes_are_no_letters():
    assert DNA.decode([]) == ""
    assert DNA.reverse_complement([]).tolist() == []


@each_alphabet
def test_an_alphabet_is_found_by_name_and_survives_pickling(alphabet):
    assert get_alphabet(alphabet.name) is alphabet
    assert get_alphabet(alphabet) is alphabet
    copy = pickle.loads(pickle.dumps(alphabet))
    assert copy == alphabet
    assert hash(copy) == hash(alphabet)
    assert copy.encode(alphabet.letters).tolist() == alphabet.encode(alphabet.letters).tolist()


def test_alphabets_differ():
    assert len(set(ALPHABETS)) == 3


def test_an_unknown_alphabet_is_refused_with_the_choices():
    with pytest.raises(ParameterError, match="'DNA5'; choose one of dna, rna, protein"):
        get_alphabet("DNA5")
