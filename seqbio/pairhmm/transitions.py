"""From named coordinates to the moves of a three-state pair HMM, and counts back to gradients.

The states are M (a letter of each sequence), X (a letter of x against a gap) and Y. Every step
first ends with a probability of its own state; otherwise

====  =====================  ==================  ==================
from  to M                   to X                to Y
====  =====================  ==================  ==================
M     1 - open_x - open_y    open_x              open_y
X     (1-extend_x)(1-sw_x)   extend_x            (1-extend_x) sw_x
Y     (1-extend_y)(1-sw_y)   (1-extend_y) sw_y   extend_y
====  =====================  ==================  ==================

with ``sw`` short for ``switch``. Both openings are coordinates of one row with one reference (log
odds against going on in M), everything else is the logit of a probability; so equal coordinates
are equal probabilities, and -inf is a probability of exactly 0.

References
----------
Durbin, Eddy, Krogh & Mitchison, *Biological Sequence Analysis* (1998), section 4.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqbio.core.numerics import logit, sigmoid, softmax

Floats = NDArray[np.float64]

TRANSITION_NAMES = (
    *("open_x", "open_y", "extend_x", "extend_y", "switch_x", "switch_y"),
    *("end_m", "end_x", "end_y"),
)


@dataclass(frozen=True)
class EventCounts:
    """Expected numbers of moves in the three-state pair HMM, of each pair or of all together.

    Parameters
    ----------
    moves : (n_pairs, 3, 3) or (3, 3)
        From row to column; the beginning counts as M.
    endings : (n_pairs, 3) or (3,)
        Paths that end after M, X and Y.
    """

    moves: Floats
    endings: Floats

    def total(self) -> EventCounts:
        """Add up the pairs."""
        return EventCounts(self.moves.sum(axis=0), self.endings.sum(axis=0))


def probabilities(coordinates: Mapping[str, float]) -> dict[str, float]:
    """Turn the coordinates of `TRANSITION_NAMES` into probabilities of the same names."""
    _, open_x, open_y = softmax(np.array([0.0, coordinates["open_x"], coordinates["open_y"]]))
    result = {name: float(sigmoid(coordinates[name])) for name in TRANSITION_NAMES[2:]}
    return {"open_x": float(open_x), "open_y": float(open_y), **result}


def coordinates(probability: Mapping[str, float]) -> dict[str, float]:
    """Invert :func:`probabilities`; probabilities of 0 become -inf."""
    stay = 1.0 - probability["open_x"] - probability["open_y"]
    with np.errstate(divide="ignore"):
        opened = {
            name: float(np.log(probability[name]) - np.log(stay)) for name in ("open_x", "open_y")
        }
    return {**opened, **{name: float(logit(probability[name])) for name in TRANSITION_NAMES[2:]}}


def move_matrix(p: Mapping[str, float]) -> tuple[Floats, Floats]:
    """Give the probabilities of all moves, (3, 3), and of the end after each state, (3,)."""
    end = np.array([p["end_m"], p["end_x"], p["end_y"]])
    close_x, close_y = 1.0 - p["extend_x"], 1.0 - p["extend_y"]
    moves = np.array(
        [
            [1.0 - p["open_x"] - p["open_y"], p["open_x"], p["open_y"]],
            [close_x * (1.0 - p["switch_x"]), p["extend_x"], close_x * p["switch_x"]],
            [close_y * (1.0 - p["switch_y"]), close_y * p["switch_y"], p["extend_y"]],
        ]
    )
    return moves * (1.0 - end)[:, None], end


def gradient(p: Mapping[str, float], counts: EventCounts) -> dict[str, float]:
    """Differentiate the log-likelihood by each coordinate, from expected counts (Fisher).

    For a choice with the logit u of p that was made k times in n, that is ``k - n p``.
    """
    return {name: k - n * p[name] for name, (k, n) in _choices(counts).items()}


def curvature(p: Mapping[str, float], counts: EventCounts) -> dict[str, float]:
    """Give minus the second derivative by each coordinate if the alignments were known."""
    return {name: n * p[name] * (1.0 - p[name]) for name, (_, n) in _choices(counts).items()}


def expected(p: Mapping[str, float], counts: EventCounts) -> dict[str, tuple[float, float]]:
    """Expect how often each named choice is made and not made, given how often it can be."""
    return {name: (n * p[name], n * (1.0 - p[name])) for name, (_, n) in _choices(counts).items()}


def most_likely(counts: EventCounts) -> dict[str, float]:
    """Estimate probabilities from counts, half an event added so that none is 0 or 1."""
    return {name: (k + 0.5) / (n + 1.5) for name, (k, n) in _choices(counts).items()}


def _choices(counts: EventCounts) -> dict[str, tuple[float, float]]:
    """Count how often each named choice was made, and how often there was the chance."""
    moves, ends = counts.moves, counts.endings
    going_on = moves.sum(axis=1)
    closing = going_on - moves.diagonal()
    values = {
        "open_x": (moves[0, 1], going_on[0]),
        "open_y": (moves[0, 2], going_on[0]),
        "extend_x": (moves[1, 1], going_on[1]),
        "extend_y": (moves[2, 2], going_on[2]),
        "switch_x": (moves[1, 2], closing[1]),
        "switch_y": (moves[2, 1], closing[2]),
        **{
            name: (ends[state], going_on[state] + ends[state])
            for state, name in enumerate(("end_m", "end_x", "end_y"))
        },
    }
    return {name: (float(made), float(chances)) for name, (made, chances) in values.items()}
