"""Where every word of a few letters stands in a sequence, and windows that can reach a score.

A motif is met rarely, so most windows need not be scored. The index lists the places of every word
of k letters. For a motif, the words of its most telling k columns that can still reach the
threshold (with the best letters everywhere else) are known beforehand; only the places of those
words are looked at, and their number falls from one group of columns to the next. So the work for
a motif grows with the number of places that come near its threshold, not with the length of the
sequence, and the index is made once for all motifs and both strands. Filtering matrices by such
bounds is due to [1]_.

References
----------
.. [1] Pizzi, Rastas and Ukkonen (2011). Finding significant matches of position weight matrices
   in linear time. IEEE/ACM Trans Comput Biol Bioinform 8:69-79.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]
Integers = NDArray[np.int64]

WORD = 8  # letters; 4**8 words fit 16 bits, which NumPy sorts in linear time


@dataclass(eq=False)
class WordIndex:
    """The places of all words of `WORD` letters in a sequence of four letters.

    Parameters
    ----------
    codes : ndarray of uint8, (length,)
        0 to 3; other codes stand for letters that cannot be scored.
    usable : ndarray of bool, (length,), optional
        Letters that may be part of a hit; by default those with codes 0 to 3.
    sort : bool, default True
        Whether the words are put in order, once for all searches; for fewer than a dozen it is
        quicker to look at every place.
    """

    codes: Codes
    usable: NDArray[np.bool_] | None = None
    sort: bool = True

    @cached_property
    def words(self) -> NDArray[np.uint16]:
        """The word that begins at each place, the first letter highest; A past the end."""
        padded = np.zeros(len(self.codes) + WORD, dtype=np.uint16)
        np.bitwise_and(self.codes, 3, out=padded[: len(self.codes)], casting="unsafe")
        pairs = padded[:-1] << 2 | padded[1:]
        fours = pairs[:-2] << 4 | pairs[2:]
        words = fours[:-4] << 8 | fours[4:]
        return words[: len(self.codes)].astype(np.uint16, copy=False)

    @cached_property
    def _order(self) -> NDArray[np.int32]:
        return np.argsort(self.words, kind="stable").astype(np.int32)

    @cached_property
    def _starts(self) -> Integers:
        counts = np.bincount(self.words, minlength=4**WORD)
        return np.concatenate([[0], counts.cumsum()])

    @cached_property
    def _unusable_before(self) -> NDArray[np.int32] | None:
        """How many letters before each place cannot be used; None if all can."""
        usable = self.codes < 4 if self.usable is None else self.usable
        if usable.all():
            return None
        return np.concatenate([[0], np.cumsum(~usable, dtype=np.int32)]).astype(np.int32)

    def usable_windows(self, width: int) -> int:
        """Count the windows of a width without a letter that cannot be used."""
        n_windows = max(len(self.codes) - width + 1, 0)
        if self._unusable_before is None or not n_windows:
            return n_windows
        inside = self._unusable_before[width:] - self._unusable_before[:-width]
        return int((inside == 0).sum())

    def places(self, wanted: NDArray[np.bool_]) -> Integers:
        """Find the places of the words that are wanted, (4**WORD,), in the order of the words."""
        if not self.sort:
            return np.flatnonzero(wanted[self.words])
        hot = np.flatnonzero(wanted)
        starts = self._starts[hot]
        counts = self._starts[hot + 1] - starts
        total = int(counts.sum())
        if total > len(self.codes) // 4:  # so many that looking at every place is quicker
            return np.flatnonzero(wanted[self.words])
        jumps = np.repeat(starts - np.concatenate([[0], counts.cumsum()[:-1]]), counts)
        return self._order[np.arange(total) + jumps].astype(np.int64)

    def hits(self, motif: WordScores) -> tuple[Integers, Integers]:
        """Find the windows that score at least the threshold of a motif.

        Parameters
        ----------
        motif : WordScores
            Scores and threshold.

        Returns
        -------
        places, scores : ndarray of int, (n_hits,)
            Where the hits begin, in increasing order, and what they score.

        Examples
        --------
        >>> index = WordIndex(np.array([0, 1, 2, 3, 0, 1], dtype=np.uint8))
        >>> index.hits(WordScores(np.array([[1, 0], [0, 1], [0, 0], [0, 0]]), 2))
        (array([0, 4]), array([2, 2]))
        """
        (offset, table), *rest = motif.groups
        at = self.places(table >= motif.needed[0]) - offset
        at = at[(at >= 0) & (at <= len(self.codes) - motif.width)]
        scores = table[self.words[at + offset]]
        for (offset, table), needed in zip(rest, motif.needed[1:], strict=True):
            scores += table[self.words[at + offset]]
            kept = scores >= needed
            at, scores = at[kept], scores[kept]
        if self._unusable_before is not None:
            kept = self._unusable_before[at + motif.width] == self._unusable_before[at]
            at, scores = at[kept], scores[kept]
        order = np.argsort(at)
        return at[order], scores[order].astype(np.int64)


class WordScores:
    """A scoring matrix cut into groups of columns, with the score of every word in each.

    Parameters
    ----------
    matrix : ndarray of int, (4, width)
        Score of each letter in each column.
    threshold : int
        The lowest score of a hit.

    Attributes
    ----------
    width : int
        Columns of the matrix.
    groups : list of (int, ndarray of int32, (4**WORD,))
        First column and scores of each group, the most telling one first.
    needed : list of int
        The lowest score after each group that can still become a hit.
    """

    def __init__(self, matrix: Integers, threshold: int) -> None:
        self.width = matrix.shape[1]
        self.groups = _column_groups(matrix)
        best = [int(table.max()) for _, table in self.groups]
        self.needed = [threshold - sum(best[i + 1 :]) for i in range(len(best))]


def _column_groups(matrix: Integers) -> list[tuple[int, NDArray[np.int32]]]:
    """Cut the columns into groups of at most `WORD`, the most telling group first.

    Gives, for each group, its first column and the score of every word there; letters of a word
    that belong to no column of the group score 0.
    """
    width = matrix.shape[1]
    spread = matrix.max(axis=0) - matrix.mean(axis=0)
    if width <= WORD:
        starts = [0]
    else:
        windows = np.convolve(spread, np.ones(WORD), mode="valid")
        first = int(windows.argmax())
        before = [max(stop - WORD, 0) for stop in range(first, 0, -WORD)]
        after = list(range(first + WORD, width, WORD))
        others = sorted(before + after, key=lambda at: -spread[at : at + WORD].sum())
        starts = [first, *others]
    groups, used = [], np.zeros(width, dtype=bool)
    for start in starts:
        stop = min(start + WORD, width)
        table = np.zeros(1, dtype=np.int32)
        for column in range(start, start + WORD):
            letters = np.zeros(4, dtype=np.int32)
            if column < stop and not used[column]:
                letters = matrix[:, column].astype(np.int32)
            table = (table[:, None] + letters).ravel()
        used[start:stop] = True
        groups.append((start, table))
    return groups
