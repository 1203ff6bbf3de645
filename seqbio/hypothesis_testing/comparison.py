"""Two fits that are compared: what every way to a p-value starts from."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from seqbio.core import (
    Fit,
    Model,
    as_labels,
    clusters_of,
    declares_clusters,
    given_of,
    information,
    simulate_from,
    spawn_generators,
)
from seqbio.core.numerics import FloatArray, IntArray, Labels
from seqbio.hypothesis_testing.evidence import check_count

N_COPIES = 4  # of the data, which show what a model that is right does
SETTLED = 1e-6  # nats; fits that converge leave less to gain


@dataclass(frozen=True)
class Options:
    """How to get from a ratio to a p-value; what the fields mean stands under `compare`.

    With `enough` a bootstrap stops when that many replicates exceed, and without `intervals` none
    are worked out; both save time in simulations.
    """

    calibration: str = "auto"
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
        check_count("n_replicates", self.n_replicates, 1)
        check_count("n_splits", self.n_splits, 1)
        check_count("n_folds", self.n_folds, 2)


@dataclass(frozen=True, eq=False)
class Comparison:
    """A null and an alternative, both fitted to the same data.

    Parameters
    ----------
    null_fit, alternative_fit : Fit
        Of nested hypotheses about the same model; for tests that look at neither, not made.
    data : object
        In the form that the model takes.
    df : int
        Difference of the numbers of identifiable parameters.
    clusters : array_like of int or str, (n_items,), optional
        The same label for items that depend on each other. By default what the model or its data
        say; where they say nothing, every item is independent of the others.
    """

    null_fit: Fit
    alternative_fit: Fit
    data: Any
    df: int
    clusters: Labels | None = None

    @property
    def model(self) -> Model:
        """Of both hypotheses."""
        return self.alternative_fit.model

    @property
    def is_fitted(self) -> bool:
        """Whether both hypotheses are fitted."""
        return self.null_fit.is_made and self.alternative_fit.is_made

    @property
    def tolerance(self) -> float:
        """How negative the ratio can be by rounding, and by a millionth of a nat left to climb."""
        return 2 * SETTLED + 1e-8 * (1 + abs(self.null_fit.log_likelihood))

    @property
    def statistic(self) -> float:
        """The likelihood ratio; 0 where it is negative by no more than `tolerance`."""
        ratio = 2 * (self.alternative_fit.log_likelihood - self.null_fit.log_likelihood)
        return 0.0 if -self.tolerance <= ratio < 0 else ratio

    @cached_property
    def n_items(self) -> int:
        """How many items the data have."""
        model = self.null_fit.model
        full = self.null_fit.full if self.is_fitted else model.start(self.data)
        return int(np.size(model.log_likelihood(full, self.data)))

    @property
    def declared(self) -> bool:
        """Whether the user, the model or the data say which items belong together."""
        return self.clusters is not None or declares_clusters(self.null_fit.model, self.data)

    @cached_property
    def labels(self) -> IntArray:
        """Numbers of the clusters that are independent of each other, (n_items,)."""
        return self.kept_together if self.declared else np.arange(self.n_items)

    @property
    def n_clusters(self) -> int:
        """How many clusters are independent of each other."""
        return int(self.labels.max()) + 1

    @cached_property
    def kept_together(self) -> IntArray:
        """Numbers of items that no split or fold tears apart, (n_items,).

        Besides those of one cluster these are items of the same content, which where nobody says
        so may be copies, or equal by chance.
        """
        if self.clusters is not None:
            return as_labels(self.clusters, self.n_items)
        return clusters_of(self.null_fit.model, self.data, self.n_items)

    @cached_property
    def information(self) -> FloatArray:
        """Observed information of the alternative's free parameters at its optimum."""
        return information(self.alternative_fit, self.data)

    @cached_property
    def tests_what_is_given(self) -> bool:
        """Whether something is tested that drawn data take from the data, such as lengths."""
        null, alternative = self.null_fit.tying, self.alternative_fit.tying
        given = given_of(self.model)
        if not given.any():
            return False
        parts = np.unique(np.stack([null.group, alternative.group])[:, given], axis=1)
        return bool(len(np.unique(parts[0])) < parts.shape[1])

    @cached_property
    def mean_ratio(self) -> float | None:
        """Mean of the ratio if the null's fit is true; None where the model does not know it."""
        method = getattr(self.model, "mean_ratio", None)
        ties = self.null_fit.tying, self.alternative_fit.tying
        mean = None if method is None else method(*ties, self.null_fit.full, self.data)
        return None if mean is None else float(mean)

    @property
    def inflation(self) -> float:
        """The mean ratio over the degrees of freedom; 1 where it is not known, as for many data."""
        return 1.0 if self.mean_ratio is None else self.mean_ratio / self.df

    @cached_property
    def copies(self) -> list[Any]:
        """Data of the same design that the alternative's fit has drawn."""
        return drawn_copies(self.alternative_fit, self.data)


def drawn_copies(
    fitted: Fit,
    data: Any,
    n_copies: int = N_COPIES,
    seed: int | np.random.Generator | None = None,
) -> list[Any]:
    """Draw data of the same design from a fit.

    Parameters
    ----------
    fitted : Fit
        Of a model that can simulate, to the data.
    data : object
        In the form that the model takes.
    n_copies : int
        How many.
    seed : int, numpy.random.Generator or None
        By default a number made from the data: the same for the same data, so that the result
        can be repeated, and another for others, so that not all meet the same bad luck.

    Returns
    -------
    list of object
        In the form that the model takes.
    """
    seed = int(fitted.data_fingerprint, 16) if seed is None else seed
    return [
        simulate_from(fitted.model, fitted.full, data, generator)
        for generator in spawn_generators(seed, n_copies)
    ]
