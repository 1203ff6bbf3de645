"""A motif is its letters: no use of one depends on the order that it has them in."""

from __future__ import annotations

import io
from itertools import permutations

import numpy as np
import pytest
from Bio import motifs as bio_motifs

from seqbio import plots
from seqbio.errors import ParameterError
from seqbio.motif import (
    compare_motifs,
    information_content,
    letter_frequencies,
    make_motif,
    read_motifs,
    scan,
    write_motifs,
)
from seqbio.motif.logo import draw_logo
from seqbio.motif.motifs import checked_background, count_matrix, probability_matrix

COUNTS = {"A": [2, 0, 7, 0], "C": [0, 1, 3, 0], "G": [0, 9, 0, 4], "T": [8, 0, 0, 6]}
UNEVEN = {"A": 0.4, "C": 0.1, "G": 0.2, "T": 0.3}
ORDERS = ["".join(order) for order in permutations("ACGT")]


def motif_of(order, counts=COUNTS):
    """Make the one motif, with its letters in some order; U stands for T."""
    motif = bio_motifs.Motif(order, counts={a: counts[a.replace("U", "T")] for a in order})
    motif.name = "m"
    return motif


@pytest.mark.parametrize("letters", ["ACGT", "ACGU"])
@pytest.mark.parametrize("order", ORDERS)
def test_every_use_is_by_letter(order, letters, tmp_path):
    one, other = motif_of(letters), motif_of(order.replace("T", letters[3]))
    background = {a.replace("T", letters[3]): share for a, share in UNEVEN.items()}
    np.testing.assert_array_equal(count_matrix(other), [COUNTS[a] for a in "ACGT"])
    for shares in (background, list(UNEVEN.values())):
        np.testing.assert_array_equal(
            probability_matrix(other, pseudocount=1, background=shares),
            probability_matrix(one, pseudocount=1, background=background),
        )
        np.testing.assert_array_equal(
            information_content(other, shares), information_content(one, background)
        )
        places = [
            [(hit.start, hit.strand, hit.matched, hit.score) for hit in scan(motif, words, 0.02)]
            for words in (["TGACTGCATTGATCATCA".replace("T", letters[3])],)
            for motif in (one, other)
        ]
        assert places[0] == places[1] != []
    known = [one, make_motif(np.eye(4), "diagonal", "rna" if letters[3] == "U" else "dna")]
    assert compare_motifs(other, known) == compare_motifs(one, known)
    known[0] = other
    assert compare_motifs(one, known)[0].target == "m"
    for file_format in ("meme", "jaspar"):
        write_motifs(other, tmp_path / "m", file_format, background=background)
        [back] = read_motifs(tmp_path / "m")
        assert back.alphabet == letters
        np.testing.assert_allclose(
            probability_matrix(back), probability_matrix(one), rtol=0, atol=1e-9
        )


def test_the_letters_of_a_protein_motif_may_stand_in_any_order():
    letters = "ACDEFGHIKLMNPQRSTVWY"
    counts = dict(
        zip(letters, np.random.default_rng(0).dirichlet([0.1] * 20, 6).T * 30, strict=True)
    )
    one, other = (bio_motifs.Motif(order, counts=counts) for order in (letters, letters[::-1]))
    np.testing.assert_array_equal(information_content(one), information_content(other))
    assert compare_motifs(other, [one]) == compare_motifs(one, [one])
    with pytest.raises(ParameterError, match="the motifs are of protein"):
        scan(other, ["MKV"])


@pytest.mark.parametrize("order", ["GATC", "TGCA"])
def test_logos_are_by_letter(order):
    figure = pytest.importorskip("matplotlib.figure")
    pytest.importorskip("logomaker")
    extents = []
    for each in (motif_of("ACGT"), motif_of(order)):
        axes = figure.Figure().subplots(1, 2)
        draw_logo(each, axes[0], background=UNEVEN)
        plots.motif_logo(each, background=UNEVEN, ax=axes[1])
        extents.append([patch.get_path().vertices for part in axes for patch in part.patches])
    for one, other in zip(*extents, strict=True):
        np.testing.assert_allclose(one, other)


FOUR_COLUMNS = {  # rows are columns of the motif, and columns stand for A, C, G and T
    "pfm-four-columns": ">m\n0 0 0 9\n0 0 9 0\n9 0 0 0\n0 9 0 0\n0 9 0 0\n",
    "pfm-four-rows": ">m\n0 0 9 0 0\n0 0 0 9 9\n0 9 0 0 0\n9 0 0 0 0\n",
    "clusterbuster": ">m\n0 0 0 9\n0 0 9 0\n9 0 0 0\n0 9 0 0\n0 9 0 0\n",
    "xms": "<motifset><motif><name>m</name><weightmatrix columns='5'>"
    + "".join(
        f"<column pos='{i}'>"
        + "".join(
            f"<weight symbol='{name}'>{float(name[0] == letter.lower())}</weight>"
            for name in ("adenine", "cytosine", "guanine", "thymine")
        )
        + "</column>"
        for i, letter in enumerate("TGACC")
    )
    + "</weightmatrix></motif></motifset>",
}


@pytest.mark.parametrize("name", FOUR_COLUMNS)
def test_motifs_of_biopythons_readers_are_the_words_that_they_say(name):
    [motif] = bio_motifs.parse(io.StringIO(FOUR_COLUMNS[name]), name)
    assert motif.alphabet == "GATC"
    assert motif.consensus == "TGACC"
    sequence = "AATGACCAAGACTTAAGGTCATT"
    hits = scan(motif, [sequence], 0.001, pseudocount=0.1)
    assert [(hit.matched, hit.strand) for hit in hits] == [("TGACC", "+"), ("TGACC", "-")]


def test_motifs_of_other_letters_or_without_counts_are_refused():
    strange = bio_motifs.Motif("ACGN", counts={letter: [1, 1] for letter in "ACGN"})
    for use in (
        information_content,
        lambda motif: scan(motif, ["ACGT"]),
        lambda motif: compare_motifs(motif_of("ACGT"), [motif]),
        lambda motif: write_motifs([motif], "-"),
    ):
        strange.name = "odd"
        with pytest.raises(ParameterError, match=r"motif 'odd' has the letters 'ACGN'; motifs are"):
            use(strange)
    for nothing in (None, "ACGT", [strange], strange.counts):
        with pytest.raises(ParameterError, match=r"expected motifs of Bio.motifs"):
            compare_motifs(nothing, [motif_of("ACGT")])
        with pytest.raises(ParameterError, match=r"expected motifs of Bio.motifs"):
            information_content(nothing)
    with pytest.raises(ParameterError, match="motif '' has no counts"):
        scan(bio_motifs.Motif("ACGT"), ["ACGT"])
    for numbers in ([-1.0, 2.0], [np.nan, 2.0], [np.inf, 1.0], []):
        broken = motif_of("GATC", dict.fromkeys("ACGT", numbers))
        with pytest.raises(ParameterError, match=r"the counts of motif 'm' are .* numbers of 0 or"):
            scan(broken, ["ACGT"])


def test_a_background_is_a_number_for_each_letter():
    expected = [0.4, 0.1, 0.2, 0.3]
    for order in ORDERS:
        given = {letter: UNEVEN[letter] for letter in order}
        np.testing.assert_allclose(checked_background(given, "ACGT"), expected)
    rounded = np.array([0.246, 0.254, 0.250, 0.251])
    np.testing.assert_allclose(checked_background(rounded, "ACGT"), rounded / 1.001)
    motif = motif_of("GATC")
    np.testing.assert_array_equal(checked_background(motif.background, "ACGT"), [0.25] * 4)
    for wrong, message in (
        ({"A": 0.5, "C": 0.5}, "background: no number for G, T; give one for each letter"),
        (dict(zip("ACGU", expected, strict=True)), "no number for T, and 'U' is none of ACGT"),
        (dict(zip("acgt", expected, strict=True)), "no number for A, C, G, T, and 'a', 'c', 'g'"),
        (dict.fromkeys("ACGT", "x"), "background: found .* give one number for each letter"),
        ("equal", "background: found 'equal'; give one number for each letter of ACGT, in this"),
        ([0.5, 0.5], "give one number for each letter of ACGT, in this order or by letter"),
        ([[0.25] * 4], "give one number for each letter"),
        (0.25, "background: found 0.25; give one number for each letter"),
        ([0.25, 0.25, 0.25, 0.19], "give 4 numbers above 0 that add up to 1"),
        (dict.fromkeys("ACGT", 0.2), r"give 4 numbers above 0 .* for ACGT in this order"),
    ):
        with pytest.raises(ParameterError, match=message):
            scan(motif, ["ACGT"], background=wrong)
    shares = letter_frequencies(["GGGT"], strands="one")
    assert scan(motif, ["TGAT"], 1.0, background=shares)[0].score == pytest.approx(
        scan(motif, ["TGAT"], 1.0, background=dict(zip("ACGT", shares, strict=True)))[0].score
    )
