"""How often the goodness-of-fit warning is given: for true models, and for two that are not.

Run from the root of the source tree; data sets are 100 pairs of about 150 letters:

    python -m tests.statistical.goodness_of_fit [data sets]

A true model may raise a warning in 1 % of data sets. Gap lengths from a mixture of two geometric
laws, and sequences that have lost five letters at one end, should raise one nearly always.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from seqbio.core import fit, spawn_generators
from seqbio.hypothesis_testing import Comparison
from seqbio.hypothesis_testing.goodness_of_fit import FALSE_ALARMS, goodness_checks
from seqbio.pairhmm import PairHMM
from tests.statistical.limits import binomial_limits

N_DATA_SETS = 100
N_PAIRS, COLUMNS = 100, 150
LETTERS = np.array(list("ACGT"))
TRUTH = {
    "open_x": 0.02,
    "open_y": 0.02,
    "extend_x": 0.5,
    "extend_y": 0.5,
    "end": 0.005,
    "distance": 0.1,
    "kappa": 2.0,
}
EXTENSIONS, SHARES = (0.25, 0.85), (0.7, 0.3)  # of the mixture


def true_pairs(generator: np.random.Generator) -> list[tuple[str, str]]:
    """Draw pairs from a pair HMM."""
    hmm = PairHMM().set_parameters(TRUTH)
    drawn = hmm.simulate(N_PAIRS, columns=COLUMNS, seed=generator)
    return [(str(x.seq), str(y.seq)) for x, y in drawn]


def trimmed_at_the_beginning(generator: np.random.Generator) -> list[tuple[str, str]]:
    """Cut five letters off the beginning of every y."""
    return [(x, y[5:]) for x, y in true_pairs(generator)]


def trimmed_at_the_end(generator: np.random.Generator) -> list[tuple[str, str]]:
    """Cut five letters off the end of every y."""
    return [(x, y[:-5]) for x, y in true_pairs(generator)]


def mixed_gap_lengths(generator: np.random.Generator) -> list[tuple[str, str]]:
    """Draw gaps that are short or long: a mixture of two geometric laws."""
    return [mixed_pair(generator) for _ in range(N_PAIRS)]


def mixed_pair(generator: np.random.Generator) -> tuple[str, str]:
    """Draw one pair with gaps of two kinds, alike in both sequences."""
    sides: tuple[list[str], list[str]] = [], []
    column = 0
    while column < COLUMNS:
        if generator.random() < 0.04:
            extension = EXTENSIONS[int(generator.random() < SHARES[1])]
            length = int(generator.geometric(1 - extension))
            sides[int(generator.random() < 0.5)].extend(generator.choice(LETTERS, length))
            column += length
        letter = generator.choice(LETTERS)
        sides[0].append(letter)
        sides[1].append(letter if generator.random() < 0.9 else generator.choice(LETTERS))
        column += 1
    return "".join(sides[0]), "".join(sides[1])


CASES = {
    "true": true_pairs,
    "trimmed at the beginning": trimmed_at_the_beginning,
    "trimmed at the end": trimmed_at_the_end,
    "gap lengths from a mixture": mixed_gap_lengths,
}


def n_warned(name: str, n_data_sets: int = N_DATA_SETS, seed: int = 0) -> int:
    """Count the data sets with a warning."""
    count = 0
    for generator in spawn_generators(seed, n_data_sets):
        hypothesis, data = PairHMM(tie=()).hypothesis(CASES[name](generator))
        fitted = fit(hypothesis.model, hypothesis.tying, data)
        count += bool(goodness_checks(Comparison(fitted, fitted, data, 0)))
    return count


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else N_DATA_SETS
    for name in sys.argv[2:] or CASES:
        started = time.perf_counter()
        warned = n_warned(name, n)
        limits = ""
        if name == "true":
            _, highest = binomial_limits(n, FALSE_ALARMS)
            limits = f" (at most {highest} at a level of {100 * FALSE_ALARMS:g} %)"
        seconds = time.perf_counter() - started
        print(f"{name}: {warned} of {n} data sets warned{limits}; {seconds:.0f} s", flush=True)
