"""The pair HMM as an estimator: its settings, fits, alignments and files."""

from __future__ import annotations

import copy
import io
import itertools
import json
import pickle

import numpy as np
import pytest
from Bio import Align
from Bio.Align import Alignment
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from scipy import stats

import seqbio
from seqbio import GroupedPairs, PairHMM
from seqbio.core import equal, fixed, untied
from seqbio.errors import (
    ModelFileError,
    NotFittedError,
    ParameterError,
    SequenceFormatError,
    TyingError,
)
from tests.pairhmm.examples import FREQUENCIES, HKY85, MOVES, exchanged, in_rna
from tests.pairhmm.machines import mxy
from tests.reference import pair_hmm as reference
from tests.reference import substitution as letters_reference

TRUTH = {**HKY85, "open_x": 0.03, "open_y": 0.06, "extend_x": 0.5, "extend_y": 0.3}
TIED = {**TRUTH, "open_x": 0.04, "open_y": 0.04, "extend_x": 0.4, "extend_y": 0.4}
GAPS = ("open_x", "open_y", "extend_x", "extend_y")


def simulated(parameters, n_pairs, columns, seed, **settings):
    hmm = PairHMM(**settings).set_parameters(parameters)
    return hmm.simulate(n_pairs, columns=columns, seed=seed)


def texts(pairs):
    return [(str(x.seq), str(y.seq)) for x, y in pairs]


def reverse(pairs):
    return [(y, x) for x, y in pairs]


@pytest.fixture(scope="module")
def pairs():
    return simulated(TRUTH, 10, 120, seed=1)


@pytest.fixture(scope="module")
def fitted(pairs):
    return PairHMM(tie=()).fit(pairs)


@pytest.fixture
def given():
    return PairHMM().set_parameters(TRUTH)


# Settings


def test_every_tie_has_a_meaning_and_takes_away_parameters():
    everything = {"switch": "untied", "end": "untied"}
    example = [("ACGT", "ACGGT")]
    for name, meaning in PairHMM.ties().items():
        assert meaning
        if name.startswith("group"):  # these are tested with groups of pairs
            continue
        settings = everything | {"gap_lengths": "frame" if name == "frame" else 2, "ends": "free"}
        free = PairHMM(tie=(), **settings).hypothesis(example)[0].tying
        tied = PairHMM(tie=(name,), **settings).hypothesis(example)[0].tying
        fewer = {"end": 2, "extend": 2, "overhang": 4}
        assert tied.n_free == free.n_free - fewer.get(name, 1)
        assert tied.is_nested_in(free)
        assert not free.is_nested_in(tied)


def test_default_ties_the_gaps():
    tying = PairHMM().hypothesis([("ACGT", "ACGT")])[0].tying
    layout = PairHMM().model.layout
    assert {"open_x = open_y", "extend_x = extend_y"} <= set(tying.describe(layout))


def test_an_unknown_tie_is_answered_with_those_there_are():
    with pytest.raises(TyingError, match="there is no tie 'opening'") as caught:
        PairHMM(tie=("open", "opening")).fit([("ACGT", "ACGT")])
    for name, meaning in PairHMM.ties().items():
        assert f"'{name}': {meaning}" in str(caught.value)


def test_close_is_explained():
    with pytest.raises(TyingError, match=r"closing a gap is not a parameter of its own.*'extend'"):
        PairHMM(tie=("open", "extend", "close")).fit([("ACGT", "ACGT")])


@pytest.mark.parametrize("tie", ["open", None, 1])
def test_ties_are_a_tuple_of_names(tie):
    with pytest.raises(TyingError, match=r"give a tuple of names, such as \(\"open\",\) or \(\)"):
        PairHMM(tie=tie).fit([("ACGT", "ACGT")])


def test_tying_switches_needs_switches():
    with pytest.raises(TyingError, match="needs --switch tied or --switch untied"):
        PairHMM(tie=("switch",)).fit([("ACGT", "ACGT")])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"switch": "on"}, "switch is 'on'; choose one of off, tied, untied"),
        ({"end": "off"}, "end is 'off'; choose one of tied, untied"),
        ({"alphabet": "text"}, "unknown alphabet 'text'"),
        ({"substitution": "hky"}, "no substitution model 'hky'"),
        ({"substitution": "lg"}, "lg is a substitution model for protein and the alphabet is dna"),
        ({"alphabet": "protein", "substitution": "k80"}, "k80 is .* for dna .* is protein"),
        ({"substitution": "jc69", "frequencies": "empirical"}, "jc69"),
        ({"frequencies": [0.5, 0.5]}, "frequencies"),
        ({"frequencies": {"A": 0.5, "C": 0.5}}, "frequencies: no number for G, T; give one"),
        ({"frequencies": dict.fromkeys("ACGU", 0.25)}, "no number for T, and 'U' is none of ACGT"),
        (
            {"frequencies": dict.fromkeys("ACGTN", 0.2)},
            "frequencies: 'N' is none of ACGT; give",
        ),
        ({"frequencies": dict.fromkeys("ACGT", 0.3)}, "frequencies sum to 1.2; they must sum to 1"),
        ({"frequencies": dict.fromkeys("ACGT", None)}, "frequencies"),
        (
            {"frequencies": ["a", "b", "c", "d"]},
            "frequencies: found .*; give one number for each letter of ACGT",
        ),
        (
            {"frequencies": object()},
            "frequencies: found .*; give one number for each letter of ACGT",
        ),
        ({"reference": "genome"}, "reference is 'genome'; choose one of None, x, y"),
        ({"n_starts": 0}, "n_starts is 0"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        PairHMM(**settings).fit([("ACGT", "ACGT")])


def test_a_tying_of_one_s_own(pairs):
    layout = PairHMM().model.layout
    opens = [layout.slice(name).start for name in ("open_x", "open_y")]
    own = PairHMM(tie=equal(layout.size, opens)).fit(pairs)
    named = PairHMM(tie=("open",)).fit(pairs)
    assert own.n_free_parameters_ == named.n_free_parameters_
    assert own.log_likelihood_ == pytest.approx(named.log_likelihood_, abs=1e-6)
    # It is joined to the other settings: nothing else is free than before.
    assert own.parameters_.keys() == named.parameters_.keys()


def test_a_tying_of_one_s_own_may_fix_what_is_known(pairs):
    layout = PairHMM().model.layout
    distance = layout.slice("distance").start
    hmm = PairHMM(tie=fixed(layout.size, [distance], [np.log(0.2)])).fit(pairs)
    assert hmm.parameters_["distance"] == pytest.approx(0.2)
    assert "distance" not in hmm.confidence_intervals()


@pytest.mark.parametrize(
    "tie", [untied(3), fixed(19, [4], [0.0])], ids=["size", "contradicts switch='off'"]
)
def test_a_tying_that_does_not_fit_is_refused(tie):
    with pytest.raises(TyingError):
        PairHMM(tie=tie).fit([("ACGT", "ACGT")])


def test_settings_are_kept_as_given():
    settings = {
        "alphabet": "protein",
        "substitution": "wag",
        "frequencies": "empirical",
        "tie": ["open"],
        "switch": "tied",
        "end": "untied",
        "gap_lengths": 2,
        "ends": "free",
        "reference": "y",
        "n_starts": 3,
        "seed": 4,
    }
    hmm = PairHMM(**settings)
    assert hmm.get_params() == settings
    assert all(hmm.get_params()[name] is value for name, value in settings.items())
    changed = hmm.set_params(tie=(), seed=5)
    assert changed is hmm
    assert hmm.get_params() == {**settings, "tie": (), "seed": 5}
    assert repr(PairHMM(tie=())) == "PairHMM(tie=())"


def test_unknown_settings_are_refused():
    with pytest.raises(ParameterError, match="no setting 'ties'; it has alphabet, substitution"):
        PairHMM().set_params(ties=())


def test_copies_have_the_settings_and_nothing_learned(fitted):
    copies = [type(fitted)(**fitted.get_params())]
    try:
        from sklearn.base import clone
    except ImportError:  # the project does not need it
        pass
    else:
        copies.append(clone(fitted))
    for made in copies:
        assert made.get_params() == fitted.get_params()
        with pytest.raises(NotFittedError):
            made.parameters_  # noqa: B018


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda hmm: pickle.loads(pickle.dumps(hmm))])
def test_fitted_models_can_be_sent_to_other_processes(fitted, duplicate):
    made = duplicate(fitted)
    assert made.parameters_ == fitted.parameters_
    assert made.log_likelihood_ == fitted.log_likelihood_


# Without fitting


def test_nothing_works_before_there_are_parameters():
    pair = [("ACGT", "ACGT")]
    given_alignments = [Alignment(list(pair[0]))]
    for use in (
        lambda hmm: hmm.log_likelihood(pair),
        lambda hmm: hmm.align(pair),
        lambda hmm: hmm.align(pair, method="mea"),
        lambda hmm: hmm.assess(given_alignments),
        lambda hmm: hmm.sample_alignments(*pair[0], 1),
        lambda hmm: hmm.posterior(*pair[0]),
        lambda hmm: hmm.simulate(1),
        lambda hmm: hmm.parameters_,
    ):
        with pytest.raises(NotFittedError, match=r"fit\(pairs\) or set_parameters"):
            use(PairHMM())


def test_given_parameters_are_enough(given):
    assert given.parameters_ == pytest.approx(TRUTH)
    drawn = given.simulate(3, columns=30, seed=1)
    assert given.log_likelihood(drawn).shape == (3,)
    assert given.score(drawn) == pytest.approx(given.log_likelihood(drawn).mean())
    assert len(given.align(drawn)) == 3
    assert given.posterior(*drawn[0]).shape == tuple(len(record.seq) for record in drawn[0])


def test_given_parameters_are_no_fit(given):
    for name in ("log_likelihood_", "n_free_parameters_", "converged_"):
        with pytest.raises(NotFittedError, match="was not fitted"):
            getattr(given, name)
    with pytest.raises(NotFittedError, match="was not fitted"):
        given.confidence_intervals()


def test_given_parameters_replace_a_fit(pairs):
    hmm = PairHMM().fit(pairs[:2]).set_parameters(TRUTH)
    assert hmm.parameters_ == pytest.approx(TRUTH)
    with pytest.raises(NotFittedError):
        hmm.log_likelihood_  # noqa: B018


def test_switches_are_refused_where_they_are_off():
    with pytest.raises(ParameterError, match="switch is off"):
        PairHMM().set_parameters({**TRUTH, "switch_x": 0.1, "switch_y": 0.1})


def test_parameters_of_a_fit_can_be_given(pairs, fitted):
    again = PairHMM(tie=()).set_parameters(fitted.parameters_)
    np.testing.assert_allclose(
        again.log_likelihood(pairs), fitted.log_likelihood(pairs), rtol=1e-13
    )


# Likelihood and fits


def test_strings_seqs_and_records_are_one(given):
    x, y = "ACGTTNR", "ACGGTT"
    forms = [(x, y), (Seq(x), Seq(y)), (SeqRecord(Seq(x), "x"), SeqRecord(Seq(y), "y")), [x, y]]
    values = given.log_likelihood([*forms, (x.lower(), y)])
    assert len(set(values)) == 1


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ([], ParameterError, "no pairs"),
        ([("ACGT", "")], SequenceFormatError, "index 0 is empty"),
        ([("ACGT", "AC-T")], SequenceFormatError, "gap"),
    ],
)
def test_pairs_that_are_none_are_refused(given, wrong, error, message):
    for use in (given.fit, given.log_likelihood):
        with pytest.raises(error, match=message):
            use(wrong)


def test_fit_is_the_estimator_and_tells_what_it_found(pairs):
    hmm = PairHMM(tie=("open", "extend"))
    assert hmm.fit(pairs) is hmm
    assert hmm.converged_
    assert hmm.n_free_parameters_ == 5
    assert hmm.log_likelihood_ == pytest.approx(hmm.log_likelihood(pairs).sum(), rel=1e-12)
    p = hmm.parameters_
    assert (p["open_x"], p["extend_x"]) == (p["open_y"], p["extend_y"])
    letters = "".join(itertools.chain(*texts(pairs)))
    for letter in "ACGT":
        assert p[f"frequency_{letter}"] == pytest.approx(letters.count(letter) / len(letters))


def test_what_is_estimated_as_0_is_called_as_in_the_parameters():
    a_transversion = [("ACGTACGTACGTACGTACGT", "ACGTACGTCCGTACGTACGT")] * 3
    rates = PairHMM(substitution="hky85").fit(a_transversion)
    assert rates.parameters_["kappa"] == 0
    assert "rate_AG = rate_CT" in rates.fit_.at_boundary
    grouped = PairHMM(substitution="hky85").fit(GroupedPairs(a_transversion, ["m", "r", "r"]))
    assert "rate_AG[r] = rate_CT[r]" in grouped.fit_.at_boundary
    without_g = [("ACCTATCTACATACCTATCT", "ACCTATCTCCATACCTATCT")] * 3
    letters = PairHMM(substitution="f81", frequencies="estimated").fit(without_g)
    assert letters.parameters_["frequency_G"] == 0
    assert "frequency_G" in letters.fit_.at_boundary


def test_no_nearby_parameters_are_better(fitted, pairs):
    for name, value in fitted.parameters_.items():
        if name.startswith("frequency"):
            continue
        for factor in (0.98, 1.02):
            near = PairHMM(tie=()).set_parameters({**fitted.parameters_, name: factor * value})
            assert near.log_likelihood(pairs).sum() < fitted.log_likelihood_


def test_same_seed_same_fit(pairs):
    first, again = (PairHMM(n_starts=3, seed=1).fit(pairs[:3]) for _ in range(2))
    assert first.parameters_ == again.parameters_
    assert first.fit_.optima == again.fit_.optima
    assert len(first.fit_.optima) == 3


def test_exchanging_x_and_y_exchanges_the_parameters(pairs, fitted):
    other = PairHMM(tie=()).fit(reverse(pairs))
    assert other.log_likelihood_ == pytest.approx(fitted.log_likelihood_, abs=1e-6)
    assert other.parameters_ == pytest.approx(exchanged(fitted.parameters_), rel=1e-3)


@pytest.mark.parametrize("tie", [("open", "extend"), ("open", "extend", "end")])
def test_a_symmetric_model_does_not_care_which_is_x(pairs, tie):
    pairs = pairs[:4]
    hmm = PairHMM(tie=tie, end="untied").fit(pairs)
    if "end" in tie:
        likelihoods = hmm.log_likelihood(pairs)
        np.testing.assert_allclose(hmm.log_likelihood(reverse(pairs)), likelihoods, rtol=1e-12)
    other = PairHMM(tie=tie, end="untied").fit(reverse(pairs))
    assert other.log_likelihood_ == pytest.approx(hmm.log_likelihood_, abs=1e-6)


# Of many such intervals one in a hundred misses; the coverage is counted in a slow test below.
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_a_fit_recovers_what_was_simulated(seed):
    drawn = simulated(TRUTH, 20, 150, seed=seed)
    hmm = PairHMM(tie=()).fit(drawn)
    assert hmm.converged_
    intervals = hmm.confidence_intervals(level=0.99)
    # Alignments of a given number of columns say little about how long they would have been.
    assert intervals.keys() == {*GAPS, "end", "distance", "kappa"}
    for name in (*GAPS, "distance", "kappa"):
        lower, upper = intervals[name]
        assert lower < TRUTH[name] < upper
        assert lower < hmm.parameters_[name] < upper


def test_estimated_frequencies_are_recovered():
    drawn = simulated(TRUTH, 10, 200, seed=4)
    hmm = PairHMM(tie=(), frequencies="estimated").fit(drawn)
    intervals = hmm.confidence_intervals(level=0.99)
    for name, truth in FREQUENCIES.items():
        assert intervals[name][0] < truth < intervals[name][1]


def test_proteins_are_recovered():
    truth = {**MOVES, "end": 0.01, "distance": 0.6}
    drawn = simulated(truth, 6, 150, seed=5, alphabet="protein")
    hmm = PairHMM(alphabet="protein", tie=()).fit(drawn)
    intervals = hmm.confidence_intervals(level=0.99)
    for name in (*GAPS, "distance"):
        assert intervals[name][0] < truth[name] < intervals[name][1]


def test_switches_are_recovered():
    truth = {**TRUTH, "switch_x": 0.3, "switch_y": 0.3}
    drawn = simulated(truth, 12, 150, seed=6, switch="tied")
    hmm = PairHMM(switch="tied", tie=()).fit(drawn)
    lower, upper = hmm.confidence_intervals(level=0.99)["switch_x"]
    assert lower < 0.3 < upper
    assert hmm.parameters_["switch_x"] == hmm.parameters_["switch_y"]


def test_intervals_are_of_what_was_estimated(fitted, pairs):
    wald = fitted.confidence_intervals()
    assert wald.keys() == {*GAPS, "end", "distance", "kappa"}
    for name, (lower, upper) in fitted.confidence_intervals(level=0.5).items():
        assert wald[name][0] < lower < fitted.parameters_[name] < upper < wald[name][1]
    # One number has one interval.
    tied = PairHMM().fit(pairs).confidence_intervals()
    assert tied["extend_x"] == tied["extend_y"]
    np.testing.assert_allclose(tied["open_x"], tied["open_y"], rtol=1e-12)


def test_profile_intervals_are_near_those_of_the_curvature_and_end_where_they_say():
    data = simulated(TIED, 3, 80, seed=1)
    hmm = PairHMM(substitution="jc69").fit(data)
    wald, profile = (hmm.confidence_intervals(method=method) for method in ("wald", "profile"))
    assert profile.keys() == wald.keys()
    for name, (lower, upper) in wald.items():
        width = np.log(upper / lower)
        np.testing.assert_allclose(np.log(profile[name]), np.log((lower, upper)), atol=0.2 * width)
    # At both ends twice the log-likelihood has dropped by a quantile of the chi-squared law.
    layout = hmm.model.layout
    held = [layout.slice("open_x").start, layout.slice("open_y").start]
    for limit in profile["open_x"]:
        value = np.log(limit / (1 - 2 * limit))  # log odds of either gap against none
        own = equal(layout.size, [layout.slice(f"extend_{side}").start for side in "xy"])
        own = own.intersect(fixed(layout.size, held, [value, value]))
        at_limit = PairHMM(substitution="jc69", tie=own).fit(data)
        drop = 2 * (hmm.log_likelihood_ - at_limit.log_likelihood_)
        assert drop == pytest.approx(stats.chi2.ppf(0.95, 1), abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"method": "bootstrap"}, "method is 'bootstrap'; choose"), ({"level": 1.0}, "level")],
)
def test_impossible_intervals_are_refused(fitted, arguments, message):
    with pytest.raises(ParameterError, match=message):
        fitted.confidence_intervals(**arguments)


@pytest.mark.slow  # 120 fits
def test_intervals_cover_as_often_as_they_say():
    level, n = 0.95, 120
    covered = dict.fromkeys((*GAPS, "distance", "kappa"), 0)
    for seed in range(n):
        hmm = PairHMM(tie=()).fit(simulated(TRUTH, 10, 150, seed=seed))
        intervals = hmm.confidence_intervals(level=level)
        for name in covered:
            covered[name] += intervals[name][0] < TRUTH[name] < intervals[name][1]
    lowest, highest = stats.binom.interval(0.999, n, level)
    for name, times in covered.items():
        assert lowest <= times <= highest, f"{name}: {times} of {n}"


# Nested hypotheses


def test_substitution_models_are_nested(pairs):
    names = ("jc69", "k80", "hky85", "tn93", "gtr")
    previous = None
    for name in names:
        frequencies = "equal" if name in ("jc69", "k80") else "estimated"
        hmm = PairHMM(substitution=name, frequencies=frequencies).fit(pairs)
        tying = hmm.hypothesis(pairs)[0].tying
        assert hmm.converged_
        if previous is not None:
            assert previous[1].is_nested_in(tying)
            assert hmm.log_likelihood_ >= previous[0] - 1e-6
        previous = hmm.log_likelihood_, tying


def test_fewer_ties_fit_better(pairs):
    pairs = pairs[:5]
    ties = [("open", "extend"), ("open",), ()]
    values = [PairHMM(tie=tie).fit(pairs).log_likelihood_ for tie in ties]
    assert values == sorted(values)
    more = [
        PairHMM(tie=(), switch=switch, end=end).fit(pairs).log_likelihood_
        for switch, end in (("tied", "tied"), ("untied", "tied"), ("untied", "untied"))
    ]
    values = [values[-1], *more]
    assert (np.diff(values) >= -1e-6).all()


# At the boundary


def with_gaps_in(sides, n_pairs, seed=1):
    """Make pairs that differ by clear gaps alone: in y ("y"), in x ("x"), by turns, or nowhere."""
    generator = np.random.default_rng(seed)
    made = []
    for number in range(n_pairs):
        text = "".join(generator.choice(list("ACGT"), 80))
        start, length = generator.integers(20, 50), generator.integers(1, 6)
        pair = (text, text[:start] + text[start + length :]) if sides else (text, text)
        made.append(pair if not sides or sides[number % len(sides)] == "y" else pair[::-1])
    return made


@pytest.mark.parametrize(
    ("sides", "boundary", "equal_fits"),
    [("y", {"open_y"}, False), ("x", {"open_x"}, False), ("", {"open_x", "open_y"}, True)],
    ids=["gaps in y alone", "gaps in x alone", "no gaps"],
)
def test_a_sequence_without_gaps_has_no_openings(sides, boundary, equal_fits):
    data = with_gaps_in(sides, 12)
    tied, free = PairHMM().fit(data), PairHMM(tie=()).fit(data)
    assert tied.converged_
    assert free.converged_
    assert boundary <= set(free.fit_.at_boundary)
    assert all(free.parameters_[name] == 0 for name in boundary)
    assert "distance" in free.fit_.at_boundary
    assert free.parameters_["distance"] == 0
    ratio = 2 * (free.log_likelihood_ - tied.log_likelihood_)
    assert ratio == pytest.approx(0, abs=1e-9) if equal_fits else ratio > 1
    # What is 0 is left out, and so is what cannot be seen.
    assert boundary.isdisjoint(free.confidence_intervals() if sides else ())
    for name in boundary:
        assert f"\n  {name}" in free.fit_.summary()


def test_without_gaps_their_length_means_nothing_and_costs_nothing():
    data = with_gaps_in("", 3)
    tied, free = PairHMM().fit(data), PairHMM(tie=()).fit(data)
    assert {"open_x = open_y", "extend_x = extend_y"} <= set(tied.fit_.at_boundary)
    assert {"open_x", "open_y", "extend_x", "extend_y"} <= set(free.fit_.at_boundary)
    assert max(tied.fit_.n_evaluations, free.fit_.n_evaluations) <= 20


def test_a_tied_and_an_untied_fit_together_take_few_evaluations(pairs):
    result = seqbio.compare(PairHMM(), PairHMM(tie=()), pairs, calibration="chi2", check_fit=False)
    assert result.null_fit.n_evaluations + result.alternative_fit.n_evaluations <= 25


def test_gaps_of_one_letter_have_no_extension():
    data = [(text, text[:40] + text[41:]) for text, _ in with_gaps_in("", 10)]
    hmm = PairHMM(tie=("extend",), substitution="jc69").fit(data)
    assert "extend_x = extend_y" in hmm.fit_.at_boundary
    assert hmm.parameters_["extend_x"] == hmm.parameters_["extend_y"] == 0


def test_identical_sequences_are_at_distance_0(pairs):
    data = [(x, x) for x, _ in pairs]
    hmm = PairHMM().fit(data)
    assert hmm.converged_
    assert hmm.parameters_["distance"] == 0
    assert {"distance", "open_x = open_y"} <= set(hmm.fit_.at_boundary)
    # Nothing but letters in a row, of their own frequencies, and an end.
    n_letters = sum(len(x) for x, _ in data)
    end = len(data) / (n_letters + len(data))
    text = "".join(str(x.seq) for x, _ in data)
    expected = (
        sum(text.count(letter) * np.log(text.count(letter) / n_letters) for letter in "ACGT")
        + n_letters * np.log(1 - end)
        + len(data) * np.log(end)
    )
    assert hmm.log_likelihood_ == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("substitution", ["jc69", "k80", "f81", "hky85", "tn93"])
@pytest.mark.parametrize(("pair", "n_letters"), [(("A", "A"), 1), (("A", "C"), 2)])
def test_one_pair_of_one_letter(substitution, pair, n_letters):
    hmm = PairHMM(substitution=substitution, tie=()).fit([pair])
    assert hmm.converged_
    assert {"open_x", "open_y"} <= set(hmm.fit_.at_boundary)
    # One column and then the end, with probability 1/2 each.
    letters = {"jc69": 4, "k80": 4}.get(substitution, n_letters)
    emission = letters if pair == ("A", "A") else letters**2
    expected = 2 * np.log(0.5) - np.log(emission)
    assert hmm.log_likelihood_ == pytest.approx(expected, abs=1e-5)


# Alignments


def path_of(alignment):
    """Read the states off the two rows of an alignment."""
    rows = zip(*(alignment[row] for row in (0, 1)), strict=True)
    return [0 if "-" not in column else 1 if column[1] == "-" else 2 for column in rows]


def hky85_machine(p):
    frequencies = np.array([p[f"frequency_{letter}"] for letter in "ACGT"])
    changes = letters_reference.tn93(p["distance"], frequencies, p["kappa"], p["kappa"])
    machine = mxy(*(p[name] for name in GAPS), end=p["end"], odds=changes / frequencies)
    return machine, np.log(frequencies)


def test_alignments_are_the_best_paths(given):
    drawn = given.simulate(8, columns=30, seed=2)
    machine, background = hky85_machine(TRUTH)
    alignments = given.align(drawn)
    assert len(alignments) == len(drawn)
    for (x, y), alignment in zip(drawn, alignments, strict=True):
        assert isinstance(alignment, Alignment)
        assert alignment.target is x
        assert alignment.query is y
        codes = [["ACGT".index(letter) for letter in record.seq] for record in (x, y)]
        letters = sum(background[code] for code in itertools.chain(*codes))
        best, _ = reference.viterbi(machine, *codes)
        path = path_of(alignment)
        assert reference.path_score(machine, *codes, path) == pytest.approx(best, rel=1e-12)
        assert alignment.score == pytest.approx(best + letters, rel=1e-12)
        # Nothing is lost, and no column is empty.
        for row, record in enumerate((x, y)):
            assert alignment[row].replace("-", "") == record.seq


def test_no_alignment_is_more_probable_than_the_pair(given, pairs):
    scores = [alignment.score for alignment in given.align(pairs)]
    assert (scores < given.log_likelihood(pairs)).all()


def test_alignments_of_strings(given):
    (alignment,) = given.align([("ACGTTACGTTGCA", "ACGTTGCA")])
    assert alignment.shape == (2, 13)
    assert alignment[0] == "ACGTTACGTTGCA"


@pytest.mark.parametrize("name", ["fasta", "clustal", "sam", "psl", "maf", "chain", "phylip"])
def test_alignments_can_be_written(given, name):
    drawn = given.simulate(2, columns=100, seed=3)
    alignments = given.align(drawn)
    with io.StringIO() as file:
        Align.write(alignments[:1], file, name)
        text = file.getvalue()
    assert text
    if name in ("fasta", "clustal"):
        again = next(Align.parse(io.StringIO(text), name))
        np.testing.assert_array_equal(again.coordinates, alignments[0].coordinates)
        assert [record.id for record in again.sequences] == ["pair1/x", "pair1/y"]


def test_a_pair_without_alignment_is_named():
    hmm = PairHMM().set_parameters({**TRUTH, "open_x": 0.0})
    pairs = [("ACGT", "ACGT"), ("ACGTA", "ACGT")]
    gapped = PairHMM().set_parameters(TRUTH).align(pairs)
    for index, use in (
        (1, lambda: hmm.align(pairs)),
        (1, lambda: hmm.align(pairs, method="mea")),
        (1, lambda: hmm.assess(gapped)),
        (0, lambda: hmm.posterior(*pairs[1])),
        (0, lambda: hmm.sample_alignments(*pairs[1], 2)),
    ):
        with pytest.raises(ParameterError, match=rf"index {index} .* no alignment of probability"):
            use()


def test_a_pair_in_which_nothing_can_be_aligned_has_a_posterior_of_0():
    parameters = {**TRUTH, "distance": 0.0, "switch_x": 0.1, "switch_y": 0.1}
    hmm = PairHMM(switch="untied").set_parameters(parameters)
    assert not hmm.posterior("AAA", "CC").any()


# Trusting alignments


def letters_said_right(alignment, posterior):
    """Add up the posterior probability of what an alignment says of every letter."""
    left, right = posterior.sum(axis=1), posterior.sum(axis=0)
    indices = np.array([alignment.indices[0], alignment.indices[1]])
    columns = [
        posterior[i, j] if min(i, j) >= 0 else 1 - (left[i] if j < 0 else right[j])
        for i, j in indices.T
    ]
    weights = 1 + (indices >= 0).all(axis=0)
    return np.array(columns), weights @ columns / weights.sum()


@pytest.mark.parametrize("method", ["viterbi", "mea"])
def test_confidence_is_that_of_the_posterior(given, pairs, method):
    alignments = given.assess(given.align(pairs, method=method))
    for pair, alignment in zip(pairs, alignments, strict=True):
        assert list(alignment.sequences) == list(pair)
        columns, accuracy = letters_said_right(alignment, given.posterior(*pair))
        np.testing.assert_allclose(alignment.confidence, columns, atol=1e-4)
        assert alignment.expected_accuracy == pytest.approx(accuracy, abs=1e-4)
        line = alignment.column_annotations["consensus posterior probability"]
        assert len(line) == alignment.shape[1]
        assert set(line) <= set("0123456789*")


def test_the_most_accurate_alignment_has_the_highest_expected_accuracy(given, pairs):
    best = given.align(pairs, method="mea")
    others = given.assess(given.align(pairs))
    more_matches = given.align(pairs, method="mea", gap_factor=0.0)
    for (x, y), each in zip(pairs, best, strict=True):
        assert each.score == pytest.approx(each.expected_accuracy * (len(x.seq) + len(y.seq)))
    for one, *rest in zip(best, others, more_matches, strict=True):
        assert one.expected_accuracy >= max(other.expected_accuracy for other in rest) - 1e-9
    found, more = (
        [sum(end - start for start, end in each.aligned[0]) for each in alignments]
        for alignments in (best, more_matches)
    )
    assert sum(more) > sum(found)


def test_mea_does_not_depend_on_the_order_of_the_pairs(given, pairs):
    forth, back = (given.align(each, method="mea") for each in (pairs, pairs[::-1]))
    for one, other in zip(forth, reversed(back), strict=True):
        assert str(one) == str(other)


def test_expected_accuracy_is_what_simulated_pairs_have(given):
    # Of true alignments, drawn from their posterior, as of any other, but the model is right.
    drawn = given.simulate(60, columns=60, seed=8)
    best = given.align(drawn, method="mea")
    shares = []
    for number, (pair, alignment) in enumerate(zip(drawn, best, strict=True)):
        [truth] = given.sample_alignments(*pair, 1, seed=number)
        said = [partners(each) for each in (alignment, truth)]
        shares.append(np.mean([one == other for one, other in zip(*said, strict=True)]))
    expected = [alignment.expected_accuracy for alignment in best]
    error = np.std(np.subtract(shares, expected)) / np.sqrt(60)
    assert np.mean(shares) == pytest.approx(np.mean(expected), abs=4 * error)


def partners(alignment):
    """List for every letter of both sequences the letter that it is aligned with, or -1."""
    forth, back = alignment.indices
    return [j for i, j in zip(forth, back, strict=True) if i >= 0] + [
        i for i, j in zip(forth, back, strict=True) if j >= 0
    ]


def test_alignments_of_others_can_be_assessed(given):
    x, y = "ACGTTACGTTGCA", "ACGTTGCA"
    made = Align.PairwiseAligner(mode="global", open_gap_score=-2, extend_gap_score=-0.5)
    [alignment] = given.assess([made.align(x, y)[0]])
    _, accuracy = letters_said_right(alignment, given.posterior(x, y))
    assert alignment.expected_accuracy == pytest.approx(accuracy, abs=1e-4)
    with pytest.raises(ParameterError, match="at index 0 does not run through both sequences"):
        given.assess([alignment[:, 1:]])


def test_samples_are_alignments_of_the_pair(given, pairs):
    x, y = pairs[0]
    drawn = given.sample_alignments(x, y, 30, seed=1)
    again = given.sample_alignments(x, y, 30, seed=np.random.default_rng(1))
    assert [str(each) for each in drawn] == [str(each) for each in again]
    assert len({str(each) for each in drawn}) > 5
    [best] = given.align([(x, y)])
    for alignment in drawn:
        assert list(alignment.sequences) == [x, y]
        assert alignment.score <= best.score + 1e-9
        if str(alignment) == str(best):
            assert alignment.score == pytest.approx(best.score)
    mean = np.mean([each.expected_accuracy for each in given.assess(drawn)])
    assert mean < given.align([(x, y)], method="mea")[0].expected_accuracy


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda hmm, pair: hmm.align([pair], method="best"), "choose viterbi or mea"),
        (lambda hmm, pair: hmm.align([pair], method="mea", gap_factor=-1), "gap_factor is -1"),
        (lambda hmm, pair: hmm.align([pair], method="mea", gap_factor=np.inf), "is inf; give"),
        (lambda hmm, pair: hmm.sample_alignments(*pair, 0), "n is 0; draw at least one"),
    ],
)
def test_options_out_of_range_are_refused(given, use, message):
    with pytest.raises(ParameterError, match=message):
        use(given, ("ACGT", "ACT"))


def test_posterior_is_that_of_the_loops(given):
    (x, y) = texts(given.simulate(1, columns=40, seed=4))[0]
    machine, _ = hky85_machine(TRUTH)
    counts = reference.expected_counts(
        machine, *(["ACGT".index(c) for c in text] for text in (x, y))
    )
    np.testing.assert_allclose(given.posterior(x, y), counts.aligned, atol=1e-12)


def test_posterior_is_a_probability_of_each_partner(given, pairs):
    x, y = pairs[0]
    posterior = given.posterior(x, y)
    assert posterior.shape == (len(x.seq), len(y.seq))
    assert (posterior >= 0).all()
    for axis in (0, 1):
        assert posterior.sum(axis=axis).max() <= 1 + 1e-12
    # Exchanging the sequences transposes it, where the parameters go along.
    other = PairHMM().set_parameters(exchanged(TRUTH))
    np.testing.assert_allclose(other.posterior(y, x), posterior.T, atol=1e-12)


def test_posterior_agrees_with_a_clear_alignment():
    hmm = PairHMM().set_parameters({**TRUTH, "distance": 0.01})
    x, y = "ACGTTGCATTCGATGCCTAGGATC", "ACGTTGCATTCGCCTAGGATC"
    (alignment,) = hmm.align([(x, y)])
    posterior = hmm.posterior(x, y)
    for start, end in zip(*alignment.aligned, strict=True):
        for i, j in zip(range(*start), range(*end), strict=True):
            assert posterior[i, j] > 0.2


# Files


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        ({}, TRUTH),
        ({"tie": ("open",), "seed": 3, "n_starts": 2}, {**TRUTH, "open_x": 0.0, "distance": 0.0}),
        ({"alphabet": "rna", "substitution": "gtr"}, in_rna(TRUTH)),
        ({"frequencies": [0.1, 0.2, 0.3, 0.4], "switch": "tied"}, {**TRUTH, "switch_x": 0.1}),
        ({"frequencies": np.array([0.1, 0.2, 0.3, 0.4])}, TRUTH),
        ({"frequencies": {"T": 0.4, "A": 0.1, "C": 0.2, "G": 0.3}, "reference": "x"}, TRUTH),
        ({"alphabet": "protein", "end": "untied"}, {**MOVES, "end": 0.01, "distance": 0.3}),
        ({"seed": np.random.default_rng(1)}, TRUTH),
        ({"seed": np.int64(3), "n_starts": np.int32(2)}, TRUTH),
    ],
)
def test_saved_models_come_back_exactly(tmp_path, settings, parameters):
    hmm = PairHMM(**settings).set_parameters(parameters)
    file = tmp_path / "model.json"
    hmm.save(file)
    again = PairHMM.load(file)
    np.testing.assert_array_equal(again.full_, hmm.full_)
    assert again.parameters_ == hmm.parameters_
    for name, value in hmm.get_params().items():
        kept = again.get_params()[name]
        if isinstance(value, np.random.Generator):
            assert kept is None
        else:
            np.testing.assert_array_equal(kept, value)
    pair = [("MKV", "MKKV")] if hmm.alphabet == "protein" else [("ACG", "ACGG")]
    np.testing.assert_array_equal(again.log_likelihood(pair), hmm.log_likelihood(pair))


def test_saved_fits_come_back_as_parameters(tmp_path, fitted, pairs):
    fitted.save(tmp_path / "model.json")
    again = PairHMM.load(tmp_path / "model.json")
    np.testing.assert_array_equal(again.log_likelihood(pairs), fitted.log_likelihood(pairs))
    with pytest.raises(NotFittedError):
        again.log_likelihood_  # noqa: B018
    # People and other programs can read it.
    content = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    assert content["parameters"] == fitted.parameters_


def test_a_tying_of_one_s_own_is_not_saved(tmp_path):
    layout = PairHMM().model.layout
    hmm = PairHMM(tie=untied(layout.size)).set_parameters(TRUTH)
    with pytest.raises(ParameterError, match="save what was learned"):
        hmm.save(tmp_path / "model.json")
    assert not list(tmp_path.iterdir())


def test_nothing_is_saved_before_there_is_something(tmp_path):
    with pytest.raises(NotFittedError):
        PairHMM().save(tmp_path / "model.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: "{}", "not a saved pair HMM.*format"),
        (lambda content: "ACGT", "not a saved pair HMM"),
        (lambda content: "[]", "not a saved pair HMM"),
        (
            lambda content: content.replace("version 4", "version 9"),
            "says it is 'seqbio.*version 9'",
        ),
        (lambda content: content.replace('"n_starts"', '"starts"'), "not a saved pair HMM.*starts"),
        (lambda content: content.replace('"-inf",', ""), "25 coordinates and its model 35"),
        (lambda content: content.replace('"-inf",', "NaN,", 1), "number 5 of .* is nan"),
        (lambda content: content.replace('"-inf",', '"inf",', 1), "number 5 of .* is inf"),
        (lambda content: content.replace('"-inf",', "1e308,", 1), "number 5 of .* is inf"),
        (lambda content: content.replace('"dna"', '"runes"'), "unknown alphabet 'runes'"),
        (lambda content: "", "not a saved pair HMM"),
        (lambda content: content[: len(content) // 2], "not a saved pair HMM"),
        (lambda content: content.replace("seqbio", "\udc80"), "not a saved pair HMM.*damaged"),
    ],
)
def test_files_that_are_none_are_refused(tmp_path, given, change, message):
    file = tmp_path / "model.json"
    given.save(file)
    content = change(file.read_text(encoding="utf-8"))
    file.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ModelFileError, match=message):
        PairHMM.load(file)


def test_a_model_that_never_ends_is_not_drawn_from(given):
    given.full_ = given.full_.copy()
    given.full_[given.model.layout.indices("end_m")] = -np.inf
    assert given.simulate(1, seed=1)  # it ends after a gap
    for name in ("end_x", "end_y"):
        given.full_[given.model.layout.indices(name)] = -np.inf
    with pytest.raises(ParameterError, match="alignments of about inf columns are more than can"):
        given.simulate(1, seed=1)
    with pytest.raises(ParameterError, match="0 numbers of columns for 2 pairs"):
        given.simulate(2, columns=[])


# Real data, with ratios that were known before this implementation was written


def likelihood_ratio(data, null, alternative):
    fits = [PairHMM(tie=tie).fit(data) for tie in (null, alternative)]
    assert all(fit.converged_ for fit in fits)
    return 2 * (fits[1].log_likelihood_ - fits[0].log_likelihood_), fits[1].parameters_


@pytest.mark.slow  # fits of 16 pairs of 1 kb
def test_mitochondria_open_gaps_alike_but_do_not_extend_them_alike(real_data):
    file = real_data("pairs/mtdna_human_orangutan_pieces_unaligned.fasta")
    data = seqbio.read_pairs(file)
    both, _ = likelihood_ratio(data, ("open", "extend"), ())
    opening, _ = likelihood_ratio(data, ("open",), ())
    assert opening == pytest.approx(0.25, abs=0.01)
    assert both == pytest.approx(17.9, abs=0.1)


def test_transposons_have_lost_more_often_than_gained(real_data):
    file = real_data("pairs/made1_human_copies_unaligned.fasta")
    ratio, parameters = likelihood_ratio(
        seqbio.read_pairs(file, pairing="first-vs-rest"), ("open", "extend"), ()
    )
    assert ratio == pytest.approx(62.5, abs=0.1)
    assert parameters["open_x"] == pytest.approx(0.019, abs=0.0005)
    assert parameters["open_y"] == pytest.approx(0.006, abs=0.0005)


FREQUENCY_NAMES = [f"frequency_{letter}" for letter in "ACGT"]
GIVEN = {
    "open_x": 0.1,
    "open_y": 0.1,
    "extend_x": 0.3,
    "extend_y": 0.3,
    "end": 0.1,
    "distance": 0.2,
}


class TestWhatTheSettingsSayHoldsForGivenParameters:
    def test_frequencies_are_those_of_the_settings(self):
        frequencies = [0.4, 0.3, 0.2, 0.1]
        hmm = PairHMM(substitution="f81", frequencies=frequencies).set_parameters(GIVEN)
        named = [hmm.parameters_[f"frequency_{letter}"] for letter in "ACGT"]
        assert named == pytest.approx(frequencies)
        spelled = {f"frequency_{letter}": f for letter, f in zip("ACGT", frequencies, strict=True)}
        same = PairHMM(substitution="f81").set_parameters({**GIVEN, **spelled})
        assert hmm.log_likelihood([("A", "C")]) == pytest.approx(same.log_likelihood([("A", "C")]))

    def test_frequencies_are_given_in_order_or_by_letter(self):
        by_letter = {"T": 0.1, "G": 0.2, "C": 0.3, "A": 0.4}
        pairs = [("ACGTTGCAAC", "ACGTGCAAC"), ("ACCATTGCA", "ACCATTGGA")]
        one, other = (
            PairHMM(substitution="f81", frequencies=given).fit(pairs)
            for given in (by_letter, [0.4, 0.3, 0.2, 0.1])
        )
        assert one.parameters_ == other.parameters_
        given = PairHMM(substitution="f81", frequencies=by_letter).set_parameters(GIVEN)
        assert given.parameters_["frequency_C"] == pytest.approx(0.3)
        in_rna = {letter.replace("T", "U"): value for letter, value in by_letter.items()}
        rna = PairHMM(alphabet="rna", frequencies=in_rna).set_parameters(GIVEN)
        assert rna.parameters_["frequency_U"] == pytest.approx(0.1)

    def test_equal_frequencies_of_a_protein_are_equal(self):
        hmm = PairHMM(alphabet="protein", frequencies="equal").set_parameters(GIVEN)
        assert hmm.parameters_["frequency_W"] == pytest.approx(0.05)

    @pytest.mark.parametrize("mode", ["empirical", "estimated"])
    def test_frequencies_that_take_data_are_asked_for(self, mode):
        with pytest.raises(ParameterError, match="which takes data; give frequency_A"):
            PairHMM(frequencies=mode).set_parameters(GIVEN)

    @pytest.mark.parametrize(
        ("substitution", "more"),
        [
            ("jc69", {"kappa": 3.0}),
            ("k80", {"kappa_AG": 2.0, "kappa_CT": 3.0}),
            ("hky85", {"rate_AC": 2.0}),
            ("k80", dict(zip(FREQUENCY_NAMES, (0.4, 0.3, 0.2, 0.1), strict=True))),
        ],
    )
    def test_what_the_substitution_model_cannot_have_is_refused(self, substitution, more):
        with pytest.raises(ParameterError, match=f"{substitution} cannot have these"):
            PairHMM(substitution=substitution).set_parameters({**GIVEN, **more})

    def test_rna_has_no_frequency_of_t(self):
        hmm = PairHMM(alphabet="rna", frequencies=[0.4, 0.3, 0.2, 0.1]).set_parameters(GIVEN)
        assert hmm.parameters_["frequency_U"] == pytest.approx(0.1)
        assert "frequency_T" not in hmm.parameters_

    def test_switches_are_named_where_they_are_on(self):
        hmm = PairHMM(switch="tied").set_parameters(GIVEN)
        assert hmm.parameters_["switch_x"] == hmm.parameters_["switch_y"] == 0.0
        assert "switch_x" not in PairHMM().set_parameters(GIVEN).parameters_


def test_what_is_tested_needs_events_and_nothing_else():
    pairs = PairHMM().set_parameters({**GIVEN, "open_x": 0.01, "open_y": 0.03, "end": 0.02})
    pairs = pairs.simulate(10, columns=30, seed=1)
    result = seqbio.compare(
        PairHMM(tie=("open", "extend")), PairHMM(tie=("extend",)), pairs, n_replicates=1
    )
    [told] = [check for check in result.warnings if check.code == "few_events"]
    assert "gap openings expected behind open_" in told.message


def test_an_end_that_never_follows_a_gap_is_a_boundary():
    truth = {
        "open_x": 0.06,
        "open_y": 0.1,
        "extend_x": 0.5,
        "extend_y": 0.5,
        "distance": 0.2,
        "end_m": 0.05,
        "end_x": 0.01,
        "end_y": 1e-4,
    }
    hmm = PairHMM(substitution="jc69", end="untied", tie=())
    pairs = hmm.set_parameters(truth).simulate(40, columns=40, seed=2)
    fitted = PairHMM(substitution="jc69", end="untied").fit(pairs)
    assert "end_y" in fitted.fit_.at_boundary
    assert fitted.parameters_["end_y"] == 0.0
