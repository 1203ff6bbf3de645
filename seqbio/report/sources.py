"""What a report says of a test, and of each kind of model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import isnan, log
from typing import TYPE_CHECKING, Any, TypeAlias

from seqbio import plots
from seqbio.core import Estimator
from seqbio.core._checks import checked
from seqbio.errors import ConvergenceError, ParameterError
from seqbio.hypothesis_testing import LikelihoodRatioResult
from seqbio.hypothesis_testing.calibrations.held_out import HeldOutComparison
from seqbio.hypothesis_testing.tables import Table
from seqbio.hypothesis_testing.wording import p_value_in_words, shortened
from seqbio.report.page import SIZE, Page

Intervals: TypeAlias = Mapping[str, tuple[float, float]]

if TYPE_CHECKING:
    from seqbio.motif import MotifDetector
    from seqbio.pairhmm import PairHMM
    from seqbio.recurrent import RecurrentModel


INTERVAL_NAMES = {"wald": "Wald", "robust": "robust", "profile": "profile likelihood"}
_MOST_LOGOS = 8
_MOST_CELLS = 4_000_000  # of a pair whose posterior is drawn
_MOST_TIES = 8


def page_of(
    source: LikelihoodRatioResult | PairHMM | MotifDetector | RecurrentModel,
    doubted: Sequence[str],
    kept: Sequence[str],
) -> Page:
    """Say what a report of a source says.

    Parameters
    ----------
    source : LikelihoodRatioResult, PairHMM, MotifDetector or RecurrentModel
        What `write_report` takes.
    doubted, kept : sequence of str
        As in `write_report`.

    Returns
    -------
    Page
        Headings, tables and figures.
    """
    from seqbio.motif import MotifDetector
    from seqbio.pairhmm import PairHMM

    if isinstance(source, LikelihoodRatioResult):
        return _page_of_result(source, doubted, kept)
    if isinstance(source, PairHMM):
        return _page_of_pair_hmm(source)
    if isinstance(source, MotifDetector):
        return _page_of_detector(source)
    return _page_of_network(source)


# -- tests -------------------------------------------------------------------------------------


def _page_of_result(
    result: LikelihoodRatioResult, doubted: Sequence[str], kept: Sequence[str]
) -> Page:
    question = f'Do the data speak against "{result.null_name}"?'
    if isinstance(result.evidence, HeldOutComparison):
        question = f'Does "{result.alternative_name}" predict better than "{result.null_name}"?'
    key_numbers = [
        ("likelihood ratio", f"{result.statistic:.6g}"),
        ("degrees of freedom", str(result.df)),
    ]
    p = "none"
    if result.log_pvalue is not None:
        p = p_value_in_words(result.log_pvalue, bound=result.is_bound).removeprefix("p = ")
        key_numbers.append(("p-value by", result.calibration))
    page = Page(
        question,
        result.conclusion,
        beliefs=_beliefs(result, doubted, kept),
        key_numbers=[("p-value", p), *key_numbers],
        tables=[_without_words(table) for table in result.tables()],
        warnings=[(check.severity, check.message) for check in result.warnings],
        method=_METHOD if result.method is not None else "Why there is no p-value",
        reasons=[_sentence(result.null_law)],
    )
    if result.method is not None:
        page.draw(
            lambda ax: plots.null_distribution(result, ax=ax),
            _law_in_numbers(result, p),
            result.method.caption,
        )
    page.draw(
        lambda ax: plots.estimates(result, ax=ax),
        _effects_in_numbers(result),
        f"What the alternative estimates, with {result.kind_of_intervals}, beside what the null "
        "says.",
        (SIZE[0], 1.8 + 0.6 * len(result.effects)),
    )
    return page


_METHOD = "How the p-value was obtained"
_IN_WORDS = {"Warnings", "Conclusion"}  # tables, and rows of others, that the page has in words
_ROWS_IN_WORDS = {"ties", "law under the null"}


def _without_words(table: Table) -> Table:
    """Leave out what the page says elsewhere."""
    rows = [row for row in table.rows if row[0] not in _ROWS_IN_WORDS]
    return table._replace(rows=[] if table.title in _IN_WORDS else rows)


def _beliefs(
    result: LikelihoodRatioResult, doubted: Sequence[str], kept: Sequence[str]
) -> list[tuple[str, list[str]]]:
    null, alternative = (
        fit.tying.describe(fit.model.layout) for fit in (result.null_fit, result.alternative_fit)
    )
    in_doubt = list(doubted) or [line for line in null if line not in alternative]
    name = result.null_name
    beliefs = [(f'The null hypothesis, "{name}", says:', shortened(in_doubt, _MOST_TIES))]
    if len(kept):
        beliefs.append(("Both hypotheses say:", list(kept)))
    return beliefs


def _law_in_numbers(result: LikelihoodRatioResult, p: str) -> str:
    rows = [] if result.evidence is None else result.evidence.rows()
    more = "".join(f"; {name} {value}" for name, value in rows)
    return (
        f"Figure: observed likelihood ratio {result.statistic:.6g}, {result.df} degrees of "
        f"freedom, p-value {p}, by {result.calibration}{more}."
    )


def _effects_in_numbers(result: LikelihoodRatioResult) -> str:
    lines = [
        f"{effect.name} {_short(effect.estimate)}, from {_short(effect.lower)} to "
        f"{_short(effect.upper)}, under the null {_short(effect.null_value)}"
        for effect in result.effects
    ]
    return f"Figure: {'; '.join(lines)}."


# -- pair HMMs ---------------------------------------------------------------------------------


@checked
def pair_hmm_tables(
    hmm: PairHMM, intervals: Intervals, method: str, failure: str | None = None
) -> list[Table]:
    """Lay out how a pair HMM was fitted, and its parameters.

    Parameters
    ----------
    hmm : PairHMM
        Fitted.
    intervals : mapping of str to (float, float)
        Of 95 %, by the names of parameters; empty for none.
    method : {"wald", "robust", "profile", "none"}
        Where they come from.
    failure : str, optional
        Why there are none, where they were asked for.

    Returns
    -------
    list of Table
        Two.
    """
    fitted = hmm.fit_
    ties = hmm.tie if isinstance(hmm.tie, tuple) else ()
    summary: list[tuple[str, ...]] = [
        *_numbers_of_pairs(hmm),
        ("ties", ", ".join(ties) or "none"),
        ("log-likelihood (nats)", f"{fitted.log_likelihood:.6f}"),
        ("free parameters", str(fitted.n_free)),
        (
            "convergence",
            f"{'converged' if fitted.converged else 'NOT CONVERGED'}: {fitted.message}",
        ),
        ("", f"{fitted.n_iterations} iterations, {fitted.n_evaluations} evaluations"),
    ]
    if len(fitted.optima) > 1:
        below = fitted.optima[0] - fitted.optima[1]
        words = f"{len(fitted.optima)}, the second best {below:.2g} nats below the best"
        summary.append(("starts", words))
    if fitted.at_boundary:
        summary.append(("estimated as 0", ", ".join(fitted.at_boundary)))
    if failure is not None:
        summary.append(("intervals", f"none: {failure}"))
    if method not in ("none", *INTERVAL_NAMES):
        raise ParameterError(
            f"method is {method!r}; choose one of none, {', '.join(INTERVAL_NAMES)}"
        )
    rows: list[tuple[str, ...]]
    header: tuple[str, ...] = ("", "estimate")
    title = "Parameters"
    if method == "none" or failure is not None:
        rows = [(name, _short(value)) for name, value in hmm.parameters_.items()]
    else:
        title = f"Parameters, 95 % {INTERVAL_NAMES[method]} intervals"
        header = ("", "estimate", "from", "to", "")
        rows = [_parameter_row(name, value, intervals) for name, value in hmm.parameters_.items()]
    return [Table("Pair HMM", (), summary), Table(title, header, rows)]


def _parameter_row(name: str, value: float, intervals: Intervals) -> tuple[str, ...]:
    if name in intervals:
        lower, upper = intervals[name]
        return name, _short(value), _short(lower), _short(upper), ""
    remark = "at its boundary" if value == 0.0 else "not estimated"
    return name, _short(value), "-", "-", remark


def _page_of_pair_hmm(hmm: PairHMM) -> Page:
    parameters = hmm.parameters_
    method: str = hmm.interval_method_
    intervals: Intervals = {}
    failure, warnings = None, []
    if not hmm.converged_:
        warnings.append(("warning", f"the fit did not converge: {hmm.fit_.message}"))
    try:
        intervals = hmm.confidence_intervals()
    except ConvergenceError as error:
        failure = str(error)
        warnings.append(("warning", f"there are no intervals: {error}"))
    ties = hmm.tie if isinstance(hmm.tie, tuple) else ()
    page = Page(
        "How often do gaps open, and how long do they last?",
        " ".join(_gaps_in_words(parameters, group) for group in hmm.groups_ or ("",)),
        beliefs=[("The model says:", [hmm.ties()[name] for name in ties])] if ties else [],
        key_numbers=[
            *_numbers_of_pairs(hmm),
            ("log-likelihood", f"{hmm.log_likelihood_:.2f} nats"),
            ("free parameters", str(hmm.n_free_parameters_)),
        ],
        tables=pair_hmm_tables(hmm, intervals, method, failure),
        warnings=warnings,
    )
    gaps = {
        name: value
        for name, value in parameters.items()
        if name.startswith(("open", "extend")) and value > 0
    }
    numbers = "; ".join(
        f"{name} {_short(value)}"
        + (" from {} to {}".format(*map(_short, intervals[name])) if name in intervals else "")
        for name, value in gaps.items()
    )
    page.draw(
        lambda ax: plots.parameters({"estimate": hmm}, tuple(gaps), ax=ax),
        f"Figure: {numbers}.",
        f"Probabilities of gaps, with{'out' if failure else ' robust' * (method == 'robust')} "
        "intervals of 95 %.",
        (SIZE[0], 1.4 + 0.5 * len(gaps)),
    )
    if not hmm.groups_:  # else the parameters are not one pair HMM's
        _draw_posterior(page, hmm)
    return page


def _gaps_in_words(parameters: Mapping[str, float], group: str) -> str:
    """Say how often gaps open, how often they go on, and how far apart the sequences are."""
    suffix = f"[{group}]" if group else ""
    values = {name: parameters.get(f"{name}{suffix}") for name in (*_SIDES, "distance")}
    words = []
    for kind, what in (("open", "gaps open with probability"), ("extend", "go on with")):
        x, y = (_short(values[f"{kind}_{side}"]) for side in "xy")
        if "-" in (x, y):  # gaps whose lengths have another law
            continue
        words.append(f"{what} {x} in both" if x == y else f"{what} {x} in y and {y} in x")
    whole = " and ".join(words)
    whole = f"In group {group} {whole}" if group else whole[0].upper() + whole[1:]
    distance = values["distance"]
    if distance is not None:
        whole += f"; the sequences are {_short(distance)} substitutions per site apart"
    return f"{whole}."


_SIDES = ("open_x", "open_y", "extend_x", "extend_y")


def _draw_posterior(page: Page, hmm: PairHMM) -> None:
    """Draw the posterior of the first pair, unless it is very long."""
    data: Any = hmm.data_
    x, y = (data.alphabet.decode(codes[0]) for codes in (data.x, data.y))
    if len(x) * len(y) > _MOST_CELLS:
        return
    [alignment] = hmm.align([(x, y)])
    hmm.assess([alignment])
    accuracy = alignment.expected_accuracy  # type: ignore[attr-defined]
    page.draw(
        lambda ax: plots.alignment_posterior(hmm, x, y, ax=ax),
        f"Figure: dot plot of {len(x)} letters of x against {len(y)} of y; the best alignment has "
        f"{alignment.length} columns and an expected accuracy of {accuracy:.4f}.",
        "How surely the letters of the first pair are aligned, over all alignments.",
        (SIZE[0], 4.8),
    )


# -- motif detectors ---------------------------------------------------------------------------


def _page_of_detector(detector: MotifDetector) -> Page:
    motifs = detector.motifs_ if detector.model_.n_places == 1 else []
    names = [f"{motif.name} {motif.consensus}" for motif in motifs]
    ties = detector.tie if isinstance(detector.tie, tuple) else ()
    found = ", ".join(shortened(names, 3)) or "filters that differ from place to place"
    page = Page(
        "Which motifs tell the sequences apart?",
        f"The detector learned {found}.",
        beliefs=[("The model says:", [detector.ties()[name] for name in ties])] if ties else [],
        key_numbers=[
            ("log-likelihood", f"{detector.log_likelihood_:.2f} nats"),
            ("free parameters", str(detector.n_free_parameters_)),
            ("epochs", str(len(detector.history_))),
        ],
        tables=[settings_table(detector)],
        warnings=[],
    )
    for motif in motifs[:_MOST_LOGOS]:
        page.draw(
            partial(_draw_logo, motif, detector.background_),
            f"Logo of {motif.name}: {motif.consensus}; on the other strand "
            f"{motif.reverse_complement().consensus}."
            if set(motif.alphabet) <= set("ACGTU")
            else f"Logo of {motif.name}: {motif.consensus}.",
            f"{motif.name}; heights are bits.",
            (max(4.2, 1.0 + 0.32 * (len(str(motif.consensus)) + 2)), 2.2),
        )
    _draw_curves(page, detector, detector.history_, "nats per sequence")
    return page


def _draw_logo(motif: Any, background: Any, ax: Any) -> None:
    plots.motif_logo(motif, background=background, ax=ax)


# -- recurrent models --------------------------------------------------------------------------


def _page_of_network(network: RecurrentModel) -> Page:
    training = network.training_
    bits = training.loss / log(2)
    if network.task == "next":
        question = "How well can the next letter be foretold from those before it?"
        answer = (
            f"With {bits:.4g} bits per symbol, by the loss of epoch {training.epoch}, the best."
        )
    else:
        question = "How well can the class of a sequence be told?"
        loss = f"{training.loss:.4g} nats per label"
        answer = f"With a loss of {loss}, that of epoch {training.epoch}, the best."
    ties = network.tie if isinstance(network.tie, tuple) else ()
    page = Page(
        question,
        answer,
        beliefs=[("The model says:", [network.ties()[name] for name in ties])] if ties else [],
        key_numbers=[
            ("free parameters", str(network.n_free_parameters_)),
            ("epochs", str(len(training.history))),
            ("epoch kept", str(training.epoch)),
        ],
        tables=[settings_table(network)],
        warnings=[],
    )
    unit = "nats per symbol" if network.task == "next" else "nats per label"
    _draw_curves(page, network, training.history, unit)
    return page


# -- shared ------------------------------------------------------------------------------------


def _draw_curves(page: Page, model: Any, history: Sequence[Any], unit: str) -> None:
    if not history:
        return
    numbers = f"training loss {history[0].loss:.4g} at first, {history[-1].loss:.4g} at last"
    validated = [each.validation_loss for each in history if not isnan(each.validation_loss)]
    if validated:
        numbers += f"; lowest validation loss {min(validated):.4g}"
    page.draw(
        lambda ax: plots.training_curves(model, ax=ax),
        f"Figure: {numbers} {unit}, in {len(history)} epochs.",
        "The loss of each pass over the data.",
    )


@checked
def settings_table(estimator: Estimator) -> Table:
    """Lay out the settings of an estimator.

    Parameters
    ----------
    estimator : Estimator
        Of any family.

    Returns
    -------
    Table
        A row for each.
    """
    rows = [(name, _setting(value)) for name, value in estimator.get_params().items()]
    return Table("Settings", (), rows)


def _setting(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "none"
    return "default" if value is None else str(value)


def _sentence(text: str) -> str:
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith(".") else f"{whole}."


def _short(value: float | None) -> str:
    return "-" if value is None or isnan(value) else f"{value:.4g}"


def _numbers_of_pairs(hmm: PairHMM) -> list[tuple[str, str]]:
    """Count the pairs, and those of each group where there are any."""
    data: Any = hmm.data_
    of_groups = [
        (f"  {name}", str(int((data.labels == group).sum())))
        for group, name in enumerate(hmm.groups_)
    ]
    return [("pairs", str(len(hmm.data_))), *of_groups]
