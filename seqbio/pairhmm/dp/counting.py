"""Expected counts: a sweep back over tiles that were swept before, forward values times backward.

A tile is computed backward, and forward once more from what was kept of its edges, with the values
of all its nodes. A move from state s at a node into state g counts ``forward[s] * weight *
backward[g]`` there, over the probability of the pair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqbio.core.compiled import compiled_in_place, inlined
from seqbio.pairhmm.dp.tile import (
    Floats,
    Integers,
    Lanes,
    Law,
    Tiles,
    power_of_two,
)
from seqbio.pairhmm.dp.vectors import LANES, choose, fma, full, is_letter, load, store


class Tally(NamedTuple):
    """What is counted, of each row of tiles: in this order the sums do not depend on the lanes.

    Parameters
    ----------
    moves : (n_moves, 2)
        From which state into which gap state.
    moved, matches : (n_rows, n_moves), (n_rows, n_symbols ** 2)
        How often, before the weights of the moves; and aligned letters.
    inverse, scale : (n_pairs,)
        One over the probability of each pair, and a power of two.
    of_moves, of_letters : (n_moves, LANES), (n_symbols ** 2, LANES)
        Memory for the sums of eight tiles.
    least : (n_pairs,)
        Cells, letter i of x aligned with letter j of y, are collected if their posterior
        probability is larger; of no pairs if they are not wanted.
    unaligned : (2, n_letters)
        Of x and of y, laid out as in `Tiles`; probabilities of being aligned are taken off.
    first : (n_pairs,)
        Where the cells of a pair begin, numbered by row and then by column.
    cell, probability : (n,)
        Those found; no room for `cell` if every probability is to be written in its place.
    n_found : (1,)
        Which may be more than there is room for.
    """

    moves: Integers
    moved: Floats
    matches: Floats
    inverse: Floats
    scale: Integers
    of_moves: Floats
    of_letters: Floats
    least: Floats
    unaligned: Floats
    first: Integers
    cell: Integers
    probability: Floats
    n_found: Integers


NO_TALLY = Tally(
    *(np.zeros((0, 2), np.int64), np.zeros((0, 0)), np.zeros((0, 0)), np.zeros(0)),
    *(np.zeros(0, np.int64), np.zeros((0, LANES)), np.zeros((0, LANES)), np.zeros(0)),
    *(np.zeros((2, 0)), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)),
    np.zeros(1, np.int64),
)


@inlined
def letters_of_four(back: Lanes, i: int, cells: Floats, totals: int, sums: Floats) -> None:
    """Add the posterior probabilities of a row to those of each of four letters by four."""
    a, b, c, d = full(0.0), full(0.0), full(0.0), full(0.0)
    letters, matched, last = back.letters[1], back.rows[0, i + 1], totals + back.size * LANES
    for at in range(back.low[1] * LANES, back.high[1] * LANES, LANES):
        value = load(cells, last - at) * load(back.cells, matched + at)
        a = choose(is_letter(letters, at, 0), a + value, a)
        b = choose(is_letter(letters, at, 1), b + value, b)
        c = choose(is_letter(letters, at, 2), c + value, c)
        d = choose(is_letter(letters, at, 3), d + value, d)
    for letter in range(4):
        own = is_letter(back.letters[0], i * LANES, letter)
        for other, value in enumerate((a, b, c, d)):
            before = load(sums[letter * 4 + other], 0)
            store(sums[letter * 4 + other], 0, choose(own, before + value, before))


@inlined
def letters_of_many(back: Lanes, i: int, cells: Floats, totals: int, sums: Floats, n: int) -> None:
    """Add the same for any number of letters."""
    matched, last = back.rows[0, i + 1], totals + back.size * LANES
    for k in range(LANES):
        own = np.int64(back.letters[0, i * LANES + k]) * n
        for at in range(back.low[1] * LANES, back.high[1] * LANES, LANES):
            value = cells[last - at + k] * back.cells[matched + at + k]
            sums[own + back.letters[1, at + k], k] += value


@inlined
def scale_of(back: Lanes, tally: Tally, k: int, forward: int, backward: int) -> float:
    """Bring products of a lane to probabilities, of values in two scales."""
    p = back.tile[k, 0]
    return power_of_two(forward + backward - tally.scale[p]) * tally.inverse[p]


@compiled_in_place
def collect(tiles: Tiles, ahead: Lanes, back: Lanes, tally: Tally, k: int, i: int) -> None:
    """Collect the cells of a row of the tile in a lane."""
    p, size = back.tile[k, 0], tiles.size
    n_rows, n_columns = tiles.length[p, 0], tiles.length[p, 1]
    row = ahead.tile[k, 1] * size + size - 1 - i  # letters are counted from 0
    totals, matched = (
        ahead.cells[ahead.rows[ahead.scale.shape[1], size - 1 - i + 1] :],
        back.cells[back.rows[0, i + 1] :],
    )
    scale = scale_of(back, tally, k, ahead.scale[1, 0, k], back.scale[0, 0, k])
    for j in range(back.low[1], back.high[1] if row < n_rows else 0):
        column = ahead.tile[k, 2] * size + size - 1 - j
        if column < n_columns:
            probability = totals[(size - j) * LANES + k] * matched[j * LANES + k] * scale
            tally.unaligned[0, tiles.start[p, 0] + row] -= probability
            tally.unaligned[1, tiles.start[p, 1] + column] -= probability
            if probability > tally.least[p]:
                number, place = tally.first[p] + row * n_columns + column, tally.n_found[0]
                if len(tally.cell) == 0:
                    tally.probability[number] = probability
                elif place < len(tally.cell):
                    tally.cell[place], tally.probability[place] = number, probability
                tally.n_found[0] += 1


@inlined
def add_up(tiles: Tiles, law: Law, ahead: Lanes, back: Lanes, tally: Tally, i: int) -> None:
    """Add the products of forward and backward values of the nodes of a row of eight tiles.

    Rows and columns are counted backward: forward ones from the other end of a tile.
    """
    row, cells = back.size - 1 - i, ahead.cells
    totals = ahead.rows[len(law.moves), row + 1]
    if law.n_symbols == 4:
        letters_of_four(back, i, cells, totals, tally.of_letters)
    else:
        letters_of_many(back, i, cells, totals, tally.of_letters, law.n_symbols)
    begin, end = back.low[1] * LANES, back.high[1] * LANES
    for q in range(len(tally.moves)):
        last = ahead.rows[tally.moves[q, 0], row + 1] + (back.size - 1) * LANES
        after = back.rows[tally.moves[q, 1], i + 1]
        # Even and odd columns have a sum each, so that neither waits for itself.
        even, odd = load(tally.of_moves[q], 0), full(0.0)
        at = begin
        if back.low[1] & 1:
            odd = load(cells, last - at) * load(back.cells, after + at)
            at += LANES
        while at + LANES < end:
            even = fma(load(cells, last - at), load(back.cells, after + at), even)
            at += LANES
            odd = fma(load(cells, last - at), load(back.cells, after + at), odd)
            at += LANES
        if at < end:
            even = fma(load(cells, last - at), load(back.cells, after + at), even)
        store(tally.of_moves[q], 0, even + odd)
    for k in range(LANES if len(tally.least) > 0 else 0):
        if back.tile[k, 0] >= 0:
            collect(tiles, ahead, back, tally, k, i)


@inlined
def enter_counts(tiles: Tiles, ahead: Lanes, back: Lanes, tally: Tally) -> None:
    """Enter what was added up in the tiles in work, and begin anew."""
    for k in range(LANES):
        p = back.tile[k, 0]
        row = tiles.first[p, 0] + back.tile[k, 1] if p >= 0 else 0
        scale = scale_of(back, tally, k, ahead.scale[1, 0, k], back.scale[0, 0, k])
        for q in range(tally.matches.shape[1] if p >= 0 else 0):
            tally.matches[row, q] += tally.of_letters[q, k] * scale
        for q in range(len(tally.moves) if p >= 0 else 0):
            s, g = tally.moves[q, 0], tally.moves[q, 1]
            scale = scale_of(back, tally, k, ahead.scale[0, s, k], back.scale[0, g, k])
            tally.moved[row, q] += tally.of_moves[q, k] * scale
    tally.of_letters[:], tally.of_moves[:] = 0.0, 0.0
