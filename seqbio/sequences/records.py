"""Sequences that are already in memory: checked, named in errors, and turned into codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from Bio.Seq import MutableSeq, Seq, UndefinedSequenceError
from Bio.SeqRecord import SeqRecord
from numpy.typing import NDArray

from ..errors import AlphabetError, ParameterError, SequenceFormatError
from .alphabet import Alphabet, get_alphabet

SequenceLike: TypeAlias = str | Seq | MutableSeq | SeqRecord
"""What models take as one sequence."""

# What Biopython writes into a record that was built without an id.
_UNKNOWN_ID = "<unknown id>"
_MANY_IDS = 10


def as_records(items: Iterable[SequenceLike], alphabet: str | Alphabet = "dna") -> list[SeqRecord]:
    """Check sequences of any usual type and give them as records.

    The rules are those of `read_fasta`: every letter in the alphabet, in upper or lower case; a
    ``*`` at the end is dropped; an empty sequence is refused.

    Parameters
    ----------
    items
        Each a str, a Bio.Seq.Seq or a Bio.SeqRecord.SeqRecord.
    alphabet
        ``"dna"``, ``"rna"``, ``"protein"`` or an `Alphabet`.

    Returns
    -------
    list of Bio.SeqRecord.SeqRecord
        The same objects where records were given; new records without an id for the others.

    Raises
    ------
    AlphabetError
        A letter is not in the alphabet. The message names the record by its index, from 0, and
        by its id if it has one.
    SequenceFormatError
        A sequence is empty or undefined.
    ParameterError
        The argument is one sequence instead of several, or an item is of another type.

    Examples
    --------
    >>> [str(record.seq) for record in as_records(["ACGT", Seq("nnac")])]
    ['ACGT', 'nnac']
    >>> as_records(["ACGT", "ACJ"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    seqbio.errors.AlphabetError: the sequence at index 1: position 3 is 'J', which is not in ...
    """
    if isinstance(items, str | Seq | MutableSeq | SeqRecord):
        raise ParameterError(
            f"expected a list of sequences, found a single {type(items).__name__}; "
            "put it in a list, or read a file with read_fasta"
        )
    table = get_alphabet(alphabet)
    return [
        as_record(item, table, f"the sequence at index {index}") for index, item in enumerate(items)
    ]


def encode_records(
    records: Iterable[SequenceLike], alphabet: str | Alphabet = "dna"
) -> list[NDArray[np.uint8]]:
    """Check sequences as `as_records` does and give their codes.

    Parameters
    ----------
    records
        Each a str, a Bio.Seq.Seq or a Bio.SeqRecord.SeqRecord.
    alphabet
        ``"dna"``, ``"rna"``, ``"protein"`` or an `Alphabet`.

    Returns
    -------
    list of numpy.ndarray
        One (length,) uint8 array for each record.

    Raises
    ------
    AlphabetError, SequenceFormatError, ParameterError
        As in `as_records`.

    Examples
    --------
    >>> encode_records(["ACGT", "tt"])
    [array([0, 1, 2, 3], dtype=uint8), array([3, 3], dtype=uint8)]
    """
    table = get_alphabet(alphabet)
    return [table.encode(str(record.seq)) for record in as_records(records, table)]


def as_record(item: SequenceLike, alphabet: Alphabet, where: str) -> SeqRecord:
    """Check one sequence; `where` says in messages which one it is."""
    if isinstance(item, SeqRecord):
        where = f"{where} ({item.id!r})" if has_id(item) else where
    written = letters_of(item, where)
    letters = written.removesuffix(b"*")
    if not letters:
        raise SequenceFormatError(f"{where} is empty; give it letters or leave it out")
    index = alphabet.find_invalid(letters)
    if index >= 0:
        raise AlphabetError(f"{where}: {alphabet.complaint(letters, index)}")
    if isinstance(item, SeqRecord):
        return item if letters == written else item[:-1]
    return SeqRecord(Seq(letters))


def has_id(record: SeqRecord) -> bool:
    """Say whether a record was given an id.

    Examples
    --------
    >>> has_id(SeqRecord(Seq("ACGT"), id="x")), has_id(SeqRecord(Seq("ACGT")))
    (True, False)
    """
    return bool(record.id) and record.id != _UNKNOWN_ID


def listed(identifiers: list[str]) -> str:
    """Write ids side by side for a message, the first ten of them if there are more.

    Examples
    --------
    >>> listed(["x", "y"])
    "'x', 'y'"
    """
    hidden = len(identifiers) - _MANY_IDS
    shown = ", ".join(map(repr, identifiers[:_MANY_IDS]))
    return f"{shown} and {hidden} more" if hidden > 0 else shown


def letters_of(item: SequenceLike, where: str) -> bytes:
    """Give the letters of a sequence; `where` says in messages which one it is."""
    if isinstance(item, SeqRecord):
        item = "" if item.seq is None else item.seq
    if isinstance(item, str):
        return item.encode("utf-8", "replace")
    if not isinstance(item, Seq | MutableSeq):
        raise ParameterError(
            f"{where} is of type {type(item).__name__}; give a str, a Seq or a SeqRecord"
        )
    try:
        return bytes(item)
    except UndefinedSequenceError as error:
        raise SequenceFormatError(f"{where} has a length but no letters") from error
