"""What chi-squared cannot be trusted with: no maximum, many parameters, lengths, frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_expit

import seqbio
from seqbio.core import Hypothesis, Layout, fixed, untied
from seqbio.errors import NestingError, ParameterError
from seqbio.hypothesis_testing import calibrate, compare, power

TRUTH = {"open_x": 0.05, "open_y": 0.05, "extend_x": 0.3, "extend_y": 0.3, "end": 0.01}


def pairs_of(n, columns=60, seed=1, distance=0.1):
    hmm = seqbio.PairHMM(substitution="jc69").set_parameters({**TRUTH, "distance": distance})
    return hmm.simulate(n, columns=columns, seed=seed)


class Logistic:
    """Classes of items, data the variables and the class in the last column."""

    def __init__(self, n):
        self.layout = Layout({"slope": (n,)})

    def start(self, data):
        return np.zeros(self.layout.size)

    def log_likelihood(self, full, data):
        signs = 2 * data[:, -1] - 1
        return log_expit(signs * (data[:, :-1] @ full))

    def log_likelihood_and_gradient(self, full, data):
        signs = 2 * data[:, -1] - 1
        margin = signs * (data[:, :-1] @ full)
        slope = (signs * np.exp(log_expit(-margin))) @ data[:, :-1]
        return self.log_likelihood(full, data).sum(), slope

    def simulate(self, full, data, generator):
        chance = np.exp(log_expit(data[:, :-1] @ full))
        drawn = generator.random(len(data)) < chance
        return np.column_stack([data[:, :-1], drawn])


def hypotheses(n, tested):
    model = Logistic(n)
    return Hypothesis(model, fixed(n, tested, np.zeros(len(tested)))), Hypothesis(model, untied(n))


def test_a_variable_that_separates_the_classes_is_named():
    generator = np.random.default_rng(1)
    data = generator.standard_normal((60, 3))
    data[:, 2] = data[:, 0] > 0
    result = compare(*hypotheses(2, [0]), data)
    assert result.pvalue is None
    assert not result.converged
    assert "has no maximum" in result.conclusion
    assert "slope[0] grow without end" in result.conclusion


@pytest.mark.parametrize("seed", range(5))
def test_separation_is_found_where_both_hypotheses_have_it(seed):
    data = np.random.default_rng(seed).standard_normal((40, 4))
    data[:, 3] = data[:, 0] > 0
    result = compare(*hypotheses(3, [1]), data)
    assert result.pvalue is None
    assert "slope[0] grow without end" in result.conclusion


def test_a_flat_direction_is_named():
    generator = np.random.default_rng(4)
    data = generator.standard_normal((60, 4))
    data[:, 2] = data[:, 1]  # the same variable twice
    data[:, 3] = generator.integers(0, 2, 60)
    result = compare(*hypotheses(3, [0]), data, seed=1)
    (flat,) = [check for check in result.warnings if check.code == "flat_likelihood"]
    assert "flat along slope[1], slope[2];" in flat.message
    assert result.calibration != "chi-squared"


def test_a_maximum_is_one_however_large_the_slopes_are():
    generator = np.random.default_rng(2)
    variables = generator.standard_normal((80, 2))
    classes = generator.random(80) < np.exp(log_expit(4 * variables[:, 0]))
    result = compare(*hypotheses(2, [0]), np.column_stack([variables, classes]))
    assert result.pvalue < 1e-6


def test_many_parameters_for_the_items_rule_chi_squared_out():
    generator = np.random.default_rng(3)
    data = np.column_stack([generator.standard_normal((200, 60)), generator.integers(0, 2, 200)])
    pair = hypotheses(60, list(range(20, 60)))
    asked = compare(*pair, data, calibration="chi2")
    assert asked.pvalue is None
    assert "60 parameters are many for 200 items" in asked.null_law


def test_frequencies_that_are_counted_and_estimated_are_not_compared():
    pairs = pairs_of(3)
    counted, estimated = (
        seqbio.PairHMM(substitution="hky85", frequencies=mode, tie=("open", "extend"))
        for mode in ("empirical", "estimated")
    )
    for pair in (
        (counted, estimated),
        (seqbio.PairHMM(substitution="k80"), seqbio.PairHMM(substitution="hky85")),
    ):
        with pytest.raises(NestingError, match="frequencies are"):
            compare(*pair, pairs)
    equal = seqbio.PairHMM(substitution="k80", tie=("open", "extend"))
    assert compare(equal, estimated, pairs, calibration="chi2", check_fit=False).df == 3


def test_rates_are_tested_on_enough_substitutions():
    jc69, k80 = (seqbio.PairHMM(substitution=name, end="tied") for name in ("jc69", "k80"))
    few = compare(jc69, k80, pairs_of(3, distance=0.01), calibration="chi2")
    assert few.pvalue is None
    assert "aligned letters that differ expected behind rate_AG" in few.null_law
    many = compare(jc69, k80, pairs_of(6, distance=0.3), calibration="chi2")
    assert many.pvalue is not None


def test_a_test_of_lengths_says_so_and_has_no_bootstrap():
    pairs = seqbio.GroupedPairs(
        pairs_of(12, columns=40) + pairs_of(12, columns=30, seed=2), [0] * 12 + [1] * 12
    )
    null = seqbio.PairHMM(substitution="jc69", tie=("open", "extend", "group.end"))
    alternative = seqbio.PairHMM(substitution="jc69", tie=("open", "extend"))
    result = compare(null, alternative, pairs, calibration="bootstrap")
    assert result.pvalue is None
    assert "drawn data have the lengths of the data" in result.null_law
    result = compare(null, alternative, pairs)
    assert "lengths_tested" in [check.code for check in result.warnings]
    assert result.calibration == "flip"


@pytest.mark.slow
def test_a_self_check_on_the_data_keeps_the_differences_between_pairs():
    generator = np.random.default_rng(4)
    pairs = []
    for number in range(15):
        rates = dict(zip(("open_x", "open_y"), 0.04 * generator.gamma(0.5, 2, 2), strict=True))
        hmm = seqbio.PairHMM(substitution="jc69").set_parameters(
            {**TRUTH, "distance": 0.1, **rates}
        )
        pairs += hmm.simulate(1, columns=60, seed=number)
    null, alternative = (
        seqbio.PairHMM(substitution="jc69", tie=tie) for tie in (("open", "extend"), ("extend",))
    )
    options = {"n": 40, "drawn_from": "data", "seed": 1}
    chi2 = calibrate(null, alternative, pairs, calibration="chi2", **options)
    flips = calibrate(null, alternative, pairs, calibration="flip", **options)
    assert chi2.rejections((0.05,))[0].n_rejected >= 6
    assert flips.rejections((0.05,))[0].n_rejected <= 6
    with pytest.raises(ParameterError, match="symmetry"):
        calibrate(alternative, seqbio.PairHMM(substitution="jc69", tie=()), pairs, **options)


def test_power_takes_parameters_that_were_set():
    pairs = pairs_of(4)
    truth = seqbio.PairHMM().set_parameters({**TRUTH, "open_y": 0.1, "distance": 0.1, "kappa": 2.0})
    found = power(seqbio.PairHMM(), seqbio.PairHMM(tie=("extend",)), pairs, truth.full_, n=0)
    assert found.noncentrality > 0


def test_more_iterations_can_be_asked_for():
    generator = np.random.default_rng(5)
    variables = generator.standard_normal((80, 3))
    classes = generator.random(80) < np.exp(log_expit(2 * variables[:, 0]))
    data = np.column_stack([variables, classes])
    cut = compare(*hypotheses(3, [1]), data, max_iterations=1)
    assert not cut.converged
    assert "max_iterations" in cut.to_json()
    assert compare(*hypotheses(3, [1]), data, max_iterations=300).converged
    with pytest.raises(ParameterError, match="max_iterations"):
        compare(*hypotheses(3, [1]), data, max_iterations=0)


NO_SPECIAL_CASE = "the null ({}) is no special case of the alternative ({}), which {}; the null"


@pytest.mark.parametrize(
    ("null", "alternative", "message"),
    [
        (
            {"switch": "tied"},
            {"switch": "off"},
            ("open and extend tied, switch tied", "untied, switch off", "fixes switch_x, switch_y"),
        ),
        (
            {"end": "untied"},
            {"end": "tied"},
            (
                "open and extend tied, end untied",
                "untied, end tied",
                "ties end_x to end_m, end_y to end_m",
            ),
        ),
        (
            {"gap_lengths": 2},
            {"gap_lengths": 1},
            (
                "open and extend tied, gap lengths 2",
                "untied, gap lengths 1",
                "fixes long_x, long_y, extend_long_x, extend_long_y",
            ),
        ),
        (
            {"substitution": "gtr"},
            {},
            (
                "open and extend tied, substitution gtr",
                "untied, substitution hky85",
                "fixes rate_AC, rate_AT, rate_CG and ties rate_CT to rate_AG",
            ),
        ),
    ],
)
def test_a_refusal_names_all_that_tells_two_hypotheses_apart(null, alternative, message):
    one = seqbio.PairHMM(**{"substitution": "hky85", **null})
    other = seqbio.PairHMM(tie=(), **{"substitution": "hky85", **alternative})
    with pytest.raises(NestingError) as error:
        compare(one, other, pairs_of(2))
    assert str(error.value).startswith(NO_SPECIAL_CASE.format(*message))


def test_a_wider_null_is_named_by_its_setting():
    wide, narrow = (seqbio.PairHMM(switch=switch) for switch in ("untied", "tied"))
    with pytest.raises(NestingError, match=r"switch tied\) is a special case .* switch untied\)"):
        compare(wide, narrow, pairs_of(2))


@pytest.mark.parametrize(
    ("null", "alternative", "difference"),
    [
        (seqbio.MarkovModel(2), seqbio.MarkovModel(1), r"order \(2 and 1\)"),
        (seqbio.RecurrentModel("gru"), seqbio.RecurrentModel(), r"cell \('gru' and 'lstm'\)"),
        (
            seqbio.RecurrentModel(hidden_size=4),
            seqbio.RecurrentModel(hidden_size=5),
            r"hidden_size \(4 and 5\)",
        ),
    ],
)
def test_different_models_differ_in_settings(null, alternative, difference):
    with pytest.raises(NestingError, match=f"which differ in {difference}; compare two tyings"):
        compare(null, alternative, ["ACGTAC", "CCGTAA"])
