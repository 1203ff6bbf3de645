"""FASTA of any size, a bounded stretch of letters at a time."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import IO, Any

from ..core._checks import checked
from ..errors import AlphabetError, ParameterError, SequenceFormatError
from .alphabet import Alphabet, get_alphabet
from .fasta import has_control_character, header_refusal, not_fasta
from .input import (
    Source,
    is_gzip,
    is_standard_stream,
    not_utf8,
    path_of,
    source_name,
    standard_input,
)

_READ = 1 << 20  # bytes at a time
_DROPPED = b" \t\n"


@dataclass(frozen=True)
class Stretch:
    """Part of a record.

    Parameters
    ----------
    id : str
        Of the record.
    start : int
        Place of the first letter in the record, counted from 0.
    letters : bytes
        As written, soft masking included.
    n_repeated : int
        So many of the first letters ended the stretch before.
    """

    id: str
    start: int
    letters: bytes
    n_repeated: int


@checked
def stream_fasta(
    source: Source,
    alphabet: str | Alphabet = "dna",
    *,
    length: int = 1 << 20,
    overlap: int = 0,
) -> Iterator[Stretch]:
    r"""Read FASTA in stretches of bounded length, checking every letter.

    Follows the rules of `read_fasta`, but never holds a whole record or file, so that errors are
    raised where they are met, after earlier stretches. Ids are not remembered, so that nobody is
    warned of those that repeat.

    Parameters
    ----------
    source
        A path, ``"-"`` for standard input, or a file object in text or binary mode; gzip data are
        recognised.
    alphabet
        ``"dna"``, ``"rna"``, ``"protein"`` or an `Alphabet`.
    length : int, default 2**20
        Letters of a stretch, those repeated included; at most about a mebibyte more.
    overlap : int, default 0
        How many letters at the end of a stretch are repeated at the start of the next one of the
        same record, so that every window of one letter more is inside a stretch.

    Yields
    ------
    Stretch
        In order.

    Raises
    ------
    AlphabetError, SequenceFormatError, ParameterError, OSError
        As `read_fasta`.

    Examples
    --------
    >>> import io
    >>> for part in stream_fasta(io.BytesIO(b">x\nACGTA\nCG\n>y\nAC\n"), length=4, overlap=1):
    ...     print(part.id, part.start, part.letters)
    x 0 b'ACGT'
    x 3 b'TACG'
    y 0 b'AC'
    """
    if not 0 <= overlap < length:
        raise ParameterError(f"overlap is {overlap} and length {length}; overlap must be less")
    parser = _Parser(source_name(source), get_alphabet(alphabet), length, overlap)
    try:
        with contextlib.closing(_chunks(source)) as chunks:
            for chunk in chunks:
                yield from parser.feed(chunk)
        yield from parser.finish()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SequenceFormatError(
            f"{parser.name}: the gzip data are broken ({error}); copy or compress the file again"
        ) from error


class _Parser:
    """What is known between two chunks of a file."""

    def __init__(self, name: str, alphabet: Alphabet, length: int, overlap: int) -> None:
        self.name, self.alphabet, self.length, self.overlap = name, alphabet, length, overlap
        self.line = 1  # of the first byte that is not yet consumed
        self.header = b""  # begun in the last chunk
        self.header_line = 0  # of the record that is read
        self.in_header = False
        self.at_line_start = True
        self.id: str | None = None
        self.letters = bytearray()
        self.start = 0
        self.repeated = 0
        self.stopped = False  # by a '*', which must be the last letter

    def feed(self, chunk: bytes) -> Iterator[Stretch]:
        while chunk:
            if self.in_header:
                chunk = self._take_header(chunk)
            elif self.at_line_start and chunk.startswith(b">"):
                yield from self._end_record()
                self.in_header, self.header, chunk = True, b"", chunk[1:]
            else:
                end = 0 if self.at_line_start and chunk.startswith(b">") else chunk.find(b"\n>") + 1
                body, chunk = (chunk[:end], chunk[end:]) if end else (chunk, b"")
                self._take_letters(body)
                self.at_line_start = body.endswith(b"\n")
                yield from self._full_stretches()

    def finish(self) -> Iterator[Stretch]:
        if self.in_header:
            self._take_header(b"\n")
        if self.id is None:
            raise SequenceFormatError(f"{self.name}: the file is empty; expected FASTA records")
        yield from self._end_record()

    def _take_header(self, chunk: bytes) -> bytes:
        line, newline, rest = chunk.partition(b"\n")
        self.header += line
        if not newline:
            return b""
        try:
            title = self.header.decode()
        except UnicodeDecodeError as error:
            raise not_utf8(self.name, self.line, error) from error
        words = title.split(None, 1)
        if not words or has_control_character(title):
            raise header_refusal(self.name, self.line, title)
        self.id, self.start, self.repeated, self.stopped = words[0], 0, 0, False
        self.in_header, self.at_line_start = False, True
        self.header_line = self.line
        self.line += 1
        return rest

    def _take_letters(self, body: bytes) -> None:
        letters = body.translate(None, _DROPPED)
        if letters and self.id is None:
            raise not_fasta(self.name, self.line - 1, body)
        position = self.start + len(self.letters)
        index = 0 if letters and self.stopped else self.alphabet.find_invalid(letters)
        if index == len(letters) - 1 and letters.endswith(b"*") and not self.stopped:
            letters, self.stopped = letters[:-1], True
        elif index >= 0:
            self._refuse(letters, body, index, position)
        self.letters += letters
        self.line += body.count(b"\n")

    def _refuse(self, letters: bytes, body: bytes, index: int, position: int) -> None:
        line = self.line
        if self.stopped:  # the star stood before this chunk
            letters, index, position = b"*", 0, position
        else:
            line += body[: body.index(letters[index : index + 1])].count(b"\n")
        complaint = self.alphabet.complaint(letters, index)
        complaint = complaint.replace(f"{index + 1} ", f"{position + index + 1} ", 1)
        raise AlphabetError(f"{self.name}, record {self.id!r}, line {line}: {complaint}")

    def _full_stretches(self) -> Iterator[Stretch]:
        while len(self.letters) > self.length:
            yield self._cut(self.length)
            keep = self.length - self.overlap
            self.start += keep
            del self.letters[:keep]
            self.repeated = self.overlap

    def _end_record(self) -> Iterator[Stretch]:
        if self.id is None:
            return
        if not self.letters:
            raise SequenceFormatError(
                f"{self.name}, record {self.id!r}, line {self.header_line}: the record has no "
                "sequence; add it or remove the header"
            )
        if len(self.letters) > self.repeated:
            yield self._cut(len(self.letters))
        self.letters.clear()

    def _cut(self, length: int) -> Stretch:
        return Stretch(str(self.id), self.start, bytes(self.letters[:length]), self.repeated)


def _chunks(source: Source) -> Generator[bytes, None, None]:
    """Yield the bytes of a source, unpacked and with plain line ends."""
    with contextlib.ExitStack() as stack:
        stream: Any = source
        if is_standard_stream(source):
            stream = standard_input()
        elif isinstance(source, str | os.PathLike):
            stream = stack.enter_context(path_of(source).open("rb"))
        elif not hasattr(source, "read"):
            raise ParameterError(
                f"cannot read from {source!r}; give a path, '-' for standard input, or a file "
                "object"
            )
        first = _read(stream)
        if is_gzip(source, first):
            packed = io.BufferedReader(_Joined(first, stream), _READ)
            stream = stack.enter_context(gzip.GzipFile(fileobj=packed))
            first = stream.read(_READ)
        first = first.removeprefix(b"\xef\xbb\xbf")
        held = b""
        while first:
            chunk = held + first
            # A line end of Windows may be cut in two.
            held = b"\r" if chunk.endswith(b"\r") else b""
            chunk = chunk.removesuffix(b"\r") if held else chunk
            if b"\r" in chunk:
                chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            yield chunk
            first = _read(stream)
        if held:
            yield b"\n"


def _read(stream: IO[Any]) -> bytes:
    chunk = stream.read(_READ)
    return chunk.encode("utf-8", "surrogateescape") if isinstance(chunk, str) else bytes(chunk)


class _Joined(io.RawIOBase):
    """Bytes that were read already, then the rest of a stream."""

    def __init__(self, first: bytes, rest: IO[bytes]) -> None:
        self._first, self._rest = first, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._first:
            self._first = self._rest.read(len(buffer))
        part, self._first = self._first[: len(buffer)], self._first[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)
