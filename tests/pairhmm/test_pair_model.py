"""Likelihoods, gradients and checks of the pair HMM against loops, enumeration and differences."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.core import Tying, fit
from seqbio.core.gradient_check import check_gradient
from seqbio.core.model import identifiable_rank
from seqbio.hypothesis_testing.comparison import Comparison
from seqbio.hypothesis_testing.validity import model_checks
from seqbio.pairhmm import PairHMM
from seqbio.pairhmm.pair_model import PairModel
from seqbio.pairhmm.transitions import OPTIONAL
from seqbio.sequences import get_alphabet
from tests.pairhmm.examples import HKY85, MOVES, encoded, exchanged, in_rna, random_full
from tests.pairhmm.machines import mxy
from tests.reference import pair_hmm as reference
from tests.reference import substitution as letters_reference

FAMILIES = ("gtr", "lg", "wag", "jtt", "blosum62")
DNA_PAIRS = [
    ("ACGTTGCAGT", "ACTTGCAAGT"),
    ("ACKGT", "ACGTTACGA"),
    ("ANNGTRY", "AHGSW"),
    ("A", "CG"),
]
PROTEIN_PAIRS = [("MKVLXBWY", "MKILLZRW"), ("ACDEF", "ACDDEFG"), ("MJU", "MLXX")]
SWITCHES = {"switch_x": 0.2, "switch_y": 0.1}
ENDS = {"end_m": 0.02, "end_x": 0.1, "end_y": 0.3}


def pairs_for(family):
    return encoded(DNA_PAIRS) if family == "gtr" else encoded(PROTEIN_PAIRS, "protein")


def parameters(**changes):
    """Give the HKY85 example with other ends or switches."""
    named = {**HKY85, **changes}
    if "end_m" in changes:
        del named["end"]
    return named


def model_and_full(**changes):
    hmm = PairHMM(switch="untied", end="untied").set_parameters(parameters(**changes))
    return hmm.model, hmm.full_


def textbook(p, joint):
    """Machine of the named parameters, written out from the definition of the model."""
    background = joint.sum(axis=1)
    names = ("open_x", "open_y", "extend_x", "extend_y", "switch_x", "switch_y")
    return mxy(
        *(p.get(name, 0.0) for name in names),
        end=p["end"] if "end" in p else [p[name] for name in ENDS],
        odds=joint / np.outer(background, background),
    )


def log_likelihood_by_loops(p, joint, x, y):
    """Log-probability of a pair of codes, concrete letters alone."""
    machine = textbook(p, joint)
    background = np.log(joint.sum(axis=1))
    return reference.log_likelihood(machine, x, y) + background[x].sum() + background[y].sum()


def hky85_joint(p):
    frequencies = np.array([p[f"frequency_{letter}"] for letter in "ACGT"])
    changes = letters_reference.tn93(p["distance"], frequencies, p["kappa"], p["kappa"])
    return frequencies[:, None] * changes


# Likelihood


@pytest.mark.parametrize(
    "changes",
    [{}, SWITCHES, ENDS, {**SWITCHES, **ENDS}, {"open_x": 0.0}, {"extend_x": 0.0, "extend_y": 0.0}],
)
def test_log_likelihood_of_each_pair_is_that_of_the_loops(changes):
    generator = np.random.default_rng(1)
    data = encoded(
        ["".join(generator.choice(list("ACGT"), size)) for size in sizes]
        for sizes in [(1, 1), (1, 7), (9, 2), (12, 15), (20, 20), (20, 14)]
    )
    model, full = model_and_full(**changes)
    p = parameters(**changes)
    expected = [
        log_likelihood_by_loops(p, hky85_joint(p), x, y)
        for x, y in zip(data.x, data.y, strict=True)
    ]
    np.testing.assert_allclose(model.log_likelihood(full, data), expected, rtol=1e-12)


@pytest.mark.parametrize("family", ["lg", "wag", "jtt", "blosum62"])
def test_log_likelihood_of_proteins_is_that_of_the_loops(family):
    named = {**MOVES, "end": 0.02}
    if family != "blosum62":
        named["distance"] = 0.7
    hmm = PairHMM(alphabet="protein", substitution=family).set_parameters(named)
    model, full = hmm.model, hmm.full_
    joint, frequencies = model.substitution.joint(model.layout.unflatten(full))
    if family != "blosum62":
        joint = letters_reference.joint(model.substitution.rates, frequencies, 0.7)
    data = encoded([("MKVLAWY", "MKILRW"), ("ACDEF", "ACDDEFG")], "protein")
    expected = [
        log_likelihood_by_loops(named, joint, x, y) for x, y in zip(data.x, data.y, strict=True)
    ]
    np.testing.assert_allclose(model.log_likelihood(full, data), expected, rtol=1e-11)


@pytest.mark.parametrize(
    "changes",
    [{"end": 0.3}, {**SWITCHES, "end_m": 0.3, "end_x": 0.4, "end_y": 0.5}],
    ids=["plain", "switch and ends"],
)
def test_probabilities_of_all_pairs_add_up_to_1(changes):
    # Letters that can be anything sum over all sequences of a length: there are 4**length of them,
    # of which an average is taken. Empty sequences, which files cannot hold, are added by hand.
    changes = {"open_x": 0.2, "open_y": 0.1, **changes}
    model, full = model_and_full(**changes)
    sizes = np.arange(1, 50)
    lengths = np.array(list(itertools.product(sizes, sizes)))
    data = encoded([("N" * n, "N" * m) for n, m in lengths])
    both = np.exp(model.log_likelihood(full, data) + np.log(4) * lengths.sum(axis=1)).sum()
    machine = textbook(parameters(**changes), hky85_joint(HKY85))
    gaps_only = sum(
        machine.transitions[0, gap]
        * machine.end[gap]
        * (machine.transitions[gap, gap] ** np.arange(200)).sum()
        for gap in (1, 2)
    )
    assert both + gaps_only + machine.end[0] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("pair", "alphabet"),
    [
        (("ANG", "AG"), "dna"),
        (("RYK", "MSW"), "dna"),
        (("BAD", "HVN"), "dna"),
        (("NN", "NA"), "dna"),
        (("GUN", "UR"), "rna"),
        (("MBK", "MZ"), "protein"),
        (("XK", "MJ"), "protein"),
    ],
)
def test_likelihood_with_ambiguity_codes_is_the_average_over_letters(pair, alphabet):
    named = HKY85 if alphabet != "protein" else {**MOVES, "end": 0.02, "distance": 0.5}
    if alphabet == "rna":
        named = in_rna(named)
    if pair == ("BAD", "HVN"):
        named = {**named, **SWITCHES}
    hmm = PairHMM(alphabet=alphabet, switch="tied").set_parameters(named)
    codes = get_alphabet(alphabet).ambiguity
    resolved = [
        ("".join(text[: len(pair[0])]), "".join(text[len(pair[0]) :]))
        for text in itertools.product(*(codes.get(symbol, symbol) for symbol in "".join(pair)))
    ]
    assert len(resolved) > 1
    average = np.exp(hmm.log_likelihood(resolved)).mean()
    assert np.exp(hmm.log_likelihood([pair])[0]) == pytest.approx(average, rel=1e-12)


def test_order_of_pairs_and_company_do_not_matter():
    model, full = model_and_full()
    together = model.log_likelihood(full, encoded(DNA_PAIRS))
    reverse = model.log_likelihood(full, encoded(DNA_PAIRS[::-1]))
    alone = [model.log_likelihood(full, encoded([pair]))[0] for pair in DNA_PAIRS]
    np.testing.assert_allclose(together, reverse[::-1], rtol=1e-13)
    np.testing.assert_allclose(together, alone, rtol=1e-13)


@pytest.mark.parametrize("changes", [{}, {**SWITCHES, **ENDS}], ids=["plain", "switch and ends"])
def test_exchanging_x_and_y_and_their_parameters_changes_nothing(changes):
    model, full = model_and_full(**changes)
    there = model.log_likelihood(full, encoded(DNA_PAIRS))
    other = PairHMM(switch="untied", end="untied").set_parameters(exchanged(parameters(**changes)))
    back = model.log_likelihood(other.full_, encoded([(y, x) for x, y in DNA_PAIRS]))
    np.testing.assert_allclose(there, back, rtol=1e-13)


def test_rna_is_dna_with_another_letter():
    model, full = model_and_full()
    rna = encoded([tuple(text.replace("T", "U") for text in pair) for pair in DNA_PAIRS], "rna")
    dna = model.log_likelihood(full, encoded(DNA_PAIRS))
    np.testing.assert_array_equal(model.log_likelihood(full, rna), dna)


def test_a_pair_that_cannot_be_is_minus_infinity_and_has_no_gradient():
    model, full = model_and_full(open_x=0.0)
    data = encoded([("AAA", "A"), ("A", "AA")])
    likelihoods = model.log_likelihood(full, data)
    assert np.isneginf(likelihoods[0])
    assert np.isfinite(likelihoods[1])
    total, gradient = model.log_likelihood_and_gradient(full, data)
    assert np.isneginf(total)
    assert np.isnan(gradient).all()


def test_a_letter_of_probability_0_leaves_the_other_pairs_alone():
    model, full = model_and_full(frequency_T=0.0, frequency_A=0.7)
    data = encoded([("ACG", "ACGG"), ("T", "A"), ("AT", "ACN")])
    likelihoods = model.log_likelihood(full, data)
    assert likelihoods[0] == model.log_likelihood(full, encoded([("ACG", "ACGG")]))[0]
    assert np.isneginf(likelihoods[1:]).all()
    assert np.isneginf(model.best_path_score(full, data)[1:]).all()


# Gradient and curvature


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(3))
def test_gradient_is_that_of_central_differences(family, seed):
    model = PairModel(family)
    check = check_gradient(model, random_full(model, seed), pairs_for(family))
    assert check.max_relative_error < 1e-6
    assert check.value_error < 1e-12


@pytest.mark.parametrize(
    "settings",
    [{"substitution": name, "frequencies": "estimated"} for name in ("f81", "hky85", "tn93", "gtr")]
    + [{"substitution": "jc69"}, {"substitution": "k80"}]
    + [
        {"switch": switch, "end": end}
        for switch in ("tied", "untied")
        for end in ("tied", "untied")
    ]
    + [{"alphabet": "protein", "substitution": name} for name in ("lg", "wag", "jtt", "blosum62")],
    ids=lambda settings: "-".join(settings.values()),
)
@pytest.mark.parametrize("tie", [(), ("open", "extend")], ids=["untied", "tied"])
def test_gradient_in_the_free_parameters_of_every_setting(settings, tie):
    is_protein = settings.get("alphabet") == "protein"
    hmm = PairHMM(tie=tie, **settings)
    hypothesis, data = hmm.hypothesis(PROTEIN_PAIRS if is_protein else DNA_PAIRS)
    model, tying = hypothesis.model, hypothesis.tying
    free = np.random.default_rng(1).normal(-1.0, 0.3, tying.n_free)
    _, gradient = model.log_likelihood_and_gradient(tying.expand(free), data)
    found, step = tying.pull_back(gradient), 1e-3
    for j, direction in enumerate(np.eye(tying.n_free)):
        near = [
            model.log_likelihood(tying.expand(free + k * step * direction), data).sum()
            for k in (-2, -1, 1, 2)
        ]
        expected = np.dot([1, -8, 8, -1], near) / (12 * step)
        assert found[j] == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("family", ["gtr", "lg"])
def test_scores_of_pairs_are_their_own_gradients(family):
    model, data = PairModel(family), pairs_for(family)
    full = random_full(model, 4)
    scores = model.scores(full, data)
    for number, score in enumerate(scores):
        own = model.log_likelihood_and_gradient(full, data.subset(np.array([number])))[1]
        np.testing.assert_allclose(score, own, rtol=1e-9, atol=1e-12)
    total = model.log_likelihood_and_gradient(full, data)[1]
    np.testing.assert_allclose(scores.sum(axis=0), total, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "zero", ["open_x", "extend_x", "extend_y", "distance", "exchangeability", "frequency"]
)
def test_gradient_at_a_boundary(zero):
    model = PairModel("gtr")
    full = random_full(model, 5)
    data = encoded([("CGTT", "CCGGTT"), ("CGGC", "CGGCTTTC")])
    if zero == "distance":
        data = encoded([("CGTT", "CCGTT"), ("ACG", "ACG")])
    full[model.layout.slice(zero)] = -np.inf
    if zero in ("exchangeability", "frequency"):
        full[model.layout.slice(zero)] = 0.0
        full[model.layout.slice(zero).start] = -np.inf  # A-C, or the letter A, which is absent
    assert np.isfinite(model.log_likelihood(full, data)).all()
    _, gradient = model.log_likelihood_and_gradient(full, data)
    assert np.abs(gradient[np.isneginf(full)]).max() < 1e-12
    check = check_gradient(model, full, data)
    assert check.max_relative_error < 1e-6


def test_curvature_is_about_minus_the_diagonal_of_the_hessian():
    model, full = model_and_full()
    generator = np.random.default_rng(2)
    columns = np.full(40, 200)
    data = model.draw(full, get_alphabet("dna"), len(columns), columns, generator)
    curvature, step = model.curvature(full, data), 1e-3
    absent = [f"extend_{share}_{side}" for share in OPTIONAL for side in "xy"]
    meaningful = np.isfinite(full)
    meaningful[[model.layout.slice(name).start for name in absent]] = False
    for j in np.flatnonzero(meaningful):
        direction = np.eye(full.size)[j]
        below, above = (
            model.log_likelihood_and_gradient(full + sign * step * direction, data)[1][j]
            for sign in (-1, 1)
        )
        # That the alignments are not known can only lower the information.
        assert 1.0 < curvature[j] / ((below - above) / (2 * step)) < 4.0


def test_curvature_is_positive_where_there_is_nothing_to_see():
    model, full = model_and_full(open_x=0.0, open_y=0.0, distance=0.0)
    assert (model.curvature(full, encoded([("A", "A")])) > 0).all()


# Events


@pytest.mark.parametrize("changes", [{}, {**SWITCHES, **ENDS}], ids=["plain", "switch and ends"])
def test_expected_events_are_those_of_the_loops(changes):
    model, full = model_and_full(**changes)
    data = encoded([DNA_PAIRS[0], ("ACG", "ACGTTACGA"), ("ACCGTTT", "A"), ("C", "G")])
    events = model.events(full, data)
    machine = textbook(parameters(**changes), hky85_joint(HKY85))
    counts = [reference.expected_counts(machine, x, y) for x, y in zip(data.x, data.y, strict=True)]
    moves, endings = sum(c.transitions for c in counts), sum(c.ending for c in counts)
    np.testing.assert_allclose(events.moves, moves, atol=1e-10)
    np.testing.assert_allclose(events.endings, endings, atol=1e-10)
    columns = [c.transitions.sum() for c in counts]
    np.testing.assert_allclose(model.columns(full, data), columns, rtol=1e-12)


def test_start_is_inside_and_near_the_truth():
    model, full = model_and_full()
    data = model.draw(full, get_alphabet("dna"), 20, np.full(20, 300), np.random.default_rng(3))
    start = model.start(data)
    shares = {f"{share}_{side}" for share in OPTIONAL for side in "xy"}
    names = np.array(model.layout.entry_names)
    assert set(names[~np.isfinite(start)]) == shares
    estimates, truth = model.estimates(start), model.estimates(full)
    for name in ("open_x", "open_y", "extend_x", "extend_y", "distance"):
        assert 0.5 < estimates[name] / truth[name] < 2


# What tests and reports need


@pytest.mark.parametrize(
    ("settings", "rank"),
    [
        ({"substitution": "jc69"}, 4),  # open, extend, end, distance
        ({"substitution": "k80"}, 5),
        ({"substitution": "hky85"}, 5),
        ({"substitution": "hky85", "frequencies": "estimated"}, 8),
        ({"substitution": "tn93"}, 6),
        ({"substitution": "gtr"}, 9),
        ({"substitution": "gtr", "tie": ()}, 11),
        ({"tie": ("open",)}, 6),
        ({"tie": ()}, 7),
        ({"switch": "tied"}, 6),
        ({"switch": "untied"}, 7),
        ({"switch": "untied", "tie": ("open", "extend", "switch")}, 6),
        ({"end": "untied"}, 7),
        ({"end": "untied", "tie": ("open", "extend", "end")}, 5),
        ({"alphabet": "protein", "substitution": "blosum62"}, 3),
        ({"alphabet": "protein", "substitution": "lg"}, 4),
    ],
)
def test_free_parameters_can_all_be_told_apart(settings, rank):
    is_protein = settings.get("alphabet") == "protein"
    hypothesis, data = PairHMM(**settings).hypothesis(PROTEIN_PAIRS if is_protein else DNA_PAIRS)
    assert hypothesis.tying.n_free == rank
    assert identifiable_rank(hypothesis.model, hypothesis.tying, data, seed=0) == rank


def test_a_common_factor_of_all_rates_cannot_be_told():
    model = PairModel("gtr")
    untied = Tying(np.arange(model.layout.size))
    full = random_full(model, 1)
    # Six rates, of which five ratios count.
    rank = identifiable_rank(model, untied, encoded(DNA_PAIRS), full=full, seed=0)
    assert rank == untied.n_free - 1


def test_effects_are_log_ratios_with_their_gradients():
    model, full = model_and_full(**SWITCHES)
    effects = model.effects(full)
    assert set(effects) == {"open_y / open_x", "extend_y / extend_x", "switch_y / switch_x"}
    named = {**HKY85, **SWITCHES}
    for name, effect in effects.items():
        over, under = name.split(" / ")
        assert effect.log_scale
        assert np.exp(effect.value) == pytest.approx(named[over] / named[under], rel=1e-12)
        step, numeric = 1e-3, np.empty(full.size)
        for j, direction in enumerate(np.eye(full.size)):
            near = [model.effects(full + k * step * direction)[name].value for k in (-2, -1, 1, 2)]
            numeric[j] = np.dot([1, -8, 8, -1], near) / (12 * step)
        np.testing.assert_allclose(effect.gradient, numeric, rtol=1e-8, atol=1e-10)


def test_a_ratio_with_0_is_infinite_or_0_and_there_is_none_of_two():
    model, full = model_and_full(open_x=0.0)
    assert model.effects(full)["open_y / open_x"].value == np.inf
    model, full = model_and_full(open_y=0.0)
    assert model.effects(full)["open_y / open_x"].value == -np.inf
    model, full = model_and_full(open_x=0.0, open_y=0.0)
    assert set(model.effects(full)) == {"extend_y / extend_x"}


def checks(model, full, data, tie=("open", "extend"), **settings):
    hypothesis, _ = PairHMM(tie=tie, **settings).hypothesis([("A", "A")])
    found = [*model.checks(full, data, hypothesis.tying), *model.dependence(data)]
    return {check.code: check for check in found}


def clear_pairs(n_gaps_in_x, n_gaps_in_y, generator, length=3):
    """Pairs with one gap each, which nobody can overlook, at a place that differs."""
    pairs = []
    for number in range(n_gaps_in_x + n_gaps_in_y):
        text = "".join(generator.choice(list("ACGT"), 60))
        start = int(generator.integers(10, 40))
        shorter = text[:start] + text[start + length :]
        pairs.append((text, shorter) if number < n_gaps_in_x else (shorter, text))
    return pairs


def few_events(pairs, null=("open", "extend"), alternative=(), **settings):
    """What a test finds too few of, by what it says of them."""
    fits = []
    for tie in (null, alternative):
        hypothesis, data = PairHMM(tie=tie, substitution="jc69", **settings).hypothesis(pairs)
        fits.append(fit(hypothesis.model, hypothesis.tying, data))
    found = model_checks(Comparison(*fits, data, 1))
    return [check for check in found if check.code == "few_events"]


@pytest.mark.parametrize(
    ("n_gaps", "severity"), [(3, "invalid"), (9, "invalid"), (14, "warning"), (38, "warning")]
)
def test_few_gaps_are_noticed_when_their_parameters_are_tested(n_gaps, severity):
    pairs = clear_pairs(n_gaps, 0, np.random.default_rng(4))
    # That all gaps happen to be on one side leaves half of them expected on the other.
    found = {check.message.partition(" expected behind ")[0]: check for check in few_events(pairs)}
    [openings] = [words for words in found if "gap openings" in words]
    assert float(openings.split()[1]) == pytest.approx(n_gaps / 2, abs=0.3)
    assert found[openings].severity == severity
    # Extensions are twice as many, but depend on the gaps.
    [gaps] = [words for words in found if words.endswith(" gaps")]
    assert gaps.split()[1] == openings.split()[1]


def test_many_gaps_raise_no_doubt():
    assert not few_events(clear_pairs(25, 20, np.random.default_rng(5)))


def test_gaps_of_one_letter_leave_a_test_of_extension_in_doubt():
    pairs = clear_pairs(25, 20, np.random.default_rng(5), length=1)
    pairs[0] = (pairs[0][0], pairs[0][1][:30] + pairs[0][1][31:])
    [found] = few_events(pairs, ("extend",))
    assert "gap extensions expected behind extend_" in found.message
    # What both hypotheses tie is not tested.
    assert not few_events(pairs, ("open", "extend"), ("extend",))


def test_nothing_tied_needs_no_events():
    model, full = model_and_full()
    assert not checks(model, full, encoded([("ACGT", "ACGT")]), tie=())


def test_moves_between_gaps_are_few_as_well():
    data = encoded(clear_pairs(25, 20, np.random.default_rng(5)))
    model, full = model_and_full(**SWITCHES)
    expected = model.event_totals(full, data)["moves between gaps"]
    assert set(np.flatnonzero(np.isfinite(expected))) == {
        model.layout.slice(f"switch_{side}").start for side in "xy"
    }


def test_copies_of_a_pair_are_noticed():
    model, full = model_and_full()
    data = encoded([("ACGT", "ACGA"), ("CCGT", "ACGG"), ("ACGT", "ACGA")])
    found = checks(model, full, data, tie=())
    assert set(found) == {"dependent_items"}
    assert found["dependent_items"].severity == "invalid"
    assert found["dependent_items"].message.startswith("2 pairs occur more than once")


def test_a_sequence_in_several_pairs_is_noticed():
    model, full = model_and_full()
    star = [("ACGT", "ACGA"), ("ACGT", "ACGG"), ("TTTT", "TTTC")]
    found = checks(model, full, encoded(star), tie=())
    assert set(found) == {"dependent_items"}
    assert found["dependent_items"].severity == "invalid"
    assert found["dependent_items"].message.startswith("2 pairs share a sequence")
    assert found["dependent_items"].message.endswith("--reference x (reference='x')")
    declared = replace(encoded(star), reference="x")
    found = checks(model, full, declared, tie=())
    assert [(check.code, check.severity) for check in found.values()] == [("reference", "note")]
    assert found["reference"].message.startswith("2 pairs share a reference in x")
    chain = [*star, ("TTTA", "TTTT")]
    found = checks(model, full, encoded(chain), tie=())
    assert set(found) == {"dependent_items"}
    assert found["dependent_items"].severity == "invalid"
    assert found["dependent_items"].message.startswith("4 pairs share a sequence")
    assert "--reference" not in found["dependent_items"].message


def test_a_pair_of_equal_sequences_shares_with_nobody():
    model, full = model_and_full()
    assert not checks(model, full, encoded([("ACGT", "ACGT"), ("AAAA", "AAAC")]), tie=())


def test_models_of_one_family_are_one():
    assert PairModel("gtr") == PairHMM(substitution="jc69").model == PairHMM().model
    assert PairModel("gtr").key == PairHMM(substitution="tn93").model.key
    assert PairModel("gtr").key != PairModel("lg").key


def test_boundary_is_everything_but_the_end_after_a_match():
    model = PairModel("gtr")
    assert {
        name
        for name, can_be_zero in zip(model.layout.entry_names, model.boundary, strict=True)
        if not can_be_zero
    } == {"end_m"}


@given(seed=st.integers(0, 50))
def test_best_path_is_never_better_than_all_together(seed):
    model = PairModel("gtr")
    full, data = random_full(model, seed), encoded(DNA_PAIRS)
    assert (model.best_path_score(full, data) <= model.log_likelihood(full, data) + 1e-12).all()
