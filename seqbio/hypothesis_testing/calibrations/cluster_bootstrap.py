"""Cluster bootstrap: the law of the ratio from clusters that are drawn with replacement.

For the clusters that are drawn the alternative's estimate is the truth, so the null is moved there:
it ties the same differences, at their estimated values instead of 0. Both hypotheses are fitted to
each draw, and the ratio has the law that it would have under the null, dependence included.

What this p-value takes for granted
-----------------------------------
That clusters are independent of each other and drawn from one law, whatever that is: items of one
cluster may depend on each other, and clusters may differ in their parameters. It does not ask that
the model is right, only that what the null says holds on average over clusters. It is a law for
many clusters: with fewer than 20 there is no p-value, with fewer than 40 a warning, and clusters
that differ greatly in size count as fewer.

References
----------
Davison, A. C. and Hinkley, D. V. (1997). Bootstrap Methods and their Application, section 4.4.
Cambridge University Press.

Cameron, A. C. and Miller, D. L. (2015). A practitioner's guide to cluster-robust inference.
Journal of Human Resources 50, 317-372.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from seqbio.core import Check, Fit, Tying, map_pieces, spawn_generators, subset_of
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.core.sandwich import FEW_CLUSTERS, FEWEST_CLUSTERS
from seqbio.errors import ConvergenceError
from seqbio.hypothesis_testing.calibrations.bootstrap import Bootstrap, Replicate, refit
from seqbio.hypothesis_testing.calibrations.declaration import (
    DEPENDENT,
    OVERDISPERSED,
    Calibration,
    taken_apart,
)
from seqbio.hypothesis_testing.calibrations.robust import too_few_clusters
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.evidence import check_count


@dataclass(frozen=True, eq=False)
class ClusterBootstrap(Bootstrap):
    """Ratios of data made of clusters that were drawn with replacement.

    Parameters
    ----------
    n_clusters : int
        How many there are to draw from.
    """

    n_clusters: int = 0

    @property
    def name(self) -> str:
        """The method, in short."""
        return "cluster-bootstrap"

    @property
    def null_law(self) -> str:
        """Where the law comes from."""
        return (
            f"cluster bootstrap: ratios of {len(self.replicates)} draws of {self.n_clusters} "
            "clusters with replacement, against the null moved to the alternative's estimates; it "
            "allows for dependence within clusters and holds for many clusters"
        )

    @property
    def log_pvalue(self) -> float | None:
        """Natural logarithm of the p-value; None with too few clusters or too many failures."""
        return None if self.n_clusters < FEWEST_CLUSTERS else super().log_pvalue

    @property
    def checks(self) -> tuple[Check, ...]:
        """What went wrong, if anything did."""
        return (*_few_clusters(self.n_clusters), *super().checks)


def cluster_bootstrap(
    comparison: Comparison,
    *,
    n_replicates: int = 999,
    seed: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    on_done: Callable[[int, int], object] | None = None,
) -> ClusterBootstrap:
    """Draw clusters with replacement and refit both hypotheses.

    Parameters
    ----------
    comparison : Comparison
        With the clusters of items that may depend on each other; no estimate is at a boundary.
    n_replicates, seed, executor, on_done
        As in `bootstrap_test`.

    Returns
    -------
    ClusterBootstrap
        All ratios, and the p-value.

    Raises
    ------
    ParameterError
        Items cannot be taken out of the data.
    """
    check_count("n_replicates", n_replicates, 1)
    null_fit, alternative_fit = comparison.null_fit, comparison.alternative_fit
    moved = replace(
        null_fit,
        tying=_moved_to(null_fit.tying, alternative_fit.full),
        full=alternative_fit.full,
    )
    labels = comparison.labels
    members = [np.flatnonzero(labels == label) for label in range(comparison.n_clusters)]
    work = partial(_redraw, moved, alternative_fit, comparison.data, members)
    replicates = map_pieces(
        work, spawn_generators(seed, n_replicates), executor=executor, on_done=on_done
    )
    return ClusterBootstrap(
        comparison.statistic,
        comparison.df,
        tuple(replicates),
        n_replicates,
        False,
        n_clusters=len(members),
    )


def _few_clusters(n_clusters: int) -> tuple[Check, ...]:
    """Doubt a law for many clusters where there are few, or rule it out."""
    if n_clusters < FEWEST_CLUSTERS:
        message = f"{n_clusters} clusters are too few; it takes {FEWEST_CLUSTERS}"
        return (Check(message, "invalid", "few_clusters", concerns="method"),)
    if n_clusters < FEW_CLUSTERS:
        message = f"{n_clusters} clusters are few enough that the p-value is approximate"
        return (Check(message, "warning", "few_clusters", concerns="method"),)
    return ()


def _moved_to(tying: Tying, full: FloatArray) -> Tying:
    """Shift what a tying produces so that it can produce `full`."""
    finite = np.where(np.isfinite(full), full, 0.0)
    free = tying.project(finite)
    copied = tying.sign * np.append(free, 0.0)[tying.group]
    offset = np.where(tying.group >= 0, finite - copied, full)
    return Tying(tying.group, tying.sign, offset)


def _redraw(
    null_fit: Fit,
    alternative_fit: Fit,
    data: Any,
    members: list[IntArray],
    generator: np.random.Generator,
) -> Replicate:
    drawn = generator.integers(0, len(members), len(members))
    items = np.concatenate([members[cluster] for cluster in drawn])
    try:
        some = subset_of(alternative_fit.model, data, items)
        return refit(null_fit, alternative_fit, some, generator)
    except ConvergenceError as error:
        return Replicate(float("nan"), str(error))


def _needs(comparison: Comparison) -> str:
    return taken_apart(comparison) or too_few_clusters(comparison)


def _automatic(comparison: Comparison, found: Collection[str]) -> bool:  # noqa: ARG001
    return bool({DEPENDENT, OVERDISPERSED} & set(found))


def _run(
    comparison: Comparison, options: Options, generator: np.random.Generator
) -> ClusterBootstrap:
    return cluster_bootstrap(
        comparison,
        n_replicates=options.n_replicates,
        seed=generator,
        executor=options.executor,
        on_done=options.on_done,
    )


CLUSTER_BOOTSTRAP = Calibration(
    "cluster-bootstrap",
    "refits to clusters drawn with replacement",
    _run,
    answers=frozenset({"few_events", DEPENDENT, OVERDISPERSED}),
    needs=_needs,
    automatic=_automatic,
    by_clusters=True,
    robust=True,
)
