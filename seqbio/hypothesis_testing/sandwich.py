"""What the scores of single items say beside the curvature: effective scores and weights.

Near the optimum the ratio is a quadratic form in the sum of the items' scores. Its directions are
those of the alternative less those that the null leaves free, in the metric of the information J:
J^-1 - N (N' J N)^-1 N', N being the null's directions. Written as T T' with T' J T = 1, it turns
the score s of an item into its effective score T' s, (df,): what it says about the tested
parameters once what it says about all others is taken off. If the model is true and items are
independent, effective scores add up to a standard normal vector, and their squares to the ratio.
If not, the eigenvalues of their variance are the weights of the ratio's law (Kent 1982).

References
----------
Kent, J. T. (1982). Robust properties of likelihood ratio tests. Biometrika 69, 19-27: theorem 3.1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from seqbio.core import Tying, information_of_items, scores_of
from seqbio.core.numerics import FloatArray
from seqbio.errors import ConvergenceError
from seqbio.hypothesis_testing.comparison import Comparison

_FLAT = 1e-7  # of the largest curvature, below which a direction cannot be told
_SINGULAR = (
    "the information matrix of the alternative is not positive definite where the test needs it, "
    "so that scores cannot be weighed"
)


def effective_directions(
    information: FloatArray, null: Tying, alternative: Tying, kept: np.ndarray, df: int
) -> FloatArray:
    """Find what turns scores into effective scores.

    Parameters
    ----------
    information : ndarray of float64, (n_free, n_free)
        Of the alternative's free parameters.
    null, alternative : Tying
        Of the hypotheses.
    kept : ndarray of bool, (n_free,)
        Which of the free parameters are not at -inf.
    df : int
        How many parameters are tested.

    Returns
    -------
    ndarray of float64, (n_kept, df)
        T, with ``T.T @ J @ T`` the identity.

    Raises
    ------
    ConvergenceError
        The information is singular in a direction that the test needs.
    """
    if not kept.any():
        raise ConvergenceError(_SINGULAR)
    curvature = information[np.ix_(kept, kept)]
    # Directions of the null in the alternative's free coordinates.
    directions = np.linalg.lstsq(alternative.jacobian(), null.jacobian())[0][kept]
    scale = 1 / np.sqrt(np.maximum(curvature.diagonal(), 1e-300))
    scaled = curvature * np.outer(scale, scale)
    if not np.isfinite(scaled).all():
        raise ConvergenceError(_SINGULAR)
    # Where parameters are redundant the likelihood is flat: what it can tell is the rest.
    bends, basis = np.linalg.eigh(scaled)
    told = bends > _FLAT * bends[-1]
    if bends[0] < -_FLAT * bends[-1]:
        raise ConvergenceError(_SINGULAR)
    bends, basis = bends[told], basis[:, told]
    inner = _orthonormal(basis.T @ (directions / scale[:, None]))
    if len(bends) - inner.shape[1] != df:
        raise ConvergenceError(_SINGULAR)
    contrast = np.diag(1 / bends)
    if inner.shape[1]:
        contrast = contrast - inner @ np.linalg.solve((inner.T * bends) @ inner, inner.T)
    values, vectors = np.linalg.eigh(contrast)
    root = vectors[:, -df:] * np.sqrt(np.maximum(values[-df:], 0.0))
    return np.asarray(scale[:, None] * (basis @ root))


def _orthonormal(columns: FloatArray) -> FloatArray:
    """Give an orthonormal basis of the space that columns span."""
    left, singular, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, singular > _FLAT * max(singular.max(initial=0.0), 1.0)])


def effective_scores(comparison: Comparison, data: Any = None) -> FloatArray:
    """Give the effective score of every item at the alternative's optimum.

    Parameters
    ----------
    comparison : Comparison
        Of regular hypotheses.
    data : object, optional
        Other data of the same design; by default those that were fitted.

    Returns
    -------
    ndarray of float64, (n_items, df)
        Those of the fitted data add up to 0.

    Raises
    ------
    ConvergenceError
        The information is singular in a direction that the test needs.
    """
    fitted = comparison.alternative_fit
    kept = np.isfinite(fitted.free)
    ties = comparison.null_fit.tying, fitted.tying
    directions = effective_directions(comparison.information, *ties, kept, comparison.df)
    items = comparison.data if data is None else data
    scores = scores_of(fitted.model, fitted.tying, fitted.full, items)[:, kept]
    return np.asarray(scores @ directions)


class ClusterVariance(NamedTuple):
    """The variance of the sum of effective scores, from those of independent clusters.

    Parameters
    ----------
    weights : ndarray of float64, (df,)
        Its eigenvalues, the largest first: weights of the squared normal variables that make up
        the ratio. 1 for independent items and a true model.
    degrees_of_freedom : float
        Of the estimate of the variance, by Satterthwaite; about as many as there are clusters
        where these are of like size, and fewer where they are not.
    """

    weights: FloatArray
    degrees_of_freedom: float


def cluster_variance(comparison: Comparison) -> ClusterVariance:
    """Estimate the variance of the sum of effective scores, corrected for few or unequal clusters.

    A fit makes the scores at its optimum smaller than they are at the truth, the more so those of
    clusters on which much of it hangs. With J_c the information in a cluster, J in all, T the
    effective directions and h_c = T' J_c T, the scores of a cluster have, if the model is true, the
    variance h_c at the truth and h_c - T' J_c J^-1 J_c T at the optimum. So each is multiplied
    by the symmetric A_c that turns the second into the first (Bell and McCaffrey's correction,
    "CR2"). The sum of their squares then varies like a chi-squared variable with 2 mean^2 /
    variance degrees of freedom (Satterthwaite).

    Parameters
    ----------
    comparison : Comparison
        With the clusters that are independent of each other.

    Returns
    -------
    ClusterVariance
        Weights and degrees of freedom.

    Raises
    ------
    ConvergenceError
        The information is singular in a direction that the test needs.

    References
    ----------
    Bell, R. M. and McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression
    with multi-stage samples. Survey Methodology 28, 169-181.

    Pustejovsky, J. E. and Tipton, E. (2018). Small-sample methods for cluster-robust variance
    estimation and hypothesis testing in fixed effects models. Journal of Business and Economic
    Statistics 36, 672-683.
    """
    fitted, data, labels = comparison.alternative_fit, comparison.data, comparison.labels
    kept = np.isfinite(fitted.free)
    ties = comparison.null_fit.tying, fitted.tying
    directions = effective_directions(comparison.information, *ties, kept, comparison.df)
    scores = scores_of(fitted.model, fitted.tying, fitted.full, data)[:, kept] @ directions
    inside = np.ix_(np.arange(comparison.n_items), kept, kept)
    curvature = information_of_items(fitted.model, fitted.tying, fitted.full, data)[inside]
    n_clusters = comparison.n_clusters
    sums = np.zeros((n_clusters, comparison.df))
    np.add.at(sums, labels, scores)
    bends = np.zeros((n_clusters, *curvature.shape[1:]))
    np.add.at(bends, labels, curvature)

    inverse = np.linalg.pinv(bends.sum(axis=0), rcond=_FLAT, hermitian=True)
    across = directions.T @ bends  # T' J_c
    at_truth = across @ directions
    at_optimum = at_truth - across @ inverse @ across.transpose(0, 2, 1)
    corrected = _corrections(at_truth, at_optimum)
    adjusted = np.einsum("cab,cb->ca", corrected, sums)
    weights = np.linalg.eigvalsh(adjusted.T @ adjusted)[::-1]

    # Squares of the covariances of all adjusted scores, if the model is true, added up.
    values, vectors = np.linalg.eigh(inverse)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    shared = corrected @ across @ root
    alone = corrected @ at_truth @ corrected
    within = alone - 2 * shared @ shared.transpose(0, 2, 1)
    together = np.einsum("cak,cal->kl", shared, shared)
    total = float((alone * within).sum() + (together**2).sum())
    mean = float(np.trace((alone - shared @ shared.transpose(0, 2, 1)).sum(axis=0)))
    return ClusterVariance(np.maximum(weights, 1e-12), mean**2 / total)


def _corrections(wanted: FloatArray, found: FloatArray) -> FloatArray:
    """Find the symmetric A with A `found` A = `wanted`, for each of the matrices."""
    root = _power(wanted, 0.5)
    return np.asarray(root @ _power(root @ found @ root, -0.5) @ root)


def _power(matrices: FloatArray, exponent: float) -> FloatArray:
    """Raise symmetric matrices to a power; what is flat stays so."""
    values, vectors = np.linalg.eigh((matrices + matrices.transpose(0, 2, 1)) / 2)
    bent = values > _FLAT * values.max(axis=1, initial=0.0, keepdims=True)
    raised = np.where(bent, np.where(bent, values, 1.0) ** exponent, 0.0)
    return np.asarray((vectors * raised[:, None, :]) @ vectors.transpose(0, 2, 1))
