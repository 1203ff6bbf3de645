"""Comparison of motifs: p-values that are chances, and known motifs found again."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from seqbio.errors import ParameterError
from seqbio.motif import compare_motifs, information_content, make_motif, read_motifs
from seqbio.motif.comparison import _BINS, _Scale, _SumTables
from seqbio.motif.motifs import count_matrix, filter_probabilities, probability_matrix


def random_motif(width, generator, name):
    return make_motif(generator.dirichlet([0.5] * 4, width).T * 30, name)


@pytest.fixture(scope="module")
def known():
    generator = np.random.default_rng(0)
    return [random_motif(int(generator.integers(6, 15)), generator, f"t{k}") for k in range(80)]


def test_sums_have_the_chance_of_all_combinations_of_columns():
    generator = np.random.default_rng(1)
    query = generator.dirichlet([0.5] * 4, 3).T
    pool = generator.dirichlet([0.5] * 4, 7).T
    similarity = _Scale(query, pool).similarity(pool)
    assert similarity.min() == 0
    assert similarity.max() == _BINS
    totals = [sum(rows) for rows in itertools.product(*similarity)]
    tables = _SumTables(similarity)
    for total in (0, 100, 150, 200, max(totals)):
        expected = np.mean([value >= total for value in totals])
        assert tables.pvalue(0, 3, total) == pytest.approx(expected)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("cut", [slice(None), slice(1, None), slice(0, -2)])
def test_a_noisy_copy_is_recognised_at_its_offset_and_strand(known, turned, cut):
    counts = count_matrix(known[7])[:, cut] + np.random.default_rng(2).random(1) * 2
    strand, begin = "+", cut.start or 0
    if turned:
        counts, strand = counts[::-1, ::-1], "-"
        begin = known[7].length - counts.shape[1] - begin
    best, *others = compare_motifs(make_motif(counts, "query"), known)
    assert (best.target, best.strand, best.offset) == ("t7", strand, -begin)
    assert best.overlap == counts.shape[1]
    assert best.pvalue < 1e-4
    assert best.pvalue < 0.1 * others[0].pvalue


def test_pvalues_are_chances(known):
    generator = np.random.default_rng(3)
    pvalues = np.array(
        [
            match.pvalue
            for k in range(12)
            for match in compare_motifs(random_motif(8, generator, f"q{k}"), known)
        ]
    )
    assert ((pvalues > 0) & (pvalues <= 1)).all()
    # Offsets and strands of one target are dependent, so the correction makes p-values large.
    for level in (0.01, 0.1, 0.5):
        assert (pvalues <= level).mean() < 1.3 * level + 0.005


def test_wide_identical_motifs_do_not_reach_zero():
    counts = 1e6 * np.eye(4)[np.arange(30) % 4].T
    [match] = compare_motifs(make_motif(counts, "q"), [make_motif(counts, "t")])
    assert 0 < match.pvalue <= 1


def test_real_motifs_find_themselves_between_formats(real_data):
    known = read_motifs(real_data("motif/motifs_handful.meme"))
    for motif in read_motifs(real_data("motif/motifs_handful.jaspar")):
        assert compare_motifs(motif, known)[0].target == motif.name


def test_alphabets_must_agree(known):
    with pytest.raises(ParameterError, match="query is of rna"):
        compare_motifs(make_motif(np.ones((4, 5)), "q", "rna"), known)


def test_filters_and_probabilities_are_two_views_of_one_motif():
    generator = np.random.default_rng(4)
    background = np.array([0.4, 0.1, 0.2, 0.3])
    probability = generator.dirichlet([1.0] * 4, 6).T
    weights = np.log(probability / background[:, None]) + generator.normal(size=6)
    np.testing.assert_allclose(filter_probabilities(weights, background), probability)


def test_information_content_is_relative_entropy():
    motif = make_motif([[5, 10], [5, 0], [0, 0], [0, 0]], "x")
    np.testing.assert_allclose(information_content(motif), [1, 2])
    background = np.array([0.5, 0.3, 0.1, 0.1])
    expected = (probability_matrix(motif)[:2, 0] * np.log2(0.5 / background[:2])).sum()
    np.testing.assert_allclose(information_content(motif, background), [expected, 1.0], rtol=1e-12)
