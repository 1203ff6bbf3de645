"""Figures of alignments show the alignment and its probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from Bio.Align import Alignment

import seqbio
from seqbio import plots
from seqbio.errors import ParameterError
from seqbio.pairhmm import GapLengths
from tests.plots.artists import labelled, xy

X, Y = "ACGTTGACCATTTTGAC", "ACGTTGACCATTTGAC"


@pytest.fixture(scope="module")
def hmm():
    return seqbio.PairHMM(substitution="k80").set_parameters(
        {
            "open_x": 0.05,
            "open_y": 0.05,
            "extend_x": 0.3,
            "extend_y": 0.3,
            "end": 0.05,
            "distance": 0.1,
            "kappa": 2.0,
        }
    )


def test_dots_are_probabilities_and_the_band_is_the_best_alignment(hmm):
    axes = plots.alignment_posterior(hmm, X, Y)
    posterior = hmm.posterior(X, Y)
    [image] = axes.images
    shown = image.get_array()
    np.testing.assert_array_equal(shown.filled(0.0), np.where(posterior < 0.01, 0, posterior).T)
    # The middle of letter 1 of both is at (1, 1).
    left, right, bottom, top = image.get_extent()
    assert (left, top) == (0.5, 0.5)
    assert (right, bottom) == (len(X) + 0.5, len(Y) + 0.5)
    [best] = hmm.align([(X, Y)])
    path = np.array(xy(labelled(axes, "best alignment")))
    np.testing.assert_array_equal(path, best.coordinates + 0.5)


def test_circles_are_where_the_best_alignment_is_unsure(hmm):
    axes = plots.alignment_posterior(hmm, X, Y)
    posterior = hmm.posterior(X, Y)
    [best] = hmm.align([(X, Y)])
    expected = {
        (i + 1, j + 1)
        for (begin, end), (start, _) in zip(*best.aligned, strict=True)
        for i, j in zip(range(begin, end), range(start, start + end - begin), strict=True)
        if posterior[i, j] < 0.9
    }
    assert expected
    x, y = xy(labelled(axes, "aligned so"))
    assert set(zip(x, y, strict=True)) == expected


def test_long_sequences_show_the_highest_probability_of_each_square(hmm):
    x, y = X * 15, Y * 15
    shown = plots.alignment_posterior(hmm, x, y).images[0].get_array().filled(0.0)
    posterior = hmm.posterior(x, y)
    assert shown.shape == (len(y) // 2, -(-len(x) // 2))
    for row, column in ((0, 0), (0, shown.shape[1] - 1), (50, 53), (119, 127)):
        square = posterior[2 * column : 2 * column + 2, 2 * row : 2 * row + 2]
        highest = square.max()
        assert shown[row, column] == (highest if highest >= 0.01 else 0.0)


def test_an_alignment_is_written_with_a_bar_on_each_column():
    aligned = Alignment(["ACGTAC", "AGGAC"], np.array([[0, 3, 4, 6], [0, 3, 3, 5]]))
    confidence = [1.0, 0.2, 0.9, 0.4, 0.8, 0.95]
    axes = plots.alignment(aligned, confidence)
    by_line = {}
    for text in axes.texts:
        column, line = text.get_position()
        by_line.setdefault(line, {})[column] = text.get_text()
    lines = ["".join(by_line[line][c] or " " for c in range(1, 7)) for line in sorted(by_line)]
    assert lines == ["ACGTAC", "|.| ||", "AGG-AC"]
    assert [bar.get_height() / 0.9 for bar in axes.patches] == pytest.approx(confidence)
    assert [bar.get_center()[0] for bar in axes.patches] == pytest.approx(range(1, 7))


def test_an_alignment_may_bring_its_confidence_or_have_none(hmm):
    alignments = hmm.align([(X, Y)])
    assert not plots.alignment(alignments[0]).patches
    [assessed] = hmm.assess(alignments)
    heights = [bar.get_height() / 0.9 for bar in plots.alignment(assessed).patches]
    assert heights == pytest.approx(assessed.confidence)


def test_long_alignments_go_on_below_with_their_letters_counted():
    aligned = Alignment(["A" * 130, "A" * 129], np.array([[0, 5, 6, 130], [0, 5, 5, 129]]))
    axes = plots.alignment(aligned)
    counted = [label.get_text().split()[-1] for label in axes.get_yticklabels()]
    assert counted == ["1", "1", "61", "60", "121", "120"]


@pytest.mark.parametrize("confidence", [[0.5, 0.5], [0.5, 0.5, 1.2], [0.5, np.nan, 0.5]])
def test_confidence_is_a_probability_for_each_column(confidence):
    aligned = Alignment(["ACG", "ACG"], np.array([[0, 3], [0, 3]]))
    with pytest.raises(ParameterError, match="3 columns"):
        plots.alignment(aligned, confidence)


def test_an_alignment_of_three_is_refused():
    aligned = Alignment(["AC", "AC", "AC"], np.array([[0, 2]] * 3))
    with pytest.raises(ParameterError, match="3 sequences"):
        plots.alignment(aligned)


def test_gaps_of_each_length_stand_beside_the_law():
    gaps = GapLengths(
        np.arange(1, 4),
        np.array([9.0, 3.0, 0.5]),
        np.array([5.0, 0.0, 0.2]),
        np.array([8.0, 3.5, 1.0]),
        np.array([4.0, 1.0, 0.3]),
        np.array([0.7, 0.2]),
        np.array([0.3, 0.1]),
    )
    axes = plots.gap_lengths(gaps)
    for side in "xy":
        name = f"letters of {side} against a gap, "
        lengths, found = xy(labelled(axes, name + "data"))
        assert lengths.tolist() == [1, 2, 3, 5]
        longer = getattr(gaps, f"longer_{side}")
        assert found.tolist() == [*getattr(gaps, f"posterior_{side}"), longer[0]]
        assert (
            xy(labelled(axes, name + "law"))[1].tolist() == getattr(gaps, f"fitted_{side}").tolist()
        )
        assert (5.0, longer[1]) in [(x[0], y[0]) for x, y in map(xy, axes.lines) if len(x) == 1]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3", "> 3"]
    assert axes.get_yscale() == "log"
