"""Parts of data, scores of single items, items that belong together, fits made elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from seqbio.core import (
    as_labels,
    can_subset,
    clusters_of,
    equal,
    fit,
    fit_at,
    maximise,
    scores_of,
    subset_of,
    untied,
)
from seqbio.errors import ParameterError
from tests.core.models import Binomial, Gaussian

DATA = np.array([[1.0, 2.0], [0.0, 4.0], [1.0, 2.0], [3.0, 3.0]])


class WithSubset:
    def __init__(self, values):
        self.values = list(values)

    def subset(self, indices):
        return WithSubset([self.values[i] for i in indices])


def test_subset_comes_from_the_model_then_the_data_then_an_array():
    class Reversing:
        def subset(self, data, indices):
            return "of the model"

    assert subset_of(Reversing(), DATA, [1]) == "of the model"
    assert subset_of(Gaussian([1, 1]), WithSubset("abc"), [2, 2]).values == ["c", "c"]
    np.testing.assert_array_equal(subset_of(Gaussian([1, 1]), DATA, [3, 0]), DATA[[3, 0]])


def test_data_without_items_are_refused():
    data = np.array([1, 2]), np.array([3, 4])
    assert not can_subset(Binomial(2), data)
    with pytest.raises(ParameterError, match="add a method subset"):
        subset_of(Binomial(2), data, [0])
    with pytest.raises(ParameterError, match="list of integers"):
        subset_of(Gaussian([1]), DATA, [0.5])


def test_equal_items_belong_together():
    np.testing.assert_array_equal(clusters_of(Gaussian([1, 1]), DATA, 4), [0, 1, 0, 2])


def test_labels_must_be_one_for_each_item():
    with pytest.raises(ParameterError, match="one label for each of the 3 items"):
        as_labels(["a", "b"], 3)


@pytest.mark.parametrize("tying", [untied(2), equal(2, [0, 1])])
def test_scores_sum_to_the_gradient(tying):
    model = Gaussian([1.0, 2.0])
    full = tying.expand(np.arange(1.0, 1.0 + tying.n_free))
    scores = scores_of(model, tying, full, DATA)
    gradient = tying.pull_back(model.log_likelihood_and_gradient(full, DATA)[1])
    assert scores.shape == (4, tying.n_free)
    np.testing.assert_allclose(scores.sum(axis=0), gradient, rtol=1e-7)


def test_scores_of_the_model_come_first_and_are_zero_at_the_boundary():
    class WithScores(Gaussian):
        def scores(self, full, data):
            return data - full

    full = np.array([-np.inf, 1.0])
    scores = scores_of(WithScores([1, 1]), untied(2), full, DATA)
    np.testing.assert_array_equal(scores, np.column_stack([np.zeros(4), DATA[:, 1] - 1]))


def test_a_model_is_fitted_in_its_own_way_if_it_has_one():
    class Trained(Gaussian):
        def maximise(self, tying, data, *, start, n_starts, seed):
            full = tying.expand(tying.project(data.mean(axis=0)))
            return fit_at(self, tying, data, full, converged=True, message="in closed form")

    own = maximise(Trained([1, 1]), untied(2), DATA)
    usual = maximise(Gaussian([1, 1]), untied(2), DATA)
    assert own.message == "in closed form"
    assert own.log_likelihood == pytest.approx(usual.log_likelihood, abs=1e-6)
    assert usual.full == pytest.approx(fit(Gaussian([1, 1]), untied(2), DATA).full)


def test_a_fit_made_elsewhere_must_obey_its_tying():
    with pytest.raises(ParameterError, match="do not obey the tying"):
        fit_at(
            Gaussian([1, 1]), equal(2, [0, 1]), DATA, [1.0, 2.0], converged=True, message="said so"
        )
