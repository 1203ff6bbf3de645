"""Which way to a p-value is valid for two fits, and why.

"auto" goes through these in order and takes the first that applies:

==============================================  ===============================================
what was found                                  what is done
==============================================  ===============================================
the model is not regular (networks)             split test where the null's fit is at an optimum,
                                                else a held-out comparison of predictions
a fit is not at its optimum                     no p-value
items depend on each other, as the user, model  robust scaling, or cluster bootstrap where events
or data say, and make 20 clusters or more       are few; fewer clusters: the split test if the
                                                dependence is certain, else chi-squared
nothing against chi-squared                     chi-squared
the null holds parameters at their boundary,    chi-bar-squared
and nothing else
anything else: few events, an estimate of the   parametric bootstrap if the model can simulate,
null at its boundary, a parameter that has no   else the split test if items can be taken out,
meaning under the null                          else no p-value
==============================================  ===============================================

A method that is asked for by name is used where it is valid, and gives the reasons where it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core import (
    Check,
    Fit,
    Model,
    as_labels,
    can_simulate,
    can_subset,
    clusters_of,
    declares_clusters,
    is_regular,
)
from seqbio.core.numerics import IntArray
from seqbio.errors import ParameterError, did_you_mean
from seqbio.hypothesis_testing.bootstrap import bootstrap_test
from seqbio.hypothesis_testing.boundary import boundary_law
from seqbio.hypothesis_testing.evidence import Evidence, check_count
from seqbio.hypothesis_testing.held_out import held_out_comparison
from seqbio.hypothesis_testing.laws import log_chi_squared_tail
from seqbio.hypothesis_testing.robust import FEWEST_CLUSTERS, cluster_bootstrap, robust_scaling
from seqbio.hypothesis_testing.split import split_test

CALIBRATIONS = (
    "auto",
    "chi2",
    "boundary",
    "bootstrap",
    "bartlett",
    "split",
    "held-out",
    "robust",
    "cluster-bootstrap",
)
STOPPING_LEVEL = 0.05
_NOT_FITTED = {"not_converged", "negative_ratio"}
_DEPENDENT = "dependent_items"
_MANY = "many_parameters"  # of which some models do not seek the maximum
_BARTLETT_REPLICATES = 99

# What each method makes up for: checks that rule out chi-squared, but not the method.
_EVERYTHING = None
_ANSWERED: dict[str, set[str] | None] = {
    "chi2": set(),
    "boundary": {"tested_on_boundary"},
    "bootstrap": _EVERYTHING,
    "bartlett": set(),
    "split": _EVERYTHING,
    "held-out": _EVERYTHING,
    "robust": {_DEPENDENT},
    "cluster-bootstrap": {"few_events", _DEPENDENT},
}
# What only says that the chi-squared law is rough.
_ABOUT_LARGE_NUMBERS = {"few_events", "alternative_on_boundary"}
_BY_CLUSTERS = (
    "robust",
    "cluster-bootstrap",
    "split",
    "held-out",
)  # and so fit for dependent items
_FITS_ITSELF = ("split", "held-out")  # so that it does not matter how the given fits ended


@dataclass(frozen=True, eq=False)
class Options:
    """How to get from a ratio to a p-value; what the fields mean stands under `compare`.

    Without `intervals` the information matrix is not looked at, and with `enough` a bootstrap stops
    when that many replicates exceed; both save time in simulations.
    """

    calibration: str = "auto"
    clusters: ArrayLike | None = None
    n_replicates: int = 999
    n_splits: int = 10
    n_folds: int = 5
    n_starts: int = 1
    stop_early: bool = True
    check_fit: bool = True
    intervals: bool = True
    enough: int | None = None
    executor: Executor | None = None
    on_done: Callable[[int, int], object] | None = None

    def __post_init__(self) -> None:
        if self.calibration not in CALIBRATIONS:
            raise ParameterError(
                f"calibration is {self.calibration!r}"
                f"{did_you_mean(str(self.calibration), CALIBRATIONS)}; give one of "
                f"{', '.join(map(repr, CALIBRATIONS))}"
            )
        check_count("n_replicates", self.n_replicates, 1)
        check_count("n_splits", self.n_splits, 1)
        check_count("n_folds", self.n_folds, 2)


@dataclass(frozen=True)
class Judgement:
    """A p-value and the law that it comes from, or the reasons why there is none.

    Parameters
    ----------
    calibration : str
        The method, in short; "none" without a p-value.
    null_law : str
        The law under the null and why it holds; for "none", all reasons why none is used.
    log_pvalue : float or None
        Natural logarithm of the p-value.
    checks : tuple of Check
        All findings, those that the method makes up for turned into notes.
    evidence : Evidence or None
        What the method found; None for chi-squared and where no method was used.
    """

    calibration: str
    null_law: str
    log_pvalue: float | None
    checks: tuple[Check, ...]
    evidence: Evidence | None


def judge(
    null_fit: Fit,
    alternative_fit: Fit,
    data: Any,
    df: int,
    statistic: float,
    checks: Sequence[Check],
    options: Options,
    generator: np.random.Generator,
) -> Judgement:
    """Choose a way to a p-value, and go it.

    Parameters
    ----------
    null_fit, alternative_fit : Fit
        Of the same model to the data.
    data : object
        In the form that the model takes.
    df : int
        Difference of the numbers of identifiable parameters.
    statistic : float
        Twice the difference of the log-likelihoods.
    checks : sequence of Check
        All that is known against the chi-squared law.
    options : Options
        What the user asked for.
    generator : numpy.random.Generator
        For all that is random.

    Returns
    -------
    Judgement
        Without a p-value where no valid way was found.
    """
    # Naming every item by its content takes time, so that is done only where it is needed.
    labels = cache(partial(_labels, null_fit, data, options))
    checks = [*checks, *_declared_dependence(labels, options)]
    declared = options.clusters is not None or declares_clusters(null_fit.model, data)
    if options.calibration == "auto":
        method, why = _choose(null_fit, data, checks, labels, declared=declared)
    else:
        method, why = options.calibration, "it was asked for"
    if not method:
        return _none([*checks, Check(why, "note", "no_method")])
    objections = _objections(method, null_fit, data, checks)
    if objections:
        return _none([*checks, *objections])
    if method == "chi2":
        return Judgement(
            "chi-squared",
            _chi_squared_law(df, doubts=any(check.severity == "warning" for check in checks)),
            log_chi_squared_tail(statistic, df),
            tuple(checks),
            None,
        )
    evidence = _carry_out(
        method, null_fit, alternative_fit, data, df, labels, declared, options, generator
    )
    if evidence.log_pvalue is None and options.calibration == "auto" and method != "held-out":
        return _second_choice(
            method, evidence, null_fit, alternative_fit, data, df, checks, options, generator
        )
    softened = [
        replace(check, severity="note") if _is_made_up_for(check, method) else check
        for check in checks
    ]
    if evidence.log_pvalue is None:
        return replace(_none([*evidence.checks, *softened]), evidence=evidence)
    return Judgement(
        evidence.name,
        f"{evidence.null_law}. Used because {why}",
        evidence.log_pvalue,
        (*evidence.checks, *softened),
        evidence,
    )


def _is_made_up_for(check: Check, method: str) -> bool:
    """Say whether a check no longer speaks against the p-value, as it comes from this method."""
    answered = _ANSWERED[method]
    needs_no_large_numbers = answered is None or "few_events" in answered
    return check.severity == "invalid" or (
        check.code in _ABOUT_LARGE_NUMBERS and needs_no_large_numbers
    )


def _second_choice(
    method: str,
    evidence: Evidence,
    null_fit: Fit,
    alternative_fit: Fit,
    data: Any,
    df: int,
    checks: Sequence[Check],
    options: Options,
    generator: np.random.Generator,
) -> Judgement:
    """Go another way where the first choice of "auto" came to nothing."""
    further = "held-out" if method == "split" else "bootstrap" if method == "boundary" else ""
    reasons = [check for check in evidence.checks if check.severity == "invalid"]
    known = [*checks, *reasons]
    statistic = 2 * (alternative_fit.log_likelihood - null_fit.log_likelihood)
    if not further or _objections(further, null_fit, data, known):
        return replace(_none(known), evidence=evidence)
    return judge(
        null_fit,
        alternative_fit,
        data,
        df,
        statistic,
        known,
        replace(options, calibration=further),
        generator,
    )


def _labels(null_fit: Fit, data: Any, options: Options) -> IntArray:
    n_items = int(np.size(null_fit.model.log_likelihood(null_fit.full, data)))
    if options.clusters is not None:
        return as_labels(options.clusters, n_items)
    return clusters_of(null_fit.model, data, n_items)


def _declared_dependence(labels: Callable[[], IntArray], options: Options) -> list[Check]:
    """Take the user's word that items belong together."""
    if options.clusters is None:
        return []
    n_items, n_clusters = len(labels()), int(labels().max()) + 1
    if n_clusters == n_items:
        return []
    message = f"{n_items} items belong to {n_clusters} clusters, and are not independent within"
    return [Check(message, "invalid", _DEPENDENT)]


def _choose(
    null_fit: Fit,
    data: Any,
    checks: Sequence[Check],
    labels: Callable[[], IntArray],
    *,
    declared: bool,
) -> tuple[str, str]:
    """Give the method, empty for none, and the reason."""
    model = null_fit.model
    invalid = {check.code: check.message for check in checks if check.severity == "invalid"}
    reasons = "; ".join(invalid.values())
    if not is_regular(model):
        if not _is_divisible(model, data, labels):
            return "", (
                "the items cannot be divided, as the split test and the held-out comparison need; "
                "add a method subset"
            )
        if not null_fit.converged:
            return "held-out", (
                f"{reasons}; and the null's fit is not known to be at its maximum, which the split "
                "test would need"
            )
        return "split", reasons
    if _MANY in invalid and _is_divisible(model, data, labels):
        return "split", (
            "there are too many parameters for the number of items, so that the chi-squared law "
            "does not hold"
        )
    if _NOT_FITTED & invalid.keys():
        return "chi2", ""  # which then gives the reasons
    n_items, n_clusters = (len(labels()), len(np.unique(labels()))) if declared else (0, 0)
    if _DEPENDENT in invalid and n_clusters < FEWEST_CLUSTERS:
        if can_subset(model, data) and n_clusters > 1:
            return "split", (
                f"{reasons}; other ways to allow for that take {FEWEST_CLUSTERS} independent "
                f"clusters, and there are {n_clusters}"
            )
        return "", (
            "it takes independent clusters of items to allow for dependence, and all items belong "
            "to one; add independent ones"
        )
    if set(invalid) <= {_DEPENDENT}:
        if FEWEST_CLUSTERS <= n_clusters < n_items:
            return "robust", (
                f"{n_items} items make only {n_clusters} independent clusters, and nothing "
                "else speaks against the chi-squared law"
            )
        return "chi2", ""
    if _DEPENDENT in invalid:
        return "cluster-bootstrap", reasons
    if set(invalid) == {"tested_on_boundary"}:
        return "boundary", "nothing else speaks against large-sample theory"
    if can_simulate(model):
        return "bootstrap", f"the chi-squared law is not known to hold: {reasons}"
    if _is_divisible(model, data, labels):
        return "split", (
            f"the chi-squared law is not known to hold: {reasons}; and {type(model).__name__} "
            "cannot draw data for a bootstrap"
        )
    return "", (
        f"{type(model).__name__} can neither draw data for a bootstrap nor take items out of the "
        "data for a split test; add a method simulate or subset"
    )


def _is_divisible(model: Model, data: Any, labels: Callable[[], IntArray]) -> bool:
    return can_subset(model, data) and len(np.unique(labels())) > 1


def _objections(method: str, null_fit: Fit, data: Any, checks: Sequence[Check]) -> list[Check]:
    """Find what rules a method out; messages that are among the checks are not repeated."""
    invalid = {check.code for check in checks if check.severity == "invalid"}
    answered = _ANSWERED[method]
    unanswered = set() if answered is None else invalid - answered
    if method not in _FITS_ITSELF:
        unanswered |= invalid & _NOT_FITTED
    if method not in _BY_CLUSTERS:
        unanswered |= invalid & {_DEPENDENT}
    model = null_fit.model
    missing = ""
    if method in ("bootstrap", "bartlett") and not can_simulate(model):
        missing = f"{type(model).__name__} cannot draw data for a bootstrap; add a method simulate"
    if method in ("split", "held-out", "cluster-bootstrap") and not can_subset(model, data):
        missing = "items cannot be taken out of the data; add a method subset"
    if missing:
        return [Check(missing, "invalid", "missing_capability")]
    if unanswered:
        message = f"{method} needs that nothing of this is so"
        return (
            [Check(message, "invalid", "method_not_valid")] if method != "chi2" else _kept(checks)
        )
    return []


def _kept(checks: Sequence[Check]) -> list[Check]:
    return [check for check in checks if check.severity == "invalid"]


def _none(checks: Sequence[Check]) -> Judgement:
    unique = tuple(dict.fromkeys(checks))
    reasons = "; ".join(check.message for check in _kept(unique))
    return Judgement("none", f"none that is known to hold: {reasons}", None, unique, None)


def _chi_squared_law(df: int, *, doubts: bool) -> str:
    degrees = "degree" if df == 1 else "degrees"
    objections = "the model has no objection" + (" but the warnings given" if doubts else "")
    return (
        f"chi-squared with {df} {degrees} of freedom, for many data: the hypotheses are nested, "
        f"the alternative has {df} more of the parameters that can be told apart, both fits are "
        f"at their optimum, no parameter of the null is on its boundary, and {objections}"
    )


def _carry_out(
    method: str,
    null_fit: Fit,
    alternative_fit: Fit,
    data: Any,
    df: int,
    labels: Callable[[], IntArray],
    dependent: bool,
    options: Options,
    generator: np.random.Generator,
) -> Evidence:
    fits = null_fit, alternative_fit, data
    executor, on_done = options.executor, options.on_done
    if method == "boundary":
        return boundary_law(*fits, df)
    if method == "robust":
        return robust_scaling(*fits, df, labels())
    if method == "split":
        return split_test(
            *fits,
            labels(),
            dependent=dependent,
            n_splits=options.n_splits,
            n_starts=max(options.n_starts, 2),
            seed=generator,
            executor=executor,
            on_done=on_done,
        )
    if method == "held-out":
        return held_out_comparison(
            *fits,
            labels(),
            n_folds=min(options.n_folds, int(labels().max()) + 1),
            n_starts=options.n_starts,
            seed=generator,
            executor=executor,
            on_done=on_done,
        )
    if method == "cluster-bootstrap":
        return cluster_bootstrap(
            *fits,
            df,
            labels(),
            n_replicates=options.n_replicates,
            seed=generator,
            executor=executor,
            on_done=on_done,
        )
    bartlett = method == "bartlett"
    return bootstrap_test(
        *fits,
        df,
        n_replicates=min(options.n_replicates, _BARTLETT_REPLICATES)
        if bartlett
        else options.n_replicates,
        stop_at=STOPPING_LEVEL if options.stop_early and not bartlett else None,
        enough=None if bartlett else options.enough,
        bartlett=bartlett,
        seed=generator,
        executor=executor,
        on_done=on_done,
    )
