"""Motif detectors: one filter everywhere, or one for each place."""

from seqbio.motif.detector import MotifDetector

__all__ = ["MotifDetector"]
