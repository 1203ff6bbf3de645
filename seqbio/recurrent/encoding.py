"""Letters to the symbols of a network: between letters and ambiguity codes stands the boundary."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbio.sequences.sequence_data import SequenceData
from seqbio.sequences.text import AnyAlphabet


def symbols(data: SequenceData) -> list[NDArray[Any]]:
    """Make room for the boundary in the codes of all sequences; kept with the data."""
    size = data.alphabet.size
    return data.derived("symbols", lambda: [with_boundary(codes, size) for codes in data.codes])


def with_boundary(codes: NDArray[Any], n_letters: int) -> NDArray[Any]:
    """Make room for the boundary between letters and ambiguity codes."""
    return codes + (codes >= n_letters).astype(codes.dtype)


def membership(alphabet: AnyAlphabet) -> NDArray[np.float64]:
    """Share of each letter and of the boundary in each code, (n_codes, n_letters + 1)."""
    letters = alphabet.membership
    rows = np.zeros((len(letters) + 1, alphabet.size + 1))
    rows[: alphabet.size, :-1] = letters[: alphabet.size]
    rows[alphabet.size, -1] = 1
    rows[alphabet.size + 1 :, :-1] = letters[alphabet.size :]
    return rows
