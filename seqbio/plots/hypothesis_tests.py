"""Figures of tests: the law under the null, effects, profiles, self-checks and power."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seqbio.core import covariance, effects_of, profile_interval
from seqbio.core import profile_likelihood as profile_of
from seqbio.core._checks import checked
from seqbio.core.fit import normal_quantile
from seqbio.core.model import Effect
from seqbio.errors import ConvergenceError, ParameterError
from seqbio.hypothesis_testing import LikelihoodRatioResult, Power, SelfCheck
from seqbio.hypothesis_testing.effects import INTERVAL_LEVEL
from seqbio.hypothesis_testing.pictures import RATIO, Curve, Differences, Draws, SplitRatios
from seqbio.hypothesis_testing.result import LEVEL
from seqbio.hypothesis_testing.wording import p_value_in_words
from seqbio.pairhmm.parameters import unconstrained
from seqbio.plots.canvas import (
    BLACK,
    BLUE,
    GREY,
    PALE,
    STYLES,
    VERMILION,
    axes_or_new,
    legend_above,
    logarithmic,
    say_instead,
    whole_numbers,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from seqbio.pairhmm import PairHMM

Floats = NDArray[np.float64]

_N_POINTS = 200


@checked
def null_distribution(result: LikelihoodRatioResult, *, ax: Axes | None = None) -> Axes:
    """Draw the law of the likelihood ratio under the null, with the observed ratio in it.

    A law known in formulas is a curve, and its share at exactly 0, which chi-bar-squared has, a
    bar; a bootstrap or sign flips are the histogram of what was drawn, with chi-squared for
    comparison. The area from the observed ratio on is the p-value. A split test needs no law: its
    ratios are drawn, and what their mean has to exceed. A comparison of predictions is drawn as its
    differences. Where there is no p-value, the reason is written.

    Parameters
    ----------
    result : LikelihoodRatioResult
        Of `seqbio.compare`.
    ax : matplotlib.axes.Axes, optional
        To draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The legend names the law, the ratio and the p-value.

    Raises
    ------
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> import seqbio
    >>> letters = np.random.default_rng(1).choice(list("ACGT"), (20, 400))
    >>> sequences = ["".join(row) for row in letters]
    >>> chain = seqbio.MarkovModel
    >>> null, alternative = chain(1, tie=("time", "lag"), ends=False), chain(1, ends=False)
    >>> result = seqbio.compare(null, alternative, sequences, calibration="chi2")
    >>> axes = seqbio.plots.null_distribution(result)
    >>> axes.get_legend_handles_labels()[1][0]
    'chi-squared under the null, 9 df'
    """
    axes = axes_or_new(ax)
    if result.log_pvalue is None or result.evidence is None:
        return say_instead(axes, f"No law is known for this likelihood ratio. {result.conclusion}")
    picture = result.evidence.picture()
    p = p_value_in_words(result.log_pvalue, bound=result.is_bound)
    if isinstance(picture, SplitRatios):
        return _split_ratios(picture, p, axes)
    if isinstance(picture, Differences):
        return _held_out_differences(picture, p, axes)
    observed, statistic = result.statistic, RATIO
    if isinstance(picture, Draws):
        observed, statistic = picture.observed, picture.statistic
        _draws(picture, axes, p)
    else:
        _curve(picture, observed, axes, p)
    axes.axvline(observed, color=BLACK, linewidth=1.5, label=f"observed, {observed:.4g}")
    axes.set(xlabel=statistic, ylim=(0, None))
    axes.set_xlim(left=-0.02 * axes.get_xlim()[1])
    legend_above(axes)
    return axes


def _curve(law: Curve, statistic: float, axes: Axes, p: str) -> None:
    # Further out the curve would lie on the axis.
    x = np.linspace(0.0, 1.1 * law.far, _N_POINTS + 1)[1:]
    y = law.density(x)
    end = 1.1 * max(statistic, law.far)
    axes.plot(x, y, color=BLUE, label=law.name)
    beyond = x >= statistic
    axes.fill_between(x[beyond], y[beyond], color=VERMILION, alpha=0.5, hatch="///", label=p)
    # With 1 degree of freedom the density has no bound at 0.
    top = 1.15 * float(y[x >= min(0.2, 0.02 * law.far)].max())
    if law.at_zero > 0:
        top = max(top, 1.15 * law.at_zero)
        name = f"exactly 0 with probability {law.at_zero:.3g} (height)"
        axes.plot([0, 0], [0, law.at_zero], color=BLUE, linewidth=4, label=name)
    axes.set(xlim=(0, end), ylabel="Density, per nat", ylim=(0, top))


def _draws(picture: Draws, axes: Axes, p: str) -> None:
    from scipy.stats import chi2

    drawn = picture.values[np.isfinite(picture.values)]
    largest = float(drawn.max(initial=0))
    end = 1.1 * max(picture.observed, largest)
    if picture.df is not None:
        end = max(end, 1.1 * float(chi2.isf(0.01, picture.df)))
    n_bins = int(np.clip(2 * np.sqrt(drawn.size), 10, 40))
    edges = np.linspace(0, end, n_bins + 1)
    axes.hist(drawn, list(edges), color=PALE, edgecolor=GREY, label=f"{picture.name}; {p}")
    axes.set(xlim=(0, end), ylabel=f"Draws in each {edges[1]:.2g}")
    if picture.df is None:
        return
    x = np.linspace(0, end, _N_POINTS + 1)[1:]
    expected = drawn.size * edges[1] * chi2.pdf(x, picture.df)
    shown = expected <= 1.2 * np.histogram(drawn, edges)[0].max()
    name = f"chi-squared, {picture.df} df, for comparison"
    axes.plot(x[shown], expected[shown], color=BLUE, linestyle="--", label=name)


def _split_ratios(picture: SplitRatios, p: str, axes: Axes) -> Axes:
    p = p.replace("<=", "at most")
    rows = np.arange(1, len(picture.log_ratios) + 1)
    for half, style in zip(range(2), STYLES, strict=False):
        name = f"{'first' if half == 0 else 'second'} half of the data judged"
        axes.plot(picture.log_ratios[:, half], rows, label=name, **style.points)
    axes.axvline(picture.log_mean, color=BLACK, label=f"log of the mean ratio; {p}")
    needed = -math.log(LEVEL)
    axes.axvline(needed, color=GREY, linestyle=":", label=f"needed for p = {LEVEL:g}")
    axes.set(
        xlabel="Split likelihood ratio, natural logarithm (nats)",
        ylabel="Split",
        ylim=(0.5, len(rows) + 0.5),
        yticks=rows[:: max(1, len(rows) // 10)],
    )
    legend_above(axes)
    return axes


def _held_out_differences(picture: Differences, p: str, axes: Axes) -> Axes:
    n_bins = int(np.clip(2 * np.sqrt(picture.values.size), 10, 40))
    axes.hist(picture.values, n_bins, color=PALE, edgecolor=GREY, label="items left out")
    lower, upper = picture.interval
    axes.axvspan(lower, upper, color=VERMILION, alpha=0.25, zorder=0, label="interval of 95 %")
    axes.axvline(0, color=GREY, linestyle=":", label="neither predicts better")
    axes.axvline(picture.mean, color=BLACK, label=f"mean, {picture.mean:.3g}; {p}")
    whole_numbers(axes.yaxis)
    axes.set(
        xlabel="Log-likelihood under the alternative less that under the null (nats)",
        ylabel="Items",
    )
    legend_above(axes)
    return axes


@checked
def estimates(result: LikelihoodRatioResult, *, ax: Axes | None = None) -> Axes:
    """Draw the effects that a test reports: untied with intervals, and what they are when tied.

    Parameters
    ----------
    result : LikelihoodRatioResult
        With ``effects``; those of pair HMMs are ratios of gap probabilities.
    ax : matplotlib.axes.Axes, optional
        To draw on.

    Returns
    -------
    matplotlib.axes.Axes
        A row for each effect. Ratios stand on a log scale.

    Raises
    ------
    ParameterError
        The model reports no effects.
    MissingDependencyError
        matplotlib is not installed.
    """
    effects = effects_of(result.alternative_fit.model, result.alternative_fit.full)
    on_log_scale = [effect.name for effect in effects.values() if effect.log_scale]
    under_null = {
        effect.name: float(np.exp(effect.value) if effect.log_scale else effect.value)
        for effect in effects_of(result.null_fit.model, result.null_fit.full).values()
    }
    if not result.effects:
        raise ParameterError(
            "this model reports no effects to draw; print the result for its estimates"
        )
    rows = [
        _Row(each.name, each.estimate, each.lower, each.upper, result.alternative_name)
        for each in result.effects
    ]
    rows += [
        _Row(each.name, under_null[each.name], None, None, result.null_name)
        for each in result.effects
        if each.name in under_null
    ]
    axes = axes_or_new(ax, (6.0, 1.6 + 0.7 * len(result.effects)))
    _forest(rows, axes)
    if all(each.name in on_log_scale for each in result.effects):
        logarithmic(axes, "x")
    axes.set_xlabel(f"Estimate, with {result.kind_of_intervals}")
    return axes


@checked
def parameters(
    models: Mapping[str, PairHMM],
    names: tuple[str, ...] = ("open_x", "open_y", "extend_x", "extend_y"),
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw parameters of fitted pair HMMs with their intervals, tied and untied for example.

    Parameters
    ----------
    models : mapping of str to PairHMM
        Fitted, under the names that the legend gives them.
    names : tuple of str
        Of ``parameters_``, above 0.
    ax : matplotlib.axes.Axes, optional
        To draw on.

    Returns
    -------
    matplotlib.axes.Axes
        A row for each parameter, a mark in it for each model; a log scale. A model whose
        information matrix has no inverse has marks without intervals.

    Raises
    ------
    ParameterError
        A model has no such parameter, or there is none to draw.
    MissingDependencyError
        matplotlib is not installed.
    """
    rows = []
    for label, model in models.items():
        intervals = _intervals_if_any(model)
        for name in names:
            if name not in model.parameters_:
                raise ParameterError(
                    f"{label} has no parameter {name!r}; it has {', '.join(model.parameters_)}"
                )
            lower, upper = intervals.get(name, (None, None))
            rows.append(_Row(name, model.parameters_[name], lower, upper, label))
    if not rows:
        raise ParameterError("there are no parameters to draw; name at least one, and a model")
    axes = axes_or_new(ax, (6.0, 1.6 + 0.5 * len(names)))
    _forest(rows, axes)
    logarithmic(axes, "x")
    axes.set_xlabel(f"Estimate, with interval of {100 * INTERVAL_LEVEL:g} %")
    return axes


def _intervals_if_any(model: PairHMM) -> Mapping[str, tuple[float, float]]:
    try:
        return model.confidence_intervals()
    except ConvergenceError:
        return {}


@dataclass(frozen=True)
class _Row:
    """One mark of a forest plot."""

    name: str
    value: float
    lower: float | None
    upper: float | None
    series: str


def _forest(rows: list[_Row], axes: Axes) -> None:
    """Draw marks with intervals: a row for each name, the series of a name below each other."""
    names = list(dict.fromkeys(row.name for row in rows))
    series = list(dict.fromkeys(row.series for row in rows))
    step = 0.5 / len(series)
    for number, (label, style) in enumerate(zip(series, STYLES, strict=False)):
        own = [row for row in rows if row.series == label]
        y = [names.index(row.name) + (number - (len(series) - 1) / 2) * step for row in own]
        for place, row in zip(y, own, strict=True):
            if row.lower is not None and row.upper is not None:
                ends = [row.lower, row.upper]
                axes.plot(ends, [place, place], **style.lines)
        inside = style.color if number == 0 else "white"
        values = [row.value for row in own]
        axes.plot(values, y, label=label, markerfacecolor=inside, **style.points)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", color=PALE, linewidth=0.6)
    legend_above(axes, len(series))


@checked
def profile_likelihood(
    hmm: PairHMM,
    parameter: str,
    *,
    level: float = 0.95,
    n_values: int = 15,
    ax: Axes | None = None,
) -> Axes:
    """Draw the log-likelihood of a pair HMM's parameter, maximised over all others.

    Every point is a fit. The interval is where the curve lies above the line; the dashed curve is
    the parabola (in log odds or logarithms) that a Wald interval takes it for.

    Parameters
    ----------
    hmm : PairHMM
        Fitted.
    parameter : str
        One of ``parameters_`` that was estimated.
    level : float, default 0.95
        Of the interval.
    n_values : int, default 15
        Points.
    ax : matplotlib.axes.Axes, optional
        To draw on.

    Returns
    -------
    matplotlib.axes.Axes
        In nats below the maximum.

    Raises
    ------
    ParameterError
        There is no such parameter, or it is 0 or not estimated.
    NotFittedError
        The pair HMM was not fitted to data.
    MissingDependencyError
        matplotlib is not installed.
    """
    axes = axes_or_new(ax)
    if n_values < 2:
        raise ParameterError(f"n_values is {n_values}; give 2 or more")
    known = hmm.confidence_intervals(level=level)
    if parameter not in known:
        raise ParameterError(
            f"{parameter!r} is no parameter that was estimated and is above 0; these are: "
            f"{', '.join(known)}"
        )
    fitted, data, model = hmm.fit_, hmm.data_, hmm.model

    def function(full: Floats) -> Effect:
        return unconstrained(model.layout, model.substitution, full, parameter)[0]

    effect, back = unconstrained(model.layout, model.substitution, fitted.full, parameter)
    slope = fitted.tying.pull_back(effect.gradient)
    error = float(np.sqrt(slope @ covariance(fitted, data) @ slope))
    lower, upper = profile_interval(fitted, data, function, level=level)
    half = 1.4 * normal_quantile(level) * error
    begin = effect.value - max(half, 1.15 * _finite(effect.value - lower))
    end = effect.value + max(half, 1.15 * _finite(upper - effect.value))
    values = np.linspace(begin, end, n_values)
    heights = profile_of(fitted, data, function, values) - fitted.log_likelihood
    fine = np.linspace(begin, end, _N_POINTS)
    axes.plot(
        [back(value) for value in fine],
        -(((fine - effect.value) / error) ** 2) / 2,
        color=VERMILION,
        linestyle="--",
        label="parabola of the Wald interval",
    )
    natural = [back(value) for value in values]
    axes.plot(natural, heights, color=BLUE, marker="o", label="profile likelihood")
    drop = -(normal_quantile(level) ** 2) / 2
    name = f"{100 * level:g} %: {-drop:.2f} nats below"
    axes.axhline(drop, color=GREY, linestyle=":", label=name)
    ends = [back(value) for value in (lower, upper) if np.isfinite(value)]
    name = " to ".join(f"{value:.4g}" for value in (back(lower), back(upper)))
    axes.plot(ends, [drop] * len(ends), color=BLACK, marker="|", markersize=16, linestyle="")
    axes.axvline(back(effect.value), color=GREY, linewidth=0.8)
    estimate = f"{parameter} ({back(effect.value):.4g}, interval {name})"
    axes.set_xlabel(estimate, parse_math=False)
    axes.set(
        ylabel="Log-likelihood below its maximum (nats)",
        ylim=(1.25 * float(min(heights.min(), drop)), 0.1),
    )
    legend_above(axes)
    return axes


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0


@checked
def pvalue_qq(check: SelfCheck, *, level: float = 0.95, ax: Axes | None = None) -> Axes:
    """Draw p-values of data sets that the null has made against what they should be.

    Both scales are logarithmic, because small p-values decide. Points below the band: true nulls
    are rejected more often than they should be. Above it: less often, which is safe but weak.

    Parameters
    ----------
    check : SelfCheck
        Of `seqbio.hypothesis_testing.calibrate`.
    level : float, default 0.95
        Of the band, which holds for each point by itself, not for all at once.
    ax : matplotlib.axes.Axes, optional
        To draw on.

    Returns
    -------
    matplotlib.axes.Axes
        The smallest p-values are on the left.

    Raises
    ------
    ParameterError
        No data set had a p-value.
    MissingDependencyError
        matplotlib is not installed.
    """
    from scipy.stats import beta

    expected, observed = check.quantiles()
    n = observed.size
    if not n:
        raise ParameterError("none of the data sets has a p-value, so there is nothing to draw")
    axes = axes_or_new(ax)
    ranks = np.arange(1, n + 1)
    tail = (1 - level) / 2
    low, high = (beta.ppf(share, ranks, n + 1 - ranks) for share in (tail, 1 - tail))
    name = f"{100 * level:g} % of points, one by one"
    axes.fill_between(expected, low, high, color=PALE, label=name)
    axes.plot(expected, expected, color=GREY, linestyle="--", label="as they should be")
    name = f"{n} data sets of the null"
    axes.plot(expected, observed, "o", color=BLUE, markersize=4, label=name)
    missing = f"; {check.n_missing} data sets without one" if check.n_missing else ""
    logarithmic(axes, "x")
    logarithmic(axes, "y")
    axes.set(xlabel=f"p-value if the test is exact{missing}", ylabel="p-value found")
    legend_above(axes)
    return axes


@checked
def power_curve(
    powers: Mapping[float, Power], *, xlabel: str = "Effect", ax: Axes | None = None
) -> Axes:
    """Draw how often a test finds what is there, against its size or the number of data.

    Parameters
    ----------
    powers : mapping of float to Power
        What `seqbio.hypothesis_testing.power` gave for each effect or number of items.
    xlabel : str
        What these are, with their unit.
    ax : matplotlib.axes.Axes, optional
        To draw on.

    Returns
    -------
    matplotlib.axes.Axes
        Simulations with intervals of 95 %; the noncentral chi-squared law as a line.

    Raises
    ------
    ParameterError
        There is nothing to draw.
    MissingDependencyError
        matplotlib is not installed.
    """
    if not powers:
        raise ParameterError("there are no powers to draw; give at least one")
    axes = axes_or_new(ax)
    x = sorted(powers)
    by_law = [(each, powers[each].by_law) for each in x if powers[each].by_law is not None]
    if by_law:
        sizes, shares = zip(*by_law, strict=True)
        axes.plot(sizes, shares, label="noncentral chi-squared law", **STYLES[1].lines)
    drawn = [each for each in x if powers[each].trials]
    if drawn:
        _simulated(drawn, powers, axes)
    level = powers[x[0]].level
    axes.axhline(level, color=GREY, linestyle=":", label=f"level of the test, {level:g}")
    axes.set(xlabel=xlabel, ylabel="Share of nulls rejected")
    axes.set_ylim(-0.02, 1.02)
    legend_above(axes)
    return axes


def _simulated(x: list[float], powers: Mapping[float, Power], axes: Axes) -> None:
    shares = np.array([powers[each].by_simulation for each in x], dtype=np.float64)
    ends = np.array([powers[each].interval for each in x], dtype=np.float64).T
    style: dict[str, Any] = {"color": STYLES[0].color, "fmt": STYLES[0].marker, "capsize": 3}
    axes.errorbar(x, shares, yerr=np.abs(ends - shares), label="simulated, 95 %", **style)
