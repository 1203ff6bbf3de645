"""The symmetries that a pair HMM can hold, by name: within a pair, and over groups of pairs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from seqbio.core import GroupedModel, Tying, equal
from seqbio.core.layout import Layout
from seqbio.errors import TyingError
from seqbio.pairhmm.pair_model import PairModel
from seqbio.pairhmm.transitions import OPTIONAL, OVERHANGS

_PREFIX = "group."
ALL_GROUPS = "group"


class Tie(NamedTuple):
    """What a tie makes equal within a pair, and what that and the same over groups say."""

    blocks: tuple[str, ...]
    meaning: str
    over_groups: str


WITHIN = {
    "open": Tie(
        ("open_x", "open_y"),
        "gaps open as often in x as in y: insertions are as frequent as deletions",
        "gaps open as often in every group of pairs, those of x and those of y each",
    ),
    "extend": Tie(
        (
            *("extend_x", "extend_y", "extend_long_x", "extend_long_y"),
            *("extend_frame_x", "extend_frame_y"),
        ),
        "gaps of each kind last as long in x as in y: insertions are as long as deletions",
        "gaps last as long in every group of pairs, those of x and those of y each",
    ),
    "long": Tie(
        ("long_x", "long_y"),
        "as large a share of the gaps is long in x as in y (with gap_lengths=2)",
        "as large a share of the gaps is long in every group of pairs",
    ),
    "frame": Tie(
        ("frame_x", "frame_y"),
        "as large a share of the gaps is in frame in x as in y (with gap_lengths='frame')",
        "as large a share of the gaps is in frame in every group of pairs",
    ),
    "overhang": Tie(
        tuple(
            f"{prefix}{end}_{side}"
            for prefix in ("", "extend_")
            for end in OVERHANGS
            for side in "xy"
        ),
        "overhangs are as frequent and as long in x as in y, at either end (with ends='free')",
        "overhangs are as frequent and as long in every group of pairs, those of x and of y each",
    ),
    "switch": Tie(
        ("switch_x", "switch_y"),
        "an insertion directly next to a deletion is as likely in either order",
        "an insertion directly next to a deletion is as likely in every group of pairs",
    ),
    "end": Tie(
        ("end_m", "end_x", "end_y"),
        "an alignment may end after a gap as readily as after two aligned letters",
        "alignments are as long in every group of pairs",
    ),
}

# What is there with a setting alone, and with which value of it.
SETTINGS: dict[str, tuple[str, str | int]] = {
    "switch": ("switch", "tied"),
    "long": ("gap_lengths", 2),
    "frame": ("gap_lengths", "frame"),
    "overhang": ("ends", "free"),
}

# Blocks of the substitution model, which have no counterpart within a pair.
_OF_LETTERS = {
    "distance": (("distance",), "the sequences of a pair are as far apart in every group of pairs"),
    "rates": (
        ("exchangeability",),
        "letters change into each other at the same relative rates in every group of pairs",
    ),
    "frequency": (("frequency",), "letters are as frequent in every group of pairs"),
}


def meanings() -> dict[str, str]:
    """Give every name with what it says about biology."""
    over = {_PREFIX + name: tie.over_groups for name, tie in WITHIN.items()}
    over |= {_PREFIX + name: meaning for name, (_, meaning) in _OF_LETTERS.items()}
    everything = (
        "all that is estimated is the same in every group of pairs, but for how long alignments are"
    )
    return {name: tie.meaning for name, tie in WITHIN.items()} | {ALL_GROUPS: everything} | over


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


def tied_within(tying: Tying, layout: Layout, names: Iterable[str]) -> Tying:
    """Tie within a pair, on top of what is tied already."""
    for name in names:
        for kind in {block.rpartition("_")[0] for block in WITHIN[name].blocks}:
            blocks = [block for block in WITHIN[name].blocks if block.rpartition("_")[0] == kind]
            entries = [int(layout.indices(block)) for block in blocks]
            tying = tying.intersect(equal(tying.n_full, entries))
    return tying


def tied_over_groups(tying: Tying, model: PairModel | GroupedModel, names: Iterable[str]) -> Tying:
    """Tie over groups of pairs, on top of what is tied in each.

    Raises
    ------
    TyingError
        There are no groups or only one, or what a name ties is estimated in none.
    """
    for name in names:
        if isinstance(model, PairModel):
            raise TyingError(
                f"tie {name!r} is over groups of pairs, and these pairs have none; give them, as "
                "in fit(pairs, groups=labels), or leave it out"
            )
        if len(model.groups) < 2:
            raise TyingError(
                f"tie {name!r} is over groups of pairs, and all pairs are of one group, "
                f"{model.groups[0]!r}; give pairs of two groups or more, or leave it out"
            )
        tied = model.tied_over_groups(tying, _blocks(name, model.base.layout))
        if tied == tying:
            raise TyingError(
                f"tie {name!r} has nothing to tie: with these settings none of it is estimated, or "
                "another tie holds it equal; leave it out"
            )
        tying = tied
    return tying


def _blocks(name: str, layout: Layout) -> tuple[str, ...]:
    if name == ALL_GROUPS:
        # Lengths follow from how sequences were cut, by no law of the model's.
        return tuple(block for block in layout.names if block not in WITHIN["end"].blocks)
    of_letters, _ = _OF_LETTERS.get(name.removeprefix(_PREFIX), (None, ""))
    blocks = of_letters or WITHIN[name.removeprefix(_PREFIX)].blocks
    return tuple(block for block in blocks if block in layout.names)
