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

Rows of a tile follow one another in a ring, of two rows or of all. A row has the values of the
states in each column, and T of the columns before; there eight numbers, one for each lane, stand
next to each other.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbio.core.compiled import compiled_in_place
from seqbio.pairhmm.dp.vectors import (
    LANES,
    Vector,
    choose,
    fma,
    full,
    has_bit,
    larger,
    load,
    positive,
    smaller,
    store,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

AT_ONCE = 3  # sources of a flow, added up in one go


class Moves(NamedTuple):
    """What flows from where, for T (0), the X states (1 ...) and the Y states.

    Parameters
    ----------
    n_x, n_y : int
        Numbers of states that take letters of x and of y.
    sources, weights : (n_states, k) int, float
        Of each flow, a multiple of `AT_ONCE`; flows into Y do not have those from Y.
    n_sources : (n_states,)
        How many of them.
    stay : (n_y,)
        Weights of the flows from Y states into themselves.
    crossing, crossed : (n, 2), (n,)
        Flows into Y states from others: the two states, counted among the Y states, and the weight.
    odds : (n_symbols ** 2,)
        Of letters of x (rows) and y; at least 4 x 4.
    n_symbols : int
    """

    n_x: int
    n_y: int
    sources: Integers
    weights: Floats
    n_sources: Integers
    stay: Floats
    crossing: Integers
    crossed: Floats
    odds: Floats
    n_symbols: int


class Room(NamedTuple):
    """Memory for the tiles in work.

    Parameters
    ----------
    size : int
        Rows and columns of a tile.
    cells : (n_kept * (n_states + 1) * (size + 1) * LANES,)
        The ring of rows.
    left : ((1 + n_y) * size * LANES,)
        T of the column to the left, and what flows from it into Y states; becomes the same of the
        last column.
    letters_x, letters_y : (size * LANES,) uint16
    corner : (LANES,)
        T at the corner.
    factors : (3 * LANES,)
    least : (LANES,)
        The least value that is not 0.
    low, high : (2,)
        First row and column in use, and those behind the last.
    entering, leaving : (size,) bool
        Rows in which paths begin, and end.
    """

    size: int
    cells: Floats
    left: Floats
    letters_x: NDArray[np.uint16]
    letters_y: NDArray[np.uint16]
    corner: Floats
    factors: Floats
    least: Floats
    low: Integers
    high: Integers
    entering: NDArray[np.bool_]
    leaving: NDArray[np.bool_]


class Entries(NamedTuple):
    """What flows from where paths begin.

    Parameters
    ----------
    free : bool
        Whether paths may begin behind an overhang, in the first row and column.
    node : (LANES, 2)
        First node of the pair, counted from the first node of the tile.
    scale : (LANES,)
        Power of two of the values in the tile.
    begin : float
        Value of M at the first node.
    first : (n_states,)
        What flows from the first node besides: into T, X states and Y states.
    enter : (2, n_states)
        The same behind an overhang of one letter of x, and of y.
    power, exponent : (2, length)
        Weight of an overhang of so many letters over that of one, times a power of two.
    """

    free: bool
    node: Integers
    scale: Integers
    begin: float
    first: Floats
    enter: Floats
    power: Floats
    exponent: Integers


class Exits(NamedTuple):
    """The states at which paths end, in all tiles that have a last node, row or column.

    Parameters
    ----------
    free : bool
        Whether paths may end before an overhang, in the last row and column.
    node : (LANES, 2)
        Last node of the pair, counted from the first node of the tile.
    place : (LANES, 2)
        Where the last row and column of the tile are to be kept.
    rows, columns : (n, n_states, size)
        The states at their nodes.
    row_scale, column_scale : (n,)
        Power of two of the values.
    """

    free: bool
    node: Integers
    place: Integers
    rows: Floats
    columns: Floats
    row_scale: Integers
    column_scale: Integers


@compiled_in_place
def power_of_two(exponent: int) -> float:
    """2 ** exponent, and 0 where that is too small to matter."""
    exponent = min(exponent, 1000)
    return math.ldexp(1.0, exponent) if exponent > -1000 else 0.0


@compiled_in_place
def start(room: Room, entries: Entries, i: int, row: int) -> None:
    """Begin paths in state M of the first node, if it is in row i."""
    for k in range(LANES):
        a, b = entries.node[k, 0], entries.node[k, 1]
        if i == a and 0 <= b < room.size:
            room.cells[row + b * LANES + k] += entries.begin * power_of_two(-entries.scale[k])


@compiled_in_place
def joined(value: float, other: float, best: bool) -> float:
    """Add two numbers, or take the larger."""
    return max(value, other) if best else value + other


@compiled_in_place
def enter(
    room: Room, entries: Entries, i: int, first: int, width: int, begin: int, end: int, best: bool
) -> None:
    """Add to some flows from row i what begins there, or take the larger."""
    cells, size = room.cells, room.size
    for k in range(LANES):
        a, b = entries.node[k, 0], entries.node[k, 1]
        if i >= a and 0 <= b < size and (i == a or entries.free):
            n = i - a
            factor = power_of_two(entries.exponent[0, n] - entries.scale[k]) * entries.power[0, n]
            for t in range(begin, end):
                value = entries.first[t] if n == 0 else entries.enter[0, t]
                at = first + t * width + b * LANES + k
                cells[at] = joined(cells[at], factor * value, best)
        if i == a and entries.free:
            for j in range(max(b + 1, 0), size):
                n = j - b
                factor = power_of_two(entries.exponent[1, n] - entries.scale[k])
                for t in range(begin, end):
                    value = factor * entries.power[1, n] * entries.enter[1, t]
                    at = first + t * width + j * LANES + k
                    cells[at] = joined(cells[at], value, best)


@compiled_in_place
def leave(room: Room, exits: Exits, i: int, row: int, width: int) -> None:
    """Note the states of row i where paths may end."""
    cells, size = room.cells, room.size
    n_states = exits.rows.shape[1]
    for k in range(LANES):
        a, b = exits.node[k, 0], exits.node[k, 1]
        if i == a:
            for j in range(0 if exits.free else b, min(b + 1, size)):
                for s in range(n_states):
                    exits.rows[exits.place[k, 0], s, j] = cells[row + s * width + j * LANES + k]
        elif exits.free and i < a and 0 <= b < size:
            for s in range(n_states):
                exits.columns[exits.place[k, 1], s, i] = cells[row + s * width + b * LANES + k]


@compiled_in_place
def flow(
    cells: Floats,
    row: int,
    width: int,
    out: int,
    moves: Moves,
    into: int,
    begin: int,
    end: int,
    best: bool,
) -> None:
    """Compute one flow from all columns of a row, into the places from `out` on."""
    sources, weights = moves.sources, moves.weights
    for q in range(0, moves.n_sources[into], AT_ONCE):
        a, b = row + sources[into, q] * width, row + sources[into, q + 1] * width
        c = row + sources[into, q + 2] * width
        u, v, w = full(weights[into, q]), full(weights[into, q + 1]), full(weights[into, q + 2])
        if best:
            for at in range(begin, end, LANES):
                value = larger(u * load(cells, a + at), v * load(cells, b + at))
                value = larger(value, w * load(cells, c + at))
                store(cells, out + at, larger(value, load(cells, out + at)) if q else value)
        elif q:
            for at in range(begin, end, LANES):
                value = fma(u, load(cells, a + at), load(cells, out + at))
                value = fma(v, load(cells, b + at), value)
                store(cells, out + at, fma(w, load(cells, c + at), value))
        else:
            for at in range(begin, end, LANES):
                value = fma(v, load(cells, b + at), u * load(cells, a + at))
                store(cells, out + at, fma(w, load(cells, c + at), value))


@compiled_in_place
def flow_along(
    cells: Floats, first: int, width: int, moves: Moves, begin: int, end: int, best: bool
) -> None:
    """Add what flows from Y states to what flows into Y states, column by column."""
    if len(moves.crossing) == 0:
        for h in range(moves.n_y):
            row, stay = first + h * width, full(moves.stay[h])
            value = load(cells, row + begin)
            if best:
                for at in range(row + begin + LANES, row + end + LANES, LANES):
                    value = larger(stay * value, load(cells, at))
                    store(cells, at, value)
            else:
                for at in range(row + begin + LANES, row + end + LANES, LANES):
                    value = fma(stay, value, load(cells, at))
                    store(cells, at, value)
        return
    for at in range(first + begin, first + end, LANES):
        for h in range(moves.n_y):
            source, place = at + h * width, at + h * width + LANES
            value, own, stay = load(cells, source), load(cells, place), full(moves.stay[h])
            store(cells, place, larger(stay * value, own) if best else fma(stay, value, own))
        for q in range(len(moves.crossing)):
            source = at + moves.crossing[q, 0] * width
            place = at + moves.crossing[q, 1] * width + LANES
            value, own, weight = load(cells, source), load(cells, place), full(moves.crossed[q])
            store(cells, place, larger(weight * value, own) if best else fma(weight, value, own))


@compiled_in_place
def pick(low: Vector, high: Vector, a: Vector, b: Vector, c: Vector, d: Vector) -> Vector:
    """Choose one of four by two bits."""
    return choose(high, choose(low, d, c), choose(low, b, a))


@compiled_in_place
def odds_of_row(room: Room, moves: Moves, i: int) -> tuple[Vector, ...]:
    """Odds of the letters of x in row i beside each of four letters of y."""
    odds = moves.odds
    low, high = has_bit(room.letters_x, i * LANES, 1), has_bit(room.letters_x, i * LANES, 2)
    a = pick(low, high, full(odds[0]), full(odds[4]), full(odds[8]), full(odds[12]))
    b = pick(low, high, full(odds[1]), full(odds[5]), full(odds[9]), full(odds[13]))
    c = pick(low, high, full(odds[2]), full(odds[6]), full(odds[10]), full(odds[14]))
    d = pick(low, high, full(odds[3]), full(odds[7]), full(odds[11]), full(odds[15]))
    return a, b, c, d


@compiled_in_place
def match(room: Room, moves: Moves, i: int, before: int, row: int, low: int, high: int) -> None:
    """Multiply T before a match by the odds of the letters."""
    cells, odds, letters = room.cells, moves.odds, room.letters_y
    if moves.n_symbols == 4:
        a, b, c, d = odds_of_row(room, moves, i)
        for j in range(low, high):
            at = j * LANES
            odd = pick(has_bit(letters, at, 1), has_bit(letters, at, 2), a, b, c, d)
            store(cells, row + at, odd * load(cells, before + at))
        return
    for k in range(LANES):
        own = np.int64(room.letters_x[i * LANES + k]) * moves.n_symbols
        for j in range(low, high):
            odd = odds[own + letters[j * LANES + k]]
            cells[row + j * LANES + k] = odd * cells[before + j * LANES + k]


@compiled_in_place
def watch(room: Room, row: int, n_states: int, width: int, begin: int, end: int) -> None:
    """Note the least value of a row that is not 0."""
    least = load(room.least, 0)
    for s in range(n_states):
        for at in range(row + s * width + begin, row + s * width + end, LANES):
            value = load(room.cells, at)
            least = smaller(least, choose(positive(value), value, least))
    store(room.least, 0, least)


@compiled_in_place
def fill_row(
    room: Room,
    moves: Moves,
    entries: Entries,
    entering: bool,
    i: int,
    above: int,
    row: int,
    below: int,
    width: int,
    low: int,
    high: int,
    best: bool,
) -> None:
    """Compute a row: the states, T, and the flows into the X states of the next row."""
    cells, n_x, n_y = room.cells, moves.n_x, moves.n_y
    n_states, begin, end = 1 + n_x + n_y, low * LANES, high * LANES
    totals, first_y = n_states * width, (1 + n_x) * width
    match(room, moves, i, above + totals, row, low, high)
    if entering:
        start(room, entries, i, row)
    for h in range(n_y):
        out = row + first_y + h * width + LANES
        flow(cells, row, width, out, moves, 1 + n_x + h, begin, end, best)
    if entering:
        enter(room, entries, i, row + LANES, width, 1 + n_x, n_states, best)
    flow_along(cells, row + first_y, width, moves, begin, end, best)
    flow(cells, row, width, row + totals + LANES, moves, 0, begin, end, best)
    for g in range(1, 1 + n_x):
        flow(cells, row, width, below + g * width, moves, g, begin, end, best)
    if entering:
        enter(room, entries, i, row + totals + LANES, width, 0, 1, best)
        enter(room, entries, i, below, width, 1, 1 + n_x, best)


@compiled_in_place
def fill_row_of_three(
    room: Room,
    moves: Moves,
    i: int,
    above: int,
    row: int,
    below: int,
    width: int,
    low: int,
    high: int,
) -> None:
    """Do the same for the states M, X and Y in one go, in which no path begins."""
    cells, letters, weights = room.cells, room.letters_y, moves.weights
    m_t, x_t, y_t = full(weights[0, 0]), full(weights[0, 1]), full(weights[0, 2])
    m_x, x_x, y_x = full(weights[1, 0]), full(weights[1, 1]), full(weights[1, 2])
    m_y, x_y, y_y = full(weights[2, 0]), full(weights[2, 1]), full(moves.stay[0])
    a, b, c, d = odds_of_row(room, moves, i)
    y = load(cells, row + 2 * width + low * LANES)
    for j in range(low, high):
        at = j * LANES
        odd = pick(has_bit(letters, at, 1), has_bit(letters, at, 2), a, b, c, d)
        m, x = odd * load(cells, above + 3 * width + at), load(cells, row + width + at)
        store(cells, row + at, m)
        store(cells, row + 3 * width + at + LANES, fma(y_t, y, fma(x_t, x, m_t * m)))
        store(cells, below + width + at, fma(y_x, y, fma(x_x, x, m_x * m)))
        y = fma(y_y, y, fma(x_y, x, m_y * m))
        store(cells, row + 2 * width + at + LANES, y)


@compiled_in_place
def fill(
    room: Room,
    moves: Moves,
    entries: Entries,
    exits: Exits,
    low: Integers,
    high: Integers,
    watched: bool,
    best: bool,
) -> None:
    """Compute the nodes of eight tiles, from what flows into them.

    The flows stand in the ring and to the left (see `Room`). Only rows and columns from `low` to
    `high` are computed. The least value is found out where it is watched.
    """
    cells, left = room.cells, room.left
    n_states, width, tall = 1 + moves.n_x + moves.n_y, (room.size + 1) * LANES, room.size * LANES
    whole = (n_states + 1) * width
    totals, first_y = n_states * width, (1 + moves.n_x) * width
    kept = len(cells) // whole
    begin, end = low[1] * LANES, high[1] * LANES
    in_one_go = moves.n_x == 1 and moves.n_y == 1 and moves.n_symbols == 4 and not best
    for i in range(low[0], high[0]):
        above, row, below = (i - 1) % kept * whole, i % kept * whole, (i + 1) % kept * whole
        store(cells, row + totals + begin, load(left, i * LANES))
        for h in range(moves.n_y):
            store(cells, row + first_y + h * width + begin, load(left, (1 + h) * tall + i * LANES))
        if in_one_go and not room.entering[i]:
            fill_row_of_three(room, moves, i, above, row, below, width, low[1], high[1])
        else:
            fill_row(
                room, moves, entries, room.entering[i], i, above, row, below, width,
                low[1], high[1], best,
            )  # fmt: skip
        store(left, i * LANES, load(cells, row + totals + end))
        for h in range(moves.n_y):
            ended = load(cells, row + first_y + h * width + end)
            store(left, (1 + h) * tall + i * LANES, ended)
        if room.leaving[i]:
            leave(room, exits, i, row, width)
        if watched:
            watch(room, row, n_states, width, begin, end)
