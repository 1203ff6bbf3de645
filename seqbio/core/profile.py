"""Profile likelihoods of any scalar function of the parameters, and intervals by them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core._checks import checked
from seqbio.core.ascent import EDGE, Objective, free_names
from seqbio.core.fit import Fit, fit, normal_quantile, objective_of
from seqbio.core.layout import Layout
from seqbio.core.model import BoolArray, Effect
from seqbio.core.numerics import FloatArray
from seqbio.core.tie_patterns import untied
from seqbio.errors import ConvergenceError, ConvergenceWarning, ParameterError, warn

_IMPOSSIBLE = 1e3  # stands for an infinite drop; a finite number, for the root finder
_MOST_STEPS = 60  # of Newton's method, which takes one where the function is linear

Function = Callable[[FloatArray], Effect]
"""From full parameters, (n_full,), to a scalar of them with its gradient."""


@checked
def profile_interval(
    fitted: Fit, data: Any, function: str | Function, *, level: float = 0.95
) -> tuple[float, float]:
    """Give the interval of a function of the parameters that the profile likelihood implies.

    The function is held at other values and the likelihood maximised over everything else, each
    time from the last such fit; the interval ends where twice the log-likelihood has dropped by the
    quantile of the chi-squared distribution with one degree of freedom. It carries over to every
    increasing function of it. An end is infinite where the drop stays below.

    To hold the function, the free parameter on which it depends most is worked out from the others
    (Newton's method), which makes the problem one of free maximisation again.

    Parameters
    ----------
    fitted : Fit
        Of the model to the same data, at its optimum.
    data : object
        In the form that the model takes.
    function : str or callable
        Name of a full parameter, see ``Layout.entry_names``, whose copies go with it; or a
        function from full parameters, (n_full,), to an `Effect`, preferably one without bounds,
        such as the logarithm of a ratio.
    level : float, default 0.95
        Coverage in regular cases.

    Returns
    -------
    lower, upper : float
        Of the effect; ``exp(value)`` for effects on a log scale.

    Raises
    ------
    ParameterError
        There is no such entry, or the tying fixes it, or the level is not between 0 and 1, or the
        function does not depend on the free parameters.
    ConvergenceError
        A higher log-likelihood appeared on the way: the fit is not at its optimum.
    DataMismatchError
        The fit was made on other data.

    Warns
    -----
    ConvergenceWarning
        A fit on the way did not converge.

    References
    ----------
    Pawitan, Y. (2001). In All Likelihood, sections 3.4 and 9.4. Oxford University Press.

    Examples
    --------
    The mean of four unit normal numbers, known to 1.96 / sqrt(4), and its exponential:

    >>> from seqbio.core import Effect, Layout, untied
    >>> class NormalMean:
    ...     layout = Layout({"mean": ()})
    ...     def start(self, data):
    ...         return np.zeros(1)
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2) / 2
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         return self.log_likelihood(full, data).sum(), (data - full).sum(keepdims=True)
    >>> data = np.array([1.0, 2.0, 6.0, 7.0])
    >>> result = fit(NormalMean(), untied(1), data)
    >>> lower, upper = profile_interval(result, data, "mean")
    >>> print(f"{lower:.4f} {upper:.4f}")
    3.0200 4.9800
    >>> def exponential(full):
    ...     return Effect("exp(mean)", full[0], np.ones(1), log_scale=True)
    >>> lower, upper = profile_interval(result, data, exponential)
    >>> print(f"{np.log(lower):.4f} {np.log(upper):.4f}")
    3.0200 4.9800
    """
    evaluate = _entry(fitted, function) if isinstance(function, str) else function
    profile = _Profile(fitted, data, evaluate, normal_quantile(level))
    effect = evaluate(fitted.full)
    ends = [profile.end(-1), profile.end(1)]
    lower, upper = np.exp(ends) if effect.log_scale else ends
    return float(lower), float(upper)


@checked
def profile_likelihood(
    fitted: Fit, data: Any, function: str | Function, values: ArrayLike
) -> FloatArray:
    """Maximise the log-likelihood with a function of the parameters held at given values.

    Parameters
    ----------
    fitted, data, function
        As for `profile_interval`.
    values : array_like of float, (n,)
        Of the effect, logarithms for effects on a log scale.

    Returns
    -------
    ndarray of float64, (n,)
        Nats; -inf where a value is impossible.

    Raises
    ------
    ParameterError, ConvergenceError, DataMismatchError
        As `profile_interval` does.

    Examples
    --------
    The mean of four unit normal numbers, held one below their average:

    >>> from seqbio.core import Layout, untied
    >>> class NormalMean:
    ...     layout = Layout({"mean": ()})
    ...     def start(self, data):
    ...         return np.zeros(1)
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2) / 2
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         return self.log_likelihood(full, data).sum(), (data - full).sum(keepdims=True)
    >>> data = np.array([1.0, 2.0, 6.0, 7.0])
    >>> result = fit(NormalMean(), untied(1), data)
    >>> (profile_likelihood(result, data, "mean", [3.0, 4.0]) - result.log_likelihood).round(6)
    array([-2.,  0.])
    """
    evaluate = _entry(fitted, function) if isinstance(function, str) else function
    profile = _Profile(fitted, data, evaluate, 0.0)
    wanted = np.asarray(values, dtype=np.float64)
    if wanted.ndim != 1:
        raise ParameterError(f"values have the shape {wanted.shape}; give a list of numbers")
    estimate = float(evaluate(fitted.full).value)
    drops = np.empty(wanted.shape)
    for side in (wanted < estimate, wanted >= estimate):
        profile.begin()
        # Outwards, so that each fit starts near the one before.
        for place in sorted(np.flatnonzero(side), key=lambda i: abs(wanted[i] - estimate)):
            root = profile.excess(float(wanted[place]))
            drops[place] = root**2 / 2 if root < _IMPOSSIBLE else np.inf
    return fitted.log_likelihood - drops


class _Profile:
    """The drop of the profile likelihood as a function of the value of an effect."""

    def __init__(self, fitted: Fit, data: Any, function: Function, quantile: float) -> None:
        self._fitted, self._function, self._quantile = fitted, function, quantile
        self._objective = objective_of(fitted, data)
        effect = function(fitted.full)
        if not isinstance(effect, Effect):
            raise ParameterError(f"the function gives {effect!r}; let it return an Effect")
        self._name, self._estimate = effect.name, float(effect.value)
        slope = fitted.tying.pull_back(effect.gradient)
        curvature = self._objective.curvature(fitted.free)
        known = np.ones(slope.size) if curvature is None else curvature
        if np.isinf(self._estimate):  # then a coordinate that is at -inf makes it so
            influence = np.where(np.isneginf(fitted.free), np.abs(slope), 0.0)
        else:
            influence = np.where(np.isfinite(fitted.free), np.abs(slope) / np.sqrt(known), 0.0)
        if not influence.any():
            raise ParameterError(
                f"{self._name} does not depend on the free parameters, or only on those at -inf, "
                "so it has no interval"
            )
        self._pivot = int(influence.argmax())
        self._alone = np.count_nonzero(slope) == 1
        self._direction = float(np.sign(slope[self._pivot]))
        self._width = quantile * float(influence[self._pivot]) if curvature is not None else 1.0
        self._nearby = fitted.free
        self.excess = cache(self._excess)

    def begin(self) -> None:
        """Start the next fit from the optimum."""
        self._nearby = self._fitted.free

    def end(self, direction: int) -> float:
        """Find one end of the interval."""
        from scipy.optimize import brentq

        self.begin()
        if self._is_zero_likely(direction):
            return direction * np.inf
        inner, step = self._estimate, direction * self._width
        if np.isinf(self._estimate):
            inner, step = direction * EDGE, float(direction)
        for _ in range(30):
            outer = inner + step
            if self.excess(outer) >= 0:
                return float(brentq(self.excess, inner, outer, xtol=1e-6 * abs(step), rtol=1e-6))
            inner, step = outer, 2 * step
        return direction * np.inf

    def _is_zero_likely(self, direction: int) -> bool:
        """Tell whether the end is where the pivot is -inf.

        That is looked at where the function depends on the pivot alone, or is infinite already.
        """
        if np.isinf(self._estimate):
            return bool(direction == np.sign(self._estimate))
        if not self._alone or direction != -self._direction:
            return False
        can_be_zero = bool(self._objective.can_be_zero[self._pivot])
        return can_be_zero and bool(self.excess(direction * np.inf) < 0)

    def _excess(self, value: float) -> float:
        """Take the root of twice the drop, which is nearly linear, less the quantile."""
        if value == self._estimate:
            return -self._quantile
        level_set = _LevelSet(self._objective, self._fitted, self._function, self._pivot, value)
        try:
            profile = fit(
                level_set,
                untied(level_set.layout.size),
                None,
                start=np.delete(self._nearby, self._pivot),
            )
        except ConvergenceError:  # the value is impossible
            return _IMPOSSIBLE
        if not profile.converged:
            warn(
                f"a fit on the way to an interval did not converge: {profile.message}",
                ConvergenceWarning,
            )
        self._nearby = level_set.joined(profile.full)
        drop = self._fitted.log_likelihood - profile.log_likelihood
        if drop < -1e-4:
            raise ConvergenceError(
                f"with {self._name} held elsewhere the log-likelihood is {-drop:.3g} nats above "
                "that of the fit, which is not at its optimum; fit again from more starts"
            )
        return min(float(np.sqrt(2 * max(drop, 0.0))) - self._quantile, _IMPOSSIBLE)


class _LevelSet:
    """The model where a function of its parameters has a given value: a model of the others."""

    def __init__(
        self, objective: Objective, fitted: Fit, function: Function, pivot: int, value: float
    ) -> None:
        self._objective, self._tying, self._function = objective, fitted.tying, function
        self._pivot, self._value = pivot, value
        guess = fitted.free[pivot]
        self._guess = float(guess) if np.isfinite(guess) else EDGE
        self.layout = Layout({"other": (fitted.n_free - 1,)})
        self.boundary: BoolArray = np.delete(objective.can_be_zero, pivot)
        known = objective.curvature(fitted.free) is not None
        self.curvature = self._curvature if known else None

    def joined(self, others: FloatArray) -> FloatArray:
        """Work out the pivot, and put it among the others: all free parameters."""
        return self._solved(others)[0]

    def start(self, data: None) -> FloatArray:  # noqa: ARG002
        """Never asked for: there is always a start nearby."""
        return np.zeros(self.layout.size)

    def log_likelihood(self, full: FloatArray, data: None) -> FloatArray:  # noqa: ARG002
        """Give the log-likelihood of everything, as one item."""
        return np.array([self._objective(self.joined(full)).value])

    def log_likelihood_and_gradient(
        self,
        full: FloatArray,
        data: None,  # noqa: ARG002
    ) -> tuple[float, FloatArray]:
        """Move along the level set: the pivot follows the others."""
        free, slope = self._solved(full)
        point = self._objective(free)
        others = np.delete(slope, self._pivot)
        along = others * (point.gradient[self._pivot] / slope[self._pivot]) if others.any() else 0.0
        return point.value, np.delete(point.gradient, self._pivot) - along

    def _curvature(self, full: FloatArray, data: None) -> FloatArray:  # noqa: ARG002
        curvature = self._objective.curvature(self.joined(full))
        return np.delete(np.asarray(curvature), self._pivot)

    def _solved(self, others: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Find the pivot at which the function has its value; also its slope there, (n_free,)."""
        free = np.insert(others, self._pivot, self._guess)
        if np.isinf(self._value):
            slope = self._tying.pull_back(self._function(self._tying.expand(free)).gradient)
            free[self._pivot] = -np.inf
            return free, np.where(np.arange(slope.size) == self._pivot, slope, 0.0)
        for _ in range(_MOST_STEPS):
            effect = self._function(self._tying.expand(free))
            slope = self._tying.pull_back(effect.gradient)
            missing = self._value - float(effect.value)
            if abs(missing) <= 1e-10 * max(1.0, abs(self._value)):
                return free, slope
            if not (np.isfinite(missing) and slope[self._pivot]):
                break
            free[self._pivot] += missing / slope[self._pivot]
        raise ConvergenceError(
            f"no value of the parameters makes the function {self._value:.6g}; give one without "
            "bounds, such as a logarithm or log odds"
        )


def _entry(fitted: Fit, entry: str) -> Function:
    """Make a function of a full parameter's name."""
    names = fitted.model.layout.entry_names
    if entry not in names or fitted.tying.group[names.index(entry)] < 0:
        raise ParameterError(
            f"{entry!r} is {'fixed' if entry in names else 'no parameter'}; the free parameters "
            f"are {', '.join(free_names(fitted.model.layout, fitted.tying))}"
        )
    place = names.index(entry)
    gradient = (np.arange(len(names)) == place).astype(np.float64)
    return lambda full: Effect(entry, float(full[place]), gradient)
