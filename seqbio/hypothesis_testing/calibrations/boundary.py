"""Chi-bar-squared: the law of the ratio when the null holds parameters at their boundary.

A probability that the null holds at 0 can only be estimated above it, so half of the time (for one
such parameter) its estimate under the alternative is 0 and so is the ratio; else the ratio is
chi-squared. With several, the estimates are normal with the inverse of their information V as
covariance, moved to the nearest point (in the metric of V) with no negative entry. The ratio is a
mixture of chi-squared laws; the weight of j degrees of freedom is the chance that j entries of that
point are above 0. Other parameters that the null fixes inside add a degree of freedom each.

Weights are exact for one and two parameters, and simulated for more. V is the observed information
at the null's optimum, after the other parameters of the alternative are accounted for. Coordinates
at the boundary are -inf, where no information can be read off; it is taken in terms of
theta = exp(coordinate), which near the boundary is proportional to the probability or rate itself.

What this p-value takes for granted
-----------------------------------
What chi-squared takes for granted but for the boundary: many independent items that all obey the
same parameters, a model that is right, and all other parameters of the null inside their range. The
parameters at the boundary must have a meaning there: where a kind of gap does not exist, how long
it is has none, and no such law holds (Davies 1987), which is looked for.

References
----------
Self, S. G. and Liang, K.-Y. (1987). Asymptotic properties of maximum likelihood estimators and
likelihood ratio tests under nonstandard conditions. Journal of the American Statistical
Association 82, 605-610: theorem 3 and its cases 5 and 7.

Silvapulle, M. J. and Sen, P. K. (2005). Constrained Statistical Inference, section 3.4. Wiley.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqbio.core import Check, Tying, spawn_generators
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.hypothesis_testing.calibrations.declaration import Calibration
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.laws import log_chi_bar_squared_tail
from seqbio.hypothesis_testing.pictures import FAR, Curve

_STEP = 1e-4  # in theta, where the information does not ask for less
_STEP_IN_ERRORS = 0.01
_STRAIGHT = 1e-7
_N_SIMULATED = 20_000


@dataclass(frozen=True, eq=False)
class BoundaryLaw:
    """A mixture of chi-squared laws, or the reason why it does not apply.

    Parameters
    ----------
    statistic : float
        The observed ratio.
    names : tuple of str
        Parameters that the null holds at their boundary.
    weights, df : ndarray, (n_components,)
        Of the mixture; empty where there is none.
    objection : str
        Empty where there is a law.
    """

    statistic: float
    names: tuple[str, ...]
    weights: FloatArray
    df: IntArray
    objection: str

    name = "chi-bar-squared"

    @property
    def log_pvalue(self) -> float | None:
        """Natural logarithm of the p-value."""
        if self.objection:
            return None
        return log_chi_bar_squared_tail(self.statistic, self.weights, self.df)

    @property
    def null_law(self) -> str:
        """The mixture, and why it is one."""
        mixture = " + ".join(
            f"{weight:.4g} chi2({df})" for weight, df in zip(self.weights, self.df, strict=True)
        )
        how = "" if len(self.names) == 1 else ", weights from the information at the null's optimum"
        return (
            f"chi-bar-squared {mixture}{how}, for many data: the null holds "
            f"{', '.join(self.names)} at the boundary of the parameter space, where estimates can "
            "only be above (Self and Liang 1987); everything else is regular"
        )

    @property
    def checks(self) -> tuple[Check, ...]:
        """Why there is no law, if there is none."""
        return (
            (Check(self.objection, "invalid", "no_boundary_law", concerns="method"),)
            if self.objection
            else ()
        )

    def picture(self) -> Curve:
        """Say what a figure of it shows."""
        from scipy.stats import chi2

        parts = [(w, d) for w, d in zip(self.weights, self.df, strict=True) if d > 0]
        return Curve(
            "chi-bar-squared under the null",
            lambda x: sum((w * chi2.pdf(x, d) for w, d in parts), np.zeros_like(x)),
            float(chi2.isf(FAR, max(d for _, d in parts))),
            1.0 - float(sum(weight for weight, _ in parts)),
        )

    def rows(self) -> list[tuple[str, str]]:
        """Give label and value of what people should see."""
        return [("at the boundary under the null", ", ".join(self.names))]

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        return {
            "method": self.name,
            "parameters": list(self.names),
            "weights": self.weights.tolist(),
            "df": self.df.tolist(),
        }


def tested_on_boundary(null: Tying, alternative: Tying) -> IntArray:
    """Find the free parameters of the alternative that the null holds at -inf.

    Parameters
    ----------
    null, alternative : Tying
        Of the same parameters.

    Returns
    -------
    ndarray of int
        Indices among the alternative's free parameters.
    """
    held = (null.group < 0) & np.isneginf(null.offset) & (alternative.group >= 0)
    return np.unique(alternative.group[held])


def boundary_law(comparison: Comparison) -> BoundaryLaw:
    """Work out the chi-bar-squared law of a ratio.

    Parameters
    ----------
    comparison : Comparison
        Of which the null holds parameters at their boundary.

    Returns
    -------
    BoundaryLaw
        Without weights, and with an objection, where the law does not apply.
    """
    statistic, df = comparison.statistic, comparison.df
    layout, tying = comparison.model.layout, comparison.alternative_fit.tying
    at = tested_on_boundary(comparison.null_fit.tying, tying)
    names = tuple(layout.entry_names[int(np.flatnonzero(tying.group == j)[0])] for j in at)
    if not len(at):
        objection = "the null holds no parameter at a boundary; use the chi-squared law"
    elif len(at) > df:
        objection = "some of the parameters at the boundary cannot be told apart"
    else:
        information = _information_at_null(comparison, at)
        efficient, objection = _efficient(information, at)
        if not objection:
            weights = chi_bar_squared_weights(efficient)
            return BoundaryLaw(
                statistic, names, weights, np.arange(len(weights)) + df - len(at), ""
            )
    return BoundaryLaw(statistic, names, np.zeros(0), np.zeros(0, dtype=np.int64), objection)


def chi_bar_squared_weights(information: FloatArray) -> FloatArray:
    """Give the weights of 0, 1, ... k degrees of freedom for k parameters at their boundary.

    Parameters
    ----------
    information : ndarray of float64, (k, k)
        Of these parameters, after all others are accounted for; positive definite.

    Returns
    -------
    ndarray of float64, (k + 1,)
        They sum to 1.

    Examples
    --------
    >>> chi_bar_squared_weights(np.eye(2))
    array([0.25, 0.5 , 0.25])
    >>> chi_bar_squared_weights(np.array([[1.0, 0.5], [0.5, 1.0]])).round(4)
    array([0.3333, 0.5   , 0.1667])
    """
    from scipy.optimize import nnls

    k = len(information)
    if k == 1:
        return np.array([0.5, 0.5])
    covariance = np.linalg.inv(information)
    if k == 2:
        correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
        both = 0.25 + float(np.arcsin(correlation)) / (2 * np.pi)
        return np.array([0.5 - both, 0.5, both])
    root = np.linalg.cholesky(information).T
    # A fixed seed: the weights are constants of the matrix, to within 0.4 % (one error).
    normal = spawn_generators(0, 1)[0].standard_normal((_N_SIMULATED, k))
    positive = [int((nnls(root, draw)[0] > 0).sum()) for draw in normal]
    return np.bincount(positive, minlength=k + 1) / _N_SIMULATED


def _information_at_null(comparison: Comparison, at: IntArray) -> FloatArray:
    """Observe the alternative's information at the null, in theta for the coordinates `at`.

    Steps are taken twice: first to find the scale of theta, then to fit it.
    """
    model, tying, data = comparison.model, comparison.alternative_fit.tying, comparison.data
    free = tying.project(comparison.null_fit.full)
    inside = np.setdiff1d(np.flatnonzero(np.isfinite(free)), at)

    def gradient(point: FloatArray) -> FloatArray:
        full = tying.expand(point)
        return tying.pull_back(model.log_likelihood_and_gradient(full, data)[1])

    matrix = np.zeros((free.size, free.size))
    for j in inside:
        step = 1e-4 * max(1.0, abs(free[j]))
        above, below = free.copy(), free.copy()
        above[j] += step
        below[j] -= step
        rise, fall = gradient(above), gradient(below)
        matrix[inside, j] = (fall - rise)[inside] / (2 * step)
    base = gradient(free)
    for j in at:
        step = _STEP
        for _ in range(2):
            slopes, others = [], base
            for theta in (step, 2 * step):
                moved = free.copy()
                moved[j] = np.log(theta)
                here = gradient(moved)
                slopes.append(here[j] / theta)
                others = here if theta == step else others
            bend = (slopes[0] - slopes[1]) / step
            # A log-likelihood that is a straight line in theta bends by rounding alone.
            matrix[j, j] = bend if abs(bend) > _STRAIGHT * slopes[0] ** 2 else 0.0
            matrix[j, inside] = matrix[inside, j] = (base - others)[inside] / step
            if not matrix[j, j] > 0:
                break
            step = min(_STEP, _STEP_IN_ERRORS / float(np.sqrt(matrix[j, j])))
    for j in at:
        for i in at[at < j]:
            thetas = [
                min(_STEP, _STEP_IN_ERRORS / float(np.sqrt(max(matrix[k, k], 1.0)))) for k in (i, j)
            ]
            alone, together = free.copy(), free.copy()
            alone[i] = together[i] = np.log(thetas[0])
            together[j] = np.log(thetas[1])
            change = (gradient(alone)[i] - gradient(together)[i]) / thetas[0]
            matrix[i, j] = matrix[j, i] = change / thetas[1]
    return matrix


def _efficient(information: FloatArray, at: IntArray) -> tuple[FloatArray, str]:
    """Account for the other parameters; the second value says why that fails, if it does."""
    known = information.diagonal() == 0
    others = np.setdiff1d(np.flatnonzero(~known), at)
    flat = (
        "at the null's optimum the likelihood has no curvature in the parameters at the boundary, "
        "or in one that has no meaning there, so that the ratio has no chi-bar-squared law"
    )
    diagonal = information.diagonal()[at]
    if len(at) == 1 and np.isfinite(diagonal).all() and diagonal[0] != 0:
        return np.ones((1, 1)), ""  # the weights are half and half whatever the information
    if not (diagonal > 0).all() or not np.isfinite(information).all():
        return information, flat
    scale = np.sqrt(np.maximum(information.diagonal(), 1e-300))
    correlation = information / np.outer(scale, scale)
    kept = np.concatenate([at, others])
    if np.linalg.eigvalsh(correlation[np.ix_(kept, kept)]).min() < 1e-6:
        return information, flat
    cross = correlation[np.ix_(at, others)]
    inner = correlation[np.ix_(others, others)]
    return correlation[np.ix_(at, at)] - cross @ np.linalg.solve(inner, cross.T), ""


def _run(comparison: Comparison, _: Options, __: np.random.Generator) -> BoundaryLaw:
    return boundary_law(comparison)


BOUNDARY = Calibration(
    "boundary",
    "chi-bar-squared, where the null holds parameters at 0",
    _run,
    answers=frozenset({"tested_on_boundary"}),
)
