"""How long work will take is measured on a part of it."""

from __future__ import annotations

import itertools

import pytest

from seqbio import PairHMM
from seqbio.pairhmm import cost
from seqbio.pairhmm.pair_data import PairData


@pytest.fixture(scope="module")
def data():
    hmm = PairHMM().set_parameters(
        {"open_x": 0.02, "open_y": 0.02, "extend_x": 0.4, "extend_y": 0.4, "end": 0.01,
         "distance": 0.1}
    )  # fmt: skip
    pairs = hmm.simulate(5, columns=200, seed=1)
    return PairHMM().hypothesis(pairs)[1]


def test_little_work_is_not_timed(data):
    cells = sum(len(x) * len(y) for x, y in zip(data.x, data.y, strict=True))
    assert cost.cost_of(PairHMM().model, data) == (cells, 0.0)


def test_the_time_of_a_part_is_scaled_to_all_cells(data, monkeypatch):
    monkeypatch.setattr(cost, "_WORTH_TIMING", 0.0)
    monkeypatch.setattr(cost, "_TIMED_CELLS", 2 * 50**2)
    monkeypatch.setattr(cost, "_TIMED_LETTERS", 50)
    clock = itertools.count(0.0, 3.0)
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(clock))
    found = cost.cost_of(PairHMM().model, data)
    assert found.seconds == pytest.approx(3.0 * found.cells / 50**2)
    assert cost.cost_of(PairHMM().model, data.subset([0, 1])).seconds < found.seconds


def test_short_pairs_are_timed_together(data, monkeypatch):
    timed = []
    monkeypatch.setattr(cost, "_WORTH_TIMING", 0.0)
    monkeypatch.setattr(
        cost, "_seconds_of", lambda model, full, part: timed.append(len(part)) or 1.0
    )
    short = PairData(data.alphabet, [x[:30] for x in data.x], [y[:30] for y in data.y])
    assert cost.cost_of(PairHMM().model, short) == (5 * 30**2, 1.0)
    assert timed == [5, 5, 5]
