"""What a way to a p-value says of itself, so that one that is added is one file."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from seqbio.core import Check, can_subset
from seqbio.hypothesis_testing.comparison import Comparison, Options
from seqbio.hypothesis_testing.evidence import Evidence

DEPENDENT = "dependent_items"
MEANINGLESS = "unrelated_items"  # of which the parameters mean nothing, whatever the law
OVERDISPERSED = "overdispersed"
MANY = "many_parameters"  # of which some models do not seek the maximum
MISFIT = "misfit"  # begins the codes of what the model does not describe
UNBOUNDED = "unbounded"
NOT_FITTED = frozenset({"not_converged", "negative_ratio", UNBOUNDED})
LARGE_NUMBERS = frozenset({"few_events", "alternative_on_boundary"})  # chi-squared is rough

Run = Callable[[Comparison, Options, np.random.Generator], Evidence]


def nothing(comparison: Comparison) -> str:  # noqa: ARG001
    """Say that nothing is missing, or that there is nothing to say."""
    return ""


def always(comparison: Comparison, found: Collection[str]) -> bool:  # noqa: ARG001
    """Take a way wherever it is valid."""
    return True


@dataclass(frozen=True)
class Calibration:
    """A way from a likelihood ratio to a p-value.

    Parameters
    ----------
    name : str
        What ``calibration=`` and ``--calibration`` take.
    meaning : str
        What it does, in a few words.
    run : callable
        Goes the way: from a `Comparison`, `Options` and a generator to its `Evidence`.
    answers : frozenset of str, or None
        Codes of the findings against chi-squared that it makes up for; None for all.
    needs : callable
        From a comparison to what is missing, in a sentence; empty where nothing is.
    automatic : callable
        From a comparison and the codes of all findings to whether "auto" may take it.
    because : callable
        From a comparison to what speaks for it besides what speaks against others; may be empty.
    by_clusters : bool
        Whether items of one cluster may depend on each other.
    compares_fits : bool
        Whether it looks at the maxima of both hypotheses; else neither need be fitted.
    fits_itself : bool
        Whether it does not matter how the given fits ended.
    robust : bool
        Whether it allows for items that vary more than the model says, and so intervals should.
    is_bound : bool
        Whether p is only known to be no larger.
    caption : str
        Of its figure.
    """

    name: str
    meaning: str
    run: Run
    answers: frozenset[str] | None
    needs: Callable[[Comparison], str] = nothing
    automatic: Callable[[Comparison, Collection[str]], bool] = always
    because: Callable[[Comparison], str] = nothing
    by_clusters: bool = False
    compares_fits: bool = True
    fits_itself: bool = False
    robust: bool = False
    is_bound: bool = False
    caption: str = "The observed ratio, and the law of the null."

    def unanswered(self, found: Collection[str]) -> set[str]:
        """Give the codes of findings against chi-squared that it does not make up for."""
        left = set() if self.answers is None else set(found) - self.answers
        left |= set(found) & {MEANINGLESS}
        if not self.fits_itself:
            left |= set(found) & NOT_FITTED
        return left if self.by_clusters else left | set(found) & {DEPENDENT}

    def makes_up_for(self, check: Check, evidence: Evidence) -> bool:
        """Tell whether a finding no longer speaks against the p-value as it comes from here."""
        large = check.code in LARGE_NUMBERS and "few_events" not in self.unanswered({"few_events"})
        varying = check.code == OVERDISPERSED and self.robust
        # Where items are transformed it does not matter by what law they were drawn.
        misfit = check.code.startswith(MISFIT) and getattr(evidence, "exact", False)
        return check.severity == "invalid" or large or varying or misfit


def taken_apart(comparison: Comparison) -> str:
    """Say what is missing where items have to be taken out of the data."""
    if can_subset(comparison.model, comparison.data):
        return ""
    return "items cannot be taken out of the data; add a method subset"


def is_divisible(comparison: Comparison) -> bool:
    """Tell whether the data can be divided without tearing clusters apart."""
    return not taken_apart(comparison) and int(comparison.kept_together.max()) > 0
