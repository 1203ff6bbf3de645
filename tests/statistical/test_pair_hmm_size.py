"""The test of gap symmetry rejects true nulls as often as it says."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.statistical.limits import as_table
from tests.statistical.pair_hmm_size import likelihood_ratios, rejections_of


def test_ratios_do_not_depend_on_the_number_of_workers():
    alone = likelihood_ratios(2)
    with ProcessPoolExecutor(2) as executor:
        assert likelihood_ratios(2, executor=executor) == alone
    # Nor on how many follow.
    assert likelihood_ratios(1) == alone[:1]


@pytest.mark.slow  # 600 fits
def test_true_nulls_are_rejected_as_often_as_stated():
    rows = rejections_of(likelihood_ratios(300))
    assert all(row.is_in_order for row in rows), as_table("tied gaps in the pair HMM", rows)
    assert rows[0].n_missing == 0
