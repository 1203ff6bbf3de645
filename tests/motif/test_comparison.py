"""Comparison of motifs: p-values that are chances, and known motifs found again."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

from seqbio.errors import InformationWarning, ParameterError
from seqbio.motif import compare_motifs, information_content, make_motif, read_motifs
from seqbio.motif.comparison import _BINS, _pvalues, _Scale
from seqbio.motif.motifs import count_matrix, filter_probabilities, probability_matrix


def random_motif(width, generator, name):
    return make_motif(generator.dirichlet([0.5] * 4, width).T * 30, name)


@pytest.fixture(scope="module")
def known():
    generator = np.random.default_rng(0)
    return [random_motif(int(generator.integers(6, 15)), generator, f"t{k}") for k in range(80)]


def test_sums_have_the_chance_of_all_combinations_of_the_columns_of_a_motif():
    generator = np.random.default_rng(1)
    query = generator.dirichlet([0.5] * 4, 3).T
    known = [generator.dirichlet([0.5] * 4, width).T for width in (4, 2, 5)]
    scale = _Scale(query, np.concatenate(known, axis=1))
    steps = [scale.similarity(matrix) for matrix in known]
    assert min(each.min() for each in steps) == 0
    assert max(each.max() for each in steps) == _BINS
    for first, overlap in ((0, 3), (0, 1), (1, 2), (2, 1)):
        totals = np.arange(overlap * _BINS + 1)
        whole = np.full(len(totals), first), np.full(len(totals), overlap), totals
        rows = slice(first, first + overlap)
        sums = [
            np.array([sum(each) for each in itertools.product(*m[rows].tolist())]) for m in steps
        ]
        expected = [np.mean([np.mean(each >= total) for each in sums]) for total in totals]
        np.testing.assert_allclose(_pvalues(steps, *whole), expected, atol=1e-15)


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


def of_two_kinds(generator):
    """Make motifs of which one half is sharp in all columns and the other half in none."""
    return [
        make_motif(
            100 * generator.dirichlet([[0.1, 1.0][k % 2]] * 4, generator.integers(8, 16)).T, f"t{k}"
        )
        for k in range(120)
    ]


@pytest.mark.parametrize("n_informative", range(11))
def test_pvalues_are_chances_whatever_the_information_of_the_query(n_informative):
    generator = np.random.default_rng(n_informative)
    pvalues = []
    for _ in range(15):
        probability = np.full((4, 10), 0.25)
        columns = generator.choice(10, n_informative, replace=False)
        probability[:, columns] = generator.dirichlet([0.1] * 4, n_informative).T
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InformationWarning)
            matches = compare_motifs(make_motif(100 * probability, "q"), of_two_kinds(generator))
        pvalues += [match.pvalue for match in matches]
    share = np.mean(np.array(pvalues) <= 0.05)
    assert share < 0.06
    assert share > 0.03 or n_informative < 6  # few columns cannot make a sum rare
    assert np.mean(np.array(pvalues) <= 0.01) < 0.014


def test_chance_is_measured_by_motifs_that_are_rich_in_the_same_letters():
    generator = np.random.default_rng(0)
    shares = {"weak": [2.0, 0.2, 0.2, 2.0], "strong": [0.2, 2.0, 2.0, 0.2]}
    known = [
        make_motif(50 * generator.dirichlet(shares[kind], 10).T, f"{kind}{k}")
        for k in range(60)
        for kind in shares
    ]
    pvalues = [
        match.pvalue
        for k in range(10)
        for match in compare_motifs(
            make_motif(50 * generator.dirichlet(shares["weak"], 10).T, f"q{k}"), known
        )
    ]
    for level in (0.01, 0.05):
        assert np.mean(np.array(pvalues) <= level) < 1.3 * level


def test_a_query_without_information_is_like_no_motif(known):
    index = np.random.default_rng(0).integers(0, 4, 20)
    targets = []
    for name, sharpness in (("t1", 0.997), ("t2", 0.9997)):
        probability = np.full((4, 20), (1 - sharpness) / 3)
        probability[index, np.arange(20)] = sharpness
        targets.append(make_motif(100 * probability, name))
    for flat in (np.full((4, 20), 25.0), np.tile([[26.0], [25], [25], [24]], 7)):
        for group in (targets, known):
            with pytest.warns(
                InformationWarning, match=r"'flat' has 0\.\d bits .* one sure let"
            ) as told:
                matches = compare_motifs(make_motif(flat, "flat"), group)
            assert told[0].filename == __file__
            assert {match.pvalue for match in matches} == {1.0}
    one_letter = np.full((4, 8), 25.0)
    one_letter[:, 3] = [100, 0, 0, 0]
    with pytest.warns(InformationWarning, match=r"has 1\.9 bits"):
        compare_motifs(make_motif(one_letter, "A"), known)
    one_letter[:, 4] = [0, 100, 0, 0]
    assert compare_motifs(make_motif(one_letter, "AC"), known)[0].pvalue < 1


def test_wide_identical_motifs_do_not_reach_zero():
    counts = 1e6 * np.eye(4)[np.arange(30) % 4].T
    [match] = compare_motifs(make_motif(counts, "q"), [make_motif(counts, "t")])
    assert 0 < match.pvalue <= 1
    counts = 1e6 * np.eye(4)[np.random.default_rng(0).integers(0, 4, 600)].T
    [match] = compare_motifs(make_motif(counts, "q"), [make_motif(counts, "t")], min_overlap=595)
    assert 0 < match.pvalue < 1e-300


def test_real_motifs_find_themselves_between_formats(real_data):
    known = read_motifs(real_data("motif/motifs_handful.meme"))
    for motif in read_motifs(real_data("motif/motifs_handful.jaspar")):
        assert compare_motifs(motif, known)[0].target == motif.name


def test_alphabets_must_agree(known):
    with pytest.raises(ParameterError, match="query is of rna"):
        compare_motifs(make_motif(np.ones((4, 5)), "q", "rna"), known)


@pytest.mark.parametrize("overlap", [0, -3, 2.5, None])
def test_some_columns_must_meet(known, overlap):
    with pytest.raises(ParameterError, match=r"min_overlap is .* whole number of 1 or more"):
        compare_motifs(known[0], known, min_overlap=overlap)


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
