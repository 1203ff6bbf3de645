"""The parametric bootstrap: its p-value, its stopping, its failures and its workers."""

from __future__ import annotations

import random
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from seqbio.core import Check, fit
from seqbio.errors import ConvergenceError, ParameterError, SeqbioError
from seqbio.hypothesis_testing import Comparison, compare
from seqbio.hypothesis_testing.calibrations.bootstrap import Bootstrap, Replicate, bootstrap_test
from tests.hypothesis_testing.simulating import (
    Fatal,
    NormalMeans,
    PoissonItems,
    equal_against_free,
    zero_against_free,
)

DATA = np.random.default_rng(5).normal(0.45, 1.0, (20, 1))


def fits(pair, data):
    return [fit(one.model, one.tying, data) for one in pair]


def test_the_p_value_is_that_of_chi_squared_in_a_regular_case():
    pair = zero_against_free(NormalMeans())
    regular = compare(*pair, DATA, calibration="chi2")
    result = compare(*pair, DATA, calibration="bootstrap", n_replicates=999, seed=1)
    lower, upper = result.evidence.interval
    assert lower < regular.pvalue < upper
    assert "drawn from the fitted null" in result.null_law


def test_bartletts_correction_is_near_one_where_the_law_is_exact():
    pair = zero_against_free(NormalMeans())
    result = compare(*pair, DATA, calibration="bartlett", seed=2)
    assert len(result.evidence.replicates) == 99
    assert result.evidence.mean == pytest.approx(1.0, abs=4 * np.sqrt(2 / 99))
    expected = compare(*pair, DATA, calibration="chi2").log_pvalue
    assert result.log_pvalue == pytest.approx(expected, abs=2.0)
    assert result.calibration == "bootstrap (Bartlett)"


def test_p_counts_the_observed_ratio_as_one_of_the_null():
    bootstrap = Bootstrap(4.0, 1, tuple(Replicate(x, "") for x in (1.0, 4.0, 5.0, 2.0)), 4, False)
    assert bootstrap.n_exceeding == 2  # a tie counts
    assert np.exp(bootstrap.log_pvalue) == pytest.approx(3 / 5)


def test_failed_refits_count_against_the_alternative_and_are_shown():
    nan = float("nan")
    many = tuple(Replicate(0.1, "") for _ in range(39))
    some = Bootstrap(4.0, 1, (*many, Replicate(nan, "it went wrong")), 40, False)
    assert (some.n_failed, some.n_exceeding) == (1, 1)
    assert np.exp(some.log_pvalue) == pytest.approx(2 / 41)
    assert "1 of 40 bootstrap refits failed" in some.checks[0].message
    lost = Bootstrap(4.0, 1, (*many[:5], *[Replicate(nan, "it went wrong")] * 5), 10, False)
    assert lost.log_pvalue is None
    assert lost.checks[0].severity == "invalid"


class FailsAtTimes(NormalMeans):
    def simulate(self, full, data, generator):
        if generator.random() < 0.05:
            raise ConvergenceError("no luck")
        return super().simulate(full, data, generator)


def test_failures_reach_the_result():
    pair = zero_against_free(FailsAtTimes())
    result = compare(*pair, DATA, calibration="bootstrap", n_replicates=100, seed=3)
    assert 0 < result.evidence.n_failed <= 10
    assert [check.code for check in result.warnings] == ["failed_refits"]
    assert result.to_dict()["evidence"]["failures"] == ["no luck"]


def test_sampling_stops_when_the_decision_is_clear():
    null, alternative = fits(zero_against_free(NormalMeans()), DATA * 0)
    test = bootstrap_test(
        Comparison(null, alternative, DATA, 1), n_replicates=500, stop_at=0.05, seed=4
    )
    assert len(test.replicates) == 100
    assert test.n_asked == 500
    whole = bootstrap_test(Comparison(null, alternative, DATA, 1), n_replicates=200, seed=4)
    assert len(whole.replicates) == 200
    assert whole.replicates[:100] == test.replicates


@pytest.mark.parametrize("seed", range(8))
def test_stopping_after_enough_exceedances_leaves_every_verdict_as_it_is(seed):
    data = DATA - DATA.mean() + 0.08 * seed
    null, alternative = fits(zero_against_free(NormalMeans()), data)
    whole, short = (
        bootstrap_test(
            Comparison(null, alternative, data, 1), n_replicates=99, enough=enough, seed=seed
        )
        for enough in (None, 10)
    )
    n = len(short.replicates)
    assert short.statistics.tolist() == whole.statistics[:n].tolist()
    assert n == 99 or short.n_exceeding >= 10
    for level in (0.10, 0.05, 0.01):
        rejects = [np.exp(test.log_pvalue) <= level + 1e-12 for test in (whole, short)]
        assert rejects[0] == rejects[1]


def test_progress_goes_on_to_the_end():
    null, alternative = fits(zero_against_free(NormalMeans()), DATA)
    seen = []
    bootstrap_test(
        Comparison(null, alternative, DATA, 1),
        n_replicates=112,
        seed=4,
        on_done=lambda *done: seen.append(done),
    )
    assert seen[-1] == (112, 112)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.parametrize("n_workers", [1, 2, 5])
def test_the_number_of_workers_changes_no_bit(n_workers):
    null, alternative = fits(equal_against_free(PoissonItems()), np.array([[3.0, 4.0]] * 6))
    data = np.array([[3.0, 4.0]] * 6)
    here = bootstrap_test(Comparison(null, alternative, data, 1), n_replicates=40, seed=6)
    with ThreadPoolExecutor(n_workers) as executor:
        there = bootstrap_test(
            Comparison(null, alternative, data, 1), n_replicates=40, seed=6, executor=executor
        )
    assert there.statistics.tobytes() == here.statistics.tobytes()
    assert there.log_pvalue == here.log_pvalue


def test_processes_give_the_same_and_a_killed_one_a_clear_error():
    data = DATA
    null, alternative = fits(zero_against_free(NormalMeans()), data)
    here = bootstrap_test(Comparison(null, alternative, data, 1), n_replicates=20, seed=6)
    doomed = fits(zero_against_free(Fatal()), data)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        there = bootstrap_test(
            Comparison(null, alternative, data, 1), n_replicates=20, seed=6, executor=executor
        )
        assert there.statistics.tobytes() == here.statistics.tobytes()
        with pytest.raises(SeqbioError, match="a worker of the ProcessPoolExecutor died"):
            bootstrap_test(Comparison(*doomed, data, 1), n_replicates=20, seed=6, executor=executor)


@pytest.fixture
def global_state_restored():
    """Dask draws names and ports from the global generator."""
    before = random.getstate()
    yield
    random.setstate(before)


@pytest.mark.slow
@pytest.mark.usefixtures("global_state_restored")
def test_dask_workers_give_the_same_to_the_last_bit_and_a_killed_one_a_clear_error():
    distributed = pytest.importorskip("distributed", reason="dask[distributed] is not installed")
    dask = pytest.importorskip("dask")
    null, alternative = fits(zero_against_free(NormalMeans()), DATA)
    doomed = fits(zero_against_free(Fatal()), DATA)
    here = bootstrap_test(Comparison(null, alternative, DATA, 1), n_replicates=30, seed=7)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        there = bootstrap_test(
            Comparison(null, alternative, DATA, 1),
            n_replicates=30,
            seed=7,
            executor=client.get_executor(),
        )
        with pytest.raises(SeqbioError, match="died before piece 1"):
            bootstrap_test(
                Comparison(*doomed, DATA, 1), n_replicates=5, seed=7, executor=client.get_executor()
            )
    assert there.statistics.tobytes() == here.statistics.tobytes()
    assert there.log_pvalue == here.log_pvalue


def test_few_events_choose_it():
    data = np.zeros((6, 2))
    result = compare(*equal_against_free(PoissonItems()), data, n_replicates=50, seed=1)
    assert result.calibration == "bootstrap"
    assert "on the boundary" in result.null_law
    assert result.pvalue == 1.0


class FewishCounts(PoissonItems):
    def checks(self, full, data, tying):
        return [Check("fewish counts", "warning", "few_events")]

    def subset(self, data, indices):
        return data[indices]


@pytest.mark.parametrize(
    ("calibration", "severity"),
    [("chi2", "warning"), ("bartlett", "warning"), ("bootstrap", "note"), ("split", "note")],
)
def test_few_events_are_no_doubt_where_no_large_numbers_are_needed(calibration, severity):
    data = np.random.default_rng(8).poisson(1.0, (8, 2)).astype(float)
    result = compare(
        *equal_against_free(FewishCounts()),
        data,
        calibration=calibration,
        n_replicates=20,
        seed=1,
    )
    assert result.pvalue is not None
    found = {check.code: check.severity for check in result.warnings}
    assert found["few_events"] == severity
    assert ("mind the warnings" in result.conclusion) == (severity == "warning")


def test_wrong_arguments():
    null, alternative = fits(zero_against_free(NormalMeans()), DATA)
    with pytest.raises(ParameterError, match="n_replicates is 0"):
        bootstrap_test(Comparison(null, alternative, DATA, 1), n_replicates=0)
    with pytest.raises(ParameterError, match="stop_at is 5"):
        bootstrap_test(Comparison(null, alternative, DATA, 1), stop_at=5)
