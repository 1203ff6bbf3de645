"""Symmetries of sequence models as tied parameters.

A symmetry that a biologist believes in (a motif works on either strand, gaps arise alike in both
sequences, the same rules hold all along) is a *tying*: one number used in several places. Untie
it, fit both models, and the ratio of the two likelihoods tests the belief. So the package has one
concept of tying, one way to fit and one way to test, and three families of models that use them:
motif detectors, recurrent models and pair hidden Markov models.

Names are imported when they are first used, so that ``import seqbio`` costs little.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqbio import datasets, errors, plots, report
    from seqbio.core import Fit, Hypothesis, Layout, Tying, fit
    from seqbio.hypothesis_testing import LikelihoodRatioResult, compare, likelihood_ratio_test
    from seqbio.motif import MotifDetector, scan
    from seqbio.pairhmm import GroupedPairs, PairHMM
    from seqbio.recurrent import CharacterAlphabet, MarkovModel, RecurrentModel, read_text
    from seqbio.sequences import read_fasta, read_pairs, write_fasta

__version__ = "0.1.0"

_HOMES = {
    "seqbio.core": ("Fit", "Hypothesis", "Layout", "Tying", "fit"),
    "seqbio.hypothesis_testing": ("LikelihoodRatioResult", "compare", "likelihood_ratio_test"),
    "seqbio.motif": ("MotifDetector", "scan"),
    "seqbio.pairhmm": ("GroupedPairs", "PairHMM"),
    "seqbio.recurrent": ("CharacterAlphabet", "MarkovModel", "RecurrentModel", "read_text"),
    "seqbio.sequences": ("read_fasta", "read_pairs", "write_fasta"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
_SUBMODULES = (
    "cli",
    "core",
    "datasets",
    "errors",
    "hypothesis_testing",
    "motif",
    "neural",
    "pairhmm",
    "plots",
    "recurrent",
    "report",
    "sequences",
)

__all__ = [
    "CharacterAlphabet",
    "Fit",
    "GroupedPairs",
    "Hypothesis",
    "Layout",
    "LikelihoodRatioResult",
    "MarkovModel",
    "MotifDetector",
    "PairHMM",
    "RecurrentModel",
    "Tying",
    "compare",
    "datasets",
    "errors",
    "fit",
    "likelihood_ratio_test",
    "plots",
    "read_fasta",
    "read_pairs",
    "read_text",
    "report",
    "scan",
    "write_fasta",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _SUBMODULES:
        return import_module(f"seqbio.{name}")
    raise AttributeError(f"module 'seqbio' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_SUBMODULES, "__version__"})
