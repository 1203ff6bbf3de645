"""Substitution models against closed forms, matrix exponentials and other programs."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from Bio.Align import substitution_matrices
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqbio.core.numerics import softmax
from seqbio.errors import ParameterError
from seqbio.pairhmm import protein_rates
from seqbio.pairhmm.substitution import (
    DNA_LETTERS,
    PROTEIN_LETTERS,
    SUBSTITUTION_MODELS,
    log_odds,
    substitution_model,
)
from tests.reference import substitution as reference

REVERSIBLE = [name for name in SUBSTITUTION_MODELS if name != "blosum62"]
DNA = [name for name in REVERSIBLE if substitution_model(name).alphabet == "dna"]
PROTEIN = ["wag", "lg", "jtt"]
FREQUENCIES = np.array([0.4, 0.3, 0.2, 0.1])


PAIRS = ("AC", "AG", "AT", "CG", "CT", "GT")
FREQUENCIES = np.array([0.4, 0.3, 0.2, 0.1])

distances = st.floats(1e-4, 5.0)
frequencies = arrays(np.float64, 4, elements=st.floats(0.05, 1.0)).map(lambda x: x / x.sum())
kappas = st.floats(0.1, 20.0)


def coordinates(name, spread=3.0):
    """Draw all coordinates of a model, tied or not."""
    layout = substitution_model(name).layout
    return arrays(np.float64, layout.size, elements=st.floats(-spread, spread)).map(
        layout.unflatten
    )


def natural(name, distance, frequency=None, **exchangeability):
    """Coordinates from a distance, frequencies, and exchangeabilities that are not 1, AG=4 say."""
    model = substitution_model(name)
    blocks = model.start(frequency, distance=distance)
    if "exchangeability" in blocks:
        with np.errstate(divide="ignore"):
            blocks["exchangeability"] = np.log([exchangeability.get(pair, 1.0) for pair in PAIRS])
    return blocks


def exchangeabilities(name, blocks):
    model = substitution_model(name)
    if name in PROTEIN:
        return model.rates
    table = np.zeros((4, 4))
    for pair, log_value in zip(PAIRS, blocks["exchangeability"], strict=True):
        a, b = (DNA_LETTERS.index(letter) for letter in pair)
        table[a, b] = table[b, a] = np.exp(log_value)
    return table


def transitions(model, blocks):
    joint, frequencies = model.joint(blocks)
    return joint / frequencies[:, None]


def counts(model, seed=5):
    generator = np.random.default_rng(seed)
    n = model.n_letters
    return generator.gamma(0.5, size=(n, n)), generator.gamma(0.5, size=n)


def gradient_error(model, blocks, step=1e-3):
    """Largest error of the gradient, relative to its largest entry.

    The finite differences are of the fourth order, so that their own error is about 1e-10.
    """
    matches, gaps = counts(model)

    def value(full):
        return reference.log_likelihood(*model.joint(model.layout.unflatten(full)), matches, gaps)

    full = model.layout.flatten(blocks)
    gradient = model.layout.flatten(model.pull_back(blocks, matches, gaps))
    expected = []
    for move in np.eye(full.size) * step:
        near = value(full + move) - value(full - move)
        far = value(full + 2 * move) - value(full - 2 * move)
        expected.append((8 * near - far) / (12 * step))
    return np.abs(gradient - expected).max() / np.abs(expected).max()


# Closed forms


@given(distances)
def test_jc69(distance):
    found = transitions(substitution_model("jc69"), natural("jc69", distance))
    np.testing.assert_allclose(found, reference.jc69(distance), rtol=1e-12)


@given(distances, kappas)
def test_k80(distance, kappa):
    found = transitions(substitution_model("k80"), natural("k80", distance, AG=kappa, CT=kappa))
    np.testing.assert_allclose(found, reference.k80(distance, kappa), rtol=1e-10)


@given(distances, frequencies)
def test_f81(distance, frequency):
    found = transitions(substitution_model("f81"), natural("f81", distance, frequency))
    np.testing.assert_allclose(found, reference.f81(distance, frequency), rtol=1e-10)


@given(distances, frequencies, kappas)
def test_hky85(distance, frequency, kappa):
    blocks = natural("hky85", distance, frequency, AG=kappa, CT=kappa)
    expected = reference.tn93(distance, frequency, kappa, kappa)
    found = transitions(substitution_model("hky85"), blocks)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@given(distances, frequencies, kappas, kappas)
def test_tn93(distance, frequency, purines, pyrimidines):
    blocks = natural("tn93", distance, frequency, AG=purines, CT=pyrimidines)
    expected = reference.tn93(distance, frequency, purines, pyrimidines)
    found = transitions(substitution_model("tn93"), blocks)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


# Any reversible process


@pytest.mark.parametrize("name", ["gtr", *PROTEIN])
@given(data=st.data())
def test_joint_is_that_of_the_matrix_exponential(name, data):
    blocks = data.draw(coordinates(name))
    joint, frequencies = substitution_model(name).joint(blocks)
    expected = reference.joint(
        exchangeabilities(name, blocks), frequencies, np.exp(blocks["distance"])
    )
    np.testing.assert_allclose(joint, expected, atol=1e-12)


@pytest.mark.parametrize("name", REVERSIBLE)
@given(data=st.data())
def test_joint_is_a_symmetric_distribution_with_the_marginals_given(name, data):
    joint, frequencies = substitution_model(name).joint(data.draw(coordinates(name, spread=8.0)))
    assert (joint == joint.T).all()
    assert (joint >= 0).all()
    assert joint.sum() == pytest.approx(1.0, abs=1e-13)
    # Rounding grows with the distance, here up to 3000, and with the most skewed of the rates.
    np.testing.assert_allclose(joint.sum(axis=1), frequencies, atol=1e-9)


@pytest.mark.parametrize("name", ["gtr", "wag"])
@given(data=st.data(), one=distances, other=distances)
def test_distances_add_up(name, data, one, other):
    model = substitution_model(name)
    blocks = data.draw(coordinates(name, spread=2.0))
    first, second, whole = (
        transitions(model, {**blocks, "distance": np.log(distance)})
        for distance in (one, other, one + other)
    )
    np.testing.assert_allclose(first @ second, whole, atol=1e-10)


@pytest.mark.parametrize("name", REVERSIBLE)
@given(data=st.data())
def test_distance_counts_substitutions(name, data):
    # Over a distance so small that no site changes twice, letters differ where one changed.
    step = 1e-7
    blocks = {**data.draw(coordinates(name, spread=2.0)), "distance": np.log(step)}
    joint, _ = substitution_model(name).joint(blocks)
    differing = joint.sum() - joint.trace()
    assert differing / step == pytest.approx(1.0, rel=1e-3)


# Gradients


@pytest.mark.parametrize("name", ["gtr", "lg"])
@given(data=st.data())
def test_gradient_is_that_of_central_differences(name, data):
    model = substitution_model(name)
    assert gradient_error(model, data.draw(coordinates(name, spread=2.0))) < 1e-6


@pytest.mark.parametrize("name", DNA)
def test_gradient_at_equal_eigenvalues(name):
    # At the JC69 point of any DNA model three eigenvalues are one.
    model = substitution_model(name)
    blocks = natural(name, 0.4, "equal")
    assert gradient_error(model, blocks) < 1e-6


@pytest.mark.parametrize("log_distance", [-30.0, -12.0, 2.0, 8.0])
def test_gradient_at_small_and_large_distances(log_distance):
    model = substitution_model("gtr")
    blocks = natural("gtr", 1.0, FREQUENCIES, AG=3.0, CT=5.0, AC=0.5)
    assert gradient_error(model, {**blocks, "distance": np.array(log_distance)}) < 1e-6


def test_gradient_follows_the_tying():
    model = substitution_model("hky85")
    tying = model.tying("estimated")
    free = np.array([0.7, 0.3, -0.2, 0.1, -1.0])
    matches, gaps = counts(model)

    def value(free):
        joint, frequencies = model.joint(model.layout.unflatten(tying.expand(free)))
        return (matches * np.log(joint)).sum() + (gaps * np.log(frequencies)).sum()

    blocks = model.layout.unflatten(tying.expand(free))
    found = tying.pull_back(model.layout.flatten(model.pull_back(blocks, matches, gaps)))
    for i, direction in enumerate(np.eye(5) * 1e-5):
        expected = (value(free + direction) - value(free - direction)) / 2e-5
        assert found[i] == pytest.approx(expected, rel=1e-6)


# Boundaries


@pytest.mark.parametrize("name", REVERSIBLE)
def test_distance_zero_leaves_all_letters_as_they_are(name):
    model = substitution_model(name)
    joint, frequencies = model.joint({**natural(name, 1.0, "equal"), "distance": -np.inf})
    assert np.count_nonzero(joint) == model.n_letters
    np.testing.assert_allclose(joint.diagonal(), frequencies, rtol=1e-15)


@pytest.mark.parametrize("name", ["tn93", "jtt"])
def test_tiny_distance_is_one_step_of_the_rate_matrix(name):
    model = substitution_model(name)
    blocks = {**model.start("equal"), "distance": -50.0}
    joint, frequencies = model.joint(blocks)
    rates = reference.rate_matrix(exchangeabilities(name, blocks), frequencies)
    off_diagonal = ~np.eye(model.n_letters, dtype=bool)
    expected = frequencies[:, None] * rates * np.exp(-50.0)
    np.testing.assert_allclose(joint[off_diagonal], expected[off_diagonal], rtol=1e-11)


@pytest.mark.parametrize("name", REVERSIBLE)
@pytest.mark.parametrize("log_distance", [50.0, 1000.0])
def test_large_distance_makes_letters_independent(name, log_distance):
    model = substitution_model(name)
    joint, frequencies = model.joint({**model.start("equal"), "distance": log_distance})
    np.testing.assert_allclose(joint, np.outer(frequencies, frequencies), atol=1e-12)
    gradient = model.pull_back({**model.start("equal"), "distance": log_distance}, *counts(model))
    assert gradient["distance"] == pytest.approx(0.0, abs=1e-9)


def test_rare_pairs_keep_their_probability():
    # Rounding leaves the eigenvectors alone nine orders of magnitude below this.
    blocks = natural("gtr", 1e-9, FREQUENCIES, AC=1e-25, AG=1e-25, AT=1e-25, CT=5.0)
    joint, _ = substitution_model("gtr").joint(blocks)
    rates = reference.rate_matrix(exchangeabilities("gtr", blocks), FREQUENCIES)
    np.testing.assert_allclose(joint[0, 1:], FREQUENCIES[0] * rates[0, 1:] * 1e-9, rtol=1e-8)


@pytest.mark.parametrize("absent", ["A", "G", "T", "CT", "ACG"])
def test_absent_letters_have_probability_zero(absent):
    present = np.array([letter not in absent for letter in DNA_LETTERS])
    letter_counts = np.where(present, [4.0, 3.0, 2.0, 1.0], 0.0)
    model = substitution_model("gtr")
    full = model.tying("empirical", letter_counts).expand(np.zeros(6))
    blocks = model.layout.unflatten(full)
    joint, frequencies = model.joint(blocks)
    np.testing.assert_allclose(frequencies, letter_counts / letter_counts.sum(), rtol=1e-12)
    assert (frequencies[~present] == 0).all()
    assert (joint[~present] == 0).all()
    np.testing.assert_allclose(joint.sum(axis=1), frequencies, atol=1e-15)

    matches, gaps = counts(model)
    matches *= present[:, None] & present
    gaps *= present
    gradient = model.pull_back(blocks, matches, gaps)
    assert all(np.isfinite(block).all() for block in gradient.values())
    assert (gradient["frequency"][~present[:-1]] == 0).all()

    with pytest.raises(ParameterError, match=r"aligned with .* is counted"):
        model.pull_back(blocks, np.ones((4, 4)), gaps)
    with pytest.raises(ParameterError, match=r"against a gap is counted, but has the prob.* 0"):
        model.pull_back(blocks, matches, np.ones(4))


def test_one_letter_that_is_almost_all():
    # So rare are changes then that the rates of the others overflow: there is no distance.
    model = substitution_model("gtr")
    blocks = {**natural("gtr", 0.5, "equal"), "frequency": np.array([-800.0, -708.0, -750.0])}
    joint, frequencies = model.joint(blocks)
    np.testing.assert_allclose(joint, np.diag(frequencies), atol=1e-300)
    gradient = model.pull_back(blocks, np.diag([0.0, 0.0, 0.0, 5.0]), np.zeros(4))
    np.testing.assert_allclose(model.layout.flatten(gradient), 0.0, atol=1e-14)


def test_exchangeability_zero():
    model = substitution_model("gtr")
    blocks = natural("gtr", 0.5, FREQUENCIES, AC=0.0, AG=2.0)
    expected = reference.joint(exchangeabilities("gtr", blocks), FREQUENCIES, 0.5)
    np.testing.assert_allclose(model.joint(blocks)[0], expected, atol=1e-14)
    gradient = model.pull_back(blocks, *counts(model))
    assert gradient["exchangeability"][0] == 0
    assert np.isfinite(model.layout.flatten(gradient)).all()


@given(frequencies)
def test_log_odds_round_trip(frequency):
    np.testing.assert_allclose(softmax(np.append(log_odds(frequency), 0.0)), frequency, rtol=1e-13)


# Ties


@pytest.mark.parametrize(
    ("name", "frequencies", "n_free"),
    [
        ("jc69", None, 1),
        ("k80", None, 2),
        ("f81", FREQUENCIES, 1),
        ("f81", "estimated", 4),
        ("hky85", "equal", 2),
        ("hky85", "estimated", 5),
        ("tn93", "estimated", 6),
        ("gtr", "estimated", 9),
        ("wag", None, 1),
        ("lg", "estimated", 20),
        ("jtt", "equal", 1),
        ("blosum62", None, 0),
    ],
)
def test_number_of_free_parameters(name, frequencies, n_free):
    model = substitution_model(name)
    assert model.tying(frequencies).n_free == n_free
    assert model.tying(frequencies).n_full == model.layout.size


def test_models_are_nested():
    chain = [substitution_model(name).tying("equal") for name in ("jc69", "k80", "hky85", "tn93")]
    chain += [substitution_model(name).tying("estimated") for name in ("tn93", "gtr")]
    for smaller, larger in pairwise(chain):
        assert smaller.is_nested_in(larger)
    assert not chain[-1].is_nested_in(chain[-2])
    f81 = substitution_model("f81")
    assert f81.tying("empirical", [4, 3, 2, 1]).is_nested_in(f81.tying("estimated"))
    assert not f81.tying("estimated").is_nested_in(substitution_model("jc69").tying())


@pytest.mark.parametrize("name", REVERSIBLE)
def test_start_lies_in_the_tying(name):
    model = substitution_model(name)
    letter_counts = np.arange(model.n_letters)  # the first letter is absent
    for frequencies in model.frequency_modes:
        start = model.layout.flatten(model.start(frequencies, letter_counts, distance=0.2))
        assert model.tying(frequencies, letter_counts).contains(start)
        assert start[-1] == np.log(0.2)
        if frequencies == "estimated":  # from -inf a fit would not get away
            assert np.isfinite(start).all()


def test_estimated_frequencies_start_at_standard_ones_without_counts():
    gtr, lg = substitution_model("gtr"), substitution_model("lg")
    np.testing.assert_allclose(gtr.joint(gtr.start("estimated"))[1], 0.25)
    expected = lg.joint(lg.start("model"))[1]
    np.testing.assert_allclose(lg.joint(lg.start("estimated"))[1], expected)


@pytest.mark.parametrize(
    ("name", "frequencies", "letter_counts", "message"),
    [
        ("jc69", "estimated", None, "jc69 has no frequencies 'estimated'; choose 'equal'"),
        ("k80", FREQUENCIES, None, "k80 has frequencies of its own, 'equal'"),
        ("blosum62", "equal", None, "blosum62 has frequencies of its own, 'model'"),
        ("hky85", None, None, "need letter_counts"),
        ("hky85", [0.5, 0.5], None, r"shape \(2,\).*each letter of ACGT"),
        ("hky85", [0.5, 0.5, 0.5, 0.5], None, "sum to 2; they must sum to 1"),
        ("hky85", [0.5, 0.7, -0.3, 0.1], None, "must not be negative"),
        ("hky85", "empirical", [1, np.nan, 1, 1], "must not be negative or nan"),
        ("hky85", "empirical", [0, 0, 0, 0], "nor all 0"),
    ],
)
def test_wrong_frequencies(name, frequencies, letter_counts, message):
    for method in (substitution_model(name).tying, substitution_model(name).start):
        with pytest.raises(ParameterError, match=message):
            method(frequencies, letter_counts)


def test_wrong_coordinates():
    model = substitution_model("gtr")
    blocks = natural("gtr", 0.1, "equal")
    with pytest.raises(ParameterError, match="gtr needs the parameter 'frequency'"):
        model.joint({"exchangeability": np.zeros(6), "distance": 0.0})
    with pytest.raises(ParameterError, match=r"distance has the shape \(1,\); gtr needs \(\)"):
        model.joint({**blocks, "distance": [0.1]})
    for value in (np.nan, np.inf):
        with pytest.raises(ParameterError, match="give finite coordinates, or -inf"):
            model.joint({**blocks, "distance": value})
    with pytest.raises(ParameterError, match="counts of matches and of gaps have the shapes"):
        model.pull_back(blocks, np.zeros((4, 3)), np.zeros(4))
    with pytest.raises(ParameterError, match="start at the distance 0"):
        model.start("equal", distance=0)
    with pytest.raises(
        ParameterError,
        match=r"no substitution model 'hky' \(did you mean 'hky85'\?\); choose one of jc69, k80",
    ):
        substitution_model("hky")


@pytest.mark.parametrize("name", SUBSTITUTION_MODELS)
def test_models_survive_pickling(name):
    model = substitution_model(name)
    copy = pickle.loads(pickle.dumps(model))
    assert copy == model
    start = model.start("equal" if name in DNA else "model")
    assert (copy.joint(start)[0] == model.joint(start)[0]).all()


# Published numbers

# Transition probabilities by cogent3 2026.10 (get_psub_for_edge of its WG01 and JTT92 models) and,
# for LG, from the rate matrix of Pyvolve 1.1 by scipy.linalg.expm. These programs read and scale
# the published digits by themselves, so nothing but rounding may differ, here to 12 digits.
SHOWN = ("AA", "AS", "WW", "IV", "DE", "CF", "WD", "KR")
# fmt: off
PUBLISHED = {
    ("wag", 0.3): (0.72160034769, 0.0541571194237, 0.869646134214, 0.126385021212,
                   0.0827537895079, 0.00462923908575, 0.0024206549966, 0.0557455285441),
    ("wag", 1.0): (0.365982812399, 0.0947664118576, 0.62951789159, 0.210062809166,
                   0.141520467905, 0.0138768586936, 0.00866910225164, 0.0996019047441),
    ("jtt", 0.3): (0.696431589385, 0.0569710777719, 0.910547312571, 0.132914554272,
                   0.106370612952, 0.0087415891174, 0.000881153407908, 0.0759763053348),
    ("jtt", 1.0): (0.335373141073, 0.0998942165594, 0.732416893519, 0.209093162219,
                   0.190706031978, 0.0245711589127, 0.00448001980043, 0.139799616958),
    ("lg", 0.3): (0.728245346217, 0.0626952026571, 0.87595160317, 0.150289563985,
                   0.0885104214935, 0.012147782679, 0.000667006541773, 0.0819052302231),
    ("lg", 1.0): (0.378098783679, 0.105551135331, 0.645068565214, 0.225226161829,
                   0.174330718365, 0.0297535735801, 0.00347605935477, 0.154259273581),
}
# fmt: on


@pytest.mark.parametrize(("name", "distance"), PUBLISHED)
def test_protein_models_agree_with_other_programs(name, distance):
    model = substitution_model(name)
    table = transitions(model, model.start(distance=distance))
    found = [table[PROTEIN_LETTERS.index(a), PROTEIN_LETTERS.index(b)] for a, b in SHOWN]
    assert found == pytest.approx(PUBLISHED[name, distance], rel=1e-10)


def test_gtr_agrees_with_another_program():
    # cogent3 2026.10, get_psub_for_edge of its GTR model; rows A, C, G, T.
    expected = [
        [0.7111261439416465, 0.10817644887221947, 0.1552776174758929, 0.02541978971024113],
        [0.14423526516295915, 0.6830579548487522, 0.06347626280044238, 0.10923051718784607],
        [0.3105552349517858, 0.09521439420066385, 0.5671146601117016, 0.027115710735848633],
        [0.10167915884096479, 0.327691551563538, 0.054231421471697336, 0.5163978681237987],
    ]
    blocks = natural("gtr", 0.5, FREQUENCIES, AC=1.5, AG=4.0, AT=0.8, CG=1.2, CT=6.0)
    found = transitions(substitution_model("gtr"), blocks)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("table", ["WAG", "LG", "JTT"])
def test_protein_tables_are_whole(table):
    numbers = np.array(getattr(protein_rates, table).split(), dtype=float)
    assert numbers.size == 210
    assert (numbers > 0).all()
    assert numbers[190:].sum() == pytest.approx(1.0, abs=2e-6)  # twenty roundings to 1e-6
    assert sorted(protein_rates.ORDER) == sorted(PROTEIN_LETTERS)


# BLOSUM62


def blosum62_scores():
    matrix = substitution_matrices.load("BLOSUM62")
    return np.array([[matrix[a, b] for b in PROTEIN_LETTERS] for a in PROTEIN_LETTERS])


def test_blosum62_scores_have_the_known_ungapped_scale():
    # Robinson & Robinson (1991), counts in the order of PAML; BLAST gives lambda = 0.3176.
    # fmt: off
    robinson = np.array([
        78.05, 51.29, 44.87, 53.64, 19.25, 42.64, 62.95, 73.77, 21.99, 51.42,
        90.19, 57.44, 22.43, 38.56, 52.03, 71.20, 58.41, 13.30, 32.16, 64.41,
    ])
    # fmt: on
    order = [protein_rates.ORDER.index(letter) for letter in PROTEIN_LETTERS]
    scale = reference.ungapped_scale(blosum62_scores(), robinson[order] / robinson.sum())
    assert scale == pytest.approx(0.3176, abs=5e-5)


def test_blosum62_joint_is_implied_by_the_scores():
    joint, frequencies = substitution_model("blosum62").joint({})
    assert (joint == joint.T).all()
    assert joint.sum() == pytest.approx(1.0, abs=1e-13)
    np.testing.assert_allclose(joint.sum(axis=1), frequencies, rtol=1e-12)
    scale = reference.ungapped_scale(blosum62_scores(), frequencies)
    log_ratio = np.log(joint / np.outer(frequencies, frequencies))
    np.testing.assert_allclose(log_ratio, scale * blosum62_scores(), atol=1e-11)
    # Close to the half bit and the frequencies (to the 1e-3) that BLOSUM62 was made with.
    assert scale == pytest.approx(np.log(2) / 2, rel=0.1)
    assert frequencies[PROTEIN_LETTERS.index("L")] == pytest.approx(0.099, abs=0.015)


def test_blosum62_has_nothing_to_fit():
    model = substitution_model("blosum62")
    assert model.layout.size == model.tying().n_full == 0
    assert model.start() == {}
    assert model.pull_back({}, *counts(model)) == {}
    with pytest.raises(ValueError, match="read-only"):
        model.joint({})[0][0, 0] = 1.0
