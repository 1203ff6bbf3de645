"""Compare the gradient that a model computes with differences of its log-likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core._checks import checked
from seqbio.core.model import Model, check_full
from seqbio.core.numerics import FloatArray
from seqbio.core.parallel import spawn_generators
from seqbio.errors import ParameterError

_TOLERANCE = 1e-5


@dataclass(frozen=True)
class GradientCheck:
    """What a gradient check found.

    Parameters
    ----------
    max_relative_error : float
        Largest difference between gradient and numerical derivative that rounding does not
        explain, relative to the larger of the two.
    worst_entry : str
        The full parameter where it is.
    analytic, numeric : float
        What the model says there, and what the differences say.
    value_error : float
        Relative difference between the log-likelihood that comes with the gradient and the sum
        over the items.
    n_evaluations : int
        Calls of ``log_likelihood``.
    """

    max_relative_error: float
    worst_entry: str
    analytic: float
    numeric: float
    value_error: float
    n_evaluations: int

    @property
    def passed(self) -> bool:
        """Whether gradient and value are right: to 1e-5 and 1e-9, relative."""
        return self.max_relative_error < _TOLERANCE and self.value_error < 1e-9


@checked
def check_gradient(
    model: Model,
    full: ArrayLike,
    data: Any,
    *,
    step: float = 1e-3,
    seed: int | np.random.Generator | None = None,
    n_directions: int | None = None,
) -> GradientCheck:
    """Compare the gradient of a model with differences of its log-likelihood.

    Central differences of fourth order, from four evaluations each, are right to about
    ``step**4``. By default every parameter is moved on its own. For models with very many,
    `n_directions` moves all at once, each up or down at random, so that no single error can hide;
    the worst direction is then halved until one entry is left.

    Parameters
    ----------
    model : Model
        Any model; write one, check it.
    full : array_like of float, (n_full,)
        Where. Random values are best: at an optimum, or where parameters are equal, errors can
        cancel. Entries at -inf or +inf are left out.
    data : object
        In the form that the model takes. A few items are best: what rounding explains grows with
        the log-likelihood.
    step : float, default 1e-3
        Smaller for models with kinks, such as max pooling.
    seed : int, numpy.random.Generator or None
        For the directions.
    n_directions : int, optional
        How many random directions, instead of all entries.

    Returns
    -------
    GradientCheck
        The worst disagreement; `passed` says whether it is one.

    Raises
    ------
    ParameterError
        The parameters or the gradient are not of the size of the layout, there is nothing to move,
        or the step is not a finite number above 0.

    Examples
    --------
    >>> from seqbio.core import Layout
    >>> class Wrong:
    ...     layout = Layout({"shift": (2,)})
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2)
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         gradient = 2 * (data - full)
    ...         gradient[1] *= 1.001
    ...         return self.log_likelihood(full, data).sum(), gradient
    >>> check = check_gradient(Wrong(), np.zeros(2), np.array([1.0, 2.0]))
    >>> check.passed, check.worst_entry, round(check.max_relative_error, 6)
    (False, 'shift[1]', 0.000999)
    """
    full = np.asarray(full, dtype=np.float64)
    check_full(model, full)
    if not 0 < step < np.inf:
        raise ParameterError(f"step is {step}; give a finite number above 0")
    value, gradient = model.log_likelihood_and_gradient(full, data)
    gradient = np.asarray(gradient, dtype=np.float64)
    movable = np.flatnonzero(np.isfinite(full))
    if n_directions is not None and n_directions < 1:
        raise ParameterError(f"n_directions is {n_directions}; give at least 1, or None")
    if gradient.shape != full.shape or not movable.size:
        raise ParameterError(
            f"the parameters have shape {full.shape} with {movable.size} finite entries and the "
            f"gradient {gradient.shape}; both must be ({model.layout.size},), with a finite entry"
        )
    n_evaluations = 0

    def derivatives(direction: FloatArray) -> tuple[float, float, float]:
        """Differentiate along entries of -1, 0 and 1: analytic, numeric, unexplained error."""
        nonlocal n_evaluations
        n_evaluations += 4
        distance = step / float(np.linalg.norm(direction))
        moved = full + distance * np.outer([-2, -1, 1, 2], direction)
        totals = [float(np.sum(model.log_likelihood(point, data))) for point in moved]
        numeric = float(np.dot([1, -8, 8, -1], totals)) / (12 * distance)
        analytic = float(np.where(direction == 0, 0.0, gradient) @ direction)
        rounding = 1e-13 * max(1.0, abs(float(value))) / distance
        error = max(abs(analytic - numeric) - rounding, 0.0)
        return analytic, numeric, error if np.isfinite(analytic - numeric) else np.inf

    def error(direction: FloatArray) -> float:
        return derivatives(direction)[2]

    def relative_error(direction: FloatArray) -> float:
        return _relative(*derivatives(direction))

    if n_directions is None:
        worst = max(np.eye(full.size)[movable], key=relative_error)
    else:
        directions = np.zeros((n_directions, full.size))
        generator = spawn_generators(seed, 1)[0]
        directions[:, movable] = generator.choice([-1.0, 1.0], (n_directions, movable.size))
        worst = max(directions, key=error)
        while np.count_nonzero(worst) > 1:
            half = worst.copy()
            half[np.flatnonzero(worst)[::2]] = 0.0
            worst = max(half, worst - half, key=error)

    analytic, numeric, difference = derivatives(np.abs(worst))
    total = float(np.sum(model.log_likelihood(full, data)))
    return GradientCheck(
        max_relative_error=_relative(analytic, numeric, difference),
        worst_entry=model.layout.entry_names[int(np.abs(worst).argmax())],
        analytic=analytic,
        numeric=numeric,
        value_error=abs(total - float(value)) / max(1.0, abs(total)),
        n_evaluations=n_evaluations + 1,
    )


def _relative(analytic: float, numeric: float, error: float) -> float:
    return error / max(abs(analytic), abs(numeric)) if 0 < error < np.inf else error
