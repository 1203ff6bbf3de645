"""Turning items: on which side a network finds what it has learned, against coins.

Under a tie that is the symmetry of a transformation which undoes itself, such as reading the other
strand, an item is as likely as its transformed self. The null's network is learned from items in a
form that is the same however they stand, with the tie, so it does not change when items are turned;
what it finds in an item, on the one side less on the other, changes its sign. So given the network
and the sizes of these scores all patterns of signs are equally likely, and the observed one is
compared with all of them (`seqbio.hypothesis_testing.sign_flips`).

The likelihood ratio of a network has no known law, and the labels say little of the side: with
sites on one strand only, positives are told from negatives nearly as well by a detector of both.
The side itself is what is looked at here, so that a hundred sites are enough. Learning on one half
and turning the other, and the reverse, would not do: the two halves' networks agree with each other
on whichever side chance has put more items, and true nulls are rejected twice too often.

What this p-value takes for granted
-----------------------------------
Independent items, each as likely as its transformed self; nothing about the network, which may have
learned well or badly, and nothing about how many items there are. What is tested is the symmetry of
the items as far as the network feels it. Sequences whose letters differ between the strands, such
as transcripts, break it, too: where items of the first class, which have no motif, lean to a side,
there is a warning.

References
----------
Lehmann, E. L. and Romano, J. P. (2005). Testing Statistical Hypotheses, third edition, section
15.2. Springer.

Chiu, K. and Bloem-Reddy, B. (2023). Non-parametric hypothesis tests for distributional group
symmetry. arXiv:2307.15834.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import numpy as np

from seqbio.core import Check, Fit, LearnedSymmetry, learned_symmetry
from seqbio.errors import ParameterError
from seqbio.hypothesis_testing.calibrations.declaration import Calibration
from seqbio.hypothesis_testing.calibrations.flip import FEWEST, SignFlips, flip_signs
from seqbio.hypothesis_testing.comparison import Comparison, Options


@dataclass(frozen=True, eq=False)
class Turned(SignFlips):
    """Sides on which a network finds what it has learned, and what coins make of them.

    Parameters
    ----------
    side : str
        Where a thing is whose score is positive.
    learned : Fit
        The null's model, which found the sides.
    doubts : tuple of Check
        Of the model.
    """

    side: str = ""
    learned: Fit | None = None
    doubts: tuple[Check, ...] = ()

    name = "turn"

    @property
    def null_law(self) -> str:
        """What is as likely under the null, and why."""
        return (
            f"random signs: if the null is true, data in which {self.transformation} are as likely "
            "as the observed, item by item. The null's model, learned from items in a form that is "
            f"the same either way, finds something in {self.n_telling} of {self.n_clusters} items, "
            "and the side on which it does is a coin for each; exact for any number of items and "
            "whatever was learned"
        )

    def rows(self) -> list[tuple[str, str]]:
        """Give label and value of what people should see."""
        # A score is the chance of a site, as far as it is clear on which side.
        there, all_ = np.maximum(self.scores, 0.0).sum(axis=0), np.abs(self.scores).sum(axis=0)
        shares = [f"{n:.1f} of {of:.1f}" for n, of in zip(there, all_, strict=True)]
        return [*super().rows(), (f"found {self.side}, expected number", ", ".join(shares))]

    @property
    def checks(self) -> tuple[Check, ...]:
        """Why there is no p-value, or what else it may be due to."""
        return (*super().checks, *self.doubts)


def asked_symmetry(comparison: Comparison, kind: str) -> LearnedSymmetry | None:
    """Ask the model for a symmetry of one kind that the two hypotheses differ in."""
    ties = comparison.null_fit.tying, comparison.alternative_fit.tying
    found = learned_symmetry(comparison.model, *ties, comparison.data)
    return found if found is not None and found.kind == kind else None


def missing_symmetry(comparison: Comparison, kind: str, action: str) -> str:
    """Say what is missing where a model must find something in items that a symmetry acts on."""
    if asked_symmetry(comparison, kind) is not None:
        return ""
    return (
        f"it takes a model that finds something in every item which {action}, and two hypotheses "
        "that differ in just that symmetry"
    )


def found_by_auto(comparison: Comparison, found: Collection[str], kind: str) -> bool:
    """Take such a way wherever the model knows of the symmetry and there are items enough."""
    del found
    return asked_symmetry(comparison, kind) is not None and comparison.n_clusters >= FEWEST


def because_it_reads(comparison: Comparison) -> str:  # noqa: ARG001
    """Say why such a way comes first."""
    return "it asks where what was learned is found, so that neither hypothesis has to be fitted"


def _run(comparison: Comparison, options: Options, generator: np.random.Generator) -> Turned:
    asked = asked_symmetry(comparison, "signs")
    if asked is None:
        raise ParameterError(TURN.needs(comparison))
    reading = asked.read(options.n_starts, generator)
    flips = flip_signs(comparison, reading.values, asked.words, exact=True, seed=generator)
    return Turned(**vars(flips), side=asked.side, learned=reading.learned, doubts=reading.checks)


TURN = Calibration(
    "turn",
    "on which side a learned model finds its motif in each item, against coins; exact",
    _run,
    answers=None,
    needs=partial(missing_symmetry, kind="signs", action="changes its sign when that is turned"),
    automatic=partial(found_by_auto, kind="signs"),
    because=because_it_reads,
    by_clusters=True,
    compares_fits=False,
    fits_itself=True,
    caption="What random sides of the items make of the statistic, and the observed one.",
)
