import pytest

from tests.statistical.known_answers import CASES, rejections_of
from tests.statistical.limits import as_table


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_true_nulls_are_rejected_as_often_as_the_level_says(name):
    rows = rejections_of(name)
    assert rows[0].n_missing == 0
    assert all(row.is_in_order for row in rows), as_table(name, rows)
