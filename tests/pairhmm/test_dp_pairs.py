"""Pairs that are long, unequal or far apart beside the loops in logs, and what must not matter."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from seqbio.pairhmm.dp import best_path_score, expected_counts, likelihood, log_likelihood
from tests.pairhmm.machines import (
    EXTREME,
    MANY_STATES,
    USUAL,
    coded,
    difficult_pairs,
    mxy,
    odds_of_identity,
    pairs_of_all_lengths,
    random_letters,
    relative,
)
from tests.pairhmm.test_dp import (
    SEVERE,
    close,
    compare_counts,
    compare_with_rows,
    counts_of_each_pair,
    each,
    paths_of,
)
from tests.reference import pair_hmm as reference


def at_distance(distance):
    """Return odds of the Jukes-Cantor model."""
    return odds_of_identity(0.25 + 0.75 * np.exp(-4 / 3 * distance))


def compare(machine, pairs):
    """Compare with the loops in logs, to 1e-10."""
    all_coded = coded(machine, pairs)
    scores, counts = log_likelihood(machine, all_coded), expected_counts(machine, all_coded)
    best = best_path_score(machine, all_coded)
    for pair, (x, y) in enumerate(pairs):
        expected = reference.expected_counts_by_rows(machine, x, y)
        close(scores[pair], expected.log_likelihood, f"pair {pair}")
        close(best[pair], reference.best_score_by_rows(machine, x, y), f"pair {pair}")
        compare_counts(counts, pair, expected, f"pair {pair}")


def ragged_pairs(seed):
    """Relatives and strangers of any lengths up to 300."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(0, 301, (6, 2)).tolist()
    strangers = [tuple(random_letters(generator, n) for n in own) for own in lengths[:3]]
    x = [random_letters(generator, n) for n, _ in lengths[3:]]
    return [*strangers, *((letters, relative(generator, letters)[:300]) for letters in x)]


# --- beside the loops ---------------------------------------------------------------------------


@each(USUAL)
def test_ragged_pairs_of_up_to_300_letters(machine):
    compare(machine, ragged_pairs(len(machine.kinds)))


@pytest.mark.parametrize("distance", [1e-6, 5.0])
def test_close_and_distant_pairs(distance):
    compare(mxy(0.02, 0.05, 0.6, 0.3, odds=at_distance(distance)), ragged_pairs(1))


@pytest.mark.parametrize(
    "machine",
    [
        mxy(0.02, 0.05, 1e-3, 1e-3, odds=at_distance(0.1)),
        mxy(0.02, 0.05, 1e-14, 0.3, odds=at_distance(0.1)),
        mxy(1e-8, 1e-8, 1e-6, 1e-6, odds=at_distance(0.1)),
        *(EXTREME[name] for name in ("extend 0", "extend_x 0", "match 0", "close 0")),
    ],
    ids=["1e-3", "1e-14", "rare", "extend 0", "extend_x 0", "match 0", "close 0"],
)
def test_small_probabilities_and_zeros(machine):
    generator = np.random.default_rng(2)
    x = random_letters(generator, 280)
    compare(machine, [(x, relative(generator, x)), (x[:120] + x[200:], x), *ragged_pairs(3)[:2]])


def test_homopolymers_and_a_translocated_half():
    x = random_letters(np.random.default_rng(4), 300)
    pairs = [([0] * 300, [0] * 170), ([0] * 200, [1] * 300), (x[150:] + x[:150], x)]
    compare(USUAL["untied"], pairs)
    compare(mxy(0.02, 0.05, 0.6, 0.3, odds=at_distance(1e-6)), pairs)


def test_one_letter_beside_3000():
    y = random_letters(np.random.default_rng(5), 3000)
    compare(USUAL["switch"], [([2], y), (y, [2]), ([], y), ([1, 0], y)])


@pytest.mark.slow
@pytest.mark.parametrize("machine", [USUAL["untied"], EXTREME["extend 0"]], ids=["usual", "zero"])
def test_3000_letters_beside_3000_that_have_nothing_to_do_with_them(machine):
    generator = np.random.default_rng(6)
    pair = random_letters(generator, 3000), random_letters(generator, 3000)
    compare_with_rows(machine, {"unrelated": pair})


@pytest.mark.slow
@each(MANY_STATES)
def test_equals_the_sum_over_all_alignments_of_many_states(machine):
    longest = 5 if len(machine.kinds) == 3 else 4
    pairs = pairs_of_all_lengths(longest)
    counts = expected_counts(machine, coded(machine, pairs))
    for pair, (x, y) in enumerate(pairs):
        paths = paths_of(machine.kinds, len(x), len(y))
        compare_counts(counts, pair, reference.enumerated_counts(machine, x, y, paths)[0])


# --- what tiles lose ----------------------------------------------------------------------------


def sizes_of_tiles(machine, pair, **options):
    all_coded = coded(machine, [pair])
    return [part.tiles.size for part in likelihood.parts_of(machine, all_coded, **options)]


@pytest.mark.parametrize("whole", [False, True])
def test_gaps_that_cannot_grow_need_no_small_tiles(whole):
    generator = np.random.default_rng(7)
    x = random_letters(generator, 600)
    y = [letter for place, letter in enumerate(x) if place % 50 != 7]
    machine = mxy(0.02, 0.05, 0, 0, odds=at_distance(0.1))
    [size] = sizes_of_tiles(machine, (x, y), whole=whole)
    assert size >= likelihood.SMALLEST
    compare(machine, [(x, y)])


def test_tiles_become_small_where_what_they_lose_matters():
    # Letters that differ cannot be aligned, so the only way leads along the edge of the matrix,
    # where every letter is 1e-14 of what there is inside.
    machine = mxy(0.02, 0.05, 1e-14, 1e-14, odds=odds_of_identity(1.0))
    pair = [0] * 100, [1] * 90
    [size] = sizes_of_tiles(machine, pair)
    assert size < likelihood.SMALLEST
    compare(machine, [pair])


@each(SEVERE | USUAL | MANY_STATES)
def test_nothing_is_lost_in_tiles_that_are_taken_to_be_safe(machine):
    possible = [pair for name, pair in difficult_pairs(60).items() if name != "nothing"]
    pairs = coded(machine, possible)
    size = likelihood._safe_size(machine, likelihood.FACTORS_IN_RANGE)
    laws, ends = likelihood._laws(machine, 500, best=False)
    for members, tiles in likelihood._cut(pairs, size) if size > 1 else []:
        part = likelihood.Part(tiles, members, laws, ends, exponent=0)
        assert likelihood._hold(machine, part, 1e-140, both=True).all()


# --- what must not matter -----------------------------------------------------------------------


@each({name: USUAL[name] for name in ("untied", "end by state")} | MANY_STATES)
def test_threads_change_no_bit(machine):
    pairs = [*ragged_pairs(8), *ragged_pairs(9)]
    alone = counts_of_each_pair(machine, pairs)
    with ThreadPoolExecutor(4) as pool:
        shares = [pairs[start::4] for start in range(4)] * 2
        found = list(pool.map(lambda share: counts_of_each_pair(machine, share), shares))
    for start, results in enumerate(found):
        for values, others in zip(alone, results, strict=True):
            np.testing.assert_array_equal(others, values[start % 4 :: 4])


PLAIN = """
import numpy as np
from seqbio.pairhmm import dp
from seqbio.pairhmm.dp import likelihood
from tests.pairhmm.machines import EXTREME, MANY_STATES, USUAL, coded
likelihood.LARGEST = likelihood.LARGEST_WHOLE = 4
PAIRS = [([0, 1, 2, 3, 1], [0, 2, 2]), ([1], []), ([0, 1, 2], [0, 1, 2])]
for machine in (USUAL["switch"], EXTREME["extend 0"], MANY_STATES["two kinds of gaps"]):
    pairs = coded(machine, PAIRS)
    counts = dp.expected_counts(machine, pairs)
    print(*dp.log_likelihood(machine, pairs), *dp.best_path_score(machine, pairs))
    print(*counts.matches.ravel(), *counts.opening.ravel(), *counts.crossing.ravel())
    print(*dp.best_paths(machine, pairs)[0])
    generator, one = np.random.default_rng(0), pairs.take(np.array([0]))
    print(*dp.match_posterior(machine, one).ravel())
    print(*dp.sample_paths(machine, one, 3, generator)[1])
"""


def test_kernels_give_the_same_numbers_where_compilation_is_off():
    printed = []
    for off in ("0", "1"):
        environment = os.environ | {"NUMBA_DISABLE_JIT": off}
        run = subprocess.run(
            [sys.executable, "-c", PLAIN],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        printed.append([[float(word) for word in line.split()] for line in run.stdout.splitlines()])
    for compiled, plain in zip(*printed, strict=True):
        close(plain, compiled)
