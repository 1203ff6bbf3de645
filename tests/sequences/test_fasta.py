"""FASTA: what is read, what is refused and with which words, and what is written."""

from __future__ import annotations

import gzip
import io
import sys
import warnings
from pathlib import Path

import pytest
from Bio import SeqIO
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from hypothesis import given
from hypothesis import strategies as st

from seqbio.errors import (
    AlphabetError,
    DuplicateIdWarning,
    ParameterError,
    SequenceFormatError,
)
from seqbio.sequences import DNA, PROTEIN, get_alphabet, read_fasta, write_fasta

ids = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1)
descriptions = st.lists(ids, max_size=3).map(" ".join)
sequences = st.text(DNA.symbols + DNA.symbols.lower(), min_size=1)


def contents(records):
    return [(record.id, record.name, record.description, str(record.seq)) for record in records]


def read(content: str | bytes, alphabet="dna", **options):
    return read_fasta(
        io.BytesIO(content.encode() if isinstance(content, str) else content), alphabet, **options
    )


@pytest.mark.parametrize(
    ("content", "alphabet", "expected"),
    [
        (">x\nacGTn\n", "dna", "acGTn"),
        (">x\r\nAC\r\nGT\r\n", "dna", "ACGT"),
        (">x\rAC\rGT\r", "dna", "ACGT"),
        (">x\r\nAC\nGT\rTT", "dna", "ACGTTT"),
        ("\ufeff>x\nACGT\n", "dna", "ACGT"),
        ("\n \n\t\n>x\n\nAC\n\nGT\n\n", "dna", "ACGT"),
        (">x\n AC GT\n\tAC  \n", "dna", "ACGTAC"),
        (">x\nACGT", "dna", "ACGT"),
        (">x\nRYSWKMBDHVN\n", "dna", "RYSWKMBDHVN"),
        (">x\nACGURYSWKMBDHVN\n", "rna", "ACGURYSWKMBDHVN"),
        (">x\nMKBZJXUO*\n", "protein", "MKBZJXUO"),
        (">x\nMKL\n*\n", "protein", "MKL"),
        (">x\nACGT*", "dna", "ACGT"),
    ],
)
def test_tolerated(content, alphabet, expected):
    [record] = read(content, alphabet)
    assert (record.id, str(record.seq)) == ("x", expected)


@pytest.mark.parametrize("header", ["x", "x one two", " x", "x\tone", "gi|1|ref", "café à", "x  "])
def test_headers_are_understood_as_biopython_does(header):
    content = f">{header}\nACGT\n"
    assert contents(read(content)) == contents(SeqIO.parse(io.StringIO(content), "fasta"))


@pytest.mark.parametrize(
    ("content", "alphabet", "error", "message"),
    [
        ("", "dna", SequenceFormatError, r"^{file}: the file is empty; expected FASTA"),
        ("\n \n", "dna", SequenceFormatError, r"^{file}: the file is empty"),
        (
            "\n\nACGT\n",
            "dna",
            SequenceFormatError,
            r"^{file}, line 3: not FASTA: expected a header that starts with '>', found 'ACGT'; c",
        ),
        ("@x\nAC\n+\nII\n", "dna", SequenceFormatError, r"^{file}, line 1: not FASTA.*found '@x'"),
        ("A" * 90, "dna", SequenceFormatError, r"found 'A{{40}}'; convert the file to FASTA$"),
        (
            ";x\nACGT\n",
            "dna",
            SequenceFormatError,
            r"^{file}, line 1: headers that start with ';' are not read; start them with '>'$",
        ),
        (
            ">x\nACGT\n;y\nACGT\n",
            "dna",
            AlphabetError,
            r"^{file}, record 'x', line 3: position 5 is ';', which is the start of a comment",
        ),
        (
            ">x\nAC\n>y z\n\n>w\nAC\n",
            "dna",
            SequenceFormatError,
            r"^{file}, record 'y', line 3: the record has no sequence; add it or remove",
        ),
        (">x\nAC\n>y", "dna", SequenceFormatError, r"^{file}, record 'y', line 3: .*no sequence"),
        (">x\n*\n", "dna", SequenceFormatError, r"^{file}, record 'x', line 1: .*no sequence"),
        (
            ">x\nAC\n>\nAC\n",
            "dna",
            SequenceFormatError,
            r"^{file}, line 3: the record has no id; write one right after '>'$",
        ),
        ("> \t\nAC\n", "dna", SequenceFormatError, r"^{file}, line 1: the record has no id"),
        (">", "dna", SequenceFormatError, r"^{file}, line 1: the record has no id"),
        (
            "\n>x\nAC\n\n>y z\nACGT\nAJ\n",
            "dna",
            AlphabetError,
            r"^{file}, record 'y', line 7: position 6 is 'J', which is not in the dna alphabet "
            r"\(ACGT, ambiguity codes RYSWKMBDHVN\); correct it, or choose another alphabet "
            r"\(or a model or motifs of another\)$",
        ),
        (
            ">x\nAC-GT\n",
            "dna",
            AlphabetError,
            r"^{file}, record 'x', line 2: position 3 is '-', which is a gap; remove the gaps with "
            r"--strip-gaps \(strip_gaps=True\)$",
        ),
        (">x\nMK.L\n", "protein", AlphabetError, r"^{file}, record 'x', line 2: position 3 is '\."),
        (
            ">x\nMK\nL*P\n",
            "protein",
            AlphabetError,
            r"^{file}, record 'x', line 3: position 4 is '\*', which is a stop inside the sequence",
        ),
        (">x\nMKL**\n", "protein", AlphabetError, r"position 4 is '\*', which is a stop inside"),
        (">x\nACGU\n", "dna", AlphabetError, r"line 2: position 4 is 'U', which belongs to RNA"),
        (">x\nACGT\n", "rna", AlphabetError, r"line 2: position 4 is 'T', which belongs to DNA"),
        (">x\nAC>y\nAC\n", "dna", AlphabetError, r"position 3 is '>', which is the start of a hea"),
        (">x\nAC1\n", "dna", AlphabetError, r"position 3 is '1', which is not in"),
        (">x\nAC\x00GT\n", "dna", AlphabetError, r"^{file}, record 'x', line 2: .* '\\x00'"),
        (">x\nACGT\n\x1a", "dna", AlphabetError, r"line 3: position 5 is '\\x1a'"),
        (">x\nACé\n", "dna", AlphabetError, r"line 2: position 3 is 'é', which is not in"),
        (
            ">x\nAC\n>y\x1b[31m\nAC\n",
            "dna",
            SequenceFormatError,
            r"^{file}, line 3: the header 'y\\x1b\[31m' has a control character; remove it$",
        ),
        (">x\x85\nAC\n", "dna", SequenceFormatError, r"line 1: the header 'x\\x85' has a control"),
    ],
)
def test_refused_with_one_clear_line(fasta_file, content, alphabet, error, message):
    path = fasta_file(content)
    file = str(path).replace("\\", r"\\").replace(".", r"\.")
    with pytest.raises(error, match=message.format(file=file)) as caught:
        read_fasta(path, alphabet)
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)


def test_refusals_name_standard_input_and_gzip_files(fasta_file, monkeypatch):
    with pytest.raises(AlphabetError, match=r"x\.fa\.gz, record 'x', line 2: position 1 is 'J'"):
        read_fasta(fasta_file(gzip.compress(b">x\nJ\n"), "x.fa.gz"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b">x\nJ\n")))
    with pytest.raises(AlphabetError, match=r"^standard input, record 'x', line 2: position 1"):
        read_fasta("-")


@given(before=st.lists(sequences), letters=sequences, data=st.data())
def test_line_and_position_of_a_bad_letter(before, letters, data):
    at = data.draw(st.integers(0, len(letters) - 1))
    width = data.draw(st.integers(1, len(letters)))
    blank = data.draw(st.integers(0, 2))
    letters = letters[:at] + "!" + letters[at + 1 :]
    lines = [letters[start : start + width] for start in range(0, len(letters), width)]
    content = "\n" * blank + "".join(f">r{i}\n{each}\n" for i, each in enumerate(before))
    line = content.count("\n") + 2 + at // width
    content += ">bad\n" + "\n".join(lines)
    expected = f"file object, record 'bad', line {line}: position {at + 1} is '!', which"
    with pytest.raises(AlphabetError, match=f"^{expected}"):
        read(content)


def test_gaps_are_stripped_when_asked():
    [record] = read(">x\n--AC.GT\n-A-*\n", strip_gaps=True)
    assert str(record.seq) == "ACGTA"
    with pytest.raises(SequenceFormatError, match="record 'y', line 3: the record has no sequence"):
        read(">x\nA\n>y\n----\n", strip_gaps=True)
    with pytest.raises(AlphabetError, match=r"record 'x', line 3: position 3 is 'J'"):
        read(">x\nA--C\n-J\n", strip_gaps=True)


def test_duplicate_ids_are_read_with_a_warning_that_names_them():
    content = ">x 1\nA\n>y\nC\n>x 2\nG\n>z\nT\n>z\nT\n"
    message = r"^file object: these ids belong to several records each: 'x', 'z'; give every record"
    with pytest.warns(DuplicateIdWarning, match=message) as caught:
        assert [record.id for record in read(content)] == ["x", "y", "x", "z", "z"]
    assert len(caught) == 1


def test_the_warning_points_at_the_caller(fasta_file):
    with pytest.warns(DuplicateIdWarning) as caught:
        read_fasta(fasta_file(">x\nA\n>x\nA\n"))
    assert caught[0].filename == __file__


def test_very_many_duplicates_are_counted_after_the_first_ten():
    content = "".join(f">r{i % 12}\nA\n" for i in range(24))
    with pytest.warns(DuplicateIdWarning, match=r"'r8', 'r9' and 2 more; give"):
        read(content)


@given(
    records=st.lists(st.tuples(ids, descriptions, sequences), min_size=1, unique_by=lambda r: r[0]),
    data=st.data(),
)
def test_layout_makes_no_difference(records, data):
    """Line width and ends, blank lines, byte order mark, stops and gzip change no record."""
    lines = []
    for identifier, description, letters in records:
        lines.append(f">{identifier} {description}")
        width = data.draw(st.integers(1, len(letters)))
        starred = letters + data.draw(st.sampled_from(["", "*"]))
        lines += [starred[start : start + width] for start in range(0, len(starred), width)]
        lines += [""] * data.draw(st.integers(0, 2))
    ends = st.sampled_from(["\n", "\r\n", "\r"])
    content = "".join(line + data.draw(ends) for line in lines).encode()
    if data.draw(st.booleans()):
        content = b"\xef\xbb\xbf" + content
    if data.draw(st.booleans()):
        content = gzip.compress(content, 1)
    expected = [
        (identifier, identifier, f"{identifier} {description}".rstrip(), letters)
        for identifier, description, letters in records
    ]
    assert contents(read(content)) == expected


@pytest.mark.parametrize("alphabet", ["dna", "rna", "protein", PROTEIN])
def test_every_symbol_of_every_alphabet_is_read(alphabet):
    symbols = get_alphabet(alphabet).symbols
    [record] = read(f">x\n{symbols}{symbols.lower()}\n", alphabet)
    assert str(record.seq) == symbols + symbols.lower()


@pytest.mark.parametrize("name", ["x.fa", "x.fa.gz"])
@given(
    records=st.lists(st.tuples(ids, descriptions, sequences), min_size=1, unique_by=lambda r: r[0])
)
def test_what_is_written_is_read_back(tmp_path_factory, name, records):
    path = tmp_path_factory.getbasetemp() / name
    written = [
        SeqRecord(Seq(letters), id=identifier, name=identifier, description=description)
        for identifier, description, letters in records
    ]
    write_fasta(written, path)
    back = read_fasta(path)
    assert [(r.id, str(r.seq)) for r in back] == [(r.id, str(r.seq)) for r in written]
    write_fasta(back, path)
    assert contents(read_fasta(path)) == contents(back)


def test_written_text(capsys):
    records = [
        SeqRecord(Seq("A" * 61), id="x"),
        SeqRecord(Seq("acgt"), id="y", description="y second"),
        SeqRecord(Seq("ACGT"), id="z", description="third"),
    ]
    write_fasta(records, "-")
    long = "A" * 60
    assert capsys.readouterr().out == f">x\n{long}\nA\n>y second\nacgt\n>z third\nACGT\n"


@pytest.mark.parametrize(
    ("record", "error", "message"),
    [
        (SeqRecord(Seq("AC")), SequenceFormatError, "the record at index 1 has no id; set record"),
        (SeqRecord(Seq("AC"), id=""), SequenceFormatError, "at index 1 has no id"),
        (SeqRecord(Seq("AC"), id="a b"), SequenceFormatError, "the id 'a b'; an id is one word"),
        (SeqRecord(Seq("AC"), id="a\nb"), SequenceFormatError, r"the id 'a\\nb'; an id is one"),
        (SeqRecord(Seq("AC"), id="a\x00"), SequenceFormatError, r"control character .* 'a\\x00'"),
        (
            SeqRecord(Seq("AC"), id="a", description="b\n>c"),
            SequenceFormatError,
            r"at index 1 has a control character in its header 'a b\\n>c'; remove it",
        ),
        (SeqRecord(Seq(""), id="a"), SequenceFormatError, "at index 1, 'a', has no sequence"),
        (SeqRecord(None, id="a"), SequenceFormatError, "at index 1, 'a', has no sequence"),
        ("ACGT", ParameterError, "the record at index 1 is a str; expected a SeqRecord"),
    ],
)
@pytest.mark.parametrize("existing", [True, False])
def test_a_bad_record_leaves_nothing_half_written(tmp_path, record, error, message, existing):
    path = tmp_path / "x.fa"
    if existing:
        path.write_text("old")
    with pytest.raises(error, match=message):
        write_fasta([SeqRecord(Seq("ACGT"), id="good"), record], path)
    assert [each.read_text() for each in tmp_path.iterdir()] == (["old"] if existing else [])


def test_a_bad_record_leaves_standard_output_empty(capsys):
    with pytest.raises(SequenceFormatError, match="has no id"):
        write_fasta([SeqRecord(Seq("ACGT"), id="good"), SeqRecord(Seq("AC"))], "-")
    assert capsys.readouterr().out == ""


def test_no_records_are_not_written(tmp_path):
    with pytest.raises(SequenceFormatError, match=r"x\.fa: there are no records to write"):
        write_fasta([], tmp_path / "x.fa")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source", ["path", "handle", "text"])
def test_many_records_and_a_long_line_agree_with_biopython(tmp_path, source):
    path = Path(tmp_path / "x.fa")
    path.write_text(">long\n" + "ACGTn" * 20_000 + "\n" + ">r{} word\nACGGT\nA\n" * 2_000)
    expected = contents(SeqIO.parse(path, "fasta"))
    with path.open("rb") as binary, path.open() as text, warnings.catch_warnings():
        warnings.simplefilter("ignore", DuplicateIdWarning)
        found = read_fasta({"path": path, "handle": binary, "text": text}[source])
    assert contents(found) == expected


@pytest.mark.parametrize("name", ["#c", ">x", "track", "a%b", "a;b=c&d", 'a"b', "é€", "a,b", "1"])
def test_names_of_any_kind_come_back_from_biopython_too(tmp_path, name):
    record = SeqRecord(Seq("ACGT"), id=name, description=f"{name} > # ; words")
    write_fasta([record, record], tmp_path / "x.fa")
    for back in SeqIO.parse(tmp_path / "x.fa", "fasta"):
        assert (back.id, back.description, back.seq) == (name, record.description, "ACGT")


@pytest.mark.parametrize("letters", ["AC\n>y\nGT", "AC GT", "AC\tGT", "AC>GT", "ACé", "AC\0"])
def test_a_sequence_that_would_be_another_is_not_written(tmp_path, letters):
    record = SeqRecord(Seq(letters.encode()), id="x")
    with pytest.raises(SequenceFormatError, match=r"'x', has .* at position 3 of its sequence"):
        write_fasta([record], tmp_path / "x.fa")
    assert not list(tmp_path.iterdir())
