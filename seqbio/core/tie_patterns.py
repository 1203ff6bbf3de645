"""The tyings that models are made of, each as one function that returns a `Tying`.

Patterns over arrays count the entries in C order, as `Layout` does. Patterns of one model combine
with `Tying.intersect`; those of separate blocks of a layout with `joined`.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple
from numpy.typing import ArrayLike

from seqbio.core._checks import checked, checked_integers, refuse
from seqbio.core.numerics import IntArray
from seqbio.core.parallel import as_generator
from seqbio.core.tying import Tying
from seqbio.errors import TyingError


@checked
def untied(n: int) -> Tying:
    """Leave every parameter free.

    Parameters
    ----------
    n : int
        Number of parameters.

    Returns
    -------
    Tying
        ``expand`` is the identity.

    Examples
    --------
    >>> untied(3).expand([1.0, 2.0, 3.0])
    array([1., 2., 3.])
    """
    return Tying(np.arange(n))


@checked
def equal(n: int, *index_sets: ArrayLike) -> Tying:
    """Give the entries of each set one value; leave the others free.

    Parameters
    ----------
    n : int
        Number of parameters.
    *index_sets : array_like of int
        The entries that are equal, in any shape. Sets that share an entry become one.

    Returns
    -------
    Tying
        Its free parameters are the first entries of the sets, and the other entries.

    Raises
    ------
    TyingError
        A set is not of integers from 0 to n - 1.

    Examples
    --------
    >>> equal(5, [0, 3], [1, 4]).expand([1.0, 2.0, 3.0])
    array([1., 2., 3., 1., 2.])
    """
    sets = [_checked_entries(n, indices, "an index set").ravel() for indices in index_sets]
    members = np.concatenate([np.arange(0), *sets])
    anchors = np.concatenate([np.arange(0), *(np.full_like(one, one[:1]) for one in sets)])
    return Tying.from_equations(n, members, anchors)


@checked
def fixed(n: int, indices: ArrayLike, values: ArrayLike) -> Tying:
    """Hold entries at given values; leave the others free.

    Parameters
    ----------
    n : int
        Number of parameters.
    indices : array_like of int
        The entries to hold.
    values : array_like of float
        What to hold them at, one value for each or one for all; may be infinite.

    Returns
    -------
    Tying
        With a free parameter for each entry that is not held.

    Raises
    ------
    TyingError
        An entry is out of range or held at two values, a value is nan, or there are not as many
        values as entries.

    Examples
    --------
    >>> fixed(3, [0, 2], [5.0, -np.inf]).expand([1.0])
    array([  5.,   1., -inf])
    """
    entries, constants = _checked_entries(n, indices, "indices"), np.asarray(values, dtype=float)
    if constants.shape not in {(), entries.shape}:
        raise TyingError(
            f"{constants.size} values are given for {entries.size} entries; give one value for "
            "each entry or one for all"
        )
    return Tying.from_equations(n, entries, -1, constant=constants)


@checked
def repeated(shape: tuple[int, ...], axis: int | tuple[int, ...]) -> Tying:
    """Repeat the same values along an axis: a convolution, a cell used at every step.

    Parameters
    ----------
    shape : tuple of int
        Of the array of full parameters.
    axis : int or tuple of int
        The axes along which the array is constant.

    Returns
    -------
    Tying
        Its free parameters are the array at index 0 of those axes.

    Raises
    ------
    TyingError
        The array has no such axis.

    Examples
    --------
    >>> repeated((3, 2), axis=0).expand([1.0, 2.0]).reshape(3, 2)
    array([[1., 2.],
           [1., 2.],
           [1., 2.]])
    """
    index = np.arange(prod(shape)).reshape(shape)
    try:
        axes = normalize_axis_tuple(axis, len(shape))
    except ValueError:
        raise TyingError(f"an array of shape {shape} has no axis {axis}") from None
    return Tying(np.broadcast_to(index.min(axis=axes, keepdims=True), shape).ravel())


@checked
def permuted(n: int, permutation: ArrayLike, sign: ArrayLike | None = None) -> Tying:
    """Make the parameters invariant under a permutation, such as the reverse complement.

    ``full[i] = sign[i] * full[permutation[i]]`` for every i, so the entries of each cycle are
    equal up to sign. Where the signs around a cycle multiply to -1, only 0 will do and the
    entries are held there.

    Parameters
    ----------
    n : int
        Number of parameters.
    permutation : array_like of int, (n,)
        Each of 0 to n - 1 once. It need not be its own inverse.
    sign : array_like of +1 and -1, (n,), optional
        Default +1.

    Returns
    -------
    Tying
        With one free parameter for each cycle without such a conflict.

    Raises
    ------
    TyingError
        `permutation` is not a permutation, or a sign is not +1 or -1.

    Examples
    --------
    >>> permuted(5, [4, 3, 2, 1, 0]).expand([1.0, 2.0, 3.0])
    array([1., 2., 3., 2., 1.])
    >>> permuted(3, [2, 1, 0], sign=[-1, -1, -1]).expand([1.0])
    array([ 1.,  0., -1.])
    """
    images = np.asarray(permutation)
    if not np.array_equal(np.sort(images, axis=None), np.arange(n)):
        raise TyingError(
            f"the permutation {images} does not hold each of 0 to {n - 1} once; give, for every "
            "entry, the entry that it is a copy of"
        )
    return Tying.from_equations(n, np.arange(n), images, 1 if sign is None else sign)


@checked
def transposed(rows: int, columns: int) -> Tying:
    """Make one matrix the transpose of another, as for the two sides of an embedding.

    Parameters
    ----------
    rows, columns : int
        The shape of the first matrix. The second, which follows it, is (columns, rows).

    Returns
    -------
    Tying
        Its free parameters are the first matrix.

    Examples
    --------
    >>> full = transposed(1, 3).expand([1.0, 2.0, 3.0])
    >>> full[:3].reshape(1, 3), full[3:].reshape(3, 1)
    (array([[1., 2., 3.]]), array([[1.],
           [2.],
           [3.]]))
    """
    first = np.arange(rows * columns).reshape(rows, columns)
    return Tying(np.concatenate([first.ravel(), first.T.ravel()]))


@checked
def hashed(
    shape: tuple[int, ...],
    n_buckets: int,
    seed: int | np.random.Generator | None,
    signed: bool = True,
) -> Tying:
    """Share a few numbers among the entries at random [1]_.

    Each entry draws its bucket, and its sign, independently and uniformly. A bucket that no
    entry draws is not a parameter, so there may be fewer free ones than buckets.

    Parameters
    ----------
    shape : tuple of int
        Of the array of full parameters.
    n_buckets : int
        How many numbers there are to share.
    seed : int, numpy.random.Generator or None
        Fixes the draws.
    signed : bool, default True
        Whether entries draw a sign. With it, collisions cancel on average.

    Returns
    -------
    Tying
        With at most `n_buckets` free parameters.

    Raises
    ------
    TyingError
        There are entries and no buckets.

    References
    ----------
    .. [1] Chen, Wilson, Tyree, Weinberger and Chen (2015). Compressing neural networks with the
       hashing trick. ICML. Equations 3 and 7.

    Examples
    --------
    >>> hashed((100, 20), n_buckets=50, seed=0)
    Tying(n_full=2000, n_free=50)
    """
    if n_buckets < 1:
        raise TyingError(f"n_buckets is {n_buckets}; give at least 1")
    generator = as_generator(seed)
    bucket = generator.integers(n_buckets, size=prod(shape))
    return Tying(bucket, generator.choice([-1, 1], size=prod(shape)) if signed else None)


@checked
def toeplitz(rows: int, columns: int) -> Tying:
    """Make a matrix constant along its diagonals: entries depend on row minus column alone.

    Parameters
    ----------
    rows, columns : int
        The shape of the matrix.

    Returns
    -------
    Tying
        Its free parameters are the first row, then the rest of the first column.

    Examples
    --------
    >>> toeplitz(3, 3).expand([1.0, 2.0, 3.0, 4.0, 5.0]).reshape(3, 3)
    array([[1., 2., 3.],
           [4., 1., 2.],
           [5., 4., 1.]])
    """
    lag = np.arange(rows)[:, None] - np.arange(columns)
    return Tying(np.where(lag > 0, columns + lag, -lag).ravel())


@checked
def joined(*tyings: Tying) -> Tying:
    """Tie the blocks of a longer vector each in its own way.

    Parameters
    ----------
    *tyings : Tying
        One for each block, in order.

    Returns
    -------
    Tying
        Its full, and its free, parameters are those of the tyings one after the other.

    Examples
    --------
    >>> joined(equal(2, [0, 1]), untied(1)).expand([1.0, 2.0])
    array([1., 1., 2.])
    """
    blocks = [*tyings, untied(0)]
    starts = np.cumsum([0, *(tying.n_free for tying in blocks)])
    groups = [
        np.where(tying.group < 0, -1, tying.group + start)
        for tying, start in zip(blocks, starts[:-1], strict=True)
    ]
    return Tying(
        np.concatenate(groups),
        np.concatenate([tying.sign for tying in blocks]),
        np.concatenate([tying.offset for tying in blocks]),
    )


def _checked_entries(n: int, indices: ArrayLike, name: str) -> IntArray:
    entries = checked_integers(indices, name)
    outside = (entries < 0) | (entries >= n)
    refuse(outside, entries, name, f"give entries from 0 to {n - 1}", TyingError)
    return entries
