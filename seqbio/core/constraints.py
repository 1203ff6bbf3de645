"""Constrained parameters in coordinates that are free to take any value.

Each constraint maps unconstrained coordinates to values and back, and gives the derivatives. A
coordinate of -inf is a value of exactly 0, in both directions, so that a boundary estimate is a
point like any other: a likelihood there is not merely approached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core._checks import checked, refuse
from seqbio.core.numerics import FloatArray, logit, sigmoid, softmax
from seqbio.errors import ParameterError

# How far a sum of probabilities may be from 1, to allow for values read from a printed table.
_SUM_TOLERANCE = 1e-6


class Constraint(Protocol):
    """A map between coordinates and values; leading axes are batch axes."""

    def to_constrained(self, coordinates: ArrayLike) -> FloatArray:
        """Give the values at the coordinates."""

    def to_unconstrained(self, values: ArrayLike) -> FloatArray:
        """Give the coordinates of the values."""

    def jacobian(self, coordinates: ArrayLike) -> FloatArray:
        """Differentiate the values with respect to the coordinates."""


@checked
@dataclass(frozen=True)
class Positive:
    """Positive numbers through their logarithm.

    Examples
    --------
    >>> Positive().to_constrained([-np.inf, 0.0])
    array([0., 1.])
    """

    def to_constrained(self, coordinates: ArrayLike) -> FloatArray:
        """Take the exponential.

        Parameters
        ----------
        coordinates : array_like of float, (...)
            Logarithms.

        Returns
        -------
        ndarray of float64, (...)
            Values of at least 0.

        Examples
        --------
        >>> Positive().to_constrained([0.0])
        array([1.])
        """
        return np.asarray(np.exp(np.asarray(coordinates, dtype=np.float64)))[()]

    def to_unconstrained(self, values: ArrayLike) -> FloatArray:
        """Take the logarithm.

        Parameters
        ----------
        values : array_like of float, (...)
            At least 0.

        Returns
        -------
        ndarray of float64, (...)
            -inf where the value is 0.

        Raises
        ------
        ParameterError
            A value is negative or nan.

        Examples
        --------
        >>> Positive().to_unconstrained([0.0, 1.0])
        array([-inf,   0.])
        """
        values = np.asarray(values, dtype=np.float64)
        refuse(~(values >= 0), values, "values", "give a number that is at least 0")
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(values))[()]

    def jacobian(self, coordinates: ArrayLike) -> FloatArray:
        """Differentiate each value with respect to its own coordinate.

        Parameters
        ----------
        coordinates : array_like of float, (...)
            Logarithms.

        Returns
        -------
        ndarray of float64, (...)
            The diagonal of the Jacobian matrix, which has nothing else: the values themselves.

        Examples
        --------
        >>> Positive().jacobian([-np.inf, 0.0])
        array([0., 1.])
        """
        return self.to_constrained(coordinates)


@checked
@dataclass(frozen=True)
class Probability:
    """Probabilities, each on its own, through their log odds.

    Examples
    --------
    >>> Probability().to_constrained([-np.inf, 0.0])
    array([0. , 0.5])
    """

    def to_constrained(self, coordinates: ArrayLike) -> FloatArray:
        """Take the sigmoid.

        Parameters
        ----------
        coordinates : array_like of float, (...)
            Log odds.

        Returns
        -------
        ndarray of float64, (...)
            Probabilities.

        Examples
        --------
        >>> Probability().to_constrained([0.0])
        array([0.5])
        """
        return sigmoid(coordinates)

    def to_unconstrained(self, values: ArrayLike) -> FloatArray:
        """Take the log odds.

        Parameters
        ----------
        values : array_like of float, (...)
            Probabilities, from 0 to 1.

        Returns
        -------
        ndarray of float64, (...)
            -inf where the probability is 0, +inf where it is 1.

        Raises
        ------
        ParameterError
            A value is not between 0 and 1.

        Examples
        --------
        >>> Probability().to_unconstrained([0.0, 0.5, 1.0])
        array([-inf,   0.,  inf])
        """
        values = np.asarray(values, dtype=np.float64)
        refuse(~((values >= 0) & (values <= 1)), values, "values", "give a probability from 0 to 1")
        return logit(values)

    def jacobian(self, coordinates: ArrayLike) -> FloatArray:
        """Differentiate each probability with respect to its own coordinate.

        Parameters
        ----------
        coordinates : array_like of float, (...)
            Log odds.

        Returns
        -------
        ndarray of float64, (...)
            The diagonal of the Jacobian matrix, which has nothing else: p (1 - p).

        Examples
        --------
        >>> Probability().jacobian([-np.inf, 0.0])
        array([0.  , 0.25])
        """
        coordinates = np.asarray(coordinates, dtype=np.float64)
        return sigmoid(coordinates) * sigmoid(-coordinates)


@checked
@dataclass(frozen=True)
class Simplex:
    """K probabilities that sum to 1, through K - 1 log odds against a reference entry.

    Reference coding has no redundant coordinate, so coordinates count degrees of freedom. The
    reference itself cannot be 0; any other entry can.

    Parameters
    ----------
    reference : int, default -1
        Which of the K entries the log odds are against.

    Examples
    --------
    >>> Simplex().to_constrained([0.0, -np.inf])
    array([0.5, 0. , 0.5])
    """

    reference: int = -1

    def to_constrained(self, coordinates: ArrayLike) -> FloatArray:
        """Take the softmax of the coordinates, with a 0 put in for the reference.

        Parameters
        ----------
        coordinates : array_like of float, (..., K - 1)
            Log odds of the other entries, in order.

        Returns
        -------
        ndarray of float64, (..., K)
            Probabilities, which sum to 1 over the last axis.

        Raises
        ------
        ParameterError
            A coordinate is +inf or nan, or there is no entry with the number of the reference.

        Examples
        --------
        >>> Simplex(reference=0).to_constrained([np.log(2.0), 0.0])
        array([0.25, 0.5 , 0.25])
        """
        coordinates = np.atleast_1d(np.asarray(coordinates, dtype=np.float64))
        refuse(
            ~(coordinates < np.inf),
            coordinates,
            "coordinates",
            "give log odds below +inf, or choose another reference",
        )
        return softmax(np.insert(coordinates, self._position(coordinates.shape[-1] + 1), 0.0, -1))

    def to_unconstrained(self, values: ArrayLike) -> FloatArray:
        """Take the log odds against the reference.

        Parameters
        ----------
        values : array_like of float, (..., K)
            Probabilities, which sum to 1 (to 1e-6) over the last axis.

        Returns
        -------
        ndarray of float64, (..., K - 1)
            -inf where the probability is 0.

        Raises
        ------
        ParameterError
            A value is negative or nan, a sum is not 1, or the reference has probability 0.

        Examples
        --------
        >>> Simplex().to_unconstrained([0.5, 0.0, 0.5])
        array([  0., -inf])
        """
        values = np.atleast_1d(np.asarray(values, dtype=np.float64))
        position = self._position(values.shape[-1])
        sums = values.sum(axis=-1)
        refuse(~(values >= 0), values, "values", "give a probability that is at least 0")
        refuse(
            np.abs(sums - 1) > _SUM_TOLERANCE, sums, "the sum of values", "make the values sum to 1"
        )
        refuse(
            (values == 0) & (np.arange(values.shape[-1]) == position),
            values,
            "the reference values",
            "choose a reference whose probability is above 0",
        )
        with np.errstate(divide="ignore"):
            logarithms = np.log(values)
        return np.delete(logarithms - logarithms[..., position, None], position, axis=-1)

    def jacobian(self, coordinates: ArrayLike) -> FloatArray:
        """Differentiate every probability with respect to every coordinate.

        Parameters
        ----------
        coordinates : array_like of float, (..., K - 1)
            Log odds of the other entries, in order.

        Returns
        -------
        ndarray of float64, (..., K, K - 1)
            ``p_i (1[i = j] - p_j)``, with the column of the reference left out.

        Raises
        ------
        ParameterError
            As for `to_constrained`.

        Examples
        --------
        >>> Simplex().jacobian([0.0])
        array([[ 0.25],
               [-0.25]])
        """
        values = self.to_constrained(coordinates)
        n_entries = values.shape[-1]
        matrix = values[..., :, None] * (np.eye(n_entries) - values[..., None, :])
        return np.delete(matrix, self._position(n_entries), axis=-1)

    def _position(self, n_entries: int) -> int:
        """Count the reference from the front."""
        if not -n_entries <= self.reference < n_entries:
            raise ParameterError(
                f"the reference is entry {self.reference} of a simplex of {n_entries} entries; "
                f"give a reference from {-n_entries} to {n_entries - 1}"
            )
        return self.reference % n_entries
