"""Overhangs at the ends: against enumeration and loops, in fits, and in tests of symmetry."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest

import seqbio
from seqbio import PairHMM
from seqbio.core import check_gradient
from seqbio.core.model import identifiable_rank
from seqbio.errors import ParameterError, TyingError
from seqbio.hypothesis_testing import goodness_of_fit
from seqbio.pairhmm.dp import expected_counts, likelihood
from seqbio.pairhmm.pair_model import event_counts
from tests.pairhmm.examples import HKY85, encoded, exchanged
from tests.reference import pair_hmm as reference

OVERHANGS = {
    "overhang_begin_x": 0.2,
    "overhang_begin_y": 0.3,
    "extend_overhang_begin_x": 0.6,
    "extend_overhang_begin_y": 0.4,
    "overhang_end_x": 0.4,
    "overhang_end_y": 0.1,
    "extend_overhang_end_x": 0.3,
    "extend_overhang_end_y": 0.7,
}
ENDS = ("begin", "end")
LONG = {"long_x": 0.2, "long_y": 0.3, "extend_long_x": 0.9, "extend_long_y": 0.8}
FRAME = {"frame_x": 0.3, "frame_y": 0.4, "extend_frame_x": 0.5, "extend_frame_y": 0.2}
SWITCHES = {"switch_x": 0.2, "switch_y": 0.1}
LAWS = {1: {}, 2: LONG, "frame": FRAME}
PAIRS = [("ACGTTGCAGT", "ACTTGCAAGT"), ("ACGGT", "ACGTTACGA"), ("A", "CG"), ("ACCGTTTGG", "AG")]
SHORT = [("ACGT", "ACT"), ("AC", "ACGA"), ("A", "CG")]  # for loops over all overhangs
each_law = pytest.mark.parametrize("gap_lengths", LAWS)


def given(gap_lengths=1, ends="free", **changes):
    named = {**HKY85, **OVERHANGS, **LAWS[gap_lengths], **changes}
    switch = "untied" if "switch_x" in named else "off"
    return PairHMM(gap_lengths=gap_lengths, ends=ends, switch=switch).set_parameters(named)


def overhangs_of(hmm):
    share, extend = (
        np.array([[hmm.parameters_[f"{name}_{end}_{side}"] for side in "xy"] for end in ENDS])
        for name in ("overhang", "extend_overhang")
    )
    return reference.Overhangs(share, extend)


def core_of(hmm, data):
    """Give the machine without overhangs, as the textbook has it, and the log background."""
    machine, background = hmm.model.machine(hmm.full_, data)
    return replace(machine, flanks=None), background


@each_law
def test_log_likelihood_and_best_path_are_those_of_the_loops(gap_lengths):
    hmm, data = given(gap_lengths, **SWITCHES), encoded(SHORT)
    machine, background = core_of(hmm, data)
    found, best = hmm.log_likelihood(SHORT), hmm.model.best_path_score(hmm.full_, data)
    for pair in range(len(SHORT)):
        x, y = (np.searchsorted(data.symbols, side[pair]) for side in (data.x, data.y))
        letters = background[x].sum() + background[y].sum()
        total = reference.with_overhangs(machine, overhangs_of(hmm), x, y)
        assert found[pair] == pytest.approx(total + letters, rel=1e-12)
        total = reference.with_overhangs(machine, overhangs_of(hmm), x, y, combine=max)
        assert best[pair] == pytest.approx(total + letters, rel=1e-12)


@each_law
def test_probabilities_of_all_pairs_add_up_to_1(gap_lengths):
    # With letters that can be anything; the pair of two empty sequences has no overhangs.
    hmm = given(gap_lengths, open_x=0.2, open_y=0.1, end=0.3)
    longest = 60 if gap_lengths == "frame" else 40
    lengths = np.array(list(itertools.product(range(longest), repeat=2)))[1:]
    data = encoded([("N" * n, "N" * m) for n, m in lengths])
    both = np.exp(hmm.model.log_likelihood(hmm.full_, data) + np.log(4) * lengths.sum(axis=1))
    once = 1.0 - hmm.model._overhangs(hmm.full_).again
    assert both.sum() + 0.3 * 0.5**2 / once == pytest.approx(1.0, abs=1e-5)


@each_law
def test_gradient_is_that_of_central_differences(gap_lengths):
    hmm, data = given(gap_lengths, **SWITCHES), encoded(PAIRS)
    assert check_gradient(hmm.model, hmm.full_, data).max_relative_error < 1e-6
    total = hmm.model.log_likelihood_and_gradient(hmm.full_, data)[1]
    overhang = [hmm.model.layout.slice(name).start for name in OVERHANGS]
    assert np.abs(total[overhang]).min() > 0.01
    np.testing.assert_allclose(hmm.model.scores(hmm.full_, data).sum(axis=0), total, atol=1e-9)


@each_law
def test_posterior_and_counts_are_those_of_all_alignments(gap_lengths):
    hmm, data = given(gap_lengths), encoded([("ACGT", "AG")])
    machine, _ = core_of(hmm, data)
    x, y = (np.searchsorted(data.symbols, side[0]) for side in (data.x, data.y))
    aligned, beside, letters, moves, endings = reference.enumerated_with_overhangs(
        machine, overhangs_of(hmm), x, y
    )
    np.testing.assert_allclose(hmm.posterior("ACGT", "AG"), aligned, atol=1e-12)
    counts = expected_counts(hmm.model.machine(hmm.full_, data)[0], data.coded)
    np.testing.assert_allclose(counts.overhangs[..., 0], beside, atol=1e-12)
    np.testing.assert_allclose(counts.overhang_letters[..., 0], letters, atol=1e-12)
    events = event_counts(counts, data, hmm.model._table(hmm.full_), None).total()
    np.testing.assert_allclose(events.moves, moves, atol=1e-12)
    np.testing.assert_allclose(events.endings, endings, atol=1e-12)


@pytest.mark.parametrize("extend", [0.4, 0.98])
def test_overhangs_of_hundreds_of_letters_are_those_of_the_loops(extend):
    generator = np.random.default_rng(3)
    letters = ["".join(generator.choice(list("ACGT"), n)) for n in (300, 120, 310)]
    left, core, right = letters
    pairs = [(left + core, core + right), (core, left + core + right), (left + core + right, core)]
    changes = {f"extend_overhang_{end}_{side}": extend for end in ENDS for side in "xy"}
    hmm, data = given(**changes), encoded(pairs)
    machine, background = core_of(hmm, data)
    events, found = hmm.model.events(hmm.full_, data), hmm.log_likelihood(pairs)
    for pair in range(len(pairs)):
        x, y = (np.searchsorted(data.symbols, side[pair]) for side in (data.x, data.y))
        total = reference.with_overhangs_by_rows(machine, overhangs_of(hmm), x, y)
        total += background[x].sum() + background[y].sum()
        assert found[pair] == pytest.approx(total, rel=1e-11)
    if extend == 0.98:
        assert events.overhangs[..., 0].sum() == pytest.approx(6, abs=0.1)
        assert events.overhangs[..., 1].sum() == pytest.approx(3 * 610, rel=0.02)
        [alignment] = hmm.align(pairs[:1])
        assert alignment[1].startswith("-" * 295)
        assert alignment[0].endswith("-" * 305)
    gradient = hmm.model.log_likelihood_and_gradient(hmm.full_, data)[1]
    for name in OVERHANGS:
        step = np.zeros(len(gradient))
        step[hmm.model.layout.slice(name)] = 1e-4
        ahead, behind = (
            hmm.model.log_likelihood(hmm.full_ + sign * step, data).sum() for sign in (1, -1)
        )
        slope = gradient[hmm.model.layout.slice(name)].item()
        assert (ahead - behind) / 2e-4 == pytest.approx(slope, rel=1e-5, abs=1e-5)


def test_batches_of_unlike_pairs_are_those_of_single_ones():
    generator = np.random.default_rng(1)
    pairs = [
        tuple("".join(generator.choice(list("ACGT"), n)) for n in generator.integers(1, 60, 2))
        for _ in range(30)
    ]
    hmm = given()
    alone = [hmm.log_likelihood([pair])[0] for pair in pairs]
    np.testing.assert_allclose(hmm.log_likelihood(pairs), alone, rtol=1e-12)
    events = hmm.model.events(hmm.full_, encoded(pairs))
    summed = sum(hmm.model.events(hmm.full_, encoded([pair])).overhangs for pair in pairs)
    np.testing.assert_allclose(events.overhangs, summed, rtol=1e-9)


@each_law
def test_size_of_the_tiles_changes_nothing(gap_lengths, monkeypatch):
    # Overhangs of any length, so that paths enter and leave where one tile meets the next.
    generator = np.random.default_rng(5)
    x, y = ("".join(generator.choice(list("ACGT"), n)) for n in (90, 80))
    changes = {name: 0.97 for name in OVERHANGS if name.startswith("extend")}
    hmm, found = given(gap_lengths, **changes), []
    for size in (96, 7):
        monkeypatch.setattr(likelihood, "LARGEST_WHOLE", size)
        data = encoded([(x, y)])
        samples = hmm.sample_alignments(x, y, 200, seed=1)
        [best] = hmm.align([(x, y)])
        slope = hmm.model.log_likelihood_and_gradient(hmm.full_, data)[1]
        found.append((slope, [sample.score for sample in samples], best.score))
    for whole, parts in zip(*found, strict=True):
        np.testing.assert_allclose(parts, whole, rtol=1e-9, atol=1e-9)


def test_no_overhangs_are_the_aligned_ends():
    plain = PairHMM().set_parameters(HKY85)
    free = PairHMM(ends="free").set_parameters(HKY85)
    np.testing.assert_array_equal(free.log_likelihood(PAIRS), plain.log_likelihood(PAIRS))
    shares = {name: 0.0 for name in OVERHANGS if not name.startswith("extend")}
    assert free.parameters_ == {**plain.parameters_, **shares}
    rare = given(**dict.fromkeys(shares, 1e-9))
    np.testing.assert_allclose(rare.log_likelihood(PAIRS), plain.log_likelihood(PAIRS), atol=1e-5)


def test_exchanging_x_and_y_and_their_parameters_changes_nothing():
    without = {"overhang_begin_y": 0.0, "overhang_end_y": 0.0}
    there = given(ends="free_x", **without).log_likelihood(PAIRS)
    named = exchanged({**HKY85, **OVERHANGS, **without})
    back = PairHMM(ends="free_y").set_parameters(named).log_likelihood([(y, x) for x, y in PAIRS])
    np.testing.assert_allclose(there, back, rtol=1e-12)


@pytest.mark.parametrize("ends", ["free", "free_x", "free_y"])
def test_names_come_back_and_models_are_kept(ends, tmp_path):
    named = {**HKY85, **OVERHANGS}
    if ends != "free":
        named = {
            name: p
            for name, p in named.items()
            if name.endswith(ends[-1]) or ("overhang" not in name)
        }
    hmm = PairHMM(ends=ends).set_parameters(named)
    shown = {name: p for name, p in hmm.parameters_.items() if p != 0.0}
    assert shown == pytest.approx(named)
    hmm.save(tmp_path / "model.json")
    again = PairHMM.load(tmp_path / "model.json")
    assert again.ends == ends
    np.testing.assert_array_equal(again.full_, hmm.full_)


def test_models_kept_before_there_were_overhangs_are_read(tmp_path):
    hmm = PairHMM(gap_lengths=2).set_parameters({**HKY85, **LONG})
    hmm.save(tmp_path / "model.json")
    content = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    del content["checksum"]
    content["format"] = content["format"].replace("version 4", "version 2")
    del content["settings"]["ends"]
    del content["coordinates"][17:25]
    (tmp_path / "model.json").write_text(json.dumps(content), encoding="utf-8")
    np.testing.assert_array_equal(PairHMM.load(tmp_path / "model.json").full_, hmm.full_)


def test_overhangs_of_models_kept_before_the_ends_were_told_apart_are_those_of_both(tmp_path):
    hmm = given(**{name: OVERHANGS[name.replace("_end_", "_begin_")] for name in OVERHANGS})
    hmm.save(tmp_path / "model.json")
    content = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    del content["checksum"]
    content["format"] = content["format"].replace("version 4", "version 3")
    del content["coordinates"][21:25]
    (tmp_path / "model.json").write_text(json.dumps(content), encoding="utf-8")
    np.testing.assert_array_equal(PairHMM.load(tmp_path / "model.json").full_, hmm.full_)


@pytest.mark.parametrize("method", ["viterbi", "mea"])
def test_alignments_show_overhangs_as_gaps_at_the_ends(method):
    core = "ACGTTGCAGTCAACGGTA"
    x, y = "GGGGGG" + core, core + "TTTT"
    [alignment] = given(distance=0.05).align([(x, y)], method=method)
    assert (alignment[0], alignment[1]) == (x + "----", "------" + y)
    [checked] = given(distance=0.05).assess([alignment])
    assert checked.expected_accuracy > 0.8


@each_law
def test_the_best_alignment_has_the_score_of_its_path(gap_lengths):
    hmm = given(gap_lengths)
    for x, y in PAIRS:
        samples = hmm.sample_alignments(x, y, 300, seed=2)
        [best] = hmm.align([(x, y)])
        assert max(sample.score for sample in samples) <= best.score + 1e-9
        assert (best[0].replace("-", ""), best[1].replace("-", "")) == (x, y)


@pytest.mark.parametrize("end", ENDS)
def test_overhangs_may_be_at_one_end_alone(end):
    without = {name: 0.0 for name in OVERHANGS if end not in name and "extend" not in name}
    hmm = given(1, **without)
    aligned = hmm.align(PAIRS)
    np.testing.assert_allclose(
        [each.score for each in aligned],
        hmm.model.best_path_score(hmm.full_, encoded(PAIRS)),
    )
    assert [str(each.sequences[0].seq) for each in aligned] == [x for x, _ in PAIRS]


def test_alignments_are_drawn_from_the_posterior():
    hmm, (x, y), n = given(), ("GGACGTTA", "ACGTCC"), 2000
    samples = hmm.sample_alignments(x, y, n, seed=5)
    seen = np.zeros((len(x), len(y)))
    for sample in samples:
        for (start, stop), (begin, _) in zip(*sample.aligned, strict=True):
            for k in range(stop - start):
                seen[start + k, begin + k] += 1 / n
    expected = hmm.posterior(x, y)
    limits = 5 * np.sqrt(expected * (1 - expected) / n) + 1e-3
    assert (np.abs(seen - expected) < limits).all()
    # The probability of a path that is seen often is the share of the samples that it has.
    scores = np.array([sample.score for sample in samples])
    [best] = hmm.align([(x, y)])
    share = np.mean(np.isclose(scores, best.score))
    expected = math.exp(best.score - hmm.log_likelihood([(x, y)])[0])
    assert abs(share - expected) < 5 * math.sqrt(expected / n)


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        ({}, OVERHANGS, "ends is 'aligned' .*ends='free'"),
        ({"ends": "free_x"}, OVERHANGS, "ends is 'free_x'"),
        ({"ends": "free"}, {"overhang_end_x": 0.1}, "extend_overhang_end_x is missing"),
        (
            {"ends": "free"},
            {**OVERHANGS, "overhang_begin_y": 0.9},
            "overhang_begin_x and overhang_begin_y add up",
        ),
        ({"ends": "open"}, {}, "ends is 'open'; choose one of aligned, free, free_x, free_y"),
    ],
)
def test_parameters_that_the_ends_do_not_have_are_refused(settings, changes, message):
    with pytest.raises(ParameterError, match=message):
        PairHMM(**settings).set_parameters({**HKY85, **changes})


def test_the_tie_of_overhangs_needs_those_of_both():
    with pytest.raises(TyingError, match=r"tie 'overhang' needs --ends free .*; it is 'free_x'"):
        PairHMM(tie=("overhang",), ends="free_x").fit(PAIRS)


@pytest.mark.parametrize(
    ("settings", "n_free"),
    [
        ({"ends": "free"}, 13),  # open, extend, end, distance, kappa, and 8 of the overhangs
        ({"ends": "free", "tie": ("open", "extend", "overhang")}, 9),
        ({"ends": "free_y"}, 9),
        ({"ends": "free", "gap_lengths": 2}, 16),
    ],
)
def test_free_parameters_can_all_be_told_apart(settings, n_free):
    hypothesis, data = PairHMM(**settings).hypothesis(PAIRS)
    assert hypothesis.tying.n_free == n_free
    assert identifiable_rank(hypothesis.model, hypothesis.tying, data, seed=0) == n_free


# -- fits and tests ------------------------------------------------------------------------------

TRUTH = {
    "open_x": 0.05,
    "open_y": 0.05,
    "extend_x": 0.3,
    "extend_y": 0.3,
    "end": 0.02,
    "distance": 0.1,
    **{f"overhang_{end}_{side}": p for end in ENDS for side, p in (("x", 0.4), ("y", 0.2))},
    **{f"extend_overhang_{end}_{side}": p for end in ENDS for side, p in (("x", 0.8), ("y", 0.9))},
}
PLAIN = {name: p for name, p in TRUTH.items() if "overhang" not in name}
JC69 = {"substitution": "jc69", "frequencies": "equal"}


def strings(pairs):
    return [(str(x.seq), str(y.seq)) for x, y in pairs]


@pytest.fixture(scope="module")
def pairs():
    hmm = PairHMM(ends="free", **JC69).set_parameters(TRUTH)
    return strings(hmm.simulate(100, columns=60, seed=4))


@pytest.fixture(scope="module")
def fitted(pairs):
    return PairHMM(ends="free", **JC69).fit(pairs)


def test_drawn_pairs_are_as_long_as_the_parameters_say():
    hmm = PairHMM(ends="free", **JC69).set_parameters({**TRUTH, "open_x": 0.0, "open_y": 0.0})
    longer = np.array([(len(x), len(y)) for x, y in strings(hmm.simulate(4000, columns=5, seed=1))])
    means = (longer - 5).mean(axis=0)
    # Two ends, overhangs of 5 and of 10 letters on average.
    np.testing.assert_allclose(means, [2 * 0.4 * 5, 2 * 0.2 * 10], rtol=0.06)
    free = hmm.simulate(4000, seed=2)
    lengths = np.array([(len(x), len(y)) for x, y in free])
    np.testing.assert_allclose(lengths.mean(axis=0), np.array([49 + 4, 49 + 4]), rtol=0.08)


def test_the_truth_is_recovered(fitted):
    assert fitted.converged_
    intervals = fitted.confidence_intervals(level=0.999)
    for name, truth in TRUTH.items():
        if name != "end":  # the number of columns was given
            assert intervals[name][0] < truth < intervals[name][1]


def test_goodness_of_fit_is_content_with_free_ends(pairs, fitted):
    naive = PairHMM(**JC69).fit(pairs)
    pvalues = [
        {misfit.name: misfit.pvalue for misfit in goodness_of_fit(hmm.fit_, hmm.data_)}
        for hmm in (naive, fitted)
    ]
    assert pvalues[0]["ends"] < 0.01
    assert pvalues[1]["ends"] > 0.02
    counted = fitted.gap_length_fit(pairs, longest=3)
    gaps = counted.posterior_x.sum() + counted.longer_x[0]
    matches = 100 * 60 * 0.87
    assert gaps == pytest.approx(0.05 * matches, rel=0.3)


def test_drawn_pairs_are_those_of_the_likelihood():
    # Short enough that each pair of lengths is drawn often, and that nothing may be left.
    named = {**TRUTH, "open_x": 0.2, "open_y": 0.1, "end": 0.4, **LONG}
    named |= {name: 0.3 for name in TRUTH if "overhang" in name}
    hmm = PairHMM(ends="free", gap_lengths=2, **JC69).set_parameters(named)
    n_pairs = 40_000
    drawn = np.array([(len(x), len(y)) for x, y in hmm.simulate(n_pairs, seed=9)])
    lengths = np.array(list(itertools.product(range(1, 5), repeat=2)))
    data = encoded([("N" * n, "N" * m) for n, m in lengths])
    log_p = hmm.model.log_likelihood(hmm.full_, data) + np.log(4) * lengths.sum(axis=1)
    seen = np.array([(drawn == pair).all(axis=1).sum() for pair in lengths])
    # Pairs with an empty sequence are drawn again, so that the others are in proportion.
    expected = seen.sum() * np.exp(log_p) / np.exp(log_p).sum()
    assert (np.abs(seen - expected) < 4.5 * np.sqrt(expected)).all()


def test_trimmed_ends_are_not_taken_for_asymmetry_of_gaps():
    hmm = PairHMM(**JC69).set_parameters(PLAIN)
    trimmed = [(x, y[:-5]) for x, y in strings(hmm.simulate(60, columns=60, seed=6))]
    found = {}
    for ends in ("aligned", "free"):
        settings = {**JC69, "ends": ends}
        null, alternative = PairHMM(**settings), PairHMM(tie=(), **settings)
        found[ends] = seqbio.compare(
            null, alternative, trimmed, calibration="chi2", check_fit=False
        )
        assert found[ends].df == 2
    assert found["aligned"].statistic > 20
    assert found["free"].statistic < 9


def test_aligned_ends_are_tested_against_free_ones(pairs):
    null, alternative = PairHMM(**JC69), PairHMM(ends="free", **JC69)
    few = pairs[:6]
    result = seqbio.compare(null, alternative, few, n_replicates=1, check_fit=False, seed=1)
    assert result.calibration == "bootstrap"
    assert {"tested_on_boundary", "without_meaning"} <= {w.code for w in result.warnings}


@pytest.mark.slow
def test_short_and_long_gaps_are_fitted_with_free_ends():
    truth = {**TRUTH, **LONG, "long_y": 0.2, "extend_long_y": 0.9}
    hmm = PairHMM(ends="free", gap_lengths=2, **JC69).set_parameters(truth)
    pairs = strings(hmm.simulate(60, columns=80, seed=3))
    tie = ("open", "extend", "long")
    again = PairHMM(ends="free", gap_lengths=2, tie=tie, **JC69).fit(pairs)
    assert again.converged_
    intervals = again.confidence_intervals(level=0.999)
    for name in (*(name for name in TRUTH if "overhang" in name), "long_x"):
        assert intervals[name][0] < truth[name] < intervals[name][1]


def test_a_fit_of_reads_to_a_long_reference_begins_near_its_end():
    """Long overhangs are no gaps: the fit begins with rare gaps, and does not go astray."""
    truth = {"open_x": 0.03, "open_y": 0.05, "extend_x": 0.4, "extend_y": 0.4, "end": 0.004}
    hmm = PairHMM(tie=()).set_parameters({**truth, "distance": 0.1, "kappa": 2.0})
    pairs = [
        (str(x.seq), str(y.seq)[1000 + 40 * k : 1200 + 40 * k])
        for k, (x, y) in enumerate(hmm.simulate(8, columns=3000, seed=4))
    ]
    estimator = PairHMM(tie=("extend",), ends="free_x")
    hypothesis, data = estimator.hypothesis(pairs)
    model, tying = hypothesis.model, hypothesis.tying
    begun = model.estimates(model.begin(model.start(data), data, tying.group >= 0))
    assert max(begun["open_x"], begun["open_y"]) < 0.1
    assert min(begun["extend_overhang_begin_x"], begun["extend_overhang_end_x"]) > 0.99
    fitted = estimator.fit(pairs)
    assert fitted.converged_
    assert fitted.fit_.n_evaluations < 40
    assert fitted.parameters_["open_y"] == pytest.approx(0.05, abs=0.02)
