import numpy as np
import pytest

from seqbio.pairhmm.band import LARGEST_LOSS
from tests.statistical.band_evidence import IN_USE, SEEN, Tally, examine


def test_sums_that_pass_are_told_from_those_that_do_not():
    tally = Tally()
    tally.add(np.array([1e-12, 1e-3, np.inf, 1e-11]), np.array([2e-12, 1e-4, 1.0, -3e-13]))
    assert (tally.n_sums, tally.n_passed, tally.worst) == (4, 2, 2e-12)
    assert tally.short == [pytest.approx(10)]


def test_nothing_is_missing_from_bands_in_use():
    used = examine(3, seed=1)[IN_USE]
    assert used.n_passed > 20
    assert used.worst < SEEN


@pytest.mark.slow
def test_nothing_is_missing_from_many_kinds_of_pairs():
    tallies = examine(60, seed=2)
    used = tallies.pop(IN_USE)
    assert used.n_passed > 500
    assert used.worst < SEEN
    for tally in tallies.values():
        assert 0.1 < tally.n_passed / tally.n_sums < 0.9
        assert tally.worst < 100 * LARGEST_LOSS
