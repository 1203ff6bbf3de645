"""Minimisers of smooth functions; they know nothing of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbio.core.numerics import FloatArray
from seqbio.errors import ConvergenceError, ParameterError


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


class Adam:
    """Adam's minibatch steps, with weight decay apart from the gradient if it is wanted [1]_ [2]_.

    Each parameter moves by the learning rate times the running mean of its gradient over the root
    of the running mean of its square, both corrected for their start at 0. Weight decay shrinks
    each parameter by ``learning_rate * weight_decay`` of itself before that step. Nothing is
    drawn and nothing hidden, so a run that goes on from `state` repeats, bit for bit, the run that
    was not interrupted.

    Parameters
    ----------
    n : int
        Number of parameters.
    weight_decay : float, default 0
        Per unit of learning rate, at least 0.
    decay_first, decay_second : float
        How much of the running means is kept at each step, at least 0 and below 1.
    epsilon : float
        Added to the root, in units of the gradient.

    Raises
    ------
    ParameterError
        A number is out of its range.

    References
    ----------
    .. [1] Kingma and Ba (2015). Adam: a method for stochastic optimization. ICLR. Algorithm 1.
    .. [2] Loshchilov and Hutter (2019). Decoupled weight decay regularization. ICLR. Algorithm 2.

    Examples
    --------
    >>> adam, x = Adam(2), np.array([3.0, -4.0])
    >>> for _ in range(300):
    ...     x = adam.step(x, 2 * x, learning_rate=0.1)
    >>> bool(abs(x).max() < 1e-3)
    True
    """

    def __init__(
        self,
        n: int,
        *,
        weight_decay: float = 0.0,
        decay_first: float = 0.9,
        decay_second: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        if not (
            n >= 0
            and 0 <= weight_decay < np.inf
            and 0 <= decay_first < 1
            and 0 <= decay_second < 1
            and epsilon > 0
        ):
            raise ParameterError(
                f"n is {n}, weight_decay {weight_decay}, decay_first {decay_first}, decay_second "
                f"{decay_second} and epsilon {epsilon}; give n and weight_decay of at least 0, "
                "decays from 0 to below 1 and an epsilon above 0"
            )
        self.weight_decay = weight_decay
        self.decay_first = decay_first
        self.decay_second = decay_second
        self.epsilon = epsilon
        self._n_steps = 0
        self._first = np.zeros(n)
        self._second = np.zeros(n)

    def step(
        self, parameters: FloatArray, gradient: FloatArray, *, learning_rate: float
    ) -> FloatArray:
        """Take one step downhill.

        Parameters
        ----------
        parameters, gradient : ndarray of float64, (n,)
            Where, and the slope there.
        learning_rate : float
            About how far each parameter moves.

        Returns
        -------
        ndarray of float64, (n,)
            The new parameters; the arguments are left as they are.
        """
        self._n_steps += 1
        self._first += (1 - self.decay_first) * (gradient - self._first)
        self._second += (1 - self.decay_second) * (gradient * gradient - self._second)
        first_weight = 1 - self.decay_first**self._n_steps
        second_weight = 1 - self.decay_second**self._n_steps
        root = np.sqrt(self._second / second_weight)
        root += self.epsilon
        shrunk = (1 - learning_rate * self.weight_decay) * parameters
        return np.asarray(shrunk - (learning_rate / first_weight) * self._first / root)

    def state(self) -> dict[str, NDArray[Any]]:
        """Get everything that the next steps depend on, as arrays.

        Returns
        -------
        dict of str to ndarray
            ``first`` and ``second``, float64 (n,): the running means; ``n_steps``, int64 ().
        """
        return {
            "first": self._first.copy(),
            "second": self._second.copy(),
            "n_steps": np.array(self._n_steps, dtype=np.int64),
        }

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a state that `state` gave.

        Parameters
        ----------
        state : mapping of str to ndarray
            Copied.

        Raises
        ------
        ParameterError
            It belongs to another number of parameters.
        """
        if state["first"].shape != self._first.shape:
            raise ParameterError(
                f"the state is of {state['first'].size} parameters and this optimiser of "
                f"{self._first.size}; go on with the model that the state was made with"
            )
        self._first = state["first"].astype(np.float64)
        self._second = state["second"].astype(np.float64)
        self._n_steps = int(state["n_steps"])


def clip_by_norm(
    gradient: FloatArray, limit: float, *, where: str = "the gradient"
) -> tuple[FloatArray, float]:
    """Shorten a gradient that is longer than a limit, keeping its direction.

    Parameters
    ----------
    gradient : ndarray of float64, (n,)
        Of all parameters together.
    limit : float
        Longest norm; inf never shortens, but still refuses what is not finite.
    where : str
        For the message, such as ``"epoch 2, batch 17"``.

    Returns
    -------
    gradient : ndarray of float64, (n,)
        The same array when it is short enough.
    norm : float
        Before it was shortened.

    Raises
    ------
    ConvergenceError
        The norm is not finite.

    References
    ----------
    Pascanu, Mikolov and Bengio (2013). On the difficulty of training recurrent neural networks.
    ICML. Algorithm 1.

    Examples
    --------
    >>> clip_by_norm(np.array([3.0, 4.0]), 1.0)
    (array([0.6, 0.8]), 5.0)
    """
    norm = float(np.linalg.norm(gradient))
    if not np.isfinite(norm):
        raise ConvergenceError(
            f"{where}: the norm of the gradient is {norm}; lower the learning rate, clip at a "
            "smaller norm, or look at the items of this batch"
        )
    return (gradient * (limit / norm) if norm > limit else gradient), norm
