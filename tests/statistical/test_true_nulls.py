"""True nulls on real data's terms, with fewer data sets than the script uses."""

from __future__ import annotations

import pytest

from tests.statistical.limits import rejections
from tests.statistical.true_nulls import CASES, outcomes


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_true_nulls_are_not_rejected_too_often(name):
    pvalues, _, _ = outcomes(name, 16, seed=1)
    given = [pvalue for pvalue in pvalues if pvalue is not None]
    if given:
        assert all(row.n_rejected <= row.highest for row in rejections(given))
