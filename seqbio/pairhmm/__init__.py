"""Pair hidden Markov models: two related sequences, summed over all their alignments."""

from seqbio.pairhmm.estimator import PairHMM
from seqbio.pairhmm.gap_lengths import GapLengths
from seqbio.pairhmm.groups import GroupedPairs

__all__ = ["GapLengths", "GroupedPairs", "PairHMM"]
