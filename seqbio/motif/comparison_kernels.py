"""How likely the similarities of a random motif to a motif add up to a number, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqbio.core.compiled import compiled


@compiled
def sum_chances(
    steps: NDArray[np.int64], ends: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Distribute sums of similarities over the first columns of a query.

    A motif is drawn, each as likely as the others, and for each column of the query independently
    one of its columns. The distributions of the motifs are convolutions; their mean is the result.

    Parameters
    ----------
    steps : ndarray of int, (n_query, n_columns)
        Similarity of each column of the query to each column of all motifs; 0 or more.
    ends : ndarray of int, (n_motifs,)
        Where the columns of each motif end; they stand one motif after the other.
    lengths : ndarray of int, (n_lengths,)
        How many columns of the query are added up, in ascending order.

    Returns
    -------
    ndarray of float64, (n_lengths, largest sum + 1)
        The chance of each sum.
    """
    n_steps = steps.max() + 1
    size = lengths[-1] * (n_steps - 1) + 1
    chances = np.zeros((len(lengths), size))
    before, after = np.zeros(size), np.zeros(size)
    counts = np.zeros(n_steps, np.int64)
    begin = 0
    for end in ends:
        before[0] = 1.0
        largest, row = 0, 0
        for column in range(lengths[-1]):
            counts[:] = 0
            for other in range(begin, end):
                counts[steps[column, other]] += 1
            highest = 0
            for step in range(n_steps):
                if counts[step]:
                    highest = step
                    chance = counts[step] / (end - begin)
                    for total in range(largest + 1):
                        after[total + step] += chance * before[total]
            largest += highest
            before[: largest + 1] = after[: largest + 1]
            after[: largest + 1] = 0.0
            if column + 1 == lengths[row]:
                chances[row, : largest + 1] += before[: largest + 1]
                row += 1
        before[:] = 0.0
        begin = end
    return chances / len(ends)
