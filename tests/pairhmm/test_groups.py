"""Groups of pairs: fits, ties over groups, tests, and files."""

from __future__ import annotations

import numpy as np
import pytest

import seqbio
from seqbio import GroupedPairs, PairHMM, compare
from seqbio.core import check_gradient, clusters_of, fingerprint, fit, simulate_from
from seqbio.errors import NestingError, ParameterError, TyingError
from seqbio.hypothesis_testing import calibrate, power
from seqbio.hypothesis_testing.comparison import Comparison
from seqbio.hypothesis_testing.validity import model_checks
from seqbio.pairhmm.groups import by_groups, split_name

PRIMATES = {
    "open_x": 0.03,
    "open_y": 0.04,
    "extend_x": 0.4,
    "extend_y": 0.3,
    "end": 0.01,
    "distance": 0.1,
    "kappa": 2.0,
}
RODENTS = {**PRIMATES, "open_x": 0.06, "open_y": 0.08, "distance": 0.3}
SYMMETRIC = ("open", "extend")


def drawn(parameters, n_pairs, columns, seed):
    return PairHMM().set_parameters(parameters).simulate(n_pairs, columns=columns, seed=seed)


@pytest.fixture(scope="module")
def parts():
    return drawn(PRIMATES, 8, 70, seed=1), drawn(RODENTS, 6, 70, seed=2)


@pytest.fixture(scope="module")
def grouped(parts):
    """Return the pairs of both groups, mixed."""
    order = np.random.default_rng(3).permutation(14)
    pairs, labels = parts[0] + parts[1], ["primates"] * 8 + ["rodents"] * 6
    mixed = sorted(order, key=lambda i: i != 0)  # a primate first
    return GroupedPairs([pairs[i] for i in mixed], [labels[i] for i in mixed])


@pytest.fixture(scope="module")
def fitted(grouped):
    return PairHMM(tie=()).fit(grouped)


# Fits


def test_gradient(parts):
    pairs = GroupedPairs([parts[0][0], parts[1][0], parts[0][1]], ["a", "b", "a"])
    hypothesis, data = PairHMM(tie=(), switch="untied", end="untied").hypothesis(pairs)
    model = hypothesis.model
    full = model.start(data) + np.random.default_rng(0).normal(0, 0.3, model.layout.size)
    assert check_gradient(model, full, data, seed=0, n_directions=5).passed
    scores = model.scores(full, data)
    assert scores.shape == (3, model.layout.size)
    gradient = model.log_likelihood_and_gradient(full, data)[1]
    np.testing.assert_allclose(scores.sum(axis=0), gradient, atol=1e-8)


def test_without_ties_over_groups_each_is_fitted_alone(parts, fitted):
    alone = [PairHMM(tie=()).fit(pairs) for pairs in parts]
    assert fitted.groups_ == ("primates", "rodents")
    assert fitted.converged_
    total = sum(each.log_likelihood_ for each in alone)
    assert fitted.log_likelihood_ == pytest.approx(total, abs=1e-6)
    assert fitted.n_free_parameters_ == sum(each.n_free_parameters_ for each in alone)
    for name, value in fitted.parameters_.items():
        parameter, group = split_name(name)
        expected = alone[fitted.groups_.index(group)].parameters_[parameter]
        assert value == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("frequencies", ["equal", "estimated"])
def test_with_all_tied_over_groups_there_are_no_groups(grouped, frequencies):
    plain = PairHMM(tie=(), frequencies=frequencies).fit(grouped.pairs)
    tied = PairHMM(tie=("group", "group.end"), frequencies=frequencies).fit(grouped)
    assert tied.log_likelihood_ == pytest.approx(plain.log_likelihood_, abs=1e-6)
    assert tied.n_free_parameters_ == plain.n_free_parameters_
    for name, value in plain.parameters_.items():
        for group in tied.groups_:
            assert tied.parameters_[f"{name}[{group}]"] == pytest.approx(value, rel=1e-3)


def test_empirical_frequencies_are_those_of_the_group(grouped, parts):
    tied = PairHMM(tie=("group",)).fit(grouped)
    for group, pairs in zip(tied.groups_, parts, strict=True):
        text = "".join(str(record.seq) for pair in pairs for record in pair)
        share = text.count("A") / len(text)
        assert tied.parameters_[f"frequency_A[{group}]"] == pytest.approx(share)
    assert tied.parameters_["open_x[primates]"] == tied.parameters_["open_x[rodents]"]


def test_one_pair_is_a_group_and_labels_may_be_numbers(parts):
    labels = [3] * 8 + [1]
    hmm = PairHMM().fit([*parts[0], parts[1][0]], groups=labels)
    assert hmm.groups_ == ("3", "1")
    assert hmm.n_free_parameters_ == 2 * PairHMM().fit(parts[0]).n_free_parameters_


def test_log_likelihood_and_score(grouped, fitted):
    values = fitted.log_likelihood(grouped)
    assert values.sum() == pytest.approx(fitted.log_likelihood_)
    assert fitted.score(grouped) == pytest.approx(values.mean())
    rodents = [i for i, name in enumerate(grouped.groups) if name == "rodents"]
    some = GroupedPairs([grouped.pairs[i] for i in rodents], ["rodents"] * len(rodents))
    np.testing.assert_allclose(fitted.log_likelihood(some), values[rodents])


def test_one_group_can_be_taken_out(grouped, fitted, parts):
    alone = fitted.of_group("rodents")
    assert {f"{name}[rodents]": value for name, value in alone.parameters_.items()} == {
        name: value for name, value in fitted.parameters_.items() if name.endswith("[rodents]")
    }
    assert len(alone.align(parts[1])) == 6
    tied = PairHMM(tie=("open", "group.open")).fit(grouped)
    assert tied.of_group("primates").tie == ("open",)
    with pytest.raises(ParameterError, match="no group 'bats'; this pair HMM has primates, rod"):
        fitted.of_group("bats")


def test_intervals(grouped, fitted, parts):
    intervals = fitted.confidence_intervals()
    alone = PairHMM(tie=()).fit(parts[1]).confidence_intervals()
    assert {split_name(name)[1] for name in intervals} == {"primates", "rodents"}
    for name, ends in alone.items():
        assert intervals[f"{name}[rodents]"] == pytest.approx(ends, rel=1e-3)


@pytest.mark.slow
def test_profile_intervals(parts):
    pairs = GroupedPairs(parts[0][:2] + parts[1][:2], ["a", "a", "b", "b"])
    tied = PairHMM("dna", "jc69", tie=("open", "extend", "group")).fit(pairs)
    profiles = tied.confidence_intervals(method="profile")
    assert profiles["open_x[a]"] == pytest.approx(profiles["open_y[b]"], rel=1e-4)
    lower, upper = profiles["distance[a]"]
    assert lower < tied.parameters_["distance[a]"] < upper


def test_parameters_are_set_as_they_are_read(fitted, grouped, tmp_path):
    again = PairHMM(tie=()).set_parameters(fitted.parameters_)
    assert again.groups_ == fitted.groups_
    assert again.parameters_ == pytest.approx(fitted.parameters_)
    file = tmp_path / "model.json"
    fitted.save(file)
    loaded = PairHMM.load(file)
    assert loaded.parameters_ == fitted.parameters_
    np.testing.assert_array_equal(loaded.log_likelihood(grouped), fitted.log_likelihood(grouped))


def test_fitting_again_forgets_the_groups(parts, grouped):
    hmm = PairHMM().fit(grouped)
    assert hmm.fit(parts[0]).groups_ == ()
    assert "open_x" in hmm.parameters_


def test_switches_have_a_value_for_each_group(grouped):
    hmm = PairHMM(switch="tied", tie=("open", "extend", "group.switch")).fit(grouped)
    names = [name for name in hmm.parameters_ if name.startswith("switch")]
    assert sorted(names) == [f"switch_{side}[{g}]" for side in "xy" for g in hmm.groups_]


# Ties


def n_free(grouped, *tie, **settings):
    return PairHMM(tie=tie, **settings).hypothesis(grouped)[0].tying.n_free


@pytest.mark.parametrize(
    ("name", "n_lost"),
    [
        ("group.open", 2),
        ("group.extend", 2),
        ("group.switch", 2),
        ("group.end", 3),
        ("group.distance", 1),
        ("group.rates", 1),
        ("group.frequency", 3),
        ("group", 11),
    ],
)
def test_every_tie_over_groups_takes_away_its_copies(grouped, name, n_lost):
    settings = {"switch": "untied", "end": "untied", "frequencies": "estimated"}
    assert n_free(grouped, **settings) - n_free(grouped, name, **settings) == n_lost
    assert PairHMM.ties()[name]


def test_every_tie_within_a_pair_has_one_over_groups():
    names = PairHMM.ties()
    assert {f"group.{name}" for name in names if "group" not in name} <= set(names)


def test_ties_within_pairs_and_over_groups_compose(grouped):
    hypothesis, _ = PairHMM(tie=("open", "group.open")).hypothesis(grouped)
    assert hypothesis.name == "open and group.open tied"
    lines = hypothesis.tying.describe(hypothesis.model.layout)
    assert "open_x[primates] = open_y[primates] = open_x[rodents] = open_y[rodents]" in lines
    only = PairHMM(tie=("group.open",)).hypothesis(grouped)[0]
    lines = only.tying.describe(only.model.layout)
    assert "open_x[primates] = open_x[rodents]" in lines
    assert "open_y[primates] = open_y[rodents]" in lines


def test_a_tying_of_your_own(grouped):
    free, _ = PairHMM(tie=()).hypothesis(grouped)
    layout = free.model.layout
    own = seqbio.core.equal(
        layout.size, [layout.slice("open_x[rodents]").start, layout.slice("open_y[primates]").start]
    )
    tying = PairHMM(tie=own).hypothesis(grouped)[0].tying
    assert tying.n_free == free.tying.n_free - 1


@pytest.mark.parametrize(
    ("tie", "settings", "message"),
    [
        (("group.switch",), {}, "tie 'group.switch' has nothing to tie"),
        (("group.frequency",), {}, "none of it is estimated"),
        (("group.rates",), {"substitution": "jc69"}, "nothing to tie"),
        (("group", "group.open"), {}, "tie 'group.open' .* another tie holds it equal"),
        (
            ("group.opening",),
            {},
            "no tie 'group.opening' .did you mean 'group.open'.*; a pair HMM has 'open': ",
        ),
    ],
)
def test_ties_that_tie_nothing_are_refused(grouped, tie, settings, message):
    with pytest.raises(TyingError, match=message):
        PairHMM(tie=tie, **settings).fit(grouped)


def test_ties_over_groups_need_groups(parts):
    with pytest.raises(
        TyingError, match="these pairs have none; give the group of every pair, or leave"
    ):
        PairHMM(tie=("group.open",)).fit(parts[0])
    with pytest.raises(TyingError, match="all pairs are of one group, 'apes'; give pairs"):
        PairHMM(tie=("group.open",)).fit(parts[0], groups=["apes"] * 8)
    assert PairHMM().fit(parts[0], groups=["apes"] * 8).groups_ == ("apes",)


# Labels


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"] * 7, "there are 7 labels for 8 pairs; give the group of each pair, once"),
        ([["a"] * 8], r"labels of shape \(1, 8\) for 8 pairs"),
        ([1.5] * 8, r"groups are \[1.5, .*give names, or whole numbers"),
        ([None] * 8, "give names, or whole numbers"),
        (["a"] * 7 + [" "], "the pair at index 7 has an empty label"),
    ],
)
def test_wrong_labels_are_refused(parts, labels, message):
    with pytest.raises(ParameterError, match=message):
        PairHMM().fit(parts[0], groups=labels)


def test_groups_and_pairs_of_groups_do_not_go_together(grouped):
    with pytest.raises(ParameterError, match="have groups already; leave out groups"):
        PairHMM().fit(grouped, groups=["a"] * 14)


def test_a_grouped_model_wants_groups_that_it_knows(fitted, parts, grouped):
    with pytest.raises(ParameterError, match="groups primates, rodents; give GroupedPairs"):
        fitted.log_likelihood(parts[0])
    with pytest.raises(ParameterError, match="knows the groups primates, rodents and not bats"):
        fitted.log_likelihood(GroupedPairs(parts[0], ["bats"] * 8))
    for use in (
        lambda: fitted.align(parts[0]),
        lambda: fitted.posterior("ACGT", "ACGT"),
        lambda: fitted.simulate(1),
    ):
        with pytest.raises(ParameterError, match=r"take one group by of_group\(name\)"):
            use()
    with pytest.raises(ParameterError, match="the parameters are those of all pairs, without gr"):
        PairHMM().set_parameters(PRIMATES).log_likelihood(grouped)


def test_parameters_of_some_groups_are_not_all():
    with pytest.raises(ParameterError, match="give all parameters for each group"):
        by_groups({"open_x": 0.1, "open_y[rats]": 0.2})
    with pytest.raises(ParameterError, match="distance is missing"):
        PairHMM().set_parameters(
            {f"{name}[a]": value for name, value in PRIMATES.items()}
            | {f"{name}[b]": value for name, value in PRIMATES.items() if name != "distance"}
        )


# Tests


def test_compare_tests_what_is_tied_over_groups(grouped):
    null, alternative = PairHMM(tie=(*SYMMETRIC, "group.open")), PairHMM(tie=SYMMETRIC)
    result = compare(null, alternative, grouped, calibration="chi2", check_fit=False)
    fits = [hmm.fit(grouped) for hmm in (null, alternative)]
    assert result.df == fits[1].n_free_parameters_ - fits[0].n_free_parameters_ == 1
    expected = 2 * (fits[1].log_likelihood_ - fits[0].log_likelihood_)
    assert result.statistic == pytest.approx(expected, abs=1e-5)
    again = seqbio.likelihood_ratio_test(*fits, calibration="chi2")
    assert again.statistic == pytest.approx(result.statistic, abs=1e-5)
    ratio = result.effects[0]
    assert ratio.name == "open_x[rodents] / open_x[primates]"
    assert ratio.null_value == pytest.approx(1)
    parameters = fits[1].parameters_
    expected = parameters["open_x[rodents]"] / parameters["open_x[primates]"]
    assert ratio.estimate == pytest.approx(expected, rel=1e-3)
    assert ratio.lower < ratio.estimate < ratio.upper
    # What ties make one effect stands there once.
    names = [effect.name for effect in result.effects]
    assert "open_y[rodents] / open_y[primates]" not in names
    assert "(open_x / distance)[rodents] / (open_x / distance)[primates]" in names
    assert "open_x[rodents]" in str(result)


@pytest.mark.parametrize(
    ("null", "alternative", "df"),
    [
        (("open", "extend"), ("extend",), 2),
        (("open", "group.open"), ("group.open",), 1),
        (("group.open", "group.extend"), (), 4),
        (("group",), ("group.open",), 4),
    ],
)
def test_degrees_of_freedom(grouped, null, alternative, df):
    from seqbio.hypothesis_testing.comparability import identifiable_ranks

    hypotheses = [PairHMM(tie=tie).hypothesis(grouped) for tie in (null, alternative)]
    ranks = identifiable_ranks(hypotheses[0][0], hypotheses[1][0], hypotheses[0][1])
    assert ranks[1] - ranks[0] == df


def test_a_tie_over_groups_is_not_nested_in_one_within(grouped):
    with pytest.raises(NestingError, match="no special case"):
        compare(PairHMM(tie=("group.open",)), PairHMM(tie=("open",)), grouped)


def test_drawn_data_keep_the_design(grouped, fitted):
    data = fitted.data_
    again = simulate_from(fitted.fit_.model, fitted.full_, data, np.random.default_rng(0))
    np.testing.assert_array_equal(again.labels, data.labels)
    columns = fitted.fit_.model.base.columns
    for group in range(2):
        full = fitted.fit_.model.of_group(fitted.full_, group)
        asked = np.rint(columns(full, data.part(None, group)))
        lengths = again.part(None, group).lengths
        assert (lengths.max(axis=1) <= asked).all()
        assert (lengths.sum(axis=1) >= asked).all()
    assert fingerprint(again) != fingerprint(data)


def test_sequences_shared_between_groups_are_found(parts):
    (x, y), other = parts[0][0], parts[1][0]
    pairs = GroupedPairs([(x, y), (x, other[1]), other, parts[1][1]], ["a", "b", "b", "a"])
    hypothesis, data = PairHMM().hypothesis(pairs)
    np.testing.assert_array_equal(clusters_of(hypothesis.model, data, 4), [0, 0, 0, 1])
    [check] = hypothesis.model.dependence(data)
    assert check.message.startswith("3 pairs share a sequence with another pair")


def test_few_events_in_one_group_rule_the_chi_squared_law_out(parts):
    pairs = GroupedPairs([*parts[0], parts[1][0]], ["many"] * 8 + ["few"])
    null, alternative = PairHMM(tie=("group.open",)), PairHMM(tie=())
    result = compare(null, alternative, pairs, calibration="chi2", check_fit=False)
    assert result.pvalue is None
    few = [check for check in result.warnings if check.code == "few_events"]
    behind = [check.message.split(":")[0] for check in few if check.severity == "invalid"]
    assert behind[0].endswith(" gap openings expected behind open_x[few]")
    assert all(each.endswith("[few]") for each in behind)


def test_what_both_hypotheses_tie_over_groups_needs_events_in_all_together(parts):
    pairs = parts[0][:4]
    each_its_own = GroupedPairs(pairs, [f"group {k}" for k in range(len(pairs))])
    shared = ("group.open", "group.extend", "group.end")

    def few(null, alternative, pairs):
        fits = []
        for tie in (null, alternative):
            hypothesis, data = PairHMM(tie=tie).hypothesis(pairs)
            fits.append(fit(hypothesis.model, hypothesis.tying, data))
        events = [
            check
            for check in model_checks(Comparison(*fits, data, 1))
            if check.code == "few_events"
        ]
        return [(each.severity, each.message.split(" expected")[0][-12:]) for each in events]

    grouped = few(("open", "extend", *shared), shared, each_its_own)
    assert grouped == few(("open", "extend"), (), pairs)


def test_a_probability_of_0_in_one_group_is_on_the_boundary(parts):
    same = [(f"{'ACGTTGCAAC' * 8}{letter}", f"{'ACGTTGCAAC' * 8}{letter}") for letter in "ACG"]
    pairs = GroupedPairs([*parts[0], *same], ["many"] * 8 + ["none"] * 3)
    settings = {"substitution": "jc69"}
    fitted = PairHMM(tie=("extend", "group.extend"), **settings).fit(pairs)
    assert {"open_x[none]", "open_y[none]"} <= set(fitted.fit_.at_boundary)
    assert fitted.parameters_["open_x[none]"] == 0
    assert "open_x[none]" not in fitted.confidence_intervals()
    null = PairHMM(tie=("open", "extend", "group.extend"), **settings)
    result = compare(
        null,
        PairHMM(tie=("extend", "group.extend"), **settings),
        pairs,
        calibration="chi2",
        check_fit=False,
    )
    assert result.pvalue is None
    assert "null_on_boundary" in {check.code for check in result.warnings}


@pytest.mark.parametrize("calibration", ["bootstrap", "split", "held-out", "robust"])
def test_every_calibration_takes_groups(parts, calibration):
    pairs = GroupedPairs(parts[0][:4] + parts[1][:4], ["a"] * 4 + ["b"] * 4)
    null = PairHMM("dna", "jc69", tie=(*SYMMETRIC, "group.open", "group.extend", "group.end"))
    alternative = PairHMM("dna", "jc69", tie=(*SYMMETRIC, "group.extend", "group.end"))
    result = compare(
        null,
        alternative,
        pairs,
        calibration=calibration,
        n_replicates=5,
        n_splits=1,
        n_folds=2,
        check_fit=False,
        seed=1,
    )
    if calibration == "robust":  # which takes 20 clusters
        assert result.pvalue is None
    else:
        assert 0 < result.pvalue <= 1


def test_self_checks_take_groups(parts):
    pairs = GroupedPairs(parts[0][:3] + parts[1][:3], ["a"] * 3 + ["b"] * 3)
    null = PairHMM("dna", "jc69", tie=(*SYMMETRIC, "group"))
    alternative = PairHMM("dna", "jc69", tie=(*SYMMETRIC, "group.extend", "group.distance"))
    found = calibrate(null, alternative, pairs, 3, calibration="chi2", seed=1)
    assert len(found.trials) == 3
    truth = alternative.fit(pairs).full_
    assert 0 < power(null, alternative, pairs, truth, n=0, seed=1).by_law < 1


@pytest.mark.slow
def test_the_group_test_keeps_its_level_at_small_n():
    base = {**PRIMATES, "open_x": 0.06, "open_y": 0.06, "extend_x": 0.3, "extend_y": 0.3}
    near, far = drawn(base, 16, 60, seed=1), drawn({**base, "distance": 0.4}, 16, 60, seed=2)
    pairs = GroupedPairs(near + far, ["near"] * 16 + ["far"] * 16)
    settings = {"substitution": "jc69", "frequencies": "equal"}
    null = PairHMM(tie=(*SYMMETRIC, "group.open", "group.extend"), **settings)
    alternative = PairHMM(tie=(*SYMMETRIC, "group.extend"), **settings)
    found = calibrate(null, alternative, pairs, 100, calibration="chi2", seed=1)
    assert found.n_missing == 0
    assert all(rate.is_in_order for rate in found.rejections()), str(found)
