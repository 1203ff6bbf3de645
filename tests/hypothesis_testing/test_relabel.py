"""Groups that are compared by handing their labels out again."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import seqbio
from seqbio.core import GroupedData, GroupedModel, Hypothesis, equal, fixed, untied
from seqbio.errors import ParameterError
from seqbio.hypothesis_testing import calibrate, compare
from seqbio.hypothesis_testing.calibrations.relabel import relabelling_test
from tests.hypothesis_testing.simulating import NormalMeans


class SubsetMeans(NormalMeans):
    def subset(self, data, indices):
        return data[indices]


GROUPED = GroupedModel(SubsetMeans(), ("a", "b"))
PAIR = Hypothesis(GROUPED, equal(2, [0, 1])), Hypothesis(GROUPED, untied(2))


def grouped(numbers, n_first):
    labels = np.repeat([0, 1], [n_first, len(numbers) - n_first])
    return GroupedData(np.asarray(numbers)[:, None], labels)


def welch(first, second, centre):
    """Square of the difference of the means over its variance, about the common mean."""
    variance = sum(((each - centre) ** 2).sum() / len(each) ** 2 for each in (first, second))
    return (first.mean() - second.mean()) ** 2 / variance


def test_the_law_is_that_of_all_labellings():
    numbers = np.random.default_rng(3).standard_normal(9) + np.repeat([0.0, 1.2], [4, 5])
    result = compare(*PAIR, grouped(numbers, 4), calibration="relabel", seed=1)
    law = []
    for chosen in combinations(range(9), 4):
        first = np.isin(np.arange(9), chosen)
        law.append(welch(numbers[first], numbers[~first], numbers.mean()))
    expected = np.mean(np.array(law) >= law[0] * (1 - 1e-9))
    assert result.evidence.statistic == pytest.approx(law[0], rel=1e-4)
    lower, upper = result.evidence.interval
    assert lower - 0.002 < expected < upper + 0.002
    assert result.evidence.exact
    assert "4 and 5 items in 2 groups" in result.null_law


@pytest.mark.slow
def test_the_level_is_kept_where_groups_differ_in_size_and_variance():
    generator = np.random.default_rng(5)
    pvalues = []
    for _ in range(300):
        numbers = generator.standard_normal(40) * np.repeat([3.0, 1.0], [10, 30])
        pvalues.append(compare(*PAIR, grouped(numbers, 10), calibration="relabel", seed=1).pvalue)
    # 99 % of such counts are between 6 and 25; Student's test with one variance rejects 25 %.
    assert 6 <= np.sum(np.array(pvalues) <= 0.05) <= 25


def test_clusters_change_their_groups_as_a_whole():
    once = np.random.default_rng(6).standard_normal(20)
    alone = compare(*PAIR, grouped(once, 8), calibration="relabel", seed=1)
    twice = compare(
        *PAIR,
        grouped(np.repeat(once, 3), 24),
        calibration="relabel",
        clusters=np.repeat(np.arange(20), 3),
        seed=1,
    )
    assert twice.pvalue == pytest.approx(alone.pvalue, abs=1e-12)
    assert twice.evidence.sizes == (8, 12)


def test_what_cannot_be_relabelled_is_refused_with_the_reason():
    numbers = np.random.default_rng(7).standard_normal(20)
    across = compare(
        *PAIR,
        grouped(numbers, 10),
        calibration="relabel",
        clusters=np.tile(np.arange(10), 2),
        seed=1,
    )
    assert across.pvalue is None
    assert "one cluster are in different groups" in across.null_law
    few = compare(*PAIR, grouped(numbers[:5], 2), calibration="relabel", seed=1)
    assert few.pvalue is None
    assert "no p-value is below 0.1" in few.null_law
    # Whether the mean of group b is 0 is not about how groups differ.
    pair = Hypothesis(GROUPED, fixed(2, 1, 0.0)), Hypothesis(GROUPED, untied(2))
    other = compare(*pair, grouped(numbers, 10), calibration="relabel", seed=1)
    assert other.pvalue is None
    assert "only where what is tested is how groups differ" in other.null_law
    with pytest.raises(ParameterError, match="how groups differ"):
        relabelling_test(other_comparison(pair, grouped(numbers, 10)))


def other_comparison(pair, data):
    from seqbio.core import maximise
    from seqbio.hypothesis_testing.comparison import Comparison

    fits = [maximise(each.model, each.tying, data) for each in pair]
    return Comparison(*fits, data, 1)


@pytest.mark.slow
def test_a_self_check_on_the_data_hands_labels_out():
    """Numbers of which few are large: one variance for both groups rejects too often."""
    numbers = np.random.default_rng(8).standard_normal(30) * np.repeat([1.0, 4.0], [24, 6])
    data = grouped(numbers, 12)
    chi2 = calibrate(*PAIR, data, 200, drawn_from="data", calibration="chi2", seed=1)
    labels = calibrate(*PAIR, data, 200, drawn_from="data", calibration="relabel", seed=1)
    assert chi2.rejections((0.05,))[0].n_rejected > 25
    assert labels.rejections((0.05,))[0].is_in_order


TRUTH = {
    "open_x": 0.03,
    "open_y": 0.03,
    "extend_x": 0.4,
    "extend_y": 0.4,
    "end": 0.01,
    "distance": 0.1,
}
SETTINGS = {"substitution": "jc69", "frequencies": "equal"}


@pytest.fixture(scope="module")
def lineages():
    far = {**TRUTH, "distance": 0.4}
    pairs = [
        pair
        for seed, truth in ((1, TRUTH), (2, far))
        for pair in seqbio.PairHMM(**SETTINGS)
        .set_parameters(truth)
        .simulate(10, columns=60, seed=seed)
    ]
    return seqbio.GroupedPairs(pairs, ["near"] * 10 + ["far"] * 10)


def compared(lineages, null, alternative=(), **options):
    within = "open", "extend"
    pair = (seqbio.PairHMM(tie=(*within, *each), **SETTINGS) for each in (null, alternative))
    return compare(*pair, lineages, seed=1, **options)


def test_groups_of_pairs_are_relabelled_by_default(lineages):
    distance = compared(lineages, ["group.distance"], check_fit=False)
    assert distance.calibration == "relabel"
    assert distance.pvalue < 0.002
    assert not distance.evidence.exact
    opened = compared(lineages, ["group.open"], check_fit=False)
    assert opened.calibration == "relabel"
    assert opened.pvalue > 0.05
    everything = compared(lineages, ["group", "group.end"], check_fit=False)
    assert everything.evidence.exact
    assert everything.pvalue < 0.002


def test_pairs_of_two_lengths_from_one_process_are_one_group():
    drawn = [
        seqbio.PairHMM(**SETTINGS).set_parameters(TRUTH).simulate(10, columns=n, seed=n)
        for n in (50, 200)
    ]
    pairs = seqbio.GroupedPairs([*drawn[0], *drawn[1]], ["short"] * 10 + ["long"] * 10)
    result = compared(pairs, ["group"], check_fit=False)
    assert result.df == 3  # openings, extensions, distance
    assert result.pvalue > 0.05
    chi2 = compared(pairs, ["group"], check_fit=False, calibration="chi2")
    assert chi2.pvalue > 0.05
    lengths = compared(pairs, ["group", "group.end"], check_fit=False)
    assert lengths.pvalue < 0.01
    assert "lengths_tested" in [check.code for check in lengths.warnings]
