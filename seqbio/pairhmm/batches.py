"""Encoded sequence pairs, padded and grouped for the pair-HMM sweeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seqbio.pairhmm.corridors import Corridors, find_corridors

Integers = NDArray[np.int64]

OVERHEAD_CELLS = 4000.0  # cells whose arithmetic costs as much as the calls of one anti-diagonal
MAX_BATCH_ROWS = 26_000  # rows x pairs above which a batch no longer fits the processor's cache
MAX_BATCH_PAIRS = 512
CUTS = 256  # between which batches are chosen, or more where they would be too large


@dataclass
class Batch:
    """Pairs padded to one rectangle.

    ``x`` is ``(rows, n_pairs)``, ``y_reversed`` is ``(columns, n_pairs)`` with the *last* letter
    first; their sum along an anti-diagonal is the index into the odds of each pair. Sweeps keep
    `rows_per_block` rows in one scale, and make it smaller where values spread further. They stay
    in a band where that is enough, if the batch is `banded`.
    """

    x: Integers
    y_reversed: Integers
    lengths: Integers
    members: Integers
    n_symbols: int
    rows_per_block: dict[bool, int] = field(default_factory=dict)
    banded: bool = True

    @property
    def n_pairs(self) -> int:
        """Number of pairs in the batch."""
        return self.x.shape[1]

    @cached_property
    def symbols(self) -> tuple[Integers, Integers]:
        """Symbols of x and of y, each (rows, n_pairs), with ``n_symbols`` behind the ends."""
        x = (self.x - np.arange(self.n_pairs) * self.n_symbols**2) // self.n_symbols
        sides = x, self.y_reversed[::-1].copy()
        for codes, lengths in zip(sides, self.lengths.T, strict=True):
            codes[np.arange(len(codes))[:, None] >= lengths] = self.n_symbols
        return sides

    @cached_property
    def corridors(self) -> Corridors:
        """Chains of common words, around which the sweeps look first."""
        return find_corridors(*self.symbols, self.lengths, self.n_symbols)

    def subset(self, pairs: Integers) -> Batch:
        """Take pairs by their positions, in a rectangle of their own."""
        if len(pairs) == self.n_pairs:
            return self
        lengths = self.lengths[pairs]
        n, m = lengths.max(axis=0, initial=0)
        shift = (pairs - np.arange(len(pairs))) * self.n_symbols**2
        return Batch(
            self.x[:n, pairs] - shift,
            self.y_reversed[len(self.y_reversed) - m :, pairs],
            lengths,
            self.members[pairs],
            self.n_symbols,
            self.rows_per_block,
            banded=False,
        )

    @cached_property
    def finishing(self) -> dict[int, Integers]:
        """The pairs (by position in the batch) whose last cell lies on each anti-diagonal."""
        total = self.lengths.sum(axis=1)
        return {int(d): np.flatnonzero(total == d) for d in np.unique(total)}


def plan_batches(lengths: Integers) -> list[Integers]:
    """Sort pairs by length and cut the order where the padded work is least.

    The cost of a batch is the cells of its rectangle plus a fixed overhead for each of its
    anti-diagonals; the cheapest cut is found by dynamic programming over the sorted order.

    Parameters
    ----------
    lengths : (n_pairs, 2)

    Returns
    -------
    list of int arrays, positions of the pairs of each batch.
    """
    order = np.lexsort((lengths[:, 1], lengths.sum(axis=1)))
    if _belong_together(lengths + 1.0):
        return [order]
    # With many pairs, neighbours in the order are all but alike: cut between some of them only.
    least = max(len(order) / MAX_BATCH_PAIRS, (lengths.min(axis=1) + 1).sum() / MAX_BATCH_ROWS)
    n_cuts = min(len(order), max(CUTS, int(4 * least)))
    cuts = np.unique(np.linspace(0, len(order), n_cuts + 1).astype(np.int64))
    tall, wide = (np.maximum.reduceat(lengths[order, k] + 1.0, cuts[:-1]) for k in (0, 1))
    best = np.zeros(len(cuts))
    previous = np.zeros(len(cuts), dtype=np.int64)
    for stop in range(1, len(cuts)):
        first = min(int(np.searchsorted(cuts, cuts[stop] - MAX_BATCH_PAIRS)), stop - 1)
        tallest = np.maximum.accumulate(tall[first:stop][::-1])[::-1]
        widest = np.maximum.accumulate(wide[first:stop][::-1])[::-1]
        count = cuts[stop] - cuts[first:stop]
        cost = (tallest + widest) * OVERHEAD_CELLS + count * tallest * widest
        cost[:-1][(np.minimum(tallest, widest) * count > MAX_BATCH_ROWS)[:-1]] = np.inf
        total = best[first:stop] + cost
        previous[stop] = first + np.argmin(total)
        best[stop] = total[previous[stop] - first]
    batches = []
    stop = len(cuts) - 1
    while stop > 0:
        batches.append(order[cuts[previous[stop]] : cuts[stop]])
        stop = int(previous[stop])
    return batches[::-1]


def _belong_together(size: NDArray[np.floating]) -> bool:
    """Say whether one batch of all rectangles (n_pairs, 2) costs less than any two could."""
    if not 0 < len(size) <= MAX_BATCH_PAIRS:
        return False
    largest = size.max(axis=0)
    together = largest.sum() * OVERHEAD_CELLS + len(size) * largest.prod()
    apart = 2 * size.sum(axis=1).min() * OVERHEAD_CELLS + size.prod(axis=1).sum()
    return bool(largest.min() * len(size) <= MAX_BATCH_ROWS and together <= apart)


def make_batches(
    x: Sequence[NDArray[np.uint8]],
    y: Sequence[NDArray[np.uint8]],
    n_symbols: int,
    *,
    banded: bool = True,
) -> list[Batch]:
    """Pad and group encoded pairs for the sweeps.

    Parameters
    ----------
    x, y
        Codes of each pair's sequences, below ``n_symbols``.
    n_symbols
        Size of the odds table's axes.
    banded
        Whether the sweeps may stay in a band where that is enough.
    """
    lengths = np.array([(len(a), len(b)) for a, b in zip(x, y, strict=True)], dtype=np.int64)
    batches = []
    for members in plan_batches(lengths.reshape(-1, 2)):
        left = _padded(x, members, lengths[members, 0])
        right = _padded(y, members, lengths[members, 1])[:, ::-1]
        left *= n_symbols
        left += np.arange(len(members))[:, None] * n_symbols**2
        codes = left.T.copy(), right.T.copy()
        batches.append(Batch(*codes, lengths[members], members, n_symbols, banded=banded))
    return batches


def _padded(codes: Sequence[NDArray[np.uint8]], members: Integers, lengths: Integers) -> Integers:
    """Lay sequences side by side, one a row, with zeros behind their ends."""
    padded = np.zeros((len(members), lengths.max()), dtype=np.int64)
    present = np.arange(padded.shape[1]) < lengths[:, None]
    padded[present] = np.concatenate([codes[pair] for pair in members.tolist()])
    return padded
