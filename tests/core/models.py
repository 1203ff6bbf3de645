"""Small models with closed-form answers, for tests of what works with any model."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_expit

from seqbio.core import Layout


class Binomial:
    """Successes among trials, one probability for each sample, in logits."""

    def __init__(self, n_samples):
        self.layout = Layout({"logit": (n_samples,)})
        self.boundary = np.ones(n_samples, dtype=bool)
        self.n_calls = 0

    def start(self, data):
        return np.zeros(self.layout.size)

    def log_likelihood(self, full, data):
        successes, trials = data
        with np.errstate(invalid="ignore"):  # 0 * inf
            hits = np.where(successes > 0, successes * log_expit(full), 0.0)
            misses = np.where(trials > successes, (trials - successes) * log_expit(-full), 0.0)
        return hits + misses

    def log_likelihood_and_gradient(self, full, data):
        self.n_calls += 1
        successes, trials = data
        return self.log_likelihood(full, data).sum(), successes - trials * expit(full)


class CurvedBinomial(Binomial):
    """The same, which gives its curvature."""

    def curvature(self, full, data):
        return data[1] * expit(full) * expit(-full)


class BoundedCurvatureBinomial(Binomial):
    """The same, with the upper bound of the curvature, far too large for small probabilities."""

    def curvature(self, full, data):
        return data[1] / 4


class Gaussian:
    """Independent normal means, each with a known standard deviation; (n_items, n) numbers."""

    def __init__(self, deviations):
        self.deviations = np.asarray(deviations, dtype=float)
        self.layout = Layout({"mean": self.deviations.shape})
        self.n_calls = 0

    def start(self, data):
        return np.zeros(self.layout.size)

    def log_likelihood(self, full, data):
        return -((data - full) ** 2 / self.deviations**2).sum(axis=1) / 2

    def log_likelihood_and_gradient(self, full, data):
        self.n_calls += 1
        gradient = ((data - full) / self.deviations**2).sum(axis=0)
        return self.log_likelihood(full, data).sum(), gradient


class CurvedGaussian(Gaussian):
    """The same, which gives its curvature."""

    def curvature(self, full, data):
        return len(data) / self.deviations**2


class Parabola:
    """A log-likelihood that is a parabola: -(x - top)' H (x - top) / 2."""

    def __init__(self, hessian, top):
        self.hessian, self.top = np.asarray(hessian, float), np.asarray(top, float)
        self.layout = Layout({"x": self.top.shape})

    def start(self, data):
        return np.zeros(self.top.size)

    def log_likelihood(self, full, data):
        return np.array([self.log_likelihood_and_gradient(full, data)[0]])

    def log_likelihood_and_gradient(self, full, data):
        pull = self.hessian @ (self.top - full)
        return -(self.top - full) @ pull / 2, pull


class CurvedParabola(Parabola):
    """The same, which gives the diagonal of its Hessian."""

    def curvature(self, full, data):
        return self.hessian.diagonal()


class TwoHills:
    """Two optima: a hill of height 1 at -3 and one of height 2 at 3."""

    layout = Layout({"x": ()})

    def start(self, data):
        return np.array([-2.5])

    def log_likelihood(self, full, data):
        return np.array([self.log_likelihood_and_gradient(full, data)[0]])

    def log_likelihood_and_gradient(self, full, data):
        hills = np.array([1.0, 2.0]) * np.exp(-((full[0] - np.array([-3.0, 3.0])) ** 2) / 2)
        return hills.sum(), np.array([hills @ (np.array([-3.0, 3.0]) - full[0])])
