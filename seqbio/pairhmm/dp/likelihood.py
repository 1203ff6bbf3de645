"""Sums over all alignments of pairs, and what is expected in them: forward and backward sweeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from seqbio.core.memory import check_memory
from seqbio.pairhmm.dp.counting import NO_TALLY, Tally
from seqbio.pairhmm.dp.machine import CodedPairs, Counts, Machine
from seqbio.pairhmm.dp.sweep import last_nodes, sweep
from seqbio.pairhmm.dp.tile import (
    AT_ONCE,
    NOTHING,
    Bools,
    Floats,
    Frontier,
    Integers,
    Lanes,
    Law,
    Tiles,
)
from seqbio.pairhmm.dp.vectors import LANES
from seqbio.pairhmm.transitions import ends_alone

LARGEST, LARGEST_WHOLE = 128, 96  # nodes along a tile, and along one that is kept
SMALLEST, STEP = 32, 4  # of the sizes of tiles, unless values are out of range; and between them
PER_TILE = 27.0  # columns that cost as much as what is done once a tile
IN_RANGE, FACTORS_IN_RANGE = 1e-290, 1e-145  # of the scale of a tile; if products are taken, too
ROUNDING = 1e-12  # relative difference below which a sum and its upper bound are taken to be equal
MOST_TILES = 100_000  # of pairs that are swept together; what is kept of them takes 0.3 GB


class Part(NamedTuple):
    """Pairs that are swept together.

    Parameters
    ----------
    tiles : Tiles
    members : (n_pairs,)
        Their positions among all pairs.
    laws : (Law, Law)
        The machine forward and backward.
    ends : (n_states,), (n_states,)
        Weights of the last states in either direction.
    exponent : int
        Of a power of two that was taken out of all probabilities of ending.
    """

    tiles: Tiles
    members: Integers
    laws: tuple[Law, Law]
    ends: tuple[Floats, Floats]
    exponent: int


def parts_of(
    machine: Machine, pairs: CodedPairs, *, best: bool = False, whole: bool = False
) -> Iterator[Part]:
    """Yield all pairs in parts, each in the largest tiles in which nothing that matters is lost.

    A value that is far below the scale of its tile is lost. Tiles are so small that there is none,
    or all that is lost is shown to be less than what rounding changes (see `_hold`). Tiles of one
    node lose nothing.

    Parameters
    ----------
    machine : Machine
    pairs : CodedPairs
    best : bool
        Whether the best path is looked for.
    whole : bool
        Whether all values of a tile are kept, and multiplied with others.
    """
    least, largest = (FACTORS_IN_RANGE, LARGEST_WHOLE) if whole else (IN_RANGE, LARGEST)
    growth = float(machine.odds.max(initial=2.0))
    exponent = int(np.frexp(machine.end.max())[1])  # so that the least of ends loses no digit
    machine = replace(machine, end=np.ldexp(machine.end, -exponent))
    safe = min(_safe_size(machine, least), largest)
    # What is lost may grow to the square root of the range on its way through a tile.
    most = int(np.clip(-np.log10(least) / 2 / np.log10(growth), 1, largest))
    sizes = {safe, most, most // 8} if safe < min(SMALLEST, largest) else {safe}
    todo = np.arange(len(pairs))
    for size in sorted(sizes - set(range(safe)), reverse=True):
        some = pairs if len(todo) == len(pairs) else pairs.take(todo)
        laws, ends = _laws(machine, int(some.lengths.max(initial=0)) + size, best)
        failed = [todo[:0]]
        for members, tiles in _cut(some, size):
            part = Part(tiles, todo[members], laws, ends, exponent)
            if size > safe:
                hold = _hold(machine, part, least * 1e6 * growth**size, both=whole)
                failed.append(part.members[~hold])
                own = members[hold]
                part = Part(_tiles(some, own, tiles.size), todo[own], laws, ends, exponent)
            if len(part.members):
                yield part
        todo = np.sort(np.concatenate(failed))


def _safe_size(machine: Machine, least: float) -> int:
    """Bound the size of tiles in which the values cannot lie further apart than the range.

    Where gaps of any length can stand anywhere, a path to one node of a tile differs from one to
    another by a gap in either sequence. Where they cannot, only a single node is safe.
    """
    odds, moves = machine.odds, machine.transitions
    if odds.min(initial=1.0) <= 0 or moves[0, 0] <= 0:
        return 1
    by_tile, by_row = -np.log10(odds.min(initial=1.0)), np.log10(odds.max(initial=2.0))
    for side in "xy":
        found = [
            tuple(-np.log10([moves[g, g], moves[0, g] * moves[g, 0]]))
            for g, kind in enumerate(machine.kinds)
            if kind == side and moves[g, g] * moves[0, g] * moves[g, 0] > 0
        ]
        if not found:
            return 1
        # A row more is a letter more of a gap. A column less is a letter that a gap takes from a
        # match, and may join the gaps on both sides of it.
        stay, around = min(found)
        by_row, by_tile = by_row + 2 * stay + max(0.0, stay - around), by_tile + around
    return max(int((-np.log10(least) - by_tile) / by_row), 1)


def _hold(machine: Machine, part: Part, floor: float, *, both: bool) -> Bools:
    """Find the pairs of which all that is lost in tiles is too little to matter.

    That is bounded from above by a sweep in which every tile adds to each value that it hands on
    more than can have been lost on all ways there, in its scale: where the sum over all paths is
    the same with it, up to rounding, all paths that are lost together are that improbable.

    Parameters
    ----------
    floor : float
        What is added: what a value may lose, times how many there are, times the largest odds for
        each row of a tile.
    both : bool
        Whether values of the sweep back matter, too.
    """
    hold = np.ones(len(part.members), dtype=np.bool_)
    for back in range(1 + both):
        sums = [
            ends_of(machine, part, swept(part.tiles, law), back).log_value
            for law in (part.laws[back], part.laws[back]._replace(floor=floor))
        ]
        hold &= np.isfinite(sums[0]) & (sums[1] <= sums[0] + ROUNDING)
    return hold


def order_of(machine: Machine) -> Integers:
    """Put the states into the order of the sweeps: match, those of x, those of y."""
    return np.argsort(["mxy".index(kind) for kind in machine.kinds], kind="stable")


def _laws(
    machine: Machine, longest: int, best: bool
) -> tuple[tuple[Law, Law], tuple[Floats, Floats]]:
    """Lay out a machine for sweeps forward and backward, with the weights of the last states."""
    order, flanks = order_of(machine), machine.flanks
    n_x, n_states = machine.kinds.count("x"), len(order)
    moves = np.ascontiguousarray(machine.transitions[np.ix_(order, order)])
    n_symbols = max(len(machine.odds), 4)
    odds = np.zeros((n_symbols, n_symbols))
    odds[: len(machine.odds), : len(machine.odds)] = machine.odds
    begin, end, extend = 1.0, machine.end[order], np.ones((2, 2))
    overhangs = [np.zeros((2, n_states))] * 2
    if flanks is not None:
        begin, end, extend = flanks.begin, end * flanks.end, flanks.extend
        ending = ends_alone(machine.kinds, machine.transitions, machine.end)[2]
        overhangs = [flanks.enter[:, order], flanks.leave[:, None] * ending[:, order]]
    of_y, laws = np.arange(n_states) > n_x, []
    of_three = n_states == AT_ONCE and n_x == 1 and n_symbols == 4 and not best
    for back, weights in enumerate((moves.T.copy(), moves)):
        across = np.where(np.outer(of_y, of_y), 0.0, weights)
        sources = [np.flatnonzero(row) for row in across]
        n_sources = np.array([max(-(-len(own) // AT_ONCE), 1) * AT_ONCE for own in sources])
        table = np.zeros((n_states, n_sources.max()), dtype=np.int64)
        values = np.zeros(table.shape)
        for t, own in enumerate(sources):
            table[t, : len(own)], values[t, : len(own)] = own, across[t, own]
        into, out_of = np.nonzero(weights - across)
        into, out_of = (each if (into != out_of).any() else each[:0] for each in (into, out_of))
        law = Law(
            *(best, bool(back), flanks is not None, of_three, 0.0, n_x),
            *(table, values, n_sources, weights, np.column_stack([out_of, into])),
            *(odds.ravel(), n_symbols, 0.0 if back else float(begin)),
            *(end if back else np.zeros(n_states), np.ascontiguousarray(overhangs[back])),
            *_powers(extend[back], longest + 1 if flanks is not None else 2),
        )
        laws.append(law)
    return (laws[0], laws[1]), (end, moves[0] * begin)


def _powers(extend: Floats, longest: int) -> tuple[Floats, Integers]:
    """Weights of overhangs of 0 (and 1), 2 ... letters over those of one, with powers of two."""
    power, exponent = np.ones((2, longest)), np.zeros((2, longest), dtype=np.int64)
    # Those of n letters follow from those of fewer and from `extend` to the power of n.
    factor, scale = np.frexp(extend)
    known = 1
    while known + 1 < longest:
        before = slice(1, min(known, longest - 1 - known) + 1)
        after = slice(known + 1, known + before.stop)
        power[:, after], more = np.frexp(power[:, before] * factor[:, None])
        exponent[:, after] = exponent[:, before] + more + scale[:, None]
        factor, more = np.frexp(factor**2)
        scale, known = 2 * scale + more, 2 * known
    return power, np.where(power > 0, exponent, NOTHING)


def _cut(pairs: CodedPairs, largest: int) -> list[tuple[Integers, Tiles]]:
    """Cut pairs into tiles, and put those together whose tiles are of one size, if not too many.

    The size depends on the pair alone, so that its sums do not depend on what else is computed.

    Returns
    -------
    list of (members, tiles)
        Positions of the pairs, and their tiles.
    """
    if largest not in pairs.tiles:
        nodes = pairs.lengths + 1
        sizes = np.arange(largest, min(largest - 1, SMALLEST), -STEP)
        cost = (-(-nodes[:, :, None] // sizes)).prod(axis=1) * (sizes**2 + PER_TILE * sizes)
        # Of a single tile a part is computed, so that few sizes do.
        cost[np.ix_((nodes <= largest).all(axis=1), (largest - sizes) % SMALLEST > 0)] = 2**60
        chosen = cost.argmin(axis=1)
        found = []
        for number in np.unique(chosen):
            own, size = np.flatnonzero(chosen == number), int(sizes[number])
            own = own[np.lexsort((nodes[own, 1], nodes[own, 0]))]
            group = np.cumsum((-(-nodes[own] // size)).prod(axis=1)) // MOST_TILES
            for some in np.split(own, np.flatnonzero(np.diff(group)) + 1):
                found.append((some, _tiles(pairs, some, size)))
        pairs.tiles[largest] = found
    return pairs.tiles[largest]


def _tiles(pairs: CodedPairs, members: Integers, size: int) -> Tiles:
    start = np.cumsum(pairs.lengths, axis=0) - pairs.lengths
    length = pairs.lengths[members]
    n_tiles = length // size + 1
    number = np.column_stack([n_tiles, n_tiles.prod(axis=1)])
    rows = np.repeat(np.arange(len(members)), n_tiles[:, 0])
    first = np.cumsum(number, axis=0) - number
    return Tiles(size, pairs.x, pairs.y, start[members], length, n_tiles, first, rows)


def _aligned(n: int) -> Floats:
    """Provide memory of which every eighth number begins a line of the processor's cache."""
    memory = np.empty(n + LANES)
    first = -(memory.ctypes.data // memory.itemsize) % LANES
    return memory[first : first + n]


def lanes_of(tiles: Tiles, law: Law, kept: Iterable[int] = (), *, keep: bool = True) -> Lanes:
    """Provide memory for eight tiles: for a row or two, or for all rows of the states `kept`."""
    size, n_states, lanes = tiles.size, len(law.moves), np.zeros((LANES, 3), dtype=np.int64)
    row, memory, ring = (size + 1) * LANES, np.empty, np.full(n_states + 1, 1)
    ring[[*range(1, 1 + law.n_x), n_states]] = 2  # what flows into the next row
    ring[list(kept)] = size + 1
    rows = (np.cumsum(ring) - ring)[:, None] + np.arange(-1, size + 1) % ring[:, None]
    arrays: Any = (
        *(lanes, np.arange(LANES), lanes[:, 0].copy(), np.array([LANES]), keep),
        *(_aligned(int(ring.sum()) * row), rows * row),
        _aligned((n_states - law.n_x) * row).reshape(-1, row),
        *(memory(LANES), np.zeros((2, row), dtype=np.uint16)),
        memory((2, n_states, LANES), dtype=np.int64),
        *(memory(2, dtype=np.int64), memory(2, dtype=np.int64), lanes[:, 1:].copy()),
        *(lanes[:, 1:].copy(), memory(size, dtype=np.bool_), memory(size, dtype=np.bool_)),
        lanes[:, 1:].copy(),
    )
    return Lanes(size, *arrays)


def frontier_of(tiles: Tiles, law: Law, *, every: bool) -> Frontier:
    """Provide memory for what flows out of tiles: into the next ones, or into `every` one."""
    size, n_states, last = tiles.size, len(law.moves), tiles.n_tiles[-1]
    rows, columns, number = (tiles.first[-1] + [*last, last.prod()]).tolist()
    above, beside = (number, number) if every else (columns, rows)
    shapes = ((above, 1 + law.n_x), (beside, n_states - law.n_x), (above,))
    at_ends = (columns, n_states), (rows if law.free else 0, n_states)
    arrays: Any = (
        *(np.empty((*shapes[0], size)), np.empty((*shapes[1], size)), np.empty(above)),
        *(np.empty(shape, dtype=np.int64) for shape in (*shapes, above, beside)),
        *(np.empty((*shape, size if law.free else 1)) for shape in at_ends),
        *(np.empty(shape, dtype=np.int64) for shape in at_ends),
    )
    return Frontier(every, np.zeros(rows, dtype=np.int64), *arrays)


def tally_of(
    tiles: Tiles,
    moves: Integers,
    n_symbols: int,
    inverse: Floats,
    scale: Integers,
    least: Floats,
    room: int,
) -> Tally:
    """Provide memory for counts (see `Tally`), with room for so many cells."""
    n_rows, wanted = len(tiles.pair), len(least) > 0
    n_cells = tiles.length.prod(axis=1) if wanted else np.zeros(0, dtype=np.int64)
    arrays: Any = (
        *(moves, np.zeros((n_rows, len(moves))), np.zeros((n_rows, n_symbols**2))),
        *(inverse, scale, np.zeros((len(moves), LANES)), np.zeros((n_symbols**2, LANES))),
        *(least, np.ones((2, max(len(tiles.x), len(tiles.y)) if wanted else 0))),
        *(np.cumsum(n_cells) - n_cells, np.empty(room, dtype=np.int64)),
        *(np.empty(room) if room else np.zeros(int(n_cells.sum())), np.zeros(1, dtype=np.int64)),
    )
    return Tally(*arrays)


class Ends(NamedTuple):
    """What stands at the last nodes, over the value of the pair.

    Parameters
    ----------
    log_value : (n_pairs,) nats
    value, scale : (n_pairs,)
        The same as a number times a power of two.
    parts : (n_pairs, 3, n_states)
        Of paths that end at the last node, before an overhang of x, and before one of y; states
        are in the order of the machine.
    letters : (n_pairs, 2)
        Of overhangs.
    """

    log_value: Floats
    value: Floats
    scale: Integers
    parts: Floats
    letters: Floats


def ends_of(machine: Machine, part: Part, frontier: Frontier, back: int = 0) -> Ends:
    """Weigh the ends of all paths in one direction, and join them."""
    law, other, n = part.laws[back], part.laws[1 - back], len(part.members)
    parts, letters = np.zeros((n, 3, len(law.moves))), np.zeros((n, 2))
    scale, over = np.zeros(n, dtype=np.int64), (other.enter, other.power, other.exponent)
    last_nodes(part.tiles, law, frontier, part.ends[back], *over, parts, letters, scale)
    flat = parts.reshape(n, -1)
    value = flat.max(axis=1) if law.best else flat.sum(axis=1)
    with np.errstate(divide="ignore"):
        log_value = np.log(value) + (scale + part.exponent) * np.log(2.0)
    share = np.where(value > 0, value, 1.0)[:, None]
    parts = parts[:, :, np.argsort(order_of(machine))] / share[:, None]
    return Ends(log_value, value, scale, parts, letters / share)


def swept(tiles: Tiles, law: Law, *, every: bool = False) -> Frontier:
    """Sweep in one direction, and count nothing; `every` keeps what flows into each tile.

    Raises
    ------
    ParameterError
        That is more than this machine holds.
    """
    if every:
        n_tiles = int(tiles.n_tiles.prod(axis=1).sum())
        check_cells(tiles.length, 8 * n_tiles * ((len(law.moves) + 1) * (tiles.size + 1) + 4))
    frontier, lanes = frontier_of(tiles, law, every=every), lanes_of(tiles, law, keep=False)
    sweep(tiles, law, lanes, frontier, law, lanes, frontier, NO_TALLY)
    return frontier


def check_cells(lengths: Integers, needed: int) -> None:
    """Refuse pairs, (n_pairs, 2) letters, of which what is kept does not fit into memory."""
    n, m = lengths[lengths.prod(axis=1).argmax()].tolist()
    check_memory(
        needed,
        f"sequences of {n:,} and {m:,} letters take",
        "for what is kept of their alignments",
        "cut the longer one to the part that the other is from, some more letters at either end "
        "included (ends='free_x', --ends free_x, lets x have these), or both into pieces",
    )


def log_likelihood(machine: Machine, pairs: CodedPairs) -> Floats:
    """Log odds of every pair by the forward algorithm.

    Returns
    -------
    (n_pairs,) nats
        ``log P(x, y)`` less the background log-probability of all letters of both sequences;
        ``-inf`` where no path can make the pair.
    """
    return _log_value(machine, pairs, best=False)


def best_path_score(machine: Machine, pairs: CodedPairs) -> Floats:
    """Log odds of every pair's most probable path (Viterbi), as `log_likelihood`."""
    return _log_value(machine, pairs, best=True)


def _log_value(machine: Machine, pairs: CodedPairs, *, best: bool) -> Floats:
    result = np.empty(len(pairs))
    for part in parts_of(machine, pairs, best=best):
        result[part.members] = ends_of(machine, part, swept(part.tiles, part.laws[0])).log_value
    return result


def expected_counts(machine: Machine, pairs: CodedPairs) -> Counts:
    """Count the expected matches, gap openings and endings of every pair (forward-backward)."""
    n, n_states, n_symbols = len(pairs), len(machine.kinds), len(machine.odds)
    several = max(machine.kinds.count(side) for side in "xy") > 1
    counts = Counts(
        np.empty(n),
        np.empty((n, n_symbols, n_symbols)),
        np.empty((n_states - 1, n)),
        np.empty((n_states - 1, n_states - 1, n)),
        np.empty((n_states - 1, n)),
        np.empty((n_states, n)),
        np.empty((n_states - 1, n)) if several else None,
        None if machine.flanks is None else np.empty((2, 2, n_states, n)),
        None if machine.flanks is None else np.empty((2, 2, n)),
    )
    # A gap state alone goes on as often as its letters, known by number, do not open a gap.
    moves = np.argwhere(machine.transitions > 0)
    moves = moves[(moves[:, 1] > 0) & (several | (moves[:, 0] != moves[:, 1]))]
    for part in parts_of(machine, pairs, whole=True):
        own = part.members
        begun, ended, tally = forward_backward(machine, part, moves)
        first = part.tiles.first[:, 0]
        moved = np.zeros((n_states, n_states, len(own)))
        made = np.add.reduceat(tally.moved, first).T
        moved[*moves.T] = made * machine.transitions[*moves.T][:, None]
        size = part.laws[0].n_symbols
        matches = np.add.reduceat(tally.matches, first).reshape(-1, size, size)
        counts.log_likelihood[own] = ended.log_value
        counts.matches[own] = matches[:, :n_symbols, :n_symbols]
        before, behind = begun.parts.transpose(1, 2, 0), ended.parts.transpose(1, 2, 0)
        counts.opening[:, own], counts.beginning[:, own] = moved[0, 1:], before[0, 1:]
        counts.crossing[:, :, own] = np.where(np.eye(n_states)[1:, 1:, None], 0.0, moved[1:, 1:])
        counts.ending[:, own] = behind.sum(axis=0)
        if counts.visits is not None:
            counts.visits[:, own] = moved[:, 1:].sum(axis=0) + before[1:, 1:].sum(axis=0)
        if counts.overhangs is not None and counts.overhang_letters is not None:
            counts.overhangs[:, :, :, own] = np.stack([before[1:], behind[1:]])
            counts.overhang_letters[:, :, own] = np.stack([begun.letters.T, ended.letters.T])
    return counts


def forward_backward(
    machine: Machine, part: Part, moves: Integers, collecting: tuple[Floats, int] | None = None
) -> tuple[Ends, Ends, Tally]:
    """Sweep forward and back, and count moves between states and aligned letters.

    Parameters
    ----------
    machine : Machine
    part : Part
    moves : (n_moves, 2)
        To count.
    collecting : (n_pairs,) and int, optional
        The least posterior probability of the cells to collect, and for how many there is room:
        with none, all are written in their place.

    Returns
    -------
    begun, ended : Ends
        What stands at the first and at the last nodes.
    tally : Tally
    """
    tiles, (law, law_back) = part.tiles, part.laws
    kept = swept(tiles, law, every=True)
    ended = ends_of(machine, part, kept)
    place = np.argsort(order_of(machine))
    inverse = np.zeros(len(part.members))
    np.divide(1.0, ended.value, out=inverse, where=ended.value > 0)
    least, room = collecting or (np.zeros(0), 0)
    tally = tally_of(tiles, place[moves], law.n_symbols, inverse, ended.scale, least, room)
    ahead = lanes_of(tiles, law, {len(law.moves), *tally.moves[:, 0].tolist()})
    back = lanes_of(tiles, law_back)
    frontier = frontier_of(tiles, law_back, every=False)
    sweep(tiles, law_back, back, frontier, law, ahead, kept, tally)
    return ends_of(machine, part, frontier, back=1), ended, tally
