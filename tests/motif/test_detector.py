"""The estimator: settings, learning, motifs, keeping, and refusals that say what to do."""

from __future__ import annotations

import json

import numpy as np
import pytest

import seqbio
from seqbio.core import untied
from seqbio.errors import (
    AlphabetError,
    ModelFileError,
    NotFittedError,
    ParameterError,
    SequenceFormatError,
    TyingError,
)
from seqbio.motif import MotifDetector
from seqbio.sequences import DNA

SITE = "TGACTCAT"


def implanted(n=80, length=40, place=None, both_strands=True, seed=0):
    """Half of the sequences hold the site, at a random place or at one place."""
    generator = np.random.default_rng(seed)
    letters = generator.choice(list("ACGT"), (n, length))
    labels = np.arange(n) % 2
    for row, label in zip(letters, labels, strict=True):
        if label:
            at = generator.integers(length - len(SITE) + 1) if place is None else place
            site = SITE
            if both_strands and generator.random() < 0.5:
                site = DNA.decode(DNA.reverse_complement(DNA.encode(SITE)))
            row[at : at + len(SITE)] = list(site)
    return ["".join(row) for row in letters], labels


def quick(**settings):
    return MotifDetector(
        **{"n_motifs": 2, "width": 8, "n_epochs": 40, "validation_fraction": 0.0, "seed": 1}
        | settings
    )


@pytest.mark.parametrize("pooling", ["max", "logsumexp"])
def test_an_implanted_motif_is_found_on_both_strands(pooling):
    sequences, labels = implanted()
    detector = quick(pooling=pooling).fit(sequences, labels)
    others, truth = implanted(seed=1)
    assert detector.score(others, truth) > 0.9
    # The filter may hold the site a letter or two out of step.
    cores = {site[i : i + 6] for site in (SITE, "ATGAGTCA") for i in range(3)}
    for method in ("windows", "filter"):
        motif = detector.motifs(method)[int(detector.readout_[0].argmax())]
        assert any(core in str(motif.consensus) for core in cores)


def test_a_fixed_motif_needs_filters_for_each_place():
    # The site is in all sequences, and its place is what tells them apart.
    generator = np.random.default_rng(2)
    letters = generator.choice(list("ACGT"), (400, 20))
    labels = np.arange(400) % 2
    for row, label in zip(letters, labels, strict=True):
        at = 3 if label else 11
        row[at : at + 6] = list("TTGACA")
        row[generator.integers(20, size=6)] = generator.choice(list("ACGT"), 6)
    sequences = ["".join(row) for row in letters]
    accuracy = {}
    for tie in ((), ("position",)):
        detector = quick(n_motifs=1, width=6, tie=tie, strands="one", pooling="max")
        detector.fit(sequences[:300], labels[:300])
        accuracy[tie] = detector.score(sequences[300:], labels[300:])
    assert accuracy[()] > 0.95
    assert accuracy["position",] < 0.7


def test_several_classes_and_labels_of_any_type():
    generator = np.random.default_rng(3)
    letters = generator.choice(list("ACGT"), (120, 20))
    labels = np.array(["none", "one", "two"])[np.arange(120) % 3]
    for row, label in zip(letters, labels, strict=True):
        row[5:11] = {"none": row[5:11], "one": list("TTGACA"), "two": list("GCGCGC")}[label]
    sequences = ["".join(row) for row in letters]
    detector = quick(width=6, n_motifs=3, strands="one", tie=("position",)).fit(sequences, labels)
    assert detector.classes_.tolist() == ["none", "one", "two"]
    assert detector.predict_proba(sequences).shape == (120, 3)
    np.testing.assert_allclose(detector.predict_proba(sequences).sum(axis=1), 1)
    assert detector.score(sequences, labels) > 0.9
    log_odds = detector.decision_function(sequences)
    np.testing.assert_array_equal(log_odds[:, 0], 0)
    likelier = np.exp(log_odds) / np.exp(log_odds).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(likelier, detector.predict_proba(sequences))
    assert detector.readout_.shape == (2, 3)


def test_same_seed_same_result_and_starts_compete():
    sequences, labels = implanted(n=40)
    one, other = (quick(n_starts=2, n_epochs=5).fit(sequences, labels) for _ in range(2))
    np.testing.assert_array_equal(one.full_, other.full_)
    assert one.log_likelihood_ == other.log_likelihood_
    assert len(one.history_) == 5


@pytest.mark.slow
def test_the_number_of_processes_does_not_matter():
    sequences, labels = implanted(n=40)
    one, other = (
        quick(n_starts=3, n_epochs=5, workers=workers).fit(sequences, labels) for workers in (1, 2)
    )
    np.testing.assert_array_equal(one.full_, other.full_)


def test_negatives_are_shuffles_where_there_are_no_labels():
    sequences, labels = implanted(n=80)
    positive = [s for s, label in zip(sequences, labels, strict=True) if label]
    detector = quick(validation_fraction=0.2).fit(positive)
    assert detector.classes_.tolist() == [0, 1]
    others, truth = implanted(seed=4)
    assert detector.score(others, truth) > 0.75
    assert all(np.isfinite(record.validation_loss) for record in detector.history_)


def test_shapes_of_what_was_learned():
    sequences, labels = implanted(n=20, length=12)
    shapes = {
        ("position", "strand"): (2, 4, 8),
        ("position",): (4, 4, 8),
        ("strand",): (5, 2, 4, 8),
        (): (5, 4, 4, 8),
    }
    for tie, shape in shapes.items():
        detector = quick(tie=tie, n_epochs=1).fit(sequences, labels)
        assert detector.weights_.shape == shape
        assert detector.bias_.shape == (*shape[:-3], shape[-3])
        assert detector.readout_.shape == (1, 2)
        assert detector.intercept_.shape == (1,)
    assert quick(tie=("position",), n_epochs=1).fit(sequences, labels).motifs_[0].name == "motif1+"
    detector = quick(pooling="none", n_epochs=1).fit(sequences, labels)
    assert detector.readout_.shape == (5, 1, 2)


def test_log_likelihood_is_that_of_the_probabilities():
    sequences, labels = implanted(n=20)
    detector = quick(n_epochs=2).fit(sequences, labels)
    probability = detector.predict_proba(sequences)[np.arange(20), labels]
    np.testing.assert_allclose(
        detector.log_likelihood(sequences, labels), np.log(probability), rtol=1e-6
    )
    assert detector.log_likelihood_ == pytest.approx(np.log(probability).sum(), rel=1e-6)


@pytest.mark.parametrize(
    "settings", [{}, {"pooling": "sum", "n_motifs": 1, "tie": ()}, {"pooling": "none"}]
)
def test_saved_and_loaded_is_the_same(tmp_path, settings):
    sequences, labels = implanted(n=20, length=12)
    detector = quick(n_epochs=2, **settings).fit(sequences, labels)
    detector.save(tmp_path / "detector.json")
    loaded = MotifDetector.load(tmp_path / "detector.json")
    np.testing.assert_array_equal(loaded.full_, detector.full_)
    np.testing.assert_array_equal(
        loaded.predict_proba(sequences), detector.predict_proba(sequences)
    )
    assert loaded.get_params() == detector.get_params()
    if not settings:
        assert loaded.motifs_[0].counts == detector.motifs_[0].counts


def test_files_that_are_no_detector_are_refused(tmp_path):
    sequences, labels = implanted(n=20, length=12)
    file = tmp_path / "detector.json"
    quick(n_epochs=2).fit(sequences, labels).save(file)
    kept = json.loads(file.read_text())

    def refusal(content):
        file.write_bytes(content)
        with pytest.raises(ModelFileError) as caught:
            MotifDetector.load(file)
        assert str(caught.value).startswith(str(file))
        return str(caught.value)

    whole = file.read_bytes()
    for content in (b"", b"[]", b"3", b"\x80\x03", whole[:-20], whole[: len(whole) // 2]):
        assert "is not a saved motif detector" in refusal(content)
    for changed, message in (
        ({"format": "something"}, "says it is 'something'"),
        ({"parameters": [*kept["parameters"][:-1], float("nan")]}, "of the parameters is nan"),
        ({"parameters": [float("inf"), *kept["parameters"][1:]]}, "1 of the parameters is inf"),
        ({"parameters": kept["parameters"][1:]}, "and its model"),
        ({"background": [0.5, 0.5, float("nan"), 0.0]}, "number 3 of the background is nan"),
        ({"background": [0.5, 0.5, 0.5, 0.5]}, "add up to 1"),
        ({"counts": [[[float("nan")]]]}, "number 1 of the counts is nan"),
        ({"settings": 3}, "is not a saved motif detector"),
        ({"settings": kept["settings"] | {"width": "8"}}, "width is '8'; give an integer"),
        ({"parameters": [1.0, *kept["parameters"][1:]]}, "its own ties make them equal"),
        ({"classes": [0, 2]}, "damaged or changed after it was saved"),
    ):
        assert message in refusal(json.dumps(kept | changed).encode())


def test_hypotheses_are_about_one_model_and_compare_says_what_holds():
    generator = np.random.default_rng(5)
    sequences = ["".join(row) for row in generator.choice(list("ACGT"), (800, 16))]
    data = (sequences, generator.integers(0, 2, 800))
    null, alternative = (
        MotifDetector(n_motifs=1, width=4, pooling="sum", tie=tie)
        for tie in (("position", "strand"), ("position",))
    )
    result = seqbio.compare(null, alternative, data)
    # Three letters in four columns and the intercept, against the pairs of a filter and its
    # reverse complement: 16 / 2 weights, less a constant for two pairs of columns.
    assert result.df == (3 * 4 + 1) - (8 - 2 + 1)
    hypothesis, _ = MotifDetector(pooling="max", width=4).hypothesis(data)
    assert not hypothesis.model.regular


def test_callbacks_see_every_epoch_and_can_stop():
    sequences, labels = implanted(n=20)
    seen = []
    detector = quick().fit(
        sequences, labels, callbacks=[lambda state: seen.append(state.epoch) or state.epoch == 3]
    )
    assert seen == [1, 2, 3]
    assert len(detector.history_) == 3


refusals = [
    ({"tie": ("strnd",)}, TyingError, "no tie 'strnd'.*'position'"),
    ({"tie": "strand"}, TyingError, "give a tuple"),
    ({"alphabet": "protein"}, TyingError, "protein alphabet has none"),
    ({"strands": "one"}, TyingError, "needs both strands"),
    ({"tie": ("position", "readout")}, TyingError, "needs --pooling none"),
    ({"pooling": "mean"}, ParameterError, "choose one of max"),
    ({"pooling": "sum"}, ParameterError, "one for each class but the first, 1 here"),
    ({"n_motifs": 0}, ParameterError, "n_motifs is 0"),
    ({"validation_fraction": 1.0}, ParameterError, "validation_fraction is 1.0"),
    ({"width": 50}, SequenceFormatError, "index 0 .* 40 letters, fewer than the width of 50"),
    ({"tie": untied(3)}, TyingError, "3 full parameters"),
]


@pytest.mark.parametrize(("settings", "error", "message"), refusals)
def test_refusals(settings, error, message):
    sequences, labels = implanted(n=20)
    with pytest.raises(error, match=message):
        quick(**settings).fit(sequences, labels)


def test_refusals_of_data():
    sequences, labels = implanted(n=20)
    with pytest.raises(NotFittedError):
        quick().predict(sequences)
    with pytest.raises(ParameterError, match="one label for each"):
        quick().fit(sequences, labels[:-1])
    with pytest.raises(ParameterError, match="all labels are"):
        quick().fit(sequences, np.ones(20))
    with pytest.raises(ParameterError, match="index 3 has 39 letters and the first has 40"):
        quick(tie=()).fit([*sequences[:3], sequences[3][1:], *sequences[4:]], labels)
    with pytest.raises(AlphabetError, match="index 0"):
        quick().fit(["ACGU" * 10] * 2, [0, 1])
    detector = quick(tie=(), n_epochs=1).fit(sequences, labels)
    with pytest.raises(ParameterError, match="positions of sequences of 40"):
        detector.predict([sequences[0][:-1]])
    with pytest.raises(ParameterError, match="untied over position"):
        _ = detector.motifs_
    with pytest.raises(ParameterError, match="label 0 is 2; the classes are 0, 1"):
        detector.log_likelihood(sequences, np.full(20, 2))


def test_a_test_of_position_needs_one_length():
    null, alternative = (MotifDetector(1, 3, "sum", tie=ties) for ties in (("position",), ()))
    data = ["ACGTACGT", "ACGTACGTA"], [0, 1]
    with pytest.raises(ParameterError, match="index 1 has 9 letters and the first has 8"):
        seqbio.compare(null, alternative, data)
