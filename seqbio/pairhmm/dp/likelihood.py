"""Sums over all alignments of pairs, and what is expected in them: forward and backward sweeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

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
SMALLEST, STEP = 32, 4  # of the sizes of tiles, unless the values span too much; and between them
PER_TILE = 27.0  # columns that cost as much as what is done once a tile
DECADES, DECADES_OF_PRODUCTS = 250.0, 130.0  # that the values in a tile may span


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
    lost : (n_pairs,) bool
        Pairs of which a value fell out of range, to be set: they come again, in smaller tiles.
    """

    tiles: Tiles
    members: Integers
    laws: tuple[Law, Law]
    ends: tuple[Floats, Floats]
    lost: Bools


def parts_of(
    machine: Machine, pairs: CodedPairs, *, best: bool = False, whole: bool = False
) -> Iterator[Part]:
    """Yield all pairs in parts, those in smaller tiles again of which values were out of range.

    Parameters
    ----------
    machine : Machine
    pairs : CodedPairs
    best : bool
        Whether the best path is looked for.
    whole : bool
        Whether all values of a tile are kept, and multiplied with others.
    """
    decades, largest = (DECADES_OF_PRODUCTS, LARGEST_WHOLE) if whole else (DECADES, LARGEST)
    by_tile, by_row, sure = _spread(machine)
    todo = [(np.arange(len(pairs)), pairs, int(np.clip((decades - by_tile) / by_row, 1, largest)))]
    while todo:
        numbers, some, size = todo.pop()
        smallest = 0.0 if sure or size == 1 else 10.0**-decades
        laws, ends = _laws(machine, int(some.lengths.max(initial=0)) + size, best, smallest)
        for members, tiles in _cut(some, size):
            lost = np.zeros(len(members), dtype=np.bool_)
            yield Part(tiles, numbers[members], laws, ends, lost)
            again = members[lost]
            if len(again):
                todo.append((numbers[again], some.take(again), max(size // 4, 1)))


def _spread(machine: Machine) -> tuple[float, float, bool]:
    """Bound how many decades apart the values in a tile lie: by tile, by row, and whether surely.

    Where gaps of any length can stand anywhere, a path to one node of a tile differs from one to
    another by a gap in either sequence. Where they cannot, values may lie as far apart as any two
    paths, and it is watched whether they do.
    """
    odds, moves = machine.odds, machine.transitions
    smallest = odds.min(initial=1.0)
    sure = bool(smallest > 0 and moves[0, 0] > 0)
    by_tile, by_row = -np.log10(smallest) if sure else 0.0, np.log10(odds.max(initial=2.0))
    for side in "xy":
        found = [(2.0, 0.0)]
        for g, kind in enumerate(machine.kinds):
            if kind == side and moves[g, g] * moves[0, g] * moves[g, 0] > 0:
                # A row less is a letter more of a gap, and may be a gap less that begins anew.
                stay, around = -np.log10([moves[g, g], moves[0, g] * moves[g, 0]])
                found.append((stay + max(0.0, stay - around), around))
        sure = sure and len(found) > 1
        row, tile = min(found[1:] or found)
        by_row, by_tile = by_row + row, by_tile + tile
    return by_tile, by_row, sure


def order_of(machine: Machine) -> Integers:
    """Put the states into the order of the sweeps: match, those of x, those of y."""
    return np.argsort(["mxy".index(kind) for kind in machine.kinds], kind="stable")


def _laws(
    machine: Machine, longest: int, best: bool, smallest: float
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
        if n_states == AT_ONCE:
            sources = [np.arange(n_states)] * n_states
        n_sources = np.array([max(-(-len(own) // AT_ONCE), 1) * AT_ONCE for own in sources])
        table = np.zeros((n_states, n_sources.max()), dtype=np.int64)
        values = np.zeros(table.shape)
        for t, own in enumerate(sources):
            table[t, : len(own)], values[t, : len(own)] = own, across[t, own]
        into, out_of = np.nonzero(weights - across)
        into, out_of = (each if (into != out_of).any() else each[:0] for each in (into, out_of))
        law = Law(
            *(best, bool(back), flanks is not None, of_three, smallest, n_x),
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
    for side in (0, 1):
        for n in range(2, longest):
            power[side, n], more = np.frexp(power[side, n - 1] * extend[side])
            exponent[side, n] = exponent[side, n - 1] + more if power[side, n] > 0 else NOTHING
    return power, exponent


def _cut(pairs: CodedPairs, largest: int) -> list[tuple[Integers, Tiles]]:
    """Cut pairs into tiles, and put those together whose tiles are of one size.

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
            own = np.flatnonzero(chosen == number)
            own = own[np.lexsort((nodes[own, 1], nodes[own, 0]))]
            found.append((own, _tiles(pairs, own, int(sizes[number]))))
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
        *(memory((2, n_states, LANES), dtype=np.int64), memory(LANES)),
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
        log_value = np.log(value) + scale * np.log(2.0)
    share = np.where(value > 0, value, 1.0)[:, None]
    parts = parts[:, :, np.argsort(order_of(machine))] / share[:, None]
    return Ends(log_value, value, scale, parts, letters / share)


def swept(part: Part, *, every: bool = False) -> Frontier:
    """Sweep forward."""
    law = part.laws[0]
    frontier = frontier_of(part.tiles, law, every=every)
    lanes = lanes_of(part.tiles, law, keep=False)
    sweep(part.tiles, law, lanes, frontier, part.lost, law, lanes, frontier, NO_TALLY)
    return frontier


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
        result[part.members] = ends_of(machine, part, swept(part)).log_value
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
    tiles, (law, law_back), lost = part.tiles, part.laws, part.lost
    kept = swept(part, every=True)
    ended = ends_of(machine, part, kept)
    place = np.argsort(order_of(machine))
    inverse = np.zeros(len(lost))
    np.divide(1.0, ended.value, out=inverse, where=ended.value > 0)
    least, room = collecting or (np.zeros(0), 0)
    tally = tally_of(tiles, place[moves], law.n_symbols, inverse, ended.scale, least, room)
    ahead = lanes_of(tiles, law, {len(law.moves), *tally.moves[:, 0].tolist()})
    back = lanes_of(tiles, law_back)
    frontier = frontier_of(tiles, law_back, every=False)
    sweep(tiles, law_back, back, frontier, lost, law, ahead, kept, tally)
    return ends_of(machine, part, frontier, back=1), ended, tally
