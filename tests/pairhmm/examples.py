"""Parameters, pairs and data that the tests of the pair HMM share."""

from __future__ import annotations

import numpy as np

from seqbio.pairhmm.pair_data import PairData
from seqbio.pairhmm.transitions import OVERHANGS, TRANSITION_NAMES
from seqbio.sequences import get_alphabet

MOVES = {"open_x": 0.03, "open_y": 0.07, "extend_x": 0.3, "extend_y": 0.5}
FREQUENCIES = {
    "frequency_A": 0.4,
    "frequency_C": 0.1,
    "frequency_G": 0.2,
    "frequency_T": 0.3,
}
HKY85 = {**MOVES, "end": 0.01, "distance": 0.15, "kappa": 3.0, **FREQUENCIES}


def encoded(pairs, alphabet="dna"):
    """Encode pairs of plain strings."""
    letters = get_alphabet(alphabet)
    x, y = zip(*pairs, strict=True)
    return PairData(letters, [letters.encode(text) for text in x], list(map(letters.encode, y)))


def random_full(model, seed, spread=0.5):
    """Draw coordinates near moves that are neither rare nor certain, without overhangs."""
    noise = np.random.default_rng(seed).normal(0.0, spread, model.layout.size)
    full = noise - 1.0 * (np.arange(model.layout.size) < len(TRANSITION_NAMES))
    for side in "xy":
        for end in OVERHANGS:
            full[model.layout.slice(f"{end}_{side}")] = -np.inf
            full[model.layout.slice(f"extend_{end}_{side}")] = 0.0
    return full


def exchanged(parameters):
    """Exchange the roles of x and y among named parameters."""
    partner = {"x": "y", "y": "x"}
    return {
        f"{name[:-1]}{partner[name[-1]]}" if name[-2:] in ("_x", "_y") else name: value
        for name, value in parameters.items()
    }


def in_rna(named):
    """Call the frequency of T that of U."""
    return {name.replace("frequency_T", "frequency_U"): value for name, value in named.items()}
