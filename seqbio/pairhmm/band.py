"""Pair-HMM sums inside a band, and the evidence that nothing of importance lies outside.

Related sequences have their probable alignments along one chain of common words. A *band* is a
strip of diagonals around it that moves with it (:mod:`seqbio.pairhmm.band_layout`), in which the
recursions run (:mod:`seqbio.pairhmm.band_sweep`).

What a band leaves out cannot be known without computing it. Four things are asked of every pair;
one that fails any is computed with a wider band, and then with the full matrix.

* *The rim.* The expected number of matches on the outer diagonals of the band is what a narrower
  band would have lost; where only sums are wanted, it is told by sums that leave those matches out.
  It must be below `LARGEST_LOSS`; what goes further out must first pass there and costs more.
* *Common words outside.* A path may leave the band for a far place that is similar too (a repeat,
  a translocation) without touching the rim. Every word in common outside of the band is taken for
  a perfect match, its neighbours joined to it; what a path could gain there, less the gaps that
  lead there and back, must be small beside the least that the band may have gained over the same
  stretch, which is noted every few anti-diagonals.
* *Steady gain.* Where the band has nothing to gain over a long stretch (unrelated letters, a long
  gap), similarities too weak to have a word in common could matter: no stretch may lose more than
  `LARGEST_DROP`.
* *Two results.* Where both sweeps run from end to end, their sums must agree.

This is strong evidence and not a proof: similarity outside of the band without a common word is
not seen, and counts only where it would outweigh the band's own. How it fares with pairs made to
mislead it is measured by ``python -m tests.statistical.band_evidence``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqbio.pairhmm.band_layout import LARGEST_SPREAD, lay_out
from seqbio.pairhmm.band_sweep import BandSweep
from seqbio.pairhmm.corridors import APART

if TYPE_CHECKING:
    from seqbio.pairhmm.batches import Batch
    from seqbio.pairhmm.kernels import Machine

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LARGEST_LOSS = 1e-10  # nats that may be missing by each kind of evidence
LARGEST_DROP = 40.0  # nats that a band may lose over any stretch
LONG_GAP = 12  # diagonals that a chain passes in a block, beyond which a gap is there for certain
WIDEST = 96  # diagonals on either side of the chain
LEAST_SAVING = 4  # columns of the matrix for each diagonal of the band
FEW_PAIRS = 8  # for which a wider band costs nothing
WIDE = 30  # diagonals on either side of the chain, for those
MOST_CELLS = 24_000_000  # of a single pair whose values are kept


def can_be_banded(machine: Machine) -> bool:
    """Say whether every cell can be reached, so that paths are not forced far from all words.

    With overhangs paths enter and leave all along the edges, which a band leaves out.
    """
    kinds, moves = machine.kinds, machine.transitions
    if machine.flanks is not None or not {"x", "y"} <= set(kinds):
        return False
    gaps = moves[1:, 1:] * ~np.eye(len(kinds) - 1, dtype=bool)
    alike = np.array([[a == b for b in kinds[1:]] for a in kinds[1:]])
    possible = min(*moves[0], *moves[:, 0], *moves.diagonal(), machine.odds.min()) > 0
    return bool(possible) and not (gaps * alike).any()


def half_width(machine: Machine) -> int:
    """Guess how many diagonals an alignment leaves with a probability of about 1e-12.

    A diagonal further costs a letter of a gap on the way out and one on the way back, and what
    the letters that are passed over would have gained.
    """
    longest = min(float(machine.transitions.diagonal()[1:].max()), 1.0)
    return max(12, 2 * int(np.ceil(13.5 / (0.35 - 2.0 * np.log(longest)))))


def outside(sweep: BandSweep) -> Floats:
    """Estimate what paths could gain at common words outside of the band."""
    layout, machine, gain, places = sweep.layout, sweep.machine, sweep.gain, sweep.places_of_gain
    highest = np.maximum.accumulate(gain, axis=0)
    lowest = np.minimum.accumulate(gain[::-1], axis=0)[::-1]
    loss = np.where((highest - lowest).max(axis=0) <= LARGEST_DROP, 0.0, np.inf)
    corridors = sweep.batch.corridors
    lane_of = np.full(sweep.batch.n_pairs, -1)
    lane_of[layout.pairs] = np.arange(sweep.n_pairs)
    lane = lane_of[corridors.word_pair]
    row, diagonal = corridors.word_row, corridors.word_diagonal
    where = layout.block_of(2 * row + diagonal + 1)
    beyond = diagonal - layout.offset[where, lane]
    out = np.flatnonzero((lane >= 0) & ((beyond < 0) | (beyond >= 2 * layout.height)))
    if not len(out):
        return loss
    lane, row, diagonal = lane[out], row[out], diagonal[out]
    extend = machine.transitions.diagonal()[1:]
    open_cost = -np.log(max(sweep.opening) * sweep.step / extend.min())
    letter_cost = -np.log(extend.max())
    best_match = np.log(machine.odds.max() * sweep.stay)
    for shift in (0, APART // 4):
        bins = (diagonal + shift) // (APART // 2)
        order = np.lexsort((row, bins, lane))
        rows, lanes, own = row[order], lane[order], diagonal[order]
        begins = np.ones(len(order), dtype=bool)
        begins[1:] = (np.diff(lanes) != 0) | (np.diff(bins[order]) != 0) | (np.diff(rows) > APART)
        first = np.flatnonzero(begins)
        final = np.append(first[1:], len(order)) - 1
        lanes = lanes[first]
        span = rows[final] - rows[first] + corridors.length
        starting = 2 * rows[first] + own[first]
        stopping = 2 * rows[final] + own[final] + 2 * corridors.length
        cost, passed = 2 * open_cost, np.zeros(len(first), dtype=np.int64)
        for d, diag in ((starting, own[first]), (stopping, own[final])):
            b = layout.block_of(d)
            least, greatest = layout.least[b, lanes], layout.greatest[b, lanes]
            cost = cost + np.maximum(np.maximum(least - diag, diag - greatest), 0) * letter_cost
            passed = np.maximum(passed, greatest - least)
        before = np.minimum(np.searchsorted(places, starting), len(places) - 1)
        behind = np.searchsorted(places, stopping, side="right") - 1
        replaced = lowest[behind, lanes] - highest[before, lanes]
        # The best beginnings stay in front of a long gap when the best path has paid for it.
        replaced -= np.where(passed > LONG_GAP, open_cost + passed * letter_cost, 0.0)
        value = np.exp(np.minimum(span * best_match - cost - replaced, 50.0))
        loss = np.maximum(loss, np.bincount(lanes, weights=value, minlength=sweep.n_pairs))
    return loss


@dataclass(frozen=True)
class Banding:
    """How the sums of pairs were computed, and the evidence that nothing of importance is missing.

    Parameters
    ----------
    width : (n_pairs,) int
        Diagonals of the band, 0 for the full matrix.
    share : (n_pairs,) float
        Of the cells of the matrix that were computed, 1 for the full matrix.
    loss : (n_pairs,) float
        Estimate of what is missing from the log-likelihood, nats; 0 for the full matrix.
    """

    width: Integers
    share: Floats
    loss: Floats


def banding(machine: Machine, batches: Sequence[Batch]) -> Banding:
    """Find out for every pair how its log-likelihood is computed under a machine."""
    n_pairs = sum(batch.n_pairs for batch in batches)
    result = Banding(np.zeros(n_pairs, dtype=np.int64), np.ones(n_pairs), np.zeros(n_pairs))
    for batch in batches:
        for lanes, sweep, pairs in banded(machine, batch, np.add):
            members, lengths = batch.members[pairs], batch.lengths[pairs]
            width = 2 * sweep.layout.height
            result.width[members] = width
            cells = width * lengths.min(axis=1)
            result.share[members] = np.minimum(cells / lengths.prod(axis=1), 1.0)
            result.loss[members] = sweep.loss[lanes]
    return result


class Rest:
    """What is left of a batch when some of its pairs were swept in a band."""

    def __init__(self, batch: Batch) -> None:
        self.whole = batch
        self.left = np.ones(batch.n_pairs, dtype=bool)

    def after(
        self, sweeps: Iterator[tuple[Integers, BandSweep, Integers]]
    ) -> Iterator[tuple[Integers, BandSweep, Integers]]:
        """Hand on the sweeps and tick off their pairs."""
        for lanes, sweep, pairs in sweeps:
            self.left[pairs] = False
            yield lanes, sweep, pairs

    @property
    def batch(self) -> Batch | None:
        """The pairs that are left, None if there are none."""
        pairs = np.flatnonzero(self.left)
        return self.whole.subset(pairs) if len(pairs) else None


def banded(
    machine: Machine, batch: Batch, combine: np.ufunc, keep: bool = False
) -> Iterator[tuple[Integers, BandSweep, Integers]]:
    """Sweep the pairs of a batch for which a band is enough.

    Yields
    ------
    lanes, sweep, pairs
        Lanes of a sweep that passed, and the positions of their pairs in the batch.
    """
    if not (batch.banded and can_be_banded(machine)):
        return
    half = half_width(machine)
    pairs = np.flatnonzero(batch.lengths.min(axis=1) >= LEAST_SAVING * (2 * half + 8))
    difference = np.abs(np.diff(batch.lengths[pairs], axis=1))[:, 0]
    pairs = pairs[difference <= LARGEST_SPREAD + batch.lengths[pairs].min(axis=1) // 10]
    if not len(pairs):
        return
    if len(pairs) < FEW_PAIRS:
        half = max(half, WIDE)
    pairs = pairs[~batch.corridors.simple[pairs]]
    while len(pairs) and half <= WIDEST:
        left = []
        for layout in lay_out(batch.corridors, batch.lengths, pairs, half):
            if keep and layout.last * layout.height * 2 > MOST_CELLS:
                continue
            sweep = None  # its memory goes to the next one
            sweep = BandSweep(machine, batch, layout, combine, keep)
            np.maximum(sweep.loss, outside(sweep), out=sweep.loss)
            passed = sweep.loss <= LARGEST_LOSS
            left.append(layout.pairs[~passed & np.isfinite(sweep.loss)])
            if passed.any():
                yield np.flatnonzero(passed), sweep, layout.pairs[passed]
        pairs = np.concatenate(left) if left else pairs[:0]
        half = half * 2 if len(pairs) < FEW_PAIRS else half * 3 // 2
        pairs = pairs[batch.lengths[pairs].min(axis=1) >= LEAST_SAVING * (2 * half + 8)]
