"""Sums over all alignments of pairs, and what is expected in them: forward and backward sweeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbio.errors import NumericalRangeError
from seqbio.pairhmm.dp.counting import Cells, Tally, count
from seqbio.pairhmm.dp.machine import CodedPairs, Counts, Machine
from seqbio.pairhmm.dp.sweep import NOTHING, Frontier, Tiles, Work, last_nodes, sweep
from seqbio.pairhmm.dp.tile import AT_ONCE, Entries, Exits, Floats, Integers, Moves, Room
from seqbio.pairhmm.dp.vectors import LANES
from seqbio.pairhmm.transitions import ends_alone

LARGEST, LARGEST_WHOLE = 64, 48  # nodes along a tile, and along one that is kept
STEP = 4  # between the sizes of tiles
PER_TILE = 8.0  # columns that cost as much as what is done once a tile
DECADES, DECADES_OF_PRODUCTS = 250.0, 130.0  # that the values in a tile may span


class Direction(NamedTuple):
    """A machine read from the first letter to the last, or from the last to the first."""

    backward: bool
    moves: Moves
    entries: Entries
    end: Floats
    leave: Floats


def order_of(machine: Machine) -> Integers:
    """Put the states into the order of the sweeps: match, those of x, those of y."""
    return np.argsort(["mxy".index(kind) for kind in machine.kinds], kind="stable")


def _powers(extend: Floats, longest: int) -> tuple[Floats, Integers]:
    """Weights of overhangs of 0 (and 1), 2 ... letters over those of one, with powers of two."""
    power, exponent = np.ones((2, longest)), np.zeros((2, longest), dtype=np.int64)
    for side in (0, 1):
        value, scale = 1.0, 0
        for n in range(2, longest):
            value, more = np.frexp(value * extend[side])
            scale = scale + int(more) if value > 0 else NOTHING
            power[side, n], exponent[side, n] = value, scale
    return power, exponent


def directions(machine: Machine, tiles: Tiles) -> tuple[Direction, Direction]:
    """Lay out a machine for sweeps forward and backward over some tiles."""
    longest = int(tiles.n_tiles.max()) * tiles.size + 1
    order = order_of(machine)
    kinds = "".join(machine.kinds[g] for g in order)
    n_x, n_y = kinds.count("x"), kinds.count("y")
    moves, n_states = machine.transitions[np.ix_(order, order)], len(kinds)
    n_symbols = max(len(machine.odds), 4)
    odds = np.zeros((n_symbols, n_symbols))
    odds[: len(machine.odds), : len(machine.odds)] = machine.odds
    begin, end = 1.0, machine.end[order]
    flanks, overhangs = machine.flanks, [np.zeros((2, n_states))] * 2
    extend = np.ones((2, 2))
    if flanks is not None:
        begin, end = flanks.begin, end * flanks.end
        _, _, ending = ends_alone(machine.kinds, machine.transitions, machine.end)
        overhangs = [flanks.enter[:, order], flanks.leave[:, None] * ending[:, order]]
        extend = flanks.extend
    directions = []
    for back in (0, 1):
        weights = moves if back else moves.T  # into each state (row) from each
        of_y = np.arange(n_states) > n_x
        sources = [np.flatnonzero(row * ~(of_y & of_y[g])) for g, row in enumerate(weights)]
        if n_states == AT_ONCE:
            sources = [np.arange(n_states)] * n_states
        counted = np.array([-(-len(own) // AT_ONCE) * AT_ONCE for own in sources])
        counted = np.maximum(counted, AT_ONCE)
        table = np.zeros((n_states, counted.max()), dtype=np.int64)
        values = np.zeros(table.shape)
        for g, own in enumerate(sources):
            table[g, : len(own)], values[g, : len(own)] = (
                own,
                np.where(of_y & of_y[g], 0.0, weights[g])[own],
            )
        along = weights[1 + n_x :, 1 + n_x :]
        into, out_of = np.nonzero(along * (1.0 - np.eye(n_y)))
        entries = Entries(
            flanks is not None,
            np.zeros((LANES, 2), dtype=np.int64),
            np.zeros(LANES, dtype=np.int64),
            0.0 if back else float(begin),
            end if back else np.zeros(n_states),
            np.ascontiguousarray(overhangs[back]),
            *_powers(extend[back], longest if flanks is not None else 2),
        )
        directions.append(
            Direction(
                bool(back),
                Moves(
                    n_x,
                    n_y,
                    table,
                    values,
                    counted,
                    along.diagonal().copy(),
                    np.column_stack([out_of, into]),
                    along[into, out_of],
                    odds.ravel(),
                    n_symbols,
                ),
                entries,
                moves[0] * begin if back else end,
                overhangs[1 - back],
            )
        )
    return directions[0], directions[1]


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


def cut(pairs: CodedPairs, largest: int) -> list[tuple[Integers, Tiles]]:
    """Cut pairs into tiles, and put those together whose tiles are of one size.

    The size depends on the pair alone, so that its sums do not depend on what else is computed.

    Returns
    -------
    list of (members, tiles)
        Positions of the pairs, and their tiles.
    """
    found = pairs.tiles.get(largest)
    if found is None:
        nodes = pairs.lengths + 1
        sizes = np.arange(largest, min(largest, LARGEST // 4), -STEP)
        sizes = np.append(sizes, largest) if not len(sizes) else sizes
        n_tiles = -(-nodes[:, :, None] // sizes)
        cost = n_tiles.prod(axis=1) * (sizes**2 + PER_TILE * sizes)
        cost[(nodes <= largest).all(axis=1), 1:] = 2**60  # one tile, of which a part is computed
        chosen = cost.argmin(axis=1)
        found = []
        for number in np.unique(chosen):
            own = np.flatnonzero(chosen == number)
            own = own[np.lexsort((nodes[own, 1], nodes[own, 0]))]
            found.append((own, _tiles(pairs, own, int(sizes[number]))))
        pairs.tiles[largest] = found
    return found


def _tiles(pairs: CodedPairs, members: Integers, size: int) -> Tiles:
    start = np.cumsum(pairs.lengths, axis=0) - pairs.lengths
    length = pairs.lengths[members]
    n_tiles = length // size + 1
    number = np.column_stack([n_tiles, n_tiles.prod(axis=1)])
    rows = np.repeat(np.arange(len(members)), n_tiles[:, 0])
    first = np.cumsum(number, axis=0) - number
    return Tiles(size, pairs.x, pairs.y, start[members], length, n_tiles, first, rows)


class Swept(NamedTuple):
    """One direction of a sweep: its memory, and what it found."""

    work: Work
    frontier: Frontier
    room: Room
    moves: Moves
    entries: Entries
    exits: Exits


def room_of(size: int, moves: Moves, *, whole: bool) -> Room:
    """Provide memory for eight tiles: for two rows of nodes, or for `whole` tiles."""
    n_states, width = 1 + moves.n_x + moves.n_y, (size + 1) * LANES
    n_kept = size + 1 if whole else 2
    return Room(
        size,
        np.empty(n_kept * (n_states + 1) * width),
        np.empty((1 + moves.n_y) * size * LANES),
        np.zeros(size * LANES, dtype=np.uint16),
        np.zeros(size * LANES, dtype=np.uint16),
        np.empty(LANES),
        np.empty(3 * LANES),
        np.empty(LANES),
        np.zeros(2, dtype=np.int64),
        np.zeros(2, dtype=np.int64),
        np.zeros(size, dtype=np.bool_),
        np.zeros(size, dtype=np.bool_),
    )


def begin(tiles: Tiles, way: Direction, *, every: bool = False, whole: bool = False) -> Swept:
    """Provide memory; `every` keeps what flows into each tile, `whole` all rows of one."""
    size, moves, n_states = tiles.size, way.moves, len(way.end)
    last = tiles.n_tiles[-1]
    rows, columns, number = (tiles.first[-1] + [*last, last.prod()]).tolist()
    above, beside = (number, number) if every else (columns, rows)
    room = room_of(size, moves, whole=whole)
    integers = np.int64
    return Swept(
        Work(
            np.zeros((LANES, 3), integers),
            np.zeros(LANES, integers),
            np.arange(LANES),
            np.zeros(LANES, integers),
            np.zeros(rows, integers),
            np.array([LANES]),
        ),
        Frontier(
            every,
            np.empty((above, 1 + moves.n_x, size)),
            np.empty((beside, 1 + moves.n_y, size)),
            np.empty(above),
            np.empty(above, integers),
            np.empty(beside, integers),
            np.empty(above, integers),
        ),
        room,
        moves,
        way.entries,
        Exits(
            way.entries.free,
            np.zeros((LANES, 2), integers),
            np.zeros((LANES, 2), integers),
            np.empty((columns, n_states, size)),
            np.empty((rows, n_states, size)),
            np.empty(columns, integers),
            np.empty(rows, integers),
        ),
    )


class Ends(NamedTuple):
    """What stands at the last nodes, over the value of the pair.

    Parameters
    ----------
    log_value : (n_pairs,) nats
    value, scale : (n_pairs,)
        The same as a number between 0.5 and 1 times a power of two.
    parts : (n_pairs, 3, n_states)
        Of paths that end at the last node, before an overhang of x, and before one of y.
    letters : (n_pairs, 2)
        Of overhangs.
    """

    log_value: Floats
    value: Floats
    scale: Integers
    parts: Floats
    letters: Floats


def ends_of(tiles: Tiles, exits: Exits, way: Direction, other: Direction, best: bool) -> Ends:
    """Weigh the ends of all paths in one direction, and join them."""
    n = len(tiles.length)
    parts, letters = np.zeros((n, 3, len(way.end))), np.zeros((n, 2))
    scale = np.zeros(n, dtype=np.int64)
    power, exponent = other.entries.power, other.entries.exponent
    end, leave, backward = way.end, way.leave, way.backward
    last_nodes(tiles, exits, end, leave, power, exponent, backward, best, parts, letters, scale)
    flat = parts.reshape(n, -1)
    value = flat.max(axis=1) if best else flat.sum(axis=1)
    with np.errstate(divide="ignore"):
        log_value = np.log(value) + scale * np.log(2.0)
    over = np.where(value > 0, value, 1.0)
    return Ends(log_value, value, scale, parts / over[:, None, None], letters / over[:, None])


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
    for part in parts_of(machine, pairs):
        ways = directions(machine, part.tiles)
        swept = begin(part.tiles, ways[0])
        sweep(part.tiles, *swept, part.lost, part.smallest, best)
        result[part.members] = ends_of(part.tiles, swept.exits, *ways, best).log_value
    return result


class Part(NamedTuple):
    """Pairs that are swept together.

    Parameters
    ----------
    tiles : Tiles
    members : (n_pairs,)
        Their positions among all pairs.
    smallest : float
        The least value that is in range, or 0 where none can leave it.
    lost : (n_pairs,) bool
        To be set for pairs of which a value was smaller: they come again, in smaller tiles.
    """

    tiles: Tiles
    members: Integers
    smallest: float
    lost: NDArray[np.bool_]


def parts_of(machine: Machine, pairs: CodedPairs, *, whole: bool = False) -> Iterator[Part]:
    """Yield all pairs in parts, those in smaller tiles again of which values were out of range.

    Parameters
    ----------
    machine : Machine
    pairs : CodedPairs
    whole : bool
        Whether all values of a tile are kept, and multiplied with others.

    Raises
    ------
    NumericalRangeError
        Values at a single node are out of range beside each other.
    """
    decades, largest = DECADES, LARGEST
    if whole:
        decades, largest = DECADES_OF_PRODUCTS, LARGEST_WHOLE
    by_tile, by_row, sure = _spread(machine)
    size = int(np.clip((decades - by_tile) / by_row, 1, largest))
    todo = [(np.arange(len(pairs)), pairs, size)]
    while todo:
        numbers, some, size = todo.pop()
        for members, tiles in cut(some, size):
            smallest = 0.0 if sure else 10.0**-decades if size > 1 else 1e-300
            lost = np.zeros(len(members), dtype=np.bool_)
            yield Part(tiles, numbers[members], smallest, lost)
            again = members[lost]
            if len(again) and size == 1:
                raise NumericalRangeError(
                    "in some alignments all that can still end is more than 300 orders of "
                    "magnitude below what cannot; give 1e-12 in place of 0 as the probability of "
                    "gaps, or another distance in place of 0"
                )
            if len(again):
                todo.append((numbers[again], some.take(again), max(size // 4, 1)))


def expected_counts(machine: Machine, pairs: CodedPairs) -> Counts:
    """Count the expected matches, gap openings and endings of every pair (forward-backward)."""
    n, n_states, n_symbols = len(pairs), len(machine.kinds), len(machine.odds)
    own = {kind: [g for g, k in enumerate(machine.kinds) if k == kind] for kind in "xy"}
    several = max(map(len, own.values())) > 1
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
    moves = [
        (s, g)
        for g in range(1, n_states)
        for s in range(n_states)
        if machine.transitions[s, g] > 0 and (several or s != g)
    ]
    gaps = np.arange(n_states - 1)

    for part in parts_of(machine, pairs, whole=True):
        found, members = forward_backward(machine, part, moves), part.members
        moved = np.zeros((n_states, n_states, len(members)))
        for (s, g), made in zip(moves, found.moved.T, strict=True):
            moved[s, g] = made * machine.transitions[s, g]
        begun, ended = found.begun.parts.transpose(1, 2, 0), found.ended.parts.transpose(1, 2, 0)
        beginning = begun[0, 1:]
        counts.log_likelihood[members] = found.ended.log_value
        counts.matches[members] = found.matches.reshape(-1, *[found.n_symbols] * 2)[
            :, :n_symbols, :n_symbols
        ]
        counts.beginning[:, members] = beginning
        counts.ending[:, members] = ended.sum(axis=0)
        counts.opening[:, members] = moved[0, 1:]
        crossing = moved[1:, 1:].copy()
        crossing[gaps, gaps] = 0.0
        counts.crossing[:, :, members] = crossing
        entered = begun[1:, 1:].sum(axis=0)
        if counts.visits is not None:
            counts.visits[:, members] = moved[:, 1:].sum(axis=0) + entered
        if counts.overhangs is not None and counts.overhang_letters is not None:
            counts.overhangs[:, :, :, members] = np.stack([begun[1:], ended[1:]])
            letters = np.stack([found.begun.letters.T, found.ended.letters.T])
            counts.overhang_letters[:, :, members] = letters
    return counts


class Found(NamedTuple):
    """What a sweep forward and back has found."""

    begun: Ends
    ended: Ends
    moved: Floats
    matches: Floats
    n_symbols: int


NO_CELLS = Cells(
    False,
    *(np.zeros(0, kind) for kind in (float, float, float, np.int64, float, np.int64, np.int64)),
)


def forward_backward(
    machine: Machine, part: Part, moves: list[tuple[int, int]], cells: Cells = NO_CELLS
) -> Found:
    """Sweep forward and back, and count moves between states and aligned letters."""
    tiles, lost, smallest = part.tiles, part.lost, part.smallest
    ways, n, place = directions(machine, tiles), len(tiles.length), np.argsort(order_of(machine))
    ahead = begin(tiles, ways[0], every=True)
    sweep(tiles, *ahead, lost, smallest, False)
    ended = ends_of(tiles, ahead.exits, *ways, False)
    n_rows, n_symbols = len(tiles.pair), ways[0].moves.n_symbols
    possible = ended.value > 0
    tally = Tally(
        place[np.array(moves, dtype=np.int64).reshape(-1, 2)],
        np.zeros((n_rows, len(moves))),
        np.zeros((n_rows, n_symbols**2)),
        np.divide(1.0, ended.value, out=np.zeros(n), where=possible),
        ended.scale,
    )
    back = begin(tiles, ways[1], whole=True)
    again = ahead._replace(room=room_of(tiles.size, ways[0].moves, whole=True))
    letters, moved = np.empty(n_symbols**2 * LANES), np.empty(max(len(moves), 1) * LANES)
    count(tiles, *back, tuple(again), lost, smallest, tally, cells, letters, moved)
    begun = ends_of(tiles, back.exits, *ways[::-1], False)
    first = tiles.first[:, 0]
    return Found(
        _reordered(begun, place),
        _reordered(ended, place),
        np.add.reduceat(tally.moved, first),
        np.add.reduceat(tally.matches, first),
        n_symbols,
    )


def _reordered(ends: Ends, place: Integers) -> Ends:
    return ends._replace(parts=ends.parts[:, :, place])
