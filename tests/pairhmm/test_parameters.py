"""Named parameters and coordinates: there and back, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.core.numerics import logit
from seqbio.errors import ParameterError
from seqbio.pairhmm import PairHMM, parameters
from seqbio.pairhmm.pair_model import PairModel
from tests.pairhmm.examples import FREQUENCIES, HKY85, MOVES, random_full

GTR, LG, BLOSUM62 = PairModel("gtr"), PairModel("lg"), PairModel("blosum62")
RATES = {"rate_AC": 2.0, "rate_AG": 3.0, "rate_AT": 4.0, "rate_CG": 5.0, "rate_CT": 6.0}
KAPPAS = {"kappa_AG": 3.0, "kappa_CT": 2.0}
ENDS = {"end_m": 0.01, "end_x": 0.02, "end_y": 0.03}
SWITCHES = {"switch_x": 0.1, "switch_y": 0.2}
AMINO_ACIDS = {f"frequency_{letter}": 0.05 for letter in "ACDEFGHIKLMNPQRSTVWY"}
F81 = {**MOVES, "end": 0.01, "distance": 0.1, **FREQUENCIES}

# Settings of an estimator, and all the parameters that it estimates with them.
CASES = {
    "f81": ({"substitution": "f81"}, F81),
    "hky85": ({"substitution": "hky85"}, HKY85),
    "tn93": ({"substitution": "tn93"}, {**F81, **KAPPAS}),
    "gtr": ({"substitution": "gtr"}, {**F81, **RATES}),
    "ends": ({"end": "untied"}, {**MOVES, **ENDS, "distance": 0.1, "kappa": 3.0, **FREQUENCIES}),
    "switches": ({"switch": "untied"}, {**HKY85, **SWITCHES}),
    "lg": ({"alphabet": "protein"}, {**MOVES, "end": 0.01, "distance": 0.1, **AMINO_ACIDS}),
}
ZEROS = {
    "no gap in x": {"open_x": 0.0},
    "no gap": {"open_x": 0.0, "open_y": 0.0},
    "no long gap": {"extend_x": 0.0, "extend_y": 0.0},
    "one switch": {"switch_x": 0.0, "switch_y": 0.3},
    "no distance": {"distance": 0.0},
    "no transitions": {"kappa": 0.0},
    "a letter that never occurs": {"frequency_A": 0.0, "frequency_C": 0.5},
    "the last letter never occurs": {"frequency_T": 0.0, "frequency_C": 0.4},
    "all at once": {**MOVES, "open_x": 0.0, "extend_x": 0.0, "distance": 0.0, "kappa": 0.0},
}


def coordinates(model, named):
    return parameters.coordinates(model.layout, model.substitution, named)


def natural(model, full):
    return parameters.natural(model.layout, model.substitution, full)


@pytest.mark.parametrize("case", CASES)
def test_names_come_back(case):
    settings, named = CASES[case]
    model = PairHMM(**settings).model
    assert natural(model, coordinates(model, named)) == pytest.approx(named, rel=1e-13)


@pytest.mark.parametrize("name", ZEROS)
def test_exact_zeros_come_back(name):
    named = {**HKY85, **ZEROS[name]}
    back = natural(GTR, coordinates(GTR, named))
    if named["distance"] == 0.0:  # then no rate has a meaning
        del named["kappa"]
    assert back == pytest.approx(named, rel=1e-13)
    assert {key for key in back if back[key] == 0} == {key for key in named if named[key] == 0}


@pytest.mark.parametrize("model", [GTR, LG], ids=["gtr", "lg"])
@given(seed=st.integers(0, 1000))
def test_coordinates_come_back(model, seed):
    full = random_full(model, seed, spread=2.0)
    if model is GTR:  # only the ratios of the rates count
        full[model.layout.slice("exchangeability")] -= full[model.layout.slice("exchangeability")][
            -1
        ]
    np.testing.assert_allclose(coordinates(model, natural(model, full)), full, rtol=0, atol=1e-10)


def test_what_is_not_given_is_usual():
    short = {**MOVES, "end": 0.01, "distance": 0.1}
    quarter = dict.fromkeys(FREQUENCIES, 0.25)
    assert natural(GTR, coordinates(GTR, short)) == pytest.approx({**short, **quarter})
    leucine = natural(LG, coordinates(LG, short))["frequency_L"]
    assert leucine == pytest.approx(0.0991, abs=1e-4)  # Le & Gascuel (2008): the commonest


def test_rates_are_relative_to_the_last():
    named = {**F81, "rate_AC": 4.0, "rate_GT": 2.0}
    rates = {name: 2.0 if name == "rate_AC" else 0.5 for name in RATES}
    assert natural(GTR, coordinates(GTR, named)) == pytest.approx({**F81, **rates})


def test_a_common_factor_of_the_rates_changes_nothing():
    named = {**F81, **RATES}
    full = coordinates(GTR, named)
    full[GTR.layout.slice("exchangeability")] += 0.7
    assert natural(GTR, full) == pytest.approx(named)
    effect, _ = parameters.unconstrained(GTR.layout, GTR.substitution, full, "rate_AG")
    assert effect.gradient[GTR.layout.slice("exchangeability")].tolist() == [0, 1, 0, 0, 0, -1]


def test_a_table_of_scores_has_moves_alone():
    named = {**MOVES, "end": 0.01}
    assert natural(BLOSUM62, coordinates(BLOSUM62, named)) == pytest.approx(named)


def test_ends_are_one_name_where_they_are_equal():
    named = {**HKY85, **dict.fromkeys(ENDS, 0.01)}
    del named["end"]
    assert natural(GTR, coordinates(GTR, named)) == pytest.approx(HKY85)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"open_x": -0.1}, r"open_x is -0\.1"),
        ({"kappa": float("nan")}, r"kappa is nan"),
        ({"distance": float("inf")}, r"distance is inf"),
        ({"end": 1e-310}, r"end is 1e-310, too near to 0 to be told from it; give 0"),
        ({"extend_y": 1.0}, r"extend_y is 1\.0; give a probability below 1$"),
        ({"switch_x": 1.5}, r"switch_x is 1\.5"),
        ({"end": 0.0}, r"end_m is 0\.0; give a probability below 1 and above 0"),
        ({"open_x": 0.5, "open_y": 0.5}, r"open_x and open_y add up to 1;"),
        ({"rate_AG": 2.0}, "rate_AG and kappa are one rate; leave one of them out"),
        ({"kappa_CT": 2.0}, "kappa_CT and kappa are one rate"),
        ({"opn_x": 0.1}, r"'opn_x' in this pair HMM \(did you mean 'open_x'\?\)"),
        ({"frequency_A": 0.9}, r"frequencies add up to 1\.5"),
        ({"zzz": 0.1}, r"no parameter 'zzz' in this pair HMM; it has .*open_x, open_y"),
        ({"close_x": 0.1}, r"no parameter 'close_x'"),
    ],
)
def test_values_out_of_range_and_strange_names_are_refused(change, message):
    with pytest.raises(ParameterError, match=message):
        coordinates(GTR, {**HKY85, **change})


@pytest.mark.parametrize("name", ["open_x", "extend_y", "end", "distance", "frequency_G"])
def test_a_missing_name_is_named(name):
    named = {key: value for key, value in HKY85.items() if key != name}
    with pytest.raises(ParameterError, match=f"^{name} is missing"):
        coordinates(GTR, named)


def test_one_end_of_three_is_not_enough():
    named = {**HKY85, "end_m": 0.01}
    with pytest.raises(ParameterError, match="end_x is missing"):
        coordinates(GTR, named)


def test_a_table_of_scores_has_no_distance():
    with pytest.raises(ParameterError, match="no parameter 'distance'"):
        coordinates(BLOSUM62, {**MOVES, "end": 0.01, "distance": 0.1})


@pytest.mark.parametrize(
    ("case", "name"), [(case, name) for case, (_, named) in CASES.items() for name in named]
)
def test_scale_and_gradient_of_every_name(case, name):
    settings, named = CASES[case]
    hmm = PairHMM(tie=(), frequencies="estimated", **settings)
    hypothesis, _ = hmm.hypothesis([("ACGT", "ACGT")])
    model, tying = hypothesis.model, hypothesis.tying
    full = coordinates(model, named)
    effect, back = parameters.unconstrained(model.layout, model.substitution, full, name)
    assert effect.name == name
    assert back(effect.value) == pytest.approx(named[name], rel=1e-13)
    is_positive = name == "distance" or name.startswith(("kappa", "rate"))
    scale = np.log if is_positive else logit
    assert effect.value == pytest.approx(scale(named[name]), rel=1e-12)

    step = 1e-3
    numeric = np.empty(tying.n_free)
    for j, direction in enumerate(tying.jacobian().T):
        near = [natural(model, full + k * step * direction)[name] for k in (-2, -1, 1, 2)]
        numeric[j] = np.dot([1, -8, 8, -1], scale(np.array(near))) / (12 * step)
    np.testing.assert_allclose(tying.pull_back(effect.gradient), numeric, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("without", "name"),
    [
        ({"distance": 0.0}, "kappa"),
        ({"kappa": 1.0}, "kappa"),
        ({"kappa": 1.0}, "kappa_AG"),
        ({"distance": 0.0}, "distance"),
        ({"kappa": 1.0}, "end"),
    ],
)
def test_a_value_that_has_no_name_here_is_on_its_scale_all_the_same(without, name):
    """An interval passes through such places."""
    named = {**MOVES, "end": 0.01, "distance": 0.2, "kappa": 3.0}
    model = PairHMM(tie=()).set_parameters(named).model
    full = coordinates(model, named | without)
    effect, back = parameters.unconstrained(model.layout, model.substitution, full, name)
    expected = {"kappa_AG": 1.0, **named, **without}[name]
    assert back(effect.value) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["open_x", "frequency_G"])
def test_a_parameter_that_rounds_to_1_has_slopes(name):
    # The odds of one of three are its own over the sum of the others, of which each has a share.
    full = coordinates(GTR, HKY85)
    before = full.copy()
    full[GTR.layout.indices("frequency")[2] if "freq" in name else GTR.layout.slice(name)] += 60.0
    assert natural(GTR, full)[name] == 1.0
    gradient, expected = (
        parameters.unconstrained(GTR.layout, GTR.substitution, each, name)[0].gradient
        for each in (full, before)
    )
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)


def test_rates_and_distances_that_run_off_are_infinite():
    full = coordinates(GTR, HKY85)
    full[GTR.layout.slice("distance")] = 800.0
    assert natural(GTR, full)["distance"] == np.inf
