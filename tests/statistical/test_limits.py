from math import comb

import pytest

from tests.statistical.limits import as_table, binomial_limits, rejections


def binomial_tail(n, p, counts):
    return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in counts)


@pytest.mark.parametrize("level", [0.10, 0.05, 0.01])
@pytest.mark.parametrize("n", [20, 300])
def test_limits_leave_half_a_percent_on_each_side(n, level):
    lowest, highest = binomial_limits(n, level)
    assert binomial_tail(n, level, range(lowest)) <= 0.005
    assert binomial_tail(n, level, range(lowest + 1)) > 0.005
    assert binomial_tail(n, level, range(highest + 1, n + 1)) <= 0.005
    assert binomial_tail(n, level, range(highest, n + 1)) > 0.005


def test_limits_for_2000_tests():
    assert [binomial_limits(2000, level) for level in (0.10, 0.05, 0.01)] == [
        (166, 235),
        (76, 126),
        (10, 32),
    ]


def test_rates_are_of_the_p_values_that_there_are():
    rows = rejections([0.005, 0.05, 0.3, None, 0.7, None])
    assert [row.n_rejected for row in rows] == [2, 2, 1]
    assert {(row.n_tests, row.n_missing) for row in rows} == {(4, 2)}
    assert "4 p-values, 2 data sets without one" in as_table("some", rows)


@pytest.mark.parametrize(
    ("n_small", "verdict"),
    [(75, "too few"), (76, "in order"), (126, "in order"), (127, "TOO MANY")],
)
def test_verdict(n_small, verdict):
    (row,) = rejections([0.02] * n_small + [0.5] * (2000 - n_small), levels=[0.05])
    assert row.verdict == verdict
    assert row.is_in_order == (verdict == "in order")
    assert as_table("all", [row]).endswith(f"  {verdict}")


def test_there_must_be_p_values():
    with pytest.raises(ValueError, match="none of 2 tests gave a p-value"):
        rejections([None, None])


def test_a_bound_may_be_as_careful_as_it_likes():
    pvalues = [1.0] * 500
    assert not rejections(pvalues)[0].is_in_order
    assert all(row.is_in_order for row in rejections(pvalues, bound=True))
    assert not rejections([0.01] * 500, bound=True)[0].is_in_order
