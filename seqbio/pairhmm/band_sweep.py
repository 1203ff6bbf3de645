"""Pair-HMM recursions inside a band, from both ends at the same time.

Both sweeps run as if they were two pairs: the adjoint of the forward sweep is a forward sweep
through the sequences turned round, with openings and closings exchanged, and gap states can be
scaled so that even the coefficients are the same. The lanes of a pair, the forward sweep and the
turned one, lie side by side, so that their odds are looked up together.

A step is a handful of calls that work in place. A gap state is an array that stays where it is
while its place in it slides: after a step along x, diagonal ``k`` holds what ``k + 1`` held.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.linalg.blas import daxpy, dscal

from seqbio.pairhmm.band_layout import Layout

if TYPE_CHECKING:
    from seqbio.pairhmm.batches import Batch
    from seqbio.pairhmm.kernels import Machine

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ROUNDING = 1e-9  # by how much the two sums may differ, nats
SMALLEST_STEP = 0.01  # extension probability below which it is not divided out of a diagonal
CELLS_IN_CACHE = 50_000
LARGEST_TABLE = 5_000  # of the odds of two cells at once
SAMPLED = 8  # anti-diagonals from one at which the gain is noted to the next
RIM = 2  # cells on either side of the band, what passes through which must be small
LOG_2 = float(np.log(2.0))


class BandSweep:
    """Forward and backward sums (or best scores) of some pairs inside their bands.

    If all values are to be kept, both sweeps run from end to end. If only the sums are wanted,
    they meet in the middle, and every pair has two more lanes, without matches on the rim: the
    difference is what the rim contributes.

    Attributes
    ----------
    result : (n_pairs,)
        Log odds of each pair, nats.
    ending : (n_states, n_pairs)
        Probability that the path ends after each state, if values are kept.
    match, gaps : (last + 1, height, n_pairs)
        Forward values of the match state and, where they are needed, of the gap states, if kept.
    onward, onward_gaps : (last + 1, height, n_pairs)
        Values of the turned sweep in the same cells: of all states together, and of gap states.
    gain : (n_places, n_pairs)
        Log odds of the best beginnings in the band up to the anti-diagonals `places_of_gain`;
        behind the middle they are told by the best endings, with which they make the whole.
    loss : (n_pairs,)
        Estimate of what is missing because paths go no further out: the expected matches on the
        rim, or what its matches add to the sum; inf where two sums that must agree do not.
    """

    def __init__(
        self, machine: Machine, batch: Batch, layout: Layout, combine: np.ufunc, keep: bool
    ) -> None:
        self.machine, self.batch, self.layout, self.combine = machine, batch, layout, combine
        self.keep, self.n_pairs = keep, len(layout.pairs)
        self.n_forward = 1 if keep else 2  # lanes of each pair, and as many that are turned
        self.lengths = batch.lengths[layout.pairs]
        self.ends = self.lengths.sum(axis=1)
        self.end_cells = layout.cell(self.ends, self.lengths[:, 1] - self.lengths[:, 0])
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
        # What a forward value and a turned value make of a move between gap states.
        self.meeting = moves[1:, 1:] / (self.unit[:, None] * out)
        self.seeds = machine.end[1:] * out / extend
        self.crossing = [
            (
                *(g, h),
                np.tile(
                    np.repeat(
                        [
                            moves[g + 1, h + 1] * into[h] / into[g] / self.step,
                            moves[h + 1, g + 1] * out[h] / out[g] / self.step,
                        ],
                        self.n_forward,
                    ),
                    layout.height * self.n_pairs,
                ),
            )
            for g, h in np.argwhere(moves[1:, 1:] + moves[1:, 1:].T > 0).tolist()
            if g != h
        ]
        # Forward values of gap states are asked for where paths are traced, gaps adjoin, or letters
        # of several gap states are told apart.
        several = len(set(machine.kinds)) < len(machine.kinds)
        both = several or bool(self.crossing) or combine is np.maximum
        shape = (layout.last + 1 if keep else 0, layout.height, self.n_pairs)
        self.match, self.onward = np.empty(shape), np.empty(shape)
        self.onward_gaps = [np.empty(shape) for _ in self.along_x]
        self.gaps = [np.empty(shape) for _ in self.along_x] if both else []
        n_blocks = len(layout.offset)
        self.exponents = np.zeros((n_blocks, self.n_pairs, 2, self.n_forward), dtype=np.int64)
        self._run()

    # -- sequences ---------------------------------------------------------------------------

    def _passed(self, n_blocks: int) -> tuple[Integers, Integers]:
        """Look up what lanes pass in the first blocks, 2 of (n_blocks, n_places, n_pairs, 2).

        With row ``t // 2 - k`` and column ``(t + 1) // 2 + k``, less where the band lies, for cell
        k of step t; what the turned lanes match there is of anti-diagonal ``last + 2 - t``.
        """
        layout, pairs = self.layout, self.layout.pairs
        middle, height = (layout.last + 1) // 2, layout.height
        start = np.arange(n_blocks)[:, None, None] * layout.block + 1
        place = np.arange(layout.block // 2 + height)[:, None]
        row, column = start // 2 - height + 1 + place, (start + 1) // 2 + place
        here = layout.offset[:n_blocks, None] // 2
        there = layout.offset[::-1][:n_blocks, None] // 2
        places = np.empty((2, *np.broadcast_shapes(row.shape, here.shape), 2), dtype=np.int64)
        np.subtract(row, here, out=places[0, ..., 0])
        np.subtract(middle - height + 1 - row, there, out=places[0, ..., 1])
        np.add(column, here, out=places[1, ..., 0])
        np.add(middle + height - column, there, out=places[1, ..., 1])
        passed = []
        for symbols, own in zip(self.batch.symbols, places, strict=True):
            np.clip(own, 0, len(symbols) + 1, out=own)
            own *= symbols.shape[1]
            own += pairs[:, None]
            edge = np.full((1, symbols.shape[1]), self.batch.n_symbols)
            passed.append(np.concatenate([edge, symbols, edge]).ravel().take(own))
        return passed[0], passed[1]

    def _cells(self, of_x: Integers, of_y: Integers) -> Iterator[Integers]:
        """Add in every cell what is told of its row and of its column, some steps at a time.

        Yields
        ------
        (n_steps, height, ...), valid until the next
        """
        block, height = self.layout.block, self.layout.height
        of_rows = np.moveaxis(sliding_window_view(of_x, height, axis=1)[..., ::-1], -1, 2)
        of_columns = np.moveaxis(sliding_window_view(of_y, height, axis=1), -1, 2)
        size = CELLS_IN_CACHE // (height * int(np.prod(of_x.shape[2:])))
        n_blocks, n_steps = (size // block, block) if size >= block else (1, max(2, size // 2 * 2))
        room = np.empty((n_blocks * n_steps, height, *of_x.shape[2:]), dtype=np.int64)
        for start in range(0, len(of_x), n_blocks):
            blocks = slice(start, start + n_blocks)
            for first in range(0, block, n_steps):
                # Along an anti-diagonal rows fall and columns rise; every second step moves each
                # by one, rows first in blocks that begin on an odd anti-diagonal.
                now = slice(first // 2, (first + n_steps + 1) // 2)
                rows, columns = of_rows[blocks, now], of_columns[blocks, now]
                n = min(n_steps, block - first)
                cells = room[: len(rows) * n].reshape(len(rows), n, *room.shape[1:])
                np.add(rows, columns, out=cells[:, ::2])
                later = slice(first // 2 + 1, first // 2 + 1 + n // 2)
                same = slice(0, n // 2)
                for odd in (0, 1):
                    which = slice((start + odd) % 2, None, 2)
                    sums = cells[which, 1::2]
                    if odd:
                        np.add(rows[which, same], of_columns[blocks, later][which], out=sums)
                    else:
                        np.add(of_rows[blocks, later][which], columns[which, same], out=sums)
                yield cells.reshape(-1, *room.shape[1:])

    def _odds(self) -> Iterator[Floats]:
        """Hand out the odds of a match in all cells and lanes, some steps at a time."""
        n_symbols, layout, n_forward = self.batch.n_symbols + 1, self.layout, self.n_forward
        table = np.zeros((n_symbols, n_symbols))
        table[:-1, :-1] = self.machine.odds * (self.stay / self.step**2)
        n_blocks, n_values = len(layout.offset), table.size
        of_x, of_y = self._passed(n_blocks if self.keep else n_blocks // 2 + 1)
        of_x *= n_symbols
        values = table.reshape(-1, 1)
        if n_values**2 <= LARGEST_TABLE:
            of_x, of_y = (of[..., 0] * n_values + of[..., 1] for of in (of_x, of_y))
            both = np.repeat(values, n_values, axis=0), np.tile(values, (n_values, 1))
            values = np.concatenate(both, axis=1)
        values = np.repeat(values, n_forward, axis=1)
        room = np.empty(0)
        for cells in self._cells(of_x, of_y):
            if room.size < cells.size * values.shape[1]:
                room = np.empty((*cells.shape, values.shape[1]))
            odds = values.take(cells, axis=0, out=room[: len(cells)], mode="clip")
            odds = odds.reshape(len(cells), layout.height, self.n_pairs * 2, n_forward)
            odds[:, :RIM, :, 1:] = odds[:, -RIM:, :, 1:] = 0.0
            yield odds.reshape(len(cells), -1)

    # -- the recursion -----------------------------------------------------------------------

    def _run(self) -> None:
        """Step through the anti-diagonals, forward lanes from the first, others from the last."""
        layout, n_pairs, keep = self.layout, self.n_pairs, self.keep
        height, lanes, block = layout.height, 2 * n_pairs * self.n_forward, layout.block
        size, room = height * lanes, (block // 2 + 1) * lanes
        combine, multiply = self.combine, np.multiply
        accumulate = daxpy if combine is np.add else _keep_larger
        first_places = [0 if along_x else room for along_x in self.along_x]
        places, gaps = first_places.copy(), range(len(first_places))
        buffers = [np.zeros(size + room) for _ in gaps]
        sliding = [
            [(g, lanes if x else -lanes) for g, x in enumerate(self.along_x) if x == odd]
            for odd in (False, True)
        ]
        opening, crossing = self.opening, self.crossing
        decaying = [(g, rate) for g, rate in enumerate(self.extending) if rate != 1]

        origin = layout.cell(np.zeros_like(self.ends), np.zeros_like(self.ends))
        match, before, total = np.zeros((3, size))
        for values in (match, total):
            self._lanes(values)[origin, np.arange(n_pairs), 0] = 1.0
        states = [buffer[at : at + size] for buffer, at in zip(buffers, places, strict=True)]
        exponents = self.exponents[0]
        end_values = np.zeros((1 + len(gaps), n_pairs))
        end_exponents = np.zeros(n_pairs, dtype=np.int64)
        middle = (layout.last + 1) // 2
        final = layout.last if keep else middle + 1
        beginning, changes = self._turned_ends(), self._changes()
        special = {*beginning, *range(block, final, block)}
        special |= {*self.ends.tolist()} if keep else {*range(middle - 2, middle + 2)}
        met: list[list[Floats]] = []
        samples: list[tuple[Floats, Integers]] = []
        arriving: list[tuple[int, Floats]] = []
        seeds: Integers | None = beginning.get(0)
        if seeds is not None:
            total[seeds] = self.machine.end[0]
        if keep:
            self._put(0, [values[None] for values in (match, total, *states)])
        kept = np.empty((0, 0, size))
        steps = iter(range(1, final + 1))
        t = 0
        for odds in self._odds():
            if keep and kept.shape[1] < len(odds):
                kept = np.empty((1 + len(gaps), len(odds), size))
            begin, replaced = t + 1, []
            for row, t in zip(odds, steps, strict=False):
                if crossing:
                    arriving = [(h, multiply(states[g], into)) for g, h, into in crossing]
                if seeds is not None:
                    for values, seed in zip(states, self.seeds, strict=True):
                        values[seeds] = seed
                    seeds = None
                for g, rate in decaying:
                    dscal(rate, buffers[g], size, places[g])
                for g in gaps:
                    accumulate(match, buffers[g], size, opening[g], 0, 1, places[g])
                for h, moved in arriving:
                    accumulate(moved, states[h], size, 1.0)
                for g, by in sliding[t & 1]:
                    places[g] = at = places[g] + by
                    states[g] = buffers[g][at : at + size]
                match = multiply(before, row, row)
                whole = kept[0, t - begin] if keep else before
                before, total = total, combine(match, states[0], out=whole)
                for g in gaps[1:]:
                    accumulate(buffers[g], total, size, 1.0, places[g])
                if keep:
                    for g in gaps:
                        kept[g + 1, t - begin] = states[g]
                if t % SAMPLED == 0 and t < middle:
                    largest = np.maximum(before, total).reshape(height, lanes).max(axis=0)
                    samples.append((largest.reshape(exponents.shape), exponents))
                if t not in special:
                    continue
                if keep:
                    closing = np.flatnonzero(self.ends == t)
                    end_values[:, closing] = [
                        self._lanes(values)[self.end_cells[closing], closing, 0, 0]
                        for values in (match, *states)
                    ]
                    end_exponents[closing] = exponents[closing, 0, 0]
                elif middle - 2 <= t <= middle + 1:
                    met.append([values.copy() for values in (match, total, *states)])
                if t % block == 0 and t < final:
                    number = t // block
                    held = np.stack([before, total, match, *states]).reshape(-1, height, lanes)
                    shift = np.frexp(held[:2].max(axis=(0, 1)))[1].astype(np.int64)
                    factor = np.ldexp(1.0, -shift)
                    held = _moved(held, changes[number - 1], factor)
                    if keep:
                        replaced.append((t, (held[[1, *range(3, len(held))]] / factor)))
                    before, total, match, *values_of_states = held.reshape(-1, size)
                    places = first_places.copy()
                    for g, values in enumerate(values_of_states):
                        buffers[g].fill(0.0)
                        states[g] = buffers[g][places[g] : places[g] + size]
                        states[g][:] = values
                    exponents = exponents + shift.reshape(exponents.shape)
                    self.exponents[number] = exponents
                seeds = beginning.get(t)
                if seeds is not None:
                    total[seeds] = self.machine.end[0]
            if keep:
                self._put(begin, [odds, *kept[:, : len(odds)]])
                for step, values in replaced:
                    self._put_turned(step, values.reshape(-1, 1, size))
            if t == final:
                break
            # Their places will be taken by other steps.
            match = match.copy()
            if keep:
                before, total = before.copy(), total.copy()
        if keep:
            self.onward[self.ends, self.end_cells, np.arange(n_pairs)] = self.machine.end[0]
            self._close(origin, end_values, end_exponents)
        else:
            self._meet(*met)
        self._note_gain(samples)

    def _lanes(self, values: Floats) -> Floats:
        """View values of steps as (..., height, n_pairs, 2, n_forward), turned lanes second."""
        shape = self.layout.height, self.n_pairs, 2, self.n_forward
        return values.reshape(*values.shape[:-1], *shape)

    def _turned(self, values: Floats) -> Floats:
        """View what the turned lanes hold in the cells of the forward lanes."""
        return self._lanes(values)[..., ::-1, :, 1, :]

    def _put(self, t: int, arrays: list[Floats]) -> None:
        """Keep the values of some steps: of matches, in all, and of gap states."""
        matches, totals, *gaps = arrays
        for kept, values in zip([self.match, *self.gaps], [matches, *gaps], strict=False):
            kept[t : t + len(values)] = self._lanes(values)[..., 0, 0]
        self._put_turned(t, [totals, *gaps])

    def _put_turned(self, t: int, arrays: Sequence[Floats]) -> None:
        d = self.layout.last - t + 1
        for kept, values in zip([self.onward, *self.onward_gaps], arrays, strict=True):
            kept[d - len(values) : d] = self._turned(values)[::-1, ..., 0]

    def _turned_ends(self) -> dict[int, Integers]:
        """Find where turned pairs begin, in their last cells, by the step after which they do."""
        cell = self.layout.height - 1 - self.end_cells
        lane = ((cell * self.n_pairs + np.arange(self.n_pairs)) * 2 + 1) * self.n_forward
        places = lane[:, None] + np.arange(self.n_forward)
        starts = self.layout.last - self.ends
        order = np.argsort(starts, kind="stable")
        steps, first = np.unique(starts[order], return_index=True)
        groups = np.split(places[order], first[1:])
        return {t: group.ravel() for t, group in zip(steps.tolist(), groups, strict=True)}

    def _changes(self) -> Integers:
        """By how many cells lanes move after each block; turned lanes meet the blocks from behind.

        Returns
        -------
        (n_blocks - 1, lanes)
        """
        change = np.diff(self.layout.offset, axis=0) // 2
        both = np.stack([change, change[::-1]], axis=-1).reshape(-1, 2 * self.n_pairs)
        return np.repeat(both, self.n_forward, axis=1)

    def _close(self, origin: Integers, values: Floats, exponents: Integers) -> None:
        """Work out the result, and compare it with that of the turned pairs."""
        machine = self.machine
        ends = np.append(machine.end[0], machine.end[1:] / self.unit)
        ending = values * ends[:, None]
        value = self.combine.reduce(ending, axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.ending = ending / value
            self.scaled = np.log(value) + exponents * LOG_2
            turned = self.onward[0, origin, np.arange(self.n_pairs)]
            difference = np.log(turned) + self.exponents[-1, :, 1, 0] * LOG_2 - self.scaled
        self.result = self.scaled + self.ends * np.log(self.step)
        agreed = np.isfinite(self.result) & (np.abs(difference) <= ROUNDING)
        self.loss = np.where(agreed, self._rim(), np.inf)

    def _meet(
        self, earlier: list[Floats], last: list[Floats], middle: list[Floats], next_: list[Floats]
    ) -> None:
        """Sum over where paths cross the middle, with matches on the rim and without.

        They cross in the cells of an anti-diagonal or, by a match, from the one before it to the
        one behind it.
        """

        def ahead(values: Floats) -> Floats:
            return self._lanes(values)[:, :, 0]

        value = ahead(last[1]) * self._turned(middle[0])
        value += ahead(earlier[1]) * self._turned(next_[0])
        for h, gap in enumerate(middle[2:]):
            value += ahead(last[0]) * self._turned(gap)
            for g, other in enumerate(last[2:]):
                if self.meeting[g, h] > 0:
                    value += ahead(other) * self._turned(gap) * self.meeting[g, h]
        exponents = self.exponents[len(self.exponents) // 2].sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled = np.log(value.sum(axis=0)) + exponents * LOG_2
            short = np.abs(scaled[:, 0] - scaled[:, 1])
        self.scaled = scaled[:, 0]
        self.result = self.scaled + self.ends * np.log(self.step)
        self.loss = np.where(np.isfinite(self.result), short, np.inf)

    def _note_gain(self, samples: list[tuple[Floats, Integers]]) -> None:
        largest, exponents = (np.array(values)[..., 0] for values in zip(*samples, strict=True))
        # Behind the end of a pair nothing has been gained yet on the way back.
        end = np.log(self.machine.end[0])
        with np.errstate(divide="ignore"):
            logs = np.where(largest > 0, np.log(largest) + exponents * LOG_2, end)
        t, last = SAMPLED * np.arange(1, len(logs) + 1), self.layout.last
        self.places_of_gain = np.concatenate([[0], t, last - t[::-1], [last]])
        edge = np.zeros((1, self.n_pairs))
        gain = [edge, logs[..., 0], self.scaled - logs[::-1, :, 1], edge + self.scaled - end]
        letters = np.minimum(self.places_of_gain[:, None], self.ends)
        self.gain = np.concatenate(gain) + letters * np.log(self.step)

    # -- what comes of it --------------------------------------------------------------------

    @property
    def scale(self) -> Floats:
        """Bring products of forward and turned values to probabilities, (last + 1, n_pairs)."""
        number = np.maximum(np.arange(self.layout.last + 1) - 1, 0) // self.layout.block
        total = self.exponents[number, :, 0, 0] + self.exponents[number[::-1], :, 1, 0]
        # Behind the end of a pair there is nothing to scale, but numbers that mean nothing.
        return np.exp(np.minimum(total * LOG_2 - self.scaled, 700.0))

    def posterior(self) -> Floats:
        """Probability of a match in every cell of the band, (last, height, n_pairs)."""
        values = self.match[1:] * self.onward[1:]
        values *= self.scale[1:, None]
        return values

    def places(self) -> tuple[Integers, Integers]:
        """Row and column, from 1, of every cell of the first pair's band."""
        d = np.arange(1, self.layout.last + 1)[:, None]
        offset = self.layout.offset[self.layout.block_of(d[:, 0]), 0][:, None]
        diagonal = offset + 2 * np.arange(self.layout.height) + d % 2
        return (d - diagonal) // 2, (d + diagonal) // 2

    def letter_counts(self) -> Floats:
        """Count expected matches of each two symbols, (n_pairs, n_symbols, n_symbols)."""
        n_symbols = self.batch.n_symbols + 1
        shape = (self.n_pairs, n_symbols, n_symbols)
        of_x, of_y = (
            np.ascontiguousarray(passed[..., 0]) for passed in self._passed(len(self.exponents))
        )
        of_x *= n_symbols
        of_x += np.arange(self.n_pairs) * n_symbols**2
        counts, d, scale = np.zeros(np.prod(shape)), 1, self.scale
        for cells in self._cells(of_x, of_y):
            rows = slice(d, d := d + len(cells))
            values = self.match[rows] * self.onward[rows]
            values *= scale[rows, None]
            counts += np.bincount(cells.ravel(), weights=values.ravel(), minlength=len(counts))
        return counts.reshape(shape)[:, :-1, :-1]

    def openings(self) -> Floats:
        """Count expected moves from the match state, (n_gap_states, n_pairs)."""
        return np.stack([self._moves(self.match, turned) for turned in self.onward_gaps])

    def beginnings(self) -> Floats:
        """Probability that the path begins with each gap state, (n_gap_states, n_pairs)."""
        first = self.match[0] * self.scale[0]
        return np.stack([(first * turned[0]).sum(axis=0) for turned in self.onward_gaps])

    def crossings(self) -> Floats:
        """Count expected moves between gap states, (n_gap_states, n_gap_states, n_pairs)."""
        moves, n_gaps = self.machine.transitions, len(self.onward_gaps)
        counts = np.zeros((n_gaps, n_gaps, self.n_pairs))
        for g, h, _ in self.crossing:
            factor = moves[g + 1, h + 1] / (self.unit[g] * moves[0, h + 1])
            counts[g, h] = self._moves(self.gaps[g], self.onward_gaps[h]) * factor
        return counts

    def visits(self) -> Floats:
        """Count expected letters against a gap of every gap state, (n_gap_states, n_pairs)."""
        moves, crossed = self.machine.transitions, self.crossings().sum(axis=0)
        counts = self.openings() + crossed
        for g, (values, turned) in enumerate(zip(self.gaps, self.onward_gaps, strict=True)):
            factor = moves[g + 1, g + 1] / (self.unit[g] * moves[0, g + 1])
            counts[g] += self._moves(values, turned) * factor
        return counts

    def _moves(self, values: Floats, turned: Floats) -> Floats:
        product = np.einsum("dkp,dkp->dp", values, turned)
        return np.asarray((product * self.scale).sum(axis=0))

    def _rim(self) -> Floats:
        """Count expected matches on the rim, or compare the best path there with the best."""
        found = np.zeros(self.n_pairs)
        for part in (slice(0, RIM), slice(-RIM, None)):
            mass = self.match[:, part] * self.onward[:, part]
            mass *= self.scale[:, None]
            found = self.combine(found, self.combine.reduce(mass, axis=(0, 1)))
        return found


def _moved(arrays: Floats, change: Integers, factor: Floats) -> Floats:
    """Move the band by so many cells in each lane of (n_arrays, height, lanes), and scale lanes."""
    if not change.any():
        return np.asarray(arrays * factor)
    n_arrays, height, lanes = arrays.shape
    cells = np.arange(height)[:, None] + change
    inside = np.minimum(np.maximum(cells, 0), height - 1)
    place = (inside * lanes + np.arange(lanes)).ravel()
    moved = arrays.reshape(n_arrays, -1).take(place, axis=1).reshape(arrays.shape)
    moved *= (inside == cells) * factor
    return np.asarray(moved)


def _keep_larger(
    x: Floats, y: Floats, n: int, a: float, offx: int = 0, incx: int = 1, offy: int = 0
) -> None:
    """Do with ``maximum`` what `daxpy` does with ``add``."""
    target = y[offy : offy + n]
    np.maximum(target, x[offx : offx + n : incx] * a, out=target)
