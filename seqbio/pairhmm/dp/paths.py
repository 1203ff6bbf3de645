"""Paths through a pair HMM: the best one of each pair, or drawn from their posterior distribution.

Both are traced back through the values of a forward sweep (with the larger in place of the sum for
the best path), of which the edges of all tiles are kept.

References
----------
Durbin, Eddy, Krogh & Mitchison, *Biological Sequence Analysis* (1998), sections 4.1 and 4.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqbio.pairhmm.dp.likelihood import (
    Direction,
    Part,
    Swept,
    begin,
    directions,
    order_of,
    parts_of,
    room_of,
)
from seqbio.pairhmm.dp.machine import CodedPairs, Floats, Integers, Machine
from seqbio.pairhmm.dp.sweep import Tiles, sweep
from seqbio.pairhmm.dp.tracing import ROUNDING, Traces, trace

States = NDArray[np.uint8]

MOST_CHANCES = 4_000_000  # random numbers that are drawn at once


def best_paths(machine: Machine, pairs: CodedPairs) -> list[States | None]:
    """Most probable path of every pair (Viterbi).

    Among moves that are equally good, up to rounding, the one from the state of the lowest number
    is taken.

    Returns
    -------
    list of uint8 arrays
        The states in order, one for each column of the alignment; overhangs as the first gap state
        of their sequence. None for a pair that no path can make.
    """
    paths: list[States | None] = [None] * len(pairs)

    for part in parts_of(machine, pairs, whole=True):
        ways, swept = _swept(machine, part, best=True)
        tiles = part.tiles
        for p, member in enumerate(part.members.tolist()):
            logs, ends = _ends(machine, tiles, p, swept, ways)
            if np.isfinite(logs.max(initial=-np.inf)):
                best = np.argmax(logs >= logs.max() - ROUNDING)
                traces = _traces(machine, tiles, p, ends[[best]], np.zeros((1, 0)))
                trace(tiles, tuple(swept), True, p, traces)
                paths[member] = _paths(traces)[0]
    return paths


def sample_paths(
    machine: Machine, pairs: CodedPairs, n_paths: int, generator: np.random.Generator
) -> tuple[list[States], Floats] | None:
    """Draw paths of one pair, each with its posterior probability.

    The state before a step is drawn in proportion to its forward value times the probability of the
    step, which is exact.

    Parameters
    ----------
    machine : Machine
    pairs : CodedPairs
        Of one pair.
    n_paths : int
        How many; they are independent, and the same one may come again.
    generator : numpy.random.Generator

    Returns
    -------
    paths : list of uint8 arrays
        The states in order, one for each column of the alignment; overhangs as the first gap state
        of their sequence.
    log_probability : (n_paths,) nats
        Of each path, given the pair.
    None
        Instead of both, where no path can make the pair.
    """
    paths: list[States] = []
    log_probability: list[Floats] = []
    for part in parts_of(machine, pairs, whole=True):
        ways, swept = _swept(machine, part, best=False)
        tiles = part.tiles
        logs, ends = _ends(machine, tiles, 0, swept, ways)
        if part.lost.any():
            continue
        if not np.isfinite(logs.max(initial=-np.inf)):
            return None
        weights = np.exp(logs - logs.max())
        cumulative = np.cumsum(weights)
        n_choices = int(tiles.length[0].sum()) + 1
        at_once = max(MOST_CHANCES // n_choices, 1)
        for first in range(0, n_paths, at_once):
            chance = generator.random((min(at_once, n_paths - first), n_choices))
            chosen = np.searchsorted(cumulative, chance[:, 0] * cumulative[-1], side="right")
            traces = _traces(machine, tiles, 0, ends[chosen], chance)
            traces.log_probability[:] = np.log(weights[chosen] / cumulative[-1])
            trace(tiles, tuple(swept), False, 0, traces)
            paths.extend(_paths(traces))
            log_probability.append(traces.log_probability)
    return paths, np.concatenate(log_probability)


def _swept(
    machine: Machine, part: Part, *, best: bool
) -> tuple[tuple[Direction, Direction], Swept]:
    """Sweep forward; keep what flows into every tile, and provide memory for all rows of one."""
    tiles, ways = part.tiles, directions(machine, part.tiles)
    swept = begin(tiles, ways[0], every=True)
    sweep(tiles, *swept, part.lost, part.smallest, best)
    return ways, swept._replace(room=room_of(tiles.size, ways[0].moves, whole=True))


def _ends(
    machine: Machine, tiles: Tiles, p: int, swept: Swept, ways: tuple[Direction, Direction]
) -> tuple[Floats, Integers]:
    """Weigh all ends of the paths of a pair.

    Returns
    -------
    logs : (n,)
        Logarithms of the weights; the ends without an overhang are first.
    ends : (n, 3)
        The last node of the core, and the state there.
    """
    exits, (ahead, back), size = swept.exits, ways, tiles.size
    n_states, place = len(ahead.end), np.argsort(order_of(machine))
    n, m = tiles.length[p].tolist()
    logs, ends = [], []

    def add(side: int, values: Floats, scale: Integers, nodes: Integers, weights: Floats) -> None:
        with np.errstate(divide="ignore"):
            own = np.log(values[:, place] * weights[place]) + (scale * np.log(2.0))[:, None]
        letters = np.array([n, m])[side] - nodes
        with np.errstate(divide="ignore"):
            decay = np.log(back.entries.power[side, letters])
        decay += back.entries.exponent[side, letters] * np.log(2.0)
        logs.append((own + decay[:, None]).ravel())
        where = np.repeat(nodes, n_states)
        other = np.full_like(where, m if side == 0 else n)
        state = np.tile(np.arange(n_states), len(nodes))
        ends.append(np.column_stack([where, other, state] if side == 0 else [other, where, state]))

    for side in (1, 1, 0) if exits.free else (1,):
        at_end = not logs
        values, scales = (
            (exits.columns, exits.column_scale) if side == 0 else (exits.rows, exits.row_scale)
        )
        nodes = np.arange(n if side == 0 else m)[::-1] if not at_end else np.array([m])
        slots = tiles.first[p, side] + nodes // size
        weights = ahead.end if at_end else ahead.leave[side]
        add(side, values[slots, :, nodes % size], scales[slots], nodes, weights)
    return np.concatenate(logs), np.concatenate(ends)


def _traces(machine: Machine, tiles: Tiles, p: int, ends: Integers, chance: Floats) -> Traces:
    """Stand at the ends of paths, overhangs written."""
    n_paths, length = len(ends), tiles.length[p]
    takes = np.array([(kind != "y", kind != "x") for kind in machine.kinds], dtype=np.int64)
    kinds = machine.kinds
    overhang = np.array([max(kinds.find(side), 0) for side in "xy"])
    steps = np.zeros((n_paths, int(length.sum()) + 1), dtype=np.uint8)
    letters = length - ends[:, :2]
    for path, (of_x, of_y) in enumerate(letters.tolist()):
        steps[path, : of_x + of_y] = overhang[0 if of_x else 1]
    n_steps, states = letters.sum(axis=1), ends[:, 2]
    any_letter = length.sum() > 0
    if any_letter:
        steps[np.arange(n_paths), n_steps] = states
    return Traces(
        ends[:, :2] - takes[states] * any_letter,
        states.copy(),
        steps,
        n_steps + any_letter,
        chance,
        np.zeros(n_paths),
        np.ascontiguousarray(machine.transitions),
        np.argsort(order_of(machine)),
        takes,
        overhang,
        np.empty(len(kinds) + 1),
    )


def _paths(traces: Traces) -> list[States]:
    return [steps[:n][::-1].copy() for steps, n in zip(traces.steps, traces.n_steps, strict=True)]
