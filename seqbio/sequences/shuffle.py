"""Shuffles that keep the counts of neighbouring letters: negatives for motif discovery.

A sequence is a walk over letters, and its dinucleotides are the steps. All walks with the same
first letter and the same steps also end alike; there are finitely many, and each is drawn with the
same chance: the last step out of every letter but the final one forms a tree towards it, which
Wilson's algorithm draws uniformly, and the other steps out of each letter may come in any order.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import lgamma

import numpy as np
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from numpy.typing import NDArray

from ..core._checks import checked
from ..core.parallel import as_generator
from ..errors import ParameterError, SeqbioWarning, warn
from .records import SequenceLike, has_id, letters_of, listed, several

Codes = NDArray[np.uint8]


class SingleArrangementWarning(SeqbioWarning):
    """A sequence equals all of its shuffles: no other order has the same dinucleotides."""


@checked
def shuffle_dinucleotides(
    sequences: Iterable[SequenceLike],
    *,
    copies: int = 1,
    seed: int | np.random.Generator | None = None,
) -> list[SeqRecord]:
    """Shuffle each sequence, keeping its counts of pairs of neighbouring letters.

    Uniform over all arrangements with these counts and the same first letter [1]_ [2]_. Every
    symbol is a letter of its own, ambiguity codes included; lower case counts as upper case.

    Parameters
    ----------
    sequences
        Each a str, Seq or SeqRecord.
    copies : int, default 1
        Shuffles of each sequence.
    seed : int, numpy.random.Generator or None
        The source of chance; the same seed gives the same shuffles.

    Returns
    -------
    list of SeqRecord
        The shuffles of the first sequence, then those of the second, and so on; their ids are
        those of the sequences with ``_shuffled`` (and a number when there are several).

    Raises
    ------
    ParameterError
        `copies` is below 1.

    Warns
    -----
    SingleArrangementWarning
        Some sequences have one arrangement only, so that their shuffles are themselves.

    References
    ----------
    .. [1] Altschul and Erickson (1985). Significance of nucleotide sequence alignments. Mol Biol
       Evol 2:526-538.
    .. [2] Kandel, Matias, Unger and Winkler (1996). Shuffling biological sequences. Discrete
       Applied Mathematics 71:171-185.

    Examples
    --------
    >>> [shuffled] = shuffle_dinucleotides(["ACCCACGATGATG"], seed=1)
    >>> str(shuffled.seq)
    'ACCACCGATGATG'
    """
    if copies < 1:
        raise ParameterError(f"copies is {copies}; give at least 1")
    generator = as_generator(seed)
    shuffled, rigid = [], []
    for index, item in enumerate(several(sequences)):
        letters_of(item, f"the sequence at index {index}")
        record = item if isinstance(item, SeqRecord) else SeqRecord(Seq(item))
        name = str(record.id) if has_id(record) else f"sequence{index + 1}"
        symbols, codes = np.unique(
            np.frombuffer(str(record.seq).upper().encode(), dtype=np.uint8), return_inverse=True
        )
        if log_arrangements(codes) < 0.5:
            rigid.append(name)
        for copy in range(copies):
            letters = symbols[shuffle_codes(codes, generator)].tobytes()
            number = str(copy + 1) if copies > 1 else ""
            shuffled.append(
                SeqRecord(Seq(letters), id=f"{name}_shuffled{number}", name="", description="")
            )
    if rigid:
        warn(
            f"only one arrangement has the dinucleotides of {listed(rigid)}, so that a shuffle is "
            "the sequence itself; leave such sequences out as negatives",
            SingleArrangementWarning,
        )
    return shuffled


def shuffle_codes(codes: NDArray[np.integer], generator: np.random.Generator) -> Codes:
    """Shuffle one encoded sequence, keeping its counts of neighbours.

    Parameters
    ----------
    codes : ndarray of int, (length,)
        Letters as small integers.
    generator : numpy.random.Generator
        The source of chance.

    Returns
    -------
    ndarray of uint8, (length,)
        A walk over the same steps.

    Examples
    --------
    >>> shuffle_codes(np.array([0, 0, 1]), np.random.default_rng(0))
    array([0, 0, 1], dtype=uint8)
    """
    walk = np.asarray(codes, dtype=np.int64)
    if len(walk) < 4:
        return walk.astype(np.uint8)
    n_letters = int(walk.max()) + 1
    final = int(walk[-1])
    # Where each letter is left for: the steps out of it, in a random order.
    order = np.argsort(walk[:-1], kind="stable")
    first = np.searchsorted(walk[:-1][order], np.arange(n_letters + 1))
    steps = walk[1:][order]
    left_by = [steps[first[a] : first[a + 1]] for a in range(n_letters)]
    exits = _draw_tree(left_by, final, generator)
    queues = []
    for letter, targets in enumerate(left_by):
        if letter != final and targets.size:
            taken = int(np.flatnonzero(targets == exits[letter])[0])
            rest = np.delete(targets, taken)
            queues.append([int(exits[letter]), *generator.permutation(rest)[::-1].tolist()])
        else:
            queues.append(generator.permutation(targets).tolist())
    shuffled = np.empty(len(walk), dtype=np.uint8)
    at = int(walk[0])
    for place in range(len(walk)):
        shuffled[place] = at
        if queues[at]:  # empty only at the end
            at = queues[at].pop()
    return shuffled


def _draw_tree(
    left_by: list[NDArray[np.int64]], final: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw the last step out of every letter, a uniform tree towards the final one (Wilson)."""
    exits = np.full(len(left_by), -1)
    in_tree = np.array([not targets.size for targets in left_by])
    in_tree[final] = True
    for start in range(len(left_by)):
        at = start
        while not in_tree[at]:
            exits[at] = left_by[at][generator.integers(left_by[at].size)]
            at = int(exits[at])
        at = start
        while not in_tree[at]:
            in_tree[at] = True
            at = int(exits[at])
    return exits


def log_arrangements(codes: NDArray[np.integer]) -> float:
    """Count the arrangements with the same first letter and the same neighbours.

    By the theorem of de Bruijn, van Aardenne-Ehrenfest, Smith and Tutte: trees towards the final
    letter, times orders of the other steps, over orders of equal steps.

    Parameters
    ----------
    codes : ndarray of int, (length,)
        Letters as small integers.

    Returns
    -------
    float
        Natural logarithm of the number.

    Examples
    --------
    >>> letters = np.array(["ACGT".index(letter) for letter in "ACCCACGATGATG"])
    >>> round(float(np.exp(log_arrangements(letters))), 6)
    27.0
    """
    walk = np.asarray(codes, dtype=np.int64)
    if len(walk) < 2:
        return 0.0
    _, walk = np.unique(walk, return_inverse=True)
    n_letters = int(walk.max()) + 1
    counts = np.zeros((n_letters, n_letters))
    np.add.at(counts, (walk[:-1], walk[1:]), 1.0)
    out = counts.sum(axis=1)
    inner = np.arange(n_letters) != walk[-1]
    laplacian = (np.diag(out) - counts)[np.ix_(inner, inner)]
    log_trees = float(np.linalg.slogdet(laplacian)[1]) if inner.any() else 0.0
    orders = sum(lgamma(n) for n in out[inner]) + lgamma(float(out[~inner][0]) + 1)
    return log_trees + orders - sum(lgamma(n + 1) for n in counts.ravel())
