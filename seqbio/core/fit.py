"""Maximum likelihood for any model and any tying, with the evidence that it is the maximum.

The optimiser works in coordinates in which the log-likelihood is about as curved in every
direction: free parameter times the square root of the model's rough curvature. A gradient of norm
g in these units, which are square roots of nats, leaves about g**2 / 2 nats to gain; that is what
the stopping rule and `Fit.gradient_norm` mean. Where a model gives no curvature, it is probed along
the gradient and, near the optimum, in each coordinate; that takes more evaluations.

A coordinate whose best value is -inf (the logit of a probability whose estimate is exactly 0)
would go there for ever. It is stopped at -9; once the rest is settled it is put to -inf, unless
that lowers the log-likelihood, and then it goes on down. At the end the slope at -14, a
probability of less than a millionth, shows for every coordinate at -inf whether it would rather
come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core._checks import checked
from seqbio.core.ascent import Objective, climb, free_names, names_along
from seqbio.core.fingerprint import fingerprint
from seqbio.core.model import Effect, Hypothesis, Model, begin_of, estimates_of, standard_of
from seqbio.core.numerics import FloatArray
from seqbio.core.parallel import spawn_generators
from seqbio.core.tables import Summarised, Table, numbers_table, shortened
from seqbio.core.tying import Tying
from seqbio.errors import (
    ConvergenceError,
    DataMismatchError,
    ParameterError,
)

_MOST_NAMES = 20  # in a summary


@dataclass(frozen=True, eq=False)
class Fit(Summarised):
    """The best parameters that were found, and the evidence that they are the best.

    Parameters
    ----------
    model, tying : Model, Tying
        What was fitted.
    data_fingerprint : str
        Names the data, see `fingerprint`.
    free : ndarray of float64, (n_free,)
        Free parameters at the optimum; -inf for those at their boundary.
    full : ndarray of float64, (n_full,)
        ``tying.expand(free)``.
    log_likelihood : float
        Of all items together, in nats.
    n_free : int
        Number of free parameters.
    gradient_norm : float
        Norm of the gradient in units in which the curvature is about 1, in square roots of nats:
        about ``gradient_norm**2 / 2`` nats are left to gain nearby.
    n_iterations, n_evaluations : int
        Steps of the optimiser, and calls of ``log_likelihood_and_gradient``, of all starts.
    converged : bool
        Whether the best optimum is one.
    message : str
        The reason for that.
    optima : tuple of float
        Log-likelihoods reached from all starts, best first.
    optima_converged : tuple of bool
        Which of them are optima.
    at_boundary : tuple of str
        Names of the free parameters that are -inf; copies are joined by " = ".
    """

    model: Model
    tying: Tying
    data_fingerprint: str
    free: FloatArray
    full: FloatArray
    log_likelihood: float
    n_free: int
    gradient_norm: float
    n_iterations: int
    n_evaluations: int
    converged: bool
    message: str
    optima: tuple[float, ...]
    optima_converged: tuple[bool, ...]
    at_boundary: tuple[str, ...]

    @property
    def is_made(self) -> bool:
        """Whether there are parameters; `not_fitted` has none."""
        return not np.isnan(self.log_likelihood)

    def _summary(self) -> tuple[str, list[Table]]:
        reached = f"log-likelihood {self.log_likelihood:.6f} nats, " if self.is_made else ""
        sentence = (
            f"{type(self.model).__name__}, {self.n_free} free parameters "
            f"of {self.tying.n_full}: {reached}{self.convergence}"
        )
        if not self.is_made:
            return sentence, []
        at_boundary = [(name,) for name in shortened(list(self.at_boundary), _MOST_NAMES)]
        return sentence, [
            numbers_table("Estimates", estimates_of(self.model, self.full), _MOST_NAMES),
            Table("Estimated at the boundary", (), at_boundary),
        ]

    @property
    def convergence(self) -> str:
        """Whether it is an optimum, why, and how it compares with those of other starts."""
        if not self.is_made:
            return f"not fitted: {self.message}"
        starts = ""
        if len(self.optima) > 1:
            below = self.optima[0] - self.optima[1]
            starts = f"; best of {len(self.optima)} starts, the second {below:.2g} nats below"
        return (
            f"{'converged' if self.converged else 'NOT CONVERGED'}: {self.message}; "
            f"{self.n_iterations} iterations, {self.n_evaluations} evaluations{starts}"
        )


@checked
def fit(
    model: Model,
    tying: Tying,
    data: Any,
    *,
    start: ArrayLike | None = None,
    n_starts: int = 1,
    seed: int | np.random.Generator | None = None,
    max_iterations: int = 200,
    tolerance: float = 1e-4,
) -> Fit:
    """Maximise the log-likelihood over the free parameters.

    SciPy's L-BFGS-B climbs in scaled coordinates (see the head of this module) until the scaled
    gradient is below the tolerance; the scale is then taken anew at the optimum and the climb goes
    on if need be. When the model gives no curvature and has more than 30 parameters, the scale is
    known in one direction alone; then a further climb from the optimum, with nothing remembered,
    has to gain less than a millionth of a nat.

    Parameters
    ----------
    model : Model
        See `seqbio.core.model`.
    tying : Tying
        Which of the model's parameters are one.
    data : object
        In the form that the model takes.
    start : array_like of float, (n_full,), optional
        Full parameters to start from, projected onto the tying; by default the model's own start.
        A coordinate at -inf stays there if the model allows it and the log-likelihood does not
        rise on the way back; else it is moved inside.
    n_starts : int, default 1
        Further starts are the first one with normal noise of standard deviation 1 on every free
        coordinate.
    seed : int, numpy.random.Generator or None
        For the noise.
    max_iterations : int, default 200
        Most steps of the optimiser for each start.
    tolerance : float, default 1e-4
        For the scaled gradient norm, in square roots of nats.

    Returns
    -------
    Fit
        The best optimum, with convergence evidence; it may say that it did not converge.

    Raises
    ------
    ConvergenceError
        The log-likelihood or its gradient at the start is not finite.
    ParameterError
        An argument has a wrong shape or value.

    Examples
    --------
    >>> from seqbio.core import Layout, untied
    >>> class NormalMean:
    ...     layout = Layout({"mean": ()})
    ...     def start(self, data):
    ...         return np.zeros(1)
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2) / 2
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         return self.log_likelihood(full, data).sum(), (data - full).sum(keepdims=True)
    >>> result = fit(NormalMean(), untied(1), np.array([1.0, 2.0, 6.0]))
    >>> print(f"{result.full[0]:.4f}", result.converged)
    3.0000 True
    """
    if n_starts < 1 or max_iterations < 1 or not tolerance > 0:
        raise ParameterError(
            f"n_starts is {n_starts}, max_iterations {max_iterations} and tolerance {tolerance}; "
            "give at least one start and one iteration, and a tolerance above 0"
        )
    objective = Objective(model, tying, data)
    if start is None:
        start = model.start(data)
    first = objective.begin(begin_of(model, start, data, tying))
    climbs = [climb(objective, first, max_iterations, tolerance)]
    for generator in spawn_generators(seed, n_starts - 1):
        fresh = objective.fresh(first, generator)
        climbs.append(climb(objective, fresh, max_iterations, tolerance))

    order = sorted(range(n_starts), key=lambda i: -climbs[i].point.value)
    best = climbs[order[0]]
    free = standard_of(model, best.point.free, tying)
    full = tying.expand(free)
    for array in (free, full):
        array.setflags(write=False)
    return Fit(
        model=model,
        tying=tying,
        data_fingerprint=fingerprint(data),
        free=free,
        full=full,
        log_likelihood=best.point.value,
        n_free=tying.n_free,
        gradient_norm=best.gradient_norm,
        n_iterations=sum(climb.n_iterations for climb in climbs),
        n_evaluations=objective.n_evaluations,
        converged=best.converged,
        message=best.message,
        optima=tuple(climbs[i].point.value for i in order),
        optima_converged=tuple(climbs[i].converged for i in order),
        at_boundary=free_names(model.layout, tying, np.flatnonzero(np.isneginf(free))),
    )


def best_of(fits: Sequence[Fit]) -> Fit:
    """Take the best of fits from several starts; it notes what all of them reached and cost."""
    ordered = sorted(fits, key=lambda found: -found.log_likelihood)
    return replace(
        ordered[0],
        optima=tuple(found.log_likelihood for found in ordered),
        optima_converged=tuple(found.converged for found in ordered),
        n_iterations=sum(found.n_iterations for found in fits),
        n_evaluations=sum(found.n_evaluations for found in fits),
    )


@checked
def maximise(
    model: Model,
    tying: Tying,
    data: Any,
    *,
    start: ArrayLike | None = None,
    n_starts: int = 1,
    seed: int | np.random.Generator | None = None,
    max_iterations: int = 200,
) -> Fit:
    """Fit a model in its own way if it has one, and else by `fit`.

    Networks are trained in minibatches rather than by L-BFGS. Such a model has a method
    ``maximise(tying, data, start=..., n_starts=..., seed=...)`` that returns a `Fit`, which
    `fit_at` makes from the parameters that were reached. Tests and comparisons fit through here.

    Parameters
    ----------
    model, tying, data
        As in `fit`.
    start : array_like of float, (n_full,), optional
        Full parameters to start from; by default the model's own start.
    n_starts : int, default 1
        How many starts.
    seed : int, numpy.random.Generator or None
        For fresh starts and whatever else is random in the model's own way.

    max_iterations : int, default 200
        As in `fit`; a model's own way has a measure of its own.

    Returns
    -------
    Fit
        The best optimum that was found.
    """
    own = getattr(model, "maximise", None)
    if own is None:
        return fit(
            model,
            tying,
            data,
            start=start,
            n_starts=n_starts,
            seed=seed,
            max_iterations=max_iterations,
        )
    fitted: Fit = own(tying, data, start=start, n_starts=n_starts, seed=seed)
    return fitted


@checked
def learn(
    model: Model,
    tying: Tying,
    data: Any,
    *,
    start: ArrayLike | None = None,
    n_starts: int = 1,
    seed: int | np.random.Generator | None = None,
) -> Fit:
    """Fit a model in order to predict items that it has not seen, not to reach a maximum.

    A model with many parameters predicts best some way before its maximum. It may have a method
    ``learn(tying, data, start=..., n_starts=..., seed=...)``, with a `Fit` as result, that stops
    there; others are fitted by `maximise`. For comparisons that judge a fit on other data.

    Parameters
    ----------
    model, tying, data, start, n_starts, seed
        As in `maximise`.

    Returns
    -------
    Fit
        Parameters that predict well; ``converged`` says nothing about that.
    """
    own = getattr(model, "learn", None)
    if own is None:
        return maximise(model, tying, data, start=start, n_starts=n_starts, seed=seed)
    fitted: Fit = own(tying, data, start=start, n_starts=n_starts, seed=seed)
    return fitted


@checked
def fit_at(
    model: Model,
    tying: Tying,
    data: Any,
    full: ArrayLike,
    *,
    converged: bool,
    message: str,
    n_iterations: int = 0,
    n_evaluations: int = 0,
    optima: tuple[float, ...] = (),
) -> Fit:
    """Write down parameters that were found in another way as a fit.

    Parameters
    ----------
    model, tying, data
        As in `fit`.
    full : array_like of float, (n_full,)
        The parameters, an element of the tying.
    converged : bool
        Whether they are known to be an optimum.
    message : str
        How that is known, or why it is not.
    n_iterations, n_evaluations : int
        What it took.
    optima : tuple of float, optional
        Log-likelihoods that all starts reached.

    Returns
    -------
    Fit
        With the log-likelihood of the data at these parameters; the gradient is not looked at, so
        its norm is nan.

    Raises
    ------
    ParameterError
        The parameters are not an element of the tying.
    """
    values = np.asarray(full, dtype=np.float64)
    if not tying.contains(values):
        raise ParameterError("the full parameters do not obey the tying; expand free ones")
    free = tying.project(values)
    values = tying.expand(free)
    for array in (free, values):
        array.setflags(write=False)
    log_likelihood = float(np.sum(model.log_likelihood(values, data)))
    reached = tuple(sorted(optima, reverse=True)) or (log_likelihood,)
    return Fit(
        model=model,
        tying=tying,
        data_fingerprint=fingerprint(data),
        free=free,
        full=values,
        log_likelihood=log_likelihood,
        n_free=tying.n_free,
        gradient_norm=float("nan"),
        n_iterations=n_iterations,
        n_evaluations=n_evaluations,
        converged=converged,
        message=message,
        optima=reached,
        optima_converged=(converged,) * len(reached),
        at_boundary=free_names(model.layout, tying, np.flatnonzero(np.isneginf(free))),
    )


@checked
def not_fitted(hypothesis: Hypothesis, data: Any) -> Fit:
    """Stand in for the fit of a hypothesis that nobody has fitted.

    Parameters
    ----------
    hypothesis : Hypothesis
        Which.
    data : object
        In the form that the model takes.

    Returns
    -------
    Fit
        All that would be known of an optimum is nan, or empty.
    """
    model, tying = hypothesis.model, hypothesis.tying
    free, full = np.full(tying.n_free, np.nan), np.full(tying.n_full, np.nan)
    for array in (free, full):
        array.setflags(write=False)
    return Fit(
        model=model,
        tying=tying,
        data_fingerprint=fingerprint(data),
        free=free,
        full=full,
        log_likelihood=float("nan"),
        n_free=tying.n_free,
        gradient_norm=float("nan"),
        n_iterations=0,
        n_evaluations=0,
        converged=False,
        message="the test does not look at it",
        optima=(),
        optima_converged=(),
        at_boundary=(),
    )


@checked
def information(fitted: Fit, data: Any) -> FloatArray:
    """Observe the information matrix: minus the Hessian at the optimum.

    Central differences of the gradient, with steps of a thousandth of a standard error where the
    model gives its curvature, and at most of a thousandth of the coordinate or of 1. It takes
    ``2 * n_free`` evaluations.

    Parameters
    ----------
    fitted : Fit
        Of the model to the same data.
    data : object
        In the form that the model takes.

    Returns
    -------
    ndarray of float64, (n_free, n_free)
        In the free coordinates, symmetric; 0 in the rows and columns of coordinates at -inf, where
        the log-likelihood is no parabola.

    Raises
    ------
    DataMismatchError
        The fit was made on other data.
    """
    objective = objective_of(fitted, data)
    free = fitted.free
    step = 1e-3 * np.maximum(1.0, np.abs(free))
    curvature = objective.curvature(free)
    if curvature is not None:
        step = np.minimum(step, 1e-3 / np.sqrt(curvature))
    matrix = np.zeros((fitted.n_free, fitted.n_free))
    for j in np.flatnonzero(np.isfinite(free)):
        moved = np.tile(free, (2, 1))
        moved[:, j] += step[j], -step[j]
        above, below = (objective(point).gradient for point in moved)
        matrix[j] = (below - above) / (moved[0, j] - moved[1, j])
    return (matrix + matrix.T) / 2


@checked
def covariance(fitted: Fit, data: Any, *, observed: FloatArray | None = None) -> FloatArray:
    """Estimate the covariance of the free parameters: the inverse of the observed information.

    Parameters
    ----------
    fitted : Fit
        Of the model to the same data.
    data : object
        In the form that the model takes.
    observed : ndarray of float64, (n_free, n_free), optional
        From `information`, where it is known already.

    Returns
    -------
    ndarray of float64, (n_free, n_free)
        In the free coordinates; coordinates at -inf count as known and have 0.

    Raises
    ------
    ConvergenceError
        The information is singular or has a negative direction: the fit is at no optimum, or
        the data do not tell all parameters apart.
    DataMismatchError
        The fit was made on other data.
    """
    matrix = information(fitted, data) if observed is None else observed
    check_square(matrix, fitted, "observed")
    known = np.isneginf(fitted.free)
    # Units in which the diagonal is 1; a known coordinate is a unit of its own.
    diagonal = np.where(known | (matrix.diagonal() == 0), 1.0, matrix.diagonal())
    scale = np.sqrt(np.abs(diagonal))
    correlation = np.where(np.diag(known), 1.0, matrix) / np.outer(scale, scale)
    values, directions = np.linalg.eigh(np.nan_to_num(correlation))
    if values.size and not (values[0] > 1e-8 and np.isfinite(correlation).all()):
        flat = names_along(fitted.model.layout, fitted.tying, directions[:, 0] / scale)
        raise ConvergenceError(
            f"the information matrix is not positive definite (smallest eigenvalue {values[0]:.2g} "
            f"in units of its diagonal): the likelihood is flat along {flat}; fit from more "
            "starts, or tie or fix parameters that the data do not tell apart"
        )
    inverse = np.linalg.inv(correlation) / np.outer(scale, scale)
    return np.where(np.diag(known), 0.0, inverse)


def check_square(matrix: FloatArray, fitted: Fit, name: str) -> None:
    """Refuse a matrix that has not a row and a column for each free parameter."""
    if matrix.shape != (fitted.n_free, fitted.n_free):
        raise ParameterError(
            f"{name} has the shape {matrix.shape}; give a row and a column for each of the "
            f"{fitted.n_free} free parameters"
        )


@checked
def wald_interval(
    fitted: Fit,
    effect: Effect,
    covariance: FloatArray,
    *,
    level: float = 0.95,
    n_clusters: int | None = None,
) -> tuple[float, float]:
    """Give the interval of an effect that a parabola at the optimum implies.

    Value plus and minus a normal quantile times the standard error, which the delta method takes
    from the covariance of the free parameters. Quick; `profile_interval` is better where the
    log-likelihood is far from a parabola.

    Parameters
    ----------
    fitted : Fit
        At whose optimum the effect was evaluated.
    effect : Effect
        One of the model's `effects`, for example.
    covariance : ndarray of float64, (n_free, n_free)
        From the function of that name.
    level : float, default 0.95
        Coverage in regular cases with many data.
    n_clusters : int, optional
        From how many independent clusters of items the covariance was estimated, where it is that
        of `seqbio.core.robust_covariance`: Student's t then takes the place of the normal law.

    Returns
    -------
    lower, upper : float
        In the units of the quantity itself, ``exp(value)`` for effects on a log scale.

    Raises
    ------
    ParameterError
        The level is not between 0 and 1.
    """
    check_square(covariance, fitted, "covariance")
    gradient = fitted.tying.pull_back(effect.gradient)
    half = _quantile(level, n_clusters) * np.sqrt(gradient @ covariance @ gradient)
    ends = np.array([effect.value - half, effect.value + half])
    with np.errstate(over="ignore"):  # an interval may reach as far as inf
        lower, upper = np.exp(ends) if effect.log_scale else ends
    return float(lower), float(upper)


def _quantile(level: float, n_clusters: int | None) -> float:
    from scipy.special import stdtrit

    normal = normal_quantile(level)
    return normal if n_clusters is None else float(stdtrit(n_clusters - 1, (1 + level) / 2))


def objective_of(fitted: Fit, data: Any) -> Objective:
    """Get the function that was maximised, refusing other data.

    Parameters
    ----------
    fitted : Fit
        Gives model and tying.
    data : object
        Must be what was fitted.

    Returns
    -------
    Objective
        With no evaluations counted.

    Raises
    ------
    DataMismatchError
        The fit was made on other data.
    """
    if fingerprint(data) != fitted.data_fingerprint:
        raise DataMismatchError(
            "these are not the data that the fit was made on; give the same data, or fit again"
        )
    return Objective(fitted.model, fitted.tying, data)


def normal_quantile(level: float) -> float:
    """Give how many standard errors on both sides cover that much.

    Parameters
    ----------
    level : float
        Coverage, between 0 and 1.

    Returns
    -------
    float
        1.96 for 0.95.

    Raises
    ------
    ParameterError
        It is not between 0 and 1.
    """
    from scipy.special import ndtri

    if not 0 < level < 1:
        raise ParameterError(f"level is {level}; give a number between 0 and 1, such as 0.95")
    return float(ndtri((1 + level) / 2))
