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
have no states.

Letters of x beside an overhang of x could not be told from a longer one, so that next to it stands
a match or a gap in x, which is Y. An overhang at the end takes the place of X with which an
alignment ends; where nothing is left of the core behind an overhang of y, all is drawn again.
Behind an overhang of x the core begins as if what was before it had been cut off anywhere in a
longer alignment, but not before X: gaps stand there as often as in all columns, and they are long
as often as their letters are those of long ones.

References
----------
Durbin, Eddy, Krogh & Mitchison, *Biological Sequence Analysis* (1998), section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

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
    """

    moves: Floats
    endings: Floats
    states: tuple[str, ...] = PLAIN_STATES
    overhangs: Floats | None = None

    def total(self) -> EventCounts:
        """Add up the pairs."""
        return self._each(lambda values: np.asarray(values.sum(axis=0)))

    def of_pair(self, pair: int) -> EventCounts:
        """Take one pair."""
        return self._each(lambda values: np.asarray(values[pair]))

    def _each(self, change: Callable[[Floats], Floats]) -> EventCounts:
        overhangs = None if self.overhangs is None else change(self.overhangs)
        return EventCounts(change(self.moves), change(self.endings), self.states, overhangs)


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
            logs = {name: np.log(probability[name]) for name in names}
            # Also where the other one is certain, which has a coordinate of inf.
            result |= {
                n: float(log - stay) if log > -np.inf else -np.inf for n, log in logs.items()
            }
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
    share : (2, 2)
        Probability that the beginning (the end) has an overhang of x (of y).
    extend : (2, 2)
        Probability that such an overhang goes on.
    behind : (2, n_states)
        Probability of each state to be the first behind an overhang of x (of y).
    runs : (2, n_states, n_states)
        Expected visits of states (columns) from each of X (of Y) before any other state.
    escape : (2, n_states)
        Probability that after each of X (of Y) no other state follows until the end.
    ending : (2, n_states)
        Probability that after each other state nothing follows but X (but Y) until the end.
    again : float
        Probability that the end leaves nothing of the core behind an overhang.
    """

    share: Floats
    extend: Floats
    behind: Floats
    runs: Floats
    escape: Floats
    ending: Floats
    again: float

    def nothing_left(self) -> Floats:
        """Probability by the first state, of X behind an overhang of y, and of Y behind one of x.

        Returns
        -------
        (2, n_states)
            Of the overhang at the end that leaves nothing, of x and of y.
        """
        begin, end = self.share[:, :, None]
        return np.asarray(end * self.escape * (begin * self.behind)[::-1])


def overhangs(p: Mapping[str, float], table: MoveTable) -> Overhangs | None:
    """Lay out the law of overhangs; None where there are none."""
    share, extend = (
        np.array([[p[f"{prefix}{name}_{side}"] for side in "xy"] for name in OVERHANGS])
        for prefix in ("", "extend_")
    )
    if not share.any():
        return None
    alone = ends_alone(table.kinds, table.moves, table.end)
    law = Overhangs(share, extend, _behind(table), *alone, 0.0)
    return replace(law, again=float(law.nothing_left().sum()))


def ends_alone(kinds: str, moves: Floats, end: Floats) -> tuple[Floats, Floats, Floats]:
    """Expect runs of X (of Y) and how they end: `runs`, `escape` and `ending` of `Overhangs`."""
    own = np.array([[kind == side for kind in kinds] for side in "xy"])
    runs = np.linalg.inv(np.eye(len(end)) - moves * own[:, :, None] * own[:, None])
    escape = (runs @ end) * own
    return runs, escape, (end + escape @ moves.T) * ~own


def _behind(table: MoveTable) -> Floats:
    """Draw a column from all those of an alignment, but no X (no Y): of which state it is."""
    possible = np.array([[kind != side for kind in table.kinds] for side in "xy"])
    chances = _visits(table) * possible
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def _visits(table: MoveTable) -> Floats:
    """Expect the visits of each state for every one of M."""
    moves = table.moves
    return np.append(1.0, np.linalg.solve(np.eye(len(moves) - 1) - moves[1:, 1:].T, moves[0, 1:]))


def completed(
    table: MoveTable, law: Overhangs, seen: EventCounts, beside: Floats, letters: Floats
) -> EventCounts:
    """Add what overhangs hide to the counts of what is seen, so that every choice is in them.

    What became part of an overhang at the end, X before one of x, is expected given what it stands
    behind; so are whole paths that were drawn again. The first state behind an overhang stands for
    the moves that led to it since the last match, less those that would be expected if it were not
    known: so these have the derivatives ``k - n p``, as all have.

    Parameters
    ----------
    table : MoveTable
    law : Overhangs
    seen : EventCounts
        Of the core of each pair.
    beside : (n_pairs, 2, 2, n_states)
        Overhangs at the beginning and the end, of x and of y, by the states beside them.
    letters : (n_pairs, 2, 2)
        Letters in them.
    """
    moves, endings, behind = seen.moves.copy(), seen.endings.copy(), beside[:, 0].copy()
    overhangs = np.stack([beside.sum(axis=3), letters], axis=-1)
    again = law.nothing_left() / (1.0 - law.again)
    for side in (0, 1):
        left = _ratio(beside[:, 1, side], law.ending[side])
        first = left @ table.moves + _ratio(again[side], law.escape[side])
        visits = (first * (law.escape[side] > 0)) @ law.runs[side]
        moves += (left + visits)[:, :, None] * table.moves * law.escape[side]
        endings += (left + visits) * table.end - beside[:, 1, side]
        behind[:, 1 - side] += again[side]
        for end, own in ((0, 1 - side), (1, side)):
            number = again[side].sum()
            if number > 0.0:
                overhangs[:, end, own] += number, number / (1.0 - law.extend[end, own])
    moves += _moves_before(table, law, behind)
    return replace(seen, moves=moves, endings=endings, overhangs=overhangs)


def _moves_before(table: MoveTable, law: Overhangs, behind: Floats) -> Floats:
    moves, visits = table.moves, _visits(table)
    surplus = behind - behind.sum(axis=2, keepdims=True) * law.behind
    by_visit = _ratio(surplus.sum(axis=1), visits)[:, 1:]
    led_to = np.linalg.solve(np.eye(len(moves) - 1) - moves[1:, 1:], by_visit.T).T
    result = np.zeros((len(behind), *moves.shape))
    result[:, :, 1:] = visits[:, None] * moves[:, 1:] * led_to[:, None, :]
    return result


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def gradient(p: Mapping[str, float], counts: EventCounts) -> dict[str, float]:
    """Differentiate the log-likelihood by each coordinate, from expected counts (Fisher).

    For a choice with the logit u of p that was made k times in n, that is ``k - n p``.
    """
    return {name: k - n * p[name] for name, (k, n) in choices(counts).items()}


def curvature(p: Mapping[str, float], counts: EventCounts) -> dict[str, float]:
    """Give minus the second derivative by each coordinate if the alignments were known."""
    return {name: n * p[name] * (1.0 - p[name]) for name, (_, n) in choices(counts).items()}


def expected(p: Mapping[str, float], counts: EventCounts) -> dict[str, tuple[float, float]]:
    """Expect how often each named choice is made and not made, given where gaps can open.

    How many gaps there are to extend is expected as well, not counted: of two sequences in which
    they open alike one may happen to have none.
    """
    chances = choices(counts)
    found = {name: (n * p[name], n * (1.0 - p[name])) for name, (_, n) in chances.items()}
    opened = {side: found[f"open_{side}"][0] for side in "xy"}
    both = 1.0 - p["switch_x"] * p["switch_y"]  # a gap may lead to one in the other sequence
    for side, other in ("xy", "yx"):
        gaps = (opened[side] + opened[other] * p[f"switch_{other}"]) / max(both, 1e-9)
        frame, long = p[f"frame_{side}"], p[f"long_{side}"]
        numbers = {
            "extend": gaps * (1.0 - frame) * (1.0 - long),
            "extend_long": gaps * (1.0 - frame) * long,
            "extend_frame": gaps * frame,
        }
        for name, number in numbers.items():
            stay = p[f"{name}_{side}"]
            found[f"{name}_{side}"] = number * stay / max(1.0 - stay, 1e-9), number
        for name, number in (("frame", gaps), ("long", gaps * (1.0 - frame)), ("switch", gaps)):
            share = p[f"{name}_{side}"]
            found[f"{name}_{side}"] = number * share, number * (1.0 - share)
    return found


def most_likely(counts: EventCounts) -> dict[str, float]:
    """Estimate probabilities from counts, half an event added so that none is 0 or 1."""
    return {name: (k + 0.5) / (n + 1.5) for name, (k, n) in choices(counts).items()}


def choices(counts: EventCounts) -> dict[str, tuple[float, float]]:
    """Count how often each named choice was made, and how often there was the chance."""
    moves, ends, states = counts.moves, counts.endings, counts.states
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
            counted = zip(OVERHANGS, counts.overhangs[:, "xy".index(side)], strict=True)
            for name, (number, letters) in counted:
                values[f"{name}_{side}"] = number, ends.sum()
                values[f"extend_{name}_{side}"] = letters - number, letters
        ended = ends[closing].sum()
        values[f"end_{side}"] = ended, going_on[closing].sum() + ended
    return {name: (float(made), float(chances)) for name, (made, chances) in values.items()}


def _of(states: tuple[str, ...], side: str) -> list[int]:
    return [i for i, state in enumerate(states) if state[0] == side]
