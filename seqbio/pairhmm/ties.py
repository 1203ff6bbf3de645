"""The symmetries that a pair HMM can hold, by name: within a pair, and over groups of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from seqbio.core import Tying
from seqbio.core.ties import Tie, TieTable
from seqbio.errors import TyingError
from seqbio.pairhmm.pair_model import PairModel
from seqbio.pairhmm.transitions import OPTIONAL, OVERHANGS

ALL_GROUPS = "group"
_PREFIX = "group."


class Subject(NamedTuple):
    """What ties are of.

    Parameters
    ----------
    settings : PairHMM
        The estimator.
    model : PairModel or GroupedModel
        Of pairs, or of groups of them; ties within a pair are built for pairs alone.
    """

    settings: Any
    model: Any


# What is there with a setting alone, and with which value of it.
SETTINGS: dict[str, tuple[str, str | int]] = {
    "switch": ("switch", "tied"),
    "long": ("gap_lengths", 2),
    "frame": ("gap_lengths", "frame"),
    "overhang": ("ends", "free"),
}


def has(settings: Any, name: str) -> bool:
    """Whether the settings allow moves between gaps, or a mixture, or overhangs of both."""
    if name == "switch":
        return bool(settings.switch != "off")
    setting, value = SETTINGS[name]
    return bool(getattr(settings, setting) == value)


def is_over_groups(name: str) -> bool:
    """Tell a tie over groups of pairs from one within a pair."""
    return name == ALL_GROUPS or name.startswith(_PREFIX)


def kinds(name: str) -> tuple[str, ...]:
    """List what goes with a name of `SETTINGS`: overhangs are at the beginning or at the end."""
    return OVERHANGS if name == "overhang" else (name,)


def held_without(name: str, sides: str = "xy") -> dict[str, float]:
    """Where coordinates are held if something of `SETTINGS` is not there, on some sides."""
    held = {f"{kind}_{side}": -np.inf for kind in kinds(name) for side in sides}
    # How long gaps or overhangs of a kind are has no meaning where there are none.
    lengths = {f"extend_{block}": 0.0 for block in held if block[:-2] in OPTIONAL}
    return held | lengths


def _within(name: str, meaning: str, kinds: Sequence[str]) -> Tie[Subject]:
    """Declare that parameters of some kinds are the same in x and y."""

    def build(subject: Subject, tying: Tying) -> Tying:
        layout = subject.model.layout
        sides = "mxy" if name == "end" else "xy"
        rows = [[layout.indices(f"{kind}_{side}") for side in sides] for kind in kinds]
        return tying.with_equal(rows)

    def needs(subject: Subject) -> str:
        if name not in SETTINGS or has(subject.settings, name):
            return ""
        setting, value = SETTINGS[name]
        values = (value, "untied") if name == "switch" else (value,)
        options = " or ".join(f"--{setting.replace('_', '-')} {each}" for each in values)
        settings = " or ".join(f"{setting}={each!r}" for each in values)
        return (
            f"{options} ({settings}); it is {getattr(subject.settings, setting)!r}, with which "
            "there is nothing to tie"
        )

    return Tie(name, meaning, build, needs)


def _over_groups(name: str, meaning: str, *kinds: str) -> Tie[Subject]:
    """Declare that parameters of some kinds are the same in every group of pairs.

    Where none are given, they are all but those of lengths, which follow from how sequences were
    cut, by no law of the model's.
    """

    def is_tied(block: str) -> bool:
        kind = block.rpartition("_")[0] or block
        return kind in kinds if kinds else kind != "end"

    def build(subject: Subject, tying: Tying) -> Tying:
        model = subject.model
        tied = model.tied_over_groups(tying, filter(is_tied, model.base.layout.names))
        if tied == tying:
            raise TyingError(
                f"tie {name!r} has nothing to tie: with these settings none of it is estimated, or "
                "another tie holds it equal; leave it out"
            )
        return tied

    return Tie(name, meaning, build, _two_groups)


def _two_groups(subject: Subject) -> str:
    if isinstance(subject.model, PairModel):
        return (
            "groups of pairs, and these pairs have none; give "
            "the group of every pair, or leave the tie out"
        )
    if len(subject.model.groups) < 2:
        return (
            f"two groups, and all pairs are of one group, {subject.model.groups[0]!r}; give pairs "
            "of two groups or more, or leave it out"
        )
    return ""


# Names, what they say within a pair and over groups, and the kinds of parameters.
_WITHIN = [
    (
        "open",
        "gaps open as often in x as in y: insertions are as frequent as deletions",
        "gaps open as often in every group of pairs, those of x and those of y each",
        ("open",),
    ),
    (
        "extend",
        "gaps of each kind last as long in x as in y: insertions are as long as deletions",
        "gaps last as long in every group of pairs, those of x and those of y each",
        ("extend", "extend_long", "extend_frame"),
    ),
    (
        "long",
        "as large a share of the gaps is long in x as in y (with gap_lengths=2)",
        "as large a share of the gaps is long in every group of pairs",
        ("long",),
    ),
    (
        "frame",
        "as large a share of the gaps is in frame in x as in y (with gap_lengths='frame')",
        "as large a share of the gaps is in frame in every group of pairs",
        ("frame",),
    ),
    (
        "overhang",
        "overhangs are as frequent and as long in x as in y, at either end (with ends='free')",
        "overhangs are as frequent and as long in every group of pairs, those of x and of y each",
        (*OVERHANGS, *(f"extend_{end}" for end in OVERHANGS)),
    ),
    (
        "switch",
        "an insertion directly next to a deletion is as likely in either order",
        "an insertion directly next to a deletion is as likely in every group of pairs",
        ("switch",),
    ),
    (
        "end",
        "an alignment may end after a gap as readily as after two aligned letters",
        "alignments are as long in every group of pairs",
        ("end",),
    ),
]

# Those of the substitution model have no counterpart within a pair.
_OF_LETTERS = [
    ("distance", "the sequences of a pair are as far apart in every group of pairs", "distance"),
    (
        "rates",
        "letters change into each other at the same relative rates in every group of pairs",
        "exchangeability",
    ),
    ("frequency", "letters are as frequent in every group of pairs", "frequency"),
]

TIES = TieTable[Subject](
    "a pair HMM",
    [
        *(_within(name, meaning, kinds) for name, meaning, _, kinds in _WITHIN),
        _over_groups(
            ALL_GROUPS,
            "all that is estimated is the same in every group of pairs, but for how long "
            "alignments are",
        ),
        *(_over_groups(_PREFIX + name, meaning, *kinds) for name, _, meaning, kinds in _WITHIN),
        *(_over_groups(_PREFIX + name, meaning, kind) for name, meaning, kind in _OF_LETTERS),
    ],
)
