"""Pair hidden Markov models: two related sequences, summed over all their alignments."""

from seqbio.pairhmm.estimator import PairHMM

__all__ = ["PairHMM"]
