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
    # Equal numbers are equal words of the same pair; sorted, those of x stand before those of y.
    bits = longest.bit_length()
    sides = []
    for side, (codes, own) in enumerate(zip((x, y), lengths.T, strict=True)):
        words = _words(codes, length, n_symbols)
        place = np.arange(len(words))[:, None]
        words <<= bits + 1
        words += place + (side << bits)
        sides.append(words[place + length <= own])
    found = np.concatenate(sides)
    found.sort()
    found = found[_next_to((found[1:] ^ found[:-1]) >> bits + 1 == 0, len(found))]
    word, of_y, place = found >> bits + 1, found >> bits & 1, found & (1 << bits) - 1
    first = np.flatnonzero(np.diff(word, prepend=-1))
    n_y = np.add.reduceat(of_y, first) if len(first) else first
    n_x = np.diff(first, append=len(word)) - n_y
    pair = word[first] // n_symbols**length
    simple = np.bincount(pair, n_x * n_y, len(lengths)) > MOST_WORDS * lengths.min(axis=1)
    n_y[simple[pair]] = 0
    # Every place in x is told with every place in y.
    times = np.repeat(n_y, n_x)
    before = np.repeat(first + n_x, n_x) - np.cumsum(times) + times
    columns = place[np.arange(times.sum()) + np.repeat(before, times)]
    pairs, rows = (np.repeat(of_x, times) for of_x in (np.repeat(pair, n_x), place[of_y == 0]))
    chained = _chain(pairs, rows, columns, lengths, length)
    return Corridors(length, *chained, pairs, rows, columns - rows, simple)


def _words(codes: Integers, length: int, n_symbols: int) -> Integers:
    """Give equal numbers to equal words of one pair, (n_words, n_pairs)."""
    n_words = max(len(codes) - length + 1, 0)
    words = np.zeros((n_words, codes.shape[1]), dtype=np.int64)
    for shift in range(length):
        words *= n_symbols
        words += codes[shift : shift + n_words]
    words += np.arange(codes.shape[1]) * n_symbols**length
    return words


def _chain(
    pairs: Integers, rows: Integers, columns: Integers, lengths: Integers, length: int
) -> tuple[Integers, Integers, Integers]:
    """Find the longest rising chain of words in every pair, and put it between its corners."""
    n_pairs = len(lengths)
    corner = np.arange(n_pairs)
    # Pair after pair, both coordinates rise, so that one chain through all is one chain in each.
    bits = (int(lengths.max(initial=0)) + 1).bit_length()
    largest = (1 << bits) - 1
    sampled = rows % STRIDE == 0
    order = ((pairs << bits | rows) << bits)[sampled] | largest - columns[sampled]
    order.sort()
    ahead = order >> bits
    across = (ahead & ~largest) | largest - (order & largest)
    # Most words by chance stand alone, and most pairs are in order without them.
    supported = _supported(ahead, across - ahead, 2 * APART)
    ahead, across = ahead[supported], across[supported]
    falls = np.flatnonzero(np.diff(across) <= 0)
    broken = np.isin(ahead >> bits, ahead[falls] >> bits)
    chain = ~broken
    chain[np.flatnonzero(broken)[_longest_rising(across[broken].tolist())]] = True
    ahead, across = ahead[chain], across[chain]
    row, column = ahead & largest, across & largest
    pair = np.concatenate([corner, ahead >> bits, corner])
    place = np.concatenate([np.zeros_like(corner), row + column + length, lengths.sum(axis=1)])
    diagonal = np.concatenate([np.zeros_like(corner), column - row, np.diff(lengths)[:, 0]])
    kind = np.repeat([0, 1, 2], [n_pairs, len(row), n_pairs])
    order = np.lexsort((kind, place, pair))
    pair, place, diagonal, kind = pair[order], place[order], diagonal[order], kind[order]
    kept = (kind != 1) | _supported((pair << bits + 1) + place, diagonal, 2 * APART)
    return pair[kept], place[kept], diagonal[kept]


def _supported(place: Integers, diagonal: Integers, apart: int) -> NDArray[np.bool_]:
    """Say which words have a neighbour in order that is near on about the same diagonal."""
    agrees = (np.abs(np.diff(diagonal)) <= NEIGHBOUR) & (np.diff(place) <= apart)
    return _next_to(agrees, len(place))


def _next_to(agrees: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Say which of so many elements agree with the one before or behind."""
    near = np.zeros(size + 1, dtype=bool)
    near[1:size] = agrees
    return near[1:] | near[:-1]


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
