"""What a report says of a test, and of each kind of model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import isnan
from typing import TYPE_CHECKING, Any, TypeAlias

from seqbio import plots
from seqbio.core.tables import Table, short, shortened
from seqbio.errors import ConvergenceError
from seqbio.hypothesis_testing import LikelihoodRatioResult
from seqbio.hypothesis_testing.calibrations.held_out import HeldOutComparison
from seqbio.hypothesis_testing.wording import p_value_in_words
from seqbio.report.page import SIZE, Page

Intervals: TypeAlias = Mapping[str, tuple[float, float]]

if TYPE_CHECKING:
    from seqbio.motif import MotifDetector
    from seqbio.pairhmm import PairHMM
    from seqbio.recurrent import RecurrentModel


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
    key_numbers = result.ratio_rows()
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
_IN_WORDS = {"Warnings"}  # tables, and rows of others, that the page has in words
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
    rows = [*result.ratio_rows(), ("p-value", p), ("by", result.calibration)]
    rows += [] if result.evidence is None else result.evidence.rows()
    return f"Figure: {'; '.join(f'{name} {value}' for name, value in rows)}."


def _effects_in_numbers(result: LikelihoodRatioResult) -> str:
    lines = [
        f"{effect.name} {short(effect.estimate)}, from {short(effect.lower)} to "
        f"{short(effect.upper)}, under the null {short(effect.null_value)}"
        for effect in result.effects
    ]
    return f"Figure: {'; '.join(lines)}."


# -- pair HMMs ---------------------------------------------------------------------------------


def _page_of_pair_hmm(hmm: PairHMM) -> Page:
    from seqbio.pairhmm.summary import numbers_of_pairs, summed_up

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
    sentence, tables = summed_up(hmm, intervals, hmm.interval_method_, failure)
    ties = hmm.tie if isinstance(hmm.tie, tuple) else ()
    page = Page(
        "How often do gaps open, and how long do they last?",
        sentence,
        beliefs=[("The model says:", [hmm.ties()[name] for name in ties])] if ties else [],
        key_numbers=[
            *numbers_of_pairs(hmm),
            ("log-likelihood", f"{hmm.log_likelihood_:.2f} nats"),
            ("free parameters", str(hmm.n_free_parameters_)),
        ],
        tables=tables,
        warnings=warnings,
    )
    gaps = {
        name: value
        for name, value in parameters.items()
        if name.startswith(("open", "extend")) and value > 0
    }
    numbers = "; ".join(
        f"{name} {short(value)}"
        + (" from {} to {}".format(*map(short, intervals[name])) if name in intervals else "")
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
    from seqbio.motif.summary import motifs_of

    motifs = motifs_of(detector)
    sentence, tables = detector._summary()
    ties = detector.tie if isinstance(detector.tie, tuple) else ()
    page = Page(
        "Which motifs tell the sequences apart?",
        sentence,
        beliefs=[("The model says:", [detector.ties()[name] for name in ties])] if ties else [],
        key_numbers=[
            ("log-likelihood", f"{detector.log_likelihood_:.2f} nats"),
            ("free parameters", str(detector.n_free_parameters_)),
            ("epochs", str(len(detector.history_))),
        ],
        tables=[*tables, detector.settings_table()],
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
    sentence, tables = network._summary()
    question = "How well can the class of a sequence be told?"
    if network.task == "next":
        question = "How well can the next letter be predicted from those before it?"
    ties = network.tie if isinstance(network.tie, tuple) else ()
    page = Page(
        question,
        sentence,
        beliefs=[("The model says:", [network.ties()[name] for name in ties])] if ties else [],
        key_numbers=[
            ("free parameters", str(network.n_free_parameters_)),
            ("epochs", str(len(training.history))),
            ("epoch kept", str(training.epoch)),
        ],
        tables=[*tables, network.settings_table()],
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


def _sentence(text: str) -> str:
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith(".") else f"{whole}."
