"""Peaks of summed profiles against random rotations."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from seqbio.hypothesis_testing.rotations import rotate_profiles


def loop_height(profiles, shifts):
    """The largest peak in plain loops."""
    n, kinds, places = profiles.shape
    highest = 0.0
    for scale in [scale for scale in (1, 3, 9, 27, 81) if scale <= max(1, places // 2)]:
        for kind in range(kinds):

            def near(item, place, scale=scale, kind=kind):
                around = range(place - scale // 2, place - scale // 2 + scale)
                mean = profiles[item, kind].mean()
                return sum(profiles[item, kind, at % places] - mean for at in around)

            variance = sum(
                np.mean([near(item, place) ** 2 for place in range(places)]) for item in range(n)
            )
            for place in range(places):
                total = sum(near(item, place + shift) for item, shift in enumerate(shifts))
                highest = max(highest, total / np.sqrt(variance))
    return highest


def test_pvalues_are_those_of_all_rotations():
    profiles = np.random.default_rng(5).random((3, 2, 7))
    observed = loop_height(profiles, (0, 0, 0))
    every = [loop_height(profiles, shifts) for shifts in product(range(7), repeat=3)]
    exact = np.mean(np.array(every) >= observed - 1e-9)
    found = rotate_profiles(profiles, 9999, seed=1)
    assert found.peak == pytest.approx(observed, rel=1e-10)
    error = np.sqrt(exact * (1 - exact) / found.heights.size)
    assert found.pvalue == pytest.approx(exact, abs=4 * error + 1 / found.n_as_high * exact)


@pytest.mark.parametrize("n_kinds", [1, 3])
def test_a_preferred_place_is_found_and_named(n_kinds):
    generator = np.random.default_rng(2)
    profiles = generator.random((60, n_kinds, 50))
    profiles[np.arange(25), n_kinds - 1, 31 + generator.integers(-1, 2, 25)] += 3.0
    found = rotate_profiles(profiles, seed=1)
    assert found.pvalue == 1 / 10000
    assert (found.place, found.width) == (31, 3)


def test_pvalues_are_uniform_where_all_places_are_alike():
    generator = np.random.default_rng(3)
    pvalues = []
    for _ in range(400):
        profiles = np.zeros((30, 1, 20))
        profiles[np.arange(30), 0, generator.integers(20, size=30)] = generator.gamma(1.0, size=30)
        pvalues.append(rotate_profiles(profiles, 199, seed=generator).pvalue)
    for level in (0.5, 0.1, 0.05):
        count = np.sum(np.array(pvalues) <= level)
        assert binom.sf(count - 1, 400, level) > 1e-3
        assert binom.cdf(count, 400, level) > 1e-3


def test_profiles_that_say_nothing_say_nothing():
    assert rotate_profiles(np.ones((5, 1, 8)), seed=1).pvalue == 1.0
    assert rotate_profiles(np.zeros((0, 1, 8)), seed=1).pvalue == 1.0


def test_a_seed_gives_the_same_result_twice():
    profiles = np.random.default_rng(5).random((30, 1, 40))
    first, second = (rotate_profiles(profiles, seed=4) for _ in range(2))
    assert first.pvalue == second.pvalue
    assert np.array_equal(first.heights, second.heights)


def floating(generator, n, lack, n_places=53):
    """Make profiles of things that float, and are not seen in so many places of either end."""
    profiles = 0.2 * generator.dirichlet(np.full(n_places, 0.3), (n, 1))
    place = generator.integers(n_places, size=n)
    seen = np.flatnonzero((place >= lack) & (place < n_places - lack))
    profiles[seen, 0, place[seen]] += 0.8
    return profiles


def test_a_lack_at_the_ends_is_no_evidence_with_a_margin():
    generators = np.random.default_rng(7).spawn(40)
    by_margin = {0: 0, 8: 0}
    for generator in generators:
        profiles = floating(generator, 1500, lack=2)
        for margin in by_margin:
            pvalue = rotate_profiles(profiles, 199, seed=generator, margin=margin).pvalue
            by_margin[margin] += pvalue <= 0.05
    low, high = binom.interval(0.99, 40, 0.05)
    assert by_margin[0] > high  # the places in between seem to be preferred
    assert low <= by_margin[8] <= high


def test_a_preferred_place_at_the_end_is_found_with_a_margin():
    profiles = floating(np.random.default_rng(8), 200, lack=0)
    profiles[:30, 0, 1] += 1.0
    found = rotate_profiles(profiles, 999, seed=1, margin=8)
    assert (found.place, found.width, found.pvalue) == (1, 1, 0.001)
