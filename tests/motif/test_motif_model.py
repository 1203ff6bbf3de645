"""The model against plain loops, its gradients, ties and tests."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import seqbio
from seqbio.core import Hypothesis, check_gradient, identifiable_rank, maximise
from seqbio.errors import ParameterError
from seqbio.motif import windows
from seqbio.motif.motif_model import MotifModel
from seqbio.sequences import DNA, PROTEIN
from seqbio.sequences.sequence_data import SequenceData
from tests.reference import motif as reference

WIDTH, LENGTH = 3, 8
POOLINGS = ("max", "logsumexp", "sum", "none")


def random_data(n_items=9, n_classes=2, ragged=False, seed=0, length=LENGTH, alphabet=DNA):
    generator = np.random.default_rng(seed)
    size = alphabet.size
    sequences = [
        generator.integers(0, size, length + (i % 3) * ragged).astype(np.uint8)
        for i in range(n_items)
    ]
    sequences[0][2] = size + 1  # an ambiguity code
    return SequenceData(alphabet, sequences, np.arange(n_items) % n_classes)


def model(pooling, n_classes=2, n_places=1, n_strands=1, alphabet=DNA, unit=False):
    n_motifs = n_classes - 1 if pooling == "sum" or unit else 2
    n_readouts = LENGTH - WIDTH + 1 if pooling == "none" else int(not unit)
    return MotifModel(
        alphabet, n_classes, n_motifs, WIDTH, pooling, n_places, n_strands, n_readouts
    )


cases = [
    (pooling, n_classes, n_places, n_strands, ragged)
    for pooling, n_classes, n_places, n_strands, ragged in itertools.product(
        POOLINGS, (2, 3), (1, LENGTH - WIDTH + 1), (1, 2), (False, True)
    )
    if not (ragged and (n_places > 1 or pooling == "none"))
]


@pytest.mark.parametrize(("pooling", "n_classes", "n_places", "n_strands", "ragged"), cases)
def test_likelihood_and_gradient(pooling, n_classes, n_places, n_strands, ragged):
    data = random_data(n_classes=n_classes, ragged=ragged)
    detector = model(pooling, n_classes, n_places, n_strands)
    full = np.random.default_rng(1).normal(size=detector.layout.size)
    blocks = detector.layout.unflatten(full)
    expected = [
        reference.log_likelihood(blocks, DNA.membership[codes], label, pooling)
        for codes, label in zip(data.codes, data.labels, strict=True)
    ]
    np.testing.assert_allclose(
        detector.log_likelihood(full, data), expected, rtol=1e-10, atol=1e-12
    )
    step = 1e-4 if pooling == "max" else 1e-3
    assert check_gradient(detector, full, data, step=step, seed=0, n_directions=6).passed


@pytest.mark.parametrize("pooling", ["max", "logsumexp"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_unit_readout_is_a_readout_of_one_for_each_class(pooling, n_classes):
    data = random_data(n_classes=n_classes)
    plain = model(pooling, n_classes, n_strands=2, unit=True)
    full = np.random.default_rng(1).normal(size=plain.layout.size)
    blocks = plain.layout.unflatten(full)
    weighed = MotifModel(DNA, n_classes, n_classes - 1, WIDTH, pooling, n_strands=2)
    same = weighed.layout.flatten(blocks | {"readout": np.eye(n_classes - 1)[None]})
    np.testing.assert_allclose(plain.logits(full, data), weighed.logits(same, data), atol=1e-12)
    assert check_gradient(plain, full, data, step=1e-4, seed=0, n_directions=6).passed
    assert not plain.regular
    assert "many optima" in plain.irregular_reason


@pytest.mark.parametrize("pooling", POOLINGS)
def test_one_place_is_the_model_with_tied_places(pooling):
    data = random_data()
    short, long = model(pooling, n_strands=2), model(pooling, n_places=6, n_strands=2)
    free = np.random.default_rng(2).normal(size=short.layout.size)
    tying = long.tying(("position",))
    assert tying.n_free == short.layout.size
    value, gradient = short.log_likelihood_and_gradient(free, data)
    # Free parameters of the tying are the first copies, in the order of the layout.
    again, slope = long.log_likelihood_and_gradient(tying.expand(free), data)
    assert value == pytest.approx(again, rel=1e-12)
    np.testing.assert_allclose(tying.pull_back(slope), gradient, atol=1e-10)


@pytest.mark.parametrize("pooling", ["max", "logsumexp", "sum"])
def test_tied_strands_do_not_know_the_strand(pooling):
    data = random_data(ragged=True)
    turned = SequenceData(DNA, [DNA.reverse_complement(codes) for codes in data.codes], data.labels)
    detector = model(pooling, n_strands=2)
    tying = detector.tying(("strand",))
    full = tying.expand(np.random.default_rng(3).normal(size=tying.n_free))
    np.testing.assert_allclose(
        detector.logits(full, turned), detector.logits(full, data), rtol=0, atol=1e-12
    )
    free = np.random.default_rng(3).normal(size=detector.layout.size)
    assert not np.allclose(detector.logits(free, turned), detector.logits(free, data))


def test_the_same_readout_everywhere_is_a_sum():
    data = random_data()
    apart, summed = model("none", n_strands=2), model("sum", n_strands=2)
    tying = apart.tying(("readout",))
    full = tying.expand(np.random.default_rng(4).normal(size=tying.n_free))
    blocks = apart.layout.unflatten(full)
    readout = blocks["readout"][0, 0]  # of the two motifs
    together = {
        "weights": np.einsum("psmcj,m->pscj", blocks["weights"], readout)[:, :, None],
        "bias": (blocks["bias"] @ readout)[:, :, None],
        "intercept": blocks["intercept"],
    }
    np.testing.assert_allclose(
        summed.logits(summed.layout.flatten(together), data), apart.logits(full, data), atol=1e-12
    )


@pytest.mark.parametrize(
    ("names", "rank"),
    # Place by place, the linear predictor knows three of four letters: 3 * 8 + 1. Tied over
    # position it knows three of four weights in each of the 3 columns: 3 * 3 + 1. Tied over
    # strands too, the 12 weights of a filter are 6 pairs, less one constant for the outer columns
    # and one for the middle one: 6 - 2 + 1.
    [((), 25), (("position",), 10), (("position", "strand"), 5)],
)
def test_rank_with_sum_pooling(names, rank):
    data = random_data(n_items=400, seed=5)
    detector = model("sum", n_places=6, n_strands=1 if not names else 2)
    assert identifiable_rank(detector, detector.tying(names), data, seed=0) == rank


def test_design_by_column_and_by_place_agree():
    data = random_data()
    by_column, by_place = windows.design(data, WIDTH, False), windows.design(data, WIDTH, True)
    places = by_place[:, :-1].reshape(len(data), LENGTH, 4)
    for column in range(WIDTH):
        np.testing.assert_allclose(
            by_column[:, 4 * column : 4 * column + 4], places[:, column : column + 6].sum(axis=1)
        )


def test_labels_are_drawn_with_their_probabilities():
    data = random_data(n_items=3, n_classes=3)
    detector = model("max", n_classes=3)
    full = np.random.default_rng(6).normal(size=detector.layout.size)
    generator = np.random.default_rng(7)
    labels = np.stack([detector.simulate(full, data, generator).labels for _ in range(2000)])
    shares = np.stack([(labels == k).mean(axis=0) for k in range(3)], axis=1)
    np.testing.assert_allclose(
        shares, np.exp(detector.log_probabilities(full, data)), atol=5 * 0.5 / np.sqrt(2000)
    )


def test_tests_are_refused_or_flagged_where_they_do_not_hold():
    data = random_data(n_items=40)
    detector = model("sum", n_places=6)
    full = np.zeros(detector.layout.size)
    codes = {
        check.code: check.severity for check in detector.checks(full, data, detector.tying(()))
    }
    assert codes["many_parameters"] == "invalid"
    assert codes["centred_windows"] == "note"
    full = np.full(detector.layout.size, 100.0)
    assert "separation" in {
        check.code for check in detector.checks(full, data, detector.tying(("position",)))
    }
    assert not model("max").regular
    assert "max pooling" in model("max").irregular_reason


@pytest.mark.parametrize("tied", ["position", "strand"])
def test_compare_with_sum_pooling(tied):
    data = random_data(n_items=3000, seed=8, length=16)
    generator = np.random.default_rng(9)
    data = data.with_labels(generator.integers(0, 2, len(data)))
    detector = model("sum", n_places=14, n_strands=2)
    null = ("position", "strand") if tied == "strand" else ("position",)
    alternative = ("position",) if tied == "strand" else ()
    result = seqbio.compare(
        Hypothesis(detector, detector.tying(null)),
        Hypothesis(detector, detector.tying(alternative)),
        data,
    )
    assert result.converged
    assert result.df == (5 if tied == "strand" else 3 * 16 + 1 - 10)
    assert 0 < result.pvalue <= 1


def test_proteins_have_one_strand():
    data = random_data(alphabet=PROTEIN)
    detector = model("max", alphabet=PROTEIN)
    assert detector.layout.shapes["weights"] == (1, 1, 2, 20, WIDTH)
    full = np.random.default_rng(1).normal(size=detector.layout.size)
    blocks = detector.layout.unflatten(full)
    expected = reference.log_likelihood(
        blocks, PROTEIN.membership[data.codes[0]], data.labels[0], "max"
    )
    assert detector.log_likelihood(full, data)[0] == pytest.approx(expected)


def test_too_many_parameters_are_fitted_to_predict_and_do_not_count_as_converged():
    data = random_data(n_items=60, seed=3)
    detector = model("sum", n_places=6)
    narrow, wide = (
        maximise(detector, detector.tying(ties), data, seed=0) for ties in (("position",), ())
    )
    assert narrow.converged
    assert not wide.converged
    assert "predicts a fifth of the sequences best" in wide.message
    assert np.abs(detector.logits(wide.full, data)).max() < 10  # the maximum is far out
    again = maximise(detector, detector.tying(()), data, seed=0)
    np.testing.assert_array_equal(again.full, wide.full)


def test_networks_climb_from_several_windows():
    data = random_data(n_items=400, seed=4, length=12)
    detector = model("logsumexp", unit=True, n_strands=2)
    found = maximise(detector, detector.tying(("strand",)), data, n_starts=3, seed=0)
    assert len(found.optima) == len(found.optima_converged) == 3
    assert found.optima[0] == found.log_likelihood == max(found.optima)


@pytest.mark.parametrize("pooling", ["max", "logsumexp"])
def test_filters_tied_over_position_are_fitted_as_one(pooling):
    data = random_data(n_items=20)
    detector = model(pooling, n_places=LENGTH - WIDTH + 1, n_strands=2)
    for ties in (("position", "strand"), ("position",)):
        tying = detector.tying(ties)
        small, shared, kept = detector._at_one_place(tying)
        assert small.n_places == 1
        free = np.random.default_rng(2).normal(size=tying.n_free)
        full = tying.expand(free)
        np.testing.assert_array_equal(full[kept], shared.expand(free))
        value, gradient = detector.log_likelihood_and_gradient(full, data)
        same, pulled = small.log_likelihood_and_gradient(full[kept], data)
        assert same == pytest.approx(value, rel=1e-12)
        np.testing.assert_allclose(
            shared.pull_back(pulled), tying.pull_back(gradient), rtol=1e-9, atol=1e-10
        )
    for ties in (("strand",), ()):
        assert detector._at_one_place(detector.tying(ties))[0] is detector


def implanted(n_items, length, generator):
    """Half of the sequences hold TGACTCA somewhere, with a letter in six at random."""
    letters = generator.integers(0, 4, (n_items, length))
    labels = np.arange(n_items) % 2
    for item in np.flatnonzero(labels):
        at = int(generator.integers(length - 6))
        letters[item, at : at + 7] = DNA.encode("TGACTCA")
    noise = generator.random(letters.shape) < 1 / 6
    letters[noise] = generator.integers(0, 4, int(noise.sum()))
    return SequenceData(DNA, list(letters.astype(np.uint8)), labels)


def test_what_is_learned_predicts_better_than_the_maximum():
    data = implanted(600, 24, np.random.default_rng(5))
    learning, testing = data.subset(range(200)), data.subset(range(200, 600))
    detector = MotifModel(DNA, 2, 1, 7, "logsumexp", n_places=18, n_strands=2, n_readouts=0)
    tying = detector.tying(("position",))
    learned = detector.learn(tying, learning, seed=1)
    highest = maximise(detector, tying, learning, start=learned.full, seed=1)
    assert tying.contains(learned.full)
    assert not learned.converged
    assert highest.log_likelihood > learned.log_likelihood
    held_out = [detector.log_likelihood(each.full, testing).sum() for each in (learned, highest)]
    assert held_out[0] > held_out[1] + 1
    again = detector.learn(tying, learning, seed=1)
    np.testing.assert_array_equal(again.full, learned.full)


def test_of_many_windows_a_telling_one_is_begun_with():
    data = implanted(400, 30, np.random.default_rng(6))
    detector = MotifModel(DNA, 2, 1, 7, "max")
    start = detector.motif_start(data, np.random.default_rng(0), 200)
    consensus = detector.layout.unflatten(start)["weights"][0, 0, 0].argmax(axis=0)
    shifted = "NNNTGACTCANNN"
    word = DNA.decode(consensus.astype(np.uint8))
    agreeing = [sum(a == b for a, b in zip(word, shifted[at:], strict=False)) for at in range(7)]
    assert max(agreeing) >= 4  # a random word agrees in 4 of some places in 2 of 100 cases


def test_filters_beyond_memory_are_refused_before_there_are_any(monkeypatch):
    monkeypatch.setattr("seqbio.core.memory._memory", lambda: 10**6)
    with pytest.raises(ParameterError, match=r"parameters.*cut the sequences shorter"):
        MotifModel(DNA, 2, 3, 10, "max", n_places=50)
    with pytest.raises(ParameterError, match="fewer or narrower motifs"):
        MotifModel(DNA, 2, 30, 100, "max")
