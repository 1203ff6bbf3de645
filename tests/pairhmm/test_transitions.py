"""The moves of a pair HMM against their definition, and their derivatives against differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqbio.pairhmm import transitions
from seqbio.pairhmm.transitions import TRANSITION_NAMES, EventCounts

coordinates = st.fixed_dictionaries(dict.fromkeys(TRANSITION_NAMES, st.floats(-8.0, 4.0)))
with_zeros = st.fixed_dictionaries(
    {
        name: st.floats(-8.0, 4.0)
        if name.startswith("end")
        else st.floats(-8.0, 4.0) | st.just(-np.inf)
        for name in TRANSITION_NAMES
    }
)
counts = st.builds(
    EventCounts,
    arrays(np.float64, (3, 3), elements=st.floats(0.0, 100.0)),
    arrays(np.float64, 3, elements=st.floats(0.0, 100.0)),
)


def log_probability(u, events):
    """Log-probability of moves and endings that were made so often."""
    moves, end = transitions.move_matrix(transitions.probabilities(u))
    return float((events.moves * np.log(moves)).sum() + (events.endings * np.log(end)).sum())


def moved(u, name, step):
    return {**u, name: u[name] + step}


def test_moves_are_those_of_the_table():
    p = {
        "open_x": 0.1,
        "open_y": 0.2,
        "extend_x": 0.3,
        "extend_y": 0.4,
        "switch_x": 0.5,
        "switch_y": 0.6,
        "end_m": 0.01,
        "end_x": 0.02,
        "end_y": 0.03,
    }
    moves, end = transitions.move_matrix(p)
    going_on = [
        [1 - 0.1 - 0.2, 0.1, 0.2],
        [(1 - 0.3) * (1 - 0.5), 0.3, (1 - 0.3) * 0.5],
        [(1 - 0.4) * (1 - 0.6), (1 - 0.4) * 0.6, 0.4],
    ]
    expected = [
        np.array(row) * (1 - e) for row, e in zip(going_on, (0.01, 0.02, 0.03), strict=True)
    ]
    np.testing.assert_allclose(moves, expected, rtol=1e-15)
    np.testing.assert_array_equal(end, [0.01, 0.02, 0.03])


@given(with_zeros)
def test_rows_are_distributions(u):
    moves, end = transitions.move_matrix(transitions.probabilities(u))
    assert (moves >= 0).all()
    np.testing.assert_allclose(moves.sum(axis=1) + end, 1.0, rtol=1e-14)


@given(with_zeros)
def test_coordinates_and_probabilities_are_one_another_s_inverse(u):
    back = transitions.coordinates(transitions.probabilities(u))
    assert back.keys() == u.keys()
    for name in TRANSITION_NAMES:
        # 1 - p has lost digits where p is near 1.
        assert back[name] == pytest.approx(u[name], rel=1e-11, abs=1e-11)


@given(with_zeros)
def test_minus_infinity_is_exactly_0(u):
    p = transitions.probabilities(u)
    assert {name for name in p if p[name] == 0} == {name for name in u if np.isneginf(u[name])}


@given(with_zeros, st.sampled_from(["open", "extend", "switch"]))
def test_equal_coordinates_are_equal_probabilities(u, kind):
    p = transitions.probabilities({**u, f"{kind}_y": u[f"{kind}_x"]})
    assert p[f"{kind}_x"] == p[f"{kind}_y"]


@given(with_zeros)
def test_opening_in_x_does_not_change_what_follows_a_gap(u):
    before, _ = transitions.move_matrix(transitions.probabilities(u))
    after, _ = transitions.move_matrix(transitions.probabilities({**u, "open_x": 1.0}))
    np.testing.assert_array_equal(before[1:], after[1:])


@given(coordinates, counts, st.sampled_from(TRANSITION_NAMES))
def test_gradient_is_that_of_central_differences(u, events, name):
    step = 1e-3
    values = [log_probability(moved(u, name, k * step), events) for k in (-2, -1, 1, 2)]
    expected = np.dot([1, -8, 8, -1], values) / (12 * step)
    found = transitions.gradient(transitions.probabilities(u), events)[name]
    # Rounding of the values, over the step.
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-12 * (1 + abs(values[0])) / step)


@given(coordinates, counts, st.sampled_from(TRANSITION_NAMES))
def test_curvature_is_minus_the_second_difference(u, events, name):
    step = 1e-3

    def slope(k):
        p = transitions.probabilities(moved(u, name, k * step))
        return transitions.gradient(p, events)[name]

    expected = -np.dot([1, -8, 8, -1], [slope(k) for k in (-2, -1, 1, 2)]) / (12 * step)
    found = transitions.curvature(transitions.probabilities(u), events)[name]
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-8)


@given(with_zeros, counts)
def test_what_is_impossible_and_was_not_made_has_no_gradient(u, events):
    p = transitions.probabilities(u)
    possible = EventCounts(
        np.where(transitions.move_matrix(p)[0] > 0, events.moves, 0.0), events.endings
    )
    gradient = transitions.gradient(p, possible)
    assert all(gradient[name] == 0 for name in p if p[name] == 0)


@given(counts)
def test_most_likely_probabilities_are_near_the_proportions_and_inside(events):
    p = transitions.most_likely(events)
    moves, end = transitions.move_matrix(p)
    assert (moves > 0).all()
    assert (end > 0).all()
    # With so many events that half of one more does not show, they are the proportions.
    many = EventCounts(1e9 * (events.moves + 1), 1e9 * (events.endings + 1))
    moves, end = transitions.move_matrix(transitions.most_likely(many))
    chances = many.moves.sum(axis=1) + many.endings
    np.testing.assert_allclose(moves, many.moves / chances[:, None], rtol=1e-7)
    np.testing.assert_allclose(end, many.endings / chances, rtol=1e-7)


def test_counts_of_pairs_add_up():
    generator = np.random.default_rng(1)
    each = EventCounts(generator.random((5, 3, 3)), generator.random((5, 3)))
    total = each.total()
    np.testing.assert_allclose(total.moves, sum(each.moves))
    np.testing.assert_allclose(total.endings, sum(each.endings))
