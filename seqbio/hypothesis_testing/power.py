"""How likely a test is to find what is there, on a design of your own.

By simulation: data sets of the design are drawn from the truth and tested. By the noncentral
chi-squared law: the ratio of an alternative near the null follows it, with a noncentrality that is
the squared distance of the truth from the null in the metric of the information (Wald). The second
takes a few evaluations instead of many fits and is as good as the chi-squared law itself.

References
----------
Cox, D. R. and Hinkley, D. V. (1974). Theoretical Statistics, section 9.3. Chapman and Hall.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core import (
    Hypothesis,
    SupportsHypothesis,
    as_hypothesis,
    fit_at,
    information,
    is_regular,
    simulate_from,
    spawn_generators,
)
from seqbio.core._checks import checked
from seqbio.core.numerics import FloatArray
from seqbio.core.tables import Summarised, Table, short
from seqbio.errors import ParameterError
from seqbio.hypothesis_testing.comparability import identifiable_ranks, names_of
from seqbio.hypothesis_testing.comparison import Options
from seqbio.hypothesis_testing.evidence import exceedance_interval
from seqbio.hypothesis_testing.select import check_name
from seqbio.hypothesis_testing.type_one_error import Trial, obeying, run_trials

_N_INFORMATION = 5


@dataclass(frozen=True, eq=False)
class Power(Summarised):
    """Probability of a p-value at or below the level when something else than the null is true.

    Parameters
    ----------
    level : float
        Of the test.
    df : int
        Degrees of freedom.
    noncentrality : float or None
        Squared distance of the truth from the null; None where the law does not apply.
    trials : tuple of Trial
        Data sets that were drawn from the truth; none where only the law was asked for.
    """

    level: float
    df: int
    noncentrality: float | None
    trials: tuple[Trial, ...]

    @property
    def by_law(self) -> float | None:
        """Power by the noncentral chi-squared law."""
        from scipy.stats import chi2, ncx2

        if self.noncentrality is None:
            return None
        return float(ncx2.sf(chi2.isf(self.level, self.df), self.df, self.noncentrality))

    @property
    def by_simulation(self) -> float | None:
        """Share of the data sets that were rejected; one without a p-value counts as not."""
        return self._n_rejected / len(self.trials) if self.trials else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Interval of 95 % of the power by simulation (Clopper and Pearson)."""
        return exceedance_interval(self._n_rejected, len(self.trials)) if self.trials else None

    def _summary(self) -> tuple[str, list[Table]]:
        found, interval = self.by_simulation, self.interval
        rows = [("level", f"{100 * self.level:g} %"), ("degrees of freedom", str(self.df))]
        if self.by_law is not None:
            rows.append(("power by the noncentral chi-squared law", f"{self.by_law:.3g}"))
            rows.append(("noncentrality", short(self.noncentrality)))
        if found is not None and interval is not None:
            bounds = "{:.3g} to {:.3g}".format(*interval)
            rows.append(("power by simulation", f"{found:.3g}, 95 % interval {bounds}"))
            rows.append(("data sets", f"{len(self.trials)}, {self._n_rejected} of them rejected"))
        best = self.by_law if found is None else found
        sentence = "The power is not known: no data were drawn, and there is no law."
        if best is not None:
            sentence = (
                f"The test rejects the null with a probability of {best:.3g} at the "
                f"{100 * self.level:g} % level, if the given truth holds."
            )
        return sentence, [Table("Power", (), rows)]

    @property
    def _n_rejected(self) -> int:
        return sum(t.pvalue is not None and t.pvalue <= self.level for t in self.trials)


@checked
def power(
    null: Hypothesis | SupportsHypothesis,
    alternative: Hypothesis | SupportsHypothesis,
    design: Any,
    truth: ArrayLike,
    *,
    n: int = 200,
    level: float = 0.05,
    calibration: str = "auto",
    n_replicates: int = 199,
    seed: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    on_done: Callable[[int, int], object] | None = None,
) -> Power:
    """Estimate how often a test rejects the null when given parameters are true.

    Parameters
    ----------
    null, alternative : Hypothesis or estimator
        As in `compare`; the model must be able to simulate.
    design : object
        Data in the form that the estimators take: how many items, of what size.
    truth : array_like of float, (n_full,)
        Full parameters, an element of the alternative; ``full_`` of an estimator.
    n : int, default 200
        Data sets to simulate; 0 for the law alone.
    level : float, default 0.05
        Of the test.
    calibration, n_replicates
        As in `compare`.
    seed, executor, on_done
        As in `calibrate`.

    Returns
    -------
    Power
        By simulation and by law.

    Raises
    ------
    ParameterError
        The truth does not obey the alternative, or the level is not between 0 and 1.

    Examples
    --------
    The power of a z-test of a mean of 0.5 in 20 numbers:

    >>> from seqbio.core import Layout, fixed, untied
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
    >>> null = Hypothesis(NormalMean(), fixed(1, 0, 0.0))
    >>> alternative = Hypothesis(NormalMean(), untied(1))
    >>> found = power(null, alternative, np.zeros(20), [0.5], n=100, seed=1)
    >>> print(f"{found.noncentrality:.3f} {found.by_law:.3f} {found.by_simulation:.2f}")
    5.000 0.609 0.56
    """
    check_name(calibration)
    if not 0 < level < 1:
        raise ParameterError(f"level is {level}; give a number between 0 and 1, such as 0.05")
    null_hypothesis, prepared = as_hypothesis(null, design)
    alternative_hypothesis, _ = as_hypothesis(alternative, design)
    wide = alternative_hypothesis
    full = obeying(wide, wide, truth, "the truth does not obey the alternative")
    names = names_of(null, alternative, (null_hypothesis, alternative_hypothesis))
    ranks = identifiable_ranks(null_hypothesis, alternative_hypothesis, prepared, names)
    for_information, for_trials = spawn_generators(seed, 2)
    trials = run_trials(
        null_hypothesis,
        alternative_hypothesis,
        prepared,
        full,
        partial(simulate_from, null_hypothesis.model, full, prepared),
        spawn_generators(for_trials, n),
        Options(calibration, n_replicates=n_replicates, check_fit=False, intervals=False),
        executor,
        on_done,
    )
    noncentrality = None
    if is_regular(null_hypothesis.model) and ranks[1] == alternative_hypothesis.tying.n_free:
        draws = [
            simulate_from(null_hypothesis.model, full, prepared, generator)
            for generator in spawn_generators(for_information, _N_INFORMATION)
        ]
        noncentrality = _noncentrality(null_hypothesis, alternative_hypothesis, full, draws)
    return Power(level, ranks[1] - ranks[0], noncentrality, trials)


def _noncentrality(
    null: Hypothesis, alternative: Hypothesis, full: FloatArray, draws: list[Any]
) -> float | None:
    """Measure the distance of the truth from the nearest point of the null; None at a boundary."""
    tying = alternative.tying
    finite = np.isfinite(tying.project(full))
    nearest = null.tying.expand(null.tying.project(full))
    with np.errstate(invalid="ignore"):  # where both are at -inf
        away = tying.project(full) - tying.project(nearest)
    if not np.isfinite(away[finite]).all() or np.isinf(nearest[np.isfinite(full)]).any():
        return None
    at_truth = [
        information(
            fit_at(
                alternative.model, tying, draw, full, converged=False, message="the truth is given"
            ),
            draw,
        )
        for draw in draws
    ]
    matrix = np.mean(at_truth, axis=0)[np.ix_(finite, finite)]
    inside = np.linalg.lstsq(tying.jacobian(), null.tying.jacobian())[0][finite]
    distance = away[finite]
    squared = distance @ matrix @ distance
    pull = inside.T @ matrix @ distance
    if pull.size:
        squared -= pull @ np.linalg.lstsq(inside.T @ matrix @ inside, pull)[0]
    return float(max(squared, 0.0))
