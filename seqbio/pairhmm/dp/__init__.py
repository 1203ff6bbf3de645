"""Dynamic programming over all alignments of many pairs: one compiled sweep, and what is read off.

Functions are imported when they are first used, so that numba is not needed before.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from seqbio.pairhmm.dp.machine import CodedPairs, Counts, Flanks, Machine, MatchPosterior

if TYPE_CHECKING:
    from seqbio.pairhmm.dp.likelihood import best_path_score, expected_counts, log_likelihood
    from seqbio.pairhmm.dp.paths import best_paths, sample_paths
    from seqbio.pairhmm.dp.posterior import match_posterior, match_posteriors

__all__ = [
    "CodedPairs",
    "Counts",
    "Flanks",
    "Machine",
    "MatchPosterior",
    "best_path_score",
    "best_paths",
    "expected_counts",
    "log_likelihood",
    "match_posterior",
    "match_posteriors",
    "sample_paths",
]

_HOMES = {
    "best_path_score": "likelihood",
    "expected_counts": "likelihood",
    "log_likelihood": "likelihood",
    "best_paths": "paths",
    "sample_paths": "paths",
    "match_posterior": "posterior",
    "match_posteriors": "posterior",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
