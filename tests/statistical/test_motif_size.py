"""Tests of position and strand reject true nulls as often as they say."""

from __future__ import annotations

import pytest

from tests.statistical.limits import as_table, rejections
from tests.statistical.motif_size import TESTS, pvalues


@pytest.mark.slow  # 200 fits for each
@pytest.mark.parametrize("tested", list(TESTS))
def test_true_nulls_are_rejected_as_often_as_stated(tested):
    rows = rejections(pvalues(tested, 100))
    assert all(row.is_in_order for row in rows), as_table(f"test of {tested}", rows)
    assert rows[0].n_missing == 0


@pytest.mark.slow
@pytest.mark.parametrize("tested", [*TESTS, "site"])
def test_the_split_test_is_careful(tested):
    found = pvalues(tested, 6, calibration="split")
    assert sum(pvalue is not None and pvalue <= 0.05 for pvalue in found) <= 1
