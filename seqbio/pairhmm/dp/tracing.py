"""Paths traced back through the tiles of a sweep, from what was kept of their edges."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbio.core.compiled import compiled_in_place
from seqbio.pairhmm.dp.counting import Tally
from seqbio.pairhmm.dp.sweep import fill, read, survey
from seqbio.pairhmm.dp.tile import (
    NOTHING,
    Floats,
    Frontier,
    Integers,
    Lanes,
    Law,
    Tiles,
    power_of_two,
)
from seqbio.pairhmm.dp.vectors import LANES

ROUNDING = 1e-11  # relative difference below which two paths are taken to be equally good


class Traces(NamedTuple):
    """Paths of one pair, from their ends back to where they have been traced.

    Parameters
    ----------
    node : (n_paths, 2)
        The node at which the state before the last step is to be chosen.
    into : (n_paths,)
        The state that this step led into.
    steps : (n_paths, n_columns) uint8
        The states, from the end.
    n_steps : (n_paths,)
    chance : (n_paths, n_columns + 1)
        Random numbers between 0 and 1, one for each choice; of no columns to take the best.
    log_probability : (n_paths,)
        Of the choices.
    moves : (n_states, n_states)
        Probabilities of moves from row to column, in the order of the machine, as all of these.
    place : (n_states,)
        Where its states are in the order of the sweep.
    takes : (n_states, 2)
        Letters of x and of y that they take.
    overhang : (2,)
        The states that stand for letters of overhangs of x and of y.
    weights : (n_states + 2,)
        Memory for those of one choice.
    """

    node: Integers
    into: Integers
    steps: NDArray[np.uint8]
    n_steps: Integers
    chance: Floats
    log_probability: Floats
    moves: Floats
    place: Integers
    takes: Integers
    overhang: Integers
    weights: Floats


@compiled_in_place
def choose_one(weights: Floats, n: int, traces: Traces, path: int) -> int:
    """Draw one of some weights, or take the first of those that are largest up to rounding."""
    if traces.chance.shape[1] == 0:
        largest = 0.0
        for g in range(n):
            largest = max(largest, weights[g])
        for g in range(n):
            if weights[g] >= largest * (1.0 - ROUNDING):
                return g
        return 0
    total = 0.0
    for g in range(n):
        total += weights[g]
    left, chosen = traces.chance[path, traces.n_steps[path]] * total, -1
    for g in range(n):
        if weights[g] > 0.0 and (chosen < 0 or left >= 0.0):
            chosen = g
        left -= weights[g]
    traces.log_probability[path] += math.log(weights[chosen] / total)
    return chosen


@compiled_in_place
def step_back(traces: Traces, path: int, state: int) -> None:
    """Write a state, and go back over the letters that it takes."""
    traces.steps[path, traces.n_steps[path]] = state
    traces.n_steps[path] += 1
    traces.into[path] = state
    traces.node[path, 0] -= traces.takes[state, 0]
    traces.node[path, 1] -= traces.takes[state, 1]


@compiled_in_place
def walk(law: Law, lanes: Lanes, first: tuple[int, int], traces: Traces, path: int) -> None:
    """Trace a path back until it leaves the tile in the first lane, which begins at some node."""
    n, weights, scales = len(traces.place), traces.weights, lanes.scale[0, :, 0]
    while True:
        a, b = traces.node[path, 0], traces.node[path, 1]
        i, j = a - first[0], b - first[1]
        if i < 0 or j < 0 or (a == 0 and b == 0):
            return
        into, n_choices, scale = traces.into[path], n, NOTHING
        for g in range(n):
            value = lanes.cells[lanes.rows[traces.place[g], i + 1] :][j * LANES]
            weights[g] = traces.moves[g, into] * value
            scale = max(scale, scales[traces.place[g]]) if weights[g] > 0.0 else scale
        for g in range(n):
            weights[g] *= power_of_two(scales[traces.place[g]] - scale)
        if law.free and (a == 0 or b == 0):
            side, letters = (1, b) if a == 0 else (0, a)
            factor = power_of_two(law.exponent[side, letters] - scale)
            entered = law.enter[side, traces.place[into]] * law.power[side, letters]
            weights[n], n_choices = entered * factor, n + 1
        chosen = choose_one(weights, n_choices, traces, path)
        if chosen < n:
            step_back(traces, path, chosen)
        else:
            while traces.node[path, 0] + traces.node[path, 1] > 0:
                step_back(traces, path, traces.overhang[1 if a == 0 else 0])


@compiled_in_place
def trace(
    tiles: Tiles, law: Law, lanes: Lanes, frontier: Frontier, tally: Tally, p: int, traces: Traces
) -> None:
    """Trace paths of a pair back, tile by tile from the last, those in a tile together."""
    for row in range(tiles.n_tiles[p, 0] - 1, -1, -1):
        for column in range(tiles.n_tiles[p, 1] - 1, -1, -1):
            first, ready = (row * tiles.size, column * tiles.size), False
            for path in range(len(traces.into)):
                a, b = traces.node[path, 0], traces.node[path, 1]
                ready = ready or (a >= first[0] and b >= first[1] and a + b > 0)
            if ready:
                lanes.tile[:, 0] = -1
                lanes.tile[0, 0], lanes.tile[0, 1], lanes.tile[0, 2] = p, row, column
                survey(tiles, law, lanes)
                read(tiles, law, lanes, frontier)
                fill(tiles, law, lanes, frontier, lanes, tally)
                for path in range(len(traces.into)):
                    walk(law, lanes, first, traces, path)
