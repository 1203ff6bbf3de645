import copy
import pickle
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.core import Layout, Tying, equal, fixed, untied
from seqbio.errors import TyingError
from tests.core.strategies import composed, random_pair, rewritten, tyings
from tests.reference import affine

INFINITE = [-np.inf, np.inf, 0.0]
seeds = st.integers(0, 2**32 - 1)


# --- the map itself ---------------------------------------------------------------------------


@given(tyings(), seeds)
def test_expand_is_the_loop_of_its_definition(tying, seed):
    free = np.random.default_rng(seed).normal(size=tying.n_free)
    np.testing.assert_array_equal(tying.expand(free), affine.expand(tying, free))


@given(tyings(), seeds)
def test_jacobian_is_the_linear_part_of_expand(tying, seed):
    free = np.random.default_rng(seed).normal(size=tying.n_free)
    np.testing.assert_allclose(tying.jacobian(), affine.linear_part(tying), atol=1e-15)
    np.testing.assert_allclose(tying.expand(free), tying.jacobian() @ free + tying.offset)


@given(tyings(), seeds)
def test_pull_back_is_the_adjoint_of_expand(tying, seed):
    # Whole numbers, so that both sides are exact.
    generator = np.random.default_rng(seed)
    free = generator.integers(-99, 100, size=tying.n_free).astype(float)
    gradient = generator.integers(-99, 100, size=tying.n_full).astype(float)
    assert gradient @ (tying.jacobian() @ free) == tying.pull_back(gradient) @ free
    np.testing.assert_array_equal(tying.pull_back(gradient), tying.jacobian().T @ gradient)


@given(tyings(), st.lists(st.integers(0, 3), max_size=3), seeds)
def test_leading_axes_are_a_batch(tying, lead, seed):
    generator = np.random.default_rng(seed)
    free = generator.normal(size=(*lead, tying.n_free))
    full = generator.normal(size=(*lead, tying.n_full))
    expanded, pulled, projected = tying.expand(free), tying.pull_back(full), tying.project(full)
    assert expanded.shape == (*lead, tying.n_full)
    assert pulled.shape == projected.shape == (*lead, tying.n_free)
    for index in np.ndindex(*lead):
        np.testing.assert_array_equal(expanded[index], tying.expand(free[index]))
        np.testing.assert_array_equal(pulled[index], tying.pull_back(full[index]))
        np.testing.assert_array_equal(projected[index], tying.project(full[index]))


@given(tyings())
def test_n_free_counts_the_groups_in_use(tying):
    assert tying.n_free == len(set(tying.group) - {-1}) == affine.rank(affine.linear_part(tying))


def test_groups_are_numbered_as_they_appear():
    tying = Tying([7, -1, 2, 7, 3], sign=[-1, 5, 1, 1, 1])
    np.testing.assert_array_equal(tying.group, [0, -1, 1, 0, 2])
    np.testing.assert_array_equal(tying.sign, [-1, 0, 1, 1, 1])
    assert tying == Tying([0, -1, 1, 0, 2], sign=[-1, 1, 1, 1, 1])


@given(tyings(fixed_offsets=INFINITE), seeds)
def test_infinities_never_make_nan(tying, seed):
    generator = np.random.default_rng(seed)
    free = generator.choice([-np.inf, np.inf, 0.0, 1.5], size=tying.n_free)
    with np.errstate(all="raise"):
        full = tying.expand(free)
        np.testing.assert_array_equal(full, affine.expand(tying, free))
        np.testing.assert_array_equal(tying.project(full), free)
        assert tying.contains(full)
        assert tying.is_nested_in(tying)


def test_pull_back_does_not_look_at_fixed_entries():
    with np.errstate(all="raise"):
        pulled = Tying([0, -1, 0, -1]).pull_back([1.0, np.nan, 2.0, np.inf])
    np.testing.assert_array_equal(pulled, [3.0])


# --- projection -------------------------------------------------------------------------------


@given(tyings(), seeds)
def test_projection_is_least_squares(tying, seed):
    full = np.random.default_rng(seed).normal(size=tying.n_full)
    matrix = tying.jacobian()
    expected = np.linalg.pinv(matrix) @ (full - tying.offset)
    np.testing.assert_allclose(tying.project(full), expected, atol=1e-12)


@pytest.mark.parametrize("n_copies", [1, 2, 3, 5, 11, 50])
def test_projection_of_equal_copies_has_no_rounding(n_copies):
    # The sum of the copies over their number would have some, from 3 copies on.
    free = np.random.default_rng(0).normal(size=100)
    tying = Tying(np.tile(np.arange(100), n_copies))
    np.testing.assert_array_equal(tying.project(tying.expand(free)), free)


@given(tyings(7), st.data(), seeds)
def test_projecting_a_null_onto_its_alternative_is_exact(alternative, data, seed):
    null = composed(alternative, data.draw(tyings(alternative.n_free)))
    full = null.expand(np.random.default_rng(seed).normal(size=null.n_free))
    assert null.is_nested_in(alternative)
    assert alternative.contains(full)
    again = alternative.expand(alternative.project(full))
    np.testing.assert_allclose(again, full, rtol=0, atol=1e-14)


def test_projection_refuses_copies_without_a_mean():
    tying = untied(1), equal(3, [1, 2])
    np.testing.assert_array_equal(tying[1].project([0.0, -np.inf, 3.0]), [0.0, -np.inf])
    with pytest.raises(TyingError, match="copies of entry 1 have no mean"):
        tying[1].project([0.0, -np.inf, np.inf])
    with pytest.raises(TyingError, match="copies of entry 0 have no mean: one is nan"):
        tying[0].project([np.nan])


@given(tyings(), seeds)
def test_contains_what_it_produces_and_nothing_next_to_it(tying, seed):
    generator = np.random.default_rng(seed)
    full = tying.expand(generator.normal(size=tying.n_free))
    assert tying.contains(full)
    for i in range(tying.n_full):
        moved = full.copy()
        moved[i] += 1e-3
        alone = tying.group[i] >= 0 and np.sum(tying.group == tying.group[i]) == 1
        assert tying.contains(moved) == alone
        assert tying.contains(moved, tolerance=1e-2)


def test_contains_treats_nan_as_outside():
    assert not untied(1).contains([np.nan])


# --- nesting ----------------------------------------------------------------------------------


def test_is_nested_in_agrees_with_ranks():
    generator, seen = random.Random(0), Counter()
    for _ in range(5000):
        first, second = random_pair(generator)
        nested = first.is_nested_in(second)
        assert nested == affine.is_contained(first, second)
        strictly = nested and first.n_free < second.n_free
        signs = nested and bool(np.any(first.sign * second.sign < 0))
        seen.update(nested=nested, other=not nested, strictly=strictly, signs=signs)
    # Agreement shows little unless both answers are common.
    assert min(seen.values()) > 1000, seen


@given(tyings(), st.randoms(use_true_random=False))
def test_tyings_with_the_same_vectors_are_nested_both_ways(tying, generator):
    other = rewritten(generator, tying)
    assert tying.is_nested_in(other)
    assert other.is_nested_in(tying)


def test_nesting_with_infinite_fixed_offsets():
    never = fixed(3, [0, 1], -np.inf)
    assert never.is_nested_in(untied(3))
    assert never.is_nested_in(equal(3, [0, 1]))
    assert never.is_nested_in(fixed(3, [0], -np.inf))
    assert not never.is_nested_in(fixed(3, [0], np.inf))
    assert not never.is_nested_in(equal(3, [0, 2]))
    assert not never.is_nested_in(Tying([0, 0, 1], sign=[1, -1, 1]))
    assert not untied(3).is_nested_in(never)


def test_rounding_of_offsets_does_not_break_nesting():
    one, other = fixed(1, [0], 0.1 + 0.2), fixed(1, [0], 0.3)
    assert one != other
    assert one.is_nested_in(other)
    assert not one.is_nested_in(fixed(1, [0], 0.3 + 1e-6))


def test_nesting_of_a_million_parameters():
    n = 1_000_000
    by_two, by_four = (Tying(np.arange(n) // size) for size in (2, 4))
    assert by_four.is_nested_in(by_two)
    assert not by_two.is_nested_in(by_four)
    assert by_two.intersect(by_four) == by_four


# --- intersection -----------------------------------------------------------------------------


def test_intersect_agrees_with_ranks():
    generator, seen = random.Random(0), Counter()
    for _ in range(2500):
        first, second = random_pair(generator)
        if not affine.meet(first, second):
            seen.update(contradictory=1)
            with pytest.raises(TyingError, match="contradict each other"):
                first.intersect(second)
            continue
        both = first.intersect(second)
        # Inside both, and as large as the set of vectors that satisfy both: it is that set.
        assert affine.is_contained(both, first)
        assert affine.is_contained(both, second)
        assert both.n_free == affine.intersection_dimension(first, second)
        assert both.is_nested_in(first)
        assert both.is_nested_in(second)
        fewer = min(first.n_free, second.n_free)
        seen.update(same=both.n_free == fewer, smaller=both.n_free < fewer)
    assert min(seen.values()) > 250, seen


@given(tyings(6), st.data())
def test_intersecting_with_a_special_case_gives_the_special_case(tying, data):
    null = composed(tying, data.draw(tyings(tying.n_free)))
    for both in (tying.intersect(null), null.intersect(tying)):
        assert both.is_nested_in(null)
        assert null.is_nested_in(both)


@given(tyings(6, fixed_offsets=INFINITE), tyings(6, fixed_offsets=INFINITE))
def test_intersect_handles_infinite_fixed_offsets(first, second):
    try:
        both = first.intersect(second)
    except TyingError as error:
        assert "contradict each other" in str(error)  # noqa: PT017
        return
    assert both.is_nested_in(first)
    assert both.is_nested_in(second)
    assert both.n_free <= min(first.n_free, second.n_free)


def test_infinite_ties_spread_along_equalities():
    both = fixed(4, [0], -np.inf).intersect(Tying([0, 0, 0, 1], sign=[1, 1, -1, 1]))
    np.testing.assert_array_equal(both.expand([2.0]), [-np.inf, -np.inf, np.inf, 2.0])
    with pytest.raises(TyingError, match=r"both -inf and 1;|both 1 and -inf;"):
        both.intersect(fixed(4, [1], 1.0))


def test_a_sign_conflict_fixes_half_the_constant():
    mirrored = Tying([0, 0], sign=[1, -1], offset=[0.0, 3.0])
    np.testing.assert_array_equal(mirrored.intersect(equal(2, [0, 1])).expand([]), [1.5, 1.5])


def test_contradictions_name_the_entry_and_both_values():
    message = r"x\[1\] would have to be both 2 and 3; leave out one"
    with pytest.raises(TyingError, match=message):
        fixed(2, [1], 2.0).intersect(fixed(2, [1], 3.0))
    message = r"x\[1\] would have to be both x\[0\] and x\[0\] - 1; leave out one"
    with pytest.raises(TyingError, match=message):
        equal(2, [0, 1]).intersect(Tying([0, 0], offset=[1, 0]))


# --- the object -------------------------------------------------------------------------------


@given(tyings(fixed_offsets=INFINITE))
def test_copies_are_equal_and_protected(tying):
    for again in (pickle.loads(pickle.dumps(tying)), copy.deepcopy(tying)):
        assert again == tying
        assert hash(again) == hash(tying)
        for array in (again.group, again.sign, again.offset):
            assert not array.flags.writeable


def test_equality_and_hash_go_by_content():
    assert Tying([0, 0]) != Tying([0, 1])
    assert Tying([0, 0]) != Tying([0, 0], sign=[1, -1])
    assert Tying([0, 0]) != Tying([0, 0], offset=[0, 1])
    assert Tying([0, 0]) != "a tying"
    assert len({Tying([5, 5], offset=[-0.0, 0.0]), Tying([0, 0])}) == 1


def test_a_tying_is_immutable():
    group, offset = np.array([0, 0]), np.zeros(2)
    tying = Tying(group, offset=offset)
    group[1], offset[1] = 5, 5.0
    assert tying == Tying([0, 0])
    with pytest.raises(AttributeError):
        tying.group = group
    with pytest.raises(ValueError, match="read-only"):
        tying.offset[0] = 1.0


def test_repr_is_short():
    assert repr(Tying([0, 0, -1])) == "Tying(n_full=3, n_free=1)"


def test_describe_names_what_is_equal_and_what_is_fixed():
    layout = Layout({"open": (2,), "shift": (3,), "never": ()})
    tying = Tying(
        [1, 1, 1, 1, 2, -1], sign=[-1, -1, 1, 1, 1, 1], offset=[0, 0, -1.5, -1.5, 9, -np.inf]
    )
    assert tying.describe(layout) == [
        "open[0] = open[1]",
        "shift[0] = shift[1] = -open[0] - 1.5",
        "never = -inf",
    ]
    assert untied(6).describe(layout) == []


def test_describe_shortens_long_lines():
    assert equal(9, range(9)).describe(Layout({"w": (9,)})) == [
        "w[0] = w[1] = w[2] = ... = w[8] (9 entries)"
    ]


def test_describe_refuses_the_layout_of_another_model():
    with pytest.raises(TyingError, match="the layout has 1 entries and the tying 2"):
        untied(2).describe(Layout({"a": ()}))


def test_nothing_at_all_is_a_tying():
    empty = Tying([])
    assert (empty.n_full, empty.n_free) == (0, 0)
    assert empty.expand([]).shape == empty.pull_back([]).shape == (0,)
    assert empty.is_nested_in(untied(0))
    assert empty.intersect(empty) == empty


# --- wrong input ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0, 1.5],), "group holds values of type float64; give integers"),
        (([True, False],), "group holds values of type bool; give integers"),
        (([[0, 1]],), r"group has shape \(1, 2\); give one number per entry"),
        (([0, -2],), r"group\[1\] is -2; give a group number of 0 or more, or -1 for fixed"),
        (([0, 1], [1]), r"sign has shape \(1,\); give an array of shape \(2,\)"),
        (([0, 1], [1, 2]), r"sign\[1\] is 2.0; give \+1 or -1"),
        (([0, 1], [np.nan, 1]), r"sign\[0\] is nan; give \+1 or -1"),
        (([0, 1], None, [0]), r"offset has shape \(1,\); give an array of shape \(2,\)"),
        (([0, -1], None, [0, np.nan]), r"offset\[1\] is nan; give a number"),
        (([0, -1], None, [-np.inf, 0]), r"offset\[0\] is -inf; .* group -1 to hold it there"),
    ],
)
def test_malformed_tyings_are_refused(arguments, message):
    with pytest.raises(TyingError, match=message):
        Tying(*arguments)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda tying: tying.expand([1.0, 2.0]), r"free has shape \(2,\); .* shape \(..., 1\)"),
        (lambda tying: tying.expand(1.0), r"free has shape \(\); .* shape \(..., 1\)"),
        (lambda tying: tying.pull_back([1.0]), r"gradient_full has shape \(1,\); .* \(..., 2\)"),
        (lambda tying: tying.project([1.0]), r"full has shape \(1,\); .* \(..., 2\)"),
        (lambda tying: tying.contains(np.ones((1, 2))), r"full has shape \(1, 2\); .* \(2,\)"),
        (lambda tying: tying.is_nested_in(untied(3)), "has 2 full parameters and the other 3"),
        (lambda tying: tying.intersect(untied(3)), "has 2 full parameters and the other 3"),
    ],
)
def test_wrong_lengths_are_refused(use, message):
    with pytest.raises(TyingError, match=message):
        use(Tying([0, 0]))
