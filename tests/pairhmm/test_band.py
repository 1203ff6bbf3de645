"""Sums inside a band equal those over the full matrix, also where a band does not fit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqbio.pairhmm import band, band_sweep
from seqbio.pairhmm.band import banding
from seqbio.pairhmm.batches import make_batches
from seqbio.pairhmm.kernels import (
    best_path_score,
    expected_counts,
    log_likelihood,
    match_posterior,
)
from seqbio.pairhmm.paths import best_paths
from tests.pairhmm.machines import (
    mxy,
    odds_of_identity,
    random_letters,
    random_machine,
    relative,
)

pytestmark = pytest.mark.filterwarnings("error")

ALIKE = odds_of_identity(0.85)
MACHINES = {
    "untied": mxy(0.02, 0.03, 0.5, 0.4, end=1e-3, odds=ALIKE),
    "tied": mxy(0.02, 0.02, 0.5, 0.5, end=1e-3, odds=ALIKE),
    "switch": mxy(0.02, 0.03, 0.5, 0.4, 0.1, 0.25, end=1e-3, odds=ALIKE),
    "end by state": mxy(0.02, 0.03, 0.3, 0.4, 0.1, 0.2, end=(0.001, 0.02, 0.005)),
    "switch one way": mxy(0.02, 0.03, 0.4, 0.5, 0.3, 0, end=1e-3, odds=ALIKE),
    "rare long gaps": mxy(1e-4, 1e-4, 0.8, 0.8, end=1e-3, odds=ALIKE),
    "short gaps": mxy(0.05, 0.05, 1e-3, 1e-6, end=1e-3, odds=ALIKE),
}
BOUNDARY = {
    "open_x 0": mxy(0, 0.05, 0.4, 0.5, end=1e-3, odds=ALIKE),
    "extend 0": mxy(0.02, 0.05, 0, 0, end=1e-3, odds=ALIKE),
    "no gaps": mxy(0, 0, 0.4, 0.5, end=1e-3, odds=ALIKE),
    "close 0": mxy(0.1, 0.1, 0.4, 0.5, 1, 1, end=1e-3, odds=ALIKE),
    "no mismatches": mxy(0.02, 0.05, 0.4, 0.5, end=1e-3, odds=odds_of_identity(1.0)),
}
seeds = st.integers(0, 2**32 - 1)


def each(machines):
    return pytest.mark.parametrize("machine", machines.values(), ids=machines.keys())


def batches_of(pairs, *, banded):
    x, y = (
        [np.array(side, dtype=np.uint8) for side in sides] for sides in zip(*pairs, strict=True)
    )
    return make_batches(x, y, 4, banded=banded)


def homologous(generator, length, changed=0.1, gapped=0.01):
    x = random_letters(generator, length)
    return x, relative(generator, x, changed, gapped)


def adversaries(seed=0):
    """Pairs whose alignments do not keep to one diagonal, or might not."""
    generator = np.random.default_rng(seed)
    x, y = homologous(generator, 200)
    a, b = random_letters(generator, 100), random_letters(generator, 100)
    extra = random_letters(generator, 300)
    unit = random_letters(generator, 12)
    return {
        "shuffled": (x, generator.permutation(x).tolist()),
        "reverse complement": (x, [3 - letter for letter in y[::-1]]),
        "50 times longer": (x[:20], random_letters(generator, 1000)),
        "translocated": (a + b, relative(generator, b) + relative(generator, a)),
        "inserted first, deleted last": (x + extra, extra[::-1] + y),
        "tandem repeat": (a + unit * 9 + b, relative(generator, a) + unit * 8 + b),
        "long tandem repeat": (a + b[:60] * 2 + a, a + b[:60] + a),
        "one letter": ([0] * 200, [0] * 190),
        "two letters": ([0, 1] * 100, [0, 1] * 100),
        "unrelated in the middle": (a + extra[:120] + b, a + extra[150:270] + b),
        "moved nearby": (a + b[:40] + extra[:60] + x, a + extra[200:260] + b[:40] + x),
        "long gap": (a + extra + b, relative(generator, a) + relative(generator, b)),
        "unrelated": (x, random_letters(generator, 200)),
    }


def compare(machine, pairs):
    inside, full = (batches_of(pairs, banded=banded) for banded in (True, False))
    counts, expected = expected_counts(machine, inside), expected_counts(machine, full)
    np.testing.assert_allclose(counts.log_likelihood, expected.log_likelihood, rtol=0, atol=1e-9)
    for name in ("matches", "opening", "crossing", "ending"):
        np.testing.assert_allclose(
            getattr(counts, name), getattr(expected, name), rtol=1e-7, atol=1e-7, err_msg=name
        )
    assert (counts.visits is None) == (expected.visits is None)
    if expected.visits is not None:
        np.testing.assert_allclose(counts.visits, expected.visits, rtol=1e-7, atol=1e-7)
    for function in (log_likelihood, best_path_score):
        np.testing.assert_allclose(
            function(machine, inside), function(machine, full), rtol=0, atol=1e-9
        )
    for path, other in zip(best_paths(machine, inside), best_paths(machine, full), strict=True):
        np.testing.assert_array_equal(path, other)
    for pair in pairs:
        [alone], [other] = (batches_of([pair], banded=banded) for banded in (True, False))
        posterior = match_posterior(machine, alone)
        np.testing.assert_allclose(posterior, match_posterior(machine, other), atol=1e-9)


def widths(machine, pairs):
    return banding(machine, batches_of(pairs, banded=True)).width


# --- where a band fits --------------------------------------------------------------------------


@each(MACHINES)
def test_a_band_gives_what_the_full_matrix_gives(machine):
    generator = np.random.default_rng(1)
    pairs = [homologous(generator, length) for length in (330, 350, 400)]
    assert (widths(machine, pairs) > 0).sum() >= 2
    compare(machine, pairs)


def test_pairs_that_fit_and_pairs_that_do_not_share_a_batch():
    generator = np.random.default_rng(2)
    shuffled = random_letters(generator, 300), random_letters(generator, 300)
    pairs = [homologous(generator, 300), shuffled, homologous(generator, 310)]
    found = widths(MACHINES["untied"], pairs) > 0
    assert found.tolist() == [True, False, True]
    compare(MACHINES["untied"], pairs)


def test_a_band_follows_drifting_pairs():
    generator = np.random.default_rng(3)
    x = random_letters(generator, 800)
    y = [letter for place, letter in enumerate(x) if place % 40]
    assert widths(MACHINES["untied"], [(x, y)])[0] < 120
    compare(MACHINES["untied"], [(x, y), (y, x)])


def test_more_letters_than_four_and_words_of_two():
    generator = np.random.default_rng(4)
    machine = dataclasses.replace(MACHINES["untied"], odds=odds_of_identity(0.8, 20))
    x = random_letters(generator, 300, 20)
    y = relative(generator, x, 0.2, 0.01, 20)
    codes = [np.array(x, dtype=np.uint8)], [np.array(y, dtype=np.uint8)]
    inside, full = (make_batches(*codes, 20, banded=banded) for banded in (True, False))
    assert banding(machine, inside).width[0] > 0
    np.testing.assert_allclose(
        log_likelihood(machine, inside), log_likelihood(machine, full), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("adjoining", [True, False])
def test_several_gap_states_of_each_sequence(adjoining):
    machine = random_machine("mxyxy")
    moves = machine.transitions * 0.05
    if not adjoining:
        moves[1:, 1:] *= np.eye(4)
    moves[0, 0] = 0.9
    moves[1:, 0] += 0.5
    machine = dataclasses.replace(machine, transitions=moves, end=np.full(5, 1e-3), odds=ALIKE)
    pairs = [homologous(np.random.default_rng(5), 300)]
    assert widths(machine, pairs)[0] > 0
    compare(machine, pairs)


@pytest.mark.parametrize("n_symbols", [4, 20])
@pytest.mark.parametrize("cells", [1, 2_000, 10**6])
def test_it_does_not_matter_how_many_cells_are_looked_up_at_once(monkeypatch, cells, n_symbols):
    generator = np.random.default_rng(12)
    machine = dataclasses.replace(MACHINES["switch"], odds=odds_of_identity(0.8, n_symbols))
    pairs = []
    for length in (330, 350, 400):
        x = random_letters(generator, length, n_symbols)
        pairs.append((x, relative(generator, x, 0.1, 0.01, n_symbols)))
    x, y = ([np.array(side, dtype=np.uint8) for side in s] for s in zip(*pairs, strict=True))
    expected = expected_counts(machine, make_batches(x, y, n_symbols, banded=False))
    monkeypatch.setattr(band_sweep, "CELLS_IN_CACHE", cells)
    batches = make_batches(x, y, n_symbols)
    assert (banding(machine, batches).width > 0).sum() >= 2
    sums, counts = log_likelihood(machine, batches), expected_counts(machine, batches)
    for found in (sums, counts.log_likelihood):
        np.testing.assert_allclose(found, expected.log_likelihood, rtol=0, atol=1e-9)
    for name in ("matches", "opening", "crossing", "ending"):
        np.testing.assert_allclose(
            getattr(counts, name), getattr(expected, name), rtol=1e-7, atol=1e-7, err_msg=name
        )


# --- where it does not --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["untied", "switch", "rare long gaps"])
def test_pairs_that_do_not_fit_are_computed_in_full(name):
    compare(MACHINES[name], list(adversaries().values()))


@pytest.mark.parametrize(
    "name",
    [
        *("shuffled", "reverse complement", "50 times longer", "translocated", "one letter"),
        *("inserted first, deleted last", "long gap", "unrelated"),
    ],
)
def test_what_does_not_fit_is_noticed(name):
    assert widths(MACHINES["untied"], [adversaries()[name]]).tolist() == [0]


@each(BOUNDARY)
def test_probabilities_of_0_need_the_full_matrix(machine):
    pairs = [homologous(np.random.default_rng(6), 200)]
    assert widths(machine, pairs).tolist() == [0]
    compare(machine, pairs)


def test_short_pairs_are_computed_in_full():
    assert not widths(MACHINES["untied"], [homologous(np.random.default_rng(7), 100)]).any()


def test_batches_can_be_kept_from_banding():
    pairs = [homologous(np.random.default_rng(8), 400)]
    assert not banding(MACHINES["untied"], batches_of(pairs, banded=False)).width.any()


# --- evidence -----------------------------------------------------------------------------------


def test_a_narrow_band_admits_its_loss(monkeypatch):
    machine = MACHINES["untied"]
    monkeypatch.setattr(band, "half_width", lambda _: 3)
    monkeypatch.setattr(band, "WIDE", 3)
    monkeypatch.setattr(band, "WIDEST", 3)
    monkeypatch.setattr(band, "LARGEST_LOSS", np.inf)
    generator = np.random.default_rng(9)
    pairs = [homologous(generator, 400, 0.2, 0.02) for _ in range(6)]
    [inside], [full] = (batches_of(pairs, banded=banded) for banded in (True, False))
    exact = log_likelihood(machine, [full])[full.members]
    n_short = 0
    for lanes, sweep, positions in band.banded(machine, inside, np.add):
        short = exact[positions] - sweep.result[lanes]
        assert (short > -1e-9).all()
        assert (sweep.loss[lanes] >= short - 1e-9).all()
        n_short += (short > 1e-9).sum()
    assert n_short > 0


def test_banding_says_how_pairs_were_computed():
    generator = np.random.default_rng(10)
    pairs = [homologous(generator, 600), homologous(generator, 60)]
    found = banding(MACHINES["untied"], batches_of(pairs, banded=True))
    assert 0 < found.width[0] < 200
    assert found.width[1] == 0
    assert found.share[0] < 0.3
    assert found.share[1] == 1
    assert 0 <= found.loss[0] <= band.LARGEST_LOSS
    assert found.loss[1] == 0


# --- any parameters, any pairs ------------------------------------------------------------------


@settings(max_examples=25)
@given(
    seed=seeds,
    opening=st.floats(1e-4, 0.2),
    extending=st.floats(0.01, 0.97),
    switching=st.sampled_from([0.0, 0.1, 0.4]),
    identity=st.floats(0.4, 0.99),
    changed=st.floats(0, 0.4),
    gapped=st.floats(0, 0.04),
)
def test_banding_changes_nothing(seed, opening, extending, switching, identity, changed, gapped):
    generator = np.random.default_rng(seed)
    odds = odds_of_identity(identity)
    machine = mxy(opening, opening / 2, extending, extending / 2, switching, switching, 1e-3, odds)
    pairs = [homologous(generator, length, changed, gapped) for length in (190, 260)]
    pairs += [adversaries(seed)[name] for name in ("tandem repeat", "moved nearby")]
    inside, full = (batches_of(pairs, banded=banded) for banded in (True, False))
    np.testing.assert_allclose(
        log_likelihood(machine, inside), log_likelihood(machine, full), rtol=0, atol=1e-9
    )


@pytest.mark.slow
def test_a_pair_of_5000():
    generator = np.random.default_rng(11)
    pairs = [homologous(generator, 5000, 0.2, 0.01)]
    assert widths(MACHINES["untied"], pairs)[0] > 0
    inside, full = (batches_of(pairs, banded=banded) for banded in (True, False))
    for function in (log_likelihood, best_path_score):
        np.testing.assert_allclose(
            function(MACHINES["untied"], inside), function(MACHINES["untied"], full), atol=1e-9
        )
