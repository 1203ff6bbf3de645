"""How long work on pairs will take, so that it can be told before it begins."""

from __future__ import annotations

import time
from typing import NamedTuple

from seqbio.pairhmm.pair_data import Floats, PairData
from seqbio.pairhmm.pair_model import PairModel

_WORTH_TIMING = 2e7  # cells of all pairs; fewer are done before it matters
_TIMED_CELLS, _TIMED_LETTERS = 5e6, 4000  # of the part that is timed, and of one sequence in it
_TIMES = 3  # the shortest is what others on the machine disturb least


class Cost(NamedTuple):
    """What one likelihood with its gradient takes.

    Parameters
    ----------
    cells : float
        Of the matrices of all pairs.
    seconds : float
        On this machine, about; 0 where there are few cells.
    """

    cells: float
    seconds: float


def cost_of(model: PairModel, data: PairData) -> Cost:
    """Time a likelihood with its gradient on a part of the pairs, for those of all pairs.

    Parameters
    ----------
    model : PairModel
        With the states of the model that is to be used.
    data : PairData
        All pairs.

    Returns
    -------
    Cost
        Time grows with the cells, whatever the lengths.
    """
    cells = float(data.lengths.prod(axis=1).sum())
    if cells < _WORTH_TIMING:
        return Cost(cells, 0.0)
    part = data.part(_TIMED_CELLS)
    part = PairData(
        data.alphabet,
        [codes[:_TIMED_LETTERS] for codes in part.x],
        [codes[:_TIMED_LETTERS] for codes in part.y],
    )
    full = model.start(part)
    model.log_likelihood_and_gradient(full, part)  # loads kernels, or compiles them
    seconds = min(_seconds_of(model, full, part) for _ in range(_TIMES))
    return Cost(cells, seconds * cells / float(part.lengths.prod(axis=1).sum()))


def _seconds_of(model: PairModel, full: Floats, part: PairData) -> float:
    part.latest = None
    before = time.perf_counter()
    model.log_likelihood_and_gradient(full, part)
    return time.perf_counter() - before
