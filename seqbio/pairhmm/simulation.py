"""Drawing sequence pairs from a pair HMM, all pairs at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqbio.errors import ParameterError
from seqbio.pairhmm.transitions import MoveTable

Codes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MOST_ROUNDS = 1000


@dataclass(frozen=True)
class Overhangs:
    """Probabilities of an overhang of x (of y) at an end, and that it goes on, (2,) each."""

    share: Floats
    extend: Floats

    def draw(self, possible: NDArray[np.bool_], generator: np.random.Generator) -> Integers:
        """Draw overhangs at one end of each pair where they are possible.

        Returns
        -------
        (2, n_pairs) letters of x and of y, of which one is 0 or both are.
        """
        lengths = np.zeros((2, len(possible)), dtype=np.int64)
        if not self.share.any():
            return lengths
        chance = generator.random(len(possible))
        bounds = np.cumsum(self.share)
        for side in (0, 1):
            own = np.searchsorted(bounds, chance, side="right") == side
            drawn = np.flatnonzero(own & possible)
            lengths[side, drawn] = generator.geometric(1.0 - self.extend[side], len(drawn))
        return lengths


WITHOUT_OVERHANGS = Overhangs(np.zeros(2), np.zeros(2))


def simulate_pairs(
    table: MoveTable,
    joint: Floats,
    letters: Floats,
    n_pairs: int,
    columns: Integers | None,
    generator: np.random.Generator,
    overhangs: Overhangs = WITHOUT_OVERHANGS,
) -> tuple[list[Codes], list[Codes]]:
    """Draw sequence pairs.

    Pairs in which either sequence is empty, which no FASTA file can hold, are drawn again.

    Parameters
    ----------
    table : MoveTable
        The states and probabilities of their moves.
    joint : (n_letters, n_letters)
        Probabilities of aligned letters.
    letters : (n_letters,)
        Probabilities of letters against a gap.
    n_pairs : int
        How many.
    columns : (n_pairs,), optional
        Number of columns of each alignment without its overhangs: the paths are drawn given their
        lengths. By default paths end when the model ends them.
    generator : numpy.random.Generator
        The source of chance.
    overhangs : Overhangs
        Of the ends.

    Returns
    -------
    x, y : lists of uint8 arrays
        Codes of concrete letters.

    Raises
    ------
    ParameterError
        Nearly every pair that the model makes has an empty sequence.
    """
    x: list[Codes] = [np.zeros(0, dtype=np.uint8)] * n_pairs
    y: list[Codes] = list(x)
    wanted = np.arange(n_pairs)
    for _ in range(_MOST_ROUNDS):
        given = None if columns is None else columns[wanted]
        paths = _draw_paths(table, len(wanted), given, generator, overhangs)
        drawn = _draw_letters(paths, joint, letters, generator)
        for pair, left, right in zip(wanted, *drawn, strict=True):
            x[pair], y[pair] = left, right
        wanted = np.array([k for k in wanted if not (len(x[k]) and len(y[k]))], dtype=np.int64)
        if not len(wanted):
            return x, y
    raise ParameterError(
        f"{len(wanted)} of {n_pairs} pairs still had an empty sequence after {_MOST_ROUNDS} draws; "
        "give smaller probabilities of gaps and of the end"
    )


def _draw_paths(
    table: MoveTable,
    n_pairs: int,
    columns: Integers | None,
    generator: np.random.Generator,
    overhangs: Overhangs,
) -> NDArray[np.uint8]:
    """Draw what every column takes, (n_columns, n_pairs): 0 both, 1 x, 2 y, 3 nothing any more."""
    moves, end, ended = table.moves, table.end, len(table.end)
    state = np.zeros(n_pairs, dtype=np.int64)
    running = np.ones(n_pairs, dtype=bool)
    steps: list[NDArray[np.uint8]] = []
    if columns is None:
        before = overhangs.draw(running, generator)
        rows = np.cumsum(np.column_stack([moves, end]), axis=1)
        forced = before.any(axis=0)
        last = state
        while running.any():
            chance = generator.random(n_pairs)
            move = (chance[:, None] >= rows[state, :ended]).sum(axis=1)
            move[forced] = 0
            forced = np.zeros(n_pairs, dtype=bool)
            running &= move < ended
            state = np.where(running, move, 0)
            last = np.where(running, state, last)
            steps.append(np.where(running, state, ended).astype(np.uint8))
        return _between(np.stack(steps), table.kinds, before, overhangs.draw(last == 0, generator))
    # Probability of ending after exactly so many more columns, from each state, up to a factor.
    most = int(columns.max(initial=0))
    ahead = np.empty((most + 1, ended))
    ahead[0] = end / end.max()
    for left in range(1, most + 1):
        ahead[left] = moves @ ahead[left - 1]
        ahead[left] /= ahead[left].max()
    before = overhangs.draw(running, generator)
    for step in range(most):
        remaining = columns - step
        running = remaining > 0
        weights = np.cumsum(moves[state] * ahead[np.maximum(remaining - 1, 0)], axis=1)
        chance = generator.random(n_pairs) * weights[:, -1]
        drawn = (chance[:, None] >= weights[:, :-1]).sum(axis=1)
        if step == 0:
            drawn[before.any(axis=0)] = 0
        state = np.where(running, drawn, state)
        steps.append(np.where(running, state, ended).astype(np.uint8))
    return _between(np.stack(steps), table.kinds, before, overhangs.draw(state == 0, generator))


def _between(
    paths: NDArray[np.uint8], kinds: str, before: Integers, behind: Integers
) -> NDArray[np.uint8]:
    """Say what the columns of paths take, and put overhangs around them."""
    core = np.array(["mxy".index(kind) for kind in kinds] + [3], dtype=np.uint8)[paths]
    return np.concatenate([_columns_of(before), core, _columns_of(behind)])


def _columns_of(lengths: Integers) -> NDArray[np.uint8]:
    """Write overhangs of x and of y as columns, (n_columns, n_pairs)."""
    number = np.arange(lengths.max(initial=0))[:, None]
    return np.where(number < lengths[0], 1, np.where(number < lengths[1], 2, 3)).astype(np.uint8)


def _draw_letters(
    paths: NDArray[np.uint8],
    joint: Floats,
    letters: Floats,
    generator: np.random.Generator,
) -> tuple[list[Codes], list[Codes]]:
    """Draw the letters of every column, and take the sequences of each pair out of them."""
    flat = paths.T.ravel()
    aligned, single = flat == 0, (flat == 1) | (flat == 2)
    column = np.zeros((2, flat.size), dtype=np.uint8)
    size = len(letters)
    both = generator.choice(size * size, size=int(aligned.sum()), p=joint.ravel() / joint.sum())
    column[:, aligned] = np.divmod(both, size)
    column[:, single] = generator.choice(size, size=int(single.sum()), p=letters / letters.sum())
    result = []
    for side in (0, 1):
        present = aligned | (flat == side + 1)
        ends = np.cumsum(present.reshape(paths.shape[1], -1).sum(axis=1))[:-1]
        result.append(np.split(column[side][present], ends))
    return result[0], result[1]
