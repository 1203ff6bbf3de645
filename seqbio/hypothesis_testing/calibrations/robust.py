"""The robust law: for items that depend on each other or vary more than the model says.

Where items of one cluster depend on each other, or the model is wrong in ways that the tested
parameters do not care about, the ratio is a weighted sum of squared normal variables instead of a
plain one (Kent 1982). `seqbio.hypothesis_testing.sandwich` works out the weights, from the
curvature of the log-likelihood and the variance of the clusters' scores. With independent items
and a true model all weights are 1, and the law is chi-squared.

The weights are estimates, and a fit makes the scores at its optimum smaller than they are at the
truth, the more so those of clusters on which much of it hangs. So scores are first adjusted for
that (CR2), and the ratio is compared with the weighted sum over an independent chi-squared variable
that varies as the estimate of the variance does (Satterthwaite): with one tested parameter, an F
law.

What this p-value takes for granted
-----------------------------------
That clusters are independent of each other, and that there are enough. Items of one cluster may
depend on each other; the model's laws need not be right, and clusters may differ in what the model
takes for one number, as long as what the null says holds for the values that fit best on average.
It is a law for many clusters: with fewer than 20, or where so few of them hold most of what the
data say that the variance has fewer than 4 degrees of freedom, there is no p-value.

References
----------
Kent, J. T. (1982). Robust properties of likelihood ratio tests. Biometrika 69, 19-27: theorem 3.1.

Pustejovsky, J. E. and Tipton, E. (2018). Small-sample methods for cluster-robust variance
estimation and hypothesis testing in fixed effects models. Journal of Business and Economic
Statistics 36, 672-683.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqbio.core import Check, spawn_generators
from seqbio.core.numerics import FloatArray
from seqbio.core.sandwich import FEWEST_CLUSTERS
from seqbio.errors import ConvergenceError
from seqbio.hypothesis_testing.calibrations.declaration import (
    DEPENDENT,
    OVERDISPERSED,
    Calibration,
)
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.laws import log_studentised_tail
from seqbio.hypothesis_testing.pictures import RATIO, Draws
from seqbio.hypothesis_testing.sandwich import cluster_variance

_MOST_NUMBERS = 50_000_000  # of curvatures that are kept at a time
_FEWEST_DEGREES = 4.0  # of freedom of the variance; with fewer, Satterthwaite's law is far off
_MOST_SHOWN = 20  # weights in a table
_DRAWN = 4_999  # ratios in a figure


@dataclass(frozen=True, eq=False)
class RobustScaling:
    """The weighted law of a ratio under dependence, or the reason why there is none.

    Parameters
    ----------
    statistic : float
        The observed ratio.
    weights : ndarray of float64, (df,)
        Of the squared normal variables; 1 where items are independent and the model true.
    degrees_of_freedom : float
        Of the estimate of the variance.
    n_items, n_clusters : int
        How many.
    objection : str
        Empty where there is a law.
    """

    statistic: float
    weights: FloatArray
    degrees_of_freedom: float
    n_items: int
    n_clusters: int
    objection: str

    name = "robust"

    @property
    def log_pvalue(self) -> float | None:
        """Natural logarithm of the p-value."""
        if self.objection:
            return None
        return log_studentised_tail(self.statistic, self.weights, self.degrees_of_freedom)

    @property
    def null_law(self) -> str:
        """The law, and what it allows for."""
        written = ", ".join(f"{weight:.3g}" for weight in self.weights[:5])
        more = f" and {len(self.weights) - 5} more" if len(self.weights) > 5 else ""
        return (
            f"weighted sum of squared normal variables (weights {written}{more}; all 1 for "
            "independent items and a true model), from the sandwich of curvature and scores of "
            f"{self.n_clusters} clusters of {self.n_items} items (Kent 1982), over an independent "
            f"chi-squared variable with the {self.degrees_of_freedom:.3g} degrees of freedom of "
            "the variance of the scores (Satterthwaite)"
        )

    @property
    def checks(self) -> tuple[Check, ...]:
        """Doubts."""
        if not self.objection:
            return ()
        return (Check(self.objection, "invalid", "no_robust_law", concerns="method"),)

    def picture(self) -> Draws:
        """Say what a figure of it shows: draws of the law, the same each time."""
        generator = spawn_generators(0, 1)[0]
        squares = generator.standard_normal((_DRAWN, len(self.weights))) ** 2
        over = generator.chisquare(self.degrees_of_freedom, _DRAWN) / self.degrees_of_freedom
        name = f"{_DRAWN} draws of the weighted law"
        return Draws(squares @ self.weights / over, self.statistic, name, RATIO, len(self.weights))

    def rows(self) -> list[tuple[str, str]]:
        """Give label and value of what people should see."""
        shown = [f"{weight:.4g}" for weight in self.weights[:_MOST_SHOWN]]
        if len(self.weights) > _MOST_SHOWN:
            shown.append(f"... {self.weights[-1]:.4g} ({len(self.weights)} in all)")
        return [
            ("clusters of items", f"{self.n_clusters} of {self.n_items}"),
            ("weights (1 if all is regular)", ", ".join(shown)),
            ("degrees of freedom of their variance", f"{self.degrees_of_freedom:.3g}"),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        return {
            "method": self.name,
            "weights": self.weights.tolist(),
            "degrees_of_freedom": self.degrees_of_freedom,
            "n_items": self.n_items,
            "n_clusters": self.n_clusters,
        }


def robust_scaling(comparison: Comparison) -> RobustScaling:
    """Work out the law of the ratio from curvature and scores at the alternative's optimum.

    Parameters
    ----------
    comparison : Comparison
        With the clusters of items that may depend on each other.

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
    >>> robust_scaling(Comparison(zero, free, data, 1, clusters)).weights.round(1)
    array([2.])
    """
    numbers = comparison.n_items, comparison.n_clusters
    try:
        weights, degrees = cluster_variance(comparison)
    except ConvergenceError as error:
        return RobustScaling(comparison.statistic, np.zeros(0), 0.0, *numbers, str(error))
    objection = too_few_clusters(comparison)
    if not objection and degrees < _FEWEST_DEGREES:
        objection = (
            f"a few of the {comparison.n_clusters} clusters hold most of what the data say, so "
            f"that the variance has only {degrees:.2g} degrees of freedom; a robust law takes "
            f"{_FEWEST_DEGREES:g}"
        )
    return RobustScaling(comparison.statistic, weights, degrees, *numbers, objection)


def too_few_clusters(comparison: Comparison) -> str:
    """Say that a law for many clusters has too few; empty where it has enough."""
    n = comparison.n_clusters
    if n >= FEWEST_CLUSTERS:
        return ""
    if n == 1:
        return (
            "it takes independent clusters of items to allow for dependence, and all items belong "
            "to one; add independent ones"
        )
    return f"{n} clusters are too few for a robust law; it takes {FEWEST_CLUSTERS}"


def _needs(comparison: Comparison) -> str:
    """Say why the law cannot be worked out; empty where it can."""
    n_items, n_free = comparison.n_items, comparison.alternative_fit.n_free
    if n_items * n_free**2 > _MOST_NUMBERS:
        return (
            f"a robust law takes the curvature of each of {n_items} items, {n_free} by {n_free} "
            f"numbers, and holds {_MOST_NUMBERS} at most; take fewer items, or tie more"
        )
    return too_few_clusters(comparison)


def _automatic(comparison: Comparison, found: Collection[str]) -> bool:
    return (
        bool({DEPENDENT, OVERDISPERSED} & set(found)) or comparison.n_clusters < comparison.n_items
    )


def _because(comparison: Comparison) -> str:
    n_items, n_clusters = comparison.n_items, comparison.n_clusters
    if n_items == n_clusters:
        return ""
    return f"{n_items} items make only {n_clusters} independent clusters"


def _run(comparison: Comparison, _: Options, __: np.random.Generator) -> RobustScaling:
    return robust_scaling(comparison)


ROBUST = Calibration(
    "robust",
    "chi-squared corrected for items that depend on each other or vary more than the model says",
    _run,
    answers=frozenset({DEPENDENT, OVERDISPERSED}),
    needs=_needs,
    automatic=_automatic,
    because=_because,
    by_clusters=True,
    robust=True,
)
