"""Held-out comparison: which of two hypotheses predicts items better that it has not seen.

The items are dealt to folds. Both hypotheses are fitted to all folds but one, and give each item
of the one left out a log-likelihood; the difference, item by item, says how much better the
alternative predicted it. If neither predicts better, the difference is as likely to have one sign
as the other, so flipping signs at random shows what chance makes of their sum.

This is a comparison of predictions, not a test of parameters: a model with more parameters than
the data can teach predicts worse even when it is true, and the p-value speaks of these fitted
models and of new items like these. It is what remains for networks, to which likelihood theory
does not apply and whose null cannot be maximised for certain; it needs no maximum and no
regularity. Items that belong together (copies, records of one family) stay in one fold and flip
together, so that no duplicate sits on both sides.

The folds' fits share most of their data, so sums over different folds are slightly dependent; the
p-value and the interval treat the fitted models as given.

What this p-value takes for granted
-----------------------------------
Independent items or clusters, and the fitted models as they are. Nothing else: neither model need
be true. But what it says is about predictions alone.

A network takes part as `seqbio.hypothesis_testing.calibrations.split` describes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from seqbio.core import Check, Fit, is_regular, learn, map_pieces, spawn_generators, subset_of
from seqbio.core._checks import checked
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.hypothesis_testing.calibrations.declaration import (
    MANY,
    NOT_FITTED,
    Calibration,
)
from seqbio.hypothesis_testing.calibrations.split import SPLIT
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.evidence import check_count, finite_list
from seqbio.hypothesis_testing.folds import grouped_folds
from seqbio.hypothesis_testing.pictures import Differences

_ALL_SIGNS = 14  # with so many clusters at most, every pattern of signs is looked at
_N_FLIPS = 9999
_INTERVAL_LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class HeldOutComparison:
    """Differences of held-out log-likelihoods, and what chance makes of them.

    Parameters
    ----------
    differences : ndarray of float64, (n_items,)
        Log-likelihood of each item under the alternative less that under the null, in nats, both
        fitted without its fold.
    clusters : ndarray of int, (n_items,)
        Labels of items that belong together.
    n_folds : int
        How many.
    n_flips : int
        Patterns of signs that were drawn, or the number of all if all were looked at.
    exhaustive : bool
        Whether all were.
    pvalue : float or None
        Of the sign-flip test, two-sided; None if a difference is not finite.
    """

    differences: FloatArray
    clusters: IntArray
    n_folds: int
    n_flips: int
    exhaustive: bool
    pvalue: float | None

    name = "held-out"

    @property
    def mean(self) -> float:
        """Nats by which the alternative predicts an item better, on average."""
        return float(self.differences.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of 95 % of the mean: Student's t over clusters, the fitted models as given.

        Both ends are nan where an item is impossible under a fitted hypothesis.
        """
        from scipy.special import stdtrit

        if self.pvalue is None:
            return float("nan"), float("nan")
        n_items, n_clusters = len(self.differences), int(self.clusters.max()) + 1
        residuals = np.bincount(self.clusters, self.differences - self.mean)
        error = np.sqrt(n_clusters / (n_clusters - 1) * (residuals @ residuals)) / n_items
        half = float(stdtrit(n_clusters - 1, (1 + _INTERVAL_LEVEL) / 2) * error)
        return self.mean - half, self.mean + half

    @property
    def log_pvalue(self) -> float | None:
        """Natural logarithm of the p-value."""
        return None if self.pvalue is None else float(np.log(self.pvalue))

    @property
    def null_law(self) -> str:
        """What is permuted, and what that tests."""
        how = (
            f"all {self.n_flips} patterns of signs"
            if self.exhaustive
            else f"{self.n_flips} random patterns of signs"
        )
        return (
            "comparison of predictions, not a test of parameters: if neither hypothesis predicted "
            f"unseen items better, the {int(self.clusters.max()) + 1} differences of held-out "
            f"log-likelihood ({self.n_folds} folds) could have either sign; {how}"
        )

    @property
    def checks(self) -> tuple[Check, ...]:
        """Say what kind of p-value it is, or why there is none."""
        if self.pvalue is None:
            n = int((~np.isfinite(self.differences)).sum())
            message = (
                f"{n} held-out item{'s are' if n > 1 else ' is'} impossible under a fitted "
                "hypothesis, so predictions cannot be compared by likelihood"
            )
            return (Check(message, "invalid", "impossible_items", concerns="fit"),)
        message = (
            "the p-value compares predictions of unseen items; it does not test whether the "
            "parameters obey the null"
        )
        return (Check(message, "note", "comparison_of_predictions"),)

    def picture(self) -> Differences:
        """Say what a figure of it shows."""
        return Differences(self.differences, self.mean, self.interval)

    def rows(self) -> list[tuple[str, str]]:
        """Give label and value of what people should see."""
        lower, upper = self.interval
        difference = [
            ("alternative better by", f"{self.mean:.4g} nats an item"),
            (f"interval of {100 * _INTERVAL_LEVEL:g} %", f"{lower:.4g} to {upper:.4g}"),
        ]
        return [
            ("what is compared", "predictions of items left out of the fit"),
            *([] if self.pvalue is None else difference),
            ("folds", str(self.n_folds)),
            ("independent groups of items", str(int(self.clusters.max()) + 1)),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        lower, upper = finite_list(np.array(self.interval))
        return {
            "method": self.name,
            "what": "comparison of predictions",
            "mean_difference": finite_list(np.array([self.mean]))[0],
            "lower": lower,
            "upper": upper,
            "interval_level": _INTERVAL_LEVEL,
            "differences": finite_list(self.differences),
            "n_folds": self.n_folds,
            "n_groups": int(self.clusters.max()) + 1,
            "n_flips": self.n_flips,
            "exhaustive": self.exhaustive,
        }


@checked
def held_out_comparison(
    comparison: Comparison,
    *,
    n_folds: int = 5,
    n_starts: int = 1,
    seed: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    on_done: Callable[[int, int], object] | None = None,
) -> HeldOutComparison:
    """Compare how two hypotheses predict items that they were not fitted to.

    Parameters
    ----------
    comparison : Comparison
        Model and tying of each fit. The fits of the folds start afresh, so that nothing is learned
        from what was left out; items of one cluster are never on both sides.
    n_folds : int, default 5
        At least 2.
    n_starts : int, default 1
        Starts of each fit.
    seed : int, numpy.random.Generator or None
        For folds, fits and signs.
    executor : concurrent.futures.Executor, optional
        Folds are independent pieces of work.
    on_done : callable, optional
        Called as ``on_done(n_done, n_folds)``.

    Returns
    -------
    HeldOutComparison
        Two-sided p-value, mean difference and its interval.

    Raises
    ------
    ParameterError
        Items cannot be taken out of the data, or there are fewer groups of items than folds.

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
    >>> data = np.array([1.8, 2.2, 1.9, 2.1, 2.0, 2.3, 1.7, 2.0])
    >>> zero, free = (fit(NormalMean(), tying, data) for tying in (fixed(1, 0, 0.0), untied(1)))
    >>> compared = held_out_comparison(
    ...     Comparison(zero, free, data, 1, np.arange(8)), n_folds=4, seed=1)
    >>> print(f"{compared.mean:.2f} {compared.pvalue:.4f}")  # all signs agree: 2 / 2**8
    2.00 0.0078
    """
    check_count("n_folds", n_folds, 2)
    for_folds, for_flips, for_fits = spawn_generators(seed, 3)
    clusters = comparison.kept_together
    folds = grouped_folds(clusters, n_folds, for_folds)
    work = partial(
        _one_fold,
        comparison.null_fit,
        comparison.alternative_fit,
        comparison.data,
        len(clusters),
        n_starts,
    )
    pieces = list(zip(folds, spawn_generators(for_fits, n_folds), strict=True))
    differences = np.empty(len(clusters))
    for fold, values in zip(
        folds, map_pieces(work, pieces, executor=executor, on_done=on_done), strict=True
    ):
        differences[fold] = values
    pvalue, n_flips, exhaustive = None, 0, False
    if np.isfinite(differences).all():
        sums = np.bincount(clusters, differences).astype(np.float64)
        pvalue, n_flips, exhaustive = _sign_flip(sums, for_flips)
    return HeldOutComparison(differences, clusters, n_folds, n_flips, exhaustive, pvalue)


def _one_fold(
    null_fit: Fit,
    alternative_fit: Fit,
    data: Any,
    n_items: int,
    n_starts: int,
    piece: tuple[IntArray, np.random.Generator],
) -> FloatArray:
    """Fit without a fold, and give the difference of the log-likelihoods of its items."""
    fold, generator = piece
    model = null_fit.model
    learning = subset_of(model, data, np.setdiff1d(np.arange(n_items), fold))
    testing = subset_of(model, data, fold)
    null = learn(model, null_fit.tying, learning, n_starts=n_starts, seed=generator)
    alternative = learn(
        alternative_fit.model,
        alternative_fit.tying,
        learning,
        start=null.full,
        n_starts=n_starts,
        seed=generator,
    )
    with np.errstate(invalid="ignore"):
        return np.asarray(
            alternative_fit.model.log_likelihood(alternative.full, testing)
            - model.log_likelihood(null.full, testing)
        )


def _sign_flip(sums: FloatArray, generator: np.random.Generator) -> tuple[float, int, bool]:
    """Give the two-sided p-value, the number of sign patterns and whether these are all."""
    if len(sums) <= _ALL_SIGNS:
        n_patterns = 2 ** len(sums)
        bits = np.arange(n_patterns)[:, None] >> np.arange(len(sums)) & 1
        totals = (1 - 2 * bits) @ sums
        at_least = np.abs(totals) >= abs(sums.sum()) * (1 - 1e-12)
        return float(at_least.mean()), n_patterns, True
    exceeding, chunk = 0, 101
    for _ in range(_N_FLIPS // chunk):
        signs = 1 - 2 * generator.integers(0, 2, (chunk, len(sums)), dtype=np.int8)
        exceeding += int((np.abs(signs @ sums) >= abs(sums.sum()) * (1 - 1e-12)).sum())
    return (1 + exceeding) / (1 + _N_FLIPS), _N_FLIPS, False


def _run(
    comparison: Comparison, options: Options, generator: np.random.Generator
) -> HeldOutComparison:
    return held_out_comparison(
        comparison,
        n_folds=min(options.n_folds, int(comparison.kept_together.max()) + 1),
        n_starts=options.n_starts,
        seed=generator,
        executor=options.executor,
        on_done=options.on_done,
    )


def _automatic(comparison: Comparison, found: Collection[str]) -> bool:
    return not is_regular(comparison.model) or MANY in found or not NOT_FITTED & set(found)


HELD_OUT = Calibration(
    "held-out",
    "a comparison of predictions, not of parameters",
    _run,
    answers=None,
    needs=SPLIT.needs,
    automatic=_automatic,
    by_clusters=True,
    fits_itself=True,
    caption="How much better the alternative predicts each item that was left out of the fit.",
)
