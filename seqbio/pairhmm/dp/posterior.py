"""Posterior probabilities of aligned letters, by the sweeps forward and back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from seqbio.pairhmm.dp.counting import Cells
from seqbio.pairhmm.dp.likelihood import (
    Part,
    forward_backward,
    parts_of,
)
from seqbio.pairhmm.dp.machine import (
    MOST_CELLS,
    CodedPairs,
    Floats,
    Machine,
    MatchPosterior,
)
from seqbio.pairhmm.dp.sweep import Tiles

AT_ONCE = 100_000  # letters of the pairs that are held at once
CELLS_PER_LETTER = 16  # for which there is room at first


def match_posteriors(
    machine: Machine, pairs: CodedPairs
) -> Iterator[tuple[int, MatchPosterior | None]]:
    """Run forward-backward, and yield the number of each pair and what is kept of it.

    It is None for a pair that no path can make. A part of the pairs is held at a time.
    """
    part = np.cumsum(pairs.lengths.sum(axis=1)) // AT_ONCE
    for number in np.unique(part):
        own = np.flatnonzero(part == number)
        found: dict[int, MatchPosterior | None] = {}
        for run in parts_of(machine, pairs.take(own), whole=True):
            room = CELLS_PER_LETTER * int(run.tiles.length.sum())
            least = run.tiles.length.min(axis=1) / MOST_CELLS
            cells, possible = _collected(machine, run, least, room)
            if cells.n_found[0] > room:
                cells, possible = _collected(machine, run, least, int(cells.n_found[0]))
            of_pairs = _by_pair(run.tiles, cells, possible)
            found.update(zip(run.members.tolist(), of_pairs, strict=True))
        yield from ((int(own[pair]), found[pair]) for pair in range(len(own)))


def match_posterior(machine: Machine, pairs: CodedPairs) -> Floats | None:
    """Probability that letter i of x is aligned with letter j of y, for one pair.

    None if no path can make the pair.
    """
    result: Floats | None = None
    for run in parts_of(machine, pairs, whole=True):
        cells, possible = _collected(machine, run, np.zeros(1), 0)
        result = cells.probability.reshape(run.tiles.length[0]) if possible[0] else None
    return result


def _collected(
    machine: Machine, part: Part, least: Floats, room: int
) -> tuple[Cells, NDArray[np.bool_]]:
    """Collect the cells for which there is room, or all in their place if there is none."""
    tiles = part.tiles
    n_cells = tiles.length.prod(axis=1)
    cells = Cells(
        True,
        least,
        np.ones(len(tiles.x)),
        np.ones(len(tiles.y)),
        np.cumsum(n_cells) - n_cells,
        np.empty(room) if room else np.zeros(int(n_cells.sum())),
        np.empty(room, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
    )
    found = forward_backward(machine, part, [], cells)
    return cells, np.isfinite(found.ended.log_value)


def _by_pair(
    tiles: Tiles, cells: Cells, possible: NDArray[np.bool_]
) -> Iterator[MatchPosterior | None]:
    n_found = int(cells.n_found[0])
    order = np.argsort(cells.cell[:n_found])
    number, probability = cells.cell[order], cells.probability[order]
    stops = np.searchsorted(number, [*cells.first[1:], tiles.length.prod(axis=1).sum()])
    for p, stop in enumerate(stops.tolist()):
        start = int(stops[p - 1]) if p else 0
        rows, columns = np.divmod(number[start:stop] - cells.first[p], max(tiles.length[p, 1], 1))
        unaligned = [
            # Sums of many probabilities may come out a rounding error above 1.
            np.maximum(values[begin : begin + n], 0.0)
            for values, begin, n in zip(
                (cells.unaligned_x, cells.unaligned_y), tiles.start[p], tiles.length[p], strict=True
            )
        ]
        likely = np.minimum(probability[start:stop], 1.0)  # rounding may take it beyond
        yield MatchPosterior(rows, columns, likely, *unaligned) if possible[p] else None
