"""Figures of tests show the numbers of the tests."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy.stats import beta, chi2

import seqbio
from seqbio import plots
from seqbio.core import Check, Effect, Hypothesis, Layout, equal, profile_interval, untied
from seqbio.errors import ParameterError
from seqbio.hypothesis_testing import SelfCheck, compare
from seqbio.hypothesis_testing.calibrations.boundary import BoundaryLaw
from seqbio.hypothesis_testing.calibrations.robust import RobustScaling
from seqbio.hypothesis_testing.laws import (
    log_chi_bar_squared_tail,
)
from seqbio.hypothesis_testing.power import Power
from seqbio.hypothesis_testing.type_one_error import Trial
from tests.plots.artists import labelled, xy


class Means:
    """Two groups of unit normal numbers, whose means may be one."""

    layout = Layout({"mean": (2,)})

    def start(self, data):
        return np.zeros(2)

    def log_likelihood(self, full, data):
        values, group = data
        return -((values - full[group]) ** 2) / 2

    def log_likelihood_and_gradient(self, full, data):
        values, group = data
        away = values - full[group]
        return -(away @ away) / 2, np.bincount(group, away, minlength=2)

    def simulate(self, full, data, generator):
        _, group = data
        return full[group] + generator.standard_normal(len(group)), group

    def subset(self, data, items):
        return data[0][items], data[1][items]

    def effects(self, full):
        gradient = np.array([-1.0, 1.0])
        return {"difference": Effect("second - first", float(full @ gradient), gradient)}


NULL = Hypothesis(Means(), equal(2, [0, 1]), "one mean")
ALTERNATIVE = Hypothesis(Means(), untied(2), "two means")
DATA = (
    np.array([0.1, 0.4, -0.6, 1.1, 0.3, 1.2, 0.9, 0.2, 1.6, 1.4]),
    np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]),
)


def outcome(**options):
    return compare(NULL, ALTERNATIVE, DATA, seed=1, **options)


def test_a_chi_squared_law_is_drawn_with_its_tail():
    result = outcome(calibration="chi2")
    axes = plots.null_distribution(result)
    x, density = xy(labelled(axes, "chi-squared under the null, 1 df"))
    np.testing.assert_allclose(density, chi2.pdf(x, 1))
    observed = xy(labelled(axes, "observed"))[0]
    np.testing.assert_allclose(observed, result.statistic)
    shaded = labelled(axes, f"p = {result.pvalue:.3g}").get_paths()[0].vertices
    assert shaded[:, 0].min() >= result.statistic
    assert shaded[:, 0].max() == pytest.approx(x.max())
    assert axes.get_xlim()[1] >= 1.05 * result.statistic


def with_evidence(evidence, **changes):
    return dataclasses.replace(
        outcome(calibration="chi2"),
        evidence=evidence,
        log_pvalue=evidence.log_pvalue,
        statistic=evidence.statistic,
        **changes,
    )


def test_a_chi_bar_squared_law_has_its_share_at_zero():
    law = BoundaryLaw(2.9, ("a", "b"), np.array([0.3, 0.5, 0.2]), np.array([0, 1, 2]), "")
    axes = plots.null_distribution(with_evidence(law))
    _, height = xy(labelled(axes, "exactly 0 with probability 0.3"))
    assert height.max() == pytest.approx(0.3)
    x, density = xy(labelled(axes, "chi-bar-squared"))
    between = (x > 1) & (x < 4)
    drop = math.exp(log_chi_bar_squared_tail(x[between][0], law.weights, law.df)) - math.exp(
        log_chi_bar_squared_tail(x[between][-1], law.weights, law.df)
    )
    assert np.trapezoid(density[between], x[between]) == pytest.approx(drop, rel=1e-3)


@pytest.mark.parametrize("weights", [[1.7], [1.0, 3.0]])
def test_a_robust_law_is_that_of_its_weights(weights):
    law = RobustScaling(6.0, np.array(weights), 20.0, 50, 25, "")
    axes = plots.null_distribution(with_evidence(law, alternative_rank=1 + len(weights)))
    heights = [patch.get_height() for patch in axes.patches if patch.get_height() > 0]
    assert len(heights) > 10
    draws = law.picture()
    assert np.mean(draws.values >= 6.0) == pytest.approx(math.exp(law.log_pvalue), abs=0.02)


def test_a_bootstrap_is_the_histogram_of_its_replicates():
    result = outcome(calibration="bootstrap", n_replicates=99)
    axes = plots.null_distribution(result)
    bars = [patch for patch in axes.patches if patch.get_height() > 0]
    ratios = result.evidence.statistics
    assert sum(bar.get_height() for bar in bars) == ratios.size
    tallest = max(bars, key=lambda bar: bar.get_height())
    inside = (ratios >= tallest.get_x()) & (ratios < tallest.get_x() + tallest.get_width())
    assert tallest.get_height() == inside.sum()
    x, expected = xy(labelled(axes, "chi-squared, 1 df"))
    np.testing.assert_allclose(expected, ratios.size * tallest.get_width() * chi2.pdf(x, 1))


def test_bartletts_law_is_chi_squared_with_the_mean_of_the_replicates():
    result = outcome(calibration="bartlett", n_replicates=49)
    axes = plots.null_distribution(result)
    x, density = xy(labelled(axes, "chi-squared x"))
    scale = result.evidence.mean
    np.testing.assert_allclose(density, chi2.pdf(x / scale, 1) / scale)


def test_a_split_test_shows_its_ratios_and_what_their_mean_has_to_exceed():
    result = outcome(calibration="split", n_splits=4)
    axes = plots.null_distribution(result)
    ratios = np.array([xy(labelled(axes, f"{half} half"))[0] for half in ("first", "second")]).T
    np.testing.assert_array_equal(ratios, result.evidence.log_ratios)
    mean = xy(labelled(axes, "log of the mean"))[0][0]
    assert mean == pytest.approx(np.log(np.exp(ratios).mean()))
    assert xy(labelled(axes, "needed for p = 0.05"))[0][0] == pytest.approx(np.log(20))


def test_a_comparison_of_predictions_shows_its_differences():
    result = outcome(calibration="held-out")
    axes = plots.null_distribution(result)
    mean = xy(labelled(axes, "mean"))[0][0]
    assert mean == pytest.approx(result.evidence.differences.mean())
    [bars] = axes.containers
    assert sum(bar.get_height() for bar in bars) == len(DATA[0])


def test_without_a_law_the_reason_is_written():
    objection = Check("the fit is not at its optimum", "invalid", "not_converged")
    result = dataclasses.replace(
        outcome(calibration="chi2"), log_pvalue=None, warnings=(objection,)
    )
    [text] = plots.null_distribution(result).texts
    assert "not at its optimum" in " ".join(text.get_text().split())


def test_effects_stand_beside_what_the_null_says():
    result = outcome(calibration="chi2")
    [effect] = result.effects
    axes = plots.estimates(result)
    assert xy(labelled(axes, "two means"))[0].tolist() == [effect.estimate]
    assert xy(labelled(axes, "one mean"))[0] == pytest.approx([0.0], abs=1e-6)
    intervals = [xy(line)[0].tolist() for line in axes.lines if len(xy(line)[0]) == 2]
    assert intervals == [[effect.lower, effect.upper]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["second - first"]
    assert axes.get_xscale() == "linear"


def test_a_model_without_effects_has_none_to_draw():
    result = dataclasses.replace(outcome(calibration="chi2"), effects=())
    with pytest.raises(ParameterError, match="no effects"):
        plots.estimates(result)


def check_of(pvalues):
    return SelfCheck(tuple(Trial(p, 1.0, "chi-squared") for p in pvalues))


def test_p_values_lie_in_order_against_uniform_quantiles_with_their_limits():
    axes = plots.pvalue_qq(check_of([0.9, 0.1, 0.4, None]))
    expected, observed = xy(labelled(axes, "3 data sets"))
    assert expected == pytest.approx([1 / 6, 1 / 2, 5 / 6])
    assert observed.tolist() == [0.1, 0.4, 0.9]
    corners = labelled(axes, "95 % of points").get_paths()[0].vertices
    assert corners[:, 1].min() == pytest.approx(beta.ppf(0.025, 1, 3))
    assert corners[:, 1].max() == pytest.approx(beta.ppf(0.975, 3, 1))
    assert "1 data sets without one" in axes.get_xlabel()


def test_without_p_values_there_is_no_qq_plot():
    with pytest.raises(ParameterError, match="none of the data sets"):
        plots.pvalue_qq(check_of([None]))


def test_power_is_drawn_as_simulated_and_by_law():
    def power(noncentrality, n_rejected):
        trials = [Trial(0.01, 9.0, "chi-squared")] * n_rejected
        trials += [Trial(0.5, 1.0, "chi-squared")] * (20 - n_rejected)
        return Power(0.05, 1, noncentrality, tuple(trials))

    powers = {2.0: power(9.0, 18), 1.0: power(2.0, 6)}
    axes = plots.power_curve(powers, xlabel="Difference (standard deviations)")
    sizes, shares = xy(labelled(axes, "noncentral"))
    assert sizes.tolist() == [1.0, 2.0]
    assert shares.tolist() == [powers[1.0].by_law, powers[2.0].by_law]
    points, _, [bars] = labelled(axes, "simulated")
    assert xy(points)[1] == pytest.approx([0.3, 0.9])
    ends = [tuple(segment[:, 1]) for segment in bars.get_segments()]
    assert np.array(ends) == pytest.approx(np.array([powers[1.0].interval, powers[2.0].interval]))
    assert axes.get_xlabel() == "Difference (standard deviations)"
    with pytest.raises(ParameterError, match="no powers"):
        plots.power_curve({})


@pytest.fixture(scope="module")
def pairs():
    truth = {
        "open_x": 0.05,
        "open_y": 0.05,
        "extend_x": 0.3,
        "extend_y": 0.3,
        "end": 0.01,
        "distance": 0.1,
        "kappa": 2.0,
    }
    return seqbio.PairHMM().set_parameters(truth).simulate(8, columns=60, seed=1)


def test_parameters_of_several_models_stand_with_their_intervals(pairs):
    tied, untied_ = (seqbio.PairHMM(tie=tie).fit(pairs) for tie in (("open", "extend"), ()))
    axes = plots.parameters({"tied": tied, "untied": untied_}, ("open_x", "distance"))
    values = [untied_.parameters_[name] for name in ("open_x", "distance")]
    assert xy(labelled(axes, "untied"))[0].tolist() == values
    drawn = {tuple(xy(line)[0]) for line in axes.lines if len(set(xy(line)[1])) == 1}
    for model in (tied, untied_):
        assert model.confidence_intervals()["open_x"] in drawn
    assert axes.get_xscale() == "log"
    with pytest.raises(ParameterError, match="no parameter 'kapa'"):
        plots.parameters({"tied": tied}, ("kapa",))


def test_a_profile_crosses_its_line_where_the_interval_ends(pairs):
    hmm = seqbio.PairHMM(substitution="jc69", tie=("extend", "open")).fit(pairs)
    axes = plots.profile_likelihood(hmm, "open_x", n_values=7)
    x, heights = xy(labelled(axes, "profile"))
    assert heights.max() <= 0
    odds = np.exp(profile_interval(hmm.fit_, hmm.data_, "open_x"))  # against no gap
    low, high = odds / (1 + 2 * odds)
    drop = -chi2.isf(0.05, 1) / 2
    inside = (x > low) & (x < high)
    assert inside.any()
    assert (heights[inside] > drop).all()
    assert (heights[~inside] < drop).all()
    assert not inside[[0, -1]].any()
    with pytest.raises(ParameterError, match="'switch_x'"):
        plots.profile_likelihood(hmm, "switch_x")


def test_no_parameter_is_nothing_to_draw(pairs):
    with pytest.raises(ParameterError, match="no parameters to draw"):
        plots.parameters({"estimate": seqbio.PairHMM().fit(pairs[:1])}, ())
