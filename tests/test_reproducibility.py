"""The same seed gives the same bits: twice over, in other processes, and for any workers."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.reproducibility import NAMES, families, outcome, outcomes

EVERY = [(family, name) for family in families() for name in NAMES]
# One of each kind that has pieces to share between workers.
SHARED = [
    ("pairhmm", "bootstrap"),
    ("markov", "cluster-bootstrap"),
    ("motif, sum", "split"),
    ("recurrent", "held-out"),
]


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    return {f"{family} by {name}": outcome(family, name) for family, name in SHARED}


@contextmanager
def dask() -> Iterator[Executor]:
    distributed = pytest.importorskip("distributed", reason="dask[distributed] is not installed")
    before = random.getstate()  # Dask draws names and ports from the global generator
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor()
    random.setstate(before)


def processes(method: str, n: int) -> Executor:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    return ProcessPoolExecutor(n, mp_context=multiprocessing.get_context(method))


EXECUTORS = {
    "1 thread": lambda: ThreadPoolExecutor(1),
    "2 threads": lambda: ThreadPoolExecutor(2),
    "1 process, spawned": lambda: processes("spawn", 1),
    "2 processes, spawned": lambda: processes("spawn", 2),
    "2 processes, forked": lambda: processes("fork", 2),
    "2 Dask workers": dask,
}


def of_another_process(**settings: str) -> dict[str, str]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.reproducibility"],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(run.stdout)


@pytest.mark.parametrize(("family", "name"), SHARED)
def test_twice_over(expected, family, name):
    assert outcome(family, name) == expected[f"{family} by {name}"]


@pytest.mark.parametrize("workers", EXECUTORS)
def test_workers_change_no_bit(expected, workers):
    with EXECUTORS[workers]() as executor:
        for family, name in SHARED:
            assert outcome(family, name, executor) == expected[f"{family} by {name}"]


def test_another_seed_gives_something_else(expected, monkeypatch):
    monkeypatch.setitem(sys.modules["tests.reproducibility"].FEW, "seed", 4)
    for family, name in SHARED:
        assert outcome(family, name) != expected[f"{family} by {name}"]


@pytest.mark.slow
def test_every_family_by_every_calibration_wherever_it_is_worked_on():
    every = outcomes()
    assert outcomes() == every
    assert of_another_process(PYTHONHASHSEED="7") == every
    for workers in EXECUTORS.values():
        with workers() as executor:
            assert outcomes(executor) == every


def test_what_is_compared_are_pvalues(expected):
    """And not refusals, which are the same for whatever reason."""
    for text in expected.values():
        assert json.loads(text)[1]["pvalue"] is not None
