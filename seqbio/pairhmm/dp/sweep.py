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

from seqbio.core.compiled import compiled_in_place, inlined
from seqbio.pairhmm.dp.counting import Tally, add_up, enter_counts
from seqbio.pairhmm.dp.tile import (
    NOTHING,
    Bools,
    Floats,
    Frontier,
    Integers,
    Lanes,
    Law,
    Tiles,
    fill_nodes,
    fill_row,
    fill_row_of_three,
    joined,
    leave,
    power_of_two,
)
from seqbio.pairhmm.dp.vectors import LANES, Vector, full, lane, larger, load, store


@inlined
def deal(tiles: Tiles, lanes: Lanes, done: Integers) -> bool:
    """Take the next tile of each lane, unless the one above it has yet to be done."""
    busy = False
    for k in range(LANES):
        lanes.tile[k, 0] = -1
        if lanes.row[k] < len(tiles.pair):
            p = tiles.pair[lanes.row[k]]
            row, column = lanes.row[k] - tiles.first[p, 0], lanes.column[k]
            if row == 0 or done[lanes.row[k] - 1] > column:
                lanes.tile[k, 0], lanes.tile[k, 1], lanes.tile[k, 2] = p, row, column
                busy = True
    for k in range(LANES):
        p = lanes.tile[k, 0]
        if p >= 0:
            done[lanes.row[k]] += 1
            lanes.column[k] += 1
            if lanes.column[k] == tiles.n_tiles[p, 1]:
                lanes.row[k], lanes.column[k] = lanes.taken[0], 0
                lanes.taken[0] += 1
    return busy


@compiled_in_place
def survey(tiles: Tiles, law: Law, lanes: Lanes) -> None:
    """Read the letters of the tiles in work, and see where in them paths begin and end."""
    size, low, high = tiles.size, lanes.low, lanes.high
    low[:], high[:] = size, 0
    lanes.entering[:] = lanes.leaving[:] = False
    for k in range(LANES):
        p = lanes.tile[k, 0]
        lanes.begins[k, :], lanes.ends[k, :] = 2 * size, 2 * size
        if p < 0:
            continue
        for side in range(2):
            first = lanes.tile[k, 1 + side] * size
            n_nodes, n = tiles.n_tiles[p, side] * size, tiles.length[p, side]
            lanes.begins[k, side] = (n_nodes - 1 - n if law.backward else 0) - first
            lanes.ends[k, side] = (n_nodes - 1 if law.backward else n) - first
            lanes.places[k, side] = tiles.first[p, 1 - side] + lanes.tile[k, 2 - side]
            low[side] = min(low[side], max(lanes.begins[k, side], 0))
            high[side] = max(high[side], min(lanes.ends[k, side] + 1, size))
            codes, letters = tiles.y if side else tiles.x, lanes.letters[side]
            for i in range(size):
                place = n_nodes - 1 - first - i if law.backward else first + i - 1
                inside = 0 <= place < n
                letters[i * LANES + k] = codes[tiles.start[p, side] + place] if inside else 0
        mark(lanes.entering, lanes.begins[k, 0], lanes.begins[k, 1], law.free)
        mark(lanes.leaving, lanes.ends[k, 0], lanes.ends[k, 1], law.free)


@compiled_in_place
def mark(rows: Bools, a: int, b: int, free: bool) -> None:
    """Mark the rows of a tile that have a node where paths begin (or end)."""
    if 0 <= a < len(rows) and (free or 0 <= b < len(rows)):
        rows[a] = True
    if free and 0 <= b < len(rows):
        rows[:] = True


@compiled_in_place
def place_of(tiles: Tiles, every: bool, p: int, row: int, column: int) -> tuple[int, int]:
    """Find where what flows into a tile is kept: from above, and from the left."""
    if every:
        place = tiles.first[p, 2] + row * tiles.n_tiles[p, 1] + column
        return place, place
    return tiles.first[p, 1] + column, tiles.first[p, 0] + row


@compiled_in_place
def clear(values: Floats, n: int) -> None:
    """Set numbers to 0."""
    for at in range(0, n, LANES):
        store(values, at, full(0.0))


@compiled_in_place
def copy_in(k: int, source: Floats, exponent: int, out: Floats) -> None:
    """Copy numbers into a lane, times a power of two."""
    factor = power_of_two(exponent)
    for j in range(len(source)):
        out[j * LANES + k] = source[j] * factor


@compiled_in_place
def shift_of(lanes: Lanes, k: int, s: int, own: int) -> int:
    """By how much numbers come into the scale of a tile; a single node takes theirs."""
    if lanes.size == 1:
        lanes.scale[0, s, k] = own
    return own - lanes.scale[0, s, k]


@compiled_in_place
def read(tiles: Tiles, law: Law, lanes: Lanes, frontier: Frontier) -> None:
    """Bring what flows into the tiles in work into their lanes, in the scale of each tile."""
    left, size, low = lanes.left, tiles.size, lanes.low
    width = (size + 1) * LANES
    above, first_y = lanes.cells[lanes.rows[len(law.moves), low[0]] :], 1 + law.n_x
    clear(above, width)
    for t in range(1, first_y):
        clear(lanes.cells[lanes.rows[t, low[0] + 1] :], width)
    for q in range(len(left)):
        clear(left[q], width)
    lanes.corner[:] = 0.0
    for k in range(LANES):
        p, row, column = lanes.tile[k, 0], lanes.tile[k, 1], lanes.tile[k, 2]
        if p < 0:
            continue
        at, beside = place_of(tiles, frontier.every, p, row, column)
        scale, a, b = NOTHING, lanes.begins[k, 0], lanes.begins[k, 1]
        if row > 0:
            scale = frontier.above_peak[at]
            if frontier.corner[at] > 0.0:
                exponent = math.frexp(frontier.corner[at])[1]
                scale = max(scale, frontier.corner_scale[at] + exponent)
        if column > 0:
            scale = max(scale, frontier.beside_peak[beside])
        if a >= 0 and b >= 0:
            scale = max(scale, 0)
        if law.free and b >= 0:
            scale = max(scale, law.exponent[0, max(1, -a)])
        if law.free and a >= 0:
            scale = max(scale, law.exponent[1, max(1, -b)])
        lanes.scale[:, :, k] = scale if scale > NOTHING else 0
        # The last T above and to the left flow into the next tiles alone.
        for t in range(first_y if row > 0 else 0):
            own, values = frontier.above_scale[at, t], frontier.above[at, t]
            if t == 0:
                copy_in(k, values[: size - 1], own - lanes.scale[1, 0, k], above[LANES:])
                own, values = frontier.corner_scale[at], frontier.corner[at : at + 1]
            shift = shift_of(lanes, k, t, own)
            into = lanes.cells[lanes.rows[t, low[0] + 1] :] if t else lanes.corner
            copy_in(k, values, shift, into)
        for q in range(len(left) if column > 0 else 0):
            own, values = frontier.beside_scale[beside, q], frontier.beside[beside, q]
            shift = shift_of(lanes, k, q + law.n_x, own) if q else own - lanes.scale[1, 0, k]
            copy_in(k, values if q else values[: size - 1], shift, left[q])
    if low[1] == 0:
        store(above, 0, load(lanes.corner, 0))


@compiled_in_place
def peak_of(values: Floats, peak: Vector) -> Vector:
    """Find the largest number of each lane."""
    for at in range(0, len(values), LANES):
        peak = larger(peak, load(values, at))
    return peak


@inlined
def write(tiles: Tiles, law: Law, lanes: Lanes, frontier: Frontier) -> None:
    """Hand on what flows out of the tiles in work."""
    left, size, low, high = lanes.left, tiles.size, lanes.low, lanes.high
    last, first_y = lanes.cells[lanes.rows[len(law.moves), size] + LANES :], 1 + law.n_x
    begin, end = low[1] * LANES, high[1] * LANES
    peak, peak_left = peak_of(last[begin:end], full(law.floor)), full(law.floor)
    for t in range(1, first_y):
        peak = peak_of(lanes.cells[lanes.rows[t, size + 1] :][begin:end], peak)
    # Of rows that are not in use something may be left from when, for other lanes, they were.
    for q in range(len(left)):
        peak_left = peak_of(left[q, low[0] * LANES : high[0] * LANES], peak_left)
    for k in range(LANES):
        p, row, column = lanes.tile[k, 0], lanes.tile[k, 1], lanes.tile[k, 2]
        if p < 0:
            continue
        _, left_here = place_of(tiles, frontier.every, p, row, column)
        if row + 1 < tiles.n_tiles[p, 0]:
            at, _ = place_of(tiles, frontier.every, p, row + 1, column)
            # The last T that flowed in from the left is at the corner of the tile below.
            frontier.corner[at] = frontier.beside[left_here, 0, size - 1] if column > 0 else 0.0
            frontier.corner_scale[at] = frontier.beside_scale[left_here, 0]
            frontier.above_peak[at] = peak_scale(lane(peak, k), lanes.scale[1, 0, k])
            for t in range(first_y):
                frontier.above_scale[at, t] = lanes.scale[1, t, k]
                source = lanes.cells[lanes.rows[t, size + 1] :] if t else last
                values = frontier.above[at, t]
                values[: low[1]] = 0.0
                values[high[1] :] = 0.0
                for j in range(low[1], high[1]):
                    values[j] = source[j * LANES + k] + law.floor
        if column + 1 < tiles.n_tiles[p, 1]:
            _, beside = place_of(tiles, frontier.every, p, row, column + 1)
            frontier.beside_peak[beside] = peak_scale(lane(peak_left, k), lanes.scale[1, 0, k])
            for q in range(len(left)):
                frontier.beside_scale[beside, q] = lanes.scale[1, q + law.n_x if q else 0, k]
                beside_it = frontier.beside[beside, q]
                beside_it[: low[0]] = 0.0
                beside_it[high[0] :] = 0.0
                for i in range(low[0], high[0]):
                    beside_it[i] = left[q, i * LANES + k] + law.floor


@compiled_in_place
def peak_scale(peak: float, scale: int) -> int:
    """Find the least power of two above a number that is in some scale."""
    return scale + math.frexp(peak)[1] if peak > 0.0 else NOTHING


@inlined
def note(tiles: Tiles, law: Law, lanes: Lanes, frontier: Frontier) -> None:
    """Note the scales of the tiles in work where paths end."""
    for k in range(LANES):
        p = lanes.tile[k, 0]
        if p >= 0:
            for s in range(len(law.moves)):
                if lanes.ends[k, 0] < tiles.size:
                    frontier.row_scale[lanes.places[k, 0], s] = lanes.scale[0, s, k]
                if law.free and lanes.ends[k, 1] < tiles.size:
                    frontier.column_scale[lanes.places[k, 1], s] = lanes.scale[0, s, k]


@compiled_in_place
def fill(
    tiles: Tiles, law: Law, lanes: Lanes, frontier: Frontier, ahead: Lanes, tally: Tally
) -> None:
    """Compute the nodes of the tiles in work, from what flows into them; count on the way back."""
    left, low, high = lanes.left, lanes.low[1] * LANES, lanes.high[1] * LANES
    n_states, cells = len(law.moves), lanes.cells
    for i in range(lanes.low[0], lanes.high[0]):
        for q in range(len(left)):
            row = lanes.rows[q + law.n_x if q else n_states, i + 1]
            store(cells, row + low, load(left[q], i * LANES))
        if lanes.size == 1:
            fill_nodes(law, lanes)
        elif law.of_three and not lanes.entering[i]:
            fill_row_of_three(law, lanes, i)
        else:
            fill_row(law, lanes, i)
        for q in range(len(left)):
            row = lanes.rows[q + law.n_x if q else n_states, i + 1]
            store(left[q], i * LANES, load(cells, row + high))
        if lanes.leaving[i]:
            leave(law, lanes, frontier, i)
        if law.backward and len(tally.inverse) > 0:
            add_up(tiles, law, ahead, lanes, tally, i)


@compiled_in_place
def sweep(
    tiles: Tiles,
    law: Law,
    lanes: Lanes,
    frontier: Frontier,
    law_ahead: Law,
    ahead: Lanes,
    kept: Frontier,
    tally: Tally,
) -> None:
    """Go through all tiles, forward or back.

    Parameters
    ----------
    law_ahead, ahead, kept, tally
        On a way back on which something is counted: what tiles are computed forward with once more,
        and what is counted; `kept` is of a sweep forward, with what flowed into every tile.
    """
    counting = len(tally.inverse) > 0
    while deal(tiles, lanes, frontier.done):
        if counting:
            for k in range(LANES):
                p = lanes.tile[k, 0]
                ahead.tile[k, 0] = p
                for side in range(2 if p >= 0 else 0):
                    ahead.tile[k, 1 + side] = tiles.n_tiles[p, side] - 1 - lanes.tile[k, 1 + side]
            survey(tiles, law_ahead, ahead)
            read(tiles, law_ahead, ahead, kept)
            fill(tiles, law_ahead, ahead, kept, ahead, tally)
        survey(tiles, law, lanes)
        read(tiles, law, lanes, frontier)
        fill(tiles, law, lanes, frontier, ahead, tally)
        write(tiles, law, lanes, frontier)
        note(tiles, law, lanes, frontier)
        if counting:
            enter_counts(tiles, ahead, lanes, tally)


@compiled_in_place
def last_nodes(
    tiles: Tiles,
    law: Law,
    frontier: Frontier,
    end: Floats,
    leave: Floats,
    power: Floats,
    exponent: Integers,
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
        Of overhangs behind other nodes of the last column and row, as in `Law`.
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
            for part in range(3 if law.free else 1):
                side = 0 if part == 1 else 1
                n = tiles.length[p, side]
                last = tiles.n_tiles[p, side] * size - 1 if law.backward else n
                for away in range(1, n + 1) if part else range(1):
                    i = last - away
                    place = tiles.first[p, side] + i // size
                    values = frontier.rows[place] if side else frontier.columns[place]
                    scales = frontier.row_scale[place] if side else frontier.column_scale[place]
                    for s in range(n_states):
                        weight = leave[side, s] * power[side, away] if part else end[s]
                        value = values[s, i % size if law.free else 0] * weight
                        base = scales[s] + exponent[side, away]
                        if value > 0.0 and again:
                            value *= power_of_two(base - scale[p])
                            parts[p, part, s] = joined(parts[p, part, s], value, law.best)
                            if part:
                                letters[p, side] += away * value
                        elif value > 0.0:
                            largest = max(largest, base + math.frexp(value)[1])
            if not again:
                scale[p] = largest if largest > NOTHING else 0
