"""Text from paths, gzip data, standard input and file objects."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.errors import ParameterError, SequenceFormatError
from seqbio.sequences import read_input

TEXT = b">x\nACGT\n"


def standard_input(content: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")


@pytest.mark.parametrize("content", [TEXT, gzip.compress(TEXT)], ids=["plain", "gzip"])
@pytest.mark.parametrize("path_type", [str, Path])
@pytest.mark.parametrize("name", ["x.fa", "x"])
def test_gzip_data_are_known_by_their_content(fasta_file, content, path_type, name):
    path = path_type(fasta_file(content, name))
    assert read_input(path) == (str(path), TEXT)


def test_a_file_named_gz_that_is_gzip_is_read(fasta_file):
    assert read_input(fasta_file(gzip.compress(TEXT), "x.fa.gz"))[1] == TEXT


def test_gzip_files_joined_end_to_end_are_read_whole(fasta_file):
    path = fasta_file(gzip.compress(TEXT) + gzip.compress(TEXT), "x.fa.gz")
    assert read_input(path)[1] == TEXT + TEXT


def test_plain_text_named_gz_is_refused(fasta_file):
    with pytest.raises(SequenceFormatError, match=r"x\.fa\.gz: the name ends in \.gz but .*rename"):
        read_input(fasta_file(TEXT, "x.fa.gz"))


def broken_gzip() -> dict[str, bytes]:
    whole = gzip.compress(TEXT * 50, mtime=0)
    return {
        "truncated": whole[:-10],
        "only the magic": whole[:2],
        "wrong checksum": whole[:-8] + b"\0\0\0\0" + whole[-4:],
        "garbage inside": whole[:12] + b"\xff" * 8 + whole[20:],
        "garbage behind": whole + b"tail",
    }


@pytest.mark.parametrize("kind", broken_gzip())
def test_broken_gzip_data_are_refused(fasta_file, kind):
    path = fasta_file(broken_gzip()[kind], "x.fa.gz")
    with pytest.raises(SequenceFormatError, match=r"x\.fa\.gz: the gzip data are broken .*copy"):
        read_input(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\u00e9".encode("latin-1"), r"line 1: byte 0xe9 is not UTF-8 text; save the file as"),
        (b">x\nAC\n>caf\xe9\nAC\n", r"line 3: byte 0xe9 is not UTF-8"),
        (">x\nACGT\n".encode("utf-16"), r"line 1: byte 0xff is not UTF-8"),
    ],
    ids=["latin-1", "later line", "utf-16"],
)
def test_undecodable_bytes_are_refused_with_their_line(fasta_file, content, message):
    path = fasta_file(content)
    with pytest.raises(SequenceFormatError, match=r"x\.fa, " + message):
        read_input(path)
    with pytest.raises(SequenceFormatError, match=message), path.open(encoding="utf-8") as stream:
        read_input(stream)
    with (
        pytest.raises(SequenceFormatError, match=message),
        path.open(encoding="utf-8", errors="surrogateescape", newline="") as stream,
    ):
        read_input(stream)


@pytest.mark.parametrize("content", [b"a\r\nb\r\n", b"a\rb\r", b"\xef\xbb\xbfa\nb\n", b"a\r\nb\r"])
def test_line_ends_and_byte_order_mark_are_made_plain(content):
    assert read_input(io.BytesIO(content))[1] == b"a\nb\n"
    assert read_input(io.StringIO(content.decode(), newline=""))[1] == b"a\nb\n"


@given(lines=st.lists(st.tuples(st.text("ab>é "), st.sampled_from(["\n", "\r\n", "\r"]))))
def test_any_mixture_of_line_ends_agrees_with_universal_newlines(lines):
    text = "".join(line + end for line, end in lines)
    expected = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8").read()
    assert read_input(io.BytesIO(text.encode()))[1].decode() == expected


@pytest.mark.parametrize("source", ["-", Path("-")])
@pytest.mark.parametrize("content", [TEXT, gzip.compress(TEXT)], ids=["plain", "gzip"])
def test_standard_input_is_read(monkeypatch, source, content):
    monkeypatch.setattr(sys, "stdin", standard_input(content))
    assert read_input(source) == ("standard input", TEXT)


def test_standard_input_may_be_a_text_object(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(TEXT.decode()))
    assert read_input("-") == ("standard input", TEXT)


def test_file_objects_are_read_and_named(fasta_file):
    path = fasta_file(gzip.compress(TEXT), "x.fa.gz")
    with path.open("rb") as stream:
        assert read_input(stream) == (str(path), TEXT)
    with gzip.open(path, "rt") as stream:
        assert read_input(stream) == (str(path), TEXT)
    assert read_input(io.StringIO(TEXT.decode())) == ("file object", TEXT)


def test_a_path_that_cannot_be_opened_is_the_usual_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.fa"):
        read_input(tmp_path / "absent.fa")
    with pytest.raises(IsADirectoryError):
        read_input(tmp_path)


@pytest.mark.parametrize("source", [None, 3, [">x", "ACGT"]])
def test_anything_else_is_refused(source):
    with pytest.raises(ParameterError, match=r"cannot read from .*give a path, '-' for standard"):
        read_input(source)
