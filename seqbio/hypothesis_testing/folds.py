"""Dividing items at random without tearing apart those that belong together."""

from __future__ import annotations

import numpy as np

from seqbio.core.numerics import IntArray
from seqbio.errors import ParameterError


def grouped_folds(
    clusters: IntArray, n_folds: int, generator: np.random.Generator
) -> list[IntArray]:
    """Deal clusters out to folds of about the same number of items.

    The clusters are shuffled, the large ones go first, and each goes to the fold that has the
    fewest items. Equal clusters and equally full folds come in a random order.

    Parameters
    ----------
    clusters : ndarray of int, (n_items,)
        Labels 0, 1, ... of the items.
    n_folds : int
        At least 2.
    generator : numpy.random.Generator
        The source of chance.

    Returns
    -------
    list of ndarray of int
        Items of each fold, in order; none is empty.

    Raises
    ------
    ParameterError
        There are fewer clusters than folds.

    Examples
    --------
    >>> folds = grouped_folds(np.array([0, 1, 0, 2]), 2, np.random.default_rng(1))
    >>> [fold.tolist() for fold in folds]
    [[0, 2], [1, 3]]
    """
    sizes = np.bincount(clusters)
    if len(sizes) < n_folds:
        raise ParameterError(
            f"the data have {len(sizes)} independent group{'s' * (len(sizes) > 1)} of items, too "
            f"few for {n_folds} folds; give more data{', or fewer folds' * (n_folds > 2)}"
        )
    shuffled = generator.permutation(len(sizes))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    places = generator.permutation(n_folds)
    filled = np.zeros(n_folds, dtype=np.int64)
    fold_of = np.zeros(len(sizes), dtype=np.int64)
    for cluster in order:
        fold = places[int(filled[places].argmin())]
        fold_of[cluster] = fold
        filled[fold] += sizes[cluster]
    return [np.flatnonzero(fold_of[clusters] == fold) for fold in range(n_folds)]
