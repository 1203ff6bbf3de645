"""Scanning against brute force over all words and all windows."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqbio
from seqbio.errors import DuplicateIdWarning, ParameterError
from seqbio.motif import letter_frequencies, make_motif, scan
from seqbio.motif import scan as scan_function
from seqbio.motif.scan_kernels import find_windows, list_kmers, make_searches
from seqbio.motif.scanning import q_values
from seqbio.motif.score_distribution import score_table
from seqbio.sequences import DNA
from tests.reference import motif as reference

UNEVEN = np.array([0.4, 0.15, 0.05, 0.4])


def random_motif(width, seed=0, name="m", alphabet="dna"):
    counts = np.random.default_rng(seed).dirichlet([0.4] * 4, width).T * 20
    return make_motif(counts, name, alphabet)


@pytest.mark.parametrize("width", [1, 4, 8])
def test_pvalues_are_those_of_all_words(width):
    table = score_table(random_motif(width), background=UNEVEN)
    scores, chances = np.zeros(1, dtype=np.int64), np.ones(1)
    for column in table.matrix.T:
        scores = (scores[:, None] + column).ravel()
        chances = (chances[:, None] * UNEVEN).ravel()
    assert len(scores) == 4**width
    order = np.argsort(-scores)
    tail = np.cumsum(chances[order])
    # Equal scores have one p-value, that of the last of them.
    last = np.searchsorted(-scores[order], -scores, side="right") - 1
    np.testing.assert_allclose(table.pvalue(scores), tail[last], rtol=1e-12)
    best = scores.max()
    np.testing.assert_allclose(table.pvalue(best), chances[scores == best].sum(), rtol=1e-12)
    assert (table.pvalue(scores) > 0).all()
    assert table.pvalue(scores.min()) == pytest.approx(1)


@given(seed=st.integers(0, 99), pvalue=st.floats(1e-6, 1))
def test_the_threshold_is_the_lowest_score_that_is_rare_enough(seed, pvalue):
    table = score_table(random_motif(5, seed), background=UNEVEN)
    threshold = table.threshold(pvalue)
    highest = table.lowest + len(table.survival) - 1
    assert threshold > highest or table.pvalue(threshold) <= pvalue
    assert threshold == table.lowest or table.pvalue(threshold - 1) > pvalue


@given(
    widths=st.lists(st.integers(1, 27), min_size=1, max_size=4),
    seed=st.integers(0, 99),
    quantile=st.sampled_from([0.0, 0.5, 0.98, 1.0]),
    lengths=st.lists(st.integers(0, 120), min_size=1, max_size=4),
    n_repeated=st.integers(0, 30),
)
def test_all_windows_that_reach_the_threshold_are_found(
    widths, seed, quantile, lengths, n_repeated
):
    generator = np.random.default_rng(seed)
    stretches = [generator.choice(5, n, p=[0.24, 0.24, 0.24, 0.24, 0.04]) for n in lengths]
    matrices = [generator.integers(-300, 200, (4, width)) for width in widths]
    repeated = np.minimum(n_repeated, lengths)
    expected, n_windows, thresholds = [], [], []
    for search, width in enumerate(widths):
        windows = [
            (stretch, place, score)
            for stretch, codes in enumerate(stretches)
            for place, score in reference.window_scores_of_letters(matrices[search].T, codes)
            if place + width > repeated[stretch]
        ]
        scores = [score for _, _, score in windows]
        thresholds.append(int(np.quantile(scores, quantile)) if scores else 0)
        n_windows.append(len(windows))
        expected += [(search, *window) for window in windows if window[2] >= thresholds[-1]]
    searches = make_searches(matrices, thresholds)
    letters = np.concatenate(stretches).astype(np.uint8)
    begins = np.concatenate([[0], np.cumsum(lengths)])
    codes = np.arange(256)
    kmers = list_kmers(searches)
    hits, counted = find_windows(letters, codes, begins, repeated, searches, kmers)
    assert sorted(map(tuple, hits.tolist())) == expected
    assert counted.tolist() == n_windows


def random_letters(length, seed, extra=""):
    letters = list("ACGT" * 5 + extra)
    return "".join(np.random.default_rng(seed).choice(letters, length))


def brute_force(motif, sequence, threshold, background):
    """All hits of both strands, in plain loops over `calculate`-like sums."""
    found = set()
    for strand, matrix in (
        ("+", np.array([motif.counts[a] for a in "ACGT"])),
        ("-", np.array([motif.counts[a] for a in "ACGT"])[::-1, ::-1]),
    ):
        table = score_table(make_motif(matrix, "x"), background=background)
        for at in range(len(sequence) - matrix.shape[1] + 1):
            window = sequence[at : at + matrix.shape[1]].upper()
            if set(window) <= set("ACGT"):
                score = sum(table.matrix["ACGT".index(a), j] for j, a in enumerate(window))
                pvalue = float(table.pvalue(score))
                if pvalue <= threshold:
                    found.add((at, strand, round(score / 100, 2), pvalue))
    return found


@given(seed=st.integers(0, 30), width=st.integers(3, 12))
def test_hits_are_those_of_brute_force(seed, width):
    motif = random_motif(width, seed)
    sequences = [random_letters(80, seed + k, extra="Nn") for k in range(3)]
    hits = scan(motif, sequences, threshold=0.02, background=UNEVEN)
    for number, sequence in enumerate(sequences, start=1):
        found = {
            (hit.start, hit.strand, round(hit.score, 2), hit.pvalue)
            for hit in hits
            if hit.sequence == f"sequence{number}"
        }
        assert found == brute_force(motif, sequence, 0.02, UNEVEN)
    n_usable = sum(
        set(sequence[at : at + width].upper()) <= set("ACGT")
        for sequence in sequences
        for at in range(80 - width + 1)
    )
    assert hits.n_windows.tolist() == [2 * n_usable]


@pytest.mark.parametrize("block", [64, 100, 1 << 20])
def test_pieces_do_not_matter(monkeypatch, block):
    motifs = [random_motif(width, width, f"m{width}") for width in (1, 4, 9, 20)]
    records = {f"r{k}": random_letters(n, k, extra="N") for k, n in enumerate([500, 3, 150, 64])}
    text = "".join(f">{name}\n{letters}\n" for name, letters in records.items())
    expected = scan(motifs, list(records.values()), threshold=0.05)
    monkeypatch.setattr("seqbio.motif.scanning._BLOCK", block)
    monkeypatch.setattr("seqbio.motif.scanning._TOGETHER", 3)  # of 8 searches
    for source in (io.StringIO(text), seqbio.read_fasta(io.StringIO(text))):
        hits = scan(motifs, source, threshold=0.05)
        np.testing.assert_array_equal(hits.n_windows, expected.n_windows)
        for name, column in expected.columns.items():
            np.testing.assert_array_equal(hits.columns[name], column, err_msg=name)


def test_strands_are_equal_partners():
    motif = random_motif(7, 3)
    sequence = random_letters(2000, 5)
    turned = DNA.decode(DNA.reverse_complement(DNA.encode(sequence)))
    one, other = (scan(motif, [letters], threshold=0.01) for letters in (sequence, turned))
    assert {(hit.start, hit.strand, hit.matched) for hit in one} == {
        (2000 - hit.stop, "-" if hit.strand == "+" else "+", hit.matched) for hit in other
    }
    for hit in one:
        letters = sequence[hit.start : hit.stop]
        if hit.strand == "-":
            letters = DNA.decode(DNA.reverse_complement(DNA.encode(letters)))
        assert hit.matched == letters


def test_soft_masked_letters_can_be_skipped():
    motif = make_motif(50 * np.eye(4)[[3, 2, 0, 1, 1]].T, "TGACC")
    sequence = "TGACCaatgaccTGAcC"
    assert [hit.start for hit in scan(motif, [sequence], 0.001)] == [0, 7, 12]
    hits = scan(motif, [sequence], 0.001, soft_masked="skip")
    assert [hit.start for hit in hits] == [0]
    assert hits.n_windows.tolist() == [2]


def test_rna_has_one_strand_unless_asked():
    motif = make_motif(50 * np.eye(4)[[3, 2, 3, 0]].T, "UGUA", "rna")
    assert [hit.matched for hit in scan(motif, ["AAUGUAUACA"], 0.01)] == ["UGUA"]
    both = scan(motif, ["AAUGUAUACA"], 0.01, strands="both")
    assert [(hit.matched, hit.strand) for hit in both] == [("UGUA", "+"), ("UGUA", "-")]


def test_q_values_are_those_of_all_tests():
    from scipy.stats import false_discovery_control

    pvalues = np.sort(np.random.default_rng(0).random(1000) ** 3)
    expected = false_discovery_control(pvalues)
    # The unseen p-values are those above the threshold, which could only lower the last rates.
    np.testing.assert_allclose(q_values(pvalues[:300], 1000)[:200], expected[:200])
    assert q_values([], 10).size == 0
    hits = scan([random_motif(5, k, f"m{k}") for k in range(2)], [random_letters(500, 1)], 0.02)
    for motif in ("m0", "m1"):
        own = [hit for hit in hits if hit.motif == motif]
        rates = q_values([hit.pvalue for hit in own], 2 * 496)
        np.testing.assert_allclose([hit.qvalue for hit in own], rates)
    together = q_values([hit.pvalue for hit in hits], 4 * 496)
    np.testing.assert_allclose([hit.qvalue_all for hit in hits], together)


def test_the_order_of_the_hits():
    hits = scan([random_motif(5, k, f"m{k}") for k in range(2)], [random_letters(300, 1)] * 2, 0.05)
    keys = [(hit.sequence, hit.start, hit.motif, hit.strand) for hit in hits]
    assert keys == sorted(keys)
    assert hits[-1] == hits[len(hits) - 1]
    assert hits[:2] == [hits[0], hits[1]]


def test_letter_frequencies():
    records = ["AAAC", "ANNT"]
    np.testing.assert_allclose(
        letter_frequencies(records, strands="one"), np.array([4.5, 1.5, 0.5, 1.5]) / 8
    )
    both = letter_frequencies(records)
    assert both[0] == both[3]
    assert both[1] == both[2]
    text = io.StringIO(">x\nAAAC\n>y\nANNT\n")
    np.testing.assert_array_equal(letter_frequencies(text), both)
    with pytest.raises(ParameterError, match="one strand"):
        letter_frequencies(["MK"], "protein")


def test_refusals():
    motif = random_motif(4)
    with pytest.raises(ParameterError, match="threshold is 0"):
        scan(motif, ["ACGT"], threshold=0)
    with pytest.raises(ParameterError, match="of dna, rna"):
        scan([motif, random_motif(4, alphabet="rna")], ["ACGT"])
    with pytest.raises(ParameterError, match="protein"):
        scan(make_motif(np.ones((20, 3)), "p", "protein"), ["MKV"])
    with pytest.raises(ParameterError, match="add up to 1"):
        scan(motif, ["ACGT"], background=[0.1, 0.1, 0.1, 0.1])
    with pytest.raises(ParameterError, match="pseudocount above 0"):
        scan(make_motif(np.eye(4), "x"), ["ACGT"], pseudocount=0)
    with pytest.raises(ParameterError, match="read_motifs"):
        scan([], ["ACGT"])
    with pytest.raises(ParameterError, match="several motifs are named 'm'"):
        scan([motif, random_motif(3)], ["ACGT"])
    empty = make_motif([[1, 0], [1, 0], [0, 0], [0, 0]], "x")
    with pytest.raises(ParameterError, match="column 2 of motif 'x' has no counts"):
        scan(empty, ["ACGT"])
    for number in (np.inf, np.nan, -1.0):
        with pytest.raises(ParameterError, match=f"pseudocount is {number}; give a finite number"):
            scan(motif, ["ACGT"], pseudocount=number)
    assert len(scan_function(motif, ["AC"])) == 0


def test_ids_that_repeat_in_a_file_are_a_warning():
    text = ">x\nACGT\n>y\nACGT\n>x\nACGT\n"
    with pytest.warns(DuplicateIdWarning, match="file object: .* 'x'; give") as caught:
        scan(random_motif(2), io.StringIO(text), threshold=1.0)
    assert caught[0].filename == __file__
