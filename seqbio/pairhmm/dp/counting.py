"""Expected counts: a sweep back over tiles that were swept before, forward values times backward.

A tile is computed forward once more, with the values of all its nodes, from what was kept of its
edges; then backward; and a move from state s at a node into state g counts ``forward[s] * weight *
backward[g]`` there, over the probability of the pair.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbio.core.compiled import compiled_in_place
from seqbio.pairhmm.dp.sweep import Frontier, Tiles, Work, deal, note_scales, read, survey, write
from seqbio.pairhmm.dp.tile import Entries, Exits, Floats, Integers, Moves, Room, fill, power_of_two
from seqbio.pairhmm.dp.vectors import LANES, choose, fma, full, is_letter, load, store


class Tally(NamedTuple):
    """What is counted, of each row of tiles: in this order the sums do not depend on the lanes.

    Parameters
    ----------
    moves : (n_moves, 2)
        From which state into which gap state.
    moved : (n_rows, n_moves)
        How often, before the weights of the moves.
    matches : (n_rows, n_symbols ** 2)
        Aligned letters.
    inverse, scale : (n_pairs,)
        One over the probability of each pair, and a power of two.
    """

    moves: Integers
    moved: Floats
    matches: Floats
    inverse: Floats
    scale: Integers


class Cells(NamedTuple):
    """Posterior probabilities of cells: of letter i of x aligned with letter j of y.

    Parameters
    ----------
    wanted : bool
        Whether they are collected.
    least : (n_pairs,)
        Cells of a smaller probability, and those of 0, are left out.
    unaligned_x, unaligned_y : (n_letters,)
        Of all pairs, laid out as the letters of `Tiles`; their probabilities to be aligned are
        taken off.
    first, probability : (n_pairs,), (n,)
        Where the cells of a pair begin in the numbering of `cell`; room for probabilities.
    cell : (n,)
        Number of each cell, by row and then by column; empty if the probability of every cell is
        written in its place.
    n_found : (1,)
        Which may be more than there is room for.
    """

    wanted: bool
    least: Floats
    unaligned_x: Floats
    unaligned_y: Floats
    first: Integers
    probability: Floats
    cell: Integers
    n_found: Integers


@compiled_in_place
def collect(
    tiles: Tiles,
    work: Work,
    room: Room,
    ahead: Room,
    n_states: int,
    cells: Cells,
    k: int,
    scale: float,
) -> None:
    """Collect the cells of the tile in a lane."""
    p, size, width = work.tile[k, 0], tiles.size, (tiles.size + 1) * LANES
    whole = (n_states + 1) * width
    rows, columns = tiles.n_tiles[p, 0] * size, tiles.n_tiles[p, 1] * size
    start_x, start_y, n_columns = tiles.start[p, 0], tiles.start[p, 1], tiles.length[p, 1]
    for i in range(room.low[0], room.high[0]):
        row = rows - 1 - work.tile[k, 1] * size - i  # the letter of x, counted from 0
        totals = (size - 1 - i) * whole + n_states * width
        for j in range(room.low[1], room.high[1]):
            column = columns - 1 - work.tile[k, 2] * size - j
            if row < tiles.length[p, 0] and column < n_columns:
                forward = ahead.cells[totals + (size - j) * LANES + k]
                probability = forward * room.cells[i * whole + j * LANES + k] * scale
                cells.unaligned_x[start_x + row] -= probability
                cells.unaligned_y[start_y + column] -= probability
                if probability > cells.least[p]:
                    number = cells.first[p] + row * n_columns + column
                    if len(cells.cell) == 0:
                        cells.probability[number] = probability
                    elif cells.n_found[0] < len(cells.cell):
                        cells.probability[cells.n_found[0]] = probability
                        cells.cell[cells.n_found[0]] = number
                    cells.n_found[0] += 1


@compiled_in_place
def letters_of_four(
    room: Room,
    row_forward: int,
    row_back: int,
    i: int,
    low: int,
    high: int,
    forward: Floats,
    back: Floats,
    sums: Floats,
) -> None:
    """Add the posterior probabilities of a row to those of each of four letters by four."""
    a, b, c, d = full(0.0), full(0.0), full(0.0), full(0.0)
    size, letters = room.size, room.letters_y
    for j in range(low, high):
        value = load(forward, row_forward + (size - j) * LANES) * load(back, row_back + j * LANES)
        a = choose(is_letter(letters, j * LANES, 0), a + value, a)
        b = choose(is_letter(letters, j * LANES, 1), b + value, b)
        c = choose(is_letter(letters, j * LANES, 2), c + value, c)
        d = choose(is_letter(letters, j * LANES, 3), d + value, d)
    for letter in range(4):
        own = is_letter(room.letters_x, i * LANES, letter)
        for other, value in enumerate((a, b, c, d)):
            at = (letter * 4 + other) * LANES
            before = load(sums, at)
            store(sums, at, choose(own, before + value, before))


@compiled_in_place
def letters_of_many(
    room: Room,
    row_forward: int,
    row_back: int,
    i: int,
    low: int,
    high: int,
    forward: Floats,
    back: Floats,
    sums: Floats,
    n: int,
) -> None:
    """Add the same for any number of letters."""
    size = room.size
    for k in range(LANES):
        own = np.int64(room.letters_x[i * LANES + k]) * n
        for j in range(low, high):
            value = forward[row_forward + (size - j) * LANES + k] * back[row_back + j * LANES + k]
            sums[(own + room.letters_y[j * LANES + k]) * LANES + k] += value


@compiled_in_place
def add_up(
    room: Room, ahead: Room, moves: Moves, tally: Tally, letters: Floats, moved: Floats
) -> None:
    """Add the products of forward and backward values of the nodes of eight tiles.

    Rows and columns are counted backward: forward ones from the other end of a tile.
    """
    back, forward, size, low, high = room.cells, ahead.cells, room.size, room.low, room.high
    n_states, width = 1 + moves.n_x + moves.n_y, (size + 1) * LANES
    whole = (n_states + 1) * width
    begin, end = low[1] * LANES, high[1] * LANES
    letters[:] = 0.0
    moved[:] = 0.0
    for i in range(low[0], high[0]):
        row_back, row_forward = i * whole, (size - 1 - i) * whole
        totals = row_forward + n_states * width
        if moves.n_symbols == 4:
            letters_of_four(room, totals, row_back, i, low[1], high[1], forward, back, letters)
        else:
            letters_of_many(
                room, totals, row_back, i, low[1], high[1], forward, back, letters, moves.n_symbols
            )
        for q in range(len(tally.moves)):
            before = row_forward + tally.moves[q, 0] * width + (size - 1) * LANES
            after = row_back + tally.moves[q, 1] * width
            total = load(moved, q * LANES)
            for at in range(begin, end, LANES):
                total = fma(load(forward, before - at), load(back, after + at), total)
            store(moved, q * LANES, total)


@compiled_in_place
def count(
    tiles: Tiles,
    work: Work,
    frontier: Frontier,
    room: Room,
    moves: Moves,
    entries: Entries,
    exits: Exits,
    before: Any,
    lost: NDArray[np.bool_],
    smallest: float,
    tally: Tally,
    cells: Cells,
    letters: Floats,
    moved: Floats,
) -> None:
    """Go back through all tiles, and count.

    Parameters
    ----------
    before : tuple
        The work, frontier, room, moves, entries and exits of the sweep forward, with what flowed
        into every tile.
    letters, moved
        Memory for the sums of a tile.
    """
    ahead, kept, room_ahead, moves_ahead, entries_ahead, exits_ahead = before
    while deal(tiles, work):
        survey(tiles, work, room, entries, exits, True)
        read(tiles, work, frontier, room, moves, entries)
        fill(room, moves, entries, exits, room.low, room.high, smallest > 0, False)
        write(tiles, work, frontier, room, moves)
        note_scales(work, room, exits, lost, smallest)
        for k in range(LANES):
            p = work.tile[k, 0]
            ahead.tile[k, 0] = p
            for side in range(1, 3):
                last = tiles.n_tiles[p, side - 1] - 1 if p >= 0 else 0
                ahead.tile[k, side] = last - work.tile[k, side]
        survey(tiles, ahead, room_ahead, entries_ahead, exits_ahead, False)
        room_ahead.leaving[:] = False
        read(tiles, ahead, kept, room_ahead, moves_ahead, entries_ahead)
        first, last = room_ahead.low, room_ahead.high
        fill(room_ahead, moves_ahead, entries_ahead, exits_ahead, first, last, False, False)
        add_up(room, room_ahead, moves, tally, letters, moved)
        for k in range(LANES):
            p = work.tile[k, 0]
            if p >= 0:
                scale = power_of_two(work.scale[k] + ahead.scale[k] - tally.scale[p])
                if cells.wanted:
                    n_states = exits.rows.shape[1]
                    over = scale * tally.inverse[p]
                    collect(tiles, work, room, room_ahead, n_states, cells, k, over)
                row = tiles.first[p, 0] + work.tile[k, 1]
                for q in range(tally.matches.shape[1]):
                    tally.matches[row, q] += letters[q * LANES + k] * scale * tally.inverse[p]
                for q in range(len(tally.moves)):
                    tally.moved[row, q] += moved[q * LANES + k] * scale * tally.inverse[p]
