from __future__ import annotations

import dataclasses
import functools
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqbio.errors import ParameterError
from seqbio.pairhmm.dp import (
    Machine,
    best_path_score,
    expected_counts,
    likelihood,
    log_likelihood,
    match_posterior,
)
from tests.pairhmm.machines import (
    EXTREME,
    MANY_STATES,
    USUAL,
    coded,
    difficult_pairs,
    mxy,
    odds_of_identity,
    pairs_of_all_lengths,
    random_letters,
    random_machine,
    relative,
)
from tests.reference import pair_hmm as reference

pytestmark = pytest.mark.filterwarnings("error")

ALL = USUAL | EXTREME | MANY_STATES
seeds = st.integers(0, 2**32 - 1)


def each(machines):
    return pytest.mark.parametrize("machine", machines.values(), ids=machines.keys())


@functools.cache
def paths_of(kinds, n, m):
    return list(reference.all_paths(kinds, n, m))


def close(actual, expected, message="", rtol=1e-10):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol / 10, err_msg=message)


def off_diagonal(table):
    return table * (1 - np.eye(len(table)))


def compare_counts(counts, pair, expected, message="", rtol=1e-10):
    """Compare one pair's counts with those of the reference."""
    for actual, wanted in [
        (counts.log_likelihood[pair], expected.log_likelihood),
        (counts.matches[pair], expected.matches),
        (counts.opening[:, pair], expected.transitions[0, 1:]),
        (counts.crossing[:, :, pair], off_diagonal(expected.transitions[1:, 1:])),
        (counts.beginning[:, pair], expected.beginning[1:]),
        (counts.ending[:, pair], expected.ending),
    ]:
        close(actual, wanted, message, rtol)


def all_transitions(machine, counts, pair, x, y):
    """Return the whole table of expected moves, from those counted and what must be conserved.

    Every letter of a sequence is matched or stands in a gap, and what enters a state leaves it.
    Where gaps of one sequence have several states, the visits of each are counted.
    """
    n_states = len(machine.kinds)
    moves = np.zeros((n_states, n_states))
    moves[0, 1:] = counts.opening[:, pair]
    moves[1:, 1:] = counts.crossing[:, :, pair]
    matched = counts.matches[pair].sum()
    letters = {"x": len(x), "y": len(y)}
    for g in range(1, n_states):
        visits = letters[machine.kinds[g]] - matched
        if counts.visits is not None:
            visits = counts.visits[g - 1, pair]
        moves[g, g] = visits - moves[:, g].sum()
        moves[g, 0] = visits - moves[g, 1:].sum() - counts.ending[g, pair]
    moves[0, 0] = 1 + matched - moves[0, 1:].sum() - counts.ending[0, pair]
    return moves


# --- against everything that can have happened --------------------------------------------------


@each(ALL)
def test_equals_the_sum_over_all_alignments(machine):
    pairs = pairs_of_all_lengths(5 if len(machine.kinds) == 3 else 3)
    pairs_coded = coded(machine, pairs)
    scores, best = log_likelihood(machine, pairs_coded), best_path_score(machine, pairs_coded)
    counts = expected_counts(machine, pairs_coded)
    for pair, (x, y) in enumerate(pairs):
        paths = paths_of(machine.kinds, len(x), len(y))
        expected, best_score = reference.enumerated_counts(machine, x, y, paths)
        message = f"x = {x}, y = {y}"
        close(scores[pair], expected.log_likelihood, message)
        close(best[pair], best_score, message)
        compare_counts(counts, pair, expected, message)
        posterior = match_posterior(machine, coded(machine, [(x, y)]))
        assert (posterior is None) == (expected.log_likelihood == -np.inf)
        if posterior is not None:
            close(posterior, expected.aligned, message)


@each(ALL)
def test_the_loops_equal_the_sum_over_all_alignments(machine):
    # What the kernels are compared with on longer pairs is itself compared here.
    for x, y in pairs_of_all_lengths(3):
        paths = paths_of(machine.kinds, len(x), len(y))
        expected, best_score = reference.enumerated_counts(machine, x, y, paths)
        close(reference.viterbi(machine, x, y)[0], best_score)
        results = [reference.expected_counts(machine, x, y)]
        if machine.kinds == "mxy":
            results.append(reference.expected_counts_by_rows(machine, x, y))
        for counts in results:
            for name, values in dataclasses.asdict(expected).items():
                close(getattr(counts, name), values, name)


# --- against the textbook's loops ---------------------------------------------------------------


@each(ALL)
def test_equals_the_loops_in_a_batch_of_mixed_lengths(machine):
    generator = np.random.default_rng(0)
    x = random_letters(generator, 36)
    pairs = [
        (x, relative(generator, x)),
        (x[18:] + x[:18], x),
        (x, x[::-1]),
        (x[:30], x[10:30]),
        (random_letters(generator, 1), x),
        (x[:7], []),
    ]
    pairs_coded = coded(machine, pairs)
    scores, best = log_likelihood(machine, pairs_coded), best_path_score(machine, pairs_coded)
    counts = expected_counts(machine, pairs_coded)
    for pair, (x, y) in enumerate(pairs):
        expected = reference.expected_counts(machine, x, y)
        close(scores[pair], expected.log_likelihood, f"pair {pair}")
        close(best[pair], reference.viterbi(machine, x, y)[0], f"pair {pair}")
        compare_counts(counts, pair, expected, f"pair {pair}", rtol=1e-9)


def test_equals_the_loops_for_pairs_of_150():
    machine, generator = USUAL["end by state"], np.random.default_rng(1)
    x = random_letters(generator, 150)
    for y in (relative(generator, x), x[75:] + x[:75]):
        pairs_coded = coded(machine, [(x, y)])
        expected = reference.expected_counts(machine, x, y)
        compare_counts(expected_counts(machine, pairs_coded), 0, expected, rtol=1e-9)
        close(match_posterior(machine, pairs_coded), expected.aligned, rtol=1e-9)


# --- scaling: no path is ever lost --------------------------------------------------------------

SEVERE = {
    "usual": mxy(0.02, 0.05, 0.6, 0.3, 0.1, 0.25, end=(0.02, 0.2, 0.05)),
    "usual, few mismatches": mxy(0.02, 0.05, 0.6, 0.3, odds=odds_of_identity(1 - 1e-5)),
    "rare gaps": EXTREME["rare gaps"],
    "rare gaps, few mismatches": mxy(1e-6, 1e-6, 1e-4, 1e-4, odds=odds_of_identity(1 - 1e-5)),
    "long gaps": mxy(0.02, 0.03, 0.95, 0.95),
    "many short gaps": mxy(0.45, 0.03, 0.0101, 0.5, odds=odds_of_identity(0.9)),
    "extend 1e-14": mxy(0.02, 0.05, 1e-14, 1e-14),
    "extend 0": EXTREME["extend 0"],
    "extend_x 0, few mismatches": mxy(0.02, 0.05, 0, 0.5, odds=odds_of_identity(1 - 1e-5)),
    "open_x 0": mxy(0, 0.05, 0.4, 0.5, odds=odds_of_identity(0.9)),
    "open_y 0": mxy(0.05, 0, 0.4, 0.5, odds=odds_of_identity(0.9)),
    "no gaps": EXTREME["no gaps"],
    "no mismatches": EXTREME["no mismatches"],
    "no mismatches, open_x 0": EXTREME["no mismatches, open_x 0"],
    "close 0": EXTREME["close 0"],
    "match 0": EXTREME["match 0"],
}


def compare_with_rows(machine, pairs):
    pairs_coded = coded(machine, list(pairs.values()))
    scores, best = log_likelihood(machine, pairs_coded), best_path_score(machine, pairs_coded)
    counts = expected_counts(machine, pairs_coded)
    for pair, (name, (x, y)) in enumerate(pairs.items()):
        expected = reference.expected_counts_by_rows(machine, x, y)
        close(scores[pair], expected.log_likelihood, name, rtol=1e-9)
        close(best[pair], reference.best_score_by_rows(machine, x, y), name, rtol=1e-9)
        compare_counts(counts, pair, expected, name, rtol=1e-7)


@each(SEVERE)
def test_no_path_is_lost_in_difficult_pairs(machine):
    compare_with_rows(machine, difficult_pairs(40))


@pytest.mark.slow
@each(SEVERE)
def test_no_path_is_lost_in_difficult_pairs_that_are_long(machine):
    compare_with_rows(machine, difficult_pairs(350))


@each({name: SEVERE[name] for name in ("usual", "many short gaps")})
def test_rows_that_other_lanes_use_are_not_in_the_way(machine):
    """Rows beyond the end of x are swept for longer pairs, and no more when these are done."""
    named = difficult_pairs(350)
    pairs, short = list(named.values()), list(named).index("50 times longer")
    for scored in (log_likelihood, best_path_score):
        together = scored(machine, coded(machine, pairs))
        alone = [scored(machine, coded(machine, [pair]))[0] for pair in pairs]
        np.testing.assert_array_equal(together, alone)
    expected = reference.expected_counts_by_rows(machine, *pairs[short])
    close(log_likelihood(machine, coded(machine, pairs))[short], expected.log_likelihood)
    compare_counts(expected_counts(machine, coded(machine, pairs)), short, expected, rtol=1e-7)


FEW = odds_of_identity(1 - 1e-5)
DEAD_END = ([2, *[0] * 300, 3], [*[0] * 300, 1, 2])


@pytest.mark.parametrize(
    ("machine", "pair"),
    [
        # All beginnings but bad ones lead nowhere: gaps in x must not open.
        (mxy(0, 0.05, 0.4, 0.5, odds=odds_of_identity(0.9)), difficult_pairs(150)["shifted"]),
        # Any two beginnings can be finished, but a gap that grows must open again and again.
        (mxy(0.02, 0.05, 0.4, 0, odds=FEW), difficult_pairs(150)["homologous"]),
        # Only every third anti-diagonal has values that the match state can be entered from.
        (mxy(0.5, 0.5, 0, 0, odds=odds_of_identity(0.9)), difficult_pairs(150)["identical"]),
        # Only the two 2s may be aligned, and in the same cells are paths 1e300 times better.
        (mxy(0.02, 0.05, 0.4, 0.5, odds=odds_of_identity(1.0)), DEAD_END),
        (mxy(0.05, 0, 0.4, 0.5, odds=FEW), difficult_pairs(150)["homologous"]),
    ],
    ids=["open_x 0", "extend_y 0", "match and extend 0", "no mismatches", "open_y 0"],
)
def test_no_path_is_lost_beside_one_that_leads_nowhere(machine, pair):
    compare_with_rows(machine, {"pair": pair})


@pytest.mark.parametrize("machine", [SEVERE["usual"], SEVERE["rare gaps, few mismatches"]])
def test_homology_behind_2000_letters_that_have_none(machine):
    generator = np.random.default_rng(0)
    shared = random_letters(generator, 500)
    x = random_letters(generator, 2000) + shared
    [score] = log_likelihood(machine, coded(machine, [(x, shared)]))
    [best] = best_path_score(machine, coded(machine, [(x, shared)]))
    f = reference.forward_by_rows(machine, x, shared)
    close(score, reference.ended_by_rows(machine, f[-1, -1]), rtol=1e-9)
    close(best, reference.best_score_by_rows(machine, x, shared), rtol=1e-9)


# --- parameters at their limits -----------------------------------------------------------------


def test_pairs_that_cannot_be_made_have_no_likelihood_and_no_counts():
    machine = mxy(0, 0, 0.5, 0.5)
    possible, impossible = ([0, 1, 2], [0, 1, 3]), ([0, 1, 2], [0, 1])
    pairs_coded = coded(machine, [impossible, possible, impossible])
    counts = expected_counts(machine, pairs_coded)
    assert np.isfinite(counts.log_likelihood).tolist() == [False, True, False]
    assert (counts.log_likelihood[[0, 2]] == -np.inf).all()
    assert (best_path_score(machine, pairs_coded)[[0, 2]] == -np.inf).all()
    for values in (counts.opening, counts.crossing, counts.beginning, counts.ending):
        assert not values[..., [0, 2]].any()
    assert not counts.matches[[0, 2]].any()
    assert match_posterior(machine, coded(machine, [impossible])) is None


def test_without_gaps_a_pair_is_the_product_of_its_columns():
    machine = mxy(0, 0, 0.5, 0.5, end=0.1)
    generator = np.random.default_rng(2)
    x, y = random_letters(generator, 700), random_letters(generator, 700)
    [score] = log_likelihood(machine, coded(machine, [(x, y)]))
    close(score, np.log(machine.odds[x, y]).sum() + 700 * np.log(0.9) + np.log(0.1))


def test_a_pair_with_an_empty_sequence_is_one_gap():
    machine = mxy(0.1, 0.2, 0.6, 0.3, end=0.1)
    pairs = [([], []), ([0] * 300, []), ([], [1] * 300)]
    expected = [
        np.log(0.1),
        300 * np.log(0.9) + np.log(0.1) + 299 * np.log(0.6) + np.log(0.1),
        300 * np.log(0.9) + np.log(0.2) + 299 * np.log(0.3) + np.log(0.1),
    ]
    close(log_likelihood(machine, coded(machine, pairs)), expected)


def probabilities(largest):
    return st.just(0.0) | st.floats(1e-9, largest)


@given(
    open_x=probabilities(0.5),
    open_y=probabilities(0.5),
    extend_x=probabilities(1.0),
    extend_y=probabilities(1.0),
    switch_x=probabilities(1.0),
    switch_y=probabilities(1.0),
    end=st.floats(0.001, 0.999),
    seed=seeds,
)
def test_equals_the_loops_for_any_parameters(seed, **parameters):
    machine, generator = mxy(**parameters), np.random.default_rng(seed)
    x = random_letters(generator, 8)
    pairs = [(x, relative(generator, x)), (random_letters(generator, 3), x)]
    counts = expected_counts(machine, coded(machine, pairs))
    for pair, (x, y) in enumerate(pairs):
        expected = reference.expected_counts(machine, x, y)
        compare_counts(counts, pair, expected, rtol=1e-9)


# --- what must not matter -----------------------------------------------------------------------


def counts_of_each_pair(machine, pairs):
    """Return the counts with the pairs first, whatever the others."""
    counts = expected_counts(machine, coded(machine, pairs))
    return [
        counts.log_likelihood,
        best_path_score(machine, coded(machine, pairs)),
        counts.matches,
        np.moveaxis(counts.opening, -1, 0),
        np.moveaxis(counts.crossing, -1, 0),
        np.moveaxis(counts.beginning, -1, 0),
        np.moveaxis(counts.ending, -1, 0),
    ]


@settings(max_examples=10)
@given(seed=seeds, lengths=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), max_size=7))
def test_neither_order_nor_company_of_the_pairs_matters(seed, lengths):
    machine, generator = USUAL["end by state"], np.random.default_rng(seed)
    pairs = [([0, 1], [0])]
    pairs += [(random_letters(generator, n), random_letters(generator, m)) for n, m in lengths]
    together = counts_of_each_pair(machine, pairs)
    order = generator.permutation(len(pairs))
    shuffled = counts_of_each_pair(machine, [pairs[k] for k in order])
    for values, others in zip(together, shuffled, strict=True):
        np.testing.assert_array_equal(others, values[order])
    for k, pair in enumerate(pairs):
        for values, others in zip(together, counts_of_each_pair(machine, [pair]), strict=True):
            np.testing.assert_array_equal(others[0], values[k])


@each(ALL)
@pytest.mark.parametrize("exchanged", [False, True])
def test_memory_that_was_not_written_is_not_read(machine, exchanged, monkeypatch):
    """Not even to be multiplied by 0, since what stands there may be nan."""

    def spoiled(shape, dtype=float):
        return np.full(shape, {"f": np.nan, "b": True}.get(np.dtype(dtype).kind, 12345), dtype)

    if exchanged:
        kinds = machine.kinds.translate(str.maketrans("xy", "yx"))
        machine = dataclasses.replace(machine, kinds=kinds)
    pairs = coded(machine, [*difficult_pairs(25).values(), *pairs_of_all_lengths(2)])
    monkeypatch.setattr(likelihood, "np", SimpleNamespace(**vars(np) | {"empty": spoiled}))
    counts = expected_counts(machine, pairs)
    possible = np.isfinite(counts.log_likelihood)
    assert possible.any()
    assert np.isfinite(counts.matches[possible]).all()
    for name in ("opening", "crossing", "ending"):
        assert np.isfinite(getattr(counts, name)[..., possible]).all(), name


@each(ALL)
def test_exchanging_the_sequences_exchanges_the_results(machine):
    swapped = Machine(
        machine.kinds.translate(str.maketrans("xy", "yx")),
        machine.transitions,
        machine.end,
        machine.odds.T.copy(),
    )
    pairs = [*difficult_pairs(25).values(), *pairs_of_all_lengths(2)]
    counts = expected_counts(machine, coded(machine, pairs))
    others = expected_counts(swapped, coded(swapped, [(y, x) for x, y in pairs]))
    close(others.matches.swapaxes(1, 2), counts.matches, rtol=1e-9)
    for name in ("log_likelihood", "opening", "crossing", "ending"):
        close(getattr(others, name), getattr(counts, name), name, rtol=1e-9)


@each(USUAL | MANY_STATES)
@pytest.mark.parametrize("size", [1, 5, 17])
def test_size_of_the_tiles_does_not_matter(machine, size, monkeypatch):
    pairs = [*difficult_pairs(40).values(), *pairs_of_all_lengths(2)]
    usual = counts_of_each_pair(machine, pairs)
    monkeypatch.setattr(likelihood, "LARGEST", size)
    monkeypatch.setattr(likelihood, "LARGEST_WHOLE", size)
    others = counts_of_each_pair(machine, pairs)
    if size > 1:
        # What is at a node is the same number in any tile; sums over nodes depend on their order.
        np.testing.assert_array_equal(others[0], usual[0])
        np.testing.assert_array_equal(others[1], usual[1])
    for values, found in zip(usual, others, strict=True):
        close(found, values, rtol=1e-9)


# --- what must hold -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "machine",
    [
        mxy(0.1, 0.2, 0.5, 0.4, 0.1, 0.2, end=0.6, odds=np.ones((2, 2))),
        mxy(0.1, 0.2, 0.5, 0.4, end=(0.7, 0.5, 0.6), odds=np.ones((2, 2))),
        random_machine("mxyxy", n_letters=2),
    ],
)
def test_probabilities_of_all_pairs_sum_to_1(machine):
    background = np.array([0.3, 0.7])
    joint = np.array([[0.25, 0.05], [0.05, 0.65]])
    letters = dataclasses.replace(machine, odds=joint / background[:, None] / background)
    # Where all odds are 1 the likelihood is that of the lengths: their distribution sums to 1,
    longest = 40
    lengths = [([0] * n, [0] * m) for n in range(longest + 1) for m in range(longest + 1)]
    silent = dataclasses.replace(machine, odds=np.ones((2, 2)))
    of_lengths = np.exp(log_likelihood(silent, coded(silent, lengths)))
    of_lengths = of_lengths.reshape(longest + 1, longest + 1)
    left_over = (1 - machine.end.min()) ** (longest + 1)
    assert 1 - left_over - 1e-12 <= of_lengths.sum() <= 1 + 1e-12
    # and those of all pairs of two lengths sum to the probability of the lengths.
    for n, m in itertools.product(range(5), range(5)):
        pairs = [
            (list(word[:n]), list(word[n:])) for word in itertools.product((0, 1), repeat=n + m)
        ]
        gaps = np.array([background[[*x, *y]].prod() for x, y in pairs])
        total = np.exp(log_likelihood(letters, coded(letters, pairs))) @ gaps
        close(total, of_lengths[n, m])


@each(USUAL | EXTREME | MANY_STATES)
def test_the_counts_that_are_left_out_follow_from_conservation(machine):
    pairs = [*difficult_pairs(6).values(), *pairs_of_all_lengths(3)]
    counts = expected_counts(machine, coded(machine, pairs))
    for pair, (x, y) in enumerate(pairs):
        if np.isfinite(counts.log_likelihood[pair]):
            expected = reference.expected_counts(machine, x, y)
            actual = all_transitions(machine, counts, pair, x, y)
            np.testing.assert_allclose(actual, expected.transitions, atol=1e-8)


@each(USUAL | MANY_STATES)
def test_counts_are_within_what_the_letters_allow(machine):
    pairs = [*difficult_pairs(30).values(), *pairs_of_all_lengths(2)]
    counts = expected_counts(machine, coded(machine, pairs))
    np.testing.assert_allclose(counts.ending.sum(axis=0), np.isfinite(counts.log_likelihood))
    for values in (counts.matches, counts.opening, counts.crossing, counts.ending):
        assert (values >= 0).all()
    for (x, y), matches in zip(pairs, counts.matches, strict=True):
        assert (matches.sum(axis=1) <= np.bincount(x, minlength=4) + 1e-9).all()
        assert (matches.sum(axis=0) <= np.bincount(y, minlength=4) + 1e-9).all()


@each(USUAL | MANY_STATES)
def test_posterior_is_a_probability_and_sums_to_the_counts(machine):
    for x, y in difficult_pairs(30).values():
        pair_coded = coded(machine, [(x, y)])
        posterior = match_posterior(machine, pair_coded)
        if posterior is None:
            assert log_likelihood(machine, pair_coded)[0] == -np.inf
            continue
        assert posterior.shape == (len(x), len(y))
        assert (posterior >= 0).all()
        assert (posterior.sum(axis=1) <= 1 + 1e-9).all()
        assert (posterior.sum(axis=0) <= 1 + 1e-9).all()
        close(posterior.sum(), expected_counts(machine, pair_coded).matches.sum())


@each(USUAL | {"extend 0": EXTREME["extend 0"]} | MANY_STATES)
def test_counts_are_the_slopes_of_the_log_likelihood(machine):
    """Along the logarithm of any one probability, the others held (Fisher's identity)."""
    generator = np.random.default_rng(5)
    x = random_letters(generator, 40)
    y = relative(generator, x)[:35]
    pairs_coded = coded(machine, [(x, y)])
    counts = expected_counts(machine, pairs_coded)

    def slope(name, *where):
        scores = []
        for step in (1e-4, -1e-4):
            values = getattr(machine, name).copy()
            values[where] *= np.exp(step)
            changed = dataclasses.replace(machine, **{name: values})
            scores.append(log_likelihood(changed, pairs_coded)[0])
        return (scores[0] - scores[1]) / 2e-4

    def check(actual, name, *where):
        np.testing.assert_allclose(actual, slope(name, *where), rtol=1e-6, atol=1e-6)

    for state in range(len(machine.kinds)):
        check(counts.ending[state, 0], "end", state)
    for a, b in itertools.product(range(4), repeat=2):
        check(counts.matches[0, a, b], "odds", a, b)
    if machine.kinds == "mxy":
        moves = all_transitions(machine, counts, 0, x, y)
        for source, target in itertools.product(range(3), repeat=2):
            check(moves[source, target], "transitions", source, target)
    for g, h in itertools.product(range(len(machine.kinds) - 1), repeat=2):
        check(counts.opening[g, 0], "transitions", 0, g + 1)
        if g != h:
            check(counts.crossing[g, h, 0], "transitions", g + 1, h + 1)


@given(seed=seeds, factor=st.sampled_from([0.25, 3.0]))
def test_probabilities_need_not_sum_to_1(seed, factor):
    # A factor on every move and every end comes out as often as there are moves; for gradients
    # taken along single probabilities this must hold off the simplex.
    machine, generator = USUAL["switch"], np.random.default_rng(seed)
    x, y = random_letters(generator, 9), random_letters(generator, 7)
    scaled = dataclasses.replace(machine, end=machine.end * factor)
    before, after = (log_likelihood(m, coded(m, [(x, y)]))[0] for m in (machine, scaled))
    close(after - before, np.log(factor))


@each(ALL)
@pytest.mark.parametrize("factor", [1e-290, 1e-306])
def test_hardly_a_chance_of_ending_loses_no_digit(machine, factor):
    # All paths end once, so that the chance is a factor of all of them, and cancels in counts.
    pairs = coded(machine, [(np.arange(40) % 4, np.arange(30) % 3), (np.zeros(9, int),) * 2])
    rare = dataclasses.replace(machine, end=machine.end * factor)
    for score in (log_likelihood, best_path_score):
        close(score(rare, pairs), score(machine, pairs) + np.log(factor))
    before, after = (expected_counts(m, pairs) for m in (machine, rare))
    for name in ("matches", "opening", "ending"):
        close(getattr(after, name), getattr(before, name), name)


@each(ALL)
def test_the_best_path_is_no_better_than_all_together(machine):
    pairs = list(difficult_pairs(30).values())
    pairs_coded = coded(machine, pairs)
    assert (
        best_path_score(machine, pairs_coded) <= log_likelihood(machine, pairs_coded) + 1e-9
    ).all()


def test_no_pairs_give_empty_results():
    machine = USUAL["untied"]
    assert log_likelihood(machine, coded(machine, [])).shape == (0,)
    assert expected_counts(machine, coded(machine, [])).matches.shape == (0, 4, 4)


@pytest.mark.parametrize("extend", [1e-5, 0.3, 0.99999, 1.0])
def test_weights_of_overhangs_are_powers(extend):
    power, exponent = likelihood._powers(np.array([extend, 0.0]), 50_000)
    expected = np.arange(-1, 49_999).clip(0) * np.log2(extend)
    np.testing.assert_allclose(np.log2(power[0]) + exponent[0], expected, rtol=1e-12, atol=1e-12)
    assert (power[1, :2] == 1).all()
    assert not power[1, 2:].any()
    for longest in (2, 3, 4, 5, 9):
        for some, all_of_them in zip(
            likelihood._powers(np.array([extend, 0.5]), longest),
            likelihood._powers(np.array([extend, 0.5]), 50_000),
            strict=True,
        ):
            np.testing.assert_array_equal(some, all_of_them[:, :longest])


def test_pairs_that_are_swept_in_parts_are_those_swept_together(monkeypatch):
    machine, pairs = USUAL["untied"], pairs_of_all_lengths(9)
    together = log_likelihood(machine, coded(machine, pairs)), counted(machine, pairs)
    monkeypatch.setattr(likelihood, "MOST_TILES", 3)
    apart = log_likelihood(machine, coded(machine, pairs)), counted(machine, pairs)
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(likelihood._cut(coded(machine, pairs), 16)) > 3


def counted(machine, pairs):
    counts = expected_counts(machine, coded(machine, pairs))
    return np.concatenate([counts.log_likelihood, counts.matches.ravel(), counts.opening.ravel()])


def test_what_memory_cannot_hold_is_refused_before_the_work(monkeypatch):
    machine = USUAL["tied"]
    pairs = [(random_letters(np.random.default_rng(1), n), [0, 1, 2, 3]) for n in (400, 90)]
    expected = log_likelihood(machine, coded(machine, pairs))
    monkeypatch.setattr("seqbio.core.memory._memory", lambda: 2000)
    message = r"^sequences of 400 and 4 letters take about .* GB .*\(ends='free_x', --ends free_x"
    with pytest.raises(ParameterError, match=message):
        expected_counts(machine, coded(machine, pairs))
    with pytest.raises(ParameterError, match=message):
        match_posterior(machine, coded(machine, pairs[:1]))
    # The sum over all alignments keeps a row of tiles alone.
    np.testing.assert_array_equal(log_likelihood(machine, coded(machine, pairs)), expected)
