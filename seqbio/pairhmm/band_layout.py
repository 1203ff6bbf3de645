"""Where the bands of the pairs of a batch lie: strips of diagonals around their chains of words.

A band moves with the chain, from block to block of anti-diagonals. Storage is by diagonal: cell
``k`` of anti-diagonal ``d`` is the one on diagonal ``offset + 2 k + d % 2``, batch axis last, so
that a match stays in place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqbio.pairhmm.corridors import Corridors

Integers = NDArray[np.int64]

LARGEST_SPREAD = 64  # of the chain within a block
LEAST_LENGTH = 0.7  # of the pairs of a group, as a share of the longest
BLOCK = 64  # about so many anti-diagonals have one scale and one place of the band
CELLS = 4_000_000  # about so many values of one kind are held at once, but for a single pair


@dataclass(frozen=True)
class Layout:
    """Where the band of some pairs of a batch lies.

    ``offset[b, p]`` (even) is the first diagonal of pair p on the anti-diagonals
    ``b * block + 1 .. (b + 1) * block``, of which there are ``len(offset)`` times `block`; both
    numbers are odd. The band has `height` cells of an anti-diagonal, so ``2 * height`` diagonals.
    `least` and `greatest` are those of the chain of words.
    """

    pairs: Integers
    block: int
    height: int
    offset: Integers
    least: Integers
    greatest: Integers

    @property
    def last(self) -> int:
        """The last anti-diagonal."""
        return len(self.offset) * self.block

    def block_of(self, d: Integers) -> Integers:
        """Block of each anti-diagonal."""
        return np.clip((d - 1) // self.block, 0, len(self.offset) - 1)

    def cell(self, d: Integers, diagonal: Integers) -> Integers:
        """Cell of each pair on one anti-diagonal each."""
        lanes = np.arange(len(self.pairs))
        return (diagonal - self.offset[self.block_of(d), lanes] - d % 2) // 2


def lay_out(corridors: Corridors, lengths: Integers, pairs: Integers, half: int) -> list[Layout]:
    """Place bands around the chains of words, for groups of pairs alike in length and spread."""
    total = lengths[pairs].sum(axis=1)
    longest = int(total.max())
    shorter = total < LEAST_LENGTH * longest
    if shorter.any():
        return [
            *lay_out(corridors, lengths, pairs[~shorter], half),
            *lay_out(corridors, lengths, pairs[shorter], half),
        ]
    n_blocks = 2 * (longest // (2 * BLOCK)) + 1
    block = -(-longest // n_blocks) | 1
    least, greatest = corridors.range_of_blocks(pairs, block, n_blocks)
    spread = (greatest - least).max(axis=0)
    narrow = np.flatnonzero(spread <= LARGEST_SPREAD)
    order = narrow[np.argsort(spread[narrow], kind="stable")]
    layouts = []
    while len(order):
        height = (int(spread[order[0]]) + 8) // 2 + half + 3
        size = max(1, CELLS // (2 * n_blocks * block * height))
        group, order = np.sort(order[:size]), order[size:]
        height = int(spread[group].max()) // 2 + half + 3
        low, high = least[:, group], greatest[:, group]
        offset = np.empty_like(low)
        middle = ((low + high) // 2 - height) // 2 * 2
        now = middle[0]
        for b in range(n_blocks):
            fits = (now <= low[b] - half) & (high[b] + half < now + 2 * height)
            offset[b] = now = np.where(fits, now, middle[b])
        layouts.append(Layout(pairs[group], block, height, offset, low, high))
    return layouts
