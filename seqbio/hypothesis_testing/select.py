"""Which way to a p-value is valid for two fits, and why.

"auto" goes through the calibrations in the order of `AUTOMATIC` and takes the first that

- has all it needs of the model and the data,
- makes up for every finding against the chi-squared law (few events, an estimate on a boundary,
  items that depend on each other, a model that is not regular ...),
- and, once it is gone, comes to a p-value; where it does not, the next one is tried.

Where a fit is not at its optimum no way that compares the fits is valid, and there is no p-value.
A method that is asked for by name is used where it is valid, and gives the reasons where it is not,
with the name of one that would answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqbio.core import Check, is_regular, near_copies_of
from seqbio.core.model import NEAR_COPIES
from seqbio.errors import ParameterError, did_you_mean
from seqbio.hypothesis_testing.calibrations import AUTOMATIC, CALIBRATIONS, Calibration
from seqbio.hypothesis_testing.calibrations.declaration import (
    DEPENDENT,
    MEANINGLESS,
    OVERDISPERSED,
)
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.evidence import Evidence

AUTO = "auto"
NAMES = (AUTO, *CALIBRATIONS)


@dataclass(frozen=True)
class Judgement:
    """A p-value and the law that it comes from, or the reasons why there is none.

    Parameters
    ----------
    calibration : Calibration or None
        The way that led to a p-value.
    null_law : str
        The law under the null and why it holds; without a p-value all reasons why none is used.
    checks : tuple of Check
        All findings, those that the method makes up for turned into notes.
    evidence : Evidence or None
        What the method found; None where no method was used.
    """

    calibration: Calibration | None
    null_law: str
    checks: tuple[Check, ...]
    evidence: Evidence | None


def check_name(name: str) -> None:
    """Refuse a calibration that does not exist.

    Raises
    ------
    ParameterError
        The message gives the nearest name and all of them.
    """
    if name not in NAMES:
        raise ParameterError(
            f"calibration is {name!r}{did_you_mean(str(name), NAMES)}; give one of "
            f"{', '.join(map(repr, NAMES))}"
        )


def needs_no_fits(comparison: Comparison, options: Options) -> bool:
    """Tell whether a way that would be taken does not look at the fits of the hypotheses.

    Parameters
    ----------
    comparison : Comparison
        Fitted or not.
    options : Options
        What the user asked for.

    Returns
    -------
    bool
        Whether `judge` may come to a p-value without them.
    """
    return any(
        not calibration.compares_fits and not calibration.needs(comparison)
        for calibration in _candidates(comparison, (), options)
    )


def _candidates(
    comparison: Comparison, codes: Collection[str], options: Options
) -> Iterator[Calibration]:
    """Give the ways that are to be tried, in their order."""
    if options.calibration != AUTO:
        yield CALIBRATIONS[options.calibration]
        return
    for calibration in AUTOMATIC:
        possible = comparison.is_fitted or not calibration.compares_fits
        if possible and calibration.automatic(comparison, codes):
            yield calibration


def judge(
    comparison: Comparison,
    checks: Sequence[Check],
    options: Options,
    generator: np.random.Generator,
) -> Judgement:
    """Choose a way to a p-value, and go it; where it leads nowhere, the next.

    Parameters
    ----------
    comparison : Comparison
        The two fits.
    checks : sequence of Check
        All that is known against the chi-squared law.
    options : Options
        What the user asked for.
    generator : numpy.random.Generator
        For all that is random.

    Returns
    -------
    Judgement
        Without a p-value where no valid way was found.
    """
    checks = _ranked([*checks, *_declared_dependence(comparison)])
    found = _codes(checks)
    named = options.calibration != AUTO
    failed: list[Evidence] = []
    missing: list[str] = []
    for calibration in _candidates(comparison, {check.code for check in checks}, options):
        if calibration.unanswered(found):
            continue
        if need := calibration.needs(comparison):
            missing.append(need)
            continue
        evidence = calibration.run(comparison, options, generator)
        if evidence.log_pvalue is None:
            failed.append(evidence)
            continue
        why = "it was asked for" if named else _reasons(calibration, comparison, checks, failed)
        softened = [
            replace(check, severity="note") if calibration.makes_up_for(check, evidence) else check
            for check in [*checks, *(check for each in failed for check in each.checks)]
        ]
        law = f"{evidence.null_law}. Used because {why}" if why else evidence.null_law
        everything = _ranked(dict.fromkeys([*evidence.checks, *softened]))
        return Judgement(calibration, law, tuple(everything), evidence)
    return _none(comparison, checks, failed, missing, options.calibration)


def _ranked(checks: Iterable[Check]) -> list[Check]:
    """Put findings in the order in which people should hear of them."""
    return sorted(checks, key=lambda check: (check.rank, check.code != MEANINGLESS))


def _codes(checks: Sequence[Check]) -> set[str]:
    return {check.code for check in checks if check.severity == "invalid"}


def _declared_dependence(comparison: Comparison) -> list[Check]:
    """Take the user's word that items belong together."""
    n_items, n_clusters = comparison.n_items, comparison.n_clusters
    if comparison.clusters is None:
        return _near_copies(comparison)
    if n_clusters == n_items:
        return []
    message = f"{n_items} items belong to {n_clusters} clusters, and are not independent within"
    return [Check(message, "invalid", DEPENDENT, concerns="data")]


def _near_copies(comparison: Comparison) -> list[Check]:
    """Find items that are nearly the same as others."""
    numbers = near_copies_of(comparison.data)
    if numbers is None:
        return []
    _, place, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    near = np.flatnonzero(counts[place.reshape(-1)] > 1)
    if not len(near):
        return []
    first = np.flatnonzero(numbers == numbers[near[0]])[:2] + 1
    message = (
        f"{len(near)} of {comparison.n_items} items are nearly the same as others, such as number "
        f"{first[0]} and {first[1]}: letters changed, overlapping, or the other strand. They are "
        "not independent, and count as one cluster"
    )
    return [Check(message, "invalid", DEPENDENT, NEAR_COPIES, "data")]


def _reasons(
    calibration: Calibration,
    comparison: Comparison,
    checks: Sequence[Check],
    failed: Sequence[Evidence],
) -> str:
    """Say what speaks for a way, and what against those that come before it."""
    against = [
        check.message
        for check in checks
        if check.severity == "invalid" or (check.code == OVERDISPERSED and calibration.robust)
    ]
    against += [
        f"{each.name} gives no p-value: {check.message}"
        for each in failed
        for check in each.checks
        if check.severity == "invalid"
    ]
    reasons = [calibration.because(comparison)]
    if against:
        listed = "; ".join(dict.fromkeys(against))
        regular = is_regular(comparison.model)
        reasons.append(f"the chi-squared law is not known to hold: {listed}" if regular else listed)
    return "; ".join(filter(None, reasons))


def _none(
    comparison: Comparison,
    checks: Sequence[Check],
    failed: Sequence[Evidence],
    missing: Sequence[str],
    name: str,
) -> Judgement:
    """Give all reasons, and the way that would answer if another was asked for."""
    reasons = [*(check for each in failed for check in each.checks), *checks]
    found = _codes(checks)
    if name == AUTO:
        if missing:
            reasons.append(Check("; ".join(dict.fromkeys(missing)), "note", "no_method"))
    else:
        # What a method makes up for is no reason why it gives no p-value.
        left = CALIBRATIONS[name].unanswered(found)
        reasons = [
            replace(check, severity="note")
            if check in checks and check.severity == "invalid" and check.code not in left
            else check
            for check in reasons
        ]
        reasons += [
            Check(need, "invalid", "missing_capability", concerns="method") for need in missing
        ]
        codes = {check.code for check in checks}
        others = [
            other.name
            for other in AUTOMATIC
            if other.name != name
            and other.automatic(comparison, codes)
            and not other.unanswered(found)
            and not other.needs(comparison)
        ]
        if others:
            message = f"{others[0]!r} would be a valid calibration here, and 'auto' takes it"
            reasons.append(Check(message, "note", "valid_calibration"))
    unique = tuple(_ranked(dict.fromkeys(reasons)))
    listed = "; ".join(check.message for check in unique if check.severity == "invalid")
    evidence = failed[-1] if failed else None
    return Judgement(None, f"none that is known to hold: {listed}", unique, evidence)
