"""From two hypotheses, or two fits, to a likelihood ratio test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Protocol, TypeAlias, runtime_checkable

import numpy as np

from seqbio.core import (
    Check,
    Fit,
    Hypothesis,
    Model,
    SupportsHypothesis,
    as_hypothesis,
    boundary_of,
    can_subset,
    clusters_of,
    copies_of,
    covariance,
    effects_of,
    fingerprint,
    is_regular,
    maximise,
    not_fitted,
    robust_covariance,
    spawn_generators,
    subset_of,
)
from seqbio.core._checks import SELF_CHECKED, checked
from seqbio.core.ascent import names_along
from seqbio.core.model import COPIES
from seqbio.core.numerics import FloatArray, IntArray, Labels
from seqbio.errors import ConvergenceError, DataMismatchError, NotFittedError, ParameterError
from seqbio.hypothesis_testing.calibrations.declaration import (
    DEPENDENT,
    OVERDISPERSED,
    UNBOUNDED,
)
from seqbio.hypothesis_testing.comparability import (
    check_alike,
    check_same_data,
    check_same_likelihood,
    check_same_model,
    differing_settings,
    identifiable_ranks,
    names_of,
)
from seqbio.hypothesis_testing.comparison import SETTLED, Comparison, Options
from seqbio.hypothesis_testing.dispersion import dispersion
from seqbio.hypothesis_testing.effects import Spread, estimate_effects
from seqbio.hypothesis_testing.evidence import check_count
from seqbio.hypothesis_testing.goodness_of_fit import goodness_checks
from seqbio.hypothesis_testing.result import LikelihoodRatioResult
from seqbio.hypothesis_testing.select import Judgement, check_name, judge, needs_no_fits
from seqbio.hypothesis_testing.validity import boundary_checks, convergence_checks, model_checks

_NO_DROP = 0.1  # nats; two standard errors from a maximum it is about 2
_ONE_SIDED = 0.01  # of the drop on the other side
_MOST_HALVINGS = 60
_LEAST_BEND = 1e-18  # per square unit of a coordinate
_FRESH_STARTS = 5  # for an alternative that fits worse than the null


@runtime_checkable
class FittedEstimator(Protocol):
    """An estimator that keeps its fit."""

    fit_: Fit


Fitted: TypeAlias = Annotated[Fit | FittedEstimator, SELF_CHECKED]


@checked
def compare(
    null: Hypothesis | SupportsHypothesis,
    alternative: Hypothesis | SupportsHypothesis,
    data: Any,
    *,
    calibration: str = "auto",
    clusters: Labels | None = None,
    keep_copies: bool = False,
    n_replicates: int = 999,
    n_splits: int = 10,
    n_folds: int = 5,
    stop_early: bool = True,
    check_fit: bool = True,
    seed: int | np.random.Generator | None = None,
    n_starts: int = 1,
    max_iterations: int = 200,
    executor: Executor | None = None,
    on_done: Callable[[int, int], object] | None = None,
) -> LikelihoodRatioResult:
    """Fit two nested hypotheses to the same data and test the narrower one.

    The null is fitted first; the alternative starts from its optimum, which it can reproduce, so
    that it can only gain. Everything else is as in `likelihood_ratio_test`.

    Parameters
    ----------
    null, alternative : Hypothesis or estimator
        About the same model; the null ties or fixes more. An estimator is anything with a method
        ``hypothesis(data)``; it is not changed, and need not be fitted.
    data : object
        In the form that the estimators take; with Hypothesis objects, that the model takes.
    calibration : str, default "auto"
        How to get from the ratio to a p-value. "auto" takes what is known to be valid, see
        `seqbio.hypothesis_testing.select`: "flip" (random signs of the items' scores) or "exchange"
        (refits to transformed items); "relabel" (random labels of groups); "chi2"; "boundary"
        (chi-bar-squared); "bootstrap" (parametric), or "bartlett" for fewer replicates; "split"
        (universal inference); "held-out" (a comparison of predictions); "robust" or
        "cluster-bootstrap" for items that belong together or differ. What each takes for granted
        stands at the head of its file in `seqbio.hypothesis_testing.calibrations`.
    clusters : array_like of int or str, (n_items,), optional
        The same label for items that are not independent. By default what the model or its data
        say; else items are independent, but those of the same content are never divided by a
        split or fold.
    keep_copies : bool, default False
        Whether items that occur more than once were observed as often, independently. By default
        they are copies, of which one is tested, unless `clusters` are given.
    n_replicates : int, default 999
        Of a bootstrap.
    n_splits, n_folds : int, default 10 and 5
        Of the split test, and of the held-out comparison.
    stop_early : bool, default True
        Whether a bootstrap may stop when p is clearly above or below 5 %.
    check_fit : bool, default True
        Whether to warn where the alternative, the wider hypothesis, does not describe the data; a
        few evaluations, for models that offer probes (`seqbio.hypothesis_testing.goodness_of_fit`).
    seed : int, numpy.random.Generator or None
        For all that is random.
    n_starts : int, default 1
        Starts for each fit; more guard against local optima.
    max_iterations : int, default 200
        Most steps of the optimiser for each start, of models that `seqbio.core.fit` fits.
    executor : concurrent.futures.Executor, optional
        Where bootstraps, splits and folds are worked on; the result does not depend on it.
    on_done : callable, optional
        Called as ``on_done(n_done, n_pieces)`` while they are.

    Returns
    -------
    LikelihoodRatioResult
        With the p-value, or the reasons why there is none.

    Raises
    ------
    NestingError
        The hypotheses are about different models, or the null is no special case of the
        alternative, or both describe the same distributions.
    DataMismatchError
        The estimators prepare the data in different ways.
    ParameterError
        An argument has a value that it cannot have.
    ConvergenceError
        The log-likelihood at the start is not finite.

    Examples
    --------
    Have three normal samples of known standard deviation the same mean?

    >>> from seqbio.core import Layout, equal, untied
    >>> class NormalMeans:
    ...     layout = Layout({"mean": (3,)})
    ...     def start(self, data):
    ...         return np.zeros(3)
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2).sum(axis=1) / 2
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         return self.log_likelihood(full, data).sum(), (data - full).sum(axis=0)
    >>> null = Hypothesis(NormalMeans(), equal(3, [0, 1, 2]), "one mean")
    >>> alternative = Hypothesis(NormalMeans(), untied(3), "three means")
    >>> data = np.array([[1.0, 2.0, 2.0], [0.0, 1.0, 3.0]])
    >>> result = compare(null, alternative, data)
    >>> print(f"{result.statistic:.4f} {result.df} {result.pvalue:.4f}")
    4.0000 2 0.1353
    >>> print(result.conclusion)
    The data do not contradict "one mean", tested against "three means" (p = 0.135, not below the
    5 % level), which does not show that it is true.
    """
    check_name(calibration)
    options = Options(
        calibration,
        n_replicates,
        n_splits,
        n_folds,
        n_starts,
        stop_early,
        check_fit,
        executor=executor,
        on_done=on_done,
    )
    check_alike(null, alternative)
    null_hypothesis, prepared = as_hypothesis(null, data)
    alternative_hypothesis, prepared_for_alternative = as_hypothesis(alternative, data)
    different = differing_settings(null, alternative)
    check_same_model(null_hypothesis.model, alternative_hypothesis.model, different)
    check_same_data(fingerprint(prepared), fingerprint(prepared_for_alternative), different)
    copies = None if clusters is not None else copies_of(null_hypothesis.model, prepared)
    checks: list[Check] = []
    if copies is not None and keep_copies:
        clusters = _copies_apart(null_hypothesis.model, prepared, copies)
    elif copies is not None:
        prepared, checks = _without_copies(null_hypothesis.model, prepared, copies)
        if checks:
            null_hypothesis = _restated(null, null_hypothesis, prepared)
            alternative_hypothesis = _restated(alternative, alternative_hypothesis, prepared)
    names = names_of(null, alternative, (null_hypothesis, alternative_hypothesis))
    ranks = identifiable_ranks(null_hypothesis, alternative_hypothesis, prepared, names)

    check_count("max_iterations", max_iterations, 1)
    fits = not_fitted(null_hypothesis, prepared), not_fitted(alternative_hypothesis, prepared)
    comparison = Comparison(*fits, prepared, ranks[1] - ranks[0], clusters)
    return fit_and_judge(
        comparison,
        names,
        ranks,
        options,
        spawn_generators(seed, 3),
        checks,
        keep_copies=keep_copies,
        max_iterations=max_iterations,
    )


def _without_copies(model: Model, data: Any, copies: IntArray) -> tuple[Any, list[Check]]:
    """Leave one of each item in the data, and tell."""
    _, kept = np.unique(copies, return_index=True)
    n_items, n_kept = len(copies), len(kept)
    if n_kept == n_items or not can_subset(model, data):
        return data, []
    message = (
        f"{n_items - n_kept} of {n_items} items are copies of others and were left out: "
        f"{n_kept} were tested. If each was observed by itself, say so with keep_copies=True "
        "(--keep-copies)"
    )
    return subset_of(model, data, np.sort(kept)), [Check(message, "note", "copies_left_out")]


def _restated(source: object, hypothesis: Hypothesis, data: Any) -> Hypothesis:
    """State a hypothesis about other data, where what it ties depends on them."""
    method = getattr(source, "hypothesis_of", None)
    return hypothesis if method is None else method(data)


def _copies_apart(model: Model, data: Any, copies: IntArray) -> IntArray:
    """Take clusters apart that consist of copies of one item alone."""
    labels = clusters_of(model, data, len(copies))
    apart = np.arange(len(copies))
    for cluster in range(int(labels.max()) + 1):
        members = np.flatnonzero(labels == cluster)
        if len(np.unique(copies[members])) > 1:
            apart[members] = members[0]
    return apart


@checked
def likelihood_ratio_test(
    null: Fitted,
    alternative: Fitted,
    data: Any = None,
    *,
    calibration: str = "auto",
    clusters: Labels | None = None,
    n_replicates: int = 999,
    seed: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    on_done: Callable[[int, int], object] | None = None,
) -> LikelihoodRatioResult:
    """Test a fitted hypothesis against a wider one that was fitted to the same data.

    Twice the difference of the log-likelihoods is referred to the law that it has under the null.
    The degrees of freedom are the difference of the numbers of parameters that can be told apart
    (the rank of a derivative, see `seqbio.core.identifiable_rank`). There is a p-value only where
    its law is known to hold: `seqbio.hypothesis_testing.validity` says when that is.

    The alternative can reproduce the null, so its log-likelihood cannot be lower. When it is, by
    more than rounding and the stopping rule of the fits can explain, its optimum was missed: the
    null is fitted again from the alternative's estimates, the alternative from the null's and from
    fresh starts, and the best fits count. A ratio that is still negative is reported as it is, as
    not converged and without a p-value. A ratio between 0 and minus the tolerance, which is 2e-6
    for the stopping rule and 1e-8 (1 + |log-likelihood|) for rounding, is reported as 0.

    Parameters
    ----------
    null, alternative : Fit or fitted estimator
        About the same model; the null ties or fixes more. An estimator keeps its fit as ``fit_``.
    data : object, optional
        What both were fitted to: in the form that the estimators take, or that the model takes
        when both are of class Fit. An estimator that keeps its data as ``data_`` needs none.
    calibration, clusters, n_replicates, executor, on_done
        As in `compare`.
    seed : int, numpy.random.Generator or None
        For all that is random.

    Returns
    -------
    LikelihoodRatioResult
        With the p-value, or the reasons why there is none.

    Raises
    ------
    NestingError
        The hypotheses are about different models, or the null is no special case of the
        alternative, or both describe the same distributions.
    DataMismatchError
        The fits were made on different data, or on other data than those given.
    NotFittedError
        An estimator is not fitted.

    Examples
    --------
    >>> from seqbio.core import Layout, fit, fixed, untied
    >>> class NormalMean:
    ...     layout = Layout({"mean": ()})
    ...     def start(self, data):
    ...         return np.zeros(1)
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2) / 2
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         return self.log_likelihood(full, data).sum(), (data - full).sum(keepdims=True)
    >>> data = np.array([1.0, 2.0, 1.0, 2.0])
    >>> zero, free = (fit(NormalMean(), tying, data) for tying in (fixed(1, 0, 0.0), untied(1)))
    >>> result = likelihood_ratio_test(zero, free, data)
    >>> print(f"{result.statistic:.4f} {result.df} {result.pvalue:.4f}")
    9.0000 1 0.0027
    """
    check_alike(null, alternative)
    null_fit, null_name, null_data = _as_fit(null, data)
    alternative_fit, alternative_name, alternative_data = _as_fit(alternative, data)
    different = differing_settings(null, alternative)
    check_same_model(null_fit.model, alternative_fit.model, different)
    check_same_data(null_fit.data_fingerprint, alternative_fit.data_fingerprint, different)
    # A Fit among estimators was made on data that an estimator prepared.
    prepared = alternative_data if isinstance(null, Fit) else null_data
    if fingerprint(prepared) != null_fit.data_fingerprint:
        raise DataMismatchError(
            f"the data (fingerprint {fingerprint(prepared)}) are not those of the two fits "
            f"({null_fit.data_fingerprint}); give the data that both were fitted to"
        )
    null_hypothesis = Hypothesis(null_fit.model, null_fit.tying, null_name)
    alternative_hypothesis = Hypothesis(
        alternative_fit.model, alternative_fit.tying, alternative_name
    )
    names = names_of(null, alternative, (null_hypothesis, alternative_hypothesis))
    ranks = identifiable_ranks(null_hypothesis, alternative_hypothesis, prepared, names)
    generator = spawn_generators(seed, 1)[0]
    check_name(calibration)
    options = Options(calibration, n_replicates, executor=executor, on_done=on_done)
    comparison = Comparison(null_fit, alternative_fit, prepared, ranks[1] - ranks[0], clusters)
    return judge_fits(comparison, names, ranks, options, generator)


def _as_fit(source: object, data: Any) -> tuple[Fit, str, Any]:
    """Get the fit, the name of its hypothesis if it has one, and the data as the model takes it."""
    if isinstance(source, Fit):
        return source, "", data
    if not isinstance(source, FittedEstimator):
        if isinstance(source, SupportsHypothesis) and not isinstance(source, type):
            raise NotFittedError(
                f"{source!r} is not fitted; call its method fit, or use compare, which fits"
            )
        raise ParameterError(
            f"{source!r} is no fit; give the result of seqbio.core.fit, or a fitted estimator"
        )
    if not isinstance(source, SupportsHypothesis):
        return source.fit_, "", data
    if data is None and hasattr(source, "data_"):
        return source.fit_, str(getattr(source, "name_", "")), source.data_
    hypothesis, prepared = as_hypothesis(source, data)
    return source.fit_, hypothesis.name, prepared


def fit_and_judge(
    comparison: Comparison,
    names: tuple[str, str],
    ranks: tuple[int, int],
    options: Options,
    generators: Sequence[np.random.Generator],
    checks: Sequence[Check] = (),
    *,
    keep_copies: bool = False,
    start: FloatArray | None = None,
    max_iterations: int = 200,
) -> LikelihoodRatioResult:
    """Fit two hypotheses, unless the test does without, and judge them.

    Parameters
    ----------
    comparison : Comparison
        Of hypotheses that are not fitted.
    names, ranks, options, checks, keep_copies
        As in `judge_fits`.
    generators : sequence of numpy.random.Generator
        For the fit of the null, that of the alternative, and all that is random besides.
    start : ndarray of float64, (n_full,), optional
        Where the null's fit starts; by default where the model says.
    max_iterations : int, default 200
        Of each fit.

    Returns
    -------
    LikelihoodRatioResult
        With the p-value, or the reasons why there is none.
    """
    for_null, for_alternative, for_refits = generators
    if needs_no_fits(comparison, options):
        result = judge_fits(
            comparison, names, ranks, options, for_refits, checks, keep_copies=keep_copies
        )
        if result.log_pvalue is not None:
            return result
    null, alternative = (
        partial(
            maximise,
            source.model,
            source.tying,
            comparison.data,
            n_starts=options.n_starts,
            max_iterations=max_iterations,
        )
        for source in (comparison.null_fit, comparison.alternative_fit)
    )
    null_fit = null(start=start, seed=for_null)
    alternative_fit = alternative(start=null_fit.full, seed=for_alternative)
    fitted = replace(comparison, null_fit=null_fit, alternative_fit=alternative_fit)
    return judge_fits(fitted, names, ranks, options, for_refits, checks, keep_copies=keep_copies)


def judge_fits(
    comparison: Comparison,
    names: tuple[str, str],
    ranks: tuple[int, int],
    options: Options,
    generator: np.random.Generator,
    checks: Sequence[Check] = (),
    *,
    keep_copies: bool = False,
) -> LikelihoodRatioResult:
    """Test two fits that can be compared, once it is known that they can.

    Parameters
    ----------
    comparison : Comparison
        Two fits of nested hypotheses to the same data; or none, for a test that needs none.
    names : tuple of str
        Of the null and the alternative.
    ranks : tuple of int
        Numbers of their identifiable parameters.
    options : Options
        What `compare` was asked for.
    generator : numpy.random.Generator
        For all that is random.
    checks : sequence of Check, optional
        What is known already.
    keep_copies : bool, default False
        Whether items that occur more than once are independent.

    Returns
    -------
    LikelihoodRatioResult
        With the p-value, or the reasons why there is none.
    """
    if comparison.is_fitted:
        check_same_likelihood(comparison.null_fit, comparison.model, comparison.data)
    if comparison.statistic < -comparison.tolerance:
        comparison = _fitted_again(comparison, generator)
    doubts = convergence_checks(comparison)
    converged = comparison.is_fitted and not doubts
    found = [*checks, *doubts, *boundary_checks(comparison)]
    of_model = model_checks(comparison)
    found += [each for each in of_model if not (keep_copies and each.about == COPIES)]
    naive: FloatArray | None = None
    if converged and is_regular(comparison.model):
        # First what looks at the estimates themselves: a model may remember them from its checks.
        misfits = goodness_checks(comparison) if options.check_fit else []
        # Where the mean of the ratio is known, curvature is there for intervals alone.
        effects = effects_of(comparison.model, comparison.alternative_fit.full)
        if options.intervals and (effects or comparison.mean_ratio is None):
            naive, more_checks = _covariance(comparison, ranks[1])
            if endless := _unbounded(comparison):
                naive, more_checks, converged = None, endless, False
            found += more_checks
        varying = dispersion(comparison)
        found += misfits if varying is None else misfits + varying.checks
    judgement = judge(comparison, found, options, generator)
    spread = None if naive is None else _spread(comparison, judgement, naive)
    evidence = judgement.evidence
    return LikelihoodRatioResult(
        statistic=comparison.statistic,
        log_pvalue=None if evidence is None else evidence.log_pvalue,
        calibration="none" if evidence is None or not judgement.calibration else evidence.name,
        null_law=judgement.null_law,
        converged=converged,
        warnings=judgement.checks,
        null_name=names[0],
        alternative_name=names[1],
        null_rank=ranks[0],
        alternative_rank=ranks[1],
        null_fit=getattr(evidence, "learned", None) or comparison.null_fit,
        alternative_fit=comparison.alternative_fit,
        effects=estimate_effects(comparison, spread),
        evidence=evidence,
        method=judgement.calibration,
        robust_intervals=spread is not None and spread.n_clusters is not None,
    )


def _unbounded(comparison: Comparison) -> list[Check]:
    """Find a direction in which the likelihood rises for ever, as where classes are separated.

    Looked at are the flattest direction and that in which the fit went, with ever shorter steps. At
    a maximum either way costs something where one does, and short steps cost about the same; where
    the likelihood rises for ever one way costs nothing. Coordinates that may be -inf go there in
    the fit, which is looked at as a boundary.
    """
    fitted, model = comparison.alternative_fit, comparison.model
    if boundary_of(model).any() or not fitted.n_free:
        return []

    def drop(moved: FloatArray) -> float:
        with np.errstate(all="ignore"):
            away = float(np.sum(model.log_likelihood(fitted.tying.expand(moved), comparison.data)))
        return fitted.log_likelihood - away if np.isfinite(away) else np.inf

    bends, directions = np.linalg.eigh(comparison.information)
    flattest = 2 / np.sqrt(max(bends[0], _LEAST_BEND)) * directions[:, 0]
    for step in (flattest, fitted.free - fitted.tying.project(model.start(comparison.data))):
        for halving in range(_MOST_HALVINGS):
            less, more = sorted(drop(fitted.free + sign * step / 2**halving) for sign in (1, -1))
            if more < _NO_DROP:
                break
            if less < min(_NO_DROP, _ONE_SIDED * more):
                listed = names_along(model.layout, fitted.tying, step)
                message = (
                    "the likelihood of the alternative has no maximum: it does not fall where "
                    f"{listed} grow without end, as where a variable separates the items "
                    "completely; leave it out, or fix it"
                )
                return [Check(message, "invalid", UNBOUNDED, concerns="fit")]
    return []


def _spread(comparison: Comparison, judgement: Judgement, naive: FloatArray) -> Spread | None:
    """Give the errors of the estimates that go with the law of the p-value."""
    codes = {check.code for check in judgement.checks}
    by_clusters = judgement.calibration is not None and judgement.calibration.robust
    if not (by_clusters or codes & {DEPENDENT, OVERDISPERSED}):
        return Spread(naive, None)
    if comparison.n_clusters < 2:
        return None
    fitted, labels = comparison.alternative_fit, comparison.labels
    robust = robust_covariance(fitted, comparison.data, labels, naive=naive)
    return Spread(robust, comparison.n_clusters)


def _fitted_again(comparison: Comparison, generator: np.random.Generator) -> Comparison:
    """Give the null, and then the alternative, other starts."""
    null_fit, alternative_fit = comparison.null_fit, comparison.alternative_fit
    null, alternative = (
        partial(maximise, source.model, source.tying, comparison.data)
        for source in (null_fit, alternative_fit)
    )
    # The estimates of the alternative may be impossible under the null.
    with suppress(ConvergenceError):
        null_fit = _better(null_fit, null(start=alternative_fit.full))
    alternative_fit = _better(alternative_fit, alternative(start=null_fit.full))
    fresh = alternative(n_starts=_FRESH_STARTS, seed=generator)
    return replace(comparison, null_fit=null_fit, alternative_fit=_better(alternative_fit, fresh))


def _better(old: Fit, new: Fit) -> Fit:
    """Take the higher of two fits, and of equally high ones that which shows it is at the top."""
    gain = new.log_likelihood - old.log_likelihood
    if abs(gain) < SETTLED and old.converged != new.converged:
        return new if new.converged else old
    return new if gain > 0 else old


def _covariance(comparison: Comparison, rank: int) -> tuple[FloatArray | None, list[Check]]:
    """Get the covariance of the free parameters, or what it means that there is none."""
    fitted = comparison.alternative_fit
    if rank < fitted.n_free:
        message = (
            f"{rank} of {fitted.n_free} free parameters can be told apart, so none has an error"
        )
        return None, [Check(message, "note", "no_intervals")]
    try:
        return covariance(fitted, comparison.data, observed=comparison.information), []
    except ConvergenceError as error:
        message = f"under the alternative {error}"
        return None, [Check(message, "invalid", "flat_likelihood", concerns="fit")]
