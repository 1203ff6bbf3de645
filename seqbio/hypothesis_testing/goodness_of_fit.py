"""Whether a model describes the data at all: a warning beside the p-value.

Every law of a likelihood ratio takes for granted that the alternative, of which the null is a
special case, is true for some values of its parameters. A model that knows where it tends to go
wrong offers probes: quantities of each item, such as how much its gap lengths vary. Their sums over
the data are compared with what the fit makes of them; it is the alternative's, so that a null that
is false, which is what the test is there to find, is no reason for a warning.

The items are compared with others that are drawn from the fit. Because the parameters were fitted
to the same data, a probe that moves with the scores varies less than it seems to; so what the
scores explain is taken out by regression (the scores of the data sum to 0 at the optimum). What is
left would be alike in both if the fit were right, so that it does not matter which items are
called the data: the law is that of random choices of as many items from all (a permutation test,
valid however rare and large the probes' values are). Sums of squares over the probes of a group,
each in units of its standard deviation, are its statistic.

The false alarm rate is the level: with several groups of probes, p-values are multiplied by their
number (Bonferroni), so that a model that is right raises any warning at all with that probability
at most, 1 % by default.

A model takes part with a method ``probes(full, data)`` that gives arrays by name, (n_items,) or
(n_items, n_probes), and with ``simulate``.

References
----------
Davison, A. C. and Hinkley, D. V. (1997). Bootstrap Methods and their Application, section 4.3.

Boos, D. D. (1992). On generalized score tests. The American Statistician 46, 327-333.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqbio.core import Check, Fit, can_simulate, scores_of, spawn_generators
from seqbio.core._checks import checked
from seqbio.core.numerics import FloatArray
from seqbio.errors import ParameterError
from seqbio.hypothesis_testing.calibrations.declaration import MISFIT
from seqbio.hypothesis_testing.comparison import N_COPIES, Comparison, drawn_copies
from seqbio.hypothesis_testing.evidence import check_count

FALSE_ALARMS = 0.01
_N_PERMUTATIONS = 1999
_FEWEST_ITEMS = 3  # whose sums chance can change
_NUMBERS_AT_A_TIME = 500_000


@dataclass(frozen=True)
class Misfit:
    """How far the data are from the fit in one respect.

    Parameters
    ----------
    name : str
        Of the group of probes.
    pvalue : float
        Of this group alone.
    deviations : tuple of float
        Of each probe: observed sum less that of the fit, in standard deviations.
    """

    name: str
    pvalue: float
    deviations: tuple[float, ...]


def can_probe(model: object) -> bool:
    """Tell whether a model offers probes and can draw data.

    Parameters
    ----------
    model : Model
        May have methods ``probes`` and ``simulate``.

    Returns
    -------
    bool
        Whether it has both.
    """
    return callable(getattr(model, "probes", None)) and can_simulate(model)  # type: ignore[arg-type]


@checked
def goodness_of_fit(
    fitted: Fit,
    data: Any,
    *,
    n_copies: int = N_COPIES,
    seed: int | np.random.Generator | None = None,
) -> tuple[Misfit, ...]:
    """Compare the probes of the data with those of data drawn from a fit.

    Parameters
    ----------
    fitted : Fit
        Of the model to the data.
    data : object
        In the form that the model takes.
    n_copies : int, default 4
        How many data sets of the same design are drawn.
    seed : int, numpy.random.Generator or None
        By default a number made from the data: the same for the same data, so that the result
        can be repeated, and another for others, so that not all meet the same bad luck.

    Returns
    -------
    tuple of Misfit
        One for each group of probes.

    Raises
    ------
    ParameterError
        The model offers no probes, or cannot draw data.

    Examples
    --------
    Numbers that vary more than the model says:

    >>> from seqbio.core import Layout, fit, untied
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
    ...     def probes(self, full, data):
    ...         return {"spread": (data - full) ** 2}
    >>> data = 2 * np.random.default_rng(1).standard_normal(50)
    >>> (misfit,) = goodness_of_fit(fit(NormalMean(), untied(1), data), data)
    >>> misfit.name, misfit.pvalue < 0.001
    ('spread', True)
    """
    model = fitted.model
    if not can_probe(model):
        raise ParameterError(
            f"{type(model).__name__} offers no probes or cannot draw data; add methods "
            "probes(full, data) and simulate(full, data, generator)"
        )
    check_count("n_copies", n_copies, 1)
    copies = drawn_copies(fitted, data, n_copies, seed)
    return _misfits(fitted, data, copies, seed)


def _misfits(
    fitted: Fit,
    data: Any,
    copies: Sequence[Any],
    seed: int | np.random.Generator | None = None,
) -> tuple[Misfit, ...]:
    model, full = fitted.model, fitted.full
    for_order = spawn_generators(int(fitted.data_fingerprint, 16) if seed is None else seed, 1)[0]
    scores = np.concatenate(
        [scores_of(model, fitted.tying, full, items) for items in (data, *copies)]
    )
    observed = _probes(model, full, data)
    drawn = [_probes(model, full, copy) for copy in copies]
    return tuple(
        _misfit(
            name,
            values,
            np.concatenate([copy[name] for copy in drawn]),
            scores,
            for_order,
        )
        for name, values in observed.items()
    )


def goodness_checks(comparison: Comparison, level: float = FALSE_ALARMS) -> list[Check]:
    """Warn where the data are not what the alternative's fit says.

    Parameters
    ----------
    comparison : Comparison
        Of hypotheses about a model that may offer probes.
    level : float, default 0.01
        Probability of any warning if the fit is right.

    Returns
    -------
    list of Check
        Empty where all is well or the model offers no probes.
    """
    if not can_probe(comparison.model):
        return []
    if comparison.n_items < _FEWEST_ITEMS:
        message = (
            f"with {comparison.n_items} item{'s' * (comparison.n_items > 1)} it cannot be checked "
            "whether the model describes the data, nor whether items differ; the p-value takes "
            "both for granted"
        )
        return [Check(message, "warning", "fit_not_checked")]
    misfits = _misfits(comparison.alternative_fit, comparison.data, comparison.copies)
    least = 1 / (1 + _N_PERMUTATIONS)
    return [
        Check(
            f"neither hypothesis describes the {misfit.name} of these data (goodness of fit: "
            f"p {'<=' if misfit.pvalue <= least else '='} {misfit.pvalue:.2g}, {_largest(misfit)} "
            "standard deviations off), so a p-value that takes it for granted can be far too small",
            "warning",
            f"{MISFIT}_{misfit.name.replace(' ', '_')}",
        )
        for misfit in misfits
        if misfit.pvalue * len(misfits) <= level
    ]


def _largest(misfit: Misfit) -> str:
    return f"{max(misfit.deviations, key=abs):+.1f}"


def _probes(model: Any, full: FloatArray, data: Any) -> dict[str, FloatArray]:
    return {
        name: np.asarray(values, dtype=np.float64).reshape(len(values), -1)
        for name, values in model.probes(full, data).items()
    }


def _misfit(
    name: str,
    observed: FloatArray,
    drawn: FloatArray,
    scores: FloatArray,
    generator: np.random.Generator,
) -> Misfit:
    items = np.concatenate([observed, drawn])
    centre = items.mean(axis=0)
    explaining = scores - scores.mean(axis=0)
    residuals = items - centre
    residuals -= explaining @ np.linalg.lstsq(explaining, residuals)[0]
    # What the scores explain entirely was fitted, and says nothing.
    spread = residuals.std(axis=0)
    varying = spread > 1e-6 * items.std(axis=0)
    n_items, n_all = len(observed), len(items)
    unit = np.divide(residuals, spread, out=np.zeros_like(residuals), where=varying)
    unit *= np.sqrt((n_all - 1) / (n_items * (n_all - n_items)))
    deviations = unit[:n_items].sum(axis=0)
    statistic = float((deviations**2).sum())
    exceeding = 0
    for n in _chunks(_N_PERMUTATIONS, max(_NUMBERS_AT_A_TIME // n_all, 1)):
        order = generator.random((n, n_all)).argpartition(n_items - 1, axis=1)[:, :n_items]
        sums = unit[order].sum(axis=1)
        exceeding += int(((sums**2).sum(axis=1) >= statistic * (1 - 1e-9)).sum())
    pvalue = (1 + exceeding) / (1 + _N_PERMUTATIONS)
    return Misfit(name, pvalue, tuple(deviations.tolist()))


def _chunks(total: int, size: int) -> list[int]:
    return [min(size, total - start) for start in range(0, total, size)]
