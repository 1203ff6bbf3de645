from __future__ import annotations

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.pairhmm.dp import Machine, best_path_score, best_paths, likelihood
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
)
from tests.reference import pair_hmm as reference

pytestmark = pytest.mark.filterwarnings("error")

# All numbers are powers of 2, so that scores are exact and equally good paths are exactly equal.
EXACT = Machine(
    "mxy",
    np.array([[0.5, 0.125, 0.125], [0.25, 0.5, 0.0625], [0.25, 0.0625, 0.5]]),
    np.array([0.25, 0.125, 0.125]),
    np.where(np.eye(4), 4.0, 0.125),
)


def each(machines):
    return pytest.mark.parametrize("machine", machines.values(), ids=machines.keys())


def letters_taken(machine, path):
    return [sum(machine.kinds[state] in kinds for state in path) for kinds in ("mx", "my")]


def check_paths(machine, pairs):
    """Every path makes its two sequences and is as probable as the best one."""
    pairs_coded = coded(machine, pairs)
    scores = best_path_score(machine, pairs_coded)
    for (x, y), path, score in zip(pairs, best_paths(machine, pairs_coded), scores, strict=True):
        if path is None:
            assert score == -np.inf
            continue
        assert path.dtype == np.uint8
        assert letters_taken(machine, path) == [len(x), len(y)]
        made = reference.path_score(machine, x, y, path.tolist())
        np.testing.assert_allclose(made, score, rtol=1e-9, atol=1e-9)


# --- score --------------------------------------------------------------------------------------


@each(USUAL | EXTREME | MANY_STATES)
def test_score_of_the_path_is_the_best_of_all_alignments(machine):
    pairs = pairs_of_all_lengths(4 if len(machine.kinds) == 3 else 3)
    for (x, y), path in zip(pairs, best_paths(machine, coded(machine, pairs)), strict=True):
        scores = [
            reference.path_score(machine, x, y, possible)
            for possible in reference.all_paths(machine.kinds, len(x), len(y))
        ]
        best = max(scores, default=-np.inf)
        assert (path is None) == (best == -np.inf)
        if path is not None:
            assert letters_taken(machine, path) == [len(x), len(y)]
            made = reference.path_score(machine, x, y, path.tolist())
            np.testing.assert_allclose(made, best, rtol=1e-10, atol=1e-12)


@each(USUAL | EXTREME | MANY_STATES)
def test_score_of_the_path_is_that_of_the_sweep(machine):
    check_paths(machine, list(difficult_pairs(30).values()))


@pytest.mark.parametrize("name", ["end by state", "tied"])
def test_score_of_the_path_is_that_of_the_sweep_in_long_pairs(name):
    check_paths(USUAL[name], list(difficult_pairs(150).values()))


@given(st.integers(0, 2**32 - 1), st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40))))
def test_neither_order_nor_company_of_the_pairs_matters(seed, lengths):
    machine, generator = USUAL["end by state"], np.random.default_rng(seed)
    pairs = [([0, 1], [0])]
    pairs += [(random_letters(generator, n), random_letters(generator, m)) for n, m in lengths]
    check_paths(machine, pairs)


# --- which of several ---------------------------------------------------------------------------


def exact_score(machine, x, y, path):
    score = Fraction(1)
    for event, *where in reference.path_events(machine, x, y, path):
        if event == "move":
            score *= Fraction(machine.transitions[*where])
        elif event == "match":
            score *= Fraction(machine.odds[where[0], where[1]])
        else:
            score *= Fraction(machine.end[where[0]])
    return score


def lowest_of_the_best(machine, x, y):
    """Of all the best paths, the one of the lowest states, the last state counting most."""
    scores = {
        path: exact_score(machine, x, y, path)
        for path in reference.all_paths(machine.kinds, len(x), len(y))
    }
    highest = max(scores.values())
    best = [path for path, score in scores.items() if score == highest]
    return list(min(best, key=lambda path: path[::-1])), len(best)


def test_among_equally_good_moves_the_one_from_the_lowest_state_is_taken():
    pairs = [
        *(([0] * n, [0] * m) for n in range(6) for m in range(6)),
        *(([0] * n, [1] * m) for n in range(5) for m in range(5)),
        ([0, 1, 0, 1, 0], [0, 1, 0]),
        ([2, 2, 3, 3], [2, 3]),
    ]
    n_ties = 0
    for (x, y), path in zip(pairs, best_paths(EXACT, coded(EXACT, pairs)), strict=True):
        expected, n_best = lowest_of_the_best(EXACT, x, y)
        assert path.tolist() == expected
        n_ties += n_best > 1
    assert n_ties > 20


def test_the_loops_break_ties_in_the_same_way():
    # The logarithms of powers of 2 are rounded, but here only whole multiples of one of them tie.
    for n, m in itertools.product(range(5), repeat=2):
        assert (
            reference.viterbi(EXACT, [0] * n, [0] * m)[1]
            == lowest_of_the_best(EXACT, [0] * n, [0] * m)[0]
        )


def test_a_gap_in_a_run_of_one_letter_stands_at_its_start():
    [path] = best_paths(EXACT, coded(EXACT, [([0] * 9, [0] * 7)]))
    assert path.tolist() == [1, 1, *[0] * 7]


@pytest.mark.parametrize("name", ["untied", "tied", "switch", "end by state"])
def test_rounding_does_not_decide_where_a_gap_stands(name):
    generator = np.random.default_rng(0)
    odds = odds_of_identity(0.9)
    for _ in range(5):
        before, after = random_letters(generator, 30), random_letters(generator, 30)
        pair = [*before, 1, *[0] * 6, 2, *after], [*before, 1, *[0] * 4, 2, *after]
        fair = dataclasses.replace(USUAL[name], odds=odds)
        [path] = best_paths(fair, coded(fair, [pair]))
        assert np.flatnonzero(path).tolist() == [31, 32]


# --- limits -------------------------------------------------------------------------------------


def test_pairs_that_cannot_be_made_have_no_path():
    machine = mxy(0, 0, 0.5, 0.5)
    pairs = [([0, 1], [0]), ([0, 1], [0, 1]), ([], [2])]
    first, second, third = best_paths(machine, coded(machine, pairs))
    assert first is None
    assert second.tolist() == [0, 0]
    assert third is None


def test_the_path_of_two_empty_sequences_is_empty():
    machine = USUAL["untied"]
    [path] = best_paths(machine, coded(machine, [([], [])]))
    assert path.shape == (0,)


def test_no_pairs_have_no_paths():
    assert best_paths(USUAL["untied"], coded(USUAL["untied"], [])) == []


@each({"usual": USUAL["end by state"], **MANY_STATES})
def test_size_of_the_tiles_does_not_matter(machine, monkeypatch):
    pairs = [*difficult_pairs(40).values(), *pairs_of_all_lengths(2)]
    pairs_coded = coded(machine, pairs)
    whole = best_paths(machine, pairs_coded)
    monkeypatch.setattr(likelihood, "LARGEST_WHOLE", 5)
    for path, other in zip(whole, best_paths(machine, pairs_coded), strict=True):
        np.testing.assert_array_equal(path, other)


def test_an_alignment_known_by_eye():
    generator = np.random.default_rng(0)
    x = random_letters(generator, 60)
    y = x[:20] + x[35:]
    [path] = best_paths(USUAL["untied"], coded(USUAL["untied"], [(x, y)]))
    assert path.tolist().count(1) == 15
    assert path.tolist().count(2) == 0
    [path] = best_paths(USUAL["untied"], coded(USUAL["untied"], [(y, x)]))
    assert path.tolist().count(1) == 0
    assert path.tolist().count(2) == 15
