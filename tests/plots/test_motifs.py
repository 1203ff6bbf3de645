"""Figures of motifs show their letters and their places."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

import seqbio
from seqbio import plots
from seqbio.errors import ParameterError
from seqbio.motif import make_motif
from tests.plots.artists import labelled

MOTIF = make_motif(20 * np.eye(4)[[3, 2, 0, 1, 1]].T + 0.1, "TGACC")


def letters(axes):
    """Read a logo: the tallest letter of each column, by where it stands."""
    pytest.importorskip("logomaker")
    heights = {}
    for logo in axes.logos_on_test:
        for glyph in logo.glyph_list:
            height = glyph.ceiling - glyph.floor
            if height > heights.get(glyph.p, (0.0, ""))[0]:
                heights[glyph.p] = (height, glyph.c)
    return heights


@pytest.fixture
def recorded(monkeypatch):
    """Keep the logos that are drawn on axes."""
    logomaker = pytest.importorskip("logomaker", reason="logos need logomaker")
    original = logomaker.Logo

    def logo(*arguments, ax, **options):
        made = original(*arguments, ax=ax, **options)
        ax.logos_on_test = [*getattr(ax, "logos_on_test", []), made]
        return made

    monkeypatch.setattr(logomaker, "Logo", logo)


def test_a_logo_stands_beside_its_reverse_complement(recorded):
    axes = plots.motif_logo(MOTIF)
    tallest = letters(axes)
    places = sorted(tallest)
    assert "".join(tallest[place][1] for place in places) == "TGACCGGTCA"
    assert places == [1, 2, 3, 4, 5, 8, 9, 10, 11, 12]
    assert [text.get_text() for text in axes.texts] == ["TGACC", "reverse complement"]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == list("12345") * 2
    assert axes.get_xlim() == (0, 13)


def test_the_other_strand_has_the_complementary_background(recorded):
    axes = plots.motif_logo(MOTIF, background=[0.4, 0.1, 0.2, 0.3])
    tallest = letters(axes)
    for column in range(1, 6):
        assert tallest[column][0] == pytest.approx(tallest[13 - column][0])


def test_a_protein_motif_has_one_strand(recorded):
    axes = plots.motif_logo(make_motif(np.eye(20)[:3].T, "three", "protein"))
    assert len(axes.texts) == 1


SEQUENCES = [
    "TGACC" + "A" * 35,
    "A" * 20 + "TGACC" + "A" * 15,
    "A" * 20 + "GGTCA" + "A" * 15,
    "A" * 40,
]


def hits(records=SEQUENCES, motifs=MOTIF):
    return seqbio.scan(motifs, records, threshold=0.001)


def test_the_best_hit_of_each_sequence_counts_by_strand():
    axes = plots.motif_positions(hits(), SEQUENCES)
    drawn = {}
    for bars in axes.containers:
        for bar in bars:
            if bar.get_height():
                drawn[bars.get_label(), bar.get_x()] = bar.get_height()
    # Bins are two letters wide; the middles are letters 3 and 23.
    assert drawn == {
        ("+ strand", 2.5): 1,
        ("+ strand", 22.5): 1,
        ("- strand", 22.5): 1,
    }
    assert "3 of 4" in axes.get_ylabel()


def test_only_the_best_hit_of_a_sequence_counts():
    records = ["A" * 10 + "TGACC" + "A" * 10 + "TGACC"]
    axes = plots.motif_positions(hits(records), records)
    assert sum(bar.get_height() for bars in axes.containers for bar in bars) == 1


def test_expectation_and_band_are_those_of_even_windows():
    records = [*SEQUENCES, "TGACC" + "A" * 15]
    axes = plots.motif_positions(hits(records), records)
    expected = labelled(axes, "if every place").get_data().values
    # Three hits in sequences of 36 windows, one in a sequence of 16; none reaches a first middle
    # before letter 3.
    assert expected.sum() == pytest.approx(4)
    assert expected[1] == pytest.approx(3 * 2 / 36 + 2 / 16)
    assert expected[-3] == pytest.approx(3 * 2 / 36)
    band = labelled(axes, "95 %").get_data()
    np.testing.assert_array_equal(band.values, binom.ppf(0.975, 4, expected / 4))
    np.testing.assert_array_equal(band.baseline, binom.ppf(0.025, 4, expected / 4))


def test_hits_that_cannot_be_drawn_are_refused():
    with pytest.raises(ParameterError, match="2 sequences and 4 were scanned"):
        plots.motif_positions(hits(), SEQUENCES[:2])
    other = make_motif(20 * np.eye(4)[[0] * 5].T + 0.1, "A5")
    both = hits(motifs=[MOTIF, other])
    with pytest.raises(ParameterError, match="choose one of TGACC, A5"):
        plots.motif_positions(both, SEQUENCES)
    assert "3 of 4" in plots.motif_positions(both, SEQUENCES, "TGACC").get_ylabel()
    with pytest.raises(ParameterError, match="no hits"):
        plots.motif_positions(hits(["ACACAC"]), ["ACACAC"])
