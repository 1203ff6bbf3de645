"""Integer scores of a motif, and the exact probability of every score.

Log odds are rounded to whole steps, and everything else (the score of a window, its p-value, the
threshold) works on the same integers. So the p-value of a score is exact for the scores as used,
it is never 0 for a window that exists, and the best window has exactly its own probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.errors import ParameterError
from seqbio.motif.motifs import alphabet_of, checked_background, probability_matrix

if TYPE_CHECKING:
    from Bio.motifs import Motif

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_STEPS_PER_BIT = 100


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """A scoring matrix of integers with the probability of every score.

    Parameters
    ----------
    matrix : ndarray of int, (n_letters, width)
        Log odds in steps of a hundredth of a bit.
    survival : ndarray of float64
        ``survival[k]`` is the probability that a window of background letters scores
        ``lowest + k`` or more.
    lowest : int
        The lowest score that there is.
    """

    matrix: Integers
    survival: Floats
    lowest: int

    def pvalue(self, scores: ArrayLike) -> Floats:
        """Probability under the background of each score or a higher one."""
        return self.survival[np.asarray(scores) - self.lowest]

    def threshold(self, pvalue: float) -> int:
        """Lowest score whose p-value is not above a value; one more than the best if none is."""
        return self.lowest + int(np.searchsorted(-self.survival, -pvalue))

    @staticmethod
    def in_bits(scores: ArrayLike) -> Floats:
        """Turn integer scores into bits."""
        return np.asarray(scores, dtype=np.float64) / _STEPS_PER_BIT


def score_table(
    motif: Motif, *, background: ArrayLike | None = None, pseudocount: float = 1.0
) -> ScoreTable:
    """Make the scoring matrix of a motif and the distribution of its scores.

    The scores of the columns are independent under the background, so the distribution of their
    sum is the convolution of theirs. All terms are positive: small probabilities keep
    their relative accuracy.

    Parameters
    ----------
    motif : Bio.motifs.Motif
        Its counts are used.
    background : array_like of float, (n_letters,), optional
        Letter probabilities outside the motif, in the order of `Alphabet.letters`; equal by
        default.
    pseudocount : float, default 1
        Added to each column, shared out by the background. Above 0, so that no letter has log
        odds of minus infinity.

    Returns
    -------
    ScoreTable
        Integer log odds and p-values.

    Raises
    ------
    ParameterError
        The pseudocount is not above 0 while a count is 0, or the background is none.

    Examples
    --------
    >>> from seqbio.motif.motifs import make_motif
    >>> table = score_table(make_motif([[9, 0], [1, 0], [0, 9], [0, 1]], "x"))
    >>> best = table.matrix.max(axis=0).sum()
    >>> table.in_bits(best), table.pvalue(best)  # one word of 16
    (np.float64(3.5), np.float64(0.0625))
    """
    probability = probability_matrix(motif, pseudocount=pseudocount, background=background)
    shares = checked_background(background, alphabet_of(motif).letters)
    if not (probability > 0).all():
        raise ParameterError(
            f"a letter never stands in a column of motif {motif.name!r}, so that its log odds are "
            "minus infinity; give a pseudocount above 0"
        )
    log_odds = np.log2(probability / shares[:, None])
    matrix = np.rint(log_odds * _STEPS_PER_BIT).astype(np.int64)
    lowest = int(matrix.min(axis=0).sum())
    from seqbio.motif.scan_kernels import sum_distribution

    chance = sum_distribution(matrix - matrix.min(axis=0), shares)
    survival = chance[::-1].cumsum()[::-1]
    return ScoreTable(matrix, np.minimum(survival, 1.0), lowest)
