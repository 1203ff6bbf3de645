"""Pairs of sequences, from one file or two, or from memory."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Literal, TypeAlias

import numpy as np
from Bio.SeqRecord import SeqRecord
from numpy.typing import NDArray

from ..core._checks import checked
from ..errors import PairingError, PairingWarning, ParameterError, warn
from .alphabet import Alphabet, get_alphabet
from .fasta import read_fasta
from .input import Source, read_twice, source_name, stream_names
from .records import SequenceLike, as_record, encode_all, has_id, listed

Pair: TypeAlias = tuple[SeqRecord, SeqRecord]
Pairing: TypeAlias = Literal["consecutive", "first-vs-rest", "by-order", "by-id"]


@checked
def read_pairs(
    source: Source,
    second: Source | None = None,
    *,
    alphabet: str | Alphabet = "dna",
    pairing: Pairing | None = None,
    select: Sequence[tuple[str, str] | str] | None = None,
    strip_gaps: bool = False,
) -> list[Pair]:
    r"""Read FASTA records and arrange them in pairs.

    Parameters
    ----------
    source, second
        One or two sources, each as in `read_fasta`.
    alphabet, strip_gaps
        As in `read_fasta`.
    pairing
        With one source ``"consecutive"`` (the default: records 1 and 2, 3 and 4, ...) or
        ``"first-vs-rest"`` (record 1 with each of the others). With two sources ``"by-order"``
        (the default: the first of one with the first of the other, ...; ids play no part) or
        ``"by-id"`` (records of the same id, in the order of the first source).
    select
        Pairs of ids to take from one source instead, in this order; an id may be used repeatedly.
        A pair may be a single str, with a comma between the ids: that at which there is an id on
        either side, as ids may have commas, too.

    Returns
    -------
    list of (Bio.SeqRecord.SeqRecord, Bio.SeqRecord.SeqRecord)

    Raises
    ------
    PairingError
        An odd number of records; fewer than two; sources of different length by order; an id that
        is missing, or that several records have, where ids decide; a str with several commas
        between two ids.
    ParameterError
        Arguments that do not go together.
    SequenceFormatError, AlphabetError, OSError
        As in `read_fasta`.

    Warns
    -----
    DuplicateIdWarning
        As in `read_fasta`.

    Examples
    --------
    >>> import io
    >>> fasta = ">x1\nACGT\n>y1\nACT\n>x2\nGG\n>y2\nGGA\n"
    >>> [(x.id, y.id) for x, y in read_pairs(io.StringIO(fasta))]
    [('x1', 'y1'), ('x2', 'y2')]
    >>> [(x.id, y.id) for x, y in read_pairs(io.StringIO(fasta), pairing="first-vs-rest")]
    [('x1', 'y1'), ('x1', 'x2'), ('x1', 'y2')]
    >>> [(x.id, y.id) for x, y in read_pairs(io.StringIO(fasta), select=[("y2", "x1")])]
    [('y2', 'x1')]
    """
    _check_arguments(source, second, pairing, select)
    name, records = source_name(source), read_fasta(source, alphabet, strip_gaps=strip_gaps)
    if second is not None:
        others = read_fasta(second, alphabet, strip_gaps=strip_gaps)
        pair_up = _by_id if pairing == "by-id" else _by_order
        return pair_up(name, records, source_name(second), others)
    if select is not None:
        index = _Index(name, records)
        pairs = [index.split(pair) if isinstance(pair, str) else pair for pair in select]
        return [(index.find(first), index.find(other)) for first, other in pairs]
    return (_first_against_rest if pairing == "first-vs-rest" else _consecutive)(name, records)


@checked
def as_pairs(
    pairs: Iterable[Sequence[SequenceLike]], alphabet: str | Alphabet = "dna"
) -> list[Pair]:
    """Check pairs of sequences of any usual type and give them as pairs of records.

    Parameters
    ----------
    pairs
        Tuples, lists or arrays of two; each member a str, a Bio.Seq.Seq or a
        Bio.SeqRecord.SeqRecord.
    alphabet
        ``"dna"``, ``"rna"``, ``"protein"`` or an `Alphabet`.

    Returns
    -------
    list of (Bio.SeqRecord.SeqRecord, Bio.SeqRecord.SeqRecord)

    Raises
    ------
    AlphabetError, SequenceFormatError
        As in `as_records`; the message names the pair by its index, from 0, and the record.
    ParameterError
        An item is not a tuple, list or array of two sequences.

    Examples
    --------
    >>> [(x, y)] = as_pairs([("ACGT", "ACT")])
    >>> str(x.seq), str(y.seq)
    ('ACGT', 'ACT')
    """
    table = get_alphabet(alphabet)
    checked = []
    for index, pair in enumerate(pairs):
        if not isinstance(pair, tuple | list | np.ndarray) or len(pair) != 2:
            size = f" of length {len(pair)}" if isinstance(pair, tuple | list) else ""
            raise ParameterError(
                f"the item at index {index} is a {type(pair).__name__}{size}; "
                "give pairs, as tuples of two sequences"
            )
        where = f"sequence of the pair at index {index}"
        first = as_record(pair[0], table, f"the first {where}")
        second = as_record(pair[1], table, f"the second {where}")
        checked.append((first, second))
    return checked


@checked
def encode_pairs(
    pairs: Iterable[Sequence[SequenceLike]], alphabet: str | Alphabet = "dna"
) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]], list[str]]:
    """Check pairs of sequences as `as_pairs` does, and give their codes.

    Parameters
    ----------
    pairs, alphabet
        As in `as_pairs`.

    Returns
    -------
    x, y : list of numpy.ndarray
        One (length,) uint8 array for each sequence.
    names : list of str
        What messages call the pairs: by their ids, or else by their index.

    Raises
    ------
    AlphabetError, SequenceFormatError, ParameterError
        As in `as_pairs`.

    Warns
    -----
    AlphabetWarning
        The letters of proteins are those of DNA or RNA.

    Examples
    --------
    >>> encode_pairs([("ACGT", "AC")])
    ([array([0, 1, 2, 3], dtype=uint8)], [array([0, 1], dtype=uint8)], ['index 0'])
    """
    table = get_alphabet(alphabet)
    arranged: Any = list(pairs)
    whole = all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in arranged)
    codes = encode_all(chain.from_iterable(arranged), table) if whole else None
    if codes is None:  # refused, or a sequence ends in a '*'
        arranged = as_pairs(arranged, table)
        codes = encode_all(chain.from_iterable(arranged), table) or []
    names = [_called(pair, index) for index, pair in enumerate(arranged)]
    return codes[::2], codes[1::2], names


def _called(pair: Sequence[SequenceLike], index: int) -> str:
    x, y = pair
    if isinstance(x, SeqRecord) and isinstance(y, SeqRecord) and has_id(x) and has_id(y):
        return f"{x.id} and {y.id}"
    return f"index {index}"


def _check_arguments(
    source: Source,
    second: Source | None,
    pairing: str | None,
    select: Sequence[tuple[str, str] | str] | None,
) -> None:
    if second is None:
        sources, choices = "one source", ("consecutive", "first-vs-rest")
    else:
        sources, choices = "two sources", ("by-order", "by-id")
        if stream_names(source) & stream_names(second):
            raise read_twice(second)
    if pairing is not None and pairing not in choices:
        raise ParameterError(
            f"pairing={pairing!r} does not apply to {sources}; choose one of {', '.join(choices)}"
        )
    if select is None:
        return
    if second is not None or pairing is not None:
        raise ParameterError("select picks pairs from one source; leave out second and pairing")
    for pair in select:
        cuts = _split(pair) if isinstance(pair, str) else [tuple(pair)]
        if not any(len(cut) == 2 and all(cut) for cut in cuts):
            raise ParameterError(f"{pair!r} is no pair; write two ids with a comma between")


def _split(text: str) -> list[tuple[str, str]]:
    """Cut a text at each of its commas; without one, the second part of the only cut is empty."""
    words = text.split(",")
    cuts = [(",".join(words[:i]), ",".join(words[i:])) for i in range(1, max(len(words), 2))]
    return [(first.strip(), other.strip()) for first, other in cuts]


def _consecutive(name: str, records: list[SeqRecord]) -> list[Pair]:
    if len(records) % 2:
        raise PairingError(
            f"{name}: {len(records)} records cannot be taken two by two, the last one, "
            f"{records[-1].id!r}, has no partner; add it, choose the pairing first-vs-rest, "
            "or select pairs by id"
        )
    return list(zip(records[::2], records[1::2], strict=True))


def _first_against_rest(name: str, records: list[SeqRecord]) -> list[Pair]:
    if len(records) < 2:
        raise PairingError(
            f"{name}: the only record, {records[0].id!r}, has no other to be paired with; "
            "add the others"
        )
    return [(records[0], other) for other in records[1:]]


def _by_order(
    name: str, records: list[SeqRecord], other_name: str, others: list[SeqRecord]
) -> list[Pair]:
    if len(records) != len(others):
        raise PairingError(
            f"{name} has {len(records)} records and {other_name} has {len(others)}, so they cannot "
            "be paired in order; complete the shorter one, or choose the pairing by-id"
        )
    ids = [record.id for record in records if has_id(record)]
    other_ids = [record.id for record in others if has_id(record)]
    if ids != other_ids and len(ids) == len(records) and set(ids) == set(other_ids):
        warn(
            f"{name} and {other_name} have the same ids in different orders and are paired in "
            "order; choose the pairing by-id to pair equal ids",
            PairingWarning,
        )
    return list(zip(records, others, strict=True))


def _by_id(
    name: str, records: list[SeqRecord], other_name: str, others: list[SeqRecord]
) -> list[Pair]:
    index, other_index = _Index(name, records), _Index(other_name, others)
    for record in others:
        index.find(record.id, f", which {other_name} has")
    return [
        (index.find(record.id), other_index.find(record.id, f", which {name} has"))
        for record in records
    ]


class _Index:
    """The records of one source by id, with errors that help to find the right id."""

    def __init__(self, name: str, records: list[SeqRecord]) -> None:
        self._name = name
        self._records: dict[str | None, list[SeqRecord]] = {}
        for record in records:
            self._records.setdefault(record.id, []).append(record)

    def split(self, text: str) -> tuple[str, str]:
        """Cut a text at the comma that has an id on either side."""
        cuts = _split(text)
        known = [cut for cut in cuts if set(cut) <= self._records.keys()]
        if len(known) > 1:
            raise PairingError(
                f"{self._name}: {text!r} can be read as {known[0][0]!r} and {known[0][1]!r}, or as "
                f"{known[1][0]!r} and {known[1][1]!r}; rename a record"
            )
        if not known and len(cuts) > 1:
            raise PairingError(
                f"{self._name}: no comma in {text!r} has the id of a record on either side; the "
                f"ids are {listed([str(each) for each in self._records])}"
            )
        return known[0] if known else cuts[0]

    def find(self, identifier: str | None, remark: str = "") -> SeqRecord:
        found = self._records.get(identifier, [])
        if len(found) == 1:
            return found[0]
        if found:
            raise PairingError(
                f"{self._name}: {len(found)} records have the id {identifier!r}, so the choice is "
                "ambiguous; give every record an id of its own"
            )
        known = [str(each) for each in self._records]
        nearest = difflib.get_close_matches(str(identifier), known, cutoff=0.5)
        ids = f"nearest ids are {listed(nearest)}" if nearest else f"ids are {listed(known)}"
        raise PairingError(f"{self._name}: no record has the id {identifier!r}{remark}; the {ids}")
