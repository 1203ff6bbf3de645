import os
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from operator import call, methodcaller, truediv

import numpy as np
import pytest

from seqbio.core import blas, map_pieces, spawn_generators
from seqbio.errors import ParameterError, SeqbioError

EXECUTORS = [
    nullcontext,
    *(partial(kind, n) for kind in (ThreadPoolExecutor, ProcessPoolExecutor) for n in (1, 2, 3)),
]
each_executor = pytest.mark.parametrize(
    "executor",
    EXECUTORS,
    ids=["none", *(f"{kind}-{n}" for kind in ("thread", "process") for n in (1, 2, 3))],
)
draw = methodcaller("standard_normal", 3)  # importable in a worker process


@each_executor
def test_results_and_their_order_do_not_depend_on_the_executor(executor):
    with executor() as pool:
        drawn = map_pieces(draw, iter(spawn_generators(5, 12)), executor=pool)
    expected = [generator.standard_normal(3) for generator in spawn_generators(5, 12)]
    np.testing.assert_array_equal(drawn, expected)


@each_executor
def test_progress_is_told_in_order(executor):
    told = []
    with executor() as pool:
        map_pieces(abs, range(5), executor=pool, on_done=lambda *progress: told.append(progress))
    assert told == [(0, 5), (1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


@each_executor
def test_no_pieces(executor):
    with executor() as pool:
        assert map_pieces(abs, [], executor=pool) == []


def test_slow_pieces_keep_their_place():
    with ThreadPoolExecutor(4) as pool:
        slept = map_pieces(
            lambda seconds: time.sleep(seconds) or seconds, [0.05, 0.0], executor=pool
        )
    assert slept == [0.05, 0.0]


@each_executor
def test_the_first_failure_in_order_comes_through(executor):
    with executor() as pool, pytest.raises(ZeroDivisionError):
        map_pieces(partial(truediv, 1), [2, 0, "x"], executor=pool)


def test_after_a_failure_waiting_pieces_are_cancelled():
    done = []

    def work(piece):
        if piece == 0:
            raise ValueError("first")
        time.sleep(0.05)
        done.append(piece)

    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="first"):
        map_pieces(work, range(50), executor=pool)
    assert len(done) <= 1


@pytest.mark.parametrize("n_workers", [1, 2])
def test_a_killed_worker_is_explained(n_workers):
    with (
        ProcessPoolExecutor(n_workers) as pool,
        pytest.raises(SeqbioError, match=r"ProcessPoolExecutor died before piece 1 of 3 .* memory"),
    ):
        map_pieces(os._exit, [1, 1, 1], executor=pool)


def test_a_pool_that_is_broken_already_is_explained():
    with ProcessPoolExecutor(1) as pool:
        with pytest.raises(SeqbioError, match="died"):
            map_pieces(os._exit, [1], executor=pool)
        with pytest.raises(SeqbioError, match="died before piece 1 of 2"):
            map_pieces(abs, [1, 2], executor=pool)


def test_generators_are_reproducible_and_independent():
    first, again = spawn_generators(3, 4), spawn_generators(3, 4)
    numbers = [generator.random() for generator in first]
    assert numbers == [generator.random() for generator in again]
    assert len(set(numbers)) == 4
    assert numbers[:2] == [generator.random() for generator in spawn_generators(np.int64(3), 2)]


def test_a_generator_spawns_reproducibly_and_is_not_drawn_from():
    parent, twin = np.random.default_rng(8), np.random.default_rng(8)
    numbers = [generator.random() for generator in spawn_generators(parent, 2)]
    assert numbers == [generator.random() for generator in spawn_generators(twin, 2)]
    assert numbers != [generator.random() for generator in spawn_generators(parent, 2)]
    assert parent.random() == np.random.default_rng(8).random()


def test_no_seed_is_fresh_every_time():
    assert spawn_generators(None, 1)[0].random() != spawn_generators(None, 1)[0].random()


@pytest.mark.parametrize("seed", [-1, 1.5, "1", [1, 2]])
def test_a_wrong_seed_raises(seed):
    with pytest.raises(ParameterError, match="give an integer of 0 or more"):
        spawn_generators(seed, 1)


@pytest.mark.parametrize("n", [-1, 2.0, None])
def test_a_wrong_number_raises(n):
    with pytest.raises(ParameterError, match="number of generators"):
        spawn_generators(1, n)


@each_executor
def test_pieces_use_one_thread_for_linear_algebra(executor):
    """The last bits of a product depend on the number, which differs between workers of Dask."""
    with executor() as pool:
        inside = map_pieces(call, [blas.n_threads] * 4, executor=pool)
    assert inside == [[1] * len(blas.n_threads())] * 4


def test_threads_for_linear_algebra_are_given_back_when_the_last_piece_is_done():
    before = blas.n_threads()
    try:
        blas._use([2] * len(before))
        with blas.one_thread():
            with blas.one_thread():
                assert set(blas.n_threads()) <= {1}
            assert set(blas.n_threads()) <= {1}
        assert set(blas.n_threads()) <= {2}
    finally:
        blas._use(before)
