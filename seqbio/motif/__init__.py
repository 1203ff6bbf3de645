"""Motif detectors: one filter everywhere, or one for each place."""

from seqbio.motif.comparison import Match, compare_motifs
from seqbio.motif.detector import MotifDetector
from seqbio.motif.formats import read_motifs, write_hits, write_motifs
from seqbio.motif.logo import draw_logo, draw_logos
from seqbio.motif.motifs import information_content, make_motif
from seqbio.motif.scanning import Hit, Hits, letter_frequencies, scan

__all__ = [
    "Hit",
    "Hits",
    "Match",
    "MotifDetector",
    "compare_motifs",
    "draw_logo",
    "draw_logos",
    "information_content",
    "letter_frequencies",
    "make_motif",
    "read_motifs",
    "scan",
    "write_hits",
    "write_motifs",
]
