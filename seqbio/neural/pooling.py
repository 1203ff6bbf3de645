"""Scores of all windows as one number for each sequence; `best_windows` takes the highest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbio.neural.workspace import Array


def pool_log_mean_exp(scores: Array, n_windows: NDArray[Any], n_scores: int) -> tuple[Array, Array]:
    """Average the likelihood ratios that the scores are logarithms of, over windows and strands.

    If one window, each as likely as any other, holds the motif, and the score is the log odds of
    motif against background, this is the exact log odds of the sequence.

    Parameters
    ----------
    scores : ndarray of float, (N, F, P)
        Of all windows; those past `n_windows` are not looked at.
    n_windows : ndarray of int, (N,)
        How many windows each sequence has.
    n_scores : int
        How many scores (strands) each window and motif has: neighbouring filters,
        ``F = n_motifs * n_scores``, are pooled together.

    Returns
    -------
    pooled : ndarray of float, (N, n_motifs)
        Log mean exp.
    share : ndarray of float, (N, F, P)
        Derivatives of `pooled` with respect to the scores: what each window contributes.
    """
    n_sequences, n_filters, n_positions = scores.shape
    missing = np.arange(n_positions) >= n_windows[:, None]
    work = np.where(missing[:, None], scores.dtype.type(-np.inf), scores)
    joint = work.reshape(n_sequences, n_filters // n_scores, n_scores * n_positions)
    largest = joint.max(axis=2, keepdims=True)
    np.exp(joint - largest, out=joint)
    total = joint.sum(axis=2, keepdims=True)
    joint /= total
    count = np.log((n_windows * n_scores).astype(scores.dtype))[:, None]
    pooled = largest[:, :, 0] + np.log(total[:, :, 0]) - count
    return pooled, work
