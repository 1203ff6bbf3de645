"""Gaps of two kinds: against loops and enumeration, in fits and in tests."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pytest

import seqbio
from seqbio import PairHMM
from seqbio.core import check_gradient, fit, fixed
from seqbio.core.model import identifiable_rank
from seqbio.errors import ParameterError, TyingError
from seqbio.hypothesis_testing import goodness_of_fit
from seqbio.pairhmm.dp import Machine
from tests.pairhmm.examples import HKY85, encoded, exchanged
from tests.reference import pair_hmm as reference

LONG = {"long_x": 0.2, "long_y": 0.3, "extend_long_x": 0.9, "extend_long_y": 0.8}
FRAME = {"frame_x": 0.3, "frame_y": 0.4, "extend_frame_x": 0.5, "extend_frame_y": 0.2}
LAWS = {2: {**HKY85, **LONG}, "frame": {**HKY85, **FRAME}}
SWITCHES = {"switch_x": 0.2, "switch_y": 0.1}
PAIRS = [("ACGTTGCAGT", "ACTTGCAAGT"), ("ACGGT", "ACGTTACGA"), ("A", "CG"), ("ACCGTTTGG", "AG")]
each_law = pytest.mark.parametrize("gap_lengths", LAWS)


def given(gap_lengths, **changes):
    settings = {"switch": "untied"} if "switch_x" in changes else {}
    hmm = PairHMM(gap_lengths=gap_lengths, **settings)
    return hmm.set_parameters({**LAWS[gap_lengths], **changes})


def textbook(p, gap_lengths, odds):
    """Write out the machine from the definition: one row a state, `end` factored out."""
    share = "long" if gap_lengths == 2 else "frame"
    enter = {
        side: {
            side: 1 - p[f"{share}_{side}"],
            f"{side}{'L' if gap_lengths == 2 else '1'}": p[f"{share}_{side}"],
        }
        for side in "xy"
    }
    rows = {"m": {"m": 1 - p["open_x"] - p["open_y"]}}
    end = {"m": p["end"]}
    for side, other in ("xy", "yx"):
        rows["m"] |= {state: p[f"open_{side}"] * part for state, part in enter[side].items()}
        going = {side: (side, p[f"extend_{side}"])}
        if gap_lengths == 2:
            going[f"{side}L"] = (f"{side}L", p[f"extend_long_{side}"])
        else:
            rows[f"{side}1"], rows[f"{side}2"] = {f"{side}2": 1.0}, {f"{side}3": 1.0}
            end |= {f"{side}1": 0.0, f"{side}2": 0.0}
            going[f"{side}3"] = (f"{side}1", p[f"extend_frame_{side}"])
        switch = p.get(f"switch_{side}", 0.0)
        for state, (following, stay) in going.items():
            rows[state] = {following: stay, "m": (1 - stay) * (1 - switch)}
            rows[state] |= {
                target: (1 - stay) * switch * part for target, part in enter[other].items()
            }
            end[state] = p["end"]
    states = list(rows)
    ends = np.array([end[state] for state in states])
    moves = np.array([[rows[state].get(other, 0.0) for other in states] for state in states])
    kinds = "".join(state[0] for state in states)
    return Machine(kinds, moves * (1 - ends)[:, None], ends, odds)


def machines(hmm, gap_lengths, p):
    """Give the textbook's machine with the letters of a model, and their background."""
    joint, letters = hmm.model.substitution.joint(hmm.model.layout.unflatten(hmm.full_))
    return textbook(p, gap_lengths, joint / np.outer(letters, letters)), np.log(letters)


@each_law
@pytest.mark.parametrize("changes", [{}, SWITCHES], ids=["switch off", "switch"])
def test_log_likelihood_and_best_path_are_those_of_the_loops(gap_lengths, changes):
    hmm = given(gap_lengths, **changes)
    machine, background = machines(hmm, gap_lengths, {**LAWS[gap_lengths], **changes})
    data = encoded(PAIRS)
    found, best = hmm.log_likelihood(PAIRS), hmm.model.best_path_score(hmm.full_, data)
    for pair, (x, y) in enumerate(zip(data.x, data.y, strict=True)):
        letters = background[x].sum() + background[y].sum()
        assert found[pair] == pytest.approx(reference.log_likelihood(machine, x, y) + letters)
        assert best[pair] == pytest.approx(reference.viterbi(machine, x, y)[0] + letters)


@each_law
def test_posterior_is_that_of_all_alignments(gap_lengths):
    hmm = given(gap_lengths)
    machine, _ = machines(hmm, gap_lengths, LAWS[gap_lengths])
    data = encoded([("ACGT", "G")])
    paths = list(reference.all_paths(machine.kinds, 4, 1))
    expected, _ = reference.enumerated_counts(machine, data.x[0], data.y[0], paths)
    np.testing.assert_allclose(hmm.posterior("ACGT", "G"), expected.aligned, atol=1e-12)


@each_law
@pytest.mark.parametrize("n", [80, 82])
def test_a_kind_of_gap_may_vanish_beside_another_in_long_pairs(gap_lengths, n):
    # At the edges a long gap of the one kind is 1e-200 times as probable as of the other.
    changes = {"extend_x": 0.001, "extend_y": 0.001}
    other = "long" if gap_lengths == 2 else "frame"
    changes |= {f"extend_{other}_{side}": 0.9 for side in "xy"}
    hmm = given(gap_lengths, **changes)
    machine, background = machines(hmm, gap_lengths, {**LAWS[gap_lengths], **changes})
    generator = np.random.default_rng(n)
    pairs = [tuple("".join(generator.choice(list("ACGT"), size)) for size in (n, 84))]
    data = encoded(pairs)
    letters = background[data.x[0]].sum() + background[data.y[0]].sum()
    total = reference.log_likelihood(machine, data.x[0], data.y[0])
    assert hmm.log_likelihood(pairs)[0] == pytest.approx(total + letters, rel=1e-12)
    assert check_gradient(hmm.model, hmm.full_, data).max_relative_error < 1e-5
    lengths = hmm.gap_length_fit(pairs, longest=5)
    assert np.isfinite(lengths.posterior_x).all()


@each_law
def test_expected_events_are_those_of_the_loops(gap_lengths):
    hmm = given(gap_lengths, **SWITCHES)
    p = {**LAWS[gap_lengths], **SWITCHES}
    machine, _ = machines(hmm, gap_lengths, p)
    data = encoded(PAIRS)
    events = hmm.model.events(hmm.full_, data)
    counts = [reference.expected_counts(machine, x, y) for x, y in zip(data.x, data.y, strict=True)]
    # The textbook lists the states of x first.
    shown = {"x": "x", "y": "y", "m": "m", "x_long": "xL", "y_long": "yL"}
    shown |= {f"{side}_frame_{n}": f"{side}{n}" for side in "xy" for n in (1, 2, 3)}
    own = [["m", "x", "xL", "y", "yL"], ["m", "x1", "x2", "x", "x3", "y1", "y2", "y", "y3"]]
    order = [own[gap_lengths == "frame"].index(shown[state]) for state in events.states]
    moves = sum(count.transitions for count in counts)[np.ix_(order, order)]
    np.testing.assert_allclose(events.moves, moves, atol=1e-9)
    endings = sum(count.ending for count in counts)[order]
    np.testing.assert_allclose(events.endings, endings, atol=1e-9)


@each_law
def test_probabilities_of_all_pairs_add_up_to_1(gap_lengths):
    # With letters that can be anything; pairs of an empty sequence are one gap, or nothing.
    changes = {"open_x": 0.2, "open_y": 0.1, "end": 0.3}
    hmm = given(gap_lengths, **changes, **SWITCHES)
    longest = 60
    lengths = np.array(list(itertools.product(range(longest), repeat=2)))[1:]
    data = encoded([("N" * n, "N" * m) for n, m in lengths])
    both = np.exp(hmm.model.log_likelihood(hmm.full_, data) + np.log(4) * lengths.sum(axis=1))
    assert both.sum() + 0.3 == pytest.approx(1.0, abs=1e-6)


@each_law
def test_gradient_is_that_of_central_differences(gap_lengths):
    hmm = given(gap_lengths, **SWITCHES)
    check = check_gradient(hmm.model, hmm.full_, encoded(PAIRS))
    assert check.max_relative_error < 1e-6
    scores = hmm.model.scores(hmm.full_, encoded(PAIRS))
    total = hmm.model.log_likelihood_and_gradient(hmm.full_, encoded(PAIRS))[1]
    np.testing.assert_allclose(scores.sum(axis=0), total, atol=1e-9)


@each_law
def test_a_share_of_0_is_the_geometric_law(gap_lengths):
    shares = {name: 0.0 for name in LAWS[gap_lengths] if name.startswith(("long", "frame"))}
    plain = PairHMM().set_parameters(HKY85)
    mixed = PairHMM(gap_lengths=gap_lengths).set_parameters({**HKY85, **shares})
    data = encoded(PAIRS)
    assert mixed.model.machine(mixed.full_, data)[0].kinds == "mxy"
    np.testing.assert_array_equal(mixed.log_likelihood(PAIRS), plain.log_likelihood(PAIRS))
    assert mixed.parameters_ == {**plain.parameters_, **shares}


@each_law
def test_exchanging_x_and_y_and_their_parameters_changes_nothing(gap_lengths):
    there = given(gap_lengths, **SWITCHES).log_likelihood(PAIRS)
    p = exchanged({**LAWS[gap_lengths], **SWITCHES})
    other = PairHMM(gap_lengths=gap_lengths, switch="untied").set_parameters(p)
    back = other.log_likelihood([(y, x) for x, y in PAIRS])
    np.testing.assert_allclose(there, back, rtol=1e-12)


@each_law
def test_names_come_back_and_models_are_kept(gap_lengths, tmp_path):
    hmm = given(gap_lengths)
    assert hmm.parameters_ == pytest.approx(LAWS[gap_lengths])
    hmm.save(tmp_path / "model.json")
    again = PairHMM.load(tmp_path / "model.json")
    assert again.gap_lengths == gap_lengths
    np.testing.assert_array_equal(again.full_, hmm.full_)


def test_models_kept_before_there_were_kinds_of_gaps_are_read(tmp_path):
    hmm = PairHMM().set_parameters(HKY85)
    hmm.save(tmp_path / "model.json")
    content = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    content["format"] = content["format"].replace("version 4", "version 1")
    del content["settings"]["gap_lengths"], content["settings"]["ends"], content["checksum"]
    del content["coordinates"][9:25]
    (tmp_path / "model.json").write_text(json.dumps(content), encoding="utf-8")
    np.testing.assert_array_equal(PairHMM.load(tmp_path / "model.json").full_, hmm.full_)


@each_law
def test_alignments_spell_the_sequences(gap_lengths):
    hmm = given(gap_lengths)
    pairs = [("ACGTTGCAGTAAC", "ACGTTAC"), ("ACG", "ACGTTTTTTACG")]
    for (x, y), alignment in zip(pairs, hmm.align(pairs), strict=True):
        assert alignment[0].replace("-", "") == x
        assert alignment[1].replace("-", "") == y


def test_gaps_in_frame_are_aligned_as_whole_codons():
    # Only gaps in frame can be long: six letters are two codons.
    named = {**HKY85, "extend_x": 0.0, "extend_y": 0.0, **FRAME}
    hmm = PairHMM(gap_lengths="frame").set_parameters(named)
    [alignment] = hmm.align([("ACGTTGCAGTAACCAT", "ACGTTGACCAT")])
    with_codons = hmm.align([("ACGTTGCAGTAACCAT", "ACGTTACCAT")])[0]
    gaps = [len(gap) for gap in with_codons[1].split("-") if gap]
    assert with_codons[1].count("------") == 1
    assert sum(gaps) == 10
    assert "-----" not in alignment[1].replace("------", "")


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        ({}, LONG, "gap_lengths is 1 .*gap_lengths=2"),
        ({"gap_lengths": 2}, FRAME, "gap_lengths='frame'"),
        ({"gap_lengths": 2}, {"long_x": 0.1}, "extend_long_x is missing"),
        ({"gap_lengths": 2}, {**LONG, "long_y": 1.0}, "long_y is 1.0; give a probability below 1"),
        ({"gap_lengths": 3}, {}, "gap_lengths is 3; choose one of 1, 2, frame"),
    ],
)
def test_parameters_that_the_law_does_not_have_are_refused(settings, changes, message):
    with pytest.raises(ParameterError, match=message):
        PairHMM(**settings).set_parameters({**HKY85, **changes})


def test_ties_that_the_law_does_not_have_are_refused():
    with pytest.raises(TyingError, match=r"tie 'long' needs --gap-lengths 2 .*; it is 1"):
        PairHMM(tie=("long",)).fit(PAIRS)
    with pytest.raises(TyingError, match=r"tie 'frame' needs --gap-lengths frame .*; it is 2"):
        PairHMM(tie=("frame",), gap_lengths=2).fit(PAIRS)


@pytest.mark.parametrize(
    ("settings", "n_free"),
    [
        ({"gap_lengths": 2}, 8),  # open, extend, extend_long, long_x, long_y, end, distance, kappa
        ({"gap_lengths": 2, "tie": ()}, 11),
        ({"gap_lengths": 2, "tie": ("open", "extend", "long")}, 7),
        ({"gap_lengths": "frame", "tie": ("open", "extend", "frame")}, 7),
        ({"gap_lengths": "frame", "tie": ()}, 11),
    ],
)
def test_free_parameters_can_all_be_told_apart(settings, n_free):
    hypothesis, data = PairHMM(**settings).hypothesis(PAIRS)
    assert hypothesis.tying.n_free == n_free
    assert identifiable_rank(hypothesis.model, hypothesis.tying, data, seed=0) == n_free


# -- fits ----------------------------------------------------------------------------------------

TRUTH = {
    "open_x": 0.05,
    "open_y": 0.03,
    "extend_x": 0.2,
    "extend_y": 0.2,
    "end": 0.01,
    "long_x": 0.3,
    "long_y": 0.3,
    "extend_long_x": 0.92,
    "extend_long_y": 0.92,
    "distance": 0.05,
    "kappa": 2.0,
}
TIES = ("extend", "long")


@pytest.fixture(scope="module")
def pairs():
    hmm = PairHMM(gap_lengths=2).set_parameters(TRUTH)
    return [(str(x.seq), str(y.seq)) for x, y in hmm.simulate(40, columns=120, seed=2)]


@pytest.fixture(scope="module")
def fitted(pairs):
    return PairHMM(gap_lengths=2, tie=TIES).fit(pairs)


def test_the_truth_is_recovered(fitted):
    assert fitted.converged_
    intervals = fitted.confidence_intervals(level=0.999)
    for name in TRUTH:
        if name != "end":  # the number of columns was given
            assert intervals[name][0] < TRUTH[name] < intervals[name][1]


def test_short_gaps_are_the_shorter_whatever_the_start(fitted, pairs):
    hypothesis, data = fitted.hypothesis(pairs)
    p = fitted.parameters_
    turned = {
        name: p[other]
        for side in "xy"
        for one, two in [(f"extend_{side}", f"extend_long_{side}")]
        for name, other in ((one, two), (two, one))
    }
    turned |= {f"long_{side}": 1 - p[f"long_{side}"] for side in "xy"}
    start = PairHMM(gap_lengths=2).set_parameters({**p, **turned}).full_
    again = fit(hypothesis.model, hypothesis.tying, data, start=start)
    assert hypothesis.tying.contains(again.full)
    np.testing.assert_allclose(again.full, fitted.fit_.full, atol=1e-3)


def test_what_cannot_be_exchanged_under_the_ties_is_left(pairs):
    # The long gaps of a tying of one's own are held at a length below that of the others.
    layout = PairHMM().model.layout
    held = [layout.slice(f"extend_long_{side}").start for side in "xy"]
    own = fixed(layout.size, held, [-3.0, -3.0])
    p = PairHMM(gap_lengths=2, tie=own).fit(pairs[:3]).parameters_
    assert p["extend_long_x"] == p["extend_long_y"] == pytest.approx(1 / (1 + np.exp(3)))


def test_the_model_that_made_the_data_fits_and_a_geometric_law_does_not(pairs):
    found = {}
    for gap_lengths in (1, 2):
        hypothesis, data = PairHMM(gap_lengths=gap_lengths, tie=TIES[:1]).hypothesis(pairs)
        fitted = fit(hypothesis.model, hypothesis.tying, data)
        found[gap_lengths] = {
            misfit.name: misfit.pvalue for misfit in goodness_of_fit(fitted, data)
        }
    assert found[1]["gap lengths"] < 0.002
    assert found[2]["gap lengths"] > 0.02


# -- tests ---------------------------------------------------------------------------------------


def test_one_law_against_two_is_a_bootstrap(pairs):
    null, alternative = PairHMM(), PairHMM(gap_lengths=2, tie=("open", "extend", "long"))
    short = [(x[:60], y[:60]) for x, y in pairs[:2]]
    result = seqbio.compare(null, alternative, short, n_replicates=1, check_fit=False, seed=1)
    assert result.calibration == "bootstrap"
    assert result.df == 2
    assert {"tested_on_boundary", "without_meaning"} <= {w.code for w in result.warnings}
    refused = seqbio.compare(null, alternative, short, calibration="boundary", check_fit=False)
    assert refused.pvalue is None


def test_ties_of_a_mixture_are_tested_by_chi_squared_where_both_kinds_are_seen(pairs):
    null = PairHMM(gap_lengths=2, tie=("open", "extend", "long"))
    alternative = PairHMM(gap_lengths=2, tie=TIES)
    result = seqbio.compare(null, alternative, pairs, calibration="chi2", check_fit=False)
    assert result.df == 1
    assert result.pvalue < 0.05
    effects = {effect.name: effect for effect in result.effects}
    assert effects["open_y / open_x"].upper < 1  # 0.03 / 0.05 in truth
    assert "long_y / long_x" not in effects


def test_a_kind_of_gaps_that_is_hardly_there_is_no_ground_for_chi_squared(fitted, pairs):
    hypothesis, data = PairHMM(gap_lengths=2, tie=TIES).hypothesis(pairs)
    model, tying = hypothesis.model, hypothesis.tying
    alike = {**fitted.parameters_, "extend_x": 0.9, "extend_y": 0.9}
    full = PairHMM(gap_lengths=2).set_parameters(alike).full_
    for checks, words in (
        (
            model.checks(full, data, tying),
            "short and long gaps in x and y are nearly of one length",
        ),
        (
            model.checks(full, encoded(PAIRS), tying),
            r"about \d\.\d (long|short) gaps in x and y: too",
        ),
    ):
        invalid = [check.message for check in checks if check.severity == "invalid"]
        assert any(re.match(words, message) for message in invalid)
    assert not model.checks(fitted.fit_.full, data, tying)


def test_effects_compare_what_both_sides_have():
    full = given(2).full_
    effects = PairHMM().model.effects(full)
    assert np.exp(effects["long_y / long_x"].value) == pytest.approx(0.3 / 0.2)
    assert np.exp(effects["extend_long_y / extend_long_x"].value) == pytest.approx(0.8 / 0.9)
    assert not [name for name in effects if "frame" in name]
    assert not [
        name for name in PairHMM().model.effects(given(2, long_x=0.0).full_) if "long" in name
    ]


# -- gaps by their length ------------------------------------------------------------------------


@pytest.mark.parametrize("gap_lengths", [1, 2, "frame"])
def test_gaps_of_each_length_are_those_of_all_alignments(gap_lengths):
    named = LAWS.get(gap_lengths, HKY85)
    hmm = PairHMM(gap_lengths=gap_lengths, switch="untied").set_parameters({**named, **SWITCHES})
    data = encoded([("ACGTA", "G")])
    machine, _ = hmm.model.machine(hmm.full_, data)
    codes = [np.searchsorted(data.symbols, side[0]) for side in (data.x, data.y)]
    total, expected = 0.0, {"x": np.zeros(6), "y": np.zeros(6)}
    for path in reference.all_paths(machine.kinds, 5, 1):
        weight = np.exp(reference.path_score(machine, *codes, path))
        total += weight
        for kind, run in itertools.groupby(machine.kinds[state] for state in path):
            if kind != "m":
                expected[kind][len(list(run))] += weight
    found = hmm.gap_length_fit([("ACGTA", "G")], longest=3)
    for side in "xy":
        gaps = expected[side][1:] / total
        np.testing.assert_allclose(getattr(found, f"posterior_{side}"), gaps[:3], atol=1e-12)
        assert getattr(found, f"longer_{side}")[0] == pytest.approx(gaps[3:].sum(), abs=1e-12)


def test_the_law_of_gap_lengths_is_set_beside_as_many_gaps(fitted, pairs):
    found = fitted.gap_length_fit(pairs[:8], longest=12)
    p = fitted.parameters_
    extensions = (("extend", 1 - p["long_y"]), ("extend_long", p["long_y"]))
    stay = [(1 - p["end"]) * p[f"{name}_y"] for name, _ in extensions]
    law = sum(
        share * (1 - going_on) * going_on ** (found.lengths - 1.0)
        for (_, share), going_on in zip(extensions, stay, strict=True)
    )
    n_gaps = found.posterior_y.sum() + found.longer_y[0]
    np.testing.assert_allclose(found.fitted_y, n_gaps * law, rtol=1e-9)
    assert found.fitted_y.sum() + found.longer_y[1] == pytest.approx(n_gaps)


def test_without_gaps_there_are_none_of_any_length():
    hmm = PairHMM().set_parameters({**HKY85, "open_x": 0.0})
    found = hmm.gap_length_fit([("ACG", "ACGT")], longest=2)
    assert found.posterior_x.sum() == found.fitted_x.sum() == 0
    assert found.posterior_y[0] == pytest.approx(1.0, abs=0.1)
    with pytest.raises(ParameterError, match="longest is 0"):
        hmm.gap_length_fit([("ACG", "ACGT")], longest=0)
