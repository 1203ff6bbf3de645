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

from typing import Any

import numpy as np

from seqbio.core import Tying, scores_of
from seqbio.core.numerics import FloatArray
from seqbio.core.sandwich import variance_of_sum
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


def sandwich_weights(comparison: Comparison) -> FloatArray:
    """Give the weights of the squared normal variables that make up the ratio.

    Parameters
    ----------
    comparison : Comparison
        With the clusters that are independent of each other.

    Returns
    -------
    ndarray of float64, (df,)
        Above 0, the largest first; 1 for independent items and a true model.

    Raises
    ------
    ConvergenceError
        The information is singular in a direction that the test needs.
    """
    variance = variance_of_sum(effective_scores(comparison), comparison.labels)
    return np.asarray(np.maximum(np.linalg.eigvalsh(variance)[::-1], 1e-12))
