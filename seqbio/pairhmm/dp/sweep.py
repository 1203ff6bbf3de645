"""A sweep through the matrices of many pairs: tiles, the order in which they come, their scales.

The matrix of a pair is cut into square tiles. A tile needs what flows into it from the row above
(T, and the flows into X states), from the column to its left (T, and the flows into Y states), and
T at the corner; nothing else of it is kept when it has been computed. Any eight tiles that are
ready are computed together, one in each lane of a vector. Rows of tiles, of all pairs one after
another, are dealt to the lanes, and a lane waits where the row above is not ahead.

A tile has its own power of two, found from what flows into it, so that scaling costs nothing inside
and adds no rounding, and nothing is lost however long or unequal the sequences are.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbio.core.compiled import compiled_in_place
from seqbio.pairhmm.dp.tile import (
    Entries,
    Exits,
    Floats,
    Integers,
    Moves,
    Room,
    fill,
    joined,
    power_of_two,
)
from seqbio.pairhmm.dp.vectors import (
    LANES,
    Vector,
    choose,
    full,
    lane,
    larger,
    load,
    positive,
    smaller,
    store,
)

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


class Work(NamedTuple):
    """Which tile is in each lane, and which come next.

    Parameters
    ----------
    tile : (LANES, 3)
        Pair (-1 for none), row and column.
    scale : (LANES,)
        Power of two of the values.
    row, column : (LANES,)
        Row of tiles (of all pairs) that each lane works on, and the next column in it.
    done : (n_rows,)
        How many tiles of each row are.
    taken : (1,)
        How many rows have been dealt.
    """

    tile: Integers
    scale: Integers
    row: Integers
    column: Integers
    done: Integers
    taken: Integers


class Frontier(NamedTuple):
    """What flows out of tiles that are done.

    Parameters
    ----------
    every : bool
        Whether what flowed into every tile is kept; else a place is used again by the next tile in
        the row or column.
    above : (n, 1 + n_x, size)
        T, and the flows into X states.
    beside : (n, 1 + n_y, size)
        T, and the flows into Y states.
    corner : (n,)
        T at the corner of the tile below `above`.
    above_scale, beside_scale, corner_scale : (n,)
        Their powers of two.
    """

    every: bool
    above: Floats
    beside: Floats
    corner: Floats
    above_scale: Integers
    beside_scale: Integers
    corner_scale: Integers


@compiled_in_place
def deal(tiles: Tiles, work: Work) -> bool:
    """Take the next tile of each lane, unless the one above it has yet to be done."""
    busy = False
    for k in range(LANES):
        work.tile[k, 0] = -1
        if work.row[k] < len(tiles.pair):
            p = tiles.pair[work.row[k]]
            row, column = work.row[k] - tiles.first[p, 0], work.column[k]
            if row == 0 or work.done[work.row[k] - 1] > column:
                work.tile[k, 0], work.tile[k, 1], work.tile[k, 2] = p, row, column
                busy = True
    for k in range(LANES):
        p = work.tile[k, 0]
        if p >= 0:
            work.done[work.row[k]] += 1
            work.column[k] += 1
            if work.column[k] == tiles.n_tiles[p, 1]:
                work.row[k], work.column[k] = work.taken[0], 0
                work.taken[0] += 1
    return busy


@compiled_in_place
def read_letters(
    codes: NDArray[np.uint8],
    start: int,
    length: int,
    first: int,
    backward: bool,
    n_nodes: int,
    letters: NDArray[np.uint16],
    k: int,
) -> None:
    """Write the letters of a tile into a lane; 0 where there are none."""
    for i in range(len(letters) // LANES):
        place = n_nodes - 1 - first - i if backward else first + i - 1
        letters[i * LANES + k] = codes[start + place] if 0 <= place < length else 0


@compiled_in_place
def survey(
    tiles: Tiles, work: Work, room: Room, entries: Entries, exits: Exits, backward: bool
) -> None:
    """Read the letters of the tiles in work, and see where in them paths begin and end."""
    size = tiles.size
    low, high = room.low, room.high
    low[:], high[:] = size, 0
    room.entering[:] = room.leaving[:] = False
    for k in range(LANES):
        p = work.tile[k, 0]
        entries.node[k, :], exits.node[k, :] = 2 * size, 2 * size
        if p < 0:
            continue
        for side in range(2):
            first = work.tile[k, 1 + side] * size
            n_nodes, n = tiles.n_tiles[p, side] * size, tiles.length[p, side]
            codes = tiles.y if side else tiles.x
            letters = room.letters_y if side else room.letters_x
            read_letters(codes, tiles.start[p, side], n, first, backward, n_nodes, letters, k)
            entries.node[k, side] = (n_nodes - 1 - n if backward else 0) - first
            exits.node[k, side] = (n_nodes - 1 if backward else n) - first
            exits.place[k, side] = tiles.first[p, 1 - side] + work.tile[k, 2 - side]
            low[side] = min(low[side], max(entries.node[k, side], 0))
            high[side] = max(high[side], min(exits.node[k, side] + 1, size))
        mark(room.entering, entries, k)
        mark(room.leaving, exits, k)


@compiled_in_place
def mark(rows: NDArray[np.bool_], ends: Entries | Exits, k: int) -> None:
    """Mark the rows of the tile in a lane that have a node where paths begin (or end)."""
    a, b, size = ends.node[k, 0], ends.node[k, 1], len(rows)
    if 0 <= a < size and (ends.free or 0 <= b < size):
        rows[a] = True
    if ends.free and 0 <= b < size:
        rows[:] = True


@compiled_in_place
def place_of(tiles: Tiles, every: bool, p: int, row: int, column: int) -> tuple[int, int]:
    """Find where what flows into a tile is kept: from above, and from the left."""
    if every:
        place = tiles.first[p, 2] + row * tiles.n_tiles[p, 1] + column
        return place, place
    return tiles.first[p, 1] + column, tiles.first[p, 0] + row


@compiled_in_place
def clear(array: Floats, begin: int, end: int) -> None:
    """Set numbers to 0."""
    for at in range(begin, end, LANES):
        store(array, at, full(0.0))


@compiled_in_place
def peaks(array: Floats, begin: int, end: int) -> Vector:
    """Find the largest number of each lane."""
    largest = full(0.0)
    for at in range(begin, end, LANES):
        largest = larger(largest, load(array, at))
    return largest


@compiled_in_place
def rescale(array: Floats, begin: int, end: int, factor: Vector, least: Vector) -> Vector:
    """Multiply the numbers of each lane; give the least that is not 0, if it is below `least`."""
    for at in range(begin, end, LANES):
        value = load(array, at)
        scaled = value * factor
        least = smaller(least, choose(positive(value), scaled, least))
        store(array, at, scaled)
    return least


@compiled_in_place
def read(
    tiles: Tiles, work: Work, frontier: Frontier, room: Room, moves: Moves, entries: Entries
) -> None:
    """Bring what flows into the tiles in work into their lanes, and find the scales."""
    cells, left, size, low = room.cells, room.left, tiles.size, room.low
    n_x, n_y = moves.n_x, moves.n_y
    n_states, width, tall = 1 + n_x + n_y, (size + 1) * LANES, size * LANES
    whole = (n_states + 1) * width
    kept = len(cells) // whole
    above = (low[0] - 1) % kept * whole + n_states * width  # T of the row above, from the corner
    below = low[0] % kept * whole + width  # the flows into X states
    clear(cells, above, above + width)
    clear(cells, below, below + n_x * width)
    clear(left, 0, len(left))
    clear(room.corner, 0, LANES)
    for k in range(LANES):
        p, row, column = work.tile[k, 0], work.tile[k, 1], work.tile[k, 2]
        if p < 0:
            continue
        place, beside = place_of(tiles, frontier.every, p, row, column)
        # The last T above and to the left flow into the next tiles alone.
        if row > 0:
            if size > 1 or is_possible(room, moves, k):
                room.corner[k] = frontier.corner[place]
            for q in range(1 + n_x):
                into = below + (q - 1) * width if q else above + LANES
                values = frontier.above[place, q]
                for j in range(size if q else size - 1):
                    cells[into + j * LANES + k] = values[j]
        if column > 0:
            for q in range(1 + n_y):
                values = frontier.beside[beside, q]
                for i in range(size if q else size - 1):
                    left[q * tall + i * LANES + k] = values[i]
    peak = larger(peaks(cells, above, above + width), peaks(cells, below, below + n_x * width))
    peak_left = peaks(left, 0, len(left))
    for k in range(LANES):
        p, row, column = work.tile[k, 0], work.tile[k, 1], work.tile[k, 2]
        scale, own, beside, of_corner = NOTHING, NOTHING, NOTHING, NOTHING
        if p >= 0:
            at, at_left = place_of(tiles, frontier.every, p, row, column)
            a, b = entries.node[k, 0], entries.node[k, 1]
            if lane(peak, k) > 0:
                own = frontier.above_scale[at]
                scale = max(scale, own + math.frexp(lane(peak, k))[1])
            if lane(peak_left, k) > 0:
                beside = frontier.beside_scale[at_left]
                scale = max(scale, beside + math.frexp(lane(peak_left, k))[1])
            if room.corner[k] > 0:
                of_corner = frontier.corner_scale[at]
                scale = max(scale, of_corner + math.frexp(room.corner[k])[1])
            if a >= 0 and b >= 0:
                scale = max(scale, 0)
            if entries.free and b >= 0:
                scale = max(scale, entries.exponent[0, max(1, -a)])
            if entries.free and a >= 0:
                scale = max(scale, entries.exponent[1, max(1, -b)])
        scale = 0 if scale == NOTHING else scale
        work.scale[k], entries.scale[k] = scale, scale
        room.factors[k] = power_of_two(own - scale)
        room.factors[LANES + k] = power_of_two(beside - scale)
        room.factors[2 * LANES + k] = power_of_two(of_corner - scale)
    least = full(1.0)
    least = rescale(cells, above, above + width, load(room.factors, 0), least)
    least = rescale(cells, below, below + n_x * width, load(room.factors, 0), least)
    least = rescale(left, 0, len(left), load(room.factors, LANES), least)
    least = rescale(room.corner, 0, LANES, load(room.factors, 2 * LANES), least)
    store(room.least, 0, least)
    if low[1] == 0:
        store(cells, above, load(room.corner, 0))


@compiled_in_place
def is_possible(room: Room, moves: Moves, k: int) -> bool:
    """Say whether the letters of a single node can be aligned."""
    own = np.int64(room.letters_x[k]) * moves.n_symbols
    return moves.odds[own + room.letters_y[k]] > 0.0


@compiled_in_place
def write(tiles: Tiles, work: Work, frontier: Frontier, room: Room, moves: Moves) -> None:
    """Hand on what flows out of the tiles in work."""
    cells, left, size = room.cells, room.left, tiles.size
    n_x, n_y = moves.n_x, moves.n_y
    n_states, width, tall = 1 + n_x + n_y, (size + 1) * LANES, size * LANES
    whole = (n_states + 1) * width
    kept = len(cells) // whole
    last = (size - 1) % kept * whole + n_states * width + LANES
    below = size % kept * whole
    for k in range(LANES):
        p, row, column = work.tile[k, 0], work.tile[k, 1], work.tile[k, 2]
        if p < 0:
            continue
        if row + 1 < tiles.n_tiles[p, 0]:
            place, _ = place_of(tiles, frontier.every, p, row + 1, column)
            _, beside = place_of(tiles, frontier.every, p, row, column)
            # The last T that flowed in from the left is at the corner of the tile below.
            frontier.corner[place] = frontier.beside[beside, 0, size - 1] if column > 0 else 0.0
            frontier.corner_scale[place] = frontier.beside_scale[beside]
            frontier.above_scale[place] = work.scale[k]
            for q in range(1 + n_x):
                start = below + q * width if q else last
                values = frontier.above[place, q]
                values[:] = 0.0
                for j in range(room.low[1], room.high[1]):
                    values[j] = cells[start + j * LANES + k]
        if column + 1 < tiles.n_tiles[p, 1]:
            _, place = place_of(tiles, frontier.every, p, row, column + 1)
            frontier.beside_scale[place] = work.scale[k]
            for q in range(1 + n_y):
                values = frontier.beside[place, q]
                for i in range(size):
                    values[i] = left[q * tall + i * LANES + k]


@compiled_in_place
def note_scales(
    work: Work, room: Room, exits: Exits, lost: NDArray[np.bool_], smallest: float
) -> None:
    """Note the scales of the tiles in work where paths end, and pairs that may have lost some."""
    for k in range(LANES):
        p = work.tile[k, 0]
        if p >= 0:
            if exits.node[k, 0] < room.size:
                exits.row_scale[exits.place[k, 0]] = work.scale[k]
            if exits.node[k, 1] < room.size:
                exits.column_scale[exits.place[k, 1]] = work.scale[k]
            if room.least[k] < smallest:
                lost[p] = True


@compiled_in_place
def sweep(
    tiles: Tiles,
    work: Work,
    frontier: Frontier,
    room: Room,
    moves: Moves,
    entries: Entries,
    exits: Exits,
    lost: NDArray[np.bool_],
    smallest: float,
    best: bool,
) -> None:
    """Go through all tiles, from the first nodes to the last.

    Parameters
    ----------
    lost : (n_pairs,) bool
        Set for the pairs in which a value fell below `smallest` and thus out of range.
    best : bool
        Whether to take the best path instead of the sum over all.
    """
    while deal(tiles, work):
        survey(tiles, work, room, entries, exits, False)
        read(tiles, work, frontier, room, moves, entries)
        fill(room, moves, entries, exits, room.low, room.high, smallest > 0, best)
        write(tiles, work, frontier, room, moves)
        note_scales(work, room, exits, lost, smallest)


@compiled_in_place
def last_nodes(
    tiles: Tiles,
    exits: Exits,
    end: Floats,
    leave: Floats,
    power: Floats,
    exponent: Integers,
    backward: bool,
    best: bool,
    parts: Floats,
    letters: Floats,
    scale: Integers,
) -> None:
    """Weigh the states at the nodes where paths end.

    Parameters
    ----------
    end : (n_states,)
        Weights at the last node.
    leave, power, exponent
        Of overhangs behind other nodes of the last column and row, as in `Entries`.
    parts : (n_pairs, 3, n_states)
        Becomes the values at the last node, before overhangs of x, and before those of y.
    letters : (n_pairs, 2)
        Becomes the letters in overhangs times the values.
    scale : (n_pairs,)
        Becomes the power of two of both.
    """
    size, n_states = tiles.size, len(end)
    for p in range(len(tiles.length)):
        for again in range(2):  # first the largest, for the scale
            largest = NOTHING
            for part in range(3 if exits.free else 1):
                side = max(part - 1, 0)
                n_nodes, n = tiles.n_tiles[p, side] * size, tiles.length[p, side]
                last = n_nodes - 1 if backward else n
                n_other, of_other = tiles.n_tiles[p, 1 - side] * size, tiles.length[p, 1 - side]
                other = n_other - 1 if backward else of_other
                for away in range(1, n + 1) if part else range(1):
                    i = last - away
                    # Along x nodes stand in the last column; the last of all in the last row.
                    if part == 1:
                        place = tiles.first[p, 0] + i // size
                        values, base = exits.columns[place], exits.column_scale[place]
                    else:
                        i = i if part else other
                        place = tiles.first[p, 1] + i // size
                        values, base = exits.rows[place], exits.row_scale[place]
                    if part:
                        base += exponent[side, away]
                    for s in range(n_states):
                        weight = leave[side, s] * power[side, away] if part else end[s]
                        value = values[s, i % size] * weight
                        if value > 0:
                            if again:
                                value *= power_of_two(base - scale[p])
                                parts[p, part, s] = joined(parts[p, part, s], value, best)
                                if part:
                                    letters[p, side] += away * value
                            else:
                                largest = max(largest, base + math.frexp(value)[1])
            if not again:
                scale[p] = largest if largest > NOTHING else 0
