"""Check a test on a design of your own: how often it rejects when the null is true.

Nobody has to take the package's word for a null law. `calibrate` draws data sets of your design
from the null, tests each as `compare` would, and counts the rejections against binomial limits. To
save time the fits start from the truth, neither intervals nor goodness of fit are looked at, and a
bootstrap stops once its p-value is certain to be above all levels that are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core import (
    Hypothesis,
    SupportsHypothesis,
    Symmetry,
    as_hypothesis,
    map_pieces,
    maximise,
    not_fitted,
    simulate_from,
    spawn_generators,
)
from seqbio.core._checks import checked
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.core.tables import Summarised, Table
from seqbio.errors import ConvergenceError, ParameterError
from seqbio.hypothesis_testing.calibrations.relabel import RELABEL, relabelled
from seqbio.hypothesis_testing.comparability import identifiable_ranks
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.evidence import check_count
from seqbio.hypothesis_testing.likelihood_ratio import fit_and_judge
from seqbio.hypothesis_testing.select import check_name
from seqbio.hypothesis_testing.symmetry import questioned_symmetry

LEVELS = (0.10, 0.05, 0.01)
LIMITS = 0.99


class Trial(NamedTuple):
    """One data set: its p-value or None, its ratio (nan if it failed) and the law that was used."""

    pvalue: float | None
    statistic: float
    calibration: str


class RejectionRate(NamedTuple):
    """Rejections at one level, and the binomial limits that 99 % of such counts keep to."""

    level: float
    n_rejected: int
    n_tests: int
    lowest: int
    highest: int

    @property
    def is_in_order(self) -> bool:
        """Whether the count is within the limits."""
        return self.lowest <= self.n_rejected <= self.highest


@dataclass(frozen=True, eq=False, repr=False)
class SelfCheck(Summarised):
    """What became of data sets that the null, or a given truth, has made.

    Parameters
    ----------
    trials : tuple of Trial
        One for each data set.
    """

    trials: tuple[Trial, ...]

    @property
    def pvalues(self) -> list[float | None]:
        """One for each data set; None where the test gave none."""
        return [trial.pvalue for trial in self.trials]

    @property
    def statistics(self) -> FloatArray:
        """Ratios, nan where a fit failed."""
        return np.array([trial.statistic for trial in self.trials])

    @property
    def n_missing(self) -> int:
        """Data sets without a p-value."""
        return sum(trial.pvalue is None for trial in self.trials)

    @property
    def calibrations(self) -> dict[str, int]:
        """How often each law was used."""
        return dict(Counter(trial.calibration for trial in self.trials).most_common())

    @checked
    def rejections(self, levels: Sequence[float] = LEVELS) -> list[RejectionRate]:
        """Count p-values at or below each level.

        Parameters
        ----------
        levels : sequence of float
            Nominal probabilities of rejection.

        Returns
        -------
        list of RejectionRate
            With limits that hold for p-values that are uniform. Tests of discrete data, and those
            that only bound p, may reject less often.
        """
        from scipy.stats import binom

        if not all(0 <= level <= 1 for level in levels):
            raise ParameterError(f"levels are {levels}; give probabilities")
        given = np.array([pvalue for pvalue in self.pvalues if pvalue is not None])
        return [
            RejectionRate(
                level,
                int((given <= level * (1 + 1e-9)).sum()),
                given.size,
                *map(int, binom.interval(LIMITS, given.size, level)),
            )
            for level in levels
        ]

    def quantiles(self) -> tuple[FloatArray, FloatArray]:
        """Give the points of a QQ plot of the p-values.

        Returns
        -------
        expected, observed : ndarray of float64, (n,)
            Uniform quantiles, and the p-values in order.
        """
        observed = np.sort([pvalue for pvalue in self.pvalues if pvalue is not None])
        return (np.arange(observed.size) + 0.5) / max(observed.size, 1), observed

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        return {
            "n": len(self.trials),
            "n_missing": self.n_missing,
            "calibrations": self.calibrations,
            "rejections": [rate._asdict() for rate in self.rejections()],
            "pvalues": self.pvalues,
        }

    def __repr__(self) -> str:
        return f"SelfCheck(n={len(self.trials)}, n_missing={self.n_missing})"

    def _summary(self) -> tuple[str, list[Table]]:
        laws = ", ".join(f"{name} {count}" for name, count in self.calibrations.items())
        rows = [
            (
                f"{100 * rate.level:g} %",
                f"{rate.n_rejected}",
                f"{100 * rate.n_rejected / max(rate.n_tests, 1):.3g} %",
                f"{rate.lowest} to {rate.highest}",
                "in order"
                if rate.is_in_order
                else "too few"
                if rate.n_rejected < rate.lowest
                else "TOO MANY",
            )
            for rate in self.rejections()
        ]
        header = ("level", "rejected", "rate", f"limits ({100 * LIMITS:g} %)", "verdict")
        missing = f", {self.n_missing} without a p-value" if self.n_missing else ""
        title = f"{len(self.trials)} data sets{missing}; {laws}"
        return self._verdict(), [Table(title, header, rows)]

    def _verdict(self) -> str:
        rates = [rate for rate in self.rejections() if not rate.is_in_order]
        often = [f"{100 * r.level:g} %" for r in rates if r.n_rejected > r.highest]
        seldom = [f"{100 * r.level:g} %" for r in rates if r.n_rejected < r.lowest]
        if self.n_missing == len(self.trials):
            return "The test gave no p-value for any of the data sets."
        if often:
            return f"The test rejects true nulls too often, at the level of {', '.join(often)}."
        if seldom:
            return (
                f"The test rejects true nulls less often than it may, at the level of "
                f"{', '.join(seldom)}, so that it is on the safe side."
            )
        return "The test rejects true nulls as often as it should, as far as chance lets see."


@checked
def calibrate(
    null: Hypothesis | SupportsHypothesis,
    alternative: Hypothesis | SupportsHypothesis,
    design: Any,
    n: int = 200,
    *,
    parameters: ArrayLike | None = None,
    drawn_from: Literal["model", "data"] = "model",
    calibration: str = "auto",
    n_replicates: int = 199,
    n_splits: int = 10,
    seed: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    on_done: Callable[[int, int], object] | None = None,
) -> SelfCheck:
    """Test a true null many times on a design of your own.

    Parameters
    ----------
    null, alternative : Hypothesis or estimator
        As in `compare`; the model must be able to simulate.
    design : object
        Data in the form that the estimators take: how many items, of what size.
    n : int, default 200
        How many data sets.
    parameters : array_like of float, (n_full,), optional
        Full parameters to draw with, an element of the null; by default the null's fit to the
        design.
    drawn_from : {"model", "data"}, default "model"
        The model draws items that all obey the same parameters. From "data" means that items of
        the design are transformed at random, such as x and y exchanged, or that the labels of
        groups are handed out again: a null by symmetry, in which items differ as much as they do;
        for hypotheses about such a symmetry, or about groups.
    calibration, n_replicates, n_splits
        As in `compare`.
    seed : int, numpy.random.Generator or None
        One child of it for each data set.
    executor : concurrent.futures.Executor, optional
        Data sets are independent pieces of work.
    on_done : callable, optional
        Called as ``on_done(n_done, n)``.

    Returns
    -------
    SelfCheck
        Rejections at 10, 5 and 1 % with their limits; printing it shows a table.

    Raises
    ------
    ParameterError
        The parameters do not obey the null, or the model cannot draw data, or the hypotheses are
        about no symmetry of items.

    Examples
    --------
    >>> from seqbio.core import Layout, equal, untied
    >>> class NormalMeans:
    ...     layout = Layout({"mean": (2,)})
    ...     def start(self, data):
    ...         return np.zeros(2)
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2).sum(axis=1) / 2
    ...     def log_likelihood_and_gradient(self, full, data):
    ...         return self.log_likelihood(full, data).sum(), (data - full).sum(axis=0)
    ...     def simulate(self, full, data, generator):
    ...         return full + generator.standard_normal(data.shape)
    >>> null = Hypothesis(NormalMeans(), equal(2, [0, 1]))
    >>> alternative = Hypothesis(NormalMeans(), untied(2))
    >>> print(calibrate(null, alternative, np.zeros((10, 2)), 100, seed=1))
    The test rejects true nulls as often as it should, as far as chance lets see.
    <BLANKLINE>
    100 data sets; chi-squared 100
      level  rejected  rate  limits (99 %)  verdict
      10 %   7         7 %   3 to 18        in order
      5 %    3         3 %   0 to 11        in order
      1 %    0         0 %   0 to 4         in order
    """
    check_count("n", n, 1)
    check_name(calibration)
    null_hypothesis, prepared = as_hypothesis(null, design)
    alternative_hypothesis, _ = as_hypothesis(alternative, design)
    for_fit, for_trials = spawn_generators(seed, 2)
    if parameters is None:
        full = maximise(null_hypothesis.model, null_hypothesis.tying, prepared, seed=for_fit).full
    else:
        full = obeying(
            null_hypothesis,
            alternative_hypothesis,
            parameters,
            "the parameters do not obey the null",
        )
    draw: Callable[[np.random.Generator], Any]
    draw = partial(simulate_from, null_hypothesis.model, full, prepared)
    if drawn_from == "data":
        draw = _transforming(null_hypothesis, alternative_hypothesis, prepared)
    elif drawn_from != "model":
        raise ParameterError(f"drawn_from is {drawn_from!r}; choose 'model' or 'data'")
    trials = run_trials(
        null_hypothesis,
        alternative_hypothesis,
        prepared,
        full,
        draw,
        spawn_generators(for_trials, n),
        Options(
            calibration,
            n_replicates=n_replicates,
            n_splits=n_splits,
            stop_early=False,
            enough=int(np.ceil(max(LEVELS) * (n_replicates + 1))),
            check_fit=False,
            intervals=False,
        ),
        executor,
        on_done,
    )
    return SelfCheck(trials)


def obeying(
    hypothesis: Hypothesis, alternative: Hypothesis, full: ArrayLike, what: str
) -> FloatArray:
    """Get parameters that obey a hypothesis, or say which of them do not.

    What no hypothesis estimates, such as frequencies that are counted in the data, is held where it
    is in the design.

    Parameters
    ----------
    hypothesis, alternative : Hypothesis
        About the design; the first may be the second.
    full : array_like of float, (n_full,)
        Full parameters, such as those of an estimator on which others were set.
    what : str
        What is wrong with them if they do not, in a clause.

    Returns
    -------
    ndarray of float64, (n_full,)
        An element of the hypothesis.

    Raises
    ------
    ParameterError
        Some that are tied differ, or they are not of the model's size.
    """
    tying, names = hypothesis.tying, hypothesis.model.layout.entry_names
    values = np.asarray(full, dtype=np.float64)
    if values.shape != (tying.n_full,):
        raise ParameterError(
            f"{what}, having the shape {values.shape}; give all {tying.n_full} full parameters, "
            "such as full_ of an estimator"
        )
    values = np.where(alternative.tying.group < 0, tying.offset, values)
    if not tying.contains(values):
        nearest = tying.expand(tying.project(values))
        off = np.flatnonzero(~np.isclose(values, nearest, rtol=0, atol=1e-9))
        listed = ", ".join(f"{names[i]} = {values[i]:.6g}" for i in off[:4])
        raise ParameterError(
            f"{what}, which ties what differs here: {listed} (coordinates of the fit); set equal "
            "values"
        )
    return values


def _transforming(
    null: Hypothesis, alternative: Hypothesis, data: Any
) -> Callable[[np.random.Generator], Any]:
    """Make a function that transforms clusters by fair coins, or hands their groups out again."""
    null_fit = maximise(null.model, null.tying, data)
    wide = maximise(alternative.model, alternative.tying, data, start=null_fit.full)
    comparison = Comparison(null_fit, wide, data, 1)
    if not RELABEL.needs(comparison):
        return partial(relabelled, comparison)
    questioned = questioned_symmetry(comparison)
    if questioned is None or not questioned.exact:
        raise ParameterError(
            "items can be transformed only where the hypotheses are about their symmetry, such as "
            "all gap parameters tied between x and y, or about groups; leave out drawn_from"
        )
    return partial(_transformed, questioned.symmetry, data, comparison.labels)


def _transformed(
    symmetry: Symmetry, data: Any, labels: IntArray, generator: np.random.Generator
) -> Any:
    coins = generator.integers(0, 2, int(labels.max()) + 1).astype(bool)
    return symmetry.transform(data, coins[labels])


def run_trials(
    null: Hypothesis,
    alternative: Hypothesis,
    design: Any,
    full: FloatArray,
    draw: Callable[[np.random.Generator], Any],
    generators: Sequence[np.random.Generator],
    options: Options,
    executor: Executor | None,
    on_done: Callable[[int, int], object] | None,
) -> tuple[Trial, ...]:
    """Draw data sets and test each.

    Parameters
    ----------
    null, alternative : Hypothesis
        What is tested.
    design : object
        In the form that the model takes.
    full : ndarray of float64, (n_full,)
        Where fits start.
    draw : callable
        Makes a data set with a generator.
    generators : sequence of numpy.random.Generator
        One for each data set.
    options : Options
        How each is tested.
    executor, on_done
        As in `calibrate`.

    Returns
    -------
    tuple of Trial
        In the order of the generators.
    """
    ranks = identifiable_ranks(null, alternative, design)
    work = partial(_trial, null, alternative, draw, full, ranks, options)
    return tuple(map_pieces(work, generators, executor=executor, on_done=on_done))


def _trial(
    null: Hypothesis,
    alternative: Hypothesis,
    draw: Callable[[np.random.Generator], Any],
    full: FloatArray,
    ranks: tuple[int, int],
    options: Options,
    generator: np.random.Generator,
) -> Trial:
    drawn = draw(generator)
    try:
        fits = not_fitted(null, drawn), not_fitted(alternative, drawn)
        comparison = Comparison(*fits, drawn, ranks[1] - ranks[0])
        names = null.name, alternative.name
        result = fit_and_judge(comparison, names, ranks, options, (generator,) * 3, start=full)
    except ConvergenceError:
        return Trial(None, float("nan"), "none")
    return Trial(result.pvalue, result.statistic, result.calibration)
