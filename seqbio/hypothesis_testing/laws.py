"""Tails of the laws that likelihood ratios follow: chi-squared, mixtures and weighted sums of it.

References
----------
Ruben, H. (1962). Probability content of regions under spherical normal distributions, IV. Annals
of Mathematical Statistics 33, 542-570: section 5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core.numerics import FloatArray, logsumexp

_ALIKE = 1e-6  # relative; weights that close are one
_CUT = 1e-12
_SMALLEST_WEIGHT = 0.02
_MOST_TERMS = 1_000_000


def log_chi_squared_tail(statistic: float, df: int) -> float:
    """Compute the logarithm of the probability that a chi-squared variable exceeds a value.

    SciPy's goes through the probability itself, which underflows. Far out, with a = df / 2 and
    x = statistic / 2, the incomplete gamma function is exp(-x) x^a U(1, 1 + a, x), U being the
    confluent hypergeometric function of the second kind, which is of the order of 1 / x.

    Parameters
    ----------
    statistic : float
        Any real number.
    df : int
        At least 1.

    Returns
    -------
    float
        Natural logarithm, 0 or less.

    References
    ----------
    NIST Digital Library of Mathematical Functions, equation 13.6.6, https://dlmf.nist.gov/13.6.

    Examples
    --------
    With 2 degrees of freedom it is minus half of the statistic:

    >>> log_chi_squared_tail(3.0, 2), log_chi_squared_tail(3e6, 2)
    (-1.5, -1500000.0)
    """
    from scipy.special import gammaln, hyperu
    from scipy.stats import chi2

    if chi2.sf(statistic, df) > 1e-290:
        return float(chi2.logsf(statistic, df))
    a, x = df / 2, statistic / 2
    return float(a * np.log(x) - x + np.log(hyperu(1, 1 + a, x)) - gammaln(a))


def log_chi_bar_squared_tail(statistic: float, weights: ArrayLike, df: ArrayLike) -> float:
    """Compute the logarithm of the tail of a mixture of chi-squared laws.

    Parameters
    ----------
    statistic : float
        0 or more.
    weights : array_like of float
        Of the components; they sum to 1.
    df : array_like of int
        Degrees of freedom of the components; 0 stands for a variable that is always 0.

    Returns
    -------
    float
        Logarithm of the probability of at least that value.

    Examples
    --------
    One parameter on its boundary halves the p-value, except that of a ratio of 0:

    >>> from math import exp
    >>> f"{exp(log_chi_bar_squared_tail(2.706, [0.5, 0.5], [0, 1])):.4f}"
    '0.0500'
    >>> log_chi_bar_squared_tail(0.0, [0.5, 0.5], [0, 1])
    0.0
    """
    if statistic <= 0:
        return 0.0
    terms = [
        np.log(weight) + log_chi_squared_tail(statistic, int(degrees))
        for weight, degrees in zip(np.asarray(weights), np.asarray(df), strict=True)
        if degrees > 0 and weight > 0
    ]
    return float(logsumexp(np.array(terms), axis=0)) if terms else -np.inf


def log_weighted_chi_squared_tail(statistic: float, weights: ArrayLike) -> float:
    """Compute the logarithm of the tail of a weighted sum of squared standard normal variables.

    Ruben's series writes the sum as a mixture, with positive weights, of chi-squared variables
    with more and more degrees of freedom, all times the smallest weight. So that it is right far
    out too, the density is first tilted by exp(theta times the sum), which gives a sum of the same
    kind with the statistic as its mean; there the series needs absolute precision only. What is
    left of the mixture where it is cut, at most 1e-12, is added. Weights below a fiftieth of the
    largest are raised to that, which makes the tail larger and the series short.

    Parameters
    ----------
    statistic : float
        Any real number.
    weights : array_like of float
        Above 0.

    Returns
    -------
    float
        Logarithm of the probability of at least that value.

    References
    ----------
    Ruben, Ann. Math. Statist. 33 (1962), 542-570, for the series. Jensen, *Saddlepoint
    Approximations* (1995), section 1.2, for the tilting.

    Examples
    --------
    >>> from math import exp
    >>> f"{exp(log_weighted_chi_squared_tail(12.0, [1.0, 3.0])):.6f}"
    '0.059337'
    >>> f"{log_weighted_chi_squared_tail(1200.0, [1.0, 3.0]) / np.log(10):.3f}"
    '-88.171'
    """
    from scipy.optimize import brentq
    from scipy.special import chdtrc

    values = np.asarray(weights, dtype=np.float64)
    if statistic <= 0:
        return 0.0
    if values.min() > values.max() * (1 - _ALIKE):
        return log_chi_squared_tail(statistic / float(values.max()), values.size)
    values = np.maximum(values, _SMALLEST_WEIGHT * values.max())
    theta = 0.0
    if statistic > values.sum():
        # With u = 2 theta times the largest weight, the mean is the sum of w / (1 - u w / max).
        share = values / values.max()
        u = brentq(
            lambda u: (values / (1 - u * share)).sum() / statistic - 1,
            0.0,
            1 - values.max() / statistic / 2,
        )
        theta = u / (2 * values.max())
    tilted = values / (1 - 2 * theta * values)
    mixture = _mixture(1 - tilted.min() / tilted)
    degrees = values.size + 2.0 * np.arange(len(mixture))
    far = statistic / values.min()
    with np.errstate(divide="ignore"):
        parts = np.log(chdtrc(degrees, far))
    # Chernoff's bound stands in for what underflows, which makes the tail a little larger.
    chernoff = (degrees - far + degrees * np.log(far / degrees)) / 2
    parts = np.where(np.isneginf(parts), chernoff, parts)
    parts += theta * statistic - degrees / 2 * np.log1p(2 * theta * tilted.min())
    inside = float(mixture @ np.exp(parts)) + max(1.0 - float(mixture.sum()), 0.0)
    bound = -0.5 * float(np.log1p(-2 * theta * values).sum()) - theta * statistic
    return min(bound + float(np.log(inside)), 0.0)


def log_studentised_tail(statistic: float, weights: ArrayLike, degrees: float) -> float:
    """Compute the same where the weights were estimated, all too large or too small alike.

    What a weighted sum of squared normal variables exceeds is the statistic times chi-squared over
    its degrees of freedom. With one weight this is the tail of an F law. The mean over that
    variable is a sum over even steps of its logarithm, around where most of the integral is; such
    sums converge exponentially fast.

    Parameters
    ----------
    statistic : float
        Any real number.
    weights : array_like of float
        Above 0.
    degrees : float
        Of freedom of the estimate; above 0.

    Returns
    -------
    float
        Natural logarithm of the probability of at least that value.

    Examples
    --------
    >>> from math import exp
    >>> f"{exp(log_studentised_tail(8.0, [2.0], 10.0)):.6f}"  # F(1, 10) above 4
    '0.073388'
    """
    from scipy.special import gammaln

    if statistic <= 0:
        return 0.0
    half = degrees / 2
    middle = -np.log1p(statistic / float(np.max(weights)) / degrees)
    width = np.sqrt(2 / degrees)
    logs = np.linspace(middle - 60 / degrees - 10 * width, np.log1p(80 / degrees) + 10 * width, 101)
    density = half * (np.log(half) + logs) - half * np.exp(logs) - gammaln(half)
    tails = [log_weighted_chi_squared_tail(statistic * x, weights) for x in np.exp(logs)]
    terms = density + np.array(tails) + np.log(logs[1] - logs[0])
    return min(float(logsumexp(terms, axis=0)), 0.0)


def _mixture(rest: FloatArray) -> FloatArray:
    """Multiply the power series of sqrt((1 - r) / (1 - r z)) for all r: weights that sum to 1."""
    from scipy.signal import fftconvolve

    n_terms = min(int(np.log(_CUT) / np.log(rest.max())) + 2 * rest.size + 2, _MOST_TERMS)
    k = np.arange(1, n_terms)
    mixture = np.ones(1)
    for r in rest:
        series = np.sqrt(1 - r) * np.cumprod(np.concatenate([[1.0], r * (k - 0.5) / k]))
        mixture = np.maximum(fftconvolve(mixture, series)[:n_terms], 0.0)
    return mixture
