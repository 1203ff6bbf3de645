"""Which known motif is a motif: comparison by columns, in the manner of Tomtom.

Two motifs are laid over each other at every offset, on either strand, and the similarities of the
columns that meet are added up. Whether a sum is high depends on which columns of the query take
part, so it is turned into a p-value: the chance that columns drawn from all targets, independently
and with both strands counted, are at least as similar. The best offset counts, corrected for the
number of offsets tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqbio.errors import ParameterError
from seqbio.motif.motifs import (
    alphabet_of,
    as_motifs,
    probability_matrix,
    reverse_complement,
    second_name,
)

if TYPE_CHECKING:
    from Bio.motifs import Motif

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_BINS = 100  # similarities are whole numbers from 0 to this


@dataclass(frozen=True)
class Match:
    """How well a known motif fits a query.

    Parameters
    ----------
    query, target : str
        Names.
    pvalue : float
        Chance of a fit as good at the best of all offsets, above 0 and at most 1.
    qvalue : float
        False discovery rate (Benjamini and Hochberg) over all targets.
    offset : int
        Column of the query that meets the first column of the target (turned around where the
        strand is -); may be negative.
    overlap : int
        Columns that meet.
    strand : {"+", "-"}
        "-" where the target is turned around.
    target_id : str
        Second name of the target, if it has one.
    """

    query: str
    target: str
    pvalue: float
    qvalue: float
    offset: int
    overlap: int
    strand: str
    target_id: str = ""


def compare_motifs(
    query: Motif,
    targets: Sequence[Motif],
    *,
    min_overlap: int = 5,
    pseudocount: float = 1.0,
) -> list[Match]:
    """Rank known motifs by their likeness to a motif.

    The similarity of two columns is minus the Euclidean distance of their letter probabilities, in
    steps of a hundredth of its range for a column of the query [1]_.

    Parameters
    ----------
    query : Bio.motifs.Motif
        To be named.
    targets : list of Bio.motifs.Motif
        Known ones; the more, the better known is what is similar by chance.
    min_overlap : int, default 5
        Columns that must meet, or as many as the shorter motif has.
    pseudocount : float, default 1
        Added to each column of counts.

    Returns
    -------
    list of Match
        One for each target, best first.

    Raises
    ------
    ParameterError
        The motifs are of different alphabets, or there is no target.

    References
    ----------
    .. [1] Gupta, Stamatoyannopoulos, Bailey and Noble (2007). Quantifying similarity between
       motifs. Genome Biol 8:R24.

    Examples
    --------
    >>> from seqbio.motif import make_motif
    >>> counts = 9 * np.eye(4)[[3, 2, 0, 1, 2, 3, 1, 3]].T
    >>> known = [make_motif(counts, "same"), make_motif(counts[::-1, ::-1], "turned")]
    >>> known += [make_motif(9 * np.eye(4)[[i, j, i, i, j, 0, 1]].T, f"{i}{j}")
    ...           for i in range(4) for j in range(4)]
    >>> matches = compare_motifs(make_motif(counts[:, 1:], "query"), known)
    >>> for match in matches[:2]:
    ...     print(match.target, match.offset, match.overlap, match.strand)
    same -1 7 +
    turned -1 7 -
    """
    known = as_motifs(targets)
    alphabet = alphabet_of(query)
    for motif in known:
        if alphabet_of(motif) != alphabet:
            raise ParameterError(
                f"the query is of {alphabet.name} and target {motif.name!r} is of "
                f"{alphabet_of(motif).name}; compare motifs of one alphabet"
            )
    matrices = [probability_matrix(motif, pseudocount=pseudocount) for motif in known]
    strands = [("+", matrices)]
    if alphabet.complement is not None:
        strands.append(("-", [reverse_complement(matrix, alphabet) for matrix in matrices]))
    pool = np.concatenate([matrix for _, group in strands for matrix in group], axis=1)
    wanted = probability_matrix(query, pseudocount=pseudocount)
    scale = _Scale(wanted, pool)
    tables = _SumTables(scale.similarity(pool))

    matches = []
    for number, motif in enumerate(known):
        best, n_tried = (2.0, 0, 0, "+"), 0
        for strand, group in strands:
            steps = scale.similarity(group[number])
            for offset, first, total, overlap in _sums(steps, min_overlap):
                pvalue = tables.pvalue(first, overlap, total)
                n_tried += 1
                best = min(best, (pvalue, offset, overlap, strand))
        corrected = float(-np.expm1(n_tried * np.log1p(-min(best[0], 1 - 1e-16))))
        matches.append((corrected, best, str(motif.name), second_name(motif)))
    return _ranked(str(query.name), matches)


def _ranked(
    query: str, matches: list[tuple[float, tuple[float, int, int, str], str, str]]
) -> list[Match]:
    from scipy.stats import false_discovery_control

    rates = false_discovery_control([pvalue for pvalue, *_ in matches])
    found = [
        Match(query, name, pvalue, float(rate), offset, overlap, strand, other)
        for (pvalue, (_, offset, overlap, strand), name, other), rate in zip(
            matches, rates, strict=True
        )
    ]
    return sorted(found, key=lambda match: match.pvalue)


def _distances(query: Floats, target: Floats) -> Floats:
    """Euclidean distance of every column of the query to every one of the target."""
    return np.sqrt(((query[:, :, None] - target[:, None, :]) ** 2).sum(axis=0))


class _Scale:
    """Turns distances to a query into similarities in steps, by the range in a pool of columns."""

    def __init__(self, query: Floats, pool: Floats) -> None:
        distances = _distances(query, pool)
        nearest, self.farthest = distances.min(axis=1), distances.max(axis=1)
        self.range = np.where(self.farthest > nearest, self.farthest - nearest, 1.0)
        self.query = query

    def similarity(self, columns: Floats) -> Integers:
        """Give the steps of every column of the query (rows) against other columns."""
        steps = (self.farthest[:, None] - _distances(self.query, columns)) / self.range[:, None]
        return np.rint(_BINS * steps).astype(np.int64)


def _sums(steps: Integers, min_overlap: int) -> list[tuple[int, int, int, int]]:
    """Add up similarities along every diagonal: (offset, first query column, sum, overlap)."""
    n_query, n_target = steps.shape
    least = min(min_overlap, n_query, n_target)
    sums = []
    for offset in range(least - n_target, n_query - least + 1):
        diagonal = np.diagonal(steps, -offset)
        sums.append((offset, max(offset, 0), int(diagonal.sum()), len(diagonal)))
    return sums


class _SumTables:
    """Chance that random columns are together as similar to some columns of the query."""

    def __init__(self, similarity: Integers) -> None:
        self._chances = [
            np.bincount(row, minlength=_BINS + 1) / similarity.shape[1] for row in similarity
        ]
        self._tables: dict[tuple[int, int], Floats] = {}

    def pvalue(self, first: int, n_columns: int, total: int) -> float:
        if (first, n_columns) not in self._tables:
            chance = np.ones(1)
            for row in self._chances[first : first + n_columns]:
                chance = np.convolve(chance, row)
            self._tables[first, n_columns] = np.minimum(chance[::-1].cumsum()[::-1], 1.0)
        return float(self._tables[first, n_columns][total])
