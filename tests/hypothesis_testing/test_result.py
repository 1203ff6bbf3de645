import json
from html import escape

import numpy as np
import pytest

from seqbio.core import Check, Hypothesis, Layout, equal, fixed, untied
from seqbio.hypothesis_testing import compare
from tests.hypothesis_testing.toy_models import Binomial, Normal, Poisson, one_against_many

COUNTS = np.array([10, 30]), np.array([4.0, 5.0])


@pytest.fixture(scope="module")
def significant():
    return compare(*one_against_many(Poisson()), COUNTS)


@pytest.fixture(scope="module")
def without_pvalue():
    data = np.array([0, 0, 30]), np.array([4.0, 5.0, 6.0])
    null = Hypothesis(Poisson(3), equal(3, [0, 1]), "equal <b>rates</b>")
    return compare(null, Hypothesis(Poisson(3), untied(3)), data)


def paragraph(text):
    """Undo the wrapping of lines."""
    return " ".join(text.split())


class TestText:
    def test_everything_is_there(self, significant):
        text = str(significant)
        assert text.isascii()
        assert max(map(len, text.splitlines())) <= 88
        for line in (
            "  name                      all alike                  all different",
            "  ties                      log_rate[0] = log_rate[1]  none",
            "  log-likelihood (nats)     -7.950373                  -4.700877",
            "  free parameters           1                          2",
            "  rate 0  4.444  2.5",
            "  rate 1  4.444  6",
            "                   estimate  from   to     under the null",
            "  rate 1 / rate 0  2.4       1.173  4.909  1",
            "  likelihood ratio    6.49899",
            "  degrees of freedom  1",
            "  p-value             0.0108",
        ):
            assert line in text.splitlines()
        flat = paragraph(text)
        assert "chi-squared with 1 degree of freedom, for many data: the hypotheses are" in flat
        assert "null converged: " in flat
        assert "alternative converged: " in flat
        assert "evaluations" in flat
        assert "Warnings" not in flat
        assert flat.startswith(significant.conclusion)
        assert text == significant.summary()

    def test_without_a_p_value(self, without_pvalue):
        flat = paragraph(str(without_pvalue))
        assert "p-value none" in flat
        assert "law under the null none that is known to hold" in flat
        assert "invalid the null's estimate of log_rate[0] = log_rate[1] is on the boundary" in flat
        assert "rate 1 / rate 0 - - - -" in flat  # 0 / 0
        assert "equal <b>rates</b>" in flat

    def test_ties_of_both_are_left_out(self):
        data = np.array([10, 12, 9]), np.ones(3)
        null = Hypothesis(Poisson(3), fixed(3, [0, 1], [2.0, 2.0]))
        text = str(compare(null, Hypothesis(Poisson(3), fixed(3, 0, 2.0)), data))
        assert "  ties                      log_rate[0] = log_rate[1] = 2" in text
        model = Poisson(4)
        both = equal(4, [0, 1])
        null = Hypothesis(model, both.intersect(equal(4, [2, 3])))
        data = np.array([10, 12, 9, 11]), np.ones(4)
        text = paragraph(str(compare(null, Hypothesis(model, both), data)))
        assert "ties log_rate[2] = log_rate[3] none" in text
        assert "ties of both" not in text

    def test_long_lists_are_cut(self):
        model = Many()
        null = Hypothesis(model, equal(60, *([2 * i, 2 * i + 1] for i in range(30))))
        alternative = Hypothesis(model, untied(60))
        result = compare(null, alternative, np.random.default_rng(1).normal(size=(5, 60)))
        flat = paragraph(str(result))
        assert (
            result.null_name
            == "mean[0] = mean[1]; mean[2] = mean[3]; mean[4] = mean[5]; and 27 more"
        )
        assert "mean[2] = mean[3] and 28 more" in flat
        assert "and 40 more" in flat
        assert len(result.to_dict()["alternative"]["estimates"]) == 60

    def test_starts_are_shown(self):
        result = compare(*one_against_many(Poisson()), COUNTS, n_starts=3, seed=0)
        assert "; best of 3 starts, the second " in paragraph(str(result))

    def test_repr_is_short(self, significant):
        assert repr(significant).startswith(
            "LikelihoodRatioResult(statistic=6.49899, df=1, pvalue=0.0107"
        )


class Many(Normal):
    """60 means without effects."""

    layout = Layout({"mean": (60,)})

    def __init__(self):
        self.sd = 1.0

    def effects(self, full):
        return {}


class TestConclusion:
    def test_significant_with_the_direction(self, significant):
        assert significant.conclusion == (
            'The data speak against "all alike", tested against "all different" (p = 0.0108, below '
            "the 5 % level): rate 1 / rate 0 is 2.4 (95 % interval 1.173 to 4.909), above the 1 of "
            "the null."
        )

    def test_the_other_direction(self):
        result = compare(*one_against_many(Poisson()), (COUNTS[0][::-1], COUNTS[1]))
        assert "below the 1 of the null" in result.conclusion

    def test_effects_that_the_null_leaves_open_have_no_direction(self):
        data = np.array([[5.0, 7.0], [6.0, 8.0], [4.0, 8.0], [5.0, 7.0]])
        result = compare(*one_against_many(Normal()), data)
        assert result.effects[1].lower > 0
        assert "mean 1 - mean 0 is 2.5" in result.conclusion
        assert "; mean 0 is" not in result.conclusion

    def test_not_significant_is_not_equal(self):
        result = compare(*one_against_many(Poisson()), (np.array([20, 26]), COUNTS[1]))
        assert result.conclusion == (
            'The data do not contradict "all alike", tested against "all different" '
            f"(p = {result.pvalue:.3g}, not below the 5 % level), which does not show that it is "
            "true."
        )

    def test_none_without_a_p_value(self, without_pvalue):
        assert without_pvalue.conclusion.startswith(
            "No conclusion: the null's estimate of log_rate[0] = log_rate[1] is on the boundary"
        )

    def test_further_reasons_are_counted(self):
        class Network(Binomial):
            regular = False

        result = compare(*one_against_many(Network()), (np.array([1, 30]), np.array([50, 60])))
        assert result.conclusion == (
            "No conclusion: Network is not a regular model (the warnings give 1 more reason)."
        )
        assert result.null_law == (
            "none that is known to hold: Network is not a regular model; 1 successes are few"
        )

    def test_what_concerns_the_data_leads(self):
        class Repeated(Binomial):
            regular = False

            def dependence(self, data):
                return [Check("both are the same", "invalid", "dependent_items", concerns="data")]

        result = compare(*one_against_many(Repeated()), (np.array([1, 30]), np.array([50, 60])))
        assert result.conclusion == (
            "No conclusion: both are the same (the warnings give 2 more reasons)."
        )
        assert [check.severity for check in result.warnings] == ["invalid"] * 3 + ["note"]
        assert result.warnings[1].message == "Repeated is not a regular model"

    def test_a_doubt_about_the_data_is_named_beside_a_p_value(self):
        class Odd(Poisson):
            def checks(self, full, data, tying):
                return [
                    Check("rates are rough", "warning", "rough"),
                    Check("one item is odd", "warning", "odd", concerns="data"),
                ]

        conclusion = compare(*one_against_many(Odd()), COUNTS).conclusion
        assert conclusion.endswith("the 1 of the null; but one item is odd.")


class TestJson:
    def test_round_trip(self, significant):
        assert json.loads(significant.to_json()) == significant.to_dict()

    def test_keys_and_full_precision(self, significant):
        result = significant.to_dict()
        assert set(result) == {
            "statistic",
            "df",
            "pvalue",
            "log_pvalue",
            "calibration",
            "null_law",
            "converged",
            "conclusion",
            "level",
            "data_fingerprint",
            "null",
            "alternative",
            "effects",
            "interval_level",
            "interval_method",
            "evidence",
            "warnings",
        }
        for name in ("null", "alternative"):
            assert set(result[name]) == {
                "name",
                "ties",
                "log_likelihood",
                "n_free_parameters",
                "n_identifiable_parameters",
                "converged",
                "message",
                "gradient_norm",
                "n_iterations",
                "n_evaluations",
                "optima",
                "at_boundary",
                "estimates",
            }
        assert result["null"]["log_likelihood"] == significant.null_fit.log_likelihood
        assert result["null"]["ties"] == ["log_rate[0] = log_rate[1]"]
        assert result["df"] == 1
        assert result["warnings"] == []

    def test_no_number_that_json_does_not_know(self, without_pvalue):
        text = without_pvalue.to_json()
        assert "NaN" not in text
        assert "Infinity" not in text
        result = json.loads(text)
        assert result == without_pvalue.to_dict()
        assert result["pvalue"] is None
        assert result["effects"][0]["estimate"] is None
        assert result["null"]["at_boundary"] == ["log_rate[0] = log_rate[1]"]
        assert result["warnings"][0]["code"] == "null_on_boundary"
        assert result["warnings"][0]["severity"] == "invalid"


class TestHtml:
    def test_names_are_escaped(self, without_pvalue):
        html = without_pvalue._repr_html_()
        assert "equal &lt;b&gt;rates&lt;/b&gt;" in html
        assert "<b>" not in html

    def test_it_says_what_the_text_says(self, significant):
        html = significant._repr_html_()
        assert "<caption>Effects under the alternative, intervals of 95 %</caption>" in html
        assert "<td>rate 1 / rate 0</td><td>2.4</td><td>1.173</td><td>4.909</td><td>1</td>" in html
        assert html.count("<table>") == html.count("</table>") == 5
        assert html.startswith(f"<div>\n<p>{escape(significant.conclusion)}</p>")
