"""Former names work for one release, and say so at the caller's line."""

from __future__ import annotations

import json
import warnings

import pytest

from seqbio import MarkovModel, MotifDetector, RecurrentModel
from seqbio.errors import NotFittedError, ParameterError

SEQUENCES = ["ACGTACGT", "ACGGACGT", "AGGTACTT", "TTGTACGA"]


def told(name, new):
    return pytest.warns(DeprecationWarning, match=f"^{name} is called {new} now")


def test_settings_are_taken_by_their_former_names():
    with told("validation", "validation_fraction") as seen:
        detector = MotifDetector(validation=0.25)
    assert seen[0].filename == __file__
    assert detector.validation_fraction == 0.25
    assert repr(detector) == "MotifDetector(validation_fraction=0.25)"
    with told("n_jobs", "workers") as seen:
        detector.set_params(n_jobs=2)
    assert seen[0].filename == __file__
    assert detector.get_params()["workers"] == 2
    with told("validation", "validation_fraction"):
        assert detector.validation == 0.25
    assert "validation" not in detector.get_params()


def test_both_names_at_once_are_refused():
    with (
        told("validation", "validation_fraction"),
        pytest.raises(ParameterError, match="validation is validation_fraction; give it once"),
    ):
        MotifDetector(validation=0.1, validation_fraction=0.2)


def test_sample_does_what_simulate_does():
    chain = MarkovModel().fit(SEQUENCES)
    network = RecurrentModel(hidden_size=2, n_epochs=1, seed=1).fit(SEQUENCES)
    for model in (chain, network):
        with told("sample", "simulate") as seen:
            former = model.sample(3, length=5, seed=1)
        assert seen[0].filename == __file__
        drawn = model.simulate(3, length=5, seed=1)
        assert [str(r.seq) for r in former] == [str(r.seq) for r in drawn]


def test_names_of_today_warn_of_nothing_and_missing_ones_fail_as_before():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector = MotifDetector(validation_fraction=0.1, workers=1).set_params(workers=2)
    with pytest.raises(NotFittedError, match="has not learned yet"):
        _ = detector.weights_
    with pytest.raises(AttributeError, match="no attribute 'weights'"):
        _ = detector.weights


def test_files_with_former_names_are_read(tmp_path):
    file = tmp_path / "detector.json"
    settings = {"n_motifs": 1, "width": 4, "n_epochs": 1, "validation_fraction": 0, "seed": 1}
    MotifDetector(**settings).fit(SEQUENCES, [0, 1, 0, 1]).save(file)
    content = json.loads(file.read_text())
    del content["checksum"]  # which files of that time had none of
    text = json.dumps(content).replace("validation_fraction", "validation")
    file.write_text(text.replace('"workers"', '"n_jobs"'))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert MotifDetector.load(file).validation_fraction == 0
