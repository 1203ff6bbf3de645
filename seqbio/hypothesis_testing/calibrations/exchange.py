"""Exchange: refits to transformed data, the randomisation test with the likelihood ratio itself.

Where the tie is the symmetry of a transformation, such as x and y changing places in a pair, data
in which any of the items are transformed are as likely under the null as those observed. So the
likelihood ratio of the observed data is one of many that were as likely: items are transformed by
fair coins, the alternative is fitted again, and p = (1 + number at least as large) / (1 + draws).
The null need not be fitted again: its likelihood is the same.

What this p-value takes for granted
-----------------------------------
The same as exact sign flips: independent items or clusters, each as likely as its transformed self.
It is exact for any number of them, with any law of gap lengths, rates, ends and dependence within.
The ratio uses more of the data than its slope at the null does, so that this may find a little more
than flips where items are few and differences large; it costs a fit for each draw.

References
----------
Lehmann, E. L. and Romano, J. P. (2005). Testing Statistical Hypotheses, third edition, section
15.2. Springer.

Chiu, K. and Bloem-Reddy, B. (2023). Non-parametric hypothesis tests for distributional group
symmetry. arXiv:2307.15834.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np

from seqbio.core import Fit, Symmetry, maximise
from seqbio.core._checks import checked
from seqbio.core.numerics import IntArray
from seqbio.errors import ConvergenceError, ParameterError
from seqbio.hypothesis_testing.calibrations.bootstrap import (
    STOPPING_LEVEL,
    Bootstrap,
    Replicate,
    in_rounds,
)
from seqbio.hypothesis_testing.calibrations.declaration import Calibration
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.evidence import LEAST_USEFUL, check_count
from seqbio.hypothesis_testing.symmetry import questioned_symmetry


@dataclass(frozen=True, eq=False)
class ExchangeTest(Bootstrap):
    """Ratios of data in which items were transformed at random.

    Parameters
    ----------
    transformation : str
        What happens to an item, in a clause.
    n_clusters : int
        How many coins there are.
    """

    transformation: str = ""
    n_clusters: int = 0

    drawn = "data sets with items transformed"
    exact = True

    @property
    def name(self) -> str:
        """The method, in short."""
        return "exchange"

    @property
    def null_law(self) -> str:
        """What is as likely under the null."""
        n = len(self.replicates)
        return (
            f"randomisation: the observed data and {n} in which {self.transformation}, for each "
            f"of {self.n_clusters} independent items or clusters by a fair coin, are equally "
            "likely if the null is true; exact for any number of items, whatever gap lengths, "
            "rates, ends or dependence within an item"
        )


@checked
def exchange_test(
    comparison: Comparison,
    *,
    n_replicates: int = 999,
    stop_at: float | None = None,
    enough: int | None = None,
    seed: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    on_done: Callable[[int, int], object] | None = None,
) -> ExchangeTest:
    """Transform items at random and fit the alternative again.

    Parameters
    ----------
    comparison : Comparison
        Of a null that is the same for transformed items.
    n_replicates, stop_at, enough, seed, executor, on_done
        As in `bootstrap_test`.

    Returns
    -------
    ExchangeTest
        All ratios, and the p-value.

    Raises
    ------
    ParameterError
        The tie is no symmetry of items.
    """
    check_count("n_replicates", n_replicates, 1)
    tested = questioned_symmetry(comparison)
    if tested is None or not tested.exact:
        raise ParameterError(_needs(comparison))
    result = ExchangeTest(
        comparison.statistic,
        comparison.df,
        (),
        n_replicates,
        False,
        transformation=tested.symmetry.words,
        n_clusters=comparison.n_clusters,
    )
    work = partial(
        _some_exchanged,
        comparison.null_fit,
        comparison.alternative_fit,
        comparison.data,
        tested.symmetry,
        comparison.labels,
    )
    return in_rounds(result, work, stop_at, enough, seed, executor, on_done)


def _some_exchanged(
    null_fit: Fit,
    alternative_fit: Fit,
    data: object,
    symmetry: Symmetry,
    labels: IntArray,
    generators: list[np.random.Generator],
) -> list[Replicate]:
    replicates = []
    for generator in generators:
        coins = generator.integers(0, 2, int(labels.max()) + 1).astype(bool)
        transformed = symmetry.transform(data, coins[labels])
        try:
            fitted = maximise(
                alternative_fit.model,
                alternative_fit.tying,
                transformed,
                start=null_fit.full,
                seed=generator,
            )
        except ConvergenceError as error:
            replicates.append(Replicate(float("nan"), str(error)))
            continue
        ratio = 2 * (fitted.log_likelihood - null_fit.log_likelihood)
        failed = "" if fitted.converged else f"a fit did not converge: {fitted.message}"
        replicates.append(Replicate(float("nan") if failed else max(ratio, 0.0), failed))
    return replicates


def _needs(comparison: Comparison) -> str:
    tested = questioned_symmetry(comparison)
    if tested is not None and tested.exact:
        least = 2.0 ** (1 - comparison.n_clusters)
        if least <= LEAST_USEFUL:
            return ""
        return (
            f"{comparison.n_clusters} independent items or clusters can be transformed in so few "
            f"ways that no p-value is below {least:.3g}; add independent ones"
        )
    return (
        "data can be transformed only where what is tested is a symmetry of items that both the "
        "null and its parameters have, such as all gap parameters tied between x and y, and only "
        "item by item, so not where pairs share a reference"
    )


def _run(comparison: Comparison, options: Options, generator: np.random.Generator) -> ExchangeTest:
    return exchange_test(
        comparison,
        n_replicates=options.n_replicates,
        stop_at=STOPPING_LEVEL if options.stop_early else None,
        enough=options.enough,
        seed=generator,
        executor=options.executor,
        on_done=options.on_done,
    )


EXCHANGE = Calibration(
    "exchange",
    "refits to data in which items are transformed, exact where the tie is a symmetry of items",
    _run,
    answers=None,
    needs=_needs,
    by_clusters=True,
    robust=True,
)
