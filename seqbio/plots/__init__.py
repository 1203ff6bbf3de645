"""Figures of fits, tests, alignments and motifs, drawn by matplotlib.

Every function takes what it draws first, then ``ax``, the axes to draw on; without them it makes
a figure of 6 x 4 inches or whatever the data need. It returns the axes, so titles, limits and
files are up to you: ``axes.figure.savefig("gaps.png")``. Lines and marks differ in style as well as
in colour, and the colours can be told apart by colour-blind readers.

Needs matplotlib, and logomaker for logos: ``pip install 'seqbio[plot]'``. Neither is imported
before a figure is drawn.
"""

from seqbio.plots.hypothesis_tests import (
    estimates,
    null_distribution,
    parameters,
    power_curve,
    profile_likelihood,
    pvalue_qq,
)
from seqbio.plots.motifs import motif_logo, motif_positions
from seqbio.plots.pairs import alignment, alignment_posterior, gap_lengths
from seqbio.plots.training import gradient_flow, training_curves

__all__ = [
    "alignment",
    "alignment_posterior",
    "estimates",
    "gap_lengths",
    "gradient_flow",
    "motif_logo",
    "motif_positions",
    "null_distribution",
    "parameters",
    "power_curve",
    "profile_likelihood",
    "pvalue_qq",
    "training_curves",
]
