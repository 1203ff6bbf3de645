"""Pair-HMM sums inside a band, and the evidence that nothing of importance lies outside.

Related sequences have their probable alignments along one chain of common words. A *band* is a
strip of diagonals around it that moves with it. Both sweeps run inside it at the same time, as if
they were two pairs: the adjoint of the forward sweep is a forward sweep through the sequences
turned round, with openings and closings exchanged, and gap states can be scaled so that even the
coefficients are the same. Storage is by diagonal: cell ``k`` of anti-diagonal ``d`` is the one on
diagonal ``offset + 2 k + d % 2``, batch axis last, so that a match stays in place.

What a band leaves out cannot be known without computing it. Four things are asked of every pair;
one that fails any is computed with a wider band, and then with the full matrix.

* *The rim.* The expected number of matches on the outer diagonals of the band is what a narrower
  band would have lost. It must be below `LARGEST_LOSS`; what goes further out must first pass there
  and costs more.
* *Common words outside.* A path may leave the band for a far place that is similar too (a repeat,
  a translocation) without touching the rim. Every word in common outside of the band is taken for
  a perfect match, its neighbours joined to it; what a path could gain there, less the gaps that
  lead there and back, must be small beside what the band gains over the same stretch.
* *Steady gain.* Where the band has nothing to gain over a long stretch (unrelated letters, a long
  gap), similarities too weak to have a word in common could matter: no stretch may lose more than
  `LARGEST_DROP`.
* *Two results.* The forward and the backward sum must agree.

This is strong evidence and not a proof: similarity outside of the band without a common word is
not seen, and counts only where it would outweigh the band's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from seqbio.pairhmm.corridors import APART, Corridors

if TYPE_CHECKING:
    from seqbio.pairhmm.batches import Batch
    from seqbio.pairhmm.kernels import Machine

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LARGEST_LOSS = 1e-10  # nats that may be missing by each kind of evidence
LARGEST_DROP = 40.0  # nats that a band may lose over any stretch
WIDEST = 96  # diagonals on either side of the chain
LARGEST_SPREAD = 64  # of the chain within a block
LEAST_LENGTH = 0.7  # of the pairs of a group, as a share of the longest
LEAST_SAVING = 4  # columns of the matrix for each diagonal of the band
ROUNDING = 1e-9  # by how much the two sums may differ, nats
SMALLEST_STEP = 0.01  # extension probability below which it is not divided out of a diagonal
BLOCK = 48  # about so many anti-diagonals have one scale and one place of the band
CELLS = 4_000_000  # about so many values of one kind are held at once, but for a single pair
CELLS_IN_CACHE = 200_000
FEW_PAIRS = 8  # for which a wider band costs nothing
WIDE = 30  # diagonals on either side of the chain, for those
MOST_CELLS = 24_000_000  # of a single pair whose values are kept
FAR = np.int64(1) << 40  # symbol behind the ends of a sequence; no sum with it is a cell's index
LOG_2 = float(np.log(2.0))


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


@dataclass(frozen=True)
class _Step:
    """Where gap states stand before and after a step to an anti-diagonal that is odd, or even."""

    sources: list[Floats]
    targets: list[Floats]
    views: list[slice]
    moves: list[tuple[Floats, Floats, Floats]]


class BandSweep:
    """Forward and backward sums (or best scores) of some pairs inside their bands.

    Lanes are the forward sweeps and then, turned round, the backward sweeps. If all values are
    to be kept they run from end to end. If only the sums are wanted they meet in the middle, and
    every pair has a second pair of lanes, without matches on the rim: the difference is what the
    rim contributes.

    Attributes
    ----------
    result : (n_pairs,)
        Log odds of each pair, nats.
    loss : (n_pairs,)
        Largest of the estimates of what is missing; inf where the band must not be trusted.
    """

    def __init__(
        self, machine: Machine, batch: Batch, layout: Layout, combine: np.ufunc, keep: bool
    ) -> None:
        self.machine, self.batch, self.layout, self.combine = machine, batch, layout, combine
        self.keep, self.n_pairs = keep, len(layout.pairs)
        self.n_forward = self.n_pairs * (1 if keep else 2)
        self.lengths = batch.lengths[layout.pairs]
        self.ends = self.lengths.sum(axis=1)
        self.end_cells = layout.cell(self.ends, self.lengths[:, 1] - self.lengths[:, 0])
        self.rim = max(2, layout.height // 12)
        self.along_x = [kind == "x" for kind in machine.kinds[1:]]
        moves = machine.transitions
        self.stay, into, out = moves[0, 0], moves[1:, 0], moves[0, 1:]
        extend = moves.diagonal()[1:]
        self.step = float(extend[0]) if extend[0] >= SMALLEST_STEP else 1.0
        self.opening = (out * into / (self.stay * self.step)).tolist()
        self.extending = (extend / self.step).tolist()
        # A gap state is stored times this, so that it enters the match state as match does.
        self.unit = into / self.stay
        self.moves = moves / np.append(1.0, self.unit)[:, None]
        # What a kept forward value and a kept backward value make of a move between gap states.
        self.meeting = moves[1:, 1:] / (self.unit[:, None] * out)
        self.seeds = machine.end[1:] * out / extend
        self.crossing = [
            (
                *(g, h),
                np.repeat(
                    [
                        moves[g + 1, h + 1] * into[h] / into[g] / self.step,
                        moves[h + 1, g + 1] * out[h] / out[g] / self.step,
                    ],
                    self.n_forward,
                ),
            )
            for g, h in np.argwhere(moves[1:, 1:] + moves[1:, 1:].T > 0).tolist()
            if g != h
        ]
        self.cells = self._cells()
        shape = (layout.last + 1 if keep else 4, layout.height, 2 * self.n_forward)
        self.match, self.total = np.zeros(shape), np.zeros(shape)
        # Forward values of gap states are asked for where paths are traced, gaps adjoin, or letters
        # of several gap states are told apart.
        several = len(set(machine.kinds)) < len(machine.kinds)
        both = several or bool(self.crossing) or combine is np.maximum
        self.first_kept = 0 if both else self.n_forward
        shape = (*shape[:2], shape[2] - self.first_kept)
        self.gaps = [np.zeros(shape) for _ in self.along_x] if keep else []
        self.exponents = np.zeros((len(layout.offset), 2 * self.n_forward), dtype=np.int64)
        self.loss: Floats = np.full(self.n_pairs, np.inf)
        self._run()
        self.loss = np.maximum(self.loss, self._outside())

    # -- sequences ---------------------------------------------------------------------------

    def _cells(self) -> Integers:
        """Index of every cell into the odds of its pair, (n_blocks, block + 1, height, n_pairs).

        The anti-diagonal after each block is there too, in the block's own place.
        """
        layout, batch = self.layout, self.batch
        pairs, n_symbols = layout.pairs, batch.n_symbols
        lanes = np.arange(self.n_pairs)
        x, y = batch.x[:, pairs], batch.y_reversed[::-1, pairs]
        x = x + (lanes - pairs) * n_symbols**2
        start = np.arange(len(layout.offset))[:, None] * layout.block + 1
        odd = start % 2
        row = (start - layout.offset - odd) // 2
        column = (start + layout.offset + odd) // 2
        # Along an anti-diagonal rows fall and columns rise; every second step moves each by one.
        n_steps = layout.block // 2 + 1
        reach = np.arange(n_steps + layout.height)
        rows = _symbols(x, self.lengths[:, 0], row[..., None] + n_steps - 1 - reach)
        columns = _symbols(y, self.lengths[:, 1], column[..., None] - 1 + reach)
        of_x = sliding_window_view(rows, layout.height, axis=1)[:, ::-1]
        of_y = sliding_window_view(columns, layout.height, axis=1)
        of_x, of_y = of_x.swapaxes(2, 3), of_y.swapaxes(2, 3)
        cells = np.empty(
            (len(start), layout.block + 1, layout.height, self.n_pairs), dtype=np.int64
        )
        half = (layout.block + 1) // 2
        for first in (0, 1):  # blocks that begin on an odd anti-diagonal, and on an even one
            of_rows, of_columns = of_x[first::2], of_y[first::2]
            ahead = slice(1, half + 1), slice(0, half)
            for_x, for_y = (ahead, ahead[::-1])[first]
            np.add(of_rows[:, :half], of_columns[:, :half], out=cells[first::2, ::2])
            np.add(of_rows[:, for_x], of_columns[:, for_y], out=cells[first::2, 1::2])
        return cells

    def _odds(self) -> Iterator[Floats]:
        """Hand out the odds of a match in all cells and lanes, step by step."""
        layout, rim = self.layout, self.rim
        n_blocks, n_pairs = len(layout.offset), self.n_pairs
        tile = np.tile((self.machine.odds * (self.stay / self.step**2)).ravel(), n_pairs)
        tile = np.append(tile, 0.0)
        size = max(1, CELLS_IN_CACHE // self.cells[0].size)
        n_steps = n_blocks if self.keep else n_blocks // 2 + 1
        for start in range(0, n_steps, size):
            stop = min(start + size, n_steps)
            odds = np.empty(
                (stop - start, layout.block, layout.height, 2, self.n_forward // n_pairs, n_pairs)
            )
            forward = tile.take(self.cells[start:stop, :-1], mode="clip")
            turned = tile.take(self.cells[n_blocks - stop : n_blocks - start, 1:], mode="clip")
            odds[..., 0, :, :] = forward[..., None, :]
            odds[..., 1, :, :] = turned[::-1, ::-1, ::-1, None]
            if not self.keep:
                odds[:, :, :rim, :, 1] = odds[:, :, -rim:, :, 1] = 0.0
            yield from odds.reshape((stop - start) * layout.block, -1)

    # -- the recursion -----------------------------------------------------------------------

    def _run(self) -> None:
        """Step through the anti-diagonals, forward lanes from the first, others from the last."""
        layout, n_forward = self.layout, self.n_forward
        height, lanes = layout.height, 2 * n_forward
        size, block = height * lanes, layout.block
        pair = np.arange(n_forward) % self.n_pairs
        ends, starts = self.ends[pair], layout.last - self.ends[pair]
        match, total = self.match.reshape(-1, size), self.total.reshape(-1, size)
        n_rows = len(match)
        kept, first_kept = self.gaps, self.first_kept
        # Rows of zeros before and behind every array are what is outside of the band.
        edged = size + 2 * lanes
        core, before, behind = slice(lanes, -lanes), slice(0, -2 * lanes), slice(2 * lanes, None)
        weights = sorted(set(self.opening))
        opened = [np.zeros(edged) for _ in weights]
        fresh = [(np.array(w), values[core]) for w, values in zip(weights, opened, strict=True)]
        steps = _Step([], [], [], []), _Step([], [], [], [])
        for along_x, weight in zip(self.along_x, self.opening, strict=True):
            both, incoming = np.zeros((2, edged)), opened[weights.index(weight)]
            for odd, step in enumerate(steps):
                source, target = both[1 - odd], both[odd]
                view = core if along_x != bool(odd) else (behind if along_x else before)
                step.sources.append(source[core])
                step.targets.append(target[core])
                step.views.append(view)
                step.moves.append((source[view], incoming[view], target[core]))
        decaying = [(g, np.array(rate)) for g, rate in enumerate(self.extending) if rate != 1]
        crossing = [(g, h, np.tile(weight, height)) for g, h, weight in self.crossing]
        spare = np.zeros(edged)

        multiply, combine = np.multiply, self.combine
        origin = layout.cell(np.zeros_like(self.ends), np.zeros_like(self.ends))[pair]
        for values in (self.match, self.total):
            values[0, origin, np.arange(n_forward)] = 1.0
        last_total, latest_total, latest_match = np.zeros(size), total[0], match[0]
        exponents = np.zeros(lanes, dtype=np.int64)
        self.end_values = np.zeros((1 + len(self.along_x), n_forward))
        self.end_exponents = np.zeros(n_forward, dtype=np.int64)
        seeded: Integers = np.flatnonzero(starts == 0)
        self._seed(seeded, latest_total)
        middle = (layout.last + 1) // 2
        final = layout.last if self.keep else middle + 1
        boundaries = [np.arange(block, layout.last, block), [middle - 1, middle, final]]
        stops = np.unique(np.concatenate([ends, starts, *boundaries]))
        rows = zip(self._odds(), *(islice(cycle(v), 1, None) for v in (match, total)), strict=False)
        met: dict[int, list[Floats]] = {}
        t = 0
        for stop in stops[(stops > 0) & (stops <= final)].tolist():
            for here, row, whole in islice(rows, stop - t):
                step = steps[~t & 1]
                t += 1
                for weight, values in fresh:
                    multiply(latest_match, weight, values)
                arriving: list[tuple[int, Floats]] = []
                for g, h, into in crossing:
                    multiply(step.sources[g], into, spare[core])
                    arriving.append((h, spare[step.views[h]].copy()))
                if len(seeded):
                    self._seed_gaps(seeded, step.sources)
                    seeded = seeded[:0]
                for g, rate in decaying:
                    multiply(step.sources[g], rate, step.sources[g])
                for source, incoming, target in step.moves:
                    combine(source, incoming, out=target)
                for h, moved in arriving:
                    combine(step.targets[h], moved, out=step.targets[h])
                multiply(last_total, here, row)
                latest_match, last_total = row, latest_total
                for values in step.targets:
                    combine(row, values, out=whole)
                    row = whole
                latest_total = whole
                for kept_values, values in zip(kept, step.targets, strict=False):
                    kept_values[t] = values.reshape(height, lanes)[:, first_kept:]
            states = steps[t & 1].targets
            if not self.keep and t in (middle - 1, middle):
                met[t] = [values.copy() for values in states]
            closing = np.flatnonzero(ends == t)
            if len(closing):
                place = self.end_cells[pair[closing]] * lanes + closing
                self.end_values[:, closing] = [values[place] for values in (latest_match, *states)]
                self.end_exponents[closing] = exponents[closing]
            if t % block == 0 and t < final:
                held = [last_total, latest_total, latest_match, *states]
                held = self._moved(t // block, held)
                for values, moved in zip(
                    (self.total[t % n_rows], *(k[t] for k in kept)),
                    (held[1], *held[3:]),
                    strict=False,
                ):
                    values[:, -n_forward:] = moved.reshape(height, lanes)[:, n_forward:]
                largest = np.maximum.reduce(
                    [values.reshape(height, lanes).max(axis=0) for values in held[:2]]
                )
                shift = np.frexp(largest)[1].astype(np.int64)
                factor = np.tile(np.ldexp(1.0, -shift), height)
                last_total, latest_total, latest_match, *others = [v * factor for v in held]
                for state, values in zip(states, others, strict=True):
                    state[:] = values
                exponents = exponents + shift
                self.exponents[t // block] = exponents
            seeded = np.flatnonzero(starts == t)
            for whole in (latest_total, total[t % n_rows]):
                self._seed(seeded, whole)
        if self.keep:
            self._close(origin)
        else:
            self._meet(middle, met[middle - 1], met[middle])

    def _turned_ends(self, seeded: Integers) -> Integers:
        """Places of the last cells of pairs among the lanes that are turned round."""
        cell = self.layout.height - 1 - self.end_cells[seeded % self.n_pairs]
        return np.asarray((2 * cell + 1) * self.n_forward + seeded)

    def _seed(self, seeded: Integers, total: Floats) -> None:
        """Let turned pairs begin where their last state ends."""
        total[self._turned_ends(seeded)] = self.machine.end[0]

    def _seed_gaps(self, seeded: Integers, states: list[Floats]) -> None:
        for values, seed in zip(states, self.seeds, strict=True):
            values[self._turned_ends(seeded)] = seed

    def _moved(self, number: int, arrays: list[Floats]) -> list[Floats]:
        """Bring all to the place of the next block; turned lanes meet the blocks from behind."""
        offset, height = self.layout.offset, self.layout.height
        behind = len(offset) - number
        change = np.stack(
            [offset[number] - offset[number - 1], offset[behind] - offset[behind - 1]]
        )
        if not change.any():
            return arrays
        change = np.tile(change // 2, self.n_forward // self.n_pairs).ravel()
        lanes = len(change)
        cells = np.arange(height)[:, None] + change
        inside = ((cells >= 0) & (cells < height)).ravel()
        place = (np.clip(cells, 0, height - 1) * lanes + np.arange(lanes)).ravel()
        return [values[place] * inside for values in arrays]

    def _close(self, origin: Integers) -> None:
        """Work out the result, and compare it with that of the turned pairs."""
        machine, n_pairs = self.machine, self.n_pairs
        ends = np.append(machine.end[0], machine.end[1:] / self.unit)
        ending = self.end_values * ends[:, None]
        value = self.combine.reduce(ending, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.ending = ending / value
            self.scaled = np.log(value) + self.end_exponents * LOG_2
            turned = self.total[-1, self.layout.height - 1 - origin, n_pairs + np.arange(n_pairs)]
            difference = np.log(turned) + self.exponents[-1, n_pairs:] * LOG_2 - self.scaled
        self.result = self.scaled + self.ends * np.log(self.step)
        agreed = np.isfinite(self.result) & (np.abs(difference) <= ROUNDING)
        self.loss = np.where(agreed, self._rim(), np.inf)

    def _meet(self, middle: int, forward: list[Floats], backward: list[Floats]) -> None:
        """Sum over where paths cross the middle, with matches on the rim and without.

        Paths cross in the cells of an anti-diagonal or, by a match, from the one before it to
        the one behind it.
        """
        n_forward, shape = self.n_forward, self.match.shape[1:]

        def ahead(values: Floats) -> Floats:
            return values.reshape(shape)[:, :n_forward]

        def turned(values: Floats) -> Floats:
            return values.reshape(shape)[::-1, n_forward:]

        before = [ahead(values) for values in forward]
        behind = [turned(values) for values in backward]
        last = middle - 1
        value = ahead(self.total[last % 4]) * turned(self.match[middle % 4])
        value += ahead(self.total[(last - 1) % 4]) * turned(self.match[(middle + 1) % 4])
        for h, gap in enumerate(behind):
            value += ahead(self.match[last % 4]) * gap
            for g, other in enumerate(before):
                if self.meeting[g, h] > 0:
                    value += other * gap * self.meeting[g, h]
        number = len(self.exponents) // 2
        exponents = self.exponents[number].reshape(2, 2, -1).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            mantissa = np.log(value.sum(axis=0)).reshape(2, -1)
            self.scaled = mantissa[0] + exponents[0] * LOG_2
            short = mantissa[0] - mantissa[1] + (exponents[0] - exponents[1]) * LOG_2
        self.result = self.scaled + self.ends * np.log(self.step)
        self.loss = np.where(np.isfinite(self.result), np.abs(short), np.inf)

    # -- what comes of it --------------------------------------------------------------------

    def turned_round(self, values: Floats) -> Floats:
        """View what the turned lanes hold in the cells of the forward lanes."""
        return values[::-1, ::-1, -self.n_pairs :]

    @property
    def scale(self) -> Floats:
        """Bring products of forward and turned values to probabilities, (last + 1, 1, n_pairs)."""
        number = np.maximum(np.arange(self.layout.last + 1) - 1, 0) // self.layout.block
        rows = self.exponents[number]
        total = rows[:, : self.n_pairs] + rows[::-1, self.n_pairs :]
        # Behind the end of a pair there is nothing to scale, but numbers that mean nothing.
        return np.exp(np.minimum(total * LOG_2 - self.scaled, 700.0))[:, None]

    def posterior(self) -> Floats:
        """Probability of a match in every cell of the band, (last, height, n_pairs)."""
        values = self.match[1:, :, : self.n_pairs] * self.turned_round(self.total)[1:]
        values *= self.scale[1:]
        return values

    def places(self) -> tuple[Integers, Integers]:
        """Row and column, from 1, of every cell of the first pair's band."""
        d = np.arange(1, self.layout.last + 1)[:, None]
        offset = self.layout.offset[self.layout.block_of(d[:, 0]), 0][:, None]
        diagonal = offset + 2 * np.arange(self.layout.height) + d % 2
        return (d - diagonal) // 2, (d + diagonal) // 2

    def letter_counts(self) -> Floats:
        """Count expected matches of each two symbols, (n_pairs, n_symbols, n_symbols)."""
        n_symbols = self.batch.n_symbols
        size = self.n_pairs * n_symbols**2
        cells = np.minimum(self.cells[:, :-1], size).ravel()
        counts = np.bincount(cells, weights=self.posterior().ravel(), minlength=size + 1)[:size]
        return np.asarray(counts.reshape(-1, n_symbols, n_symbols), dtype=np.float64)

    def openings(self) -> Floats:
        """Count expected moves from the match state, (n_gap_states, n_pairs)."""
        return np.stack([self._moves(self.match, turned) for turned in self.gaps])

    def beginnings(self) -> Floats:
        """Probability that the path begins with each gap state, (n_gap_states, n_pairs)."""
        first = self.match[0, :, : self.n_pairs] * self.scale[0]
        return np.stack(
            [(first * self.turned_round(turned)[0]).sum(axis=0) for turned in self.gaps]
        )

    def crossings(self) -> Floats:
        """Count expected moves between gap states, (n_gap_states, n_gap_states, n_pairs)."""
        moves, n_gaps = self.machine.transitions, len(self.gaps)
        counts = np.zeros((n_gaps, n_gaps, self.n_pairs))
        for g, h, _ in self.crossing:
            factor = moves[g + 1, h + 1] / (self.unit[g] * moves[0, h + 1])
            counts[g, h] = self._moves(self.gaps[g], self.gaps[h]) * factor
        return counts

    def visits(self) -> Floats:
        """Count expected letters against a gap of every gap state, (n_gap_states, n_pairs)."""
        moves, crossed = self.machine.transitions, self.crossings().sum(axis=0)
        counts = self.openings() + crossed
        for g, values in enumerate(self.gaps):
            factor = moves[g + 1, g + 1] / (self.unit[g] * moves[0, g + 1])
            counts[g] += self._moves(values, values) * factor
        return counts

    def _moves(self, values: Floats, turned: Floats) -> Floats:
        product = values[..., : self.n_pairs] * self.turned_round(turned)
        return np.asarray((product.sum(axis=1) * self.scale[:, 0]).sum(axis=0))

    def _rim(self) -> Floats:
        """Count expected matches on the rim, or compare the best path there with the best."""
        found = np.zeros(self.n_pairs)
        backward = self.turned_round(self.total)
        for part in (slice(0, self.rim), slice(-self.rim, None)):
            mass = self.match[:, part, : self.n_pairs] * backward[:, part]
            mass *= self.scale
            found = self.combine(found, self.combine.reduce(mass, axis=(0, 1)))
        return found

    def _outside(self) -> Floats:
        """Estimate what paths could gain at common words outside of the band."""
        layout, machine = self.layout, self.machine
        gain = self._gain()
        highest = np.maximum.accumulate(gain, axis=0)
        lowest = np.minimum.accumulate(gain[::-1], axis=0)[::-1]
        loss = np.where((highest - lowest).max(axis=0) <= LARGEST_DROP, 0.0, np.inf)
        corridors = self.batch.corridors
        lane_of = np.full(self.batch.n_pairs, -1)
        lane_of[layout.pairs] = np.arange(self.n_pairs)
        lane = lane_of[corridors.word_pair]
        row, diagonal = corridors.word_row, corridors.word_diagonal
        where = layout.block_of(2 * row + diagonal + 1)
        beyond = diagonal - layout.offset[where, lane]
        out = np.flatnonzero((lane >= 0) & ((beyond < 0) | (beyond >= 2 * layout.height)))
        if not len(out):
            return loss
        lane, row, diagonal = lane[out], row[out], diagonal[out]
        extend = machine.transitions.diagonal()[1:]
        open_cost = -np.log(max(self.opening) * self.step / extend.min())
        letter_cost = -np.log(extend.max())
        best_match = np.log(machine.odds.max() * self.stay)
        for shift in (0, APART // 4):
            bins = (diagonal + shift) // (APART // 2)
            order = np.lexsort((row, bins, lane))
            rows, lanes, own = row[order], lane[order], diagonal[order]
            begins = np.ones(len(order), dtype=bool)
            begins[1:] = (
                (np.diff(lanes) != 0) | (np.diff(bins[order]) != 0) | (np.diff(rows) > APART)
            )
            first = np.flatnonzero(begins)
            final = np.append(first[1:], len(order)) - 1
            lanes = lanes[first]
            span = rows[final] - rows[first] + corridors.length
            starting = 2 * rows[first] + own[first]
            stopping = 2 * rows[final] + own[final] + 2 * corridors.length
            cost = 2 * open_cost
            for d, diag in ((starting, own[first]), (stopping, own[final])):
                b = layout.block_of(d)
                distance = np.maximum(
                    layout.least[b, lanes] - diag, diag - layout.greatest[b, lanes]
                )
                cost = cost + np.maximum(distance, 0) * letter_cost
            replaced = self._at(gain, lowest, np.minimum, stopping, lanes, 1) - self._at(
                gain, highest, np.maximum, starting, lanes, 0
            )
            value = np.exp(np.minimum(span * best_match - cost - replaced, 50.0))
            loss = np.maximum(loss, np.bincount(lanes, weights=value, minlength=self.n_pairs))
        return loss

    def _gain(self) -> Floats:
        """Log odds of the best beginnings in the band at the end of each block, (n + 1, n_pairs).

        Behind the middle they are told by the best endings, with which they make the whole.
        """
        n_pairs, n_blocks = self.n_pairs, len(self.exponents)
        forward, backward = np.split(self.exponents * LOG_2, 2, axis=1)
        number = n_blocks // 2 + 1
        d = np.arange(n_blocks + 1)[:, None] * self.layout.block
        gain = np.concatenate(
            [
                forward[:number, :n_pairs],
                self.scaled - backward[: n_blocks + 1 - number, :n_pairs][::-1],
            ]
        )
        return np.asarray(gain + np.minimum(d, self.ends) * np.log(self.step))

    def _at(
        self,
        gain: Floats,
        extreme: Floats,
        pick: np.ufunc,
        d: Integers,
        lanes: Integers,
        ahead: int,
    ) -> Floats:
        """Find the extreme gain up to, or from, an anti-diagonal between two ends of blocks."""
        d = np.minimum(d, self.ends[lanes])
        b = np.minimum(d // self.layout.block, len(gain) - 2)
        part = d / self.layout.block - b
        here = gain[b, lanes] * (1 - part) + gain[b + 1, lanes] * part
        return pick(here, extreme[b + ahead, lanes])


def _symbols(codes: Integers, lengths: Integers, places: Integers) -> Integers:
    """Look up symbols at places (n_blocks, n_pairs, size), pairs last; `FAR` outside."""
    n_pairs = codes.shape[1]
    clipped = np.clip(places, 0, len(codes) - 1)
    found = codes.ravel().take(clipped * n_pairs + np.arange(n_pairs)[:, None])
    found[(places < 0) | (places >= lengths[:, None])] = FAR
    return found.swapaxes(1, 2)


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
            passed = sweep.loss <= LARGEST_LOSS
            left.append(layout.pairs[~passed & np.isfinite(sweep.loss)])
            if passed.any():
                yield np.flatnonzero(passed), sweep, layout.pairs[passed]
        pairs = np.concatenate(left) if left else pairs[:0]
        half = half * 3 // 2
        pairs = pairs[batch.lengths[pairs].min(axis=1) >= LEAST_SAVING * (2 * half + 8)]
