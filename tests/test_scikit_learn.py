"""scikit-learn's own tools take every estimator of the package."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from seqbio import MarkovModel, MotifDetector, PairHMM, RecurrentModel
from seqbio.core.estimator import share_right
from seqbio.errors import ParameterError

TRUTH = {"open_x": 0.02, "open_y": 0.02, "extend_x": 0.3, "extend_y": 0.3, "end": 0.02}
PAIRS = (
    PairHMM()
    .set_parameters(TRUTH | {"distance": 0.1, "kappa": 2.0})
    .simulate(8, columns=60, seed=1)
)
_letters = np.random.default_rng(1).choice(list("ACGT"), (60, 20))
_letters[:30, 5:11] = list("TGACTC")
SEQUENCES, LABELS = ["".join(row) for row in _letters], [1] * 30 + [0] * 30

DENSITIES = {
    "pair HMM": (PairHMM(), PAIRS, {"substitution": ["jc69", "hky85"]}),
    "Markov chain": (MarkovModel(), SEQUENCES, {"order": [0, 1]}),
    "language model": (
        RecurrentModel(hidden_size=4, n_epochs=1, seed=1),
        SEQUENCES,
        {"hidden_size": [2, 4]},
    ),
}
CLASSIFIERS = {
    "motif detector": MotifDetector(n_motifs=1, width=6, n_epochs=5, validation_fraction=0, seed=1),
    "recurrent classifier": RecurrentModel(task="class", hidden_size=4, n_epochs=3, seed=1),
}
each_density = pytest.mark.parametrize(("model", "data", "grid"), DENSITIES.values(), ids=DENSITIES)
each_classifier = pytest.mark.parametrize("model", CLASSIFIERS.values(), ids=CLASSIFIERS)


def by_hand(model, items, folds):
    """Score each fold by a copy fitted to the others, without scikit-learn."""
    scores = []
    for held_out in folds:
        kept = [item for place, item in enumerate(items) if place not in held_out]
        copy = type(model)(**model.get_params()).fit(kept)
        scores.append(copy.score([items[place] for place in held_out]))
    return scores


@each_density
def test_folds_score_as_fits_by_hand_do(model, data, grid):
    folds = np.array_split(np.arange(len(data)), 2)
    np.testing.assert_allclose(cross_val_score(model, data, cv=2), by_hand(model, data, folds))
    assert not is_classifier(model)
    assert not is_regressor(model)


@each_density
def test_settings_are_searched_and_densities_stand_in_pipelines(model, data, grid):
    search = GridSearchCV(model, grid, cv=2).fit(data)
    [(name, values)] = grid.items()
    means = [cross_val_score(clone(model).set_params(**{name: v}), data, cv=2) for v in values]
    assert search.best_params_ == {name: values[int(np.argmax(np.mean(means, axis=1)))]}
    pipeline = make_pipeline(clone(model)).fit(data)
    assert pipeline.score(data) == clone(model).fit(data).score(data)
    sizes, training, held_out = learning_curve(model, data, None, cv=2, train_sizes=[0.5, 1.0])
    assert sizes.tolist() == [len(data) // 4, len(data) // 2]
    np.testing.assert_allclose(held_out[-1], cross_val_score(model, data, cv=2))
    assert np.isfinite(training).all()
    assert "estimator" in search._repr_html_()


@each_classifier
def test_folds_of_a_classifier_are_stratified(model):
    assert is_classifier(model)
    named = np.array(["without", "with"], object)[LABELS]
    for labels in (LABELS, named):
        scores = [
            cross_val_score(model, SEQUENCES, labels, cv=cv) for cv in (3, StratifiedKFold(3))
        ]
        assert np.array_equal(*scores)
        assert np.isfinite(scores).all()


@each_classifier
def test_areas_under_the_curve_are_those_of_probabilities_predicted_across_folds(model):
    scores = cross_val_score(model, SEQUENCES, LABELS, cv=2, scoring="roc_auc")
    predicted = cross_val_predict(model, SEQUENCES, LABELS, cv=2, method="predict_proba")
    np.testing.assert_allclose(predicted.sum(axis=1), 1)
    folds = [test for _, test in StratifiedKFold(2).split(SEQUENCES, LABELS)]
    expected = [roc_auc_score(np.take(LABELS, fold), predicted[fold, 1]) for fold in folds]
    np.testing.assert_allclose(scores, expected)
    search = GridSearchCV(model, {"n_epochs": [1, 3]}, cv=2, scoring="roc_auc", n_jobs=2)
    best = search.fit(SEQUENCES, LABELS)
    assert best.score(SEQUENCES, LABELS) == roc_auc_score(
        LABELS, best.predict_proba(SEQUENCES)[:, 1]
    )


@each_classifier
@pytest.mark.parametrize("n_classes", [2, 3])
def test_classifiers_are_calibrated_and_vote(model, n_classes):
    labels = np.array(["b", "a", "c"])[np.arange(60) // 20 % n_classes]
    model = clone(model)
    if isinstance(model, MotifDetector):
        model.set_params(n_motifs=2)
    calibrated = CalibratedClassifierCV(model, cv=2).fit(SEQUENCES, labels)
    assert calibrated.classes_.tolist() == sorted(set(labels))
    np.testing.assert_allclose(calibrated.predict_proba(SEQUENCES).sum(axis=1), 1)
    votes = VotingClassifier([("one", model), ("two", clone(model))], voting="soft")
    alone = clone(model).fit(SEQUENCES, labels)
    assert np.array_equal(votes.fit(SEQUENCES, labels).predict(SEQUENCES), alone.predict(SEQUENCES))


def test_log_odds_of_several_classes_have_a_column_for_each():
    labels = np.repeat(["a", "b", "c"], 20)
    detector = clone(CLASSIFIERS["motif detector"]).set_params(n_motifs=2).fit(SEQUENCES, labels)
    log_odds = detector.decision_function(SEQUENCES)
    assert log_odds.shape == (60, 3)
    assert np.array_equal(detector.classes_[log_odds.argmax(axis=1)], detector.predict(SEQUENCES))


@pytest.mark.parametrize(
    ("model", "data"),
    [
        *((model, (data,)) for model, data, _ in DENSITIES.values()),
        *((model, (SEQUENCES, LABELS)) for model in CLASSIFIERS.values()),
    ],
    ids=[*DENSITIES, *CLASSIFIERS],
)
def test_copies_and_pickles(model, data):
    copy = clone(model)
    assert repr(copy) == repr(model) == repr(pickle.loads(pickle.dumps(model)))
    with pytest.raises(sklearn.exceptions.NotFittedError):
        check_is_fitted(copy)
    fitted = copy.fit(*data)
    check_is_fitted(fitted)
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.log_likelihood(*data), fitted.log_likelihood(*data))
    assert not hasattr(clone(fitted), "full_")


def test_pairs_may_be_rows_of_an_array():
    texts = [[str(x.seq), str(y.seq)] for x, y in PAIRS]
    assert np.array_equal(
        cross_val_score(PairHMM(), np.array(texts), cv=2), cross_val_score(PairHMM(), PAIRS, cv=2)
    )


def test_a_detector_without_labels_is_scored_against_shuffles():
    scores = cross_val_score(CLASSIFIERS["motif detector"], SEQUENCES[:30], cv=2)
    assert (scores > 0.5).all()


def test_an_unknown_class_is_wrong_and_another_kind_of_label_is_refused():
    assert share_right(np.array([0, 1, 1]), [0, 1, 2]) == 2 / 3
    with pytest.raises(ParameterError, match="labels are of type"):
        share_right(np.array([0, 1]), ["0", "1"])
    classifier = clone(CLASSIFIERS["recurrent classifier"]).fit(SEQUENCES, LABELS)
    with pytest.raises(ParameterError, match="60 sequences and no labels"):
        classifier.score(SEQUENCES)
    with pytest.raises(ParameterError, match="label 1 is None; give text, or numbers, for all"):
        clone(classifier).fit(SEQUENCES, ["a", None] * 30)
    with pytest.raises(ParameterError, match=r"label\[2\] is nan"):
        clone(classifier).fit(SEQUENCES, [0.0, 1.0, np.nan] * 20)


def test_text_labels_of_pandas_or_objects_are_saved(tmp_path):
    labels = np.array(["without", "with"], object)[LABELS]
    for place, model in enumerate(CLASSIFIERS.values()):
        fitted = clone(model).fit(SEQUENCES, labels)
        fitted.save(tmp_path / f"{place}")
        loaded = type(model).load(tmp_path / f"{place}")
        assert loaded.predict(SEQUENCES).tolist() == fitted.predict(SEQUENCES).tolist()


def test_nothing_of_scikit_learn_is_imported_for_use_without_it():
    code = (
        "import sys, seqbio; seqbio.MarkovModel().fit(['ACGT']).score(['ACGT']); "
        "print(*[name for name in sys.modules if name.startswith('sklearn')])"
    )
    root = Path(__file__).resolve().parent.parent
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == []
