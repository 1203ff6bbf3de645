"""Markov chains of sequences as counts: which letter follows which others, and where.

A table of probabilities has a row for each context and a column for each outcome: the letters, and
the end of the sequence if ends are modelled. The context of a letter is the `order` letters before
it. Contexts of the first letters are shorter; their rows come first, in a table of their own.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from seqbio.core.numerics import FloatArray


def n_start_rows(n_letters: int, order: int) -> int:
    """Count the contexts that are shorter than the order."""
    return sum(n_letters**length for length in range(order))


def log_probabilities(coordinates: FloatArray, reference: int) -> FloatArray:
    """Turn log odds against a reference outcome into log-probabilities.

    Parameters
    ----------
    coordinates : ndarray of float64, (..., n_outcomes - 1)
        -inf for outcomes that do not happen.
    reference : int
        The outcome that is left out of the coordinates.

    Returns
    -------
    ndarray of float64, (..., n_outcomes)
        Of rows that add up to 1; -inf for a probability that is too small for floating point. So
        the reference has probability 0 where the coordinates of the others are large.

    Examples
    --------
    >>> log_probabilities(np.array([1000.0, 1000.0]), 0).round(4)
    array([   -inf, -0.6931, -0.6931])
    """
    scores = np.insert(coordinates, reference, 0.0, axis=-1)
    scores -= scores.max(axis=-1, keepdims=True)
    shares = np.exp(scores)
    logs: FloatArray = scores - np.log(shares.sum(axis=-1, keepdims=True))
    logs[shares == 0] = -np.inf
    return logs


def mean_deviance(expected: FloatArray) -> FloatArray:
    """Give the mean deviance of Poisson counts from their expectations.

    The deviance of a count x from its mean m is 2 (x log(x / m) - x + m). Its mean is 0 where
    hardly anything is expected, rises to 1.16 at a mean of 1.4, and falls to 1 where much is.

    Parameters
    ----------
    expected : ndarray of float64
        Means of the counts.

    Returns
    -------
    ndarray of float64, of the shape of `expected`
        Summed to a relative error of 1e-6 below a mean of 50, from there 1 + 1/(6 m) + 1/(6 m**2).

    References
    ----------
    Williams, D. A. (1976). Improved likelihood ratio tests for complete contingency tables.
    Biometrika 63, 33-37: the correction for large means.

    Examples
    --------
    >>> mean_deviance(np.array([0.0, 1.6, 100.0])).round(3)
    array([0.   , 1.156, 1.002])
    """
    grid, values = _deviance_grid()
    inside = np.interp(np.log(np.clip(expected, grid[0], grid[-1])), np.log(grid), values)
    inside = np.where(expected < grid[0], 0.0, inside)
    large = np.maximum(expected, grid[-1])
    return np.where(expected < grid[-1], inside, 1 + 1 / (6 * large) + 1 / (6 * large**2))


@cache
def _deviance_grid() -> tuple[FloatArray, FloatArray]:
    from scipy.special import gammaln, xlogy

    grid = np.geomspace(1e-8, 50.0, 4000)
    counts = np.arange(200.0)
    log_chance = xlogy(counts, grid[:, None]) - grid[:, None] - gammaln(counts + 1)
    deviance = xlogy(counts, counts) - xlogy(counts, grid[:, None])
    return grid, 2 * (np.exp(log_chance) * deviance).sum(axis=1)
