"""Parametric bootstrap: the law of the ratio from data that the fitted null itself has made.

Data of the same design are drawn from the null's fit; both hypotheses are fitted to each, the null
from the optimum it was drawn from and the alternative from the null's new one. The share of ratios
at least as large as the observed one is the p-value, (1 + number) / (1 + replicates): the observed
ratio counts as one of those that the null makes, so p is never 0, and with a fixed number of
replicates the test does not reject too often for want of them. What is left is that the null's
parameters are estimates; the error this makes is smaller than that of the chi-squared law (Hall &
Titterington 1989).

Refits that fail are counted, shown, and taken as exceeding: that can only make p larger.

Replicates come in rounds. After each, sampling may stop if the p-value is clearly above or below
the level of interest: when the interval for it, of 99.9 %, leaves the level out. The random numbers
of replicate number i depend on the seed and on i alone, and a round's size is fixed, so
the result is the same, bit for bit, for any number of workers. Looking more than once makes the
test reject slightly more often at levels far below the one of interest: 1.14 % at 1 %.

With few replicates their mean is known better than their tail. Bartlett's correction uses the mean:
LR df / mean(LR*) is chi-squared with df degrees of freedom to higher order, where LR is in the
limit, so it is offered for regular tests alone.

Where only a verdict is wanted, as in simulations, sampling may also stop once so many replicates
exceed that p must be above the level: (1 + number) / (1 + replicates so far) is then a valid
p-value too, never smaller than the sequential one of Besag & Clifford (1991).

What this p-value takes for granted
-----------------------------------
That the fitted null draws data like those observed but for what is tested: that the model is right
and all items obey the same parameters. It needs no large numbers, so that few events, estimates at
a boundary and parameters that lose their meaning are no matter; but items that differ in their
parameters, or depend on each other, make it as wrong as chi-squared, since the null draws none
that do. With B replicates no p-value is below 1 / (B + 1), and none below 1 / 201 where sampling
stopped because p was clearly below 5 %, which is little for a correction for many tests: ask for
``stop_early=False`` there.

Bartlett's correction takes large numbers for granted besides.

References
----------
Besag, J. and Clifford, P. (1991). Sequential Monte Carlo p-values. Biometrika 78, 301-304.

Davison, A. C. and Hinkley, D. V. (1997). Bootstrap Methods and their Application, sections 4.2
and 4.4. Cambridge University Press.

Hall, P. and Titterington, D. M. (1989). The effect of simulation order on level accuracy and power
of Monte Carlo tests. Journal of the Royal Statistical Society B 51, 459-467.

Rocke, D. M. (1989). Bootstrap Bartlett adjustment in seemingly unrelated regression. Journal of
the American Statistical Association 84, 598-601.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np

from seqbio.core import (
    Check,
    Fit,
    can_simulate,
    is_regular,
    map_pieces,
    maximise,
    simulate_from,
    spawn_generators,
)
from seqbio.core._checks import checked
from seqbio.core.numerics import FloatArray
from seqbio.errors import ConvergenceError, ParameterError
from seqbio.hypothesis_testing.calibrations.chi_squared import chi_squared_curve
from seqbio.hypothesis_testing.calibrations.declaration import MANY, Calibration, is_divisible
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.evidence import check_count, exceedance_interval, finite_list
from seqbio.hypothesis_testing.laws import log_chi_squared_tail
from seqbio.hypothesis_testing.pictures import RATIO, Curve, Draws

_ROUND = 100  # replicates between two looks at the p-value
_PIECE = 5  # replicates that a worker does at a time
_CLEAR = 0.999  # coverage of the interval that must leave the level out
_MOST_FAILURES = 0.1  # of all refits, above which there is no p-value
_RETRY_STARTS = 3
_BARTLETT_REPLICATES = 99
STOPPING_LEVEL = 0.05


class Replicate(NamedTuple):
    """One draw from the null: the ratio, or nan and the reason why there is none."""

    statistic: float
    failure: str


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """Ratios of data drawn from the null's fit.

    Parameters
    ----------
    statistic : float
        The observed ratio.
    df : int
        Degrees of freedom, for Bartlett's correction.
    replicates : tuple of Replicate
        In the order of their random numbers.
    n_asked : int
        How many replicates there would have been without an early stop.
    bartlett : bool
        Whether the p-value is that of the corrected ratio.
    """

    statistic: float
    df: int
    replicates: tuple[Replicate, ...]
    n_asked: int
    bartlett: bool

    drawn = "data sets of the null"

    @property
    def name(self) -> str:
        """The method, in short."""
        return "bootstrap (Bartlett)" if self.bartlett else "bootstrap"

    @property
    def statistics(self) -> FloatArray:
        """Ratios of the replicates, nan where a refit failed."""
        return np.array([replicate.statistic for replicate in self.replicates])

    @property
    def n_failed(self) -> int:
        """Replicates whose refits failed."""
        return int(np.isnan(self.statistics).sum())

    @property
    def n_exceeding(self) -> int:
        """Replicates whose ratio is at least the observed one, and all that failed."""
        # Refits stop within a millionth of a nat of their optimum, so ties are ties within that.
        below = self.statistics < self.statistic - 1e-6 * (1 + self.statistic)
        return int(len(below) - below.sum())

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of 95 % of what p would be with ever more replicates (Clopper and Pearson)."""
        return exceedance_interval(self.n_exceeding, len(self.replicates))

    @property
    def mean(self) -> float:
        """Mean ratio of the replicates that did not fail."""
        return float(np.nanmean(self.statistics))

    @property
    def log_pvalue(self) -> float | None:
        """Natural logarithm of the p-value; None if more than a tenth of the refits failed."""
        n = len(self.replicates)
        if self.n_failed > _MOST_FAILURES * n:
            return None
        if self.bartlett:
            return log_chi_squared_tail(self.statistic * self.df / self.mean, self.df)
        return float(np.log((1 + self.n_exceeding) / (1 + n)))

    @property
    def null_law(self) -> str:
        """Where the law comes from."""
        n = len(self.replicates)
        if self.bartlett:
            return (
                f"chi-squared with {self.df} degree{'s' * (self.df > 1)} of freedom after "
                f"Bartlett's correction: the ratio is divided by {self.mean / self.df:.4g}, the "
                f"mean ratio of {n} data sets drawn from the fitted null over the degrees of "
                "freedom"
            )
        stopped = f" (of {self.n_asked}; stopped as clear)" if n < self.n_asked else ""
        return (
            f"parametric bootstrap: ratios of {n} data sets{stopped} of the same design, drawn "
            "from the fitted null and refitted under both hypotheses; it needs no law of large "
            "numbers for the ratio, and holds as far as the fitted null stands for the true one"
        )

    @property
    def checks(self) -> tuple[Check, ...]:
        """What went wrong, if anything did."""
        if not self.n_failed:
            return ()
        n = len(self.replicates)
        reason = next(replicate.failure for replicate in self.replicates if replicate.failure)
        if self.log_pvalue is None:
            message = f"{self.n_failed} of {n} bootstrap refits failed, the first because {reason}"
            return (Check(message, "invalid", "failed_refits", concerns="method"),)
        message = (
            f"{self.n_failed} of {n} bootstrap refits failed and count as exceeding the observed "
            f"ratio; the first because {reason}"
        )
        return (Check(message, "warning", "failed_refits", concerns="method"),)

    def picture(self) -> Curve | Draws:
        """Say what a figure of it shows."""
        if self.bartlett:
            scale = self.mean / self.df
            name = f"chi-squared x {scale:.3g} (Bartlett), {self.df} df"
            return chi_squared_curve(name, self.df, scale)
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        name = f"{len(self.replicates) - self.n_failed} {self.drawn}{failed}"
        return Draws(self.statistics, self.statistic, name, RATIO, self.df)

    def rows(self) -> list[tuple[str, str]]:
        """Give label and value of what people should see."""
        n = len(self.replicates)
        lower, upper = self.interval
        stopped = f", of {self.n_asked}: stopped as clear" if n < self.n_asked else ""
        return [
            ("bootstrap replicates", f"{n}{stopped}"),
            ("at least the observed ratio", str(self.n_exceeding)),
            ("Monte Carlo interval of p", f"{lower:.3g} to {upper:.3g} (95 %)"),
            ("mean ratio of the replicates", f"{self.mean:.4g} (chi-squared: {self.df})"),
            ("failed refits", str(self.n_failed)),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Give the numbers as plain values for programs."""
        lower, upper = self.interval
        return {
            "method": self.name,
            "n_replicates": len(self.replicates),
            "n_asked": self.n_asked,
            "n_exceeding": self.n_exceeding,
            "n_failed": self.n_failed,
            "failures": sorted({r.failure for r in self.replicates if r.failure}),
            "pvalue_lower": lower,
            "pvalue_upper": upper,
            "mean_statistic": finite_list(np.array([self.mean]))[0],
            "statistics": finite_list(self.statistics),
        }


Result = TypeVar("Result", bound=Bootstrap)


@checked
def bootstrap_test(
    comparison: Comparison,
    *,
    n_replicates: int = 999,
    stop_at: float | None = None,
    enough: int | None = None,
    bartlett: bool = False,
    seed: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    on_done: Callable[[int, int], object] | None = None,
) -> Bootstrap:
    """Draw data from the null's fit and refit both hypotheses.

    Parameters
    ----------
    comparison : Comparison
        Both fits, and the data that give the design.
    n_replicates : int, default 999
        How many; p cannot be below ``1 / (1 + n_replicates)``.
    stop_at : float, optional
        Stop, at a multiple of 100 replicates, when p is clearly above or below this level.
    enough : int, optional
        Stop, at a multiple of 5 replicates, when this many exceed the observed ratio.
    bartlett : bool, default False
        Correct the ratio by the mean and use the chi-squared law; 50 to 100 replicates do.
    seed : int, numpy.random.Generator or None
        One child of it for each replicate.
    executor : concurrent.futures.Executor, optional
        Replicates are independent pieces of work.
    on_done : callable, optional
        Called as ``on_done(n_done, n_replicates)``.

    Returns
    -------
    Bootstrap
        All ratios, and the p-value.

    Raises
    ------
    ParameterError
        The model cannot draw data, or an argument is out of range.
    SeqbioError
        A worker died.

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
    ...     def simulate(self, full, data, generator):
    ...         return full + generator.standard_normal(data.shape)
    >>> data = np.array([1.0, 2.0, 0.0, 1.0])
    >>> zero, free = (fit(NormalMean(), tying, data) for tying in (fixed(1, 0, 0.0), untied(1)))
    >>> test = bootstrap_test(Comparison(zero, free, data, 1), n_replicates=199, seed=1)
    >>> print(test.n_exceeding, round(np.exp(test.log_pvalue), 3))  # chi-squared: 0.046
    9 0.05
    """
    check_count("n_replicates", n_replicates, 1)
    if stop_at is not None and not 0 < stop_at < 1:
        raise ParameterError(f"stop_at is {stop_at}; give a level between 0 and 1, or None")
    fits = comparison.null_fit, comparison.alternative_fit
    work = partial(_some_replicates, *fits, comparison.data)
    result = Bootstrap(comparison.statistic, comparison.df, (), n_replicates, bartlett)
    return in_rounds(result, work, stop_at, enough, seed, executor, on_done)


def in_rounds(
    result: Result,
    work: Callable[[list[np.random.Generator]], list[Replicate]],
    stop_at: float | None,
    enough: int | None,
    seed: int | np.random.Generator | None,
    executor: Executor | None,
    on_done: Callable[[int, int], object] | None,
) -> Result:
    """Draw replicates in rounds, until p is clear.

    Parameters
    ----------
    result : Bootstrap
        Without replicates; says how many are asked for.
    work : callable
        Makes a replicate for each generator of a list.
    stop_at, enough, seed, executor, on_done
        As in `bootstrap_test`.

    Returns
    -------
    Bootstrap
        Of the same class, with replicates.
    """
    n_replicates = result.n_asked
    generators = spawn_generators(seed, n_replicates)
    size = _ROUND if enough is None else _PIECE
    while len(result.replicates) < n_replicates:
        done = result.replicates
        step = generators[len(done) : len(done) + size]
        pieces = [step[i : i + _PIECE] for i in range(0, len(step), _PIECE)]
        new = map_pieces(
            work, pieces, executor=executor, on_done=_progress(on_done, len(done), n_replicates)
        )
        added = tuple(replicate for piece in new for replicate in piece)
        result = replace(result, replicates=done + added)
        if stop_at is not None and _is_clear(result, stop_at):
            break
        if enough is not None and result.n_exceeding >= enough:
            break
    return result


def _progress(
    on_done: Callable[[int, int], object] | None, n_before: int, n_replicates: int
) -> Callable[[int, int], object] | None:
    if on_done is None:
        return None
    return lambda n_pieces, _: on_done(
        min(n_before + n_pieces * _PIECE, n_replicates), n_replicates
    )


def _is_clear(bootstrap: Bootstrap, level: float) -> bool:
    n = len(bootstrap.replicates)
    lower, upper = exceedance_interval(bootstrap.n_exceeding, n, _CLEAR)
    return not lower <= level <= upper


def _some_replicates(
    null_fit: Fit, alternative_fit: Fit, data: Any, generators: list[np.random.Generator]
) -> list[Replicate]:
    return [_replicate(null_fit, alternative_fit, data, generator) for generator in generators]


def _replicate(
    null_fit: Fit, alternative_fit: Fit, data: Any, generator: np.random.Generator
) -> Replicate:
    try:
        drawn = simulate_from(null_fit.model, null_fit.full, data, generator)
        return refit(null_fit, alternative_fit, drawn, generator)
    except (ConvergenceError, FloatingPointError) as error:
        return Replicate(float("nan"), str(error))


def refit(
    null_fit: Fit, alternative_fit: Fit, data: Any, generator: np.random.Generator
) -> Replicate:
    """Fit both hypotheses to other data and give the ratio.

    The null starts from its optimum for the data it came from, the alternative from the null's new
    one. If a fit fails, or the ratio is negative, further starts are tried once.

    Parameters
    ----------
    null_fit, alternative_fit : Fit
        Give model, tyings and the first start.
    data : object
        What to fit.
    generator : numpy.random.Generator
        For further starts.

    Returns
    -------
    Replicate
        The ratio, or nan and the reason.

    Raises
    ------
    ConvergenceError
        The log-likelihood at the start is not finite.
    """
    failure = ""
    for n_starts in (1, _RETRY_STARTS):
        null = maximise(
            null_fit.model,
            null_fit.tying,
            data,
            start=null_fit.full,
            n_starts=n_starts,
            seed=generator,
        )
        alternative = maximise(
            alternative_fit.model,
            alternative_fit.tying,
            data,
            start=null.full,
            n_starts=n_starts,
            seed=generator,
        )
        ratio = 2 * (alternative.log_likelihood - null.log_likelihood)
        tolerance = 2e-6 + 1e-8 * (1 + abs(null.log_likelihood))
        if null.converged and alternative.converged and ratio >= -tolerance:
            return Replicate(max(ratio, 0.0), "")
        unfinished = null if not null.converged else alternative
        failure = (
            f"the ratio is negative ({ratio:.3g})"
            if null.converged and alternative.converged
            else f"a fit did not converge: {unfinished.message}"
        )
    return Replicate(float("nan"), failure)


def _can_draw(comparison: Comparison) -> str:
    if comparison.tests_what_is_given:
        return (
            "what is tested says how long items are, and drawn data have the lengths of the data, "
            "so that a bootstrap cannot tell"
        )
    if can_simulate(comparison.model):
        return ""
    name = type(comparison.model).__name__
    return f"{name} cannot draw data for a bootstrap; add a method simulate"


def _automatic(comparison: Comparison, found: Collection[str]) -> bool:
    return is_regular(comparison.model) and not (MANY in found and is_divisible(comparison))


def _run(comparison: Comparison, options: Options, generator: np.random.Generator) -> Bootstrap:
    return bootstrap_test(
        comparison,
        n_replicates=options.n_replicates,
        stop_at=STOPPING_LEVEL if options.stop_early else None,
        enough=options.enough,
        seed=generator,
        executor=options.executor,
        on_done=options.on_done,
    )


def _run_bartlett(
    comparison: Comparison, options: Options, generator: np.random.Generator
) -> Bootstrap:
    return bootstrap_test(
        comparison,
        n_replicates=min(options.n_replicates, _BARTLETT_REPLICATES),
        bartlett=True,
        seed=generator,
        executor=options.executor,
        on_done=options.on_done,
    )


BOOTSTRAP = Calibration(
    "bootstrap",
    "refits to data drawn from the null",
    _run,
    answers=None,
    needs=_can_draw,
    automatic=_automatic,
)
BARTLETT = Calibration(
    "bartlett",
    "chi-squared after correcting the mean of the ratio by fewer such refits",
    _run_bartlett,
    answers=frozenset(),
    needs=_can_draw,
)
