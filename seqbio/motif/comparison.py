"""Which known motif is a motif: comparison by columns, in the manner of Tomtom.

Two motifs are laid over each other at every offset, on either strand, and the similarities of the
columns that meet are added up. Whether a sum is high depends on which columns of the query take
part, so it is turned into a p-value: the chance of such a sum or a higher one with a random motif.
That is one of the targets, each as likely as the others, with its columns of both strands drawn in
any order, independently and with replacement. The best offset counts, corrected for the number of
offsets tried.

The columns of one motif are alike: some motifs are sharp in all columns and others in none, some
are rich in A and T. Sums over columns drawn from all targets together do not vary enough, and made
a third of all motifs significant for a query without information. So a motif is drawn first.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqbio.errors import InformationWarning, ParameterError
from seqbio.motif.motifs import (
    alphabet_of,
    as_motifs,
    probability_matrix,
    relative_entropy,
    reverse_complement,
    second_name,
)
from seqbio.sequences import Alphabet

if TYPE_CHECKING:
    from Bio.motifs import Motif

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_BINS = 100  # similarities are whole numbers from 0 to this
_LEAST = float(np.finfo(np.float64).tiny)  # chances of very wide motifs are below what there is


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
    steps of a hundredth of its range for a column of the query [1]_. The null distribution of a sum
    is that of motifs whose columns are those of one target in random order, a mean over all
    targets. That holds for a query that has nothing to do with the targets, whatever their
    information and composition; the correction for offsets takes them for independent.

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
        The motifs are of different alphabets, there is no target, or `min_overlap` is below 1.

    Warns
    -----
    InformationWarning
        The query has less information than one sure letter, which is too little to tell motifs
        apart: all p-values are 1.

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
    from scipy.stats import false_discovery_control

    known = as_motifs(targets)
    alphabet = alphabet_of(query)
    if not isinstance(min_overlap, int | np.integer) or min_overlap < 1:
        raise ParameterError(f"min_overlap is {min_overlap!r}; give a whole number of 1 or more")
    check_alphabets(known, alphabet)
    strands = {"+": [probability_matrix(motif, pseudocount=pseudocount) for motif in known]}
    if alphabet.complement is not None:
        strands["-"] = [reverse_complement(matrix, alphabet) for matrix in strands["+"]]
    wanted = probability_matrix(query, pseudocount=pseudocount)
    scale = _Scale(wanted, np.concatenate([*strands["+"], *strands.get("-", [])], axis=1))
    steps = [[scale.similarity(matrix) for matrix in group] for group in strands.values()]
    alignments = np.array(
        [
            (number, strand, *alignment)
            for strand, group in enumerate(steps)
            for number, each in enumerate(group)
            for alignment in _alignments(each, min_overlap)
        ]
    )
    number, strand, offset, overlap, total = alignments.T
    columns = [np.concatenate(group, axis=1) for group in zip(*steps, strict=True)]
    pvalues = _pvalues(columns, np.maximum(offset, 0), overlap, total)
    best = np.lexsort((strand, overlap, offset, pvalues, number))
    best = best[np.unique(number[best], return_index=True)[1]]
    corrected = -np.expm1(np.bincount(number) * np.log1p(-np.minimum(pvalues[best], 1 - 1e-16)))
    corrected = np.maximum(corrected, _LEAST) if _is_telling(query, wanted) else np.ones(len(known))
    matches = [
        Match(
            query=str(query.name),
            target=str(motif.name),
            pvalue=float(pvalue),
            qvalue=float(rate),
            offset=int(offset[at]),
            overlap=int(overlap[at]),
            strand="+-"[strand[at]],
            target_id=second_name(motif),
        )
        for motif, at, pvalue, rate in zip(
            known, best, corrected, false_discovery_control(corrected), strict=True
        )
    ]
    return sorted(matches, key=lambda match: match.pvalue)


def check_alphabets(targets: Sequence[Motif], alphabet: Alphabet) -> None:
    """Refuse known motifs of another alphabet than those that are to be named.

    Raises
    ------
    ParameterError
        One is; the message names it.
    """
    for motif in targets:
        if alphabet_of(motif) != alphabet:
            raise ParameterError(
                f"the query is of {alphabet.name} and target {motif.name!r} is of "
                f"{alphabet_of(motif).name}; compare motifs of one alphabet"
            )


def _is_telling(query: Motif, probability: Floats) -> bool:
    bits, enough = float(relative_entropy(probability).sum()), float(np.log2(len(probability)))
    if bits < enough:
        warnings.warn(
            f"motif {query.name!r} has {bits:.1f} bits of information, less than one sure letter "
            f"({enough:.1f} bits): too little to tell known motifs apart, so that no match of it "
            "is significant",
            InformationWarning,
            stacklevel=3,
        )
    return bits >= enough


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


def _alignments(steps: Integers, min_overlap: int) -> list[tuple[int, int, int]]:
    """Add up similarities along every diagonal: offset, overlap, sum."""
    n_query, n_target = steps.shape
    least = min(min_overlap, n_query, n_target)
    diagonals = [
        (offset, np.diagonal(steps, -offset))
        for offset in range(least - n_target, n_query - least + 1)
    ]
    return [(offset, len(diagonal), int(diagonal.sum())) for offset, diagonal in diagonals]


def _pvalues(steps: list[Integers], first: Integers, overlap: Integers, total: Integers) -> Floats:
    """Chance of a sum or a higher one, for each alignment.

    Parameters
    ----------
    steps : list of ndarray of int, (n_query, n_columns of both strands)
        Similarities of the query to each target.
    first, overlap, total : ndarray of int, (n_alignments,)
        The first column of the query that takes part, how many do, and the sum.
    """
    from seqbio.motif.comparison_kernels import sum_chances

    columns, ends = np.concatenate(steps, axis=1), np.cumsum([each.shape[1] for each in steps])
    pvalues = np.zeros(len(first))
    for begin in np.unique(first):
        own = first == begin
        lengths, row = np.unique(overlap[own], return_inverse=True)
        chances = sum_chances(columns[begin:], ends, lengths)
        pvalues[own] = chances[:, ::-1].cumsum(axis=1)[:, ::-1][row, total[own]]
    return np.minimum(pvalues, 1.0)
