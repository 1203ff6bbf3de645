"""Small models with known answers, for the tests of tests."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, gammaln, log_expit, xlogy

from seqbio.core import Check, Effect, Hypothesis, Layout, equal, untied


class Poisson:
    """Counts, each over its own length of time; coordinates are the logarithms of the rates."""

    def __init__(self, n_groups=2):
        self.layout = Layout({"log_rate": (n_groups,)})
        self.boundary = np.ones(n_groups, dtype=bool)

    def start(self, data):
        return np.zeros(self.layout.size)

    def log_likelihood(self, full, data):
        counts, times = data
        with np.errstate(over="ignore", invalid="ignore"):  # nan and -inf: too far, step back
            expected = times * np.exp(full)
            return xlogy(counts, expected) - expected - gammaln(counts + 1)

    def log_likelihood_and_gradient(self, full, data):
        counts, times = data
        with np.errstate(over="ignore"):
            gradient = counts - times * np.exp(full)
        return self.log_likelihood(full, data).sum(), gradient

    def curvature(self, full, data):
        return data[1] * np.exp(full)

    def estimates(self, full):
        return {f"rate {i}": rate for i, rate in enumerate(np.exp(full))}

    def effects(self, full):
        gradient = np.zeros(full.size)
        gradient[:2] = -1, 1
        with np.errstate(invalid="ignore"):  # two rates of 0
            value = float(np.subtract(full[1], full[0]))
        return {"ratio": Effect("rate 1 / rate 0", value, gradient, True)}


class Binomial:
    """Successes among trials; coordinates are the logits of the probabilities."""

    def __init__(self, n_groups=2):
        self.layout = Layout({"logit": (n_groups,)})
        self.boundary = np.ones(n_groups, dtype=bool)

    def start(self, data):
        return np.zeros(self.layout.size)

    def log_likelihood(self, full, data):
        successes, trials = data
        # A success at probability 0 is impossible, and no success is certain: 0 * -inf is 0 here.
        gained = np.where(successes > 0, successes * np.where(successes > 0, log_expit(full), 0), 0)
        return gained + (trials - successes) * log_expit(-full)

    def log_likelihood_and_gradient(self, full, data):
        successes, trials = data
        return self.log_likelihood(full, data).sum(), successes - trials * expit(full)

    def curvature(self, full, data):
        return data[1] * expit(full) * expit(-full)

    def checks(self, full, data, tying):
        fewest = int(np.min(data[0]))
        if fewest >= 5:
            return []
        return [Check(f"{fewest} successes are few", "invalid" if fewest < 2 else "warning", "few")]

    def effects(self, full):
        gradient = np.zeros(full.size)
        gradient[:2] = -1, 1
        return {"odds": Effect("odds 1 / odds 0", float(full[1] - full[0]), gradient, True)}


class Normal:
    """Samples of equal size, (n, n_groups), of known standard deviation."""

    def __init__(self, n_groups=2, sd=1.0):
        self.layout = Layout({"mean": (n_groups,)})
        self.sd = sd

    @property
    def key(self):
        return {"sd": self.sd}

    def start(self, data):
        return np.zeros(self.layout.size)

    def log_likelihood(self, full, data):
        return -(((data - full) / self.sd) ** 2).sum(axis=1) / 2

    def log_likelihood_and_gradient(self, full, data):
        return self.log_likelihood(full, data).sum(), (data - full).sum(axis=0) / self.sd**2

    def effects(self, full):
        return {
            "difference": Effect(
                "mean 1 - mean 0", float(full[1] - full[0]), np.array([-1.0, 1.0])
            ),
            "first": Effect("mean 0", float(full[0]), np.array([1.0, 0.0])),
        }


class Redundant:
    """The Poisson model with one coordinate too many: log rate i is own[i] + common."""

    layout = Layout({"own": (2,), "common": ()})
    inner = Poisson()

    def start(self, data):
        return np.zeros(3)

    def identified(self, full, data):
        return full[:2] + full[2]

    def log_likelihood(self, full, data):
        return self.inner.log_likelihood(full[:2] + full[2], data)

    def log_likelihood_and_gradient(self, full, data):
        value, gradient = self.inner.log_likelihood_and_gradient(full[:2] + full[2], data)
        return value, np.append(gradient, gradient.sum())


class Rescaled:
    """The Poisson model in other coordinates, sinh(coordinate) being the logarithm of the rate."""

    layout = Layout({"coordinate": (2,)})
    inner = Poisson()

    def start(self, data):
        return np.zeros(2)

    def log_likelihood(self, full, data):
        return self.inner.log_likelihood(np.sinh(full), data)

    def log_likelihood_and_gradient(self, full, data):
        value, gradient = self.inner.log_likelihood_and_gradient(np.sinh(full), data)
        return value, gradient * np.cosh(full)


def one_against_many(model):
    """All groups alike, against each on its own."""
    n = model.layout.size
    null = Hypothesis(model, equal(n, range(n)), "all alike")
    return null, Hypothesis(model, untied(n), "all different")
