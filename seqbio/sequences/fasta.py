"""FASTA files, read with strict checks and clear refusals, written whole or not at all."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable

from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

from ..core._checks import checked
from ..errors import (
    AlphabetError,
    DuplicateIdWarning,
    ParameterError,
    SequenceFormatError,
    warn,
)
from .alphabet import GAPS, Alphabet, get_alphabet
from .input import Source, read_input
from .output import atomic_writer
from .records import has_id, letters_of, listed

_BLANK_LINES = re.compile(rb"(?:[ \t]*\n)*")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")
_NO_LETTER = re.compile(rb"[\s>\x00-\x1f\x7f-\xff]")
_LINE_WIDTH = 60
# What Biopython writes into a record that was built without a description.
_NO_DESCRIPTION = "<unknown description>"


@checked
def read_fasta(
    source: Source, alphabet: str | Alphabet = "dna", *, strip_gaps: bool = False
) -> list[SeqRecord]:
    r"""Read all records of a FASTA file and check every letter.

    Letters are kept as they are written: lower case may be soft masking. Tolerated are lower
    case, all three kinds of line ends, a byte order mark, blank lines, spaces and tabs between
    letters, IUPAC ambiguity codes, and a ``*`` at the end of a record, which is dropped. All else
    is refused with a message of one line that says which file, record, line and position, and
    what to do.

    Parameters
    ----------
    source
        A path, ``"-"`` for standard input, or a file object in text or binary mode. Gzip data are
        recognised by their first bytes, whatever the name.
    alphabet
        ``"dna"``, ``"rna"``, ``"protein"`` or an `Alphabet`.
    strip_gaps
        Remove the gap characters ``-`` and ``.``, as in rows of an alignment. Positions in
        messages are then counted without gaps.

    Returns
    -------
    list of Bio.SeqRecord.SeqRecord
        The id is the first word of the header, the description the whole header.

    Raises
    ------
    AlphabetError
        A letter is not in the alphabet: a gap, a ``*`` inside a sequence, U in DNA, T in RNA ...
    SequenceFormatError
        The source is empty, not FASTA, not UTF-8, broken gzip data; a record has no id or no
        sequence; a header has a control character.
    OSError
        The path cannot be opened.

    Warns
    -----
    DuplicateIdWarning
        Several records have the same id.

    Examples
    --------
    >>> import io
    >>> [record] = read_fasta(io.StringIO(">x first\nACGT\nnnac\n"))
    >>> record.id, record.description, str(record.seq)
    ('x', 'x first', 'ACGTnnac')
    >>> read_fasta(io.StringIO(">x\nACGT\nAC-T\n"))  # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
    seqbio.errors.AlphabetError: file object, record 'x', line 3: position 7 is '-', which is a gap;
    remove the gaps with --strip-gaps (strip_gaps=True)
    """
    table = get_alphabet(alphabet)
    name, content = read_input(source)
    start = _BLANK_LINES.match(content).end()  # type: ignore[union-attr]  # matches always
    if content[start : start + 1] != b">":
        raise not_fasta(name, content.count(b"\n", 0, start), content[start:])
    dropped = b" \t\n" + (GAPS if strip_gaps else b"")
    chunks = content[start + 1 :].split(b"\n>")
    records: list[SeqRecord] = []
    for chunk in chunks:
        header, _, body = chunk.partition(b"\n")
        title = header.decode()
        words = title.split(None, 1)
        letters = body.replace(b"\n", b"")
        valid = table.find_invalid(letters) < 0
        if not valid:  # rarely; so that most records need a single pass over their letters
            letters = letters.translate(None, dropped).removesuffix(b"*")
            valid = table.find_invalid(letters) < 0
        if not (words and letters and valid) or has_control_character(title):
            blank = content.count(b"\n", 0, start)
            line = blank + 1 + sum(before.count(b"\n") + 1 for before in chunks[: len(records)])
            raise _refusal(name, line, title, letters, body, dropped, table)
        identifier = words[0]
        records.append(
            SeqRecord(Seq(letters), id=identifier, name=identifier, description=title.rstrip())
        )
    warn_of_duplicates(name, [str(record.id) for record in records])
    return records


def not_fasta(name: str, n_lines: int, rest: bytes) -> SequenceFormatError:
    """Make the exception for what does not begin with a header, after so many blank lines."""
    line = n_lines + 1 + rest[: len(rest) - len(rest.lstrip())].count(b"\n")
    text = rest.lstrip()[:400].decode("utf-8", "replace").split("\n")[0]
    if not text:
        return SequenceFormatError(f"{name}: the file is empty; expected FASTA records")
    if text.startswith(";"):
        return SequenceFormatError(
            f"{name}, line {line}: headers that start with ';' are not read; start them with '>'"
        )
    return SequenceFormatError(
        f"{name}, line {line}: not FASTA: expected a header that starts with '>', "
        f"found {text[:40]!r}; convert the file to FASTA"
    )


def has_control_character(text: str) -> bool:
    """Say whether there is something in a header that is neither text nor a space."""
    # Printable text is known quickly; a tab or an odd space is neither printable nor refused.
    return not text.isprintable() and _CONTROL_CHARACTER.search(text) is not None


def _refusal(
    name: str,
    line: int,
    title: str,
    letters: bytes,
    body: bytes,
    dropped: bytes,
    alphabet: Alphabet,
) -> SequenceFormatError:
    """Find out why a record is refused; `line` is that of its header."""
    if has_control_character(title) or not title.strip():
        return header_refusal(name, line, title)
    record = f"{name}, record {title.split()[0]!r}"
    if not letters:
        return SequenceFormatError(
            f"{record}, line {line}: the record has no sequence; add it or remove the header"
        )
    index = alphabet.find_invalid(letters)
    line += 1 + _line_of_letter(body, index, dropped)
    remedy = " with --strip-gaps (strip_gaps=True)" if letters[index] in GAPS else ""
    return AlphabetError(f"{record}, line {line}: {alphabet.complaint(letters, index)}{remedy}")


def header_refusal(name: str, line: int, title: str) -> SequenceFormatError:
    """Make the exception for a header without an id or with a control character."""
    if has_control_character(title):
        return SequenceFormatError(
            f"{name}, line {line}: the header {title!r} has a control character; remove it"
        )
    return SequenceFormatError(
        f"{name}, line {line}: the record has no id; write one right after '>'"
    )


def _line_of_letter(body: bytes, index: int, dropped: bytes) -> int:
    """Give the line of `body`, from 0, that holds the letter at `index` of the sequence."""
    end = 0
    for number, line in enumerate(body.split(b"\n")):
        end += len(line.translate(None, dropped))
        if index < end:
            return number
    raise IndexError(index)


def warn_of_duplicates(name: str, ids: list[str]) -> None:
    """Warn the caller of the function that calls this of ids that several records have."""
    if len(set(ids)) == len(ids):
        return
    duplicates = [identifier for identifier, count in Counter(ids).items() if count > 1]
    warn(
        f"{name}: these ids belong to several records each: {listed(duplicates)}; "
        "give every record an id of its own",
        DuplicateIdWarning,
    )


@checked
def write_fasta(records: Iterable[SeqRecord], target: str | os.PathLike[str]) -> None:
    r"""Write records as FASTA, whole or not at all.

    Every record is checked before the first byte is written, and the file appears under its name
    only when it is complete. What is written can be read back by `read_fasta`.

    Parameters
    ----------
    records
        Each with an id and a sequence. The header is the description if that begins with the id,
        else the id followed by the description.
    target
        A path (compressed if it ends in ``.gz``) or ``"-"`` for standard output.

    Raises
    ------
    SequenceFormatError
        A record has no id, an id with spaces, a control character in its header, no sequence, or
        something in it that is no letter, or there are no records.
    ParameterError
        An item is not a SeqRecord.
    OSError
        The target cannot be written.

    Examples
    --------
    >>> write_fasta([SeqRecord(Seq("ACGT"), id="x", description="first")], "-")
    >x first
    ACGT
    """
    text = "".join(_formatted(record, index) for index, record in enumerate(records))
    if not text:
        raise SequenceFormatError(f"{os.fspath(target)}: there are no records to write")
    with atomic_writer(target) as stream:
        stream.write(text)


def _formatted(record: SeqRecord, index: int) -> str:
    where = f"the record at index {index}"
    if not isinstance(record, SeqRecord):
        raise ParameterError(f"{where} is a {type(record).__name__}; expected a SeqRecord")
    if not has_id(record):
        raise SequenceFormatError(f"{where} has no id; set record.id")
    title = str(record.id)
    if title.split() != [title]:
        raise SequenceFormatError(f"{where} has the id {title!r}; an id is one word")
    description = "" if record.description == _NO_DESCRIPTION else record.description
    if description.split(None, 1)[:1] == [title]:
        title = description
    elif description:
        title = f"{title} {description}"
    if has_control_character(title):
        raise SequenceFormatError(
            f"{where} has a control character in its header {title!r}; remove it"
        )
    letters = letters_of(record, where)
    if not letters:
        raise SequenceFormatError(f"{where}, {record.id!r}, has no sequence")
    if wrong := _NO_LETTER.search(letters):
        raise SequenceFormatError(
            f"{where}, {record.id!r}, has {chr(wrong.group()[0])!a} at position "
            f"{wrong.start() + 1} of its sequence, which is no letter; remove it"
        )
    text = letters.decode("ascii")
    lines = (text[at : at + _LINE_WIDTH] for at in range(0, len(letters), _LINE_WIDTH))
    return "\n".join((f">{title}", *lines, ""))
