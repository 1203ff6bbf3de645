"""The windows of sequences that motifs look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqbio.core.numerics import FloatArray, IntArray
from seqbio.sequences.sequence_data import SequenceData

if TYPE_CHECKING:
    from seqbio.neural.filters import Letters


def letters(data: SequenceData, items: IntArray | slice, dtype: type = np.float64) -> Letters:
    """Give some sequences as filters take them, padded to the longest of them with nothing."""
    from seqbio.neural.filters import Letters

    longest = int(data.lengths[items].max(initial=0))
    shares = np.vstack([data.alphabet.membership, np.zeros(data.alphabet.size)])
    return Letters(
        data.derived("padded", lambda: _padded(data))[items, :longest], shares.astype(dtype)
    )


def _padded(data: SequenceData) -> NDArray[np.uint8]:
    shape = len(data), int(data.lengths.max())
    padded = np.full(shape, len(data.alphabet.symbols), dtype=np.uint8)
    for row, codes in zip(padded, data.codes, strict=True):
        row[: len(codes)] = codes
    return padded


def shares(data: SequenceData, items: IntArray | slice) -> FloatArray:
    """Write some sequences as shares of letters, (n, longest of them, n_letters).

    1 for the letter that is there, equal shares for an ambiguity code, 0 past the end.

    Examples
    --------
    >>> from seqbio.sequences import DNA
    >>> shares(SequenceData.of(["ACG", "TN"], DNA), slice(1, 2)).tolist()
    [[[0.0, 0.0, 0.0, 1.0], [0.25, 0.25, 0.25, 0.25]]]
    """
    codes, of_codes = letters(data, items)
    return np.asarray(of_codes[codes])


def by_content(data: SequenceData) -> list[str]:
    """Give copies the same label, so that a split by labels asks for no order of the sequences."""
    return [codes.tobytes().hex() for codes in data.codes]


def design(data: SequenceData, width: int, by_place: bool) -> FloatArray:
    """Sum the windows of each sequence: what a sum over windows is linear in; kept with the data.

    Parameters
    ----------
    data : SequenceData
        The sequences.
    width : int
        Columns of a window.
    by_place : bool
        Keep the places of the letters apart, for filters that differ between positions.

    Returns
    -------
    ndarray of float64, (n_items, n_features)
        By place: the letter shares, place by place (``length * n_letters``). Otherwise, for
        each column of a window and each letter, how often the letter stands in that column
        of a window (``width * n_letters``). The last column, for the bias, is the number of
        windows.
    """

    def make() -> FloatArray:
        n_windows = (data.lengths - width + 1).astype(np.float64)
        if by_place:
            features = shares(data, slice(None)).reshape(len(data), -1)
        else:
            features = np.stack([_window_sums(data, item, width) for item in range(len(data))])
        return np.column_stack([features, n_windows])

    return data.derived(("design", width, by_place), make)


def _window_sums(data: SequenceData, item: int, width: int) -> FloatArray:
    letters = data.alphabet.membership[data.codes[item]]
    n_windows = len(letters) - width + 1
    return np.stack([letters[j : j + n_windows].sum(axis=0) for j in range(width)]).ravel()
