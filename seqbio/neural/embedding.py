"""Letters as vectors: rows of a table, or averages of them for ambiguity codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbio.neural.workspace import Array

Codes = NDArray[np.integer[Any]]


def embed(codes: Codes, membership: Array, table: Array) -> Array:
    """Look letters up.

    Parameters
    ----------
    codes : ndarray of int, (steps, batch)
        What stands where.
    membership : ndarray, (n_codes, n_symbols)
        Which symbols a code stands for, in which shares.
    table : ndarray, (n_symbols, features)
        A vector for each symbol.

    Returns
    -------
    ndarray, (steps, features, batch)
        Of the type of the table.

    Examples
    --------
    >>> table = np.array([[1.0, 0.0], [3.0, 2.0]])
    >>> embed(np.array([[0, 2]]), np.array([[1, 0], [0, 1], [0.5, 0.5]]), table)
    array([[[1., 2.],
            [0., 1.]]])
    """
    vectors: Array = (membership.astype(table.dtype) @ table)[codes].transpose(0, 2, 1)
    return vectors


def embedding_gradient(codes: Codes, membership: Array, slope: Array) -> Array:
    """Take derivatives by the vectors, (steps, features, batch), back to the table."""
    membership = membership.astype(slope.dtype)
    by_code = (codes.ravel() == np.arange(len(membership))[:, None]).astype(slope.dtype)
    d_rows = by_code @ slope.transpose(0, 2, 1).reshape(codes.size, -1)
    gradient: Array = membership.T @ d_rows
    return gradient
