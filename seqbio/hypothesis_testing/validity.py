"""Reasons for and against the chi-squared law of a likelihood ratio.

A law is used only where it is known to hold. Wilks (1938): twice the log of the ratio is
chi-squared when the null is true, both fits are at the maximum, the parameters can be told apart
and the true values lie inside the parameter space. In our coordinates the edges of that space are
infinite, such as the logit of a probability of 0. Three cases differ:

- The null holds a parameter at an edge and the alternative frees it. The law is then a mixture of
  chi-squared laws with several degrees of freedom (chi-bar-squared); Self and Liang (1987) derive
  it from their Theorem 3, and `calibrations.boundary` works it out. Where another parameter of
  the alternative has no meaning there, such as the length of gaps of a kind that the null does not
  have, there is no such law (Davies 1987).
- A parameter that the null leaves free is estimated at an edge, so that its true value may be
  there. The law of the ratio then depends on how the estimates are correlated: it is a mixture of
  another kind, and chi-squared only in special cases (same theorem). One is a parameter that no
  hypothesis ties to others and that the model calls `apart`: where its estimate is independent of
  those that are tested, what becomes of it leaves their law as it is.
- Only the alternative has an estimate at an edge. If the null is true the parameter is at its
  value under the null, inside, so the law holds for many data; but such an estimate
  comes of few events, so there is a warning.

References
----------
Cochran, W. G. (1954). Some methods for strengthening the common chi-squared tests. Biometrics 10,
417-451.

Davies, R. B. (1987). Hypothesis testing when a nuisance parameter is present only under the
alternative. Biometrika 74, 33-43.

Wilks, S. S. (1938). The large-sample distribution of the likelihood ratio for testing composite
hypotheses. Annals of Mathematical Statistics 9, 60-62.

Self, S. G. and Liang, K.-Y. (1987). Asymptotic properties of maximum likelihood estimators and
likelihood ratio tests under nonstandard conditions. Journal of the American Statistical
Association 82, 605-610.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from seqbio.core import (
    Check,
    Fit,
    Tying,
    apart_of,
    checks_of,
    dependence_of,
    event_totals_of,
    few_events,
    given_of,
    irregular_reason,
    is_regular,
    sample_size_of,
)
from seqbio.core.ascent import free_names
from seqbio.core.tables import shortened
from seqbio.hypothesis_testing.calibrations.boundary import tested_on_boundary
from seqbio.hypothesis_testing.calibrations.declaration import MANY
from seqbio.hypothesis_testing.comparison import Comparison

_FEW_ITEMS = 20  # or fewer may be counts, such as those of a table, which hold more than one event
_ITEMS_FOR_EACH = 5
_LEAST_INFLATION, _MOST_INFLATION = 0.8, 1.25  # of the mean ratio, which Bartlett can correct
_MOST_NAMES = 5


def boundary_checks(comparison: Comparison) -> list[Check]:
    """Find parameters on the boundary, where the chi-squared law is in doubt.

    Parameters
    ----------
    comparison : Comparison
        The two fits.

    Returns
    -------
    list of Check
        See the head of this module for the cases. Where the model knows the mean of the ratio,
        which estimates of 0 lower, that is looked at instead of them.
    """
    null_fit, alternative_fit = comparison.null_fit, comparison.alternative_fit
    if not comparison.is_fitted:
        return []
    null, alternative = null_fit.tying, alternative_fit.tying
    tested = (null.group < 0) & np.isinf(null.offset) & (alternative.group >= 0)
    checks = []
    if tested.any():
        names = [null_fit.model.layout.entry_names[i] for i in np.flatnonzero(tested)]
        checks.append(
            Check(
                f"the null holds {_listed(names)} on the boundary of the parameter space, where "
                "the ratio follows a chi-bar-squared law (Self and Liang 1987) and not chi-squared",
                "invalid",
                "tested_on_boundary",
            )
        )
    if comparison.mean_ratio is not None:
        return checks
    if at_boundary := _at_boundary(null_fit, alternative):
        checks.append(
            Check(
                f"the null's estimate of {_listed(at_boundary)} is on the boundary of "
                "the parameter space, where the ratio is not chi-squared in general (Self and "
                "Liang 1987); fix it there in both hypotheses if theory says that it is 0",
                "invalid",
                "null_on_boundary",
            )
        )
    elif (at_boundary := _at_boundary(alternative_fit, null)) and not tested.any():
        checks.append(
            Check(
                f"the alternative's estimate of {_listed(at_boundary)} is on the "
                "boundary of the parameter space, as happens when events are few, so the "
                "chi-squared law is rough",
                "warning",
                "alternative_on_boundary",
            )
        )
    return checks


def _listed(names: list[str]) -> str:
    """Name a few, and count the others: a table for each step has thousands."""
    return ", ".join(shortened(names, _MOST_NAMES))


def _at_boundary(fit: Fit, other: Tying) -> list[str]:
    """Name the estimates on the boundary that bear on the law of the ratio with another tying."""
    apart, names = apart_of(fit.model), []
    for name, j in zip(fit.at_boundary, np.flatnonzero(np.isneginf(fit.free)), strict=True):
        copies = fit.tying.group == j
        others = other.group == other.group[copies][0]
        if not (apart[copies].all() and np.array_equal(copies, others)):
            names.append(name)
    return names


def model_checks(comparison: Comparison) -> list[Check]:
    """Ask the model what it has against a chi-squared law.

    The alternative's estimates are not asked about where the null holds a parameter on the
    boundary: if the null is true they are there half of the time, which its law accounts for.

    Parameters
    ----------
    comparison : Comparison
        The two fits.

    Returns
    -------
    list of Check
        What both fits give rise to stands there once, as the graver of the two sees it.
    """
    null_fit, alternative_fit, data = (
        comparison.null_fit,
        comparison.alternative_fit,
        comparison.data,
    )
    checks = dependence_of(null_fit.model, data)
    reason = irregular_reason(null_fit.model)
    if reason:
        checks.append(Check(reason, "invalid", "irregular"))
    if not comparison.is_fitted:
        return checks
    on_boundary = len(tested_on_boundary(null_fit.tying, alternative_fit.tying)) > 0
    if on_boundary and is_regular(null_fit.model):
        checks += _without_meaning(null_fit, alternative_fit, data)
    for fit in (null_fit,) if on_boundary else (null_fit, alternative_fit):
        checks += checks_of(fit.model, fit.full, data, fit.tying)
    if is_regular(null_fit.model):
        checks += _few_events(null_fit, alternative_fit, data) + _mean_ratio(comparison)
        checks += _many_parameters(comparison) + _lengths(comparison)
    gravest: dict[tuple[str, str], Check] = {}
    for check in checks:
        key = check.code, check.about or check.message
        known = gravest.setdefault(key, check)
        if check.rank < known.rank:
            gravest[key] = check
    return list(gravest.values())


def _few_events(null_fit: Fit, alternative_fit: Fit, data: Any) -> list[Check]:
    """Find parameters that are tested on too few events.

    Tested are those that are one under the null, or fixed at a value inside, and several under the
    alternative. Behind each of the several, events are expected under the null, and the fewest
    count, as in a table of counts (Cochran's rule). What both hypotheses tie is estimated from all
    events together, and is not tested.
    """
    null, alternative = null_fit.tying.group, alternative_fit.tying.group
    held = (null < 0) & np.isfinite(null_fit.tying.offset) & (alternative >= 0)
    # All that is held fixed inside is tested against its value, as if it were one.
    together = np.where(held, null.max(initial=0) + 1, null)
    parts = np.unique(np.stack([together, alternative]), axis=1)
    n_parts = np.bincount(parts[0] + 1, minlength=int(together.max(initial=0)) + 2)
    tested = (together >= 0) & (n_parts[together + 1] > 1) | held
    checks = []
    for words, expected in event_totals_of(null_fit.model, null_fit.full, data).items():
        counted = np.flatnonzero(tested & np.isfinite(expected))
        totals = np.bincount(alternative[counted], expected[counted])
        for group in np.unique(together[counted]):
            own = counted[together[counted] == group]
            fewest = own[np.argmin(totals[alternative[own]])]
            name = null_fit.model.layout.entry_names[fewest]
            count = float(totals[alternative[fewest]])
            found = f"about {count:.1f} {words} expected behind {name}"
            checks += few_events(found, count, f"{words} of {name}")
    return checks


def _lengths(comparison: Comparison) -> list[Check]:
    """Warn where lengths are tested besides other things, as nobody means to."""
    given = given_of(comparison.model)
    if not comparison.tests_what_is_given:
        return []
    names = comparison.model.layout.entry_names
    listed = ", ".join(names[i] for i in np.flatnonzero(given)[:3])
    message = (
        f"the test is also about {listed}, which say how long items are and have no law of their "
        "own where these were cut; if that is not meant, leave them out of what the null ties"
    )
    return [Check(message, "warning", "lengths_tested")]


def _many_parameters(comparison: Comparison) -> list[Check]:
    """Doubt large numbers where there are few items for each parameter, and nothing else counts."""
    n_free, n_items = comparison.alternative_fit.n_free, comparison.n_items
    _, what = sample_size_of(comparison.model, comparison.data, n_items)
    known = what != "items" or comparison.mean_ratio is not None
    if known or n_items < _FEW_ITEMS or n_free * _ITEMS_FOR_EACH <= n_items:
        return []
    message = (
        f"{n_free} parameters are many for {n_items} items, so that the chi-squared law, which is "
        f"for {_ITEMS_FOR_EACH} items or more for each, can be far off"
    )
    return [Check(message, "invalid", MANY)]


def _mean_ratio(comparison: Comparison) -> list[Check]:
    """Doubt a law whose mean is far from what it should be."""
    inflation = comparison.inflation
    if _LEAST_INFLATION < inflation < _MOST_INFLATION:
        return []
    message = (
        f"if the null is true the ratio is {inflation:.3g} times as large as the chi-squared law "
        "says on average, since many outcomes are rare; a lower order, fewer steps or more "
        "sequences would help"
    )
    return [Check(message, "invalid", "few_events")]


def _without_meaning(null_fit: Fit, alternative_fit: Fit, data: Any) -> list[Check]:
    """Find parameters of the alternative that say nothing where the null holds others at 0.

    How long a kind of event lasts has no meaning where it never happens. The likelihood does not
    depend on such a parameter there, so that its slope is exactly 0 (Davies 1987).
    """
    model, tying = alternative_fit.model, alternative_fit.tying
    _, gradient = model.log_likelihood_and_gradient(null_fit.full, data)
    slope = tying.pull_back(gradient)
    meaningless = (slope == 0) & np.isfinite(tying.project(null_fit.full))
    if not meaningless.any():
        return []
    names = free_names(model.layout, tying)
    listed = _listed([names[j] for j in np.flatnonzero(meaningless)])
    return [
        Check(
            f"{listed} of the alternative says nothing under the null, so that the ratio follows "
            "no law in tables (Davies 1987)",
            "invalid",
            "without_meaning",
        )
    ]


def convergence_checks(comparison: Comparison) -> list[Check]:
    """Find reasons to doubt that both fits are at their optimum.

    Parameters
    ----------
    comparison : Comparison
        The two fits.

    Returns
    -------
    list of Check
        Empty when there is none, and where nothing was fitted.
    """
    null_fit, alternative_fit = comparison.null_fit, comparison.alternative_fit
    if not comparison.is_fitted:
        return []
    statistic = comparison.statistic
    checks = [
        Check(
            f"the fit of the {name} did not converge: {fit.message}",
            "invalid",
            "not_converged",
            concerns="fit",
        )
        for name, fit in (("null", null_fit), ("alternative", alternative_fit))
        if not fit.converged
    ]
    if statistic < -comparison.tolerance:
        reason = (
            "its optimum was not found; check the model's gradient with seqbio.core.check_gradient"
        )
        if _stopped_early(alternative_fit):
            reason = f"it was {alternative_fit.message}"
        checks.append(
            Check(
                f"the alternative, of which the null is a special case, fits {-statistic / 2:.3g} "
                f"nats worse than the null, also after further starts: {reason}",
                "invalid",
                "negative_ratio",
                concerns="fit",
            )
        )
    return checks


def _stopped_early(fit: Fit) -> bool:
    """Say whether a model stopped on purpose before the maximum, and not for want of a step."""
    return not fit.converged and fit.message.startswith("stopped where")
