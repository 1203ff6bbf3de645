"""Relabelling: clusters of items change their groups, and the difference between groups with them.

Whether groups have the same parameters is asked of the labels: if they have, a cluster of items is
as likely in any group, and all ways to hand out the same labels are equally likely. The statistic
is the difference of the groups' estimates, one step of Newton from the null's fit, squared over its
variance: with the items' scores s and information J at the null's fit, added up over the groups of
a labelling into S and J, and C the contrasts that the null holds at 0,

    delta = C' J^-1 S,    statistic = delta' (C' J^-1 V J^-1 C)^-1 delta,

with V the sum of s s' over the clusters, so that the variance is the clusters' own (a sandwich),
not the model's. It is worked out again for every labelling; one fit of the null is all it takes.

What this p-value takes for granted
-----------------------------------
Independent clusters of items, none in two groups. Where the null says that the groups have one law
(all parameters tied over them), nothing else: the test is exact for any number of clusters, with
any law of gap lengths, any rates that differ among items, any ends and any dependence within a
cluster. It then speaks against any difference between the groups that the statistic feels.

Where the null lets the groups differ in something, such as how far apart sequences are, labels are
not exchangeable. Since the statistic is studentised, and what the null leaves free is fitted again
in that one step, its law over the labellings is that under the null for many clusters in each
group, whatever their variances are (Chung and Romano 2013); "auto" asks for eight in each.

No p-value is below one in the number of ways to hand out the labels; where that is not small there
is none.

References
----------
Chung, E. and Romano, J. P. (2013). Exact and asymptotically robust permutation tests. Annals of
Statistics 41, 484-507.

Lehmann, E. L. and Romano, J. P. (2005). Testing Statistical Hypotheses, third edition, section
15.2. Springer.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from seqbio.core import (
    Check,
    GroupedData,
    GroupedModel,
    Tying,
    information_of_items,
    is_regular,
    scores_of,
    spawn_generators,
)
from seqbio.core._checks import checked
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.errors import ConvergenceError, ParameterError
from seqbio.hypothesis_testing.calibrations.declaration import Calibration
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.evidence import (
    LEAST_USEFUL,
    count_exceeding,
    exceedance_interval,
)
from seqbio.hypothesis_testing.pictures import Draws

FEWEST = 8  # clusters in each group for which "auto" relabels, where that is not exact
FEWEST_FOR_EACH = 4  # clusters for each tested parameter, at least
_MOST = 99_999  # labellings that are drawn, where few exceed
_DRAWN = 4_999  # labellings in a figure
_NUMBERS_AT_A_TIME = 2_000_000
_FLAT = 1e-10


class _Parts(NamedTuple):
    """What the statistic of any labelling is made of, and the labels as they are.

    Coordinates are those of a single group, of which the alternative moves `n`.

    Parameters
    ----------
    scores : ndarray of float64, (n_clusters, n)
        Of clusters at the null's fit.
    information : ndarray of float64, (n_clusters, n, n)
        Their part of it.
    blocks : ndarray of float64, (n_groups, n, n_free)
        How the alternative's free parameters move the coordinates of each group.
    contrasts : ndarray of float64, (n_free, df)
        C: directions of the alternative that the null holds at 0.
    labels : ndarray of int, (n_clusters,)
        Numbers of groups.
    """

    scores: FloatArray
    information: FloatArray
    blocks: FloatArray
    contrasts: FloatArray
    labels: IntArray

    def statistics(self, labels: IntArray) -> FloatArray:
        """Work the statistic out for labellings, (m, n_clusters)."""
        groups = np.arange(len(self.blocks))
        chosen = (labels[:, None, :] == groups[:, None]).astype(np.float64)
        score = np.einsum("mgp,gpa->ma", chosen @ self.scores, self.blocks)
        squares = self.scores[:, :, None] * self.scores[:, None, :]
        information, variance = (
            self._gathered(chosen, each) for each in (self.information, squares)
        )
        bent = np.linalg.pinv(information, rcond=_FLAT, hermitian=True) @ self.contrasts
        delta = np.einsum("mad,ma->md", bent, score)
        inverse = np.linalg.pinv(
            bent.transpose(0, 2, 1) @ variance @ bent, rcond=_FLAT, hermitian=True
        )
        return np.asarray(np.einsum("md,mde,me->m", delta, inverse, delta))

    def _gathered(self, chosen: FloatArray, each: FloatArray) -> FloatArray:
        """Add matrices of clusters up over groups, in the alternative's coordinates."""
        n = each.shape[1]
        sums = (chosen @ each.reshape(len(each), -1)).reshape(*chosen.shape[:2], n, n)
        turned = self.blocks.transpose(0, 2, 1) @ sums @ self.blocks
        return np.asarray(turned.sum(axis=1))


@dataclass(frozen=True, eq=False)
class Relabelling:
    """The difference between groups, and what other labellings make of it.

    Parameters
    ----------
    statistic : float
        Of the labels as they are.
    df : int
        How many differences are tested.
    n_items : int
        How many there are.
    sizes : tuple of int
        Clusters in each group.
    exact : bool
        Whether the null says that the groups have one law.
    n_labellings, n_exceeding : int
        How many were drawn, and how many give at least the observed statistic.
    log_pvalue : float or None
        Natural logarithm of the p-value; None where it could not be small.
    objection : str
        Why there is none.
    parts : object, optional
        From which a figure draws.
    """

    statistic: float
    df: int
    n_items: int
    sizes: tuple[int, ...]
    exact: bool
    n_labellings: int = 0
    n_exceeding: int = 0
    log_pvalue: float | None = None
    objection: str = ""
    parts: _Parts | None = field(default=None, repr=False)

    name = "relabel"

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of 95 % of what p would be with ever more labellings."""
        return exceedance_interval(self.n_exceeding, self.n_labellings)

    @property
    def null_law(self) -> str:
        """What is as likely under the null, and why."""
        units = "items" if sum(self.sizes) == self.n_items else "independent clusters of items"
        if self.exact:
            why = (
                "if the null is true the groups have one law, and all labellings are equally "
                "likely. That is exact for any number of items and assumes nothing about gap "
                "lengths, rates, ends or dependence within an item"
            )
        else:
            why = (
                "the differences are studentised by the variance of the items' scores, so that for "
                "many items in each group their law over labellings is that under the null, also "
                "where groups differ in what the null leaves free (Chung and Romano 2013)"
            )
        return (
            f"relabelling of {_listed(self.sizes)} {units} in {len(self.sizes)} groups, "
            f"{self.n_labellings} random labellings: {why}"
        )

    @property
    def checks(self) -> tuple[Check, ...]:
        """Why there is no p-value."""
        return (
            (Check(self.objection, "invalid", "no_relabelling", concerns="method"),)
            if self.objection
            else ()
        )

    def picture(self) -> Draws:
        """Say what a figure of it shows: random labellings, the same each time."""
        values = np.empty(0)
        if self.parts is not None:
            labels = _relabelled(self.parts.labels, _DRAWN, spawn_generators(0, 1)[0])
            values = self.parts.statistics(labels)
        unit = "Square of the difference between groups over its variance"
        return Draws(values, self.statistic, f"{_DRAWN} random labellings", unit, self.df)

    def rows(self) -> list[tuple[str, str]]:
        """Give label and value of what people should see."""
        if self.log_pvalue is None:
            return []
        lower, upper = self.interval
        return [
            ("transformation", "items change their groups"),
            ("clusters in each group", _listed(self.sizes)),
            ("labellings", str(self.n_labellings)),
            ("at least the observed statistic", str(self.n_exceeding)),
            ("Monte Carlo interval of p", f"{lower:.3g} to {upper:.3g} (95 %)"),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        return {
            "method": self.name,
            "transformation": "items change their groups",
            "exact": self.exact,
            "n_items": self.n_items,
            "clusters_in_groups": list(self.sizes),
            "n_labellings": self.n_labellings,
            "n_exceeding": self.n_exceeding,
            "pvalue_interval": None if self.log_pvalue is None else list(self.interval),
            "difference_statistic": self.statistic,
        }


def _listed(sizes: tuple[int, ...]) -> str:
    return " and ".join(map(str, sizes))


@checked
def relabelling_test(
    comparison: Comparison, *, seed: int | np.random.Generator | None = None
) -> Relabelling:
    """Hand the labels of groups out again, at random, and compare the differences.

    Parameters
    ----------
    comparison : Comparison
        Of regular hypotheses about groups, fitted at their optimum.
    seed : int, numpy.random.Generator or None
        For the labellings.

    Returns
    -------
    Relabelling
        With the p-value, or an objection.

    Raises
    ------
    ParameterError
        The hypotheses are not about groups, or a cluster is in two of them.

    Examples
    --------
    Two groups of numbers that vary more in one than the model says:

    >>> from seqbio.core import GroupedData, GroupedModel, Layout, equal, fit, untied
    >>> class NormalMean:
    ...     layout = Layout({"mean": ()})
    ...     def start(self, data):
    ...         return np.zeros(1)
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2) / 2
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         return self.log_likelihood(full, data).sum(), (data - full).sum(keepdims=True)
    ...     def subset(self, data, indices):
    ...         return data[indices]
    >>> numbers = np.random.default_rng(1).standard_normal(20)
    >>> data = GroupedData(numbers * np.repeat([1.0, 3.0], 10), np.repeat([0, 1], 10))
    >>> model = GroupedModel(NormalMean(), ("a", "b"))
    >>> fits = [fit(model, tying, data) for tying in (equal(2, [0, 1]), untied(2))]
    >>> test = relabelling_test(Comparison(*fits, data, 1), seed=1)
    >>> test.sizes, test.exact, test.n_labellings
    ((10, 10), True, 9999)
    """
    if reason := _needs(comparison):
        raise ParameterError(reason)
    labels = _groups_of_clusters(comparison)
    sizes = tuple(np.bincount(labels, minlength=_n_groups(comparison)).tolist())
    exact = _says_one_law(comparison)
    found = comparison.df, comparison.n_items, sizes, exact
    least = np.exp(-_log_number(sizes))
    if least > LEAST_USEFUL:
        reason = (
            f"there are so few ways to hand out labels to {_listed(sizes)} clusters that no "
            f"p-value is below {least:.3g}"
        )
        return Relabelling(float("nan"), *found, objection=reason)
    try:
        parts = _parts(comparison, labels)
    except ConvergenceError as error:
        return Relabelling(float("nan"), *found, objection=str(error))
    observed = float(parts.statistics(labels[None])[0])

    def exceeding(n: int, generator: np.random.Generator) -> int:
        drawn = parts.statistics(_relabelled(labels, n, generator))
        return int((drawn >= observed * (1 - 1e-9)).sum())

    width = parts.scores.shape[1] ** 2 * len(sizes) + len(labels) * len(sizes)
    at_a_time = max(_NUMBERS_AT_A_TIME // width, 1)
    n, n_exceeding = count_exceeding(exceeding, at_a_time, _MOST, spawn_generators(seed, 1)[0])
    log_pvalue = float(np.log((1 + n_exceeding) / (1 + n)))
    return Relabelling(observed, *found, n, n_exceeding, log_pvalue, parts=parts)


def relabelled(comparison: Comparison, generator: np.random.Generator) -> GroupedData:
    """Give the data with the labels of groups handed out again to clusters."""
    data: GroupedData = comparison.data
    labels = generator.permuted(_groups_of_clusters(comparison))
    return GroupedData(data.whole, labels[comparison.labels], data.names)


def _relabelled(labels: IntArray, n: int, generator: np.random.Generator) -> IntArray:
    return generator.permuted(np.tile(labels, (n, 1)), axis=1)


def _log_number(sizes: tuple[int, ...]) -> float:
    """Count the ways to hand out labels, on the scale of the logarithm."""
    from scipy.special import gammaln

    return float(gammaln(sum(sizes) + 1) - gammaln(np.array(sizes) + 1).sum())


def _n_groups(comparison: Comparison) -> int:
    """Count the groups; 0 where the model knows none."""
    return len(getattr(comparison.model, "groups", ()))


def _groups_of_clusters(comparison: Comparison) -> IntArray:
    """Give the group of every cluster."""
    groups = np.zeros(comparison.n_clusters, dtype=np.int64)
    groups[comparison.labels] = comparison.data.labels
    return groups


def _by_group(matrix: FloatArray, n_groups: int) -> FloatArray:
    """Take what belongs to each group apart, (n_full, k) to (n_groups, n_full / n_groups, k)."""
    return matrix.reshape(n_groups, -1, matrix.shape[1])


def _says_one_law(comparison: Comparison) -> bool:
    """Tell whether the null says that items of all groups are alike."""
    n_groups, fitted = _n_groups(comparison), comparison.null_fit
    moves, full = (
        _by_group(each, n_groups) for each in (fitted.tying.jacobian(), fitted.full[:, None])
    )
    return bool((moves == moves[0]).all() and (full == full[0]).all())


def _parts(comparison: Comparison, labels: IntArray) -> _Parts:
    """Work out what clusters say at the null's fit, and how labels bear on it."""
    model, null = comparison.model, comparison.null_fit
    n_groups, alternative = _n_groups(comparison), comparison.alternative_fit.tying
    free = np.isfinite(alternative.project(null.full))
    moves = alternative.jacobian()[:, free]
    contrasts = _contrasts(moves, null.tying.jacobian(), comparison.df)
    blocks = _by_group(moves, n_groups)
    used = blocks.any(axis=(0, 2))
    # A step in a coordinate is one in every group, of which an item feels that in its own.
    groups = np.tile(np.where(used, np.cumsum(used) - 1, -1), n_groups)
    steps = Tying(groups, np.ones(null.full.size), null.full)
    of_items = (
        scores_of(model, steps, null.full, comparison.data),
        information_of_items(model, steps, null.full, comparison.data),
    )
    scores, information = (np.zeros((len(labels), *each.shape[1:])) for each in of_items)
    np.add.at(scores, comparison.labels, of_items[0])
    np.add.at(information, comparison.labels, of_items[1])
    return _Parts(scores, information, blocks[:, used], contrasts, labels)


def _contrasts(moves: FloatArray, null: FloatArray, df: int) -> FloatArray:
    """Find the directions of the alternative that the null does not have."""
    inside = np.linalg.lstsq(moves, null)[0]
    left, sizes, _ = np.linalg.svd(inside)
    rank = int((sizes > 1e-7 * max(sizes.max(initial=0.0), 1.0)).sum())
    if left.shape[1] - rank != df:
        raise ConvergenceError(
            "the parameters that are tested cannot all be told apart at the null's fit, so that "
            "groups cannot be compared in one step"
        )
    return np.asarray(left[:, rank:])


def _is_about_groups(comparison: Comparison) -> bool:
    """Tell whether all that is tested is how groups differ: their mean is free under the null."""
    n_groups = _n_groups(comparison)
    null, alternative = (
        fit.tying.jacobian() for fit in (comparison.null_fit, comparison.alternative_fit)
    )
    means = np.tile(_by_group(alternative, n_groups).mean(axis=0), (n_groups, 1))
    left = means - null @ np.linalg.lstsq(null, means)[0] if null.size else means
    return bool(np.abs(left).max(initial=0.0) < 1e-8)


def _needs(comparison: Comparison) -> str:
    if not (isinstance(comparison.model, GroupedModel) and _is_about_groups(comparison)):
        return "labels can be exchanged only where what is tested is how groups differ"
    if not is_regular(comparison.model):
        return f"labels need scores, which {type(comparison.model.base).__name__} has not"
    pairs = np.unique(np.stack([comparison.labels, comparison.data.labels]), axis=1)
    if pairs.shape[1] > comparison.n_clusters:
        return (
            "items of one cluster are in different groups, so that labels cannot be exchanged from "
            "cluster to cluster; take relatives of which all are in one group"
        )
    return ""


def _automatic(comparison: Comparison, found: Collection[str]) -> bool:
    if _needs(comparison):
        return False
    sizes = np.bincount(_groups_of_clusters(comparison))
    if sizes.sum() < FEWEST_FOR_EACH * comparison.df:
        return False
    return _says_one_law(comparison) or bool(sizes.min() >= FEWEST and "few_events" not in found)


def _because(comparison: Comparison) -> str:  # noqa: ARG001
    return "what is tested is how groups differ"


def _run(comparison: Comparison, _: Options, generator: np.random.Generator) -> Relabelling:
    return relabelling_test(comparison, seed=generator)


RELABEL = Calibration(
    "relabel",
    "random labels for the items of groups, exact where the null says that groups have one law",
    _run,
    answers=None,
    needs=_needs,
    automatic=_automatic,
    because=_because,
    by_clusters=True,
    robust=True,
    caption="What random labels make of the difference between groups, and the observed one.",
)
