"""What every way to a p-value must say of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from seqbio.core import Check
from seqbio.core.numerics import FloatArray
from seqbio.errors import ParameterError
from seqbio.hypothesis_testing.pictures import Picture


class Evidence(Protocol):
    """A p-value, or the reasons why there is none, and what it was made from."""

    @property
    def name(self) -> str:
        """The method, in short."""
        ...

    @property
    def log_pvalue(self) -> float | None:
        """Natural logarithm of the p-value; None where none is valid."""
        ...

    @property
    def null_law(self) -> str:
        """The law under the null, and why it holds."""
        ...

    @property
    def checks(self) -> tuple[Check, ...]:
        """Reasons for doubt; an "invalid" one goes with no p-value."""
        ...

    def picture(self) -> Picture:
        """Say what a figure of it shows."""
        ...

    def rows(self) -> list[tuple[str, str]]:
        """Give label and value of what people should see."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        ...


def exceedance_interval(n_exceeding: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Give the interval of a probability of which so many cases in n were seen.

    Clopper and Pearson's interval, which covers at least as often as it says.

    Parameters
    ----------
    n_exceeding, n : int
        Cases, and trials.
    level : float, default 0.95
        Coverage.

    Returns
    -------
    lower, upper : float
        From 0 to 1.

    Examples
    --------
    >>> lower, upper = exceedance_interval(5, 100)
    >>> print(f"{lower:.3f} {upper:.3f}")
    0.016 0.113
    """
    from scipy.stats import beta

    tail = (1 - level) / 2
    lower = beta.ppf(tail, n_exceeding, n - n_exceeding + 1) if n_exceeding else 0.0
    upper = beta.isf(tail, n_exceeding + 1, n - n_exceeding) if n_exceeding < n else 1.0
    return float(lower), float(upper)


LEAST_USEFUL = 0.05  # a test whose least p-value is above that cannot find anything
_FIRST = 9_999  # draws
_FEW = 100  # that exceed, for which more are drawn


def count_exceeding(
    exceeding: Callable[[int, np.random.Generator], int],
    at_a_time: int,
    most: int,
    generator: np.random.Generator,
) -> tuple[int, int]:
    """Draw 9,999 transformations at random, and more where few reach the observed statistic.

    Parameters
    ----------
    exceeding : callable
        Draws a number of them with a generator, and counts those that reach it.
    at_a_time, most : int
        How many are drawn at a time, and together.
    generator : numpy.random.Generator
        For all of them.

    Returns
    -------
    n, n_exceeding : int
        How many were drawn, and how many reach it.
    """
    n_done = n_exceeding = 0
    for n_wanted in (_FIRST, most):
        while n_done < n_wanted:
            n = min(at_a_time, n_wanted - n_done)
            n_exceeding += exceeding(n, generator)
            n_done += n
        if n_exceeding >= _FEW:
            break
    return n_done, n_exceeding


def check_count(name: str, value: int, least: int) -> None:
    """Refuse a number of things that is no integer or too small.

    Parameters
    ----------
    name : str
        Of the argument.
    value, least : int
        What was given, and what is needed.

    Raises
    ------
    ParameterError
        With the argument's name.
    """
    if not isinstance(value, (int, np.integer)) or value < least:
        raise ParameterError(f"{name} is {value!r}; give an integer of {least} or more")


def finite_list(values: FloatArray) -> list[float | None]:
    """Write numbers for JSON, which has no infinity.

    Parameters
    ----------
    values : ndarray of float64, (n,)
        Any.

    Returns
    -------
    list of float or None
        None for what is not finite.

    Examples
    --------
    >>> finite_list(np.array([1.0, -np.inf]))
    [1.0, None]
    """
    return [float(value) if np.isfinite(value) else None for value in values]
