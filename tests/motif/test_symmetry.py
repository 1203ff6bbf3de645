"""Where motifs stand, and on which strand: readings of a detector, and tests of them."""

import json

import numpy as np
import pytest

import seqbio
from seqbio.core import fingerprint
from seqbio.errors import ParameterError
from seqbio.hypothesis_testing.sign_flips import log_flip_pvalue
from seqbio.motif import MotifDetector
from seqbio.motif.motif_model import MotifModel
from seqbio.motif.symmetry import canonical_orientation, read_places, read_strands
from seqbio.sequences import DNA
from seqbio.sequences.sequence_data import SequenceData

SITE = "TGACTCAG"


def reverse_complement(text):
    return DNA.decode(DNA.reverse_complement(DNA.encode(text)))


def planted(generator, n=60, length=30, plus=1.0, place=None, share=1.0):
    """Draw sequences with a site, on the + strand in a share of them."""
    texts = []
    for _ in range(n):
        letters = "".join(generator.choice(list("ACGT"), length))
        if generator.random() < share:
            at = generator.integers(length - len(SITE) + 1) if place is None else place
            site = SITE if generator.random() < plus else reverse_complement(SITE)
            letters = letters[:at] + site + letters[at + len(SITE) :]
        texts.append(letters)
    return texts


def detector(*ties, **settings):
    settings = {"n_motifs": 1, "width": 8, "pooling": "max", "seed": 1} | settings
    return MotifDetector(tie=ties, **settings)


def test_a_sequence_and_its_reverse_complement_have_one_canonical_form():
    texts = planted(np.random.default_rng(1), n=20)
    one = SequenceData(DNA, [DNA.encode(text) for text in texts], [0, 1] * 10)
    turned = [DNA.encode(reverse_complement(text)) for text in texts]
    other = SequenceData(DNA, turned, [0, 1] * 10)
    for left, right in zip(
        canonical_orientation(one).codes, canonical_orientation(other).codes, strict=True
    ):
        assert np.array_equal(left, right)


@pytest.mark.parametrize("pooling", ["max", "logsumexp"])
def test_what_is_read_changes_its_sign_where_a_sequence_is_turned(pooling):
    generator = np.random.default_rng(2)
    texts = planted(generator, n=30) + planted(generator, n=30, share=0.0)
    labels = [1] * 30 + [0] * 30
    turn = generator.random(60) < 0.5
    turned = [reverse_complement(t) if flip else t for t, flip in zip(texts, turn, strict=True)]
    model = detector("position", "strand", pooling=pooling, n_motifs=2)
    readings = []
    for each in (texts, turned):
        hypothesis, data = model.hypothesis((each, labels))
        readings.append(read_strands(hypothesis.model, hypothesis.tying, data, seed=3).values)
    signs = np.where(turn, -1.0, 1.0)[:, None]
    assert readings[1] == pytest.approx(signs * readings[0], abs=1e-12)
    assert (readings[0][30:] == 0).all()
    assert np.abs(readings[0][:30]).max() > 0.9


def test_sites_are_read_where_they_stand():
    generator = np.random.default_rng(4)
    places = generator.integers(0, 23, 40)
    texts = [planted(generator, n=1, place=place)[0] for place in places]
    texts += planted(generator, n=40, share=0.0)
    model = detector("position")
    hypothesis, data = model.hypothesis((texts, [1] * 40 + [0] * 40))
    values = read_places(hypothesis.model, hypothesis.tying, data, 2, seed=5).values
    assert values.shape == (80, 1, 23)
    assert (values >= 0).all()
    assert values.sum(axis=2).max() <= 1 + 1e-12
    assert (values[40:] == 0).all()
    shifts = values[:40, 0].argmax(axis=1) - places
    most_common = np.bincount(shifts + 30).argmax() - 30  # the filter may begin beside the site
    assert abs(most_common) <= 3
    assert (shifts == most_common).mean() > 0.8


def test_composition_that_differs_between_strands_is_told():
    generator = np.random.default_rng(6)
    rich = ["".join(generator.choice(list("ACGT"), 40, p=[0.1, 0.2, 0.2, 0.5])) for _ in range(150)]
    texts = [text[:12] + "TTGATTCT" + text[20:] for text in rich[:75]] + rich[75:]
    hypothesis, data = detector("position", "strand").hypothesis((texts, [1] * 75 + [0] * 75))
    [check] = read_strands(hypothesis.model, hypothesis.tying, data, seed=1).checks
    assert check.code == "strand_composition"
    even = planted(generator, n=75) + planted(generator, n=75, share=0.0)
    hypothesis, data = detector("position", "strand").hypothesis((even, [1] * 75 + [0] * 75))
    assert read_strands(hypothesis.model, hypothesis.tying, data, seed=1).checks == ()


@pytest.mark.parametrize(("plus", "rejected"), [(1.0, True), (0.5, False)])
def test_the_strand_is_tested_by_turning(plus, rejected):
    texts = planted(np.random.default_rng(7), n=80, plus=plus)
    result = seqbio.compare(
        detector("position", "strand"), detector("position"), (texts, None), seed=1
    )
    assert result.calibration == "turn"
    assert (result.pvalue < 1e-4) == rejected
    assert "reverse complements" in result.null_law


@pytest.mark.parametrize(("place", "rejected"), [(9, True), (None, False)])
def test_the_place_is_tested_by_rotating(place, rejected):
    texts = planted(np.random.default_rng(8), n=80, place=place)
    tied = detector("position", strands="one")
    result = seqbio.compare(tied, detector(strands="one"), (texts, None), seed=1)
    assert result.calibration == "rotate"
    assert (result.pvalue == 1e-4) == rejected
    if rejected:
        assert abs(result.evidence.rotations.place - 9) <= 3
        assert result.evidence.to_dict()["n_rotations"] == 9999
    else:
        assert result.pvalue > 0.05


@pytest.mark.parametrize(
    ("ties", "strands"),
    [((("position", "strand"), ("position",)), "both"), ((("position",), ()), "one")],
)
def test_neither_hypothesis_is_fitted_where_what_was_learned_is_asked(ties, strands, monkeypatch):
    def maximise(*_, **__):
        raise AssertionError("fitted")

    monkeypatch.setattr(MotifModel, "maximise", maximise)
    texts = planted(np.random.default_rng(7), n=100, place=5)
    null, alternative = (detector(*names, strands=strands) for names in ties)
    result = seqbio.compare(null, alternative, (texts, None), seed=1)
    assert result.pvalue < 0.001
    assert not result.alternative_fit.is_made
    data = null.hypothesis((texts, None))[1]
    assert result.null_fit.data_fingerprint == fingerprint(data)
    value = result.null_fit.model.log_likelihood(result.null_fit.full, data).sum()
    assert result.null_fit.log_likelihood == pytest.approx(value)
    content = json.loads(result.to_json())
    assert content["statistic"] is None
    assert content["alternative"]["log_likelihood"] is None
    assert "not fitted" in str(result)
    assert "likelihood ratio  " not in str(result)
    assert "nan" not in str(result)


def test_hypotheses_are_fitted_where_too_few_items_say_something():
    texts = planted(np.random.default_rng(3), n=4)
    null, alternative = detector("position", "strand"), detector("position")
    result = seqbio.compare(null, alternative, (texts, None), calibration="turn", seed=1)
    assert result.pvalue is None
    assert result.null_fit.is_made
    assert result.alternative_fit.is_made
    assert result.statistic >= 0


def test_other_questions_are_not_for_these_tests():
    texts = planted(np.random.default_rng(9), n=20)
    both = detector("position", "strand"), detector()
    hypotheses = [each.hypothesis((texts, None)) for each in both]
    data = hypotheses[0][1]
    tyings = [hypothesis.tying for hypothesis, _ in hypotheses]
    model = hypotheses[1][0].model
    assert model.learned_symmetry(*tyings, data) is None  # two ties at once
    strand = detector("strand").hypothesis((texts, None))[0].tying
    assert model.learned_symmetry(strand, tyings[1], data) is None  # turning moves sites, too
    summed = MotifDetector(1, 1, "sum", ("position",), strands="one")
    untied = MotifDetector(1, 1, "sum", (), strands="one")
    result = seqbio.compare(summed, untied, (texts, [0, 1] * 10), calibration="rotate", seed=1)
    assert result.pvalue is None
    assert "finds something in every item" in result.null_law
    with pytest.raises(ParameterError, match="turn"):
        seqbio.compare(summed, untied, (texts, [0, 1] * 10), calibration="turned")


@pytest.mark.slow
def test_true_nulls_of_the_strand_are_rejected_as_often_as_they_should_be():
    pvalues = []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        texts = planted(generator, n=60, plus=0.5, share=0.7)
        hypothesis, data = detector("position", "strand").hypothesis((texts, None))
        reading = read_strands(hypothesis.model, hypothesis.tying, data, seed=seed).values[:, 0]
        pvalues.append(np.exp(log_flip_pvalue(reading)))
    rejected = [int(np.sum(np.array(pvalues) <= level)) for level in (0.1, 0.05, 0.01)]
    limits = (10, 32), (3, 19), (0, 6)  # of 99 %
    for count, (low, high) in zip(rejected, limits, strict=True):
        assert low <= count <= high
