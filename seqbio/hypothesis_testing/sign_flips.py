"""The exact law of a sum whose terms have random signs.

Under a symmetry that turns the score of an item into minus itself, the signs of the scores are
coins, given their sizes: all 2^n sums of +-size are equally likely, whatever the sizes are. For
one tested parameter that law is computed here rather than drawn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import irfft, next_fast_len
from scipy.optimize import brentq

from seqbio.core.numerics import FloatArray

__all__ = ["log_flip_pvalue"]

_LEVELS = 200  # of a score: the largest is that many units
_REACH = 40.0  # roots of the sum of squares; beyond, a sum has less than exp(-800) of probability


def log_flip_pvalue(scores: ArrayLike) -> float:
    """Logarithm of the chance that random signs make a sum as far from 0 as the observed one.

    Scores are rounded to a 200th of the largest. That leaves the test exact, since any statistic
    may be compared with its own law over the flips; what is tested is the sum of the rounded
    scores. Its law over all 2^n flips is found by a Fourier transform, of signs that are tilted so
    that the observed sum s is their mean: with q the law of the sum of the tilted signs,

        P(S >= s) = prod_i cosh(t a_i) * sum over u >= s of q(u) exp(-t u)   for every t,

    so that p-values far below the smallest double are exact, too.

    Parameters
    ----------
    scores : array_like, shape (n_items,)
        One score for each independent item; under the null, minus the score is as likely.

    Returns
    -------
    float
        Natural logarithm of the two-sided p-value, at least that of 2^(1 - n); 0 where all scores
        are 0.

    References
    ----------
    Lehmann, Romano (2005). Testing Statistical Hypotheses, 3rd ed., section 15.2 (randomisation
    tests); Butler (2007). Saddlepoint Approximations, section 1.2 (tilting, used here exactly).

    Examples
    --------
    >>> round(float(np.exp(log_flip_pvalue([1.0, 1.0, 1.0, 1.0, 1.0]))), 5)  # 2 of 32
    0.0625
    >>> round(float(np.exp(log_flip_pvalue([1.0, -1.0]))), 5)
    1.0
    """
    values = np.asarray(scores, dtype=np.float64)
    largest = np.abs(values).max(initial=0.0)
    if largest == 0.0:
        return 0.0
    rounded = np.rint(values / largest * _LEVELS).astype(np.int64)
    observed, sizes = abs(int(rounded.sum())), np.abs(rounded[rounded != 0])
    if observed == 0:
        return 0.0
    tilt = _tilt(sizes, observed)
    law = _tilted_law(sizes, tilt, observed)
    one_side = float(law @ np.exp(-tilt * np.arange(len(law))))
    log_cosh = np.logaddexp(tilt * sizes, -tilt * sizes) - np.log(2.0)
    return min(0.0, float(np.log(2.0 * one_side) - tilt * observed + log_cosh.sum()))


def _tilt(sizes: FloatArray, observed: int) -> float:
    """Find the tilt under which the mean of the sum is the observed one."""

    def excess(tilt: float) -> float:
        return float(sizes @ np.tanh(tilt * sizes)) - observed

    most = 20.0 / sizes.min()  # where all signs are as observed but for one in e^40
    return most if excess(most) <= 0.0 else float(brentq(excess, 0.0, most))


def _tilted_law(sizes: FloatArray, tilt: float, observed: int) -> FloatArray:
    """Give the probabilities of the sums observed, observed + 1, ... under tilted signs."""
    reach = int(min(2 * sizes.sum(), np.ceil(_REACH * np.sqrt(sizes @ sizes))))
    period = next_fast_len(2 * reach + 1, real=True)
    turn = 2.0 * np.pi / period * np.arange(period // 2 + 1)
    transform = np.exp(1j * observed * turn)
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        plus = 1.0 / (1.0 + np.exp(-2.0 * tilt * size))
        transform *= (np.cos(turn * size) - 1j * (2.0 * plus - 1.0) * np.sin(turn * size)) ** count
    return irfft(transform, period)[: reach + 1]
