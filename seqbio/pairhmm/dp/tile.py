"""The recursion of a pair HMM through eight tiles of matrices at once.

A node (i, j) stands behind i letters of x and j of y. The value of a state there is that of all
paths that arrive in it, and flows on to the next nodes::

    M(i, j) = odds(x_i, y_j) T(i-1, j-1)
    X(i, j) = what flowed into X from (i-1, j)
    Y(i, j) = what flowed into Y from (i, j-1)
    T, and the flows into X and Y, from (i, j) = weights times the states at (i, j)

Run from the first node with the probabilities of moves for weights it is the forward algorithm;
run from the last node over reversed sequences with the same moves reversed, the backward
algorithm; and with the larger in place of the sum, Viterbi's.

The numbers of the eight tiles at a node, one for each lane, stand next to each other.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbio.core.compiled import compiled_in_place, inlined
from seqbio.pairhmm.dp.vectors import (
    LANES,
    Vector,
    choose,
    fma,
    full,
    has_bit,
    larger,
    load,
    store,
)

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Letters = NDArray[np.uint16]

AT_ONCE = 3  # sources of a flow, added up in one go
NOTHING = -(1 << 40)  # exponent of what is 0


class Tiles(NamedTuple):
    """Pairs cut into tiles of one size.

    Parameters
    ----------
    size : int
        Nodes along either side of a tile.
    x, y : uint8 arrays
        Symbols of all pairs, one pair after another.
    start, length : (n_pairs, 2)
        Where those of each pair begin, and how many there are.
    n_tiles : (n_pairs, 2)
        Tiles along x (rows) and along y (columns).
    first : (n_pairs, 3)
        Number of the first row of tiles, column of tiles, and tile of each pair among all.
    pair : (n_rows,)
        The pair of each row of tiles.
    """

    size: int
    x: NDArray[np.uint8]
    y: NDArray[np.uint8]
    start: Integers
    length: Integers
    n_tiles: Integers
    first: Integers
    pair: Integers


class Law(NamedTuple):
    """A machine, read from the first letters to the last or from the last to the first.

    States are M (0), those that take letters of x, and those that take letters of y; flows into
    them likewise, with T for M.

    Parameters
    ----------
    best, backward, free, of_three : bool
        Whether the best path is taken, sequences are reversed, paths may begin and end beside
        overhangs, and rows are computed in one go.
    floor : float
        Added to what tiles hand on, in their scale, for an upper bound on the sum; usually 0.
    n_x : int
        Number of states that take letters of x.
    sources, weights : (n_states, k)
        Of each flow, but for those from Y into Y.
    n_sources : (n_states,)
        How many, a multiple of `AT_ONCE`.
    moves : (n_states, n_states)
        All weights, by flow and source.
    crossing : (n, 2)
        All flows from Y states into Y states, unless each goes into its own: the two states.
    odds : (n_symbols ** 2,)
        Of letters of x (rows) and y; at least 4 x 4.
    n_symbols : int
    begin : float
        Value of M at the first node.
    first, enter : (n_states,), (2, n_states)
        What flows from the first node besides, and behind an overhang of one letter of x and of y.
    power, exponent : (2, length)
        Weight of an overhang of so many letters over that of one, times a power of two.
    """

    best: bool
    backward: bool
    free: bool
    of_three: bool
    floor: float
    n_x: int
    sources: Integers
    weights: Floats
    n_sources: Integers
    moves: Floats
    crossing: Integers
    odds: Floats
    n_symbols: int
    begin: float
    first: Floats
    enter: Floats
    power: Floats
    exponent: Integers


class Lanes(NamedTuple):
    """Eight tiles in work, one in each lane.

    Parameters
    ----------
    size : int
        Nodes along either side of a tile.
    tile : (LANES, 3)
        Pair (-1 for none), row and column of each tile.
    row, column, taken : (LANES,), (LANES,), (1,)
        The row of tiles that each lane works on, the next column in it, and rows that were dealt.
    keep : bool
        Whether all states of a row are looked at when it is done.
    cells, rows : (n,), (n_states + 1, size + 2)
        Rows of ``(size + 1) * LANES`` values of each state, and of T (which stands last) of the
        column before; and where they begin, from row -1 on. Where few are kept, the next takes the
        place of the first.
    left : (1 + n_y, (size + 1) * LANES)
        T of the column to the left, and what flows from it into Y; becomes that of the last column.
    corner : (LANES,)
        T at the corner.
    letters : (2, (size + 1) * LANES) uint16
        Of x and y.
    scale : (2, n_states, LANES)
        Powers of two of the states, and of the flows.
    low, high : (2,)
        The first row and column in use, and those behind the last.
    begins, ends : (LANES, 2)
        The first and last node of the pair, counted from the first node of the tile.
    entering, leaving : (size,)
        Rows in which paths begin, and end.
    places : (LANES, 2)
        Where the states of the last row and column are kept.
    """

    size: int
    tile: Integers
    row: Integers
    column: Integers
    taken: Integers
    keep: bool
    cells: Floats
    rows: Integers
    left: Floats
    corner: Floats
    letters: Letters
    scale: Integers
    low: Integers
    high: Integers
    begins: Integers
    ends: Integers
    entering: Bools
    leaving: Bools
    places: Integers


class Frontier(NamedTuple):
    """What flows out of tiles that are done, and the states where paths end.

    Parameters
    ----------
    every : bool
        Whether what flowed into every tile is kept; else a place is used again by the next tile in
        the row or column.
    done : (n_rows,)
        How many tiles of each row are.
    above, beside : (n, 1 + n_x, size), (n, 1 + n_y, size)
        T and the flows into X states from the row above; T and the flows into Y from the left.
    corner : (n,)
        T at the corner of the tile below `above`.
    above_scale, beside_scale, corner_scale : (n, 1 + n_x), (n, 1 + n_y), (n,)
        Their powers of two.
    above_peak, beside_peak : (n,)
        The least powers of two above all of them.
    rows, columns : (n, n_states, size)
        The states in last rows and columns; without overhangs at the last node alone, which stands
        first in its row.
    row_scale, column_scale : (n, n_states)
    """

    every: bool
    done: Integers
    above: Floats
    beside: Floats
    corner: Floats
    above_scale: Integers
    beside_scale: Integers
    corner_scale: Integers
    above_peak: Integers
    beside_peak: Integers
    rows: Floats
    columns: Floats
    row_scale: Integers
    column_scale: Integers


@inlined
def power_of_two(exponent: int) -> float:
    """2 ** exponent, and 0 where that is too small to matter."""
    exponent = min(exponent, 1000)
    return math.ldexp(1.0, int(exponent)) if exponent > -1000 else 0.0


@inlined
def joined(value: float, other: float, best: bool) -> float:
    """Add two numbers, or take the larger."""
    return max(value, other) if best else value + other


@inlined
def pick(low: Vector, high: Vector, a: Vector, b: Vector, c: Vector, d: Vector) -> Vector:
    """Choose one of four by two bits."""
    return choose(high, choose(low, d, c), choose(low, b, a))


@inlined
def odds_of_row(law: Law, lanes: Lanes, i: int) -> tuple[Vector, ...]:
    """Odds of the letters of x in row i beside each of four letters of y."""
    odds, letters = law.odds, lanes.letters[0]
    low, high = has_bit(letters, i * LANES, 1), has_bit(letters, i * LANES, 2)
    a = pick(low, high, full(odds[0]), full(odds[4]), full(odds[8]), full(odds[12]))
    b = pick(low, high, full(odds[1]), full(odds[5]), full(odds[9]), full(odds[13]))
    c = pick(low, high, full(odds[2]), full(odds[6]), full(odds[10]), full(odds[14]))
    d = pick(low, high, full(odds[3]), full(odds[7]), full(odds[11]), full(odds[15]))
    return a, b, c, d


@inlined
def match(law: Law, lanes: Lanes, i: int) -> None:
    """Multiply T before a match by the odds of the letters."""
    letters, low, high = lanes.letters[1], lanes.low[1] * LANES, lanes.high[1] * LANES
    cells, before, out = lanes.cells, lanes.rows[len(law.moves), i], lanes.rows[0, i + 1]
    if law.n_symbols == 4:
        a, b, c, d = odds_of_row(law, lanes, i)
        for at in range(low, high, LANES):
            odd = pick(has_bit(letters, at, 1), has_bit(letters, at, 2), a, b, c, d)
            store(cells, out + at, odd * load(cells, before + at))
    else:
        for k in range(LANES):
            own = np.int64(lanes.letters[0, i * LANES + k]) * law.n_symbols
            for at in range(low + k, high + k, LANES):
                cells[out + at] = law.odds[own + letters[at]] * cells[before + at]
    if lanes.entering[i]:
        start(law, lanes, i, cells[out:])


@compiled_in_place
def start(law: Law, lanes: Lanes, i: int, out: Floats) -> None:
    """Begin paths in state M of the first node, if it is in row i."""
    for k in range(LANES):
        a, b = lanes.begins[k, 0], lanes.begins[k, 1]
        if i == a and 0 <= b < lanes.size:
            out[b * LANES + k] = law.begin * power_of_two(-lanes.scale[0, 0, k])


@compiled_in_place
def enter(law: Law, lanes: Lanes, i: int, t: int, out: Floats) -> None:
    """Add to a flow from row i what begins there, or take the larger."""
    for k in range(LANES):
        a, b = lanes.begins[k, 0], lanes.begins[k, 1]
        for side in range(2):
            first, stop = 0, 0
            if side == 0 and i >= a and 0 <= b < lanes.size and (i == a or law.free):
                first, stop = b, b + 1
            elif side == 1 and i == a and law.free:
                first, stop = max(b + 1, 0), lanes.size
            for j in range(first, stop):
                n = j - b if side else i - a  # letters of an overhang that ends here
                value = (law.enter[side, t] if n > 0 else law.first[t]) * law.power[side, n]
                value *= power_of_two(law.exponent[side, n] - lanes.scale[1, t, k])
                out[j * LANES + k] = joined(out[j * LANES + k], value, law.best)


@compiled_in_place
def leave(law: Law, lanes: Lanes, frontier: Frontier, i: int) -> None:
    """Note the states of row i where paths may end."""
    for s in range(len(law.moves)):
        row = lanes.cells[lanes.rows[s, i + 1] :]
        for k in range(LANES):
            a, b = lanes.ends[k, 0], lanes.ends[k, 1]
            if i == a:
                for j in range(0 if law.free else b, min(b + 1, lanes.size)):
                    place = j if law.free else 0
                    frontier.rows[lanes.places[k, 0], s, place] = row[j * LANES + k] + law.floor
            elif law.free and i < a and 0 <= b < lanes.size:
                frontier.columns[lanes.places[k, 1], s, i] = row[b * LANES + k] + law.floor


@inlined
def flow(law: Law, lanes: Lanes, i: int, t: int, out: int) -> None:
    """Compute one flow from all columns of a row, into the cells from `out` on."""
    cells, n = lanes.cells, (lanes.high[1] - lanes.low[1]) * LANES
    first = lanes.low[1] * LANES
    for q in range(0, law.n_sources[t], AT_ONCE):
        a, u = lanes.rows[law.sources[t, q], i + 1] + first, full(law.weights[t, q])
        b, v = lanes.rows[law.sources[t, q + 1], i + 1] + first, full(law.weights[t, q + 1])
        c, w = lanes.rows[law.sources[t, q + 2], i + 1] + first, full(law.weights[t, q + 2])
        for at in range(0, n, LANES):
            x, y, z = load(cells, a + at), load(cells, b + at), load(cells, c + at)
            into = out + first + at
            if law.best:
                value = larger(larger(u * x, v * y), w * z)
                store(cells, into, larger(value, load(cells, into)) if q else value)
            elif q:
                store(cells, into, fma(w, z, fma(v, y, fma(u, x, load(cells, into)))))
            else:
                store(cells, into, fma(w, z, fma(v, y, u * x)))
    if lanes.entering[i]:
        enter(law, lanes, i, t, cells[out:])


@inlined
def flow_along(law: Law, lanes: Lanes, i: int) -> None:
    """Add what flows from Y states to what flows into Y states, column by column."""
    cells, begin, end = lanes.cells, lanes.low[1] * LANES, lanes.high[1] * LANES
    if len(law.crossing) == 0:
        for t in range(1 + law.n_x, len(law.moves)):
            row, stay = lanes.rows[t, i + 1], full(law.moves[t, t])
            value = load(cells, row + begin)
            for at in range(row + begin + LANES, row + end + LANES, LANES):
                other = load(cells, at)
                value = larger(stay * value, other) if law.best else fma(stay, value, other)
                store(cells, at, value)
        return
    for at in range(begin, end, LANES):
        for q in range(len(law.crossing)):
            s, t = law.crossing[q, 0], law.crossing[q, 1]
            value, into = load(cells, lanes.rows[s, i + 1] + at), lanes.rows[t, i + 1] + at + LANES
            weight, other = full(law.moves[t, s]), load(cells, into)
            value = larger(weight * value, other) if law.best else fma(weight, value, other)
            store(cells, into, value)


@inlined
def fill_row(law: Law, lanes: Lanes, i: int) -> None:
    """Compute a row: the states, T, and the flows into the X states of the next row."""
    n_states = len(law.moves)
    match(law, lanes, i)
    for u in range(n_states):  # first the flows into Y states, then T and those into X states
        t = (u + 1 + law.n_x) % n_states
        if t == 0:
            flow_along(law, lanes, i)
        below = 0 < t <= law.n_x
        flow(
            law, lanes, i, t, lanes.rows[t if t else n_states, i + below + 1] + (not below) * LANES
        )


@inlined
def fill_row_of_three(law: Law, lanes: Lanes, i: int) -> None:
    """Do the same for the states M, X and Y in one go, in a row in which no path begins.

    M and Y are written where they are to be looked at.
    """
    cells, letters, w = lanes.cells, lanes.letters[1], law.moves
    m_t, x_t, y_t = full(w[0, 0]), full(w[0, 1]), full(w[0, 2])
    m_x, x_x, y_x = full(w[1, 0]), full(w[1, 1]), full(w[1, 2])
    m_y, x_y, y_y = full(w[2, 0]), full(w[2, 1]), full(w[2, 2])
    a, b, c, d = odds_of_row(law, lanes, i)
    of_m, of_x, of_y = lanes.rows[0, i + 1], lanes.rows[1, i + 1], lanes.rows[2, i + 1]
    before, of_t, into_x = lanes.rows[3, i], lanes.rows[3, i + 1], lanes.rows[1, i + 2]
    keep = lanes.keep or lanes.leaving[i]
    y = load(cells, of_y + lanes.low[1] * LANES)
    for at in range(lanes.low[1] * LANES, lanes.high[1] * LANES, LANES):
        odd = pick(has_bit(letters, at, 1), has_bit(letters, at, 2), a, b, c, d)
        m, x = odd * load(cells, before + at), load(cells, of_x + at)
        if keep:
            store(cells, of_m + at, m)
        store(cells, of_t + at + LANES, fma(y_t, y, fma(x_t, x, m_t * m)))
        store(cells, into_x + at, fma(y_x, y, fma(x_x, x, m_x * m)))
        y = fma(y_y, y, fma(x_y, x, m_y * m))
        if keep:
            store(cells, of_y + at + LANES, y)
    store(cells, of_y + lanes.high[1] * LANES, y)


@compiled_in_place
def fill_nodes(law: Law, lanes: Lanes) -> None:
    """Compute tiles of one node, in which each state and each flow has a power of two of its own.

    So nothing is lost where states at one node are out of range beside each other.
    """
    n_states, scales, matched = len(law.moves), lanes.scale, lanes.cells[lanes.rows[0, 1] :]
    before = lanes.cells[lanes.rows[n_states, 0] :]
    for k in range(LANES):
        a, b = lanes.begins[k, 0], lanes.begins[k, 1]
        side, n = (0, -a) if b == 0 else (1, -b if a == 0 else -1)
        n = n if n <= 0 or law.free else -1  # letters of an overhang that ends here, if any may
        letter = np.int64(lanes.letters[0, k]) * law.n_symbols + lanes.letters[1, k]
        matched[k] = before[k] * law.odds[letter]
        if n == 0:
            matched[k], scales[0, 0, k] = law.begin, 0
        for t in range(n_states):
            entered = 0.0
            if n >= 0:
                entered = (law.enter[side, t] if n > 0 else law.first[t]) * law.power[side, n]
            base = law.exponent[side, max(n, 0)]
            scale = base + math.frexp(entered)[1] if entered > 0.0 else NOTHING
            for s in range(n_states):
                value = lanes.cells[lanes.rows[s, 1] :][k] * law.moves[t, s]
                if value > 0.0:
                    scale = max(scale, scales[0, s, k] + math.frexp(value)[1])
            total = entered * power_of_two(base - scale)
            for s in range(n_states):
                value = lanes.cells[lanes.rows[s, 1] :][k] * law.moves[t, s]
                value *= power_of_two(scales[0, s, k] - scale)
                total = joined(total, value, law.best)
            scales[1, t, k] = scale
            if 0 < t <= law.n_x:
                lanes.cells[lanes.rows[t, 2] :][k] = total
            else:
                lanes.cells[lanes.rows[t if t else n_states, 1] :][LANES + k] = total
