"""FASTA in stretches: the same letters as the reader of whole files, and the same refusals."""

from __future__ import annotations

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.errors import AlphabetError, ParameterError, SequenceFormatError
from seqbio.sequences import read_fasta, streaming
from seqbio.sequences.streaming import stream_fasta

LINE_ENDS = ["\n", "\r\n", "\r"]
texts = st.lists(st.text("ACGTnacgt", min_size=1, max_size=40), min_size=1, max_size=4)


def joined(stretches):
    records = {}
    for part in stretches:
        letters = records.setdefault(part.id, bytearray())
        assert part.start == len(letters) - part.n_repeated
        assert letters[part.start :] == part.letters[: part.n_repeated]
        letters += part.letters[part.n_repeated :]
    return {name: letters.decode() for name, letters in records.items()}


@pytest.mark.parametrize("n_read", [1, 3, 1 << 20], ids=lambda n: f"read {n}")
@given(
    sequences=texts,
    length=st.integers(3, 50),
    overlap=st.integers(0, 2),
    width=st.integers(1, 15),
    end=st.sampled_from(LINE_ENDS),
    star=st.booleans(),
)
def test_the_letters_are_those_of_the_file(n_read, sequences, length, overlap, width, end, star):
    lines = ["", ""]
    for number, letters in enumerate(sequences):
        lines.append(f">r{number} some words")
        lines += [letters[at : at + width] for at in range(0, len(letters), width)] + [""]
        lines += ["*"] * star
    content = end.join(lines).encode()
    original, streaming._READ = streaming._READ, n_read
    try:
        parts = list(stream_fasta(io.BytesIO(content), length=length, overlap=overlap))
    finally:
        streaming._READ = original
    expected = {str(r.id): str(r.seq) for r in read_fasta(io.BytesIO(content))}
    assert joined(parts) == expected
    assert all(len(part.letters) <= max(length, n_read) + length for part in parts)


def test_every_window_is_in_one_stretch_that_is_new():
    letters = "ACGTTGCAAC" * 5
    parts = list(stream_fasta(io.StringIO(f">x\n{letters}\n"), length=12, overlap=3))
    seen = [
        part.start + at
        for part in parts
        for at in range(len(part.letters) - 3)
        if at + 4 > part.n_repeated
    ]
    assert seen == list(range(len(letters) - 3))
    assert max(len(part.letters) for part in parts) == 12


def test_gzip_paths_standard_input_and_byte_order_marks(tmp_path, monkeypatch):
    content = b"\xef\xbb\xbf>x\nACGT\n"
    (tmp_path / "x.fa.gz").write_bytes(gzip.compress(content))
    assert joined(stream_fasta(tmp_path / "x.fa.gz")) == {"x": "ACGT"}
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert joined(stream_fasta("-")) == {"x": "ACGT"}
    (tmp_path / "plain.gz").write_bytes(content)
    for read in (stream_fasta, read_fasta):
        with pytest.raises(SequenceFormatError, match=r"plain.gz: the name ends in .gz but"):
            list(read(tmp_path / "plain.gz"))
    (tmp_path / "broken.gz").write_bytes(gzip.compress(content * 100)[:-9])
    with pytest.raises(SequenceFormatError, match="gzip data are broken"):
        list(stream_fasta(tmp_path / "broken.gz"))


refusals = [
    (">x\nACGT\nAC-T\n", AlphabetError, "record 'x', line 3: position 7 is '-'"),
    (">x\nACGT\n>y\nAC\nGU\n", AlphabetError, "record 'y', line 5: position 4 is 'U'"),
    (">x\nAC*GT\n", AlphabetError, "line 2: position 3 is '\\*'"),
    (">x\nAC*\nGT\n", AlphabetError, "position 3 is '\\*'"),
    ("ACGT\n", SequenceFormatError, "line 1: not FASTA.*'ACGT'"),
    ("hello\nACGT\n>x\nAC\n", SequenceFormatError, "line 1: not FASTA.* found 'hello'; convert"),
    ("\n \n\nACGT\n", SequenceFormatError, "line 4: not FASTA.* found 'ACGT'; convert"),
    (";x\nACGT\n", SequenceFormatError, "line 1: headers that start with ';' are not read"),
    (" \n\n", SequenceFormatError, "the file is empty"),
    ("", SequenceFormatError, "the file is empty"),
    (">x\n>y\nAC\n", SequenceFormatError, "record 'x', line 1: the record has no sequence"),
    ("> \nAC\n", SequenceFormatError, "line 1: the record has no id"),
    (b">x\nAC\n>y \xe9\nAC\n", SequenceFormatError, "line 3: byte 0xe9 is not UTF-8 text"),
    (">x\nAC\n>y\x00\nAC\n", SequenceFormatError, r"line 3: the header 'y\\x00' has a control"),
    (">\x1f\nAC\n", SequenceFormatError, r"line 1: the header '\\x1f' has a control"),
]


@pytest.mark.parametrize(("text", "error", "message"), refusals)
def test_refusals_name_the_place(text, error, message):
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(error, match=message):
        list(stream_fasta(io.BytesIO(content)))
    with pytest.raises(error, match=message):  # the reader of whole files says so, too
        read_fasta(io.BytesIO(content))


def test_refusals_of_arguments():
    with pytest.raises(ParameterError, match="overlap must be less"):
        list(stream_fasta(io.StringIO(">x\nA\n"), length=2, overlap=2))
    with pytest.raises(ParameterError, match="cannot read from 3"):
        list(stream_fasta(3))
