"""Climbing to a maximum of the log-likelihood from one start; `seqbio.core.fit` is the way in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core.layout import Layout
from seqbio.core.model import BoolArray, Model, boundary_of, check_tying, curvature_of
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.core.optimizers import minimize_lbfgs
from seqbio.core.tying import Tying
from seqbio.errors import ConvergenceError, ParameterError

SETTLED = 1e-6  # nats; when a fresh start from an optimum gains less, it is one
EDGE = -14.0  # so close to -inf that the slope shows whether a coordinate is to come back
_FLOOR = -9.0  # here a coordinate on its way to -inf is stopped, and tried at -inf
_CEILING = 16.0  # beyond this a coordinate on its way to inf is not followed: odds are 1e7 to 1
_INSIDE = -7.0  # where a coordinate starts that cannot stay at -inf
_FEW = 30  # so many parameters at most have their curvatures taken one by one
_NEAR = 1e-6  # how close to a bound counts as there
_FLAT = 1e-9  # a gradient that may be rounding


@dataclass(frozen=True, eq=False)
class Point:
    """Free parameters, (n_free,), with the log-likelihood and its gradient there.

    The gradient is 0 for coordinates at -inf, which small steps do not move.
    """

    free: FloatArray
    value: float
    gradient: FloatArray

    @property
    def is_finite(self) -> bool:
        """Whether an optimiser can stand here."""
        return bool(np.isfinite(self.value) and np.isfinite(self.gradient).all())


@dataclass(frozen=True, eq=False)
class Climb:
    """Where a climb ended, and whether that is an optimum; fields as in `Fit`."""

    point: Point
    gradient_norm: float
    n_iterations: int
    converged: bool
    message: str


class Objective:
    """The log-likelihood as a function of the free parameters, which counts its evaluations.

    Parameters
    ----------
    model, tying, data : Model, Tying, object
        As in `fit`.

    Attributes
    ----------
    n_evaluations : int
        Calls so far.
    can_be_zero : ndarray of bool, (n_free,)
        Coordinates for all of whose copies -inf is a meaningful value.
    """

    def __init__(self, model: Model, tying: Tying, data: Any) -> None:
        check_tying(model, tying)
        self._model, self._tying, self._data = model, tying, data
        self.n_evaluations = 0
        self.can_be_zero = self._all_copies(boundary_of(model) & (tying.sign > 0))

    def __call__(self, free: FloatArray) -> Point:
        """Evaluate at free parameters, (n_free,)."""
        self.n_evaluations += 1
        full = self._tying.expand(free)
        value, gradient = self._model.log_likelihood_and_gradient(full, self._data)
        gradient = self._tying.pull_back(gradient)
        return Point(free, float(value), np.where(np.isneginf(free), 0.0, gradient))

    def curvature(self, free: FloatArray) -> FloatArray | None:
        """Get the model's curvature in the free coordinates, positive; None if it gives none."""
        full = self._tying.expand(free)
        curvature = curvature_of(self._model, full, self._data)
        if curvature is None:
            return None
        pulled = self._tying.pull_back(self._tying.sign * curvature)
        pulled[np.isneginf(free)] = 0.0
        if not np.isfinite(pulled).all():
            name = free_names(self._model.layout, self._tying)[int(np.isfinite(pulled).argmin())]
            raise ParameterError(
                f"curvature of {type(self._model).__name__} is not finite for {name} at {full}; "
                "it must be a positive number, however rough"
            )
        return _floored(pulled)

    def begin(self, full: ArrayLike) -> Point:
        """Evaluate at the start that full parameters, (n_full,), imply."""
        full = np.asarray(full, dtype=np.float64)
        if full.shape != (self._tying.n_full,) or np.isnan(full).any():
            raise ParameterError(
                f"the start is {full}; give {self._tying.n_full} full parameters, none of them nan"
            )
        finite = np.nan_to_num(full, neginf=_INSIDE, posinf=-_INSIDE)
        inside = self._tying.project(finite)
        point = self(
            np.where(self._all_copies(np.isneginf(full)) & self.can_be_zero, -np.inf, inside)
        )
        if not point.is_finite and np.isneginf(point.free).any():
            point = self(inside)
        if not point.is_finite:
            raise ConvergenceError(self._why_not_finite(point))
        return point

    def fresh(self, centre: Point, generator: np.random.Generator) -> Point:
        """Evaluate at a random start; where the likelihood is not finite, try closer ones."""
        middle = np.where(np.isneginf(centre.free), _INSIDE, centre.free)
        for attempt in range(8):
            point = self(middle + 0.5**attempt * generator.standard_normal(middle.size))
            if point.is_finite:
                return point
        return centre

    def _all_copies(self, mask: BoolArray) -> BoolArray:
        """Find the free parameters all of whose copies are in a mask, (n_full,) -> (n_free,)."""
        members = self._tying.group >= 0
        outside = self._tying.group[members & ~mask]
        return np.asarray(np.bincount(outside, minlength=self._tying.n_free) == 0)

    def _why_not_finite(self, point: Point) -> str:
        advice = "give another start, or remove the items that the model cannot explain"
        if np.isfinite(point.value):
            names = free_names(self._model.layout, self._tying)
            j = int(np.isfinite(point.gradient).argmin())
            return (
                f"the gradient at the start is {point.gradient[j]} for {names[j]} = "
                f"{point.free[j]:.6g}; {advice}"
            )
        items = self._model.log_likelihood(self._tying.expand(point.free), self._data)
        wrong = np.flatnonzero(~np.isfinite(np.atleast_1d(items)))
        where = f" (items {', '.join(map(str, wrong[:5]))}, counted from 0)" if wrong.size else ""
        return f"the log-likelihood at the start is {point.value}{where}; {advice}"


def _floored(curvature: FloatArray) -> FloatArray:
    """Make every curvature positive; what remains lets scales differ by a factor of 1e7."""
    largest = np.nan_to_num(curvature).max(initial=0.0)
    return np.fmax(curvature, 1e-14 * largest if largest > 0 else 1.0)


def free_names(layout: Layout, tying: Tying, of: IntArray | None = None) -> tuple[str, ...]:
    """Name free parameters, all or some, by their copies, such as ``open[0] = open[1]``.

    Of more than six copies, the first five and how many more there are.
    """
    chosen = np.arange(tying.n_free) if of is None else of
    copies: dict[int, list[str]] = {int(j): [] for j in chosen}
    names = layout.entry_names if copies else ()
    for i in np.flatnonzero(np.isin(tying.group, chosen)):
        copies[int(tying.group[i])].append(names[i] if tying.sign[i] > 0 else f"-{names[i]}")
    return tuple(
        " = ".join(each if len(each) < 7 else [*each[:5], f"{len(each) - 5} more"])
        for each in copies.values()
    )


def names_along(layout: Layout, tying: Tying, direction: FloatArray) -> str:
    """List the free parameters that move most along a direction, (n_free,), five at most."""
    names, shares = free_names(layout, tying), np.abs(direction) / np.linalg.norm(direction)
    largest = np.sort(np.argsort(-shares, kind="stable")[:5])
    return ", ".join(names[j] for j in largest if shares[j] > 0.3)


def climb(objective: Objective, point: Point, max_iterations: int, tolerance: float) -> Climb:
    """Climb from a start to an optimum, putting coordinates to -inf and back as that is better.

    Parameters
    ----------
    objective : Objective
        What to climb.
    point : Point
        The start, finite except that coordinates may be at -inf.
    max_iterations : int
        Most steps of the optimiser.
    tolerance : float
        For the scaled gradient norm.

    Returns
    -------
    Climb
        The end, with `n_iterations` of the whole climb.
    """
    refused_at = np.full(point.free.size, np.inf)  # where a coordinate was when -inf was worse
    returned = np.zeros(point.free.size, dtype=bool)  # each comes back from -inf once at most
    floor = np.where(objective.can_be_zero & (point.free > _FLOOR), _FLOOR, -np.inf)
    before_return: Climb | None = None
    n_iterations = 0
    while True:
        end = _ascend(objective, point, floor, max_iterations - n_iterations, tolerance)
        n_iterations += end.n_iterations
        end = replace(end, n_iterations=n_iterations)
        free = end.point.free

        leaving = (free <= EDGE) | (free < _INSIDE) & (end.point.gradient < 0)
        low = objective.can_be_zero & np.isfinite(free) & leaving & (free < refused_at - 1)
        point = _put_to_zero(objective, end.point, low)
        # What means nothing once others are 0, such as the length of gaps that never open.
        lost = (np.abs(point.gradient) <= _FLAT) & (np.abs(end.point.gradient) > _FLAT)
        point = _put_to_zero(
            objective, point, lost & objective.can_be_zero & np.isfinite(point.free)
        )
        refused = low & np.isfinite(point.free)
        was_held_back = refused & (free <= floor + _NEAR)
        refused_at[refused] = free[refused]
        floor[refused] = -np.inf
        if (low & ~refused).any() or was_held_back.any():
            continue

        rising = _rising_from_zero(objective, point, ~returned)
        inside = objective(np.where(rising, _INSIDE, free)) if rising.any() else point
        if inside is point or not inside.is_finite:
            break
        before_return, point = end, inside
        returned |= rising
        floor[rising] = -np.inf
    if before_return is not None and before_return.point.value > end.point.value:
        return replace(before_return, n_iterations=n_iterations)
    return end


def _put_to_zero(objective: Objective, point: Point, low: BoolArray) -> Point:
    """Put coordinates to -inf, together or one by one, where that is no worse than rounding."""
    together = [low] if low.any() else []
    one_by_one = list(np.eye(low.size, dtype=bool)[low]) if low.sum() > 1 else []
    for mask in together + one_by_one:
        moved = objective(np.where(mask, -np.inf, point.free))
        if moved.is_finite and moved.value >= point.value - 1e-11 * max(1.0, abs(point.value)):
            point = moved
            if mask is low:
                break
    return point


def _rising_from_zero(objective: Objective, point: Point, allowed: BoolArray) -> BoolArray:
    """Find coordinates at -inf from where the log-likelihood rises; one evaluation shows all.

    The derivative at the edge is e**-14 times that with respect to the probability, so the
    threshold, which is there for rounding, is a thousandth of a nat per unit of probability.
    """
    held = np.isneginf(point.free) & allowed
    if not held.any():
        return held
    return held & (objective(np.where(held, EDGE, point.free)).gradient > _FLAT)


def _ascend(
    objective: Objective, point: Point, floor: FloatArray, max_iterations: int, tolerance: float
) -> Climb:
    """Climb with the coordinates at -inf held there and the others kept above a floor.

    Each run of the optimiser starts with nothing remembered, in the scale of the point it starts
    from, so that a run which gains nothing is evidence of an optimum.
    """
    n_iterations, gain = 0, np.inf
    nearly = max(tolerance, np.sqrt(2 * SETTLED))
    while True:
        uphill = _uphill(objective, point, floor)
        scale, is_known = _scale_at(objective, point, uphill, nearly)
        norm = float(np.linalg.norm(uphill / scale))
        end = Climb(point, norm, n_iterations, True, f"the scaled gradient has norm {norm:.1e}")
        if not uphill.any() or (is_known and norm < tolerance):
            return end
        if gain < SETTLED and norm < nearly:
            return replace(end, message=f"{end.message}, a fresh start gained {gain:.1e} nats")
        if n_iterations >= max_iterations:
            advice = "raise max_iterations or give a better start"
            message = f"stopped at the limit of iterations; {end.message}; {advice}"
            return replace(end, converged=False, message=message)
        if gain < SETTLED:
            advice = "check the gradient with seqbio.core.check_gradient"
            message = f"no step raises the log-likelihood, but {end.message}; {advice}"
            return replace(end, converged=False, message=message)

        before = point
        point, n_steps = _run(
            objective,
            before,
            floor,
            scale,
            max_iterations - n_iterations,
            # A scale from one direction alone can hide more in another.
            least_norm=tolerance if is_known else tolerance / 100,
            least_gain=0.0 if is_known else tolerance**2,
        )
        gain = point.value - before.value
        n_iterations += n_steps


def _run(
    objective: Objective,
    start: Point,
    floor: FloatArray,
    scale: FloatArray,
    max_iterations: int,
    *,
    least_norm: float,
    least_gain: float,
) -> tuple[Point, int]:
    """Run the optimiser until the scaled gradient is small, or the gain of two steps in a row.

    A little gain is enough to stop where coordinates are held, as at the floor, from where the
    climb goes on at -inf. Returns the end and the number of steps.
    """
    active = np.isfinite(start.free)
    # In the optimiser's coordinates the gradient at the start has norm 1 and the curvature is that
    # of the scaled coordinates, so that its first step is the whole scaled one.
    length = float(np.linalg.norm(_uphill(objective, start, floor) / scale))
    per_unit = length / scale[active]
    latest = reached = start
    gains = np.inf, np.inf
    least_gain = max(least_gain, 4 * np.finfo(float).eps * abs(start.value))

    def descend(position: FloatArray) -> tuple[float, FloatArray]:
        nonlocal latest
        latest = start
        if position.any():
            free = start.free.copy()
            free[active] += per_unit * position
            latest = objective(free)
        height = (latest.value - start.value) / length**2
        return -height, -latest.gradient[active] * per_unit / length**2

    def is_enough(*_: object) -> bool:
        nonlocal reached, gains
        step = (latest.free[active] - reached.free[active]) * scale[active]
        if not step.any():
            return True
        change = (reached.gradient - latest.gradient)[active] / scale[active]
        # Where the step met less curvature than the scale promised, there is more to gain.
        flatness = np.clip((step @ change) / (step @ step), 1e-12, 1.0)
        gains = gains[1], latest.value - reached.value
        reached = latest
        norm = np.linalg.norm(_uphill(objective, reached, floor) / scale) / np.sqrt(flatness)
        is_held = _is_held(objective, reached, floor).any()
        return bool(norm < least_norm) or max(gains) < (SETTLED if is_held else least_gain)

    minimum = minimize_lbfgs(
        descend,
        np.zeros(per_unit.size),
        lower=(floor[active] - start.free[active]) / per_unit,
        max_iterations=max_iterations,
        stop=is_enough,
    )
    return reached, minimum.n_iterations


def _uphill(objective: Objective, point: Point, floor: FloatArray) -> FloatArray:
    """Take from the gradient what leads through the floor, or on towards inf."""
    return np.where(_is_held(objective, point, floor), 0.0, point.gradient)


def _is_held(objective: Objective, point: Point, floor: FloatArray) -> BoolArray:
    """Find coordinates that would go on to -inf or inf, where only the former can be reached."""
    low = (point.free <= floor + _NEAR) & (point.gradient < 0)
    return low | objective.can_be_zero & (point.free >= _CEILING) & (point.gradient > 0)


def _scale_at(
    objective: Objective, point: Point, uphill: FloatArray, nearly: float
) -> tuple[FloatArray, bool]:
    """Square root of the curvature, (n_free,), and whether it is that of every coordinate.

    A model that does not give its curvature has it probed in the direction of the gradient. That
    does to get on, but not to tell an optimum where scales differ; so when the gradient is nearly
    gone, the curvature of each coordinate is measured, unless there are too many.
    """
    curvature = objective.curvature(point.free)
    if curvature is not None:
        return np.sqrt(curvature), True
    movable = np.flatnonzero(uphill)
    steepness = float(np.linalg.norm(uphill))
    probed = _second_derivative(objective, point, uphill / steepness) if movable.size else 1.0
    if not 0 < abs(probed) < np.inf:
        probed = steepness
    if movable.size > _FEW or steepness >= nearly * np.sqrt(abs(probed)):
        # Far from the optimum curvature in one direction says little: no step longer than 1.
        return np.full(uphill.size, np.sqrt(max(abs(probed), steepness))), False
    curvature = np.full(uphill.size, abs(probed))
    for j in movable:
        curvature[j] = _second_derivative(objective, point, np.eye(uphill.size)[j])
    return np.sqrt(_floored(curvature)), True


def _second_derivative(objective: Objective, point: Point, direction: FloatArray) -> float:
    """Differentiate the gradient along a direction of length 1, negated; one evaluation."""
    inside = np.where(direction == 0, 0.0, point.free)
    step = 1e-4 * max(1.0, float(np.abs(inside).max()))
    change = point.gradient - objective(point.free + step * direction).gradient
    return float(change @ direction) / step
