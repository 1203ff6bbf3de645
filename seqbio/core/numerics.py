"""Sums and probabilities in log space, exact where a probability is 0 (a logarithm of -inf).

All but one of these functions are SciPy's with the last axis as the default. `logsumexp` is written
out, since SciPy's spends six times as long on the last digits of results near 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.intp]
Labels: TypeAlias = Sequence[Any] | NDArray[Any]
"""One for each item, text or numbers."""


def logsumexp(values: ArrayLike, axis: int | tuple[int, ...] | None = -1) -> FloatArray:
    """Compute the logarithm of a sum of exponentials.

    The largest value is taken out first, so that nothing overflows. The gradient is `softmax`.

    Parameters
    ----------
    values : array_like of float
        Logarithms; -inf stands for 0.
    axis : int, tuple of int or None, default -1
        The axes to sum over; None means all.

    Returns
    -------
    ndarray of float64, without the summed axes
        -inf where all values are -inf, or where there are none.

    Examples
    --------
    >>> logsumexp([[-1000.0, -1000.0], [-np.inf, -np.inf]])
    array([-999.30685282,          -inf])
    """
    values = np.asarray(values, dtype=np.float64)
    largest = values.max(axis=axis, keepdims=True, initial=-np.inf)
    largest = np.where(np.isinf(largest), 0.0, largest)  # an infinity less itself would be nan
    with np.errstate(divide="ignore"):
        result = np.log(np.exp(values - largest).sum(axis=axis, keepdims=True)) + largest
    return np.asarray(result.squeeze(axis=axis))[()]


def softmax(values: ArrayLike, axis: int | tuple[int, ...] | None = -1) -> FloatArray:
    """Scale exponentials so that they sum to 1.

    Parameters
    ----------
    values : array_like of float
        Logarithms up to a constant; -inf becomes exactly 0.
    axis : int, tuple of int or None, default -1
        The axes over which the result sums to 1; None means all.

    Returns
    -------
    ndarray of float64, of the shape of `values`
        nan where all values are -inf, which no probabilities fit.

    Examples
    --------
    >>> softmax([1000.0, 1000.0, -np.inf])
    array([0.5, 0.5, 0. ])
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(special.softmax(np.asarray(values, dtype=np.float64), axis=axis))


def log_softmax(values: ArrayLike, axis: int | tuple[int, ...] | None = -1) -> FloatArray:
    """Compute the logarithm of `softmax` without leaving log space.

    Parameters
    ----------
    values : array_like of float
        Logarithms up to a constant.
    axis : int, tuple of int or None, default -1
        The axes over which the exponentials of the result sum to 1; None means all.

    Returns
    -------
    ndarray of float64, of the shape of `values`
        -inf stays -inf; nan where all values are -inf.

    Examples
    --------
    >>> log_softmax([0.0, -2000.0, -np.inf])
    array([    0., -2000.,   -inf])
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(special.log_softmax(np.asarray(values, dtype=np.float64), axis=axis))


def sigmoid(values: ArrayLike) -> FloatArray:
    """Turn log odds into probabilities, 1 / (1 + exp(-value)).

    The derivative is ``sigmoid(value) * sigmoid(-value)``, exact in both tails.

    Parameters
    ----------
    values : array_like of float
        Log odds.

    Returns
    -------
    ndarray of float64, of the shape of `values`
        Between 0 (exactly, at -inf) and 1 (exactly, at +inf).

    Examples
    --------
    >>> sigmoid([-np.inf, 0.0, np.inf])
    array([0. , 0.5, 1. ])
    """
    return np.asarray(special.expit(np.asarray(values, dtype=np.float64)))[()]


def logit(probabilities: ArrayLike) -> FloatArray:
    """Turn probabilities into log odds, the inverse of `sigmoid`.

    Parameters
    ----------
    probabilities : array_like of float
        Between 0 and 1.

    Returns
    -------
    ndarray of float64, of the shape of `probabilities`
        -inf at 0, +inf at 1, nan outside.

    Examples
    --------
    >>> logit([0.0, 0.5, 1.0])
    array([-inf,   0.,  inf])
    """
    return np.asarray(special.logit(np.asarray(probabilities, dtype=np.float64)))[()]
