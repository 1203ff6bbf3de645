"""From named coordinates to the moves of a pair HMM, and counts back to gradients.

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

Gap lengths are then geometric. They follow a mixture where a gap, when it opens, may be of another
kind: in frame with probability ``frame``, and else long with probability ``long``. A long gap has a
state of its own, with the extension probability ``extend_long``. A gap in frame takes three letters
at a time, in a cycle of three states; after each third it goes on with probability
``extend_frame``, and it ends there alone. Kinds of probability 0 have no states.

Before the core of the alignment, and behind it, letters of one sequence may stand alone, as they do
where the other was trimmed. At the beginning that is so with probability ``overhang_begin_x``
(letters of x) or ``overhang_begin_y``, and such an overhang goes on with the probability
``extend_overhang_begin``; ``overhang_end`` and ``extend_overhang_end`` are for the end. Overhangs
have no states. Next to one of x stands a match or a gap in x, which is Y, but not X, which could
not be told from a longer overhang. So after Y there is one of x with the probability
``overhang_end_x`` given that there is none of y. Behind one the core begins as if what was before
it had been cut off anywhere in a longer alignment: a gap is as frequent there as in all columns,
and a long one as frequent as its letters are.

References
----------
Durbin, Eddy, Krogh & Mitchison, *Biological Sequence Analysis* (1998), section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqbio.core.numerics import logit, sigmoid, softmax

Floats = NDArray[np.float64]

TRANSITION_NAMES = (
    *("open_x", "open_y", "extend_x", "extend_y", "switch_x", "switch_y"),
    *("end_m", "end_x", "end_y"),
    *("long_x", "long_y", "extend_long_x", "extend_long_y"),
    *("frame_x", "frame_y", "extend_frame_x", "extend_frame_y"),
    *("overhang_begin_x", "overhang_begin_y"),
    *("extend_overhang_begin_x", "extend_overhang_begin_y"),
    *("overhang_end_x", "overhang_end_y", "extend_overhang_end_x", "extend_overhang_end_y"),
)
SHARES = ("long", "frame")  # of gaps; a share of 0 leaves a kind of gap out
OVERHANGS = ("overhang_begin", "overhang_end")
OPTIONAL = (*SHARES, *OVERHANGS)  # what is not there where its probability is 0
RIVALS = ("open", *OVERHANGS)  # choices between x, y and neither, the reference of the coordinates
PLAIN_STATES = ("m", "x", "y")
# States of the gaps of one sequence, where each goes on, and with what probability: none of its
# own where the next letter is sure to follow.
_GOING_ON = (
    ("", "", "extend"),
    ("_long", "_long", "extend_long"),
    ("_frame_1", "_frame_2", ""),
    ("_frame_2", "_frame_3", ""),
    ("_frame_3", "_frame_1", "extend_frame"),
)
_LAWS = tuple(law for law, _, _ in _GOING_ON)


@dataclass(frozen=True)
class MoveTable:
    """The states of a pair HMM and the probabilities of its moves.

    Parameters
    ----------
    states : tuple of str
        Names that begin with what the state takes: ``m``, ``x``, ``y``, ``x_long``, ``y_frame_1``.
    moves : (n_states, n_states)
        From row to column.
    end : (n_states,)
        Probability of the end after each state; a row of `moves` and its end sum to 1.
    """

    states: tuple[str, ...]
    moves: Floats
    end: Floats

    @property
    def kinds(self) -> str:
        """What each state takes: one letter ``m``, ``x`` or ``y`` a state."""
        return "".join(state[0] for state in self.states)


@dataclass(frozen=True)
class EventCounts:
    """Expected numbers of moves in a pair HMM, of each pair or of all together.

    Parameters
    ----------
    moves : (n_pairs, n_states, n_states) or (n_states, n_states)
        From row to column; the beginning counts as M.
    endings : (n_pairs, n_states) or (n_states,)
        Paths that end after each state.
    states : tuple of str
        As in `MoveTable`.
    overhangs : (n_pairs, 2, 2, 2) or (2, 2, 2), optional
        Before and behind the core, of x and of y: overhangs, and letters in them. None where there
        are none.
    before : (n_pairs, n_states, n_states) or (n_states, n_states), optional
        Moves before the state behind an overhang (`moves_before`). None where there are none.
    """

    moves: Floats
    endings: Floats
    states: tuple[str, ...] = PLAIN_STATES
    overhangs: Floats | None = None
    before: Floats | None = None

    def total(self) -> EventCounts:
        """Add up the pairs."""
        return self._each(lambda values: np.asarray(values.sum(axis=0)))

    def of_pair(self, pair: int) -> EventCounts:
        """Take one pair."""
        return self._each(lambda values: np.asarray(values[pair]))

    def _each(self, change: Callable[[Floats], Floats]) -> EventCounts:
        return EventCounts(
            change(self.moves),
            change(self.endings),
            self.states,
            None if self.overhangs is None else change(self.overhangs),
            None if self.before is None else change(self.before),
        )


def probabilities(coordinates: Mapping[str, float]) -> dict[str, float]:
    """Turn the coordinates of `TRANSITION_NAMES` into probabilities of the same names."""
    result = {name: float(sigmoid(coordinates[name])) for name in TRANSITION_NAMES}
    for kind in RIVALS:
        names = f"{kind}_x", f"{kind}_y"
        shares = softmax(np.array([0.0, *(coordinates[name] for name in names)]))[1:]
        result |= zip(names, shares.tolist(), strict=True)
    return result


def coordinates(probability: Mapping[str, float]) -> dict[str, float]:
    """Invert :func:`probabilities`; probabilities of 0 become -inf."""
    result = {name: float(logit(probability[name])) for name in TRANSITION_NAMES}
    with np.errstate(divide="ignore"):
        for kind in RIVALS:
            names = f"{kind}_x", f"{kind}_y"
            stay = np.log(1.0 - probability[names[0]] - probability[names[1]])
            result |= {name: float(np.log(probability[name]) - stay) for name in names}
    return result


def move_table(p: Mapping[str, float]) -> MoveTable:
    """Lay out the states that can be reached, and the probabilities of all moves.

    Shares of gaps and what goes with them may be left out where there are none.
    """
    entering = {side: _entering(p, side) for side in "xy"}
    possible = (f"{side}{law}" for law in _LAWS for side in "xy")
    states = ("m", *(state for state in possible if state in entering[state[0]]))
    place = {state: i for i, state in enumerate(states)}
    moves, end = np.zeros((len(states), len(states))), np.zeros(len(states))
    moves[0, 0] = 1.0 - p["open_x"] - p["open_y"]
    end[0] = p["end_m"]
    for side, other in ("xy", "yx"):
        for state, share in entering[side].items():
            moves[0, place[state]] = p[f"open_{side}"] * share
        for law, following, extension in _GOING_ON:
            if (state := f"{side}{law}") not in place:
                continue
            row, stay = place[state], p[f"{extension}_{side}"] if extension else 1.0
            moves[row, place[f"{side}{following}"]] = stay
            if not extension:
                continue
            moves[row, 0] = (1.0 - stay) * (1.0 - p[f"switch_{side}"])
            for target, share in entering[other].items():
                moves[row, place[target]] += (1.0 - stay) * p[f"switch_{side}"] * share
            end[row] = p[f"end_{side}"]
    return MoveTable(states, moves * (1.0 - end)[:, None], end)


def _entering(p: Mapping[str, float], side: str) -> dict[str, float]:
    """States of the gaps of one sequence, with the chance to enter by each."""
    frame, long = (p.get(f"{share}_{side}", 0.0) for share in ("frame", "long"))
    shares = {side: (1.0 - frame) * (1.0 - long)}
    if long > 0:
        shares[f"{side}_long"] = (1.0 - frame) * long
    if frame > 0:
        shares |= {f"{side}_frame_1": frame, f"{side}_frame_2": 0.0, f"{side}_frame_3": 0.0}
    return shares


@dataclass(frozen=True)
class Overhangs:
    """The law of overhangs of x and of y.

    Parameters
    ----------
    share : (2,)
        Probability that the beginning has an overhang of x (of y).
    extend : (2, 2)
        Probability that an overhang before (behind) the core of x (of y) goes on.
    behind : (2, n_states)
        Probability of each state to be the first behind an overhang of x (of y).
    after : (2, n_states)
        Probability that an end after each state has an overhang of x (of y).
    """

    share: Floats
    extend: Floats
    behind: Floats
    after: Floats


def overhangs(p: Mapping[str, float], table: MoveTable) -> Overhangs | None:
    """Lay out the law of overhangs; None where there are none."""
    share, extend = (
        np.array([[p[f"{prefix}{name}_{side}"] for side in "xy"] for name in OVERHANGS])
        for prefix in ("", "extend_")
    )
    if not share.any():
        return None
    end, possible = share[1, :, None], _possible(table)
    after = possible * end / (1.0 - np.where(possible, 0.0, end)[::-1])
    return Overhangs(share[0], extend, _behind(table), after)


def _possible(table: MoveTable) -> NDArray[np.bool_]:
    """Say which states may stand next to an overhang of x, and of y, (2, n_states)."""
    return np.array([[kind != side for kind in table.kinds] for side in "xy"])


def _behind(table: MoveTable) -> Floats:
    """Draw a column from all those of an alignment, but no X (no Y): of which state it is."""
    chances = _visits(table) * _possible(table)
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def _visits(table: MoveTable) -> Floats:
    """Expect the visits of each state for every one of M."""
    moves = table.moves
    return np.append(1.0, np.linalg.solve(np.eye(len(moves) - 1) - moves[1:, 1:].T, moves[0, 1:]))


def moves_before(table: MoveTable, entered: Floats) -> Floats:
    """Expect the moves, since the last match, that led to the states behind overhangs.

    What is expected of an overhang whose neighbour is not known is subtracted, so that a choice
    that was made k times in n of these has the derivative ``k - n p``, as all have.

    Parameters
    ----------
    table : MoveTable
    entered : (n_pairs, 2, n_states)
        Overhangs of x and of y, by the states behind them.

    Returns
    -------
    (n_pairs, n_states, n_states)
    """
    moves, visits = table.moves, _visits(table)
    surplus = entered - entered.sum(axis=2, keepdims=True) * _behind(table)
    surplus = surplus[:, :, 1:].sum(axis=1)
    by_visit = np.divide(surplus, visits[1:], out=np.zeros_like(surplus), where=visits[1:] > 0)
    led_to = np.linalg.solve(np.eye(len(moves) - 1) - moves[1:, 1:], by_visit.T).T
    result = np.zeros((len(entered), *moves.shape))
    result[:, :, 1:] = visits[:, None] * moves[:, 1:] * led_to[:, None, :]
    return result


def gradient(p: Mapping[str, float], counts: EventCounts) -> dict[str, float]:
    """Differentiate the log-likelihood by each coordinate, from expected counts (Fisher).

    For a choice with the logit u of p that was made k times in n, that is ``k - n p``.
    """
    return {name: k - n * p[name] for name, (k, n) in choices(p, counts).items()}


def curvature(p: Mapping[str, float], counts: EventCounts) -> dict[str, float]:
    """Give minus the second derivative by each coordinate if the alignments were known."""
    return {name: n * p[name] * (1.0 - p[name]) for name, (_, n) in choices(p, counts).items()}


def expected(p: Mapping[str, float], counts: EventCounts) -> dict[str, tuple[float, float]]:
    """Expect how often each named choice is made and not made, given how often it can be."""
    chances = {name: n for name, (_, n) in choices(p, counts).items()}
    return {name: (n * p[name], n * (1.0 - p[name])) for name, n in chances.items()}


def most_likely(p: Mapping[str, float], counts: EventCounts) -> dict[str, float]:
    """Estimate probabilities from counts, half an event added so that none is 0 or 1."""
    return {name: (k + 0.5) / (n + 1.5) for name, (k, n) in choices(p, counts).items()}


def choices(p: Mapping[str, float], counts: EventCounts) -> dict[str, tuple[float, float]]:
    """Count how often each named choice was made, and how often there was the chance.

    Parameters
    ----------
    p : mapping
        Probabilities under which it was counted: an end at which only one sequence can overhang
        is more than one chance, the more the more often the other does.
    counts : EventCounts
    """
    moves, ends, states = counts.moves, counts.endings, counts.states
    if counts.before is not None:
        moves = moves + counts.before
    going_on = moves.sum(axis=1)
    values = dict.fromkeys(TRANSITION_NAMES, (0.0, 0.0))
    values["end_m"] = ends[0], going_on[0] + ends[0]
    for side, other in ("xy", "yx"):
        own, others = _of(states, side), _of(states, other)
        values[f"open_{side}"] = moves[0, own].sum(), going_on[0]
        entered = moves[[0, *others]][:, own].sum(axis=0)
        entries = dict(zip((states[i] for i in own), entered, strict=True))
        total, framed = sum(entries.values()), entries.get(f"{side}_frame_1", 0.0)
        values[f"frame_{side}"] = framed, total
        values[f"long_{side}"] = entries.get(f"{side}_long", 0.0), total - framed
        for law in ("", "_long"):
            if (state := f"{side}{law}") in states:
                i = states.index(state)
                values[f"extend{law}_{side}"] = moves[i, i], going_on[i]
        closing = own
        if f"{side}_frame_1" in states:
            first, second, third = (states.index(f"{side}_frame_{number}") for number in (1, 2, 3))
            values[f"extend_frame_{side}"] = moves[third, first], going_on[third]
            closing = [i for i in own if i not in (first, second)]
        switched = moves[np.ix_(closing, others)].sum()
        values[f"switch_{side}"] = switched, switched + moves[closing, 0].sum()
        if counts.overhangs is not None:
            alone = ends[others].sum() / (1.0 - p[f"overhang_end_{other}"])
            chances = ends.sum(), ends[0] + alone
            counted = zip(OVERHANGS, counts.overhangs[:, "xy".index(side)], chances, strict=True)
            for name, (number, letters), possible in counted:
                values[f"{name}_{side}"] = number, possible
                values[f"extend_{name}_{side}"] = letters - number, letters
        ended = ends[closing].sum()
        values[f"end_{side}"] = ended, going_on[closing].sum() + ended
    return {name: (float(made), float(chances)) for name, (made, chances) in values.items()}


def _of(states: tuple[str, ...], side: str) -> list[int]:
    return [i for i, state in enumerate(states) if state[0] == side]
