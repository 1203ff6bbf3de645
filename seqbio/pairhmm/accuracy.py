"""How far alignments can be trusted, and the alignment in which most can be.

The posterior probability that two letters are aligned sums over all alignments of a pair. What is
left of a letter's probability is that it stands against a gap. An alignment says of every letter
which letter it is aligned with, or that it is not; its *expected accuracy* is the mean, over the
letters of both sequences, of the posterior probability that what it says is right::

    (2 * sum of P(i ~ j) over aligned letters + sum of P(unaligned) over the others) / (n + m)

which is the expectation of the alignment metric accuracy of Schwartz et al. The alignment of the
*maximum expected accuracy* makes it as large as it can be. As each letter's reward for standing
against a gap is lost where it is aligned, only aligned letters need a weight::

    weight(i, j) = 2 P(i ~ j) - gap_factor * (P(i unaligned) + P(j unaligned))

and the best alignment is the heaviest chain of cells that rise in both sequences. Only cells of
positive weight can be part of it, which are few, so no matrix is kept or filled.

References
----------
Schwartz, Myers & Pachter, "Alignment metric accuracy", arXiv q-bio/0510052 (2005).
Holmes & Durbin, "Dynamic programming alignment accuracy", J. Comput. Biol. 5 (1998) 493-504.
Hunt & Szymanski, "A fast algorithm for computing longest common subsequences", Commun. ACM 20
(1977) 350-353: chains through few cells.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqbio.pairhmm.dp.machine import MatchPosterior

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FRACTION_BITS = 34  # of weights: sums are exact, and rounding does not choose among equals


def most_accurate_matches(posterior: MatchPosterior, gap_factor: float) -> Integers:
    """Find the aligned letters of the alignment of maximum expected accuracy.

    Weights are rounded to ``2 ** -FRACTION_BITS``. Among alignments of the same weight the one is
    taken whose last aligned letter of y is the latest, of these the one whose letter of x is; then
    so for the aligned letters before: in a run of one letter a gap stands at its start.

    Parameters
    ----------
    posterior : MatchPosterior
    gap_factor : float
        How much a letter that rightly stands against a gap counts, beside one that is rightly
        aligned. With 1 the expected accuracy is maximised; with 0 the expected number of rightly
        aligned letters, so that doubtful letters are aligned rather than not.

    Returns
    -------
    (n_matches, 2) int
        Letters of x and of y, counted from 0.
    """
    rows, columns = posterior.rows, posterior.columns
    unaligned = posterior.unaligned_x[rows] + posterior.unaligned_y[columns]
    weights = np.rint(np.ldexp(2.0 * posterior.probability - gap_factor * unaligned, FRACTION_BITS))
    chosen = np.flatnonzero(weights > 0)
    # Within a row from the right, so that no cell follows another of its own row.
    chosen = chosen[np.lexsort((-columns[chosen], rows[chosen]))]
    # The chains that may yet be part of the best, by the column where they end: the further, the
    # heavier or as heavy.
    ends, heaviest, last = [-1], [0], [-1]
    before: list[int] = []
    cells = zip(columns[chosen].tolist(), weights[chosen].astype(np.int64).tolist(), strict=True)
    for cell, (column, weight) in enumerate(cells):
        place = bisect_left(ends, column)
        total = heaviest[place - 1] + weight
        before.append(last[place - 1])
        stop = place
        if stop < len(ends) and ends[stop] == column:
            if heaviest[stop] > total:
                continue
            stop += 1
        while stop < len(ends) and heaviest[stop] < total:
            stop += 1
        ends[place:stop], heaviest[place:stop], last[place:stop] = [column], [total], [cell]
    chain, cell = [], last[-1]
    while cell >= 0:
        chain.append(cell)
        cell = before[cell]
    best = chosen[np.array(chain[::-1], dtype=np.int64)]
    return np.column_stack([rows[best], columns[best]])


@dataclass(frozen=True)
class Confidence:
    """How far an alignment can be trusted.

    Parameters
    ----------
    columns : (n_columns,)
        Posterior probability of what each column says: that its two letters are aligned, or that
        its one letter stands against a gap, wherever that is.
    expected_accuracy : float
        Mean of these over the letters of both sequences; 1 for two empty sequences.
    """

    columns: Floats
    expected_accuracy: float


def confidence(posterior: MatchPosterior, path: NDArray[np.uint8]) -> Confidence:
    """Find the posterior probabilities of the columns of an alignment.

    Parameters
    ----------
    posterior : MatchPosterior
    path : (n_columns,)
        0 for aligned letters, 1 for a letter of x alone, 2 for a letter of y alone.
    """
    ends = np.cumsum(np.array([[1, 1, 0], [1, 0, 1]])[:, path], axis=1)
    aligned, only_x, only_y = (path == kind for kind in range(3))
    columns = np.empty(len(path))
    columns[aligned] = posterior.of(ends[:, aligned].T - 1)
    columns[only_x] = posterior.unaligned_x[ends[0, only_x] - 1]
    columns[only_y] = posterior.unaligned_y[ends[1, only_y] - 1]
    letters = np.where(aligned, 2.0, 1.0)
    return Confidence(columns, float(letters @ columns / letters.sum()) if len(path) else 1.0)


def path_of_matches(matches: Integers, lengths: Integers) -> NDArray[np.uint8]:
    """Lay aligned letters out in columns; between two of them, letters of x come before those of y.

    Parameters
    ----------
    matches : (n_matches, 2)
        Aligned letters, counted from 0.
    lengths : (2,)
        Of x and y.

    Returns
    -------
    (n_columns,) uint8
        As :func:`confidence` takes it.
    """
    corners = np.vstack([matches, lengths])
    gaps = np.diff(corners, axis=0, prepend=-1) - 1
    runs = np.column_stack([gaps, np.ones(len(corners), dtype=np.int64)])
    runs[-1, 2] = 0  # behind the last letters nothing is aligned
    kinds = np.tile(np.array([1, 2, 0], dtype=np.uint8), len(corners))
    return np.repeat(kinds, runs.ravel())
