"""Posterior probabilities of aligned letters, by the sweeps forward and back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from seqbio.pairhmm.dp.counting import Tally
from seqbio.pairhmm.dp.likelihood import Part, check_cells, forward_backward, parts_of
from seqbio.pairhmm.dp.machine import (
    MOST_CELLS,
    CodedPairs,
    Floats,
    Machine,
    MatchPosterior,
)
from seqbio.pairhmm.dp.sweep import Tiles
from seqbio.pairhmm.dp.tile import Bools

AT_ONCE = 100_000  # letters of the pairs that are held at once
CELLS_PER_LETTER = 16  # for which there is room at first


def match_posteriors(
    machine: Machine, pairs: CodedPairs
) -> Iterator[tuple[int, MatchPosterior | None]]:
    """Run forward-backward, and yield the number of each pair and what is kept of it.

    It is None for a pair that no path can make. A part of the pairs is held at a time.
    """
    number = np.cumsum(pairs.lengths.sum(axis=1)) // AT_ONCE
    for held in np.unique(number):
        own = np.flatnonzero(number == held)
        found: dict[int, MatchPosterior | None] = {}
        for part in parts_of(machine, pairs.take(own), whole=True):
            room = CELLS_PER_LETTER * int(part.tiles.length.sum()) + 1
            least = part.tiles.length.min(axis=1) / MOST_CELLS
            tally, possible = _collected(machine, part, least, room)
            if tally.n_found[0] > room:
                tally, possible = _collected(machine, part, least, int(tally.n_found[0]))
            of_pairs = _by_pair(part.tiles, tally, possible)
            found.update(zip(part.members.tolist(), of_pairs, strict=True))
        yield from ((int(own[pair]), found[pair]) for pair in range(len(own)))


def match_posterior(machine: Machine, pairs: CodedPairs) -> Floats | None:
    """Probability that letter i of x is aligned with letter j of y, for one pair.

    None if no path can make the pair.
    """
    result: Floats | None = None
    check_cells(pairs.lengths, 8 * int(pairs.lengths.prod()))
    for part in parts_of(machine, pairs, whole=True):
        tally, possible = _collected(machine, part, np.zeros(1), 0)
        result = tally.probability.reshape(part.tiles.length[0]) if possible[0] else None
    return result


def _collected(machine: Machine, part: Part, least: Floats, room: int) -> tuple[Tally, Bools]:
    none = np.zeros((0, 2), dtype=np.int64)
    _, ended, tally = forward_backward(machine, part, none, (least, room))
    return tally, ended.value > 0


def _by_pair(tiles: Tiles, tally: Tally, possible: Bools) -> Iterator[MatchPosterior | None]:
    n_found = int(tally.n_found[0])
    order = np.argsort(tally.cell[:n_found])
    number, probability = tally.cell[order], tally.probability[order]
    starts = np.searchsorted(number, [*tally.first, tiles.length.prod(axis=1).sum()])
    for p, (start, stop) in enumerate(pairwise(starts.tolist())):
        rows, columns = np.divmod(number[start:stop] - tally.first[p], max(tiles.length[p, 1], 1))
        unaligned = [
            # Sums of many probabilities may come out a rounding error above 1.
            np.maximum(values[begin : begin + n], 0.0)
            for values, begin, n in zip(
                tally.unaligned, tiles.start[p], tiles.length[p], strict=True
            )
        ]
        likely = np.minimum(probability[start:stop], 1.0)  # rounding may take it beyond
        yield MatchPosterior(rows, columns, likely, *unaligned) if possible[p] else None
