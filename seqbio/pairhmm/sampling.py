"""Drawing alignments of a pair from their posterior distribution: stochastic traceback."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqbio.pairhmm.batches import Batch
from seqbio.pairhmm.kernels import Kept, Machine, Sweep, swept

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
States = NDArray[np.uint8]


def sample_paths(
    machine: Machine, batch: Batch, n_paths: int, generator: np.random.Generator
) -> tuple[list[States], Floats] | None:
    """Draw paths of one pair, each with its posterior probability.

    All paths are traced back together, one anti-diagonal after the other. The state before a step
    is drawn in proportion to its forward value times the probability of the step, which is exact.
    The forward values are computed a segment of anti-diagonals at a time, so that memory grows as
    ``(n + m) ** 1.5``; what is drawn does not depend on the segments.

    Parameters
    ----------
    machine : Machine
    batch : Batch
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

    References
    ----------
    Durbin, Eddy, Krogh & Mitchison, *Biological Sequence Analysis* (1998), section 4.3.
    """
    return swept(machine, batch, np.add, lambda sweep: _traced(sweep, n_paths, generator))


def _traced(
    sweep: Sweep, n_paths: int, generator: np.random.Generator
) -> tuple[list[States], Floats] | None:
    steps = np.array([(1, 1), *((1, 0) if along_x else (0, 1) for along_x in sweep.along_x)])
    place = np.full((n_paths, 2), sweep.batch.lengths[0])
    paths = np.empty((n_paths, sweep.n_diagonals), dtype=np.uint8)
    made = np.zeros(n_paths, dtype=np.int64)
    log_probability = np.zeros(n_paths)
    states = np.zeros(n_paths, dtype=np.int64)
    source = np.full(n_paths, -1)  # the anti-diagonal from which the next step back is decided
    edge, n_states = sweep.edge, len(steps)
    overhang = [1 + sweep.along_x.index(side == 0) for side in (0, 1)] if edge is not None else []
    exits = [] if edge is None else edge.exits

    def choose(paths: Integers, weights: Floats) -> Integers:
        """Draw a row of weights for each path, by its column."""
        cumulative = weights.cumsum(axis=0)
        total = cumulative[-1]
        drawn = (generator.random(len(paths)) * total >= cumulative[:-1]).sum(axis=0)
        log_probability[paths] += np.log(weights[drawn, np.arange(len(paths))] / total)
        return np.asarray(drawn)

    def stand(paths: Integers, drawn: Integers, d: int) -> None:
        """Stand in the states that were drawn, on anti-diagonal d."""
        states[paths] = drawn
        source[paths] = d - steps[drawn].sum(axis=1)

    def pass_over(path: int, side: int, letters: int) -> None:
        """Write an overhang into a path."""
        paths[path, made[path] : made[path] + letters] = overhang[side]
        made[path] += letters
        place[path, side] -= letters

    def end() -> None:
        """Draw the last state of every path, or where an overhang behind the core begins."""
        weights = sweep.ending[:, 0]
        if edge is not None:
            weights = np.append(weights, edge.leaving[:, :, 0])
        every = np.arange(n_paths)
        drawn = choose(every, np.repeat(weights[:, None], n_paths, axis=1))
        for path in np.flatnonzero(drawn >= n_states).tolist():
            number, d = divmod(int(drawn[path]) - n_states, sweep.n_diagonals + 1)
            side, state = exits[number]
            pass_over(path, side, sweep.n_diagonals - d)
            stand(every[[path]], np.array([state]), d)
        without = every[drawn < n_states]
        stand(without, drawn[without], sweep.n_diagonals)

    for start, stop, kept in sweep.replay(with_gaps=True):
        if not np.isfinite(sweep.result[0]):
            return None
        if stop == sweep.n_diagonals > 0:
            end()
        for d in range(stop, start - 1, -1):
            due = np.flatnonzero(source == d)
            if not len(due):
                continue
            into = states[due]
            paths[due, made[due]] = into
            made[due] += 1
            place[due] -= steps[into]
            if d > 0:
                weights = sweep.moves[:, into] * _values(kept, d, place[due, 0], sweep.m)
                if edge is not None:
                    # An overhang of x enters in the first column, and one of y in the first row.
                    first = edge.enter[:, into] * (place[due, ::-1].T == 0)
                    weights = np.vstack([weights, first * kept.entered[d]])
                drawn = choose(due, weights)
                for path, row in zip(
                    due[drawn >= n_states].tolist(), drawn[drawn >= n_states], strict=True
                ):
                    pass_over(path, int(row) - n_states, d)
                    source[path] = -1
                stand(due[drawn < n_states], drawn[drawn < n_states], d)
            else:
                source[due] = -1
    return [path[:length][::-1] for path, length in zip(paths, made, strict=True)], log_probability


def _values(kept: Kept, d: int, rows: Integers, m: int) -> Floats:
    """Look up the forward values of all states in some rows of an anti-diagonal."""
    place = rows - max(0, d - m)
    return np.stack([values[place] for values in (kept.match[d], *kept.gaps[d])])
