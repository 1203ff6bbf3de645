"""Small models of independent items that can be drawn, for the tests of bootstraps and splits."""

from __future__ import annotations

import os

import numpy as np
from scipy.special import gammaln, xlogy

from seqbio.core import Hypothesis, Layout, equal, fixed, untied


class NormalMeans:
    """Rows of independent unit normal numbers, one mean for each column."""

    def __init__(self, n=1):
        self.layout = Layout({"mean": (n,)})

    def start(self, data):
        return np.zeros(self.layout.size)

    def log_likelihood(self, full, data):
        return -((data - full) ** 2).sum(axis=1) / 2

    def log_likelihood_and_gradient(self, full, data):
        return self.log_likelihood(full, data).sum(), (data - full).sum(axis=0)

    def curvature(self, full, data):
        return np.full(self.layout.size, float(len(data)))

    def simulate(self, full, data, generator):
        return full + generator.standard_normal(data.shape)


class PositiveMeans(NormalMeans):
    """The same with means that cannot be negative: coordinates are their logarithms."""

    def __init__(self, n=1):
        super().__init__(n)
        self.layout = Layout({"log_mean": (n,)})
        self.boundary = np.ones(n, dtype=bool)

    def start(self, data):
        return np.full(self.layout.size, -1.0)

    def log_likelihood(self, full, data):
        return super().log_likelihood(np.exp(np.minimum(full, 50.0)), data)

    def log_likelihood_and_gradient(self, full, data):
        mean = np.exp(np.minimum(full, 50.0))
        return self.log_likelihood(full, data).sum(), (data - mean).sum(axis=0) * mean

    def curvature(self, full, data):
        mean = np.exp(np.minimum(full, 50.0))
        return len(data) * mean**2 + np.abs((data - mean).sum(axis=0)) * mean

    def simulate(self, full, data, generator):
        return super().simulate(np.exp(full), data, generator)


class PoissonItems:
    """Counts in two columns with a rate each; coordinates are the logarithms of the rates."""

    layout = Layout({"log_rate": (2,)})
    boundary = np.array([True, True])

    def start(self, data):
        return np.zeros(2)

    def log_likelihood(self, full, data):
        rate = np.exp(full)
        return (xlogy(data, rate) - rate - gammaln(data + 1)).sum(axis=1)

    def log_likelihood_and_gradient(self, full, data):
        gradient = (data - np.exp(full)).sum(axis=0)
        return self.log_likelihood(full, data).sum(), gradient

    def curvature(self, full, data):
        return len(data) * np.exp(full)

    def simulate(self, full, data, generator):
        return generator.poisson(np.exp(full), data.shape).astype(float)


class Fatal(NormalMeans):
    """Kills the process that draws from it, unless it is the one named."""

    def __init__(self):
        super().__init__()
        self.survivor = os.getpid()

    def simulate(self, full, data, generator):
        if os.getpid() != self.survivor:
            os._exit(1)
        return super().simulate(full, data, generator)


def zero_against_free(model):
    n = model.layout.size
    null = Hypothesis(model, fixed(n, range(n), np.zeros(n)), "zero")
    return null, Hypothesis(model, untied(n), "free")


def at_boundary_against_free(model):
    n = model.layout.size
    null = Hypothesis(model, fixed(n, range(n), np.full(n, -np.inf)), "zero")
    return null, Hypothesis(model, untied(n), "positive")


def equal_against_free(model):
    n = model.layout.size
    return Hypothesis(model, equal(n, range(n)), "equal"), Hypothesis(model, untied(n), "free")
