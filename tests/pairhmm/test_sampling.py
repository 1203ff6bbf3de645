from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from seqbio.pairhmm.dp import likelihood, log_likelihood, match_posterior, paths, sample_paths
from tests.pairhmm.machines import (
    EXTREME,
    MANY_STATES,
    USUAL,
    coded,
    difficult_pairs,
    mxy,
    pairs_of_all_lengths,
    random_letters,
    relative,
)
from tests.reference import pair_hmm as reference

pytestmark = pytest.mark.filterwarnings("error")

ALL = USUAL | EXTREME | MANY_STATES


def each(machines):
    return pytest.mark.parametrize("machine", machines.values(), ids=machines.keys())


def sampled(machine, pair, n_paths, seed=0):
    pair_coded = coded(machine, [pair])
    return sample_paths(machine, pair_coded, n_paths, np.random.default_rng(seed))


@each(ALL)
def test_paths_come_as_often_as_they_are_probable(machine):
    x, y = [0, 1, 2, 0], [0, 2, 2]
    paths = list(reference.all_paths(machine.kinds, len(x), len(y)))
    scores = [reference.path_score(machine, x, y, path) for path in paths]
    total = reference.log_sum(scores)
    drawn = sampled(machine, (x, y), 4000)
    assert (drawn is None) == (total == -np.inf)
    if drawn is None:
        return
    seen = Counter(tuple(path.tolist()) for path in drawn[0])
    expected = 4000 * np.exp(np.array(scores) - total)
    observed = np.array([seen.pop(path, 0) for path in paths])
    assert not seen
    assert not observed[expected == 0].any()
    # What is rare is counted together, for the chi-squared law needs expected numbers of 5.
    common = expected >= 5
    cells = [np.append(values[common], values[~common].sum()) for values in (observed, expected)]
    if cells[1][-1] < 1e-9:
        cells = [values[:-1] for values in cells]
    assert chisquare(*cells).pvalue > 1e-3 if len(cells[0]) > 1 else cells[0][0] == 4000


@each(ALL)
def test_the_probability_of_every_path_is_told(machine):
    for x, y in pairs_of_all_lengths(4):
        drawn = sampled(machine, (x, y), 5)
        total = reference.log_likelihood(machine, x, y)
        assert (drawn is None) == (total == -np.inf)
        if drawn is None:
            continue
        for path, log_probability in zip(*drawn, strict=True):
            assert path.dtype == np.uint8
            expected = reference.path_score(machine, x, y, path.tolist()) - total
            np.testing.assert_allclose(log_probability, expected, atol=1e-9)


@each(ALL)
def test_paths_make_their_pair_however_hard_it_is(machine):
    for x, y in difficult_pairs(10).values():
        drawn = sampled(machine, (x, y), 3)
        total = log_likelihood(machine, coded(machine, [(x, y)]))[0]
        assert (drawn is None) == (total == -np.inf)
        if drawn is None:
            continue
        for path, log_probability in zip(*drawn, strict=True):
            kinds = [machine.kinds[state] for state in path]
            assert [sum(k in "mx" for k in kinds), sum(k in "my" for k in kinds)] == [
                len(x),
                len(y),
            ]
            score = reference.path_score(machine, x, y, path.tolist())
            np.testing.assert_allclose(log_probability, score - total, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("name", ["end by state", "two kinds of gaps"])
def test_letters_are_aligned_as_often_as_their_posterior_says(name):
    machine, generator = ALL[name], np.random.default_rng(1)
    x = random_letters(generator, 40)
    y = relative(generator, x, 0.2, 0.1)
    paths, _ = sampled(machine, (x, y), 2000)
    counts = np.zeros((len(x), len(y)))
    for path in paths:
        kinds = np.array(list(machine.kinds))[path]
        rows, columns = np.cumsum(kinds != "y"), np.cumsum(kinds != "x")
        aligned = kinds == "m"
        counts[rows[aligned] - 1, columns[aligned] - 1] += 1
    posterior = match_posterior(machine, coded(machine, [(x, y)]))
    spread = np.sqrt(2000 * posterior * (1 - posterior)) + 1
    deviation = (counts - 2000 * posterior) / spread
    assert np.abs(deviation).max() < 5
    assert ((posterior > 0.05) & (posterior < 0.95)).sum() > 10  # not all is certain


def test_the_same_seed_draws_the_same_paths(monkeypatch):
    machine = USUAL["switch"]
    pair = difficult_pairs(30)["homologous"]
    first, again, other = (sampled(machine, pair, 20, seed)[0] for seed in (3, 3, 4))
    assert [path.tolist() for path in first] == [path.tolist() for path in again]
    assert [path.tolist() for path in first] != [path.tolist() for path in other]
    monkeypatch.setattr(likelihood, "LARGEST_WHOLE", 5)
    monkeypatch.setattr(paths, "MOST_CHANCES", 300)
    in_small_tiles = sampled(machine, pair, 20, 3)[0]
    assert [path.tolist() for path in first] == [path.tolist() for path in in_small_tiles]


def test_two_empty_sequences_have_one_path():
    paths, log_probability = sampled(USUAL["untied"], ([], []), 3)
    assert [path.shape for path in paths] == [(0,)] * 3
    assert log_probability.tolist() == [0, 0, 0]


def test_a_pair_that_cannot_be_made_has_none():
    assert sampled(mxy(0, 0, 0.5, 0.5), ([0, 1], [0]), 3) is None
