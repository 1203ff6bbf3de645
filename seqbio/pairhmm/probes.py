"""What to measure in sequence pairs to see whether a pair HMM describes them.

Two assumptions fail most often in real data: that gap lengths are geometric, and that an alignment
begins and ends like any other part of it, which is not so where sequences were trimmed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqbio.pairhmm.kernels import Machine, expected_counts, log_likelihood
from seqbio.pairhmm.pair_data import PairData

Floats = NDArray[np.float64]

_SPREAD = 0.1  # of the extension probability, small enough for a second derivative


def gap_length_dispersion(machine: Machine, data: PairData, reference: Floats) -> Floats:
    """Ask of every pair whether its gap lengths vary more than geometric ones.

    The gap state is split in two, entered alike, whose gaps go on a little more and a little less
    often. By how much that raises the log-likelihood, over the variance of the extension
    probability, is the score of a test for gap lengths from a mixture; it is 0 on average where
    they are geometric, and below where they vary less.

    Parameters
    ----------
    machine : Machine
        With the states M, X and Y.
    data : PairData
        Of n_pairs pairs.
    reference : (n_pairs,)
        Log odds of the pairs under the machine.

    Returns
    -------
    (n_pairs, 2)
        For gaps in which x has letters, and for those in which y has; 0 where there are none.
    """
    result = np.zeros((len(data), 2))
    for gap in (1, 2):
        going_on = machine.transitions[gap].sum()
        extend = machine.transitions[gap, gap] / going_on
        spread = _SPREAD * min(extend, 1.0 - extend)
        if spread > 0 and machine.transitions[0, gap] > 0:
            divided = _divided(machine, gap, extend, spread)
            gain = log_likelihood(divided, data.batches) - reference
            result[:, gap - 1] = 2.0 * gain / spread**2
    return result


def _divided(machine: Machine, gap: int, extend: float, spread: float) -> Machine:
    """Make two states of a gap state, with extension probabilities apart by twice the spread."""
    order = [0, 1, 2, gap]
    moves = machine.transitions[np.ix_(order, order)].copy()
    twins = [gap, 3]
    moves[:, twins] /= 2.0
    for twin, other, probability in ((gap, 3, extend + spread), (3, gap, extend - spread)):
        going_on = machine.transitions[gap].sum()
        moves[twin] *= (1.0 - probability) / (1.0 - extend)
        moves[twin, twin], moves[twin, other] = going_on * probability, 0.0
    kinds = machine.kinds + machine.kinds[gap]
    return replace(machine, kinds=kinds, transitions=moves, end=machine.end[order])


def overhangs(machine: Machine, data: PairData, ending: Floats) -> Floats:
    """Ask of every pair whether its alignment begins and ends with letters against a gap.

    Parameters
    ----------
    machine : Machine
        With the states M, X and Y.
    data : PairData
        Of n_pairs pairs.
    ending : (3, n_pairs)
        Probabilities of the last state.

    Returns
    -------
    (n_pairs, 4)
        Probabilities, given the pair, that it begins with X and with Y (very nearly), and that it
        ends so.
    """
    backwards = expected_counts(_turned_round(machine), data.reversed().batches)
    return np.stack([*backwards.ending[1:], *ending[1:]], axis=1)


def _turned_round(machine: Machine) -> Machine:
    """Build the machine that makes every alignment from its end.

    Its moves are the transposed ones, which the sweeps do not ask to sum to 1. It begins in M, too,
    so that the chances of the last state are those of a move into M instead of those of the end;
    that hardly matters at the other end of the alignment, which is what it is for.
    """
    return replace(machine, transitions=machine.transitions.T.copy(), end=machine.transitions[0])
