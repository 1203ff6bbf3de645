"""Pairs of records: every way to arrange them, and every way that fails."""

from __future__ import annotations

import io
import os
import sys

import pytest
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from hypothesis import given
from hypothesis import strategies as st

from seqbio.errors import (
    AlphabetError,
    DuplicateIdWarning,
    PairingError,
    PairingWarning,
    ParameterError,
    SequenceFormatError,
)
from seqbio.sequences import as_pairs, read_pairs


def fasta(identifiers: str) -> str:
    return "".join(f">{each}\n{'A' * (1 + index)}\n" for index, each in enumerate(identifiers))


def source(identifiers: str) -> io.StringIO:
    return io.StringIO(fasta(identifiers))


def names(pairs):
    return [first.id + second.id for first, second in pairs]


@pytest.mark.parametrize(
    ("first", "second", "options", "expected"),
    [
        ("abcd", None, {}, ["ab", "cd"]),
        ("abcd", None, {"pairing": "consecutive"}, ["ab", "cd"]),
        ("abcd", None, {"pairing": "first-vs-rest"}, ["ab", "ac", "ad"]),
        ("abc", "xyz", {}, ["ax", "by", "cz"]),
        ("abc", "cba", {"pairing": "by-order"}, ["ac", "bb", "ca"]),
        ("abc", "cab", {"pairing": "by-id"}, ["aa", "bb", "cc"]),
        ("abcd", None, {"select": [("d", "a"), ("d", "b")]}, ["da", "db"]),
        ("abc", None, {"select": [["c", "c"]]}, ["cc"]),
    ],
)
def test_every_way_of_pairing(first, second, options, expected):
    pairs = read_pairs(source(first), source(second) if second else None, **options)
    assert names(pairs) == expected
    assert all(type(pair) is tuple for pair in pairs)


@given(order=st.permutations("abcdef"))
def test_by_id_does_not_depend_on_the_order_of_the_second_source(order):
    pairs = read_pairs(source("abcdef"), source("".join(order)), pairing="by-id")
    assert [(x.id, len(x)) for x, _ in pairs] == list(zip("abcdef", range(1, 7), strict=True))
    assert [(y.id, len(y)) for _, y in pairs] == [(x, order.index(x) + 1) for x in "abcdef"]


def test_letters_alphabet_and_gaps_are_handled_as_in_read_fasta():
    [(first, second)] = read_pairs(
        io.StringIO(">x one\nMk-L*\n>y\nPP.P\n"), alphabet="protein", strip_gaps=True
    )
    assert (str(first.seq), first.description, str(second.seq)) == ("MkL", "x one", "PPP")
    with pytest.raises(AlphabetError, match=r"file object, record 'y', line 4: position 3 is '\.'"):
        read_pairs(io.StringIO(">x\nACG\n>y\nAC.\n"))


@pytest.mark.parametrize(
    ("first", "second", "options", "message"),
    [
        (
            "abc",
            None,
            {},
            r"^{one}: 3 records cannot be taken two by two, the last one, 'c', has no partner; add "
            "it, choose the pairing first-vs-rest, or select pairs by id$",
        ),
        (
            "a",
            None,
            {"pairing": "first-vs-rest"},
            r"^{one}: the only record, 'a', has no other to be paired with; add the others$",
        ),
        (
            "abc",
            "ab",
            {},
            r"^{one} has 3 records and {two} has 2, so they cannot be paired in order; .*by-id$",
        ),
        (
            "abc",
            "abd",
            {"pairing": "by-id"},
            r"^{one}: no record has the id 'd', which {two} has; the ids are 'a', 'b', 'c'$",
        ),
        (
            "abc",
            "ab",
            {"pairing": "by-id"},
            r"^{two}: no record has the id 'c', which {one} has; the ids are 'a', 'b'$",
        ),
    ],
)
def test_refused_with_one_clear_line(fasta_file, first, second, options, message):
    one = fasta_file(fasta(first), "one.fa")
    two = fasta_file(fasta(second or "z"), "two.fa")
    with pytest.raises(PairingError, match=message.format(one=one, two=two)):
        read_pairs(one, two if second else None, **options)


@pytest.mark.parametrize(
    ("first", "second"), [("aab", "ab"), ("ab", "aab"), ("aab", "aab")], ids=lambda ids: ids
)
def test_duplicate_ids_are_ambiguous_where_ids_decide(first, second):
    message = r"file object: 2 records have the id 'a', so the choice is ambiguous; give every"
    with pytest.warns(DuplicateIdWarning), pytest.raises(PairingError, match=message):
        read_pairs(source(first), source(second), pairing="by-id")


def test_duplicate_ids_are_only_a_warning_where_ids_do_not_decide():
    with pytest.warns(DuplicateIdWarning, match="'a'"):
        assert names(read_pairs(source("aaab"))) == ["aa", "ab"]
    with pytest.warns(DuplicateIdWarning, match="'a'"):
        assert names(read_pairs(source("aabc"), select=[("b", "c")])) == ["bc"]
    with (
        pytest.warns(DuplicateIdWarning, match="'a'"),
        pytest.raises(PairingError, match="2 records have the id 'a'"),
    ):
        read_pairs(source("aabc"), select=[("b", "a")])


def test_an_unknown_id_is_refused_with_the_nearest_ones(fasta_file):
    path = fasta_file(">Human\nA\n>Mouse\nA\n>HumanOld\nA\n>Rat\nA\n", "mammals.fa")
    message = r"mammals\.fa: no record has the id 'Humn'; the nearest ids are 'Human', 'HumanOld'$"
    with pytest.raises(PairingError, match=message):
        read_pairs(path, select=[("Humn", "Mouse")])
    with pytest.raises(PairingError, match=r"mammals\.fa: no record has the id 'zzz'; the ids are"):
        read_pairs(path, select=[("Human", "zzz")])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pairing": "by-id"}, "pairing='by-id' does not apply to one source; choose one of conse"),
        ({"pairing": "odd"}, "pairing='odd' does not apply to one source; .*ive, first-vs-rest$"),
        (
            {"second": "-", "pairing": "consecutive"},
            "to two sources; choose one of by-order, by-id",
        ),
        ({"second": "-", "select": [("a", "b")]}, "select picks pairs from one source; leave out"),
        ({"pairing": "consecutive", "select": [("a", "b")]}, "select picks pairs from one source"),
        ({"select": ["ab"]}, "'ab' is no pair; write two ids with a comma between"),
        ({"select": [("a", "b", "c")]}, r"\('a', 'b', 'c'\) is no pair; write two ids"),
        ({"alphabet": "dan"}, "unknown alphabet 'dan'"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(options, message):
    with pytest.raises(ParameterError, match=message):
        read_pairs(source("ab"), **options)


def test_a_stream_serves_one_of_two_sources(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdin", source("ab"))
    assert names(read_pairs("-", source("xy"))) == ["ax", "by"]
    os.mkfifo(tmp_path / "pipe")  # which would never end, as nobody fills it
    for stream in ("-", source("ab"), tmp_path / "pipe"):
        with pytest.raises(ParameterError, match=r"is a stream and cannot be read twice; save it"):
            read_pairs(stream, stream)


def test_pairs_in_memory_may_be_of_every_usual_type():
    record = SeqRecord(Seq("GG"), id="x")
    found = as_pairs([("ACgt", record), [Seq("MK"), "T*"]], "protein")
    assert [(str(x.seq), str(y.seq)) for x, y in found] == [("ACgt", "GG"), ("MK", "T")]
    assert found[0][1] is record
    assert all(type(pair) is tuple for pair in found)
    assert as_pairs([]) == []


@pytest.mark.parametrize(
    ("pair", "error", "message"),
    [
        (("AJ", "A"), AlphabetError, "^the first sequence of the pair at index 1: position 2 is"),
        (
            ("A", SeqRecord(Seq("AJ"), id="x")),
            AlphabetError,
            r"^the second sequence of the pair at index 1 \('x'\): position 2 is 'J'",
        ),
        (("A", ""), SequenceFormatError, "^the second sequence of the pair at index 1 is empty"),
        (("A", 1), ParameterError, "^the second sequence of the pair at index 1 is of type int"),
        ("AC", ParameterError, "^the item at index 1 is a str; give pairs, as tuples of two"),
        (SeqRecord(Seq("AC")), ParameterError, "^the item at index 1 is a SeqRecord; give pairs"),
        (("A", "C", "G"), ParameterError, "^the item at index 1 is a tuple of length 3; give pair"),
    ],
)
def test_refusals_name_the_pair_and_the_sequence(pair, error, message):
    with pytest.raises(error, match=message):
        as_pairs([("ACGT", "ACGT"), pair])


def test_pairs_in_order_whose_ids_are_those_of_others_are_pointed_out(recwarn):
    read_pairs(source("abc"), source("cba"), pairing="by-order")
    assert [warning.category for warning in recwarn] == [PairingWarning]
    assert "choose the pairing by-id" in str(recwarn[0].message)
    recwarn.clear()
    read_pairs(source("abc"), source("abc"), pairing="by-order")
    read_pairs(source("abc"), source("xyz"), pairing="by-order")
    assert not recwarn.list


COMMAS = "".join(f">{name}\nACGT\n" for name in ("x,1", "y", "x", "1,z", "z", "x,1,z"))


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("x,1,y", ("x,1", "y")),
        ("y,x,1", ("y", "x,1")),
        ("x,1 , y", ("x,1", "y")),
        ("x,1,z,x", ("x,1,z", "x")),
        ("x,y", ("x", "y")),
        ("x,1,x,1", ("x,1", "x,1")),
    ],
)
def test_a_text_is_cut_at_the_comma_between_two_ids(text, pair):
    [(x, y)] = read_pairs(io.StringIO(COMMAS), select=[text])
    assert (x.id, y.id) == pair


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,1,z", "'x,1,z' can be read as 'x' and '1,z', or as 'x,1' and 'z'; rename a record"),
        ("a,b,c", "no comma in 'a,b,c' has the id of a record on either side; the ids are 'x,1'"),
        ("x,zz", "no record has the id 'zz'"),
    ],
)
def test_a_text_without_one_such_comma_is_refused(text, message):
    with pytest.raises(PairingError, match=message):
        read_pairs(io.StringIO(COMMAS), select=[text])
