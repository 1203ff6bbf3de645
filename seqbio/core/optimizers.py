"""Minimisers of smooth functions; they know nothing of models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqbio.core.numerics import FloatArray


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where a minimiser ended.

    Parameters
    ----------
    x : ndarray of float64, (n,)
        The lowest point that was found.
    value : float
        The function there.
    gradient : ndarray of float64, (n,)
        Its gradient there.
    n_iterations, n_evaluations : int
        Accepted steps, and calls of the function.
    message : str
        Why it ended.
    """

    x: FloatArray
    value: float
    gradient: FloatArray
    n_iterations: int
    n_evaluations: int
    message: str


def minimize_lbfgs(
    function: Callable[[FloatArray], tuple[float, FloatArray]],
    start: FloatArray,
    *,
    lower: FloatArray | None = None,
    max_iterations: int = 200,
    stop: Callable[[FloatArray, float, FloatArray], bool] | None = None,
) -> Minimum:
    """Minimise a function with SciPy's L-BFGS-B.

    The first step goes along the negative gradient and has length 1 at most, so coordinates should
    be scaled to make that a good step. No stopping rule of SciPy's is used, except that it
    ends when the value no longer changes. Where the function or its gradient is not finite, the
    step is made shorter.

    Parameters
    ----------
    function : callable
        Takes a point, (n,), and returns the value and the gradient there.
    start : ndarray of float64, (n,)
        The function must be finite there.
    lower : ndarray of float64, (n,), optional
        Lower bounds; -inf for none.
    max_iterations : int, default 200
        Most accepted steps, at least 1.
    stop : callable, optional
        Called after every accepted step, which is always to the point that was evaluated last, as
        ``stop(x, value, gradient)``; a true result ends the search.

    Returns
    -------
    Minimum
        The end of the search, with counts.

    Examples
    --------
    >>> minimum = minimize_lbfgs(
    ...     lambda x: (float(x @ x), 2 * x),
    ...     np.array([3.0, -4.0]),
    ...     stop=lambda x, value, gradient: abs(gradient).max() < 1e-6,
    ... )
    >>> bool(abs(minimum.x).max() < 1e-6), minimum.n_iterations
    (True, 2)
    """
    from scipy.optimize import OptimizeResult, minimize

    n_evaluations = 0
    x, value, gradient = start, np.inf, np.zeros_like(start)  # the last point that was accepted
    trial = value, gradient

    def evaluate(point: FloatArray) -> tuple[float, FloatArray]:
        nonlocal n_evaluations, trial, value, gradient
        n_evaluations += 1
        trial = function(point)
        if not (np.isfinite(trial[0]) and np.isfinite(trial[1]).all()):
            # Higher than where the step began, so that the line search turns back, but not so
            # high that it turns back all the way.
            trial = value + 1.0, np.zeros_like(start)
        if n_evaluations == 1:
            value, gradient = trial
        return trial

    def accepted(intermediate_result: OptimizeResult) -> None:
        nonlocal x, value, gradient
        x, (value, gradient) = intermediate_result.x.copy(), trial
        if stop is not None and stop(x, value, gradient):
            raise StopIteration

    result = minimize(
        evaluate,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=None if lower is None else [(bound, None) for bound in lower],
        callback=accepted,
        options={
            "maxiter": max_iterations,
            "maxfun": 100 * max_iterations,  # a line search takes 20 at most
            "maxcor": 30,  # steps from which it learns the curvature
            "ftol": 0.0,
            "gtol": 0.0,
        },
    )
    return Minimum(x, value, gradient, result.nit, n_evaluations, result.message)
