"""What the sweeps are asked about, and what they find: machines, pairs, expected counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_CELLS = 10_000_000  # that are kept of one pair, so that long pairs fit into memory


@dataclass(frozen=True)
class Flanks:
    """The weights of overhangs of x and of y before and behind the core of an alignment.

    An overhang of k letters has the weight for one letter times ``extend ** (k - 1)``. Next to an
    overhang of x no state stands that takes letters of x alone: what is of them at the end becomes
    part of the overhang.

    Parameters
    ----------
    begin : float
        Probability that nothing stands before the core.
    enter : (2, n_states)
        Weight of one letter of x (of y) before a core that begins with each state.
    end : float
        Probability that nothing stands behind the core.
    leave : (2,)
        Weight of one letter of x (of y) behind the core.
    extend : (2, 2)
        Probability that an overhang before (behind) the core of x (of y) goes on.
    """

    begin: float
    enter: Floats
    end: float
    leave: Floats
    extend: Floats


@dataclass(frozen=True)
class Machine:
    """The states of a pair HMM and the probabilities of its moves.

    State 0 is the match state and also where every path begins, before the first letter.

    Parameters
    ----------
    kinds
        One letter a state: ``"m"`` first and once, then ``"x"`` and ``"y"`` in any number.
    transitions : (n_states, n_states)
        Probability of each move, rows are where it comes from. A row and its ``end`` sum to 1.
    end : (n_states,)
        Probability of ending after each state.
    odds : (n_symbols, n_symbols)
        ``p(a, b) / (pi_a pi_b)`` for the symbols that stand in sequences.
    flanks : Flanks, optional
        Weights of overhangs.
    """

    kinds: str
    transitions: Floats
    end: Floats
    odds: Floats
    flanks: Flanks | None = None


@dataclass
class Counts:
    """Expected numbers of events in the pairs of a batch, given that each pair was made.

    Parameters
    ----------
    log_likelihood : (n_pairs,)
        Log odds of the pairs, nats.
    matches : (n_pairs, n_symbols, n_symbols)
        Letters a of x aligned with b of y.
    opening : (n_gap_states, n_pairs)
        Moves from the match state (or the beginning) into each gap state.
    crossing : (n_gap_states, n_gap_states, n_pairs)
        Moves from one gap state into another.
    beginning : (n_gap_states, n_pairs)
        Probability that the path begins with each gap state.
    ending : (n_states, n_pairs)
        Probability that the path ends after each state.
    visits : (n_gap_states, n_pairs), optional
        Letters against a gap of each state. None where each sequence has one gap state, whose
        letters are those that are not aligned.
    overhangs : (2, 2, n_states, n_pairs), optional
        Their number before and behind the core, of x and of y, by the state beside them. None where
        the machine has none.
    overhang_letters : (2, 2, n_pairs), optional
        Letters in them.
    """

    log_likelihood: Floats
    matches: Floats
    opening: Floats
    crossing: Floats
    beginning: Floats
    ending: Floats
    visits: Floats | None = None
    overhangs: Floats | None = None
    overhang_letters: Floats | None = None


@dataclass(frozen=True)
class MatchPosterior:
    """Posterior probabilities of one pair, without the cells that are all but impossible.

    A letter's probabilities sum to 1 at most, so at most ``min(n, m) / least`` cells reach
    `least`; it is chosen as ``min(n, m) / MOST_CELLS``: 0.0001 for 1 kb, 0.002 for 20 kb. What is
    left out could add less than `least` to the expected accuracy of any alignment.

    Parameters
    ----------
    rows, columns : (n_cells,)
        Letters of x and of y, counted from 0, by row and then by column.
    probability : (n_cells,)
        That the two letters are aligned.
    unaligned_x, unaligned_y : (n,), (m,)
        Probability that each letter stands against a gap, from all cells.
    """

    rows: Integers
    columns: Integers
    probability: Floats
    unaligned_x: Floats
    unaligned_y: Floats

    def of(self, matches: Integers) -> Floats:
        """Look up cells, ``(n_matches, 2)``; those left out have 0."""
        width = len(self.unaligned_y)
        cells, wanted = self.rows * width + self.columns, matches @ [width, 1]
        place = np.minimum(np.searchsorted(cells, wanted), max(len(cells) - 1, 0))
        found = np.zeros(len(wanted))
        if len(cells):
            np.copyto(found, self.probability[place], where=cells[place] == wanted)
        return found


@dataclass(frozen=True, eq=False)
class CodedPairs:
    """Pairs of sequences of symbols, one pair after another.

    Parameters
    ----------
    x, y : uint8 arrays
        The symbols of all pairs.
    lengths : (n_pairs, 2)
    n_symbols : int
        They are below it.
    tiles
        How the sweeps have cut them, by the size of the largest tile.
    """

    x: NDArray[np.uint8]
    y: NDArray[np.uint8]
    lengths: Integers
    n_symbols: int
    tiles: dict[int, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls, x: Sequence[NDArray[np.uint8]], y: Sequence[NDArray[np.uint8]], n_symbols: int
    ) -> CodedPairs:
        """Lay the sequences of pairs end to end."""
        lengths = np.array([[len(codes) for codes in side] for side in (x, y)], dtype=np.int64).T
        nothing = np.zeros(0, dtype=np.uint8)
        left, right = (np.concatenate([nothing, *side]) for side in (x, y))
        return cls(left, right, lengths.reshape(-1, 2), n_symbols)

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, pairs: Integers) -> CodedPairs:
        """Take pairs by their positions."""
        ends = np.cumsum(self.lengths, axis=0)
        x, y = (
            [codes[end[p] - n[p] : end[p]] for p in pairs]
            for codes, end, n in zip((self.x, self.y), ends.T, self.lengths.T, strict=True)
        )
        return CodedPairs.of(x, y, self.n_symbols)
