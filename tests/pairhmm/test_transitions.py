"""The moves of a pair HMM against their definition, and their derivatives against differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import xlogy

from seqbio.pairhmm import transitions
from seqbio.pairhmm.transitions import TRANSITION_NAMES, EventCounts

MIXED = ("long_x", "long_y", "frame_x", "frame_y")
# With gaps of any kind in x and in y; shares that are 0 leave their states out.
coordinates = st.fixed_dictionaries(
    {
        name: st.floats(-8.0, 4.0) | st.just(-np.inf) if name in MIXED else st.floats(-8.0, 4.0)
        for name in TRANSITION_NAMES
    }
)
with_zeros = st.fixed_dictionaries(
    {
        name: st.floats(-8.0, 4.0)
        if name.startswith("end")
        else st.floats(-8.0, 4.0) | st.just(-np.inf)
        for name in TRANSITION_NAMES
    }
)


@st.composite
def possible_counts(draw, u):
    """Draw how often each move was made that the coordinates allow."""
    table = transitions.move_table(transitions.probabilities(u))
    generator = np.random.default_rng(draw(st.integers(0, 1000)))
    moves, endings = (
        np.where(possible > 0, generator.uniform(0, 100, possible.shape), 0.0)
        for possible in (table.moves, table.end)
    )
    return EventCounts(moves, endings, table.states)


def log_probability(u, events):
    """Log-probability of moves and endings that were made so often."""
    table = transitions.move_table(transitions.probabilities(u))
    made = xlogy(events.moves, table.moves).sum() + xlogy(events.endings, table.end).sum()
    return float(made)


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
    table = transitions.move_table(p)
    going_on = [
        [1 - 0.1 - 0.2, 0.1, 0.2],
        [(1 - 0.3) * (1 - 0.5), 0.3, (1 - 0.3) * 0.5],
        [(1 - 0.4) * (1 - 0.6), (1 - 0.4) * 0.6, 0.4],
    ]
    expected = [
        np.array(row) * (1 - e) for row, e in zip(going_on, (0.01, 0.02, 0.03), strict=True)
    ]
    assert table.states == ("m", "x", "y")
    np.testing.assert_allclose(table.moves, expected, rtol=1e-15)
    np.testing.assert_array_equal(table.end, [0.01, 0.02, 0.03])


def test_kinds_of_gaps_have_states_of_their_own():
    p = {"open_x": 0.1, "open_y": 0.2, "extend_x": 0.3, "extend_y": 0.4, "end_m": 0.01}
    p |= {"switch_x": 0.0, "switch_y": 0.5, "end_x": 0.0, "end_y": 0.0}
    p |= {"long_x": 0.25, "extend_long_x": 0.9, "frame_y": 0.2, "extend_frame_y": 0.6}
    table = transitions.move_table(p)
    assert table.states == ("m", "x", "y", "x_long", "y_frame_1", "y_frame_2", "y_frame_3")
    assert table.kinds == "mxyxyyy"
    expected = {
        "m": {"m": 0.7, "x": 0.075, "x_long": 0.025, "y": 0.16, "y_frame_1": 0.04},
        "x": {"m": 0.7, "x": 0.3},
        "y": {"m": 0.3, "y": 0.4, "x": 0.3 * 0.75, "x_long": 0.3 * 0.25},
        "x_long": {"m": 0.1, "x_long": 0.9},
        "y_frame_1": {"y_frame_2": 1.0},
        "y_frame_2": {"y_frame_3": 1.0},
        "y_frame_3": {"m": 0.2, "y_frame_1": 0.6, "x": 0.2 * 0.75, "x_long": 0.2 * 0.25},
    }
    for row, state in zip(table.moves, table.states, strict=True):
        wanted = [expected[state].get(other, 0.0) for other in table.states]
        np.testing.assert_allclose(row, np.array(wanted) * (0.99 if state == "m" else 1.0))


def law_of_lengths(table, side, longest):
    """Probability of each length of a gap that opens after aligned letters."""
    own = [i for i, kind in enumerate(table.kinds) if kind == side]
    left = table.moves[0, own] / table.moves[0, own].sum()
    law = []
    for _ in range(longest):
        after = left @ table.moves[np.ix_(own, own)]
        law.append(left.sum() - after.sum())
        left = after
    return np.array(law)


@pytest.mark.parametrize("side", "xy")
def test_gap_lengths_are_the_mixture_that_is_said(side):
    lengths = np.arange(1, 31)
    p = dict.fromkeys(TRANSITION_NAMES, 0.0)
    p |= {f"open_{side}": 0.1, f"extend_{side}": 0.3, f"end_{side}": 0.1, "end_m": 0.1}
    short = 0.7 * 0.3 ** (lengths - 1)
    law = law_of_lengths(transitions.move_table({**p, f"end_{side}": 0.0}), side, 30)
    np.testing.assert_allclose(law, short)
    p |= {f"long_{side}": 0.2, f"extend_long_{side}": 0.9, f"end_{side}": 0.0}
    law = law_of_lengths(transitions.move_table(p), side, 30)
    mixed = 0.8 * short + 0.2 * 0.1 * 0.9 ** (lengths - 1)
    np.testing.assert_allclose(law, mixed)
    p |= {f"frame_{side}": 0.4, f"extend_frame_{side}": 0.6}
    law = law_of_lengths(transitions.move_table(p), side, 30)
    framed = np.where(lengths % 3 == 0, 0.4 * 0.6 ** (lengths // 3 - 1.0), 0.0)
    np.testing.assert_allclose(law, 0.6 * mixed + 0.4 * framed)


@given(with_zeros)
def test_rows_are_distributions(u):
    table = transitions.move_table(transitions.probabilities(u))
    assert (table.moves >= 0).all()
    np.testing.assert_allclose(table.moves.sum(axis=1) + table.end, 1.0, rtol=1e-14)


@given(with_zeros)
def test_coordinates_and_probabilities_are_one_another_s_inverse(u):
    back = transitions.coordinates(transitions.probabilities(u))
    assert back.keys() == u.keys()
    for name in TRANSITION_NAMES:
        # 1 - p has lost digits where p is near 1.
        assert back[name] == pytest.approx(u[name], rel=1e-11, abs=1e-11)


@pytest.mark.filterwarnings("error")
def test_where_one_of_two_is_certain_the_other_is_impossible():
    u = dict.fromkeys(TRANSITION_NAMES, 0.25)
    certain = {**u, "overhang_begin_x": 1.0, "overhang_begin_y": 0.0}
    found = transitions.coordinates(certain)
    assert (found["overhang_begin_x"], found["overhang_begin_y"]) == (np.inf, -np.inf)


@given(with_zeros)
def test_minus_infinity_is_exactly_0(u):
    p = transitions.probabilities(u)
    assert {name for name in p if p[name] == 0} == {name for name in u if np.isneginf(u[name])}


@given(with_zeros, st.sampled_from(["open", "extend", "switch", "long", "extend_frame"]))
def test_equal_coordinates_are_equal_probabilities(u, kind):
    p = transitions.probabilities({**u, f"{kind}_y": u[f"{kind}_x"]})
    assert p[f"{kind}_x"] == p[f"{kind}_y"]


@given(with_zeros)
def test_opening_in_x_does_not_change_what_follows_a_gap(u):
    before = transitions.move_table(transitions.probabilities(u)).moves
    after = transitions.move_table(transitions.probabilities({**u, "open_x": 1.0})).moves
    np.testing.assert_array_equal(before[1:], after[1:])


@given(st.data(), coordinates, st.sampled_from(TRANSITION_NAMES))
def test_gradient_is_that_of_central_differences(data, u, name):
    events = data.draw(possible_counts(u))
    step = 1e-3
    values = [log_probability(moved(u, name, k * step), events) for k in (-2, -1, 1, 2)]
    expected = np.dot([1, -8, 8, -1], values) / (12 * step)
    found = transitions.gradient(transitions.probabilities(u), events)[name]
    # Rounding of the values, over the step.
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-12 * (1 + abs(values[0])) / step)


@given(st.data(), coordinates, st.sampled_from(TRANSITION_NAMES))
def test_curvature_is_minus_the_second_difference(data, u, name):
    events = data.draw(possible_counts(u))
    step = 1e-3

    def slope(k):
        p = transitions.probabilities(moved(u, name, k * step))
        return transitions.gradient(p, events)[name]

    expected = -np.dot([1, -8, 8, -1], [slope(k) for k in (-2, -1, 1, 2)]) / (12 * step)
    found = transitions.curvature(transitions.probabilities(u), events)[name]
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-8)


@given(st.data(), with_zeros)
def test_what_is_impossible_and_was_not_made_has_no_gradient(data, u):
    p = transitions.probabilities(u)
    gradient = transitions.gradient(p, data.draw(possible_counts(u)))
    assert all(gradient[name] == 0 for name in p if p[name] == 0)


@given(st.data(), coordinates)
def test_most_likely_probabilities_are_near_the_proportions_and_inside(data, u):
    events = data.draw(possible_counts(u))
    assert all(0 < value < 1 for value in transitions.most_likely(events).values())
    # With so many events that half of one more does not show, they are the proportions.
    many = EventCounts(1e9 * events.moves, 1e9 * events.endings, events.states)
    p = transitions.most_likely(many)
    for name, (made, chances) in transitions.choices(many).items():
        assert chances == 0 or p[name] == pytest.approx(made / chances, abs=1e-6)


def test_counts_of_pairs_add_up():
    generator = np.random.default_rng(1)
    each = EventCounts(generator.random((5, 3, 3)), generator.random((5, 3)))
    total = each.total()
    np.testing.assert_allclose(total.moves, sum(each.moves))
    np.testing.assert_allclose(total.endings, sum(each.endings))
    np.testing.assert_array_equal(each.of_pair(3).moves, each.moves[3])
