"""Where the alignments of a batch of pairs are likely to lie: chains of common words.

What is found here is a place to look first and a list of places to be wary of. It is not trusted:
:mod:`seqbio.pairhmm.band` sums over the alignments near the chain and asks whether that was enough.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

WORDS_BY_CHANCE = 1 / 16  # of one sequence that a place in the other has in common with it
MOST_WORDS = 4.0  # a place may have in common with the other sequence, beyond which it is simple
STRIDE = 4  # of places whose words are chained
NEIGHBOUR = 6  # by how many diagonals two words of one alignment may differ
APART = 64  # and by how many letters they may lie apart


@dataclass(frozen=True)
class Corridors:
    """Chains of common words, one for each pair, and all common words.

    Diagonals are ``column - row``; a place is an anti-diagonal ``row + column``.

    Parameters
    ----------
    length : int
        Of the words.
    pair, place, diagonal : int arrays
        The chains in order, each between ``(0, 0)`` and the last cell of its pair.
    word_pair, word_row, word_diagonal : int arrays
        All words that the two sequences of a pair have in common, by where they begin.
    simple : (n_pairs,) bool
        Pairs with so many words in common that they were not listed.
    """

    length: int
    pair: Integers
    place: Integers
    diagonal: Integers
    word_pair: Integers
    word_row: Integers
    word_diagonal: Integers
    simple: NDArray[np.bool_]

    def range_of_blocks(
        self, pairs: Integers, block: int, n_blocks: int
    ) -> tuple[Integers, Integers]:
        """Least and greatest diagonal of the chain in each block of anti-diagonals.

        The words before and behind a block count too: the alignment may be on its way.

        Returns
        -------
        two arrays (n_blocks, n_pairs)
        """
        longest = int(self.place.max()) + n_blocks * block + 1
        order = self.pair * longest + self.place
        edges = pairs * longest + np.arange(n_blocks + 1)[:, None] * block
        first = np.searchsorted(order, edges[:-1], side="right") - 1
        last = np.searchsorted(order, edges[1:], side="left")
        ends = np.searchsorted(self.pair, pairs, side="right") - 1
        first, last = np.minimum(first, ends), np.minimum(last, ends)
        cuts = np.stack([first, last + 1], axis=-1).ravel()
        padded = np.append(self.diagonal, 0)
        return (
            np.minimum.reduceat(padded, cuts)[::2].reshape(first.shape),
            np.maximum.reduceat(padded, cuts)[::2].reshape(first.shape),
        )


def find_corridors(x: Integers, y: Integers, lengths: Integers, n_symbols: int) -> Corridors:
    """Chain the words that the sequences of each pair have in common.

    Words are long enough to be rare by chance. The chain is the longest in which rows and columns
    both rise; a word that agrees with neither of its neighbours is left out of it.

    Parameters
    ----------
    x, y : (rows, n_pairs), (columns, n_pairs)
        Symbols, padded behind the ends of the sequences.
    lengths : (n_pairs, 2)
    n_symbols : int
    """
    longest = max(int(lengths.max()), 2)
    length = max(2, int(np.ceil(np.log(longest / WORDS_BY_CHANCE) / np.log(max(n_symbols, 2)))))
    n_pairs = len(lengths)
    sides = [
        _words(codes, own, length, n_symbols) for codes, own in zip((x, y), lengths.T, strict=True)
    ]
    (keys_x, pair_x, row), (keys_y, _, column) = sides
    order = np.argsort(keys_y, kind="stable")
    ranked = keys_y[order]
    first = np.searchsorted(ranked, keys_x)
    found = (
        np.flatnonzero(ranked[np.minimum(first, len(ranked) - 1)] == keys_x)
        if len(ranked)
        else first[:0]
    )
    first = first[found]
    count = np.searchsorted(ranked, keys_x[found], side="right") - first
    total = np.bincount(pair_x[found], weights=count, minlength=n_pairs)
    simple = total > MOST_WORDS * lengths.min(axis=1)
    kept = ~simple[pair_x[found]]
    found, first, count = found[kept], first[kept], count[kept]
    which = np.repeat(np.arange(len(found)), count)
    offset = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    columns = column[order[first[which] + offset]]
    pairs, rows = pair_x[found][which], row[found][which]
    chained = _chain(pairs, rows, columns, lengths, length)
    return Corridors(length, *chained, pairs, rows, columns - rows, simple)


def _words(
    codes: Integers, lengths: Integers, length: int, n_symbols: int
) -> tuple[Integers, Integers, Integers]:
    """Give equal numbers to equal words of one pair, in order of pair and place."""
    n_words = max(len(codes) - length + 1, 0)
    key = np.zeros((n_words, codes.shape[1]), dtype=np.int64)
    for shift in range(length):
        key *= n_symbols
        key += codes[shift : shift + n_words]
    key += np.arange(codes.shape[1]) * n_symbols**length
    pair, place = np.nonzero((np.arange(n_words)[:, None] + length <= lengths).T)
    return key[place, pair], pair, place


def _chain(
    pairs: Integers, rows: Integers, columns: Integers, lengths: Integers, length: int
) -> tuple[Integers, Integers, Integers]:
    """Find the longest rising chain of words in every pair, and put it between its corners."""
    n_pairs = len(lengths)
    sampled = np.flatnonzero(rows % STRIDE == 0)
    # Pair after pair, both coordinates rise, so that one chain through all is one chain in each.
    beyond = int(lengths.max(initial=0)) + 1
    order = sampled[np.lexsort((-columns[sampled], pairs[sampled] * beyond + rows[sampled]))]
    chain = order[_longest_rising((pairs[order] * beyond + columns[order]).tolist())]
    corner = np.arange(n_pairs)
    pair = np.concatenate([corner, pairs[chain], corner])
    place = np.concatenate(
        [np.zeros_like(corner), rows[chain] + columns[chain] + length, lengths.sum(axis=1)]
    )
    diagonal = np.concatenate(
        [np.zeros_like(corner), columns[chain] - rows[chain], lengths[:, 1] - lengths[:, 0]]
    )
    kind = np.repeat([0, 1, 2], [n_pairs, len(chain), n_pairs])
    order = np.lexsort((kind, place, pair))
    pair, place, diagonal, kind = pair[order], place[order], diagonal[order], kind[order]
    agrees = (
        (np.diff(pair) == 0)
        & (np.abs(np.diff(diagonal)) <= NEIGHBOUR)
        & (np.diff(place) <= 2 * APART)
    )
    kept = (kind != 1) | np.append(agrees, False) | np.append(False, agrees)
    return pair[kept], place[kept], diagonal[kept]


def _longest_rising(values: list[int]) -> Integers:
    """Positions of a longest strictly rising subsequence (patience sorting)."""
    tails: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for position, value in enumerate(values):
        rank = bisect_left(tails, value)
        before.append(last[rank - 1] if rank else -1)
        if rank == len(tails):
            tails.append(value)
            last.append(position)
        else:
            tails[rank], last[rank] = value, position
    chain = []
    position = last[-1] if last else -1
    while position >= 0:
        chain.append(position)
        position = before[position]
    return np.array(chain[::-1], dtype=np.int64)
