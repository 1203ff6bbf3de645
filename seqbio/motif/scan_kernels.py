"""Windows that reach a score, found in one pass over the letters for all motifs and strands.

A motif is met rarely, so most windows need not be scored. For each search (a motif on one strand)
the k-mers of its `K` most telling columns are known that can still reach the threshold, with the
best letters everywhere else. Each k-mer has a list of the searches that it is of interest to, empty
for most k-mers, so that a place costs one look-up unless its k-mer is telling; if it is, the four
letters before it settle most searches. Filtering matrices by such bounds is due to [1]_.

References
----------
.. [1] Pizzi, Rastas and Ukkonen (2011). Finding significant matches of position weight matrices
   in linear time. IEEE/ACM Trans Comput Biol Bioinform 8:69-79.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbio.core.compiled import compiled

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Listed = NDArray[np.int32]
"""Small, so that more of the lists stay in the nearest caches."""

K = 8  # letters: a flag for each of the 4**8 k-mers fits the nearest caches
_HALF = K // 2
_NO_LETTER = -(1 << 40)


class Searches(NamedTuple):
    """Scoring matrices, each with the lowest score of a hit.

    Parameters
    ----------
    loss : ndarray of int, (n, widest, 5)
        Score of each letter in each column less that of the best letter there, so that a sum that
        has fallen too low never recovers; last that of what is no letter, lower than any limit.
    width : ndarray of int, (n,)
        Columns of each.
    best : ndarray of int, (n,)
        The highest score.
    limit : ndarray of int, (n,)
        The lowest score of a hit, less the highest.
    """

    loss: Integers
    width: Integers
    best: Integers
    limit: Integers


def make_searches(matrices: list[Integers], thresholds: list[int]) -> Searches:
    """Prepare scoring matrices, each (4, width), and the lowest scores of a hit."""
    width = np.array([matrix.shape[1] for matrix in matrices])
    best = np.array([matrix.max(axis=0).sum() for matrix in matrices])
    loss = np.full((len(width), width.max(), 5), _NO_LETTER)
    for rows, matrix in zip(loss, matrices, strict=True):
        rows[: matrix.shape[1], :4] = (matrix - matrix.max(axis=0)).T
    return Searches(loss, width, best, np.array(thresholds) - best)


class KmerLists(NamedTuple):
    """The searches that each k-mer is of interest to.

    Parameters
    ----------
    first : ndarray of int, (n,)
        The column of each search that the first letter of a k-mer stands in. Negative for searches
        narrower than a k-mer, which look at its last letters.
    before : ndarray of int, (n, 4**4)
        What the four letters before a k-mer lose in each search.
    begin : ndarray of int, (4**K + 1,)
        Where the list of each k-mer begins, and after the last where it ends.
    listed : ndarray of int, (n_listed, 2)
        The lists one after the other: the number of a search, and what the k-mer loses there.
    telling : ndarray of bool, (4**K,)
        Which lists are not empty.
    """

    first: Integers
    before: Listed
    begin: Listed
    listed: Listed
    telling: NDArray[np.bool_]


def list_kmers(searches: Searches) -> KmerLists:
    """Find the k-mers from which each search can still reach its threshold."""
    first, before, front, back = _score_halves(searches)
    begin = np.zeros(4**K + 1, np.int32)
    n_listed = _write_lists(front, back, searches.limit, begin, np.empty((0, 2), np.int32))
    listed = np.empty((n_listed, 2), np.int32)
    _write_lists(front, back, searches.limit, begin, listed)
    return KmerLists(first, before, begin, listed, begin[1:] > begin[:-1])


@compiled
def _score_halves(searches: Searches) -> tuple[Integers, Listed, Listed, Listed]:
    """Choose the columns of k-mers, and add up what half a k-mer loses before and in them."""
    n = len(searches.width)
    first, before = np.empty(n, np.int64), np.zeros((n, 4**_HALF), np.int32)
    front, back = np.zeros_like(before), np.zeros_like(before)
    for s in range(n):
        width, loss = searches.width[s], searches.loss[s]
        first[s] = _most_telling(loss, width)
        for k, half in enumerate((before[s], front[s], back[s])):
            at = first[s] + (k - 1) * _HALF
            for kmer in range(4**_HALF):
                for j in range(max(at, 0), min(at + _HALF, width)):
                    half[kmer] += loss[j, kmer >> 2 * (at + _HALF - 1 - j) & 3]
    return first, before, front, back


@compiled
def _most_telling(loss: Integers, width: int) -> int:
    """Find where those `K` columns begin in which most can be lost, after half a k-mer if any."""
    most, first = -1, width - K
    for at in range(min(_HALF, width - K), width - K + 1):
        lost = 0
        for j in range(max(at, 0), at + K):
            for letter in range(4):
                lost -= loss[j, letter]
        if lost > most:
            most, first = lost, at
    return first


@compiled
def _write_lists(
    front: Listed, back: Listed, limit: Integers, begin: Listed, listed: Listed
) -> int:
    """Write as much of the lists as there is room for, and count their entries."""
    n, n_halves = front.shape
    able, n_listed = np.empty(n, np.int64), 0
    for a in range(n_halves):
        n_able = 0
        for s in range(n):
            if front[s, a] >= limit[s]:
                able[n_able] = s
                n_able += 1
        for b in range(n_halves):
            for k in range(n_able):
                s = able[k]
                total = front[s, a] + back[s, b]
                if total >= limit[s]:
                    if n_listed < len(listed):
                        listed[n_listed, 0], listed[n_listed, 1] = s, total
                    n_listed += 1
            begin[a * n_halves + b + 1] = n_listed
    return n_listed


@compiled
def _largest(scores: Integers) -> int:
    largest = scores[0]
    for k in range(1, len(scores)):
        largest = max(largest, scores[k])
    return largest


def find_windows(
    letters: Bytes,
    codes: Integers,
    starts: Integers,
    n_repeated: Integers,
    searches: Searches,
    kmers: KmerLists,
) -> tuple[Integers, Integers]:
    """Find the windows that reach the threshold of a search.

    Parameters
    ----------
    letters : ndarray of uint8, (length,)
        Stretches of sequences, one after the other.
    codes : ndarray of int, (256,)
        0 to 3 for the letters of the scoring matrices; 4 for what cannot be scored.
    starts : ndarray of int, (n_stretches + 1,)
        Where each stretch begins, and where the last ends.
    n_repeated : ndarray of int, (n_stretches,)
        How many letters at the beginning of each stretch were in another one: the windows inside
        them are left out.
    searches : Searches
        What is looked for.
    kmers : KmerLists
        Of these searches.

    Returns
    -------
    hits : ndarray of int, (n_hits, 4)
        The search, the stretch, the place from its beginning, and the score.
    n_windows : ndarray of int, (n_searches,)
        How many windows can be scored.
    """
    hits = np.empty((64 + len(letters) // 64, 4), np.int64)
    while True:
        n_hits, n_windows = _fill(hits, letters, codes, starts, n_repeated, searches, kmers)
        if n_hits <= len(hits):
            hits = hits[:n_hits]
            hits[:, 3] += searches.best[hits[:, 0]]
            return hits, n_windows
        hits = np.empty((n_hits, 4), np.int64)  # now there is room for all


@compiled
def _fill(
    hits: Integers,
    letters: Bytes,
    codes: Integers,
    starts: Integers,
    n_repeated: Integers,
    searches: Searches,
    kmers: KmerLists,
) -> tuple[int, Integers]:
    """Write as many hits as there is room for, and count them all."""
    loss, width, _, limit = searches
    first, before, begin, listed, telling = kmers
    n_hits, n_windows = 0, np.zeros(len(width), np.int64)
    for stretch in range(len(n_repeated)):
        part, seen = letters[starts[stretch] : starts[stretch + 1]], n_repeated[stretch]
        run, history = 0, 0  # where letters that can be scored began, and the last of them
        for at in range(len(part)):
            code = codes[part[at]]
            if code > 3:
                _count_windows(n_windows, width, run, at, seen)
                run, history = at + 1, 0
                continue
            history = history << 2 | code
            kmer = history & (4**K - 1)
            if not telling[kmer]:
                continue
            for k in range(begin[kmer], begin[kmer + 1]):
                s = listed[k, 0]
                score = listed[k, 1] + before[s, history >> 2 * K & (4**_HALF - 1)]
                if score < limit[s]:
                    continue
                place = at + 1 - K - first[s]
                end = place + width[s]
                if place < run or end > len(part) or end <= seen:
                    continue
                for j in range(width[s] - K - _HALF):
                    column = j if j < first[s] - _HALF else j + K + _HALF
                    score += loss[s, column, codes[part[place + column]]]
                if score >= limit[s]:
                    if n_hits < len(hits):
                        hits[n_hits, 0], hits[n_hits, 1] = s, stretch
                        hits[n_hits, 2], hits[n_hits, 3] = place, score
                    n_hits += 1
        _count_windows(n_windows, width, run, len(part), seen)
    return n_hits, n_windows


@compiled
def _count_windows(n_windows: Integers, width: Integers, run: int, stop: int, seen: int) -> None:
    """Count the windows between two places that were not seen before."""
    for s in range(len(width)):
        n_windows[s] += max(stop + 1 - width[s] - max(run, seen + 1 - width[s]), 0)


@compiled
def read_matches(
    letters: Bytes,
    starts: Integers,
    widths: Integers,
    reverse: NDArray[np.bool_],
    other: Bytes,
    widest: int,
) -> Bytes:
    """Read the letters of windows in the direction of their motifs.

    Parameters
    ----------
    letters : ndarray of uint8, (length,)
        As for `find_windows`.
    starts, widths : ndarray of int, (n_hits,)
        Where the windows begin, and how many letters they have.
    reverse : ndarray of bool, (n_hits,)
        Which are read on the other strand.
    other : ndarray of uint8, (256,)
        The letter that stands there for each.
    widest : int
        Length of the rows.

    Returns
    -------
    ndarray of uint8, (n_hits, widest)
        0 past the width.
    """
    texts = np.zeros((len(starts), widest), np.uint8)
    for hit in range(len(starts)):
        width = widths[hit]
        for j in range(width):
            letter = letters[starts[hit] + j]
            if reverse[hit]:
                texts[hit, width - 1 - j] = other[letter]
            else:
                texts[hit, j] = letter
    return texts


@compiled
def sum_distribution(scores: Integers, shares: Floats) -> Floats:
    """Compute the distribution of the sum of independent scores, one for each column.

    Parameters
    ----------
    scores : ndarray of int, (n_letters, width)
        Of each letter in each column, from 0.
    shares : ndarray of float64, (n_letters,)
        Probabilities of the letters.

    Returns
    -------
    ndarray of float64, (highest + 1,)
        The probability of each sum from 0.
    """
    chance = np.ones(1)
    for j in range(scores.shape[1]):
        longer = np.zeros(len(chance) + _largest(scores[:, j]))
        for letter in range(len(shares)):
            share, shifted = shares[letter], longer[scores[letter, j] :]
            for k in range(len(chance)):
                shifted[k] += share * chance[k]
        chance = longer
    return chance
