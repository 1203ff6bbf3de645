"""How large the differences are: effects with intervals, and what the null says of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seqbio.core import Effect, Fit, effects_of, profile_interval, wald_interval
from seqbio.core.numerics import FloatArray
from seqbio.errors import ConvergenceError, ParameterError
from seqbio.hypothesis_testing.comparison import Comparison

INTERVAL_LEVEL = 0.95


class Spread(NamedTuple):
    """Errors of the estimates under the alternative.

    Parameters
    ----------
    covariance : ndarray of float64, (n_free, n_free)
        Of the free parameters.
    n_clusters : int or None
        From how many independent clusters of items it was estimated (the sandwich); None where it
        comes from the information alone.
    """

    covariance: FloatArray
    n_clusters: int | None


@dataclass(frozen=True)
class EffectEstimate:
    """One scalar that the model finds worth reporting, under the alternative.

    Parameters
    ----------
    name : str
        What it is, in words.
    estimate : float
        In its natural units.
    lower, upper : float or None
        Interval of 95 %: estimate plus and minus 1.96 standard errors, on the scale of the
        logarithm for ratios. The errors are those of the p-value's law: where it allows for items
        that depend on each other or vary more than the model says they come from the sandwich, and
        in place of 1.96 there is the quantile of Student's t for the number of clusters. Where
        an estimate is 0 or infinite, the profile likelihood limits it on the other side. None
        where nothing does.
    null_value : float or None
        What it is under the null, whatever the parameters; None where the null leaves it open.
    """

    name: str
    estimate: float
    lower: float | None
    upper: float | None
    null_value: float | None

    @property
    def direction(self) -> str:
        """On which side of the null's value the whole interval lies: "above", "below" or ""."""
        if self.null_value is None or self.lower is None or self.upper is None:
            return ""
        if self.lower > self.null_value:
            return "above"
        return "below" if self.upper < self.null_value else ""


def estimate_effects(comparison: Comparison, spread: Spread | None) -> tuple[EffectEstimate, ...]:
    """Estimate the model's effects under the alternative.

    Parameters
    ----------
    comparison : Comparison
        The two fits.
    spread : Spread or None
        Errors of the alternative's parameters; None gives no intervals.

    Returns
    -------
    tuple of EffectEstimate
        In the model's order, without those that the alternative holds constant, or makes the same
        as one before.
    """
    null_fit, alternative_fit = comparison.null_fit, comparison.alternative_fit
    under_null = effects_of(null_fit.model, null_fit.full)
    uncertain = _of_boundary(alternative_fit)
    estimates: list[EffectEstimate] = []
    seen: list[Effect] = []
    for key, effect in effects_of(alternative_fit.model, alternative_fit.full).items():
        if _is_fixed(effect, alternative_fit) or any(
            _are_one(effect, other, alternative_fit) for other in seen
        ):
            continue
        seen.append(effect)
        lower = upper = None
        if spread is not None and np.isinf(effect.value):
            lower, upper = _one_sided(comparison, key)
        elif spread is not None and key not in uncertain:
            lower, upper = wald_interval(
                alternative_fit,
                effect,
                spread.covariance,
                level=INTERVAL_LEVEL,
                n_clusters=spread.n_clusters,
            )
        null_value = _null_value(under_null.get(key), null_fit)
        estimates.append(EffectEstimate(effect.name, _natural(effect), lower, upper, null_value))
    return tuple(estimates)


def _one_sided(comparison: Comparison, key: str) -> tuple[float | None, float | None]:
    """Limit an effect that is estimated as 0 or infinite by its profile likelihood."""
    fitted = comparison.alternative_fit

    def function(full: FloatArray) -> Effect:
        return effects_of(fitted.model, full)[key]

    try:
        return profile_interval(fitted, comparison.data, function, level=INTERVAL_LEVEL)
    except (ConvergenceError, ParameterError, KeyError):
        return None, None


def _of_boundary(fit: Fit) -> set[str]:
    """Find the effects that depend on a coordinate at -inf, which has no standard error.

    At -inf itself the slope of a probability is 0, so it is taken where the coordinate is 0.
    """
    at_boundary = np.isneginf(fit.free)
    inside = fit.tying.expand(np.where(at_boundary, 0.0, fit.free))
    return {
        key
        for key, effect in effects_of(fit.model, inside).items()
        if fit.tying.pull_back(effect.gradient)[at_boundary].any()
    }


def _null_value(effect: Effect | None, null_fit: Fit) -> float | None:
    """Give the value that the null fixes: no free parameter of the null moves the effect."""
    if effect is None:
        return None
    return _natural(effect) if _is_fixed(effect, null_fit) and np.isfinite(effect.value) else None


def _is_fixed(effect: Effect, fit: Fit) -> bool:
    """Say whether no free parameter moves the effect, though its gradient is not 0 of itself."""
    slope = fit.tying.pull_back(effect.gradient)
    # Rounding alone is left when the contributions of copies cancel.
    size = float(np.linalg.norm(effect.gradient))
    return size > 0 and bool((np.abs(slope) <= 1e-9 * size).all())


def _are_one(effect: Effect, other: Effect, fit: Fit) -> bool:
    """Say whether ties make one effect out of two, such as a ratio in x and the same in y."""
    slope, other_slope = (fit.tying.pull_back(each.gradient) for each in (effect, other))
    return bool(np.isclose(effect.value, other.value)) and np.allclose(slope, other_slope)


def _natural(effect: Effect) -> float:
    return float(np.exp(effect.value) if effect.log_scale else effect.value)
