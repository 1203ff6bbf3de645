from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.pairhmm.accuracy import (
    confidence,
    most_accurate_matches,
    path_of_matches,
)
from seqbio.pairhmm.alignments import columns_of_states
from seqbio.pairhmm.dp import (
    MatchPosterior,
    best_paths,
    likelihood,
    match_posterior,
    match_posteriors,
)
from seqbio.pairhmm.dp.machine import MOST_CELLS
from tests.pairhmm.machines import (
    EXTREME,
    MANY_STATES,
    USUAL,
    coded,
    difficult_pairs,
    mxy,
    pairs_of_all_lengths,
)
from tests.reference import pair_hmm as reference

pytestmark = pytest.mark.filterwarnings("error")

KINDS = {"m": 0, "x": 1, "y": 2}


def each(machines):
    return pytest.mark.parametrize("machine", machines.values(), ids=machines.keys())


def posteriors_of(machine, pairs):
    found = dict(match_posteriors(machine, coded(machine, pairs)))
    return [found[index] for index in range(len(pairs))]


def dense(posterior):
    matrix = np.zeros((len(posterior.unaligned_x), len(posterior.unaligned_y)))
    matrix[posterior.rows, posterior.columns] = posterior.probability
    return matrix


def reward(aligned, matches, gap_factor):
    """Add up, letter by letter, how likely it is that an alignment is right about it."""
    matched = dict(matches)
    total = 2.0 * sum(aligned[i, j] for i, j in matched.items())
    total += gap_factor * sum(1 - aligned[i].sum() for i in range(len(aligned)) if i not in matched)
    return total + gap_factor * sum(
        1 - aligned[:, j].sum() for j in range(aligned.shape[1]) if j not in matched.values()
    )


def all_chains(n, m):
    """Yield every set of aligned letters that an alignment can have."""
    for size in range(min(n, m) + 1):
        for rows in itertools.combinations(range(n), size):
            for columns in itertools.combinations(range(m), size):
                yield list(zip(rows, columns, strict=True))


# --- posterior probabilities --------------------------------------------------------------------


@each(USUAL | EXTREME | MANY_STATES)
def test_posteriors_are_those_of_the_loops(machine):
    pairs = pairs_of_all_lengths(4)
    for (x, y), posterior in zip(pairs, posteriors_of(machine, pairs), strict=True):
        expected = reference.expected_counts(machine, x, y)
        assert (posterior is None) == (expected.log_likelihood == -np.inf)
        if posterior is None:
            continue
        np.testing.assert_allclose(dense(posterior), expected.aligned, atol=4 / MOST_CELLS)
        unaligned_x = 1 - expected.aligned.sum(axis=1)
        unaligned_y = 1 - expected.aligned.sum(axis=0)
        np.testing.assert_allclose(posterior.unaligned_x, unaligned_x, atol=1e-12)
        np.testing.assert_allclose(posterior.unaligned_y, unaligned_y, atol=1e-12)


def test_posteriors_are_probabilities_and_in_order():
    machine, pairs = USUAL["end by state"], list(difficult_pairs(40).values())
    for (x, y), posterior in zip(pairs, posteriors_of(machine, pairs), strict=True):
        for values in (posterior.probability, posterior.unaligned_x, posterior.unaligned_y):
            assert ((values >= 0) & (values <= 1)).all()
        cells = posterior.rows * max(len(y), 1) + posterior.columns
        assert (np.diff(cells) > 0).all()
        pair_coded = coded(machine, [(x, y)])
        np.testing.assert_allclose(
            dense(posterior), match_posterior(machine, pair_coded), atol=1e-5
        )


def test_company_of_the_pairs_does_not_matter():
    machine, pairs = USUAL["switch"], list(difficult_pairs(15).values())
    for pair, together in zip(pairs, posteriors_of(machine, pairs), strict=True):
        [alone] = posteriors_of(machine, [pair])
        for name in ("rows", "columns", "probability", "unaligned_x", "unaligned_y"):
            np.testing.assert_allclose(getattr(alone, name), getattr(together, name), atol=1e-14)


def test_size_of_the_tiles_does_not_matter(monkeypatch):
    machine, pairs = USUAL["end by state"], list(difficult_pairs(20).values())
    whole = posteriors_of(machine, pairs)
    monkeypatch.setattr(likelihood, "LARGEST_WHOLE", 5)
    for one, other in zip(whole, posteriors_of(machine, pairs), strict=True):
        np.testing.assert_array_equal(one.rows, other.rows)
        np.testing.assert_allclose(one.probability, other.probability, rtol=1e-12)
        np.testing.assert_allclose(one.unaligned_y, other.unaligned_y, atol=1e-12)


def test_lookup_gives_0_for_cells_left_out():
    posterior = MatchPosterior(
        np.array([0, 0, 2]), np.array([1, 3, 0]), np.array([0.5, 0.25, 1]), np.zeros(3), np.zeros(4)
    )
    wanted = np.array([[0, 3], [2, 3], [0, 0], [0, 1], [2, 0], [1, 1]])
    assert posterior.of(wanted).tolist() == [0.25, 0, 0, 0.5, 1, 0]
    assert posterior.of(np.zeros((0, 2), dtype=np.int64)).shape == (0,)
    nothing = np.zeros(0, dtype=np.int64)
    empty = MatchPosterior(nothing, nothing, np.zeros(0), np.zeros(3), np.zeros(4))
    assert empty.of(wanted).tolist() == [0] * 6


def test_leaving_cells_out_costs_no_more_than_is_said(monkeypatch):
    machine, pairs = mxy(0.2, 0.2, 0.7, 0.7), list(difficult_pairs(12).values())
    whole = posteriors_of(machine, pairs)
    monkeypatch.setattr("seqbio.pairhmm.dp.posterior.MOST_CELLS", 400)
    n_fewer = 0
    for (x, y), exact, fewer in zip(pairs, whole, posteriors_of(machine, pairs), strict=True):
        least = min(len(x), len(y)) / 400
        kept = exact.probability > least
        np.testing.assert_array_equal(fewer.probability, exact.probability[kept])
        np.testing.assert_array_equal(fewer.unaligned_x, exact.unaligned_x)
        assert len(fewer.probability) <= 400
        n_fewer += not kept.all()

        def accuracy_of(posterior, x=x, y=y, exact=exact):
            path = path_of_matches(most_accurate_matches(posterior, 1.0), [len(x), len(y)])
            return confidence(exact, path).expected_accuracy

        assert accuracy_of(exact) - least <= accuracy_of(fewer) <= accuracy_of(exact) + 1e-9
    assert n_fewer > 5


# --- the most accurate alignment ----------------------------------------------------------------


@pytest.mark.parametrize("gap_factor", [0.0, 0.5, 1.0, 3.0])
@each(USUAL | EXTREME | MANY_STATES)
def test_no_alignment_is_more_accurate(machine, gap_factor):
    pairs = pairs_of_all_lengths(4)
    for posterior in posteriors_of(machine, pairs):
        if posterior is None:
            continue
        matches = most_accurate_matches(posterior, gap_factor)
        assert (np.diff(matches, axis=0) > 0).all()
        aligned = dense(posterior)
        best = max(reward(aligned, chain, gap_factor) for chain in all_chains(*aligned.shape))
        found = reward(aligned, matches.tolist(), gap_factor)
        np.testing.assert_allclose(found, best, atol=1e-8)


@given(st.data())
def test_among_equals_the_latest_letters_are_aligned(data):
    n, m = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 4))
    weights = data.draw(
        st.lists(st.integers(0, 2), min_size=n * m, max_size=n * m).map(np.array)
    ).reshape(n, m)
    rows, columns = np.nonzero(np.ones((n, m)))
    posterior = MatchPosterior(rows, columns, weights.ravel() / 2, np.zeros(n), np.zeros(m))
    chains = [chain for chain in all_chains(n, m) if all(weights[i, j] > 0 for i, j in chain)]
    total = {tuple(chain): sum(weights[i, j] for i, j in chain) for chain in chains}
    best = [chain for chain, weight in total.items() if weight == max(total.values())]
    latest = max(best, key=lambda chain: [(j, i) for i, j in reversed(chain)])
    assert most_accurate_matches(posterior, 1.0).tolist() == [list(cell) for cell in latest]


@each(USUAL | MANY_STATES)
def test_the_most_accurate_alignment_is_at_least_as_accurate_as_the_most_probable(machine):
    pairs = list(difficult_pairs(30).values())
    paths = best_paths(machine, coded(machine, pairs))
    n_better = 0
    for (x, y), posterior, states in zip(pairs, posteriors_of(machine, pairs), paths, strict=True):
        if posterior is None:
            continue
        matches = most_accurate_matches(posterior, 1.0)
        best = confidence(posterior, path_of_matches(matches, [len(x), len(y)]))
        viterbi = confidence(posterior, columns_of_states(states, machine.kinds))
        assert best.expected_accuracy >= viterbi.expected_accuracy - 1e-9
        n_better += best.expected_accuracy > viterbi.expected_accuracy + 1e-3
        more = most_accurate_matches(posterior, 0.0)
        assert posterior.of(more).sum() >= posterior.of(matches).sum() - 1e-9
    assert n_better > 0


def test_pairs_that_cannot_be_made_have_none():
    machine = mxy(0, 0, 0.5, 0.5)
    assert [p is None for p in posteriors_of(machine, [([0, 1], [0]), ([0], [0])])] == [True, False]


# --- confidence ---------------------------------------------------------------------------------


@each({"switch": USUAL["switch"], **MANY_STATES})
def test_expected_accuracy_is_the_mean_over_all_alignments_of_the_letters_said_right(machine):
    x, y = [0, 1, 2, 0], [0, 2, 2]
    [posterior] = posteriors_of(machine, [(x, y)])
    paths = list(reference.all_paths(machine.kinds, len(x), len(y)))
    scores = np.array([reference.path_score(machine, x, y, path) for path in paths])
    chance = np.exp(scores - reference.log_sum(scores.tolist()))

    def said(kinds):
        """What an alignment says of every letter: its partner, or None."""
        i = j = 0
        partners = [None] * (len(x) + len(y))
        for kind in kinds:
            if kind == 0:
                partners[i], partners[len(x) + j] = j, i
            i, j = i + (kind != 2), j + (kind != 1)
        return partners

    truths = [said([KINDS[machine.kinds[state]] for state in path]) for path in paths]
    for path in ([0, 1, 0, 0], [1, 1, 0, 0, 2], [2, 2, 2, 1, 1, 1, 1]):
        right = [
            np.mean([one == other for one, other in zip(said(path), truth, strict=True)])
            for truth in truths
        ]
        found = confidence(posterior, np.array(path, dtype=np.uint8))
        np.testing.assert_allclose(found.expected_accuracy, chance @ right, atol=1e-6)
        assert found.columns.shape == (len(path),)


def test_columns_are_confident_of_what_they_say():
    posterior = MatchPosterior(
        np.array([0]), np.array([0]), np.array([0.9]), np.array([0.1, 0.6]), np.array([0.1, 0.7])
    )
    found = confidence(posterior, np.array([0, 1, 2], dtype=np.uint8))
    assert found.columns.tolist() == [0.9, 0.6, 0.7]
    assert found.expected_accuracy == pytest.approx((2 * 0.9 + 0.6 + 0.7) / 4)


def test_nothing_is_said_of_nothing():
    machine = USUAL["untied"]
    [posterior] = posteriors_of(machine, [([], [])])
    path = path_of_matches(most_accurate_matches(posterior, 1.0), np.array([0, 0]))
    assert path.shape == (0,)
    assert confidence(posterior, path).expected_accuracy == 1.0


@pytest.mark.parametrize(
    ("matches", "lengths", "path"),
    [
        ([], (0, 0), []),
        ([], (2, 1), [1, 1, 2]),
        ([(0, 0), (1, 1)], (2, 2), [0, 0]),
        ([(1, 2)], (3, 4), [1, 2, 2, 0, 1, 2]),
        ([(0, 1), (3, 2)], (4, 3), [2, 0, 1, 1, 0]),
    ],
)
def test_letters_of_x_come_before_those_of_y(matches, lengths, path):
    matches = np.array(matches, dtype=np.int64).reshape(-1, 2)
    found = path_of_matches(matches, np.array(lengths))
    assert found.dtype == np.uint8
    assert found.tolist() == path
