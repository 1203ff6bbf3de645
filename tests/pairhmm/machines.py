"""Machines and sequence pairs for the tests of the pair-HMM sweeps."""

from __future__ import annotations

import numpy as np

from seqbio.pairhmm.dp import CodedPairs, Machine


def odds_of_identity(same, n_letters=4):
    """Odds when a fraction `same` of the aligned letters agree and all letters are as frequent."""
    odds = np.full((n_letters, n_letters), (1 - same) / (n_letters - 1) * n_letters)
    np.fill_diagonal(odds, same * n_letters)
    return odds


def lopsided_odds(n_letters=4):
    """Odds of which no two agree, so that no letter can be taken for another, nor x for y."""
    generator = np.random.default_rng(7)
    odds = generator.uniform(0.1, 0.9, (n_letters, n_letters))
    odds[np.diag_indices(n_letters)] += 2
    return odds


def mxy(open_x, open_y, extend_x, extend_y, switch_x=0.0, switch_y=0.0, end=0.01, odds=None):
    """Return the three states of the pair HMM; `end` may be one number or one for each state."""
    transitions = np.array(
        [
            [1 - open_x - open_y, open_x, open_y],
            [(1 - extend_x) * (1 - switch_x), extend_x, (1 - extend_x) * switch_x],
            [(1 - extend_y) * (1 - switch_y), (1 - extend_y) * switch_y, extend_y],
        ]
    )
    end = np.array(np.broadcast_to(end, 3), dtype=float)
    return Machine(
        "mxy",
        transitions * (1 - end)[:, None],
        end,
        lopsided_odds() if odds is None else odds,
    )


def random_machine(kinds, seed=3, n_letters=4):
    """Return a machine of any gap states, in which gaps of one sequence do not turn into others."""
    generator = np.random.default_rng(seed)
    n_states = len(kinds)
    moves = generator.uniform(0.2, 1, (n_states, n_states + 1))
    for g in range(1, n_states):
        for h in range(1, n_states):
            if g != h and kinds[g] == kinds[h]:
                moves[g, h] = 0
    moves /= moves.sum(axis=1, keepdims=True)
    return Machine(kinds, moves[:, :-1].copy(), moves[:, -1].copy(), lopsided_odds(n_letters))


# What people fit.
USUAL = {
    "untied": mxy(0.02, 0.05, 0.6, 0.3),
    "tied": mxy(0.03, 0.03, 0.4, 0.4),
    "switch": mxy(0.02, 0.05, 0.6, 0.3, 0.1, 0.25),
    "switch tied": mxy(0.03, 0.03, 0.4, 0.4, 0.2, 0.2),
    "end by state": mxy(0.02, 0.05, 0.6, 0.3, 0.1, 0.25, end=(0.02, 0.2, 0.05)),
    "long gaps": mxy(0.02, 0.03, 0.95, 0.95),
    "no end from gaps": mxy(0.02, 0.05, 0.6, 0.3, end=(0.02, 0, 0)),
}
# What a fit may come by, and probabilities of exactly 0.
EXTREME = {
    "rare gaps": mxy(1e-6, 1e-6, 1e-4, 1e-4),
    "extend 0": mxy(0.02, 0.05, 0, 0),
    "extend_x 0": mxy(0.02, 0.05, 0, 0.4),
    "extend_y 0": mxy(0.02, 0.05, 0.4, 0),
    "open_x 0": mxy(0, 0.05, 0.4, 0.5),
    "open_y 0": mxy(0.05, 0, 0.4, 0.5),
    "no gaps": mxy(0, 0, 0.4, 0.5),
    "open_x 0, switch": mxy(0, 0.05, 0.4, 0.5, 0, 0.3),
    "one-way switch": mxy(0.02, 0.05, 0.4, 0.5, 0.3, 0),
    "match 0": mxy(0.4, 0.6, 0.4, 0.5),
    "match 0, switch": mxy(0.4, 0.6, 0.4, 0.5, 0.2, 0.3),
    "close 0": mxy(0.1, 0.1, 0.4, 0.5, 1, 1),
    "no mismatches": mxy(0.02, 0.05, 0.4, 0.5, odds=odds_of_identity(1.0)),
    "no mismatches, open_x 0": mxy(0, 0.05, 0.4, 0.5, odds=odds_of_identity(1.0)),
    "end at once": mxy(0.02, 0.05, 0.6, 0.3, end=0.99),
    "end from gaps alone": mxy(0.02, 0.05, 0.6, 0.3, end=(0, 0.1, 0.2)),
}
IN_FRAME = np.array(
    [
        [0.7, 0.05, 0.1, 0.04, 0.0, 0.0],
        [0.6, 0.3, 0.05, 0.0, 0.0, 0.0],
        [0.5, 0.02, 0.4, 0.03, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
        [0.3, 0.0, 0.1, 0.5, 0.0, 0.0],
    ]
)
MANY_STATES = {
    "gaps in frame": Machine("mxyxxx", IN_FRAME, 1 - IN_FRAME.sum(axis=1), lopsided_odds()),
    "two kinds of gaps": random_machine("mxyxy"),
    "y first": random_machine("myx"),
    "gaps of one sequence": random_machine("mxx"),
}


def coded(machine, pairs):
    """Lay out pairs of lists of letters for the sweeps."""
    x, y = ([np.array(pair[side], dtype=np.uint8) for pair in pairs] for side in (0, 1))
    return CodedPairs.of(x, y, len(machine.odds))


def random_letters(generator, length, n_letters=4):
    return generator.integers(0, n_letters, length).tolist()


def pairs_of_all_lengths(longest, n_letters=4):
    """One random pair for every two lengths up to the longest."""
    generator = np.random.default_rng(longest)
    return [
        (random_letters(generator, n, n_letters), random_letters(generator, m, n_letters))
        for n in range(longest + 1)
        for m in range(longest + 1)
    ]


def relative(generator, letters, changed=0.1, gapped=0.05, n_letters=4):
    """Return a copy in which letters are replaced, left out and put in."""
    copy = []
    for letter in letters:
        draw = generator.random()
        if draw < changed:
            copy.append(int(generator.integers(n_letters)))
        elif draw > changed + gapped:
            copy.append(letter)
        while generator.random() < gapped:
            copy.append(int(generator.integers(n_letters)))
    return copy


def difficult_pairs(scale):
    """Pairs in which the best path leaves the diagonal, or competes with others far from it.

    The longest has about ``6 * scale`` letters.
    """
    generator = np.random.default_rng(scale)
    a, b = random_letters(generator, scale), random_letters(generator, scale)
    extra = random_letters(generator, 4 * scale)
    return {
        "homologous": (a + b, relative(generator, a + b)),
        "identical": (a + b, a + b),
        "unrelated": (a, b),
        "blocks exchanged": (a + b, b + a),
        "reversed": (a + b, (a + b)[::-1]),
        "extra in x first": (extra + a, relative(generator, a)),
        "extra in y first": (a, extra + relative(generator, a)),
        "extra in y last": (a, relative(generator, a) + extra),
        "extra in the middle": (a + extra + b, a + b),
        "shifted": (a + b, extra[:20] + (a + b)[:-20]),
        "50 times longer": (extra[: max(4 * scale // 50, 1)], extra),
        "one letter": ([0] * 2 * scale, [0] * scale),
        "nothing in common": ([0] * scale, [1] * scale),
        "nothing": (a, []),
    }
