"""Records to the codes that recurrent and Markov models share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from numpy.typing import NDArray

from seqbio.core.numerics import IntArray
from seqbio.errors import ParameterError
from seqbio.recurrent.sequence_data import SequenceData
from seqbio.recurrent.text import CharacterAlphabet
from seqbio.sequences import Alphabet, SequenceLike, as_records, encode_records
from seqbio.sequences.records import several


def as_sequence_data(
    records: Iterable[SequenceLike],
    alphabet: Alphabet | CharacterAlphabet,
    labels: IntArray | None = None,
) -> SequenceData:
    """Check and encode sequences.

    Parameters
    ----------
    records
        SeqRecord, Seq or str.
    alphabet : Alphabet or CharacterAlphabet
        What they are made of.
    labels : ndarray of int, (n_records,), optional
        Numbers of classes.

    Returns
    -------
    SequenceData
        With room for the boundary between letters and ambiguity codes.
    """
    records = several(records)
    if not records:
        raise ParameterError("there are no sequences; give at least one")
    if isinstance(alphabet, CharacterAlphabet):
        codes = [alphabet.encode(text) for text in as_texts(records)]
        return SequenceData(codes, alphabet.size, labels)
    checked = as_records(records, alphabet)
    names = tuple(
        f"the sequence at index {index} ({record.id!r})" for index, record in enumerate(checked)
    )
    encoded = [with_boundary(codes, alphabet.size) for codes in encode_records(checked, alphabet)]
    return SequenceData(encoded, alphabet.size, labels, names)


def with_boundary(codes: NDArray[Any], n_letters: int) -> NDArray[Any]:
    """Make room for the boundary between letters and ambiguity codes."""
    return codes + (codes >= n_letters).astype(codes.dtype)


def membership(alphabet: Alphabet | CharacterAlphabet) -> NDArray[np.float64]:
    """Share of each letter and of the boundary in each code, (n_codes, n_letters + 1)."""
    letters = alphabet.membership
    rows = np.zeros((len(letters) + 1, alphabet.size + 1))
    rows[: alphabet.size, :-1] = letters[: alphabet.size]
    rows[alphabet.size, -1] = 1
    rows[alphabet.size + 1 :, :-1] = letters[alphabet.size :]
    return rows


def as_texts(records: Iterable[Any]) -> list[str]:
    """Check texts, each a str or a record; none may be empty."""
    texts = []
    for index, record in enumerate(several(records)):
        if not isinstance(record, str | Seq | SeqRecord):
            raise ParameterError(
                f"the text at index {index} is of type {type(record).__name__}; give a str"
            )
        texts.append(str(getattr(record, "seq", record)))
    for index, text in enumerate(texts):
        if not text:
            raise ParameterError(f"the text at index {index} is empty; leave it out")
    return texts
