"""Filters over letters: scores of all windows, pooling, and their exact gradients.

Arrays in, arrays out. A filter scores a window of letters, one weight for each letter at each of
its columns. Filters carry a leading axis of positions, of length 1 (one filter used everywhere: a
convolution) or of full length (one for each place: a locally connected layer); the result is the
same when the copies are equal. Sequences come as arrays (n_sequences, length, n_letters): a 1 for
the letter that stands there, equal shares where an ambiguity code stands, zeros past the end.

The windows of a sequence are rows of a strided view, so that scoring is a matrix product over
blocks that stay in the processor's cache. Under max pooling only the winning windows carry
gradient, so that the way back touches one window for each sequence and filter.

Shapes: N sequences, L letters, A letters of the alphabet, F filters, W columns, and
P = L - W + 1 positions of a window.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Reals: TypeAlias = NDArray[Any]
"""An array of float32 or float64; results have the type of the filters."""
Integers: TypeAlias = NDArray[np.int64]

_BLOCK = 1 << 15  # numbers of a block of windows, so that it stays in the cache


def window_view(sequences: Reals, width: int) -> Reals:
    """View all windows of all sequences, without copying.

    Parameters
    ----------
    sequences : ndarray of float, (N, L, A), C order
        Shares of the letters.
    width : int
        W, at most L.

    Returns
    -------
    ndarray of float, (N, P, W * A)
        Read-only; entry ``j * A + c`` of a row is letter c at column j of the window.

    Examples
    --------
    >>> window_view(np.arange(6.0).reshape(1, 3, 2), 2)
    array([[[0., 1., 2., 3.],
            [2., 3., 4., 5.]]])
    """
    n_letters = sequences.shape[2]
    flat = sequences.reshape(sequences.shape[0], -1)
    return sliding_window_view(flat, width * n_letters, axis=1)[:, ::n_letters]


def window_scores(weights: Reals, bias: Reals, sequences: Reals) -> Reals:
    """Score every window with every filter.

    ``score[n, f, p] = bias[p, f] + sum over c and j of weights[p, f, c, j] * x[n, p + j, c]``.

    Parameters
    ----------
    weights : ndarray of float, (1 or P, F, A, W)
        One filter for all positions, or one for each.
    bias : ndarray of float, (1 or P, F)
        Added to the scores.
    sequences : ndarray of float, (N, L, A)
        Shares of the letters.

    Returns
    -------
    ndarray of float, (N, F, P)
        The scores.

    Examples
    --------
    >>> weights = np.array([[[[1.0, 0.0], [0.0, 2.0]]]])   # 1 for A, then 2 for the other letter
    >>> window_scores(weights, np.zeros((1, 1)), np.eye(2)[[[0, 1, 0]]])
    array([[[3., 0.]]])
    """
    windows = window_view(sequences, weights.shape[3])
    scores = np.empty((windows.shape[0], weights.shape[1], windows.shape[1]), weights.dtype)
    for rows, block in _score_blocks(weights, bias, windows):
        scores[rows] = block
    return scores


def window_scores_gradient(
    weights: Reals, sequences: Reals, slope: Reals
) -> tuple[Reals, Reals, Reals]:
    """Take the derivatives of `window_scores` back to filters, bias and sequences.

    Parameters
    ----------
    weights : ndarray of float, (1 or P, F, A, W)
        The filters.
    sequences : ndarray of float, (N, L, A)
        Shares of the letters.
    slope : ndarray of float, (N, F, P)
        Derivatives with respect to the scores.

    Returns
    -------
    weights_slope, bias_slope, sequences_slope : ndarrays of float
        Derivatives, in the shapes of the filters, of the bias and of the sequences.
    """
    n_places, _, n_letters, width = weights.shape
    weights_slope, bias_slope = filter_gradient(weights.shape, sequences, slope)
    flat = filter_rows(weights)
    if n_places == 1:
        into_windows = np.einsum("nfp,fi->npi", slope, flat[0], optimize=True)
    else:
        into_windows = np.einsum("nfp,pfi->npi", slope, flat, optimize=True)
    into_windows = into_windows.reshape(*into_windows.shape[:2], width, n_letters)
    sequences_slope = np.zeros_like(sequences)
    n_positions = slope.shape[2]
    for column in range(width):
        sequences_slope[:, column : column + n_positions] += into_windows[:, :, column]
    return weights_slope, bias_slope, sequences_slope


def filter_gradient(shape: tuple[int, ...], sequences: Reals, slope: Reals) -> tuple[Reals, Reals]:
    """Take the derivatives of `window_scores` back to filters and bias alone.

    Parameters
    ----------
    shape : tuple of int
        That of the filters, (1 or P, F, A, W).
    sequences : ndarray of float, (N, L, A)
        Shares of the letters.
    slope : ndarray of float, (N, F, P)
        Derivatives with respect to the scores.

    Returns
    -------
    weights_slope : ndarray of float, (1 or P, F, A, W)
        Derivatives with respect to the filters.
    bias_slope : ndarray of float, (1 or P, F)
        Derivatives with respect to the bias.
    """
    n_places, n_filters, n_letters, width = shape
    windows = window_view(sequences, width)
    if n_places == 1:
        flat = np.zeros((1, n_filters, width * n_letters), slope.dtype)
        for rows in _blocks(windows):
            block = np.ascontiguousarray(windows[rows]).reshape(-1, windows.shape[2])
            flat[0] += slope[rows].transpose(1, 0, 2).reshape(n_filters, -1) @ block
        bias_slope = slope.sum(axis=(0, 2))[None]
    else:
        flat = np.matmul(slope.transpose(2, 1, 0), windows.transpose(1, 0, 2))
        bias_slope = slope.sum(axis=0).T
    return _from_rows(flat, n_letters), bias_slope


def best_windows(
    weights: Reals, bias: Reals, sequences: Reals, n_windows: Integers
) -> tuple[Reals, Integers]:
    """Find the best window of every filter in every sequence; the first one of equals.

    The scores are never all in memory.

    Parameters
    ----------
    weights : ndarray of float, (1 or P, F, A, W)
        The filters.
    bias : ndarray of float, (1 or P, F)
        Added to the scores.
    sequences : ndarray of float, (N, L, A)
        Shares of the letters.
    n_windows : ndarray of int, (N,)
        How many windows each sequence has; those after them are not looked at.

    Returns
    -------
    best : ndarray of float, (N, F)
        The highest scores.
    position : ndarray of int, (N, F)
        Where they are.
    """
    windows = window_view(sequences, weights.shape[3])
    best = np.empty((windows.shape[0], weights.shape[1]), weights.dtype)
    position = np.empty(best.shape, np.int64)
    ragged = bool((n_windows < windows.shape[1]).any())
    for rows, scores in _score_blocks(weights, bias, windows):
        if ragged:
            _hide_missing(scores, n_windows[rows])
        position[rows] = scores.argmax(axis=2)
        best[rows] = np.take_along_axis(scores, position[rows][:, :, None], axis=2)[:, :, 0]
    return best, position


def best_windows_gradient(
    shape: tuple[int, ...], sequences: Reals, position: Integers, slope: Reals
) -> tuple[Reals, Reals]:
    """Take the derivatives of `best_windows` back to filters and bias.

    Parameters
    ----------
    shape : tuple of int
        That of the filters, (1 or P, F, A, W).
    sequences : ndarray of float, (N, L, A)
        Shares of the letters.
    position : ndarray of int, (N, F)
        The winning windows.
    slope : ndarray of float, (N, F)
        Derivatives with respect to the best scores.

    Returns
    -------
    weights_slope : ndarray of float, (1 or P, F, A, W)
        Derivatives with respect to the filters.
    bias_slope : ndarray of float, (1 or P, F)
        Derivatives with respect to the bias.
    """
    n_places, n_filters, n_letters, width = shape
    windows = window_view(sequences, width)
    flat = np.zeros((n_places, n_filters, width * n_letters), slope.dtype)
    bias_slope = np.zeros((n_places, n_filters), slope.dtype)
    every = np.arange(windows.shape[0])
    for number in range(n_filters):
        place, weight = position[:, number], slope[:, number]
        winners = windows[every, place]
        if n_places == 1:
            flat[0, number] = weight @ winners
            bias_slope[0, number] = weight.sum()
        else:
            np.add.at(flat[:, number], place, weight[:, None] * winners)
            bias_slope[:, number] = np.bincount(place, weight, minlength=n_places)
    return _from_rows(flat, n_letters), bias_slope


def pool_log_mean_exp(scores: Reals, n_windows: Integers, n_scores: int) -> tuple[Reals, Reals]:
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
    work = scores.copy()
    _hide_missing(work, n_windows)
    joint = work.reshape(n_sequences, n_filters // n_scores, n_scores * n_positions)
    largest = joint.max(axis=2, keepdims=True)
    np.exp(joint - largest, out=joint)
    total = joint.sum(axis=2, keepdims=True)
    joint /= total
    count = np.log((n_windows * n_scores).astype(scores.dtype))[:, None]
    pooled = largest[:, :, 0] + np.log(total[:, :, 0]) - count
    return pooled, work


def present(n_windows: Integers, n_positions: int) -> NDArray[np.bool_]:
    """Tell which windows there are, (N, P)."""
    return np.arange(n_positions) < n_windows[:, None]


def filter_rows(weights: Reals) -> Reals:
    """Write filters as rows in the order of `window_view`, (1 or P, F, W * A)."""
    rows = weights.transpose(0, 1, 3, 2)
    return np.ascontiguousarray(rows).reshape(*weights.shape[:2], -1)


def _from_rows(flat: Reals, n_letters: int) -> Reals:
    return flat.reshape(*flat.shape[:2], -1, n_letters).transpose(0, 1, 3, 2)


def _hide_missing(scores: Reals, n_windows: Integers) -> None:
    missing = ~present(n_windows, scores.shape[2])
    np.copyto(scores, -np.inf, where=missing[:, None, :])


def _blocks(windows: Reals) -> Iterator[slice]:
    n_sequences, n_positions, size = windows.shape
    step = max(1, _BLOCK // max(1, n_positions * size))
    for start in range(0, n_sequences, step):
        yield slice(start, min(start + step, n_sequences))


def _score_blocks(weights: Reals, bias: Reals, windows: Reals) -> Iterator[tuple[slice, Reals]]:
    """Yield scores (n, F, P) of a few sequences at a time, with the slice that they are."""
    rows = filter_rows(weights)
    n_places, n_filters, _ = rows.shape
    n_positions = windows.shape[1]
    if n_places == 1:
        column = bias[0][:, None, None]
        for part in _blocks(windows):
            block = np.ascontiguousarray(windows[part]).reshape(-1, windows.shape[2])
            scores = (rows[0] @ block.T).reshape(n_filters, -1, n_positions)
            scores += column
            yield part, scores.transpose(1, 0, 2)
    else:
        step = max(1, _BLOCK * 16 // windows[0].size)
        for start in range(0, windows.shape[0], step):
            part = slice(start, min(start + step, windows.shape[0]))
            scores = np.matmul(rows, windows[part].transpose(1, 2, 0))  # (P, F, n)
            scores += bias[:, :, None]
            yield part, scores.transpose(2, 1, 0)
