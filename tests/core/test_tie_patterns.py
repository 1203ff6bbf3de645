import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.core import (
    Tying,
    equal,
    fixed,
    hashed,
    joined,
    permuted,
    repeated,
    toeplitz,
    transposed,
    untied,
)
from seqbio.errors import TyingError
from tests.core.strategies import tyings

lengths = st.integers(0, 5)


def ties(tying):
    """Return the matrix that says which entries are the same number: 1, opposite: -1, or not: 0."""
    return tying.jacobian() @ tying.jacobian().T


def distinct(tying):
    """Return full parameters that are equal only where the tying makes them so."""
    return tying.expand(np.random.default_rng(0).normal(size=tying.n_free))


@given(lengths)
def test_untied(n):
    np.testing.assert_array_equal(untied(n).expand(np.arange(n)), np.arange(n))


@given(st.lists(st.lists(st.integers(0, 7), max_size=4), max_size=4))
def test_equal(index_sets):
    same = np.eye(8, dtype=bool)
    for _ in range(8):  # sets that share an entry are one, along chains of any length
        for indices in index_sets:
            for i in indices:
                for j in indices:
                    joint = same[i] | same[j]
                    for k in np.flatnonzero(joint):
                        same[k] |= joint
    np.testing.assert_array_equal(ties(equal(8, *index_sets)), same)


def test_equal_takes_sets_in_any_shape():
    assert equal(5, np.array([[0, 1], [2, 3]])) == Tying([0, 0, 0, 0, 1])


@given(st.dictionaries(st.integers(0, 5), st.sampled_from([0.0, 1.5, -np.inf, np.inf])))
def test_fixed(held):
    tying = fixed(6, np.array(list(held), dtype=int), list(held.values()))
    assert tying.n_free == 6 - len(held)
    free = iter(np.arange(10.0, 20.0))
    expected = [held[i] if i in held else next(free) for i in range(6)]
    np.testing.assert_array_equal(tying.expand(np.arange(10.0, 10.0 + tying.n_free)), expected)


def test_fixed_takes_one_value_for_all_and_repeats_that_agree():
    assert fixed(3, [0, 2], 4.0) == fixed(3, [0, 2, 0], [4.0, 4.0, 4.0])
    with pytest.raises(TyingError, match=r"x\[1\] would have to be both 2 and 3"):
        fixed(3, [1, 1], [2.0, 3.0])


@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.data())
def test_repeated(shape, data):
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1)).map(tuple))
    tying = repeated(tuple(shape), axes)
    full = distinct(tying).reshape(shape)
    assert tying.n_free == np.prod([shape[a] for a in range(len(shape)) if a not in axes])
    for index in np.ndindex(*shape):
        at_start = tuple(0 if axis in axes else i for axis, i in enumerate(index))
        assert full[index] == full[at_start]


def test_repeated_along_one_axis_tiles_the_free_array():
    kernel = np.arange(6.0).reshape(2, 3)
    full = repeated((4, 2, 3), axis=0).expand(kernel.ravel()).reshape(4, 2, 3)
    np.testing.assert_array_equal(full, [kernel] * 4)
    assert repeated((2, 3), axis=-1) == repeated((2, 3), axis=1)


@given(st.permutations(range(6)), st.lists(st.sampled_from([1, -1]), min_size=6, max_size=6))
def test_permuted(permutation, sign):
    tying = permuted(6, permutation, sign)
    full = distinct(tying)
    for i in range(6):
        assert full[i] == sign[i] * full[permutation[i]]
    n_free = 0
    for start in range(6):  # walk around the cycle of each entry
        around, i = sign[start], permutation[start]
        cycle = {start}
        while i != start:
            cycle.add(i)
            around, i = around * sign[i], permutation[i]
        assert (full[start] == 0) == (around == -1)
        n_free += around == 1 and start == min(cycle)
    assert tying.n_free == n_free


def test_permuted_reverse_complement():
    # Letters A, C, G, T by 3 positions: the complement flips the letters, the reverse the width.
    index = np.arange(12).reshape(4, 3)
    tying = permuted(12, index[::-1, ::-1].ravel())
    full = distinct(tying).reshape(4, 3)
    np.testing.assert_array_equal(full, full[::-1, ::-1])
    assert tying.n_free == 6


@given(lengths, lengths)
def test_transposed(rows, columns):
    tying = transposed(rows, columns)
    full = distinct(tying)
    assert tying.n_free == rows * columns
    first = full[: rows * columns].reshape(rows, columns)
    second = full[rows * columns :].reshape(columns, rows)
    for i in range(rows):
        for j in range(columns):
            assert first[i, j] == second[j, i]


@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.booleans())
def test_hashed(n_buckets, seed, signed):
    tying = hashed((6, 7), n_buckets, seed, signed)
    generator = np.random.default_rng(seed)
    bucket = generator.integers(n_buckets, size=42)
    sign = generator.choice([-1, 1], size=42) if signed else np.ones(42)
    assert tying.n_free == len(set(bucket))
    expected = [
        [sign[i] * sign[j] * (bucket[i] == bucket[j]) for j in range(42)] for i in range(42)
    ]
    np.testing.assert_array_equal(ties(tying), expected)


def test_hashed_buckets_and_signs_are_uniform():
    tying = hashed((40_000,), 4, seed=np.random.default_rng(1))
    counts = np.bincount(tying.group)
    # Five standard deviations of a binomial count: sqrt(40000 * 1/4 * 3/4) = 87.
    np.testing.assert_allclose(counts, 10_000, atol=435)
    assert abs(int(tying.sign.sum(dtype=int))) < 5 * 200
    assert hashed((40_000,), 4, seed=1) == tying


@given(lengths, lengths)
def test_toeplitz(rows, columns):
    tying = toeplitz(rows, columns)
    lag = [i - j for i in range(rows) for j in range(columns)]
    assert tying.n_free == len(set(lag))
    np.testing.assert_array_equal(ties(tying), [[a == b for b in lag] for a in lag] or np.eye(0))


@given(st.lists(tyings(fixed_offsets=[-np.inf, 1.0]), max_size=4))
def test_joined(blocks):
    tying = joined(*blocks)
    free = np.arange(1.0, 1.0 + tying.n_free)
    expected, start = [], 0
    for block in blocks:
        expected.extend(block.expand(free[start : start + block.n_free]))
        start += block.n_free
    np.testing.assert_array_equal(tying.expand(free), expected)
    assert tying.n_free == start


def test_patterns_combine():
    symmetric = permuted(9, np.arange(9).reshape(3, 3).T.ravel())
    circulant = toeplitz(3, 3).intersect(symmetric)
    full = distinct(circulant).reshape(3, 3)
    assert circulant.n_free == 3
    np.testing.assert_array_equal(full, full.T)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: equal(2, [0, 2]), r"an index set\[1\] is 2; give entries from 0 to 1"),
        (lambda: equal(2, [0, -1]), r"an index set\[1\] is -1"),
        (lambda: equal(2, [0.0, 1.0]), "an index set holds values of type float64; give integers"),
        (lambda: fixed(2, [True, False], 0.0), "indices holds values of type bool"),
        (lambda: fixed(2, [2], 0.0), r"indices\[0\] is 2; give entries from 0 to 1"),
        (lambda: fixed(2, [0, 1], [1.0, 2.0, 3.0]), "3 values are given for 2 entries"),
        (lambda: fixed(2, [0], [np.nan]), r"constant\[0\] is nan; give a number"),
        (lambda: permuted(3, [0, 0, 1]), r"\[0 0 1\] does not hold each of 0 to 2 once"),
        (lambda: permuted(3, [0, 1]), r"\[0 1\] does not hold each of 0 to 2 once"),
        (lambda: permuted(2, [1, 0], [1, 0]), r"sign\[1\] is 0.0; give \+1 or -1"),
        (lambda: hashed((2,), 0, seed=0), "n_buckets is 0; give at least 1"),
    ],
)
def test_wrong_input_is_refused(use, message):
    with pytest.raises(TyingError, match=message):
        use()
