"""Simulated pairs against the probabilities that they are drawn with.

Most tests use letters that give the path away: aligned letters are all 0 and letters against a
gap all 1. A path that never moves from one gap back into the other can then be read off its pair.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from seqbio.errors import ParameterError
from seqbio.pairhmm import PairHMM, transitions
from seqbio.pairhmm.pair_model import PairModel
from seqbio.pairhmm.simulation import _draw_core_of, simulate_pairs
from seqbio.pairhmm.transitions import MoveTable
from tests.pairhmm.examples import HKY85, encoded, in_rna
from tests.reference import substitution as reference

M, X, Y, END = range(4)
SMALLEST = 1e-3  # p-value; seeds are fixed, so a test that passes once passes for ever
PROBABILITY = {
    "open_x": 0.1,
    "open_y": 0.2,
    "extend_x": 0.3,
    "extend_y": 0.6,
    "end_m": 0.01,
    "end_x": 0.04,
    "end_y": 0.02,
}
# Moves between gaps in one direction at most; the state that comes first in a run of gaps.
MACHINES = {
    "switch off": ({"switch_x": 0.0, "switch_y": 0.0}, X),
    "from x to y": ({"switch_x": 0.3, "switch_y": 0.0}, X),
    "from y to x": ({"switch_x": 0.0, "switch_y": 0.3}, Y),
}
REVEALING = (np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([0.0, 1.0]))


def machine(name):
    switches, first = MACHINES[name]
    table = transitions.move_table({**PROBABILITY, **switches})
    return table.moves, table.end, first


def draw(moves, end, n_pairs, columns, seed, letters=REVEALING):
    columns = None if columns is None else np.broadcast_to(columns, n_pairs)
    generator = np.random.default_rng(seed)
    table = MoveTable(("m", "x", "y"), moves, end)
    return simulate_pairs(table, *letters, n_pairs, columns, generator)


def path_of(x, y, first):
    """Read the path off a pair with letters that give it away."""
    runs = [[len(run) for run in bytes(side).split(b"\0")] for side in (x, y)]
    path = []
    for in_x, in_y in zip(*runs, strict=True):
        gaps = [X] * in_x + [Y] * in_y if first == X else [Y] * in_y + [X] * in_x
        path += [*gaps, M]
    return path[:-1]


def path_probability(moves, end, path):
    probability, state = 1.0, M
    for following in path:
        probability *= moves[state, following]
        state = following
    return probability * end[state]


def p_value(observed, probability):
    """Chi-squared test of counts; nothing may be counted where the probability is 0."""
    observed, probability = np.ravel(observed), np.ravel(probability)
    assert not observed[probability == 0].any()
    possible = probability > 0
    expected = observed.sum() * probability[possible] / probability[possible].sum()
    assert expected.min() > 5
    return stats.chisquare(observed[possible], expected).pvalue


@pytest.mark.parametrize("name", MACHINES)
def test_moves_and_ends_are_as_frequent_as_their_probabilities(name):
    moves, end, first = machine(name)
    counts = np.zeros((3, 4))
    for x, y in zip(*draw(moves, end, 1500, None, seed=1), strict=True):
        path = path_of(x, y, first)
        # What precedes the first M depends on pairs with an empty sequence being drawn again.
        start = path.index(M) if M in path else len(path)
        for move in itertools.pairwise([*path[start:], END]):
            counts[move] += 1
    for state in (M, X, Y):
        assert p_value(counts[state], np.append(moves[state], end[state])) > SMALLEST


@pytest.mark.parametrize("name", MACHINES)
def test_paths_of_given_length_have_their_conditional_probabilities(name):
    moves, end, first = machine(name)
    paths = {
        path: path_probability(moves, end, path)
        for path in itertools.product((M, X, Y), repeat=3)
        if set(path) not in ({X}, {Y})  # those leave a sequence empty
    }
    counts = dict.fromkeys(paths, 0)
    for x, y in zip(*draw(moves, end, 30_000, 3, seed=2), strict=True):
        counts[tuple(path_of(x, y, first))] += 1
    common = [path for path, probability in paths.items() if probability > 2e-6]
    rare = [path for path in paths if path not in common]
    assert not any(counts[path] for path in rare if paths[path] == 0)
    assert p_value([counts[path] for path in common], [paths[path] for path in common]) > SMALLEST


def test_number_of_columns_is_as_asked():
    moves, end, first = machine("from x to y")
    columns = np.random.default_rng(3).integers(1, 60, 200)
    drawn = draw(moves, end, 200, columns, seed=3)
    paths = [path_of(x, y, first) for x, y in zip(*drawn, strict=True)]
    np.testing.assert_array_equal([len(path) for path in paths], columns)


def test_aligned_letters_and_letters_against_gaps_have_their_probabilities():
    generator = np.random.default_rng(4)
    # Aligned letters are among 0, 1, 2 and letters against gaps among 3, 4.
    joint, letters = np.zeros((5, 5)), np.array([0.0, 0.0, 0.0, 0.3, 0.7])
    joint[:3, :3] = generator.dirichlet(np.ones(9)).reshape(3, 3)
    moves, end, _ = machine("switch off")
    aligned, gaps = np.zeros((3, 3)), np.zeros((2, 2))
    for x, y in zip(*draw(moves, end, 100, 200, seed=5, letters=(joint, letters)), strict=True):
        np.add.at(aligned, (x[x < 3], y[y < 3]), 1)
        for side, codes in enumerate((x, y)):
            gaps[side] += np.bincount(codes[codes >= 3] - 3, minlength=2)
    assert p_value(aligned, joint[:3, :3]) > SMALLEST
    for side in (0, 1):
        assert p_value(gaps[side], letters[3:]) > SMALLEST


def test_lengths_are_those_of_the_model_given_that_no_sequence_is_empty():
    # Without gaps the length is geometric; half of all draws are empty and drawn again.
    moves, end = np.diag([0.5, 0.0, 0.0]), np.array([0.5, 1.0, 1.0])
    x, y = draw(moves, end, 5000, None, seed=6)
    lengths = np.array([len(codes) for codes in x])
    assert [len(codes) for codes in y] == lengths.tolist()
    observed = np.bincount(np.minimum(lengths, 9), minlength=10)
    expected = [0.0, *0.5 ** np.arange(1, 9), 0.5**8]
    assert p_value(observed, expected) > SMALLEST


def test_pairs_that_are_always_empty_are_refused():
    moves = np.array([[0.0, 0.9, 0.0], [0.0, 0.9, 0.0], [0.0, 0.0, 0.0]])
    with pytest.raises(ParameterError, match=r"4 of 4 pairs still had an empty sequence"):
        draw(moves, np.array([0.1, 0.1, 1.0]), 4, None, seed=7)


def test_model_draws_as_many_columns_as_the_data_have():
    model = PairModel("gtr")
    full = PairHMM().set_parameters(HKY85).full_
    generator = np.random.default_rng(8)
    data = model.draw(full, encoded([("A", "A")]).alphabet, 20, np.arange(10, 210, 10), generator)
    again = model.simulate(full, data, generator)
    assert len(again) == 20
    np.testing.assert_allclose(model.columns(full, data), np.arange(10, 210, 10), rtol=0.05, atol=1)
    np.testing.assert_allclose(
        model.columns(full, again), np.arange(10, 210, 10), rtol=0.05, atol=1
    )


# The estimator


@pytest.fixture
def hmm():
    return PairHMM().set_parameters(HKY85)


def letters_of(pairs):
    return [(str(x.seq), str(y.seq)) for x, y in pairs]


@pytest.mark.parametrize("columns", [None, 50])
def test_same_seed_same_pairs(hmm, columns):
    first, again, other = (
        letters_of(hmm.simulate(5, columns=columns, seed=seed))
        for seed in (1, np.random.default_rng(1), 2)
    )
    assert first == again
    assert first != other


def test_a_generator_goes_on(hmm):
    generator = np.random.default_rng(1)
    first, second = (letters_of(hmm.simulate(3, seed=generator)) for _ in range(2))
    assert first != second


def test_no_seed_is_another_one_each_time(hmm):
    first, second = (letters_of(hmm.simulate(3, columns=40)) for _ in range(2))
    assert first != second


def test_records_are_numbered_and_made_of_the_alphabet():
    hmm = PairHMM(alphabet="rna").set_parameters(in_rna(HKY85))
    pairs = hmm.simulate(3, columns=100, seed=1)
    ids = [(x.id, y.id) for x, y in pairs]
    assert ids == [(f"pair{number}/x", f"pair{number}/y") for number in (1, 2, 3)]
    assert set("".join(x + y for x, y in letters_of(pairs))) == set("ACGU")


def test_substitutions_are_those_of_the_substitution_model():
    hmm = PairHMM().set_parameters({**HKY85, "open_x": 0.0, "open_y": 0.0})
    counts = np.zeros((4, 4))
    for x, y in letters_of(hmm.simulate(40, columns=500, seed=9)):
        assert len(x) == len(y) == 500
        for a, b in zip(x, y, strict=True):
            counts["ACGT".index(a), "ACGT".index(b)] += 1
    frequencies = np.array([HKY85[f"frequency_{letter}"] for letter in "ACGT"])
    changes = reference.tn93(HKY85["distance"], frequencies, HKY85["kappa"], HKY85["kappa"])
    assert p_value(counts, frequencies[:, None] * changes) > SMALLEST


@pytest.mark.parametrize(("n_pairs", "columns"), [(0, None), (2, 0), (2, [3, -1])])
def test_numbers_below_1_are_refused(hmm, n_pairs, columns):
    with pytest.raises(ParameterError, match=r"n_pairs is 0|cannot have (0|-1) columns"):
        hmm.simulate(n_pairs, columns=columns)


@pytest.mark.parametrize("seed", [-1, 1.5, "one"])
def test_seeds_that_are_none_are_refused(hmm, seed):
    with pytest.raises(ParameterError, match=f"seed is {seed!r}; give an integer"):
        hmm.simulate(1, seed=seed)


def test_columns_of_another_number_of_pairs_are_refused(hmm):
    with pytest.raises(ParameterError, match="3 numbers of columns for 2 pairs"):
        hmm.simulate(2, columns=[3, 4, 5])


def test_a_number_of_columns_that_no_alignment_has_is_refused():
    table = MoveTable("mxy", np.zeros((3, 3)), np.ones(3))
    first = np.array([[1.0, 0.0, 0.0]])
    with pytest.raises(ParameterError, match="no alignment has 2 columns under these parameters"):
        _draw_core_of(np.array([3]), table, first, np.random.default_rng(1))
