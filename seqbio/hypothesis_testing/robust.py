"""Tests that allow for dependent items and for a model that is not quite true.

Robust scaling: where items of one cluster depend on each other, or the model is wrong in ways that
the tested parameters do not care about, the ratio is a weighted sum of squared normal
variables instead of a plain one. The weights come from comparing the curvature J of the
log-likelihood with the variance K of the clusters' scores (the sandwich): they are the eigenvalues
of K (J^-1 - N (N' J N)^-1 N'), N being the directions that the null leaves free. With independent
items and a true model all weights are 1, and the law is chi-squared.

Cluster bootstrap: whole clusters are drawn with replacement, and both hypotheses fitted to the
draw. For these data the alternative's estimate is the truth, so the null is moved there: it ties
the same differences, at their estimated values instead of 0. The ratio then has the law that it
would have under the null, dependence included.

Both need many clusters; fewer than 20 give no p-value.

References
----------
Kent, J. T. (1982). Robust properties of likelihood ratio tests. Biometrika 69, 19-27: theorem 3.1.

Cameron, A. C. and Miller, D. L. (2015). A practitioner's guide to cluster-robust inference.
Journal of Human Resources 50, 317-372.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from seqbio.core import (
    Check,
    Fit,
    Tying,
    information,
    map_pieces,
    scores_of,
    spawn_generators,
    subset_of,
)
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.errors import ConvergenceError
from seqbio.hypothesis_testing.bootstrap import Bootstrap, Replicate, refit
from seqbio.hypothesis_testing.evidence import check_count
from seqbio.hypothesis_testing.laws import log_weighted_chi_squared_tail

FEWEST_CLUSTERS = 20
FEW_CLUSTERS = 40
_FLAT = 1e-7  # of the largest curvature, below which a direction cannot be told
_SINGULAR = (
    "the information matrix of the alternative is not positive definite where the test needs it, "
    "so the robust law cannot be worked out"
)


@dataclass(frozen=True, eq=False)
class RobustScaling:
    """The weighted law of a ratio under dependence, or the reason why there is none.

    Parameters
    ----------
    statistic : float
        The observed ratio.
    weights : ndarray of float64, (df,)
        Of the squared normal variables; 1 where items are independent and the model true.
    n_items, n_clusters : int
        How many.
    objection : str
        Empty where there is a law.
    """

    statistic: float
    weights: FloatArray
    n_items: int
    n_clusters: int
    objection: str

    name = "robust"

    @property
    def log_pvalue(self) -> float | None:
        """Natural logarithm of the p-value."""
        if self.objection:
            return None
        return log_weighted_chi_squared_tail(self.statistic, self.weights)

    @property
    def null_law(self) -> str:
        """The law, and what it allows for."""
        written = ", ".join(f"{weight:.3g}" for weight in self.weights[:5])
        more = f" and {len(self.weights) - 5} more" if len(self.weights) > 5 else ""
        return (
            f"weighted sum of squared normal variables (weights {written}{more}; all 1 for "
            "independent items and a true model), from the sandwich of curvature and scores of "
            f"{self.n_clusters} clusters of {self.n_items} items, for many clusters (Kent 1982)"
        )

    @property
    def checks(self) -> tuple[Check, ...]:
        """Doubts."""
        if self.objection:
            return (Check(self.objection, "invalid", "no_robust_law"),)
        return _few_clusters(self.n_clusters)

    def rows(self) -> list[tuple[str, str]]:
        """Give label and value of what people should see."""
        return [
            ("clusters of items", f"{self.n_clusters} of {self.n_items}"),
            ("weights (1 if all is regular)", ", ".join(f"{w:.4g}" for w in self.weights[:8])),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        return {
            "method": self.name,
            "weights": self.weights.tolist(),
            "n_items": self.n_items,
            "n_clusters": self.n_clusters,
        }


def _few_clusters(n_clusters: int) -> tuple[Check, ...]:
    if n_clusters < FEWEST_CLUSTERS:
        message = f"{n_clusters} clusters are too few; it takes {FEWEST_CLUSTERS}"
        return (Check(message, "invalid", "few_clusters"),)
    if n_clusters < FEW_CLUSTERS:
        message = f"{n_clusters} clusters are few enough that the p-value is approximate"
        return (Check(message, "warning", "few_clusters"),)
    return ()


def robust_scaling(
    null_fit: Fit, alternative_fit: Fit, data: Any, df: int, clusters: IntArray
) -> RobustScaling:
    """Work out the law of the ratio from curvature and scores at the alternative's optimum.

    Parameters
    ----------
    null_fit, alternative_fit : Fit
        Of the same model to the data.
    data : object
        In the form that the model takes.
    df : int
        Difference of the numbers of identifiable parameters.
    clusters : ndarray of int, (n_items,)
        Labels of items that may depend on each other.

    Returns
    -------
    RobustScaling
        With an objection where the law does not apply.

    Examples
    --------
    Each number stands there twice, so the ratio is twice what it should be:

    >>> from seqbio.core import Layout, fit, fixed, untied
    >>> class NormalMean:
    ...     layout = Layout({"mean": ()})
    ...     def start(self, data):
    ...         return np.zeros(1)
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2) / 2
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         return self.log_likelihood(full, data).sum(), (data - full).sum(keepdims=True)
    >>> once = np.random.default_rng(1).standard_normal(5000)
    >>> data, clusters = np.repeat(once, 2), np.repeat(np.arange(5000), 2)
    >>> zero, free = (fit(NormalMean(), tying, data) for tying in (fixed(1, 0, 0.0), untied(1)))
    >>> robust_scaling(zero, free, data, 1, clusters).weights.round(1)
    array([2.])
    """
    statistic = 2 * (alternative_fit.log_likelihood - null_fit.log_likelihood)
    n_clusters = int(clusters.max()) + 1
    try:
        weights = sandwich_weights(null_fit, alternative_fit, data, df, clusters)
    except ConvergenceError as error:
        return RobustScaling(statistic, np.zeros(0), len(clusters), n_clusters, str(error))
    objection = (
        f"{n_clusters} clusters are too few for a robust law; it takes {FEWEST_CLUSTERS}"
        if n_clusters < FEWEST_CLUSTERS
        else ""
    )
    return RobustScaling(statistic, weights, len(clusters), n_clusters, objection)


def sandwich_weights(
    null_fit: Fit, alternative_fit: Fit, data: Any, df: int, clusters: IntArray
) -> FloatArray:
    """Give the weights of the squared normal variables that make up the ratio.

    Parameters
    ----------
    null_fit, alternative_fit, data, df, clusters
        As in `robust_scaling`.

    Returns
    -------
    ndarray of float64, (df,)
        Above 0, the largest first.

    Raises
    ------
    ConvergenceError
        The information is singular in a direction that the test needs.
    """
    tying = alternative_fit.tying
    kept = np.isfinite(alternative_fit.free)
    curvature = information(alternative_fit, data)[np.ix_(kept, kept)]
    scores = scores_of(alternative_fit.model, tying, alternative_fit.full, data)[:, kept]
    sums = np.stack([np.bincount(clusters, column) for column in scores.T], axis=1)
    sums -= sums.mean(axis=0)
    n_clusters = len(sums)
    variance = sums.T @ sums * (n_clusters / max(n_clusters - 1, 1))
    # Directions of the null in the alternative's free coordinates.
    directions = np.linalg.lstsq(tying.jacobian(), null_fit.tying.jacobian())[0][kept]
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
    values = np.linalg.eigvals(contrast @ basis.T @ (variance * np.outer(scale, scale)) @ basis)
    return np.asarray(np.maximum(np.sort(values.real)[::-1][:df], 1e-12))


def _orthonormal(columns: FloatArray) -> FloatArray:
    """Give an orthonormal basis of the space that columns span."""
    left, singular, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, singular > _FLAT * max(singular.max(initial=0.0), 1.0)])


@dataclass(frozen=True, eq=False)
class ClusterBootstrap(Bootstrap):
    """Ratios of data made of clusters that were drawn with replacement.

    Parameters
    ----------
    n_clusters : int
        How many there are to draw from.
    """

    n_clusters: int = 0

    @property
    def name(self) -> str:
        """The method, in short."""
        return "cluster-bootstrap"

    @property
    def null_law(self) -> str:
        """Where the law comes from."""
        return (
            f"cluster bootstrap: ratios of {len(self.replicates)} draws of {self.n_clusters} "
            "clusters with replacement, against the null moved to the alternative's estimates; it "
            "allows for dependence within clusters and holds for many clusters"
        )

    @property
    def log_pvalue(self) -> float | None:
        """Natural logarithm of the p-value; None with too few clusters or too many failures."""
        return None if self.n_clusters < FEWEST_CLUSTERS else super().log_pvalue

    @property
    def checks(self) -> tuple[Check, ...]:
        """What went wrong, if anything did."""
        return (*_few_clusters(self.n_clusters), *super().checks)


def cluster_bootstrap(
    null_fit: Fit,
    alternative_fit: Fit,
    data: Any,
    df: int,
    clusters: IntArray,
    *,
    n_replicates: int = 999,
    seed: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    on_done: Callable[[int, int], object] | None = None,
) -> ClusterBootstrap:
    """Draw clusters with replacement and refit both hypotheses.

    Parameters
    ----------
    null_fit, alternative_fit, data, df
        As in `bootstrap_test`; no estimate is at a boundary.
    clusters : ndarray of int, (n_items,)
        Labels of items that may depend on each other.
    n_replicates, seed, executor, on_done
        As in `bootstrap_test`.

    Returns
    -------
    ClusterBootstrap
        All ratios, and the p-value.

    Raises
    ------
    ParameterError
        Items cannot be taken out of the data.
    """
    check_count("n_replicates", n_replicates, 1)
    moved = replace(
        null_fit,
        tying=_moved_to(null_fit.tying, alternative_fit.full),
        full=alternative_fit.full,
    )
    members = [np.flatnonzero(clusters == label) for label in range(int(clusters.max()) + 1)]
    work = partial(_redraw, moved, alternative_fit, data, members)
    replicates = map_pieces(
        work, spawn_generators(seed, n_replicates), executor=executor, on_done=on_done
    )
    statistic = 2 * (alternative_fit.log_likelihood - null_fit.log_likelihood)
    return ClusterBootstrap(
        statistic, df, tuple(replicates), n_replicates, False, n_clusters=len(members)
    )


def _moved_to(tying: Tying, full: FloatArray) -> Tying:
    """Shift what a tying produces so that it can produce `full`."""
    finite = np.where(np.isfinite(full), full, 0.0)
    free = tying.project(finite)
    copied = tying.sign * np.append(free, 0.0)[tying.group]
    offset = np.where(tying.group >= 0, finite - copied, full)
    return Tying(tying.group, tying.sign, offset)


def _redraw(
    null_fit: Fit,
    alternative_fit: Fit,
    data: Any,
    members: list[IntArray],
    generator: np.random.Generator,
) -> Replicate:
    drawn = generator.integers(0, len(members), len(members))
    items = np.concatenate([members[cluster] for cluster in drawn])
    try:
        some = subset_of(alternative_fit.model, data, items)
        return refit(null_fit, alternative_fit, some, generator)
    except ConvergenceError as error:
        return Replicate(float("nan"), str(error))
