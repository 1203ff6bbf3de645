"""A model with a copy of its parameters for each group, against the groups one by one."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.core import (
    Check,
    Effect,
    Fit,
    GroupedData,
    GroupedModel,
    Layout,
    Tying,
    can_simulate,
    check_gradient,
    checks_of,
    clusters_of,
    curvature_of,
    declares_clusters,
    dependence_of,
    equal,
    event_totals_of,
    fingerprint,
    fit,
    identifiable_rank,
    identified_of,
    is_regular,
    scores_of,
    simulate_from,
    subset_of,
    untied,
)
from seqbio.errors import ParameterError
from tests.core.models import CurvedGaussian, Gaussian

LABELS = np.array([0, 1, 1, 0, 1])
DATA = np.array([[1.0, 2.0], [0.0, 4.0], [1.0, 2.0], [3.0, 3.0], [5.0, 0.0]])
NAMES = ("mice", "rats")


class Counts:
    """Poisson counts: a base that offers everything a model may offer."""

    layout = Layout({"log_rate": (), "unused": (2,)})
    boundary = np.array([True, False, False])
    key = "counts"

    def start(self, data):
        return np.zeros(3) + np.log(data.mean() + 0.1)

    def log_likelihood(self, full, data):
        return data * full[0] - np.exp(full[0])

    def log_likelihood_and_gradient(self, full, data):
        slope = np.array([(data - np.exp(full[0])).sum(), 0.0, 0.0])
        return self.log_likelihood(full, data).sum(), slope

    def curvature(self, full, data):
        return np.array([len(data) * np.exp(full[0]), 1.0, 1.0])

    def identified(self, full, data):
        return full[:1]

    def simulate(self, full, data, generator):
        return generator.poisson(np.exp(full[0]), len(data)).astype(float)

    def clusters(self, data):
        return data.astype(int)

    def probes(self, full, data):
        return {"size": data, "both": np.stack([data, -data], axis=1)}

    def checks(self, full, data, tying):
        return [Check(f"{len(data)} counts, {tying.n_free} free", "warning", "own")]

    def dependence(self, data):
        return [Check(f"{len(data)} counts in all", "note", "whole")]

    def event_totals(self, full, data):
        return {"events": np.array([len(data) * np.exp(full[0]), np.nan, np.nan])}

    def estimates(self, full):
        return {"rate": float(np.exp(full[0]))}

    def effects(self, full):
        return {"size": Effect("size", full[0], np.array([1.0, 0.0, 0.0]))}

    def comparable(self, full):
        return {"rate": Effect("rate", full[0], np.array([1.0, 0.0, 0.0]), log_scale=True)}


COUNTS = np.array([4.0, 1.0, 2.0, 6.0, 3.0])


@pytest.fixture
def counts():
    return GroupedModel(Counts(), NAMES), GroupedData(COUNTS, LABELS)


@pytest.fixture
def gaussian():
    return GroupedModel(Gaussian([1.0, 2.0]), NAMES), GroupedData(DATA, LABELS)


def test_blocks_and_entries_are_named_after_their_group(counts):
    model, _ = counts
    assert model.layout.names == (
        "log_rate[mice]",
        "unused[mice]",
        "log_rate[rats]",
        "unused[rats]",
    )
    assert model.layout.entry_names[4] == "unused[rats][0]"
    np.testing.assert_array_equal(model.boundary, [True, False, False] * 2)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=8), st.integers(0, 100))
def test_every_item_has_the_likelihood_of_its_group(labels, seed):
    generator = np.random.default_rng(seed)
    base, labels = Gaussian([1.0, 2.0]), np.array(labels)
    model = GroupedModel(base, ("a", "b", "c"))
    full, items = generator.normal(size=6), generator.normal(size=(len(labels), 2))
    expected = [
        base.log_likelihood(full[2 * label : 2 * label + 2], item[None])[0]
        for label, item in zip(labels, items, strict=True)
    ]
    data = GroupedData(items, labels)
    np.testing.assert_allclose(model.log_likelihood(full, data), expected)
    assert check_gradient(model, full, data).passed
    scores = scores_of(model, untied(6), full, data)
    np.testing.assert_allclose(scores.sum(axis=0), model.log_likelihood_and_gradient(full, data)[1])
    assert model.start(data).shape == (6,)


def test_without_ties_the_groups_are_fitted_alone(gaussian):
    model, data = gaussian
    together = fit(model, untied(4), data)
    alone = [fit(model.base, untied(2), DATA[group == LABELS]) for group in (0, 1)]
    np.testing.assert_allclose(together.full, np.concatenate([each.full for each in alone]))
    assert together.log_likelihood == pytest.approx(sum(each.log_likelihood for each in alone))


def test_with_all_tied_there_are_no_groups(gaussian):
    model, data = gaussian
    tied = fit(model, model.tied_over_groups(untied(4), ["mean"]), data)
    plain = fit(model.base, untied(2), DATA)
    np.testing.assert_allclose(tied.full, np.tile(plain.full, 2))
    assert tied.log_likelihood == pytest.approx(plain.log_likelihood)
    assert tied.n_free == plain.n_free


def test_ties_over_groups_come_on_top_of_others_and_leave_what_is_held():
    model = GroupedModel(Gaussian([1.0] * 3), NAMES)
    within = Tying([0, 0, -1, 1, 1, -1], offset=[0, 0, 2, 0, 0, 5])
    tying = model.tied_over_groups(within, ["mean"])
    np.testing.assert_array_equal(tying.expand([7.0]), [7, 7, 2, 7, 7, 5])
    assert tying.is_nested_in(within)
    assert model.tied_over_groups(within, []) == within


def test_what_the_base_offers_is_offered(counts):
    model, data = counts
    full = np.array([0.1, 0.0, 0.0, 0.7, 0.0, 0.0])
    expected = np.array([2 * np.exp(0.1), 1, 1, 3 * np.exp(0.7), 1, 1])
    np.testing.assert_allclose(curvature_of(model, full, data), expected)
    np.testing.assert_allclose(identified_of(model, full, data), [0.1, 0.7])
    assert identifiable_rank(model, untied(6), data, seed=0) == 2
    np.testing.assert_array_equal(clusters_of(model, data, 5), np.arange(5))
    probes = model.probes(full, data)
    np.testing.assert_array_equal(probes["size"], COUNTS)
    np.testing.assert_array_equal(probes["both"], np.stack([COUNTS, -COUNTS], axis=1))
    assert list(model.estimates(full)) == ["rate[mice]", "rate[rats]"]
    assert model.estimates(full)["rate[rats]"] == pytest.approx(np.exp(0.7))
    assert [check.message for check in dependence_of(model, data)] == ["5 counts in all"]


def test_what_the_base_lacks_is_missing(gaussian):
    model, data = gaussian
    assert not can_simulate(model)
    assert not hasattr(model, "probes")
    assert not declares_clusters(model, data)
    assert curvature_of(model, np.zeros(4), data) is None
    assert not checks_of(model, np.zeros(4), data, equal(4, [0, 2]))
    assert not model.effects(np.zeros(4))
    assert is_regular(model)
    assert curvature_of(GroupedModel(CurvedGaussian([1.0]), NAMES), np.zeros(2), data) is not None


def test_groups_are_compared_with_the_first(counts):
    model, _ = counts
    effects = model.effects(np.array([0.1, 0, 0, 0.7, 0, 0]))
    assert [effect.name for effect in effects.values()] == [
        "rate[rats] / rate[mice]",
        "size [mice]",
        "size [rats]",
    ]
    ratio = effects["rate[rats] / rate[mice]"]
    assert ratio.value == pytest.approx(0.6)
    assert ratio.log_scale
    np.testing.assert_array_equal(ratio.gradient, [-1, 0, 0, 1, 0, 0])


def test_drawn_items_are_where_their_group_stands(counts):
    model, data = counts
    drawn = simulate_from(
        model, np.array([0.0, 0, 0, np.log(1e4), 0, 0]), data, np.random.default_rng(0)
    )
    assert isinstance(drawn, GroupedData)
    np.testing.assert_array_equal(drawn.whole > 1e3, LABELS == 1)


def test_a_part_may_lack_a_group(counts):
    model, data = counts
    mice = subset_of(model, data, [0, 3, 0])
    np.testing.assert_array_equal(mice.whole, [4.0, 6.0, 4.0])
    full = np.array([0.1, 0.0, 0.0, np.inf, np.nan, 0.0])
    value, gradient = model.log_likelihood_and_gradient(full, mice)
    assert value == pytest.approx(model.base.log_likelihood(full[:3], mice.whole).sum())
    np.testing.assert_array_equal(gradient[3:], 0)
    fitted = fit(model, untied(6), mice)
    assert isinstance(fitted, Fit)
    assert fitted.converged
    assert fitted.full[0] == pytest.approx(np.log(14 / 3), abs=1e-4)


def test_checks_name_their_group(counts):
    model, data = counts
    assert [check.message for check in checks_of(model, np.zeros(6), data, untied(6))] == [
        "group mice: 2 counts, 3 free",
        "group rats: 3 counts, 3 free",
    ]


def test_events_stand_behind_the_parameters_of_their_group(counts):
    model, data = counts
    full = np.log([2.0, 1, 1, 3.0, 1, 1])
    totals = event_totals_of(model, full, data)["events"]
    np.testing.assert_allclose(totals, [4, np.nan, np.nan, 9, np.nan, np.nan])


def test_data_are_named_by_items_and_groups_and_travel(counts):
    model, data = counts
    data.part(model.base, 0)
    again = pickle.loads(pickle.dumps(data))
    assert fingerprint(again) == fingerprint(data)
    assert fingerprint(GroupedData(COUNTS, 1 - LABELS)) != fingerprint(data)
    assert len(pickle.dumps(data)) == len(pickle.dumps(GroupedData(COUNTS, LABELS)))


@pytest.mark.parametrize("names", [(), ("a", "a")])
def test_names_differ(names):
    with pytest.raises(ParameterError, match="give names that differ"):
        GroupedModel(Counts(), names)


def test_a_model_with_its_own_way_to_be_fitted_is_refused():
    class Network(Counts):
        def maximise(self, tying, data, start, n_starts, seed):
            raise NotImplementedError

    with pytest.raises(ParameterError, match="Network is fitted in its own way"):
        GroupedModel(Network(), NAMES)
