"""The split likelihood ratio: a test that is valid for any model and any number of items.

The items are cut in halves. The alternative is fitted on one half, in whatever way; the null is
maximised on the other. If the null is true the ratio of the two likelihoods of the other half,

    U = L(alternative fitted on the first half; second half) / max over the null L(second half),

has an expectation of at most 1: the denominator is at least the likelihood of the truth, with
which the ratio would average 1. So 1 / U is a valid p-value (Markov's inequality), with no
regularity, no large numbers and no degrees of freedom. Exchanging the halves and cutting anew give
further such ratios; their mean has an expectation of at most 1, too, and depends less on the cut.
The price is power: a chi-squared test, where there is one, needs fewer items. Some of it is bought
back by predicting the second half in two pieces: the first piece, once predicted, is learned from,
too, before the second is predicted. Each prediction still knows nothing of what it predicts.

Two things it does need. The items must be independent given their design, so of those that are
known to depend on each other one is used in each split, drawn at random; items that merely have
the same content are kept in one half. And the denominator must be the *maximum* of the null: one
that is d nats too low makes U too large by a factor of exp(d). Here each is sought from several
starts, among them the null's optimum for all data, and what they reached is kept as evidence.

How a network plugs in
----------------------
A network is a model like any other (`seqbio.core.model`), with ``regular = False`` and a sentence
in ``irregular_reason``. Items are taken out by its ``subset(data, indices)``, or by that of its
data, or along the first axis of an array; ``log_likelihood(full, data)`` gives one number an item.
If L-BFGS is not the way to train it, a method ``maximise(tying, data, start=, n_starts=, seed=)``
returns a `seqbio.core.Fit`, made by `seqbio.core.fit_at` from the parameters that training
reached; ``converged`` should be true only if they are an optimum of the likelihood. Where the
null's fits do not converge this test gives no p-value, and a comparison of predictions on held-out
items is the way. Nothing else is asked of the model, and nothing of the alternative's fit but
parameters: a network's maximum on one half predicts the other badly, so the power comes from a
method ``learn``, with the arguments of ``maximise``, that stops where it predicts well.

What this p-value takes for granted
-----------------------------------
Independent items, of which one of each cluster is used; that the null is true as it stands, all
laws of the model included; and that its maximum on each half was found. It takes neither large
numbers nor regularity for granted, so that it holds for networks. Items that differ in their
parameters are not of the null's law, and what they do to the ratio is not bounded.

References
----------
Wasserman, L., Ramdas, A. and Balakrishnan, S. (2020). Universal inference. Proceedings of the
National Academy of Sciences 117, 16880-16890: theorem 3 (split), section 5 (cross-fit, mean over
splits), section 8 (predicting items from those before).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from seqbio.core import (
    Check,
    Fit,
    is_regular,
    learn,
    map_pieces,
    maximise,
    spawn_generators,
    subset_of,
)
from seqbio.core._checks import checked
from seqbio.core.numerics import FloatArray, IntArray, logsumexp
from seqbio.hypothesis_testing.calibrations.declaration import (
    MANY,
    NOT_FITTED,
    Calibration,
    is_divisible,
    taken_apart,
)
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.evidence import check_count, finite_list
from seqbio.hypothesis_testing.folds import grouped_folds
from seqbio.hypothesis_testing.pictures import SplitRatios

_SETTLED = 1e-3  # nats; optima that close are the same
_PIECES = 2  # in which a half is predicted


@dataclass(frozen=True, eq=False)
class SplitTest:
    """The split likelihood ratio of all halves, and the evidence for its denominators.

    Parameters
    ----------
    log_ratios : ndarray of float64, (n_splits, 2)
        Natural logarithms of U, for either half of each split.
    null_converged : ndarray of bool, (n_splits, 2)
        Whether the null's fit of that half is at an optimum.
    null_spreads : ndarray of float64, (n_splits, 2)
        How far below its best start the null's second best ended, in nats.
    n_starts : int
        Starts of each fit of the null.
    regular : bool
        Whether the model is regular, so that an optimum is seldom a false one.
    """

    log_ratios: FloatArray
    null_converged: np.ndarray[Any, np.dtype[np.bool_]]
    null_spreads: FloatArray
    n_starts: int
    regular: bool

    name = "split"

    @property
    def log_ratio(self) -> float:
        """Natural logarithm of the mean of all U."""
        return float(logsumexp(self.log_ratios.ravel(), axis=0) - np.log(self.log_ratios.size))

    @property
    def log_pvalue(self) -> float | None:
        """At most 0, minus the log of the mean of U; None if a denominator is no maximum."""
        if not self.null_converged.all() or np.isnan(self.log_ratios).any():
            return None
        return min(0.0, -self.log_ratio)

    @property
    def null_law(self) -> str:
        """What bounds the ratio under the null, and on what condition."""
        return (
            "no law is needed: if the null is true the split likelihood ratio has an expectation "
            "of at most 1, for any number of items and any model, so p <= 1 / ratio (Wasserman, "
            "Ramdas and Balakrishnan 2020). The items must be independent and the denominator "
            f"must be the maximum of the null's likelihood: {self.evidence}"
        )

    @property
    def evidence(self) -> str:
        """What speaks for the denominators being maxima."""
        n = self.null_converged.size
        if not self.null_converged.all():
            return f"{n - int(self.null_converged.sum())} of its {n} fits did not converge"
        agreeing = int((self.null_spreads < _SETTLED).sum())
        return (
            f"all {n} of its fits converged, and in {agreeing} of them the best two of "
            f"{self.n_starts} starts agree within {_SETTLED:g} nats"
        )

    @property
    def checks(self) -> tuple[Check, ...]:
        """Doubts about the denominators."""
        if np.isnan(self.log_ratios).any():
            message = "a half of the data is impossible under the null; the ratio is undefined"
            return (Check(message, "invalid", "impossible_half", concerns="fit"),)
        if not self.null_converged.all():
            message = (
                f"the denominator of the split ratio must be the null's maximum, and "
                f"{self.evidence}; compare predictions with calibration='held-out' instead"
            )
            return (Check(message, "invalid", "denominator_not_maximal", concerns="fit"),)
        if self.regular and (self.null_spreads < _SETTLED).all():
            return ()
        message = (
            f"the split p-value is valid if the null's maximum was found; {self.evidence}. A "
            "maximum that is d nats higher would multiply p by exp(d)"
        )
        return (Check(message, "warning", "denominator_evidence", concerns="method"),)

    def picture(self) -> SplitRatios:
        """Say what a figure of it shows."""
        return SplitRatios(self.log_ratios, self.log_ratio)

    def rows(self) -> list[tuple[str, str]]:
        """Give label and value of what people should see."""
        ratio = [("log of the mean split ratio", f"{self.log_ratio:.6g}")]
        return [
            *([] if np.isnan(self.log_ratio) else ratio),
            ("splits, each in both directions", str(len(self.log_ratios))),
            ("evidence for the denominators", self.evidence),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        return {
            "method": self.name,
            "log_mean_ratio": finite_list(np.array([self.log_ratio]))[0],
            "log_ratios": [finite_list(row) for row in self.log_ratios],
            "n_splits": len(self.log_ratios),
            "null_fits_converged": int(self.null_converged.sum()),
            "null_fits": self.null_converged.size,
            "null_spreads": [finite_list(row) for row in self.null_spreads],
            "n_starts": self.n_starts,
        }


@checked
def split_test(
    comparison: Comparison,
    *,
    n_splits: int = 10,
    n_starts: int = 3,
    seed: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    on_done: Callable[[int, int], object] | None = None,
) -> SplitTest:
    """Compute the split likelihood ratio, cross-fitted and averaged over random splits.

    Parameters
    ----------
    comparison : Comparison
        Model and tying of each fit; the null's optimum for all data is one start of its fits. The
        alternative starts afresh, so that it knows nothing of the half it is judged on. Of the
        items of a cluster that somebody has declared only one counts.
    n_splits : int, default 10
        Random halvings, each used in both directions.
    n_starts : int, default 3
        Starts of each fit; for the null the first is its optimum for all data.
    seed : int, numpy.random.Generator or None
        For the splits and starts.
    executor : concurrent.futures.Executor, optional
        Splits are independent pieces of work.
    on_done : callable, optional
        Called as ``on_done(n_done, n_splits)``.

    Returns
    -------
    SplitTest
        With the p-value, or the reason why there is none.

    Raises
    ------
    ParameterError
        Items cannot be taken out of the data, or there are fewer than two groups of items.

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
    >>> data = np.full(8, 2.0)
    >>> zero, free = (fit(NormalMean(), tying, data) for tying in (fixed(1, 0, 0.0), untied(1)))
    >>> test = split_test(Comparison(zero, free, data, 1, np.arange(8)), seed=1)
    >>> print(f"{test.log_ratio:.2f}")  # 4 items, each exp(2**2 / 2) times as likely
    8.00
    """
    check_count("n_splits", n_splits, 1)
    check_count("n_starts", n_starts, 1)
    work = partial(
        _one_split,
        comparison.null_fit,
        comparison.alternative_fit,
        comparison.data,
        comparison.kept_together,
        comparison.declared,
        n_starts,
    )
    done = map_pieces(work, spawn_generators(seed, n_splits), executor=executor, on_done=on_done)
    return SplitTest(
        log_ratios=np.array([[half[0] for half in halves] for halves in done]),
        null_converged=np.array([[half[1] for half in halves] for halves in done]),
        null_spreads=np.array([[half[2] for half in halves] for halves in done]),
        n_starts=n_starts,
        regular=is_regular(comparison.model),
    )


def _one_split(
    null_fit: Fit,
    alternative_fit: Fit,
    data: Any,
    clusters: IntArray,
    dependent: bool,
    n_starts: int,
    generator: np.random.Generator,
) -> list[tuple[float, bool, float]]:
    """Give log ratio, convergence and spread of the null's fit for both halves."""
    folds = grouped_folds(clusters, 2, generator)
    if dependent:
        folds = [_one_of_each(clusters, items, generator) for items in folds]
    first, second = folds
    return [
        _one_half(null_fit, alternative_fit, data, clusters, *pair, n_starts, generator)
        for pair in ((first, second), (second, first))
    ]


def _one_of_each(clusters: IntArray, items: IntArray, generator: np.random.Generator) -> IntArray:
    """Draw one item of each cluster, in the order of the items."""
    mixed = generator.permutation(items)
    _, first = np.unique(clusters[mixed], return_index=True)
    return np.sort(mixed[first])


def _one_half(
    null_fit: Fit,
    alternative_fit: Fit,
    data: Any,
    clusters: IntArray,
    learning: IntArray,
    testing: IntArray,
    n_starts: int,
    generator: np.random.Generator,
) -> tuple[float, bool, float]:
    model = alternative_fit.model
    numerator = 0.0
    _, labels = np.unique(clusters[testing], return_inverse=True)
    for piece in grouped_folds(labels, min(_PIECES, labels.max() + 1), generator):
        known, unseen = (subset_of(model, data, items) for items in (learning, testing[piece]))
        learned = learn(model, alternative_fit.tying, known, n_starts=n_starts, seed=generator)
        with np.errstate(invalid="ignore"):
            numerator += float(np.sum(model.log_likelihood(learned.full, unseen)))
        learning = np.concatenate([learning, testing[piece]])
    judged = subset_of(null_fit.model, data, testing)
    found = maximise(
        null_fit.model,
        null_fit.tying,
        judged,
        start=null_fit.full,
        n_starts=n_starts,
        seed=generator,
    )
    spread = found.optima[0] - found.optima[1] if len(found.optima) > 1 else 0.0
    with np.errstate(invalid="ignore"):
        # The null's optimum for all data is a candidate, too, and costs one evaluation.
        overall = float(np.sum(null_fit.model.log_likelihood(null_fit.full, judged)))
        denominator = max(found.log_likelihood, overall)
        improved = overall > found.log_likelihood + _SETTLED
        return numerator - denominator, found.converged and not improved, spread


def _needs(comparison: Comparison) -> str:
    if is_divisible(comparison):
        return ""
    return taken_apart(comparison) or (
        "the data cannot be divided: all items are one, or belong to one cluster; add independent "
        "items"
    )


def _automatic(comparison: Comparison, found: Collection[str]) -> bool:
    if not is_regular(comparison.model):
        return comparison.null_fit.converged
    return MANY in found or not NOT_FITTED & set(found)


def _run(comparison: Comparison, options: Options, generator: np.random.Generator) -> SplitTest:
    return split_test(
        comparison,
        n_splits=options.n_splits,
        n_starts=max(options.n_starts, 2),
        seed=generator,
        executor=options.executor,
        on_done=options.on_done,
    )


SPLIT = Calibration(
    "split",
    "a bound from halves of the data (universal inference)",
    _run,
    answers=None,
    needs=_needs,
    automatic=_automatic,
    by_clusters=True,
    fits_itself=True,
    is_bound=True,
    caption="The ratio that each half of each split gives, and what their mean has to exceed.",
)
