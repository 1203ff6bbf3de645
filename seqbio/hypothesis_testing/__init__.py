"""Likelihood ratio tests of tied against untied parameters, for any model.

A test takes two hypotheses about one model, of which the null ties or fixes more than the
alternative. It works for a user's own model as for those of the package; here is one of Poisson
counts, each over its own length of time, whose rates may be one.

>>> import numpy as np
>>> from scipy.special import gammaln, xlogy
>>> from seqbio.core import Effect, Hypothesis, Layout, equal, untied
>>> class EventCounts:
...     layout = Layout({"log_rate": (2,)})
...     boundary = np.array([True, True])
...
...     def start(self, data):
...         return np.zeros(2)
...
...     def log_likelihood(self, full, data):
...         counts, times = data
...         expected = times * np.exp(full)
...         return xlogy(counts, expected) - expected - gammaln(counts + 1)
...
...     def log_likelihood_and_gradient(self, full, data):
...         counts, times = data
...         return self.log_likelihood(full, data).sum(), counts - times * np.exp(full)
...
...     def estimates(self, full):
...         return {"first rate": np.exp(full[0]), "second rate": np.exp(full[1])}
...
...     def effects(self, full):
...         gradient = np.array([-1.0, 1.0])
...         return {"ratio": Effect("second rate / first rate", full @ gradient, gradient, True)}
>>> null = Hypothesis(EventCounts(), equal(2, [0, 1]), "one rate")
>>> alternative = Hypothesis(EventCounts(), untied(2), "two rates")
>>> result = compare(null, alternative, (np.array([10, 30]), np.array([4.0, 5.0])))
>>> print(f"{result.statistic:.3f} {result.df} {result.pvalue:.4f} {result.calibration}")
6.499 1 0.0108 chi-squared
>>> print(result.conclusion)
The data speak against "one rate", tested against "two rates" (p = 0.0108, below the 5 % level):
second rate / first rate is 2.4 (95 % interval 1.173 to 4.909), above the 1 of the null.
"""

from seqbio.hypothesis_testing.calibrations.bootstrap import Bootstrap, bootstrap_test
from seqbio.hypothesis_testing.calibrations.exchange import ExchangeTest, exchange_test
from seqbio.hypothesis_testing.calibrations.flip import SignFlips, sign_flip_test
from seqbio.hypothesis_testing.calibrations.held_out import HeldOutComparison, held_out_comparison
from seqbio.hypothesis_testing.calibrations.split import SplitTest, split_test
from seqbio.hypothesis_testing.comparison import Comparison
from seqbio.hypothesis_testing.criteria import CriteriaTable, VuongTest, criteria, vuong_test
from seqbio.hypothesis_testing.effects import EffectEstimate
from seqbio.hypothesis_testing.goodness_of_fit import Misfit, goodness_of_fit
from seqbio.hypothesis_testing.likelihood_ratio import compare, likelihood_ratio_test
from seqbio.hypothesis_testing.multiple import adjust
from seqbio.hypothesis_testing.power import Power, power
from seqbio.hypothesis_testing.result import LikelihoodRatioResult
from seqbio.hypothesis_testing.type_one_error import SelfCheck, calibrate

__all__ = [
    "Bootstrap",
    "Comparison",
    "CriteriaTable",
    "EffectEstimate",
    "ExchangeTest",
    "HeldOutComparison",
    "LikelihoodRatioResult",
    "Misfit",
    "Power",
    "SelfCheck",
    "SignFlips",
    "SplitTest",
    "VuongTest",
    "adjust",
    "bootstrap_test",
    "calibrate",
    "compare",
    "criteria",
    "exchange_test",
    "goodness_of_fit",
    "held_out_comparison",
    "likelihood_ratio_test",
    "power",
    "sign_flip_test",
    "split_test",
    "vuong_test",
]
