"""Labelled sequences as a motif detector takes them: encoded, padded, named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core.fingerprint import fingerprint
from seqbio.sequences import Alphabet
from seqbio.sequences.copies import copy_numbers, near_copies

if TYPE_CHECKING:
    from seqbio.neural.filters import Letters

Codes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(eq=False)
class MotifData:
    """Encoded sequences with the class of each.

    Parameters
    ----------
    alphabet : Alphabet
        Of the sequences.
    sequences : sequence of uint8 arrays
        The alphabet's codes.
    labels : array_like of int, (n_items,)
        Class of each sequence, 0 to n_classes - 1.
    n_classes : int
        How many classes there are, at least 2.
    remembered : dict
        Matrices that follow from the sequences, by width and kind.

    Examples
    --------
    >>> from seqbio.sequences import DNA
    >>> data = MotifData(DNA, [DNA.encode("ACG"), DNA.encode("TN")], [0, 1], 2)
    >>> data.shares([1]).tolist()
    [[[0.0, 0.0, 0.0, 1.0], [0.25, 0.25, 0.25, 0.25]]]
    """

    alphabet: Alphabet
    sequences: Sequence[Codes]
    labels: ArrayLike
    n_classes: int
    remembered: dict[tuple[int, bool], Floats] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.labels = np.asarray(self.labels, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.sequences)

    @cached_property
    def lengths(self) -> Integers:
        """Length of each sequence, (n_items,)."""
        return np.array([len(codes) for codes in self.sequences], dtype=np.int64)

    @cached_property
    def common_length(self) -> int | None:
        """The length of all sequences, or None where they differ."""
        return int(self.lengths[0]) if (self.lengths == self.lengths[0]).all() else None

    @cached_property
    def _padded(self) -> Codes:
        padded = np.full(
            (len(self), int(self.lengths.max())), len(self.alphabet.symbols), dtype=np.uint8
        )
        for row, codes in zip(padded, self.sequences, strict=True):
            row[: len(codes)] = codes
        return padded

    @property
    def _shares(self) -> Floats:
        """What each code stands for; the one past those of the alphabet for nothing at all."""
        return np.vstack([self.alphabet.membership, np.zeros(self.alphabet.size)])

    def shares(self, items: Integers | list[int] | slice, dtype: type = np.float64) -> NDArray[Any]:
        """Write some sequences as shares of letters.

        Parameters
        ----------
        items : ndarray or list of int, or slice
            Which.
        dtype : type, default numpy.float64
            Of the result.

        Returns
        -------
        ndarray, (n, longest of them, n_letters)
            1 for the letter that is there, equal shares for an ambiguity code, 0 past the end.
        """
        longest = int(self.lengths[items].max(initial=0))
        shares: NDArray[Any] = self._shares.astype(dtype)[self._padded[items, :longest]]
        return shares

    def letters(self, items: Integers | slice, dtype: type = np.float64) -> Letters:
        """Give some sequences as the kernels take them, padded to the longest of them."""
        from seqbio.neural.filters import Letters

        longest = int(self.lengths[items].max(initial=0))
        return Letters(self._padded[items, :longest], self._shares.astype(dtype))

    def subset(self, indices: ArrayLike) -> MotifData:
        """Take some items, in the order given."""
        chosen = np.asarray(indices, dtype=np.intp)
        sequences = [self.sequences[index] for index in chosen]
        return MotifData(self.alphabet, sequences, np.asarray(self.labels)[chosen], self.n_classes)

    def clusters(self) -> list[str]:
        """Label the items so that copies of one sequence have the same label."""
        return [codes.tobytes().hex() for codes in self.sequences]

    def near_copies(self) -> Integers:
        """Give sequences numbers, the same to those that are nearly the same."""
        items = [[codes] for codes in self.sequences]
        return near_copies(items, self.alphabet.size, self.alphabet.complement)

    def sample_size(self) -> tuple[int, str]:
        """Count the sequences, whose classes are predicted."""
        return len(self), "sequences"

    def copies(self) -> Integers:
        """Give the items numbers, copies of one sequence in one class alike, (n_items,)."""
        contents = [
            (codes.tobytes(), label)
            for codes, label in zip(self.sequences, np.asarray(self.labels).tolist(), strict=True)
        ]
        counts = np.bincount(np.concatenate(self.sequences), minlength=len(self.alphabet.symbols))
        return copy_numbers(contents, self.lengths, counts @ self.alphabet.membership)

    def with_labels(self, labels: ArrayLike) -> MotifData:
        """Give the same sequences other labels."""
        return MotifData(self.alphabet, self.sequences, labels, self.n_classes, self.remembered)

    def fingerprint(self) -> str:
        """Name the data: equal for equal sequences and labels in the same order."""
        return self._name

    @cached_property
    def _name(self) -> str:
        return fingerprint(
            [self.alphabet.name, list(self.sequences), np.asarray(self.labels), self.n_classes]
        )

    def design(self, width: int, by_place: bool) -> Floats:
        """Sum the windows of each sequence: what a sum over windows is linear in.

        Parameters
        ----------
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
        if (width, by_place) not in self.remembered:
            n_windows = (self.lengths - width + 1).astype(np.float64)
            if by_place:
                features = self.shares(slice(None)).reshape(len(self), -1)
            else:
                features = np.stack([self._window_sums(i, width) for i in range(len(self))])
            self.remembered[width, by_place] = np.column_stack([features, n_windows])
        return self.remembered[width, by_place]

    def _window_sums(self, item: int, width: int) -> Floats:
        letters = self.alphabet.membership[self.sequences[item]]
        n_windows = len(letters) - width + 1
        return np.stack([letters[j : j + n_windows].sum(axis=0) for j in range(width)]).ravel()
