"""Pair-HMM recursions over anti-diagonals of a batch of sequence pairs.

Arrays in, arrays out. A *machine* is one match state and any number of gap states (``"x"`` states
consume a letter of x, ``"y"`` states a letter of y); a *batch* is a set of pairs padded to one
rectangle, batch axis last. All cells of an anti-diagonal ``d = i + j`` depend only on the two
anti-diagonals before it, so that each is a handful of NumPy operations over ``rows x pairs``.

Four choices make it fast and keep it exact.

*Odds instead of probabilities.* Every letter's background probability is divided out: a gap state
then emits 1 and the match state the odds ``p(a, b) / (pi_a pi_b)``.

*Unit coefficients.* Gap states are rescaled so that they enter the match state with the
coefficient of match itself, and each anti-diagonal is divided by the extension probability of the
first gap state, so that the commonest multiplications are by 1 and are left out.

*Layout.* Match and ``"y"`` states are stored by row ``i``; ``"x"`` states by ``m - j``, in which a
step along x stays in place. Each state is then one array that is updated where it stands.

*Scaling by blocks of rows.* Values fall off exponentially away from the best path, far beyond the
range of a double in long pairs. A block of rows has its own power of two, renewed every few
anti-diagonals; only the step across the edge between two blocks is multiplied by their ratio.
Powers of two are exact, so scaling adds no rounding.

The same sweep with ``maximum`` in place of ``add`` is the Viterbi algorithm. The backward sweep is
the exact adjoint of the scaled forward sweep, so that ``value * adjoint`` is a posterior
probability; forward values are kept at checkpoints and recomputed a segment at a time, so that
memory grows as ``(n + m) ** 1.5``.

*Overhangs* are letters of one sequence before the core of the alignment, or behind it. In odds a
letter of an overhang counts 1, so that only its length has a weight, and no state is needed: paths
may also enter the core at the edge of the matrix, in its first row or column, and leave it in its
last ones. Next to an overhang of x stands a match or a letter of y against a gap, not one of x.

References
----------
Durbin, Eddy, Krogh & Mitchison, *Biological Sequence Analysis* (1998), chapter 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from seqbio.errors import NumericalRangeError
from seqbio.pairhmm.band import Rest, banded
from seqbio.pairhmm.batches import Batch
from seqbio.pairhmm.transitions import ends_alone

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_Result = TypeVar("_Result")
Visitor = Callable[[int, int, Floats], None]
"""Takes the first row, an anti-diagonal d and ``(n_rows, n_pairs)`` probabilities, valid during the
call, that the letters ``row`` of x and ``d - 2 - row`` of y are aligned, counted from 0."""

LOG_2 = float(np.log(2.0))
SMALLEST_VALUE = 1e-290  # a reachable cell below this may have lost what came before it
SMALLEST_AMONG_ZEROS = 1e-190  # the same where what is lost would not be missed
SAFE_DECADES = 100.0  # what a block of rows may span, and grow by until its scale is renewed
SMALLEST_STEP = 0.01  # extension probability below which it is not divided out of a diagonal
KEPT_CELLS = 3_000_000.0  # values that a segment may keep without a thought for memory


@dataclass(frozen=True)
class Flanks:
    """The weights of overhangs of x and of y before and behind the core of an alignment.

    An overhang of k letters has the weight for one letter times ``extend ** (k - 1)``. Next to an
    overhang of x no state stands that takes letters of x alone: what is of them at the end becomes
    part of the overhang.

    Parameters
    ----------
    begin : float
        Probability that nothing stands before the core.
    enter : (2, n_states)
        Weight of one letter of x (of y) before a core that begins with each state.
    end : float
        Probability that nothing stands behind the core.
    leave : (2,)
        Weight of one letter of x (of y) behind the core.
    extend : (2, 2)
        Probability that an overhang before (behind) the core of x (of y) goes on.
    """

    begin: float
    enter: Floats
    end: float
    leave: Floats
    extend: Floats

    def log_decay(self, end: int, lengths: Integers) -> Floats:
        """Logarithms of the weights of overhangs over those of one letter, (2, n_lengths).

        They are before the core if `end` is 0, and behind it if it is 1.
        """
        return np.asarray(xlogy(np.maximum(lengths - 1, 0), self.extend[end, :, None]))


@dataclass(frozen=True)
class Machine:
    """The states of a pair HMM and the probabilities of its moves.

    State 0 is the match state and also where every path begins, before the first letter.

    Parameters
    ----------
    kinds
        One letter a state: ``"m"`` first and once, then ``"x"`` and ``"y"`` in any number.
    transitions : (n_states, n_states)
        Probability of each move, rows are where it comes from. A row and its ``end`` sum to 1.
    end : (n_states,)
        Probability of ending after each state.
    odds : (n_symbols, n_symbols)
        ``p(a, b) / (pi_a pi_b)`` for the symbols that stand in sequences.
    flanks : Flanks, optional
        Weights of overhangs.
    """

    kinds: str
    transitions: Floats
    end: Floats
    odds: Floats
    flanks: Flanks | None = None


@dataclass
class State:
    """What the next anti-diagonals need: one array a state, and the scales of the row blocks."""

    match: Floats
    gaps: list[Floats]
    into_match: list[Floats]
    exponents: Integers
    ratio: Floats | None

    def copy(self) -> State:
        """Copy all arrays."""
        return State(
            self.match.copy(),
            [values.copy() for values in self.gaps],
            [values.copy() for values in self.into_match],
            self.exponents.copy(),
            self.ratio,
        )


class Kept:
    """Forward values of a run of anti-diagonals, by anti-diagonal and in their final scale."""

    def __init__(self, buffer: Floats, with_gaps: bool) -> None:
        self.buffer, self.used, self.with_gaps = buffer, 0, with_gaps
        self.match: dict[int, Floats] = {}
        self.gaps: dict[int, list[Floats]] = {}
        self.ratio: dict[int, Floats | None] = {}
        self.rescaled: dict[int, Floats] = {}
        self.entered: dict[int, Floats] = {}

    def put(self, values: Floats) -> Floats:
        """Copy values into the buffer, one for all runs, so that its memory is touched once."""
        place = self.buffer[self.used : self.used + values.size]
        self.used += values.size
        place[:] = values.ravel()
        return place

    def value(self, state: int, d: int, place: int) -> float:
        """Look up one kept value; `place` counts rows times pairs from the first kept row."""
        return float((self.gaps[d][state - 1] if state else self.match[d])[place])

    def rescale(self, d: int, rows: Floats) -> None:
        """Bring the values of an anti-diagonal into the scale that it was given last."""
        self.rescaled[d] = rows
        for values in (self.match[d], *self.gaps.get(d, ())):
            values.reshape(rows.shape)[:] *= rows
        if d in self.entered:
            self.entered[d] *= rows[[-1, 0]]


@dataclass
class Counts:
    """Expected numbers of events in the pairs of a batch, given that each pair was made.

    Parameters
    ----------
    log_likelihood : (n_pairs,)
        Log odds of the pairs, nats.
    matches : (n_pairs, n_symbols, n_symbols)
        Letters a of x aligned with b of y.
    opening : (n_gap_states, n_pairs)
        Moves from the match state (or the beginning) into each gap state.
    crossing : (n_gap_states, n_gap_states, n_pairs)
        Moves from one gap state into another.
    beginning : (n_gap_states, n_pairs)
        Probability that the path begins with each gap state.
    ending : (n_states, n_pairs)
        Probability that the path ends after each state.
    visits : (n_gap_states, n_pairs), optional
        Letters against a gap of each state. None where each sequence has one gap state, whose
        letters are those that are not aligned.
    overhangs : (2, 2, n_states, n_pairs), optional
        Their number before and behind the core, of x and of y, by the state beside them. None where
        the machine has none.
    overhang_letters : (2, 2, n_pairs), optional
        Letters in them.
    """

    log_likelihood: Floats
    matches: Floats
    opening: Floats
    crossing: Floats
    beginning: Floats
    ending: Floats
    visits: Floats | None = None
    overhangs: Floats | None = None
    overhang_letters: Floats | None = None

    def put(self, pairs: Integers, counts: Counts) -> None:
        """Enter the counts of some pairs."""
        self.log_likelihood[pairs] = counts.log_likelihood
        self.matches[pairs] = counts.matches
        self.opening[:, pairs] = counts.opening
        self.crossing[:, :, pairs] = counts.crossing
        self.beginning[:, pairs] = counts.beginning
        self.ending[:, pairs] = counts.ending
        if self.visits is not None and counts.visits is not None:
            self.visits[:, pairs] = counts.visits
        if self.overhangs is not None and counts.overhangs is not None:
            self.overhangs[..., pairs] = counts.overhangs
        if self.overhang_letters is not None and counts.overhang_letters is not None:
            self.overhang_letters[..., pairs] = counts.overhang_letters

    def take(self, pairs: Integers) -> Counts:
        """Take the counts of some pairs."""
        return Counts(
            self.log_likelihood[pairs],
            self.matches[pairs],
            self.opening[:, pairs],
            self.crossing[:, :, pairs],
            self.beginning[:, pairs],
            self.ending[:, pairs],
            None if self.visits is None else self.visits[:, pairs],
            None if self.overhangs is None else self.overhangs[..., pairs],
            None if self.overhang_letters is None else self.overhang_letters[..., pairs],
        )


class Sweep:
    """One machine laid over one batch: coefficients, buffers and the recursions.

    The inner loops are written out flat: in a single pair, what they cost is not arithmetic but
    the number of calls and look-ups made for each anti-diagonal.
    """

    def __init__(self, machine: Machine, batch: Batch, combine: np.ufunc) -> None:
        self.batch, self.combine = batch, combine
        self.n, self.m, self.n_pairs = len(batch.x), len(batch.y_reversed), batch.n_pairs
        self.n_diagonals = self.n + self.m
        self.along_x = [kind == "x" for kind in machine.kinds[1:]]
        transitions = machine.transitions
        match = float(transitions[0, 0])
        # A gap state is stored times `unit`, so that it enters the match state as match does.
        direct = transitions[1:, 0] / match if match > 0 else np.zeros(len(self.along_x))
        self.unit = np.r_[1.0, np.where(direct > 0, direct, 1.0)]
        step = float(transitions[1, 1])
        step = step if step >= SMALLEST_STEP else 1.0
        self.log_step = float(np.log(step))
        gain = match if match > 0 else 1.0
        scaled = transitions * self.unit / self.unit[:, None]
        self.into_match = (scaled[:, 0] / gain).tolist()
        scaled /= step
        self.moves = np.column_stack([self.into_match, scaled[:, 1:]])
        self.opening = scaled[0, 1:].tolist()
        self.extending = scaled.diagonal()[1:].tolist()
        self.crossing = [
            (g, h, float(scaled[g + 1, h + 1]))
            for g, h in np.argwhere(scaled[1:, 1:] > 0).tolist()
            if g != h
        ]
        flanks = machine.flanks
        self.end = machine.end / self.unit * (1.0 if flanks is None else flanks.end)
        self.odds = np.tile((machine.odds * (gain / step**2)).ravel(), self.n_pairs)
        self.every_move_possible = {"x", "y"} <= set(machine.kinds) and bool(
            min(*self.opening, *self.extending, *self.into_match, self.odds.min()) > 0
        )
        self.every_gap_possible = _every_gap_possible(machine)
        rows = _rows_per_block(machine, self.every_move_possible)
        self.block = min(rows, batch.rows_per_block.get(self.every_move_possible, rows))
        self.edge = None if flanks is None else Edge(self, machine, flanks, gain, step)
        # Gap states draw from the match state and from what enters before them.
        self.drawing = [(weight, 0.0, False) for weight in self.opening]
        if self.edge is not None:
            entering = zip(self.opening, self.edge.into_gaps, self.along_x, strict=True)
            self.drawing = list(entering)
        self.opened = [np.empty((self.n + 1) * self.n_pairs) for _ in set(self.drawing)]
        self.index = np.empty((self.n + 1) * self.n_pairs, dtype=np.int64)
        self.result = np.full(self.n_pairs, -np.inf)
        self.ending = np.zeros((len(machine.kinds), self.n_pairs))
        self.slope = np.zeros((len(machine.kinds), self.n_pairs))
        self.stops = sorted(
            {*range(self.block, self.n_diagonals, self.block), *batch.finishing, self.n_diagonals}
        )

    def begin(self) -> State:
        """Return the state of anti-diagonal 0, where every path stands before its first letter."""
        rows, columns = (self.n + 1, self.n_pairs), (self.m + 1, self.n_pairs)
        state = State(
            np.zeros(rows),
            [np.zeros(columns if along_x else rows) for along_x in self.along_x],
            [np.zeros(rows), np.zeros(rows)],
            np.zeros((self.n // self.block + 1, self.n_pairs), dtype=np.int64),
            None,
        )
        state.match[0] = 1.0 if self.edge is None else self.edge.flanks.begin
        state.into_match[0][0] = state.match[0] * self.into_match[0]
        return state

    def advance(self, state: State, start: int, stop: int, kept: Kept | None = None) -> None:
        """Compute anti-diagonals start + 1 .. stop, between which no scale changes."""
        combine, add, multiply, take = self.combine, np.add, np.multiply, self.odds.take
        n, m, width, block, ratio = self.n, self.m, self.n_pairs, self.block, state.ratio
        x, y, index = self.batch.x.ravel(), self.batch.y_reversed.ravel(), self.index
        match, into_match = state.match.ravel(), [total.ravel() for total in state.into_match]
        drawing = sorted(set(self.drawing))
        weights = [weight for weight, *_ in drawing]
        opened = self.opened[: len(weights)]
        gaps = [
            (
                *(g, values.ravel(), values.ravel() if width == 1 else values, along_x),
                *(opened[drawing.index(drawn)], extend, extend != 1),
            )
            for g, (values, along_x, drawn, extend) in enumerate(
                zip(state.gaps, self.along_x, self.drawing, self.extending, strict=True)
            )
        ]
        handed = [(g[1], g[3], c, c != 1) for g, c in zip(gaps, self.into_match[1:], strict=True)]
        edges, ratio = self._edges(state, ratio)
        around = self.edge
        if around is not None:
            around.prepare(state, start, stop, kept)
            entries = [
                (coefficient, behind_y, into)
                for (_, coefficient, behind_y), into in zip(drawing, opened, strict=True)
                if coefficient > 0
            ]
        # Ranges of rows, in units of one letter of all pairs: [low, high) is the anti-diagonal,
        # [first, high) what a step along x can reach, [low, last) a step along y.
        low, high = max(0, start - m) * width, (min(n, start) + 1) * width
        for d in range(start + 1, stop + 1):
            source = match[low:high]
            for weight, fresh in zip(weights, opened, strict=True):
                multiply(source, weight, fresh[low:high])
            if around is not None:
                around.open(entries, d - 1)
            arriving = self._crossed(state, d) if self.crossing else {}
            shift = (m - d) * width
            low, high = (-shift if shift < 0 else 0), ((d if d < n else n) + 1) * width
            first, last = low or width, (high if d > n else d * width)
            for g, values, rows, along_x, fresh, extend, decays in gaps:
                if along_x:
                    here, incoming = (
                        values[first + shift : high + shift],
                        fresh[first - width : high - width],
                    )
                else:
                    here, incoming = values[low:last], fresh[low:last]
                if decays:
                    multiply(here, extend, here)
                combine(here, incoming, out=here)
                if g in arriving:
                    combine(here, arriving[g], out=here)
                if along_x and ratio is not None:
                    edge, end = (first // width - 1) // block, (high // width - 1) // block
                    if edge < end:
                        here = rows[(edge + 1) * block + m - d : high // width + m - d : block]
                        multiply(here, ratio[edge:end], here)
            if first < last:
                cells, here = index[first:last], match[first:last]
                add(x[first - width : last - width], y[first + shift : last + shift], cells)
                take(cells, None, here, "wrap")
                multiply(here, into_match[d & 1][first - width : last - width], here)
                if ratio is not None:
                    edge, end = (first // width - 1) // block, (last // width - 1) // block
                    if edge < end:
                        here = edges[edge:end]
                        multiply(here, ratio[edge:end], here)
            if d == 1:
                match[:width] = 0.0
            source, total = match[low:high], into_match[d & 1][low:high]
            if self.into_match[0] != 1:
                source = source * self.into_match[0]
            for values, along_x, weight, weighted in handed:
                here = values[low + shift : high + shift] if along_x else values[low:high]
                combine(source, here * weight if weighted else here, out=total)
                source = total
            if around is not None:
                around.pass_by(state, d, kept)
            if kept is not None:
                self._keep(kept, state, d)
        if around is not None:
            around.note(state, start, stop)

    def _edges(self, state: State, ratio: Floats | None) -> tuple[Floats, Floats | None]:
        """View the match values of the first rows of blocks, and the ratios of scales there.

        A single pair has both flat: NumPy walks a column of single values far more slowly.
        """
        edges = state.match[self.block :: self.block]
        if self.n_pairs > 1:
            return edges, ratio
        return edges[:, 0], None if ratio is None else ratio[:, 0]

    def _crossed(self, state: State, d: int) -> dict[int, Floats]:
        """Collect what gap states receive from each other, before any of them is updated."""
        arriving: dict[int, Floats] = {}
        for g, h, weight in self.crossing:
            low, high = max(0, d - self.m), min(self.n, d)
            first, last = (max(low, 1) - 1, high) if self.along_x[h] else (low, min(high + 1, d))
            offset = self.m - d + 1 if self.along_x[g] else 0
            crossed = state.gaps[g][first + offset : last + offset].ravel() * weight
            arriving[h] = self.combine(arriving[h], crossed) if h in arriving else crossed
        return arriving

    def rescale(self, state: State, d: int) -> Floats:
        """Give every block of rows the power of two that brings its largest value near 1."""
        low, high = max(0, d - self.m), min(self.n, d)
        lowest, highest = low // self.block, high // self.block
        starts = np.maximum(np.arange(lowest, highest + 1) * self.block - low, 0)
        totals = [total[low : high + 1] for total in state.into_match]
        self._check_range(state, d)
        # What a state holds is part of the totals, unless it never hands on to the match state.
        for values, along_x, weight in zip(
            (state.match, *state.gaps), (False, *self.along_x), self.into_match, strict=True
        ):
            if weight == 0:
                offset = self.m - d if along_x else 0
                totals.append(values[low + offset : high + offset + 1])
        largest = np.maximum.reduce([np.maximum.reduceat(t, starts, axis=0) for t in totals])
        shift = np.clip(np.frexp(largest)[1], -1000, 1000).astype(np.int64)
        factor = np.ldexp(1.0, -shift)
        rows = np.repeat(factor, self.block, axis=0)[low - lowest * self.block :][: high - low + 1]
        self._scale(state, d, rows)
        active = state.exponents[lowest : highest + 1]
        active += shift
        # A block of zeros has no scale of its own: it goes with the block before it, from which
        # its first values will come.
        numbers = np.where(largest > 0, np.arange(len(active))[:, None], 0)
        active[:] = np.take_along_axis(active, np.maximum.accumulate(numbers, axis=0), axis=0)
        state.exponents[highest + 1 :] = state.exponents[highest]
        steps = state.exponents[:-1] - state.exponents[1:]
        state.ratio = np.ldexp(1.0, np.clip(steps, -1000, 1000)) if steps.any() else None
        return rows

    def _check_range(self, state: State, d: int) -> None:
        """Refuse values so small that others beside them may have been lost.

        Where every cell can be reached, a lost one shows as 0. With kinds of gaps that cannot end
        anywhere, so it is behind the first row and column; there gaps of one kind are lost beside
        those of another only where they are all but impossible. Elsewhere it may be one of those
        that are out of reach, so a value of any state must be seen before it could be lost.
        """
        low, high = max(0, d - self.m), min(self.n, d) + 1
        if self.every_move_possible:
            if state.into_match[d & 1][low:high].min() >= SMALLEST_VALUE:
                return
        elif self.every_gap_possible:
            inner = state.into_match[d & 1][max(low, 1) : min(high, d)]
            if inner.min(initial=1.0) >= SMALLEST_VALUE:
                return
        else:
            offsets = (0, *(self.m - d if along_x else 0 for along_x in self.along_x))
            states = zip((state.match, *state.gaps), offsets, strict=True)
            held = [values[low + offset : high + offset] for values, offset in states]
            if not any(((v > 0) & (v < SMALLEST_AMONG_ZEROS)).any() for v in held):
                return
        if self.block == 1:
            raise NumericalRangeError(
                "probabilities of exactly 0 leave a pair of sequences only paths so improbable "
                "that they are out of the range of floating point beside others that cannot be "
                "finished; give 1e-12 in place of 0"
            )
        raise _RangeExceededError

    def _scale(self, state: State, d: int, rows: Floats) -> None:
        """Multiply everything that stands on anti-diagonal d by a factor for each row."""
        low, high = max(0, d - self.m), min(self.n, d) + 1
        for values in (state.match, *state.into_match):
            values[low:high] *= rows
        for values, along_x in zip(state.gaps, self.along_x, strict=True):
            offset = self.m - d if along_x else 0
            values[low + offset : high + offset] *= rows

    def _last_cells(self, state: State, d: int) -> list[tuple[Floats, Integers]]:
        """Array and row, for each state, of the last cells of the pairs that close at d."""
        rows = self.batch.lengths[self.batch.finishing[d], 0]
        gaps = zip(state.gaps, self.along_x, strict=True)
        return [
            (state.match, rows),
            *((values, rows + (self.m - d if along_x else 0)) for values, along_x in gaps),
        ]

    def finish(self, state: State, d: int) -> None:
        """Close the pairs whose last cell lies on anti-diagonal d."""
        pairs = self.batch.finishing[d]
        ending = np.stack([values[rows, pairs] for values, rows in self._last_cells(state, d)])
        ending *= self.end[:, None]
        total = self.combine.reduce(ending, axis=0)
        exponent = state.exponents[self.batch.lengths[pairs, 0] // self.block, pairs]
        with np.errstate(divide="ignore"):
            self.result[pairs] = np.log(total) + exponent * LOG_2 + d * self.log_step
        possible = total > 0
        self.ending[:, pairs] = np.divide(ending, total, out=np.zeros_like(ending), where=possible)
        self.slope[:, pairs] = np.divide(
            self.end[:, None], total, out=np.zeros_like(ending), where=possible
        )
        if self.edge is not None:
            without = self.edge.finish(d, pairs, self.result)
            self.ending[:, pairs] *= without
            self.slope[:, pairs] *= without

    def start(self) -> State:
        """Begin, and close the pairs of two empty sequences."""
        state = self.begin()
        if self.edge is not None:
            self.edge.prepare(state, 0, 0, None)
            self.edge.pass_by(state, 0, None)
            self.edge.note(state, -1, 0)
        if 0 in self.batch.finishing:
            self.finish(state, 0)
        return state

    def run(self, state: State, start: int, stop: int, kept: Kept | None = None) -> None:
        """Advance over anti-diagonals start + 1 .. stop, renewing scales and closing pairs."""
        for d in self.stops:
            if start < d <= stop:
                self.advance(state, start, d, kept)
                start = d
                if d % self.block == 0:
                    rows = self.rescale(state, d)
                    if kept is not None:
                        kept.rescale(d, rows)
                if d in self.batch.finishing:
                    self.finish(state, d)

    def _keep(self, kept: Kept, state: State, d: int) -> None:
        low, high = max(0, d - self.m), min(self.n, d) + 1
        kept.match[d] = kept.put(state.match[low:high])
        kept.ratio[d] = state.ratio
        if kept.with_gaps:
            offsets = [self.m - d if along_x else 0 for along_x in self.along_x]
            kept.gaps[d] = [
                kept.put(values[low + offset : high + offset])
                for values, offset in zip(state.gaps, offsets, strict=True)
            ]

    def total(self) -> Floats:
        """Combine all paths of every pair: its log-likelihood, or the score of its best path."""
        self.run(self.start(), 0, self.n_diagonals)
        return self.result

    def _segments(self, n_arrays: int) -> list[tuple[int, int]]:
        """Cut the anti-diagonals into runs, after each of which the forward state is kept.

        What a run keeps (``n_arrays`` values a cell) and all kept states together then need about
        the same memory; one run is enough where everything fits into ``KEPT_CELLS``.
        """
        cells = (self.n + 1.0) * (self.m + 1.0) * self.n_pairs * n_arrays
        length = max(
            KEPT_CELLS * self.n_diagonals / cells, np.sqrt(5.0 * self.n_diagonals / n_arrays), 1.0
        )
        length = int(np.ceil(length / self.block)) * self.block
        starts = range(0, max(self.n_diagonals, 1), length)
        return [(start, min(start + length, self.n_diagonals)) for start in starts]

    def _cells(self, start: int, stop: int) -> int:
        """Cells of all pairs on anti-diagonals start..stop."""
        d = np.arange(start, stop + 1)
        return int((np.minimum(self.n, d) - np.maximum(0, d - self.m) + 1).sum()) * self.n_pairs

    def replay(self, with_gaps: bool) -> Iterator[tuple[int, int, Kept]]:
        """Run forward, then hand out what was computed, a segment at a time, last one first."""
        n_arrays = 1 + with_gaps * len(self.along_x)
        segments = self._segments(n_arrays)
        state, checkpoints = self.start(), []
        for start, stop in segments[:-1]:
            checkpoints.append(state.copy())
            self.run(state, start, stop)
        checkpoints.append(state)
        buffer = np.empty(n_arrays * max(self._cells(start, stop) for start, stop in segments))
        for start, stop in reversed(segments):
            state = checkpoints.pop()
            kept = Kept(buffer, with_gaps)
            self._keep(kept, state, start)
            self.run(state, start, stop, kept)
            yield start, stop, kept

    # -- adjoint -----------------------------------------------------------------------------

    def count(self, visit: Visitor | None = None) -> Counts:
        """Run the adjoint of the forward sweep; ``value * adjoint`` is a posterior probability.

        If `visit` is given it is shown the probabilities that letters are aligned.
        """
        adjoint = self.begin()
        adjoint.match[0] = adjoint.into_match[0][0] = 0.0
        tally = _Tally(self)
        for start, stop, kept in self.replay(
            with_gaps=bool(self.crossing) or not self.every_move_possible or bool(tally.visits)
        ):
            self.retreat(adjoint, start, stop, kept, tally, visit)
        return tally.close()

    def retreat(
        self,
        adjoint: State,
        start: int,
        stop: int,
        kept: Kept,
        tally: _Tally,
        visit: Visitor | None,
    ) -> None:
        """Carry the adjoint from anti-diagonal stop back to start, counting events on the way.

        Each step undoes one of :meth:`advance`, in the opposite order. On entry to step d,
        ``match`` holds what the gap states of d + 1 drew from the match state.
        """
        add, multiply, take = np.add, np.multiply, self.odds.take
        n, m, width, block = self.n, self.m, self.n_pairs, self.block
        x, y = self.batch.x.ravel(), self.batch.y_reversed.ravel()
        match, part = adjoint.match.ravel(), tally.part
        into_match = [total.ravel() for total in adjoint.into_match]
        edges, _ = self._edges(adjoint, None)
        weights = [(weight, weight != 1) for weight in self.into_match]
        gaps = [
            (g, values.ravel(), values.ravel() if width == 1 else values, *rest)
            for g, (values, *rest) in enumerate(
                zip(
                    adjoint.gaps,
                    self.along_x,
                    self.opening,
                    self.extending,
                    tally.opened,
                    weights[1:],
                    strict=True,
                )
            )
        ]
        for d in range(stop, start, -1):
            shift = (m - d) * width
            low, high = (-shift if shift < 0 else 0), ((d if d < n else n) + 1) * width
            first, last = low or width, (high if d > n else d * width)
            if d in self.batch.finishing:
                pairs = self.batch.finishing[d]
                for (values, rows), slope in zip(
                    self._last_cells(adjoint, d), self.slope[:, pairs], strict=True
                ):
                    values[rows, pairs] += slope
            drawn = into_match[d & 1]
            if self.edge is not None:
                self.edge.pass_back(adjoint, kept, d, tally)
            handed = drawn[low:high]
            for _, values, _, along_x, _, _, _, (weight, weighted) in gaps:
                here = values[low + shift : high + shift] if along_x else values[low:high]
                add(here, handed * weight if weighted else handed, here)
            here, handed = match[first:last], drawn[first:last]
            add(here, handed * weights[0][0] if weights[0][1] else handed, here)
            if not self.every_move_possible:
                self._clear(adjoint, kept, d)
            if tally.visits:
                for g, visits in tally.visits.items():
                    values, along_x = gaps[g][1], gaps[g][3]
                    rest = values[low + shift : high + shift] if along_x else values[low:high]
                    visited = multiply(kept.gaps[d][g], rest, part[: high - low])
                    add(visits[low:high], visited, visits[low:high])
            cells = None
            if first < last:
                cells, aligned = tally.room(last - first)
                add(x[first - width : last - width], y[first + shift : last + shift], cells)
                multiply(kept.match[d][first - low : last - low], here, aligned)
                if visit is not None:
                    visit(first // width - 1, d, aligned.reshape(-1, width))
            if d in kept.rescaled:
                self._scale(adjoint, d, kept.rescaled[d])
            _, ratio = self._edges(adjoint, kept.ratio[d])
            if cells is None:
                drawn[: (min(n, d) + 1) * width] = 0.0
            else:
                drawn[max(0, d - 2 - m) * width : first - width] = 0.0
                drawn[last - width : (min(n, d - 2) + 1) * width] = 0.0
                if ratio is not None:
                    edge, end = (first // width - 1) // block, (last // width - 1) // block
                    if edge < end:
                        multiply(edges[edge:end], ratio[edge:end], edges[edge:end])
                handed = drawn[first - width : last - width]
                take(cells, None, handed, "wrap")
                multiply(handed, here, handed)
            below, above = max(0, d - 1 - m) * width, (min(n, d - 1) + 1) * width
            before = kept.match[d - 1]
            filled = False
            for g, values, rows, along_x, opening, _, opened, _ in gaps:
                if along_x:
                    here = values[first + shift : high + shift]
                    begin, end = first - width, high - width
                    if ratio is not None:
                        edge, stop_edge = begin // width // block, end // width // block
                        if edge < stop_edge:
                            step = rows[(edge + 1) * block + m - d : high // width + m - d : block]
                            multiply(step, ratio[edge:stop_edge], step)
                else:
                    here, begin, end = values[low:last], low, last
                piece = part[: end - begin]
                if filled:
                    multiply(here, opening, piece)
                    add(match[begin:end], piece, match[begin:end])
                    multiply(piece, before[begin - below : end - below], piece)
                else:
                    filled = True
                    match[below:begin] = 0.0
                    match[end:above] = 0.0
                    multiply(here, opening, match[begin:end])
                    multiply(match[begin:end], before[begin - below : end - below], piece)
                add(opened[begin:end], piece, opened[begin:end])
                if d == 1:
                    tally.beginning[g, : end - begin] = piece
            if self.edge is not None:
                self.edge.close_back(adjoint, kept, d, tally)
            crossed = self._cross_back(adjoint, kept, tally, d) if self.crossing else []
            for _, values, _, along_x, _, extend, _, _ in gaps:
                if extend != 1:
                    here = values[first + shift : high + shift] if along_x else values[low:last]
                    multiply(here, extend, here)
            for values, arriving in crossed:
                values += arriving

    def _clear(self, adjoint: State, kept: Kept, d: int) -> None:
        """Put the adjoint to 0 in cells that no path reaches, where it may grow without bound.

        Nothing depends on it: what leads into such a cell is out of reach too.
        """
        low, high = max(0, d - self.m), min(self.n, d) + 1
        offsets = (0, *(self.m - d if along_x else 0 for along_x in self.along_x))
        values = zip((adjoint.match, *adjoint.gaps), offsets, strict=True)
        for (cells, offset), value in zip(values, (kept.match[d], *kept.gaps[d]), strict=True):
            here = cells[low + offset : high + offset]
            np.copyto(here, 0.0, where=value.reshape(here.shape) == 0)

    def _cross_back(
        self, adjoint: State, kept: Kept, tally: _Tally, d: int
    ) -> list[tuple[Floats, Floats]]:
        """Collect what gap states of d - 1 are due from those they crossed into, and where."""
        crossed = []
        for g, h, weight in self.crossing:
            low, high = max(0, d - self.m), min(self.n, d)
            if self.along_x[h]:
                first, last = max(low, 1) - 1, high
                target = slice(first + 1 + self.m - d, last + 1 + self.m - d)
            else:
                first, last = low, min(high + 1, d)
                target = slice(first, last)
            due = adjoint.gaps[h][target] * weight
            below = max(0, d - 1 - self.m)
            value = kept.gaps[d - 1][g].reshape(-1, self.n_pairs)[first - below : last - below]
            tally.crossing[g, h] += (value * due).sum(axis=0)
            offset = self.m - d + 1 if self.along_x[g] else 0
            crossed.append((adjoint.gaps[g][first + offset : last + offset], due))
        return crossed


class _Tally:
    """Running sums of the posterior event counts of one sweep."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        n_gaps, rows = len(sweep.along_x), (sweep.n + 1) * sweep.n_pairs
        self.part = np.empty(rows)
        self.opened = [np.zeros(rows) for _ in range(n_gaps)]
        self.crossing = np.zeros((n_gaps, n_gaps, sweep.n_pairs))
        self.beginning = np.zeros((n_gaps, sweep.n_pairs))
        # Visits of the first state of each sequence follow from those of the others.
        others = {*range(n_gaps)} - {sweep.along_x.index(along_x) for along_x in sweep.along_x}
        self.visits = {g: np.zeros(rows) for g in sorted(others)}
        # Counting cells by their letters costs a pass over the table: do it for many at once.
        size = max(4 * len(sweep.odds), 2 * rows)
        self.cells, self.aligned = np.empty(size, dtype=np.int64), np.empty(size)
        self.used = 0
        self.matches = np.zeros(len(sweep.odds))
        self.entered = np.zeros((2, n_gaps + 1, sweep.n_pairs))  # overhangs of x and of y by state
        self.entered_letters = np.zeros((2, sweep.n_pairs))

    def room(self, size: int) -> tuple[Integers, Floats]:
        """Space for the next cells: their index into the odds, and their probability."""
        if self.used + size > len(self.cells):
            self.flush()
        place = slice(self.used, self.used + size)
        self.used += size
        return self.cells[place], self.aligned[place]

    def flush(self) -> None:
        cells, aligned = self.cells[: self.used], self.aligned[: self.used]
        self.matches += np.bincount(cells, weights=aligned, minlength=len(self.matches))
        self.used = 0

    def close(self) -> Counts:
        self.flush()
        sweep = self.sweep
        n_symbols = sweep.batch.n_symbols
        overhangs, letters, ending = None, None, sweep.ending
        if sweep.edge is not None:
            left, letters_left = sweep.edge.left()
            overhangs = np.stack([self.entered, left])
            letters = np.stack([self.entered_letters, letters_left])
            ending = ending + left.sum(axis=0)
        return Counts(
            sweep.result,
            self.matches.reshape(-1, n_symbols, n_symbols),
            self._by_pair(self.opened),
            self.crossing,
            self.beginning,
            ending,
            self._all_visits(letters) if self.visits else None,
            overhangs,
            letters,
        )

    def _by_pair(self, sums: list[Floats]) -> Floats:
        """Add up the rows of each pair, (n_gaps, n_pairs)."""
        return np.stack([rows.reshape(-1, self.sweep.n_pairs).sum(axis=0) for rows in sums])

    def _all_visits(self, overhang_letters: Floats | None) -> Floats:
        """Count the letters against a gap of every gap state, (n_gaps, n_pairs)."""
        sweep = self.sweep
        matched = self.matches.reshape(sweep.n_pairs, -1).sum(axis=1)
        # Pairs that cannot be made have no visits of any state.
        letters = np.where(np.isneginf(sweep.result)[:, None], 0, sweep.batch.lengths)
        visits = np.zeros((len(sweep.along_x), sweep.n_pairs))
        visits[list(self.visits)] = self._by_pair(list(self.visits.values()))
        for along_x in {*sweep.along_x}:
            own = [g for g, along in enumerate(sweep.along_x) if along == along_x]
            side = 0 if along_x else 1
            unaligned = letters[:, side] - matched
            if overhang_letters is not None:
                unaligned = unaligned - overhang_letters[:, side].sum(axis=0)
            visits[own[0]] = np.maximum(unaligned - visits[own].sum(axis=0), 0.0)
        return visits


class Edge:
    """Where the paths of a sweep enter the core behind an overhang, and where they leave it.

    An overhang of a letters of x enters in row a of the first column, so from anti-diagonal a, and
    one that is behind the core leaves from the last column; those of y from the rows. What enters
    is the weight of the overhang's length times a coefficient of the state that it enters.
    """

    def __init__(
        self, sweep: Sweep, machine: Machine, flanks: Flanks, gain: float, step: float
    ) -> None:
        self.sweep, self.flanks = sweep, flanks
        batch, n_pairs = sweep.batch, sweep.n_pairs
        size = sweep.n_diagonals + 1
        diagonals = np.arange(size)
        self.enter = flanks.enter * sweep.unit / step
        self.enter[:, 0] = flanks.enter[:, 0] / gain
        self.into_match = self.enter[:, 0].tolist()
        self.into_gaps = self.enter.sum(axis=0)[1:].tolist()
        self.sides = np.flatnonzero(self.enter.any(axis=1)).tolist()
        _, _, ending = ends_alone(machine.kinds, machine.transitions, machine.end)
        leave = flanks.leave[:, None] * ending
        self.exits = np.argwhere(leave > 0).tolist()
        sides, states = np.nonzero(leave > 0)
        self.log_leave = np.log(leave[sides, states] / sweep.unit[states])
        # Logarithms of the weights of lengths, as powers of 2 and what is left.
        logs = flanks.log_decay(0, diagonals) - diagonals * sweep.log_step
        possible = np.isfinite(logs) & (diagonals > 0)
        possible &= diagonals <= np.array([[sweep.n], [sweep.m]])
        possible &= self.enter.any(axis=1)[:, None]
        self.power = np.floor(np.where(possible, logs, 0.0) / LOG_2).astype(np.int64)
        self.fraction = np.exp(np.where(possible, logs - self.power * LOG_2, -np.inf))
        # Row of the cell in the last column (for x) and in the last row (for y).
        before = diagonals[:, None] - batch.lengths.T[::-1, None]
        rows = np.stack([before[0], np.broadcast_to(batch.lengths[:, 0], (size, n_pairs))])
        self.inside = (before >= 0) & (before < batch.lengths.T[:, None])
        self.rows = np.clip(rows, 0, sweep.n)
        # The same cells where a state is stored by row, and where it is stored by m - j.
        columns = np.clip(diagonals[:, None] - rows[1], 0, sweep.m)
        pairs = np.arange(n_pairs)
        self.cells = [
            (sweep.m - columns if state and sweep.along_x[state - 1] else self.rows[side]) * n_pairs
            + pairs
            for side, state in self.exits
        ]
        self.values = np.zeros((len(self.exits), size, n_pairs))
        self.log_value = np.full(self.values.shape, -np.inf)
        self.leaving = np.zeros(self.values.shape)
        self.is_left = np.zeros(size, dtype=bool)  # anti-diagonals on which any path leaves
        self.weights = np.zeros((0, 2, n_pairs))
        self.start = 0

    def prepare(self, state: State, start: int, stop: int, kept: Kept | None) -> None:
        """Scale the weights of start .. stop letters; between these diagonals no scale changes."""
        d, block = np.arange(start, stop + 1), self.sweep.block
        of_x = state.exponents[np.minimum(d, self.sweep.n) // block]
        of_y = np.broadcast_to(state.exponents[0], of_x.shape)
        power = self.power[:, d].T[:, :, None] - np.stack([of_x, of_y], axis=1)
        self.weights = np.ldexp(self.fraction[:, d].T[:, :, None], np.clip(power, -2000, 1000))
        self.start = start
        if self.sweep.block > 1 and self.weights.max() > 1.0 / SMALLEST_AMONG_ZEROS:
            raise _RangeExceededError
        if kept is not None:
            kept.entered[start] = self.weights[0]

    def open(self, entries: list[tuple[float, bool, Floats]], d: int) -> None:
        """Let paths into gap states behind overhangs that end on anti-diagonal d.

        An entry has a coefficient, whether it is behind y (and along x), and what the states of
        that coefficient draw from.
        """
        width, weights = self.sweep.n_pairs, self.weights[d - self.start]
        for coefficient, behind_y, drawn in entries:
            if 0 < d <= (self.sweep.m if behind_y else self.sweep.n):
                row = 0 if behind_y else d * width
                into = drawn[row : row + width]
                self.sweep.combine(into, weights[int(behind_y)] * coefficient, out=into)

    def pass_by(self, state: State, d: int, kept: Kept | None) -> None:
        """Let paths in on anti-diagonal d, and note the values from which they can leave."""
        sweep = self.sweep
        arrays = [state.match, *state.gaps]
        for (_, source), cells, values in zip(self.exits, self.cells, self.values, strict=True):
            arrays[source].take(cells[d], out=values[d], mode="clip")
        weights = self.weights[d - self.start]
        for side in self.sides:
            if 0 < d <= (sweep.m if side else sweep.n):
                into = state.into_match[d & 1][0 if side else d]
                sweep.combine(into, weights[side] * self.into_match[side], out=into)
                if not sweep.every_move_possible:
                    self._check_range(weights[side], into)
        if kept is not None:
            kept.entered[d] = weights

    def _check_range(self, weights: Floats, into: Floats) -> None:
        """Ask for smaller blocks of rows where what enters may be lost beside what they hold."""
        if self.sweep.block > 1 and weights.any() and into.min() < SMALLEST_AMONG_ZEROS:
            raise _RangeExceededError

    def note(self, state: State, start: int, stop: int) -> None:
        """Take the logarithms of the values on anti-diagonals start + 1 .. stop."""
        passed = slice(start + 1, stop + 1)
        exponents = state.exponents[
            self.rows[:, passed] // self.sweep.block, np.arange(self.sweep.n_pairs)
        ]
        steps = np.arange(start + 1, stop + 1)[:, None] * self.sweep.log_step
        scales = exponents * LOG_2 + steps
        with np.errstate(divide="ignore"):
            logs = np.log(self.values[:, passed])
        self.log_value[:, passed] = logs + scales[[side for side, _ in self.exits]]

    def finish(self, d: int, pairs: Integers, result: Floats) -> Floats:
        """Add the paths that end in an overhang; give the share of those that do not."""
        without = result[pairs].copy()
        sides = [side for side, _ in self.exits]
        logs = self.log_leave[:, None] + self.flanks.log_decay(1, d - np.arange(d))[sides]
        logs = logs[:, :, None] + self.log_value[:, :d, pairs]
        logs[~self.inside[sides, :d][:, :, pairs]] = -np.inf
        best = np.maximum(logs.max(axis=(0, 1), initial=-np.inf), without)
        base = np.where(np.isfinite(best), best, 0.0)
        leaving, staying = np.exp(logs - base), np.exp(without - base)
        total = np.ones(len(pairs))
        if self.sweep.combine is np.add:
            total = np.where(np.isfinite(best), leaving.sum(axis=(0, 1)) + staying, 1.0)
        result[pairs] = best + np.log(total)
        self.leaving[:, :d, pairs] = leaving / total
        self.is_left[:d] |= leaving.any(axis=(0, 2))
        return np.asarray(staying / total)

    def pass_back(self, adjoint: State, kept: Kept, d: int, tally: _Tally) -> None:
        """Undo `pass_by`: start the adjoint where paths leave, and count those that enter."""
        arrays = [adjoint.match, *adjoint.gaps]
        for way, (side, source) in enumerate(self.exits if self.is_left[d] else ()):
            leaving = self.leaving[way, d]
            if (some := np.flatnonzero(leaving)).size:
                value = self.values[way, d, some]
                if d in kept.rescaled:
                    rows = self.rows[side, d, some] - max(0, d - self.sweep.m)
                    value = value * kept.rescaled[d][rows, some]
                arrays[source].ravel()[self.cells[way][d, some]] += leaving[some] / value
        for side in self.sides:
            if self.fraction[side, d] > 0:
                drawn = adjoint.into_match[d & 1][0 if side else d]
                share = kept.entered[d][side] * drawn * self.into_match[side]
                tally.entered[side, 0] += share
                tally.entered_letters[side] += share * d

    def close_back(self, adjoint: State, kept: Kept, d: int, tally: _Tally) -> None:
        """Undo `open`: count the paths that enter gap states behind overhangs of d - 1 letters."""
        sweep = self.sweep
        for g, (values, along_x) in enumerate(zip(adjoint.gaps, sweep.along_x, strict=True)):
            side, coefficient = int(along_x), self.into_gaps[g]
            if coefficient > 0 and self.fraction[side, d - 1] > 0:
                drawn = values[sweep.m - d + 1 if along_x else d - 1]
                share = kept.entered[d - 1][side] * drawn * coefficient
                tally.entered[side, g + 1] += share
                tally.entered_letters[side] += share * (d - 1)

    def left(self) -> tuple[Floats, Floats]:
        """Count overhangs of x and of y behind the core by the state before, and their letters.

        Returns
        -------
        (2, n_states, n_pairs), (2, n_pairs)
        """
        sweep = self.sweep
        number = np.zeros((2, len(sweep.unit), sweep.n_pairs))
        letters = np.zeros((2, sweep.n_pairs))
        lengths = sweep.batch.lengths.sum(axis=1) - np.arange(self.leaving.shape[1])[:, None]
        for (side, state), leaving in zip(self.exits, self.leaving, strict=True):
            number[side, state] = leaving.sum(axis=0)
            letters[side] += (leaving * lengths).sum(axis=0)
        return number, letters


def swept(
    machine: Machine, batch: Batch, combine: np.ufunc, use: Callable[[Sweep], _Result]
) -> _Result:
    """Use a sweep, with smaller blocks of rows where a scale turned out not to serve its block.

    The batch remembers, for the next machine that is laid over it.
    """
    while True:
        sweep = Sweep(machine, batch, combine)
        try:
            return use(sweep)
        except _RangeExceededError:
            batch.rows_per_block[sweep.every_move_possible] = sweep.block // 2


class _RangeExceededError(Exception):
    """A reachable cell became too small for the scale of its block of rows."""


def _every_gap_possible(machine: Machine) -> bool:
    """Say whether any letters can be aligned, and gaps of any length can stand between."""
    possible = machine.transitions > 0
    for side in "xy":
        own = np.array([kind == side for kind in machine.kinds])
        reached = possible[0] & own  # after one letter, and after each further one
        for _ in range(3 * len(own)):
            if not possible[reached, 0].any():
                return False
            reached = possible[reached].any(axis=0) & own
    return bool(possible[0, 0] and machine.odds.min() > 0)


def _rows_per_block(machine: Machine, every_move_possible: bool) -> int:
    """Guess over how many rows an anti-diagonal stays well inside the range of a double.

    A row further from the best path costs about one match and two letters of a gap. The same
    number of anti-diagonals passes until the scales are renewed: the first rows of a sequence
    enter meanwhile at the scale of the block before them. Where every cell can be reached, the
    sweep notices when the guess was too high; else it must be safe, and gaps may have to be made
    of many openings between unlikely matches.
    """
    gaps = range(1, len(machine.kinds))
    moves, odds = machine.transitions, machine.odds
    further = [moves[g, g] for g in gaps]
    if not every_move_possible:
        further += [moves[0, g] * moves[g, 0] * odds[odds > 0].min(initial=1.0) for g in gaps]
    smallest = min((value for value in further if value > 0), default=0.5)
    decades = np.log10(max(odds.max(initial=0.0), 2.0)) - 2 * np.log10(min(smallest, 0.5))
    return int(np.clip(SAFE_DECADES / decades, 2, 64))


def log_likelihood(machine: Machine, batches: Sequence[Batch]) -> Floats:
    """Log odds of every pair by the forward algorithm.

    Returns
    -------
    (n_pairs,) nats
        ``log P(x, y)`` less the background log-probability of all letters of both sequences;
        ``-inf`` where no path can make the pair.
    """
    return _over_batches(machine, batches, np.add)


def best_path_score(machine: Machine, batches: Sequence[Batch]) -> Floats:
    """Log odds of every pair's most probable path (Viterbi), as :func:`log_likelihood`."""
    return _over_batches(machine, batches, np.maximum)


def _over_batches(machine: Machine, batches: Sequence[Batch], combine: np.ufunc) -> Floats:
    result = np.empty(sum(batch.n_pairs for batch in batches))
    for batch in batches:
        rest = Rest(batch)
        for lanes, sweep, pairs in rest.after(
            banded(machine, batch, combine, keep=combine is np.maximum)
        ):
            result[batch.members[pairs]] = sweep.result[lanes]
        if rest.batch is not None:
            result[rest.batch.members] = swept(machine, rest.batch, combine, Sweep.total)
    return result


def _has_several(machine: Machine) -> bool:
    """Say whether gaps of one sequence have several states, whose visits must be counted."""
    return len(set(machine.kinds)) < len(machine.kinds)


def expected_counts(machine: Machine, batches: Sequence[Batch]) -> Counts:
    """Count the expected matches, gap openings and endings of every pair (forward-backward)."""
    n_pairs = sum(batch.n_pairs for batch in batches)
    n_states, n_symbols = len(machine.kinds), len(machine.odds)
    result = Counts(
        np.empty(n_pairs),
        np.empty((n_pairs, n_symbols, n_symbols)),
        np.empty((n_states - 1, n_pairs)),
        np.empty((n_states - 1, n_states - 1, n_pairs)),
        np.empty((n_states - 1, n_pairs)),
        np.empty((n_states, n_pairs)),
        np.empty((n_states - 1, n_pairs)) if _has_several(machine) else None,
        None if machine.flanks is None else np.empty((2, 2, n_states, n_pairs)),
        None if machine.flanks is None else np.empty((2, 2, n_pairs)),
    )
    for batch in batches:
        rest = Rest(batch)
        for lanes, sweep, pairs in rest.after(banded(machine, batch, np.add, keep=True)):
            counts = Counts(
                sweep.result,
                sweep.letter_counts(),
                sweep.openings(),
                sweep.crossings(),
                sweep.beginnings(),
                sweep.ending,
                sweep.visits() if result.visits is not None else None,
            )
            result.put(batch.members[pairs], counts.take(lanes))
        if rest.batch is not None:
            result.put(rest.batch.members, swept(machine, rest.batch, np.add, Sweep.count))
    return result


def match_posterior(machine: Machine, batch: Batch) -> Floats:
    """Probability that letter i of x is aligned with letter j of y, for a batch of one pair."""
    posterior = np.zeros((len(batch.x), len(batch.y_reversed)))
    rest = Rest(batch)
    for _, sweep, _ in rest.after(banded(machine, batch, np.add, keep=True)):
        rows, columns = sweep.places()
        inside = (
            (rows > 0) & (columns > 0) & (rows <= len(batch.x)) & (columns <= posterior.shape[1])
        )
        posterior[rows[inside] - 1, columns[inside] - 1] = sweep.posterior()[..., 0][inside]

    def fill(row: int, d: int, probability: Floats) -> None:
        rows = np.arange(row, row + len(probability))
        posterior[rows, d - 2 - rows] = probability[:, 0]

    if rest.batch is not None:
        swept(machine, rest.batch, np.add, lambda sweep: sweep.count(fill))
    return posterior
