"""Log-probabilities of what is to be predicted, and their derivatives by the logits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbio.neural.workspace import Array

Codes = NDArray[np.integer[Any]]


def cross_entropy(
    logits: Array, targets: Codes, membership: Array, valid: NDArray[np.bool_] | None
) -> tuple[Array, Array]:
    """Compute log-probabilities of symbols, and minus their derivatives by the logits.

    Parameters
    ----------
    logits : ndarray, (steps, outputs, batch)
        Overwritten by the derivatives.
    targets : ndarray of int, (steps, batch)
        Codes; one that stands for several outputs has the average of their probabilities.
    membership : ndarray, (n_codes, outputs)
        Which outputs a code stands for; the first `outputs` codes stand for themselves.
    valid : ndarray of bool, (steps, batch), or None
        What counts; elsewhere both results are 0. None means all.

    Returns
    -------
    log_probability : ndarray, (steps, batch)
        Of the targets, nats.
    slopes : ndarray, (steps, outputs, batch)
        Derivatives of minus their sum by the logits.

    Examples
    --------
    >>> logits = np.log([[[0.2], [0.8]]])
    >>> values, slopes = cross_entropy(logits, np.array([[1]]), np.eye(2), None)
    >>> np.exp(values).round(3), slopes.ravel().round(3)
    (array([[0.8]]), array([ 0.2, -0.2]))
    """
    n_outputs = logits.shape[1]
    several = targets >= n_outputs
    first = np.where(several, 0, targets)[:, None]
    logits -= logits.max(axis=1, keepdims=True)
    log_probability = np.take_along_axis(logits, first, axis=1)[:, 0]
    np.exp(logits, out=logits)
    norm = logits.sum(axis=1, keepdims=True)
    log_probability = log_probability - np.log(norm[:, 0])
    logits /= norm
    shares = None
    if several.any():
        step, column = np.nonzero(several)
        shares = logits[step, :, column] * membership[targets[step, column]]
        total = shares.sum(axis=1, keepdims=True)
        log_probability[step, column] = np.log(total[:, 0])
        shares /= total
    flat = logits.reshape(-1)
    steps, batch = targets.shape
    place = (np.arange(steps)[:, None] * n_outputs + first[:, 0]) * batch + np.arange(batch)
    if shares is None:
        flat[place.ravel()] -= 1
    else:
        flat[place[~several]] -= 1
        logits[step, :, column] -= shares
    if valid is not None:
        logits *= valid[:, None]
        log_probability *= valid
    return log_probability, logits
