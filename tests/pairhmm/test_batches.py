from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.pairhmm import batches
from seqbio.pairhmm.batches import make_batches, plan_batches

some_lengths = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)
some_pairs = st.lists(
    st.tuples(st.lists(st.integers(0, 4), max_size=9), st.lists(st.integers(0, 4), max_size=9)),
    max_size=12,
)


def as_table(lengths):
    return np.array(lengths, dtype=np.int64).reshape(-1, 2)


def encoded(pairs):
    return (
        [np.array(x, dtype=np.uint8) for x, _ in pairs],
        [np.array(y, dtype=np.uint8) for _, y in pairs],
    )


def cost(lengths):
    """What one batch costs: the cells of its rectangle and the calls of its anti-diagonals."""
    rows, columns = (lengths + 1).max(axis=0).tolist()
    if len(lengths) > 1 and min(rows, columns) * len(lengths) > batches.MAX_BATCH_ROWS:
        return np.inf
    return (rows + columns) * batches.OVERHEAD_CELLS + len(lengths) * rows * columns


def cheapest(lengths):
    """Try every way to cut the sorted pairs."""
    order = sorted(lengths.tolist(), key=lambda both: (sum(both), both[1]))
    n_pairs, best = len(order), np.inf
    for cuts in itertools.product([False, True], repeat=n_pairs - 1):
        edges = [0, *(k + 1 for k, cut in enumerate(cuts) if cut), n_pairs]
        best = min(best, sum(cost(as_table(order[a:b])) for a, b in itertools.pairwise(edges)))
    return best


# --- planning -----------------------------------------------------------------------------------


@given(some_lengths)
def test_every_pair_is_in_one_batch(lengths):
    members = plan_batches(as_table(lengths))
    assert sorted(itertools.chain(*members)) == list(range(len(lengths)))
    assert all(len(batch) for batch in members)


@pytest.mark.parametrize("overhead", [0, 30, 4000])
@pytest.mark.parametrize("seed", range(5))
def test_the_cut_is_the_cheapest(monkeypatch, overhead, seed):
    monkeypatch.setattr(batches, "OVERHEAD_CELLS", overhead)
    table = np.random.default_rng(seed).integers(0, 300, (8, 2))
    planned = sum(cost(table[members]) for members in plan_batches(table))
    assert planned == pytest.approx(cheapest(table))


def test_the_cut_is_the_cheapest_where_batches_must_stay_small(monkeypatch):
    monkeypatch.setattr(batches, "MAX_BATCH_ROWS", 100)
    table = np.random.default_rng(0).integers(1, 60, (9, 2))
    plan = plan_batches(table)
    assert sum(cost(table[members]) for members in plan) == pytest.approx(cheapest(table))
    assert all(
        len(members) == 1 or len(members) * min((table[members] + 1).max(axis=0)) <= 100
        for members in plan
    )


def test_a_pair_too_large_for_a_batch_is_one_of_its_own(monkeypatch):
    monkeypatch.setattr(batches, "MAX_BATCH_ROWS", 10)
    assert [len(members) for members in plan_batches(as_table([(50, 50)] * 3))] == [1, 1, 1]


@pytest.mark.parametrize("n_pairs", [1500, 200_000])
def test_number_of_pairs_in_a_batch_is_limited(n_pairs):
    plan = plan_batches(np.ones((n_pairs, 2), dtype=np.int64))
    assert max(map(len, plan)) <= batches.MAX_BATCH_PAIRS


def test_many_pairs_are_cut_nearly_as_well_as_few(monkeypatch):
    table = np.random.default_rng(0).integers(20, 200, (2000, 2))
    coarse = sum(cost(table[members]) for members in plan_batches(table))
    monkeypatch.setattr(batches, "CUTS", len(table))
    fine = sum(cost(table[members]) for members in plan_batches(table))
    assert fine <= coarse <= 1.02 * fine


def test_large_batches_of_long_pairs_stay_within_the_cache():
    table = np.full((20_000, 2), 400)
    assert max(len(members) for members in plan_batches(table)) * 401 <= batches.MAX_BATCH_ROWS


def test_short_pairs_go_together_and_a_long_one_alone():
    plan = plan_batches(as_table([(40, 35)] * 20 + [(3000, 3000)] + [(36, 40)] * 20))
    assert sorted(len(members) for members in plan) == [1, 40]


# --- padding ------------------------------------------------------------------------------------


@given(some_pairs)
def test_every_cell_finds_the_odds_of_its_letters(pairs):
    for batch in make_batches(*encoded(pairs), n_symbols=5):
        m = len(batch.y_reversed)
        for position, pair in enumerate(batch.members):
            x, y = pairs[pair]
            assert batch.lengths[position].tolist() == [len(x), len(y)]
            for i, j in itertools.product(range(len(x)), range(len(y))):
                index = batch.x[i, position] + batch.y_reversed[m - 1 - j, position]
                assert index == position * 25 + x[i] * 5 + y[j]


@given(some_pairs)
def test_padding_points_into_the_odds_of_its_own_pair(pairs):
    for batch in make_batches(*encoded(pairs), n_symbols=5):
        index = batch.x[:, None, :] + batch.y_reversed[None, :, :]
        np.testing.assert_array_equal(
            index // 25, np.broadcast_to(np.arange(batch.n_pairs), index.shape)
        )


@given(some_pairs)
def test_every_pair_finishes_on_the_anti_diagonal_of_its_last_cell(pairs):
    for batch in make_batches(*encoded(pairs), n_symbols=5):
        finishing = {
            int(pair): d
            for d, positions in batch.finishing.items()
            for pair in batch.members[positions]
        }
        assert finishing == {int(pair): sum(map(len, pairs[pair])) for pair in batch.members}


def test_no_pairs_make_no_batches():
    assert make_batches([], [], n_symbols=4) == []


def test_sequences_without_a_partner_are_refused():
    with pytest.raises(ValueError, match="zip"):
        make_batches(*encoded([([0], [1])])[:1], [], n_symbols=4)
