"""Symmetries of sequence models as tied parameters.

A symmetry that a biologist believes in (a motif works on either strand, gaps arise alike in both
sequences, the same rules hold all along) is a *tying*: one number used in several places. Untie
it, fit both models, and the ratio of the two likelihoods tests the belief. So the package has one
concept of tying, one way to fit and one way to test, and three families of models that use them:
motif detectors, recurrent models and pair hidden Markov models.
"""

from seqbio import datasets, errors

__version__ = "0.1.0"

__all__ = ["datasets", "errors"]
