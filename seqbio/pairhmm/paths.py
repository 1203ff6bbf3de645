"""Paths through a pair HMM: the best one by tracing back, and alignments from paths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqbio.pairhmm.band import Rest, banded
from seqbio.pairhmm.band_sweep import BandSweep
from seqbio.pairhmm.batches import Batch
from seqbio.pairhmm.kernels import Edge, Machine, Sweep, swept

States = NDArray[np.uint8]

ROUNDING = 1e-11  # relative difference below which two paths are taken to be equally good


def best_paths(machine: Machine, batches: Sequence[Batch]) -> list[States | None]:
    """Most probable path of every pair (Viterbi).

    The recursion is the forward sweep with ``maximum`` in place of ``add``; the path is traced
    back through the values of one segment of anti-diagonals at a time. Among moves that are
    equally good, up to rounding, the one from the state of the lowest number is taken.

    Returns
    -------
    list of uint8 arrays
        The states in order, one for each column of the alignment; overhangs as the first gap state
        of their sequence. None for a pair that no path can make.
    """
    paths: list[States | None] = [None] * sum(batch.n_pairs for batch in batches)
    for batch in batches:
        rest = Rest(batch)
        for lanes, band, pairs in rest.after(banded(machine, batch, np.maximum, keep=True)):
            for lane, pair in zip(lanes.tolist(), batch.members[pairs], strict=True):
                paths[pair] = _trace_in_band(band, lane)
        if rest.batch is not None:
            traced = swept(machine, rest.batch, np.maximum, _trace)
            for pair, path in zip(rest.batch.members, traced, strict=True):
                paths[pair] = path
    return paths


def _sources(moves: NDArray[np.float64]) -> list[list[tuple[int, float]]]:
    """List, for each state, those that it can be entered from, and the weight of the move."""
    return [
        [(state, weight) for state, weight in enumerate(column) if weight > 0]
        for column in moves.T.tolist()
    ]


def _best_source(values: list[float], sources: list[tuple[int, float]]) -> int:
    """Choose the best source; of those that are equally good, up to rounding, the first."""
    least = max(values) * (1.0 - ROUNDING)
    return next(
        source for value, (source, _) in zip(values, sources, strict=True) if value >= least
    )


def _steps(along_x: list[bool]) -> list[tuple[int, int]]:
    return [(1, 1), *((1, 0) if x else (0, 1) for x in along_x)]


def _trace_in_band(sweep: BandSweep, lane: int) -> States:
    """Trace a pair back through the cells of its band."""
    layout = sweep.layout
    sources, steps = _sources(sweep.moves), _steps(sweep.along_x)
    arrays = [sweep.match, *sweep.gaps]
    offsets = layout.offset[:, lane].tolist()
    row, column = sweep.lengths[lane].tolist()
    state = int(sweep.ending[:, lane].argmax())
    path: list[int] = []
    while row + column > 0:
        path.append(state)
        row, column = row - steps[state][0], column - steps[state][1]
        d = row + column
        cell = (column - row - offsets[max(d - 1, 0) // layout.block] - d % 2) // 2
        state = _best_source(
            [weight * float(arrays[source][d, cell, lane]) for source, weight in sources[state]],
            sources[state],
        )
    return np.array(path[::-1], dtype=np.uint8)


def _leave(
    sweep: Sweep,
    edge: Edge,
    rows: list[int],
    columns: list[int],
    states: list[int],
    paths: list[list[int]],
) -> None:
    """Go back to where the best paths leave the core, for those that end in an overhang."""
    best = sweep.ending.max(axis=0) * (1.0 + ROUNDING)
    for pair in np.flatnonzero(edge.leaving.max(axis=(0, 1), initial=0.0) > best).tolist():
        own = edge.leaving[:, :, pair]
        number, d = divmod(int(own.argmax()), own.shape[1])
        side, state = edge.exits[number]
        length = rows[pair] + columns[pair] - d
        paths[pair] += [1 + sweep.along_x.index(side == 0)] * length
        (columns if side else rows)[pair] -= length
        states[pair] = state


def _trace(sweep: Sweep) -> list[States | None]:
    batch = sweep.batch
    sources, steps = _sources(sweep.moves), _steps(sweep.along_x)
    paths: list[list[int]] = [[] for _ in range(batch.n_pairs)]
    rows, columns = batch.lengths.T.tolist()
    states: list[int] = []
    for start, _, kept in sweep.replay(with_gaps=True):
        if not states:
            states = sweep.ending.argmax(axis=0).tolist()
            if sweep.edge is not None:
                _leave(sweep, sweep.edge, rows, columns, states, paths)
        for pair in np.flatnonzero(np.isfinite(sweep.result)).tolist():
            row, column, state, path = rows[pair], columns[pair], states[pair], paths[pair]
            while row + column > 0:
                step_x, step_y = steps[state]
                d = row + column - step_x - step_y
                if d < start:
                    break  # what decides this move stands in the segment before
                path.append(state)
                row, column = row - step_x, column - step_y
                place = (row - max(0, d - sweep.m)) * batch.n_pairs + pair
                values = [
                    weight * kept.value(source, d, place) for source, weight in sources[state]
                ]
                if sweep.edge is not None and d > 0 and 0 in (row, column):
                    side = int(row == 0)
                    entered = sweep.edge.enter[side, state] * kept.entered[d][side, pair]
                    if entered > max(values) * (1.0 + ROUNDING):
                        path += [1 + sweep.along_x.index(side == 0)] * d
                        row = column = 0
                        break
                state = _best_source(values, sources[state])
            rows[pair], columns[pair], states[pair] = row, column, state
    return [
        np.array(path[::-1], dtype=np.uint8) if np.isfinite(score) else None
        for path, score in zip(paths, sweep.result, strict=True)
    ]
