"""Sequences that are already in memory: checked, named in errors, and turned into codes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
from Bio.Seq import MutableSeq, Seq, UndefinedSequenceError
from Bio.SeqRecord import SeqRecord
from numpy.typing import NDArray

from ..core._checks import checked
from ..errors import (
    AlphabetError,
    AlphabetWarning,
    ParameterError,
    SeqbioError,
    SequenceFormatError,
    warn,
)
from .alphabet import Alphabet, get_alphabet

SequenceLike: TypeAlias = str | Seq | MutableSeq | SeqRecord
"""What models take as one sequence."""

# What Biopython writes into a record that was built without an id.
_UNKNOWN_ID = "<unknown id>"
_MANY_IDS = 10
_SAMPLE = 100_000
# How many letters tell that they are nucleotides, what share of them all must be, and of each.
_TELLING, _NUCLEOTIDES, _EACH = 16, 0.95, 0.02


@checked
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
    table = get_alphabet(alphabet)
    return [
        as_record(item, table, f"the sequence at index {index}")
        for index, item in enumerate(several(items))
    ]


@checked
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

    Warns
    -----
    AlphabetWarning
        The letters of proteins are those of DNA or RNA.

    Examples
    --------
    >>> encode_records(["ACGT", "tt"])
    [array([0, 1, 2, 3], dtype=uint8), array([3, 3], dtype=uint8)]
    """
    table = get_alphabet(alphabet)
    items = several(records)
    codes = encode_all(items, table)
    # What is not plain is looked at one by one: it is refused, or ends in a '*'.
    return encode_all(as_records(items, table), table) or [] if codes is None else codes


def encode_all(items: Iterable[SequenceLike], alphabet: Alphabet) -> list[NDArray[np.uint8]] | None:
    """Encode sequences in one pass over all letters; None if one of them is not plain letters."""
    try:
        letters = [
            item.encode("utf-8", "replace") if isinstance(item, str) else letters_of(item, "it")
            for item in items
        ]
    except SeqbioError:
        return None
    text = b"".join(letters)
    whole = alphabet.codes(text)
    if whole is None or not all(letters):
        return None
    warn_of_another_alphabet(text, alphabet)
    ends = list(accumulate(map(len, letters)))
    return [whole[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


def warn_of_another_alphabet(letters: bytes, alphabet: Alphabet) -> None:
    """Warn where letters of one alphabet fit another one better.

    DNA and RNA can be read as proteins, of alanine, cysteine, glycine and threonine (U: any amino
    acid), and no protein is made of these alone. N, any nucleotide or asparagine, does not count.
    All other letters of another alphabet are refused.
    """
    if alphabet.name != "protein":
        return
    letters = letters[:_SAMPLE].upper()
    counts = {letter: letters.count(letter.encode()) for letter in "ACGTUN"}
    n_letters = len(letters) - counts.pop("N")
    name = "dna" if counts["T"] >= counts["U"] else "rna"
    shares = [counts["A"], counts["C"], counts["G"], counts["T"] + counts["U"]]
    if n_letters < _TELLING or min(shares) < _EACH * n_letters:
        return
    if sum(shares) >= _NUCLEOTIDES * n_letters:
        warn(
            f"the alphabet is protein, and {sum(shares) / n_letters:.0%} of the letters are those "
            f"of {name.upper()}; if that is what they are, choose alphabet {name!r}, or a model of "
            f"{name.upper()}",
            AlphabetWarning,
        )


def several(items: Iterable[Any]) -> list[Any]:
    """List sequences; one alone is refused, since it would be gone through letter by letter."""
    if isinstance(items, str | Seq | MutableSeq | SeqRecord):
        raise ParameterError(
            f"expected a list of sequences, found a single {type(items).__name__}; "
            "put it in a list, or read a file with read_fasta"
        )
    return list(items)


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
