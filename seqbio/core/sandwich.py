"""The sandwich: errors of estimates that allow for items which depend on each other or differ.

The inverse of the information is the covariance of the estimates if the model is true and items are
independent. Whatever is true, it is J^-1 K J^-1 for many independent clusters of items, with J the
information and K the variance of the sum of the scores, which the clusters' own scores tell.

References
----------
White, H. (1982). Maximum likelihood estimation of misspecified models. Econometrica 50, 1-25.

Cameron, A. C. and Miller, D. L. (2015). A practitioner's guide to cluster-robust inference.
Journal of Human Resources 50, 317-372.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from seqbio.core._checks import checked
from seqbio.core.fit import Fit, check_square, covariance
from seqbio.core.items import scores_of
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.errors import ParameterError

FEWEST_CLUSTERS = 20  # for which a law for many clusters is used
FEW_CLUSTERS = 40


@checked
def variance_of_sum(scores: FloatArray, clusters: IntArray) -> FloatArray:
    """Estimate the variance of a sum of scores from those of independent clusters.

    Parameters
    ----------
    scores : ndarray of float64, (n_items, k)
        Of single items.
    clusters : ndarray of int, (n_items,)
        Numbers 0, 1, ... of clusters that are independent of each other.

    Returns
    -------
    ndarray of float64, (k, k)
        Of the sum over all items.

    Examples
    --------
    >>> variance_of_sum(np.array([[1.0], [2.0], [-3.0]]), np.array([0, 0, 1]))
    array([[36.]])
    """
    if scores.ndim != 2 or clusters.shape != scores.shape[:1] or not clusters.size:
        raise ParameterError(
            f"scores have the shape {scores.shape} and clusters {clusters.shape}; give a row of "
            "scores and the number of a cluster for each item"
        )
    sums = np.zeros((int(clusters.max()) + 1, scores.shape[1]))
    np.add.at(sums, clusters, scores)
    sums -= sums.mean(axis=0)
    n_clusters = len(sums)
    return np.asarray(sums.T @ sums * (n_clusters / max(n_clusters - 1, 1)))


@checked
def robust_covariance(
    fitted: Fit, data: Any, clusters: IntArray, *, naive: FloatArray | None = None
) -> FloatArray:
    """Estimate the covariance of the free parameters by the sandwich.

    Parameters
    ----------
    fitted : Fit
        Of the model to the same data.
    data : object
        In the form that the model takes.
    clusters : ndarray of int, (n_items,)
        Numbers 0, 1, ... of clusters that are independent of each other.
    naive : ndarray of float64, (n_free, n_free), optional
        From `covariance`, where it is known already.

    Returns
    -------
    ndarray of float64, (n_free, n_free)
        In the free coordinates; coordinates at -inf count as known and have 0.

    Raises
    ------
    ConvergenceError
        The information is singular or has a negative direction.

    Examples
    --------
    A mean of numbers that vary twice as much as the model says:

    >>> from seqbio.core import Layout, fit, untied
    >>> class NormalMean:
    ...     layout = Layout({"mean": ()})
    ...     def start(self, data):
    ...         return np.zeros(1)
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2) / 2
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         return self.log_likelihood(full, data).sum(), (data - full).sum(keepdims=True)
    >>> data = np.array([-2.0, 2.0, -2.0, 2.0, 0.0])
    >>> fitted = fit(NormalMean(), untied(1), data)
    >>> covariance(fitted, data).round(3), robust_covariance(fitted, data, np.arange(5)).round(3)
    (array([[0.2]]), array([[0.8]]))
    """
    inverse = covariance(fitted, data) if naive is None else naive
    check_square(inverse, fitted, "naive")
    scores = scores_of(fitted.model, fitted.tying, fitted.full, data)
    return np.asarray(inverse @ variance_of_sum(scores, clusters) @ inverse)
