"""How long gaps are: what a pair HMM says, and what it finds in the data.

The expected number of gaps of each length, given the data, is counted by unrolling the gap states
of one sequence: the first letters of a gap have a state each, in which the kinds of gaps are mixed
as they are after so many letters, and the last of these leads back into the states of the model.
The likelihood stays the same, and the visits of the k-th of these states are the gaps of at least
k letters. A gap behind an overhang has an unknown length, and is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seqbio.pairhmm import dp
from seqbio.pairhmm.dp import Machine
from seqbio.pairhmm.pair_data import PairData

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GapLengths:
    """Numbers of gaps by their length, of all pairs together.

    A gap of x is a run of letters of x against a gap. Two runs with nothing but a gap of the other
    sequence between them are two gaps.

    Parameters
    ----------
    lengths : (longest,) int
        From 1 on.
    posterior_x, posterior_y : (longest,)
        Expected number of gaps of each length given the data, summed over all alignments.
    fitted_x, fitted_y : (longest,)
        As many gaps as there are, with the lengths that the parameters say.
    longer_x, longer_y : (2,)
        Gaps that are longer, posterior and fitted.
    """

    lengths: Integers
    posterior_x: Floats
    posterior_y: Floats
    fitted_x: Floats
    fitted_y: Floats
    longer_x: Floats
    longer_y: Floats


def gap_lengths(machine: Machine, data: PairData, longest: int) -> GapLengths:
    """Count gaps by their length, given the data, and say how many there should be of each.

    Parameters
    ----------
    machine : Machine
        Of any gap states.
    data : PairData
        In which to count.
    longest : int
        Gaps of up to so many letters are told apart.
    """
    found = {side: _of_side(machine, data, side, longest) for side in "xy"}
    return GapLengths(
        np.arange(1, longest + 1),
        *(found[side][0][:-1] for side in "xy"),
        *(found[side][1][:-1] for side in "xy"),
        *(np.array([found[side][0][-1], found[side][1][-1]]) for side in "xy"),
    )


def _of_side(machine: Machine, data: PairData, side: str, longest: int) -> tuple[Floats, Floats]:
    """Count gaps of 1 .. longest and of more letters: in the data, and by the law."""
    own = [state for state, kind in enumerate(machine.kinds) if kind == side]
    left = [machine.transitions[0, own]]
    for _ in range(longest):
        left.append(left[-1] @ machine.transitions[np.ix_(own, own)])
    shares = [part / max(part.sum(), 1e-300) for part in left]
    unrolled = _unrolled(machine, own, shares[:longest])
    counts = dp.expected_counts(unrolled, data.coded)
    new = range(len(machine.kinds) - 1, len(unrolled.kinds) - 1)
    reached = np.array([_arrivals(counts.opening, counts.crossing, g) for g in new])
    behind = sum(counts.crossing[new[-1], state - 1].sum() for state in own)
    at_least = np.append(reached, behind)
    survival = np.array([part.sum() for part in left])
    law = survival / max(survival[0], 1e-300)
    observed = np.append(-np.diff(at_least), at_least[-1])
    expected = at_least[0] * np.append(-np.diff(law), law[-1])
    return observed, expected


def _arrivals(opening: Floats, crossing: Floats, gap: int) -> float:
    """Count the moves into a gap state from others, in all pairs."""
    return float(opening[gap].sum() + crossing[:, gap].sum())


def _unrolled(machine: Machine, own: list[int], shares: list[Floats]) -> Machine:
    """Give the first letters of the gaps of one sequence states of their own."""
    old, longest = len(machine.kinds), len(shares)
    size = old + longest
    moves, end = np.zeros((size, size)), np.zeros(size)
    moves[:old, :old], end[:old] = machine.transitions, machine.end
    others = [state for state in range(old) if state not in own]
    # All gaps begin in the first of the new states, and come into the old ones from the last.
    moves[others, old] = machine.transitions[np.ix_(others, own)].sum(axis=1)
    moves[np.ix_(others, own)] = 0.0
    for number, share in enumerate(shares):
        row = old + number
        moves[row, others] = share @ machine.transitions[np.ix_(own, others)]
        end[row] = share @ machine.end[own]
        after = share @ machine.transitions[np.ix_(own, own)]
        if number + 1 < longest:
            moves[row, row + 1] = after.sum()
        else:
            moves[row, own] = after
    kinds, flanks = machine.kinds + machine.kinds[own[0]] * longest, machine.flanks
    if flanks is not None:
        flanks = replace(flanks, enter=np.pad(flanks.enter, ((0, 0), (0, longest))))
    return replace(machine, kinds=kinds, transitions=moves, end=end, flanks=flanks)
