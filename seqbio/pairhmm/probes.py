"""What to measure in sequence pairs to see whether a pair HMM describes them.

Two assumptions fail most often in real data: that gap lengths are geometric, and that an alignment
begins and ends like any other part of it, which is not so where sequences were trimmed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqbio.pairhmm import dp
from seqbio.pairhmm.dp import Counts, Machine
from seqbio.pairhmm.pair_data import PairData

Floats = NDArray[np.float64]

_SPREAD = 0.1  # of the extension probability, small enough for a second derivative


def gap_length_dispersion(machine: Machine, data: PairData, reference: Floats) -> Floats:
    """Ask of every pair whether its gap lengths vary more than the machine's gap states allow.

    Each gap state that goes on in itself is split in two, entered alike, whose gaps go on a little
    more and a little less often. By how much that raises the log-likelihood, over the variance of
    the extension probability, is the score of a test for gap lengths from a mixture; it is 0 on
    average where those of the state are geometric, and below where they vary less.

    Parameters
    ----------
    machine : Machine
        Of any gap states.
    data : PairData
        Of n_pairs pairs.
    reference : (n_pairs,)
        Log odds of the pairs under the machine.

    Returns
    -------
    (n_pairs, n_gap_states)
        0 where there are no gaps of a state, or they cannot last.
    """
    result = np.zeros((len(data), len(machine.kinds) - 1))
    for gap in range(1, len(machine.kinds)):
        going_on = machine.transitions[gap].sum()
        extend = machine.transitions[gap, gap] / going_on
        spread = _SPREAD * min(extend, 1.0 - extend)
        if spread > 0 and machine.transitions[:gap, gap].any():
            divided = _divided(machine, gap, extend, spread)
            gain = dp.log_likelihood(divided, data.coded) - reference
            result[:, gap - 1] = 2.0 * gain / spread**2
    return result


def _divided(machine: Machine, gap: int, extend: float, spread: float) -> Machine:
    """Make two states of a gap state, with extension probabilities apart by twice the spread."""
    new = len(machine.kinds)
    order = [*range(new), gap]
    moves = machine.transitions[np.ix_(order, order)].copy()
    moves[:, [gap, new]] /= 2.0
    for twin, other, probability in ((gap, new, extend + spread), (new, gap, extend - spread)):
        going_on = machine.transitions[gap].sum()
        moves[twin] *= (1.0 - probability) / (1.0 - extend)
        moves[twin, twin], moves[twin, other] = going_on * probability, 0.0
    kinds, flanks = machine.kinds + machine.kinds[gap], machine.flanks
    if flanks is not None:
        enter = flanks.enter[:, order]
        enter[:, [gap, new]] /= 2.0
        flanks = replace(flanks, enter=enter)
    return replace(machine, kinds=kinds, transitions=moves, end=machine.end[order], flanks=flanks)


def overhangs(machine: Machine, counts: Counts) -> Floats:
    """Ask of every pair whether its alignment begins and ends with letters against a gap.

    Parameters
    ----------
    machine : Machine
        Of any gap states.
    counts : Counts
        Of n_pairs pairs under the machine.

    Returns
    -------
    (n_pairs, 4)
        Probabilities, given the pair, that it begins with X and with Y, and that it ends so.
    """
    sides = [[g for g, kind in enumerate(machine.kinds[1:]) if kind == side] for side in "xy"]
    return np.stack(
        [
            states[own].sum(axis=0)
            for states in (counts.beginning, counts.ending[1:])
            for own in sides
        ],
        axis=1,
    )
