"""Substitution models as textbooks write them (Yang, Computational Molecular Evolution, 2006)."""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm

A, C, G, T = range(4)
PURINES, PYRIMIDINES = (A, G), (C, T)


def rate_matrix(exchangeabilities, frequencies):
    """Q of a reversible process, with one expected substitution per unit of distance."""
    n = len(frequencies)
    rates = np.zeros((n, n))
    for a in range(n):
        for b in range(n):
            if a != b:
                rates[a, b] = exchangeabilities[a, b] * frequencies[b]
        rates[a, a] = -sum(rates[a, b] for b in range(n) if b != a)
    per_site = -sum(frequencies[a] * rates[a, a] for a in range(n))
    return rates / per_site


def joint(exchangeabilities, frequencies, distance):
    transitions = expm(rate_matrix(exchangeabilities, frequencies) * distance)
    return np.array([[f * p for p in row] for f, row in zip(frequencies, transitions, strict=True)])


def log_likelihood(joint, frequencies, match_counts, gap_counts):
    total = 0.0
    for a in range(len(frequencies)):
        if gap_counts[a] > 0:
            total += gap_counts[a] * np.log(frequencies[a])
        for b in range(len(frequencies)):
            if match_counts[a, b] > 0:
                total += match_counts[a, b] * np.log(joint[a, b])
    return total


def jc69(distance):
    """Transition probabilities of Jukes & Cantor (1969)."""
    same = 1 / 4 + 3 / 4 * np.exp(-4 * distance / 3)
    return np.array([[same if a == b else (1 - same) / 3 for b in range(4)] for a in range(4)])


def k80(distance, kappa):
    """Kimura (1980); kappa is the rate of a transition over that of one transversion."""
    slow = np.exp(-4 * distance / (kappa + 2))
    fast = np.exp(-2 * distance * (kappa + 1) / (kappa + 2))
    same = 1 / 4 + slow / 4 + fast / 2
    transition = 1 / 4 + slow / 4 - fast / 2
    transversion = 1 / 4 - slow / 4
    is_transition = {(A, G), (G, A), (C, T), (T, C)}
    return np.array(
        [
            [
                same if a == b else transition if (a, b) in is_transition else transversion
                for b in range(4)
            ]
            for a in range(4)
        ]
    )


def f81(distance, frequencies):
    """Felsenstein (1981): a letter is replaced by one drawn anew, perhaps the same."""
    beta = 1 / (1 - sum(f**2 for f in frequencies))
    kept = np.exp(-beta * distance)
    return np.array(
        [[(a == b) * kept + (1 - kept) * frequencies[b] for b in range(4)] for a in range(4)]
    )


def tn93(distance, frequencies, kappa_purines, kappa_pyrimidines):
    """Tamura & Nei (1993), with the exchangeability 1 for transversions; hky85 if kappas agree."""
    purines = frequencies[A] + frequencies[G]
    pyrimidines = frequencies[C] + frequencies[T]
    per_site = 2 * (
        frequencies[A] * frequencies[G] * kappa_purines
        + frequencies[C] * frequencies[T] * kappa_pyrimidines
        + purines * pyrimidines
    )
    time = distance / per_site
    table = np.zeros((4, 4))
    for own, mass, kappa in [
        (PURINES, purines, kappa_purines),
        (PYRIMIDINES, pyrimidines, kappa_pyrimidines),
    ]:
        slow = np.exp(-time)
        fast = np.exp(-(mass * kappa + (1 - mass)) * time)
        for a in own:
            for b in range(4):
                f = frequencies[b]
                if b not in own:
                    table[a, b] = f * (1 - slow)
                elif a == b:
                    table[a, b] = f + f * (1 - mass) / mass * slow + (mass - f) / mass * fast
                else:
                    table[a, b] = f + f * (1 - mass) / mass * slow - f / mass * fast
    return table


def ungapped_scale(scores, background):
    """Scale at which the sum of q(a) q(b) exp(scale s(a, b)) is 1, by bisection (Karlin-Altschul).

    The sum is 1 at the scale 0 too, below 1 between the two, and above 1 beyond.
    """
    low, high = 0.05, 2.0
    for _ in range(100):
        middle = (low + high) / 2
        total = 0.0
        for a, q_a in enumerate(background):
            for b, q_b in enumerate(background):
                total += q_a * q_b * np.exp(middle * scores[a, b])
        low, high = (middle, high) if total < 1 else (low, middle)
    return low
