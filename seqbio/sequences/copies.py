"""Which items are copies of one another, and which are merely too short to differ."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbio.core.numerics import FloatArray, IntArray

_ALL_KMERS = 4**12  # so many different k-mers at least, of which hardly any are equal by chance
_FEWEST_KMERS = 20  # of a sequence that can be said to be nearly another
_SKETCH = 64  # smallest hashes of a sequence that are looked up
_FEWEST_SHARED = 10  # of them, for two sequences to be compared
_MOST_SHARING = 100  # sequences with one k-mer, such as a repeat, of which pairs are made
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, so that k-mers stay different
_BY_CHANCE = 0.01  # items of one length of which as many are expected to be equal are no copies


def copy_numbers(
    contents: Sequence[Hashable], lengths: IntArray, letter_counts: FloatArray
) -> IntArray:
    """Give items numbers by their content, copies alike.

    Short sequences are often equal by chance, and then the one is no copy of the other. So equal
    items count as copies only where, among items of their length made of letters at random, less
    than a hundredth of a pair is expected to be equal.

    Parameters
    ----------
    contents : sequence of hashable, (n_items,)
        Equal for items of the same content.
    lengths : ndarray of int, (n_items,)
        Letters of each.
    letter_counts : ndarray of float64, (n_letters,)
        How often each letter occurs in all of them.

    Returns
    -------
    ndarray of int, (n_items,)
        The same number for copies, another for every other item.

    Examples
    --------
    >>> letters = np.array([100.0, 100.0, 100.0, 100.0])
    >>> copy_numbers(["GATTACAGATTACA", "ACGTACGTACGTAC", "GATTACAGATTACA", "AC", "AC"],
    ...              np.array([14, 14, 14, 2, 2]), letters)
    array([0, 1, 0, 3, 4])
    """
    share = letter_counts / max(float(letter_counts.sum()), 1.0)
    with np.errstate(divide="ignore"):
        log_equal = float(np.log(share @ share))
    values, place, counts = np.unique(lengths, return_inverse=True, return_counts=True)
    with np.errstate(divide="ignore"):
        log_expected = np.log(counts * (counts - 1) / 2) + values * log_equal
    telling = (log_expected < np.log(_BY_CHANCE))[place.reshape(-1)]
    first: dict[Hashable, int] = {}
    return np.array(
        [
            first.setdefault(content, item) if tells else item
            for item, (content, tells) in enumerate(zip(contents, telling, strict=True))
        ],
        dtype=np.int64,
    )


def near_copies(
    items: Sequence[Sequence[NDArray[np.integer[Any]]]],
    n_letters: int,
    complement: NDArray[np.integer[Any]] | None = None,
) -> IntArray:
    """Give items numbers, the same to those that are nearly the same.

    Two sequences are nearly the same where at least half of the k-mers of either are in the other
    (all k-mers of a length at which chance makes next to none equal): one with a few letters
    changed, one that overlaps with most of the other, or, where there is a complement, the other
    strand. Items of several sequences must be so in each. Sequences of fewer than 20 different
    k-mers are left alone. Candidates share many of the smallest hashes of their k-mers (a sketch),
    so that not all are compared with all.

    Parameters
    ----------
    items : sequence of sequence of int arrays
        The sequences of each item, as many for all: codes, letters first.
    n_letters : int
        How many codes are letters; k-mers with others are left out.
    complement : ndarray of int, optional
        The complement of each letter.

    Returns
    -------
    ndarray of int, (n_items,)
        0, 1, ... in order of first appearance.

    References
    ----------
    Broder, A. Z. (1997). On the resemblance and containment of documents. Compression and
    Complexity of Sequences, 21-29.

    Examples
    --------
    >>> generator = np.random.default_rng(1)
    >>> one, other = generator.integers(0, 4, (2, 200))
    >>> changed = one.copy()
    >>> changed[100] = (changed[100] + 1) % 4
    >>> near_copies([[one], [other], [changed], [3 - one[::-1]]], 4, np.array([3, 2, 1, 0]))
    array([0, 1, 0, 0])
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    width = int(np.ceil(np.log(_ALL_KMERS) / np.log(n_letters)))
    kmers = [[_kmers(codes, width, n_letters, complement) for codes in item] for item in items]
    candidates = _sharing([item[0] for item in kmers])
    links = [
        (i, j)
        for i, j in candidates
        if all(_nearly_equal(one, other) for one, other in zip(kmers[i], kmers[j], strict=True))
    ]
    left, right = np.array(links, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(left)), (left, right)), shape=(len(items), len(items)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _kmers(
    codes: NDArray[np.integer[Any]],
    width: int,
    n_letters: int,
    complement: NDArray[np.integer[Any]] | None,
) -> NDArray[np.uint64]:
    """List hashes of the different k-mers of a sequence, in order, the same for either strand."""
    if len(codes) < width:
        return np.zeros(0, dtype=np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(codes, dtype=np.int64), width)
    windows = windows[(windows < n_letters).all(axis=1)]
    powers = n_letters ** np.arange(width, dtype=np.int64)
    numbers = windows @ powers
    if complement is not None:
        numbers = np.minimum(
            numbers, np.asarray(complement, dtype=np.int64)[windows] @ powers[::-1]
        )
    return np.unique(numbers.astype(np.uint64) * _MULTIPLIER)


def _sharing(kmers: Sequence[NDArray[np.uint64]]) -> list[tuple[int, int]]:
    """Find pairs of items of which the smallest hashes are often the same."""
    members: dict[int, list[int]] = {}
    for item, own in enumerate(kmers):
        if len(own) >= _FEWEST_KMERS:
            for value in own[:_SKETCH].tolist():
                members.setdefault(value, []).append(item)
    shared: dict[tuple[int, int], int] = {}
    for together in members.values():
        for i, j in combinations(together[:_MOST_SHARING], 2):
            shared[i, j] = shared.get((i, j), 0) + 1
    return [pair for pair, count in shared.items() if count >= _FEWEST_SHARED]


def _nearly_equal(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> bool:
    fewest, most = sorted((len(one), len(other)))
    common = len(np.intersect1d(one, other, assume_unique=True))
    return fewest >= _FEWEST_KMERS and 2 * common >= most
