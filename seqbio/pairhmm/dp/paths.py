"""Paths through a pair HMM: the best one of each pair, or drawn from their posterior distribution.

Both are traced back through the values of a forward sweep (with the larger in place of the sum for
the best path), of which the edges of all tiles are kept.

References
----------
Durbin, Eddy, Krogh & Mitchison, *Biological Sequence Analysis* (1998), sections 4.1 and 4.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbio.pairhmm.dp.counting import NO_TALLY
from seqbio.pairhmm.dp.likelihood import Part, lanes_of, order_of, parts_of, swept
from seqbio.pairhmm.dp.machine import CodedPairs, Floats, Integers, Machine
from seqbio.pairhmm.dp.tile import Frontier
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

    for part in parts_of(machine, pairs, best=True, whole=True):
        frontier = swept(part.tiles, part.laws[0], every=True)
        for p, member in enumerate(part.members.tolist()):
            logs, ends = _ends(machine, part, p, frontier)
            if np.isfinite(logs.max(initial=-np.inf)):
                best = np.argmax(logs >= logs.max() - ROUNDING)
                traces = _traced(machine, part, p, frontier, ends[[best]], np.zeros((1, 0)))
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
        frontier = swept(part.tiles, part.laws[0], every=True)
        logs, ends = _ends(machine, part, 0, frontier)
        if not np.isfinite(logs.max(initial=-np.inf)):
            return None
        weights = np.exp(logs - logs.max())
        cumulative = np.cumsum(weights)
        n_choices = int(part.tiles.length[0].sum()) + 1
        at_once = max(MOST_CHANCES // n_choices, 1)
        for first in range(0, n_paths, at_once):
            chance = generator.random((min(at_once, n_paths - first), n_choices))
            chosen = np.searchsorted(cumulative, chance[:, 0] * cumulative[-1], side="right")
            traces = _traced(machine, part, 0, frontier, ends[chosen], chance)
            paths.extend(_paths(traces))
            of_ends = np.log(weights[chosen] / cumulative[-1])
            log_probability.append(traces.log_probability + of_ends)
    return paths, np.concatenate(log_probability)


def _ends(machine: Machine, part: Part, p: int, frontier: Frontier) -> tuple[Floats, Integers]:
    """Weigh all ends of the paths of a pair.

    Returns
    -------
    logs : (n,)
        Logarithms of the weights; the ends without an overhang are first.
    ends : (n, 3)
        The last node of the core, and the state there.
    """
    tiles, law, back = part.tiles, part.laws[0], part.laws[1]
    n_states, place = len(law.moves), np.argsort(order_of(machine))
    logs, ends = [], []
    # The last node, then the others of the last row, then those of the last column.
    for number, side in enumerate((1, 1, 0) if law.free else (1,)):
        last = int(tiles.length[p, side])
        nodes = np.arange(last)[::-1] if number else np.array([last])
        values = (frontier.columns, frontier.rows)[side]
        scales = (frontier.column_scale, frontier.row_scale)[side]
        where, away = tiles.first[p, side] + nodes // tiles.size, last - nodes
        weights = back.enter[side] if number else part.ends[0]
        with np.errstate(divide="ignore"):
            own = np.log(values[where, :, nodes % tiles.size * law.free] * weights)
            decay = np.log(back.power[side, away])
        scale = scales[where] + back.exponent[side, away][:, None]
        logs.append((own + scale * np.log(2.0) + decay[:, None])[:, place].ravel())
        node = np.tile(tiles.length[p], (len(nodes), 1))
        node[:, side] = nodes
        states = np.tile(np.arange(n_states), len(nodes))
        ends.append(np.column_stack([node.repeat(n_states, axis=0), states]))
    return np.concatenate(logs), np.concatenate(ends)


def _traced(
    machine: Machine, part: Part, p: int, frontier: Frontier, ends: Integers, chance: Floats
) -> Traces:
    """Trace paths back from their ends, before which overhangs stand."""
    n_paths, length = len(ends), part.tiles.length[p]
    takes = np.array([(kind != "y", kind != "x") for kind in machine.kinds], dtype=np.int64)
    overhang = np.array([max(machine.kinds.find(side), 0) for side in "xy"])
    steps = np.zeros((n_paths, int(length.sum()) + 1), dtype=np.uint8)
    letters = length - ends[:, :2]
    for path, (of_x, of_y) in enumerate(letters.tolist()):
        steps[path, : of_x + of_y] = overhang[0 if of_x else 1]
    n_steps, states, empty = letters.sum(axis=1), ends[:, 2].copy(), not length.any()
    steps[np.arange(n_paths), n_steps] = states
    arrays: Any = (
        *(ends[:, :2] - takes[states] * (not empty), states, steps, n_steps + (not empty), chance),
        *(np.zeros(n_paths), np.ascontiguousarray(machine.transitions)),
        *(np.argsort(order_of(machine)), takes, overhang, np.empty(len(takes) + 1)),
    )
    traces, law = Traces(*arrays), part.laws[0]
    lanes = lanes_of(part.tiles, law, range(len(takes)))
    trace(part.tiles, law, lanes, frontier, NO_TALLY, p, traces)
    return traces


def _paths(traces: Traces) -> list[States]:
    return [steps[:n][::-1].copy() for steps, n in zip(traces.steps, traces.n_steps, strict=True)]
