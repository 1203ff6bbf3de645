"""The pair HMM as Durbin, Eddy, Krogh & Mitchison (1998), chapter 4, write it: loops, in logs.

A machine has the attributes `kinds`, `transitions`, `end` and `odds` of
`seqbio.pairhmm.dp.Machine`. State 0 is the match state, and where every path begins; the
other states are gaps. Every letter's background probability is divided out, so that a gap state
emits with odds 1. x and y are sequences of letter codes, and all results are natural logs.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np

STEPS = {"m": (1, 1), "x": (1, 0), "y": (0, 1)}  # letters of x and of y that a state takes


def log(probability):
    return math.log(probability) if probability > 0 else -math.inf


def log_sum(logs):
    largest = max(logs, default=-math.inf)
    if largest == -math.inf:
        return -math.inf
    return largest + math.log(sum(math.exp(value - largest) for value in logs))


def emission(machine, state, x, y, i, j):
    """Log odds of what a state emits when it has taken x[:i] and y[:j]."""
    return log(machine.odds[x[i - 1], y[j - 1]]) if machine.kinds[state] == "m" else 0.0


def moves(machine):
    return [[log(probability) for probability in row] for row in machine.transitions.tolist()]


# --- the recursions -----------------------------------------------------------------------------


def forward(machine, x, y, combine=log_sum):
    """f[i][j][k]: all paths that have made x[:i] and y[:j] and stand in state k."""
    n_states, move = len(machine.kinds), moves(machine)
    f = [[[-math.inf] * n_states for _ in range(len(y) + 1)] for _ in range(len(x) + 1)]
    f[0][0][0] = 0.0
    for i, j in itertools.product(range(len(x) + 1), range(len(y) + 1)):
        for state, kind in enumerate(machine.kinds):
            from_i, from_j = i - STEPS[kind][0], j - STEPS[kind][1]
            if from_i < 0 or from_j < 0:
                continue
            before = f[from_i][from_j]
            f[i][j][state] = emission(machine, state, x, y, i, j) + combine(
                [before[source] + move[source][state] for source in range(n_states)]
            )
    return f


def backward(machine, x, y):
    """b[i][j][k]: all ways to make the rest of x after i and of y after j, from state k."""
    n, m, n_states, move = len(x), len(y), len(machine.kinds), moves(machine)
    b = [[[-math.inf] * n_states for _ in range(m + 1)] for _ in range(n + 1)]
    b[n][m] = [log(probability) for probability in machine.end.tolist()]
    for i, j in itertools.product(range(n, -1, -1), range(m, -1, -1)):
        if (i, j) == (n, m):
            continue
        after = []
        for state, kind in enumerate(machine.kinds):
            to_i, to_j = i + STEPS[kind][0], j + STEPS[kind][1]
            if to_i <= n and to_j <= m:
                made = emission(machine, state, x, y, to_i, to_j)
                after.append((state, made + b[to_i][to_j][state]))
        for source in range(n_states):
            b[i][j][source] = log_sum([move[source][state] + value for state, value in after])
    return b


def ended(machine, last):
    return [value + log(end) for value, end in zip(last, machine.end.tolist(), strict=True)]


def log_likelihood(machine, x, y):
    return log_sum(ended(machine, forward(machine, x, y)[-1][-1]))


@dataclass
class Counts:
    """Expected numbers of events, given the pair; `aligned[i, j]` for letter i of x and j of y."""

    log_likelihood: float
    transitions: np.ndarray
    matches: np.ndarray
    beginning: np.ndarray
    ending: np.ndarray
    aligned: np.ndarray

    @classmethod
    def none(cls, machine, x, y):
        n_states = len(machine.kinds)
        return cls(
            -math.inf,
            np.zeros((n_states, n_states)),
            np.zeros(machine.odds.shape),
            np.zeros(n_states),
            np.zeros(n_states),
            np.zeros((len(x), len(y))),
        )


def expected_counts(machine, x, y):
    f, b, move = forward(machine, x, y), backward(machine, x, y), moves(machine)
    counts = Counts.none(machine, x, y)
    total = counts.log_likelihood = log_sum(ended(machine, f[-1][-1]))
    if total == -math.inf:
        return counts
    counts.ending[:] = [math.exp(value - total) for value in ended(machine, f[-1][-1])]
    for i, j in itertools.product(range(len(x) + 1), range(len(y) + 1)):
        for state, kind in enumerate(machine.kinds):
            from_i, from_j = i - STEPS[kind][0], j - STEPS[kind][1]
            if from_i < 0 or from_j < 0:
                continue
            rest = emission(machine, state, x, y, i, j) + b[i][j][state] - total
            for source, value in enumerate(f[from_i][from_j]):
                expected = math.exp(value + move[source][state] + rest)
                counts.transitions[source, state] += expected
                if (from_i, from_j) == (0, 0):
                    counts.beginning[state] += expected
            if kind == "m":
                posterior = math.exp(f[i][j][state] + b[i][j][state] - total)
                counts.aligned[i - 1, j - 1] = posterior
                counts.matches[x[i - 1], y[j - 1]] += posterior
    return counts


def viterbi(machine, x, y):
    """Score and states of the most probable path.

    Among equally good moves the one from the state of the lowest number is taken.
    """
    v, move = forward(machine, x, y, combine=max), moves(machine)
    last = ended(machine, v[-1][-1])
    score = max(last)
    if score == -math.inf:
        return score, None
    state, i, j, path = last.index(score), len(x), len(y), []
    while (i, j) != (0, 0):
        path.append(state)
        i, j = i - STEPS[machine.kinds[state]][0], j - STEPS[machine.kinds[state]][1]
        arrivals = [value + move[source][state] for source, value in enumerate(v[i][j])]
        state = arrivals.index(max(arrivals))
    return score, path[::-1]


# --- everything that can have happened ----------------------------------------------------------


def all_paths(kinds, n, m):
    """Yield every sequence of states that takes exactly n letters of x and m of y."""
    if n == m == 0:
        yield ()
        return
    for state, kind in enumerate(kinds):
        rest = n - STEPS[kind][0], m - STEPS[kind][1]
        if min(rest) >= 0:
            for path in all_paths(kinds, *rest):
                yield (state, *path)


def path_events(machine, x, y, path):
    """Yield ("move", from, to), ("match", a, b, i, j) and ("end", state) as a path has them."""
    i = j = state = 0
    for following in path:
        yield "move", state, following
        state = following
        i, j = i + STEPS[machine.kinds[state]][0], j + STEPS[machine.kinds[state]][1]
        if machine.kinds[state] == "m":
            yield "match", x[i - 1], y[j - 1], i - 1, j - 1
    yield "end", state


def path_score(machine, x, y, path):
    score = 0.0
    for event, *where in path_events(machine, x, y, path):
        if event == "move":
            score += log(machine.transitions[*where])
        elif event == "match":
            score += log(machine.odds[where[0], where[1]])
        else:
            score += log(machine.end[where[0]])
    return score


def enumerated_counts(machine, x, y, paths):
    """Sum over the given paths, which are all there are; also the score of the best one."""
    counts = Counts.none(machine, x, y)
    scores = [path_score(machine, x, y, path) for path in paths]
    total = counts.log_likelihood = log_sum(scores)
    if total == -math.inf:
        return counts, -math.inf
    for path, score in zip(paths, scores, strict=True):
        weight = math.exp(score - total)
        if path:
            counts.beginning[path[0]] += weight
        for event, *where in path_events(machine, x, y, path):
            if event == "move":
                counts.transitions[*where] += weight
            elif event == "match":
                counts.matches[where[0], where[1]] += weight
                counts.aligned[where[2], where[3]] += weight
            else:
                counts.ending[where[0]] += weight
    return counts, max(scores)


# --- long pairs: the same recursions, a row at a time -------------------------------------------


def logs(probabilities):
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def scan(arriving, stay, combine=np.logaddexp):
    """s[j] = combine(arriving[j], stay + s[j - 1]), for all j at once."""
    if stay == -np.inf:
        return arriving
    ramp = stay * np.arange(len(arriving))
    return combine.accumulate(arriving - ramp) + ramp


def forward_by_rows(machine, x, y, combine=np.logaddexp):
    """f[i, j, k] as `forward` makes it, for a machine of the states "mxy" alone."""
    move, odds = logs(machine.transitions), logs(machine.odds[np.ix_(x, y)])
    f = np.full((len(x) + 1, len(y) + 1, 3), -np.inf)
    f[0, 0, 0] = 0.0
    for i in range(len(x) + 1):
        if i > 0:
            arriving = combine.reduce(f[i - 1, :, :, None] + move[:, :2], axis=1)
            f[i, 1:, 0] = arriving[:-1, 0] + odds[i - 1]
            f[i, :, 1] = arriving[:, 1]
        into_y = combine(f[i, :, 0] + move[0, 2], f[i, :, 1] + move[1, 2])
        f[i, 1:, 2] = scan(into_y[:-1], move[2, 2], combine)
    return f


def backward_by_rows(machine, x, y):
    """b[i, j, k] as `backward` makes it, for a machine of the states "mxy" alone."""
    n, m = len(x), len(y)
    move, odds = logs(machine.transitions), logs(machine.odds[np.ix_(x, y)])
    b = np.full((n + 1, m + 1, 3), -np.inf)
    for i in range(n, -1, -1):
        leaving = np.full((m + 1, 3), -np.inf)
        if i == n:
            leaving[m] = logs(machine.end)
        else:
            matched = np.append(odds[i] + b[i + 1, 1:, 0], -np.inf)
            leaving = np.logaddexp(matched[:, None] + move[:, 0], b[i + 1, :, 1, None] + move[:, 1])
        b[i, :, 2] = scan(leaving[::-1, 2], move[2, 2])[::-1]
        following = np.append(b[i, 1:, 2], -np.inf)
        b[i, :, :2] = np.logaddexp(leaving[:, :2], following[:, None] + move[:2, 2])
    return b


def expected_counts_by_rows(machine, x, y):
    f, b = forward_by_rows(machine, x, y), backward_by_rows(machine, x, y)
    move, odds = logs(machine.transitions), logs(machine.odds[np.ix_(x, y)])
    counts = Counts.none(machine, x, y)
    total = counts.log_likelihood = ended_by_rows(machine, f[-1, -1])
    if total == -np.inf:
        return counts
    counts.ending = np.exp(f[-1, -1] + logs(machine.end) - total)
    counts.aligned = np.exp(f[1:, 1:, 0] + b[1:, 1:, 0] - total)
    np.add.at(counts.matches, np.ix_(x, y), counts.aligned)
    arrivals = [
        (f[:-1, :-1], odds + b[1:, 1:, 0]),
        (f[:-1], b[1:, :, 1]),
        (f[:, :-1], b[:, 1:, 2]),
    ]
    for state, (before, rest) in enumerate(arrivals):
        made = before + move[:, state] + (rest - total)[:, :, None]
        counts.transitions[:, state] = np.exp(made).sum(axis=(0, 1))
        counts.beginning[state] = np.exp(made[:1, :1, 0]).sum()
    return counts


def ended_by_rows(machine, last, combine=np.logaddexp):
    return combine.reduce(last + logs(machine.end))


def best_score_by_rows(machine, x, y):
    v = forward_by_rows(machine, x, y, combine=np.maximum)
    return ended_by_rows(machine, v[-1, -1], combine=np.maximum)


# --- overhangs: every core, with every overhang before and behind it ----------------------------


@dataclass
class Overhangs:
    """Chances of overhangs of x and of y at the beginning and at the end, and that they go on."""

    share: np.ndarray
    extend: np.ndarray


def behind_overhang(machine, side):
    """Count visits of each state for every one of M, on and on; those of X (of Y) do not count."""
    visits, arriving = np.eye(len(machine.end))[0], machine.transitions[0].copy()
    for _ in range(2000):
        arriving[0] = 0.0
        visits, arriving = visits + arriving, arriving @ machine.transitions
    visits[[kind == "xy"[side] for kind in machine.kinds]] = 0.0
    return visits / visits.sum()


def ends_alone(machine, side):
    """Chance from each state that it ends, or after nothing but X (but Y): longer and longer."""
    own = np.array([kind == "xy"[side] for kind in machine.kinds])
    total, rest = machine.end.copy(), machine.end.copy()
    for _ in range(2000):
        rest = machine.transitions @ (rest * own)
        total = total + rest
    return total, own


def nothing_left(machine, law):
    """Chance that overhangs of unlike sequences have nothing between them."""
    total = 0.0
    for side in (0, 1):
        alone, own = ends_alone(machine, side)
        begun = law.share[0, 1 - side] * behind_overhang(machine, 1 - side)
        total += law.share[1, side] * (begun * alone * own).sum()
    return total


def overhang_weight(law, end, letters):
    """Log weight of an overhang of some letters of x and of y; of none too before the core."""
    if max(letters) == 0:
        return log(1.0 - law.share[0].sum()) if end == 0 else 0.0
    side = 0 if letters[0] else 1
    share, extend = law.share[end, side], law.extend[end, side]
    return log(share * (1.0 - extend) * extend ** (letters[side] - 1))


def overhangs(machine, law, n, m):
    """Yield letters before and behind the core, of x and of y, and the log weight of both."""
    one = [(k, 0) for k in range(n + 1)] + [(0, k) for k in range(1, m + 1)]
    once = log(1.0 - nothing_left(machine, law))
    for before, behind in itertools.product(one, repeat=2):
        if before[0] + behind[0] <= n and before[1] + behind[1] <= m:
            weight = overhang_weight(law, 0, before) + overhang_weight(law, 1, behind)
            yield before, behind, weight - once


def constrained(machine, law, before, behind):
    """Chances of the first state of the core, and of the end after each state."""
    begin = behind_overhang(machine, int(before[1] > 0)) if max(before) else machine.transitions[0]
    if not max(behind):
        return begin, machine.end * (1.0 - law.share[1].sum())
    end, own = ends_alone(machine, int(behind[1] > 0))
    return begin, np.where(own, 0.0, end)


def core_paths(machine, law, x, y):
    """Yield every path through a core, its overhangs, and the log weight of all."""
    for before, behind, weight in overhangs(machine, law, len(x), len(y)):
        begin, end = constrained(machine, law, before, behind)
        inner = [
            letters[k : len(letters) - after]
            for letters, k, after in zip((x, y), before, behind, strict=True)
        ]
        for path in all_paths(machine.kinds, *map(len, inner)):
            if not path and max(before) > 0:
                continue
            score = weight
            for number, (event, *where) in enumerate(path_events(machine, *inner, path)):
                if event == "move":
                    score += log(begin[where[1]] if number == 0 else machine.transitions[*where])
                elif event == "match":
                    score += log(machine.odds[where[0], where[1]])
                else:
                    score += log(end[where[0]])
            yield path, before, behind, inner, score


def enumerated_with_overhangs(machine, law, x, y):
    """Aligned letters, overhangs by state, their letters, moves and endings that are expected."""
    every = list(core_paths(machine, law, x, y))
    total = log_sum([one[-1] for one in every])
    size = len(machine.kinds)
    aligned, beside = np.zeros((len(x), len(y))), np.zeros((2, 2, size))
    overhang_letters, moves, endings = np.zeros((2, 2)), np.zeros((size, size)), np.zeros(size)
    for path, before, behind, inner, score in every:
        weight = math.exp(score - total)
        for end, letters in enumerate((before, behind)):
            overhang_letters[end] += weight * np.array(letters)
            if max(letters):
                state = path[-end] if path else 0
                beside[end, int(letters[1] > 0), state] += weight
        events = list(path_events(machine, *inner, path))
        # The first state behind an overhang was not moved to.
        for event, *where in events[1:] if max(before) else events:
            if event == "move":
                moves[*where] += weight
            elif event == "end":
                endings[where[0]] += weight
        for event, *where in events:
            if event == "match":
                aligned[where[2] + before[0], where[3] + before[1]] += weight
    return aligned, beside, overhang_letters, moves, endings


def with_overhangs(machine, law, x, y, combine=log_sum):
    """Sum over all cores and overhangs (or take the best), each core by its own recursion."""
    scores = []
    for before, behind, weight in overhangs(machine, law, len(x), len(y)):
        begin, end = constrained(machine, law, before, behind)
        inner_x, inner_y = x[before[0] : len(x) - behind[0]], y[before[1] : len(y) - behind[1]]
        if max(before) and not (len(inner_x) or len(inner_y)):
            continue
        # A state that stands for the beginning makes the first move unlike the others.
        moves = np.pad(machine.transitions, ((1, 0), (1, 0)))
        moves[0, 1:] = begin
        begun = replace(
            machine, kinds="m" + machine.kinds, transitions=moves, end=np.append(end[0], end)
        )
        last = forward(begun, inner_x, inner_y, combine)[len(inner_x)][len(inner_y)]
        scores.append(weight + combine(ended(begun, last)))
    return combine(scores)


def with_overhangs_by_rows(machine, law, x, y):
    """The same for a machine of the states "mxy" in one pass: entries and exits at the edges."""
    move, odds = logs(machine.transitions), logs(machine.odds[np.ix_(x, y)])
    n, m = len(x), len(y)
    f = np.full((n + 1, m + 1, 3), -np.inf)
    f[0, 0, 0] = overhang_weight(law, 0, (0, 0))
    lengths = np.arange(max(n, m) + 1)
    before, behind = (
        [
            log(law.share[end, side] * (1.0 - law.extend[end, side]))
            + (lengths - 1) * log(law.extend[end, side])
            for side in (0, 1)
        ]
        for end in (0, 1)
    )
    first = [logs(behind_overhang(machine, side)) for side in (0, 1)]
    enter = np.full((n + 1, m + 1, 3), -np.inf)
    enter[1:, 0] = before[0][1 : n + 1, None] + first[0]
    enter[0, 1:] = before[1][1 : m + 1, None] + first[1]
    for i in range(n + 1):
        if i > 0:
            arriving = np.logaddexp.reduce(f[i - 1, :, :, None] + move[:, :2], axis=1)
            arriving = np.logaddexp(arriving, enter[i - 1, :, :2])
            f[i, 1:, 0] = arriving[:-1, 0] + odds[i - 1]
            f[i, :, 1] = arriving[:, 1]
        into_y = np.logaddexp(f[i, :, 0] + move[0, 2], f[i, :, 1] + move[1, 2])
        f[i, 1:, 2] = scan(np.logaddexp(into_y, enter[i, :, 2])[:-1], move[2, 2])
    leave = [logs(np.where(own, 0.0, end)) for end, own in (ends_alone(machine, s) for s in (0, 1))]
    ways = [
        *(f[n, m] + logs(machine.end) + log(1.0 - law.share[1].sum())),
        *(f[:n, m] + leave[0] + behind[0][n:0:-1, None]).ravel(),
        *(f[n, :m] + leave[1] + behind[1][m:0:-1, None]).ravel(),
    ]
    return np.logaddexp.reduce(ways) - log(1.0 - nothing_left(machine, law))
