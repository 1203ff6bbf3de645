"""Expected counts: a sweep back over tiles that were swept before, forward values times backward.

A tile is computed backward, and forward once more from what was kept of its edges, with the values
of all its nodes. A move from state s at a node into state g counts ``forward[s] * weight *
backward[g]`` there, over the probability of the pair.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqbio.core.compiled import compiled_in_place
from seqbio.pairhmm.dp.sweep import Tiles, advance, read, survey
from seqbio.pairhmm.dp.tile import (
    Bools,
    Floats,
    Frontier,
    Integers,
    Lanes,
    Law,
    fill,
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


@compiled_in_place
def letters_of_four(back: Lanes, i: int, forward: Floats, values: Floats, sums: Floats) -> None:
    """Add the posterior probabilities of a row to those of each of four letters by four."""
    a, b, c, d = full(0.0), full(0.0), full(0.0), full(0.0)
    letters, last = back.letters[1], back.size * LANES
    for at in range(back.low[1] * LANES, back.high[1] * LANES, LANES):
        value = load(forward, last - at) * load(values, at)
        a = choose(is_letter(letters, at, 0), a + value, a)
        b = choose(is_letter(letters, at, 1), b + value, b)
        c = choose(is_letter(letters, at, 2), c + value, c)
        d = choose(is_letter(letters, at, 3), d + value, d)
    for letter in range(4):
        own = is_letter(back.letters[0], i * LANES, letter)
        for other, value in enumerate((a, b, c, d)):
            before = load(sums[letter * 4 + other], 0)
            store(sums[letter * 4 + other], 0, choose(own, before + value, before))


@compiled_in_place
def letters_of_many(
    back: Lanes, i: int, forward: Floats, values: Floats, sums: Floats, n: int
) -> None:
    """Add the same for any number of letters."""
    for k in range(LANES):
        own = np.int64(back.letters[0, i * LANES + k]) * n
        for at in range(back.low[1] * LANES + k, back.high[1] * LANES + k, LANES):
            value = forward[back.size * LANES + 2 * k - at] * values[at]
            sums[own + back.letters[1, at], k] += value


@compiled_in_place
def add_up(law: Law, ahead: Lanes, back: Lanes, tally: Tally) -> None:
    """Add the products of forward and backward values of the nodes of eight tiles.

    Rows and columns are counted backward: forward ones from the other end of a tile.
    """
    size, n_states = back.size, ahead.cells.shape[1] - 1
    begin, end, last = back.low[1] * LANES, back.high[1] * LANES, (size - 1) * LANES
    tally.of_letters[:], tally.of_moves[:] = 0.0, 0.0
    for i in range(back.low[0], back.high[0]):
        forward, backward = ahead.cells[size - 1 - i], back.cells[i]
        if law.n_symbols == 4:
            letters_of_four(back, i, forward[n_states], backward[0], tally.of_letters)
        else:
            letters_of_many(
                back, i, forward[n_states], backward[0], tally.of_letters, law.n_symbols
            )
        for q in range(len(tally.moves)):
            before, after = forward[tally.moves[q, 0]], backward[tally.moves[q, 1]]
            total = load(tally.of_moves[q], 0)
            for at in range(begin, end, LANES):
                total = fma(load(before, last - at), load(after, at), total)
            store(tally.of_moves[q], 0, total)


@compiled_in_place
def collect(tiles: Tiles, ahead: Lanes, back: Lanes, tally: Tally, k: int, scale: float) -> None:
    """Collect the cells of the tile in a lane."""
    p, size, n_states = back.tile[k, 0], tiles.size, ahead.cells.shape[1] - 1
    n_rows, n_columns = tiles.length[p, 0], tiles.length[p, 1]
    for i in range(back.low[0], back.high[0]):
        row = ahead.tile[k, 1] * size + size - 1 - i  # letters are counted from 0
        for j in range(back.low[1], back.high[1]):
            column = ahead.tile[k, 2] * size + size - 1 - j
            if row < n_rows and column < n_columns:
                forward = ahead.cells[size - 1 - i, n_states, (size - j) * LANES + k]
                probability = forward * back.cells[i, 0, j * LANES + k] * scale
                tally.unaligned[0, tiles.start[p, 0] + row] -= probability
                tally.unaligned[1, tiles.start[p, 1] + column] -= probability
                if probability > tally.least[p]:
                    number, place = tally.first[p] + row * n_columns + column, tally.n_found[0]
                    if len(tally.cell) == 0:
                        tally.probability[number] = probability
                    elif place < len(tally.cell):
                        tally.cell[place], tally.probability[place] = number, probability
                    tally.n_found[0] += 1


@compiled_in_place
def count(
    tiles: Tiles,
    law: Law,
    ahead: Lanes,
    kept: Frontier,
    law_back: Law,
    back: Lanes,
    frontier: Frontier,
    lost: Bools,
    tally: Tally,
) -> None:
    """Go back through all tiles, and count; `kept` is of a sweep forward, of every tile."""
    while advance(tiles, law_back, back, frontier, lost):
        for k in range(LANES):
            p = back.tile[k, 0]
            ahead.tile[k, 0] = p
            for side in range(2 if p >= 0 else 0):
                ahead.tile[k, 1 + side] = tiles.n_tiles[p, side] - 1 - back.tile[k, 1 + side]
        survey(tiles, law, ahead)
        ahead.leaving[:] = False
        read(tiles, law, ahead, kept)
        fill(law, ahead, kept)
        add_up(law, ahead, back, tally)
        for k in range(LANES):
            p = back.tile[k, 0]
            if p < 0:
                continue
            row = tiles.first[p, 0] + back.tile[k, 1]
            base = ahead.scale[1, 0, k] + back.scale[0, 0, k] - tally.scale[p]
            scale = power_of_two(base) * tally.inverse[p]
            for q in range(tally.matches.shape[1]):
                tally.matches[row, q] += tally.of_letters[q, k] * scale
            if len(tally.least) > 0:
                collect(tiles, ahead, back, tally, k, scale)
            for q in range(len(tally.moves)):
                s, g = tally.moves[q, 0], tally.moves[q, 1]
                base = ahead.scale[0, s, k] + back.scale[0, g, k] - tally.scale[p]
                scale = power_of_two(base) * tally.inverse[p]
                tally.moved[row, q] += tally.of_moves[q, k] * scale
