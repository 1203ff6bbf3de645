"""Recurrent models of sequences: the same rule at every step, or a rule for each.

`RecurrentModel` is a network of tanh, LSTM or GRU cells over the letters of DNA, proteins or text,
as a language model or a classifier; its ties say what stays the same along the sequence, across
gates and across layers. `MarkovModel` is the baseline to try first.
"""

from seqbio.recurrent.estimator import RecurrentModel
from seqbio.recurrent.markov import MarkovModel
from seqbio.sequences import CharacterAlphabet, read_text

__all__ = ["CharacterAlphabet", "MarkovModel", "RecurrentModel", "read_text"]
