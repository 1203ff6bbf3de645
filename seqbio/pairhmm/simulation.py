"""Drawing sequence pairs from a pair HMM, all pairs at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqbio.errors import ParameterError
from seqbio.pairhmm.transitions import MoveTable, Overhangs

Codes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_MOST_ROUNDS = 1000


def simulate_pairs(
    table: MoveTable,
    joint: Floats,
    letters: Floats,
    n_pairs: int,
    columns: Integers | None,
    generator: np.random.Generator,
    overhangs: Overhangs | None = None,
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
        Number of columns of each alignment before an overhang takes the place of its last ones:
        the paths are drawn given their lengths. By default paths end when the model ends them.
    generator : numpy.random.Generator
        The source of chance.
    overhangs : Overhangs, optional
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
    overhangs: Overhangs | None,
) -> NDArray[np.uint8]:
    """Draw what every column takes, (n_columns, n_pairs): 0 both, 1 x, 2 y, 3 nothing any more."""
    first = np.tile(table.moves[0], (n_pairs, 1))
    before = np.zeros((2, n_pairs), dtype=np.int64)
    if overhangs is not None:
        shares = np.tile(overhangs.share[0], (n_pairs, 1))
        before = _draw_overhangs(shares, overhangs.extend[0], generator)
        for letters, law in zip(before, overhangs.behind, strict=True):
            first[letters > 0] = law
    if columns is None:
        states = _draw_core(table, first, generator)
    else:
        states = _draw_core_of(columns, table, first, generator)
    takes = np.array(["mxy".index(kind) for kind in table.kinds] + [3], dtype=np.uint8)[states]
    if overhangs is None:
        return takes
    behind = _draw_overhangs(
        np.tile(overhangs.share[1], (n_pairs, 1)), overhangs.extend[1], generator
    )
    for side, letters in enumerate(behind):
        alone = np.logical_and.accumulate((takes == side + 1)[::-1] | (takes == 3)[::-1])[::-1]
        takes[alone & (letters > 0)] = 3
    # Where nothing is left between overhangs, all is drawn again, as if a sequence were empty.
    left = (takes < 3).any(axis=0) | ~before.any(axis=0)
    before, behind = before * left, behind * left
    return np.concatenate([_columns_of(before), takes, _columns_of(behind)])


def _draw_core(
    table: MoveTable, first: Floats, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw the states of every path until it ends, by the chances of the first move of each."""
    n_pairs, ended = len(first), len(table.end)
    state, running = np.zeros(n_pairs, dtype=np.int64), np.ones(n_pairs, dtype=bool)
    steps: list[NDArray[np.uint8]] = []
    chances: Floats = np.cumsum(table.moves, axis=1)
    bounds: Floats = np.cumsum(first, axis=1)
    while running.any():
        move = (generator.random(n_pairs)[:, None] >= bounds).sum(axis=1)
        running &= move < ended
        state = np.where(running, move, state)
        bounds = chances[state]
        steps.append(np.where(running, state, ended).astype(np.uint8))
    return np.stack(steps)


def _draw_core_of(
    columns: Integers, table: MoveTable, first: Floats, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw the same given the number of columns of each pair."""
    moves, n_pairs, ended = table.moves, len(first), len(table.end)
    # Probability of ending after exactly so many more columns, from each state, up to a factor.
    most = int(columns.max(initial=0))
    ahead = np.empty((most + 1, ended))
    ahead[0] = table.end / table.end.max()
    for left in range(1, most + 1):
        ahead[left] = moves @ ahead[left - 1]
        if not ahead[left].any():
            raise ParameterError(
                f"no alignment has {left + 1} columns under these parameters; ask for others"
            )
        ahead[left] /= ahead[left].max()
    state = np.zeros(n_pairs, dtype=np.int64)
    steps: list[NDArray[np.uint8]] = []
    for step in range(most):
        remaining = columns - step
        running = remaining > 0
        possible = moves[state] if step else first
        weights = np.cumsum(possible * ahead[np.maximum(remaining - 1, 0)], axis=1)
        chance = generator.random(n_pairs) * weights[:, -1]
        drawn = (chance[:, None] >= weights[:, :-1]).sum(axis=1)
        state = np.where(running, drawn, state)
        steps.append(np.where(running, state, ended).astype(np.uint8))
    return np.stack(steps)


def _draw_overhangs(chances: Floats, extend: Floats, generator: np.random.Generator) -> Integers:
    """Draw overhangs at one end of each pair by the chances of x and of y, (n_pairs, 2).

    Returns
    -------
    (2, n_pairs) letters of x and of y, of which one is 0 or both are.
    """
    side = (generator.random(len(chances))[:, None] >= np.cumsum(chances, axis=1)).sum(axis=1)
    lengths = np.zeros((2, len(chances)), dtype=np.int64)
    for number in (0, 1):
        drawn = np.flatnonzero(side == number)
        lengths[number, drawn] = generator.geometric(1.0 - extend[number], len(drawn))
    return lengths


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
