"""What a figure of a null law shows, said by the calibration that knows; plots draw it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seqbio.core.numerics import FloatArray

FAR = 1e-3  # tail of the null law up to which it is drawn
RATIO = "Likelihood ratio, 2 x difference of log-likelihoods (nats)"


@dataclass(frozen=True)
class Curve:
    """A law of the likelihood ratio that is known in formulas.

    Parameters
    ----------
    name : str
        Of the law.
    density : callable
        From ratios above 0 to their density, per nat.
    far : float
        To where it is drawn.
    at_zero : float
        Probability of a ratio of exactly 0.
    """

    name: str
    density: Callable[[FloatArray], FloatArray]
    far: float
    at_zero: float = 0.0


@dataclass(frozen=True)
class Draws:
    """What chance has made of a statistic if the null is true.

    Parameters
    ----------
    values : ndarray of float64, (n_draws,)
        The statistic in each draw, nan where it failed.
    observed : float
        In the data.
    name : str
        What was drawn.
    statistic : str
        What the statistic is, with its unit.
    df : int or None
        Degrees of freedom of the chi-squared law that it is compared with, if with any.
    """

    values: FloatArray
    observed: float
    name: str
    statistic: str
    df: int | None


@dataclass(frozen=True)
class SplitRatios:
    """Split likelihood ratios, of which the mean has to exceed something.

    Parameters
    ----------
    log_ratios : ndarray of float64, (n_splits, 2)
        Natural logarithms, for either half of each split.
    log_mean : float
        Of their mean.
    """

    log_ratios: FloatArray
    log_mean: float


@dataclass(frozen=True)
class Differences:
    """How much better the alternative predicts each item.

    Parameters
    ----------
    values : ndarray of float64, (n_items,)
        Nats.
    mean : float
        Of them.
    interval : tuple of float
        Of 95 %, for the mean.
    """

    values: FloatArray
    mean: float
    interval: tuple[float, float]


Picture = Curve | Draws | SplitRatios | Differences
