"""Motifs as matrices: from filters and windows to `Bio.motifs.Motif`, and what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core._checks import SELF_CHECKED, checked
from seqbio.core.numerics import softmax
from seqbio.errors import ParameterError
from seqbio.sequences import Alphabet, get_alphabet, numbers_by_letter

Floats = NDArray[np.float64]
Background: TypeAlias = Annotated[ArrayLike | Mapping[str, float] | None, SELF_CHECKED]

if TYPE_CHECKING:
    from Bio.motifs import Motif


ROUNDING = 0.05 + 1e-9
"""By how much probabilities may miss 1 together because each was rounded; MEME allows as much."""


@checked
def make_motif(counts: ArrayLike, name: str, alphabet: str | Alphabet = "dna") -> Motif:
    """Make a Biopython motif of a matrix of counts.

    Parameters
    ----------
    counts : array_like of float, (n_letters, width)
        How often each letter stands in each column; need not be whole numbers.
    name : str
        Of the motif.
    alphabet : str or Alphabet
        Gives the letters their order.

    Returns
    -------
    Bio.motifs.Motif
        With the counts, unrounded.

    Raises
    ------
    ParameterError
        The matrix has another number of rows than the alphabet letters, or a value below 0.

    Examples
    --------
    >>> make_motif([[9, 0], [1, 0], [0, 10], [0, 0]], "AG").consensus
    Seq('AG')
    """
    from Bio.motifs import Motif

    letters = get_alphabet(alphabet).letters
    matrix = np.asarray(counts, dtype=np.float64)
    if matrix.ndim != 2 or len(matrix) != len(letters) or not (matrix >= 0).all():
        raise ParameterError(
            f"the counts of motif {name!r} have shape {matrix.shape} and a lowest value of "
            f"{matrix.min(initial=np.inf)}; give a row of numbers of 0 or more for each of "
            f"{letters}"
        )
    motif = Motif(alphabet=letters, counts=dict(zip(letters, matrix.tolist(), strict=True)))
    motif.name = name
    return motif


def count_matrix(motif: Motif) -> Floats:
    """Get the counts of a motif, whatever order the motif itself has its letters in.

    Biopython's readers of several formats order them G, A, T, C.

    Returns
    -------
    ndarray of float64, (n_letters, width)
        In the order of `Alphabet.letters`.

    Raises
    ------
    ParameterError
        The letters are those of no alphabet that is known, or the counts are none.

    Examples
    --------
    >>> from Bio.motifs import create
    >>> count_matrix(create(["TA"], alphabet="GATC")).tolist()
    [[0.0, 1.0], [0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    """
    letters = alphabet_of(motif).letters
    if motif.counts is None:
        raise ParameterError(f"motif {motif.name!r} has no counts; make it of counts or of sites")
    counts = np.array([motif.counts[letter] for letter in letters], dtype=np.float64)
    if not (counts.size and (counts >= 0).all() and np.isfinite(counts).all()):
        raise ParameterError(
            f"the counts of motif {motif.name!r} are {counts.tolist()}; give a row of numbers of 0 "
            f"or more for each of {letters}"
        )
    return counts


def empty_column(counts: Floats) -> int | None:
    """Find the first column without counts, counted from 1.

    Examples
    --------
    >>> empty_column(np.array([[1.0, 0.0], [0.0, 0.0]]))
    2
    """
    empty = np.flatnonzero(counts.sum(axis=0) == 0)
    return int(empty[0]) + 1 if empty.size else None


def second_name(motif: Motif) -> str:
    """Get the other name of a motif, such as CTCF of MA0139.1, in one line; empty if none."""
    other = " ".join(str(getattr(motif, "matrix_id", None) or "").split())
    return "" if other == motif.name else other


def check_distinct(motifs: Sequence[Motif]) -> None:
    """Refuse motifs of one name, whose hits could not be told apart.

    Raises
    ------
    ParameterError
        Two of them have the same name, or more than one has none.
    """
    names = [str(motif.name or "") for motif in motifs]
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise ParameterError(f"several motifs are named {repeated[0]!r}; give each its own name")


def alphabet_of(motif: Motif) -> Alphabet:
    """Find the alphabet of a motif by its letters.

    Raises
    ------
    ParameterError
        They are those of no alphabet that is known, or this is no motif.
    """
    as_motifs([motif])
    for name in ("dna", "rna", "protein"):
        if sorted(get_alphabet(name).letters) == sorted(motif.alphabet):
            return get_alphabet(name)
    raise ParameterError(
        f"motif {motif.name!r} has the letters {motif.alphabet!r}; motifs are of DNA (A, C, G, T), "
        "RNA (A, C, G, U) or the 20 amino acids"
    )


@checked
def probability_matrix(
    motif: Motif,
    *,
    pseudocount: float = 0.0,
    background: Background = None,
) -> Floats:
    """Turn the counts of a motif into probabilities.

    Parameters
    ----------
    motif : Bio.motifs.Motif
        Any.
    pseudocount : float, default 0
        Added to every column, shared out by the background.
    background : array_like of float, (n_letters,), or dict, optional
        See `checked_background`.

    Returns
    -------
    ndarray of float64, (n_letters, width)
        In the order of `Alphabet.letters`; columns add up to 1.

    Raises
    ------
    ParameterError
        A column has no counts, the pseudocount is negative or not finite, or the background is
        none.
    """
    if not 0 <= pseudocount < np.inf:
        raise ParameterError(f"pseudocount is {pseudocount}; give a finite number of 0 or more")
    letters = alphabet_of(motif).letters
    counts = count_matrix(motif) + pseudocount * checked_background(background, letters)[:, None]
    total = counts.sum(axis=0)
    if not (total > 0).all():
        raise ParameterError(
            f"motif {motif.name!r} has a column without counts; give a pseudocount above 0"
        )
    return counts / total


def checked_background(background: Background, letters: str) -> Floats:
    """Check letter probabilities.

    Parameters
    ----------
    background : array_like of float, (n_letters,), or dict, optional
        Numbers in the order of `letters`, or the number of each letter, as Biopython's motifs have
        it; equal by default. What was rounded, so that it adds up to 0.95 to 1.05, is scaled.
    letters : str
        Those of an `Alphabet`, in its order.

    Returns
    -------
    ndarray of float64, (n_letters,)
        In the order of `letters`; add up to 1.

    Raises
    ------
    ParameterError
        There is not one number above 0 for each letter, or they do not add up to 1.

    Examples
    --------
    >>> checked_background({"G": 0.1, "A": 0.4, "T": 0.3, "C": 0.2}, "ACGT")
    array([0.4, 0.2, 0.1, 0.3])
    """
    if background is None:
        return np.full(len(letters), 1.0 / len(letters))
    values = numbers_by_letter(background, letters, "background")
    if not ((values > 0).all() and abs(values.sum() - 1) <= ROUNDING):
        raise ParameterError(
            f"the background is {background}; give {len(letters)} numbers above 0 that add up to "
            f"1, for {letters} in this order"
        )
    return values / values.sum()


def filter_probabilities(weights: ArrayLike, background: Floats | None = None) -> Floats:
    """Read a filter as a motif: the letter probabilities whose log odds it holds.

    Under the background, log odds and filter weights differ by one constant for each column, which
    only shifts all scores: ``p(c, j) = b(c) exp(w(c, j)) / sum over d of b(d) exp(w(d, j))``.

    Parameters
    ----------
    weights : array_like of float, (..., n_letters, width)
        In nats, that is, multiplied by their readout where that is not 1.
    background : ndarray of float, (n_letters,), optional
        Letter probabilities outside the motif; equal by default.

    Returns
    -------
    ndarray of float64, (..., n_letters, width)
        Columns add up to 1.

    Examples
    --------
    >>> filter_probabilities(np.log([[0.7], [0.1], [0.1], [0.1]]) + 5).round(6).ravel().tolist()
    [0.7, 0.1, 0.1, 0.1]
    """
    values = np.asarray(weights, dtype=np.float64)
    if background is not None:
        values = values + np.log(background)[:, None]
    return softmax(values, axis=-2)


def information_content(motif: Motif, background: Background = None) -> Floats:
    """Measure how far each column is from the background, (width,) bits.

    The relative entropy of the column: 2 bits for one sure letter of four equally frequent ones.
    The background is that of `scan`.

    Examples
    --------
    >>> motif = make_motif([[8, 1], [0, 1], [0, 1], [0, 1]], "A")
    >>> [float(bits) for bits in information_content(motif)]
    [2.0, 0.0]
    """
    shares = checked_background(background, alphabet_of(motif).letters)
    return relative_entropy(probability_matrix(motif), shares)


def relative_entropy(probability: Floats, background: Floats | None = None) -> Floats:
    """Measure how far columns are from a background, equal by default, (width,) bits.

    Examples
    --------
    >>> relative_entropy(np.array([[0.5, 1.0], [0.5, 0.0]]))
    array([0., 1.])
    """
    shares = np.full(len(probability), 1 / len(probability)) if background is None else background
    ratio = np.divide(
        probability, shares[:, None], out=np.ones_like(probability), where=probability > 0
    )
    return (probability * np.log2(ratio)).sum(axis=0)


def reverse_complement(matrix: Floats, alphabet: Alphabet) -> Floats:
    """Turn a matrix (..., n_letters, width) around to the other strand."""
    complement = alphabet.complement
    if complement is None:
        raise ParameterError(f"the {alphabet.name} alphabet has no complement, so no other strand")
    return matrix[..., complement[: alphabet.size], ::-1]


def as_motifs(motifs: Motif | Sequence[Motif]) -> list[Motif]:
    """Accept one motif or several."""
    from Bio.motifs import Motif

    single = isinstance(motifs, Motif) or not isinstance(motifs, Iterable)
    found: list[Any] = [motifs] if single else list(motifs)  # type: ignore[arg-type]
    if not found or not all(isinstance(motif, Motif) for motif in found):
        raise ParameterError(
            f"expected motifs of Bio.motifs, found {found!r}; read them with "
            "seqbio.motif.read_motifs or take a detector's motifs_"
        )
    return found
